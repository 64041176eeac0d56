"""Public functions that read values, or shapes, in a way that all examples of a `vmap` at once must be spared.

`register.public` wraps those that `KINDS` names. Before the first `vmap` a call goes straight on; from then on the rule
of its kind, which `zen/batching/functions.py` enters, gets the function and its arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

RULES: dict[str, Callable[..., Any]] = {}
"""`rule(call, function, args, options)` by kind: entered with the first `vmap`. Nothing differs by example before."""

KINDS: dict[str, str] = {}
"""The kind of each function by its public name; see the rules for what they mean."""

for _kind, _names in {
    "along": "argsort compress cumprod cumsum cumulative_prod cumulative_sum delete nancumprod nancumsum partition "
             "repeat sort unwrap",
    "reduced": "median nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar "
               "percentile quantile",
    "rolled": "roll",
    "gathered": "take",
    "taken": "take_along_axis",
    "stacked": "cond eig eigh eigvals eigvalsh expm lu matrix_norm matrix_rank pinv qr "
               "svd svdvals",
    "pointwise": "choose hardshrink interp nan_to_num select threshold",
    "counted": "bincount",
    "encoded": "one_hot",
    "systems": "solve_triangular",
    "of_numbers": "binary_cross_entropy gaussian_nll_loss hinge_embedding_loss",
    "of_rows": "cosine_embedding_loss multi_margin_loss multilabel_margin_loss",
    "imaged": "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d grid_sample lp_pool1d lp_pool2d lp_pool3d "
              "max_pool1d max_pool2d max_pool3d max_unpool1d max_unpool2d max_unpool3d",
}.items():  # fmt: skip
    KINDS.update(dict.fromkeys(_names.split(), _kind))


def at_once(function: Any, kind: str) -> Any:
    """The function, which leaves a call within a `vmap` to the rule of its kind."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if RULES:
            return RULES[kind](call, function, args, options)
        return function(*args, **options)

    return call

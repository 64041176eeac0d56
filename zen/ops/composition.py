"""The gradients of rows whose vjp is one function: by that function, or by the row's composition.

`register.py` hands `pull` to the engine. See `zen/ops/row.py`.
"""

from __future__ import annotations

from typing import Any

from .. import backend
from ..backend import Tensor
from .row import Row


def pull(
    row: Row, f: Any, g: Any, args: tuple[Any, ...], results: tuple[Any, ...], wanted: tuple[bool, ...], *params: Any
) -> tuple[Any, ...]:
    """For each argument its gradient, or None.

    f: the namespace of rows on what `args` and `g` hold, arrays or Tensors. g: the cotangent, a tuple for a row of
    several results. wanted: which gradients are asked for.
    """
    cotangents = g if row.several else (g,)
    recorded = any([isinstance(c, Tensor) for c in cotangents])
    if not recorded:
        found: Any = row.vjp(g, args, results, wanted, *params)  # type: ignore[operator]
        if found is not NotImplemented:
            return found  # type: ignore[no-any-return]
    pulled = backend.call_recording(True, _composed, row, f, cotangents, args, wanted, params, recorded)
    return pulled if recorded else tuple([d if d is None else d._array for d in pulled])


def _composed(
    row: Row, f: Any, cotangents: Any, args: tuple[Any, ...], wanted: tuple[bool, ...], params: Any, recorded: bool
) -> tuple[Any, ...]:
    """The gradients of the composition, computed anew, as Tensors; `recorded`: with a graph."""
    assert row.composition is not None
    inputs, targets = list(args), {}
    for k, asked in enumerate(wanted):
        if asked:
            x = inputs[k]
            # A node of its own for each input: the same Tensor may have been given twice.
            linked = isinstance(x, Tensor) and x.requires_grad
            inputs[k] = targets[k] = f.positive(x) if linked else _leaf(x)
    made = row.composition(*inputs, *params)
    used = zip(made if row.several else (made,), cotangents, strict=True)
    pairs = [(y, c) for y, c in used if c is not None and y.requires_grad]
    found: list[Any] = [None] * len(inputs)
    if pairs:
        roots, seeds = [y for y, _ in pairs], [c for _, c in pairs]
        gradients = backend.run(roots, seeds, list(targets.values()), recorded, recorded) or []
        for k, gradient in zip(targets, gradients, strict=True):
            found[k] = gradient
    return tuple(found)


def _leaf(x: Any) -> Tensor:
    made: Tensor = x.detach().requires_grad_() if isinstance(x, Tensor) else backend.leaf(x, True)
    return made

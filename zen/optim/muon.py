"""Muon: momentum, made orthogonal by Newton and Schulz's iteration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from .. import backend
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters

_ADJUSTMENTS = ("original", "match_rms_adamw")


class Muon(Optimizer):
    """Muon, as torch.optim.Muon, for the matrices of hidden layers; give other parameters to another optimiser.

        b = momentum * b + (1 - momentum) * g         u = b, or with nesterov (1 - momentum) * g + momentum * b
        p = p - lr * weight_decay * p - lr' * O       O = u with its singular values moved towards one

    O is what `ns_steps` of x = a x + (b x x^T + c (x x^T)^2) x make of u divided by its Frobenius norm, or by `eps` if
    that is larger. The `ns_coefficients` a, b, c are chosen for a steep slope at zero instead of for convergence.
    `adjust_lr_fn` gives lr' for a matrix of shape (m, n): "original" (the default) lr * sqrt(max(1, m / n)),
    "match_rms_adamw" 0.2 * lr * sqrt(max(m, n)). The iteration runs in the dtype of the parameter (float32 for
    float16), where PyTorch rounds to bfloat16. ValueError for an option out of its range and for a parameter that is no
    matrix.
    Sources: Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024); Liu et al., "Muon is Scalable for
    LLM Training" (2025), for match_rms_adamw.

    >>> w = zen.tensor([[3.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> opt = zen.optim.Muon([w], lr=0.1, weight_decay=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> bool((abs(w - zen.tensor([[2.9, 0.0], [0.0, 0.9]])) < 0.04).all())
    True
    """

    RANGES = {key: NOT_NEGATIVE for key in ("lr", "weight_decay", "momentum", "eps")}
    STATE = ("momentum_buffer",)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )

    def _check_parameters(self, tensors: list[Any]) -> None:
        super()._check_parameters(tensors)
        for position, p in enumerate(tensors):
            if p.ndim != 2:
                raise ValueError(
                    f"Muon: parameter {position} has shape {p.shape}; only matrices can be optimised: give the others "
                    "to another optimiser, such as AdamW"
                )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        adjustment, steps, coefficients = options["adjust_lr_fn"], options["ns_steps"], options["ns_coefficients"]
        if adjustment is not None and adjustment not in _ADJUSTMENTS:
            raise ValueError(f"Muon: adjust_lr_fn is {adjustment!r}; expected None, {' or '.join(_ADJUSTMENTS)}")
        if not isinstance(steps, int) or not 0 <= steps < 100:
            raise ValueError(f"Muon: ns_steps is {steps!r}; expected an integer in [0, 100)")
        if len(coefficients) != 3:
            raise ValueError(f"Muon: ns_coefficients is {coefficients!r}; expected three numbers")

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        lr = float(group["lr"])
        a, b, c = group["ns_coefficients"]
        return backend.kernels.optim.muon(
            group["params"], self.state, self._complete, written, lr, float(group["momentum"]),
            float(group["weight_decay"]), group["nesterov"], (float(a), float(b), float(c)), group["ns_steps"],
            float(group["eps"]), partial(_adjusted, lr, group["adjust_lr_fn"]),
        )  # fmt: skip


def _adjusted(lr: float, adjustment: str | None, shape: tuple[int, ...]) -> float:
    m, n = shape
    if adjustment == "match_rms_adamw":
        return lr * 0.2 * math.sqrt(max(m, n))
    return lr * math.sqrt(max(1.0, m / n)) if n else lr

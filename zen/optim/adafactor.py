"""Adafactor: second moments of matrices kept as a row and a column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..backend import Tensor
from ..dtypes import COMPLEX, accumulator
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters, Range, State

_MATRIX, _VECTOR = ("row_var", "col_var"), ("variance",)


class _Walk(NamedTuple):
    """A step that has been prepared: what is stored where."""

    values: list[tuple[np.ndarray, np.ndarray]]
    counts: list[tuple[State, int]]


class Adafactor(Optimizer):
    """Adafactor, as torch.optim.Adafactor, whose state is small.

    With g the gradient, t the number of the step, rms(x) = sqrt(mean(x * x)) and s = t ** beta2_decay:

        v = (1 - s) * v + s * g * g              u = g / max(sqrt(v), eps1)
        a = max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) / max(1, rms(u) / d)
        p = p - lr * weight_decay * p - a * u

    Of a parameter with two axes or more v is not kept: only the means r of g * g along the last axis, and c along the
    one before it, are; v = r c / max(mean(r), eps1). eps is (eps1, eps2); an eps1 of None is the precision of the
    dtype. `maximize` ascends. ValueError for an option out of its range, TypeError for complex parameters.
    Source: Shazeer, Stern, "Adafactor: Adaptive learning rates with sublinear memory cost" (2018).

    >>> w = zen.tensor([1.0, -1.0], requires_grad=True)
    >>> opt = zen.optim.Adafactor([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.tolist()
    [0.5, -0.5]
    """

    RANGES = {
        "lr": NOT_NEGATIVE, "beta2_decay": Range("a number <= 0", lambda x: x <= 0),
        "d": Range("a number >= 1", lambda x: x >= 1), "weight_decay": NOT_NEGATIVE,
    }  # fmt: skip
    STATE = ("step", *_MATRIX, *_VECTOR)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        eps = options["eps"]
        if not isinstance(eps, (tuple, list)) or len(eps) != 2:
            raise ValueError(f"Adafactor: eps is {eps!r}; expected two numbers >= 0, of which the first may be None")
        for k, x in enumerate(eps):
            if not (x is None and k == 0) and (isinstance(x, str) or not hasattr(x, "__float__") or not float(x) >= 0):
                raise ValueError(f"Adafactor: eps[{k}] is {x!r}; expected a number >= 0")

    def _shape_of(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if name == "row_var":
            return (*shape[:-1], 1)
        return (*shape[:-2], 1, *shape[-1:]) if name == "col_var" else shape

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> _Walk:
        walk = _Walk([], [])
        for t in group["params"]:
            if t.grad is not None:
                self._prepare(group, t, t.grad._array, walk)
        written += [array for array, _ in walk.values]
        return walk

    def _prepare(self, group: dict[str, Any], t: Tensor, g: np.ndarray, walk: _Walk) -> None:
        p, names = t._array, _MATRIX if t.ndim > 1 else _VECTOR
        if p.dtype in COMPLEX:
            raise TypeError(f"Adafactor is for real parameters, not for one of dtype {p.dtype}")
        if g.shape != p.shape:
            raise ValueError(f"a parameter of shape {p.shape} has a gradient of shape {g.shape}")
        entry = self.state.get(t, {})
        if not all(name in entry for name in ("step", *names)):
            entry = self._complete(t, names)
        arrays = [p, *[entry[name]._array for name in names]]
        for array in arrays:
            if not array.flags.writeable:
                raise ValueError(f"the memory of a parameter of shape {array.shape} is read-only; clone() it first")
        wide, step = accumulator(p.dtype), int(entry["step"]) + 1
        gradient, *given = [np.asarray(a, wide, order="C") for a in (g, *arrays)]  # sums do not depend on the layout
        with np.errstate(all="ignore"):
            new = _stepped(
                given, -gradient if group["maximize"] else gradient, step, group, float(np.finfo(p.dtype).eps)
            )
        walk.values.extend(zip(arrays, new, strict=True))
        walk.counts.append((entry, step))

    @staticmethod
    def _carry_out(walks: list[Any]) -> None:
        for walk in walks:
            with np.errstate(all="ignore"):
                for array, value in walk.values:
                    array[...] = value
            for entry, step in walk.counts:
                entry["step"] = step


def _stepped(
    given: list[np.ndarray], g: np.ndarray, step: int, options: Mapping[str, Any], precision: float
) -> list[np.ndarray]:
    """The new values of the parameter and of its state."""
    p, state = given[0], given[1:]
    lr = float(options["lr"])
    small, least = (precision if options["eps"][0] is None else float(options["eps"][0])), float(options["eps"][1])
    weight, squares = step ** float(options["beta2_decay"]), g * g
    alpha = max(least, _rms(p)) * min(lr, 1 / math.sqrt(step))
    if p.ndim > 1:
        state = [v + weight * (_mean(squares, k) - v) for v, k in zip(state, (-1, -2), strict=True)]
        v = state[0] @ state[1] / np.maximum(_mean(state[0], -2), small)
    else:
        state = [state[0] + weight * (squares - state[0])]
        v = state[0]
    u = g / np.sqrt(np.maximum(v, small * small))
    change = u * (alpha / max(1.0, _rms(u) / float(options["d"])))
    return [p * (1 - lr * float(options["weight_decay"])) - change, *state]


def _rms(x: np.ndarray) -> float:
    return float(np.linalg.norm(x)) / math.sqrt(x.size) if x.size else 0.0


def _mean(x: np.ndarray, axis: int) -> np.ndarray:
    found: np.ndarray = x.sum(axis, keepdims=True) / max(x.shape[axis], 1)
    return found

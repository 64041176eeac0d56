"""Steps of optimisers in plain NumPy. What `state`, `fill` and `written` are stands in zen/_core/_optim.pyx.

Here every array that was changed is appended to `written`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor

State = dict[Tensor, dict[str, Any]]
Fill = Callable[[Tensor], dict[str, Any]]
Arrays = list[np.ndarray]


class Work(NamedTuple):
    """What one parameter's update reads and writes; float16 as copies in float32."""

    p: np.ndarray
    g: np.ndarray
    arrays: Arrays
    step: int
    first: bool


def _walk(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, names: tuple[str, ...], counted: bool
) -> Iterator[Work]:
    for t in params:
        gradient = t.grad
        if gradient is None:
            continue
        entry: dict[str, Any] = state.get(t, {})
        needed = (*names, "step") if counted else names
        first = not all(name in entry for name in needed)
        if first:
            entry = fill(t)
        p, g = t.array, gradient.array
        if g.shape != p.shape:
            raise ValueError(f"a parameter of shape {p.shape} has a gradient of shape {g.shape}")
        _check_writeable(p, "parameter")
        arrays = [_array_of(entry, name, p) for name in names]
        step = int(entry["step"]) + 1 if counted else 0
        written += (p, *arrays)
        work = [_widened(a) for a in (p, *arrays)]
        with np.errstate(all="ignore"):
            yield Work(work[0], _widened(g), work[1:], step, first)
            for a, w in zip((p, *arrays), work, strict=True):
                if a is not w:
                    a[...] = w
        if counted:
            entry["step"] = step


def _array_of(entry: dict[str, Any], name: str, p: np.ndarray) -> np.ndarray:
    value = entry.get(name)
    if not isinstance(value, Tensor):
        raise TypeError(f"the state {name!r} of a parameter of shape {p.shape} must be a Tensor")
    array = value.array
    if array.shape != p.shape:
        raise ValueError(f"the state {name!r} of a parameter of shape {p.shape} has shape {array.shape}")
    _check_writeable(array, f"state {name!r}")
    return array


def _check_writeable(array: np.ndarray, what: str) -> None:
    if not array.flags.writeable:
        raise ValueError(f"the memory of a {what} of shape {array.shape} is read-only; clone() it first")


def _widened(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.char in "fd" else array.astype(np.float32)


def _direction(w: Work, weight_decay: float, maximize: bool) -> np.ndarray:
    """The gradient to go against: its sign turned for maximize, plus the L2 penalty's."""
    d = -w.g if maximize else w.g
    return d + weight_decay * w.p if weight_decay else d


def sgd(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, lr: float, momentum: float, dampening: float,
    weight_decay: float, nesterov: bool, maximize: bool,
) -> None:  # fmt: skip
    """SGD, with a buffer where momentum is not zero."""
    names = ("momentum_buffer",) if momentum else ()
    for w in _walk(params, state, fill, written, names, counted=False):
        d = _direction(w, weight_decay, maximize)
        if momentum:
            buffer = w.arrays[0]
            buffer[...] = d if w.first else momentum * buffer + (1 - dampening) * d
            d = d + momentum * buffer if nesterov else buffer
        np.subtract(w.p, lr * d, out=w.p)


def adam(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, lr: float, beta1: float, beta2: float,
    eps: float, weight_decay: float, amsgrad: bool, maximize: bool, decoupled: bool,
) -> None:  # fmt: skip
    """Adam; `decoupled` weight decay makes it AdamW."""
    names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if amsgrad else ("exp_avg", "exp_avg_sq")
    for w in _walk(params, state, fill, written, names, counted=True):
        d = _direction(w, 0.0 if decoupled else weight_decay, maximize)
        mean, square = w.arrays[:2]
        mean += (1 - beta1) * (d - mean)
        square[...] = beta2 * square + (1 - beta2) * d * d
        if amsgrad:
            square = np.maximum(w.arrays[2], square, out=w.arrays[2])
        rate, scale = lr / (1 - beta1**w.step), 1 / math.sqrt(1 - beta2**w.step)
        keep = 1 - lr * weight_decay if decoupled else 1.0
        np.subtract(keep * w.p, rate * mean / (np.sqrt(square) * scale + eps), out=w.p)


def rmsprop(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, lr: float, alpha: float, eps: float,
    weight_decay: float, momentum: float, centered: bool, maximize: bool,
) -> None:  # fmt: skip
    """RMSprop, with a buffer where momentum is not zero, by the variance where centered."""
    names = ("square_avg", *(["momentum_buffer"] if momentum > 0 else []), *(["grad_avg"] if centered else []))
    for w in _walk(params, state, fill, written, names, counted=True):
        d = _direction(w, weight_decay, maximize)
        square = w.arrays[0]
        square[...] = alpha * square + (1 - alpha) * d * d
        if centered:
            mean = w.arrays[-1]
            mean += (1 - alpha) * (d - mean)
            square = np.maximum(square - mean * mean, 0)  # rounding may leave a variance below zero
        d = d / (np.sqrt(square) + eps)
        if momentum > 0:
            buffer = w.arrays[1]
            buffer[...] = momentum * buffer + d
            d = buffer
        np.subtract(w.p, lr * d, out=w.p)


def adagrad(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, lr: float, lr_decay: float, eps: float,
    weight_decay: float, maximize: bool,
) -> None:  # fmt: skip
    """Adagrad."""
    for w in _walk(params, state, fill, written, ("sum",), counted=True):
        d = _direction(w, weight_decay, maximize)
        total = w.arrays[0]
        np.add(total, d * d, out=total)
        rate = lr / (1 + (w.step - 1) * lr_decay)
        np.subtract(w.p, rate * d / (np.sqrt(total) + eps), out=w.p)


def lion(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, lr: float, beta1: float, beta2: float,
    weight_decay: float, maximize: bool,
) -> None:  # fmt: skip
    """Lion."""
    for w in _walk(params, state, fill, written, ("exp_avg",), counted=False):
        d = _direction(w, 0.0, maximize)
        average = w.arrays[0]
        update = np.sign(beta1 * average + (1 - beta1) * d)
        average[...] = beta2 * average + (1 - beta2) * d
        np.subtract((1 - lr * weight_decay) * w.p, lr * update, out=w.p)


def clear_gradients(params: list[Tensor]) -> None:
    """Set the gradient of each parameter to None."""
    for t in params:
        t.grad = None


def sum_of_squares(arrays: Arrays) -> float:
    """The sum of the squares of all elements of arrays of floats, added up in double."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays))


def scale(arrays: Arrays, factor: float) -> None:
    """Multiply arrays of floats by `factor`, in place."""
    with np.errstate(all="ignore"):
        for a in arrays:
            a *= factor


def limit(arrays: Arrays, bound: float) -> None:
    """Limit arrays of floats to [-bound, bound], in place; NaN stays."""
    for a in arrays:
        np.clip(a, -bound, bound, out=a)


def blend(averages: Arrays, values: Arrays, weight: float) -> None:
    """averages += weight * (values - averages), in place, for pairs of arrays of one shape."""
    with np.errstate(all="ignore"):
        for a, v in zip(averages, values, strict=True):
            if a.shape != v.shape:
                raise ValueError(f"an average of shape {a.shape} for values of shape {v.shape}")
            a += weight * (v - a)

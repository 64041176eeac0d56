"""Clipping of gradients, as torch.nn.utils: by the norm of all of them together, or each element by value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..dtypes import COMPLEX, real
from .optimizer import announce


def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The norm of all elements of some Tensors, taken as one vector: a 0-d Tensor of their dtype.

    `norm_type` is any number > 0, or infinity for the largest absolute value. Summed in float64. ValueError for another
    norm_type, RuntimeError for a norm that is infinite or NaN where `error_if_nonfinite`.

    >>> zen.optim.get_total_norm([zen.tensor([3.0]), zen.tensor([4.0])]).item()
    5.0
    """
    arrays = [t._array for t in _tensors(tensors, "get_total_norm")]
    return _as_tensor(_norm(arrays, norm_type, error_if_nonfinite, "get_total_norm"), arrays)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale the gradients of `parameters`, in place, so that their total norm is at most `max_norm`.

    All are multiplied by max_norm / (norm + 1e-6) where that is below one. Returns the norm of before, a 0-d Tensor.
    Parameters without a gradient are left out. ValueError for max_norm < 0 and as in `get_total_norm`, RuntimeError for
    a norm that is infinite or NaN where `error_if_nonfinite`; nothing is changed then.

    Source: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks" (ICML 2013), 3.2.

    >>> w = zen.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * zen.tensor([3.0, 4.0])).sum().backward()
    >>> zen.optim.clip_grad_norm_([w], max_norm=1.0).item()
    5.0
    >>> [round(g, 4) for g in w.grad.tolist()]
    [0.6, 0.8]
    """
    if not isinstance(max_norm, (int, float, np.generic, Tensor)):
        raise TypeError(f"clip_grad_norm_: max_norm is {max_norm!r}; expected a number >= 0")
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm is {max_norm}; expected a number >= 0")
    params = _with_gradient(parameters, "clip_grad_norm_")
    if backend.tracer() is not None:
        return _clipped_in_program(params, float(max_norm), float(norm_type), error_if_nonfinite)
    arrays = [p.grad._array for p in params if p.grad is not None]
    total = _norm(arrays, norm_type, error_if_nonfinite, "clip_grad_norm_")
    factor = float(max_norm) / (total + 1e-6)
    if not factor >= 1:  # also where it is NaN
        arrays = [_own_gradient(p) for p in params]
        backend.kernels.optim.scale(arrays, factor)
        announce(arrays, "clip_grad_norm_")
    return _as_tensor(total, arrays)


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor | float) -> None:
    """As `clip_grad_norm_`, with a total norm that is known, such as that of `get_total_norm`.

    Parameters without a gradient are left out. ValueError for max_norm < 0; nothing is changed then.

    >>> w = zen.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * zen.tensor([3.0, 4.0])).sum().backward()
    >>> zen.optim.clip_grads_with_norm_([w], 1.0, zen.optim.get_total_norm([w.grad]))
    >>> [round(g, 4) for g in w.grad.tolist()]
    [0.6, 0.8]
    """
    if not float(max_norm) >= 0:
        raise ValueError(f"clip_grads_with_norm_: max_norm is {max_norm}; expected a number >= 0")
    factor = float(max_norm) / (float(total_norm) + 1e-6)
    if not factor >= 1:  # also where it is NaN
        arrays = [_own_gradient(p) for p in _with_gradient(parameters, "clip_grads_with_norm_")]
        backend.kernels.optim.scale(arrays, factor)
        announce(arrays, "clip_grads_with_norm_")


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit each element of the gradients of `parameters` to [-clip_value, clip_value], in place. NaN stays.

    ValueError for clip_value < 0.

    >>> w = zen.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * zen.tensor([3.0, -0.5])).sum().backward()
    >>> zen.optim.clip_grad_value_([w], 1.0)
    >>> w.grad.tolist()
    [1.0, -0.5]
    """
    if not isinstance(clip_value, (int, float, np.generic, Tensor)):
        raise TypeError(f"clip_grad_value_: clip_value is {clip_value!r}; expected a number >= 0")
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value is {clip_value}; expected a number >= 0")
    params = _with_gradient(parameters, "clip_grad_value_")
    for p in params:
        if p.dtype in COMPLEX:
            raise TypeError(
                f"clip_grad_value_: the gradient of a parameter of dtype {p.dtype} has no order; use clip_grad_norm_"
            )
    arrays = [_own_gradient(p) for p in params]
    backend.kernels.optim.limit(arrays, float(clip_value))
    announce(arrays, "clip_grad_value_")


def _tensors(given: Tensor | Iterable[Tensor], name: str) -> list[Tensor]:
    if not isinstance(given, (Tensor, Iterable)):
        raise TypeError(f"{name}: expected Tensors, such as model.parameters(), not {type(given).__name__}")
    tensors = [given] if isinstance(given, Tensor) else list(given)
    for k, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(f"{name}: element {k} is a {type(t).__name__}, not a Tensor")
    return tensors


def _with_gradient(parameters: Tensor | Iterable[Tensor], name: str) -> list[Tensor]:
    return [p for p in _tensors(parameters, name) if p.grad is not None]


def _own_gradient(p: Tensor) -> np.ndarray:
    """The array of p's gradient, which may be written: not read-only, not one value seen everywhere, with no graph."""
    g = p.grad
    assert g is not None
    array = g._array
    if not array.flags.writeable or (0 in array.strides and array.size > 1):
        g = p.grad = backend.wrap(array.copy())
    elif g.requires_grad:
        g = p.grad = g.detach()
    return g._array


def _norm(arrays: list[np.ndarray], order: float, error_if_nonfinite: bool, name: str) -> float:
    order = float(order)
    if not order > 0:
        raise ValueError(f"{name}: norm_type is {order}; expected a number > 0, or infinity")
    arrays = [_parts(a) if order == 2 else np.abs(a) for a in arrays]
    if order == 2:
        total = math.sqrt(backend.kernels.optim.sum_of_squares(arrays))
    elif math.isinf(order):
        total = float(np.max([np.max(a, initial=0) for a in arrays], initial=0))
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(sum(np.sum(a.astype(np.float64) ** order) for a in arrays)) ** (1 / order)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"{name}: the total norm of order {order} is {total}, so the gradients cannot be clipped; find the loss or "
            "operation that overflows, or pass error_if_nonfinite=False"
        )
    return total


def _parts(a: np.ndarray) -> np.ndarray:
    """Of complex numbers their parts, whose squares add up to those of the moduli."""
    return np.stack([a.real, a.imag]) if a.dtype in COMPLEX else a


def _as_tensor(total: float, arrays: list[np.ndarray]) -> Tensor:
    dtype = np.result_type(*[real(a.dtype) for a in arrays]) if arrays else np.dtype(np.float32)
    with np.errstate(over="ignore"):
        return backend.wrap(np.asarray(np.float64(total).astype(dtype)))


def _clipped_in_program(params: list[Tensor], max_norm: float, order: float, error_if_nonfinite: bool) -> Tensor:
    """As `clip_grad_norm_`, by rows, while a program is recorded."""
    gradients = [p.grad.detach() for p in params if p.grad is not None]
    dtype = np.result_type(*[real(g.dtype) for g in gradients]) if gradients else np.dtype(np.float32)

    def norm(*arrays: np.ndarray) -> np.ndarray:
        return np.asarray(_norm(list(arrays), order, error_if_nonfinite, "clip_grad_norm_"))

    def scaled(array: np.ndarray, total: np.ndarray) -> np.ndarray:
        factor, made = max_norm / (float(total) + 1e-6), array.copy()
        if not factor >= 1:
            backend.kernels.optim.scale([made], factor)
        return made

    total = backend.apply(_row("total_norm", norm, len(params)), tuple(gradients))
    for p, g in zip(params, gradients, strict=True):
        p.grad = backend.apply(_row("clipped", scaled, 2), (g, total))
    like = [np.zeros(0, dtype)]
    found: Tensor = backend.apply(_row("norm_as", lambda x: _as_tensor(float(x), like)._array, 1), (total,))
    return found


def _row(name: str, forward: Any, count: int) -> backend.Row:
    return backend.Row(name, count, forward, lambda: ((None,) * count, ((0,) * (count + 1),) * count))

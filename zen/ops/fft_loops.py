"""The loops behind NumPy's Fourier transforms, called without what its functions do around them.

`numpy.fft` computes through ufuncs of a private module; its functions take 3 us before they come to one, and those over
several axes 5 us for each. The functions below call the ufuncs with the same factors, memory and order of axes, so the
results are NumPy's own. What they do not fit, other dtypes or a NumPy that has none of them, goes to `numpy.fft`. The
rows in `fft.py` call them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from ..dtypes import COMPLEX, complexed
from ..dtypes import real as real_dtype

try:
    _loops: Any = import_module("numpy.fft._pocketfft_umath")
    _COMPLEX = {False: _loops.fft, True: _loops.ifft}
    _HALVES, _REAL = (_loops.rfft_n_even, _loops.rfft_n_odd), _loops.irfft
    _KINDS = {dtype: (real_dtype(dtype), complexed(dtype)) for dtype in map(np.dtype, "fdFD")}
    """By the dtype of an operand, those of real and of complex results."""
except (ImportError, AttributeError):
    _KINDS = {}


@lru_cache(maxsize=1024)
def _factor(n: int, norm: str, real: np.dtype[Any]) -> Any:
    """What a transform of this length is multiplied by; `norm` as for the direction from values to a spectrum."""
    if norm == "backward":
        return 1
    return np.reciprocal(n if norm == "forward" else np.sqrt(n, dtype=real), dtype=real)


_OTHER = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


@lru_cache(maxsize=64)
def _along(axis: int) -> list[tuple[int, ...]]:
    return [(axis,), (), (axis,)]


def _run(loop: Any, x: Any, factor: Any, out: Any, axis: int) -> Any:
    if axis == x.ndim - 1:
        return loop(x, factor, out)
    return loop(x, factor, out, axes=_along(axis))


def fourier(x: Any, axes: tuple[int, ...], inverse: bool, norm: Any) -> Any:
    """The transform over axes that are not empty, or its inverse."""
    kinds = _KINDS.get(x.dtype)
    if kinds is None:
        return (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)
    real, whole = kinds
    loop, norm = _COMPLEX[inverse], _OTHER[norm] if inverse else norm
    for axis in reversed(axes):
        x = _run(loop, x, _factor(x.shape[axis], norm, real), np.empty_like(x, whole), axis)
    return x


def rfft(x: Any, axis: int, norm: Any) -> Any:
    """From real numbers along an axis that is not empty to half a spectrum."""
    kinds = _KINDS.get(x.dtype)
    if kinds is None or x.dtype in COMPLEX:
        return np.fft.rfft(x, axis=axis, norm=norm)
    shape, n = x.shape, x.shape[axis]
    out = np.empty_like(x, kinds[1], shape=(*shape[:axis], n // 2 + 1, *shape[axis + 1 :]))
    return _run(_HALVES[n % 2], x, _factor(n, norm, kinds[0]), out, axis)


def rfft_transposed(g: Any, n: int, axis: int, norm: Any) -> Any:
    """The transpose of `rfft` from n numbers, by a complex transform that fills half a spectrum up with zeros."""
    kinds = _KINDS.get(g.dtype)
    if kinds is None:
        return np.fft.fft(g, n, axis=axis, norm=norm).real.copy()
    shape = g.shape
    out = np.empty((*shape[:axis], n, *shape[axis + 1 :]), kinds[1])
    return _run(_COMPLEX[False], g, _factor(n, norm, kinds[0]), out, axis).real.copy()


def irfft(x: Any, n: int, axis: int, norm: Any) -> Any:
    """From half a spectrum, n // 2 + 1 values along an axis, to n real numbers."""
    kinds = _KINDS.get(x.dtype)
    if kinds is None or x.shape[axis] != n // 2 + 1:
        return np.fft.irfft(x, n, axis=axis, norm=norm)
    shape = x.shape
    out = np.empty_like(x, kinds[0], shape=(*shape[:axis], n, *shape[axis + 1 :]))
    return _run(_REAL, x, _factor(n, _OTHER[norm], kinds[0]), out, axis)

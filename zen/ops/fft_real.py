"""Fourier transforms of real numbers and of half spectra, frequencies and shifts: functions of `zen.fft`.

The rows are in `fft.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Tensor, apply, leaf
from ..conversion import supported
from ..creation import one_device, shape_of
from ..dtypes import DEFAULT
from .arguments import refuse
from .axes import all_axes
from .casting import astype
from .complex_numbers import conj
from .fft import DUAL, FOURIER, IRFFT, RFFT, Norm, along, fitted, inexact, into, norm_of, of_numpy, over
from .operands import operand, whole
from .rearranging import roll

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..typing import ArrayLike, Axes, Ints, Operand


def _forward(name: str, x: Any, axes: tuple[int, ...], lengths: list[int], norm: str) -> Any:
    """Over the last of the axes from real numbers to half a spectrum, then over the others."""
    if not axes:
        raise ValueError(f"{name}: there is no axis to transform over; give at least one")
    made = apply(RFFT, (fitted(name, x, axes[-1:], lengths[-1:]),), (axes[-1], norm))
    if len(axes) == 1:
        return made
    if len(set(axes)) == len(axes):
        made = fitted(name, made, axes[:-1], lengths[:-1])
        return apply(FOURIER, (made,), (axes[:-1], False, norm))
    for k, n in zip(axes[-2::-1], lengths[-2::-1], strict=True):
        made = apply(FOURIER, (fitted(name, made, (k,), [n]),), ((k,), False, norm))
    return made


def _backward(name: str, x: Any, axes: tuple[int, ...], lengths: list[int], norm: str) -> Any:
    """Over the axes before the last, and then over the last from half a spectrum to real numbers."""
    if not axes:
        raise ValueError(f"{name}: there is no axis to transform over; give at least one")
    if 1 < len(axes) == len(set(axes)):
        x = apply(FOURIER, (fitted(name, x, axes[:-1], lengths[:-1]),), (axes[:-1], True, norm))
    else:
        for k, n in zip(axes[:-1], lengths[:-1], strict=True):
            x = apply(FOURIER, (fitted(name, x, (k,), [n]),), ((k,), True, norm))
    k, n = axes[-1], lengths[-1]
    if n < 1:
        raise ValueError(
            f"{name}: axis {k} of shape {x.shape} would become one of length {n}; say with n or s how long it is to be"
        )
    return apply(IRFFT, (fitted(name, x, (k,), [n // 2 + 1]),), (n, k, norm))


def _spectrum(name: str, x: Any, s: Any, axes: Any) -> tuple[Any, tuple[int, ...], list[int]]:
    """The argument of a transform back to real numbers, its axes and the lengths of the result."""
    x = inexact(name, x)
    where, lengths = over(name, x, s, axes)
    if where and (s is None or (isinstance(s, (tuple, list)) and s[-1] is None)):
        lengths[-1] = 2 * (x.shape[where[-1]] - 1)
    return x, where, lengths


@of_numpy
def rfft(
    x: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The first half, n // 2 + 1 values, of the Fourier transform of real x; the others are their conjugates.

    Arguments and errors as in `zen.fft.fft`; TypeError for complex x.

    >>> zen.fft.rfft(zen.tensor([1.0, 0.0, -1.0, 0.0])).real.tolist()
    [0.0, 2.0, 0.0]
    """
    if unknown:
        refuse(rfft, unknown)
    x = inexact("rfft", x, real=True)
    k, length = along("rfft", x, n, axis)
    return into("rfft", _forward("rfft", x, (k,), [length], norm_of("rfft", norm)), out)


@of_numpy
def irfft(
    x: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The inverse of `rfft`: n real numbers from the first n // 2 + 1 values of their transform.

    n: 2 (m - 1) if None, for m values along the axis; an odd length has to be given. The imaginary parts of the first
    value and, of an even length, the last do not count. Other arguments and errors as in `zen.fft.fft`.

    >>> zen.fft.irfft(zen.tensor([2.0, 0.0, 2.0])).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    if unknown:
        refuse(irfft, unknown)
    x = inexact("irfft", x)
    k, length = along("irfft", x, n, axis)
    length = 2 * (length - 1) if n is None else length
    return into("irfft", _backward("irfft", x, (k,), [length], norm_of("irfft", norm)), out)


@of_numpy
def rfftn(
    x: ArrayLike, s: Ints | None = None, axes: Axes = None, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """`rfft` over the last of the axes, and `fft` over the others. Arguments and errors as in `fftn` and `rfft`.

    >>> zen.fft.rfftn(zen.ones((2, 2))).real.tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(rfftn, unknown)
    return _real_field("rfftn", x, s, axes, norm, out)


@of_numpy
def irfftn(
    x: ArrayLike, s: Ints | None = None, axes: Axes = None, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The inverse of `rfftn`. Arguments and errors as in `fftn` and `irfft`, s being the lengths of the result.

    >>> zen.fft.irfftn(zen.ones((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(irfftn, unknown)
    return _spectral_field("irfftn", x, s, axes, norm, out)


@of_numpy
def rfft2(
    x: ArrayLike,
    s: Ints | None = None,
    axes: Axes = (-2, -1),
    norm: Norm = "backward",
    out: Any = None,
    **unknown: Never,
) -> Tensor:
    """`rfftn` over the last two axes.

    >>> zen.fft.rfft2(zen.ones((2, 2))).real.tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(rfft2, unknown)
    return _real_field("rfft2", x, s, axes, norm, out)


@of_numpy
def irfft2(
    x: ArrayLike,
    s: Ints | None = None,
    axes: Axes = (-2, -1),
    norm: Norm = "backward",
    out: Any = None,
    **unknown: Never,
) -> Tensor:
    """`irfftn` over the last two axes.

    >>> zen.fft.irfft2(zen.ones((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(irfft2, unknown)
    return _spectral_field("irfft2", x, s, axes, norm, out)


def _real_field(name: str, x: Any, s: Any, axes: Axes, norm: str | None, out: Any) -> Tensor:
    x = inexact(name, x, real=True)
    where, lengths = over(name, x, s, axes)
    return into(name, _forward(name, x, where, lengths, norm_of(name, norm)), out)


def _spectral_field(name: str, x: Any, s: Any, axes: Axes, norm: str | None, out: Any) -> Tensor:
    x, where, lengths = _spectrum(name, x, s, axes)
    return into(name, _backward(name, x, where, lengths, norm_of(name, norm)), out)


@of_numpy
def hfft(
    x: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The real Fourier transform, of length n, of numbers that x is the first half of; the others are its conjugates.

    n: 2 (m - 1) if None, for m values along the axis. Other arguments and errors as in `zen.fft.fft`.

    >>> zen.fft.hfft(zen.tensor([1.0, 2.0, 1.0])).tolist()
    [6.0, 0.0, -2.0, 0.0]
    """
    if unknown:
        refuse(hfft, unknown)
    x = inexact("hfft", x)
    k, length = along("hfft", x, n, axis)
    length = 2 * (length - 1) if n is None else length
    return into("hfft", _backward("hfft", conj(x), (k,), [length], DUAL[norm_of("hfft", norm)]), out)


@of_numpy
def ihfft(
    x: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The inverse of `hfft`: the first n // 2 + 1 of the numbers whose transform is the real x.

    Arguments and errors as in `rfft`.

    >>> zen.fft.ihfft(zen.tensor([6.0, 0.0, -2.0, 0.0])).real.tolist()
    [1.0, 2.0, 1.0]
    """
    if unknown:
        refuse(ihfft, unknown)
    x = inexact("ihfft", x, real=True)
    k, length = along("ihfft", x, n, axis)
    return into("ihfft", conj(_forward("ihfft", x, (k,), [length], DUAL[norm_of("ihfft", norm)])), out)


# --- frequencies and their order


@of_numpy
def fftfreq(n: int, d: Operand = 1.0, device: str | None = None, *, dtype: DTypeLike | None = None) -> Tensor:
    """The frequencies of the values of `fft`, for n samples that are d apart: in cycles for each unit of d.

    d: a number, or a Tensor of one element, in which it is differentiable. dtype: float64 if None. Raises TypeError for
    n that is no integer, ValueError for n below 1.

    >>> zen.fft.fftfreq(4, 0.5).tolist()
    [0.0, 0.5, -1.0, -0.5]
    """
    n = _count("fftfreq", n, device)
    return _frequencies(np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)]), n, d, dtype)


@of_numpy
def rfftfreq(n: int, d: Operand = 1.0, device: str | None = None, *, dtype: DTypeLike | None = None) -> Tensor:
    """The frequencies of the values of `rfft`. Arguments and errors as in `fftfreq`.

    >>> zen.fft.rfftfreq(4, 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    n = _count("rfftfreq", n, device)
    return _frequencies(np.arange(n // 2 + 1), n, d, dtype)


def _count(name: str, n: Any, device: Any) -> int:
    one_device(name, device)
    count = whole(name, "n", n)
    if count < 1:
        raise ValueError(f"{name}: n must be at least 1, not {count}")
    shape_of(name, count, DEFAULT)
    return count


def _frequencies(cycles: np.ndarray, n: int, d: Any, dtype: Any) -> Tensor:
    if not isinstance(d, Tensor):
        return leaf(
            (cycles * (1.0 / (n * d))).astype(DEFAULT if dtype is None else supported(dtype), copy=False), False
        )
    made = 1.0 / (n * d) * cycles.astype(DEFAULT)
    converted: Tensor = made if dtype is None else astype(made, dtype, copy=False)
    return converted


@of_numpy
def fftshift(x: ArrayLike, axes: Axes = None, **unknown: Never) -> Tensor:
    """x with the frequency zero in the middle of each of the axes, all if None; AxisError for an axis out of range.

    >>> zen.fft.fftshift(zen.tensor([0.0, 1.0, 2.0, -2.0, -1.0])).tolist()
    [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    if unknown:
        refuse(fftshift, unknown)
    return _shifted("fftshift", x, axes, lambda length: length // 2)


@of_numpy
def ifftshift(x: ArrayLike, axes: Axes = None, **unknown: Never) -> Tensor:
    """The inverse of `fftshift`. Arguments and errors as there.

    >>> zen.fft.ifftshift(zen.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])).tolist()
    [0.0, 1.0, 2.0, -2.0, -1.0]
    """
    if unknown:
        refuse(ifftshift, unknown)
    return _shifted("ifftshift", x, axes, lambda length: -(length // 2))


def _shifted(name: str, x: Any, axes: Axes, shift: Any) -> Tensor:
    x = operand(name, x)
    where = tuple(range(x.ndim)) if axes is None else all_axes(name, axes, x.shape)
    made: Tensor = roll(x, tuple([shift(x.shape[k]) for k in where]), where)
    return made

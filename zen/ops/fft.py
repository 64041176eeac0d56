"""Discrete Fourier transforms: the functions of `zen.fft`.

Three rows, which NumPy's transforms compute: over any axes and of the same length, from real numbers to half a
spectrum, and back. Cutting and padding to another length comes before them, and everything else is made of these. The
functions for real numbers stand in `fft_real.py`.

A transform is a symmetric matrix: its transpose is itself, with the same sign and factor. That of `rfft` is `irfft`
with weights, and the other way round, because a half spectrum stands for two values in each place but the first and,
of an even length, the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Never, TypeAlias, TypeVar

import numpy as np

from ..backend import Shaped, Tensor, apply, grad_enabled, wrap
from ..batched import Batched
from ..conversion import convert
from ..dtypes import COMPLEX, DEFAULT, INEXACT, complexed
from ..dtypes import real as real_dtype
from . import fft_loops
from .arguments import refuse
from .axes import one_axis
from .casting import astype
from .joining import pad
from .operands import operand, raw, whole
from .register import define, dispatch, placed
from .row import row

if TYPE_CHECKING:
    from ..typing import ArrayLike, Axes, Ints

Norm: TypeAlias = Literal["backward", "ortho", "forward"] | None

Function = TypeVar("Function", bound=Callable[..., Any])

DUAL = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
"""By `norm`, the one that gives a transform in the other direction the same factor."""


FOURIER = define(row(
    "fourier", "x", fft_loops.fourier, ["fourier(g, axis, inverse, norm)"], params="axis inverse norm", axes="axis",
    linear="x",
    shape=lambda x, *how: Shaped(x.shape, complexed(x.dtype)), complex=True,
    domain=lambda rng: [
        ((rng.normal(size=5),), ((0,), False, "backward")), ((rng.normal(size=(2, 4)),), ((1,), True, "backward")),
        ((rng.normal(size=(3, 8))[:, ::2],), ((0, 1), False, "ortho")),
        ((rng.normal(size=(1, 3)),), ((0,), True, "ortho")),
        ((rng.normal(size=(3, 2, 2)).T,), ((2, 0), True, "forward")), ((np.zeros((0, 3)),), ((1,), False, "forward")),
    ],
    doc="The Fourier transform over axes, or its inverse.",
))  # fmt: skip


_FEW = 1 << 10
"""Up to so many values a complex transform takes less than to weigh half a spectrum and transform that."""


def _length(shape: tuple[int, ...], axis: int) -> int:
    return shape[axis] // 2 + 1


def _changed(shape: tuple[int, ...], axis: int, n: int) -> tuple[int, ...]:
    return (*shape[:axis], n, *shape[axis + 1 :])


def _weights(n: int, ndim: int, axis: int, inner: float, dtype: np.dtype) -> np.ndarray:
    """1 for the places of a half spectrum that stand for one value, and `inner` for those that stand for two."""
    made = _small_half if n <= 1024 else _half
    return made(n, inner, real_dtype(dtype)).reshape((-1,) + (1,) * (ndim - axis - 1))


def _half(n: int, inner: float, dtype: np.dtype) -> np.ndarray:
    found = np.full(n // 2 + 1, inner, dtype)
    found[0] = 1
    if n % 2 == 0:
        found[-1] = 1
    found.flags.writeable = False
    return found


_small_half = lru_cache(maxsize=64)(_half)  # at most 256 KiB


def _rfft_vjp(f: Any, g: Any, n: int, axis: int, norm: str) -> Any:
    if isinstance(g, np.ndarray) and g.size <= _FEW:
        return fft_loops.rfft_transposed(g, n, axis, norm)
    halves = _weights(n, len(g.shape), axis, 0.5, g.dtype)
    return f.irfft(f.conj(g * halves), n, axis, DUAL[norm])


def _irfft_vjp(f: Any, g: Any, n: int, axis: int, norm: str) -> Any:
    twice = _weights(n, len(g.shape), axis, 2.0, g.dtype)
    return f.conj(f.rfft(g, axis, DUAL[norm])) * twice


def _lines(rng: np.random.Generator) -> list[Any]:
    return [
        (rng.normal(size=5), 0), (rng.normal(size=(2, 4)), 1), (rng.normal(size=(3, 8))[:, ::2], 0),
        (rng.normal(size=(2, 1)), 1), (np.zeros((0, 3)), 1), (rng.normal(size=(2, 2, 3)).T, 1),
    ]  # fmt: skip


RFFT = define(row(
    "rfft", "x", fft_loops.rfft, ["rfft_vjp(g, x.shape[axis], axis, norm)"], params="axis norm", axes="axis",
    linear="x", uses={"rfft_vjp": _rfft_vjp},
    shape=lambda x, axis, norm: Shaped(_changed(x.shape, axis, _length(x.shape, axis)), complexed(x.dtype)),
    domain=lambda rng: [((x,), (axis, norm)) for (x, axis), norm in zip(_lines(rng), [*DUAL, *DUAL], strict=True)],
    doc="The first half of the Fourier transform of real numbers, which makes the other.",
))  # fmt: skip
IRFFT = define(row(
    "irfft", "x", fft_loops.irfft, ["irfft_vjp(g, n, axis, norm)"],
    params="n axis norm", axes="axis", linear="x", uses={"irfft_vjp": _irfft_vjp}, complex=True,
    shape=lambda x, n, axis, norm: Shaped(_changed(x.shape, axis, n), real_dtype(x.dtype)),
    domain=lambda rng: [((x,), (2 * x.shape[axis] - 1 - k % 2 * (x.shape[axis] > 1), axis, [*DUAL][k % 3]))
                        for k, (x, axis) in enumerate(_lines(rng))],
    doc="The n real numbers whose Fourier transform begins with this half.",
))  # fmt: skip


# --- arguments


def inexact(name: str, x: Any, real: bool = False) -> Any:
    """x as floats or, unless they have to be `real`, complex numbers."""
    if not isinstance(x, Tensor):
        x = operand(name, x)
    if real and x.dtype in COMPLEX:
        raise TypeError(f"{name}: takes real numbers, not {x.dtype}; pass x.real, or take {_WHOLE[name]} of all of it")
    return x if x.dtype in INEXACT else astype(x, DEFAULT)


_WHOLE = {"rfft": "fft", "rfft2": "fft2", "rfftn": "fftn", "ihfft": "ifft"}


def norm_of(name: str, norm: str | None) -> str:
    """A setting of `norm`; ValueError for others."""
    if norm is None or norm == "backward":
        return "backward"
    if norm not in DUAL:
        raise ValueError(f'{name}: norm must be "backward", "ortho" or "forward", not {norm!r}')
    return norm


def along(name: str, x: Any, n: int | None, axis: int) -> tuple[int, int]:
    """The axis from the front, and the length along it."""
    k = one_axis(name, axis, x.shape)
    return k, x.shape[k] if n is None else whole(name, "n", n)


def _listed(numbers: Any) -> Any:
    """One number, or several in any form, as a list; None stays None."""
    if isinstance(numbers, (Tensor, np.ndarray)):
        numbers = numbers.tolist()
    return numbers if numbers is None or isinstance(numbers, (tuple, list)) else [numbers]


def over(name: str, x: Any, s: Any, axes: Any) -> tuple[tuple[int, ...], list[int]]:
    """The axes from the front, in their order, and the length of each, -1 and None standing for that of x."""
    s, axes, shape = _listed(s), _listed(axes), x.shape
    if axes is None:
        ndim = len(shape)
        count = ndim if s is None else len(s)
        if count > ndim:
            raise ValueError(f"{name}: s has {count} lengths for the {ndim} axes of shape {shape}")
        where = tuple(range(ndim - count, ndim))
    else:
        where = tuple([one_axis(name, a, shape) for a in axes])
    if s is None:
        return where, [shape[k] for k in where]
    if len(s) != len(where):
        raise ValueError(f"{name}: s has {len(s)} lengths for {len(where)} axes; give one for each")
    lengths = [-1 if n is None else whole(name, "s", n) for n in s]
    return where, [shape[k] if n == -1 else n for k, n in zip(where, lengths, strict=True)]


def fitted(name: str, x: Any, axes: Sequence[int], lengths: list[int]) -> Any:
    """x, cut or followed by zeros along each axis, to these lengths."""
    shape = x.shape
    if [shape[k] for k in axes] == lengths and 0 not in lengths:  # nearly every call
        return x
    for k, n in zip(axes, lengths, strict=True):
        if n < 1:
            given = f"has length {n}" if n == shape[k] else f"would get length {n}"
            raise ValueError(f"{name}: axis {k} of shape {shape} {given}; give a length of at least 1, or other axes")
    cut = [slice(None)] * len(shape)
    after = [(0, 0)] * len(shape)
    for k, n in zip(axes, lengths, strict=True):
        if n < shape[k]:
            cut[k] = slice(n)
        elif n > shape[k]:
            after[k] = (0, n - shape[k])
    if any([part != slice(None) for part in cut]):
        x = x[tuple(cut)]
    return pad(x, after) if any([width for _, width in after]) else x


def into(name: str, made: Any, out: Any) -> Tensor:
    """`made`, or `out` with it written there."""
    result: Tensor = made
    if out is None:
        return result
    if not isinstance(out, (Tensor, np.ndarray)):
        raise TypeError(f"{name}: out must be a Tensor or an ndarray, not {type(out).__name__}")
    if out.shape != made.shape or not np.can_cast(made.dtype, out.dtype, "same_kind"):
        raise ValueError(
            f"{name}: out of shape {out.shape} and dtype {out.dtype} does not take a result of shape {made.shape} and "
            f"dtype {made.dtype}"
        )
    if isinstance(out, Tensor):
        return out.copy_(made)
    if made.requires_grad and grad_enabled():
        raise TypeError(f"{name}: an ndarray as out would lose the gradient; give a Tensor, or pass x.detach()")
    out[...] = raw(made)
    return out  # type: ignore[return-value]


def of_numpy(function: Function) -> Function:
    """Decorator: the function stands in `zen.fft`, and answers for NumPy's of this name."""
    placed(function, "zen.fft", function.__name__)
    dispatch(f"fft.{function.__name__}", function)
    return function


# --- complex transforms


def _transform(
    name: str, x: Any, axes: tuple[int, ...], lengths: list[int], inverse: bool, norm: Any, out: Any
) -> Tensor:
    norm = norm_of(name, norm)
    if len(set(axes)) < len(axes):  # NumPy transforms over an axis as often as it is named
        for k, n in zip(reversed(axes), reversed(lengths), strict=True):
            x = apply(FOURIER, (fitted(name, x, (k,), [n]),), ((k,), inverse, norm))
        return into(name, x, out)
    x = fitted(name, x, axes, lengths)
    if axes:
        x = apply(FOURIER, (x,), (axes, inverse, norm))
    return into(name, x if isinstance(x, (Tensor, Batched)) else wrap(convert(x)), out)


def _line(name: str, x: Any, n: int | None, axis: int, inverse: bool, norm: Any, out: Any) -> Tensor:
    x = inexact(name, x)
    k, length = along(name, x, n, axis)
    made: Tensor = apply(FOURIER, (fitted(name, x, (k,), [length]),), ((k,), inverse, norm_of(name, norm)))
    return made if out is None else into(name, made, out)


def _field(name: str, x: Any, s: Any, axes: Any, inverse: bool, norm: Any, out: Any) -> Tensor:
    x = inexact(name, x)
    where, lengths = over(name, x, s, axes)
    return _transform(name, x, where, lengths, inverse, norm, out)


@of_numpy
def fft(
    x: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The discrete Fourier transform along an axis: `y[k] = sum_j x[j] exp(-2 pi i j k / n)`.

    x: real or complex; float32 gives complex64, integers complex128. n: the length of the transform, to which x is cut
    or padded with zeros; that of the axis if None. norm: where the factor 1/n stands, in the inverse ("backward"), here
    ("forward") or as its root in both ("ortho"). out: a Tensor or array that the result is written into. Raises
    ValueError for n below 1 or another norm, AxisError for an axis out of range.

    >>> zen.fft.fft(zen.tensor([1.0, 0.0, -1.0, 0.0])).real.tolist()
    [0.0, 2.0, 0.0, 2.0]
    """
    if unknown:
        refuse(fft, unknown)
    return _line("fft", x, n, axis, False, norm, out)


@of_numpy
def ifft(
    x: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The inverse of `fft`: `x[j] = sum_k y[k] exp(2 pi i j k / n) / n`. Arguments and errors as there.

    >>> zen.fft.ifft(zen.tensor([4.0, 0.0, 0.0, 0.0])).real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if unknown:
        refuse(ifft, unknown)
    return _line("ifft", x, n, axis, True, norm, out)


@of_numpy
def fftn(
    x: ArrayLike, s: Ints | None = None, axes: Axes = None, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The Fourier transform over several axes, all if None.

    s: the length along each of the axes, to which x is cut or padded with zeros; -1 keeps that of x. Without axes they
    are the last ones. Other arguments and errors as in `fft`.

    >>> zen.fft.fftn(zen.ones((2, 2))).real.tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(fftn, unknown)
    return _field("fftn", x, s, axes, False, norm, out)


@of_numpy
def ifftn(
    x: ArrayLike, s: Ints | None = None, axes: Axes = None, norm: Norm = "backward", out: Any = None, **unknown: Never
) -> Tensor:
    """The inverse of `fftn`. Arguments and errors as there.

    >>> zen.fft.ifftn(zen.ones((2, 2))).real.tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(ifftn, unknown)
    return _field("ifftn", x, s, axes, True, norm, out)


@of_numpy
def fft2(
    x: ArrayLike,
    s: Ints | None = None,
    axes: Axes = (-2, -1),
    norm: Norm = "backward",
    out: Any = None,
    **unknown: Never,
) -> Tensor:
    """`fftn` over the last two axes.

    >>> zen.fft.fft2(zen.ones((2, 2))).real.tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(fft2, unknown)
    return _field("fft2", x, s, axes, False, norm, out)


@of_numpy
def ifft2(
    x: ArrayLike,
    s: Ints | None = None,
    axes: Axes = (-2, -1),
    norm: Norm = "backward",
    out: Any = None,
    **unknown: Never,
) -> Tensor:
    """`ifftn` over the last two axes.

    >>> zen.fft.ifft2(zen.ones((2, 2))).real.tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    if unknown:
        refuse(ifft2, unknown)
    return _field("ifft2", x, s, axes, True, norm, out)

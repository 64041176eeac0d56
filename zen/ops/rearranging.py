"""Elements in another order, or more than once: flip, roll, tile, repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Shaped, apply, kernels
from ..dtypes import INTEGER
from .arguments import refuse
from .axes import all_axes, check_size, one_axis
from .casting import COPY, LARGE
from .indexing import GETITEM
from .operands import operand, raw
from .register import define, public
from .result_shapes import same
from .row import row
from .shape import RESHAPE, along, ravel

if TYPE_CHECKING:
    from ..typing import Axes


def _flip(x: Any, axis: tuple[int, ...]) -> Any:
    backwards = slice(None, None, -1)
    return x[tuple([backwards if k in axis else slice(None) for k in range(x.ndim)])]


FLIP = define(row(
    "flip", "x", _flip, ["flip(g, axis)"], params="axis", axes="axis", linear="x", view=True, shape=same,
    domain=lambda rng: [
        ((rng.normal(size=(2, 3)),), ((0,),)), ((rng.normal(size=(2, 3, 4)).T[::2],), ((2, 0),)),
        ((rng.normal(size=()),), ((),)), ((np.zeros((0, 2)),), ((0, 1),)),
    ],
    complex=True, doc="Elements along axes in reverse order.",
))  # fmt: skip


@public("flip")
def flip(x: Any, axis: Axes = None, **unknown: Never) -> Any:
    """x with the order of the elements along `axis` reversed, along all axes if None; a view.

    Raises AxisError for an axis out of range.

    >>> zen.f.flip(zen.tensor([1.0, 2.0, 3.0])).tolist()
    [3.0, 2.0, 1.0]
    """
    if unknown:
        refuse(flip, unknown)
    x = operand("flip", x)
    return apply(FLIP, (x,), (tuple(range(x.ndim)) if axis is None else all_axes("flip", axis, x.shape),))


def _roll(x: Any, shift: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """As np.roll, whose checks take longer than two copies do."""
    for s, k in zip(shift, axis, strict=True):
        n = x.shape[k]
        s = s % n if n else 0
        out, lead = np.empty_like(x), (slice(None),) * k
        out[(*lead, slice(s, None))] = x[(*lead, slice(None, n - s))]
        if s:
            out[(*lead, slice(None, s))] = x[(*lead, slice(n - s, None))]
        x = out
    return x


def _roll_vjp(f: Any, g: Any, shift: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    return f.roll(g, tuple([-s for s in shift]), axis)


ROLL = define(row(
    "roll", "x", _roll, ["roll_vjp(g, shift, axis)"],
    params="shift axis", axes="axis",
    linear="x", uses={"roll_vjp": _roll_vjp}, shape=same,
    domain=lambda rng: [
        ((rng.normal(size=5),), ((2,), (0,))), ((rng.normal(size=(2, 6))[:, ::2],), ((1, -4), (1, 0))),
        ((np.zeros((0, 2)),), ((1,), (0,))), ((rng.normal(size=(2, 3)),), ((1, 1), (1, 1))),
    ],
    complex=True, doc="Elements moved along axes, those pushed out coming in at the other end.",
))  # fmt: skip


@public("roll")
def roll(x: Any, shift: Any, axis: Any = None, **unknown: Never) -> Any:
    """x with its elements moved by `shift` along `axis`; those pushed out come in at the other end.

    shift: int, or a tuple with one for each axis. axis: int or tuple of ints; None moves within the flattened array.
    Raises AxisError for an axis out of range, ValueError if the numbers of shifts and axes differ.

    >>> zen.f.roll(zen.tensor([1.0, 2.0, 3.0]), 1).tolist()
    [3.0, 1.0, 2.0]
    """
    if unknown:
        refuse(roll, unknown)
    x = operand("roll", x)
    shift, axis = (v.tolist() if isinstance(v, (np.ndarray, np.integer)) else v for v in (shift, axis))
    if axis is None:
        return apply(RESHAPE, (roll(ravel(x), shift, 0),), (x.shape,))
    axes = tuple([one_axis("roll", a, x.shape) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))])
    shifts = tuple([int(s) for s in shift]) if isinstance(shift, (tuple, list)) else (int(shift),) * len(axes)
    if len(axes) == 1 and len(shifts) > 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: {len(shifts)} shifts {shifts} for {len(axes)} axes {axes}")
    return apply(ROLL, (x,), (shifts, axes))


def _repeated(x: Any, apart: tuple[int, ...], spread: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    empty = np.empty if x.size < LARGE else kernels.memory.empty
    out: np.ndarray = empty(spread, x.dtype)
    out[...] = x.reshape(apart)
    return out.reshape(shape)


def _summed(f: Any, g: Any, shape: tuple[int, ...], apart: tuple[int, ...], spread: tuple[int, ...]) -> Any:
    """The sum of what was made of each element."""
    axes = tuple([k for k, (n, m) in enumerate(zip(apart, spread, strict=True)) if n != m])
    return f.reshape(f.sum(f.reshape(g, spread), axes, True), shape)


REPEATED = define(row(
    "repeated", "x", _repeated, ["summed(g, x.shape, apart, spread)"],
    params="apart spread shape", shapes="apart spread shape", linear="x", uses={"summed": _summed},
    shape=lambda x, apart, spread, shape: Shaped(shape, x.dtype),
    domain=lambda rng: [
        ((rng.normal(size=3),), ((1, 3), (2, 3), (6,))), ((rng.normal(size=3),), ((3, 1), (3, 2), (6,))),
        ((rng.normal(size=(4, 3)).T[:, ::2],), ((1, 3, 1, 2), (2, 3, 3, 2), (6, 6))),
        ((rng.normal(size=()),), ((1,), (3,), (3,))), ((rng.normal(size=(2, 3)),), ((2, 3, 1), (2, 3, 0), (2, 0))),
        ((np.zeros((0, 2)),), ((1, 0, 2), (2, 0, 2), (0, 2))),
    ],
    complex=True, doc="A copy with repetitions: reshaped to `apart`, broadcast to `spread`, reshaped to `shape`.",
))  # fmt: skip


@public("tile")
def tile(x: Any, reps: Any) -> Any:
    """x repeated `reps` times along each axis, as in NumPy; missing axes count as 1.

    >>> zen.f.tile(zen.tensor([1.0, 2.0]), (2, 2)).tolist()
    [[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]
    """
    x = operand("tile", x)
    counts = tuple([int(n) for n in reps]) if np.iterable(reps) else (int(reps),)
    if any([n < 0 for n in counts]):
        raise ValueError(f"tile: repetitions {counts} must not be negative")
    ndim = max(len(counts), x.ndim)
    counts, shape = (1,) * (ndim - len(counts)) + counts, (1,) * (ndim - x.ndim) + x.shape
    check_size("tile", tuple([c * n for c, n in zip(counts, shape, strict=True)]))
    if counts.count(1) == ndim:
        return apply(COPY, (apply(RESHAPE, (x,), (shape,)),), ("K",))
    apart = tuple([n for length in shape for n in (1, length)])
    spread = tuple([n for pair in zip(counts, shape, strict=True) for n in pair])
    return apply(REPEATED, (x,), (apart, spread, tuple([c * n for c, n in zip(counts, shape, strict=True)])))


@public("repeat")
def repeat(x: Any, repeats: Any, axis: int | None = None, **unknown: Never) -> Any:
    """x with each element repeated `repeats` times along `axis`; None takes the flattened array.

    repeats: an int, or one for each position along the axis; ValueError if their number differs or one is negative.
    Raises AxisError for an axis out of range.

    >>> zen.f.repeat(zen.tensor([1.0, 2.0]), 2).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    if unknown:
        refuse(repeat, unknown)
    x = operand("repeat", x)
    x, k = along("repeat", x, axis)
    counts = raw(operand("repeat", repeats))
    if counts.dtype not in INTEGER or (counts < 0).any():
        raise ValueError(f"repeat: repetitions must be ints that are not negative, not {repeats!r}")
    if counts.size != 1:
        if counts.shape != (x.shape[k],):
            raise ValueError(f"repeat: {counts.size} repetitions for axis {k} of shape {x.shape}")
        positions = np.repeat(np.arange(x.shape[k]), counts)
        return apply(GETITEM, (x,), ((slice(None),) * k + (positions,),))
    n, shape = int(counts.item()), x.shape
    check_size("repeat", (*shape, n))
    before, after = shape[: k + 1], shape[k + 1 :]
    whole = (*shape[:k], shape[k] * n, *after)
    return apply(REPEATED, (x,), ((*before, 1, *after), (*before, n, *after), whole))

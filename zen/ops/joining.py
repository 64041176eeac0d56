"""Joining, splitting and padding arrays."""

from __future__ import annotations

import operator
from typing import Any, Never

import numpy as np

from ..backend import Shaped, Tensor, apply
from ..conversion import refuse_stripping
from .arguments import refuse
from .axes import check_size, one_axis
from .casting import astype, memory_for
from .indexing import GETITEM
from .late import load
from .operands import operand, raw
from .register import define, public
from .row import row
from .shape import atleast_1d, atleast_2d, ravel

# --- joining


def _concat(*values: Any) -> Any:
    return np.concatenate(values[:-2], axis=values[-2])


def _part(f: Any, g: Any, i: int, axis: int, bounds: tuple[int, ...]) -> Any:
    return f.getitem(g, (slice(None),) * axis + (slice(bounds[i], bounds[i + 1]),))


def _stack(*values: Any) -> Any:
    key = (slice(None),) * values[-1] + (None,)
    return np.concatenate([x[key] for x in values[:-1]], axis=values[-1])


def _layer(f: Any, g: Any, i: int, axis: int) -> Any:
    return f.getitem(g, (slice(None),) * axis + (i, Ellipsis))


def _concat_shape(*values: Any) -> Shaped:
    *xs, axis, bounds = values
    first = xs[0].shape
    return Shaped((*first[:axis], bounds[-1], *first[axis + 1 :]), np.result_type(*[x.dtype for x in xs]))


def _stack_shape(*values: Any) -> Shaped:
    *xs, axis = values
    first = xs[0].shape
    return Shaped((*first[:axis], len(xs), *first[axis:]), np.result_type(*[x.dtype for x in xs]))


CONCAT = define(row(
    "concat", "*xs", _concat, ["part(g, i, axis, bounds)"],
    params="axis bounds", axes="axis", linear="xs", uses={"part": _part},
    shape=_concat_shape,
    domain=lambda rng: [
        ((rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), rng.normal(size=(0, 3))), (0, (0, 2, 3, 3))),
        ((rng.normal(size=(2, 1)), rng.normal(size=(4, 2)).T[:, ::2]), (1, (0, 1, 3))),
        ((rng.normal(size=3),), (0, (0, 3))),
    ],
    complex=True, doc="Arrays joined along an axis; part i lies between bounds[i] and bounds[i + 1].",
))  # fmt: skip
STACK = define(row(
    "stack", "*xs", _stack, ["layer(g, i, axis)"], params="axis", axes="axis", linear="xs", uses={"layer": _layer},
    shape=_stack_shape,
    domain=lambda rng: [
        ((rng.normal(size=(2, 3)), rng.normal(size=(3, 2)).T), (1,)), ((rng.normal(size=()),) * 3, (0,)),
        ((rng.normal(size=2),), (1,)),
    ],
    complex=True, doc="Arrays joined along a new axis.",
))  # fmt: skip


def _members(name: str, arrays: Any, axis: Any = 0) -> list[Any]:
    if type(arrays) not in (list, tuple):
        if isinstance(arrays, (Tensor, np.ndarray)) and arrays.ndim == 0:
            raise ValueError(f"{name}: a sequence of arrays is needed, not a 0-d array")
        if not hasattr(arrays, "__iter__"):
            raise TypeError(f"{name}: a sequence of arrays is needed, not {type(arrays).__name__}")
    if type(axis) is not int and isinstance(axis, (Tensor, np.ndarray)) and axis.ndim:
        raise TypeError(f"{name}: the arrays come as one sequence, as in {name}([a, b], axis)")
    found = [x if isinstance(x, Tensor) else operand(name, x) for x in arrays]
    if not found:
        raise ValueError(f"{name}: at least one array is needed")
    return found


def _converted(name: str, arrays: list[Any], dtype: Any, casting: Any) -> list[Any]:
    wanted = np.dtype(dtype)
    for x in arrays:
        if not np.can_cast(x.dtype, wanted, casting):
            raise TypeError(f"{name}: dtype {x.dtype} does not convert to {wanted} with casting={casting!r}")
    return [astype(x, wanted, copy=False) for x in arrays]


@public("concat concatenate", method=None)
def concat(
    arrays: Any, axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind", **unknown: Never
) -> Any:
    """Arrays joined along an existing axis; None joins them flattened.

    arrays: sequence of Tensors or arrays whose shapes agree except along `axis`; dtypes promote. dtype: of the result,
    to which `casting` must let all of them be converted. Raises ValueError if the shapes disagree, AxisError for an
    axis out of range, TypeError for a conversion that is not allowed.

    >>> zen.f.concat([zen.tensor([1.0, 2.0]), zen.tensor([3.0])]).tolist()
    [1.0, 2.0, 3.0]
    """
    if unknown:
        refuse(concat, unknown)
    found = _members("concat", arrays, axis)
    if dtype is not None:
        found = _converted("concat", found, dtype, casting)
    if axis is None:
        found, axis = [ravel(x) for x in found], 0
    first = found[0].shape
    k, bounds = one_axis("concat", axis, first), [0]
    for x in found:
        shape = x.shape
        if shape != first and (len(shape) != len(first) or (*shape[:k], first[k], *shape[k + 1 :]) != first):
            shapes = ", ".join([str(x.shape) for x in found])
            raise ValueError(f"concat: shapes {shapes} must agree except along axis {k}")
        bounds.append(bounds[-1] + shape[k])
    return apply(CONCAT, tuple(found), (k, tuple(bounds)))


@public("stack", method=None)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind", **unknown: Never) -> Any:
    """Arrays of one shape joined along a new axis at position `axis` of the result; dtypes promote.

    dtype and casting as in `concat`. Raises ValueError if the shapes differ, AxisError for a position out of range.

    >>> zen.f.stack([zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])], axis=1).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    if unknown:
        refuse(stack, unknown)
    found = _members("stack", arrays, axis)
    if dtype is not None:
        found = _converted("stack", found, dtype, casting)
    first = found[0].shape
    for x in found:
        if x.shape != first:
            shapes = ", ".join([str(x.shape) for x in found])
            raise ValueError(f"stack: shapes {shapes} must be equal; concat joins others")
    return apply(STACK, tuple(found), (one_axis("stack", axis, first, added=1),))


@public("vstack", method=None)
def vstack(arrays: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Arrays joined as rows: along the first axis, 1-d ones as single rows. dtype, casting and errors as in `concat`.

    >>> zen.f.vstack([zen.zeros(3), zen.zeros((2, 3))]).shape
    (3, 3)
    """
    return concat([atleast_2d(x) for x in arrays], 0, dtype=dtype, casting=casting)


@public("hstack", method=None)
def hstack(arrays: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Arrays joined side by side: along the second axis, 1-d ones along the first. dtype, casting and errors as in
    `concat`.

    >>> zen.f.hstack([zen.zeros((2, 1)), zen.zeros((2, 3))]).shape
    (2, 4)
    """
    found = [atleast_1d(x) for x in arrays]
    return concat(found, 0 if found and found[0].ndim == 1 else 1, dtype=dtype, casting=casting)


# --- splitting


def _parts(x: Any, axis: int, pieces: tuple[Any, ...]) -> Any:
    lead = (slice(None),) * axis
    return tuple([x[(*lead, piece, Ellipsis)] for piece in pieces])


def _whole(f: Any, g: Any, shape: tuple[int, ...], dtype: Any, axis: int, pieces: tuple[Any, ...]) -> Any:
    """The parts joined again, with zeros for those that are None. `pieces`: ints, or slices that may overlap."""
    bounds = (0, *[piece.stop for piece in pieces]) if pieces[0] != 0 else ()
    adjoining = all([piece.start == end for piece, end in zip(pieces, bounds, strict=False)])
    if bounds and not (adjoining and bounds[-1] == shape[axis]):
        used = [(c, piece) for c, piece in zip(g, pieces, strict=True) if c is not None]
        return sum([f.scatter(c, shape, ((slice(None),) * axis + (piece,))) for c, piece in used])
    lengths = [b - a for a, b in zip(bounds, bounds[1:], strict=False)]
    shapes = [(*shape[:axis], n, *shape[axis + 1 :]) for n in lengths] or [shape[:axis] + shape[axis + 1 :]] * len(g)
    filled = [np.zeros(s, dtype) if c is None else c for c, s in zip(g, shapes, strict=True)]
    return f.concat(*filled, axis, bounds) if bounds else f.stack(*filled, axis)


def _parts_shapes(x: Any, axis: int, pieces: tuple[Any, ...]) -> tuple[Shaped, ...]:
    lengths = [() if isinstance(piece, int) else (piece.stop - piece.start,) for piece in pieces]
    return tuple([Shaped((*x.shape[:axis], *n, *x.shape[axis + 1 :]), x.dtype) for n in lengths])


SPLIT = define(row(
    "split", "x", _parts, ["whole(g, x.shape, x.dtype, axis, pieces)"],
    params="axis pieces", axes="axis", outputs="*parts",
    view=True, linear="x", uses={"whole": _whole}, shape=_parts_shapes,
    domain=lambda rng: [
        ((rng.normal(size=(4, 3)),), (0, (slice(0, 1), slice(1, 4)))),
        ((rng.normal(size=(3, 4)).T,), (1, (0, 1, 2))),
        ((rng.normal(size=5),), (0, (slice(0, 3), slice(3, 3), slice(1, 5)))),
        ((rng.normal(size=(0, 2)),), (1, (slice(0, 2),))),
    ],
    complex=True, doc="The parts of an array along an axis: a slice keeps the axis, an int takes it out.",
))  # fmt: skip


@public("split")
def split(x: Any, indices_or_sections: Any, axis: int = 0, **unknown: Never) -> list[Any]:
    """x cut along `axis`, as a list of views.

    indices_or_sections: the number of equal parts (ValueError if they would not be equal), or the positions before
    which to cut. Raises AxisError for an axis out of range.

    >>> [part.tolist() for part in zen.f.split(zen.tensor([1.0, 2.0, 3.0, 4.0]), 2)]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if unknown:
        refuse(split, unknown)
    x = operand("split", x)
    k = one_axis("split", axis, x.shape)
    length = x.shape[k]
    if np.ndim(raw(indices_or_sections)) == 0:
        parts = int(indices_or_sections)
        if parts < 1 or length % parts:
            raise ValueError(
                f"split: axis {k} of shape {x.shape} does not divide into {parts} equal parts; give the cut positions"
            )
        cuts = list(range(length // parts, length, length // parts)) if length else [0] * (parts - 1)
    else:
        cuts = [int(c) for c in indices_or_sections]
    ends = [slice(a, b).indices(length)[:2] for a, b in zip([0, *cuts], [*cuts, length], strict=True)]
    pieces = tuple([slice(a, max(a, b)) for a, b in ends])
    return list(apply(SPLIT, (x,), (k, pieces)))


@public("unstack", method=None)
def unstack(x: Any, axis: int = 0, **unknown: Never) -> tuple[Any, ...]:
    """The parts of x along `axis`, without that axis, as a tuple of views. Raises AxisError for an axis out of range.

    >>> [part.tolist() for part in zen.f.unstack(zen.tensor([[1.0, 2.0], [3.0, 4.0]]))]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if unknown:
        refuse(unstack, unknown)
    x = operand("unstack", x)
    k = one_axis("unstack", axis, x.shape)
    return apply(SPLIT, (x,), (k, tuple(range(x.shape[k])))) if x.shape[k] else ()


# --- padding


def _inner(f: Any, g: Any, width: tuple[tuple[int, int], ...]) -> Any:
    return f.getitem(g, tuple([slice(a, n - b) for (a, b), n in zip(width, g.shape, strict=True)]))


def _padded(x: Any, width: tuple[tuple[int, int], ...], values: Any) -> Shaped:
    return Shaped(tuple([n + a + b for n, (a, b) in zip(x.shape, width, strict=True)]), x.dtype)


def _pad(x: Any, width: tuple[tuple[int, int], ...], values: Any) -> Any:
    """As numpy.pad, without what that asks of widths that are checked; a large result lies in kept memory."""
    shape = tuple([n + a + b for n, (a, b) in zip(x.shape, width, strict=True)])
    out: Any = np.empty(shape, x.dtype, "F") if x.flags.fnc else memory_for(shape, x.dtype)
    inside = [slice(a, a + n) for n, (a, _) in zip(x.shape, width, strict=True)]
    out[tuple(inside)] = x
    ends = np.broadcast_to(np.asarray(values), (x.ndim, 2))
    for k, (a, b) in enumerate(width):
        lead, rest = (slice(None),) * k, tuple(inside[k + 1 :])
        if a:
            out[(*lead, slice(0, a), *rest)] = ends[k, 0]
        if b:
            out[(*lead, slice(shape[k] - b, None), *rest)] = ends[k, 1]
    return out


PAD = define(row(
    "pad", "x", _pad,
    ["inner(g, width)"], jvp=("pad(g, width, 0)",),
    params="width values", uses={"inner": _inner}, shape=_padded,
    domain=lambda rng: [
        ((rng.normal(size=(2, 3)),), (((1, 0), (0, 2)), 0)), ((rng.normal(size=(4,))[::2],), (((2, 1),), 1.5)),
        ((np.zeros((0, 2)),), (((1, 1), (0, 0)), 0)), ((rng.normal(size=()),), ((), 0)),
    ],
    complex=True, doc="Constant values around an array.",
))  # fmt: skip
_BY_INDEX = ("edge", "reflect", "symmetric", "wrap")


@public("pad", method=None)
def pad(
    x: Any,
    pad_width: Any = None,
    mode: str = "constant",
    constant_values: Any = 0,
    *,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
    pad: Any = None,
    value: Any = None,
) -> Any:
    """x with elements added before and after along each axis.

    pad_width: an int, a pair (before, after), or a pair for each axis, or of some axes by their numbers, in a dict.
    mode: "constant" (with `constant_values`, which broadcasts like pad_width), "edge", "reflect" and "symmetric" (with
    `reflect_type` "even" or "odd"), "wrap", "linear_ramp" (to `end_values`), "maximum", "mean", "median" and "minimum"
    (of `stat_length` elements at the end, all of them if None) or "empty" (of zeros here), as in NumPy; differentiable
    in the values as well. Raises ValueError for a negative width, widths that do not match the axes, or another mode.
    `pad`, in the place of pad_width, is PyTorch's form:
    (before, after) of the last axis, then of the one before it, and so on, negative ones taking off; with the modes
    "constant" (of `value`), "reflect", "replicate" and "circular".

    >>> zen.f.pad(zen.tensor([1.0, 2.0]), (1, 2)).tolist()
    [0.0, 1.0, 2.0, 0.0, 0.0]
    """
    if pad is not None:
        if pad_width is not None:
            raise TypeError(
                "pad: pad_width and pad are two names of one argument, in different orders; give one of them"
            )
        return load("padding").pad_ends(x, pad, mode, value)
    if pad_width is None:
        raise TypeError("pad: give pad_width, (before, after) of each axis, or pad, of the last axes from the last on")
    if value is not None:
        raise TypeError("pad: value belongs to pad; beside pad_width write constant_values")
    x = operand("pad", x)
    refuse_stripping(pad_width)
    if isinstance(pad_width, dict):
        pad_width = _by_axis(pad_width, x.shape)
    try:
        pairs = np.broadcast_to(np.asarray(raw(pad_width)), (x.ndim, 2)).tolist()
        width = tuple([(operator.index(a), operator.index(b)) for a, b in pairs])
    except (ValueError, TypeError):
        raise ValueError(f"pad: pad_width {pad_width!r} is no pair of ints for each axis of shape {x.shape}") from None
    if any([a < 0 or b < 0 for a, b in width]):
        raise ValueError(f"pad: widths {width} must not be negative; slice to make an array smaller")
    check_size("pad", tuple([a + n + b for (a, b), n in zip(width, x.shape, strict=True)]))
    if mode == "constant":
        values = operand("pad", constant_values)
        if isinstance(values, Tensor) and values.requires_grad:
            return load("padding_modes").padded(x, width, mode, values, None)
        return apply(PAD, (x,), (width, raw(values)))
    if mode not in _BY_INDEX:
        module = load("padding_modes")
        if mode not in module.MODES:
            known = ", ".join(["constant", *_BY_INDEX, *module.MODES])
            raise ValueError(f"pad: mode {mode!r} is not available; give one of {known}")
        return module.padded(x, width, mode, end_values, stat_length)
    if reflect_type not in ("even", "odd"):
        raise ValueError(f"pad: reflect_type must be 'even' or 'odd', not {reflect_type!r}")
    if reflect_type == "odd" and mode in ("reflect", "symmetric"):
        return load("padding_modes").reflected_oddly(x, width, mode == "symmetric")
    for k, (pair, n) in enumerate(zip(width, x.shape, strict=True)):
        if pair != (0, 0):
            if n == 0:
                raise ValueError(f"pad: mode {mode!r} has nothing to take along axis {k} of shape {x.shape}")
            positions = np.pad(np.arange(n), pair, mode)  # type: ignore[call-overload]
            x = apply(GETITEM, (x,), ((slice(None),) * k + (positions,),))
    return x


def _by_axis(width: dict[Any, Any], shape: tuple[int, ...]) -> list[Any]:
    pairs: list[Any] = [(0, 0)] * len(shape)
    for axis, pair in width.items():
        pairs[one_axis("pad", axis, shape)] = (pair, pair) if isinstance(pair, int) else pair
    return pairs

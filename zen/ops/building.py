"""Arrays built of others: numbers evenly apart, blocks, grids, diagonals, choices, pieces, and the elements of a mask.

Each is differentiable in every Tensor that it is given, and has NumPy's arguments.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import Shaped, Tensor, apply
from ..dtypes import BOOLEAN, COMPLEX, DEFAULT, EXACT, INEXACT, INTEGER, real
from .arguments import refuse
from .axes import common_shape, one_axis
from .casting import astype, converted, owned
from .indexing import GETITEM, SETITEM
from .joining import concat, stack
from .operands import operand, raw, whole
from .pointwise import where
from .reduction import CONSTANT
from .register import FUNCTIONS, METHODS, ROWS, define, placed, public
from .result_shapes import promoted
from .row import row
from .selection import DIAGONAL, take_along_axis, within
from .shape import broadcast_to, moveaxis, ravel, reshape

# --- evenly spaced numbers


def _shares(ndim: int, dtype: Any, num: int, endpoint: bool, last: bool) -> np.ndarray:
    """How much each number has of the second limit (`last`) or the first, which has so many dimensions."""
    share = np.linspace(0.0, 1.0, num, endpoint).reshape((num,) + (1,) * ndim)
    return (share if last else 1 - share).astype(real(dtype))


def _gathered(f: Any, g: Any, num: int, endpoint: bool, last: bool) -> Any:
    return f.sum(g * _shares(len(g.shape) - 1, g.dtype, num, endpoint, last), (0,), False)


def _spread(f: Any, g: Any, num: int, endpoint: bool, last: bool) -> Any:
    return f.reshape(g, (1, *g.shape)) * _shares(len(g.shape), g.dtype, num, endpoint, last)


LINSPACE = define(row(
    "linspace", "a b", lambda a, b, num, endpoint: np.linspace(a, b, num, endpoint),
    ["gathered(g, num, endpoint, False)", "gathered(g, num, endpoint, True)"], params="num endpoint",
    jvp=("spread(g, num, endpoint, False)", "spread(g, num, endpoint, True)"),
    uses={"gathered": _gathered, "spread": _spread}, complex=True,
    shape=lambda a, b, num, endpoint: Shaped((num, *a.shape), promoted(a, b)),
    domain=lambda rng: [
        ((rng.normal(size=()), rng.normal(size=())), (4, True)), ((rng.normal(size=(2, 3)),) * 2, (3, False)),
        ((rng.normal(size=2), rng.normal(size=2)), (1, True)), ((rng.normal(size=2), rng.normal(size=2)), (0, True)),
    ],
    doc="Numbers evenly apart along a new first axis, from a to b.",
))  # fmt: skip


@public(method=None)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    **unknown: Never,
) -> Any:
    """`num` numbers evenly apart from `start` to `stop`, which is left out if not `endpoint`, along a new axis.

    start, stop: Tensors, arrays or numbers whose shapes broadcast; differentiable in both. retstep: return the distance
    as well, as a pair. dtype: of the result, rounded down if it is an integer one. axis:
    where the new axis stands. Raises ValueError for a negative `num`, AxisError for an axis out of range.

    >>> zen.f.linspace(0.0, zen.tensor(1.0), 3).tolist()
    [0.0, 0.5, 1.0]
    """
    if unknown:
        refuse(linspace, unknown)
    count = whole("linspace", "num", num)
    if count < 0:
        raise ValueError(f"linspace: num is {count}; give at least 0")
    a, b = _limits("linspace", start, stop)
    made = apply(LINSPACE, (a, b), (count, bool(endpoint)))
    k = one_axis("linspace", axis, made.shape)
    found = _spaced(moveaxis(made, 0, k) if k else made, dtype)
    if not retstep:
        return found
    parts = count - 1 if endpoint else count
    return found, (b - a) / parts if parts > 0 else (b - a) * np.nan


def _limits(name: str, start: Any, stop: Any) -> tuple[Any, Any]:
    """The ends, floating and of one shape; one of them a Tensor."""
    found = [x if x.dtype in INEXACT else astype(x, DEFAULT) for x in (operand(name, start), operand(name, stop))]
    shape = common_shape(name, *[x.shape for x in found])
    a, b = [broadcast_to(x, shape) for x in found]
    return a, b


def _spaced(found: Any, dtype: Any) -> Any:
    if dtype is None:
        return found
    if np.dtype(dtype) in INTEGER:
        found = FUNCTIONS["floor"](found)
    return astype(found, dtype, copy=False)


@public(method=None)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
    **unknown: Never,
) -> Any:
    """`base` to the powers `linspace(start, stop, num, endpoint)`; differentiable in base as well.

    base: a Tensor, array or number that broadcasts with start and stop. The rest as in `linspace`.

    >>> zen.f.logspace(0.0, zen.tensor(2.0), 3).tolist()
    [1.0, 10.0, 100.0]
    """
    if unknown:
        refuse(logspace, unknown)
    count = whole("logspace", "num", num)
    if not isinstance(base, (int, float)):
        base = operand("logspace", base)
    if np.ndim(raw(base)):
        shape = common_shape("logspace", np.shape(raw(start)), np.shape(raw(stop)), base.shape)
        start, base = broadcast_to(operand("logspace", start), shape), broadcast_to(base, shape)
    powers = linspace(start, stop, count, endpoint)
    made = FUNCTIONS["power"](base, powers)
    k = one_axis("logspace", axis, made.shape)
    made = moveaxis(made, 0, k) if k else made
    return made if dtype is None else astype(made, dtype, copy=False)


@public(method=None)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0, **unknown: Never
) -> Any:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before.

    Both limits are real, of one sign and not 0; ValueError otherwise. The rest as in `linspace`.

    >>> zen.f.geomspace(1.0, zen.tensor(4.0), 3).round(12).tolist()
    [1.0, 2.0, 4.0]
    """
    if unknown:
        refuse(geomspace, unknown)
    count = whole("geomspace", "num", num)
    a, b = [astype(x, np.result_type(x.dtype, DEFAULT), copy=False) for x in _limits("geomspace", start, stop)]
    if a.dtype in COMPLEX or b.dtype in COMPLEX:
        raise TypeError("geomspace: start and stop are real numbers here; the powers of a complex number are z ** k")
    sign = np.sign(np.asarray(raw(a)))
    if not (sign * np.sign(np.asarray(raw(b))) > 0).all():
        raise ValueError("geomspace: start and stop must have one sign, and not be 0")
    log10 = FUNCTIONS["log10"]
    made = FUNCTIONS["power"](10.0, linspace(log10(a * sign), log10(b * sign), count, endpoint)) * sign
    if count > 0:
        ends = [a[None], made[1 : count - 1 if endpoint and count > 1 else count]]
        made = concat([*ends, b[None]] if endpoint and count > 1 else ends)
    k = one_axis("geomspace", axis, made.shape)
    made = moveaxis(made, 0, k) if k else made
    return made if dtype is None else astype(made, dtype, copy=False)


# --- diagonals


@public(method=None)
def diag(v: Any, k: int = 0) -> Any:
    """Of a vector the matrix with it on the k-th diagonal and zeros elsewhere; of a matrix the k-th diagonal, a copy.

    Raises ValueError for other than one or two dimensions.

    >>> zen.f.diag(zen.tensor([1.0, 2.0])).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    v, k = operand("diag", v), whole("diag", "k", k)
    if v.ndim == 1:
        n = v.shape[0] + abs(k)
        return apply(ROWS["from_diagonal"], (v,), ((n, n), k))
    if v.ndim != 2:
        raise ValueError(f"diag: one or two dimensions are needed, not shape {v.shape}; see diagonal")
    return apply(DIAGONAL, (v,), (k,))


@public(method=None)
def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with the elements of v, flattened, on the k-th diagonal, and zeros elsewhere.

    >>> zen.f.diagflat(zen.tensor([[1.0], [2.0]])).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    return diag(ravel(operand("diagflat", v)), whole("diagflat", "k", k))


# --- blocks and grids


@public(method=None)
def block(arrays: Any) -> Any:
    """Nested lists of blocks as one array: the innermost lists are joined along the last axis, the next along the one
    before it, and so on.

    Raises ValueError for lists of unequal depth, an empty list and blocks that do not fit; TypeError for a tuple.

    >>> zen.f.block([[zen.ones((1, 2)), zen.zeros((1, 1))], [np.zeros((1, 3))]]).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    depth = _depth(arrays, "arrays")
    parts = _flat(arrays)
    ndim = max([depth, *[x.ndim for x in parts]])
    made = _joined(arrays, ndim, depth)
    return owned(made, parts[0]) if len(parts) == 1 else made


def _depth(part: Any, place: str) -> int:
    if isinstance(part, tuple):
        raise TypeError(f"block: {place} is a tuple; only lists are nested here")
    if not isinstance(part, list):
        return 0
    if not part:
        raise ValueError(f"block: {place} is an empty list")
    depths = [_depth(p, f"{place}[{k}]") for k, p in enumerate(part)]
    for k, found in enumerate(depths):
        if found != depths[0]:
            raise ValueError(f"block: {place}[{k}] is nested {found} deep, but {place}[0] {depths[0]} deep")
    return depths[0] + 1


def _flat(part: Any) -> list[Any]:
    return [x for p in part for x in _flat(p)] if isinstance(part, list) else [operand("block", part)]


def _joined(part: Any, ndim: int, depth: int) -> Any:
    if isinstance(part, list):
        return concat([_joined(p, ndim, depth - 1) for p in part], -depth)
    x = operand("block", part)
    return reshape(x, (1,) * (ndim - x.ndim) + x.shape)


@public(method=None)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """For each vector the grid of its coordinates, as a tuple.

    xi: vectors or numbers; others are flattened. indexing: "xy" lets the first run along the second axis, as on a page,
    "ij" along the first. sparse: leave the other axes at length 1. copy: False for views of the vectors, which are
    read-only if not sparse. Raises ValueError for another indexing.

    >>> [x.tolist() for x in zen.f.meshgrid(zen.tensor([1.0, 2.0]), zen.tensor([5.0]))]
    [[[1.0, 2.0]], [[5.0, 5.0]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    found, n = [operand("meshgrid", x) for x in xi], len(xi)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = [1, 0]
    made = [reshape(x, (1,) * k + (-1,) + (1,) * (n - 1 - k)) for k, x in zip(order, found, strict=True)]
    if not sparse:
        shape = np.broadcast_shapes(*[x.shape for x in made]) if made else ()
        made = [broadcast_to(x, shape) for x in made]
    return tuple([apply(ROWS["copy"], (x,), ("C",)) if copy else x for x in made])


# --- choices


@public(method=None)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each element, that of the first choice whose condition holds, else the default.

    condlist: bools that broadcast with the choices. choicelist, default: Tensors, arrays or numbers; differentiable.
    Raises ValueError for lists of unequal length or none, TypeError for conditions that are no bools.

    >>> x = zen.tensor([-1.0, 0.5, 2.0])
    >>> zen.f.select([x < 0, x < 1], [-x, x], 9.0).tolist()
    [1.0, 0.5, 9.0]
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"select: {len(condlist)} conditions and {len(choicelist)} choices; give as many, and one")
    conditions = [np.asarray(raw(operand("select", c))) for c in condlist]
    for k, c in enumerate(conditions):
        if c.dtype not in BOOLEAN:
            raise TypeError(f"select: condition {k} is of dtype {c.dtype}; give bools, as in x > 0")
    choices = [_choice(x) for x in (*choicelist, default)]
    dtype = np.result_type(*[x if isinstance(x, (int, float, complex)) else x.dtype for x in choices])
    *typed, made = [astype(np.asarray(x) if not hasattr(x, "dtype") else x, dtype, copy=False) for x in choices]
    shape = common_shape("select", *[c.shape for c in conditions], *[x.shape for x in (*typed, made)])
    made = broadcast_to(made, shape)
    for c, x in zip(conditions[::-1], typed[::-1], strict=True):
        made = where(c, x, made)
    return made


def _choice(x: Any) -> Any:
    return x if type(x) in (int, float, complex) else operand("select", x)


@public()
def choose(a: Any, choices: Any, *, mode: str = "raise") -> Any:
    """For each position, the element there of the choice that `a` numbers.

    a: ints. choices: a sequence of Tensors, arrays or numbers that broadcast with a, or an array whose first axis is
    the sequence. mode: for numbers out of range, "raise" (ValueError), "wrap" or "clip".

    >>> zen.f.choose([1, 0], [zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])]).tolist()
    [3.0, 2.0]
    """
    at = np.asarray(raw(operand("choose", a)))
    if at.dtype not in EXACT:
        raise TypeError(f"choose: a numbers the choices with ints, not with dtype {at.dtype}")
    found = [operand("choose", x) for x in choices]
    if not found:
        raise ValueError("choose: at least one choice is needed")
    at = within("choose", at.astype(np.intp), len(found), mode)
    if at.size and (at.min() < 0 or at.max() >= len(found)):
        raise ValueError(f"choose: a numbers {len(found)} choices from 0, but holds {int(at.min())} to {int(at.max())}")
    shape = common_shape("choose", at.shape, *[x.shape for x in found])
    lined = stack([broadcast_to(x, shape) for x in found])
    return reshape(take_along_axis(lined, np.broadcast_to(at, shape)[None], 0), shape)


@public(method=None)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """A function in pieces: where condition k holds, `funclist[k]` of those elements of x, or that number.

    condlist: masks of the shape of x. funclist: functions, called as `f(part, *args, **kw)`, numbers or Tensors of one
    element; one more than masks is for the rest, which else is 0. Where several masks hold, the last counts. The result
    has the dtype of x. Raises ValueError for another number of functions.

    >>> zen.f.piecewise(zen.tensor([-2.0, 3.0]), [[True, False]], [lambda v: -v, 7.0]).tolist()
    [2.0, 7.0]
    """
    x = operand("piecewise", x)
    masks = [np.asarray(raw(c), bool) for c in _conditions(condlist, x.ndim)]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.any(masks, axis=0))
    elif len(funclist) != len(masks):
        raise ValueError(f"piecewise: {len(masks)} masks take as many functions or one more, not {len(funclist)}")
    made = apply(CONSTANT, (x,), (np.zeros(x.shape, x.dtype),))
    for mask, function in zip(masks, funclist, strict=True):
        value = function
        if callable(function) and not isinstance(function, Tensor):
            if not mask.any():
                continue
            value = function(apply(GETITEM, (x,), ((mask,),)), *args, **kw)
        made = apply(SETITEM, (made, converted("piecewise", operand("piecewise", value), x.dtype)), ((mask,),))
    return made


def _conditions(condlist: Any, ndim: int) -> Any:
    """The masks one by one: a single one may be given without a list around it."""
    condlist = raw(condlist)
    if np.isscalar(condlist) or (ndim and not isinstance(raw(condlist[0]), (list, np.ndarray))):
        return [condlist]
    return condlist


# --- the elements of a mask


def _compress_method(x: Any, condition: Any, axis: int | None = None, **unknown: Never) -> Any:
    """`x.compress(condition, axis)`; see `zen.f.compress`."""
    if unknown:
        refuse(_compress_method, unknown)
    return compress(condition, x, axis)


METHODS["compress"] = placed(_compress_method, "zen", "Tensor.compress")


@public(method=None)
def compress(condition: Any, a: Any, axis: int | None = None, **unknown: Never) -> Any:
    """The parts of `a` along `axis` for which the condition holds; of the flattened array if None.

    condition: a vector of bools, which may be shorter than the axis. Raises ValueError for more dimensions, IndexError
    where it holds beyond the axis, AxisError for an axis out of range.

    >>> zen.f.compress([False, True], zen.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [[3.0, 4.0]]
    """
    if unknown:
        refuse(compress, unknown)
    mask = np.asarray(raw(operand("compress", condition)), bool)
    if mask.ndim != 1:
        raise ValueError(f"compress: the condition is a vector, not of shape {mask.shape}")
    x = operand("compress", a)
    k = None if axis is None else one_axis("compress", whole("compress", "axis", axis), x.shape)
    return FUNCTIONS["take"](x, np.flatnonzero(mask), k)


@public(method=None)
def extract(condition: Any, arr: Any) -> Any:
    """The elements of `arr`, flattened, where the condition, flattened, is not zero.

    >>> x = zen.tensor([[1.0, -2.0], [3.0, 4.0]])
    >>> zen.f.extract(x > 0, x).tolist()
    [1.0, 3.0, 4.0]
    """
    chosen = np.flatnonzero(np.asarray(raw(operand("extract", condition))))
    return FUNCTIONS["take"](ravel(operand("extract", arr)), chosen)

"""Vectors scaled to one length, distances between all pairs of vectors, and classes as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, apply, wrap
from ..dtypes import INTEGER, accumulator
from .axes import either, one_axis
from .moments import norm_of_vectors
from .operands import constant, floating, operand, raw, whole
from .register import FUNCTIONS, ROWS, define, public
from .result_shapes import promoted
from .row import row
from .shape import broadcast_to

_maximum = FUNCTIONS["maximum"]
_BLOCK = 1 << 18
"""Elements of differences that are held at a time."""


@public("", None)
def normalize(
    input: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12, out: Any = None, *, dim: int | None = None
) -> Any:
    """x divided by its p-norms along `axis`; norms below eps count as eps.

    input (x): Tensor or array. dim: PyTorch's name for axis. Raises AxisError for an axis out of range, TypeError for
    an out: results are new Tensors.

    >>> zen.f.normalize(zen.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    if out is not None:
        raise TypeError(
            "normalize: the result is a new Tensor; write out[...] = zen.f.normalize(x) for one that is there"
        )
    x = floating("normalize", input, True)
    k = one_axis("normalize", either("normalize", "axis", axis, "dim", dim, 1), x.shape)
    return x / _maximum(norm_of_vectors("normalize", x, k, True, p, "p"), constant("normalize", "eps", eps))


@public("", None)
def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Zeros with a 1 at the place of each class, along a new last axis; int64, as it has no derivative.

    tensor: class numbers, ints of any shape. num_classes: the length of the new axis; -1 is the largest class plus 1.
    Raises TypeError for a dtype that is no int, ValueError for classes below 0 or beyond num_classes, and where there
    is no class to count.

    >>> zen.f.one_hot([0, 2]).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    classes, count = raw(operand("one_hot", tensor)), whole("one_hot", "num_classes", num_classes)
    if classes.dtype not in INTEGER:
        raise TypeError(f"one_hot: classes are ints, not {classes.dtype}; convert them with astype")
    if count < -1 or count == 0:
        raise ValueError(f"one_hot: num_classes must be positive, or -1 for as many as there are, not {count}")
    if count == -1:
        if not classes.size:
            raise ValueError(f"one_hot: no classes in shape {classes.shape} to count; give num_classes")
        count = int(classes.max()) + 1
    if classes.size and (classes.min() < 0 or classes.max() >= count):
        wrong = classes[(classes < 0) | (classes >= count)].flat[0]
        raise ValueError(f"one_hot: class {wrong} is out of range for {count} classes")
    return wrap((classes[..., None] == np.arange(count)).astype(np.int64))


# --- distances of all pairs. Differences of p by r vectors are held in blocks; a composition would hold them all.


def _blocks(x1: np.ndarray, x2: np.ndarray) -> list[tuple[Any, slice]]:
    """Of two stacks of vectors: the place of each matrix, and of rows of the first that a block takes."""
    size = max(_BLOCK // max(x2.shape[-2] * x2.shape[-1], 1), 1)
    rows = [slice(k, k + size) for k in range(0, x1.shape[-2], size)]
    return [(at, part) for at in np.ndindex(x1.shape[:-2]) for part in rows]


def _norms(d: np.ndarray, p: float) -> Any:
    if p == 2:  # scaled, so that squares neither overflow nor vanish
        largest = np.max(np.abs(d), axis=-1, initial=0, keepdims=True)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
        return np.sqrt(np.sum(np.square(d / scale), axis=-1)) * scale[..., 0]
    return np.linalg.norm(d, p, axis=-1)


def _cdist(a: Any, b: Any, p: float) -> Any:
    out = np.empty((*a.shape[:-1], b.shape[-2]), np.result_type(a, b))
    wide = accumulator(out.dtype)
    for at, part in _blocks(a, b):
        out[at][part] = _norms(a[at][part, None].astype(wide) - b[at].astype(wide), p) if a.shape[-1] else 0
    return out


def _cdist_vjp(g: Any, args: Any, results: Any, wanted: Any, p: float) -> Any:
    if p not in (1, 2):
        return NotImplemented
    (a, b), (y,) = args, results
    wide = accumulator(g.dtype)
    da, db = np.zeros(a.shape, wide), np.zeros(b.shape, wide)
    weights = g.astype(wide) if p == 1 else np.divide(g, y, out=np.zeros(g.shape, wide), where=y != 0, dtype=wide)
    for at, part in _blocks(a, b):
        d = a[at][part, None].astype(wide) - b[at].astype(wide)
        moved = weights[at][part, :, None] * (np.sign(d) if p == 1 else d)
        da[at][part] = moved.sum(1)
        db[at] -= moved.sum(0)
    return da.astype(a.dtype, copy=False), db.astype(b.dtype, copy=False)


def _composed(x1: Any, x2: Any, p: float) -> Any:
    d = apply(ROWS["subtract"], (x1[..., :, None, :], x2[..., None, :, :]))
    return norm_of_vectors("cdist", d, -1, False, p, "p")


def _draws(rng: np.random.Generator) -> list[Any]:
    shapes = [
        ((3, 2), (4, 2)),
        ((2, 3, 2), (2, 4, 2)),
        ((1, 2, 3, 1), (1, 2, 2, 1)),
        ((0, 2), (3, 2)),
        ((5, 3), (1, 3)),
    ]
    orders = (2.0, 1.0, 3.0, 2.0, 1.5)
    return [((rng.normal(size=a), rng.normal(size=b)), (p,)) for (a, b), p in zip(shapes, orders, strict=True)]


def _pairs(x1: Any, x2: Any, p: float) -> Shaped:
    return Shaped((*x1.shape[:-1], x2.shape[-2]), promoted(x1, x2))


CDIST = define(row(
    "cdist", "x1 x2", _cdist, _cdist_vjp, params="p", saves="y", composition=_composed, domain=_draws, shape=_pairs,
    doc="The p-norm of the difference of each pair of rows.",
))  # fmt: skip
_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@public("", None)
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The distance of each row of x1 from each row of x2: the p-norm of their difference, of shape (..., n, m).

    x1: Tensor or array (..., n, width); x2: (..., m, width); the leading axes broadcast. p: 0 (the number of elements
    that differ) or more, or inf. The gradient of two rows that coincide is zero. compute_mode: PyTorch's; the result is
    that of differences in each of them, held in blocks. Raises ValueError for shapes that do not fit, a negative p and
    another mode.

    >>> zen.f.cdist(zen.tensor([[0.0, 0.0]]), zen.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[5.0, 0.0]]
    """
    x1, x2, p = floating("cdist", x1), floating("cdist", x2), _order("cdist", p)
    if compute_mode not in _MODES:
        raise ValueError(f"cdist: compute_mode must be one of {', '.join(_MODES)}, not {compute_mode!r}")
    message = (
        f"cdist: rows of x1 {x1.shape} and x2 {x2.shape}; expected (..., n, width) and (..., m, width) with one "
        "width and leading axes that broadcast"
    )
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ValueError(message)
    if x1.shape[:-2] != x2.shape[:-2]:
        try:
            lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        except ValueError:
            raise ValueError(message) from None
        x1, x2 = [broadcast_to(x, (*lead, *x.shape[-2:])) for x in (x1, x2)]
    return apply(CDIST, (x1, x2), (p,))


def _order(name: str, p: Any) -> float:
    p = constant(name, "p", p)
    if not p >= 0:
        raise ValueError(f"{name}: p must not be negative, but is {p}")
    return float(p)


@public("", None)
def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances of the rows of a matrix from one another, those above the diagonal of `cdist`, row by row.

    input (x): (n, width). The result has n * (n - 1) / 2 elements. Raises ValueError for another number of axes, and a
    negative p.

    >>> zen.f.pdist(zen.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])).tolist()
    [5.0, 3.0, 4.0]
    """
    x, p = floating("pdist", input), _order("pdist", p)
    if x.ndim != 2:
        raise ValueError(f"pdist: expected a matrix (n, width), not shape {x.shape}")
    first, second = np.triu_indices(x.shape[0], 1)
    return norm_of_vectors("pdist", x[first] - x[second], -1, False, p, "p")

"""einsum. Its row takes explicit subscripts only; the public function works out what NumPy lets the user leave out.

Every gradient of an einsum is an einsum of the cotangent with the other operands, except for two things: an index that
appears in one operand alone is summed there (its gradient is spread out again), and an index that an operand repeats
reads a diagonal (its gradient is put back on it).

Two operands that share indices which the result lacks are a matrix product, or a stack of them where the result has
other indices that both have: they become one, whose kernels cost less than a general einsum. Of several operands two at
a time are summed where planning that is worth it: derivatives then pass what few products there are, and not the whole
sum once for each operand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import KERNELS
from .casting import astype
from .operands import operand
from .orders import laid_out, letter
from .products import MATMUL
from .register import define, public
from .result_shapes import promoted
from .row import row
from .shape import PERMUTE_DIMS, RESHAPE

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORTH = 1 << 12  # multiplications from which planning the order, and so using BLAS, is worth its cost
_KEPT = 1 << 18  # elements that a sum of two may have, where no operand has more: derivatives keep it


def _einsum(*values: Any) -> Any:
    *arrays, subscripts = values
    planned = len(arrays) > 1 and _multiplications(subscripts, tuple([np.shape(x) for x in arrays])) > _WORTH
    return np.einsum(subscripts, *arrays, optimize="greedy" if planned else False)


def _lengths(subscripts: str, shapes: Iterable[tuple[int, ...]]) -> dict[str, int]:
    """Of each index; an operand of length 1 is broadcast."""
    found: dict[str, int] = {}
    for labels, shape in zip(subscripts.partition("->")[0].split(","), shapes, strict=True):
        for label, n in zip(labels, shape, strict=True):
            found[label] = n if found.get(label, 1) == 1 else found[label]
    return found


@lru_cache(256)
def _multiplications(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> int:
    return math.prod(_lengths(subscripts, shapes).values())


def _summed(*values: Any) -> Shaped:
    *xs, subscripts = values
    lengths = _lengths(subscripts, [x.shape for x in xs])
    return Shaped(tuple([lengths[label] for label in subscripts.partition("->")[2]]), promoted(*xs))


def _einsum_vjp(f: Any, g: Any, i: int, xs: Any, subscripts: str) -> Any:
    left, _, out = subscripts.partition("->")
    labels = left.split(",")
    own, shape = labels[i], xs[i].shape
    distinct = "".join(dict.fromkeys(own))
    others = [(part, x) for k, (part, x) in enumerate(zip(labels, xs, strict=True)) if k != i]
    known = set(out).union(*[set(part) for part, _ in others])
    reached = "".join([label for label in distinct if label in known])
    parts = ",".join([out, *[part for part, _ in others]])
    grad = f.einsum(g, *[x for _, x in others], f"{parts}->{reached}")
    lengths = dict(zip(own, shape, strict=True))
    summed = tuple([k for k, label in enumerate(reached) if lengths[label] == 1 and grad.shape[k] != 1])
    if summed:  # an operand of length 1 that others broadcast
        grad = f.sum(grad, summed, True)
    if reached != distinct:
        reach = iter(grad.shape)
        grad = f.reshape(grad, tuple([next(reach) if label in known else 1 for label in distinct]))
    full = tuple([lengths[label] for label in distinct])
    if grad.shape != full:
        grad = f.broadcast_to(grad, full)
    if distinct == own:
        return grad
    steps = dict(zip(distinct, np.ix_(*[np.arange(n) for n in full]), strict=True))
    return f.scatter(grad, shape, tuple([steps[label] for label in own]))


def _einsum_tangent(f: Any, g: Any, i: int, xs: Any, subscripts: str) -> Any:
    return f.einsum(*[g if k == i else x for k, x in enumerate(xs)], subscripts)


def _draws(rng: np.random.Generator) -> list[Any]:
    cases: list[Any] = [
        ("ij->ji", (2, 3)), ("ii->i", (3, 3)), ("ii->", (3, 3)), ("iij->ji", (2, 2, 3)), ("ij->", (2, 3)),
        ("ij,jk->ik", (2, 3), (3, 4)), ("i,j->ij", (2,), (3,)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
        ("ij,kl->ik", (2, 3), (2, 3)), ("i,i,i->", (3,), (3,), (3,)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
        ("ii,i->", (3, 3), (3,)), ("iji,j->i", (2, 3, 2), (3,)), ("i,i->i", (1,), (3,)), (",ij->ij", (), (2, 2)),
        ("ij,jk->ik", (0, 3), (3, 2)), ("ij,jk->ik", (2, 0), (0, 2)), ("i,ij->", (1,), (3, 2)),
    ]  # fmt: skip
    return [(tuple([rng.normal(size=s) for s in shapes]), (subscripts,)) for subscripts, *shapes in cases]


EINSUM = define(row(
    "einsum", "*xs", _einsum, ["vjp(g, i, xs, subscripts)"], params="subscripts",
    jvp=("tangent(g, i, xs, subscripts)",), uses={"vjp": _einsum_vjp, "tangent": _einsum_tangent},
    shape=_summed, domain=_draws, complex=True, doc="Sum of products over named indices.",
))  # fmt: skip


@public("einsum", method=None)
def einsum(
    subscripts: Any,
    *operands: Any,
    optimize: Any = None,
    dtype: Any = None,
    casting: Any = "safe",
    order: Any = "K",
) -> Any:
    """Sum of products over named indices (Einstein's summation), as numpy.einsum.

    subscripts: "ij,jk->ik": one letter for each axis of each operand, and those of the result. Without "->" the result
    has the letters that appear once, in alphabetical order. "..." stands for further axes, which broadcast. A letter
    repeated in one operand reads a diagonal. NumPy's other form, `einsum(a, [0, 1], b, [1, 2], [0, 2])`, works as well.
    operands: Tensors or arrays; dtypes promote. optimize: accepted for NumPy's sake; the order is always planned where
    that is worth it. dtype: the operands are converted to it first, as `casting` allows. order: of the result in
    memory. Raises ValueError naming subscripts and shapes if they do not fit, TypeError for a conversion that is not
    allowed.

    >>> zen.f.einsum("ij,j->i", zen.tensor([[1.0, 2.0], [3.0, 4.0]]), zen.tensor([1.0, 1.0])).tolist()
    [3.0, 7.0]
    """
    if not isinstance(subscripts, str):
        if not operands:
            raise TypeError(
                f"einsum: the subscripts come first, as in einsum('ij,jk', a, b), not {type(subscripts).__name__}"
            )
        subscripts, operands = _from_lists((subscripts, *operands))
    if dtype is not None or order != "K":
        given = [operand("einsum", x) for x in operands]
        if dtype is not None:
            given = [astype(x, dtype, copy=False, casting=casting) for x in given]
        return laid_out(einsum(subscripts, *given, optimize=optimize), letter("einsum", order, "CFAK"))
    arrays = tuple([operand("einsum", x) for x in operands])
    shapes = tuple([x.shape for x in arrays])
    explicit, product, steps = _plan(subscripts, shapes)
    if product is not None and arrays[0].dtype == arrays[1].dtype and arrays[0].dtype in KERNELS:
        return product.of(*arrays)
    if steps and arrays[0].dtype in KERNELS and all([x.dtype == arrays[0].dtype for x in arrays]):
        return _by_steps(arrays, steps)
    return apply(EINSUM, arrays, (explicit,))


def _by_steps(arrays: tuple[Any, ...], steps: tuple[tuple[tuple[int, ...], str], ...]) -> Any:
    left = list(arrays)
    for places, subscripts in steps:
        taken = [left.pop(k) for k in places]
        product = _plan(subscripts, tuple([x.shape for x in taken]))[1]
        left.append(apply(EINSUM, tuple(taken), (subscripts,)) if product is None else product.of(*taken))
    return left[0]


def _steps(explicit: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[tuple[int, ...], str], ...]:
    """What is summed at a time, in the order that NumPy plans: places among what is left, from the last, subscripts.

    Nothing where that is not worth it.
    """
    if len(shapes) < 3 or _multiplications(explicit, shapes) <= _WORTH:
        return ()
    inputs, _, out = explicit.partition("->")
    left, found = inputs.split(","), []
    limit = max(_KEPT, *[math.prod(shape) for shape in shapes])
    zeros = [np.broadcast_to(0.0, shape) for shape in shapes]
    for step in np.einsum_path(explicit, *zeros, optimize=("greedy", limit))[0][1:]:
        places = tuple(sorted(step, reverse=True))
        taken = [left.pop(k) for k in places]
        needed = set(out).union(*left)
        made = "".join([x for x in dict.fromkeys("".join(taken)) if x in needed]) if left else out
        found.append((places, f"{','.join(taken)}->{made}"))
        left.append(made)
    return tuple(found)


def _from_lists(values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """NumPy's form with a list of numbers after each operand, as a string and the operands."""

    def letters(axes: Any) -> str:
        return "".join(["..." if a is Ellipsis else _LETTERS[a] for a in axes])

    pairs = len(values) // 2
    parts = ",".join([letters(values[2 * k + 1]) for k in range(pairs)])
    return parts + (f"->{letters(values[-1])}" if len(values) % 2 else ""), values[: 2 * pairs : 2]


class _Product(NamedTuple):
    """How two operands become matrices or vectors, and their product the result. None: as it is."""

    swapped: bool
    first: tuple[Any, Any]
    """The order of the axes, and the shape of the matrix; so for the others."""
    second: tuple[Any, Any]
    shape: tuple[int, ...] | None
    order: tuple[int, ...] | None

    def of(self, a: Any, b: Any) -> Any:
        a, b = (b, a) if self.swapped else (a, b)
        y = apply(MATMUL, (_arranged(a, *self.first), _arranged(b, *self.second)))
        if self.shape is not None:
            y = apply(RESHAPE, (y,), (self.shape,))
        return y if self.order is None else apply(PERMUTE_DIMS, (y,), (self.order,))


def _arranged(x: Any, order: tuple[int, ...] | None, shape: tuple[int, ...] | None) -> Any:
    if order is not None:
        x = apply(PERMUTE_DIMS, (x,), (order,))
    return x if shape is None else apply(RESHAPE, (x,), (shape,))


@lru_cache(256)
def _plan(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[str, _Product | None, Any]:
    """The subscripts in full, how to do the sum by a matrix product if it is one, and how to do it by steps."""
    explicit = _explicit(subscripts, shapes)
    return explicit, _as_product(explicit, shapes), _steps(explicit, shapes)


def _as_product(explicit: str, shapes: tuple[tuple[int, ...], ...]) -> _Product | None:
    left, _, out = explicit.partition("->")
    parts = left.split(",")
    if len(parts) != 2 or any([len(set(part)) < len(part) for part in parts]):
        return None
    a, b = parts
    shared = [x for x in a if x in b]
    batch, along = [x for x in shared if x in out], [x for x in shared if x not in out]
    alone = [x for x in a + b if x not in shared]
    lengths = [dict(zip(part, shape, strict=True)) for part, shape in zip(parts, shapes, strict=True)]
    if not along or sorted(alone + batch) != sorted(out) or any([lengths[0][x] != lengths[1][x] for x in shared]):
        return None
    first = next((x for x in out if x not in batch), "")
    swapped = first != "" and first in b
    if swapped:
        a, b = b, a
    known = {**lengths[0], **lengths[1]}
    rows, columns = [x for x in a if x not in shared], [x for x in b if x not in shared]
    if batch and not (rows and columns):  # a stack of vectors: many small products
        return None
    order = [[*batch, *rows, *columns].index(x) for x in out]
    return _Product(
        swapped, _matrix(a, batch, rows, along, known), _matrix(b, batch, along, columns, known),
        tuple([known[x] for x in batch + rows + columns]) if len(rows) > 1 or len(columns) > 1 else None,
        None if order == sorted(order) else tuple(order),
    )  # fmt: skip


def _matrix(labels: str, batch: list[str], down: list[str], along: list[str], lengths: dict[str, int]) -> Any:
    """The order of the axes `labels`, and the shape, that make a matrix; one side may have no axis, then a vector.

    A stack of them where there is a batch.
    """
    order = tuple([labels.index(x) for x in batch + down + along])
    sides = [side for side in (down, along) if side]
    shape = tuple([lengths[x] for x in batch] + [math.prod([lengths[x] for x in side]) for side in sides])
    return None if order == tuple(range(len(order))) else order, None if len(order) == len(shape) else shape


def _explicit(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> str:
    """The subscripts with a result and without ellipses, checked against the shapes."""
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    parts = left.split(",")
    where = f"einsum: subscripts {subscripts!r} with shapes {', '.join([str(s) for s in shapes])}"
    if len(parts) != len(shapes):
        raise ValueError(f"{where}: {len(parts)} parts for {len(shapes)} operands")
    wrong = sorted((set(left) - set(_LETTERS + ".,")) | (set(out) - set(_LETTERS + ".,->")))
    if wrong:
        raise ValueError(f"{where}: {wrong[0]!r} is not a letter")
    free = [label for label in _LETTERS if label not in text]
    extra = [len(s) - len(p.replace("...", "")) for p, s in zip(parts, shapes, strict=True)]
    for part, shape, n in zip(parts, shapes, extra, strict=True):
        if n < 0 or (n > 0 and "..." not in part):
            raise ValueError(f"{where}: {part!r} does not name the {len(shape)} axes of shape {shape}")
    dots = free[: max([n for p, n in zip(parts, extra, strict=True) if "..." in p], default=0)]
    full = [p.replace("...", "".join(dots[len(dots) - n :])) for p, n in zip(parts, extra, strict=True)]
    if arrow:
        if dots and "..." not in out:
            raise ValueError(f"{where}: the result must name the axes of '...' as well")
        result = out.replace("...", "".join(dots))
    else:
        named = "".join(full)
        result = "".join(dots) + "".join(sorted([x for x in set(named) if named.count(x) == 1 and x not in dots]))
    _check(where, full, result, shapes)
    return f"{','.join(full)}->{result}"


def _check(where: str, parts: list[str], result: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    lengths: dict[str, int] = {}
    for part, shape in zip(parts, shapes, strict=True):
        if "." in part:
            raise ValueError(f"{where}: '.' may appear in '...' only, once for each operand")
        for label, n in zip(part, shape, strict=True):
            known = lengths.setdefault(label, n)
            if n != known and 1 not in (n, known):
                raise ValueError(f"{where}: index {label!r} has lengths {known} and {n}")
            lengths[label] = n if known == 1 else known
    for label in result:
        if label not in lengths:
            raise ValueError(f"{where}: index {label!r} of the result names no axis of an operand")
        if result.count(label) > 1:
            raise ValueError(f"{where}: index {label!r} appears twice in the result")

"""The rules of rows whose declaration does not give them: shapes, joining, products, stacks of matrices, losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .applying import RULES, Call, pointwise, shifted

_POINTWISE = (
    "astype", "betainc", "boxcox", "boxcox1p", "complex_angle", "complex_ive", "complex_sign", "conj", "copy",
    "erfcx_moment", "exprel", "gammainc", "i0_slope", "imag", "ive_slope", "logrel", "polygamma_gap", "real",
    "sinc_slope",
)  # fmt: skip
LEADING = {
    "cholesky": 2, "cofactor": 2, "cofactor_slope": 2, "det": 2, "det_angle": 2, "diagonal": 2, "eig": 2, "eigh": 2,
    "inv": 2, "logabsdet": 2, "lu": 2, "overlapped": 0, "pinv": 2, "qr": 2, "slogdet": 2, "svd": 2, "trace": 2,
    "windows": 0,
}  # fmt: skip
"""Rows that leave all axes but the last few alone. Their parameters say nothing about single matrices."""


def leading(call: Call) -> Any:
    return call.again([call.padded(k, len(call.shape(0))) for k in range(len(call.values))])


def matrices(call: Call) -> Any:
    """eigh and svd may be told which values are equal: of one example."""
    return leading(call) if call.param("ties") is None else None


def reshape(call: Call) -> Any:
    return call.again(call.values, ((call.size, *call.param("shape")),))


def broadcast_to(call: Call) -> Any:
    shape = call.param("shape")
    return call.again([call.padded(0, len(shape))], ((call.size, *shape),))


def permute_dims(call: Call) -> Any:
    return call.again(call.values, ((0, *[a + 1 for a in call.param("axes")]),))


def on_diagonal(call: Call) -> Any:
    return call.again(call.values, call.replaced(shape=(call.size, *call.param("shape"))))


def repeated(call: Call) -> Any:
    return call.again(call.values, [(call.size, *shape) for shape in call.params])


def position(call: Call) -> Any:
    """argmax and argmin: along one axis, or over all elements."""
    axis, keepdims = call.params
    if axis is not None:
        return shifted(call)
    flat = call.apply("reshape", call.values[0], (call.size, math.prod(call.shape(0))))
    made = call.again([flat], (1, False))
    return call.apply("reshape", made, (call.size, *(1,) * len(call.shape(0)))) if keepdims else made


def pad(call: Call) -> Any:
    width, values = call.params
    return None if np.ndim(values) else call.again(call.values, (((0, 0), *width), values))


def ldexp(call: Call) -> Any:
    return pointwise(call) if np.ndim(call.param("exponent")) <= len(call.shape(0)) else None


def linspace(call: Call) -> Any:
    made = call.again([call.full(0), call.full(1)])
    return call.apply("permute_dims", made, (1, 0, *range(2, made.ndim)))


def take_along(call: Call) -> Any:
    places, axis = call.params
    return call.again(call.values, (repeated_places(call, places), axis + 1))


def add_along(call: Call) -> Any:
    places, n, axis = call.params
    return call.again(call.values, (repeated_places(call, places), n, axis + 1))


def repeated_places(call: Call, places: Any) -> Any:
    """The positions of one example for all of them."""
    return type(places)(np.array(np.broadcast_to(places.at, (call.size, *places.at.shape)), order="C"))


# Joining


def nest(call: Call) -> Any:
    places = tuple([(slice(None), *place) for place in call.param("places")])
    return call.again([call.full(k) for k in range(len(call.values))], (places,))


def concat(call: Call) -> Any:
    return call.again([call.full(k) for k in range(len(call.values))], call.replaced(axis=call.param("axis") + 1))


def split(call: Call) -> Any:
    return call.again(call.values, call.replaced(axis=call.param("axis") + 1))


def einsum(call: Call) -> Any:
    """One more letter, for the examples."""
    subscripts = call.param("subscripts")
    if "->" not in subscripts or "." in subscripts:
        return None
    terms, out = subscripts.replace(" ", "").split("->")
    free = [c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    if not free:
        return None
    named = [free[0] + t if m else t for t, m in zip(terms.split(","), call.mapped, strict=True)]
    return call.again(call.values, (f"{','.join(named)}->{free[0]}{out}",))


# Products


def matmul(call: Call) -> Any:
    a, b = call.values
    nd_a, nd_b = len(call.shape(0)), len(call.shape(1))
    if nd_a == 1 and nd_b == 2 and not call.mapped[1]:
        return call.again([a, b])
    if nd_b == 1 and nd_a == 2 and not call.mapped[0]:
        return call.again([b, call.apply("permute_dims", a, (1, 0))])
    if nd_a > 1 and nd_b == 2 and not call.mapped[1]:
        return _in_one(call, a, b)
    if nd_a == 2 and nd_b == 2 and not call.mapped[0] and b.shape[2] < _NARROW:
        turned = _in_one(call, call.apply("permute_dims", b, (0, 2, 1)), call.apply("permute_dims", a, (1, 0)))
        return call.apply("permute_dims", turned, (0, 2, 1))
    ndim = max(nd_a, nd_b, 2)
    if nd_a == 1:
        a = _lengthened(call, 0, -2)
    if nd_b == 1:
        b = _lengthened(call, 1, -1)
    a, b = _filled(call, 0, a, ndim), _filled(call, 1, b, ndim)
    made = call.again([a, b])
    axes = [k for k, nd in ((made.ndim - 2, nd_a), (made.ndim - 1, nd_b)) if nd == 1]
    return _without(call, made, axes)


_NARROW = 32
"""Columns of a matrix for each example below which one product of all, with their copies, costs less than many."""


def _in_one(call: Call, a: Any, b: Any) -> Any:
    """Products with one matrix as a single one: the rows of all examples one below the other."""
    rows = call.apply("reshape", a, (math.prod(a.shape[:-1]), a.shape[-1]))
    return call.apply("reshape", call.apply("matmul", rows, b), (*a.shape[:-1], b.shape[-1]))


def solve(call: Call) -> Any:
    """A vector on the right is a matrix of one column; stacks of vectors are not told from matrices otherwise."""
    a, b = call.values
    nd_a, nd_b = len(call.shape(0)), len(call.shape(1))
    ndim = max(nd_a, nd_b, 2)
    if nd_b == 1:
        b = _lengthened(call, 1, -1)
    made = call.again([_filled(call, 0, a, ndim), _filled(call, 1, b, ndim)])
    return _without(call, made, [made.ndim - 1] if nd_b == 1 else [])


def linear(call: Call) -> Any:
    x, weight = call.values[:2]
    if not call.mapped[1]:
        made = call.apply("linear", x, weight)
    else:
        made = _by_example(call, x, weight)
    if len(call.values) == 2:
        return made
    bias = call.padded(2, made.ndim - 1)
    return call.apply("add", made, bias)


def affine(call: Call) -> Any:
    return call.again(call.values) if not (call.mapped[1] or call.mapped[2]) else linear(call)


def _by_example(call: Call, x: Any, weight: Any) -> Any:
    """x @ weight.T with a weight for each example."""
    shape, turned = call.shape(0), call.apply("permute_dims", weight, (0, 2, 1))
    rows = call.apply("reshape", call.full(0), (call.size, math.prod(shape[:-1]), shape[-1]))
    made = call.apply("matmul", rows, turned)
    return call.apply("reshape", made, (call.size, *shape[:-1], call.shape(1)[0]))


def _lengthened(call: Call, k: int, place: int) -> Any:
    """A vector as a matrix of one row (-2) or column (-1)."""
    x, n = call.values[k], call.shape(k)[0]
    lead = (call.size,) if call.mapped[k] else ()
    return call.apply("reshape", x, (*lead, 1, n) if place == -2 else (*lead, n, 1))


def _filled(call: Call, k: int, x: Any, ndim: int) -> Any:
    """Axes of length 1 behind that of the examples, up to `ndim` axes."""
    if not call.mapped[k] or x.ndim - 1 >= ndim:
        return x
    return call.apply("reshape", x, (call.size, *(1,) * (ndim + 1 - x.ndim), *x.shape[1:]))


def _without(call: Call, x: Any, axes: list[int]) -> Any:
    if not axes:
        return x
    return call.apply("reshape", x, tuple([n for k, n in enumerate(x.shape) if k not in axes]))


def convolve(call: Call) -> Any:
    """The correlation of the longer sequence, with zeros around it, and the shorter one backwards."""
    long, short = (0, 1) if call.shape(0)[0] >= call.shape(1)[0] else (1, 0)
    n = call.shape(short)[0] - 1
    front = ((0, 0),) * call.mapped[long]
    x = call.apply("pad", call.values[long], (*front, (n, n)), 0)
    key = (Ellipsis, slice(None, None, -1))
    return _correlated(call, x, call.apply("getitem", call.values[short], key), call.mapped[long], call.mapped[short])


def correlate_valid(call: Call) -> Any:
    return _correlated(call, call.values[0], call.values[1], *call.mapped)


def _correlated(call: Call, x: Any, v: Any, is_mapped: bool, is_each: bool) -> Any:
    """Products of the parts of x that are as long as v with v."""
    n = v.shape[-1]
    key = (Ellipsis, np.arange(x.shape[-1] - n + 1)[:, None] + np.arange(n))
    parts = call.apply("getitem", x, key)
    if not is_each:
        return call.apply("matmul", parts, v)
    made = call.apply("matmul", parts, call.apply("reshape", v, (call.size, n, 1)))
    return call.apply("reshape", made, (call.size, parts.shape[-2]))


# Classification


def cross_entropy(call: Call) -> Any:
    axis, reduction, weight, ignored, _ = call.params
    loss = call.again([call.full(0), call.full(1)], call.replaced(axis=axis + 1, reduction="none"))
    return _gathered(call, loss, reduction, ignored, weight)


def nll_loss(call: Call) -> Any:
    changed = call.replaced(axis=call.param("axis") + 1, reduction="none")
    return _gathered(call, call.again([call.full(0), call.full(1)], changed), call.param("reduction"),
                     call.param("ignored"), call.param("weight"))  # fmt: skip


def soft_cross_entropy(call: Call) -> Any:
    axis, reduction = call.params
    loss = call.again([call.full(0), call.full(1)], (axis + 1, "none"))
    return _gathered(call, loss, reduction, None)


def _gathered(call: Call, loss: Any, reduction: str, ignored: Any, weight: Any = None) -> Any:
    axes = tuple(range(1, loss.ndim))
    if reduction == "none":
        return loss
    if reduction == "mean" and ignored is None:
        return call.apply("mean", loss, axes, False)
    total = call.apply("sum", loss, axes, False) if axes else loss
    if reduction == "sum":
        return total
    target = call.full(1)
    counted = call.apply("not_equal", target, ignored)
    if weight is not None:  # as much as the class of each counts
        at = call.apply("where", counted, target, np.zeros((), np.intp))
        table = np.asarray(weight).reshape(-1, 1)
        numbers = call.apply("embedding", table, call.apply("astype", at, np.dtype(np.intp)), None)
        numbers = call.apply("reshape", numbers, at.shape)
        counted = call.apply("where", counted, numbers, np.zeros((), numbers.dtype))
    counted = call.apply("sum", counted, axes, False) if axes else counted
    return call.apply("divide", total, call.apply("astype", counted, loss.dtype))


def recurrence(call: Call) -> Any:
    return call.again([call.full(0), call.full(1)], call.replaced(axis=call.param("axis") + 1))


RULES.update(dict.fromkeys(_POINTWISE, pointwise))
RULES.update(dict.fromkeys(LEADING, leading))
RULES.update(dict.fromkeys(("argmax", "argmin"), position))
RULES.update(dict.fromkeys(("from_diagonal", "from_trace"), on_diagonal))
RULES.update(dict.fromkeys(("stack", "concat"), concat))
RULES.update(dict.fromkeys(("eigh", "svd"), matrices))
RULES.update(
    add_along=add_along, affine=affine, broadcast_to=broadcast_to, convolve=convolve,
    correlate_valid=correlate_valid, cross_entropy=cross_entropy, einsum=einsum, ldexp=ldexp, linear=linear,
    linspace=linspace, matmul=matmul, nest=nest, nll_loss=nll_loss, pad=pad, permute_dims=permute_dims,
    recurrence=recurrence, repeated=repeated, reshape=reshape, soft_cross_entropy=soft_cross_entropy, solve=solve,
    split=split, take_along=take_along,
)  # fmt: skip

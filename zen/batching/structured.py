"""The rules of rows whose declaration does not give them: shapes, keys, joining, products, stacks of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..batched import Batched, Unbatched
from ..dtypes import INTEGER
from .applying import RULES, Call, pointwise, shifted

_POINTWISE = (
    "astype", "betainc", "boxcox", "boxcox1p", "complex_angle", "complex_sign", "conj", "copy", "erfcx_moment",
    "exprel", "gammainc", "i0_slope", "imag", "ive_slope", "logrel", "polygamma_gap", "real", "sinc_slope",
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
    if keepdims:
        return None
    return call.again([call.apply("reshape", call.values[0], (call.size, -1))], ((1,), False))


def pad(call: Call) -> Any:
    width, values = call.params
    return None if np.ndim(values) else call.again(call.values, (((0, 0), *width), values))


def ldexp(call: Call) -> Any:
    return pointwise(call) if np.ndim(call.param("exponent")) <= len(call.shape(0)) else None


def linspace(call: Call) -> Any:
    made = call.again([call.full(0), call.full(1)])
    return call.apply("permute_dims", made, (1, 0, *range(2, made.ndim)))


# Reading and writing by index


def is_together(key: tuple[Any, ...]) -> bool:
    """Whether the axes that arrays and ints in the key make stay in their place: NumPy puts them first otherwise."""
    places = [k for k, part in enumerate(key) if isinstance(part, (np.ndarray, list, bool, np.bool_))]
    if not places:
        return True
    if any([np.ndim(key[k]) == 0 and np.asarray(key[k]).dtype == bool for k in places]):
        return False
    advanced = [k for k, part in enumerate(key) if k in places or type(part) is int]
    return advanced[-1] - advanced[0] == len(advanced) - 1


def key_of(call: Call) -> tuple[Any, ...]:
    key = call.param("key")
    return key if type(key) is tuple else (key,)


def getitem(call: Call) -> Any:
    key = key_of(call)
    if any([type(part) is Batched for part in key]):
        return chosen(call, key)
    return call.again(call.values, ((slice(None), *key),)) if is_together(key) else None


def chosen(call: Call, key: tuple[Any, ...]) -> Any:
    """x[key] where the key differs by example: the number of the example is one more index."""
    ndim = max([np.ndim(part) if isinstance(part, np.ndarray) else part.ndim if type(part) is Batched else 0
                for part in key])  # fmt: skip
    found: list[Any] = [np.arange(call.size).reshape(-1, *(1,) * ndim)]
    for part in key:
        if type(part) is Batched:
            if part.dtype not in INTEGER or part.level is not call.level or type(part.examples) is Batched:
                raise Unbatched("an index differs by example")
            part = part.examples._array
            part = part.reshape(part.shape[0], *(1,) * (ndim + 1 - part.ndim), *part.shape[1:])
        elif not isinstance(part, (int, np.ndarray)) or isinstance(part, bool) or np.asarray(part).dtype == bool:
            if found[-1] is not part and part is not Ellipsis and not isinstance(part, slice):
                raise Unbatched("an index differs by example")
        found.append(part)
    advanced = [k for k, part in enumerate(found) if not (part is Ellipsis or isinstance(part, slice))]
    if advanced != list(range(len(advanced))):  # NumPy would put their axes first
        raise Unbatched("an index differs by example")
    return call.again(call.values, (tuple(found),))


def scatter(call: Call) -> Any:
    shape, key = call.param("shape"), key_of(call)
    if not is_together(key):
        return None
    return call.again(call.values, ((call.size, *shape), (slice(None), *key)))


def setitem(call: Call) -> Any:
    key = key_of(call)
    if not is_together(key):
        return None
    selected = np.broadcast_to(np.zeros((), bool), call.shape(0))[key].ndim
    if len(call.shape(1)) > selected:
        return None
    return call.again([call.full(0), call.padded(1, selected)], ((slice(None), *key),))


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


# Classification


def cross_entropy(call: Call) -> Any:
    axis, reduction, weight, ignored, _ = call.params
    if weight is not None and reduction == "mean":
        return None
    loss = call.again([call.full(0), call.full(1)], call.replaced(axis=axis + 1, reduction="none"))
    return _gathered(call, loss, reduction, ignored)


def nll_loss(call: Call) -> Any:
    if call.param("weight") is not None and call.param("reduction") == "mean":
        return None
    changed = call.replaced(axis=call.param("axis") + 1, reduction="none")
    return _gathered(call, call.again([call.full(0), call.full(1)], changed), call.param("reduction"),
                     call.param("ignored"))  # fmt: skip


def soft_cross_entropy(call: Call) -> Any:
    axis, reduction = call.params
    loss = call.again([call.full(0), call.full(1)], (axis + 1, "none"))
    return _gathered(call, loss, reduction, None)


def _gathered(call: Call, loss: Any, reduction: str, ignored: Any) -> Any:
    axes = tuple(range(1, loss.ndim))
    if reduction == "none":
        return loss
    if reduction == "mean" and ignored is None:
        return call.apply("mean", loss, axes, False)
    total = call.apply("sum", loss, axes, False) if axes else loss
    if reduction == "sum":
        return total
    counted = call.apply("not_equal", call.full(1), ignored)
    counted = call.apply("sum", counted, axes, False) if axes else counted
    return call.apply("divide", total, call.apply("astype", counted, loss.dtype))


# Tables and images


def embedding(call: Call) -> Any:
    """Row i of the table of example b is row b * height + i of all tables."""
    weight, indices = call.values
    if not call.mapped[0]:
        return call.again([weight, indices])
    if call.param("skipped") is not None:
        return None
    height, *rest = call.shape(0)
    rows = call.apply("reshape", weight, (call.size * height, *rest))
    return call.again([rows, _numbered(call, height)])


def scatter_rows(call: Call) -> Any:
    height, skipped = call.params
    if skipped is not None:
        return None
    made = call.again([call.full(0), _numbered(call, height)], (call.size * height, None))
    return call.apply("reshape", made, (call.size, height, *made.shape[1:]))


def _numbered(call: Call, height: int) -> Any:
    indices = call.full(1)
    first = np.arange(call.size) * height
    return call.apply("add", indices, first.reshape(-1, *(1,) * (indices.ndim - 1)))


def images(call: Call) -> Any:
    """Rows of stacks of images: the examples become images of one stack."""
    return None if any(call.mapped[1:]) else unfolded(call, call.again([folded(call, 0), *call.values[1:]]))


def conv2d(call: Call) -> Any:
    """A kernel for each example is a group of channels for each."""
    if not call.mapped[1]:
        return None if any(call.mapped[2:]) else images(call)
    n, c, *size = call.shape(0)
    o, i, *kernel = call.shape(1)
    x = call.apply("permute_dims", call.full(0), (1, 0, *range(2, 3 + len(size))))
    x = call.apply("reshape", x, (n, call.size * c, *size))
    w = call.apply("reshape", call.values[1], (call.size * o, i, *kernel))
    made = call.apply("conv2d", x, w, *call.params[:-1], call.param("groups") * call.size)
    made = call.apply("reshape", made, (n, call.size, o, *made.shape[2:]))
    made = call.apply("permute_dims", made, (1, 0, *range(2, made.ndim)))
    if len(call.values) == 2:
        return made
    bias = call.apply("reshape", call.full(2), (call.size, 1, o, *(1,) * len(size)))
    return call.apply("add", made, bias)


def attention(call: Call) -> Any:
    if any([x is not None for x in call.values[3:]]):
        return None
    return unfolded(call, call.again([folded(call, k) for k in range(3)] + [None, None]))


def folded(call: Call, k: int) -> Any:
    n, *rest = call.shape(k)
    return call.apply("reshape", call.full(k), (call.size * n, *rest))


def unfolded(call: Call, made: Any) -> Any:
    return call.apply("reshape", made, (call.size, made.shape[0] // call.size, *made.shape[1:]))


def layer_norm(call: Call) -> Any:
    """The norm alone; weight and bias of each example behind it."""
    if not any(call.mapped[1:]):
        return call.again(call.values)
    plain = call.again([call.full(0), *[None] * (len(call.values) - 1)])
    return _scaled(call, plain, [x if x is None else call.padded(k, plain.ndim - 1)
                                 for k, x in enumerate(call.values[1:], 1)])  # fmt: skip


def group_norm(call: Call) -> Any:
    """The images of all examples in one stack; weight and bias of each example behind the norm."""
    if not any(call.mapped[1:]):
        return images(call)
    plain = unfolded(call, call.again([folded(call, 0), None, None]))
    return _scaled(call, plain, [_for_channels(call, k, plain.ndim) for k in (1, 2)])


def batch_norm(call: Call) -> Any:
    """The channels of all examples side by side."""
    n, c, *size = call.shape(0)
    x = call.apply("permute_dims", call.full(0), (1, 0, *range(2, 3 + len(size))))
    x = call.apply("reshape", x, (n, call.size * c, *size))
    flat = [None if call.values[k] is None else call.apply("reshape", call.full(k), (call.size * c,)) for k in (1, 2)]
    made, *moments = call.again([x, *flat])
    made = call.apply("reshape", made, (n, call.size, c, *size))
    made = call.apply("permute_dims", made, (1, 0, *range(2, made.ndim)))
    return (made, *[call.apply("reshape", m, (call.size, c)) for m in moments])


def _for_channels(call: Call, k: int, ndim: int) -> Any:
    """A number for each channel of each example, to go with images."""
    x = call.values[k]
    return x if x is None else call.apply("reshape", call.full(k), (call.size, 1, call.shape(k)[0], *(1,) * (ndim - 3)))


def _scaled(call: Call, made: Any, factors: list[Any]) -> Any:
    for name, x in zip(("multiply", "add"), factors, strict=False):
        made = made if x is None else call.apply(name, made, x)
    return made


def recurrence(call: Call) -> Any:
    return call.again([call.full(0), call.full(1)], call.replaced(axis=call.param("axis") + 1))


RULES.update(dict.fromkeys(_POINTWISE, pointwise))
RULES.update(dict.fromkeys(LEADING, leading))
RULES.update(dict.fromkeys(("avg_pool2d", "avg_pool2d_input", "conv2d_input"), images))
RULES.update(dict.fromkeys(("argmax", "argmin"), position))
RULES.update(dict.fromkeys(("conv2d", "conv2d_bias"), conv2d))
RULES.update(dict.fromkeys(("from_diagonal", "from_trace"), on_diagonal))
RULES.update(dict.fromkeys(("layer_norm", "rms_norm"), layer_norm))
RULES.update(dict.fromkeys(("stack", "concat"), concat))
RULES.update(dict.fromkeys(("eigh", "svd"), matrices))
RULES.update({
    "add_along": add_along, "affine": affine, "batch_norm": batch_norm, "group_norm": group_norm,
    "broadcast_to": broadcast_to, "cross_entropy": cross_entropy,
    "einsum": einsum, "embedding": embedding, "getitem": getitem, "ldexp": ldexp, "linear": linear,
    "linspace": linspace, "matmul": matmul, "nll_loss": nll_loss, "pad": pad, "permute_dims": permute_dims,
    "recurrence": recurrence, "repeated": repeated, "reshape": reshape, "scaled_dot_product_attention": attention,
    "scatter": scatter, "scatter_rows": scatter_rows, "setitem": setitem, "soft_cross_entropy": soft_cross_entropy,
    "solve": solve, "split": split, "take_along": take_along,
})  # fmt: skip

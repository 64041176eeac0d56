"""The rules of layers: tables, images, attention, norms. The examples become images, channels or rows of one stack."""

from __future__ import annotations

from typing import Any

import numpy as np

from .applying import RULES, Call


def embedding(call: Call) -> Any:
    """Row i of the table of example b is row b * height + i of all tables."""
    weight, indices = call.values
    if not call.mapped[0]:
        return call.again([weight, indices])
    height, *rest = call.shape(0)
    skipped = call.param("skipped")
    if skipped is not None:  # of its row the value counts, but no derivative
        at = (np.arange(height) == skipped).reshape(-1, *(1,) * len(rest))
        weight = call.apply("where", at, weight.detach(), weight)
    rows = call.apply("reshape", weight, (call.size * height, *rest))
    return call.again([rows, _numbered(call, height)], (None,))


def scatter_rows(call: Call) -> Any:
    height, skipped = call.params
    v = call.full(0)
    if skipped is not None:
        kept = call.apply("not_equal", call.full(1), skipped)
        kept = call.apply("reshape", kept, (*kept.shape, *(1,) * (v.ndim - kept.ndim)))
        v = call.apply("where", kept, v, np.zeros((), v.dtype))
    made = call.again([v, _numbered(call, height)], (call.size * height, None))
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
    o, axes = call.shape(1)[0], len(call.shape(0)) - 2
    made = _apart(call, call.apply("conv2d", _side_by_side(call, 0), folded(call, 1), *_grouped(call)))
    if len(call.values) == 2:
        return made
    bias = call.apply("reshape", call.full(2), (call.size, 1, o, *(1,) * axes))
    return call.apply("add", made, bias)


def conv2d_input(call: Call) -> Any:
    """A kernel for each example is a group of channels for each."""
    if not call.mapped[1]:
        return images(call)
    made = call.again([_side_by_side(call, 0), folded(call, 1)], _grouped(call))
    return _apart(call, made)


def conv2d_weight(call: Call) -> Any:
    """The gradient of a kernel for each example: of a group of channels for each."""
    made = call.again([_side_by_side(call, 0), _side_by_side(call, 1)], _grouped(call))
    return unfolded(call, made)


def _grouped(call: Call) -> tuple[Any, ...]:
    return call.replaced(groups=call.param("groups") * call.size)


def _side_by_side(call: Call, k: int) -> Any:
    """Images of all examples with their channels one behind the other."""
    n, c, *size = call.shape(k)
    x = call.apply("permute_dims", call.full(k), (1, 0, *range(2, 3 + len(size))))
    return call.apply("reshape", x, (n, call.size * c, *size))


def _apart(call: Call, made: Any) -> Any:
    """The inverse of `_side_by_side`."""
    n, channels, *size = made.shape
    made = call.apply("reshape", made, (n, call.size, channels // call.size, *size))
    return call.apply("permute_dims", made, (1, 0, *range(2, made.ndim)))


def at_places(call: Call) -> Any:
    """Elements of images at flat positions, which are the same for all examples."""
    index = call.param("index")
    n, *rest = index.shape
    every = np.broadcast_to(index, (call.size, *index.shape)).reshape(call.size * n, *rest)
    return unfolded(call, call.again([folded(call, 0)], call.replaced(index=np.array(every))))


def attention(call: Call) -> Any:
    n = call.shape(0)[0]
    masks = [_of_weights(call, k, n) for k in (3, 4)]
    return unfolded(call, call.again([folded(call, k) for k in range(3)] + masks))


def self_attention(call: Call) -> Any:
    if call.param("batch_first"):
        n = call.shape(0)[0]
        return unfolded(call, call.again([folded(call, 0), *[_of_weights(call, k, n) for k in (1, 2)]]))
    length, n, width = call.shape(0)
    qkv = call.apply("permute_dims", call.full(0), (1, 0, 2, 3))
    qkv = call.apply("reshape", qkv, (length, call.size * n, width))
    made = call.again([qkv, *[_of_weights(call, k, n) for k in (1, 2)]])
    made = call.apply("reshape", made, (length, call.size, n, made.shape[-1]))
    return call.apply("permute_dims", made, (1, 0, 2, 3))


def _of_weights(call: Call, k: int, n: int) -> Any:
    """A mask for the weights (n, heads, queries, keys) of each example as one for the stack of all examples."""
    x, shape = call.values[k], call.shape(k) if call.values[k] is not None else ()
    if x is None:
        return None
    shape = (*(1,) * (4 - len(shape)), *shape)
    x = call.apply("reshape", call.full(k), (call.size, *shape))
    if shape[0] != n:
        x = call.apply("broadcast_to", x, (call.size, n, *shape[1:]))
    return call.apply("reshape", x, (call.size * n, *shape[1:]))


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
    c, x = call.shape(0)[1], _side_by_side(call, 0)
    flat = [None if call.values[k] is None else call.apply("reshape", call.full(k), (call.size * c,)) for k in (1, 2)]
    made, *moments = call.again([x, *flat])
    return (_apart(call, made), *[call.apply("reshape", m, (call.size, c)) for m in moments])


def _for_channels(call: Call, k: int, ndim: int) -> Any:
    """A number for each channel of each example, to go with images."""
    x = call.values[k]
    return x if x is None else call.apply("reshape", call.full(k), (call.size, 1, call.shape(k)[0], *(1,) * (ndim - 3)))


def _scaled(call: Call, made: Any, factors: list[Any]) -> Any:
    for name, x in zip(("multiply", "add"), factors, strict=False):
        made = made if x is None else call.apply(name, made, x)
    return made


RULES.update(dict.fromkeys(("avg_pool2d", "avg_pool2d_input"), images))
RULES.update(dict.fromkeys(("conv2d", "conv2d_bias"), conv2d))
RULES.update(dict.fromkeys(("layer_norm", "rms_norm"), layer_norm))
RULES.update(dict.fromkeys(("pool_gather", "pool_scatter"), at_places))
RULES.update(
    batch_norm=batch_norm, conv2d_input=conv2d_input, conv2d_weight=conv2d_weight, embedding=embedding,
    group_norm=group_norm, scaled_dot_product_attention=attention, scatter_rows=scatter_rows,
    self_attention=self_attention,
)  # fmt: skip

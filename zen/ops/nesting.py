"""Nested sequences that hold Tensors, such as `[[1, a], [b, 2]]`, as one Tensor with a gradient for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, Tensor, apply, kernels
from ..conversion import SEQUENCES, as_array, describe
from ..dtypes import NUMBERS
from .register import define
from .result_shapes import promoted
from .row import row


def _nest(*values: Any) -> Any:
    base, *parts, places = values
    out = kernels.memory.empty(np.shape(base), np.result_type(base, *parts))
    out[...] = base
    for place, part in zip(places, parts, strict=True):
        out[place] = part
    return out


def _taken(f: Any, g: Any, i: int, shape: tuple[int, ...], places: tuple[Any, ...]) -> Any:
    """The gradient of array i. Its shape is saved: forward mode needs it, where that array does not move."""
    if i > 0:
        return f.getitem(g, (*places[i - 1], Ellipsis))
    for place in places:
        g = f.setitem(g, 0.0, place)
    return g


def _domain(rng: np.random.Generator) -> list[Any]:
    a, b, c = (rng.normal(size=n) for n in ((), (), 2))
    return [
        ((rng.normal(size=(2, 2)), a, b), (((0, 1), (1, 0)),)), ((rng.normal(size=(2, 2)), c), (((1,),),)),
        ((np.zeros((2, 2)), c, c * 2), (((0,), (1,)),)), ((np.zeros((2, 1, 2)), a, b), (((1, 0, 0), (0, 0, 1)),)),
    ]  # fmt: skip


NEST = define(row(
    "nest", "*xs", _nest, ["taken(g, i, xs[i].shape, places)"], params="places", linear="xs", uses={"taken": _taken},
    shape=lambda *values: Shaped(values[0].shape, promoted(*values[:-1])), domain=_domain,
    complex=True, doc="The first array with each of the others written at its place: `[[1, a], [b, 2]]` as one array.",
))  # fmt: skip


def nested(value: Any) -> Tensor:
    """One Tensor of nested sequences of Tensors, arrays and numbers, differentiable in the Tensors.

    Shape and dtype are those that NumPy gives to the same nest of arrays. Raises ValueError where it is ragged, naming
    the place, and TypeError where it holds anything but real numbers.
    """
    tensors: list[Tensor] = []
    places: list[tuple[int, ...]] = []

    def plain(part: Any, place: tuple[int, ...]) -> Any:
        if isinstance(part, Tensor):
            tensors.append(part)
            places.append(place)
            return part._array
        if isinstance(part, SEQUENCES):
            return [plain(p, (*place, k)) for k, p in enumerate(part)]
        return part

    base = as_array(plain(value, ()))
    if base.dtype not in NUMBERS:
        raise TypeError(f"cannot take {describe(value)} as an array of real numbers; its dtype would be {base.dtype}")
    return apply(NEST, (base, *tensors), (tuple(places),))  # type: ignore[no-any-return]

"""`ravel_tree`: a nested container of arrays as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import trees
from ..backend import Tensor
from ..batched import Batched
from ..dtypes import INEXACT
from ..ops.register import FUNCTIONS, placed


def ravel_tree(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """`(flat, unravel)`: all numbers of a nested container in one vector, and the function that goes back.

    tree: numbers, arrays or Tensors, in nested lists, tuples, named tuples and dicts. flat: a vector of the dtype that
    all promote to, a Tensor where one of them is, and then differentiable. `unravel(vector)` gives the structure,
    shapes and dtypes of `tree`, in arrays or Tensors as `vector` is one; ValueError for another length.

    >>> import numpy as np, zen
    >>> flat, unravel = zen.ravel_tree({"w": np.array([[1.0, 2.0]]), "b": 3.0})
    >>> flat.tolist(), unravel(flat * 2)["w"].tolist()
    ([1.0, 2.0, 3.0], [[2.0, 4.0]])
    """
    values = [x if isinstance(x, (Tensor, Batched)) else np.asarray(x) for x in trees.values(tree)]
    shapes, dtypes = [x.shape for x in values], [x.dtype for x in values]
    unravel = _Unravel(trees.transform(lambda x: 0, [tree])[0], shapes, dtypes)
    if not values:
        return np.zeros(0), unravel
    common = np.result_type(*dtypes)
    if any([isinstance(x, (Tensor, Batched)) for x in values]):
        rows = [FUNCTIONS["reshape"](x, -1) for x in values]
        return FUNCTIONS["concat"]([x if x.dtype == common else FUNCTIONS["astype"](x, common) for x in rows]), unravel
    return np.concatenate([x.reshape(-1) for x in values]).astype(common, copy=False), unravel


class _Unravel:
    """What goes back: it holds structure, shapes and dtypes, and pickles with them."""

    def __init__(self, structure: Any, shapes: list[tuple[int, ...]], dtypes: list[Any]) -> None:
        self.structure, self.shapes, self.dtypes = structure, shapes, dtypes
        self.total = sum([math.prod(s) for s in shapes])

    def __call__(self, flat: Any) -> Any:
        if not isinstance(flat, (Tensor, Batched)):
            flat = np.asarray(flat)
        if flat.shape != (self.total,):
            raise ValueError(f"unravel: expected a vector of {self.total} numbers, not shape {flat.shape}")
        parts, first = [], 0
        for shape, dtype in zip(self.shapes, self.dtypes, strict=True):
            part = flat[first : first + math.prod(shape)].reshape(shape)
            parts.append(part if part.dtype == dtype or dtype not in INEXACT else part.astype(dtype))
            first += math.prod(shape)
        return trees.rebuild(self.structure, parts)


for _function in (ravel_tree,):
    placed(_function, "zen", _function.__name__)

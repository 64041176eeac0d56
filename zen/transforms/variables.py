"""The arguments a transform differentiates by, as Tensors, and whether its result is itself differentiable.

Each call makes new Tensors of its arguments. The variable for a Tensor that is itself being differentiated is an
identity operation on that Tensor, so what is computed from it stays part of the outer graph; any other is a leaf, which
is closed when the function has run.

A derivative is *connected* if somebody may still differentiate it: an argument requires a gradient, or what the
function computed came from another leaf that does and is not closed. Such leaves are parameters, and the variables of
the surrounding transforms. Only then is it computed by a pass that is recorded, and only then are results Tensors with
a graph. The arguments alone cannot tell, as in `grad(lambda x: w * x)(2.0)`, so the graph is searched.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..conversion import convert
from ..dtypes import BOOLEAN, DEFAULT, DIFFERENTIABLE, INTEGER
from ..ops.register import ROWS


class Variables(backend.Leaves):
    """The differentiated arguments of one call, as Tensors. `linked`: one of them is part of an outer graph."""

    def variable(self, value: Any) -> Tensor:
        """The variable for a leaf of the argument at `position`."""
        if isinstance(value, Tensor):
            if value.dtype not in DIFFERENTIABLE:
                raise TypeError(
                    f"{self.name}: {self._path(value)} has dtype {value.dtype}, which has no gradients; make it float64"
                )
            self.took_tensors = True
            if self.recording and value.requires_grad:
                self.linked = True
                made: Tensor = backend.apply(ROWS["positive"], (value,))
                # A Tensor of its own: writes of the function to the one that it gets would move that to another node.
                self.tensors.append(backend.twin(made))
                return made
            return self.leaf_of(value.detach())
        if not isinstance(value, (np.ndarray, np.generic, int, float, complex)):
            raise TypeError(
                f"{self.name}: {self._path(value)} is {type(value).__name__}, which cannot be differentiated; expected "
                "numbers, arrays or Tensors in lists, tuples and dicts (choose other arguments with argnums)"
            )
        array = convert(value)
        if array is value:  # a copy: NumPy tells nobody if it is written to while a pullback is kept
            array = array.copy()
        if array.dtype in BOOLEAN:
            raise TypeError(f"{self.name}: {self._path(value)} has dtype bool, which has no gradients; make it float64")
        return self.leaf(array.astype(DEFAULT) if array.dtype in INTEGER else array)

    def beside(self, args: tuple[Any, ...], kwargs: dict[str, Any], where: list[int]) -> bool:
        """Whether an argument that is not differentiated requires a gradient: then results are Tensors."""
        if not self.recording or (not kwargs and len(args) == len(where)):
            return False
        others = [x for k, x in enumerate(args) if k not in where]
        return any([isinstance(x, Tensor) and x.requires_grad for x in trees.values([others, kwargs])])

    def _path(self, value: Any) -> str:
        found = trees.leaves(self.args[self.position], f"argument {self.position}")
        return next(path for path, leaf in found if leaf is value)

    def settled(self, tree: Any, connected: bool, as_array: bool) -> Any:
        """`settle` for the Tensors in a tree; other leaves stay as they are."""
        if isinstance(tree, Tensor):
            return self.settle(tree, connected, as_array)
        return trees.transform(lambda x: self.settle(x, connected, as_array) if isinstance(x, Tensor) else x, tree)


def results(name: str, tree: Any) -> list[Tensor]:
    """The leaves of what the function returned; TypeError if one is not a Tensor."""
    if isinstance(tree, Tensor):
        return [tree]
    values = trees.values(tree)
    if values and all([isinstance(value, Tensor) for value in values]):
        return values
    found = []
    for path, value in [("", None)] if tree is None else trees.leaves(tree):
        if not isinstance(value, Tensor):
            place = f" at {path}" if path else ""
            raise TypeError(
                f"{name}: the function returned {type(value).__name__}{place}, not a Tensor, so its derivative is "
                "lost; compute it with operations on Tensors (float(), item(), math.* and .numpy() leave the graph; a "
                "constant is returned as zen.tensor(value))"
            )
        found.append(value)
    return found

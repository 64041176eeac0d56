"""What the solvers share: unknowns of any structure as one vector, what a function of them returned, and tolerances."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import Batched, Unbatched
from ..conversion import convert
from ..dtypes import COMPLEX, FLOATING, INTEGER
from ..ops.operands import raw
from ..ops.register import FUNCTIONS
from .raveling import ravel_tree
from .variables import results


class Unknowns:
    """A tree of numbers as one vector. role: what the function calls it, for messages.

    `flat` is a Tensor or an array, differentiable; `start` its values, an array of its own.
    """

    def __init__(self, name: str, role: str, tree: Any, or_complex: bool = False) -> None:
        self.name, self.role = name, role
        values = []
        for path, x in trees.leaves(tree, role):
            if type(x) is Batched:
                raise Unbatched(f"{name} solves for one example after the other")
            values.append(self._leaf(path, x, or_complex))
        if not values:
            raise ValueError(f"{name}: {role} holds no numbers")
        self.paths = [path for path, _ in trees.leaves(tree, role)]
        self.tree = trees.rebuild(tree, values)
        self.has_tensors = any([isinstance(x, Tensor) for x in values])
        self.shapes = [x.shape for x in values]
        self.flat, self.unravel = ravel_tree(self.tree)
        if self.tree is values[0] and values[0].ndim == 1:  # is one already, which spares f two operations a call
            self.unravel = lambda flat: flat
        self.start = np.array(raw(self.flat))
        if not np.isfinite(self.start).all():
            raise ValueError(f"{name}: {role} holds nan or infinity")

    def _leaf(self, path: str, x: Any, or_complex: bool) -> Any:
        if isinstance(x, int) and not isinstance(x, bool):
            x = float(x)
        try:
            x = x if isinstance(x, Tensor) else convert(x)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{self.name}: {path} is {type(x).__name__}, not a number or an array: {error}") from None
        if x.dtype in COMPLEX and not or_complex:
            raise TypeError(
                f"{self.name}: {path} has dtype {x.dtype}; complex unknowns are not solved for: take real and "
                "imaginary parts as two arrays"
            )
        if x.dtype not in FLOATING and x.dtype not in COMPLEX:
            raise TypeError(
                f"{self.name}: {path} has dtype {x.dtype}, and unknowns are real numbers; make it float64, with "
                "astype(float)"
            )
        return x

    def raveled(self, out: Any, like: bool, what: str = "the function") -> Any:
        """What a function of them returned as a vector of their number and dtype. like: in their very structure."""
        parts = results(self.name, out)
        for t in parts:
            if t.dtype not in FLOATING and t.dtype not in COMPLEX:
                raise TypeError(f"{self.name}: {what} returned dtype {t.dtype}, which has no derivative; return floats")
            if t.dtype in COMPLEX and self.start.dtype not in COMPLEX:
                raise TypeError(
                    f"{self.name}: {what} returned complex numbers for a real {self.role}; return real and imaginary "
                    f"parts, or give {self.role} a complex dtype"
                )
        if like and not trees.same_structure(self.tree, out):
            raise ValueError(f"{self.name}: {what} returned another structure than {self.role} has")
        shapes = [t.shape for t in parts]
        if like and shapes != self.shapes:
            k = next(k for k, (a, b) in enumerate(zip(shapes, self.shapes, strict=True)) if a != b)
            raise ValueError(
                f"{self.name}: {what} returned shape {shapes[k]} where {self.paths[k]} has shape {self.shapes[k]}; "
                "they must be equal"
            )
        count = sum([math.prod(shape) for shape in shapes])
        if count != self.start.size:
            raise ValueError(
                f"{self.name}: {what} returned {count} numbers (shapes {shapes}) for {self.start.size} unknowns "
                f"(shapes {self.shapes}); there must be as many equations as unknowns"
            )
        rows = [t if t.ndim == 1 else FUNCTIONS["reshape"](t, -1) for t in parts]
        flat = rows[0] if len(rows) == 1 else FUNCTIONS["concat"](rows)
        return flat if flat.dtype == self.start.dtype else FUNCTIONS["astype"](flat, self.start.dtype)

    def handed(self, flat: Any, as_array: bool) -> Any:
        """The vector as the caller gets it: in their structure, Tensors, or arrays where nothing asks for Tensors."""
        made = self.unravel(flat)
        return settled(made, as_array)


def settled(tree: Any, as_array: bool) -> Any:
    """A tree of results: arrays where that is asked and they take part in no graph."""

    def given(x: Any) -> Any:
        if not isinstance(x, Tensor) or not as_array or x.requires_grad:
            return x
        return np.array(x._array)

    return trees.transform(given, [tree])[0]


def plain(f: Callable[..., Any], args: Any) -> Callable[..., np.ndarray]:
    """A function of Tensors as one of arrays, of which nothing is recorded."""

    def function(*lead: Any) -> np.ndarray:
        tensors = [backend.wrap(np.array(x)) for x in lead]
        return np.array(raw(backend.call_recording(False, f, *tensors, *args)))

    return function


def check_number(name: str, argument: str, value: Any, whole: bool = False, or_zero: bool = False) -> None:
    """TypeError for what is no number, or with `whole` no int; ValueError for one that is not positive."""
    array = np.asarray(raw(value))
    least = "a number that is not negative" if or_zero else "a positive int" if whole else "a positive number"
    if array.ndim or not (array.dtype in INTEGER or (not whole and array.dtype in FLOATING)):
        raise TypeError(f"{name}: {argument} is {least}, not {value!r}")
    if not (array > 0 or (or_zero and array == 0)):
        raise ValueError(f"{name}: {argument} is {least}, not {value!r}")


def holds_tensors(*given: Any) -> bool:
    return any([isinstance(x, Tensor) for x in trees.values(list(given))])

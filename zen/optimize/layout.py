"""Nested parameters as the vector that SciPy moves, without those that are fixed, and back.

All of `zen/optimize` asks a `Layout` for this; nothing else knows where a number of the vector stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .. import backend, f, trees
from ..backend import Tensor
from ..batched import Batched
from ..conversion import convert
from ..dtypes import BOOLEAN, COMPLEX, DEFAULT, DIFFERENTIABLE, INTEGER
from ..ops.operands import raw
from ..transforms.raveling import ravel_tree
from .masks import masks

Array = np.ndarray[Any, np.dtype[Any]]


ROOTS = frozenset("root fsolve brentq newton root_scalar".split())


class Leaf(NamedTuple):
    """One array or number of the parameters. given: what it was. free: which elements SciPy moves."""

    path: str
    given: str
    start: Array
    free: Array | None
    first: int
    last: int

    @property
    def is_fixed(self) -> bool:
        return self.first == self.last and self.free is not None


class Layout:
    """The order of the free elements of `params` in one vector: leaf by leaf, each in C order.

    start: the vector at `params`. Raises TypeError for leaves that are no real numbers, and ValueError where nothing
    is left to move.
    """

    def __init__(self, operation: str, params: Any, fixed: Any = None, role: str = "params") -> None:
        self.operation, self.params, self.role = operation, params, role
        found = list(trees.leaves(params, role))
        kinds = [(path, *_read(operation, path, value)) for path, value in found]
        self.leaves: list[Leaf] = []
        first = 0
        none: list[Any] = [None] * len(kinds)
        frozen = none if fixed is None else masks(operation, params, [(x[0], x[2]) for x in kinds], fixed, role)
        for (path, kind, start), (_, value), mask in zip(kinds, found, frozen, strict=True):
            free = None if mask is None or not mask.any() else ~mask
            if free is not None:
                refuse_connected(operation, value, f"{path}, which is fixed,")
            last = first + (start.size if free is None else int(free.sum()))
            if last == first and free is not None:
                start.flags.writeable = False  # handed to the function at each call
            self.leaves.append(Leaf(path, kind, start, free, first, last))
            first = last
        self.size = first
        if not self.size:
            what = "every parameter is fixed" if fixed is not None and found else f"{role} has no numbers"
            raise ValueError(f"{operation}: {what}, so there is nothing to find")
        self.alone = not isinstance(params, (list, tuple, dict))
        self.all_free = fixed is None or all([x.free is None for x in self.leaves])
        self.plain = self.alone and self.all_free and self.leaves[0].start.dtype == DEFAULT
        """One float64 array: the vector, in another shape, is the parameter itself."""
        if self.plain:
            self.start: Array = self.leaves[0].start.reshape(-1).copy()
            self.total = self.size
        else:
            self.start = np.concatenate([_chosen(x.start, x) for x in self.leaves])
            self.total = sum([x.start.size for x in self.leaves])

    def arrays(self, x: Array) -> list[Array]:
        """The leaves at `x`, in their dtypes: views of x where these are float64."""
        found = []
        for leaf in self.leaves:
            if leaf.free is None:
                part = x[leaf.first : leaf.last].reshape(leaf.start.shape)
                found.append(part if part.dtype == leaf.start.dtype else part.astype(leaf.start.dtype))
            elif leaf.is_fixed:
                found.append(leaf.start)
            else:
                part = leaf.start.copy()
                part[leaf.free] = x[leaf.first : leaf.last]
                found.append(part)
        return found

    def tree(self, values: Any) -> Any:
        return values[0] if self.alone else trees.rebuild(self.params, values)

    def given(self, x: Array) -> Any:
        """The parameters at `x` as they were given: numbers, arrays or Tensors, which are new ones."""
        if self.plain:
            return _as(self.leaves[0].given, x.reshape(self.leaves[0].start.shape))
        return self.tree([_as(leaf.given, a) for leaf, a in zip(self.leaves, self.arrays(x), strict=True)])

    def spread(self, vector: Any) -> Any:
        """A vector by free elements, such as a gradient, in the structure of the parameters; 0 for what is fixed."""
        vector = np.asarray(vector)
        if self.plain and vector.dtype == DEFAULT:
            return _as(self.leaves[0].given, vector.reshape(self.leaves[0].start.shape))
        found = []
        for leaf in self.leaves:
            part = np.zeros(leaf.start.shape, leaf.start.dtype)
            part[... if leaf.free is None else leaf.free] = _shaped(vector[leaf.first : leaf.last], leaf)
            found.append(_as(leaf.given, part))
        return self.tree(found)

    def vector(self, tree: Any, what: str) -> Array:
        """The free elements of a tree of the structure and shapes of the parameters."""
        values = trees.matched(self.params, tree)
        if values is None:
            raise ValueError(f"{self.operation}: {what} does not have the structure of {self.role}")
        found = []
        for leaf, value in zip(self.leaves, values, strict=True):
            a = np.asarray(raw(value), DEFAULT)
            if a.shape != leaf.start.shape:
                raise ValueError(
                    f"{self.operation}: {what} has shape {a.shape} at {leaf.path}; expected {leaf.start.shape}"
                )
            found.append(_chosen(a, leaf))
        return np.concatenate(found)

    def join(self, values: list[Array]) -> Array:
        """The vector of gradients by the leaves, which have their shapes: those that are fixed are left out."""
        return np.concatenate([_chosen(a, leaf) for a, leaf in zip(values, self.leaves, strict=True)])

    def flat(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`function`, of parameters in their structure, as one of a vector, which may be a Tensor."""
        if self.plain:
            shape = self.leaves[0].start.shape
            return function if len(shape) == 1 else lambda x: function(x.reshape(shape))

        def of_vector(x: Any) -> Any:
            return function(self.tree([_part(x, leaf) for leaf in self.leaves]))

        return of_vector

    @contextmanager
    def first_call(self) -> Iterator[None]:
        """Around the function's first call: says what a list of numbers is, to those who come from SciPy."""
        try:
            yield
        except (AttributeError, IndexError, TypeError) as error:
            if isinstance(self.params, (list, tuple)) and all([x.given in ("number", "scalar") for x in self.leaves]):
                error.add_note(
                    f"{self.operation}: {self.role} is a {type(self.params).__name__} of numbers, and so is what the "
                    "function gets; for a vector give np.array(...)"
                )
            raise

    def names(self) -> list[str]:
        """A name for each element, free or fixed: `params['rate'][0]`."""
        found = []
        for leaf in self.leaves:
            shape = leaf.start.shape
            for index in np.ndindex(shape):
                found.append(leaf.path + (f"[{', '.join(map(str, index))}]" if shape else ""))
        return found

    def chosen(self) -> Array:
        """Which of all elements are free."""
        parts = [np.ones(x.start.size, bool) if x.free is None else x.free.reshape(-1) for x in self.leaves]
        return np.concatenate(parts)

    def offsets(self) -> Array:
        """All elements at the start, with 0 for those that are free."""
        parts = [
            np.zeros(x.start.size) if x.free is None else np.where(x.free, 0, x.start).ravel() for x in self.leaves
        ]
        return np.concatenate(parts)

    def at(self, x: Array) -> Layout:
        """The same with the vector `x` as its start."""
        made: Layout = object.__new__(Layout)
        made.__dict__.update(self.__dict__)
        made.leaves = [leaf._replace(start=a.copy()) for leaf, a in zip(self.leaves, self.arrays(x), strict=True)]
        made.start = x.copy()
        return made


def refuse_connected(operation: str, found: Any, what: str) -> None:
    """RuntimeError for a value that somebody may still differentiate: the result would lose that gradient."""
    if isinstance(found, (Tensor, Batched)) and found.requires_grad and backend.grad_enabled():
        implicit = "zen.implicit_root" if operation in ROOTS else "zen.implicit_argmin"
        raise RuntimeError(
            f"{operation}: {what} requires a gradient, and the result carries none. For plain values use "
            f"`with zen.no_grad():`, or detach() it; for a result that is differentiable, {implicit}"
        )


def _read(operation: str, path: str, value: Any) -> tuple[str, Array]:
    """What a leaf was given as, and a copy of its numbers in the dtype that the function is to see."""
    if isinstance(value, Batched):
        value.__array__()  # says that it differs by example: `vmap` then takes one example at a time
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        kind = "tensor" if isinstance(value, Tensor) else "array" if isinstance(value, np.ndarray) else "scalar"
        array = np.array(raw(value)) if isinstance(value, Tensor) else convert(value)
    elif isinstance(value, (int, float, complex)):
        kind, array = "number", np.asarray(value)
    else:
        raise TypeError(
            f"{operation}: {path} is {type(value).__name__}; parameters are numbers, arrays or Tensors in lists, "
            "tuples and dicts"
        )
    if array.dtype in INTEGER:
        array = array.astype(DEFAULT)
    if array.dtype in BOOLEAN or array.dtype in COMPLEX or array.dtype not in DIFFERENTIABLE:
        remedy = "give its real and imaginary parts" if array.dtype in COMPLEX else "make it float64"
        raise TypeError(f"{operation}: {path} is of dtype {array.dtype}, and SciPy moves real numbers; {remedy}")
    return kind, np.array(array)


def _chosen(a: Array, leaf: Leaf) -> Array:
    return np.asarray(a.reshape(-1) if leaf.free is None else a[leaf.free], DEFAULT)


def _shaped(part: Array, leaf: Leaf) -> Array:
    return part.reshape(leaf.start.shape) if leaf.free is None else part


def _as(kind: str, array: Array) -> Any:
    if kind == "tensor":
        return backend.wrap(np.array(array))
    if kind == "number":
        return float(array)
    return array[()] if kind == "scalar" else np.array(array)


def _part(x: Any, leaf: Leaf) -> Any:
    """A leaf as a function of the vector, recorded where that is a Tensor."""
    shape, dtype = leaf.start.shape, leaf.start.dtype
    if leaf.is_fixed:
        return backend.wrap(leaf.start)
    part = x[leaf.first : leaf.last]
    if leaf.free is None:
        part = part.reshape(shape)
    else:  # each free element by its number, anything for the others
        places = np.zeros(shape, np.intp)
        places[leaf.free] = np.arange(leaf.last - leaf.first)
        part = f.where(leaf.free, part[places], leaf.start)
    return part if part.dtype == dtype else part.astype(dtype)


def numbers(operation: str, what: str, tree: Any) -> Array:
    """What a function returned, as one float64 vector; TypeError for what are no real numbers."""
    if isinstance(tree, (list, tuple, dict)):
        tree = ravel_tree(tree)[0]
    if isinstance(tree, Batched):
        tree.__array__()
    a = np.asarray(raw(tree))
    if tree is None or a.dtype in BOOLEAN or a.dtype in COMPLEX or a.dtype == object:
        kind = type(tree).__name__ if a.dtype == object else f"numbers of dtype {a.dtype}"
        raise TypeError(f"{operation}: {what} returned {kind}; it returns real numbers")
    return np.asarray(a, DEFAULT).reshape(math.prod(a.shape))

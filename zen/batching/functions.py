"""The rules of public functions that read values or shapes, by kinds: `zen/ops/examples.py` says which are of which.

A rule calls the function on the values of all examples, with its axes one further on, or with the examples as part of
a stack that the function takes anyway. Where it does not fit, the function runs for each example.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend, trees
from ..batched import ANYWHERE, Batched, Level, running
from ..dtypes import DEFAULT, INTEGER
from ..ops import indexing
from ..ops.axes import all_axes
from ..ops.examples import RULES
from ..ops.operands import operand, raw
from ..ops.register import FUNCTIONS, ROWS
from .applying import check_running
from .members import in_turn

Rule = Callable[["Given"], Any]


class Given:
    """A call of a public function. arguments: by name, as they were given, defaults in the place of the others."""

    def __init__(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.function = function
        self.bound = _signature(function).bind(*args, **options)
        self.bound.apply_defaults()
        self.arguments = self.bound.arguments
        held = [x for x in trees.values([args, options]) if type(x) is Batched]
        self.level: Level = max([x.level for x in held], key=lambda level: level.depth)
        check_running(function.__name__, self.level)
        self.names = [name for name, x in self.arguments.items() if self.depends(x)]

    def depends(self, x: Any) -> bool:
        """Whether the argument differs by example."""
        return any([type(v) is Batched and v.level is self.level for v in trees.values([x])])

    def is_alone(self, *names: str) -> bool:
        """Whether no other arguments than these differ by example."""
        return all([name in names for name in self.names])

    def first(self) -> str:
        return next(iter(self.arguments))

    def full(self, x: Any) -> Any:
        """The values of all examples; repeated without a copy where they are the same."""
        if self.depends(x):
            return x.examples
        shape = np.shape(x) if not hasattr(x, "shape") else x.shape
        return FUNCTIONS["broadcast_to"](x, (self.level.size, *shape))

    def called(self, **changed: Any) -> Any:
        """What the function makes of the arguments, some of them changed."""
        bound = inspect.BoundArguments(self.bound.signature, self.arguments | changed)
        return self.function(*bound.args, **bound.kwargs)

    def lifted(self, made: Any) -> Any:
        """Values of all examples as one example sees them."""
        return trees.transform(lambda x: Batched(x, self.level), [made])[0]


@lru_cache(maxsize=256)
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


def _rule(kind: str) -> Callable[[Rule], Rule]:
    """Decorator: the rule of a kind. It returns values of all examples, or None where it does not fit."""

    def entered(rule: Rule) -> Rule:
        def call(function: Any, plain: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
            if not (ANYWHERE and running.levels):
                return plain(*args, **options)
            if not any([type(x) is Batched for x in trees.values([args, options])]):
                return plain(*args, **options)
            given = Given(function, args, options)
            made = rule(given)
            return in_turn(function, args, options) if made is None else given.lifted(made)

        RULES[kind] = call
        return rule

    return entered


def _axes(given: Given, x: Any, axis: Any) -> Any:
    found = all_axes(given.function.__name__, axis, x.shape)
    return tuple([k + 1 for k in found])


@_rule("along")
def along(given: Given) -> Any:
    """Along one axis of the first argument; for None of all its elements in a row."""
    name = "a" if given.function.__name__ == "compress" else given.first()
    x, axis = given.arguments[name], given.arguments["axis"]
    if not given.is_alone(name) or (axis is not None and not x.shape):
        return None
    if axis is None:
        flat = FUNCTIONS["reshape"](x.examples, (given.level.size, math.prod(x.shape)))
        return given.called(**{name: flat, "axis": 1})
    return given.called(**{name: x.examples, "axis": _axes(given, x, axis)[0]})


@_rule("reduced")
def reduced(given: Given) -> Any:
    """Over some axes, or all of them. The axes of fractions, as of quantiles, come first in the result."""
    name, axis = given.first(), given.arguments["axis"]
    x = given.arguments[name]
    if not given.is_alone(name) or given.arguments.get("where") is not None or not x.shape:
        return None
    axes = tuple(range(1, x.ndim + 1)) if axis is None else _axes(given, x, axis)
    if given.arguments.get("weights") is not None:
        return None
    made = given.called(**{name: x.examples, "axis": axes})
    n = np.ndim(given.arguments.get("q", 0))
    return FUNCTIONS["moveaxis"](made, n, 0) if n else made


@_rule("rolled")
def rolled(given: Given) -> Any:
    x, axis = given.arguments["x"], given.arguments["axis"]
    if not given.is_alone("x"):
        return None
    if axis is not None:
        return given.called(x=x.examples, axis=_axes(given, x, axis))
    flat = FUNCTIONS["reshape"](x.examples, (given.level.size, math.prod(x.shape)))
    if np.ndim(given.arguments["shift"]):
        return None
    return FUNCTIONS["reshape"](given.called(x=flat, axis=1), x.examples.shape)


@_rule("gathered")
def gathered(given: Given) -> Any:
    """`take`: the indices are part of the result's shape."""
    x, indices, axis = (given.arguments[name] for name in ("x", "indices", "axis"))
    if given.is_alone("x"):
        return along(given)
    if given.arguments["mode"] != "raise":
        return None
    f = FUNCTIONS
    x = f["astype"](x, x.dtype, copy=False) if hasattr(x, "dtype") else f["asarray"](x)
    x = f["reshape"](x, (math.prod(x.shape),)) if axis is None else x
    (k,) = all_axes("take", 0 if axis is None else axis, x.shape)
    front = f["moveaxis"](x, k, 0)
    made = front[indices] if type(front) is Batched else indexing.getitem(front, indices)
    made = f["moveaxis"](made, tuple(range(indices.ndim)), tuple(range(k, k + indices.ndim)))
    return made.examples


@_rule("taken")
def taken(given: Given) -> Any:
    x, indices, axis = (given.arguments[name] for name in ("x", "indices", "axis"))
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    x, indices = given.full(x), given.full(indices)
    if axis is None:
        return given.called(x=FUNCTIONS["reshape"](x, (given.level.size, math.prod(shape))), indices=indices, axis=1)
    (k,) = all_axes("take_along_axis", axis, shape)
    return None if x.ndim != indices.ndim else given.called(x=x, indices=indices, axis=k + 1)


@_rule("stacked")
def stacked(given: Given) -> Any:
    """Of one matrix: the function takes stacks of them."""
    name = given.first()
    x = given.arguments[name]
    if not given.is_alone(name) or x.ndim < 2:
        return None
    return given.called(**{name: x.examples})


@_rule("counted")
def counted(given: Given) -> Any:
    """Weights for each example, added at the same places."""
    x, weights = given.arguments["x"], given.arguments["weights"]
    if not given.is_alone("weights"):
        return None
    x = np.asarray(raw(operand("bincount", x)))
    if x.ndim != 1 or x.shape != weights.shape or x.dtype not in INTEGER or (x < 0).any() or not x.size:
        return None
    n = max(int(x.max()) + 1, given.arguments["minlength"])
    v = FUNCTIONS["astype"](weights, DEFAULT)
    return backend.apply(ROWS["scatter"], (v,), ((n,), (x.astype(np.intp),))).examples


@_rule("systems")
def systems(given: Given) -> Any:
    """Of one matrix and a vector, which becomes a matrix of one column, or another matrix."""
    a, b = [x if hasattr(x, "ndim") else np.asarray(x) for x in (given.arguments["a"], given.arguments["b"])]
    if not given.is_alone("a", "b") or a.ndim != 2 or b.ndim not in (1, 2):
        return None
    vector = b.ndim == 1
    a, b = given.full(a), given.full(b)
    made = given.called(a=a, b=FUNCTIONS["reshape"](b, (*b.shape, 1)) if vector else b)
    return FUNCTIONS["reshape"](made, b.shape) if vector else made


@_rule("pointwise")
def pointwise(given: Given) -> Any:
    """Each element by itself, of operands that broadcast: those of fewer axes are filled up behind the examples'."""
    name = given.function.__name__
    if name == "interp" and not given.is_alone("x"):
        return None
    ndim = max([x.ndim for x in trees.values([given.arguments[n] for n in given.names]) if type(x) is Batched])
    others = [x for x in trees.values(list(given.arguments.values())) if type(x) is not Batched]
    if name != "interp":
        ndim = max([ndim, *[np.ndim(x) if not hasattr(x, "ndim") else x.ndim for x in others]])
    return given.called(**{n: trees.transform(lambda x: _padded(given, x, ndim), [given.arguments[n]])[0]
                           for n in given.names})  # fmt: skip


def _padded(given: Given, x: Any, ndim: int) -> Any:
    if not given.depends(x):
        return x
    if x.ndim == ndim:
        return x.examples
    return FUNCTIONS["reshape"](x.examples, (given.level.size, *(1,) * (ndim - x.ndim), *x.shape))


@_rule("encoded")
def encoded(given: Given) -> Any:
    """`one_hot`, where the number of classes is given."""
    name = given.first()
    return None if given.arguments["num_classes"] == -1 else given.called(**{name: given.arguments[name].examples})


@_rule("of_numbers")
def of_numbers(given: Given) -> Any:
    """Losses of each element, and their sum or mean."""
    if given.arguments["reduction"] not in ("none", "mean", "sum"):
        return None
    tensors = {n: x for n, x in given.arguments.items() if hasattr(x, "shape")}
    ndim = max([x.ndim for x in tensors.values()])
    changed = {n: _padded(given, x, ndim) for n, x in tensors.items()}
    return _added(given, given.called(**changed, reduction="none"))


@_rule("of_rows")
def of_rows(given: Given) -> Any:
    """Losses of each row of a matrix, or of one row: the rows of all examples become those of one matrix."""
    tensors = {n: x for n, x in given.arguments.items() if hasattr(x, "shape") and n != "weight"}
    rows = next(iter(tensors.values())).ndim > 1
    if given.arguments["reduction"] not in ("none", "mean", "sum") or "weight" in given.names:
        return None
    if not rows:
        made = given.called(**{n: given.full(x) for n, x in tensors.items()}, reduction="none")
        return made
    folded = {n: _folded(given, x) for n, x in tensors.items()}
    made = given.called(**folded, reduction="none")
    return _added(given, FUNCTIONS["reshape"](made, (given.level.size, -1)))


def _added(given: Given, losses: Any) -> Any:
    reduction = given.arguments["reduction"]
    return losses if reduction == "none" else FUNCTIONS[reduction](losses, tuple(range(1, losses.ndim)))


def _folded(given: Given, x: Any) -> Any:
    x = given.full(x)
    return FUNCTIONS["reshape"](x, (x.shape[0] * x.shape[1], *x.shape[2:]))


@_rule("imaged")
def imaged(given: Given) -> Any:
    """Of a stack of images: those of all examples in one. A single image has no axis for that, and gets one."""
    arrays = {n: x for n, x in given.arguments.items() if n in ("input", "indices", "grid")}
    name = given.function.__name__
    axes = arrays["grid"].ndim - 2 if name == "grid_sample" else int(name[-2])
    is_stack = arrays["input"].ndim == axes + 2
    if not is_stack and (arrays["input"].ndim != axes + 1 or name == "grid_sample"):
        return None
    if not given.is_alone(*arrays):
        return None
    made = given.called(**{n: _folded(given, x) if is_stack else given.full(x) for n, x in arrays.items()})
    if not is_stack:
        return made
    n = given.level.size
    return trees.transform(lambda y: FUNCTIONS["reshape"](y, (n, y.shape[0] // n, *y.shape[1:])), [made])[0]

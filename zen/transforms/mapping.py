"""`vmap`: a function of one example, applied to all examples at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, batching, trees
from ..backend import Tensor
from ..batched import ANYWHERE, CALLER, Batched, Level, running
from ..ops.axes import one_axis
from ..ops.casting import copied
from ..ops.register import FUNCTIONS, ROWS, placed
from . import under_levels
from .levels import new_level, tensor, within
from .wrapper import Wrapper, check_chunk_size

assert batching and under_levels  # which give the engine and the transforms what they need

Axes = Any
"""None, an int, or a container of these."""


def vmap(
    f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that applies `f`, a function of one example, to all examples at once.

    in_axes: where the examples lie in each argument: an int for all, or a tuple with an entry for each positional
    argument: an int, None for one that is the same for all examples, or a container of these for a nested one. Keyword
    arguments have the examples along their first axis.
    out_axes: where the examples lie in each result, likewise; None for one that does not depend on the example.
    chunk_size: how many examples are computed at a time, all if None: so many times the memory of one are needed.

    Operations of `f` are carried out on all examples together, so what they cost besides arithmetic is paid once.
    `zen.random` gives each example numbers of its own. Where `f` does what cannot be carried out together, as a
    condition on values or a write into an array from outside, `f` runs once for each example, and a warning says why;
    this warning is given once for each result of `vmap`. Nests with itself and the other transforms:
    `zen.vmap(zen.grad(loss), (None, 0, 0))` gives the gradient of each example. Results are NumPy arrays, or Tensors
    where an argument is a Tensor or one that `f` uses requires a gradient.

    Raises ValueError where `in_axes` and `out_axes` do not fit, and for examples of unequal number; AxisError for an
    axis out of range.

    >>> import numpy as np, zen
    >>> zen.vmap(np.dot)(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])).tolist()
    [3.0, 8.0]
    >>> w, x = np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.0, 3.0]])
    >>> zen.vmap(zen.grad(lambda w, x: (w @ x) ** 2), (None, 0))(w, x).tolist()
    [[2.0, 0.0], [0.0, 36.0]]
    """
    return _Mapped(f, in_axes, out_axes, chunk_size)


class _Mapped(Wrapper):
    """What `vmap` returns."""

    _name = "vmap"

    def __init__(self, f: Callable[..., Any], in_axes: Axes, out_axes: Axes, chunk_size: int | None) -> None:
        Wrapper.__init__(self, f)
        check_chunk_size("vmap", chunk_size)
        for name, axes in (("in_axes", in_axes), ("out_axes", out_axes)):
            for _, leaf in trees.leaves(axes):
                if isinstance(leaf, bool) or not isinstance(leaf, (int, np.integer)):
                    raise TypeError(f"vmap: {name} holds {leaf!r}; it takes ints, None, and containers of these")
        if isinstance(in_axes, list):
            in_axes = tuple(in_axes)
        self._f, self._in_axes, self._out_axes, self._chunk_size = f, in_axes, out_axes, chunk_size
        self._in_turn = False

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        call = _Call(self._in_axes, args, kwargs)
        as_array = not call.took_tensors
        if self._chunk_size is not None and self._chunk_size < call.size:
            parts = [self._run(call.part(k, k + self._chunk_size)) for k in range(0, call.size, self._chunk_size)]
            made = _joined(parts)
        else:
            made = self._run(call)
        return self._placed(made, call.size, as_array)

    def _run(self, call: _Call) -> Any:
        """The results with the examples along their first axis, where they depend on them: `_Result` leaves."""
        if not self._in_turn:
            level = new_level(call.size)
            ANYWHERE.append(level)
            try:
                with within((*running.levels, level)):
                    out = self._f(*call.lifted(level), **call.lifted_keywords(level))
                return trees.transform(lambda x: _Result.of(x, level), [out])[0]
            except Exception as error:
                if not call.size:
                    raise
                reason = error
            finally:
                ANYWHERE.remove(level)
            made = self._one_by_one(call)
            self._in_turn = True
            warnings.warn(
                f"vmap: {getattr(self, '__qualname__', 'the function')} runs once for each example: "
                f"{type(reason).__name__}: {reason}",
                UserWarning,
                stacklevel=3,
            )
            return made
        return self._one_by_one(call)

    def _one_by_one(self, call: _Call) -> Any:
        found = [self._f(*call.example(b), **call.example_keywords(b)) for b in range(call.size)]
        first = found[0]
        for other in found[1:]:
            if not trees.same_structure(first, other):
                raise ValueError("vmap: the function returns containers of other structure for some examples")
        parts = [trees.values(tree) for tree in found]
        stacked = [_Result(_stacked(list(group)), True) for group in zip(*parts, strict=True)]
        return trees.rebuild(first, stacked)

    def _placed(self, tree: Any, size: int, as_array: bool) -> Any:
        """The results as the caller gets them."""
        axes = _spread("out_axes", self._out_axes, tree, "the result")
        values = [
            _settled(result.placed(axis, size, path), as_array)
            for axis, (path, result) in zip(axes, trees.leaves(tree, "the result"), strict=True)
        ]
        return trees.rebuild(tree, values)

    def _parts(self) -> tuple[Any, ...]:
        return self._f, self._in_axes, self._out_axes, self._chunk_size


class _Call:
    """The arguments of one call. axes: for each leaf where its examples lie, None for one that is the same for all."""

    def __init__(self, in_axes: Axes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(f"vmap: in_axes has {len(in_axes)} entries for {len(args)} positional arguments")
        self.values: list[Any] = []
        self.mapped: list[bool] = []
        self.took_tensors = any([isinstance(x, (Tensor, Batched)) for x in trees.values([list(args), kwargs])])
        sizes: dict[int, str] = {}
        axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
        for k, (a, tree) in enumerate(zip(axes, args, strict=True)):
            self._enter(_spread("in_axes", a, tree, f"argument {k}"), tree, f"argument {k}", sizes)
        self.positional = len(self.values)
        for name, tree in kwargs.items():
            self._enter(_spread("in_axes", 0, tree, name), tree, f"argument {name}", sizes)
        if not sizes:
            raise ValueError("vmap: no argument has examples: every entry of in_axes is None")
        if len(sizes) > 1:
            text = ", ".join([f"{path} has {n}" for n, path in sizes.items()])
            raise ValueError(f"vmap: the arguments have examples of unequal number: {text}")
        self.size = next(iter(sizes))

    def _enter(self, axes: list[Any], tree: Any, name: str, sizes: dict[int, str]) -> None:
        for axis, (path, leaf) in zip(axes, trees.leaves(tree, name), strict=True):
            self.mapped.append(axis is not None)
            if axis is None:
                self.values.append(leaf)
                continue
            try:
                x = tensor(leaf)
            except TypeError:
                raise TypeError(
                    f"vmap: {path} is {type(leaf).__name__}, which has no examples; give None for it in in_axes"
                ) from None
            if not x.ndim:
                raise ValueError(f"vmap: {path} is a single number, which has no examples; give None for it in in_axes")
            k = one_axis(f"vmap: {path}", axis, x.shape)
            sizes.setdefault(x.shape[k], path)
            self.values.append(x if k == 0 else FUNCTIONS["moveaxis"](x, k, 0))

    def part(self, first: int, last: int) -> _Call:
        """The same for some of the examples."""
        made = object.__new__(_Call)
        made.__dict__.update(self.__dict__)
        made.size = min(last, self.size) - first
        made.values = [x[first:last] if m else x for x, m in zip(self.values, self.mapped, strict=True)]
        return made

    def _built(self, values: list[Any]) -> tuple[Any, dict[str, Any]]:
        rest = iter(values)
        args = tuple([trees.rebuild(a, [next(rest) for _ in trees.values(a)]) for a in self.args])
        return args, {k: trees.rebuild(a, [next(rest) for _ in trees.values(a)]) for k, a in self.kwargs.items()}

    def lifted(self, level: Level) -> Any:
        return self._built(self._batched(level))[0]

    def lifted_keywords(self, level: Level) -> dict[str, Any]:
        return self._built(self._batched(level))[1]

    def _batched(self, level: Level) -> list[Any]:
        found = []
        for x, m in zip(self.values, self.mapped, strict=True):
            if m:
                x = Batched(x, level)
                x.shared = CALLER
            found.append(x)
        return found

    def example(self, b: int) -> Any:
        return self._built([x[b] if m else x for x, m in zip(self.values, self.mapped, strict=True)])[0]

    def example_keywords(self, b: int) -> dict[str, Any]:
        return self._built([x[b] if m else x for x, m in zip(self.values, self.mapped, strict=True)])[1]


class _Result:
    """A leaf of what the function returned: `value`, `mapped` with the examples along its first axis."""

    def __init__(self, value: Any, mapped: bool) -> None:
        self.value, self.mapped = value, mapped

    @staticmethod
    def of(x: Any, level: Level) -> _Result:
        if type(x) is Batched and x.level is level:
            return _Result(x.examples, True)
        return _Result(x, False)

    def placed(self, axis: Any, size: int, path: str) -> Any:
        if axis is None:
            if self.mapped:
                raise ValueError(f"vmap: out_axes is None for {path}, but it depends on the example; give it an axis")
            return self.value
        x = _one_result(self.value)
        if not self.mapped:
            x = backend.apply(ROWS["broadcast_to"], (x,), ((size, *x.shape),))
        k = one_axis(f"vmap: {path}", axis, x.shape)
        return x if k == 0 else FUNCTIONS["moveaxis"](x, 0, k)


def _spread(name: str, axes: Axes, tree: Any, path: str) -> list[Any]:
    """An axis for each leaf of the tree: `axes` is one for all, or has the structure of the tree's upper part."""
    if axes is None or isinstance(axes, (int, np.integer)):
        return [axes] * len(trees.values(tree))
    fits = isinstance(axes, dict) == isinstance(tree, dict) and isinstance(tree, (dict, list, tuple))
    if not fits or len(axes) != len(tree) or (isinstance(tree, dict) and axes.keys() != tree.keys()):
        raise ValueError(f"vmap: {name} does not have the structure of {path}: {axes!r}")
    keys: Sequence[Any] = list(tree) if isinstance(tree, dict) else range(len(tree))
    return [axis for key in keys for axis in _spread(name, axes[key], tree[key], f"{path}[{key!r}]")]


def _one_result(x: Any) -> Tensor:
    """What the function returned for one example, or for each."""
    if hasattr(getattr(x, "sparsity", x), "nnz"):
        raise TypeError(
            f"vmap: the function returns {type(x).__name__}, and sparse derivatives are of one example and are not "
            "stacked; return .toarray() of the matrix, take zen.jacobian or zen.hessian, or loop over the examples"
        )
    made: Tensor = tensor(x)
    return made


def _stacked(parts: list[Any]) -> Any:
    values = [_one_result(x) for x in parts]
    shapes = {x.shape for x in values}
    if len(shapes) > 1:
        text = " and ".join([str(s) for s in sorted(shapes)[:2]])
        raise ValueError(f"vmap: the function returns arrays of unequal shapes for some examples: {text}")
    return FUNCTIONS["stack"](values)


def _joined(parts: list[Any]) -> Any:
    """The results of all chunks."""
    leaves = [trees.values(tree) for tree in parts]
    found = []
    for group in zip(*leaves, strict=True):
        first = group[0]
        found.append(_Result(FUNCTIONS["concat"]([r.value for r in group]), True) if first.mapped else first)
    return trees.rebuild(parts[0], found)


def _settled(x: Any, as_array: bool) -> Any:
    """An array where nothing asks for a Tensor."""
    if not isinstance(x, Tensor):
        return x
    if as_array and not x.requires_grad:
        return copied(x._array)
    return x


for _function in (vmap,):
    placed(_function, "zen", _function.__name__)

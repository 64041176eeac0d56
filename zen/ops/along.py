"""Python functions of parts of arrays: along an axis, over axes, of every element, of every place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Never

import numpy as np

from ..backend import Tensor, wrap
from .arguments import refuse
from .axes import common_shape, one_axis, one_shape
from .casting import astype
from .joining import stack
from .operands import operand
from .register import placed, public
from .shape import broadcast_to, expand_dims, moveaxis, reshape

Function = Callable[..., Any]


@public(method=None)
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`func1d(line, *args, **kwargs)` of every line of `arr` along `axis`; the results stand in the place of the axis.

    func1d: gets Tensors of one dimension and returns Tensors, arrays or numbers of one shape. Raises ValueError where
    there is no line, AxisError for an axis out of range.

    >>> zen.f.apply_along_axis(lambda line: line[0] * line, 1, zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [9.0, 12.0]]
    """
    x = _tensor("apply_along_axis", arr)
    k = one_axis("apply_along_axis", axis, x.shape)
    lines = moveaxis(x, k, -1)
    outer = lines.shape[:-1]
    if 0 in outer:
        raise ValueError(f"apply_along_axis: shape {x.shape} has no lines along axis {k}")
    found = [operand("apply_along_axis", func1d(lines[place], *args, **kwargs)) for place in np.ndindex(outer)]
    shape = found[0].shape
    made = reshape(stack(found), (*outer, *shape))
    n = len(shape)
    return moveaxis(made, tuple(range(made.ndim - n, made.ndim)), tuple(range(k, k + n)))


@public(method=None)
def apply_over_axes(func: Any, a: Any, axes: Any, **unknown: Never) -> Any:
    """`func(a, axis)` for one axis after the other; an axis that it takes out stays at length 1.

    Raises ValueError where the result of func has neither as many dimensions as before nor one less.

    >>> zen.f.apply_over_axes(zen.f.sum, zen.ones((2, 3, 2)), [0, 2]).tolist()
    [[[4.0], [4.0], [4.0]]]
    """
    if unknown:
        refuse(apply_over_axes, unknown)
    value = _tensor("apply_over_axes", a)
    for axis in one_shape("apply_over_axes", axes):
        k = one_axis("apply_over_axes", axis, value.shape)
        found = _tensor("apply_over_axes", func(value, k))
        if found.ndim == value.ndim - 1:
            found = expand_dims(found, k)
        if found.ndim != value.ndim:
            raise ValueError(f"apply_over_axes: of shape {value.shape} the function made shape {found.shape}")
        value = found
    return value


@public(method=None)
def fromfunction(function: Any, shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """`function(i, j, ..., **kwargs)` of the positions in an array of this shape, each of them a Tensor.

    >>> t = zen.tensor(2.0)
    >>> zen.f.fromfunction(lambda i, j: i + t * j, (2, 2)).tolist()
    [[0.0, 2.0], [1.0, 3.0]]
    """
    positions = np.indices(one_shape("fromfunction", shape), dtype=dtype)
    return function(*[wrap(p.copy()) for p in positions], **kwargs)


class vectorize:  # noqa: N801  NumPy's name
    """A Python function of single elements as one of arrays that broadcast, as `numpy.vectorize`; differentiable.

    pyfunc: gets 0-d Tensors and returns numbers or Tensors, or a tuple of them. otypes: the dtypes of the results, as
    one letter or dtype for each; needed where there are no elements. doc: the docstring. excluded: positions and names
    of arguments to hand on as they are. signature: as "(n),(n)->()", for a function of vectors or matrices. cache:
    accepted; the function is never called to find out what it returns.

    >>> import zen
    >>> zen.vectorize(lambda x, y: x * y if x > y else y)(zen.tensor([1.0, 4.0]), 3.0).tolist()
    [3.0, 12.0]
    """

    def __init__(
        self,
        pyfunc: Function | None = None,
        otypes: Any = None,
        doc: str | None = None,
        excluded: Any = None,
        cache: bool = False,
        signature: str | None = None,
    ) -> None:
        self.pyfunc, self.cache, self.signature = pyfunc, cache, signature
        self.otypes = None if otypes is None else [np.dtype(o) for o in otypes]
        self.excluded = set(excluded or ())
        self.cores = None if signature is None else _cores(signature)
        if pyfunc is not None:
            self.__name__ = getattr(pyfunc, "__name__", "vectorize")
            self.__doc__ = pyfunc.__doc__ if doc is None else doc

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.pyfunc is None:  # a decorator with options
            self.__init__(  # type: ignore[misc]
                *args, self.otypes, None, self.excluded, self.cache, self.signature, **kwargs
            )
            return self
        names = [key for key in kwargs if key not in self.excluded]
        places = [k for k in range(len(args)) if k not in self.excluded]
        operands = [_tensor("vectorize", args[k]) for k in places] + [
            _tensor("vectorize", kwargs[key]) for key in names
        ]
        core = [0] * len(operands) if self.cores is None else [len(c) for c in self.cores[0]]
        if len(core) != len(operands):
            raise TypeError(f"vectorize: signature {self.signature!r} takes {len(core)} arguments, not {len(operands)}")
        outer = common_shape("vectorize", *[x.shape[: x.ndim - n] for x, n in zip(operands, core, strict=True)])
        spread = [broadcast_to(x, outer + x.shape[x.ndim - n :]) for x, n in zip(operands, core, strict=True)]
        found = [self._one(args, kwargs, places, names, [x[place] for x in spread]) for place in np.ndindex(outer)]
        return self._joined(found, outer)

    def _one(self, args: Any, kwargs: Any, places: list[int], names: list[str], parts: list[Any]) -> Any:
        given, named = list(args), dict(kwargs)
        for k, part in zip(places, parts, strict=False):
            given[k] = part
        named.update(zip(names, parts[len(places) :], strict=True))
        assert self.pyfunc is not None
        return self.pyfunc(*given, **named)

    def _joined(self, found: list[Any], outer: tuple[int, ...]) -> Any:
        if not found:
            if self.otypes is None:
                raise ValueError("vectorize: there are no elements, so nothing says the dtype; give otypes=")
            made = [wrap(np.zeros(outer, dtype)) for dtype in self.otypes]
            return made[0] if len(made) == 1 else tuple(made)
        several = isinstance(found[0], tuple)
        columns = list(zip(*found, strict=True)) if several else [found]
        made = []
        for k, column in enumerate(columns):
            parts = [operand("vectorize", y) for y in column]
            joined = reshape(stack(parts), outer + parts[0].shape)
            made.append(joined if self.otypes is None else astype(joined, self.otypes[k], copy=False))
        return tuple(made) if several else made[0]


placed(vectorize, "zen", "vectorize")


def _tensor(name: str, x: Any) -> Tensor:
    found = operand(name, x)
    return found if isinstance(found, Tensor) else wrap(np.array(found))


def _cores(signature: str) -> tuple[list[list[str]], list[list[str]]]:
    """The names of the axes that each argument, and each result, has of its own."""
    sides = "".join(signature.split()).split("->")
    group = r"\([\w,]*\)"
    if len(sides) != 2 or not all([re.fullmatch(rf"{group}(,{group})*", side) for side in sides]):
        raise ValueError(f"vectorize: {signature!r} is no signature; write one as '(m,n),(n)->(m)'")
    before, after = [[[n for n in g.split(",") if n] for g in re.findall(r"\(([\w,]*)\)", side)] for side in sides]
    return before, after

"""Between what a `vmap` shows a function, one example, and the Tensors that hold all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import backend, trees
from ..backend import Tensor
from ..batched import ANYWHERE, Batched, Level, running
from ..conversion import convert
from ..ops.register import ROWS

Levels = tuple[Level, ...]


@contextmanager
def within(levels: Levels) -> Iterator[None]:
    """Run with these levels, whatever runs now."""
    before, running.levels = running.levels, levels
    try:
        yield
    finally:
        running.levels = before


def new_level(size: int) -> Level:
    """A level within those that run."""
    return Level(size, running.levels[-1].depth + 1 if running.levels else 0)


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function of the user's makes of these, which a pass calls: of the levels by which one of them differs.

    Others that run now are not the function's, whatever runs the pass: transforms in it are to know nothing of them.
    """
    if not (ANYWHERE and running.levels):
        return function(*args, **kwargs)
    with within(tuple([level for level in running.levels if is_mapped_by([args, kwargs], (level,))])):
        return function(*args, **kwargs)


def tensor(value: Any) -> Any:
    """A leaf of a tree as a Tensor or Batched. An array is borrowed: the user may write to it before it is read."""
    if isinstance(value, (Tensor, Batched)):
        return value
    array = convert(value)
    shares = array is value or array.base is not None
    return backend.wrap(backend.borrow(array) if shares else array)


def lowered(value: Any, levels: Levels) -> Tensor:
    """The Tensor of all examples, with an axis for each level in front; what is the same for all is repeated."""
    value = tensor(value)
    for level in reversed(levels):
        if type(value) is Batched and value.level is level:
            value = value.examples
        else:
            value = backend.apply(ROWS["broadcast_to"], (value,), ((level.size, *value.shape),))
    if type(value) is Batched:
        raise RuntimeError(
            "a value of one call of vmap was used after it, or in another thread; return it from the function instead"
        )
    return value  # type: ignore[no-any-return]


def lifted(value: Any, levels: Levels) -> Any:
    """`value`, with an axis for each level in front, as one example sees it."""
    for level in levels:
        value = Batched(value, level)
    return value


def moved_behind(value: Any, first: Levels, then: Levels) -> Any:
    """The examples of `first`, a part of `then`, as the leading axes of a value that only the other levels map."""
    later = tuple([level for level in then if level not in first])
    full = lowered(value, then)
    n, m = len(first), len(later)
    order = (*range(n, n + m), *range(n), *range(n + m, full.ndim))
    return lifted(backend.apply(ROWS["permute_dims"], (full,), (order,)), later)


def is_mapped_by(tree: Any, levels: Levels) -> bool:
    """Whether a leaf of the tree is of one of the levels."""
    return any([_depends(x, levels) for x in trees.values(tree)])


def _depends(x: Any, levels: Levels) -> bool:
    while type(x) is Batched:
        if x.level in levels:
            return True
        x = x.examples
    return False

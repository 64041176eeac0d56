"""The value of a variable in all examples of a `vmap` at once, as operations see it: shape and dtype of one example.

Operations take it as an operand like any other; the engine hands it on to `zen/batching/`, which says what becomes of
each row. What reads the values themselves, as `float(x)` and `np.asarray(x)` do, raises `Unbatched`: they differ by
example. Then `vmap` runs the function once for each example.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Never

import numpy as np


class Unbatched(Exception):
    """What the function did has a result for one example, not for all at once."""


class Level:
    """One running `vmap`. Those that began later lie within those that began earlier, and have a higher depth."""

    __slots__ = ("depth", "size")

    def __init__(self, size: int, depth: int) -> None:
        self.size, self.depth = size, depth


class _Running(threading.local):
    levels: tuple[Level, ...] = ()


running = _Running()
"""The levels of this thread, the outermost first."""
ANYWHERE: list[Level] = []
"""The levels of all threads: what is not looked for elsewhere costs nothing where this is empty."""

WITHIN: dict[str, Any] = {}
"""What `grad`, `vjp`, `jvp` and `linearize` are within a `vmap`: `zen/transforms/under_levels.py` enters them."""


CALLER = object()
"""What an argument of the mapped function shares: the memory of the caller, who would see what is written to it."""


class Batched:
    """`examples`, a Tensor or a Batched of an outer level, whose first axis numbers the examples of `level`.

    shared: None, or what it shares with all others that see the same memory.

    Tensors have no attribute of that name: `x.value`, which they have, is of one example.
    """

    __slots__ = ("__weakref__", "examples", "level", "shared")
    __array_priority__ = 1000

    def __init__(self, examples: Any, level: Level) -> None:
        self.examples, self.level = examples, level
        self.shared: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.examples.shape[1:]  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return int(self.examples.ndim) - 1

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.intp))

    @property
    def dtype(self) -> np.dtype:
        found: np.dtype = self.examples.dtype
        return found

    @property
    def requires_grad(self) -> bool:
        return bool(self.examples.requires_grad)

    def __repr__(self) -> str:
        return f"Batched({self.level.size} examples of shape {self.shape}, dtype={self.dtype})"

    def __hash__(self) -> int:
        return id(self)

    if TYPE_CHECKING:  # which `zen/batching/members.py` attaches

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, key: Any) -> Any: ...


def _refusing(what: str) -> Any:
    def refuse(self: Batched, *_: Any, **__: Any) -> Never:
        raise Unbatched(f"{what} reads a value that differs by example")

    return refuse


for _name, _what in {
    "__float__": "float()", "__int__": "int()", "__bool__": "a condition", "__index__": "an index",
    "__complex__": "complex()", "__array__": "conversion to an array", "__iter__": "iteration", "__contains__": "in",
    "__round__": "round()", "__format__": "formatting", "__dlpack__": "DLPack",
}.items():  # fmt: skip
    setattr(Batched, _name, _refusing(_what))

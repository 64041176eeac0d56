"""What a function recorded: where it came from, and a number that tells whether it did the same when it ran again.

Its derivative depends on the rows applied, on their parameters, and on what these saved. Of the latter only that is
read which is not computed from the arguments alone: constants, as arrays of a closure are, and the first values that
they had an influence on. The others follow from these.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor
from ..ops.register import ROWS


def origins(outputs: list[Tensor], own: Container[Any], oldest: int) -> tuple[list[Any], list[Any]]:
    """`(outside, inside)`: the nodes that the outputs came from, and those between.

    The first were there before sequence number `oldest`, or are leaves that the function made itself. `own` ones, and
    what these came from, are left out.
    """
    outside: dict[Any, None] = {}
    inside: dict[Any, None] = {}
    pending = [t.node for t in outputs]
    while pending:
        node = pending.pop()
        if node is None or node in inside or node in outside or node in own:
            continue
        if node.seq < oldest or node.row is None:
            outside[node] = None
        else:
            inside[node] = None
            pending.extend(node.inputs)
    return list(outside), list(inside)


class Recording:
    """What was recorded since sequence number `oldest`, on the way from the variables `own` to `outputs`.

    free: the nodes of others that it came from. digest: of what was recorded, and of the outputs.
    """

    def __init__(self, outputs: list[Tensor], own: list[Tensor], oldest: int) -> None:
        self.own = {t.node: k for k, t in enumerate(own) if t.node is not None}
        self.outside, inside = origins(outputs, self.own, oldest)
        # Leaves that are new may be there when the function runs again, as parameters that it makes with the first
        # call are; the variables of transforms in it are not.
        self.free = [n for n in self.outside if n.seq < oldest or not n.closed]
        self.digest = hash((self._of_nodes(sorted(inside, key=lambda n: n.seq)), tuple([_of(t) for t in outputs])))

    def _of_nodes(self, nodes: list[Any]) -> int:
        numbers = {node: (0, k) for node, k in self.own.items()}
        numbers |= {node: (1, k) for k, node in enumerate(self.outside)}
        numbers |= {node: (2, k) for k, node in enumerate(nodes)}
        influenced: set[Any] = set(self.outside)
        found = []
        for node in nodes:
            inputs = tuple([None if n is None else numbers[n] for n in node.inputs])
            moving = [k for k, n in enumerate(node.inputs) if n is None or n in influenced]
            if not (moving or node.row.is_output or ROWS.get(node.row.name) is node.row):
                moving = list(range(len(inputs)))  # an operation of the user's own, which may read what it likes
            saved: Any = node.saved if moving else ()
            if len(saved) > len(inputs) and node.row.workspace:
                saved = saved[: -node.row.workspace]
            found.append((node.row.name, inputs, _of(node.params), _of(saved), node.shape))
            if moving and not _tells(node, moving):
                influenced.add(node)
        return hash(tuple(found))


def _tells(node: Any, moving: list[int]) -> bool:
    """Whether what an elementwise node saved says what its result is."""
    saved = node.saved
    if not node.row.elementwise or node.row.variadic:
        return False
    return _is_full(saved[len(node.inputs)]) or all([_is_full(saved[k]) for k in moving])


def _is_full(x: Any) -> bool:
    return not (x is None or isinstance(x, Shaped))


def _of(x: Any) -> int:
    """A number for what was saved, or is a parameter: of other objects that they are there."""
    if x is None or isinstance(x, Shaped):
        return 0  # nothing was saved
    if isinstance(x, Tensor):
        x = x._array
    if isinstance(x, np.ndarray) and not x.dtype.hasobject:
        return hash((backend.digest(x), x.shape, x.dtype.str))
    if isinstance(x, (list, tuple)):
        return hash(tuple([_of(part) for part in x]))
    if isinstance(x, dict):
        return hash(tuple([(_of(key), _of(part)) for key, part in x.items()]))
    if isinstance(x, slice):
        return hash((_of(x.start), _of(x.stop), _of(x.step)))
    if isinstance(x, (int, float, complex, str, bytes, np.generic)):
        return hash((type(x).__name__, repr(x)))
    return hash(type(x).__name__)

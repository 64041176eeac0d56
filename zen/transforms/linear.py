"""`linearize`: the derivative of a function at a point, as a function of tangents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import ANYWHERE, WITHIN, Batched, running
from ..ops.register import placed
from . import batched_passes
from .forward import ARRAYS, TENSORS, directions_of, owned, push_through, zero_tangent
from .variables import Variables, results
from .wrapper import Recorded


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """`(f(*primals), push)`, where `push(*tangents)` is the derivative of `f` at `primals` in a direction.

    The function runs once; each `push` is a pass through what it recorded, and costs about as much as `f`. Structures
    and types are as in `zen.jvp`. In `zen.vmap(push)` all directions go through in one pass.

    >>> import numpy as np, zen
    >>> y, push = zen.linearize(lambda x: x * x, np.array([1.0, 2.0]))
    >>> y.tolist(), push(np.array([1.0, 0.0])).tolist(), push(np.array([0.0, 1.0])).tolist()
    ([1.0, 4.0], [2.0, 0.0], [0.0, 4.0])
    """
    if ANYWHERE and running.levels:
        return WITHIN["linearize"](f, primals)  # type: ignore[no-any-return]
    variables = Variables("linearize", primals, range(len(primals)))
    out = variables.call(f, {})
    outputs = results("linearize", out)
    connected = variables.connected(outputs)
    took_tensors = variables.took_tensors

    def push(*tangents: Any) -> Any:
        if ANYWHERE and any([type(t) is Batched for t in trees.values(tangents)]):
            return _pushed_many(variables, outputs, out, primals, tangents, connected)
        directions = directions_of("linearize", primals, tangents, variables.tensors)
        linked = connected or any([isinstance(t, Tensor) and t.requires_grad for t in directions])
        if linked and backend.grad_enabled():
            directions = [TENSORS.fit(d, t.node) for d, t in zip(directions, variables.tensors, strict=True)]
            made = push_through(outputs, variables.tensors, directions, TENSORS)
            return trees.rebuild(out, [owned(variables, t, p) for t, p in zip(outputs, made, strict=True)])
        as_tensors = took_tensors or connected or any([isinstance(t, Tensor) for t in directions])
        made = push_through(outputs, variables.tensors, directions, ARRAYS)
        made = [zero_tangent(t) if p is None else p for t, p in zip(outputs, made, strict=True)]
        return trees.rebuild(out, [backend.wrap(p) if as_tensors else p for p in made])

    return variables.settled(out, connected, not took_tensors), Recorded("linearize", push)


def _pushed_many(
    variables: Variables, outputs: list[Tensor], out: Any, primals: Any, tangents: Any, connected: bool
) -> Any:
    found = trees.matched(primals, tangents)
    if found is None or any([np.shape(t) != v.shape if not hasattr(t, "shape") else t.shape != v.shape
                             for t, v in zip(found, variables.tensors, strict=True)]):  # fmt: skip
        raise ValueError("linearize: the tangents do not have the structure and shapes of the primals")
    recorded = backend.grad_enabled() and (connected or any([getattr(t, "requires_grad", False) for t in found]))
    directions = [t if type(t) is Batched else backend.wrap(np.asarray(getattr(t, "_array", t), v.dtype))
                  for t, v in zip(found, variables.tensors, strict=True)]  # fmt: skip
    made = batched_passes.push(outputs, variables.tensors, directions, recorded)
    made = [backend.wrap(zero_tangent(t)) if p is None else p for t, p in zip(outputs, made, strict=True)]
    return trees.rebuild(out, made)


for _function in (linearize,):
    placed(_function, "zen", _function.__name__)

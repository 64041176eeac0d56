"""Operations with a forward derivative of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import ANYWHERE, Batched
from ..batching.members import in_turn
from ..dtypes import DIFFERENTIABLE
from ..ops.operands import raw
from ..ops.register import placed
from .closures import pulled
from .custom_arguments import Arguments
from .levels import called
from .wrapper import Wrapper


class custom_jvp(Wrapper):  # noqa: N801 - used as a decorator
    """An operation whose derivative you write: a function of NumPy arrays, and the tangent of its result.

    The function gets its positional arguments with arrays in the place of Tensors, which may lie in nested containers,
    and returns an array or a nested container of arrays; calling the operation gives Tensors in their place. The rule
    is called as `jvp(primals, tangents, **keywords)` with two tuples that have the structure of the positional
    arguments, and returns `(result, tangent)`. Where an argument has no tangent it gets zeros; for what is no number,
    None. The rule has to be linear in the tangents. Reverse mode transposes it: then, and where a derivative is
    differentiated, it gets Tensors, and is to be written with zen's functions or NumPy functions that dispatch to them.
    Keyword arguments are passed through and take no part in derivatives. Arrays given to either function must not be
    written to. The rule is given the arguments as they were when the operation was called, or a RuntimeError tells that
    an array was overwritten. In a `vmap` the operation runs for each example.

    Raises TypeError where the function uses a Tensor that requires a gradient and is no argument.

    >>> import numpy as np, zen
    >>> @zen.custom_jvp
    ... def cube(x):
    ...     return x**3
    >>> @cube.defjvp
    ... def _(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return cube(x), 3 * x * x * t
    >>> float(zen.jvp(cube, (2.0,), (1.0,))[1]), float(zen.grad(cube)(2.0)), float(zen.grad(zen.grad(cube))(2.0))
    (12.0, 12.0, 12.0)
    """

    _name = "custom_jvp"

    def __init__(self, function: Callable[..., Any], jvp: Callable[..., Any] | None = None) -> None:
        super().__init__(function)
        self._name = getattr(function, "__name__", type(function).__name__)
        self._function = function
        self._jvp: Callable[..., Any] | None = None
        if jvp is not None:
            self.defjvp(jvp)

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Give the operation its rule `jvp(primals, tangents)`; returns it, so it is a decorator."""
        if not callable(jvp):
            raise TypeError(f"{self._name}: defjvp takes a function, not {type(jvp).__name__}")
        self._jvp = jvp
        return jvp

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        if ANYWHERE and any([type(x) is Batched for x in trees.values([list(args), keywords])]):
            return in_turn(self, args, keywords)
        call = _Call(self, Arguments(self._name, args, keywords, True))
        given, out = call.arguments, call.evaluated()
        row = backend.Row(
            self._name, len(given.operands), lambda *_: tuple(call.results),
            lambda: ((call.pull,), (call.reads(),)), joint=True, several=-1, tangents=(call.push,),
        )  # fmt: skip
        made = backend.apply(row, tuple(given.operands), (tuple(given.arrays),))
        return trees.rebuild(out, made)

    def __repr__(self) -> str:
        return f"<zen.custom_jvp {self._name}>"

    def _parts(self) -> tuple[Any, ...]:
        return self._function, self._jvp


class _Call:
    """One call: its arguments, and `results`, the arrays that it gave."""

    def __init__(self, operation: custom_jvp, arguments: Arguments) -> None:
        self.operation, self.arguments = operation, arguments

    def evaluated(self) -> Any:
        out = self.arguments.evaluated(self.operation._name, self.operation._function)
        self.structure = trees.transform(lambda x: 0, [out])
        self.results = trees.values([out])
        return self.structure[0]

    def reads(self) -> tuple[int, ...]:
        return (*[2] * len(self.arguments.operands), 1)

    def ruled(self, primals: Any, tangents: Any, arrays: Any) -> list[Any]:
        """The tangents of the results, by the rule."""
        name, rule = self.operation._name, self.operation._jvp
        if rule is None:
            raise RuntimeError(
                f"{name}: the operation has no derivative; define it with @{name}.defjvp as a function of (primals, "
                "tangents)"
            )
        given = self.arguments
        found = called(rule, given.positional(primals), given.positional(tangents, False), **given.named(arrays))
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise TypeError(f"{name}: the jvp returned {type(found).__name__}; it must return (result, tangent)")
        parts = trees.matched(self.structure[0], found[1])
        if parts is None:
            raise ValueError(f"{name}: the tangent that the jvp returned does not have the structure of the result")
        for k, (part, y) in enumerate(zip(parts, self.results, strict=True)):
            shape = part.shape if hasattr(part, "shape") else np.shape(part)
            if shape != y.shape:
                raise ValueError(
                    f"{name}: the jvp returned a tangent of shape {shape} for result {k + 1}, whose shape is {y.shape}"
                )
        return parts

    def push(self, moving: dict[int, Any], saved: Any, arrays: Any) -> Any:
        """The tangents of the results, as arrays."""
        primals = list(saved[: len(self.arguments.operands)])
        tangents = [moving[k] if k in moving else np.zeros(np.shape(x)) for k, x in enumerate(primals)]
        found = backend.call_recording(True, self.ruled, primals, tangents, arrays)
        for t in found:
            if isinstance(t, Tensor) and t.requires_grad:
                raise TypeError(
                    f"{self.operation._name}: the jvp uses a Tensor that requires a gradient and is no argument: its "
                    "gradient would be lost; pass it as an argument, or use its detach()"
                )
        return tuple([np.asarray(raw(t), y.dtype if y.dtype in DIFFERENTIABLE else None)
                      for t, y in zip(found, self.results, strict=True)])  # fmt: skip

    def pull(self, f: Any, g: Any, args: Any, results: Any, wanted: Any, arrays: Any) -> tuple[Any, ...]:
        """The gradients: the rule, transposed."""
        recorded = any([isinstance(c, Tensor) for c in (*g, *args)])
        primals = [x if isinstance(x, Tensor) else backend.wrap(np.asarray(x)) for x in args]
        tangents = []
        for x, asked in zip(primals, wanted, strict=True):
            t = backend.leaf(np.zeros(x.shape, x.dtype), asked)
            if t.node is not None:
                t.node.closed = True
            tangents.append(t)
        parts = backend.call_recording(True, self.ruled, primals, tangents, arrays)
        roots, seeds = [], []
        for part, c in zip(parts, g, strict=True):
            if c is None:
                continue
            if not isinstance(part, Tensor):
                name = self.operation._name
                raise TypeError(
                    f"{name}: the jvp returned {type(part).__name__}, but in reverse mode it gets Tensors and must "
                    "return Tensors: write it with zen's functions or NumPy functions that dispatch to them"
                )
            roots.append(part)
            seeds.append(c)
        asked = [t for t in tangents if t.node is not None]
        found = iter(pulled(roots, seeds, asked, recorded))
        made = [next(found) if t.node is not None else None for t in tangents]
        return tuple([x if x is None or recorded or type(x) is Batched else x._array for x in made])


placed(custom_jvp, "zen", "custom_jvp")

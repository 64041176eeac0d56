"""Operations with a forward derivative of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import Batched, Unbatched
from ..dtypes import DIFFERENTIABLE
from ..ops.operands import raw
from ..ops.register import placed
from .wrapper import Wrapper

_NUMBERS = (Tensor, np.ndarray, np.generic, float, complex)


class custom_jvp(Wrapper):  # noqa: N801 - used as a decorator
    """An operation whose derivative you write: a function of NumPy arrays, and the tangent of its result.

    The function gets its positional arguments with arrays in the place of Tensors, which may lie in nested containers,
    and returns an array or a nested container of arrays; calling the operation gives Tensors in their place. The rule
    is called as `jvp(primals, tangents, **keywords)` with two tuples that have the structure of the positional
    arguments, and returns `(result, tangent)`. Where an argument has no tangent it gets zeros; for what is no number,
    None. The rule has to be linear in the tangents. Reverse mode transposes it: then, and where a derivative is
    differentiated, it gets Tensors, and is to be written with zen's functions or NumPy functions that dispatch to them.
    Keyword arguments are passed through and take no part in derivatives.

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

    def __init__(self, function: Callable[..., Any], jvp: Callable[..., Any] | None = None) -> None:
        if not callable(function):
            raise TypeError(f"custom_jvp: expected a function, not {type(function).__name__}")
        super().__init__(function)
        self._name: str = getattr(function, "__name__", type(function).__name__)
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
        for path, value in trees.leaves([list(args), keywords]):
            if type(value) is Batched:
                raise Unbatched(f"{self._name} gets arrays, of one example")
            if path.startswith("[1]") and isinstance(value, Tensor):
                raise TypeError(
                    f"{self._name}: a Tensor as a keyword argument (at {path[3:]}) would lose its gradient; pass it as "
                    "a positional argument"
                )
        call = _Call(self, args, keywords)
        out = call.evaluated()
        row = backend.Row(
            self._name, len(call.values), lambda *_: tuple(call.results), lambda: ((call.pull,), (call.reads(),)),
            joint=True, several=-1, tangents=(call.push,),
        )  # fmt: skip
        made = backend.apply(row, tuple(call.values), ())
        return trees.rebuild(out, made)

    def __repr__(self) -> str:
        return f"<zen.custom_jvp {self._name}>"

    def _parts(self) -> tuple[Any, ...]:
        return self._function, self._jvp


class _Call:
    """One call: `values` are the numbers and arrays among its arguments, in order, `results` the arrays it gave."""

    def __init__(self, operation: custom_jvp, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.operation, self.tree, self.keywords = operation, args, keywords
        self.values = [x for x in trees.values(args) if _is_number(x)]

    def arguments(self, values: Any, otherwise: bool = True) -> tuple[Any, ...]:
        """The positional arguments with other numbers; what is none stays, or is None."""
        rest = iter(values)
        made: tuple[Any, ...] = trees.transform(
            lambda x: next(rest) if _is_number(x) else x if otherwise else None, self.tree
        )
        return made

    def evaluated(self) -> Any:
        out = self.operation._function(*self.arguments([raw(x) for x in self.values]), **self.keywords)
        if out is None:
            raise TypeError(f"{self.operation._name}: the function returned None; it must return arrays")
        self.structure = trees.transform(lambda x: 0, [out])
        self.results = [np.array(raw(x)) for x in trees.values([out])]
        return self.structure[0]

    def reads(self) -> tuple[int, ...]:
        return (*[2] * len(self.values), 1)

    def ruled(self, primals: Any, tangents: Any) -> list[Any]:
        """The tangents of the results, by the rule."""
        name, rule = self.operation._name, self.operation._jvp
        if rule is None:
            raise RuntimeError(
                f"{name}: the operation has no derivative; define it with @{name}.defjvp as a function of (primals, "
                "tangents)"
            )
        found = rule(self.arguments(primals), self.arguments(tangents, False), **self.keywords)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise TypeError(f"{name}: the jvp returned {type(found).__name__}; it must return (result, tangent)")
        parts = trees.matched(self.structure[0], found[1])
        if parts is None:
            raise ValueError(f"{name}: the tangent that the jvp returned does not have the structure of the result")
        for k, (part, y) in enumerate(zip(parts, self.results, strict=True)):
            if np.shape(part) != y.shape:
                raise ValueError(
                    f"{name}: the jvp returned a tangent of shape {np.shape(part)} for result {k + 1}, whose shape is "
                    f"{y.shape}"
                )
        return parts

    def push(self, moving: dict[int, Any], saved: Any, *params: Any) -> Any:
        """The tangents of the results, as arrays."""
        primals = list(saved[: len(self.values)])
        tangents = [moving[k] if k in moving else np.zeros(np.shape(x)) for k, x in enumerate(primals)]
        return tuple([np.asarray(raw(t), y.dtype if y.dtype in DIFFERENTIABLE else None)
                      for t, y in zip(self.ruled(primals, tangents), self.results, strict=True)])  # fmt: skip

    def pull(self, f: Any, g: Any, args: Any, results: Any, wanted: Any) -> tuple[Any, ...]:
        """The gradients: the rule, transposed."""
        recorded = any([isinstance(c, Tensor) for c in g])
        primals = [x if isinstance(x, Tensor) else backend.wrap(np.asarray(x)) for x in args[: len(self.values)]]
        tangents = []
        for x, asked in zip(primals, wanted, strict=True):
            t = backend.leaf(np.zeros(x.shape, x.dtype), asked)
            if t.node is not None:
                t.node.closed = True
            tangents.append(t)
        parts = backend.call_recording(True, self.ruled, primals, tangents)
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
            if part.requires_grad:
                roots.append(part)
                seeds.append(c if isinstance(c, Tensor) else backend.wrap(np.asarray(c)))
        asked = [t for t in tangents if t.node is not None]
        found = iter((backend.run(roots, seeds, asked, recorded, recorded) if roots else None) or [None] * len(asked))
        made = [next(found) if t.node is not None else None for t in tangents]
        return tuple([x if x is None or recorded else x._array for x in made])


def _is_number(x: Any) -> bool:
    return isinstance(x, _NUMBERS) or type(x) is int


placed(custom_jvp, "zen", "custom_jvp")

"""Operations in plain Python and NumPy, with a derivative of the user's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import Batched, Unbatched
from .conjugation import conjugated
from .wrapper import Wrapper


class _Call(NamedTuple):
    """What one call has besides its arrays: positional arguments that are no arrays, by position, and keywords.

    Arrays among the keywords are no part of it: the row gets them as a parameter, so that they are saved as such.
    """

    static: dict[int, Any]
    keywords: dict[str, Any]
    names: tuple[str, ...]

    def named(self, arrays: tuple[Any, ...]) -> dict[str, Any]:
        """All keywords."""
        return {**self.keywords, **dict(zip(self.names, arrays, strict=True))}

    def complete(self, arrays: tuple[Any, ...]) -> list[Any]:
        """All positional arguments."""
        values = iter(arrays)
        return [self.static[k] if k in self.static else next(values) for k in range(len(arrays) + len(self.static))]


class custom_vjp(Wrapper):  # noqa: N801 - used as a decorator
    """An operation whose derivative you write: a function of NumPy arrays, and its vector-Jacobian product.

    The function gets the arrays of its Tensor arguments and returns an array; calling the operation gives a Tensor.
    Arguments that are neither Tensors, arrays nor numbers, and keyword arguments, are passed through and take no part
    in gradients. The vjp is called as `vjp(g, out, *inputs, **keywords)`, with the cotangent of the result, the result
    and all positional arguments. It returns a gradient for each of these, a tuple if there are several, with None where
    there is none. By complex numbers these are gradients as `zen.grad` gives them. Arrays given to either function must
    not be written to, nor what lists and dicts among the arguments hold, until the backward pass is over.

    Written with zen's functions, or NumPy functions that dispatch to them, the vjp is differentiable itself, and
    forward mode and higher orders work. Otherwise these raise.

    >>> import numpy as np, zen
    >>> @zen.custom_vjp
    ... def cube(x):
    ...     return x**3
    >>> @cube.defvjp
    ... def _(g, out, x):
    ...     return 3 * x * x * g
    >>> float(zen.grad(cube)(2.0)), float(zen.grad(zen.grad(cube))(2.0))
    (12.0, 12.0)
    """

    def __init__(self, function: Callable[..., Any], vjp: Callable[..., Any] | None = None) -> None:
        if not callable(function):
            raise TypeError(f"custom_vjp: expected a function, not {type(function).__name__}")
        super().__init__(function)
        self._name: str = getattr(function, "__name__", type(function).__name__)
        self._function = function
        self._vjp: Callable[..., Any] | None = None
        self._row: Any = None
        if vjp is not None:
            self.defvjp(vjp)

    def defvjp(self, vjp: Callable[..., Any]) -> Callable[..., Any]:
        """Give the operation its vector-Jacobian product `vjp(g, out, *inputs)`; returns it, so it is a decorator."""
        if not callable(vjp):
            raise TypeError(f"{self._name}: defvjp takes a function, not {type(vjp).__name__}")
        self._vjp = vjp
        return vjp

    def __call__(self, /, *args: Any, **keywords: Any) -> Tensor:
        static, arrays = {}, []
        for k, value in enumerate(args):
            if isinstance(value, (Tensor, np.ndarray, np.generic, float, complex)) or type(value) is int:
                arrays.append(value)
            else:
                static[k] = value
        for path, value in trees.leaves(tuple(static.values()) + tuple(keywords.values())):
            if type(value) is Batched:
                raise Unbatched(f"{self._name} gets arrays, of one example")
            if isinstance(value, Tensor):
                raise TypeError(
                    f"{self._name}: a Tensor in a list or dict, or as a keyword argument (at {path}), would lose its "
                    "gradient; pass it as a positional argument of its own"
                )
        if self._row is None:
            self._row = backend.Row(
                self._name, 1, self._forward, lambda: ((self._pull,), (None,)), variadic=True, joint=True
            )
        named = {name: value for name, value in keywords.items() if type(value) is np.ndarray}
        others = {name: value for name, value in keywords.items() if name not in named}
        params = _Call(static, others, tuple(named)), tuple(named.values())
        made: Tensor = backend.apply(self._row, tuple(arrays), params)
        return made

    def __repr__(self) -> str:
        return f"<zen.custom_vjp {self._name}>"

    def _parts(self) -> tuple[Any, ...]:
        return self._function, self._vjp

    def _forward(self, *values: Any) -> np.ndarray:
        *arrays, call, named = values
        out = self._function(*call.complete(tuple(arrays)), **call.named(named))
        held = sys.getrefcount(out) > 2  # by more than the variable and the argument: a buffer of the function's own
        if isinstance(out, (tuple, list, dict)) or out is None:
            raise TypeError(f"{self._name}: the function returned {type(out).__name__}; it must return one array")
        array = np.asarray(out.array if isinstance(out, Tensor) else out)
        shared = any(isinstance(x, np.ndarray) and np.may_share_memory(array, x) for x in arrays)
        return array.copy() if held or shared or array.base is not None else array

    def _pull(
        self, f: Any, g: Any, args: tuple[Any, ...], results: tuple[Any, ...], wanted: Any, call: _Call, named: Any
    ) -> tuple[Any, ...]:
        """The row's vjp, on arrays or, when the pass is recorded, on Tensors."""
        if self._vjp is None:
            raise RuntimeError(
                f"{self._name}: the operation has no derivative; define it with @{self._name}.defvjp as a function of "
                "(g, out, *inputs)"
            )
        inputs = call.complete(args)
        recorded = isinstance(g, Tensor)
        (g,) = conjugated([g], recorded)  # the vjp is the user's, and so is the form of its gradients
        try:
            found = self._vjp(g, *results, *inputs, **call.named(named))
        except Exception as error:
            if recorded:
                error.add_note(_NOT_DIFFERENTIABLE.format(self._name))
            raise
        if not isinstance(found, (tuple, list)):
            found = (found,)
        if len(found) != len(inputs):
            raise ValueError(
                f"{self._name}: the vjp returned {len(found)} gradients for {len(inputs)} arguments; return one for "
                "each, None where there is none"
            )
        gradients = [gradient for k, gradient in enumerate(found) if k not in call.static]
        for k, (gradient, x) in enumerate(zip(found, inputs, strict=True)):
            if k not in call.static and gradient is not None and np.shape(gradient) != np.shape(x):
                raise ValueError(
                    f"{self._name}: the vjp returned a gradient of shape {np.shape(gradient)} for argument {k + 1}, "
                    f"whose shape is {np.shape(x)}"
                )
        if not recorded:
            return tuple(conjugated([_array(x) for x in gradients], False))
        for gradient in gradients:
            # An array has left the graph: the derivative of this derivative would silently be zero.
            if not (gradient is None or isinstance(gradient, Tensor)):
                kind = type(gradient).__name__
                raise TypeError(f"{self._name}: the vjp returned {kind}; {_NOT_DIFFERENTIABLE.format(self._name)}")
        return tuple(conjugated(gradients, True))


def _array(gradient: Any) -> Any:
    return gradient if gradient is None else np.asarray(gradient._array if isinstance(gradient, Tensor) else gradient)


_NOT_DIFFERENTIABLE = (
    "the gradient of {} is being differentiated itself (create_graph, a higher order or forward mode), so its vjp gets "
    "Tensors and must return Tensors: write it with zen's functions or NumPy functions that dispatch to them"
)

"""Operations in plain Python and NumPy, with a derivative of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import ANYWHERE, Batched
from ..batching.members import in_turn
from .conjugation import conjugated
from .custom_arguments import Arguments, filled, gradients_of
from .levels import called
from .wrapper import Wrapper


class _Call:
    """One call: its arguments, and until the engine has them what the function returned."""

    def __init__(self, arguments: Arguments, results: Any) -> None:
        self.arguments, self.results = arguments, results
        self.is_tree = isinstance(results, (tuple, list, dict))
        self.structure = trees.transform(lambda x: 0, results) if self.is_tree else 0


class custom_vjp(Wrapper):  # noqa: N801 - used as a decorator
    """An operation whose derivative you write: a function of NumPy arrays, and its vector-Jacobian product.

    The function gets its positional arguments with arrays in the place of Tensors, which may lie in nested containers,
    and returns an array or a nested container of arrays, of any dtypes; calling the operation gives Tensors in their
    place. What is neither Tensor nor array in a container, what is no number, and keyword arguments are passed through
    and take no part in gradients. The vjp is called as `vjp(g, out, *inputs, **keywords)`, with the cotangent of the
    result and the result, both in its structure, and all positional arguments; the cotangent of an array that nobody
    used, or of integers, is zeros of its shape. It returns a gradient for each positional argument, a tuple if there
    are several: for a container one of its structure, and None anywhere for what has none. By complex numbers these are
    gradients as `zen.grad` gives them. Arrays given to either function must not be written to. Both are given the
    arguments as they were when the operation was called, or a RuntimeError tells that an array was overwritten.

    Written with zen's functions, or NumPy functions that dispatch to them, the vjp is differentiable itself, and
    forward mode and higher orders work. Otherwise these raise. In a `vmap` the operation runs for each example.

    Raises TypeError where the function uses a Tensor that requires a gradient and is no argument.

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

    _name = "custom_vjp"

    def __init__(self, function: Callable[..., Any], vjp: Callable[..., Any] | None = None) -> None:
        super().__init__(function)
        self._name = getattr(function, "__name__", type(function).__name__)
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

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        if ANYWHERE and any([type(x) is Batched for x in trees.values([list(args), keywords])]):
            return in_turn(self, args, keywords)
        arguments = Arguments(self._name, args, keywords, False)
        call = _Call(arguments, arguments.evaluated(self._name, self._function))
        params = call, tuple(arguments.arrays)
        try:
            made = backend.apply(self._row_for(call), tuple(arguments.operands), params)
        finally:
            call.results = None
        return trees.rebuild(call.structure, made) if call.is_tree else made

    def _row_for(self, call: _Call) -> Any:
        if not call.is_tree:
            if self._row is None:
                self._row = backend.Row(
                    self._name, 1, lambda *values: values[-2].results, lambda: ((self._pull,), (None,)), variadic=True,
                    joint=True,
                )  # fmt: skip
            return self._row
        return backend.Row(
            self._name, len(call.arguments.operands), lambda *values: tuple(trees.values(values[-2].results)),
            lambda: ((self._pull,), (None,)), joint=True, several=-1,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<zen.custom_vjp {self._name}>"

    def _parts(self) -> tuple[Any, ...]:
        return self._function, self._vjp

    def _pull(
        self, f: Any, g: Any, args: tuple[Any, ...], results: tuple[Any, ...], wanted: Any, call: _Call, arrays: Any
    ) -> tuple[Any, ...]:
        """The row's vjp, on arrays or, when the pass is recorded, on Tensors."""
        if self._vjp is None:
            raise RuntimeError(
                f"{self._name}: the operation has no derivative; define it with @{self._name}.defvjp as a function of "
                "(g, out, *inputs)"
            )
        inputs = call.arguments.positional(args)
        parts = list(g) if call.is_tree else [g]
        recorded = any([isinstance(x, Tensor) for x in (*parts, *args)])
        out = results[0]
        if call.is_tree:
            parts = filled(parts, results[0], recorded)
            out = trees.rebuild(call.structure, results[0])
        parts = conjugated(parts, recorded)  # the vjp is the user's, and so is the form of its gradients
        g = trees.rebuild(call.structure, parts) if call.is_tree else parts[0]
        try:
            found = called(self._vjp, g, out, *inputs, **call.arguments.named(arrays))
        except Exception as error:
            if recorded:
                error.add_note(_NOT_DIFFERENTIABLE.format(self._name))
            raise
        gradients = self._gradients(found, call.arguments.args, args)
        if not recorded:
            return tuple(conjugated([_array(x) for x in gradients], False))
        for gradient in gradients:
            # An array has left the graph: the derivative of this derivative would silently be zero.
            if not (gradient is None or isinstance(gradient, (Tensor, Batched))):
                kind = type(gradient).__name__
                raise TypeError(f"{self._name}: the vjp returned {kind}; {_NOT_DIFFERENTIABLE.format(self._name)}")
        return tuple(conjugated(gradients, True))

    def _gradients(self, found: Any, arguments: tuple[Any, ...], operands: tuple[Any, ...]) -> list[Any]:
        """A gradient for each operand, checked."""
        if not isinstance(found, (tuple, list)):
            found = (found,)
        if len(found) != len(arguments):
            raise ValueError(
                f"{self._name}: the vjp returned {len(found)} gradients for {len(arguments)} arguments; return one for "
                "each, None where there is none"
            )
        gradients, places = [], []
        for k, (argument, gradient) in enumerate(zip(arguments, found, strict=True)):
            made = list(gradients_of(self._name, argument, gradient, f"argument {k + 1}"))
            gradients.extend(made)
            places.extend([k + 1] * len(made))
        for k, gradient, x in zip(places, gradients, operands, strict=True):
            if gradient is not None and _shape(gradient) != _shape(x):
                raise ValueError(
                    f"{self._name}: the vjp returned a gradient of shape {_shape(gradient)} for argument {k}, whose "
                    f"shape is {_shape(x)}"
                )
        return gradients


def _shape(x: Any) -> Any:
    return x.shape if hasattr(x, "shape") else np.shape(x)


def _array(gradient: Any) -> Any:
    if gradient is None or type(gradient) is Batched:
        return gradient
    return np.asarray(gradient._array if isinstance(gradient, Tensor) else gradient)


_NOT_DIFFERENTIABLE = (
    "the gradient of {} is being differentiated itself (create_graph, a higher order or forward mode), so its vjp gets "
    "Tensors and must return Tensors: write it with zen's functions or NumPy functions that dispatch to them"
)

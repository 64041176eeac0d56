"""Derivatives checked against numerical differentiation. For tests: zen's own, and those of custom operations.

`check_gradients` differentiates in float64. Order 1 compares the derivative with central differences of the function;
each further order compares the derivative of the derivative with central differences of the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import backend, trees
from .backend import Tensor
from .dtypes import COMPLEX, DEFAULT, DIFFERENTIABLE, FLOATING
from .transforms import gradients, jvp

__all__ = ["check_gradients", "check_grads", "differentiated", "evaluate", "numerical_gradients"]
__dir__ = __all__.copy

STEP = 6e-6
"""Step of the central differences: the cube root of float64's precision, where both of their errors are smallest."""

Function = Callable[..., Any]


def check_gradients(
    f: Function,
    args: Sequence[Any],
    order: int = 2,
    *,
    forward: bool = True,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    step: float = STEP,
    seed: int = 0,
) -> None:
    """Compare the derivatives of `f` at `args` with numerical differentiation, up to `order`.

    f: takes Tensors of the shapes of `args` and returns a Tensor, or a tuple or list of Tensors.
    args: arrays. Floating ones are converted to float64, complex ones to complex128, and differentiated; the others
        (bool, ints) are passed as they are. The function must be smooth within `step` of them.
    forward: check forward mode (`zen.jvp`) as well.
    rtol, atol: tolerance of each element; rtol is relative to the largest element of the numerical derivative.

    Cotangents, and the directions of forward mode, are random with the given seed. Raises AssertionError naming the
    order, the argument, the element and both values.

    >>> import numpy as np, zen, zen.testing
    >>> zen.testing.check_gradients(lambda x: zen.tanh(x) * x, [np.array([0.5, -1.0])], order=3)
    """
    if order < 1:
        raise ValueError(f"check_gradients: order is 1 or more, not {order}")
    values = [_as_value(a) for a in args]
    rng = np.random.default_rng(seed)
    tolerance = _Tolerance(rtol, atol)
    if forward:
        tangents = _random_like([a for a in values if a.dtype in DIFFERENTIABLE], rng)
        _check_forward(f, values, tangents, step, tolerance, "forward mode")
    for k in range(1, order + 1):
        cotangents = _random_like(evaluate(f, values), rng)
        told = [f"derivative of order {k} for argument {j + 1}" for j in range(len(values))]
        _check_reverse(f, values, cotangents, step, tolerance, told)
        if k < order:
            f = differentiated(f, len(values))
            values = [*values, *cotangents]


def check_grads(
    f: Function,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    eps: float = STEP,
    seed: int = 0,
) -> None:
    """Compare the derivatives of `f` at `args` with numerical differentiation, up to `order`, in the given modes.

    f: takes `args`, which may be nested containers of arrays, and returns a Tensor or a nested container of Tensors.
    modes: "fwd" for forward mode, "rev" for reverse mode; with both, each derivative of a derivative is taken in either
    mode. rtol, atol, eps (the step), seed and what is differentiated are as in `check_gradients`. Raises AssertionError
    that names the mode, the order, the argument, the element, and both values; ValueError for other modes.

    >>> import numpy as np, zen, zen.testing
    >>> zen.testing.check_grads(lambda p: p["a"] * zen.exp(p["b"]), [{"a": 2.0, "b": np.array([0.5, 1.0])}])
    """
    unknown = [m for m in modes if m not in ("fwd", "rev")]
    if unknown or not modes:
        raise ValueError(f"check_grads: modes are 'fwd' and 'rev', not {unknown[0] if unknown else modes!r}")
    if order < 1:
        raise ValueError(f"check_grads: order is 1 or more, not {order}")
    args = tuple(args)
    named = [(f"argument {path}", _as_value(leaf)) for path, leaf in trees.leaves(args)]

    def flat(*leaves: Any) -> list[Any]:
        return [x for x in trees.values([f(*trees.rebuild(args, leaves))]) if isinstance(x, Tensor)]

    checks = _Checks(np.random.default_rng(seed), eps, _Tolerance(rtol, atol), tuple(modes))
    checks.run(flat, [name for name, _ in named], [value for _, value in named], order, "")


class _Checks:
    def __init__(self, rng: np.random.Generator, step: float, tolerance: _Tolerance, modes: tuple[str, ...]) -> None:
        self.rng, self.step, self.tolerance, self.modes = rng, step, tolerance, modes

    def run(self, f: Function, names: list[str], values: list[np.ndarray], order: int, through: str) -> None:
        """Check the first derivative of `f`, and then those of that derivative. through: the modes so far."""
        where = [k for k, a in enumerate(values) if a.dtype in DIFFERENTIABLE]
        for mode in self.modes:
            way = f"{through}{mode}"
            seeds = _random_like([values[k] for k in where] if mode == "fwd" else evaluate(f, values), self.rng)
            if mode == "fwd":
                _check_forward(f, values, seeds, self.step, self.tolerance, f"{way}: forward mode")
                labels = [f"the tangent of {names[k]}" for k in where]
                derivative = pushed(f, len(values), where)
            else:
                told = [f"{way}: derivative by {name}" for name in names]
                _check_reverse(f, values, seeds, self.step, self.tolerance, told)
                labels = [f"the cotangent of result {k + 1}" for k in range(len(seeds))]
                derivative = differentiated(f, len(values))
            if order > 1:
                self.run(derivative, [*names, *labels], [*values, *seeds], order - 1, f"{way}, ")


def pushed(f: Function, nargs: int, where: list[int]) -> Function:
    """The tangents of `f` as a function of its `nargs` arguments, and of the tangents of those at `where`."""

    def tangent(*values: Tensor) -> list[Tensor]:
        args, tangents = list(values[:nargs]), values[nargs:]

        def of(*moving: Any) -> tuple[Any, ...]:
            full = list(args)
            for k, x in zip(where, moving, strict=True):
                full[k] = x
            return tuple(_as_list(f(*full)))

        found = jvp(of, tuple([args[k] for k in where]), tuple(tangents))[1]
        return [t if isinstance(t, Tensor) else backend.wrap(np.asarray(t)) for t in _as_list(found)]

    return tangent


def numerical_gradients(
    f: Function, args: Sequence[np.ndarray], cotangents: Sequence[np.ndarray], step: float = STEP
) -> list[np.ndarray | None]:
    """Derivatives of `real(sum(conj(cotangents) * f(*args)))` for each argument by central differences.

    By a complex argument: that by the real part, and 1j times that by the imaginary part. None for ints and bools.
    """

    def value(k: int, point: np.ndarray) -> Any:
        results = evaluate(f, [*args[:k], point, *args[k + 1 :]])
        return sum(np.sum((np.conj(c) * r).real, dtype=np.float64) for r, c in zip(results, cotangents, strict=True))

    def slope(k: int, index: Any, direction: complex) -> Any:
        above, below = args[k].copy(), args[k].copy()
        above[index] += direction * step
        below[index] -= direction * step
        return (value(k, above) - value(k, below)) / np.abs(above[index] - below[index])

    found: list[np.ndarray | None] = []
    for k, a in enumerate(args):
        if a.dtype not in DIFFERENTIABLE:
            found.append(None)
            continue
        derivative = np.zeros(a.shape, a.dtype)
        for index in np.ndindex(a.shape):
            derivative[index] = slope(k, index, 1)
            if a.dtype in COMPLEX:
                derivative[index] += 1j * slope(k, index, 1j)
        found.append(derivative)
    return found


def evaluate(f: Function, args: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results of `f` as arrays."""
    return [r._array for r in _as_list(f(*(_leaf(a) for a in args)))]


def differentiated(f: Function, nargs: int) -> Function:
    """The derivative of `f` as a function of its `nargs` arguments and the cotangents of its results.

    It returns the gradients of the floating arguments and is itself differentiable.
    """

    def derivative(*values: Tensor) -> list[Tensor]:
        args, cotangents = values[:nargs], values[nargs:]
        inputs = [a for a in args if a.dtype in DIFFERENTIABLE]
        # An argument that the result does not depend on has a gradient of zero, not None.
        return [_zeros_if_none(g, a) for g, a in zip(_gradients(f(*args), inputs, cotangents), inputs, strict=True)]

    return derivative


def _check_reverse(
    f: Function, args: list[np.ndarray], cotangents: list[np.ndarray], step: float, tolerance: _Tolerance,
    names: list[str],
) -> None:  # fmt: skip
    leaves = [_leaf(a) for a in args]
    inputs = [t for t in leaves if t.requires_grad]
    exact = iter(_gradients(f(*leaves), inputs, cotangents, create_graph=False))
    for k, expected in enumerate(numerical_gradients(f, args, cotangents, step)):
        if expected is None:
            continue
        found = next(exact)
        array = np.zeros(args[k].shape, args[k].dtype) if found is None else found._array
        tolerance.compare(array, expected, names[k])


def _check_forward(
    f: Function, args: list[np.ndarray], tangents: list[np.ndarray], step: float, tolerance: _Tolerance, name: str
) -> None:
    where = [k for k, a in enumerate(args) if a.dtype in DIFFERENTIABLE]

    def along(*primals: Any) -> tuple[Any, ...]:
        full: list[Any] = [backend.wrap(a) for a in args]
        for k, p in zip(where, primals, strict=True):
            full[k] = p
        return tuple(_as_list(f(*full)))

    def moved(sign: float) -> list[np.ndarray]:
        shifted = list(args)
        for k, t in zip(where, tangents, strict=True):
            shifted[k] = np.asarray(args[k] + sign * step * t)
        return evaluate(f, shifted)

    # Only floating results have tangents.
    found = jvp(along, tuple(backend.wrap(args[k]) for k in where), tuple(backend.wrap(t) for t in tangents))[1]
    for k, (t, above, below) in enumerate(zip(_as_list(found), moved(1.0), moved(-1.0), strict=True)):
        expected = (above - below) / (2 * step)
        array = t._array if isinstance(t, Tensor) else np.asarray(t)
        tolerance.compare(np.broadcast_to(array, expected.shape), expected, f"{name} for result {k + 1}")


class _Tolerance:
    def __init__(self, rtol: float, atol: float) -> None:
        self.rtol, self.atol = rtol, atol

    def compare(self, found: np.ndarray, expected: np.ndarray, what: str) -> None:
        if found.shape != expected.shape:
            raise AssertionError(f"{what}: shape {found.shape}, numerically {expected.shape}")
        if expected.size == 0:
            return
        allowed = self.atol + self.rtol * np.max(np.abs(expected))
        wrong = ~(np.abs(found - expected) <= allowed)  # nan is wrong too
        if wrong.any():
            index = tuple(int(k) for k in np.argwhere(wrong)[0])
            raise AssertionError(
                f"{what} is wrong in {int(wrong.sum())} of {wrong.size} elements; at {index} it is {found[index]!r}, "
                f"numerically {expected[index]!r}"
            )


def _gradients(results: Any, inputs: list[Tensor], cotangents: Sequence[Any], create_graph: bool = True) -> list[Any]:
    connected = [(r, c) for r, c in zip(_as_list(results), cotangents, strict=True) if r.requires_grad]
    if not connected:
        return [None] * len(inputs)
    outputs, seeds = zip(*connected, strict=True)
    return _as_list(gradients(outputs, inputs, grad_outputs=seeds, create_graph=create_graph, allow_unused=True))


def _zeros_if_none(gradient: Tensor | None, like: Tensor) -> Tensor:
    return backend.wrap(np.zeros(like.shape, like.dtype)) if gradient is None else gradient


def _as_list(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (tuple, list)) else [results]


def _as_value(arg: Any) -> np.ndarray:
    array = arg._array if isinstance(arg, Tensor) else np.asarray(arg)
    if array.dtype in COMPLEX:
        return array.astype(np.complex128)
    return array.astype(DEFAULT) if array.dtype in FLOATING else array


def _leaf(array: np.ndarray) -> Tensor:
    return backend.leaf(array, array.dtype in DIFFERENTIABLE)


def _random_like(arrays: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    return [_random(a, rng) for a in arrays]


def _random(a: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sizes = rng.uniform(0.5, 1.5, a.shape)
    if a.dtype in COMPLEX:
        return np.asarray(sizes * np.exp(1j * rng.uniform(0, 2 * np.pi, a.shape)))
    return np.asarray(sizes * rng.choice([-1.0, 1.0], a.shape))

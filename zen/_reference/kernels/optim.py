"""Steps of optimisers in plain NumPy. What `state`, `fill` and `written` are stands in zen/_core/_optim.pyx.

A step computes every new value when it is prepared and stores them all when it is carried out: memory that runs out
changes nothing. Here every array that is changed is appended to `written`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import COMPLEX, KERNELS, accumulator
from ..tensor import Tensor

State = dict[Tensor, dict[str, Any]]
Fill = Callable[[Tensor, tuple[str, ...], bool], dict[str, Any]]
Arrays = list[np.ndarray]


class Work(NamedTuple):
    """What one parameter's update reads; float16 as copies in float32, of complex numbers the parts."""

    p: np.ndarray
    g: np.ndarray
    arrays: Arrays
    step: int
    first: bool
    numbers: dict[str, float]


Update = Callable[[Work], tuple[np.ndarray, ...]]
"""The new values of the parameter and of the arrays of its state."""


class Walk:
    """A step that has been prepared: what `move` stores where."""

    def __init__(self) -> None:
        self.values: list[tuple[np.ndarray, np.ndarray]] = []
        self.numbers: list[tuple[dict[str, Any], dict[str, Any]]] = []


def move(walks: list[Walk]) -> None:
    """Carry out the steps that have been prepared."""
    for walk in walks:
        with np.errstate(all="ignore"):
            for array, value in walk.values:
                array[...] = value
        for entry, numbers in walk.numbers:
            entry.update(numbers)
        walk.values, walk.numbers = [], []


def _walk(
    params: list[Tensor],
    state: State,
    fill: Fill,
    written: Arrays,
    names: tuple[str, ...],
    counted: bool,
    update: Update,
    numbers: tuple[str, ...] = (),
) -> Walk:
    walk = Walk()
    for t in params:
        gradient = t.grad
        if gradient is None:
            continue
        entry: dict[str, Any] = state.get(t, {})
        needed = (*names, *numbers, "step") if counted else names
        first = not all(name in entry for name in needed)
        if first:
            entry = fill(t, (*names, *numbers), counted)
        p, g = t._array, gradient._array
        if g.shape != p.shape:
            raise ValueError(f"a parameter of shape {p.shape} has a gradient of shape {g.shape}")
        _check_writeable(p, "parameter")
        arrays = [_array_of(entry, name, p) for name in names]
        step = int(entry["step"]) + 1 if counted else 0
        kept = {name: float(entry[name]) for name in numbers}
        with np.errstate(all="ignore"):
            new = update(Work(_widened(p), _widened(g), [_widened(a) for a in arrays], step, first, kept))
        if p.dtype in COMPLEX:
            new = tuple([np.ascontiguousarray(value).view(p.dtype)[..., 0] for value in new])
        walk.values += zip((p, *arrays), new, strict=True)
        written += (p, *arrays)
        if counted:
            walk.numbers.append((entry, {"step": step, **kept}))
    return walk


def _array_of(entry: dict[str, Any], name: str, p: np.ndarray) -> np.ndarray:
    value = entry.get(name)
    if not isinstance(value, Tensor):
        raise TypeError(f"the state {name!r} of a parameter of shape {p.shape} must be a Tensor")
    array = value._array
    if array.shape != p.shape:
        raise ValueError(f"the state {name!r} of a parameter of shape {p.shape} has shape {array.shape}")
    _check_writeable(array, f"state {name!r}")
    return array


def _check_writeable(array: np.ndarray, what: str) -> None:
    if not array.flags.writeable:
        raise ValueError(f"the memory of a {what} of shape {array.shape} is read-only; clone() it first")


def _widened(array: np.ndarray) -> np.ndarray:
    if array.dtype in COMPLEX:  # its parts, each with a state of its own
        return np.stack([array.real, array.imag], -1)
    return array.astype(accumulator(array.dtype), copy=False)


def _sqrt(x: Any) -> Any:
    return math.sqrt(x) if type(x) is float else np.sqrt(x)  # a scalar of NumPy's would widen float32


def _by_sign(x: Any, below: Any, zero: Any, above: Any) -> Any:
    return np.where(x > 0, above, np.where(x < 0, below, np.where(x == 0, zero, x)))


_FUNCTIONS = {"sqrt": _sqrt, "maximum": np.maximum, "minimum": np.minimum, "sign": np.sign, "by_sign": _by_sign}


def rule(declared: Any) -> Callable[..., Walk]:
    """What prepares steps by a rule that is declared as zen/optim/rule.py says: its lines, run on arrays."""
    code = compile(declared.update, f"<rule {declared.name}>", "exec")
    needed = _needed(declared)

    def prepare(params: list[Tensor], state: State, fill: Fill, written: Arrays, *values: Any) -> Walk:
        given = zip(declared.options, values, strict=True)
        options = {name: bool(value) if name in declared.flags else float(value) for name, value in given}
        names = needed(options)

        def update(w: Work) -> tuple[np.ndarray, ...]:
            arrays = dict(zip(names, w.arrays, strict=True))
            known: dict[str, Any] = {**_FUNCTIONS, **options, **arrays, **w.numbers}
            known.update(p=w.p, g=w.g, step=w.step, first=w.first)
            exec(code, known)
            w.numbers.update({name: float(known[name]) for name in declared.numbers})
            return tuple([known[name] for name in ("p", *names)])

        return _walk(params, state, fill, written, names, declared.counts, update, declared.numbers)

    return prepare


def _needed(declared: Any) -> Callable[[dict[str, float]], tuple[str, ...]]:
    """Which arrays of state the rule's lines need, by the values of its options."""
    tests = declared.tests()
    lines = [f"{line.name} = {ast.unparse(line.value)}" for line in declared.lines()[0]]
    code = compile("\n".join([*lines, f"truth = {', '.join(tests)},"] if tests else lines), "<numbers>", "exec")
    ways: dict[tuple[bool, ...], tuple[str, ...]] = {}

    def needed(options: dict[str, float]) -> tuple[str, ...]:
        known: dict[str, Any] = {**_FUNCTIONS, **options, "step": 1, "first": 0, "truth": ()}
        known.update(dict.fromkeys(declared.numbers, 0.0))
        exec(code, known)
        truth = tuple(map(bool, known["truth"]))
        if truth not in ways:
            ways[truth] = declared.needs(declared.way(dict(zip(tests, truth, strict=True))))
        return ways[truth]

    return needed


def muon(
    params: list[Tensor], state: State, fill: Fill, written: Arrays, lr: float, momentum: float, weight_decay: float,
    nesterov: bool, coefficients: tuple[float, float, float], steps: int, eps: float,
    rate: Callable[[tuple[int, ...]], float],
) -> Walk:  # fmt: skip
    """Muon; `rate(shape)` is the learning rate of a matrix."""
    for p in params:
        if p.dtype in COMPLEX:
            raise TypeError(f"Muon is for real matrices, not for a parameter of dtype {p.dtype}")

    def update(w: Work) -> tuple[np.ndarray, ...]:
        if w.p.ndim != 2:
            raise ValueError(f"Muon is for matrices, not for a parameter of shape {w.p.shape}")
        buffer = w.arrays[0] + (1 - momentum) * (w.g - w.arrays[0])
        u = w.g + momentum * (buffer - w.g) if nesterov else buffer
        change = rate(w.p.shape) * _orthogonalised(u, coefficients, steps, eps)
        return (1 - lr * weight_decay) * w.p - change, buffer

    return _walk(params, state, fill, written, ("momentum_buffer",), False, update)


def _orthogonalised(u: np.ndarray, coefficients: tuple[float, float, float], steps: int, eps: float) -> np.ndarray:
    a, b, c = coefficients
    norm = math.sqrt(sum_of_squares([u]))
    x = (u.T if u.shape[0] > u.shape[1] else u) / (eps if norm < eps else norm)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if u.shape[0] > u.shape[1] else x


def lbfgs_gradient(
    params: list[Tensor], out: np.ndarray, direction: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Write the gradients of all parameters to the vector `out`: zeros for a parameter without one.

    Returns the largest |g| (NaN if there is one), the sum of |g|, and out @ direction, or 0.0 without a direction.
    """
    n, offset = sum(t.size for t in params), 0
    _vector(out, n, out.dtype, "the gradient")
    if not out.flags.carray:
        raise ValueError("L-BFGS: the gradient goes to a contiguous vector that can be written")
    d = None if direction is None else _vector(direction, n, out.dtype, "the direction")
    for t in params:
        if t.grad is not None and t.grad.shape != t.shape:
            raise ValueError(f"a parameter of shape {t.shape} has a gradient of shape {t.grad.shape}")
        out[offset : offset + t.size] = 0 if t.grad is None else t.grad._array.ravel()
        offset += t.size
    sizes = np.abs(out)
    return float(sizes.max(initial=0)), float(sizes.sum(dtype=np.float64)), 0.0 if d is None else _dot(out, d)


def lbfgs_pair(
    g: np.ndarray, previous: np.ndarray, d: np.ndarray, t: float
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """y = g - previous and s = t * d, with y @ s and y @ y."""
    with np.errstate(all="ignore"):
        y = _vector(g, g.size, g.dtype, "the gradient") - _vector(previous, g.size, g.dtype, "the gradient of before")
        s = t * _vector(d, g.size, g.dtype, "the direction")
    return y, s, _dot(y, s), _dot(y, y)


def lbfgs_direction(
    g: np.ndarray, changes: list[Tensor], steps: list[Tensor], ro: list[float], scale: float
) -> tuple[np.ndarray, float, float]:
    """The direction d = -H g, with g @ d and the largest |d| (NaN if there is one).

    H is the approximate inverse Hessian by the pairs of changes of gradient (Tensors) and steps, oldest first, with ro
    = 1 / (y @ s) for each, from `scale` times the identity. Source: Nocedal, Wright (2006), algorithm 7.4.
    """
    if not len(changes) == len(steps) == len(ro):
        raise ValueError(
            f"L-BFGS: {len(changes)} changes, {len(steps)} steps and {len(ro)} ro; expected as many of each"
        )
    q = -_vector(g, g.size, g.dtype, "the gradient")
    ys = [_vector(y, g.size, g.dtype, "a change of the gradient") for y in changes]
    ss = [_vector(s, g.size, g.dtype, "a step") for s in steps]
    weights = []
    with np.errstate(all="ignore"):
        for y, s, r in zip(reversed(ys), reversed(ss), reversed(ro), strict=True):
            weights.append(r * _dot(s, q))
            q -= weights[-1] * y
        q *= scale
        for y, s, r, weight in zip(ys, ss, ro, reversed(weights), strict=True):
            q += (weight - r * _dot(y, q)) * s
    return q, _dot(g, q), float(np.abs(q).max(initial=0))


def lbfgs_move(params: list[Tensor], origin: np.ndarray, d: np.ndarray, t: float, written: Arrays) -> None:
    """Set the parameters to origin + t * d, two vectors of one dtype. None is changed where one cannot be."""
    n, offset = sum(p.size for p in params), 0
    _vector(origin, n, origin.dtype, "the origin")
    d = _vector(d, n, origin.dtype, "the direction")
    for p in params:
        _check_writeable(p._array, "parameter")
    with np.errstate(all="ignore"):
        values = origin + t * d
        for p in params:
            written.append(p._array)
            p._array[...] = values[offset : offset + p.size].reshape(p.shape)
            offset += p.size


def _vector(x: Any, n: int, dtype: np.dtype, name: str) -> np.ndarray:
    """x, a Tensor or an array, as n elements of the dtype."""
    a = x._array if isinstance(x, Tensor) else x
    if not isinstance(a, np.ndarray):
        raise TypeError(f"L-BFGS: {name} must be a Tensor or an array, not {type(a).__name__}")
    if dtype not in KERNELS:
        raise TypeError(f"L-BFGS computes with float32 and float64, not with {dtype}")
    if a.shape != (n,):
        raise ValueError(f"L-BFGS: {name} has shape {a.shape}, but must have {(n,)}")
    return a.astype(dtype, copy=False)


def _dot(x: np.ndarray, y: np.ndarray) -> float:
    """x @ y, added up in double."""
    with np.errstate(all="ignore"):
        return float(np.sum(np.multiply(x, y, dtype=np.float64)))


def clear_gradients(params: list[Tensor]) -> None:
    """Set the gradient of each parameter to None."""
    for t in params:
        t.grad = None


def sum_of_squares(arrays: Arrays) -> float:
    """The sum of the squares of all elements of arrays of floats, added up in double."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays))


def scale(arrays: Arrays, factor: float) -> None:
    """Multiply arrays of floats by `factor`, in place."""
    with np.errstate(all="ignore"):
        for a in arrays:
            a *= factor


def limit(arrays: Arrays, bound: float) -> None:
    """Limit arrays of floats to [-bound, bound], in place; NaN stays."""
    for a in arrays:
        np.clip(a, -bound, bound, out=a)


def blend(averages: Arrays, values: Arrays, weight: float) -> None:
    """averages += weight * (values - averages), in place, for pairs of arrays of one shape."""
    with np.errstate(all="ignore"):
        for a, v in zip(averages, values, strict=True):
            if a.shape != v.shape:
                raise ValueError(f"an average of shape {a.shape} for values of shape {v.shape}")
            a += weight * (v - a)

"""Runs programs on zen: values and derivatives of orders 1 to 3, and the same by every other mode that gives them.

The order 2 gradient is of <gradient, d2>, that of order 3 of <that, d3>, with drawn directions d. `results` is what
two engines or a peer compare; `disagreements` compares the modes of one engine with each other and with differences.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import zen
from zen import f, polynomial, special, stats
from zen.backend import apply
from zen.ops import recurrent

from .compare import differs
from .program import Program, draw

OVERWRITTEN = "overwritten in place"
NAMES = {
    "np": np, "zen": zen, "f": f, "apply": apply, "recurrent": recurrent, "special": special, "stats": stats,
    "polynomial": polynomial,
}  # fmt: skip
"""What the text of a program may call."""


class Refused(Exception):
    """A saved value was overwritten by the program itself, and backward says so."""


def function(program: Program, arrays: dict[str, Any]) -> Any:
    """The program as a function of its leaves, which returns every value by name."""
    names = NAMES | arrays
    exec(program.function(), names)
    return names["program"]


def total(program: Program, arrays: dict[str, Any], values: dict[str, Any]) -> Any:
    """The loss: the outputs times their cotangents."""
    terms = [f.sum(values[name] * arrays[cotangent]) for name, cotangent in program.outputs]
    loss = terms[0]
    for term in terms[1:]:
        loss = loss + term
    return loss


def directions(program: Program, order: int) -> list[np.ndarray]:
    return [draw(1000 * order + k, s.shape, s.dtype) for k, s in enumerate(program.leaves)]


def results(program: Program, orders: int = 3) -> dict[str, np.ndarray]:
    """Every value and gradient by name. Raises Refused."""
    with quietly():
        arrays = program.arrays()
        leaves = [zen.tensor(arrays[s.name], requires_grad=True) for s in program.leaves]
        values = function(program, arrays)(*leaves)
        found = {n: np.array(v.array if isinstance(v, zen.Tensor) else v) for n, v in values.items() if n[0] == "v"}
        loss = total(program, arrays, values)
        found["loss"] = loss.array.copy()
        if not loss.requires_grad:
            return found
        loss.backward(retain_graph=orders > 1)
        names = [s.name for s in program.leaves]
        found |= {f"order 1, {n}": _or_zeros(t.grad, t) for n, t in zip(names, leaves, strict=True)}
        for name in program.retained:
            found[f"retained {name}"] = _or_zeros(values[name].grad, values[name])
        gradients = loss
        for order in range(2, orders + 1):
            found_now = _again(gradients, leaves, directions(program, order), order > 2)
            if found_now is None:
                break
            gradients, here = found_now
            found |= {f"order {order}, {n}": g for n, g in zip(names, here, strict=True)}
        return found


def _again(previous: Any, leaves: list[Any], along: list[np.ndarray], further: bool) -> Any:
    """(<gradients of previous, along> as a Tensor, its gradients as arrays), or None where it is constant."""
    scalar = inner(_gradients(previous, leaves), along)
    if scalar is None or not scalar.requires_grad:
        return None
    found = zen.gradients(scalar, leaves, allow_unused=True, retain_graph=True)
    return scalar, [_or_zeros(g, t) for g, t in zip(found, leaves, strict=True)]


def _gradients(loss: Any, leaves: list[Any]) -> list[Any]:
    return list(zen.gradients(loss, leaves, create_graph=True, allow_unused=True))


def inner(given: list[Any], along: list[np.ndarray]) -> Any:
    terms = [f.sum(g * d) for g, d in zip(given, along, strict=True) if g is not None]
    out = terms[0] if terms else None
    for term in terms[1:]:
        out = out + term
    return out


def _or_zeros(gradient: Any, t: Any) -> np.ndarray:
    return np.zeros(t.shape, t.dtype) if gradient is None else np.array(gradient.array)


class quietly:
    """Floating-point warnings off, every other warning an error, and a refusal as Refused."""

    def __enter__(self) -> None:
        self.caught = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.simplefilter("error")
        self.state = np.errstate(all="ignore")
        self.state.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.state.__exit__(None, None, None)
        self.caught.__exit__(None, None, None)
        if isinstance(error, RuntimeError) and OVERWRITTEN in str(error):
            raise Refused(str(error)) from None


MODES = ("grad", "vjp", "jvp", "grad of grad", "jvp of grad", "grad of jvp", "jvp of jvp", "free", "differences")


def disagreements(program: Program, found: dict[str, np.ndarray], modes: tuple[str, ...] = MODES) -> list[str]:
    """What the modes say against `results(program)`."""
    wrong = []
    for mode in modes:
        try:
            with quietly():
                other = _MODES[mode](program, found)
        except Refused:
            continue
        except Exception as error:  # any error is a finding
            wrong.append(f"{mode}: {type(error).__name__}: {error}")
            continue
        wrong += [f"{mode}, {name}: {text}" for name, (a, b) in other.items() if (text := differs(program, a, b))]
    return wrong


def _whole(program: Program) -> tuple[Any, list[np.ndarray], dict[str, Any]]:
    """The loss as a function of the leaves, and their arrays."""
    arrays = program.arrays()
    run = function(program, arrays)
    return lambda *xs: total(program, arrays, run(*xs)), [arrays[s.name] for s in program.leaves], arrays


def _expected(program: Program, found: dict[str, np.ndarray], order: int) -> list[np.ndarray]:
    return [found.get(f"order {order}, {s.name}", np.zeros(s.shape)) for s in program.leaves]


def _pairs(label: str, given: Any, expected: list[np.ndarray]) -> dict[str, Any]:
    return {f"{label}, leaf {k}": (g, e) for k, (g, e) in enumerate(zip(given, expected, strict=True))}


def _grad(program, found):
    loss, leaves, _ = _whole(program)
    return _pairs("gradient", zen.grad(loss, range(len(leaves)))(*leaves), _expected(program, found, 1))


def _vjp(program, found):
    arrays = program.arrays()
    run = function(program, arrays)

    def outputs(*xs):
        values = run(*xs)
        return [values[o] for o, _ in program.outputs]

    _, pull = zen.vjp(outputs, *[arrays[s.name] for s in program.leaves])
    cotangents = [arrays[c].astype(found.get(o, arrays[c]).dtype) for o, c in program.outputs]
    return _pairs("gradient", pull(cotangents), _expected(program, found, 1))


def _jvp(program, found):
    loss, leaves, _ = _whole(program)
    along = directions(program, 2)
    value, tangent = zen.jvp(loss, leaves, along)
    return {"value": (value, found["loss"]), "tangent": (tangent, _dot(_expected(program, found, 1), along))}


def _dot(a: list[np.ndarray], b: list[np.ndarray]) -> Any:
    return sum(np.sum(np.asarray(x, float) * y) for x, y in zip(a, b, strict=True))


def _slope(loss: Any, along: list[np.ndarray]) -> Any:
    def slope(*xs: Any) -> Any:
        return inner([zen.asarray(g) for g in zen.grad(loss, range(len(xs)))(*xs)], along)

    return slope


def _grad_of_grad(program, found):
    loss, leaves, _ = _whole(program)
    slope = _slope(loss, directions(program, 2))
    return _pairs("order 2", zen.grad(slope, range(len(leaves)))(*leaves), _expected(program, found, 2))


def _jvp_of_grad(program, found):
    loss, leaves, _ = _whole(program)
    _, moved = zen.jvp(zen.grad(loss, range(len(leaves))), leaves, directions(program, 2))
    return _pairs("order 2", moved, _expected(program, found, 2))


def _tangent(loss: Any, along: list[np.ndarray]) -> Any:
    return lambda *xs: zen.jvp(loss, xs, along)[1]


def _grad_of_jvp(program, found):
    loss, leaves, _ = _whole(program)
    moved = zen.grad(_tangent(loss, directions(program, 2)), range(len(leaves)))(*leaves)
    return _pairs("order 2", moved, _expected(program, found, 2))


def _jvp_of_jvp(program, found):
    loss, leaves, _ = _whole(program)
    _, twice = zen.jvp(_tangent(loss, directions(program, 2)), leaves, directions(program, 3))
    return {"tangent": (twice, _dot(_expected(program, found, 2), directions(program, 3)))}


def _free(program, found):
    """The first leaf as an argument, the others as what the function uses besides."""
    loss, leaves, _ = _whole(program)
    if len(leaves) < 2 or not any(_expected(program, found, 1)[0].ravel()):
        return {}
    others = [zen.tensor(a, requires_grad=True) for a in leaves[1:]]
    g = zen.grad(lambda x: loss(x, *others))(leaves[0])
    pairs = {"gradient": (g, _expected(program, found, 1)[0])}
    linked = inner([zen.asarray(g)], directions(program, 2)[:1])
    whole = _slope(loss, [directions(program, 2)[0], *[np.zeros_like(a) for a in leaves[1:]]])
    expected = zen.grad(whole, range(1, len(leaves)))(*leaves)
    if linked.requires_grad:
        linked.backward()
    pairs |= _pairs("order 2", [_or_zeros(t.grad, t) for t in others], list(expected))
    return pairs


def _differences(program, found):
    """Orders 1 to 3 by central differences of the order below; in double precision, where nothing is cut off."""
    cut = any(s.op == "detach" or s.under for s in program.steps)
    if program.dtype != "float64" or cut:
        return {}
    loss, leaves, _ = _whole(program)
    pairs: dict[str, Any] = {}
    for order in (1, 2, 3):
        along = directions(program, order + 1)
        expected = _dot(_expected(program, found, order), along)
        scale = sum(np.sum(np.abs(e)) for e in _expected(program, found, order)) + 1
        for step in (1e-4, 3e-6, 1e-7):  # a jump may lie within the first
            both = [_value(program, loss, [a + h * d for a, d in zip(leaves, along, strict=True)], order)
                    for h in (step, -step)]  # fmt: skip
            if None in both:
                return pairs
            slope = (both[0] - both[1]) / (2 * step)
            pairs[f"order {order}"] = (slope / scale, expected / scale)
            if not differs(program, slope / scale, expected / scale):
                break
    return pairs


def _value(program: Program, loss: Any, at: list[np.ndarray], order: int) -> Any:
    """The scalar whose gradient has this order: the loss, <its gradient, d2>, <the gradient of that, d3>."""
    leaves = [zen.tensor(a, requires_grad=True) for a in at]
    scalar = loss(*leaves)
    for k in range(2, order + 1):
        if scalar is None or not scalar.requires_grad:
            return None
        scalar = inner(_gradients(scalar, leaves), directions(program, k))
    return None if scalar is None else scalar.item()


_MODES = {
    "grad": _grad, "vjp": _vjp, "jvp": _jvp, "grad of grad": _grad_of_grad, "jvp of grad": _jvp_of_grad,
    "grad of jvp": _grad_of_jvp, "jvp of jvp": _jvp_of_jvp, "free": _free, "differences": _differences,
}  # fmt: skip

"""`grad`, `vjp`, `jvp` and `linearize` within a `vmap`: of the function of all examples, by the same transforms.

What is differentiated gets an axis for each level, so that each example has a gradient of its own: that of the sum over
all examples. The levels are taken off while the transform works, and put back when the function runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import WITHIN, Batched, running
from ..dtypes import COMPLEX, DEFAULT, INTEGER
from ..ops import register
from . import batched_passes, forward, linear, reverse
from .levels import Levels, is_mapped_by, lifted, lowered, moved_behind, within
from .variables import Variables
from .wrapper import Recorded


def value_and_gradient(given: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `value_and_grad` makes of one example's arguments. given: what it was given itself."""
    levels = running.levels
    f, argnums, has_aux, holomorphic = given[:4]
    where = reverse.positions(argnums, len(args))

    def physical(*whole: Any) -> Any:
        inner = [_lifted(x, levels) if k in where else x for k, x in enumerate(whole)]
        with within(levels):
            out = f(*inner, **kwargs)
            value, aux = reverse.split_aux("grad", out) if has_aux else (out, None)
        if not isinstance(value, (Tensor, Batched)) or value.size != 1:
            reverse.refuse_value(value)
        low = lowered(value, levels)
        return register.FUNCTIONS["sum"](low), (low, _lowered(aux, levels))

    whole = [_variable(x, levels) if k in where else x for k, x in enumerate(args)]
    with within(()):
        both = reverse.value_and_grad(physical, argnums, True, holomorphic)
        (_, (low, aux)), found = both(*whole)
    value, gradient = lifted(low, levels), _lifted(found, levels)
    return ((value, _lifted(aux, levels)) if has_aux else value), gradient


def vjp(f: Callable[..., Any], primals: tuple[Any, ...]) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    levels = running.levels
    given = [_variable(x, levels) for x in primals]
    with within(()):
        out, pull = reverse.vjp(_physical(f, levels), *given)

    def pull_one(cotangent: Any) -> tuple[Any, ...]:
        now = running.levels
        later = tuple([level for level in now if level not in levels])
        if later and is_mapped_by(cotangent, later):
            given = trees.transform(lambda c: moved_behind(c, levels, now), [cotangent])[0]
            found = pull(given)
            return trees.transform(lambda c: lifted(_front(lowered(c, later), levels, now), now), found)  # type: ignore[no-any-return]
        with within(()):
            found = pull(trees.transform(lambda c: lowered(c, levels), [cotangent])[0])
        return _lifted(found, levels)  # type: ignore[no-any-return]

    return _lifted(out, levels), Recorded("vjp", pull_one)


def _front(full: Any, first: Levels, then: Levels) -> Any:
    """The inverse of `moved_behind`: the axes of the levels in the order of `then`."""
    later = [level for level in then if level not in first]
    places = {id(level): k for k, level in enumerate([*later, *first])}
    order = (*[places[id(level)] for level in then], *range(len(then), full.ndim))
    return backend.apply(register.ROWS["permute_dims"], (full,), (order,))


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    levels = running.levels
    given = tuple([_variable(x, levels) for x in primals])
    directions = tuple([_variable(x, levels) for x in tangents])
    with within(()):
        out, tangent = forward.jvp(_physical(f, levels), given, directions)
    return _lifted(out, levels), _lifted(tangent, levels)


def linearize(f: Callable[..., Any], primals: tuple[Any, ...]) -> tuple[Any, Callable[..., Any]]:
    levels = running.levels
    given = [_variable(x, levels) for x in primals]
    with within(()):
        out, push = linear.linearize(_physical(f, levels), *given)

    def push_one(*tangents: Any) -> Any:
        now = running.levels
        later = tuple([level for level in now if level not in levels])
        if later and is_mapped_by(tangents, later):
            given = trees.transform(lambda t: moved_behind(t, levels, now), tangents)
            found = [push(*given)]
            return trees.transform(lambda t: lifted(_front(lowered(t, later), levels, now), now), found)[0]
        with within(()):
            found = push(*trees.transform(lambda t: lowered(t, levels), tangents))
        return _lifted(found, levels)

    return _lifted(out, levels), Recorded("linearize", push_one)


def pulled(
    primals: tuple[Any, ...], variables: Variables, out: Any, outputs: list[Tensor], connected: bool, cotangent: Any
) -> Any:
    """The products of many cotangents, that are Batched, for a `vjp` from outside of their `vmap`."""
    found = trees.matched(out, cotangent)
    if found is None or any([c.shape != t.shape for c, t in zip(found, outputs, strict=True)]):
        raise ValueError("vjp: the cotangent does not have the structure and shapes of the result")
    recorded = backend.grad_enabled() and (connected or any([c.requires_grad for c in found]))
    seeds = backend.call_recording(recorded, _conjugated, found)
    gradients = batched_passes.pull(outputs, seeds, variables.tensors, recorded)
    gradients = [backend.wrap(np.zeros(t.shape, t.dtype)) if g is None else g
                 for g, t in zip(gradients, variables.tensors, strict=True)]  # fmt: skip
    return trees.rebuild(primals, backend.call_recording(recorded, _conjugated, gradients))


def _conjugated(values: list[Any]) -> list[Any]:
    return [register.tensors.conj(v) if v.dtype in COMPLEX else v for v in values]


def _physical(f: Callable[..., Any], levels: Levels) -> Callable[..., Any]:
    """`f` of what holds all examples."""

    def physical(*given: Any) -> Any:
        with within(levels):
            out = f(*_lifted(given, levels))
        return _lowered(out, levels)

    return physical


def _variable(tree: Any, levels: Levels) -> Any:
    return trees.transform(lambda x: _floating(lowered(x, levels)), [tree])[0]


def _floating(t: Any) -> Any:
    return register.FUNCTIONS["astype"](t, DEFAULT) if t.dtype in INTEGER else t


def _lowered(tree: Any, levels: Levels) -> Any:
    """Tensors of all examples in the place of Tensors and Batched ones; other leaves stay."""
    return trees.transform(lambda x: lowered(x, levels) if isinstance(x, (Tensor, Batched)) else x, [tree])[0]


def _lifted(tree: Any, levels: Levels) -> Any:
    return trees.transform(lambda x: lifted(x, levels) if isinstance(x, (Tensor, Batched)) else x, [tree])[0]


WITHIN.update(value_and_grad=value_and_gradient, vjp=vjp, jvp=jvp, linearize=linearize, pull=pulled)

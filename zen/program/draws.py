"""Random numbers in programs: each draw is an instruction, which draws anew at each replay."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np

from .. import backend
from .. import random as zen_random
from ..backend import Row, Tensor


def _drawn(generator: Any, name: str, args: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> np.ndarray:
    return np.asarray(getattr(_found(generator), name)(*args, **dict(options)))


def _found(generator: Any) -> Any:
    """The generator; for None the one that `zen.random.seed` started last."""
    return zen_random._default() if generator is None else generator


def _no_derivative() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return (), ()


DRAW = Row("draw", 0, _drawn, _no_derivative)
"""A draw: of no operands; parameters: the generator, or None for zen's own, its method, and what that is given."""


class Stream:
    """A generator whose draws are recorded."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def draw(*args: Any, **options: Any) -> Tensor:
            own = None if self._generator is zen_random._generator else self._generator
            params = (own, name, args, tuple(options.items()))
            made: Tensor = backend.apply(DRAW, (), params)
            return made

        return draw


class States:
    """The states of generators at one time, and, to tell who drew, of those that everybody shares."""

    def __init__(self, generators: list[Any], shared: bool = False) -> None:
        self._generators = generators = [_found(g) for g in generators]
        self._states = [state(g) for g in generators]
        self._shared = _shared() if shared else ()

    def restore(self) -> None:
        for g, own in zip(self._generators, self._states, strict=True):
            if hasattr(g, "bit_generator"):
                g.bit_generator.state = own

    def unexplained(self, steps: list[Any]) -> bool:
        """Whether numbers were drawn since other than by these steps."""
        if _shared()[: len(self._shared)] != self._shared:  # NumPy's may have been loaded since
            return True
        for g, own in zip(self._generators, self._states, strict=True):
            now = state(g)
            if not hasattr(g, "bit_generator"):
                if now != own:
                    return True
                continue
            g.bit_generator.state = own
            for step in steps:
                if getattr(step, "row", None) is DRAW and _found(step.params[0]) is g:
                    _drawn(*step.params)
            explained = repr(state(g)) == repr(now)
            g.bit_generator.state = now
            if not explained:
                return True
        return False


def state(generator: Any) -> Any:
    """The state of a generator, to be compared."""
    if hasattr(generator, "bit_generator"):
        return generator.bit_generator.state
    if hasattr(generator, "get_state"):
        return repr(generator.get_state())
    return generator.getstate()


def _shared() -> tuple[Any, ...]:
    found: list[Any] = [random.getstate()]
    if "numpy.random" in sys.modules:
        shared: Any = np.random.get_state()  # noqa: NPY002 - it is NumPy's shared one that is looked at
        found.append((shared[0], shared[1].tobytes(), *shared[2:]))
    return tuple(found)


def drawn_from(steps: Any) -> list[Any]:
    """The generators that steps draw from, each once; None for zen's own."""
    found: dict[int, Any] = {}
    for step in steps:
        if getattr(step, "row", None) is DRAW:
            found[id(step.params[0])] = step.params[0]
    return list(found.values())

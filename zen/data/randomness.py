"""Where the random numbers of samplers, loaders and transforms come from, and why they do not depend on threads.

A NumPy Generator shared by several threads hands out its numbers in whatever order the threads ask. So nothing here
draws from a shared one while samples are loaded: a loader draws one number for each epoch, and what is random about a
sample comes from a generator of its own, derived from that number and from the sample's place in the epoch.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .. import random


class _Here(threading.local):
    place: Any = None
    """The Place of the sample that this thread is loading.

    Whoever sets it restores it in a `finally` of attributes alone: an interrupt comes in around calls only.
    """


here = _Here()
_lock = threading.Lock()
_LARGEST = 2**63 - 1


class Stream:
    """A random generator given as such, or by a seed, or neither: then it is seeded from `zen.random` on first use."""

    def __init__(self, owner: str, generator: Any = None, seed: int | None = None) -> None:
        if generator is not None and seed is not None:
            raise TypeError(f"{owner}: give either generator or seed, not both")
        if generator is not None and not isinstance(generator, np.random.Generator):
            kind = type(generator).__name__
            raise TypeError(f"{owner}: generator must be a numpy.random.Generator, not {kind}; seed= takes a number")
        self._owner = owner
        self._generator: np.random.Generator | None = generator if seed is None else np.random.default_rng(seed)

    @property
    def generator(self) -> np.random.Generator:
        if self._generator is None:
            self._generator = np.random.default_rng(_number(None))
        return self._generator

    @property
    def seeded(self) -> bool:
        """Whether there is a generator already: one was given, or has been made."""
        return self._generator is not None

    def number(self) -> int:
        """One random integer below 2**63."""
        return _number(self.generator)

    def state(self) -> dict[str, Any]:
        """The generator's state, of Python numbers, strings and lists only, so that it can be written as JSON."""
        state: dict[str, Any] = _plain(self.generator.bit_generator.state)
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state; ValueError if it belongs to another kind of generator."""
        if self._generator is None:
            self._generator = np.random.default_rng(0)  # zen.random is left alone: the state is about to be replaced
        known = type(self.generator.bit_generator).__name__
        found = state.get("bit_generator") if isinstance(state, dict) else None
        if found != known:
            raise ValueError(f"{self._owner}: the saved state is of a {found} generator, this one is a {known}")
        generator = self.generator.bit_generator
        before = generator.state
        try:
            generator.state = state
        except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
            generator.state = before
            raise ValueError(f"{self._owner}: the saved state of the generator is damaged ({error!r})") from None


class Place:
    """One sample's place in an epoch, from which its random numbers are derived."""

    __slots__ = ("_generator", "calls", "key")

    def __init__(self, root: int, epoch: int, position: int) -> None:
        self.key = (root, epoch, position)
        self.calls = 0
        self._generator: np.random.Generator | None = None

    def generator(self, seed: int | None) -> np.random.Generator:
        if seed is not None:  # a stream apart, which does not depend on the loader's seed
            self.calls += 1
            return np.random.default_rng((seed, *self.key[1:], self.calls))
        if self._generator is None:
            self._generator = np.random.default_rng(self.key)
        return self._generator


def sample_generator() -> np.random.Generator | None:
    """The random generator of the sample that a DataLoader is loading in this thread; None outside of a DataLoader.

    A Dataset that draws random numbers in `__getitem__` should draw them from here: they are then the same whatever
    the number of workers, and others in each epoch.

    >>> class Noise(zen.data.Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, index):
    ...         return zen.data.sample_generator().normal()
    >>> first, second = [next(iter(zen.data.DataLoader(Noise(), 4, seed=0, num_workers=n))) for n in (0, 3)]
    >>> bool((first == second).all())
    True
    """
    place: Place | None = here.place
    return None if place is None else place.generator(None)


class Draws:
    """The random generators of one random transform: one for each call, safe in any number of threads."""

    def __init__(self, owner: str, generator: np.random.Generator | None, seed: int | None) -> None:
        given = generator is not None or seed is not None
        stream = Stream(owner, generator, seed)
        self._seed = stream.number() if given else None
        self._root: int | None = self._seed
        self._calls = 0

    def next(self) -> np.random.Generator:
        """The generator of this call: the sample's inside a DataLoader, else the next of this transform's own."""
        place = here.place
        if place is not None:
            made: np.random.Generator = place.generator(self._seed)
            return made
        with _lock:
            if self._root is None:
                self._root = _number(None)
            self._calls += 1
            key = (self._root, self._calls)
        return np.random.default_rng(key)


def peek() -> int:
    """A number that follows from the state of zen.random, which stays as it is."""
    return int(random.get_state()["state"]["state"])


def _number(generator: np.random.Generator | None) -> int:
    return int(random.integers(0, _LARGEST, generator=generator).item())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value

"""Tensors of random numbers, drawn from one NumPy Generator.

`seed(n)` makes what follows repeatable. Every function takes `generator`, a numpy.random.Generator, for a stream of its
own. The results are leaves; distributions with parameters that require gradients are written with ordinary arithmetic,
for example `mean + scale * zen.random.normal(shape)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import backend
from .backend import Tensor
from .conversion import supported
from .creation import shape_of
from .dtypes import DEFAULT
from .habits import missing

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .typing import Ints

__all__ = ["get_state", "integers", "normal", "permutation", "seed", "set_state", "stream", "uniform"]
__dir__ = __all__.copy

_generator: np.random.Generator | None = None  # made when first needed: numpy.random takes 15 ms to import


def seed(n: int | None = None) -> None:
    """Start the stream of random numbers at `n`; without it, at a number from the operating system."""
    global _generator
    _generator = np.random.default_rng(n)


def normal(
    shape: Ints = (), mean: float = 0.0, scale: float = 1.0, *, dtype: DTypeLike = DEFAULT, requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normally distributed numbers with the given mean and standard deviation.

    >>> import zen
    >>> zen.random.seed(0)
    >>> zen.random.normal((2, 3)).shape
    (2, 3)
    """
    sizes, dtype = shape_of("normal", shape, supported(dtype))
    return _leaf((generator or _default()).normal(mean, scale, sizes), dtype, requires_grad)


def uniform(
    shape: Ints = (), low: float = 0.0, high: float = 1.0, *, dtype: DTypeLike = DEFAULT, requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """Numbers spread evenly over [low, high)."""
    sizes, dtype = shape_of("uniform", shape, supported(dtype))
    return _leaf((generator or _default()).uniform(low, high, sizes), dtype, requires_grad)


def integers(
    low: int, high: int | None = None, shape: Ints = (), *, generator: np.random.Generator | None = None
) -> Tensor:
    """Integers from [low, high), or from [0, low) if `high` is not given; int64."""
    sizes, _ = shape_of("integers", shape, DEFAULT)
    return backend.leaf(np.asarray((generator or _default()).integers(low, high, sizes)), False)


def permutation(n: int, *, generator: np.random.Generator | None = None) -> Tensor:
    """The integers 0 to n - 1 in random order; int64."""
    return backend.leaf((generator or _default()).permutation(n), False)


def _default() -> np.random.Generator:
    if _generator is None:
        seed()
    assert _generator is not None
    return _generator


def stream(generator: np.random.Generator | None = None) -> np.random.Generator:
    """The generator that is given, or else the one that `seed` starts."""
    return generator or _default()


def _leaf(values: Any, dtype: np.dtype, requires_grad: bool) -> Tensor:
    return backend.leaf(np.asarray(values, dtype), requires_grad)


def get_state() -> dict[str, Any]:
    """The state of the stream of random numbers, as a dict that JSON can hold; `set_state` continues from it.

    >>> import zen
    >>> zen.random.seed(0)
    >>> state = zen.random.get_state()
    >>> a = zen.random.normal(3)
    >>> zen.random.set_state(state)
    >>> bool((a == zen.random.normal(3)).all())
    True
    """
    return dict(_default().bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Continue the stream of random numbers from what `get_state` gave. ValueError for anything else."""
    try:
        _default().bit_generator.state = state
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"set_state: not a state of zen's random numbers ({error}); see get_state") from None


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        advice = {
            "rand": "uniform",
            "randn": "normal",
            "random": "uniform",
            "randint": "integers",
            "randperm": "permutation",
        }
        other = {
            name: f"zen.random.{own}" for name, own in {**advice, "manual_seed": "seed", "gauss": "normal"}.items()
        }
        raise missing(__name__, name, __all__, {**other, "default_rng": "np.random.default_rng(seed)"})

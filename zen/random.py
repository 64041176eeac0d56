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
from .batched import ANYWHERE, Batched, Unbatched, running
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
    return _leaf(stream(generator).normal(mean, scale, sizes), dtype, requires_grad)


def uniform(
    shape: Ints = (), low: float = 0.0, high: float = 1.0, *, dtype: DTypeLike = DEFAULT, requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """Numbers spread evenly over [low, high)."""
    sizes, dtype = shape_of("uniform", shape, supported(dtype))
    return _leaf(stream(generator).uniform(low, high, sizes), dtype, requires_grad)


def integers(
    low: int, high: int | None = None, shape: Ints = (), *, generator: np.random.Generator | None = None
) -> Tensor:
    """Integers from [low, high), or from [0, low) if `high` is not given; int64."""
    sizes, _ = shape_of("integers", shape, DEFAULT)
    drawn: Any = stream(generator).integers(low, high, sizes)
    if type(drawn) is Batched or isinstance(drawn, Tensor):
        return drawn  # type: ignore[return-value]
    return backend.leaf(np.asarray(drawn), False)


def permutation(n: int, *, generator: np.random.Generator | None = None) -> Tensor:
    """The integers 0 to n - 1 in random order; int64."""
    drawn: Any = stream(generator).permutation(n)
    return drawn if isinstance(drawn, Tensor) else backend.leaf(drawn, False)


def _default() -> np.random.Generator:
    if _generator is None:
        seed()
    assert _generator is not None
    return _generator


def stream(generator: np.random.Generator | None = None) -> np.random.Generator:
    """The generator that is given, or else the one that `seed` starts; in a `vmap` one that draws for each example."""
    found = generator or _default()
    tracer = backend.tracer()
    if tracer is not None:
        found = tracer.stream(found)
    return _ForExamples(found) if ANYWHERE and running.levels else found  # type: ignore[return-value]


class _ForExamples:
    """A generator within a `vmap`: its methods draw numbers for all examples."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator

    def __getattr__(self, name: str) -> Any:
        if name not in _ARGUMENTS:
            raise Unbatched(f"random {name} is drawn for one example")

        def draw(*args: Any, **options: Any) -> Any:
            options.update(zip(_ARGUMENTS[name], args, strict=False))
            size, levels = options.pop("size", None), running.levels
            own = () if size is None else tuple(size) if isinstance(size, (tuple, list)) else (size,)
            whole = (*[level.size for level in levels], *own)
            made: Any = getattr(self.generator, name)(size=whole, **options)
            made = made if isinstance(made, Tensor) else backend.wrap(np.asarray(made))
            for level in levels:
                made = Batched(made, level)
            return made

        return draw


_ARGUMENTS = {
    "gumbel": ("loc", "scale", "size"), "integers": ("low", "high", "size", "dtype", "endpoint"),
    "normal": ("loc", "scale", "size"), "random": ("size", "dtype"), "standard_normal": ("size", "dtype"),
    "uniform": ("low", "high", "size"),
}  # fmt: skip
"""The positional arguments of a generator's methods."""


def _leaf(values: Any, dtype: np.dtype, requires_grad: bool) -> Tensor:
    if type(values) is Batched:
        if requires_grad:
            raise Unbatched("a leaf is made for each example")
        return values.astype(dtype)  # type: ignore[no-any-return]
    if isinstance(values, Tensor):  # drawn while a program is recorded
        made: Tensor = values.astype(dtype)
        return made.requires_grad_() if requires_grad else made
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

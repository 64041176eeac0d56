"""What all distributions share: their arguments, sizes, streams of random numbers, and values with a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import f
from ..backend import Tensor
from ..dtypes import DEFAULT, FLOATING
from ..ops.operands import operand, raw
from ..random import stream


def bound(
    operation: str, names: tuple[str, ...], defaults: dict[str, float], args: tuple[Any, ...], given: dict[str, Any]
) -> list[Any]:
    """The parameters in order, from positions and names; TypeError for what is missing, unknown or given twice."""
    if len(args) > len(names):
        raise TypeError(f"{operation} takes {len(names)} parameters ({', '.join(names)}), but {len(args)} were given")
    found = dict(zip(names, args, strict=False))
    for name, value in given.items():
        if name not in names:
            raise TypeError(f"{operation} has no parameter {name!r}; it has {', '.join(names)}")
        if name in found:
            raise TypeError(f"{operation}: {name} was given twice")
        found[name] = value
    missing = [name for name in names if name not in found and name not in defaults]
    if missing:
        raise TypeError(f"{operation}: the parameter {missing[0]} is missing")
    return [number(operation, found.get(name, defaults.get(name))) for name in names]


def number(operation: str, value: Any) -> Any:
    """A parameter: a Python float, or a Tensor or array of a floating dtype."""
    if type(value) in (int, float, bool):
        return float(value)
    value = operand(operation, value)
    return value if value.dtype in FLOATING else raw(value).astype(DEFAULT)


def typed(*values: Any) -> list[Any]:
    """The values, Python numbers as arrays of the dtype that all of them have in common."""
    dtype = dtype_of(*values)
    return [np.asarray(v, dtype) if isinstance(v, float) else v for v in values]


def dtype_of(*values: Any) -> np.dtype[Any]:
    """The dtype of a result: Python numbers alone give the default one."""
    if all([isinstance(v, float) for v in values]):
        return DEFAULT
    return np.result_type(*[v if isinstance(v, float) else v.dtype for v in values])


def shape_of(*values: Any) -> tuple[int, ...]:
    return np.broadcast_shapes(*[getattr(v, "shape", ()) for v in values])


def sized(operation: str, size: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape of a sample; ValueError where the parameters do not broadcast to `size`."""
    own = shape_of(*parameters)
    if size is None:
        return own
    wanted = (int(size),) if np.ndim(size) == 0 else tuple([int(n) for n in np.asarray(size)])
    try:
        fits = np.broadcast_shapes(own, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{operation}: parameters of shape {own} do not broadcast to size {wanted}")
    return wanted


def source(random_state: int | np.random.Generator | None, generator: np.random.Generator | None) -> Any:
    """The generator to draw from: SciPy's argument or zen's own, a seed, or the stream of zen.random."""
    if random_state is not None and generator is not None:
        raise TypeError("rvs: give random_state or generator, not both; they mean the same")
    if isinstance(random_state, (int, np.integer)):
        return np.random.default_rng(random_state)
    return stream(random_state if random_state is not None else generator)


def positive(operation: str, **parameters: Any) -> None:
    """ValueError for the first parameter that is not positive everywhere."""
    for name, value in parameters.items():
        if not np.all(np.asarray(raw(value)) > 0):
            raise ValueError(f"{operation}: {name} must be positive")


def constant(distribution: str, what: str, reason: str, *values: Any) -> None:
    """TypeError with the reason where a gradient is wanted that does not exist."""
    if any([isinstance(v, Tensor) and v.requires_grad for v in values]):
        raise TypeError(
            f"{distribution}: no derivative with respect to {what}: {reason}; detach() it if it is constant"
        )


def within(outside: Any, x: Any, interior: float) -> Any:
    """x, and where it is outside a number from inside, to which no gradient comes back."""
    return f.where(outside, interior, x) if np.any(outside) else x


def limited(outside: Any, limit: Any, value: Any, valid: Any = True) -> Tensor:
    """The value; the limit outside, with gradients of zero; nan where the parameters are not valid."""
    if np.any(outside):
        value = f.where(outside, limit, value)
    return value if np.all(valid) else f.where(valid, value, float("nan"))


def logarithm(value: Any) -> Tensor:
    """log, and -inf with gradients of zero where a probability has no slope left."""
    none = np.asarray(raw(value)) == 0
    return limited(none, -np.inf, f.log(within(none, value, 1.0)))


class Distribution:
    """The functions of a distribution, of parameters given to each; called, it fixes the parameters."""

    name = ""

    def __call__(self, *args: Any, **parameters: Any) -> Frozen:
        """The distribution with these parameters fixed: norm(0, 2).logpdf(x) is norm.logpdf(x, 0, 2)."""
        return Frozen(self, args, parameters)

    def __repr__(self) -> str:
        return f"zen.stats.{self.name}"


class Frozen:
    """A distribution whose parameters are fixed."""

    def __init__(self, of: Distribution, args: tuple[Any, ...], parameters: dict[str, Any]) -> None:
        self.distribution, self.args, self.parameters = of, args, parameters

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        function = getattr(self.distribution, name)
        if name in ("mean", "var", "std", "entropy", "rvs"):
            return lambda *args, **options: function(*self.args, *args, **self.parameters, **options)
        return lambda x: function(x, *self.args, **self.parameters)

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *[f"{name}={value!r}" for name, value in self.parameters.items()]]
        return f"{self.distribution!r}({', '.join(given)})"

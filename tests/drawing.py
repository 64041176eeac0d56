"""Inputs for the rows, drawn from the domain that each of them declares."""

from typing import Any, NamedTuple

import numpy as np

from zen import backend, f
from zen.ops import late, register
from zen.ops.row import Row

late.load_all()
ROWS = register.DECLARATIONS
ELEMENTWISE = [name for name, row in ROWS.items() if row.elementwise]
STRUCTURAL = [name for name, row in ROWS.items() if not row.elementwise]
COMPOSED = [name for name, row in ROWS.items() if row.composition is not None]


def has_derivative(row: Row, k: int = 0) -> bool:
    """Whether there is a derivative in argument k."""
    return callable(row.vjp) or row.vjp[0 if row.variadic else k] is not None


DIFFERENTIABLE = [name for name, row in ROWS.items() if any(has_derivative(row, k) for k in range(len(row.args)))]


def joined(made: Any) -> Any:
    """Several results as one, so that a derivative of it is one of all of them."""
    if not isinstance(made, tuple):
        return made
    if isinstance(made[0], np.ndarray):
        return np.concatenate([np.ravel(y) for y in made])
    return f.concat([f.ravel(y) for y in made])


class Case(NamedTuple):
    """Arguments for one call of a row. For a variadic row `args` are all of its arrays."""

    name: str
    args: tuple[Any, ...]
    params: tuple[Any, ...] = ()

    def __call__(self, *args: Any) -> Any:
        """The row applied to Tensors, arrays or scalars in place of the case's own arguments; its results joined."""
        return joined(backend.apply(register.ROWS[self.name], args, self.params))

    @property
    def floating(self) -> list[int]:
        """Positions of the arguments that have a derivative here: a formula, and a floating dtype."""
        row = ROWS[self.name]
        return [k for k, a in enumerate(self.args) if has_derivative(row, k) and np.asarray(a).dtype.kind == "f"]

    def differentiable(self, *args: Any) -> Any:
        """As the call, as a function of the arguments at `floating` alone."""
        full = list(self.args)
        for k, a in zip(self.floating, args, strict=True):
            full[k] = a
        return self(*full)

    def smooth_args(self) -> list[Any]:
        return [self.args[k] for k in self.floating]

    def cast(self, dtype: Any) -> "Case":
        """The case with its floating arguments in another dtype."""
        return self._replace(args=tuple(a.astype(dtype) if np.asarray(a).dtype.kind == "f" else a for a in self.args))

    def laid_out(self, layout: Any) -> "Case":
        """The case with its arrays in another memory layout."""
        return self._replace(args=tuple(layout(a) if isinstance(a, np.ndarray) else a for a in self.args))


def elementwise_case(name: str, shapes: Any, seed: int = 0, dtype: Any = np.float64) -> Case:
    """`shapes`: one for each argument, or a single one for all."""
    row, rng = ROWS[name], np.random.default_rng(seed)
    if not isinstance(shapes, list):
        shapes = [shapes] * len(row.args)
    return Case(name, tuple(draw(domain, shape, rng, dtype) for domain, shape in zip(row.domain, shapes, strict=True)))


def draw(domain: Any, shape: tuple[int, ...], rng: np.random.Generator, dtype: Any) -> np.ndarray:
    if domain == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if domain == "const":
        shape = ()
    low, high = (-2.0, 2.0) if domain == "const" else domain
    values = np.asarray(rng.uniform(low, high, shape))
    # Zero is a kink of many functions: stay away from it, and within the interval.
    return np.asarray(np.where(np.abs(values) < 0.05, np.clip(0.1, low, high), values), dtype)


def structural_cases(name: str, seed: int = 0) -> list[Case]:
    row: Row = ROWS[name]
    drawn = row.domain(np.random.default_rng(seed))
    return [Case(name, tuple(_array(a) for a in args), tuple(params)) for args, params in drawn]


def _array(value: Any) -> Any:
    """Generators draw a 0-d value as a Python or NumPy scalar."""
    return np.asarray(value) if isinstance(value, (float, np.generic)) else value


def cases(name: str, seed: int = 0) -> list[Case]:
    """Ordinary cases of any row: small arrays of float64."""
    if ROWS[name].elementwise:
        return [elementwise_case(name, shape, seed) for shape in ((2, 3), ())]
    return structural_cases(name, seed)


def broadcast_shapes(nargs: int) -> list[list[tuple[int, ...]]]:
    """Shapes that broadcast together, for rows of one argument or more."""
    if nargs == 1:
        return [[(3,)], [(2, 1, 3)]]
    if nargs == 2:
        return [
            [(3, 1), (1, 4)], [(4,), (2, 3, 4)], [(2, 3, 4), (3, 1)], [(), (3,)], [(2, 3), ()], [(1,), (3,)],
            [(1, 1), (2, 3)], [(2, 1, 3), (2, 4, 1)], [(1,), (1,)],
        ]  # fmt: skip
    three = [[(3, 1), (1, 4), (4,)], [(2, 3), (), (3,)], [(), (2, 3), (2, 1)], [(3,), (3,), ()], [(1,), (1, 1), (2, 3)]]
    return [[*shapes[:1] * (nargs - 3), *shapes] for shapes in three]

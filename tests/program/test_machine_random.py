"""Random programs: the machine gives what the engine gives for the same rows one by one, bit for bit, every time."""

import numpy as np
import pytest
from building import Builder, replayed_eagerly, same

import zen
from zen.backend import Machine

UNARY = "negative square abs tanh exp sin sqrt reciprocal sign positive relu sigmoid".split()
BINARY = "add subtract multiply divide maximum minimum atan2 less greater_equal equal".split()
SHAPES = [(), (3,), (4, 3), (3, 1), (2, 4, 3), (1,), (0, 3), (4, 1), (70,), (5000,), (3, 5000), (5000, 3)]
DTYPES = [np.float64, np.float64, np.float32, np.float32, np.int64, np.bool_, np.complex128]


class Random:
    """Grows a program by steps drawn at random among those that fit the values at hand."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.b = Builder()
        self.values = [self.given() for _ in range(self.rng.integers(2, 6))]
        self.weak = [self.b.input(float(self.rng.normal())) for _ in range(2)]
        for _ in range(self.rng.integers(1, 30)):
            self.step()

    def draw(self):
        shape, dtype = self.pick(SHAPES), np.dtype(self.pick(DTYPES))
        found = self.rng.normal(size=shape) * 2
        array = np.array(found, dtype) if dtype.kind != "b" else np.array(found > 0)
        return np.asarray(array + 1j) if dtype.kind == "c" else array

    def given(self):
        kind = self.rng.integers(6)
        if kind == 0:
            return self.b.constant(self.draw())
        if kind == 1:
            return self.b.bound(zen.tensor(self.draw()) if self.rng.random() < 0.5 else self.draw())
        return self.b.input(self.draw())

    def pick(self, things):
        return things[self.rng.integers(len(things))]

    def step(self):
        made = getattr(self, self.pick(self.KINDS))()
        for value in made if isinstance(made, tuple) else (made,):
            if value is not None:
                (self.weak if value.weak else self.values).append(value)

    KINDS = (
        "unary unary binary binary binary scaled where part part placed written shape shape total total product check "
        "number python"
    ).split()  # fmt: skip

    def attempt(self, *call, **more):
        try:
            with np.errstate(all="ignore"):
                return self.b.row(*call, **more)
        except (TypeError, ValueError, IndexError, ZeroDivisionError, MemoryError):
            return None

    def recent(self):
        last = self.values[-6:] if self.rng.random() < 0.8 else self.values
        return self.pick(last)

    def unary(self):
        return self.attempt(self.pick(UNARY), self.recent())

    def binary(self):
        x, y = self.recent(), self.recent()
        if np.prod(np.broadcast_shapes(x.shape, x.shape)) * np.prod(y.shape) > 3e7:
            return None
        return self.attempt(self.pick(BINARY), x, y)

    def scaled(self):
        number = self.pick([2, 0.5, -1.5, self.weak[-1], True])
        operands = (self.recent(), number) if self.rng.random() < 0.5 else (number, self.recent())
        return self.attempt(self.pick(BINARY), *operands)

    def where(self):
        mask = self.attempt("less", self.recent(), 0.3)
        return None if mask is None else self.attempt("where", mask, self.recent(), self.pick([0, self.recent()]))

    def key(self, shape):
        parts = []
        for n in shape[: self.rng.integers(len(shape) + 1)]:
            kind = self.rng.integers(5)
            a, c = sorted(self.rng.integers(0, n + 1, 2).tolist())
            parts.append([slice(a, c), slice(None, None, -1), slice(None), slice(a, None, 2), min(a, n - 1)][kind])
        if self.rng.random() < 0.2:
            parts.insert(self.rng.integers(len(parts) + 1), None)
        return tuple(parts)

    def part(self):
        x = self.recent()
        return self.attempt("getitem", x, params=(self.key(x.shape),))

    def placed(self):
        x = self.recent()
        key = self.key(x.shape)
        part = self.attempt("getitem", x, params=(key,))
        return None if part is None else self.attempt("scatter", part, params=(x.shape, key))

    def written(self):
        x = self.recent()
        key = self.key(x.shape)
        part = self.attempt("getitem", self.recent() if self.rng.random() < 0.3 else x, params=(key,))
        if part is None:
            return None
        found = self.attempt("setitem", x, self.pick([part, 1.5, self.weak[-1]]), params=(key,))
        return part, found

    def shape(self):
        x = self.recent()
        kind = self.rng.integers(4)
        if kind == 0:
            return self.attempt("permute_dims", x, params=(tuple(self.rng.permutation(len(x.shape)).tolist()),))
        if kind == 1 and int(np.prod(x.shape)) < 100000:
            return self.attempt("broadcast_to", x, params=((2, *x.shape),))
        if kind == 2:
            return self.attempt("reshape", x, params=((*x.shape[1:], *x.shape[:1]),))
        return self.attempt("reshape", x, params=((int(np.prod(x.shape)),),))

    def total(self):
        x = self.recent()
        axes = tuple(np.flatnonzero(self.rng.random(len(x.shape)) < 0.5).tolist())
        return self.attempt(
            self.pick(["sum", "mean", "max"]), x, params=(self.pick([None, axes]), bool(self.rng.random() < 0.5))
        )

    def product(self):
        x, y = self.recent(), self.recent()
        if np.prod(x.shape) * np.prod(y.shape) > 1e7:
            return None
        found = self.attempt("matmul", x, y)
        if found is None and len(x.shape) > 1 and x.shape[0] < 100:
            axes = (*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2)
            found = self.attempt("matmul", x, self.attempt("permute_dims", x, params=(axes,)))
        return found

    def check(self):
        if self.rng.random() < 0.3:
            self.b.check(self.recent())

    def number(self):
        operator = self.pick("+-*/")
        b = self.pick([2.0, 3, self.weak[0]])
        if operator == "/" and isinstance(b, int | float):
            return self.b.number(operator, self.pick(self.weak), b)
        return self.b.number("neg" if operator == "/" else operator, self.pick(self.weak), *[b][operator == "/" :])

    def python(self):
        x = self.recent()
        kind = self.rng.integers(5)
        if kind == 4:
            return self.attempt("astype", x, params=(np.dtype(self.pick(DTYPES)),))
        if kind == 0:
            return self.attempt("cumsum", x, params=(0,))
        if kind == 1:
            return self.attempt("flip", x, params=((0,),))
        if kind == 2:
            return self.attempt("copy", x, params=(self.pick("KFC"),))
        return self.attempt("split", x, params=(0, (slice(0, 1), slice(1, 2))))


def compare(seed):
    made = Random(seed)
    values = [*made.values, *made.weak]
    outputs = [made.pick(values) for _ in range(made.rng.integers(1, 6))] + made.values[-2:]
    program = made.b.program(*outputs)
    machine = Machine(program)
    kept = []
    for call in range(3):
        expected = replayed_eagerly(program, made.b.samples)
        found = machine.run(made.b.samples)
        assert isinstance(found, list), f"seed {seed}: step {found} ended the run\n{machine.text()}"
        kept.append((found, expected))
        for one, two in kept:
            for value, a, b in zip(outputs, one, two, strict=True):
                assert same(a, b), f"seed {seed}, call {call}, {value}\n{machine.text()}"


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_are_those_of_eager(seed):
    compare(seed)

"""Draws a program, step by step: what is known of each value, the sources, and the choice of families.

Choices depend on the seed alone, never on values, so that every engine gets the same program. Each value has a bound
on its magnitude, kept small, and whatever has a kink or a tie is moved away from it by drawn offsets, so that all
orders of derivatives are defined and of moderate size.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from .program import Program, Ref, Source, Step

LIMIT = 4.0  # larger values are scaled down
SPELLED = {
    "add",
    "subtract",
    "multiply",
    "divide",
    "power",
    "matmul",
    "where",
    "logaddexp",
}  # also as operators or np's


@dataclass
class Value:
    shape: tuple[int, ...]
    bound: float
    linked: bool  # whether a gradient reaches a leaf
    group: int  # values of one group may share memory
    own: bool = False  # made by the program, so that it may be written to
    dense: bool = False  # surely C-contiguous, so that reshape is surely a view


class Builder:
    def __init__(self, seed: int, dtype: str | None = None, large: bool | None = None) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.dtype = dtype or self.rng.choice(["float64", "float64", "float64", "float32"])
        self.large = self.rng.random() < 0.04 if large is None else large
        self.sources: list[Source] = []
        self.steps: list[Step] = []
        self.values: dict[str, Value] = {}
        self.retained: list[str] = []
        self.frozen: set[int] = set()  # groups that must not be written to any more
        self.reversed: set[int] = set()  # groups with a view that PyTorch may not have: backwards, or a reshape
        self.portable = True
        self.count = 0

    # --- sources

    def source(self, role: str, shape: tuple[int, ...], **options: Any) -> Ref:
        letter = {"leaf": "x", "array": "a", "index": "i", "mask": "m"}[role]
        self.count += 1
        name = Ref(f"{letter}{self.count}")
        if "layout" not in options:
            options["layout"] = self.rng.choice(["C", "C", "C", "F", "strided", "reversed"])
        options.setdefault("dtype", self.dtype)
        self.sources.append(Source(name, role, shape, seed=self.rng.randrange(10**6), **options))
        return name

    def leaf(self, shape: tuple[int, ...], scale: float = 1.5, always: bool = False) -> Ref:
        """A new leaf; from the fifth on, unless `always`, an array that has no gradient."""
        if not always and sum(s.role == "leaf" for s in self.sources) >= 5:
            return self.array(shape, scale, integers=False)
        name = self.source("leaf", shape, low=-scale, high=scale)
        layout = self.sources[-1].layout
        self.count += 1
        self.values[name] = Value(shape, scale, True, self.count, dense=layout == "C")
        return name

    def array(self, shape: tuple[int, ...], scale: float = 1.5, integers: bool = True) -> Ref:
        """An array of the user's; now and then of integers."""
        if integers and self.rng.random() < 0.12:
            name = self.source("array", shape, dtype="int64", kind="integers", low=-2.0, high=3.0)
        else:
            name = self.source("array", shape, low=-scale, high=scale)
        return name

    def spread(self, shape: tuple[int, ...], low: float = 0.0) -> Ref:
        """What is added to a value so that no two elements are equal."""
        return self.source("array", shape, kind="spread", low=low, high=low + 0.07 * prod(shape), layout="C")

    def index(self, shape: tuple[int, ...], n: int, distinct: bool = False) -> Ref:
        low = 0 if distinct or self.rng.random() < 0.6 else -n
        dtype = self.rng.choice(["int64", "int64", "int32"])
        kind = "distinct" if distinct else "integers"
        return self.source("index", shape, kind=kind, low=float(low), high=float(n), dtype=dtype)

    def mask(self, shape: tuple[int, ...]) -> Ref:
        return self.source("mask", shape, kind="bool", dtype="bool")

    def offset(self) -> float:
        """Some number that no sum of others hits."""
        return round(self.rng.uniform(0.05, 0.6) * self.rng.choice([-1, 1]), 4) + 0.00137

    def shape(self, low: int = 0, high: int = 3) -> tuple[int, ...]:
        if self.large:
            return self.rng.choice([(70, 90), (20000,), (130, 170), (9, 8, 70)])
        if self.rng.random() < 0.03 and low <= 2:
            return self.rng.choice([(0,), (3, 0), (0, 2)])
        sizes = [1, 2, 2, 3, 3, 4, 5]
        return tuple(self.rng.choice(sizes) for _ in range(self.rng.randint(low, high)))

    # --- steps

    def emit(
        self, op: str, *args: Any, shape: tuple[int, ...], bound: float, template: str | None = None,
        view: bool = False, dense: bool | None = None, own: bool = True, cut: bool = False, **kwargs: Any,
    ) -> Ref:  # fmt: skip
        """A step with a result. view: it shares the memory of its first argument; cut: no gradient passes."""
        self.count += 1
        name = Ref(f"v{self.count}")
        names = Step(op, args, kwargs).names()
        used = [self.values[r] for r in names if r in self.values]
        if names and not used and op in SPELLED:
            template = None  # zen's function: an operator or np's would give an array
        linked = any(v.linked for v in used)
        first = self.values.get(args[0]) if args and isinstance(args[0], Ref) else None
        group, free = (first.group, first.own) if view and first is not None else (self.count, True)
        if dense is None:
            dense = bool(first and first.dense and len(names) == 1 and first.shape == shape and not view)
        self.values[name] = Value(shape, bound, linked and not cut, group, free and own, dense)
        self.steps.append(Step(op, args, kwargs, name, template))
        return self.tame(name)

    def tame(self, name: Ref) -> Ref:
        value = self.values[name]
        if value.bound <= LIMIT:
            return name
        if self.rng.random() < 0.3:
            return self.emit("tanh", name, shape=value.shape, bound=1.0)
        scale = float(f"{1.5 / value.bound:.3g}")
        return self.emit("multiply", name, scale, shape=value.shape, bound=1.6, template="{0} * {1}")

    def act(self, op: str, *args: Any, template: str, under: str = "", **kwargs: Any) -> None:
        """A step without a result."""
        self.steps.append(Step(op, args, kwargs, None, template, under))

    def pick(self, wanted: Any = None) -> Ref:
        """An earlier value, mostly a late one, for which `wanted(value)` holds; a new leaf if there is none."""
        names = [n for n, v in self.values.items() if wanted is None or wanted(v)]
        if not names:
            return self.leaf(self.shape(), always=True)
        k = max(self.rng.randrange(len(names)), self.rng.randrange(len(names)))
        return Ref(names[k])

    def known(self, name: Any) -> Value:
        """What is known of a value or source."""
        if name in self.values:
            return self.values[name]
        source = next(s for s in self.sources if s.name == name)
        return Value(source.shape, max(abs(source.low), abs(source.high)), False, -1)

    def perhaps_a_view(self, value: Value) -> None:
        """Before a reshape, which is a view if the layout allows: writes to the same memory tell, in PyTorch perhaps
        otherwise than in NumPy, whose layouts of results differ."""
        if self.rng.random() < 0.5:
            self.frozen.add(value.group)
        elif not value.dense:
            self.reversed.add(value.group)

    def fit(self, shape: tuple[int, ...], name: Ref | None = None) -> Ref:
        """Some value in the wanted shape: gathered from another one, or a new leaf."""
        name = self.pick() if name is None else name
        value = self.values[name]
        if value.shape == shape:
            return name
        if prod(value.shape) == 0 or prod(shape) > 3000 or self.rng.random() < 0.4:
            return self.leaf(shape)
        if prod(value.shape) == prod(shape):
            self.frozen.add(value.group)
            return self.emit("reshape", name, shape, shape=shape, bound=value.bound, view=True, dense=value.dense)
        index = self.index(shape, prod(value.shape))
        flat = self.emit("ravel", name, shape=(prod(value.shape),), bound=value.bound, view=True)
        self.frozen.add(value.group)
        return self.emit("getitem", flat, index, shape=shape, bound=value.bound, template="{0}[{1}]")

    def partner(self, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...], float]:
        """An operand that broadcasts against `shape`: (operand, its shape, its bound)."""
        if self.rng.random() < 0.15:
            number = self.offset() * 2
            return self.rng.choice([number, number, 2, -1]), (), 2.0
        other = [n for n, v in self.values.items() if broadcast(v.shape, shape) is not None]
        if other and self.rng.random() < 0.6:
            name = Ref(self.rng.choice(other))
            return name, self.values[name].shape, self.values[name].bound
        own = tuple(1 if self.rng.random() < 0.25 else n for n in shape)[self.rng.choice([0, 0, 0, 1, 2]) :]
        make = self.leaf if self.rng.random() < 0.4 else self.array
        return make(own), own, 2.0

    # --- the whole

    def finish(self) -> Program:
        used = set().union(*[s.names() for s in self.steps]) if self.steps else set()
        open_ends = [n for n, v in self.values.items() if v.linked and n not in used and n.startswith("v")]
        linked = [n for n, v in self.values.items() if v.linked and n.startswith("v")]
        extra = self.rng.sample(linked, min(len(linked), 2))
        chosen = list(dict.fromkeys([*open_ends, *extra]))[-6:] or [next(iter(self.values))]
        outputs = []
        for name in chosen:
            cotangent = self.source("array", self.values[name].shape, low=-1.0, high=1.0, layout="C")
            self.sources[-1] = replace(self.sources[-1], dtype=self.dtype, kind="uniform", low=-1.0, high=1.0)
            outputs.append((str(name), str(cotangent)))
        shapes = {str(n): v.shape for n, v in self.values.items()}
        sources, steps, retained = tuple(self.sources), tuple(self.steps), tuple(self.retained)
        return Program(self.seed, self.dtype, sources, steps, tuple(outputs), retained, shapes, self.portable)


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The common shape, or None."""
    n = max(len(a), len(b))
    pairs = list(zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b, strict=True))
    if any(x != y and 1 not in (x, y) for x, y in pairs):
        return None
    return tuple(y if x == 1 else x for x, y in pairs)

"""Random straight-line programs as plain data: what they are made of, how they read as Python, and how they shrink.

`families.py`, `layers.py` and `wider.py` draw them, `interpret.py`, `abuse.py` and the peers run them, `python -m fuzz`
looks for programs that fail. A program is a list of sources (leaves, arrays of the user's, index arrays, masks), of
steps over named values, and of outputs, each with the array it is multiplied by in the loss.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


class Ref(str):
    """The name of a value among the arguments of a step."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def draw(seed, shape, dtype="float64", low=-1.0, high=1.0, kind="uniform", layout="C"):
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    if kind == "uniform":
        a = rng.uniform(low, high, shape).astype(dtype)
    elif kind == "integers":
        a = rng.integers(int(low), int(high), shape).astype(dtype)
    elif kind == "distinct":  # no integer twice
        a = rng.permutation(int(high))[:size].reshape(shape).astype(dtype)
    elif kind == "spread":  # no two values closer than a step
        a = (rng.permutation(size) * ((high - low) / max(size, 1)) + low).reshape(shape).astype(dtype)
    elif kind == "rising":  # apart by about 1
        a = (np.arange(size) + rng.uniform(0, 0.3, size)).reshape(shape).astype(dtype)
    elif kind == "diagonal":  # 1, 2, 3, ...
        a = (np.eye(*shape) * np.arange(1, shape[1] + 1)).astype(dtype)
    elif kind == "first":  # True there alone
        a = np.arange(size).reshape(shape) == 0
    else:
        a = np.asarray(rng.random(shape) < 0.6)
    if layout == "F":
        return a.copy("F")
    if layout == "strided":
        out = np.zeros(tuple(2 * n + 1 for n in a.shape), a.dtype)[(*[slice(1, 2 * n, 2) for n in a.shape], ...)]
        out[...] = a
        return out
    if layout == "reversed":
        back = (*[slice(None, None, -1)] * a.ndim, ...)
        return a[back].copy("C")[back]
    return a


@dataclass(frozen=True)
class Source:
    """An array that a program starts from: a leaf, or "array", "index" or "mask" where no gradient is wanted."""

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str
    seed: int
    low: float = -1.0
    high: float = 1.0
    kind: str = "uniform"
    layout: str = "C"

    def array(self) -> np.ndarray:
        return draw(self.seed, self.shape, self.dtype, self.low, self.high, self.kind, self.layout)

    def text(self) -> str:
        drawn = (self.seed, self.shape, self.dtype, self.low, self.high, self.kind, self.layout)
        return f"{self.name} = draw({', '.join(map(repr, drawn))})"


@dataclass(frozen=True)
class Step:
    """One line. `template` is its Python text over the arguments; `op` and the arguments are what peers read."""

    op: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    out: str | None = None
    template: str | None = None
    under: str = ""  # a context that the line runs in: "zen.no_grad()"

    def text(self) -> str:
        if self.template is not None:
            line = self.template.format(*[show(a) for a in self.args])
        else:
            given = [*map(show, self.args), *[f"{k}={show(v)}" for k, v in self.kwargs.items()]]
            line = f"f.{self.op}({', '.join(given)})"
        line = line if self.out is None else f"{self.out} = {line}"
        return f"with {self.under}:\n        {line}" if self.under else line

    def names(self) -> set[str]:
        return {str(r) for r in refs((self.args, self.kwargs))}


@dataclass(frozen=True)
class Program:
    seed: int
    dtype: str
    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, str], ...]  # value and its cotangent, both by name
    retained: tuple[str, ...] = ()
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    portable: bool = True  # whether PyTorch's views are the same

    @property
    def leaves(self) -> list[Source]:
        return [s for s in self.sources if s.role == "leaf"]

    def arrays(self) -> dict[str, np.ndarray]:
        return {s.name: s.array() for s in self.sources}

    def function(self) -> str:
        """`program(x0, ...)` as text; it returns every value by name."""
        body = [step.text() for step in self.steps]
        head = f"def program({', '.join(s.name for s in self.leaves)}):"
        return "\n    ".join([head, *body, "return dict(locals())"])

    def snippet(self, action: str = "") -> str:
        """The whole program, to be run by hand."""
        lines = [
            "import numpy as np, zen",
            "from zen import f, polynomial, special, stats",
            "from zen.backend import apply",
        ]
        lines += ["from zen.ops import recurrent", ""]
        lines += [inspect.getsource(draw), *[s.text() for s in self.sources], "", self.function(), ""]
        lines += [f"{s.name} = zen.tensor({s.name}, requires_grad=True)" for s in self.leaves]
        lines += [f"values = program({', '.join(s.name for s in self.leaves)})"]
        terms = " + ".join(f"f.sum(values[{o!r}] * {c})" for o, c in self.outputs)
        return "\n".join([*lines, f"loss = {terms}", action or "loss.backward()", ""])

    def in_dtype(self, dtype: str) -> Program:
        """The same program on other floats."""
        swap = {self.dtype: dtype}
        return replace(
            self, dtype=dtype, sources=tuple(replace(s, dtype=swap.get(s.dtype, s.dtype)) for s in self.sources)
        )


def refs(tree: Any) -> list[Ref]:
    if isinstance(tree, Ref):
        return [tree]
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [r for part in tree for r in refs(part)] if isinstance(tree, (tuple, list)) else []


def show(value: Any) -> str:
    if isinstance(value, slice):
        return f"slice({value.start}, {value.stop}, {value.step})"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    return "..." if value is Ellipsis else repr(value)


def resolve(value: Any, found: dict[str, Any]) -> Any:
    """`value` with each name replaced by what it stands for."""
    if isinstance(value, Ref):
        return found[value]
    if isinstance(value, (tuple, list)):
        return type(value)(resolve(v, found) for v in value)
    return value


def shrink(program: Program, fails: Any) -> Program:
    """A program with fewer outputs, steps and sources for which `fails(program)` still holds."""
    changed = True
    while changed:
        changed = False
        for smaller in _smaller(program):
            if fails(smaller):
                program, changed = smaller, True
                break
    return program


def _smaller(program: Program):
    if len(program.outputs) > 1:
        for output in program.outputs:
            yield _used(replace(program, outputs=(output,)))
        for output in program.outputs:
            yield _used(replace(program, outputs=tuple(o for o in program.outputs if o is not output)))
    for k in range(len(program.steps) - 1, -1, -1):
        yield from _without(program, k)
    for name in program.retained:
        yield replace(program, retained=tuple(n for n in program.retained if n != name))
    plain = [replace(s, layout="C") for s in program.sources]
    for k, source in enumerate(program.sources):
        if source.layout != "C":
            yield replace(program, sources=(*program.sources[:k], plain[k], *program.sources[k + 1 :]))


def _without(program: Program, k: int):
    """The program without step k: with all that needs it, or with another value of its shape in its place."""
    step = program.steps[k]
    rest = (*program.steps[:k], *program.steps[k + 1 :])
    if step.out is None:
        yield _used(replace(program, steps=rest))
        return
    shape = program.shapes.get(step.out)
    for name in sorted(step.names()):
        if program.shapes.get(name) == shape and shape is not None:
            later = tuple(_renamed(s, step.out, name) for s in rest)
            outputs = tuple((name if o == step.out else o, c) for o, c in program.outputs)
            retained = tuple(n for n in program.retained if n != step.out)
            yield _used(replace(program, steps=later, outputs=outputs, retained=retained))
    gone, kept = {step.out}, []
    for other in rest:
        if other.names() & gone:
            gone |= {other.out} - {None}
        else:
            kept.append(other)
    outputs = tuple((o, c) for o, c in program.outputs if o not in gone)
    if outputs:
        retained = tuple(n for n in program.retained if n not in gone)
        yield _used(replace(program, steps=tuple(kept), outputs=outputs, retained=retained))


def _renamed(step: Step, old: str, new: str) -> Step:
    def swap(tree: Any) -> Any:
        if isinstance(tree, Ref):
            return Ref(new) if tree == old else tree
        return type(tree)(map(swap, tree)) if isinstance(tree, (tuple, list)) else tree

    return replace(step, args=swap(step.args), kwargs={k: swap(v) for k, v in step.kwargs.items()})


def _used(program: Program) -> Program:
    """Without the sources that nothing reads; one leaf stays."""
    names = {c for _, c in program.outputs} | {o for o, _ in program.outputs}
    names = names.union(*[s.names() for s in program.steps])
    kept = [s for s in program.sources if s.name in names]
    if not any(s.role == "leaf" for s in kept):
        kept = [*program.leaves[:1], *kept]
    return replace(program, sources=tuple(kept))

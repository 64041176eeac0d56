"""Mistreats what a program used, between forward and backward: the gradient is the right one, or an error says why not.

Arrays of the user's, index arrays, masks, the memory of Tensors and their headers are overwritten, reshaped, resized
and deleted; hooks raise, write and run other passes; graphs are walked twice and interleaved. An action may be refused
(a read-only array), and then the gradient must be right. An error is of an expected kind and
begins with the name of an operation. Only a crash or a hang cannot be seen here: the worker's other end sees it.
"""

from __future__ import annotations

import contextlib
import gc
import random
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import zen

from . import interpret
from .compare import differs
from .program import Program, draw

EXPECTED = (RuntimeError, ValueError, TypeError, IndexError, AttributeError)
SPECIFIC = re.compile(r"^[A-Za-z_][\w.]*(\(\))?: |overwritten|a second time|already been")


@dataclass
class Scene:
    """One run of a program: what its user still holds."""

    program: Program
    rng: random.Random
    arrays: dict[str, Any]
    leaves: list[Any]
    values: dict[str, Any] = field(default_factory=dict)
    loss: Any = None

    def forward(self, between: Any = None) -> None:
        names = {**interpret.NAMES, "_between": between}
        text = self.program.function()
        if between is not None:
            head, *lines = text.split("\n    ")
            text = "\n    ".join([head, *[part for k, line in enumerate(lines) for part in (f"_between({k})", line)]])
        self.names = self.arrays if between is not None else dict(self.arrays)
        self.names |= names
        exec(text, self.names)
        self.values = self.names["program"](*self.leaves)
        self.loss = interpret.total(self.program, self.arrays, self.values)

    def users(self) -> list[np.ndarray]:
        return [a for a in self.arrays.values() if isinstance(a, np.ndarray)]

    def tensors(self) -> list[Any]:
        return [v for n, v in self.values.items() if isinstance(v, zen.Tensor)]

    def some(self, things: list[Any]) -> list[Any]:
        return self.rng.sample(things, self.rng.randint(1, len(things))) if things else []


def scene(program: Program, rng: random.Random, sharing: bool = True) -> Scene:
    arrays = program.arrays()
    leaves = []
    for source in program.leaves:
        how = rng.randrange(3) if sharing else 0
        a = arrays[source.name]
        leaves.append(
            zen.tensor(a, requires_grad=True) if how == 0 else zen.Tensor(a) if how == 1
            else zen.asarray(a).requires_grad_()
        )  # fmt: skip
    return Scene(program, rng, arrays, leaves)


# --- what is done to an array


def overwrite(rng: random.Random, a: np.ndarray) -> None:
    if a.dtype.kind == "f":
        a[...] = rng.choice([np.nan, 1e3, -2.5, 0.0])
    elif a.dtype.kind == "b":
        a[...] = ~a
    else:
        a[...] = rng.choice([0, 50_000_000, -(2**31), 1])


def reshape(rng: random.Random, a: np.ndarray) -> None:
    a.shape = rng.choice([(a.size,), (1, *a.shape), (*a.shape, 1), a.shape[::-1]])


def retype(rng: random.Random, a: np.ndarray) -> None:
    a.dtype = rng.choice({8: ["int64", "float64", "int8"], 4: ["int32", "int16"]}.get(a.itemsize, ["int8"]))


def resize(rng: random.Random, a: np.ndarray) -> None:
    a.resize(rng.choice([0, 1, a.size + 100_000]), refcheck=False)


def restride(rng: random.Random, a: np.ndarray) -> None:
    a.strides = tuple(0 for _ in a.shape)


DEEDS = {"overwritten": overwrite, "reshaped": reshape, "retyped": retype, "resized": resize, "restrided": restride}


def mistreat(s: Scene, name: str, arrays: list[np.ndarray]) -> None:
    for a in s.some(arrays):
        with contextlib.suppress(*EXPECTED), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            DEEDS[name](s.rng, a)


# --- the trials: each returns gradients of order 1, to be compared with the right ones


def arrays_(s: Scene, deed: str) -> Any:
    s.forward()
    mistreat(s, deed, s.users())
    return backward(s)


def tensors_(s: Scene, deed: str) -> Any:
    """Through the array that a Tensor shows. A leaf that is given another shape has another shape: no fault."""
    s.forward()
    touched = [t for t in s.tensors() if deed == "overwritten" or not any(t is x for x in s.leaves)]
    mistreat(s, deed, [t.array if s.rng.random() < 0.5 else np.asarray(t.detach()) for t in touched])
    return backward(s)


def pullback(s: Scene, deed: str) -> Any:
    names = interpret.NAMES | s.arrays
    exec(s.program.function(), names)
    _, pull = zen.vjp(lambda *xs: interpret.total(s.program, s.arrays, names["program"](*xs)), *s.leaves)
    mistreat(s, deed, s.users())
    return [g.array for g in pull(np.ones((), s.program.dtype))]


def in_a_hook(s: Scene, deed: str) -> Any:
    """While the pass is under way."""
    s.forward()
    linked = [t for t in s.tensors() if t.requires_grad and not t.is_leaf]
    for t in s.some(linked)[:2]:
        t.register_hook(lambda g: mistreat(s, deed, s.users()) if s.rng.random() < 0.7 else None)
    return backward(s)


def deleted(s: Scene) -> Any:
    s.forward()
    s.values.clear()
    s.arrays.clear()
    s.names.clear()
    gc.collect()
    return backward(s)


def written(s: Scene) -> Any:
    """By zen's own operations, with recording off."""
    s.forward()
    with zen.no_grad(), contextlib.suppress(*EXPECTED):
        for t in s.some(s.tensors()):
            s.rng.choice([lambda t: t.zero_(), lambda t: t.add_(1.5), lambda t: t.__setitem__(..., 7.0)])(t)
    return backward(s)


def twice(s: Scene) -> Any:
    s.forward()
    if not s.loss.requires_grad:
        return None
    s.loss.backward(retain_graph=True)
    s.loss.backward()
    try:
        s.loss.backward()
    except RuntimeError:
        return [interpret._or_zeros(t.grad, t) / 2 for t in s.leaves]
    return None if s.loss.is_leaf else "a third pass over a released graph raised nothing"


def interleaved(s: Scene) -> Any:
    s.forward()
    first = s.loss
    s.forward()
    for loss in s.rng.sample([first, s.loss], 2):
        if loss.requires_grad:
            loss.backward()
    return [interpret._or_zeros(t.grad, t) / 2 for t in s.leaves]


def raised_in_a_hook(s: Scene) -> Any:
    """The error comes out, and the next forward and backward are right."""
    s.forward()
    linked = [t for t in s.tensors() if t.requires_grad and not t.is_leaf]
    for t in s.some(linked)[:1]:
        t.register_hook(_raise)
    with contextlib.suppress(_Mishap):
        backward(s)
    for t in s.leaves:
        t.grad = None
    s.forward()
    return backward(s)


class _Mishap(Exception):
    pass


def _raise(g: Any) -> None:
    raise _Mishap


def nested_pass(s: Scene) -> Any:
    """A hook runs another pass over leaves that this one shares."""
    s.forward()
    other = sum((zen.f.sum(t * t) for t in s.leaves), start=zen.f.sum(s.leaves[0]))
    linked = [t for t in s.tensors() if t.requires_grad and not t.is_leaf]
    for t in s.some(linked)[:1]:
        t.register_hook(lambda g: zen.gradients(other, s.leaves, retain_graph=True) and None)
    return backward(s)


def wrong_hook(s: Scene) -> Any:
    """A hook whose result has another shape or type."""
    s.forward()
    linked = [t for t in s.tensors() if t.requires_grad and not t.is_leaf]
    result = s.rng.choice([zen.zeros((7, 11)), "text", np.zeros(3), 1j])
    for t in s.some(linked)[:1]:
        t.register_hook(lambda g: result)
    with contextlib.suppress(*EXPECTED):
        backward(s)
    return None


def frozen(s: Scene) -> Any:
    s.forward()
    leaf = s.rng.randrange(len(s.leaves))
    with contextlib.suppress(*EXPECTED):
        s.rng.choice(
            [lambda t: t.requires_grad_(False), lambda t: t.__init__(np.zeros(2), trainable=False),
             lambda t: setattr(t, "value", np.zeros(t.shape)), lambda t: setattr(t, "value", np.zeros(3)),
             lambda t: setattr(t, "grad", zen.zeros((3, 3))), lambda t: setattr(t, "array", np.zeros(3))]
        )(s.leaves[leaf])  # fmt: skip
    with contextlib.suppress(*EXPECTED):
        backward(s)
    return None


def backward(s: Scene) -> Any:
    if not s.loss.requires_grad:
        return None
    if s.rng.random() < 0.5:
        s.loss.backward()
        return [interpret._or_zeros(t.grad, t) for t in s.leaves]
    found = zen.gradients(s.loss, s.leaves, allow_unused=True)
    return [interpret._or_zeros(g, t) for g, t in zip(found, s.leaves, strict=True)]


TRIALS = {
    **{f"arrays {d}": (lambda s, d=d: arrays_(s, d)) for d in DEEDS},
    **{f"tensors {d}": (lambda s, d=d: tensors_(s, d)) for d in DEEDS},
    **{f"pullback, arrays {d}": (lambda s, d=d: pullback(s, d)) for d in DEEDS},
    **{f"arrays {d} in a hook": (lambda s, d=d: in_a_hook(s, d)) for d in DEEDS},
    "deleted": deleted, "written under no_grad": written, "twice": twice, "interleaved": interleaved,
    "raised in a hook": raised_in_a_hook, "nested pass": nested_pass, "wrong hook": wrong_hook, "leaf changed": frozen,
}  # fmt: skip


def findings(program: Program, chosen: Any = None, count: int = 6) -> list[str]:
    """What went wrong in some trials of a program, or in those that are named."""
    expected = interpret.results(program, 1)
    if not any(name.startswith("order") for name in expected):
        return []
    rng = random.Random(program.seed)
    wrong = []
    for name in chosen or rng.sample([*TRIALS, "buffer reused"], count):
        if name == "buffer reused":
            text = _buffer_reused(program)
        else:
            right = [expected[f"order 1, {s.name}"] for s in program.leaves]
            text = _outcome(program, right, lambda name=name: TRIALS[name](scene(program, random.Random(program.seed))))
        if text:
            wrong.append(f"{name}: {text}")
    return wrong


def _outcome(program: Program, right: list[np.ndarray], trial: Any) -> str:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = trial()
    except EXPECTED as error:
        return "" if SPECIFIC.search(str(error)) else f"unspecific {type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if found is None or isinstance(found, str):
        return found or ""
    texts = [differs(program, g, r, True) for g, r in zip(found, right, strict=True)]
    return next((f"wrong gradient of leaf {k}: {t}" for k, t in enumerate(texts) if t), "")


def _buffer_reused(program: Program) -> str:
    """Arrays take other values between two steps: as if each use had had an array of its own."""
    names = [s.name for s in program.sources if s.role != "leaf"]
    rng = random.Random(program.seed)
    plan = [(rng.randrange(len(program.steps) + 1), rng.choice(names)) for _ in range(3)] if names else []
    fresh = {s.name: s for s in program.sources}

    def run(in_place: bool) -> list[np.ndarray]:
        s = scene(program, random.Random(program.seed), sharing=False)

        def between(k: int) -> None:
            for n, (at, name) in enumerate(plan):
                if at == k:
                    source = fresh[name]
                    new = draw(n, source.shape, source.dtype, source.low, source.high, source.kind)
                    if not in_place:
                        s.arrays[name] = new
                    elif s.arrays[name].flags.writeable:
                        s.arrays[name][...] = new

        s.forward(between)
        return backward(s)

    try:
        with np.errstate(all="ignore"):
            right = run(False)
    except Exception:
        return ""  # a mask of another count
    return "" if right is None else _outcome(program, right, lambda: run(True))

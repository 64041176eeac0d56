"""Families that concern memory: indexing, writes through names and views, and what is said about a value or section."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .build import Builder, Value, broadcast
from .program import Ref

GET, SET = "{0}[{1}]", "{0}[{1}] = {2}"


def basic(b: Builder, shape: tuple[int, ...], full: bool = False) -> tuple[Any, ...]:
    """A key of slices, integers, None and Ellipsis; with `full`, none that drops or adds an axis."""
    parts: list[Any] = []
    for n in shape[: b.rng.randint(1, len(shape))] if shape else ():
        kind = b.rng.random()
        if n and kind < 0.25 and not full:
            parts.append(b.rng.randrange(-n, n))
        elif n and kind < 0.6:
            start = b.rng.randrange(n)
            parts.append(slice(start, b.rng.choice([None, b.rng.randint(start, n)]), b.rng.choice([None, 1, 2])))
        elif n and kind < 0.75:
            parts.append(slice(None, None, b.rng.choice([-1, -2])))
        else:
            parts.append(slice(None))
    if not full and b.rng.random() < 0.15:
        parts.insert(b.rng.randint(0, len(parts)), None)
    if b.rng.random() < 0.15:
        parts.append(Ellipsis)
    return tuple(parts)


def _backwards(key: tuple[Any, ...]) -> bool:
    return any(isinstance(k, slice) and (k.step or 1) < 0 for k in key)


def left(shape: tuple[int, ...], key: Any) -> tuple[int, ...]:
    return np.empty(shape, np.bool_)[key].shape


def fancy(b: Builder, shape: tuple[int, ...], distinct: bool) -> tuple[Any, tuple[int, ...]] | None:
    """A key with an index array or a mask, and the shape that it reads."""
    if not shape or 0 in shape or prod(shape) > 30000:
        return None
    form = b.rng.choice(["one", "one", "pair", "behind", "mask", "rows"])
    n = shape[0]
    if form == "mask" and prod(shape) <= 3000:
        mask = b.mask(shape)
        count = int(b.sources[-1].array().sum())
        return mask, (count,)
    if form == "rows":
        mask = b.mask(shape[:1])
        return mask, (int(b.sources[-1].array().sum()), *shape[1:])
    if form == "pair" and len(shape) > 1 and not distinct:
        size = b.rng.choice([(2,), (2, 3), (1,)])
        return (b.index(size, n), b.index(size[-1:], shape[1])), (*size, *shape[2:])
    if form == "behind" and len(shape) > 1:
        size = (b.rng.randint(1, shape[1]),)
        return (slice(None), b.index(size, shape[1], distinct)), (n, *size, *shape[2:])
    size = (b.rng.randint(1, n),) if distinct or b.rng.random() < 0.7 else (2, 2)
    return b.index(size, n, distinct), (*size, *shape[1:])


def indexing(b: Builder) -> None:
    x = b.pick(lambda v: bool(v.shape))
    v = b.values[x]
    kind = b.rng.random()
    if kind < 0.5 or not v.shape:
        key = basic(b, v.shape)
        if _backwards(key):
            b.reversed.add(v.group)
        b.emit("getitem", x, key, shape=left(v.shape, key), bound=v.bound, view=bool(left(v.shape, key)),
               dense=False, template=GET)  # fmt: skip
    elif kind < 0.85:
        found = fancy(b, v.shape, False)
        if found is not None:
            b.emit("getitem", x, found[0], shape=found[1], bound=v.bound, template=GET)
    elif 0 not in v.shape:
        axis = b.rng.randrange(len(v.shape))
        if b.rng.random() < 0.5:
            index = b.index((3,), v.shape[axis])
            b.emit("take", x, index, axis=axis, shape=(*v.shape[:axis], 3, *v.shape[axis + 1 :]), bound=v.bound)
        elif prod(v.shape) < 3000:
            shape = (*v.shape[:axis], 2, *v.shape[axis + 1 :])
            index = b.source("index", shape, kind="integers", low=0.0, high=float(v.shape[axis]), dtype="int64")
            b.emit("take_along_axis", x, index, axis=axis, shape=shape, bound=v.bound)


def _writable(b: Builder) -> Ref:
    """A value that the program made and may write to; made here if there is none."""
    name = b.pick(lambda v: v.own and v.group not in b.frozen and len(v.shape) > 0)
    if b.values[name].own and b.rng.random() < 0.6:
        return name
    v = b.values[name]
    if b.rng.random() < 0.2:
        made = b.emit("zeros", v.shape, shape=v.shape, bound=0.0, dense=True,
                      template=f"zen.zeros({{0}}, dtype={b.dtype!r})")  # fmt: skip
        return made
    if b.rng.random() < 0.5:
        return b.emit("positive", name, shape=v.shape, bound=v.bound, template="+{0}")
    return b.emit("multiply", name, 0.9, shape=v.shape, bound=v.bound, template="{0} * {1}")


def _note(b: Builder, target: Ref, value: Value | None, factor: float = 0.0) -> None:
    """What a write does to everything that shares the memory."""
    group = b.values[target].group
    for v in b.values.values():
        if v.group == group:
            v.linked = v.linked or bool(value and value.linked)
            v.bound = max(v.bound, value.bound if value else 1.0, factor)


def write(b: Builder) -> None:
    x = _writable(b)
    v = b.values[x]
    if not v.own:
        return
    b.portable = b.portable and v.group not in b.reversed
    kind = b.rng.choice("set set set fancy update update method method view".split())
    if kind == "view":
        key = basic(b, v.shape)
        shape = left(v.shape, key)
        if not shape:
            return
        if _backwards(key):
            b.reversed.add(v.group)
        x = b.emit("getitem", x, key, shape=shape, bound=v.bound, view=True, dense=False, template=GET)
        v, kind = b.values[x], "method"
        b.portable = b.portable and v.group not in b.reversed
    if kind == "set":
        key = basic(b, v.shape, full=b.rng.random() < 0.5)
        value = _operand(b, left(v.shape, key))
        b.act("setitem", x, key, value, template=SET)
        _note(b, x, b.known(value) if isinstance(value, Ref) else None)
    elif kind == "fancy":
        found = fancy(b, v.shape, True)
        if found is not None:
            value = _operand(b, found[1])
            b.act("setitem", x, found[0], value, template=SET)
            _note(b, x, b.known(value) if isinstance(value, Ref) else None)
    elif kind == "update":
        found = fancy(b, v.shape, True) if b.rng.random() < 0.4 else None
        key, shape = found or ((k := basic(b, v.shape)), left(v.shape, k))
        value = _operand(b, shape)
        sign = b.rng.choice(["+=", "*=", "-="])
        b.act("update", x, key, value, template=f"{{0}}[{{1}}] {sign} {{2}}", sign=sign)
        _note(b, x, b.known(value) if isinstance(value, Ref) else None, 2 * v.bound + 2)
    else:
        _method(b, x, v)


def _method(b: Builder, x: Ref, v: Value) -> None:
    op = b.rng.choice("+= *= -= add_ mul_ sub_ fill_ zero_ copy_ clip_".split())
    if op in ("fill_", "zero_"):
        number = () if op == "zero_" else (b.offset(),)
        b.act(op, x, *number, template="{0}.zero_()" if op == "zero_" else "{0}.fill_({1})")
    elif op == "clip_":
        b.act(op, x, -0.8137, 0.9173, template="{0}.clip_({1}, {2})")
    else:
        value = _operand(b, v.shape)
        template = f"{{0}} {op} {{1}}" if "=" in op else f"{{0}}.{op}({{1}})"
        b.act("inplace", x, value, template=template, sign=op)
        _note(b, x, b.known(value) if isinstance(value, Ref) else None, 2 * v.bound + 2)


def _operand(b: Builder, shape: tuple[int, ...]) -> Any:
    """What is written: a number, or a value or array that broadcasts to just this shape."""
    kind = b.rng.random()
    if kind < 0.2:
        return b.offset()
    fitting = [n for n, v in b.values.items() if broadcast(v.shape, shape) == shape and len(v.shape) <= len(shape)]
    if fitting and kind < 0.75:
        return Ref(b.rng.choice(fitting))
    own = shape[b.rng.choice([0, 0, 1]) :]
    return b.leaf(own) if b.rng.random() < 0.5 else b.source("array", own, low=-1.5, high=1.5)


def special(b: Builder) -> None:
    """detach, no_grad, hooks and retained gradients."""
    x = b.pick()
    v = b.values[x]
    kind = b.rng.choice("detach no_grad hook retain write_no_grad".split())
    if kind == "detach":
        b.emit("detach", x, shape=v.shape, bound=v.bound, view=True, own=False, cut=True, template="{0}.detach()")
        b.frozen.add(v.group)
    elif kind == "no_grad":
        b.count += 1
        name = Ref(f"v{b.count}")
        b.steps.append(_under(x, name))
        b.values[name] = Value(v.shape, 1.0, False, b.count, True, False)
    elif kind == "hook" and v.linked and x.startswith("v"):
        b.act("hook", x, template="{0}.register_hook(lambda g: g * 1.0)")
    elif kind == "retain" and v.linked and x.startswith("v") and v.group not in b.frozen:
        if x not in b.retained:
            b.act("retain", x, template="{0}.retain_grad()")
            b.retained.append(str(x))
            b.frozen.add(v.group)


def _under(x: Ref, name: Ref):
    from .program import Step

    return Step("sin", (x,), {}, name, "np.sin({0})", "zen.no_grad()")

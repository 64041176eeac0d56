"""Functions made at random (`random_functions.py`), compiled against eager over several calls.

Between the calls inputs, closed-over values, arrays and Tensors change. ZEN_RANDOM_FUNCTIONS sets how many functions of
each kind are made; the suite makes a few.
"""

import linecache
import os

import numpy as np
import pytest
from random_functions import Maker
from replaying import confirmed, plain

import zen
from zen import trees

COUNT = int(os.environ.get("ZEN_RANDOM_FUNCTIONS", "12"))


def total(f):
    """A number of what f returns."""

    def loss(x, y, s):
        return sum([(t * t).sum() * 0.5 + t.sum() for t in f(x, y, s) if t.dtype in (np.float64, np.float32)], 0.0)

    return loss


TRANSFORMS = {
    "plain": lambda f: f,
    "value_and_grad": lambda f: zen.value_and_grad(total(f), (0, 1)),
    "jvp": lambda f: lambda x, y, s: zen.jvp(lambda x: total(f)(x, y, s), (x,), (x * 0 + 1.0,)),
    "vmap": lambda f: lambda x, y, s: zen.vmap(lambda y: f(x, y, s))(np.stack([y, y * 0.5])),
    "hessian": lambda f: lambda x, y, s: zen.hessian(lambda y: total(f)(x, y, s))(y),
}


def loaded(source):
    """The names of a module of this source, whose lines tracebacks and warnings can show."""
    name = "<a random function>"
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    space = {"__name__": "a_random_function"}
    exec(compile(source, name, "exec"), space)
    return space


def change(space, k):
    if k == 2:
        space["W"].copy_(zen.tensor([0.3, -0.2, 0.9]))
    if k == 3:
        space["K"] = 0.5
        space["A"][1] = -3.0
    if k == 4:
        space["L"][0] = -1.5
        space["W"].numpy()[0] = 0.7


def outcome(call, args):
    try:
        return plain(call(*args))
    except Exception as error:
        return error


def assert_same(found, expected, coarse, what):
    if isinstance(found, Exception) or isinstance(expected, Exception):
        assert (type(found), str(found)) == (type(expected), str(expected)), what
        return
    for a, b in zip(trees.values(found), trees.values(expected), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype), what
        room = 1e-5 if coarse else 1e-11
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=1.0) if b.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(a, b, rtol=room, atol=room * scale, err_msg=what)


def replay(seed, kind):
    maker = Maker(seed, writes=kind == "plain")
    source = maker.made()
    ours, theirs = loaded(source), loaded(source)
    compiled, eager = zen.compile(TRANSFORMS[kind](ours["f"])), TRANSFORMS[kind](theirs["f"])
    coarse, kept = maker.dtype == np.float32 or "float32" in source, []
    for k in range(7):
        x, y, s = maker.inputs(other=k == 5)
        args = zen.tensor(x), zen.tensor(y), s
        for space in (ours, theirs):
            change(space, k)
        expected, what = outcome(eager, args), f"seed {seed}, {kind}, call {k}:\n{source}"
        found = outcome(compiled, args)
        if seed % 3:
            confirmed(compiled)
        assert_same(found, expected, coarse, what)
        assert_same([plain(ours[n]) for n in "WB"], [plain(theirs[n]) for n in "WB"], coarse, what)
        assert_same([plain(t) for t in args[:2]], [x, y], False, what)
        kept.append((found, expected))
    for found, expected in kept:
        assert_same(found, expected, coarse, f"kept, seed {seed}:\n{source}")
    return compiled.program is not None and not compiled._reason


@pytest.mark.filterwarnings("ignore:(zen.compile|vmap):UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", TRANSFORMS)
def test_random_functions_are_replayed(kind):
    with np.errstate(all="ignore"):
        replayed = sum([replay(seed, kind) for seed in range(COUNT)])
    assert replayed >= COUNT // 2

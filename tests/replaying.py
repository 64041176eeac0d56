"""Compares a compiled function with the function, call by call, where programs are taken for confirmed at once."""

import numpy as np

import zen
from zen import trees


def plain(tree):
    return trees.transform(lambda x: np.array(x.detach()) if isinstance(x, zen.Tensor) else x, tree)


def same(found, expected):
    found, expected = trees.values(plain(found)), trees.values(plain(expected))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        if isinstance(b, (str, bool)):
            assert a == b and type(a) is type(b)
            continue
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=1e-6 if b.dtype.itemsize == 4 else 1e-12, atol=1e-12)


def confirmed(compiled):
    for entries in compiled._table.values():
        for entry in entries:
            entry.confirmed = True


def tensors(args):
    return trees.transform(lambda x: zen.tensor(x) if isinstance(x, np.ndarray) else x, args)


def replays(function, calls, before=lambda k: None, state=lambda: None):
    """Compiled and eager for the same calls, with equal seeds; returns the compiled function."""
    compiled = zen.compile(function)
    for k, args in enumerate(calls):
        args = args if isinstance(args, tuple) else (args,)
        before(k)
        start = plain(state())
        zen.random.seed(k)
        expected = plain(function(*tensors(args)))
        after = plain(state())
        _restore(state, start)
        zen.random.seed(k)
        given = plain(args)
        same(compiled(*args), expected)
        same(state(), after)
        same(args, given)
        confirmed(compiled)
    assert compiled._reason == "", compiled.explain()
    return compiled


def _restore(state, start):
    for t, value in zip(trees.values(state()), trees.values(start), strict=True):
        t.detach().copy_(zen.tensor(value))


def vectors(count=5, size=3, seed=0):
    return [np.random.default_rng(seed + k).normal(size=size) for k in range(count)]

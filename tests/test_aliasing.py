"""No gradient shares memory with what the user can see; memory is used again only when nobody looks at it any more."""

import itertools

import numpy as np
import pytest

import zen

PROGRAMS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "add a constant": lambda a, b: (a + 1.0) + (b + 2.0),
    "positive": lambda a, b: +a + +b,
    "sum": lambda a, b: zen.sum(a) + zen.sum(b),
    "sum over an axis": lambda a, b: zen.sum(a, axis=0) + zen.sum(b, axis=0),
    "reshape": lambda a, b: zen.reshape(a, (-1,)) + zen.reshape(b, (-1,)),
    "transpose": lambda a, b: a.T + b.T,
    "read": lambda a, b: a[1:] + b[:-1],
    "concat": lambda a, b: zen.concat([a, b]),
    "stack": lambda a, b: zen.stack([a, b]),
    "the same twice": lambda a, b: a + b + a + b,
    "where": lambda a, b: zen.where(np.ones(b.shape, bool), a, b),
    "broadcast": lambda a, b: zen.broadcast_to(a, (2, *a.shape)) + b,
    "expand and squeeze": lambda a, b: zen.squeeze(zen.expand_dims(a, axis=0), axis=0) + b,
    "matmul": lambda a, b: a @ b.T,
    "product": lambda a, b: a * b,
    "in place": lambda a, b: (a * 1.0).add_(b),
    "flip": lambda a, b: zen.flip(a, axis=0) + zen.flip(b, axis=0),
    "the leaf itself": lambda a, b: a,
}
SHAPES = [(3, 4), (100, 120), (300, 300)]  # NumPy's memory, the engine's own blocks, large enough for fused groups


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_share_memory_with_nothing(name, shape):
    rng = np.random.default_rng(0)
    a, b = (zen.Tensor(rng.standard_normal(shape)) for _ in range(2))
    y = PROGRAMS[name](a, b)
    seed = rng.standard_normal(y.shape)
    seen = []
    a.register_hook(lambda g: seen.append(g.array))

    y.backward(seed, retain_graph=True)
    first = [None if t.grad is None else t.gradient.copy() for t in (a, b)]
    arrays = [t.gradient for t in (a, b) if t.grad is not None] + [a.array, b.array, y.array, seed]
    if y is a:
        arrays = [a.gradient, a.array, b.array, seed]  # the result is the leaf, its array the same one
    for s, t in itertools.combinations(arrays, 2):
        assert not np.shares_memory(s, t)

    for t in (a, b):  # what the user does to a gradient must not come back
        if t.grad is not None:
            t.gradient[...] = np.nan
            t.grad = None
    for array in seen:
        if array.flags.writeable:
            array[...] = np.nan
    y.backward(seed, retain_graph=True)
    for t, expected in zip((a, b), first, strict=True):
        assert (t.grad is None) == (expected is None)
        if expected is not None:
            np.testing.assert_array_equal(t.gradient, expected)
            assert t.gradient.flags.writeable


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_requested_gradients_share_memory_with_nothing(name, shape):
    rng = np.random.default_rng(0)
    a, b = (zen.Tensor(rng.standard_normal(shape)) for _ in range(2))
    y = PROGRAMS[name](a, b)
    seed = rng.standard_normal(y.shape)
    inputs = [t for t in (a, b) if y.depends_on(t)]
    found = zen.gradients(y, inputs, grad_outputs=seed)
    arrays = [*(g.array for g in found), a.array, b.array, seed]
    for s, t in itertools.combinations(arrays, 2):
        assert not np.shares_memory(s, t)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_retained_gradients_share_memory_with_nothing(shape):
    x = zen.Tensor(np.ones(shape))
    y = x + 1.0
    z = y + 2.0
    for t in (y, z):
        t.retain_grad()
    z.backward(np.ones(shape))
    for s, t in itertools.combinations([x.gradient, y.gradient, z.gradient], 2):
        assert not np.shares_memory(s, t)


def test_accumulating_leaves_an_earlier_gradient_alone():
    x = zen.Tensor(np.ones((300, 300)))
    zen.sum(x).backward()
    kept = x.grad
    zen.sum(x * 2.0).backward()
    np.testing.assert_array_equal(x.gradient, np.full((300, 300), 3.0))
    assert kept.array.sum() in (90_000.0, 270_000.0)  # added in place or replaced, never half of both


@pytest.mark.parametrize("n", [10, 10_000, 100_000])
def test_a_view_keeps_the_memory_of_a_dropped_result(n):
    """Large blocks are used again: not while anything still looks at them."""
    x = zen.Tensor(np.arange(float(n)))
    views = [(x + 1.0).array[1:], (x + 1.0)[1:].array, (x + 1.0).detach().numpy()[1:]]
    views.append(np.from_dlpack((x + 1.0).detach())[1:])
    for _ in range(10):
        (x * 7.0).sum().backward()
        x.grad = None
    for view in views:
        np.testing.assert_array_equal(view, np.arange(1.0, n) + 1.0)

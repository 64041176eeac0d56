"""Rows with several results: one node for the call, cotangents of the results that were used, None for the others."""

import gc
import threading
import weakref

import numpy as np
import pytest

import zen
from zen import backend, f
from zen.backend import apply
from zen.ops.recurrent import LSTM
from zen.ops.register import ROWS
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
X = RNG.normal(size=(6, 2))


def leaf(a):
    return zen.tensor(a, requires_grad=True)


def call_of(t):
    """The node of the call that t is a result of."""
    return t.node.inputs[0]


# A row that tells which cotangents came: of x * x, x * x * x and, in whole numbers, the sign.

SEEN = []


def pulled(f, g, x, square, cube, sign, *params):
    SEEN.append(tuple(c is not None for c in g))
    parts = [slope * c for c, slope in zip(g, (2 * x, 3 * x * x), strict=False) if c is not None]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


POWERS = backend.Row(
    "powers", 1, lambda x: (x * x, x * x * x, np.sign(x).astype(int)), lambda: ((pulled,), ((2, 0, 0, 0),)), several=3
)


def powers(x):
    return apply(POWERS, (x,))


def test_one_node_for_the_call_and_one_for_each_floating_result():
    x = leaf([2.0, 3.0])
    square, cube, sign = powers(x)
    assert call_of(square) is call_of(cube) and call_of(square).inputs == (x.node,)
    assert square.node.row.name == "powers" and not square.is_leaf
    assert sign.node is None and sign.dtype == np.int64 and not sign.requires_grad
    assert (square.tolist(), cube.tolist(), sign.tolist()) == ([4.0, 9.0], [8.0, 27.0], [1, 1])


def test_cotangents_of_results_that_nobody_used_are_absent():
    x = leaf([2.0, 3.0])
    for use, seen, expected in (
        (lambda s, c: s, (True, False, False), [4.0, 6.0]), (lambda s, c: c, (False, True, False), [12.0, 27.0]),
        (lambda s, c: s + c, (True, True, False), [16.0, 33.0]),
        (lambda s, c: s * 2 + s, (True, False, False), [12.0, 18.0]),
    ):  # fmt: skip
        SEEN.clear()
        square, cube, _ = powers(x)
        assert zen.gradients(use(square, cube).sum(), x).tolist() == expected
        assert SEEN == [seen]


def test_both_results_through_two_roots_of_one_pass():
    x = leaf([2.0])
    square, cube, _ = powers(x)
    SEEN.clear()
    assert zen.gradients([square, cube], x).tolist() == [16.0]
    assert SEEN == [(True, True, False)]


def test_higher_orders():
    def f3(x):
        square, cube, _ = powers(x)
        return (square * cube).sum()  # x ** 5

    assert float(zen.grad(f3)(2.0)) == 80.0
    assert float(zen.grad(zen.grad(f3))(2.0)) == 160.0
    assert float(zen.grad(zen.grad(zen.grad(f3)))(2.0)) == 240.0
    assert float(zen.grad(zen.grad(lambda x: powers(x)[1]))(2.0)) == 12.0


def test_forward_mode():
    y, tangent = zen.jvp(lambda x: powers(x), (np.array([2.0]),), (np.array([0.5]),))
    assert [v.tolist() for v in y] == [[4.0], [8.0], [1]] and [t.tolist() for t in tangent] == [[2.0], [6.0], [0.0]]
    _, one = zen.jvp(lambda x: powers(x)[1], (np.array([2.0]),), (np.array([0.5]),))
    assert one.tolist() == [6.0]
    once = lambda x: zen.jvp(lambda t: powers(t)[1], (x,), (np.ones(1),))[1]  # noqa: E731
    assert zen.jvp(once, (np.array([2.0]),), (np.ones(1),))[1].tolist() == [12.0]
    assert zen.grad(lambda x: zen.jvp(lambda t: powers(t)[1], (x,), (np.array(1.0),))[1])(2.0) == 12.0


def test_forward_mode_where_one_result_does_not_move():
    row = backend.Row(
        "halves", 2, lambda a, b: (a * 2, b * 3),
        lambda: ((lambda f, g, a, b, y, z: None if g[0] is None else g[0] * 2,
                  lambda f, g, a, b, y, z: None if g[1] is None else g[1] * 3), ((0,) * 4, (0,) * 4)), several=2,
    )  # fmt: skip
    _, tangent = zen.jvp(lambda a: apply(row, (a, np.ones(2))), (np.ones(2),), (np.ones(2),))
    assert [t.tolist() for t in tangent] == [[2.0, 2.0], [0.0, 0.0]]
    a, b = leaf(np.ones(2)), leaf(np.ones(2))
    apply(row, (a, b))[0].sum().backward()
    assert a.gradient.tolist() == [2.0, 2.0] and (b.grad is None or b.gradient.tolist() == [0.0, 0.0])


def test_hooks_and_retained_gradients_are_those_of_each_result():
    x, calls = leaf([2.0]), []
    square, cube, _ = powers(x)
    square.register_hook(lambda g: calls.append(g.tolist()))
    cube.register_hook(lambda g: g * 10)
    cube.retain_grad()
    (square * 3 + cube).sum().backward()
    assert calls == [[3.0]] and cube.grad.tolist() == [10.0] and x.gradient.tolist() == [132.0]


def test_retain_graph_and_release():
    x = leaf([2.0])
    square, cube, _ = powers(x)
    loss = (square + cube).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.gradient.tolist() == [32.0]
    with pytest.raises(RuntimeError, match="released"):
        loss.backward()
    with pytest.raises(RuntimeError, match="'powers' was released"):
        cube.sum().backward()


@pytest.mark.parametrize("order", [1, 2])
def test_a_result_that_was_detached_or_computed_without_grad(order):
    def g(x):
        square, cube, _ = powers(x)
        return (square * cube.detach()).sum()  # 2 x * x ** 3

    assert float(zen.grad(g)(2.0)) == 32.0
    if order == 2:
        assert float(zen.grad(zen.grad(g))(2.0)) == 16.0  # 2 * x ** 3 with the cube held
    with zen.no_grad():
        assert not any(t.requires_grad for t in powers(leaf([1.0])))


def test_the_gradient_in_one_result_and_what_lies_between():
    x = leaf([2.0])
    square, cube, _ = powers(x)
    loss = (square * cube).sum()
    assert [g.tolist() for g in zen.gradients(loss, [cube, square, x], retain_graph=True)] == [[4.0], [8.0], [80.0]]
    SEEN.clear()
    assert zen.gradients(loss, square).tolist() == [8.0] and SEEN == []


def test_zero_dimensional_results():
    x = leaf(3.0)
    square, cube, _ = powers(x)
    (square * 2 + cube + cube).backward()
    assert x.grad.item() == 12.0 + 54.0


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_other_dtypes(dtype):
    x = zen.tensor([2.0], dtype=dtype, requires_grad=True)
    square, cube, _ = powers(x)
    (square + cube).sum().backward()
    assert x.grad.dtype == np.dtype(dtype) and x.gradient.tolist() == [16.0]


def test_memory_of_results_that_nobody_holds():
    """A result that is not saved dies with its Tensor; what is not held of a call dies with its last result."""
    x = leaf(np.ones(1000))
    square, cube, _ = powers(x)
    loss = square.sum()
    held = weakref.ref(cube)
    node = weakref.ref(call_of(cube)) if backend.NAME == "reference" else None
    del cube, square
    gc.collect()
    assert held() is None and (node is None or node() is not None)
    loss.backward()
    assert x.gradient.tolist() == [2.0] * 1000
    del loss
    gc.collect()
    assert node is None or node() is None


def test_a_saved_result_that_was_overwritten_is_noticed():
    def pull(f, g, x, y, z):
        return g[0] * y if g[1] is None else g[1] * z

    row = backend.Row("exps", 1, lambda x: (np.exp(x), np.exp(x) * 1), lambda: ((pull,), ((0, 2, 2),)), several=2)
    x = leaf(np.zeros(3))
    y, z = apply(row, (x,))
    alias = y[:]
    y += 1
    assert alias.tolist() == [2.0] * 3
    with pytest.raises(RuntimeError, match="exps.*overwritten"):
        z.sum().backward()
    y, z = apply(row, (x,))
    y *= 3  # to memory that only the node shares: the Tensor moves away from it
    z.sum().backward()
    assert x.gradient.tolist() == [1.0] * 3 and y.tolist() == [3.0] * 3


def test_threads_share_a_call():
    x = leaf(np.full(50, 2.0))
    square, cube, _ = powers(x)
    losses = [square.sum(), cube.sum(), (square * cube).sum()]
    found, errors = [], []

    def work(k):
        try:
            for _ in range(20):
                found.append((k, zen.gradients(losses[k], x, retain_graph=True).array[0]))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k % 3,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors and set(found) == {(0, 4.0), (1, 12.0), (2, 80.0)}


def test_a_pass_within_a_hook_over_the_same_call():
    x, inner = leaf([2.0]), []
    square, cube, _ = powers(x)
    other = cube.sum()
    square.register_hook(lambda g: inner.append(zen.gradients(other, x, retain_graph=True).tolist()))
    (square + cube).sum().backward(retain_graph=True)
    assert inner == [[12.0]] and x.gradient.tolist() == [16.0]


def test_an_error_of_the_vjp_leaves_the_graph_as_it_was():
    fail = [True]

    def pull(f, g, x, y, z):
        if fail[0]:
            raise ValueError("not now")
        return g[0]

    row = backend.Row("halting", 1, lambda x: (x * 1, x * 1), lambda: ((pull,), ((0, 0, 0),)), several=2)
    x = leaf([1.0])
    loss, _ = apply(row, (x,))
    with pytest.raises(ValueError, match="not now"):
        loss.backward(retain_graph=True)
    assert x.grad is None
    fail[0] = False
    loss.backward()
    assert x.gradient.tolist() == [1.0]


def test_floating_workspace_has_no_derivative_of_its_own():
    row = backend.Row(
        "twice", 1, lambda x, read: (x * x, 2 * x), lambda: ((lambda f, g, x, y, slope: g * slope,), ((0, 0, 2),)),
        workspace=1,
    )  # fmt: skip
    x = leaf([3.0])
    assert zen.gradients(apply(row, (x,)).sum(), x).tolist() == [6.0]
    with pytest.raises(RuntimeError, match="twice: its formulas read floating workspace.*needs a composition"):
        zen.gradients(apply(row, (x,)).sum(), x, create_graph=True)


def test_whole_workspace_is_a_constant():
    row = backend.Row(
        "last", 1, lambda x, read: (x[-1:] ** 2, np.array([len(x) - 1])),
        lambda: ((lambda f, g, x, y, at: f.scatter(g * 2 * f.getitem(x, (at,)), x.shape, (at,)),), ((2, 0, 2),)),
        workspace=1,
    )  # fmt: skip
    check_gradients(lambda x: apply(row, (x,)), [X[:, 0]], order=3)


# slogdet


def test_slogdet_decomposes_once():
    x = leaf(A)
    made = zen.linalg.slogdet(x)
    assert call_of(made.sign) is call_of(made.logabsdet)
    assert ROWS["slogdet"].several == 2


def test_slogdet_of_either_result():
    inverse = np.linalg.inv(A).T
    np.testing.assert_allclose(zen.grad(lambda x: zen.linalg.slogdet(x)[1])(A), inverse, rtol=1e-12)
    np.testing.assert_array_equal(zen.grad(lambda x: zen.linalg.slogdet(x).sign * 1.0)(A), np.zeros((3, 3)))
    both = zen.grad(lambda x: zen.linalg.slogdet(x).sign * zen.linalg.slogdet(x).logabsdet)(-A)
    np.testing.assert_allclose(both, np.linalg.slogdet(-A).sign * np.linalg.inv(-A).T, rtol=1e-12)
    check_gradients(lambda x: zen.linalg.slogdet(x), [A], order=3, rtol=1e-5, atol=1e-5)


def test_slogdet_of_a_singular_matrix_whose_sign_alone_is_used():
    x = leaf(np.zeros((2, 2)))
    assert zen.gradients(zen.linalg.slogdet(x).sign, x).tolist() == [[0.0, 0.0]] * 2


# LSTM


def lstm_inputs():
    shapes = [(3, 2, 2), (2, 3), (2, 3), (12, 2), (12, 3), (12,), (12,)]
    return [RNG.normal(size=s) for s in shapes]


@pytest.mark.parametrize("which", [0, 1])
def test_lstm_of_one_result(which):
    arrays = lstm_inputs()
    check_gradients(lambda *given: apply(LSTM, given, (False,))[which], arrays, order=2, rtol=1e-5, atol=1e-6)


def test_lstm_of_one_result_leaves_the_other_out():
    arrays = lstm_inputs()
    given = [leaf(a) for a in arrays]
    for which in (0, 1):
        found = zen.gradients(apply(LSTM, tuple(given), (True,))[which].sum(), given)
        parts = LSTM.composition(*given, True)
        for a, b in zip(found, zen.gradients(parts[which].sum(), given), strict=True):
            np.testing.assert_allclose(a.array, b.array, rtol=1e-9, atol=1e-12)


# split and unstack


def test_split_is_one_node_and_its_parts_are_views():
    x = leaf(X) * 1
    parts = f.split(x, [1, 4])
    assert len({id(call_of(p)) for p in parts}) == 1
    assert [p.shape for p in parts] == [(1, 2), (3, 2), (2, 2)]
    assert all(np.shares_memory(p._array, x._array) and p.base is x for p in parts)


@pytest.mark.parametrize("cuts", [3, [1, 4], [4, 1], [0, 6], [-1], [2, 2], [7]], ids=str)
def test_split_is_numpys(cuts):
    for axis in (0, 1):
        x = X if axis == 0 else np.ascontiguousarray(X.T)
        ours, theirs = f.split(zen.tensor(x), cuts, axis), np.split(x, cuts, axis)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.array, b)

        def weighted(t, axis=axis):
            return [p * (k + 1.0) for k, p in enumerate(f.split(t, cuts, axis))]

        check_gradients(weighted, [x], order=2)
        check_gradients(lambda t, axis=axis: f.split(t, cuts, axis)[-1] ** 3, [x], order=3)


def test_unstack_of_every_axis():
    x = RNG.normal(size=(2, 3, 4))
    for axis in (0, 1, 2, -1):
        for k, part in enumerate(f.unstack(zen.tensor(x), axis)):
            np.testing.assert_array_equal(part.array, np.take(x, k, axis))
        check_gradients(lambda t, axis=axis: f.unstack(t, axis)[1] ** 2, [x], order=2)
    check_gradients(lambda t: f.unstack(t)[0] * f.unstack(t)[2], [RNG.normal(size=3)], order=2)
    assert f.unstack(zen.ones((0, 2))) == ()


def test_parts_can_be_used_one_after_the_other():
    """As reads of single parts can: each has its own backward pass."""
    x = leaf(X)
    for k, part in enumerate(f.unstack(x)):
        (part * (k + 1)).sum().backward()
    np.testing.assert_array_equal(x.gradient, np.repeat(np.arange(1.0, 7.0), 2).reshape(6, 2))
    part = f.split(x, 2)[0]
    loss = part.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="released"):
        loss.backward()


def test_a_write_to_a_part_reaches_the_others_as_in_numpy():
    x = leaf(np.array([1.0, 2.0, 3.0, 4.0]))
    y = x * 1
    first, second = f.split(y, 2)
    second *= first
    (y.sum() + second.sum()).backward()  # 1 + 2 + 2 * (3 * 1 + 4 * 2)
    assert x.gradient.tolist() == [1.0 + 2 * 3, 1.0 + 2 * 4, 2.0, 4.0]
    assert y.tolist() == [1.0, 2.0, 3.0, 8.0]


def test_a_write_to_the_whole_makes_the_parts_stale():
    x = leaf(np.array([1.0, 2.0, 3.0, 4.0]))
    y = x * 1
    parts = f.unstack(y)
    y *= 3
    assert [p.item() for p in parts] == [3.0, 6.0, 9.0, 12.0]
    (parts[1] * parts[2]).backward()
    assert x.gradient.tolist() == [0.0, 27.0, 18.0, 0.0]


def test_split_of_arrays_and_of_what_needs_no_gradient():
    assert [p.tolist() for p in f.split(np.arange(4.0), 2)] == [[0.0, 1.0], [2.0, 3.0]]
    assert not any(p.requires_grad for p in f.split(zen.ones(4), 2))
    assert [p.dtype for p in f.split(zen.tensor([1, 2]), 2)] == [np.int64] * 2
    assert [p.tolist() for p in f.unstack(zen.tensor(np.arange(4).reshape(2, 2)))] == [[0, 1], [2, 3]]

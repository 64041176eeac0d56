"""The graph and the backward pass: order, accumulation, release, higher orders."""

import gc
import threading
import weakref

import numpy as np
import pytest

import zen
from zen import backend

LONG = 50_000 if backend.NAME == "compiled" else 20_000
"""Nodes that no recursion would reach: the interpreter's limit is 1,000, and a stack of 256 kB ends far sooner."""


def leaf(value, dtype=None):
    return zen.tensor(value, dtype=dtype, requires_grad=True)


def chain(x, n):
    y = x
    for _ in range(n):
        y = y * 1.0
    return y


# Shapes of graphs


def test_a_diamond():
    x = leaf([1.0, 2.0])
    a, b = x * 3.0, zen.sin(x)
    (a * b).sum().backward()
    np.testing.assert_allclose(x.grad.array, 3 * np.sin(x.array) + 3 * x.array * np.cos(x.array))


def test_a_diamond_with_arms_of_unequal_length():
    x = leaf(0.5)
    y = zen.exp(x)
    ((chain(y, 20) + y) * y).backward()
    np.testing.assert_allclose(x.grad.array, 4 * np.exp(1.0))


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_a_node_used_a_hundred_times(shape):
    x = leaf(np.full(shape, 2.0))
    y = x * x
    total = y * 0.0
    for k in range(100):
        total = total + y * float(k)
    total.sum().backward()
    np.testing.assert_allclose(x.grad.array, np.full(shape, 4950 * 4.0))


def test_doubling_sixty_times_is_sixty_nodes():
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_both_operands_are_one_tensor():
    x = leaf([3.0])
    (x * x / x - x**x).sum().backward()
    np.testing.assert_allclose(x.grad.array, [1 - 27 * (np.log(3) + 1)])


def test_a_leaf_as_the_root():
    x = leaf(3.0)
    x.backward()
    x.backward()
    assert x.grad.item() == 2.0


def test_a_long_chain_runs_and_is_freed_without_recursion():
    n = 1_000_000 if backend.NAME == "compiled" else LONG
    x = leaf(1.0)
    y = chain(x, n)
    y.backward()
    assert x.grad.item() == 1.0
    del y
    y = chain(x, n)
    del y  # never run
    y = chain(x, n)
    y.backward(retain_graph=True)
    del y
    assert x.grad.item() == 2.0


def test_a_long_chain_is_freed_on_a_thread_with_a_small_stack():
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: chain(leaf(1.0), LONG).backward())
        other = threading.Thread(target=lambda: chain(leaf(1.0), LONG))
        for t in (thread, other):
            t.start()
        for t in (thread, other):
            t.join()
    finally:
        threading.stack_size(before)


def test_a_long_chain_of_pairs_is_freed_without_recursion():
    x, y = leaf(1.0), leaf(1.0)
    for _ in range(LONG):
        x, y = x + y, x - y
    del x, y


# Lifetime


def test_an_intermediate_dies_with_its_tensor_unless_it_was_saved():
    x = leaf(np.ones(1000))
    y = x + 1.0
    z = y + 1.0
    data = weakref.ref(y._array)
    del y
    assert data() is None  # addition saves nothing
    y = zen.exp(x)
    data = weakref.ref(y._array)
    w = y + z
    del y
    assert data() is not None  # exp saves its result
    w.sum().backward()
    del w
    assert data() is None


def test_a_pass_leaves_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(4))
        y = (zen.tanh(x) * x).sum()
        node = y.node
        watched = weakref.ref(x), weakref.ref(y)
        y.backward()
        del x, y, node
        assert [w() for w in watched] == [None, None]
    finally:
        gc.enable()


# Accumulation and release


def test_gradients_accumulate_until_cleared():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [4.0, 8.0])
    x.grad = None
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [2.0, 4.0])


def test_leaves_never_share_a_gradient():
    a, b, seed = leaf([1.0, 2.0]), leaf([3.0, 4.0]), np.ones(2)
    (a + b).backward(seed)
    arrays = [a.grad.array, b.grad.array, seed]
    assert not any(np.shares_memory(p, q) for k, p in enumerate(arrays) for q in arrays[:k])
    kept = a.grad.array.copy()
    b.grad.array[...] = 9.0
    seed[...] = 7.0
    np.testing.assert_array_equal(a.grad.array, kept)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_gradient_has_the_dtype_and_shape_of_its_leaf(dtype):
    x = leaf(np.ones((3, 1)), dtype=dtype)
    w = leaf(np.ones((4,)), dtype=np.float64)
    (x * w * 2.0).sum().backward()
    assert (x.grad.dtype, x.grad.shape) == (dtype, (3, 1))
    assert (w.grad.dtype, w.grad.shape) == (np.float64, (4,))
    np.testing.assert_array_equal(x.grad.array, np.full((3, 1), 8))
    np.testing.assert_array_equal(w.grad.array, np.full(4, 6))


def test_a_released_graph_says_so():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    z = y.sum()
    z.backward()
    for again in (z.backward, (y * 2.0).sum().backward):
        with pytest.raises(RuntimeError, match=r"released.*retain_graph=True"):
            again()
    np.testing.assert_allclose(x.grad.array, np.exp(x.array))


def test_retain_graph_allows_a_second_pass():
    x = leaf([1.0, 2.0])
    z = zen.exp(x).sum()
    z.backward(retain_graph=True)
    z.backward()
    np.testing.assert_allclose(x.grad.array, 2 * np.exp(x.array))
    with pytest.raises(RuntimeError, match="released"):
        z.backward()


def test_retain_grad_fills_the_gradient_of_an_intermediate():
    x = leaf([1.0, 2.0])
    y = x * 3.0
    assert y.grad is None and not y.is_leaf
    y.retain_grad()
    (y * y).sum().backward(retain_graph=True)
    np.testing.assert_array_equal(y.grad.array, [6.0, 12.0])
    (y * 1.0).sum().backward()
    np.testing.assert_array_equal(y.grad.array, [7.0, 13.0])
    with pytest.raises(RuntimeError, match="retain_grad"):
        zen.tensor(1.0).retain_grad()


def test_setting_a_gradient_is_checked():
    x = leaf([1.0, 2.0])
    x.grad = zen.tensor([1.0, 1.0])
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [3.0, 3.0])
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        x.grad = zen.tensor([1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="float32"):
        x.grad = zen.tensor([1.0, 1.0], dtype=zen.float32)
    with pytest.raises(RuntimeError, match="requires_grad_"):
        zen.tensor(1.0).grad = zen.tensor(1.0)


# Where a pass starts


def test_backward_needs_a_graph():
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        zen.tensor(1.0).backward()
    x = leaf(1.0)
    with zen.no_grad():
        y = x * 2.0
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


def test_backward_of_several_elements_needs_a_gradient():
    y = leaf([1.0, 2.0]) * 2.0
    with pytest.raises(RuntimeError, match=r"\(2,\).*\.sum\(\).*gradient="):
        y.backward()
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        y.backward(np.ones(3))
    with pytest.raises(TypeError):
        y.backward(np.array([1j, 1j]))


@pytest.mark.parametrize("gradient", [[1, 2], np.array([1.0, 2.0], np.float32), zen.tensor([1.0, 2.0])])
def test_backward_takes_any_real_gradient(gradient):
    x = leaf([1.0, 2.0])
    (x * 3.0).backward(np.array(gradient) if isinstance(gradient, list) else gradient)
    np.testing.assert_array_equal(x.grad.array, [3.0, 6.0])
    assert x.grad.dtype == np.float64


def test_one_element_needs_no_gradient():
    x = leaf([[2.0]])
    (x * x).backward()
    np.testing.assert_array_equal(x.grad.array, [[4.0]])


# requires_grad_ and detach


def test_requires_grad_():
    x = zen.tensor([1.0])
    assert x.requires_grad_() is x and x.requires_grad and x.is_leaf
    x.requires_grad_(False)
    assert not x.requires_grad
    with pytest.raises(TypeError, match="int64"):
        zen.tensor([1]).requires_grad_()
    y = x.requires_grad_() * 2.0
    assert y.requires_grad_() is y and not y.is_leaf
    with pytest.raises(RuntimeError, match="detach"):
        y.requires_grad_(False)


def test_detach_shares_memory_and_stops_gradients():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    d = y.detach()
    assert not d.requires_grad and np.shares_memory(d.array, y.array)
    (y * d).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [4.0, 8.0])


# Higher orders


def test_create_graph_gives_gradients_that_can_be_differentiated():
    x = leaf([1.0, 2.0])
    (x**4).sum().backward(create_graph=True)
    g = x.grad
    assert g.requires_grad
    h = zen.gradients(g.sum(), x, create_graph=True)
    np.testing.assert_allclose(h.array, 12 * x.array**2)
    k = zen.gradients(h.sum(), x)
    np.testing.assert_allclose(k.array, 24 * x.array)
    x.grad = None


def test_orders_one_to_five_of_an_exponential():
    x = leaf(0.3)
    y = zen.exp(x * 2.0)
    for order in range(1, 6):
        y = zen.gradients(y, x, create_graph=True)
        np.testing.assert_allclose(y.array, 2.0**order * np.exp(0.6))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_second_order_through_broadcasting_and_mixed_dtypes(dtype):
    x = leaf(np.linspace(0.5, 1.5, 3).reshape(3, 1), dtype=dtype)
    w = leaf(np.linspace(1.0, 2.0, 4))
    g = zen.gradients((x * x * w * w).sum(), [x, w], create_graph=True)
    assert g[0].dtype == dtype and g[0].shape == (3, 1)
    mixed = zen.gradients(g[0].sum(), w)
    np.testing.assert_allclose(mixed.array, 4 * x.array.sum() * w.array, rtol=1e-6)


def test_a_recorded_pass_without_retaining_releases():
    x = leaf(2.0)
    y = x * x
    g = zen.gradients(y, x, create_graph=True, retain_graph=False)
    assert g.item() == 4.0
    with pytest.raises(RuntimeError, match="released"):
        y.backward()


def test_gradients_accumulate_across_recorded_passes():
    x = leaf(2.0)
    (x * x).backward(create_graph=True)
    (x * x * x).backward(create_graph=True)
    assert x.grad.item() == 16.0
    assert zen.gradients(x.grad, x).item() == 14.0
    x.grad = None


# The engine's own interface


def test_nodes_tell_what_was_recorded():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    z = y * zen.tensor([3.0, 4.0])
    node = z.node
    assert node.row.name == "multiply" and node.inputs == (y.node, None)
    assert node.inputs[0].inputs == (x.node,) and x.node.row is None and x.node.inputs == ()
    assert node.shape == (2,) and node.dtype == np.float64 and not node.released
    assert x.node.seq < y.node.seq < node.seq
    assert node.tensor is z and y.node.tensor is y
    np.testing.assert_array_equal(y.node.saved[-1], y.array)
    z.sum().backward()
    assert node.released and y.node.released


def test_unbroadcast():
    a = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(backend.unbroadcast(a, (3, 1)), a.sum((0, 2)).reshape(3, 1))
    np.testing.assert_array_equal(backend.unbroadcast(a, ()), a.sum())
    np.testing.assert_array_equal(backend.unbroadcast(a, (2, 3, 4)), a)
    np.testing.assert_array_equal(backend.unbroadcast(np.ones((0, 4)), (1, 4)), np.zeros((1, 4)))


def test_errors_of_a_row_name_it_and_the_shapes():
    with pytest.raises(ValueError, match=r"add.*\(2,\).*\(3,\)"):
        leaf(np.ones(2)) + np.ones(3)
    with pytest.raises(ValueError, match=r"matmul.*\(2, 2\).*\(3, 3\)"):
        leaf(np.ones((2, 2))) @ np.ones((3, 3))
    with pytest.raises(TypeError):
        leaf(1.0) + None
    with pytest.raises(TypeError):
        leaf(1.0) + [1.0]


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_through_a_released_graph_were_none(create_graph):
    x = zen.tensor(3.0, requires_grad=True)
    y = zen.exp(x)
    z = y * x
    z.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        zen.gradients(z, x, create_graph=create_graph, allow_unused=True)

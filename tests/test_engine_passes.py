"""The backward pass: hooks, exceptions in the middle, gradients of chosen inputs, threads."""

import threading

import numpy as np
import pytest

import zen
from zen import backend


def leaf(value, dtype=None):
    return zen.tensor(value, dtype=dtype, requires_grad=True)


def test_gradients_of_a_float16_scalar_add_up():
    x = leaf(2.0, np.float16)
    (x * x + x * 3.0).backward()
    assert x.gradient == 7 and x.gradient.dtype == np.float16


# Hooks


def test_a_hook_sees_the_complete_gradient_once():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    seen = []
    y.register_hook(lambda g: seen.append(g.array.copy()))
    (y * 1.0 + y * 2.0 + y).sum().backward()
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], [4.0, 4.0])


def test_a_hook_replaces_the_gradient():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    y.retain_grad()
    y.register_hook(lambda g: g * 10.0)
    x.register_hook(lambda g: g + 1.0)
    y.sum().backward()
    np.testing.assert_array_equal(y.grad.array, [10.0, 10.0])
    np.testing.assert_array_equal(x.grad.array, [21.0, 21.0])


def test_hooks_run_in_order_and_are_removable():
    x = leaf(1.0)
    first = x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: g * 2.0)
    (x * 1.0).backward()
    assert x.grad.item() == 4.0
    first.remove()
    first.remove()
    x.grad = None
    (x * 1.0).backward()
    assert x.grad.item() == 2.0


def test_one_function_registered_twice_is_removed_once():
    x = leaf(1.0)

    def double(g):
        return g * 2.0

    first, second = x.register_hook(double), x.register_hook(double)
    first.remove()
    (x * 1.0).backward()
    assert x.grad.item() == 2.0
    first.remove()
    (x * 1.0).backward()
    assert x.grad.item() == 4.0
    second.remove()
    (x * 1.0).backward()
    assert x.grad.item() == 5.0


def test_bad_hooks():
    x = leaf([1.0, 2.0])
    with pytest.raises(TypeError, match="function"):
        x.register_hook(3)
    with pytest.raises(RuntimeError, match="register_hook"):
        zen.tensor(1.0).register_hook(print)
    handle = x.register_hook(lambda g: g.sum())
    with pytest.raises(ValueError, match=r"\(\).*\(2,\)"):
        (x * 2.0).sum().backward()
    assert x.grad is None
    handle.remove()
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [2.0, 2.0])


def test_a_hook_may_write_to_its_gradient_without_harm_to_others():
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])

    def spoil(g):
        g.array[...] = 100.0

    c = a + b
    y = c * 1.0
    a.register_hook(spoil)
    y.sum().backward()
    np.testing.assert_array_equal(b.grad.array, [1.0, 1.0])


def test_hooks_may_return_one_buffer_again_and_again():
    buffer, own = np.empty(3), zen.zeros(3)

    def on_arrays(g):
        np.multiply(g.numpy(), 2, out=buffer)
        return zen.asarray(buffer)

    def on_tensors(g):
        own.copy_(g * 2.0)
        return own

    for hook in (on_arrays, on_tensors):
        x, y = leaf(np.ones(3)), leaf(np.ones(3))
        for t in (x, y):
            t.register_hook(hook)
        (x * 3.0 + y * 5.0).sum().backward()
        assert x.grad.tolist() == [6, 6, 6] and y.grad.tolist() == [10, 10, 10]


def test_a_gradient_that_a_hook_keeps_may_be_written_to_later():
    kept, x, y = [], leaf(np.ones(3)), leaf(np.ones(3))
    y.register_hook(lambda g: kept[0].mul_(100.0))
    x.register_hook(lambda g: kept.append(g))
    z = y * 1.0
    (x * 3.0).sum().backward()
    (z * 5.0).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_hooks_run_when_gradients_are_asked_for():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * 5.0)
    assert zen.gradients(y, x, retain_graph=True).item() == 20.0
    assert zen.gradients(y, y).item() == 5.0


def test_a_hook_runs_a_pass_on_the_same_graph():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    z = (y * y).sum()
    found = []

    def nested(g):
        if not found:  # the hook runs in the inner pass as well
            found.append(None)
            found.append(zen.gradients(z, x, retain_graph=True).array)
            z.backward(retain_graph=True)

    y.register_hook(nested)
    z.backward(retain_graph=True)
    expected = 2 * np.exp(2 * x.array)
    np.testing.assert_allclose(found[1], expected)
    np.testing.assert_allclose(x.grad.array, 2 * expected)


def test_a_hook_runs_a_backward_on_a_graph_with_the_same_leaf():
    x = leaf([1.0, 2.0])
    y = x * 3.0
    y.register_hook(lambda g: (x * x).sum().backward() if zen.is_grad_enabled() else _with_grad(x))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.array, [5.0, 7.0])


def _with_grad(x):
    with zen.enable_grad():
        (x * x).sum().backward()


# Exceptions


def test_an_exception_in_the_middle_commits_nothing():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (a * 2.0).sum().backward()
    y = a * 5.0
    z = (y + b * 2.0).sum()
    handle = y.register_hook(lambda g: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            z.backward(retain_graph=True)
        np.testing.assert_array_equal(a.grad.array, [2.0, 2.0])
        assert b.grad is None and zen.is_grad_enabled()
    handle.remove()
    z.backward()
    np.testing.assert_array_equal(a.grad.array, [7.0, 7.0])
    np.testing.assert_array_equal(b.grad.array, [2.0, 2.0])


def test_an_exception_in_a_recorded_pass_restores_everything():
    """Also what waits for its turn when it is raised: a sum of which one part has its gradient, and x."""
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    z = y * x + y
    handle = y.register_hook(lambda g: 1 / 0)
    for _ in range(2):
        with zen.no_grad(), pytest.raises(ZeroDivisionError):
            zen.gradients(z, x, np.ones(2), retain_graph=True, create_graph=True)
        assert zen.is_grad_enabled() and x.grad is None
    handle.remove()
    found = zen.gradients(z, x, np.ones(2), create_graph=True)
    np.testing.assert_allclose(found.array, np.exp(x.array) * (x.array + 2))
    np.testing.assert_allclose(zen.gradients(found.sum(), x).array, np.exp(x.array) * (x.array + 3))


def test_an_overwritten_value_is_noticed():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    view = y.detach()
    with zen.no_grad():
        y += 1.0
    np.testing.assert_allclose(view.array, np.exp([1.0, 2.0]) + 1)
    with pytest.raises(RuntimeError, match=r"exp.*overwritten.*clone\(\)"):
        y.sum().backward()
    with pytest.raises(RuntimeError, match="overwritten"):
        zen.gradients(y, x, np.ones(2), create_graph=True)
    assert x.grad is None
    zen.exp(x).sum().backward()
    np.testing.assert_allclose(x.grad.array, np.exp(x.array))


def test_a_result_written_to_after_the_pass_needs_nothing_of_it():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    y.sum().backward()
    with zen.no_grad():
        y += 1.0
    np.testing.assert_allclose(x.grad.array, np.exp([1.0, 2.0]))


@pytest.mark.filterwarnings("error")
def test_floating_point_warnings_are_not_shown():
    x = leaf([0.0, -1.0, 1e308])
    y = zen.log(x) + x * 10.0 + 1.0 / x + zen.sqrt(x)
    y.sum().backward()
    zen.gradients(zen.log(x).sum(), x, create_graph=True)
    np.testing.assert_array_equal(np.isfinite(x.grad.array), [False, False, True])


# Gradients of chosen inputs


def test_gradients_of_inputs_touch_no_grad():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = (x * w).sum()
    g = zen.gradients(y, [w], retain_graph=True)[0]
    np.testing.assert_array_equal(g.array, [1.0, 2.0])
    assert x.grad is None and w.grad is None
    a, b = zen.gradients(y, [x, w])
    np.testing.assert_array_equal(a.array, [3.0, 4.0])
    np.testing.assert_array_equal(b.array, [1.0, 2.0])
    with pytest.raises(RuntimeError, match="released"):
        y.backward()


def test_a_pass_computes_only_what_leads_to_the_inputs():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    other = zen.exp(w)
    other.register_hook(lambda g: pytest.fail("this gradient was not asked for"))
    y = (zen.sin(x) * other).sum()
    np.testing.assert_allclose(zen.gradients(y, x).array, np.cos(x.array) * np.exp(w.array))


def test_an_intermediate_and_what_is_below_it():
    x = leaf(2.0)
    y = x * x
    z = y * y
    gy, gx, gz, again = zen.gradients(z, [y, x, z, y])
    assert (gy.item(), gx.item(), gz.item(), again.item()) == (8.0, 32.0, 1.0, 8.0)


def test_several_roots_add_up():
    x = leaf([1.0, 2.0])
    y = x * x
    g = zen.gradients([y, y.sum(), x * 3.0], x, [np.ones(2), None, zen.tensor([1.0, 0.0])])
    np.testing.assert_array_equal(g.array, [7.0, 8.0])


def test_gradients_of_nodes_are_arrays_and_numbers():
    x, s, apart = leaf([1.0, 2.0]), leaf(3.0), leaf(1.0)
    y = x * s
    z = y.sum()
    g_x, g_s, g_y, nothing, tensor = backend.run([z], [None], [x.node, s.node, y.node, apart.node, s], True)
    assert type(g_x) is type(g_y) is np.ndarray and type(g_s) is float and nothing is None
    np.testing.assert_array_equal(g_x, [3.0, 3.0])
    np.testing.assert_array_equal(g_y, [1.0, 1.0])
    assert g_s == tensor.item() == 3.0 and x.grad is None
    g_y[:] = 7.0  # it belongs to nobody else
    (again,) = backend.run([z], [None], [y.node], True)
    np.testing.assert_array_equal(again, [1.0, 1.0])


def test_an_input_that_is_asked_for_twice_gets_arrays_of_its_own():
    x, apart = leaf([1.0, 2.0]), leaf(1.0)
    z = (x * x).sum()
    first, second, node, *nothing = backend.run([z], [None], [x, x, x.node, apart, apart.node, apart], True)
    assert nothing == [None, None, None] and type(node) is np.ndarray
    first.array[...], node[...] = 0.0, 1.0
    np.testing.assert_array_equal(second.array, [2.0, 4.0])


def test_a_pass_refuses_what_takes_no_part_in_gradients():
    x, constant = leaf([1.0, 2.0]), zen.tensor([1.0])
    for root, wanted in ((x * x, constant), (constant, x), (x * x, None)):
        with pytest.raises(RuntimeError, match="does not require a gradient"):
            backend.run([root], [None], [wanted])


# Threads


def test_threads_each_with_a_graph_of_their_own():
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            a = rng.normal(size=(5, 4))
            x = leaf(a)
            y = zen.tanh(x * float(seed + 1)).sum()
            y.backward()
            expected = (seed + 1) * (1 - np.tanh(a * (seed + 1)) ** 2)
            if not np.allclose(x.grad.array, expected):
                failures.append(seed)

    _run_all([lambda k=k: work(k) for k in range(6)])
    assert not failures


def test_threads_on_one_graph():
    x = leaf(np.linspace(0.0, 1.0, 50))
    y = x
    for _ in range(20):
        y = zen.sin(y) + x
    z = y.sum()
    expected = zen.gradients(z, x, retain_graph=True).array
    found, failures = [], []

    def work():
        try:
            for _ in range(20):
                found.append(zen.gradients(z, x, retain_graph=True).array)
                z.backward(retain_graph=True)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    _run_all([work] * 4)
    assert not failures
    for g in found:
        np.testing.assert_allclose(g, expected)
    np.testing.assert_allclose(x.grad.array, 80 * expected)


def _run_all(functions):
    threads = [threading.Thread(target=f) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_graph_below_a_wanted_intermediate_stays(create_graph):
    w, x = zen.tensor(2.0, requires_grad=True), zen.tensor(3.0, requires_grad=True)
    middle = w * w
    found = zen.gradients(middle * x, [middle, x], retain_graph=False, create_graph=create_graph)
    assert [g.item() for g in found] == [3, 4]
    assert zen.gradients(middle, w).item() == 4

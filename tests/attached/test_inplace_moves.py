"""A write to memory that only saved values share moves the Tensor and loses nothing; if somebody looks, it lands."""

import numpy as np
import pytest

import zen
from zen.attached.inplace import _left


def leaf(values):
    return zen.tensor(values, requires_grad=True)


def euler(x, v, steps, dt, inplace):
    for _ in range(steps):
        if inplace:
            v += -dt * np.sin(x)
            x += dt * v
        else:
            v = v - dt * np.sin(x)
            x = x + dt * v
    return (x * v).sum()


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 5), (9000,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_simulation_written_in_place(shape, dtype):
    start = np.linspace(0.1, 1.0, int(np.prod(shape))).reshape(shape).astype(dtype)
    found = []
    for inplace in (True, False):
        x, v = leaf(start), leaf(start[..., ::-1].copy() if shape else start)
        euler(x * 1.0, v * 1.0, 20, 0.1, inplace).backward()
        found.append((x.gradient, v.gradient))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


OPERATIONS = {
    "add_": lambda x, y: x.add_(y), "sub_": lambda x, y: x.sub_(y), "mul_": lambda x, y: x.mul_(y),
    "div_": lambda x, y: x.div_(y), "pow_": lambda x, y: x.pow_(2.0), "clip_": lambda x, y: x.clip_(-0.5, 0.5),
    "zero_": lambda x, y: x.zero_(), "fill_": lambda x, y: x.fill_(y.sum()), "copy_": lambda x, y: x.copy_(y),
    "all": lambda x, y: x.__setitem__(Ellipsis, y), "a row": lambda x, y: x.__setitem__(0, y[1]),
    "an element": lambda x, y: x.__setitem__((1, 2), y[0, 0]),
    "rows by number": lambda x, y: x.__setitem__(np.array([2, 0]), y[:2]),
    "a mask": lambda x, y: x.__setitem__(x.detach().array > 0, y[0, 0]),
    "columns": lambda x, y: x.__setitem__((slice(None), slice(None, None, 2)), y[:, ::2]),
}  # fmt: skip
FUNCTIONAL = {
    "add_": lambda x, y: x + y, "sub_": lambda x, y: x - y, "mul_": lambda x, y: x * y, "div_": lambda x, y: x / y,
    "pow_": lambda x, y: x**2.0, "clip_": lambda x, y: zen.clip(x, -0.5, 0.5), "zero_": lambda x, y: x * 0.0,
    "fill_": lambda x, y: x * 0.0 + y.sum(), "copy_": lambda x, y: x * 0.0 + y, "all": lambda x, y: x * 0.0 + y,
    "a row": lambda x, y: zen.where(np.arange(3)[:, None] == 0, y[1], x),
    "an element": lambda x, y: zen.where(np.arange(12).reshape(3, 4) == 6, y[0, 0], x),
    "rows by number": lambda x, y: zen.stack([y[1], x[1], y[0]]),
    "a mask": lambda x, y: zen.where(x.detach().array > 0, y[0, 0], x),
    "columns": lambda x, y: zen.where(np.arange(4) % 2 == 0, y, x),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_write_after_its_old_value_was_saved(name):
    rng = np.random.default_rng(3)
    start, other = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)) + 3
    found = []
    for write in (OPERATIONS[name], FUNCTIONAL[name]):
        a, b = leaf(start), leaf(other)
        x, y = a * 1.0, b * 1.0
        before = zen.sin(x) * x
        after = write(x, y)
        x = x if after is None else after
        ((x * before).sum() + (zen.exp(x * 0.1) * y).sum()).backward()
        found.append((a.gradient, b.gradient))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-14)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_write_under_no_grad_after_the_value_was_saved(name):
    rng = np.random.default_rng(4)
    start = rng.normal(size=(3, 4))
    a = leaf(start)
    loss = (zen.sin(a) * a).sum()
    with zen.no_grad():
        OPERATIONS[name](a, zen.tensor(rng.normal(size=(3, 4)) + 3))
    assert (a.array != start).any()
    loss.backward()
    np.testing.assert_allclose(a.gradient, np.cos(start) * start + np.sin(start))


def test_a_part_changed_through_a_view_that_nobody_else_holds():
    a = leaf(np.arange(6.0))
    x = a * 1.0
    squares = x * x
    x[1:3] += 10.0
    (squares.sum() + x.sum()).backward()
    np.testing.assert_array_equal(a.gradient, 2 * np.arange(6.0) + 1)
    assert x.tolist() == [0, 11, 12, 3, 4, 5]


HOLDERS = {
    "a view": (lambda x: x[1:], lambda held: held),
    "a view of a view": (lambda x: x[1:][1:], lambda held: held),
    "a transposed view": (lambda x: x.T, lambda held: held),
    "a detached Tensor": (lambda x: x.detach(), lambda held: held),
    "a view of a detached Tensor": (lambda x: x.detach()[1:], lambda held: held),
    "an ndarray": (lambda x: x.array, zen.asarray),
    "a part of an ndarray": (lambda x: x.value[1:], zen.asarray),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_whoever_shares_the_memory_sees_the_write(name):
    hold, _ = HOLDERS[name]
    x = zen.exp(leaf(np.zeros((3, 3))))
    saved = x * x
    held = hold(x)
    x += 1.0
    assert (np.asarray(held.detach() if isinstance(held, zen.Tensor) else held) == 2.0).all()
    with pytest.raises(RuntimeError, match="overwritten in place by 'add_'"):
        saved.sum().backward()


@pytest.mark.parametrize("name", HOLDERS)
def test_once_nobody_shares_it_any_more_the_tensor_moves(name):
    hold, _ = HOLDERS[name]
    a = leaf(np.zeros((3, 3)))
    x = zen.exp(a)
    held = hold(x)
    saved = x * x
    del held
    x += 1.0
    (saved.sum() + x.sum()).backward()
    np.testing.assert_allclose(a.gradient, np.full((3, 3), 3.0))


def test_an_array_of_the_users_sees_the_write():
    memory = np.ones(3)
    x = zen.asarray(memory)
    w = leaf(np.ones(3))
    saved = (w * x).sum()
    x += 1.0
    assert memory.tolist() == [2, 2, 2]
    saved.backward()
    assert w.gradient.tolist() == [1, 1, 1]


def test_a_write_that_fails_changes_nothing():
    a = leaf(np.ones(3))
    x = a * 2.0
    saved = (x * x).sum()
    for write in (lambda: x.add_(np.ones(4)), lambda: x.__setitem__(slice(0, 2), np.ones(3))):
        with pytest.raises(ValueError, match="add_|setitem"):
            write()
    assert x.tolist() == [2, 2, 2]
    (saved + x.sum()).backward()
    assert a.gradient.tolist() == [10, 10, 10]


def test_a_loop_of_writes_into_a_large_tensor_copies_it_a_bounded_number_of_times():
    steps = 100_000
    h, w = zen.zeros(steps), leaf(0.5)
    h[0] = 1.0
    for k in range(1, 200):
        h[k] = zen.sin(h[k - 1]) * w
    assert sum([nbytes for _, _, nbytes in _left.found.values()]) <= (1 << 24) + h.nbytes
    h.sum().backward()
    value, slope, total = 1.0, 0.0, 0.0
    for _ in range(1, 200):
        value, slope = np.sin(value) * 0.5, np.sin(value) + np.cos(value) * slope * 0.5
        total += slope
    np.testing.assert_allclose(w.gradient, total)


@pytest.mark.parametrize("size", [1024, 1 << 17, 1 << 20])
def test_a_loop_of_graphs_that_each_need_what_the_next_overwrites_goes_on_for_ever(size):
    steps = 3 * ((1 << 24) // (8 * size) + 1)
    w, x = leaf(2.0), zen.zeros(size)
    for k in range(steps):
        loss = (x * w).sum()
        x[0] = float(k)
        loss.backward()
    assert w.gradient.item() == sum(range(steps - 1))
    assert not [entry for entry in _left.found.values() if entry[1]() is None]


def test_a_large_tensor_that_was_saved_whole_moves_for_a_small_write():
    a = leaf(np.full(300_000, 2.0))
    x = a * 1.0
    saved = (x * x).sum()
    x[5] = 0.0
    (saved + x.sum()).backward()
    expected = np.full(300_000, 5.0)
    expected[5] = 4.0
    np.testing.assert_array_equal(a.gradient, expected)


def test_an_f_ordered_tensor_keeps_its_layout():
    x = zen.asarray(np.asfortranarray(np.ones((3, 4)))).clone()
    a = leaf(np.ones((3, 4)))
    saved = (a * x).sum()
    part = x[:, 1:2]
    part += 1.0
    del part
    saved.backward()
    assert a.gradient.tolist() == np.ones((3, 4)).tolist()
    assert x.tolist() == [[1, 2, 1, 1]] * 3


def test_retained_gradients_and_hooks_belong_to_the_value_of_now():
    a, seen = leaf(np.ones(2)), []
    x = a * 3.0
    x.retain_grad()
    saved = x * x
    x *= 2.0
    x.register_hook(lambda g: seen.append(g.tolist()))
    (saved + x).sum().backward()
    assert x.gradient.tolist() == [1, 1] and seen == [[1, 1]]
    assert a.gradient.tolist() == [2 * 3 * 3 + 6, 24]  # d(9 a^2 + 6 a)/da


def test_forward_mode_through_moved_tensors():
    x, v = np.linspace(0.1, 1.0, 4), np.linspace(1.0, 0.3, 4)
    tangent = np.array([1.0, -2.0, 0.5, 3.0])

    def run(inplace):
        return lambda x: euler(x * 1.0, zen.tensor(v), 5, 0.1, inplace)

    for a, b in zip(*[zen.jvp(run(k), (x,), (tangent,)) for k in (True, False)], strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("name", ["add_", "sub_"])
def test_a_masked_array_is_refused_with_any_factor(name):
    x = zen.zeros(2)
    for alpha in (1, 2.0):
        with pytest.raises(TypeError, match="mask"):
            getattr(x, name)(np.ma.masked_array([1.0, 2.0], [True, False]), alpha=alpha)
    assert x.tolist() == [0, 0]


FAILING = {
    "a shape that does not fit": lambda x: x.__iadd__(np.ones(5)), "a row too many": lambda x: x.__setitem__(3, 1.0),
    "a value that does not fit": lambda x: x.__setitem__(0, np.ones(3)),
    "a slice of a wrong kind": lambda x: x.__setitem__(slice("a"), 1.0),
    "a product of another shape": lambda x: x.__imatmul__(np.ones((4, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_a_failed_write_changes_neither_value_nor_graph(name):
    a = leaf(np.arange(12.0).reshape(3, 4))
    x = a * 2.0
    saved = x * x
    with pytest.raises((ValueError, IndexError, TypeError)) as raised:
        FAILING[name](x)
    assert "item" in str(raised.value) or "_:" in str(raised.value)
    np.testing.assert_array_equal(x.detach().numpy(), a.detach().numpy() * 2)
    (saved + x).sum().backward()
    np.testing.assert_array_equal(a.gradient, 8 * a.detach().numpy() + 2)


def test_a_number_too_large_for_the_dtype_becomes_infinite_in_silence():
    x = leaf([1.0, 2.0]).astype(np.float32) * 1
    x[0] = 1e300
    x[1:] = np.array([-1e300])
    assert x.tolist() == [np.inf, -np.inf]


@pytest.mark.parametrize("write", [lambda x, y: x.__iadd__(y), lambda x, y: x.__setitem__(slice(0, 2), y[:2])])
def test_the_retained_gradient_is_that_of_the_value_after_the_write(write):
    a = leaf([1.0, 2.0, 3.0])
    x = a * 1.0
    x.retain_grad()
    write(x, a * 3.0)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.gradient, 2 * x.detach().numpy())


def test_a_key_changed_after_the_write_changes_no_gradient():
    a, v = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    x, k = a * 1.0, zen.tensor(2)
    x[slice(k, None)] = v
    x[k - 2] = v * 2.0
    k -= 1
    x.sum().backward()
    np.testing.assert_array_equal(a.gradient, [0, 1, 0])
    assert v.gradient == 3


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_a_sum_in_place_keeps_the_layout(layout):
    x = zen.tensor(layout(np.arange(6.0).reshape(2, 3))) * 1.0
    before = x.array.strides
    x += np.ones((2, 3))
    assert x.array.strides == before

"""In-place writes: saved values that they spoil, writes that are not recorded, errors."""

import numpy as np
import pytest

import zen


def leaf(values, dtype=np.float64):
    return zen.tensor(values, dtype=dtype, requires_grad=True)


# Saved values


def test_overwritten_saved_value_names_both_operations():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    view = y[:1]
    y += 1
    with pytest.raises(RuntimeError, match=r"exp.*overwritten.*add_.*clone"):
        y.sum().backward()
    assert x.grad is None and view.item() == np.e + 1


@pytest.mark.parametrize("alias", [lambda y: y.detach(), lambda y: y[::-1].detach(), lambda y: y[:1][:1]])
def test_overwriting_under_no_grad_is_noticed(alias):
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    view = alias(y)
    with zen.no_grad():
        y.zero_()
    assert not view.detach().numpy().any()
    with pytest.raises(RuntimeError, match="exp.*overwritten.*zero_"):
        y.sum().backward()


def test_overwriting_an_input_that_was_saved():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    view = x.detach()
    with zen.no_grad():
        x += 1
    assert view.tolist() == [2.0, 3.0]
    with pytest.raises(RuntimeError, match="multiply.*overwritten.*add_"):
        y.backward()


def test_a_clone_keeps_the_saved_value():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    z = y.clone()
    z += 1
    z.sum().backward()
    np.testing.assert_allclose(x.gradient, np.exp([1.0, 2.0]))


def test_values_that_are_not_saved_may_be_overwritten():
    x = leaf([1.0, 2.0])
    y = x + 1
    y += 2
    y -= x
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [0.0, 0.0])


def test_recurrence_written_into_one_array():
    steps, w = 50, leaf(0.9)
    h = zen.zeros(steps)
    h[0] = 1.0
    for i in range(1, steps):
        h[i] = zen.tanh(h[i - 1] * w)
    h[-1].backward()
    value, slope = 1.0, 0.0
    for _ in range(1, steps):
        y = np.tanh(value * 0.9)
        value, slope = y, (1 - y * y) * (value + 0.9 * slope)
    np.testing.assert_allclose(h[-1].item(), value)
    np.testing.assert_allclose(w.gradient, slope)


@pytest.mark.parametrize("by", ["rows", "columns"])
def test_recurrence_of_vectors(by):
    steps, n = 30, 3
    w = leaf(np.array([0.5, 0.9, 1.1]))
    h = zen.zeros((steps, n)) if by == "rows" else zen.zeros((n, steps))
    at = (lambda i: i) if by == "rows" else (lambda i: (slice(None), i))
    h[at(0)] = 1.0
    for i in range(1, steps):
        h[at(i)] = zen.tanh(h[at(i - 1)] * w)
    h[at(steps - 1)].sum().backward()
    value, slope, w0 = np.ones(n), np.zeros(n), w.detach().numpy()
    for _ in range(1, steps):
        y = np.tanh(value * w0)
        value, slope = y, (1 - y * y) * (value + w0 * slope)
    np.testing.assert_allclose(w.gradient, slope)


def test_ten_thousand_writes():
    steps, w = 10_000, leaf(0.999)
    h = zen.zeros(steps)
    h[0] = 1.0
    for i in range(1, steps):
        h[i] = h[i - 1] * w
    h[-1].backward()
    np.testing.assert_allclose(w.gradient, (steps - 1) * 0.999 ** (steps - 2), rtol=1e-9)


# Without recording


def test_optimiser_step_on_a_leaf():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    with zen.no_grad():
        x -= 0.1 * x.grad
        x[0] = 5.0
    assert x.is_leaf and x.requires_grad
    np.testing.assert_allclose(x.value, [5.0, 1.6])
    x.gradient = None
    (x * x).sum().backward()
    np.testing.assert_allclose(x.gradient, [10.0, 3.2])


# Errors leave everything as it was


def unchanged(x, values):
    np.testing.assert_array_equal(x.value, values)
    assert x.dtype == np.asarray(values).dtype


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.__iadd__(1), lambda x: x.zero_(), lambda x: x.__setitem__(0, 1.0), lambda x: x[1:].mul_(2),
        lambda x: x.reshape(2, 1).__setitem__((0, 0), 2.0),
    ],
)  # fmt: skip
def test_leaf_that_requires_a_gradient(write):
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"leaf.*no_grad.*clone\(\)"):
        write(x)
    unchanged(x, [1.0, 2.0])
    (x * 2).sum().backward()
    np.testing.assert_array_equal(x.gradient, [2.0, 2.0])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda x: x.__iadd__(1.5), "add_.*int64.*astype"),
        (lambda x: x.__itruediv__(2), "div_.*int64.*astype"),
        (lambda x: x.__setitem__(0, 1.5), "setitem.*float.*int64.*astype"),
        (lambda x: x.copy_(np.ones(2)), "copy_.*float64.*int64"),
        (lambda x: x.__iadd__(leaf([1.0, 1.0])), "add_.*int64.*no gradients"),
        (lambda x: x.__setitem__(0, leaf(1.0)), "setitem.*int64.*no gradients"),
        (lambda x: x.__setitem__(0, "a"), "setitem.*dtype"),
        (lambda x: x.__iadd__("a"), ""),
        (lambda x: x.__iadd__([1, 2]), ""),
    ],
)
def test_dtype_that_does_not_fit(write, words):
    x = zen.tensor([1, 2])
    if not words:
        assert write(x) is NotImplemented
    else:
        with pytest.raises(TypeError, match=words):
            write(x)
    unchanged(x, [1, 2])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda x: x.__iadd__(np.ones(3)), r"add_.*\(2,\).*\(3,\)"),
        (lambda x: x.__iadd__(np.ones((2, 2))), r"add_.*\(2,\).*\(2, 2\).*x = add"),
        (lambda x: x.__imatmul__(np.ones((2, 3))), r"matmul_.*\(2,\).*\(2, 3\)"),
        (lambda x: x.__ipow__(np.ones((2, 2))), r"pow_.*\(2,\).*\(2, 2\)"),
        (lambda x: x.__setitem__(slice(None), np.ones(3)), r"setitem.*\(3,\).*\(2,\)"),
        (lambda x: x.__setitem__([0, 1], np.ones(3)), r"setitem.*\(3,\).*\(2,\)"),
        (lambda x: x.copy_(np.ones((2, 2))), r"copy_.*\(2, 2\).*\(2,\)"),
        (lambda x: x.fill_(np.ones(2)), r"fill_.*scalar.*\(2,\)"),
        (lambda x: x.clip_(), "clip_.*min, max"),
        (lambda x: zen.broadcast_to(x, (3, 2)).zero_(), "zero_.*read-only.*clone"),
    ],
)
def test_shape_that_does_not_fit(write, words):
    x = leaf([1.0, 2.0]) * 1
    with pytest.raises(ValueError, match=words):
        write(x)
    unchanged(x, [1.0, 2.0])
    y = zen.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=words):
        write(y)
    unchanged(y, [1.0, 2.0])


@pytest.mark.parametrize("key", [5, (0, 0), "a", 1.5, [0, 7], slice(None, None, 0), np.array([True, False, True])])
def test_key_that_does_not_fit(key):
    x = leaf([1.0, 2.0]) * 1
    with pytest.raises((IndexError, TypeError, ValueError)):
        x[key] = 1.0
    unchanged(x, [1.0, 2.0])


def test_negative_integer_power_changes_nothing():
    x = zen.tensor([2, 3])
    with pytest.raises(ValueError, match="pow_.*negative"):
        x **= np.array([1, -1])
    unchanged(x, [2, 3])


@pytest.mark.parametrize("write", [lambda x: x.__iadd__(300), lambda x: x.__setitem__(0, 300), lambda x: x.fill_(-1)])
def test_integer_that_is_too_large(write):
    x = zen.tensor([1, 2], dtype=zen.uint8)
    with pytest.raises(OverflowError, match="(add_|setitem|fill_).*uint8.*astype"):
        write(x)
    unchanged(x, np.array([1, 2], np.uint8))


def test_elements_that_share_memory_cannot_be_written():
    x = zen.from_numpy(np.lib.stride_tricks.as_strided(np.zeros(2), (3, 2), (0, 8)))
    with pytest.raises(ValueError, match="shared by several elements.*clone"):
        x += 1


def test_a_view_that_was_made_a_leaf_stays_one():
    h, w = zen.zeros(3), leaf(2.0)
    v = h[1:].requires_grad_()
    h *= w
    assert v.is_leaf
    (v * 3).sum().backward()
    np.testing.assert_array_equal(v.gradient, [3.0, 3.0])


def test_a_failed_write_leaves_views_in_order():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    v = y[1:]
    with pytest.raises(ValueError):
        v += np.ones(5)
    version = y.version
    with pytest.raises(TypeError):
        v[0] = "a"
    assert y.version == version
    v *= 2
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [1.0, 2.0, 2.0])


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_and_masked_arrays():
    x = zen.tensor([[1.0, 2.0], [3.0, 4.0]])
    masked = np.ma.masked_array(np.ones((2, 2)), True)
    for write in (lambda: x.__iadd__(masked), lambda: x.__setitem__(0, masked[0]), lambda: x.copy_(masked)):
        with pytest.raises(TypeError, match="filled"):
            write()
    unchanged(x, [[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(TypeError, match=r"mul_: a numpy\.matrix would lose"):  # its * is a matrix product
        x *= np.asmatrix([[2.0, 2.0], [1.0, 1.0]])
    unchanged(x, [[1.0, 2.0], [3.0, 4.0]])

"""In-place writes. Gradients are written out by hand; the semantics of views follows PyTorch."""

import numpy as np
import pytest

import zen


def leaf(values, dtype=np.float64):
    return zen.tensor(values, dtype=dtype, requires_grad=True)


# Values, without gradients


OPERATORS = {
    "+=": lambda x, y: x.__iadd__(y), "-=": lambda x, y: x.__isub__(y), "*=": lambda x, y: x.__imul__(y),
    "/=": lambda x, y: x.__itruediv__(y), "//=": lambda x, y: x.__ifloordiv__(y), "%=": lambda x, y: x.__imod__(y),
    "**=": lambda x, y: x.__ipow__(y),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("other", [2.0, np.array([1.0, 2.0, 4.0]), "tensor"])
def test_operators_change_the_memory(name, other):
    a = np.array([[1.5, 2.0, 3.0], [4.0, 5.0, 6.5]])
    x = zen.tensor(a)
    memory = x.numpy()
    operand = np.array([2.0, 3.0, 4.0]) if isinstance(other, str) else other
    made = OPERATORS[name](x, zen.tensor(operand) if isinstance(other, str) else operand)
    assert made is x
    np.testing.assert_array_equal(memory, OPERATORS[name](a, operand))


def test_matmul_in_place():
    x, m = zen.tensor([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    memory = x.numpy()
    x @= m
    np.testing.assert_array_equal(memory, [[2.0, 1.0], [4.0, 3.0]])


def test_bool_operators_in_place():
    x = zen.tensor([True, False])
    memory = x.numpy()
    x &= np.array([True, True])
    x |= zen.tensor([False, True])
    x ^= True
    assert memory.tolist() == [False, False]


@pytest.mark.parametrize(
    ("write", "wanted"),
    [
        (lambda x: x.add_(1), [2.0, -1.0, 4.0]), (lambda x: x.add_(np.ones(3), alpha=2), [3.0, 0.0, 5.0]),
        (lambda x: x.sub_(1), [0.0, -3.0, 2.0]), (lambda x: x.sub_(zen.ones(3), alpha=-1), [2.0, -1.0, 4.0]),
        (lambda x: x.mul_(2), [2.0, -4.0, 6.0]), (lambda x: x.div_(4), [0.25, -0.5, 0.75]),
        (lambda x: x.pow_(2), [1.0, 4.0, 9.0]), (lambda x: x.clip_(0, 2), [1.0, 0.0, 2.0]),
        (lambda x: x.clamp_(max=2), [1.0, -2.0, 2.0]), (lambda x: x.clip_(min=2), [2.0, 2.0, 3.0]),
        (lambda x: x.fill_(7), [7.0] * 3), (lambda x: x.copy_([1, 2, 3]), [1.0, 2.0, 3.0]),
        (lambda x: x.zero_(), [0.0] * 3), (lambda x: x.add_(1).mul_(2).clip_(0, 5), [4.0, 0.0, 5.0]),
    ],
)  # fmt: skip
def test_methods_change_the_memory_and_return_the_tensor(write, wanted):
    x = zen.tensor([1.0, -2.0, 3.0])
    memory = x.numpy()
    assert write(x) is x
    np.testing.assert_array_equal(memory, wanted)


def test_integers_in_place():
    x = zen.tensor([7, -3])
    x += 1
    x //= 2
    x.clip_(min=0)
    assert x.tolist() == [4, 0] and x.dtype == np.int64


KEYS = [
    0, -1, (1, 2), slice(1, 3), (slice(None), 1), (Ellipsis, 0), None, (0, None), [0, 2], (slice(None), [2, 0]),
    np.array([True, False, True]), ([0, 1], [1, 2]), (), (np.array([[0], [2]]), [1, 2]), (slice(None, None, -2), 1),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_setitem_like_numpy(key, as_tensor):
    a = np.arange(12.0).reshape(3, 4)
    x = zen.tensor(a)
    value = np.random.default_rng(0).normal(size=np.shape(a[key]))
    x[key] = zen.tensor(value) if as_tensor else value
    a[key] = value
    np.testing.assert_array_equal(x.numpy(), a)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_gradient_of_setitem(key):
    base, weights = np.arange(12.0).reshape(3, 4) + 1, np.arange(12.0).reshape(3, 4) ** 2 + 1
    x = leaf(base)
    v = leaf(np.ones(np.shape(base[key])))
    y = x * 2
    y[key] = v * 3
    (y * weights).sum().backward()
    kept = np.ones((3, 4))
    kept[key] = 0
    np.testing.assert_array_equal(x.gradient, 2 * weights * kept)
    np.testing.assert_array_equal(v.gradient, 3 * weights[key])


def test_setitem_with_a_tensor_as_key():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    y[zen.tensor([0, 2])] = 0.0
    y[zen.tensor([False, True, False])] *= 5.0
    (y * y).sum().backward()
    np.testing.assert_array_equal(x.gradient, [0.0, 100.0, 0.0])


def test_setitem_broadcasts_the_value():
    v = leaf(2.0)
    y = zen.zeros((3, 4))
    y[1:] = v
    assert y.requires_grad and not y.is_leaf
    (y * np.arange(12.0).reshape(3, 4)).sum().backward()
    assert v.gradient == sum(range(4, 12))


# Gradients of operators on a whole Tensor


def test_add_then_use():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * 2
    y += w
    (y * y).sum().backward()  # (2x + w)^2
    np.testing.assert_array_equal(x.gradient, [4 * 5.0, 4 * 8.0])
    np.testing.assert_array_equal(w.gradient, [2 * 5.0, 2 * 8.0])


@pytest.mark.parametrize(
    ("operate", "dx", "dw"),
    [
        (lambda y, w: y.__imul__(w), lambda x, w: w, lambda x, w: x),
        (lambda y, w: y.__itruediv__(w), lambda x, w: 1 / w, lambda x, w: -x / w**2),
        (lambda y, w: y.__isub__(w), lambda x, w: 1 + 0 * w, lambda x, w: -1 + 0 * w),
        (lambda y, w: y.__ipow__(w), lambda x, w: w * x ** (w - 1), lambda x, w: x**w * np.log(x)),
        (lambda y, w: y.__imod__(w), lambda x, w: 1 + 0 * w, lambda x, w: -np.floor(x / w)),
        (lambda y, w: y.add_(w, alpha=3), lambda x, w: 1 + 0 * w, lambda x, w: 3 + 0 * w),
        (lambda y, w: y.copy_(w), lambda x, w: 0 * w, lambda x, w: 1 + 0 * w),
        (lambda y, w: y.clip_(w, 2.5), lambda x, w: np.array([0.0, 1.0]), lambda x, w: np.array([1.0, 0.0])),
        (lambda y, w: y.zero_(), lambda x, w: 0 * w, None),
        (lambda y, w: y.fill_(3.0), lambda x, w: 0 * w, None),
    ],
)
def test_derivatives(operate, dx, dw):
    x0, w0 = np.array([1.5, 2.25]), np.array([2.0, 0.75])
    x, w = leaf(x0), leaf(w0)
    y = x * 1
    operate(y, w)
    y.sum().backward()
    np.testing.assert_allclose(x.gradient, dx(x0, w0), rtol=1e-14)
    if dw is not None:
        np.testing.assert_allclose(w.gradient, dw(x0, w0), rtol=1e-14)


def test_broadcast_operand_gets_its_own_shape():
    w = leaf([1.0, 2.0])
    y = zen.ones((3, 2))
    y *= w
    y.sum().backward()
    np.testing.assert_array_equal(w.gradient, [3.0, 3.0])


def test_operand_is_the_tensor_itself():
    x = leaf([3.0, 4.0])
    y = x * 1
    y *= y
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [6.0, 8.0])


def test_operand_overlaps_the_target():
    x = leaf([1.0, 2.0, 3.0, 4.0])
    y = x * 1
    y[1:] *= y[:-1]
    assert y.detach().tolist() == [1.0, 2.0, 6.0, 12.0]
    y.sum().backward()  # 1 + 2*1 + 3*2 + 4*3
    np.testing.assert_array_equal(x.gradient, [1 + 2, 1 + 3, 2 + 4, 3])


def test_array_operand_overlaps_the_target():
    x = leaf([1.0, 2.0])
    y = x * 1
    y *= y.value[::-1]
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [2.0, 1.0])


def test_repeated_powers_in_place():
    x = leaf(1.5)
    y = x * 1
    for _ in range(3):
        y *= x
    y.backward()
    assert x.gradient == pytest.approx(4 * 1.5**3)


def test_float32_stays_float32():
    w = leaf([2.0, 3.0])
    y = zen.ones(2, dtype=zen.float32)
    y *= w
    assert y.dtype == np.float32
    y.sum().backward()
    assert w.gradient.dtype == np.float64
    np.testing.assert_array_equal(w.gradient, [1.0, 1.0])


def test_second_order_through_writes():
    x = leaf([2.0, 3.0])
    y = x * x
    y[0] = y[1] * x[0]
    y *= x
    # y = (x0^2 x1^2, x1^3): the Hessian of the sum
    (g,) = zen.gradients([y.sum()], [x], create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), [2 * 2 * 9, 2 * 4 * 3 + 3 * 9])
    (h,) = zen.gradients([g[0]], [x])
    np.testing.assert_allclose(h.numpy(), [2 * 9, 4 * 2 * 3])


# Views


def test_write_through_a_view_reaches_the_root():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    v = y[1:]
    v *= 10
    assert y.detach().tolist() == [1.0, 20.0, 30.0]
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [1.0, 10.0, 10.0])


def test_view_sees_a_write_to_the_root():
    x, w = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    y = x * 1
    v = y[1:]
    y *= w
    assert v.detach().tolist() == [10.0, 15.0]
    v.sum().backward()
    np.testing.assert_array_equal(x.gradient, [0.0, 5.0, 5.0])
    assert w.gradient == 5.0


def test_view_sees_a_write_to_another_view():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    first, last, reverse = y[:2], y[1:], y[::-1]
    first *= 10
    last *= 3
    assert reverse.detach().tolist() == [9.0, 60.0, 10.0]
    (reverse * np.array([1.0, 2.0, 4.0])).sum().backward()
    np.testing.assert_array_equal(x.gradient, [40.0, 60.0, 3.0])


def test_views_of_views_by_any_shape_operation():
    x = leaf(np.arange(1.0, 13.0))
    y = x * 1
    v = y.reshape(3, 4).T[1:3]
    v *= 10
    wanted = np.ones((3, 4))
    wanted[:, 1:3] = 10
    np.testing.assert_array_equal(y.detach().numpy(), (np.arange(1.0, 13.0).reshape(3, 4) * wanted).ravel())
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, wanted.ravel())


def test_root_in_another_memory_order():
    x = leaf(np.arange(6.0).reshape(2, 3))
    y = x.T + np.zeros((3, 2)).T.T  # NumPy may lay the sum out by columns
    y = zen.from_numpy(np.asfortranarray(np.zeros((3, 2)))) + x.T
    v = y[1:, 0]
    v *= 10
    (y * np.arange(6.0).reshape(3, 2)).sum().backward()
    factor = np.ones((3, 2))
    factor[1:, 0] = 10
    np.testing.assert_array_equal(x.gradient, (np.arange(6.0).reshape(3, 2) * factor).T)


def test_root_with_gaps_in_memory():
    memory = np.zeros((4, 6))
    y = zen.from_numpy(memory[::2, ::3])
    w = leaf([1.0, 2.0])
    y[1] = w
    v = y[:, 1]
    v *= 10
    np.testing.assert_array_equal(memory[::2, ::3], [[0.0, 0.0], [1.0, 20.0]])
    y.sum().backward()
    np.testing.assert_array_equal(w.gradient, [1.0, 10.0])


def test_constant_root_becomes_part_of_the_graph():
    h, w = zen.zeros(4), leaf([1.0, 2.0])
    v = h[1:3]
    v += w
    assert h.requires_grad and v.requires_grad
    (h * np.arange(4.0)).sum().backward()
    np.testing.assert_array_equal(w.gradient, [1.0, 2.0])


def test_element_plus_equals():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    y[0] += 1
    y[1:] *= 4
    y[[0, 2]] -= x[1]
    assert y.detach().tolist() == [0.0, 8.0, 10.0]
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [1.0, 4 - 2, 4.0])


def test_element_plus_equals_of_a_constant():
    x = zen.tensor([1.0, 2.0])
    x[0] += 1
    x[1] **= 3
    assert x.tolist() == [2.0, 8.0] and not x.requires_grad


def test_view_made_without_recording():
    x = leaf([1.0, 2.0])
    y = x * 1
    with zen.no_grad():
        v = y[0:1]
    v *= 3
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [3.0, 1.0])


def test_element_of_a_view_made_without_recording():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    with zen.no_grad():
        v = y[0:2]
    v[0] = 7.0
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [0.0, 1.0, 1.0])


def test_assigning_a_constant_alias_cuts_the_gradient():
    x = leaf([1.0, 2.0])
    y = x * 1
    y[:1] = y[:1].detach()
    with zen.no_grad():
        v = y[1:]
    y[1:] = v
    assert y.detach().tolist() == [1.0, 2.0]
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [0.0, 0.0])


def test_assigning_a_tensor_to_itself():
    x = leaf([1.0, 2.0])
    y = x * 1
    y[...] = y
    y[:] = y[::-1]
    (y * np.array([1.0, 10.0])).sum().backward()
    np.testing.assert_array_equal(x.gradient, [10.0, 1.0])


def test_retained_gradient_of_a_view():
    x = leaf([1.0, 2.0])
    y = x * 1
    v = y[1:]
    v.retain_grad()
    y *= 5
    (v * 2).sum().backward()
    np.testing.assert_array_equal(v.gradient, [2.0])
    np.testing.assert_array_equal(x.gradient, [0.0, 10.0])


def test_masks_take_zero_and_one():
    mask = zen.tensor([False, True])
    mask[0] = 1
    assert mask.tolist() == [True, True]
    assert mask.zero_().tolist() == [False, False]
    with pytest.raises(TypeError, match="setitem.*bool"):
        mask[0] = 2


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_and_masked_arrays():
    x = zen.tensor([[1.0, 2.0], [3.0, 4.0]])
    masked = np.ma.masked_array(np.ones((2, 2)), True)
    for write in (lambda: x.__iadd__(masked), lambda: x.__setitem__(0, masked[0]), lambda: x.copy_(masked)):
        with pytest.raises(TypeError, match="filled"):
            write()
    unchanged(x, [[1.0, 2.0], [3.0, 4.0]])
    x *= np.asmatrix([[2.0, 2.0], [1.0, 1.0]])
    unchanged(x, [[2.0, 4.0], [3.0, 4.0]])


def test_detached_alias_is_no_view():
    x = leaf([1.0, 2.0])
    y = x * 1
    d = y.detach()
    d *= 3
    assert not d.requires_grad
    assert y.detach().tolist() == [3.0, 6.0]
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [1.0, 1.0])


def test_earlier_results_keep_their_graph():
    x = leaf([1.0, 2.0])
    y = x * 1
    before = y + 1
    y *= 5
    before.sum().backward()
    np.testing.assert_array_equal(x.gradient, [1.0, 1.0])


def test_retained_gradient_is_that_of_the_new_value():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.retain_grad()
    y *= 5
    (y * 2).sum().backward()
    np.testing.assert_array_equal(y.gradient, [2.0, 2.0])
    np.testing.assert_array_equal(x.gradient, [10.0, 10.0])


# Saved values


def test_overwritten_saved_value_names_both_operations():
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    y += 1
    with pytest.raises(RuntimeError, match=r"exp.*overwritten.*add_.*clone"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("alias", [lambda y: y, lambda y: y.detach(), lambda y: y[:1], lambda y: y[::-1].detach()])
def test_overwriting_under_no_grad_is_noticed(alias):
    x = leaf([1.0, 2.0])
    y = zen.exp(x)
    with zen.no_grad():
        alias(y).zero_()
    with pytest.raises(RuntimeError, match="exp.*overwritten.*zero_"):
        y.sum().backward()


def test_overwriting_an_input_that_was_saved():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    with zen.no_grad():
        x += 1
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
    with pytest.raises(ValueError, match="(add_|setitem|fill_).*uint8.*astype"):
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

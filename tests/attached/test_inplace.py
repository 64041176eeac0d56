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

"""zen.compat.zenlib.autodiff: each fixed bug of the original by its name, and what the Tensor promises."""

import subprocess
import sys

import numpy as np
import pytest

import zen
from zen.compat.zenlib import autodiff as ad

RNG = np.random.default_rng(7)


def numerical(function, *arrays):
    """The gradients of the sum of `function` by central differences, h = 1e-6."""
    found = []
    for k, a in enumerate(arrays):
        g = np.zeros(a.shape)
        for where in np.ndindex(a.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = [x.copy() for x in arrays]
                moved[k][where] += h
                ends.append(np.sum(function(*[ad.Tensor(x) for x in moved]).value))
            g[where] = (ends[0] - ends[1]) / 2e-6
        found.append(g)
    return found


def check(function, *shapes):
    arrays = [RNG.uniform(0.5, 2.0, shape) for shape in shapes]
    tensors = [ad.Tensor(a.copy()) for a in arrays]
    out = function(*tensors)
    out.get_gradients()
    for t, expected in zip(tensors, numerical(function, *arrays), strict=True):
        assert np.shape(t.gradient) == expected.shape
        np.testing.assert_allclose(t.gradient, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(out.grad(t), expected, rtol=1e-6, atol=1e-6)
    return out


# Bugs of the original


def test_no_topological_order():
    t = x = ad.Tensor(1.0)
    for _ in range(200):
        x = x + x
    x.get_gradients()
    assert t.gradient == x.grad(t) == 2.0**200
    assert x.depends_on(t) and not t.depends_on(x)


def test_deep_graph_recursion():
    t = x = ad.Tensor(1.0)
    for _ in range(20_000):
        x = x + 1
    x.get_gradients()
    assert t.gradient == 1 and x.depends_on(t)


@pytest.mark.parametrize("c", [2, 2.0, np.float64(2), np.array([2.0, 3.0]), [2.0, 3.0]], ids=repr)
def test_number_minus_tensor(c):
    assert np.array_equal((c - ad.Tensor(np.array([5.0, 6.0]))).value, np.subtract(c, [5.0, 6.0]))
    check(lambda t: c - t, (2,))
    check(lambda t: c / t + c * t + c**t + (c + t), (2,))
    check(lambda t: t / c + t * c + t**c + (t + c) - (t - c), (2,))


def test_negation_is_missing():
    check(lambda t: -t, (3,))


def test_reduction_along_an_axis():
    weights = np.arange(1.0, 4.0)
    for axis, keepdims in ((0, False), (0, True), (None, True), ((0, 1), False)):
        check(lambda t, a=axis, k=keepdims: ad.reduce_sum(t, a, k) * weights, (2, 3))
        check(lambda t, a=axis, k=keepdims: ad.reduce_mean(t, axis=a, keepdims=k) * weights, (2, 3))
    check(lambda t: ad.reduce_sum(t, 1) * np.array([1.0, 2.0]), (2, 3))
    assert ad.reduce_mean(np.ones((4, 5)), axis=1).value.tolist() == [1.0] * 4


def test_broadcast_factor():
    check(lambda a, b: a * b, (3, 2), (1, 2))
    check(lambda a, b: a / b, (3, 1), (2, 1, 4))


def test_broadcast_scalar():
    check(lambda a, b: a * b + b, (3, 2), ())


def test_bias_as_long_as_the_batch():
    check(lambda a, b: a + b, (2, 2), (2,))


def test_broadcast_operand_first():
    check(lambda b, x: (b + x) * np.arange(6.0).reshape(3, 2), (1, 2), (3, 2))


def test_stack_sums_its_gradients():
    check(lambda a, b: ad.stack([a, b, a]) * np.array([[1.0], [10.0], [100.0]]), (2,), (2,))


def test_matmul_mutates_vectors():
    check(lambda a, b: a @ b, (3,), (3, 2))
    check(lambda a, b: a @ b, (2, 3), (3,))
    check(lambda a, b: a @ b, (3,), (3,))
    v = ad.Tensor(np.ones(3))
    assert (v @ np.ones((3, 2))).shape == (2,) and v.shape == (3,)
    assert (np.ones((2, 3)) @ v).shape == (2,) and v.shape == (3,)


def test_matmul_batched():
    check(lambda a, b: a @ b, (4, 2, 3), (4, 3, 2))
    check(lambda a, b: a @ b, (4, 2, 3), (3, 2))


def test_matmul_with_itself():
    check(lambda a: a @ a * np.array([[1.0, 2.0], [3.0, 4.0]]), (2, 2))


def test_power_of_negative_base():
    t = ad.Tensor(np.array([-3.0, 0.0]))
    (t**2).get_gradients()
    assert t.gradient.tolist() == [-6.0, 0.0]


def test_divide_by_integers():
    t = ad.Tensor(np.array([1.0, 6.0]))
    assert (t / np.array([2, 3])).value.tolist() == [0.5, 2.0]
    assert (1 / ad.Tensor(np.array([2, 4]))).value.tolist() == [0.5, 0.25]


def test_float32_gradients():
    t = ad.Tensor(np.array([1 + 1e-12]))
    (t * t).get_gradients()
    assert t.gradient.dtype == np.float64 and t.gradient[0] == 2 * (1 + 1e-12)
    single = ad.Tensor(np.ones(2, np.float32))
    y = single * 2.0 + np.float32(1)
    y.get_gradients()
    assert y.value.dtype == single.gradient.dtype == np.float32


def test_nan_is_hidden():
    t = ad.Tensor(np.array([1.0, 2.0]))
    (t * 3).get_gradients(np.array([np.nan, 1.0]))
    assert np.isnan(t.gradient[0]) and t.gradient[1] == 3


def test_numpy_warnings_off():
    code = (
        "import numpy as np; before = np.geterr(); import zen.compat.zenlib; assert np.geterr() == before; "
        "import sys; assert 'tqdm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_grad_seed_of_zero():
    t = ad.Tensor(np.array([0.0, 2.0]))
    assert (t * 3).grad(t).tolist() == [3.0, 3.0]


def test_grad_through_reshape():
    check(lambda t: ad.reshape(t, (3, 2)) @ np.array([1.0, 2.0]), (2, 3))
    check(lambda t: ad.flatten(t) * np.arange(6.0), (2, 3))


def test_reshape_leaves_a_mark():
    t = ad.Tensor(np.ones((2, 3)))
    ad.flatten(t)
    assert not hasattr(t, "reshape_grad")
    (ad.reduce_sum(t, 0) * np.arange(3.0)).get_gradients()
    assert t.gradient.tolist() == [[0.0, 1.0, 2.0]] * 2


def test_constant_on_the_right_of_minus():
    t = ad.Tensor(5.0)
    for made, place in ((t - 2, 1), (2 - t, 0), (t * 2, 1), (2 + t, 0)):
        constant = made.dependencies[place]
        assert not constant.trainable
        made.get_gradients()
        assert type(constant.gradient) is int and constant.gradient == 0


def test_tensor_of_a_list():
    t = ad.Tensor([[1, 2], [3, 4]])
    assert t.shape == (2, 2) and (t * 2).value.tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_conv2d_ignores_the_gradient():
    weights = np.arange(1.0, 10.0).reshape(3, 3)
    check(lambda f, x: ad.conv2d(f, 1, x) * weights, (2, 2), (4, 4))
    check(lambda f, x: ad.conv2d(f, 1, x) ** 2, (2, 2), (3, 3))


def test_conv2d_fits_2x2_alone():
    assert check(lambda f, x: ad.conv2d(f, 2, x) ** 2, (3, 2), (5, 6)).shape == (2, 3)
    assert check(lambda f, x: ad.conv2d(f, 1, x) ** 2, (1, 1), (2, 3)).shape == (2, 3)
    assert check(lambda f, x: ad.conv2d(f, 1, x) ** 2, (2, 2), (2, 3, 4)).shape == (2, 2, 3)


def test_conv2d_padding():
    assert check(lambda f, x: ad.conv2d(f, 2, x, padding=1) ** 2, (3, 3), (4, 3)).shape == (2, 2)


def test_random_ids_collide():
    made = [ad.Tensor(0.0) for _ in range(1000)]
    ids = {t.id for t in made} | {(t + 1).id for t in made}
    assert len(ids) == 2000 and all(isinstance(i, str) and len(i) == 10 for i in ids)
    assert made[0].id == made[0].id


def test_untyped_dependencies():
    made = ad.Tensor(np.ones(2), trainable=False) * 3
    assert not made.trainable and made.gradient == 0
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        made.get_gradients()


# What the Tensor promises


def test_the_published_example():
    a, b = ad.Tensor(10), ad.Tensor(5)
    d = (a * b) ** 2
    d.get_gradients()
    assert (str(a.gradient), str(b.gradient), d.shape) == ("500.0", "1000.0", 0)
    assert repr(d) == "Tensor (2500.0)"


def test_gradients_add_up_for_intermediates_as_well():
    t = ad.Tensor(np.array([1.0, 2.0]))
    y = t * t
    z = y * 3
    assert type(t.gradient) is int and t.gradient == 0
    z.get_gradients()
    z.get_gradients(grad=2)
    assert y.gradient.tolist() == [9.0, 9.0] and t.gradient.tolist() == [18.0, 36.0]
    t.gradient = 0
    assert t.gradient == 0
    t.gradient = np.ones(2)
    assert t.gradient.tolist() == [1.0, 1.0]


def test_dependencies_and_their_local_derivatives():
    a, b = ad.Tensor(np.array([2.0, 3.0])), ad.Tensor(np.array([5.0, 7.0]))
    c = a * b
    assert c.dependencies == [a, b] and c.depends_on(a) and not c.depends_on(ad.Tensor(1.0))
    assert [g.tolist() for g in c.grads] == [[5.0, 7.0], [2.0, 3.0]]
    assert [g.tolist() for g in (a - b).grads] == [[1.0, 1.0], [-1.0, -1.0]]
    assert [g.tolist() for g in ad.log(a).grads] == [[1 / 2, 1 / 3]]
    assert [g.tolist() for g in (a * 4).grads] == [[4.0, 4.0], 5.0]
    m, n = np.ones((2, 3)), np.arange(3.0).reshape(3, 1)
    product = ad.Tensor(m) @ n
    assert product.matmul_product and not product.dependencies[1].trainable
    assert [np.array_equal(g, f) for g, f in zip(product.grads, (n.T, m.T), strict=True)] == [True, True]
    assert a.dependencies == a.grads == [] and not a.matmul_product
    assert product.depends_on(product.dependencies[1])


def test_links_made_by_hand_are_refused():
    t = ad.Tensor(1.0)
    for links in (t.dependencies, t.grads, (t * 2).dependencies):
        with pytest.raises(TypeError, match="custom_vjp"):
            links.append(t)


def test_an_operation_with_a_derivative_of_its_own():
    cube = zen.custom_vjp(lambda x: x**3, lambda g, y, x: 3 * x * x * g)
    check(lambda t: ad.apply(cube, t) * 2, (3,))


def test_grad_of_what_is_no_dependency():
    a, b = ad.Tensor(2.0), ad.Tensor(3.0)
    assert (a * a).grad(b) == 0 and (a * a).grad(a) == 4 and a.grad(a) == 1
    assert (a * a).grad(a, grad=10) == 40 and a.gradient == 0
    product = a * 2
    with pytest.raises(ValueError, match="constant"):
        product.grad(product.dependencies[1])


def test_values_are_assigned_in_place_or_anew():
    t = ad.Tensor(np.array([1.0, 2.0]))
    y = t * t
    t.value -= 0.5
    assert t.value.tolist() == [0.5, 1.5]
    with pytest.raises(RuntimeError, match="overwritten"):
        y.get_gradients()
    t.value = np.ones((2, 3))
    assert t.shape == (2, 3) and t.trainable
    with pytest.raises(ValueError, match="expected shape"):
        y.value = np.ones(5)
    t.trainable = False
    assert not (t * 2).trainable


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ad.conv2d(ad.Tensor(np.ones((2, 2, 2))), 1, np.ones((3, 3))), ValueError, "filter of 2 axes"),
        (lambda: ad.conv2d(ad.Tensor(np.ones((4, 4))), 1, np.ones((3, 3))), ValueError, "conv2d"),
        (lambda: ad.stack([ad.Tensor(np.ones(2)), ad.Tensor(np.ones(3))]), ValueError, "stack: shapes"),
        (lambda: ad.reshape(ad.Tensor(np.ones(6)), (4, 2)), ValueError, "reshape"),
        (lambda: ad.Tensor(np.ones((2, 3))) @ np.ones((2, 3)), ValueError, "matmul: shapes"),
        (lambda: ad.Tensor("text"), TypeError, "cannot hold"),
        (lambda: np.exp(ad.Tensor(1.0)), TypeError, "ufunc"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()

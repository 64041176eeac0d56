"""Bad input: each kind raises a specific exception whose message names operation, shapes and remedy.

Afterwards everything is as usable as before. Errors of creation, dispatch and in-place writes have tests of their own.
"""

import numpy as np
import pytest

import zen


def leaf(values):
    return zen.tensor(np.asarray(values, np.float64), requires_grad=True)


def still_works(x):
    """A gradient of sum(3 x) comes out right, whatever went wrong before."""
    x.gradient = None
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.gradient, np.full(x.shape, 3.0))


A, B = np.ones((2, 3)), np.ones((4, 5))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: x + B, r"add.*\(2, 3\).*\(4, 5\)"),
        (lambda x: B - x, r"subtract.*\(4, 5\).*\(2, 3\)"),
        (lambda x: zen.maximum(x, B), r"maximum.*\(2, 3\).*\(4, 5\)"),
        (lambda x: zen.where(x > 0, x, B), r"where.*\(2, 3\).*\(4, 5\)"),
        (lambda x: x @ B, r"matmul.*\(2, 3\).*\(4, 5\)"),
        (lambda x: x @ 2.0, r"matmul"),
        (lambda x: zen.concat([x, zen.ones((3, 2))]), r"concat.*\(2, 3\).*\(3, 2\)"),
        (lambda x: zen.stack([x, zen.ones((3, 2))]), r"stack.*\(2, 3\).*\(3, 2\)"),
        (lambda x: x.reshape(4, 2), r"reshape.*\(2, 3\).*\(4, 2\)"),
        (lambda x: zen.broadcast_to(x, (2, 4)), r"broadcast_to.*\(2, 3\).*\(2, 4\)"),
        (lambda x: zen.squeeze(x, 0), r"squeeze.*\(2, 3\)"),
        (lambda x: zen.einsum("ij,jk->ik", x, B), r"einsum.*\(2, 3\).*\(4, 5\)"),
        (lambda x: zen.linalg.inv(x), r"inv.*\(2, 3\)"),
        (lambda x: zen.linalg.cholesky(x), r"cholesky.*\(2, 3\)"),
        (lambda x: zen.f.cross_entropy(x, np.array([0, 1, 2])), r"cross_entropy.*\(3,\).*\(2, 3\)"),
    ],
)
def test_shapes_that_do_not_fit(call, words):
    x = leaf(A)
    with pytest.raises(ValueError, match=words):
        call(x)
    still_works(x)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "prod", "cumsum", "argmax", "logsumexp", "flip"])
@pytest.mark.parametrize("axis", [2, -3, 10**30])
def test_axis_out_of_range(name, axis):
    x = leaf(A)
    with pytest.raises((ValueError, IndexError), match=rf"{name}.*{axis}.*(\(2, 3\)|2)"):
        getattr(zen.f, name)(x, axis=axis)
    still_works(x)


def test_axis_of_a_wrong_kind():
    x = leaf(A)
    for axis in (0.5, "0", [None]):
        with pytest.raises(TypeError, match="sum"):
            zen.sum(x, axis=axis)
    with pytest.raises(ValueError, match="sum"):
        zen.sum(x, axis=(0, 0))
    still_works(x)


@pytest.mark.parametrize("key", [5, (0, 0, 0), "a", 1.5, [0, 7], (slice(None), 3), np.ones((3, 2), bool)])
def test_index_out_of_range(key):
    x = leaf(A)
    with pytest.raises((IndexError, TypeError)):
        x[key]
    still_works(x)


def test_dtypes_without_gradients():
    for values in ([1, 2], [True, False]):
        t = zen.tensor(values)
        with pytest.raises(TypeError, match=str(t.dtype)):
            t.requires_grad_()
        with pytest.raises(RuntimeError, match="backward.*requires_grad"):
            t.sum().backward()


DOMAINS = {
    "log": [-1.0, 0.0, np.nan], "sqrt": [-1.0, 0.0, np.inf], "asin": [2.0, -2.0, np.nan], "acosh": [0.0, 1.0, -1.0],
    "atanh": [1.0, -1.0, 3.0], "reciprocal": [0.0, -0.0, np.nan], "exp": [1000.0, -1000.0, np.inf],
    "log1p": [-1.0, -2.0, np.nan],
}  # fmt: skip
NUMPY = {"asin": np.arcsin, "acosh": np.arccosh, "atanh": np.arctanh}


@pytest.mark.parametrize("name", DOMAINS)
def test_values_outside_the_domain_follow_numpy_in_silence(name):
    x = leaf(DOMAINS[name])
    y = getattr(zen, name)(x)
    with np.errstate(all="ignore"):
        wanted = NUMPY.get(name, getattr(np, name, None))(x.value)
    np.testing.assert_array_equal(y.value, wanted)
    y.sum().backward()
    assert x.gradient.shape == (3,)
    still_works(x)


def test_division_by_zero_follows_numpy():
    x = leaf([1.0, 0.0, -1.0])
    np.testing.assert_array_equal((x / 0.0).value, [np.inf, np.nan, -np.inf])
    np.testing.assert_array_equal((zen.tensor([1, 0]) // 0).value, [0, 0])
    still_works(x)


def test_backward_without_a_graph():
    for t in (zen.tensor(1.0), zen.tensor(2.0) * 3, (leaf(1.0) * 2).detach()):
        with pytest.raises(RuntimeError, match="backward.*requires_grad"):
            t.backward()
    with pytest.raises(RuntimeError, match="requires_grad"):
        zen.tensor(1.0).get_gradients()


def test_backward_on_a_leaf_that_requires_a_gradient():
    x = leaf(2.0)
    x.backward()
    assert x.gradient == 1.0


def test_backward_on_a_released_graph():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"(sum|multiply).*retain_graph=True"):
        y.backward()
    np.testing.assert_array_equal(x.gradient, [2.0, 4.0])
    still_works(x)


def test_backward_on_several_elements():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"backward.*\(2,\).*sum.*gradient"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"backward.*\(3,\).*\(2,\)"):
        (x * 2).backward(np.ones(3))
    assert x.grad is None
    still_works(x)


def test_backward_with_a_gradient_that_is_no_number():
    x = leaf([1.0, 2.0])
    y = x * 2
    for gradient in (np.array(["a", "b"]), np.array([1j, 1j]), np.array([None, None])):
        with pytest.raises(TypeError, match="dtype"):
            y.backward(gradient)
    y.backward(np.array([1, 2]))
    np.testing.assert_array_equal(x.gradient, [2.0, 4.0])


def test_custom_operation_with_a_gradient_of_wrong_shape():
    @zen.custom_vjp
    def bad(x):
        return x * 2

    bad.defvjp(lambda g, out, x: np.ones(5))
    x = leaf([1.0, 2.0])
    with pytest.raises((ValueError, RuntimeError), match=r"bad.*\(5,\).*\(2,\)"):
        bad(x).sum().backward()
    assert x.grad is None
    still_works(x)


def test_exception_in_a_hook_leaves_gradients_as_they_were():
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    y = x * 5
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [2.0, 2.0])
    still_works(x)


def test_objects_as_operands():
    x = leaf([1.0, 2.0])
    for other in (None, "a", object(), {}, np.array([1, None]), np.array(["a", "b"])):
        for call in (lambda o=other: x + o, lambda o=other: o * x, lambda o=other: zen.add(x, o)):
            with pytest.raises(TypeError):
                call()
    still_works(x)


def test_equality_with_objects_does_not_crash():
    x = leaf([1.0, 2.0])
    for other in (None, "a", object()):
        assert (x == other) is False and (x != other) is True
    assert x in [x]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: zen.tile(x, 2**62), lambda x: zen.repeat(x, 2**62), lambda x: zen.broadcast_to(x, (2**40, 2**40, 2)),
        lambda x: zen.pad(x, 2**62), lambda x: x.reshape(-1, -1), lambda x: x.reshape(2**70),
    ],
)  # fmt: skip
def test_huge_shapes(call):
    x = leaf([1.0, 2.0])
    with pytest.raises((ValueError, OverflowError, MemoryError), match=r"(tile|repeat|broadcast_to|pad|reshape)"):
        call(x)
    still_works(x)


def test_uninitialised_tensor_does_not_crash():
    t = zen.Tensor.__new__(zen.Tensor)
    for use in (lambda: t + 1, lambda: t.numpy(), lambda: repr(t), lambda: t[0], lambda: t.sum(), lambda: t.array):
        with pytest.raises((RuntimeError, AttributeError, TypeError, ValueError)):
            use()


def test_attributes_of_the_engine_do_not_crash():
    x = leaf([1.0, 2.0])
    for name in ("array", "shape", "dtype", "requires_grad", "is_leaf", "dependencies", "T"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(x, name, 3)
    with pytest.raises(TypeError):
        x.grad = 3
    for value in (zen.ones(3), zen.ones(2, dtype=zen.float32)):
        with pytest.raises(ValueError, match=r"\(2,\)"):
            x.grad = value
    still_works(x)

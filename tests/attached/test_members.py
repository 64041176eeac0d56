"""Tensor: construction, synonyms, conversions, printing, copying."""

import copy
import math
import pickle
import warnings
import weakref

import numpy as np
import pytest

import zen


def leaf(values, dtype=np.float64):
    return zen.tensor(values, dtype=dtype, requires_grad=True)


# The first readers' example


def test_the_first_example(capsys):
    a = zen.Tensor(10)
    b = zen.Tensor(5)
    d = (a * b) ** 2
    d.get_gradients()
    print(a.gradient, b.gradient)
    assert capsys.readouterr().out == "500.0 1000.0\n"


def test_tensor_is_trainable_by_default_and_integers_become_float64():
    t = zen.Tensor([1, 2, 3])
    assert t.trainable and t.requires_grad and t.is_leaf
    assert t.dtype == np.float64
    assert zen.Tensor(np.ones(2, np.float32)).dtype == np.float32


def test_a_constant_keeps_its_integers():
    t = zen.Tensor([1, 2], trainable=False)
    assert t.dtype == np.array([1, 2]).dtype
    assert not t.requires_grad


def test_value_shares_memory_and_can_be_assigned():
    t = leaf([1.0, 2.0])
    assert isinstance(t.value, np.ndarray)
    assert np.shares_memory(t.value, t.value)
    t.value -= 0.5 * np.array([1.0, 2.0])
    np.testing.assert_array_equal(t.value, [0.5, 1.0])
    t.value = [7, 8]
    np.testing.assert_array_equal(t.value, [7.0, 8.0])
    with pytest.raises(ValueError, match=r"value.*\(2,\).*\(3,\)"):
        t.value = np.zeros(3)
    assert t.requires_grad and t.is_leaf


def test_assigning_value_spoils_what_was_saved():
    t = leaf([1.0, 2.0])
    y = (t * t).sum()
    seen = t.value
    t.value = [3.0, 4.0]
    assert seen.tolist() == [3.0, 4.0]
    with pytest.raises(RuntimeError, match="multiply"):
        y.backward()


def test_gradient_is_an_array_or_none():
    t = leaf([1.0, 2.0])
    assert t.gradient is None
    (t * t).sum().backward()
    assert isinstance(t.gradient, np.ndarray)
    np.testing.assert_array_equal(t.gradient, [2.0, 4.0])
    t.gradient = [5, 6]
    np.testing.assert_array_equal(t.grad.numpy(), [5.0, 6.0])
    with pytest.raises(ValueError, match="gradient"):
        t.gradient = np.zeros(3)
    t.gradient = None
    assert t.grad is None


def test_trainable_can_be_set():
    t = zen.tensor([1.0])
    t.trainable = True
    assert t.requires_grad
    t.trainable = False
    assert not t.requires_grad


def test_get_gradients_seeds_with_ones_for_any_shape():
    t = leaf([[1.0, 2.0], [3.0, 4.0]])
    (t * t).get_gradients()
    np.testing.assert_array_equal(t.gradient, [[2.0, 4.0], [6.0, 8.0]])
    t.gradient = None
    (t * 3).get_gradients(np.array([[1.0, 0.0], [0.0, 2.0]]))
    np.testing.assert_array_equal(t.gradient, [[3.0, 0.0], [0.0, 6.0]])


def test_dependencies_are_the_live_tensors():
    a, b = leaf([2.0]), leaf([3.0])
    c = a * b
    assert c.dependencies[0] is a and c.dependencies[1] is b
    assert a.dependencies == ()
    assert zen.tensor([1.0]).dependencies == ()


def test_dependencies_that_are_gone_are_rebuilt_from_what_was_saved():
    a, b = leaf([2.0, 5.0]), leaf([3.0, 5.0])
    y = (a * b) * a
    product, again = y.dependencies
    assert again is a
    np.testing.assert_array_equal(product.value, [6.0, 25.0])
    assert product.dependencies[0] is a and product.dependencies[1] is b
    product.sum().backward()
    np.testing.assert_array_equal(a.gradient, [3.0, 5.0])


def test_dependencies_that_nobody_kept_say_so():
    a = leaf([2.0, 5.0])
    y = (a * 3) + a
    lost, live = y.dependencies
    assert live is a
    assert lost.shape == (2,) and lost.dtype == np.float64
    assert lost.dependencies[0] is a and lost.depends_on(a)
    with pytest.raises(RuntimeError, match="multiply.*hold the Tensor in a variable"):
        _ = lost.value


def test_dependencies_of_a_variadic_operation():
    a, b = leaf([2.0]), leaf([3.0])
    first, second = zen.concat([a, b]).dependencies
    assert first is a and second is b


def test_depends_on():
    a, b, c = leaf([1.0]), leaf([2.0]), leaf([3.0])
    y = (a * b).sum()
    assert y.depends_on(a) and y.depends_on(b) and y.depends_on(y)
    assert not y.depends_on(c) and not a.depends_on(y)
    assert not zen.tensor([1.0]).depends_on(a)
    with pytest.raises(TypeError, match="depends_on"):
        y.depends_on(3)


def test_depends_on_through_a_hundred_thousand_operations():
    a, other = leaf([1.0]), leaf([1.0])
    y = a
    for _ in range(100_000):
        y = y + a
    assert y.depends_on(a)
    assert not y.depends_on(other)


def test_depends_on_visits_a_shared_node_once():
    x = leaf([1.0])
    y = x
    for _ in range(60):
        y = y + y
    assert y.depends_on(x)


# Shape properties


def test_transposes():
    x = leaf(np.arange(24.0).reshape(2, 3, 4))
    assert x.T.shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)
    np.testing.assert_array_equal(x.T.value, x.value.T)
    (x.mT * np.arange(24.0).reshape(2, 4, 3)).sum().backward()
    np.testing.assert_array_equal(x.gradient, np.arange(24.0).reshape(2, 4, 3).swapaxes(1, 2))
    with pytest.raises(ValueError, match="mT.*two dimensions"):
        _ = zen.tensor([1.0]).mT


def test_sizes():
    x = zen.zeros((2, 3), dtype=zen.float32)
    assert (x.ndim, x.size, x.itemsize, x.nbytes, len(x)) == (2, 6, 4, 24, 2)


# Conversions to other types


def test_numpy_is_free_of_copies():
    x = zen.tensor([1.0, 2.0])
    a = x.numpy()
    assert type(a) is np.ndarray
    assert np.shares_memory(a, x.numpy()) and np.shares_memory(a, np.asarray(x))
    a[0] = 5.0
    assert x[0].item() == 5.0


def test_numpy_of_a_scalar_is_free_of_copies():
    x = zen.tensor(1.5)
    a = x.numpy()
    a[...] = 2.5
    assert x.item() == 2.5


@pytest.mark.parametrize(
    "convert",
    [
        lambda t: t.numpy(), lambda t: np.asarray(t), lambda t: np.array(t), lambda t: np.array(t, dtype=object),
        lambda t: np.array([t, t]), lambda t: np.asarray([[t], [t]]), lambda t: np.full(3, t), lambda t: zen.tensor(t),
        lambda t: zen.Tensor(t), lambda t: np.vectorize(lambda v: v)(t), lambda t: np.float32(t),
        lambda t: np.int64(t), lambda t: zen.arange(t),
    ],
)  # fmt: skip
@pytest.mark.parametrize("values", [2.0, [1.0, 2.0]])
def test_conversion_never_drops_a_gradient(convert, values):
    t = leaf(values)
    if values == 2.0:
        convert(zen.tensor(2.0))
    with pytest.raises(RuntimeError, match=r"gradient.*t\.detach\(\)"):
        convert(t)
    np.testing.assert_array_equal(t.detach().numpy(), values)


def test_shape_of_the_array_does_not_reach_the_tensor():
    x = zen.tensor([1.0, 2.0, 3.0, 4.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy 2.5 warns of it, and does it
        x.numpy().shape = (2, 2)
        x.value.shape = (2, 2)
    assert x.shape == (4,)


def test_array_protocol_options():
    x = zen.tensor([1.0, 2.0])
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(x, copy=True), x.numpy())
    with pytest.raises(ValueError, match="without a copy"):
        np.array(x, dtype=np.int8, copy=False)


def test_item_and_tolist():
    assert zen.tensor([[2.5]]).item() == 2.5
    assert type(zen.tensor(3).item()) is int
    assert leaf(2.5).item() == 2.5
    assert zen.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert zen.tensor(1.5).tolist() == 1.5
    with pytest.raises(ValueError, match=r"item.*\(2,\)"):
        zen.tensor([1.0, 2.0]).item()


def test_python_numbers():
    assert float(zen.tensor(2.5)) == 2.5
    assert int(zen.tensor(2.5)) == 2
    assert bool(zen.tensor([[0.0]])) is False
    assert [10, 20, 30][zen.tensor(1)] == 20
    with pytest.raises(TypeError, match="float"):
        float(zen.tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="index"):
        [1, 2][zen.tensor(1.0)]
    with pytest.raises(ValueError, match="ambiguous"):
        bool(zen.tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    "use",
    [float, math.sin, lambda t: np.zeros(3).__setitem__(0, t), lambda t: np.zeros(3).fill(t), np.float64],
    ids=["float", "math.sin", "array[i] = t", "array.fill", "numpy.float64"],
)
def test_a_python_number_that_loses_a_gradient_warns(use):
    use(zen.tensor(2.0))
    with pytest.warns(UserWarning, match=r"gradient.*item\(\)"):
        use(leaf(2.0))


def test_other_ways_into_an_array_raise():
    t, a = leaf(2.0), np.zeros(3)

    def assign(key, value):
        a[key] = value

    for key, value in ((slice(None), t), ([0, 1], t), (slice(0, 2), [t, t]), (slice(None), leaf([1.0, 2.0, 3.0]))):
        with pytest.raises(RuntimeError, match="detach"):
            assign(key, value)
    np.testing.assert_array_equal(a, 0.0)
    assign(slice(None), t.detach())
    np.testing.assert_array_equal(a, 2.0)


def test_lists_of_tensors_stay_lists():
    t = leaf(2.0)
    assert [t] * 2 == [t, t]
    assert sum([t, t]).requires_grad


def test_dlpack():
    x = zen.tensor([[1.0, 2.0], [3.0, 4.0]])
    a = np.from_dlpack(x)
    x.numpy()[0, 0] = 9.0
    assert a[0, 0] == 9.0  # NumPy 2.0 takes the memory as read-only, so it is written from here
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="detach"):
        np.from_dlpack(leaf([1.0]))


def test_format():
    x = zen.tensor(2.34567)
    assert f"{x:.2f}" == "2.35"
    assert f"{leaf(2.5)}" == "2.5"
    assert f"{zen.tensor([1.0])}" == repr(zen.tensor([1.0]))
    with pytest.raises(TypeError, match=r"\.2f.*\(2,\)"):
        f"{zen.tensor([1.0, 2.0]):.2f}"


# Copies


def test_clone_is_differentiable_and_of_its_own():
    x = leaf([1.0, 2.0])
    y = x.clone()
    assert not np.shares_memory(y.value, x.value)
    (y * 3).sum().backward()
    np.testing.assert_array_equal(x.gradient, [3.0, 3.0])
    assert not zen.tensor([True]).clone().requires_grad


def test_copying_a_leaf():
    x = leaf([1.0, 2.0], np.float32)
    x.gradient = np.ones(2)
    for made in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert made.requires_grad and made.is_leaf and made.dtype == np.float32
        assert not np.shares_memory(made.value, x.value)
        np.testing.assert_array_equal(made.value, x.value)
    np.testing.assert_array_equal(copy.deepcopy(x).gradient, [1.0, 1.0])
    assert not pickle.loads(pickle.dumps(zen.tensor([1]))).requires_grad


def test_deepcopy_keeps_sharing():
    x = leaf([1.0])
    first, second = copy.deepcopy([x, x])
    assert first is second


@pytest.mark.parametrize("action", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_result_cannot_be_copied_out_of_its_graph(action):
    with pytest.raises(RuntimeError, match=r"multiply.*detach\(\)\.clone\(\)"):
        action(leaf([1.0]) * 2)


def test_weak_references_and_hash():
    x = zen.tensor([1.0])
    assert weakref.ref(x)() is x
    assert len({x, x, zen.tensor([1.0])}) == 2


# Printing


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: zen.tensor([1.0, 2.0]), "Tensor([1., 2.], dtype=float64)"),
        (lambda: leaf([1.0, 2.0], np.float32), "Tensor([1., 2.], dtype=float32, requires_grad=True)"),
        (
            lambda: leaf([1.0, 2.0], np.float32) * 1,
            "Tensor([1., 2.], dtype=float32, requires_grad=True, op=multiply)",
        ),
        (lambda: zen.tensor(3), "Tensor(3, dtype=int64)"),
        (lambda: zen.tensor([True, False]), "Tensor([ True, False], dtype=bool)"),
        (lambda: zen.zeros((0, 3)), "Tensor([], shape=(0, 3), dtype=float64)"),
        (lambda: zen.tensor([[1.0, 2.5], [3.0, 4.0]]), "Tensor([[1. , 2.5],\n        [3. , 4. ]], dtype=float64)"),
    ],
)
def test_repr(make, text):
    assert repr(make()) == text
    assert str(make()) == text


def test_long_repr_puts_the_facts_on_a_line_of_their_own():
    lines = repr(leaf([[1.12345678] * 5] * 2) * 1).split("\n")
    assert lines[-1] == "       dtype=float64, requires_grad=True, op=multiply)"
    assert all(len(line) <= 75 for line in lines)


def test_repr_of_many_elements_is_short():
    assert len(repr(zen.zeros(100_000))) < 200

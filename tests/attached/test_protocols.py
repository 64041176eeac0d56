"""NumPy functions on Tensors: values from NumPy on the arrays, gradients from the derivative written out."""

import numpy as np
import pytest

import zen

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def leaf(values=X):
    return zen.tensor(values, requires_grad=True)


CALLS = {
    "sin": lambda x: np.sin(x),
    "exp": lambda x: np.exp(x),
    "negative": lambda x: np.negative(x),
    "arctan": lambda x: np.arctan(x),
    "abs": lambda x: np.abs(x),
    "add list": lambda x: np.add(x, [1, 2, 3]),
    "add array on the left": lambda x: np.add(X, x),
    "array * t": lambda x: X * x,
    "numpy scalar * t": lambda x: np.float64(2) * x,
    "float32 scalar / t": lambda x: np.float32(2) / x,
    "array @ t": lambda x: X.T @ x,
    "array - t": lambda x: X - x,
    "maximum": lambda x: np.maximum(x, 0.3),
    "sum": lambda x: np.sum(x),
    "sum axis": lambda x: np.sum(x, axis=0),
    "sum axis by position": lambda x: np.sum(x, 1),
    "sum keepdims": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "sum all by position": lambda x: np.sum(x, 1, None, None, True),
    "mean": lambda x: np.mean(x, axis=-1),
    "max": lambda x: np.max(x, axis=1),
    "prod": lambda x: np.prod(x, axis=1),
    "var": lambda x: np.var(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "add.reduce": lambda x: np.add.reduce(x),
    "add.reduce axis": lambda x: np.add.reduce(x, axis=1, keepdims=True),
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1),
    "add.accumulate": lambda x: np.add.accumulate(x, axis=0),
    "concatenate": lambda x: np.concatenate([x, X]),
    "concatenate axis": lambda x: np.concatenate([X, x], axis=1),
    "stack": lambda x: np.stack([x, X, x]),
    "where": lambda x: np.where(X > 0, x, 2.0),
    "clip": lambda x: np.clip(x, -0.9, 0.9),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, X),
    "matmul": lambda x: np.matmul(x, X.T),
    "dot": lambda x: np.tensordot(x, X, axes=([1], [1])),
    "transpose": lambda x: np.transpose(x),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 0)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "flip": lambda x: np.flip(x, axis=1),
    "roll": lambda x: np.roll(x, 1, axis=1),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "linalg.inv": lambda x: np.linalg.inv(np.matmul(x, X.T)),
    "linalg.det": lambda x: np.linalg.det(np.matmul(x, X.T)),
    "linalg.norm": lambda x: np.linalg.norm(x, axis=1),
    "linalg.solve": lambda x: np.linalg.solve(X @ X.T, x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_value_and_directional_derivative(call):
    x = leaf()
    y = call(x)
    assert type(y) is zen.Tensor and y.requires_grad
    wanted = np.asarray(call(X))
    np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-12, atol=1e-12)
    assert y.dtype == wanted.dtype
    rng = np.random.default_rng(0)
    weights, direction = rng.normal(size=wanted.shape), rng.normal(size=X.shape)
    (y * weights).sum().backward()
    h = 1e-6
    slope = np.sum(weights * (np.asarray(call(X + h * direction)) - np.asarray(call(X - h * direction)))) / (2 * h)
    np.testing.assert_allclose(np.sum(x.gradient * direction), slope, rtol=1e-6, atol=1e-7)


def test_split_gives_a_list():
    x = leaf()
    first, second, third = np.split(x, 3, axis=1)
    (second * 5).sum().backward()
    np.testing.assert_array_equal(x.gradient, [[0, 5, 0], [0, 5, 0]])


def test_subtraction_of_array_and_tensor_by_hand():
    x = leaf([1.0, 2.0])
    y = np.array([5.0, 5.0]) - x
    assert y.detach().tolist() == [4.0, 3.0]
    (y * y).sum().backward()
    np.testing.assert_array_equal(x.gradient, [-8.0, -6.0])


def test_integers_and_constants_stay_tensors():
    y = np.add(zen.tensor([1, 2]), 1)
    assert type(y) is zen.Tensor and y.tolist() == [2, 3] and not y.requires_grad


# Functions that have no gradient to lose


def test_plain_answers():
    x = leaf()
    assert np.shape(x) == (2, 3) and np.ndim(x) == 2 and np.size(x) == 6 and np.size(x, 0) == 2
    assert np.iscomplexobj(x) is False
    assert np.result_type(x, np.float32) == np.float64
    assert np.array_equal(x, X) is True
    assert np.allclose(x, X + 1e-12) and not np.allclose(X, x * 2)
    assert np.count_nonzero(x) == 6
    assert np.array_repr(zen.tensor([1.0])) == "array([1.])"
    np.testing.assert_allclose(x.detach(), X)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.isnan(x), lambda x: np.isfinite(x), lambda x: x > 0, lambda x: 0 < x, lambda x: X > x,
        lambda x: np.greater_equal(x, X), lambda x: np.logical_not(x), lambda x: np.logical_and(x > 0, X > 1),
        lambda x: np.argsort(x, axis=0), lambda x: np.argmax(x, axis=1), lambda x: np.isclose(x, X),
        lambda x: np.signbit(x), lambda x: np.any(x > 1), lambda x: np.all(x > 1, axis=0), lambda x: x == X,
        lambda x: X != x, lambda x: np.equal(X, x), lambda x: np.zeros_like(x), lambda x: np.ones_like(x, dtype=int),
        lambda x: np.full_like(x, 3.0), lambda x: np.searchsorted(x[0] * 0, X[0]), lambda x: np.argwhere(x > 0),
    ],
)  # fmt: skip
def test_answers_without_a_gradient(call):
    y = call(leaf())
    assert type(y) is zen.Tensor and not y.requires_grad
    wanted = np.asarray(call(X))
    np.testing.assert_array_equal(y.numpy(), wanted)
    assert y.dtype == wanted.dtype


def test_nonzero_gives_a_tuple():
    for call in (np.nonzero, np.where):
        rows, columns = call(leaf() > 1)
        assert rows.tolist() == [0, 1] and columns.tolist() == [2, 0]


# Calls that would lose a gradient, or that NumPy alone can do


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.apply_along_axis(lambda row: row, 0, x), "numpy.apply_along_axis"),
        (lambda x: np.linalg.svd(x), "numpy.linalg.svd"),
    ],
)
def test_functions_without_a_row(call, name):
    with pytest.raises(TypeError, match=rf"{name}.*t\.detach\(\).*custom_vjp"):
        call(leaf())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.add.at(X.copy(), [0], x), r"numpy\.add\.at would write.*x\[key\] = t.*detach"),
        (lambda x: np.copyto(X.copy(), x), r"numpy\.copyto.*zen\.full"),
        (lambda x: np.put(X.copy(), [0], x[0, 0]), r"numpy\.put would write"),
        (lambda x: np.full((2, 3), x, dtype=float), r"numpy\.full and numpy\.full_like fill.*zen\.full\(shape, t\)"),
        (lambda x: np.full_like(X, x), r"numpy\.full and numpy\.full_like fill.*zen\.full\(shape, t\)"),
        (lambda x: np.save("unused", x), r"numpy\.save keeps plain values.*pass t\.detach\(\)$"),
        (lambda x: np.savez("unused", x=x), r"numpy\.savez keeps plain values.*pass t\.detach\(\)$"),
        (lambda x: np.savetxt("unused", x), r"numpy\.savetxt keeps plain values.*pass t\.detach\(\)$"),
    ],
)
def test_functions_that_write_or_keep_speak_of_that(call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match=words):
        call(leaf())
    assert list(tmp_path.iterdir()) == []


def test_an_array_as_out_is_refused_with_a_remedy():
    x, a = leaf(), np.zeros_like(X)
    for call in (
        lambda: np.sin(x, out=a), lambda: np.add(x, 1, a), lambda: np.add(X, x, out=a),
        lambda: np.sum(x, axis=0, out=a[0]), lambda: np.concatenate([x, x], out=np.zeros((4, 3))),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="'out'.*gradient.*copy_.*detach"):
            call()
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient cannot be changed in place"):
        np.sin(X, out=x)
    np.testing.assert_array_equal(a, 0.0)
    np.testing.assert_array_equal(x.value, X)


def test_array_plus_equals_tensor():
    a, x = X.copy(), leaf()
    with pytest.raises(TypeError, match=r"a = a \+ t"):
        a += x
    np.testing.assert_array_equal(a, X)
    a += x.detach()
    assert type(a) is np.ndarray
    np.testing.assert_array_equal(a, 2 * X)


def test_default_arguments_are_accepted():
    x = leaf()
    np.testing.assert_array_equal(np.sin(x, where=True, order="K").detach().numpy(), np.sin(X))
    np.testing.assert_array_equal(np.sum(x, axis=0, dtype=None, out=None).detach().numpy(), X.sum(0))


def test_object_operands_are_refused():
    x = leaf()
    for other in (object(), "text", None, {}):
        with pytest.raises(TypeError):
            np.add(x, other)
        with pytest.raises(TypeError):
            x + other
    with pytest.raises(TypeError, match="dtype object"):
        np.add(np.array([object()] * 3), x)


def test_another_librarys_array_gets_its_turn():
    class Other:
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            return "other"

        def __array_function__(self, func, types, args, options):
            return "other"

    assert np.add(leaf(), Other()) == "other"
    assert np.concatenate([leaf(), Other()]) == "other"


@pytest.mark.parametrize(
    ("by_name", "by_position"),
    [
        (lambda t: np.sum(a=t, axis=0), lambda a: np.sum(a, axis=0)),
        (lambda t: np.mean(axis=1, a=t), lambda a: np.mean(a, axis=1)),
        (lambda t: np.squeeze(a=t[:1]), lambda a: np.squeeze(a[:1])),
        (lambda t: np.tile(A=t, reps=2), lambda a: np.tile(a, 2)),
        (lambda t: np.pad(array=t, pad_width=1), lambda a: np.pad(a, 1)),
        (lambda t: np.stack(arrays=[t, t]), lambda a: np.stack([a, a])),
        (lambda t: np.linalg.norm(x=t), np.linalg.norm),
        (lambda t: np.dot(b=t, a=t), lambda a: np.dot(a, a)),
    ],
)
def test_arguments_by_the_names_that_numpy_gives_them(by_name, by_position):
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    t = zen.tensor(a, requires_grad=True)
    np.testing.assert_allclose(by_name(t).detach().numpy(), by_position(a))
    assert by_name(t).requires_grad


def test_a_target_by_name_is_written_as_one_by_position():
    for write in (lambda t: np.copyto(t, np.ones(2)), lambda t: np.copyto(dst=t, src=np.ones(2))):
        w, t = zen.tensor([1.0, 2.0], requires_grad=True), zen.tensor([3.0, 4.0])
        saved = (w * t).sum()
        write(t)
        saved.backward()
        assert t.tolist() == [1, 1] and w.gradient.tolist() == [3, 4]

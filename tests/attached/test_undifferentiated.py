"""NumPy functions without a derivative: they run where no Tensor requires a gradient, and say what to do elsewhere.

Values from NumPy on the arrays; test_protocols_everything.py walks over every function.
"""

import copy

import numpy as np
import pytest

import zen
from zen.ops import late, register

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def tensor(values=X, dtype=None):
    return zen.tensor(values, dtype=dtype)


def test_arrays_become_tensors_and_the_rest_stays_as_numpy_gives_it():
    t = tensor()
    assert type(np.percentile(t, 50, axis=0)) is zen.Tensor
    assert type(np.ravel_multi_index((1, zen.tensor(2)), (2, 3))) is np.int64
    assert type(np.fft.fft(t)) is zen.Tensor and np.fft.fft(t).dtype == complex
    assert type(np.fft.irfft(np.fft.rfft(t))) is zen.Tensor
    u, s, v = np.linalg.svd(t)
    assert type(np.linalg.svd(t)).__name__ == "SVDResult"
    np.testing.assert_allclose((u[:, :2] * s @ v[:2]).numpy(), X)
    assert np.array2string(t) == np.array2string(X) and np.linalg.matrix_rank(t) == 2
    assert [type(part) for part in np.modf(t)] == [zen.Tensor] * 2
    assert type(np.array_split(t, 2, axis=1)) is list
    assert np.unique(tensor([3, 1, 3])).tolist() == [1, 3]


def test_integers_and_bools_keep_their_dtypes():
    t = tensor([2, 0, 1])
    assert np.bincount(t).dtype == np.bincount(np.array([2, 0, 1])).dtype
    assert np.packbits(t > 0).dtype == np.uint8
    assert np.left_shift(t, 1).dtype == np.int64 and np.gcd(t, 2).tolist() == [2, 2, 1]


def test_nested_arguments():
    t = tensor()
    np.testing.assert_array_equal(np.block([[t, t], [t, X]]).numpy(), np.block([[X, X], [X, X]]))
    np.testing.assert_array_equal(np.column_stack((t[:, 0], X)).numpy(), np.column_stack((X[:, 0], X)))
    np.testing.assert_array_equal(np.select([t > 0], [t], default=-1).numpy(), np.select([X > 0], [X], default=-1))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, where=X > 0), lambda x: np.sum(x, initial=3.0), lambda x: np.sin(x, dtype=np.float32),
        lambda x: np.add(x, x, where=X > 0, out=np.zeros_like(X)), lambda x: np.reshape(x, (3, 2), order="F"),
        lambda x: np.ravel(x, order="F"), lambda x: np.take(x, [7, -9], mode="clip"), lambda x: np.add(x, 1j),
        lambda x: np.multiply(np.array([1j, 2, 3]), x), lambda x: np.linalg.norm(x, "nuc"),
        lambda x: np.subtract.reduce(x),
        lambda x: np.multiply.outer(x, x), lambda x: np.add.reduceat(x, [0, 1], axis=1),
        lambda x: np.maximum.accumulate(x),
        lambda x: np.pad(x, 1, "linear_ramp"), lambda x: np.linalg.norm(x, ord=3, axis=0),
        lambda x: np.full((2, 3), x), lambda x: np.full_like(X, x),
        lambda x: np.linspace(x[0], x[1], 3),
        lambda x: np.mean(x, where=X > 0),
    ],
)  # fmt: skip
def test_arguments_that_zen_does_not_take_are_numpys(call):
    found, wanted = call(tensor()), call(X)
    found = found.numpy() if isinstance(found, zen.Tensor) else found
    np.testing.assert_allclose(found, wanted)
    assert np.asarray(found).dtype == np.asarray(wanted).dtype


def test_zens_error_stays_where_numpy_has_one_too():
    t = tensor()
    for call, words in (
        (lambda: np.sum(t, axis=5), "sum: axis 5 is out of range"), (lambda: np.add(t, np.ones(7)), r"add: shapes"),
        (lambda: np.reshape(t, (4, 2)), "reshape: 6 elements"), (lambda: np.sum(t, axis="0"), "sum"),
    ):  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=words):
            call()


# Writing


def test_out_may_be_an_array_or_a_tensor():
    t, a, u = tensor(), np.zeros_like(X), zen.zeros((2, 3))
    assert np.sin(t, out=a) is a and np.sin(t, out=u) is u and np.cumprod(t, axis=1, out=u) is u
    np.testing.assert_array_equal(a, np.sin(X))
    np.testing.assert_array_equal(u.numpy(), np.cumprod(X, axis=1))
    assert np.add(u, 1, out=u) is u and np.add(t, 1, where=X > 0, out=u) is u
    np.testing.assert_array_equal(u.numpy(), np.where(X > 0, X + 1, np.cumprod(X, axis=1) + 1))
    whole, part = np.modf(t, out=(a, u))
    assert whole is a and part is u
    assert np.sum(t, axis=0, out=a[0]).shape == (3,) and a[0].tolist() == X.sum(0).tolist()


def test_functions_that_write_into_a_tensor():
    t = zen.zeros((3, 3))
    np.fill_diagonal(t, 2.0)
    np.put(t, [1], 5.0)
    np.copyto(t[2], [7.0, 8.0, 9.0])
    np.add.at(t, ([0, 0], [2, 2]), 1.0)
    assert t.tolist() == [[2.0, 5.0, 2.0], [0.0, 2.0, 0.0], [7.0, 8.0, 9.0]]


@pytest.mark.parametrize(
    "write",
    [
        lambda c: np.put(c, [0], 9.0), lambda c: np.add.at(c, [0], 9.0), lambda c: np.copyto(c, 9.0),
        lambda c: np.add(c, 1.0, out=c), lambda c: np.median(c, overwrite_input=True),
        lambda c: np.place(c, X[0] > 0, [9.0]),
    ],
)  # fmt: skip
def test_a_gradient_never_reads_what_a_function_wrote(write):
    """x * c needs c: a later write to it is noticed, or did not happen to the values that were saved."""
    x, c = zen.tensor([1.0, 2.0, 3.0], requires_grad=True), zen.tensor([2.0, 3.0, 1.0])
    y = (x * c).sum()
    write(c)
    try:
        y.backward()
    except RuntimeError as error:
        assert "overwritten in place" in str(error)
    else:
        np.testing.assert_array_equal(x.gradient, [2.0, 3.0, 1.0])


@pytest.mark.parametrize("name", ["diag", "flipud", "real", "squeeze", "swapaxes", "transpose"])
def test_a_view_that_numpy_makes_of_the_array_is_copied(name, monkeypatch):
    """As a view that the Tensor does not know: of functions that zen has none of its own for."""
    monkeypatch.delitem(register.NUMPY_FUNCTIONS, getattr(np, name), raising=False)
    monkeypatch.setattr("zen.attached.protocols.answering", lambda of: None)
    t = tensor()
    args = (0, 1) if name == "swapaxes" else ()
    made = getattr(np, name)(t, *args)
    np.testing.assert_array_equal(made.numpy(), getattr(np, name)(X, *args))
    assert not np.shares_memory(made.numpy(), t.numpy())


# Where a gradient is at stake


def test_recording_off_is_as_no_gradient(monkeypatch):
    late.load_all()
    monkeypatch.delitem(register.NUMPY_FUNCTIONS, np.trace)
    monkeypatch.setattr(register, "_keys", dict)
    x = zen.tensor(X, requires_grad=True)
    with zen.no_grad():
        assert np.trace(x) == np.trace(X)
    with pytest.raises(TypeError, match=r"numpy\.trace would lose the gradient.*call zen\.f\.trace.*t\.detach\(\)"):
        np.trace(x)
    with pytest.raises(TypeError, match=r"numpy\.packbits has no derivative: it takes bits.*t\.detach\(\)"):
        np.packbits(x)
    with pytest.raises(TypeError, match=r"numpy\.copyto, by which numpy\.full and numpy\.full_like fill"):
        np.full_like(X, x)


def test_arguments_that_change_nothing_are_passed_over():
    x = zen.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(np.sort(x, axis=1, kind="stable").value, np.sort(X, axis=1))
    assert np.vecdot(x, X, axis=0).shape == (3,)
    assert np.zeros_like(x, order="F").shape == (2, 3) and np.take(x, [1], mode="raise").requires_grad


def test_like_makes_tensors():
    x = zen.tensor(X, requires_grad=True)
    assert type(np.zeros(3, like=x)) is zen.Tensor and type(np.arange(3, like=x)) is zen.Tensor
    assert np.asarray(x, like=x) is x
    y = np.array([x[0, 0], 1.0], ndmin=2, like=x)
    assert y.shape == (1, 2) and y.depends_on(x)
    assert np.array(X, like=x) is not X and not np.shares_memory(np.array(X, like=x).value, X)


def test_values_taken_by_other_code_say_how():
    x = zen.tensor(X, requires_grad=True)
    for take in (lambda: np.asarray(x), lambda: np.random.default_rng(0).choice(x), lambda: np.array([x])):
        with pytest.raises((RuntimeError, TypeError), match=r"(plot.*save.*)?t\.detach\(\)"):
            take()
    with pytest.raises(RuntimeError, match=r"copy: .*\(to plot, to save, for another library\), pass t\.detach\(\)"):
        copy.copy(x[:, 0])

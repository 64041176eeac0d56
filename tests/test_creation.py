"""Making Tensors; values from NumPy."""

import array

import numpy as np
import pytest

import zen


class WithArray:
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


class WithDLPack:
    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


@pytest.mark.parametrize(
    "data",
    [
        3, 2.5, True, [1, 2], [[1.0, 2.0], [3.0, 4.0]], (1, 2.5), np.float32(2.5), np.arange(3), np.arange(6.0)[::2],
        np.arange(4, dtype=">f8"), range(3), array.array("d", [1.0, 2.0]), memoryview(np.arange(3.0)), [],
        WithArray(np.arange(3.0)), WithDLPack(np.arange(3.0)), np.arange(3, dtype=np.float16), [np.arange(2), [3, 4]],
    ],
    ids=lambda d: type(d).__name__,
)  # fmt: skip
def test_tensor_has_numpys_values_and_dtype(data):
    wanted = np.from_dlpack(data) if isinstance(data, WithDLPack) else np.asarray(data)
    t = zen.tensor(data)
    np.testing.assert_array_equal(t.numpy(), wanted)
    assert t.dtype == wanted.dtype.newbyteorder("=") and t.shape == wanted.shape
    assert not t.requires_grad


@pytest.mark.parametrize("wrapped", [lambda a: a, WithArray, WithDLPack, lambda a: zen.from_numpy(a), memoryview])
def test_tensor_copies(wrapped):
    a = np.arange(3.0)
    assert not np.shares_memory(zen.tensor(wrapped(a)).numpy(), a)


def test_tensor_dtype():
    assert zen.tensor([1, 2], dtype=zen.float32).dtype == np.float32
    assert zen.tensor([1.7], dtype="int32").tolist() == [1]
    assert zen.tensor([1.0], dtype=float, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, "a"], "dtype <U"), ("text", "dtype <U4.*str"), (b"bytes", "dtype"), (None, "dtype object.*NoneType"),
        ([1, None], "dtype object.*list"), ({1: 2}, "dtype object.*dict"),
        (np.array([1, "a"], object), "dtype object"), (np.zeros(2, "M8[s]"), "datetime"), ([2**80], "dtype object"),
        (np.zeros(2, np.longdouble), "astype"), (np.zeros(2, [("a", int)]), "dtype"), (object(), "dtype object"),
        ({1, 2}, "dtype object.*set"), (np.ma.masked_array([1.0], [True]), "filled"),
    ],
    ids=lambda d: type(d).__name__,
)  # fmt: skip
@pytest.mark.parametrize("make", [zen.tensor, zen.Tensor, zen.asarray, lambda d: zen.add(zen.ones(2), d)])
def test_values_without_meaning(make, data, words):
    with pytest.raises(TypeError, match=words):
        make(data)


@pytest.mark.parametrize("data", [[[1], [1, 2]], [1, [2]], [np.zeros(2), np.zeros(3)]])
def test_ragged_sequences(data):
    with pytest.raises(ValueError, match="ragged list of length 2.*pad"):
        zen.tensor(data)


@pytest.mark.parametrize("dtype", ["U3", object, np.longdouble, "M8[s]"])
def test_dtypes_without_meaning(dtype):
    for make, argument in ((zen.tensor, [1.0]), (zen.zeros, 2), (zen.eye, 2)):
        with pytest.raises(TypeError, match="cannot hold dtype"):
            make(argument, dtype=dtype)


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
def test_requires_grad_needs_a_floating_dtype(dtype):
    for make in (
        lambda: zen.tensor([1], dtype=dtype, requires_grad=True),
        lambda: zen.zeros(2, dtype=dtype, requires_grad=True),
        lambda: zen.zeros(2, dtype=dtype).requires_grad_(),
    ):
        with pytest.raises(TypeError, match=dtype):
            make()


def test_asarray_shares_where_it_can():
    a = np.arange(3.0)
    assert np.shares_memory(zen.asarray(a).numpy(), a)
    assert not np.shares_memory(zen.asarray(a, copy=True).numpy(), a)
    t = zen.tensor([1.0], requires_grad=True)
    assert zen.asarray(t) is t
    assert zen.asarray(t, copy=True).depends_on(t)
    assert zen.asarray(t, dtype=zen.float32).depends_on(t)
    for data, dtype in (([1.0], None), (a, zen.float32), (t, zen.float32)):
        with pytest.raises(ValueError, match="without a copy"):
            zen.asarray(data, dtype=dtype, copy=False)


def test_from_numpy_shares():
    a = np.arange(3.0)
    t = zen.from_numpy(a)
    a[0] = 5.0
    assert t.tolist() == [5.0, 1.0, 2.0]
    with pytest.raises(TypeError, match="from_numpy.*list"):
        zen.from_numpy([1.0])
    with pytest.raises(TypeError, match="byte order"):
        zen.from_numpy(np.zeros(2, ">f8"))
    with pytest.raises(TypeError, match="complex256"):
        zen.from_numpy(np.zeros(2, np.clongdouble))


def test_from_numpy_of_read_only_memory():
    a = np.arange(3.0)
    a.flags.writeable = False
    t = zen.from_numpy(a)
    with pytest.raises(ValueError, match="read-only.*clone"):
        t[0] = 1.0
    assert (t + 1).tolist() == [1.0, 2.0, 3.0]


def test_from_dlpack_shares():
    a = np.arange(3.0)
    t = zen.from_dlpack(a)
    a[0] = 5.0
    assert t.tolist() == [5.0, 1.0, 2.0]
    with pytest.raises(TypeError, match="__dlpack__"):
        zen.from_dlpack([1.0])


def test_filled():
    assert zen.zeros((2, 3)).numpy().sum() == 0 and zen.zeros(2).dtype == np.float64
    np.testing.assert_array_equal(zen.ones(3, dtype=zen.int32).numpy(), np.ones(3, np.int32))
    assert zen.empty((2, 0)).shape == (2, 0)
    np.testing.assert_array_equal(zen.full((2, 2), 7).numpy(), np.full((2, 2), 7))
    np.testing.assert_array_equal(zen.full((2, 2), [1.0, 2.0]).numpy(), np.full((2, 2), [1.0, 2.0]))
    assert zen.zeros([2, 3]).shape == (2, 3) and zen.zeros(()).shape == ()
    assert zen.zeros(2, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match=r"full.*\(3,\).*\(2,\)"):
        zen.full(2, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("x", [np.zeros((2, 3), np.float32), [[1, 2]], zen.tensor([1.0], requires_grad=True)])
def test_like(x):
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    for make in (zen.zeros_like, zen.ones_like, zen.empty_like, lambda x, **k: zen.full_like(x, 3, **k)):
        assert make(x).shape == shape and not make(x).requires_grad
        assert make(x, dtype=zen.float16).dtype == np.float16
    assert zen.ones_like(x).dtype == dtype


@pytest.mark.parametrize("arguments", [(5,), (2, 5), (0, 1, 0.25), (5, 0, -2), (3, 3), (2.5,), (np.int32(4),)])
def test_arange(arguments):
    wanted = np.arange(*arguments)
    t = zen.arange(*arguments)
    np.testing.assert_array_equal(t.numpy(), wanted)
    assert t.dtype == np.asarray(wanted).dtype


def test_arange_arguments():
    assert zen.arange(3, dtype=zen.float32, requires_grad=True).dtype == np.float32
    for arguments in ((1, 2, 0), (0, np.inf), (np.nan,)):
        with pytest.raises(ValueError, match="arange"):
            zen.arange(*arguments)
    with pytest.raises(TypeError, match="arange"):
        zen.arange("3")


def test_linspace_and_eye():
    np.testing.assert_array_equal(zen.linspace(0, 1, 5).numpy(), np.linspace(0, 1, 5))
    np.testing.assert_array_equal(
        zen.linspace(0, 1, 4, endpoint=False, dtype=zen.float32).numpy(), np.linspace(0, 1, 4, False, dtype=np.float32)
    )
    np.testing.assert_array_equal(zen.eye(3).numpy(), np.eye(3))
    np.testing.assert_array_equal(zen.eye(2, 4, k=1).numpy(), np.eye(2, 4, 1))


@pytest.mark.parametrize("name", ["zeros", "ones", "empty"])
def test_impossible_shapes(name):
    make = getattr(zen, name)
    with pytest.raises(ValueError, match=rf"{name}.*\(2, -1\).*negative"):
        make((2, -1))
    for shape in ((2**40, 2**40), (0, 2**40, 2**40), 2**62):
        with pytest.raises(ValueError, match=f"{name}.*more bytes than can be addressed"):
            make(shape)
    with pytest.raises(TypeError, match=f"{name}.*2.5"):
        make(2.5)
    with pytest.raises(ValueError, match="65 dimensions"):
        make((1,) * 65)


def test_impossible_sizes_elsewhere():
    for make in (lambda: zen.full((-1,), 0.0), lambda: zen.linspace(0, 1, -1), lambda: zen.eye(-1),
                 lambda: zen.arange(2**62), lambda: zen.eye(2**40)):  # fmt: skip
        with pytest.raises(ValueError, match="negative|addressed"):
            make()


def test_random_numbers_repeat_after_a_seed():
    draws = []
    for _ in range(2):
        zen.random.seed(7)
        draws.append([zen.random.normal((2, 3)).tolist(), zen.random.uniform(4, 1.0, 2.0).tolist(),
                      zen.random.integers(5, shape=3).tolist(), zen.random.permutation(6).tolist()])  # fmt: skip
    assert draws[0] == draws[1]
    assert all(1.0 <= x < 2.0 for x in draws[0][1]) and sorted(draws[0][3]) == list(range(6))
    wanted = np.random.default_rng(3).normal(1.0, 2.0, 5)
    made = zen.random.normal(5, 1.0, 2.0, generator=np.random.default_rng(3))
    np.testing.assert_array_equal(made.numpy(), wanted)


def test_random_leaves():
    t = zen.random.normal((), dtype=zen.float32, requires_grad=True)
    assert t.shape == () and t.dtype == np.float32 and t.is_leaf and t.requires_grad
    with pytest.raises(ValueError, match="normal.*negative"):
        zen.random.normal((-1,))

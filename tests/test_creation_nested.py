"""Nested lists and tuples that hold Tensors, and arrays that are more than their values. Values from NumPy."""

import copy
import pickle

import numpy as np
import pytest

import zen
from zen import nn
from zen.testing import check_gradients

MAKERS = [zen.asarray, zen.tensor, zen.Tensor, lambda d: np.array(d, like=zen.zeros(1))]
NESTS = {
    "scalars": lambda a, b, v: [[1.0, a], [b, 0.0]],
    "tuple": lambda a, b, v: (a, b, 3),
    "vectors": lambda a, b, v: [v, [a, b, 1.0], np.arange(3)],
    "deep": lambda a, b, v: [[[a], [b]], [[2], [a]]],
    "twice": lambda a, b, v: [a, a, a],
    "a row of results": lambda a, b, v: [a * b, v[1], v.sum()],
    "vectors alone": lambda a, b, v: [v, v],
    "longer tuple": lambda a, b, v: ([v], (v,)),
}


def leaves():
    return [zen.tensor(x, requires_grad=True) for x in (2.0, -3.0, [0.5, 1.5, 2.5])]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS.keys())
def test_a_nest_has_numpys_values_and_stays_connected(make, nest):
    a, b, v = leaves()
    y = make(nest(a, b, v))
    wanted = np.array(nest(a.value, b.value, v.value))
    np.testing.assert_array_equal(y.value, wanted)
    assert y.dtype == wanted.dtype and y.requires_grad and not y.is_leaf
    assert y.depends_on(a) or y.depends_on(v)


@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS.keys())
def test_derivatives_of_a_nest(nest):
    check_gradients(lambda a, b, v: zen.asarray(nest(a, b, v)) ** 3, [2.0, -3.0, np.array([0.5, 1.5, 2.5])], order=3)


def test_gradient_of_a_rotation():
    """d/dt of |R(t) x + (t, 0)|**2 at t = 0, x = (1, 2): 2 x . ((0, -1; 1, 0) x + (1, 0)) = 2."""

    def length(t):
        rotation = zen.asarray([[zen.cos(t), -zen.sin(t)], [zen.sin(t), zen.cos(t)]])
        return ((rotation @ np.array([1.0, 2.0]) + zen.asarray([t, 0.0])) ** 2).sum()

    assert zen.grad(length)(0.0) == pytest.approx(2.0)
    # |R x|**2 is constant, so the second derivative is that of 2 t (R x)_1 + t**2: 4 (dR x)_1 + 2 = 4 * -2 + 2
    assert zen.grad(zen.grad(length))(0.0) == pytest.approx(-6.0)


@pytest.mark.parametrize("dtypes", [("f4", "f4"), ("f4", "f8"), ("f2", "f4"), ("f4", "i4"), ("f2", "i8"), ("f4", "?")])
def test_dtypes_promote_as_numpys(dtypes):
    parts = [np.ones(2, dtype) for dtype in dtypes]
    tensors = [zen.tensor(p, requires_grad=p.dtype.kind == "f") for p in parts]
    y = zen.asarray(tensors)
    assert y.dtype == np.array(parts).dtype
    assert zen.asarray([tensors[0], [1.0, 2.0]]).dtype == np.array([parts[0], [1.0, 2.0]]).dtype
    y.sum().backward()
    assert tensors[0].grad.dtype == dtypes[0]


def test_dtype_is_chosen():
    a, _, _ = leaves()
    y = zen.tensor([a, 1.0], dtype=zen.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert a.grad.dtype == np.float64 and a.gradient == 1.0


@pytest.mark.parametrize("make", [zen.asarray, zen.tensor, zen.Tensor, zen.f.sum, nn.Parameter, np.sum])
def test_nests_of_tensors_that_require_no_gradient(make):
    nest = [[1.0, zen.tensor(2.0)], zen.tensor([3.0, 4.0])]
    assert zen.sum(make(nest)).item() == 10.0


@pytest.mark.parametrize(
    ("nest", "words"),
    [
        (lambda a, v: [a, [a]], r"part \[1\] has shape \(1,\), but part \[0\] has shape \(\)"),
        (lambda a, v: [[a], [a, 1.0]], r"part \[1\] has shape \(2,\), but part \[0\] has shape \(1,\)"),
        (lambda a, v: [[v, v], [v, a]], r"part \[1\]\[1\] has shape \(\), but part \[1\]\[0\] has shape \(3,\)"),
        (lambda a, v: [v, [1.0, 2.0]], r"part \[1\] has shape \(2,\), but part \[0\] has shape \(3,\)"),
    ],
)
@pytest.mark.parametrize("make", [zen.asarray, zen.tensor, zen.Tensor])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_ragged_nests_say_where(make, nest, words, requires_grad):
    a, v = zen.tensor(1.0, requires_grad=requires_grad), zen.tensor([1.0, 2.0, 3.0], requires_grad=requires_grad)
    with pytest.raises(ValueError, match=rf"ragged list of length 2: {words}; pad"):
        make(nest(a, v))


@pytest.mark.parametrize("other", ["text", None, object()])
def test_nests_of_what_is_no_number(other):
    a, _, _ = leaves()
    for make in (zen.asarray, zen.tensor, zen.Tensor):
        with pytest.raises(TypeError, match="list of length 2.*dtype"):
            make([a, other])


def test_what_makes_a_leaf_says_so():
    a, _, _ = leaves()
    for make, words in (
        (lambda: zen.tensor([a], requires_grad=True), "requires_grad=True makes a leaf.*detach"),
        (lambda: zen.Tensor([a], trainable=False), "trainable=False would cut off.*detach"),
        (lambda: nn.Parameter([a, 1.0]), "Parameter: the data holds Tensors.*detach"),
        (lambda: nn.Buffer([a, 1.0]), "Buffer: the data holds Tensors.*detach"),
        (lambda: zen.tensor(a), r"t\.clone\(\) for a copy.*detach"),
        (lambda: zen.full(2, a, requires_grad=True), "gradient.*detach"),
    ):
        with pytest.raises(RuntimeError, match=words):
            make()
    with pytest.raises(ValueError, match="without a copy"):
        zen.asarray([a], copy=False)
    with zen.no_grad():
        assert zen.asarray([a, 1.0]).tolist() == [2.0, 1.0] and not zen.tensor([a, 1.0]).requires_grad
    assert zen.tensor([a.detach()], requires_grad=True).is_leaf


def test_a_nest_is_an_operand_everywhere():
    a, b, v = leaves()
    (zen.linalg.det([[a, b], [1.0, 2.0]]) + zen.f.sum([v, v]) + zen.dot([a, b, 0.0], v)).backward()
    np.testing.assert_allclose([a.gradient, b.gradient], [2.0 + 0.5, -1.0 + 1.5])
    np.testing.assert_array_equal(v.gradient, [2 + 2, 2 - 3, 2])


def test_full_is_differentiable_in_its_value():
    a, _, v = leaves()
    y = zen.full((2, 3), v) * zen.full_like(zen.zeros((2, 3)), a) + np.full((2, 3), 1.0, like=a)
    np.testing.assert_array_equal(y.value, np.full((2, 3), v.value) * 2 + 1)
    y.sum().backward()
    np.testing.assert_array_equal(v.gradient, [4.0] * 3)
    assert a.gradient == 2 * 4.5
    y[0, 0] = 7.0  # its memory is its own
    assert y.value[1, 0] == 2.0


# Masked arrays and matrices: what is more than its values is refused, not stripped

M = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
MI = np.ma.masked_array([0, 1, 2], [False, True, False])
MB = np.ma.masked_array([True, False, True], [False, True, False])
ENTRIES = {
    "tensor": lambda t: zen.tensor(M), "Tensor": lambda t: zen.Tensor(M), "asarray": lambda t: zen.asarray(M),
    "from_numpy": lambda t: zen.from_numpy(M), "from_dlpack": lambda t: zen.from_dlpack(M),
    "a list": lambda t: zen.tensor([M, M]), "the constant": lambda t: zen.tensor([1.0, np.ma.masked]),
    "a nest": lambda t: zen.asarray([t, M]), "full": lambda t: zen.full(3, M), "like": lambda t: zen.zeros_like(M),
    "arange": lambda t: zen.arange(np.ma.masked), "Parameter": lambda t: nn.Parameter(M),
    "operand": lambda t: t + M, "power": lambda t: t**M, "matmul": lambda t: t @ M, "comparison": lambda t: t < M,
    "in place": lambda t: t.detach().__iadd__(M), "setitem": lambda t: t.detach().__setitem__(slice(None), M),
    "key": lambda t: t[MI], "mask": lambda t: t[MB], "written mask": lambda t: t.detach().__setitem__(MB, 0.0),
    "key in a list": lambda t: t[[0, np.ma.masked]], "copy_": lambda t: t.detach().copy_(M),
    "value": lambda t: setattr(t, "value", M), "gradient": lambda t: setattr(t, "gradient", M),
    "sum": lambda t: zen.f.sum(M), "exp": lambda t: zen.exp(M), "softmax": lambda t: zen.f.softmax(M, axis=0),
    "concat": lambda t: zen.concat([t, M]), "where": lambda t: zen.where(MB, t, t), "clip": lambda t: zen.clip(t, M),
    "take": lambda t: zen.take(t, MI), "repeat": lambda t: zen.repeat(t, MI), "pad": lambda t: zen.pad(t, MI[:2]),
    "einsum": lambda t: zen.einsum("i,i", t, M), "isclose": lambda t: zen.isclose(t, M), "dot": lambda t: t.dot(M),
    "solve": lambda t: zen.linalg.solve(zen.eye(3), M), "sort": lambda t: zen.sort(M),
    "np.add": lambda t: np.add(t, M), "np.add on the left": lambda t: np.add(M, t), "np.sum": lambda t: np.dot(t, M),
    "np.concatenate": lambda t: np.concatenate([M, t]), "np.where": lambda t: np.where(MB, t, t),
    "np.isclose": lambda t: np.isclose(t, M), "np.take": lambda t: np.take(t, MI),
    "np.interp": lambda t: np.interp(M, t.detach(), t.detach()), "np.append": lambda t: np.append(t.detach(), M),
    "cross_entropy": lambda t: zen.f.cross_entropy(zen.ones((3, 3)), MI), "mse_loss": lambda t: zen.f.mse_loss(t, M),
    "embedding": lambda t: zen.f.embedding(MI, zen.ones((3, 2))), "backward": lambda t: (t * 2).backward(M),
    "grad": lambda t: zen.grad(lambda z: (z * z).sum())(M), "vjp": lambda t: zen.vjp(lambda z: z * 2, M),
    "jvp": lambda t: zen.jvp(lambda z: z, (np.ones(3),), (M,)), "module": lambda t: nn.Linear(3, 2)(M),
    "dataset": lambda t: zen.data.TensorDataset(M), "loader": lambda t: list(zen.data.DataLoader([M, M], batch_size=2)),
}  # fmt: skip


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("enter", ENTRIES.values(), ids=ENTRIES.keys())
def test_masked_arrays_are_refused(enter, requires_grad):
    t = zen.tensor([1.0, 2.0, 3.0], requires_grad=requires_grad)
    if enter in (ENTRIES["backward"], ENTRIES["gradient"]) and not requires_grad:
        return
    with pytest.raises(TypeError, match=r"masked array would lose its mask; use its filled\(\) values"):
        enter(t)
    assert t.value.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrices_are_refused():
    x, t = np.matrix([[1.0, 2.0], [3.0, 4.0]]), zen.ones((2, 2))
    for enter in (
        lambda: zen.tensor(x), lambda: t + x, lambda: x * t, lambda: t @ x, lambda: zen.exp(x), lambda: zen.f.sum(x),
        lambda: t.copy_(x), lambda: t[np.matrix([[0, 1]])], lambda: zen.concat([x, t]), lambda: np.add(x, t),
        lambda: zen.tensor([x, x]),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"numpy\.matrix would lose.*asarray\(matrix\).*@"):
            enter()
    np.testing.assert_array_equal((t @ np.asarray(x)).numpy(), [[4.0, 6.0], [4.0, 6.0]])


def test_other_kinds_of_arrays_are_taken_as_numpy_takes_them():
    class Mine(np.ndarray):
        pass

    a = np.arange(3.0).view(Mine)
    for x in (a, memoryview(np.arange(3.0))):
        np.testing.assert_array_equal(zen.tensor(x).numpy(), np.asarray(x))
    np.testing.assert_array_equal((zen.ones(3) * a).numpy(), [0.0, 1.0, 2.0])
    assert zen.tensor([5.0, 6.0, 7.0])[np.arange(2).view(Mine)].tolist() == [5.0, 6.0]


# Copies


class Weight(zen.Tensor):
    def __init__(self, name, values):
        super().__init__(values)
        self.name, self.history = name, [1, 2]


class Slotted(zen.Tensor):
    __slots__ = ("unit",)


class Named(nn.Parameter):
    def __init__(self, name, size):
        super().__init__(np.ones(size))
        self.name = name


def pickled(t):
    return pickle.loads(pickle.dumps(t))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled, lambda t: pickle.loads(pickle.dumps(t, 0))])
def test_copies_keep_the_subclass_and_what_it_holds(copied):
    weight, named, slotted = Weight("w", [1.0, 2.0]), Named("p", 3), Slotted([1, 2], trainable=False)
    slotted.unit = "m"
    for t in (weight, named, slotted):
        made = copied(t)
        assert type(made) is type(t) and made.requires_grad == t.requires_grad and made.dtype == t.dtype
        np.testing.assert_array_equal(made.value, t.value)
        assert not np.shares_memory(made.value, t.value)
    assert copied(weight).name == "w" and copied(weight).history == [1, 2] and copied(slotted).unit == "m"
    assert copied(named).name == "p" and isinstance(copied(named), nn.Parameter)
    assert (copied(weight).history is weight.history) == (copied is copy.copy)
    assert type(copied(nn.Buffer([1], persistent=False))) is nn.Buffer
    assert copied(nn.Buffer([1], persistent=False)).persistent is False


def test_deepcopy_and_pickle_of_a_tensor_that_holds_itself():
    w = Weight("w", [1.0])
    w.history = [w]
    for made in (copy.deepcopy(w), pickled(w)):
        assert made.history[0] is made and made is not w


class Counted(zen.Tensor):
    count = 7

    def __getstate__(self):
        return {"count": self.count}

    def __setstate__(self, state):
        self.count = state["count"] + 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_subclass_with_its_own_state_restores_it(copied):
    assert copied(Counted([1.0])).count == 8

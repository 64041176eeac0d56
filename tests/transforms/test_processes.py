"""What a transform returns goes to other processes and threads when its function does, and so do results and errors."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import zen
from zen import nn

X = np.array([0.5, 2.0])


def square(x, scale=1.0):
    return (x * x * scale).sum()


def with_aux(x):
    return (x**3).sum(), {"first": x[0]}


def plain(x):
    return x * np.sin(x)


def cube(x):
    return x**3


def pull(g, out, x):
    return 3 * x * x * g


def push(primals, tangents):
    (x,), (t,) = primals, tangents
    return x**3, 3 * x**2 * t


def fails(x):
    return (x @ np.ones((3, 3))).sum()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        zen.random.seed(0)
        self.layer = nn.Linear(2, 1).double()

    def forward(self, x):
        return zen.tanh(self.layer(x)).sum()


NET = Net()
MADE = {
    "grad": zen.grad(square), "value_and_grad": zen.value_and_grad(square, has_aux=False),
    "grad with aux": zen.grad(with_aux, has_aux=True), "jacobian": zen.jacobian(plain),
    "jacobian with aux": zen.jacobian(with_aux, has_aux=True), "jacfwd": zen.jacfwd(plain),
    "jacrev": zen.jacrev(plain, chunk_size=1), "value_and_jacobian": zen.value_and_jacobian(plain),
    "hessian": zen.hessian(square), "value_and_hessian": zen.value_and_hessian(square),
    "hessian_diag": zen.hessian_diag(square), "vmap": zen.vmap(plain, in_axes=0, out_axes=0, chunk_size=1),
    "checkpoint": zen.checkpoint(plain), "custom_vjp": zen.custom_vjp(cube, pull),
    "custom_jvp": zen.custom_jvp(cube, push), "grad of grad": zen.vmap(zen.grad(zen.grad(zen.checkpoint(np.exp)))),
    "jacrev of a custom one": zen.jacrev(zen.custom_vjp(cube, pull)), "jacfwd of grad": zen.jacfwd(zen.grad(square)),
    "hessian of a custom one": zen.jacfwd(zen.custom_jvp(cube, push)), "a module": zen.grad(NET),
    "a module's Hessian": zen.hessian(NET), "a method": zen.grad(NET.forward),
    "unravel": zen.ravel_tree({"a": 1.0, "b": [np.zeros(1)]})[1],
}  # fmt: skip


def numbers(tree):
    return [np.asarray(getattr(x, "value", x)) for x in zen.ravel_tree(tree)[0].reshape(-1)]


def outcome(f, x):
    return numbers(f(x))


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("name", list(MADE))
@pytest.mark.parametrize("again", [lambda f: pickle.loads(pickle.dumps(f)), copy.copy, copy.deepcopy],
                         ids=["pickled", "copied", "deep"])  # fmt: skip
def test_a_copy_does_the_same(name, again):
    np.testing.assert_array_equal(outcome(again(MADE[name]), X), outcome(MADE[name], X))


@pytest.mark.filterwarnings("ignore:vmap")
def test_another_process_does_the_same():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = {name: pool.submit(outcome, f, X) for name, f in MADE.items()}
        tensor = pool.submit(zen.grad(square), zen.tensor(X))
        bad = pool.submit(zen.grad(fails), X)
        lost = pool.submit(zen.custom_vjp(cube, pull), X, y=zen.tensor(1.0))
        late = pool.submit(zen.checkpoint, 3)
        for name, future in found.items():
            np.testing.assert_array_equal(future.result(), outcome(MADE[name], X), err_msg=name)
        assert isinstance(tensor.result(), zen.Tensor) and tensor.result().tolist() == [1.0, 4.0]
        with pytest.raises(ValueError, match=r"matmul.*\(2,\).*\(3, 3\)"):
            bad.result()
        with pytest.raises(TypeError, match="a Tensor as a keyword argument"):
            lost.result()
        with pytest.raises(TypeError, match="checkpoint: expected a function, not int"):
            late.result()


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib(backend):
    joblib = pytest.importorskip("joblib")
    calls = [joblib.delayed(outcome)(f, X) for f in MADE.values()]
    found = joblib.Parallel(n_jobs=2, backend=backend)(calls)
    for name, value in zip(MADE, found, strict=True):
        np.testing.assert_array_equal(value, outcome(MADE[name], X), err_msg=name)


@pytest.mark.filterwarnings("ignore:vmap")
def test_threads():
    expected = {name: outcome(f, X) for name, f in MADE.items()}
    with ThreadPoolExecutor(4) as pool:
        found = [(name, pool.submit(outcome, f, X)) for _ in range(10) for name, f in MADE.items()]
        for name, future in found:
            np.testing.assert_array_equal(future.result(), expected[name], err_msg=name)


def test_threads_with_aux():
    f = zen.jacobian(lambda x: (x * x, x.sum()), has_aux=True)
    with ThreadPoolExecutor(4) as pool:
        for k, (found, aux) in enumerate(pool.map(f, [X + k for k in range(50)])):
            np.testing.assert_allclose(found, np.diag(2 * (X + k)))
            assert aux == (X + k).sum()


@pytest.mark.parametrize("name", ["vjp", "linearize"])
def test_what_belongs_to_a_graph_says_so(name):
    _, made = getattr(zen, name)(plain, X)
    for same in (copy.copy(made), copy.deepcopy(made)):
        assert same is made and repr(made) == f"<the function that zen.{name} returned>"
    with pytest.raises(
        TypeError, match=f"{name}: the function that it returned belongs to a graph.*call zen.{name} in"
    ):
        pickle.dumps(made)


def test_errors_pickle():
    for error in (zen.data.idx.IDXError("what") if hasattr(zen.data, "idx") else ValueError("what"),
                  zen.batched.Unbatched("what")):  # fmt: skip
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == "what"

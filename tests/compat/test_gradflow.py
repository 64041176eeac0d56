"""`zen.compat.gradflow`: what the original's own tests ask, and the names it promises."""

import logging
import operator

import numpy as np
import pytest
from composite import Composite

from zen.compat.gradflow import Variable, init_logger, layers
from zen.compat.gradflow.activations.common import relu, sigmoid, softmax, tanh
from zen.compat.gradflow.data import Dataset
from zen.compat.gradflow.data_containers import DataContainerBase, GPUDataContainer, NumpyDataContainer
from zen.compat.gradflow.grad_engine import Device
from zen.compat.gradflow.layers import Linear, Module
from zen.compat.gradflow.optimizers import Adam, BaseOptimizer, NaiveSGD
from zen.compat.gradflow.utils import grad_enabled, no_grad, set_grad_enabled


def variable(*values, dtype=np.float64):
    return Variable(np.array(values, dtype), requires_grad=True)


def numerical(function, array):
    """Central differences of a function of the array, which is changed in place."""
    found = np.zeros_like(array)
    for k in np.ndindex(array.shape):
        kept, h = array[k], 1e-6
        array[k] = kept + h
        above = function()
        array[k] = kept - h
        found[k] = (above - function()) / (2 * h)
        array[k] = kept
    return found


# Variable


def test_data_is_shared_by_copies():
    one = Variable(np.array([10, 20]))
    assert Variable(one).data is one.data and Variable(one.data).data is one.data
    container = NumpyDataContainer(np.array([1, 2]))
    assert NumpyDataContainer(container).data is container.data


def test_data_of_other_types_is_refused():
    with pytest.raises(TypeError, match="data type provided is not supported: <class 'list'>"):
        Variable([1, 2])


@pytest.mark.parametrize(
    "operation, expected, gradients",
    [
        (operator.add, [40, 60], ([1, 1], [1, 1])),
        (operator.sub, [-20, -20], ([1, 1], [-1, -1])),
        (lambda a, b: a @ b.T(), 1100, ([30, 40], [10, 20])),
    ],
)
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_operators(operation, expected, gradients, dtype):
    a, b = variable(10, 20, dtype=dtype), variable(30, 40, dtype=dtype)
    result = operation(a, b)
    result.backward(np.ones_like(result.data.data))
    assert np.all(result.data == np.array(expected)) and result.requires_grad and result.parents[0] is a
    assert np.array_equal(a.grad, gradients[0]) and np.array_equal(b.grad, gradients[1])
    assert a.grad.dtype == (np.float64 if dtype == np.int64 else dtype)
    constant = operation(Variable(np.array([10, 20])), Variable(np.array([30, 40])))
    assert np.all(constant.data == np.array(expected)) and not constant.requires_grad
    assert constant.data.data.dtype.kind == "i" and constant.grad is None


def test_operands_must_be_variables():
    for operation in (operator.add, operator.sub, operator.matmul):
        with pytest.raises(TypeError, match="second operator must be a Variable"):
            operation(variable(1.0), 2.0)
    with pytest.raises(TypeError, match="exponent must be a scalar integer"):
        variable(1.0) ** 0.5


def test_requires_grad_resets_the_gradient():
    v = Variable(np.array([1.0]))
    assert v.grad is None
    v.requires_grad = True
    assert v.grad == 0.0
    (v @ v).backward()
    v.requires_grad = False
    assert v.grad is None and not (v + v).requires_grad


def test_intermediates_have_gradients_and_passes_add_up():
    x = variable(1.0, 2.0)
    y = x + x
    z = y @ y
    z.backward()
    assert np.array_equal(y.grad, [4, 8]) and np.array_equal(x.grad, [8, 16]) and z.grad == 1
    (y + y).backward(np.array([1.0, 0.0]))
    assert np.array_equal(x.grad, [12, 16])


def test_what_backward_starts_from():
    v = variable(1.0, 2.0)
    v.backward(np.array([3]))
    assert np.array_equal(v.grad, [3, 3])
    y = v @ v
    y.backward(np.array([1]))  # a single number has no axis, the gradient has one
    assert y.grad.shape == () and np.array_equal(v.grad, [5, 7])


def test_backward_refuses_what_it_cannot_use():
    v = variable(1.0, 2.0)
    with pytest.raises(ValueError, match="must be a numpy array or a Variable, not int"):
        v.backward(1)
    with pytest.raises(ValueError, match=r"shape \(3,\) does not fit the shape \(2,\)"):
        v.backward(np.ones(3))
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        Variable(np.ones(1)).backward()


def test_an_operation_with_its_own_back_grad_fn():
    def cube(v):
        out = Variable(v.data.data**3, parents=(v, v))

        def _back_grad_fn():
            v.grad += 3 * v.data.data**2 * out.grad

        out._back_grad_fn = _back_grad_fn
        out.requires_grad = True
        return out

    x = variable(1.0, 2.0)
    y = cube(x) + x
    (cube(y) @ Variable(np.ones(2))).backward()
    inner = 3 * np.array([2.0, 10.0]) ** 2
    assert np.allclose(y.grad, inner) and np.allclose(x.grad, inner * (3 * np.array([1.0, 4.0]) + 1))
    z = variable(1.001)
    top = z
    for _ in range(3):
        top = cube(top)
    top.backward()
    assert np.allclose(z.grad, 27 * 1.001**26)


def test_an_own_gradient_of_a_wrong_shape():
    x = variable(1.0, 2.0)
    y = Variable(x.data.data, parents=(x,), requires_grad=True)

    def wrong():
        x.grad += np.ones(3)

    y._back_grad_fn = wrong
    with pytest.raises(ValueError, match=r"shape \(3,\) does not fit a value of shape \(2,\)"):
        y.backward()
    assert np.all(x.grad == 0.0)


def test_a_long_chain():
    x = variable(1.0)
    y = x
    for _ in range(5000):
        y = y + x
    y.backward()
    assert x.grad == 5001


def test_devices():
    v = Variable(np.array([1, 2]), device=Device.CPU.value)
    assert v.to("cpu") is v and repr(v) == "Variable([1 2], requires_grad=False, device=cpu)"
    with pytest.raises(ImportError, match="no GPU"):
        v.to("gpu")
    with pytest.raises(ImportError, match="no GPU"):
        GPUDataContainer(np.ones(1))
    with pytest.raises(ValueError, match="Unsupported device"):
        v.to("tpu")
    v.device = "gpu"
    with pytest.raises(ValueError, match="same device"):
        v + Variable(np.array([1, 2]))
    with pytest.raises(ValueError, match="Input data device gpu"):
        Linear(2, 1)(v)


# Activations


@pytest.mark.parametrize("function", [relu, sigmoid, tanh, softmax])
@pytest.mark.parametrize("shape", [(3,), (4, 3)])
def test_activations(function, shape):
    generator = np.random.default_rng(0)
    x = Variable(generator.normal(size=shape), requires_grad=True)
    weights = generator.normal(size=shape)
    function(x).backward(weights)
    expected = numerical(lambda: (function(Variable(x.data)).data.data * weights).sum(), x.data.data)
    assert np.allclose(x.grad, expected, atol=1e-8)


def test_values_of_activations():
    x = np.array([-10.0, 10.0, 20.0])
    assert np.array_equal(relu(Variable(x)).data.data, [0, 10, 20])
    assert np.allclose(sigmoid(Variable(x)).data.data, 1 / (1 + np.exp(-x)))
    assert np.allclose(tanh(Variable(x)).data.data, np.tanh(x))
    assert np.allclose(softmax(Variable(x)).data.data, np.exp(x) / np.exp(x).sum())


# Modules


def test_linear_layer():
    layer = Linear(in_size=2, out_size=2)
    layer.weights.data.data = np.ones((2, 2))
    layer.b.data.data = np.ones(2)
    assert np.all(layer(Variable(np.array([10, 20]))).data == np.array([31, 31]))
    np.random.seed(3)
    drawn = np.random.uniform(size=6).reshape(2, 3), np.random.uniform(size=3)
    np.random.seed(3)
    layer = Linear(2, 3)
    assert np.array_equal(layer.weights.data.data, drawn[0]) and np.array_equal(layer.b.data.data, drawn[1])


def test_parameters_and_modules():
    inner, one, two = Linear(2, 2), variable(1.0), variable(2.0)
    outer = Composite(inner)
    assert outer.add_parameter(one) is one and outer.add_parameter(two) is two
    assert outer.parameters == [one, two, inner.weights, inner.b] and outer.modules == [inner]
    assert outer.to("cpu") is None and layers.Linear is Linear


def test_a_module_needs_forward():
    with pytest.raises(TypeError, match="abstract"):
        Module()


def test_a_cycle_raises():
    inner = Composite()
    outer = Composite(Composite(inner))
    inner.add_module(outer)
    with pytest.raises(RecursionError, match="cycle detected: a Composite contains itself"):
        outer.parameters  # noqa: B018 - the property raises


# Optimisers


def test_gradients_are_clipped():
    v = variable(0.0, 0.0, 0.0)
    v.backward(np.array([5e3, -5e3, 2.0]))
    NaiveSGD([v], lr=0.01).step()
    assert np.allclose(v.data.data, [-10, 10, -0.02])


def test_adam():
    """Against the algorithm, written out."""
    v = variable(1.0, -2.0)
    optimizer = Adam([v], lr=0.1)
    x, m, s = np.array([1.0, -2.0]), 0.0, 0.0
    for t in range(1, 6):
        optimizer.zero_grad()
        (v @ v).backward()
        optimizer.step()
        m, s = 0.9 * m + 0.1 * 2 * x, 0.999 * s + 0.001 * 4 * x * x
        x = x - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    assert np.allclose(v.data.data, x, rtol=1e-12) and optimizer.t == 5


def test_optimisers_in_general():
    v, constant = variable(1.0), Variable(np.array([1.0]))
    optimizer = NaiveSGD(iter([v, constant]))
    (v + constant).backward()
    optimizer.step()
    optimizer.zero_grad()
    assert v.data.data == 0.999 and constant.data.data == 1 and v.grad == 0 and isinstance(optimizer, BaseOptimizer)
    for lr in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="Invalid learning rate"):
            Adam([v], lr=lr)


# Data, containers, utils


def test_dataset():
    features, labels = np.random.default_rng(0).random((10, 5)), np.arange(10)
    dataset = Dataset(features, labels, 2)
    assert len(dataset) == 5 and dataset[0][0].data.shape == (2, 5)
    assert np.all(dataset[0][0].data == features[:2]) and np.all(dataset[-1][1].data == labels[8:])
    with pytest.raises(IndexError, match="batch 10 is out of range: the data set has 5 batches of 2"):
        dataset[10]
    iter(dataset)
    assert np.all(next(dataset)[1].data == labels[:2]) and np.all(next(dataset)[1].data == labels[2:4])
    with pytest.raises(ValueError, match="10 features, but 9 labels"):
        Dataset(features, labels[1:])
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Dataset(features, labels, 0)


def test_containers():
    a, b = NumpyDataContainer(np.array([1.0, 4.0])), NumpyDataContainer(np.array([3.0, 4.0]))
    for made, expected in [
        (a + b, [4, 8]), (a - 1, [0, 3]), (1 - a, [0, -3]), (a * b, [3, 16]), (a**2, [1, 16]), (-a, [-1, -4]),
        (a @ b, 19), (a.max(), 4), (a.exp(), np.exp([1, 4])), (a.T(), [1, 4]), (np.ones(2) + a, [2, 5]),
    ]:  # fmt: skip
        assert isinstance(made, DataContainerBase) and np.all(made == np.array(expected))
    for found, expected in [
        (a == b, [0, 1]), (a != b, [1, 0]), (a <= b, [1, 1]), (a >= b, [0, 1]), (a < b, [1, 0]), (a > 2, [0, 1]),
    ]:  # fmt: skip
        assert np.array_equal(found, np.array(expected, bool))
    assert a.max().item() == 4 and a.shape == (2,) and a.ndim == 1 and repr(a) == "NumpyDataContainer(array([1., 4.]))"


def test_no_grad():
    one = Variable(np.array([10, 20]), requires_grad=True)
    with no_grad():
        two = Variable(one)
        three = one + two
    four = one + two
    assert not two.requires_grad and not three.requires_grad and four.requires_grad
    set_grad_enabled(False)
    try:
        assert not grad_enabled() and not (one + one).requires_grad
    finally:
        set_grad_enabled()
    assert grad_enabled()


def test_logger():
    logger = logging.getLogger("gradflow")
    before = list(logger.handlers), logger.level
    try:
        init_logger()
        init_logger()
        assert len(logger.handlers) == 1 and logger.level == logging.INFO
    finally:
        logger.handlers, logger.level = before


def test_what_a_base_class_leaves_open_says_so():
    class Asking(Module):
        def forward(self, input):
            return super().forward(input)

    class Idle(BaseOptimizer):
        def step(self):
            super().step()

    with pytest.raises(NotImplementedError, match="Asking does not define forward"):
        Asking()(variable([1.0]))
    with pytest.raises(NotImplementedError, match="Idle does not define step"):
        Idle([variable([1.0])]).step()

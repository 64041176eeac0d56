"""The original gradflow's bugs, as its docstring here lists them: one test for each."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from composite import Composite

import zen.compat.gradflow as gradflow
from zen.compat.gradflow import Variable
from zen.compat.gradflow.activations import relu, sigmoid, softmax, tanh
from zen.compat.gradflow.data import Dataset
from zen.compat.gradflow.data_containers import NumpyDataContainer
from zen.compat.gradflow.layers import Linear
from zen.compat.gradflow.optimizers import NaiveSGD
from zen.compat.gradflow.utils import grad_enabled, no_grad


def variable(values):
    return Variable(np.array(values, dtype=np.float64), requires_grad=True)


def test_every_listed_bug_has_its_test():
    listed = re.findall(r"^- (\w+):", gradflow.__doc__, re.MULTILINE)
    here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert len(listed) == len(set(listed)) and set(listed) == here - {"every_listed_bug_has_its_test"}


def test_queue_order():
    x = variable([1.0])
    a = x + x
    (a + a).backward()
    assert x.grad == 4


def test_a_second_pass():
    x = variable([3.0])
    y = x + x
    y.backward()
    (y @ y).backward()  # d/dx of 4 x^2 is 8 x, on top of the first pass's 2
    assert x.grad == 26


def test_an_update_between_passes():
    x, w = variable([1.0, 2.0]), variable([3.0, 4.0])
    y = x @ w
    w.data = w.data + np.array([10.0, 10.0])
    y.backward()
    assert np.array_equal(x.grad, [3, 4])


def test_matmul_gradients_elementwise():
    a, b = variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), variable([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]])
    g = np.arange(9.0).reshape(3, 3)
    (a @ b).backward(g)
    assert np.array_equal(a.grad, g @ b.data.data.T) and np.array_equal(b.grad, a.data.data.T @ g)


def test_bias_gradients_not_reduced():
    layer = Linear(2, 3)
    layer(Variable(np.ones((5, 2)))).backward()
    assert np.array_equal(layer.b.grad, [5, 5, 5]) and layer.weights.grad.shape == (2, 3)


def test_power_returns_none():
    x = variable([2.0, 3.0])
    y = x**3
    y.backward(np.array([1.0, 10.0]))
    assert np.array_equal(y.data.data, [8, 27]) and np.array_equal(x.grad, [12, 270]) and y.parents == (x,)


def test_transpose_of_the_gradient():
    x = variable([[1.0, 2.0, 3.0]])
    g = np.array([[4.0], [5.0], [6.0]])
    x.T().backward(g)
    assert np.array_equal(x.grad, g.T)
    constant = Variable(np.ones((1, 3)))
    (x + constant.T().T()).backward()
    assert constant.grad is None


def test_backward_with_a_variable():
    x = variable([1.0, 2.0])
    (x + x).backward(Variable(np.array([1.0, 5.0])))
    assert np.array_equal(x.grad, [2, 10])


def test_relu_transposes():
    x = variable([[1.0, -1.0, 2.0], [-3.0, 4.0, -5.0]])
    relu(x).backward(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(x.grad, [[0, 0, 2], [0, 4, 0]])


def test_activations_under_no_grad():
    with no_grad():
        for function in (relu, sigmoid, tanh, softmax):
            assert not function(variable([1.0, 2.0])).requires_grad


def test_tanh_raises():
    x = variable([0.5])
    y = tanh(x)
    y.backward()
    assert np.allclose(y.data.data, np.tanh(0.5)) and np.allclose(x.grad, 1 - np.tanh(0.5) ** 2)


def test_softmax_has_no_gradient():
    x = variable([0.0, np.log(3.0)])
    softmax(x).backward(np.array([1.0, 0.0]))
    assert np.allclose(x.grad, [3 / 16, -3 / 16])


def test_sigmoid_overflows():
    x = variable([-1000.0, 1000.0])
    y = sigmoid(x)  # warnings are errors
    y.backward()
    assert np.array_equal(y.data.data, [0, 1]) and np.array_equal(x.grad, [0, 0])


def test_sgd_transposes_updates():
    w = variable(np.zeros((2, 3)))
    g = np.arange(6.0).reshape(2, 3)
    (w + Variable(np.zeros((2, 3)))).backward(g)
    NaiveSGD([w], lr=1.0).step()
    assert np.array_equal(w.data.data, -g)


def test_zero_grad_before_backward():
    w = variable([1.0, 2.0])
    optimizer = NaiveSGD([w])
    optimizer.zero_grad()
    assert np.array_equal(w.grad, [0, 0])
    optimizer.step()
    assert np.array_equal(w.data.data, [1, 2])


def test_dataset_skips_samples():
    dataset = Dataset(np.arange(100.0), np.arange(100.0), batch_size=16)
    seen = np.concatenate([labels.data.data for _, labels in dataset])
    assert np.array_equal(seen, np.arange(100))


def test_dataset_index_ignored():
    dataset = Dataset(np.arange(10.0), np.arange(10.0), batch_size=2)
    assert np.array_equal(dataset[3][0].data.data, [6, 7]) and np.array_equal(dataset[0][0].data.data, [0, 1])


def test_dataset_drops_the_rest():
    dataset = Dataset(np.arange(10.0), np.arange(10.0), batch_size=4)
    assert len(dataset) == 3 and np.array_equal(dataset[2][1].data.data, [8, 9])


def test_dataset_nested_iteration():
    dataset = Dataset(np.arange(6.0), np.arange(6.0), batch_size=2)
    assert sum(1 for _ in dataset for _ in dataset) == 9


def test_no_grad_after_an_exception():
    with pytest.raises(ZeroDivisionError), no_grad(), no_grad():
        1 / 0  # noqa: B018 - it raises
    assert grad_enabled() and (variable([1.0]) + variable([1.0])).requires_grad


def test_grad_enabled_in_threads():
    found = []
    thread = threading.Thread(target=lambda: found.append((variable([1.0]) ** 2).requires_grad))
    thread.start()
    thread.join()
    assert found == [True]


def in_a_fresh_process(code):
    root = Path(gradflow.__file__).parents[3]
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout


@pytest.fixture(scope="module")
def fresh_import():
    return in_a_fresh_process(
        "import sys, logging; sys.modules['turtle'] = None; import zen.compat.gradflow.layers.linear;"
        "root = logging.getLogger(); print(root.handlers, root.level)"
    )


def test_import_by_luck(fresh_import):
    assert fresh_import


def test_stray_import_from_turtle(fresh_import):
    assert fresh_import  # where turtle cannot be imported


def test_import_configures_logging(fresh_import):
    assert fresh_import.split() == ["[]", "30"]


def test_module_repr_raises():
    assert repr(Linear(1, 1)) == "Module"
    assert repr(Composite(Linear(1, 1), Linear(1, 1))).split() == ["Module", "Children", "modules:", "Module", "Module"]


def test_shared_module_is_no_cycle():
    shared = Linear(1, 1)
    assert Composite(Composite(shared), shared).parameters == [shared.weights, shared.b]


def test_shared_parameters_step_twice():
    w = variable([1.0])
    (w + w).backward()
    NaiveSGD([w, w], lr=0.1).step()
    assert np.allclose(w.data.data, 0.8)


def test_containers_of_plain_arrays():
    container = NumpyDataContainer(np.array([1.0, 2.0]))
    assert np.mean(np.asarray(container)) == 1.5 and len(container) == 2 and container[1] == 2
    assert isinstance(2 * container * np.array([1.0, 3.0]), NumpyDataContainer)
    assert np.array(container, copy=True) is not container.data

"""The gradflow library on zen's engine: its modules, classes and names. None of its parts differentiates by itself.

Importing this package loads all of gradflow's submodules, so a program written for gradflow runs once they are known
by its name:

>>> import sys
>>> import zen.compat.gradflow
>>> for name, module in list(sys.modules.items()):
...     if name.startswith("zen.compat.gradflow"):
...         sys.modules[name.removeprefix("zen.compat.")] = module
>>> from gradflow import Variable
>>> from gradflow.activations import relu
>>> x = Variable(np.array([1.0, -2.0, 3.0]), requires_grad=True)
>>> y = relu(x)
>>> (y @ y).backward()
>>> x.grad
array([2., 0., 6.])

Bugs of the original that are fixed, by the names of their tests in `tests/compat/test_gradflow_bugs.py`:

- queue_order: nodes passed their gradient on in queue order, before it was complete (8 instead of 4).
- a_second_pass: a second pass handed on, once more, what the intermediates had accumulated in the first.
- an_update_between_passes: gradients used the values at the time of the backward pass, not those of the forward pass.
- matmul_gradients_elementwise: the gradients of `@` were elementwise products.
- bias_gradients_not_reduced: the gradient of a broadcast operand kept the shape of the result.
- power_returns_none: `**` computed its result and returned None.
- transpose_of_the_gradient: `T()` handed its gradient on untransposed, and raised for a constant.
- backward_with_a_variable: `backward(v)` started from the gradient of v instead of its values.
- relu_transposes: relu transposed its mask, so that a batch raised or had wrong gradients.
- activations_under_no_grad: activations recorded under no_grad as well.
- tanh_raises: tanh raised TypeError for every input.
- softmax_has_no_gradient: a backward pass through softmax raised TypeError.
- sigmoid_overflows: sigmoid warned of an overflow for large negative values.
- sgd_transposes_updates: NaiveSGD transposed its updates, which hid the transposed gradients of square matrices.
- zero_grad_before_backward: with current versions of NumPy, zero_grad of the published text raised for `np.float`.
- dataset_skips_samples: with batches of 16, a data set of 100 samples gave 16 of them.
- dataset_index_ignored: indexing a data set gave the batch at which an iteration happened to be.
- dataset_drops_the_rest: samples that do not fill a batch were left out.
- dataset_nested_iteration: two iterations over one data set shared one position.
- no_grad_after_an_exception: leaving no_grad by an exception left recording switched off.
- grad_enabled_in_threads: every operation in a thread other than the first raised AttributeError.
- import_by_luck: the import failed unless another module had loaded importlib.util before.
- stray_import_from_turtle: `layers.linear` needed tkinter, for an import it did not use.
- import_configures_logging: importing the package set up the root logger of the whole program.
- module_repr_raises: `repr` of a module raised TypeError.
- shared_module_is_no_cycle: a module used in two places raised RecursionError; its parameters are listed once.
- shared_parameters_step_twice: a parameter listed twice was updated twice.
- containers_of_plain_arrays: containers could not be plotted or handed to NumPy, and `*` returned a bare array.

What differs otherwise: integers that require a gradient are differentiated as float64, gradients always have the shape
of their Variable, and there is no GPU: `device="gpu"` raises ImportError, as the original does without PyCuda.

Under the loss `(p - y) @ (p - y)` the original's gradients of a linear layer were 4 times (weights) and 2 times (bias)
too large; a program that reached its goal with those needs more epochs, or a higher learning rate. Its own examples,
unchanged, by the mean loss of an epoch:

- The line: 154.2 after its 10 epochs, where the original printed 115.3; 115.4 after 20 epochs, 115.2 after 21. Least
  squares has 114.2.
- The square: the lowest of its 100 epochs has 0.8e6 to 1.9e6, depending on the seed, half of them below 1.0e6, where
  the original has 1.3e6 to 3.5e6, half below 1.8e6. One seed in ten comes to 0.83e6 (11 is one), half of them within
  150 epochs. Rounding errors grow: two machines differ by a tenth and more in the end.
"""

from typing import TYPE_CHECKING

from ...exports import shown as _shown
from .grad_engine import Variable as Variable
from .utils import grad_enabled as grad_enabled
from .utils import init_logger as init_logger

from . import activations as activations  # isort: skip - the order in which the modules need each other
from . import data as data  # isort: skip
from . import layers as layers  # isort: skip
from . import optimizers as optimizers  # isort: skip

__version__ = "1.0.0"

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals(), ("activations", "data", "layers", "optimizers"))

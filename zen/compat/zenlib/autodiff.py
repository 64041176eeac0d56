"""`autodiff` of the Zen Deep Learning Library: `Tensor`, and functions of Tensors; the engine computes them.

A `Tensor` here holds a Tensor of the engine and what it was made from. Nothing in this module differentiates.

Bugs of the original that are fixed, by the names of their tests:

- no_topological_order: a value used twice passed its gradient on twice, so work doubled with each use.
- deep_graph_recursion: a thousand operations in a row exceeded Python's recursion limit.
- number_minus_tensor: `2 - t` raised AttributeError.
- negation_is_missing: `-t` raised TypeError.
- reduction_along_an_axis: the gradients of reduce_sum and reduce_mean were wrong or raised; reduce_mean along an axis
  divided by the number of all elements.
- broadcast_factor: the gradient of a broadcast factor of a product had the shape of the product.
- broadcast_scalar: the gradient of a number broadcast against an array was an array.
- bias_as_long_as_the_batch: shapes were compared only up to the shorter, so that a bias was not summed.
- broadcast_operand_first: in `b + x` the gradient of x was the one already summed for b.
- stack_sums_its_gradients: each member of a stack received the sum of all members' gradients.
- matmul_mutates_vectors: `@` changed the shape of 1-d operands in place; matrix @ vector raised.
- matmul_batched: the gradient of a product of stacks of matrices raised or was wrong.
- matmul_with_itself: in `a @ a` both gradients were those of the left operand.
- power_of_negative_base: `t ** 2` computed log(t), too, and so hid or spread NaN.
- divide_by_integers: dividing by an array of integers raised.
- float32_gradients: gradients were cast to float32.
- nan_is_hidden: NaN in a gradient was replaced by zero.
- numpy_warnings_off: importing the module switched NumPy's warnings off for the whole process.
- grad_seed_of_zero: `grad` started with value / value, which is NaN where the value is 0.
- grad_through_reshape: `grad` through flatten or reshape had the wrong shape.
- reshape_leaves_a_mark: reshaping a Tensor stored a shape on it, which later gradients were forced into.
- constant_on_the_right_of_minus: `t - c` recorded the constant c as trainable.
- tensor_of_a_list: `Tensor([1, 2])` kept a list, which no operation could use.
- conv2d_ignores_the_gradient: conv2d handed on its local derivatives whatever gradient came in.
- conv2d_fits_2x2_alone: windows were laid out for filters of 2x2 alone.
- conv2d_padding: padding changed the expected shape and not the input, so it raised.
- random_ids_collide: ids were random and could be equal, and making one was slow.
- untyped_dependencies: results of constants alone were trainable, and gradients were computed for them.

Conventions that were kept: `gradient` is 0 until there is one, and adds up over calls of `get_gradients`, for
intermediates too; `shape` is 0 for a single number; convolution does not flip its filter.
What differs: integers that are trainable become float64; a Tensor's own gradient is what get_gradients started from;
1-d operands of `@` follow NumPy's rules, in which a vector times a matrix is a vector; an array may not be changed
while a gradient that needs it is outstanding (RuntimeError).
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ... import f as _f
from ...backend import Tensor as _Engine
from ...conversion import convert as _convert
from ...transforms import gradients as _gradients

__all__ = ["Tensor", "conv2d", "flatten", "log", "np", "reduce_mean", "reduce_sum", "reshape", "stack"]

_numbers = itertools.count(1)


class Recorded(list[Any]):
    """What a Tensor was made from: a list to read. Appending raises, because the engine would not know of it."""

    def _refuse(self, *_: Any) -> Any:
        raise TypeError(
            "dependencies and grads are recorded by the engine and cannot be added to; compute with Tensors, or make "
            "an operation with a derivative of your own by zen.custom_vjp and autodiff.apply"
        )

    append = extend = insert = __iadd__ = _refuse


class Tensor:
    """A number or an array that takes part in gradients.

    value: a number, a nested list of numbers or an ndarray, whose memory is shared.
    trainable: whether a gradient is wanted. Integers that are trainable become float64.

    Raises TypeError for values without gradients here (complex, strings, objects), ValueError for ragged lists.

    >>> from zen.compat.zenlib import autodiff as ad
    >>> t = ad.Tensor(np.array([1.0, 2.0]))
    >>> y = ad.reduce_sum(2 - t * t)
    >>> y.get_gradients()
    >>> y.value, t.gradient
    (np.float64(-1.0), array([-2., -4.]))
    """

    __array_ufunc__ = None  # so that `ndarray * Tensor` comes to __rmul__
    __slots__ = ("__dict__", "__weakref__", "_function", "_number", "_operands", "tensor")

    tensor: _Engine
    """The engine's Tensor."""

    def __init__(self, value: Any, trainable: bool = True) -> None:
        self.tensor = _Engine(value, trainable)
        self._function: Callable[..., Any] | None = None
        self._operands: tuple[Any, ...] = ()
        self._number = next(_numbers)

    @property
    def value(self) -> Any:
        """The values: an ndarray on the Tensor's own memory, or a NumPy number.

        May be assigned to. A Tensor that was computed keeps its shape: ValueError for another one.
        """
        array = self.tensor.array
        return array.view() if array.ndim else array[()]

    @value.setter
    def value(self, new: Any) -> None:
        array = _convert(new)
        if self._function is None and (array.shape, array.dtype) != (self.tensor.shape, self.tensor.dtype):
            self.tensor = _Engine(array, self.trainable)
        else:
            self.tensor.value = array

    @property
    def gradient(self) -> Any:
        """The gradient that `get_gradients` added up, of the value's shape and dtype; 0 if there is none.

        May be set; 0 forgets it.
        """
        grad = self.tensor.grad
        return 0 if grad is None else grad.array[()]

    @gradient.setter
    def gradient(self, new: Any) -> None:
        nothing = new is None or (isinstance(new, (int, float)) and new == 0)
        self.tensor.gradient = None if nothing else np.broadcast_to(new, self.tensor.shape)

    @property
    def trainable(self) -> bool:
        """Whether gradients are computed for this Tensor: set when it is made, or because an operand is trainable."""
        return bool(self.tensor.requires_grad)

    @trainable.setter
    def trainable(self, flag: bool) -> None:
        self.tensor.requires_grad_(flag)

    @property
    def shape(self) -> Any:
        """The value's shape; 0 for a single number."""
        return self.tensor.shape or 0

    @property
    def id(self) -> str:
        """Ten characters that no other Tensor of the process has."""
        return f"{self._number:010d}"

    @property
    def dependencies(self) -> list[Tensor]:
        """The operands this Tensor was computed from, constants included, in the order in which they were written."""
        self._operands = tuple([x if isinstance(x, Tensor) else Tensor(x, trainable=False) for x in self._operands])
        return Recorded(self._operands)

    @property
    def matmul_product(self) -> bool:
        """Whether this is the result of `@`."""
        return self._function is operator.matmul

    @property
    def grads(self) -> list[Any]:
        """The local derivatives, one for each dependency and of its shape, computed when asked for.

        Each is the gradient that the dependency gets when this Tensor's own is one everywhere. For `@`, where that says
        little, they are the transposed factors: the right one, then the left.
        """
        if self._function is None:
            return Recorded()
        values = [d.value for d in self.dependencies]
        if self.matmul_product:
            return Recorded([values[1].T, values[0].T])
        leaves = [_Engine(np.array(v)) for v in values]
        y = self._function(*leaves)
        found = _gradients(y, leaves, _seed(y, None), allow_unused=True)
        return Recorded([0 if g is None else g.array[()] for g in found])

    def depends_on(self, target: Tensor) -> bool:
        """Whether `target` was used to compute this Tensor; every Tensor depends on itself."""
        pending, seen = [self], {id(self)}
        while pending:
            t = pending.pop()
            if t is target:
                return True
            for x in t._operands:
                if isinstance(x, Tensor) and id(x) not in seen:
                    seen.add(id(x))
                    pending.append(x)
        return False

    def grad(self, target: Tensor, grad: Any = None) -> Any:
        """The gradient of this Tensor with respect to `target`, an array of its shape; 0 if it does not depend on it.

        grad: what to start from, broadcast to this Tensor's shape; ones if left out. `gradient` is not touched.
        Raises ValueError for a target that is not trainable.
        """
        if not self.depends_on(target):
            return 0
        if not target.trainable:
            raise ValueError("grad: the target is a constant; make it with trainable=True to have gradients for it")
        seed = _seed(self.tensor, grad)
        found = _gradients(self.tensor, target.tensor, seed, retain_graph=True, allow_unused=True)
        return 0 if found is None else found.array[()]

    def get_gradients(self, grad: Any = None) -> None:
        """Add this Tensor's gradients to `gradient` of every trainable Tensor it was computed from, and of its own.

        grad: what to start from, broadcast to this Tensor's shape; ones if left out, whatever the shape.
        Raises RuntimeError if nothing it was computed from is trainable.
        """
        self.tensor.backward(_seed(self.tensor, grad), retain_graph=True)

    def __repr__(self) -> str:
        return f"Tensor ({self.value})"

    def __add__(self, other: Any) -> Tensor:
        return apply(operator.add, self, other)

    def __radd__(self, other: Any) -> Tensor:
        return apply(operator.add, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return apply(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return apply(operator.sub, other, self)

    def __mul__(self, other: Any) -> Tensor:
        return apply(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return apply(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return apply(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return apply(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Tensor:
        return apply(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return apply(operator.pow, other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return apply(operator.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return apply(operator.matmul, other, self)

    def __neg__(self) -> Tensor:
        return apply(operator.neg, self)


def apply(function: Callable[..., Any], *operands: Any) -> Tensor:
    """`function`, which computes with the engine's Tensors, on Tensors, arrays and numbers.

    >>> from zen.compat.zenlib import autodiff as ad
    >>> ad.apply(zen.f.tanh, ad.Tensor(0.0))
    Tensor (0.0)
    """
    made = Tensor.__new__(Tensor)
    values: list[Any] = []
    for x in operands:
        if isinstance(x, Tensor):
            values.append(x.tensor)
        else:
            values.append(x if isinstance(x, (int, float, np.ndarray, np.generic)) else _convert(x))
    found = function(*values)
    made.tensor = found if isinstance(found, _Engine) else _Engine(found, False)
    if found.requires_grad:
        found.retain_grad()
    made._function = function
    made._operands = operands
    made._number = next(_numbers)
    return made


def stack(tensor_list: Sequence[Any]) -> Tensor:
    """Tensors of one shape as the rows of one Tensor, shape (n, *shape). Raises ValueError if their shapes differ."""
    return apply(_stacked, *tensor_list)


def reduce_sum(tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum of all elements, or along `axis` (an int or a tuple of ints)."""
    return apply(partial(_f.sum, axis=axis, keepdims=keepdims), tensor)


def reduce_mean(tensor: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean of all elements, or along `axis` (an int or a tuple of ints)."""
    return apply(partial(_f.mean, axis=axis, keepdims=keepdims), tensor)


def log(tensor: Any) -> Tensor:
    """The natural logarithm of each element."""
    return apply(_f.log, tensor)


def flatten(tensor: Any) -> Tensor:
    """All elements in one row, shape (size,)."""
    return apply(_f.ravel, tensor)


def reshape(tensor: Any, shape: Any) -> Tensor:
    """The elements in another shape. Raises ValueError if their numbers differ."""
    return apply(partial(_f.reshape, shape=tuple(shape)), tensor)


def conv2d(_filter: Any, stride: int, x: Any, padding: int = 0) -> Tensor:
    """`_filter` laid over `x` at every `stride`-th place, and multiplied and summed there (not flipped).

    _filter: shape (height, width). x: shape (rows, columns), or (images, rows, columns) for several images; surrounded
    by `padding` zeros on each side. The result has (rows + 2 * padding - height) // stride + 1 rows, columns alike.
    Raises ValueError for a filter larger than the padded input, or other numbers of axes.

    >>> from zen.compat.zenlib import autodiff as ad
    >>> ad.conv2d(ad.Tensor(np.ones((2, 2))), 1, np.arange(9.0).reshape(3, 3)).value.tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    return apply(partial(_convolved, stride=stride, padding=padding), x, _filter)


def _convolved(x: Any, _filter: Any, *, stride: int, padding: int) -> Any:
    if _filter.ndim != 2 or x.ndim not in (2, 3):
        raise ValueError(
            f"conv2d: expected a filter of 2 axes and an input of 2 or 3, got shapes {_filter.shape} and {x.shape}"
        )
    images = x[None, None] if x.ndim == 2 else x[:, None]
    out = _f.conv2d(images, _filter[None, None], stride=stride, padding=padding)
    return out[0, 0] if x.ndim == 2 else out[:, 0]


def _stacked(*tensors: Any) -> Any:
    return _f.stack(tensors)


def _seed(t: _Engine, grad: Any) -> np.ndarray:
    return np.ones(t.shape, t.dtype) if grad is None else np.broadcast_to(np.asarray(grad, t.dtype), t.shape)

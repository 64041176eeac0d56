"""gradflow's `grad_engine`: `Variable`. Values and gradients are those of zen's engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import numpy as np

from ... import backend, f
from ...backend import Node, Tensor
from ...conversion import convert
from ...dtypes import floating
from ...transforms import custom_vjp
from ..shapes import fitted
from .data_containers import DataContainerBase, GPUDataContainer, NumpyDataContainer
from .utils import grad_enabled as grad_enabled

_serials = itertools.count()


class Device(StrEnum):
    """Where values are; only the CPU is there."""

    CPU = "cpu"
    GPU = "gpu"


_CONTAINERS: dict[str, Callable[[Any], DataContainerBase]] = {
    Device.CPU.value: NumpyDataContainer,
    Device.GPU.value: GPUDataContainer,
}


class Variable:
    """An array and, with `requires_grad`, its gradient.

    data: an ndarray, whose memory is shared; a container; or a Variable, whose container is shared. parents: what it
    was made from. requires_grad: whether a gradient is wanted. device: "cpu".

    `data` is the container, and may be replaced; `data.data` is the array. `grad` is None without `requires_grad`, 0.0
    before the first backward pass, and then an ndarray of the shape of the data.

    A result of an operation of your own gets its derivative by its `_back_grad_fn`: a function without arguments that
    adds to the `grad` of each parent what follows from the `grad` of the result.

    Raises TypeError for data of another type, ValueError for an unknown device.

    >>> from zen.compat.gradflow import Variable
    >>> w = Variable(np.array([[1.0], [2.0]]), requires_grad=True)
    >>> x = Variable(np.array([[3.0, 4.0]]))
    >>> (x @ w).backward()
    >>> w.grad.tolist(), w.requires_grad, x.grad
    ([[3.0], [4.0]], True, None)
    """

    __array_ufunc__ = None  # `array + variable` raises, instead of making an array of Variables
    _node: Node | None = None
    _back_grad_fn: Callable[[], Any] | None = None

    def __init__(
        self,
        data: Variable | np.ndarray | DataContainerBase,
        parents: Iterable[Variable] | None = None,
        requires_grad: bool = False,
        device: str = Device.CPU.value,
    ) -> None:
        if device not in _CONTAINERS:
            raise ValueError(f'Unsupported device. Expected "cpu", not {device!r}')
        if isinstance(data, Variable):
            data = data.data
        elif isinstance(data, np.ndarray):
            data = _CONTAINERS[device](data)
        elif not isinstance(data, DataContainerBase):
            raise TypeError(f"The data type provided is not supported: {type(data)}; give a NumPy array")
        self.data: Any = data
        self.grad: Any = 0.0 if requires_grad else None
        self.parents: tuple[Variable, ...] = () if parents is None else tuple(parents)
        self.device = device
        self._requires_grad = bool(requires_grad)
        self._serial = next(_serials)

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is wanted. Setting it resets `grad`."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, requires_grad: bool) -> None:
        self.grad = 0.0 if requires_grad else None
        self._requires_grad = bool(requires_grad)

    # Operations

    def __add__(self, other: Variable) -> Variable:
        return result(self._tensor() + self._operand(other), self, other)

    def __sub__(self, other: Variable) -> Variable:
        return result(self._tensor() - self._operand(other), self, other)

    def __matmul__(self, other: Variable) -> Variable:
        return result(self._tensor() @ self._operand(other), self, other)

    def __pow__(self, exponent: int) -> Variable:
        if not isinstance(exponent, int):
            raise TypeError("For power operation the exponent must be a scalar integer value")
        return result(self._tensor() ** exponent, self)

    def T(self) -> Variable:  # noqa: N802 - the original's name
        """The Variable with its axes reversed."""
        return result(f.transpose(self._tensor()), self)

    def _operand(self, other: Variable) -> Tensor:
        if not isinstance(other, Variable):
            raise TypeError(f"The second operator must be a Variable type, not {type(other).__name__}")
        if self.device != other.device:
            raise ValueError(f"Both operands must be on the same device, not on {self.device} and {other.device}")
        return other._tensor()

    # The engine's view

    def _tensor(self) -> Tensor:
        """The engine's Tensor of the present values, on this Variable's node."""
        array = convert(self.data.data)
        if not self._requires_grad:
            return backend.wrap(array)
        array = array.astype(floating(array.dtype), copy=False)
        node = self._node
        if node is None or node.shape != array.shape or node.dtype != array.dtype:
            self._start(array)
        return backend.wrap(array, self._node)

    def _start(self, array: np.ndarray) -> None:
        """Give this Variable a node: a leaf, or the operation that its `_back_grad_fn` stands for."""
        if self._back_grad_fn is None or not self.parents:
            self._node = backend.leaf(array, True).node
            return
        # Those among the ancestors that wait for a node as well come first, without recursion.
        waiting = _ancestors(self, lambda v: v._node is None and v._back_grad_fn is not None)
        for v in (*sorted(waiting, key=lambda v: v._serial), self):
            if v._requires_grad:
                v._node = _own_operation(v)

    def backward(self, grad: Variable | np.ndarray | None = None) -> None:
        """Add to the `grad` of all Variables that this one was computed from, leaves and intermediates alike.

        grad: what to start from, broadcast to the shape of the data; ones if left out. It becomes this Variable's
        `grad`. The pass can be repeated.

        Raises RuntimeError for a Variable that requires no gradient, ValueError for a `grad` of another type or shape.
        """
        if grad is not None and not isinstance(grad, (Variable, np.ndarray)):
            raise ValueError(f"The backward gradient must be a numpy array or a Variable, not {type(grad).__name__}")
        root = self._tensor()
        if root.node is None:
            raise RuntimeError(
                "backward: this Variable does not require a gradient; give its inputs requires_grad=True, and compute "
                "it outside of no_grad()"
            )
        start = grad.data.data if isinstance(grad, Variable) else np.array(1.0 if grad is None else grad)
        if start.ndim > root.ndim and start.size == 1:
            start = start.reshape(())  # the original's own default, array([1]), for a single number
        seed = np.array(_stretched(start, root.shape), dtype=root.dtype)
        below = [v for v in _ancestors(self) if v._requires_grad and v._node is not None]
        inputs = [backend.wrap(np.empty(0), v._node) for v in below]
        found = backend.run([root], [seed], inputs, True, False) or []
        self.grad = seed.copy()
        for v, gradient in zip(below, found, strict=True):
            if gradient is not None:
                v.grad = gradient.array + (0.0 if v.grad is None else v.grad)

    def to(self, device: str) -> Variable:
        """The Variable on another device, of which there is none: itself, or ImportError for "gpu"."""
        return self if device == self.device else Variable(self.data.data, device=device)

    def __repr__(self) -> str:
        return f"Variable({self.data.data}, requires_grad={self.requires_grad}, device={self.device})"


def result(tensor: Tensor, *parents: Variable) -> Variable:
    """The Variable of a Tensor that was computed from those of `parents`."""
    made = Variable(tensor.array, parents)
    if tensor.node is not None:
        made._node = tensor.node
        made.requires_grad = True
    return made


def _stretched(start: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.broadcast_to(start, shape)
    except ValueError:
        raise ValueError(f"backward: a gradient of shape {start.shape} does not fit the shape {shape}") from None


def _ancestors(variable: Variable, wanted: Callable[[Variable], bool] | None = None) -> list[Variable]:
    """All Variables that `variable` was made from; with `wanted`, only those, and only through those."""
    seen, found, pending = {id(variable)}, [], [variable]
    while pending:
        for parent in pending.pop().parents:
            if id(parent) not in seen and (wanted is None or wanted(parent)):
                seen.add(id(parent))
                found.append(parent)
                pending.append(parent)
    return found


def _own_operation(variable: Variable) -> Node | None:
    """The node of a Variable whose derivative is its own `_back_grad_fn`."""
    parents = [v for v in dict.fromkeys(variable.parents) if v.requires_grad]

    def pull(g: np.ndarray, out: np.ndarray, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        kept = [v.grad for v in (variable, *parents)]
        try:
            variable.grad = np.array(g)
            for v in parents:
                v.grad = 0.0
            assert variable._back_grad_fn is not None
            variable._back_grad_fn()
            what = "the gradient that a _back_grad_fn computed"
            return tuple([fitted(v.grad, x.shape, what) for v, x in zip(parents, inputs, strict=True)])
        finally:
            for v, before in zip((variable, *parents), kept, strict=True):
                v.grad = before

    def back_grad_fn(*_: np.ndarray) -> np.ndarray:
        return np.asarray(variable.data.data, floating(variable.data.data.dtype))

    made: Tensor = custom_vjp(back_grad_fn, pull)(*[v._tensor() for v in parents])
    return made.node

"""The nodes: values, and computations with what the engine needs to run and to differentiate them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...conversion import convert
from ...dtypes import floating
from ...modes import enable_grad
from ...transforms import custom_vjp, gradients
from ..shapes import fitted


class NodeType(Enum):
    """What a node is: a value or a computation."""

    VAL = 0
    COMP = 1


class Node:
    """Base class of nodes. name: what a graph knows it by. inputs, outputs: the names of its neighbours, in order."""

    node_type: NodeType | None = None

    def __init__(self, name: str | None, inputs: list[str] | None = None, outputs: list[str] | None = None) -> None:
        self.name: Any = name
        self.inputs = [] if inputs is None else inputs
        self.outputs = [] if outputs is None else outputs

    def __repr__(self) -> str:
        return f"{self.inputs} -> {self.outputs}"

    def forward(self, *nodes: Any) -> Any:
        """The node's value; every kind of node defines its own."""
        raise NotImplementedError("`forward` method is not implemented.")

    def backward(self, **kwargs: Any) -> Any:
        """What the node passes on of the gradient `delta`."""
        return _argument(kwargs, "delta", self)


class ValNode(Node):
    """A value: `val`, a number or an array, and its gradient `grad`, None until there is one.

    train: whether optimisers change it.
    """

    node_type = NodeType.VAL

    def __init__(self, val: Any, name: str | None = None, train: bool = True) -> None:
        super().__init__(name)
        self.val = val
        self.grad: Any = None
        self.train = train

    def __repr__(self) -> str:
        return f"{self.val}"

    def forward(self, *nodes: Any) -> Any:
        """The value."""
        return self.val

    def backward(self, **kwargs: Any) -> Any:
        """The gradient; ValueError if there is none."""
        if self.grad is None:
            raise ValueError(f"Grad has not been calculated for Node: {self.name}")
        return self.grad


class CompNode(Node):
    """Base class of computations. Subclasses define `forward(*nodes)`, and may define `backward`."""

    node_type = NodeType.COMP

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)

    def backward(self, **kwargs: Any) -> list[Any]:
        """The gradients of the inputs: `delta`, the gradient of the output, times the derivative of `forward`.

        delta: a number or array. inputs: the value nodes, whose values and shapes the gradients belong to.
        Raises ValueError if one of the two is missing.

        >>> from zen.compat.graph import MulNode, ValNode
        >>> MulNode("times").backward(delta=2.0, inputs=[ValNode(3.0, "a"), ValNode(5.0, "b")])
        [10.0, 6.0]
        """
        delta, inputs = _argument(kwargs, "delta", self), _argument(kwargs, "inputs", self)
        leaves = [leaf(node.val) for node in inputs]
        y = self.forward(*_stand_ins(inputs, leaves))
        if not isinstance(y, Tensor) or not y.requires_grad:
            return [plain(np.zeros(t.shape, t.dtype)) for t in leaves]
        found = gradients(y, leaves, fitted(delta, y.shape, f"backward of {self.name}"), allow_unused=True)
        return [plain(np.zeros(t.shape) if g is None else g.array) for t, g in zip(leaves, found, strict=True)]


class AddNode(CompNode):
    """The sum of any number of values."""

    def forward(self, *argv: Any) -> Any:
        """The sum."""
        return functools.reduce(operator.add, [node.forward() for node in argv])

    def backward(self, **kwargs: Any) -> list[Any]:
        """As of CompNode. Without `inputs`, `delta` once for each input."""
        if "inputs" in kwargs:
            return super().backward(**kwargs)
        return [_argument(kwargs, "delta", self)] * len(self.inputs)


class MulNode(CompNode):
    """The product of any number of values."""

    def forward(self, *argv: Any) -> Any:
        """The product."""
        return functools.reduce(operator.mul, [node.forward() for node in argv])


class L2Node(CompNode):
    """(predict - label)^2 / 2, elementwise."""

    def forward(self, predict: Any, label: Any) -> Any:
        """Half of the squared difference."""
        return 0.5 * (predict.forward() - label.forward()) ** 2


# The engine's view


def leaf(value: Any) -> Tensor:
    """A Tensor of its own for a value node's number or array, floating and with a gradient."""
    array = convert(value)
    return backend.leaf(np.array(array, floating(array.dtype)), True)


def plain(array: np.ndarray) -> Any:
    """A Python number, or an array of its own."""
    return array.item() if array.ndim == 0 else np.array(array)


def compute(op: CompNode, inputs: Sequence[ValNode], tensors: Sequence[Tensor]) -> tuple[Any, Tensor]:
    """(value, recorded Tensor) of `op`, for inputs whose Tensors are given."""
    with enable_grad():
        if _has_own_backward(op):
            value = op.forward(*inputs)
            return value, _own_operation(op, inputs, tensors, value)
        found = op.forward(*_stand_ins(inputs, tensors))
        if not isinstance(found, Tensor):
            return found, leaf(found)
    if type(op) in _EXACT and all([isinstance(node.val, int) for node in inputs]):
        return op.forward(*inputs), found  # whole numbers stay whole, as in the article's output
    return plain(found.array), found


_EXACT = (AddNode, MulNode, L2Node)


def _has_own_backward(op: CompNode) -> bool:
    return type(op).backward not in (CompNode.backward, AddNode.backward)


def _own_operation(op: CompNode, inputs: Sequence[ValNode], tensors: Sequence[Tensor], value: Any) -> Tensor:
    """The Tensor of a value whose derivative is the node's own `backward`."""
    now = _stand_ins(inputs, [node.val for node in inputs])

    def forward(*_: np.ndarray) -> np.ndarray:
        array = convert(value)
        return array.astype(floating(array.dtype), copy=False)

    def pull(g: np.ndarray, out: np.ndarray, *arrays: np.ndarray) -> tuple[Any, ...]:
        delta = plain(g)
        if isinstance(delta, np.ndarray):
            delta.flags.writeable = False  # `grad = delta; grad *= ...` is an error, not one array for all inputs
        grads = op.backward(delta=delta, inputs=now)
        if not isinstance(grads, (list, tuple)) or len(grads) != len(now):
            raise ValueError(
                f"len(grads) != len(inputs) for Node: {op.name}; backward returns a list with one for each"
            )
        what = f"backward of {op.name}"
        return tuple([None if d is None else fitted(d, x.shape, what) for d, x in zip(grads, arrays, strict=True)])

    made: Tensor = custom_vjp(forward, pull)(*tensors)
    return made


def _stand_ins(nodes: Sequence[ValNode], values: Sequence[Any]) -> list[ValNode]:
    """Value nodes with these values, for `forward` and `backward` of a computation to read."""
    return [ValNode(value, node.name, node.train) for node, value in zip(nodes, values, strict=True)]


def _argument(given: dict[str, Any], name: str, node: Node) -> Any:
    if name not in given:
        raise ValueError(f"Arg `{name}` must be passed to `{type(node).__name__}` in backward pass.")
    return given[name]

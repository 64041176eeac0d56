"""Parameter and Buffer: the Tensors that a module registers when they become its attributes.

A Parameter is trained: a leaf that requires a gradient. A Buffer is kept beside the parameters without being trained,
such as a running mean. Both are Tensors in every other respect, and both stay what they are through copy and pickle.
"""

from __future__ import annotations

from typing import Any

from ..attached.members import represent
from ..backend import Tensor
from ..conversion import holds_gradients


class Parameter(Tensor):
    """A Tensor to be trained. As the attribute of a Module it appears in the module's `parameters()`.

    data: Tensor, array or nested numbers, of any shape; an array's memory, or a Tensor's, is shared. requires_grad:
    False freezes it. The dtype is that of the data; integers become float64. Raises TypeError for other dtypes
    without gradients, and RuntimeError for the result of a recorded operation: detach() it first.

    >>> zen.nn.Parameter(np.zeros(2, np.float32))
    Parameter(Tensor([0., 0.], dtype=float32, requires_grad=True))
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(_values(data, "Parameter"))
        if not requires_grad:
            self.requires_grad_(False)

    def __repr__(self) -> str:
        return f"Parameter({represent(self)})"


class Buffer(Tensor):
    """A Tensor that belongs to a module's state without being trained: it requires no gradient.

    data: as in Parameter, of any dtype. persistent: whether `state_dict()` contains it.

    >>> zen.nn.Buffer(np.zeros(2), persistent=False)
    Buffer(Tensor([0., 0.], dtype=float64))
    """

    __slots__ = ("persistent",)

    persistent: bool

    def __init__(self, data: Any, persistent: bool = True) -> None:
        super().__init__(_values(data, "Buffer"), False)
        self.persistent = bool(persistent)

    def __repr__(self) -> str:
        return f"Buffer({represent(self)})"


def _values(data: Any, name: str) -> Any:
    if not isinstance(data, Tensor):
        if holds_gradients(data):
            raise RuntimeError(
                f"{name}: the data holds Tensors that require a gradient, but a {name} is a leaf; detach() them first"
            )
        return data
    if not data.is_leaf:
        raise RuntimeError(
            f"{name}: the result of {data.node.row.name!r} belongs to a graph, but a {name} is a leaf; "  # type: ignore[union-attr]
            "pass x.detach()"
        )
    return data.detach()

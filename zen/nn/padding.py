"""Layers that add elements around images and sequences: constants, mirrored, repeated, or from the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ops.operands import operand
from ..ops.padding import pad_ends
from .module import Module

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Ints


class _Padding(Module):
    axes: int
    mode: str

    def __init__(self, padding: Ints) -> None:
        super().__init__()
        name, count = type(self).__name__, 2 * self.axes
        given: Any = padding if hasattr(padding, "__len__") else (padding,) * count
        if len(given) != count:
            raise ValueError(f"{name}: padding must be an int or {count} of them, not {padding!r}")
        self.padding = tuple(given)

    def forward(self, input: ArrayLike) -> Tensor:
        x, name = operand(type(self).__name__, input), type(self).__name__
        if x.ndim not in (self.axes + 1, self.axes + 2):
            raise ValueError(
                f"{name}: expected {self.axes + 1} dimensions (channels first), or {self.axes + 2} with a batch, got "
                f"shape {x.shape}"
            )
        padded: Tensor = pad_ends(x, self.padding, self.mode, name=name)
        return padded

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _Constant(_Padding):
    mode = "constant"

    def __init__(self, padding: Ints, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: ArrayLike) -> Tensor:
        padded: Tensor = pad_ends(input, self.padding, "constant", self.value, name=type(self).__name__)
        return padded

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _Zeros(_Constant):
    def __init__(self, padding: Ints) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(_Constant):
    """Adds `value` at both ends of the last axis. padding: an int for both, or (left, right).

    x: (batch, channels, length), or without the batch. Negative numbers take elements off. ValueError for what does
    not fit.

    >>> zen.nn.ConstantPad1d((1, 2), 9.0)(zen.tensor([[1.0, 2.0]])).tolist()
    [[9.0, 1.0, 2.0, 9.0, 9.0]]
    """

    axes = 1


class ConstantPad2d(_Constant):
    """As ConstantPad1d, for x: (batch, channels, height, width); padding: an int, or
    (left, right, top, bottom)."""

    axes = 2


class ConstantPad3d(_Constant):
    """As ConstantPad1d, for x: (batch, channels, depth, height, width); padding: an int, or
    (left, right, top, bottom, front, back)."""

    axes = 3


class ZeroPad1d(_Zeros):
    """Adds zeros at both ends of the last axis. padding: an int for both, or (left, right).

    x: (batch, channels, length), or without the batch. Negative numbers take elements off. ValueError for what does
    not fit.

    >>> zen.nn.ZeroPad1d(1)(zen.tensor([[1.0, 2.0]])).tolist()
    [[0.0, 1.0, 2.0, 0.0]]
    """

    axes = 1


class ZeroPad2d(_Zeros):
    """As ZeroPad1d, for x: (batch, channels, height, width); padding: an int, or
    (left, right, top, bottom)."""

    axes = 2


class ZeroPad3d(_Zeros):
    """As ZeroPad1d, for x: (batch, channels, depth, height, width); padding: an int, or
    (left, right, top, bottom, front, back)."""

    axes = 3


class ReflectionPad1d(_Padding):
    """Adds what lies inside, mirrored at the last element, at both ends of the last axis.

    padding: an int for both, or (left, right). x: (batch, channels, length), or without the batch. Negative numbers
    take elements off. ValueError for what does not fit.

    >>> zen.nn.ReflectionPad1d(2)(zen.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(_Padding):
    """As ReflectionPad1d, for x: (batch, channels, height, width); padding: an int, or
    (left, right, top, bottom)."""

    axes = 2
    mode = "reflect"


class ReflectionPad3d(_Padding):
    """As ReflectionPad1d, for x: (batch, channels, depth, height, width); padding: an int, or
    (left, right, top, bottom, front, back)."""

    axes = 3
    mode = "reflect"


class ReplicationPad1d(_Padding):
    """Adds the last element, repeated, at both ends of the last axis. padding: an int for both, or (left, right).

    x: (batch, channels, length), or without the batch. Negative numbers take elements off. ValueError for what does
    not fit.

    >>> zen.nn.ReplicationPad1d((2, 1))(zen.tensor([[1.0, 2.0]])).tolist()
    [[1.0, 1.0, 1.0, 2.0, 2.0]]
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(_Padding):
    """As ReplicationPad1d, for x: (batch, channels, height, width); padding: an int, or
    (left, right, top, bottom)."""

    axes = 2
    mode = "replicate"


class ReplicationPad3d(_Padding):
    """As ReplicationPad1d, for x: (batch, channels, depth, height, width); padding: an int, or
    (left, right, top, bottom, front, back)."""

    axes = 3
    mode = "replicate"


class CircularPad1d(_Padding):
    """Adds what the other end begins with at both ends of the last axis. padding: an int for both, or (left, right).

    x: (batch, channels, length), or without the batch. Negative numbers take elements off. ValueError for what does
    not fit.

    >>> zen.nn.CircularPad1d((1, 0))(zen.tensor([[1.0, 2.0]])).tolist()
    [[2.0, 1.0, 2.0]]
    """

    axes = 1
    mode = "circular"


class CircularPad2d(_Padding):
    """As CircularPad1d, for x: (batch, channels, height, width); padding: an int, or
    (left, right, top, bottom)."""

    axes = 2
    mode = "circular"


class CircularPad3d(_Padding):
    """As CircularPad1d, for x: (batch, channels, depth, height, width); padding: an int, or
    (left, right, top, bottom, front, back)."""

    axes = 3
    mode = "circular"

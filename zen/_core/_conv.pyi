from typing import Any

from numpy.typing import NDArray

from ._tensor import Row, Tensor

_Array = NDArray[Any]
_Pair = tuple[int, int]

def conv2d(
    x: _Array, w: _Array, bias: _Array | None, stride: _Pair, padding: _Pair, dilation: _Pair, groups: int
) -> _Array: ...
def conv2d_input(
    g: _Array, w: _Array, size: _Pair, stride: _Pair, padding: _Pair, dilation: _Pair, groups: int
) -> _Array: ...
def conv2d_weight(
    x: _Array, g: _Array, kernel: _Pair, stride: _Pair, padding: _Pair, dilation: _Pair, groups: int
) -> _Array: ...
def convolved(row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Tensor | None: ...

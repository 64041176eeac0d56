from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

def norm_rows(
    x: _Array, n: int, weight: _Array | None, bias: _Array | None, eps: float, centred: bool
) -> tuple[_Array, _Array, _Array]: ...
def norm_rows_backward(
    g: _Array,
    x: _Array,
    n: int,
    weight: _Array | None,
    centred: bool,
    mean: _Array,
    rstd: _Array,
    wanted: tuple[bool, ...],
) -> tuple[_Array | None, _Array | None, _Array | None]: ...
def norm_channels(
    x: _Array,
    batch: int,
    channels: int,
    size: int,
    period: int,
    pool: int,
    weight: _Array | None,
    bias: _Array | None,
    eps: float,
    mean: _Array | None = None,
    var: _Array | None = None,
) -> tuple[_Array, _Array, _Array]: ...
def norm_channels_backward(
    g: _Array,
    x: _Array,
    batch: int,
    channels: int,
    size: int,
    period: int,
    pool: int,
    weight: _Array | None,
    eps: float,
    mean: _Array,
    var: _Array,
    given: bool,
    wanted: bool,
) -> tuple[_Array | None, _Array, _Array]: ...
def norm_rows_tangent(
    t: _Array,
    x: _Array,
    n: int,
    weight: _Array | None,
    dweight: _Array | None,
    dbias: _Array | None,
    centred: bool,
    mean: _Array,
    rstd: _Array,
) -> _Array: ...
def norm_channels_tangent(
    t: _Array,
    x: _Array,
    batch: int,
    channels: int,
    size: int,
    period: int,
    pool: int,
    weight: _Array | None,
    dweight: _Array | None,
    dbias: _Array | None,
    eps: float,
    mean: _Array,
    var: _Array,
    given: bool,
) -> tuple[_Array, _Array | None, _Array | None]: ...

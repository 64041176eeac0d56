from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]
_Wanted = tuple[bool, bool, bool]

def rnn_forward(
    x: _Array, h0: _Array | None, w_ih: _Array, w_hh: _Array, bias: _Array | None, relu: bool, reverse: bool
) -> _Array: ...
def rnn_backward(
    g: _Array,
    x: _Array,
    h0: _Array | None,
    w_ih: _Array,
    w_hh: _Array,
    out: _Array,
    relu: bool,
    reverse: bool,
    wanted: _Wanted,
) -> tuple[_Array | None, _Array, _Array | None, _Array | None, _Array]: ...
def lstm_forward(
    x: _Array, h0: _Array | None, c0: _Array, w_ih: _Array, w_hh: _Array, bias: _Array | None, reverse: bool
) -> tuple[_Array, _Array, _Array, _Array, _Array]: ...
def lstm_backward(
    g: _Array | None,
    gc: _Array | None,
    x: _Array,
    h0: _Array | None,
    c0: _Array,
    w_ih: _Array,
    w_hh: _Array,
    out: _Array,
    saved: tuple[_Array, _Array, _Array],
    reverse: bool,
    wanted: _Wanted,
) -> tuple[_Array | None, _Array, _Array, _Array | None, _Array | None, _Array]: ...
def gru_forward(
    x: _Array, h0: _Array, w_ih: _Array, w_hh: _Array, bias: _Array | None, bias_n: _Array, reverse: bool
) -> tuple[_Array, _Array, _Array]: ...
def gru_backward(
    g: _Array,
    x: _Array,
    h0: _Array,
    w_ih: _Array,
    w_hh: _Array,
    out: _Array,
    saved: tuple[_Array, _Array],
    reverse: bool,
    wanted: _Wanted,
) -> tuple[_Array | None, _Array, _Array | None, _Array | None, _Array, _Array]: ...

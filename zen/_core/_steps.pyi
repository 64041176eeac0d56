from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

def lstm_step(
    gates: _Array, before: _Array, squashed: _Array, q: _Array | None, drive: _Array | None, dc: _Array, out: _Array
) -> None: ...
def gru_step(
    gates: _Array,
    before: _Array,
    kept: _Array,
    q: _Array | None,
    inputs: _Array | None,
    states: _Array | None,
    dh: _Array | None,
    out: _Array,
) -> None: ...

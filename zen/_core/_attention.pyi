from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]

def attention_forward(
    q: _Array,
    k: _Array,
    v: _Array,
    mask: _Array | None,
    keep: _Array | None,
    scale: float,
    factor: float,
    causal: bool,
    out: _Array,
    kept: bool,
) -> _Array | None: ...
def attention_backward(
    g: _Array,
    q: _Array,
    k: _Array,
    v: _Array,
    weights: _Array,
    keep: _Array | None,
    scale: float,
    factor: float,
    dq: _Array | None,
    dk: _Array | None,
    dv: _Array | None,
    ds: _Array | None,
) -> None: ...

from collections.abc import Callable
from typing import Any, final

from numpy.typing import NDArray

from ._tensor import Tensor

_State = dict[Tensor, dict[str, Any]]
_Fill = Callable[[Tensor, tuple[str, ...], bool], dict[str, Any]]

class Walk: ...

@final
class Rule:
    def __call__(
        self, params: list[Tensor], state: _State, fill: _Fill, written: list[NDArray[Any]], *values: Any
    ) -> Walk: ...

def move(walks: list[Walk]) -> None: ...
def rule(declared: Any) -> Rule: ...
def muon(
    params: list[Tensor],
    state: _State,
    fill: _Fill,
    written: list[NDArray[Any]],
    lr: float,
    momentum: float,
    weight_decay: float,
    nesterov: bool,
    coefficients: tuple[float, float, float],
    steps: int,
    eps: float,
    rate: Callable[[tuple[int, ...]], float],
) -> Walk: ...
def lbfgs_gradient(
    params: list[Tensor], out: NDArray[Any], direction: NDArray[Any] | None = None
) -> tuple[float, float, float]: ...
def lbfgs_pair(
    g: NDArray[Any], previous: NDArray[Any], d: NDArray[Any], t: float
) -> tuple[NDArray[Any], NDArray[Any], float, float]: ...
def lbfgs_direction(
    g: NDArray[Any], changes: list[Tensor], steps: list[Tensor], ro: list[float], scale: float
) -> tuple[NDArray[Any], float, float]: ...
def lbfgs_move(
    params: list[Tensor], origin: NDArray[Any], d: NDArray[Any], t: float, written: list[NDArray[Any]]
) -> None: ...
def clear_gradients(params: list[Tensor]) -> None: ...
def sum_of_squares(arrays: list[NDArray[Any]]) -> float: ...
def scale(arrays: list[NDArray[Any]], factor: float) -> None: ...
def limit(arrays: list[NDArray[Any]], bound: float) -> None: ...
def blend(averages: list[NDArray[Any]], values: list[NDArray[Any]], weight: float) -> None: ...

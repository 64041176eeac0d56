from typing import Any

from numpy.typing import NDArray

blas: str

def product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]: ...

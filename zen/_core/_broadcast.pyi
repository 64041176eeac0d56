from typing import Any

from numpy.typing import NDArray

def unbroadcast(a: Any, shape: tuple[int, ...]) -> NDArray[Any]: ...

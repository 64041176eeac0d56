from typing import Any

from numpy.typing import NDArray

def scatter_add_rows(out: NDArray[Any], rows: NDArray[Any], g: NDArray[Any], skipped: int = -1) -> None: ...

from collections.abc import Iterable
from typing import Any

class Watch:
    left: list[Any]
    def __init__(self, items: Iterable[tuple[int, Any, Any, Any]], missing: Any) -> None: ...
    def holds(self) -> bool: ...

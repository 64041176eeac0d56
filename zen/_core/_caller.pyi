from collections.abc import Callable
from typing import Any

class Signature:
    def __init__(
        self,
        arguments: list[Any],
        run: Callable[..., Any],
        changed: Callable[[], str | None] | None,
        results: list[bool],
        alone: bool,
        recorded: bool,
    ) -> None: ...

class Caller:
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def remember(self, signature: Signature | None) -> None: ...

from collections.abc import Callable
from typing import Any, final

from ._watch import Watch

@final
class Signature:
    def __init__(
        self,
        arguments: list[Any],
        run: Callable[..., Any],
        watch: Watch,
        rest: Callable[[], bool] | None,
        results: list[bool],
        form: Any,
        recorded: bool,
    ) -> None: ...

class Caller:
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def remember(self, signature: Signature | None) -> None: ...

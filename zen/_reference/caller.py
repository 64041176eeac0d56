"""The call of a compiled function: here always by `_called`, as the compiled engine does where something changed."""

from __future__ import annotations

from typing import Any


class Signature:
    """Not compared here: see zen/_core/_caller.pyx."""

    def __init__(self, *args: Any) -> None:
        pass


class Caller:
    """A function that is replayed. A subclass has `_called(args, kwargs)`."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._called(args, kwargs)  # type: ignore[attr-defined]

    def remember(self, signature: Signature | None) -> None:
        pass


class Watch:
    """Compares nothing itself: all is `left` to who asks."""

    def __init__(self, items: Any, missing: Any) -> None:
        self.left = list(items)

    def holds(self) -> bool:
        return True

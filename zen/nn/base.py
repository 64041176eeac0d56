"""What `state`, `hooks`, `description` and `summary` know of the Module that they work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol


class AnyModule(Protocol):
    """A Module, of which `module.py` says more."""

    training: bool

    @property
    def forward(self) -> Callable[..., Any]: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def named_modules(self) -> Iterable[tuple[str, Any]]: ...

    def parameters(self, recurse: bool = True) -> Iterable[Any]: ...

    def buffers(self, recurse: bool = True) -> Iterable[Any]: ...

    def get_submodule(self, target: str) -> Any: ...

    def extra_repr(self) -> str: ...

    def _get_name(self) -> str: ...

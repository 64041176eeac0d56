"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, for one thread at a time.

Each is a context manager and a decorator. A decorated generator, coroutine or asynchronous generator has the mode
while its own code runs, and the caller has its own back whenever control returns to it. The mode is restored after
exceptions, interrupts (Ctrl-C) among them. One object may serve several threads, and may be entered within its own
block.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, Self, TypeVar, overload

from . import backend

Function = TypeVar("Function", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return backend.grad_enabled()


class _Mode(backend.GradMode):
    """The engine's context manager, which is also a decorator."""

    def __call__(self, function: Function) -> Function:
        if not callable(function):
            raise TypeError(f"a gradient mode decorates a function, not {type(function).__name__}")
        self.withdraw()
        decorated: Function = _decorated(function, self.enabled)
        return decorated

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class no_grad(_Mode):  # noqa: N801 - lower case, as the function that it stands for
    """Record nothing: `with zen.no_grad():`, or `@zen.no_grad` on a function.

    >>> import zen
    >>> x = zen.tensor(2.0, requires_grad=True)
    >>> with zen.no_grad():
    ...     (x * x).requires_grad
    False
    """

    @overload
    def __new__(cls, function: Function) -> Function: ...  # type: ignore[misc]
    @overload
    def __new__(cls) -> no_grad: ...
    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls, False) if function is None else cls()(function)


class enable_grad(_Mode):  # noqa: N801
    """Record again, inside `no_grad`: `with zen.enable_grad():`, or `@zen.enable_grad` on a function."""

    @overload
    def __new__(cls, function: Function) -> Function: ...  # type: ignore[misc]
    @overload
    def __new__(cls) -> enable_grad: ...
    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls, True) if function is None else cls()(function)


class set_grad_enabled(_Mode):  # noqa: N801
    """Set recording on or off at once; as a context manager or decorator, for its extent only.

    An interrupt between the call and the block of `with set_grad_enabled(flag):` finds the mode set, as the call asked;
    `no_grad` and `enable_grad` do nothing before the block.
    """

    def __new__(cls, enabled: bool) -> Self:
        if not isinstance(enabled, bool):
            raise TypeError(f"set_grad_enabled: expected True or False, not {type(enabled).__name__}")
        return super().__new__(cls, enabled, True)

    def __repr__(self) -> str:
        return f"set_grad_enabled({self.enabled})"


def _decorated(function: Any, enabled: bool) -> Any:
    import inspect  # slow to import, and a decorator alone needs it

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            return (yield from _stepped(function(*args, **kwargs), enabled))

        return generator
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return await _Stepped(function(*args, **kwargs), enabled)

        return coroutine
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        def asynchronous(*args: Any, **kwargs: Any) -> Any:
            return _stepped_async(function(*args, **kwargs), enabled)

        return asynchronous

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return backend.call_recording(enabled, function, *args, **kwargs)

    return plain


def _stepped(inner: Any, enabled: bool) -> Generator[Any, Any, Any]:
    """Run a generator or coroutine with the mode set during each of its steps, not between them."""
    step = functools.partial(backend.call_recording, enabled)
    try:
        item = step(inner.send, None)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                step(inner.close)
                raise
            except BaseException as error:
                item = step(inner.throw, error)
            else:
                item = step(inner.send, sent)
    except StopIteration as stop:
        return stop.value


class _Stepped:
    """An awaitable that steps through another one under the mode."""

    def __init__(self, inner: Awaitable[Any], enabled: bool) -> None:
        self._inner, self._enabled = inner, enabled

    def __await__(self) -> Generator[Any, Any, Any]:
        inner: Any = self._inner
        return _stepped(inner if hasattr(inner, "send") else inner.__await__(), self._enabled)


async def _stepped_async(inner: AsyncGenerator[Any, Any], enabled: bool) -> AsyncGenerator[Any, Any]:
    try:
        item = await _Stepped(inner.asend(None), enabled)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                await _Stepped(inner.aclose(), enabled)
                raise
            except BaseException as error:
                item = await _Stepped(inner.athrow(error), enabled)
            else:
                item = await _Stepped(inner.asend(sent), enabled)
    except StopAsyncIteration:
        return

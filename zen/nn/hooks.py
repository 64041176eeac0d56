"""Hooks of a module: functions called before and after its forward pass and its backward pass.

A module without hooks has no `Hooks` object and pays nothing. How a call runs with hooks is in `call`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from threading import RLock, local
from typing import Any, Self

from .. import backend
from ..backend import Tensor
from ..ops.register import ROWS
from .base import AnyModule

Hook = Callable[..., Any]
_lock = RLock()  # for registering and removing, which put a new dict in place of one that a call may be reading


class Hooks:
    """The hooks of one module, each kind a dict of (function, takes keywords) in the order of their calls."""

    _remembered = ...  # see `zen/program/entering.py`

    def __init__(self) -> None:
        self.before: dict[int, tuple[Hook, bool]] = {}
        self.after: dict[int, tuple[Hook, bool]] = {}
        self.before_backward: dict[int, tuple[Hook, bool]] = {}
        self.after_backward: dict[int, tuple[Hook, bool]] = {}
        self.made = 0
        self.always: set[int] = set()  # of `after`: those that are called even where forward raises

    def add(
        self, kind: str, function: Hook, with_kwargs: bool = False, prepend: bool = False, always: bool = False
    ) -> RemovableHandle:
        if not callable(function):
            raise TypeError(f"a hook must be callable, not {type(function).__name__}")
        with _lock:
            key = self.made = self.made + 1
            if always:
                self.always.add(key)
            entry, hooks = {key: (function, with_kwargs)}, getattr(self, kind)
            setattr(self, kind, entry | hooks if prepend else hooks | entry)
        return RemovableHandle(self, kind, key)


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away; as a context manager, at the block's end."""

    def __init__(self, hooks: Hooks, kind: str, key: int) -> None:
        self._hooks, self._kind, self._key = hooks, kind, key

    def remove(self) -> None:
        """Take the hook away; again does nothing."""
        with _lock:
            hooks = dict(getattr(self._hooks, self._kind))
            hooks.pop(self._key, None)
            setattr(self._hooks, self._kind, hooks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def call(module: AnyModule, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` with the module's hooks."""
    result, called = None, 0
    after = list(hooks.after.items())
    try:
        for function, with_kwargs in list(hooks.before.values()):
            args, kwargs = _before(module, function, with_kwargs, args, kwargs)
        watch = None
        if (hooks.before_backward or hooks.after_backward) and backend.grad_enabled():
            watch = _Backward(module, hooks)
            args = tuple([watch.enter(x) for x in args])
        result = module.forward(*args, **kwargs)
        after = list(hooks.after.items())
        for _, hook in after:
            called += 1
            result = _after(module, hook, args, kwargs, result)
        return result if watch is None else watch.leave(result)
    except Exception:
        for key, hook in after[called:]:
            if key in hooks.always:
                try:
                    result = _after(module, hook, args, kwargs, result)
                except Exception as error:
                    warnings.warn(f"a forward hook raised {error!r} after another error", stacklevel=3)
        raise


def _after(
    module: AnyModule, hook: tuple[Hook, bool], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> Any:  # fmt: skip
    function, with_kwargs = hook
    changed = function(module, args, kwargs, result) if with_kwargs else function(module, args, result)
    return result if changed is None else changed


def _before(
    module: AnyModule, function: Hook, with_kwargs: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    changed = function(module, args, kwargs) if with_kwargs else function(module, args)
    if changed is None:
        return args, kwargs
    if not with_kwargs:
        return changed if isinstance(changed, tuple) else (changed,), kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise RuntimeError(
            f"a forward pre-hook of {type(module).__name__} with with_kwargs=True must return None or "
            f"(args, kwargs), not {type(changed).__name__}"
        )
    return changed


class _Seen:
    """The gradients that have arrived in one pass, how many of inputs and outputs have not, and which came last."""

    def __init__(self, sizes: list[int], watched: list[int]) -> None:
        self.last = sum(sizes)
        self.inputs: list[Any] = [None] * sizes[0]
        self.outputs: list[Any] = [None] * sizes[1]
        self.pending = list(watched)


class _Backward:
    """One call whose gradients are watched.

    Tensors that enter and leave pass through an identity of their own, so that the gradients seen are those of this
    call alone. A pass comes to the younger of them first: to the last output, and in the end to the first input. What
    comes out of this order is of a new pass, and the one before has failed or went through a part of the call only.
    """

    def __init__(self, module: AnyModule, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.sizes = [0, 0]  # of inputs, of outputs
        self.watched = [0, 0]  # those of them that have gradients
        self.here = local()  # several threads may run a pass through this call

    def enter(self, x: Any) -> Any:
        k = self.sizes[0]
        self.sizes[0] += 1
        return self._watch(x, 0, lambda g: self._input_gradient(k, g))

    def leave(self, result: Any) -> Any:
        if isinstance(result, (tuple, list)) and not hasattr(result, "_fields"):
            return type(result)([self._leave(x) for x in result])
        return self._leave(result)

    def _leave(self, x: Any) -> Any:
        k = self.sizes[1]
        self.sizes[1] += 1
        return self._watch(x, 1, lambda g: self._output_gradient(k, g))

    def _watch(self, x: Any, side: int, hook: Callable[[Any], Any]) -> Any:
        if not isinstance(x, Tensor) or not x.requires_grad:
            return x
        own = backend.apply(ROWS["positive"], (x,))
        own.register_hook(hook)
        self.watched[side] += 1
        return own

    def _arrived(self, position: int) -> _Seen:
        """The record of the pass that has come to this Tensor, counted from the oldest."""
        seen: _Seen | None = getattr(self.here, "seen", None)
        if seen is None or position >= seen.last:
            seen = self.here.seen = _Seen(self.sizes, self.watched)
        seen.last = position
        return seen

    def _output_gradient(self, k: int, g: Any) -> Any:
        seen = self._arrived(self.sizes[0] + k)
        seen.outputs[k] = g
        seen.pending[1] -= 1
        if seen.pending[1]:
            return None
        replaced = None
        for function, _ in list(self.hooks.before_backward.values()):
            changed = function(self.module, tuple(seen.outputs))
            if changed is not None:
                replaced = seen.outputs[k] = self._single(changed, self.watched[1], "backward pre-hook")
        if not self.watched[0]:
            self._finish(seen)
        return replaced

    def _input_gradient(self, k: int, g: Any) -> Any:
        seen = self._arrived(k)
        seen.inputs[k] = g
        seen.pending[0] -= 1
        return None if seen.pending[0] else self._finish(seen, k)

    def _finish(self, seen: _Seen, k: int | None = None) -> Any:
        self.here.seen = None
        replaced = None
        for function, _ in list(self.hooks.after_backward.values()):
            changed = function(self.module, tuple(seen.inputs), tuple(seen.outputs))
            if changed is not None and k is not None:
                replaced = seen.inputs[k] = self._single(changed, self.watched[0], "backward hook")
        return replaced

    def _single(self, changed: Any, count: int, kind: str) -> Any:
        if count > 1:
            raise RuntimeError(
                f"a {kind} of {type(self.module).__name__} may replace a gradient only where there is one, "
                f"not {count}: the others have already been passed on"
            )
        found = [g for g in changed if g is not None] if isinstance(changed, (tuple, list)) else [changed]
        if len(found) != 1 or not isinstance(found[0], Tensor):
            raise RuntimeError(f"a {kind} of {type(self.module).__name__} must return None or the one new gradient")
        return found[0]

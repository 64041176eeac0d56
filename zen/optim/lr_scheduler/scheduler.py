"""The base of the schedules."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ... import backend
from ..optimizer import Optimizer


class LRScheduler:
    """Sets the learning rates of an optimiser's groups, each from its `initial_lr`, the rate at the start.

    A subclass gives `_at`, the rate in epoch `last_epoch`. Where the schedule is a product of factors it also gives
    `_next`, the rate that follows on the present one, so that schedules can be combined and a rate that was changed by
    hand stays changed. `last_epoch` other than -1 resumes; the groups must then have their `initial_lr`.
    """

    _remembered: ClassVar[tuple[str, ...]] = ()  # by `zen.program`: a step is done as it is

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                raise ValueError(
                    f"{type(self).__name__}: group {k} has no 'initial_lr', which last_epoch={last_epoch} needs; load "
                    "the optimiser's state dict first, or start with last_epoch=-1"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr: list[float] = []
        self._begin()

    def _begin(self) -> None:
        """The step that the constructor makes, into epoch 0."""
        self._step_count = 1
        self.last_epoch += 1
        self._set([self._next(group, base, True) for group, base in self._pairs()])

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to the one given, and set the learning rates."""
        tracer = backend.tracer()
        if tracer is not None:
            return tracer.call(lambda: self.step(epoch), [], f"{type(self).__name__}.step")  # type: ignore[no-any-return]
        self._step_count += 1
        self._move_to(epoch)

    def _move_to(self, epoch: int | None) -> None:
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr())
        else:
            self.last_epoch = epoch
            self._set([self._at(base) for _, base in self._pairs()])

    def get_lr(self) -> list[float]:
        """The rates that follow on the present ones, for the epoch that `step()` has just entered."""
        return [self._next(group, base, False) for group, base in self._pairs()]

    def get_last_lr(self) -> list[float]:
        """The learning rates of the groups, as the schedule last set them."""
        tracer = backend.tracer()
        if tracer is not None:
            tracer.give_up(f"{type(self).__name__}.get_last_lr, which changes from step to step")
        return list(self._last_lr)

    def _at(self, base: float) -> float:
        raise NotImplementedError(f"{type(self).__name__} has no _at")

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        """The rate of a group; `first` in the constructor's step."""
        return self._at(base)

    def _pairs(self) -> list[tuple[dict[str, Any], float]]:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__}: the optimiser has {len(groups)} groups, but had {len(self.base_lrs)} when the "
                "schedule was made; make it after the last add_param_group"
            )
        return list(zip(groups, self.base_lrs, strict=True))

    def _set(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = list(rates)

    def __repr__(self) -> str:
        hidden = ("optimizer", "base_lrs")
        shown = {name: value for name, value in vars(self).items() if name not in hidden and not name.startswith("_")}
        settings = [f"{name}={value!r}" for name, value in (shown | {"lr": self._last_lr}).items()]
        return f"{type(self).__name__}({', '.join(settings)})"

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser: plain numbers, strings and lists."""
        return {
            key: list(value) if isinstance(value, list) else value
            for key, value in vars(self).items()
            if key != "optimizer"
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned; ValueError if it is of another kind of schedule.

        The optimiser's rates are not set: they are in its own state dict.
        """
        expected, found = set(self.state_dict()), set(state_dict)
        if expected != found:
            raise ValueError(
                f"{type(self).__name__}: the state dict does not fit: missing {sorted(expected - found)}, unknown "
                f"{sorted(found - expected)}"
            )
        for key, value in state_dict.items():
            self._check_loaded(key, value)
        for key, value in state_dict.items():
            setattr(self, key, list(value) if isinstance(value, list) else value)

    def _check_loaded(self, key: str, value: Any) -> None:
        own, name = vars(self)[key], type(self).__name__
        if _kind(value) != _kind(own):
            raise ValueError(f"{name}: {key} was saved as {value!r:.80}; expected a {_kind(own)}")
        if key in ("base_lrs", "_last_lr", "min_lrs"):
            count = len(self.optimizer.param_groups)
            if len(value) != count or any(_kind(rate) != "number" for rate in value):
                raise ValueError(
                    f"{name}: {key} was saved as {value!r:.80}; expected {count} numbers, one for each group"
                )


class ByEpoch(LRScheduler):
    """A schedule whose rates depend on the epoch, and not on the present rates: a subclass gives `get_lr` or `_next`.

    `FUNCTIONS` names lists of functions, which are not saved (None); of callable objects the attributes are.
    """

    FUNCTIONS: ClassVar[tuple[str, ...]] = ()

    def _begin(self) -> None:
        self._step_count = 1
        self._move_to(None)

    def _move_to(self, epoch: int | None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.get_lr())

    def state_dict(self) -> dict[str, Any]:
        """As in LRScheduler. Functions are not saved (None); of callable objects the attributes are."""
        saved = {name: [_attributes(f) for f in getattr(self, name)] for name in self.FUNCTIONS}
        return {**super().state_dict(), **saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As in LRScheduler; functions stay as they are, callable objects get the saved attributes."""
        own = {name: getattr(self, name) for name in self.FUNCTIONS}
        super().load_state_dict(state_dict)
        for name, functions in own.items():
            setattr(self, name, functions)
            for function, attributes in zip(functions, state_dict[name], strict=True):
                if attributes is not None:
                    vars(function).update(attributes)


def _attributes(function: Any) -> dict[str, Any] | None:
    plain = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
    return None if isinstance(function, plain) or not hasattr(function, "__dict__") else dict(vars(function))


def _kind(value: Any) -> str:
    if isinstance(value, (int, float, np.integer, np.floating)):
        return "number"
    return "list" if isinstance(value, (list, tuple)) else type(value).__name__


def check_optimizer(schedule: LRScheduler, optimizer: Any) -> None:
    """TypeError unless `optimizer` is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(schedule).__name__}: expected an Optimizer, not {type(optimizer).__name__}")


def for_groups(schedule: LRScheduler, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """`value` for each group: itself, or the elements of a list of that length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{type(schedule).__name__}: {name} has {len(value)} values for {count} groups")
    return list(value)


def check_positive(schedule: LRScheduler, name: str, value: Any) -> None:
    """ValueError unless `value` is a whole number > 0."""
    if not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"{type(schedule).__name__}: {name} is {value!r}; expected a whole number > 0")

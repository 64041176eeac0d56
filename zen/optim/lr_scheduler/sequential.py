"""Schedules made of others: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, check_optimizer


class _Combined(LRScheduler):
    """What holds other schedules of one optimiser."""

    _schedulers: list[LRScheduler]

    def _hold(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
        name = type(self).__name__
        for k, schedule in enumerate(schedulers):
            if isinstance(schedule, ReduceLROnPlateau):
                raise ValueError(f"{name}: schedule {k} is a ReduceLROnPlateau, whose step takes a metric")
            if schedule.optimizer is not optimizer:
                raise ValueError(f"{name}: schedule {k} belongs to another optimiser")
        self.optimizer, self._schedulers = optimizer, list(schedulers)

    def _undo(self) -> None:
        """Take back the step into epoch 0 that each constructor made."""
        for schedule in self._schedulers:
            if isinstance(schedule, _Combined):
                schedule._undo()
            else:
                schedule.last_epoch -= 1

    def get_lr(self) -> list[float]:
        """The present rates."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """As in LRScheduler, with the state dicts of the schedules."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As in LRScheduler; ValueError if the number of schedules differs."""
        schedules, saved = self._schedulers, state_dict.get("_schedulers", [])
        if len(saved) != len(schedules):
            raise ValueError(
                f"{type(self).__name__}: {len(saved)} schedules were saved, but there are {len(schedules)}"
            )
        super().load_state_dict({**state_dict, "_schedulers": []})
        self._schedulers = schedules
        for schedule, state in zip(schedules, saved, strict=True):
            schedule.load_state_dict(state)


class SequentialLR(_Combined):
    """The first schedule until epoch milestones[0], the second until milestones[1], and so on, each from its epoch 0.

    ValueError if there is not one milestone fewer than schedules, for a schedule of another optimiser, and for
    ReduceLROnPlateau, whose step takes a metric.

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> warm_up = zen.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
    >>> decay = zen.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> schedule = zen.optim.lr_scheduler.SequentialLR(opt, [warm_up, decay], milestones=[2])
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(4):
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> rates
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedules need {max(len(schedulers) - 1, 0)} milestones, "
                f"not {len(milestones)}"
            )
        self._hold(schedulers, optimizer)
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self._undo()
        active = self._active()
        active._begin()
        self._last_lr = active.get_last_lr()

    def _begin(self) -> None:
        self._active()._begin()

    def _active(self) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, self.last_epoch)]

    def _move_to(self, epoch: int | None) -> None:
        self.step(epoch)

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch; ValueError for another one, since schedules depend on what came before."""
        if epoch is not None and epoch != self.last_epoch + 1:
            raise ValueError(f"SequentialLR: cannot jump to epoch {epoch}; step() goes to {self.last_epoch + 1}")
        self.last_epoch += 1
        active = self._active()
        if self.last_epoch in self._milestones:
            active._move_to(0)
        else:
            active.step()
        self._last_lr = active.get_last_lr()

    def __repr__(self) -> str:
        inner = ", ".join(map(repr, self._schedulers))
        return f"SequentialLR([{inner}], milestones={self._milestones}, last_epoch={self.last_epoch})"


class ChainedScheduler(_Combined):
    """Several schedules at once: each step is one of every schedule, in their order, so that their factors multiply.

    optimizer: theirs, if it is given. ValueError for no schedules, for schedules of different optimisers, and for
    ReduceLROnPlateau, whose step takes a metric.

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> warm_up = zen.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=2)
    >>> decay = zen.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> schedule = zen.optim.lr_scheduler.ChainedScheduler([warm_up, decay])
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(3):
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: give at least one schedule")
        self._hold(schedulers, schedulers[0].optimizer if optimizer is None else optimizer)
        self._last_lr = self.get_lr()

    def _begin(self) -> None:
        for schedule in self._schedulers:
            schedule._begin()
        self._last_lr = self.get_lr()

    def _move_to(self, epoch: int | None) -> None:
        for schedule in self._schedulers:
            schedule._move_to(epoch)
        self._last_lr = self.get_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch; ValueError for another one, to which factors cannot jump together."""
        if epoch is not None:
            raise ValueError(f"ChainedScheduler: cannot jump to epoch {epoch}; step() goes to the next one")
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = self.get_lr()

    def __repr__(self) -> str:
        return f"ChainedScheduler([{', '.join(map(repr, self._schedulers))}])"

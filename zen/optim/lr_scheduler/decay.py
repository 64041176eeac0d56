"""Schedules that multiply the learning rate: by a function, in steps, or along a curve."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .scheduler import ByEpoch, LRScheduler, check_optimizer, check_positive, for_groups


class LambdaLR(ByEpoch):
    """initial_lr * lr_lambda(epoch); a list gives one function for each group. ValueError for a wrong number of them.

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=0.5)
    >>> schedule = zen.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 1 / (1 + epoch))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    FUNCTIONS = ("lr_lambdas",)

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.lr_lambdas: list[Any] = for_groups(self, "lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of the epoch."""
        return [
            base * function(self.last_epoch) for (_, base), function in zip(self._pairs(), self.lr_lambdas, strict=True)
        ]


class MultiplicativeLR(LambdaLR):
    """Multiplies the rate by lr_lambda(epoch) in each epoch from 1 on; a list gives one function for each group.

    ValueError for a wrong number of functions.

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=0.5)
    >>> schedule = zen.optim.lr_scheduler.MultiplicativeLR(opt, lambda epoch: 1 / (1 + epoch))
    >>> schedule.step()
    >>> schedule.step()
    >>> f"{schedule.get_last_lr()[0]:.4f}"
    '0.0833'
    """

    def get_lr(self) -> list[float]:
        """The rates that follow on the present ones."""
        epoch = self.last_epoch
        return [
            group["lr"] * (function(epoch) if epoch > 0 else 1.0)
            for (group, _), function in zip(self._pairs(), self.lr_lambdas, strict=True)
        ]

    def _move_to(self, epoch: int | None) -> None:
        if epoch is None:
            super()._move_to(None)
            return
        self.last_epoch = epoch
        self._set([
            base * math.prod(function(k) for k in range(1, epoch + 1))
            for (_, base), function in zip(self._pairs(), self.lr_lambdas, strict=True)
        ])  # fmt: skip


class StepLR(LRScheduler):
    """Multiplies the rate by gamma every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_positive(self, "step_size", step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _at(self, base: float) -> float:
        return float(base * self.gamma ** (self.last_epoch // self.step_size))

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        due = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return float(group["lr"]) * (self.gamma if due else 1)


class MultiStepLR(LRScheduler):
    """Multiplies the rate by gamma in each epoch of `milestones`; one that is given twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _at(self, base: float) -> float:
        return float(base * self.gamma ** bisect_right(self.milestones, self.last_epoch))

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        return float(group["lr"] * self.gamma ** self.milestones.count(self.last_epoch))


class ExponentialLR(LRScheduler):
    """Multiplies the rate by gamma in each epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _at(self, base: float) -> float:
        return float(base * self.gamma**self.last_epoch)

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        return float(group["lr"]) * (1 if first else self.gamma)


class ConstantLR(LRScheduler):
    """initial_lr * factor until epoch `total_iters`, initial_lr then on. ValueError for a factor outside (0, 1]."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: factor is {factor}; expected a number in (0, 1]")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _at(self, base: float) -> float:
        return base * (1 if self.last_epoch >= self.total_iters else self.factor)

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        if self.last_epoch == 0:
            return float(group["lr"]) * self.factor
        return float(group["lr"]) * (1 / self.factor if self.last_epoch == self.total_iters else 1)


class LinearLR(LRScheduler):
    """A line from initial_lr * start_factor to initial_lr * end_factor in `total_iters` epochs: a warm-up.

    ValueError for a start_factor outside (0, 1] and an end_factor outside [0, 1].

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = zen.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(3):
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> rates
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: start_factor is {start_factor}; expected a number in (0, 1]")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor is {end_factor}; expected a number in [0, 1]")
        check_positive(self, "total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        share = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share

    def _at(self, base: float) -> float:
        return base * self._factor(self.last_epoch)

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        lr, epoch = float(group["lr"]), self.last_epoch
        if epoch == 0:
            return lr * self.start_factor
        return lr if first or epoch > self.total_iters else lr * (self._factor(epoch) / self._factor(epoch - 1))


class PolynomialLR(LRScheduler):
    """initial_lr * (1 - epoch / total_iters) ** power, zero from epoch `total_iters` on."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        check_positive(self, "total_iters", total_iters)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _left(self, epoch: int) -> float:
        return 1 - min(epoch, self.total_iters) / self.total_iters

    def _at(self, base: float) -> float:
        return float(base * self._left(self.last_epoch) ** self.power)

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        lr, epoch = float(group["lr"]), self.last_epoch
        if first or epoch > self.total_iters:
            return lr
        return float(lr * (self._left(epoch) / self._left(epoch - 1)) ** self.power)

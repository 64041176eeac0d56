"""The schedule that waits for progress to stop."""

from __future__ import annotations

import math
from typing import Any

from ... import backend
from ..optimizer import Optimizer, number
from .scheduler import LRScheduler, check_optimizer, for_groups


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rate by `factor` when a metric has not improved for more than `patience` epochs.

    `step(metrics)` takes the metric, which is to fall (mode "min") or to rise ("max"). It has improved if it is better
    than the best so far by more than the share `threshold` of it (threshold_mode "rel") or by more than `threshold`
    ("abs"). After a reduction bad epochs are not counted for `cooldown` epochs. Rates stay at `min_lr` (a list gives
    one for each group) or above; a change of at most `eps` is not made. nan is never better. ValueError
    for arguments out of range.

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = zen.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer(self, optimizer)
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor is {factor}; expected a number in [0, 1)")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode is {mode!r}; expected 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: threshold_mode is {threshold_mode!r}; expected 'rel' or 'abs'")
        self.optimizer = optimizer
        self.mode, self.factor, self.patience, self.cooldown, self.eps = mode, factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lrs: list[float] = for_groups(self, "min_lr", min_lr, optimizer)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = [float(group["lr"]) for group in optimizer.param_groups]

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take in the metric of an epoch, a number or a Tensor of one element."""
        tracer = backend.tracer()
        if tracer is not None:
            tracer.give_up("ReduceLROnPlateau.step, which looks at a metric")
        metric = number(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def _better(self, metric: float) -> bool:
        if math.isnan(self.best):  # from a state that was saved so: any number is better
            return not math.isnan(metric)
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs":
            return sign * metric < sign * self.best - self.threshold
        return sign * metric < sign * self.best * (1 - sign * self.threshold)

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            raise ValueError(
                f"ReduceLROnPlateau: the optimiser has {len(groups)} groups, but had {len(self.min_lrs)} when the "
                "schedule was made; make it after the last add_param_group"
            )
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                group["lr"] = new

    def get_lr(self) -> list[float]:
        """The present rates."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

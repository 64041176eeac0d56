"""The one-cycle schedule."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler, check_optimizer, check_positive, for_groups


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to max_lr, then down to max_lr / div_factor / final_div_factor; one step per batch.

    The way up takes the share `pct_start` of the steps; with `three_phase` the way down to the start takes as long,
    and the rest goes on to the end. `anneal_strategy` is "cos" or "linear". With `cycle_momentum`, momentum (or the
    first of betas) goes the other way, between max_momentum and base_momentum. The number of steps is `total_steps`, or
    epochs * steps_per_epoch. Rates and momenta may be lists, one for each group. ValueError for arguments out of range,
    for an optimiser without momentum where it is to be cycled, and for more steps than there are.

    Source: Smith, Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
            check_positive(self, "epochs", epochs)
            check_positive(self, "steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        check_positive(self, "total_steps", total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is {pct_start}; expected a number in [0, 1]")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is {anneal_strategy!r}; expected 'cos' or 'linear'")
        self.total_steps, self.pct_start, self.anneal_strategy = total_steps, pct_start, anneal_strategy
        self.cycle_momentum, self.three_phase = cycle_momentum, three_phase
        rates = for_groups(self, "max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group |= {"initial_lr": rate / div_factor, "max_lr": rate}
                group["min_lr"] = group["initial_lr"] / final_div_factor
        if cycle_momentum:
            self._prepare_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _prepare_momentum(self, optimizer: Optimizer, base: Any, largest: Any, last_epoch: int) -> None:
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(
                f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas; pass cycle_momentum=False"
            )
        low, high = (
            for_groups(self, "base_momentum", base, optimizer),
            for_groups(self, "max_momentum", largest, optimizer),
        )
        if last_epoch == -1:
            for group, a, b in zip(optimizer.param_groups, low, high, strict=True):
                group |= {"base_momentum": a, "max_momentum": b}

    def _phases(self) -> list[tuple[float, str, str, str, str]]:
        """(last step, rate at its start, rate at its end, the same for momentum) of each phase."""
        top = self.pct_start * self.total_steps - 1
        up = (top, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        end = self.total_steps - 1.0
        if not self.three_phase:
            return [up, (end, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        down = (2 * top, "max_lr", "initial_lr", "base_momentum", "max_momentum")
        return [up, down, (end, "initial_lr", "min_lr", "max_momentum", "max_momentum")]

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: step {step} of a schedule of {self.total_steps} steps")
        start, phases = 0.0, self._phases()
        while step > phases[0][0] and len(phases) > 1:
            start = phases.pop(0)[0]
        end, lr0, lr1, momentum0, momentum1 = phases[0]
        share = (step - start) / (end - start) if end != start else 1.0
        if self.cycle_momentum:
            momentum = self._between(group[momentum0], group[momentum1], share)
            if "betas" in self.optimizer.defaults:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum
        return self._between(group[lr0], group[lr1], share)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

    def _move_to(self, epoch: int | None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.get_lr())

"""Schedules that go up and down: one cycle, or many."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .scheduler import ByEpoch, LRScheduler, check_optimizer, check_positive, for_groups


class OneCycleLR(ByEpoch):
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
        check_momentum(self, optimizer)
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
            set_momentum(self.optimizer, group, self._between(group[momentum0], group[momentum1], share))
        return self._between(group[lr0], group[lr1], share)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


class CyclicLR(ByEpoch):
    """From base_lr up to max_lr in `step_size_up` steps, down again in `step_size_down`, and so on; one step per batch.

    `mode`: "triangular" keeps the height of the cycles, "triangular2" halves it in each, "exp_range" multiplies it by
    `gamma` in each step. Or `scale_fn` gives a factor on the height, of the number of the cycle, from 1 on, or of the
    step, as `scale_mode` says: "cycle" or "iterations". step_size_down: as step_size_up if None. With `cycle_momentum`,
    momentum (or the first of betas) goes the other way, between max_momentum and base_momentum. Rates and momenta may
    be lists, one for each group. ValueError for another mode, for step sizes that are not positive, and for an
    optimiser without momentum where it is to be cycled.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).

    >>> opt = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = zen.optim.lr_scheduler.CyclicLR(opt, 0.25, 1.25, step_size_up=2, cycle_momentum=False)
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(4):
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> rates
    [0.25, 0.75, 1.25, 0.75, 0.25]
    """

    FUNCTIONS = ("_scale_fns",)

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        down = step_size_up if step_size_down is None else step_size_down
        for name, size in (("step_size_up", step_size_up), ("step_size_down", down)):
            if not size > 0:
                raise ValueError(f"CyclicLR: {name} is {size}; expected a number > 0")
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"CyclicLR: mode is {mode!r}; expected 'triangular', 'triangular2' or 'exp_range'")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"CyclicLR: scale_mode is {scale_mode!r}; expected 'cycle' or 'iterations'")
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self._scale_fns = mode, gamma, [scale_fn]
        self.scale_mode = "iterations" if scale_fn is None and mode == "exp_range" else scale_mode
        self.cycle_momentum = cycle_momentum
        self.max_lrs = for_groups(self, "max_lr", max_lr, optimizer)
        if cycle_momentum:
            check_momentum(self, optimizer)
            self.base_momentums = for_groups(self, "base_momentum", base_momentum, optimizer)
            self.max_momentums = for_groups(self, "max_momentum", max_momentum, optimizer)
        for group, rate in zip(optimizer.param_groups, for_groups(self, "base_lr", base_lr, optimizer), strict=True):
            if last_epoch == -1 or "initial_lr" in group:
                group["initial_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _scale(self) -> float:
        """How far the rates are on the way from the base to the top."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle
        share = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        at = cycle if self.scale_mode == "cycle" else self.last_epoch
        (scale_fn,) = self._scale_fns
        if scale_fn is not None:
            return share * float(scale_fn(at))
        return share * {"triangular": 1.0, "triangular2": 0.5 ** (cycle - 1), "exp_range": self.gamma**at}[self.mode]

    def get_lr(self) -> list[float]:
        """The rates of the step."""
        scale, pairs = self._scale(), self._pairs()
        if self.cycle_momentum:
            for (group, _), low, high in zip(pairs, self.base_momentums, self.max_momentums, strict=True):
                set_momentum(self.optimizer, group, high - (high - low) * scale)
        return [base + (top - base) * scale for (_, base), top in zip(pairs, self.max_lrs, strict=True)]


def check_momentum(schedule: LRScheduler, optimizer: Optimizer) -> None:
    """ValueError for an optimiser that has no momentum to cycle."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            f"{type(schedule).__name__}: {type(optimizer).__name__} has neither momentum nor betas; pass "
            "cycle_momentum=False"
        )


def set_momentum(optimizer: Optimizer, group: dict[str, Any], momentum: float) -> None:
    """Set the momentum of a group, or the first of its betas."""
    if "betas" in optimizer.defaults:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum

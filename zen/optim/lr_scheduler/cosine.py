"""Schedules along a cosine."""

from __future__ import annotations

import math
from typing import Any

from ... import backend
from ..optimizer import Optimizer
from .scheduler import LRScheduler, check_positive


class CosineAnnealingLR(LRScheduler):
    """eta_min + (initial_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2; after T_max the rate rises again.

    Source: Loshchilov, Hutter, "SGDR" (ICLR 2017), equation 5, without restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:  # noqa: N803
        check_positive(self, "T_max", T_max)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _height(self, epoch: float) -> float:
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2

    def _at(self, base: float) -> float:
        return self.eta_min + (base - self.eta_min) * self._height(self.last_epoch)

    def _next(self, group: dict[str, Any], base: float, first: bool) -> float:
        lr, epoch = float(group["lr"]), self.last_epoch
        if first:
            return lr
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the rate is at its least, with nothing to multiply
            return lr + (base - self.eta_min) * (1 - self._height(1))
        return self.eta_min + (lr - self.eta_min) * self._height(epoch) / self._height(epoch - 1)


class CosineAnnealingWarmRestarts(LRScheduler):
    """The cosine from initial_lr to eta_min, started again after T_0 epochs, then after T_0 * T_mult, and so on.

    `step(epoch)` may be given fractions of an epoch, for a schedule by batches. ValueError for T_0 or T_mult that are
    not whole numbers above zero, and for a negative epoch.

    Source: Loshchilov, Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (ICLR 2017), equation 5.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_positive(self, "T_0", T_0)
        check_positive(self, "T_mult", T_mult)
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = 0
        self._find(max(last_epoch, 0))
        super().__init__(optimizer, last_epoch)

    def _at(self, base: float) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def _find(self, epoch: float) -> None:
        """Set the length T_i of the cycle that `epoch` is in, and the place T_cur in it."""
        self.T_i, self.T_cur = self.T_0, epoch
        if self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult

    def _begin(self) -> None:
        self._step_count = 1
        self._move_to(None)

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to the one given, which may be a fraction, and set the learning rates."""
        tracer = backend.tracer()
        if tracer is not None:
            return tracer.call(lambda: self.step(epoch), [], f"{type(self).__name__}.step")  # type: ignore[no-any-return]
        if epoch is not None and epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: epoch is {epoch}; expected a number >= 0")
        self._step_count += 1
        self._move_to(epoch)

    def _move_to(self, epoch: float | None) -> None:
        if epoch is None and self.last_epoch >= 0:  # one on from where it is, also from a fraction
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
            self.last_epoch += 1
        else:
            self._find(epoch or 0)
            self.last_epoch = math.floor(epoch or 0)
        self._set([self._at(base) for _, base in self._pairs()])

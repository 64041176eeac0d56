"""Callbacks that come with `fit`: early stopping and checkpoints."""

from __future__ import annotations

import math
import os
import re
from typing import Any

import numpy as np

from ..serialize import name_of, read, save
from .loop import Callback, Training


class _Best:
    """Whether a number is the best so far. nan never is, nor is the worst infinity."""

    def __init__(self, monitor: str, mode: str, min_delta: float, what: str) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f'{what}: mode must be "min" or "max", not {mode!r}')
        if not math.isfinite(min_delta):
            raise ValueError(f"{what}: min_delta must be a finite number, not {min_delta!r}")
        self.owner, self.monitor, self.mode, self.min_delta = what, monitor, mode, abs(min_delta)
        self.value = math.inf  # of what is to fall; the negative of what is to grow

    def improved(self, training: Training) -> bool:
        now = training.history.series(self.monitor)[-1] * (1 if self.mode == "min" else -1)
        if not now < self.value - self.min_delta:
            return False
        self.value = now
        return True

    def begin(self, training: Training) -> bool:
        """Check the name; forget an earlier run, which is over when another one is at its first epoch."""
        training.check_monitor(self.owner, self.monitor)
        if training.epoch == 0:
            self.value = math.inf
        return training.epoch == 0

    def restore(self, value: float | None) -> None:
        self.value = math.inf if value is None or math.isnan(value) else value

    def __repr__(self) -> str:
        return f"monitor={self.monitor!r}, mode={self.mode!r}, min_delta={self.min_delta!r}"


class EarlyStopping(Callback):
    """End the run when a number has not improved for `patience` epochs.

    monitor: "validation_loss", "loss" or the name of a metric. min_delta: smaller changes do not count. mode: "min", or
    "max" for what should grow. restore_best: leave the model as it was in the best epoch. nan is never an improvement;
    where no epoch was one, the model stays as the last left it.

    Raises ValueError for a patience below 1, an unknown mode or a min_delta that is not finite; KeyError, before the
    first epoch, for a number that the run does not measure.
    """

    def __init__(
        self, patience: int = 10, monitor: str = "validation_loss", *, min_delta: float = 0.0, mode: str = "min",
        restore_best: bool = True,
    ) -> None:  # fmt: skip
        if not patience >= 1:
            raise ValueError(f"EarlyStopping: patience is a number of epochs, at least 1, not {patience}")
        self.patience, self.restore_best = patience, restore_best
        self.best = _Best(monitor, mode, min_delta, "EarlyStopping")
        self.best_epoch = 0
        self._kept: dict[str, np.ndarray] = {}

    def on_start(self, training: Training) -> None:
        if self.best.begin(training):
            self.best_epoch, self._kept = 0, {}
        elif training.epoch - self.best_epoch >= self.patience:  # the run that is resumed had ended here
            training.stop = True

    def on_epoch_end(self, training: Training) -> None:
        if self.best.improved(training):
            self.best_epoch = training.epoch
            if self.restore_best:
                self._kept = {name: np.array(t._array) for name, t in training.model.state_dict().items()}
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop = True

    def on_end(self, training: Training) -> None:
        if self.restore_best and self._kept and self.best_epoch < training.epoch:
            training.model.load_state_dict(self._kept)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best.value, "best_epoch": self.best_epoch, "kept": dict(self._kept)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best.restore(state["best"])
        self.best_epoch, self._kept = state["best_epoch"], dict(state["kept"])

    def __repr__(self) -> str:
        return f"EarlyStopping(patience={self.patience}, {self.best!r}, restore_best={self.restore_best})"


class Checkpoint(Callback):
    """Save the run after epochs, for `fit(..., resume=path)`.

    path: a safetensors file, replaced as a whole each time, so that it is complete at any moment; `{epoch}`, or with a
        format `{epoch:03d}`, in it is replaced by the number of the epoch.
    every: epochs between two files. best_only: only when `monitor` has improved (`mode` and `min_delta` as in
        `EarlyStopping`); nan never is an improvement. Needs safetensors (extra `save`).

    Put it last among the callbacks: it saves what those before it have made of the epoch.
    """

    def __init__(
        self, path: str | os.PathLike[str], every: int = 1, *, best_only: bool = False,
        monitor: str = "validation_loss", mode: str = "min", min_delta: float = 0.0,
    ) -> None:  # fmt: skip
        if not every >= 1:
            raise ValueError(f"Checkpoint: every is a number of epochs, at least 1, not {every}")
        self.path, self.every, self.best_only = os.fspath(path), every, best_only
        self.best = _Best(monitor, mode, min_delta, "Checkpoint")

    def on_start(self, training: Training) -> None:
        if self.best_only:
            self.best.begin(training)

    def on_epoch_end(self, training: Training) -> None:
        if self.best_only:
            if self.best.improved(training):
                self.save(training)
        elif training.epoch % self.every == 0:
            self.save(training)

    def save(self, training: Training) -> None:
        path = re.sub(r"\{epoch(?::([^{}]*))?\}", lambda found: format(training.epoch, found[1] or ""), self.path)
        save_checkpoint(path, training)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best.restore(state["best"])

    def __repr__(self) -> str:
        when = f"best_only=True, {self.best!r}" if self.best_only else f"every={self.every}"
        return f"Checkpoint({self.path!r}, {when})"


def save_checkpoint(path: str | os.PathLike[str], training: Training) -> None:
    """Write model, optimiser and the state of the run to one file."""
    save(path, training.model, training.optimiser, training=training.state_dict())


def load_checkpoint(path: str | os.PathLike[str], training: Training) -> None:
    """Read what `save_checkpoint` wrote. ValueError, naming the file, if it is none, does not fit or is damaged."""
    where = f"resume: {name_of(path)}"
    content = read(path, where)
    state = content.metadata.get("training")
    if not isinstance(state, dict):
        raise ValueError(f"{where} is not a checkpoint of zen.fit; `zen.load` reads it into a model")
    try:
        training.check_state(state)
        content.check(where, training.model, training.optimiser)
        training.load_state_dict(state)
    except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{where}: the state of the run is damaged ({error!r})") from error
    except ValueError as error:
        error.add_note(where)
        raise
    content.copy_into(where, training.model, training.optimiser)

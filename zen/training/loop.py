"""One run of `fit`: epochs of batches, validation, and what it calls at certain moments."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import random
from ..backend import Tensor
from ..extras import missing
from ..modes import no_grad
from ..optim import LBFGS, clip_grad_norm_
from .history import History

Metric = Callable[[Any, Any], Any]


class Callback:
    """Base class: override what you need. `training` is the run: its model, optimiser, history, epoch and `stop`.

    A callback that keeps something from epoch to epoch returns it from `state_dict`, as numbers, strings, arrays, and
    lists and dicts of them, and takes it back in `load_state_dict`. Then a resumed run continues exactly.
    """

    def on_start(self, training: Training) -> None:
        """Before the first epoch, of a resumed run as well."""

    def on_epoch_start(self, training: Training) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, training: Training, batch: int, loss: float) -> None:
        """After the step for a batch, the first being 0."""

    def on_epoch_end(self, training: Training) -> None:
        """After the validation; `training.epoch` counts this epoch already."""

    def on_end(self, training: Training) -> None:
        """After the last epoch. Not called when an error ends the run."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Training:
    """One run of `fit`: what callbacks see, and what a checkpoint holds.

    model, optimiser, loader, validation, schedulers, callbacks: as given. history: see `History`. epoch: the number of
    complete epochs. stop: set it to True to end the run after the epoch.
    """

    def __init__(
        self, model: Any, loader: Any, loss: Callable[..., Any], optimiser: Any, validation: Any,
        callbacks: Sequence[Callback], schedulers: dict[str, Any], metrics: Mapping[str, Metric],
        clip_norm: float | None,
    ) -> None:  # fmt: skip
        self.model, self.loader, self.loss, self.optimiser = model, loader, loss, optimiser
        self.validation, self.callbacks, self.schedulers = validation, callbacks, schedulers
        self.metrics, self.clip_norm = metrics, clip_norm
        self.history = History()
        self.epoch = 0
        self.stop = False

    def run(self, epochs: int, progress: bool) -> None:
        """Train until `epochs` epochs are complete."""
        was_training = self.model.training
        bar = _Bar(self, epochs) if progress else None
        try:
            self.run_epochs(epochs, bar)
        finally:
            self.model.train(was_training)
            if bar is not None:
                bar.close()

    def run_epochs(self, epochs: int, bar: _Bar | None) -> None:
        self.call("on_start")
        while self.epoch < epochs and not self.stop:
            self.run_epoch(bar)
        self.call("on_end")

    def run_epoch(self, bar: _Bar | None) -> None:
        started = time.perf_counter()
        self.call("on_epoch_start")
        history = self.history
        rates = [float(group["lr"]) for group in self.optimiser.param_groups]
        self.model.train()
        averages = _Averages()
        metrics = {} if self.validation is not None else self.metrics
        for number, batch in enumerate(self.loader):
            value, output, target = self.train_batch(batch, number)
            averages.add(_samples(target), {"loss": value, **_measured(metrics, output, target)})
            self.call("on_batch_end", number, value)
            if bar is not None:
                bar.advance(value)
        if not averages.count:
            raise ValueError("fit: the loader gave no batch; check its dataset's length, batch_size and drop_last")
        if self.validation is not None:
            averages.merge(self.evaluate())
        found = averages.means()
        history.loss.append(found.pop("loss"))
        if self.validation is not None:
            history.validation_loss.append(found.pop("validation_loss"))
        for name, mean in found.items():
            history.metrics.setdefault(name, []).append(mean)
        history.lr.append(rates)
        self.epoch += 1
        self.advance_scheduler()
        history.seconds.append(time.perf_counter() - started)
        self.call("on_epoch_end")
        if bar is not None:
            bar.epoch_done()

    def train_batch(self, batch: Any, number: int) -> tuple[float, Any, Any]:
        """(loss, output, target) of one step."""
        inputs, target = _parts(batch)
        found: list[Any] = []

        def closure() -> Tensor:
            output = self.model(*inputs)
            loss: Tensor = self.loss(output, target)
            if not found:  # a line search may try what is not finite
                found[:] = self.checked(loss, number), output
            self.optimiser.zero_grad()
            loss.backward()
            if self.clip_norm is not None:
                clip_grad_norm_([p for group in self.optimiser.param_groups for p in group["params"]], self.clip_norm)
            return loss

        if isinstance(self.optimiser, LBFGS):
            self.optimiser.step(closure)
        else:
            closure()
            self.optimiser.step()
        step = self.schedulers.get("step")
        if step is not None:
            step.step()
        return found[0], found[1], target

    def checked(self, loss: Any, number: int) -> float:
        """The loss as a number; raises for one that cannot be trained with."""
        if not isinstance(loss, Tensor) or loss.size != 1:
            what = f"a Tensor of shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
            raise TypeError(f"fit: the loss must give a Tensor of one element, not {what}")
        value = float(loss.item())
        if not math.isfinite(value):
            raise FloatingPointError(
                f"fit: the loss is {value} in epoch {self.epoch + 1}, batch {number + 1}; the parameters are those "
                "before this step. A smaller learning rate or clip_norm may help"
            )
        return value

    def evaluate(self) -> _Averages:
        """Loss and metrics of the validation data."""
        averages = _Averages()
        self.model.eval()
        with no_grad():
            for batch in self.validation:
                inputs, target = _parts(batch)
                output = self.model(*inputs)
                loss = float(self.loss(output, target).item())
                averages.add(_samples(target), {"validation_loss": loss, **_measured(self.metrics, output, target)})
        self.model.train()
        if not averages.count:
            raise ValueError("fit: the validation loader gave no batch")
        return averages

    def advance_scheduler(self) -> None:
        scheduler = self.schedulers.get("epoch")
        if scheduler is None:
            return
        if hasattr(scheduler, "patience"):  # ReduceLROnPlateau is steered by what was reached
            last = self.history.last()
            scheduler.step(last.get("validation_loss", last["loss"]))
        else:
            scheduler.step()

    def call(self, moment: str, *values: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self, *values)

    def check_monitor(self, what: str, name: str) -> None:
        """KeyError where no epoch of this run will give a number of this name."""
        known = ["loss", *(["validation_loss"] if self.validation is not None else []), *self.metrics]
        if name not in known:
            hint = "; give fit validation=" if name == "validation_loss" else ""
            raise KeyError(f"{what}: the history has no {name!r}; it has {', '.join(map(repr, known))}{hint}")

    def state_dict(self) -> dict[str, Any]:
        """What continuing needs besides model and optimiser."""
        return {
            "epoch": self.epoch,
            "history": self.history.state_dict(),
            "random": random.get_state(),
            "loader": self.loader.state_dict() if hasattr(self.loader, "state_dict") else None,
            "schedulers": {name: scheduler.state_dict() for name, scheduler in self.schedulers.items()},
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }

    def check_state(self, state: dict[str, Any]) -> None:
        """ValueError where what `state_dict` gave is of a run with other schedulers or callbacks."""
        for what, here, there in (
            ("schedulers", sorted(self.schedulers), sorted(state["schedulers"])),
            ("callbacks", len(self.callbacks), len(state["callbacks"])),
        ):
            if here != there:
                raise ValueError(f"fit: the checkpoint has {what} {there}, this run has {here}; give the same ones")

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave; see `check_state`."""
        self.epoch = int(state["epoch"])
        self.history.load_state_dict(state["history"])
        random.set_state(state["random"])
        if state["loader"] is not None:
            self.loader.load_state_dict(state["loader"])
        for name, scheduler in self.schedulers.items():
            scheduler.load_state_dict(state["schedulers"][name])
        for callback, own in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(own)


class _Averages:
    """Means over samples of numbers that are means over batches."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: dict[str, float] = {}
        self.found: dict[str, float] = {}

    def add(self, samples: int, values: dict[str, float]) -> None:
        self.count += samples
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + samples * value

    def merge(self, other: _Averages) -> None:
        self.found.update(other.means())

    def means(self) -> dict[str, float]:
        return {**{name: total / self.count for name, total in self.sums.items()}, **self.found}


class _Bar:
    """tqdm's bar over all batches of the run."""

    def __init__(self, training: Training, epochs: int) -> None:
        try:
            from tqdm import tqdm
        except ImportError as error:
            raise missing(error, "fit's progress bar", "tqdm", "fit", ", or give progress=False") from None
        length = len(training.loader) if hasattr(training.loader, "__len__") else None
        self.training, self.epochs = training, epochs
        total = None if length is None else epochs * length
        self.bar = tqdm(total=total, unit="batch", initial=training.epoch * (length or 0))

    def advance(self, loss: float) -> None:
        if self.bar.update():  # True where the bar was drawn anew
            self.bar.set_postfix(epoch=f"{self.training.epoch + 1}/{self.epochs}", loss=f"{loss:.4g}", refresh=False)

    def epoch_done(self) -> None:
        last = {name: f"{value:.4g}" for name, value in self.training.history.last().items() if name != "seconds"}
        self.bar.set_postfix(epoch=f"{self.training.epoch}/{self.epochs}", **last, refresh=False)

    def close(self) -> None:
        self.bar.close()


def _parts(batch: Any) -> tuple[tuple[Any, ...], Any]:
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        what = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, (tuple, list)) else type(batch).__name__
        raise TypeError(f"fit: a batch must be a tuple (input, ..., target), not a {what}")
    return tuple(batch[:-1]), batch[-1]


def _samples(target: Any) -> int:
    """How many samples a batch has, by its target; a batch whose target is one number is one sample."""
    return 1 if isinstance(target, (int, float)) or getattr(target, "shape", None) == () else len(target)


def _measured(metrics: Mapping[str, Metric], output: Any, target: Any) -> dict[str, float]:
    with no_grad():
        return {name: float(metric(output, target)) for name, metric in metrics.items()}

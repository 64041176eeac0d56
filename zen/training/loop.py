"""`fit`: epochs of batches, validation, and what calls the callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import random
from ..backend import Tensor
from ..data import Dataset
from ..extras import missing
from ..modes import no_grad
from ..optim import LBFGS, clip_grad_norm_
from .history import History

if TYPE_CHECKING:
    from .callbacks import Callback

Metric = Callable[[Any, Any], Any]


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
            self.call("on_start")
            while self.epoch < epochs and not self.stop:
                self.run_epoch(bar)
            self.call("on_end")
        finally:
            self.model.train(was_training)
            if bar is not None:
                bar.close()

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


def fit(
    model: Any,
    loader: Iterable[Any],
    loss: Callable[..., Any],
    optimiser: Any,
    epochs: int,
    *,
    validation: Iterable[Any] | None = None,
    callbacks: Iterable[Callback] = (),
    scheduler: Any = None,
    step_scheduler: Any = None,
    metrics: Mapping[str, Metric] | None = None,
    clip_norm: float | None = None,
    progress: bool = True,
    resume: Any = None,
) -> History:
    """Train `model` for `epochs` epochs; returns the `History`.

    loader: gives batches `(input, ..., target)`; the model is called with the inputs, `loss(output, target)` must give
        one number. A `zen.data.DataLoader`, or anything that can be iterated anew for each epoch.
    optimiser: any of zen.optim; LBFGS computes the loss of a batch as often as it needs.
    validation: as `loader`; gone through after each epoch in eval mode, without gradients.
    callbacks: see `Callback`; `EarlyStopping` and `Checkpoint` among them.
    scheduler: stepped after each epoch (ReduceLROnPlateau with the validation loss, or else the loss).
    step_scheduler: stepped after each batch.
    metrics: functions of (output, target) by name, averaged over the validation samples, or else the training ones.
    clip_norm: gradients are scaled down to this Euclidean norm, all of them together.
    progress: a progress bar on standard error (tqdm, extra `fit`).
    resume: path of a file that `Checkpoint` wrote. Training continues from there bit for bit, up to `epochs` epochs in
        all, with the state of the model, the optimiser, the schedulers, the callbacks, `zen.random` and the loader.

    Raises TypeError for arguments of another kind and a loss of several elements; ValueError for an empty loader, and
    where the optimiser has none of the model's parameters; FloatingPointError, naming epoch and batch, for a loss that
    is not finite (the parameters are left as they were before that step).

    >>> import numpy as np, zen
    >>> from zen import nn
    >>> from zen.data import DataLoader, TensorDataset
    >>> zen.random.seed(0)
    >>> x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    >>> model = nn.Linear(1, 1)
    >>> loader = DataLoader(TensorDataset(x, 3 * x + 1), batch_size=8, shuffle=True, seed=0)
    >>> history = zen.fit(
    ...     model, loader, nn.MSELoss(), zen.optim.SGD(model.parameters(), lr=0.3), epochs=40, progress=False
    ... )
    >>> len(history), round(model.weight.item(), 3), round(model.bias.item(), 3)
    (40, 3.0, 1.0)
    """
    _check(model, loss, optimiser, epochs)
    _check_batches("loader", loader)
    if validation is not None:
        _check_batches("validation", validation)
    _check_metrics(metrics)
    callbacks = _callbacks(callbacks)
    training = Training(
        model, loader, loss, optimiser, validation, callbacks, _schedulers(scheduler, step_scheduler, optimiser),
        metrics or {}, clip_norm,
    )  # fmt: skip
    if resume is not None:
        from .callbacks import load_checkpoint

        load_checkpoint(resume, training)
    training.run(epochs, progress)
    return training.history


_ORDER = "the order is fit(model, loader, loss, optimiser, epochs)"


def _check(model: Any, loss: Any, optimiser: Any, epochs: Any) -> None:
    """TypeError or ValueError that names the argument that is wrong."""
    if not callable(model) or not hasattr(model, "train"):
        raise TypeError(f"fit: the model must be a Module, not {type(model).__name__}; {_ORDER}")
    if not callable(loss):
        raise TypeError(f"fit: the loss must be a function of (output, target), not {loss!r}; {_ORDER}")
    if not hasattr(optimiser, "param_groups"):
        raise TypeError(f"fit: the optimiser must be one of zen.optim, not {type(optimiser).__name__}; {_ORDER}")
    if isinstance(epochs, bool) or not isinstance(epochs, (int, np.integer)) or epochs < 0:
        raise ValueError(f"fit: epochs is a number of epochs in all, not {epochs!r}")
    trained = {id(p) for group in optimiser.param_groups for p in group["params"]}
    own = [p for p in model.parameters() if p.requires_grad] if hasattr(model, "parameters") else []
    if own and not any([id(p) in trained for p in own]):
        raise ValueError("fit: the optimiser has none of this model's parameters; make it with model.parameters()")


def _check_batches(name: str, batches: Any) -> None:
    """TypeError for what does not give the batches of every epoch anew."""
    what = f"the {name}" if name == "loader" else name
    if isinstance(batches, Dataset):
        raise TypeError(f"fit: {what}: a Dataset gives samples, not batches; put a zen.data.DataLoader around it")
    if not isinstance(batches, Iterable):
        raise TypeError(f"fit: {what} must be iterable, not {type(batches).__name__}; {_ORDER}")
    if isinstance(batches, Iterator):
        raise TypeError(f"fit: {what} is an iterator, which gives its batches only once; give a list or DataLoader")


def _check_metrics(metrics: Any) -> None:
    if metrics is None:
        return
    if not isinstance(metrics, Mapping) or not all(callable(metric) for metric in metrics.values()):
        raise TypeError(f"fit: metrics must be functions of (output, target) by name, not {metrics!r:.80}")
    taken = sorted({"loss", "validation_loss", "seconds"}.intersection(metrics))
    if taken:
        raise ValueError(f"fit: a metric cannot be called {taken[0]!r}, which the history has for itself")


def _schedulers(scheduler: Any, step_scheduler: Any, optimiser: Any) -> dict[str, Any]:
    found = {"epoch": scheduler, "step": step_scheduler}
    found = {name: schedule for name, schedule in found.items() if schedule is not None}
    for schedule in found.values():
        kind = type(schedule).__name__
        if not hasattr(schedule, "step"):
            raise TypeError(f"fit: a scheduler must be one of zen.optim.lr_scheduler, not {kind}")
        if getattr(schedule, "optimizer", optimiser) is not optimiser:
            raise ValueError(f"fit: {kind} changes the rates of another optimiser than the one that is given")
    if hasattr(step_scheduler, "patience"):
        kind = type(step_scheduler).__name__
        raise TypeError(f"fit: {kind} waits for whole epochs; give it as scheduler, not as step_scheduler")
    return found


def _callbacks(callbacks: Any) -> tuple[Callback, ...]:
    from .callbacks import Callback

    found = tuple(callbacks) if isinstance(callbacks, Iterable) else (callbacks,)
    for callback in found:
        if not isinstance(callback, Callback):
            raise TypeError(f"fit: callbacks must be instances of zen.training.Callback, not {callback!r}")
    return found


def accuracy(output: Any, target: Any) -> float:
    """The share of samples whose largest output is at the target class: a metric for `fit`.

    output: (samples, classes). target: ints of shape (samples,).

    >>> import zen
    >>> accuracy(zen.tensor([[0.9, 0.1], [0.2, 0.8]]), zen.tensor([0, 0]))
    0.5
    """
    found, wanted = _array(output).argmax(axis=-1), _array(target)
    if found.shape != wanted.shape:
        raise ValueError(f"accuracy: outputs of shape {np.shape(output)} do not fit targets of shape {wanted.shape}")
    return float(np.mean(found == wanted))


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


def _array(x: Any) -> np.ndarray:
    return x.array if isinstance(x, Tensor) else np.asarray(x)

"""`fit`: its arguments checked, and the run made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..backend import Tensor
from ..data import Dataset
from .callbacks import load_checkpoint
from .history import History
from .loop import Callback, Metric, Training


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


def _array(x: Any) -> np.ndarray:
    return x.array if isinstance(x, Tensor) else np.asarray(x)

"""What a training run leaves behind: numbers for each epoch, and a plot of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..extras import missing


@dataclass
class History:
    """Numbers of each epoch, in lists of one entry an epoch.

    loss: mean over the training samples, while they were trained on. validation_loss: mean over the validation samples
    after the epoch (empty without validation). metrics: by name. lr: learning rate of each parameter group. seconds:
    wall time of the epoch, validation included.

    >>> history = History(loss=[1.0, 0.5], seconds=[0.1, 0.1])
    >>> len(history), history.last()
    (2, {'loss': 0.5, 'seconds': 0.1})
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    lr: list[list[float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.loss)

    def series(self, name: str) -> list[float]:
        """The list of this name: "loss", "validation_loss", or a metric. KeyError naming those that there are."""
        found = {"loss": self.loss, "validation_loss": self.validation_loss, **self.metrics}
        if not found.get(name):
            there = ", ".join(repr(n) for n, values in found.items() if values) or "nothing yet"
            raise KeyError(f"the history has no {name!r}; it has {there}")
        return found[name]

    def last(self) -> dict[str, float]:
        """The numbers of the last epoch by name; empty before the first."""
        found = {"loss": self.loss, "validation_loss": self.validation_loss, **self.metrics, "seconds": self.seconds}
        return {name: values[-1] for name, values in found.items() if values}

    def state_dict(self) -> dict[str, Any]:
        """Everything as plain lists and dicts, which JSON holds exactly."""
        return {
            "loss": list(self.loss), "validation_loss": list(self.validation_loss), "lr": [list(r) for r in self.lr],
            "metrics": {name: list(values) for name, values in self.metrics.items()}, "seconds": list(self.seconds),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace everything by what `state_dict` gave."""
        for name, value in History(**state).state_dict().items():
            setattr(self, name, value)

    def plot(self) -> Any:
        """The losses over the epochs, and the metrics beside them; returns the matplotlib figure.

        ImportError, naming the extra, where matplotlib is not installed.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise missing(error, "History.plot", "matplotlib", "fit") from None
        figure, places = pyplot.subplots(
            1, 2 if self.metrics else 1, figsize=(10 if self.metrics else 5.5, 3.8), layout="constrained", squeeze=False
        )
        epochs = range(1, len(self) + 1)
        for label, values in (("training", self.loss), ("validation", self.validation_loss)):
            if values:
                places[0, 0].plot(epochs, values, label=label)
        places[0, 0].set(xlabel="epoch", ylabel="loss")
        if min([x for x in [*self.loss, *self.validation_loss] if math.isfinite(x)], default=0.0) > 0:
            places[0, 0].set_yscale("log")
        for name, values in self.metrics.items():
            places[0, 1].plot(epochs, values, label=name)
        for place in places[0]:
            if place.lines:
                place.legend()
        return figure

"""Exponential moving averages of parameters, for evaluation with smoother weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from .. import backend
from ..backend import Tensor
from ..dtypes import NUMBERS
from .optimizer import announce


class ExponentialMovingAverage:
    """Averages of parameters: each `update()` does average = decay * average + (1 - decay) * parameter.

    `parameters` is an iterable of Tensors, or a module with a method `parameters()`. The averages start as copies. With
    `warmup`, the n-th update uses min(decay, (1 + n) / (10 + n)), so that the start is soon forgotten. In a `with`
    block the parameters have the values of the averages; their own come back at its end. Buffers, such as running
    statistics, are not averaged. ValueError for a decay outside of [0, 1] and for no parameters.

    Source: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging" (1992), in the exponential form.

    >>> w = zen.tensor([0.0], requires_grad=True)
    >>> ema = zen.optim.ExponentialMovingAverage([w], decay=0.75)
    >>> with zen.no_grad():
    ...     _ = w.fill_(4.0)
    >>> ema.update()
    >>> with ema:
    ...     w.tolist()
    [1.0]
    >>> w.tolist()
    [4.0]
    """

    def __init__(self, parameters: Iterable[Tensor] | Any, decay: float = 0.999, *, warmup: bool = False) -> None:
        given = parameters.parameters() if hasattr(parameters, "parameters") else parameters
        self.parameters: list[Tensor] = [given] if isinstance(given, Tensor) else list(given)
        for k, p in enumerate(self.parameters):
            if not isinstance(p, Tensor):
                raise TypeError(f"ExponentialMovingAverage: parameter {k} is a {type(p).__name__}, not a Tensor")
        if not self.parameters:
            raise ValueError("ExponentialMovingAverage: the list of parameters is empty")
        if not 0 <= decay <= 1:
            raise ValueError(f"ExponentialMovingAverage: decay is {decay}; expected a number in [0, 1]")
        self.decay = decay
        self.warmup = warmup
        self.num_updates = 0
        self.averages: list[Tensor] = [backend.wrap(p._array.copy(order="C")) for p in self.parameters]
        self._kept: list[np.ndarray] | None = None

    def update(self) -> None:
        """Move the averages towards the parameters. RuntimeError inside of the `with` block."""
        if self._kept is not None:
            raise RuntimeError("ExponentialMovingAverage: update() while the averages are in place of the parameters")
        n = self.num_updates + 1
        decay = min(self.decay, (1 + n) / (10 + n)) if self.warmup else self.decay
        arrays = [a._array for a in self.averages]
        backend.kernels.optim.blend(arrays, [p._array for p in self.parameters], 1 - decay)
        self.num_updates = n
        announce(arrays, "ExponentialMovingAverage.update")

    def copy_to(self, parameters: Iterable[Tensor] | None = None) -> None:
        """Write the averages into the parameters, or into other Tensors of the same shapes.

        ValueError if number or shapes differ or memory is read-only; nothing is written then.
        """
        targets = self.parameters if parameters is None else list(parameters)
        found, expected = [t.shape for t in targets], [a.shape for a in self.averages]
        if found != expected:
            raise ValueError(f"ExponentialMovingAverage.copy_to: the shapes are {found}, but must be {expected}")
        self._write(targets, [a._array for a in self.averages], "copy_to")

    def _write(self, targets: list[Tensor], values: list[np.ndarray], name: str) -> None:
        arrays = [t._array for t in targets]
        for array in arrays:
            if not array.flags.writeable:
                raise ValueError(
                    f"ExponentialMovingAverage.{name}: the memory of a parameter of shape {array.shape} is read-only; "
                    "clone() it first"
                )
        for array, value in zip(arrays, values, strict=True):
            array[...] = value
        announce(arrays, f"ExponentialMovingAverage.{name}")

    def __enter__(self) -> Self:
        if self._kept is not None:
            raise RuntimeError("ExponentialMovingAverage: the averages are already in place of the parameters")
        kept = [p._array.copy() for p in self.parameters]
        self.copy_to()
        self._kept = kept
        return self

    def __exit__(self, *error: object) -> None:
        kept, self._kept = self._kept, None
        assert kept is not None
        self._write(self.parameters, kept, "__exit__")

    def state_dict(self) -> dict[str, Any]:
        """{"decay", "warmup", "num_updates", "averages": list of Tensors}; the Tensors are not copies."""
        return {
            "decay": self.decay,
            "warmup": self.warmup,
            "num_updates": self.num_updates,
            "averages": list(self.averages),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned; averages are copied. ValueError for what does not fit."""
        if not isinstance(state_dict, Mapping):
            raise ValueError(f"ExponentialMovingAverage: a state dict is a dict, not a {type(state_dict).__name__}")
        name = type(self).__name__
        missing = {"decay", "warmup", "num_updates", "averages"} - set(state_dict)
        if missing:
            raise ValueError(f"{name}: the state dict has no {', '.join(sorted(missing))}")
        decay, updates, saved = state_dict["decay"], state_dict["num_updates"], state_dict["averages"]
        if not isinstance(decay, (int, float)) or not 0 <= decay <= 1:
            raise ValueError(f"{name}: decay was saved as {decay!r:.80}; expected a number in [0, 1]")
        if not isinstance(updates, int) or updates < 0:
            raise ValueError(f"{name}: num_updates was saved as {updates!r:.80}; expected a whole number >= 0")
        if not isinstance(saved, (list, tuple)):
            raise ValueError(f"{name}: averages were saved as {saved!r:.80}; expected a list of arrays")
        arrays = [np.asarray(a._array if isinstance(a, Tensor) else a) for a in saved]
        found, expected = [a.shape for a in arrays], [a.shape for a in self.averages]
        if found != expected:
            raise ValueError(f"{name}: averages of shapes {found} were saved, but must be {expected}")
        if any(a.dtype not in NUMBERS for a in arrays):
            raise ValueError(
                f"{name}: averages were saved with dtypes {[a.dtype.name for a in arrays]}; expected numbers"
            )
        self.averages = [
            backend.wrap(a.astype(own.dtype, order="C")) for a, own in zip(arrays, self.averages, strict=True)
        ]
        self.decay, self.warmup, self.num_updates = decay, bool(state_dict["warmup"]), updates

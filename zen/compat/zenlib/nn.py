"""`nn` of the Zen Deep Learning Library: layers that infer their input size, activations, and `Model` with `train`.

As in the original, importing this module seeds NumPy's global generator with 345, which initial values come from, in
the original's order. So programs start from the same weights.

Bugs of the original that are fixed, by the names of their tests:

- conv2d_layer_second_call: Conv2D returned None from its second call on.
- conv2d_layer_never_updates: Conv2D had no `update`, so that training raised.
- rnn_state_rows: RNN's state had a row for each input feature instead of one.
- rnn_loops_over_sequences: each sequence of a batch was computed by itself.
- softmax_of_a_far_row: the maximum of the whole batch was subtracted, so that a row far below it became 0 / 0.
- sigmoid_overflows: exp of a large number overflowed.
- layer_without_update: a Layer without parameters raised in training.
- epoch_graph_is_kept: `train` added up the losses as Tensors and so held every batch's graph through an epoch.

Conventions that were kept: LOSS is the sum, not the mean, of the batches' losses; RNN has a bias for its input and
another for its state; with return_sequences it returns a list of lists of Tensors of shape (1, units), one for each
sequence and step, and without it the last states, (batch, hidden_dim), so that `units` has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ... import f as _f
from ...backend import apply
from ...extras import missing
from ...modes import no_grad
from ...ops.recurrent import RNN_TANH
from . import autodiff as ad
from . import loss, optim
from .layer import Layer

__all__ = ["RNN", "Conv2D", "Layer", "Linear", "Model", "Net", "Sigmoid", "Softmax", "Tanh"]

np.random.seed(345)


class Linear(Layer):
    """x @ w + b, made for the last axis of the first x it sees: w uniform within 1 / sqrt(inputs), b zero.

    x: an array or Tensor of shape (..., inputs); the result has shape (..., units).
    """

    def __init__(self, units: int) -> None:
        self.units = units
        self.w: ad.Tensor | None = None
        self.b: ad.Tensor | None = None

    def build(self, inputs: int) -> tuple[ad.Tensor, ad.Tensor]:
        """(w, b), of shapes (inputs, units) and (1, units), drawn at the first call."""
        if self.w is None or self.b is None:
            bound = 1 / np.sqrt(inputs)
            self.w = ad.Tensor(np.random.uniform(size=(inputs, self.units), low=-bound, high=bound))
            self.b = ad.Tensor(np.zeros((1, self.units)))
        return self.w, self.b

    def __call__(self, x: Any) -> ad.Tensor:
        w, b = self.build(x.shape[-1])
        product: ad.Tensor = x @ w
        return product + b

    def update(self, optim: Any) -> None:
        _update(optim, (self.w, self.b))


class RNN(Layer):
    """h = tanh(x[t] @ U.w + U.b + h @ W.w + W.b), from zero, over the steps of all sequences at once.

    x: shape (batch, steps, features). Returns the last h, (batch, hidden_dim); with return_sequences, h @ V.w + V.b
    after each step, as a list of lists of Tensors of shape (1, units). Raises ValueError for other numbers of axes.
    """

    def __init__(self, units: int, hidden_dim: int, return_sequences: bool = False) -> None:
        self.units = units
        self.hidden_dim = hidden_dim
        self.return_sequences = return_sequences
        self.U: Linear | None = None
        self.W: Linear | None = None
        self.V: Linear | None = None

    def __call__(self, x: Any) -> Any:
        x = x if isinstance(x, ad.Tensor) else np.asarray(x)
        shape: tuple[int, ...] = x.shape or ()
        if len(shape) != 3 or shape[1] == 0:
            raise ValueError(f"RNN: expected shape (batch, steps, features) with at least one step, got {shape}")
        if self.U is None or self.W is None or self.V is None:
            self.U, self.W, self.V = Linear(self.hidden_dim), Linear(self.hidden_dim), Linear(self.units)
        weights = (*self.U.build(shape[2]), *self.W.build(self.hidden_dim))
        if not self.return_sequences:
            return ad.apply(_last_state, x, *weights)
        self.V.build(self.hidden_dim)
        outputs = self.V(ad.apply(_all_states, x, *weights))
        sequences = [ad.apply(_part(k), outputs) for k in range(shape[0])]
        return [[ad.apply(_part(slice(t, t + 1)), s) for t in range(shape[1])] for s in sequences]

    def update(self, optim: Any) -> None:
        for part in (self.U, self.W, self.V if self.return_sequences else None):
            if part is not None:
                part.update(optim)


class Conv2D(Layer):
    """Each filter laid over the input at every `strides`-th place; filters are drawn from the normal distribution.

    x: shape (rows, columns), giving (filters, rows', columns'), or (images, rows, columns), giving
    (images, filters, rows', columns'). See `autodiff.conv2d`.
    """

    def __init__(self, filters: int, kernel_size: tuple[int, int], strides: int) -> None:
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.filter_list: list[ad.Tensor] = []

    def __call__(self, x: Any) -> ad.Tensor:
        if not self.filter_list:
            self.filter_list = [ad.Tensor(np.random.normal(size=self.kernel_size)) for _ in range(self.filters)]
        maps = ad.stack([ad.conv2d(_filter, self.strides, x) for _filter in self.filter_list])
        return maps if len(maps.shape) == 3 else ad.apply(_images_first, maps)

    def update(self, optim: Any) -> None:
        _update(optim, self.filter_list)


class Sigmoid:
    """1 / (1 + exp(-x)), of a Tensor or array."""

    def __call__(self, x: Any) -> ad.Tensor:
        return ad.apply(_f.sigmoid, x)


class Softmax:
    """exp(x) / sum of exp(x) along the last axis, of a Tensor or array."""

    def __call__(self, x: Any) -> ad.Tensor:
        return ad.apply(_f.softmax, x)


class Tanh:
    """The hyperbolic tangent, of a Tensor or array."""

    def __call__(self, x: Any) -> ad.Tensor:
        return ad.apply(_f.tanh, x)


class Model:
    """Layers, one after the other.

    >>> from zen.compat.zenlib import nn
    >>> nn.Model([nn.Linear(3), nn.Tanh(), nn.Linear(2)])(np.ones((5, 4))).shape
    (5, 2)
    """

    def __init__(self, layers: Sequence[Callable[[Any], Any]]) -> None:
        self.layers = layers

    def __call__(self, x: Any) -> Any:
        output = x
        for layer in self.layers:
            output = layer(output)
        return output

    def train(
        self,
        x: Any,
        y: Any,
        epochs: int = 10,
        loss_fn: Callable[[Any, Any], ad.Tensor] = loss.MSE,
        optimizer: Any = optim.SGD(lr=0.1),  # noqa: B008 - stateless, as in the original
        batch_size: int = 32,
    ) -> None:
        """Pass over x and y `epochs` times in their order, `batch_size` rows at a step, printing each epoch's LOSS.

        x, y: arrays of the same length. optimizer: called with the model and a batch's loss. The bar is drawn by
        tqdm; raises ImportError where that is missing.
        """
        bar = _progress_bar()
        for epoch in range(epochs):
            total: Any = 0
            print("**")
            print(" ")
            print("EPOCH", epoch + 1)
            for batch in bar(range(0, len(x), batch_size)):
                output = self(x[batch : batch + batch_size])
                batch_loss = loss_fn(output, y[batch : batch + batch_size])
                optimizer(self, batch_loss)
                total += batch_loss.value
            print("LOSS", total)
            print(" ")


Net = Model
"""The name that the library's first programs use."""


def _progress_bar() -> Callable[[Iterable[int]], Iterable[int]]:
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing(error, "the bar of Model.train", "tqdm", "fit") from None
    bar: Callable[[Iterable[int]], Iterable[int]] = tqdm
    return bar


@no_grad
def _update(optim: Any, parameters: Iterable[ad.Tensor | None]) -> None:
    for p in parameters:
        if p is not None:
            p.tensor.sub_(optim.delta(p))  # p.value -= ..., in one step
            p.gradient = 0


def _states(x: Any, u: Any, bias_u: Any, w: Any, bias_w: Any) -> Any:
    """The state after each step, (steps, batch, hidden)."""
    biases = _f.ravel(bias_u), _f.ravel(bias_w)
    turned = [_f.swapaxes(a, 0, 1) for a in (x, u, w)]
    return apply(RNN_TANH, (turned[0], None, *turned[1:], *biases), (False, False))


def _last_state(*operands: Any) -> Any:
    return _states(*operands)[-1]


def _all_states(*operands: Any) -> Any:
    return _f.swapaxes(_states(*operands), 0, 1)


def _part(key: Any) -> Callable[[Any], Any]:
    return lambda x: x[key]


def _images_first(maps: Any) -> Any:
    return _f.swapaxes(maps, 0, 1)

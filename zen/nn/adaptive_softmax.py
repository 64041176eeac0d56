"""The softmax of very many classes, by their frequency: a head of the frequent ones, clusters of the rare ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import f
from ..dtypes import INTEGER
from ..ops.operands import operand, raw
from .containers import ModuleList, Sequential
from .linear import Linear, sizes
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike


class Output(NamedTuple):
    """What the layer returns: the logarithm of each target's probability, and their negative mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of n_classes classes, numbered from the most frequent to the rarest, and the loss of targets.

    cutoffs: rising class numbers between 1 and n_classes - 1. Classes below the first are in the head, with one entry
    for each cluster; those from one cutoff to the next are a cluster, whose inputs are first projected to in_features /
    div_value ** k numbers for cluster k = 1, 2, ... head_bias: whether the head has a bias.

    Called with input (batch, in_features) and target (batch,), ints; or (in_features,) and a number. Returns (output,
    loss): the logarithm of each target's probability, and the negative of its mean. Raises ValueError for other
    cutoffs, shapes and dtypes, IndexError for a target out of range. Grave et al. 2017.

    >>> layer = zen.nn.AdaptiveLogSoftmaxWithLoss(16, 1000, cutoffs=[10, 100])
    >>> layer(np.ones((5, 16), np.float32), [0, 9, 10, 99, 999]).output.shape
    (5,)
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
        *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes("AdaptiveLogSoftmaxWithLoss", in_features=in_features, n_classes=n_classes)
        given = [int(c) for c in cutoffs]
        if not given or given != list(cutoffs) or given != sorted(set(given)) or given[0] < 1 or given[-1] >= n_classes:
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs must be rising ints between 1 and n_classes - 1 = "
                f"{n_classes - 1}, not {list(cutoffs)}"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*given, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = given[0], len(given)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, dtype=dtype)
        self.tail = ModuleList()
        for k in range(self.n_clusters):
            width = int(in_features // div_value ** (k + 1))
            if width < 1:
                raise ValueError(
                    f"AdaptiveLogSoftmaxWithLoss: cluster {k + 1} would have in_features / div_value ** {k + 1} = "
                    f"{in_features / div_value ** (k + 1):.3g} numbers; take fewer cutoffs or a smaller div_value"
                )
            size = self.cutoffs[k + 1] - self.cutoffs[k]
            self.tail.append(
                Sequential(Linear(in_features, width, False, dtype=dtype), Linear(width, size, False, dtype=dtype))
            )

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.head.reset_parameters()
        for project, spread in self.tail:
            project.reset_parameters()
            spread.reset_parameters()

    def forward(self, input_: ArrayLike, target_: ArrayLike) -> Output:
        x, t = self._checked(input_), raw(operand("AdaptiveLogSoftmaxWithLoss", target_))
        if t.dtype not in INTEGER or x.shape[:-1] != t.shape:
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: input of shape {x.shape} and target of shape {t.shape} and dtype "
                f"{t.dtype}; expected (batch, {self.in_features}) and ints of (batch,), or ({self.in_features},) and "
                "an int"
            )
        wrong = t[(t < 0) | (t >= self.n_classes)]
        if wrong.size:
            raise IndexError(
                f"AdaptiveLogSoftmaxWithLoss: class {wrong.flat[0]} is out of range for {self.n_classes} classes"
            )
        rows, classes = x.reshape((-1, self.in_features)), t.reshape(-1)
        cluster = np.searchsorted(self.cutoffs, classes, side="right")  # 0 is the head
        entries = np.where(cluster == 0, classes, self.shortlist_size + cluster - 1)
        output = f.take_along_axis(f.log_softmax(self.head(rows), 1), entries[:, None], 1)[:, 0]
        parts: list[Any] = [
            np.zeros(np.count_nonzero(cluster == 0), output.dtype)
        ]  # within the clusters, one after the other
        for k, layer in enumerate(self.tail):
            members = np.flatnonzero(cluster == k + 1)
            if members.size:
                scores = f.log_softmax(layer(rows[members]), 1)
                parts.append(f.take_along_axis(scores, (classes[members] - self.cutoffs[k])[:, None], 1)[:, 0])
        if len(parts) > 1:
            output = output + f.concat(parts)[np.argsort(np.argsort(cluster, kind="stable"))]
        return Output(output.reshape(t.shape), -output.mean())

    def log_prob(self, input: ArrayLike) -> Tensor:
        """The logarithms of the probabilities of all classes: (batch, n_classes), or (n_classes,) of one input."""
        x = self._checked(input)
        head = f.log_softmax(self.head(x), -1)
        parts = [head[..., : self.shortlist_size]]
        for k, layer in enumerate(self.tail):
            parts.append(f.log_softmax(layer(x), -1) + head[..., self.shortlist_size + k, None])
        return f.concat(parts, axis=-1)

    def predict(self, input: ArrayLike) -> Tensor:
        """The most probable class of each input, ints: (batch,), or a number of one input."""
        return self.log_prob(input).argmax(-1)

    def _checked(self, input: Any) -> Any:
        x = operand("AdaptiveLogSoftmaxWithLoss", input)
        if x.ndim not in (1, 2) or x.shape[-1] != self.in_features:
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: input of shape {x.shape}; expected (batch, {self.in_features}) or "
                f"({self.in_features},)"
            )
        return x

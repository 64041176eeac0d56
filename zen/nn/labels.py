"""Losses of sequences of labels, of several labels at once, and of triplets with a distance of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import f
from .loss import BaseLoss

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike


class CTCLoss(BaseLoss):
    """-log of the probability that the steps of the input spell the target; arguments of `zen.f.ctc_loss`.

    >>> steps = zen.log(zen.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]))
    >>> f"{zen.nn.CTCLoss()(steps, [[1]], [2], [1]).item():.4f}"
    '0.2877'
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: ArrayLike, targets: ArrayLike, input_lengths: ArrayLike, target_lengths: ArrayLike
    ) -> Tensor:
        return f.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )


class MultiLabelMarginLoss(BaseLoss):
    """The margins of the targets above the other classes; see `zen.f.multilabel_margin_loss`.

    >>> f"{zen.nn.MultiLabelMarginLoss()(zen.tensor([0.1, 0.2, 0.4, 0.8]), [3, 0, -1, 1]).item():.2f}"
    '0.85'
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(BaseLoss):
    """The binary cross entropy of each class, from logits; see `zen.f.multilabel_soft_margin_loss`."""

    def __init__(self, weight: ArrayLike | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self._constant("weight", weight)

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class TripletMarginWithDistanceLoss(BaseLoss):
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0), with a distance of one's own.

    Arguments of `zen.f.triplet_margin_with_distance_loss`. ValueError unless the margin is positive.

    >>> a, b = zen.tensor([[0.0, 0.0]]), zen.tensor([[3.0, 4.0]])
    >>> zen.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: abs(x - y).sum(1))(a, b, b).item()
    1.0
    """

    def __init__(
        self, *, distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0, swap: bool = False,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(reduction=reduction)
        if not margin > 0:
            raise ValueError(f"TripletMarginWithDistanceLoss: margin must be positive, not {margin}")
        self.distance_function = f.pairwise_distance if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Tensor:
        return f.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, margin=self.margin, swap=self.swap,
            reduction=self.reduction,
        )  # fmt: skip

"""Losses as modules, with PyTorch's names, arguments and defaults. What they compute stands in `zen.f`.

reduction is "mean", "sum" or "none". Predictions and targets have equal shapes; the first four losses broadcast others,
with a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import f
from ..backend import Tensor
from ..ops.data import tensor
from .module import Module

if TYPE_CHECKING:
    from ..typing import ArrayLike


class BaseLoss(Module):
    _reductions: tuple[str, ...] = ("mean", "sum", "none")
    weight: Tensor | None

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in self._reductions:
            known = ", ".join([repr(r) for r in self._reductions])
            raise ValueError(f"{type(self).__name__}: reduction must be one of {known}, not {reduction!r}")
        self.reduction = reduction

    def _constant(self, name: str, value: Any) -> None:
        """A buffer with a copy of the value, or None."""
        self.register_buffer(name, None if value is None else tensor(value))

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class MSELoss(BaseLoss):
    """(input - target) ** 2.

    >>> zen.nn.MSELoss()(zen.tensor([1.0, 2.0]), zen.tensor([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.mse_loss(input, target, reduction=self.reduction)


class L1Loss(BaseLoss):
    """|input - target|."""

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(BaseLoss):
    """d ** 2 / 2 for distances d <= delta, else delta * (d - delta / 2)."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(BaseLoss):
    """d ** 2 / (2 * beta) for distances d < beta, else d - beta / 2."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class BCELoss(BaseLoss):
    """Binary cross entropy of probabilities. weight: broadcasts to the losses."""

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self._constant("weight", weight)

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(BaseLoss):
    """Binary cross entropy of logits, exact for any. weight: broadcasts to the losses; pos_weight: to the classes.

    >>> f"{zen.nn.BCEWithLogitsLoss()(zen.zeros(3), zen.ones(3)).item():.4f}"
    '0.6931'
    """

    pos_weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction)
        self._constant("weight", weight)
        self._constant("pos_weight", pos_weight)

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


def _class_axis(input: Any) -> int:
    return 1 if len(input.shape) > 1 else 0


class CrossEntropyLoss(BaseLoss):
    """Cross entropy of a softmax over axis 1, from logits (batch, classes, ...), or (classes,) without a batch.

    target: class numbers (batch, ...), or probabilities in the shape of the logits. weight: a factor for each class.
    ignore_index: samples of this class do not count. label_smoothing: the part spread evenly over all classes.

    >>> f"{zen.nn.CrossEntropyLoss()(zen.zeros((4, 2)), np.array([0, 1, 1, 0])).item():.4f}"
    '0.6931'
    """

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction=reduction)
        self._constant("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.cross_entropy(
            input, target, _class_axis(input), weight=self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction, label_smoothing=self.label_smoothing,
        )  # fmt: skip


class NLLLoss(BaseLoss):
    """Negative log likelihood, from log-probabilities (batch, classes, ...); arguments as in CrossEntropyLoss."""

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self._constant("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.nll_loss(
            input, target, _class_axis(input), weight=self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction,
        )  # fmt: skip


class KLDivLoss(BaseLoss):
    """target * (log(target) - input), from log-probabilities; reduction="batchmean" is the divergence itself."""

    _reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(BaseLoss):
    """exp(input) - target * input: the negative log likelihood of counts."""

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(BaseLoss):
    """(log(var) + (input - target) ** 2 / var) / 2: the negative log likelihood of normal numbers."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: ArrayLike, target: ArrayLike, var: ArrayLike) -> Tensor:
        return f.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class HingeEmbeddingLoss(BaseLoss):
    """input where the target is 1, max(margin - input, 0) where it is -1."""

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(BaseLoss):
    """1 - cos where the target is 1, max(cos - margin, 0) where it is -1."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike) -> Tensor:
        return f.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(BaseLoss):
    """max(-target * (input1 - input2) + margin, 0)."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike) -> Tensor:
        return f.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class SoftMarginLoss(BaseLoss):
    """log(1 + exp(-target * input)); targets are 1 and -1."""

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(BaseLoss):
    """sum over the other classes of max(margin - input[target] + input, 0) ** p, over the number of classes."""

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.p, self.margin = p, margin
        self._constant("weight", weight)

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return f.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class TripletMarginLoss(BaseLoss):
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0)."""

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: margin must be positive, not {margin}")
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Tensor:
        return f.triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap,
            reduction=self.reduction,
        )  # fmt: skip


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along axis dim.

    >>> zen.nn.CosineSimilarity(dim=0)(zen.tensor([3.0, 4.0]), zen.tensor([6.0, 8.0])).item()
    1.0
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: ArrayLike, x2: ArrayLike) -> Tensor:
        return f.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last axis."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: ArrayLike, x2: ArrayLike) -> Tensor:
        return f.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)

"""EmbeddingBag: sums, means and maxima of rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import f
from .linear import Embedding
from .parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike


class EmbeddingBag(Embedding):
    """The sum, mean or maximum of rows of a table for each bag of indices; see `zen.f.embedding_bag`.

    num_embeddings, embedding_dim, max_norm, norm_type, scale_grad_by_freq, sparse, dtype: as in Embedding. mode: "sum",
    "mean" or "max". include_last_offset: offsets end with the number of indices. padding_idx: indices that count for
    nothing; the row starts as zeros.

    >>> zen.nn.EmbeddingBag(10, 3)(np.array([1, 2, 4, 5]), np.array([0, 3])).shape
    (2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, *,
        include_last_offset: bool = False, padding_idx: int | None = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f'EmbeddingBag: mode must be "sum", "mean" or "max", not {mode!r}')
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, dtype=dtype
        )
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, embeddings: Any, freeze: bool = True, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:  # fmt: skip
        """An EmbeddingBag around a table (rows, columns), whose memory it shares; frozen unless freeze is False."""
        weight = Parameter(embeddings, not freeze)
        if weight.ndim != 2:
            raise ValueError(f"EmbeddingBag.from_pretrained: expected a table of two dimensions, not {weight.shape}")
        rows, width = weight.shape
        made = cls(
            rows, width, max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset=include_last_offset,
            padding_idx=padding_idx, dtype=weight.dtype,
        )  # fmt: skip
        made.weight = weight
        return made

    def forward(
        self, input: ArrayLike, offsets: ArrayLike | None = None, per_sample_weights: ArrayLike | None = None
    ) -> Tensor:
        return f.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse,
            per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        defaults = {"max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "mode": "", "padding_idx": None}
        return ", ".join([*parts, *[f"{k}={vars(self)[k]!r}" for k, v in defaults.items() if vars(self)[k] != v]])

"""Layers that make images, sequences and volumes larger: Upsample and its two older forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import f
from .module import Module

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Ints, Nested


class Upsample(Module):
    """Sequences, images or volumes in another size; arguments of `zen.f.interpolate`.

    >>> zen.nn.Upsample(scale_factor=2, mode="bilinear")(zen.ones((1, 3, 4, 5))).shape
    (1, 3, 8, 10)
    """

    def __init__(
        self, size: Ints | None = None, scale_factor: float | Nested[float] | None = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        given: Any = scale_factor
        if isinstance(given, (tuple, list)):
            given = tuple([float(s) for s in given])
        elif given:
            given = float(given)
        self.size, self.scale_factor, self.mode = size, given, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        return f.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        first = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{first}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Upsample of images with mode "nearest".

    >>> zen.nn.UpsamplingNearest2d(scale_factor=2)(zen.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """

    def __init__(self, size: Ints | None = None, scale_factor: float | Nested[float] | None = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """Upsample of images with mode "bilinear" and the corners aligned.

    >>> zen.nn.UpsamplingBilinear2d((1, 3))(zen.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.5, 2.0]]]]
    """

    def __init__(self, size: Ints | None = None, scale_factor: float | Nested[float] | None = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)

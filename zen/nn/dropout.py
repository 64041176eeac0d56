"""Dropout layers: they drop while training, and pass their input on in evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..f import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .module import Module

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike


class Dropout(Module):
    """Sets each element to zero with probability p, and divides the others by 1 - p. Srivastava et al. 2014.

    In evaluation (`eval()`) the input is returned as it is. inplace: the result is written into the input, which
    has to be a Tensor. Raises ValueError for a p outside [0, 1].

    >>> zen.nn.Dropout(0.5).eval()(zen.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    _function = staticmethod(dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p is the probability of a zero, so it lies in [0, 1]; got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout1d(Dropout):
    """Sets whole channels of (batch, channels, length) or (channels, length) to zero with probability p."""

    _function = staticmethod(dropout1d)


class Dropout2d(Dropout):
    """Sets whole channels of (batch, channels, height, width), or without the batch, to zero with probability p."""

    _function = staticmethod(dropout2d)


class Dropout3d(Dropout):
    """Sets whole channels of (batch, channels, depth, height, width), or without the batch, to zero."""

    _function = staticmethod(dropout3d)


class AlphaDropout(Dropout):
    """Sets elements to the lower limit of SELU with probability p, and keeps mean 0 and variance 1. Klambauer 2017."""

    _function = staticmethod(alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """AlphaDropout of whole channels of (batch, channels, ...)."""

    _function = staticmethod(feature_alpha_dropout)

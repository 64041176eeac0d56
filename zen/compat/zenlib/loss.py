"""`loss` of the Zen Deep Learning Library. Both losses are means over all elements, classes included.

Bug of the original that is fixed, by the name of its test:

- certain_predictions: a predicted probability of exactly 0 for a class that is not the real one gave 0 * log(0), NaN.

Convention that was kept: categorical_crossentropy divides by the number of all elements, so that with ten classes it
is a tenth of what other libraries call by that name.
"""

from __future__ import annotations

from typing import Any

from ... import f as _f
from .autodiff import Tensor, apply

__all__ = ["MSE", "categorical_crossentropy"]


def MSE(pred: Any, real: Any) -> Tensor:  # noqa: N802
    """The mean of (pred - real) ** 2 over all elements, a single number.

    >>> from zen.compat.zenlib import loss
    >>> loss.MSE(np.array([1.0, 2.0]), np.array([1.0, 4.0])).value
    np.float64(2.0)
    """
    return apply(_mean_square, pred, real)


def categorical_crossentropy(pred: Any, real: Any) -> Tensor:
    """The mean of -real * log(pred) over all elements, a single number; where real is 0 an element counts as 0.

    pred: probabilities. real: of the same shape, one-hot rows or probabilities. Infinite where pred is 0 and real not.

    >>> from zen.compat.zenlib import loss
    >>> round(loss.categorical_crossentropy(np.array([[0.5, 0.5, 0.0]]), np.array([[1, 0, 0]])).value.item(), 6)
    0.231049
    """
    return apply(_cross_entropy, pred, real)


def _mean_square(pred: Any, real: Any) -> Any:
    return _f.mean(_f.square(pred - real))


def _cross_entropy(pred: Any, real: Any) -> Any:
    counts = real != 0
    return -_f.mean(_f.where(counts, real * _f.log(_f.where(counts, pred, 1.0)), 0.0))

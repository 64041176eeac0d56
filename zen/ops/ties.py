"""Derivatives through eigenvectors and singular vectors where values are equal: what the factor 1 / (a - b) becomes.

A function that does not depend on how the vectors of equal values were chosen (a sum over eigenvalues, V f(w) V^H, a
projector) has a derivative there, and the numerator over a - b vanishes as well. If only values or only vectors are
used, the quotient is 0. If both are, it is a second derivative of the function: how the cotangents of the values change
when the vectors turn; see `tied_slopes.py`. `turned_cotangents` finds it by a pass through the graph of the cotangents.
So passes that come to both results of such a decomposition record themselves: see `backend.record_passes`. Tangents of
vectors have no such way: a rule for them raises `Undetermined`, and `jvp` transposes the backward pass instead.
Used by `spectra.py`, `eigen.py` and `singular_values.py`.

A function that does depend on the choice has no derivative: LinAlgError.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor, apply
from ..dtypes import real
from .operands import raw
from .register import ROWS


class Ties:
    """What one recorded decomposition with equal values needs to take their derivatives; a parameter of its row.

    x: the operand on a node that nothing else uses. probing: threads whose pass asks how vectors turn.
    """

    __slots__ = ("__weakref__", "probing", "x")

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self.probing: dict[int, str] = {}

    def probed(self) -> str | None:
        """What this thread's pass asks for in place of the vjp."""
        return self.probing.get(threading.get_ident())

    def turned_cotangents(self, g: Tensor, weights: np.ndarray, part: str) -> Any:
        """How sum(weights * g) changes when the vectors turn, g being the recorded cotangents of the values; or, as
        matrices whose diagonals they are, the cotangents of the values that this sum has (part "values").

        While this thread probes, the row's vjp returns that in place of its result. part: for a row that divides
        several numerators, by which gaps. Hooks are for the gradients that users ask for.
        """
        if not (isinstance(g, Tensor) and g.requires_grad):
            return 0.0
        me = threading.get_ident()
        outer = self.probing.get(me)
        self.probing[me] = part
        try:
            (found,) = backend.run([g], [weights], [self.x], True, True, hooks=False) or [None]
        finally:
            if outer is None:
                del self.probing[me]
            else:
                self.probing[me] = outer
        return 0.0 if found is None else found


def recorded(x: Any) -> bool:
    """Whether an operation on x becomes part of a graph."""
    return isinstance(x, Tensor) and x.requires_grad and backend.grad_enabled()


def decomposed(row: Any, x: Any, values: int, is_tied: Any, *params: Any) -> Any:
    """The row applied to x, with `Ties` as its last parameter where it is recorded.

    values: which result they are. is_tied: says of these whether some are equal.
    """
    if not recorded(x):
        return apply(row, (x,), (*params, None))
    own = apply(ROWS["positive"], (x,))
    ties = Ties(own)
    results = apply(row, (own,), (*params, ties))
    if is_tied(results[values].array):
        call = results[values].node.inputs[0].seq
        weakref.finalize(ties, backend.record_passes, call, False).atexit = False
        backend.record_passes(call, True)
    return results


# --- which pairs are tied


def largest(a: Any) -> np.ndarray:
    """The largest magnitude in each matrix, with both axes kept."""
    found: np.ndarray = np.max(np.abs(raw(a)), axis=(-2, -1), keepdims=True, initial=0)
    return found


def size_of(values: Any, g: Any, *others: Any) -> np.ndarray:
    """What numerators are small beside if they are nothing but rounding: cotangents of vectors, and those of values,
    times these."""
    sizes = [largest(a) for a in others]
    if g is not None:
        scale = largest(raw(values)[..., None])
        sizes.append(largest(raw(g)[..., None]) * np.where(scale == 0, 1, scale))
    found: np.ndarray = sizes[0]
    for size in sizes[1:]:
        found = np.maximum(found, size)
    return found


def _rounding(numerators: np.ndarray) -> float:
    """The part of the largest numerator that is nothing but rounding."""
    found: float = max(numerators.shape[-2:]) * np.finfo(real(numerators.dtype)).eps ** 0.75
    return found


def vanishes(numerators: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Where numerators are nothing but rounding."""
    limit: np.ndarray = np.abs(numerators) <= _rounding(numerators) * size
    return limit


@lru_cache(maxsize=8)
def _closeness(dtype: np.dtype[Any]) -> Any:
    return np.finfo(dtype).eps ** (1 / 3)


def near(gaps: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Gaps so small that second derivatives by quotients would be less exact than those at a tie."""
    found: np.ndarray = np.abs(gaps) <= _closeness(gaps.dtype) * scale
    return found


def any_near(gaps: np.ndarray, scale: np.ndarray) -> bool:
    """Whether one of the gaps, none of them negative, is so small."""
    return bool(np.logical_or.reduce(gaps <= _closeness(gaps.dtype) * scale, axis=None))


def equal(gaps: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Gaps that are nothing but rounding."""
    found: np.ndarray = np.abs(gaps) <= 10 * max(gaps.shape[-2:], default=1) * np.finfo(gaps.dtype).eps * scale
    return found


def quotient(
    f: Any,
    name: str,
    top: Any,
    gaps: Any,
    scale: np.ndarray,
    size: Callable[[], np.ndarray],
    slopes: Callable[[], Any],
    apart: np.ndarray,
) -> Any:
    """top / gaps for pairs of different values; for tied ones what `slopes()` make of it, or 0 if that is None.

    size: gives what `size_of` does. apart: pairs that have a gap at all, True off the diagonal.
    """
    numerators, differences = raw(top), raw(gaps)
    close = near(differences, scale) & apart
    if not close.any():  # in nearly every call
        used = apart.astype(differences.dtype)
        return top * used / (gaps + (1 - used))
    close, largest_one = np.broadcast_to(close, numerators.shape), size()
    part = np.abs(differences) / np.where(scale == 0, 1, scale)
    close = close & (np.abs(numerators) <= (_rounding(numerators) + 1000 * part) * largest_one)
    other, same, made_by = None, equal(differences, scale) & apart, None
    if close.any():
        made_by = slopes()
        other = None if made_by is None else made_by(1)
    # A tie is where numerators are what the quotients say, whatever the gap is.
    beside = numerators if other is None else numerators - raw(other) * differences
    tied = close & (np.abs(beside) <= (_rounding(numerators) + 100 * part**2) * largest_one)
    wrong = same & ~tied
    if wrong.any():
        place = [int(k) for k in np.argwhere(wrong)[0][-2:]]
        raise np.linalg.LinAlgError(
            f"{name}: values {place[0]} and {place[1]} are equal, or 0, and the result depends on how their vectors "
            "were chosen: it has no derivative there. Use the values alone, or what all vectors of equal values give "
            "together, such as v @ v.mH over them"
        )
    used = (apart & ~tied).astype(differences.dtype)
    made = top * used / (gaps + (1 - used))
    if made_by is None or not tied.any():
        return made
    # Between ties and pairs that are well apart quotients are exact enough, but not their derivatives.
    partly = tied & (part > np.finfo(part.dtype).eps ** 0.5)
    start = np.where(partly, beside / np.where(partly, differences, 1), 0).astype(numerators.dtype)
    return (
        made
        + other * tied.astype(differences.dtype)
        + made_by.remainder(gaps, top, tied, start, bool((tied & ~same).any()))
    )

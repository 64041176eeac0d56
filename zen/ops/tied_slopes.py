"""What stands for numerator / gap where values are equal: the numerators, differentiated as the values move.

For a function that has a derivative at ties, the numerator of a pair is N = gap * q with a smooth q. Let the values
move so that the gap changes at the constant rate D. Then d^m N = gap * d^m q + m D d^(m-1) q for the m-th derivatives
along that way, and so

    q = dN / D - gap * d2N / (2 D^2) + gap^2 * d3N / (6 D^3) - ...

The first term is the quotient at a tie. The second is nothing there, but its derivative is not: without it the second
derivatives of functions such as a product of two would be wrong. It is made when a pass asks for it, or at once where
`jvp` says that the cotangents are variables. Third derivatives would need the third term, and raise. Used by
`spectra.py`, `eigen.py` and `singular_values.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import comb
from typing import Any

import numpy as np

from ..backend import Tensor, apply
from ..dtypes import COMPLEX
from .operands import raw
from .register import define, tensors
from .result_shapes import same
from .row import row
from .ties import Ties
from .undetermined import TooHigh, eager


class Slopes:
    """The derivatives of numerators as the values move: all by 1, and, if their gap is a difference, by their rank.

    g: the cotangents of the values, recorded. part: for a row that divides several numerators, by which gaps. like: has
    the shape of the numerators. rate: by what gaps change where there are no ranks.
    """

    def __init__(
        self, name: str, g: Any, ties: Ties, part: str, ranks: np.ndarray | None, like: Any, rate: float = 1.0
    ) -> None:
        self.name, self.g, self.ties, self.part = name, g, ties, part
        self.ranks, self.rate = ranks, rate
        self.rows, self.columns = like.shape[-2:]
        self.ways: Sequence[np.ndarray] = [np.ones(g.shape, g.dtype)]
        if ranks is not None:
            self.ways = [*self.ways, np.broadcast_to(ranks, self.ways[0].shape)]

    def __call__(self, order: int) -> Any:
        """d^order N / D^order for each pair."""
        cotangents = [self.g]
        for _ in range(order - 1):
            cotangents = [self.of_values(c) for c in self.moved(cotangents, "values")]
        sums = [self.cut(c) for c in self.moved(cotangents, self.part)]
        if self.ranks is None:
            return sums[0] / self.rate**order
        mean = (self.ranks[..., None, :] + self.ranks[..., :, None]) / 2
        gaps = self.ranks[..., None, :] - self.ranks[..., :, None]
        total = sums[order]
        for k in range(order):
            total = total + sums[k] * (comb(order, k) * (-mean) ** (order - k))
        return total / (gaps + (gaps == 0)) ** order

    def moved(self, cotangents: list[Any], part: str) -> list[Any]:
        """From how often the values moved by their rank: the same of one move more, the k-th with k of these."""
        first = self.ties.turned_cotangents(cotangents[0], self.ways[0], part)
        if self.ranks is None:
            return [first]
        return [first, *[self.ties.turned_cotangents(c, self.ways[1], part) for c in cotangents]]

    def cut(self, made: Any) -> Any:
        """The numerators that `Ties` put into a matrix of the operand's shape."""
        return made[..., : self.rows, : self.columns] if isinstance(made, Tensor) else made

    def of_values(self, made: Any) -> Any:
        """The cotangents of values that `Ties` put on a diagonal."""
        if not isinstance(made, Tensor):
            return made
        found = tensors.diagonal(made, 0)
        return found if self.g.dtype in COMPLEX or made.dtype not in COMPLEX else tensors.real(found)

    def remainder(self, gaps: Any, top: Any, tied: np.ndarray, start: np.ndarray, near: bool) -> Any:
        """The second term, where tied. start: its value, which the quotient tells where gaps are not quite 0. near:
        there are such gaps, at which the derivatives of the term count as well."""
        self.weights = np.where(tied, -0.5, 0).astype(self.g.real.dtype)
        self.gaps, self.top = gaps + np.zeros(start.shape, raw(gaps).dtype), top
        if near or eager():
            with suppress(Exception):  # made when it is asked for, it raises by itself
                return self.gaps * self.second() + self.beyond(2)
        return apply(REMAINDER, (self.gaps,), (start, self)) + apply(TOP_BEYOND, (top,), (self, 1))

    def second(self) -> Any:
        return self(2) * self.weights

    def beyond(self, left: int) -> Any:
        """Zeros that stand for further terms, which are not 0 when they have been differentiated in the gaps `left`
        times: that raises."""
        return apply(GAPS_BEYOND, (self.gaps,), (self, left)) + apply(TOP_BEYOND, (self.top,), (self, left))


def turning(name: str, g: Any, ties: Ties | None, part: str, ranks: Any, like: Any, rate: float = 1.0) -> Any:
    """The slopes that stand for the quotients of tied pairs; None where nothing was done with the values."""
    if g is None:
        return None
    if ties is None or not isinstance(g, Tensor):
        raise RuntimeError(f"{name}: values are equal, and this pass does not record itself")
    return Slopes(name, g, ties, part, ranks, like, rate)


def _steep(f: Any, g: Any, slopes: Slopes | None) -> Any:
    if slopes is None:
        return g * 0
    made = slopes.second()
    return g * made + slopes.beyond(1) if isinstance(g, Tensor) else g * raw(made)


def _moved(f: Any, g: Any, slopes: Slopes | None, left: int) -> Any:
    if slopes is None or slopes.ties.probed() not in (None, "values"):
        return g * 0  # where vectors turn, gaps stay
    if left > 1:
        return _kept(f, g, slopes, left - 1)
    raise TooHigh(
        f"{slopes.name}: third derivatives where values are equal, or 0, and second ones of one decomposition behind "
        "another, are not made; make them of a function of the matrix itself (products, solve, expm), or of a matrix "
        "whose values differ"
    )


def _kept(f: Any, g: Any, slopes: Slopes | None, left: int) -> Any:
    return g * 0 if slopes is None or not isinstance(g, Tensor) else slopes.beyond(left)


def _examples(*params: Any) -> Any:
    return lambda rng: [((rng.normal(size=(2, 2)),), params)]


def _start(gaps: Any, start: Any, slopes: Slopes | None) -> Any:
    return np.zeros_like(gaps) if start is None else start


REMAINDER = define(row(
    "tied_remainder", "gaps", _start, ["steep(g, slopes)"], params="start slopes", uses={"steep": _steep}, complex=True,
    shape=lambda gaps, start, slopes: same(gaps if start is None else start), domain=_examples(None, None),
    doc="What first slopes leave of the quotients of tied values.",
))  # fmt: skip
GAPS_BEYOND = define(row(
    "gaps_beyond_ties", "gaps", lambda gaps, slopes, left: np.zeros_like(gaps), ["moved(g, slopes, left)"],
    params="slopes left", uses={"moved": _moved}, shape=same, complex=True, domain=_examples(None, 1),
    doc="Zeros that stand for what depends on the gaps of tied values in a higher order.",
))  # fmt: skip
TOP_BEYOND = define(row(
    "top_beyond_ties", "top", lambda top, slopes, left: np.zeros_like(top), ["kept(g, slopes, left)"],
    params="slopes left", uses={"kept": _kept}, shape=same, complex=True, domain=_examples(None, 1),
    doc="Zeros that stand for what depends on gaps of tied values in a higher order, and on the numerators besides.",
))  # fmt: skip

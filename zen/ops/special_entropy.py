"""Logarithms with their limits (xlogy, entr, rel_entr, ...), logit and its inverses, sums of exponentials.

These need no SciPy. At the limits the derivatives are those from inside the domain; where a function is infinite
throughout, as entr below 0, they are 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import binary, unary
from . import nn
from .axes import reduced_axes, reduced_shape
from .operands import floating, raw
from .register import FUNCTIONS, ROWS, define
from .row import elementwise
from .special import ANY, POSITIVE, UNIT, alike, declare, doubles, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Axes

define(elementwise(
    "zero_ratio", "a b", "where(a == 0, 0 * a, a / where(a == 0, 1.0, b))",
    ["g / b", "-g * zero_ratio(a, b) / where((a == 0) & (b == 0), 1.0, b)"], [ANY, POSITIVE], numpy="", method=None,
    complex=True,
    doc="a / b, and 0 where a is 0, whatever b is: the derivative of a log(b).",
))  # fmt: skip
_XLOGY = define(elementwise(
    "xlogy", "a b", "a * log(where((a == 0) & (b == b), 1.0, b))", ["g * log(b * 1.0)", "g * zero_ratio(a, b)"],
    [ANY, POSITIVE], numpy="", method=None, complex=True, doc="a * log(b), and 0 where a is 0.",
))  # fmt: skip
_XLOG1PY = define(elementwise(
    "xlog1py", "a b", "a * log1p(where((a == 0) & (b == b), 0.0, b))",
    ["g * log1p(b * 1.0)", "g * zero_ratio(a, 1.0 + b)"],
    [ANY, POSITIVE], numpy="", method=None, complex=True, doc="a * log1p(b), and 0 where a is 0.",
))  # fmt: skip
_LOGIT = define(elementwise(
    "logit", "x", "where(abs(x - 0.5) < 0.25, 2 * atanh(2 * x - 1), log(x) - log1p(-x))",
    ["g * (1 / x + 1 / (1.0 - x))"], [UNIT], numpy="", method=None, doc="log(x / (1 - x)).",
))  # fmt: skip


def _entr(x: Any) -> Any:
    (x,), dtype = doubles(x)
    inside = np.where(x > 0, x, 1.0)
    return np.where(x < 0, -np.inf, np.where(x == 0, 0.0, np.where(np.isnan(x), x, -inside * np.log(inside)))).astype(
        dtype
    )


def _log_ratio(a: Any, b: Any) -> Any:
    """log(a / b): close to 1 by the difference; where the ratio leaves the range of numbers by two logarithms."""
    (a, b), dtype = doubles(a, b)
    ratio = a / b
    near, plain = (ratio > 0.5) & (ratio < 2), (ratio > 1e-300) & (ratio < np.inf)
    found = np.where(near, np.log1p(np.where(near, a - b, 0) / b), np.log(ratio))
    return np.where(plain | near, found, np.log(a) - np.log(b)).astype(dtype)


def _relative(a: Any, b: Any) -> Any:
    (a, b), dtype = doubles(a, b)
    both = (a > 0) & (b > 0)
    inside = np.where(both, a, 1.0) * _log_ratio(np.where(both, a, 1.0), np.where(both, b, 1.0))
    outside = np.where((a == 0) & (b >= 0), 0.0, np.where(np.isnan(a) | np.isnan(b), np.nan, np.inf))
    return np.where(both, inside, outside), a, b, dtype


def _rel_entr(a: Any, b: Any) -> Any:
    found, *_, dtype = _relative(a, b)
    return found.astype(dtype)


def _kl_div(a: Any, b: Any) -> Any:
    found, a, b, dtype = _relative(a, b)
    return np.where((found == np.inf) & ((a < 0) | (b <= 0)), found, found - a + b).astype(dtype)


def _outside(f: Any, a: Any, b: Any) -> Any:
    return (a < 0) | (b < 0)


_ENTR = declare(
    "entr", "x", _entr, ["where(x < 0, 0.0, -g * (log(where(x < 0, 1.0, x)) + 1))"], [POSITIVE], "-x * log(x).",
)  # fmt: skip
declare("log_ratio", "a b", _log_ratio, ["g / a", "-g / b"], [POSITIVE, POSITIVE], "log(a / b).")
_USES = {"outside": _outside}
_REL_ENTR = declare(
    "rel_entr", "a b", _rel_entr,
    ["where(outside(a, b), 0.0, g * (log_ratio(where(outside(a, b), 1.0, a), where(outside(a, b), 1.0, b)) + 1))",
     "where(outside(a, b), 0.0, -g * zero_ratio(a, b))"], [POSITIVE, POSITIVE], "a * log(a / b).", uses=_USES,
)  # fmt: skip
_KL_DIV = declare(
    "kl_div", "a b", _kl_div,
    ["where(outside(a, b), 0.0, g * log_ratio(where(outside(a, b), 1.0, a), where(outside(a, b), 1.0, b)))",
     "where(outside(a, b), 0.0, g * (1 - zero_ratio(a, b)))"], [POSITIVE, POSITIVE], "a * log(a / b) - a + b.",
    uses=_USES,
)  # fmt: skip
_xlogy, _xlog1py, _logit, _entropy = binary(_XLOGY), binary(_XLOG1PY), unary(_LOGIT), unary(_ENTR)
_rel, _kl = binary(_REL_ENTR), binary(_KL_DIV)
_sigmoid, _logsigmoid = unary(ROWS["sigmoid"]), unary(ROWS["logsigmoid"])
_exp, _log, _sum, _where, _abs, _minimum, _positive = [
    FUNCTIONS[name] for name in ("exp", "log", "sum", "where", "abs", "minimum", "positive")
]


@special
def xlogy(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x * log(y), and 0 where x is 0 and y is no nan.

    The derivative in x is log(y), also at x = 0. That in y is x / y, and 0 where x is 0.

    >>> zen.special.xlogy(zen.tensor([0.0, 2.0]), zen.tensor([0.0, 1.0])).tolist()
    [0.0, 0.0]
    """
    return _xlogy(x, y)


@special
def xlog1py(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x * log1p(y), and 0 where x is 0 and y is no nan. Derivatives as in `xlogy`.

    >>> zen.special.xlog1py(zen.tensor([0.0, 2.0]), zen.tensor([-1.0, 0.0])).tolist()
    [0.0, 0.0]
    """
    return _xlog1py(x, y)


@special
def entr(x: ArrayLike) -> Tensor:
    """-x * log(x) for positive x, 0 at 0, -inf below. The derivative at 0 is inf, and below 0 it is 0.

    >>> zen.special.entr(zen.tensor([0.0, -1.0])).tolist()
    [0.0, -inf]
    """
    return _entropy(x)


@special
def rel_entr(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x * log(x / y) for positive x and y, 0 for x = 0 and y >= 0, else inf: there the derivatives are 0.

    >>> zen.special.rel_entr(zen.tensor([0.0, 1.0]), 1.0).tolist()
    [0.0, 0.0]
    """
    return _rel(x, y)


@special
def kl_div(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x * log(x / y) - x + y for positive x and y, y for x = 0 and y >= 0, else inf: there the derivatives are 0.

    This is SciPy's function of single elements; the loss of that name is zen.f.kl_div.

    >>> zen.special.kl_div(zen.tensor([0.0, 1.0]), 1.0).tolist()
    [1.0, 0.0]
    """
    return _kl(x, y)


@special
def logit(x: ArrayLike) -> Tensor:
    """log(x / (1 - x)), the inverse of expit: -inf at 0 and inf at 1, with infinite derivatives; nan outside.

    >>> zen.special.logit(zen.tensor([0.0, 0.5, 1.0])).tolist()
    [-inf, 0.0, inf]
    """
    return _logit(x)


@special
def expit(x: ArrayLike) -> Tensor:
    """1 / (1 + exp(-x)), without overflow; also zen.f.sigmoid.

    >>> zen.special.expit(zen.tensor([0.0])).tolist()
    [0.5]
    """
    return _sigmoid(x)


@special
def log_expit(x: ArrayLike) -> Tensor:
    """log(expit(x)), without overflow or loss of small values; also zen.f.logsigmoid.

    >>> round(zen.special.log_expit(zen.tensor(0.0)).item(), 4)
    -0.6931
    """
    return _logsigmoid(x)


@special
def logsumexp(
    a: ArrayLike, axis: Axes = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log(sum(b * exp(a))) over `axis`, without overflow.

    a: Tensor or array. axis: an int, a tuple of them, or None for all. b: factors that broadcast against a, of either
    sign; where the sum is negative the result is nan, unless return_sign asks for (log(abs(sum)), sign of the sum). A
    factor of 0 takes its element out, whatever that is, and still has its derivative, exp(a - result).

    >>> zen.special.logsumexp(zen.tensor([0.0, 0.0]), b=[0.5, 0.5]).tolist()
    0.0
    """
    if b is None and not return_sign:
        return FUNCTIONS["logsumexp"](a, axis=axis, keepdims=keepdims)
    x, factors = alike("logsumexp", floating("logsumexp", a), 1.0 if b is None else b)
    shape, absent = np.broadcast_shapes(x.shape, factors.shape), raw(factors) == 0
    axes = reduced_axes("logsumexp", axis, shape)
    top = np.maximum.reduce(np.where(absent, -np.inf, raw(x)), axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros((), top.dtype))
    # What a factor of 0 takes out may be infinite, or larger than all that counts.
    shifted = _where(absent & ~np.isfinite(raw(x)), 0.0, x) - top
    most = np.where(absent, 0.97 * np.log(np.finfo(top.dtype).max), np.inf).astype(top.dtype)
    total = _sum(factors * _exp(_minimum(shifted, most)), axes, keepdims=True)
    found = _log(_abs(total) if return_sign else total) + top
    if not keepdims:
        found, total = [t.reshape(reduced_shape(shape, axes, False)) for t in (found, total)]
    return (found, _positive(np.sign(raw(total)))) if return_sign else found


def _along(function: Any, x: Any, axis: Any) -> Tensor:
    """A function of one axis, over one, several or all of them."""
    x = floating("softmax" if function is nn.softmax else "log_softmax", x)
    axes = reduced_axes("softmax", axis, x.shape)
    if axes is not None and len(axes) == 1:
        found: Tensor = function(x, axes[0])
        return found
    axes = tuple(range(len(x.shape))) if axes is None else axes
    kept = [k for k in range(len(x.shape)) if k not in axes]
    order = (*kept, *axes)
    moved = FUNCTIONS["permute_dims"](x, order)
    lead = tuple([x.shape[k] for k in kept])
    flat = function(moved.reshape((*lead, -1 if moved.size else 0)), -1)
    back: Tensor = FUNCTIONS["permute_dims"](flat.reshape(moved.shape), tuple(np.argsort(order).tolist()))
    return back


@special
def softmax(x: ArrayLike, axis: Axes = None) -> Tensor:
    """exp(x) / sum(exp(x)) over `axis`: all elements unless it says otherwise (zen.f.softmax takes the last axis).

    axis: an int, a tuple of them, or None for all.

    >>> zen.special.softmax(zen.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    return _along(nn.softmax, x, axis)


@special
def log_softmax(x: ArrayLike, axis: Axes = None) -> Tensor:
    """The logarithm of softmax(x, axis), exact where that is tiny.

    >>> zen.special.log_softmax(zen.tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """
    return _along(nn.log_softmax, x, axis)

"""Functions of matrices, and matrices made of blocks, under SciPy's names: expm, block_diag.

expm: A. Al-Mohy and N. Higham, "Computing the Frechet derivative of the matrix exponential, with an application to
condition number estimation", SIAM J. Matrix Anal. Appl. 30, 2009: scaling, a Pade approximant, squaring. Its derivative
is that of these products, which the bounds of table 6.1 make as accurate as the value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from .axes import common_shape
from .casting import astype
from .joining import concat
from .linalg import floated_square, solve
from .operands import operand, raw
from .pointwise import where
from .register import public
from .shape import broadcast_to, reshape

_ORDERS = {
    3: (1.08e-2, (120.0, 60.0, 12.0, 1.0)),
    5: (2.00e-1, (30240.0, 15120.0, 3360.0, 420.0, 30.0, 1.0)),
    7: (7.83e-1, (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0)),
    9: (1.78, (17643225600.0, 8821612800.0, 2075673600.0, 302702400.0, 30270240.0, 2162160.0, 110880.0, 3960.0, 90.0,
               1.0)),
    13: (4.74, (64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
                10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0,
                1.0)),
}  # fmt: skip
"""By degree: the largest 1-norm that it serves, and the coefficients of the numerator."""


@public("", method=None)
def expm(a: Any) -> Any:
    """The exponential of the matrices in the last two axes: the sum of their powers, each over a factorial.

    a: square matrices (..., n, n), real or complex; integers give float64. Raises ValueError for other shapes.

    >>> zen.f.expm(zen.tensor([[0.0, 1.0], [0.0, 0.0]])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    a = floated_square("expm", a)
    if 0 in a.shape:
        return a * 1
    norms = np.abs(raw(a)).sum(-2).max(-1)
    largest = float(np.max(norms))
    degree = next((m for m, (bound, _) in _ORDERS.items() if largest <= bound), 13)
    halvings = np.zeros(norms.shape, int)
    if degree == 13:
        with np.errstate(all="ignore"):
            needed = np.ceil(np.log2(norms / _ORDERS[13][0]))
        halvings = np.where(np.isfinite(needed), np.maximum(needed, 0), 0).astype(int)
        if halvings.any():
            a = a * np.exp2(-halvings.astype(raw(a).real.dtype))[..., None, None]
    found = _approximated(a, _ORDERS[degree][1])
    for k in range(int(halvings.max(initial=0))):
        squared = found @ found
        found = squared if (halvings > k).all() else where((halvings > k)[..., None, None], squared, found)
    return found


def _approximated(a: Any, c: tuple[float, ...]) -> Any:
    """The Pade approximant with these coefficients."""
    one, square = np.eye(a.shape[-1], dtype=a.dtype), a @ a
    if len(c) == 14:
        fourth = square @ square
        sixth = fourth @ square
        odd = sixth @ (sixth * c[13] + fourth * c[11] + square * c[9])
        odd = odd + sixth * c[7] + fourth * c[5] + square * c[3] + one * c[1]
        even = sixth @ (sixth * c[12] + fourth * c[10] + square * c[8])
        even = even + sixth * c[6] + fourth * c[4] + square * c[2] + one * c[0]
    else:
        odd, even, power = square * c[3] + one * c[1], square * c[2] + one * c[0], square
        for k in range(4, len(c), 2):
            power = power @ square
            odd, even = odd + power * c[k + 1], even + power * c[k]
    odd = a @ odd
    return solve(even - odd, even + odd)


@public("", method=None)
def block_diag(*arrays: Any) -> Any:
    """The matrix with these along its diagonal, and zeros elsewhere.

    arrays: matrices (..., m, n), vectors, which count as rows, and numbers; leading axes broadcast.

    >>> zen.f.block_diag(zen.tensor([1.0, 2.0]), 3.0).tolist()
    [[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]
    """
    blocks = [operand("block_diag", x) for x in arrays]
    if not blocks:
        return backend.wrap(np.zeros((1, 0)))
    blocks = [x if x.ndim > 1 else reshape(x, (1, x.size)) for x in blocks]
    lead = common_shape("block_diag", *[x.shape[:-2] for x in blocks])
    dtype = np.result_type(*[x.dtype for x in blocks])
    width, done, rows = sum(x.shape[-1] for x in blocks), 0, []
    for x in blocks:
        m, n = x.shape[-2:]
        x = broadcast_to(astype(x, dtype), (*lead, m, n))
        left, right = (np.zeros((*lead, m, w), dtype) for w in (done, width - done - n))
        rows.append(concat([left, x, right], -1))
        done += n
    return concat(rows, -2)

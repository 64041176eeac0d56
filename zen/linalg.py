"""Linear algebra under the names of numpy.linalg: `zen.linalg.solve(a, b)`.

The functions are those of `zen.f`, except for `diagonal` and `trace`, which here take the last two axes.
"""

from typing import TYPE_CHECKING

from .f import (
    cholesky,
    det,
    inv,
    matmul,
    matrix_norm,
    matrix_power,
    matrix_transpose,
    norm,
    outer,
    slogdet,
    solve,
    tensordot,
    vecdot,
    vector_norm,
)  # fmt: skip
from .habits import HOMES, elsewhere, missing
from .ops.linalg import SlogdetResult
from .ops.selection import matrix_diagonal as diagonal
from .ops.selection import matrix_trace as trace

__all__ = [
    "SlogdetResult",
    "cholesky",
    "det",
    "diagonal",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "norm",
    "outer",
    "slogdet",
    "solve",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
__dir__ = __all__.copy
HOMES[__name__] = __all__


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        other = {"inverse": "zen.linalg.inv", "multi_dot": "a @ b @ c"}
        raise missing(__name__, name, __all__, {**elsewhere(name), **other})

"""Linear algebra under the names of numpy.linalg: `zen.linalg.solve(a, b)`.

The functions are those of `zen.f`, except for `diagonal` and `trace`, which here take the last two axes, and `cross`,
which takes vectors of three components. Decompositions load when they are first used.
"""

from typing import TYPE_CHECKING

from .f import (
    cholesky,
    det,
    inv,
    matmul,
    matrix_norm,
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
from .ops.register import ANSWERS, FUNCTIONS
from .ops.selection import matrix_diagonal as diagonal
from .ops.selection import matrix_trace as trace

if TYPE_CHECKING:
    from .f import (
        block_diag,
        cho_solve,
        cond,
        eig,
        eigh,
        eigvals,
        eigvalsh,
        expm,
        lstsq,
        lu,
        matrix_power,
        matrix_rank,
        multi_dot,
        pinv,
        qr,
        solve_triangular,
        svd,
        svdvals,
        tensorinv,
        tensorsolve,
    )  # fmt: skip
    from .ops.eigen import EigResult
    from .ops.orthogonal import QRResult
    from .ops.singular_values import SVDResult
    from .ops.spectra import EighResult
    from .ops.tensor_equations import vector_cross as cross

__all__ = [
    "EigResult",
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "block_diag",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
__dir__ = __all__.copy
HOMES[__name__] = __all__
_RESULTS = {"EigResult": "eig", "EighResult": "eigh", "QRResult": "qr", "SVDResult": "svd"}
"""The named tuples of functions that load late."""


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        import sys

        if name == "cross":
            found = ANSWERS["linalg.cross"]
        elif name in _RESULTS:
            found = getattr(sys.modules[FUNCTIONS[_RESULTS[name]].__globals__["__name__"]], name)
        elif name in __all__:
            found = FUNCTIONS[name]
        else:
            other = {"inverse": "zen.linalg.inv", "matrix_exp": "zen.linalg.expm", "lu_factor": "zen.linalg.lu"}
            raise missing(__name__, name, __all__, {**elsewhere(name), **other})
        globals()[name] = found
        return found

"""Linear algebra under the names of numpy.linalg: `zen.linalg.solve(a, b)`.

The functions are those of `zen.f`, except for `diagonal` and `trace`, which here take the last two axes, and `cross`,
which takes vectors of three components; and for `cg` and `gmres`, which solve by products with a matrix alone and need
SciPy (the extra "scipy"). All of them load when they are first used.
"""

from typing import TYPE_CHECKING

from .exports import HOMES
from .habits import elsewhere, missing
from .ops.register import ANSWERS, FUNCTIONS

if TYPE_CHECKING:
    from .f import (
        block_diag,
        cho_solve,
        cholesky,
        cond,
        det,
        eig,
        eigh,
        eigvals,
        eigvalsh,
        expm,
        inv,
        lstsq,
        lu,
        matmul,
        matrix_norm,
        matrix_power,
        matrix_rank,
        matrix_transpose,
        multi_dot,
        norm,
        outer,
        pinv,
        qr,
        slogdet,
        solve,
        solve_triangular,
        svd,
        svdvals,
        tensordot,
        tensorinv,
        tensorsolve,
        vecdot,
        vector_norm,
    )  # fmt: skip
    from .ops.eigen import EigResult
    from .ops.linalg import SlogdetResult
    from .ops.orthogonal import QRResult
    from .ops.selection import matrix_diagonal as diagonal
    from .ops.selection import matrix_trace as trace
    from .ops.singular_values import SVDResult
    from .ops.spectra import EighResult
    from .ops.tensor_equations import vector_cross as cross
    from .transforms.implicit.linear_solves import cg, gmres

__all__ = [
    "EigResult",
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "block_diag",
    "cg",
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
    "gmres",
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
_RESULTS = {
    "EigResult": "eig", "EighResult": "eigh", "QRResult": "qr", "SVDResult": "svd", "SlogdetResult": "slogdet",
}  # fmt: skip
"""The functions that return the named tuples, which stand beside them."""


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        import sys

        if name in ("cross", "diagonal", "trace"):
            found = ANSWERS[f"linalg.{name}"]
        elif name in ("cg", "gmres"):
            from .transforms.implicit import linear_solves

            found = getattr(linear_solves, name)
        elif name in _RESULTS:
            function = FUNCTIONS[_RESULTS[name]]
            function = getattr(function, "__wrapped__", function)
            found = getattr(sys.modules[function.__globals__["__name__"]], name)
        elif name in __all__:
            found = FUNCTIONS[name]
        else:
            other = {"inverse": "zen.linalg.inv", "matrix_exp": "zen.linalg.expm", "lu_factor": "zen.linalg.lu"}
            raise missing(__name__, name, __all__, {**elsewhere(name), **other})
        globals()[name] = found
        return found

"""The Jacobian of a known sparsity from few passes: columns that share no row go through together.

Curtis, Powell and Reid 1974, "On the estimation of sparse Jacobian matrices". `fitting.py` calls it for `jac_sparsity`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DEFAULT
from ..ops.operands import raw
from ..ops.register import FUNCTIONS
from ..transforms.mapping import vmap
from .layout import Array
from .objective import Vector


class Coloured:
    """The Jacobian of a function with this pattern, an array or sparse matrix; only its free columns."""

    def __init__(self, function: Vector, pattern: Any) -> None:
        from scipy.sparse import csc_matrix

        layout = function.layout
        found = csc_matrix(pattern)
        if found.shape[1] not in (layout.total, layout.size):
            raise ValueError(
                f"{function.operation}: jac_sparsity has {found.shape[1]} columns, and {layout.role} has "
                f"{layout.total} numbers"
            )
        if found.shape[1] == layout.total:
            found = found[:, layout.chosen()]
        found.sum_duplicates()
        found.eliminate_zeros()
        self.function, self.shape = function, found.shape
        self.columns = np.repeat(np.arange(found.shape[1]), np.diff(found.indptr))
        self.rows = np.asarray(found.indices)
        self.colours = _colours(found)
        count = int(self.colours.max(initial=-1)) + 1
        self.seeds = (self.colours == np.arange(count)[:, None]).astype(DEFAULT)

    def __call__(self, x: Array) -> Any:
        from scipy.sparse import csr_matrix

        push = self.function.linearized(x)
        made = raw(vmap(lambda seed: FUNCTIONS["reshape"](push(seed), -1))(self.seeds))
        if made.shape[1] != self.shape[0]:
            raise ValueError(
                f"{self.function.operation}: jac_sparsity has {self.shape[0]} rows, and {self.function.what} returned "
                f"{made.shape[1]} numbers"
            )
        values = np.asarray(made)[self.colours[self.columns], self.rows]
        return csr_matrix((values, (self.rows, self.columns)), shape=self.shape)


def _colours(pattern: Any) -> Array:
    """A colour for each column, such that none of one colour share a row: greedily, the fullest columns first."""
    n = pattern.shape[1]
    by_row = pattern.tocsr()
    colours = np.full(n, -1)
    for j in np.argsort(-np.diff(pattern.indptr), kind="stable"):
        rows = pattern.indices[pattern.indptr[j] : pattern.indptr[j + 1]]
        taken = {int(c) for i in rows for c in colours[by_row.indices[by_row.indptr[i] : by_row.indptr[i + 1]]]}
        colours[j] = next(c for c in range(n) if c not in taken)
    return colours

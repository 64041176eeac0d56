"""The Jacobian of a known sparsity from few passes: columns that share no row go through together.

`fitting.py` calls it for `jac_sparsity`; the colours are those of `zen.Sparsity`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DEFAULT
from ..ops.operands import raw
from ..ops.register import FUNCTIONS
from ..transforms.mapping import vmap
from ..transforms.sparsity import Sparsity
from .layout import Array
from .objective import Vector


class Colored:
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
        coloring = Sparsity(found).coloring("column")
        self.colors, self.seeds = coloring.colors, coloring.seeds(np.dtype(DEFAULT))

    def __call__(self, x: Array) -> Any:
        from scipy.sparse import csr_matrix

        push = self.function.linearized(x)
        made = raw(vmap(lambda seed: FUNCTIONS["reshape"](push(seed), -1))(self.seeds))
        if made.shape[1] != self.shape[0]:
            raise ValueError(
                f"{self.function.operation}: jac_sparsity has {self.shape[0]} rows, and {self.function.what} returned "
                f"{made.shape[1]} numbers"
            )
        values = np.asarray(made)[self.colors[self.columns], self.rows]
        return csr_matrix((values, (self.rows, self.columns)), shape=self.shape)

"""What may be kept of a sparse derivative: the pattern of its entries, and the colours by which it is computed.

Both are constant, are pickled, and are saved to files. Called by `derivatives.py`, and by users who make their own.
"""

from __future__ import annotations

import io
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from ... import backend, files
from ...dtypes import INTEGER, NUMBERS
from ...extras import scipy_module
from ...ops.register import placed
from .index_sets import Matrix, numbered_rows

SCHEMES = ("column", "row", "star")
_MANY = 1e7
"""Pairs of columns that share a row, row by row, from which it is worth to look for rows that are alike."""


class Sparsity:
    """Which entries of a matrix may differ from zero.

    pattern: another one, a scipy.sparse matrix, of which all stored entries count, zeros among them, or a 2-d array, of
    which all nonzero elements count. Raises ValueError for another number of axes, TypeError for what is no array.

    >>> import numpy as np, zen
    >>> pattern = zen.Sparsity(np.eye(3))
    >>> pattern.shape, pattern.nnz, pattern.coloring().count
    ((3, 3), 3, 1)
    """

    shape: tuple[int, int]
    _remembered = ...  # see `zen/program/entering.py`

    def __init__(self, pattern: Any) -> None:
        matrix = pattern.matrix if isinstance(pattern, Sparsity) else _structure(pattern)
        self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self._starts, self._members = _constant(matrix.indptr), _constant(matrix.indices)

    @property
    def nnz(self) -> int:
        """How many entries there are."""
        return int(self._members.size)

    @property
    def longest_row(self) -> int:
        """The most entries of a row."""
        return _longest(self._starts)

    @property
    def matrix(self) -> Any:
        """The pattern as a scipy.sparse.csr_array of bool, new at each call."""
        return self.filled(np.ones(self.nnz, bool))

    def filled(self, values: np.ndarray) -> Any:
        """A scipy.sparse.csr_array with these values for the entries, in order of rows, then of columns."""
        sparse = scipy_module("sparse", "zen.Sparsity")
        index = np.int32 if max(self.nnz, *self.shape) < 2**31 else np.int64
        return sparse.csr_array((values, self._members.astype(index), self._starts.astype(index)), shape=self.shape)

    def coloring(self, scheme: str | None = None) -> Coloring:
        """Colours for the columns or the rows, whichever are fewer, or of the scheme "column", "row" or "star".

        "star" is for symmetric matrices: entries that are missing on the other side of the diagonal are added.
        """
        if scheme not in (None, *SCHEMES):
            raise ValueError(f"coloring: scheme is {', '.join(map(repr, SCHEMES))} or None, not {scheme!r}")
        if scheme == "star":
            pattern = self.symmetric()
            graph = _ints(pattern._starts, pattern._members)
            if pattern.nnz and pattern.nnz == np.count_nonzero(np.diff(graph[0])) ** 2:
                return Coloring(pattern, _each_its_own(graph[0]), "star")
            return Coloring(pattern, _fewest(backend.kernels.coloring.star, graph, graph[0], 3), "star")
        turned = self._turned()
        if scheme is not None:
            return self._colored(turned, scheme)
        rows, columns = _longest(self._starts), _longest(turned._starts)
        # No coloring of the columns has fewer colours than the longest row has entries.
        first, second, bound = ("column", "row", columns) if rows <= columns else ("row", "column", rows)
        found = self._colored(turned, first)
        if found.count > bound:
            other = self._colored(turned, second)
            fewer = other.count < found.count or (other.count == found.count and second == "column")
            return other if fewer else found
        return found

    def _colored(self, turned: Sparsity, scheme: str) -> Coloring:
        rows, columns = _ints(self._starts, self._members), _ints(turned._starts, turned._members)
        if scheme == "row":
            rows, columns = columns, rows
        if _longest(rows[0]) == np.count_nonzero(np.diff(columns[0])):  # a row with all columns: no two go together
            return Coloring(self, _each_its_own(columns[0]), scheme)
        if np.square(np.diff(rows[0]), dtype=float).sum() > _MANY:
            rows, columns = _distinct_rows(rows, columns[0].size - 1)
        colors = _fewest(backend.kernels.coloring.columns, (*rows, *columns), columns[0], _longest(rows[0]))
        return Coloring(self, colors, scheme)

    def _turned(self) -> Sparsity:
        return Sparsity(self.matrix.T)

    def symmetric(self) -> Sparsity:
        """This pattern with the mirror image of each entry. Raises ValueError where it is not square."""
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"coloring: a star coloring is of a symmetric matrix, not of shape {self.shape}")
        turned = self._turned()
        if np.array_equal(turned._starts, self._starts) and np.array_equal(turned._members, self._members):
            return self
        return Sparsity(self.matrix + turned.matrix)

    def save(self, file: Any) -> None:
        """Write it to a path, or a file open for writing bytes, as an .npz archive."""
        _write(file, "zen.Sparsity.save", shape=self.shape, starts=self._starts, members=self._members)

    @classmethod
    def load(cls, file: Any) -> Self:
        """What `save` wrote. Raises ValueError for another file."""
        return cls(_read(file, "zen.Sparsity.load")[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sparsity):
            return NotImplemented
        return (
            self.shape == other.shape
            and np.array_equal(self._starts, other._starts)
            and np.array_equal(self._members, other._members)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.matrix,)

    def __repr__(self) -> str:
        return f"<zen.Sparsity shape={self.shape} nnz={self.nnz}>"


class Coloring:
    """Columns or rows of a sparse matrix that are computed together, and where each entry is found then.

    sparsity: what `zen.Sparsity` takes. colors: for each column (scheme "column", or "star" for a symmetric matrix) or
    row (scheme "row") an int from 0 on; -1 for one that has no entries. Columns of one colour must not have an entry in
    the same row, rows not in the same column; with "star" each entry must be so apart in its row, or its mirror image.
    Raises ValueError where they are not.

    >>> import numpy as np, zen
    >>> tridiagonal = np.eye(5) + np.eye(5, k=1) + np.eye(5, k=-1)
    >>> zen.Coloring(tridiagonal, [0, 1, 2, 0, 1], "column").count
    3
    """

    sparsity: Sparsity
    colors: np.ndarray
    scheme: str
    count: int
    _remembered = ...

    def __init__(self, sparsity: Any, colors: Any, scheme: str) -> None:
        if scheme not in SCHEMES:
            raise ValueError(f"Coloring: scheme is {', '.join(map(repr, SCHEMES))}, not {scheme!r}")
        self.sparsity = sparsity if isinstance(sparsity, Sparsity) else Sparsity(sparsity)
        if scheme == "star":
            self.sparsity = self.sparsity.symmetric()
        given = np.asarray(colors)
        length = self.sparsity.shape[0 if scheme == "row" else 1]
        if given.shape != (length,) or given.dtype not in INTEGER:
            name = "row" if scheme == "row" else "column"
            raise ValueError(
                f"Coloring: colors is a vector of {length} ints, one for each {name}, "
                f"not {given.dtype} of shape {given.shape}"
            )
        if given.size and given.min() < -1 or given.size and given.max() >= length:
            raise ValueError(
                f"Coloring: colors are from 0 to {length - 1}, or -1, but range from {given.min()} to {given.max()}"
            )
        self.colors, self.scheme = _constant(given), scheme
        self.count = int(given.max(initial=-1)) + 1
        self._places = self._found()

    def matrix(self, products: np.ndarray) -> Any:
        """The scipy.sparse.csr_array of which these are the products, for each colour one with its 0-1 vector."""
        return self.sparsity.filled(products.reshape(-1)[self._places])

    def seeds(self, dtype: Any) -> np.ndarray:
        """The 0-1 vectors of the colours, one below the other."""
        made: np.ndarray = (self.colors == np.arange(self.count)[:, None]).astype(dtype)
        return made

    def _found(self) -> np.ndarray:
        """For each entry its place in the products."""
        pattern = self.sparsity
        rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern._starts))
        columns = pattern._members
        if self.scheme == "row":
            rows, columns = columns, rows
        length = pattern.shape[1 if self.scheme == "row" else 0]
        colored = self.colors[columns]
        if colored.size and colored.min() < 0:
            self._refuse("has entries, but the colour -1", int(columns[colored.argmin()]))
        places = colored * length + rows
        alone = _alone(places)
        if self.scheme == "star":
            mirror = np.argsort(columns, kind="stable")  # in order of columns, then of rows: the mirror images
            places, alone = np.where(alone, places, places[mirror]), alone | alone[mirror]
        wrong = np.flatnonzero(~alone)
        if wrong.size:
            self._refuse("shares an entry's place with another one of its colour", int(columns[wrong[0]]))
        return _constant(places)

    def _refuse(self, what: str, number: int) -> None:
        name = "row" if self.scheme == "row" else "column"
        raise ValueError(
            f"Coloring: {name} {number} {what}, in a {self.scheme} coloring of {self.sparsity!r}; "
            "let zen.Sparsity.coloring() find the colours"
        )

    def save(self, file: Any) -> None:
        """Write it, with its pattern, to a path, or a file open for writing bytes, as an .npz archive."""
        pattern = self.sparsity
        _write(
            file, "zen.Coloring.save", shape=pattern.shape, starts=pattern._starts, members=pattern._members,
            colors=self.colors, scheme=self.scheme,
        )  # fmt: skip

    @classmethod
    def load(cls, file: Any) -> Self:
        """What `save` wrote. Raises ValueError for another file."""
        matrix, held = _read(file, "zen.Coloring.load", "colors", "scheme")
        return cls(matrix, held["colors"], str(held["scheme"]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sparsity, self.colors, self.scheme)

    def __repr__(self) -> str:
        return f"<zen.Coloring scheme={self.scheme!r} count={self.count} of {self.sparsity!r}>"


def _structure(pattern: Any) -> Any:
    """The stored entries of a scipy.sparse matrix, or the nonzero ones of an array: sorted, once each."""
    sparse = scipy_module("sparse", "zen.Sparsity")
    if not sparse.issparse(pattern):
        pattern = np.asarray(pattern)
        if pattern.dtype not in NUMBERS:
            raise TypeError(f"Sparsity: a pattern is a scipy.sparse matrix or an array, not of dtype {pattern.dtype}")
        pattern = pattern != 0
    if pattern.ndim != 2:
        raise ValueError(f"Sparsity: a pattern has two axes, not shape {pattern.shape}")
    found = sparse.csr_array(pattern)
    made = sparse.csr_array((np.ones(found.nnz, bool), found.indices, found.indptr), shape=found.shape, copy=True)
    made.sum_duplicates()
    return made


def _constant(values: np.ndarray) -> np.ndarray:
    made = np.array(values, np.intp)
    made.flags.writeable = False
    return made


def _ints(starts: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(starts, np.intp), np.ascontiguousarray(members, np.intp)


def _alone(places: np.ndarray) -> np.ndarray:
    """Of each place whether it is there once."""
    order = np.argsort(places, kind="stable")
    differs = np.concatenate([[True], np.diff(places[order]) != 0, [True]])
    made = np.empty(places.size, bool)
    made[order] = differs[:-1] & differs[1:]
    return made


def _longest(starts: np.ndarray) -> int:
    return int(np.diff(starts).max(initial=0))


def _each_its_own(starts: np.ndarray) -> np.ndarray:
    has_entries = np.diff(starts) > 0
    return np.where(has_entries, np.cumsum(has_entries) - 1, -1)


def _distinct_rows(rows: tuple[np.ndarray, np.ndarray], width: int) -> Any:
    """`(by rows, by columns)` without rows that have the entries of another one, and forbid nothing more."""
    matrix = Matrix(*rows, (rows[0].size - 1, width)).to_scipy()
    matrix = matrix[np.sort(numbered_rows(matrix)[1])]
    turned = matrix.T.tocsr()
    turned.sort_indices()
    return _ints(matrix.indptr, matrix.indices), _ints(turned.indptr, turned.indices)


def _fewest(kernel: Any, pattern: tuple[np.ndarray, ...], starts: np.ndarray, enough: int) -> np.ndarray:
    """The colours in natural order, or, if these are more than enough, from the vertices with most entries on."""
    found: np.ndarray = kernel(*pattern, np.arange(starts.size - 1))
    if found.max(initial=-1) + 1 > enough:
        other = kernel(*pattern, np.argsort(-np.diff(starts), kind="stable"))
        if other.max() < found.max():
            return np.asarray(other)
    return found


def _write(file: Any, name: str, **arrays: Any) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    files.write(file, content.getvalue(), name)


def _read(file: Any, name: str, *further: str) -> tuple[Any, dict[str, Any]]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            held = {key: archive[key] for key in ("shape", "starts", "members", *further)}
    except (KeyError, TypeError, AttributeError, EOFError, ValueError, BadZipFile) as error:
        raise ValueError(f"{name}: {file!r} is no archive that {name.replace('load', 'save')} wrote") from error
    try:
        shape, members = tuple(held["shape"].tolist()), held["members"]
        sparse = scipy_module("sparse", name)
        matrix = sparse.csr_array((np.ones(members.size, bool), members, held["starts"]), shape=shape)
        matrix.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: the pattern in {file!r} is damaged: {error}") from error
    return matrix, held


for _class in (Coloring, Sparsity):
    placed(_class, "zen", _class.__name__)

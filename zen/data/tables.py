"""Reading tables: CSV through pandas, Parquet through pyarrow. Both are loaded on first use (the extra `data`)."""

from __future__ import annotations

import csv
import difflib
import importlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..conversion import supported
from .dataset import TensorDataset

Table = dict[str, np.ndarray]


def read_csv(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, target: str | Sequence[str] | None = None, *,
    dtype: Any = np.float32, missing: float | None = None, **options: Any,
) -> Any:  # fmt: skip
    """The numeric columns of a CSV file with a header, as a TensorDataset or, without `target`, as a dict of arrays.

    columns: the names to read, in that order; all (but the target) if not given.
    target: the column to predict. The result is then a TensorDataset of (features, target): features of shape
        (rows, columns) and `dtype`; a target of shape (rows,), or (rows, targets) for a list of names, int64 where all
        of it is integers or bools, else of `dtype`.
    missing: the number that stands for an empty cell; without it, an empty cell raises.
    options: for `pandas.read_csv`, such as sep=";" or nrows=100.

    Without `target`, each array has the dtype of its column. Raises ValueError naming the file and what is wrong in it:
    a column that is not there, a cell that is not a number (column and row, counted from 0 behind the header, with the
    line and its offset in the file, or in a compressed one the line alone), rows of different lengths (with the offset
    of the line); ImportError where pandas is missing.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "points.csv")
    ...     _ = path.write_text("x,y,label\\n1.5,2,0\\n3.5,4,1\\n")
    ...     zen.data.read_csv(path, target="label")[1]
    (Tensor([3.5, 4. ], dtype=float32), Tensor(1, dtype=int64))
    """
    pandas = _library("pandas", "read_csv")
    where = f"read_csv: {os.fspath(path)}"
    try:
        frame = pandas.read_csv(path, **options)
    except pandas.errors.EmptyDataError:
        raise ValueError(f"{where}: offset 0: expected a header with the names of columns, found none") from None
    except pandas.errors.ParserError as error:
        text = str(error).strip()
        found = re.search(r"in line (\d+)|at row (\d+)", text)  # lines are counted from 1, rows from 0
        line = 0 if found is None else int(found[1] or 0) or int(found[2]) + 1
        raise ValueError(f"{where}: {_offset(path, line)}{text}") from None
    except UnicodeDecodeError as error:
        place = _undecodable(path, error.encoding)
        raise ValueError(f"{where}: {place}expected {error.encoding} text ({error.reason}); give encoding=") from None
    frame.columns = [str(name) for name in frame.columns]
    wanted = _chosen(list(frame.columns), columns, target, where)
    table = {name: _numbers(pandas, frame[name], missing, _Where(where, name, path, options)) for name in wanted}
    return table if target is None else _dataset(table, wanted, target, dtype)


def read_parquet(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, target: str | Sequence[str] | None = None, *,
    dtype: Any = np.float32, missing: float | None = None,
) -> Any:  # fmt: skip
    """The numeric columns of a Parquet file; arguments, result and errors as of `read_csv`. Needs pyarrow."""
    arrow = _library("pyarrow", "read_parquet")
    parquet = _library("pyarrow.parquet", "read_parquet")
    where = f"read_parquet: {os.fspath(path)}"
    try:
        with open(path, "rb") as source, parquet.ParquetFile(source) as file:
            wanted = _chosen(file.schema_arrow.names, columns, target, where)
            found = file.read(columns=wanted)
    except (arrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # such as FileNotFoundError
            raise
        raise ValueError(f"{where}: {_broken(path)} ({str(error).strip()})") from None
    table = {name: _cells(arrow, found.column(name), missing, _Where(where, name)) for name in wanted}
    return table if target is None else _dataset(table, wanted, target, dtype)


def _library(name: str, function: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.split(".")[0]
        raise ImportError(f"{function} needs {package}: pip install 'zen-autograd[data]'") from None


def _chosen(
    found: list[str], columns: Sequence[str] | None, target: str | Sequence[str] | None, where: str
) -> list[str]:
    """The names to read: features first, then targets."""
    if isinstance(columns, str):
        raise TypeError(f"{where}: columns must be a list of names, not the string {columns!r}")
    targets = _targets(target)
    repeated = sorted({name for name in found if found.count(name) > 1})
    if repeated:
        raise ValueError(f"{where}: several columns are called {', '.join(map(repr, repeated))}")
    features = [name for name in found if name not in targets] if columns is None else list(columns)
    wanted = list(dict.fromkeys([*features, *targets]))
    absent = [name for name in wanted if name not in found]
    if absent:
        close = [close for name in absent for close in difflib.get_close_matches(name, found, 1)]
        hint = f" Did you mean {', '.join(map(repr, close))}?" if close else ""
        raise ValueError(f"{where}: no column {', '.join(map(repr, absent))}; there are {found}.{hint}")
    both = [name for name in targets if name in features]
    if both:
        raise ValueError(f"{where}: {', '.join(map(repr, both))} is both a feature and a target")
    if target is not None and not features:
        raise ValueError(f"{where}: no columns are left as features besides the target")
    return wanted


def _targets(target: str | Sequence[str] | None) -> list[str]:
    return [] if target is None else [target] if isinstance(target, str) else list(target)


def _dataset(table: Table, wanted: list[str], target: str | Sequence[str], dtype: Any) -> TensorDataset:
    targets, dtype = _targets(target), supported(dtype)
    features = np.stack([table[name] for name in wanted if name not in targets], axis=1).astype(dtype)
    labels = np.stack([table[name] for name in targets], axis=1)
    labels = labels.astype(np.int64 if labels.dtype.kind in "bui" else dtype)
    return TensorDataset(features, labels[:, 0] if isinstance(target, str) else labels)


class _Where(NamedTuple):
    """What errors say of a column: the function and the file, the name, and for CSV how to find a row's line."""

    start: str
    column: str
    path: str | os.PathLike[str] = ""
    options: Mapping[str, Any] = {}

    def row(self, row: int) -> str:
        return f"{self.start}: column {self.column!r}, row {row}{_line(self.path, row, self.options)}"


def _numbers(pandas: Any, column: Any, missing: float | None, where: _Where) -> np.ndarray:
    """A column of a data frame as an array of numbers."""
    empty = column.isna().to_numpy()
    if pandas.api.types.is_bool_dtype(column.dtype) and not empty.any():
        return np.asarray(column.to_numpy(dtype=bool))
    if not pandas.api.types.is_numeric_dtype(column.dtype):
        parsed = pandas.to_numeric(column, errors="coerce")
        bad = np.flatnonzero(parsed.isna().to_numpy() & ~empty)
        if bad.size:
            raise _not_a_number(where, int(bad[0]), column.iloc[int(bad[0])])
        column = parsed
    return _filled(column.to_numpy(dtype=np.float64) if empty.any() else column.to_numpy(), empty, missing, where)


def _cells(arrow: Any, column: Any, missing: float | None, where: _Where) -> np.ndarray:
    """A column of an Arrow table as an array of numbers."""
    kind, types = column.type, arrow.types
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        row = next((k for k, cell in enumerate(column) if cell.is_valid), 0)
        value = column[row].as_py() if len(column) else None
        raise _not_a_number(where, row, value, f" (its type is {kind})")
    empty = np.asarray(column.is_null(nan_is_null=True))
    if empty.any():
        return _filled(np.asarray(column.cast(arrow.float64())), empty, missing, where)
    return np.asarray(column)


def _filled(values: np.ndarray, empty: np.ndarray, missing: float | None, where: _Where) -> np.ndarray:
    if not empty.any():
        return np.asarray(values)
    if missing is None:
        raise ValueError(
            f"{where.row(int(np.argmax(empty)))} is empty ({int(empty.sum())} such cells); give missing= with the "
            "number that stands for them, or leave the column out"
        )
    return np.where(empty, missing, values)


def _not_a_number(where: _Where, row: int, value: Any, note: str = "") -> ValueError:
    return ValueError(
        f"{where.row(row)} is {value!r}{note}, not a number; encode the column as numbers, or leave it out with "
        "columns="
    )


# What is wrong with a file, and at which of its bytes


def _bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file that is not compressed; nothing of others, whose offsets say nothing."""
    if os.fspath(path).lower().endswith((".gz", ".bz2", ".zip", ".xz", ".zst", ".tar")) or not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def _offset(path: str | os.PathLike[str], line: int) -> str:
    """Where a line of this number, counted from 1, begins; nothing for line 0."""
    lines = _bytes(path).splitlines(keepends=True)
    return f"offset {sum(map(len, lines[: line - 1]))}: " if 0 < line <= len(lines) else ""


_OPENERS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
_HARMLESS = {"sep", "delimiter", "quotechar", "nrows", "dtype", "na_values", "decimal", "thousands", "encoding"}
"""Options with which the rows of the result are still those behind the header."""


def _line(path: str | os.PathLike[str], row: int, options: Mapping[str, Any]) -> str:
    """Where a row of a CSV file is; nothing where that is not certain. Read anew, as only an error asks for it."""
    separator = options.get("sep") or options.get("delimiter") or ","
    quote, ending = options.get("quotechar") or '"', "a\n".encode(options.get("encoding") or "utf-8")[-2:]
    if not _HARMLESS.issuperset(options) or len(separator) != 1 or ending != b"a\n":
        return ""
    content, kind = _bytes(path), _OPENERS.get(os.path.splitext(path)[1].lower())
    if kind and os.path.isfile(path):
        with importlib.import_module(kind).open(path) as file:
            content = file.read()
    lines = content.splitlines(keepends=True)
    reader = csv.reader((line.decode("latin-1") for line in lines), delimiter=separator, quotechar=quote)
    first, count = 0, 0  # the line at which a record begins; how many, the header included, came before it
    try:
        for _ in reader:
            if count == row + 1 and lines[first].strip():
                return f" (line {first + 1}{'' if kind else f', offset {sum(map(len, lines[:first]))}'})"
            count += bool(lines[first].strip())  # pandas leaves out blank lines
            first = reader.line_num
    except csv.Error:
        pass
    return ""


def _undecodable(path: str | os.PathLike[str], encoding: str) -> str:
    try:
        _bytes(path).decode(encoding)
    except UnicodeDecodeError as error:
        return f"offset {error.start}: "
    return ""


def _broken(path: str | os.PathLike[str]) -> str:
    """A Parquet file is PAR1, the data, the footer, the footer's length in four bytes, and PAR1 again."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(4)
        if head != b"PAR1":
            return f"offset 0: expected b'PAR1', found {head!r}: no Parquet file"
        file.seek(max(size - 8, 4))
        tail = file.read()
    if size < 12 or tail[4:] != b"PAR1":
        return f"offset {max(size - 4, 4)}: expected b'PAR1' at the end of the file, found {tail[-4:]!r}: cut off"
    length = int.from_bytes(tail[:4], "little")
    if length > size - 12:
        return f"offset {size - 8}: expected a footer of at most {size - 12} bytes, found the length {length}"
    return f"offset 4: expected data and, at offset {size - 8 - length}, a footer that can be read; they are damaged"

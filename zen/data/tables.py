"""Reading tables: CSV through pandas, Parquet through pyarrow. Both are loaded on first use (the extra `data`)."""

from __future__ import annotations

import difflib
import importlib
import os
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..conversion import supported
from ..dtypes import EXACT
from ..extras import missing
from .dataset import TensorDataset
from .lines import Source as _Source

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
    line and its offset in the file, or in a compressed one the line alone), rows that are longer or shorter than the
    header (a separator at the end of each line is allowed where the header has none at its own), two columns of one
    name; ImportError where pandas is missing.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "points.csv")
    ...     _ = path.write_text("x,y,label\\n1.5,2,0\\n3.5,4,1\\n")
    ...     zen.data.read_csv(path, target="label")[1]
    (Tensor([3.5, 4. ], dtype=float32), Tensor(1, dtype=int64))
    """
    pandas = _library("pandas", "read_csv")
    where = f"read_csv: {os.fspath(path)}"
    if options.get("chunksize") or options.get("iterator"):
        raise TypeError(f"{where}: the rows are read at once; nrows= and skiprows= read some of them")
    source = _Source(path, options)
    frame = _frame(pandas, source, where)
    names = _names(pandas, frame, source)
    wanted = _chosen(names, columns, target, where)
    _check_rows(frame, source, where)
    table = {name: _numbers(pandas, frame[name], missing, _Where(where, name, source)) for name in wanted}
    return table if target is None else _dataset(table, wanted, target, dtype, where)


def read_parquet(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, target: str | Sequence[str] | None = None, *,
    dtype: Any = np.float32, missing: float | None = None,
) -> Any:  # fmt: skip
    """The numeric columns of a Parquet file; arguments, result and errors as of `read_csv`. Needs pyarrow."""
    arrow = _library("pyarrow", "read_parquet")
    parquet = _library("pyarrow.parquet", "read_parquet")
    where = f"read_parquet: {os.fspath(path)}"
    try:
        with open(path, "rb") as source, parquet.ParquetFile(source, page_checksum_verification=True) as file:
            wanted = _chosen(file.schema_arrow.names, columns, target, where)
            found = file.read(columns=wanted)
        table = {name: _cells(arrow, found.column(name), missing, _Where(where, name)) for name in wanted}
    except (arrow.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # such as FileNotFoundError
            raise
        raise ValueError(f"{where}: {_broken(path)} ({str(error).strip()})") from None
    return table if target is None else _dataset(table, wanted, target, dtype, where)


def _frame(pandas: Any, source: _Source, where: str) -> Any:
    """The file as pandas reads it; what it refuses as a ValueError that says where."""
    longer = pandas.errors.ParserWarning
    # Without index_col=False pandas takes the first field of rows that are longer than the header for their name.
    options = {"index_col": False, **source.options}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Length of header or names does not match", longer)
            return pandas.read_csv(source.opened(), **options)
    except longer:
        raise ValueError(
            f"{where}: {source.longer() or 'a row'} has more fields than the header; name every column, or "
            "give index_col= with the number of one that is none"
        ) from None
    except pandas.errors.EmptyDataError:
        raise ValueError(f"{where}: offset 0: expected a header with the names of columns, found none") from None
    except pandas.errors.ParserError as error:
        text = str(error).strip()
        found = re.search(r"in line (\d+)|at row (\d+)", text)  # lines are counted from 1, rows from 0
        line = 0 if found is None else int(found[1] or 0) or int(found[2]) + 1
        raise ValueError(f"{where}: {source.offset(line)}{text}") from None
    except UnicodeDecodeError as error:
        place = source.undecodable(error.encoding)
        raise ValueError(f"{where}: {place}expected {error.encoding} text ({error.reason}); give encoding=") from None
    except (TypeError, ImportError, MemoryError):  # of options, of libraries, of the machine
        raise
    except Exception as error:  # every decompressor has errors of its own
        if isinstance(error, OSError) and error.errno is not None:  # such as FileNotFoundError
            raise
        raise ValueError(f"{where}: {error}") from None


def _names(pandas: Any, frame: Any, source: _Source) -> list[str]:
    """The names of the columns as the file has them; pandas gives another one to what is there twice."""
    frame.columns = [str(name) for name in frame.columns]
    names = list(frame.columns)
    numbered = [re.fullmatch(r"(.*)\.\d+", name) for name in names]
    if any(found is not None and found[1] in names for found in numbered):
        return source.header(pandas) or names
    return names


def _check_rows(frame: Any, source: _Source, where: str) -> None:
    """ValueError for a row with fewer fields than the header, whose last cell pandas leaves empty."""
    if not len(frame.columns) or not frame.iloc[:, -1].isna().any():
        return
    for row, fields in enumerate(source.lengths(len(frame) + 1), -1):
        if row >= 0 and fields < len(frame.columns):
            raise ValueError(
                f"{where}: row {row}{source.line(row)} has {fields} field{'s' * (fields > 1)}, the header "
                f"{len(frame.columns)}"
            )


def _library(name: str, function: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise missing(error, function, name.split(".")[0], "data") from None


def _chosen(
    found: list[str], columns: Sequence[str] | None, target: str | Sequence[str] | None, where: str
) -> list[str]:
    """The names to read: features first, then targets."""
    if isinstance(columns, str):
        raise TypeError(f"{where}: columns must be a list of names, not the string {columns!r}")
    targets = _targets(target)
    if target is not None and not targets:
        raise ValueError(f"{where}: target is an empty list; leave it out, or name a column")
    twice = [name for given in (list(columns or ()), targets) for name in dict.fromkeys(given) if given.count(name) > 1]
    if twice:
        raise ValueError(f"{where}: {', '.join(map(repr, twice))} is asked for twice")
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


def _dataset(table: Table, wanted: list[str], target: str | Sequence[str], dtype: Any, where: str) -> TensorDataset:
    targets, dtype = _targets(target), supported(dtype)
    features = np.stack([table[name] for name in wanted if name not in targets], axis=1).astype(dtype)
    labels = np.stack([table[name] for name in targets], axis=1)
    if labels.dtype == np.uint64 and labels.size and labels.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{where}: the target {target!r} has integers of 2**63 and above, which int64 cannot hold")
    labels = labels.astype(np.int64 if labels.dtype in EXACT else dtype)
    return TensorDataset(features, labels[:, 0] if isinstance(target, str) else labels)


class _Where(NamedTuple):
    """What errors say of a column: the function and the file, the name, and for CSV how to find a row's line."""

    start: str
    column: str
    source: _Source | None = None

    def row(self, row: int) -> str:
        return f"{self.start}: column {self.column!r}, row {row}{'' if self.source is None else self.source.line(row)}"


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
        return _filled(np.asarray(column.cast(arrow.float64(), safe=False)), empty, missing, where)
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

"""Where in a CSV file its rows are, for the errors of `read_csv`: read anew, since only an error asks for it."""

from __future__ import annotations

import csv
import importlib
import io
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

_OPENERS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
_COMPRESSED = (".gz", ".bz2", ".zip", ".xz", ".zst", ".tar")
_HARMLESS = {"sep", "delimiter", "quotechar", "nrows", "dtype", "na_values", "decimal", "thousands", "encoding"}
"""Options with which the rows of the result are still those behind the header."""
_LEXICAL = _HARMLESS - {"nrows", "dtype", "na_values"} | {
    "skiprows", "comment", "compression", "skipinitialspace", "escapechar", "doublequote", "quoting", "engine",
    "lineterminator", "encoding_errors", "dialect", "skip_blank_lines", "storage_options",
}  # fmt: skip


class Source:
    """A CSV file and the options that pandas reads it with."""

    def __init__(self, path: str | os.PathLike[str], options: Mapping[str, Any]) -> None:
        self.path, self.options = path, options
        self.kind = _OPENERS.get(os.path.splitext(path)[1].lower())
        # A pipe can be read only once.
        once = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
        self.kept: bytes | None = None
        if once:
            with open(path, "rb") as file:
                self.kept = file.read()

    def opened(self) -> Any:
        """What pandas can read: the path, or the content of what has been read."""
        return self.path if self.kept is None else io.BytesIO(self.kept)

    def header(self, pandas: Any) -> list[str] | None:
        """The names in the header as they stand in the file; None where it has none, or several lines of them."""
        if self.options.get("names") is not None or self.options.get("header", "infer") not in ("infer", 0):
            return None
        options = {name: value for name, value in self.options.items() if name in _LEXICAL}
        row = pandas.read_csv(self.opened(), **options, header=None, nrows=1, dtype=str, keep_default_na=False)
        return [str(name) for name in row.iloc[0]]

    def line(self, row: int) -> str:
        """Where a row behind the header is; nothing where that is not certain."""
        for begin, offset, _ in islice(self._records(), row + 1, row + 2):
            return f" (line {begin + 1}{'' if self.kind else f', offset {offset}'})"
        return ""

    def lengths(self, count: int | None) -> Iterator[int]:
        """How many fields the header and each row have, of `count` at most; nothing where that is not certain."""
        return (fields for _, _, fields in islice(self._records(), count))

    def longer(self) -> str:
        """The first row that has more fields than the header."""
        lengths = list(self.lengths(None))
        for row, fields in enumerate(lengths[1:]):
            if fields > lengths[0]:
                return f"row {row}{self.line(row)}"
        return ""

    def _records(self) -> Iterator[tuple[int, int, int]]:
        """(number of the line where it begins, its offset, number of fields) of the header and each row."""
        options = self.options
        separator, quote = options.get("sep") or options.get("delimiter") or ",", options.get("quotechar") or '"'
        ending = "a\n".encode(options.get("encoding") or "utf-8")[-2:]
        if not _HARMLESS.issuperset(options) or len(separator) != 1 or ending != b"a\n":
            return
        lines = self._content().splitlines(keepends=True)
        reader = csv.reader((line.decode("latin-1") for line in lines), delimiter=separator, quotechar=quote)
        first, offset = 0, 0
        try:
            for fields in reader:
                if lines[first].strip():  # pandas leaves out blank lines
                    yield first, offset, len(fields)
                offset += sum(map(len, lines[first : reader.line_num]))
                first = reader.line_num
        except csv.Error:
            return

    def offset(self, line: int) -> str:
        """Where a line of this number, counted from 1, begins; nothing for line 0."""
        lines = self._bytes().splitlines(keepends=True)
        return f"offset {sum(map(len, lines[: line - 1]))}: " if 0 < line <= len(lines) else ""

    def undecodable(self, encoding: str) -> str:
        """Where the first byte is that is no text."""
        try:
            self._bytes().decode(encoding)
        except UnicodeDecodeError as error:
            return f"offset {error.start}: "
        return ""

    def _bytes(self) -> bytes:
        """The content of a file that is not compressed; nothing of others, whose offsets say nothing."""
        if self.kept is not None or os.fspath(self.path).lower().endswith(_COMPRESSED):
            return self.kept or b""
        if not os.path.isfile(self.path):
            return b""
        with open(self.path, "rb") as file:
            return file.read()

    def _content(self) -> bytes:
        if self.kind is None or not os.path.isfile(self.path):
            return self._bytes()
        with importlib.import_module(self.kind).open(self.path) as file:
            content: bytes = file.read()
            return content

"""Reading the safetensors format; `zen.serialize` calls it.

A file is 8 bytes, little-endian, with the length of the header; the header, a JSON object that names dtype, shape and
place of each array, and strings under `__metadata__`; and the values of the arrays, one behind the other. Source:
"Format", README of huggingface/safetensors.

The file is read, not mapped into memory: another program that cuts a mapped file short would end this process. What is
wrong with a file is found before memory is taken for its arrays.
"""

from __future__ import annotations

import io
import json
import math
import os
import stat
from typing import Any, NoReturn

import numpy as np

from .dtypes import BOOLEAN

_DTYPES = {
    "BOOL": "|b1", "I8": "|i1", "U8": "|u1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8",
    "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


def read(source: Any, where: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(arrays by name, the strings of the header) of a path or of a file that is open for reading bytes.

    Raises ValueError, beginning with `where`, for what is not exactly such a file, with the offset and what was
    expected; OSError as the system does.
    """
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, bytes):
            raise TypeError(f"{where}: the file must be open for reading bytes, as by open(path, 'rb')")
        return _Reader(io.BytesIO(content), len(content), where).content()
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return _Reader(file, status.st_size, where).content()
        content = file.read()  # a pipe has no size before its end
        return _Reader(io.BytesIO(content), len(content), where).content()


class _Reader:
    """One file of `size` bytes."""

    def __init__(self, file: io.BufferedIOBase, size: int, where: str) -> None:
        self.file, self.size, self.where = file, size, where

    def content(self) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        start, entries = self._header()
        strings = entries.pop("__metadata__", {})
        if not isinstance(strings, dict) or not all(isinstance(text, str) for text in strings.values()):
            self._fail(8, "expected strings under '__metadata__'")
        kinds = {name: self._kind(name, entry) for name, entry in entries.items()}
        foreign = [f"{name!r} ({kind})" for name, kind in kinds.items() if kind not in _DTYPES]
        if foreign:
            raise ValueError(f"{self.where}: NumPy has no dtype for {', '.join(foreign)}; save them as float32")
        places = {name: self._place(name, entry) for name, entry in entries.items()}
        end = 0
        for name, (begin, stop) in sorted(places.items(), key=lambda item: item[1]):
            if begin != end:
                self._fail(8, f"expected the values of {name!r} at {end} behind the header, found the offset {begin}")
            end = stop
        expected = start + end
        if self.size != expected:
            self._fail(min(self.size, expected), f"expected a file of {expected} bytes, found {self.size}")
        return {name: self._array(name, entries[name], start + places[name][0]) for name in entries}, strings

    def _header(self) -> tuple[int, dict[str, Any]]:
        """Where the values begin, and what the header says."""
        head = self.file.read(8)
        if len(head) < 8:
            self._fail(0, f"expected 8 bytes with the length of the header, found {len(head)}")
        length = int.from_bytes(head, "little")
        if length > self.size - 8:
            found = f"found {self.size - 8}: cut off or no safetensors file"
            self._fail(8, _foreign(head) or f"expected a header of {length} bytes, {found}")
        try:
            entries = json.loads(self.file.read(length), object_pairs_hook=_unique)
            if not isinstance(entries, dict):
                raise ValueError(f"an object, not {type(entries).__name__}")
        except (ValueError, RecursionError) as error:
            self._fail(8, _foreign(head) or f"expected a header in JSON ({error})")
        return 8 + length, entries

    def _kind(self, name: str, entry: Any) -> str:
        """What the header names as the dtype of an array."""
        kind = entry.get("dtype") if isinstance(entry, dict) else None
        if not isinstance(kind, str):
            self._fail(8, f"expected an object with dtype, shape and data_offsets of {name!r}, found {entry!r:.200}")
        return kind

    def _place(self, name: str, entry: dict[str, Any]) -> tuple[int, int]:
        """Where the values of an array begin and end."""
        shape: Any = entry.get("shape")
        place: Any = entry.get("data_offsets")
        if not _are_sizes(shape) or not _are_sizes(place) or len(place) != 2:
            self._fail(8, f"expected a shape and two data_offsets of {name!r}, found {str(entry):.200}")
        begin, end = place
        wanted = math.prod(shape) * np.dtype(_DTYPES[entry["dtype"]]).itemsize
        if end - begin != wanted:
            self._fail(8, f"{name!r} of shape {tuple(shape)} takes {wanted} bytes, found data_offsets {place}")
        return begin, end

    def _array(self, name: str, entry: dict[str, Any], offset: int) -> np.ndarray:
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        try:
            array = np.empty(entry["shape"], dtype)
        except (ValueError, OverflowError) as error:  # too many dimensions, or sizes that not even zeros allow
            self._fail(8, f"expected the shape of an array for {name!r} ({error})")
        self.file.seek(offset)
        rest = array.reshape(-1).view(np.uint8).data
        while rest:
            count = self.file.readinto(rest)
            if not count:
                self._fail(offset, f"the file became shorter while the values of {name!r} were read")
            rest = rest[count:]
        if dtype in BOOLEAN and array.size and array.view(np.uint8).max() > 1:
            self._fail(offset, f"expected bytes of 0 or 1 for the bools {name!r}, found {array.view(np.uint8).max()}")
        return array.astype(dtype.newbyteorder("="), copy=False)

    def _fail(self, offset: int, what: str) -> NoReturn:
        raise ValueError(f"{self.where}: offset {offset}: {what}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _foreign(head: bytes) -> str:
    found = head.startswith((b"PK\x03\x04", b"\x80"))
    return "this is a zip archive or a pickle, as torch.save writes, and not a safetensors file" if found else ""


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)

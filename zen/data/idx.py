"""The IDX file format, in which MNIST is published: arrays of one type, big-endian, plain or gzipped.

A file is two zero bytes, one byte for the type, one for the number of dimensions, a 4-byte unsigned integer for each
dimension, and the values in C order. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from io import BufferedIOBase
from typing import Any

import numpy as np

from .. import files
from ..backend import Tensor
from ..conversion import convert
from ..dtypes import NUMBERS

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _TYPES.items()}
_CHUNK = 1 << 20
_MOST = 64  # dimensions of a NumPy array


class IDXError(ValueError):
    """A file that is not in the IDX format, or is cut off or damaged. The text names file, offset and expectation."""


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, in this machine's byte order; gzipped files are recognised by their content.

    uint8, int8, int16, int32, float32 or float64, of any number of dimensions. Raises FileNotFoundError, and IDXError
    where the content is not exactly what its header announces; offsets count in the uncompressed content.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.idx.gz")
    ...     write_idx(path, np.arange(6, dtype="int16").reshape(2, 3))
    ...     read_idx(path)
    array([[0, 1, 2],
           [3, 4, 5]], dtype=int16)
    """
    with open(path, "rb") as file:
        if not file.peek(2).startswith(b"\x1f\x8b"):  # not read, since a pipe cannot be read again
            return _Reader(file, path).array()
        with gzip.open(file, "rb") as content:
            return _Reader(content, path).array()


def write_idx(path: str | os.PathLike[str] | Any, array: Any) -> None:
    """Write an array as an IDX file, gzipped if the path ends with `.gz`; a file is replaced as `zen.save` does it.

    path: where to, or a file that is open for writing bytes.

    Raises TypeError for a dtype that the format does not have.
    """
    array = convert(array) if isinstance(array, (Tensor, np.ma.MaskedArray)) else np.asarray(array)
    code = _CODES.get(array.dtype.newbyteorder("=")) if array.dtype in NUMBERS else None
    if code is None:
        names = ", ".join(dtype.name for dtype in _CODES)
        raise TypeError(f"write_idx: the format has no {array.dtype}; convert with astype to one of {names}")
    if any(n >= 2**32 for n in array.shape):
        raise ValueError(f"write_idx: shape {array.shape} does not fit the format, whose sizes are below 2**32")
    content = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content += array.astype(_TYPES[code]).tobytes()
    if files.is_path(path) and os.fspath(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)  # without a time stamp, so that equal arrays make equal files
    files.write(path, content, "write_idx")


class _Reader:
    """One file: what has been read of it, and errors that say where."""

    def __init__(self, file: BufferedIOBase, path: str | os.PathLike[str]) -> None:
        self.file, self.path, self.offset = file, os.fspath(path), 0

    def array(self) -> np.ndarray:
        zero, code, ndim = self._magic()
        if zero or code not in _TYPES:
            known = ", ".join(f"0x{c:02x} ({np.dtype(t).name})" for c, t in _TYPES.items())
            raise self._error(0, f"expected two zero bytes and a type of {known}, found {zero:04x} and 0x{code:02x}")
        if ndim > _MOST:
            raise self._error(3, f"expected at most {_MOST} dimensions, found {ndim}")
        sizes = np.frombuffer(self._take(4 * ndim, f"the sizes of {ndim} dimensions"), ">u4")
        shape = tuple(sizes.tolist())
        dtype = np.dtype(_TYPES[code])
        wanted = math.prod(shape) * dtype.itemsize
        start = self.offset
        values = self._take(wanted, f"{wanted} bytes of values ({dtype.name}, shape {shape})")
        if self._read(1):
            raise self._error(start + wanted, f"expected the end of the file after values of shape {shape}")
        try:
            array = np.frombuffer(values, dtype).reshape(shape)
        except ValueError as error:  # a size of 0 beside others that no array can have
            raise self._error(4, f"expected the sizes of an array, found {shape} ({error})") from None
        return array.astype(dtype.newbyteorder("="), copy=False)

    def _magic(self) -> tuple[int, int, int]:
        magic = self._take(4, "a magic number of 4 bytes")
        return int.from_bytes(magic[:2], "big"), magic[2], magic[3]

    def _take(self, wanted: int, what: str) -> bytearray:
        """The next bytes; in chunks, because a damaged header may announce more than there is memory."""
        start, found = self.offset, bytearray()
        while len(found) < wanted:
            chunk = self._read(min(_CHUNK, wanted - len(found)))
            if not chunk:
                raise self._error(start, f"expected {what}, found {len(found)} bytes: the file is cut off")
            found += chunk
        return found

    def _read(self, most: int) -> bytes:
        try:
            chunk = self.file.read(most)
        except EOFError:
            raise self._error(self.offset, "the gzip stream is cut off; expected its end marker") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise self._error(self.offset, f"the gzip stream is damaged near here ({error})") from None
        self.offset += len(chunk)
        return chunk

    def _error(self, offset: int, what: str) -> IDXError:
        return IDXError(f"read_idx: {self.path}, offset {offset}: {what}")

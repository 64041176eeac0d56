"""Reading NumPy's `.npz` archives without pickle, with errors that say which file and member is broken."""

from __future__ import annotations

import errno
import io
import math
import os
import struct
import zipfile
from collections.abc import Iterable
from typing import IO

import numpy as np

from ..dtypes import BOOLEAN


def read_npz(path: str | os.PathLike[str], names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name; those in `names` only, if given.

    Never unpickles: an array of objects raises ValueError, as do cut off or damaged files, each naming file and member,
    and bools other than 0 and 1. KeyError for a name that is not there.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "data.npz")
    ...     np.savez(path, x=np.eye(2), y=[0, 1])
    ...     read_npz(path)["y"]
    array([0, 1])
    """
    where = f"read_npz: {os.fspath(path)}"
    if isinstance(names, str):
        raise TypeError(f"{where}: names must be a list of names, not the string {names!r}")
    with open(path, "rb") as opened:
        file: IO[bytes] = opened if opened.seekable() else io.BytesIO(opened.read())
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:
            _raise_if_of_the_disk(error)
            raise ValueError(f"{where}: {_diagnose(file, error)}") from None
        with archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            if len(members) != len(archive.namelist()):
                raise ValueError(f"{where}: two members of the archive have one name; it has {archive.namelist()}")
            return _arrays(archive, members, list(members if names is None else names), where)


def _arrays(
    archive: zipfile.ZipFile, members: dict[str, str], names: list[str], where: str
) -> dict[str, np.ndarray]:  # fmt: skip
    for name in names:
        if name not in members:
            raise KeyError(f"{where} has no array {name!r}; it has {sorted(members)}")
    return {name: _member(archive, members[name], where) for name in names}


def _member(archive: zipfile.ZipFile, member: str, where: str) -> np.ndarray:
    info = archive.getinfo(member)
    try:
        with archive.open(info) as file:
            _check_size(file, info.file_size)
        with archive.open(info) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
            if file.read(1):  # at the end the archive's checksum is compared as well
                raise ValueError(f"there are more bytes than an array of shape {array.shape} and {array.dtype} takes")
        _check_bools(array)
        return array
    except Exception as error:  # of zipfile, of the decompressors and of the parser of headers: there are many
        _raise_if_of_the_disk(error)
        place = f"member {member!r} at offset {info.header_offset}"
        raise ValueError(f"{where}, {place}: {error}; expected a whole array of numbers") from None


def _raise_if_of_the_disk(error: Exception) -> None:
    """Raise again what does not tell of damage; a damaged offset gives EINVAL, a decompressor no number at all."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)):
        raise error


def _check_size(file: IO[bytes], size: int) -> None:
    """Compare shape and dtype with the size of the member before memory is taken for them."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(file)
    wanted, found = math.prod(shape) * dtype.itemsize, size - file.tell()
    if not dtype.hasobject and wanted != found:
        raise ValueError(f"an array of shape {shape} and {dtype} takes {wanted} bytes, there are {found}")


def _check_bools(array: np.ndarray) -> None:
    for name in array.dtype.names or ():
        _check_bools(array[name])
    if array.dtype in BOOLEAN and array.size and array.view(np.uint8).max() > 1:
        raise ValueError(f"there is a byte {array.view(np.uint8).max()} among its bools, which are 0 and 1")


def _diagnose(file: IO[bytes], error: Exception) -> str:
    """What is wrong with an archive that has no readable table of contents: usually the end of the file is missing."""
    size, offset = file.seek(0, os.SEEK_END), 0
    while True:
        file.seek(offset)
        header = file.read(30)
        if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
            break
        flags, packed, length, extra = struct.unpack("<6xH10xI4xHH", header)
        name = file.read(length).decode(errors="replace")
        fields = file.read(extra)
        if packed == 0xFFFFFFFF:  # the size is in the zip64 field, behind the unpacked size
            packed = _packed_size(fields)
        if flags & 8 and not packed:
            return f"the file is cut off in or behind member {name!r}, which begins at offset {offset} ({error})"
        end = offset + 30 + length + extra + packed
        if end > size:
            return f"cut off at {size}: member {name!r} begins at offset {offset} and ends at {end}"
        offset = end
    if not offset:
        return f"offset 0: expected a zip archive, which begins with PK, found {header[:4]!r} ({error})"
    return f"offset {offset}: expected another member or the table of contents of the archive ({error})"


def _packed_size(fields: bytes) -> int:
    while len(fields) >= 4:
        tag, length = struct.unpack_from("<HH", fields)
        if tag == 1 and length >= 16 and len(fields) >= 20:
            size: int = struct.unpack_from("<Q", fields, 12)[0]
            return size
        fields = fields[4 + length :]
    return 0

"""Reading NumPy's `.npz` archives without pickle, with errors that say which file and member is broken."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import IO

import numpy as np


def read_npz(path: str | os.PathLike[str], names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name; those in `names` only, if given.

    Never unpickles: an array of objects raises ValueError, as do cut off or damaged files, each naming file and member.
    KeyError for a name that is not there.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "data.npz")
    ...     np.savez(path, x=np.eye(2), y=[0, 1])
    ...     read_npz(path)["y"]
    array([0, 1])
    """
    where = os.fspath(path)
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = {name.removesuffix(".npy"): name for name in archive.namelist()}
                chosen = list(members) if names is None else list(names)
                for name in chosen:
                    if name not in members:
                        raise KeyError(f"read_npz: {where} has no array {name!r}; it has {sorted(members)}")
                return {name: _member(archive, members[name], where) for name in chosen}
        except zipfile.BadZipFile as error:
            raise ValueError(f"read_npz: {where}: {_diagnose(file, error)}") from None


def _member(archive: zipfile.ZipFile, member: str, where: str) -> np.ndarray:
    try:
        with archive.open(member) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
            if file.read(1):
                raise ValueError(f"there are more bytes than an array of shape {array.shape} and {array.dtype} takes")
            return array
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        offset = archive.getinfo(member).header_offset
        place = f"member {member!r} at offset {offset}"
        raise ValueError(f"read_npz: {where}, {place}: {error}; expected a whole array of numbers") from None


def _diagnose(file: IO[bytes], error: Exception) -> str:
    """What is wrong with an archive that has no readable table of contents: usually the end of the file is missing."""
    size, offset = os.fstat(file.fileno()).st_size, 0
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

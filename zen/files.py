"""How zen writes files: whole or not at all. Everything in zen that makes a file makes it here.

A file is written under a temporary name in the same folder, flushed to the disk and renamed, so that whoever opens it
finds the whole old content or the whole new one, and an error (a full disk, Ctrl-C) leaves the old file and nothing
else. Only a process that is killed leaves a file `.zen-*.tmp` behind.

- A file that is replaced keeps its permissions, its access list and, as far as the system allows, its owner and group;
  where the group cannot be kept, the permissions of the group are dropped. A new file has those that the umask leaves.
- A symbolic link stays, and the file that it leads to is replaced or made. Further hard links keep the old content.
- A file that may not be written to is not replaced either, though its folder would permit it.
- Pipes, devices and files that have no name any more are written to directly, and so are open files.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from pathlib import Path
from typing import Any

Destination = Any  # str, os.PathLike[str], or a file that is open for writing bytes


def is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def write(destination: Destination, content: bytes, function: str) -> None:
    """Make `content` the content of a file, as the module describes; `function` is whom errors name.

    destination: a path, or a file that is open for writing bytes, which is neither flushed nor closed.

    Raises OSError with the path, as the system does; TypeError for what is neither.
    """
    if hasattr(destination, "write"):
        _into(destination, content, function)
        return
    if not is_path(destination):
        kind = type(destination).__name__
        raise TypeError(f"{function}: expected a path or a file open for writing bytes, not {kind}")
    found = _status(destination)
    target = Path(os.path.realpath(destination))
    if found is not None and _is_direct(found, target):
        with open(destination, "wb", buffering=0) as file:
            _into(file, content, function)
        return
    _check(destination, target, found, function)
    _replace(target, content, found, function)


def _into(file: Any, content: bytes, function: str) -> None:
    rest = memoryview(content)
    while rest:
        try:
            done = file.write(rest)
        except TypeError as error:
            raise TypeError(f"{function}: the file must be open for writing bytes, as by open(path, 'wb')") from error
        if done is None and isinstance(file, io.RawIOBase):
            raise BlockingIOError(errno.EAGAIN, f"{function}: the file does not block, and takes no more bytes")
        rest = rest[done:] if isinstance(done, int) else rest[:0]  # a raw file may take a part


def _status(path: str | os.PathLike[str]) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_direct(found: os.stat_result, target: Path) -> bool:
    """Whether the file is none that could be replaced: a pipe, a device, or one that is only open (`/dev/stdout`)."""
    if stat.S_ISDIR(found.st_mode):
        return False
    named = _status(target)
    return not stat.S_ISREG(found.st_mode) or named is None or not os.path.samestat(found, named)


def _check(path: str | os.PathLike[str], target: Path, found: os.stat_result | None, function: str) -> None:
    """Raise what opening the file for writing would raise."""
    if target.is_dir() or not os.path.basename(path):
        raise IsADirectoryError(errno.EISDIR, f"{function}: this is a folder, not a file", os.fspath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"{function}: there is no folder", str(target.parent))
    effective = os.access in os.supports_effective_ids
    if found is not None and not os.access(target, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, f"{function}: the file may not be written to", os.fspath(path))


def _replace(target: Path, content: bytes, found: os.stat_result | None, function: str) -> None:
    temporary = target.parent / f".zen-{secrets.token_hex(8)}.tmp"
    permissions = 0o666 if found is None else 0o600  # nobody else may read it before it has those of the old file
    try:
        with open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, permissions)) as file:
            if found is not None:
                _take_over(file.fileno(), target, found)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _named(error, target, function) from None
        raise
    if os.name == "posix":  # the new name reaches the disk with its folder, where the file system can tell it so
        with contextlib.suppress(OSError):
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _named(error: OSError, target: Path, function: str) -> OSError:
    """The error with the path that the user knows in place of the temporary one."""
    if error.errno is None:
        return error
    what = f"{function}: {os.strerror(error.errno)}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY):
        what += " (a file is replaced by another one in its folder, which is what failed)"
    return OSError(error.errno, what, str(target))


def _take_over(descriptor: int, target: Path, found: os.stat_result) -> None:
    """Give a new file the owner, group, permissions and access list of the one that it is about to replace."""
    if os.name != "posix":
        return
    permissions = stat.S_IMODE(found.st_mode)
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (found.st_uid, found.st_gid):
        try:
            os.fchown(descriptor, found.st_uid, found.st_gid)
        except OSError:
            try:
                os.fchown(descriptor, -1, found.st_gid)
            except OSError:
                permissions &= ~stat.S_IRWXG  # of another group than those bits were meant for
            permissions &= ~(stat.S_ISUID | stat.S_ISGID)
    os.fchmod(descriptor, permissions)
    if hasattr(os, "listxattr"):
        for name in _attributes(target):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(target, name))


def _attributes(target: Path) -> list[str]:
    """The names of a file's extended attributes, its access list among them."""
    try:
        return os.listxattr(target)
    except OSError:
        return []

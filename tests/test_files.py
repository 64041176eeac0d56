"""Every file that zen writes is whole or not there, keeps what it had, and may be a pipe, a device or an open file."""

import contextlib
import errno
import io
import os
import resource
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import zen
from zen import data, files, training, visualize

ARRAY = np.arange(60_000, dtype=np.int32)
NOBODY = 65534


def _graph(path):
    x = zen.tensor([1.0, 2.0], requires_grad=True)
    visualize.Graph(visualize.graph((2 * x).sum()).source + "\n" + "//" * 100_000).save(path)


def _checkpoint(path):
    model = zen.nn.Linear(100, 200)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.1)
    x = np.zeros((2, 100), np.float32)
    batches = [(x, np.zeros((2, 200), np.float32))]
    zen.fit(model, batches, zen.nn.MSELoss(), optimiser, 1, callbacks=[training.Checkpoint(path)], progress=False)


# Name of the file, and what writes it.
WRITERS = {
    "save": ("a.safetensors", lambda path: zen.save(path, {"a": ARRAY})),
    "Checkpoint": ("b.safetensors", _checkpoint),
    "write_idx": ("c.idx", lambda path: data.write_idx(path, ARRAY)),
    "write_idx.gz": ("d.idx.gz", lambda path: data.write_idx(path, ARRAY)),
    "Graph.save": ("e.dot", _graph),
}


@pytest.fixture(params=WRITERS)
def writer(request, tmp_path):
    name, write = WRITERS[request.param]
    return SimpleNamespace(path=tmp_path / name, write=write, folder=tmp_path)


@contextlib.contextmanager
def limited_to(size):
    """Files may not grow beyond `size` bytes: EFBIG, as a full disk gives ENOSPC."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def an_ordinary_user():
    """The user is not the administrator, who may do everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


# Whole or not at all


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(writer):
    writer.path.write_bytes(b"old")
    with limited_to(2000), pytest.raises(OSError, match="File too large") as caught:
        writer.write(writer.path)
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(writer.path)
    assert writer.path.read_bytes() == b"old" and os.listdir(writer.folder) == [writer.path.name]
    writer.path.unlink()
    with limited_to(2000), pytest.raises(OSError, match="File too large"):
        writer.write(writer.path)
    assert os.listdir(writer.folder) == []
    writer.write(writer.path)
    assert writer.path.stat().st_size > 2000


@pytest.mark.parametrize("step", ["fchmod", "fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(errno.EIO, "Input/output error")])
def test_an_interruption_leaves_the_old_file_and_nothing_else(writer, monkeypatch, step, error):
    writer.path.write_bytes(b"old")

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(error if isinstance(error, type) else OSError):
            writer.write(writer.path)
    assert writer.path.read_bytes() == b"old" and os.listdir(writer.folder) == [writer.path.name]


def test_the_name_leads_to_a_whole_file_at_any_moment(writer):
    """A reader that opened the old file keeps it; nobody ever opens a part of the new one."""
    writer.path.write_bytes(b"old")
    with open(writer.path, "rb") as reader:
        writer.write(writer.path)
        assert reader.read() == b"old"
    size = writer.path.stat().st_size
    assert size > 2000


# What a file keeps


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(writer, mask):
    before = os.umask(mask)
    try:
        writer.write(writer.path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(writer, mode):
    writer.path.write_bytes(b"old")
    writer.path.chmod(mode)
    writer.write(writer.path)
    assert stat.S_IMODE(writer.path.stat().st_mode) == mode and writer.path.stat().st_size > 3


def test_nobody_else_can_read_the_temporary_file_of_one_that_is_private(writer, monkeypatch):
    writer.path.write_bytes(b"old")
    writer.path.chmod(0o600)
    seen, fchmod = [], os.fchmod
    with monkeypatch.context() as patch:
        patch.setattr(os, "fchmod", lambda file, mode: (seen.append(os.fstat(file).st_mode & 0o77), fchmod(file, mode)))
        writer.write(writer.path)
    assert seen == [0]


def test_a_file_that_is_replaced_keeps_owner_and_group(writer):
    writer.path.write_bytes(b"old")
    wanted = (os.getuid(), os.getgid()) if os.geteuid() else (NOBODY, NOBODY)
    os.chown(writer.path, *wanted)
    writer.path.chmod(0o4755)
    writer.write(writer.path)
    found = writer.path.stat()
    assert (found.st_uid, found.st_gid) == wanted and stat.S_IMODE(found.st_mode) == 0o4755


def test_where_the_group_cannot_be_kept_its_permissions_are_dropped(writer, monkeypatch):
    writer.path.write_bytes(b"old")
    writer.path.chmod(0o664)
    found = writer.path.stat()
    other = os.stat_result((*found[:4], found.st_uid + 1, found.st_gid + 1, *found[6:]))

    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(files, "_status", lambda path: other)
        patch.setattr(files, "_is_direct", lambda *_: False)
        patch.setattr(os, "fchown", refuse)
        writer.write(writer.path)
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o604


def test_a_link_stays_and_its_target_is_replaced_or_made(writer):
    folder = writer.folder / "folder"
    folder.mkdir()
    target = folder / "target"
    writer.path.symlink_to(target)
    for _ in range(2):  # a link to nothing first
        writer.write(writer.path)
        assert writer.path.is_symlink() and not target.is_symlink() and target.stat().st_size > 2000
        target.write_bytes(b"old")
        target.chmod(0o600)
    writer.write(writer.path)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600 and os.listdir(folder) == ["target"]
    writer.path.unlink()
    writer.path.symlink_to(writer.path)
    with pytest.raises(OSError, match="symbolic links"):
        writer.write(writer.path)


# What may not be written


def test_a_file_that_may_not_be_written_is_not_replaced(open_folder):
    path = open_folder / "best.safetensors"
    with an_ordinary_user():
        path.write_bytes(b"old")
        path.chmod(0o444)
        with pytest.raises(PermissionError, match="save: the file may not be written to: .*best.safetensors'"):
            zen.save(path, {"a": 1.0})
    assert path.read_bytes() == b"old" and os.listdir(open_folder) == [path.name]


def test_a_folder_that_may_not_be_written_is_named_with_what_failed(open_folder):
    path = open_folder / "a.idx"
    with an_ordinary_user():
        path.write_bytes(b"old")
    os.chmod(open_folder, 0o555)
    with an_ordinary_user(), pytest.raises(PermissionError, match="replaced by another one") as caught:
        data.write_idx(path, ARRAY)
    os.chmod(open_folder, 0o777)
    assert caught.value.filename == str(path) and path.read_bytes() == b"old"


def test_folders_and_names_without_a_file(writer):
    with pytest.raises(IsADirectoryError, match="this is a folder, not a file: "):
        files.write(writer.folder, b"", "save")
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        files.write(str(writer.folder / "new") + os.sep, b"", "save")
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        files.write("", b"", "save")
    with pytest.raises(FileNotFoundError, match="there is no folder: .*absent'"):
        writer.write(writer.folder / "absent" / writer.path.name)
    with pytest.raises(TypeError, match="write_idx: expected a path or a file open for writing bytes, not int"):
        data.write_idx(3, ARRAY)
    assert os.listdir(writer.folder) == []


# Pipes, devices, open files


def test_a_pipe_gets_the_content_and_stays_a_pipe(writer):
    writer.write(writer.path)
    expected = writer.path.read_bytes()
    writer.path.unlink()
    os.mkfifo(writer.path)
    found = []
    thread = threading.Thread(target=lambda: found.append(writer.path.read_bytes()))
    thread.start()
    writer.write(writer.path)
    thread.join()
    assert abs(len(found[0]) - len(expected)) < 100  # a checkpoint holds the seconds of its epochs
    assert stat.S_ISFIFO(writer.path.lstat().st_mode)
    assert os.listdir(writer.folder) == [writer.path.name]


def test_a_device_stays_a_device(writer):
    """Links to /dev/null and /dev/full, so that a failure of this test does no harm."""
    for device in ("null", "full"):
        path = writer.folder / device / writer.path.name
        path.parent.mkdir()
        path.symlink_to(f"/dev/{device}")
        before = os.stat(f"/dev/{device}")
        with contextlib.nullcontext() if device == "null" else pytest.raises(OSError, match="No space left"):
            writer.write(path)
        after = os.stat(f"/dev/{device}")
        assert stat.S_ISCHR(after.st_mode) and (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
        assert os.listdir(path.parent) == [writer.path.name] and path.is_symlink()


def test_the_standard_output(tmp_path):
    program = "import zen; zen.save('/dev/stdout', {'a': 3.0})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert zen.load(io.BytesIO(done.stdout))["a"].item() == 3


def test_open_files_are_written_to_where_they_are_and_stay_open(tmp_path):
    for opened in (io.BytesIO(), open(tmp_path / "a", "w+b"), open(tmp_path / "b", "w+b", buffering=0)):
        with opened as file:
            file.write(b"head")
            zen.save(file, {"a": ARRAY}, epoch=2)
            assert not file.closed
            end = file.tell()
            data.write_idx(file, ARRAY)
            file.seek(4)
            first = file.read(end - 4)
            state = zen.load(io.BytesIO(first))
            assert state.metadata == {"epoch": 2}
            np.testing.assert_array_equal(state["a"], ARRAY)
            (tmp_path / "c").write_bytes(file.read())
            np.testing.assert_array_equal(data.read_idx(tmp_path / "c"), ARRAY)
    with (
        open(tmp_path / "text", "w") as file,
        pytest.raises(TypeError, match="save: the file must be open for writing b"),
    ):
        zen.save(file, {"a": 1.0})
    with (
        open(tmp_path / "text") as file,
        pytest.raises(TypeError, match="load: .*text: the file must be open for read"),
    ):
        zen.load(file)


def test_a_raw_file_that_takes_parts_gets_them_all(tmp_path):
    class Slow(io.RawIOBase):
        content = b""

        def writable(self):
            return True

        def write(self, part):
            self.content += bytes(part[:1000])
            return min(len(part), 1000)

    slow, whole = Slow(), io.BytesIO()
    for file in (slow, whole):
        zen.save(file, {"a": ARRAY})
    assert slow.content == whole.getvalue()


def test_a_model_is_loaded_from_a_pipe(tmp_path):
    zen.save(tmp_path / "a", {"a": ARRAY})
    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes((tmp_path / "a").read_bytes()))
    thread.start()
    np.testing.assert_array_equal(zen.load(tmp_path / "pipe")["a"], ARRAY)
    thread.join()

"""Files are replaced as a whole: by a process that is killed, a save that fails, threads, through a link."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import zen
from zen import files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


_SAVES = """
import sys, numpy as np, zen
k = 0
while True:
    k += 1
    zen.save(sys.argv[1], {"a": np.full(50_000, k), "b": np.full(7, k)}, k=k)
"""


def test_a_killed_process_leaves_a_whole_file(path):
    generator = np.random.default_rng(0)
    for _ in range(3):
        path.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", _SAVES, str(path)])
        try:
            while not path.exists():
                assert child.poll() is None
                time.sleep(0.002)
            end = time.monotonic() + 0.05 + 0.1 * generator.random()
            while time.monotonic() < end:
                _consistent(path)  # while it is being replaced
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        assert _consistent(path) >= 1


def _consistent(path):
    state = zen.load(path)
    values = {*state["a"].tolist(), *state["b"].tolist(), state.metadata["k"]}
    assert len(values) == 1
    return values.pop()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(path, monkeypatch, step):
    zen.save(path, {"old": 1.0})

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, step, fail)
        with pytest.raises(OSError, match="No space left"):
            zen.save(path, {"new": 2.0})
    assert list(zen.load(path)) == ["old"] and os.listdir(path.parent) == [path.name]


def test_many_threads_save_to_one_path(path):
    def save(k):
        for _ in range(20):
            zen.save(path, {"a": np.full(1000, k), "b": np.full(7, k)}, k=k)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, range(4)))
    _consistent(path)
    assert os.listdir(path.parent) == [path.name]


def test_a_link_stays_a_link_and_its_target_is_replaced(path, tmp_path):
    (tmp_path / "folder").mkdir()
    path.symlink_to(tmp_path / "folder" / "target")
    zen.save(str(path), {"a": 1.0})
    assert path.is_symlink() and list(zen.load(tmp_path / "folder" / "target")) == ["a"]
    with pytest.raises(FileNotFoundError):
        zen.save(tmp_path / "none" / "a", {})

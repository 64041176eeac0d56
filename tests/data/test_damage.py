"""Every reader, with files that are cut at any length and whose bytes were changed: the promised error with the path.

Never another exception, a crash, or memory for what a damaged header announces.
"""

import gzip
import io
import json
import random
import resource
import struct
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

import zen
from zen import data, training


def _model():
    model = zen.nn.Sequential(zen.nn.Linear(3, 2), zen.nn.BatchNorm1d(2))
    return model, zen.optim.Adam(model.parameters())


def _write_safetensors(path):
    model, optimiser = _model()
    model(zen.ones((4, 3), dtype=zen.float32)).sum().backward()
    optimiser.step()
    zen.save(path, model, optimiser, flags=np.array([True, False]), note={"a": (1, [2.5, None]), 3: np.int8(3)})


def _load(path):
    zen.load(path, *_model())


def _fit(path, resume=None):
    zen.random.seed(0)
    model = zen.nn.Linear(3, 2)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x = np.zeros((4, 3), np.float32)
    loader = data.DataLoader(data.TensorDataset(x, x[:, :2]), 2, shuffle=True, seed=0)
    callbacks = [training.EarlyStopping(3, "loss"), training.Callback() if resume else training.Checkpoint(path)]
    zen.fit(
        model, loader, zen.nn.MSELoss(), optimiser, 1,
        callbacks=callbacks, scheduler=zen.optim.lr_scheduler.StepLR(optimiser, 2), progress=False, resume=resume,
    )  # fmt: skip


def _write_npz(path, save=np.savez):
    save(path, x=np.arange(6.0).reshape(2, 3), b=np.array([True, False, True]), s=np.array(["a", "bc"]))


def _write_parquet(path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"a": [1, 2, None], "b": [0.5, 1.0, 2.0], "c": [True, False, None]}), path)


_CSV = b"a,b,c\n" + b"".join(b"%d,%d.5,True\n" % (k, k) for k in range(6))
_INTS = np.arange(24, dtype=np.int16).reshape(2, 3, 4)

# What writes a file, what reads it, and the error that is promised.
FORMATS = {
    "m.safetensors": (_write_safetensors, _load, ValueError),
    "r.safetensors": (_fit, lambda path: _fit(None, path), ValueError),
    "a.idx": (lambda path: data.write_idx(path, _INTS), data.read_idx, data.IDXError),
    "a.idx.gz": (lambda path: data.write_idx(path, _INTS), data.read_idx, data.IDXError),
    "a.npz": (_write_npz, data.read_npz, ValueError),
    "z.npz": (lambda path: _write_npz(path, np.savez_compressed), data.read_npz, ValueError),
    "t.csv": (lambda path: path.write_bytes(_CSV), lambda path: data.read_csv(path, target="a"), ValueError),
    "t.csv.gz": (lambda path: path.write_bytes(gzip.compress(_CSV, mtime=0)), data.read_csv, ValueError),
    "t.parquet": (_write_parquet, lambda path: data.read_parquet(path, missing=0.0), ValueError),
}


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    """(path, read, error, the whole content)"""
    write, read, error = FORMATS[request.param]
    path = tmp_path / request.param
    write(path)
    read(path)
    return path, read, error, path.read_bytes()


def _refused(path, read, error, content):
    """Whether reading raised; it may raise only the error that is promised, with the path in its text or its notes."""
    path.write_bytes(content)
    try:
        read(path)
    except error as caught:
        assert str(path) in "\n".join([str(caught), *getattr(caught, "__notes__", [])])
        return True
    return False


def test_a_file_that_is_cut_off(file):
    path, read, error, whole = file
    for length in range(0, len(whole), max(1, len(whole) // 120)):
        refused = _refused(path, read, error, whole[:length])
        if path.name != "t.csv":  # of which a whole number of lines is a whole file
            assert refused, length


def test_bytes_that_were_changed(file):
    path, read, error, whole = file
    generator = random.Random(path.name)
    for _ in range(120):
        content = bytearray(whole)
        for _ in range(generator.choice([1, 1, 2, 8])):
            content[generator.randrange(len(content))] = generator.randrange(256)
        _refused(path, read, error, bytes(content))


def test_bytes_that_were_put_in_or_left_out(file):
    path, read, error, whole = file
    generator = random.Random(path.name)
    for _ in range(60):
        at, count = generator.randrange(len(whole)), generator.randrange(1, 9)
        _refused(path, read, error, whole[:at] + whole[at + count :])
        _refused(path, read, error, whole[:at] + generator.randbytes(count) + whole[at:])


# Sizes that a header announces


@contextmanager
def little_memory():
    """No more than 1 GB beyond what the process has already."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _npy(header, values=b""):
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + values


def _npz(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content)


@pytest.mark.parametrize("shape", ["(1152921504606846976,)", "(4611686018427387904, 4)", "(-1,)", "(10**30,)", "(3,)"])
def test_npz_with_another_size_than_its_header_announces(tmp_path, shape):
    path = tmp_path / "a.npz"
    _npz(path, _npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}", bytes(16)))
    with (
        little_memory(),
        pytest.raises(ValueError, match=r"a\.npz, member 'x\.npy' at offset 0: .*expected a whole array"),
    ):
        data.read_npz(path)


def test_idx_with_sizes_that_no_array_has(tmp_path):
    path = tmp_path / "a.idx"
    for sizes in ([2**32 - 1] * 3, [0] + [2**32 - 1] * 3, [2**31, 2]):
        path.write_bytes(bytes([0, 0, 14, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + b"ab")
        with little_memory(), pytest.raises(data.IDXError, match=r"a\.idx, offset \d+: expected"):
            data.read_idx(path)
    path.write_bytes(bytes([0, 0, 14, 4]) + struct.pack(">4I", 0, *[2**32 - 1] * 3))
    with pytest.raises(data.IDXError, match=r"offset 4: expected the sizes of an array, found \(0, 42949"):
        data.read_idx(path)


def _safetensors(entries, values=b""):
    header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + values


def _one(shape, place, size=0, dtype="F64"):
    return _safetensors({"w": {"dtype": dtype, "shape": shape, "data_offsets": place}}, bytes(size))


@pytest.mark.parametrize(
    "content, text",
    [
        (b"\xff" * 8 + b"{}", "offset 8: expected a header of 18446744073709551615 bytes, found 2: cut off"),
        (_one([2**60], [0, 16], 16), "'w' of shape .1152921504606846976,. takes 9223372036854775808 bytes, found"),
        (_one([2**60], [0, 2**63], 16), "expected a file of 92233720368"),
        (_one([0, 2**70], [0, 0]), "expected the shape of an array for 'w'"),
        (_one([1] * 99, [0, 8], 8), "expected the shape of an array for 'w'"),
        (_one([-1], [0, 8], 8), "expected a shape and two data_offsets of 'w'"),
        (_one([1], [0, 8, 8], 8), "expected a shape and two data_offsets of 'w'"),
        (_one([1], [8, 0], 8), "takes 8 bytes, found data_offsets"),
        (_one([1], [8, 16], 16), "expected the values of 'w' at 0 behind the header, found the offset 8"),
        (_one([1], [0, 8], 8, ["F64"]), "expected an object with dtype, shape and data_offsets of 'w', found"),
        (_safetensors({"w": 3}), "expected an object with dtype, shape and data_offsets of 'w', found 3"),
        (_safetensors({"__metadata__": {"a": 3}}), "expected strings under '__metadata__'"),
        (_safetensors([1]), "expected a header in JSON .an object, not list"),
        (_safetensors(b"[" * 50_000), "expected a header in JSON"),
        (_safetensors(b'{"a": 1, "a": 2}'), "a name is there twice"),
        (_safetensors(b'{"\xff": 1}'), "expected a header in JSON"),
    ],
    ids=range(16),
)
def test_safetensors_with_a_header_that_does_not_fit(tmp_path, content, text):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    for source in (path, io.BytesIO(content)):
        with little_memory(), pytest.raises(ValueError, match=text):
            zen.load(source)


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": {"__scalar__": ["int8", 3000]}}, {"a": {"__scalar__": ["datetime64", 1]}}, {"a": {"__scalar__": 3}},
        {"a": {"__items__": [[[1], 2]]}}, {"a": {"__items__": 5}}, {"a": {"__tuple__": None}},
        {"a": {"__array__": []}}, [1],
    ],
)  # fmt: skip
def test_safetensors_with_an_entry_of_zen_that_means_nothing(tmp_path, metadata):
    own = {"version": 1, "optimizer": None, "metadata": metadata}
    path = tmp_path / "m.safetensors"
    path.write_bytes(_safetensors({"__metadata__": {"zen": json.dumps(own)}}))
    with pytest.raises(ValueError, match=r"m\.safetensors: the header's entry 'zen' is damaged"):
        zen.load(path)


# Bools


def test_bools_are_bytes_of_0_and_1(tmp_path):
    path = tmp_path / "m.safetensors"
    zen.save(path, {"w": np.array([True, False])})
    path.write_bytes(path.read_bytes()[:-2] + b"\x02\x01")
    with pytest.raises(
        ValueError, match=r"m\.safetensors: offset \d+: expected bytes of 0 or 1 for the bools 'w', found 2"
    ):
        zen.load(path)
    path = tmp_path / "a.npz"
    for descr, values in (("'|b1'", b"\x01\xff"), ("[('f', '|i1'), ('g', '|b1')]", b"\x05\x01\x05\xff")):
        _npz(path, _npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (2,)}}", values))
        with pytest.raises(
            ValueError, match=r"a\.npz, member 'x\.npy' at offset 0: there is a byte 255 among its bools"
        ):
            data.read_npz(path)
    _npz(path, _npy("{'descr': '|b1', 'fortran_order': True, 'shape': (2, 2)}", b"\x01\x00\x00\x01"))
    assert data.read_npz(path)["x"].tolist() == [[True, False], [False, True]]


def test_two_members_of_one_name(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", _npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", bytes(8)))
        archive.writestr("x", b"")
    with pytest.raises(ValueError, match=r"a\.npz: two members of the archive have one name"):
        data.read_npz(path)


def test_a_file_that_becomes_shorter_while_it_is_read(tmp_path):
    zen.save(tmp_path / "m", {"w": np.ones(100)})
    content = (tmp_path / "m").read_bytes()
    reader = zen.safetensors._Reader(io.BytesIO(content[:-50]), len(content), "load: m")
    with pytest.raises(
        ValueError, match=r"load: m: offset \d+: the file became shorter while the values of 'w' were r"
    ):
        reader.content()

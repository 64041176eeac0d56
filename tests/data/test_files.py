"""Readers of files: what they give for whole files, and what they say about damaged ones."""

import bz2
import gzip
import lzma
import re
import struct
import sys
import zipfile

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import zen
from zen.data import MNIST, DataLoader, IDXError, read_csv, read_idx, read_npz, read_parquet, write_idx

# IDX

_HEADER = bytes([0, 0, 8, 2]) + struct.pack(">II", 2, 3)
_WHOLE = _HEADER + bytes(range(6))


@settings(max_examples=30)
@given(
    hnp.arrays(
        st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8", ">i4", "<f8"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    st.booleans(),
)
def test_idx_round_trip(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if zipped else "a")
    write_idx(path, array)
    found = read_idx(path)
    assert found.dtype == array.dtype.newbyteorder("=") and found.dtype.isnative and found.flags.writeable
    np.testing.assert_array_equal(found, array)
    content = path.read_bytes()
    assert (gzip.decompress(content) if zipped else content)[4 + 4 * array.ndim :] == array.astype(
        array.dtype.newbyteorder(">")
    ).tobytes()


@pytest.mark.parametrize("code, dtype", [(8, "u1"), (9, "i1"), (0xB, "i2"), (0xC, "i4"), (0xD, "f4"), (0xE, "f8")])
def test_idx_by_the_published_format(tmp_path, code, dtype):
    values = np.array([[1, 2, 3], [-4 if dtype != "u1" else 4, 5, 6]], ">" + dtype)
    (tmp_path / "a").write_bytes(bytes([0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + values.tobytes())
    found = read_idx(tmp_path / "a")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    "content, text",
    [
        (b"", "offset 0: expected a magic number of 4 bytes, found 0 bytes: the file is cut off"),
        (b"\x00\x00\x08", "offset 0: expected a magic number of 4 bytes, found 3"),
        (b"\x89PNG\r\n", r"offset 0: expected two zero bytes and a type of 0x08 \(uint8\), .*found 8950 and 0x4e"),
        (bytes([0, 0, 7, 1]), "found 0000 and 0x07"),
        (bytes([0, 0, 8, 200]), "offset 3: expected at most 64 dimensions, found 200"),
        (_HEADER[:9], "offset 4: expected the sizes of 2 dimensions, found 5 bytes"),
        (_WHOLE[:-1], r"offset 12: expected 6 bytes of values \(uint8, shape \(2, 3\)\), found 5 bytes"),
        (_WHOLE + b"!", r"offset 18: expected the end of the file after values of shape \(2, 3\)"),
        (bytes([0, 0, 14, 3]) + b"\xff" * 12 + b"ab", "expected 633825299671[0-9]* bytes of values .*, found 2 bytes"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_damaged_idx_file_names_file_offset_and_expectation(tmp_path, content, text, zipped):
    path = tmp_path / "train.idx"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(IDXError, match=text) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_a_damaged_gzip_stream(tmp_path):
    path = tmp_path / "a.gz"
    write_idx(path, np.random.default_rng(0).integers(0, 256, 5000, np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[:2000])
    with pytest.raises(IDXError, match=r"a\.gz, offset \d+: the gzip stream is cut off"):
        read_idx(path)
    path.write_bytes(whole[:-8] + bytes(8))  # the checksum
    with pytest.raises(IDXError, match="the gzip stream is damaged near here"):
        read_idx(path)
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")


def test_what_idx_cannot_hold(tmp_path):
    for array in (np.zeros(2, np.int64), np.zeros(2, bool), np.array(["a"])):
        with pytest.raises(TypeError, match="the format has no .*uint8, int8, int16, int32, float32, float64"):
            write_idx(tmp_path / "a", array)
    assert not (tmp_path / "a").exists()


# MNIST


@pytest.fixture
def mnist(tmp_path):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (10, 28, 28), np.uint8)
    labels = np.arange(10, dtype=np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    return tmp_path, images, labels


def test_mnist(mnist):
    root, images, labels = mnist
    data = MNIST(root)
    assert len(data) == 10 and data[3][1] == 3 and type(data[3][1]) is int
    np.testing.assert_array_equal(data[3][0], images[3])
    x, y = next(iter(DataLoader(data, 4)))
    assert x.shape == (4, 28, 28) and x.dtype == np.uint8 and y.dtype == np.int64
    as_tensors = MNIST(root, transform=zen.data.transforms.ToTensor(), target_transform=lambda y: y + 1)
    x, y = next(iter(DataLoader(as_tensors, 4, num_workers=2)))
    assert x.shape == (4, 1, 28, 28) and y.tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(x.numpy()[:, 0], images[:4] / np.float32(255))


def test_mnist_names_the_files_it_expects(mnist):
    root = mnist[0]
    with pytest.raises(
        FileNotFoundError, match=r"no t10k-images-idx3-ubyte or t10k-images-idx3-ubyte\.gz.*test set is"
    ):
        MNIST(root, train=False)
    (root / "MNIST" / "raw").mkdir(parents=True)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        write_idx(root / "MNIST" / "raw" / name, np.zeros((3, 2, 2) if "images" in name else 4, np.uint8))
    with pytest.raises(IDXError, match=r"shape \(3, 2, 2\).* one of shape \(4,\); expected"):
        MNIST(root, train=False)


# npz


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.arange(3000.0).reshape(3, 1000), y=np.array("a"), z=np.arange(500))
    return path


def test_npz(archive):
    found = read_npz(archive)
    assert list(found) == ["x", "y", "z"] and found["x"].shape == (3, 1000) and found["y"].shape == ()
    assert list(read_npz(archive, ["z"])) == ["z"]
    with pytest.raises(KeyError, match="has no array 'w'; it has"):
        read_npz(archive, ["w"])


def test_a_damaged_npz_file_names_file_and_member(archive):
    whole = archive.read_bytes()
    start = whole.index(b"z.npy") - 30
    archive.write_bytes(whole[: start + 1000])
    with pytest.raises(
        ValueError, match=rf"data\.npz: cut off at {start + 1000}: member 'z\.npy' begins at .* {start} "
    ):
        read_npz(archive)
    archive.write_bytes(whole[:-10])
    with pytest.raises(ValueError, match=r"data\.npz: offset \d+: expected another member or the table of contents"):
        read_npz(archive)
    archive.write_bytes(b"\x93NUMPY" + bytes(50))
    with pytest.raises(ValueError, match="offset 0: expected a zip archive"):
        read_npz(archive)
    at = whole.index(np.float64(1234.0).tobytes())
    archive.write_bytes(whole[:at] + b"????" + whole[at + 4 :])
    with pytest.raises(ValueError, match=r"data\.npz, member 'x\.npy' at offset 0: Bad CRC-32"):
        read_npz(archive)


def test_npz_is_never_unpickled(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, ok=np.ones(2), evil=np.array([{}], object))
    with pytest.raises(ValueError, match=r"objects\.npz, member 'evil\.npy' .*allow_pickle=False"):
        read_npz(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("short.npy", b"\x93NUMPY\x01\x00v\x00")
    with pytest.raises(ValueError, match=r"member 'short\.npy' at offset 0: "):
        read_npz(path)


# Tables

_ROWS = "a,b,flag,name,label\n1,2.5,True,x,0\n-3,4e2,False,y,1\n5,0,True,,1\n"


@pytest.fixture
def table(tmp_path):
    """The same table as CSV and as Parquet, with the function that reads each."""
    import pandas

    (tmp_path / "t.csv").write_text(_ROWS)
    pandas.read_csv(tmp_path / "t.csv").to_parquet(tmp_path / "t.parquet")
    return [(read_csv, tmp_path / "t.csv"), (read_parquet, tmp_path / "t.parquet")]


def test_tables_become_datasets_or_columns(table):
    for read, path in table:
        columns = read(path, columns=["b", "a", "flag"])
        assert list(columns) == ["b", "a", "flag"]
        assert [c.dtype.name for c in columns.values()] == ["float64", "int64", "bool"]
        np.testing.assert_array_equal(columns["b"], [2.5, 400, 0])
        data = read(path, columns=["flag", "a", "b"], target="label")
        x, y = data.tensors
        assert x.dtype == np.float32 and y.dtype == np.int64 and y.shape == (3,)
        np.testing.assert_array_equal(x.numpy(), [[1, 1, 2.5], [0, -3, 400], [1, 5, 0]])
        x, y = read(path, columns=["a"], target=["label", "b"], dtype=np.float64).tensors
        assert x.shape == (3, 1) and y.dtype == np.float64 and y.shape == (3, 2)


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({}, ValueError, r"column 'name', row 0( \(line 2, offset 20\))? is 'x'.*, not a number"),
        ({"columns": ["a", "nme"]}, ValueError, "no column 'nme'; there are .*Did you mean 'name'"),
        ({"columns": ["a", "label"], "target": "label"}, ValueError, "'label' is both a feature and a target"),
        ({"columns": [], "target": "label"}, ValueError, "no columns are left"),
        ({"columns": "a"}, TypeError, "a list of names, not the string 'a'"),
    ],
)
def test_errors_of_tables_name_file_column_and_row(table, options, error, text):
    for read, path in table:
        with pytest.raises(error, match=text) as caught:
            read(path, **options)
        assert str(path) in str(caught.value)


def test_empty_cells_are_errors_or_filled(tmp_path):
    import pandas

    frame = pandas.DataFrame({"a": [1, 2, None], "b": [True, None, False]}, dtype=object)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.astype({"a": "Int64", "b": "boolean"}).to_parquet(tmp_path / "t.parquet")
    for read, path in ((read_csv, tmp_path / "t.csv"), (read_parquet, tmp_path / "t.parquet")):
        place = r" \(line 4, offset 14\)" if read is read_csv else ""
        with pytest.raises(ValueError, match=rf"column 'a', row 2{place} is empty \(1 such cells\); give missing="):
            read(path, ["a"])
        np.testing.assert_array_equal(read(path, ["a"], missing=-1)["a"], [1, 2, -1])
    np.testing.assert_array_equal(read_parquet(tmp_path / "t.parquet", missing=np.nan)["b"], [1, np.nan, 0])


def test_numbers_with_one_word_among_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n2\nthree\n4\n")
    with pytest.raises(ValueError, match=r"column 'a', row 2 \(line 4, offset 6\) is 'three', not a number"):
        read_csv(path)


_BAD_CELLS = [  # content, options, the line where the cell is, or None where that is not certain
    (b"a,b\r\n1,2\r\n\r\n  \r\n3,bad\r\n", {}, 5), (b"\n\na,b\r1,2\r3,bad", {}, 5), (b'a,b\n"1\n",2\n3,bad\n', {}, 4),
    (b'a\n1\n""\nbad\n', {}, 4), (b'\xef\xbb\xbfa,b\n1,"\nbad\n"\n', {"columns": ["b"]}, 2),
    (b"a;b\n1;,2\n3;'bad;'\n", {"sep": ";", "quotechar": "'"}, 2),
    (b"a,\xe9\n1,2\n1,bad\n", {"encoding": "latin-1"}, 3),
    ("a,b\n1,bad\n".encode("utf-16"), {"encoding": "utf-16"}, None), (b"# x\na,b\n1,bad\n", {"skiprows": 1}, None),
    (b"a b\n1  bad\n", {"sep": r"\s+"}, None),
]  # fmt: skip


@pytest.mark.parametrize("content, options, line", _BAD_CELLS)
@pytest.mark.parametrize("kind", ["", ".gz", ".bz2", ".xz", ".zip"])
def test_a_bad_cell_is_found_by_line_and_offset(tmp_path, content, options, line, kind):
    path = tmp_path / f"t.csv{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("t.csv", content)
    else:
        path.write_bytes({"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[kind](content))
    with pytest.raises(ValueError, match="not a number") as caught:
        read_csv(path, **options)
    found = re.search(r"column '.*', row \d+( \(line (\d+)(, offset (\d+))?\))? is '", str(caught.value))
    if line is None or kind == ".zip":
        assert found[1] is None
        return
    assert int(found[2]) == line and (found[3] is None) == bool(kind)
    if not kind:
        assert int(found[4]) == sum(map(len, content.splitlines(keepends=True)[: line - 1]))


@pytest.mark.parametrize(
    "content, text",
    [
        (b"a,b\n1,2\n1,2,3\n", "offset 8: .*line 3, saw 3"),
        (b"", "offset 0: expected a header"),
        (b"a\n\xff\xfe\n", "offset 2: expected utf-8 text"),
        (b'a\n1\n"2', "offset 4: .*inside string"),
    ],  # fmt: skip
)
def test_damaged_csv_files(tmp_path, content, text):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"t\.csv: .*{text}"):
        read_csv(path)


def test_damaged_parquet_files(table):
    path = table[1][1]
    whole = path.read_bytes()
    end = len(whole)
    for content, text in (
        (b"", "offset 0: expected b'PAR1', found b''"),
        (b"PAR1", "offset 4: expected b'PAR1' at the end of the file"),
        (whole[:-4], f"offset {end - 8}: expected b'PAR1' at the end.*cut off"),
        (whole[:-8] + b"\xff\xff\0\0PAR1", f"offset {end - 8}: expected a footer of at most {end - 12} bytes"),
        (whole[:4] + bytes(end - 12) + whole[-8:], "offset 4: expected data and, at offset .* they are damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"t\.parquet: {text}"):
            read_parquet(path)
    with pytest.raises(FileNotFoundError):
        read_parquet(path.with_name("none"))


@pytest.mark.parametrize("read, package", [(read_csv, "pandas"), (read_parquet, "pyarrow")])
def test_a_missing_library_names_the_extra(monkeypatch, read, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package}: pip install pandas pyarrow \(the extra 'data'"):
        read("t")

"""Tables whose rows and headers are not as they should be: what holds, and what the errors say."""

import gzip
import threading

import numpy as np
import pytest

from zen.data import DataLoader, read_csv, read_parquet


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.csv"


# Rows that are longer or shorter than the header


@pytest.mark.parametrize(
    "content, text",
    [
        (b"a,b\n1,2,3\n4,5,6\n", r"row 0 \(line 2, offset 4\) has more fields than the header; name every column, or"),
        (b"a,b\n0,2,3\n1,5,6\n", r"row 0 \(line 2, offset 4\) has more fields than the header"),
        (b"a,b\n1,2,3,4\n4,5,6,7\n", r"row 0 \(line 2, offset 4\) has more fields"),
        (b"a,b\n\n1,2,\n4,5,6\n", r"row 0 \(line 3, offset 5\) has more fields"),
        (b"a,b\n1,2\n4,5,6\n", "offset 8: .*line 3, saw 3"),
        (b"a,b\n1,2\n3\n", r"row 1 \(line 3, offset 8\) has 1 field, the header 2"),
        (b'"a\n",b,c\n\n1,2\n3,4,5\n', r"row 0 \(line 4, offset 10\) has 2 fields, the header 3"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"missing": 0.0}, {"target": "b"}])
def test_no_row_is_shifted_cut_or_filled(path, content, text, options):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^read_csv: .*t\.csv: {text}"):
        read_csv(path, **options)


def test_a_row_that_is_cut_off_is_no_row_with_a_missing_cell(path):
    whole = b"a,b\n1,2\n3,\n5,6"
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_csv(path, missing=-1)["b"], [2, -1, 6])
    path.write_bytes(whole[:-2])
    for content in (path, path.with_suffix(".gz")):
        path.with_suffix(".gz").write_bytes(gzip.compress(whole[:-2]))
        with pytest.raises(ValueError, match=r"row 2 \(line 4.*\) has 1 field, the header 2"):
            read_csv(content, missing=-1)


def test_a_separator_at_the_end_of_each_line_and_a_column_of_names_are_no_shift(path):
    path.write_bytes(b"a,b\n1,2,\n4,5,\n")
    found = read_csv(path)
    assert {name: column.tolist() for name, column in found.items()} == {"a": [1, 4], "b": [2, 5]}
    path.write_bytes(b"a,b,\n1,2,\n4,5,\n")  # after the header's own a column without a name begins
    with pytest.raises(ValueError, match="column 'Unnamed: 2', row 0 .* is empty .*leave the column out"):
        read_csv(path)
    path.write_bytes(b"a,b\nx,1,2\ny,4,5\n")
    found = read_csv(path, index_col=0)
    assert {name: column.tolist() for name, column in found.items()} == {"a": [1, 4], "b": [2, 5]}


# Names


@pytest.mark.parametrize(
    "content, options",
    [
        (b"a,a\n1,2\n", {}), (b"a,b,a\n1,2,3\n", {"target": "b"}), (b"a,a.1,a\n1,2,3\n", {}),
        (b'"a",b,"a"\n1,2,3\n', {}),
        (b"a;a\n1;2\n", {"sep": ";"}), (b"# x\na,a\n1,2\n", {"skiprows": 1}), (b"\n\na,a\n", {}),
        ("a,a\n1,2\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b"a,a\nx,1\n", {"columns": ["a"]}),
    ],
)  # fmt: skip
def test_two_columns_of_one_name_are_refused(path, content, options):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.csv: several columns are called 'a'"):
        read_csv(path, **options)


def test_two_columns_of_one_name_in_parquet(tmp_path):
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table([pyarrow.array([1]), pyarrow.array([2])], ["a", "a"])
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t\.parquet: several columns are called 'a'"):
        read_parquet(tmp_path / "t.parquet")


def test_names_that_only_look_as_if_made_from_others(path):
    path.write_bytes(b"a,a.1\n1,2\n")
    assert {name: column.tolist() for name, column in read_csv(path).items()} == {"a": [1], "a.1": [2]}


@pytest.mark.parametrize("read", [read_csv, read_parquet])
@pytest.mark.parametrize(
    "options, text",
    [
        ({"columns": ["a", "a"]}, "'a' is asked for twice"),
        ({"target": ["b", "b"]}, "'b' is asked for twice"),
        ({"target": []}, "target is an empty list; leave it out, or name a column"),
    ],
)
def test_columns_that_are_asked_for_twice_or_not_at_all(tmp_path, read, options, text):
    import pandas

    frame = pandas.DataFrame({"a": [1], "b": [2]})
    frame.to_csv(tmp_path / "t", index=False) if read is read_csv else frame.to_parquet(tmp_path / "t")
    with pytest.raises(ValueError, match=text):
        read(tmp_path / "t", **options)


# Little, nothing, and what surrounds the content


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \n", b"\xef\xbb\xbf"])
def test_a_file_without_a_header_is_an_error(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.csv: offset 0: expected a header with the names of columns, found none"):
        read_csv(path)


@pytest.mark.parametrize("content", [b"a,b", b"a,b\n", b"a,b\n\n\n"])
def test_a_header_alone_is_a_table_without_rows(path, content):
    path.write_bytes(content)
    assert {name: column.shape for name, column in read_csv(path).items()} == {"a": (0,), "b": (0,)}
    data = read_csv(path, target="b")
    assert len(data) == 0 and data.tensors[0].shape == (0, 1) and list(DataLoader(data, 2)) == []


@pytest.mark.parametrize(
    "content, names",
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]), (b'\xef\xbb\xbf"a","b"\n"1","2"\n', ["a", "b"]),
        (b"a,b\r\n\r\n1,2\r\n\r\n", ["a", "b"]), (b"a,b\r1,2", ["a", "b"]),
        (b'"a,x","b\ny"\n1,"2"\n', ["a,x", "b\ny"]), (b'"a ""q""",b\n1,2\n', ['a "q"', "b"]),
    ],
)  # fmt: skip
def test_marks_quotes_and_blank_lines(path, content, names):
    path.write_bytes(content)
    assert {name: column.tolist() for name, column in read_csv(path).items()} == {names[0]: [1], names[1]: [2]}


def test_a_pipe_is_read_once(path):
    import os

    os.mkfifo(path)
    for content, text in (
        (b"a,a\n1,2\n", "several columns"),
        (b"a,b\n1,2\n3\n", r"row 1 \(line 3, offset 8\) has 1 fi"),
    ):
        thread = threading.Thread(target=path.write_bytes, args=(content,))
        thread.start()
        with pytest.raises(ValueError, match=text):
            read_csv(path)
        thread.join()


def test_integers_that_int64_cannot_hold_are_no_target(path):
    path.write_bytes(b"a,t\n1,18446744073709551615\n1,3\n")
    with pytest.raises(ValueError, match=r"t\.csv: the target 't' has integers of 2\*\*63 and above"):
        read_csv(path, target="t")
    assert read_csv(path)["t"].tolist() == [2**64 - 1, 3]


def test_rows_are_read_at_once(path):
    with pytest.raises(TypeError, match="the rows are read at once; nrows= and skiprows="):
        read_csv(path, chunksize=2)


# Parquet


def test_columns_that_hold_more_than_numbers_are_named(tmp_path):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    nested = {"s": [{"a": 2}], "l": [[1, 2]], "d": [None], "a": [5], "a.b": [6]}
    parquet.write_table(pyarrow.table(nested), path)
    for name, text in (("s", r"\{'a': 2\} \(its type is struct"), ("l", r"\[1, 2\] \(its type is list")):
        with pytest.raises(ValueError, match=rf"t\.parquet: column '{name}', row 0 is {text}.*not a number"):
            read_parquet(path, [name])
    found = read_parquet(path, ["a.b", "a"])
    assert {name: column.tolist() for name, column in found.items()} == {"a.b": [6], "a": [5]}
    with pytest.raises(ValueError, match="no column 'x'"):
        read_parquet(path, ["x"])


def test_a_parquet_file_without_rows_and_integers_that_floats_do_not_hold(tmp_path):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"a": pyarrow.array([], "int32"), "b": pyarrow.array([], "bool")}), path)
    assert {name: (c.shape, c.dtype.name) for name, c in read_parquet(path).items()} == {
        "a": ((0,), "int32"),
        "b": ((0,), "bool"),
    }
    parquet.write_table(pyarrow.table({"a": [2**60 + 1, None]}), path)
    assert read_parquet(path, missing=0)["a"].tolist() == [2.0**60, 0]

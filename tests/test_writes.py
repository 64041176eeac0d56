"""The log of in-place writes: which saved values a write spoils. Checked against numpy.shares_memory."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zen import writes


@pytest.fixture(autouse=True)
def new_log(monkeypatch):
    """The sequence numbers in these tests start from 1 again, unlike the engine's."""
    monkeypatch.setattr(writes, "_foreign", writes._Log())


def test_a_write_spoils_what_was_saved_before_it_only():
    a = np.zeros(8)
    writes.note(a, 1_000_000, "add_")
    assert writes.overwritten(a, 999_999) == "add_"
    assert writes.overwritten(a, 1_000_000) is None
    assert writes.overwritten(a[3:5], 999_999) == "add_"


def test_array_that_was_never_written():
    assert writes.overwritten(np.zeros(3), 0) is None


def test_other_rows_are_not_spoilt():
    h = np.zeros((10, 4))
    for i in range(5):
        writes.note(h[i], 10 + i, f"write {i}")
    assert writes.overwritten(h[2], 11) == "write 2"
    assert writes.overwritten(h[2], 12) is None
    assert writes.overwritten(h[7], 0) is None
    assert writes.overwritten(h[3:], 12) in ("write 3", "write 4")
    assert writes.overwritten(h, 14) is None


def test_a_later_write_hides_an_earlier_one():
    a = np.zeros(10)
    writes.note(a, 1, "first")
    writes.note(a[4:6], 2, "second")
    assert writes.overwritten(a[4:6], 0) == "second"
    assert writes.overwritten(a[:4], 0) == "first"
    assert writes.overwritten(a[6:], 0) == "first"
    assert writes.overwritten(a[6:], 1) is None


def test_columns_are_told_apart():
    m = np.zeros((50, 7))
    writes.note(m[:, 3], 5, "column 3")
    assert writes.overwritten(m[:, 2], 0) is None
    assert writes.overwritten(m[:, 4:], 0) is None
    assert writes.overwritten(m[:, 3], 0) == "column 3"
    assert writes.overwritten(m[:, 1:5], 0) == "column 3"
    assert writes.overwritten(m[9], 0) == "column 3"
    assert writes.overwritten(m[9, :3], 0) is None


def test_interleaved_halves_are_told_apart():
    a = np.zeros(20)
    writes.note(a[::2], 5, "even")
    assert writes.overwritten(a[1::2], 0) is None
    assert writes.overwritten(a[::2], 0) == "even"
    assert writes.overwritten(a[::-2][-3:], 0) is None  # positions 5, 3, 1


def test_row_write_and_saved_column():
    m = np.zeros((6, 5))
    writes.note(m[1:3, 2], 5, "part")
    assert writes.overwritten(m[3:, 2], 0) is None
    writes.note(m[4, 1:3], 6, "cells")
    assert writes.overwritten(m[:, 0], 0) is None
    assert writes.overwritten(m[:, 1], 0) == "cells"


def test_empty_arrays_share_nothing():
    a = np.zeros((0, 4))
    writes.note(a, 1, "zero_")
    assert writes.overwritten(a, 0) is None


def test_all_views_of_a_transposed_matrix_are_spoilt():
    m = np.zeros((4, 5))
    writes.note(m.T, 5, "zero_")
    for part in (m[0], m[:, 0], m[::-1, ::-1], m.T[1:3]):
        assert writes.overwritten(part, 0) == "zero_"


def test_memory_from_elsewhere():
    memory = bytearray(80)
    a, b = np.frombuffer(memory), np.frombuffer(memory)
    writes.note(a[2:4], 5, "add_")
    assert writes.overwritten(b[3:], 0) == "add_"
    assert writes.overwritten(b[4:], 0) is None


def test_the_same_memory_by_two_roads():
    a = np.zeros(10)
    b = np.frombuffer(memoryview(a))  # its base is the memoryview, not the array
    writes.note(a, 5, "add_")
    assert writes.overwritten(b, 0) == "add_"
    writes.note(b, 6, "mul_")
    assert writes.overwritten(a, 5) == "mul_"


def test_memory_from_elsewhere_stays_bounded():
    a = np.frombuffer(bytearray(8 * 30_000))
    for i in range(0, 20_000, 2):
        writes.note(a[i : i + 1], 10 + i, "write")
    assert len(writes._foreign.solid.starts) <= 2 * writes._FOREIGN_LIMIT
    assert writes.overwritten(a[19_998:], 0) == "write"
    assert writes.overwritten(a[25_000:], 0) is None


def test_the_log_dies_with_its_memory():
    gc.collect()  # what earlier tests left
    before = len(writes._owned)
    for _ in range(50):
        writes.note(np.zeros(4)[1:], 1, "zero_")
    gc.collect()
    assert len(writes._owned) == before


def test_ten_thousand_rows_take_ten_thousand_searches(monkeypatch):
    h, steps = np.zeros((10_000, 2)), [0]
    newer = writes._Ranges.newer

    def counted(self, start, end, seq):
        found = newer(self, start, end, seq)
        steps[0] += 1 + len(found)
        return found

    monkeypatch.setattr(writes._Ranges, "newer", counted)
    for i in range(10_000):
        writes.note(h[i], 2 * i + 1, "setitem")
    for i in range(9_999, 0, -1):
        assert writes.overwritten(h[i - 1], 2 * i - 1) is None
    assert steps[0] <= 30_000


def test_repeated_writes_to_the_same_place_take_no_memory():
    a = np.zeros((100, 100))
    for i in range(100):
        writes.note(a[:, i % 3], i + 1, "zero_")
    tracemalloc.start()
    for i in range(1000):
        writes.note(a[:, i % 3], i + 200, "zero_")
        writes.note(a[i % 5], i + 200, "zero_")
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 20_000


def _part(draw, shape):
    key = []
    for n in shape:
        start, stop = draw(st.integers(0, n - 1)), draw(st.integers(1, n))
        key.append(slice(start, max(stop, start + 1), draw(st.sampled_from([1, 1, 2, 3]))))
    return tuple(key)


@st.composite
def histories(draw):
    shape = tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=3)))
    order = draw(st.permutations(range(len(shape))))
    events = draw(st.integers(1, 8))
    return shape, order, [_part(draw, shape) for _ in range(events)], _part(draw, shape), draw(st.integers(0, events))


@settings(max_examples=300, deadline=None)
@given(histories())
def test_no_overlapping_write_is_missed(history):
    shape, order, parts, saved, after = history
    a = np.zeros(shape).transpose(order) if len(shape) > 1 else np.zeros(shape)
    parts = [tuple(p[k] for k in order) if len(shape) > 1 else p for p in parts]
    saved = a[tuple(saved[k] for k in order)] if len(shape) > 1 else a[saved]
    for seq, part in enumerate(parts, start=1):
        writes.note(a[part], seq, str(seq))
    spoilt = any(np.shares_memory(a[p], saved) for seq, p in enumerate(parts, start=1) if seq > after)
    found = writes.overwritten(saved, after)
    if spoilt:
        assert found is not None
    elif len(parts) == 1 and not np.may_share_memory(a[parts[0]], saved):
        assert found is None


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4)])
def test_layout_covers_exactly_a_dense_array(shape):
    a = np.zeros(shape)
    lo, hi, pitch, _ = writes._layout(np.moveaxis(a, -1, 0)[..., ::-1])
    assert (hi - lo, pitch) == (a.nbytes, 0)

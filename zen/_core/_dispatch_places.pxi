# Elements and rows read, added and sorted by position. Called by _places.pyx and _lines.pyx, which checked positions.
#
# Arrays are seen as (outer, n, inner), the axis between what is before and behind it. Lines side by side are worked on
# by STRIPs: what one holds stays in the cache.

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    STRIP = 16           # a cache line of float


# --- along the last axis, where nothing runs across


cdef void take_last(const real[:, ::1] x, const long long[:, ::1] at, real[:, ::1] out) noexcept nogil:
    cdef Py_ssize_t o, k
    for o in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[o, k] = x[o, at[o, k]]


cdef void add_last(const real[:, ::1] g, const long long[:, ::1] at, real[:, ::1] out) noexcept nogil:
    cdef Py_ssize_t o, k
    for o in range(g.shape[0]):
        for k in range(g.shape[1]):
            out[o, at[o, k]] += g[o, k]


cdef void add_last_wide(
    const float[:, ::1] g, const long long[:, ::1] at, float[:, ::1] out, double[::1] sums,
) noexcept nogil:
    # Float loses what is added to a long sum: `sums` holds a line in double.
    cdef Py_ssize_t o, k
    for o in range(g.shape[0]):
        for k in range(out.shape[1]):
            sums[k] = 0
        for k in range(g.shape[1]):
            sums[at[o, k]] += g[o, k]
        for k in range(out.shape[1]):
            out[o, k] = <float>sums[k]


# --- along another axis


cdef void take_lines(const real[:, :, ::1] x, const long long[:, :, ::1] at, real[:, :, ::1] out) noexcept nogil:
    cdef Py_ssize_t inner = out.shape[2], o, start, i, k
    for o in range(out.shape[0]):
        start = 0
        while start < inner:
            for k in range(out.shape[1]):
                for i in range(start, min(inner, start + STRIP)):
                    out[o, k, i] = x[o, at[o, k, i], i]
            start += STRIP


cdef void add_lines(const real[:, :, ::1] g, const long long[:, :, ::1] at, real[:, :, ::1] out) noexcept nogil:
    cdef Py_ssize_t inner = g.shape[2], o, start, i, k
    for o in range(g.shape[0]):
        start = 0
        while start < inner:
            for k in range(g.shape[1]):
                for i in range(start, min(inner, start + STRIP)):
                    out[o, at[o, k, i], i] += g[o, k, i]
            start += STRIP


cdef void add_lines_wide(
    const float[:, :, ::1] g, const long long[:, :, ::1] at, float[:, :, ::1] out, double[:, ::1] sums,
) noexcept nogil:
    # As add_last_wide; `sums` holds a strip of lines.
    cdef Py_ssize_t inner = g.shape[2], o, start, width, i, k
    for o in range(g.shape[0]):
        start = 0
        while start < inner:
            width = min(inner - start, sums.shape[1])
            for k in range(sums.shape[0]):
                for i in range(width):
                    sums[k, i] = 0
            for k in range(g.shape[1]):
                for i in range(width):
                    sums[at[o, k, start + i], i] += g[o, k, start + i]
            for k in range(sums.shape[0]):
                for i in range(width):
                    out[o, k, start + i] = <float>sums[k, i]
            start += width


# --- the order that sorts: a float and its place make one integer of 64 bits


cdef inline uint64_t key_of(float x, uint32_t flipped) noexcept nogil:
    # Integers in the order of floats: nan is the largest, and minus zero equals zero.
    cdef uint32_t bits
    if x != x:
        bits = <uint32_t>0xFFFFFFFF
    else:
        x = x + 0               # minus zero becomes zero
        memcpy(&bits, &x, 4)
        bits = ~bits if bits >> 31 else bits | (<uint32_t>1 << 31)
    return <uint64_t>(bits ^ flipped) << 32


cdef void fill_keys(const float[:, :, ::1] x, uint64_t[:, :, ::1] keys, uint32_t flipped) noexcept nogil:
    # keys: (outer, inner, n)
    cdef Py_ssize_t inner = x.shape[2], o, start, i, k
    for o in range(x.shape[0]):
        start = 0
        while start < inner:
            for k in range(x.shape[1]):
                for i in range(start, min(inner, start + STRIP)):
                    keys[o, i, k] = key_of(x[o, k, i], flipped) | <uint64_t>k
            start += STRIP


cdef void read_places(const uint64_t[:, :, ::1] keys, long long[:, :, ::1] at) noexcept nogil:
    cdef Py_ssize_t inner = at.shape[2], o, start, i, k
    for o in range(at.shape[0]):
        start = 0
        while start < inner:
            for k in range(at.shape[1]):
                for i in range(start, min(inner, start + STRIP)):
                    at[o, k, i] = <long long>(keys[o, i, k] & <uint64_t>0xFFFFFFFF)
            start += STRIP


# --- rows


cdef void add_rows(real[:, ::1] out, const long long[::1] at, const real[:, ::1] g, long long skipped) noexcept nogil:
    cdef Py_ssize_t k, j
    for k in range(g.shape[0]):
        if at[k] != skipped:
            for j in range(g.shape[1]):
                out[at[k], j] += g[k, j]


cdef int find_long(
    const long long[::1] at, int[::1] slots, long long[::1] long_rows, int limit,
) noexcept nogil:
    # How many rows are named `limit` times or more; they get slots. The others' slots count how often they are named.
    cdef Py_ssize_t k
    cdef int longs = 0
    for k in range(at.shape[0]):
        if slots[at[k]] >= 0:
            slots[at[k]] += 1
            if slots[at[k]] == limit:
                long_rows[longs] = at[k]
                longs += 1
                slots[at[k]] = -longs
    return longs


cdef void add_long_rows(
    float[:, ::1] out, const long long[::1] at, const float[:, ::1] g, long long skipped, const int[::1] slots,
    const long long[::1] long_rows, double[:, ::1] sums,
) noexcept nogil:
    # As add_rows, where the rows that have a slot, a negative number from -1 down, are added up in double.
    cdef Py_ssize_t k, j, slot
    for k in range(g.shape[0]):
        if at[k] != skipped:
            if slots[at[k]] < 0:
                slot = -1 - slots[at[k]]
                for j in range(g.shape[1]):
                    sums[slot, j] += g[k, j]
            else:
                for j in range(g.shape[1]):
                    out[at[k], j] += g[k, j]
    for k in range(sums.shape[0]):
        for j in range(g.shape[1]):
            out[long_rows[k], j] = <float>(out[long_rows[k], j] + sums[k, j])


cdef void fill_places(Kernels* k) noexcept:
    k.take_last[0], k.take_last[1] = <place_t> <void*> take_last[float], <place_t> <void*> take_last[double]
    k.add_last[0], k.add_last[1] = <place_t> <void*> add_last[float], <place_t> <void*> add_last[double]
    k.add_last_wide = <add_wide_t> <void*> add_last_wide
    k.take_lines[0], k.take_lines[1] = <place_t> <void*> take_lines[float], <place_t> <void*> take_lines[double]
    k.add_lines[0], k.add_lines[1] = <place_t> <void*> add_lines[float], <place_t> <void*> add_lines[double]
    k.add_lines_wide = <add_wide_t> <void*> add_lines_wide
    k.fill_keys = <fill_keys_t> <void*> fill_keys
    k.read_places = <read_places_t> <void*> read_places
    k.add_rows[0], k.add_rows[1] = <add_rows_t> <void*> add_rows[float], <add_rows_t> <void*> add_rows[double]
    k.find_long = <find_long_t> <void*> find_long
    k.add_long_rows = <add_long_rows_t> <void*> add_long_rows

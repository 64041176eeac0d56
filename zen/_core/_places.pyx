"""Kernels of positions along one axis: elements read and added by position, and the positions that sort.

Called by zen/ops. Arrays are seen as in `_along.pyx`, (outer, n, inner). Lines side by side are worked on by STRIPs:
what one holds stays in the cache. Plans (see _plan.pxd) are made for lines and checked positions; buffers are
C-contiguous.
"""

import numpy as np

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._along cimport Lines, describe, ready
from zen._core._memory cimport new_array
from zen._core._plan cimport Plan, execute_t, reserve, run, start as start_plan
from zen._core._types cimport MAXDIMS
from zen._core._views cimport View, buffer1, buffer2, buffer3, check_views, view1, view3

cnp.import_array()
check_views()

ctypedef fused real:
    float
    double

# The kernels as they are called, for float and for double. Positions are of int64, keys of uint64, sums of double.
ctypedef bint (*are_within_t)(View at, uint64_t n) noexcept nogil
ctypedef void (*count_t)(View given, View out, Py_ssize_t n) noexcept nogil
ctypedef void (*place_t)(View x, View at, View out) noexcept nogil
ctypedef void (*add_wide_t)(View g, View at, View out, View sums) noexcept nogil
ctypedef void (*fill_keys_t)(View x, View keys, uint32_t flipped) noexcept nogil
ctypedef void (*read_places_t)(View keys, View at) noexcept nogil

cdef place_t[2] TAKE_LAST
cdef place_t[2] TAKE_LINES
cdef place_t[2] ADD_LAST
cdef place_t[2] ADD_LINES

cdef enum:
    STRIP = 16           # a cache line of float
    FEW = 512            # additions to one element up to which float is exact enough
    WORTH = 1 << 14      # positions from which releasing the GIL is worth it

cdef enum:               # the buffers
    LINES = 0            # of n elements
    AT = 1               # of m positions in these, of int64
    THERE = 2            # of the m elements: read, or added
    BUFFERS = 3

cdef struct Places:
    Plan plan
    Py_ssize_t outer, n, m, inner
    Py_ssize_t width, sums               # what is added up in double: strips so wide, in the workspace


# --- positions


cdef bint are_within(const long long[::1] at, uint64_t n) noexcept nogil:
    # Whether every position is from 0 to n - 1. The highest bit of a number is set if it, or n - 1 less it, is
    # negative: compilers vectorise that for any processor, and comparisons of 64 bits not.
    cdef uint64_t outside = 0, p
    cdef Py_ssize_t k
    for k in range(at.shape[0]):
        p = <uint64_t>at[k]
        outside |= p | (n - 1 - p)
    return not outside >> 63


cdef void count_from_start(const long long[::1] given, long long[::1] out, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(out.shape[0]):
        out[k] = given[k] + (n if given[k] < 0 else 0)


cdef are_within_t ARE_WITHIN = <are_within_t> <void*> are_within
cdef count_t COUNT_FROM_START = <count_t> <void*> count_from_start


def positions(object indices not None, Py_ssize_t n):
    """`indices` as new int64 from 0 to n - 1, negative ones from the end; None where one is out of range.

    indices: ints of any layout.
    """
    cdef ndarray given = <ndarray>cnp.PyArray_FROMANY(
        indices, cnp.NPY_INT64, 0, 0, cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_FORCECAST | cnp.NPY_ARRAY_ENSUREARRAY)
    cdef ndarray out = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(given), cnp.PyArray_DIMS(given), cnp.NPY_INT64, 0)
    cdef Py_ssize_t size = cnp.PyArray_SIZE(given)
    cdef bint within
    with nogil:
        COUNT_FROM_START(view1(given, size), view1(out, size), n)
        within = ARE_WITHIN(view1(out, size), n)
    return out if within else None


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


TAKE_LAST[0], TAKE_LAST[1] = <place_t> <void*> take_last[float], <place_t> <void*> take_last[double]
TAKE_LINES[0], TAKE_LINES[1] = <place_t> <void*> take_lines[float], <place_t> <void*> take_lines[double]
ADD_LAST[0], ADD_LAST[1] = <place_t> <void*> add_last[float], <place_t> <void*> add_last[double]
ADD_LINES[0], ADD_LINES[1] = <place_t> <void*> add_lines[float], <place_t> <void*> add_lines[double]
cdef add_wide_t ADD_LAST_WIDE = <add_wide_t> <void*> add_last_wide
cdef add_wide_t ADD_LINES_WIDE = <add_wide_t> <void*> add_lines_wide


# --- what Python calls


cdef int check(ndarray at, ndarray a, int axis, Py_ssize_t n) except -1:
    # The positions, checked against the array whose elements they name or fill: this is the last place to do so.
    cdef int k
    cdef bint fits = cnp.PyArray_NDIM(at) == cnp.PyArray_NDIM(a), within
    if cnp.PyArray_TYPE(at) != cnp.NPY_INT64 or not cnp.PyArray_ISCARRAY_RO(at):
        raise TypeError("positions are C-contiguous int64")
    for k in range(cnp.PyArray_NDIM(a) if fits else 0):
        fits = fits and (k == axis or cnp.PyArray_DIMS(at)[k] == cnp.PyArray_DIMS(a)[k])
    if not fits:
        raise ValueError(f"positions of shape {(<object>at).shape} do not fit shape {(<object>a).shape}, axis {axis}")
    with nogil:
        within = ARE_WITHIN(view1(at, cnp.PyArray_SIZE(at)), n)
    if not within:
        raise IndexError(f"a position out of range: axis {axis} has length {n}")
    return 0


cdef inline bint is_double(const Plan* plan) noexcept nogil:
    return plan.typenum == cnp.NPY_DOUBLE


cdef int run_places(Places* s, execute_t execute, ndarray lines, ndarray at, ndarray there, int axis) except -1:
    # With the workspace for sums in double, if `s.width` is not 0.
    cdef Lines own
    cdef void* p[BUFFERS]
    describe(&own, lines, axis)
    s.outer, s.n, s.m, s.inner = own.outer, own.n, cnp.PyArray_DIMS(at)[axis], own.inner
    start_plan(&s.plan, execute, cnp.PyArray_TYPE(lines), cnp.PyArray_SIZE(at) < WORTH)
    s.width = min(s.width, s.inner)
    s.sums = reserve(&s.plan, s.n * (<Py_ssize_t>sizeof(double) // s.plan.item), s.width)
    p[LINES], p[AT], p[THERE] = cnp.PyArray_DATA(lines), cnp.PyArray_DATA(at), cnp.PyArray_DATA(there)
    return run(&s.plan, p)


cdef void place(place_t last, place_t lines, const Places* s, void* a, Py_ssize_t n, void* at, void* b,
                Py_ssize_t m) noexcept nogil:
    # With the kernel for lines of the last axis, or for others: a of lines of n elements, b of m.
    cdef Py_ssize_t item = s.plan.item, of_places = sizeof(long long)
    if s.inner == 1:
        last(buffer2(a, item, s.outer, n), buffer2(at, of_places, s.outer, s.m), buffer2(b, item, s.outer, m))
    else:
        lines(
            buffer3(a, item, s.outer, n, s.inner), buffer3(at, of_places, s.outer, s.m, s.inner),
            buffer3(b, item, s.outer, m, s.inner))


cdef void execute_take(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Places* s = <const Places*>plan
    place(TAKE_LAST[is_double(plan)], TAKE_LINES[is_double(plan)], s, p[LINES], s.n, p[AT], p[THERE], s.m)


def take_along(ndarray x not None, ndarray at not None, int axis):
    """For each position in `at`, the element of x there along `axis`.

    x: float32 or float64, of any layout. at: C-contiguous int64 from 0 on, of x's shape but along the axis. Returns a
    C-contiguous array of the shape of `at`. Raises IndexError for a position out of range.
    """
    cdef Lines lines
    cdef Places s
    cdef ndarray a = ready(x), out
    describe(&lines, a, axis)
    check(at, a, axis, lines.n)
    out = new_array(cnp.PyArray_NDIM(at), <Py_ssize_t*>cnp.PyArray_DIMS(at), cnp.PyArray_TYPE(a))
    s.width = 0
    run_places(&s, execute_take, a, at, out, axis)
    return out


cdef void execute_add(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Places* s = <const Places*>plan
    memset(p[LINES], 0, s.outer * s.n * s.inner * plan.item)
    place(ADD_LAST[is_double(plan)], ADD_LINES[is_double(plan)], s, p[THERE], s.m, p[AT], p[LINES], s.n)


cdef void execute_add_wide(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Places* s = <const Places*>plan
    cdef Py_ssize_t item = plan.item, of_places = sizeof(long long)
    if s.inner == 1:
        ADD_LAST_WIDE(
            buffer2(p[THERE], item, s.outer, s.m), buffer2(p[AT], of_places, s.outer, s.m),
            buffer2(p[LINES], item, s.outer, s.n), buffer1(workspace + s.sums, sizeof(double), s.n))
    else:
        ADD_LINES_WIDE(
            buffer3(p[THERE], item, s.outer, s.m, s.inner), buffer3(p[AT], of_places, s.outer, s.m, s.inner),
            buffer3(p[LINES], item, s.outer, s.n, s.inner), buffer2(workspace + s.sums, sizeof(double), s.n, s.width))


def add_along(ndarray g not None, ndarray at not None, Py_ssize_t n, int axis):
    """Zeros of length n along `axis` with each element of g added at its position: the transpose of `take_along`.

    g: float32 or float64, of the shape of `at` and any layout. Elements added to one place are exact to g's precision,
    however many they are.
    """
    cdef Lines lines
    cdef Places s
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray a = ready(g), out
    cdef int k, nd = cnp.PyArray_NDIM(a)
    cdef bint wide
    describe(&lines, a, axis)
    check(at, a, axis, n)
    if cnp.PyArray_DIMS(at)[axis] != lines.n:
        raise ValueError(f"g of shape {(<object>a).shape} needs as many positions, not {(<object>at).shape}")
    for k in range(nd):
        dims[k] = n if k == axis else cnp.PyArray_DIMS(a)[k]
    out = new_array(nd, dims, cnp.PyArray_TYPE(a))
    wide = cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT and lines.n >= FEW
    s.width = STRIP if wide else 0
    run_places(&s, execute_add_wide if wide else execute_add, out, at, a, axis)
    return out


# --- the order that sorts. A float and its place make one integer of 64 bits: sorted as such, by NumPy's vectorised
# loop, equal elements keep their order.


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


cdef fill_keys_t FILL_KEYS = <fill_keys_t> <void*> fill_keys
cdef read_places_t READ_PLACES = <read_places_t> <void*> read_places


def order(ndarray x not None, int axis, bint descending):
    """The positions that sort x along `axis`; equal elements keep their order, and nan counts as the largest.

    x: an array of any dtype and layout. Returns int64.
    """
    cdef Lines s
    cdef ndarray a, keys, at
    cdef cnp.npy_intp dims[2]
    describe(&s, x, axis)
    if cnp.PyArray_TYPE(x) != cnp.NPY_FLOAT or s.n > <Py_ssize_t>0xFFFFFFFF:
        if not descending:
            return np.argsort(x, axis=axis, kind="stable")
        places = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
        return np.flip(s.n - 1 - places, axis)
    a = ready(x)
    dims[0], dims[1] = s.outer * s.inner, s.n
    keys = cnp.PyArray_EMPTY(2, dims, cnp.NPY_UINT64, 0)
    at = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(a), cnp.PyArray_DIMS(a), cnp.NPY_INT64, 0)
    with nogil:
        FILL_KEYS(
            view3(a, s.outer, s.n, s.inner), view3(keys, s.outer, s.inner, s.n), 0xFFFFFFFF if descending else 0)
    keys.sort(axis=1)
    with nogil:
        READ_PLACES(view3(keys, s.outer, s.inner, s.n), view3(at, s.outer, s.n, s.inner))
    return at

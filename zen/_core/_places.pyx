"""Kernels of positions along one axis: elements read and added by position, and the positions that sort.

Called by zen/ops. Arrays are seen as in `_along.pyx`. Lines side by side are worked on by STRIPs: what one holds stays
in the cache.
"""

import numpy as np

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._along cimport Lines, describe, ready
from zen._core._memory cimport new_array, new_zeros
from zen._core._types cimport MAXDIMS

cnp.import_array()

ctypedef fused real:
    float
    double

cdef enum:
    STRIP = 16           # a cache line of float
    FEW = 512            # additions to one element up to which float is exact enough


def positions(object indices not None, Py_ssize_t n):
    """`indices` as new int64 from 0 to n - 1, negative ones from the end; None where one is out of range.

    indices: ints of any layout.
    """
    cdef ndarray given = <ndarray>cnp.PyArray_FROMANY(
        indices, cnp.NPY_INT64, 0, 0, cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_FORCECAST | cnp.NPY_ARRAY_ENSUREARRAY)
    cdef ndarray out = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(given), cnp.PyArray_DIMS(given), cnp.NPY_INT64, 0)
    cdef const long long* a = <const long long*>cnp.PyArray_DATA(given)
    cdef long long* y = <long long*>cnp.PyArray_DATA(out)
    cdef Py_ssize_t k, size = cnp.PyArray_SIZE(given)
    cdef bint outside = False
    with nogil:
        for k in range(size):
            y[k] = a[k] + (n if a[k] < 0 else 0)
            outside |= <unsigned long long>y[k] >= <unsigned long long>n
    return None if outside else out


cdef void take_lines(const Lines* s, Py_ssize_t m, const real* x, const long long* at, real* out) noexcept nogil:
    # m positions for each line
    cdef Py_ssize_t start, stop, i, k
    for _ in range(s.outer):
        start = 0
        if s.inner == 1:        # nothing runs across
            for k in range(m):
                out[k] = x[at[k]]
            start = 1
        while start < s.inner:
            stop = min(s.inner, start + STRIP)
            for k in range(m):
                for i in range(start, stop):
                    out[k * s.inner + i] = x[at[k * s.inner + i] * s.inner + i]
            start = stop
        x += s.n * s.inner
        at += m * s.inner
        out += m * s.inner


cdef void add_lines(const Lines* s, Py_ssize_t m, const real* g, const long long* at, real* out) noexcept nogil:
    cdef Py_ssize_t start, stop, i, k
    for _ in range(s.outer):
        start = 0
        while start < s.inner:
            stop = min(s.inner, start + STRIP)
            for k in range(m):
                for i in range(start, stop):
                    out[at[k * s.inner + i] * s.inner + i] += g[k * s.inner + i]
            start = stop
        g += m * s.inner
        at += m * s.inner
        out += s.n * s.inner


cdef void add_wide(
    const Lines* s, Py_ssize_t m, const float* g, const long long* at, float* out, double* sums,
) noexcept nogil:
    # Float loses what is added to a long sum: `sums` holds a strip of lines in double.
    cdef Py_ssize_t start, width, i, k
    for _ in range(s.outer):
        start = 0
        while start < s.inner:
            width = min(s.inner - start, <Py_ssize_t>STRIP)
            for k in range(s.n * width):
                sums[k] = 0
            if width == 1:
                for k in range(m):
                    sums[at[k * s.inner + start]] += g[k * s.inner + start]
            else:
                for k in range(m):
                    for i in range(width):
                        sums[at[k * s.inner + start + i] * width + i] += g[k * s.inner + start + i]
            for k in range(s.n):
                for i in range(width):
                    out[k * s.inner + start + i] = <float>sums[k * width + i]
            start += width
        g += m * s.inner
        at += m * s.inner
        out += s.n * s.inner


cdef const long long* placed(ndarray at, ndarray a, int axis, Py_ssize_t n) except NULL:
    # The positions, checked against the array whose elements they name or fill: this is the last place to do so.
    cdef int k
    cdef Py_ssize_t i
    cdef const long long* p = <const long long*>cnp.PyArray_DATA(at)
    cdef bint fits = cnp.PyArray_NDIM(at) == cnp.PyArray_NDIM(a), inside = True
    if cnp.PyArray_TYPE(at) != cnp.NPY_INT64 or not cnp.PyArray_ISCARRAY_RO(at):
        raise TypeError("positions are C-contiguous int64")
    for k in range(cnp.PyArray_NDIM(a) if fits else 0):
        fits = fits and (k == axis or cnp.PyArray_DIMS(at)[k] == cnp.PyArray_DIMS(a)[k])
    if not fits:
        raise ValueError(f"positions of shape {(<object>at).shape} do not fit shape {(<object>a).shape}, axis {axis}")
    with nogil:
        for i in range(cnp.PyArray_SIZE(at)):
            inside &= <unsigned long long>p[i] < <unsigned long long>n
    if not inside:
        raise IndexError(f"a position out of range: axis {axis} has length {n}")
    return p


def take_along(ndarray x not None, ndarray at not None, int axis):
    """For each position in `at`, the element of x there along `axis`.

    x: float32 or float64, of any layout. at: C-contiguous int64 from 0 on, of x's shape but along the axis. Returns a
    C-contiguous array of the shape of `at`. Raises IndexError for a position out of range.
    """
    cdef Lines s
    cdef ndarray a = ready(x), out
    describe(&s, a, axis)
    cdef const long long* p = placed(at, a, axis, s.n)
    cdef Py_ssize_t m = cnp.PyArray_DIMS(at)[axis]
    out = new_array(cnp.PyArray_NDIM(at), <Py_ssize_t*>cnp.PyArray_DIMS(at), cnp.PyArray_TYPE(a))
    with nogil:
        if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
            take_lines(&s, m, <const float*>cnp.PyArray_DATA(a), p, <float*>cnp.PyArray_DATA(out))
        else:
            take_lines(&s, m, <const double*>cnp.PyArray_DATA(a), p, <double*>cnp.PyArray_DATA(out))
    return out


def add_along(ndarray g not None, ndarray at not None, Py_ssize_t n, int axis):
    """Zeros of length n along `axis` with each element of g added at its position: the transpose of `take_along`.

    g: float32 or float64, of the shape of `at` and any layout. Elements added to one place are exact to g's precision,
    however many they are.
    """
    cdef Lines s
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray a = ready(g), out, sums
    cdef int k, nd = cnp.PyArray_NDIM(a)
    describe(&s, a, axis)
    cdef const long long* p = placed(at, a, axis, n)
    cdef Py_ssize_t m = s.n, strip
    if cnp.PyArray_DIMS(at)[axis] != m:
        raise ValueError(f"g of shape {(<object>a).shape} needs as many positions, not {(<object>at).shape}")
    for k in range(nd):
        dims[k] = n if k == axis else cnp.PyArray_DIMS(a)[k]
    s.n = n
    if cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE or m < FEW:
        out = new_zeros(nd, dims, cnp.PyArray_TYPE(a))
        with nogil:
            if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
                add_lines(&s, m, <const float*>cnp.PyArray_DATA(a), p, <float*>cnp.PyArray_DATA(out))
            else:
                add_lines(&s, m, <const double*>cnp.PyArray_DATA(a), p, <double*>cnp.PyArray_DATA(out))
        return out
    out, strip = new_array(nd, dims, cnp.NPY_FLOAT), n * min(s.inner, <Py_ssize_t>STRIP)
    sums = new_array(1, &strip, cnp.NPY_DOUBLE)
    with nogil:
        add_wide(
            &s, m, <const float*>cnp.PyArray_DATA(a), p, <float*>cnp.PyArray_DATA(out),
            <double*>cnp.PyArray_DATA(sums))
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


cdef void fill_keys(const Lines* s, const float* x, uint64_t* keys, uint32_t flipped) noexcept nogil:
    cdef Py_ssize_t start, stop, i, k
    for _ in range(s.outer):
        start = 0
        while start < s.inner:
            stop = min(s.inner, start + STRIP)
            for k in range(s.n):
                for i in range(start, stop):
                    keys[i * s.n + k] = key_of(x[k * s.inner + i], flipped) | <uint64_t>k
            start = stop
        x += s.n * s.inner
        keys += s.n * s.inner


cdef void read_places(const Lines* s, const uint64_t* keys, long long* at) noexcept nogil:
    cdef Py_ssize_t start, stop, i, k
    for _ in range(s.outer):
        start = 0
        while start < s.inner:
            stop = min(s.inner, start + STRIP)
            for k in range(s.n):
                for i in range(start, stop):
                    at[k * s.inner + i] = <long long>(keys[i * s.n + k] & <uint64_t>0xFFFFFFFF)
            start = stop
        keys += s.n * s.inner
        at += s.n * s.inner


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
        fill_keys(
            &s, <const float*>cnp.PyArray_DATA(a), <uint64_t*>cnp.PyArray_DATA(keys),
            <uint32_t>0xFFFFFFFF if descending else 0)
    keys.sort(axis=1)
    with nogil:
        read_places(&s, <const uint64_t*>cnp.PyArray_DATA(keys), <long long*>cnp.PyArray_DATA(at))
    return at

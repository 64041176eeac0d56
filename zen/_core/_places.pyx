"""Kernels of positions along one axis: elements read and added by position, and the positions that sort.

Called by zen/ops. Arrays are seen as in `_along.pyx`; the loops are those of `_dispatch_places.pxi`.
"""

import numpy as np

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._along cimport Lines, describe, ready
from zen._core._dispatch cimport kernels
from zen._core._memory cimport new_array, new_zeros
from zen._core._types cimport MAXDIMS
from zen._core._views cimport view1, view2, view3

cnp.import_array()

cdef enum:
    STRIP = 16           # lines that are added up in double together
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


cdef int check(ndarray at, ndarray a, int axis, Py_ssize_t n) except -1:
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
    return 0


def take_along(ndarray x not None, ndarray at not None, int axis):
    """For each position in `at`, the element of x there along `axis`.

    x: float32 or float64, of any layout. at: C-contiguous int64 from 0 on, of x's shape but along the axis. Returns a
    C-contiguous array of the shape of `at`. Raises IndexError for a position out of range.
    """
    cdef Lines s
    cdef ndarray a = ready(x), out
    describe(&s, a, axis)
    check(at, a, axis, s.n)
    cdef bint is_double = cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE
    cdef Py_ssize_t m = cnp.PyArray_DIMS(at)[axis]
    out = new_array(cnp.PyArray_NDIM(at), <Py_ssize_t*>cnp.PyArray_DIMS(at), cnp.PyArray_TYPE(a))
    with nogil:
        if s.inner == 1:
            kernels.take_last[is_double](view2(a, s.outer, s.n), view2(at, s.outer, m), view2(out, s.outer, m))
        else:
            kernels.take_lines[is_double](
                view3(a, s.outer, s.n, s.inner), view3(at, s.outer, m, s.inner), view3(out, s.outer, m, s.inner))
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
    check(at, a, axis, n)
    cdef bint is_double = cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE
    cdef Py_ssize_t m = s.n, strip, width
    if cnp.PyArray_DIMS(at)[axis] != m:
        raise ValueError(f"g of shape {(<object>a).shape} needs as many positions, not {(<object>at).shape}")
    for k in range(nd):
        dims[k] = n if k == axis else cnp.PyArray_DIMS(a)[k]
    if is_double or m < FEW:
        out = new_zeros(nd, dims, cnp.PyArray_TYPE(a))
        with nogil:
            if s.inner == 1:
                kernels.add_last[is_double](view2(a, s.outer, m), view2(at, s.outer, m), view2(out, s.outer, n))
            else:
                kernels.add_lines[is_double](
                    view3(a, s.outer, m, s.inner), view3(at, s.outer, m, s.inner), view3(out, s.outer, n, s.inner))
        return out
    out, width = new_array(nd, dims, cnp.NPY_FLOAT), min(s.inner, <Py_ssize_t>STRIP)
    strip = n * width
    sums = new_array(1, &strip, cnp.NPY_DOUBLE)
    with nogil:
        if s.inner == 1:
            kernels.add_last_wide(
                view2(a, s.outer, m), view2(at, s.outer, m), view2(out, s.outer, n), view1(sums, n))
        else:
            kernels.add_lines_wide(
                view3(a, s.outer, m, s.inner), view3(at, s.outer, m, s.inner), view3(out, s.outer, n, s.inner),
                view2(sums, n, width))
    return out


# --- the order that sorts. A float and its place make one integer of 64 bits: sorted as such, by NumPy's vectorised
# loop, equal elements keep their order.


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
        kernels.fill_keys(
            view3(a, s.outer, s.n, s.inner), view3(keys, s.outer, s.inner, s.n), 0xFFFFFFFF if descending else 0)
    keys.sort(axis=1)
    with nogil:
        kernels.read_places(view3(keys, s.outer, s.inner, s.n), view3(at, s.outer, s.n, s.inner))
    return at

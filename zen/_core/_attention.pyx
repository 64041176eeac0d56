"""Scaled dot-product attention: softmax(scale * q @ k.T + mask) @ v for every head of a batch.

Arrays have four axes (batch, heads, rows, columns), of one dtype, float32 or float64; `zen/ops/attention.py` sees to
shapes. BLAS reads and writes heads where they lie, so a head may be some columns of a wider matrix. One head's weights
are a block that stays in the cache between its passes. NumPy's loop does the exponentials.
"""

from libc.math cimport INFINITY
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._blocks cimport loop1_double, loop1_float
from zen._core._dispatch cimport kernels
from zen._core._loops cimport Loop
from zen._core._memory cimport contiguous, new_array
from zen._core._loops import find

cnp.import_array()

cdef enum:
    BLOCK = 4096     # elements of a block that are worked on at a time, in whole rows: they stay in the level 1 cache

ctypedef fused real:
    float
    double

cdef struct Heads:
    # An array of four axes: where it begins, and its strides. Bytes, and elements from row to row.
    char* data
    Py_ssize_t batch
    Py_ssize_t head
    Py_ssize_t row
    Py_ssize_t column    # of a mask only

cdef struct Attention:
    Py_ssize_t batch, heads, group, rows, keys, depth, width
    double scale, factor
    bint causal
    int typenum
    int kind             # of the mask: NONE, BOOL or FLOAT
    Heads q, k, v, out, p, mask, keep, dq, dk, dv, ds
    char* room           # a block, and the largest element of each of its rows

cdef enum:
    NONE = 0
    BOOL = 1
    FLOAT = 2

cdef Loop exp32, exp64


cdef void fill() except *:
    cdef size_t function, data
    function, data = find("exp", "f")
    exp32.function, exp32.data = <void*>function, <void*>data
    function, data = find("exp", "d")
    exp64.function, exp64.data = <void*>function, <void*>data


fill()


cdef ndarray readable(ndarray a):
    # `a` where BLAS can read its matrices in place, else a copy.
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    cdef Py_ssize_t* s = <Py_ssize_t*>cnp.PyArray_STRIDES(a)
    cdef Py_ssize_t* d = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    if (d[3] <= 1 or s[3] == item) and (d[2] <= 1 or (s[2] >= d[3] * item and s[2] % item == 0)):
        if cnp.PyArray_ISALIGNED(a):
            return a
    return contiguous(a)


cdef Heads heads_of(ndarray a) noexcept:
    cdef Heads h
    cdef Py_ssize_t* s = <Py_ssize_t*>cnp.PyArray_STRIDES(a)
    cdef Py_ssize_t* d = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    h.data = <char*>cnp.PyArray_DATA(a)
    h.batch, h.head, h.row, h.column = s[0], s[1], s[2] // cnp.PyArray_ITEMSIZE(a), s[3] // cnp.PyArray_ITEMSIZE(a)
    if d[2] <= 1:
        h.row = d[3]
    return h


cdef inline char* head(const Heads* a, Py_ssize_t n, Py_ssize_t h) noexcept nogil:
    return a.data + n * a.batch + h * a.head


cdef void restrict_scores(const Attention* t, real* a, Py_ssize_t n, Py_ssize_t h) noexcept nogil:
    # The mask, added or put in the place of scores that take no part.
    cdef Py_ssize_t i, j
    cdef const unsigned char* allowed
    cdef const real* bias
    for i in range(t.rows):
        if t.kind == BOOL:
            allowed = <const unsigned char*>head(&t.mask, n, h) + i * t.mask.row
            for j in range(t.keys):
                if not allowed[j * t.mask.column]:
                    a[i * t.keys + j] = <real>-INFINITY
        elif t.kind == FLOAT:
            bias = <const real*>head(&t.mask, n, h) + i * t.mask.row
            for j in range(t.keys):
                a[i * t.keys + j] += bias[j * t.mask.column]
        if t.causal:
            for j in range(i + 1, t.keys):
                a[i * t.keys + j] = <real>-INFINITY


cdef void softmax_rows(const Attention* t, real* a, real* largest) noexcept nogil:
    cdef Py_ssize_t first = 0, rows
    while first < t.rows:
        rows = min(max(BLOCK // t.keys, 1), t.rows - first)
        kernels.lower_rows[real is double](a, largest, rows, t.keys)
        if real is float:
            loop1_float(&exp32, a, a, rows * t.keys)
        else:
            loop1_double(&exp64, a, a, rows * t.keys)
        kernels.normalise[real is double](a, largest, rows, t.keys)
        a += rows * t.keys
        first += rows


cdef void drop(const Attention* t, const real* a, real* out, Py_ssize_t n, Py_ssize_t h) noexcept nogil:
    kernels.drop[real is double](a, <unsigned char*>head(&t.keep, n, h), t.factor, out, t.rows * t.keys)


cdef inline double alpha(const Attention* t) noexcept nogil:
    # BLAS does not read its factors where alpha is 0, so nan would be lost: `scaled` multiplies then.
    return t.scale if t.scale != 0 else 1


cdef void scaled(const Attention* t, const real* a, real* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(t.rows * t.keys):
        out[i] = a[i] * <real>t.scale


cdef void attend(const Attention* t, const real* unused) noexcept nogil:
    cdef Py_ssize_t n, h, area = t.rows * t.keys
    cdef real* a
    cdef real* weights
    cdef real* room = <real*>t.room
    for n in range(t.batch):
        for h in range(t.heads):
            a = weights = <real*>head(&t.p, n, h)
            gemm(t.typenum, False, True, t.rows, t.keys, t.depth, alpha(t), head(&t.q, n, h), t.q.row,
                 head(&t.k, n, h // t.group), t.k.row, 0, a, t.keys)
            if t.scale == 0:
                scaled(t, a, a)
            if t.kind != NONE or t.causal:
                restrict_scores(t, a, n, h)
            softmax_rows(t, a, room + area)
            if t.keep.data != NULL:
                drop(t, a, room, n, h)
                weights = room
            gemm(t.typenum, False, False, t.rows, t.width, t.keys, 1, weights, t.keys, head(&t.v, n, h // t.group),
                 t.v.row, 0, head(&t.out, n, h), t.out.row)


cdef void attend_back(const Attention* t, const real* unused) noexcept nogil:
    # `out` holds the cotangent of the result. The heads of a group add up in dk and dv.
    cdef Py_ssize_t n, h, area = t.rows * t.keys
    cdef real* p
    cdef real* d
    cdef real* weights
    cdef real* room = <real*>t.room
    cdef double beta
    for n in range(t.batch):
        for h in range(t.heads):
            p = weights = <real*>head(&t.p, n, h)
            d = room if t.ds.data == NULL else <real*>head(&t.ds, n, h)
            beta = 0 if h % t.group == 0 else 1
            if t.keep.data != NULL:
                weights = room + area
                drop(t, p, weights, n, h)
            if t.dv.data != NULL:
                gemm(t.typenum, True, False, t.keys, t.width, t.rows, 1, weights, t.keys, head(&t.out, n, h), t.out.row,
                     beta, head(&t.dv, n, h // t.group), t.dv.row)
            gemm(t.typenum, False, True, t.rows, t.keys, t.width, 1, head(&t.out, n, h), t.out.row,
                 head(&t.v, n, h // t.group), t.v.row, 0, d, t.keys)
            if t.keep.data != NULL:
                drop(t, d, d, n, h)
            kernels.softmax_back[real is double](p, d, t.rows, t.keys)
            if t.scale == 0:  # d may be `ds`, which stays as it is
                scaled(t, d, room)
                d = room
            if t.dq.data != NULL:
                gemm(t.typenum, False, False, t.rows, t.depth, t.keys, alpha(t), d, t.keys, head(&t.k, n, h // t.group),
                     t.k.row, 0, head(&t.dq, n, h), t.dq.row)
            if t.dk.data != NULL:
                gemm(t.typenum, True, False, t.keys, t.depth, t.rows, alpha(t), d, t.keys, head(&t.q, n, h), t.q.row,
                     beta, head(&t.dk, n, h // t.group), t.dk.row)


ctypedef void (*work_t)(const Attention*, const void*) noexcept nogil


cdef void run(const Attention* t, void* single, void* double_) noexcept:
    # Products of small heads run on one thread: a global setting, which the GIL guards.
    cdef work_t work = <work_t>(single if t.typenum == cnp.NPY_FLOAT else double_)
    cdef double one = <double>t.rows * t.keys * max(t.depth, t.width)
    cdef int before = one_thread() if is_small(one) else 1
    if is_small(one * t.batch * t.heads):
        work(t, NULL)
    else:
        with nogil:
            work(t, NULL)
    restore_threads(before)


cdef Attention attention(ndarray q, ndarray k, ndarray v, double scale, object keep, double factor):
    cdef Attention t
    cdef Py_ssize_t* rows = <Py_ssize_t*>cnp.PyArray_DIMS(q)
    t.batch, t.heads, t.rows, t.depth = rows[0], rows[1], rows[2], rows[3]
    t.group = t.heads // max(cnp.PyArray_DIMS(k)[1], 1)
    t.keys, t.width, t.typenum = cnp.PyArray_DIMS(k)[2], cnp.PyArray_DIMS(v)[3], cnp.PyArray_TYPE(q)
    t.scale, t.factor, t.causal, t.kind = scale, factor, False, NONE
    t.q, t.k, t.v = heads_of(q), heads_of(k), heads_of(v)
    t.keep = optional(keep)
    return t


cdef Heads optional(object a):
    cdef Heads none
    if a is not None:
        return heads_of(<ndarray>a)
    none.data = NULL
    none.batch = none.head = none.row = none.column = 0
    return none


cdef ndarray block(const Attention* t, int count):
    # `count` blocks of weights, and a number for each row.
    cdef Py_ssize_t n = count * t.rows * t.keys + t.rows
    return new_array(1, &n, t.typenum)


def empty(shape, dtype):
    """An uninitialised array, float32 or float64, from the memory that is kept for results."""
    cdef Py_ssize_t dims[32]
    cdef int k, nd = len(shape)
    for k in range(nd):
        dims[k] = shape[k]
    return new_array(nd, dims, cnp.NPY_FLOAT if dtype == np.float32 else cnp.NPY_DOUBLE)


def attention_forward(
    ndarray q, ndarray k, ndarray v, mask, keep, double scale, double factor, bint causal, ndarray out, bint kept
):
    """Writes the result to `out`; returns the weights (batch, heads, rows, keys), or None unless they are to be kept.

    mask: None, or bool or floating array of the weights' shape, of any strides. keep: None, or C-contiguous bools that
    say which weights dropout keeps, times `factor`. The rows of `out` must be contiguous.
    """
    q, k, v = readable(q), readable(k), readable(v)
    cdef Attention t = attention(q, k, v, scale, keep, factor)
    cdef Py_ssize_t dims[4]
    cdef ndarray room, weights
    dims[0], dims[1], dims[2], dims[3] = t.batch if kept else 1, t.heads if kept else 1, t.rows, t.keys
    weights, room = new_array(4, dims, t.typenum), block(&t, 1)
    t.p, t.out, t.ds, t.mask, t.causal = heads_of(weights), heads_of(out), optional(None), optional(mask), causal
    if not kept:
        t.p.batch = t.p.head = 0
    if mask is not None:
        t.kind = BOOL if cnp.PyArray_TYPE(<ndarray>mask) == cnp.NPY_BOOL else FLOAT
    t.room = <char*>cnp.PyArray_DATA(room)
    run(&t, <void*>&attend[float], <void*>&attend[double])
    return weights if kept else None


def attention_backward(
    ndarray g, ndarray q, ndarray k, ndarray v, ndarray weights, keep, double scale, double factor, dq, dk, dv, ds
):
    """Writes the gradients to dq, dk, dv and ds (of the scores, mask included), where these are not None.

    Their rows must be contiguous, and `ds` altogether.
    """
    g, q, k, v = readable(g), readable(q), readable(k), readable(v)
    cdef Attention t = attention(q, k, v, scale, keep, factor)
    cdef ndarray room = block(&t, 1 if keep is None else 2)
    t.out, t.p, t.ds = heads_of(g), heads_of(weights), optional(ds)
    t.dq, t.dk, t.dv = optional(dq), optional(dk), optional(dv)
    t.mask, t.room = optional(None), <char*>cnp.PyArray_DATA(room)
    run(&t, <void*>&attend_back[float], <void*>&attend_back[double])

"""Scaled dot-product attention: softmax(scale * q @ k.T + mask) @ v for every head of a batch.

Arrays have four axes (batch, heads, rows, columns), of one dtype, float32 or float64; `zen/ops/attention.py` sees to
shapes. BLAS reads and writes heads where they lie, so a head may be some columns of a wider matrix: a plan (see
_plan.pxd) is made for the strides as well. One head's weights are a block that stays in the cache between its passes.
NumPy's loop does the exponentials.
"""

from libc.math cimport INFINITY
from libc.string cimport memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._blocks cimport loop1_double, loop1_float
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._loops cimport Loop
from zen._core._memory cimport contiguous, new_array
from zen._core._plan cimport Plan, execute_t, reserve, run, start
from zen._core._views cimport View, buffer1, buffer2, check_views, matrix_at
from zen._core._loops import find

cnp.import_array()
check_views()

cdef enum:
    BLOCK = 4096     # elements of a block that are worked on at a time, in whole rows: they stay in the level 1 cache

cdef enum:           # the buffers; forward has the first seven
    Q = 0
    K = 1
    V = 2
    OUT = 3          # the result; backward its cotangent
    P = 4            # the weights; NULL if forward need not keep them
    MASK = 5         # may be NULL, as those below
    KEEP = 6
    DQ = 7
    DK = 8
    DV = 9
    DS = 10
    BUFFERS = 11

cdef enum:           # kinds of masks
    NONE = 0
    BOOL = 1
    FLOAT = 2

ctypedef fused real:
    float
    double

cdef struct Heads:
    # How an array lies: from one batch and head to the next in bytes, from row to row in elements.
    Py_ssize_t batch
    Py_ssize_t head
    Py_ssize_t row
    Py_ssize_t column    # of a mask only

cdef struct Attention:
    Plan plan
    Py_ssize_t batch, heads, group, rows, keys, depth, width
    double scale, factor
    bint causal
    bint small           # products on one thread
    int kind             # of the mask
    Heads at[BUFFERS]
    # In the workspace: a head's weights, these after dropout, scores or their cotangents, the largest of each row.
    Py_ssize_t weights, dropped, scores, largest

cdef Loop exp32, exp64


cdef void fill() except *:
    cdef size_t function, data
    function, data = find("exp", "f")
    exp32.function, exp32.data = <void*>function, <void*>data
    function, data = find("exp", "d")
    exp64.function, exp64.data = <void*>function, <void*>data


fill()


include "_attention_scores.pxi"


# --- execution


cdef inline real* head(const Attention* t, real** p, int which, Py_ssize_t n, Py_ssize_t h) noexcept nogil:
    return <real*>(<char*>p[which] + n * t.at[which].batch + h * t.at[which].head)


cdef void restrict_scores(const Attention* t, real** p, real* a, Py_ssize_t n, Py_ssize_t h) noexcept nogil:
    # The mask, added or put in the place of scores that take no part.
    cdef const Heads* at = &t.at[MASK]
    cdef Py_ssize_t item = 1 if t.kind == BOOL else sizeof(real)
    cdef View scores = buffer2(a, sizeof(real), t.rows, t.keys)
    cdef View mask = matrix_at(<char*>head(t, p, MASK, n, h), t.rows, t.keys, at.row * item, at.column * item)
    if t.kind == BOOL:
        ALLOW[real is double](mask, scores)
    elif t.kind == FLOAT:
        ADD_BIAS[real is double](mask, scores)
    if t.causal:
        HIDE_LATER[real is double](scores)


cdef void softmax_rows(const Attention* t, real* a, real* largest) noexcept nogil:
    cdef Py_ssize_t first = 0, rows
    while first < t.rows:
        rows = min(max(BLOCK // max(t.keys, 1), 1), t.rows - first)
        kernels.lower_rows[real is double](
            buffer2(a, sizeof(real), rows, t.keys), buffer1(largest, sizeof(real), rows))
        if real is float:
            loop1_float(&exp32, a, a, rows * t.keys)
        else:
            loop1_double(&exp64, a, a, rows * t.keys)
        kernels.normalise[real is double](
            buffer2(a, sizeof(real), rows, t.keys), buffer1(largest, sizeof(real), rows))
        a += rows * t.keys
        first += rows


cdef void drop(const Attention* t, real** p, const real* a, real* out, Py_ssize_t n, Py_ssize_t h) noexcept nogil:
    cdef Py_ssize_t size = t.rows * t.keys
    kernels.drop[real is double](
        buffer1(a, sizeof(real), size), buffer1(head(t, p, KEEP, n, h), 1, size), t.factor,
        buffer1(out, sizeof(real), size))


cdef inline double alpha(const Attention* t) noexcept nogil:
    # BLAS does not read its factors where alpha is 0, so nan would be lost: `scaled` multiplies then.
    return t.scale if t.scale != 0 else 1


cdef void scaled(const Attention* t, const real* a, real* out) noexcept nogil:
    cdef Py_ssize_t size = t.rows * t.keys
    SCALE_SCORES[real is double](buffer1(a, sizeof(real), size), t.scale, buffer1(out, sizeof(real), size))


cdef void attend(const Attention* t, real** p, char* workspace) noexcept nogil:
    cdef Py_ssize_t n, h
    cdef real* a = <real*>(workspace + t.weights)
    cdef real* dropped = <real*>(workspace + t.dropped)
    cdef real* weights
    for n in range(t.batch):
        for h in range(t.heads):
            if p[P] != NULL:
                a = head(t, p, P, n, h)
            gemm(t.plan.typenum, False, True, t.rows, t.keys, t.depth, alpha(t), head(t, p, Q, n, h), t.at[Q].row,
                 head(t, p, K, n, h // t.group), t.at[K].row, 0, a, t.keys)
            if t.scale == 0:
                scaled(t, a, a)
            if t.kind != NONE or t.causal:
                restrict_scores(t, p, a, n, h)
            softmax_rows(t, a, <real*>(workspace + t.largest))
            weights = a
            if p[KEEP] != NULL:
                drop(t, p, a, dropped, n, h)
                weights = dropped
            gemm(t.plan.typenum, False, False, t.rows, t.width, t.keys, 1, weights, t.keys,
                 head(t, p, V, n, h // t.group), t.at[V].row, 0, head(t, p, OUT, n, h), t.at[OUT].row)


cdef void attend_back(const Attention* t, real** p, char* workspace) noexcept nogil:
    # The heads of a group add up in dk and dv.
    cdef Py_ssize_t n, h
    cdef real* a
    cdef real* d
    cdef real* g
    cdef real* weights
    cdef real* scores = <real*>(workspace + t.scores)
    cdef double beta
    cdef int typenum = t.plan.typenum
    for n in range(t.batch):
        for h in range(t.heads):
            a = weights = head(t, p, P, n, h)
            g = head(t, p, OUT, n, h)
            d = scores if p[DS] == NULL else head(t, p, DS, n, h)
            beta = 0 if h % t.group == 0 else 1
            if p[KEEP] != NULL:
                weights = <real*>(workspace + t.dropped)
                drop(t, p, a, weights, n, h)
            if p[DV] != NULL:
                gemm(typenum, True, False, t.keys, t.width, t.rows, 1, weights, t.keys, g, t.at[OUT].row, beta,
                     head(t, p, DV, n, h // t.group), t.at[DV].row)
            gemm(typenum, False, True, t.rows, t.keys, t.width, 1, g, t.at[OUT].row, head(t, p, V, n, h // t.group),
                 t.at[V].row, 0, d, t.keys)
            if p[KEEP] != NULL:
                drop(t, p, d, d, n, h)
            kernels.softmax_back[real is double](
                buffer2(a, sizeof(real), t.rows, t.keys), buffer2(d, sizeof(real), t.rows, t.keys))
            if t.scale == 0:  # d may be `ds`, which stays as it is
                scaled(t, d, scores)
                d = scores
            if p[DQ] != NULL:
                gemm(typenum, False, False, t.rows, t.depth, t.keys, alpha(t), d, t.keys,
                     head(t, p, K, n, h // t.group), t.at[K].row, 0, head(t, p, DQ, n, h), t.at[DQ].row)
            if p[DK] != NULL:
                gemm(typenum, True, False, t.keys, t.depth, t.rows, alpha(t), d, t.keys, head(t, p, Q, n, h),
                     t.at[Q].row, beta, head(t, p, DK, n, h // t.group), t.at[DK].row)


cdef void execute_forward(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Attention* t = <const Attention*>plan
    cdef int before = one_thread() if t.small else 1
    if plan.typenum == cnp.NPY_FLOAT:
        attend(t, <float**>buffers, workspace)
    else:
        attend(t, <double**>buffers, workspace)
    restore_threads(before)


cdef void execute_backward(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Attention* t = <const Attention*>plan
    cdef int before = one_thread() if t.small else 1
    if plan.typenum == cnp.NPY_FLOAT:
        attend_back(t, <float**>buffers, workspace)
    else:
        attend_back(t, <double**>buffers, workspace)
    restore_threads(before)


# --- the plan


cdef ndarray readable(ndarray a):
    # `a` where BLAS can read its matrices in place, else a copy.
    if cnp.PyArray_NDIM(a) != 4 or not has_kernels(cnp.PyArray_TYPE(a)):
        raise ValueError("attention: expected arrays of four axes, float32 or float64")
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    cdef Py_ssize_t* s = <Py_ssize_t*>cnp.PyArray_STRIDES(a)
    cdef Py_ssize_t* d = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    if (d[3] <= 1 or s[3] == item) and (d[2] <= 1 or (s[2] >= d[3] * item and s[2] % item == 0)):
        if cnp.PyArray_ISALIGNED(a):
            return a
    return contiguous(a)


cdef ndarray whole_strides(ndarray mask):
    # A mask that can be read as it lies, or a copy that can.
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(mask)
    cdef int k
    if cnp.PyArray_TYPE(mask) == cnp.NPY_BOOL:
        return mask
    if not has_kernels(cnp.PyArray_TYPE(mask)):
        raise ValueError(f"attention: a mask of bools, float32 or float64 is expected, not {(<object>mask).dtype}")
    for k in range(cnp.PyArray_NDIM(mask)):
        if cnp.PyArray_STRIDES(mask)[k] % item:
            return contiguous(mask)
    return mask if cnp.PyArray_ISBEHAVED_RO(mask) else contiguous(mask)


cdef int lay(Attention* t, void** p, int which, ndarray a, Py_ssize_t heads, Py_ssize_t rows, Py_ssize_t columns,
             int typenum) except -1:
    """Where and how a buffer lies. It must have this dtype and the shape (batch, heads, rows, columns)."""
    cdef Heads* to = &t.at[which]
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    cdef Py_ssize_t* s = <Py_ssize_t*>cnp.PyArray_STRIDES(a)
    cdef Py_ssize_t* d = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    if (cnp.PyArray_NDIM(a) != 4 or d[0] != t.batch or d[1] != heads or d[2] != rows or d[3] != columns
            or cnp.PyArray_TYPE(a) != typenum or not cnp.PyArray_ISBEHAVED_RO(a)):
        raise ValueError(
            f"attention: expected {(t.batch, heads, rows, columns)}, of the queries' dtype or bools, not "
            f"{(<object>a).shape} {(<object>a).dtype}")
    p[which] = cnp.PyArray_DATA(a)
    to.batch, to.head, to.row, to.column = s[0], s[1], s[2] // item, s[3] // item
    if rows <= 1:
        to.row = columns
    return 0


cdef int lay_written(Attention* t, void** p, int which, object a, Py_ssize_t heads, Py_ssize_t rows,
                     Py_ssize_t columns) except -1:
    """The same for what is written, unless it is None: its rows are contiguous."""
    if a is None:
        return 0
    lay(t, p, which, <ndarray?>a, heads, rows, columns, t.plan.typenum)
    if readable(<ndarray>a) is not a or not cnp.PyArray_ISWRITEABLE(<ndarray>a):
        raise ValueError("attention: the rows of what is written must be contiguous and writeable")
    return 0


cdef int lay_block(Attention* t, void** p, int which, object a, int typenum) except -1:
    """The same for a C-contiguous array of the weights' shape, unless it is None."""
    if a is None:
        return 0
    lay(t, p, which, <ndarray?>a, t.heads, t.rows, t.keys, typenum)
    if not cnp.PyArray_IS_C_CONTIGUOUS(<ndarray>a):
        raise ValueError("attention: weights, and what has their shape, must be C-contiguous")
    return 0


cdef int lay_mask(Attention* t, void** p, ndarray mask) except -1:
    cdef int typenum = cnp.PyArray_TYPE(mask)
    t.kind = BOOL if typenum == cnp.NPY_BOOL else FLOAT
    return lay(t, p, MASK, mask, t.heads, t.rows, t.keys, typenum if t.kind == BOOL else t.plan.typenum)


cdef int plan_attention(
    Attention* t, void** p, execute_t execute, ndarray q, ndarray k, ndarray v, object keep, double scale,
    double factor,
) except -1:
    """All but the workspace, and the buffers that both directions read; the others are NULL."""
    cdef Py_ssize_t* rows = <Py_ssize_t*>cnp.PyArray_DIMS(q)
    cdef Py_ssize_t heads
    cdef int typenum = cnp.PyArray_TYPE(q)
    cdef double one
    memset(p, 0, BUFFERS * sizeof(void*))
    memset(t.at, 0, sizeof(t.at))
    t.batch, t.heads, t.rows, t.depth = rows[0], rows[1], rows[2], rows[3]
    heads, t.keys, t.width = cnp.PyArray_DIMS(k)[1], cnp.PyArray_DIMS(k)[2], cnp.PyArray_DIMS(v)[3]
    t.group = t.heads // max(heads, 1)
    if t.heads != t.group * heads:
        raise ValueError(f"attention: {t.heads} heads of queries do not fit {heads} of keys")
    one = <double>t.rows * t.keys * max(t.depth, t.width)
    t.scale, t.factor, t.causal, t.kind, t.small = scale, factor, False, NONE, is_small(one)
    start(&t.plan, execute, typenum, is_small(one * t.batch * t.heads))
    lay(t, p, Q, q, t.heads, t.rows, t.depth, typenum)
    lay(t, p, K, k, heads, t.keys, t.depth, typenum)
    lay(t, p, V, v, heads, t.keys, t.width, typenum)
    lay_block(t, p, KEEP, keep, cnp.NPY_BOOL)
    t.dropped = reserve(&t.plan, t.rows, t.keys) if keep is not None else 0
    return 0


# --- what Python calls


def attention_forward(
    ndarray q not None, ndarray k not None, ndarray v not None, mask, keep, double scale, double factor, bint causal,
    ndarray out not None, bint kept,
):
    """Writes the result to `out`; returns the weights (batch, heads, rows, keys), or None unless they are to be kept.

    mask: None, or bool or floating array of the weights' shape, of any strides. keep: None, or C-contiguous bools that
    say which weights dropout keeps, times `factor`. The rows of `out` must be contiguous.
    """
    cdef Attention t
    cdef void* p[BUFFERS]
    cdef Py_ssize_t dims[4]
    cdef ndarray weights = None
    q, k, v = readable(q), readable(k), readable(v)
    plan_attention(&t, p, execute_forward, q, k, v, keep, scale, factor)
    lay_written(&t, p, OUT, out, t.heads, t.rows, t.width)
    t.causal = causal
    if mask is not None:
        mask = whole_strides(mask)
        lay_mask(&t, p, mask)
    t.largest = reserve(&t.plan, t.rows, 1)
    if kept:
        dims[0], dims[1], dims[2], dims[3] = t.batch, t.heads, t.rows, t.keys
        weights = new_array(4, dims, t.plan.typenum)
        lay_block(&t, p, P, weights, t.plan.typenum)
        t.weights = 0
    else:
        t.weights = reserve(&t.plan, t.rows, t.keys)
    run(&t.plan, p)
    return weights


def attention_backward(
    ndarray g not None, ndarray q not None, ndarray k not None, ndarray v not None, ndarray weights not None, keep,
    double scale, double factor, dq, dk, dv, ds,
):
    """Writes the gradients to dq, dk, dv and ds (of the scores, mask included), where these are not None.

    Their rows must be contiguous, and `ds` altogether.
    """
    cdef Attention t
    cdef void* p[BUFFERS]
    g, q, k, v = readable(g), readable(q), readable(k), readable(v)
    plan_attention(&t, p, execute_backward, q, k, v, keep, scale, factor)
    lay(&t, p, OUT, g, t.heads, t.rows, t.width, t.plan.typenum)
    lay_block(&t, p, P, weights, t.plan.typenum)
    lay_written(&t, p, DQ, dq, t.heads, t.rows, t.depth)
    lay_written(&t, p, DK, dk, t.heads // max(t.group, 1), t.keys, t.depth)
    lay_written(&t, p, DV, dv, t.heads // max(t.group, 1), t.keys, t.width)
    lay_block(&t, p, DS, ds, t.plan.typenum)
    t.scores = reserve(&t.plan, t.rows, t.keys) if ds is None or scale == 0 else 0
    run(&t.plan, p)

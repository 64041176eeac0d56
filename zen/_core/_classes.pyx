"""Softmax and cross entropy over the last axis of arrays: what calls the kernels of `_kernels_lines.pxi`.

Called by _record and _engine, which checked dtypes and shapes. Arrays are C-contiguous, all of float or all of double.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._memory cimport new_array
from zen._core._kernels cimport (
    CHUNK, Targets, cross_entropy_t, cross_entropy_vjp_t, logsumexp_t, logsumexp_vjp_t, softmax_t, softmax_vjp_t,
)
from zen._core._views cimport view1, view2

cnp.import_array()


cdef inline Py_ssize_t width_of(ndarray a) noexcept:
    return cnp.PyArray_DIMS(a)[cnp.PyArray_NDIM(a) - 1]


cdef inline Py_ssize_t rows_of(ndarray a) noexcept:
    cdef Py_ssize_t rows = 1
    cdef int k
    for k in range(cnp.PyArray_NDIM(a) - 1):
        rows *= cnp.PyArray_DIMS(a)[k]
    return rows


cdef inline int is_double(ndarray a) noexcept:
    return cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE


cdef inline Py_ssize_t room_of(Py_ssize_t n) noexcept nogil:
    return max(n, <Py_ssize_t>CHUNK)


cdef ndarray working_row(ndarray x):
    cdef Py_ssize_t size = room_of(width_of(x))
    return new_array(1, &size, cnp.PyArray_TYPE(x))


cdef void softmax_into(ndarray out, ndarray x, bint logarithm):
    """out = softmax(x), or its logarithm."""
    cdef Py_ssize_t rows = rows_of(x), n = width_of(x)
    cdef ndarray work = working_row(x) if logarithm else None
    cdef softmax_t kernel = kernels.log_softmax[is_double(x)] if logarithm else kernels.softmax[is_double(x)]
    if rows > 0 and n > 0:
        with nogil:
            kernel(view2(x, rows, n), view2(out, rows, n), view1(work, room_of(n)))


cdef void softmax_vjp_into(ndarray out, ndarray g, ndarray y, bint logarithm, bint accumulate):
    """The gradient of softmax, or of its logarithm, from the result y; written or added."""
    cdef Py_ssize_t rows = rows_of(y), n = width_of(y)
    cdef ndarray work = working_row(y) if logarithm else None
    cdef softmax_vjp_t kernel = kernels.softmax_vjp[is_double(y)]
    if n > 0:
        with nogil:
            kernel(
                view2(g, rows, n), view2(y, rows, n), view2(out, rows, n), view1(work, room_of(n)), logarithm,
                accumulate)


cdef bint logsumexp_into(ndarray out, ndarray x):
    """out = log(sum(exp(x))) over the last axis. False, and nothing to be used, where a result is not finite."""
    cdef Py_ssize_t rows = rows_of(x), n = width_of(x)
    cdef ndarray work = working_row(x)
    cdef logsumexp_t kernel = kernels.logsumexp[is_double(x)]
    cdef bint finite
    with nogil:
        finite = kernel(view2(x, rows, n), view1(out, rows), view1(work, room_of(n)))
    return finite


cdef void logsumexp_vjp_into(ndarray out, ndarray x, ndarray y, ndarray g, bint accumulate):
    """The gradient of logsumexp from x and the result y; written or added."""
    cdef Py_ssize_t rows = rows_of(x), n = width_of(x)
    cdef ndarray work = working_row(x)
    cdef logsumexp_vjp_t kernel = kernels.logsumexp_vjp[is_double(x)]
    with nogil:
        kernel(
            view2(x, rows, n), view1(y, rows), view1(g, rows), view2(out, rows, n), view1(work, room_of(n)),
            accumulate)


cdef Py_ssize_t cross_entropy_into(
    ndarray x, ndarray p, ndarray losses, const Targets* t, double* total, double* weight,
) except -2:
    """The losses (unless `losses` is None), their sum, and the sum of the weights of the samples that count.

    p: gets softmax(x) for the gradient, or None. Returns the first sample whose class is out of range, else -1.
    """
    cdef Py_ssize_t rows = rows_of(x), n = width_of(x), bad
    cdef ndarray work = working_row(x) if p is None else p
    cdef Py_ssize_t advance = p is not None
    cdef void* pl = NULL if losses is None else cnp.PyArray_DATA(losses)
    cdef void* px = cnp.PyArray_DATA(x)
    cdef void* pw = cnp.PyArray_DATA(work)
    cdef cross_entropy_t kernel = kernels.cross_entropy[is_double(x)]
    total[0] = weight[0] = 0
    if rows == 0 or n == 0:
        return -1 if rows == 0 else 0
    with nogil:
        bad = kernel(px, pw, advance, pl, rows, n, t, total, weight)
    return bad


cdef void cross_entropy_vjp_into(
    ndarray out, ndarray p, const Targets* t, ndarray g, double share, bint accumulate,
):
    """The gradient in the logits, written or added. g: the cotangent of each loss; None where `share` says it all."""
    cdef Py_ssize_t rows = rows_of(p), n = width_of(p)
    cdef void* po = cnp.PyArray_DATA(out)
    cdef void* pp = cnp.PyArray_DATA(p)
    cdef void* pg = NULL if g is None else cnp.PyArray_DATA(g)
    cdef cross_entropy_vjp_t kernel = kernels.cross_entropy_vjp[is_double(p)]
    if n > 0:
        with nogil:
            kernel(pp, po, rows, n, t, pg, share, accumulate)

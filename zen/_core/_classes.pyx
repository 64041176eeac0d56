"""Softmax and cross entropy over the last axis of arrays: what calls the kernels of `_kernels_lines.pxi`.

Called by _record and _engine, which checked dtypes and shapes. Arrays are C-contiguous, all of float or all of double.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._memory cimport new_array
from zen._core._kernels cimport CHUNK, Targets, logsumexp_t, logsumexp_vjp_t, softmax_t, softmax_vjp_t
from zen._core._views cimport View, buffer1, view1, view2

cnp.import_array()

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it for cross entropy


cdef inline Py_ssize_t width_of(ndarray a) noexcept:
    return cnp.PyArray_DIMS(a)[cnp.PyArray_NDIM(a) - 1]


cdef inline Py_ssize_t rows_of(ndarray a) noexcept:
    cdef Py_ssize_t rows = 1
    cdef int k
    for k in range(cnp.PyArray_NDIM(a) - 1):
        rows *= cnp.PyArray_DIMS(a)[k]
    return rows


cdef inline int is_double(ndarray a) noexcept nogil:
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
    total[0] = weight[0] = 0
    if rows == 0 or n == 0:
        return -1 if rows == 0 else 0
    if rows * n < WORTH:
        return cross_entropy(x, work, p is not None, losses, rows, n, t, total, weight)
    with nogil:
        bad = cross_entropy(x, work, p is not None, losses, rows, n, t, total, weight)
    return bad


cdef inline Py_ssize_t cross_entropy(
    ndarray x, ndarray p, bint kept, ndarray losses, Py_ssize_t rows, Py_ssize_t n, const Targets* t, double* total,
    double* weight,
) noexcept nogil:
    return kernels.cross_entropy[is_double(x)](
        view2(x, rows, n), view2(p, rows if kept else max(<Py_ssize_t>CHUNK // n, 1), n), kept, view1(losses, rows),
        classes_of(t, rows), weights_of(t, x, n), t, total, weight)


cdef inline View classes_of(const Targets* t, Py_ssize_t rows) noexcept nogil:
    return buffer1(t.classes, sizeof(long long), rows)


cdef inline View weights_of(const Targets* t, ndarray x, Py_ssize_t n) noexcept nogil:
    return buffer1(t.weights, cnp.PyArray_ITEMSIZE(x), n)


cdef void cross_entropy_vjp_into(
    ndarray out, ndarray p, const Targets* t, ndarray g, double share, bint accumulate,
):
    """The gradient in the logits, written or added. g: the cotangent of each loss; None where `share` says it all."""
    cdef Py_ssize_t rows = rows_of(p), n = width_of(p)
    if n > 0 and rows * n < WORTH:
        cross_entropy_vjp(out, p, t, g, rows, n, share, accumulate)
    elif n > 0:
        with nogil:
            cross_entropy_vjp(out, p, t, g, rows, n, share, accumulate)


cdef inline void cross_entropy_vjp(
    ndarray out, ndarray p, const Targets* t, ndarray g, Py_ssize_t rows, Py_ssize_t n, double share, bint accumulate,
) noexcept nogil:
    kernels.cross_entropy_vjp[is_double(p)](
        view2(p, rows, n), view2(out, rows, n), classes_of(t, rows), weights_of(t, p, n), t, view1(g, rows), share,
        accumulate)

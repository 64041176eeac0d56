from numpy cimport ndarray
from zen._core._kernels cimport Targets

cdef int softmax_into(ndarray out, ndarray x, bint logarithm) except -1
cdef int softmax_vjp_into(ndarray out, ndarray g, ndarray y, bint logarithm, bint accumulate) except -1
cdef int log_softmax_tangent_into(ndarray out, ndarray t, ndarray y) except -1
cdef Py_ssize_t cross_entropy_into(
    ndarray x, ndarray p, ndarray losses, ndarray classes, ndarray weights, const Targets* t, double* total,
    double* weight) except -2
cdef int cross_entropy_vjp_into(
    ndarray out, ndarray p, ndarray classes, ndarray weights, const Targets* t, ndarray g, double share,
    bint accumulate) except -1
cdef bint logsumexp_into(ndarray out, ndarray x) except -1
cdef int logsumexp_vjp_into(ndarray out, ndarray x, ndarray y, ndarray g, bint accumulate) except -1

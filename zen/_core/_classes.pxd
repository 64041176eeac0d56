from numpy cimport ndarray
from zen._core._kernels cimport Targets

cdef void softmax_into(ndarray out, ndarray x, bint logarithm)
cdef void softmax_vjp_into(ndarray out, ndarray g, ndarray y, bint logarithm, bint accumulate)
cdef Py_ssize_t cross_entropy_into(
    ndarray x, ndarray p, ndarray losses, const Targets* t, double* total, double* weight) except -2
cdef void cross_entropy_vjp_into(
    ndarray out, ndarray p, const Targets* t, ndarray g, double share, bint accumulate)
cdef bint logsumexp_into(ndarray out, ndarray x)
cdef void logsumexp_vjp_into(ndarray out, ndarray x, ndarray y, ndarray g, bint accumulate)

from numpy cimport ndarray

cdef struct Lines:
    Py_ssize_t outer, n, inner

cdef int describe(Lines* s, ndarray a, int axis) except -1
cdef ndarray ready(ndarray a)

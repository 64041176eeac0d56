cimport numpy as cnp
from numpy cimport ndarray

cdef ndarray class_numbers(object x)
cdef ndarray as_rows(ndarray a)
cdef bint gather(ndarray out, ndarray table, ndarray rows) except -1
cdef bint in_range(const long long* at, Py_ssize_t count, long long height, const long long* besides) noexcept nogil
cdef int scatter_add(ndarray out, ndarray rows, ndarray g, long long skipped) except -1
cdef void fill_rows(ndarray out, ndarray row)
cdef void column_sums(ndarray out, ndarray g, bint accumulate)


cdef inline Py_ssize_t width_of(ndarray a) noexcept:
    return cnp.PyArray_DIMS(a)[cnp.PyArray_NDIM(a) - 1]

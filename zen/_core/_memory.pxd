from cpython.object cimport PyObject
from numpy cimport ndarray

cdef class Buffer:
    cdef void* data
    cdef size_t nbytes
    cdef object __weakref__

cdef ndarray new_array(int nd, const Py_ssize_t* dims, int typenum)
cdef ndarray new_ordered(int nd, const Py_ssize_t* dims, int typenum, const int* order)
cdef ndarray new_zeros(int nd, const Py_ssize_t* dims, int typenum)
cdef ndarray number(double value, int typenum)
cdef ndarray contiguous(ndarray a)
cdef bint is_exclusive(PyObject* a) noexcept
cdef bint is_constant(ndarray a) noexcept
cdef bint same_shape(ndarray a, ndarray b) noexcept

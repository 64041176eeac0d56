from numpy cimport ndarray

cdef ndarray matmul2d(ndarray a, ndarray b)
cdef int gemm_into(ndarray out, ndarray a, bint flip_a, ndarray b, bint flip_b, bint accumulate) except -1
cdef bint is_matrix(ndarray a) noexcept

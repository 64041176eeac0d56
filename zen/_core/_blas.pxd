from numpy cimport ndarray

cdef ndarray layout(ndarray a, bint* turned, Py_ssize_t* ld)
cdef ndarray matmul2d(ndarray a, ndarray b)
cdef int gemm_into(ndarray out, ndarray a, bint flip_a, ndarray b, bint flip_b, bint accumulate) except -1
cdef bint is_matrix(ndarray a) noexcept
cdef void gemm(
    int typenum, bint flip_a, bint flip_b, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const void* a,
    Py_ssize_t lda, const void* b, Py_ssize_t ldb, double beta, void* out, Py_ssize_t ldo) noexcept nogil
cdef bint has_gemm() noexcept
cdef bint is_small(double multiplications) noexcept nogil
cdef int one_thread() noexcept nogil
cdef void restore_threads(int before) noexcept nogil

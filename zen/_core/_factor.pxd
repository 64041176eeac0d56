from numpy cimport ndarray

cdef bint can_factor() noexcept
cdef bint lu_factor(ndarray a, ndarray pivots)
cdef void lu_solve(ndarray lu, ndarray pivots, ndarray b, bint transposed)
cdef void lu_inverse(ndarray lu, ndarray pivots, ndarray out)
cdef void lu_determinant(ndarray lu, ndarray pivots, void* signs, void* logarithms)
cdef bint cholesky_factor(ndarray x, ndarray out)
cdef void cholesky_pull_back(ndarray l, ndarray g, ndarray out)
cdef void solve_pull_back(ndarray out, ndarray g, ndarray y, bint accumulate)
cdef void inverse_pull_back(ndarray out, ndarray y, ndarray g, bint accumulate)
cdef void add_turned(ndarray out, ndarray x, ndarray g, bint accumulate)
cdef void cholesky_tangent(ndarray l, ndarray g, ndarray out)
cdef void solve_push(ndarray out, ndarray a, ndarray y)

"""LU and Cholesky factors of stacks of matrices, and what is solved, inverted and differentiated with them.

Called by _operations, which checked dtypes and shapes, and for the determinant by zen/ops/linalg.py. Arrays are
C-contiguous, all of float or all of double. A factorisation halves the matrix until a corner is small enough for the
kernels of `_kernels_factors.pxi`, so that nearly all of its multiplications are products, which the BLAS or tiles do at
full speed: S. Toledo, "Locality of reference in LU decomposition with partial pivoting", 1997. Times beside LAPACK's
stand in benchmarks/README.md.

Only matrices that are far from singular are factored here. Where a pivot is lost in the rounding errors of the others,
or not finite, the functions say so and the caller leaves the matrix to NumPy, whose answer or error then is the result.
"""

from libc.float cimport DBL_EPSILON, DBL_MIN, FLT_EPSILON, FLT_MIN
from libc.math cimport fabs, log
from libc.string cimport memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._blas cimport gemm, has_gemm, is_small, one_thread, restore_threads
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._kernels cimport PANEL_WIDTH, TRIANGLE
from zen._core._memory cimport contiguous, new_array, same_shape
from zen._core._views cimport matrix_at

cnp.import_array()

ctypedef fused real:
    float
    double

cdef enum:
    DOUBTFUL = 16        # epsilons of the largest pivot, within which a pivot may be nothing but rounding errors
    BAND = 128           # rows of a product of which only a triangle is wanted


cdef bint can_factor() noexcept:
    """Whether there is a BLAS to call: without one NumPy's own functions are faster."""
    return has_gemm()


cdef inline void multiply(
    double alpha, const real* a, Py_ssize_t lda, bint flip_a, const real* b, Py_ssize_t ldb, bint flip_b, double beta,
    real* out, Py_ssize_t ldo, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k,
) noexcept nogil:
    if real is float:
        gemm(cnp.NPY_FLOAT, flip_a, flip_b, m, n, k, alpha, a, lda, b, ldb, beta, out, ldo)
    else:
        gemm(cnp.NPY_DOUBLE, flip_a, flip_b, m, n, k, alpha, a, lda, b, ldb, beta, out, ldo)


cdef inline Py_ssize_t split(Py_ssize_t n, Py_ssize_t unit) noexcept nogil:
    # About half of n > unit, a multiple of unit.
    return (n // 2 + unit - 1) // unit * unit


include "_factor_lu.pxi"
include "_factor_cholesky.pxi"


cdef struct Job:
    # What the functions over a stack are given.
    void* a
    void* b
    void* c
    void* d
    Py_ssize_t* pivots
    Py_ssize_t count, n, k
    bint is_double, transposed, add

ctypedef bint (*work_t)(Job* j) noexcept nogil


cdef Job job(ndarray a, ndarray pivots):
    cdef Job j
    j.a, j.b, j.c, j.d = cnp.PyArray_DATA(a), NULL, NULL, NULL
    j.pivots = NULL if pivots is None else <Py_ssize_t*>cnp.PyArray_DATA(pivots)
    j.n, j.k, j.transposed, j.add = cnp.PyArray_DIMS(a)[cnp.PyArray_NDIM(a) - 1], 1, False, False
    j.count = cnp.PyArray_SIZE(a) // (j.n * j.n)
    j.is_double = cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE
    return j


cdef bint run(work_t work, Job* j):
    # The products within are about as large as the whole at most.
    cdef bint done
    cdef int before
    if is_small(<double>j.n * j.n * max(j.n, j.k)):
        before = one_thread()
        done = work(j)
        restore_threads(before)
    else:
        with nogil:
            done = work(j)
    return done


cdef bint lu_work(Job* j) noexcept nogil:
    if j.is_double:
        return lu_stack(<double*>j.a, j.pivots, j.count, j.n, <double*>j.b)
    return lu_stack(<float*>j.a, j.pivots, j.count, j.n, <float*>j.b)


cdef bint lu_solve_work(Job* j) noexcept nogil:
    if j.is_double:
        lu_solve_stack(<const double*>j.a, j.pivots, j.count, j.n, <double*>j.b, j.k, j.transposed)
    else:
        lu_solve_stack(<const float*>j.a, j.pivots, j.count, j.n, <float*>j.b, j.k, j.transposed)
    return True


cdef bint lu_inverse_work(Job* j) noexcept nogil:
    if j.is_double:
        lu_inverse_stack(<const double*>j.a, j.pivots, j.count, j.n, <double*>j.b)
    else:
        lu_inverse_stack(<const float*>j.a, j.pivots, j.count, j.n, <float*>j.b)
    return True


cdef bint solve_pull_work(Job* j) noexcept nogil:
    if j.is_double:
        solve_pull_stack(<const double*>j.b, <const double*>j.c, <double*>j.a, j.count, j.n, j.k, j.add)
    else:
        solve_pull_stack(<const float*>j.b, <const float*>j.c, <float*>j.a, j.count, j.n, j.k, j.add)
    return True


cdef bint solve_push_work(Job* j) noexcept nogil:
    if j.is_double:
        solve_push_stack(<const double*>j.a, <const double*>j.b, <double*>j.c, j.count, j.n, j.k)
    else:
        solve_push_stack(<const float*>j.a, <const float*>j.b, <float*>j.c, j.count, j.n, j.k)
    return True


cdef bint inverse_pull_work(Job* j) noexcept nogil:
    if j.is_double:
        inverse_pull_stack(<const double*>j.b, <const double*>j.c, <double*>j.a, j.count, j.n, j.add, <double*>j.d)
    else:
        inverse_pull_stack(<const float*>j.b, <const float*>j.c, <float*>j.a, j.count, j.n, j.add, <float*>j.d)
    return True


cdef bint add_turned_work(Job* j) noexcept nogil:
    if j.is_double:
        add_turned_stack(<const double*>j.b, <const double*>j.c, <double*>j.a, j.count, j.n, j.add)
    else:
        add_turned_stack(<const float*>j.b, <const float*>j.c, <float*>j.a, j.count, j.n, j.add)
    return True


cdef bint cholesky_work(Job* j) noexcept nogil:
    if j.is_double:
        return cholesky_stack(<const double*>j.a, <double*>j.b, j.count, j.n)
    return cholesky_stack(<const float*>j.a, <float*>j.b, j.count, j.n)


cdef bint cholesky_pull_work(Job* j) noexcept nogil:
    if j.is_double:
        cholesky_pull_stack(<const double*>j.a, <const double*>j.b, <double*>j.c, j.count, j.n)
    else:
        cholesky_pull_stack(<const float*>j.a, <const float*>j.b, <float*>j.c, j.count, j.n)
    return True


cdef bint cholesky_tangent_work(Job* j) noexcept nogil:
    if j.is_double:
        cholesky_tangent_stack(<const double*>j.a, <const double*>j.b, <double*>j.c, j.count, j.n, <double*>j.d)
    else:
        cholesky_tangent_stack(<const float*>j.a, <const float*>j.b, <float*>j.c, j.count, j.n, <float*>j.d)
    return True


cdef bint lu_factor(ndarray a, ndarray pivots):
    """a (..., n, n) becomes L and U; row k was exchanged with row pivots[..., k]. False where NumPy has to decide."""
    cdef Job j = job(a, pivots)
    cdef Py_ssize_t size = j.n * PANEL_WIDTH
    cdef ndarray strip = new_array(1, &size, cnp.PyArray_TYPE(a))
    j.b = cnp.PyArray_DATA(strip)
    return run(lu_work, &j)


cdef void lu_solve(ndarray lu, ndarray pivots, ndarray b, bint transposed):
    """b (..., n, k), or (n,), becomes inv(A) b, or inv(A^T) b, for the A that was factored."""
    cdef Job j = job(lu, pivots)
    j.b, j.transposed = cnp.PyArray_DATA(b), transposed
    j.k = cnp.PyArray_SIZE(b) // (j.count * j.n)
    run(lu_solve_work, &j)


cdef void lu_inverse(ndarray lu, ndarray pivots, ndarray out):
    """out = inv(A), of the shape of A."""
    cdef Job j = job(lu, pivots)
    j.b = cnp.PyArray_DATA(out)
    run(lu_inverse_work, &j)


cdef void lu_determinant(ndarray lu, ndarray pivots, void* signs, void* logarithms):
    """Sign of the determinant, and logarithm of its magnitude, of each matrix."""
    cdef Job j = job(lu, pivots)
    if j.is_double:
        lu_determinant_stack(<const double*>j.a, j.pivots, j.count, j.n, <double*>signs, <double*>logarithms)
    else:
        lu_determinant_stack(<const float*>j.a, j.pivots, j.count, j.n, <float*>signs, <float*>logarithms)


cdef void solve_pull_back(ndarray out, ndarray g, ndarray y, bint accumulate):
    """out = -g y^T, or out += it: the gradient in A, where g is that in the right side, and y the solution."""
    cdef Job j = job(out, None)
    j.b, j.c, j.add = cnp.PyArray_DATA(g), cnp.PyArray_DATA(y), accumulate
    j.k = cnp.PyArray_SIZE(g) // (j.count * j.n)
    run(solve_pull_work, &j)


cdef void solve_push(ndarray out, ndarray a, ndarray y):
    """out = out - a y: what is left of the right side's tangent, where a is that of the matrix, and y the solution."""
    cdef Job j = job(a, None)
    j.b, j.c = cnp.PyArray_DATA(y), cnp.PyArray_DATA(out)
    j.k = cnp.PyArray_SIZE(out) // (j.count * j.n)
    run(solve_push_work, &j)


cdef void inverse_pull_back(ndarray out, ndarray y, ndarray g, bint accumulate):
    """out = -y^T g y^T, or out += it: the gradient in A, where g is that in its inverse y."""
    cdef Job j = job(out, None)
    cdef Py_ssize_t size = j.n * j.n
    cdef ndarray scratch = new_array(1, &size, cnp.PyArray_TYPE(out))
    j.b, j.c, j.d, j.add = cnp.PyArray_DATA(y), cnp.PyArray_DATA(g), cnp.PyArray_DATA(scratch), accumulate
    run(inverse_pull_work, &j)


cdef void add_turned(ndarray out, ndarray x, ndarray g, bint accumulate):
    """out = g x^T, or out += it, with one number g for each matrix."""
    cdef Job j = job(out, None)
    j.b, j.c, j.add = cnp.PyArray_DATA(x), cnp.PyArray_DATA(g), accumulate
    run(add_turned_work, &j)


cdef bint cholesky_factor(ndarray x, ndarray out):
    """out = the lower factors of (x + x^T) / 2. False where NumPy has to decide."""
    cdef Job j = job(x, None)
    j.b = cnp.PyArray_DATA(out)
    return run(cholesky_work, &j)


cdef void cholesky_pull_back(ndarray l, ndarray g, ndarray out):
    """out = the gradient in x, symmetric, where g is that in the factors l."""
    cdef Job j = job(l, None)
    j.b, j.c = cnp.PyArray_DATA(g), cnp.PyArray_DATA(out)
    run(cholesky_pull_work, &j)


cdef void cholesky_tangent(ndarray l, ndarray g, ndarray out):
    """out = the tangent of the factors l, where g is that of x."""
    cdef Job j = job(l, None)
    cdef Py_ssize_t size = (j.n - split(j.n, TRIANGLE)) ** 2 if j.n > TRIANGLE else 1
    cdef ndarray scratch = new_array(1, &size, cnp.PyArray_TYPE(l))
    j.b, j.c, j.d = cnp.PyArray_DATA(g), cnp.PyArray_DATA(out), cnp.PyArray_DATA(scratch)
    run(cholesky_tangent_work, &j)


# --- the determinant, for zen/ops/linalg.py


def slogdet(ndarray x not None):
    """Sign and log|det| of square matrices (..., n, n), with their LU factors and pivots; None where NumPy decides."""
    cdef int nd = cnp.PyArray_NDIM(x)
    cdef ndarray lu, pivots, signs, logarithms
    if not has_kernels(cnp.PyArray_TYPE(x)) or nd < 2 or cnp.PyArray_DIMS(x)[nd - 1] != cnp.PyArray_DIMS(x)[nd - 2]:
        raise TypeError("slogdet: expected square matrices of float32 or float64")
    if cnp.PyArray_SIZE(x) == 0 or not can_factor():
        return None
    lu = contiguous(x)
    pivots = cnp.PyArray_EMPTY(nd - 1, cnp.PyArray_DIMS(x), cnp.NPY_INTP, 0)
    if not lu_factor(lu, pivots):
        return None
    signs = new_array(nd - 2, <Py_ssize_t*>cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x))
    logarithms = new_array(nd - 2, <Py_ssize_t*>cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x))
    lu_determinant(lu, pivots, cnp.PyArray_DATA(signs), cnp.PyArray_DATA(logarithms))
    return signs, logarithms, lu, pivots


def slogdet_pull_back(ndarray lu not None, ndarray pivots not None, ndarray g not None):
    """g inv(A)^T of the matrices that `slogdet` factored, with one number g for each of them."""
    cdef int k, nd = cnp.PyArray_NDIM(lu), typenum = cnp.PyArray_TYPE(lu)
    cdef ndarray inverse, out
    if not has_kernels(typenum) or cnp.PyArray_TYPE(pivots) != cnp.NPY_INTP or nd < 2 or (
        cnp.PyArray_NDIM(pivots) != nd - 1 or cnp.PyArray_NDIM(g) != nd - 2 or cnp.PyArray_TYPE(g) != typenum
    ) or not (cnp.PyArray_ISCARRAY_RO(lu) and cnp.PyArray_ISCARRAY_RO(pivots)):
        raise TypeError("slogdet_pull_back: expected what slogdet returned, and a number for each matrix")
    for k in range(nd - 2):
        if cnp.PyArray_DIMS(g)[k] != cnp.PyArray_DIMS(lu)[k]:
            raise ValueError("slogdet_pull_back: there is not one number for each matrix")
    inverse = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(lu), typenum)
    out = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(lu), typenum)
    lu_inverse(lu, pivots, inverse)
    add_turned(out, inverse, contiguous(g), False)
    return out


def slogdet_tangent(ndarray lu not None, ndarray pivots not None, ndarray t not None):
    """The traces of inv(A) t: the tangents of log|det A|, where t is that of the matrices that `slogdet` factored."""
    cdef int nd = cnp.PyArray_NDIM(lu), typenum = cnp.PyArray_TYPE(lu)
    cdef ndarray inverse, out
    if not has_kernels(typenum) or cnp.PyArray_TYPE(pivots) != cnp.NPY_INTP or nd < 2 or (
        cnp.PyArray_NDIM(pivots) != nd - 1 or not same_shape(t, lu) or cnp.PyArray_TYPE(t) != typenum
    ) or not (cnp.PyArray_ISCARRAY_RO(lu) and cnp.PyArray_ISCARRAY_RO(pivots)):
        raise TypeError("slogdet_tangent: expected what slogdet returned, and a tangent of the matrices")
    if not cnp.PyArray_ISCARRAY_RO(t):
        t = contiguous(t)
    inverse = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(lu), typenum)
    out = new_array(nd - 2, <Py_ssize_t*>cnp.PyArray_DIMS(lu), typenum)
    lu_inverse(lu, pivots, inverse)
    cdef Job j = job(lu, None)
    if j.is_double:
        traces(<const double*>cnp.PyArray_DATA(inverse), <const double*>cnp.PyArray_DATA(t),
               <double*>cnp.PyArray_DATA(out), j.count, j.n)
    else:
        traces(<const float*>cnp.PyArray_DATA(inverse), <const float*>cnp.PyArray_DATA(t),
               <float*>cnp.PyArray_DATA(out), j.count, j.n)
    return out

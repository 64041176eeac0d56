"""Normalisation by statistics of the values themselves: of rows, of channels, of groups of channels.

Called by zen/ops/normalisation.py through kernels.py. Statistics are taken in two passes, the mean first, because the
difference of large squares would lose them. Sums run in LANES partial sums over a block and are added up in double.
The first mean, rounded to the array's type, is `centre`; the second pass finds what it lacks. Means are returned in
double.

Arrays are of one dtype, float or double; `weight` and `bias` may be None. Strided arrays are copied.
"""

from libc.math cimport sqrt
from libc.stdlib cimport free, malloc
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._memory cimport contiguous, new_array, new_zeros

cnp.import_array()

cdef extern from *:
    """
    #define ZEN_READABLE(a) PyArray_ISCARRAY_RO(a)
    """
    bint ZEN_READABLE(ndarray) noexcept

cdef enum:
    LANES = 16
    BLOCK = 512          # elements of one partial sum
    ROWS = 32            # rows that are added up in the array's type before double takes over

ctypedef fused real:
    float
    double


cdef inline double folded(real* lanes) noexcept nogil:
    # The sum of the lanes, as a tree: one after the other would wait for each addition.
    cdef int k
    for k in range(8):
        lanes[k] += lanes[k + 8]
    for k in range(4):
        lanes[k] += lanes[k + 4]
    return (<double>lanes[0] + lanes[1]) + (<double>lanes[2] + lanes[3])


# One sum in a loop: the compiler makes vectors of that form, and of no other that was tried.

cdef inline double sum_of(const real* x, Py_ssize_t n) noexcept nogil:
    cdef real lanes[LANES]
    cdef Py_ssize_t i, j, k, m, lane, start
    cdef double total = 0
    for j in range((n + BLOCK - 1) // BLOCK):
        start = j * BLOCK
        m = min(n - start, BLOCK)
        for k in range(LANES):
            lanes[k] = 0
        for lane in range(m // LANES):
            i = start + lane * LANES
            for k in range(LANES):
                lanes[k] += x[i + k]
        for i in range(start + m - m % LANES, start + m):
            total += x[i]
        total += folded(&lanes[0])
    return total


cdef inline double dot_of(const real* a, const real* b, Py_ssize_t n) noexcept nogil:
    # The sum of a * b.
    cdef real lanes[LANES]
    cdef Py_ssize_t i, j, k, m, lane, start
    cdef double total = 0
    for j in range((n + BLOCK - 1) // BLOCK):
        start = j * BLOCK
        m = min(n - start, BLOCK)
        for k in range(LANES):
            lanes[k] = 0
        for lane in range(m // LANES):
            i = start + lane * LANES
            for k in range(LANES):
                lanes[k] += a[i + k] * b[i + k]
        for i in range(start + m - m % LANES, start + m):
            total += a[i] * b[i]
        total += folded(&lanes[0])
    return total


cdef inline void deviations_of(
    const real* x, Py_ssize_t n, real centre, double* sum_d, double* sum_dd
) noexcept nogil:
    # Adds the sums of d = x - centre and of its square. The first corrects the mean, whose own sum was rounded.
    cdef real d[BLOCK]
    cdef Py_ssize_t i, j, m
    for j in range((n + BLOCK - 1) // BLOCK):
        m = min(n - j * BLOCK, BLOCK)
        for i in range(m):
            d[i] = x[i] - centre
        sum_d[0] += sum_of(&d[0], m)
        sum_dd[0] += dot_of(&d[0], &d[0], m)
        x += m


cdef inline void products_of(
    const real* g, const real* x, Py_ssize_t n, real centre, double* sum_g, double* sum_gx
) noexcept nogil:
    # Adds the sums of g and of g * (x - centre).
    cdef real d[BLOCK]
    cdef Py_ssize_t i, j, m
    for j in range((n + BLOCK - 1) // BLOCK):
        m = min(n - j * BLOCK, BLOCK)
        for i in range(m):
            d[i] = x[i] - centre
        sum_g[0] += sum_of(g, m)
        sum_gx[0] += dot_of(g, &d[0], m)
        g += m
        x += m


include "_norm_rows.pxi"
include "_norm_channels.pxi"


# -- What Python calls

cdef ndarray ready(ndarray a):
    return a if a is None or ZEN_READABLE(a) else contiguous(a)


cdef ndarray like(ndarray x):
    return new_array(cnp.PyArray_NDIM(x), <Py_ssize_t*>cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x))


cdef inline void* data(ndarray a) noexcept nogil:
    return NULL if a is None else cnp.PyArray_DATA(a)


def norm_rows(ndarray x not None, Py_ssize_t n, ndarray weight, ndarray bias, double eps, bint centred):
    """Each run of n elements minus its mean (if centred), over its root mean square: (y, mean, 1 / root)."""
    cdef Py_ssize_t rows = cnp.PyArray_SIZE(x) // n if n else 0
    cdef ndarray mean = new_array(1, &rows, cnp.NPY_DOUBLE), rstd = new_array(1, &rows, cnp.NPY_DOUBLE), y
    cdef double* m = <double*>data(mean)
    cdef double* s = <double*>data(rstd)
    x, weight, bias = ready(x), ready(weight), ready(bias)
    y = like(x)
    if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
        with nogil:
            rows_forward[float](
                <float*>data(x), rows, n, <float*>data(weight), <float*>data(bias), eps, centred, <float*>data(y), m, s
            )
    else:
        with nogil:
            rows_forward[double](
                <double*>data(x), rows, n, <double*>data(weight), <double*>data(bias), eps, centred, <double*>data(y),
                m, s
            )
    return y, mean, rstd


def norm_rows_backward(
    ndarray g not None, ndarray x not None, Py_ssize_t n, ndarray weight, bint centred, ndarray mean not None,
    ndarray rstd not None, tuple wanted not None
):
    """The gradients of norm_rows in x, weight and bias (flat arrays of n), or None where not wanted."""
    cdef Py_ssize_t rows = cnp.PyArray_SIZE(x) // n if n else 0, twice = 2 * n, scratch = 4 * n
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray dx = None, dw = None, db = None
    cdef ndarray totals = new_zeros(1, &twice, cnp.NPY_DOUBLE), partial = new_array(1, &scratch, typenum)
    cdef double* m = <double*>data(mean)
    cdef double* s = <double*>data(rstd)
    g, x, weight = ready(g), ready(x), ready(weight)
    if weight is None:
        weight = new_array(1, &n, typenum)
        weight.fill(1)
    if wanted[0]:
        dx = like(x)
    if wanted[1]:
        dw = new_array(1, &n, typenum)
    if wanted[2]:
        db = new_array(1, &n, typenum)
    if typenum == cnp.NPY_FLOAT:
        with nogil:
            rows_backward[float](
                <float*>data(g), <float*>data(x), rows, n, <float*>data(weight), centred, m, s, <float*>data(dx),
                <float*>data(dw), <float*>data(db), <double*>data(totals), <float*>data(partial)
            )
    else:
        with nogil:
            rows_backward[double](
                <double*>data(g), <double*>data(x), rows, n, <double*>data(weight), centred, m, s, <double*>data(dx),
                <double*>data(dw), <double*>data(db), <double*>data(totals), <double*>data(partial)
            )
    return dx, dw, db


def norm_channels(
    ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    ndarray weight, ndarray bias, double eps, ndarray mean=None, ndarray var=None
):
    """x as (batch, channels, size), each run of `pool` channels minus its mean, over its deviation: (y, mean, var).

    weight and bias repeat with `period`. mean and var, of double, are used if they are given.
    """
    cdef Py_ssize_t runs = channels // pool
    cdef bint given = mean is not None
    cdef ndarray y
    cdef double* m
    cdef double* v
    cdef int failed
    if not given:
        mean, var = new_array(1, &runs, cnp.NPY_DOUBLE), new_array(1, &runs, cnp.NPY_DOUBLE)
    m, v = <double*>data(mean), <double*>data(var)
    x, weight, bias = ready(x), ready(weight), ready(bias)
    y = like(x)
    if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
        with nogil:
            failed = pool_forward[float](
                <float*>data(x), batch, channels, size, period, pool, <float*>data(weight), <float*>data(bias), eps,
                given, <float*>data(y), m, v
            )
    else:
        with nogil:
            failed = pool_forward[double](
                <double*>data(x), batch, channels, size, period, pool, <double*>data(weight), <double*>data(bias), eps,
                given, <double*>data(y), m, v
            )
    if failed:
        raise MemoryError(f"no memory for the statistics of {channels} channels")
    return y, mean, var


def norm_channels_backward(
    ndarray g not None, ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, ndarray weight, double eps, ndarray mean not None, ndarray var not None, bint given, bint wanted
):
    """The gradient in x (None if not wanted), and for each channel the sums of g and of g times the normalised x.

    given: mean and var were given, so that no gradient flows through them.
    """
    cdef ndarray sum_g = new_zeros(1, &channels, cnp.NPY_DOUBLE), sum_gh = new_zeros(1, &channels, cnp.NPY_DOUBLE)
    cdef ndarray dx = None
    cdef double* m = <double*>data(mean)
    cdef double* v = <double*>data(var)
    cdef double* first = <double*>data(sum_g)
    cdef double* second = <double*>data(sum_gh)
    cdef int failed
    g, x, weight = ready(g), ready(x), ready(weight)
    if wanted:
        dx = like(x)
    if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
        with nogil:
            failed = pool_backward[float](
                <float*>data(g), <float*>data(x), batch, channels, size, period, pool, <float*>data(weight), eps, given,
                m, v, <float*>data(dx), first, second
            )
    else:
        with nogil:
            failed = pool_backward[double](
                <double*>data(g), <double*>data(x), batch, channels, size, period, pool, <double*>data(weight), eps,
                given, m, v, <double*>data(dx), first, second
            )
    if failed:
        raise MemoryError(f"no memory for the statistics of {channels} channels")
    return dx, sum_g, sum_gh

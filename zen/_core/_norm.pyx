"""Normalisation by statistics of the values themselves: of rows, of channels, of groups of channels.

Called by zen/ops/normalisation.py as `backend.kernels.norm`. The loops are those of _kernels_norm_lines.pxi and
_kernels_norm_channels.pxi, for tangents of _kernels_tangents.pxi. Arrays are of one dtype, float or double;
`weight` and `bias` may be None. Strided arrays are copied.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._kernels cimport (
    norm_channels_back_t, norm_channels_t, norm_channels_tangent_t, norm_lines_back_t, norm_lines_t,
    norm_lines_tangent_t,
)
from zen._core._memory cimport contiguous, new_array

cnp.import_array()

cdef extern from *:
    """
    #define ZEN_READABLE(a) PyArray_ISCARRAY_RO(a)
    """
    bint ZEN_READABLE(ndarray) noexcept


cdef ndarray ready(ndarray a):
    return a if a is None or ZEN_READABLE(a) else contiguous(a)


cdef ndarray like(ndarray x):
    return new_array(cnp.PyArray_NDIM(x), <Py_ssize_t*>cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x))


cdef ndarray flat(Py_ssize_t n, int typenum):
    return new_array(1, &n, typenum)


cdef inline void* data(ndarray a) noexcept nogil:
    return NULL if a is None else cnp.PyArray_DATA(a)


def norm_rows(ndarray x not None, Py_ssize_t n, ndarray weight, ndarray bias, double eps, bint centred):
    """Each run of n elements minus its mean (if centred), over its root mean square: (y, mean, 1 / root)."""
    cdef Py_ssize_t rows = cnp.PyArray_SIZE(x) // n if n else 0
    cdef ndarray mean = flat(rows, cnp.NPY_DOUBLE), rstd = flat(rows, cnp.NPY_DOUBLE), y
    cdef norm_lines_t kernel = kernels.norm_lines[cnp.PyArray_TYPE(x) == cnp.NPY_DOUBLE]
    x, weight, bias = ready(x), ready(weight), ready(bias)
    y = like(x)
    with nogil:
        kernel(
            data(x), rows, n, data(weight), data(bias), eps, centred, data(y), <double*>data(mean), <double*>data(rstd)
        )
    return y, mean, rstd


def norm_rows_backward(
    ndarray g not None, ndarray x not None, Py_ssize_t n, ndarray weight, bint centred, ndarray mean not None,
    ndarray rstd not None, tuple wanted not None
):
    """The gradients of norm_rows in x, weight and bias (flat arrays of n), or None where not wanted."""
    cdef Py_ssize_t rows = cnp.PyArray_SIZE(x) // n if n else 0
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray partial = flat(2 * n, typenum), totals = flat(2 * n, cnp.NPY_DOUBLE)
    cdef ndarray dx, dw, db
    cdef norm_lines_back_t kernel = kernels.norm_lines_back[typenum == cnp.NPY_DOUBLE]
    g, x, weight = ready(g), ready(x), ready(weight)
    if weight is None:
        weight = flat(n, typenum)
        weight.fill(1)
    dx = like(x) if wanted[0] else None
    dw = flat(n, typenum) if wanted[1] else None
    db = flat(n, typenum) if wanted[2] else None
    with nogil:
        kernel(
            data(g), data(x), rows, n, data(weight), centred, <double*>data(mean), <double*>data(rstd), data(dx),
            data(dw), data(db), data(partial), <double*>data(totals)
        )
    return dx, dw, db


def norm_channels(
    ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    ndarray weight, ndarray bias, double eps, ndarray mean=None, ndarray var=None
):
    """x as (batch, channels, size), each run of `pool` channels minus its mean, over its deviation: (y, mean, var).

    weight and bias repeat with `period`. mean and var, of double, are used if they are given.
    """
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray scratch = flat(5 * channels, typenum), sums = flat(2 * channels, cnp.NPY_DOUBLE), y
    cdef bint given = mean is not None
    cdef norm_channels_t kernel = kernels.norm_channels[typenum == cnp.NPY_DOUBLE]
    if not given:
        mean, var = flat(channels // pool, cnp.NPY_DOUBLE), flat(channels // pool, cnp.NPY_DOUBLE)
    x, weight, bias = ready(x), ready(weight), ready(bias)
    y = like(x)
    with nogil:
        kernel(
            data(x), batch, channels, size, period, pool, data(weight), data(bias), eps, given, data(y),
            <double*>data(mean), <double*>data(var), data(scratch), <double*>data(sums)
        )
    return y, mean, var


def norm_channels_backward(
    ndarray g not None, ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, ndarray weight, double eps, ndarray mean not None, ndarray var not None, bint given, bint wanted
):
    """The gradient in x (None if not wanted), and for each channel the sums of g and of g times the normalised x.

    given: mean and var were given, so that no gradient flows through them.
    """
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray sum_g = flat(channels, cnp.NPY_DOUBLE), sum_gh = flat(channels, cnp.NPY_DOUBLE)
    cdef ndarray scratch = flat(5 * channels, typenum), dx
    cdef norm_channels_back_t kernel = kernels.norm_channels_back[typenum == cnp.NPY_DOUBLE]
    g, x, weight = ready(g), ready(x), ready(weight)
    dx = like(x) if wanted else None
    with nogil:
        kernel(
            data(g), data(x), batch, channels, size, period, pool, data(weight), eps, given, <double*>data(mean),
            <double*>data(var), data(dx), <double*>data(sum_g), <double*>data(sum_gh), data(scratch)
        )
    return dx, sum_g, sum_gh


cdef int check(ndarray a, Py_ssize_t size, int typenum) except -1:
    if cnp.PyArray_SIZE(a) != size or cnp.PyArray_TYPE(a) != typenum:
        raise ValueError(f"expected {size} numbers of dtype {cnp.PyArray_DescrFromType(typenum)}")
    return 0


cdef ndarray filled(ndarray a, Py_ssize_t n, int typenum, double otherwise):
    # n numbers of a weight, a bias or the tangent of one.
    cdef ndarray made
    if a is not None:
        check(a, n, typenum)
        return ready(a)
    made = flat(n, typenum)
    made.fill(otherwise)
    return made


def norm_rows_tangent(
    ndarray t not None, ndarray x not None, Py_ssize_t n, ndarray weight, ndarray dweight, ndarray dbias, bint centred,
    ndarray mean not None, ndarray rstd not None
):
    """The tangent of norm_rows, where t is that of x, dweight and dbias are those of weight and bias or None."""
    cdef Py_ssize_t rows = cnp.PyArray_SIZE(x) // n if n else 0
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef norm_lines_tangent_t kernel = kernels.norm_lines_tangent[typenum == cnp.NPY_DOUBLE]
    cdef ndarray out, w = filled(weight, n, typenum, 1), dw = filled(dweight, n, typenum, 0)
    cdef ndarray db = filled(dbias, n, typenum, 0)
    check(t, rows * n, typenum)
    check(mean, rows, cnp.NPY_DOUBLE)
    check(rstd, rows, cnp.NPY_DOUBLE)
    t, x, mean, rstd = ready(t), ready(x), ready(mean), ready(rstd)
    out = like(x)
    with nogil:
        kernel(
            data(t), data(x), rows, n, data(w), data(dw), data(db), centred, <double*>data(mean), <double*>data(rstd),
            data(out)
        )
    return out


def norm_channels_tangent(
    ndarray t not None, ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, ndarray weight, ndarray dweight, ndarray dbias, double eps, ndarray mean not None,
    ndarray var not None, bint given
):
    """The tangent of norm_channels, and for each channel the sums of t and of t times the normalised x.

    t: the tangent of x; dweight, dbias: those of weight and bias, or None. given: mean and var were, and do not move.
    """
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray sums = flat(channels, cnp.NPY_DOUBLE), products = flat(channels, cnp.NPY_DOUBLE)
    cdef ndarray factors = flat(4 * channels, typenum), out
    cdef ndarray w = filled(weight, period, typenum, 1), dw = filled(dweight, period, typenum, 0)
    cdef ndarray db = filled(dbias, period, typenum, 0)
    if pool < 1 or (period < 1 and channels) or channels % pool:
        raise ValueError(f"norm_channels_tangent: {channels} channels, pools of {pool}, a period of {period}")
    check(x, batch * channels * size, typenum)
    check(t, batch * channels * size, typenum)
    check(mean, channels // pool, cnp.NPY_DOUBLE)
    check(var, channels // pool, cnp.NPY_DOUBLE)
    cdef norm_channels_tangent_t kernel = kernels.norm_channels_tangent[typenum == cnp.NPY_DOUBLE]
    t, x, mean, var = ready(t), ready(x), ready(mean), ready(var)
    out = like(x)
    with nogil:
        kernel(
            data(t), data(x), batch, channels, size, period, pool, data(w), data(dw), data(db), eps, given,
            <double*>data(mean), <double*>data(var), data(out), <double*>data(sums), <double*>data(products),
            data(factors)
        )
    return out, sums, products

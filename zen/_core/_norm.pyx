"""Normalisation by statistics of the values themselves: of rows, of channels, of groups of channels.

Called by zen/ops/normalisation.py and normalisation_channels.py as `backend.kernels.norm`. The loops are those of
_kernels_norm_lines.pxi and _kernels_norm_channels.pxi, for tangents of _kernels_tangents.pxi. Arrays are of one dtype,
float or double; `weight` and `bias` may be None. Strided arrays are copied. Plans (see _plan.pxd) are made for sizes;
their buffers are C-contiguous.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._memory cimport contiguous, new_array
from zen._core._plan cimport Plan, execute_t, reserve, run, start
from zen._core._views cimport buffer1, buffer2

cnp.import_array()

cdef extern from *:
    """
    #define ZEN_READABLE(a) PyArray_ISCARRAY_RO(a)
    """
    bint ZEN_READABLE(ndarray) noexcept

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it

cdef enum:               # the buffers; NULL for those that a plan does not have
    X = 0
    WEIGHT = 1
    BIAS = 2
    G = 3
    Y = 4
    MEAN = 5             # of double, as the next
    SPREAD = 6           # of rows one over the root, of channels the variance
    DX = 7
    DW = 8               # of channels the sums of g times the normalised x and of g, in double
    DB = 9
    T = 10               # the tangents of x, of weight and of bias
    TWEIGHT = 11
    TBIAS = 12
    BUFFERS = 13

cdef struct Norm:
    Plan plan
    double eps
    Py_ssize_t rows, columns             # of what the kernels see as a matrix
    bint centred
    Py_ssize_t channels, size, period, pool
    bint given                           # mean and variance
    Py_ssize_t scratch, sums             # in the workspace


# --- execution


cdef inline bint is_double(const Plan* plan) noexcept nogil:
    return plan.typenum == cnp.NPY_DOUBLE


cdef void execute_rows(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Norm* s = <const Norm*>plan
    cdef Py_ssize_t item = plan.item, n = s.columns
    kernels.norm_lines[is_double(plan)](
        buffer2(p[X], item, s.rows, n), buffer1(p[WEIGHT], item, n), buffer1(p[BIAS], item, n), s.eps, s.centred,
        buffer2(p[Y], item, s.rows, n), buffer1(p[MEAN], sizeof(double), s.rows),
        buffer1(p[SPREAD], sizeof(double), s.rows))


cdef void execute_rows_back(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Norm* s = <const Norm*>plan
    cdef Py_ssize_t item = plan.item, n = s.columns
    kernels.norm_lines_back[is_double(plan)](
        buffer2(p[G], item, s.rows, n), buffer2(p[X], item, s.rows, n), buffer1(p[WEIGHT], item, n), s.centred,
        buffer1(p[MEAN], sizeof(double), s.rows), buffer1(p[SPREAD], sizeof(double), s.rows),
        buffer2(p[DX], item, s.rows, n), buffer1(p[DW], item, n), buffer1(p[DB], item, n),
        buffer2(workspace + s.scratch, item, 2, n), buffer2(workspace + s.sums, sizeof(double), 2, n))


cdef void execute_channels(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Norm* s = <const Norm*>plan
    cdef Py_ssize_t item = plan.item, runs = s.channels // s.pool
    kernels.norm_channels[is_double(plan)](
        buffer2(p[X], item, s.rows, s.columns), s.size, s.period, s.pool, buffer1(p[WEIGHT], item, s.period),
        buffer1(p[BIAS], item, s.period), s.eps, s.given, buffer2(p[Y], item, s.rows, s.columns),
        buffer1(p[MEAN], sizeof(double), runs), buffer1(p[SPREAD], sizeof(double), runs),
        buffer2(workspace + s.scratch, item, 5, s.channels), buffer2(workspace + s.sums, sizeof(double), 2, s.channels))


cdef void execute_channels_back(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Norm* s = <const Norm*>plan
    cdef Py_ssize_t item = plan.item, runs = s.channels // s.pool
    kernels.norm_channels_back[is_double(plan)](
        buffer2(p[G], item, s.rows, s.columns), buffer2(p[X], item, s.rows, s.columns), s.size, s.period, s.pool,
        buffer1(p[WEIGHT], item, s.period), s.eps, s.given, buffer1(p[MEAN], sizeof(double), runs),
        buffer1(p[SPREAD], sizeof(double), runs), buffer2(p[DX], item, s.rows, s.columns),
        buffer1(p[DB], sizeof(double), s.channels), buffer1(p[DW], sizeof(double), s.channels),
        buffer2(workspace + s.scratch, item, 5, s.channels))


cdef void execute_rows_tangent(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Norm* s = <const Norm*>plan
    cdef Py_ssize_t item = plan.item, n = s.columns
    kernels.norm_lines_tangent[is_double(plan)](
        buffer2(p[T], item, s.rows, n), buffer2(p[X], item, s.rows, n), buffer1(p[WEIGHT], item, n),
        buffer1(p[TWEIGHT], item, n), buffer1(p[TBIAS], item, n), s.centred, buffer1(p[MEAN], sizeof(double), s.rows),
        buffer1(p[SPREAD], sizeof(double), s.rows), buffer2(p[Y], item, s.rows, n))


cdef void execute_channels_tangent(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Norm* s = <const Norm*>plan
    cdef Py_ssize_t item = plan.item, runs = s.channels // s.pool
    kernels.norm_channels_tangent[is_double(plan)](
        buffer2(p[T], item, s.rows, s.columns), buffer2(p[X], item, s.rows, s.columns), s.size, s.period, s.pool,
        buffer1(p[WEIGHT], item, s.period), buffer1(p[TWEIGHT], item, s.period), buffer1(p[TBIAS], item, s.period),
        s.eps, s.given, buffer1(p[MEAN], sizeof(double), runs), buffer1(p[SPREAD], sizeof(double), runs),
        buffer2(p[Y], item, s.rows, s.columns), buffer1(p[DB], sizeof(double), s.channels),
        buffer1(p[DW], sizeof(double), s.channels), buffer2(workspace + s.scratch, item, 5, s.channels))


# --- the plan


cdef void plan_norm(Norm* s, execute_t execute, int typenum, Py_ssize_t rows, Py_ssize_t columns) noexcept:
    s.rows, s.columns = rows, columns
    start(&s.plan, execute, typenum, rows * columns < WORTH)


cdef int plan_rows(Norm* s, execute_t execute, ndarray x, Py_ssize_t n, bint centred) except -1:
    s.centred = centred
    plan_norm(s, execute, cnp.PyArray_TYPE(x), cnp.PyArray_SIZE(x) // n if n else 0, n)
    return 0


cdef int plan_channels(
    Norm* s, execute_t execute, ndarray x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, double eps, bint given
) except -1:
    s.channels, s.size, s.period, s.pool, s.eps, s.given = channels, size, period, pool, eps, given
    plan_norm(s, execute, cnp.PyArray_TYPE(x), batch, channels * size)
    s.scratch = reserve(&s.plan, 5, channels)
    s.sums = doubles(s, 2 * channels)
    return 0


cdef Py_ssize_t doubles(Norm* s, Py_ssize_t n) noexcept:
    return reserve(&s.plan, <Py_ssize_t>sizeof(double) // s.plan.item, n)


cdef inline void* data(ndarray a) noexcept nogil:
    return NULL if a is None else cnp.PyArray_DATA(a)


cdef ndarray ready(ndarray a):
    return a if a is None or ZEN_READABLE(a) else contiguous(a)


cdef ndarray like(ndarray x):
    return new_array(cnp.PyArray_NDIM(x), <Py_ssize_t*>cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x))


cdef ndarray flat(Py_ssize_t n, int typenum):
    return new_array(1, &n, typenum)


# --- what Python calls


def norm_rows(ndarray x not None, Py_ssize_t n, ndarray weight, ndarray bias, double eps, bint centred):
    """Each run of n elements minus its mean (if centred), over its root mean square: (y, mean, 1 / root)."""
    cdef Norm s
    cdef void* p[BUFFERS]
    cdef ndarray mean, rstd, y
    x, weight, bias = ready(x), ready(weight), ready(bias)
    plan_rows(&s, execute_rows, x, n, centred)
    s.eps = eps
    y, mean, rstd = like(x), flat(s.rows, cnp.NPY_DOUBLE), flat(s.rows, cnp.NPY_DOUBLE)
    p[X], p[WEIGHT], p[BIAS] = data(x), data(weight), data(bias)
    p[Y], p[MEAN], p[SPREAD] = data(y), data(mean), data(rstd)
    run(&s.plan, p)
    return y, mean, rstd


def norm_rows_backward(
    ndarray g not None, ndarray x not None, Py_ssize_t n, ndarray weight, bint centred, ndarray mean not None,
    ndarray rstd not None, tuple wanted not None
):
    """The gradients of norm_rows in x, weight and bias (flat arrays of n), or None where not wanted."""
    cdef Norm s
    cdef void* p[BUFFERS]
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray dx, dw, db
    g, x, weight = ready(g), ready(x), ready(weight)
    plan_rows(&s, execute_rows_back, x, n, centred)
    s.scratch, s.sums = reserve(&s.plan, 2, n), doubles(&s, 2 * n)
    if weight is None:
        weight = flat(n, typenum)
        weight.fill(1)
    dx = like(x) if wanted[0] else None
    dw = flat(n, typenum) if wanted[1] else None
    db = flat(n, typenum) if wanted[2] else None
    p[G], p[X], p[WEIGHT], p[MEAN], p[SPREAD] = data(g), data(x), data(weight), data(mean), data(rstd)
    p[DX], p[DW], p[DB] = data(dx), data(dw), data(db)
    run(&s.plan, p)
    return dx, dw, db


def norm_channels(
    ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    ndarray weight, ndarray bias, double eps, ndarray mean=None, ndarray var=None
):
    """x as (batch, channels, size), each run of `pool` channels minus its mean, over its deviation: (y, mean, var).

    weight and bias repeat with `period`. mean and var, of double, are used if they are given.
    """
    cdef Norm s
    cdef void* p[BUFFERS]
    cdef bint given = mean is not None
    cdef ndarray y
    if not given:
        mean, var = flat(channels // pool, cnp.NPY_DOUBLE), flat(channels // pool, cnp.NPY_DOUBLE)
    x, weight, bias = ready(x), ready(weight), ready(bias)
    plan_channels(&s, execute_channels, x, batch, channels, size, period, pool, eps, given)
    y = like(x)
    p[X], p[WEIGHT], p[BIAS] = data(x), data(weight), data(bias)
    p[Y], p[MEAN], p[SPREAD] = data(y), data(mean), data(var)
    run(&s.plan, p)
    return y, mean, var


def norm_channels_backward(
    ndarray g not None, ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, ndarray weight, double eps, ndarray mean not None, ndarray var not None, bint given, bint wanted
):
    """The gradient in x (None if not wanted), and for each channel the sums of g and of g times the normalised x.

    given: mean and var were given, so that no gradient flows through them.
    """
    cdef Norm s
    cdef void* p[BUFFERS]
    cdef ndarray sum_g = flat(channels, cnp.NPY_DOUBLE), sum_gh = flat(channels, cnp.NPY_DOUBLE), dx
    g, x, weight = ready(g), ready(x), ready(weight)
    plan_channels(&s, execute_channels_back, x, batch, channels, size, period, pool, eps, given)
    dx = like(x) if wanted else None
    p[G], p[X], p[WEIGHT], p[MEAN], p[SPREAD] = data(g), data(x), data(weight), data(mean), data(var)
    p[DX], p[DW], p[DB] = data(dx), data(sum_gh), data(sum_g)
    run(&s.plan, p)
    return dx, sum_g, sum_gh


cdef int check(ndarray a, Py_ssize_t size, int typenum) except -1:
    if cnp.PyArray_SIZE(a) != size or cnp.PyArray_TYPE(a) != typenum:
        raise ValueError(f"expected {size} numbers of dtype {cnp.PyArray_DescrFromType(typenum)}")
    return 0


cdef ndarray fitting(ndarray a, Py_ssize_t n, int typenum):
    # n numbers of a weight, a bias or the tangent of one, or None.
    if a is not None:
        check(a, n, typenum)
    return ready(a)


def norm_rows_tangent(
    ndarray t not None, ndarray x not None, Py_ssize_t n, ndarray weight, ndarray dweight, ndarray dbias, bint centred,
    ndarray mean not None, ndarray rstd not None
):
    """The tangent of norm_rows, where t is that of x, dweight and dbias are those of weight and bias or None."""
    cdef Norm s
    cdef void* p[BUFFERS]
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray out, w = fitting(weight, n, typenum), dw = fitting(dweight, n, typenum)
    cdef ndarray db = fitting(dbias, n, typenum)
    plan_rows(&s, execute_rows_tangent, x, n, centred)
    check(t, s.rows * n, typenum)
    check(mean, s.rows, cnp.NPY_DOUBLE)
    check(rstd, s.rows, cnp.NPY_DOUBLE)
    t, x, mean, rstd = ready(t), ready(x), ready(mean), ready(rstd)
    out = like(x)
    p[T], p[X], p[WEIGHT], p[TWEIGHT], p[TBIAS] = data(t), data(x), data(w), data(dw), data(db)
    p[MEAN], p[SPREAD], p[Y] = data(mean), data(rstd), data(out)
    run(&s.plan, p)
    return out


def norm_channels_tangent(
    ndarray t not None, ndarray x not None, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, ndarray weight, ndarray dweight, ndarray dbias, double eps, ndarray mean not None,
    ndarray var not None, bint given
):
    """The tangent of norm_channels, and for each channel the sums of t and of t times the normalised x.

    t: the tangent of x; dweight, dbias: those of weight and bias, or None. given: mean and var were, and do not move;
    then None in place of the sums.
    """
    cdef Norm s
    cdef void* p[BUFFERS]
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef ndarray out, sums = None if given else flat(channels, cnp.NPY_DOUBLE)
    cdef ndarray products = None if given else flat(channels, cnp.NPY_DOUBLE)
    cdef ndarray w = fitting(weight, period, typenum), dw = fitting(dweight, period, typenum)
    cdef ndarray db = fitting(dbias, period, typenum)
    if pool < 1 or (period < 1 and channels) or channels % pool:
        raise ValueError(f"norm_channels_tangent: {channels} channels, pools of {pool}, a period of {period}")
    check(x, batch * channels * size, typenum)
    check(t, batch * channels * size, typenum)
    check(mean, channels // pool, cnp.NPY_DOUBLE)
    check(var, channels // pool, cnp.NPY_DOUBLE)
    t, x, mean, var = ready(t), ready(x), ready(mean), ready(var)
    plan_channels(&s, execute_channels_tangent, x, batch, channels, size, period, pool, eps, given)
    out = like(x)
    p[T], p[X], p[WEIGHT], p[TWEIGHT], p[TBIAS] = data(t), data(x), data(w), data(dw), data(db)
    p[MEAN], p[SPREAD], p[Y], p[DB], p[DW] = data(mean), data(var), data(out), data(sums), data(products)
    run(&s.plan, p)
    return out, sums, products

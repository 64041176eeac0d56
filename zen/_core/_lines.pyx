"""Arrays as matrices of rows: rows read, filled and added, by number or all.

Called by _record and _engine, which checked dtypes and shapes; `scatter_add_rows` also from zen/ops. Arrays are float
or double and C-contiguous unless said otherwise. A row lies along the last axis; the leading axes count as one. What
goes by number is planned (see _plan.pxd).
"""

from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels, is_integer
from zen._core._memory cimport contiguous
from zen._core._kernels cimport sum_columns_t
from zen._core._plan cimport Plan, execute_t, reserve, run, start
from zen._core._views cimport View, buffer1, buffer2, view1, view2

cnp.import_array()

cdef enum:
    WORTH = 1 << 14      # elements from which releasing the GIL is worth it
    LONG = 512           # additions to one row from which float is not exact enough

cdef enum:               # the buffers
    TABLE = 0
    NUMBERS = 1          # of int64
    GIVEN = 2            # a row for each number: what is read, or what is added
    FITS = 3             # one bint: whether every number is in range. Else the result is not to be used
    BUFFERS = 4

cdef struct Numbered:
    Plan plan
    Py_ssize_t count, height, width
    long long skipped
    Py_ssize_t most                      # how many rows may be named LONG times
    Py_ssize_t slots, often, sums        # in the workspace


cdef ndarray class_numbers(object x):
    # Integers as aligned, contiguous int64; None for anything else.
    if not isinstance(x, ndarray) or not is_integer(cnp.PyArray_TYPE(<ndarray>x)):
        return None
    return <ndarray>cnp.PyArray_FROMANY(
        x, cnp.NPY_INT64, 0, 0, cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_FORCECAST | cnp.NPY_ARRAY_ENSUREARRAY)


cdef ndarray as_rows(ndarray a):
    # The array as a matrix: its leading axes in one. A copy where it is not contiguous; for a matrix, itself.
    cdef cnp.npy_intp dims[2]
    cdef int k, nd = cnp.PyArray_NDIM(a)
    cdef ndarray view
    if nd == 2:
        return a
    if not cnp.PyArray_IS_C_CONTIGUOUS(a):
        a = contiguous(a)
    dims[0], dims[1] = 1, cnp.PyArray_DIMS(a)[nd - 1]
    for k in range(nd - 1):
        dims[0] *= cnp.PyArray_DIMS(a)[k]
    view = cnp.PyArray_SimpleNewFromData(2, dims, cnp.PyArray_TYPE(a), cnp.PyArray_DATA(a))
    cnp.set_array_base(view, a)
    return view


# --- rows by number


cdef inline bint is_double(const Plan* plan) noexcept nogil:
    return plan.typenum == cnp.NPY_DOUBLE


cdef void plan_rows(Numbered* s, execute_t execute, ndarray table, ndarray numbers) noexcept:
    s.count, s.width = cnp.PyArray_SIZE(numbers), width_of(table)
    s.height = cnp.PyArray_SIZE(table) // max(s.width, 1)
    start(&s.plan, execute, cnp.PyArray_TYPE(table), s.count * s.width < WORTH)


cdef inline View table_of(const Numbered* s, void** p) noexcept nogil:
    return buffer2(p[TABLE], s.plan.item, s.height, s.width)


cdef inline View rows_of(const Numbered* s, void** p) noexcept nogil:
    return buffer2(p[GIVEN], s.plan.item, s.count, s.width)


cdef inline View numbers_of(const Numbered* s, void** p) noexcept nogil:
    return buffer1(p[NUMBERS], sizeof(long long), s.count)


cdef void execute_gather(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Numbered* s = <const Numbered*>plan
    (<bint*>p[FITS])[0] = kernels.take_rows[is_double(plan)](table_of(s, p), numbers_of(s, p), rows_of(s, p))


cdef bint gather(ndarray out, ndarray table, ndarray rows) except -1:
    """out = table[rows]; False where a number is out of range."""
    cdef Numbered s
    cdef void* p[BUFFERS]
    cdef bint fits = True
    plan_rows(&s, execute_gather, table, rows)
    s.height = cnp.PyArray_DIMS(table)[0]
    p[TABLE], p[NUMBERS], p[GIVEN], p[FITS] = (
        cnp.PyArray_DATA(table), cnp.PyArray_DATA(rows), cnp.PyArray_DATA(out), &fits)
    run(&s.plan, p)
    return fits


cdef void execute_scatter(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Numbered* s = <const Numbered*>plan
    kernels.add_rows[is_double(plan)](table_of(s, p), numbers_of(s, p), rows_of(s, p), s.skipped)


cdef void execute_scatter_long(const Plan* plan, void** p, char* workspace) noexcept nogil:
    # Float loses what is added to a long sum: rows named often are added up in double.
    cdef const Numbered* s = <const Numbered*>plan
    cdef View slots = buffer1(workspace + s.slots, sizeof(int), s.height)
    cdef View often = buffer1(workspace + s.often, sizeof(long long), s.most)
    cdef int count
    memset(workspace + s.slots, 0, s.height * sizeof(int))
    count = kernels.find_long(numbers_of(s, p), slots, often, LONG)
    if count == 0:
        execute_scatter(plan, p, workspace)
        return
    memset(workspace + s.sums, 0, count * s.width * sizeof(double))
    kernels.add_long_rows(
        table_of(s, p), numbers_of(s, p), rows_of(s, p), s.skipped, slots, often,
        buffer2(workspace + s.sums, sizeof(double), count, s.width))


cdef void plan_scatter(Numbered* s, ndarray out, ndarray numbers, long long skipped) noexcept:
    plan_rows(s, execute_scatter, out, numbers)
    s.skipped, s.plan.adds = skipped, True
    s.most = min(s.count // LONG, s.height)     # rows that are named so often
    if s.most > 0 and not is_double(&s.plan):
        s.plan.execute = execute_scatter_long
        s.slots = reserve(&s.plan, s.height, sizeof(int) // sizeof(float))
        s.often = reserve(&s.plan, s.most, sizeof(long long) // sizeof(float))
        s.sums = reserve(&s.plan, s.most * (sizeof(double) // sizeof(float)), s.width)


cdef bint in_range(const long long* at, Py_ssize_t count, long long height, const long long* besides) noexcept nogil:
    """Whether every number is from 0 to height - 1 or, unless that is NULL, what `besides` points to."""
    cdef Py_ssize_t k
    cdef bint outside = False
    for k in range(count):
        if <unsigned long long>at[k] >= <unsigned long long>height:
            outside |= besides == NULL or at[k] != besides[0]
    return not outside


cdef int scatter_add(ndarray out, ndarray rows, ndarray g, long long skipped) except -1:
    """out[rows[k]] += g[k] for each k; `skipped` is a number passed over, or -1. IndexError for one out of range."""
    cdef Numbered s
    cdef void* p[BUFFERS]
    plan_scatter(&s, out, rows, skipped)
    if s.width == 0:
        return 0
    if not in_range(<const long long*>cnp.PyArray_DATA(rows), s.count, s.height, NULL):
        raise IndexError(f"scatter_add_rows: a row out of range: out has {s.height}")
    p[TABLE], p[NUMBERS], p[GIVEN] = cnp.PyArray_DATA(out), cnp.PyArray_DATA(rows), cnp.PyArray_DATA(g)
    return run(&s.plan, p)


def scatter_add_rows(ndarray out not None, ndarray rows not None, ndarray g not None, long long skipped=-1):
    """Add row k of `g` to row rows[k] of `out`, for each k; a row named twice gets both.

    out: float32 or float64 of shape (height, width), C-contiguous. rows: ints from 0 to height - 1, of any shape. g: of
    out's dtype, with rows.size * width elements. skipped: a number whose rows are left out. Raises ValueError for
    operands that do not fit, IndexError for a number out of range.
    """
    cdef ndarray numbers = class_numbers(rows)
    cdef int typenum = cnp.PyArray_TYPE(out)
    if not has_kernels(typenum) or cnp.PyArray_NDIM(out) != 2 or not cnp.PyArray_ISCARRAY(out):
        raise ValueError("scatter_add_rows: out must be a writeable C-contiguous matrix of float32 or float64")
    if numbers is None or cnp.PyArray_TYPE(g) != typenum or cnp.PyArray_SIZE(g) != numbers.size * width_of(out):
        raise ValueError("scatter_add_rows: rows must be ints, and g of out's dtype with a row for each of them")
    if not cnp.PyArray_ISCARRAY_RO(g):
        g = contiguous(g)
    scatter_add(out, numbers, g, skipped)


# --- the bias of a layer


cdef void fill_rows(ndarray out, ndarray row):
    """Every row of the matrix `out` becomes `row`, which may be strided."""
    cdef Py_ssize_t k, rows = cnp.PyArray_DIMS(out)[0], bytes = width_of(out) * cnp.PyArray_ITEMSIZE(out)
    cdef char* target = <char*>cnp.PyArray_DATA(out)
    cdef const char* source
    if not cnp.PyArray_IS_C_CONTIGUOUS(row):
        row = contiguous(row)
    source = <const char*>cnp.PyArray_DATA(row)
    if rows * bytes < WORTH:
        for k in range(rows):
            memcpy(target + k * bytes, source, bytes)
    else:
        with nogil:
            for k in range(rows):
                memcpy(target + k * bytes, source, bytes)


cdef void column_sums(ndarray out, ndarray g, bint accumulate):
    """out = g.sum(0), or out += it, for a matrix g."""
    cdef Py_ssize_t rows = cnp.PyArray_DIMS(g)[0], n = cnp.PyArray_DIMS(g)[1]
    cdef sum_columns_t kernel = kernels.sum_columns[cnp.PyArray_TYPE(g) == cnp.NPY_DOUBLE]
    if rows * n < WORTH:
        kernel(view2(g, rows, n), view1(out, n), accumulate)
    else:
        with nogil:
            kernel(view2(g, rows, n), view1(out, n), accumulate)

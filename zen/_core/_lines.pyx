"""Arrays as matrices of rows: rows read, filled and added, by number or all.

Called by _record and _engine, which checked dtypes and shapes; `scatter_add_rows` also from zen/ops. Arrays are float
or double and C-contiguous unless said otherwise. A row lies along the last axis; the leading axes count as one.
"""

from libc.string cimport memcpy
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels, is_integer
from zen._core._memory cimport contiguous
from zen._core._kernels cimport sum_columns_t
from zen._core._views cimport view1, view2

cnp.import_array()

cdef enum:
    WORTH = 1 << 14      # elements from which releasing the GIL is worth it
    LONG = 512           # additions to one row from which float is not exact enough


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


cdef bint gather(ndarray out, ndarray table, ndarray rows):
    """out = table[rows]; False where a number is out of range."""
    cdef Py_ssize_t count = cnp.PyArray_SIZE(rows), width = width_of(table), height = cnp.PyArray_DIMS(table)[0]
    cdef bint fits
    with nogil:
        fits = kernels.take_rows[cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE](
            view2(table, height, width), view1(rows, count), view2(out, count, width))
    return fits


cdef bint scatter_add_long(ndarray out, ndarray at, ndarray g, Py_ssize_t height, Py_ssize_t width, long long skipped):
    # Float loses what is added to a long sum: rows named often are added up in double. False where none is.
    cdef Py_ssize_t count = cnp.PyArray_SIZE(at), most = count // LONG
    cdef cnp.npy_intp dims[2]
    cdef ndarray slots, rows, sums
    cdef int longs
    dims[0], dims[1] = height, width
    slots = cnp.PyArray_ZEROS(1, dims, cnp.NPY_INT, 0)
    dims[0] = most
    rows = cnp.PyArray_EMPTY(1, dims, cnp.NPY_INT64, 0)
    with nogil:
        longs = kernels.find_long(view1(at, count), view1(slots, height), view1(rows, most), LONG)
    if longs == 0:
        return False
    dims[0] = longs
    sums = cnp.PyArray_ZEROS(2, dims, cnp.NPY_DOUBLE, 0)
    with nogil:
        kernels.add_long_rows(
            view2(out, height, width), view1(at, count), view2(g, count, width), skipped, view1(slots, height),
            view1(rows, most), view2(sums, longs, width))
    return True


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
    cdef Py_ssize_t count = cnp.PyArray_SIZE(rows), width = width_of(out)
    cdef Py_ssize_t height = cnp.PyArray_SIZE(out) // max(width, 1)
    cdef bint single = cnp.PyArray_TYPE(out) == cnp.NPY_FLOAT
    if width == 0:
        return 0
    if not in_range(<const long long*>cnp.PyArray_DATA(rows), count, height, NULL):
        raise IndexError(f"scatter_add_rows: a row out of range: out has {height}")
    if single and count >= LONG and scatter_add_long(out, rows, g, height, width, skipped):
        return 0
    with nogil:
        kernels.add_rows[not single](view2(out, height, width), view1(rows, count), view2(g, count, width), skipped)
    return 0


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

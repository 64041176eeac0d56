"""Kernels along one axis: running sums, linear recurrences, products of the others and tangents of products.

Called by zen/ops. An array is seen as (outer, n, inner): its lines of n elements lie along the axis, `inner` elements
apart. Values are float or double. Where lines lie side by side the loops run across them; where each is contiguous,
LINES of them are worked on together, because one addition waits for the one before.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array, same_shape
from zen._core._types cimport MAXDIMS

cnp.import_array()

ctypedef fused real:
    float
    double

cdef enum:
    LINES = 4
    PANEL = 256          # lines side by side that are worked on together
    LONG = 4096          # elements from which one line is cut into LINES


cdef int describe(Lines* s, ndarray a, int axis) except -1:
    cdef int k
    if not 0 <= axis < cnp.PyArray_NDIM(a):
        raise ValueError(f"axis {axis} is out of range for {cnp.PyArray_NDIM(a)} dimensions")
    s.outer, s.n, s.inner = 1, cnp.PyArray_DIMS(a)[axis], 1
    for k in range(axis):
        s.outer *= cnp.PyArray_DIMS(a)[k]
    for k in range(axis + 1, cnp.PyArray_NDIM(a)):
        s.inner *= cnp.PyArray_DIMS(a)[k]
    return 0


cdef ndarray ready(ndarray a):
    # C-contiguous, aligned, in the machine's byte order: `a` itself, or a copy.
    if not has_kernels(cnp.PyArray_TYPE(a)):
        raise TypeError("expected an array of float32 or float64")
    return a if cnp.PyArray_ISCARRAY_RO(a) else contiguous(a)


cdef ndarray like(ndarray a):
    return new_array(cnp.PyArray_NDIM(a), <Py_ssize_t*>cnp.PyArray_DIMS(a), cnp.PyArray_TYPE(a))


# --- running sums


cdef void sum_beside(const Lines* s, const real* x, real* out, bint back) noexcept nogil:
    cdef Py_ssize_t size = s.n * s.inner, step = -s.inner if back else s.inner
    cdef Py_ssize_t at = size - s.inner if back else 0, i, _k
    cdef const real* a
    cdef real* y
    for _ in range(s.outer):
        a, y = x + at, out + at
        for i in range(s.inner):
            y[i] = a[i]
        for _k in range(1, s.n):
            a += step
            y += step
            for i in range(s.inner):
                y[i] = y[i - step] + a[i]
        x += size
        out += size


cdef void sum_together(Py_ssize_t n, const real* x, real* out, bint back) noexcept nogil:
    cdef const real* a[LINES]
    cdef real* y[LINES]
    cdef real t0 = 0, t1 = 0, t2 = 0, t3 = 0
    cdef Py_ssize_t k, i
    for k in range(LINES):
        a[k], y[k] = x + k * n, out + k * n
    for i in range(n):
        k = n - 1 - i if back else i
        if i == 0:              # not 0 + x: minus zero stays
            t0, t1, t2, t3 = a[0][k], a[1][k], a[2][k], a[3][k]
        else:
            t0 = t0 + a[0][k]
            t1 = t1 + a[1][k]
            t2 = t2 + a[2][k]
            t3 = t3 + a[3][k]
        y[0][k], y[1][k], y[2][k], y[3][k] = t0, t1, t2, t3


cdef void sum_lines(const Lines* s, const real* x, real* out, bint back) noexcept nogil:
    cdef Lines rest
    cdef Py_ssize_t done = 0
    if s.inner == 1:
        while done + LINES <= s.outer:
            sum_together(s.n, x + done * s.n, out + done * s.n, back)
            done += LINES
    rest.outer, rest.n, rest.inner = s.outer - done, s.n, s.inner
    sum_beside(&rest, x + done * s.n, out + done * s.n, back)


def running_sum(ndarray x not None, int axis, bint back):
    """Sums along `axis` of all elements up to each one, itself included; with `back` of all from it on.

    x: float32 or float64, of any layout. Returns a C-contiguous array.
    """
    cdef Lines s
    cdef ndarray a = ready(x), out = like(a)
    describe(&s, a, axis)
    if cnp.PyArray_SIZE(a) == 0:
        return out
    with nogil:
        if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
            sum_lines(&s, <const float*>cnp.PyArray_DATA(a), <float*>cnp.PyArray_DATA(out), back)
        else:
            sum_lines(&s, <const double*>cnp.PyArray_DATA(a), <double*>cnp.PyArray_DATA(out), back)
    return out


# --- linear recurrences


cdef void recur(const Lines* s, const real* a, const real* b, real* out, bint back) noexcept nogil:
    cdef Py_ssize_t size = s.n * s.inner, step = -s.inner if back else s.inner
    cdef Py_ssize_t at = size - s.inner if back else 0, i, _k
    cdef const real* factor
    cdef const real* term
    cdef real* y
    for _ in range(s.outer):
        factor, term, y = a + at, b + at, out + at
        if back:                # r[k] has the factor of the element after it
            factor -= step
        for i in range(s.inner):
            y[i] = term[i]
        for _k in range(1, s.n):
            factor += step
            term += step
            y += step
            for i in range(s.inner):
                y[i] = term[i] + factor[i] * y[i - step]
        a += size
        b += size
        out += size


def recurrence(ndarray a not None, ndarray b not None, int axis, bint back):
    """y[k] = a[k] y[k - 1] + b[k] along `axis`, y[0] being b[0]; with `back` y[k] = a[k + 1] y[k + 1] + b[k].

    a, b: of one shape, both float32 or both float64, of any layout. Returns a C-contiguous array.
    """
    cdef Lines s
    cdef ndarray factors = ready(a), terms = ready(b), out = like(terms)
    describe(&s, terms, axis)
    if not same_shape(factors, terms) or cnp.PyArray_TYPE(factors) != cnp.PyArray_TYPE(terms):
        raise ValueError("recurrence: both arrays have one shape and dtype")
    if cnp.PyArray_SIZE(terms) == 0:
        return out
    with nogil:
        if cnp.PyArray_TYPE(out) == cnp.NPY_FLOAT:
            recur(
                &s, <const float*>cnp.PyArray_DATA(factors), <const float*>cnp.PyArray_DATA(terms),
                <float*>cnp.PyArray_DATA(out), back)
        else:
            recur(
                &s, <const double*>cnp.PyArray_DATA(factors), <const double*>cnp.PyArray_DATA(terms),
                <double*>cnp.PyArray_DATA(out), back)
    return out


# --- products of the others. A chain of products runs from each end of a line; where they have met, each finds what the
# other left there.


cdef inline void others_of(
    const real* x, real* out, Py_ssize_t n, Py_ssize_t step, Py_ssize_t across, Py_ssize_t m, real* before, real* after,
) noexcept nogil:
    # m lines, `across` apart, of elements `step` apart, given what comes before and after them; both are used up.
    cdef Py_ssize_t k, j, i
    for k in range(n):
        j = n - 1 - k
        if k < j:
            for i in range(m):
                out[k * step + i * across] = before[i]
                before[i] *= x[k * step + i * across]
                out[j * step + i * across] = after[i]
                after[i] *= x[j * step + i * across]
        elif k == j:
            for i in range(m):
                out[k * step + i * across] = before[i] * after[i]
                before[i] *= x[k * step + i * across]
                after[i] *= x[k * step + i * across]
        else:
            for i in range(m):
                out[k * step + i * across] *= before[i]
                before[i] *= x[k * step + i * across]
                out[j * step + i * across] *= after[i]
                after[i] *= x[j * step + i * across]


cdef void others_together(const real* x, real* out, Py_ssize_t n, real* before, real* after) noexcept nogil:
    # LINES contiguous lines, one after the other; what comes before and after them stays in registers.
    cdef real b[LINES]
    cdef real a[LINES]
    cdef Py_ssize_t i
    for i in range(LINES):
        b[i], a[i] = before[i], after[i]
    others_of(x, out, n, 1, n, LINES, b, a)


cdef void others_long(const real* x, real* out, Py_ssize_t n) noexcept nogil:
    # One line, cut into LINES and a rest of less than that.
    cdef Py_ssize_t m = n // LINES, rest = n - LINES * m, i, k
    cdef real whole[LINES]
    cdef real before[LINES]
    cdef real after[LINES]
    for i in range(LINES):
        whole[i] = 1
    for k in range(m):
        for i in range(LINES):
            whole[i] *= x[i * m + k]
    before[0], after[LINES - 1] = 1, 1
    for k in range(rest):
        after[LINES - 1] *= x[LINES * m + k]
    for i in range(1, LINES):
        before[i] = before[i - 1] * whole[i - 1]
        after[LINES - 1 - i] = after[LINES - i] * whole[LINES - i]
    whole[0], whole[1] = before[LINES - 1] * whole[LINES - 1], 1
    others_together(x, out, m, before, after)
    others_of(x + LINES * m, out + LINES * m, rest, 1, 1, 1, whole, whole + 1)


cdef void others_lines(const Lines* s, const real* x, real* out) noexcept nogil:
    cdef real before[PANEL]
    cdef real after[PANEL]
    cdef Py_ssize_t o = 0, i, start, m
    while o < s.outer:
        for i in range(PANEL):
            before[i] = after[i] = 1
        if s.inner == 1 and o + LINES <= s.outer:
            others_together(x, out, s.n, before, after)
            x += LINES * s.n
            out += LINES * s.n
            o += LINES
            continue
        if s.inner == 1 and s.n >= LONG:
            others_long(x, out, s.n)
        else:
            start = 0
            while start < s.inner:
                m = min(s.inner - start, <Py_ssize_t>PANEL)
                others_of(x + start, out + start, s.n, s.inner, 1, m, before, after)
                for i in range(m):
                    before[i] = after[i] = 1
                start += m
        x += s.n * s.inner
        out += s.n * s.inner
        o += 1


def prod_others(ndarray x not None, int axis):
    """For each element the product of the others along `axis`, without a division.

    x: float32 or float64, of any layout. Returns a C-contiguous array.
    """
    cdef Lines s
    cdef ndarray a = ready(x), out = like(a)
    describe(&s, a, axis)
    if cnp.PyArray_SIZE(a) == 0:
        return out
    with nogil:
        if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
            others_lines(&s, <const float*>cnp.PyArray_DATA(a), <float*>cnp.PyArray_DATA(out))
        else:
            others_lines(&s, <const double*>cnp.PyArray_DATA(a), <double*>cnp.PyArray_DATA(out))
    return out


def product_tangent(ndarray x not None, ndarray t not None, int axis):
    """The tangent of the products of x along `axis`, where t is that of x: without a division.

    x, t: of one shape, both float32 or both float64, of any layout. Returns an array without that axis.
    """
    cdef Lines s
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray a = ready(x), b = ready(t), out
    cdef int k, n = 0, nd = cnp.PyArray_NDIM(a)
    cdef bint is_double = cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE
    describe(&s, a, axis)
    if not same_shape(a, b) or cnp.PyArray_TYPE(a) != cnp.PyArray_TYPE(b):
        raise ValueError("product_tangent: both arrays have one shape and dtype")
    for k in range(nd):
        if k != axis:
            dims[n] = cnp.PyArray_DIMS(a)[k]
            n += 1
    out = new_array(n, dims, cnp.PyArray_TYPE(a))
    if cnp.PyArray_SIZE(out) == 0:
        return out
    with nogil:
        kernels.product_tangent[is_double](
            cnp.PyArray_DATA(a), cnp.PyArray_DATA(b), cnp.PyArray_DATA(out), s.outer, s.n, s.inner)
    return out

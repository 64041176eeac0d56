"""Kernels along one axis: running sums, linear recurrences, products of the others and tangents of products.

Called by zen/ops. An array is seen as (outer, n, inner): its lines of n elements lie along the axis, `inner` elements
apart. Values are float or double. Where lines lie side by side the loops run across them; where each is contiguous,
LINES of them are worked on together, because one addition waits for the one before. Plans (see _plan.pxd) are made for
lines; buffers are C-contiguous.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array, same_shape
from zen._core._plan cimport Plan, execute_t, run, start as start_plan
from zen._core._types cimport MAXDIMS
from zen._core._views cimport View, buffer1, buffer2, buffer3, check_views, flipped3

cnp.import_array()
check_views()

ctypedef fused real:
    float
    double

# The kernels as they are called, for float and for double.
ctypedef void (*line_t)(View x, View out) noexcept nogil
ctypedef void (*others_t)(View x, View out, Py_ssize_t n) noexcept nogil
ctypedef void (*recur_t)(View a, View b, View out) noexcept nogil

cdef line_t[2] OTHERS_BESIDE
cdef others_t[2] OTHERS_LINES
cdef line_t[2] SUM_BESIDE
cdef line_t[2] SUM_TOGETHER
cdef recur_t[2] RECUR
cdef recur_t[2] RECUR_LINES

cdef enum:
    LINES = 4
    PANEL = 256          # lines side by side that are worked on together
    LONG = 4096          # elements from which one line is cut into LINES
    WORTH = 1 << 14      # elements from which releasing the GIL is worth it

cdef enum:               # the buffers
    X = 0
    SECOND = 1           # the terms of a recurrence, the tangents of a product
    OUT = 2
    BUFFERS = 3

cdef struct Along:
    Plan plan
    Lines lines
    bint back            # from the end of each line to its start


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


cdef inline bint is_double(const Plan* plan) noexcept nogil:
    return plan.typenum == cnp.NPY_DOUBLE


cdef int plan_lines(Along* s, execute_t execute, ndarray x, int axis, bint back) except -1:
    describe(&s.lines, x, axis)
    s.back = back
    start_plan(&s.plan, execute, cnp.PyArray_TYPE(x), cnp.PyArray_SIZE(x) < WORTH)
    return 0


cdef inline View lines_of(const Along* s, void* p, Py_ssize_t lag) noexcept nogil:
    # (outer, n, inner), or the same with lines that run from their end to their start, then `lag` elements late.
    cdef Py_ssize_t outer = s.lines.outer, n = s.lines.n, inner = s.lines.inner
    return flipped3(p, s.plan.item, outer, n, inner, lag) if s.back else buffer3(p, s.plan.item, outer, n, inner)


cdef int run_on(const Along* s, ndarray x, ndarray second, ndarray out) except -1:
    cdef void* p[BUFFERS]
    p[X], p[SECOND], p[OUT] = cnp.PyArray_DATA(x), cnp.PyArray_DATA(second), cnp.PyArray_DATA(out)
    return run(&s.plan, p) if cnp.PyArray_SIZE(out) > 0 else 0


cdef ndarray like(ndarray a):
    return new_array(cnp.PyArray_NDIM(a), <Py_ssize_t*>cnp.PyArray_DIMS(a), cnp.PyArray_TYPE(a))


# --- running sums


cdef void sum_beside(const real[:, :, ::1] x, real[:, :, ::1] out) noexcept nogil:
    cdef Py_ssize_t o, k, i
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            out[o, 0, i] = x[o, 0, i]
        for k in range(1, x.shape[1]):
            for i in range(x.shape[2]):
                out[o, k, i] = out[o, k - 1, i] + x[o, k, i]


cdef void sum_together(const real[:, :, ::1] x, real[:, :, ::1] out) noexcept nogil:
    # Nothing runs across: x.shape[2] is 1.
    cdef Py_ssize_t outer = x.shape[0], o = 0, k
    cdef real t0, t1, t2, t3
    while o + LINES <= outer:
        t0, t1, t2, t3 = x[o, 0, 0], x[o + 1, 0, 0], x[o + 2, 0, 0], x[o + 3, 0, 0]     # not 0 + x: minus zero stays
        out[o, 0, 0], out[o + 1, 0, 0], out[o + 2, 0, 0], out[o + 3, 0, 0] = t0, t1, t2, t3
        for k in range(1, x.shape[1]):
            t0 = t0 + x[o, k, 0]
            t1 = t1 + x[o + 1, k, 0]
            t2 = t2 + x[o + 2, k, 0]
            t3 = t3 + x[o + 3, k, 0]
            out[o, k, 0], out[o + 1, k, 0], out[o + 2, k, 0], out[o + 3, k, 0] = t0, t1, t2, t3
        o += LINES
    while o < outer:
        t0 = out[o, 0, 0] = x[o, 0, 0]
        for k in range(1, x.shape[1]):
            t0 = t0 + x[o, k, 0]
            out[o, k, 0] = t0
        o += 1


SUM_BESIDE[0], SUM_BESIDE[1] = <line_t> <void*> sum_beside[float], <line_t> <void*> sum_beside[double]
SUM_TOGETHER[0], SUM_TOGETHER[1] = <line_t> <void*> sum_together[float], <line_t> <void*> sum_together[double]


cdef void execute_sum(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Along* s = <const Along*>plan
    cdef line_t kernel = SUM_TOGETHER[is_double(plan)] if s.lines.inner == 1 else SUM_BESIDE[is_double(plan)]
    kernel(lines_of(s, p[X], 0), lines_of(s, p[OUT], 0))


def running_sum(ndarray x not None, int axis, bint back):
    """Sums along `axis` of all elements up to each one, itself included; with `back` of all from it on.

    x: float32 or float64, of any layout. Returns a C-contiguous array.
    """
    cdef Along s
    cdef ndarray a = ready(x), out = like(a)
    plan_lines(&s, execute_sum, a, axis, back)
    run_on(&s, a, a, out)
    return out


# --- linear recurrences


cdef void recur(const real[:, :, ::1] a, const real[:, :, ::1] b, real[:, :, ::1] out) noexcept nogil:
    cdef Py_ssize_t o, k, i
    for o in range(out.shape[0]):
        for i in range(out.shape[2]):
            out[o, 0, i] = b[o, 0, i]
        for k in range(1, out.shape[1]):
            for i in range(out.shape[2]):
                out[o, k, i] = b[o, k, i] + a[o, k, i] * out[o, k - 1, i]


cdef void recur_lines(const real[:, :, ::1] a, const real[:, :, ::1] b, real[:, :, ::1] out) noexcept nogil:
    # Nothing runs across: what an element waits for stays in a register.
    cdef Py_ssize_t o, k
    cdef real y
    for o in range(out.shape[0]):
        y = out[o, 0, 0] = b[o, 0, 0]
        for k in range(1, out.shape[1]):
            y = b[o, k, 0] + a[o, k, 0] * y
            out[o, k, 0] = y


RECUR_LINES[0], RECUR_LINES[1] = <recur_t> <void*> recur_lines[float], <recur_t> <void*> recur_lines[double]
RECUR[0], RECUR[1] = <recur_t> <void*> recur[float], <recur_t> <void*> recur[double]


cdef void execute_recurrence(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Along* s = <const Along*>plan
    cdef recur_t kernel = RECUR_LINES[is_double(plan)] if s.lines.inner == 1 else RECUR[is_double(plan)]
    kernel(lines_of(s, p[X], 1), lines_of(s, p[SECOND], 0), lines_of(s, p[OUT], 0))


def recurrence(ndarray a not None, ndarray b not None, int axis, bint back):
    """y[k] = a[k] y[k - 1] + b[k] along `axis`, y[0] being b[0]; with `back` y[k] = a[k + 1] y[k + 1] + b[k].

    a, b: of one shape, both float32 or both float64, of any layout. Returns a C-contiguous array.
    """
    cdef Along s
    cdef ndarray factors = ready(a), terms = ready(b), out = like(terms)
    plan_lines(&s, execute_recurrence, terms, axis, back)
    if not same_shape(factors, terms) or cnp.PyArray_TYPE(factors) != cnp.PyArray_TYPE(terms):
        raise ValueError("recurrence: both arrays have one shape and dtype")
    run_on(&s, factors, terms, out)
    return out


# --- products of the others: of those before an element and of those after it


cdef void others_beside(const real[:, :, ::1] x, real[:, :, ::1] out) noexcept nogil:
    cdef Py_ssize_t n = x.shape[1], inner = x.shape[2], start, end, o, k, i
    cdef real product[PANEL]
    for o in range(x.shape[0]):
        start = 0
        while start < inner:
            end = min(start + PANEL, inner)
            for i in range(start, end):
                product[i - start] = 1
            for k in range(n):
                for i in range(start, end):
                    out[o, k, i] = product[i - start]
                    product[i - start] *= x[o, k, i]
            for i in range(start, end):
                product[i - start] = 1
            for k in range(n - 1, -1, -1):
                for i in range(start, end):
                    out[o, k, i] *= product[i - start]
                    product[i - start] *= x[o, k, i]
            start = end


cdef inline void others_of(
    const real[::1] x, real[::1] out, Py_ssize_t start, Py_ssize_t n, Py_ssize_t lines, real* before, real* after,
) noexcept nogil:
    # Lines one after the other, given the products before and after each; both are used up. A chain of products runs
    # from each end: where they have met, each finds what the other left.
    cdef Py_ssize_t k, i, left, right
    for k in range(n // 2):
        for i in range(lines):
            left, right = start + i * n + k, start + i * n + n - 1 - k
            out[left], out[right] = before[i], after[i]
            before[i] *= x[left]
            after[i] *= x[right]
    if n % 2:
        for i in range(lines):
            left = start + i * n + n // 2
            out[left] = before[i] * after[i]
            before[i] *= x[left]
            after[i] *= x[left]
    for k in range(n - n // 2, n):
        for i in range(lines):
            left, right = start + i * n + n - 1 - k, start + i * n + k
            out[left] *= after[i]
            out[right] *= before[i]
            after[i] *= x[left]
            before[i] *= x[right]


cdef void others_together(
    const real[::1] x, real[::1] out, Py_ssize_t start, Py_ssize_t n, real* before, real* after,
) noexcept nogil:
    # LINES lines: what comes before and after them stays in registers.
    cdef real b[LINES]
    cdef real a[LINES]
    cdef Py_ssize_t i
    for i in range(LINES):
        b[i], a[i] = before[i], after[i]
    others_of(x, out, start, n, LINES, b, a)


cdef void others_long(const real[::1] x, real[::1] out, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    # One line, cut into LINES and a rest of less than that.
    cdef Py_ssize_t m = n // LINES, end = start + n, rest = start + LINES * m, i, k
    cdef real whole[LINES]
    cdef real before[LINES]
    cdef real after[LINES]
    for i in range(LINES):
        whole[i] = 1
    for k in range(m):
        for i in range(LINES):
            whole[i] *= x[start + i * m + k]
    before[0], after[LINES - 1] = 1, 1
    for k in range(rest, end):
        after[LINES - 1] *= x[k]
    for i in range(1, LINES):
        before[i] = before[i - 1] * whole[i - 1]
        after[LINES - 1 - i] = after[LINES - i] * whole[LINES - i]
    whole[0], whole[1] = before[LINES - 1] * whole[LINES - 1], 1
    others_together(x, out, start, m, before, after)
    others_of(x, out, rest, end - rest, 1, whole, whole + 1)


cdef void others_lines(const real[::1] x, real[::1] out, Py_ssize_t n) noexcept nogil:
    # Nothing runs across; all lines one after the other.
    cdef Py_ssize_t size = x.shape[0], start = 0
    cdef real ones[LINES]
    cdef real before, after
    cdef int k
    for k in range(LINES):
        ones[k] = 1
    while start + LINES * n <= size:
        others_together(x, out, start, n, ones, ones)
        start += LINES * n
    while start < size:
        if n >= LONG:
            others_long(x, out, start, n)
        else:
            before = after = 1
            others_of(x, out, start, n, 1, &before, &after)
        start += n


OTHERS_BESIDE[0], OTHERS_BESIDE[1] = <line_t> <void*> others_beside[float], <line_t> <void*> others_beside[double]
OTHERS_LINES[0], OTHERS_LINES[1] = <others_t> <void*> others_lines[float], <others_t> <void*> others_lines[double]


cdef void execute_others(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Along* s = <const Along*>plan
    cdef Py_ssize_t size = s.lines.outer * s.lines.n
    if s.lines.inner == 1:
        OTHERS_LINES[is_double(plan)](buffer1(p[X], plan.item, size), buffer1(p[OUT], plan.item, size), s.lines.n)
    else:
        OTHERS_BESIDE[is_double(plan)](lines_of(s, p[X], 0), lines_of(s, p[OUT], 0))


def prod_others(ndarray x not None, int axis):
    """For each element the product of the others along `axis`, without a division.

    x: float32 or float64, of any layout. Returns a C-contiguous array.
    """
    cdef Along s
    cdef ndarray a = ready(x), out = like(a)
    plan_lines(&s, execute_others, a, axis, False)
    run_on(&s, a, a, out)
    return out


cdef void execute_tangent(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Along* s = <const Along*>plan
    kernels.product_tangent[is_double(plan)](
        lines_of(s, p[X], 0), lines_of(s, p[SECOND], 0),
        buffer2(p[OUT], plan.item, s.lines.outer, s.lines.inner))


def product_tangent(ndarray x not None, ndarray t not None, int axis):
    """The tangent of the products of x along `axis`, where t is that of x: without a division.

    x, t: of one shape, both float32 or both float64, of any layout. Returns an array without that axis.
    """
    cdef Along s
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray a = ready(x), b = ready(t), out
    cdef int k, n = 0, nd = cnp.PyArray_NDIM(a)
    plan_lines(&s, execute_tangent, a, axis, False)
    if not same_shape(a, b) or cnp.PyArray_TYPE(a) != cnp.PyArray_TYPE(b):
        raise ValueError("product_tangent: both arrays have one shape and dtype")
    for k in range(nd):
        if k != axis:
            dims[n] = cnp.PyArray_DIMS(a)[k]
            n += 1
    out = new_array(n, dims, cnp.PyArray_TYPE(a))
    run_on(&s, a, b, out)
    return out

"""Softmax, logsumexp and cross entropy over the last axis of arrays: plans of the kernels of `_kernels_lines.pxi`.

Called by _operations, which checked dtypes and shapes. Arrays are C-contiguous, all of float or all of double. Plans
(see _plan.pxd) are made for the rows that an array has.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._kernels cimport CHUNK, Targets, softmax_t
from zen._core._plan cimport Plan, execute_t, reserve, run, start
from zen._core._views cimport View, buffer1, buffer2

cnp.import_array()

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it

cdef enum:               # the buffers; NULL for those that a plan does not have
    X = 0                # of rows of n elements, as Y, G and OUT of softmax
    Y = 1                # the result; with an element for each row where it is reduced
    G = 2                # the cotangent of the result, or the tangent of X
    OUT = 3              # the gradient, or the tangent of Y
    P = 4                # probabilities that are kept for the gradient
    CLASSES = 5          # of int64
    WEIGHTS = 6          # of classes
    SUMS = 7             # a Sums
    FINITE = 8           # one bint: whether all results are finite. Else they are not to be used
    BUFFERS = 9

cdef struct Lines:
    Plan plan
    Py_ssize_t rows, n
    bint logarithm
    Targets targets
    double share
    Py_ssize_t work      # in the workspace: a row, or CHUNK elements where that is more

cdef struct Sums:
    double total, weight
    Py_ssize_t bad       # the first sample whose class is out of range, or -1


# --- the plan


cdef void plan_lines(Lines* s, execute_t execute, ndarray x, bint works) noexcept:
    cdef int k, nd = cnp.PyArray_NDIM(x)
    s.rows, s.n = 1, cnp.PyArray_DIMS(x)[nd - 1]
    for k in range(nd - 1):
        s.rows *= cnp.PyArray_DIMS(x)[k]
    start(&s.plan, execute, cnp.PyArray_TYPE(x), s.rows * s.n < WORTH)
    if works:
        s.work = reserve(&s.plan, 1, room_of(s.n))


cdef inline Py_ssize_t room_of(Py_ssize_t n) noexcept nogil:
    return max(n, <Py_ssize_t>CHUNK)


cdef inline bint is_double(const Plan* plan) noexcept nogil:
    return plan.typenum == cnp.NPY_DOUBLE


cdef inline void* data(ndarray a) noexcept nogil:
    return NULL if a is None else cnp.PyArray_DATA(a)


cdef inline View lines(const Lines* s, void* p) noexcept nogil:
    return buffer2(p, s.plan.item, s.rows, s.n)


cdef inline View column(const Lines* s, void* p) noexcept nogil:
    return buffer1(p, s.plan.item, s.rows)


cdef inline View work_of(const Lines* s, char* workspace) noexcept nogil:
    return buffer1(workspace + s.work, s.plan.item, room_of(s.n))


# --- softmax


cdef void execute_softmax(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    cdef bint wide = is_double(plan)
    cdef softmax_t kernel = kernels.log_softmax[wide] if s.logarithm else kernels.softmax[wide]
    kernel(lines(s, p[X]), lines(s, p[Y]), work_of(s, workspace))


cdef void execute_softmax_vjp(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    kernels.softmax_vjp[is_double(plan)](
        lines(s, p[G]), lines(s, p[Y]), lines(s, p[OUT]), work_of(s, workspace), s.logarithm, plan.adds)


cdef void execute_log_softmax_tangent(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    kernels.log_softmax_tangent[is_double(plan)](
        lines(s, p[G]), lines(s, p[Y]), lines(s, p[OUT]), work_of(s, workspace))


cdef int softmax_into(ndarray out, ndarray x, bint logarithm) except -1:
    """out = softmax(x), or its logarithm."""
    cdef Lines s
    cdef void* p[BUFFERS]
    s.logarithm, s.work = logarithm, 0
    plan_lines(&s, execute_softmax, x, logarithm)
    p[X], p[Y] = data(x), data(out)
    if s.rows > 0 and s.n > 0:
        run(&s.plan, p)
    return 0


cdef int softmax_vjp_into(ndarray out, ndarray g, ndarray y, bint logarithm, bint accumulate) except -1:
    """The gradient of softmax, or of its logarithm, from the result y; written or added."""
    cdef Lines s
    cdef void* p[BUFFERS]
    s.logarithm, s.work = logarithm, 0
    plan_lines(&s, execute_softmax_vjp, y, logarithm)
    s.plan.adds = accumulate
    p[G], p[Y], p[OUT] = data(g), data(y), data(out)
    if s.n > 0:
        run(&s.plan, p)
    return 0


cdef int log_softmax_tangent_into(ndarray out, ndarray t, ndarray y) except -1:
    """The tangent of the logarithm of softmax, y, where t is that of x."""
    cdef Lines s
    cdef void* p[BUFFERS]
    plan_lines(&s, execute_log_softmax_tangent, y, True)
    p[G], p[Y], p[OUT] = data(t), data(y), data(out)
    if s.rows > 0 and s.n > 0:
        run(&s.plan, p)
    return 0


# --- logsumexp


cdef void execute_logsumexp(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    (<bint*>p[FINITE])[0] = kernels.logsumexp[is_double(plan)](
        lines(s, p[X]), column(s, p[Y]), work_of(s, workspace))


cdef void execute_logsumexp_vjp(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    kernels.logsumexp_vjp[is_double(plan)](
        lines(s, p[X]), column(s, p[Y]), column(s, p[G]), lines(s, p[OUT]), work_of(s, workspace), plan.adds)


cdef bint logsumexp_into(ndarray out, ndarray x) except -1:
    """out = log(sum(exp(x))) over the last axis. False, and nothing to be used, where a result is not finite."""
    cdef Lines s
    cdef void* p[BUFFERS]
    cdef bint finite = True
    plan_lines(&s, execute_logsumexp, x, True)
    p[X], p[Y], p[FINITE] = data(x), data(out), &finite
    run(&s.plan, p)
    return finite


cdef int logsumexp_vjp_into(ndarray out, ndarray x, ndarray y, ndarray g, bint accumulate) except -1:
    """The gradient of logsumexp from x and the result y; written or added."""
    cdef Lines s
    cdef void* p[BUFFERS]
    plan_lines(&s, execute_logsumexp_vjp, x, True)
    s.plan.adds = accumulate
    p[X], p[Y], p[G], p[OUT] = data(x), data(y), data(g), data(out)
    run(&s.plan, p)
    return 0


# --- cross entropy


cdef inline View classes_of(const Lines* s, void* p) noexcept nogil:
    return buffer1(p, sizeof(long long), s.rows)


cdef inline View weights_of(const Lines* s, void* p) noexcept nogil:
    return buffer1(p, s.plan.item, s.n)


cdef void execute_cross_entropy(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    cdef Sums* sums = <Sums*>p[SUMS]
    cdef bint kept = p[P] != NULL
    cdef void* room = p[P] if kept else workspace + s.work
    sums.total = sums.weight = 0
    sums.bad = kernels.cross_entropy[is_double(plan)](
        lines(s, p[X]), buffer2(room, plan.item, s.rows if kept else max(<Py_ssize_t>CHUNK // s.n, 1), s.n), kept,
        column(s, p[Y]), classes_of(s, p[CLASSES]), weights_of(s, p[WEIGHTS]), &s.targets, &sums.total, &sums.weight)


cdef void execute_cross_entropy_vjp(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Lines* s = <const Lines*>plan
    kernels.cross_entropy_vjp[is_double(plan)](
        lines(s, p[P]), lines(s, p[OUT]), classes_of(s, p[CLASSES]), weights_of(s, p[WEIGHTS]), &s.targets,
        column(s, p[G]), s.share, plan.adds)


cdef Py_ssize_t cross_entropy_into(
    ndarray x, ndarray p, ndarray losses, ndarray classes, ndarray weights, const Targets* t, double* total,
    double* weight,
) except -2:
    """The losses (unless `losses` is None), their sum, and the sum of the weights of the samples that count.

    p: gets softmax(x) for the gradient, or None. weights: of the classes, or None. Returns the first sample whose class
    is out of range, else -1.
    """
    cdef Lines s
    cdef Sums sums
    cdef void* q[BUFFERS]
    s.targets = t[0]
    plan_lines(&s, execute_cross_entropy, x, p is None)
    total[0] = weight[0] = 0
    if s.rows == 0 or s.n == 0:
        return -1 if s.rows == 0 else 0
    q[X], q[P], q[Y], q[CLASSES], q[WEIGHTS], q[SUMS] = (
        data(x), data(p), data(losses), data(classes), data(weights), &sums)
    run(&s.plan, q)
    total[0], weight[0] = sums.total, sums.weight
    return sums.bad


cdef int cross_entropy_vjp_into(
    ndarray out, ndarray p, ndarray classes, ndarray weights, const Targets* t, ndarray g, double share,
    bint accumulate,
) except -1:
    """The gradient in the logits, written or added. g: the cotangent of each loss; None where `share` says it all."""
    cdef Lines s
    cdef void* q[BUFFERS]
    s.targets, s.share = t[0], share
    plan_lines(&s, execute_cross_entropy_vjp, p, False)
    s.plan.adds = accumulate
    q[P], q[OUT], q[CLASSES], q[WEIGHTS], q[G] = data(p), data(out), data(classes), data(weights), data(g)
    if s.n > 0:
        run(&s.plan, q)
    return 0

# How the nodes of layers hand their gradients on. Part of _engine.pyx.

cdef int backward_layer(Pass p, Node n) except -1:
    if n.row.kind == LINEAR:
        return backward_linear(p, n)
    if n.row.kind == CROSS_ENTROPY:
        return backward_cross_entropy(p, n)
    if n.row.kind == EMBEDDING:
        return backward_embedding(p, n)
    return backward_softmax(p, n)


cdef inline ndarray cotangent(Pass p):
    # The gradient at work in the order of memory.
    cdef ndarray g = <ndarray>p.array
    return g if cnp.PyArray_IS_C_CONTIGUOUS(g) else contiguous(g)


cdef int backward_linear(Pass p, Node n) except -1:
    cdef bint fresh
    cdef PyObject* out
    cdef ndarray g = as_rows(cotangent(p))
    cdef object s0 = n.s0, s1 = n.s1
    if p.needs(n.n0):
        out = p.open(n.n0, &fresh)
        gemm_into(as_rows(<ndarray>out), g, False, <ndarray>s1, False, not fresh)
    if p.needs(n.n1):
        out = p.open(n.n1, &fresh)
        gemm_into(<ndarray>out, g, True, as_rows(<ndarray>s0), False, not fresh)
    if p.needs(n.n2):
        out = p.open(n.n2, &fresh)
        column_sums(<ndarray>out, g, not fresh)
    return 0


cdef int backward_softmax(Pass p, Node n) except -1:
    cdef bint fresh
    cdef PyObject* out
    cdef object y = n.sy
    cdef ndarray g
    if p.needs(n.n0):
        g = cotangent(p)
        out = p.open(n.n0, &fresh)
        softmax_vjp_into(<ndarray>out, g, <ndarray>y, n.row.kind == LOG_SOFTMAX, not fresh)
    return 0


cdef int backward_cross_entropy(Pass p, Node n) except -1:
    cdef bint fresh
    cdef PyObject* out
    cdef Targets t
    cdef object target = n.s1, kept = n.s2
    cdef tuple params = n._params
    cdef ndarray numbers, g = None
    if not p.needs(n.n0):
        return 0
    numbers = class_numbers(target)
    t.classes = <const long long*>cnp.PyArray_DATA(numbers)
    t.weights = NULL if params[2] is None else cnp.PyArray_DATA(<ndarray>params[2])
    t.ignored, t.smoothing = params[3], params[4]
    if not in_range(t.classes, cnp.PyArray_SIZE(numbers), width_of(<ndarray>kept), &t.ignored):
        raise IndexError(f"{n.row.name}: a class is out of range: there are {width_of(<ndarray>kept)}")
    if p.array != NULL:
        g = cotangent(p)
    out = p.open(n.n0, &fresh)
    cross_entropy_vjp_into(
        <ndarray>out, <ndarray>kept, &t, g, n.c2 if g is not None else n.c2 * p.scalar, not fresh)
    return 0


cdef int backward_embedding(Pass p, Node n) except -1:
    cdef bint fresh
    cdef PyObject* out
    cdef object rows = n.s1, skipped = n._params[0]
    cdef ndarray g
    if p.needs(n.n0):
        g = cotangent(p)
        out = p.open(n.n0, &fresh)
        if fresh:
            memset(cnp.PyArray_DATA(<ndarray>out), 0, cnp.PyArray_NBYTES(<ndarray>out))
        scatter_add(<ndarray>out, class_numbers(rows), g, -1 if skipped is None else skipped)
    return 0

# Cross entropy of logits and classes. Part of _operations.pyx.

cdef bint is_sample(ndarray target, ndarray x) noexcept:
    # Whether there is one class for each row along x's last axis.
    cdef int k, nd = cnp.PyArray_NDIM(x) - 1
    if cnp.PyArray_NDIM(target) != nd:
        return False
    for k in range(nd):
        if cnp.PyArray_DIMS(target)[k] != cnp.PyArray_DIMS(x)[k]:
            return False
    return True


cdef Tensor run_cross_entropy(Row row, PyObject** inputs, int n, tuple params):
    # From logits and classes over the last axis; params as the row names them. Keeps softmax(x) for the gradient.
    cdef Arg a
    cdef Arg b
    cdef Targets t
    cdef ndarray x, target, numbers, weights, p = None, losses = None
    cdef Node node = None
    cdef int nd
    cdef double total, weight
    cdef str reduction = params[1]
    if not parse(<object>inputs[0], &a) or a.held != ARRAY or not parse_classes(<object>inputs[1], &b):
        return None
    cdef Node _own = taken(&a)
    x, target = <ndarray>a.array, <ndarray>b.array
    cdef ndarray logits = x
    nd = cnp.PyArray_NDIM(x)
    if params[0] != nd - 1 or not is_sample(target, x):
        return None
    weights = params[2]
    if weights is not None and cnp.PyArray_TYPE(weights) != a.typenum:
        return None
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    numbers = class_numbers(target)
    t.ignored, t.smoothing = params[3], params[4]
    if a.node != NULL and recording():
        p = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(x), a.typenum)
    if reduction == "none" and nd > 1:
        losses = new_array(nd - 1, <Py_ssize_t*>cnp.PyArray_DIMS(x), a.typenum)
    if cross_entropy_into(x, p, losses, numbers, weights, &t, &total, &weight) >= 0:
        return None
    if p is not None:
        node = record_layer(
            row, a.typenum, None, nd - 1 if losses is not None else 0, <Py_ssize_t*>cnp.PyArray_DIMS(x),
            _own, None, None)
        node._params = guarded_params(params, &node.watched)
        node.h0, node.s0, node.h1, node.s1 = ARRAY, kept(&a, node), ARRAY, kept(&b, node)
        node.s2 = p
        node.c2 = 1 if reduction != "mean" else (1 / weight if weight != 0 else 0)
    if losses is not None:
        return new_tensor(losses, node)
    if reduction == "mean":
        total /= weight
    return new_scalar(total if a.typenum == cnp.NPY_DOUBLE else <float>total, a.typenum, node)


cdef ndarray targets_of(Node n, Targets* t):
    # What the node says beside the logits. Returns the classes.
    cdef object target = n.s1, kept = n.s2
    cdef ndarray numbers = class_numbers(target)
    cdef Py_ssize_t count = width_of(<ndarray>kept)
    t.ignored, t.smoothing = n._params[3], n._params[4]
    if not in_range(<const long long*>cnp.PyArray_DATA(numbers), cnp.PyArray_SIZE(numbers), count, &t.ignored):
        raise IndexError(f"{n.row.name}: a class is out of range: there are {count}")
    return numbers


cdef object push_cross_entropy(Node n, PyObject** tangents):
    # The sums of each logit's tangent times the derivative by it.
    cdef Operands o
    cdef Targets t
    cdef ndarray classes = targets_of(n, &t), p = <ndarray>n.s2, slope, out
    cdef int nd = cnp.PyArray_NDIM(p)
    cdef double value = 0
    slope = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(p), n.typenum)
    cross_entropy_vjp_into(slope, p, classes, n._params[2], &t, None, n.c2, False)
    o.used = 0
    place(&o, ARGUMENT, slope, nd)
    place(&o, ARGUMENT + 1, <ndarray>tangents[0], nd)
    out = reduce_by(chosen(PRODUCT.forward, p), &o, slope, None if n.nd == 0 else (nd - 1,), False, &value)
    return out if out is not None else value if n.typenum == cnp.NPY_DOUBLE else <float>value


cdef int pull_cross_entropy(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef bint fresh
    cdef PyObject* out
    cdef Targets t
    cdef object kept = n.s2
    cdef ndarray classes, g = None
    if not p.needs(n.n0):
        return 0
    classes = targets_of(n, &t)
    if p.array != NULL:
        g = cotangent(p)
    out = p.open(n.n0, &fresh)
    cross_entropy_vjp_into(
        <ndarray>out, <ndarray>kept, classes, n._params[2], &t, g, n.c2 if g is not None else n.c2 * p.scalar,
        not fresh)
    return 0


register("cross_entropy", run_cross_entropy, pull_cross_entropy)
register_push("cross_entropy", push_cross_entropy)

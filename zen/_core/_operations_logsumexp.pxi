# logsumexp over the last axis of finite values. Part of _operations.pyx.

cdef Tensor run_logsumexp(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray x, out
    cdef Node node
    cdef int k, nd, left
    cdef bint kept_axis = params[1]
    if not parse(<object>inputs[0], &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    x = <ndarray>a.array
    nd = cnp.PyArray_NDIM(x)
    if cnp.PyArray_SIZE(x) == 0 or not (params[0] == (nd - 1,) or (params[0] is None and nd == 1)):
        return None
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    for k in range(nd - 1):
        dims[k] = cnp.PyArray_DIMS(x)[k]
    dims[nd - 1] = 1
    left = nd if kept_axis else nd - 1
    out = new_array(left, dims, a.typenum)
    if not logsumexp_into(out, x):
        return None
    node = record_one(row, &a, params, left, dims)
    if node is not None:
        node.h0, node.s0, node.hy, node.sy = ARRAY, kept(&a, node), ARRAY, out
    return new_tensor(out, node)


cdef ndarray scalar_array(double value, int typenum):
    cdef ndarray a = new_array(0, NULL, typenum)
    if typenum == cnp.NPY_FLOAT:
        (<float*>cnp.PyArray_DATA(a))[0] = <float>value
    else:
        (<double*>cnp.PyArray_DATA(a))[0] = value
    return a


cdef int pull_logsumexp(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef bint fresh
    cdef PyObject* out
    cdef object saved = n.s0, y = n.sy
    cdef ndarray x = <ndarray>saved
    cdef ndarray g
    if not p.needs(n.n0):
        return 0
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    g = cotangent(p) if p.array != NULL else scalar_array(p.scalar, n.typenum)
    out = p.open(n.n0, &fresh)
    logsumexp_vjp_into(<ndarray>out, x, <ndarray>y, g, not fresh)
    return 0


cdef object push_logsumexp(Node n, PyObject** t):
    # The tangents weighted as a gradient is shared, added up.
    cdef object saved = n.s0, y = n.sy
    cdef ndarray x = <ndarray>saved, out, weights, ones
    cdef Operands o
    cdef double value = 0
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    ones = new_array(n.nd, n.dims, n.typenum)
    ones.fill(1)
    weights = new_array(cnp.PyArray_NDIM(x), <Py_ssize_t*>cnp.PyArray_DIMS(x), n.typenum)
    logsumexp_vjp_into(weights, x, <ndarray>y, ones, False)
    o.used = 0
    place(&o, ARGUMENT, weights, cnp.PyArray_NDIM(x))
    place(&o, ARGUMENT + 1, <ndarray>t[0], cnp.PyArray_NDIM(x))
    out = reduce_by(chosen(PRODUCT.forward, x), &o, x, n._params[0], n._params[1], &value)
    return value if out is None else out


register("logsumexp", run_logsumexp, pull_logsumexp)
register_push("logsumexp", push_logsumexp)

# Softmax and its logarithm over the last axis. Part of _operations.pyx.

cdef Tensor softmax(Row row, object x, tuple params, bint logarithm):
    cdef Arg a
    cdef ndarray array, out
    cdef Node node
    cdef int nd
    if not parse(x, &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    array = <ndarray>a.array
    nd = cnp.PyArray_NDIM(array)
    if params[0] != nd - 1:
        return None
    out = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(array), a.typenum)
    softmax_into(out, array if cnp.PyArray_IS_C_CONTIGUOUS(array) else contiguous(array), logarithm)
    node = record_one(row, &a, params, nd, <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if node is not None:
        node.hy, node.sy = ARRAY, out
    return new_tensor(out, node)


cdef int softmax_pull(Pass p, Node n, bint logarithm) except -1:
    cdef bint fresh
    cdef PyObject* out
    cdef object y = n.sy
    cdef ndarray g
    if p.needs(n.n0):
        g = cotangent(p)
        out = p.open(n.n0, &fresh)
        softmax_vjp_into(<ndarray>out, g, <ndarray>y, logarithm, not fresh)
    return 0


cdef Tensor run_softmax(Row row, PyObject** inputs, int n, tuple params):
    return softmax(row, <object>inputs[0], params, False)


cdef Tensor run_log_softmax(Row row, PyObject** inputs, int n, tuple params):
    return softmax(row, <object>inputs[0], params, True)


cdef int pull_softmax(object work, Node n) except -1:
    return softmax_pull(<Pass>work, n, False)


cdef int pull_log_softmax(object work, Node n) except -1:
    return softmax_pull(<Pass>work, n, True)


cdef object push_softmax(Node n, PyObject** t):
    # The derivative is symmetric.
    cdef ndarray out = new_array(n.nd, n.dims, n.typenum)
    softmax_vjp_into(out, in_order(<ndarray>t[0]), <ndarray>n.sy, False, False)
    return out


cdef object push_log_softmax(Node n, PyObject** t):
    cdef ndarray out = new_array(n.nd, n.dims, n.typenum)
    log_softmax_tangent_into(out, in_order(<ndarray>t[0]), <ndarray>n.sy)
    return out


register("softmax", run_softmax, pull_softmax)
register("log_softmax", run_log_softmax, pull_log_softmax)
register_push("softmax", push_softmax)
register_push("log_softmax", push_log_softmax)

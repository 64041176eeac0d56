# Rows of a matrix by number. Part of _operations.pyx.

cdef Tensor run_embedding(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef Arg b
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray table, rows, out
    cdef Node node
    cdef int k, nd
    if not parse(<object>inputs[0], &a) or a.held != ARRAY or not parse_classes(<object>inputs[1], &b):
        return None
    cdef Node _own = taken(&a)
    table, rows = <ndarray>a.array, <ndarray>b.array
    nd = cnp.PyArray_NDIM(rows)
    if cnp.PyArray_NDIM(table) != 2 or not cnp.PyArray_IS_C_CONTIGUOUS(table) or nd + 1 > MAXDIMS:
        return None
    for k in range(nd):
        dims[k] = cnp.PyArray_DIMS(rows)[k]
    dims[nd] = cnp.PyArray_DIMS(table)[1]
    out = new_array(nd + 1, dims, a.typenum)
    if not gather(out, table, class_numbers(rows)):
        return None
    node = record_one(row, &a, params, nd + 1, dims)
    if node is not None:
        node.h1, node.s1 = ARRAY, kept(&b, node)
    return new_tensor(out, node)


cdef int pull_embedding(object work, Node n) except -1:
    cdef Pass p = <Pass>work
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


cdef object push_embedding(Node n, PyObject** t):
    cdef object rows = n.s1
    cdef ndarray out, table = <ndarray>t[0]
    if n._params[0] is not None:        # a row that does not move
        return NotImplemented
    out = new_array(n.nd, n.dims, n.typenum)
    if not gather(out, table if cnp.PyArray_IS_C_CONTIGUOUS(table) else contiguous(table), class_numbers(rows)):
        return NotImplemented
    return out


register("embedding", run_embedding, pull_embedding)
register_push("embedding", push_embedding)

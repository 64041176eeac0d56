# x @ weight.T + bias. Part of _operations.pyx.

cdef Tensor run_linear(Row row, PyObject** inputs, int n, tuple params):
    # x @ weight.T + bias for arrays of one dtype: one product, onto the bias.
    cdef Arg a[3]
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray x, weight, bias = None, out, rows
    cdef Node node = None
    cdef int k, nd
    for k in range(n):
        if not parse(<object>inputs[k], &a[k]) or a[k].held != ARRAY or a[k].typenum != a[0].typenum:
            return None
    cdef Node n0 = taken(&a[0]), n1 = taken(&a[1]), n2 = taken(&a[2]) if n == 3 else None
    x, weight = <ndarray>a[0].array, <ndarray>a[1].array
    nd = cnp.PyArray_NDIM(x)
    if cnp.PyArray_NDIM(weight) != 2 or cnp.PyArray_DIMS(x)[nd - 1] != cnp.PyArray_DIMS(weight)[1]:
        return None
    for k in range(nd - 1):
        dims[k] = cnp.PyArray_DIMS(x)[k]
    dims[nd - 1] = cnp.PyArray_DIMS(weight)[0]
    if n == 3:
        bias = <ndarray>a[2].array
        if cnp.PyArray_NDIM(bias) != 1 or cnp.PyArray_DIMS(bias)[0] != dims[nd - 1]:
            return None
    out = new_array(nd, dims, a[0].typenum)
    rows = as_rows(out)
    if n == 3:
        fill_rows(rows, bias)
    gemm_into(rows, as_rows(x), False, weight, True, n == 3)
    if recording() and (a[0].node != NULL or a[1].node != NULL or (n == 3 and a[2].node != NULL)):
        node = record_layer(row, a[0].typenum, None, nd, dims, n0, n1, n2)
        if a[0].node != NULL:
            node.h1, node.s1 = ARRAY, kept(&a[1], node)
        if a[1].node != NULL:
            node.h0, node.s0 = ARRAY, kept(&a[0], node)
    return new_tensor(out, node)


cdef int pull_linear(object work, Node n) except -1:
    cdef Pass p = <Pass>work
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


cdef object push_linear(Node n, PyObject** t):
    cdef ndarray out = new_array(n.nd, n.dims, n.typenum), rows = as_rows(out)
    cdef object s0 = n.s0, s1 = n.s1
    cdef bint begun = n.count() == 3 and t[2] != NULL
    if begun:
        fill_rows(rows, <ndarray>t[2])
    if t[0] != NULL:
        gemm_into(rows, as_rows(<ndarray>t[0]), False, <ndarray>s1, True, begun)
        begun = True
    if t[1] != NULL:
        gemm_into(rows, as_rows(<ndarray>s0), False, <ndarray>t[1], True, begun)
    return out


register("linear", run_linear, pull_linear)
register("affine", run_linear, pull_linear)        # with a bias
register_push("linear", push_linear)
register_push("affine", push_linear)

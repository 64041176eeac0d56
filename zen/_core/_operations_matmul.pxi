# The product of two matrices or stacks of them, of a matrix and a vector, or of two vectors. Part of _operations.pyx.

cdef Tensor run_matmul(Row row, PyObject** inputs, int n, tuple params):
    # Float or double of one dtype whose shapes fit; else None.
    cdef Arg a[2]
    cdef Node node = None
    cdef ndarray left, right, out = None
    cdef double y = 0
    if not parse(<object>inputs[0], &a[0]) or not parse(<object>inputs[1], &a[1]):
        return None
    if a[0].held != ARRAY or a[1].held != ARRAY or a[0].typenum != a[1].typenum:
        return None
    cdef Node _n0 = taken(&a[0]), _n1 = taken(&a[1])
    left, right = <ndarray>a[0].array, <ndarray>a[1].array
    if are_stacks(left, right):
        out = stacked(left, right)
    elif cnp.PyArray_NDIM(left) + cnp.PyArray_NDIM(right) == 3:
        out = matvec(left, right)
        if out is None:
            return None
    elif cnp.PyArray_NDIM(left) == cnp.PyArray_NDIM(right) == 1:
        if cnp.PyArray_DIMS(left)[0] != cnp.PyArray_DIMS(right)[0]:
            return None
        if min(cnp.PyArray_STRIDES(left)[0], cnp.PyArray_STRIDES(right)[0]) <= 0:
            return None      # of these NumPy's matmul adds up in another order
        y = cnp.PyArray_MatrixProduct(left, right)
    elif is_matrix(left) and is_matrix(right) and cnp.PyArray_DIMS(left)[1] == cnp.PyArray_DIMS(right)[0]:
        out = matmul2d(left, right)
    else:
        return None
    if (a[0].node != NULL or a[1].node != NULL) and recording():
        node = new_node(row)
        node.compiled = True
        node.typenum = a[0].typenum
        if out is None:
            node.set_shape(0, NULL)
        else:
            node.set_shape(cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
        if a[0].node != NULL:
            node.n0, node.h1 = <Node>a[0].node, ARRAY
            node.s1 = kept(&a[1], node)
        if a[1].node != NULL:
            node.n1, node.h0 = <Node>a[1].node, ARRAY
            node.s0 = kept(&a[0], node)
        if (node.n0 is not None and node.n0.tracked) or (node.n1 is not None and node.n1.tracked):
            node.track()
    return new_scalar(y, a[0].typenum, node) if out is None else new_tensor(out, node)


cdef int pull_matmul(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef bint fresh
    cdef PyObject* out
    cdef ndarray g
    cdef object s0 = n.s0, s1 = n.s1
    if n.nd == 0:                # then the gradient is no array
        if p.needs(n.n0):
            add_multiple(p, n.n0, <ndarray>s1)
        if p.needs(n.n1):
            add_multiple(p, n.n1, <ndarray>s0)
        return 0
    if n.nd == 1:
        return pull_matvec(p, n, s0, s1)
    if n.nd > 2:
        return pull_stacks(p, n, s0, s1)
    g = <ndarray>p.array
    if p.needs(n.n0):
        out = p.open(n.n0, &fresh)
        gemm_into(<ndarray>out, g, False, <ndarray>s1, True, not fresh)
    if p.needs(n.n1):
        out = p.open(n.n1, &fresh)
        gemm_into(<ndarray>out, <ndarray>s0, True, g, False, not fresh)
    return 0


cdef int pull_stacks(Pass p, Node n, object s0, object s1) except -1:
    cdef bint fresh
    cdef PyObject* out
    cdef ndarray g = cotangent(p)
    if p.needs(n.n0):
        out = p.open(n.n0, &fresh)
        stacks_into(<ndarray>out, g, False, <ndarray>s1, True, not fresh)
    if p.needs(n.n1):
        out = p.open(n.n1, &fresh)
        stacks_into(<ndarray>out, <ndarray>s0, True, g, False, not fresh)
    return 0


cdef object push_matmul(Node n, PyObject** t):
    cdef ndarray out
    cdef object s0 = n.s0, s1 = n.s1
    cdef double y = 0
    if n.nd == 0:
        if t[0] != NULL:
            y = cnp.PyArray_MatrixProduct(<object>t[0], s1)
        if t[1] != NULL:
            y += <double>cnp.PyArray_MatrixProduct(s0, <object>t[1])
        return y
    out = new_array(n.nd, n.dims, n.typenum)
    if t[0] != NULL:
        product_into(out, <ndarray>t[0], <ndarray>s1, False)
    if t[1] != NULL:
        product_into(out, <ndarray>s0, <ndarray>t[1], t[0] != NULL)
    return out


cdef int product_into(ndarray out, ndarray a, ndarray b, bint accumulate) except -1:
    if cnp.PyArray_NDIM(out) > 2:
        stacks_into(out, a, False, b, False, accumulate)
    elif cnp.PyArray_NDIM(b) == 1:
        matvec_into(out, a, False, b, accumulate)
    elif cnp.PyArray_NDIM(a) == 1:
        matvec_into(out, b, True, a, accumulate)
    else:
        gemm_into(out, a, False, b, False, accumulate)
    return 0


register("matmul", run_matmul, pull_matmul)
register_push("matmul", push_matmul)

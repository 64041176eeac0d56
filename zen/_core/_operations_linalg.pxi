# Solutions, inverses and Cholesky factors of stacks of matrices. Part of _operations.pyx.

cdef bint parse_matrices(object x, Arg* a) except -1:
    # Square matrices in the last two axes, of float or double, not empty.
    cdef ndarray array
    cdef int nd
    if not parse(x, a) or a.held != ARRAY or not can_factor():
        return False
    array = <ndarray>a.array
    nd = cnp.PyArray_NDIM(array)
    if nd < 2 or cnp.PyArray_SIZE(array) == 0:
        return False
    return cnp.PyArray_DIMS(array)[nd - 1] == cnp.PyArray_DIMS(array)[nd - 2]


cdef ndarray pivots_for(ndarray a):
    return cnp.PyArray_EMPTY(cnp.PyArray_NDIM(a) - 1, cnp.PyArray_DIMS(a), cnp.NPY_INTP, 0)


cdef bint is_right_side(ndarray b, ndarray a) noexcept:
    # Whether b is one vector for one matrix, or a stack of matrices with the leading axes of a.
    cdef int k, nd = cnp.PyArray_NDIM(a)
    if cnp.PyArray_NDIM(b) == 1:
        return nd == 2 and cnp.PyArray_DIMS(b)[0] == cnp.PyArray_DIMS(a)[0]
    if cnp.PyArray_NDIM(b) != nd or cnp.PyArray_SIZE(b) == 0:
        return False
    for k in range(nd - 1):
        if cnp.PyArray_DIMS(b)[k] != cnp.PyArray_DIMS(a)[k]:
            return False
    return True


# --- solve: the factors serve both gradients


cdef Tensor run_solve(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a[2]
    cdef Node node = None
    cdef ndarray lu, pivots, out
    if not parse_matrices(<object>inputs[0], &a[0]) or not parse(<object>inputs[1], &a[1]):
        return None
    if a[1].held != ARRAY or a[0].typenum != a[1].typenum:
        return None
    cdef Node n0 = taken(&a[0]), n1 = taken(&a[1])
    cdef ndarray left = <ndarray>a[0].array, right = <ndarray>a[1].array
    if not is_right_side(right, left):
        return None
    lu, pivots = contiguous(left), pivots_for(left)
    out = contiguous(right)
    if not lu_factor(lu, pivots):
        return None
    lu_solve(lu, pivots, out, False)
    if recording() and (n0 is not None or n1 is not None):
        node = record_layer(
            row, a[0].typenum, None, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out), n0, n1, None)
        node.h0, node.s0 = ARRAY, kept(&a[0], node)
        node.s1, node.s2 = pivots, lu
        if n0 is not None:
            node.hy, node.sy = ARRAY, out
    return new_tensor(out, node)


cdef int pull_solve(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef bint fresh
    cdef PyObject* out
    cdef object pivots = n.s1, lu = n.s2, y = n.sy
    cdef ndarray g = contiguous(<ndarray>p.array)
    lu_solve(<ndarray>lu, <ndarray>pivots, g, True)
    if p.needs(n.n0):
        out = p.open(n.n0, &fresh)
        solve_pull_back(<ndarray>out, g, <ndarray>y, not fresh)
    if p.needs(n.n1):
        p.give_array(n.n1, g)
    return 0


cdef object push_solve(Node n, PyObject** t):
    # The solution of A dy = db - dA y.
    cdef object pivots = n.s1, lu = n.s2, y = n.sy
    cdef ndarray out
    if t[1] != NULL:
        out = contiguous(<ndarray>t[1])
    else:
        out = new_zeros(n.nd, n.dims, n.typenum)
    if t[0] != NULL:
        solve_push(out, in_order(<ndarray>t[0]), <ndarray>y)
    lu_solve(<ndarray>lu, <ndarray>pivots, out, False)
    return out


cdef inline ndarray in_order(ndarray a):
    return a if cnp.PyArray_IS_C_CONTIGUOUS(a) else contiguous(a)


# --- inverse


cdef Tensor run_inv(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef ndarray lu, pivots, out
    cdef Node node
    if not parse_matrices(<object>inputs[0], &a):
        return None
    cdef Node _own = taken(&a)
    cdef ndarray x = <ndarray>a.array
    lu, pivots = contiguous(x), pivots_for(x)
    if not lu_factor(lu, pivots):
        return None
    out = new_array(cnp.PyArray_NDIM(lu), <Py_ssize_t*>cnp.PyArray_DIMS(lu), a.typenum)
    lu_inverse(lu, pivots, out)
    node = record_one(row, &a, None, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if node is not None:
        node.hy, node.sy = ARRAY, out
    return new_tensor(out, node)


cdef int pull_inv(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef bint fresh
    cdef PyObject* out
    cdef object y = n.sy
    cdef ndarray g
    if p.needs(n.n0):
        g = cotangent(p)
        out = p.open(n.n0, &fresh)
        inverse_pull_back(<ndarray>out, <ndarray>y, g, not fresh)
    return 0


# --- Cholesky


cdef Tensor run_cholesky(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef ndarray out
    cdef Node node
    if not parse_matrices(<object>inputs[0], &a):
        return None
    cdef Node _own = taken(&a)
    cdef ndarray x = <ndarray>a.array
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    out = new_array(cnp.PyArray_NDIM(x), <Py_ssize_t*>cnp.PyArray_DIMS(x), a.typenum)
    if not cholesky_factor(x, out):
        return None
    node = record_one(row, &a, None, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if node is not None:
        node.hy, node.sy = ARRAY, out
    return new_tensor(out, node)


cdef int pull_cholesky(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef object y = n.sy
    cdef ndarray out
    if p.needs(n.n0):
        out = new_array(n.nd, n.dims, n.typenum)
        cholesky_pull_back(<ndarray>y, cotangent(p), out)
        p.give_array(n.n0, out)
    return 0


cdef object push_cholesky(Node n, PyObject** t):
    cdef object y = n.sy
    cdef ndarray out = new_array(n.nd, n.dims, n.typenum)
    cholesky_tangent(<ndarray>y, in_order(<ndarray>t[0]), out)
    return out


register("solve", run_solve, pull_solve)
register("inv", run_inv, pull_inv)
register("cholesky", run_cholesky, pull_cholesky)
register_push("solve", push_solve)
register_push("cholesky", push_cholesky)

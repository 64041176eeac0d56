# Arrays joined along an axis that they have, or along a new one. Part of _operations.pyx.

cdef bint may_join(ndarray x, ndarray first, int axis, bint stacked) noexcept:
    # Whether x has the shape of `first`, except along the axis on which both are joined, and lies by rows. NumPy has
    # rules for the order in memory of what is joined of others.
    cdef int k, nd = cnp.PyArray_NDIM(first)
    if cnp.PyArray_NDIM(x) != nd or not cnp.PyArray_IS_C_CONTIGUOUS(x):
        return False
    for k in range(nd):
        if cnp.PyArray_DIMS(x)[k] != cnp.PyArray_DIMS(first)[k] and (stacked or k != axis):
            return False
    return True


cdef Tensor joined(Row row, PyObject** inputs, int n, tuple params, bint stacked):
    # One pass over the operands, all of float or all of double, into memory of the engine's own.
    cdef Arg a
    cdef Py_ssize_t dims[MAXDIMS]
    cdef int k, nd, axis = params[0], typenum = 0
    cdef list arrays = [], nodes = []
    cdef ndarray first = None, out
    for k in range(n):
        if not parse(<object>inputs[k], &a) or a.held != ARRAY or (k > 0 and a.typenum != typenum):
            return None
        if first is None:
            first, typenum = <ndarray>a.array, a.typenum
        if not may_join(<ndarray>a.array, first, axis, stacked):
            return None
        arrays.append(<object>a.array)
        nodes.append(taken(&a))
    nd = cnp.PyArray_NDIM(first) + stacked
    if nd > MAXDIMS or not 0 <= axis < nd:
        return None
    for k in range(nd):
        dims[k] = n if stacked and k == axis else cnp.PyArray_DIMS(first)[k - (stacked and k > axis)]
    if not stacked:
        dims[axis] = sum([<Py_ssize_t>cnp.PyArray_DIMS(<ndarray>x)[axis] for x in arrays])
    out = new_array(nd, dims, typenum)
    fill_parts(out, arrays, axis, stacked)
    return new_tensor(out, record_joined(row, nodes, params, out))


cdef Node record_joined(Row row, list nodes, tuple params, ndarray out):
    cdef Node node = None, m
    if not recording():
        return None
    for m in nodes:
        if m is not None:
            if node is None:
                node = new_node(row)
            if m.tracked:
                node.track()
    if node is not None:
        node.compiled = True
        node.typenum, node._params = cnp.PyArray_TYPE(out), params
        node.set_shape(cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
        node.others = tuple(nodes)
        node.h0, node.s0 = ARRAY, (None,) * len(nodes)       # no gradient needs the values
    return node


cdef int fill_parts(ndarray out, list arrays, int axis, bint stacked) except -1:
    # Part k of `out` becomes arrays[k], one after the other along the axis.
    cdef Py_ssize_t outer = 1, step, bytes, at = 0, length, k
    cdef int j
    cdef char* target
    cdef const char* source
    cdef ndarray x
    if cnp.PyArray_SIZE(out) == 0:
        return 0
    for j in range(axis):
        outer *= cnp.PyArray_DIMS(out)[j]
    step = cnp.PyArray_NBYTES(out) // outer
    for x in arrays:
        length = 1 if stacked else cnp.PyArray_DIMS(x)[axis]
        bytes = cnp.PyArray_NBYTES(x) // outer
        target = <char*>cnp.PyArray_DATA(out) + at * cnp.PyArray_STRIDES(out)[axis]
        source = <const char*>cnp.PyArray_DATA(x)
        if cnp.PyArray_SIZE(x) < WORTH:
            for k in range(outer):
                memcpy(target + k * step, source + k * bytes, bytes)
        else:
            with nogil:
                for k in range(outer):
                    memcpy(target + k * step, source + k * bytes, bytes)
        at += length
    return 0


cdef ndarray part_of(ndarray a, int axis, Py_ssize_t start, Py_ssize_t length, bint dropped):
    # A view of a[start : start + length] along the axis, or of its one element without the axis.
    cdef cnp.npy_intp dims[MAXDIMS]
    cdef cnp.npy_intp strides[MAXDIMS]
    cdef int k, n = 0
    cdef ndarray view
    for k in range(cnp.PyArray_NDIM(a)):
        if k == axis and dropped:
            continue
        dims[n] = length if k == axis else cnp.PyArray_DIMS(a)[k]
        strides[n] = cnp.PyArray_STRIDES(a)[k]
        n += 1
    view = cnp.PyArray_New(
        ndarray, n, dims, cnp.PyArray_TYPE(a), strides,
        <char*>cnp.PyArray_DATA(a) + start * cnp.PyArray_STRIDES(a)[axis], 0,
        cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_WRITEABLE, <object>NULL)
    Py_INCREF(a)
    cnp.PyArray_SetBaseObject(view, a)
    return view


cdef int pull_joined(object work, Node n, bint stacked) except -1:
    cdef Pass p = <Pass>work
    cdef int k, axis = n._params[0]
    cdef Py_ssize_t at = 0, length
    cdef ndarray g = <ndarray>p.array
    cdef tuple nodes = n.others, bounds = None if stacked else n._params[1]
    cdef Node m
    for k in range(len(nodes)):
        m = <Node>nodes[k]
        if p.needs(m):
            at = k if stacked else bounds[k]
            length = 1 if stacked else m.dims[axis]
            p.give_array(m, part_of(g, axis, at, length, stacked))
    return 0


cdef Tensor run_concat(Row row, PyObject** inputs, int n, tuple params):
    return joined(row, inputs, n, params, False)


cdef Tensor run_stack(Row row, PyObject** inputs, int n, tuple params):
    return joined(row, inputs, n, params, True)


cdef int pull_concat(object work, Node n) except -1:
    return pull_joined(work, n, False)


cdef int pull_stack(object work, Node n) except -1:
    return pull_joined(work, n, True)


register("concat", run_concat, pull_concat)
register("stack", run_stack, pull_stack)

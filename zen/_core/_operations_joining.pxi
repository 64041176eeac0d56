# Arrays joined along an axis. Part of _operations.pyx.

cdef Tensor joined(Row row, PyObject** inputs, int n, tuple params, bint stacked):
    # Float arrays of one dtype, along an axis that they have or (stacked) a new one, where they may be 0-d.
    cdef Arg a
    cdef list arrays = [], nodes = []
    cdef int k, typenum = 0
    cdef bint wanted = False
    cdef tuple key = (slice(None),) * <int>params[0] + (None,)
    cdef Node node = None
    cdef object array
    cdef ndarray out
    for k in range(n):
        if not parse(<object>inputs[k], &a) or a.typenum == 0 or a.typenum != (typenum if k > 0 else a.typenum):
            return None
        if stacked and a.held == ARRAY and cnp.PyArray_NDIM(<ndarray>a.array) == MAXDIMS:
            return None
        typenum = a.typenum
        wanted = wanted or a.node != NULL
        nodes.append(taken(&a))
        if a.held != ARRAY:
            if not stacked:
                return None
            array = filled(a.scalar, typenum)
        elif stacked:
            array = (<object>a.array)[key]
        else:
            array = <object>a.array
        arrays.append(array)
    try:
        out = concatenated(arrays, params[0])
    except ValueError:
        return None                         # the generic path raises, with zen's message
    if wanted and recording():
        node = new_node(row)
        node.compiled = True
        node.typenum, node._params, node.others = typenum, params, tuple(nodes)
        node.set_shape(cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
        for m in nodes:
            if m is not None and (<Node>m).tracked:
                node.track()
    return new_tensor(out, node)


cdef ndarray concatenated(list arrays, int axis):
    # As NumPy does it, which has rules for the order in memory of what does not lie by rows, and raises.
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t total = 0
    cdef ndarray first = arrays[0], a, out
    cdef int k, nd = cnp.PyArray_NDIM(first)
    for x in arrays:
        a = x
        if cnp.PyArray_NDIM(a) != nd or not cnp.PyArray_IS_C_CONTIGUOUS(a) or not 0 <= axis < nd:
            return cnp.PyArray_Concatenate(arrays, axis)
        for k in range(nd):
            if k != axis and cnp.PyArray_DIMS(a)[k] != cnp.PyArray_DIMS(first)[k]:
                return cnp.PyArray_Concatenate(arrays, axis)
        total += cnp.PyArray_DIMS(a)[axis]
    for k in range(nd):
        dims[k] = total if k == axis else cnp.PyArray_DIMS(first)[k]
    out = new_array(nd, dims, cnp.PyArray_TYPE(first))
    fill_parts(out, arrays, axis)
    return out


cdef int fill_parts(ndarray out, list arrays, int axis) except -1:
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
        length = cnp.PyArray_DIMS(x)[axis]
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


cdef ndarray filled(double value, int typenum):
    # One element, along one axis.
    cdef Py_ssize_t one = 1
    cdef ndarray out = new_array(1, &one, typenum)
    if typenum == cnp.NPY_FLOAT:
        (<float*>cnp.PyArray_DATA(out))[0] = <float>value
    else:
        (<double*>cnp.PyArray_DATA(out))[0] = value
    return out


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


cdef int pull_concat(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef ndarray g = <ndarray>p.array
    cdef int k, axis = n._params[0]
    cdef tuple bounds = n._params[1]
    cdef Node m
    for k in range(n.count()):
        m = n.input(k)
        if p.needs(m):
            p.give_array(m, part_of(g, axis, bounds[k], m.dims[axis], False))
    return 0


cdef int pull_stack(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef ndarray g = <ndarray>p.array
    cdef int k, axis = n._params[0]
    cdef Node m
    for k in range(n.count()):
        m = n.input(k)
        if p.needs(m):
            if m.nd == 0:
                p.give_scalar(m, (<object>g)[k])
            else:
                p.give_array(m, part_of(g, axis, k, 1, True))
    return 0


cdef Tensor run_concat(Row row, PyObject** inputs, int n, tuple params):
    return joined(row, inputs, n, params, False)


cdef Tensor run_stack(Row row, PyObject** inputs, int n, tuple params):
    return joined(row, inputs, n, params, True)


cdef object push_concat(Node n, PyObject** t):
    cdef tuple shape = n.shape, bounds = n._params[1]
    cdef int k, axis = n._params[0]
    cdef list parts = []
    for k in range(n.count()):
        if t[k] == NULL:
            parts.append(np.zeros(shape[:axis] + (bounds[k + 1] - bounds[k],) + shape[axis + 1:], n.dtype))
        else:
            parts.append(<object>t[k])
    return concatenated(parts, axis)


cdef object push_stack(Node n, PyObject** t):
    cdef tuple shape = n.shape
    cdef int k, axis = n._params[0]
    cdef tuple key = (slice(None),) * axis + (None,)
    cdef object zeros = None
    cdef list parts = []
    for k in range(n.count()):
        if t[k] == NULL:
            if zeros is None:
                zeros = np.zeros(shape[:axis] + (1,) + shape[axis + 1:], n.dtype)
            parts.append(zeros)
        elif isinstance(<object>t[k], float):
            parts.append(filled(<double><object>t[k], n.typenum))
        else:
            parts.append((<object>t[k])[key])
    return concatenated(parts, axis)


register("concat", run_concat, pull_concat)
register("stack", run_stack, pull_stack)
register_push("concat", push_concat)
register_push("stack", push_stack)

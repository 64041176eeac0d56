# Sum and mean over axes. Part of _operations.pyx.

cdef Tensor total(Row row, object x, tuple params, bint mean):
    cdef Arg a
    cdef ndarray out
    cdef double value = 0
    if not parse(x, &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    out = reduced(<ndarray>a.array, params, mean, &value)
    if out is None:
        return new_scalar(value, a.typenum, record_one(row, &a, params, 0, NULL))
    return new_tensor(out, record_one(row, &a, params, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out)))


cdef ndarray reduced(ndarray array, tuple params, bint mean, double* value):
    # Sum or mean over axes (a tuple of non-negative ints or None, as the caller normalised them) of a float array. None
    # where no axis is left: then it is in `value`.
    cdef Operands o
    cdef ndarray out
    o.used = 0
    place(&o, ARGUMENT, array, cnp.PyArray_NDIM(array))
    out = reduce_by(identity_kernel(cnp.PyArray_TYPE(array)), &o, array, params[0], params[1], value)
    if mean and out is None:
        value[0] /= cnp.PyArray_SIZE(array)
        if cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT:
            value[0] = <float>value[0]
    elif mean and cnp.PyArray_SIZE(out) > 0:
        kernels.divide[cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE](
            view1(out, cnp.PyArray_SIZE(out)), cnp.PyArray_SIZE(array) // cnp.PyArray_SIZE(out))
    return out


cdef ndarray reduce_by(kernel_t kernel, Operands* o, ndarray array, object axes, bint keep, double* value):
    # The sums over axes of `array`, an operand in `o`, of what the kernel makes of the operands. None where no axis is
    # left: then the sum is in `value`.
    cdef ndarray out
    cdef Py_ssize_t dims[MAXDIMS]
    cdef bint gone[MAXDIMS]
    cdef int k, n = 0, nd = cnp.PyArray_NDIM(array), typenum = cnp.PyArray_TYPE(array)
    cdef double d = 0
    cdef float f = 0
    for k in range(nd):
        gone[k] = axes is None
    if axes is not None:
        for axis in <tuple>axes:
            gone[<int>axis] = True
    for k in range(nd):
        if not gone[k] or keep:
            dims[n] = 1 if gone[k] else cnp.PyArray_DIMS(array)[k]
            n += 1
    if n == 0:
        if typenum == cnp.NPY_DOUBLE:
            place_scalar(o, OUT, <void*>&d, 8, nd)
        else:
            place_scalar(o, OUT, <void*>&f, 4, nd)
        run_reduction(kernel, o, array)
        value[0] = d if typenum == cnp.NPY_DOUBLE else f
        return None
    out = new_total(o, array, n, dims, gone, keep)
    place(o, OUT, out, n)
    k_out = n - 1
    for k in range(nd - 1, -1, -1):      # spread the output's strides over the input's axes
        if gone[k]:
            o.strides[OUT][k] = 0
            k_out -= keep
        else:
            o.strides[OUT][k] = 0 if dims[k_out] == 1 else cnp.PyArray_STRIDES(out)[k_out]
            k_out -= 1
    run_reduction(kernel, o, array)
    return out


cdef ndarray new_total(Operands* o, ndarray array, int n, Py_ssize_t* dims, bint* reduced, bint keep):
    # Zeros for the sum of `array` over axes, with the axes that stay in the array's order of memory, as in NumPy.
    cdef int order[MAXDIMS]
    cdef int place_of[MAXDIMS]
    cdef int k, j = 0, nd = cnp.PyArray_NDIM(array)
    cdef ndarray out
    if cnp.PyArray_IS_C_CONTIGUOUS(array):
        out = new_array(n, dims, cnp.PyArray_TYPE(array))
    else:
        for k in range(nd):
            place_of[k] = j if keep or not reduced[k] else -1
            j += place_of[k] >= 0
        memory_order(o, nd, order)
        j = 0
        for k in range(nd):
            if place_of[order[k]] >= 0:
                order[j] = place_of[order[k]]
                j += 1
        out = new_ordered(n, dims, cnp.PyArray_TYPE(array), order)
    memset(cnp.PyArray_DATA(out), 0, cnp.PyArray_NBYTES(out))
    return out


cdef void run_reduction(kernel_t kernel, Operands* o, ndarray array):
    cdef int nd = cnp.PyArray_NDIM(array)
    cdef Py_ssize_t* dims = <Py_ssize_t*>cnp.PyArray_DIMS(array)
    if cnp.PyArray_SIZE(array) < WORTH:
        iterate(kernel, o, nd, dims, True)
    else:
        with nogil:
            iterate(kernel, o, nd, dims, True)


cdef ndarray spread(ndarray a, Node m, tuple axes, bint kept):
    # `a`, the gradient of a sum, seen in the shape of the summed array: stride 0 along the summed axes.
    cdef Py_ssize_t strides[MAXDIMS]
    cdef bint reduced[MAXDIMS]
    cdef int k, j = 0
    cdef ndarray view
    for k in range(m.nd):
        reduced[k] = axes is None
    if axes is not None:
        for axis in axes:
            reduced[<int>axis] = True
    for k in range(m.nd):
        if reduced[k]:
            strides[k] = 0
            j += kept
        else:
            strides[k] = cnp.PyArray_STRIDES(a)[j]
            j += 1
    view = cnp.PyArray_New(
        ndarray, m.nd, <cnp.npy_intp*>m.dims, m.typenum, <cnp.npy_intp*>strides, cnp.PyArray_DATA(a), 0,
        cnp.NPY_ARRAY_ALIGNED, <object>NULL)
    Py_INCREF(a)
    cnp.PyArray_SetBaseObject(view, a)
    return view


cdef int share(Pass p, Node n, bint mean) except -1:
    cdef Node m = n.n0
    cdef ndarray a
    cdef double part = 1
    if not p.needs(m):
        return 0
    if mean and elements(m) > 0:
        part = <double>elements(n) / elements(m)
    if p.array != NULL:
        a = <ndarray>p.array
        if mean:
            a = np.multiply(a, part)
        return p.give_array(m, spread(a, m, <tuple>n._params[0], n._params[1]))
    a = cnp.PyArray_EMPTY(0, NULL, n.typenum, 0)
    if n.typenum == cnp.NPY_FLOAT:
        (<float*>cnp.PyArray_DATA(a))[0] = <float>(p.scalar * part)
    else:
        (<double*>cnp.PyArray_DATA(a))[0] = p.scalar * part
    return p.give_array(m, spread(a, m, None, False))


cdef Tensor run_sum(Row row, PyObject** inputs, int n, tuple params):
    return total(row, <object>inputs[0], params, False)


cdef Tensor run_mean(Row row, PyObject** inputs, int n, tuple params):
    return total(row, <object>inputs[0], params, True)


cdef int pull_sum(object work, Node n) except -1:
    return share(<Pass>work, n, False)


cdef int pull_mean(object work, Node n) except -1:
    return share(<Pass>work, n, True)


cdef object pushed_total(Node n, PyObject** t, bint mean):
    cdef double value = 0
    cdef ndarray out = reduced(<ndarray>t[0], n._params, mean, &value)
    return value if out is None else out


cdef object push_sum(Node n, PyObject** t):
    return pushed_total(n, t, False)


cdef object push_mean(Node n, PyObject** t):
    return pushed_total(n, t, True)


register("sum", run_sum, pull_sum)
register("mean", run_mean, pull_mean)
register_push("sum", push_sum)
register_push("mean", push_mean)

# Sum and mean over axes. Part of _operations.pyx.

cdef Tensor total(Row row, object x, tuple params, bint mean):
    # Sum or mean over axes (a tuple of non-negative ints or None, as the caller normalised them) of a float array.
    cdef Arg a
    cdef Operands o
    cdef ndarray array, out
    cdef Py_ssize_t dims[MAXDIMS]
    cdef bint reduced[MAXDIMS]
    cdef int k, n = 0, nd
    cdef double d = 0
    cdef float f = 0
    cdef bint keep = params[1], is_double
    if not parse(x, &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    array = <ndarray>a.array
    nd, is_double = cnp.PyArray_NDIM(array), a.typenum == cnp.NPY_DOUBLE
    for k in range(nd):
        reduced[k] = params[0] is None
    if params[0] is not None:
        for axis in <tuple>params[0]:
            reduced[<int>axis] = True
    for k in range(nd):
        if not reduced[k] or keep:
            dims[n] = 1 if reduced[k] else cnp.PyArray_DIMS(array)[k]
            n += 1
    o.used = 0
    place(&o, ARGUMENT, array, nd)
    if n == 0:
        place_scalar(&o, OUT, <void*>&d if is_double else <void*>&f, 8 if is_double else 4, nd)
        run_reduction(&o, array, a.typenum)
        if not is_double:
            d = f
        if mean:
            d /= cnp.PyArray_SIZE(array)
        return new_scalar(d if is_double else <float>d, a.typenum, record_one(row, &a, params, 0, NULL))
    out = new_total(&o, array, n, dims, reduced, keep)
    place(&o, OUT, out, n)
    k_out = n - 1
    for k in range(nd - 1, -1, -1):      # spread the output's strides over the input's axes
        if reduced[k]:
            o.strides[OUT][k] = 0
            k_out -= keep
        else:
            o.strides[OUT][k] = 0 if dims[k_out] == 1 else cnp.PyArray_STRIDES(out)[k_out]
            k_out -= 1
    run_reduction(&o, array, a.typenum)
    if mean and cnp.PyArray_SIZE(out) > 0:
        with np.errstate(all="ignore"):
            np.true_divide(out, cnp.PyArray_SIZE(array) // cnp.PyArray_SIZE(out), out=out)
    return new_tensor(out, record_one(row, &a, params, n, dims))


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


cdef void run_reduction(Operands* o, ndarray array, int typenum):
    cdef kernel_t kernel = identity_kernel(typenum)
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


register("sum", run_sum, pull_sum)
register("mean", run_mean, pull_mean)

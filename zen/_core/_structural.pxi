# The compiled rows that are not elementwise: matrix product, sum and mean, views. Part of _record.pyx.

cdef Tensor matrix_product(Row row, object x, object y):
    # Two float or double matrices of one dtype whose shapes fit; else None.
    cdef Arg a[2]
    cdef Node node = None
    cdef ndarray left, right, out
    if not parse(x, &a[0]) or not parse(y, &a[1]):
        return None
    if a[0].held != ARRAY or a[1].held != ARRAY or a[0].typenum != a[1].typenum:
        return None
    cdef Node _n0 = taken(&a[0]), _n1 = taken(&a[1])
    left, right = <ndarray>a[0].array, <ndarray>a[1].array
    if not is_matrix(left) or not is_matrix(right) or cnp.PyArray_DIMS(left)[1] != cnp.PyArray_DIMS(right)[0]:
        return None
    out = matmul2d(left, right)
    if (a[0].node != NULL or a[1].node != NULL) and recording():
        node = new_node(row)
        node.compiled = True
        node.typenum = a[0].typenum
        node.set_shape(2, <Py_ssize_t*>cnp.PyArray_DIMS(out))
        if a[0].node != NULL:
            node.n0, node.h1 = <Node>a[0].node, ARRAY
            node.s1 = kept(&a[1], node)
        if a[1].node != NULL:
            node.n1, node.h0 = <Node>a[1].node, ARRAY
            node.s0 = kept(&a[0], node)
        if (node.n0 is not None and node.n0.tracked) or (node.n1 is not None and node.n1.tracked):
            node.track()
    return new_tensor(out, node)


cdef Node record_one(Row row, Arg* a, tuple params, int nd, const Py_ssize_t* dims):
    # The node of a compiled row of one argument that saves nothing.
    cdef Node node
    if a.node == NULL or not recording():
        return None
    node = new_node(row)
    node.compiled = True
    node.typenum = a.typenum
    node.n0, node._params = <Node>a.node, params
    node.set_shape(nd, dims)
    if node.n0.tracked:
        node.track()
    return node


cdef Tensor total(Row row, object x, tuple params):
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
        if row.kind == MEAN:
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
    if row.kind == MEAN and cnp.PyArray_SIZE(out) > 0:
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


cdef Tensor linked(Tensor t, Tensor x):
    # t, known as a view of x where its memory is that of x.
    cdef PyObject* base = <PyObject*>cnp.PyArray_BASE(<ndarray>t.data)
    if base != NULL and (base == <PyObject*>x.data or base == <PyObject*>cnp.PyArray_BASE(<ndarray>x.data)):
        t._base = x if x._base is None else x._base
        t._base.views += 1
        t.synced = t._base.version
    return t


cdef Tensor rearranged(Row row, object x, tuple params):
    # A float array in another shape, or with its axes in another order; None where that has no axes.
    cdef Arg a
    cdef ndarray out
    cdef object to = params[0]
    if not isinstance(x, Tensor) or not parse(x, &a) or a.held != ARRAY or len(to) == 0:
        return None
    cdef Node _own = taken(&a)
    array = <object>a.array
    try:
        out = array.reshape(to) if row.kind == RESHAPE else array.transpose(to)
    except (ValueError, TypeError, OverflowError):
        return None                         # the generic path raises, with zen's message
    return linked(new_tensor(out, record_one(
        row, &a, params, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))), <Tensor>x)


cdef bint is_basic(object key):
    # Whether NumPy answers `key` with a view: ints, slices, None and Ellipsis.
    if PyLong_CheckExact(key) or type(key) is slice or key is None or key is Ellipsis:
        return True
    if type(key) is tuple:
        for k in <tuple>key:
            if not (PyLong_CheckExact(k) or type(k) is slice or k is None or k is Ellipsis):
                return False
        return True
    return False


cdef object getitem(Tensor t, object key):
    cdef Arg a
    cdef Row row
    cdef ndarray view
    if t.data is None or not is_basic(key) or not parse(t, &a) or a.held != ARRAY:
        return hook("getitem")(t, key)
    cdef Node _own = taken(&a)           # an index of the user's own may write to t
    row = named_row("getitem")
    try:
        found = PyObject_GetItem(t.data, key)
    except IndexError:
        return hook("getitem")(t, key)      # raises, with zen's message
    if type(found) is not ndarray:          # every axis had an int: a NumPy scalar, a value of its own
        return new_scalar(<double>found, a.typenum, record_one(row, &a, (key,), 0, NULL))
    view = <ndarray>found
    return linked(new_tensor(view, record_one(
        row, &a, (key,), cnp.PyArray_NDIM(view), <Py_ssize_t*>cnp.PyArray_DIMS(view))), t)

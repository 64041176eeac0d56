# Variance, deviation and Euclidean norm over axes; the largest and smallest element. Part of _operations.pyx.
#
# What is added up, and the gradients, are what kernels of elementwise rows make of the elements and of one number for
# each group: the squared distance from the mean, the square, and the share that the larger of two has in a gradient.

cdef struct Pair:
    kernel_t forward[2]          # float, double
    kernel_t vjp[2]              # in the first argument

cdef double LARGEST = 1e15       # below which corrections are exact as doubles

cdef Pair DISTANCE, SQUARE, LARGER, SMALLER, PRODUCT


cdef int fill_pair(Pair* pair, str name) except -1:
    (_, single, double), vjps = find(name)
    pair.forward[0], pair.forward[1] = <kernel_t><size_t>single, <kernel_t><size_t>double
    _, single, double = vjps[0]
    pair.vjp[0], pair.vjp[1] = <kernel_t><size_t>single, <kernel_t><size_t>double
    return 0


fill_pair(&DISTANCE, "squared_error")
fill_pair(&SQUARE, "square")
fill_pair(&LARGER, "maximum")
fill_pair(&SMALLER, "minimum")
fill_pair(&PRODUCT, "multiply")


cdef inline kernel_t chosen(kernel_t* kernels, ndarray a) noexcept:
    return kernels[cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE]


cdef ndarray for_groups(double number, PyObject* array, object axes, ndarray x):
    # A new array with one element for each group of x, the reduced axes at length 1: of an array of the shape of the
    # reduction, or where that is NULL of a number for all.
    cdef Py_ssize_t dims[MAXDIMS]
    cdef bint gone[MAXDIMS]
    cdef Py_ssize_t k
    cdef int nd = cnp.PyArray_NDIM(x)
    cdef ndarray out, source
    for k in range(nd):
        gone[k] = axes is None
    if axes is not None:
        for axis in <tuple>axes:
            gone[<int>axis] = True
    for k in range(nd):
        dims[k] = 1 if gone[k] else cnp.PyArray_DIMS(x)[k]
    out = new_array(nd, dims, cnp.PyArray_TYPE(x))
    if array != NULL:
        source = <ndarray>array
        if not cnp.PyArray_IS_C_CONTIGUOUS(source):
            source = contiguous(source)
        memcpy(cnp.PyArray_DATA(out), cnp.PyArray_DATA(source), cnp.PyArray_NBYTES(out))
    elif cnp.PyArray_TYPE(x) == cnp.NPY_DOUBLE:
        for k in range(cnp.PyArray_SIZE(out)):
            (<double*>cnp.PyArray_DATA(out))[k] = number
    else:
        for k in range(cnp.PyArray_SIZE(out)):
            (<float*>cnp.PyArray_DATA(out))[k] = <float>number
    return out


cdef ndarray mean_of(ndarray x, object axes):
    # With the reduced axes at length 1. x has at least one axis.
    cdef double unused = 0
    return reduced(x, (axes, True), True, &unused)


cdef Tensor root_of(
    Row row, Arg* a, tuple params, ndarray out, double value, bint root, bint saves, ndarray mean
):
    # The node and Tensor of a reduction whose sums are in `out` or `value`, perhaps of their square roots. mean: of the
    # groups, for the gradient, or None.
    cdef Node node
    if out is None:
        value = sqrt(value) if root else value
        value = value if a.typenum == cnp.NPY_DOUBLE else <float>value
        node = record_one(row, a, params, 0, NULL)
    else:
        if root:
            kernels.square_roots[a.typenum == cnp.NPY_DOUBLE](view1(out, cnp.PyArray_SIZE(out)))
        node = record_one(row, a, params, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if node is not None:
        node.h0, node.s0 = ARRAY, kept(a, node)
        if saves:
            node.hy, node.sy, node.cy = ARRAY if out is not None else SCALAR, out, value
        node.s1 = mean
    return new_scalar(value, a.typenum, node) if out is None else new_tensor(out, node)


cdef Tensor deviation(Row row, object x, tuple params, bint root):
    cdef Arg a
    cdef Operands o
    cdef ndarray array, mean, out
    cdef double value = 0, freedom
    if not isinstance(params[1], (int, float)) or not abs(params[1]) < LARGEST:     # which nan is not
        return None
    if not parse(x, &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    array = <ndarray>a.array
    mean = mean_of(array, params[0])
    o.used = 0
    place(&o, ARGUMENT, array, cnp.PyArray_NDIM(array))
    place(&o, ARGUMENT + 1, mean, cnp.PyArray_NDIM(array))
    out = reduce_by(chosen(DISTANCE.forward, array), &o, array, params[0], params[2], &value)
    freedom = max(<double>group_size(array, params[0]) - <double>params[1], 0)
    if out is None:
        value /= freedom
    else:
        kernels.divide[cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE](view1(out, cnp.PyArray_SIZE(out)), freedom)
    return root_of(row, &a, params, out, value, root, root, mean)


cdef Py_ssize_t group_size(ndarray x, object axes) except -1:
    cdef Py_ssize_t size = 1
    cdef int k
    for k in range(cnp.PyArray_NDIM(x)):
        if axes is None or k in <tuple>axes:
            size *= cnp.PyArray_DIMS(x)[k]
    return size


cdef ndarray deviation_weights(Node n, ndarray x, bint root):
    # For each group, half of what the derivative has beside the distances from the mean.
    cdef double freedom = group_size(x, n._params[0]) - <double>n._params[1]
    cdef double scale = 1 / freedom if freedom > 0 else NAN
    return inverse_of(n, x, 0.5 * scale) if root else for_groups(scale, NULL, n._params[0], x)


cdef ndarray inverse_of(Node n, ndarray x, double scale):
    # scale / y for each group, and 0 where y is 0, in the shape with the reduced axes at length 1.
    cdef ndarray y = result_of(n, x)
    kernels.reciprocals[cnp.PyArray_TYPE(y) == cnp.NPY_DOUBLE](view1(y, cnp.PyArray_SIZE(y)), scale)
    return y


cdef ndarray result_of(Node n, ndarray x):
    return for_groups(n.cy, NULL if n.hy == SCALAR else <PyObject*>n.sy, n._params[0], x)


cdef int pull_weighted(Pass p, Node n, kernel_t* formulas, ndarray weights, ndarray second) except -1:
    # x, its groups' weights times their cotangents, and what else the kernel reads, make the gradient.
    cdef Operands o
    cdef ndarray x = <ndarray>n.s0, factors = for_groups(p.scalar, p.array, n._params[0], x)
    cdef Py_ssize_t groups = cnp.PyArray_SIZE(factors)
    cdef bint fresh
    cdef PyObject* out
    cdef int nd = cnp.PyArray_NDIM(x)
    cdef Py_ssize_t* dims = <Py_ssize_t*>cnp.PyArray_DIMS(x)
    cdef kernel_t kernel = chosen(formulas, x)
    kernels.multiply_each[n.typenum == cnp.NPY_DOUBLE](view1(factors, groups), view1(weights, groups))
    out = p.open(n.n0, &fresh)
    o.used = 0
    place(&o, OUT, <ndarray>out, nd)
    place(&o, COTANGENT, factors, nd)
    place(&o, ARGUMENT, x, nd)
    if second is not None:
        place(&o, ARGUMENT + 1, second, nd)
    if cnp.PyArray_SIZE(x) < WORTH:
        iterate(kernel, &o, nd, dims, not fresh)
    else:
        with nogil:
            iterate(kernel, &o, nd, dims, not fresh)
    return 0


cdef object push_weighted(Node n, PyObject* t, kernel_t* formulas, ndarray weights, ndarray second, bint keep):
    # As `pull_weighted`, with the tangent in the place of the cotangent, added up over each group.
    cdef Operands o
    cdef ndarray x = <ndarray>n.s0, out
    cdef Py_ssize_t size
    cdef int nd = cnp.PyArray_NDIM(x)
    cdef double value = 0
    if cnp.PyArray_SIZE(x) == 0:    # a group's weight may be nan, but no element is there to be multiplied by it
        return NotImplemented
    o.used = 0
    place(&o, COTANGENT, <ndarray>t, nd)
    place(&o, ARGUMENT, x, nd)
    if second is not None:
        place(&o, ARGUMENT + 1, second, nd)
    out = reduce_by(chosen(formulas, x), &o, x, n._params[0], keep, &value)
    if out is None:
        value *= <double>weights.item()
        return value if n.typenum == cnp.NPY_DOUBLE else <float>value
    if not cnp.PyArray_IS_C_CONTIGUOUS(out):
        out = contiguous(out)
    size = cnp.PyArray_SIZE(out)
    kernels.multiply_each[n.typenum == cnp.NPY_DOUBLE](view1(out, size), view1(weights, size))
    return out


cdef Tensor run_var(Row row, PyObject** inputs, int n, tuple params):
    return deviation(row, <object>inputs[0], params, False)


cdef Tensor run_std(Row row, PyObject** inputs, int n, tuple params):
    return deviation(row, <object>inputs[0], params, True)


cdef int deviation_pull(Pass p, Node n, bint root) except -1:
    cdef object x = n.s0
    if p.needs(n.n0):
        pull_weighted(p, n, DISTANCE.vjp, deviation_weights(n, x, root), <ndarray>n.s1)
    return 0


cdef object deviation_push(Node n, PyObject** t, bint root):
    cdef object x = n.s0
    return push_weighted(
        n, t[0], DISTANCE.vjp, deviation_weights(n, x, root), <ndarray>n.s1, n._params[2])


cdef int pull_var(object work, Node n) except -1:
    return deviation_pull(<Pass>work, n, False)


cdef int pull_std(object work, Node n) except -1:
    return deviation_pull(<Pass>work, n, True)


cdef object push_var(Node n, PyObject** t):
    return deviation_push(n, t, False)


cdef object push_std(Node n, PyObject** t):
    return deviation_push(n, t, True)


cdef Tensor run_norm2(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef Operands o
    cdef ndarray array, out
    cdef double value = 0
    if not parse(<object>inputs[0], &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    array = <ndarray>a.array
    o.used = 0
    place(&o, ARGUMENT, array, cnp.PyArray_NDIM(array))
    out = reduce_by(chosen(SQUARE.forward, array), &o, array, params[0], params[1], &value)
    return root_of(row, &a, params, out, value, True, True, None)


cdef int pull_norm2(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef object x = n.s0
    if p.needs(n.n0):
        pull_weighted(p, n, SQUARE.vjp, inverse_of(n, x, 0.5), None)
    return 0


cdef object push_norm2(Node n, PyObject** t):
    cdef object x = n.s0
    return push_weighted(n, t[0], SQUARE.vjp, inverse_of(n, x, 0.5), None, n._params[1])


# --- extremes: equal elements share the gradient; where the extreme is nan, that is for the row's formula


cdef Tensor extreme(Row row, object x, tuple params, object reduce):
    cdef Arg a
    cdef object y
    if not parse(x, &a) or a.held != ARRAY or cnp.PyArray_SIZE(<ndarray>a.array) == 0:
        return None
    cdef Node _own = taken(&a)
    cdef object array = <object>a.array, warnings = hush()
    try:
        y = reduce(array, params[0], None, None, params[1])
    finally:
        unhush(warnings)
    if isinstance(y, ndarray) and cnp.PyArray_NDIM(<ndarray>y) > 0:
        return root_of(row, &a, params, <ndarray>y, 0, False, True, None)
    return root_of(row, &a, params, None, <double>y, False, True, None)


cdef ndarray ties(Node n, ndarray x, ndarray y, kernel_t* formulas):
    # For each group 2 / the number of its elements that are the extreme y; None where one is nan.
    cdef Operands o
    cdef double two = 2, unused = 0
    cdef float single = 2
    cdef int nd = cnp.PyArray_NDIM(x)
    cdef ndarray count
    if kernels.has_nan[n.typenum == cnp.NPY_DOUBLE](view1(y, cnp.PyArray_SIZE(y))):
        return None
    o.used = 0
    if n.typenum == cnp.NPY_DOUBLE:
        place_scalar(&o, COTANGENT, <void*>&two, 8, nd)
    else:
        place_scalar(&o, COTANGENT, <void*>&single, 4, nd)
    place(&o, ARGUMENT, x, nd)
    place(&o, ARGUMENT + 1, y, nd)
    count = reduce_by(chosen(formulas, x), &o, x, n._params[0], True, &unused)
    kernels.reciprocals[n.typenum == cnp.NPY_DOUBLE](view1(count, cnp.PyArray_SIZE(count)), 2)
    return count


cdef int extreme_pull(Pass p, Node n, kernel_t* kernels) except -1:
    cdef object x = n.s0
    cdef ndarray y, shares
    if not p.needs(n.n0):
        return 0
    y = result_of(n, x)
    shares = ties(n, x, y, kernels)
    if shares is None:
        return pull_formula(p, n)
    return pull_weighted(p, n, kernels, shares, y)


cdef object extreme_push(Node n, PyObject** t, kernel_t* kernels):
    cdef object x = n.s0, made = extreme_tangent(n, t[0])
    cdef ndarray y, shares
    if made is not NotImplemented:
        return made
    y = result_of(n, x)
    shares = ties(n, x, y, kernels)
    return NotImplemented if shares is None else push_weighted(n, t[0], kernels, shares, y, n._params[1])


cdef Tensor run_max(Row row, PyObject** inputs, int n, tuple params):
    return extreme(row, <object>inputs[0], params, np.maximum.reduce)


cdef Tensor run_min(Row row, PyObject** inputs, int n, tuple params):
    return extreme(row, <object>inputs[0], params, np.minimum.reduce)


cdef int pull_max(object work, Node n) except -1:
    return extreme_pull(<Pass>work, n, LARGER.vjp)


cdef int pull_min(object work, Node n) except -1:
    return extreme_pull(<Pass>work, n, SMALLER.vjp)


cdef object push_max(Node n, PyObject** t):
    return extreme_push(n, t, LARGER.vjp)


cdef object push_min(Node n, PyObject** t):
    return extreme_push(n, t, SMALLER.vjp)


register("var", run_var, pull_var)
register("std", run_std, pull_std)
register("norm2", run_norm2, pull_norm2)
register_push("var", push_var)
register_push("std", push_std)
register_push("norm2", push_norm2)
register("max", run_max, pull_max)
register("min", run_min, pull_min)
register_push("max", push_max)
register_push("min", push_min)

# The compiled rows of layers: linear, softmax, cross entropy, embedding. Part of _record.pyx. Each returns None for
# what it does not take, errors included: the NumPy form of the row then computes, or raises.

cdef Node record_layer(Row row, int typenum, tuple params, int nd, const Py_ssize_t* dims, Node a, Node b, Node c):
    # The node of a compiled row whose inputs' nodes are a, b and c (None where there is none).
    cdef Node node = new_node(row)
    node.compiled = True
    node.typenum, node._params = typenum, params
    node.set_shape(nd, dims)
    node.n0, node.n1, node.n2 = a, b, c
    if (a is not None and a.tracked) or (b is not None and b.tracked) or (c is not None and c.tracked):
        node.track()
    return node


cdef Tensor linear(Row row, tuple inputs):
    # x @ weight.T + bias for arrays of one dtype: one product, onto the bias.
    cdef Arg a[3]
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray x, weight, bias = None, out, rows
    cdef Node node = None
    cdef int k, nd, n = len(inputs)
    for k in range(n):
        if not parse(inputs[k], &a[k]) or a[k].held != ARRAY or a[k].typenum != a[0].typenum:
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


cdef Tensor softmax(Row row, object x, tuple params):
    # softmax or its logarithm over the last axis.
    cdef Arg a
    cdef ndarray array, out
    cdef Node node
    cdef int nd
    if not parse(x, &a) or a.held != ARRAY:
        return None
    cdef Node _own = taken(&a)
    array = <ndarray>a.array
    nd = cnp.PyArray_NDIM(array)
    if params[0] != nd - 1:
        return None
    out = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(array), a.typenum)
    softmax_into(out, array if cnp.PyArray_IS_C_CONTIGUOUS(array) else contiguous(array), row.kind == LOG_SOFTMAX)
    node = record_one(row, &a, params, nd, <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if node is not None:
        node.hy, node.sy = ARRAY, out
    return new_tensor(out, node)


cdef bint parse_classes(object x, Arg* a) except -1:
    # Class or row numbers: an array of integers.
    cdef object array = (<Tensor>x).data if isinstance(x, Tensor) else x
    if type(array) is not ndarray or not cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(<ndarray>array)):
        return False
    a.node, a.held, a.array, a.foreign = NULL, ARRAY, <PyObject*>array, not isinstance(x, Tensor)
    return True


cdef bint is_sample(ndarray target, ndarray x) noexcept:
    # Whether there is one class for each row along x's last axis.
    cdef int k, nd = cnp.PyArray_NDIM(x) - 1
    if cnp.PyArray_NDIM(target) != nd:
        return False
    for k in range(nd):
        if cnp.PyArray_DIMS(target)[k] != cnp.PyArray_DIMS(x)[k]:
            return False
    return True


cdef Tensor cross_entropy(Row row, tuple inputs, tuple params):
    # From logits and classes over the last axis; params as the row names them. Keeps softmax(x) for the gradient.
    cdef Arg a
    cdef Arg b
    cdef Targets t
    cdef ndarray x, target, numbers, weights, p = None, losses = None
    cdef Node node = None
    cdef int nd
    cdef double total, weight
    cdef str reduction = params[1]
    if not parse(inputs[0], &a) or a.held != ARRAY or not parse_classes(inputs[1], &b):
        return None
    cdef Node _own = taken(&a)
    x, target = <ndarray>a.array, <ndarray>b.array
    cdef ndarray logits = x
    nd = cnp.PyArray_NDIM(x)
    if params[0] != nd - 1 or not is_sample(target, x):
        return None
    weights = params[2]
    if weights is not None and cnp.PyArray_TYPE(weights) != a.typenum:
        return None
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    numbers = class_numbers(target)
    t.classes = <const long long*>cnp.PyArray_DATA(numbers)
    t.weights = NULL if weights is None else cnp.PyArray_DATA(weights)
    t.ignored, t.smoothing = params[3], params[4]
    if a.node != NULL and recording():
        p = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(x), a.typenum)
    if reduction == "none" and nd > 1:
        losses = new_array(nd - 1, <Py_ssize_t*>cnp.PyArray_DIMS(x), a.typenum)
    if cross_entropy_into(x, p, losses, &t, &total, &weight) >= 0:
        return None
    if p is not None:
        node = record_layer(
            row, a.typenum, None, nd - 1 if losses is not None else 0, <Py_ssize_t*>cnp.PyArray_DIMS(x),
            _own, None, None)
        node._params = guarded_params(params, &node.watched)
        node.h0, node.s0, node.h1, node.s1 = ARRAY, kept(&a, node), ARRAY, kept(&b, node)
        node.s2 = p
        node.c2 = 1 if reduction != "mean" else (1 / weight if weight != 0 else 0)
    if losses is not None:
        return new_tensor(losses, node)
    if reduction == "mean":
        total /= weight
    return new_scalar(total if a.typenum == cnp.NPY_DOUBLE else <float>total, a.typenum, node)


cdef Tensor embedding(Row row, tuple inputs, tuple params):
    # Rows of a matrix by number.
    cdef Arg a
    cdef Arg b
    cdef Py_ssize_t dims[MAXDIMS]
    cdef ndarray table, rows, out
    cdef Node node
    cdef int k, nd
    if not parse(inputs[0], &a) or a.held != ARRAY or not parse_classes(inputs[1], &b):
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

# Parts of an array, other shapes and other orders of axes. Part of _operations.pyx.

cdef Tensor rearranged(Row row, object x, tuple params, bint permuted):
    # A float array in another shape, or with its axes in another order; None where that has no axes.
    cdef Arg a
    cdef ndarray out
    cdef object to = params[0]
    if not isinstance(x, Tensor) or not parse(x, &a) or a.held != ARRAY or len(to) == 0:
        return None
    cdef Node _own = taken(&a)
    array = <object>a.array
    try:
        out = array.transpose(to) if permuted else array.reshape(to)
    except (ValueError, TypeError, OverflowError):
        return None                         # the generic path raises, with zen's message
    return linked(new_tensor(out, record_one(
        row, &a, params, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))), <Tensor>x)


cdef inline int leading(object key, ndarray a, Py_ssize_t* offset) noexcept:
    # How many axes a key of ints alone takes away, from the first one on, and how far it leads into the memory of `a`;
    # -1 for any other key, and for ints out of range.
    cdef bint alone = type(key) is not tuple
    cdef Py_ssize_t count = 1 if alone else len(<tuple>key)
    cdef PyObject* part = <PyObject*>key
    cdef Py_ssize_t length
    cdef long long at
    cdef int k, beyond = 0
    offset[0] = 0
    if count > cnp.PyArray_NDIM(a):
        return -1
    for k in range(count):
        if not alone:
            part = (<PyTupleObject*>key).ob_item[k]
        if not PyLong_CheckExact(<object>part):
            return -1
        at, length = PyLong_AsLongLongAndOverflow(<object>part, &beyond), cnp.PyArray_DIMS(a)[k]
        if beyond != 0 or at < -length or at >= length:
            return -1
        offset[0] += (at + length if at < 0 else at) * cnp.PyArray_STRIDES(a)[k]
    return count


cdef object getitem(Row row, Tensor t, object key):
    if not tracing():
        return part(row, t, key)
    key = tracer().key(key)
    found = part(row, t, key)
    tracer().note(row, (t,), (key,), found)
    return found


cdef object part(Row row, Tensor t, object key):
    cdef Arg a
    cdef ndarray view
    cdef Py_ssize_t offset = 0
    cdef char* data
    if row is None or t.data is None or not is_basic(key) or not parse(t, &a) or a.held != ARRAY:
        return hook("getitem")(t, key)
    cdef Node _own = taken(&a)           # an index of the user's own may write to t
    if leading(key, <ndarray>a.array, &offset) == cnp.PyArray_NDIM(<ndarray>a.array):       # one element: a value
        data = <char*>cnp.PyArray_DATA(<ndarray>a.array) + offset
        return new_scalar(
            (<double*>data)[0] if a.typenum == cnp.NPY_DOUBLE else (<float*>data)[0], a.typenum,
            record_one(row, &a, (key,), 0, NULL))
    try:
        found = PyObject_GetItem(t.data, key)
    except IndexError:
        return hook("getitem")(t, key)      # raises, with zen's message
    view = <ndarray>found
    return linked(new_tensor(view, record_one(
        row, &a, (key,), cnp.PyArray_NDIM(view), <Py_ssize_t*>cnp.PyArray_DIMS(view))), t)


cdef int pull_getitem(object work, Node n) except -1:
    # Adds into the part that was read, without making an array of the whole shape for every read.
    cdef Pass p = <Pass>work
    cdef Node m = n.n0
    cdef bint fresh
    cdef PyObject* out
    cdef Py_ssize_t offset = 0
    cdef int axes
    cdef object key = n._params[0]
    if not p.needs(m):
        return 0
    out = p.open(m, &fresh)
    if fresh:
        memset(cnp.PyArray_DATA(<ndarray>out), 0, cnp.PyArray_NBYTES(<ndarray>out))
    axes = leading(key, <ndarray>out, &offset)
    if axes >= 0:
        add_at(p, <ndarray>out, offset, axes)
    elif p.array == NULL:
        key = (*key, Ellipsis) if type(key) is tuple and Ellipsis not in key else (
            key if type(key) is tuple else (key, Ellipsis))
        view = (<object>out)[key]
        view += p.scalar
    else:
        add_into(<ndarray>PyObject_GetItem(<object>out, key), <ndarray>p.array)
    return 0


cdef void add_at(Pass p, ndarray out, Py_ssize_t offset, int axes) noexcept:
    # Adds the gradient at work where ints on the first axes lead to.
    cdef Operands o
    cdef char* data = <char*>cnp.PyArray_DATA(out) + offset
    cdef int k, nd = cnp.PyArray_NDIM(out) - axes
    cdef const Py_ssize_t* dims = <Py_ssize_t*>cnp.PyArray_DIMS(out) + axes
    if p.array == NULL:
        if cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE:
            (<double*>data)[0] += p.scalar
        else:
            (<float*>data)[0] += <float>p.scalar
        return
    o.used = 1 << OUT
    o.data[OUT], o.item[OUT] = data, cnp.PyArray_ITEMSIZE(out)
    for k in range(nd):
        o.strides[OUT][k] = 0 if dims[k] == 1 else cnp.PyArray_STRIDES(out)[axes + k]
    place(&o, ARGUMENT, <ndarray>p.array, nd)
    iterate(identity_kernel(cnp.PyArray_TYPE(out)), &o, nd, dims, True)


cdef ndarray padded(ndarray v, int nd, const Py_ssize_t* dims, object key):
    # As `scattered`, in one pass, for a slice without gaps of the first axis; None for other keys and layouts.
    cdef Py_ssize_t start, stop, step, length, size
    cdef ndarray out
    cdef char* data
    cdef int k
    if type(key) is tuple and len(<tuple>key) == 1:
        key = (<tuple>key)[0]
    if type(key) is not slice or cnp.PyArray_NDIM(v) != nd or not cnp.PyArray_IS_C_CONTIGUOUS(v):
        return None
    PySlice_Unpack(key, &start, &stop, &step)
    length = PySlice_AdjustIndices(dims[0], &start, &stop, step)
    if step != 1 or length != cnp.PyArray_DIMS(v)[0]:
        return None
    size = cnp.PyArray_ITEMSIZE(v)
    for k in range(1, nd):
        if dims[k] != cnp.PyArray_DIMS(v)[k]:
            return None
        size *= dims[k]
    out = new_array(nd, dims, cnp.PyArray_TYPE(v))
    data = <char*>cnp.PyArray_DATA(out)
    memset(data, 0, start * size)
    memcpy(data + start * size, cnp.PyArray_DATA(v), length * size)
    memset(data + (start + length) * size, 0, (dims[0] - start - length) * size)
    return out


cdef ndarray scattered(object v, int typenum, tuple shape, object key):
    # Zeros of `shape` with `v`, an array or a number, at a basic key; None where the key does not lead to v's shape.
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t offset = 0
    cdef ndarray out, part
    cdef char* data
    cdef int k, nd = len(shape)
    if nd > MAXDIMS:
        return None
    for k in range(nd):
        dims[k] = shape[k]
    out = None if isinstance(v, float) else padded(<ndarray>v, nd, dims, key)
    if out is not None:
        return out
    out = new_zeros(nd, dims, typenum)
    if isinstance(v, float):
        if leading(key, out, &offset) != nd:
            return None
        data = <char*>cnp.PyArray_DATA(out) + offset
        if typenum == cnp.NPY_DOUBLE:
            (<double*>data)[0] = <double>v
        else:
            (<float*>data)[0] = <float><double>v
        return out
    try:
        found = PyObject_GetItem(out, key)
    except IndexError:
        return None
    if type(found) is not ndarray or not same_shape(<ndarray>found, <ndarray>v):
        return None
    part = <ndarray>found
    cnp.PyArray_CopyInto(part, <ndarray>v)
    return out


cdef Tensor run_scatter(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef ndarray out
    if len(<tuple>params[0]) == 0 or not is_basic(params[1]) or not parse(<object>inputs[0], &a):
        return None
    if a.typenum == 0:                      # a Python number
        return None
    cdef Node _own = taken(&a)
    out = scattered(<object>a.array if a.held == ARRAY else a.scalar, a.typenum, <tuple>params[0], params[1])
    if out is None:
        return None
    return new_tensor(out, record_one(
        row, &a, params, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out)))


cdef int pull_scatter(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    if not p.needs(n.n0):
        return 0
    found = PyObject_GetItem(<object>p.array, n._params[1])
    if n.n0.nd == 0:
        return p.give_scalar(n.n0, <double>found)
    return p.give_array(n.n0, found)


cdef object push_scatter(Node n, PyObject** t):
    return scattered(<object>t[0], n.typenum, <tuple>n._params[0], n._params[1])


cdef ndarray repeated(ndarray a, tuple shape):
    # A read-only view of `a` in a shape that it broadcasts to; None where it does not.
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t strides[MAXDIMS]
    cdef ndarray view
    cdef int k, nd = len(shape), lead = nd - cnp.PyArray_NDIM(a)
    if lead < 0 or nd > MAXDIMS:
        return None
    for k in range(nd):
        dims[k], strides[k] = shape[k], 0
        if k >= lead and cnp.PyArray_DIMS(a)[k - lead] == dims[k]:
            strides[k] = cnp.PyArray_STRIDES(a)[k - lead]
        elif k >= lead and cnp.PyArray_DIMS(a)[k - lead] != 1:
            return None
    view = cnp.PyArray_New(
        ndarray, nd, <cnp.npy_intp*>dims, cnp.PyArray_TYPE(a), <cnp.npy_intp*>strides, cnp.PyArray_DATA(a), 0,
        cnp.NPY_ARRAY_ALIGNED, <object>NULL)
    Py_INCREF(a)
    cnp.PyArray_SetBaseObject(view, a)
    return view


cdef Tensor run_broadcast_to(Row row, PyObject** inputs, int n, tuple params):
    cdef Arg a
    cdef ndarray out
    cdef object x = <object>inputs[0]
    if not isinstance(x, Tensor) or len(<tuple>params[0]) == 0 or not parse(x, &a):
        return None
    out = repeated(<ndarray>(<Tensor>x).values(), <tuple>params[0])
    if out is None:
        return None
    return linked(new_tensor(out, record_one(
        row, &a, params, cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))), <Tensor>x)


cdef int pull_broadcast_to(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    return p.give(n.n0, <object>p.array, n.row, 0) if p.needs(n.n0) else 0


cdef object push_broadcast_to(Node n, PyObject** t):
    cdef object a = <object>t[0]
    return repeated(<ndarray>a if type(a) is ndarray else number(<double>a, n.typenum), <tuple>n._params[0])


cdef Tensor run_reshape(Row row, PyObject** inputs, int n, tuple params):
    return rearranged(row, <object>inputs[0], params, False)


cdef Tensor run_permute_dims(Row row, PyObject** inputs, int n, tuple params):
    return rearranged(row, <object>inputs[0], params, True)


cdef int pull_reshape(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    if not p.needs(n.n0):
        return 0
    return p.give_array(n.n0, (<object>p.array).reshape(n.n0.shape))


cdef int pull_permute_dims(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef list order
    if not p.needs(n.n0):
        return 0
    order = [0] * n.n0.nd
    for k, axis in enumerate(n._params[0]):
        order[axis] = k
    return p.give_array(n.n0, (<object>p.array).transpose(order))


cdef object push_reshape(Node n, PyObject** t):
    return (<object>t[0]).reshape(n._params[0])


cdef object push_permute_dims(Node n, PyObject** t):
    return (<object>t[0]).transpose(n._params[0])


cdef object push_getitem(Node n, PyObject** t):
    found = PyObject_GetItem(<object>t[0], n._params[0])
    return found if type(found) is ndarray else <double>found


register("reshape", run_reshape, pull_reshape)
register("permute_dims", run_permute_dims, pull_permute_dims)
register("getitem", NULL, pull_getitem)        # indexing a Tensor comes here directly
register("scatter", run_scatter, pull_scatter)
register("broadcast_to", run_broadcast_to, pull_broadcast_to)
register_push("reshape", push_reshape)
register_push("permute_dims", push_permute_dims)
register_push("getitem", push_getitem)
register_push("scatter", push_scatter)
register_push("broadcast_to", push_broadcast_to)
set_getitem(getitem)

# The path of every row without a kernel for its operands: NumPy forward, saved values by the formulas' names.
# Part of _record.pyx.

cdef str SUPPORTED = "?bBhHiIlLqQefd"  # type characters: bool, the integers, float16, float32, float64


cdef object plain(object x):
    # What a row's NumPy form gets for an operand. Python scalars stay weak.
    if isinstance(x, Tensor):
        return (<Tensor>x).values()
    if isinstance(x, (bool, int, float)):
        return x
    if (type(x) is ndarray or isinstance(x, np.generic)) and x.dtype.char in SUPPORTED:
        return x
    return hook("convert")(x)  # raises for what has no meaning here; matrices and masked arrays are no operands either


cdef tuple evaluate(Row row, tuple inputs, tuple params):
    # (arrays, result) of the row's NumPy form; errors name the row and the shapes. What follows may read the arrays
    # through typed pointers, so those at odd addresses are copied, except where the result is a view of them.
    cdef list arrays = [plain(x) for x in inputs]
    cdef int k
    if not row.view:
        for k in range(len(arrays)):
            if type(arrays[k]) is ndarray and not cnp.PyArray_ISALIGNED(<ndarray>arrays[k]):
                arrays[k] = arrays[k].copy()
    try:
        if row.view:
            out = row.forward(*arrays, *params)
        else:
            with np.errstate(all="ignore"):
                out = row.forward(*arrays, *params)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        text = str(error)
        if text.startswith(row.name + ":"):
            raise
        shapes = " and ".join([str(np.shape(x)) for x in arrays])
        if "could not be broadcast" in text:
            raise ValueError(
                f"{row.name}: shapes {shapes} do not broadcast together; "
                "axes are compared from the last one and must be equal or 1"
            ) from error
        for kind in (np.linalg.LinAlgError, TypeError, OverflowError, ValueError, IndexError):
            if isinstance(error, kind):
                break
        raise kind(f"{row.name}: {text} (operand shapes: {shapes})") from error
    out = np.asarray(out)
    if not (cnp.PyArray_ISNOTSWAPPED(<ndarray>out) and (row.view or cnp.PyArray_ISALIGNED(<ndarray>out))):
        out = out.astype(out.dtype.newbyteorder("="))
    if not row.view:
        for x in arrays:
            if out is x:        # memory that the result shared unknown to the engine could not be written to
                out = x.copy()
                break
    if out.dtype.char not in SUPPORTED:
        raise TypeError(f"{row.name}: the result would have dtype {out.dtype}; zen holds real numbers and bools only")
    return tuple(arrays), out


cdef Tensor generic(Row row, tuple inputs, tuple params):
    arrays, out = evaluate(row, inputs, params)
    return finish(row, inputs, arrays, params, out)


cdef Tensor finish(Row row, tuple inputs, tuple arrays, tuple params, ndarray out):
    # Wraps the result, records it, and links a view to its base.
    cdef bint is_view = row.view and isinstance(inputs[0], Tensor)
    if row.view and not is_view:
        out = borrow(out)       # it may lie in an ndarray of the user's
    cdef Tensor t = new_tensor(out, record_generic(row, inputs, arrays, params, out))
    return linked(t, <Tensor>inputs[0]) if is_view else t


cdef Node record_generic(Row row, tuple inputs, tuple arrays, tuple params, ndarray out):
    cdef int k, j, n = len(inputs), typenum = cnp.PyArray_TYPE(out)
    cdef list nodes = [node_of(<Tensor>x) if isinstance(x, Tensor) else None for x in inputs]
    cdef list levels
    cdef Node node
    if not recording() or (<object>out).dtype.kind != "f":
        return None
    for k in range(n):
        if nodes[k] is not None:
            break
    else:
        return None
    row.ready()
    node = new_node(row)
    node.typenum, node._params = typenum, guarded_params(params, &node.watched)
    node.set_shape(cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if row.variadic or row.joint or n > 3:
        node.others = tuple(nodes)
    else:
        node.n0 = nodes[0]
        node.n1 = nodes[1] if n > 1 else None
        node.n2 = nodes[2] if n > 2 else None
    if row.joint:
        node._saved = (*[held_of(arrays[k], inputs[k], 2, node) for k in range(n)], held_of(out, None, 2, node))
        node.track()
    elif row.variadic:
        needs = row._needs[0]
        held = tuple([held_of(arrays[k], inputs[k], needs[0], node) for k in range(n)])
        node._saved = (held, held_of(out, None, needs[1], node))
    else:
        levels = [0] * (n + 1)
        for k in range(n):
            if nodes[k] is None:
                continue
            if row._vjps[k] is None:
                raise_constant(row, k, n)
            for j in range(n + 1):
                levels[j] = max(<int>levels[j], <int>row._needs[k][j])
        node._saved = (
            *[held_of(arrays[j], inputs[j], levels[j], node) for j in range(n)], held_of(out, None, levels[n], node))
    for k in range(n):
        if nodes[k] is not None and (<Node>nodes[k]).tracked:
            node.track()
    return node


cdef int raise_constant(Row row, int k, int n) except -1:
    raise TypeError(f"{row.name}: no derivative with respect to argument {k + 1} of {n}; detach() it if it is constant")


cdef object held_of(object x, object operand, int level, Node node):
    # What the node holds of x, the array of an operand, or (None) the result itself, which is the engine's own.
    # 0-d values are saved by copy: a write to them later does no harm.
    if level == 0:
        return None
    if level == 1:
        if isinstance(x, (ndarray, np.generic)):
            return Shaped(x.shape, x.dtype)
        return Shaped((), np.result_type(x))
    if not isinstance(x, ndarray):
        return x
    if x.ndim == 0:
        return x.copy()
    return keep(<PyObject*>x, operand is not None and not isinstance(operand, Tensor), &node.watched)


def record(Row row not None, tuple inputs not None, tuple params, out):
    """Like `apply`, for a result that was computed already (in-place writes)."""
    return finish(row, inputs, tuple([plain(x) for x in inputs]), params, out)

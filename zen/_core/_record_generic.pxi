# The path of every row without a kernel for its operands: NumPy forward, saved values by the formulas' names.
# Part of _record.pyx.


cdef object plain(object x):
    # What a row's NumPy form gets for an operand. Python scalars stay weak.
    if isinstance(x, Tensor):
        return (<Tensor>x).values()
    if isinstance(x, (bool, int, float, complex)):
        return x
    if (type(x) is ndarray or isinstance(x, np.generic)) and is_supported(typenum_of(x)):
        return x
    return hook("convert")(x)  # raises for what has no meaning here; matrices and masked arrays are no operands either


cdef tuple evaluate(Row row, tuple inputs, tuple params):
    # (arrays, what the row's NumPy form returns); errors name the row and the shapes. What follows may read the arrays
    # through typed pointers, so those at odd addresses are copied, except where the result is a view of them.
    cdef list arrays = [plain(x) for x in inputs] if row.optional == () else plain_or_none(row, inputs)
    cdef int k
    if not row.view:
        for k in range(len(arrays)):
            if type(arrays[k]) is ndarray and not cnp.PyArray_ISALIGNED(<ndarray>arrays[k]):
                arrays[k] = arrays[k].copy()
    try:
        if row.view:
            out = row.forward(*arrays, *params)
        else:
            warnings = hush()
            try:
                out = row.forward(*arrays, *params)
            finally:
                unhush(warnings)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        text = str(error)
        if text.startswith(row.name + ":"):
            raise
        shapes = " and ".join([str(np.shape(x)) for x in arrays if x is not None])
        if "could not be broadcast" in text:
            raise ValueError(
                f"{row.name}: shapes {shapes} do not broadcast together; "
                "axes are compared from the last one and must be equal or 1"
            ) from error
        for kind in (np.linalg.LinAlgError, TypeError, OverflowError, ValueError, IndexError):
            if isinstance(error, kind):
                break
        raise kind(f"{row.name}: {text} (operand shapes: {shapes})") from error
    return tuple(arrays), out


cdef list plain_or_none(Row row, tuple inputs):
    cdef list arrays = []
    cdef int k
    for k in range(len(inputs)):
        x = inputs[k]
        arrays.append(None if x is None and k in row.optional else plain(x))
    return arrays


cdef ndarray settled(Row row, object out, tuple arrays):
    # A result as an array of a dtype that zen holds, on memory of its own unless the row is a view.
    out = np.asarray(out)
    if not (cnp.PyArray_ISNOTSWAPPED(<ndarray>out) and (row.view or cnp.PyArray_ISALIGNED(<ndarray>out))):
        out = out.astype(out.dtype.newbyteorder("="))
    if not row.view:
        for x in arrays:
            if out is x:        # memory that the result shared unknown to the engine could not be written to
                out = x.copy()
                break
    if not is_supported(cnp.PyArray_TYPE(<ndarray>out)):
        raise TypeError(f"{row.name}: the result would have dtype {out.dtype}, which no Tensor holds")
    return out


cdef bint is_complex_operand(object x) except -1:
    if isinstance(x, Tensor):
        return is_complex((<Tensor>x).typenum)
    if isinstance(x, (ndarray, np.generic)):
        return is_complex(typenum_of(x))
    return isinstance(x, complex)


cdef Row row_for(Row row, tuple inputs):
    # The row that is applied to these inputs: of complex numbers another may stand in, or none.
    for x in inputs:
        if is_complex_operand(x):
            if row.for_complex is None:
                raise TypeError(
                    f"{row.name} is not defined here for complex numbers; compute with x.real, x.imag or abs(x)")
            return row.for_complex()
    return row


cdef bint holds(tuple values, object kind) noexcept:
    for x in values:
        if type(x) is kind:
            return True
    return False


cdef object generic(Row row, tuple inputs, tuple params):
    if batched() is not None and (holds(inputs, batched()) or holds(params, batched())):
        return hook("apply_batched")(row, inputs, params)
    if row.for_complex is not True:
        row = row_for(row, inputs)
    if row.several or row.workspace or row.composition is not None:
        return generic_several(row, inputs, params)
    arrays, out = evaluate(row, inputs, params)
    return finish(row, inputs, arrays, params, settled(row, out, arrays))


cdef bint has_kernel(tuple inputs) except -1:
    # Whether kernels take the inputs: the floating ones are all float32 or all float64.
    cdef int typenum = 0, own
    for x in inputs:
        if isinstance(x, Tensor):
            own = (<Tensor>x).typenum
        elif isinstance(x, ndarray):
            own = cnp.PyArray_TYPE(<ndarray>x)
        else:
            continue
        if is_inexact(own):
            if isinstance(x, ndarray) and not cnp.PyArray_ISNOTSWAPPED(<ndarray>x):
                return False
            if (typenum != 0 and own != typenum) or not has_kernels(own):
                return False
            typenum = own
    return True


cdef bint is_linked(tuple inputs) except -1:
    # Whether an input takes part in gradients.
    for x in inputs:
        if isinstance(x, Tensor) and node_of(<Tensor>x) is not None:
            return True
    return False


cdef object generic_several(Row row, tuple inputs, tuple params):
    # A row with several results, with workspace or with a composition.
    cdef bint linked
    cdef int k, count
    cdef Node call = None
    cdef ndarray out
    if row.composition is not None and not has_kernel(inputs):
        return row.composition(*inputs, *params)
    linked = recording() and is_linked(inputs)
    arrays, results = evaluate(row, inputs, (*params, bool(linked)) if row.workspace else params)
    if not row.several:
        if row.workspace:
            out = settled(row, results[0], arrays)
            workspace = tuple(results[1:])
        else:
            out, workspace = settled(row, results, arrays), ()
        if linked and is_differentiable(cnp.PyArray_TYPE(out)):
            call = record_call(row, inputs, arrays, params, (out,), workspace)
        return new_tensor(out, call)
    count = len(results) - row.workspace
    outputs = tuple([settled(row, y, arrays) for y in results[:count]])
    if linked:
        for out in outputs:
            if is_differentiable(cnp.PyArray_TYPE(out)):
                call = record_call(row, inputs, arrays, params, outputs, tuple(results[count:]))
                break
    found = []
    for k in range(count):
        found.append(finish_output(row, inputs, call, k, count, outputs[k]))
    return tuple(found)


cdef Tensor finish_output(Row row, tuple inputs, Node call, int k, int count, ndarray out):
    cdef Node node = None
    cdef Tensor t
    if call is not None and is_differentiable(cnp.PyArray_TYPE(out)):
        node = output_node(call, k, count, cnp.PyArray_TYPE(out), cnp.PyArray_NDIM(out),
                           <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if not row.view:
        return new_tensor(out, node)
    if not isinstance(inputs[0], Tensor):
        return new_tensor(borrow(out), node)
    return linked(new_tensor(out, node), <Tensor>inputs[0])


cdef Tensor finish(Row row, tuple inputs, tuple arrays, tuple params, ndarray out):
    # Wraps the result, records it, and links a view to its base.
    cdef bint is_view = row.view and isinstance(inputs[0], Tensor)
    if row.view and not is_view:
        out = borrow(out)       # it may lie in an ndarray of the user's
    cdef Tensor t = new_tensor(out, record_generic(row, inputs, arrays, params, out))
    return linked(t, <Tensor>inputs[0]) if is_view else t


cdef Node record_generic(Row row, tuple inputs, tuple arrays, tuple params, ndarray out):
    if not recording() or not is_differentiable(cnp.PyArray_TYPE(out)):
        return None
    return record_call(row, inputs, arrays, params, (out,), ())


cdef Node record_call(Row row, tuple inputs, tuple arrays, tuple params, tuple outputs, tuple workspace):
    # The node of a call, or None where no input takes part in gradients. Its shape is that of the one result; with
    # several, which have nodes of their own, its dtype is that of the first.
    cdef int k, n = len(inputs)
    cdef list nodes = [node_of(<Tensor>x) if isinstance(x, Tensor) else None for x in inputs]
    cdef list levels, held
    cdef ndarray out = outputs[0]
    cdef Node node
    for k in range(n):
        if nodes[k] is not None:
            break
    else:
        return None
    row.ready()
    levels = needed_levels(row, nodes, len(outputs), len(workspace))
    node = new_node(row)
    node.typenum, node._params = cnp.PyArray_TYPE(out), guarded_params(params, &node.watched)
    if row.several:
        node.set_shape(0, NULL)
    else:
        node.set_shape(cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if row.variadic or row.joint or n > 3:
        node.others = tuple(nodes)
    else:
        node.n0 = nodes[0]
        node.n1 = nodes[1] if n > 1 else None
        node.n2 = nodes[2] if n > 2 else None
    held = [held_of(arrays[k], inputs[k], levels[k], node) for k in range(n)]
    if row.variadic and not row.joint:
        node._saved = (tuple(held), held_of(out, None, levels[n], node))
    else:
        hold_results(row, node, held, levels, outputs, workspace)
        node._saved = tuple(held)
    if row.joint and row.composition is None:
        node.track()
    for k in range(n):
        if nodes[k] is not None and (<Node>nodes[k]).tracked:
            node.track()
    return node


cdef int hold_results(Row row, Node node, list held, list levels, tuple outputs, tuple workspace) except -1:
    # What the node holds of several results is at least their shapes: a pass may have to make zeros.
    cdef int k, n = len(held), count = 1 if row.several < 0 else len(outputs), least = row.several != 0
    cdef list found = []
    for k in range(len(outputs)):
        found.append(held_of(outputs[k], None, max(<int>levels[n + (k if count > 1 else 0)], least), node))
    if row.several < 0:
        held.append(tuple(found))
    else:
        held += found
    for k in range(len(workspace)):
        held.append(workspace[k] if levels[n + count + k] == 2 else None)
    return 0


cdef list needed_levels(Row row, list nodes, int outputs, int workspace):
    # What the formulas of the inputs that have nodes need of each argument and result.
    cdef int k, j, n = len(nodes), total = n + workspace + (1 if row.several < 0 else outputs)
    cdef list levels
    if row.joint:
        return [2] * total if row._needs[0] is None else list(row._needs[0])
    if row.variadic:
        return [row._needs[0][0]] * n + [row._needs[0][1]]
    levels = [0] * total
    for k in range(n):
        if nodes[k] is None:
            continue
        if row._vjps[k] is None:
            raise_constant(row, k, n)
        for j in range(total):
            levels[j] = max(<int>levels[j], <int>row._needs[k][j])
    return levels


cdef int raise_constant(Row row, int k, int n) except -1:
    raise TypeError(f"{row.name}: no derivative with respect to argument {k + 1} of {n}; detach() it if it is constant")


cdef object held_of(object x, object operand, int level, Node node):
    # What the node holds of x, the array of an operand, or (None) the result itself, which is the engine's own.
    # 0-d values are saved by copy: a write to them later does no harm.
    if level == 0 or x is None:
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

# Elementwise rows, comparisons and sums. Part of _program.pyx.


cdef int operands_of(Planner p, Row row, object step) except -2:
    # The number of the one type of numbers that the operands have, as in `elementwise`; -1 where Python computes.
    cdef int typenum = -1, own
    cdef Py_ssize_t k
    for k, x in enumerate(step.operands):
        if is_value(x):
            own = typenum_of_dtype(x.dtype)
            if k == 0 and row.generated and row.has_mask:
                if own != cnp.NPY_BOOL or x.weak:
                    return -1
                continue
            if x.weak:
                continue
            if not has_kernels(own) or (typenum >= 0 and own != typenum):
                return -1
            typenum = own
        elif type(x) is int:
            if not -9007199254740992 <= x <= 9007199254740992:
                return -1
        elif type(x) is not float:
            return -1
        if k == 0 and row.generated and row.has_mask:
            return -1
    return typenum


cdef list placed(Planner p, object step, int typenum):
    # The operands' homes, numbers as cells of the common type.
    cdef list found = []
    for x in step.operands:
        if is_value(x) and not x.weak:
            found.append(p.homes[x.number])
        else:
            found.append(p.cell_home(x, typenum))
    return found


cdef Home laid_out(Planner p, object value, list homes):
    # The result of an elementwise row, laid out as `elementwise_array` and NumPy do.
    cdef Operands o
    cdef int order[MAXDIMS]
    cdef int k, nd = len(value.shape)
    cdef bint same = True, in_c = True, in_fortran = True
    cdef ndarray first = None
    cdef Home h
    o.used = 0
    for k in range(len(homes)):
        h = homes[k]
        if cnp.PyArray_NDIM(h.ghost) == 0 and h.typenum != cnp.NPY_BOOL:
            continue
        if first is None:
            first = h.ghost
        same = same and same_shape(first, h.ghost)
        in_c = in_c and cnp.PyArray_IS_C_CONTIGUOUS(h.ghost)
        in_fortran = in_fortran and cnp.PyArray_IS_F_CONTIGUOUS(h.ghost)
        place(&o, ARGUMENT + k, h.ghost, nd)
    if in_c:
        return p.made(value)
    if same and in_fortran:
        for k in range(nd):
            order[k] = k
    else:
        memory_order(&o, nd, order)
    return p.made_as(value, order)


cdef bint plan_elementwise(Planner p, Row row, object step) except -1:
    cdef int typenum = operands_of(p, row, step), k, n = len(step.operands)
    cdef object value = step.results[0]
    cdef bint arrays = row.has_mask, is_double = typenum == cnp.NPY_DOUBLE
    cdef Py_ssize_t a, b = -1
    cdef Home out
    cdef list homes
    if typenum < 0 or typenum_of_dtype(value.dtype) != typenum:
        return False
    for x in step.operands:
        arrays = arrays or (is_value(x) and len(x.shape) > 0)
    op = CELL_OPS.get(row.kernel)
    if not arrays and op is not None:
        a = p.cell_of(step.operands[0], is_double)
        if n > 1:
            b = p.cell_of(step.operands[1], is_double)
        out = p.made(value)
        p.cell_step(op, is_double, a, b, out.region)
        p.say("cells")
        return True
    homes = placed(p, step, typenum)
    out = laid_out(p, value, homes)
    emit_elementwise(p, row.forward_kernels[is_double], out, homes, op, is_double)
    return True


cdef int emit_elementwise(Planner p, kernel_t kernel, Home out, list homes, object op, bint is_double) except -1:
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t strides[OPERANDS][MAXDIMS]
    cdef int nd, n = len(homes), k
    cdef Step* s
    cdef bint plain = op is not None and op in LINE_OPS
    cdef list all_of = [out, *homes]
    nd = flattened(all_of, dims, strides)
    if nd < 0:
        p.say("nothing")
        return 0
    if plain and emit_lines(p, LINE, code_of(op, 0, is_double), all_of, nd, dims, strides):
        p.say("lines" if nd > 1 else "line")
        return 0
    if nd > 1:
        emit_axes(p, ITERATE, kernel, all_of, nd, dims, strides)
        p.say("kernel over axes")
        return 0
    s = p.step(KERNEL)
    s.n, s.arguments, s.kernel, s.code = dims[0], n, kernel, is_double
    for k in range(n + 1):
        p.operand(s, k, <Home>all_of[k], strides[k][0])
    p.say("kernel")
    return 0


cdef bint emit_lines(
    Planner p, int op, int code, list homes, int nd, const Py_ssize_t* dims, Py_ssize_t[OPERANDS][MAXDIMS] strides
) except -1:
    # Lines that are computed inline; False where they are too long, or not without gaps.
    cdef int k, n = len(homes), last = nd - 1
    cdef Step* s
    if nd > 2 or (op == LINE and dims[last] > (SHORT if nd == 1 else NARROW)):
        return False
    for k in range(n):
        if strides[k][last] != cnp.PyArray_ITEMSIZE((<Home>homes[k]).ghost) and (k == 0 or strides[k][last] != 0):
            return False
    s = p.step(op)
    s.code, s.arguments, s.n = code, n - 1, dims[last] * (dims[0] if nd == 2 else 1)
    for k in range(3):
        p.operand(s, k, <Home>homes[min(k, n - 1)], 0)
    s.lines.lines, s.lines.n = dims[0] if nd == 2 else 1, dims[last]
    s.lines.sx, s.lines.sy = strides[1][last], strides[n - 1][last]
    if nd == 2:
        s.lines.dout, s.lines.dx, s.lines.dy = strides[0][0], strides[1][0], strides[n - 1][0]
    return True


cdef int emit_axes(
    Planner p, int op, kernel_t kernel, list homes, int nd, const Py_ssize_t* dims,
    Py_ssize_t[OPERANDS][MAXDIMS] strides,
) except -1:
    # A step over several axes, with its geometry.
    cdef Py_ssize_t start = p.extra.used
    cdef int k, n = len(homes)
    cdef Py_ssize_t* g = <Py_ssize_t*>p.extra.add_many(1 + nd + n * (1 + nd))
    cdef Step* s
    g[0] = nd
    memcpy(g + 1, dims, nd * sizeof(Py_ssize_t))
    g += 1 + nd
    for k in range(n):
        g[0] = cnp.PyArray_ITEMSIZE((<Home>homes[k]).ghost)
        memcpy(g + 1, strides[k], nd * sizeof(Py_ssize_t))
        g += 1 + nd
    s = p.step(op)
    s.more, s.arguments, s.kernel, s.n = start, n - 1, kernel, 1
    for k in range(nd):
        s.n *= dims[k]
    for k in range(n):
        p.operand(s, k, <Home>homes[k], strides[k][nd - 1])
        s.outer[k] = strides[k][0]
    s.count = dims[1] if nd == 2 else 0
    return 0


cdef bint plan_comparison(Planner p, Row row, object step) except -1:
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t strides[OPERANDS][MAXDIMS]
    cdef int typenum = operands_of(p, row, step), nd, code
    cdef object value = step.results[0]
    cdef list homes
    cdef Home out
    cdef Step* s
    if typenum < 0 or typenum_of_dtype(value.dtype) != cnp.NPY_BOOL or len(step.operands) != 2:
        return False
    homes = placed(p, step, typenum)
    out = laid_out(p, value, homes)
    homes.insert(0, out)
    nd = flattened(homes, dims, strides)
    if nd < 0:
        p.say("nothing")
        return True
    code = code_of(COMPARISONS[row.kernel], 0, typenum == cnp.NPY_DOUBLE)
    if not emit_lines(p, COMPARE, code, homes, nd, dims, strides):
        emit_axes(p, COMPARES, NULL, homes, nd, dims, strides)
        s = <Step*>p.steps.data + p.steps.used - 1
        s.code, s.lines.lines, s.lines.n = code, 1, 1
    p.say("comparison")
    return True


cdef bint plan_sum(Planner p, Row row, object step) except -1:
    # As `reduced` of _operations_reduction.pxi.
    cdef object x = step.operands[0], value = step.results[0], axes = step.params[0]
    cdef bint keep = step.params[1], mean = row.kernel == "mean"
    cdef int order[MAXDIMS]
    cdef int axis_of[MAXDIMS]
    cdef bint gone[MAXDIMS]
    cdef Operands o
    cdef int k, j = 0, nd
    cdef Home home, out
    if not is_value(x) or x.weak or len(x.shape) == 0 or not has_kernels(typenum_of_dtype(x.dtype)):
        return False
    home, nd = p.homes[x.number], len(x.shape)
    if typenum_of_dtype(value.dtype) != home.typenum or (mean and cnp.PyArray_SIZE(home.ghost) == 0):
        return False
    for k in range(nd):
        gone[k] = axes is None or k in axes
        axis_of[k] = j if keep or not gone[k] else -1
        j += axis_of[k] >= 0
    if cnp.PyArray_IS_C_CONTIGUOUS(home.ghost) or j == 0:
        out = p.made(value)
    else:
        o.used = 0
        place(&o, ARGUMENT, home.ghost, nd)
        memory_order(&o, nd, order)
        j = 0
        for k in range(nd):
            if axis_of[order[k]] >= 0:
                order[j] = axis_of[order[k]]
                j += 1
        out = p.made_as(value, order)
    emit_sum(p, home, out, gone, axis_of, mean)
    return True


cdef int emit_sum(Planner p, Home home, Home out, const bint* gone, const int* axis_of, bint mean) except -1:
    cdef Py_ssize_t strides[OPERANDS][MAXDIMS]
    cdef int k, nd = cnp.PyArray_NDIM(home.ghost), own = home.typenum == cnp.NPY_DOUBLE
    cdef Py_ssize_t* dims = <Py_ssize_t*>cnp.PyArray_DIMS(home.ghost)
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(home.ghost), size = cnp.PyArray_SIZE(home.ghost)
    cdef kernel_t kernel = identity_kernel(home.typenum)
    cdef Step* s
    cdef bint line = cnp.PyArray_IS_C_CONTIGUOUS(home.ghost) or cnp.PyArray_IS_F_CONTIGUOUS(home.ghost)
    if cnp.PyArray_NDIM(out.ghost) == 0 and line and size > 0:
        s = p.step(SUM)
        s.n, s.arguments, s.kernel, s.code, s.count = size, 1, kernel, own, size if mean else 0
        p.operand(s, 0, out, 0)
        p.operand(s, 1, home, item)
        p.say("sum")
        return 0
    for k in range(nd):
        strides[1][k] = 0 if dims[k] == 1 else cnp.PyArray_STRIDES(home.ghost)[k]
        strides[0][k] = 0 if gone[k] or dims[k] == 1 else cnp.PyArray_STRIDES(out.ghost)[axis_of[k]]
    emit_axes(p, SUMS, kernel, [out, home], nd, dims, strides)
    s = <Step*>p.steps.data + p.steps.used - 1
    s.n = cnp.PyArray_NBYTES(out.ghost)
    if mean and cnp.PyArray_SIZE(out.ghost) > 0:
        s = p.step(SCALE)
        s.n, s.code, s.more = cnp.PyArray_SIZE(out.ghost), own, size // cnp.PyArray_SIZE(out.ghost)
        s.count = cnp.PyArray_NDIM(out.ghost) == 0
        p.operand(s, 0, out, 0)
    p.say("sums")
    return 0

# Products of matrices and vectors, as the rows with kernels of their own compute them. Part of _program.pyx.

cdef bint readable(ndarray a, bint* turned, Py_ssize_t* ld) noexcept:
    # As `layout` of _blas.pyx: how cblas reads a matrix where it lies. False where it has to be copied.
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    cdef Py_ssize_t rows = cnp.PyArray_DIMS(a)[0], columns = cnp.PyArray_DIMS(a)[1]
    cdef Py_ssize_t down = cnp.PyArray_STRIDES(a)[0], right = cnp.PyArray_STRIDES(a)[1]
    if rows == 1:
        down = columns * item
    if columns == 1:
        right = item
        if rows == 1:
            down = item
    if right == item and down >= columns * item and down % item == 0:
        turned[0], ld[0] = False, down // item
        return True
    if down == item and right >= rows * item and right % item == 0:
        turned[0], ld[0] = True, right // item
        return True
    turned[0], ld[0] = False, max(columns, 1)
    return False


cdef Home readable_home(Planner p, Home home, bint* turned, Py_ssize_t* ld):
    return home if readable(home.ghost, turned, ld) else copied_home(p, home)


cdef bint plan_matmul(Planner p, Row row, object step) except -1:
    cdef object x = step.operands[0], y = step.operands[1], value = step.results[0]
    cdef Home left, right
    cdef int nl, nr
    if not is_value(x) or not is_value(y) or x.weak or y.weak or not has_gemm():
        return False
    left, right = p.homes[x.number], p.homes[y.number]
    if not has_kernels(left.typenum) or left.typenum != right.typenum or value.dtype != x.dtype:
        return False
    nl, nr = cnp.PyArray_NDIM(left.ghost), cnp.PyArray_NDIM(right.ghost)
    if cnp.PyArray_SIZE(left.ghost) == 0 or cnp.PyArray_SIZE(right.ghost) == 0:
        return False
    if nl == 2 and nr == 2:
        emit_product(p, left, right, p.made(value), False, False)
        p.say("product")
        return True
    if nl + nr == 3 and min(nl, nr) == 1:
        emit_matvec(p, left, right, p.made(value), nl == 2)
        p.say("product")
        return True
    if nl == 1 and nr == 1:
        return plan_dot(p, left, right, value)
    return plan_stacks(p, left, right, value)


cdef int emit_product(Planner p, Home left, Home right, Home out, bint flip, bint onto) except -1:
    # out = left @ right, or its transpose with `flip`; `onto` what is there already.
    cdef Py_ssize_t ld_left, ld_right, start, m, n, inner
    cdef bint turned_left, turned_right
    cdef Py_ssize_t* g
    m, inner = cnp.PyArray_DIMS(left.ghost)[0], cnp.PyArray_DIMS(left.ghost)[1]
    n = cnp.PyArray_DIMS(right.ghost)[0 if flip else 1]
    left = readable_home(p, left, &turned_left, &ld_left)
    right = readable_home(p, right, &turned_right, &ld_right)
    g = new_product(p, left, right, out, &start)
    g[ROWS], g[COLUMNS], g[INNER], g[LD_LEFT], g[LD_RIGHT] = m, n, inner, ld_left, ld_right
    g[FLIP_LEFT], g[FLIP_RIGHT], g[ONTO], g[TIMES] = turned_left, turned_right ^ flip, onto, 1
    return 0


cdef Py_ssize_t* new_product(Planner p, Home left, Home right, Home out, Py_ssize_t* start) except NULL:
    cdef Step* s = p.step(PRODUCT)
    s.code, s.more = out.typenum == cnp.NPY_DOUBLE, p.extra.used
    p.operand(s, 0, out, 0)
    p.operand(s, 1, left, 0)
    p.operand(s, 2, right, 0)
    return <Py_ssize_t*>p.extra.add_many(PRODUCT_SIZE)


cdef int emit_matvec(Planner p, Home left, Home right, Home out, bint matrix_first) except -1:
    # As `matvec_into` of _operations_matvec.pxi.
    cdef Home matrix = left if matrix_first else right, x = right if matrix_first else left
    cdef bint turned, flip = not matrix_first, is_double = out.typenum == cnp.NPY_DOUBLE
    cdef Py_ssize_t ld, m = cnp.PyArray_DIMS(matrix.ghost)[0], n = cnp.PyArray_DIMS(matrix.ghost)[1]
    cdef Step* s
    matrix = readable_home(p, matrix, &turned, &ld)
    if not cnp.PyArray_IS_C_CONTIGUOUS(x.ghost):
        x = copied_home(p, x)
    if turned:
        m, n, flip = n, m, not flip
    s = p.step(MATVEC)
    s.n, s.more = m, n
    s.kernel = <kernel_t><void*>(kernels.columns_by_vector[is_double] if flip else kernels.rows_by_vector[is_double])
    p.operand(s, 0, out, 0)
    p.operand(s, 1, matrix, ld)
    p.operand(s, 2, x, 0)
    return 0


cdef bint plan_dot(Planner p, Home left, Home right, object value) except -1:
    cdef Home out
    cdef Step* s
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(left.ghost)
    cdef Py_ssize_t by_left = cnp.PyArray_STRIDES(left.ghost)[0], by_right = cnp.PyArray_STRIDES(right.ghost)[0]
    if by_left != item or by_right != item or cnp.PyArray_SIZE(left.ghost) == 1:
        return False     # one element is multiplied, and not added to zero
    out = p.made(value)
    s = p.step(DOT)
    s.n, s.kernel = cnp.PyArray_DIMS(left.ghost)[0], <kernel_t><void*>dot_function(out.typenum)
    p.operand(s, 0, out, 0)
    p.operand(s, 1, left, item)
    p.operand(s, 2, right, item)
    p.say("product")
    return True


cdef bint stack_side(ndarray a, bint* turned, Py_ssize_t* ld) noexcept:
    # As `is_stack` of _operations_stacks.pxi.
    cdef int k, nd = cnp.PyArray_NDIM(a)
    cdef Py_ssize_t* dims = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    cdef Py_ssize_t* strides = <Py_ssize_t*>cnp.PyArray_STRIDES(a)
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a), rows = dims[nd - 2], columns = dims[nd - 1], step
    turned[0], ld[0] = False, columns
    if cnp.PyArray_IS_C_CONTIGUOUS(a):
        return True
    turned[0], ld[0] = True, rows
    if strides[nd - 2] != item or strides[nd - 1] != rows * item:
        return False
    step = rows * columns * item
    for k in range(nd - 3, -1, -1):
        if strides[k] != step and dims[k] != 1:
            return False
        step *= dims[k]
    return True


cdef bint plan_stacks(Planner p, Home left, Home right, object value) except -1:
    cdef int k, nd = cnp.PyArray_NDIM(left.ghost)
    cdef Py_ssize_t* a = <Py_ssize_t*>cnp.PyArray_DIMS(left.ghost)
    cdef Py_ssize_t* b = <Py_ssize_t*>cnp.PyArray_DIMS(right.ghost)
    cdef Py_ssize_t ld_left, ld_right, start
    cdef Py_ssize_t* g
    cdef bint turned_left, turned_right
    cdef Home out
    if nd < 3 or cnp.PyArray_NDIM(right.ghost) != nd or a[nd - 1] != b[nd - 2]:
        return False
    for k in range(nd - 2):
        if a[k] != b[k]:
            return False
    if not stack_side(left.ghost, &turned_left, &ld_left) or not stack_side(right.ghost, &turned_right, &ld_right):
        return False
    out = p.made(value)
    g = new_product(p, left, right, out, &start)
    g[ROWS], g[COLUMNS], g[INNER], g[LD_LEFT], g[LD_RIGHT] = a[nd - 2], b[nd - 1], a[nd - 1], ld_left, ld_right
    g[FLIP_LEFT], g[FLIP_RIGHT] = turned_left, turned_right
    g[TIMES] = cnp.PyArray_SIZE(out.ghost) // (a[nd - 2] * b[nd - 1])
    g[STEP_LEFT], g[STEP_RIGHT] = a[nd - 2] * a[nd - 1], b[nd - 2] * b[nd - 1]
    p.say("products")
    return True


cdef bint plan_linear(Planner p, Row row, object step) except -1:
    # As `run_linear`: x @ weight.T onto the bias.
    cdef list homes = []
    cdef Home x, weight, bias, out, rows
    cdef object value = step.results[0]
    cdef int nd
    if not has_gemm():
        return False
    for v in step.operands:
        if not is_value(v) or v.weak or len(v.shape) == 0 or v.dtype != value.dtype:
            return False
        homes.append(p.homes[v.number])
    x, weight = homes[0], homes[1]
    nd = cnp.PyArray_NDIM(x.ghost)
    if not has_kernels(x.typenum) or cnp.PyArray_NDIM(weight.ghost) != 2 or cnp.PyArray_SIZE(x.ghost) == 0:
        return False
    if cnp.PyArray_SIZE(weight.ghost) == 0 or (len(homes) == 3 and cnp.PyArray_NDIM((<Home>homes[2]).ghost) != 1):
        return False
    if cnp.PyArray_DIMS(x.ghost)[nd - 1] != cnp.PyArray_DIMS(weight.ghost)[1]:
        return False
    if len(homes) == 3 and (<Home>homes[2]).ghost.shape[0] != cnp.PyArray_DIMS(weight.ghost)[0]:
        return False
    if nd != 2 and not cnp.PyArray_IS_C_CONTIGUOUS(x.ghost):
        x = copied_home(p, x)
    out = p.made(value)
    if len(homes) == 3:
        bias = homes[2]
        copy_to(p, bias, out, out.ghost)
    rows = Home.__new__(Home)
    rows.region, rows.typenum, rows.ghost = x.region, x.typenum, as_matrix(x.ghost)
    emit_product(p, rows, weight, out, True, len(homes) == 3)
    p.say("product")
    return True


cdef ndarray as_matrix(ndarray a):
    cdef int nd = cnp.PyArray_NDIM(a)
    if nd == 2:
        return a
    return reshaped_ghost(a, (cnp.PyArray_SIZE(a) // cnp.PyArray_DIMS(a)[nd - 1], cnp.PyArray_DIMS(a)[nd - 1]))

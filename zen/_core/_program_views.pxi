# Views, copies and writes. Part of _program.pyx.

cdef frozenset VIEWS = frozenset(("getitem", "reshape", "permute_dims", "broadcast_to"))


cdef bint attempt_reshape(ndarray a, int nd, const Py_ssize_t* dims, Py_ssize_t* strides) noexcept:
    # The strides of `a`, which is not empty, in another shape of as many elements; False where only a copy has it. As
    # _attempt_nocopy_reshape in NumPy.
    cdef Py_ssize_t old[MAXDIMS]
    cdef Py_ssize_t steps[MAXDIMS]
    cdef int n = 0, k, oi = 0, oj = 1, ni = 0, nj = 1
    cdef Py_ssize_t np_, op_, last
    for k in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_DIMS(a)[k] != 1:
            old[n], steps[n] = cnp.PyArray_DIMS(a)[k], cnp.PyArray_STRIDES(a)[k]
            n += 1
    while ni < nd and oi < n:
        np_, op_ = dims[ni], old[oi]
        while np_ != op_:
            if np_ < op_:
                np_ *= dims[nj]
                nj += 1
            else:
                op_ *= old[oj]
                oj += 1
        for k in range(oi, oj - 1):
            if steps[k] != old[k + 1] * steps[k + 1]:
                return False
        strides[nj - 1] = steps[oj - 1]
        for k in range(nj - 1, ni, -1):
            strides[k - 1] = strides[k] * dims[k]
        ni, oi = nj, oj
        nj, oj = nj + 1, oj + 1
    last = strides[ni - 1] if ni >= 1 else cnp.PyArray_ITEMSIZE(a)
    for k in range(ni, nd):
        strides[k] = last
    return True


cdef ndarray reshaped_ghost(ndarray a, object shape):
    # None where NumPy would copy.
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t strides[MAXDIMS]
    cdef int nd = shape_into(shape, dims)
    cdef Py_ssize_t offset = <char*>cnp.PyArray_DATA(a) - NOWHERE
    if cnp.PyArray_SIZE(a) == 0 or cnp.PyArray_IS_C_CONTIGUOUS(a):
        return ghost_of(nd, dims, NULL, cnp.PyArray_TYPE(a), offset)
    if not attempt_reshape(a, nd, dims, strides):
        return None
    return ghost_of(nd, dims, strides, cnp.PyArray_TYPE(a), offset)


cdef ndarray repeated_ghost(ndarray a, object shape):
    # Stride 0 along the axes that are repeated.
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t strides[MAXDIMS]
    cdef int k, nd = shape_into(shape, dims), lead = nd - cnp.PyArray_NDIM(a)
    for k in range(nd):
        strides[k] = 0
        if k >= lead and cnp.PyArray_DIMS(a)[k - lead] == dims[k]:
            strides[k] = cnp.PyArray_STRIDES(a)[k - lead]
    return ghost_of(nd, dims, strides, cnp.PyArray_TYPE(a), <char*>cnp.PyArray_DATA(a) - NOWHERE)


cdef object whole_key(object key):
    # A basic key that leads to an array where it leads to an element.
    if type(key) is not tuple:
        key = (key,)
    for k in <tuple>key:
        if k is Ellipsis:
            return key
    return (*key, Ellipsis)


cdef ndarray indexed_ghost(ndarray a, object key):
    # None where the key is not basic, or does not fit.
    if not is_basic(key):
        return None
    try:
        return <ndarray>PyObject_GetItem(a, whole_key(key))
    except IndexError:
        return None


cdef bint plan_view(Planner p, Row row, object step) except -1:
    cdef object x = step.operands[0], value = step.results[0]
    cdef Home home
    cdef ndarray ghost = None
    cdef Step* s
    if not is_value(x) or x.weak or len(value.shape) > MAXDIMS or x.dtype != value.dtype:
        return False
    home = p.homes[x.number]
    if row.kernel == "getitem":
        ghost = indexed_ghost(home.ghost, step.params[0])
        if ghost is None:
            return False
    elif row.kernel == "permute_dims":
        ghost = (<object>home.ghost).transpose(step.params[0])
    elif row.kernel == "broadcast_to":
        ghost = repeated_ghost(home.ghost, value.shape)
    else:
        ghost = reshaped_ghost(home.ghost, value.shape)
        if ghost is None:
            copy_to(p, home, p.made(value), None)
            p.say("copy")
            return True
    if (<object>ghost).shape != value.shape:
        return False
    if cnp.PyArray_NDIM(ghost) == 0 and has_kernels(home.typenum):
        return plan_element(p, home, ghost, value)
    p.settle(value, home.region, ghost, home.typenum)
    p.say("view")
    return True


cdef bint plan_element(Planner p, Home home, ndarray ghost, object value) except -1:
    # One element becomes a cell, at once: what the view shows may be another value's when it is used.
    cdef Py_ssize_t offset = <char*>cnp.PyArray_DATA(ghost) - NOWHERE
    cdef Home out, part
    cdef bint is_double = home.typenum == cnp.NPY_DOUBLE
    out = p.made(value)
    if p.bytes > 1 << 30 or not -2147483648 <= offset <= 2147483647:      # too far for the numbers of a cell
        part = Home.__new__(Home)
        part.region, part.typenum, part.ghost = home.region, home.typenum, ghost
        copy_to(p, part, out, None)
        p.say("copy")
        return True
    if p.at(home.region).kind == CELL or p.at(home.region).kind == CONSTANT_CELL:
        p.cell_step(C_MOVE, is_double, home.region, -1, out.region)
    else:
        p.cell_step(C_LOAD, is_double, home.region, offset, out.region)
    p.say("cells")
    return True


cdef Home copied_home(Planner p, Home home):
    # The same values in a C-contiguous array.
    cdef Home out = p.temporary(home.ghost)
    copy_to(p, home, out, None)
    return out


cdef int copy_to(Planner p, Home home, Home out, ndarray target) except -1:
    """Copies what is at `home` to `out`, or to `target`, a part of that, to whose shape it broadcasts."""
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t strides[OPERANDS][MAXDIMS]
    cdef Home part = Home.__new__(Home)
    cdef Step* s
    cdef int nd
    part.region, part.typenum, part.ghost = out.region, out.typenum, out.ghost if target is None else target
    cdef Home shown = home
    if target is None and not same_shape(home.ghost, out.ghost):     # read in the order of C
        shown = Home.__new__(Home)
        shown.region, shown.typenum, shown.ghost = home.region, home.typenum, home.ghost
        part.ghost = reshaped_ghost(out.ghost, (<object>home.ghost).shape)
    nd = flattened([part, shown], dims, strides)
    if nd < 0:
        return 0
    if nd == 1 and strides[0][0] == strides[1][0] == cnp.PyArray_ITEMSIZE(home.ghost):
        s = p.step(MOVE)
        s.n = dims[0] * cnp.PyArray_ITEMSIZE(home.ghost)
        p.operand(s, 0, part, 0)
        p.operand(s, 1, shown, 0)
        return 0
    emit_axes(p, COPY, NULL, [part, shown], nd, dims, strides)
    s = <Step*>p.steps.data + p.steps.used - 1
    s.n = cnp.PyArray_ITEMSIZE(home.ghost)
    return 0


cdef bint plan_copy(Planner p, Row row, object step) except -1:
    # A copy, or numbers of another dtype, of an array without gaps: laid out as it is, or as in C.
    cdef object x = step.operands[0], value = step.results[0]
    cdef int order[MAXDIMS]
    cdef int k
    cdef Home home, out
    cdef Step* s
    cdef bint in_c, as_it_is = row.kernel == "astype" or step.params[0] in ("K", "A")
    if not is_value(x) or x.weak or (x.dtype != value.dtype and row.kernel == "copy"):
        return False
    home = p.homes[x.number]
    in_c = cnp.PyArray_IS_C_CONTIGUOUS(home.ghost)
    if not (in_c or as_it_is or step.params[0] == "C") or (row.kernel == "copy" and step.params[0] == "F"):
        return False
    if as_it_is and not (in_c or cnp.PyArray_IS_F_CONTIGUOUS(home.ghost)):
        return False
    if x.dtype != value.dtype and not (has_kernels(ZEN_TYPENUM(value.dtype)) and home.typenum in SOURCES):
        return False
    for k in range(cnp.PyArray_NDIM(home.ghost)):
        order[k] = k
    out = p.made_as(value, order if as_it_is and not in_c else NULL)
    if x.dtype == value.dtype:
        copy_to(p, home, out, out.ghost)
    elif cnp.PyArray_SIZE(home.ghost) > 0:
        s = p.step(CAST)
        s.n, s.code = cnp.PyArray_SIZE(home.ghost), 2 * SOURCES.index(home.typenum) + (out.typenum == cnp.NPY_DOUBLE)
        p.operand(s, 0, out, 0)
        p.operand(s, 1, home, 0)
    p.say("copy")
    return True


cdef bint plan_scatter(Planner p, Row row, object step) except -1:
    # Zeros, with a value at a basic key.
    cdef object v = step.operands[0], value = step.results[0]
    cdef Home home, out
    cdef ndarray target
    cdef Step* s
    if not is_value(v) or v.weak or v.dtype != value.dtype or len(value.shape) == 0:
        return False
    home = p.homes[v.number]
    target = ghost_like(value)
    target = indexed_ghost(target, step.params[1])
    if target is None or not same_shape(target, home.ghost):
        return False
    out = p.made(value)
    if cnp.PyArray_IS_C_CONTIGUOUS(target) and cnp.PyArray_IS_C_CONTIGUOUS(home.ghost) and cnp.PyArray_SIZE(target) > 0:
        s = p.step(PLACE)
        s.n, s.count = cnp.PyArray_NBYTES(target), cnp.PyArray_NBYTES(out.ghost)
        s.more = <char*>cnp.PyArray_DATA(target) - NOWHERE
        p.operand(s, 0, out, 0)
        p.operand(s, 1, home, 0)
    else:
        s = p.step(CLEAR)
        s.n = cnp.PyArray_NBYTES(out.ghost)
        p.operand(s, 0, out, 0)
        copy_to(p, home, out, target)
    p.say("placed")
    return True


cdef bint plan_setitem(Planner p, Row row, object step) except -1:
    # A copy with a part replaced; where nothing reads the old values any more, without the copy.
    cdef object x = step.operands[0], v = step.operands[1], value = step.results[0]
    cdef Home home, out, part
    cdef ndarray target
    if not is_value(x) or x.weak or x.dtype != value.dtype or len(x.shape) == 0:
        return False
    home = p.homes[x.number]
    target = indexed_ghost(ghost_like(value), step.params[0])
    if target is None or not cnp.PyArray_IS_C_CONTIGUOUS(home.ghost):
        return False
    if is_value(v) and not v.weak:
        part = p.homes[v.number]
        if part.typenum != home.typenum or not broadcasts(part.ghost, target):
            return False
    elif has_kernels(home.typenum) and (is_value(v) or type(v) is float):
        part = p.cell_home(v, home.typenum)
    else:
        return False
    if dies_here(p, x) and p.at(home.region).kind == ARENA and part.region != home.region:
        out = p.settle(value, home.region, home.ghost, home.typenum)
        target = indexed_ghost(home.ghost, step.params[0])
    else:
        out = p.made(value)
        copy_to(p, home, out, None)
    copy_to(p, part, out, target)
    p.say("written")
    return True


cdef bint dies_here(Planner p, object x) except -1:
    # Whether nothing reads x, what it is a view of, or another view of that behind this step.
    return p.readers[p.roots.get(x.number, x.number)] == p.origin


cdef bint broadcasts(ndarray a, ndarray to) noexcept:
    cdef int k, lead = cnp.PyArray_NDIM(to) - cnp.PyArray_NDIM(a)
    if lead < 0:
        return False
    for k in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_DIMS(a)[k] != 1 and cnp.PyArray_DIMS(a)[k] != cnp.PyArray_DIMS(to)[lead + k]:
            return False
    return True


cdef ndarray ghost_like(object value):
    cdef Py_ssize_t dims[MAXDIMS]
    cdef int nd = shape_into(value.shape, dims)
    return ghost_of(nd, dims, NULL, typenum_of_dtype(value.dtype), 0)


cdef int flattened(list homes, Py_ssize_t* dims, Py_ssize_t[OPERANDS][MAXDIMS] strides) except -2:
    """The index space of the first home, whose shape the others broadcast to, in as few axes as all operands allow.

    Returns their number, at least one, or -1 where there are no elements.
    """
    cdef ndarray first = (<Home>homes[0]).ghost, g
    cdef int nd = cnp.PyArray_NDIM(first), n = len(homes), k, j, m = 0, at = 0, lead
    cdef bint joins
    cdef Py_ssize_t length
    for k in range(nd):
        length = cnp.PyArray_DIMS(first)[k]
        if length == 0:
            return -1
        if length == 1:
            continue
        # By the first one's strides, the closest elements last.
        at = m
        while at > 0 and size_of(strides[0][at - 1]) < size_of(cnp.PyArray_STRIDES(first)[k]):
            dims[at] = dims[at - 1]
            for j in range(n):
                strides[j][at] = strides[j][at - 1]
            at -= 1
        dims[at] = length
        for j in range(n):
            g = (<Home>homes[j]).ghost
            lead = nd - cnp.PyArray_NDIM(g)
            strides[j][at] = 0 if k < lead or cnp.PyArray_DIMS(g)[k - lead] == 1 else cnp.PyArray_STRIDES(g)[k - lead]
        m += 1
    if m == 0:
        dims[0] = 1
        for j in range(n):
            strides[j][0] = cnp.PyArray_ITEMSIZE((<Home>homes[j]).ghost)
        return 1
    nd = 1
    for k in range(1, m):
        joins = True
        for j in range(n):
            joins = joins and strides[j][nd - 1] == strides[j][k] * dims[k]
        if joins:
            dims[nd - 1] *= dims[k]
        else:
            nd += 1
            dims[nd - 1] = dims[k]
        for j in range(n):
            strides[j][nd - 1] = strides[j][k]
    return nd


cdef inline Py_ssize_t size_of(Py_ssize_t x) noexcept:
    return x if x >= 0 else -x

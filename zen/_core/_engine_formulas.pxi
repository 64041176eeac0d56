# How a node hands its gradient on: the formulas of elementwise rows, and of rows without kernels. Part of _engine.pyx.

cdef int backward(Pass p, Node n) except -1:
    # Of a node that is not 0-d, or has no generated kernels.
    if not n.compiled:
        return backward_generic(p, n)
    if n.row.pull != NULL:
        return n.row.pull(p, n)
    return 0 if backward_group(p, n) else backward_elementwise(p, n)


cdef struct Saved:
    # What an elementwise node saved, in the form kernels read: values of scalars live here.
    double d[SLOTS]
    float f[SLOTS]
    double z[SLOTS][2]
    float c[SLOTS][2]


cdef inline int kernel_width(Node n) noexcept:
    # Which of its row's kernels: complex ones also where the results alone are real.
    return width_of(n.typenum) + 2 * n.row.is_part


cdef inline char* saved_scalar(Saved* v, int slot, double value, int width) noexcept:
    if width == 1:
        v.d[slot] = value
        return <char*>&v.d[slot]
    if width == 0:
        v.f[slot] = <float>value
        return <char*>&v.f[slot]
    if width == 3:
        v.z[slot][0], v.z[slot][1] = value, 0
        return <char*>v.z[slot]
    v.c[slot][0], v.c[slot][1] = <float>value, 0
    return <char*>v.c[slot]


cdef inline void place_scalars(Node n, char** at, Py_ssize_t* s, Saved* v) noexcept:
    # What the formulas of a 0-d elementwise node read, the cotangent excepted, and where they write: OUT of `v`.
    cdef int k
    cdef bint is_double = n.typenum == cnp.NPY_DOUBLE
    for k in range(SLOTS):
        s[k] = sizeof(double) if is_double else sizeof(float)
    at[OUT] = <char*>&v.d[OUT] if is_double else <char*>&v.f[OUT]
    at[ARGUMENT] = saved_scalar(v, ARGUMENT, n.c0, is_double)
    at[ARGUMENT + 1] = saved_scalar(v, ARGUMENT + 1, n.c1, is_double)
    at[ARGUMENT + 2] = saved_scalar(v, ARGUMENT + 2, n.c2, is_double)
    at[RESULT] = saved_scalar(v, RESULT, n.cy, is_double)
    if n.h0 == ARRAY:           # a 0-d mask, or a 0-d array of the user's
        at[ARGUMENT], s[ARGUMENT] = <char*>cnp.PyArray_DATA(<ndarray>n.s0), cnp.PyArray_ITEMSIZE(<ndarray>n.s0)
    if n.hy == ARRAY:
        at[RESULT] = <char*>cnp.PyArray_DATA(<ndarray>n.sy)


cdef int backward_scalar(Pass p, Node n) except -1:
    # A 0-d node: every input is 0-d as well.
    cdef char* at[SLOTS]
    cdef Py_ssize_t s[SLOTS]
    cdef Saved v
    cdef int k
    cdef bint is_double = n.typenum == cnp.NPY_DOUBLE
    cdef Node m
    cdef Row row = n.row
    place_scalars(n, at, s, &v)
    at[COTANGENT] = saved_scalar(&v, COTANGENT, p.scalar, is_double)
    for k in range(row.nin):
        m = n.n0 if k == 0 else (n.n1 if k == 1 else n.n2)
        if not p.needs(m):
            continue
        if row.identity[k]:
            p.give_scalar(m, p.scalar)
            continue
        row.vjp_kernels[k][is_double](at, s, 1, SET)
        p.give_scalar(m, v.d[OUT] if is_double else v.f[OUT])
    return 0


cdef struct Layout:
    # The operands of an elementwise node's formulas.
    char* at[SLOTS]
    Py_ssize_t s[SLOTS]          # strides where every operand is contiguous, constant or scalar
    PyObject* array[SLOTS]       # NULL for a scalar
    bint simple[SLOTS]


cdef void lay(Layout* layout, int slot, object array, Node n) noexcept:
    cdef ndarray a = <ndarray>array
    layout.array[slot] = <PyObject*>a
    layout.at[slot] = <char*>cnp.PyArray_DATA(a)
    layout.simple[slot] = False
    if cnp.PyArray_IS_C_CONTIGUOUS(a) and has_shape(a, n):
        layout.simple[slot], layout.s[slot] = True, cnp.PyArray_ITEMSIZE(a)
    elif cnp.PyArray_SIZE(a) > 0 and is_constant(a):
        layout.simple[slot], layout.s[slot] = True, 0


cdef void lay_scalar(Layout* layout, int slot, char* value) noexcept:
    layout.array[slot], layout.at[slot], layout.s[slot], layout.simple[slot] = NULL, value, 0, True


cdef void lay_saved(Layout* layout, Saved* v, Node n) noexcept:
    cdef int width = kernel_width(n)
    if n.h0 == ARRAY:
        lay(layout, ARGUMENT, n.s0, n)
    else:
        lay_scalar(layout, ARGUMENT, saved_scalar(v, ARGUMENT, n.c0, width))
    if n.h1 == ARRAY:
        lay(layout, ARGUMENT + 1, n.s1, n)
    else:
        lay_scalar(layout, ARGUMENT + 1, saved_scalar(v, ARGUMENT + 1, n.c1, width))
    if n.h2 == ARRAY:
        lay(layout, ARGUMENT + 2, n.s2, n)
    else:
        lay_scalar(layout, ARGUMENT + 2, saved_scalar(v, ARGUMENT + 2, n.c2, width))
    if n.hy == ARRAY:
        lay(layout, RESULT, n.sy, n)
    else:
        lay_scalar(layout, RESULT, saved_scalar(v, RESULT, n.cy, width))


cdef bint has_shape(ndarray a, Node n) noexcept:
    cdef int k
    if cnp.PyArray_NDIM(a) != n.nd:
        return False
    for k in range(n.nd):
        if cnp.PyArray_DIMS(a)[k] != n.dims[k]:
            return False
    return True


cdef bint same_node_shape(Node a, Node b) noexcept:
    cdef int k
    if a.nd != b.nd:
        return False
    for k in range(a.nd):
        if a.dims[k] != b.dims[k]:
            return False
    return True


cdef int backward_elementwise(Pass p, Node n) except -1:
    cdef Layout layout
    cdef Saved v
    cdef int k, last = 0
    cdef Row row = n.row
    cdef Node m
    lay(&layout, COTANGENT, <object>p.array, n)
    lay_saved(&layout, &v, n)
    for k in range(row.nin):
        if p.needs(n.input(k)):
            last = k
    for k in range(row.nin):
        m = n.input(k)
        if not p.needs(m):
            continue
        if row.identity[k] and same_node_shape(m, n):
            p.give_array(m, <ndarray>p.array)
        else:
            run_formula(p, n, m, k, k == last, &layout)
    return 0


cdef int run_formula(Pass p, Node n, Node m, int k, bint last, Layout* layout) except -1:
    # Formula k of an elementwise node, written or added into the gradient of its input m, reduced to m's shape.
    cdef Row row = n.row
    cdef int slot, reads = row.reads[k], width = kernel_width(n)
    cdef kernel_t kernel = row.vjp_kernels[k][width]
    cdef bint simple = same_node_shape(m, n), fresh
    cdef double d = 0
    cdef float f = 0
    cdef Py_ssize_t size = 1
    cdef PyObject* out
    cdef Slot* s
    cdef Layout own
    if row.identity[k]:
        kernel = identity_kernel(n.typenum)
        own = layout[0]      # the node's other formulas still need its arguments
        layout = &own
        layout.at[ARGUMENT], layout.s[ARGUMENT] = layout.at[COTANGENT], layout.s[COTANGENT]
        layout.array[ARGUMENT], layout.simple[ARGUMENT] = layout.array[COTANGENT], layout.simple[COTANGENT]
        reads = 1 << ARGUMENT
    if m.nd == 0 and width < 2:
        reduce_formula(kernel, n, reads, layout, <char*>&d if width else <char*>&f)
        return p.give_scalar(m, d if width else f)
    for slot in range(n.nd):
        size *= n.dims[slot]
    for slot in range(SLOTS):
        if reads >> slot & 1 and not layout.simple[slot]:
            simple = False
    if simple and last and m.typenum == n.typenum and is_exclusive(p.array):
        s = p.slot(m)
        if not s.full:      # the incoming gradient is not needed any more: its memory becomes the outgoing one
            layout.at[OUT], layout.s[OUT] = layout.at[COTANGENT], item_of(m.typenum)
            run_simple(kernel, layout, size, SET)
            s.array, s.full = p.array, True
            p.array = NULL
            return 0
    out = p.open(m, &fresh)
    if row.identity[k] and layout.simple[COTANGENT] and layout.s[COTANGENT] == 0 and size > 0:
        add_constant(<ndarray>out, layout.at[COTANGENT], size, fresh)
    elif simple:
        layout.at[OUT], layout.s[OUT] = <char*>cnp.PyArray_DATA(<ndarray>out), item_of(m.typenum)
        run_simple(kernel, layout, size, SET if fresh else ADD)
    else:
        reduce_into(kernel, n, m, reads, layout, <ndarray>out, fresh)
    return 0


cdef void add_constant(ndarray out, const char* value, Py_ssize_t size, bint fresh) noexcept:
    # The sum of one value over the broadcast axes needs no pass over them.
    cdef Operands o
    cdef double d[2]
    cdef float f[2]
    cdef Py_ssize_t times = size // cnp.PyArray_SIZE(out)
    cdef int k, nd = cnp.PyArray_NDIM(out), width = width_of(cnp.PyArray_TYPE(out))
    for k in range(1 + width // 2):         # the parts of a complex number
        if width % 2:
            d[k] = (<double*>value)[k] * times
        else:
            f[k] = <float>((<float*>value)[k] * <double>times)
    o.used = 0
    place(&o, OUT, out, nd)
    place_scalar(&o, ARGUMENT, <void*>d if width % 2 else <void*>f, item_of(cnp.PyArray_TYPE(out)), nd)
    iterate(identity_kernel(cnp.PyArray_TYPE(out)), &o, nd, <Py_ssize_t*>cnp.PyArray_DIMS(out), not fresh)


cdef void run_simple(kernel_t kernel, Layout* layout, Py_ssize_t size, int mode) noexcept:
    if size < WORTH:
        kernel(layout.at, layout.s, size, mode)
    else:
        with nogil:
            kernel(layout.at, layout.s, size, mode)


cdef void place_operands(Operands* o, Node n, int reads, Layout* layout) noexcept:
    cdef int slot
    o.used = 0
    for slot in range(COTANGENT, SLOTS):
        if reads >> slot & 1:
            if layout.array[slot] == NULL:
                place_scalar(o, slot, layout.at[slot], item_of(n.typenum), n.nd)
            else:
                place(o, slot, <ndarray>layout.array[slot], n.nd)


cdef void run_operands(kernel_t kernel, Operands* o, Node n, bint accumulate) noexcept:
    cdef Py_ssize_t size = 1
    cdef int k
    for k in range(n.nd):
        size *= n.dims[k]
    if size < WORTH:
        iterate(kernel, o, n.nd, n.dims, accumulate)
    else:
        with nogil:
            iterate(kernel, o, n.nd, n.dims, accumulate)


cdef void reduce_formula(kernel_t kernel, Node n, int reads, Layout* layout, char* out) noexcept:
    cdef Operands o
    place_operands(&o, n, reads, layout)
    place_scalar(&o, OUT, out, item_of(n.typenum), n.nd)
    run_operands(kernel, &o, n, True)


cdef void reduce_into(kernel_t kernel, Node n, Node m, int reads, Layout* layout, ndarray out, bint fresh) noexcept:
    cdef Operands o
    cdef bint reduced = not same_node_shape(m, n)
    if fresh and reduced:
        memset(cnp.PyArray_DATA(out), 0, cnp.PyArray_NBYTES(out))
    place_operands(&o, n, reads, layout)
    place(&o, OUT, out, n.nd)
    run_operands(kernel, &o, n, reduced or not fresh)


cdef int pull_part(object work, Node n) except -1:
    # Of a node with a real result of complex numbers: as of any elementwise node, but the cotangent may be 0-d.
    cdef Pass p = <Pass>work
    cdef ndarray g
    if p.array == NULL:
        g = np.asarray(p.scalar, n.dtype)
        Py_INCREF(g)
        p.array = <PyObject*>g
    return backward_elementwise(p, n)


cdef int pull_formula(Pass p, Node n) except -1:
    # For a row with a kernel, where that does not do.
    return backward_by(p, n, n.saved)


cdef int backward_generic(Pass p, Node n) except -1:
    return backward_by(p, n, n._saved)


cdef int backward_by(Pass p, Node n, tuple saved) except -1:
    cdef Row row = n.row
    cdef int k
    cdef Node m
    cdef object f = hook("arrays")
    cdef object g = np.asarray(p.scalar, n.dtype) if p.array == NULL else <object>p.array
    row.ready()
    if row.several:
        g = tuple(<list>g)
    warnings = hush()
    try:
        if row.joint:
            gradients = joint_vjp(row, f, g, saved, n, tuple([p.needs(n.input(k)) for k in range(n.count())]))
            for k in range(n.count()):
                m = n.input(k)
                if p.needs(m) and gradients[k] is not None:
                    p.give(m, gradients[k], row, k)
            return 0
        for k in range(n.count()):
            m = n.input(k)
            if not p.needs(m):
                continue
            if row.variadic:
                value = row._vjps[0](f, g, k, *saved, *n._params)
            else:
                value = row._vjps[k](f, g, *saved, *n._params)
            if value is not None:
                p.give(m, value, row, k)
    finally:
        unhush(warnings)
    return 0


cdef int pull_output(object work, Node n) except -1:
    # Adds to the cotangent of one result of a call; in a pass, the gradient of the call's node is a list of these.
    cdef Pass p = <Pass>work
    cdef Node call = n.n0
    cdef tuple params = n._params
    cdef Slot* slot
    cdef list held
    cdef int k = params[0]
    if not p.needs(call):
        return 0
    g = np.asarray(p.scalar, n.dtype) if p.array == NULL else <object>p.array
    slot = p.slot(call)
    if not slot.full:
        held = [None] * <int>params[1]
        Py_INCREF(held)
        slot.array, slot.full = <PyObject*>held, True
    held = <list>slot.array
    held[k] = g if held[k] is None else np.asarray(np.add(held[k], g))
    return 0


set_pull_output(pull_output)


def joint_vjp(Row row, f, g, tuple values, Node n, tuple wanted):
    """All gradients of a node whose vjp is one function, checked for their number."""
    cdef int count = n.count()
    value = row._vjps[0](f, g, values[:count], values[count:], wanted, *n._params)
    if not isinstance(value, (tuple, list)):
        value = (value,)
    if len(value) != count:
        raise ValueError(f"{row.name}: the vjp returned {len(value)} gradients for {count} arguments")
    return value


def raise_released(Node n):
    raise RuntimeError(
        f"the graph of {n.row.name!r} was released by an earlier backward pass; "
        "give that pass retain_graph=True to run another one through it"
    )


def verify_saved(Node n not None):
    """Raise if what the node saved was overwritten since."""
    verify(n)


cdef int verify_node(Node n) except -1:
    return verify(n)


cdef int check_writes(Node n) except -1:
    if last_write > n.seq:
        check_saved(n)
    if is_reachable(n):
        check_outside(n)
    return 0


def check_outside(Node n):
    """Raise if somebody outside wrote to an array that `n` saved."""
    saved = (n.s0, n.s1, n.s2, n.sy) if n.compiled else n._saved
    for a in flattened((saved, n._params)):
        if is_spoilt(a, n.seq):
            raise RuntimeError(
                f"{n.row.name}: an array of shape {a.shape} that it saved for its gradient was overwritten by NumPy; "
                "pass a copy of the array, or run backward() before the array is written to"
            )


cdef list flattened(tuple values):
    cdef list found = []
    for x in values:
        if type(x) is tuple:
            found += flattened(<tuple>x)
        else:
            found.append(x)
    return found


def check_saved(Node n):
    """Raise if an array that `n` saved was overwritten since. Some array was."""
    overwritten = hook("overwritten")
    saved = (n.s0, n.s1, n.s2, n.sy) if n.compiled else n._saved
    for group in saved:
        for a in group if type(group) is tuple else (group,):
            if isinstance(a, ndarray) and (<object>a).size > 0:
                name = overwritten(a, n.seq)
                if name is not None:
                    raise RuntimeError(
                        f"{n.row.name}: a value that it saved for its gradient was overwritten in place by {name!r}; "
                        "write to a clone() instead, or run backward() first"
                    )

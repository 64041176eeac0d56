# Forward mode: tangents pushed through recorded nodes, in rising order. Part of _engine.pyx.
#
# A tangent has the shape and dtype of its node's value: an array, a float where that is 0-d, or, where what is done to
# it is recorded, a Tensor. An elementwise node's is what its kernels make of the inputs' tangents in the place of the
# cotangent. A row with a kernel of its own may have registered another for this. All other nodes, and all nodes of a
# recorded pass, are for the caller's `rule`. The node of a call with several results has a tuple of their tangents,
# None for one that does not move, of which the nodes of the results take theirs.


def push(list outputs not None, list variables not None, list directions not None, rule, bint recorded):
    """The tangents of `outputs`, from those of `variables`; None for one that depends on no variable.

    directions: for each variable an array or Tensor of its shape; a Tensor where `recorded`: then operations are, else
    they are not. The results are arrays of their own, or Tensors; where all directions are Tensors and the row says
    that its result is a view, so is the tangent, lent as the memory of a detached Tensor. `rule(node, moving)` makes
    the tangent of a node's value of those of its inputs, a dict from positions to arrays (Tensors), in the shape and
    dtype of the node; a tuple of them, None for one that does not move, for a call with several results. NumPy's
    warnings are off meanwhile.
    """
    cdef Route route = Route.__new__(Route)
    cdef bint before = switch(recorded)
    try:
        return pushed(route, outputs, variables, directions, rule, recorded)
    finally:
        switch(before)
        if route.is_hushed:
            unhush(route.warnings)


cdef list pushed(Route route, list outputs, list variables, list directions, object rule, bint recorded):
    cdef list nodes = [node_of(<Tensor>t) for t in variables], ends = [node_of(<Tensor>t) for t in outputs]
    cdef PyObject* gone
    cdef Py_ssize_t at, place
    cdef int k
    cdef unsigned long long last
    cdef list found = []
    cdef bint lent = not recorded
    plan_route(route, ends, nodes)
    for at in range(len(nodes)):
        lent = lent and isinstance(directions[at], Tensor)
        made = directions[at] if recorded else tangent_of(directions[at], <Node>nodes[at], route)
        keep_tangent(route, route.length + at, made)
    for at in range(route.length):
        made = push_node(route, &route.stops[at], rule, recorded)
        if made is not None:
            keep_tangent(route, at, made)
        last = route.stops[at].last
        k = 0
        while last:
            place = route.places[route.stops[at].first + k]
            if last & 1:
                gone, route.tangents[place] = route.tangents[place], NULL
                Py_XDECREF(gone)
            last >>= 1
            k += 1
    made = None                                 # else the last tangent would have two references
    for at in range(len(ends)):
        place = route.places[route.outputs + at]
        found.append(None if place < 0 else handed_over(route.tangents[place], <Node>ends[at], recorded, lent))
    return found


cdef inline void keep_tangent(Route route, Py_ssize_t place, object made) noexcept:
    Py_INCREF(made)
    route.tangents[place] = <PyObject*>made


cdef object handed_over(PyObject* held, Node n, bint recorded, bint lent):
    # The tangent of a result; an array that nobody else has, unless recorded, or `lent` and a view.
    cdef bint own
    if held == NULL:
        return None
    if recorded:
        return <object>held
    if isinstance(<object>held, float):
        return np.asarray(<object>held, n.dtype)
    own = is_sole(held)                         # else an earlier result has it, or another node
    if own:
        return <object>held
    if lent and n.row is not None and (n.n0.row if n.row.is_output else n.row).view and cnp.PyArray_ISBEHAVED(
        <ndarray>held
    ):
        return lend(<ndarray>held, False, NULL)
    if cnp.PyArray_IS_C_CONTIGUOUS(<ndarray>held) and has_kernels(n.typenum):
        return contiguous(<ndarray>held)
    return cnp.PyArray_NewCopy(<ndarray>held, cnp.NPY_KEEPORDER)


cdef bint is_sole(PyObject* a) noexcept:
    # As `is_exclusive`, for any layout, and for a view of all of such an array, which nothing else refers to.
    cdef PyObject* base = <PyObject*>cnp.PyArray_BASE(<ndarray>a)
    if ZEN_REFCNT(a) != 1 or not cnp.PyArray_ISBEHAVED(<ndarray>a):
        return False
    if base != NULL and ZEN_REFCNT(base) == 1 and type(<object>base) is ndarray:
        if cnp.PyArray_NBYTES(<ndarray>a) != cnp.PyArray_NBYTES(<ndarray>base):
            return False
        a, base = base, <PyObject*>cnp.PyArray_BASE(<ndarray>base)
    if base == NULL:
        return cnp.PyArray_CHKFLAGS(<ndarray>a, cnp.NPY_ARRAY_OWNDATA)
    return ZEN_REFCNT(base) == 1 and type(<object>base) is Buffer


cdef inline bint is_scalar(Node n) noexcept:
    return n.nd == 0 and has_kernels(n.typenum)


cdef object tangent_of(object value, Node n, Route route):
    # An array of the node's shape, as kernels may read it; or a float.
    cdef ndarray a
    if isinstance(value, Tensor):
        value = (<Tensor>value).values()
    if type(value) is not ndarray or cnp.PyArray_TYPE(<ndarray>value) != n.typenum or not cnp.PyArray_ISBEHAVED_RO(
        <ndarray>value
    ):
        route.quieten()
        value = cnp.PyArray_FROMANY(
            value, n.typenum, 0, 0,
            cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_NOTSWAPPED | cnp.NPY_ARRAY_FORCECAST | cnp.NPY_ARRAY_ENSUREARRAY)
    a = <ndarray>value
    return <double>(<object>a) if is_scalar(n) else a


cdef ndarray as_ndarray(object tangent, Node n):
    if isinstance(tangent, float):
        return np.asarray(tangent, n.dtype)
    return <ndarray>tangent


cdef object push_node(Route route, Stop* stop, object rule, bint recorded):
    cdef Node n = <Node>stop.node
    cdef PyObject* given[3]
    cdef PyObject** t = &given[0]
    cdef Py_ssize_t place
    cdef int k, count = n.count()
    cdef bint moves = False
    if n.is_released:            # by another thread, since the route was planned
        raise_released(n)
    if count > 3:
        t = <PyObject**>malloc(count * sizeof(PyObject*))
        if t == NULL:
            raise MemoryError("no memory for a pass in forward mode")
    n.users += 1
    try:
        for k in range(count):
            place = route.places[stop.first + k]
            t[k] = NULL if place < 0 else route.tangents[place]
            moves = moves or t[k] != NULL
        if not moves:
            return None
        if n.row.is_output:
            made = (<tuple><object>t[0])[n._params[0]]
            return <double>made if not recorded and made is not None and is_scalar(n) else made
        verify(n)
        if n.compiled and not recorded:
            if n.row.push != NULL:
                route.quieten()
                made = n.row.push(n, t)
                if made is not NotImplemented:
                    return made
            elif n.row.pull == NULL:
                return push_scalar(n, t) if is_scalar(n) else push_elementwise(n, t)
        route.quieten()
        if n.row.applies and not recorded:
            made = n.row.forward(as_ndarray(<object>t[0], n.input(0)), *n.params)
            if type(made) is ndarray and cnp.PyArray_TYPE(<ndarray>made) == n.typenum and has_shape(<ndarray>made, n):
                return <double>made if is_scalar(n) else made
        made = rule(n, {
            k: <object>t[k] if recorded else as_ndarray(<object>t[k], n.input(k)) for k in range(count) if t[k] != NULL
        })
        return made if recorded or made is None or n.row.several or not is_scalar(n) else <double>made
    finally:
        n.leave(False)
        if count > 3:
            free(t)


cdef object push_scalar(Node n, PyObject** t):
    # A 0-d elementwise node: every input is 0-d as well.
    cdef char* at[SLOTS]
    cdef Py_ssize_t s[SLOTS]
    cdef Saved v
    cdef int k
    cdef bint is_double = n.typenum == cnp.NPY_DOUBLE
    cdef double total = 0
    cdef Row row = n.row
    place_scalars(n, at, s, &v)
    for k in range(row.nin):
        if t[k] == NULL:
            continue
        if row.identity[k]:
            total += <double><object>t[k]
            continue
        at[COTANGENT] = saved_scalar(&v, COTANGENT, <double><object>t[k], is_double)
        row.vjp_kernels[k][is_double](at, s, 1, SET)
        total += v.d[OUT] if is_double else v.f[OUT]
    return total if is_double else <float>total


cdef enum:
    PART_BLOCK = 1024    # elements: a sum stays in the level 1 cache while the next part is added to it

cdef struct Part:
    # What one input's tangent adds to that of the result.
    kernel_t kernel
    int reads
    Layout layout


cdef inline void lay_tangent(Layout* layout, Saved* v, int slot, object tangent, Node n) noexcept:
    if isinstance(tangent, float):
        lay_scalar(layout, slot, saved_scalar(v, slot, <double>tangent, width_of(n.typenum)))
    else:
        lay(layout, slot, tangent, n)


cdef bint is_simple(Part* part) noexcept:
    # Whether the part takes one pass over the elements.
    cdef int slot
    for slot in range(COTANGENT, SLOTS):
        if part.reads >> slot & 1 and not part.layout.simple[slot]:
            return False
    return True


cdef void plan_part(Part* part, Node n, Saved* v, int k, object tangent) noexcept:
    # The formula for input k.
    part.kernel, part.reads = n.row.vjp_kernels[k][width_of(n.typenum)], n.row.reads[k]
    lay_saved(&part.layout, v, n)
    if n.row.identity[k]:
        part.kernel, part.reads = identity_kernel(n.typenum), 1 << ARGUMENT
    lay_tangent(&part.layout, v, ARGUMENT if n.row.identity[k] else COTANGENT, tangent, n)


cdef void plan_pair(Part* part, Node n, Saved* v, object first, object second) noexcept:
    # The first two formulas of a row, in one pass.
    part.kernel, part.reads = n.row.tangent_kernels[width_of(n.typenum)], n.row.tangent_reads
    lay_saved(&part.layout, v, n)
    lay_tangent(&part.layout, v, COTANGENT, first, n)
    lay_tangent(&part.layout, v, n.row.second_slot, second, n)


cdef object push_elementwise(Node n, PyObject** t):
    cdef Part parts[MAX_ARGUMENTS]
    cdef Saved v[MAX_ARGUMENTS]
    cdef int k, only = -1, count = 0
    cdef bint paired
    cdef Row row = n.row
    for k in range(row.nin):
        if t[k] != NULL:
            only, count = k, count + 1
    if count == 1 and row.identity[only] and isinstance(<object>t[only], ndarray) and has_shape(<ndarray>t[only], n):
        return <object>t[only]
    count = 0
    paired = row.tangent_kernels[width_of(n.typenum)] != NULL and t[row.pair[0]] != NULL and t[row.pair[1]] != NULL
    if paired:
        plan_pair(&parts[0], n, &v[0], <object>t[row.pair[0]], <object>t[row.pair[1]])
        count = 1
    for k in range(row.nin):
        if t[k] != NULL and not (paired and (k == row.pair[0] or k == row.pair[1])):
            plan_part(&parts[count], n, &v[count], k, <object>t[k])
            count += 1
    return add_parts(n, parts, count)


cdef object push_part(Node n, PyObject** t):
    # The tangent of a node with a real result of complex numbers.
    cdef Part part
    cdef Saved v
    cdef ndarray made
    part.kernel, part.reads = n.row.tangent_kernels[kernel_width(n)], n.row.tangent_reads
    lay_saved(&part.layout, &v, n)
    lay(&part.layout, COTANGENT, <object>t[0], n)
    made = add_parts(n, &part, 1)
    return <double>(<object>made) if n.nd == 0 else made


set_part(pull_part, push_part)


cdef ndarray add_parts(Node n, Part* parts, int count):
    cdef Operands o
    cdef int k
    cdef bint simple = True
    cdef ndarray out = new_array(n.nd, n.dims, n.typenum)
    for k in range(count):
        parts[k].layout.at[OUT], parts[k].layout.s[OUT] = <char*>cnp.PyArray_DATA(out), cnp.PyArray_ITEMSIZE(out)
        simple = simple and is_simple(&parts[k])
    if not simple:
        for k in range(count):
            place_operands(&o, n, parts[k].reads, &parts[k].layout)
            place(&o, OUT, out, n.nd)
            run_operands(parts[k].kernel, &o, n, k > 0)
    elif elements(n) < WORTH:
        run_parts(parts, count, elements(n))
    else:
        with nogil:
            run_parts(parts, count, cnp.PyArray_SIZE(out))
    return out


cdef void run_parts(Part* parts, int count, Py_ssize_t size) noexcept nogil:
    cdef char* at[MAX_ARGUMENTS][SLOTS]
    cdef Py_ssize_t start = 0, length
    cdef int j, slot
    for j in range(count):
        for slot in range(SLOTS):
            at[j][slot] = parts[j].layout.at[slot]
    while start < size:
        length = min(size - start, PART_BLOCK) if count > 1 else size
        for j in range(count):
            parts[j].kernel(at[j], parts[j].layout.s, length, SET if j == 0 else ADD)
            for slot in range(SLOTS):
                if (parts[j].reads | 1 << OUT) >> slot & 1:
                    at[j][slot] += length * parts[j].layout.s[slot]
        start += length

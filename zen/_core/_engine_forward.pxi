# Forward mode: tangents pushed through recorded nodes, in rising order. Part of _engine.pyx.
#
# A tangent has the shape and dtype of its node's value: an array, a float where that is 0-d, or, where what is done to
# it is recorded, a Tensor. An elementwise node's is what its kernels make of the inputs' tangents in the place of the
# cotangent. A row with a kernel of its own may have registered another for this. All other nodes, and all nodes of a
# recorded pass, are for the caller's `rule`. The node of a call with several results has a tuple of their tangents,
# None for one that does not move, of which the nodes of the results take theirs.

cdef struct Stop:
    long long seq
    PyObject* node                   # owned
    unsigned long long last          # bit k of 64: no later node reads the tangent of input k


@cython.final
cdef class Route:
    """The operations between outputs and variables, in rising order."""

    cdef Stop* stops
    cdef Py_ssize_t length, capacity

    def __dealloc__(self):
        cdef Py_ssize_t k
        for k in range(self.length):
            Py_DECREF(<object>self.stops[k].node)
        free(self.stops)

    cdef int add(self, Node n) except -1:
        cdef Stop* grown
        if self.length == self.capacity:
            grown = <Stop*>realloc(self.stops, (2 * self.capacity + 16) * sizeof(Stop))
            if grown == NULL:
                raise MemoryError("no memory for a pass in forward mode")
            self.stops, self.capacity = grown, 2 * self.capacity + 16
        self.stops[self.length].seq, self.stops[self.length].last = n.seq, 0
        self.stops[self.length].node = <PyObject*>n
        Py_INCREF(n)
        self.length += 1
        return 0


cdef int by_seq(const void* a, const void* b) noexcept nogil:
    return 1 if (<const Stop*>a).seq > (<const Stop*>b).seq else -1


cdef Route plan_route(list outputs, dict tangents):
    # Marks as in `mark_needed`: no other thread runs in the loops, and passes that find theirs gone mark anew.
    global _passes
    cdef Route route = Route()
    cdef Node n, m
    cdef long long oldest = -1, seen = _passes + 1, read = _passes + 2
    cdef Py_ssize_t at = 0
    cdef int k
    _passes += 2
    for n in tangents:
        oldest = n.seq if oldest < 0 else min(oldest, n.seq)
    for t in outputs:
        n = node_of(<Tensor>t)
        if n is not None and n.mark != seen and n.seq >= oldest and n.row is not None and n not in tangents:
            n.mark = seen
            route.add(n)
    for n in tangents:
        n.mark = seen
    while at < route.length:
        n = <Node>route.stops[at].node
        at += 1
        if n.is_released:
            raise_released(n)
        for k in range(n.count()):
            m = n.input(k)
            if m is not None and m.mark != seen and m.seq >= oldest and m.row is not None:
                m.mark = seen
                route.add(m)
    qsort(route.stops, route.length, sizeof(Stop), by_seq)
    for t in outputs:
        n = (<Tensor>t)._node
        if n is not None:
            n.mark = read            # the result itself reads it
    for at in range(route.length - 1, -1, -1):
        n = <Node>route.stops[at].node
        for k in range(n.count()):
            m = n.input(k)
            if m is not None and m.mark != read and m.seq >= oldest:
                m.mark = read
                if k < 64:           # else it is kept to the end
                    route.stops[at].last |= 1ULL << k
    return route


def push(list outputs not None, list variables not None, list directions not None, rule, bint recorded):
    """The tangents of `outputs`, from those of `variables`; None for one that depends on no variable.

    directions: for each variable an array or Tensor of its shape; a Tensor where `recorded`: then operations are, else
    they are not. The results are arrays of their own, or Tensors. `rule(node, moving)` makes the tangent of a node's
    value of those of its inputs, a dict from positions to arrays (Tensors), in the shape and dtype of the node; a tuple
    of them, None for one that does not move, for a call with several results. NumPy's warnings are off meanwhile.
    """
    cdef object warnings = hush()
    cdef bint before = switch(recorded)
    try:
        return pushed(outputs, variables, directions, rule, recorded)
    finally:
        switch(before)
        unhush(warnings)


cdef list pushed(list outputs, list variables, list directions, object rule, bint recorded):
    cdef dict tangents = {}
    cdef Route route
    cdef Node n, m
    cdef Py_ssize_t at
    cdef int k
    cdef unsigned long long last
    cdef list found = []
    for k in range(len(variables)):
        n = node_of(<Tensor>variables[k])
        tangents[n] = directions[k] if recorded else tangent_of(directions[k], n)
    route = plan_route(outputs, tangents)
    for at in range(route.length):
        n = <Node>route.stops[at].node
        made = push_node(n, tangents, rule, recorded)
        if made is not None:
            tangents[n] = made
        last = route.stops[at].last
        k = 0
        while last:
            if last & 1:
                m = n.input(k)
                tangents.pop(m, None)
            last >>= 1
            k += 1
    made = None                                 # else the last tangent would have two references
    for k in range(len(outputs)):
        n = (<Tensor>outputs[k])._node
        found.append(None if n is None else handed_over(tangents, n, recorded, found))
    return found


cdef object handed_over(dict tangents, Node n, bint recorded, list found):
    # The tangent of a result; an array that nobody else has, unless recorded.
    cdef object made = tangents.get(n)
    cdef bint own
    if made is None or recorded:
        return made
    if isinstance(made, float):
        return np.asarray(made, n.dtype)
    own = ZEN_REFCNT(<PyObject*>made) == 2      # of the dict and of `made`: no earlier result has it
    made = None
    own = own and is_exclusive(PyDict_GetItem(tangents, n))
    made = tangents[n]
    if own:
        return made
    if cnp.PyArray_IS_C_CONTIGUOUS(<ndarray>made) and has_kernels(n.typenum):
        return contiguous(<ndarray>made)
    return cnp.PyArray_NewCopy(<ndarray>made, cnp.NPY_KEEPORDER)


cdef inline bint is_scalar(Node n) noexcept:
    return n.nd == 0 and has_kernels(n.typenum)


cdef object tangent_of(object value, Node n):
    # An array of the node's shape, as kernels may read it; or a float.
    cdef ndarray a = <ndarray>cnp.PyArray_FROMANY(
        value._array if isinstance(value, Tensor) else value, n.typenum, 0, 0,
        cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_NOTSWAPPED | cnp.NPY_ARRAY_FORCECAST | cnp.NPY_ARRAY_ENSUREARRAY)
    return <double>(<object>a) if is_scalar(n) else a


cdef ndarray as_ndarray(object tangent, Node n):
    if isinstance(tangent, float):
        return np.asarray(tangent, n.dtype)
    return <ndarray>tangent


cdef object push_node(Node n, dict tangents, object rule, bint recorded):
    cdef PyObject* given[3]
    cdef PyObject** t = &given[0]
    cdef int k, count = n.count()
    cdef bint moves = False, done = False
    if count > 3:
        t = <PyObject**>malloc(count * sizeof(PyObject*))
        if t == NULL:
            raise MemoryError("no memory for a pass in forward mode")
    n.users += 1
    try:
        for k in range(count):
            t[k] = PyDict_GetItem(tangents, n.input(k))      # None is no key
            moves = moves or t[k] != NULL
        if not moves:
            return None
        if n.row.is_output:
            made = (<tuple><object>t[0])[n._params[0]]
            return <double>made if not recorded and made is not None and is_scalar(n) else made
        verify(n)
        if n.compiled and not recorded:
            if n.row.push != NULL:
                made = n.row.push(n, t)
                if made is not NotImplemented:
                    return made
            elif n.row.pull == NULL:
                return push_scalar(n, t) if n.nd == 0 else push_elementwise(n, t)
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


cdef struct Part:
    # What one input's tangent adds to that of the result.
    kernel_t kernel
    int reads
    bint simple
    Layout layout


cdef bint plan_part(Part* part, Node n, Saved* v, int k, object tangent) noexcept:
    # The formula for input k; `part.layout` has what the node saved. Whether it takes one pass over the elements.
    cdef int slot = COTANGENT
    cdef bint is_double = n.typenum == cnp.NPY_DOUBLE
    part.kernel, part.reads, part.simple = n.row.vjp_kernels[k][is_double], n.row.reads[k], True
    if n.row.identity[k]:
        part.kernel, part.reads, slot = identity_kernel(n.typenum), 1 << ARGUMENT, ARGUMENT
    if isinstance(tangent, float):
        lay_scalar(&part.layout, slot, saved_scalar(v, slot, <double>tangent, is_double))
    else:
        lay(&part.layout, slot, tangent, n)
    for slot in range(COTANGENT, SLOTS):
        if part.reads >> slot & 1 and not part.layout.simple[slot]:
            part.simple = False
    return part.simple


cdef object sum_of(object a, object b, Node n, ndarray out):
    # A row whose formulas are `g` is a sum: its own kernel, on the tangents.
    cdef Part part
    cdef Saved v
    cdef Operands o
    cdef int slot
    cdef bint is_double = n.typenum == cnp.NPY_DOUBLE
    part.kernel, part.reads = n.row.forward_kernels[is_double], 1 << ARGUMENT | 1 << (ARGUMENT + 1)
    for slot in range(ARGUMENT, ARGUMENT + 2):
        tangent = a if slot == ARGUMENT else b
        if isinstance(tangent, float):
            lay_scalar(&part.layout, slot, saved_scalar(&v, slot, <double>tangent, is_double))
        else:
            lay(&part.layout, slot, tangent, n)
    lay(&part.layout, OUT, out, n)
    if part.layout.simple[ARGUMENT] and part.layout.simple[ARGUMENT + 1]:
        if elements(n) < WORTH:
            run_parts(&part, 1, elements(n))
        else:
            run_parts_free(&part, 1, elements(n))
    else:
        place_operands(&o, n, part.reads, &part.layout)
        place(&o, OUT, out, n.nd)
        run_operands(part.kernel, &o, n, False)
    return out


cdef object push_elementwise(Node n, PyObject** t):
    cdef Part parts[MAX_ARGUMENTS]
    cdef Saved v[MAX_ARGUMENTS]
    cdef Operands o
    cdef int k, count = 0
    cdef bint simple = True
    cdef Py_ssize_t item = 8 if n.typenum == cnp.NPY_DOUBLE else 4
    cdef ndarray out
    if n.row.nin == 1 and n.row.identity[0]:
        return <object>t[0]
    out = new_array(n.nd, n.dims, n.typenum)
    if n.row.nin == 2 and n.row.identity[0] and n.row.identity[1] and t[0] != NULL and t[1] != NULL:
        return sum_of(<object>t[0], <object>t[1], n, out)
    for k in range(n.row.nin):
        if t[k] != NULL:
            lay_saved(&parts[count].layout, &v[count], n)
            simple = plan_part(&parts[count], n, &v[count], k, <object>t[k]) and simple
            parts[count].layout.at[OUT] = <char*>cnp.PyArray_DATA(out)
            parts[count].layout.s[OUT] = item
            count += 1
    if simple:
        if elements(n) < WORTH:
            run_parts(parts, count, elements(n))
        else:
            run_parts_free(parts, count, elements(n))
        return out
    for k in range(count):
        place_operands(&o, n, parts[k].reads, &parts[k].layout)
        place(&o, OUT, out, n.nd)
        run_operands(parts[k].kernel, &o, n, k > 0)
    return out


cdef void run_parts_free(Part* parts, int count, Py_ssize_t size) noexcept:
    with nogil:
        run_parts(parts, count, size)


cdef void run_parts(Part* parts, int count, Py_ssize_t size) noexcept nogil:
    # Block by block: what the first part wrote is in the cache when the next adds to it.
    cdef char* at[SLOTS]
    cdef Py_ssize_t start = 0, length
    cdef int j, slot
    while start < size:
        length = min(size - start, FUSE_BLOCK) if count > 1 else size
        for j in range(count):
            for slot in range(SLOTS):
                at[slot] = parts[j].layout.at[slot]
                if (parts[j].reads | 1 << OUT) >> slot & 1:
                    at[slot] += start * parts[j].layout.s[slot]
            parts[j].kernel(at, parts[j].layout.s, length, SET if j == 0 else ADD)
        start += length

# One call of a program: its memory, inputs and outputs, and the steps that need Python. Part of _program.pyx.

cdef object replay(Schedule s, tuple inputs, dict found):
    """The outputs, or the number of the step that ended the run. found: gets the strides of Python's results that are
    not as planned; the outputs are not to be used then. None: such results are laid out anew."""
    cdef Frame frame = s.spare
    cdef Py_ssize_t k = 0
    cdef bint heavy = s.heavy
    cdef const Step* step
    cdef list made
    if frame is None:
        frame = <Frame>s.idle.pop() if s.idle else Frame(s)
    s.spare = None
    try:
        enter_inputs(s, frame, inputs)
        if s.things and not enter_live(s, frame):
            return -1
        made = new_outputs(s, frame)
        while True:
            if heavy:
                with nogil:
                    k = execute(&s.script, k, frame.base)
            else:
                k = execute(&s.script, k, frame.base)
            if k < 0:
                return -1 - k
            if k == s.script.count:
                fill_outputs(s, frame, made)
                return made
            step = s.script.steps + k
            call_row(s, frame, <Call>s.calls[step.n], found)
            heavy = step.more
            k += 1
    finally:
        leave_frame(s, frame)


cdef int leave_frame(Schedule s, Frame frame) except -1:
    cdef Py_ssize_t k
    cdef Py_ssize_t own = 1 + len(s.given) + len(s.live), constants = len(s.constants)
    if frame.dirty:
        frame.dirty = False
        for k in range(1, own):
            frame.held[k] = None
        for k in range(own + constants, s.slots):
            frame.held[k] = None
    if s.spare is None:
        s.spare = frame
    elif len(s.idle) < IDLE:
        s.idle.append(frame)
    return 0


cdef int enter_inputs(Schedule s, Frame frame, tuple inputs) except -1:
    cdef Py_ssize_t k, n = len(s.given)
    cdef const Port* port = <const Port*>s.ports.data
    cdef PyObject* x
    if len(inputs) != n:
        raise TypeError(f"run: the program takes {n} inputs, not {len(inputs)}")
    for k in range(n):
        x = (<PyTupleObject*>inputs).ob_item[k]
        if port[k].weak:
            if not PyFloat_Check(<object>x):
                raise_input(k, s, <object>x)
            (<double*>(frame.base[0] + port[k].offset))[0] = PyFloat_AS_DOUBLE(<object>x)
        elif type(<object>x) is not ndarray or not enter_array(frame, port + k, <ndarray>x):
            raise_input(k, s, <object>x)
    return 0


cdef inline bint has_shape(ndarray x, const Port* port) noexcept:
    cdef int k
    if cnp.PyArray_TYPE(x) != port.typenum or cnp.PyArray_NDIM(x) != port.nd:
        return False
    for k in range(port.nd):
        if cnp.PyArray_DIMS(x)[k] != port.dims[k]:
            return False
    return True


cdef bint enter_array(Frame frame, const Port* port, ndarray x) except -1:
    # The memory of x in its slot, or its number in a cell; False where x is not what was planned for. The caller holds
    # x as long as the call lasts.
    if not has_shape(x, port):
        return False
    if not cnp.PyArray_ISCARRAY_RO(x):
        x = plain_array(x)
        if port.kind != CELL:
            hold(frame, port.slot, x)
    if port.kind == CELL:
        memcpy(frame.base[0] + port.offset, cnp.PyArray_DATA(x), 8 if port.typenum == cnp.NPY_DOUBLE else 4)
    else:
        frame.base[port.slot] = <char*>cnp.PyArray_DATA(x)
    return True


cdef inline int hold(Frame frame, Py_ssize_t slot, object thing) except -1:
    frame.held[slot] = thing
    frame.dirty = True
    return 0


cdef int raise_input(Py_ssize_t k, Schedule s, object x) except -1:
    cdef Home home = <Home>s.given[k]
    wanted = "a float" if home.weak else f"an array of {layout_text(home)}"
    found = f"one of {x.dtype}{list(x.shape)}" if type(x) is ndarray else type(x).__name__
    raise TypeError(f"run: input {k} of the program is {wanted}, not {found}")


cdef bint enter_live(Schedule s, Frame frame) except -1:
    cdef Py_ssize_t k
    cdef Tensor t
    cdef const Port* port = <const Port*>s.ports.data + len(s.given)
    for k in range(len(s.things)):
        thing = s.things[k]
        if isinstance(thing, Tensor):
            t = <Tensor>thing
            if t.data is None and port[k].kind == CELL:
                if t.typenum != port[k].typenum:
                    return False
                store_number(frame.base[0] + port[k].offset, t.scalar, t.typenum)
                continue
            thing = t.values()
        elif type(thing) is not ndarray:
            thing = np.asarray(thing)
        if port[k].kind != CELL:
            hold(frame, port[k].slot, thing)     # another thread may give the Tensor other memory
        if not enter_array(frame, port + k, <ndarray>thing):
            return False
    return True


cdef inline void store_number(char* to, double value, int typenum) noexcept:
    if typenum == cnp.NPY_DOUBLE:
        (<double*>to)[0] = value
    else:
        (<float*>to)[0] = <float>value


cdef ndarray fresh_array(Home home):
    # Of the shape and strides of a value that is a whole region.
    cdef ndarray g = home.ghost
    if cnp.PyArray_IS_C_CONTIGUOUS(g) and has_kernels(home.typenum):
        return new_array(cnp.PyArray_NDIM(g), <Py_ssize_t*>cnp.PyArray_DIMS(g), home.typenum)
    return cnp.PyArray_New(
        ndarray, cnp.PyArray_NDIM(g), cnp.PyArray_DIMS(g), home.typenum, cnp.PyArray_STRIDES(g), NULL, 0, 0,
        <object>NULL)


cdef list new_outputs(Schedule s, Frame frame):
    # The list of outputs, with new arrays where they are computed in them or copied to them as they are.
    cdef Py_ssize_t k, n = len(s.outputs)
    cdef const Port* port = <const Port*>s.ports.data + len(s.given) + len(s.live)
    cdef list made = PyList_New(n)
    cdef object out
    for k in range(n):
        out = None
        if port[k].whole and not port[k].weak and port[k].kind != OBJECT:
            out = new_array(port[k].nd, port[k].dims, port[k].typenum)
        elif port[k].fresh > 0:
            out = fresh_array(<Home>s.outputs[k])
        if port[k].fresh > 0:
            frame.base[port[k].fresh] = <char*>cnp.PyArray_DATA(<ndarray>out)
        Py_INCREF(out)
        PyList_SET_ITEM(made, k, out)
    return made


cdef int fill_outputs(Schedule s, Frame frame, list made) except -1:
    cdef Py_ssize_t k
    cdef const Port* port = <const Port*>s.ports.data + len(s.given) + len(s.live)
    cdef PyObject* out
    for k in range(len(made)):
        out = PyList_GET_ITEM(made, k)
        if out == <PyObject*>None:
            made[k] = output_of(s, frame, <Home>s.outputs[k])
        elif port[k].fresh == 0:
            memcpy(cnp.PyArray_DATA(<ndarray>out), frame.base[port[k].slot] + port[k].offset, port[k].nbytes)
    return 0


cdef object output_of(Schedule s, Frame frame, Home home):
    cdef Region* r = <Region*>s.regions.data + home.region
    cdef char* data = frame.base[r.slot] + r.offset + home.offset()
    cdef ndarray out, held
    if home.weak:
        return (<double*>data)[0]
    if r.kind == OBJECT and is_exclusive(PyList_GET_ITEM(frame.held, r.slot)):
        held = <ndarray>frame.held[r.slot]
        if cnp.PyArray_DATA(held) == data and same_shape(held, home.ghost) and same_strides(held, home.ghost):
            return held
    if cnp.PyArray_NDIM(home.ghost) == 0:
        out = cnp.PyArray_EMPTY(0, NULL, home.typenum, 0)
        memcpy(cnp.PyArray_DATA(out), data, cnp.PyArray_ITEMSIZE(out))
        return out
    return cnp.PyArray_NewCopy(array_at(frame, home, data), cnp.NPY_KEEPORDER)


cdef ndarray array_at(Frame frame, Home home, char* data):
    # An array on the memory of a value.
    cdef ndarray g = home.ghost
    cdef ndarray a = cnp.PyArray_New(
        ndarray, cnp.PyArray_NDIM(g), cnp.PyArray_DIMS(g), home.typenum, cnp.PyArray_STRIDES(g), data, 0,
        cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_WRITEABLE, <object>NULL)
    Py_INCREF(frame)
    cnp.PyArray_SetBaseObject(a, frame)
    return a


cdef bint same_strides(ndarray a, ndarray b) noexcept:
    # Of arrays of one shape, where they matter.
    cdef int k
    if cnp.PyArray_SIZE(a) == 0:
        return True
    for k in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_DIMS(a)[k] > 1 and cnp.PyArray_STRIDES(a)[k] != cnp.PyArray_STRIDES(b)[k]:
            return False
    return True


# --- steps in Python

cdef int call_row(Schedule s, Frame frame, Call call, dict found) except -1:
    cdef Home home
    cdef Region* r
    cdef bint before
    cdef list operands = []
    for k in call.dead:
        frame.held[k] = None
    for x in call.operands:
        if isinstance(x, Home):
            home = <Home>x
            r = <Region*>s.regions.data + home.region
            x = operand_at(frame, home, frame.base[r.slot] + r.offset + home.offset())
        operands.append(x)
    before = switch(False)
    try:
        params = parameters_at(s, frame, call.homes, call.params) if call.homes else call.params
        made = apply(call.row, tuple(operands), params)
    finally:
        switch(before)
    results = made if call.row.several else (made,)
    if len(results) != len(call.results):
        raise RuntimeError(f"{call.row.name}: {len(results)} results where the program has {len(call.results)}")
    for home, number, t in zip(call.results, call.numbers, results):
        take_result(s, frame, call, home, number, <Tensor?>t, operands, found)
    return 0


cdef object parameters_at(Schedule s, Frame frame, dict homes, object params):
    # Parameters, with arrays in place of values.
    cdef Home home
    cdef Region* r
    if type(params) is tuple:
        return tuple([parameters_at(s, frame, homes, x) for x in params])
    if type(params) is list:
        return [parameters_at(s, frame, homes, x) for x in params]
    if not is_value(params):
        return params
    home = <Home>homes[params.number]
    r = <Region*>s.regions.data + home.region
    return np.array(array_at(frame, home, frame.base[r.slot] + r.offset + home.offset()))


cdef object operand_at(Frame frame, Home home, char* data):
    if home.weak:
        return (<double*>data)[0]
    if cnp.PyArray_NDIM(home.ghost) == 0 and has_kernels(home.typenum):
        if home.typenum == cnp.NPY_DOUBLE:
            return new_scalar((<double*>data)[0], home.typenum, None)
        return new_scalar((<float*>data)[0], home.typenum, None)
    return new_tensor(array_at(frame, home, data), None)


cdef int take_result(
    Schedule s, Frame frame, Call call, Home home, object number, Tensor t, list operands, dict found
) except -1:
    cdef Region* r = <Region*>s.regions.data + home.region
    cdef ndarray array = <ndarray>t.values()
    if cnp.PyArray_TYPE(array) != home.typenum or not same_shape(array, home.ghost):
        raise RuntimeError(
            f"{call.row.name}: the program has {layout_text(home)} for a result that is "
            f"{(<object>array).dtype}{list((<object>array).shape)}; a row's shapes and dtypes follow from those of its "
            "operands alone")
    if r.kind == CELL:
        memcpy(frame.base[0] + r.offset, cnp.PyArray_DATA(array), cnp.PyArray_ITEMSIZE(array))
        return 0
    if r.kind == OUTPUT or r.kind == ARENA:
        cnp.PyArray_CopyInto(array_at(frame, home, frame.base[r.slot] + r.offset), array)
        return 0
    if not same_strides(array, home.ghost):
        if found is not None:
            found[number] = tuple([cnp.PyArray_STRIDES(array)[k] for k in range(cnp.PyArray_NDIM(array))])
        array = laid_out_as(home, array)
    elif not call.row.view and not is_own(array):
        for x in operands:
            if isinstance(x, Tensor) and np.may_share_memory((<Tensor>x).values(), array):
                array = laid_out_as(home, array)
                break
    hold(frame, r.slot, array)
    frame.base[r.slot] = <char*>cnp.PyArray_DATA(array)
    return 0


cdef bint is_own(ndarray array):
    base = cnp.PyArray_BASE(array)
    return base == NULL or type(<object>base) is Buffer


cdef ndarray laid_out_as(Home home, ndarray array):
    # A copy with the strides that were planned, as far as memory of its own can have them.
    cdef ndarray out
    cdef Py_ssize_t* strides = <Py_ssize_t*>cnp.PyArray_STRIDES(home.ghost)
    cdef int k, nd = cnp.PyArray_NDIM(array)
    cdef Py_ssize_t low = 0, high = 0, size
    for k in range(nd):
        if cnp.PyArray_DIMS(array)[k] == 0:
            return fresh_array(home)
        size = (cnp.PyArray_DIMS(array)[k] - 1) * strides[k]
        low, high = min(low, low + size), max(high, high + size)
    memory = np.empty(high - low + cnp.PyArray_ITEMSIZE(array), np.uint8)
    out = cnp.PyArray_New(
        ndarray, nd, cnp.PyArray_DIMS(array), home.typenum, <cnp.npy_intp*>strides,
        <char*>cnp.PyArray_DATA(<ndarray>memory) - low, 0, cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_WRITEABLE,
        <object>NULL)
    Py_INCREF(memory)
    cnp.PyArray_SetBaseObject(out, memory)
    cnp.PyArray_CopyInto(out, array)
    return out


# --- as text

cdef str layout_text(Home home):
    shape = (<object>home.ghost).shape
    return "float" if home.weak else f"{cnp.PyArray_DescrFromType(home.typenum)}{list(shape)}"


cdef str home_text(Schedule s, Home home):
    cdef Region* r = <Region*>s.regions.data + home.region
    kind = KINDS[r.kind]
    if r.kind == CELL or r.kind == CONSTANT_CELL:
        return f"{layout_text(home)} in {kind} {r.offset // 8}"
    begin = r.offset + home.offset()
    if r.kind == ARENA:
        return f"{layout_text(home)} in {kind}[{begin}:{begin + cnp.PyArray_NBYTES(home.ghost)}]"
    return f"{layout_text(home)} in {kind} {r.slot}" + (f"+{begin}" if begin else "")


cdef str schedule_text(object program, Schedule s):
    cdef list lines = []
    for value in (*program.inputs, *[v for v, _ in program.live], *[v for v, _ in program.constants]):
        lines.append(f"{value!r}: {home_text(s, s.homes[value.number])}")
    for k, step in enumerate(program.steps):
        kind = type(step).__name__
        results = (step.result,) if kind == "Number" else getattr(step, "results", ())
        operands = [step.operand] if kind == "Check" else step.operands
        name = step.operator if kind == "Number" else "check" if kind == "Check" else step.row.name
        made = ", ".join([f"{v!r}: {home_text(s, s.homes[v.number])}" for v in results])
        line = f"{name}({', '.join([repr(x) for x in operands])})  {s.texts.get(k, '')}"
        lines.append(f"{made} = {line}" if made else line)
    lines.append("returns " + ", ".join([f"{v!r}: {home_text(s, s.homes[v.number])}" for v in program.outputs]))
    lines.append(f"{len(program.steps)} instructions, {s.steps.used} steps, arena of {s.arena_bytes} bytes")
    return "\n".join(lines)

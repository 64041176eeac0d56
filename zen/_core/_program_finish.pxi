# The end of planning: chains, outputs, the arena, and places in it instead of regions. Part of _program.pyx.

cdef Schedule finished(Planner p, object program):
    cdef Schedule s = Schedule.__new__(Schedule)
    cdef Region* r
    cdef Py_ssize_t k
    s.given = [p.homes[value.number] for value in program.inputs]
    s.live = [p.homes[value.number] for value, _ in program.live]
    s.things = [thing for _, thing in program.live]
    s.constants = [plain_array(array) for _, array in program.constants]
    s.outputs = [p.homes[value.number] for value in program.outputs]
    p.start = bytearray(8 * len(program.constants)) + p.start
    r = <Region*>p.regions.data
    for k in range(p.regions.used):
        if r[k].kind == CONSTANT_CELL:
            r[k].offset += 8 * len(program.constants)
    for k in range(len(s.constants)):
        home = <Home>p.homes[program.constants[k][0].number]
        if r[home.region].kind == CELL:
            r[home.region].kind, r[home.region].offset = CONSTANT_CELL, 8 * k
            memcpy(PyByteArray_AS_STRING(p.start) + 8 * k, cnp.PyArray_DATA(<ndarray>s.constants[k]), 4 if (
                home.typenum == cnp.NPY_FLOAT) else 8)
    choose_outputs(p, s)
    join_chains(p)
    s.arena_bytes = place_regions(<Region*>p.regions.data, p.regions.used, p.time, len(p.start))
    s.start, s.calls, s.kept, s.texts, s.homes = bytes(p.start), p.calls, p.kept, p.texts, p.homes
    s.steps, s.cells, s.origins, s.extra, s.regions = p.steps, p.cells, p.origins, p.extra, p.regions
    s.slots, s.idle = p.slots, []
    resolve(p)
    weigh(p, s)
    open_ports(p, s)
    s.script.steps, s.script.cells, s.script.count = <Step*>p.steps.data, <Cell*>p.cells.data, p.steps.used
    s.script.origins, s.script.extra = <Py_ssize_t*>p.origins.data, <Py_ssize_t*>p.extra.data
    return s


cdef int open_ports(Planner p, Schedule s) except -1:
    cdef Py_ssize_t k
    cdef Port* port
    cdef Home home
    cdef Region* r
    s.ports = Growing(sizeof(Port))
    for k, home in enumerate([*s.given, *s.live, *s.outputs]):
        port, r = <Port*>s.ports.add(), p.at(home.region)
        port.kind, port.slot, port.offset = r.kind, r.slot, r.offset + home.offset()
        if k < len(s.given) + len(s.live) and r.kind != CELL:
            port.slot = 1 + <int>k
        port.typenum, port.weak, port.nbytes = home.typenum, home.weak, cnp.PyArray_NBYTES(home.ghost)
        port.nd, port.dims = cnp.PyArray_NDIM(home.ghost), <Py_ssize_t*>cnp.PyArray_DIMS(home.ghost)
        port.whole = cnp.PyArray_IS_C_CONTIGUOUS(home.ghost) and has_kernels(home.typenum)
        port.fresh = s.fresh[k - len(s.given) - len(s.live)] if k >= len(s.given) + len(s.live) else 0
    return 0


cdef ndarray plain_array(object array):
    # C-contiguous, aligned and in the machine's byte order; a copy where it is not.
    return <ndarray>cnp.PyArray_FROMANY(array, ZEN_TYPENUM(array.dtype), 0, 0, (
        cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_NOTSWAPPED | cnp.NPY_ARRAY_ENSUREARRAY))


cdef bint is_whole(Region* r, Home home) noexcept:
    # Whether the array is all of its region, without gaps or repetitions.
    return home.offset() == 0 and cnp.PyArray_NBYTES(home.ghost) == r.nbytes and (
        cnp.PyArray_IS_C_CONTIGUOUS(home.ghost) or cnp.PyArray_IS_F_CONTIGUOUS(home.ghost) or is_dense(home.ghost))


cdef bint is_dense(ndarray a) noexcept:
    # Whether no two elements share a place; known of an array with as many bytes as its region.
    cdef int k, j
    for k in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_STRIDES(a)[k] <= 0 and cnp.PyArray_DIMS(a)[k] > 1:
            return False
        for j in range(k):
            if cnp.PyArray_STRIDES(a)[k] == cnp.PyArray_STRIDES(a)[j] and (
                    cnp.PyArray_DIMS(a)[k] > 1 and cnp.PyArray_DIMS(a)[j] > 1):
                return False
    return True


cdef int choose_outputs(Planner p, Schedule s) except -1:
    # What is computed in the memory of an output: a whole array of the arena.
    cdef Home home
    cdef Region* r
    s.fresh = []
    for home in s.outputs:
        r = p.at(home.region)
        if r.kind == ARENA and is_whole(r, home):
            r.kind, r.slot = OUTPUT, p.slots
            s.fresh.append(p.slots)
            p.slots += 1
        else:
            s.fresh.append(0)
    return 0


cdef struct Links:
    # What the steps of a chain have in common: elements, and those of a line, 0 as long as there is one line alone.
    Py_ssize_t n, width
    int sums


cdef bint joins(const Step* s, Links* links, dict written) except -1:
    # Whether a step can go on with the blocks of a chain that has written these regions: (offset, stride), or None for
    # a sum, which is only known at the end. A sum has to meet the blocks that its kernel adds up.
    cdef Py_ssize_t width = links.width
    cdef int k
    if s.op == ITERATE and s.count >= NARROW and (width == 0 or width == s.count):
        width = s.count
    elif s.op != KERNEL and (s.op != SUM or s.stride[1] != (8 if s.code else 4) or links.sums == HELD):
        return False
    if s.n != links.n or s.n < LONG or ((links.sums > 0 or s.op == SUM) and width % BLOCK != 0):
        return False
    for k in range(1, s.arguments + 1):
        place_of = written.get(s.slot[k], ())
        if place_of is None or (place_of != () and place_of != (s.offset[k], s.stride[k])):
            return False
        if place_of != () and s.op == ITERATE and s.outer[k] != width * s.stride[k]:
            return False
    links.width = width
    links.sums += s.op == SUM
    return True


cdef int join_chains(Planner p) except -1:
    # A header in front of kernels and sums of as many elements that follow one another.
    cdef Growing joined = Growing(sizeof(Step))
    cdef Step* steps = <Step*>p.steps.data
    cdef Py_ssize_t k = 0, stop
    cdef Links links
    cdef dict written
    cdef Step* header
    while k < p.steps.used:
        stop, written = k, {}
        links.n, links.width, links.sums = steps[k].n, 0, 0
        while stop < p.steps.used and joins(steps + stop, &links, written):
            written[steps[stop].slot[0]] = (
                None if steps[stop].op == SUM else (steps[stop].offset[0], steps[stop].stride[0]))
            stop += 1
        if stop - k > 1:
            header = <Step*>joined.add()
            header.op, header.n, header.more = CHAIN, steps[k].n, stop - k
            header.origin, header.time = steps[k].origin, steps[k].time
            header.lines.n = links.width if links.width > 0 else links.n
            header.lines.lines = links.n // header.lines.n
            header.count = close_chain(p, steps, k, stop, header.lines.n)
        stop = max(stop, k + 1)
        memcpy(joined.add_many(stop - k), steps + k, (stop - k) * sizeof(Step))
        k = stop
    p.steps = joined
    return 0


cdef Py_ssize_t close_chain(
    Planner p, Step* steps, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t width
) except -1:
    # Marks what lives within the chain alone, and needs no more memory than a block; returns the elements of a block.
    # All else lives throughout the chain.
    cdef Py_ssize_t k, block = 4 * BLOCK
    cdef Py_ssize_t begin = steps[start].time, end = steps[stop - 1].time
    cdef Region* r
    cdef int j
    cdef set within = set()
    for k in range(start, stop):
        if steps[k].op != SUM and steps[k].stride[0] == 8:
            block = 2 * BLOCK
    for k in range(start, stop):
        r = p.at(steps[k].slot[0])
        if steps[k].op != SUM and r.kind == ARENA and r.first >= begin and r.last <= end and r.under < 0:
            within.add(steps[k].slot[0])
            r.nbytes = block * steps[k].stride[0]
    for k in range(start, stop):
        for j in range(steps[k].arguments + 1):
            if steps[k].op != ITERATE:
                steps[k].outer[j] = width * steps[k].stride[j]
            if steps[k].slot[j] in within:
                steps[k].fixed |= 1 << j
                continue
            r = p.at(steps[k].slot[j])
            r.first, r.last = min(r.first, begin), max(r.last, end)
    return block


cdef int operands_in(const Step* s) noexcept:
    # How many operands of a step lie in regions.
    if s.op == CELLS or s.op == CHAIN or s.op == PYTHON:
        return 0
    if s.op == CHECK or s.op == CLEAR or s.op == SCALE:
        return 1
    if s.op == SUM or s.op == SUMS or s.op == MOVE or s.op == PLACE or s.op == COPY or s.op == CAST:
        return 2
    if s.op == KERNEL or s.op == ITERATE:
        return s.arguments + 1
    return 3


cdef int resolve(Planner p) except -1:
    # Slots and offsets instead of regions, in steps and in cells.
    cdef Step* s = <Step*>p.steps.data
    cdef Cell* c = <Cell*>p.cells.data
    cdef Region* r
    cdef Py_ssize_t k, offset
    cdef int j, load = code_of(C_LOAD, 0, 0) >> 3
    for k in range(p.steps.used):
        for j in range(operands_in(s + k)):
            r = p.at(s[k].slot[j])
            s[k].slot[j] = r.slot
            s[k].offset[j] += r.offset
    for k in range(p.cells.used):
        if c[k].op == code_of(C_END, 0, 0):
            continue
        r = p.at(c[k].a)
        if c[k].op >> 3 == load:
            offset = r.offset + c[k].b
            if offset > 2147483647:
                raise OverflowError("a program of more than 2 GiB in small values")
            c[k].a, c[k].b = r.slot, <int>offset
        else:
            c[k].a = <int>r.offset
            if c[k].b >= 0:
                c[k].b = <int>p.at(c[k].b).offset
        c[k].out = <int>p.at(c[k].out).offset
    return 0


cdef int weigh(Planner p, Schedule s) except -1:
    # Whether what runs between two calls of Python is worth releasing the GIL, and which objects are dead by then.
    cdef Step* steps = <Step*>p.steps.data
    cdef Py_ssize_t k, work = 0, dying = 0, last = -1
    cdef list objects = []
    for k in range(p.regions.used):
        if p.at(k).kind == OBJECT:
            objects.append((p.at(k).last, p.at(k).slot))
    objects.sort()
    for k in range(p.steps.used):
        if steps[k].op == PYTHON:
            note_work(steps, s, last, work > WORTH)
            last, work = k, 0
            while dying < len(objects) and objects[dying][0] < steps[k].time:
                (<Call>p.calls[steps[k].n]).dead.append(objects[dying][1])
                dying += 1
        elif steps[k].op == PRODUCT or steps[k].op == MATVEC:
            work += WORTH // 2
        else:
            work += steps[k].n
    note_work(steps, s, last, work > WORTH)
    return 0


cdef void note_work(Step* steps, Schedule s, Py_ssize_t call, bint heavy):
    if call < 0:
        s.heavy = heavy
    else:
        steps[call].more = heavy

# From a program to its schedule. Part of _program.pyx.
#
# Each instruction is looked at once. The layouts of results are those that the engine gives them when it applies the
# rows one by one, for sums depend on them; so the planner asks the engine's own functions, with ghosts for operands.

@cython.final
cdef class Planner:
    cdef Growing steps, cells, origins, extra, regions
    cdef dict homes                  # of values, by number
    cdef dict numbers                # constant cells, by type and bits
    cdef dict floats                 # cells with a weak value as float
    cdef dict layouts                # known strides of results that Python computes
    cdef dict readers                # number of a value -> the step that reads it or a view of it last
    cdef dict roots                  # number of a view -> that of the value whose memory it shows
    cdef bytearray start             # the constant cells
    cdef list calls, kept
    cdef dict texts                  # see Schedule
    cdef Py_ssize_t time, origin, slots, accumulator, accumulator_type, bytes

    def __cinit__(self, dict layouts):
        self.steps, self.cells = Growing(sizeof(Step)), Growing(sizeof(Cell))
        self.origins, self.extra = Growing(sizeof(Py_ssize_t)), Growing(sizeof(Py_ssize_t))
        self.regions = Growing(sizeof(Region))
        self.homes, self.numbers, self.floats, self.layouts = {}, {}, {}, layouts
        self.start, self.calls, self.texts, self.kept = bytearray(), [], {}, []
        self.slots, self.accumulator = 1, -1

    # --- regions and values

    cdef Py_ssize_t region(self, int kind, Py_ssize_t nbytes) except -1:
        cdef Py_ssize_t number = self.regions.used
        cdef Region* r = <Region*>self.regions.add()
        self.bytes += nbytes
        r.kind, r.nbytes, r.first, r.last, r.under = kind, nbytes, self.time + 1, self.time + 1, -1
        if kind != CELL and kind != CONSTANT_CELL and kind != ARENA:
            r.slot = self.slots
            self.slots += 1
        return number

    cdef inline Region* at(self, Py_ssize_t region) noexcept:
        return <Region*>self.regions.data + region

    cdef void touch(self, Py_ssize_t region) noexcept:
        while region >= 0:
            self.at(region).last = self.time
            region = self.at(region).under

    cdef Home settle(self, object value, Py_ssize_t region, ndarray ghost, int typenum):
        cdef Home home = Home.__new__(Home)
        home.region, home.ghost, home.typenum, home.weak = region, ghost, typenum, value.weak
        self.homes[value.number] = home
        return home

    cdef Home given(self, object value, int kind):
        # Of an input, a live object or a constant: its memory, contiguous; 0-d numbers are copied to a cell as well.
        cdef Py_ssize_t dims[MAXDIMS]
        cdef int typenum = typenum_of_dtype(value.dtype), nd = shape_into(value.shape, dims)
        cdef Py_ssize_t region = self.region(kind, 0)
        if nd == 0 and has_kernels(typenum):
            region = self.region(CELL, 8)
        return self.settle(value, region, ghost_of(nd, dims, NULL, typenum, 0), typenum)

    cdef Home made(self, object value):
        # Of a result: a cell, or a C-contiguous array.
        return self.made_as(value, NULL)

    cdef Home made_as(self, object value, const int* order):
        # order: of the axes in memory, the closest elements first, as `new_ordered` takes it.
        cdef Py_ssize_t dims[MAXDIMS]
        cdef Py_ssize_t strides[MAXDIMS]
        cdef int k, typenum = typenum_of_dtype(value.dtype), nd = shape_into(value.shape, dims)
        cdef Py_ssize_t step = value.dtype.itemsize
        if nd == 0 and has_kernels(typenum):
            return self.settle(value, self.region(CELL, 8), ghost_of(0, NULL, NULL, typenum, 0), typenum)
        for k in range(nd):
            strides[order[k] if order != NULL else nd - 1 - k] = step
            step *= max(dims[order[k] if order != NULL else nd - 1 - k], 1)
        ghost = ghost_of(nd, dims, strides, typenum, 0)
        return self.settle(value, self.region(ARENA, cnp.PyArray_NBYTES(ghost)), ghost, typenum)

    cdef Home temporary(self, ndarray like):
        # A C-contiguous array of this shape and dtype, of no value.
        cdef Home home = Home.__new__(Home)
        home.typenum = cnp.PyArray_TYPE(like)
        home.ghost = ghost_of(
            cnp.PyArray_NDIM(like), <Py_ssize_t*>cnp.PyArray_DIMS(like), NULL, home.typenum, 0)
        home.region = self.region(ARENA, cnp.PyArray_NBYTES(like))
        return home

    cdef Home home(self, object x):
        # Of an operand; None for what is no value.
        return <Home>self.homes[x.number] if is_value(x) else None

    # --- steps

    cdef Step* step(self, int op) except NULL:
        cdef Step* s
        self.end_cells()
        self.time += 1
        self.accumulator = -1
        s = <Step*>self.steps.add()
        s.op, s.origin, s.time = op, self.origin, self.time
        return s

    cdef int end_cells(self) except -1:
        cdef Cell* c
        if self.steps.used > 0 and (<Step*>self.steps.data + self.steps.used - 1).op == CELLS:
            c = <Cell*>self.cells.add()
            c.op = code_of(C_END, 0, 0)
            self.origins.add()
        return 0

    cdef int operand(self, Step* s, int k, Home home, Py_ssize_t stride) except -1:
        # Until the schedule is made, a region stands for its slot.
        s.slot[k], s.offset[k], s.stride[k] = <int>home.region, home.offset(), stride
        self.touch(home.region)
        return 0

    cdef int cell_step(self, int op, bint is_double, Py_ssize_t a, Py_ssize_t b, Py_ssize_t out) except -1:
        # a and b: regions of cells; b is -1 where there is one operand.
        cdef Step* s = NULL
        cdef Cell* c
        cdef int form = 0
        cdef Py_ssize_t accumulator = self.accumulator if self.accumulator_type == is_double else -1
        if self.steps.used > 0:
            s = <Step*>self.steps.data + self.steps.used - 1
        if self.steps.used == 0 or s.op != CELLS:
            s = self.step(CELLS)
            s.more = self.cells.used
            accumulator = -1
        else:
            self.time += 1
        s.n += 1
        if op != C_LOAD and op != C_TO_FLOAT and op != C_QUOTIENT and accumulator >= 0:
            form = (a == accumulator) + 2 * (b == accumulator)
        c = <Cell*>self.cells.add()
        c.op, c.a, c.b, c.out = code_of(op, form, is_double), <int>a, <int>b, <int>out
        (<Py_ssize_t*>self.origins.add())[0] = self.origin
        self.touch(out)
        self.accumulator, self.accumulator_type = out, is_double
        if op == C_LOAD:
            self.touch(a)
            return 0
        self.touch(a)
        if b >= 0:
            self.touch(b)
        return 0

    cdef Py_ssize_t constant_cell(self, double value, bint is_double) except -1:
        cdef double d = value
        cdef float f = <float>value
        cdef bytes bits = (<char*>&d)[:8] if is_double else (<char*>&f)[:4] + b"\0\0\0\0"
        found = self.numbers.get((bits, is_double))
        if found is None:
            found = self.region(CONSTANT_CELL, 8)
            self.at(found).offset = len(self.start)
            self.start += bits
            self.numbers[bits, is_double] = found
        return found

    cdef Py_ssize_t cell_of(self, object x, bint is_double) except -1:
        # The cell of a 0-d operand, or of a number, as float or double.
        cdef Home home = self.home(x)
        if home is None:
            return self.constant_cell(x, is_double)
        if not home.weak or is_double:
            return home.region
        found = self.floats.get(x.number)
        if found is None:
            found = self.region(CELL, 8)
            self.cell_step(C_TO_FLOAT, False, home.region, -1, found)
            self.floats[x.number] = found
        return found

    cdef Home cell_home(self, object x, int typenum):
        cdef Home home = Home.__new__(Home)
        home.region, home.typenum = self.cell_of(x, typenum == cnp.NPY_DOUBLE), typenum
        home.ghost = ghost_of(0, NULL, NULL, typenum, 0)
        return home

    # --- instructions

    cdef int plan(self, object program) except -1:
        cdef Py_ssize_t k
        cdef Home home
        self.find_readers(program)
        for value in program.inputs:
            self.given(value, GIVEN)
        for value, _ in program.live:
            self.given(value, LIVE)
        for value, _ in program.constants:
            self.given(value, CONSTANT)
        for k, step in enumerate(program.steps):
            self.origin = k
            kind = type(step).__name__
            if kind == "Check":
                self.plan_check(step)
            elif kind == "Number":
                self.plan_number(step)
            else:
                self.plan_instruction(step)
        self.end_cells()
        self.time += 1
        for value in program.outputs:
            self.touch((<Home>self.homes[value.number]).region)
        return 0

    cdef int find_readers(self, object program) except -1:
        # Views are counted with what they are views of.
        cdef Py_ssize_t k
        self.readers, self.roots = {}, {}
        for k, step in enumerate(program.steps):
            if type(step).__name__ == "Check":
                self.readers[self.roots.get(step.operand.number, step.operand.number)] = k
                continue
            for x in step.operands:
                if is_value(x):
                    self.readers[self.roots.get(x.number, x.number)] = k
            for x in values_within(getattr(step, "params", ())):
                self.readers[self.roots.get(x.number, x.number)] = k
            if type(step).__name__ == "Instruction" and step.row.view:
                x = step.operands[0]
                if is_value(x):
                    for value in step.results:
                        self.roots[value.number] = self.roots.get(x.number, x.number)
        for value in program.outputs:
            self.readers[self.roots.get(value.number, value.number)] = len(program.steps)
        for value in program.inputs:
            self.readers[value.number] = len(program.steps)
        for value, _ in (*program.live, *program.constants):
            self.readers[value.number] = len(program.steps)
        return 0

    cdef int plan_check(self, object check) except -1:
        cdef Home home = self.home(check.operand)
        cdef Step* s
        cdef ndarray expected = np.ascontiguousarray(check.expected)
        if not home.weak and cnp.PyArray_NBYTES(expected) == 0:
            return 0
        if cnp.PyArray_TYPE(expected) != home.typenum or (
                cnp.PyArray_NBYTES(expected) != cnp.PyArray_NBYTES(home.ghost)):
            raise ValueError(
                f"a check expects {(<object>expected).dtype}{(<object>expected).shape} of {check.operand!r}, which is "
                f"{check.operand.dtype}{check.operand.shape}")
        if not cnp.PyArray_IS_C_CONTIGUOUS(home.ghost):
            home = copied_home(self, home)
        s = self.step(CHECK)
        self.operand(s, 0, home, 0)
        s.n, s.kernel = cnp.PyArray_NBYTES(expected), <kernel_t><void*>cnp.PyArray_DATA(expected)
        self.kept.append(expected)
        self.say("check")
        return 0

    cdef int plan_number(self, object step) except -1:
        cdef int typenum = typenum_of_dtype(step.result.dtype)
        cdef Py_ssize_t a = self.cell_of(step.operands[0], typenum == cnp.NPY_DOUBLE), b = -1
        cdef Home out
        if step.operator == "array":         # the same cell, under another name
            self.settle(step.result, a, ghost_of(0, NULL, NULL, typenum, 0), typenum)
            return 0
        out = self.made(step.result)
        if step.operator == "neg":
            self.cell_step(C_NEG, True, a, -1, out.region)
        else:
            b = self.cell_of(step.operands[1], True)
            self.cell_step(NUMBERS[step.operator], True, a, b, out.region)
        self.say("cells")
        return 0

    cdef int plan_instruction(self, object step) except -1:
        cdef Row row = step.row
        cdef bint planned = False
        if len(step.results) == 1 and not row.several and not values_within(step.params):
            if row.generated:
                planned = plan_elementwise(self, row, step)
            elif row.kernel in COMPARISONS:
                planned = plan_comparison(self, row, step)
            elif row.kernel == "sum" or row.kernel == "mean":
                planned = plan_sum(self, row, step)
            elif row.kernel in VIEWS:
                planned = plan_view(self, row, step)
            elif row.kernel == "copy" or row.kernel == "astype":
                planned = plan_copy(self, row, step)
            elif row.kernel == "scatter":
                planned = plan_scatter(self, row, step)
            elif row.kernel == "setitem":
                planned = plan_setitem(self, row, step)
            elif row.kernel == "matmul":
                planned = plan_matmul(self, row, step)
            elif row.kernel == "linear" or row.kernel == "affine":
                planned = plan_linear(self, row, step)
        if not planned:
            self.plan_call(row, step)
        return 0

    cdef int plan_call(self, Row row, object step) except -1:
        """By the engine itself, in Python."""
        cdef Call call = Call.__new__(Call)
        cdef Home home
        cdef Step* s
        cdef Py_ssize_t under = -1
        call.row, call.params, call.results, call.dead = row, tuple(step.params), [], []
        call.homes = {x.number: self.homes[x.number] for x in values_within(step.params)}
        call.operands = tuple([self.homes[x.number] if is_value(x) else x for x in step.operands])
        call.numbers = [value.number for value in step.results]
        s = self.step(PYTHON)
        s.n = len(self.calls)
        for x in call.homes.values():
            self.touch((<Home>x).region)
        for x in call.operands:
            if isinstance(x, Home):
                self.touch((<Home>x).region)
                under = (<Home>x).region if under < 0 else under
        for value in step.results:
            home = self.object_of(value)
            if row.view and self.at(home.region).kind == OBJECT:
                self.at(home.region).under = under
            call.results.append(home)
        self.calls.append(call)
        self.say("python")
        return 0

    cdef Home object_of(self, object value):
        # Of a result that Python computes: in memory of its own.
        cdef Py_ssize_t dims[MAXDIMS]
        cdef Py_ssize_t strides[MAXDIMS]
        cdef int typenum = typenum_of_dtype(value.dtype), nd = shape_into(value.shape, dims)
        known = self.layouts.get(value.number)
        if nd == 0 and has_kernels(typenum):
            return self.made(value)
        if known is None:
            ghost = ghost_of(nd, dims, NULL, typenum, 0)
        else:
            shape_into(known, strides)
            ghost = ghost_of(nd, dims, strides, typenum, 0)
        return self.settle(value, self.region(OBJECT, 0), ghost, typenum)

    cdef int say(self, str how) except -1:
        self.texts[self.origin] = how
        return 0


cdef list values_within(object params):
    # The values in parameters, which are tuples and lists of constants otherwise.
    cdef list found = []
    for x in params:
        if type(x) is tuple or type(x) is list:
            found += values_within(x)
        elif is_value(x):
            found.append(x)
    return found

# What the engine knows of one operation: Row, and the kernels that rows ask for. Part of _tensor.pyx.

cdef dict _kernels = {}     # name -> Kernel, from when an operation's module registers it
cdef dict _awaiting = {}    # name -> the row that asked for a kernel before its module was loaded


@cython.final
cdef class Kernel:
    """What a row gets that asks for a kernel by name when it is defined."""

    cdef run_t run
    cdef pull_t pull
    cdef push_t push


cdef void register(str kernel, run_t run, pull_t pull):
    cdef Kernel made = Kernel()
    cdef Row row = _awaiting.pop(kernel, None)
    made.run, made.pull, made.push = run, pull, NULL
    _kernels[kernel] = made
    if row is not None:
        row.run, row.pull = run, pull


cdef void register_push(str kernel, push_t push):
    cdef Kernel made = _kernels[kernel]
    made.push = push


@cython.final
cdef class Row:
    """One operation as the engine sees it: kernels where there are any, else the callables.

    A row has the kernels that it asks for by `kernel`. Its own name is for messages: two rows may have the same. What
    the other arguments mean is said in `zen/_reference/rows.py`.
    """

    def __init__(self, str name not None, int nin, forward, prepare, *, elementwise=False, variadic=False,
                 joint=False, view=False, str kernel=None, tuple linear=(), together=False, tuple tangents=(),
                 int several=0, int workspace=0, tuple optional=(), composition=None, for_complex=True):
        cdef int k
        cdef Kernel own = _kernels.get(kernel)
        self.name, self.nin, self.forward, self.prepare = name, nin, forward, prepare
        self.elementwise, self.variadic, self.joint, self.view = elementwise, variadic, joint, view
        self.linear, self.together, self.tangents = linear, together, tangents
        self.several, self.workspace, self.optional, self.composition = several, workspace, optional, composition
        self.for_complex, self.kernel = for_complex, kernel
        self.applies = nin == 1 and linear == (0,) and not (variadic or several or workspace or tangents)
        self.outlasts = several != 0 and view
        if several:
            self.output = Row(name, 1, forward, prepare)
            self.output.is_output, self.output.pull = True, pull_output
        if own is not None:
            self.run, self.pull, self.push = own.run, own.pull, own.push
        elif kernel is not None and not elementwise:
            _awaiting[kernel] = self
        kernels = _dispatch.find(kernel) if elementwise and kernel is not None else None
        if kernels is not None and nin <= MAX_ARGUMENTS:
            self.generated = True
            (_, single, double), vjps = kernels
            self.forward_kernels[0], self.forward_kernels[1] = <kernel_t><size_t>single, <kernel_t><size_t>double
            for k, (reads, single, double) in enumerate(vjps):
                self.reads[k] = reads
                self.identity[k] = reads == 2 and single == 0
                self.differentiable[k] = self.identity[k] or single != 0
                self.vjp_kernels[k][0] = <kernel_t><size_t>single
                self.vjp_kernels[k][1] = <kernel_t><size_t>double
            self.has_mask = nin == 3 and not self.differentiable[0]
            if _dispatch.find_tangent(kernel) is not None:
                self.second_slot, self.tangent_reads, single, double = _dispatch.find_tangent(kernel)
                self.pair[0], self.pair[1] = [k for k in range(nin) if self.differentiable[k]][:2]
                self.tangent_kernels[0], self.tangent_kernels[1] = <kernel_t><size_t>single, <kernel_t><size_t>double

    cdef int ready(self) except -1:
        if self._vjps is None:
            self._vjps, self._needs = self.prepare()
        return 0

    cdef Row complex_row(self):
        # The row of complex operands, which may be another, with its kernels; None where it has none.
        cdef Row row = self
        if not self.sought:
            if self.for_complex is not None and self.for_complex is not True:
                row = self.for_complex()
            self.for_kernels = row if row.for_complex is True and take_complex(row) else None
            self.sought = True
        return self.for_kernels

    @property
    def vjps(self):
        self.ready()
        return self._vjps

    @property
    def needs(self):
        self.ready()
        return self._needs

    def __repr__(self):
        return f"Row({self.name!r})"


cdef bint take_complex(Row row) except -1:
    # Whether there are kernels for complex operands, which the row has from here on.
    cdef int k
    kernels = None
    if row.elementwise and row.kernel is not None and row.nin <= MAX_ARGUMENTS:
        kernels = _dispatch.find_complex(row.kernel)
    if kernels is None:
        return False
    (_, single, double), vjps, tangent, row.is_part = kernels
    row.forward_kernels[2], row.forward_kernels[3] = <kernel_t><size_t>single, <kernel_t><size_t>double
    for k, (reads, single, double) in enumerate(vjps):
        row.reads[k] = reads
        row.identity[k] = reads == 2 and single == 0
        row.differentiable[k] = row.identity[k] or single != 0
        row.vjp_kernels[k][2], row.vjp_kernels[k][3] = <kernel_t><size_t>single, <kernel_t><size_t>double
    row.has_mask = row.nin == 3 and not row.differentiable[0]
    row.second_slot, row.tangent_reads, single, double = tangent
    if single and not row.is_part:
        row.pair[0], row.pair[1] = [k for k in range(row.nin) if row.differentiable[k]][:2]
    row.tangent_kernels[2], row.tangent_kernels[3] = <kernel_t><size_t>single, <kernel_t><size_t>double
    if row.is_part:
        row.pull, row.push = pull_part, push_part
    return True


@cython.final
cdef class Shaped:
    """What a formula sees of an argument whose values were not saved."""

    def __init__(self, tuple shape not None, dtype):
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        size = 1
        for n in self.shape:
            size *= n
        return size

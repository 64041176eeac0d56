# The steps of a schedule, executed: no Python, nothing allocated, nothing that fails but checks. Part of _program.pyx.

cdef enum Op:
    CELLS            # n operations on cells, from `more` on
    LINE             # a short line, computed inline; or `count` of them
    COMPARE          # the same, of comparisons, whose lines may be long
    KERNEL           # an elementwise kernel along one axis
    CHAIN            # the next `more` steps, kernels and sums of n elements, by blocks of `count`: lines of `lines`
    ITERATE          # an elementwise kernel over several axes: their geometry is in `extra` at `more`
    SUM              # of one axis, into a cell; `count` is what it is divided by, or 0
    SUMS             # by `iterate` into n bytes; geometry at `more`
    SCALE            # n numbers, divided by `more`
    MOVE             # n bytes
    PLACE            # n bytes at `more` of `count` bytes that are zero otherwise
    CLEAR            # n bytes
    CAST             # n numbers, as float or double
    COPY             # elements of n bytes; geometry at `more`
    COMPARES         # comparisons over several axes
    PRODUCT          # of matrices: numbers of `Product` at `more`
    MATVEC
    DOT
    CHECK            # n bytes with those at `kernel`
    PYTHON           # call number n; `more`: whether what follows is worth releasing the GIL

cdef enum:
    OPERANDS = MAX_ARGUMENTS + 1     # the result, and the arguments

cdef struct Step:
    int op, code                     # code: of a cell's operation, or 0 and 1 for float and double
    int arguments
    int fixed                        # bit k, in a chain: operand k is a block that is used again and again
    int slot[OPERANDS]
    Py_ssize_t offset[OPERANDS]
    Py_ssize_t stride[OPERANDS]
    Py_ssize_t outer[OPERANDS]       # of two axes, in a chain: the stride of the first
    Py_ssize_t n, more, count
    Py_ssize_t origin, time          # the step of the program; when it runs
    kernel_t kernel
    Lines lines

cdef struct Script:
    # What is executed. Nobody changes it once it is made.
    Step* steps
    Cell* cells
    Py_ssize_t* origins              # of the cells' operations
    Py_ssize_t* extra
    Py_ssize_t count

cdef enum:
    HELD = 32        # sums that one chain may have


cdef inline char* at(char** base, const Step* s, int k) noexcept nogil:
    return base[s.slot[k]] + s.offset[k]


cdef Py_ssize_t execute(const Script* script, Py_ssize_t k, char** base) noexcept nogil:
    """The steps from number k on. Returns that of the first step that needs Python, or `count` at the end, or -1 minus
    the number of the program's step that ended the run."""
    cdef const Step* s
    cdef const Cell* failed
    while k < script.count:
        s = script.steps + k
        if s.op == CELLS:
            failed = run_cells(base[0], base, script.cells + s.more)
            if failed != NULL:
                return -1 - script.origins[failed - script.cells]
        elif s.op == LINE:
            run_lines(s.code, &s.lines, at(base, s, 1), at(base, s, 2), at(base, s, 0))
        elif s.op == KERNEL:
            run_kernel(s, base)
        elif s.op == CHAIN:
            run_chain(s, base)
            k += s.more
        elif s.op == PYTHON:
            return k
        elif s.op == CHECK:
            if memcmp(at(base, s, 0), <char*>s.kernel, s.n) != 0:
                return -1 - s.origin
        else:
            run_other(script, s, base)
        k += 1
    return k


cdef void run_other(const Script* script, const Step* s, char** base) noexcept nogil:
    cdef char* out = at(base, s, 0)
    if s.op == SUM:
        run_sum(s, base)
    elif s.op == MOVE:
        memcpy(out, at(base, s, 1), s.n)
    elif s.op == PLACE:
        memset(out, 0, s.more)
        memcpy(out + s.more, at(base, s, 1), s.n)
        memset(out + s.more + s.n, 0, s.count - s.more - s.n)
    elif s.op == CLEAR:
        memset(out, 0, s.n)
    elif s.op == CAST:
        cast(s.code, s.n, at(base, s, 1), out)
    elif s.op == ITERATE:
        run_iterate(s, script.extra + s.more, base, False)
    elif s.op == SUMS:
        memset(out, 0, s.n)
        run_iterate(s, script.extra + s.more, base, True)
    elif s.op == SCALE:
        run_scale(s, out)
    elif s.op == COPY:
        run_copy(s, script.extra + s.more, base)
    elif s.op == COMPARE:
        compare_lines(s.code, &s.lines, at(base, s, 1), at(base, s, 2), out)
    elif s.op == COMPARES:
        run_compares(s, script.extra + s.more, base)
    elif s.op == PRODUCT:
        run_product(s, script.extra + s.more, base)
    elif s.op == MATVEC:
        (<matvec_t><void*>s.kernel)(at(base, s, 1), s.stride[1], at(base, s, 2), out, s.n, s.more, False)
    elif s.op == DOT:
        (<dot_function_t><void*>s.kernel)(at(base, s, 1), s.stride[1], at(base, s, 2), s.stride[2], out, s.n, NULL)


cdef void run_scale(const Step* s, char* out) noexcept nogil:
    # A mean of all is divided in double, as `reduced` does.
    if s.count == 0:
        kernels.divide[s.code](buffer1(out, 8 if s.code else 4, s.n), s.more)
    elif s.code:
        (<double*>out)[0] /= s.more
    else:
        (<float*>out)[0] = <float>(<double>(<float*>out)[0] / s.more)


cdef inline void run_kernel(const Step* s, char** base) noexcept nogil:
    cdef char* p[SLOTS]
    cdef Py_ssize_t strides[SLOTS]
    cdef int k
    p[OUT], p[COTANGENT], strides[OUT] = at(base, s, 0), NULL, s.stride[0]
    for k in range(s.arguments):
        p[ARGUMENT + k], strides[ARGUMENT + k] = at(base, s, 1 + k), s.stride[1 + k]
    s.kernel(p, strides, s.n, SET)


cdef inline double block_sum(int is_double, const char* v, Py_ssize_t m) noexcept nogil:
    return sum_of_double(<const double*>v, m) if is_double else sum_of_float(<const float*>v, m)


cdef inline void finish_sum(const Step* s, char** base, double total) noexcept nogil:
    # As a kernel writes a sum, and `reduced` a mean.
    cdef char* out = at(base, s, 0)
    if s.code:
        (<double*>out)[0] = total if s.count == 0 else total / s.count
    elif s.count == 0:
        (<float*>out)[0] = <float>total
    else:
        (<float*>out)[0] = <float>(<double><float>total / s.count)


cdef void run_sum(const Step* s, char** base) noexcept nogil:
    cdef char* p[SLOTS]
    cdef Py_ssize_t strides[SLOTS]
    cdef double d = 0
    cdef float f = 0
    if s.n <= BLOCK and s.stride[1] == (8 if s.code else 4):
        finish_sum(s, base, 0 + block_sum(s.code, at(base, s, 1), s.n))
        return
    p[OUT], p[COTANGENT], p[ARGUMENT] = <char*>&d if s.code else <char*>&f, NULL, at(base, s, 1)
    strides[OUT], strides[ARGUMENT] = 0, s.stride[1]
    s.kernel(p, strides, s.n, REDUCE)
    finish_sum(s, base, d if s.code else f)


cdef void run_chain(const Step* chain, char** base) noexcept nogil:
    # A block goes through all steps while it is in the cache.
    cdef double totals[HELD]
    cdef Py_ssize_t line, done
    cdef int k, sums = 0
    memset(totals, 0, sizeof(totals))
    for line in range(chain.lines.lines):
        done = 0
        while done < chain.lines.n:
            run_block(chain, base, line, done, min(chain.lines.n - done, chain.count), totals)
            done += chain.count
    for k in range(1, <int>chain.more + 1):
        if chain[k].op == SUM:
            finish_sum(chain + k, base, totals[sums])
            sums += 1


cdef void run_block(
    const Step* chain, char** base, Py_ssize_t line, Py_ssize_t done, Py_ssize_t m, double* totals
) noexcept nogil:
    cdef char* p[SLOTS]
    cdef Py_ssize_t strides[SLOTS]
    cdef Py_ssize_t item, i
    cdef const Step* s
    cdef int k, j, slot
    p[COTANGENT] = NULL
    for k in range(1, <int>chain.more + 1):
        s = chain + k
        for j in range(s.arguments + 1):
            slot = OUT if j == 0 else ARGUMENT + j - 1
            p[slot], strides[slot] = at(base, s, j), s.stride[j]
            if not s.fixed >> j & 1:
                p[slot] += line * s.outer[j] + done * s.stride[j]
        if s.op != SUM:
            s.kernel(p, strides, m, SET)
            continue
        item, i = (8 if s.code else 4), 0
        while i < m:         # in the blocks of the kernel, which adds them up in this order
            totals[0] += block_sum(s.code, p[ARGUMENT] + i * item, min(BLOCK, m - i))
            i += BLOCK
        totals += 1


cdef void run_iterate(const Step* s, const Py_ssize_t* g, char** base, bint accumulate) noexcept nogil:
    # g: the number of axes, their lengths, and for each operand the bytes of an element and the strides.
    cdef Operands o
    cdef int k, j, nd = <int>g[0], slot
    cdef const Py_ssize_t* t = g + 1 + nd
    o.used = 0
    for k in range(s.arguments + 1):
        slot = OUT if k == 0 else ARGUMENT + k - 1
        o.used |= 1 << slot
        o.data[slot], o.item[slot] = at(base, s, k), t[0]
        for j in range(nd):
            o.strides[slot][j] = t[1 + j]
        t += 1 + nd
    iterate(s.kernel, &o, nd, g + 1, accumulate)


cdef inline void copy_line(
    Py_ssize_t item, Py_ssize_t n, const char* x, Py_ssize_t sx, char* out, Py_ssize_t so
) noexcept nogil:
    cdef Py_ssize_t i
    if sx == item and so == item:
        memcpy(out, x, n * item)
    elif item == 4:
        for i in range(n):
            (<int*>(out + i * so))[0] = (<const int*>(x + i * sx))[0]
    elif item == 8:
        for i in range(n):
            (<long long*>(out + i * so))[0] = (<const long long*>(x + i * sx))[0]
    elif item == 1:
        for i in range(n):
            out[i * so] = x[i * sx]
    else:
        for i in range(n):
            memcpy(out + i * so, x + i * sx, item)


cdef bint step_on(Py_ssize_t* index, const Py_ssize_t* dims, int nd) noexcept nogil:
    # Count on along the first nd axes; False at the end.
    cdef int k = nd - 1
    while k >= 0:
        index[k] += 1
        if index[k] < dims[k]:
            return True
        index[k] = 0
        k -= 1
    return False


cdef inline Py_ssize_t reach(const Py_ssize_t* index, const Py_ssize_t* strides, int nd) noexcept nogil:
    cdef Py_ssize_t offset = 0
    cdef int k
    for k in range(nd):
        offset += index[k] * strides[k]
    return offset


cdef void run_copy(const Step* s, const Py_ssize_t* g, char** base) noexcept nogil:
    cdef Py_ssize_t index[MAXDIMS]
    cdef int nd = <int>g[0], last = nd - 1
    cdef const Py_ssize_t* dims = g + 1
    cdef const Py_ssize_t* to = dims + nd + 1
    cdef const Py_ssize_t* of = to + nd + 1
    cdef char* out = at(base, s, 0)
    cdef char* x = at(base, s, 1)
    memset(index, 0, nd * sizeof(Py_ssize_t))
    while True:
        copy_line(s.n, dims[last], x + reach(index, of, last), of[last], out + reach(index, to, last), to[last])
        if not step_on(index, dims, last):
            return


cdef void run_compares(const Step* s, const Py_ssize_t* g, char** base) noexcept nogil:
    # One comparison at a time, of any strides.
    cdef Py_ssize_t index[MAXDIMS]
    cdef int nd = <int>g[0]
    cdef const Py_ssize_t* dims = g + 1
    cdef const Py_ssize_t* to = dims + nd + 1
    cdef const Py_ssize_t* x = to + nd + 1
    cdef const Py_ssize_t* y = x + nd + 1
    memset(index, 0, nd * sizeof(Py_ssize_t))
    while True:
        compare_lines(
            s.code, &s.lines, at(base, s, 1) + reach(index, x, nd), at(base, s, 2) + reach(index, y, nd),
            at(base, s, 0) + reach(index, to, nd))
        if not step_on(index, dims, nd):
            return


cdef enum:           # the numbers of a product of matrices
    ROWS, COLUMNS, INNER, LD_LEFT, LD_RIGHT, FLIP_LEFT, FLIP_RIGHT, ONTO, TIMES, STEP_LEFT, STEP_RIGHT, PRODUCT_SIZE


cdef void run_product(const Step* s, const Py_ssize_t* g, char** base) noexcept nogil:
    cdef char* a = at(base, s, 1)
    cdef char* b = at(base, s, 2)
    cdef char* out = at(base, s, 0)
    cdef Py_ssize_t item = 8 if s.code else 4
    cdef int before = 1, typenum = cnp.NPY_DOUBLE if s.code else cnp.NPY_FLOAT
    cdef Py_ssize_t i
    cdef bint single = is_small(<double>g[ROWS] * g[COLUMNS] * g[INNER])
    if single:
        before = one_thread()
    for i in range(g[TIMES]):
        gemm(typenum, g[FLIP_LEFT], g[FLIP_RIGHT], g[ROWS], g[COLUMNS], g[INNER], 1, a, g[LD_LEFT], b, g[LD_RIGHT],
             g[ONTO], out, g[COLUMNS])
        a += g[STEP_LEFT] * item
        b += g[STEP_RIGHT] * item
        out += g[ROWS] * g[COLUMNS] * item
    if single:
        restore_threads(before)

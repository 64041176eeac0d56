# The plan of a recurrent layer, and how all of them walk over a sequence, chunk by chunk. Part of _recurrent.pyx.

cdef enum:
    ROWS = 4096      # gates of one step worked on at a time: they stay in the level 1 cache from pass to pass
    CHUNK = 1 << 18  # bytes of the gates of a chunk of steps

cdef enum:           # the nets, each by the number of its gates
    PLAIN = 1
    GRU = 3
    LSTM = 4

cdef enum:           # the buffers; those that a net or a direction does not have are NULL
    X = 0
    H0 = 1           # may be NULL: zeros
    C0 = 2
    W_IH = 3
    W_HH = 4
    BIAS = 5         # may be NULL
    BIAS_N = 6       # of the GRU, for the state's part of n
    OUT = 7          # the states
    LAST = 8         # the last cell
    GATES = 9        # preactivations that become the gates; of a plain net the states themselves
    CELLS = 10
    KEPT = 11        # of the LSTM the cells' tanh, of the GRU the state's part of n
    G = 12           # cotangents: of the states (of the LSTM may be NULL: zeros), of the last cell (may be NULL)
    GC = 13
    DX = 14          # may be NULL, as those of the weights: not wanted
    CARRY = 15       # on the way back the cotangent of the state before a step, in the end of h0
    DC = 16          # the like, of the cell
    DW_IH = 17
    DW_HH = 18
    DB = 19
    DB_N = 20
    BUFFERS = 21
    # Behind them, in the workspace: weights and bias as the forward loops want them (see `halve`), the products of a
    # step, the cotangents of a chunk's products with the input and with the state, a row of zeros.
    INPUT_WEIGHTS = 21
    STATE_WEIGHTS = 22
    HALVED_BIAS = 23
    ROOM = 24
    D = 25
    DQ = 26
    ZEROS = 27
    PLACES = 28

ctypedef fused real:
    float
    double

cdef struct Layer
ctypedef void (*walk_t)(const Layer*, void**, Py_ssize_t, Py_ssize_t) noexcept nogil

cdef struct Layer:
    Plan plan
    Py_ssize_t steps
    Py_ssize_t batch
    Py_ssize_t hidden
    Py_ssize_t width            # of all gates together
    Py_ssize_t inputs
    Py_ssize_t chunk            # steps
    bint reverse
    bint relu
    bint single                 # all products on one thread
    walk_t walk                 # the net's steps from one to before another, in either direction
    Py_ssize_t at[PLACES]       # in the workspace, from BUFFERS on; -1 for what is not there

cdef Loop tanh32, tanh64


cdef void fill() except *:
    cdef size_t function, data
    function, data = find("tanh", "f")
    tanh32.function, tanh32.data = <void*>function, <void*>data
    function, data = find("tanh", "d")
    tanh64.function, tanh64.data = <void*>function, <void*>data


fill()


cdef inline void squash(const real* a, real* out, Py_ssize_t n) noexcept nogil:
    if real is float:
        loop1_float(&tanh32, a, out, n)
    else:
        loop1_double(&tanh64, a, out, n)


# --- the plan


cdef int plan_layer(
    Layer* s, int gates, ndarray x, ndarray w_hh, bint reverse, execute_t execute, void* single, void* double_
) except -1:
    """All but the workspace. single, double_: the steps, for both dtypes."""
    cdef int k, typenum = cnp.PyArray_TYPE(w_hh)
    if cnp.PyArray_NDIM(x) != 3 or cnp.PyArray_NDIM(w_hh) != 2 or not has_kernels(typenum):
        raise ValueError("recurrent: expected an input of three axes and weights of two, float32 or float64")
    s.steps, s.batch, s.inputs = cnp.PyArray_DIMS(x)[0], cnp.PyArray_DIMS(x)[1], cnp.PyArray_DIMS(x)[2]
    s.width, s.hidden = cnp.PyArray_DIMS(w_hh)[0], cnp.PyArray_DIMS(w_hh)[1]
    if s.width != gates * s.hidden:
        raise ValueError(f"recurrent: weights {(s.width, s.hidden)} are not those of {gates} gates")
    s.reverse, s.relu = reverse, False
    start(&s.plan, execute, typenum, is_small(<double>s.steps * s.batch * s.width * (s.inputs + s.hidden)))
    s.walk = <walk_t>(single if typenum == cnp.NPY_FLOAT else double_)
    s.chunk = min(max(CHUNK // max(s.batch * s.width * s.plan.item, 1), 1), s.steps)
    s.single = is_small(<double>s.chunk * s.batch * s.width * max(s.inputs, s.hidden))
    for k in range(PLACES):
        s.at[k] = -1
    return 0


cdef void plan_forward(Layer* s, bint biased, bint room) noexcept:
    s.at[INPUT_WEIGHTS] = reserve(&s.plan, s.width, s.inputs)
    s.at[STATE_WEIGHTS] = reserve(&s.plan, s.hidden, s.width)
    if biased:
        s.at[HALVED_BIAS] = reserve(&s.plan, s.width, 1)
    if room:
        s.at[ROOM] = reserve(&s.plan, s.batch, s.width)


cdef void plan_backward(Layer* s, bint apart, bint zeros) noexcept:
    # apart: whether the input's and the state's products have different cotangents.
    s.at[D] = s.at[DQ] = reserve(&s.plan, s.chunk * s.batch, s.width)
    if apart:
        s.at[DQ] = reserve(&s.plan, s.chunk * s.batch, s.width)
    if zeros:
        s.at[ZEROS] = reserve(&s.plan, s.hidden, 1)


cdef void* given(const Layer* s, object a, Py_ssize_t rows, Py_ssize_t columns) except NULL:
    """Where an argument's numbers are. So many of them there must be."""
    cdef ndarray b = <ndarray?>a
    if cnp.PyArray_TYPE(b) != s.plan.typenum or not cnp.PyArray_ISCARRAY_RO(b) or cnp.PyArray_SIZE(b) != rows * columns:
        raise ValueError(f"recurrent: expected a C-contiguous array of {rows * columns} elements of the weights' dtype")
    return cnp.PyArray_DATA(b)


cdef void* perhaps(const Layer* s, object a, Py_ssize_t rows, Py_ssize_t columns) except? NULL:
    return NULL if a is None else given(s, a, rows, columns)


cdef int arguments(const Layer* s, void** p, ndarray x, object h0, object c0, ndarray w_ih, ndarray w_hh) except -1:
    """What both directions read; all other buffers are NULL."""
    memset(p, 0, BUFFERS * sizeof(void*))
    p[X] = given(s, x, s.steps * s.batch, s.inputs)
    p[H0], p[C0] = perhaps(s, h0, s.batch, s.hidden), perhaps(s, c0, s.batch, s.hidden)
    p[W_IH], p[W_HH] = given(s, w_ih, s.width, s.inputs), given(s, w_hh, s.width, s.hidden)
    return 0


cdef ndarray states(const Layer* s, Py_ssize_t width):
    cdef Py_ssize_t dims[3]
    dims[0], dims[1], dims[2] = s.steps, s.batch, width
    return new_array(3, dims, s.plan.typenum)


cdef ndarray matrix(const Layer* s, Py_ssize_t rows, Py_ssize_t columns):
    cdef Py_ssize_t dims[2]
    dims[0], dims[1] = rows, columns
    return new_array(2, dims, s.plan.typenum)


cdef ndarray vector(const Layer* s, Py_ssize_t size):
    return new_array(1, &size, s.plan.typenum)


cdef tuple wanted_products(const Layer* s, void** p, tuple wanted):
    """(dx, dw_ih, dw_hh), to be filled, None where `wanted` says so."""
    cdef object dx = states(s, s.inputs) if wanted[0] else None
    cdef object dw_ih = matrix(s, s.width, s.inputs) if wanted[1] else None
    cdef object dw_hh = matrix(s, s.width, s.hidden) if wanted[2] else None
    p[DX], p[DW_IH], p[DW_HH] = data(dx), data(dw_ih), data(dw_hh)
    return dx, dw_ih, dw_hh


cdef inline void* data(object a) noexcept:
    return NULL if a is None else cnp.PyArray_DATA(<ndarray>a)


# --- execution


cdef inline Py_ssize_t place(const Layer* s, Py_ssize_t k) noexcept nogil:
    # Where the k-th step lies.
    return s.steps - 1 - k if s.reverse else k


cdef inline Py_ssize_t lowest(const Layer* s, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # Where the steps from `first` to before `end` begin.
    return place(s, end - 1 if s.reverse else first)


cdef inline View rows_at(const Layer* s, const real* a) noexcept nogil:
    # A row of hidden units for each of the batch.
    return buffer2(a, s.plan.item, s.batch, s.hidden)


cdef inline View gates_at(const Layer* s, const real* a) noexcept nogil:
    # The like, of all gates side by side.
    return buffer2(a, s.plan.item, s.batch, s.width)


cdef void halve(
    const real* w, real* out, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t hidden, bint flip
) noexcept nogil:
    # The rows of w, times 1/2 where they belong to a sigmoid: in a net of one gate none, else all gates but the third.
    cdef Py_ssize_t i, j
    cdef real factor
    for i in range(rows):
        factor = <real>(1 if rows == hidden or i // hidden == 2 else 0.5)
        if flip:
            for j in range(columns):
                out[j * rows + i] = factor * w[i * columns + j]
        else:
            for j in range(columns):
                out[i * columns + j] = factor * w[i * columns + j]


cdef void add_state(const Layer* s, const real* h, const real* w, real* out) noexcept nogil:
    # out += h @ w, with the hidden weights transposed: the product of one step.
    gemm(s.plan.typenum, False, False, s.batch, s.width, s.hidden, 1, h, s.hidden, w, s.width, 1, out, s.width)


cdef void hand_back(const Layer* s, const real* d, const real* w, double beta, real* carry) noexcept nogil:
    # carry = d @ w_hh: what the preactivations of a step give to the state before it.
    gemm(s.plan.typenum, False, False, s.batch, s.hidden, s.width, 1, d, s.width, w, s.hidden, beta, carry, s.hidden)


cdef inline int narrow(const Layer* s, double multiplications) noexcept nogil:
    # `one_thread` for a product, unless that holds for all of them.
    return one_thread() if not s.single and is_small(multiplications) else 1


cdef void product(
    const Layer* s, bint flip, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* a, Py_ssize_t lda, bint flip_b,
    const real* b, Py_ssize_t ldb, double beta, real* out,
) noexcept nogil:
    # One product over a chunk.
    cdef int before = narrow(s, <double>m * n * k)
    gemm(s.plan.typenum, flip, flip_b, m, n, k, 1, a, lda, b, ldb, beta, out, n)
    restore_threads(before)


cdef void walk(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # A chunk's steps.
    cdef int before = narrow(s, <double>s.batch * s.width * s.hidden)
    s.walk(s, <void**>p, first, end)
    restore_threads(before)


cdef void find_places(const Layer* s, real** buffers, char* workspace, real** p) noexcept nogil:
    cdef int k
    memcpy(p, buffers, BUFFERS * sizeof(void*))
    for k in range(BUFFERS, PLACES):
        p[k] = <real*>(workspace + s.at[k]) if s.at[k] >= 0 else NULL


cdef void forward(const Layer* s, real** buffers, char* workspace) noexcept nogil:
    """All chunks: the preactivations x @ w_ih.T + bias of each, then its steps."""
    cdef Py_ssize_t first = 0, end, k, t, rows, area = s.batch * s.hidden
    cdef real* p[PLACES]
    cdef real* to
    find_places(s, buffers, workspace, p)
    halve(p[W_IH], p[INPUT_WEIGHTS], s.width, s.inputs, s.hidden, False)
    halve(p[W_HH], p[STATE_WEIGHTS], s.width, s.hidden, s.hidden, True)
    if p[BIAS] != NULL:
        halve(p[BIAS], p[HALVED_BIAS], s.width, 1, s.hidden, False)
    while first < s.steps:
        end = min(first + s.chunk, s.steps)
        t, rows = lowest(s, first, end), (end - first) * s.batch
        to = p[GATES] + t * s.batch * s.width
        if p[BIAS] != NULL:
            for k in range(rows):
                memcpy(to + k * s.width, p[HALVED_BIAS], s.width * sizeof(real))
        product(s, False, rows, s.width, s.inputs, p[X] + t * s.batch * s.inputs, s.inputs, True, p[INPUT_WEIGHTS],
                s.inputs, p[BIAS] != NULL, to)
        walk(s, p, first, end)
        first = end
    if p[LAST] != NULL and s.steps > 0:
        memcpy(p[LAST], p[CELLS] + place(s, s.steps - 1) * area, area * sizeof(real))
    elif p[LAST] != NULL:
        memset(p[LAST], 0, area * sizeof(real))


cdef void clear(real* a, Py_ssize_t n) noexcept nogil:
    if a != NULL:
        memset(a, 0, n * sizeof(real))


cdef void backward(const Layer* s, real** buffers, char* workspace) noexcept nogil:
    """All chunks from the last to the first: the steps, then the products that give the gradients."""
    cdef Py_ssize_t first, end = s.steps, t, later, rows, step = s.batch * s.width, area = s.batch * s.hidden
    cdef real* p[PLACES]
    find_places(s, buffers, workspace, p)
    clear(p[CARRY], area)
    clear(p[DW_IH], s.width * s.inputs)
    clear(p[DW_HH], s.width * s.hidden)
    clear(p[DB], s.width)
    clear(p[DB_N], s.hidden)
    clear(p[ZEROS], s.hidden)
    if p[GC] != NULL:
        memcpy(p[DC], p[GC], area * sizeof(real))
    else:
        clear(p[DC], area)
    while end > 0:
        first = max(end - s.chunk, 0)
        walk(s, p, first, end)
        t, rows = lowest(s, first, end), (end - first) * s.batch
        if p[DW_IH] != NULL:
            product(s, True, s.width, s.inputs, rows, p[D], s.width, False, p[X] + t * s.batch * s.inputs, s.inputs, 1,
                    p[DW_IH])
        if p[DX] != NULL:
            product(s, False, rows, s.inputs, s.width, p[D], s.width, False, p[W_IH], s.inputs, 0,
                    p[DX] + t * s.batch * s.inputs)
        if p[DW_HH] != NULL:
            if first == 0 and p[H0] != NULL:
                product(s, True, s.width, s.hidden, s.batch, p[DQ] + (place(s, 0) - t) * step, s.width, False, p[H0],
                        s.hidden, 1, p[DW_HH])
            later = max(first, 1)  # the first step with a state of ours before it
            if later < end:
                product(s, True, s.width, s.hidden, (end - later) * s.batch,
                        p[DQ] + (lowest(s, later, end) - t) * step, s.width, False,
                        p[OUT] + lowest(s, later - 1, end - 1) * area, s.hidden, 1, p[DW_HH])
        end = first


cdef void execute_forward(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Layer* s = <const Layer*>plan
    cdef int before = one_thread() if s.single else 1
    if plan.typenum == cnp.NPY_FLOAT:
        forward(s, <float**>buffers, workspace)
    else:
        forward(s, <double**>buffers, workspace)
    restore_threads(before)


cdef void execute_backward(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Layer* s = <const Layer*>plan
    cdef int before = one_thread() if s.single else 1
    if plan.typenum == cnp.NPY_FLOAT:
        backward(s, <float**>buffers, workspace)
    else:
        backward(s, <double**>buffers, workspace)
    restore_threads(before)

# How all recurrent nets walk over a sequence, chunk by chunk. Part of _recurrent.pyx.

cdef enum:
    ROWS = 4096      # gates of one step worked on at a time: they stay in the level 1 cache from pass to pass
    CHUNK = 1 << 18  # bytes of the gates of a chunk of steps

ctypedef fused real:
    float
    double

cdef struct Layer:
    Py_ssize_t steps
    Py_ssize_t batch
    Py_ssize_t hidden
    Py_ssize_t width     # of all gates together
    Py_ssize_t inputs
    Py_ssize_t item      # bytes of a number
    Py_ssize_t chunk     # steps
    bint reverse
    int typenum

cdef struct Products:
    # What the gradients that are products of a chunk's cotangents are made of; NULL where one is not wanted.
    char* x
    char* h0             # may be NULL: zeros
    char* states
    char* w_ih
    char* dx
    char* dw_ih
    char* dw_hh

ctypedef void (*walk_t)(const Layer*, void**, Py_ssize_t, Py_ssize_t) noexcept nogil

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


cdef inline void* data(object a) noexcept:
    return NULL if a is None else cnp.PyArray_DATA(<ndarray>a)


cdef Layer layer(ndarray x, ndarray w_hh, bint reverse) noexcept:
    cdef Layer s
    s.steps, s.batch, s.inputs = cnp.PyArray_DIMS(x)[0], cnp.PyArray_DIMS(x)[1], cnp.PyArray_DIMS(x)[2]
    s.width, s.hidden = cnp.PyArray_DIMS(w_hh)[0], cnp.PyArray_DIMS(w_hh)[1]
    s.reverse, s.typenum, s.item = reverse, cnp.PyArray_TYPE(w_hh), cnp.PyArray_ITEMSIZE(w_hh)
    s.chunk = min(max(CHUNK // max(s.batch * s.width * s.item, 1), 1), s.steps)
    return s


cdef inline Py_ssize_t place(const Layer* s, Py_ssize_t k) noexcept nogil:
    # Where the k-th step lies.
    return s.steps - 1 - k if s.reverse else k


cdef inline Py_ssize_t lowest(const Layer* s, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # Where the steps from `first` to before `end` begin.
    return place(s, end - 1 if s.reverse else first)


cdef ndarray states(const Layer* s, Py_ssize_t steps, Py_ssize_t width):
    cdef Py_ssize_t dims[3]
    dims[0], dims[1], dims[2] = steps, s.batch, width
    return new_array(3, dims, s.typenum)


cdef ndarray zeros(const Layer* s, Py_ssize_t rows, Py_ssize_t columns):
    cdef Py_ssize_t dims[2]
    dims[0], dims[1] = rows, columns
    return new_zeros(2, dims, s.typenum)


cdef ndarray row_sums(const Layer* s, Py_ssize_t width):
    return new_zeros(1, &width, s.typenum)


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


cdef ndarray halved(ndarray w, Py_ssize_t hidden, bint flip):
    """Weights or a bias as the forward loops want it; transposed if flipped."""
    cdef int nd = cnp.PyArray_NDIM(w)
    cdef Py_ssize_t rows = cnp.PyArray_DIMS(w)[0], columns = cnp.PyArray_DIMS(w)[1] if nd == 2 else 1
    cdef Py_ssize_t dims[2]
    dims[0], dims[1] = rows, columns
    if flip:
        dims[0], dims[1] = columns, rows
    cdef ndarray out = new_array(nd, dims, cnp.PyArray_TYPE(w))
    if cnp.PyArray_TYPE(w) == cnp.NPY_FLOAT:
        halve[float](<float*>data(w), <float*>data(out), rows, columns, hidden, flip)
    else:
        halve[double](<double*>data(w), <double*>data(out), rows, columns, hidden, flip)
    return out


cdef void product(
    const Layer* s, bint flip, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const void* a, Py_ssize_t lda, bint flip_b,
    const void* b, Py_ssize_t ldb, double beta, void* out,
) noexcept:
    # One product over a chunk.
    cdef int before
    if is_small(<double>m * n * k):
        before = one_thread()
        gemm(s.typenum, flip, flip_b, m, n, k, 1, a, lda, b, ldb, beta, out, n)
        restore_threads(before)
    else:
        with nogil:
            gemm(s.typenum, flip, flip_b, m, n, k, 1, a, lda, b, ldb, beta, out, n)


cdef void walk(const Layer* s, void* walks[2], void** p, Py_ssize_t first, Py_ssize_t end) noexcept:
    # A chunk's steps. Small products run on one thread: a global setting, which the GIL guards.
    cdef walk_t steps = <walk_t>walks[s.typenum == cnp.NPY_DOUBLE]
    cdef int before
    if is_small(<double>s.batch * s.width * s.hidden):
        before = one_thread()
        steps(s, p, first, end)
        restore_threads(before)
    else:
        with nogil:
            steps(s, p, first, end)


cdef int forward(
    const Layer* s, void* walks[2], void** p, ndarray x, ndarray w_ih, object bias, ndarray out
) except -1:
    """All chunks; `out` gets the preactivations x @ w_ih.T + bias before their steps."""
    cdef Py_ssize_t first, end, k, t, row = s.width * s.item
    cdef ndarray w = halved(w_ih, s.hidden, False)
    cdef object b = None if bias is None else halved(bias, s.hidden, False)
    cdef char* px = <char*>data(x)
    cdef char* to
    for first in range(0, s.steps, s.chunk):
        end = min(first + s.chunk, s.steps)
        t = lowest(s, first, end)
        to = <char*>data(out) + t * s.batch * row
        if b is not None:
            for k in range((end - first) * s.batch):
                memcpy(to + k * row, data(b), row)
        product(s, False, (end - first) * s.batch, s.width, s.inputs, px + t * s.batch * s.inputs * s.item, s.inputs,
                True, data(w), s.inputs, b is not None, to)
        walk(s, walks, p, first, end)
    return 0


cdef void backward(const Layer* s, void* walks[2], void** p, const Products* q, char* dx, char* dh) noexcept:
    # All chunks from the last to the first. dx, dh: where their steps leave the cotangents of the input's and the
    # state's products.
    cdef Py_ssize_t first, end = s.steps, t, later, rows, step = s.batch * s.width * s.item
    cdef Py_ssize_t state = s.batch * s.hidden * s.item, one = s.batch * s.inputs * s.item
    while end > 0:
        first = max(end - s.chunk, 0)
        walk(s, walks, p, first, end)
        t, rows = lowest(s, first, end), (end - first) * s.batch
        if q.dw_ih != NULL:
            product(s, True, s.width, s.inputs, rows, dx, s.width, False, q.x + t * one, s.inputs, 1, q.dw_ih)
        if q.dx != NULL:
            product(s, False, rows, s.inputs, s.width, dx, s.width, False, q.w_ih, s.inputs, 0, q.dx + t * one)
        if q.dw_hh != NULL:
            if first == 0 and q.h0 != NULL:
                product(s, True, s.width, s.hidden, s.batch, dh + (place(s, 0) - t) * step, s.width, False, q.h0,
                        s.hidden, 1, q.dw_hh)
            later = max(first, 1)  # the first step with a state of ours before it
            if later < end:
                product(s, True, s.width, s.hidden, (end - later) * s.batch, dh + (lowest(s, later, end) - t) * step,
                        s.width, False, q.states + lowest(s, later - 1, end - 1) * state, s.hidden, 1, q.dw_hh)
        end = first


cdef void add_state(const Layer* s, const void* h, const void* w, void* out) noexcept nogil:
    # out += h @ w, with the hidden weights transposed: the product of one step.
    gemm(s.typenum, False, False, s.batch, s.width, s.hidden, 1, h, s.hidden, w, s.width, 1, out, s.width)


cdef void hand_back(const Layer* s, const void* d, const void* w, double beta, void* carry) noexcept nogil:
    # carry = d @ w_hh: what the preactivations of a step give to the state before it.
    gemm(s.typenum, False, False, s.batch, s.hidden, s.width, 1, d, s.width, w, s.hidden, beta, carry, s.hidden)


cdef tuple wanted_products(
    const Layer* s, Products* q, ndarray x, object h0, ndarray w_ih, ndarray out, tuple wanted
):
    """(dx, dw_ih, dw_hh), to be filled, None where `wanted` says so; and q, which says what they are made of."""
    cdef object dx = states(s, s.steps, s.inputs) if wanted[0] else None
    cdef object dw_ih = zeros(s, s.width, s.inputs) if wanted[1] else None
    cdef object dw_hh = zeros(s, s.width, s.hidden) if wanted[2] else None
    q.x, q.h0, q.states, q.w_ih = <char*>data(x), <char*>data(h0), <char*>data(out), <char*>data(w_ih)
    q.dx, q.dw_ih, q.dw_hh = <char*>data(dx), <char*>data(dw_ih), <char*>data(dw_hh)
    return dx, dw_ih, dw_hh

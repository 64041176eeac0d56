"""One layer and direction of a recurrent net over a whole sequence: forward, and backward through time.

Arrays are C-contiguous, of one dtype, float32 or float64, and of shapes that fit: `zen/ops/recurrent.py` sees to it.
T steps, a batch of B, I inputs, H hidden. Steps are taken in chunks whose gates fit the level 2 cache. Forward, the
input's products of a chunk are one product; each step then adds its state's product and turns the preactivations into
gates where they lie, which is what backward needs. Backward, the cotangents of a chunk's preactivations are written to
a buffer, and the gradients of the weights and of the input are products over the whole chunk.

Rows of sigmoid gates are multiplied by 1/2, which is exact, so that one call of NumPy's tanh does all gates of a step.
"""

cimport numpy as cnp
from libc.string cimport memcpy
from numpy cimport ndarray
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._blocks cimport loop1_double, loop1_float
from zen._core._kernels cimport plain_back_t
from zen._core._dispatch cimport kernels
from zen._core._loops cimport Loop
from zen._core._memory cimport new_array, new_zeros
from zen._core._loops import find

cnp.import_array()

include "_recurrent.pxi"


# --- tanh and relu


cdef void rnn_steps(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # p: preactivations that become the states, h0 (or NULL), the hidden weights transposed, NULL for tanh.
    cdef Py_ssize_t k, j, area = s.batch * s.hidden
    cdef real* h = p[1] if first == 0 else p[0] + place(s, first - 1) * area
    cdef real* a
    for k in range(first, end):
        a = p[0] + place(s, k) * area
        if h != NULL:
            add_state(s, h, p[2], a)
        if p[3] == NULL:
            squash(a, a, area)
        else:
            for j in range(area):
                a[j] = a[j] if a[j] > 0 or a[j] != a[j] else 0
        h = a


cdef void rnn_steps_back(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # p: g, states, w_hh, NULL for tanh; carry, d of a chunk, db.
    cdef Py_ssize_t k, b, row, area = s.batch * s.hidden, n = s.hidden
    cdef real* carry = p[4]
    cdef real* d
    cdef plain_back_t back = kernels.tanh_back[real is double]
    if p[3] != NULL:
        back = kernels.relu_back[real is double]
    for k in range(end - 1, first - 1, -1):
        d = p[5] + (place(s, k) - lowest(s, first, end)) * area
        for b in range(s.batch):
            row = place(s, k) * area + b * n
            back(p[1] + row, p[0] + row, carry + b * n, d + b * n, p[6], n)
        hand_back(s, d, p[2], 0, carry)


def rnn_forward(ndarray x, h0, ndarray w_ih, ndarray w_hh, bias, bint relu, bint reverse):
    """The states (T, B, H) of a plain net over x (T, B, I)."""
    cdef Layer s = layer(x, w_hh, reverse)
    cdef ndarray out = states(&s, s.steps, s.hidden), w = halved(w_hh, s.hidden, True)
    cdef void* walks[2]
    cdef void* p[4]
    walks[0], walks[1] = <void*>&rnn_steps[float], <void*>&rnn_steps[double]
    p[0], p[1], p[2], p[3] = data(out), data(h0), data(w), <void*>&s if relu else NULL
    forward(&s, walks, p, x, w_ih, bias, out)
    return out


def rnn_backward(
    ndarray g, ndarray x, h0, ndarray w_ih, ndarray w_hh, ndarray out, bint relu, bint reverse, tuple wanted
):
    """(dx, dh0, dw_ih, dw_hh, db) from the cotangent of the states. wanted: x, w_ih, w_hh; None for the others."""
    cdef Layer s = layer(x, w_hh, reverse)
    cdef Products q
    cdef ndarray d = states(&s, s.chunk, s.width), carry = zeros(&s, s.batch, s.hidden), db = row_sums(&s, s.width)
    cdef void* walks[2]
    cdef void* p[7]
    dx, dw_ih, dw_hh = wanted_products(&s, &q, x, h0, w_ih, out, wanted)
    walks[0], walks[1] = <void*>&rnn_steps_back[float], <void*>&rnn_steps_back[double]
    p[0], p[1], p[2], p[3] = data(g), data(out), data(w_hh), <void*>&s if relu else NULL
    p[4], p[5], p[6] = data(carry), data(d), data(db)
    backward(&s, walks, p, &q, <char*>data(d), <char*>data(d))
    return dx, carry, dw_ih, dw_hh, db


# --- LSTM: gates i, f, g, o


cdef void lstm_steps(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # p: preactivations that become the gates, h0 (or NULL), c0, hidden weights transposed; states, cells, their tanh.
    cdef Py_ssize_t k, b, begin, rows, n = s.hidden, area = s.batch * s.hidden
    cdef real* h = p[1] if first == 0 else p[4] + place(s, first - 1) * area
    cdef real* c = p[2] if first == 0 else p[5] + place(s, first - 1) * area
    cdef real* a
    cdef real* to
    cdef real* t
    for k in range(first, end):
        a = p[0] + place(s, k) * s.batch * s.width
        to, t = p[5] + place(s, k) * area, p[6] + place(s, k) * area
        if h != NULL:
            add_state(s, h, p[3], a)
        h = p[4] + place(s, k) * area
        begin = 0
        while begin < s.batch:
            rows = min(max(ROWS // s.width, 1), s.batch - begin)
            squash(a + begin * s.width, a + begin * s.width, rows * s.width)
            for b in range(begin, begin + rows):
                kernels.lstm[real is double](a + b * s.width, c + b * n, to + b * n, n)
            begin += rows
        squash(to, t, area)
        for b in range(s.batch):
            kernels.product[real is double](a + b * s.width + 3 * n, t + b * n, h + b * n, n)
        c = to


cdef void lstm_steps_back(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # p: g, gates, c0, w_hh, cells, their tanh; carry, cotangent of the cell, d of a chunk, db.
    cdef Py_ssize_t k, b, t, row, n = s.hidden, area = s.batch * s.hidden, step = s.batch * s.width
    cdef real* c
    cdef real* d
    cdef real* carry = p[6]
    for k in range(end - 1, first - 1, -1):
        t = place(s, k)
        c = p[4] + place(s, k - 1) * area if k > 0 else p[2]
        d = p[8] + (t - lowest(s, first, end)) * step
        for b in range(s.batch):
            row = t * area + b * n
            kernels.lstm_back[real is double](
                p[1] + t * step + b * s.width, c + b * n, p[5] + row, p[0] + row, carry + b * n, p[7] + b * n,
                d + b * s.width, p[9], n)
        hand_back(s, d, p[3], 0, carry)


def lstm_forward(ndarray x, h0, ndarray c0, ndarray w_ih, ndarray w_hh, bias, bint reverse):
    """(out, last cell, gates, cells, tanh of cells): the states (T, B, H), a cell (B, H), and what backward needs."""
    cdef Layer s = layer(x, w_hh, reverse)
    cdef ndarray gates = states(&s, s.steps, s.width), w = halved(w_hh, s.hidden, True)
    cdef ndarray out = states(&s, s.steps, s.hidden), cells = states(&s, s.steps, s.hidden)
    cdef ndarray squashed = states(&s, s.steps, s.hidden), last = zeros(&s, s.batch, s.hidden)
    cdef Py_ssize_t nbytes = s.batch * s.hidden * s.item
    cdef void* walks[2]
    cdef void* p[7]
    walks[0], walks[1] = <void*>&lstm_steps[float], <void*>&lstm_steps[double]
    p[0], p[1], p[2], p[3] = data(gates), data(h0), data(c0), data(w)
    p[4], p[5], p[6] = data(out), data(cells), data(squashed)
    forward(&s, walks, p, x, w_ih, bias, gates)
    if s.steps > 0:
        memcpy(data(last), <char*>p[5] + place(&s, s.steps - 1) * nbytes, nbytes)
    return out, last, gates, cells, squashed


def lstm_backward(
    g, gc, ndarray x, h0, ndarray c0, ndarray w_ih, ndarray w_hh, ndarray out, tuple saved, bint reverse, tuple wanted,
):
    """(dx, dh0, dc0, dw_ih, dw_hh, db) from the cotangents of out and of the last cell, None for zeros.

    saved: gates, cells, their tanh; wanted as above.
    """
    cdef Layer s = layer(x, w_hh, reverse)
    cdef Products q
    cdef ndarray d = states(&s, s.chunk, s.width), db = row_sums(&s, s.width)
    cdef ndarray carry = zeros(&s, s.batch, s.hidden), dc = zeros(&s, s.batch, s.hidden)
    cdef void* walks[2]
    cdef void* p[10]
    dx, dw_ih, dw_hh = wanted_products(&s, &q, x, h0, w_ih, out, wanted)
    walks[0], walks[1] = <void*>&lstm_steps_back[float], <void*>&lstm_steps_back[double]
    if g is None:
        g = zeros(&s, s.steps * s.batch, s.hidden)
    p[0], p[1], p[2], p[3], p[4], p[5] = data(g), data(saved[0]), data(c0), data(w_hh), data(saved[1]), data(saved[2])
    p[6], p[7], p[8], p[9] = data(carry), data(dc), data(d), data(db)
    if gc is not None:
        memcpy(p[7], data(gc), cnp.PyArray_NBYTES(dc))
    backward(&s, walks, p, &q, <char*>data(d), <char*>data(d))
    return dx, carry, dc, dw_ih, dw_hh, db


# --- GRU: gates r, z, n, of which the state's part of n passes r


cdef void gru_steps(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # p: preactivations that become the gates, h0, hidden weights transposed, the state's bias of n; states, the state's
    # part of n, and room for the products of a step.
    cdef Py_ssize_t k, b, row, n = s.hidden, area = s.batch * s.hidden
    cdef real* h = p[1] if first == 0 else p[4] + place(s, first - 1) * area
    cdef real* a
    cdef real* q
    for k in range(first, end):
        gemm(s.typenum, False, False, s.batch, s.width, n, 1, h, n, p[2], s.width, 0, p[6], s.width)
        for b in range(s.batch):
            a, q, row = p[0] + (place(s, k) * s.batch + b) * s.width, p[6] + b * s.width, place(s, k) * area + b * n
            kernels.add[real is double](a, q, 2 * n)
            squash(a, a, 2 * n)
            kernels.gru_reset[real is double](a, q, p[3], p[5] + row, n)
            squash(a + 2 * n, a + 2 * n, n)
            kernels.gru[real is double](a, h + b * n, p[4] + row, n)
        h = p[4] + place(s, k) * area


cdef void gru_steps_back(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    # p: g, states, h0, gates, the state's part of n, w_hh; carry, dx and dq of a chunk, dbx, dbq.
    cdef Py_ssize_t k, b, t, row, d, n = s.hidden, area = s.batch * s.hidden
    cdef real* h
    cdef real* a
    cdef real* carry = p[6]
    for k in range(end - 1, first - 1, -1):
        t = place(s, k)
        h = p[1] + place(s, k - 1) * area if k > 0 else p[2]
        for b in range(s.batch):
            row, d = t * area + b * n, ((t - lowest(s, first, end)) * s.batch + b) * s.width
            a = p[3] + (t * s.batch + b) * s.width
            kernels.gru_back[real is double](
                a, h + b * n, p[4] + row, p[0] + row, carry + b * n, p[7] + d, p[8] + d, p[9], p[10], n)
        hand_back(s, p[8] + (t - lowest(s, first, end)) * s.batch * s.width, p[5], 1, carry)


def gru_forward(ndarray x, ndarray h0, ndarray w_ih, ndarray w_hh, bias, ndarray bias_n, bint reverse):
    """(out, gates, kept): the states (T, B, H), and what backward needs. bias_n (H): that of the state's part of n."""
    cdef Layer s = layer(x, w_hh, reverse)
    cdef ndarray gates = states(&s, s.steps, s.width), w = halved(w_hh, s.hidden, True)
    cdef ndarray out = states(&s, s.steps, s.hidden), kept = states(&s, s.steps, s.hidden)
    cdef ndarray room = states(&s, 1, s.width)
    cdef void* walks[2]
    cdef void* p[7]
    walks[0], walks[1] = <void*>&gru_steps[float], <void*>&gru_steps[double]
    p[0], p[1], p[2], p[3] = data(gates), data(h0), data(w), data(bias_n)
    p[4], p[5], p[6] = data(out), data(kept), data(room)
    forward(&s, walks, p, x, w_ih, bias, gates)
    return out, gates, kept


def gru_backward(
    ndarray g, ndarray x, ndarray h0, ndarray w_ih, ndarray w_hh, ndarray out, tuple saved, bint reverse, tuple wanted
):
    """(dx, dh0, dw_ih, dw_hh, db_ih, and the last third of db_hh). saved: gates, kept; wanted: as for rnn."""
    cdef Layer s = layer(x, w_hh, reverse)
    cdef Products q
    cdef ndarray da = states(&s, s.chunk, s.width), dq = states(&s, s.chunk, s.width)
    cdef ndarray carry = zeros(&s, s.batch, s.hidden), dbx = row_sums(&s, s.width), dbq = row_sums(&s, s.hidden)
    cdef void* walks[2]
    cdef void* p[11]
    dx, dw_ih, dw_hh = wanted_products(&s, &q, x, h0, w_ih, out, wanted)
    walks[0], walks[1] = <void*>&gru_steps_back[float], <void*>&gru_steps_back[double]
    p[0], p[1], p[2], p[3], p[4], p[5] = data(g), data(out), data(h0), data(saved[0]), data(saved[1]), data(w_hh)
    p[6], p[7], p[8], p[9], p[10] = data(carry), data(da), data(dq), data(dbx), data(dbq)
    backward(&s, walks, p, &q, <char*>data(da), <char*>data(dq))
    return dx, carry, dw_ih, dw_hh, dbx, dbq

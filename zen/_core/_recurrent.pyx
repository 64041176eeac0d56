"""One layer and direction of a recurrent net over a whole sequence: forward, and backward through time.

Arrays are C-contiguous, of one dtype, float32 or float64, and of shapes that fit: `zen/ops/recurrent.py` sees to it.
One plan (see _plan.pxd) serves all nets and both directions. T steps, a batch of B, I inputs, H hidden. Steps are taken
in chunks whose gates fit the level 2 cache. Forward, the input's products of a chunk are one product; each step then
adds its state's product and turns the preactivations into gates where they lie, which is what backward needs. Backward,
the cotangents of a chunk's preactivations are written to a buffer, and the gradients of the weights and of the input
are products over the whole chunk.

Rows of sigmoid gates are multiplied by 1/2, which is exact, so that one call of NumPy's tanh does all gates of a step.
"""

cimport numpy as cnp
from libc.string cimport memcpy, memset
from numpy cimport ndarray
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._blocks cimport loop1_double, loop1_float
from zen._core._kernels cimport plain_back_t
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._loops cimport Loop
from zen._core._memory cimport new_array
from zen._core._plan cimport Plan, execute_t, reserve, run, start
from zen._core._views cimport View, buffer1, buffer2
from zen._core._loops import find

cnp.import_array()

include "_recurrent.pxi"


# --- tanh and relu


cdef void rnn_steps(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k, j, area = s.batch * s.hidden
    cdef real* h = p[H0] if first == 0 else p[OUT] + place(s, first - 1) * area
    cdef real* a
    for k in range(first, end):
        a = p[OUT] + place(s, k) * area
        if h != NULL:
            add_state(s, h, p[STATE_WEIGHTS], a)
        if s.relu:
            for j in range(area):
                a[j] = a[j] if a[j] > 0 or a[j] != a[j] else 0
        else:
            squash(a, a, area)
        h = a


cdef void rnn_steps_back(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k, t, area = s.batch * s.hidden, item = s.plan.item
    cdef real* d
    cdef plain_back_t back = kernels.relu_back[real is double] if s.relu else kernels.tanh_back[real is double]
    for k in range(end - 1, first - 1, -1):
        t = place(s, k)
        d = p[D] + (t - lowest(s, first, end)) * area
        back(
            buffer1(p[OUT] + t * area, item, area), buffer1(p[G] + t * area, item, area),
            buffer1(p[CARRY], item, area), buffer1(d, item, area), buffer1(p[DB], item, s.hidden))
        hand_back(s, d, p[W_HH], 0, p[CARRY])


def rnn_forward(ndarray x not None, h0, ndarray w_ih not None, ndarray w_hh not None, bias, bint relu, bint reverse):
    """The states (T, B, H) of a plain net over x (T, B, I)."""
    cdef Layer s
    cdef void* p[BUFFERS]
    plan_layer(&s, PLAIN, x, w_hh, reverse, execute_forward, <void*>&rnn_steps[float], <void*>&rnn_steps[double])
    plan_forward(&s, bias is not None, False)
    s.relu = relu
    arguments(&s, p, x, h0, None, w_ih, w_hh)
    cdef ndarray out = states(&s, s.hidden)
    p[BIAS], p[OUT], p[GATES] = perhaps(&s, bias, s.width, 1), data(out), data(out)
    run(&s.plan, p)
    return out


def rnn_backward(
    ndarray g not None, ndarray x not None, h0, ndarray w_ih not None, ndarray w_hh not None, ndarray out not None,
    bint relu, bint reverse, tuple wanted,
):
    """(dx, dh0, dw_ih, dw_hh, db) from the cotangent of the states. wanted: x, w_ih, w_hh; None for the others."""
    cdef Layer s
    cdef void* p[BUFFERS]
    plan_layer(
        &s, PLAIN, x, w_hh, reverse, execute_backward, <void*>&rnn_steps_back[float], <void*>&rnn_steps_back[double])
    plan_backward(&s, False, False)
    s.relu = relu
    arguments(&s, p, x, h0, None, w_ih, w_hh)
    dx, dw_ih, dw_hh = wanted_products(&s, p, wanted)
    cdef ndarray carry = matrix(&s, s.batch, s.hidden), db = vector(&s, s.width)
    p[G], p[OUT] = given(&s, g, s.steps * s.batch, s.hidden), given(&s, out, s.steps * s.batch, s.hidden)
    p[CARRY], p[DB] = data(carry), data(db)
    run(&s.plan, p)
    return dx, carry, dw_ih, dw_hh, db


# --- LSTM: gates i, f, g, o


cdef void lstm_steps(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k, begin, rows, n = s.hidden, area = s.batch * s.hidden, item = s.plan.item
    cdef real* h = p[H0] if first == 0 else p[OUT] + place(s, first - 1) * area
    cdef real* c = p[C0] if first == 0 else p[CELLS] + place(s, first - 1) * area
    cdef real* a
    cdef real* to
    cdef real* t
    for k in range(first, end):
        a = p[GATES] + place(s, k) * s.batch * s.width
        to, t = p[CELLS] + place(s, k) * area, p[KEPT] + place(s, k) * area
        if h != NULL:
            add_state(s, h, p[STATE_WEIGHTS], a)
        h = p[OUT] + place(s, k) * area
        begin = 0
        while begin < s.batch:
            rows = min(max(ROWS // max(s.width, 1), 1), s.batch - begin)
            squash(a + begin * s.width, a + begin * s.width, rows * s.width)
            kernels.lstm[real is double](
                buffer2(a + begin * s.width, item, rows, s.width), buffer2(c + begin * n, item, rows, n),
                buffer2(to + begin * n, item, rows, n))
            begin += rows
        squash(to, t, area)
        kernels.lstm_state[real is double](gates_at(s, a), rows_at(s, t), rows_at(s, h))
        c = to


cdef void lstm_steps_back(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k, t, n = s.hidden, area = s.batch * s.hidden, step = s.batch * s.width, item = s.plan.item
    cdef real* c
    cdef real* d
    cdef View g
    for k in range(end - 1, first - 1, -1):
        t = place(s, k)
        c = p[CELLS] + place(s, k - 1) * area if k > 0 else p[C0]
        d = p[D] + (t - lowest(s, first, end)) * step
        g = rows_at(s, p[G] + t * area) if p[G] != NULL else buffer2(p[ZEROS], item, 1, n)
        kernels.lstm_back[real is double](
            gates_at(s, p[GATES] + t * step), rows_at(s, c), rows_at(s, p[KEPT] + t * area), g,
            rows_at(s, p[CARRY]), rows_at(s, p[DC]), gates_at(s, d), buffer1(p[DB], item, s.width))
        hand_back(s, d, p[W_HH], 0, p[CARRY])


def lstm_forward(
    ndarray x not None, h0, ndarray c0 not None, ndarray w_ih not None, ndarray w_hh not None, bias, bint reverse
):
    """(out, last cell, gates, cells, tanh of cells): the states (T, B, H), a cell (B, H), and what backward needs."""
    cdef Layer s
    cdef void* p[BUFFERS]
    plan_layer(&s, LSTM, x, w_hh, reverse, execute_forward, <void*>&lstm_steps[float], <void*>&lstm_steps[double])
    plan_forward(&s, bias is not None, False)
    arguments(&s, p, x, h0, c0, w_ih, w_hh)
    cdef ndarray gates = states(&s, s.width), out = states(&s, s.hidden), last = matrix(&s, s.batch, s.hidden)
    cdef ndarray cells = states(&s, s.hidden), squashed = states(&s, s.hidden)
    p[BIAS], p[OUT], p[LAST] = perhaps(&s, bias, s.width, 1), data(out), data(last)
    p[GATES], p[CELLS], p[KEPT] = data(gates), data(cells), data(squashed)
    run(&s.plan, p)
    return out, last, gates, cells, squashed


def lstm_backward(
    g, gc, ndarray x not None, h0, ndarray c0 not None, ndarray w_ih not None, ndarray w_hh not None,
    ndarray out not None, tuple saved, bint reverse, tuple wanted,
):
    """(dx, dh0, dc0, dw_ih, dw_hh, db) from the cotangents of out and of the last cell, None for zeros.

    saved: gates, cells, their tanh; wanted as above.
    """
    cdef Layer s
    cdef void* p[BUFFERS]
    cdef ndarray gates, cells, squashed
    gates, cells, squashed = saved
    plan_layer(
        &s, LSTM, x, w_hh, reverse, execute_backward, <void*>&lstm_steps_back[float], <void*>&lstm_steps_back[double])
    plan_backward(&s, False, g is None)
    arguments(&s, p, x, h0, c0, w_ih, w_hh)
    dx, dw_ih, dw_hh = wanted_products(&s, p, wanted)
    cdef ndarray carry = matrix(&s, s.batch, s.hidden), dc = matrix(&s, s.batch, s.hidden), db = vector(&s, s.width)
    cdef Py_ssize_t rows = s.steps * s.batch
    p[G], p[GC] = perhaps(&s, g, rows, s.hidden), perhaps(&s, gc, s.batch, s.hidden)
    p[OUT] = given(&s, out, rows, s.hidden)
    p[GATES], p[CELLS] = given(&s, gates, rows, s.width), given(&s, cells, rows, s.hidden)
    p[KEPT] = given(&s, squashed, rows, s.hidden)
    p[CARRY], p[DC], p[DB] = data(carry), data(dc), data(db)
    run(&s.plan, p)
    return dx, carry, dc, dw_ih, dw_hh, db


# --- GRU: gates r, z, n, of which the state's part of n passes r


cdef void gru_steps(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k, b, begin, rows, row, n = s.hidden, area = s.batch * s.hidden, item = s.plan.item
    cdef real* h = p[H0] if first == 0 else p[OUT] + place(s, first - 1) * area
    cdef real* a
    cdef View gates, q
    for k in range(first, end):
        gemm(s.plan.typenum, False, False, s.batch, s.width, n, 1, h, n, p[STATE_WEIGHTS], s.width, 0, p[ROOM],
             s.width)
        begin = 0
        while begin < s.batch:
            rows = min(max(ROWS // max(s.width, 1), 1), s.batch - begin)
            row, a = place(s, k) * area + begin * n, p[GATES] + (place(s, k) * s.batch + begin) * s.width
            gates, q = buffer2(a, item, rows, s.width), buffer2(p[ROOM] + begin * s.width, item, rows, s.width)
            kernels.gru_add[real is double](gates, q, n)
            for b in range(rows):
                squash(a + b * s.width, a + b * s.width, 2 * n)
            kernels.gru_reset[real is double](
                gates, q, buffer1(p[BIAS_N], item, n), buffer2(p[KEPT] + row, item, rows, n))
            for b in range(rows):
                squash(a + b * s.width + 2 * n, a + b * s.width + 2 * n, n)
            kernels.gru[real is double](
                gates, buffer2(h + begin * n, item, rows, n), buffer2(p[OUT] + row, item, rows, n))
            begin += rows
        h = p[OUT] + place(s, k) * area


cdef void gru_steps_back(const Layer* s, real** p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k, t, d, n = s.hidden, area = s.batch * s.hidden, step = s.batch * s.width, item = s.plan.item
    cdef real* h
    for k in range(end - 1, first - 1, -1):
        t = place(s, k)
        h = p[OUT] + place(s, k - 1) * area if k > 0 else p[H0]
        d = (t - lowest(s, first, end)) * step
        kernels.gru_back[real is double](
            gates_at(s, p[GATES] + t * step), rows_at(s, h), rows_at(s, p[KEPT] + t * area),
            rows_at(s, p[G] + t * area), rows_at(s, p[CARRY]), gates_at(s, p[D] + d), gates_at(s, p[DQ] + d),
            buffer1(p[DB], item, s.width), buffer1(p[DB_N], item, n))
        hand_back(s, p[DQ] + d, p[W_HH], 1, p[CARRY])


def gru_forward(
    ndarray x not None, ndarray h0 not None, ndarray w_ih not None, ndarray w_hh not None, bias,
    ndarray bias_n not None, bint reverse,
):
    """(out, gates, kept): the states (T, B, H), and what backward needs. bias_n (H): that of the state's part of n."""
    cdef Layer s
    cdef void* p[BUFFERS]
    plan_layer(&s, GRU, x, w_hh, reverse, execute_forward, <void*>&gru_steps[float], <void*>&gru_steps[double])
    plan_forward(&s, bias is not None, True)
    arguments(&s, p, x, h0, None, w_ih, w_hh)
    cdef ndarray gates = states(&s, s.width), out = states(&s, s.hidden), kept = states(&s, s.hidden)
    p[BIAS], p[BIAS_N] = perhaps(&s, bias, s.width, 1), given(&s, bias_n, s.hidden, 1)
    p[OUT], p[GATES], p[KEPT] = data(out), data(gates), data(kept)
    run(&s.plan, p)
    return out, gates, kept


def gru_backward(
    ndarray g not None, ndarray x not None, ndarray h0 not None, ndarray w_ih not None, ndarray w_hh not None,
    ndarray out not None, tuple saved, bint reverse, tuple wanted,
):
    """(dx, dh0, dw_ih, dw_hh, db_ih, and the last third of db_hh). saved: gates, kept; wanted: as for rnn."""
    cdef Layer s
    cdef void* p[BUFFERS]
    cdef ndarray gates, kept
    gates, kept = saved
    plan_layer(
        &s, GRU, x, w_hh, reverse, execute_backward, <void*>&gru_steps_back[float], <void*>&gru_steps_back[double])
    plan_backward(&s, True, False)
    arguments(&s, p, x, h0, None, w_ih, w_hh)
    dx, dw_ih, dw_hh = wanted_products(&s, p, wanted)
    cdef ndarray carry = matrix(&s, s.batch, s.hidden), dbx = vector(&s, s.width), dbq = vector(&s, s.hidden)
    cdef Py_ssize_t rows = s.steps * s.batch
    p[G], p[OUT] = given(&s, g, rows, s.hidden), given(&s, out, rows, s.hidden)
    p[GATES], p[KEPT] = given(&s, gates, rows, s.width), given(&s, kept, rows, s.hidden)
    p[CARRY], p[DB], p[DB_N] = data(carry), data(dbx), data(dbq)
    run(&s.plan, p)
    return dx, carry, dw_ih, dw_hh, dbx, dbq

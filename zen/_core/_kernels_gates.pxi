# The arithmetic of recurrent cells on rows of a batch, after the matrix products. Called by _recurrent.pyx.
#
# Gates come in as tanh of half the preactivation where they are sigmoids: sigmoid(x) = (1 + tanh(x / 2)) / 2. Formulas:
# Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014, in the variant whose
# reset gate acts after the product.
#
# The gradients of a row of the LSTM and of the GRU are in C, because they need what Cython cannot say: that rows do not
# overlap. A loop has five to nine outputs, too many of them for the compiler to check. Split into loops that it checks,
# 16 rows of 32 units take the LSTM 0.8 us instead of 0.3; through blocks on the stack, or all checked, 0.7 to 0.9.

cdef extern from * nogil:
    """
    #ifdef _MSC_VER
    #define ZEN_APART __restrict
    #define ZEN_EACH __pragma(loop(ivdep))
    #elif defined(__clang__)
    #define ZEN_APART __restrict__
    #define ZEN_EACH _Pragma("clang loop vectorize(assume_safety)")
    #else
    #define ZEN_APART __restrict__
    #define ZEN_EACH _Pragma("GCC ivdep")
    #endif

    #define ZEN_GATES(T) \\
    static void zen_lstm_back_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART before, const T *ZEN_APART t, const T *ZEN_APART g, \\
        const T *ZEN_APART carry, T *ZEN_APART dc, T *ZEN_APART d, T *ZEN_APART db, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T i = a[j], f = a[n + j], s = a[2 * n + j], o = a[3 * n + j], dh = g[j] + carry[j]; \\
            T v = dc[j] + dh * o * (1 - t[j] * t[j]); \\
            T d0 = v * s * i * (1 - i), d1 = v * before[j] * f * (1 - f), d2 = v * i * (1 - s * s); \\
            T d3 = dh * t[j] * o * (1 - o); \\
            dc[j] = v * f; \\
            d[j] = d0; \\
            d[n + j] = d1; \\
            d[2 * n + j] = d2; \\
            d[3 * n + j] = d3; \\
            db[j] += d0; \\
            db[n + j] += d1; \\
            db[2 * n + j] += d2; \\
            db[3 * n + j] += d3; \\
        } \\
    } \\
    static void zen_gru_back_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART before, const T *ZEN_APART kept, const T *ZEN_APART g, \\
        T *ZEN_APART carry, T *ZEN_APART dx, T *ZEN_APART dq, T *ZEN_APART dbx, T *ZEN_APART dbq, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T r = a[j], z = a[n + j], s = a[2 * n + j], dh = g[j] + carry[j]; \\
            T d2 = dh * (1 - z) * (1 - s * s), d1 = dh * (before[j] - s) * z * (1 - z); \\
            T d0 = d2 * kept[j] * r * (1 - r); \\
            carry[j] = dh * z; \\
            dx[j] = d0; \\
            dq[j] = d0; \\
            dx[n + j] = d1; \\
            dq[n + j] = d1; \\
            dx[2 * n + j] = d2; \\
            dq[2 * n + j] = d2 * r; \\
            dbx[j] += d0; \\
            dbx[n + j] += d1; \\
            dbx[2 * n + j] += d2; \\
            dbq[j] += d2 * r; \\
        } \\
    }

    ZEN_GATES(float)
    ZEN_GATES(double)
    """
    void zen_lstm_back_float(
        const float* a, const float* before, const float* t, const float* g, const float* carry, float* dc, float* d,
        float* db, Py_ssize_t n) noexcept
    void zen_lstm_back_double(
        const double* a, const double* before, const double* t, const double* g, const double* carry, double* dc,
        double* d, double* db, Py_ssize_t n) noexcept
    void zen_gru_back_float(
        const float* a, const float* before, const float* kept, const float* g, float* carry, float* dx, float* dq,
        float* dbx, float* dbq, Py_ssize_t n) noexcept
    void zen_gru_back_double(
        const double* a, const double* before, const double* kept, const double* g, double* carry, double* dx,
        double* dq, double* dbx, double* dbq, Py_ssize_t n) noexcept


# --- LSTM: gates i, f, g, o, side by side in a row of `a`


cdef void lstm(real[:, ::1] a, const real[:, ::1] before, real[:, ::1] c) noexcept nogil:
    cdef Py_ssize_t b, j, n = c.shape[1]
    for b in range(c.shape[0]):
        for j in range(2 * n):
            a[b, j] = <real>0.5 + <real>0.5 * a[b, j]
        for j in range(3 * n, 4 * n):
            a[b, j] = <real>0.5 + <real>0.5 * a[b, j]
        for j in range(n):
            c[b, j] = a[b, n + j] * before[b, j] + a[b, j] * a[b, 2 * n + j]


cdef void lstm_state(const real[:, ::1] a, const real[:, ::1] t, real[:, ::1] h) noexcept nogil:
    # t: tanh(c)
    cdef Py_ssize_t b, j, n = h.shape[1]
    for b in range(h.shape[0]):
        for j in range(n):
            h[b, j] = a[b, 3 * n + j] * t[b, j]


cdef void lstm_back(
    const real[:, ::1] a, const real[:, ::1] before, const real[:, ::1] t, const real[:, ::1] g,
    const real[:, ::1] carry, real[:, ::1] dc, real[:, ::1] d, real[::1] db
) noexcept nogil:
    # dc goes from the cell's cotangent after the step to that before it. d: of the preactivations, which db sums. g: of
    # the state, has one row where that is the same for all.
    cdef Py_ssize_t b, n = t.shape[1], given = g.shape[0] > 1
    for b in range(t.shape[0] if n > 0 else 0):
        if real is float:
            zen_lstm_back_float(
                &a[b, 0], &before[b, 0], &t[b, 0], &g[b * given, 0], &carry[b, 0], &dc[b, 0], &d[b, 0], &db[0], n)
        else:
            zen_lstm_back_double(
                &a[b, 0], &before[b, 0], &t[b, 0], &g[b * given, 0], &carry[b, 0], &dc[b, 0], &d[b, 0], &db[0], n)


# --- GRU: gates r, z, n, side by side


cdef void gru_add(real[:, ::1] a, const real[:, ::1] q, Py_ssize_t n) noexcept nogil:
    # q: the state's products for r, z and n
    cdef Py_ssize_t b, j
    for b in range(a.shape[0]):
        for j in range(2 * n):
            a[b, j] += q[b, j]


cdef void gru_reset(real[:, ::1] a, const real[:, ::1] q, const real[::1] bias, real[:, ::1] kept) noexcept nogil:
    # a: r, z and the input's part of n. The state's part, with its bias, is kept.
    cdef Py_ssize_t b, j, n = kept.shape[1]
    for b in range(kept.shape[0]):
        for j in range(2 * n):
            a[b, j] = <real>0.5 + <real>0.5 * a[b, j]
        for j in range(n):
            kept[b, j] = q[b, 2 * n + j] + bias[j]
            a[b, 2 * n + j] += a[b, j] * kept[b, j]


cdef void gru(const real[:, ::1] a, const real[:, ::1] before, real[:, ::1] h) noexcept nogil:
    cdef Py_ssize_t b, j, n = h.shape[1]
    for b in range(h.shape[0]):
        for j in range(n):
            h[b, j] = a[b, 2 * n + j] + a[b, n + j] * (before[b, j] - a[b, 2 * n + j])


cdef void gru_back(
    const real[:, ::1] a, const real[:, ::1] before, const real[:, ::1] kept, const real[:, ::1] g,
    real[:, ::1] carry, real[:, ::1] dx, real[:, ::1] dq, real[::1] dbx, real[::1] dbq
) noexcept nogil:
    # carry goes from what later steps give to the state to what it hands on past z. dx: of the input's products, dq: of
    # the state's; they are added to dbx and to the last third, dbq.
    cdef Py_ssize_t b, n = kept.shape[1]
    for b in range(kept.shape[0] if n > 0 else 0):
        if real is float:
            zen_gru_back_float(
                &a[b, 0], &before[b, 0], &kept[b, 0], &g[b, 0], &carry[b, 0], &dx[b, 0], &dq[b, 0], &dbx[0], &dbq[0],
                n)
        else:
            zen_gru_back_double(
                &a[b, 0], &before[b, 0], &kept[b, 0], &g[b, 0], &carry[b, 0], &dx[b, 0], &dq[b, 0], &dbx[0], &dbq[0],
                n)


# --- tanh and relu, whose rows lie one behind the other


cdef inline void add_up(const real[::1] d, real[::1] db) noexcept nogil:
    cdef Py_ssize_t start = 0, j, n = db.shape[0]
    while start < d.shape[0]:
        for j in range(n):
            db[j] += d[start + j]
        start += n


cdef void tanh_back(
    const real[::1] h, const real[::1] g, const real[::1] carry, real[::1] d, real[::1] db
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(d.shape[0]):
        d[k] = (g[k] + carry[k]) * (1 - h[k] * h[k])
    add_up(d, db)


cdef void relu_back(
    const real[::1] h, const real[::1] g, const real[::1] carry, real[::1] d, real[::1] db
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(d.shape[0]):
        d[k] = 0 if h[k] <= 0 else g[k] + carry[k]
    add_up(d, db)


cdef void fill_gates(Kernels* k) noexcept:
    k.lstm[0], k.lstm[1] = <lstm_t> <void*> lstm[float], <lstm_t> <void*> lstm[double]
    k.lstm_state[0], k.lstm_state[1] = <state_t> <void*> lstm_state[float], <state_t> <void*> lstm_state[double]
    k.lstm_back[0], k.lstm_back[1] = <lstm_back_t> <void*> lstm_back[float], <lstm_back_t> <void*> lstm_back[double]
    k.gru_add[0], k.gru_add[1] = <gru_add_t> <void*> gru_add[float], <gru_add_t> <void*> gru_add[double]
    k.gru_reset[0], k.gru_reset[1] = <gru_reset_t> <void*> gru_reset[float], <gru_reset_t> <void*> gru_reset[double]
    k.gru[0], k.gru[1] = <state_t> <void*> gru[float], <state_t> <void*> gru[double]
    k.gru_back[0], k.gru_back[1] = <gru_back_t> <void*> gru_back[float], <gru_back_t> <void*> gru_back[double]
    k.tanh_back[0], k.tanh_back[1] = <plain_back_t> <void*> tanh_back[float], <plain_back_t> <void*> tanh_back[double]
    k.relu_back[0], k.relu_back[1] = <plain_back_t> <void*> relu_back[float], <plain_back_t> <void*> relu_back[double]

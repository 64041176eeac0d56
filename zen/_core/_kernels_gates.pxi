# The arithmetic of recurrent cells on one row of a batch, after the matrix products. Called by _recurrent.pyx.
#
# In C, because it needs what Cython cannot say: that the rows do not overlap (there are too many of them for the
# compiler to check).
# Gates come in as tanh of half the preactivation where they are sigmoids: sigmoid(x) = (1 + tanh(x / 2)) / 2. Formulas:
# Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014, in the variant whose
# reset gate acts after the product.

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
    /* a: the gates i, f, g, o, side by side; c = f * before + i * g */ \\
    static void zen_lstm_##T(T *ZEN_APART a, const T *ZEN_APART before, T *ZEN_APART c, Py_ssize_t n) { \\
        const T half = (T)0.5; \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T i = half + half * a[j], f = half + half * a[n + j]; \\
            a[j] = i; \\
            a[n + j] = f; \\
            a[3 * n + j] = half + half * a[3 * n + j]; \\
            c[j] = f * before[j] + i * a[2 * n + j]; \\
        } \\
    } \\
    static void zen_product_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART b, T *ZEN_APART out, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) out[j] = a[j] * b[j]; \\
    } \\
    /* t: tanh(c). dc goes from the cell's cotangent after the step to that before it. d: of the preactivations; db \\
       sums them */ \\
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
    static void zen_add_##T(T *ZEN_APART a, const T *ZEN_APART b, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) a[j] += b[j]; \\
    } \\
    /* a: r, z and the input's part of n. q: the state's products for r, z and n; the last, with its bias, is kept */ \\
    static void zen_gru_reset_##T( \\
        T *ZEN_APART a, const T *ZEN_APART q, const T *ZEN_APART bias, T *ZEN_APART kept, Py_ssize_t n) { \\
        const T half = (T)0.5; \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T r = half + half * a[j], v = q[2 * n + j] + bias[j]; \\
            a[j] = r; \\
            a[n + j] = half + half * a[n + j]; \\
            kept[j] = v; \\
            a[2 * n + j] += r * v; \\
        } \\
    } \\
    static void zen_gru_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART before, T *ZEN_APART h, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) h[j] = a[2 * n + j] + a[n + j] * (before[j] - a[2 * n + j]); \\
    } \\
    /* carry goes from what later steps give to the state to what it hands on past z. dx: of the input's products, \\
       dq: of the state's; they are added to dbx and to the last third, dbq */ \\
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
    } \\
    static void zen_tanh_back_##T( \\
        const T *ZEN_APART h, const T *ZEN_APART g, const T *ZEN_APART carry, T *ZEN_APART d, T *ZEN_APART db, \\
        Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T v = (g[j] + carry[j]) * (1 - h[j] * h[j]); \\
            d[j] = v; \\
            db[j] += v; \\
        } \\
    } \\
    static void zen_relu_back_##T( \\
        const T *ZEN_APART h, const T *ZEN_APART g, const T *ZEN_APART carry, T *ZEN_APART d, T *ZEN_APART db, \\
        Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T v = h[j] <= 0 ? (T)0 : g[j] + carry[j]; \\
            d[j] = v; \\
            db[j] += v; \\
        } \\
    }

    ZEN_GATES(float)
    ZEN_GATES(double)
    """
    void zen_lstm_float() noexcept
    void zen_lstm_double() noexcept
    void zen_lstm_back_float() noexcept
    void zen_lstm_back_double() noexcept
    void zen_product_float() noexcept
    void zen_product_double() noexcept
    void zen_add_float() noexcept
    void zen_add_double() noexcept
    void zen_gru_reset_float() noexcept
    void zen_gru_reset_double() noexcept
    void zen_gru_float() noexcept
    void zen_gru_double() noexcept
    void zen_gru_back_float() noexcept
    void zen_gru_back_double() noexcept
    void zen_tanh_back_float() noexcept
    void zen_tanh_back_double() noexcept
    void zen_relu_back_float() noexcept
    void zen_relu_back_double() noexcept


cdef void fill_gates(Kernels* k) noexcept:
    k.lstm[0], k.lstm[1] = <lstm_t> <void*> &zen_lstm_float, <lstm_t> <void*> &zen_lstm_double
    k.lstm_back[0] = <lstm_back_t> <void*> &zen_lstm_back_float
    k.lstm_back[1] = <lstm_back_t> <void*> &zen_lstm_back_double
    k.product[0], k.product[1] = <product_t> <void*> &zen_product_float, <product_t> <void*> &zen_product_double
    k.add[0], k.add[1] = <add_t> <void*> &zen_add_float, <add_t> <void*> &zen_add_double
    k.gru_reset[0] = <gru_reset_t> <void*> &zen_gru_reset_float
    k.gru_reset[1] = <gru_reset_t> <void*> &zen_gru_reset_double
    k.gru[0], k.gru[1] = <gru_t> <void*> &zen_gru_float, <gru_t> <void*> &zen_gru_double
    k.gru_back[0], k.gru_back[1] = <gru_back_t> <void*> &zen_gru_back_float, <gru_back_t> <void*> &zen_gru_back_double
    k.tanh_back[0] = <plain_back_t> <void*> &zen_tanh_back_float
    k.tanh_back[1] = <plain_back_t> <void*> &zen_tanh_back_double
    k.relu_back[0] = <plain_back_t> <void*> &zen_relu_back_float
    k.relu_back[1] = <plain_back_t> <void*> &zen_relu_back_double

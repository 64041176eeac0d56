# The arithmetic of recurrent cells on one row of a batch, after the matrix products. Used by _recurrent.pyx.
#
# In C, because it needs what Cython cannot say: that the rows do not overlap (there are too many of them for the
# compiler to check), and that a function is wanted for several instruction sets, picked when the library is loaded.
# Gates come in as tanh of half the preactivation where they are sigmoids: sigmoid(x) = (1 + tanh(x / 2)) / 2. Formulas:
# Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014, in the variant whose
# reset gate acts after the product.

ctypedef const float* fin
ctypedef const double* din

cdef extern from * nogil:
    """
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define ZEN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define ZEN_CLONES
    #endif
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
    ZEN_CLONES static void zen_lstm_##T(T *ZEN_APART a, const T *ZEN_APART before, T *ZEN_APART c, Py_ssize_t n) { \\
        const T half = (T)0.5; \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T i = half + half * a[j], f = half + half * a[n + j]; \\
            a[j] = i; \\
            a[n + j] = f; \\
            a[3 * n + j] = half + half * a[3 * n + j]; \\
            c[j] = f * before[j] + i * a[2 * n + j]; \\
        } \\
    } \\
    ZEN_CLONES static void zen_product_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART b, T *ZEN_APART out, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) out[j] = a[j] * b[j]; \\
    } \\
    /* t: tanh(c). dc goes from the cell's cotangent after the step to that before it. d: of the preactivations; db \\
       sums them */ \\
    ZEN_CLONES static void zen_lstm_back_##T( \\
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
    ZEN_CLONES static void zen_add_##T(T *ZEN_APART a, const T *ZEN_APART b, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) a[j] += b[j]; \\
    } \\
    /* a: r, z and the input's part of n. q: the state's products for r, z and n; the last, with its bias, is kept */ \\
    ZEN_CLONES static void zen_gru_reset_##T( \\
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
    ZEN_CLONES static void zen_gru_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART before, T *ZEN_APART h, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) h[j] = a[2 * n + j] + a[n + j] * (before[j] - a[2 * n + j]); \\
    } \\
    /* carry goes from what later steps give to the state to what it hands on past z. dx: of the input's products, \\
       dq: of the state's; they are added to dbx and to the last third, dbq */ \\
    ZEN_CLONES static void zen_gru_back_##T( \\
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
    ZEN_CLONES static void zen_tanh_back_##T( \\
        const T *ZEN_APART h, const T *ZEN_APART g, const T *ZEN_APART carry, T *ZEN_APART d, T *ZEN_APART db, \\
        Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T v = (g[j] + carry[j]) * (1 - h[j] * h[j]); \\
            d[j] = v; \\
            db[j] += v; \\
        } \\
    } \\
    ZEN_CLONES static void zen_relu_back_##T( \\
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
    void lstm_float "zen_lstm_float"(float*, fin, float*, Py_ssize_t) noexcept
    void lstm_double "zen_lstm_double"(double*, din, double*, Py_ssize_t) noexcept
    void product_float "zen_product_float"(fin, fin, float*, Py_ssize_t) noexcept
    void product_double "zen_product_double"(din, din, double*, Py_ssize_t) noexcept
    void lstm_back_float "zen_lstm_back_float"(fin, fin, fin, fin, fin, float*, float*, float*, Py_ssize_t) noexcept
    void lstm_back_double "zen_lstm_back_double"(
        din, din, din, din, din, double*, double*, double*, Py_ssize_t) noexcept
    void add_float "zen_add_float"(float*, fin, Py_ssize_t) noexcept
    void add_double "zen_add_double"(double*, din, Py_ssize_t) noexcept
    void gru_reset_float "zen_gru_reset_float"(float*, fin, fin, float*, Py_ssize_t) noexcept
    void gru_reset_double "zen_gru_reset_double"(double*, din, din, double*, Py_ssize_t) noexcept
    void gru_float "zen_gru_float"(fin, fin, float*, Py_ssize_t) noexcept
    void gru_double "zen_gru_double"(din, din, double*, Py_ssize_t) noexcept
    void gru_back_float "zen_gru_back_float"(
        fin, fin, fin, fin, float*, float*, float*, float*, float*, Py_ssize_t) noexcept
    void gru_back_double "zen_gru_back_double"(
        din, din, din, din, double*, double*, double*, double*, double*, Py_ssize_t) noexcept
    void tanh_back_float "zen_tanh_back_float"(fin, fin, fin, float*, float*, Py_ssize_t) noexcept
    void tanh_back_double "zen_tanh_back_double"(din, din, din, double*, double*, Py_ssize_t) noexcept
    void relu_back_float "zen_relu_back_float"(fin, fin, fin, float*, float*, Py_ssize_t) noexcept
    void relu_back_double "zen_relu_back_double"(din, din, din, double*, double*, Py_ssize_t) noexcept

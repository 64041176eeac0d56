# Passes over the rows of a block of attention weights. Used by _attention.pyx. In C for the reasons of _gates.pxd.

cdef extern from * nogil:
    """
    #include <math.h>
    #include <string.h>
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define ZEN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define ZEN_CLONES
    #endif
    #define ZEN_LANES 16  /* partial results, so that a row's sum or maximum is vectorised in a fixed order */

    #define ZEN_WEIGHTS(T) \\
    /* a row minus its largest element; returns that */ \\
    static inline T zen_lower_##T(T *a, Py_ssize_t n) { \\
        T lanes[ZEN_LANES], m = a[0]; \\
        Py_ssize_t j, k; \\
        for (k = 0; k < ZEN_LANES; k++) lanes[k] = m; \\
        for (j = 0; j + ZEN_LANES <= n; j += ZEN_LANES) \\
            for (k = 0; k < ZEN_LANES; k++) lanes[k] = a[j + k] > lanes[k] ? a[j + k] : lanes[k]; \\
        for (; j < n; j++) m = a[j] > m ? a[j] : m; \\
        for (k = 0; k < ZEN_LANES; k++) m = lanes[k] > m ? lanes[k] : m; \\
        for (j = 0; j < n; j++) a[j] -= m; \\
        return m; \\
    } \\
    ZEN_CLONES static void zen_lower_rows_##T(T *a, T *largest, Py_ssize_t rows, Py_ssize_t n) { \\
        for (Py_ssize_t i = 0; i < rows; i++) largest[i] = zen_lower_##T(a + i * n, n); \\
    } \\
    /* rows divided by their sums; a row whose largest element was -inf takes no part in anything: zeros */ \\
    ZEN_CLONES static void zen_normalise_##T(T *p, const T *largest, Py_ssize_t rows, Py_ssize_t n) { \\
        for (Py_ssize_t i = 0; i < rows; i++) { \\
            T *a = p + i * n, lanes[ZEN_LANES] = {0}, s = 0; \\
            Py_ssize_t j, k; \\
            if (largest[i] == -INFINITY) { \\
                memset(a, 0, n * sizeof(T)); \\
                continue; \\
            } \\
            for (j = 0; j + ZEN_LANES <= n; j += ZEN_LANES) \\
                for (k = 0; k < ZEN_LANES; k++) lanes[k] += a[j + k]; \\
            for (; j < n; j++) s += a[j]; \\
            for (k = 0; k < ZEN_LANES; k++) s += lanes[k]; \\
            s = 1 / s; \\
            for (j = 0; j < n; j++) a[j] *= s; \\
        } \\
    } \\
    /* d: from the cotangents of the weights p to those of the scores, p * (d - sum(p * d)) */ \\
    ZEN_CLONES static void zen_softmax_back_##T(const T *p, T *d, Py_ssize_t rows, Py_ssize_t n) { \\
        for (Py_ssize_t i = 0; i < rows; i++, p += n, d += n) { \\
            T lanes[ZEN_LANES] = {0}, s = 0; \\
            Py_ssize_t j, k; \\
            for (j = 0; j + ZEN_LANES <= n; j += ZEN_LANES) \\
                for (k = 0; k < ZEN_LANES; k++) lanes[k] += p[j + k] * d[j + k]; \\
            for (; j < n; j++) s += p[j] * d[j]; \\
            for (k = 0; k < ZEN_LANES; k++) s += lanes[k]; \\
            for (j = 0; j < n; j++) d[j] = p[j] * (d[j] - s); \\
        } \\
    } \\
    /* what dropout leaves: a where `keep` is 1, times a factor; out may be a */ \\
    ZEN_CLONES static void zen_drop_##T(const T *a, const unsigned char *keep, T factor, T *out, Py_ssize_t n) { \\
        for (Py_ssize_t j = 0; j < n; j++) out[j] = keep[j] ? a[j] * factor : (T)0; \\
    }

    ZEN_WEIGHTS(float)
    ZEN_WEIGHTS(double)
    """
    void lower_rows_float "zen_lower_rows_float"(float*, float*, Py_ssize_t, Py_ssize_t) noexcept
    void lower_rows_double "zen_lower_rows_double"(double*, double*, Py_ssize_t, Py_ssize_t) noexcept
    void normalise_float "zen_normalise_float"(float*, const float*, Py_ssize_t, Py_ssize_t) noexcept
    void normalise_double "zen_normalise_double"(double*, const double*, Py_ssize_t, Py_ssize_t) noexcept
    void softmax_back_float "zen_softmax_back_float"(const float*, float*, Py_ssize_t, Py_ssize_t) noexcept
    void softmax_back_double "zen_softmax_back_double"(const double*, double*, Py_ssize_t, Py_ssize_t) noexcept
    void drop_float "zen_drop_float"(const float*, const unsigned char*, float, float*, Py_ssize_t) noexcept
    void drop_double "zen_drop_double"(const double*, const unsigned char*, double, double*, Py_ssize_t) noexcept

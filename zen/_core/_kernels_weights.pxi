# Passes over the rows of a block of attention weights. Called by _attention.pyx. In C, as _kernels_gates.pxi.

cdef extern from * nogil:
    """
    #include <math.h>
    #include <string.h>
    #define ZEN_PARTS 16  /* partial results, so that a row's sum or maximum is vectorised in a fixed order */

    #define ZEN_WEIGHTS(T) \\
    /* a row minus its largest element; returns that */ \\
    static inline T zen_lower_##T(T *a, Py_ssize_t n) { \\
        T lanes[ZEN_PARTS], m = a[0]; \\
        Py_ssize_t j, k; \\
        for (k = 0; k < ZEN_PARTS; k++) lanes[k] = m; \\
        for (j = 0; j + ZEN_PARTS <= n; j += ZEN_PARTS) \\
            for (k = 0; k < ZEN_PARTS; k++) lanes[k] = a[j + k] > lanes[k] ? a[j + k] : lanes[k]; \\
        for (; j < n; j++) m = a[j] > m ? a[j] : m; \\
        for (k = 0; k < ZEN_PARTS; k++) m = lanes[k] > m ? lanes[k] : m; \\
        for (j = 0; j < n; j++) a[j] -= m; \\
        return m; \\
    } \\
    static void zen_lower_rows_##T(T *a, T *largest, Py_ssize_t rows, Py_ssize_t n) { \\
        for (Py_ssize_t i = 0; i < rows; i++) largest[i] = zen_lower_##T(a + i * n, n); \\
    } \\
    /* rows divided by their sums; a row whose largest element was -inf takes no part in anything: zeros */ \\
    static void zen_normalise_##T(T *p, const T *largest, Py_ssize_t rows, Py_ssize_t n) { \\
        for (Py_ssize_t i = 0; i < rows; i++) { \\
            T *a = p + i * n, lanes[ZEN_PARTS] = {0}, s = 0; \\
            Py_ssize_t j, k; \\
            if (largest[i] == -INFINITY) { \\
                memset(a, 0, n * sizeof(T)); \\
                continue; \\
            } \\
            for (j = 0; j + ZEN_PARTS <= n; j += ZEN_PARTS) \\
                for (k = 0; k < ZEN_PARTS; k++) lanes[k] += a[j + k]; \\
            for (; j < n; j++) s += a[j]; \\
            for (k = 0; k < ZEN_PARTS; k++) s += lanes[k]; \\
            s = 1 / s; \\
            for (j = 0; j < n; j++) a[j] *= s; \\
        } \\
    } \\
    /* d: from the cotangents of the weights p to those of the scores, p * (d - sum(p * d)) */ \\
    static void zen_softmax_back_##T(const T *p, T *d, Py_ssize_t rows, Py_ssize_t n) { \\
        for (Py_ssize_t i = 0; i < rows; i++, p += n, d += n) { \\
            T lanes[ZEN_PARTS] = {0}, s = 0; \\
            Py_ssize_t j, k; \\
            for (j = 0; j + ZEN_PARTS <= n; j += ZEN_PARTS) \\
                for (k = 0; k < ZEN_PARTS; k++) lanes[k] += p[j + k] * d[j + k]; \\
            for (; j < n; j++) s += p[j] * d[j]; \\
            for (k = 0; k < ZEN_PARTS; k++) s += lanes[k]; \\
            for (j = 0; j < n; j++) d[j] = p[j] * (d[j] - s); \\
        } \\
    } \\
    /* what dropout leaves: a where `keep` is 1, times a factor; out may be a */ \\
    static void zen_drop_##T(const T *a, const unsigned char *keep, double by, T *out, Py_ssize_t n) { \\
        const T factor = (T)by; \\
        for (Py_ssize_t j = 0; j < n; j++) out[j] = keep[j] ? a[j] * factor : (T)0; \\
    }

    ZEN_WEIGHTS(float)
    ZEN_WEIGHTS(double)
    """
    void zen_lower_rows_float() noexcept
    void zen_lower_rows_double() noexcept
    void zen_normalise_float() noexcept
    void zen_normalise_double() noexcept
    void zen_softmax_back_float() noexcept
    void zen_softmax_back_double() noexcept
    void zen_drop_float() noexcept
    void zen_drop_double() noexcept


cdef void fill_weights(Kernels* k) noexcept:
    k.lower_rows[0] = <lower_rows_t> <void*> &zen_lower_rows_float
    k.lower_rows[1] = <lower_rows_t> <void*> &zen_lower_rows_double
    k.normalise[0] = <normalise_t> <void*> &zen_normalise_float
    k.normalise[1] = <normalise_t> <void*> &zen_normalise_double
    k.softmax_back[0] = <softmax_back_t> <void*> &zen_softmax_back_float
    k.softmax_back[1] = <softmax_back_t> <void*> &zen_softmax_back_double
    k.drop[0], k.drop[1] = <drop_t> <void*> &zen_drop_float, <drop_t> <void*> &zen_drop_double

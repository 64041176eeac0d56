# Products and sizes of vectors, added up in double. Used by _optim.pyx. In C for the reasons of _gates.pxd: with wider
# instruction sets, the conversion to double costs no more than reading the memory does.

cdef extern from * nogil:
    """
    #include <math.h>
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    #define ZEN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define ZEN_CLONES
    #endif
    #ifdef _MSC_VER
    #define ZEN_APART __restrict
    #else
    #define ZEN_APART __restrict__
    #endif
    #define ZEN_LANES 16  /* partial sums, so that additions do not wait for one another; their order is fixed */
    #define ZEN_BLOCK 512
    #define ZEN_MANY 64   /* partial maxima: with fewer, GCC unrolls the loop and then compares one by one */
    #define ZEN_ABS(T, v) ((T)fabs(v))

    #define ZEN_DOT(T) \\
    static inline void zen_products_##T(const T *x, const T *y, Py_ssize_t n, double *lanes) { \\
        Py_ssize_t j, k, whole = n - n % ZEN_LANES; \\
        for (j = 0; j < whole; j += ZEN_LANES) \\
            for (k = 0; k < ZEN_LANES; k++) lanes[k] += (double)x[j + k] * (double)y[j + k]; \\
        for (; j < n; j++) lanes[j - whole] += (double)x[j] * (double)y[j]; \\
    } \\
    static inline double zen_sum_##T(const double *lanes) { \\
        double s = 0; \\
        for (int k = 0; k < ZEN_LANES; k++) s += lanes[k]; \\
        return s; \\
    } \\
    ZEN_CLONES static double zen_dot_##T(const T *x, const T *y, Py_ssize_t n) { \\
        double lanes[ZEN_LANES] = {0}; \\
        zen_products_##T(x, y, n, lanes); \\
        return zen_sum_##T(lanes); \\
    } \\
    /* q = f * (q + w * x); returns q @ y. In blocks: the second loop finds in the cache what the first one left */ \\
    ZEN_CLONES static double zen_add_dot_##T(T *ZEN_APART q, T f, T w, const T *x, const T *y, Py_ssize_t n) { \\
        double lanes[ZEN_LANES] = {0}; \\
        Py_ssize_t j, size; \\
        for (; n > 0; n -= size, q += size, x += size, y += size) { \\
            size = n < ZEN_BLOCK ? n : ZEN_BLOCK; \\
            for (j = 0; j < size; j++) q[j] = f * (q[j] + w * x[j]); \\
            zen_products_##T(q, y, size, lanes); \\
        } \\
        return zen_sum_##T(lanes); \\
    } \\
    /* the largest |x| and the sum of |x|; a NaN shows in the sum alone */ \\
    ZEN_CLONES static void zen_sizes_##T(const T *x, Py_ssize_t n, double *largest, double *total) { \\
        double lanes[ZEN_LANES] = {0}; \\
        T most[ZEN_MANY] = {0}; \\
        Py_ssize_t size, j, k; \\
        for (; n > 0; n -= size, x += size) { \\
            size = n < ZEN_BLOCK ? n : ZEN_BLOCK; \\
            for (j = 0; j < size - size % ZEN_MANY; j += ZEN_MANY) \\
                for (k = 0; k < ZEN_MANY; k++) \\
                    most[k] = ZEN_ABS(T, x[j + k]) > most[k] ? ZEN_ABS(T, x[j + k]) : most[k]; \\
            for (; j < size; j++) most[0] = ZEN_ABS(T, x[j]) > most[0] ? ZEN_ABS(T, x[j]) : most[0]; \\
            for (j = 0; j < size - size % ZEN_LANES; j += ZEN_LANES) \\
                for (k = 0; k < ZEN_LANES; k++) lanes[k] += ZEN_ABS(T, x[j + k]); \\
            for (; j < size; j++) lanes[0] += ZEN_ABS(T, x[j]); \\
        } \\
        for (k = 0; k < ZEN_MANY; k++) *largest = most[k] > *largest ? most[k] : *largest; \\
        *total += zen_sum_##T(lanes); \\
    }

    ZEN_DOT(float)
    ZEN_DOT(double)
    """
    double dot_float "zen_dot_float"(const float*, const float*, Py_ssize_t) noexcept
    double dot_double "zen_dot_double"(const double*, const double*, Py_ssize_t) noexcept
    double add_dot_float "zen_add_dot_float"(
        float*, float, float, const float*, const float*, Py_ssize_t) noexcept
    double add_dot_double "zen_add_dot_double"(
        double*, double, double, const double*, const double*, Py_ssize_t) noexcept
    void sizes_float "zen_sizes_float"(const float*, Py_ssize_t, double*, double*) noexcept
    void sizes_double "zen_sizes_double"(const double*, Py_ssize_t, double*, double*) noexcept

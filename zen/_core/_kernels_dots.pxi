# Products and sizes of vectors, added up in double. Called by _optim.pyx. In C, as _kernels_gates.pxi. With
# wider instruction sets, the conversion to double costs no more than reading the memory does.

cdef extern from * nogil:
    """
    #include <math.h>
    #define ZEN_PARTS 16  /* partial results, so that a row's sum or maximum is vectorised in a fixed order */
    #define ZEN_BLOCK 512
    #define ZEN_MANY 64   /* partial maxima: with fewer, GCC unrolls the loop and then compares one by one */
    #define ZEN_ABS(T, v) ((T)fabs(v))

    #define ZEN_DOT(T) \\
    static inline void zen_products_##T(const T *x, const T *y, Py_ssize_t n, double *lanes) { \\
        Py_ssize_t j, k, whole = n - n % ZEN_PARTS; \\
        for (j = 0; j < whole; j += ZEN_PARTS) \\
            for (k = 0; k < ZEN_PARTS; k++) lanes[k] += (double)x[j + k] * (double)y[j + k]; \\
        for (; j < n; j++) lanes[j - whole] += (double)x[j] * (double)y[j]; \\
    } \\
    static inline double zen_sum_##T(const double *lanes) { \\
        double s = 0; \\
        for (int k = 0; k < ZEN_PARTS; k++) s += lanes[k]; \\
        return s; \\
    } \\
    static double zen_dot_##T(const T *x, const T *y, Py_ssize_t n) { \\
        double lanes[ZEN_PARTS] = {0}; \\
        zen_products_##T(x, y, n, lanes); \\
        return zen_sum_##T(lanes); \\
    } \\
    /* q = f * (q + w * x); returns q @ y. In blocks: the second loop finds in the cache what the first one left */ \\
    static double zen_add_dot_##T( \\
        T *ZEN_APART q, double factor, double weight, const T *x, const T *y, Py_ssize_t n) { \\
        const T f = (T)factor, w = (T)weight; \\
        double lanes[ZEN_PARTS] = {0}; \\
        Py_ssize_t j, size; \\
        for (; n > 0; n -= size, q += size, x += size, y += size) { \\
            size = n < ZEN_BLOCK ? n : ZEN_BLOCK; \\
            for (j = 0; j < size; j++) q[j] = f * (q[j] + w * x[j]); \\
            zen_products_##T(q, y, size, lanes); \\
        } \\
        return zen_sum_##T(lanes); \\
    } \\
    /* the largest |x| and the sum of |x|; a NaN shows in the sum alone */ \\
    static void zen_sizes_##T(const T *x, Py_ssize_t n, double *largest, double *total) { \\
        double lanes[ZEN_PARTS] = {0}; \\
        T most[ZEN_MANY] = {0}; \\
        Py_ssize_t size, j, k; \\
        for (; n > 0; n -= size, x += size) { \\
            size = n < ZEN_BLOCK ? n : ZEN_BLOCK; \\
            for (j = 0; j < size - size % ZEN_MANY; j += ZEN_MANY) \\
                for (k = 0; k < ZEN_MANY; k++) \\
                    most[k] = ZEN_ABS(T, x[j + k]) > most[k] ? ZEN_ABS(T, x[j + k]) : most[k]; \\
            for (; j < size; j++) most[0] = ZEN_ABS(T, x[j]) > most[0] ? ZEN_ABS(T, x[j]) : most[0]; \\
            for (j = 0; j < size - size % ZEN_PARTS; j += ZEN_PARTS) \\
                for (k = 0; k < ZEN_PARTS; k++) lanes[k] += ZEN_ABS(T, x[j + k]); \\
            for (; j < size; j++) lanes[0] += ZEN_ABS(T, x[j]); \\
        } \\
        for (k = 0; k < ZEN_MANY; k++) *largest = most[k] > *largest ? most[k] : *largest; \\
        *total += zen_sum_##T(lanes); \\
    }

    ZEN_DOT(float)
    ZEN_DOT(double)
    """
    void zen_dot_float() noexcept
    void zen_dot_double() noexcept
    void zen_add_dot_float() noexcept
    void zen_add_dot_double() noexcept
    void zen_sizes_float() noexcept
    void zen_sizes_double() noexcept


cdef void fill_dots(Kernels* k) noexcept:
    k.dot[0], k.dot[1] = <dot_t> <void*> &zen_dot_float, <dot_t> <void*> &zen_dot_double
    k.add_dot[0], k.add_dot[1] = <add_dot_t> <void*> &zen_add_dot_float, <add_dot_t> <void*> &zen_add_dot_double
    k.sizes[0], k.sizes[1] = <sizes_t> <void*> &zen_sizes_float, <sizes_t> <void*> &zen_sizes_double

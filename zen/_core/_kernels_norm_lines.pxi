# layer_norm and rms_norm on contiguous memory, and the sums that every normalisation takes. Called by _norm.pyx.
# Comes after _kernels_planes.pxi, whose vectors it uses. The affine part is one number for each column.
#
# Statistics are taken in two passes, the mean first, because the difference of large squares would lose them. The first
# mean, rounded to the array's type, is `centre`; the second pass finds what it lacks. Means are kept in double.

cdef enum:
    ROWS = 32            # rows that are added up in the array's type before double takes over

cdef extern from *:
    """
    /* 32 partial sums over a block of 1024 elements, whatever the width of a vector; the blocks, and what is left over
       from a multiple of 16, are added up in double. */
    #ifdef __GNUC__
    #define ZEN_CALLED static __attribute__((noinline))  /* inlined, it would not be vectorised */
    #else
    #define ZEN_CALLED static
    #endif
    #define ZEN_SUMS(T, V)                                                                                           \\
    ZEN_CALLED double zen_folded_##T(T* a) {                                                                         \\
        /* As a tree: one after the other would wait for each addition. */                                           \\
        for (int k = 0; k < 8; k++) a[k] = (a[k] + a[k + 16]) + (a[k + 8] + a[k + 24]);                              \\
        return (((double)a[0] + a[1]) + ((double)a[2] + a[3])) + (((double)a[4] + a[5]) + ((double)a[6] + a[7]));    \\
    }                                                                                                                \\
    ZEN_INLINE void zen_step_##T(const T* g, const T* w, const T* x, Py_ssize_t i, T centre, int both, int count,    \\
                                 V* s, V* p) {                                                                       \\
        for (int k = 0; k < count; k++) {                                                                            \\
            V d = ((const V*)(x + i))[k] - centre, a = d;                                                            \\
            if (g) a = ((const V*)(g + i))[k];                                                                       \\
            if (w) a *= ((const V*)(w + i))[k];                                                                      \\
            s[k] += a;                                                                                               \\
            if (both) p[k] += a * d;                                                                                 \\
        }                                                                                                            \\
    }                                                                                                                \\
    ZEN_INLINE void zen_sums_##T(const T* g, const T* w, const T* x, Py_ssize_t n, T centre, int both,               \\
                                 double* first, double* second) {                                                    \\
        enum { COUNT = 32 * sizeof(T) / sizeof(V) };                                                                 \\
        for (Py_ssize_t i = 0, end; i < n;) {                                                                        \\
            V s[COUNT], p[COUNT];                                                                                    \\
            T sums[32], products[32];                                                                                \\
            int k;                                                                                                   \\
            end = n - i < 1024 ? n : i + 1024;                                                                       \\
            for (k = 0; k < COUNT; k++) s[k] = p[k] = (V){0};                                                        \\
            for (; i + 32 <= end; i += 32) zen_step_##T(g, w, x, i, centre, both, COUNT, s, p);                      \\
            if (i + 16 <= end) {                                                                                     \\
                zen_step_##T(g, w, x, i, centre, both, COUNT / 2, s, p);                                             \\
                i += 16;                                                                                             \\
            }                                                                                                        \\
            for (k = 0; k < COUNT; k++) {                                                                            \\
                ((V*)sums)[k] = s[k];                                                                                \\
                ((V*)products)[k] = p[k];                                                                            \\
            }                                                                                                        \\
            *first += zen_folded_##T(sums);                                                                          \\
            if (both) *second += zen_folded_##T(products);                                                           \\
            for (; i < end; i++) {                                                                                   \\
                T d = x[i] - centre, a = d;                                                                          \\
                if (g) a = g[i];                                                                                     \\
                if (w) a *= w[i];                                                                                    \\
                *first += a;                                                                                         \\
                if (both) *second += a * d;                                                                          \\
            }                                                                                                        \\
        }                                                                                                            \\
    }

    ZEN_SUMS(float, zen_floats)
    ZEN_SUMS(double, zen_doubles)

    /* Adds the sum of a to first and, for both, that of a * d to second, where d is x - centre, and a is g * w; without
       w, g; without g, d. What is left out is written as a constant, and the compiler leaves it out too. */
    ZEN_INLINE void zen_sums(size_t size, const void* g, const void* w, const void* x, Py_ssize_t n, double centre,
                             int both, double* first, double* second) {
        if (size == sizeof(float))
            zen_sums_float((const float*)g, (const float*)w, (const float*)x, n, (float)centre, both, first, second);
        else
            zen_sums_double((const double*)g, (const double*)w, (const double*)x, n, centre, both, first, second);
    }
    """
    void zen_sums(
        size_t size, const void* g, const void* w, const void* x, Py_ssize_t n, double centre, bint both,
        double* first, double* second
    ) noexcept nogil


cdef inline bint is_ordinary(double rstd) noexcept nogil:
    # Whether the squares of what is divided by 1 / rstd fit into float.
    return (rstd > 1e-15) & (rstd < 1e15)


cdef void wide_statistics(
    const real* x, Py_ssize_t batch, Py_ssize_t stride, Py_ssize_t n, bint centred, double* mean, double* var
) noexcept nogil:
    # Of n elements in each of `batch` places, in double throughout.
    cdef Py_ssize_t j, i
    cdef double total = 0, squares = 0, d
    if centred:
        for j in range(batch):
            for i in range(n):
                total += x[j * stride + i]
    mean[0] = total / (<double>batch * n)
    for j in range(batch):
        for i in range(n):
            d = x[j * stride + i] - mean[0]
            squares += d * d
    var[0] = squares / (<double>batch * n)


cdef void wide_row_gradient(
    const real* g, const real* x, Py_ssize_t n, const real* w, bint centred, double mean, double rstd, real* dx
) noexcept nogil:
    cdef Py_ssize_t i
    cdef double a, h, total = 0, product = 0
    for i in range(n):
        a, h = <double>g[i] * w[i], (x[i] - mean) * rstd
        total += a
        product += a * h
    total, product = total / n if centred else 0, product / n
    for i in range(n):
        dx[i] = <real>((<double>g[i] * w[i] - total - (x[i] - mean) * rstd * product) * rstd)


cdef void norm_rows_forward(
    const real* x, Py_ssize_t rows, Py_ssize_t n, const real* w, const real* b, double eps, bint centred,
    real* y, double* mean, double* rstd
) noexcept nogil:
    cdef Py_ssize_t r, i
    cdef real centre = 0, scale, shift, v
    cdef double total, rest, squares, var, share = 1.0 / n
    for r in range(rows):
        total = rest = squares = 0
        if centred:
            zen_sums(sizeof(real), NULL, NULL, x, n, 0, False, &total, NULL)
            centre = <real>(total * share)
        zen_sums(sizeof(real), NULL, NULL, x, n, centre, True, &rest, &squares)
        rest = rest * share if centred else 0
        mean[r] = centre + rest
        var = squares * share - rest * rest
        rstd[r] = 1 / sqrt_double(var + eps)
        if sizeof(real) == sizeof(float) and not is_ordinary(rstd[r]):
            wide_statistics(x, 1, 0, n, centred, mean + r, &var)
            rstd[r] = 1 / sqrt_double(var + eps)
            centre = <real>mean[r]
            rest = mean[r] - centre
        scale, shift = <real>rstd[r], <real>(rest * rstd[r])
        for i in range(n):
            v = (x[i] - centre) * scale - shift
            if w != NULL:
                v = v * w[i]
            if b != NULL:
                v = v + b[i]
            y[i] = v
        x += n
        y += n


cdef void norm_rows_backward(
    const real* g, const real* x, Py_ssize_t rows, Py_ssize_t n, const real* w, bint centred,
    const double* mean, const double* rstd, real* dx, real* dw, real* db, real* partial, double* totals
) noexcept nogil:
    # partial, totals: 2n numbers. w is never NULL here; dx, dw and db may be.
    cdef real* sum_gh = partial                # of the last ROWS rows
    cdef real* sum_g = partial + n
    cdef Py_ssize_t r, i
    cdef real centre, scale, shift, slope
    cdef double rest, total, product, share = 1.0 / n
    for i in range(2 * n):
        totals[i] = partial[i] = 0
    for r in range(rows):
        centre, scale = <real>mean[r], <real>rstd[r]
        rest = mean[r] - centre
        if dx != NULL and sizeof(real) == sizeof(float) and not is_ordinary(rstd[r]):
            wide_row_gradient(g, x, n, w, centred, mean[r], rstd[r], dx)
            dx += n
        elif dx != NULL:
            total = product = 0
            zen_sums(sizeof(real), g, w, x, n, centre, True, &total, &product)
            total = total if centred else 0
            product = (product - rest * total) * rstd[r] * rstd[r] * share
            slope, shift = <real>(product * rstd[r]), <real>(rstd[r] * (total * share - rest * product))
            for i in range(n):
                dx[i] = g[i] * w[i] * scale - shift - (x[i] - centre) * slope
            dx += n
        shift = <real>(rest * rstd[r])
        if dw != NULL:
            for i in range(n):
                sum_gh[i] += g[i] * ((x[i] - centre) * scale - shift)
        if db != NULL:
            for i in range(n):
                sum_g[i] += g[i]
        if r % ROWS == ROWS - 1 or r == rows - 1:
            for i in range(2 * n):
                totals[i] += partial[i]
                partial[i] = 0
        g += n
        x += n
    for i in range(n):
        if dw != NULL:
            dw[i] = <real>totals[i]
        if db != NULL:
            db[i] = <real>totals[n + i]


cdef void fill_norm_lines(Kernels* k) noexcept:
    k.norm_lines[0] = <norm_lines_t> <void*> norm_rows_forward[float]
    k.norm_lines[1] = <norm_lines_t> <void*> norm_rows_forward[double]
    k.norm_lines_back[0] = <norm_lines_back_t> <void*> norm_rows_backward[float]
    k.norm_lines_back[1] = <norm_lines_back_t> <void*> norm_rows_backward[double]

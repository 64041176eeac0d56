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
    #define ZEN_WHOLE __attribute__((aligned(64)))       /* no vector lies across two cache lines */
    #else
    #define ZEN_CALLED static
    #define ZEN_WHOLE
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
            ZEN_WHOLE T sums[32], products[32];                                                                      \\
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
    const real[:, ::1] x, Py_ssize_t first, Py_ssize_t last, Py_ssize_t start, Py_ssize_t end, bint centred,
    double* mean, double* var
) noexcept nogil:
    # Of the columns from start to before end, in the rows from first to before last, in double throughout.
    cdef Py_ssize_t i, j
    cdef double total = 0, squares = 0, d, size = <double>(last - first) * (end - start)
    if centred:
        for i in range(first, last):
            for j in range(start, end):
                total += x[i, j]
    mean[0] = total / size
    for i in range(first, last):
        for j in range(start, end):
            d = x[i, j] - mean[0]
            squares += d * d
    var[0] = squares / size


cdef void wide_row_gradient(
    const real[::1] g, const real[::1] x, const real[::1] w, bint centred, double mean, double rstd, real[::1] dx
) noexcept nogil:
    cdef Py_ssize_t j, n = x.shape[0]
    cdef double a, h, total = 0, product = 0
    for j in range(n):
        a, h = <double>g[j] * w[j], (x[j] - mean) * rstd
        total += a
        product += a * h
    total, product = total / n if centred else 0, product / n
    for j in range(n):
        dx[j] = <real>((<double>g[j] * w[j] - total - (x[j] - mean) * rstd * product) * rstd)


cdef void norm_rows_forward(
    const real[:, ::1] x, const real[::1] w, const real[::1] b, double eps, bint centred, real[:, ::1] y,
    double[::1] mean, double[::1] rstd
) noexcept nogil:
    # w, b: without elements where there is none
    cdef Py_ssize_t i, j, n = x.shape[1]
    cdef bint weighted = w.shape[0] > 0, biased = b.shape[0] > 0
    cdef real centre = 0, scale, shift, v
    cdef double total, rest, squares, var, root, share = 1.0 / n
    for i in range(x.shape[0]):
        total = rest = squares = 0
        if centred:
            zen_sums(sizeof(real), NULL, NULL, &x[i, 0], n, 0, False, &total, NULL)
            centre = <real>(total * share)
        zen_sums(sizeof(real), NULL, NULL, &x[i, 0], n, centre, True, &rest, &squares)
        rest = rest * share if centred else 0
        mean[i] = centre + rest
        var = squares * share - rest * rest
        root = 1 / sqrt_double(var + eps)
        if sizeof(real) == sizeof(float) and not is_ordinary(root):
            wide_statistics(x, i, i + 1, 0, n, centred, &mean[i], &var)
            root = 1 / sqrt_double(var + eps)
            centre = <real>mean[i]
            rest = mean[i] - centre
        rstd[i] = root
        scale, shift = <real>root, <real>(rest * root)
        for j in range(n):
            v = (x[i, j] - centre) * scale - shift
            if weighted:
                v = v * w[j]
            if biased:
                v = v + b[j]
            y[i, j] = v


cdef void norm_rows_backward(
    const real[:, ::1] g, const real[:, ::1] x, const real[::1] w, bint centred, const double[::1] mean,
    const double[::1] rstd, real[:, ::1] dx, real[::1] dw, real[::1] db, real[:, ::1] partial, double[:, ::1] totals
) noexcept nogil:
    # dx, dw, db: without elements where they are not wanted. The last ROWS rows are added up in `partial`, all in
    # `totals`: in both a row for dw and one for db.
    cdef Py_ssize_t i, j, k, n = x.shape[1], rows = x.shape[0]
    cdef real centre, scale, shift, slope
    cdef double rest, total, product, share = 1.0 / n
    for k in range(2):
        for j in range(n):
            totals[k, j] = partial[k, j] = 0
    for i in range(rows):
        centre, scale = <real>mean[i], <real>rstd[i]
        rest = mean[i] - centre
        if dx.shape[0] > 0 and sizeof(real) == sizeof(float) and not is_ordinary(rstd[i]):
            wide_row_gradient(g[i], x[i], w, centred, mean[i], rstd[i], dx[i])
        elif dx.shape[0] > 0:
            total = product = 0
            zen_sums(sizeof(real), &g[i, 0], &w[0], &x[i, 0], n, centre, True, &total, &product)
            total = total if centred else 0
            product = (product - rest * total) * rstd[i] * rstd[i] * share
            slope, shift = <real>(product * rstd[i]), <real>(rstd[i] * (total * share - rest * product))
            for j in range(n):
                dx[i, j] = g[i, j] * w[j] * scale - shift - (x[i, j] - centre) * slope
        shift = <real>(rest * rstd[i])
        if dw.shape[0] > 0:
            for j in range(n):
                partial[0, j] += g[i, j] * ((x[i, j] - centre) * scale - shift)
        if db.shape[0] > 0:
            for j in range(n):
                partial[1, j] += g[i, j]
        if i % ROWS == ROWS - 1 or i == rows - 1:
            for k in range(2):
                for j in range(n):
                    totals[k, j] += partial[k, j]
                    partial[k, j] = 0
    for j in range(dw.shape[0]):
        dw[j] = <real>totals[0, j]
    for j in range(db.shape[0]):
        db[j] = <real>totals[1, j]


cdef void fill_norm_lines(Kernels* k) noexcept:
    k.norm_lines[0] = <norm_lines_t> <void*> norm_rows_forward[float]
    k.norm_lines[1] = <norm_lines_t> <void*> norm_rows_forward[double]
    k.norm_lines_back[0] = <norm_lines_back_t> <void*> norm_rows_backward[float]
    k.norm_lines_back[1] = <norm_lines_back_t> <void*> norm_rows_backward[double]

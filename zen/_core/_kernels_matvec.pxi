# Products of a matrix and a vector. They are bound by memory, and a BLAS's general product would copy the matrix first.
# Included by the generated modules, so that each instruction set gets its own; `_operations_matvec.pxi` calls them.
#
# The matrix has rows `ld` elements apart. Sums are taken in their own precision over a block, then in double.


cdef inline double sum_of(const real* s) noexcept nogil:
    # Their sum, by halves: one after the other, each addition would wait for the last.
    cdef double u[8]
    cdef int k
    for k in range(8):
        u[k] = <double>s[k] + <double>s[k + 8]
    for k in range(4):
        u[k] += u[k + 4]
    return (u[0] + u[2]) + (u[1] + u[3])


cdef inline void four_dots(
    const real* a, Py_ssize_t ld, const real* x, Py_ssize_t n, double* total
) noexcept nogil:
    # Adds the products of four rows with n <= BLOCK elements of x.
    cdef real s0[LANES]
    cdef real s1[LANES]
    cdef real s2[LANES]
    cdef real s3[LANES]
    cdef const real* b = a + ld
    cdef const real* c = b + ld
    cdef const real* d = c + ld
    # In variables: `total` may lie where `a` does, for all that the compiler knows, and would be read and written anew
    # for each product.
    cdef double t0 = 0, t1 = 0, t2 = 0, t3 = 0
    cdef Py_ssize_t i, k, first = 0
    if n >= 4 * LANES:       # for fewer, to add up the lanes costs more than they save
        first = n - n % LANES
        for k in range(LANES):
            s0[k] = s1[k] = s2[k] = s3[k] = 0
        for i in range(n // LANES):
            for k in range(LANES):
                s0[k] += a[i * LANES + k] * x[i * LANES + k]
                s1[k] += b[i * LANES + k] * x[i * LANES + k]
                s2[k] += c[i * LANES + k] * x[i * LANES + k]
                s3[k] += d[i * LANES + k] * x[i * LANES + k]
        t0, t1, t2, t3 = sum_of(s0), sum_of(s1), sum_of(s2), sum_of(s3)
    for i in range(first, n):
        t0 += a[i] * x[i]
        t1 += b[i] * x[i]
        t2 += c[i] * x[i]
        t3 += d[i] * x[i]
    total[0] += t0
    total[1] += t1
    total[2] += t2
    total[3] += t3


cdef void rows_by_vector(
    const real* a, Py_ssize_t ld, const real* x, real* out, Py_ssize_t m, Py_ssize_t n, bint add
) noexcept nogil:
    # out = A x, or out += A x
    cdef Py_ssize_t i = 0, k, done
    cdef double total[4]
    while i + 4 <= m:
        for k in range(4):
            total[k] = out[i + k] if add else 0
        done = 0
        while done < n:
            four_dots(a + i * ld + done, ld, x + done, min(n - done, BLOCK), total)
            done += BLOCK
        for k in range(4):
            out[i + k] = <real>total[k]
        i += 4
    while i < m:
        out[i] = <real>((out[i] if add else 0) + dot(a + i * ld, x, n))
        i += 1


cdef inline void panel_by_vector(
    const real* a, Py_ssize_t ld, const real* x, real* out, Py_ssize_t m, Py_ssize_t width, bint add
) noexcept nogil:
    cdef double sums[PANEL]
    cdef Py_ssize_t i = 0, j
    cdef const real* b
    for j in range(width):
        sums[j] = out[j] if add else 0
    while i + 8 <= m:
        b = a + 4 * ld
        for j in range(width):
            sums[j] += (
                ((a[j] * x[i] + a[ld + j] * x[i + 1]) + (a[2 * ld + j] * x[i + 2] + a[3 * ld + j] * x[i + 3]))
                + ((b[j] * x[i + 4] + b[ld + j] * x[i + 5]) + (b[2 * ld + j] * x[i + 6] + b[3 * ld + j] * x[i + 7])))
        a += 8 * ld
        i += 8
    while i < m:
        for j in range(width):
            sums[j] += a[j] * x[i]
        a += ld
        i += 1
    for j in range(width):
        out[j] = <real>sums[j]


cdef void columns_by_vector(
    const real* a, Py_ssize_t ld, const real* x, real* out, Py_ssize_t m, Py_ssize_t n, bint add
) noexcept nogil:
    # out = A^T x, or out += A^T x
    cdef Py_ssize_t done = 0
    while done < n:
        panel_by_vector(a + done, ld, x, out + done, m, min(n - done, PANEL), add)
        done += PANEL


cdef void outer_product(
    const real* x, const real* y, real* out, Py_ssize_t m, Py_ssize_t n, bint add
) noexcept nogil:
    # out = x y^T, or out += x y^T
    cdef Py_ssize_t i, j
    cdef real v
    for i in range(m):
        v = x[i]
        if add:
            for j in range(n):
                out[j] += v * y[j]
        else:
            for j in range(n):
                out[j] = v * y[j]
        out += n


cdef void fill_matvec(Kernels* k) noexcept:
    k.rows_by_vector[0] = <matvec_t> <void*> rows_by_vector[float]
    k.rows_by_vector[1] = <matvec_t> <void*> rows_by_vector[double]
    k.columns_by_vector[0] = <matvec_t> <void*> columns_by_vector[float]
    k.columns_by_vector[1] = <matvec_t> <void*> columns_by_vector[double]
    k.outer_product[0] = <outer_t> <void*> outer_product[float]
    k.outer_product[1] = <outer_t> <void*> outer_product[double]

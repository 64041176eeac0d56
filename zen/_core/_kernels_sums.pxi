# Sums over one axis of a matrix, and its addition to another. Called by _broadcast.pyx and _lines.pyx.
#
# Matrices have rows and columns, and all is added to `out`, unless said otherwise. `out` is no part of x.

cdef enum:
    PANEL = 1024         # columns summed together
    PARTS = 4            # partial sums of a line: an addition waits for the one before it


cdef void sum_columns(const real[:, ::1] x, real[::1] out, bint add) noexcept nogil:
    # Eight rows are added in their own precision, then to a sum in double: exact enough for any number of rows.
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], start = 0, end, i, j
    cdef double total[PANEL]
    while start < n:
        end = min(start + PANEL, n)
        for j in range(start, end):
            total[j - start] = out[j] if add else 0
        for i in range(0, rows - 7, 8):
            for j in range(start, end):
                total[j - start] += ((x[i, j] + x[i + 1, j]) + (x[i + 2, j] + x[i + 3, j])) + (
                    (x[i + 4, j] + x[i + 5, j]) + (x[i + 6, j] + x[i + 7, j]))
        for i in range(rows - rows % 8, rows):
            for j in range(start, end):
                total[j - start] += x[i, j]
        for j in range(start, end):
            out[j] = <real>total[j - start]
        start = end


cdef void sum_rows(const real[:, ::1] x, real[:] out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        out[i] += <real>row_sum(&x[i, 0], x.shape[1])


cdef void sum_strided_rows(const real[:, :] x, real[:] out) noexcept nogil:
    cdef Py_ssize_t n = x.shape[1], i, j, k
    cdef double total[PARTS]
    for i in range(x.shape[0]):
        for k in range(PARTS):
            total[k] = 0
        for j in range(n // PARTS):
            for k in range(PARTS):
                total[k] += x[i, j * PARTS + k]
        for j in range(n - n % PARTS, n):
            total[0] += x[i, j]
        out[i] += <real>((total[0] + total[1]) + (total[2] + total[3]))


cdef void add_matrix(const real[:, ::1] x, real[:, ::1] out) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] += x[i, j]


cdef void add_strided_matrix(const real[:, :] x, real[:, :] out) noexcept nogil:
    # A row or column of `out` that is a sum stands still: its stride is 0.
    cdef Py_ssize_t i, j
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] += x[i, j]


cdef void add_to_rows(const real[:] x, real[:, ::1] out) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += x[i]


# --- what sums become


cdef void divide(real[::1] a, double number) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(a.shape[0]):
        a[k] /= <real>number


cdef void square_roots(real[::1] a) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(a.shape[0]):
        if real is float:
            a[k] = sqrt_float(a[k])
        else:
            a[k] = sqrt_double(a[k])


cdef void reciprocals(real[::1] a, double number) noexcept nogil:
    # number / a, and 0 where a is 0.
    cdef Py_ssize_t k
    for k in range(a.shape[0]):
        a[k] = 0 if a[k] == 0 else <real>number / a[k]


cdef void multiply_each(real[::1] a, const real[::1] by) noexcept nogil:
    # `by` has as many elements, or one.
    cdef Py_ssize_t k
    for k in range(a.shape[0]):
        a[k] *= by[k if by.shape[0] > 1 else 0]


cdef bint has_nan(const real[::1] a) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(a.shape[0]):
        if a[k] != a[k]:
            return True
    return False


cdef void fill_sums(Kernels* k) noexcept:
    k.sum_columns[0] = <sum_columns_t> <void*> sum_columns[float]
    k.sum_columns[1] = <sum_columns_t> <void*> sum_columns[double]
    k.sum_rows[0], k.sum_rows[1] = <sum_t> <void*> sum_rows[float], <sum_t> <void*> sum_rows[double]
    k.sum_strided_rows[0] = <sum_t> <void*> sum_strided_rows[float]
    k.sum_strided_rows[1] = <sum_t> <void*> sum_strided_rows[double]
    k.add_matrix[0], k.add_matrix[1] = <sum_t> <void*> add_matrix[float], <sum_t> <void*> add_matrix[double]
    k.add_strided_matrix[0] = <sum_t> <void*> add_strided_matrix[float]
    k.add_strided_matrix[1] = <sum_t> <void*> add_strided_matrix[double]
    k.divide[0], k.divide[1] = <divide_t> <void*> divide[float], <divide_t> <void*> divide[double]
    k.reciprocals[0], k.reciprocals[1] = <divide_t> <void*> reciprocals[float], <divide_t> <void*> reciprocals[double]
    k.multiply_each[0] = <multiply_each_t> <void*> multiply_each[float]
    k.multiply_each[1] = <multiply_each_t> <void*> multiply_each[double]
    k.has_nan[0], k.has_nan[1] = <has_nan_t> <void*> has_nan[float], <has_nan_t> <void*> has_nan[double]
    k.square_roots[0] = <square_roots_t> <void*> square_roots[float]
    k.square_roots[1] = <square_roots_t> <void*> square_roots[double]
    k.add_to_rows[0], k.add_to_rows[1] = <sum_t> <void*> add_to_rows[float], <sum_t> <void*> add_to_rows[double]

# layer_norm and rms_norm on contiguous memory. Part of _norm.pyx. The affine part is one number for each column.

cdef void rows_forward(
    const real* x, Py_ssize_t rows, Py_ssize_t n, const real* w, const real* b, double eps, bint centred,
    real* y, double* mean, double* rstd
) noexcept nogil:
    cdef Py_ssize_t r, i
    cdef real centre = 0, scale, shift
    cdef double rest = 0
    for r in range(rows):
        mean[r] = 0
        if centred:
            centre = <real>(sum_of(x, n) / n)
            for i in range(n):
                y[i] = x[i] - centre
            rest = sum_of(y, n) / n
            mean[r] = centre + rest
        else:
            for i in range(n):
                y[i] = x[i]
        rstd[r] = 1 / sqrt(dot_of(y, y, n) / n - rest * rest + eps)
        scale, shift = <real>rstd[r], <real>(rest * rstd[r])
        if w != NULL and b != NULL:
            for i in range(n):
                y[i] = (y[i] * scale - shift) * w[i] + b[i]
        elif w != NULL:
            for i in range(n):
                y[i] = (y[i] * scale - shift) * w[i]
        elif b != NULL:
            for i in range(n):
                y[i] = y[i] * scale - shift + b[i]
        else:
            for i in range(n):
                y[i] = y[i] * scale - shift
        x += n
        y += n


cdef void rows_backward(
    const real* g, const real* x, Py_ssize_t rows, Py_ssize_t n, const real* w, bint centred,
    const double* mean, const double* rstd, real* dx, real* dw, real* db, double* totals, real* scratch
) noexcept nogil:
    # totals: 2n zeros; scratch: 4n numbers. w is never NULL here; dx, dw and db may be.
    cdef real* sum_gh = scratch                # of the last ROWS rows
    cdef real* sum_g = scratch + n
    cdef real* gw = scratch + 2 * n
    cdef real* hat = scratch + 3 * n           # the normalised x
    cdef Py_ssize_t r, i
    cdef real centre, scale, shift, c1, c2
    for i in range(2 * n):
        scratch[i] = 0
    for r in range(rows):
        centre, scale = <real>mean[r], <real>rstd[r]
        shift = <real>((mean[r] - centre) * rstd[r])
        for i in range(n):
            hat[i] = (x[i] - centre) * scale - shift
        if dw != NULL:
            for i in range(n):
                sum_gh[i] += g[i] * hat[i]
        if db != NULL:
            for i in range(n):
                sum_g[i] += g[i]
        if dx != NULL:
            for i in range(n):
                gw[i] = g[i] * w[i]
            c1 = <real>(rstd[r] * sum_of(gw, n) / n) if centred else 0
            c2 = <real>(rstd[r] * dot_of(gw, hat, n) / n)
            for i in range(n):
                dx[i] = scale * gw[i] - c1 - hat[i] * c2
            dx += n
        if r % ROWS == ROWS - 1 or r == rows - 1:
            for i in range(2 * n):
                totals[i] += scratch[i]
                scratch[i] = 0
        g += n
        x += n
    for i in range(n):
        if dw != NULL:
            dw[i] = <real>totals[i]
        if db != NULL:
            db[i] = <real>totals[n + i]

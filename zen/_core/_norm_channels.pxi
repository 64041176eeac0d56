# batch_norm and group_norm on contiguous arrays of (batch, channels, size). Part of _norm.pyx.
#
# Sums are added to double arrays of `channels`. With a size of 1 the inner loop runs over the channels, and `partial`
# holds their sums over ROWS samples.

cdef void channel_sums(
    const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, real* partial, double* sums
) noexcept nogil:
    cdef Py_ssize_t j, c
    if size == 1:
        for j in range(batch):
            if j % ROWS == 0:
                for c in range(channels):
                    partial[c] = 0
            for c in range(channels):
                partial[c] += x[c]
            if j % ROWS == ROWS - 1 or j == batch - 1:
                for c in range(channels):
                    sums[c] += partial[c]
            x += channels
        return
    for j in range(batch):
        for c in range(channels):
            sums[c] += sum_of(x, size)
            x += size


cdef void channel_deviations(
    const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, const real* centre, real* partial,
    double* sum_d, double* sum_dd
) noexcept nogil:
    # partial: 2 * channels.
    cdef Py_ssize_t j, c
    cdef real d
    cdef real* second = partial + channels
    if size == 1:
        for j in range(batch):
            if j % ROWS == 0:
                for c in range(2 * channels):
                    partial[c] = 0
            for c in range(channels):
                d = x[c] - centre[c]
                partial[c] += d
                second[c] += d * d
            if j % ROWS == ROWS - 1 or j == batch - 1:
                for c in range(channels):
                    sum_d[c] += partial[c]
                    sum_dd[c] += second[c]
            x += channels
        return
    for j in range(batch):
        for c in range(channels):
            deviations_of(x, size, centre[c], sum_d + c, sum_dd + c)
            x += size


cdef void channel_products(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, const real* centre,
    real* partial, double* sum_g, double* sum_gx
) noexcept nogil:
    # partial: 2 * channels.
    cdef Py_ssize_t j, c
    cdef real* second = partial + channels
    if size == 1:
        for j in range(batch):
            if j % ROWS == 0:
                for c in range(2 * channels):
                    partial[c] = 0
            for c in range(channels):
                partial[c] += g[c]
                second[c] += g[c] * (x[c] - centre[c])
            if j % ROWS == ROWS - 1 or j == batch - 1:
                for c in range(channels):
                    sum_g[c] += partial[c]
                    sum_gx[c] += second[c]
            g += channels
            x += channels
        return
    for j in range(batch):
        for c in range(channels):
            products_of(g, x, size, centre[c], sum_g + c, sum_gx + c)
            g += size
            x += size


cdef void channel_affine(
    const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, const real* centre, const real* scale,
    const real* shift, real* y
) noexcept nogil:
    # y = (x - centre) * scale + shift
    cdef Py_ssize_t j, c, i
    cdef real m, a, b
    for j in range(batch):
        if size == 1:
            for c in range(channels):
                y[c] = (x[c] - centre[c]) * scale[c] + shift[c]
            x += channels
            y += channels
            continue
        for c in range(channels):
            m, a, b = centre[c], scale[c], shift[c]
            for i in range(size):
                y[i] = (x[i] - m) * a + b
            x += size
            y += size


cdef void channel_gradient(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, const real* centre,
    const real* scale, const real* shift, const real* slope, real* dx
) noexcept nogil:
    # dx = g * scale - shift - (x - centre) * slope
    cdef Py_ssize_t j, c, i
    cdef real m, a, b, k
    for j in range(batch):
        if size == 1:
            for c in range(channels):
                dx[c] = g[c] * scale[c] - shift[c] - (x[c] - centre[c]) * slope[c]
            g += channels
            x += channels
            dx += channels
            continue
        for c in range(channels):
            m, a, b, k = centre[c], scale[c], shift[c], slope[c]
            for i in range(size):
                dx[i] = g[i] * a - b - (x[i] - m) * k
            g += size
            x += size
            dx += size


cdef int pool_forward(
    const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    const real* w, const real* b, double eps, bint given, real* y, double* mean, double* var
) noexcept nogil:
    # Each run of `pool` channels shares its statistics: mean and var have channels // pool entries, which are computed,
    # or are `given`. Weight and bias repeat with `period`. Returns -1 if there is no memory.
    cdef real* scratch = <real*>malloc(5 * channels * sizeof(real))
    cdef double* sums = <double*>malloc(2 * channels * sizeof(double))
    cdef double* squares = sums + channels
    cdef real* centre = scratch + 2 * channels
    cdef real* scale = scratch + 3 * channels
    cdef real* shift = scratch + 4 * channels
    cdef double count = <double>batch * pool * size, rest, rstd, weight
    cdef Py_ssize_t c, k
    if scratch == NULL or sums == NULL:
        free(scratch)
        free(sums)
        return -1
    for c in range(2 * channels):
        sums[c] = 0
    if not given:
        channel_sums(x, batch, channels, size, scratch, sums)
        for k in range(channels // pool):
            mean[k] = var[k] = 0
            for c in range(k * pool, (k + 1) * pool):
                mean[k] += sums[c]
                sums[c] = 0
            mean[k] /= count
    for c in range(channels):
        centre[c] = <real>mean[c // pool]
    if not given:
        channel_deviations(x, batch, channels, size, centre, scratch, sums, squares)
        for k in range(channels // pool):
            rest = 0
            for c in range(k * pool, (k + 1) * pool):
                rest += sums[c]
                var[k] += squares[c]
            rest /= count
            mean[k] = centre[k * pool] + rest
            var[k] = var[k] / count - rest * rest
    for c in range(channels):
        k = c // pool
        rstd = 1 / sqrt(var[k] + eps)
        weight = rstd * (w[c % period] if w != NULL else 1)
        scale[c] = <real>weight
        shift[c] = <real>((b[c % period] if b != NULL else 0) - (mean[k] - centre[c]) * weight)
    channel_affine(x, batch, channels, size, centre, scale, shift, y)
    free(scratch)
    free(sums)
    return 0


cdef int pool_backward(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, const real* w, double eps, bint given, const double* mean, const double* var, real* dx,
    double* sum_g, double* sum_gh
) noexcept nogil:
    # sum_g, sum_gh: `channels` zeros, that receive the sums of g and of g times the normalised x.
    cdef real* scratch = <real*>malloc(5 * channels * sizeof(real))
    cdef real* centre = scratch + 2 * channels
    cdef real* scale = scratch
    cdef real* shift = scratch + 3 * channels
    cdef real* slope = scratch + 4 * channels
    cdef double count = <double>batch * pool * size, rstd, weight, total, total_h
    cdef Py_ssize_t c, k
    if scratch == NULL:
        return -1
    for c in range(channels):
        centre[c] = <real>mean[c // pool]
    channel_products(g, x, batch, channels, size, centre, scratch, sum_g, sum_gh)
    for k in range(channels // pool):
        rstd = 1 / sqrt(var[k] + eps)
        total = total_h = 0
        for c in range(k * pool, (k + 1) * pool):
            weight = w[c % period] if w != NULL else 1
            sum_gh[c] = (sum_gh[c] - (mean[k] - centre[c]) * sum_g[c]) * rstd
            total += weight * sum_g[c]
            total_h += weight * sum_gh[c]
        for c in range(k * pool, (k + 1) * pool):
            weight = w[c % period] if w != NULL else 1
            scale[c] = <real>(weight * rstd)
            slope[c] = 0 if given else <real>(rstd * rstd * total_h / count)
            shift[c] = 0 if given else <real>(rstd * total / count - (mean[k] - centre[c]) * slope[c])
    if dx != NULL:
        channel_gradient(g, x, batch, channels, size, centre, scale, shift, slope, dx)
    free(scratch)
    return 0

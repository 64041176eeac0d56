# batch_norm and group_norm on contiguous arrays of (batch, channels, size). Included after _kernels_norm_lines.pxi.
#
# Views have a row for each sample, where channel c begins at c * size: with a size of 1 loops run over the channels. A
# single sample is worked on some channels at a time, those that make a PIECE: what the first pass reads is still in the
# cache for the others. The loops below see the channels from `first` to before `last`.

cdef enum:
    PIECE = 1024         # elements

cdef enum:               # rows of `scratch`: a number for each channel
    PARTIAL = 0          # and the next
    SCALE = 0            # when PARTIAL is done with
    CENTRE = 2
    SHIFT = 3
    SLOPE = 4


cdef inline Py_ssize_t channels_at_once(
    Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t pool
) noexcept nogil:
    return channels if batch > 1 else max(PIECE // max(size * pool, 1), 1) * pool


cdef inline void add_partial(
    real[:, ::1] scratch, Py_ssize_t first, Py_ssize_t last, double[::1] sums, double[::1] products
) noexcept nogil:
    cdef Py_ssize_t c
    for c in range(first, last):
        sums[c] += scratch[PARTIAL, c]
        products[c] += scratch[PARTIAL + 1, c]
        scratch[PARTIAL, c] = scratch[PARTIAL + 1, c] = 0


cdef inline void channel_moments(
    const real[:, ::1] x, Py_ssize_t size, Py_ssize_t first, Py_ssize_t last, bint centred, real[:, ::1] scratch,
    double[::1] sums, double[::1] squares
) noexcept nogil:
    # For each channel the sums of x - centre and of its square; of x alone where it is not centred.
    cdef Py_ssize_t i, c, samples = x.shape[0] if size > 0 else 0
    cdef real d
    for c in range(first, last):
        sums[c] = squares[c] = scratch[PARTIAL, c] = scratch[PARTIAL + 1, c] = 0
    for i in range(samples):
        if size == 1:
            if centred:
                for c in range(first, last):
                    d = x[i, c] - scratch[CENTRE, c]
                    scratch[PARTIAL, c] += d
                    scratch[PARTIAL + 1, c] += d * d
            else:
                for c in range(first, last):
                    scratch[PARTIAL, c] += x[i, c]
            if i % ROWS == ROWS - 1 or i == samples - 1:
                add_partial(scratch, first, last, sums, squares)
        elif centred:
            for c in range(first, last):
                zen_sums(
                    sizeof(real), NULL, NULL, &x[i, c * size], size, scratch[CENTRE, c], True, &sums[c], &squares[c])
        else:
            for c in range(first, last):
                zen_sums(sizeof(real), NULL, NULL, &x[i, c * size], size, 0, False, &sums[c], NULL)


cdef inline void channel_products(
    const real[:, ::1] g, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t first, Py_ssize_t last,
    real[:, ::1] scratch, double[::1] sums, double[::1] products
) noexcept nogil:
    # For each channel the sums of g and of g * (x - centre).
    cdef Py_ssize_t i, c, samples = x.shape[0] if size > 0 else 0
    for c in range(first, last):
        sums[c] = products[c] = scratch[PARTIAL, c] = scratch[PARTIAL + 1, c] = 0
    for i in range(samples):
        if size == 1:
            for c in range(first, last):
                scratch[PARTIAL, c] += g[i, c]
                scratch[PARTIAL + 1, c] += g[i, c] * (x[i, c] - scratch[CENTRE, c])
            if i % ROWS == ROWS - 1 or i == samples - 1:
                add_partial(scratch, first, last, sums, products)
        else:
            for c in range(first, last):
                zen_sums(
                    sizeof(real), &g[i, c * size], NULL, &x[i, c * size], size, scratch[CENTRE, c], True, &sums[c],
                    &products[c])


cdef inline void channel_affine(
    const real[:, ::1] x, Py_ssize_t size, Py_ssize_t first, Py_ssize_t last, const real[:, ::1] scratch,
    real[:, ::1] y
) noexcept nogil:
    # y = (x - centre) * scale + shift
    cdef Py_ssize_t i, j, c
    cdef real m, a, b
    for i in range(x.shape[0]):
        if size == 1:
            for c in range(first, last):
                y[i, c] = (x[i, c] - scratch[CENTRE, c]) * scratch[SCALE, c] + scratch[SHIFT, c]
        else:
            for c in range(first, last):
                m, a, b = scratch[CENTRE, c], scratch[SCALE, c], scratch[SHIFT, c]
                for j in range(c * size, (c + 1) * size):
                    y[i, j] = (x[i, j] - m) * a + b


cdef inline void channel_gradient(
    const real[:, ::1] g, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t first, Py_ssize_t last,
    const real[:, ::1] scratch, real[:, ::1] dx
) noexcept nogil:
    # dx = g * scale - shift - (x - centre) * slope
    cdef Py_ssize_t i, j, c
    cdef real m, a, b, k
    for i in range(x.shape[0]):
        if size == 1:
            for c in range(first, last):
                dx[i, c] = g[i, c] * scratch[SCALE, c] - scratch[SHIFT, c] - (
                    (x[i, c] - scratch[CENTRE, c]) * scratch[SLOPE, c])
        else:
            for c in range(first, last):
                m, a, b, k = scratch[CENTRE, c], scratch[SCALE, c], scratch[SHIFT, c], scratch[SLOPE, c]
                for j in range(c * size, (c + 1) * size):
                    dx[i, j] = g[i, j] * a - b - (x[i, j] - m) * k


cdef void wide_channel_gradient(
    const real[:, ::1] g, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t c, double weight, double mean,
    double rstd, double shift, double slope, real[:, ::1] dx
) noexcept nogil:
    # As channel_gradient, for one channel in double, where the slope would not fit into float.
    cdef Py_ssize_t i, j
    for i in range(x.shape[0]):
        for j in range(c * size, (c + 1) * size):
            dx[i, j] = <real>((g[i, j] * weight - shift - (x[i, j] - mean) * rstd * slope) * rstd)


cdef inline void channel_statistics(
    const real[:, ::1] x, Py_ssize_t run, Py_ssize_t first, Py_ssize_t last, double eps, double[::1] mean,
    double[::1] var, real[:, ::1] scratch, double[:, ::1] sums
) noexcept nogil:
    # Of the runs from first to before last, of `run` elements.
    cdef Py_ssize_t k
    cdef double total = <double>x.shape[0] * run, rest
    channel_moments(x, run, first, last, False, scratch, sums[0], sums[1])
    for k in range(first, last):
        scratch[CENTRE, k] = <real>(sums[0, k] / total)
    channel_moments(x, run, first, last, True, scratch, sums[0], sums[1])
    for k in range(first, last):
        rest = sums[0, k] / total
        mean[k] = scratch[CENTRE, k] + rest
        var[k] = sums[1, k] / total - rest * rest
        if sizeof(real) == sizeof(float) and not is_ordinary(1 / sqrt_double(var[k] + eps)):
            wide_statistics(x, 0, x.shape[0], k * run, (k + 1) * run, True, &mean[k], &var[k])


cdef void norm_channels_forward(
    const real[:, ::1] x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool, const real[::1] w, const real[::1] b,
    double eps, bint given, real[:, ::1] y, double[::1] mean, double[::1] var, real[:, ::1] scratch,
    double[:, ::1] sums
) noexcept nogil:
    # Each run of `pool` channels shares its statistics: mean and var have channels // pool entries, which are computed,
    # or are `given`. Weight and bias, without elements where there is none, repeat with `period`. sums: two rows.
    cdef double rstd, weight, bias
    cdef Py_ssize_t channels = scratch.shape[1], step = channels_at_once(x.shape[0], channels, size, pool)
    cdef Py_ssize_t first = 0, last, c, k
    while first < channels:
        last = min(first + step, channels)
        if not given:
            channel_statistics(x, pool * size, first // pool, last // pool, eps, mean, var, scratch, sums)
        for k in range(first // pool, last // pool):
            rstd = 1 / sqrt_double(var[k] + eps)
            for c in range(k * pool, (k + 1) * pool):
                weight = rstd * w[c % period] if w.shape[0] > 0 else rstd
                bias = b[c % period] if b.shape[0] > 0 else 0
                scratch[CENTRE, c], scratch[SCALE, c] = <real>mean[k], <real>weight
                scratch[SHIFT, c] = <real>(bias - (mean[k] - scratch[CENTRE, c]) * weight)
        channel_affine(x, size, first, last, scratch, y)
        first = last


cdef inline double weight_of(const real[::1] w, Py_ssize_t c, Py_ssize_t period) noexcept nogil:
    return w[c % period] if w.shape[0] > 0 else 1


cdef void norm_channels_backward(
    const real[:, ::1] g, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    const real[::1] w, double eps, bint given, const double[::1] mean, const double[::1] var, real[:, ::1] dx,
    double[::1] sum_g, double[::1] sum_gh, real[:, ::1] scratch
) noexcept nogil:
    # Sets sum_g and sum_gh to the sums, for each channel, of g and of g times the normalised x. dx: without rows where
    # it is not wanted.
    cdef double count = <double>x.shape[0] * pool * size, rstd, weight, total, total_h
    cdef Py_ssize_t channels = scratch.shape[1], step = channels_at_once(x.shape[0], channels, size, pool)
    cdef Py_ssize_t first = 0, last, c, k
    cdef bint wide
    while first < channels:
        last = min(first + step, channels)
        for c in range(first, last):
            scratch[CENTRE, c] = <real>mean[c // pool]
        channel_products(g, x, size, first, last, scratch, sum_g, sum_gh)
        wide = False
        for k in range(first // pool, last // pool):
            rstd = 1 / sqrt_double(var[k] + eps)
            wide |= not is_ordinary(rstd)
            total = total_h = 0
            for c in range(k * pool, (k + 1) * pool):
                weight = weight_of(w, c, period)
                sum_gh[c] = (sum_gh[c] - (mean[k] - scratch[CENTRE, c]) * sum_g[c]) * rstd
                total += weight * sum_g[c]
                total_h += weight * sum_gh[c]
            for c in range(k * pool, (k + 1) * pool):
                scratch[SCALE, c] = <real>(weight_of(w, c, period) * rstd)
                scratch[SLOPE, c] = 0 if given else <real>(rstd * rstd * total_h / count)
                scratch[SHIFT, c] = 0 if given else <real>(
                    rstd * total / count - (mean[k] - scratch[CENTRE, c]) * scratch[SLOPE, c])
        if dx.shape[0] > 0:
            channel_gradient(g, x, size, first, last, scratch, dx)
            if sizeof(real) == sizeof(float) and wide and not given:
                correct_wide(g, x, size, period, pool, first, last, w, eps, mean, var, dx, sum_g, sum_gh)
        first = last


cdef void correct_wide(
    const real[:, ::1] g, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool, Py_ssize_t first,
    Py_ssize_t last, const real[::1] w, double eps, const double[::1] mean, const double[::1] var, real[:, ::1] dx,
    const double[::1] sum_g, const double[::1] sum_gh
) noexcept nogil:
    cdef double count = <double>x.shape[0] * pool * size, rstd, total, total_h
    cdef Py_ssize_t c, k
    for k in range(first // pool, last // pool):
        rstd = 1 / sqrt_double(var[k] + eps)
        if is_ordinary(rstd):
            continue
        total = total_h = 0
        for c in range(k * pool, (k + 1) * pool):
            total += weight_of(w, c, period) * sum_g[c]
            total_h += weight_of(w, c, period) * sum_gh[c]
        for c in range(k * pool, (k + 1) * pool):
            wide_channel_gradient(
                g, x, size, c, weight_of(w, c, period), mean[k], rstd, total / count, total_h / count, dx)


cdef void fill_norm_channels(Kernels* k) noexcept:
    k.norm_channels[0] = <norm_channels_t> <void*> norm_channels_forward[float]
    k.norm_channels[1] = <norm_channels_t> <void*> norm_channels_forward[double]
    k.norm_channels_back[0] = <norm_channels_back_t> <void*> norm_channels_backward[float]
    k.norm_channels_back[1] = <norm_channels_back_t> <void*> norm_channels_backward[double]

# batch_norm and group_norm on contiguous arrays of (batch, channels, size). Included after _kernels_norm_lines.pxi.
#
# A single sample is worked on some channels at a time, those that make a PIECE: what the first pass reads is still in
# the cache for the others. The loops below see these `count` channels of `batch` samples, `stride` elements apart. With
# a size of 1 the inner loop runs over the channels.

cdef enum:
    PIECE = 1024         # elements


cdef inline Py_ssize_t channels_at_once(
    Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t pool
) noexcept nogil:
    return channels if batch > 1 else max(PIECE // max(size * pool, 1), 1) * pool


cdef void channel_sums(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t stride, Py_ssize_t count, Py_ssize_t size,
    const real* centre, real* partial, double* first, double* second
) noexcept nogil:
    # For each channel: sets first to the sum of g and second to that of g * d, where d is x - centre. Without g: of d
    # and d * d. Without centre, which counts as 0 then: first alone. partial: 2 * count numbers.
    cdef Py_ssize_t j, c
    cdef real a, d
    for c in range(count):
        first[c] = second[c] = 0
    for j in range(batch):
        if size == 1:
            if j % ROWS == 0:
                for c in range(2 * count):
                    partial[c] = 0
            for c in range(count):
                d = x[c] if centre == NULL else x[c] - centre[c]
                a = d if g == NULL else g[c]
                partial[c] += a
                partial[count + c] += a * d
            if j % ROWS == ROWS - 1 or j == batch - 1:
                for c in range(count):
                    first[c] += partial[c]
                    second[c] += partial[count + c]
        elif centre == NULL:
            for c in range(count):
                zen_sums(sizeof(real), NULL, NULL, x + c * size, size, 0, False, first + c, NULL)
        elif g == NULL:
            for c in range(count):
                zen_sums(sizeof(real), NULL, NULL, x + c * size, size, centre[c], True, first + c, second + c)
        else:
            for c in range(count):
                zen_sums(sizeof(real), g + c * size, NULL, x + c * size, size, centre[c], True, first + c, second + c)
        x += stride
        if g != NULL:
            g += stride


cdef void channel_affine(
    const real* x, Py_ssize_t batch, Py_ssize_t stride, Py_ssize_t count, Py_ssize_t size, const real* centre,
    const real* scale, const real* shift, real* y
) noexcept nogil:
    # y = (x - centre) * scale + shift
    cdef Py_ssize_t j, c, i
    cdef real m, a, b
    for j in range(batch):
        if size == 1:
            for c in range(count):
                y[c] = (x[c] - centre[c]) * scale[c] + shift[c]
        else:
            for c in range(count):
                m, a, b = centre[c], scale[c], shift[c]
                for i in range(c * size, (c + 1) * size):
                    y[i] = (x[i] - m) * a + b
        x += stride
        y += stride


cdef void channel_gradient(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t stride, Py_ssize_t count, Py_ssize_t size,
    const real* centre, const real* scale, const real* shift, const real* slope, real* dx
) noexcept nogil:
    # dx = g * scale - shift - (x - centre) * slope
    cdef Py_ssize_t j, c, i
    cdef real m, a, b, k
    for j in range(batch):
        if size == 1:
            for c in range(count):
                dx[c] = g[c] * scale[c] - shift[c] - (x[c] - centre[c]) * slope[c]
        else:
            for c in range(count):
                m, a, b, k = centre[c], scale[c], shift[c], slope[c]
                for i in range(c * size, (c + 1) * size):
                    dx[i] = g[i] * a - b - (x[i] - m) * k
        g += stride
        x += stride
        dx += stride


cdef void wide_channel_gradient(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t stride, Py_ssize_t size, double weight, double mean,
    double rstd, double shift, double slope, real* dx
) noexcept nogil:
    # As channel_gradient, in double, where the slope would not fit into float.
    cdef Py_ssize_t j, i
    for j in range(batch):
        for i in range(j * stride, j * stride + size):
            dx[i] = <real>((g[i] * weight - shift - (x[i] - mean) * rstd * slope) * rstd)


cdef void norm_channels_forward(
    const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    const real* w, const real* b, double eps, bint given, real* y, double* mean, double* var, real* scratch,
    double* sums
) noexcept nogil:
    # Each run of `pool` channels shares its statistics: mean and var have channels // pool entries, which are computed,
    # or are `given`. Weight and bias repeat with `period`. scratch: 5 * channels numbers; sums: 2 * channels.
    cdef real* partial = scratch
    cdef real* centre = scratch + 2 * channels
    cdef real* scale = scratch + 3 * channels
    cdef real* shift = scratch + 4 * channels
    cdef double* squares = sums + channels
    cdef double total = <double>batch * pool * size, rest, rstd, weight
    cdef Py_ssize_t stride = channels * size, step = channels_at_once(batch, channels, size, pool)
    cdef Py_ssize_t start = 0, count, runs, c, k, at
    while start < channels:
        count = min(step, channels - start)
        runs = count // pool
        if not given:
            channel_sums[real](NULL, x, batch, stride, runs, pool * size, NULL, partial, sums, squares)
            for k in range(runs):
                centre[k] = <real>(sums[k] / total)
            channel_sums[real](NULL, x, batch, stride, runs, pool * size, centre, partial, sums, squares)
            for k in range(runs):
                rest = sums[k] / total
                mean[k] = centre[k] + rest
                var[k] = squares[k] / total - rest * rest
                if sizeof(real) == sizeof(float) and not is_ordinary(1 / sqrt_double(var[k] + eps)):
                    wide_statistics(x + k * pool * size, batch, stride, pool * size, True, mean + k, var + k)
        for k in range(runs):
            rstd = 1 / sqrt_double(var[k] + eps)
            for c in range(k * pool, (k + 1) * pool):
                at = (start + c) % period
                weight = rstd * w[at] if w != NULL else rstd
                centre[c] = <real>mean[k]
                scale[c] = <real>weight
                shift[c] = <real>((b[at] if b != NULL else 0) - (mean[k] - centre[c]) * weight)
        channel_affine(x, batch, stride, count, size, centre, scale, shift, y)
        start += count
        x += count * size
        y += count * size
        mean += runs
        var += runs


cdef void norm_channels_backward(
    const real* g, const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, const real* w, double eps, bint given, const double* mean, const double* var, real* dx,
    double* sum_g, double* sum_gh, real* scratch
) noexcept nogil:
    # sum_g, sum_gh: `channels` numbers, set to the sums of g and of g times the normalised x. scratch: 5 * channels.
    cdef real* scale = scratch
    cdef real* centre = scratch + 2 * channels
    cdef real* shift = scratch + 3 * channels
    cdef real* slope = scratch + 4 * channels
    cdef double count_all = <double>batch * pool * size, rstd, weight, total, total_h
    cdef Py_ssize_t stride = channels * size, step = channels_at_once(batch, channels, size, pool)
    cdef Py_ssize_t start = 0, count, c, k, i
    while start < channels:
        count = min(step, channels - start)
        for c in range(count):
            centre[c] = <real>mean[(start + c) // pool]
        channel_sums(g, x, batch, stride, count, size, centre, scratch, sum_g, sum_gh)
        for k in range(start // pool, (start + count) // pool):
            rstd = 1 / sqrt_double(var[k] + eps)
            total = total_h = 0
            for c in range(k * pool - start, (k + 1) * pool - start):
                weight = w[(start + c) % period] if w != NULL else 1
                sum_gh[c] = (sum_gh[c] - (mean[k] - centre[c]) * sum_g[c]) * rstd
                total += weight * sum_g[c]
                total_h += weight * sum_gh[c]
            for c in range(k * pool - start, (k + 1) * pool - start):
                weight = w[(start + c) % period] if w != NULL else 1
                scale[c] = <real>(weight * rstd)
                slope[c] = 0 if given else <real>(rstd * rstd * total_h / count_all)
                shift[c] = 0 if given else <real>(rstd * total / count_all - (mean[k] - centre[c]) * slope[c])
        if dx != NULL:
            channel_gradient(g, x, batch, stride, count, size, centre, scale, shift, slope, dx)
            if sizeof(real) == sizeof(float):
                for c in range(count):
                    k = (start + c) // pool
                    rstd = 1 / sqrt_double(var[k] + eps)
                    if not given and not is_ordinary(rstd):
                        total = total_h = 0
                        for i in range(k * pool - start, (k + 1) * pool - start):
                            weight = w[(start + i) % period] if w != NULL else 1
                            total += weight * sum_g[i]
                            total_h += weight * sum_gh[i]
                        weight = w[(start + c) % period] if w != NULL else 1
                        wide_channel_gradient(
                            g + c * size, x + c * size, batch, stride, size, weight, mean[k], rstd, total / count_all,
                            total_h / count_all, dx + c * size)
            dx += count * size
        start += count
        g += count * size
        x += count * size
        sum_g += count
        sum_gh += count


cdef void fill_norm_channels(Kernels* k) noexcept:
    k.norm_channels[0] = <norm_channels_t> <void*> norm_channels_forward[float]
    k.norm_channels[1] = <norm_channels_t> <void*> norm_channels_forward[double]
    k.norm_channels_back[0] = <norm_channels_back_t> <void*> norm_channels_backward[float]
    k.norm_channels_back[1] = <norm_channels_back_t> <void*> norm_channels_backward[double]

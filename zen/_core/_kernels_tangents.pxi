# What forward mode takes in one pass where the value's and the gradient's kernels would take several: extremes,
# products, Cholesky factors, log_softmax, normalisation, recurrent nets. Included by the generated modules, after
# _kernels_norm_lines.pxi, whose sums it uses, and _kernels_gates.pxi. What works on one row has a pointer to it.

cdef enum:
    SEARCHED = 64        # elements that are compared together: hardly any of them is an extreme
    FACTORS = 8          # elements of one line from which it is cut into several that lie side by side
    BESIDE = 256         # lines side by side that are worked on together


# --- extremes: the mean of the tangents where x is the extreme y


cdef inline bint has_equal(const real* x, const real* y, Py_ssize_t step, Py_ssize_t n) noexcept nogil:
    # Whether x equals y somewhere. step: 0 where y is one number, else 1.
    cdef Py_ssize_t i
    cdef int found = 0
    if step == 0:
        for i in range(n):
            found |= x[i] == y[0]
    else:
        for i in range(n):
            found |= x[i] == y[i]
    return found != 0


cdef bint extreme_tangent(
    const real[:, :, ::1] x, const real[:, ::1] y, const real[:, :, ::1] t, real[:, ::1] out, real[::1] counts
) noexcept nogil:
    # Of (outer, n, inner) over n. counts: room for `inner`. False where nothing equals y, which then is nan.
    cdef Py_ssize_t n = x.shape[1], inner = x.shape[2], o, k, i
    for o in range(out.shape[0]):
        for i in range(inner):
            out[o, i] = counts[i] = 0
        if inner == 1 and n > 0:
            gather_equal(&x[o, 0, 0], &y[o, 0], &t[o, 0, 0], &out[o, 0], &counts[0], 0, n)
        else:
            for k in range(n if inner > 0 else 0):
                gather_equal(&x[o, k, 0], &y[o, 0], &t[o, k, 0], &out[o, 0], &counts[0], 1, inner)
        for i in range(inner):
            if counts[i] == 0:
                return False
            out[o, i] /= counts[i]
    return True


cdef inline void gather_equal(
    const real* x, const real* y, const real* t, real* out, real* counts, Py_ssize_t step, Py_ssize_t n
) noexcept nogil:
    # Adds up the tangents where x equals y, and how many they are. step: of y, out and counts, as in has_equal.
    cdef Py_ssize_t start = 0, i, j, m
    while start < n:
        m = min(n - start, <Py_ssize_t>SEARCHED)
        if has_equal(x + start, y + start * step, step, m):
            for i in range(start, start + m):
                j = i * step
                if x[i] == y[j]:
                    out[j] += t[i]
                    counts[j] += 1
        start += m


# --- products: of x + e t for an infinitesimal e, one factor after the other


cdef inline void product_beside(
    const real* x, const real* t, Py_ssize_t n, Py_ssize_t step, Py_ssize_t m, real* p, real* d
) noexcept nogil:
    # m lines side by side, of n elements `step` apart: p becomes their products, d those's tangents.
    cdef Py_ssize_t i
    cdef real a, b
    cdef const real* y
    cdef const real* u
    for i in range(m):
        p[i], d[i] = 1, 0
    while n >= 2:       # two elements at a time: what has come of those before is read and written half as often
        y, u = x + step, t + step
        for i in range(m):
            a, b = p[i] * x[i], d[i] * x[i] + p[i] * t[i]
            p[i], d[i] = a * y[i], b * y[i] + a * u[i]
        x, t, n = y + step, u + step, n - 2
    for i in range(m if n > 0 else 0):
        d[i] = d[i] * x[i] + p[i] * t[i]
        p[i] *= x[i]


cdef real product_along(
    const real* x, const real* t, Py_ssize_t n, real* p, real* d
) noexcept nogil:
    # The tangent of the product of n elements: every m-th of them makes a line of its own.
    cdef real whole = 1, tangent = 0
    cdef Py_ssize_t i, m = max(min(n // FACTORS, <Py_ssize_t>BESIDE), <Py_ssize_t>1)
    product_beside(x, t, n // m, m, m, p, d)
    for i in range(m):
        tangent = tangent * p[i] + whole * d[i]
        whole *= p[i]
    for i in range(n - n % m, n):
        tangent = tangent * x[i] + whole * t[i]
        whole *= x[i]
    return tangent


cdef void product_tangents(
    const real[:, :, ::1] x, const real[:, :, ::1] t, real[:, ::1] out
) noexcept nogil:
    # Of (outer, n, inner) over n.
    cdef real p[BESIDE]
    cdef real d[BESIDE]
    cdef Py_ssize_t n = x.shape[1], inner = out.shape[1], o, i, start, m
    for o in range(out.shape[0]):
        start = 0
        while n > 0 and inner > 1 and start < inner:
            m = min(inner - start, <Py_ssize_t>BESIDE)
            product_beside(&x[o, 0, start], &t[o, 0, start], n, inner, m, p, d)
            for i in range(m):
                out[o, start + i] = d[i]
            start += m
        if n > 0 and inner == 1:
            out[o, 0] = product_along(&x[o, 0, 0], &t[o, 0, 0], n, p, d)
        for i in range(inner if n == 0 else 0):
            out[o, i] = 0


# --- Cholesky factors


cdef void corner_tangent(const real[:, ::1] l, real[:, ::1] d) noexcept nogil:
    # The upper triangle of d, the tangent of A = L L^T, becomes that of L^T, for at most TRIANGLE rows, which lie apart
    # as in the matrices that these are corners of. The lower one is not read. As `cholesky_corner`, differentiated line
    # by line.
    cdef real u[TRIANGLE]
    cdef real v[TRIANGLE]
    cdef real factor, half
    cdef Py_ssize_t n = d.shape[0], i, j, c
    for j in range(n):
        factor = 1 / l[j, j]
        half = d[j, j] * factor * factor / 2
        for c in range(j, n):
            u[c] = l[c, j]
        for c in range(j, n):
            v[c] = d[j, c] * factor - u[c] * half
        for c in range(j, n):
            d[j, c] = v[c]
        for i in range(j + 1, n):
            factor, half = u[i], v[i]
            for c in range(i, n):
                d[i, c] -= factor * v[c] + half * u[c]


# --- log_softmax: t - sum(exp(y) t)


cdef void log_softmax_tangent(
    const real[:, ::1] t, const real[:, ::1] y, real[:, ::1] out, real[::1] work
) noexcept nogil:
    # `work` holds max(n, CHUNK) elements.
    cdef Py_ssize_t rows = y.shape[0], n = y.shape[1], step = chunk_of(n), start = 0, end, i, j
    cdef real mean
    while start < rows:
        end = min(start + step, rows)
        exponential(&y[start, 0], &work[0], (end - start) * n)
        for i in range(start, end):
            mean = <real>dot(&t[i, 0], &work[(i - start) * n], n)
            for j in range(n):
                out[i, j] = t[i, j] - mean
        start = end


# --- normalisation: with h the normalised x, w (t - mean(t) - h mean(t h)) / root + dw h + db


cdef void norm_rows_tangent(
    const real[:, ::1] t, const real[:, ::1] x, const real[::1] w, const real[::1] dw, const real[::1] db, bint centred,
    const double[::1] mean, const double[::1] rstd, real[:, ::1] out
) noexcept nogil:
    # w, dw, db: without elements where there is none
    cdef Py_ssize_t r, i, n = x.shape[1]
    cdef bint weighted = w.shape[0] > 0, turned = dw.shape[0] > 0, moved = db.shape[0] > 0
    cdef double total, product
    cdef real centre, scale, first, second, h, v
    for r in range(x.shape[0] if n > 0 else 0):
        centre, scale = <real>(mean[r] if centred else 0), <real>rstd[r]
        total = product = 0
        if is_ordinary(rstd[r]):
            zen_sums(sizeof(real), &t[r, 0], NULL, &x[r, 0], n, centre, True, &total, &product)
        else:
            for i in range(n):
                total += t[r, i]
                product += t[r, i] * (x[r, i] - <double>centre)
        if centred:
            product -= (mean[r] - centre) * total
        first, second = <real>(total / n if centred else 0), <real>(product * rstd[r] / n)
        for i in range(n):
            h = (x[r, i] - centre) * scale
            v = (t[r, i] - first - h * second) * scale
            if weighted:
                v = v * w[i]
            if turned:
                v = v + dw[i] * h
            if moved:
                v = v + db[i]
            out[r, i] = v


cdef void moving_products(
    const real[:, ::1] t, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t pool, const double[::1] mean,
    double[::1] sums, double[::1] products
) noexcept nogil:
    # For each channel the sum of t, and that of t times x minus the mean of its `pool` channels.
    cdef Py_ssize_t j, c, channels = sums.shape[0]
    for c in range(channels):
        sums[c] = products[c] = 0
    for j in range(t.shape[0] if size > 0 else 0):
        if size == 1:
            for c in range(channels):
                sums[c] += t[j, c]
                products[c] += t[j, c] * (x[j, c] - mean[c // pool])
        else:
            for c in range(channels):
                zen_sums(
                    sizeof(real), &t[j, c * size], NULL, &x[j, c * size], size, <real>mean[c // pool], True,
                    &sums[c], &products[c])
    if size != 1:
        for c in range(channels):
            products[c] -= (mean[c // pool] - <real>mean[c // pool]) * sums[c]


cdef void norm_channels_tangent(
    const real[:, ::1] t, const real[:, ::1] x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool,
    const real[::1] w, const real[::1] dw, const real[::1] db, double eps, bint given, const double[::1] mean,
    const double[::1] var, real[:, ::1] out, double[::1] sum_t, double[::1] sum_th, real[:, ::1] factors
) noexcept nogil:
    # w, dw and db, without elements where there is none, repeat with `period`. Sets sum_t and sum_th to the sums, for
    # each channel, of t and of t h, unless the statistics are given. factors: four rows.
    cdef Py_ssize_t j, c, k, channels = factors.shape[1]
    cdef double root, by_t, by_x, shift, total, product, count = <double>x.shape[0] * pool * size
    if not given:
        moving_products(t, x, size, pool, mean, sum_t, sum_th)
    for k in range(channels // pool):
        root = 1 / sqrt_double(var[k] + eps)
        total = product = 0
        if not given:
            for c in range(k * pool, k * pool + pool):
                sum_th[c] *= root
                total += sum_t[c]
                product += sum_th[c]
            total, product = total / count, product / count
        for c in range(k * pool, k * pool + pool):
            by_t = root * weight_of(w, c, period)
            by_x = (dw[c % period] if dw.shape[0] > 0 else 0) - by_t * product
            shift = (db[c % period] if db.shape[0] > 0 else 0) - by_t * total
            factors[0, c], factors[1, c], factors[2, c] = <real>by_t, <real>(by_x * root), <real>mean[k]
            factors[3, c] = <real>(shift - by_x * root * (mean[k] - factors[2, c]))
    for j in range(x.shape[0] if size > 0 else 0):
        if size == 1:
            for c in range(channels):
                out[j, c] = t[j, c] * factors[0, c] + (x[j, c] - factors[2, c]) * factors[1, c] + factors[3, c]
        else:
            for c in range(channels):
                affine_of_two(
                    &t[j, c * size], &x[j, c * size], size, factors[0, c], factors[1, c], factors[2, c],
                    factors[3, c], &out[j, c * size])


cdef inline void affine_of_two(
    const real* t, const real* x, Py_ssize_t n, real by_t, real by_x, real centre, real shift, real* out
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = t[i] * by_t + (x[i] - centre) * by_x + shift


# --- one step of a recurrent net, a row of states each. q: the tangents of the preactivations from the states before;
# `drive`, or `inputs` and `states`: what else they get. A row that is the same for all lies 0 bytes apart. In C, as in
# _kernels_gates.pxi, because rows do not overlap, and a loop has more of them than the compiler checks.

cdef extern from * nogil:
    """
    #define ZEN_STEPS(T) \\
    static void zen_lstm_step_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART before, const T *ZEN_APART squashed, const T *ZEN_APART q, \\
        const T *ZEN_APART e, T *ZEN_APART dc, T *ZEN_APART dh, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T i = a[j], f = a[n + j], g = a[2 * n + j], o = a[3 * n + j], t = squashed[j]; \\
            T c = f * dc[j] + (q[j] + e[j]) * (i * (1 - i) * g) \\
                + (q[n + j] + e[n + j]) * (f * (1 - f) * before[j]) \\
                + (q[2 * n + j] + e[2 * n + j]) * (i * (1 - g * g)); \\
            dc[j] = c; \\
            dh[j] = (1 - t * t) * o * c + (q[3 * n + j] + e[3 * n + j]) * (o * (1 - o) * t); \\
        } \\
    } \\
    static void zen_gru_step_##T( \\
        const T *ZEN_APART a, const T *ZEN_APART before, const T *ZEN_APART kept, const T *ZEN_APART q, \\
        const T *ZEN_APART x, const T *ZEN_APART h, const T *ZEN_APART dh, T *ZEN_APART out, Py_ssize_t n) { \\
        ZEN_EACH for (Py_ssize_t j = 0; j < n; j++) { \\
            T r = a[j], z = a[n + j], s = a[2 * n + j]; \\
            T d0 = (q[j] + h[j] + x[j]) * (r * (1 - r) * kept[j]); \\
            T d1 = (q[n + j] + h[n + j] + x[n + j]) * (z * (1 - z) * (before[j] - s)); \\
            T d2 = (q[2 * n + j] + h[2 * n + j]) * r + x[2 * n + j]; \\
            out[j] = (d0 + d2) * ((1 - s * s) * (1 - z)) + d1 + z * dh[j]; \\
        } \\
    }

    ZEN_STEPS(float)
    ZEN_STEPS(double)
    """
    void zen_lstm_step_float(
        const float* a, const float* before, const float* squashed, const float* q, const float* e, float* dc,
        float* dh, Py_ssize_t n) noexcept
    void zen_lstm_step_double(
        const double* a, const double* before, const double* squashed, const double* q, const double* e, double* dc,
        double* dh, Py_ssize_t n) noexcept
    void zen_gru_step_float(
        const float* a, const float* before, const float* kept, const float* q, const float* x, const float* h,
        const float* dh, float* out, Py_ssize_t n) noexcept
    void zen_gru_step_double(
        const double* a, const double* before, const double* kept, const double* q, const double* x, const double* h,
        const double* dh, double* out, Py_ssize_t n) noexcept


cdef void lstm_tangent(
    const real[:, ::1] gates, const real[:, ::1] before, const real[:, ::1] squashed, const real[:, ::1] q,
    const real[:, ::1] drive, real[:, ::1] dc, real[:, ::1] dh
) noexcept nogil:
    # before: the cells; dc: the tangents of these, which become those of the new ones.
    cdef Py_ssize_t b, n = dh.shape[1]
    for b in range(dh.shape[0] if n > 0 else 0):
        if real is float:
            zen_lstm_step_float(
                &gates[b, 0], &before[b, 0], &squashed[b, 0], &q[b, 0], &drive[b, 0], &dc[b, 0], &dh[b, 0], n)
        else:
            zen_lstm_step_double(
                &gates[b, 0], &before[b, 0], &squashed[b, 0], &q[b, 0], &drive[b, 0], &dc[b, 0], &dh[b, 0], n)


cdef void gru_tangent(
    const real[:, ::1] gates, const real[:, ::1] before, const real[:, ::1] kept, const real[:, ::1] q,
    const real[:, ::1] inputs, const real[:, ::1] states, const real[:, ::1] dh, real[:, ::1] out
) noexcept nogil:
    # kept: what the reset gate is multiplied by. dh: the tangents of the states before.
    cdef Py_ssize_t b, n = out.shape[1]
    for b in range(out.shape[0] if n > 0 else 0):
        if real is float:
            zen_gru_step_float(
                &gates[b, 0], &before[b, 0], &kept[b, 0], &q[b, 0], &inputs[b, 0], &states[b, 0], &dh[b, 0],
                &out[b, 0], n)
        else:
            zen_gru_step_double(
                &gates[b, 0], &before[b, 0], &kept[b, 0], &q[b, 0], &inputs[b, 0], &states[b, 0], &dh[b, 0],
                &out[b, 0], n)


cdef void fill_tangents(Kernels* k) noexcept:
    k.extreme_tangent[0] = <extreme_tangent_t> <void*> extreme_tangent[float]
    k.extreme_tangent[1] = <extreme_tangent_t> <void*> extreme_tangent[double]
    k.product_tangent[0] = <product_tangent_t> <void*> product_tangents[float]
    k.product_tangent[1] = <product_tangent_t> <void*> product_tangents[double]
    k.corner_tangent[0] = <corner_tangent_t> <void*> corner_tangent[float]
    k.corner_tangent[1] = <corner_tangent_t> <void*> corner_tangent[double]
    k.log_softmax_tangent[0] = <log_softmax_tangent_t> <void*> log_softmax_tangent[float]
    k.log_softmax_tangent[1] = <log_softmax_tangent_t> <void*> log_softmax_tangent[double]
    k.norm_lines_tangent[0] = <norm_lines_tangent_t> <void*> norm_rows_tangent[float]
    k.norm_lines_tangent[1] = <norm_lines_tangent_t> <void*> norm_rows_tangent[double]
    k.norm_channels_tangent[0] = <norm_channels_tangent_t> <void*> norm_channels_tangent[float]
    k.norm_channels_tangent[1] = <norm_channels_tangent_t> <void*> norm_channels_tangent[double]
    k.lstm_tangent[0], k.lstm_tangent[1] = (
        <lstm_tangent_t> <void*> lstm_tangent[float], <lstm_tangent_t> <void*> lstm_tangent[double])
    k.gru_tangent[0], k.gru_tangent[1] = (
        <gru_tangent_t> <void*> gru_tangent[float], <gru_tangent_t> <void*> gru_tangent[double])

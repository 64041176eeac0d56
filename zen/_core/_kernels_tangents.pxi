# What forward mode takes in one pass where the value's and the gradient's kernels would take several: extremes,
# products, Cholesky factors, normalisation, recurrent nets. Included by the generated modules, after
# _kernels_norm_lines.pxi, whose sums it uses.

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
    const real* x, const real* y, const real* t, real* out, real* counts, Py_ssize_t outer, Py_ssize_t n,
    Py_ssize_t inner,
) noexcept nogil:
    # Of (outer, n, inner) over n. counts: room for `inner`. False where nothing equals y, which then is nan.
    cdef Py_ssize_t step = inner != 1, length = inner if step else n, lines = n if step else 1, _o, _k, i, j, start, m
    for _o in range(outer):
        for i in range(inner):
            out[i] = counts[i] = 0
        for _k in range(lines):
            start = 0
            while start < length:
                m = min(length - start, <Py_ssize_t>SEARCHED)
                if has_equal(x + start, y + start * step, step, m):
                    for i in range(start, start + m):
                        j = i * step
                        if x[i] == y[j]:
                            out[j] += t[i]
                            counts[j] += 1
                start += m
            x += length
            t += length
        for i in range(inner):
            if counts[i] == 0:
                return False
            out[i] /= counts[i]
        y += inner
        out += inner
    return True


# --- products: of x + e t for an infinitesimal e, one factor after the other


cdef inline void product_beside(
    const real* x, const real* t, Py_ssize_t n, Py_ssize_t step, Py_ssize_t m, real* p, real* d
) noexcept nogil:
    # m lines side by side, of n elements `step` apart: p becomes their products, d those's tangents.
    cdef Py_ssize_t i, k
    for i in range(m):
        p[i], d[i] = 1, 0
    for k in range(n):
        for i in range(m):
            d[i] = d[i] * x[k * step + i] + p[i] * t[k * step + i]
            p[i] *= x[k * step + i]


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
    const real* x, const real* t, real* out, Py_ssize_t outer, Py_ssize_t n, Py_ssize_t inner
) noexcept nogil:
    cdef real p[BESIDE]
    cdef real d[BESIDE]
    cdef Py_ssize_t _o, i, start, m
    for _o in range(outer):
        start = 0
        while inner > 1 and start < inner:
            m = min(inner - start, <Py_ssize_t>BESIDE)
            product_beside(x + start, t + start, n, inner, m, p, d)
            for i in range(m):
                out[start + i] = d[i]
            start += m
        if inner == 1:
            out[0] = product_along(x, t, n, p, d)
        x += n * inner
        t += n * inner
        out += inner


# --- Cholesky factors


cdef void corner_tangent(const real* l, Py_ssize_t ldl, real* d, Py_ssize_t ldd, Py_ssize_t n) noexcept nogil:
    # The upper triangle of d, the tangent of A = L L^T, becomes that of L^T, for n <= TRIANGLE rows. The lower one is
    # not read. As `cholesky_corner`, differentiated line by line.
    cdef real u[TRIANGLE]
    cdef real v[TRIANGLE]
    cdef real* x
    cdef real factor, half
    cdef Py_ssize_t i, j, c
    for j in range(n):
        x = d + j * ldd
        factor = 1 / l[j * ldl + j]
        half = x[j] * factor * factor / 2
        for c in range(j, n):
            u[c] = l[c * ldl + j]
        for c in range(j, n):
            v[c] = x[c] * factor - u[c] * half
        for c in range(j, n):
            x[c] = v[c]
        for i in range(j + 1, n):
            x = d + i * ldd
            factor, half = u[i], v[i]
            for c in range(i, n):
                x[c] -= factor * v[c] + half * u[c]


# --- normalisation: with h the normalised x, w (t - mean(t) - h mean(t h)) / root + dw h + db


cdef void norm_rows_tangent(
    const real* t, const real* x, Py_ssize_t rows, Py_ssize_t n, const real* w, const real* dw, const real* db,
    bint centred, const double* mean, const double* rstd, real* out
) noexcept nogil:
    # Rows of n elements, like w, dw and db.
    cdef Py_ssize_t r, i
    cdef double total, product
    cdef real centre, scale, first, second, h
    for r in range(rows):
        centre, scale = <real>(mean[r] if centred else 0), <real>rstd[r]
        total = product = 0
        if is_ordinary(rstd[r]):
            zen_sums(sizeof(real), t, NULL, x, n, centre, True, &total, &product)
        else:
            for i in range(n):
                total += t[i]
                product += t[i] * (x[i] - <double>centre)
        if centred:
            product -= (mean[r] - centre) * total
        first, second = <real>(total / n if centred else 0), <real>(product * rstd[r] / n)
        for i in range(n):
            h = (x[i] - centre) * scale
            out[i] = (t[i] - first - h * second) * scale * w[i] + dw[i] * h + db[i]
        t += n
        x += n
        out += n


cdef void moving_products(
    const real* t, const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t pool,
    const double* mean, double* sums, double* products
) noexcept nogil:
    # For each channel the sums of t, and of t times x minus the mean of its `pool` channels.
    cdef Py_ssize_t _j, c
    for c in range(channels):
        sums[c] = products[c] = 0
    for _j in range(batch):
        if size == 1:
            for c in range(channels):
                sums[c] += t[c]
                products[c] += t[c] * (x[c] - mean[c // pool])
        else:
            for c in range(channels):
                zen_sums(
                    sizeof(real), t + c * size, NULL, x + c * size, size, <real>mean[c // pool], True, sums + c,
                    products + c)
        t += channels * size
        x += channels * size
    if size != 1:
        for c in range(channels):
            products[c] -= (mean[c // pool] - <real>mean[c // pool]) * sums[c]


cdef void norm_channels_tangent(
    const real* t, const real* x, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t size, Py_ssize_t period,
    Py_ssize_t pool, const real* w, const real* dw, const real* db, double eps, bint given, const double* mean,
    const double* var, real* out, double* sums, double* products, real* factors
) noexcept nogil:
    # (batch, channels, size); w, dw and db of `period` channels. sums, products: for each channel, those of t and of
    # t h. factors: room for 4 * channels.
    cdef Py_ssize_t _j, c, k, i
    cdef double root, total, product, count = <double>batch * pool * size
    cdef real* by_t = factors
    cdef real* by_x = factors + channels
    cdef real* centre = factors + 2 * channels
    cdef real* shift = factors + 3 * channels
    moving_products(t, x, batch, channels, size, pool, mean, sums, products)
    for k in range(channels // pool):
        root = 1 / sqrt_double(var[k] + eps)
        total = product = 0
        for c in range(k * pool, k * pool + pool):
            products[c] *= root
            total += sums[c]
            product += products[c]
        total, product = 0 if given else total / count, 0 if given else product / count
        for c in range(k * pool, k * pool + pool):
            i = c % period
            by_t[c], centre[c] = <real>(root * w[i]), <real>mean[k]
            by_x[c] = <real>((dw[i] - root * w[i] * product) * root)
            shift[c] = <real>(db[i] - root * w[i] * total - (dw[i] - root * w[i] * product) * root * (
                mean[k] - centre[c]))
    for _j in range(batch):
        if size == 1:
            for c in range(channels):
                out[c] = t[c] * by_t[c] + (x[c] - centre[c]) * by_x[c] + shift[c]
        else:
            for c in range(channels):
                affine_of_two(t + c * size, x + c * size, size, by_t[c], by_x[c], centre[c], shift[c], out + c * size)
        t += channels * size
        x += channels * size
        out += channels * size


cdef inline void affine_of_two(
    const real* t, const real* x, Py_ssize_t n, real by_t, real by_x, real centre, real shift, real* out
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = t[i] * by_t + (x[i] - centre) * by_x + shift


# --- one step of a recurrent net, of n states in each of `rows` rows. q: the tangents of the preactivations from the
# states before; `drive`, or `inputs` and `states`: what else they get. Rows are a `step` apart, which is 0 for zeros.


cdef void lstm_tangent(
    const real* gates, const real* before, const real* squashed, const real* q, const real* drive, Py_ssize_t q_step,
    Py_ssize_t drive_step, real* dc, real* dh, Py_ssize_t rows, Py_ssize_t n
) noexcept nogil:
    # before: the cells; dc: the tangents of these, which become those of the new ones.
    cdef Py_ssize_t _r, k
    cdef real i, f, g, o, t
    for _r in range(rows):
        for k in range(n):
            i, f, g, o, t = gates[k], gates[n + k], gates[2 * n + k], gates[3 * n + k], squashed[k]
            dc[k] = (
                f * dc[k] + (q[k] + drive[k]) * (i * (1 - i) * g)
                + (q[n + k] + drive[n + k]) * (f * (1 - f) * before[k])
                + (q[2 * n + k] + drive[2 * n + k]) * (i * (1 - g * g)))
            dh[k] = (1 - t * t) * o * dc[k] + (q[3 * n + k] + drive[3 * n + k]) * (o * (1 - o) * t)
        gates += 4 * n
        before += n
        squashed += n
        q += q_step
        drive += drive_step
        dc += n
        dh += n


cdef void gru_tangent(
    const real* gates, const real* before, const real* kept, const real* q, const real* inputs, const real* states,
    Py_ssize_t q_step, Py_ssize_t inputs_step, Py_ssize_t states_step, const real* dh, Py_ssize_t dh_step, real* out,
    Py_ssize_t rows, Py_ssize_t n
) noexcept nogil:
    # kept: what the reset gate is multiplied by. dh: the tangents of the states before.
    cdef Py_ssize_t _r, k
    cdef real r, z, s, a, b, c
    for _r in range(rows):
        for k in range(n):
            r, z, s = gates[k], gates[n + k], gates[2 * n + k]
            a = (q[k] + states[k] + inputs[k]) * (r * (1 - r) * kept[k])
            b = (q[n + k] + states[n + k] + inputs[n + k]) * (z * (1 - z) * (before[k] - s))
            c = (q[2 * n + k] + states[2 * n + k]) * r + inputs[2 * n + k]
            out[k] = (a + c) * ((1 - s * s) * (1 - z)) + b + z * dh[k]
        gates += 3 * n
        before += n
        kept += n
        q += q_step
        inputs += inputs_step
        states += states_step
        dh += dh_step
        out += n


cdef void fill_tangents(Kernels* k) noexcept:
    k.extreme_tangent[0] = <extreme_tangent_t> <void*> extreme_tangent[float]
    k.extreme_tangent[1] = <extreme_tangent_t> <void*> extreme_tangent[double]
    k.product_tangent[0] = <product_tangent_t> <void*> product_tangents[float]
    k.product_tangent[1] = <product_tangent_t> <void*> product_tangents[double]
    k.corner_tangent[0] = <corner_tangent_t> <void*> corner_tangent[float]
    k.corner_tangent[1] = <corner_tangent_t> <void*> corner_tangent[double]
    k.norm_lines_tangent[0] = <norm_lines_tangent_t> <void*> norm_rows_tangent[float]
    k.norm_lines_tangent[1] = <norm_lines_tangent_t> <void*> norm_rows_tangent[double]
    k.norm_channels_tangent[0] = <norm_channels_tangent_t> <void*> norm_channels_tangent[float]
    k.norm_channels_tangent[1] = <norm_channels_tangent_t> <void*> norm_channels_tangent[double]
    k.lstm_tangent[0], k.lstm_tangent[1] = (
        <lstm_tangent_t> <void*> lstm_tangent[float], <lstm_tangent_t> <void*> lstm_tangent[double])
    k.gru_tangent[0], k.gru_tangent[1] = (
        <gru_tangent_t> <void*> gru_tangent[float], <gru_tangent_t> <void*> gru_tangent[double])

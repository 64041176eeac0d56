# Kernels over the lines of a matrix: softmax, cross entropy. Called by _classes.pyx.
#
# What works on one row has a pointer to it. A softmax subtracts the largest element of its row first, so it does not
# overflow. Rows are worked on by blocks: what is written for the exponential is still in the cache when it is summed
# and divided.

from libc.math cimport isfinite, log
from libc.string cimport memset

cdef enum:
    WIDE = 32            # partial maxima; compilers unroll shorter loops instead of vectorising them


cdef inline real largest(const real* x, Py_ssize_t n) noexcept nogil:
    # nan is passed over: it comes back with the exponential.
    cdef real wide[WIDE]
    cdef real best = x[0], v
    cdef Py_ssize_t i, k
    if n >= WIDE:
        for k in range(WIDE):
            wide[k] = x[k]
        for i in range(1, n // WIDE):
            for k in range(WIDE):
                v = x[i * WIDE + k]
                wide[k] = v if v > wide[k] else wide[k]
        for k in range(WIDE):
            if wide[k] > best or best != best:
                best = wide[k]
    for i in range(n - n % WIDE, n):
        if x[i] > best or best != best:
            best = x[i]
    return best


cdef inline double row_sum(const real* x, Py_ssize_t n) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t done = 0
    while done < n:
        total += block_sum(x + done, min(n - done, BLOCK))
        done += BLOCK
    return total


cdef inline double dot(const real* a, const real* b, Py_ssize_t n) noexcept nogil:
    cdef real block[BLOCK]
    cdef double total = 0
    cdef Py_ssize_t done = 0, m, i
    while done < n:
        m = min(n - done, BLOCK)
        for i in range(m):
            block[i] = a[done + i] * b[done + i]
        total += block_sum(&block[0], m)
        done += m
    return total


cdef inline void exponential(const real* x, real* e, Py_ssize_t n) noexcept nogil:
    # x may be e.
    if real is float:
        exp_float(&loops[EXP][0], x, e, n)
    else:
        exp_double(&loops[EXP][1], x, e, n)


cdef inline Py_ssize_t chunk_of(Py_ssize_t n) noexcept nogil:
    # How many rows of n elements are worked on together.
    return max(1, CHUNK // n)


# --- softmax


cdef void softmax_rows(const real[:, ::1] x, real[:, ::1] out, real[::1] work) noexcept nogil:
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = chunk_of(n), start = 0, end, i, j
    cdef real top
    while start < rows:
        end = min(start + step, rows)
        for i in range(start, end):
            top = largest(&x[i, 0], n)
            for j in range(n):
                out[i, j] = x[i, j] - top
        exponential(&out[start, 0], &out[start, 0], (end - start) * n)
        for i in range(start, end):
            top = <real>(1 / row_sum(&out[i, 0], n))
            for j in range(n):
                out[i, j] *= top
        start = end


cdef void log_softmax_rows(const real[:, ::1] x, real[:, ::1] out, real[::1] work) noexcept nogil:
    # `work` holds max(n, CHUNK) elements.
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = chunk_of(n), start = 0, end, i, j
    cdef real top
    while start < rows:
        end = min(start + step, rows)
        for i in range(start, end):
            top = largest(&x[i, 0], n)
            for j in range(n):
                out[i, j] = x[i, j] - top
        exponential(&out[start, 0], &work[0], (end - start) * n)
        for i in range(start, end):
            top = <real>log(row_sum(&work[(i - start) * n], n))
            for j in range(n):
                out[i, j] -= top
        start = end


cdef void softmax_vjp_rows(
    const real[:, ::1] g, const real[:, ::1] y, real[:, ::1] out, real[::1] work, bint logarithm, bint add,
) noexcept nogil:
    # y (g - sum(g y)), or g - exp(y) sum(g) for the logarithm; `work` holds a row.
    cdef Py_ssize_t n = y.shape[1], i, j
    cdef real s
    for i in range(y.shape[0]):
        if logarithm:
            s = <real>row_sum(&g[i, 0], n)
            exponential(&y[i, 0], &work[0], n)
            if add:
                for j in range(n):
                    out[i, j] += g[i, j] - work[j] * s
            else:
                for j in range(n):
                    out[i, j] = g[i, j] - work[j] * s
        else:
            s = <real>dot(&g[i, 0], &y[i, 0], n)
            if add:
                for j in range(n):
                    out[i, j] += y[i, j] * (g[i, j] - s)
            else:
                for j in range(n):
                    out[i, j] = y[i, j] * (g[i, j] - s)


# --- logsumexp


cdef bint logsumexp_rows(const real[:, ::1] x, real[::1] out, real[::1] work) noexcept nogil:
    # False at a row whose result is not finite. `work` holds max(n, CHUNK) elements.
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = chunk_of(n), start = 0, end, at, i, j
    cdef real tops[CHUNK]
    while start < rows:
        end = min(start + step, rows)
        for i in range(start, end):
            at = (i - start) * n
            tops[i - start] = largest(&x[i, 0], n)
            for j in range(n):
                work[at + j] = x[i, j] - tops[i - start]
        exponential(&work[0], &work[0], (end - start) * n)
        for i in range(start, end):
            out[i] = tops[i - start] + <real>log(row_sum(&work[(i - start) * n], n))
            if not isfinite(out[i]):
                return False
        start = end
    return True


cdef void logsumexp_vjp_rows(
    const real[:, ::1] x, const real[::1] y, const real[::1] g, real[:, ::1] out, real[::1] work, bint add,
) noexcept nogil:
    # g exp(x - y) / sum(exp(x - y)): the sum takes the rounding of y out again. `work` holds a row.
    cdef Py_ssize_t n = x.shape[1], i, j
    cdef real s
    for i in range(x.shape[0]):
        for j in range(n):
            work[j] = x[i, j] - y[i]
        exponential(&work[0], &work[0], n)
        s = <real>(g[i] / row_sum(&work[0], n))
        if add:
            for j in range(n):
                out[i, j] += work[j] * s
        else:
            for j in range(n):
                out[i, j] = work[j] * s


# --- cross entropy. The loss of a sample of class t is -sum(q * log_softmax(x)), where q is `smoothing` spread evenly
# over the classes and the rest at t, each times the weight of its class.


cdef Py_ssize_t cross_entropy_rows(
    const real[:, ::1] x, real[:, ::1] p, bint kept, real[::1] losses, const long long[::1] classes,
    const real[::1] w, const Targets* t, double* total, double* weight,
) noexcept nogil:
    # Returns the first sample whose class is out of range, or -1. p gets the probabilities; where they are not kept it
    # is one chunk that is used over and over. losses, w: without elements where there is none.
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = chunk_of(n), start = 0, end, back, i, j
    cdef real scale
    cdef double sum, loss, even = t.smoothing / n, at, ws = 0
    cdef long long c
    cdef real tops[CHUNK]
    if even != 0:
        for j in range(w.shape[0]):
            ws += w[j]
    while start < rows:
        end = min(start + step, rows)
        back = 0 if kept else start                # from a sample to its row of p
        for i in range(start, end):
            tops[i - start] = largest(&x[i, 0], n)
            for j in range(n):
                p[i - back, j] = x[i, j] - tops[i - start]
        exponential(&p[start - back, 0], &p[start - back, 0], (end - start) * n)
        for i in range(start, end):
            c = classes[i]
            if c == t.ignored:
                if losses.shape[0] > 0:
                    losses[i] = 0
                continue
            if c < 0 or c >= n:
                return i
            sum = row_sum(&p[i - back, 0], n)
            at = w[c] if w.shape[0] > 0 else 1
            loss = (1 - t.smoothing) * at * (log(sum) - (x[i, c] - tops[i - start]))
            if even != 0:
                loss += even * spread_loss(x[i], w, ws, tops[i - start], log(sum))
            if losses.shape[0] > 0:
                losses[i] = <real>loss
            total[0] += loss
            weight[0] += at
            if kept:
                scale = <real>(1 / sum)
                for j in range(n):
                    p[i, j] *= scale
        start = end
    return -1


cdef inline double spread_loss(
    const real[::1] x, const real[::1] w, double ws, real top, double level,
) noexcept nogil:
    # sum over the classes of w * (level + top - x)
    cdef real block[BLOCK]
    cdef double total = 0
    cdef Py_ssize_t done = 0, n = x.shape[0], m, j
    while done < n:
        m = min(n - done, BLOCK)
        if w.shape[0] == 0:
            for j in range(m):
                block[j] = top - x[done + j]
        else:
            for j in range(m):
                block[j] = w[done + j] * (top - x[done + j])
        total += block_sum(&block[0], m)
        done += m
    return total + level * (n if w.shape[0] == 0 else ws)


cdef void cross_entropy_vjp_rows(
    const real[:, ::1] p, real[:, ::1] out, const long long[::1] classes, const real[::1] w, const Targets* t,
    const real[::1] g, double share, bint add,
) noexcept nogil:
    # share * g * (softmax sum(q) - q) for each sample. g: without elements where it is 1
    cdef Py_ssize_t n = p.shape[1], i, j
    cdef double even = t.smoothing / n, ws = n, at, scale
    cdef real a, b
    cdef long long c
    if w.shape[0] > 0:
        ws = row_sum(&w[0], n)
    for i in range(p.shape[0]):
        c = classes[i]
        if c == t.ignored:
            if not add:
                for j in range(n):
                    out[i, j] = 0
            continue
        scale = share * g[i] if g.shape[0] > 0 else share
        at = (1 - t.smoothing) * (w[c] if w.shape[0] > 0 else 1)
        a, b = <real>(scale * (at + even * ws)), <real>(scale * even)
        if add:
            for j in range(n):
                out[i, j] += p[i, j] * a
        else:
            for j in range(n):
                out[i, j] = p[i, j] * a
        if b != 0 and w.shape[0] == 0:
            for j in range(n):
                out[i, j] -= b
        elif b != 0:
            for j in range(n):
                out[i, j] -= b * w[j]
        out[i, c] -= <real>(scale * at)


cdef void fill_lines(Kernels* k) noexcept:
    k.softmax[0], k.softmax[1] = <softmax_t> <void*> softmax_rows[float], <softmax_t> <void*> softmax_rows[double]
    k.log_softmax[0] = <softmax_t> <void*> log_softmax_rows[float]
    k.log_softmax[1] = <softmax_t> <void*> log_softmax_rows[double]
    k.softmax_vjp[0] = <softmax_vjp_t> <void*> softmax_vjp_rows[float]
    k.softmax_vjp[1] = <softmax_vjp_t> <void*> softmax_vjp_rows[double]
    k.cross_entropy[0] = <cross_entropy_t> <void*> cross_entropy_rows[float]
    k.cross_entropy[1] = <cross_entropy_t> <void*> cross_entropy_rows[double]
    k.cross_entropy_vjp[0] = <cross_entropy_vjp_t> <void*> cross_entropy_vjp_rows[float]
    k.cross_entropy_vjp[1] = <cross_entropy_vjp_t> <void*> cross_entropy_vjp_rows[double]
    k.logsumexp[0] = <logsumexp_t> <void*> logsumexp_rows[float]
    k.logsumexp[1] = <logsumexp_t> <void*> logsumexp_rows[double]
    k.logsumexp_vjp[0] = <logsumexp_vjp_t> <void*> logsumexp_vjp_rows[float]
    k.logsumexp_vjp[1] = <logsumexp_vjp_t> <void*> logsumexp_vjp_rows[double]

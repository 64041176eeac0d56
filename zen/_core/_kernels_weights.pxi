# Passes over the rows of a block of attention weights. Called by _attention.pyx. LANES are partial results, so that a
# row's sum or maximum is vectorised in a fixed order.

from libc.math cimport INFINITY


cdef void lower_rows(real[:, ::1] a, real[::1] largest) noexcept nogil:
    # Each row minus its largest element.
    cdef Py_ssize_t i, j, k, n = a.shape[1]
    cdef real lanes[LANES]
    cdef real top
    for i in range(a.shape[0] if n > 0 else 0):
        top = a[i, 0]
        for k in range(LANES):
            lanes[k] = top
        for j in range(n // LANES):
            for k in range(LANES):
                lanes[k] = a[i, j * LANES + k] if a[i, j * LANES + k] > lanes[k] else lanes[k]
        for j in range(n - n % LANES, n):
            top = a[i, j] if a[i, j] > top else top
        for k in range(LANES):
            top = lanes[k] if lanes[k] > top else top
        for j in range(n):
            a[i, j] -= top
        largest[i] = top


cdef void normalise(real[:, ::1] p, const real[::1] largest) noexcept nogil:
    # Rows divided by their sums; a row whose largest element was -inf takes no part in anything: zeros.
    cdef Py_ssize_t i, j, k, n = p.shape[1]
    cdef real lanes[LANES]
    cdef real s
    for i in range(p.shape[0]):
        if largest[i] == <real>-INFINITY:
            for j in range(n):
                p[i, j] = 0
            continue
        for k in range(LANES):
            lanes[k] = 0
        for j in range(n // LANES):
            for k in range(LANES):
                lanes[k] += p[i, j * LANES + k]
        s = 0
        for j in range(n - n % LANES, n):
            s += p[i, j]
        for k in range(LANES):
            s += lanes[k]
        s = 1 / s
        for j in range(n):
            p[i, j] *= s


cdef void softmax_back(const real[:, ::1] p, real[:, ::1] d) noexcept nogil:
    # d: from the cotangents of the weights p to those of the scores, p * (d - sum(p * d))
    cdef Py_ssize_t i, j, k, n = p.shape[1]
    cdef real lanes[LANES]
    cdef real s
    for i in range(p.shape[0]):
        for k in range(LANES):
            lanes[k] = 0
        for j in range(n // LANES):
            for k in range(LANES):
                lanes[k] += p[i, j * LANES + k] * d[i, j * LANES + k]
        s = 0
        for j in range(n - n % LANES, n):
            s += p[i, j] * d[i, j]
        for k in range(LANES):
            s += lanes[k]
        for j in range(n):
            d[i, j] = p[i, j] * (d[i, j] - s)


cdef void drop(const real[::1] a, const unsigned char[::1] keep, double by, real[::1] out) noexcept nogil:
    # What dropout leaves: a where `keep` is 1, times a factor. out may be a.
    cdef Py_ssize_t j
    cdef real factor = <real>by
    for j in range(a.shape[0]):
        out[j] = a[j] * factor if keep[j] else 0


cdef void fill_weights(Kernels* k) noexcept:
    k.lower_rows[0] = <lower_rows_t> <void*> lower_rows[float]
    k.lower_rows[1] = <lower_rows_t> <void*> lower_rows[double]
    k.normalise[0], k.normalise[1] = <normalise_t> <void*> normalise[float], <normalise_t> <void*> normalise[double]
    k.softmax_back[0] = <softmax_back_t> <void*> softmax_back[float]
    k.softmax_back[1] = <softmax_back_t> <void*> softmax_back[double]
    k.drop[0], k.drop[1] = <drop_t> <void*> drop[float], <drop_t> <void*> drop[double]

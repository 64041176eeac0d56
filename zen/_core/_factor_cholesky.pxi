# Cholesky factors and their gradient, on contiguous matrices. Part of _factor.pyx.

cdef bint decompose(real* a, Py_ssize_t n, Py_ssize_t ld, double least) noexcept nogil:
    # The upper triangle becomes U with A = U^T U. False at a pivot that is not above `least`.
    cdef Py_ssize_t half, done
    cdef real* rest
    if n <= TRIANGLE:
        return kernels.corner[sizeof(real) == sizeof(double)](a, ld, n, least)
    half = split(n, TRIANGLE)
    if not decompose(a, half, ld, least):
        return False
    solve_by(a, ld, True, False, False, half, a + half, n - half, ld)
    done = half
    while done < n:          # the upper triangle of A22 - A12^T A12, by bands of rows
        rest = a + done * ld + done
        multiply(-1, a + done, ld, True, a + done, ld, False, 1, rest, ld, min(BAND, n - done), n - done, half)
        done += BAND
    return decompose(a + half * ld + half, n - half, ld, least)


cdef void mean_of_halves(const real* x, real* out, Py_ssize_t n) noexcept nogil:
    # The upper triangle of (X + X^T) / 2, and zeros below.
    cdef Py_ssize_t i, j, top, left, bottom, right
    for top in range(0, n, 16):
        bottom = min(top + 16, n)
        for left in range(top, n, 16):
            right = min(left + 16, n)
            for i in range(top, bottom):
                for j in range(left, right):
                    out[i * n + j] = (x[i * n + j] + x[j * n + i]) / 2


cdef void turn(real* a, Py_ssize_t n) noexcept nogil:
    # A becomes A^T, in tiles.
    cdef Py_ssize_t i, j, top, left
    cdef real v
    for top in range(0, n, 16):
        for left in range(top, n, 16):
            for i in range(top, min(top + 16, n)):
                for j in range(max(left, i + 1), min(left + 16, n)):
                    v = a[i * n + j]
                    a[i * n + j] = a[j * n + i]
                    a[j * n + i] = v


cdef bint cholesky_stack(const real* x, real* out, Py_ssize_t count, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef double largest
    for _ in range(count):
        mean_of_halves(x, out, n)
        largest = 0
        for i in range(n):
            largest = max(largest, <double>out[i * n + i])
        if not decompose(out, n, n, DOUBTFUL * (FLT_EPSILON if real is float else DBL_EPSILON) * largest):
            return False
        turn(out, n)
        for i in range(n):
            for j in range(i + 1, n):
                out[i * n + j] = 0
        x += n * n
        out += n * n
    return True


cdef void cholesky_pull_stack(const real* l, const real* g, real* out, Py_ssize_t count, Py_ssize_t n) noexcept nogil:
    # Murray 2016, eq. 10: half of L^-T M L^-1, where M is symmetric and its lower triangle that of L^T G.
    cdef Py_ssize_t i, j, rows, done
    for _ in range(count):
        done = 0
        while done < n:      # G and L count below their diagonals alone: rows from `done` on, columns up to there
            rows = min(BAND, n - done)
            multiply(0.5, l + done * n + done, n, True, g + done * n, n, False, 0, out + done * n, n, rows, done + rows,
                     n - done)
            done += BAND
        mirror(out, n)
        solve_by(l, n, True, True, False, n, out, n, n)
        turn(out, n)
        solve_by(l, n, True, True, False, n, out, n, n)
        mirror(out, n)       # symmetric to the last bit
        l += n * n
        g += n * n
        out += n * n


cdef void decompose_tangent(const real* l, real* d, Py_ssize_t n, Py_ssize_t ld, real* scratch) noexcept nogil:
    # The upper triangle of d, the tangent of A = L L^T, becomes that of L^T; below it are zeros. `decompose`,
    # differentiated step by step: I. Murray, arXiv:1602.07527, section 3. scratch: room for the square of the second
    # half.
    cdef Py_ssize_t half, m, i, j, top, left
    cdef real* corner
    if n <= TRIANGLE:
        kernels.corner_tangent[sizeof(real) == sizeof(double)](
            matrix_at(<char*>l, n, n, ld * sizeof(real), sizeof(real)),
            matrix_at(<char*>d, n, n, ld * sizeof(real), sizeof(real)))
        return
    half = split(n, TRIANGLE)
    m = n - half
    decompose_tangent(l, d, half, ld, scratch)
    multiply(-1, d, ld, True, l + half * ld, ld, True, 1, d + half, ld, half, m, half)
    solve_by(l, ld, False, False, False, half, d + half, m, ld)
    multiply(1, d + half, ld, True, l + half * ld, ld, True, 0, scratch, m, m, m, half)
    corner = d + half * ld + half
    for top in range(0, m, 16):
        for left in range(top, m, 16):
            for i in range(top, min(top + 16, m)):
                for j in range(max(left, i), min(left + 16, m)):
                    corner[i * ld + j] -= scratch[i * m + j] + scratch[j * m + i]
    decompose_tangent(l + half * ld + half, corner, m, ld, scratch)


cdef void cholesky_tangent_stack(
    const real* l, const real* g, real* out, Py_ssize_t count, Py_ssize_t n, real* scratch
) noexcept nogil:
    cdef Py_ssize_t i, j
    for _ in range(count):
        mean_of_halves(g, out, n)
        for i in range(n):
            for j in range(i):
                out[i * n + j] = 0
        decompose_tangent(l, out, n, n, scratch)
        turn(out, n)
        l += n * n
        g += n * n
        out += n * n


cdef void mirror(real* a, Py_ssize_t n) noexcept nogil:
    # The upper triangle becomes that of A^T, in tiles.
    cdef Py_ssize_t i, j, top, left
    for top in range(0, n, 16):
        for left in range(top, n, 16):
            for i in range(top, min(top + 16, n)):
                for j in range(max(left, i + 1), min(left + 16, n)):
                    a[i * n + j] = a[j * n + i]

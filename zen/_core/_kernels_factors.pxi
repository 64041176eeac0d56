# Small triangles and narrow panels: what the blocked factorisations of `_factor.pyx` come down to where a product would
# be too small to be fast. Included by the generated modules, so that each instruction set gets its own.

cdef enum:
    ACROSS = 256         # columns of the right side worked on together: TRIANGLE rows of them stay in the caches


cdef inline real size_of(real x) noexcept nogil:
    return x if x >= 0 else -x


cdef inline Py_ssize_t place_of_largest(const real* x, Py_ssize_t n) noexcept nogil:
    # The first element of the largest magnitude. nan is passed over.
    cdef real wide[WIDE]
    cdef real best = -1, v
    cdef Py_ssize_t i, k
    for k in range(WIDE):
        wide[k] = -1
    for i in range(n // WIDE):
        for k in range(WIDE):
            v = size_of(x[i * WIDE + k])
            wide[k] = v if v > wide[k] else wide[k]
    for k in range(WIDE):
        best = wide[k] if wide[k] > best else best
    for i in range(n - n % WIDE, n):
        v = size_of(x[i])
        best = v if v > best else best
    for i in range(n):
        if size_of(x[i]) == best:
            return i
    return 0


cdef Py_ssize_t lu_panel(real* b, Py_ssize_t m, Py_ssize_t w, Py_ssize_t* pivots, double least) noexcept nogil:
    # LU with partial pivoting of w columns of m elements, one after the other. Row k was exchanged with row pivots[k].
    # Returns how many columns it came to: it stops before a pivot smaller than `least`, or nan.
    cdef Py_ssize_t i, j, c, p
    cdef real factor, v
    cdef real* x
    cdef real* y
    for j in range(w):
        x = b + j * m
        p = pivots[j] = j + place_of_largest(x + j, m - j)
        if p != j:
            for c in range(w):
                v = b[c * m + j]
                b[c * m + j] = b[c * m + p]
                b[c * m + p] = v
        if not size_of(x[j]) >= least:
            return j
        factor = 1 / x[j]
        for i in range(j + 1, m):
            x[i] *= factor
        for c in range(j + 1, w):
            y, factor = b + c * m, b[c * m + j]
            for i in range(j + 1, m):
                y[i] -= factor * x[i]
    return w


cdef void solve_triangle(
    const real* t, Py_ssize_t ldt, bint flipped, bint upper, bint unit, Py_ssize_t n, real* b, Py_ssize_t k,
    Py_ssize_t ldb,
) noexcept nogil:
    # b = inv(T) b for n <= TRIANGLE rows and k columns of b. A flipped T is stored transposed; `upper`: as it is read.
    cdef real a[TRIANGLE * TRIANGLE]         # T in the order of elimination
    cdef real x[ACROSS]
    cdef Py_ssize_t i, j, c, r, s, m, start = 0
    cdef real* row
    cdef const real* p[4]
    cdef real f0, f1, f2, f3
    cdef Py_ssize_t first = n - 1 if upper else 0, step = -1 if upper else 1
    for i in range(n):
        r = first + step * i
        for j in range(i):
            s = first + step * j
            a[i * TRIANGLE + j] = t[s * ldt + r] if flipped else t[r * ldt + s]
        a[i * TRIANGLE + i] = 1 if unit else 1 / t[r * ldt + r]
    while start < k:
        m = min(k - start, ACROSS)
        for i in range(n):
            row = b + (first + step * i) * ldb + start
            for c in range(m):
                x[c] = row[c]
            j = 0
            while j + 4 <= i:
                f0, f1 = a[i * TRIANGLE + j], a[i * TRIANGLE + j + 1]
                f2, f3 = a[i * TRIANGLE + j + 2], a[i * TRIANGLE + j + 3]
                for s in range(4):
                    p[s] = b + (first + step * (j + s)) * ldb + start
                for c in range(m):
                    x[c] -= (f0 * p[0][c] + f1 * p[1][c]) + (f2 * p[2][c] + f3 * p[3][c])
                j += 4
            while j < i:
                f0, p[0] = a[i * TRIANGLE + j], b + (first + step * j) * ldb + start
                for c in range(m):
                    x[c] -= f0 * p[0][c]
                j += 1
            f0 = a[i * TRIANGLE + i]
            for c in range(m):
                row[c] = x[c] * f0
        start += ACROSS


cdef bint cholesky_corner(real* a, Py_ssize_t lda, Py_ssize_t n, double least) noexcept nogil:
    # The upper triangle of n <= TRIANGLE rows becomes U with A = U^T U; the lower one is not read. False at a pivot not
    # above `least`.
    cdef Py_ssize_t i, j, c
    cdef real u[TRIANGLE]
    cdef real factor
    cdef real* x
    for j in range(n):
        x = a + j * lda
        if not x[j] > least:
            return False
        factor = 1 / sqrt_of(x[j])
        for c in range(j, n):
            u[c] = x[c] * factor
        for c in range(j, n):
            x[c] = u[c]
        for i in range(j + 1, n):
            x = a + i * lda
            factor = u[i]
            for c in range(i, n):
                x[c] -= factor * u[c]
    return True


cdef inline real sqrt_of(real x) noexcept nogil:
    if real is float:
        return sqrt_float(x)
    else:
        return sqrt_double(x)


cdef void fill_factors(Kernels* k) noexcept:
    k.lu_panel[0], k.lu_panel[1] = <lu_panel_t> <void*> lu_panel[float], <lu_panel_t> <void*> lu_panel[double]
    k.triangle[0] = <solve_triangle_t> <void*> solve_triangle[float]
    k.triangle[1] = <solve_triangle_t> <void*> solve_triangle[double]
    k.corner[0] = <cholesky_corner_t> <void*> cholesky_corner[float]
    k.corner[1] = <cholesky_corner_t> <void*> cholesky_corner[double]

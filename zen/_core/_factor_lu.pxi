# Triangular systems and LU on pointers: matrices by rows that lie `ld` elements apart. Part of _factor.pyx.

cdef void solve_by(
    const real* t, Py_ssize_t ldt, bint flipped, bint upper, bint unit, Py_ssize_t n, real* b, Py_ssize_t k,
    Py_ssize_t ldb,
) noexcept nogil:
    # b = inv(T) b. A flipped T is stored transposed; `upper` says what it is as it is read, `unit` that its diagonal is
    # one, whatever is stored there. The other triangle is not read.
    cdef Py_ssize_t half
    if n <= TRIANGLE:
        kernels.triangle[sizeof(real) == sizeof(double)](t, ldt, flipped, upper, unit, n, b, k, ldb)
        return
    half = split(n, TRIANGLE)
    if upper:
        solve_by(t + half * ldt + half, ldt, flipped, upper, unit, n - half, b + half * ldb, k, ldb)
        multiply(-1, t + half * ldt if flipped else t + half, ldt, flipped, b + half * ldb, ldb, False, 1, b, ldb,
                 half, k, n - half)
        solve_by(t, ldt, flipped, upper, unit, half, b, k, ldb)
    else:
        solve_by(t, ldt, flipped, upper, unit, half, b, k, ldb)
        multiply(-1, t + half if flipped else t + half * ldt, ldt, flipped, b, ldb, False, 1, b + half * ldb, ldb,
                 n - half, k, half)
        solve_by(t + half * ldt + half, ldt, flipped, upper, unit, n - half, b + half * ldb, k, ldb)


# --- LU


cdef inline void swap(real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t c
    cdef real v
    for c in range(n):
        v = x[c]
        x[c] = y[c]
        y[c] = v


cdef void exchange(real* a, Py_ssize_t width, Py_ssize_t ld, const Py_ssize_t* pivots, Py_ssize_t count) noexcept nogil:
    # Row k with row pivots[k], in rising order.
    cdef Py_ssize_t k
    for k in range(count):
        if pivots[k] != k:
            swap(a + k * ld, a + pivots[k] * ld, width)


cdef void exchange_back(
    real* a, Py_ssize_t width, Py_ssize_t ld, const Py_ssize_t* pivots, Py_ssize_t count,
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(count - 1, -1, -1):
        if pivots[k] != k:
            swap(a + k * ld, a + pivots[k] * ld, width)


cdef bint eliminate(
    real* a, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, Py_ssize_t* pivots, real* strip,
) noexcept nogil:
    # m >= n rows become L below the diagonal, which is one, and U from there on. `strip` holds m * PANEL_WIDTH
    # elements.
    cdef Py_ssize_t half, k
    if n <= PANEL_WIDTH:
        return eliminate_panel(a, m, n, ld, pivots, strip)
    half = split(n, PANEL_WIDTH)
    if not eliminate(a, m, half, ld, pivots, strip):
        return False
    exchange(a + half, n - half, ld, pivots, half)
    solve_by(a, ld, False, False, True, half, a + half, n - half, ld)
    multiply(-1, a + half * ld, ld, False, a + half, ld, False, 1, a + half * ld + half, ld, m - half, n - half, half)
    if not eliminate(a + half * ld + half, m - half, n - half, ld, pivots + half, strip):
        return False
    exchange(a + half * ld, half, ld, pivots + half, n - half)
    for k in range(half, n):
        pivots[k] += half
    return True


cdef bint eliminate_panel(
    real* a, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, Py_ssize_t* pivots, real* strip,
) noexcept nogil:
    # The panel is copied by columns, which are what it is worked on by.
    cdef Py_ssize_t i, c
    cdef double least = FLT_MIN if real is float else DBL_MIN       # whose reciprocal is still finite
    for i in range(m):
        for c in range(n):
            strip[c * m + i] = a[i * ld + c]
    if kernels.lu_panel[sizeof(real) == sizeof(double)](strip, m, n, pivots, least) < n:
        return False
    for i in range(m):
        for c in range(n):
            a[i * ld + c] = strip[c * m + i]
    return True


cdef bint is_regular(const real* u, Py_ssize_t n, Py_ssize_t ld) noexcept nogil:
    # Whether every pivot is finite and more than the rounding errors of the largest.
    cdef Py_ssize_t k
    cdef double largest = 0, limit
    for k in range(n):
        largest = max(largest, fabs(u[k * ld + k]))
    limit = DOUBTFUL * (FLT_EPSILON if real is float else DBL_EPSILON) * largest
    for k in range(n):
        if not (limit < fabs(u[k * ld + k]) <= largest):
            return False
    return True


cdef bint lu_stack(real* a, Py_ssize_t* pivots, Py_ssize_t count, Py_ssize_t n, real* strip) noexcept nogil:
    for _ in range(count):
        if not eliminate(a, n, n, n, pivots, strip) or not is_regular(a, n, n):
            return False
        a += n * n
        pivots += n
    return True


cdef void lu_solve_stack(
    const real* lu, const Py_ssize_t* pivots, Py_ssize_t count, Py_ssize_t n, real* b, Py_ssize_t k, bint transposed,
) noexcept nogil:
    # P A = L U, so A^T = U^T L^T P.
    for _ in range(count):
        if transposed:
            solve_by(lu, n, True, False, False, n, b, k, k)
            solve_by(lu, n, True, True, True, n, b, k, k)
            exchange_back(b, k, k, pivots, n)
        else:
            exchange(b, k, k, pivots, n)
            solve_by(lu, n, False, False, True, n, b, k, k)
            solve_by(lu, n, False, True, False, n, b, k, k)
        lu += n * n
        pivots += n
        b += n * k


cdef void invert_lower(const real* l, Py_ssize_t ld, real* out, Py_ssize_t n, Py_ssize_t ldo) noexcept nogil:
    # The inverse of a lower triangle whose diagonal is one, into the lower triangle of zeros.
    cdef Py_ssize_t half, k
    if n <= TRIANGLE:
        for k in range(n):
            out[k * ldo + k] = 1
        solve_by(l, ld, False, False, True, n, out, n, ldo)
        return
    half = split(n, TRIANGLE)
    invert_lower(l, ld, out, half, ldo)
    invert_lower(l + half * ld + half, ld, out + half * ldo + half, n - half, ldo)
    multiply(-1, l + half * ld, ld, False, out, ldo, False, 0, out + half * ldo, ldo, n - half, half, half)
    solve_by(l + half * ld + half, ld, False, False, True, n - half, out + half * ldo, half, ldo)


cdef void lu_inverse_stack(
    const real* lu, const Py_ssize_t* pivots, Py_ssize_t count, Py_ssize_t n, real* out,
) noexcept nogil:
    # inv(A) = inv(U) inv(L) P: the columns of the product are exchanged at last.
    cdef Py_ssize_t i, k
    cdef real v
    cdef real* row
    memset(out, 0, count * n * n * sizeof(real))
    for _ in range(count):
        invert_lower(lu, n, out, n, n)
        solve_by(lu, n, False, True, False, n, out, n, n)
        for i in range(n):
            row = out + i * n
            for k in range(n - 1, -1, -1):
                v = row[k]
                row[k] = row[pivots[k]]
                row[pivots[k]] = v
        lu += n * n
        pivots += n
        out += n * n


cdef void lu_determinant_stack(
    const real* lu, const Py_ssize_t* pivots, Py_ssize_t count, Py_ssize_t n, real* signs, real* logarithms,
) noexcept nogil:
    cdef Py_ssize_t i, k
    cdef double total
    cdef bint odd
    for i in range(count):
        total, odd = 0, False
        for k in range(n):
            total += log(fabs(lu[k * n + k]))
            odd ^= (lu[k * n + k] < 0) ^ (pivots[k] != k)
        signs[i], logarithms[i] = -1 if odd else 1, <real>total
        lu += n * n
        pivots += n


# --- gradients


cdef void solve_pull_stack(
    const real* g, const real* y, real* out, Py_ssize_t count, Py_ssize_t n, Py_ssize_t k, bint add,
) noexcept nogil:
    for _ in range(count):
        multiply(-1, g, k, False, y, k, True, add, out, n, n, n, k)
        g += n * k
        y += n * k
        out += n * n


cdef void solve_push_stack(
    const real* a, const real* y, real* out, Py_ssize_t count, Py_ssize_t n, Py_ssize_t k,
) noexcept nogil:
    for _ in range(count):
        multiply(-1, a, n, False, y, k, False, 1, out, k, n, k, n)
        a += n * n
        y += n * k
        out += n * k


cdef void inverse_pull_stack(
    const real* y, const real* g, real* out, Py_ssize_t count, Py_ssize_t n, bint add, real* scratch,
) noexcept nogil:
    for _ in range(count):
        multiply(1, y, n, True, g, n, False, 0, scratch, n, n, n, n)
        multiply(-1, scratch, n, False, y, n, True, add, out, n, n, n, n)
        y += n * n
        g += n * n
        out += n * n


cdef void add_turned_stack(
    const real* x, const real* g, real* out, Py_ssize_t count, Py_ssize_t n, bint add,
) noexcept nogil:
    cdef Py_ssize_t m, i, j, top, left
    for m in range(count):
        for top in range(0, n, 16):
            for left in range(0, n, 16):
                for i in range(top, min(top + 16, n)):
                    for j in range(left, min(left + 16, n)):
                        out[i * n + j] = g[m] * x[j * n + i] + (out[i * n + j] if add else 0)
        x += n * n
        out += n * n


cdef void traces(const real* a, const real* b, real* out, Py_ssize_t count, Py_ssize_t n) noexcept nogil:
    # Of the products of two matrices, in tiles, as one of the two is read by columns.
    cdef Py_ssize_t m, i, j, top, left
    cdef real total
    cdef double whole
    for m in range(count):
        whole = 0
        for top in range(0, n, 16):
            for left in range(0, n, 16):
                total = 0
                for i in range(top, min(top + 16, n)):
                    for j in range(left, min(left + 16, n)):
                        total += a[i * n + j] * b[j * n + i]
                whole += total
        out[m] = <real>whole
        a += n * n
        b += n * n

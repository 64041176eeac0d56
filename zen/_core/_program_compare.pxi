# Comparisons of numbers. Part of _program.pyx.

ctypedef fused real:
    float
    double

cdef enum Comparison:
    LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL

cdef dict COMPARISONS = {
    "less": LESS, "less_equal": LESS_EQUAL, "greater": GREATER, "greater_equal": GREATER_EQUAL, "equal": EQUAL,
    "not_equal": NOT_EQUAL,
}


cdef void compare(
    int code, Py_ssize_t n, const char* x, Py_ssize_t sx, const char* y, Py_ssize_t sy, unsigned char* out,
    Py_ssize_t so,
) noexcept nogil:
    # code: twice the comparison, and 1 for double.
    if code & 1:
        compare_line[double](code >> 1, n, x, sx, y, sy, out, so, 0)
    else:
        compare_line[float](code >> 1, n, x, sx, y, sy, out, so, 0)


cdef void compare_line(
    int kind, Py_ssize_t n, const char* x, Py_ssize_t sx, const char* y, Py_ssize_t sy, unsigned char* out,
    Py_ssize_t so, real like,
) noexcept nogil:
    cdef const real* a = <const real*>x
    cdef const real* b = <const real*>y
    cdef Py_ssize_t i, item = sizeof(real)
    if so == 1 and sx == item and sy == item:
        if kind == LESS:
            for i in range(n):
                out[i] = a[i] < b[i]
            return
        if kind == GREATER:
            for i in range(n):
                out[i] = a[i] > b[i]
            return
    elif so == 1 and sx == item and sy == 0:
        like = b[0]
        if kind == LESS:
            for i in range(n):
                out[i] = a[i] < like
            return
        if kind == GREATER:
            for i in range(n):
                out[i] = a[i] > like
            return
    for i in range(n):
        out[i * so] = holds(kind, (<const real*>(x + i * sx))[0], (<const real*>(y + i * sy))[0])


cdef inline bint holds(int kind, real a, real b) noexcept nogil:
    if kind == LESS:
        return a < b
    if kind == LESS_EQUAL:
        return a <= b
    if kind == GREATER:
        return a > b
    if kind == GREATER_EQUAL:
        return a >= b
    return a == b if kind == EQUAL else a != b

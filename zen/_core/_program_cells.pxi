# The loops over cells, over short lines, and those of comparisons. Part of _program.pyx.
#
# A cell is 8 bytes of the arena with one number, float or double. Code over cells is a switch over operations, compiled
# inline: the result of one stays in a register for the next, which the forms of an operation tell apart, and is stored
# for all others. Rounding is that of the kernels: each operation in its own type.

cdef extern from *:
    """
    #include <math.h>

    typedef struct { int op, a, b, out; } zen_cell;   /* bytes from the arena's beginning */

    enum { ZEN_ADD, ZEN_SUB, ZEN_MUL, ZEN_DIV, ZEN_MAX, ZEN_MIN, ZEN_NEG, ZEN_SQUARE, ZEN_RECIPROCAL, ZEN_SQRT, ZEN_ABS,
           ZEN_MOVE, ZEN_LOAD, ZEN_TO_FLOAT, ZEN_QUOTIENT, ZEN_END };
    /* Forms: both operands in memory, the first in the register, the second, both. */
    #define ZEN_CODE(op, form, is_double) ((op) * 8 + (form) * 2 + (is_double))

    #define ZEN_AT(T, offset) (*(T*)(w + (offset)))
    /* Every form of every operation, as WHAT says: (operation, form, is_double, type, register, operands, value). */
    #define ZEN_TWO(WHAT, OP, X, T, R, VALUE) \\
        WHAT(OP, 0, X, T, R, ZEN_AT(T, c->a), ZEN_AT(T, c->b), VALUE) \\
        WHAT(OP, 1, X, T, R, R, ZEN_AT(T, c->b), VALUE) \\
        WHAT(OP, 2, X, T, R, ZEN_AT(T, c->a), R, VALUE) \\
        WHAT(OP, 3, X, T, R, R, R, VALUE)
    #define ZEN_ONE(WHAT, OP, X, T, R, VALUE) \\
        WHAT(OP, 0, X, T, R, ZEN_AT(T, c->a), 0, VALUE) \\
        WHAT(OP, 1, X, T, R, R, 0, VALUE)
    #define ZEN_ALL(WHAT, X, T, R, ROOT, SIZE) \\
        ZEN_TWO(WHAT, ZEN_ADD, X, T, R, p + q) \\
        ZEN_TWO(WHAT, ZEN_SUB, X, T, R, p - q) \\
        ZEN_TWO(WHAT, ZEN_MUL, X, T, R, p * q) \\
        ZEN_TWO(WHAT, ZEN_DIV, X, T, R, p / q) \\
        ZEN_TWO(WHAT, ZEN_MAX, X, T, R, ((p >= q) | (p != p)) ? p : q) \\
        ZEN_TWO(WHAT, ZEN_MIN, X, T, R, ((p <= q) | (p != p)) ? p : q) \\
        ZEN_ONE(WHAT, ZEN_NEG, X, T, R, -p) \\
        ZEN_ONE(WHAT, ZEN_SQUARE, X, T, R, p * p) \\
        ZEN_ONE(WHAT, ZEN_RECIPROCAL, X, T, R, (T)1 / p) \\
        ZEN_ONE(WHAT, ZEN_SQRT, X, T, R, ROOT(p)) \\
        ZEN_ONE(WHAT, ZEN_ABS, X, T, R, SIZE(p)) \\
        ZEN_ONE(WHAT, ZEN_MOVE, X, T, R, p) \\
        WHAT(ZEN_LOAD, 0, X, T, R, *(T*)(base[c->a] + c->b), 0, p)

    /* Where the compiler can, each operation jumps to the next one itself: a processor foresees many jumps better than
       one with many targets. The compiler must not merge them, which the text keeps it from. */
    #ifdef __GNUC__
    #define ZEN_LABEL(OP, FORM, X) zen_at_##OP##_##FORM##_##X
    #define ZEN_NEXT(OP, FORM, X) __asm__ volatile("# " #OP #FORM #X); c++; goto *labels[c->op];
    #define ZEN_ENTRY(OP, FORM, X, T, R, P, Q, VALUE) [ZEN_CODE(OP, FORM, X)] = &&ZEN_LABEL(OP, FORM, X),
    #define ZEN_CASE(OP, FORM, X) ZEN_LABEL(OP, FORM, X)
    #define ZEN_BEGIN goto *labels[c->op];
    #define ZEN_FINISH
    #else
    #define ZEN_NEXT(OP, FORM, X) break;
    #define ZEN_CASE(OP, FORM, X) case ZEN_CODE(OP, FORM, X)
    #define ZEN_BEGIN for (;; c++) switch (c->op) {
    #define ZEN_FINISH }
    #endif
    #define ZEN_FORM(OP, FORM, X, T, R, P, Q, VALUE) \\
        ZEN_CASE(OP, FORM, X): { const T p = P, q = Q; (void)q; R = VALUE; ZEN_AT(T, c->out) = R; } \\
        ZEN_NEXT(OP, FORM, X)

    /* The cells from c on, to the end. Returns the quotient whose divisor is zero, or NULL. base: the beginnings of all
       memory, by slot. */
    static const zen_cell* zen_run_cells(char* w, char** base, const zen_cell* c) {
        double d = 0;
        float f = 0;
    #ifdef __GNUC__
        static const void* const labels[] = {
            ZEN_ALL(ZEN_ENTRY, 0, float, f, sqrtf, fabsf)
            ZEN_ALL(ZEN_ENTRY, 1, double, d, sqrt, fabs)
            ZEN_ENTRY(ZEN_TO_FLOAT, 0, 0, , , , , ) ZEN_ENTRY(ZEN_QUOTIENT, 0, 1, , , , , )
            ZEN_ENTRY(ZEN_END, 0, 0, , , , , )
        };
    #endif
        ZEN_BEGIN
        ZEN_ALL(ZEN_FORM, 0, float, f, sqrtf, fabsf)
        ZEN_ALL(ZEN_FORM, 1, double, d, sqrt, fabs)
        ZEN_CASE(ZEN_TO_FLOAT, 0, 0):
            f = (float)ZEN_AT(double, c->a);
            ZEN_AT(float, c->out) = f;
            ZEN_NEXT(ZEN_TO_FLOAT, 0, 0)
        ZEN_CASE(ZEN_QUOTIENT, 0, 1):      /* of Python's floats */
            if (ZEN_AT(double, c->b) == 0) return c;
            d = ZEN_AT(double, c->a) / ZEN_AT(double, c->b);
            ZEN_AT(double, c->out) = d;
            ZEN_NEXT(ZEN_QUOTIENT, 0, 1)
        ZEN_CASE(ZEN_END, 0, 0):
            return NULL;
        ZEN_FINISH
    }

    #ifdef _MSC_VER
    #define ZEN_ALONE __restrict
    #else
    #define ZEN_ALONE __restrict__
    #endif
    /* Lines of n elements, each operand a line or (step 0) one number; from line to line so many bytes. The result
       shares no memory with them. */
    typedef struct { Py_ssize_t lines, n, sx, sy, dx, dy, dout; } zen_lines;
    #define ZEN_EACH(BODY) for (Py_ssize_t i = 0; i < n; i++) { BODY }
    #define ZEN_LINE(OP, X, T, R, VALUE) case ZEN_CODE(OP, 0, X): \\
        for (Py_ssize_t j = 0; j < l->lines; j++, x += l->dx, y += l->dy, out += l->dout) { \\
            const T* a = (const T*)x; const T* b = (const T*)y; R* ZEN_ALONE r = (R*)out; \\
            if (l->sx && l->sy) ZEN_EACH(const T p = a[i]; const T q = b[i]; (void)q; r[i] = VALUE;) \\
            else if (l->sx) { const T q = *b; (void)q; ZEN_EACH(const T p = a[i]; r[i] = VALUE;) } \\
            else if (l->sy) { const T p = *a; (void)p; ZEN_EACH(const T q = b[i]; (void)q; r[i] = VALUE;) } \\
            else { const T p = *a, q = *b; const R v = VALUE; (void)q; ZEN_EACH(r[i] = v;) } \\
        } break;
    #define ZEN_ARITHMETIC(X, T) \\
        ZEN_LINE(ZEN_ADD, X, T, T, p + q) ZEN_LINE(ZEN_SUB, X, T, T, p - q) ZEN_LINE(ZEN_MUL, X, T, T, p * q) \\
        ZEN_LINE(ZEN_DIV, X, T, T, p / q) ZEN_LINE(ZEN_NEG, X, T, T, -p) ZEN_LINE(ZEN_SQUARE, X, T, T, p * p)
    #define ZEN_COMPARISONS(X, T) \\
        ZEN_LINE(0, X, T, unsigned char, p < q) ZEN_LINE(1, X, T, unsigned char, p <= q) \\
        ZEN_LINE(2, X, T, unsigned char, p > q) ZEN_LINE(3, X, T, unsigned char, p >= q) \\
        ZEN_LINE(4, X, T, unsigned char, p == q) ZEN_LINE(5, X, T, unsigned char, p != q)
    static void zen_run_lines(int code, const zen_lines* l, const char* x, const char* y, char* out) {
        const Py_ssize_t n = l->n;
        switch (code) { ZEN_ARITHMETIC(0, float) ZEN_ARITHMETIC(1, double) }
    }
    static void zen_compare_lines(int code, const zen_lines* l, const char* x, const char* y, char* out) {
        const Py_ssize_t n = l->n;
        switch (code) { ZEN_COMPARISONS(0, float) ZEN_COMPARISONS(1, double) }
    }

    /* Numbers of one type as those of another: `code` is twice the place in SOURCES, and 1 for double. */
    #define ZEN_CAST(K, T) \\
        case 2 * K: ZEN_EACH(((float*)out)[i] = (float)((const T*)x)[i];) break; \\
        case 2 * K + 1: ZEN_EACH(((double*)out)[i] = (double)((const T*)x)[i];) break;
    static void zen_cast(int code, Py_ssize_t n, const char* ZEN_ALONE x, char* ZEN_ALONE out) {
        switch (code) {
            ZEN_CAST(0, float) ZEN_CAST(1, double) ZEN_CAST(2, unsigned char)
            ZEN_CAST(3, npy_int64) ZEN_CAST(4, npy_int32)
        }
    }

    /* The sum of one block: as `zen_block_sum_*` of _blocks.pxd adds it. */
    #define ZEN_SUM(T) \\
    static double zen_sum_of_##T(const T* v, Py_ssize_t m) { \\
        T lanes[16] = {0}; \\
        double total = 0; \\
        Py_ssize_t i = 0, k; \\
        for (; i + 16 <= m; i += 16) for (k = 0; k < 16; k++) lanes[k] += v[i + k]; \\
        for (k = i; k < m; k++) total += v[k]; \\
        if (i > 0) for (k = 0; k < 16; k++) total += lanes[k]; \\
        return total; \\
    }
    ZEN_SUM(float)
    ZEN_SUM(double)
    """
    ctypedef struct Cell "zen_cell":
        int op, a, b, out
    enum:
        C_ADD "ZEN_ADD"
        C_SUB "ZEN_SUB"
        C_MUL "ZEN_MUL"
        C_DIV "ZEN_DIV"
        C_MAX "ZEN_MAX"
        C_MIN "ZEN_MIN"
        C_NEG "ZEN_NEG"
        C_SQUARE "ZEN_SQUARE"
        C_RECIPROCAL "ZEN_RECIPROCAL"
        C_SQRT "ZEN_SQRT"
        C_ABS "ZEN_ABS"
        C_MOVE "ZEN_MOVE"
        C_LOAD "ZEN_LOAD"
        C_TO_FLOAT "ZEN_TO_FLOAT"
        C_QUOTIENT "ZEN_QUOTIENT"
        C_END "ZEN_END"
    int code_of "ZEN_CODE"(int op, int form, int is_double) noexcept nogil
    const Cell* run_cells "zen_run_cells"(char* w, char** base, const Cell* c) noexcept nogil
    ctypedef struct Lines "zen_lines":
        Py_ssize_t lines, n, sx, sy, dx, dy, dout
    void run_lines "zen_run_lines"(
        int code, const Lines* l, const char* x, const char* y, char* out) noexcept nogil
    void compare_lines "zen_compare_lines"(
        int code, const Lines* l, const char* x, const char* y, char* out) noexcept nogil
    void cast "zen_cast"(int code, Py_ssize_t n, const char* x, char* out) noexcept nogil
    double sum_of_float "zen_sum_of_float"(const float* v, Py_ssize_t m) noexcept nogil
    double sum_of_double "zen_sum_of_double"(const double* v, Py_ssize_t m) noexcept nogil


cdef dict CELL_OPS = {
    "add": C_ADD, "subtract": C_SUB, "multiply": C_MUL, "divide": C_DIV, "maximum": C_MAX, "minimum": C_MIN,
    "negative": C_NEG, "square": C_SQUARE, "reciprocal": C_RECIPROCAL, "sqrt": C_SQRT, "abs": C_ABS, "positive": C_MOVE,
}   # the rows whose kernels do the same
cdef dict COMPARISONS = {"less": 0, "less_equal": 1, "greater": 2, "greater_equal": 3, "equal": 4, "not_equal": 5}
cdef list SOURCES = [cnp.NPY_FLOAT, cnp.NPY_DOUBLE, cnp.NPY_BOOL, cnp.NPY_INT64, cnp.NPY_INT32]
cdef frozenset LINE_OPS = frozenset((C_ADD, C_SUB, C_MUL, C_DIV, C_NEG, C_SQUARE))

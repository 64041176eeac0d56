# Blocks of complex numbers, and their arithmetic. Included by the generated kernels of complex operands.
#
# A number is a struct of two, and each operation is spelled out as NumPy computes it: C's own product and quotient
# treat infinities in their own way, and call a function for it. Written without branches, so that loops over them are
# vectorised.

from libc.string cimport memcpy
from zen._core._blocks cimport loop_t
from zen._core._loops cimport Loop
from zen._core._types cimport ADD, FILLED, REDUCE

cdef extern from * nogil:
    """
    #include <math.h>
    #include <string.h>
    #define ZEN_HALF 256      /* elements that a kernel works on at a time: as many bytes as of real numbers */
    #define ZEN_HALF_ROOM 272
    typedef struct { float re, im; } zen_cfloat;
    typedef struct { double re, im; } zen_cdouble;
    #ifdef __GNUC__
    #define ZEN_INLINE static inline __attribute__((always_inline, unused))
    #else
    #define ZEN_INLINE static __forceinline
    #endif

    #define ZEN_COMPLEX(C, T, ABS) \\
    ZEN_INLINE C make_##C(T re, T im) { C z; z.re = re; z.im = im; return z; } \\
    ZEN_INLINE T real_##C(C a) { return a.re; } \\
    ZEN_INLINE T imag_##C(C a) { return a.im; } \\
    ZEN_INLINE C conj_##C(C a) { return make_##C(a.re, -a.im); } \\
    ZEN_INLINE C neg_##C(C a) { return make_##C(-a.re, -a.im); } \\
    ZEN_INLINE C add_##C(C a, C b) { return make_##C(a.re + b.re, a.im + b.im); } \\
    ZEN_INLINE C sub_##C(C a, C b) { return make_##C(a.re - b.re, a.im - b.im); } \\
    ZEN_INLINE C mul_##C(C a, C b) { return make_##C(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re); } \\
    /* Smith's algorithm: divided by the larger part of b. For b = 0 by its modulus: a times infinity. */ \\
    ZEN_INLINE C div_##C(C a, C b) { \\
        const T r = ABS(b.re), s = ABS(b.im); \\
        const int wide = r >= s, none = wide & (r == 0); \\
        const T large = none ? r : wide ? b.re : b.im, small = wide ? b.im : b.re; \\
        const T ratio = none ? 0 : small / large, scale = (T)1 / (large + small * ratio); \\
        const T x = none ? 0 : a.re * ratio, y = none ? 0 : a.im * ratio; \\
        const T re = ((wide ? a.re : x) + (wide ? y : a.im)) * scale; \\
        const T im = ((wide ? a.im : y) - (wide ? x : a.re)) * scale; \\
        return make_##C(re, im); \\
    } \\
    ZEN_INLINE C pick_##C(int which, C a, C b) { return make_##C(which ? a.re : b.re, which ? a.im : b.im); } \\
    /* As tuples are ordered. */ \\
    ZEN_INLINE int eq_##C(C a, C b) { return (a.re == b.re) & (a.im == b.im); } \\
    ZEN_INLINE int ne_##C(C a, C b) { return (a.re != b.re) | (a.im != b.im); } \\
    ZEN_INLINE int gt_##C(C a, C b) { \\
        return ((a.re > b.re) & (a.im == a.im) & (b.im == b.im)) | ((a.re == b.re) & (a.im > b.im)); } \\
    ZEN_INLINE int ge_##C(C a, C b) { \\
        return ((a.re > b.re) & (a.im == a.im) & (b.im == b.im)) | ((a.re == b.re) & (a.im >= b.im)); } \\
    ZEN_INLINE int lt_##C(C a, C b) { return gt_##C(b, a); } \\
    ZEN_INLINE int le_##C(C a, C b) { return ge_##C(b, a); } \\
    ZEN_SHARED void gather_##C(const char *p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, C *to) { \\
        if (s == 0) { \\
            const C v = *(const C *)p; \\
            if (done == 0) \\
                for (Py_ssize_t i = 0; i < m; i++) to[i] = v; \\
        } else { \\
            p += done * s; \\
            for (Py_ssize_t i = 0; i < m; i++) to[i] = *(const C *)(p + i * s); \\
        } \\
    } \\
    ZEN_SHARED void scatter_##C(char *p, Py_ssize_t s, Py_ssize_t m, const C *v, int add) { \\
        if (s == (Py_ssize_t)sizeof(C) && !add) { \\
            memcpy(p, v, m * sizeof(C)); \\
        } else if (s == (Py_ssize_t)sizeof(C)) { \\
            T *out = (T *)p; \\
            const T *parts = (const T *)v; \\
            for (Py_ssize_t i = 0; i < 2 * m; i++) out[i] += parts[i]; \\
        } else if (add) { \\
            for (Py_ssize_t i = 0; i < m; i++) { \\
                C *out = (C *)(p + i * s); \\
                out->re += v[i].re; \\
                out->im += v[i].im; \\
            } \\
        } else { \\
            for (Py_ssize_t i = 0; i < m; i++) *(C *)(p + i * s) = v[i]; \\
        } \\
    } \\
    /* partial sums of 16 parts, of which every other one is real */ \\
    ZEN_SHARED void sum_##C(const C *v, Py_ssize_t m, zen_cdouble *total) { \\
        const T *parts = (const T *)v; \\
        T lanes[16] = {0}; \\
        Py_ssize_t i, k; \\
        for (i = 0; i + 16 <= 2 * m; i += 16) \\
            for (k = 0; k < 16; k++) lanes[k] += parts[i + k]; \\
        for (; i < 2 * m; i += 2) { \\
            total->re += parts[i]; \\
            total->im += parts[i + 1]; \\
        } \\
        for (k = 0; k < 16; k += 2) { \\
            total->re += lanes[k]; \\
            total->im += lanes[k + 1]; \\
        } \\
    }
    ZEN_COMPLEX(zen_cfloat, float, fabsf)
    ZEN_COMPLEX(zen_cdouble, double, fabs)
    """
    enum:
        HALF "ZEN_HALF"
        HALF_ROOM "ZEN_HALF_ROOM"
    ctypedef struct zen_cfloat:
        float re
        float im
    ctypedef struct zen_cdouble:
        double re
        double im
    void gather_zen_cfloat(const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, zen_cfloat* to) noexcept
    void gather_zen_cdouble(const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, zen_cdouble* to) noexcept
    void scatter_zen_cfloat(char* p, Py_ssize_t s, Py_ssize_t m, const zen_cfloat* v, bint add) noexcept
    void scatter_zen_cdouble(char* p, Py_ssize_t s, Py_ssize_t m, const zen_cdouble* v, bint add) noexcept
    void sum_zen_cfloat(const zen_cfloat* v, Py_ssize_t m, zen_cdouble* total) noexcept
    void sum_zen_cdouble(const zen_cdouble* v, Py_ssize_t m, zen_cdouble* total) noexcept

    zen_cfloat make_zen_cfloat(float re, float im) noexcept
    float real_zen_cfloat(zen_cfloat a) noexcept
    float imag_zen_cfloat(zen_cfloat a) noexcept
    zen_cfloat conj_zen_cfloat(zen_cfloat a) noexcept
    zen_cfloat neg_zen_cfloat(zen_cfloat a) noexcept
    zen_cfloat add_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    zen_cfloat sub_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    zen_cfloat mul_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    zen_cfloat div_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    zen_cfloat pick_zen_cfloat(bint which, zen_cfloat a, zen_cfloat b) noexcept
    bint eq_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    bint ne_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    bint gt_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    bint ge_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    bint lt_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    bint le_zen_cfloat(zen_cfloat a, zen_cfloat b) noexcept
    zen_cdouble make_zen_cdouble(double re, double im) noexcept
    double real_zen_cdouble(zen_cdouble a) noexcept
    double imag_zen_cdouble(zen_cdouble a) noexcept
    zen_cdouble conj_zen_cdouble(zen_cdouble a) noexcept
    zen_cdouble neg_zen_cdouble(zen_cdouble a) noexcept
    zen_cdouble add_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    zen_cdouble sub_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    zen_cdouble mul_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    zen_cdouble div_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    zen_cdouble pick_zen_cdouble(bint which, zen_cdouble a, zen_cdouble b) noexcept
    bint eq_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    bint ne_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    bint gt_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    bint ge_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    bint lt_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept
    bint le_zen_cdouble(zen_cdouble a, zen_cdouble b) noexcept


cdef inline const zen_cfloat* load_zen_cfloat(
    const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, zen_cfloat* buffer
) noexcept nogil:
    if s == <Py_ssize_t>sizeof(zen_cfloat):
        return (<const zen_cfloat*>p) + done
    if s == FILLED:
        return <const zen_cfloat*>p
    gather_zen_cfloat(p, s, done, m, buffer)
    return buffer


cdef inline const zen_cdouble* load_zen_cdouble(
    const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, zen_cdouble* buffer
) noexcept nogil:
    if s == <Py_ssize_t>sizeof(zen_cdouble):
        return (<const zen_cdouble*>p) + done
    if s == FILLED:
        return <const zen_cdouble*>p
    gather_zen_cdouble(p, s, done, m, buffer)
    return buffer


cdef inline void store_zen_cfloat(
    char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, const zen_cfloat* v, int mode, zen_cdouble* total
) noexcept nogil:
    if mode == REDUCE:
        sum_zen_cfloat(v, m, total)
    else:
        scatter_zen_cfloat(p + done * s, s, m, v, mode == ADD)


cdef inline void store_zen_cdouble(
    char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, const zen_cdouble* v, int mode, zen_cdouble* total
) noexcept nogil:
    if mode == REDUCE:
        sum_zen_cdouble(v, m, total)
    else:
        scatter_zen_cdouble(p + done * s, s, m, v, mode == ADD)


cdef inline void add_zen_cfloat_total(char* p, const zen_cdouble* total) noexcept nogil:
    (<zen_cfloat*>p).re += <float>total.re
    (<zen_cfloat*>p).im += <float>total.im


cdef inline void add_zen_cdouble_total(char* p, const zen_cdouble* total) noexcept nogil:
    (<zen_cdouble*>p).re += total.re
    (<zen_cdouble*>p).im += total.im


cdef inline void apply1(
    const Loop* loop, const void* a, Py_ssize_t sa, void* out, Py_ssize_t so, Py_ssize_t m
) noexcept nogil:
    # NumPy's loop over operands at any distance.
    cdef char* args[2]
    cdef Py_ssize_t steps[2]
    args[0], args[1] = <char*>a, <char*>out
    steps[0], steps[1] = sa, so
    (<loop_t>loop.function)(args, &m, steps, loop.data)


cdef inline void apply2(
    const Loop* loop, const void* a, Py_ssize_t sa, const void* b, Py_ssize_t sb, void* out, Py_ssize_t so, Py_ssize_t m
) noexcept nogil:
    cdef char* args[3]
    cdef Py_ssize_t steps[3]
    args[0], args[1], args[2] = <char*>a, <char*>b, <char*>out
    steps[0], steps[1], steps[2] = sa, sb, so
    (<loop_t>loop.function)(args, &m, steps, loop.data)


cdef inline void loop1_zen_cfloat(const Loop* loop, const zen_cfloat* a, zen_cfloat* out, Py_ssize_t m) noexcept nogil:
    apply1(loop, a, sizeof(zen_cfloat), out, sizeof(zen_cfloat), m)


cdef inline void loop1_zen_cdouble(
    const Loop* loop, const zen_cdouble* a, zen_cdouble* out, Py_ssize_t m
) noexcept nogil:
    apply1(loop, a, sizeof(zen_cdouble), out, sizeof(zen_cdouble), m)


cdef inline void loop2_zen_cfloat(
    const Loop* loop, const zen_cfloat* a, const zen_cfloat* b, zen_cfloat* out, Py_ssize_t m
) noexcept nogil:
    apply2(loop, a, sizeof(zen_cfloat), b, sizeof(zen_cfloat), out, sizeof(zen_cfloat), m)


cdef inline void loop2_zen_cdouble(
    const Loop* loop, const zen_cdouble* a, const zen_cdouble* b, zen_cdouble* out, Py_ssize_t m
) noexcept nogil:
    apply2(loop, a, sizeof(zen_cdouble), b, sizeof(zen_cdouble), out, sizeof(zen_cdouble), m)


cdef inline void modulus_zen_cfloat(const Loop* loop, const zen_cfloat* a, float* out, Py_ssize_t m) noexcept nogil:
    apply1(loop, a, sizeof(zen_cfloat), out, sizeof(float), m)


cdef inline void modulus_zen_cdouble(const Loop* loop, const zen_cdouble* a, double* out, Py_ssize_t m) noexcept nogil:
    apply1(loop, a, sizeof(zen_cdouble), out, sizeof(double), m)


cdef extern from * nogil:
    """
    /* Exponents that NumPy treats apart as well, where the whole block has the same one. */
    #define ZEN_POWER(C) \\
    ZEN_SHARED int small_power_##C(const C *a, const C *b, C *out, Py_ssize_t m) { \\
        const C e = b[0], zero = make_##C(0, 0); \\
        int differs = 0; \\
        Py_ssize_t i; \\
        for (i = 0; i < m; i++) differs |= ne_##C(b[i], e); \\
        if (differs || e.im != 0) return 0; \\
        if (e.re == 1) { \\
            for (i = 0; i < m; i++) out[i] = pick_##C(eq_##C(a[i], zero), zero, a[i]); \\
        } else if (e.re == 2) { \\
            for (i = 0; i < m; i++) out[i] = pick_##C(eq_##C(a[i], zero), zero, mul_##C(a[i], a[i])); \\
        } else { \\
            return 0; \\
        } \\
        return 1; \\
    }
    ZEN_POWER(zen_cfloat)
    ZEN_POWER(zen_cdouble)
    """
    bint small_power_zen_cfloat(const zen_cfloat* a, const zen_cfloat* b, zen_cfloat* out, Py_ssize_t m) noexcept
    bint small_power_zen_cdouble(const zen_cdouble* a, const zen_cdouble* b, zen_cdouble* out, Py_ssize_t m) noexcept


cdef inline void power_zen_cfloat(
    const Loop* loop, const zen_cfloat* a, const zen_cfloat* b, zen_cfloat* out, Py_ssize_t m
) noexcept nogil:
    if not small_power_zen_cfloat(a, b, out, m):
        loop2_zen_cfloat(loop, a, b, out, m)


cdef inline void power_zen_cdouble(
    const Loop* loop, const zen_cdouble* a, const zen_cdouble* b, zen_cdouble* out, Py_ssize_t m
) noexcept nogil:
    if not small_power_zen_cdouble(a, b, out, m):
        loop2_zen_cdouble(loop, a, b, out, m)

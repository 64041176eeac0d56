# Blocks of an operand: read, write, and the primitives over a block that C compilers do not inline.
# Included by the generated kernels, so that every variant compiles its own copy for its instruction set.

from libc.float cimport FLT_MAX
from libc.string cimport memcpy
from zen._core._loops cimport Loop
from zen._core._types cimport ADD, BLOCK, FILLED, REDUCE, SET

cdef enum:
    LANES = 16       # partial sums of a reduction: one 512-bit register of floats

ctypedef unsigned char mask
ctypedef void (*loop_t)(char**, const Py_ssize_t*, const Py_ssize_t*, void*) noexcept nogil

cdef extern from "<math.h>" nogil:
    float fabs_float "fabsf"(float)
    double fabs_double "fabs"(double)
    float sqrt_float "sqrtf"(float)
    double sqrt_double "sqrt"(double)

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    /* Not every module that includes these calls all of them. */
    #ifdef __GNUC__
    #define ZEN_OFFERED static inline __attribute__((unused))
    #else
    #define ZEN_OFFERED static __inline
    #endif

    /* e^x as 2^n e^r with |r| below 0.35: S. L. Moshier, Cephes, expf. As fast as NumPy's loop; may stand in others.
       2^n in two factors, so that what is too large or too small for one becomes inf, a subnormal number or 0. Largest
       relative error found: 7.9e-8. */
    ZEN_OFFERED float zen_exp(float x) {
        const float shift = 12582912.0f + 254.0f;    /* 1.5 * 2^23: n stays in the low bits, with two biases */
        float k, n, r, p, first, second;
        uint32_t bits, half;
        x = x > 89.0f ? 89.0f : x;                   /* nan stays */
        x = x < -104.0f ? -104.0f : x;
        k = x * 1.44269504088896341f + shift;
        n = k - shift;
        r = x - n * 0.693359375f;                    /* exact */
        r = r + n * 2.12194440e-4f;
        p = 1.9875691500e-4f * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        p = (p * (r * r) + r) + 1.0f;
        memcpy(&bits, &k, 4);
        half = bits >> 1;
        bits = (bits - half) << 23;
        half <<= 23;
        memcpy(&first, &half, 4);
        memcpy(&second, &bits, 4);
        return p * first * second;
    }

    /* The error function by a minimax rational approximation. Largest relative error found: 3.2e-7. */
    ZEN_OFFERED float zen_erf(float x) {
        float u, above, below;
        x = x > 3.95f ? 3.95f : x;                   /* 1 to the last bit from here on; nan stays */
        x = x < -3.95f ? -3.95f : x;
        u = x * x;
        above = u * 2.02608802752e-6f + 0.000284663462359f;
        above = above * u + 0.00380710890829f;
        above = above * u + 0.0528722006366f;
        above = above * u + 0.191525860947f;
        above = above * u + 1.1283791434f;
        below = u * 3.7832397973e-5f + 0.00117046933498f;
        below = below * u + 0.0150529839776f;
        below = below * u + 0.114549504916f;
        below = below * u + 0.503068055129f;
        below = below * u + 1.0f;
        x = x * (above / below);
        x = x > 1.0f ? 1.0f : x;
        return x < -1.0f ? -1.0f : x;
    }

    /* The derivative of x N(x), N the normal distribution function: N from the same exponential, by Zelen and Severo's
       formula (Abramowitz and Stegun 26.2.17), with an error below 1.5e-7. */
    ZEN_OFFERED float zen_gelu_slope(float x) {
        float a = x < 0 ? -x : x, e = zen_exp((-0.5f * x) * x) * 0.398942280f, t = 1.0f / (1.0f + 0.2316419f * a), p;
        p = t * 1.330274429f - 1.821255978f;
        p = p * t + 1.781477937f;
        p = p * t - 0.356563782f;
        p = p * t + 0.319381530f;
        p = e * (p * t);
        p = x > 0 ? 1.0f - p : p;
        return p + x * e;
    }
    """
    float zen_erf(float x) nogil
    float zen_exp(float x) nogil
    float zen_gelu_slope(float x) nogil

ctypedef fused number:
    float
    double
    unsigned char

ctypedef fused real:
    float
    double


cdef inline float sign_float(float x) noexcept nogil:
    return x if x != x else <float>((x > 0) - (x < 0))


cdef inline double sign_double(double x) noexcept nogil:
    return x if x != x else <double>((x > 0) - (x < 0))


cdef extern from * nogil:
    """
    /* Not inlined: hundreds of kernels have these paths, which most calls do not take. */
    #ifdef __GNUC__
    #define ZEN_SHARED static __attribute__((noinline, unused))
    #else
    #define ZEN_SHARED static
    #endif
    #define ZEN_GATHER(T, NAME) \\
    ZEN_SHARED void zen_gather_##NAME(const char *p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, T *to) { \\
        if (s == 0) { \\
            const T v = *(const T *)p; \\
            if (done == 0)  /* later blocks are not longer than the first: the buffer still holds the value */ \\
                for (Py_ssize_t i = 0; i < m; i++) to[i] = v; \\
        } else { \\
            p += done * s; \\
            for (Py_ssize_t i = 0; i < m; i++) to[i] = *(const T *)(p + i * s); \\
        } \\
    }
    /* a block that is stored at a distance, or added */
    #define ZEN_SCATTER(T) \\
    ZEN_SHARED void zen_scatter_##T(char *p, Py_ssize_t s, Py_ssize_t m, const T *v, int add) { \\
        if (s == (Py_ssize_t)sizeof(T)) { \\
            T *out = (T *)p; \\
            if (add) \\
                for (Py_ssize_t i = 0; i < m; i++) out[i] += v[i]; \\
            else \\
                memcpy(out, v, m * sizeof(T)); \\
        } else if (add) { \\
            for (Py_ssize_t i = 0; i < m; i++) *(T *)(p + i * s) += v[i]; \\
        } else { \\
            for (Py_ssize_t i = 0; i < m; i++) *(T *)(p + i * s) = v[i]; \\
        } \\
    }
    /* partial sums, each over at most ZEN_BLOCK / 16 elements: one 512-bit register of floats */
    #define ZEN_BLOCK_SUM(T) \\
    ZEN_SHARED double zen_block_sum_##T(const T *v, Py_ssize_t m) { \\
        T lanes[16] = {0}; \\
        double total = 0; \\
        Py_ssize_t i, k; \\
        for (i = 0; i + 16 <= m; i += 16) \\
            for (k = 0; k < 16; k++) lanes[k] += v[i + k]; \\
        for (; i < m; i++) total += v[i]; \\
        for (k = 0; k < 16; k++) total += lanes[k]; \\
        return total; \\
    }
    #include <string.h>
    ZEN_BLOCK_SUM(float)
    ZEN_BLOCK_SUM(double)
    ZEN_GATHER(float, float)
    ZEN_GATHER(double, double)
    ZEN_GATHER(unsigned char, mask)
    ZEN_SCATTER(float)
    ZEN_SCATTER(double)
    """
    double zen_block_sum_float(const float* v, Py_ssize_t m) noexcept
    double zen_block_sum_double(const double* v, Py_ssize_t m) noexcept
    void zen_gather_float(const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, float* to) noexcept
    void zen_gather_double(const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, double* to) noexcept
    void zen_gather_mask(const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, mask* to) noexcept
    void zen_scatter_float(char* p, Py_ssize_t s, Py_ssize_t m, const float* v, bint add) noexcept
    void zen_scatter_double(char* p, Py_ssize_t s, Py_ssize_t m, const double* v, bint add) noexcept


cdef inline const number* _load(
    const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, number* buffer
) noexcept nogil:
    # The block of m elements that starts at element `done`: in place if contiguous, else gathered.
    if s == <Py_ssize_t>sizeof(number):
        return (<const number*>p) + done
    if s == FILLED:
        return <const number*>p
    if number is float:
        zen_gather_float(p, s, done, m, buffer)
    elif number is double:
        zen_gather_double(p, s, done, m, buffer)
    else:
        zen_gather_mask(p, s, done, m, buffer)
    return buffer


cdef inline const float* load_float(
    const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, float* b
) noexcept nogil:
    return _load[float](p, s, done, m, b)


cdef inline const double* load_double(
    const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, double* b
) noexcept nogil:
    return _load[double](p, s, done, m, b)


cdef inline const mask* load_mask(const char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, mask* b) noexcept nogil:
    return _load[mask](p, s, done, m, b)


cdef inline double block_sum(const real* v, Py_ssize_t m) noexcept nogil:
    # The sum of a block; the caller adds the blocks up in double.
    if real is float:
        return zen_block_sum_float(v, m)
    else:
        return zen_block_sum_double(v, m)


cdef inline void _store(
    char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, const real* v, int mode, double* total
) noexcept nogil:
    if mode == REDUCE:
        total[0] += block_sum(v, m)
    elif real is float:
        zen_scatter_float(p + done * s, s, m, v, mode == ADD)
    else:
        zen_scatter_double(p + done * s, s, m, v, mode == ADD)


cdef inline void store_float(
    char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, const float* v, int mode, double* total
) noexcept nogil:
    _store[float](p, s, done, m, v, mode, total)


cdef inline void store_double(
    char* p, Py_ssize_t s, Py_ssize_t done, Py_ssize_t m, const double* v, int mode, double* total
) noexcept nogil:
    _store[double](p, s, done, m, v, mode, total)


cdef inline void _loop1(const Loop* loop, const void* a, void* out, Py_ssize_t m, Py_ssize_t size) noexcept nogil:
    cdef char* args[2]
    cdef Py_ssize_t steps[2]
    args[0], args[1] = <char*>a, <char*>out
    steps[0], steps[1] = size, size
    (<loop_t>loop.function)(args, &m, steps, loop.data)


cdef inline void _loop2(
    const Loop* loop, const void* a, const void* b, void* out, Py_ssize_t m, Py_ssize_t size
) noexcept nogil:
    cdef char* args[3]
    cdef Py_ssize_t steps[3]
    args[0], args[1], args[2] = <char*>a, <char*>b, <char*>out
    steps[0], steps[1], steps[2] = size, size, size
    (<loop_t>loop.function)(args, &m, steps, loop.data)


cdef inline void loop1_float(const Loop* loop, const float* a, float* out, Py_ssize_t m) noexcept nogil:
    _loop1(loop, a, out, m, sizeof(float))


cdef inline void loop1_double(const Loop* loop, const double* a, double* out, Py_ssize_t m) noexcept nogil:
    _loop1(loop, a, out, m, sizeof(double))


cdef inline void loop2_float(
    const Loop* loop, const float* a, const float* b, float* out, Py_ssize_t m
) noexcept nogil:
    _loop2(loop, a, b, out, m, sizeof(float))


cdef inline void loop2_double(
    const Loop* loop, const double* a, const double* b, double* out, Py_ssize_t m
) noexcept nogil:
    _loop2(loop, a, b, out, m, sizeof(double))


cdef inline void exp_float(const Loop* loop, const float* a, float* out, Py_ssize_t m) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(m):
        out[i] = zen_exp(a[i])


cdef inline void exp_double(const Loop* loop, const double* a, double* out, Py_ssize_t m) noexcept nogil:
    _loop1(loop, a, out, m, sizeof(double))


cdef inline void hypot_float(
    const Loop* loop, const float* a, const float* b, float* out, Py_ssize_t m
) noexcept nogil:
    # Squares of float neither overflow nor vanish in double. An infinite length stays one beside nan.
    cdef Py_ssize_t i
    cdef float x, y, z
    for i in range(m):
        x, y = fabs_float(a[i]), fabs_float(b[i])
        z = <float>sqrt_double(<double>x * x + <double>y * y)
        z = x if x > FLT_MAX else z
        out[i] = y if y > FLT_MAX else z


cdef inline void hypot_double(
    const Loop* loop, const double* a, const double* b, double* out, Py_ssize_t m
) noexcept nogil:
    _loop2(loop, a, b, out, m, sizeof(double))


cdef inline void angle_slope_float(
    const Loop* loop, const float* a, const float* b, float* out, Py_ssize_t m
) noexcept nogil:
    cdef Py_ssize_t i
    cdef double square
    for i in range(m):
        square = <double>a[i] * a[i] + <double>b[i] * b[i]
        out[i] = <float>(b[i] / square) if square != 0 else <float>0


cdef inline void angle_slope_double(
    const Loop* loop, const double* a, const double* b, double* out, Py_ssize_t m
) noexcept nogil:
    # b / (a a + b b). Where the squares would overflow or vanish, a and b are scaled by a power of two.
    cdef Py_ssize_t i
    cdef double x, y, square, scale
    for i in range(m):
        x, y = fabs_double(a[i]), fabs_double(b[i])
        x = x if x > y else y
        scale = 2.409919865102884e-181 if x > 1e150 else 1.0
        scale = 4.149515568880993e180 if x < 1e-150 else scale
        x, y = a[i] * scale, b[i] * scale
        square = x * x + y * y
        out[i] = y / square * scale if square != 0 else 0.0


# The error function by minimax rational approximations, which compilers vectorise; the C library's, called for one
# element at a time, takes ten times as long. Largest relative error found: 5.6e-16.


cdef inline void erf_double(const Loop* loop, const double* a, double* out, Py_ssize_t m) noexcept nogil:
    # Up to 1: x R(x^2). Beyond: 1 - exp(-x^2) S(x), where erfc is small enough for its error to vanish.
    cdef Py_ssize_t i
    cdef double x, u, v, above, below, near
    cdef double e[BLOCK]
    for i in range(m):
        e[i] = -a[i] * a[i]
    _loop1(loop, e, e, m, sizeof(double))
    for i in range(m):
        x = a[i]
        v = fabs_double(x)
        v = 6.0 if v > 6.0 else v
        u = v * v
        u = 1.0 if u > 1.0 else u
        above = u * 0.00019495618745514600993 + 0.00182729454253956733
        above = above * u + 0.045303910691055348569
        above = above * u + 0.14214928269311505885
        above = above * u + 1.1283791670955125714
        below = u * 0.000020297430181956577163 + 0.00068121592706000416078
        below = below * u + 0.010582212762315845564
        below = below * u + 0.093252830512653603286
        below = below * u + 0.45930985508976725509
        below = below * u + 1.0
        near = x * (above / below)
        above = v * 0.00904201542953140579 + 0.0851030107722028121
        above = above * v + 0.375987653109844269
        above = above * v + 0.953550367150877205
        above = above * v + 1.39384841164092023
        above = above * v + 0.999999876345564427
        below = v * 0.0160266707012874361 + 0.15083743408376341
        below = below * v + 0.674491315785667805
        below = below * v + 1.76498626498754561
        below = below * v + 2.79958443843883474
        below = below * v + 2.52222628253469844
        below = below * v + 1.0
        v = 1 - e[i] * (above / below)
        v = -v if x < 0 else v
        out[i] = v if (x > 1) | (x < -1) else near


cdef inline void gelu_slope_float(const Loop* loop, const float* a, float* out, Py_ssize_t m) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(m):
        out[i] = zen_gelu_slope(a[i])


cdef inline void gelu_slope_double(const Loop* loop, const double* a, double* out, Py_ssize_t m) noexcept nogil:
    cdef Py_ssize_t i
    cdef double t[BLOCK]
    cdef double e[BLOCK]
    for i in range(m):
        t[i], e[i] = a[i] * 0.7071067811865476, (-0.5 * a[i]) * a[i]
    erf_double(loop, t, t, m)
    _loop1(loop, e, e, m, sizeof(double))
    for i in range(m):
        out[i] = 0.5 * (1 + t[i]) + (a[i] * e[i]) * 0.3989422804014327


cdef inline bint _small_power(const real* a, const real* b, real* out, Py_ssize_t m) noexcept nogil:
    # The exponents that NumPy also treats apart, where the whole block has the same one.
    cdef Py_ssize_t i
    cdef real e = b[0]
    cdef bint differs = False
    for i in range(m):
        differs |= b[i] != e
    if differs:
        return False
    if e == 2:
        for i in range(m):
            out[i] = a[i] * a[i]
    elif e == 1:
        for i in range(m):
            out[i] = a[i]
    elif e == 3:
        for i in range(m):
            out[i] = a[i] * a[i] * a[i]
    elif e == 0:
        for i in range(m):
            out[i] = 1
    elif e == -1:
        for i in range(m):
            out[i] = 1 / a[i]
    else:
        return False
    return True


cdef inline void power_float(
    const Loop* loop, const float* a, const float* b, float* out, Py_ssize_t m
) noexcept nogil:
    if not _small_power[float](a, b, out, m):
        _loop2(loop, a, b, out, m, sizeof(float))


cdef inline void power_double(
    const Loop* loop, const double* a, const double* b, double* out, Py_ssize_t m
) noexcept nogil:
    if not _small_power[double](a, b, out, m):
        _loop2(loop, a, b, out, m, sizeof(double))

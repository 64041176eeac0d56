# Convolutions in which every input channel is a group of its own: direct loops over whole planes (see _planes.pxd).
# Called by _conv.pyx.

from libc.math cimport isfinite
from zen._core._patches cimport Geometry, zen_copy
from zen._core._planes cimport OUTPUTS, SLACK, TAPS, Planes, part_size, planes_size

cdef enum:
    EXACT = 1 << 14     # products in partial sums of their own precision, before these are added in double

cdef extern from *:
    """
    /* Vectors as wide as the instruction set has them; one element where the compiler knows none. */
    #if defined(__GNUC__)
    #if defined(__AVX512F__)
    #define ZEN_WIDTH 64
    #elif defined(__AVX2__)
    #define ZEN_WIDTH 32
    #else
    #define ZEN_WIDTH 16
    #endif
    typedef float zen_floats __attribute__((vector_size(ZEN_WIDTH), aligned(4), may_alias));
    typedef double zen_doubles __attribute__((vector_size(ZEN_WIDTH), aligned(8), may_alias));
    #define ZEN_INLINE static inline __attribute__((always_inline))
    #else
    typedef float zen_floats;
    typedef double zen_doubles;
    #define ZEN_INLINE static __forceinline
    #endif

    /* zen_taps: out[i] = first + the sum over k of w[k] * x[at[k] + i]; or added to what out holds.
       zen_dots: adds the sum over i of g[i] * x[at[k] + i] to the vector of partial sums kept[k].
       Both go on for less than a vector past n. */
    #define ZEN_PLANES(T, V)                                                                                         \\
    static void zen_taps_##T(T* out, const T* x, const Py_ssize_t* at, const T* w, Py_ssize_t count, Py_ssize_t n,   \\
                             T first, int add) {                                                                     \\
        const Py_ssize_t L = sizeof(V) / sizeof(T);                                                                  \\
        Py_ssize_t i = 0, k;                                                                                         \\
        const V start = (V){0} + first;                                                                              \\
        for (; i + 3 * L < n; i += 4 * L) {                                                                          \\
            V* o = (V*)(out + i);                                                                                    \\
            V a = start, b = start, c = start, d = start;                                                            \\
            if (add) { a = o[0]; b = o[1]; c = o[2]; d = o[3]; }                                                     \\
            for (k = 0; k < count; k++) {                                                                            \\
                const V* s = (const V*)(x + at[k] + i);                                                              \\
                a += s[0] * w[k]; b += s[1] * w[k]; c += s[2] * w[k]; d += s[3] * w[k];                              \\
            }                                                                                                        \\
            o[0] = a; o[1] = b; o[2] = c; o[3] = d;                                                                  \\
        }                                                                                                            \\
        for (; i + L < n; i += 2 * L) {                                                                              \\
            V* o = (V*)(out + i);                                                                                    \\
            V a = start, b = start;                                                                                  \\
            if (add) { a = o[0]; b = o[1]; }                                                                         \\
            for (k = 0; k < count; k++) {                                                                            \\
                const V* s = (const V*)(x + at[k] + i);                                                              \\
                a += s[0] * w[k]; b += s[1] * w[k];                                                                  \\
            }                                                                                                        \\
            o[0] = a; o[1] = b;                                                                                      \\
        }                                                                                                            \\
        for (; i < n; i += L) {                                                                                      \\
            V* o = (V*)(out + i);                                                                                    \\
            V a = start;                                                                                             \\
            if (add) a = o[0];                                                                                       \\
            for (k = 0; k < count; k++) a += *(const V*)(x + at[k] + i) * w[k];                                      \\
            o[0] = a;                                                                                                \\
        }                                                                                                            \\
    }                                                                                                                \\
    ZEN_INLINE void zen_some_##T(T* kept, const T* g, const T* x, const Py_ssize_t* at, Py_ssize_t n,                \\
                                 const int count) {                                                                  \\
        const Py_ssize_t L = sizeof(V) / sizeof(T);                                                                  \\
        V sums[8];                                                                                                   \\
        Py_ssize_t i;                                                                                                \\
        int k;                                                                                                       \\
        for (k = 0; k < count; k++) sums[k] = *(const V*)(kept + k * L);                                             \\
        for (i = 0; i < n; i += L) {                                                                                 \\
            const V v = *(const V*)(g + i);                                                                          \\
            for (k = 0; k < count; k++) sums[k] += v * *(const V*)(x + at[k] + i);                                   \\
        }                                                                                                            \\
        for (k = 0; k < count; k++) *(V*)(kept + k * L) = sums[k];                                                   \\
    }                                                                                                                \\
    static void zen_dots_##T(T* kept, const T* g, const T* x, const Py_ssize_t* at, Py_ssize_t count, Py_ssize_t n) {\\
        const Py_ssize_t L = sizeof(V) / sizeof(T);                                                                  \\
        for (; count >= 8 && count != 9; count -= 8, at += 8, kept += 8 * L) zen_some_##T(kept, g, x, at, n, 8);     \\
        for (; count >= 5; count -= 5, at += 5, kept += 5 * L) zen_some_##T(kept, g, x, at, n, 5);                   \\
        if (count >= 4) { zen_some_##T(kept, g, x, at, n, 4); count -= 4; at += 4; kept += 4 * L; }                  \\
        if (count >= 3) zen_some_##T(kept, g, x, at, n, 3);                                                          \\
        else if (count == 2) zen_some_##T(kept, g, x, at, n, 2);                                                     \\
        else if (count == 1) zen_some_##T(kept, g, x, at, n, 1);                                                     \\
    }

    ZEN_PLANES(float, zen_floats)
    ZEN_PLANES(double, zen_doubles)
    #define ZEN_LANES(size) ((size) == 4 ? sizeof(zen_floats) / 4 : sizeof(zen_doubles) / 8)
    """
    void zen_taps_float(
        float* out, const float* x, const Py_ssize_t* at, const float* w, Py_ssize_t count, Py_ssize_t n, float first,
        bint add) noexcept nogil
    void zen_taps_double(
        double* out, const double* x, const Py_ssize_t* at, const double* w, Py_ssize_t count, Py_ssize_t n,
        double first, bint add) noexcept nogil
    void zen_dots_float(
        float* kept, const float* g, const float* x, const Py_ssize_t* at, Py_ssize_t count,
        Py_ssize_t n) noexcept nogil
    void zen_dots_double(
        double* kept, const double* g, const double* x, const Py_ssize_t* at, Py_ssize_t count,
        Py_ssize_t n) noexcept nogil
    Py_ssize_t ZEN_LANES(size_t size) noexcept nogil


cdef inline Py_ssize_t first_at(Py_ssize_t position, Py_ssize_t step) noexcept nogil:
    # The smallest j >= 0 with j * step >= position.
    return (position + step - 1) // step if position > 0 else 0


cdef inline void spread(const real* x, real* to, Py_ssize_t n, Py_ssize_t step) noexcept nogil:
    cdef Py_ssize_t j
    if step == 1:
        zen_copy(to, x, n * sizeof(real))
    elif step == 2:
        for j in range(n):
            to[j] = x[2 * j]
    else:
        for j in range(n):
            to[j] = x[j * step]


cdef void copy_plane(
    const Planes* p, const real* x, real* to, Py_ssize_t band, Py_ssize_t rows,
) noexcept nogil:
    """The rows that `rows` rows of the result from number `band` on see, into each phase; zeros where there are none.

    Before and after what a row of the plane takes, `to` is expected to hold zeros.
    """
    cdef Py_ssize_t a, b, i, y, lo, hi, shift, depth = p.depth - p.rows + rows
    cdef real* row
    for a in range(p.sh):
        for b in range(p.sw):
            row = to + (a * p.sw + b) * p.depth * p.pitch
            shift = b - p.left
            lo = min(first_at(-shift, p.sw), p.pitch)
            hi = min(max(first_at(p.w - shift, p.sw), lo), p.pitch)
            y = band * p.sh + a - p.top
            for i in range(depth):
                if y < 0 or y >= p.h:
                    memset(row, 0, p.pitch * sizeof(real))
                else:
                    spread(x + y * p.w + lo * p.sw + shift, row + lo, hi - lo, p.sw)
                row += p.pitch
                y += p.sh


cdef inline void taps(
    real* out, const real* x, const Py_ssize_t* at, const real* w, Py_ssize_t count, Py_ssize_t n, real first, bint add,
) noexcept nogil:
    if real is float:
        zen_taps_float(out, x, at, w, count, n, first, add)
    else:
        zen_taps_double(out, x, at, w, count, n, first, add)


cdef void planes_forward(
    const Planes* p, const Geometry* s, const real* x, const real* w, const real* bias, real* y, real* work,
) noexcept nogil:
    cdef Py_ssize_t image, c, o, i, channel, number, band, rows, positions = s.kh * s.kw
    cdef real* out = work + p.sh * p.sw * p.depth * p.pitch + SLACK
    cdef real* place
    memset(work, 0, planes_size(p) * sizeof(real))
    for image in range(s.n):
        for c in range(s.c):
            for number in range(p.bands):
                band = number * p.rows
                rows = min(p.rows, p.height - band)
                copy_plane(p, x + (image * s.c + c) * s.h * s.w, work, band, rows)
                for o in range(s.og):
                    channel = c * s.og + o
                    taps(out, work, p.at, w + channel * positions, positions, rows * p.pitch,
                         <real>0 if bias == NULL else bias[channel], False)
                    place = y + ((image * s.o + channel) * s.oh + band) * s.ow
                    for i in range(rows):
                        zen_copy(place + i * s.ow, out + i * p.pitch, s.ow * sizeof(real))


cdef void planes_input(
    const Planes* p, const Geometry* s, real* x, const real* w, const real* g, real* work,
) noexcept nogil:
    cdef Py_ssize_t image, c, o, k, part, channel, number, band, rows, positions = s.kh * s.kw
    cdef real* out = work + p.depth * p.pitch + SLACK
    cdef real ordered[TAPS]
    memset(work, 0, planes_size(p) * sizeof(real))
    for image in range(s.n):
        for c in range(s.c):
            for number in range(p.bands):
                band = number * p.rows
                rows = min(p.rows, p.height - band)
                for o in range(s.og):
                    channel = c * s.og + o
                    copy_plane(p, g + (image * s.o + channel) * s.oh * s.ow, work, band, rows)
                    for k in range(positions):
                        ordered[k] = w[channel * positions + p.tap[k]]
                    for part in range(p.parts):
                        k = p.first[part]
                        taps(out + part * part_size(p), work, p.at + k, &ordered[k], p.first[part + 1] - k,
                             rows * p.pitch, <real>0, o > 0)
                join_phases(p, s, out, x + (image * s.c + c) * s.h * s.w, band, rows)


cdef inline void join_phases(
    const Planes* p, const Geometry* s, const real* out, real* x, Py_ssize_t band, Py_ssize_t rows,
) noexcept nogil:
    cdef Py_ssize_t a, b, i, j, y
    cdef const real* row
    cdef real* line
    for a in range(s.sh):
        for b in range(s.sw):
            row = out + (a * s.sw + b) * part_size(p)
            for i in range(rows):
                y = (band + i) * s.sh + a
                if y >= s.h:
                    break
                line = x + y * s.w + b
                if s.sw == 1:
                    zen_copy(line, row, s.w * sizeof(real))
                elif s.sw == 2:
                    for j in range((s.w - b + 1) // 2):
                        line[2 * j] = row[j]
                else:
                    for j in range((s.w - b + s.sw - 1) // s.sw):
                        line[j * s.sw] = row[j]
                row += p.pitch


cdef void planes_weight(
    const Planes* p, const Geometry* s, const real* x, real* w, const real* g, real* work,
) noexcept nogil:
    cdef Py_ssize_t image, c, o, k, number, band, rows, seen, positions = s.kh * s.kw, lanes = ZEN_LANES(sizeof(real))
    cdef real* other = work + p.sh * p.sw * p.depth * p.pitch + SLACK
    cdef double total[OUTPUTS * TAPS]
    cdef real kept[OUTPUTS * TAPS * SLACK]
    memset(work, 0, planes_size(p) * sizeof(real))
    memset(kept, 0, s.og * positions * lanes * sizeof(real))
    for c in range(s.c):
        memset(total, 0, s.og * positions * sizeof(double))
        seen = 0
        for image in range(s.n):
            for number in range(p.bands):
                band = number * p.rows
                rows = min(p.rows, p.height - band)
                copy_plane(p, x + (image * s.c + c) * s.h * s.w, work, band, rows)
                for o in range(s.og):
                    copy_rows(g + ((image * s.o + c * s.og + o) * s.oh + band) * s.ow, other, rows, s.ow, p.pitch)
                    k = o * positions
                    if real is float:
                        zen_dots_float(kept + k * lanes, other, work, p.at, positions, rows * p.pitch)
                    else:
                        zen_dots_double(kept + k * lanes, other, work, p.at, positions, rows * p.pitch)
                seen += rows * p.pitch
                if seen >= EXACT:
                    add_lanes(kept, total, s.og * positions, lanes)
                    seen = 0
        add_lanes(kept, total, s.og * positions, lanes)
        for k in range(s.og * positions):
            if not isfinite(total[k]):
                total[k] = exact_dot(s, x, g, c, k // positions, k % positions)
            w[c * s.og * positions + k] = <real>total[k]


cdef inline void copy_rows(const real* x, real* to, Py_ssize_t rows, Py_ssize_t n, Py_ssize_t pitch) noexcept nogil:
    # Between the rows `to` is expected to hold zeros.
    cdef Py_ssize_t i
    for i in range(rows):
        zen_copy(to + i * pitch, x + i * n, n * sizeof(real))
    memset(to + rows * pitch, 0, SLACK * sizeof(real))


cdef inline void add_lanes(real* kept, double* total, Py_ssize_t count, Py_ssize_t lanes) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(count):
        for j in range(lanes):
            total[i] += kept[i * lanes + j]
            kept[i * lanes + j] = 0


cdef double exact_dot(
    const Geometry* s, const real* x, const real* g, Py_ssize_t c, Py_ssize_t o, Py_ssize_t k,
) noexcept nogil:
    # The zeros between the rows turn an infinity at the end of a row of pixels, which this tap does not see, into nan.
    cdef Py_ssize_t image, i, j, y, q
    cdef double total = 0
    cdef const real* plane
    cdef const real* cotangent
    for image in range(s.n):
        plane = x + (image * s.c + c) * s.h * s.w
        cotangent = g + (image * s.o + c * s.og + o) * s.oh * s.ow
        for i in range(s.oh):
            y = i * s.sh + k // s.kw * s.dh - s.ph
            if 0 <= y < s.h:
                for j in range(s.ow):
                    q = j * s.sw + k % s.kw * s.dw - s.pw
                    if 0 <= q < s.w:
                        total += <double>cotangent[i * s.ow + j] * plane[y * s.w + q]
    return total


cdef void fill_planes(Kernels* k) noexcept:
    k.planes_forward[0] = <planes_forward_t> <void*> planes_forward[float]
    k.planes_forward[1] = <planes_forward_t> <void*> planes_forward[double]
    k.planes_input[0] = <planes_backward_t> <void*> planes_input[float]
    k.planes_input[1] = <planes_backward_t> <void*> planes_input[double]
    k.planes_weight[0] = <planes_backward_t> <void*> planes_weight[float]
    k.planes_weight[1] = <planes_backward_t> <void*> planes_weight[double]

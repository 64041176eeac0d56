# Small and middling matrix products in AVX-512, without the BLAS. Called by _blas.pyx.
#
# A tile of eight rows by two vectors of `out` stays in registers while the loop runs over the summed axis: sixteen
# independent multiply-adds for two loads and eight broadcasts, so that the multipliers and not the loads are what it
# waits for. Rows and columns that do not fill a tile go through narrower ones, with the last vector masked. Around it:
# DEPTH of the summed axis at a time, so that a panel of b (two vectors wide) fits the level 1 cache, and HEIGHT rows of
# a, which fit level 2. A panel is copied where b is stored transposed, or where the copy pays for itself because many
# rows read it. What a BLAS adds to this, copies of both operands and a choice between many kernels, costs it more than
# it gains until the operands leave the caches. The scheme: Goto and van de Geijn, "Anatomy of high-performance matrix
# multiplication" (2008).

cdef extern from *:
    """
    #if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    #include <immintrin.h>
    enum { ZEN_DEPTH = 256 };

    #define ZEN_TILES(T, V, S, MASK, LANES) \\
    /* out = alpha * a @ b + beta * out for `rows` rows and `wide` vectors; `mask`: what the last one holds */ \\
    ZEN_INLINE void zen_tile_##T( \\
        const int rows, const int wide, MASK mask, Py_ssize_t k, const T *a, Py_ssize_t down, Py_ssize_t right, \\
        const T *b, Py_ssize_t ldb, T alpha, T beta, T *out, Py_ssize_t ldo) { \\
        V sum[8][2], w[2]; \\
        const MASK all = (MASK)~0; \\
        for (int r = 0; r < rows; r++) \\
            for (int v = 0; v < wide; v++) sum[r][v] = _mm512_setzero_##S(); \\
        for (Py_ssize_t p = 0; p < k; p++, a += right, b += ldb) { \\
            for (int v = 0; v < wide; v++) w[v] = _mm512_maskz_loadu_##S(v < wide - 1 ? all : mask, b + LANES * v); \\
            for (int r = 0; r < rows; r++) { \\
                V x = _mm512_set1_##S(a[r * down]); \\
                for (int v = 0; v < wide; v++) sum[r][v] = _mm512_fmadd_##S(x, w[v], sum[r][v]); \\
            } \\
        } \\
        for (int r = 0; r < rows; r++) { \\
            for (int v = 0; v < wide; v++) { \\
                const MASK kept = v < wide - 1 ? all : mask; \\
                V y = alpha == 1 ? sum[r][v] : _mm512_mul_##S(_mm512_set1_##S(alpha), sum[r][v]); \\
                T *to = out + r * ldo + LANES * v; \\
                if (beta != 0) y = _mm512_fmadd_##S(_mm512_set1_##S(beta), _mm512_maskz_loadu_##S(kept, to), y); \\
                _mm512_mask_storeu_##S(to, kept, y); \\
            } \\
        } \\
    } \\
    /* one panel of b with all m rows of a */ \\
    ZEN_INLINE void zen_column_##T( \\
        const int wide, MASK mask, Py_ssize_t m, Py_ssize_t k, const T *a, Py_ssize_t down, Py_ssize_t right, \\
        const T *b, Py_ssize_t ldb, T alpha, T beta, T *out, Py_ssize_t ldo) { \\
        Py_ssize_t i = 0; \\
        for (; i + 8 <= m; i += 8) \\
            zen_tile_##T(8, wide, mask, k, a + i * down, down, right, b, ldb, alpha, beta, out + i * ldo, ldo); \\
        if (m & 4) { \\
            zen_tile_##T(4, wide, mask, k, a + i * down, down, right, b, ldb, alpha, beta, out + i * ldo, ldo); \\
            i += 4; \\
        } \\
        if (m & 2) { \\
            zen_tile_##T(2, wide, mask, k, a + i * down, down, right, b, ldb, alpha, beta, out + i * ldo, ldo); \\
            i += 2; \\
        } \\
        if (m & 1) \\
            zen_tile_##T(1, wide, mask, k, a + i * down, down, right, b, ldb, alpha, beta, out + i * ldo, ldo); \\
    } \\
    /* `width` columns of b, which is stored transposed, side by side */ \\
    ZEN_INLINE void zen_panel_##T(Py_ssize_t width, Py_ssize_t k, const T *b, Py_ssize_t ldb, T *panel) { \\
        Py_ssize_t p, c = 0; \\
        for (; c + 4 <= width; c += 4) { \\
            for (p = 0; p + 4 <= k; p += 4) \\
                zen_transpose_##T(b + c * ldb + p, ldb, panel + p * 2 * LANES + c, 2 * LANES); \\
            for (; p < k; p++) \\
                for (int s = 0; s < 4; s++) panel[p * 2 * LANES + c + s] = b[(c + s) * ldb + p]; \\
        } \\
        for (; c < width; c++) \\
            for (p = 0; p < k; p++) panel[p * 2 * LANES + c] = b[c * ldb + p]; \\
    } \\
    static void zen_multiply_##T( \\
        Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double scale, const T *a, Py_ssize_t down, Py_ssize_t right, \\
        int flipped, const T *b, Py_ssize_t ldb, double kept, T *out, Py_ssize_t ldo) { \\
        const T alpha = (T)scale; \\
        T beta = (T)kept; \\
        T panel[ZEN_DEPTH * 2 * LANES] __attribute__((aligned(64))); \\
        for (Py_ssize_t p = 0; p < k; p += ZEN_DEPTH, a += ZEN_DEPTH * right, beta = 1) { \\
            const Py_ssize_t depth = k - p < ZEN_DEPTH ? k - p : ZEN_DEPTH; \\
            for (Py_ssize_t j = 0; j < n; j += 2 * LANES) { \\
                const Py_ssize_t width = n - j < 2 * LANES ? n - j : 2 * LANES; \\
                const MASK mask = (MASK)((1u << ((width - 1) % LANES + 1)) - 1); \\
                const T *w = flipped ? panel : b + p * ldb + j; \\
                const Py_ssize_t ld = flipped ? 2 * LANES : ldb; \\
                if (flipped) zen_panel_##T(width, depth, b + j * ldb + p, ldb, panel); \\
                if (width > LANES) \\
                    zen_column_##T(2, mask, m, depth, a, down, right, w, ld, alpha, beta, out + j, ldo); \\
                else \\
                    zen_column_##T(1, mask, m, depth, a, down, right, w, ld, alpha, beta, out + j, ldo); \\
            } \\
        } \\
    }

    ZEN_INLINE void zen_transpose_float(const float *from, Py_ssize_t ld, float *to, Py_ssize_t width) {
        __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + ld);
        __m128 c = _mm_loadu_ps(from + 2 * ld), d = _mm_loadu_ps(from + 3 * ld);
        _MM_TRANSPOSE4_PS(a, b, c, d);
        _mm_storeu_ps(to, a);
        _mm_storeu_ps(to + width, b);
        _mm_storeu_ps(to + 2 * width, c);
        _mm_storeu_ps(to + 3 * width, d);
    }
    ZEN_INLINE void zen_transpose_double(const double *from, Py_ssize_t ld, double *to, Py_ssize_t width) {
        for (int i = 0; i < 4; i += 2) {
            for (int j = 0; j < 4; j += 2) {
                __m128d a = _mm_loadu_pd(from + i * ld + j), b = _mm_loadu_pd(from + (i + 1) * ld + j);
                _mm_storeu_pd(to + j * width + i, _mm_unpacklo_pd(a, b));
                _mm_storeu_pd(to + (j + 1) * width + i, _mm_unpackhi_pd(a, b));
            }
        }
    }
    ZEN_TILES(float, __m512, ps, __mmask16, 16)
    ZEN_TILES(double, __m512d, pd, __mmask8, 8)
    #define ZEN_MULTIPLY(T) ((void*)zen_multiply_##T)
    #else
    #define ZEN_MULTIPLY(T) NULL
    #endif
    #define zen_multiply_address(wide) ((wide) ? ZEN_MULTIPLY(double) : ZEN_MULTIPLY(float))
    """
    void* zen_multiply_address(bint wide) noexcept


cdef void fill_tiles(Kernels* k) noexcept:
    k.multiply[0], k.multiply[1] = <multiply_t> zen_multiply_address(False), <multiply_t> zen_multiply_address(True)

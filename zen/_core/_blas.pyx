"""Every matrix product of the compiled engine: over one BLAS, picked at import, or where that is faster over tiles.

ZEN_BLAS=auto (default) takes the `mkl` package where it is installed, else the BLAS that NumPy carries;
ZEN_BLAS=numpy or mkl insists. Where NumPy's library exports no cblas, the product goes through NumPy's C API.
Calling cblas directly saves NumPy's own checks (0.5 us a product) and allows to add into an existing gradient.
On processors with AVX-512 products whose second operand stays in the cache go through `_kernels_tiles.pxi` instead,
unless they are large enough for the BLAS to use several threads.
"""

import ctypes
import os
import sys

cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array
from zen._core._dispatch cimport kernels

cnp.import_array()

cdef enum:
    ROW_MAJOR = 101
    NO_TRANS = 111
    TRANS = 112
    SMALL = 1 << 20     # multiplications below which a product runs on one thread: see `is_small`
    LARGE = 1 << 22     # bytes of the second operand, or of the result, from which the BLAS is faster than tiles
    CACHED = 1 << 20    # bytes of the second operand from which it is where there are more than MANY rows
    MANY = 128
    PACKED = 1 << 11    # elements of the result from which copying a transposed operand is worth it

cdef extern from *:
    """
    /* Whoever takes the token may set the number of the BLAS's threads, until it gives the token back. */
    #ifdef _MSC_VER
    #include <intrin.h>
    static volatile long zen_token = 0;
    #define zen_take() (!_InterlockedExchange(&zen_token, 1))
    #define zen_give() ((void)_InterlockedExchange(&zen_token, 0))
    #else
    static int zen_token = 0;
    #define zen_take() (!__atomic_exchange_n(&zen_token, 1, __ATOMIC_ACQUIRE))
    #define zen_give() __atomic_store_n(&zen_token, 0, __ATOMIC_RELEASE)
    #endif
    """
    bint zen_take() noexcept nogil
    void zen_give() noexcept nogil

ctypedef void (*sgemm32_t)(
    int, int, int, int, int, int, float, const void*, int, const void*, int, float, void*, int) noexcept nogil
ctypedef void (*dgemm32_t)(
    int, int, int, int, int, int, double, const void*, int, const void*, int, double, void*, int) noexcept nogil
ctypedef void (*sgemm64_t)(
    int, int, int, long long, long long, long long, float, const void*, long long, const void*, long long,
    float, void*, long long) noexcept nogil
ctypedef void (*dgemm64_t)(
    int, int, int, long long, long long, long long, double, const void*, long long, const void*, long long,
    double, void*, long long) noexcept nogil

ctypedef int (*set_threads_t)(int) noexcept nogil
ctypedef int (*get_threads_t)() noexcept nogil

cdef void* _sgemm = NULL
cdef void* _dgemm = NULL
cdef bint _wide = False            # 64-bit integers in the interface
cdef set_threads_t _set_threads = NULL   # of OpenBLAS, where it has several; returns what it was
cdef get_threads_t _get_threads = NULL   # how many the BLAS would use
cdef bint _tiled = kernels.multiply[0] != NULL
_library = None                    # keeps the handle


def _listed(folder, fragment):
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if fragment in n) if os.path.isdir(folder) else []


def _numpy_candidates():
    # Wheels put OpenBLAS beside the package (numpy.libs, or .dylibs on macOS); symbols carry a prefix and a suffix.
    package = os.path.dirname(np.__file__)
    for folder in (os.path.join(os.path.dirname(package), "numpy.libs"), os.path.join(package, ".dylibs")):
        for path in _listed(folder, "openblas"):
            for prefix in ("scipy_cblas", "cblas"):
                yield path, prefix + "_{}gemm64_", True
                yield path, prefix + "_{}gemm", False
    if sys.platform == "darwin":
        yield "/System/Library/Frameworks/Accelerate.framework/Accelerate", "cblas_{}gemm", False


def _mkl_candidates():
    # The wheel puts its libraries under the environment's prefix, outside site-packages.
    for folder in (os.path.join(sys.prefix, "lib"), os.path.join(sys.prefix, "Library", "bin")):
        for path in _listed(folder, "mkl_rt."):
            yield path, "cblas_{}gemm", False


def _load(candidates):
    global _sgemm, _dgemm, _wide, _library
    for path, pattern, wide in candidates:
        try:
            library = ctypes.CDLL(path)
            single, double = getattr(library, pattern.format("s")), getattr(library, pattern.format("d"))
        except (OSError, AttributeError):
            continue
        _sgemm = <void*><size_t>ctypes.cast(single, ctypes.c_void_p).value
        _dgemm = <void*><size_t>ctypes.cast(double, ctypes.c_void_p).value
        _wide, _library = wide, library
        return True
    return False


cdef void* _symbol(names) except? NULL:
    for name in names:
        function = getattr(_library, name, None)
        if function is not None:
            return <void*><size_t>ctypes.cast(function, ctypes.c_void_p).value
    return NULL


def _find_threads():
    global _set_threads, _get_threads
    cdef int before
    _get_threads = <get_threads_t>_symbol(
        ["scipy_openblas_get_num_threads64_", "openblas_get_num_threads", "MKL_Get_Max_Threads"])
    # OpenBLAS only: MKL and Accelerate choose well by themselves.
    _set_threads = <set_threads_t>_symbol(
        ["openblas_set_num_threads_local", "scipy_openblas_set_num_threads_local64_"])
    if _set_threads != NULL:
        before = _set_threads(1)
        if before > 1:
            _set_threads(before)
        else:
            _set_threads = NULL


def _choose():
    wanted = os.environ.get("ZEN_BLAS", "auto")
    if wanted not in ("auto", "numpy", "mkl"):
        raise ImportError(f"ZEN_BLAS={wanted!r}: expected auto, numpy or mkl")
    if wanted != "numpy":
        if _load(_mkl_candidates()):
            _find_threads()
            return "mkl"
        if wanted == "mkl":
            raise ImportError("ZEN_BLAS=mkl: the mkl package is not installed; pip install mkl")
    if not _load(_numpy_candidates()):
        return "numpy (C API)"
    _find_threads()
    return "numpy"


blas = _choose()


cdef bint is_matrix(ndarray a) noexcept:
    return cnp.PyArray_NDIM(a) == 2 and has_kernels(cnp.PyArray_TYPE(a))


cdef ndarray layout(ndarray a, bint* turned, Py_ssize_t* ld):
    # How cblas may read `a` where it lies: by rows, or transposed; otherwise a contiguous copy.
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    cdef Py_ssize_t rows = cnp.PyArray_DIMS(a)[0], columns = cnp.PyArray_DIMS(a)[1]
    cdef Py_ssize_t down = cnp.PyArray_STRIDES(a)[0], right = cnp.PyArray_STRIDES(a)[1]
    if rows == 1:
        down = columns * item
    if columns == 1:
        right = item
        if rows == 1:
            down = item
    if right == item and down >= columns * item and down % item == 0:
        turned[0] = False
        ld[0] = down // item
        return a
    if down == item and right >= rows * item and right % item == 0:
        turned[0] = True
        ld[0] = right // item
        return a
    a = contiguous(a)
    turned[0] = False
    ld[0] = max(columns, 1)
    return a


cdef int gemm_into(ndarray out, ndarray a, bint flip_a, ndarray b, bint flip_b, bint accumulate) except -1:
    """out = a @ b, or out += a @ b; a flipped operand is read transposed.

    Shapes and dtypes agree; `out` is C-contiguous and shares no memory with a and b.
    """
    cdef Py_ssize_t m = cnp.PyArray_DIMS(out)[0], n = cnp.PyArray_DIMS(out)[1], k = cnp.PyArray_DIMS(a)[not flip_a]
    cdef Py_ssize_t lda, ldb
    cdef int before, typenum = cnp.PyArray_TYPE(out)
    cdef bint ta, tb
    cdef void* pa
    cdef void* pb
    cdef void* po = cnp.PyArray_DATA(out)
    if m == 0 or n == 0:
        return 0
    if k == 0:
        if not accumulate:
            out.fill(0)
        return 0
    a, b = layout(a, &ta, &lda), layout(b, &tb, &ldb)
    if _sgemm == NULL or (not _wide and max(m, n, k, lda, ldb) > 2147483647):
        x, y = ((<object>a).T if flip_a else a), ((<object>b).T if flip_b else b)
        if accumulate:
            np.add(out, np.matmul(x, y), out=out)
        else:
            np.matmul(x, y, out=out)
        return 0
    flip_a ^= ta
    flip_b ^= tb
    pa, pb = cnp.PyArray_DATA(a), cnp.PyArray_DATA(b)
    if is_small(<double>m * n * k):
        before = one_thread()
        gemm(typenum, flip_a, flip_b, m, n, k, 1, pa, lda, pb, ldb, accumulate, po, n)
        restore_threads(before)
    else:
        with nogil:
            gemm(typenum, flip_a, flip_b, m, n, k, 1, pa, lda, pb, ldb, accumulate, po, n)
    return 0


# --- products inside kernels, on pointers


cdef bint has_gemm() noexcept:
    # Whether `gemm` has a BLAS to call.
    return _sgemm != NULL


cdef bint is_small(double multiplications) noexcept nogil:
    # Whether a product should run between `one_thread` and `restore_threads`; if Python calls it, with the GIL held.
    # OpenBLAS starts its threads from products of a few microseconds on. That gains little, and on a busy machine costs
    # a time slice for every product.
    return multiplications < SMALL


cdef int one_thread() noexcept nogil:
    # OpenBLAS's number of threads is a global. Who takes it from several to one owes the return: nobody else may set it
    # in between. Products of other threads run on one thread too meanwhile, or after it on several.
    cdef int before
    if _set_threads == NULL or not zen_take():
        return 1
    before = _set_threads(1)
    if before <= 1:
        zen_give()
    return before


cdef void restore_threads(int before) noexcept nogil:
    if before > 1:
        _set_threads(before)
        zen_give()


cdef bint suits_tiles(int typenum, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, bint flip_b) noexcept nogil:
    # Whether tiles are faster than the BLAS (benchmarks/tables/tiles.md). From where the BLAS uses threads, they win.
    cdef Py_ssize_t item = 4 if typenum == cnp.NPY_FLOAT else 8
    return (
        _tiled and n >= 2 * item and m >= 4 and (not flip_b or (m >= 16 and m * n >= PACKED))
        and n * k * item <= (LARGE if m <= MANY else CACHED) and m * n * item <= LARGE
        and (<double>m * n * k < SMALL or (_get_threads != NULL and _get_threads() == 1))
    )


cdef void gemm(
    int typenum, bint flip_a, bint flip_b, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const void* a,
    Py_ssize_t lda, const void* b, Py_ssize_t ldb, double beta, void* out, Py_ssize_t ldo,
) noexcept nogil:
    """out = alpha * a @ b + beta * out: m x n, summed over k; each matrix by rows that lie `ld` elements apart.

    A flipped operand is stored transposed. Where beta is 0, `out` is not read. `out` overlaps neither a nor b.
    """
    cdef int ta = TRANS if flip_a else NO_TRANS, tb = TRANS if flip_b else NO_TRANS
    cdef float alpha32 = <float>alpha, beta32 = <float>beta
    if m == 0 or n == 0:
        return
    if k > 0 and suits_tiles(typenum, m, n, k, flip_b):
        kernels.multiply[typenum == cnp.NPY_DOUBLE](
            m, n, k, alpha, a, 1 if flip_a else lda, lda if flip_a else 1, flip_b, b, ldb, beta, out, ldo)
        return
    # BLAS asks for a leading dimension of at least the row's length, also where there is but one row.
    lda, ldb, ldo = max(lda, m if flip_a else k, 1), max(ldb, k if flip_b else n, 1), max(ldo, n)
    if _sgemm == NULL or k == 0 or (not _wide and max(m, n, k, lda, ldb, ldo) > 2147483647):
        if typenum == cnp.NPY_FLOAT:
            _plain[float](flip_a, flip_b, m, n, k, alpha32, <const float*>a, lda, <const float*>b, ldb, beta32,
                          <float*>out, ldo)
        else:
            _plain[double](flip_a, flip_b, m, n, k, alpha, <const double*>a, lda, <const double*>b, ldb, beta,
                           <double*>out, ldo)
    elif typenum == cnp.NPY_FLOAT:
        if _wide:
            (<sgemm64_t>_sgemm)(ROW_MAJOR, ta, tb, m, n, k, alpha32, a, lda, b, ldb, beta32, out, ldo)
        else:
            (<sgemm32_t>_sgemm)(ROW_MAJOR, ta, tb, <int>m, <int>n, <int>k, alpha32, a, <int>lda, b, <int>ldb, beta32,
                                out, <int>ldo)
    elif _wide:
        (<dgemm64_t>_dgemm)(ROW_MAJOR, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, out, ldo)
    else:
        (<dgemm32_t>_dgemm)(ROW_MAJOR, ta, tb, <int>m, <int>n, <int>k, alpha, a, <int>lda, b, <int>ldb, beta, out,
                            <int>ldo)


ctypedef fused real:
    float
    double


cdef void _plain(
    bint flip_a, bint flip_b, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real alpha, const real* a, Py_ssize_t lda,
    const real* b, Py_ssize_t ldb, real beta, real* out, Py_ssize_t ldo,
) noexcept nogil:
    # Where no cblas is found: correct, and as fast as a plain loop is.
    cdef Py_ssize_t i, j, p
    cdef real v
    for i in range(m):
        for j in range(n):
            out[i * ldo + j] = beta * out[i * ldo + j] if beta != 0 else 0
        for p in range(k):
            v = alpha * (a[p * lda + i] if flip_a else a[i * lda + p])
            for j in range(n):
                out[i * ldo + j] += v * (b[j * ldb + p] if flip_b else b[p * ldb + j])


cdef ndarray matmul2d(ndarray a, ndarray b):
    # Two matrices of one dtype whose shapes fit.
    cdef Py_ssize_t dims[2]
    dims[0], dims[1] = cnp.PyArray_DIMS(a)[0], cnp.PyArray_DIMS(b)[1]
    cdef ndarray out = new_array(2, dims, cnp.PyArray_TYPE(a))
    gemm_into(out, a, False, b, False, False)
    return out


def product(ndarray a not None, ndarray b not None):
    """a @ b for two float32 or two float64 matrices, through the chosen BLAS."""
    if not (is_matrix(a) and is_matrix(b)) or cnp.PyArray_TYPE(a) != cnp.PyArray_TYPE(b):
        raise ValueError("product: expected two matrices of one dtype, float32 or float64")
    if cnp.PyArray_DIMS(a)[1] != cnp.PyArray_DIMS(b)[0]:
        raise ValueError(f"product: shapes {(<object>a).shape} and {(<object>b).shape} do not fit")
    return matmul2d(a, b)

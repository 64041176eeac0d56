# Constants and function types that every compiled module shares.

cdef enum:
    OUT = 0          # slots of a kernel's pointer array: what OPERANDS in generate.py lists
    COTANGENT = 1
    ARGUMENT = 2     # ... 3, 4
    RESULT = 5
    SLOTS = 6
    MAX_ARGUMENTS = 3
    MAXDIMS = 64     # NumPy's own limit

cdef extern from *:
    """
    #define ZEN_FILLED PY_SSIZE_T_MIN
    """
    Py_ssize_t FILLED "ZEN_FILLED"   # in place of a stride: the pointer leads to a block that is full of one value

cdef enum:
    BLOCK = 512      # elements that a kernel works on at a time: half a dozen such buffers stay in the level 1 cache
    ROOM = 528       # of such a buffer: NumPy 2.0 and 2.1 take the slow way where input and output touch

cdef enum:
    SET = 0          # how a kernel writes: out = result
    ADD = 1          # out += result
    REDUCE = 2       # out[0] += sum of the result

ctypedef void (*kernel_t)(char** p, const Py_ssize_t* s, Py_ssize_t n, int mode) noexcept nogil

cdef enum:
    CHUNK = 2048     # elements of short rows that softmax and cross entropy work on together

cdef struct Targets:
    # What cross entropy is told beside the logits.
    const long long* classes
    const void* weights          # one for each class, of the logits' dtype, or NULL
    long long ignored            # the class whose samples do not count
    double smoothing

# Kernels over rows: `_row_kernels.pxi`. `work` holds a row, or CHUNK elements where that is more.
ctypedef void (*softmax_t)(const void* x, void* out, void* work, Py_ssize_t rows, Py_ssize_t n) noexcept nogil
ctypedef void (*softmax_vjp_t)(
    const void* g, const void* y, void* out, void* work, Py_ssize_t rows, Py_ssize_t n, bint logarithm, bint add
) noexcept nogil
ctypedef Py_ssize_t (*cross_entropy_t)(
    const void* x, void* p, Py_ssize_t advance, void* losses, Py_ssize_t rows, Py_ssize_t n, const Targets* t,
    double* total, double* weight
) noexcept nogil
ctypedef void (*cross_entropy_vjp_t)(
    const void* p, void* out, Py_ssize_t rows, Py_ssize_t n, const Targets* t, const void* g, double share, bint add
) noexcept nogil
ctypedef void (*column_sums_t)(const void* g, void* out, Py_ssize_t rows, Py_ssize_t n, bint add) noexcept nogil

cdef struct RowKernels:          # each for float and double
    softmax_t softmax[2]
    softmax_t log_softmax[2]
    softmax_vjp_t softmax_vjp[2]
    cross_entropy_t cross_entropy[2]
    cross_entropy_vjp_t cross_entropy_vjp[2]
    column_sums_t column_sums[2]

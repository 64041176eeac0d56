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

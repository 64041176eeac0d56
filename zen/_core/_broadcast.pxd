from numpy cimport ndarray
from zen._core._types cimport MAXDIMS, SLOTS, kernel_t

cdef struct Operands:
    # What one kernel call over an n-d index space works on; slots as in _types.pxd.
    char* data[SLOTS]
    Py_ssize_t strides[SLOTS][MAXDIMS]
    Py_ssize_t item[SLOTS]         # size of an element
    int used                       # bit k: slot k takes part

cdef void memory_order(const Operands* o, int nd, int* order) noexcept
cdef void place(Operands* o, int slot, ndarray a, int nd) noexcept
cdef void place_scalar(Operands* o, int slot, void* value, Py_ssize_t item, int nd) noexcept
cdef void iterate(kernel_t kernel, Operands* o, int nd, const Py_ssize_t* shape, bint accumulate) noexcept nogil
cdef bint has_sums(int typenum) noexcept nogil
cdef ndarray reduce_to(ndarray a, int nd, const Py_ssize_t* shape)
cdef int add_into(ndarray out, ndarray a) except -1

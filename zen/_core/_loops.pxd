# A NumPy inner loop: what the generated kernels call on a block instead of the C library, element by element.
cdef struct Loop:
    void* function
    void* data

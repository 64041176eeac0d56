from zen._core._types cimport kernel_t

cdef kernel_t identity_kernel(int typenum) noexcept

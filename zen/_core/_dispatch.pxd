from zen._core._kernels cimport Kernels
from zen._core._types cimport kernel_t

cdef Kernels kernels
cdef bint has_complex        # whether the complex kernels are loaded, that of the identity among them
cdef bint is_identity(kernel_t kernel) noexcept nogil
cdef kernel_t identity_kernel(int typenum) noexcept

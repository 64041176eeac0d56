from zen._core._kernels cimport Kernels
from zen._core._types cimport kernel_t

cdef Kernels kernels
cdef kernel_t identity_kernel(int typenum) noexcept

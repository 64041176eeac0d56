# What masks and the scale do to the scores of a head. Part of _attention.pyx.


cdef void allow(const unsigned char[:, :] allowed, real[:, ::1] a) noexcept nogil:
    # -inf in the place of scores that take no part
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            if not allowed[i, j]:
                a[i, j] = <real>-INFINITY


cdef void add_bias(const real[:, :] bias, real[:, ::1] a) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] += bias[i, j]


cdef void hide_later(real[:, ::1] a) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(i + 1, a.shape[1]):
            a[i, j] = <real>-INFINITY


cdef void scale_scores(const real[::1] a, double by, real[::1] out) noexcept nogil:
    cdef Py_ssize_t k
    cdef real factor = <real>by
    for k in range(a.shape[0]):
        out[k] = a[k] * factor


# As they are called, for float and for double.
ctypedef void (*mask_t)(View mask, View a) noexcept nogil
ctypedef void (*later_t)(View a) noexcept nogil
ctypedef void (*scale_t)(View a, double by, View out) noexcept nogil

cdef mask_t[2] ALLOW
cdef mask_t[2] ADD_BIAS
cdef later_t[2] HIDE_LATER
cdef scale_t[2] SCALE_SCORES
ALLOW[0], ALLOW[1] = <mask_t> <void*> allow[float], <mask_t> <void*> allow[double]
ADD_BIAS[0], ADD_BIAS[1] = <mask_t> <void*> add_bias[float], <mask_t> <void*> add_bias[double]
HIDE_LATER[0], HIDE_LATER[1] = <later_t> <void*> hide_later[float], <later_t> <void*> hide_later[double]
SCALE_SCORES[0], SCALE_SCORES[1] = <scale_t> <void*> scale_scores[float], <scale_t> <void*> scale_scores[double]

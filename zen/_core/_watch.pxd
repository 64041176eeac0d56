cdef class Watch:
    cdef readonly list left
    cdef list items
    cdef int* kinds
    cdef object missing
    cdef bint is_same(self, int kind, tuple item) except -1
    cpdef bint holds(self) except -1

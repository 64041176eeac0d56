from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray

cdef extern from *:
    """
    #define ZEN_BARE(p) (PyArray_BASE((PyArrayObject*)(p)) == NULL)
    """
    bint ZEN_BARE(PyObject*) noexcept

cdef int exposed             # owners of memory that somebody outside can write to at the moment
cdef long long last_loan     # the newest number at which one of them became so

cdef class Borrowed:
    cdef object source

cdef object borrow(ndarray a)
cdef object lend(ndarray a, bint expose, long long* sequence)
cdef bint is_lent(ndarray owner) noexcept
cdef bint is_sole_borrower(ndarray a, ndarray owner) noexcept
cdef bint is_reached_by_one(PyObject* a) noexcept
cdef ndarray owner_of(ndarray a)
cdef object guarded(ndarray a, bint foreign, unsigned char* watched)
cdef tuple guarded_params(tuple params, unsigned char* watched)
cdef bint is_spoilt(object saved, long long seq)


cdef inline object keep(PyObject* a, bint foreign, unsigned char* watched):
    # What a node saves of an operand: the array itself where nobody outside can write to it.
    if not foreign and exposed == 0 and ZEN_BARE(a):
        return <object>a
    return guarded(<ndarray>a, foreign, watched)

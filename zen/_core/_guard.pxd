from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray

cdef extern from *:
    """
    static inline int zen_is_own(PyObject *p) {  /* memory of the array's, or of the array that it is a view of */
        PyObject *base = PyArray_BASE((PyArrayObject *)p);
        if (base == NULL) return PyArray_CHKFLAGS((PyArrayObject *)p, NPY_ARRAY_OWNDATA);
        return Py_TYPE(base) == &PyArray_Type && PyArray_CHKFLAGS((PyArrayObject *)base, NPY_ARRAY_OWNDATA);
    }
    """
    bint zen_is_own(PyObject*) noexcept

cdef int exposed             # owners of memory that somebody outside can write to at the moment
cdef long long last_loan     # the newest number at which one of them became so; 0 while there are none

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
    if not foreign and exposed == 0 and zen_is_own(a):
        return <object>a
    return guarded(<ndarray>a, foreign, watched)

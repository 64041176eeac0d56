# What the engine asks of a dtype, by its type number: zen/dtypes.py, which says what is meant, in C.

cimport numpy as cnp

cdef extern from *:
    """
    #define ZEN_TYPENUM(d) (((PyArray_Descr*)(d))->type_num)
    """
    int ZEN_TYPENUM(cnp.dtype) noexcept nogil


cdef inline bint is_integer(int typenum) noexcept nogil:
    return cnp.PyTypeNum_ISINTEGER(typenum)


cdef inline bint is_exact(int typenum) noexcept nogil:
    return typenum == cnp.NPY_BOOL or cnp.PyTypeNum_ISINTEGER(typenum)


cdef inline bint is_floating(int typenum) noexcept nogil:
    return cnp.PyTypeNum_ISFLOAT(typenum)


cdef inline bint is_complex(int typenum) noexcept nogil:
    return cnp.PyTypeNum_ISCOMPLEX(typenum)


cdef inline Py_ssize_t item_of(int typenum) noexcept nogil:
    # Bytes that are enough for an element of a dtype that may have gradients.
    if typenum == cnp.NPY_FLOAT:
        return 4
    return 16 if typenum == cnp.NPY_CDOUBLE else 8


cdef inline int part_of(int typenum) noexcept nogil:
    # The type of the parts of a complex number; any other type itself.
    if typenum == cnp.NPY_CFLOAT:
        return cnp.NPY_FLOAT
    return cnp.NPY_DOUBLE if typenum == cnp.NPY_CDOUBLE else typenum


cdef inline bint is_inexact(int typenum) noexcept nogil:
    return is_floating(typenum) or is_complex(typenum)


cdef inline bint is_number(int typenum) noexcept nogil:
    return is_exact(typenum) or is_inexact(typenum)


cdef inline bint is_differentiable(int typenum) noexcept nogil:
    return is_inexact(typenum) and typenum != cnp.NPY_LONGDOUBLE and typenum != cnp.NPY_CLONGDOUBLE


cdef inline bint is_supported(int typenum) noexcept nogil:
    return is_exact(typenum) or is_differentiable(typenum)


cdef inline bint has_kernels(int typenum) noexcept nogil:
    # Kernels come in float and double. Behind this question a comparison with NPY_FLOAT or NPY_DOUBLE picks one. Those
    # of elementwise rows come in complex numbers as well: see `width_of`.
    return typenum == cnp.NPY_FLOAT or typenum == cnp.NPY_DOUBLE


cdef inline bint has_complex_kernels(int typenum) noexcept nogil:
    return typenum == cnp.NPY_CFLOAT or typenum == cnp.NPY_CDOUBLE


cdef inline int width_of(int typenum) noexcept nogil:
    # The place of its kernel, of a dtype that has one: 0 and 1 for float and double, 2 and 3 for their complex numbers.
    return typenum - cnp.NPY_FLOAT - (typenum > cnp.NPY_LONGDOUBLE)


cdef inline int typenum_of(object x) except -2:
    # Of an array or a NumPy scalar, whose class may be the user's.
    cdef cnp.dtype found = x.dtype
    return ZEN_TYPENUM(found)

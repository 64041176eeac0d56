# Operands of one operation in the form that compiled code reads. Included by name, inlined where it is used.

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsDouble, PyLong_CheckExact
from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dtypes cimport is_integer
from zen._core._guard cimport keep
from zen._core._tensor cimport ARRAY, SCALAR, Node, Tensor, node_of

cdef extern from "Python.h":
    ctypedef struct PySliceObject:
        PyObject* start
        PyObject* stop
        PyObject* step

cdef struct Arg:
    unsigned char held       # SCALAR or ARRAY
    bint foreign             # the operand is an ndarray of the user's
    int typenum              # 0 for a Python scalar, which takes the others' dtype (NEP 50)
    double scalar
    PyObject* array          # borrowed, like node: from the operand, which may get others where other code can run
    PyObject* node


cdef inline bint parse_array(ndarray array, Arg* a) noexcept:
    cdef int typenum = cnp.PyArray_TYPE(array)
    if not cnp.PyArray_ISBEHAVED_RO(array):
        return False
    a.typenum = typenum
    if typenum == cnp.NPY_FLOAT:
        if cnp.PyArray_NDIM(array) == 0:
            a.held = SCALAR
            a.scalar = (<float*>cnp.PyArray_DATA(array))[0]
            return True
    elif typenum == cnp.NPY_DOUBLE:
        if cnp.PyArray_NDIM(array) == 0:
            a.held = SCALAR
            a.scalar = (<double*>cnp.PyArray_DATA(array))[0]
            return True
    else:
        return False
    a.held = ARRAY
    a.array = <PyObject*>array
    return True


cdef inline int parse(object x, Arg* a) except -1:
    # Fills `a` and returns 1, or returns 0 where the operand is not for the compiled path.
    cdef Tensor t
    cdef Node n
    if isinstance(x, Tensor):
        t = <Tensor>x
        n = node_of(t)
        a.node = NULL if n is None else <PyObject*>n
        if t.data is None:
            a.held, a.typenum, a.scalar = SCALAR, t.typenum, t.scalar
            return t.typenum != 0
        a.foreign = False
        return parse_array(<ndarray>t.data, a)
    a.node = NULL
    if PyFloat_CheckExact(x):
        a.held, a.typenum, a.scalar = SCALAR, 0, PyFloat_AS_DOUBLE(x)
        return 1
    if PyLong_CheckExact(x):
        if not -9007199254740992 <= x <= 9007199254740992:
            return 0
        a.held, a.typenum, a.scalar = SCALAR, 0, PyLong_AsDouble(x)
        return 1
    if type(x) is ndarray:
        a.foreign = True
        return parse_array(<ndarray>x, a)
    return 0


cdef inline int parse_mask(object x, Arg* a) except -1:
    # A bool array, read as bytes.
    cdef object array = (<Tensor>x).data if isinstance(x, Tensor) else x
    if type(array) is not ndarray or cnp.PyArray_TYPE(<ndarray>array) != cnp.NPY_BOOL:
        return 0
    a.node = NULL
    a.held, a.typenum, a.array, a.foreign = ARRAY, 0, <PyObject*>array, not isinstance(x, Tensor)
    return 1


cdef inline bint parse_classes(object x, Arg* a) except -1:
    # Class or row numbers: an array of integers.
    cdef object array = (<Tensor>x).data if isinstance(x, Tensor) else x
    a.node, a.held, a.array, a.foreign = NULL, ARRAY, <PyObject*>array, not isinstance(x, Tensor)
    return type(array) is ndarray and is_integer(cnp.PyArray_TYPE(<ndarray>array))


cdef inline Node taken(Arg* a):
    return None if a.node == NULL else <Node>a.node


cdef inline object kept(Arg* a, Node node):
    return keep(a.array, a.foreign, &node.watched)


cdef inline bint is_end(object k):
    return k is None or PyLong_CheckExact(k)


cdef inline bint is_basic_part(object k):
    cdef PySliceObject* s
    if PyLong_CheckExact(k) or k is None or k is Ellipsis:
        return True
    if type(k) is not slice:
        return False
    s = <PySliceObject*>k
    return is_end(<object>s.start) and is_end(<object>s.stop) and is_end(<object>s.step)


cdef inline bint is_basic(object key):
    # Whether NumPy answers `key` with a view, and nothing in it can change: ints, slices of ints, None and Ellipsis.
    if is_basic_part(key):
        return True
    if type(key) is tuple:
        for k in <tuple>key:
            if not is_basic_part(k):
                return False
        return True
    return False

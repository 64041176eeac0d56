"""Whether Python objects still hold what they held: asked at each call of a compiled function.

`Watch` is made by zen/program/reads.py of the items that zen/program/remembering.py describes, whose kinds have the
same numbers here. It compares object by object; where it finds another one, the caller looks closer, for an equal one
will do.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.dict cimport PyDict_GetItemWithError
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dtypes cimport ZEN_TYPENUM
from zen._core._tensor cimport Tensor, node_of

cnp.import_array()

cdef extern from "Python.h":
    PyObject* PyCell_GET(object)
    PyObject* PyFunction_GET_CODE(object)
    PyObject* PyFunction_GET_DEFAULTS(object)
    PyObject* PyFunction_GET_KW_DEFAULTS(object)
    object PyObject_GenericGetDict(object, void*)

VALUES = type({}.values())

cdef enum Kind:
    SLOT, CELL, MEMBER, CLASS, DICT, FUNCTION, TENSOR, ARRAY, COPY, ELEMENTS, LENGTH


cdef bint is_known(int kind, object owner, object expected):
    # Whether `Watch` compares such an item itself.
    if kind == SLOT:
        return type(owner) is dict
    if kind == ELEMENTS:
        return type(owner) is list or type(owner) is tuple or type(owner) is VALUES
    if kind == TENSOR:
        return isinstance(owner, Tensor)
    if kind == ARRAY:
        return type(owner) is ndarray and type(expected) is bytearray
    return kind == CELL or kind == CLASS or kind == DICT or kind == FUNCTION


@cython.final
cdef class Watch:
    """Items (kind, owner, key, expected). left: those that it does not compare itself. missing: stands for a key that a
    dict has not."""

    def __cinit__(self, items, missing):
        cdef Py_ssize_t k
        self.items = [item for item in items if is_known(item[0], item[1], item[3])]
        self.left = [item for item in items if not is_known(item[0], item[1], item[3])]
        self.missing = missing
        self.kinds = <int*>malloc(max(len(self.items), 1) * sizeof(int))
        if self.kinds == NULL:
            raise MemoryError("no memory for what a compiled function depends on")
        for k in range(len(self.items)):
            self.kinds[k] = self.items[k][0]

    def __dealloc__(self):
        free(self.kinds)

    cpdef bint holds(self) except -1:
        """Whether every item is the object that it was."""
        cdef Py_ssize_t k
        for k in range(PyList_GET_SIZE(self.items)):
            if not self.is_same(self.kinds[k], <tuple>PyList_GET_ITEM(self.items, k)):
                return False
        return True

    cdef bint is_same(self, int kind, tuple item) except -1:
        cdef PyObject* owner = <PyObject*>PyTuple_GET_ITEM(item, 1)
        cdef PyObject* expected = <PyObject*>PyTuple_GET_ITEM(item, 3)
        cdef PyObject* found
        if kind == SLOT:
            found = PyDict_GetItemWithError(<object>owner, <object>PyTuple_GET_ITEM(item, 2))
            return (found if found != NULL else <PyObject*>self.missing) == expected
        if kind == CELL:
            found = PyCell_GET(<object>owner)
            return (found if found != NULL else <PyObject*>self.missing) == expected
        if kind == CLASS:
            return type(<object>owner) is <object>expected
        if kind == DICT:
            return PyObject_GenericGetDict(<object>owner, NULL) is <object>expected
        if kind == FUNCTION:
            return is_same_function(<object>owner, <tuple>expected)
        if kind == TENSOR:
            return is_same_tensor(<Tensor>owner, <tuple>expected)
        if kind == ARRAY:
            return is_same_array(<ndarray>owner, <tuple>PyTuple_GET_ITEM(item, 2), <bytearray>expected)
        return has_elements(<object>owner, <list>expected)


cdef bint is_same_function(object f, tuple parts):
    cdef PyObject* defaults = PyFunction_GET_DEFAULTS(f)
    cdef PyObject* keywords = PyFunction_GET_KW_DEFAULTS(f)
    return (
        PyFunction_GET_CODE(f) == <PyObject*>PyTuple_GET_ITEM(parts, 0)
        and (defaults if defaults != NULL else <PyObject*>None) == <PyObject*>PyTuple_GET_ITEM(parts, 1)
        and (keywords if keywords != NULL else <PyObject*>None) == <PyObject*>PyTuple_GET_ITEM(parts, 2)
    )


cdef bint has_shape(int nd, const cnp.npy_intp* dims, tuple shape) except -1:
    cdef int k
    if nd != PyTuple_GET_SIZE(shape):
        return False
    for k in range(nd):
        if dims[k] != <Py_ssize_t><object>PyTuple_GET_ITEM(shape, k):
            return False
    return True


cdef bint is_same_tensor(Tensor t, tuple parts) except -1:
    # parts: shape, dtype, requires_grad.
    if (node_of(t) is not None) != <bint>parts[2] or ZEN_TYPENUM(<cnp.dtype>parts[1]) != t.typenum:
        return False
    if t.data is None:
        return PyTuple_GET_SIZE(<tuple>parts[0]) == 0
    return has_shape(cnp.PyArray_NDIM(<ndarray>t.data), cnp.PyArray_DIMS(<ndarray>t.data), <tuple>parts[0])


cdef bint is_same_array(ndarray a, tuple layout, bytearray contents) except -1:
    # layout: shape, strides, dtype.
    cdef int nd = cnp.PyArray_NDIM(a)
    if not has_shape(nd, cnp.PyArray_DIMS(a), <tuple>layout[0]):
        return False
    if not has_shape(nd, cnp.PyArray_STRIDES(a), <tuple>layout[1]) or (<object>a).dtype != layout[2]:
        return False
    return memcmp(cnp.PyArray_DATA(a), PyByteArray_AS_STRING(contents), cnp.PyArray_NBYTES(a)) == 0


cdef bint has_elements(object owner, list expected) except -1:
    cdef Py_ssize_t k, n = PyList_GET_SIZE(expected)
    if type(owner) is list:
        if PyList_GET_SIZE(<list>owner) != n:
            return False
        for k in range(n):
            if <PyObject*>PyList_GET_ITEM(<list>owner, k) != <PyObject*>PyList_GET_ITEM(expected, k):
                return False
        return True
    if type(owner) is not tuple:
        if len(owner) != n:
            return False
        k = 0
        for x in owner:
            if k == n or <PyObject*>x != <PyObject*>PyList_GET_ITEM(expected, k):
                return False
            k += 1
        return True
    if PyTuple_GET_SIZE(<tuple>owner) != n:
        return False
    for k in range(n):
        if <PyObject*>PyTuple_GET_ITEM(<tuple>owner, k) != <PyObject*>PyList_GET_ITEM(expected, k):
            return False
    return True

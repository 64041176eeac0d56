from cpython.object cimport PyObject
from zen._core._parse cimport Arg
from zen._core._tensor cimport Node, Row, Tensor

cdef Node record_one(Row row, Arg* a, tuple params, int nd, const Py_ssize_t* dims)
cdef Node record_layer(Row row, int typenum, tuple params, int nd, const Py_ssize_t* dims, Node a, Node b, Node c)
cdef Tensor linked(Tensor t, Tensor x)

"""The rows with kernels of their own, a file for each: forward, backward, and the name that a row asks for them by.

What they compute on matrices and rows of classes stands in _blas, _rows and _classes. A row whose operands are not for
its kernel takes the path of rows without one.
"""

from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_GetItem
from cpython.ref cimport Py_INCREF
from libc.math cimport NAN, sqrt
from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._blas cimport (
    gemm, gemm_into, has_gemm, is_matrix, is_small, layout, matmul2d, one_thread, restore_threads,
)
from zen._core._broadcast cimport Operands, add_into, iterate, memory_order, place, place_scalar
from zen._core._classes cimport (
    cross_entropy_into, cross_entropy_vjp_into, log_softmax_tangent_into, logsumexp_into, logsumexp_vjp_into,
    softmax_into, softmax_vjp_into,
)
from zen._core._dispatch cimport identity_kernel, kernels
from zen._core._engine cimport Pass, cotangent, elements, pull_formula
from zen._core._factor cimport (
    can_factor, cholesky_factor, cholesky_pull_back, cholesky_tangent, inverse_pull_back, lu_factor,
    lu_inverse, lu_solve, solve_pull_back, solve_push,
)
from zen._core._guard cimport guarded_params
from zen._core._kernels cimport Targets, extreme_tangent_t, matvec_t, outer_t
from zen._core._memory cimport contiguous, new_array, new_ordered, new_zeros, number, same_shape
from zen._core._parse cimport Arg, is_basic, kept, parse, parse_classes, taken
from zen._core._record cimport linked, record_layer, record_one
from zen._core._lines cimport as_rows, class_numbers, column_sums, fill_rows, gather, in_range, scatter_add, width_of
from zen._core._tensor cimport (
    ARRAY, SCALAR, Node, Row, Tensor, hook, hush, new_node, new_scalar, new_tensor, recording, register, register_push,
    set_getitem, tracer, tracing, unhush,
)
from zen._core._types cimport ARGUMENT, COTANGENT, MAXDIMS, OUT, kernel_t
from zen._core._views cimport View, buffer2, view1, view2, view3

from zen._core._dispatch import find

cnp.import_array()

cdef extern from "Python.h":
    ctypedef struct PyTupleObject:
        PyObject** ob_item
    long long PyLong_AsLongLongAndOverflow(object, int*) noexcept
    int PySlice_Unpack(object, Py_ssize_t*, Py_ssize_t*, Py_ssize_t*) except -1
    Py_ssize_t PySlice_AdjustIndices(Py_ssize_t, Py_ssize_t*, Py_ssize_t*, Py_ssize_t) noexcept

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it


include "_operations_matvec.pxi"
include "_operations_stacks.pxi"
include "_operations_matmul.pxi"
include "_operations_reduction.pxi"
include "_operations_tangents.pxi"
include "_operations_moments.pxi"
include "_operations_views.pxi"
include "_operations_joining.pxi"
include "_operations_linear.pxi"
include "_operations_softmax.pxi"
include "_operations_cross_entropy.pxi"
include "_operations_embedding.pxi"
include "_operations_linalg.pxi"
include "_operations_logsumexp.pxi"

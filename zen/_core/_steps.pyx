"""The tangents of one step of a recurrent net. Called by zen/ops/recurrent_tangents.py as `backend.kernels.steps`.

The loops are those of _kernels_tangents.pxi. Arrays are C-contiguous, all float or all double; q is what the tangents
of the states before give to those of the preactivations.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport new_zeros
from zen._core._views cimport View, matrix_at

cnp.import_array()


cdef int check(ndarray a, ndarray like, Py_ssize_t width) except -1:
    # Raise unless a has the rows and dtype of `like`, and is (rows, width).
    if not cnp.PyArray_ISCARRAY_RO(a) or cnp.PyArray_TYPE(a) != cnp.PyArray_TYPE(like) or cnp.PyArray_NDIM(a) != 2:
        raise TypeError("expected matrices of one dtype, float32 or float64, C-contiguous")
    if cnp.PyArray_DIMS(a)[0] != cnp.PyArray_DIMS(like)[0] or cnp.PyArray_DIMS(a)[1] != width:
        raise ValueError("the arrays of a step do not fit one another")
    return 0


cdef View rows_of(ndarray a) noexcept:
    return rows_at(a, cnp.PyArray_DIMS(a)[0], cnp.PyArray_DIMS(a)[1], cnp.PyArray_DIMS(a)[1])


cdef View rows_at(ndarray a, Py_ssize_t rows, Py_ssize_t width, Py_ssize_t step) noexcept:
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    return matrix_at(<char*>cnp.PyArray_DATA(a), rows, width, step * item, item)


cdef int give(View* view, ndarray a, ndarray zeros, ndarray like, Py_ssize_t width) except -1:
    # The rows of a, or for None the beginning of `zeros` as often.
    if a is None:
        view[0] = rows_at(zeros, cnp.PyArray_DIMS(like)[0], width, 0)
        return 0
    check(a, like, width)
    view[0] = rows_of(a)
    return 0


cdef Py_ssize_t width_of(ndarray out) except -1:
    if cnp.PyArray_NDIM(out) != 2 or not has_kernels(cnp.PyArray_TYPE(out)) or not cnp.PyArray_ISCARRAY(out):
        raise TypeError("expected matrices of one dtype, float32 or float64, C-contiguous")
    return cnp.PyArray_DIMS(out)[1]


def lstm_step(
    ndarray gates not None, ndarray before not None, ndarray squashed not None, ndarray q, ndarray drive,
    ndarray dc not None, ndarray out not None
):
    """Writes the tangents of the states to `out`, and makes those of the cells, `dc`, those of the new cells.

    gates (rows, 4 n) and squashed: what the step kept; before: the cells before it. q, drive: (rows, 4 n), or None.
    """
    cdef Py_ssize_t n = width_of(out), size = 4 * n
    cdef ndarray zeros = new_zeros(1, &size, cnp.PyArray_TYPE(out))
    cdef View by_q, by_drive
    check(gates, out, 4 * n)
    check(before, out, n)
    check(squashed, out, n)
    check(dc, out, n)
    if not cnp.PyArray_ISCARRAY(dc):
        raise TypeError("lstm_step: dc is read-only")
    give(&by_q, q, zeros, out, 4 * n)
    give(&by_drive, drive, zeros, out, 4 * n)
    kernels.lstm_tangent[cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE](
        rows_of(gates), rows_of(before), rows_of(squashed), by_q, by_drive, rows_of(dc), rows_of(out))


def gru_step(
    ndarray gates not None, ndarray before not None, ndarray kept not None, ndarray q, ndarray inputs, ndarray states,
    ndarray dh, ndarray out not None
):
    """Writes the tangents of the states to `out`.

    gates (rows, 3 n) and kept: what the step kept; before: the states before it, dh: their tangents or None. q, inputs,
    states: (rows, 3 n), or None.
    """
    cdef Py_ssize_t n = width_of(out), size = 3 * n
    cdef ndarray zeros = new_zeros(1, &size, cnp.PyArray_TYPE(out))
    cdef View by_q, by_inputs, by_states, by_h
    check(gates, out, 3 * n)
    check(before, out, n)
    check(kept, out, n)
    give(&by_q, q, zeros, out, 3 * n)
    give(&by_inputs, inputs, zeros, out, 3 * n)
    give(&by_states, states, zeros, out, 3 * n)
    give(&by_h, dh, zeros, out, n)
    kernels.gru_tangent[cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE](
        rows_of(gates), rows_of(before), rows_of(kept), by_q, by_inputs, by_states, by_h, rows_of(out))

"""The tangents of one step of a recurrent net. Called by zen/ops/recurrent_tangents.py as `backend.kernels.steps`.

The loops are those of _kernels_tangents.pxi. Arrays are C-contiguous, all float or all double; q is what the tangents
of the states before give to those of the preactivations.
"""

cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport new_zeros

cnp.import_array()


cdef int check(ndarray a, ndarray like, Py_ssize_t width) except -1:
    # Raise unless a has the rows and dtype of `like`, and is (rows, width).
    if not cnp.PyArray_ISCARRAY_RO(a) or cnp.PyArray_TYPE(a) != cnp.PyArray_TYPE(like) or cnp.PyArray_NDIM(a) != 2:
        raise TypeError("expected matrices of one dtype, float32 or float64, C-contiguous")
    if cnp.PyArray_DIMS(a)[0] != cnp.PyArray_DIMS(like)[0] or cnp.PyArray_DIMS(a)[1] != width:
        raise ValueError("the arrays of a step do not fit one another")
    return 0


cdef ndarray given(ndarray a, ndarray zeros, ndarray like, Py_ssize_t* step):
    # a, or the row of zeros that stands for None.
    step[0] = cnp.PyArray_DIMS(zeros)[0]
    if a is None:
        step[0] = 0
        return zeros
    check(a, like, step[0])
    return a


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
    cdef Py_ssize_t n = width_of(out), q_step, drive_step, size = 4 * n
    cdef ndarray zeros = new_zeros(1, &size, cnp.PyArray_TYPE(out))
    cdef bint is_double = cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE
    check(gates, out, 4 * n)
    check(before, out, n)
    check(squashed, out, n)
    check(dc, out, n)
    if not cnp.PyArray_ISCARRAY(dc):
        raise TypeError("lstm_step: dc is read-only")
    q, drive = given(q, zeros, out, &q_step), given(drive, zeros, out, &drive_step)
    kernels.lstm_tangent[is_double](
        cnp.PyArray_DATA(gates), cnp.PyArray_DATA(before), cnp.PyArray_DATA(squashed), cnp.PyArray_DATA(q),
        cnp.PyArray_DATA(drive), q_step, drive_step, cnp.PyArray_DATA(dc), cnp.PyArray_DATA(out),
        cnp.PyArray_DIMS(out)[0], n)


def gru_step(
    ndarray gates not None, ndarray before not None, ndarray kept not None, ndarray q, ndarray inputs, ndarray states,
    ndarray dh, ndarray out not None
):
    """Writes the tangents of the states to `out`.

    gates (rows, 3 n) and kept: what the step kept; before: the states before it, dh: their tangents or None. q, inputs,
    states: (rows, 3 n), or None.
    """
    cdef Py_ssize_t n = width_of(out), q_step, inputs_step, states_step, size = 3 * n, dh_step = n
    cdef ndarray zeros = new_zeros(1, &size, cnp.PyArray_TYPE(out))
    cdef bint is_double = cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE
    check(gates, out, 3 * n)
    check(before, out, n)
    check(kept, out, n)
    q, inputs = given(q, zeros, out, &q_step), given(inputs, zeros, out, &inputs_step)
    states = given(states, zeros, out, &states_step)
    if dh is None:
        dh, dh_step = zeros, 0
    else:
        check(dh, out, n)
    kernels.gru_tangent[is_double](
        cnp.PyArray_DATA(gates), cnp.PyArray_DATA(before), cnp.PyArray_DATA(kept), cnp.PyArray_DATA(q),
        cnp.PyArray_DATA(inputs), cnp.PyArray_DATA(states), q_step, inputs_step, states_step, cnp.PyArray_DATA(dh),
        dh_step, cnp.PyArray_DATA(out), cnp.PyArray_DIMS(out)[0], n)

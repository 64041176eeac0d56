from numpy cimport ndarray
from zen._core._tensor cimport Node, Row, Tensor

cdef Tensor apply_row(Row row, tuple inputs, tuple params)
cdef tuple evaluate(Row row, tuple inputs, tuple params)

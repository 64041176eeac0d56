from numpy cimport ndarray

cdef ndarray class_numbers(object x)
cdef ndarray as_rows(ndarray a)
cdef bint gather(ndarray out, ndarray table, ndarray rows)
cdef void scatter_add(ndarray out, ndarray rows, ndarray g, long long skipped)
cdef void fill_rows(ndarray out, ndarray row)
cdef void column_sums(ndarray out, ndarray g, bint accumulate)

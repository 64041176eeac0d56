# The tangents of extremes. Part of _operations.pyx.

cdef bint is_run(tuple axes, int nd, int* first, int* last) except -1:
    # Whether the axes, None for all, are neighbours in rising order; of at least one.
    cdef int k
    first[0], last[0] = 0, nd - 1
    if axes is None:
        return nd > 0
    if len(axes) == 0:
        return False
    first[0], last[0] = axes[0], axes[0]
    for k in range(1, len(axes)):
        if <int>axes[k] != last[0] + 1:
            return False
        last[0] += 1
    return True


cdef object extreme_tangent(Node n, PyObject* t):
    # The mean of the tangents where x is the extreme; NotImplemented where x is not in order, or an extreme is nan.
    cdef object x = n.s0, extremes = n.sy
    cdef ndarray array = x, out, counts, tangent = <ndarray>t
    cdef Py_ssize_t outer = 1, inner = 1, length = 1
    cdef int k, first, last, nd = cnp.PyArray_NDIM(array)
    cdef bint is_double = n.typenum == cnp.NPY_DOUBLE, found
    cdef double d = n.cy
    cdef float f = <float>n.cy
    cdef View seen, moving, y, to, work
    cdef Py_ssize_t item = sizeof(double) if is_double else sizeof(float)
    cdef extreme_tangent_t kernel = kernels.extreme_tangent[is_double]
    if not cnp.PyArray_IS_C_CONTIGUOUS(array) or not is_run(<tuple>n._params[0], nd, &first, &last):
        return NotImplemented
    if n.hy != SCALAR and not cnp.PyArray_IS_C_CONTIGUOUS(<ndarray>extremes):
        return NotImplemented
    for k in range(nd):
        if k < first:
            outer *= cnp.PyArray_DIMS(array)[k]
        elif k <= last:
            length *= cnp.PyArray_DIMS(array)[k]
        else:
            inner *= cnp.PyArray_DIMS(array)[k]
    if n.hy == SCALAR:
        y = buffer2(<void*>&d if is_double else <void*>&f, item, 1, 1)
    else:
        y = view2(extremes, outer, inner)
    if not cnp.PyArray_IS_C_CONTIGUOUS(tangent):
        tangent = contiguous(tangent)
    out, counts = new_array(n.nd, n.dims, n.typenum), new_array(1, &inner, n.typenum)
    seen, moving = view3(array, outer, length, inner), view3(tangent, outer, length, inner)
    to, work = view2(out, outer, inner), view1(counts, inner)
    if outer * length * inner < WORTH:
        found = kernel(seen, y, moving, to, work)
    else:
        with nogil:
            found = kernel(seen, y, moving, to, work)
    if not found:
        return NotImplemented
    return out if n.nd > 0 else <double>(<object>out)

# Part of _optim.pyx: what is done to gradients and averages.

def clear_gradients(list params not None):
    """Set the gradient of each parameter to None."""
    cdef Tensor t
    for t in params:
        if t._node is not None:
            t._node.grad = None


cdef inline double dot(const real* x, const real* y, Py_ssize_t n) noexcept nogil:
    return kernels.dot[real is double](x, y, n)


def sum_of_squares(list arrays not None):
    """The sum of the squares of all elements of arrays of floats, added up in double."""
    cdef ndarray a
    cdef double total = 0
    cdef Py_ssize_t n
    for a in arrays:
        if not has_kernels(cnp.PyArray_TYPE(a)) or not ZEN_READABLE(a):
            a = np.ascontiguousarray(a, dtype=np.float64)
        n = cnp.PyArray_SIZE(a)
        if cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
            total += dot(<float*>cnp.PyArray_DATA(a), <float*>cnp.PyArray_DATA(a), n)
        else:
            total += dot(<double*>cnp.PyArray_DATA(a), <double*>cnp.PyArray_DATA(a), n)
    return total


cdef void scale_loop(real* x, Py_ssize_t n, double factor) noexcept nogil:
    cdef real f = <real>factor
    cdef Py_ssize_t i
    for i in range(n):
        x[i] *= f


def scale(list arrays not None, double factor):
    """Multiply arrays of floats by `factor`, in place."""
    cdef ndarray a
    cdef Py_ssize_t n
    for a in arrays:
        n = cnp.PyArray_SIZE(a)
        if ZEN_SIMPLE(a) and cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
            scale_loop(<float*>cnp.PyArray_DATA(a), n, factor)
        elif ZEN_SIMPLE(a) and cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE:
            scale_loop(<double*>cnp.PyArray_DATA(a), n, factor)
        else:
            np.multiply(a, factor, out=a, casting="same_kind")


cdef void limit_loop(real* x, Py_ssize_t n, double bound) noexcept nogil:
    cdef real b = <real>bound
    cdef Py_ssize_t i
    for i in range(n):
        x[i] = b if x[i] > b else (-b if x[i] < -b else x[i])


def limit(list arrays not None, double bound):
    """Limit arrays of floats to [-bound, bound], in place; NaN stays."""
    cdef ndarray a
    cdef Py_ssize_t n
    for a in arrays:
        n = cnp.PyArray_SIZE(a)
        if ZEN_SIMPLE(a) and cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT:
            limit_loop(<float*>cnp.PyArray_DATA(a), n, bound)
        elif ZEN_SIMPLE(a) and cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE:
            limit_loop(<double*>cnp.PyArray_DATA(a), n, bound)
        else:
            np.clip(a, -bound, bound, out=a)


cdef void blend_loop(real* x, const real* y, Py_ssize_t n, double weight) noexcept nogil:
    cdef real w = <real>weight
    cdef Py_ssize_t i
    for i in range(n):
        x[i] += w * (y[i] - x[i])


def blend(list averages not None, list values not None, double weight):
    """averages += weight * (values - averages), in place, for pairs of arrays of one shape."""
    cdef ndarray a, v
    cdef Py_ssize_t n
    cdef int kind
    for a, v in zip(averages, values, strict=True):
        kind = cnp.PyArray_TYPE(a)
        n = cnp.PyArray_SIZE(a)
        if not same_shape(a, v):
            raise ValueError(f"an average of shape {(<object>a).shape} for values of shape {(<object>v).shape}")
        if ZEN_SIMPLE(a) and ZEN_READABLE(v) and cnp.PyArray_TYPE(v) == kind and kind == cnp.NPY_FLOAT:
            blend_loop(<float*>cnp.PyArray_DATA(a), <float*>cnp.PyArray_DATA(v), n, weight)
        elif ZEN_SIMPLE(a) and ZEN_READABLE(v) and cnp.PyArray_TYPE(v) == kind and kind == cnp.NPY_DOUBLE:
            blend_loop(<double*>cnp.PyArray_DATA(a), <double*>cnp.PyArray_DATA(v), n, weight)
        else:
            a += weight * (v - a)

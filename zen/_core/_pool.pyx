"""Pooling of images: the largest value, or the mean, of windows, and the transposes that carry gradients back.

Along each axis the windows are given as an array of (first, end) pairs, already cut to the image; so one kernel serves
strides, padding, ceiling and adaptive sizes. The positions of largest values are flat positions in the image.
"""

cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array, new_zeros
from zen._core._patches cimport real

cnp.import_array()

cdef struct Windows:
    Py_ssize_t planes, h, w, oh, ow
    Py_ssize_t dh, dw                    # steps within a window
    const Py_ssize_t* down               # oh pairs
    const Py_ssize_t* right              # ow pairs
    bint pairs                           # every window is 2 x 2


cdef ndarray ready(ndarray a):
    if not has_kernels(cnp.PyArray_TYPE(a)) or cnp.PyArray_NDIM(a) != 4:
        raise TypeError("pool: expected an array of four axes, float32 or float64")
    return a if cnp.PyArray_IS_C_CONTIGUOUS(a) and cnp.PyArray_ISBEHAVED_RO(a) else contiguous(a)


cdef ndarray bounds(object given, Py_ssize_t length):
    cdef ndarray a = np.ascontiguousarray(given, np.intp)
    cdef const Py_ssize_t* p = <const Py_ssize_t*>cnp.PyArray_DATA(a)
    cdef Py_ssize_t k
    if cnp.PyArray_NDIM(a) != 2 or cnp.PyArray_DIMS(a)[1] != 2:
        raise ValueError("pool: windows are pairs (first, end)")
    for k in range(cnp.PyArray_DIMS(a)[0]):
        if not 0 <= p[2 * k] < p[2 * k + 1] <= length:
            raise ValueError(f"pool: window {(p[2 * k], p[2 * k + 1])} is empty or leaves an image of length {length}")
    return a


cdef int describe(
    Windows* s, const Py_ssize_t* x, ndarray down, ndarray right, Py_ssize_t dh, Py_ssize_t dw,
) except -1:
    cdef Py_ssize_t k
    s.planes, s.h, s.w = x[0] * x[1], x[2], x[3]
    s.oh, s.ow = cnp.PyArray_DIMS(down)[0], cnp.PyArray_DIMS(right)[0]
    s.down, s.right = <const Py_ssize_t*>cnp.PyArray_DATA(down), <const Py_ssize_t*>cnp.PyArray_DATA(right)
    s.dh, s.dw = dh, dw
    if dh < 1 or dw < 1:
        raise ValueError("pool: dilation is at least 1")
    s.pairs = dh == 1 and dw == 1
    for k in range(s.oh):
        s.pairs = s.pairs and s.down[2 * k + 1] - s.down[2 * k] == 2
    for k in range(s.ow):
        s.pairs = s.pairs and s.right[2 * k + 1] - s.right[2 * k] == 2
    return 0


# --- the largest value


cdef inline bint replaces(real value, real best) noexcept nogil:
    # The first of equal values stays, and nan is larger than any number, as in numpy.argmax.
    return (value > best) | ((value != value) & (best == best))


cdef void largest(Windows* s, const real* x, real* y, Py_ssize_t* index) noexcept nogil:
    cdef Py_ssize_t i, j, a, b, best
    cdef Py_ssize_t at = 0
    for _ in range(s.planes):
        for i in range(s.oh):
            if s.pairs:     # without branches, which random values would make the processor guess wrong
                for j in range(s.ow):
                    a = s.down[2 * i] * s.w + s.right[2 * j]
                    b = a + s.w
                    a += replaces(x[a + 1], x[a])
                    b += replaces(x[b + 1], x[b])
                    best = a + (b - a) * replaces(x[b], x[a])
                    y[at] = x[best]
                    if index != NULL:
                        index[at] = best
                    at += 1
            else:
                for j in range(s.ow):
                    best = largest_of(s, x, i, j)
                    y[at] = x[best]
                    if index != NULL:
                        index[at] = best
                    at += 1
        x += s.h * s.w


cdef inline Py_ssize_t largest_of(Windows* s, const real* x, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    cdef Py_ssize_t row = s.down[2 * i], column, k, best = row * s.w + s.right[2 * j]
    while row < s.down[2 * i + 1]:
        column = s.right[2 * j]
        while column < s.right[2 * j + 1]:
            k = row * s.w + column
            if replaces(x[k], x[best]):
                best = k
            column += s.dw
        row += s.dh
    return best


def max_pool2d(ndarray x not None, down, right, tuple dilation, bint with_index):
    """(largest values of the windows, their positions in the image or None), for x (n, c, h, w)."""
    cdef Windows s
    cdef Py_ssize_t dims[4]
    x = ready(x)
    cdef ndarray rows = bounds(down, cnp.PyArray_DIMS(x)[2]), columns = bounds(right, cnp.PyArray_DIMS(x)[3])
    describe(&s, <Py_ssize_t*>cnp.PyArray_DIMS(x), rows, columns, dilation[0], dilation[1])
    dims[0], dims[1], dims[2], dims[3] = cnp.PyArray_DIMS(x)[0], cnp.PyArray_DIMS(x)[1], s.oh, s.ow
    cdef ndarray y = new_array(4, dims, cnp.PyArray_TYPE(x)), index = None
    cdef Py_ssize_t* positions = NULL
    if with_index:
        index = cnp.PyArray_EMPTY(4, <cnp.npy_intp*>dims, cnp.NPY_INTP, 0)
        positions = <Py_ssize_t*>cnp.PyArray_DATA(index)
    with nogil:
        if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
            largest(&s, <float*>cnp.PyArray_DATA(x), <float*>cnp.PyArray_DATA(y), positions)
        else:
            largest(&s, <double*>cnp.PyArray_DATA(x), <double*>cnp.PyArray_DATA(y), positions)
    return y, index


# --- values at positions, and their transpose


cdef bint move(
    const real* x, const Py_ssize_t* index, real* y, Py_ssize_t planes, Py_ssize_t size, Py_ssize_t count, bint add,
) noexcept nogil:
    # Between images of `size` elements and `count` values of each. False if a position is out of range.
    cdef Py_ssize_t k
    for _ in range(planes):
        for k in range(count):
            if not 0 <= index[k] < size:
                return False
            if add:
                y[index[k]] += x[k]
            else:
                y[k] = x[index[k]]
        index += count
        x += count if add else size
        y += size if add else count
    return True


cdef ndarray positions_of(object index, ndarray like):
    cdef ndarray a = np.ascontiguousarray(index, np.intp)
    if cnp.PyArray_NDIM(a) != 4 or (<object>a).shape[:2] != (<object>like).shape[:2]:
        raise ValueError(f"pool: positions {(<object>a).shape} do not fit {(<object>like).shape}")
    return a


def pool_gather(ndarray x not None, index):
    """The elements of each image of x (n, c, h, w) at flat positions (n, c, oh, ow)."""
    x = ready(x)
    cdef ndarray at = positions_of(index, x)
    cdef ndarray y = new_array(4, <Py_ssize_t*>cnp.PyArray_DIMS(at), cnp.PyArray_TYPE(x))
    run_move(x, at, y, False)
    return y


def pool_scatter(ndarray g not None, index, tuple size):
    """The transpose of `pool_gather`: images of height and width `size` with g added at the positions."""
    g = ready(g)
    cdef ndarray at = positions_of(index, g)
    if (<object>at).shape != (<object>g).shape:
        raise ValueError(f"pool: positions {(<object>at).shape} do not fit {(<object>g).shape}")
    cdef Py_ssize_t dims[4]
    dims[0], dims[1] = cnp.PyArray_DIMS(g)[0], cnp.PyArray_DIMS(g)[1]
    dims[2], dims[3] = size
    cdef ndarray x = new_zeros(4, dims, cnp.PyArray_TYPE(g))
    run_move(g, at, x, True)
    return x


cdef int run_move(ndarray x, ndarray index, ndarray y, bint add) except -1:
    cdef ndarray image = y if add else x
    cdef Py_ssize_t* d = <Py_ssize_t*>cnp.PyArray_DIMS(image)
    cdef Py_ssize_t planes = d[0] * d[1], size = d[2] * d[3]
    cdef Py_ssize_t count = cnp.PyArray_DIMS(index)[2] * cnp.PyArray_DIMS(index)[3]
    cdef Py_ssize_t* at = <Py_ssize_t*>cnp.PyArray_DATA(index)
    cdef bint fits
    with nogil:
        if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
            fits = move(<float*>cnp.PyArray_DATA(x), at, <float*>cnp.PyArray_DATA(y), planes, size, count, add)
        else:
            fits = move(<double*>cnp.PyArray_DATA(x), at, <double*>cnp.PyArray_DATA(y), planes, size, count, add)
    if not fits:
        raise IndexError(f"pool: a position is out of range for images of {size} elements")
    return 0


# --- the mean


cdef void means(Windows* s, const real* x, real* y, const double* tall, const double* wide) noexcept nogil:
    cdef Py_ssize_t i, j, row, column
    cdef const real* line
    cdef real total, scale
    for _ in range(s.planes):
        for i in range(s.oh):
            scale = <real>tall[i]
            if s.pairs:
                line = x + s.down[2 * i] * s.w
                for j in range(s.ow):
                    column = s.right[2 * j]
                    total = line[column] + line[column + 1] + line[column + s.w] + line[column + s.w + 1]
                    y[j] = total * (scale * <real>wide[j])
            else:
                for j in range(s.ow):
                    total = 0
                    for row in range(s.down[2 * i], s.down[2 * i + 1]):
                        line = x + row * s.w
                        for column in range(s.right[2 * j], s.right[2 * j + 1]):
                            total += line[column]
                    y[j] = total * (scale * <real>wide[j])
            y += s.ow
        x += s.h * s.w


cdef void spread(Windows* s, const real* g, real* x, const double* tall, const double* wide) noexcept nogil:
    cdef Py_ssize_t i, j, row, column
    cdef real* line
    cdef real part, scale
    for _ in range(s.planes):
        for i in range(s.oh):
            scale = <real>tall[i]
            for j in range(s.ow):
                part = g[j] * (scale * <real>wide[j])
                for row in range(s.down[2 * i], s.down[2 * i + 1]):
                    line = x + row * s.w
                    for column in range(s.right[2 * j], s.right[2 * j + 1]):
                        line[column] += part
            g += s.ow
        x += s.h * s.w


cdef ndarray factors(object given, Py_ssize_t length):
    cdef ndarray a = np.ascontiguousarray(given, np.float64)
    if cnp.PyArray_NDIM(a) != 1 or cnp.PyArray_DIMS(a)[0] != length:
        raise ValueError(f"pool: {(<object>a).shape} factors for {length} windows")
    return a


def avg_pool2d(ndarray x not None, down, right, tall, wide):
    """Sums over the windows of x (n, c, h, w), times a factor for the row of windows and one for the column."""
    cdef Windows s
    cdef Py_ssize_t dims[4]
    x = ready(x)
    cdef ndarray rows = bounds(down, cnp.PyArray_DIMS(x)[2]), columns = bounds(right, cnp.PyArray_DIMS(x)[3])
    describe(&s, <Py_ssize_t*>cnp.PyArray_DIMS(x), rows, columns, 1, 1)
    cdef ndarray t = factors(tall, s.oh), v = factors(wide, s.ow)
    dims[0], dims[1], dims[2], dims[3] = cnp.PyArray_DIMS(x)[0], cnp.PyArray_DIMS(x)[1], s.oh, s.ow
    cdef ndarray y = new_array(4, dims, cnp.PyArray_TYPE(x))
    with nogil:
        if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
            means(&s, <float*>cnp.PyArray_DATA(x), <float*>cnp.PyArray_DATA(y), <double*>cnp.PyArray_DATA(t),
                  <double*>cnp.PyArray_DATA(v))
        else:
            means(&s, <double*>cnp.PyArray_DATA(x), <double*>cnp.PyArray_DATA(y), <double*>cnp.PyArray_DATA(t),
                  <double*>cnp.PyArray_DATA(v))
    return y


def avg_pool2d_input(ndarray g not None, tuple size, down, right, tall, wide):
    """The transpose of `avg_pool2d` for images of height and width `size`, applied to g (n, c, oh, ow)."""
    cdef Windows s
    cdef Py_ssize_t dims[4]
    g = ready(g)
    dims[0], dims[1] = cnp.PyArray_DIMS(g)[0], cnp.PyArray_DIMS(g)[1]
    dims[2], dims[3] = size
    cdef ndarray rows = bounds(down, dims[2]), columns = bounds(right, dims[3])
    describe(&s, dims, rows, columns, 1, 1)
    if (<object>g).shape[2:] != (s.oh, s.ow):
        raise ValueError(f"pool: a cotangent of shape {(<object>g).shape} for {(s.oh, s.ow)} windows")
    cdef ndarray t = factors(tall, s.oh), v = factors(wide, s.ow)
    cdef ndarray x = new_zeros(4, dims, cnp.PyArray_TYPE(g))
    with nogil:
        if cnp.PyArray_TYPE(g) == cnp.NPY_FLOAT:
            spread(&s, <float*>cnp.PyArray_DATA(g), <float*>cnp.PyArray_DATA(x), <double*>cnp.PyArray_DATA(t),
                   <double*>cnp.PyArray_DATA(v))
        else:
            spread(&s, <double*>cnp.PyArray_DATA(g), <double*>cnp.PyArray_DATA(x), <double*>cnp.PyArray_DATA(t),
                   <double*>cnp.PyArray_DATA(v))
    return x

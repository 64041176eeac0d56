"""Pooling of images: the largest value, or the mean, of windows, and the transposes that carry gradients back.

Along each axis the windows are given as an array of (first, end) pairs, already cut to the image; so one kernel serves
strides, padding, ceiling and adaptive sizes. The positions of largest values are flat positions in the image.
"""

cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array, new_zeros
from zen._core._views cimport View, check_views, view1, view2, view3

cnp.import_array()
check_views()

ctypedef fused real:
    float
    double

# The kernels as they are called, for float and for double. Positions and windows are of intp, factors of double.
ctypedef void (*largest_t)(
    View x, Py_ssize_t w, View down, View right, Py_ssize_t dh, Py_ssize_t dw, bint pairs, View y, View index
) noexcept nogil
ctypedef bint (*move_t)(View x, View index, View y) noexcept nogil
ctypedef void (*mean_t)(
    View x, Py_ssize_t w, View down, View right, View tall, View wide, bint pairs, View y) noexcept nogil
ctypedef void (*mean_vjp_t)(View g, View down, View right, View tall, View wide, View x) noexcept nogil

cdef largest_t[2] LARGEST
cdef move_t[2] GATHER
cdef move_t[2] SCATTER
cdef mean_t[2] MEAN
cdef mean_vjp_t[2] MEAN_VJP

cdef struct Windows:
    Py_ssize_t planes, h, w, oh, ow
    Py_ssize_t dh, dw                    # steps within a window
    bint pairs                           # every window is 2 x 2


cdef inline bint is_double(ndarray a) noexcept nogil:
    return cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE


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
    cdef const Py_ssize_t* d = <const Py_ssize_t*>cnp.PyArray_DATA(down)
    cdef const Py_ssize_t* r = <const Py_ssize_t*>cnp.PyArray_DATA(right)
    cdef Py_ssize_t k
    s.planes, s.h, s.w = x[0] * x[1], x[2], x[3]
    s.oh, s.ow = cnp.PyArray_DIMS(down)[0], cnp.PyArray_DIMS(right)[0]
    s.dh, s.dw = dh, dw
    if dh < 1 or dw < 1:
        raise ValueError("pool: dilation is at least 1")
    s.pairs = dh == 1 and dw == 1
    for k in range(s.oh):
        s.pairs = s.pairs and d[2 * k + 1] - d[2 * k] == 2
    for k in range(s.ow):
        s.pairs = s.pairs and r[2 * k + 1] - r[2 * k] == 2
    return 0


# --- the largest value


cdef inline bint replaces(real value, real best) noexcept nogil:
    # The first of equal values stays, and nan is larger than any number, as in numpy.argmax.
    return (not value <= best) & (best == best)


cdef inline Py_ssize_t largest_of(
    const real[::1] x, Py_ssize_t w, Py_ssize_t top, Py_ssize_t bottom, Py_ssize_t left, Py_ssize_t right,
    Py_ssize_t dh, Py_ssize_t dw,
) noexcept nogil:
    cdef Py_ssize_t row = top, column, k, best = top * w + left
    while row < bottom:
        column = left
        while column < right:
            k = row * w + column
            if replaces(x[k], x[best]):
                best = k
            column += dw
        row += dh
    return best


cdef void largest(
    const real[:, ::1] x, Py_ssize_t w, const Py_ssize_t[:, ::1] down, const Py_ssize_t[:, ::1] right, Py_ssize_t dh,
    Py_ssize_t dw, bint pairs, real[:, :, ::1] y, Py_ssize_t[:, :, ::1] index,
) noexcept nogil:
    # index: without elements where positions are not asked for
    cdef Py_ssize_t p, i, j, a, b, best
    cdef const real[::1] image
    for p in range(y.shape[0]):
        image = x[p]
        for i in range(y.shape[1]):
            if pairs:               # without branches, which random values would make the processor guess wrong
                for j in range(y.shape[2]):
                    a = down[i, 0] * w + right[j, 0]
                    b = a + w
                    a += replaces(image[a + 1], image[a])
                    b += replaces(image[b + 1], image[b])
                    best = a + (b - a) * replaces(image[b], image[a])
                    y[p, i, j] = image[best]
                    if index.shape[0] > 0:
                        index[p, i, j] = best
            else:
                for j in range(y.shape[2]):
                    best = largest_of(image, w, down[i, 0], down[i, 1], right[j, 0], right[j, 1], dh, dw)
                    y[p, i, j] = image[best]
                    if index.shape[0] > 0:
                        index[p, i, j] = best


LARGEST[0], LARGEST[1] = <largest_t> <void*> largest[float], <largest_t> <void*> largest[double]


def max_pool2d(ndarray x not None, down, right, tuple dilation, bint with_index):
    """(largest values of the windows, their positions in the image or None), for x (n, c, h, w)."""
    cdef Windows s
    cdef Py_ssize_t dims[4]
    x = ready(x)
    cdef ndarray rows = bounds(down, cnp.PyArray_DIMS(x)[2]), columns = bounds(right, cnp.PyArray_DIMS(x)[3])
    describe(&s, <Py_ssize_t*>cnp.PyArray_DIMS(x), rows, columns, dilation[0], dilation[1])
    dims[0], dims[1], dims[2], dims[3] = cnp.PyArray_DIMS(x)[0], cnp.PyArray_DIMS(x)[1], s.oh, s.ow
    cdef ndarray y = new_array(4, dims, cnp.PyArray_TYPE(x)), index = None
    if with_index:
        index = cnp.PyArray_EMPTY(4, <cnp.npy_intp*>dims, cnp.NPY_INTP, 0)
    with nogil:
        LARGEST[is_double(x)](
            view2(x, s.planes, s.h * s.w), s.w, view2(rows, s.oh, 2), view2(columns, s.ow, 2), s.dh, s.dw, s.pairs,
            view3(y, s.planes, s.oh, s.ow), view3(index, s.planes, s.oh, s.ow))
    return y, index


# --- values at positions, and their transpose


cdef bint gather(const real[:, ::1] x, const Py_ssize_t[:, ::1] index, real[:, ::1] y) noexcept nogil:
    # False if a position is out of range
    cdef Py_ssize_t p, k
    for p in range(index.shape[0]):
        for k in range(index.shape[1]):
            if not 0 <= index[p, k] < x.shape[1]:
                return False
            y[p, k] = x[p, index[p, k]]
    return True


cdef bint scatter(const real[:, ::1] g, const Py_ssize_t[:, ::1] index, real[:, ::1] x) noexcept nogil:
    cdef Py_ssize_t p, k
    for p in range(index.shape[0]):
        for k in range(index.shape[1]):
            if not 0 <= index[p, k] < x.shape[1]:
                return False
            x[p, index[p, k]] += g[p, k]
    return True


GATHER[0], GATHER[1] = <move_t> <void*> gather[float], <move_t> <void*> gather[double]
SCATTER[0], SCATTER[1] = <move_t> <void*> scatter[float], <move_t> <void*> scatter[double]


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
    cdef const Py_ssize_t* d = <const Py_ssize_t*>cnp.PyArray_DIMS(image)
    cdef Py_ssize_t planes = d[0] * d[1], size = d[2] * d[3], count
    cdef bint fits
    cdef move_t kernel = SCATTER[is_double(x)] if add else GATHER[is_double(x)]
    count = cnp.PyArray_DIMS(index)[2] * cnp.PyArray_DIMS(index)[3]
    with nogil:
        fits = kernel(
            view2(x, planes, count if add else size), view2(index, planes, count),
            view2(y, planes, size if add else count))
    if not fits:
        raise IndexError(f"pool: a position is out of range for images of {size} elements")
    return 0


# --- the mean


cdef void mean(
    const real[:, ::1] x, Py_ssize_t w, const Py_ssize_t[:, ::1] down, const Py_ssize_t[:, ::1] right,
    const double[::1] tall, const double[::1] wide, bint pairs, real[:, :, ::1] y,
) noexcept nogil:
    # tall, wide: what the sum over a window is multiplied by, for its rows and for its columns
    cdef Py_ssize_t p, i, j, row, k
    cdef real total, scale
    cdef const real[::1] image
    for p in range(y.shape[0]):
        image = x[p]
        for i in range(y.shape[1]):
            scale = <real>tall[i]
            if pairs:
                for j in range(y.shape[2]):
                    k = down[i, 0] * w + right[j, 0]
                    total = image[k] + image[k + 1] + image[k + w] + image[k + w + 1]
                    y[p, i, j] = total * (scale * <real>wide[j])
            else:
                for j in range(y.shape[2]):
                    total = 0
                    for row in range(down[i, 0], down[i, 1]):
                        for k in range(row * w + right[j, 0], row * w + right[j, 1]):
                            total += image[k]
                    y[p, i, j] = total * (scale * <real>wide[j])


cdef void mean_vjp(
    const real[:, :, ::1] g, const Py_ssize_t[:, ::1] down, const Py_ssize_t[:, ::1] right, const double[::1] tall,
    const double[::1] wide, real[:, :, ::1] x,
) noexcept nogil:
    # Adds to x, which holds zeros.
    cdef Py_ssize_t p, i, j, row, column, top, bottom, first, end
    cdef real part, scale
    for p in range(g.shape[0]):
        for i in range(g.shape[1]):
            scale, top, bottom = <real>tall[i], down[i, 0], down[i, 1]
            for j in range(g.shape[2]):
                part, first, end = g[p, i, j] * (scale * <real>wide[j]), right[j, 0], right[j, 1]
                for row in range(top, bottom):
                    for column in range(first, end):
                        x[p, row, column] += part


MEAN[0], MEAN[1] = <mean_t> <void*> mean[float], <mean_t> <void*> mean[double]
MEAN_VJP[0], MEAN_VJP[1] = <mean_vjp_t> <void*> mean_vjp[float], <mean_vjp_t> <void*> mean_vjp[double]


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
        MEAN[is_double(x)](
            view2(x, s.planes, s.h * s.w), s.w, view2(rows, s.oh, 2), view2(columns, s.ow, 2), view1(t, s.oh),
            view1(v, s.ow), s.pairs, view3(y, s.planes, s.oh, s.ow))
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
        MEAN_VJP[is_double(g)](
            view3(g, s.planes, s.oh, s.ow), view2(rows, s.oh, 2), view2(columns, s.ow, 2), view1(t, s.oh),
            view1(v, s.ow), view3(x, s.planes, s.h, s.w))
    return x

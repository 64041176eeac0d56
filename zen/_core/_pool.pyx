"""Pooling of images: the largest value, or the mean, of windows, and the transposes that carry gradients back.

Along each axis the windows are given as an array of (first, end) pairs, already cut to the image; so one kernel serves
strides, padding, ceiling and adaptive sizes. The positions of largest values are flat positions in the image. Plans
(see _plan.pxd) are made for sizes; their buffers are C-contiguous.
"""

from libc.string cimport memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array
from zen._core._plan cimport Plan, execute_t, run, start
from zen._core._views cimport View, buffer1, buffer2, buffer3, check_views

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

cdef enum:
    WORTH = 1 << 14      # elements from which releasing the GIL is worth it

cdef enum:               # the buffers; NULL for those that a plan does not have
    IMAGES = 0           # of the height and width of the plan
    POOLED = 1           # with an element for each window or position
    INDEX = 2            # of intp, as the next two
    DOWN = 3
    RIGHT = 4
    TALL = 5             # of double, as the next
    WIDE = 6
    FITS = 7             # one bint: whether every position lies in the image. Else the result is not to be used
    BUFFERS = 8

cdef struct Windows:
    Plan plan
    Py_ssize_t planes, h, w, oh, ow
    Py_ssize_t dh, dw                    # steps within a window
    bint pairs                           # every window is 2 x 2


# --- the plan


cdef inline bint is_double(const Plan* plan) noexcept nogil:
    return plan.typenum == cnp.NPY_DOUBLE


cdef inline void* data(ndarray a) noexcept nogil:
    return NULL if a is None else cnp.PyArray_DATA(a)


cdef ndarray ready(ndarray a):
    if not has_kernels(cnp.PyArray_TYPE(a)) or cnp.PyArray_NDIM(a) != 4:
        raise TypeError("pool: expected an array of four axes, float32 or float64")
    return a if cnp.PyArray_IS_C_CONTIGUOUS(a) and cnp.PyArray_ISBEHAVED_RO(a) else contiguous(a)


cdef ndarray images(ndarray like, Py_ssize_t h, Py_ssize_t w, int typenum):
    # As many as there are in `like`, of another size.
    cdef Py_ssize_t dims[4]
    dims[0], dims[1], dims[2], dims[3] = cnp.PyArray_DIMS(like)[0], cnp.PyArray_DIMS(like)[1], h, w
    if typenum == cnp.NPY_INTP:
        return cnp.PyArray_EMPTY(4, <cnp.npy_intp*>dims, typenum, 0)
    return new_array(4, dims, typenum)


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


cdef void plan_sizes(
    Windows* s, execute_t execute, ndarray like, Py_ssize_t h, Py_ssize_t w, Py_ssize_t oh, Py_ssize_t ow
) noexcept:
    # like: of the dtype, with as many images.
    s.planes = cnp.PyArray_DIMS(like)[0] * cnp.PyArray_DIMS(like)[1]
    s.h, s.w, s.oh, s.ow = h, w, oh, ow
    start(&s.plan, execute, cnp.PyArray_TYPE(like), s.planes * max(h * w, oh * ow) < WORTH)


cdef int plan_windows(
    Windows* s, execute_t execute, ndarray like, Py_ssize_t h, Py_ssize_t w, ndarray down, ndarray right,
    Py_ssize_t dh, Py_ssize_t dw,
) except -1:
    cdef const Py_ssize_t* d = <const Py_ssize_t*>cnp.PyArray_DATA(down)
    cdef const Py_ssize_t* r = <const Py_ssize_t*>cnp.PyArray_DATA(right)
    cdef Py_ssize_t k
    plan_sizes(s, execute, like, h, w, cnp.PyArray_DIMS(down)[0], cnp.PyArray_DIMS(right)[0])
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


cdef void execute_largest(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Windows* s = <const Windows*>plan
    LARGEST[is_double(plan)](
        buffer2(p[IMAGES], plan.item, s.planes, s.h * s.w), s.w, buffer2(p[DOWN], sizeof(Py_ssize_t), s.oh, 2),
        buffer2(p[RIGHT], sizeof(Py_ssize_t), s.ow, 2), s.dh, s.dw, s.pairs,
        buffer3(p[POOLED], plan.item, s.planes, s.oh, s.ow),
        buffer3(p[INDEX], sizeof(Py_ssize_t), s.planes, s.oh, s.ow))


def max_pool2d(ndarray x not None, down, right, tuple dilation, bint with_index):
    """(largest values of the windows, their positions in the image or None), for x (n, c, h, w)."""
    cdef Windows s
    cdef void* p[BUFFERS]
    x = ready(x)
    cdef Py_ssize_t h = cnp.PyArray_DIMS(x)[2], w = cnp.PyArray_DIMS(x)[3]
    cdef ndarray rows = bounds(down, h), columns = bounds(right, w)
    plan_windows(&s, execute_largest, x, h, w, rows, columns, dilation[0], dilation[1])
    cdef ndarray y = images(x, s.oh, s.ow, s.plan.typenum)
    cdef ndarray index = images(x, s.oh, s.ow, cnp.NPY_INTP) if with_index else None
    p[IMAGES], p[DOWN], p[RIGHT], p[POOLED], p[INDEX] = data(x), data(rows), data(columns), data(y), data(index)
    run(&s.plan, p)
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


cdef void execute_gather(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Windows* s = <const Windows*>plan
    cdef Py_ssize_t count = s.oh * s.ow
    (<bint*>p[FITS])[0] = GATHER[is_double(plan)](
        buffer2(p[IMAGES], plan.item, s.planes, s.h * s.w), buffer2(p[INDEX], sizeof(Py_ssize_t), s.planes, count),
        buffer2(p[POOLED], plan.item, s.planes, count))


cdef void execute_scatter(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Windows* s = <const Windows*>plan
    cdef Py_ssize_t count = s.oh * s.ow, size = s.h * s.w
    memset(p[IMAGES], 0, s.planes * size * plan.item)
    (<bint*>p[FITS])[0] = SCATTER[is_double(plan)](
        buffer2(p[POOLED], plan.item, s.planes, count), buffer2(p[INDEX], sizeof(Py_ssize_t), s.planes, count),
        buffer2(p[IMAGES], plan.item, s.planes, size))


cdef int move(Windows* s, ndarray index, ndarray x, ndarray y) except -1:
    # Between the images x and what is pooled, y.
    cdef void* p[BUFFERS]
    cdef bint fits = True
    p[IMAGES], p[INDEX], p[POOLED], p[FITS] = data(x), data(index), data(y), &fits
    run(&s.plan, p)
    if not fits:
        raise IndexError(f"pool: a position is out of range for images of {s.h * s.w} elements")
    return 0


def pool_gather(ndarray x not None, index):
    """The elements of each image of x (n, c, h, w) at flat positions (n, c, oh, ow)."""
    cdef Windows s
    x = ready(x)
    cdef ndarray at = positions_of(index, x)
    cdef Py_ssize_t* own = <Py_ssize_t*>cnp.PyArray_DIMS(x)
    cdef Py_ssize_t* pooled = <Py_ssize_t*>cnp.PyArray_DIMS(at)
    cdef ndarray y = images(x, pooled[2], pooled[3], cnp.PyArray_TYPE(x))
    plan_sizes(&s, execute_gather, x, own[2], own[3], pooled[2], pooled[3])
    move(&s, at, x, y)
    return y


def pool_scatter(ndarray g not None, index, tuple size):
    """The transpose of `pool_gather`: images of height and width `size` with g added at the positions."""
    cdef Windows s
    cdef Py_ssize_t h, w
    g = ready(g)
    cdef ndarray at = positions_of(index, g)
    if (<object>at).shape != (<object>g).shape:
        raise ValueError(f"pool: positions {(<object>at).shape} do not fit {(<object>g).shape}")
    h, w = size
    cdef ndarray x = images(g, h, w, cnp.PyArray_TYPE(g))
    plan_sizes(&s, execute_scatter, g, h, w, cnp.PyArray_DIMS(g)[2], cnp.PyArray_DIMS(g)[3])
    move(&s, at, x, g)
    return x


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
    # Adds to x.
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


cdef void execute_mean(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Windows* s = <const Windows*>plan
    MEAN[is_double(plan)](
        buffer2(p[IMAGES], plan.item, s.planes, s.h * s.w), s.w, buffer2(p[DOWN], sizeof(Py_ssize_t), s.oh, 2),
        buffer2(p[RIGHT], sizeof(Py_ssize_t), s.ow, 2), buffer1(p[TALL], sizeof(double), s.oh),
        buffer1(p[WIDE], sizeof(double), s.ow), s.pairs, buffer3(p[POOLED], plan.item, s.planes, s.oh, s.ow))


cdef void execute_mean_vjp(const Plan* plan, void** p, char* workspace) noexcept nogil:
    cdef const Windows* s = <const Windows*>plan
    memset(p[IMAGES], 0, s.planes * s.h * s.w * plan.item)
    MEAN_VJP[is_double(plan)](
        buffer3(p[POOLED], plan.item, s.planes, s.oh, s.ow), buffer2(p[DOWN], sizeof(Py_ssize_t), s.oh, 2),
        buffer2(p[RIGHT], sizeof(Py_ssize_t), s.ow, 2), buffer1(p[TALL], sizeof(double), s.oh),
        buffer1(p[WIDE], sizeof(double), s.ow), buffer3(p[IMAGES], plan.item, s.planes, s.h, s.w))


def avg_pool2d(ndarray x not None, down, right, tall, wide):
    """Sums over the windows of x (n, c, h, w), times a factor for the row of windows and one for the column."""
    cdef Windows s
    cdef void* p[BUFFERS]
    x = ready(x)
    cdef Py_ssize_t h = cnp.PyArray_DIMS(x)[2], w = cnp.PyArray_DIMS(x)[3]
    cdef ndarray rows = bounds(down, h), columns = bounds(right, w)
    plan_windows(&s, execute_mean, x, h, w, rows, columns, 1, 1)
    cdef ndarray t = factors(tall, s.oh), v = factors(wide, s.ow), y = images(x, s.oh, s.ow, s.plan.typenum)
    p[IMAGES], p[DOWN], p[RIGHT], p[TALL], p[WIDE], p[POOLED] = (
        data(x), data(rows), data(columns), data(t), data(v), data(y))
    run(&s.plan, p)
    return y


def avg_pool2d_input(ndarray g not None, tuple size, down, right, tall, wide):
    """The transpose of `avg_pool2d` for images of height and width `size`, applied to g (n, c, oh, ow)."""
    cdef Windows s
    cdef void* p[BUFFERS]
    cdef Py_ssize_t h, w
    g = ready(g)
    h, w = size
    cdef ndarray rows = bounds(down, h), columns = bounds(right, w)
    plan_windows(&s, execute_mean_vjp, g, h, w, rows, columns, 1, 1)
    if (<object>g).shape[2:] != (s.oh, s.ow):
        raise ValueError(f"pool: a cotangent of shape {(<object>g).shape} for {(s.oh, s.ow)} windows")
    cdef ndarray t = factors(tall, s.oh), v = factors(wide, s.ow), x = images(g, h, w, s.plan.typenum)
    p[POOLED], p[DOWN], p[RIGHT], p[TALL], p[WIDE], p[IMAGES] = (
        data(g), data(rows), data(columns), data(t), data(v), data(x))
    run(&s.plan, p)
    return x

# Pooling of images. Called by _pool.pyx, which says what windows are: pairs (first, end), already cut to the image.
#
# Positions are those in a flat image. `pairs`: every window is 2 x 2.


cdef inline bint replaces(real value, real best) noexcept nogil:
    # The first of equal values stays, and nan is larger than any number, as in numpy.argmax.
    return (value > best) | ((value != value) & (best == best))


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


cdef void pool_largest(
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


cdef bint pool_gather(const real[:, ::1] x, const Py_ssize_t[:, ::1] index, real[:, ::1] y) noexcept nogil:
    # False if a position is out of range
    cdef Py_ssize_t p, k
    for p in range(index.shape[0]):
        for k in range(index.shape[1]):
            if not 0 <= index[p, k] < x.shape[1]:
                return False
            y[p, k] = x[p, index[p, k]]
    return True


cdef bint pool_scatter(const real[:, ::1] g, const Py_ssize_t[:, ::1] index, real[:, ::1] x) noexcept nogil:
    cdef Py_ssize_t p, k
    for p in range(index.shape[0]):
        for k in range(index.shape[1]):
            if not 0 <= index[p, k] < x.shape[1]:
                return False
            x[p, index[p, k]] += g[p, k]
    return True


cdef void pool_mean(
    const real[:, :, ::1] x, const Py_ssize_t[:, ::1] down, const Py_ssize_t[:, ::1] right, const double[::1] tall,
    const double[::1] wide, bint pairs, real[:, :, ::1] y,
) noexcept nogil:
    # tall, wide: what the sum over a window is multiplied by, for its rows and for its columns
    cdef Py_ssize_t p, i, j, row, column, top, bottom, first, end
    cdef real total, scale
    cdef const real[:, ::1] image
    for p in range(y.shape[0]):
        image = x[p]
        for i in range(y.shape[1]):
            scale, top, bottom = <real>tall[i], down[i, 0], down[i, 1]
            if pairs:
                for j in range(y.shape[2]):
                    column = right[j, 0]
                    total = image[top, column] + image[top, column + 1]
                    total = total + image[top + 1, column] + image[top + 1, column + 1]
                    y[p, i, j] = total * (scale * <real>wide[j])
            else:
                for j in range(y.shape[2]):
                    total, first, end = 0, right[j, 0], right[j, 1]
                    for row in range(top, bottom):
                        for column in range(first, end):
                            total += image[row, column]
                    y[p, i, j] = total * (scale * <real>wide[j])


cdef void pool_mean_vjp(
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


cdef void fill_pool(Kernels* k) noexcept:
    k.pool_largest[0] = <pool_largest_t> <void*> pool_largest[float]
    k.pool_largest[1] = <pool_largest_t> <void*> pool_largest[double]
    k.pool_gather[0], k.pool_gather[1] = <move_t> <void*> pool_gather[float], <move_t> <void*> pool_gather[double]
    k.pool_scatter[0], k.pool_scatter[1] = <move_t> <void*> pool_scatter[float], <move_t> <void*> pool_scatter[double]
    k.pool_mean[0], k.pool_mean[1] = <pool_mean_t> <void*> pool_mean[float], <pool_mean_t> <void*> pool_mean[double]
    k.pool_mean_vjp[0] = <pool_mean_vjp_t> <void*> pool_mean_vjp[float]
    k.pool_mean_vjp[1] = <pool_mean_vjp_t> <void*> pool_mean_vjp[double]

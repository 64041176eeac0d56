# Between images, the columns of patches that a tile sees, and the tile of the output. Part of _conv.pyx.
#
# Lines of pixels are copied by their addresses: what copies a line is shorter than a call of the C library.

ctypedef fused real:
    float
    double


cdef inline Py_ssize_t clamp(Py_ssize_t value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    return low if value < low else (high if value > high else value)


cdef inline Py_ssize_t first_from(Py_ssize_t position, Py_ssize_t step) noexcept nogil:
    # The smallest j >= 0 with j * step >= position.
    return (position + step - 1) // step if position > 0 else 0


cdef inline real* beginning(real[::1] a) noexcept nogil:
    return &a[0] if a.shape[0] > 0 else NULL


cdef inline void gather(
    const Geometry* s, const Tile* t, const real[:, :, :, ::1] x, real[::1] columns
) noexcept nogil:
    # Fills `columns` for the tile: zeros where a patch reaches over the edge.
    cdef Py_ssize_t c, ky, kx, q, i, j, y, lo, hi, shift, n = t.cols, h = s.h, step = s.sw, at = 0
    cdef Py_ssize_t first = t.image, last = t.image + t.images
    for c in range(t.group * s.cg, (t.group + 1) * s.cg):
        for ky in range(s.fold):
            for kx in range(s.kw):
                shift = kx * s.dw - s.pw
                lo = clamp(first_from(-shift, step) - t.col, 0, n)
                hi = clamp(first_from(s.w - shift, step) - t.col, lo, n)
                shift += t.col * step
                for q in range(t.span):
                    y = (t.row + q) * s.sh + ky * s.dh - s.ph
                    if y < 0 or y >= h or hi == lo:
                        for j in range((last - first) * n):
                            columns[at + j] = 0
                        at += (last - first) * n
                        continue
                    for i in range(first, last):
                        for j in range(lo):
                            columns[at + j] = 0
                        if step == 1:
                            zen_copy(&columns[at + lo], &x[i, c, y, shift + lo], (hi - lo) * sizeof(real))
                        else:
                            for j in range(lo, hi):
                                columns[at + j] = x[i, c, y, shift + j * step]
                        for j in range(hi, n):
                            columns[at + j] = 0
                        at += n


cdef inline void scatter(
    const Geometry* s, const Tile* t, const real[::1] columns, real[:, :, :, ::1] x
) noexcept nogil:
    # Adds `columns` to the pixels that they stand for: the transpose of `gather`.
    cdef Py_ssize_t c, ky, kx, q, i, j, y, lo, hi, shift, n = t.cols, h = s.h, step = s.sw, at = 0
    cdef Py_ssize_t first = t.image, last = t.image + t.images
    for c in range(t.group * s.cg, (t.group + 1) * s.cg):
        for ky in range(s.fold):
            for kx in range(s.kw):
                shift = kx * s.dw - s.pw
                lo = clamp(first_from(-shift, step) - t.col, 0, n)
                hi = clamp(first_from(s.w - shift, step) - t.col, lo, n)
                shift += t.col * step
                for q in range(t.span):
                    y = (t.row + q) * s.sh + ky * s.dh - s.ph
                    if y < 0 or y >= h:
                        at += (last - first) * n
                        continue
                    for i in range(first, last):
                        if step == 1:
                            for j in range(lo, hi):
                                x[i, c, y, shift + j] += columns[at + j]
                        else:
                            for j in range(lo, hi):
                                x[i, c, y, shift + j * step] += columns[at + j]
                        at += n


cdef inline void exchange(
    const Geometry* s, const Tile* t, real[::1] side, real[:, :, :, ::1] y, bint inward
) noexcept nogil:
    # Copies the tile between the output and `side`, in the order of `columns`.
    cdef Py_ssize_t o, r, i, at = 0
    cdef size_t nbytes = t.cols * sizeof(real)
    for o in range(t.group * s.og, (t.group + 1) * s.og):
        for r in range(t.row, t.row + t.rows):
            for i in range(t.image, t.image + t.images):
                if inward:
                    zen_copy(&side[at], &y[i, o, r, t.col], nbytes)
                else:
                    zen_copy(&y[i, o, r, t.col], &side[at], nbytes)
                at += t.cols


cdef inline void turn(
    const Geometry* s, const Tile* t, real[::1] side, const real[:, :, :, ::1] y
) noexcept nogil:
    # Copies the tile from the output to `side`, a row for each position and a column for each channel.
    cdef Py_ssize_t o, r, i, j, first = t.group * s.og, at = 0
    for r in range(t.row, t.row + t.rows):
        for i in range(t.image, t.image + t.images):
            for j in range(t.col, t.col + t.cols):
                for o in range(s.og):
                    side[at + o] = y[i, first + o, r, j]
                at += s.og


# --- weights


cdef void pack(const real[:, :, ::1] w, real[:, :, ::1] packed) noexcept nogil:
    # (o * cg, kh, kw) as (kh, o * cg, kw)
    cdef Py_ssize_t i, ky, kx
    for ky in range(packed.shape[0]):
        for i in range(packed.shape[1]):
            for kx in range(packed.shape[2]):
                packed[ky, i, kx] = w[i, ky, kx]


cdef void unpack(const Geometry* s, const real[:, ::1] packed, real[:, :, ::1] w) noexcept nogil:
    # From (parts * groups * k, og), which the products of `backward_weight` make, to (o, cg, kh * kw).
    cdef Py_ssize_t part, group, c, i, o, size = s.fold * s.kw, at = 0
    for part in range(s.kh // s.fold):
        for group in range(s.groups):
            for c in range(s.cg):
                for i in range(size):
                    for o in range(s.og):
                        w[group * s.og + o, c, part * size + i] = packed[at, o]
                    at += 1

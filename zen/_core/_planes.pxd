# How the direct loops of `_kernels_planes.pxi` lay planes out, for convolutions in which every input channel is a
# group.
#
# A plane is copied to the workspace with zeros around it, in rows of `pitch` elements; where the convolution strides
# over it, it is split into phases, each with every stride-th row and column. What any position of the kernel sees is
# then the same run of memory, `at` elements further on: a sum over the positions is one long vector loop, whatever the
# length of an output row. Between the rows of its result lie `pitch` minus the row's length elements that mean nothing.
#
# The input's gradient is laid out the other way about: the cotangent is the plane that is copied, and each phase of the
# result is a sum over the kernel's positions that reach it.

from zen._core._patches cimport FEW, TILE, Geometry

cdef enum:
    TAPS = 64           # positions of a kernel, at most
    OUTPUTS = 4         # of a group, at most: more of them keep a matrix product busy
    STRIDE = 4          # at most
    SLACK = 16          # elements after a plane that a vector may read or write
    BAND = 1 << 15      # bytes of a plane that are worked on at a time: they stay in the level 1 cache

cdef enum:
    FORWARD = 0
    INPUT = 1
    WEIGHT = 2


cdef struct Planes:
    Py_ssize_t h, w                             # of the plane that is copied
    Py_ssize_t sh, sw, top, left                # its phases, and the zeros before it
    Py_ssize_t height, width                    # of the result, or of one phase of it
    Py_ssize_t rows, depth, pitch               # of the result worked on at a time; those that they see; a row's length
    Py_ssize_t bands                            # how often `rows`, to have all
    Py_ssize_t parts                            # phases of the result
    Py_ssize_t first[STRIDE * STRIDE + 1]       # the taps of each phase
    Py_ssize_t at[TAPS]                         # what a tap sees, from what the result's element has its place
    Py_ssize_t tap[TAPS]                        # its number in the kernel


cdef inline Py_ssize_t planes_size(const Planes* p) noexcept nogil:
    # Elements of the workspace: the copied plane, then the phases of the result, or the second plane.
    return p.sh * p.sw * p.depth * p.pitch + SLACK + p.parts * part_size(p)


cdef inline Py_ssize_t part_size(const Planes* p) noexcept nogil:
    return p.rows * p.pitch + SLACK


cdef inline bint plan_planes(Planes* p, const Geometry* s, int task, Py_ssize_t item) noexcept nogil:
    """Whether the direct loops are to be used, and how."""
    cdef Py_ssize_t memory = max(min(<Py_ssize_t>TILE, s.n * s.c * s.h * s.w * item), <Py_ssize_t>FEW)
    cdef Py_ssize_t low, across, left
    if (s.cg != 1 or s.og > OUTPUTS or s.og < 1 or s.kh * s.kw > TAPS or s.sh > STRIDE or s.sw > STRIDE
            or s.n * s.oh * s.ow * s.h * s.w == 0 or s.kh * s.kw == 1):
        return False
    if task == INPUT:
        p.h, p.w, p.sh, p.sw, p.parts = s.oh, s.ow, 1, 1, s.sh * s.sw
        p.height, p.width = (s.h + s.sh - 1) // s.sh, (s.w + s.sw - 1) // s.sw
        low, left = lowest(s.kh, s.dh, s.sh, s.ph), lowest(s.kw, s.dw, s.sw, s.pw)
        p.top, p.left = -low, -left
        p.depth, across = (s.ph + s.sh - 1) // s.sh - low, (s.pw + s.sw - 1) // s.sw - left
    else:
        p.h, p.w, p.sh, p.sw, p.parts = s.h, s.w, s.sh, s.sw, 1
        p.height, p.width, p.top, p.left = s.oh, s.ow, s.ph, s.pw
        p.depth, across = (s.kh - 1) * s.dh // s.sh, (s.kw - 1) * s.dw // s.sw
    p.pitch = p.width + across
    p.rows = (<Py_ssize_t>BAND // item // p.pitch - p.sh * p.sw * p.depth) // (p.sh * p.sw + p.parts)
    p.rows = min(max(p.rows, p.depth, 1), p.height)
    p.bands = (p.height + p.rows - 1) // p.rows
    p.depth += p.rows
    place_taps(p, s, task)
    return planes_size(p) * item <= memory


cdef inline Py_ssize_t lowest(Py_ssize_t kernel, Py_ssize_t step, Py_ssize_t stride, Py_ssize_t padding) noexcept nogil:
    # Where the last position of the kernel sees the output, from the input's place: rounded down.
    cdef Py_ssize_t reach = (kernel - 1) * step - padding
    return -((reach + stride - 1) // stride) if reach > 0 else (-reach) // stride


cdef inline void place_taps(Planes* p, const Geometry* s, int task) noexcept nogil:
    cdef Py_ssize_t a, b, ky, kx, y, x, count = 0
    for a in range(s.sh if task == INPUT else 1):
        for b in range(s.sw if task == INPUT else 1):
            p.first[a * s.sw + b] = count
            for ky in range(s.kh):
                for kx in range(s.kw):
                    y, x = ky * s.dh, kx * s.dw
                    if task != INPUT:
                        p.at[count] = ((y % s.sh * s.sw + x % s.sw) * p.depth + y // s.sh) * p.pitch + x // s.sw
                    else:
                        # Both are not negative: so many rows and columns of zeros stand before the plane.
                        y, x = a + s.ph - y + p.top * s.sh, b + s.pw - x + p.left * s.sw
                        if y % s.sh or x % s.sw:
                            continue
                        p.at[count] = y // s.sh * p.pitch + x // s.sw
                    p.tap[count] = ky * s.kw + kx
                    count += 1
    p.first[p.parts] = count

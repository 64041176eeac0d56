"""Convolution of images and its two derivatives, by matrix products over columns of patches (see _patches.pxd).

The output is the weights, a row for each output channel, times the columns. A tile of one image is written where it
lies, for its rows are `oh * ow` apart; a tile of several images goes through the workspace `side`. Where `columns` are
made for one row of the kernel, the product becomes one for each of the kernel's rows, which add up; the weights are
then read from a copy in which the kernel's rows are outermost.

Where every input channel is a group of its own there is little to multiply: direct loops (see _planes.pxd).

One plan (see _plan.pxd) serves the convolution and both derivatives; its buffers are C-contiguous. The workspace is at
most twice the input: one tile, of a megabyte at most and no more than the input, and the copy of the weights, which is
made only where it is no larger than the input. (Small inputs: 64 KiB, or 16 positions.)
"""

from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._memory cimport contiguous, new_array
from zen._core._patches cimport (
    Geometry, Tile, columns_size, exchange, first_tile, gather, next_tile, output, plan_tiles, real, scatter,
    side_size, turn,
)
from zen._core._plan cimport Plan, reserve, run, start
from zen._core._planes cimport FORWARD, INPUT, WEIGHT, Planes, plan_planes, planes_size

cnp.import_array()

cdef enum:              # the buffers; which of them is written, the task says
    X = 0
    W = 1
    BIAS = 2            # may be NULL
    Y = 3
    BUFFERS = 4

cdef struct Convolution:
    Plan plan
    int task
    bint small          # products on one thread
    Py_ssize_t columns, side, packed    # in the workspace; `packed` is -1 where the weights serve as they lie
    Geometry s
    Planes planes       # of the direct loops alone


cdef void pack(const Geometry* s, const real* w, real* packed) noexcept nogil:
    """The weights (o, cg, kh, kw) as (kh, o, cg, kw)."""
    cdef Py_ssize_t ky, i
    for ky in range(s.kh):
        for i in range(s.o * s.cg):
            memcpy(packed, w + (i * s.kh + ky) * s.kw, s.kw * sizeof(real))
            packed += s.kw


cdef void unpack(const Geometry* s, const real* packed, real* w) noexcept nogil:
    """From (parts, groups, k, og), which the products of `backward_weight` make to (o, cg, kh, kw)."""
    cdef Py_ssize_t part, group, c, i, o, size = s.fold * s.kw, length = s.kh * s.kw
    for part in range(s.kh // s.fold):
        for group in range(s.groups):
            for c in range(s.cg):
                for i in range(size):
                    for o in range(s.og):
                        w[((group * s.og + o) * s.cg + c) * length + part * size + i] = packed[o]
                    packed += s.og


cdef const real* columns_of(const Geometry* s, Tile* t, const real* x, real* columns) noexcept nogil:
    if s.plain:
        t.ld = s.h * s.w
        return x + (t.image * s.c + t.group * s.cg) * s.h * s.w + t.row * s.w + t.col
    gather(s, t, x, columns)
    return columns


cdef void forward(
    const Geometry* s, const real* x, const real* w, const real* bias, real* y, real* columns, real* side, int typenum,
) noexcept nogil:
    cdef Tile t
    cdef Py_ssize_t o, j, part, ld
    cdef const real* b
    cdef real* out
    cdef bint more = first_tile(s, &t)
    while more:
        b = columns_of(s, &t, x, columns)
        out, ld = output(s, &t, y), s.oh * s.ow
        if t.images > 1:
            out, ld = side, t.size
        if bias != NULL:
            for o in range(s.og):
                for j in range(t.size):
                    out[o * ld + j] = bias[t.group * s.og + o]
        for part in range(s.kh // s.fold):
            gemm(typenum, False, False, s.og, t.size, s.k, 1, w + (part * s.o + t.group * s.og) * s.k, s.k,
                 b + part * s.dh * t.images * t.cols, t.ld, bias != NULL or part > 0, out, ld)
        if t.images > 1:
            exchange(s, &t, side, y, False)
        more = next_tile(s, &t)


cdef void backward_input(
    const Geometry* s, real* x, const real* w, const real* g, real* columns, real* side, int typenum,
) noexcept nogil:
    cdef Tile t
    cdef Py_ssize_t part, ld
    cdef real* b
    cdef const real* a
    cdef bint more = first_tile(s, &t)
    while more:
        b = columns
        if s.plain:
            b = x + (t.image * s.c + t.group * s.cg) * s.h * s.w + t.row * s.w + t.col
            t.ld = s.h * s.w
        elif s.fold < s.kh:
            memset(columns, 0, s.k * t.ld * sizeof(real))
        a, ld = output(s, &t, <real*>g), s.oh * s.ow
        if t.images > 1:
            exchange(s, &t, side, <real*>g, True)
            a, ld = side, t.size
        for part in range(s.kh // s.fold):
            gemm(typenum, True, False, s.k, t.size, s.og, 1, w + (part * s.o + t.group * s.og) * s.k, s.k, a, ld,
                 s.fold < s.kh, b + part * s.dh * t.images * t.cols, t.ld)
        if not s.plain:
            scatter(s, &t, columns, x)
        more = next_tile(s, &t)


cdef void backward_weight(
    const Geometry* s, const real* x, real* w, const real* g, real* columns, real* side, int typenum,
) noexcept nogil:
    # OpenBLAS is up to twice as fast at columns times the transposed cotangent as the other way about; that needs a
    # transposition of the weights in the end. A cotangent that is copied anyway is transposed on the way: faster again.
    cdef Tile t
    cdef Py_ssize_t part, ld
    cdef const real* b
    cdef const real* a
    cdef bint turned, more = first_tile(s, &t)
    while more:
        b = columns_of(s, &t, x, columns)
        a, ld = output(s, &t, <real*>g), s.oh * s.ow
        turned = t.images > 1 and s.packed and s.fold < s.kh
        if turned:
            turn(s, &t, side, g)
            a, ld = side, s.og
        elif t.images > 1:
            exchange(s, &t, side, <real*>g, True)
            a, ld = side, t.size
        if s.packed:
            for part in range(s.kh // s.fold):
                gemm(typenum, False, not turned, s.k, s.og, t.size, 1, b + part * s.dh * t.images * t.cols, t.ld,
                     a, ld, 1, w + (part * s.groups + t.group) * s.k * s.og, s.og)
        else:
            gemm(typenum, False, True, s.og, s.k, t.size, 1, a, ld, b, t.ld, 1, w + t.group * s.og * s.k, s.k)
        more = next_tile(s, &t)


# --- execution


cdef void multiply(const Convolution* p, real** buffers, char* workspace) noexcept nogil:
    cdef const Geometry* s = &p.s
    cdef real* columns = <real*>(workspace + p.columns)
    cdef real* side = <real*>(workspace + p.side)
    cdef real* w = buffers[W] if p.packed < 0 else <real*>(workspace + p.packed)
    if p.task == WEIGHT:
        memset(w, 0, s.o * s.cg * s.kh * s.kw * sizeof(real))
        backward_weight(s, buffers[X], w, buffers[Y], columns, side, p.plan.typenum)
        if p.packed >= 0:
            unpack(s, w, buffers[W])
        return
    if p.packed >= 0:
        pack(s, buffers[W], w)
    if p.task == FORWARD:
        forward(s, buffers[X], w, buffers[BIAS], buffers[Y], columns, side, p.plan.typenum)
        return
    if not (s.plain and s.n * s.o > 0):
        memset(buffers[X], 0, s.n * s.c * s.h * s.w * sizeof(real))
    backward_input(s, buffers[X], w, buffers[Y], columns, side, p.plan.typenum)


cdef void execute_products(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Convolution* p = <const Convolution*>plan
    cdef int threads = one_thread() if p.small else 1
    if plan.typenum == cnp.NPY_FLOAT:
        multiply(p, <float**>buffers, workspace)
    else:
        multiply(p, <double**>buffers, workspace)
    restore_threads(threads)


cdef void execute_planes(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Convolution* p = <const Convolution*>plan
    cdef int wide = plan.typenum == cnp.NPY_DOUBLE
    if p.task == FORWARD:
        kernels.planes_forward[wide](
            &p.planes, &p.s, buffers[X], buffers[W], buffers[BIAS], buffers[Y], workspace)
    elif p.task == INPUT:
        kernels.planes_input[wide](&p.planes, &p.s, buffers[X], buffers[W], buffers[Y], workspace)
    else:
        kernels.planes_weight[wide](&p.planes, &p.s, buffers[X], buffers[W], buffers[Y], workspace)


# --- the plan


cdef void plan_convolution(Convolution* p, int task, int typenum) noexcept:
    # The sizes in `p.s` are there already.
    cdef Geometry* s = &p.s
    cdef bint brief = is_small(<double>s.n * s.o * s.oh * s.ow * s.cg * s.kh * s.kw)
    p.task = task
    start(&p.plan, execute_products, typenum, brief)
    if plan_planes(&p.planes, s, task, p.plan.item):
        p.plan.execute = execute_planes
        reserve(&p.plan, planes_size(&p.planes), 1)
        return
    plan_tiles(s, p.plan.item)
    p.small = is_small(<double>s.og * s.k * s.rows * s.images * s.cols)
    p.columns, p.side, p.packed = reserve(&p.plan, columns_size(s), 1), reserve(&p.plan, side_size(s), 1), -1
    if s.packed if task == WEIGHT else s.fold < s.kh:
        p.packed = reserve(&p.plan, s.o * s.cg, s.kh * s.kw)


cdef int execute(Convolution* p, int task, ndarray x, ndarray w, ndarray bias, ndarray y) except -1:
    cdef void* buffers[BUFFERS]
    plan_convolution(p, task, cnp.PyArray_TYPE(x))
    buffers[X], buffers[W], buffers[Y] = cnp.PyArray_DATA(x), cnp.PyArray_DATA(w), cnp.PyArray_DATA(y)
    buffers[BIAS] = NULL if bias is None else cnp.PyArray_DATA(bias)
    return run(&p.plan, buffers)


cdef ndarray ready(ndarray a, int typenum):
    if cnp.PyArray_TYPE(a) != typenum or not has_kernels(typenum) or cnp.PyArray_NDIM(a) != 4:
        raise TypeError("conv2d: expected arrays of four axes and one dtype, float32 or float64")
    return a if cnp.PyArray_IS_C_CONTIGUOUS(a) and cnp.PyArray_ISBEHAVED_RO(a) else contiguous(a)


cdef int describe(
    Geometry* s, const Py_ssize_t* x, const Py_ssize_t* w, tuple stride, tuple padding, tuple dilation,
    Py_ssize_t groups,
) except -1:
    s.n, s.c, s.h, s.w = x[0], x[1], x[2], x[3]
    s.o, s.cg, s.kh, s.kw = w[0], w[1], w[2], w[3]
    s.sh, s.sw = stride
    s.ph, s.pw = padding
    s.dh, s.dw = dilation
    s.groups = groups
    if min(s.sh, s.sw, s.dh, s.dw, s.groups, s.kh, s.kw) < 1 or min(s.ph, s.pw) < 0:
        raise ValueError("conv2d: stride, dilation, groups and kernel are at least 1, and padding is not negative")
    if min(s.n, s.c, s.h, s.w, s.o, s.cg) < 0 or s.c != s.cg * groups or s.o % groups:
        raise ValueError(f"conv2d: {s.c} channels, weight {(s.o, s.cg, s.kh, s.kw)} and groups={groups} do not fit")
    s.og = s.o // groups
    s.oh = length(s.h, s.kh, s.sh, s.ph, s.dh)
    s.ow = length(s.w, s.kw, s.sw, s.pw, s.dw)
    return 0


cdef Py_ssize_t length(
    Py_ssize_t size, Py_ssize_t kernel, Py_ssize_t stride, Py_ssize_t padding, Py_ssize_t dilation,
) noexcept:
    cdef Py_ssize_t left = size + 2 * padding - dilation * (kernel - 1) - 1
    return left // stride + 1 if left >= 0 else 0


cdef int check_output(Geometry* s, ndarray y) except -1:
    if (<object>y).shape != (s.n, s.o, s.oh, s.ow):
        raise ValueError(f"conv2d: output {(<object>y).shape}; expected {(s.n, s.o, s.oh, s.ow)}")
    return 0


# --- what Python calls


def conv2d(ndarray x not None, ndarray w not None, ndarray bias, tuple stride, tuple padding, tuple dilation,
           Py_ssize_t groups):
    """Cross-correlation of images (n, c, h, w) with kernels (o, c / groups, kh, kw), plus bias (o,) or None."""
    cdef Convolution p
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef Py_ssize_t dims[4]
    x, w = ready(x, typenum), ready(w, typenum)
    describe(
        &p.s, <Py_ssize_t*>cnp.PyArray_DIMS(x), <Py_ssize_t*>cnp.PyArray_DIMS(w), stride, padding, dilation, groups)
    if bias is not None:
        if (<object>bias).shape != (p.s.o,) or cnp.PyArray_TYPE(bias) != typenum:
            raise ValueError(f"conv2d: the bias must have shape {(p.s.o,)} and the input's dtype")
        bias = bias if cnp.PyArray_ISCARRAY_RO(bias) else contiguous(bias)
    dims[0], dims[1], dims[2], dims[3] = p.s.n, p.s.o, p.s.oh, p.s.ow
    cdef ndarray y = new_array(4, dims, typenum)
    execute(&p, FORWARD, x, w, bias, y)
    return y


def conv2d_input(ndarray g not None, ndarray w not None, tuple size, tuple stride, tuple padding, tuple dilation,
                 Py_ssize_t groups):
    """The transpose of `conv2d` in its input, of height and width `size`, applied to g (n, o, oh, ow)."""
    cdef Convolution p
    cdef int typenum = cnp.PyArray_TYPE(g)
    cdef Py_ssize_t dims[4]
    g, w = ready(g, typenum), ready(w, typenum)
    dims[0], dims[1] = cnp.PyArray_DIMS(g)[0], cnp.PyArray_DIMS(w)[1] * groups
    dims[2], dims[3] = size
    describe(&p.s, dims, <Py_ssize_t*>cnp.PyArray_DIMS(w), stride, padding, dilation, groups)
    check_output(&p.s, g)
    cdef ndarray x = new_array(4, dims, typenum)
    execute(&p, INPUT, x, w, None, g)
    return x


def conv2d_weight(ndarray x not None, ndarray g not None, tuple kernel, tuple stride, tuple padding, tuple dilation,
                  Py_ssize_t groups):
    """The transpose of `conv2d` in its weight, of kernel height and width `kernel`, for input x, applied to g."""
    cdef Convolution p
    cdef int typenum = cnp.PyArray_TYPE(x)
    cdef Py_ssize_t dims[4]
    x, g = ready(x, typenum), ready(g, typenum)
    dims[0], dims[1] = cnp.PyArray_DIMS(g)[1], cnp.PyArray_DIMS(x)[1] // max(groups, 1)
    dims[2], dims[3] = kernel
    describe(&p.s, <Py_ssize_t*>cnp.PyArray_DIMS(x), dims, stride, padding, dilation, groups)
    check_output(&p.s, g)
    cdef ndarray w = new_array(4, dims, typenum)
    execute(&p, WEIGHT, x, w, None, g)
    return w

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

from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject
from libc.string cimport memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels
from zen._core._engine cimport Pass, cotangent
from zen._core._guard cimport keep
from zen._core._memory cimport contiguous, new_array
from zen._core._parse cimport Arg, parse, taken
from zen._core._patches cimport (
    Geometry, Tile, columns_size, first_tile, next_tile, plan_tiles, side_size, zen_copy,
)
from zen._core._plan cimport Plan, reserve, run, start
from zen._core._planes cimport FORWARD, INPUT, WEIGHT, Planes, plan_planes, planes_size
from zen._core._record cimport record_layer
from zen._core._tensor cimport (
    ARRAY, Node, Row, Tensor, hook, hush, new_tensor, recording, register, register_push, tracing, unhush,
)
from zen._core._views cimport View, buffer1, buffer2, buffer3, buffer4, check_views

cnp.import_array()
check_views()

cdef extern from "Python.h":
    ctypedef struct PyTupleObject:
        PyObject** ob_item
    long long PyLong_AsLongLongAndOverflow(object, int*) noexcept

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


include "_conv_patches.pxi"


# --- products. Their operands go to BLAS by addresses.


cdef inline const real* columns_of(
    const Geometry* s, Tile* t, const real[:, :, :, ::1] x, real[::1] columns
) noexcept nogil:
    if s.plain:
        t.ld = s.h * s.w
        return &x[t.image, t.group * s.cg, t.row, t.col] if s.cg > 0 else NULL
    gather(s, t, x, columns)
    return beginning(columns)


cdef void forward(
    const Geometry* s, const real[:, :, :, ::1] x, const real* w, const real[::1] bias, real[:, :, :, ::1] y,
    real[::1] columns, real[::1] side, int typenum,
) noexcept nogil:
    cdef Tile t
    cdef Py_ssize_t o, j, part, ld, biased = bias.shape[0] > 0
    cdef const real* b
    cdef real* out
    cdef bint more = first_tile(s, &t)
    while more:
        b = columns_of(s, &t, x, columns)
        out, ld = &y[t.image, t.group * s.og, t.row, t.col], s.oh * s.ow
        if t.images > 1:
            out, ld = beginning(side), t.size
        if biased:
            for o in range(s.og):
                for j in range(t.size):
                    out[o * ld + j] = bias[t.group * s.og + o]
        for part in range(s.kh // s.fold):
            gemm(typenum, False, False, s.og, t.size, s.k, 1, w + (part * s.o + t.group * s.og) * s.k, s.k,
                 b + part * s.dh * t.images * t.cols, t.ld, biased or part > 0, out, ld)
        if t.images > 1:
            exchange(s, &t, side, y, False)
        more = next_tile(s, &t)


cdef void backward_input(
    const Geometry* s, real[:, :, :, ::1] x, const real* w, real[:, :, :, ::1] g, real[::1] columns, real[::1] side,
    int typenum,
) noexcept nogil:
    # g is not written.
    cdef Tile t
    cdef Py_ssize_t part, ld, k
    cdef real* b
    cdef const real* a
    cdef bint more = first_tile(s, &t)
    while more:
        b = beginning(columns)
        if s.plain:
            b = &x[t.image, t.group * s.cg, t.row, t.col] if s.cg > 0 else NULL
            t.ld = s.h * s.w
        elif s.fold < s.kh:
            for k in range(s.k * t.ld):
                columns[k] = 0
        a, ld = &g[t.image, t.group * s.og, t.row, t.col], s.oh * s.ow
        if t.images > 1:
            exchange(s, &t, side, g, True)
            a, ld = beginning(side), t.size
        for part in range(s.kh // s.fold):
            gemm(typenum, True, False, s.k, t.size, s.og, 1, w + (part * s.o + t.group * s.og) * s.k, s.k, a, ld,
                 s.fold < s.kh, b + part * s.dh * t.images * t.cols, t.ld)
        if not s.plain:
            scatter(s, &t, columns, x)
        more = next_tile(s, &t)


cdef void backward_weight(
    const Geometry* s, const real[:, :, :, ::1] x, real* w, real[:, :, :, ::1] g, real[::1] columns, real[::1] side,
    int typenum,
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
        a, ld = &g[t.image, t.group * s.og, t.row, t.col], s.oh * s.ow
        turned = t.images > 1 and s.packed and s.fold < s.kh
        if turned:
            turn(s, &t, side, g)
            a, ld = beginning(side), s.og
        elif t.images > 1:
            exchange(s, &t, side, g, True)
            a, ld = beginning(side), t.size
        if s.packed:
            for part in range(s.kh // s.fold):
                gemm(typenum, False, not turned, s.k, s.og, t.size, 1, b + part * s.dh * t.images * t.cols, t.ld,
                     a, ld, 1, w + (part * s.groups + t.group) * s.k * s.og, s.og)
        else:
            gemm(typenum, False, True, s.og, s.k, t.size, 1, a, ld, b, t.ld, 1, w + t.group * s.og * s.k, s.k)
        more = next_tile(s, &t)


# The kernels as they are called, for float and for double.
ctypedef void (*forward_t)(
    const Geometry* s, View x, void* w, View bias, View y, View columns, View side, int typenum) noexcept nogil
ctypedef void (*backward_t)(
    const Geometry* s, View x, void* w, View g, View columns, View side, int typenum) noexcept nogil
ctypedef void (*pack_t)(View w, View packed) noexcept nogil
ctypedef void (*unpack_t)(const Geometry* s, View packed, View w) noexcept nogil

cdef forward_t[2] PRODUCTS
cdef backward_t[2] PRODUCTS_INPUT
cdef backward_t[2] PRODUCTS_WEIGHT
cdef pack_t[2] PACK
cdef unpack_t[2] UNPACK
PRODUCTS[0], PRODUCTS[1] = <forward_t> <void*> forward[float], <forward_t> <void*> forward[double]
PRODUCTS_INPUT[0] = <backward_t> <void*> backward_input[float]
PRODUCTS_INPUT[1] = <backward_t> <void*> backward_input[double]
PRODUCTS_WEIGHT[0] = <backward_t> <void*> backward_weight[float]
PRODUCTS_WEIGHT[1] = <backward_t> <void*> backward_weight[double]
PACK[0], PACK[1] = <pack_t> <void*> pack[float], <pack_t> <void*> pack[double]
UNPACK[0], UNPACK[1] = <unpack_t> <void*> unpack[float], <unpack_t> <void*> unpack[double]


# --- execution


cdef void execute_products(const Plan* plan, void** buffers, char* workspace) noexcept nogil:
    cdef const Convolution* p = <const Convolution*>plan
    cdef const Geometry* s = &p.s
    cdef Py_ssize_t item = plan.item
    cdef int wide = plan.typenum == cnp.NPY_DOUBLE, threads = one_thread() if p.small else 1
    cdef void* w = buffers[W] if p.packed < 0 else workspace + p.packed
    cdef View x = buffer4(buffers[X], item, s.n, s.c, s.h, s.w), y = buffer4(buffers[Y], item, s.n, s.o, s.oh, s.ow)
    cdef View columns = buffer1(workspace + p.columns, item, columns_size(s))
    cdef View side = buffer1(workspace + p.side, item, side_size(s))
    if p.task == WEIGHT:
        memset(w, 0, s.o * s.cg * s.kh * s.kw * item)
        PRODUCTS_WEIGHT[wide](s, x, w, y, columns, side, plan.typenum)
        if p.packed >= 0:
            UNPACK[wide](
                s, buffer2(w, item, s.kh // s.fold * s.groups * s.k, s.og),
                buffer3(buffers[W], item, s.o, s.cg, s.kh * s.kw))
    else:
        if p.packed >= 0:
            PACK[wide](
                buffer3(buffers[W], item, s.o * s.cg, s.kh, s.kw), buffer3(w, item, s.kh, s.o * s.cg, s.kw))
        if p.task == FORWARD:
            PRODUCTS[wide](s, x, w, buffer1(buffers[BIAS], item, s.o), y, columns, side, plan.typenum)
        else:
            if not (s.plain and s.n * s.o > 0):
                memset(buffers[X], 0, s.n * s.c * s.h * s.w * item)
            PRODUCTS_INPUT[wide](s, x, w, y, columns, side, plan.typenum)
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


include "_conv_row.pxi"

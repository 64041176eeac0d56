"""Unbroadcast: the only one. And the n-d loop around the kernels, which does it as a kernel writes.

An input that was broadcast has stride 0 along the broadcast axes. Its gradient is the sum over them, so a kernel whose
output has stride 0 there, and adds, needs no separate reduction. `iterate` merges axes, picks the inner one and tells
the kernel how to write: SET, ADD, or REDUCE where the output stands still along the inner axis.

What is added as it is, gradients and sums, goes to the kernels of `_kernels_sums.pxi` as matrices, typed memoryviews.
Addresses and strides stay for two: generated kernels, which read any layout in blocks; and what has one axis after
merging, as small contiguous arrays have, where two views would take 10 ns, in which a hundred numbers are added up.
"""

cimport numpy as cnp
from libc.string cimport memcpy, memset
from numpy cimport ndarray
import numpy as np
from zen._core._dispatch cimport has_complex, identity_kernel, is_identity, kernels
from zen._core._dtypes cimport has_complex_kernels, has_kernels
from zen._core._kernels cimport sum_t
from zen._core._memory cimport new_array
from zen._core._types cimport ADD, ARGUMENT, BLOCK, FILLED, MAXDIMS, OUT, REDUCE, SET, SLOTS, kernel_t
from zen._core._views cimport line_at, matrix_at

cnp.import_array()

cdef enum:
    SHORT = 16       # an inner axis below this is swapped for a longer one: a kernel call costs about 10 elements
    WORTH = 1 << 15  # elements from which releasing the GIL (about 100 ns) is worth it


cdef void place(Operands* o, int slot, ndarray a, int nd) noexcept:
    # `a` in `slot`, broadcast to nd dimensions: stride 0 along axes that it lacks or has length 1 in.
    cdef int k, own = cnp.PyArray_NDIM(a), shift = nd - own
    o.used |= 1 << slot
    o.data[slot] = <char*>cnp.PyArray_DATA(a)
    o.item[slot] = cnp.PyArray_ITEMSIZE(a)
    for k in range(shift):
        o.strides[slot][k] = 0
    for k in range(own):
        o.strides[slot][shift + k] = 0 if cnp.PyArray_DIMS(a)[k] == 1 else cnp.PyArray_STRIDES(a)[k]


cdef void place_scalar(Operands* o, int slot, void* value, Py_ssize_t item, int nd) noexcept:
    o.used |= 1 << slot
    o.data[slot] = <char*>value
    o.item[slot] = item
    memset(&o.strides[slot][0], 0, nd * sizeof(Py_ssize_t))


cdef void memory_order(const Operands* o, int nd, int* order) noexcept:
    # The order in which NumPy lays out a result (its "K"): the axes by the arguments' strides, closest elements first,
    # and as in C where nothing says otherwise or the arguments disagree. See npyiter_find_best_axis_ordering in NumPy.
    cdef int k, j, at, slot, axis, other
    cdef Py_ssize_t near, far
    cdef bint known, closer
    for k in range(nd):
        axis = nd - 1 - k
        at = k
        for j in range(k - 1, -1, -1):
            other = order[j]
            known = closer = False
            for slot in range(ARGUMENT, SLOTS):
                if not o.used >> slot & 1 or o.strides[slot][axis] == 0 or o.strides[slot][other] == 0:
                    continue
                near, far = o.strides[slot][axis], o.strides[slot][other]
                closer = (closer or not known) and (near if near > 0 else -near) < (far if far > 0 else -far)
                known = True
            if known and not closer:
                break
            if known:
                at = j
        for j in range(k, at, -1):
            order[j] = order[j - 1]
        order[at] = axis


cdef int merge_axes(Operands* o, int nd, Py_ssize_t* merged) noexcept nogil:
    # Join neighbouring axes that every operand walks through evenly. Returns the new nd.
    cdef int k, slot, n = 0
    cdef bint joins
    for k in range(nd):
        if n > 0:
            joins = True
            for slot in range(SLOTS):
                if o.used >> slot & 1 and o.strides[slot][n - 1] != o.strides[slot][k] * merged[k]:
                    joins = False
            if joins:
                merged[n - 1] *= merged[k]
                for slot in range(SLOTS):
                    o.strides[slot][n - 1] = o.strides[slot][k]
                continue
        merged[n] = merged[k]
        for slot in range(SLOTS):
            o.strides[slot][n] = o.strides[slot][k]
        n += 1
    return n


cdef void sort_axes(Operands* o, int nd, Py_ssize_t* shape) noexcept nogil:
    # The axis along which the operands' elements lie closest together goes last: a transposed array is read in the
    # order of its memory. An insertion sort; the axes are few and mostly in order.
    cdef Py_ssize_t span[MAXDIMS]
    cdef int k, j, slot
    for k in range(nd):
        span[k] = 0
        for slot in range(SLOTS):
            if o.used >> slot & 1:
                span[k] += o.strides[slot][k] if o.strides[slot][k] >= 0 else -o.strides[slot][k]
    for k in range(1, nd):
        j = k
        while j > 0 and span[j - 1] < span[j]:
            span[j - 1], span[j] = span[j], span[j - 1]
            shape[j - 1], shape[j] = shape[j], shape[j - 1]
            for slot in range(SLOTS):
                if o.used >> slot & 1:
                    o.strides[slot][j - 1], o.strides[slot][j] = o.strides[slot][j], o.strides[slot][j - 1]
            j -= 1


cdef void longest_last(Operands* o, int nd, Py_ssize_t* shape) noexcept nogil:
    # A short inner axis under a long outer one would spend its time in calls.
    cdef int k, slot, best = nd - 1
    if shape[best] >= SHORT:
        return
    for k in range(nd):
        if shape[k] > 4 * shape[best]:
            best = k
    if best != nd - 1:
        shape[best], shape[nd - 1] = shape[nd - 1], shape[best]
        for slot in range(SLOTS):
            o.strides[slot][best], o.strides[slot][nd - 1] = o.strides[slot][nd - 1], o.strides[slot][best]


cdef void fill_block(char* block, const char* value, Py_ssize_t item, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    if item == sizeof(float):
        for i in range(n):
            (<float*>block)[i] = (<const float*>value)[0]
    elif item == 2 * sizeof(double):
        for i in range(n):
            (<double*>block)[2 * i], (<double*>block)[2 * i + 1] = (<const double*>value)[0], (<const double*>value)[1]
    else:
        for i in range(n):
            (<double*>block)[i] = (<const double*>value)[0]


cdef bint next_place(char** p, Operands* o, Py_ssize_t* index, const Py_ssize_t* shape, int nd) noexcept nogil:
    # Lead the operands on along the first nd axes; False at the end.
    cdef int k = nd - 1, slot
    while k >= 0:
        index[k] += 1
        for slot in range(SLOTS):
            if o.used >> slot & 1:
                p[slot] += o.strides[slot][k]
        if index[k] < shape[k]:
            return True
        for slot in range(SLOTS):
            if o.used >> slot & 1:
                p[slot] -= o.strides[slot][k] * shape[k]
        index[k] = 0
        k -= 1
    return False


cdef void add_matrices(Operands* o, int nd, Py_ssize_t* shape) noexcept nogil:
    # Add the argument to the output, which stands still where sums are wanted: a matrix of two axes at a time.
    cdef Py_ssize_t index[MAXDIMS]
    cdef char* p[SLOTS]
    cdef Py_ssize_t* x = o.strides[ARGUMENT]
    cdef Py_ssize_t* y = o.strides[OUT]
    cdef Py_ssize_t item = o.item[OUT]
    cdef int width = item == sizeof(double), i = nd - 2, j = nd - 1
    cdef bint columns = y[i] == 0 and y[j] == item and x[j] == item
    cdef sum_t kernel = kernels.add_strided_matrix[width]
    if not columns:
        longest_last(o, nd, shape)
    if y[j] == 0:
        kernel = kernels.sum_rows[width] if x[j] == item else kernels.sum_strided_rows[width]
    elif y[j] == item and x[j] == item:
        kernel = kernels.add_matrix[width]
    elif y[j] == item and x[j] == 0:
        kernel = kernels.add_to_rows[width]
    memset(index, 0, nd * sizeof(Py_ssize_t))
    memcpy(p, o.data, sizeof(p))
    while True:
        if columns:
            kernels.sum_columns[width](
                matrix_at(p[ARGUMENT], shape[i], shape[j], x[i], item), line_at(p[OUT], shape[j], item), True)
        else:       # a kernel that has one of the two as a line reads its first axis alone
            kernel(
                matrix_at(p[ARGUMENT], shape[i], shape[j], x[i], x[j]),
                matrix_at(p[OUT], shape[i], shape[j], y[i], y[j]))
        if not next_place(p, o, index, shape, i):
            return


cdef void iterate(kernel_t kernel, Operands* o, int nd, const Py_ssize_t* shape, bint accumulate) noexcept nogil:
    """Run `kernel` over the index space `shape`. Where the output has stride 0, the results are summed.

    `accumulate`: add to what the output holds; otherwise it is overwritten (a summed output must be zeroed before).
    """
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t index[MAXDIMS]
    cdef Py_ssize_t inner[SLOTS]
    cdef char* p[SLOTS]
    cdef double blocks[SLOTS][2 * BLOCK]
    cdef int k, slot, mode = ADD if accumulate else SET
    cdef int n = 0
    for k in range(nd):
        if shape[k] == 0:
            return
        if shape[k] != 1:
            dims[n] = shape[k]
            for slot in range(SLOTS):
                o.strides[slot][n] = o.strides[slot][k]
            n += 1
    sort_axes(o, n, dims)
    nd = merge_axes(o, n, dims)
    for slot in range(SLOTS):
        p[slot] = o.data[slot]
        inner[slot] = 0
    if nd == 0:
        kernel(p, inner, 1, mode)
        return
    if nd > 1 and accumulate and is_identity(kernel):
        add_matrices(o, nd, dims)
        return
    longest_last(o, nd, dims)
    for k in range(nd):
        index[k] = 0
        if o.strides[OUT][k] == 0:
            mode = ADD
    if o.strides[OUT][nd - 1] == 0:
        mode = REDUCE
    for slot in range(SLOTS):
        if o.used >> slot & 1:
            inner[slot] = o.strides[slot][nd - 1]
    if nd > 1:      # a value that never changes is spread over a block once, not in every call
        for slot in range(OUT + 1, SLOTS):
            if o.used >> slot & 1 and o.item[slot] >= <Py_ssize_t>sizeof(float):
                k = 0
                while k < nd and o.strides[slot][k] == 0:
                    k += 1
                if k == nd:
                    fill_block(<char*>blocks[slot], p[slot], o.item[slot], min(BLOCK, dims[nd - 1]))
                    p[slot], inner[slot] = <char*>blocks[slot], FILLED
    while True:
        kernel(p, inner, dims[nd - 1], mode)
        if not next_place(p, o, index, dims, nd - 1):
            return


cdef bint has_sums(int typenum) noexcept nogil:
    # Whether the kernels here add arrays of this dtype.
    return has_kernels(typenum) or (has_complex and has_complex_kernels(typenum))


cdef ndarray reduce_to(ndarray a, int nd, const Py_ssize_t* shape):
    # Sum `a`, of a dtype with `has_sums`, over the axes in which `shape` is shorter; `shape` broadcasts to a's.
    cdef Operands o
    cdef int own = cnp.PyArray_NDIM(a), typenum = cnp.PyArray_TYPE(a)
    cdef ndarray out = new_array(nd, shape, typenum)
    cdef Py_ssize_t* full = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    cdef kernel_t kernel = identity_kernel(typenum)
    memset(cnp.PyArray_DATA(out), 0, cnp.PyArray_NBYTES(out))
    o.used = 0
    place(&o, OUT, out, own)
    place(&o, ARGUMENT, a, own)
    if cnp.PyArray_SIZE(a) < WORTH:
        iterate(kernel, &o, own, full, True)
    else:
        with nogil:
            iterate(kernel, &o, own, full, True)
    return out


cdef int add_into(ndarray out, ndarray a) except -1:
    # out += a, where `a` has out's shape; `out` may be any strided view. Both of a dtype with `has_sums`.
    cdef Operands o
    cdef int nd = cnp.PyArray_NDIM(out)
    o.used = 0
    place(&o, OUT, out, nd)
    place(&o, ARGUMENT, a, nd)
    iterate(identity_kernel(cnp.PyArray_TYPE(out)), &o, nd, <Py_ssize_t*>cnp.PyArray_DIMS(out), True)
    return 0


def unbroadcast(a, tuple shape not None):
    """Sum `a` to `shape`, which must broadcast to a's shape: the gradient of broadcasting.

    Returns `a` itself where the shapes agree. Raises ValueError where `shape` does not broadcast to a's.
    """
    cdef ndarray array = a
    cdef int nd = len(shape), own = cnp.PyArray_NDIM(array), k, typenum = cnp.PyArray_TYPE(array)
    cdef Py_ssize_t dims[MAXDIMS]
    if shape == a.shape:
        return a
    fits = nd <= own
    for k in range(nd if fits else 0):
        dims[k] = shape[k]
        fits = fits and (dims[k] == 1 or dims[k] == cnp.PyArray_DIMS(array)[own - nd + k])
    if not fits:
        raise ValueError(f"unbroadcast: shape {shape} does not broadcast to {a.shape}")
    if has_sums(typenum) and cnp.PyArray_ISBEHAVED_RO(array):
        return reduce_to(array, nd, dims)
    axes = tuple([k for k in range(own) if k < own - nd or (shape[k - own + nd] == 1 and a.shape[k] != 1)])
    return np.asarray(a.sum(axis=axes, dtype=a.dtype)).reshape(shape)

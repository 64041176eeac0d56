# The products of stacks of matrices, as many on both sides. Part of _operations.pyx, called for the row "matmul".

cdef struct Side:
    Py_ssize_t step, ld          # elements from matrix to matrix, and from row to row
    bint turned                  # each lies in memory as its transpose


cdef bint is_stack(ndarray a, Side* side) noexcept:
    # Whether the matrices lie one behind the other, each without gaps.
    cdef int k, nd = cnp.PyArray_NDIM(a)
    cdef Py_ssize_t* dims = <Py_ssize_t*>cnp.PyArray_DIMS(a)
    cdef Py_ssize_t* strides = <Py_ssize_t*>cnp.PyArray_STRIDES(a)
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a), rows = dims[nd - 2], columns = dims[nd - 1], step
    side.step, side.turned = rows * columns, False
    side.ld = columns
    if cnp.PyArray_IS_C_CONTIGUOUS(a):
        return True
    side.ld, side.turned = rows, True
    if strides[nd - 2] != item or strides[nd - 1] != rows * item:
        return False
    step = side.step * item
    for k in range(nd - 3, -1, -1):
        if strides[k] != step and dims[k] != 1:
            return False
        step *= dims[k]
    return True


cdef bint are_stacks(ndarray a, ndarray b) noexcept:
    # Of three axes or more, none of them empty, whose products `stacks_into` computes.
    cdef int k, nd = cnp.PyArray_NDIM(a)
    cdef Side side
    if nd < 3 or nd > MAXDIMS or cnp.PyArray_NDIM(b) != nd:
        return False
    if cnp.PyArray_DIMS(a)[nd - 1] != cnp.PyArray_DIMS(b)[nd - 2] or not has_gemm():
        return False
    for k in range(nd - 2):
        if cnp.PyArray_DIMS(a)[k] != cnp.PyArray_DIMS(b)[k]:
            return False
    return cnp.PyArray_SIZE(a) > 0 and cnp.PyArray_SIZE(b) > 0 and is_stack(a, &side) and is_stack(b, &side)


cdef ndarray in_stack(ndarray a, Side* side):
    if is_stack(a, side):
        return a
    a = contiguous(a)
    is_stack(a, side)
    return a


cdef int stacks_into(ndarray out, ndarray a, bint flip_a, ndarray b, bint flip_b, bint accumulate) except -1:
    # out = a @ b, or out += a @ b, for each matrix; a flipped operand is read transposed. `out` is C-contiguous.
    cdef Side left, right
    cdef int before = 1, nd = cnp.PyArray_NDIM(out)
    cdef Py_ssize_t m = cnp.PyArray_DIMS(out)[nd - 2], n = cnp.PyArray_DIMS(out)[nd - 1]
    cdef Py_ssize_t k = cnp.PyArray_DIMS(a)[nd - 2 if flip_a else nd - 1], count = cnp.PyArray_SIZE(out) // (m * n)
    cdef bint single = is_small(<double>m * n * k)
    a, b = in_stack(a, &left), in_stack(b, &right)
    left.turned ^= flip_a
    right.turned ^= flip_b
    cdef char* pa = <char*>cnp.PyArray_DATA(a)
    cdef char* pb = <char*>cnp.PyArray_DATA(b)
    cdef char* po = <char*>cnp.PyArray_DATA(out)
    if single:
        before = one_thread()
    if is_small(<double>m * n * k * count):
        each_product(cnp.PyArray_TYPE(out), &left, &right, m, n, k, pa, pb, accumulate, po, count)
    else:
        with nogil:
            each_product(cnp.PyArray_TYPE(out), &left, &right, m, n, k, pa, pb, accumulate, po, count)
    if single:
        restore_threads(before)
    return 0


cdef void each_product(
    int typenum, const Side* left, const Side* right, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const char* a,
    const char* b, bint accumulate, char* out, Py_ssize_t count,
) noexcept nogil:
    cdef Py_ssize_t item = sizeof(double) if typenum == cnp.NPY_DOUBLE else sizeof(float)
    for _ in range(count):
        gemm(typenum, left.turned, right.turned, m, n, k, 1, a, left.ld, b, right.ld, accumulate, out, n)
        a += left.step * item
        b += right.step * item
        out += m * n * item


cdef ndarray stacked(ndarray a, ndarray b):
    cdef Py_ssize_t dims[MAXDIMS]
    cdef int k, nd = cnp.PyArray_NDIM(a)
    cdef ndarray out
    for k in range(nd - 1):
        dims[k] = cnp.PyArray_DIMS(a)[k]
    dims[nd - 1] = cnp.PyArray_DIMS(b)[nd - 1]
    out = new_array(nd, dims, cnp.PyArray_TYPE(a))
    stacks_into(out, a, False, b, False, False)
    return out

# The products of a matrix and a vector, in both orders. Part of _operations.pyx, called for the row "matmul".

cdef int matvec_into(ndarray out, ndarray a, bint flip, ndarray x, bint accumulate) except -1:
    # out = A x, or with `flip` A^T x; or added to it. Shapes and dtypes agree; `out` is contiguous.
    cdef bint is_double = cnp.PyArray_TYPE(a) == cnp.NPY_DOUBLE
    cdef bint turned
    cdef Py_ssize_t ld, m, n
    cdef matvec_t kernel
    a = layout(a, &turned, &ld)
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    m, n = cnp.PyArray_DIMS(a)[0], cnp.PyArray_DIMS(a)[1]
    if turned:       # A lies in memory as its transpose
        m, n, flip = n, m, not flip
    kernel = kernels.columns_by_vector[is_double] if flip else kernels.rows_by_vector[is_double]
    cdef void* pa = cnp.PyArray_DATA(a)
    cdef void* px = cnp.PyArray_DATA(x)
    cdef void* po = cnp.PyArray_DATA(out)
    if m * n < WORTH:
        kernel(pa, ld, px, po, m, n, accumulate)
    else:
        with nogil:
            kernel(pa, ld, px, po, m, n, accumulate)
    return 0


cdef int outer_into(ndarray out, ndarray x, ndarray y, bint accumulate) except -1:
    # out = x y^T, or out += it.
    cdef outer_t kernel = kernels.outer_product[cnp.PyArray_TYPE(out) == cnp.NPY_DOUBLE]
    cdef Py_ssize_t m = cnp.PyArray_DIMS(out)[0], n = cnp.PyArray_DIMS(out)[1]
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    if not cnp.PyArray_IS_C_CONTIGUOUS(y):
        y = contiguous(y)
    cdef void* px = cnp.PyArray_DATA(x)
    cdef void* py = cnp.PyArray_DATA(y)
    cdef void* po = cnp.PyArray_DATA(out)
    if m * n < WORTH:
        kernel(px, py, po, m, n, accumulate)
    else:
        with nogil:
            kernel(px, py, po, m, n, accumulate)
    return 0


cdef int add_multiple(Pass p, Node m, ndarray x) except -1:
    # The gradient at work, of two vectors' product, times the one goes to the other.
    cdef bint fresh
    cdef PyObject* out = p.open(m, &fresh)
    cdef bint is_double = cnp.PyArray_TYPE(x) == cnp.NPY_DOUBLE
    cdef double d = p.scalar
    cdef float f = <float>p.scalar
    cdef outer_t kernel = kernels.outer_product[is_double]
    cdef Py_ssize_t n = cnp.PyArray_DIMS(x)[0]
    if not cnp.PyArray_IS_C_CONTIGUOUS(x):
        x = contiguous(x)
    cdef void* g = <void*>&d if is_double else <void*>&f
    cdef void* px = cnp.PyArray_DATA(x)
    cdef void* po = cnp.PyArray_DATA(<ndarray>out)
    if n < WORTH:
        kernel(g, px, po, 1, n, not fresh)
    else:
        with nogil:
            kernel(g, px, po, 1, n, not fresh)
    return 0


cdef ndarray matvec(ndarray a, ndarray b):
    # A matrix times a vector, or a vector times a matrix; None where the shapes do not fit.
    cdef bint left = cnp.PyArray_NDIM(a) == 2        # the matrix is on the left
    cdef ndarray matrix = a if left else b, x = b if left else a, out
    if cnp.PyArray_DIMS(matrix)[left] != cnp.PyArray_DIMS(x)[0]:
        return None
    out = new_array(1, <Py_ssize_t*>cnp.PyArray_DIMS(matrix) + (not left), cnp.PyArray_TYPE(a))
    matvec_into(out, matrix, not left, x, False)
    return out


cdef int pull_matvec(Pass p, Node n, ndarray a, ndarray b) except -1:
    # `a` is None where nothing needs it, and so is `b`.
    cdef bint fresh
    cdef PyObject* out
    cdef ndarray g = <ndarray>p.array
    if p.needs(n.n0):
        out = p.open(n.n0, &fresh)
        if n.n0.nd == 2:
            outer_into(<ndarray>out, g, b, not fresh)
        else:
            matvec_into(<ndarray>out, b, False, g, not fresh)
    if p.needs(n.n1):
        out = p.open(n.n1, &fresh)
        if n.n1.nd == 2:
            outer_into(<ndarray>out, a, g, not fresh)
        else:
            matvec_into(<ndarray>out, a, True, g, not fresh)
    return 0

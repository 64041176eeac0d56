# Elementwise rows on complex operands. Part of _record.pyx.
#
# The arrays are all complex64 or all complex128, a mask aside, and Python's numbers take their dtype. Real arrays
# beside complex ones take the row's NumPy form, as does what no kernel knows. A 0-d value is an array here; one that is
# saved is copied, so that a write to it does no harm.

cdef bint parse_complex(object x, Arg* a, double* imag) except -1:
    # Fills `a` and the imaginary part of a number; False where the operand is not for the kernels.
    cdef Tensor t
    cdef Node n
    cdef object array = x
    a.node, a.foreign, imag[0] = NULL, False, 0
    if isinstance(x, Tensor):
        t = <Tensor>x
        n = node_of(t)
        a.node = NULL if n is None else <PyObject*>n
        array = t.data
    elif type(x) is complex:
        a.held, a.typenum, a.foreign, a.scalar, imag[0] = SCALAR, 0, True, x.real, x.imag
        return True
    elif type(x) is not ndarray:
        return parse(x, a)
    if array is None or not has_complex_kernels(cnp.PyArray_TYPE(<ndarray>array)):
        return False
    a.held, a.typenum, a.array, a.foreign = ARRAY, cnp.PyArray_TYPE(<ndarray>array), <PyObject*>array, array is x
    return cnp.PyArray_ISBEHAVED_RO(<ndarray>array)


cdef Tensor complex_op(Row row, PyObject** inputs, int n):
    # The row on these operands; None where they are not for kernels.
    cdef Arg a[MAX_ARGUMENTS]
    cdef double imag[MAX_ARGUMENTS]
    cdef int k, typenum = 0
    if row.for_complex is None or not row.elementwise or n > MAX_ARGUMENTS:
        return None
    for k in range(n):
        if k == 0 and row.has_mask:
            if not parse_mask(<object>inputs[0], &a[0]):
                return None
        elif not parse_complex(<object>inputs[k], &a[k], &imag[k]):
            return None
        if a[k].typenum != 0:
            if typenum != 0 and typenum != a[k].typenum:
                return None
            typenum = a[k].typenum
    if not has_complex_kernels(typenum):
        return None
    if not row.sought:
        row.complex_row()        # in which other code can run
        return complex_op(row, inputs, n)
    row = row.for_kernels
    if row is None:
        return None
    return complex_tensor(row, a, imag, n, typenum, complex_result(row, a, imag, n, typenum))


cdef Tensor complex_tensor(Row row, Arg* a, const double* imag, int n, int typenum, ndarray out):
    # The result, recorded.
    cdef list _held = []         # to the end of the function
    cdef ndarray number
    cdef Node node = None
    cdef int k, own = cnp.PyArray_TYPE(out)
    cdef bint wanted = False
    for k in range(n):
        wanted = wanted or a[k].node != NULL
    if wanted and recording():
        for k in range(n):
            if a[k].held == ARRAY and cnp.PyArray_NDIM(<ndarray>a[k].array) == 0:
                number = (<object>a[k].array).copy()
            elif a[k].held == SCALAR and a[k].foreign:
                number = np.asarray(complex(a[k].scalar, imag[k]), (<object>out).dtype)
            else:
                continue
            _held.append(number)
            a[k].held, a[k].array, a[k].foreign = ARRAY, <PyObject*>number, False
        node = record_elementwise(row, a, n, own, out.copy() if cnp.PyArray_NDIM(out) == 0 else out, 0)
    if row.is_part and cnp.PyArray_NDIM(out) == 0:
        return new_scalar(<double>(<object>out), own, node)
    return new_tensor(out, node)


cdef ndarray complex_result(Row row, Arg* a, const double* imag, int n, int typenum):
    cdef Operands o
    cdef double z[MAX_ARGUMENTS][2]
    cdef float c[MAX_ARGUMENTS][2]
    cdef char* numbers[MAX_ARGUMENTS]
    cdef Py_ssize_t s[SLOTS]
    cdef Py_ssize_t dims[MAXDIMS]
    cdef int order[MAXDIMS]
    cdef int k, nd = 0, own = part_of(typenum) if row.is_part else typenum
    cdef Py_ssize_t item = item_of(typenum)
    cdef bint same = True, in_c = True, in_fortran = True
    cdef ndarray first = None
    cdef ndarray array, out
    cdef kernel_t kernel = row.forward_kernels[width_of(typenum)]
    cdef list _kept              # to the end of the function
    for k in range(n):
        if a[k].held == SCALAR:
            z[k][0], z[k][1] = a[k].scalar, imag[k]
            c[k][0], c[k][1] = <float>a[k].scalar, <float>imag[k]
            numbers[k] = <char*>z[k] if typenum == cnp.NPY_CDOUBLE else <char*>c[k]
            continue
        array = <ndarray>a[k].array
        if cnp.PyArray_NDIM(array) == 0:
            continue
        if first is None:
            first = array
        elif same and not same_shape(first, array):
            same = False
        in_c = in_c and cnp.PyArray_IS_C_CONTIGUOUS(array)
        in_fortran = in_fortran and cnp.PyArray_IS_F_CONTIGUOUS(array)
    if same and (in_c or in_fortran):
        if first is None:
            out = cnp.PyArray_EMPTY(0, NULL, own, 0)
        else:
            nd = cnp.PyArray_NDIM(first)
            for k in range(nd):
                order[k] = k
            if in_c:
                out = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(first), own)
            else:
                out = new_ordered(nd, <Py_ssize_t*>cnp.PyArray_DIMS(first), own, order)
        o.data[OUT], s[OUT] = <char*>cnp.PyArray_DATA(out), cnp.PyArray_ITEMSIZE(out)
        for k in range(n):
            s[ARGUMENT + k] = 0
            if a[k].held == ARRAY:
                array = <ndarray>a[k].array
                o.data[ARGUMENT + k] = <char*>cnp.PyArray_DATA(array)
                if cnp.PyArray_NDIM(array) > 0:
                    s[ARGUMENT + k] = cnp.PyArray_ITEMSIZE(array)
            else:
                o.data[ARGUMENT + k] = numbers[k]
        if cnp.PyArray_SIZE(out) < WORTH:
            kernel(o.data, s, cnp.PyArray_SIZE(out), SET)
        else:
            _kept = references(a, n)
            with nogil:
                kernel(o.data, s, cnp.PyArray_SIZE(out), SET)
        return out
    nd = broadcast_shape(row, a, n, dims)
    o.used = 0
    for k in range(n):
        if a[k].held == ARRAY:
            place(&o, ARGUMENT + k, <ndarray>a[k].array, nd)
        else:
            place_scalar(&o, ARGUMENT + k, numbers[k], item, nd)
    if in_c:
        out = new_array(nd, dims, own)
    else:
        memory_order(&o, nd, order)
        out = new_ordered(nd, dims, own, order)
    place(&o, OUT, out, nd)
    if cnp.PyArray_SIZE(out) < WORTH:
        iterate(kernel, &o, nd, dims, False)
    else:
        _kept = references(a, n)
        with nogil:
            iterate(kernel, &o, nd, dims, False)
    return out

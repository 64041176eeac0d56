"""One operation, forward: read the operands, compute, record a Node. Called by operators and functions.

Operands that are float or double arrays, 0-d values of Tensors and Python scalars take the compiled path, if they agree
on a dtype; everything else (other dtypes, mixtures, rows without kernels) takes `generic`: the row's NumPy form.
"""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsDouble, PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_GetItem
from libc.string cimport memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._blas cimport gemm_into, is_matrix, matmul2d
from zen._core._broadcast cimport Operands, iterate, memory_order, place, place_scalar
from zen._core._classes cimport cross_entropy_into, softmax_into
from zen._core._dispatch cimport identity_kernel
from zen._core._guard cimport borrow, guarded_params, keep
from zen._core._memory cimport contiguous, new_array, new_ordered, same_shape
from zen._core._rows cimport as_rows, class_numbers, fill_rows, gather
from zen._core._tensor cimport (
    ARRAY, CROSS_ENTROPY, ELEMENTWISE, EMBEDDING, LINEAR, LOG_SOFTMAX, MATMUL, MEAN, PERMUTE_DIMS, RESHAPE, SCALAR,
    SOFTMAX, SUM, Node, Row, Shaped, Tensor, hook, new_node, new_scalar, named_row, new_tensor, node_of, recording,
    set_calls,
)
from zen._core._types cimport ARGUMENT, MAX_ARGUMENTS, MAXDIMS, OUT, RESULT, SET, SLOTS, Targets, kernel_t

cnp.import_array()

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it

cdef struct Arg:
    unsigned char held       # SCALAR or ARRAY
    bint foreign             # the operand is an ndarray of the user's
    int typenum              # 0 for a Python scalar, which takes the others' dtype (NEP 50)
    double scalar
    PyObject* array          # borrowed, like node: from the operand, which may get others where other code can run
    PyObject* node


cdef inline bint parse_array(ndarray array, Arg* a) noexcept:
    cdef int typenum = cnp.PyArray_TYPE(array)
    if not cnp.PyArray_ISBEHAVED_RO(array):
        return False
    a.typenum = typenum
    if typenum == cnp.NPY_FLOAT:
        if cnp.PyArray_NDIM(array) == 0:
            a.held = SCALAR
            a.scalar = (<float*>cnp.PyArray_DATA(array))[0]
            return True
    elif typenum == cnp.NPY_DOUBLE:
        if cnp.PyArray_NDIM(array) == 0:
            a.held = SCALAR
            a.scalar = (<double*>cnp.PyArray_DATA(array))[0]
            return True
    else:
        return False
    a.held = ARRAY
    a.array = <PyObject*>array
    return True


cdef inline int parse(object x, Arg* a) except -1:
    # Fills `a` and returns 1, or returns 0 where the operand is not for the compiled path.
    cdef Tensor t
    cdef Node n
    if isinstance(x, Tensor):
        t = <Tensor>x
        n = node_of(t)
        a.node = NULL if n is None else <PyObject*>n
        if t.data is None:
            a.held, a.typenum, a.scalar = SCALAR, t.typenum, t.scalar
            return t.typenum != 0
        a.foreign = False
        return parse_array(<ndarray>t.data, a)
    a.node = NULL
    if PyFloat_CheckExact(x):
        a.held, a.typenum, a.scalar = SCALAR, 0, PyFloat_AS_DOUBLE(x)
        return 1
    if PyLong_CheckExact(x):
        if not -9007199254740992 <= x <= 9007199254740992:
            return 0
        a.held, a.typenum, a.scalar = SCALAR, 0, PyLong_AsDouble(x)
        return 1
    if type(x) is ndarray:
        a.foreign = True
        return parse_array(<ndarray>x, a)
    return 0


cdef inline int parse_mask(object x, Arg* a) except -1:
    # A bool array, read as bytes.
    cdef object array = (<Tensor>x).data if isinstance(x, Tensor) else x
    if type(array) is not ndarray or cnp.PyArray_TYPE(<ndarray>array) != cnp.NPY_BOOL:
        return 0
    a.node = NULL
    a.held, a.typenum, a.array, a.foreign = ARRAY, 0, <PyObject*>array, not isinstance(x, Tensor)
    return 1


cdef Tensor elementwise(Row row, Arg* a, int n):
    # The compiled path of an elementwise row, or None where the dtypes are not for it.
    cdef int k, typenum = 0, arrays = 0
    for k in range(n):
        if a[k].typenum != 0:
            if typenum != 0 and typenum != a[k].typenum:
                return None
            typenum = a[k].typenum
        arrays += a[k].held == ARRAY
    if typenum == 0:
        return None
    if arrays == 0:
        return elementwise_scalar(row, a, n, typenum)
    return elementwise_array(row, a, n, typenum)


cdef Tensor elementwise_scalar(Row row, Arg* a, int n, int typenum):
    cdef char* p[SLOTS]
    cdef Py_ssize_t s[SLOTS]
    cdef double d[MAX_ARGUMENTS + 1]
    cdef float f[MAX_ARGUMENTS + 1]
    cdef int k
    cdef double y
    if typenum == cnp.NPY_DOUBLE:
        p[OUT], s[OUT] = <char*>&d[MAX_ARGUMENTS], sizeof(double)
        for k in range(n):
            d[k] = a[k].scalar
            p[ARGUMENT + k], s[ARGUMENT + k] = <char*>&d[k], sizeof(double)
        row.forward_kernels[1](p, s, 1, SET)
        y = d[MAX_ARGUMENTS]
    else:
        p[OUT], s[OUT] = <char*>&f[MAX_ARGUMENTS], sizeof(float)
        for k in range(n):
            f[k] = <float>a[k].scalar
            p[ARGUMENT + k], s[ARGUMENT + k] = <char*>&f[k], sizeof(float)
        row.forward_kernels[0](p, s, 1, SET)
        y = f[MAX_ARGUMENTS]
    return new_scalar(y, typenum, record_elementwise(row, a, n, typenum, None, y))


cdef Tensor elementwise_array(Row row, Arg* a, int n, int typenum):
    cdef Operands o
    cdef double d[MAX_ARGUMENTS]
    cdef float f[MAX_ARGUMENTS]
    cdef Py_ssize_t s[SLOTS]
    cdef Py_ssize_t item = sizeof(double) if typenum == cnp.NPY_DOUBLE else sizeof(float)
    cdef Py_ssize_t dims[MAXDIMS]
    cdef Py_ssize_t size = 1
    cdef int order[MAXDIMS]
    cdef int k, nd = 0
    cdef bint same = True, in_c = True, in_fortran = True
    cdef ndarray first = None
    cdef ndarray array, out
    cdef kernel_t kernel = row.forward_kernels[item == sizeof(double)]
    cdef list _kept              # to the end of the function
    for k in range(n):
        if a[k].held == SCALAR:
            d[k], f[k] = a[k].scalar, <float>a[k].scalar
            continue
        array = <ndarray>a[k].array
        if first is None:
            first = array
        elif same and not same_shape(first, array):
            same = False
        in_c = in_c and cnp.PyArray_IS_C_CONTIGUOUS(array)
        in_fortran = in_fortran and cnp.PyArray_IS_F_CONTIGUOUS(array)
    if same and (in_c or in_fortran):
        nd = cnp.PyArray_NDIM(first)
        if in_c:
            out = new_array(nd, <Py_ssize_t*>cnp.PyArray_DIMS(first), typenum)
        else:
            for k in range(nd):
                order[k] = k
            out = new_ordered(nd, <Py_ssize_t*>cnp.PyArray_DIMS(first), typenum, order)
        size = cnp.PyArray_SIZE(out)
        o.data[OUT], s[OUT] = <char*>cnp.PyArray_DATA(out), item
        for k in range(n):
            if a[k].held == ARRAY:
                o.data[ARGUMENT + k] = <char*>cnp.PyArray_DATA(<ndarray>a[k].array)
                s[ARGUMENT + k] = cnp.PyArray_ITEMSIZE(<ndarray>a[k].array)
            else:
                o.data[ARGUMENT + k] = <char*>&d[k] if item == sizeof(double) else <char*>&f[k]
                s[ARGUMENT + k] = 0
        if size < WORTH:
            kernel(o.data, s, size, SET)
        else:
            _kept = references(a, n)
            with nogil:
                kernel(o.data, s, size, SET)
    else:
        nd = broadcast_shape(row, a, n, dims)
        o.used = 0
        for k in range(n):
            if a[k].held == ARRAY:
                place(&o, ARGUMENT + k, <ndarray>a[k].array, nd)
            else:
                place_scalar(&o, ARGUMENT + k, <void*>&d[k] if item == sizeof(double) else <void*>&f[k], item, nd)
        if in_c:
            out = new_array(nd, dims, typenum)
        else:
            memory_order(&o, nd, order)
            out = new_ordered(nd, dims, typenum, order)
        place(&o, OUT, out, nd)
        if cnp.PyArray_SIZE(out) < WORTH:
            iterate(kernel, &o, nd, dims, False)
        else:
            _kept = references(a, n)
            with nogil:
                iterate(kernel, &o, nd, dims, False)
    return new_tensor(out, record_elementwise(row, a, n, typenum, out, 0))


cdef inline Node taken(Arg* a):
    return None if a.node == NULL else <Node>a.node


cdef list references(Arg* a, int n):
    # To what a kernel reads without the GIL, and what is recorded after it: an operand that another thread writes to
    # gets another node.
    cdef list found = []
    for k in range(n):
        found.append(taken(&a[k]))
        if a[k].held == ARRAY:
            found.append(<object>a[k].array)
    return found


cdef int broadcast_shape(Row row, Arg* a, int n, Py_ssize_t* dims) except -1:
    # NumPy's rule; writes the common shape to `dims` and returns its length.
    cdef int nd = 0, k, j, shift
    cdef Py_ssize_t length
    for k in range(n):
        if a[k].held == ARRAY:
            nd = max(nd, cnp.PyArray_NDIM(<ndarray>a[k].array))
    for j in range(nd):
        dims[j] = 1
    for k in range(n):
        if a[k].held != ARRAY:
            continue
        shift = nd - cnp.PyArray_NDIM(<ndarray>a[k].array)
        for j in range(shift, nd):
            length = cnp.PyArray_DIMS(<ndarray>a[k].array)[j - shift]
            if length == 1 or length == dims[j]:
                continue
            if dims[j] != 1:
                raise_shapes(row, a, n)
            dims[j] = length
    return nd


cdef int raise_shapes(Row row, Arg* a, int n) except -1:
    shapes = [str((<object>a[k].array).shape) if a[k].held == ARRAY else "()" for k in range(n)]
    raise ValueError(
        f"{row.name}: shapes {' and '.join(shapes)} do not broadcast together; "
        "axes are compared from the last one and must be equal or 1"
    )


cdef inline object kept(Arg* a, Node node):
    return keep(a.array, a.foreign, &node.watched)


cdef Node record_elementwise(Row row, Arg* a, int n, int typenum, ndarray out, double y):
    # The node, or None where nothing requires a gradient. `out` is None for a 0-d result `y`.
    cdef int k, reads = 0
    cdef Node node
    cdef bint wanted = False
    for k in range(n):
        if a[k].node != NULL:
            wanted = True
            reads |= row.reads[k]
    if not wanted or not recording():
        return None
    for k in range(n):
        if a[k].node != NULL and not row.differentiable[k]:
            raise_constant(row, k, n)
    node = new_node(row)
    node.compiled = True
    node.typenum = typenum
    if out is None:
        node.set_shape(0, NULL)
    else:
        node.set_shape(cnp.PyArray_NDIM(out), <Py_ssize_t*>cnp.PyArray_DIMS(out))
    if a[0].node != NULL:
        node.n0 = <Node>a[0].node
    if reads & 1 << ARGUMENT:
        node.h0, node.c0 = a[0].held, a[0].scalar
        if a[0].held == ARRAY:
            node.s0 = kept(&a[0], node)
    if n > 1:
        if a[1].node != NULL:
            node.n1 = <Node>a[1].node
        if reads & 1 << (ARGUMENT + 1):
            node.h1, node.c1 = a[1].held, a[1].scalar
            if a[1].held == ARRAY:
                node.s1 = kept(&a[1], node)
    if n > 2:
        if a[2].node != NULL:
            node.n2 = <Node>a[2].node
        if reads & 1 << (ARGUMENT + 2):
            node.h2, node.c2 = a[2].held, a[2].scalar
            if a[2].held == ARRAY:
                node.s2 = kept(&a[2], node)
    if reads & 1 << RESULT:
        node.hy, node.cy = (SCALAR if out is None else ARRAY), y
        node.sy = out
    for k in range(n):
        if a[k].node != NULL and (<Node>a[k].node).tracked:
            node.track()
    return node


include "_structural.pxi"
include "_layers.pxi"


cdef object binary_op(Row row, object x, object y):
    cdef Arg a[2]
    cdef Tensor t
    if row is None:
        raise RuntimeError("zen's engine has no operators yet: import zen, not its engine alone")
    if row.kind == ELEMENTWISE:
        if parse(x, &a[0]) and parse(y, &a[1]):
            t = elementwise(row, a, 2)
            if t is not None:
                return t
    elif row.kind == MATMUL:
        t = matrix_product(row, x, y)
        if t is not None:
            return t
    if not (is_operand(x) and is_operand(y)):
        if isinstance(x, complex) or isinstance(y, complex):
            hook("convert")(x if isinstance(x, complex) else y)      # raises, saying what zen holds
        return NotImplemented
    return generic(row, (x, y), ())


cdef object unary_op(Row row, Tensor x):
    cdef Arg a
    cdef Tensor t
    if row is None:
        raise RuntimeError("zen's engine has no operators yet: import zen, not its engine alone")
    if row.kind == ELEMENTWISE and parse(x, &a):
        t = elementwise(row, &a, 1)
        if t is not None:
            return t
    return generic(row, (x,), ())


set_calls(binary_op, unary_op, getitem)


cdef bint is_operand(object x):
    return isinstance(x, (Tensor, float, int, ndarray, np.generic))


cdef Tensor apply_row(Row row, tuple inputs, tuple params):
    cdef Arg a[MAX_ARGUMENTS]
    cdef Tensor t = None
    cdef int k, n = len(inputs)
    if row.kind == ELEMENTWISE:
        for k in range(n):
            if not (parse_mask(inputs[0], &a[0]) if k == 0 and row.has_mask else parse(inputs[k], &a[k])):
                break
        else:
            t = elementwise(row, a, n)
    elif row.kind == MATMUL:
        t = matrix_product(row, inputs[0], inputs[1])
    elif row.kind == SUM or row.kind == MEAN:
        t = total(row, inputs[0], params)
    elif row.kind == LINEAR:
        t = linear(row, inputs)
    elif row.kind == SOFTMAX or row.kind == LOG_SOFTMAX:
        t = softmax(row, inputs[0], params)
    elif row.kind == CROSS_ENTROPY:
        t = cross_entropy(row, inputs, params)
    elif row.kind == EMBEDDING:
        t = embedding(row, inputs, params)
    elif row.kind == RESHAPE or row.kind == PERMUTE_DIMS:
        t = rearranged(row, inputs[0], params)
    return generic(row, inputs, params) if t is None else t


def apply(Row row not None, tuple inputs not None, tuple params=()):
    """Apply `row`: compute, and record if gradients are on and an input requires one."""
    if not row.variadic and len(inputs) != row.nin:
        raise TypeError(f"{row.name} takes {row.nin} arguments, not {len(inputs)}")
    return apply_row(row, inputs, params)


def unary(Row row not None):
    """The public function of an elementwise row of one argument."""
    def function(input):
        if isinstance(input, Tensor):
            return unary_op(row, <Tensor>input)
        return apply_row(row, (input,), ())
    return function


def binary(Row row not None):
    """The public function of an elementwise row of two arguments."""
    def function(a, b, /):
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            result = binary_op(row, a, b)
            if result is not NotImplemented:
                return result
        return apply_row(row, (a, b), ())
    return function


include "_generic.pxi"

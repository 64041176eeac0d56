"""One operation, forward: read the operands, compute, record a Node. Called by operators and functions.

Operands that are float or double arrays, 0-d values of Tensors and Python scalars take the compiled path, if they agree
on a dtype; complex ones take that of `_record_complex.pxi`; everything else (other dtypes, mixtures, rows without
kernels) takes `generic`: the row's NumPy form.
"""

from cpython.object cimport PyObject, PyObject_SetItem
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._broadcast cimport Operands, iterate, memory_order, place, place_scalar
from zen._core._dtypes cimport (
    has_complex_kernels, has_kernels, is_complex, is_differentiable, is_inexact, is_supported, item_of, part_of,
    typenum_of, width_of,
)
from zen._core._guard cimport borrow, guarded_params, keep
from zen._core._memory cimport new_array, new_ordered, same_shape
from zen._core._parse cimport Arg, is_basic, kept, parse, parse_mask, taken
from zen._core._tensor cimport (
    ARRAY, NOBODY, NODES, OTHERS, SCALAR, Node, Row, Shaped, Sharers, Tensor, batched, hook, hush, new_node, new_scalar,
    new_tensor, node_of, output_node, recording, set_calls, sharers_of, tracer, tracing, unhush,
)
from zen._core._types cimport ARGUMENT, MAX_ARGUMENTS, MAXDIMS, OUT, RESULT, SET, SLOTS, kernel_t

cnp.import_array()

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it

cdef extern from "Python.h":
    ctypedef struct PyTupleObject:
        PyObject** ob_item


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


cdef Node record_one(Row row, Arg* a, tuple params, int nd, const Py_ssize_t* dims):
    # The node of a compiled row of one argument that saves nothing.
    cdef Node node
    if a.node == NULL or not recording():
        return None
    node = new_node(row)
    node.compiled = True
    node.typenum = a.typenum
    node.n0, node._params = <Node>a.node, params
    node.set_shape(nd, dims)
    if node.n0.tracked:
        node.track()
    return node


cdef Node record_layer(Row row, int typenum, tuple params, int nd, const Py_ssize_t* dims, Node a, Node b, Node c):
    # The node of a compiled row whose inputs' nodes are a, b and c (None where there is none).
    cdef Node node = new_node(row)
    node.compiled = True
    node.typenum, node._params = typenum, params
    node.set_shape(nd, dims)
    node.n0, node.n1, node.n2 = a, b, c
    if (a is not None and a.tracked) or (b is not None and b.tracked) or (c is not None and c.tracked):
        node.track()
    return node


cdef Tensor linked(Tensor t, Tensor x):
    # t, known as a view of x where its memory is that of x.
    cdef PyObject* base = <PyObject*>cnp.PyArray_BASE(<ndarray>t.data)
    if base != NULL and (base == <PyObject*>x.data or base == <PyObject*>cnp.PyArray_BASE(<ndarray>x.data)):
        t._base = x if x._base is None else x._base
        t._base.views += 1
        t.synced = t._base.version
    return t


cdef object binary_op(Row row, object x, object y):
    return traced_operator(row, (x, y)) if tracing() else binary_plain(row, x, y)


cdef object binary_plain(Row row, object x, object y):
    cdef Arg a[2]
    cdef PyObject* operands[2]
    cdef Tensor t
    if row is None:
        raise RuntimeError("zen's engine has no operators yet: import zen, not its engine alone")
    if row.generated:
        if parse(x, &a[0]) and parse(y, &a[1]):
            t = elementwise(row, a, 2)
            if t is not None:
                return t
    elif row.run != NULL:
        operands[0], operands[1] = <PyObject*>x, <PyObject*>y
        t = row.run(row, operands, 2, ())
        if t is not None:
            return t
    operands[0], operands[1] = <PyObject*>x, <PyObject*>y
    t = complex_op(row, operands, 2)
    if t is not None:
        return t
    if not (is_operand(x) and is_operand(y)):
        return NotImplemented
    return generic(row, (x, y), ())


cdef object unary_op(Row row, Tensor x):
    return traced_operator(row, (x,)) if tracing() else unary_plain(row, x)


cdef object unary_plain(Row row, Tensor x):
    cdef Arg a
    cdef PyObject* operand
    cdef Tensor t
    if row is None:
        raise RuntimeError("zen's engine has no operators yet: import zen, not its engine alone")
    if row.generated and parse(x, &a):
        t = elementwise(row, &a, 1)
        if t is not None:
            return t
    operand = <PyObject*>x
    t = complex_op(row, &operand, 1)
    return generic(row, (x,), ()) if t is None else t


cdef bint is_operand(object x):
    return isinstance(x, (Tensor, float, int, complex, ndarray, np.generic))


cdef object apply_row(Row row, tuple inputs, tuple params):
    return traced_row(row, inputs, params) if tracing() else row_plain(row, inputs, params)


cdef object row_plain(Row row, tuple inputs, tuple params):
    cdef Arg a[MAX_ARGUMENTS]
    cdef Tensor t = None
    cdef int k, n = len(inputs)
    if row.generated:
        for k in range(n):
            if not (parse_mask(inputs[0], &a[0]) if k == 0 and row.has_mask else parse(inputs[k], &a[k])):
                break
        else:
            t = elementwise(row, a, n)
    elif row.run != NULL:
        t = row.run(row, (<PyTupleObject*>inputs).ob_item, n, params)
    if t is None:
        t = complex_op(row, (<PyTupleObject*>inputs).ob_item, n)
    return generic(row, inputs, params) if t is None else t


def apply(Row row not None, tuple inputs not None, tuple params=()):
    """Apply `row`: compute, and record if gradients are on and an input requires one. A tuple for several results."""
    if not row.variadic and len(inputs) != row.nin:
        raise TypeError(f"{row.name} takes {row.nin} arguments, not {len(inputs)}")
    return apply_row(row, inputs, params)


def unary(Row row not None, write=None):
    """The public function of an elementwise row of one argument. `write(name, input, result)`: it takes PyTorch's
    `inplace` as well, and that is what puts the result into the input."""
    if write is not None:
        def activation(input, inplace=False):
            result = unary_op(row, <Tensor>input) if isinstance(input, Tensor) else apply_row(row, (input,), ())
            return result if inplace is False or not inplace else write(row.name, input, result)
        return activation

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


def applied(Row row not None, int params):
    """The row as a function of its arguments and, behind them, so many parameters."""
    def function(*values):
        cdef Py_ssize_t n = len(values) - params
        return apply(row, values[:n], values[n:])
    return function


include "_record_traced.pxi"
include "_record_complex.pxi"
include "_record_ufunc.pxi"
include "_record_generic.pxi"
include "_record_writes.pxi"


set_calls(binary_op, unary_op, inplace_op, setitem_op)

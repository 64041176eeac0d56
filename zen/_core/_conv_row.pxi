# The rows of the convolution, recorded. Part of _conv.pyx.

cdef enum:
    LONGEST = 0x7FFFFFFF      # of any length and setting: products of two fit


cdef bint pair(object value, Py_ssize_t least, Py_ssize_t* first, Py_ssize_t* second) noexcept:
    # Reads a pair of ints; False where it is none, or they are out of range.
    if type(value) is not tuple or len(<tuple>value) != 2:
        return False
    return one((<tuple>value)[0], least, first) and one((<tuple>value)[1], least, second)


cdef bint one(object value, Py_ssize_t least, Py_ssize_t* to) noexcept:
    cdef int beyond = 0
    if not PyLong_CheckExact(value):
        return False
    to[0] = PyLong_AsLongLongAndOverflow(value, &beyond)
    return beyond == 0 and least <= to[0] <= LONGEST


cdef bint measure(Geometry* s, const Py_ssize_t* x, const Py_ssize_t* w, tuple params) noexcept:
    # Fills in the sizes; False unless they are a convolution. x, w: the lengths of four axes.
    cdef int k
    for k in range(4):
        if x[k] > LONGEST or w[k] > LONGEST:
            return False
    if not (pair(params[0], 1, &s.sh, &s.sw) and pair(params[1], 0, &s.ph, &s.pw)):
        return False
    if not (pair(params[2], 1, &s.dh, &s.dw) and one(params[3], 1, &s.groups)):
        return False
    s.n, s.c, s.h, s.w, s.o, s.cg, s.kh, s.kw = x[0], x[1], x[2], x[3], w[0], w[1], w[2], w[3]
    if min(s.kh, s.kw) < 1 or s.o % s.groups != 0 or s.c != s.cg * s.groups:
        return False
    s.og = s.o // s.groups
    s.oh, s.ow = length(s.h, s.kh, s.sh, s.ph, s.dh), length(s.w, s.kw, s.sw, s.pw, s.dw)
    return min(s.oh, s.ow) > 0


cdef Tensor run_conv2d(Row row, PyObject** inputs, int n, tuple params):
    # Arrays of one dtype, float or double, as they are in a layer; n: 3 with a bias.
    cdef Arg a[3]
    cdef Convolution p
    cdef Py_ssize_t dims[4]
    cdef ndarray x, w, bias = None, y
    cdef Node node = None
    cdef int k
    for k in range(n):
        if not parse(<object>inputs[k], &a[k]) or a[k].held != ARRAY or a[k].typenum != a[0].typenum:
            return None
    cdef Node n0 = taken(&a[0]), n1 = taken(&a[1]), n2 = taken(&a[2]) if n == 3 else None
    x, w = <ndarray>a[0].array, <ndarray>a[1].array
    if cnp.PyArray_NDIM(x) != 4 or cnp.PyArray_NDIM(w) != 4:
        return None
    if not measure(&p.s, <Py_ssize_t*>cnp.PyArray_DIMS(x), <Py_ssize_t*>cnp.PyArray_DIMS(w), params):
        return None
    if n == 3:
        bias = <ndarray>a[2].array
        if cnp.PyArray_NDIM(bias) != 1 or cnp.PyArray_DIMS(bias)[0] != p.s.o:
            return None
    dims[0], dims[1], dims[2], dims[3] = p.s.n, p.s.o, p.s.oh, p.s.ow
    y = new_array(4, dims, a[0].typenum)
    execute(&p, FORWARD, packed(x), packed(w), None if bias is None else packed(bias), y)
    if recording() and (n0 is not None or n1 is not None or n2 is not None):
        node = record_layer(row, a[0].typenum, params, 4, dims, n0, n1, n2)
        if n0 is not None:
            node.h1, node.s1 = ARRAY, keep(<PyObject*>w, a[1].foreign, &node.watched)
        if n1 is not None:
            node.h0, node.s0 = ARRAY, keep(<PyObject*>x, a[0].foreign, &node.watched)
    return new_tensor(y, node)


cdef inline ndarray packed(ndarray a):
    return a if cnp.PyArray_IS_C_CONTIGUOUS(a) else contiguous(a)


cdef int pull_conv2d(object work, Node n) except -1:
    cdef Pass p = <Pass>work
    cdef Convolution plan
    cdef object s0 = n.s0, s1 = n.s1
    cdef ndarray g = cotangent(p), made
    if n.n0 is not None or n.n1 is not None:       # else only a bias takes part, and nothing was saved
        measure(&plan.s, lengths(n.n0, s0), lengths(n.n1, s1), n._params)
    if p.needs(n.n0):
        made = new_array(4, n.n0.dims, n.typenum)
        execute(&plan, INPUT, made, packed(<ndarray>s1), None, g)
        p.give_array(n.n0, made)
    if p.needs(n.n1):
        made = new_array(4, n.n1.dims, n.typenum)
        execute(&plan, WEIGHT, packed(<ndarray>s0), made, None, g)
        p.give_array(n.n1, made)
    if p.needs(n.n2):
        warnings = hush()
        try:
            f = hook("arrays")
            total = f.sum(f.sum(g, (2, 3), False), (0,), False)
        finally:
            unhush(warnings)
        p.give(n.n2, total, n.row, 2)
    return 0


cdef object push_conv2d(Node n, PyObject** t):
    # That of the bias is the bias of the first product.
    cdef Convolution plan
    cdef object s0 = n.s0, s1 = n.s1
    cdef ndarray out, part, bias = packed(<ndarray>t[2]) if n.count() == 3 and t[2] != NULL else None
    if t[0] == NULL and t[1] == NULL:
        return NotImplemented
    measure(&plan.s, lengths(n.n0, s0), lengths(n.n1, s1), n._params)
    out = new_array(4, n.dims, n.typenum)
    if t[0] != NULL:
        execute(&plan, FORWARD, packed(<ndarray>t[0]), packed(<ndarray>s1), bias, out)
    if t[1] != NULL:
        part = out if t[0] == NULL else new_array(4, n.dims, n.typenum)
        execute(&plan, FORWARD, packed(<ndarray>s0), packed(<ndarray>t[1]), bias if t[0] == NULL else None, part)
        if t[0] != NULL:
            out += part
    return out


cdef inline const Py_ssize_t* lengths(Node n, object saved) noexcept:
    # Of an operand that takes part, or was saved because the other one does.
    return n.dims if n is not None else <Py_ssize_t*>cnp.PyArray_DIMS(<ndarray>saved)


def convolved(Row row not None, tuple inputs not None, tuple params not None):
    """What `row`, conv2d or conv2d_bias, gives for arrays and settings that need no preparation: a recorded Tensor.

    inputs: images in batches, a weight and perhaps a bias, of float32 or of float64. params: pairs of ints, and the
    number of groups. None for anything else, which the caller has to bring to this form, or refuse.
    """
    return None if tracing() else run_conv2d(row, (<PyTupleObject*>inputs).ob_item, len(inputs), params)


register("conv2d", run_conv2d, pull_conv2d)
register("conv2d_bias", run_conv2d, pull_conv2d)
register_push("conv2d", push_conv2d)
register_push("conv2d_bias", push_conv2d)

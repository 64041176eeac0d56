# `x += y` and `x[key] = v` where nobody outside sees the memory of x. Part of _record.pyx.
#
# Then what was saved of x keeps its memory, and x goes on with another value and another node: a write that needs no
# entry in the log of writes. All others, and all errors, are for zen/attached/inplace.py.

cdef enum:
    SMALL = 4096         # bytes: memory for so many costs less than what it takes to write where a node looks


cdef inline bint is_open(Tensor t) noexcept:
    # Whether t owns its memory and may be changed now: not a leaf, which others differentiate by, while recording.
    if t._base is not None or (t._node is not None and t._node.row is None and recording()):
        return False
    return t.data is None or cnp.PyArray_ISCARRAY(<ndarray>t.data)


cdef int adopt(Tensor t, Node node) except -1:
    # The node of the value that t has now; None leaves the one it had, as for every write that is not recorded.
    if node is not None:
        t.node = node
        t.version += 1
    return 0


cdef bint takes_place(Tensor y, Tensor t) noexcept:
    # Whether y, just computed, has the dtype, shape and layout of t.
    if y.typenum != t.typenum or (y.data is None) != (t.data is None):
        return False
    return y.data is None or (
        same_shape(<ndarray>y.data, <ndarray>t.data) and cnp.PyArray_ISCARRAY(<ndarray>y.data))


cdef object inplace_op(Row row, Tensor t, object other):
    return traced_inplace(row, t, other) if tracing() else inplace_plain(row, t, other)


cdef object inplace_plain(Row row, Tensor t, object other):
    cdef Tensor y
    cdef Sharers shared
    if is_open(t):
        shared = sharers_of(t)
        if shared == NODES or (shared == NOBODY and (t.data is None or cnp.PyArray_NBYTES(<ndarray>t.data) <= SMALL)):
            try:
                made = binary_op(row, t, other)
            except Exception:
                made = None
            if isinstance(made, Tensor) and takes_place(<Tensor>made, t):
                y = <Tensor>made
                t.data, t.scalar = y.data, y.scalar
                adopt(t, y._node)
                return t
    return hook("inplace")(t, row, other)


cdef bint fits(Arg* a, int typenum) noexcept:
    # Whether an array of this dtype, float or double, takes the operand without a cast that could overflow.
    if a.typenum == 0:
        return typenum == cnp.NPY_DOUBLE or (typenum == cnp.NPY_FLOAT and -3e38 <= a.scalar <= 3e38)
    return a.typenum == typenum


cdef int setitem_op(Row row, Tensor t, object key, object value) except -1:
    return traced_setitem(row, t, key, value) if tracing() else setitem_plain(row, t, key, value)


cdef int setitem_plain(Row row, Tensor t, object key, object value) except -1:
    if not write(row, t, key, value):
        hook("setitem")(t, key, value)
    return 0


cdef bint write(Row row, Tensor t, object key, object value) except -1:
    # `t[key] = value` for a basic key and an operand of t's dtype. False: nothing was done.
    cdef Arg a
    if row is None or not is_basic(key) or value is t:
        return False
    if not parse(value, &a):     # in which a stale view is derived anew, by Python code
        return False
    if t.data is None or not is_open(t) or not fits(&a, t.typenum):
        return False
    cdef tuple plain = <tuple>key if type(key) is tuple else (key,)
    cdef Node node = None, _own = taken(&a)
    cdef Sharers shared = sharers_of(t)
    if shared == OTHERS or (shared == NODES and cnp.PyArray_NBYTES(<ndarray>t.data) > SMALL):
        return False
    cdef object array = t.data if shared == NOBODY else cnp.PyArray_NewCopy(<ndarray>t.data, cnp.NPY_KEEPORDER)
    cdef object part = a.scalar if a.held == SCALAR else <object>a.array
    if recording() and (t._node is not None or a.node != NULL):
        node = record_generic(row, (t, value), (array, part), (plain,), array)
    try:
        PyObject_SetItem(array, plain if Ellipsis in plain else (*plain, Ellipsis), part)
    except Exception:
        return False
    t.data = array
    adopt(t, node)
    return True

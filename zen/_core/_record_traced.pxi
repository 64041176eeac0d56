# Operations that something notes as they are done. Part of _record.pyx.
#
# A row that is made of others is noted by these: what it returns has a place in the trace already.

cdef object traced_operator(Row row, tuple operands):
    cdef object own = tracer()
    cdef tuple given = own.numbers(operands)
    try:
        if len(given) == 2:
            result = binary_plain(row, given[0], given[1])
        else:
            result = unary_plain(row, <Tensor?>given[0])
    except Exception:
        own.raised(row)
        raise
    if result is not NotImplemented:
        own.note(row, operands, (), result)
    return result


cdef object traced_row(Row row, tuple inputs, tuple params):
    cdef object own = tracer()
    cdef tuple given = own.numbers(inputs)
    params = own.fixed(params, inputs)
    try:
        result = row_plain(row, given, params)
    except Exception:
        own.raised(row)
        raise
    own.note(row, inputs, params, result)
    return result


cdef object traced_inplace(Row row, Tensor t, object other):
    return tracer().inplace(row, t, other)


cdef int traced_setitem(Row row, Tensor t, object key, object value) except -1:
    tracer().setitem(row, t, key, value)
    return 0


def write_plain(Row row not None, Tensor t not None, *values):
    """`t op= value`, or `t[key] = value`, for what notes them itself."""
    if len(values) == 1:
        return inplace_plain(row, t, values[0])
    setitem_plain(row, t, values[0], values[1])

# The rows of the operators, bound by name once they load: with the first operator. Part of _tensor.pyx.

cdef Row ADD_, SUBTRACT, MULTIPLY, DIVIDE, FLOOR_DIVIDE, REMAINDER, POWER, MATMUL_, NEGATIVE, POSITIVE, ABS, INVERT
cdef Row AND, OR, XOR, LSHIFT, RSHIFT, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL, GETITEM, SETITEM


_OPERATORS = (
    "add subtract multiply divide floor_divide remainder power matmul negative positive abs invert and or xor lshift "
    "rshift less less_equal greater greater_equal equal not_equal getitem setitem"
).split()


cdef int bind_operators(dict rows) except -1:
    global ADD_, SUBTRACT, MULTIPLY, DIVIDE, FLOOR_DIVIDE, REMAINDER, POWER, MATMUL_, NEGATIVE, POSITIVE, ABS, INVERT
    global AND, OR, XOR, LSHIFT, RSHIFT, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL, GETITEM, SETITEM
    ADD_, SUBTRACT, MULTIPLY, DIVIDE = rows["add"], rows["subtract"], rows["multiply"], rows["divide"]
    FLOOR_DIVIDE, REMAINDER, POWER, MATMUL_ = rows["floor_divide"], rows["remainder"], rows["power"], rows["matmul"]
    NEGATIVE, POSITIVE, ABS, INVERT = rows["negative"], rows["positive"], rows["abs"], rows["invert"]
    AND, OR, XOR, LSHIFT, RSHIFT = rows["and"], rows["or"], rows["xor"], rows["lshift"], rows["rshift"]
    LESS, LESS_EQUAL = rows["less"], rows["less_equal"]
    GREATER, GREATER_EQUAL = rows["greater"], rows["greater_equal"]
    EQUAL, NOT_EQUAL, GETITEM, SETITEM = rows["equal"], rows["not_equal"], rows["getitem"], rows["setitem"]
    return 0


# The rows of the operators load when the first operator is used. Until then each has a row that knows its name alone,
# and what `calls` holds loads the others.

cdef Calls _loaded_calls


cdef Row unloaded(str name):
    cdef Row row = Row.__new__(Row)
    row.name = name
    return row


cdef int set_operators() except -1:
    global _loaded_calls
    bind_operators({name: unloaded(name) for name in _OPERATORS})
    if calls.binary != load_binary:
        _loaded_calls = calls
    calls.binary, calls.unary, calls.getitem = load_binary, load_unary, load_getitem
    calls.inplace, calls.setitem = load_inplace, load_setitem
    return 0


cdef Row loaded(Row row):
    global calls
    if row.prepare is not None:         # another thread was faster
        return row
    rows = hooks_["operators"]
    bind_operators({name: rows[name] for name in _OPERATORS})
    calls = _loaded_calls
    return rows[row.name]


cdef object load_binary(Row row, object a, object b):
    row = loaded(row)
    return _loaded_calls.binary(row, a, b)


cdef object load_unary(Row row, Tensor a):
    row = loaded(row)
    return _loaded_calls.unary(row, a)


cdef object load_getitem(Row row, Tensor t, object key):
    row = loaded(row)
    return _loaded_calls.getitem(row, t, key)


cdef object load_inplace(Row row, Tensor t, object other):
    row = loaded(row)
    return _loaded_calls.inplace(row, t, other)


cdef int load_setitem(Row row, Tensor t, object key, object value) except -1:
    row = loaded(row)
    return _loaded_calls.setitem(row, t, key, value)

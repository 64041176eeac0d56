# The pass of a transform over what its function recorded. Part of _engine.pyx.

cdef list leaf_gradients(Tensor root, object value, list leaves, bint retain):
    """The gradients of nodes that are leaves, in the order of their numbers; None for one that `root` does not need.

    For users: not conjugated, and arrays that nobody else has, or floats for 0-d leaves of kernels' dtypes. What lies
    below `root` leads to these leaves alone, so nothing is looked for, and nothing marked. Returns None where the pass
    has to record itself.
    """
    cdef Pass p
    cdef Due made
    cdef Py_ssize_t k = len(leaves)
    cdef list found = [None] * k
    if len(recording_calls) > 0:
        return None
    p = Pass.__new__(Pass)
    p.retain = retain
    try:
        seed(p, root, value)
        p.traverse()
    except BaseException:
        p.abandon()
        raise
    for made in p.finished:          # by falling numbers; among them are nodes that retain their gradient
        while k > 0 and (<Node>leaves[k - 1]).seq > made.node.seq:
            k -= 1
        if k > 0 and <Node>leaves[k - 1] is made.node:
            k -= 1
            found[k] = bare(made)
    return found


cdef object bare(Due made):
    # The gradient as a float, or as an array that nobody else has.
    cdef object g = made.gradient
    made.gradient = None             # no reference but this one is held when they are counted
    if isinstance(g, float) or is_exclusive(<PyObject*>g):
        return g
    return contiguous(<ndarray>g) if has_kernels(cnp.PyArray_TYPE(<ndarray>g)) else g.copy()

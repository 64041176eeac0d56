# Starting a pass and committing its results; the methods of Tensor that belong to it. Part of _engine.pyx.

cdef object conjugated(object gradient):
    # Between what a pass carries, cotangents that are not conjugated, and what users see: directions of ascent.
    cdef ndarray a, out
    cdef Py_ssize_t size
    if not (isinstance(gradient, ndarray) and is_complex(cnp.PyArray_TYPE(<ndarray>gradient))):
        return gradient
    a = <ndarray>gradient
    if not (has_complex_kernels(cnp.PyArray_TYPE(a)) and cnp.PyArray_ISCARRAY_RO(a)):
        return np.asarray(np.conjugate(gradient))
    out = new_array(cnp.PyArray_NDIM(a), <Py_ssize_t*>cnp.PyArray_DIMS(a), cnp.PyArray_TYPE(a))
    size = cnp.PyArray_SIZE(a)
    if size < WORTH:
        conjugate(cnp.PyArray_DATA(a), cnp.PyArray_DATA(out), size, cnp.PyArray_TYPE(a))
    else:
        with nogil:
            conjugate(cnp.PyArray_DATA(a), cnp.PyArray_DATA(out), size, cnp.PyArray_TYPE(a))
    return out


cdef void conjugate(const void* a, void* out, Py_ssize_t size, int typenum) noexcept nogil:
    cdef Py_ssize_t i
    if typenum == cnp.NPY_CDOUBLE:
        for i in range(size):
            (<double*>out)[2 * i], (<double*>out)[2 * i + 1] = (<const double*>a)[2 * i], -(<const double*>a)[2 * i + 1]
    else:
        for i in range(size):
            (<float*>out)[2 * i], (<float*>out)[2 * i + 1] = (<const float*>a)[2 * i], -(<const float*>a)[2 * i + 1]


cdef Tensor as_tensor(object gradient, int typenum):
    # A gradient as a Tensor with an array of its own.
    cdef PyObject* p
    if isinstance(gradient, float):
        return new_scalar(<double>gradient, typenum, None)
    if has_kernels(cnp.PyArray_TYPE(<ndarray>gradient)):
        return new_tensor(contiguous(<ndarray>gradient), None)
    return new_tensor((<object>gradient).copy(), None)


cdef Tensor settle(object gradient, int typenum):
    # A gradient to which the caller holds the last reference of the pass becomes a Tensor: without a copy where nobody
    # else has the array.
    if isinstance(gradient, float) or not is_exclusive(<PyObject*>gradient):
        return as_tensor(gradient, typenum)
    return new_tensor(gradient, None)


cdef Node taking_part(object x):
    # The node of a Tensor, or x itself, which is one.
    cdef Node n = <Node>x if isinstance(x, Node) else (node_of(<Tensor>x) if isinstance(x, Tensor) else None)
    if n is None:
        raise RuntimeError("backward: a Tensor that does not require a gradient takes part in the pass")
    return n


cdef object hand_out(dict wanted, list inputs, int k, list found):
    # What `run` returns for input k. No reference but this one is held to an array when `settle` counts them.
    cdef bint bare = isinstance(inputs[k], Node)
    cdef Node n = taking_part(inputs[k])
    cdef object g = wanted.pop(n, n)
    cdef Tensor t
    if g is n:               # asked for before
        return again(found[[taking_part(x) for x in inputs[:k]].index(n)], n, bare)
    if g is None:
        return None
    if isinstance(g, float):
        return g if bare else new_scalar(<double>g, n.typenum, None)
    t = settle(g, n.typenum)
    return t if not bare else (t.item() if n.nd == 0 else t.values())


cdef object again(object found, Node n, bint bare):
    # What `run` returned for a node once more, on an array of its own.
    cdef object a
    if found is None:
        return None
    a = np.array((<Tensor>found).values() if isinstance(found, Tensor) else found, n.dtype)
    if not bare:
        return new_tensor(a, None)
    return a.item() if n.nd == 0 else a


cdef object check_gradient(object value, Node n, str origin):
    # A gradient given by the user, as a Tensor of the node's shape and dtype.
    cdef object a
    if isinstance(value, Tensor) and value.shape == n.shape and value.dtype == n.dtype:
        a = (<Tensor>value).data
        if a is None or cnp.PyArray_ISALIGNED(<ndarray>a):
            return value
        return new_tensor(a.copy(), node_of(<Tensor>value))
    a = value.array if isinstance(value, Tensor) else hook("convert")(value)
    if a.shape != n.shape:
        raise ValueError(f"{origin} gave a gradient of shape {a.shape}; expected {n.shape}")
    if is_complex(cnp.PyArray_TYPE(<ndarray>a)) and not is_complex(n.typenum):
        raise TypeError(f"{origin} gave a complex gradient for a Tensor of dtype {n.dtype}; take its real part")
    return new_tensor(a.astype(n.dtype), None)


cdef struct Turn:
    PyObject* node
    int left             # inputs that have not been looked at


@cython.final
cdef class Descent:
    """The way down from a root to the node that `mark_needed` is at."""

    cdef Turn* turns
    cdef Py_ssize_t length, capacity

    def __dealloc__(self):
        free(self.turns)

    cdef int add(self, Node n) except -1:
        cdef Turn* grown
        if self.length == self.capacity:
            grown = <Turn*>realloc(self.turns, max(64, 2 * self.capacity) * sizeof(Turn))
            if grown == NULL:
                raise MemoryError("no memory for a backward pass")
            self.turns, self.capacity = grown, max(64, 2 * self.capacity)
        self.turns[self.length].node, self.turns[self.length].left = <PyObject*>n, n.count()
        self.length += 1
        return 0


cdef int mark_needed(Pass p, list roots) except -1:
    # Marks every node below the roots: with the pass's id where it leads to a wanted input, else with minus that.
    # From the loop on no other thread runs: nothing there calls Python or makes an object that the collector knows. So
    # the descent needs no references to its nodes, their inputs stay, and no marks change but by it.
    cdef Node n, m
    cdef Descent descent = Descent()
    cdef Turn* turn
    cdef long long oldest = -1               # nothing older leads to a wanted input
    for n in p.wanted:
        oldest = n.seq if oldest < 0 else min(oldest, n.seq)
        p.newest = max(p.newest, n.seq)
    for n in reversed(roots):
        descend(p, descent, n, oldest)
        while descent.length > 0:
            turn = &descent.turns[descent.length - 1]
            n = <Node>turn.node
            if turn.left > 0:
                turn.left -= 1
                m = n.input(turn.left)
                if m is not None and m.mark != p.id:
                    descend(p, descent, m, oldest)
                if m is not None and m.mark == p.id:
                    n.mark = p.id
                continue
            descent.length -= 1
            if descent.length > 0 and n.mark == p.id:
                (<Node>descent.turns[descent.length - 1].node).mark = p.id
    return 0


cdef inline int descend(Pass p, Descent descent, Node n, long long oldest) except -1:
    # Puts a node that has no mark of this pass at the end of the descent, unless nothing below it is wanted.
    cdef bint wanted
    if n.mark == -p.id or n.mark == p.id:
        return 0
    n.mark = -p.id
    if n.seq < oldest:
        return 0
    wanted = p.wants(n)
    if n.is_released and not wanted:
        raise_released(n)
    if wanted:
        n.mark = p.id
    if n.row is not None:
        descent.add(n)
    return 0


cdef bint needs_again(Pass p, Node n) except -1:
    # The answer to `needs` for a node on whose mark another pass wrote: what lies below it is marked anew.
    mark_needed(p, [n])
    return n.mark == p.id


cdef int commit(Pass p) except -1:
    # Every gradient is made before the first is stored: an error here changes nothing. Other threads may store theirs
    # meanwhile; once none has, all are stored in one go, in which no other thread runs.
    cdef Due due
    cdef bint settled = False
    for due in p.finished:
        due.make()
    while not settled:
        settled = True
        for due in p.finished:
            if not due.holds():
                due.make()
                settled = False
    for due in p.finished:
        if due.after is None:
            add_into(<ndarray>due.node.grad.data, <ndarray>due.gradient)
        else:
            due.node.grad = due.after         # the one before is held by `due`: nothing is freed here
    return 0


cdef bint may_add(Node n) noexcept:
    # Whether the stored gradient may be added to where it lies: nobody else can see it.
    cdef Tensor t = n.grad
    cdef object data = t.data
    if data is None or not has_sums(n.typenum) or t._node is not None:
        return False
    data = t = None
    return ZEN_REFCNT(<PyObject*>n.grad) == 1 and is_exclusive(<PyObject*>n.grad.data)


cdef int seed(Pass p, Tensor root, object value) except -1:
    cdef Node n = node_of(root)
    cdef object a
    if value is None:       # ones
        if n.nd == 0 and has_kernels(n.typenum):
            return p.give_scalar(n, 1.0)
        a = np.broadcast_to(np.ones((), n.dtype), n.shape)
    else:
        a = (<Tensor>value).values() if isinstance(value, Tensor) else value
        if not isinstance(a, ndarray) or cnp.PyArray_TYPE(<ndarray>a) != n.typenum or not cnp.PyArray_ISBEHAVED_RO(a):
            a = np.array(a, n.dtype)
    if n.nd == 0 and has_kernels(n.typenum):
        return p.give_scalar(n, <double>a)
    return p.give_array(n, a)


def run(
    list roots not None, list seeds not None, list inputs=None, bint retain_graph=False, bint create_graph=False,
    bint hooks=True,
):
    """Propagate `seeds` (arrays, Tensors, or None for ones) from `roots` backwards.

    With `inputs`, return their gradients (Tensors, None where unreached) and touch no `.grad`; else accumulate into the
    leaves' and retained nodes' gradients. A Node among `inputs` gets its gradient as an array, or as a number if it is
    0-d; not with `create_graph`, which alone can do without `hooks`. Shapes were checked by the caller.
    """
    cdef Pass p
    cdef int k
    cdef Tensor t
    cdef list found = []
    if create_graph or tracing() or (len(recording_calls) > 0 and must_record(roots, inputs)):
        return run_recorded(roots, seeds, inputs, retain_graph, not create_graph, hooks)
    p = Pass.__new__(Pass)
    p.retain = retain_graph
    if inputs is not None:
        p.wanted = {taking_part(x): None for x in inputs}
        mark_needed(p, [taking_part(x) for x in roots])
        p.selective = True
    try:
        for k in range(len(roots)):
            t = roots[k]
            if p.needs(node_of(t)):
                seed(p, t, seeds[k])
        p.traverse()
        if inputs is None:
            commit(p)
            return None
    except BaseException:
        p.abandon()
        raise
    for k in range(len(inputs)):
        found.append(hand_out(p.wanted, inputs, k, found))
    return found


def backward_method(self, gradient=None, retain_graph=None, bint create_graph=False):
    """Accumulate the gradient of this Tensor into `.grad` of the leaves it depends on.

    gradient: the cotangent, of this Tensor's shape; may be left out for a Tensor of one element.
    retain_graph: keep the graph for another pass (default: create_graph).
    create_graph: record the pass itself, so that the gradients can be differentiated.

    Threads may run passes over the same leaves and graphs at a time; every gradient is added whole. Clearing a gradient
    meanwhile takes away what has been added until then.

    Raises RuntimeError where nothing requires a gradient, where the graph was released, and for a Tensor of several
    elements without `gradient`; ValueError for a `gradient` of another shape.

    >>> import zen
    >>> x = zen.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [2.0, 4.0]
    """
    cdef Tensor t = self
    cdef Pass p
    cdef Node n = node_of(t)
    if n is None:
        raise RuntimeError(
            "backward: this Tensor does not require a gradient and has no graph; create its inputs with "
            "requires_grad=True, or check that it was not computed under zen.no_grad() or after detach()"
        )
    if gradient is None:
        if t.size != 1:
            raise RuntimeError(
                f"backward: a Tensor of shape {t.shape} is not a scalar; reduce it first, for example with .sum(), or "
                "give the cotangent: backward(gradient=zen.ones_like(t))"
            )
        if is_complex(t.typenum):
            raise RuntimeError(
                f"backward: this Tensor is of dtype {t.dtype}, and a gradient is of a real number; take its real part "
                "or abs(), or give the cotangent: backward(gradient=...)"
            )
    else:
        shape = gradient.shape if isinstance(gradient, Tensor) else np.shape(gradient)
        if shape != t.shape:
            raise ValueError(f"backward: gradient has shape {shape}; expected {t.shape}")
        if not isinstance(gradient, Tensor):
            gradient = hook("convert")(gradient)
        if is_complex(typenum_of(gradient)) and not is_complex(t.typenum):
            raise TypeError(
                f"backward: the gradient is complex, but this Tensor is of dtype {t.dtype}; take its real part")
        if is_complex(typenum_of(gradient)):
            gradient = call_recording(create_graph, hook("tensors").conj, gradient)
    if retain_graph is None:
        retain_graph = create_graph
    if create_graph or tracing() or (len(recording_calls) > 0 and must_record([t], None)):
        run_recorded([t], [gradient], None, retain_graph, not create_graph, True)
        return
    p = Pass()
    p.retain = retain_graph
    try:
        seed(p, t, gradient)
        p.traverse()
        commit(p)
    except BaseException:
        p.abandon()
        raise


def requires_grad_(self, bint requires_grad=True):
    """Make this leaf require a gradient, or not; returns it. Raises for a result and for a dtype without gradients."""
    cdef Tensor t = self
    cdef Node n = node_of(t)
    if n is not None and n.row is not None:
        if not requires_grad:
            raise RuntimeError("requires_grad_(False) on a result; use detach() to cut it off from its graph")
        return self
    if not requires_grad:
        t.node = None
    elif n is None:
        if not is_differentiable(t.typenum):
            raise TypeError(
                f"only a floating-point Tensor can require a gradient, not one of dtype {t.dtype}; "
                "convert it first, for example with astype(zen.float64)"
            )
        a = t.values()
        t.set_base(None)  # a leaf of its own, no longer derived from what it was a view of
        t.node = leaf_node(
            cnp.PyArray_NDIM(<ndarray>a), <Py_ssize_t*>cnp.PyArray_DIMS(<ndarray>a), cnp.PyArray_TYPE(<ndarray>a))
    return self


def detach(self):
    """The same values, sharing memory, without a graph."""
    cdef ndarray a = (<Tensor>self).values()
    cdef Tensor made = new_tensor(lend(a, False, NULL), None)
    traced_as(made, <Tensor>self)
    return made


def twin(Tensor t not None):
    """Another Tensor with the values and the node of t, which stays the node's own."""
    cdef Tensor made = new_scalar(t.scalar, t.typenum, node_of(t)) if t.data is None else new_tensor(t.data, node_of(t))
    traced_as(made, t)
    return made


def retain_grad(self):
    """Have a pass store this intermediate's gradient in `.grad`, as it does for leaves."""
    cdef Node n = node_of(<Tensor>self)
    if n is None:
        raise RuntimeError("retain_grad: this Tensor does not require a gradient")
    n.retains = n.row is not None


class Hook:
    """What register_hook returns: remove() takes the hook away."""

    def __init__(self, hooks, function):
        self._hooks, self._key = hooks, next_seq()
        hooks[self._key] = function

    def remove(self):
        """Take the hook away; doing so twice does no harm."""
        self._hooks.pop(self._key, None)


def register_hook(self, function):
    """Call `function(gradient)` when a pass has this Tensor's gradient; what it returns, if not None, replaces it."""
    cdef Node n = node_of(<Tensor>self)
    cdef dict hooks = {}
    if n is None:
        raise RuntimeError("register_hook: this Tensor does not require a gradient")
    if not callable(function):
        raise TypeError(f"register_hook: expected a function of the gradient, not {type(function).__name__}")
    if n.hooks is None:
        n.hooks = hooks      # made before: making it may let another thread register its first hook
    n.track()
    return Hook(n.hooks, function)


for _name, _function in (
    ("backward", backward_method), ("requires_grad_", requires_grad_), ("detach", detach),
    ("retain_grad", retain_grad), ("register_hook", register_hook),
):
    attach(_name, _function)

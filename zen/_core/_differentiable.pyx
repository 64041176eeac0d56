"""The backward pass that is itself recorded: gradients are Tensors, formulas run on Tensors (create_graph=True).

It goes over the nodes as the pass on arrays does (a Pass of _engine: its heap, its slots, its marks), with a Tensor for
each gradient. What the nodes saved stays until the pass has come to its end.
"""

cimport numpy as cnp
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_kernels, is_complex, is_differentiable, is_inexact
from zen._core._engine cimport Pass, leads_on, mark_needed, verify_node
from zen._core._tensor cimport (
    ARRAY, SCALAR, Node, Row, Shaped, Slot, Tensor, hook, new_scalar, new_tensor, node_of, output_node, switch,
    track_below, tracer, tracing,
)
from zen._core._types cimport MAX_ARGUMENTS
from zen._core._engine import joint_vjp, raise_released, set_recorded

cdef extern from "Python.h":
    ctypedef struct PyTupleObject:
        PyObject** ob_item
    object PyObject_Vectorcall(object function, PyObject** args, size_t count, PyObject* names)

cdef enum:
    ROOM = 16            # arguments of a formula that are passed without memory of their own


cdef object revive(object value, Node node):
    # A saved value as a Tensor on its node; the node's own Tensor, if it lives, stays the node's.
    cdef Tensor t
    if type(value) is not ndarray:
        if not isinstance(value, (ndarray, np.generic)):
            return value
        value = np.asarray(value)
    t = new_tensor(value, None)
    t._node = node
    return t


cdef object revive_scalar(double value, Node n, Node node):
    # As above, for a 0-d value that a compiled node saved.
    cdef Tensor t
    if not has_kernels(n.typenum):
        return revive(np.asarray(value, n.dtype), node)
    t = new_scalar(value, n.typenum, None)
    t._node = node
    return t


cdef object revive_output(object value, Node call, int k, int count):
    cdef Node node = None
    cdef ndarray a
    if not isinstance(value, ndarray):
        return value
    a = value
    if call is not None and is_differentiable(cnp.PyArray_TYPE(a)):
        node = output_node(call, k, count, cnp.PyArray_TYPE(a), cnp.PyArray_NDIM(a), <Py_ssize_t*>cnp.PyArray_DIMS(a))
    return revive(a, node)


def revived(Node n not None, tuple saved not None, bint linked):
    """What `n` saved as Tensors: on their nodes, so that formulas are recorded, or (not `linked`) on none."""
    cdef Row row = n.row
    cdef Node own = n if linked else None
    cdef int k, count = n.count(), behind = count + max(row.several, 1)
    cdef list values
    if row.variadic and not row.joint:
        xs = tuple([revive(saved[0][k], n.input(k) if linked else None) for k in range(count)])
        y = revive(saved[1], own)
        if tracing():
            for k in range(count):
                tracer().revived(n, k, xs[k])
            tracer().revived(n, count, y)
        return xs, y
    values = [revive(saved[k], n.input(k) if linked else None) for k in range(count)]
    if row.several == 0:
        values.append(revive(saved[count], own))
    elif row.several < 0:
        outputs = saved[count]
        values.append(tuple([revive_output(outputs[k], own, k, len(outputs)) for k in range(len(outputs))]))
    else:
        values += [revive_output(saved[count + k], own, k, row.several) for k in range(row.several)]
    for x in saved[behind:]:
        if not row.joint and isinstance(x, ndarray) and is_inexact(cnp.PyArray_TYPE(<ndarray>x)):
            raise RuntimeError(
                f"{row.name}: its formulas read floating workspace, which has no derivative, so they cannot be "
                "differentiated themselves; the row needs a composition"
            )
        values.append(tracer().workspace(n, x) if tracing() else x)
    if tracing():
        for k in range(len(values)):
            if type(values[k]) is tuple:
                tracer().revived(n, k, values[k])
            elif isinstance(values[k], Tensor) or isinstance(values[k], ndarray):
                tracer().revived(n, k, values[k])
    return tuple(values)


cdef int pull(Pass p, Node n, object g, object f) except -1:
    # Hands the gradient of a node on to its inputs.
    cdef Row row = n.row
    cdef Node m
    cdef int k
    row.ready()
    if not n.compiled or row.joint or row.variadic or row.several:
        return pull_generic(p, n, g, f)
    for k in range(row.nin):
        m = n.input(k)
        if p.needs(m):
            value = g if row.generated and row.identity[k] else formula(n, k, g, f)
            if value is not None:
                add(p, m, fit(value, m, row, k))
    return 0


cdef int pull_generic(Pass p, Node n, object g, object f) except -1:
    # Of a node whose formulas read what it saved as Tensors, all at once.
    cdef Row row = n.row
    cdef tuple values = revived(n, n.saved, True)
    cdef Node m
    cdef int k, count = n.count()
    cdef object gradients = None
    if row.several:
        g = tuple(g)
    if row.joint:
        gradients = joint_vjp(row, f, g, values, n, tuple([p.needs(n.input(k)) for k in range(count)]))
    for k in range(count):
        m = n.input(k)
        if not p.needs(m):
            continue
        if row.joint:
            value = gradients[k]
        elif row.variadic:
            value = row._vjps[0](f, g, k, *values, *n.params)
        else:
            value = row._vjps[k](f, g, *values, *n.params)
        if value is not None:
            add(p, m, fit(value, m, row, k))
    return 0


cdef object formula(Node n, int k, object g, object f):
    # What formula k of a node of a compiled row gives, which gets only what it reads.
    cdef PyObject* args[ROOM]
    cdef Row row = n.row
    cdef tuple needs = row._needs[k], params = n._params
    cdef int j, count = row.nin, extra = 0 if params is None else len(params)
    if count > MAX_ARGUMENTS or 3 + count + extra > ROOM:
        values = [operand(n, j, needs[j]) for j in range(count)]
        return row._vjps[k](f, g, *values, result(n, needs[count]), *n.params)
    args[0], args[1] = <PyObject*>f, <PyObject*>g
    first = operand(n, 0, needs[0])
    second = operand(n, 1, needs[1]) if count > 1 else None
    third = operand(n, 2, needs[2]) if count > 2 else None
    y = result(n, needs[count])
    args[2], args[3], args[4] = <PyObject*>first, <PyObject*>second, <PyObject*>third
    args[2 + count] = <PyObject*>y
    for j in range(extra):
        args[3 + count + j] = (<PyTupleObject*>params).ob_item[j]
    return PyObject_Vectorcall(row._vjps[k], args, 3 + count + extra, NULL)


cdef object result(Node n, int level):
    # As `operand`, of the result.
    if level == 0:
        return None
    value = revive_scalar(n.cy, n, n) if n.hy == SCALAR else revive(n.sy, n)
    if tracing():
        tracer().revived(n, n.row.nin, value)
    return value


cdef object operand(Node n, int k, int level):
    # What a formula sees of argument k, of which it needs nothing, the shape or the value.
    cdef unsigned char held = n.h0 if k == 0 else (n.h1 if k == 1 else n.h2)
    cdef Node m = n.input(k)
    if level == 0:
        return None
    if held == ARRAY:
        value = revive(n.s0 if k == 0 else (n.s1 if k == 1 else n.s2), m)
    elif held == SCALAR:
        value = revive_scalar(n.c0 if k == 0 else (n.c1 if k == 1 else n.c2), n, m)
    else:
        return None if m is None else Shaped(m.shape, m.dtype)
    if tracing():
        tracer().revived(n, k, value)
    return value


cdef inline bint is_like(Tensor t, Node n) noexcept:
    # Whether a Tensor has the shape and dtype of a node's value.
    cdef int k
    if t.typenum != n.typenum or t.data is None:
        return t.typenum == n.typenum and n.nd == 0
    if cnp.PyArray_NDIM(<ndarray>t.data) != n.nd:
        return False
    for k in range(n.nd):
        if cnp.PyArray_DIMS(<ndarray>t.data)[k] != n.dims[k]:
            return False
    return True


cdef Tensor fit(object value, Node n, Row row, int k):
    # A formula's result brought to the input's shape and dtype by recorded operations.
    cdef object f
    cdef tuple shape
    if isinstance(value, Tensor) and is_like(<Tensor>value, n):
        return <Tensor>value
    f, shape = hook("tensors"), n.shape
    if not isinstance(value, Tensor):
        if row.joint and np.shape(value) != shape:
            raise ValueError(
                f"{row.name}: the vjp returned a gradient of shape {np.shape(value)} for argument {k + 1}, "
                f"whose shape is {shape}"
            )
        if np.iscomplexobj(value) and not is_complex(n.typenum):
            value = np.real(value)
        return new_tensor(np.array(np.broadcast_to(value, shape), n.dtype), None)
    own = value.shape
    if own != shape:
        if row.joint:
            raise ValueError(
                f"{row.name}: the vjp returned a gradient of shape {own} for argument {k + 1}, whose shape is {shape}"
            )
        if len(own) == 0:
            value = f.broadcast_to(value, shape)
        else:
            lead = len(own) - len(shape)
            axes = tuple([j for j in range(len(own)) if j < lead or (shape[j - lead] == 1 and own[j] != 1)])
            value = f.reshape(f.sum(value, axes, True), shape)
    if is_complex((<Tensor>value).typenum) and not is_complex(n.typenum):
        value = f.real(value)
    return value if value.dtype == n.dtype else f.astype(value, n.dtype)


cdef Tensor conjugated(Tensor g):
    # As in _engine, recorded.
    return hook("tensors").conj(g) if is_complex(g.typenum) else g


def run_recorded(list roots, list seeds, list inputs, bint retain_graph, bint plain, bint hooks):
    """As `run` in _engine, recording what it does. plain: the gradients have no graph."""
    cdef bint before = switch(True)
    try:
        return traverse(roots, seeds, inputs, retain_graph, plain, hooks)
    finally:
        switch(before)


cdef inline Node asked(object x):
    return <Node>x if isinstance(x, Node) else node_of(<Tensor>x)


cdef object without_graph(object found, object x):
    # What `run` in _engine returns for the input x, of a gradient with a graph.
    cdef object a
    if found is None:
        return None
    if tracing():
        return found
    a = np.array((<Tensor>found).values())
    if not isinstance(x, Node):
        return new_tensor(a, None)
    return a.item() if a.ndim == 0 else a


cdef list traverse(list roots, list seeds, list inputs, bint retain_graph, bint plain, bint hooks):
    cdef Pass p = Pass.__new__(Pass)
    cdef dict finished = {}
    cdef list passed = [], found
    cdef bint done = False
    cdef Node n
    cdef Py_ssize_t k
    if inputs is not None:
        p.wanted = {asked(x): None for x in inputs}
        mark_needed(p, [node_of(<Tensor>t) for t in roots])
        p.selective = True
    try:
        plant(p, roots, seeds)
        propagate(p, finished, passed, hooks)
        done = True
    finally:
        if not done:
            p.abandon()
        for n in passed:
            n.leave(done and not retain_graph and not n.row.outlasts)
    if inputs is not None:
        found = [p.wanted[asked(x)] for x in inputs]
        return [without_graph(found[k], inputs[k]) for k in range(len(found))] if plain else found
    commit(finished, plain)
    return None


cdef int plant(Pass p, list roots, list seeds) except -1:
    # Gives the roots their cotangents.
    cdef Node n
    cdef bint is_scalar
    for t, value in zip(roots, seeds):
        n = node_of(<Tensor>t)
        if not p.needs(n):
            continue
        if value is None:
            is_scalar = n.nd == 0 and has_kernels(n.typenum)
            value = new_scalar(1, n.typenum, None) if is_scalar else np.ones(n.shape, n.dtype)
        if not isinstance(value, Tensor):
            value = new_tensor(np.array(value, n.dtype), None)
        elif (<Tensor>value).typenum != n.typenum:
            value = hook("tensors").astype(value, n.dtype)
        add(p, n, value)
    return 0


cdef int propagate(Pass p, dict finished, list passed, bint hooks) except -1:
    # Fills `wanted` of the pass or `finished`. What the nodes in `passed` saved stays until the caller leaves them.
    cdef object f = hook("tensors")
    cdef PyObject* top
    cdef Node n
    cdef Row row
    while p.waiting > 0:
        top = p.pop()
        n = <Node>top
        Py_DECREF(n)
        p.take(n)
        g = <object>p.array
        Py_DECREF(g)
        p.array = NULL
        if hooks and n.hooks is not None:
            g = run_hooks(n, g)
        row = n.row
        if p.wanted is not None:
            if p.wants(n):
                p.wanted[n] = g
                if row is not None and not leads_on(p, n):
                    continue             # its graph stays: nothing was done with it
        elif row is None or n.retains:
            finished[n] = conjugated(g)
        if row is None:
            continue
        if n.is_released:
            raise_released(n)
        passed.append(n)
        n.users += 1
        if row.is_output:
            if p.needs(n.n0):
                add_output(p, n, g)
            continue
        verify_node(n)
        pull(p, n, g, f)
    return 0


cdef int add_output(Pass p, Node n, object value) except -1:
    # As in _engine: the gradient of a call with several results is a list of their cotangents.
    cdef Slot* slot = p.slot(n.n0)
    cdef int k = n._params[0]
    cdef list held
    if not slot.full:
        held = [None] * <int>n._params[1]
        Py_INCREF(held)
        slot.array, slot.full = <PyObject*>held, True
    held = <list>slot.array
    held[k] = value if held[k] is None else held[k] + value
    return 0


cdef int add(Pass p, Node n, object value) except -1:
    cdef Slot* slot = p.slot(n)
    cdef object before
    if slot.full:
        before = <object>slot.array
        value = before + value           # other threads may run: the slot is the pass's own
        Py_DECREF(before)
    Py_INCREF(value)
    slot.array, slot.full = <PyObject*>value, True
    return 0


cdef Tensor total(Node n, Tensor before, Tensor after, bint plain):
    # What a leaf holds once `after` has been added.
    if not plain:
        return after if before is None else before + after
    if tracing():
        return tracer().total(n, before, after)
    if before is None:
        return new_tensor(np.array(after.values()), None)
    return new_tensor(np.asarray(before.values() + after.values()), None)


cdef int commit(dict finished, bint plain) except -1:
    # As in _engine: every sum is made before the first is stored, and none is stored on what it was not made from.
    cdef list made = None
    cdef Node n
    cdef Tensor before, after
    while made is None:
        made = []
        for n, after in finished.items():
            before = n.grad
            made.append((n, before, total(n, before, after, plain)))
        for n, before, _ in made:
            if n.grad is not before:
                made = None
                break
    for n, _, after in made:
        n.grad = after
    for _, _, after in made:
        if after._node is not None:
            track_below(after._node)
    return 0


cdef Tensor run_hooks(Node n, Tensor g):
    for function in tuple(n.hooks.values()):
        replaced = function(conjugated(g))
        if replaced is not None:
            if np.shape(replaced) != n.shape:
                raise ValueError(f"a hook gave a gradient of shape {np.shape(replaced)}; expected {n.shape}")
            if not isinstance(replaced, Tensor):
                replaced = new_tensor(np.array(replaced, n.dtype), None)
            g = fit(conjugated(replaced), n, n.row, 0)
    return g


set_recorded(run_recorded)

"""The backward pass that is itself recorded: gradients are Tensors, formulas run on Tensors (create_graph=True).

Slower than the pass on arrays and used for higher orders only, so it keeps its state in dictionaries.
"""

cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport is_complex, is_differentiable, is_inexact
from zen._core._tensor cimport Node, Row, Tensor, hook, new_tensor, node_of, output_node, track_below
from zen._core._engine import joint_vjp, raise_released, set_recorded, verify_saved
from zen._core._tensor import call_recording


cdef object revive(object value, Node node):
    # A saved value as a Tensor on its node; the node's own Tensor, if it lives, stays the node's.
    cdef Tensor t
    if not isinstance(value, (ndarray, np.generic)):
        return value
    t = new_tensor(np.asarray(value), None)
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
        return xs, revive(saved[1], own)
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
        values.append(x)
    return tuple(values)


cdef list vjps(Node n, object g, set needed):
    """The gradients of a node's inputs as Tensors; None where an input takes no part."""
    cdef Row row = n.row
    cdef tuple values
    cdef int k, count = n.count()
    cdef object f = hook("tensors")
    row.ready()
    values = revived(n, n.saved, True)
    if row.several:
        g = tuple(g)
    if row.joint:
        return list(joint_vjp(row, f, g, values, n, tuple([is_needed(n.input(k), needed) for k in range(count)])))
    if row.variadic:
        return [None if n.input(k) is None else row._vjps[0](f, g, k, *values, *n.params) for k in range(count)]
    return [None if n.input(k) is None else row._vjps[k](f, g, *values, *n.params) for k in range(count)]


cdef bint is_needed(Node n, set needed) except -1:
    return n is not None and (needed is None or n in needed)


cdef Tensor fit(object value, Node n, Row row, int k):
    # A formula's result brought to the input's shape and dtype by recorded operations.
    cdef object f = hook("tensors")
    cdef tuple shape = n.shape
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


cdef object push = None, pop = None      # of heapq, which `import zen` need not load


def run_recorded(list roots, list seeds, list inputs, bint retain_graph, bint plain, bint hooks):
    """As `run` in _engine, recording what it does. plain: the gradients have no graph."""
    global push, pop
    if pop is None:
        from heapq import heappush as push, heappop as pop    # `pop` last: another thread may ask for it meanwhile
    return call_recording(True, traverse, roots, seeds, inputs, retain_graph, plain, hooks)


cdef set reaching(list roots, dict wanted):
    # The nodes that lead to a wanted input.
    cdef list order = []
    cdef list stack = [node_of(<Tensor>t) for t in roots]
    cdef set seen = set(), found = set()
    cdef dict inputs = {}
    cdef Node n, m
    cdef long long oldest = min([n.seq for n in wanted], default=0)
    while stack:
        n = stack.pop()
        if n in seen or n.seq < oldest:
            continue
        seen.add(n)
        order.append(n)
        inputs[n] = n.inputs
        if n.is_released and n not in wanted:      # asked after reading: another thread may release it at any moment
            raise_released(n)
        stack.extend([m for m in inputs[n] if m is not None and m not in seen])
    for n in sorted(order, key=by_seq):
        if n in wanted:
            found.add(n)
            continue
        for m in inputs[n]:
            if m is not None and m in found:
                found.add(n)
                break
    return found


def by_seq(Node n):
    return n.seq


cdef inline Node asked(object x):
    return <Node>x if isinstance(x, Node) else node_of(<Tensor>x)


cdef object without_graph(object found, object x):
    # What `run` in _engine returns for the input x, of a gradient with a graph.
    cdef object a
    if found is None:
        return None
    a = np.array((<Tensor>found).values())
    if not isinstance(x, Node):
        return new_tensor(a, None)
    return a.item() if a.ndim == 0 else a


def traverse(list roots, list seeds, list inputs, bint retain_graph, bint plain, bint hooks):
    cdef dict wanted = None, finished = {}
    cdef set needed = None
    cdef list passed = []
    cdef bint done = False
    cdef Node n
    cdef Py_ssize_t k
    if inputs is not None:
        wanted = {asked(x): None for x in inputs}
        needed = reaching(roots, wanted)
    try:
        propagate(roots, seeds, wanted, needed, finished, passed, hooks)
        done = True
    finally:
        for n in passed:
            n.leave(done and not retain_graph and not n.row.outlasts)
    if wanted is not None:
        found = [wanted[asked(x)] for x in inputs]
        return [without_graph(found[k], inputs[k]) for k in range(len(found))] if plain else found
    commit(finished, plain)
    return None


cdef int propagate(
    list roots, list seeds, dict wanted, set needed, dict finished, list passed, bint hooks
) except -1:
    # Fills `wanted` or `finished`. What the nodes in `passed` saved stays until the caller leaves them.
    cdef dict gradients = {}
    cdef list heap = []
    cdef Node n, m
    cdef int k
    cdef Row row
    for t, value in zip(roots, seeds):
        n = node_of(<Tensor>t)
        if needed is not None and n not in needed:
            continue
        if value is None:
            value = np.ones(n.shape, n.dtype)
        if not isinstance(value, Tensor):
            value = new_tensor(np.array(value, n.dtype), None)
        elif value.dtype != n.dtype:
            value = hook("tensors").astype(value, n.dtype)
        add(gradients, heap, n, value)
    while heap:
        n = pop(heap)[1]
        g = gradients.pop(n)
        if hooks and n.hooks is not None:
            g = run_hooks(n, g)
        if wanted is not None:
            if n in wanted:
                wanted[n] = g
        elif n.row is None or n.retains:
            finished[n] = conjugated(g)
        if n.row is None:
            continue
        if n.is_released:
            raise_released(n)
        passed.append(n)
        n.users += 1
        row = n.row
        if row.is_output:
            if is_needed(n.n0, needed):
                add_output(gradients, heap, n, g)
            continue
        verify_saved(n)
        for k, value in enumerate(vjps(n, g, needed)):
            m = n.input(k)
            if value is not None and is_needed(m, needed):
                add(gradients, heap, m, fit(value, m, row, k))
    return 0


cdef int add_output(dict gradients, list heap, Node n, object value) except -1:
    # As in _engine: the gradient of a call with several results is a list of their cotangents.
    cdef Node call = n.n0
    cdef int k = n._params[0]
    cdef list held = gradients.get(call)
    if held is None:
        push(heap, (-call.seq, call))
        held = gradients[call] = [None] * <int>n._params[1]
    held[k] = value if held[k] is None else held[k] + value
    return 0


cdef Tensor total(Tensor before, Tensor after, bint plain):
    # What a leaf holds once `after` has been added.
    if not plain:
        return after if before is None else before + after
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
            made.append((n, before, total(before, after, plain)))
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


cdef int add(dict gradients, list heap, Node n, object value) except -1:
    known = gradients.get(n)
    if known is None:
        push(heap, (-n.seq, n))
        gradients[n] = value
    else:
        gradients[n] = known + value
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

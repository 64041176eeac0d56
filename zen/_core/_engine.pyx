"""The backward pass on arrays: order, traverse, accumulate, release. Called by backward() and by zen/transforms.

A pass keeps the nodes that wait for their turn in a heap by falling sequence number. A node's consumers all have higher
numbers, so when a node comes up its gradient is complete. The gradient so far lives in the node's own slot; a node that
another pass (a thread's, or the pass whose hook started this one) was using when this one first came to it has its slot
in `conflicts`, also when the other pass is through with it. Gradients of leaves are committed when the pass has come to
its end, so a pass that fails changes none of them.

Threads. Whatever calls Python, may free an array or runs without the GIL lets other passes run, over the same nodes. So
a pass counts itself among a node's `users` while it reads what the node saved, and nothing on a node that another pass
may write (mark, claim, grad) is trusted across such a point.
"""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_CLEAR, Py_DECREF, Py_INCREF, Py_XDECREF
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._broadcast cimport Operands, add_into, has_sums, iterate, place, place_scalar
from zen._core._dispatch cimport identity_kernel
from zen._core._dtypes cimport (
    has_complex_kernels, has_kernels, is_complex, is_differentiable, is_number, item_of, typenum_of, width_of,
)
from zen._core._guard cimport is_spoilt, last_loan, lend
from zen._core._memory cimport Buffer, contiguous, is_constant, is_exclusive, new_array
from zen._core._tensor cimport (
    ARRAY, Node, Row, Slot, Tensor, hook, hush, last_write, leaf_node, new_scalar, new_tensor, node_of,
    set_part, set_pull_output, switch, traced_as, tracing, unhush,
)
from zen._core._types cimport ADD, ARGUMENT, COTANGENT, MAX_ARGUMENTS, OUT, RESULT, SET, SLOTS, kernel_t
from zen._core._broadcast import unbroadcast
from zen._core._tensor import attach, call_recording, next_seq

cnp.import_array()

cdef object run_recorded = None  # the pass that records itself; `_differentiable.pyx`, which uses this module, gives it


def set_recorded(function):
    """Give `run_recorded(roots, seeds, inputs, retain_graph, plain, hooks)`, the pass that records what it does."""
    global run_recorded
    run_recorded = function


cdef extern from *:
    """
    #define ZEN_REFCNT(p) Py_REFCNT((PyObject*)(p))
    """
    Py_ssize_t ZEN_REFCNT(PyObject*) noexcept

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it
    ROOM = 16            # nodes that wait without memory of their own
    SMALL = 1 << 12      # elements up to which repeating a value takes less than to tell NumPy that it is repeated

cdef long long _passes = 0


cdef inline bint is_reachable(Node n) noexcept:
    # Whether somebody outside can have written to what the node saved.
    return n.watched or last_loan > n.seq


cdef inline bint is_suspect(Node n) noexcept:
    # Whether what the node saved may have been overwritten since.
    return last_write > n.seq or is_reachable(n)


cdef inline int verify(Node n) except -1:
    # Raise if what the node saved was overwritten since.
    return check_writes(n) if is_suspect(n) else 0


@cython.final
cdef class Box:
    """The slot of a node in a pass that found the node in use."""

    cdef Slot slot

    def __dealloc__(self):
        Py_XDECREF(self.slot.array)


@cython.final
@cython.freelist(64)
cdef class Due:
    """A gradient that a pass is going to store."""

    cdef Node node
    cdef object gradient     # an array or a float; a Tensor from where `after` was made
    cdef Tensor before       # what the node held when `after` was made
    cdef Tensor after        # None: the gradient is added to where the one before lies

    cdef int make(self) except -1:
        cdef Tensor before
        cdef object a
        if self.node.grad is not None and isinstance(self.gradient, ndarray) and may_add(self.node):
            return 0
        before = self.node.grad
        if not isinstance(self.gradient, Tensor):
            a, self.gradient = self.gradient, None       # the last reference of the pass
            self.gradient = settle(a, self.node.typenum)
        self.before, self.after = before, self.gradient
        if before is not None:
            self.after = new_tensor(np.asarray(np.add(before.values(), (<Tensor>self.gradient).values())), None)
        return 0

    cdef bint holds(self) noexcept:
        # Whether nobody has changed the node's gradient since `make`.
        if self.after is None:
            return self.node.grad is not None and may_add(self.node)
        return self.node.grad is self.before


cdef object repeated(ndarray a, Node n):
    # One value in the node's shape: NumPy's function takes longer than to write a small array, and is Python.
    cdef ndarray made
    cdef Py_ssize_t size = 1
    cdef int k
    for k in range(n.nd):
        size *= n.dims[k]
    if size > SMALL:
        return np.broadcast_to(a, n.shape)
    made = cnp.PyArray_EMPTY(n.nd, <cnp.npy_intp*>n.dims, cnp.PyArray_TYPE(a), 0)
    cnp.PyArray_CopyInto(made, a)
    return made


cdef inline Due due(Node n, object gradient):
    cdef Due made = Due.__new__(Due)
    made.node, made.gradient = n, gradient
    return made


@cython.final
@cython.freelist(8)
cdef class Pass:
    """The state of one pass."""

    def __cinit__(self):
        global _passes
        _passes += 1
        self.id = _passes
        self.finished = []
        self.heap, self.capacity = &self.room[0], ROOM

    def __dealloc__(self):
        if self.heap != &self.room[0]:
            free(self.heap)

    # -- the heap and the slots

    cdef int push(self, Node n) except -1:
        cdef int k, parent
        cdef Waiting* grown
        if self.waiting == self.capacity:
            grown = <Waiting*>realloc(
                NULL if self.heap == &self.room[0] else self.heap, 2 * self.capacity * sizeof(Waiting))
            if grown == NULL:
                raise MemoryError("no memory for the backward pass")
            if self.capacity == ROOM:
                memcpy(grown, &self.room[0], sizeof(self.room))
            self.heap, self.capacity = grown, 2 * self.capacity
        k = self.waiting
        self.waiting += 1
        while k > 0:
            parent = (k - 1) >> 1
            if self.heap[parent].seq > n.seq:
                break
            self.heap[k] = self.heap[parent]
            k = parent
        self.heap[k].seq, self.heap[k].node = n.seq, <PyObject*>n
        Py_INCREF(n)
        return 0

    cdef PyObject* pop(self) noexcept:
        # The waiting node with the highest number; the caller owns the reference.
        cdef PyObject* top = self.heap[0].node
        cdef Waiting last
        cdef int k = 0, child
        self.waiting -= 1
        last = self.heap[self.waiting]
        while True:
            child = 2 * k + 1
            if child >= self.waiting:
                break
            if child + 1 < self.waiting and self.heap[child + 1].seq > self.heap[child].seq:
                child += 1
            if self.heap[child].seq < last.seq:
                break
            self.heap[k] = self.heap[child]
            k = child
        self.heap[k] = last
        return top

    cdef Slot* slot(self, Node n) except NULL:
        # The node's slot in this pass; its first use puts the node into the heap.
        cdef Box box
        if n.claim == self.id:
            return &n.slot
        if self.conflicts is not None:
            box = self.conflicts.get(n)
            if box is not None:
                return &box.slot
        if n.claim == 0:
            self.push(n)
            n.claim = self.id
            n.slot.full = False
            n.slot.array = NULL
            return &n.slot
        if self.conflicts is None:
            self.conflicts = {}
        box = Box()
        self.conflicts[n] = box
        self.push(n)
        return &box.slot

    cdef void abandon(self):
        # After an error: leave every node as if the pass had never come by.
        cdef PyObject* p
        cdef PyObject* array
        cdef Node n
        Py_CLEAR(self.array)
        while self.waiting > 0:
            p = self.pop()
            n = <Node>p
            Py_DECREF(<object>p)
            if n.claim == self.id:
                array, n.slot.array = n.slot.array, NULL
                n.claim = 0
                Py_XDECREF(array)
        self.conflicts = None

    # -- handing gradients on

    cdef int give_scalar(self, Node n, double value) except -1:
        cdef Slot* slot = self.slot(n)
        if slot.full:
            value += slot.scalar
        slot.scalar = <float>value if n.typenum == cnp.NPY_FLOAT else value
        slot.full = True
        return 0

    cdef int give_array(self, Node n, ndarray a) except -1:
        # `a` has the node's shape and dtype. Kept as it is if it is the first to arrive.
        cdef Slot* slot = self.slot(n)
        cdef PyObject* old = slot.array
        if not slot.full:
            Py_INCREF(a)
            slot.array, slot.full = <PyObject*>a, True
        elif not has_sums(n.typenum):
            a = np.asarray(np.add(<ndarray>old, a))  # a sum of 0-d arrays is a scalar
            Py_INCREF(a)
            slot.array = <PyObject*>a
            Py_DECREF(<object>old)
        else:
            if not is_exclusive(old):
                self.own(slot)
            add_into(<ndarray>slot.array, a)
        return 0

    cdef int own(self, Slot* slot) except -1:
        # Replace the slot's array by a copy that may be written.
        cdef PyObject* old = slot.array
        cdef ndarray copy = contiguous(<ndarray>old)
        Py_INCREF(copy)
        slot.array = <PyObject*>copy
        Py_DECREF(<object>old)
        return 0

    cdef PyObject* open(self, Node n, bint* fresh) except NULL:
        # The node's gradient as an array to write into (borrowed). Fresh: it holds nothing yet.
        cdef Slot* slot = self.slot(n)
        cdef ndarray a
        fresh[0] = not slot.full
        if not slot.full:
            a = new_array(n.nd, n.dims, n.typenum)
            Py_INCREF(a)
            slot.array, slot.full = <PyObject*>a, True
        elif not is_exclusive(slot.array):
            self.own(slot)
        return slot.array

    cdef int give(self, Node n, object value, Row row, int k) except -1:
        # What a Python formula returned, for argument k of `row`: brought to the node's shape and dtype.
        cdef tuple shape = n.shape
        cdef object a = np.asarray(value)
        if a.shape != shape:
            if a.ndim == 0:
                a = repeated(<ndarray>a, n) if not has_kernels(n.typenum) else np.broadcast_to(a, shape)
            elif row.joint:
                raise ValueError(
                    f"{row.name}: the vjp returned a gradient of shape {a.shape} for argument {k + 1}, "
                    f"whose shape is {shape}"
                )
            else:
                a = unbroadcast(a, shape)
        if cnp.PyArray_TYPE(<ndarray>a) != n.typenum:
            if not is_number(cnp.PyArray_TYPE(<ndarray>a)):
                raise TypeError(
                    f"{row.name}: the vjp returned dtype {a.dtype} for argument {k + 1}; expected {n.dtype}"
                )
            if is_complex(cnp.PyArray_TYPE(<ndarray>a)) and not is_complex(n.typenum):
                a = a.real          # what a real input does to the loss
            a = a.astype(n.dtype)
        if n.nd == 0 and has_kernels(n.typenum):
            return self.give_scalar(n, <double>a)
        if not cnp.PyArray_ISALIGNED(<ndarray>a):
            a = a.copy()
        return self.give_array(n, a)

    # -- the pass

    cdef int traverse(self) except -1:
        cdef PyObject* p
        cdef Node n
        while self.waiting > 0:
            p = self.pop()
            n = <Node>p
            Py_DECREF(<object>p)
            self.take(n)
            if n.hooks is not None:
                self.run_hooks(n)
            if self.wanted is not None:
                if self.wants(n):
                    self.wanted[n] = self.gradient()
                    if n.row is not None and not leads_on(self, n):
                        Py_CLEAR(self.array)     # its graph stays: nothing was done with it
                        continue
            elif n.row is None or n.retains:
                self.finished.append(due(n, conjugated(self.gradient())))
            if n.row is not None:
                propagate(self, n)
            Py_CLEAR(self.array)
        return 0

    cdef object gradient(self):
        # The gradient of the node at work as an object: a float for a 0-d one.
        return self.scalar if self.array == NULL else <object>self.array

    cdef int run_hooks(self, Node n) except -1:
        cdef Tensor t
        cdef object replaced
        for function in tuple(n.hooks.values()):
            t = as_tensor(conjugated(self.gradient()), n.typenum)
            replaced = function(t)
            if replaced is not None:
                replaced = check_gradient(replaced, n, "a hook")
            elif t.data is None:
                continue
            else:
                replaced = t
            self.set_gradient(n, conjugated((<Tensor>replaced).values()))
        return 0

    cdef int set_gradient(self, Node n, ndarray a) except -1:
        # A copy: the Tensor of a hook is the user's, who may write to it before the pass has come to its end.
        Py_CLEAR(self.array)
        if n.nd == 0 and has_kernels(n.typenum):
            self.scalar = <double>(<object>a)
        else:
            a = (<object>a).copy()
            Py_INCREF(a)
            self.array = <PyObject*>a
        return 0


cdef bint leads_on(Pass p, Node n) except -1:
    # Whether something below the node is wanted as well.
    cdef Node m
    cdef int k
    for k in range(n.count()):
        m = n.input(k)
        if m is not None and p.needs(m):
            return True
    return False


cdef int propagate(Pass p, Node n) except -1:
    # Hands the gradient of the node at work on to its inputs.
    cdef bint done = False
    if n.is_released:
        raise_released(n)
    n.users += 1
    if p.array == NULL and n.compiled and n.row.pull == NULL:
        if is_suspect(n):
            verify_used(n)
        backward_scalar(p, n)            # runs no Python: no other thread comes between
        n.leave(not p.retain)
        return 0
    try:
        verify(n)
        backward(p, n)
        done = True
    finally:
        n.leave(done and not p.retain and not n.row.outlasts)
    return 0


cdef int verify_used(Node n) except -1:
    # `verify` for a node among whose users the pass has counted itself, and is no more where this raises.
    cdef bint done = False
    try:
        verify(n)
        done = True
    finally:
        if not done:
            n.leave(False)
    return 0


cdef int take_conflicting(Pass p, Node n) except -1:
    # Pass.take, where another pass had the node's slot.
    cdef Box box = p.conflicts.pop(n)
    p.scalar, p.array = box.slot.scalar, box.slot.array
    box.slot.array = NULL
    return 0


include "_engine_formulas.pxi"
include "_engine_fuse.pxi"
include "_engine_demands.pxi"
include "_engine_start.pxi"
include "_engine_leaves.pxi"
include "_engine_route.pxi"
include "_engine_forward.pxi"

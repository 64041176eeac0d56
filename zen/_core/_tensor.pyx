"""The compiled types: Row, Node, Tensor. What they hold and how they live.

How they are used stands in _record (one operation), _engine (the backward pass), _operations (the rows with kernels of
their own) and _differentiable (the pass that is itself recorded).

Lifetime. A Tensor owns its values and, if it takes part in gradients, its Node. A Node owns its input Nodes and what
its row saved, never a Tensor; a leaf's Node owns the gradient. So there are no cycles, and an intermediate's values die
with its Tensor unless a row saved them. Nodes are therefore hidden from the garbage collector, which would otherwise
walk a graph of a million of them again and again, until something that can close a cycle is attached: a hook, Python
objects of a custom operation, a gradient that has a graph. From then on the Node and every Node made from it is
tracked.

A 0-d value of float32 or float64 lives in the Tensor itself; its ndarray is made when somebody asks for it.
"""

import contextvars

cimport cython
from cpython.contextvars cimport PyContextVar_Reset, PyContextVar_Set
from cpython.object cimport Py_EQ, Py_GE, Py_GT, Py_LE, Py_LT, PyObject
from cpython.ref cimport Py_XDECREF
from libc.stdlib cimport free, malloc
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core import _dispatch
from zen._core._dtypes cimport is_differentiable, is_exact, is_integer, typenum_of
from zen._core._guard cimport borrow as borrowed, is_lent, is_sole_borrower, lend, owner_of
from zen._core._memory cimport number
from zen._core._types cimport MAX_ARGUMENTS, kernel_t
from zen._core._guard import set_note

cnp.import_array()

cdef extern from "Python.h":
    void PyObject_GC_UnTrack(PyObject*)
    void PyObject_GC_Track(PyObject*)
    int PyObject_GC_IsTracked(PyObject*)
    ctypedef struct PyTypeObject:
        PyObject* tp_dict
    void PyType_Modified(type)

cdef extern from *:
    """
    #define ZEN_REFCNT(p) Py_REFCNT((PyObject*)(p))
    """
    Py_ssize_t ZEN_REFCNT(PyObject*) noexcept

cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident()

cdef extern from *:
    """
    #ifdef _MSC_VER
    static __declspec(thread) int zen_off = 0;
    static __declspec(thread) void *zen_blocks = NULL;
    static __declspec(thread) long long zen_recorded = 0;
    static __declspec(thread) void *zen_tracer = NULL;
    #else
    static __thread int zen_off = 0;
    static __thread void *zen_blocks = NULL;
    static __thread long long zen_recorded = 0;
    static __thread void *zen_tracer = NULL;
    #endif
    """
    int zen_off          # per thread: gradients are not recorded
    void* zen_blocks     # per thread: its newest Block
    long long zen_recorded   # per thread: how many operations it recorded
    void* zen_tracer     # per thread: what notes its operations, borrowed; NULL for none

cdef Calls calls
cdef dict hooks_ = {}
cdef long long _seq = 0
cdef long long last_write = 0


cdef void set_calls(binary_t binary, unary_t unary, inplace_t inplace, setitem_t setitem):
    calls.binary, calls.unary, calls.inplace, calls.setitem = binary, unary, inplace, setitem


cdef void set_getitem(getitem_t getitem):
    calls.getitem = getitem


cdef object hook(str name):
    return hooks_[name]


cdef object batched_ = None


cdef object batched():
    # The type of values of all examples of a `vmap`, or None as long as there was none.
    return batched_


cdef pull_t pull_output = NULL


cdef void set_pull_output(pull_t pull):
    global pull_output
    pull_output = pull


cdef pull_t pull_part = NULL
cdef push_t push_part = NULL


cdef void set_part(pull_t pull, push_t push):
    global pull_part, push_part
    pull_part, push_part = pull, push


def install(**given):
    """Give the engine what it may call back on higher floors; see the list in zen/backend.py."""
    global batched_
    hooks_.update(given)
    batched_ = given.get("batched", batched_)
    if "note" in given:
        set_note(given["note"])
    if "operators" in given:
        set_operators()


def attach(str name not None, function):
    """Put a method or property on Tensor. The type is a static one, so its dictionary is written directly."""
    cdef object d = <object>(<PyTypeObject*>Tensor).tp_dict
    d[name] = function
    PyType_Modified(<type>Tensor)


cdef bint recording() noexcept:
    return not zen_off


def grad_enabled():
    """Whether operations of this thread are recorded."""
    return not zen_off


cdef bint switch(bint enabled) noexcept:
    global zen_off
    cdef bint before = not zen_off
    zen_off = not enabled
    return before


def set_grad_enabled(bint enabled):
    """Switch recording in this thread; returns what it was."""
    return switch(enabled)


def call_recording(bint enabled, function, /, *args, **kwargs):
    """`function(*args, **kwargs)` with recording on or off; the mode from before is restored in every case.

    An interrupt is raised between two steps of Python code, so none can come between the call and what restores.
    """
    global zen_off
    cdef bint off = zen_off
    zen_off = not enabled
    try:
        return function(*args, **kwargs)
    finally:
        zen_off = off


include "_tensor_tracing.pxi"
include "_tensor_modes.pxi"


cpdef long long next_seq():
    """The next number of the sequence that orders nodes and in-place writes."""
    global _seq
    _seq += 1
    return _seq


def note_write(long long seq):
    """Some array was overwritten at `seq`: nodes recorded before it check what they saved."""
    global last_write
    last_write = max(last_write, seq)


include "_tensor_rows.pxi"
include "_tensor_operation.pxi"


# Nodes whose last reference went away while another node was being released: freed one after the other, so that a
# chain of any length needs no C stack.
cdef list _doomed = []
cdef bint _draining = False


cdef void drain() noexcept:
    global _draining
    if _draining:
        return
    _draining = True
    while _doomed:
        _doomed.pop()
    _draining = False


cdef bint doom(PyObject* n) noexcept:
    # Takes a pointer: a Python reference would itself be counted.
    if n == <PyObject*>None or ZEN_REFCNT(n) > 1 or (<Node>n).row is None:
        return False
    _doomed.append(<object>n)
    return True


@cython.final
@cython.freelist(1024)
cdef class Node:
    """One recorded operation, or a leaf (`row` is None)."""

    def __dealloc__(self):
        Py_XDECREF(self.slot.array)
        if self.dims != &self.small[0]:
            free(self.dims)
        self.drop_inputs()

    cdef void drop_inputs(self) noexcept:
        # An input that dies with this node is put on the list instead of being freed by recursion.
        cdef bint any = False
        if self.n0 is not None:
            any |= doom(<PyObject*>self.n0)
            self.n0 = None
        if self.n1 is not None:
            any |= doom(<PyObject*>self.n1)
            self.n1 = None
        if self.n2 is not None:
            any |= doom(<PyObject*>self.n2)
            self.n2 = None
        if self.others is not None:
            for n in self.others:
                if n is not None and (<Node>n).row is not None:
                    _doomed.append(n)
                    any = True
            self.others = None
        if any:
            drain()

    cdef Node input(self, int k):
        if self.others is not None:
            return <Node>self.others[k]
        return self.n0 if k == 0 else (self.n1 if k == 1 else self.n2)

    cdef int count(self):
        if self.row is None:
            return 0
        return len(self.others) if self.others is not None else self.row.nin

    cdef void set_shape(self, int nd, const Py_ssize_t* dims) except *:
        cdef int k
        self.nd = nd
        self.dims = &self.small[0]
        if nd > 2:
            self.dims = <Py_ssize_t*>malloc(nd * sizeof(Py_ssize_t))
            if self.dims == NULL:
                self.dims = &self.small[0]
                raise MemoryError("no memory for a node of the graph")
        for k in range(nd):
            self.dims[k] = dims[k]

    cdef void leave(self, bint release) noexcept:
        # A pass that had counted itself among the users is done. `release`: the graph below and what was saved are no
        # longer needed; a pass of another thread that is reading them just now drops them when it leaves.
        self.users -= 1
        if release:
            self.is_released = True
        if not self.is_released or self.users > 0:
            return
        self.s0 = self.s1 = self.s2 = self.sy = None
        self._saved = self._params = None
        self.drop_inputs()

    cdef void track(self):
        if not self.tracked:
            self.tracked = True
            if not PyObject_GC_IsTracked(<PyObject*>self):
                PyObject_GC_Track(<PyObject*>self)

    @property
    def inputs(self):
        cdef int k
        return tuple([self.input(k) for k in range(self.count())])

    @property
    def released(self):
        """Whether a pass has released what the node saved."""
        return bool(self.is_released)

    @property
    def closed(self):
        """Whether this leaf stood for an argument of a transform that is over: nobody differentiates by it again."""
        return self.is_closed == 1

    @closed.setter
    def closed(self, bint over):
        self.is_closed = over

    @property
    def variable(self):
        """Whether this leaf stands for an argument of a transform whose function is running."""
        return self.is_closed == 2

    @property
    def retains_grad(self):
        return bool(self.retains)

    @retains_grad.setter
    def retains_grad(self, bint wanted):
        self.retains = wanted

    @property
    def params(self):
        return () if self._params is None else self._params

    @property
    def shape(self):
        cdef int k
        return tuple([self.dims[k] for k in range(self.nd)])

    @property
    def dtype(self):
        return cnp.PyArray_DescrFromType(self.typenum)

    @property
    def tensor(self):
        # A Tensor whose destruction has begun still stands here while its weak references and attributes go.
        return <object>self.owner if self.owner != NULL and ZEN_REFCNT(self.owner) > 0 else None

    @property
    def saved(self):
        """What the row saved, as (args..., y) or, if variadic, (xs, y); see zen/ops/row.py."""
        if self.is_released:
            raise RuntimeError(f"what {self.row.name!r} saved was released by an earlier backward pass")
        if not self.compiled:
            return self._saved
        self.users += 1
        try:
            held = tuple([self.held(k) for k in range(self.count())])
            y = np.asarray(self.cy, self.dtype) if self.hy == SCALAR else self.sy
            return (held, y) if self.row.variadic else (*held, y)
        finally:
            self.leave(False)

    def held(self, int k):
        cdef unsigned char held = self.h0 if k == 0 else (self.h1 if k == 1 else self.h2)
        cdef Node n = self.input(k)
        if held == SCALAR:
            value = self.c0 if k == 0 else (self.c1 if k == 1 else self.c2)
            return np.asarray(value, self.dtype)
        if held == ARRAY:
            return self.s0 if k == 0 else (self.s1 if k == 1 else self.s2)
        return Shaped(n.shape, n.dtype) if n is not None else None

    def __repr__(self):
        return f"Node({'leaf' if self.row is None else self.row.name}, shape={self.shape}, dtype={self.dtype})"


def recorded():
    """How many operations this thread has recorded."""
    return zen_recorded


cdef Node new_node(Row row):
    global _seq, zen_recorded
    cdef Node n = Node.__new__(Node)
    PyObject_GC_UnTrack(<PyObject*>n)
    _seq += 1
    zen_recorded += row is not None
    n.seq = _seq
    n.row = row
    return n


cdef Node output_node(Node call, int k, int count, int typenum, int nd, const Py_ssize_t* dims):
    # A node for result k of a call that has `count` of them.
    cdef Node n = new_node(call.row.output)
    n.compiled = True
    n.typenum, n.n0, n._params = typenum, call, (k, count)
    n.set_shape(nd, dims)
    if call.tracked:
        n.track()
    return n


cdef int track_below(Node top) except -1:
    # A gradient with a graph is stored in a leaf: from here on the collector must see every node of that graph.
    cdef list stack = [top]
    cdef set seen = {top}
    cdef Node n, m
    cdef int k
    while stack:
        n = stack.pop()
        n.track()
        for k in range(n.count()):
            m = n.input(k)
            if m is not None and m not in seen:
                seen.add(m)
                stack.append(m)
    return 0


cdef Node leaf_node(int nd, const Py_ssize_t* dims, int typenum):
    cdef Node n = new_node(None)
    n.typenum = typenum
    n.set_shape(nd, dims)
    PyObject_GC_Track(<PyObject*>n)
    return n


cdef Tensor new_tensor(object data, Node node):
    cdef Tensor t = Tensor.__new__(Tensor)
    t.data = data
    t.typenum = cnp.PyArray_TYPE(<ndarray>data)
    t._node = node
    if node is not None and node.owner == NULL:
        node.owner = <PyObject*>t
    return t


cdef Tensor new_scalar(double value, int typenum, Node node):
    cdef Tensor t = Tensor.__new__(Tensor)
    t.scalar = value
    t.typenum = typenum
    t._node = node
    if node is not None and node.owner == NULL:
        node.owner = <PyObject*>t
    return t


cdef Node node_of(Tensor t):
    # The node to record on; a view whose base was written since is derived again first.
    if t._base is not None and t.synced != t._base.version:
        hooks_["resync"](t)
    return t._node


include "_tensor_operators.pxi"

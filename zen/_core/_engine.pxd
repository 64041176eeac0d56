cimport cython
from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._memory cimport contiguous
from zen._core._tensor cimport Node, Row, Slot, Tensor

cdef struct Waiting:
    long long seq
    PyObject* node       # owned

cdef class Pass

cdef bint needs_again(Pass p, Node n) except -1
cdef bint leads_on(Pass p, Node n) except -1
cdef int mark_needed(Pass p, list roots) except -1
cdef int verify_node(Node n) except -1
cdef int take_conflicting(Pass p, Node n) except -1
cdef int pull_formula(Pass p, Node n) except -1
cdef list leaf_gradients(Tensor root, object value, list leaves, bint retain)


@cython.final
cdef class Pass:
    cdef long long id
    cdef bint retain
    cdef bint selective              # nodes marked with minus this pass's id need no gradient
    cdef Waiting* heap
    cdef Waiting room[16]            # where the heap lies while there are few
    cdef int waiting, capacity
    cdef dict conflicts              # Node -> Box, made when first needed
    cdef list finished               # Due, of leaves and retained nodes
    cdef dict wanted                 # Node -> gradient, for the inputs asked for
    cdef long long newest            # the highest number among these
    # The node at work: its gradient, complete.
    cdef double scalar
    cdef PyObject* array             # owned, NULL for a scalar

    cdef int push(self, Node n) except -1
    cdef PyObject* pop(self) noexcept
    cdef Slot* slot(self, Node n) except NULL
    cdef void abandon(self)
    cdef int give_scalar(self, Node n, double value) except -1
    cdef int give_array(self, Node n, ndarray a) except -1
    cdef int own(self, Slot* slot) except -1
    cdef PyObject* open(self, Node n, bint* fresh) except NULL
    cdef int give(self, Node n, object value, Row row, int k) except -1
    cdef int traverse(self) except -1
    cdef object gradient(self)
    cdef int run_hooks(self, Node n) except -1
    cdef int set_gradient(self, Node n, ndarray a) except -1

    cdef inline bint needs(self, Node n) except -1:
        if n is None or not self.selective or n.mark == self.id:
            return n is not None
        return False if n.mark == -self.id else needs_again(self, n)

    cdef inline bint wants(self, Node n) except -1:
        # Whether the gradient of n was asked for. Most nodes are younger than all of which it was.
        return n.seq <= self.newest and n in self.wanted

    cdef inline int take(self, Node n) except -1:
        # Move the gradient of a node that was waiting out of its slot; the node is free for other passes.
        if n.claim != self.id:
            return take_conflicting(self, n)
        self.scalar, self.array = n.slot.scalar, n.slot.array
        n.slot.array = NULL
        n.claim = 0
        return 0


cdef inline ndarray cotangent(Pass p):
    # The gradient at work in the order of memory.
    cdef ndarray g = <ndarray>p.array
    return g if cnp.PyArray_IS_C_CONTIGUOUS(g) else contiguous(g)


cdef inline Py_ssize_t elements(Node n) noexcept:
    cdef Py_ssize_t size = 1
    cdef int k
    for k in range(n.nd):
        size *= n.dims[k]
    return size

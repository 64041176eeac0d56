from cpython.object cimport PyObject
from zen._core._types cimport MAX_ARGUMENTS, kernel_t

cdef enum Held:
    # What a node holds of an operand of a compiled row.
    NOTHING, SCALAR, ARRAY

# A kernel of a row's own. `run` computes and records; None where the operands are not for it, errors included: the
# row's NumPy form then computes, or raises. `pull` hands the gradient at work in `work`, a Pass of _engine, on to the
# inputs of a node that `run` recorded.
ctypedef Tensor (*run_t)(Row row, PyObject** inputs, int n, tuple params)
ctypedef int (*pull_t)(object work, Node n) except -1
# Forward mode: the tangent of such a node's value, of those of its inputs, NULL where one has none. NotImplemented
# leaves it to the row's formulas.
ctypedef object (*push_t)(Node n, PyObject** tangents)

cdef class Row:
    cdef readonly str name
    cdef readonly int nin
    cdef bint outlasts                       # a pass does not release its nodes: parts can be used one after the other
    cdef readonly object forward
    cdef readonly bint elementwise, variadic, joint, view
    cdef readonly tuple linear, tangents
    cdef object prepare
    cdef tuple _vjps, _needs
    cdef run_t run                           # NULL: none
    cdef pull_t pull
    cdef push_t push
    cdef bint generated                      # an elementwise row with the kernels below
    cdef bint has_mask                       # the first argument is a bool mask
    cdef kernel_t forward_kernels[4]         # float, double, complex64, complex128: see `width_of`
    cdef kernel_t vjp_kernels[MAX_ARGUMENTS][4]
    cdef int reads[MAX_ARGUMENTS]            # bit k: the formula reads slot k
    cdef bint identity[MAX_ARGUMENTS]        # the formula is `g`
    cdef bint differentiable[MAX_ARGUMENTS]
    # Behind what kernels need, which is to lie close together.
    cdef readonly int several                # how many results: 0 for one that is no tuple, -1 for any number
    cdef readonly int workspace              # further results that only backward reads
    cdef readonly bint together              # linear in all arguments at once
    # In forward mode: of the first two derivatives, or of one whose result is a part of a complex number; else NULL.
    cdef kernel_t tangent_kernels[4]
    cdef int tangent_reads
    cdef int pair[2]                         # the positions of these arguments
    cdef int second_slot                     # of the second's tangent
    cdef bint applies                        # forward mode applies the row to the tangent of its one argument
    cdef readonly tuple optional             # positions of arguments that may be None
    cdef readonly object composition         # None: none
    cdef readonly object for_complex           # True, or what makes the row for complex operands; None: there is none
    cdef str kernel                          # the name of its kernels
    cdef bint sought                         # whether `complex_row` was answered
    cdef Row for_kernels                     # its answer
    cdef bint is_part                        # results are real where the operands are complex
    cdef readonly Row output                 # stands on the nodes of single results, if there are several
    cdef readonly bint is_output
    cdef int ready(self) except -1
    cdef Row complex_row(self)

cdef struct Slot:
    # The gradient of one node, as far as it has arrived in one pass.
    PyObject* array          # owned; NULL while empty or scalar
    double scalar
    bint full

cdef class Node:
    cdef readonly Row row                    # None for a leaf
    cdef Node n0, n1, n2                     # inputs that take part in gradients
    cdef tuple others                        # all inputs, where there may be more than three
    cdef object s0, s1, s2, sy               # saved arrays of a compiled row
    cdef double c0, c1, c2, cy               # saved scalars
    cdef unsigned char h0, h1, h2, hy        # Held
    # Bytes, not bint: nodes are many, and the fewer cache lines one takes the faster a long graph is walked.
    cdef unsigned char is_released, retains
    cdef unsigned char compiled              # saved by a compiled path, not by the generic one
    cdef unsigned char tracked               # known to the garbage collector
    cdef tuple _saved                        # what a GENERIC row saved: (args..., y)
    cdef tuple _params
    cdef readonly long long seq
    cdef PyObject* owner                     # the live Tensor, borrowed; its dealloc clears this
    cdef short nd, typenum
    cdef unsigned char is_closed             # a leaf: 2 stands for an argument of a transform, 1 did and that is over
    cdef unsigned char watched               # something saved is under a Watch of _guard
    cdef unsigned short users                # passes that are reading the node: it keeps all until they have left
    cdef Py_ssize_t* dims
    cdef Py_ssize_t small[2]
    cdef long long mark                      # the pass that marked the node last; minus it where it is not needed
    cdef long long claim                     # the pass that uses `slot` now, 0 if none
    cdef Slot slot
    cdef public Tensor grad
    cdef public dict hooks                   # number -> function
    cdef Node input(self, int k)
    cdef int count(self)
    cdef void set_shape(self, int nd, const Py_ssize_t* dims) except *
    cdef void drop_inputs(self) noexcept
    cdef void leave(self, bint release) noexcept
    cdef void track(self)

cdef class Tensor:
    cdef object data                         # ndarray; None while a 0-d value lives in `scalar`
    cdef double scalar
    cdef int typenum
    cdef int views                           # live Tensors that are views of this one
    cdef Node _node
    cdef Tensor _base
    cdef public long long synced, version
    cdef public long long traced             # the value of a trace that the Tensor has; 0 for none
    cdef object __weakref__
    cdef object values(self)                 # the ndarray, made when first asked for
    cdef void set_base(self, Tensor base) noexcept

cdef class Shaped:
    cdef readonly tuple shape
    cdef readonly object dtype

# What the operators and methods of Tensor call; filled by the modules on a higher floor.
ctypedef object (*binary_t)(Row row, object a, object b)
ctypedef object (*unary_t)(Row row, Tensor a)
ctypedef object (*getitem_t)(Row row, Tensor t, object key)
ctypedef object (*inplace_t)(Row row, Tensor t, object other)
ctypedef int (*setitem_t)(Row row, Tensor t, object key, object value) except -1

cdef struct Calls:
    binary_t binary
    unary_t unary
    getitem_t getitem
    inplace_t inplace
    setitem_t setitem

cdef enum Sharers:
    # Who else uses the memory of a Tensor: nobody, only nodes that saved it, somebody who must see what is written.
    NOBODY, NODES, OTHERS

cdef void set_calls(binary_t binary, unary_t unary, inplace_t inplace, setitem_t setitem)
cdef void set_getitem(getitem_t getitem)
cdef void set_pull_output(pull_t pull)
cdef void set_part(pull_t pull, push_t push)
cdef void register(str kernel, run_t run, pull_t pull)
cdef void register_push(str kernel, push_t push)
cdef Sharers sharers_of(Tensor t) noexcept
cdef object hook(str name)
cdef object batched()
cdef bint recording() noexcept
cdef int traces                          # calls in which something notes the operations of a thread
cdef bint is_traced() noexcept
cpdef object tracer()
cdef int traced_as(Tensor t, Tensor other) except -1
cdef bint switch(bint enabled) noexcept     # recording on or off in this thread; what it was
cdef object hush()                          # NumPy's warnings off in this thread, until `unhush` of what is returned
cdef int unhush(object before) except -1
cpdef long long next_seq()
cdef long long last_write    # the newest number at which some array was overwritten
cdef Node new_node(Row row)
cdef Node output_node(Node call, int k, int count, int typenum, int nd, const Py_ssize_t* dims)
cdef int track_below(Node top) except -1
cdef Node leaf_node(int nd, const Py_ssize_t* dims, int typenum)
cdef Tensor new_tensor(object data, Node node)
cdef Tensor new_scalar(double value, int typenum, Node node)
cdef Node node_of(Tensor t)


cdef inline bint tracing() noexcept:
    # Whether something notes the operations of this thread.
    return traces != 0 and is_traced()

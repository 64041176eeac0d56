# How an operation is planned apart from its execution, where its kernels need workspace.
#
# A plan is a struct of the operation's own that begins with a `Plan`. It is made from shapes, strides, dtype and
# parameters, with the GIL, and says all that does not depend on the numbers: sizes, layouts, kernels, and the parts of
# the workspace, one block of memory, as offsets that `reserve` gives out in turn. It owns nothing, holds no address of
# an array, and nobody changes it once it is made: it may be copied, and executed again and by several threads at once.
#
# `execute` gets the plan, the buffers and the workspace. The buffers, inputs and outputs, are an array of pointers in
# the order of an enum of the operation, NULL for what is absent; they have the shapes, dtypes and layouts that the plan
# was made for. It runs without the GIL, allocates nothing and cannot fail, and writes every element of its outputs,
# whatever these and the workspace held before; a plan that adds to its outputs says so. What turns out as it runs, such
# as a position out of range, it writes to a buffer as well.
#
# What Python calls checks its arguments, plans, allocates the outputs and calls `run`.

cdef enum:
    ALIGNED = 64            # bytes: each part of a workspace begins at a multiple

ctypedef void (*execute_t)(const Plan* plan, void** buffers, char* workspace) noexcept nogil

cdef struct Plan:
    execute_t execute
    Py_ssize_t workspace    # bytes
    int typenum             # NPY_FLOAT or NPY_DOUBLE: of the workspace, and of what is computed
    Py_ssize_t item         # bytes of a number
    bint brief              # not worth releasing the GIL
    bint adds               # to what the outputs hold, instead of overwriting it

cdef void start(Plan* plan, execute_t execute, int typenum, bint brief) noexcept
cdef Py_ssize_t reserve(Plan* plan, Py_ssize_t rows, Py_ssize_t columns) noexcept
cdef int run(const Plan* plan, void** buffers) except -1

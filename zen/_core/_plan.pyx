"""Plans of operations, whose kernels need workspace, and their execution at once: see _plan.pxd.

Called by the modules of the operations.
"""

from libc.string cimport memset
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._memory cimport new_array

cnp.import_array()

cdef Py_ssize_t LARGEST = <Py_ssize_t>1 << 62    # bytes: more than any memory has; what is larger is cut to it
cdef char nothing[ALIGNED]          # the workspace of plans that need none
cdef int executions = 1


cdef void start(Plan* plan, execute_t execute, int typenum, bint brief) noexcept:
    """A plan without workspace."""
    plan.execute, plan.typenum, plan.brief = execute, typenum, brief
    plan.item = 4 if typenum == cnp.NPY_FLOAT else 8
    plan.workspace, plan.adds = 0, False


cdef Py_ssize_t reserve(Plan* plan, Py_ssize_t rows, Py_ssize_t columns) noexcept:
    """Where in the workspace there is room for so many numbers: bytes from its beginning."""
    cdef Py_ssize_t place = plan.workspace, most = (LARGEST - place) // plan.item
    if columns > 0 and rows > most // columns:
        plan.workspace = LARGEST
    else:
        plan.workspace += (rows * columns * plan.item + ALIGNED - 1) // ALIGNED * ALIGNED
    return place


cdef int run(const Plan* plan, void** buffers) except -1:
    """Executes a plan with a workspace of the engine's memory."""
    cdef ndarray space
    cdef char* workspace = nothing
    cdef Py_ssize_t size = plan.workspace // plan.item
    if size > 0:
        space = new_array(1, &size, plan.typenum)
        workspace = <char*>cnp.PyArray_DATA(space)
    if plan.brief:
        plan.execute(plan, buffers, workspace)
    else:
        with nogil:
            plan.execute(plan, buffers, workspace)
    if executions > 1 and not plan.adds:
        execute_again(plan, buffers)
    return 0


cdef int execute_again(const Plan* plan, void** buffers) except -1:
    cdef ndarray space
    cdef Py_ssize_t size = plan.workspace // plan.item
    for _ in range(executions - 1):
        space = new_array(1, &size, plan.typenum)
        memset(cnp.PyArray_DATA(space), 0xFF, cnp.PyArray_NBYTES(space))
        with nogil:
            plan.execute(plan, buffers, <char*>cnp.PyArray_DATA(space))
    return 0


def execute(int times):
    """For tests: from now on each plan is executed so often, again on workspaces full of nan. Returns what it was."""
    global executions
    before, executions = executions, max(times, 1)
    return before

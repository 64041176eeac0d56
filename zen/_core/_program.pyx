"""The machine that replays a program: instructions with planned memory, run in one loop without Python.

`Machine` reads a program (zen/program/instructions.py) by its attributes. From it the planner makes a schedule, once: C
structs with what is to be done, and where the operands lie. All memory of a call is one arena, in which places are
given out by lifetime; a step finds an operand at an offset behind the beginning of the arena, of an input, of a live
object or of an output, whose beginnings are entered at each call. Steps that no kernel here computes are calls of the
engine, with arrays that stand for the operands.

Results are those that the engine gives for the same rows one after the other, bit for bit: the kernels are the same,
and so are the layouts of arrays, by which sums differ. The layout of what Python computes is only known when it is
there; where it is not as planned, the program is planned again with what was found.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check
from cpython.list cimport PyList_New
from cpython.object cimport PyObject, PyObject_GetItem
from cpython.ref cimport Py_INCREF
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove, memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._blas cimport gemm, has_gemm, is_small, one_thread, restore_threads
from zen._core._broadcast cimport Operands, iterate, memory_order, place
from zen._core._dispatch cimport identity_kernel, kernels
from zen._core._dtypes cimport ZEN_TYPENUM, has_kernels
from zen._core._kernels cimport matvec_t
from zen._core._memory cimport Buffer, is_exclusive, new_array, same_shape
from zen._core._parse cimport is_basic
from zen._core._plan cimport ALIGNED
from zen._core._tensor cimport Row, Tensor, new_scalar, new_tensor, switch
from zen._core._types cimport ARGUMENT, BLOCK, COTANGENT, MAX_ARGUMENTS, MAXDIMS, OUT, REDUCE, SET, SLOTS, kernel_t
from zen._core._views cimport buffer1

from zen._core._record import apply

cnp.import_array()

ctypedef void (*dot_function_t)(char*, Py_ssize_t, char*, Py_ssize_t, char*, Py_ssize_t, void*) noexcept nogil

cdef extern from "Python.h":
    ctypedef struct PyTupleObject:
        PyObject** ob_item
    PyObject* PyList_GET_ITEM(object, Py_ssize_t) noexcept
    void PyList_SET_ITEM(object, Py_ssize_t, object)

cdef extern from *:
    """
    #define zen_dot(typenum) ((void*)PyDataType_GetArrFuncs(PyArray_DescrFromType(typenum))->dotfunc)
    """
    void* dot_function "zen_dot"(int typenum)

cdef enum:
    SHORT = 64           # elements of a line that is computed inline
    NARROW = 256         # elements of a line that is, of several
    LONG = 4096          # elements from which chains go through the cache by blocks
    WORTH = 1 << 15      # elements of work from which releasing the GIL is worth it
    IDLE = 8             # frames that are kept for calls at one time
    TRIES = 8            # how often a program is planned again for layouts that Python's results turned out to have

cdef char* NOWHERE = <char*>(<size_t>1 << 40)    # the address that ghosts count from: nothing is ever read there


cdef bint is_value(object x):
    # An operand that is no value is a number, None, or what a row takes besides.
    return x is not None and type(x) is not float and type(x) is not int and hasattr(x, "number")


cdef inline int typenum_of_dtype(object dtype) except -1:
    return ZEN_TYPENUM(dtype)


cdef int shape_into(object shape, Py_ssize_t* dims) except -1:
    cdef int k, nd = len(<tuple>shape)
    if nd > MAXDIMS:
        raise ValueError(f"a value of a program has {nd} axes; at most {MAXDIMS} are known")
    for k in range(nd):
        dims[k] = (<tuple>shape)[k]
    return nd


include "_program_cells.pxi"
include "_program_execute.pxi"
include "_program_schedule.pxi"
include "_program_planner.pxi"
include "_program_elementwise.pxi"
include "_program_views.pxi"
include "_program_products.pxi"
include "_program_finish.pxi"
include "_program_calls.pxi"

NUMBERS = {"+": C_ADD, "-": C_SUB, "*": C_MUL, "/": C_QUOTIENT}


@cython.final
cdef class Machine:
    """Replays one program, on any number of threads at once.

    What a call works on is a frame that no other call has; the schedule is never changed, only replaced.
    """

    cdef readonly object program
    cdef Schedule schedule
    cdef dict layouts                # strides of Python's results by number of value, where they are not those of C
    cdef int tries

    def __init__(self, program):
        # notes["layouts"]: what is known of them beforehand, so that no run is needed to find out
        self.program, self.layouts = program, dict(program.notes.get("layouts", ()))
        self.plan()

    cdef int plan(self) except -1:
        cdef Planner planner = Planner.__new__(Planner, self.layouts)
        planner.plan(self.program)
        self.schedule = finished(planner, self.program)
        return 0

    @property
    def arena_bytes(self):
        """The bytes of the memory in which a call keeps its intermediate values."""
        return self.schedule.arena_bytes

    def run(self, inputs not None):
        """The outputs as a list of arrays that nobody else holds, weak ones as floats; or a number: the step that ends
        the program, a check that fails or a division by zero, or -1 where a live object is no longer what it was.

        inputs: an array of its value's shape and dtype for each, a float for a weak one. Raises TypeError for others.
        """
        cdef Schedule s
        cdef dict found
        cdef object result
        cdef tuple given = inputs if type(inputs) is tuple else tuple(inputs)
        while True:
            s = self.schedule
            if not s.calls or self.tries >= TRIES:
                return replay(s, given, None)
            found = {}
            result = replay(s, given, found)
            if not found:
                return result
            self.tries += 1
            self.layouts = {**self.layouts, **found}
            self.plan()

    def text(self):
        """One line for each instruction, with the memory of its result and the way in which it is executed."""
        return schedule_text(self.program, self.schedule)

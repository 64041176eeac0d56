"""Steps of optimisers: one pass over memory for each parameter. Called by zen/optim as `backend.kernels.optim`.

A step is prepared (by what `rule` returns, or `muon`) and then carried out (`move`). Whatever can fail, all memory that
is needed included, happens while it is prepared: a step changes every parameter or none.

A step gets the list of parameters and the optimiser's `state`, which maps a parameter to the dict of its arrays. Both
are read afresh in each step, so that whatever replaces a gradient or a state is seen; the look-ups cost about a tenth
of a microsecond for a parameter. `fill(parameter, names, counts)` makes what is missing in a parameter's state, the
arrays and a count of its steps, and returns the dict.
Parameters without a gradient are left alone. The arrays that the step is to change are appended to `written`; but not
where the Tensor alone refers to the memory: then no graph has saved it, and nobody needs to be told of the write. In a
training loop that is so at each step. `move` appends those to which another thread has come to refer meanwhile.

Contiguous arrays of float and double are updated where they lie, others through a contiguous copy; float16 is
computed in float. L-BFGS has kernels of its own, over one vector for all parameters.
"""

cimport cython
from cpython.dict cimport PyDict_GetItemWithError, PyDict_SetItem
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.math cimport NAN, isnan, pow, sqrt, sqrtf
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._blas cimport gemm, is_small, one_thread, restore_threads
from zen._core._dispatch cimport kernels
from zen._core._dtypes cimport has_kernels, is_complex, part_of
from zen._core._guard cimport is_reached_by_one
from zen._core._memory cimport new_array, same_shape
from zen._core._tensor cimport Tensor

cnp.import_array()

cdef extern from *:
    """
    #define ZEN_SIMPLE(a) PyArray_ISCARRAY(a)
    #define ZEN_READABLE(a) PyArray_ISCARRAY_RO(a)
    #define ZEN_REFCNT(p) Py_REFCNT((PyObject*)(p))
    #define ZEN_IS_VIEW(p) (PyArray_BASE(p) != NULL && PyArray_Check(PyArray_BASE(p)))
    """
    bint ZEN_SIMPLE(ndarray) noexcept
    bint ZEN_READABLE(ndarray) noexcept
    Py_ssize_t ZEN_REFCNT(PyObject*) noexcept
    bint ZEN_IS_VIEW(ndarray) noexcept

cdef enum:
    WORTH = 1 << 15      # elements from which releasing the GIL is worth it
    BLOCK = 1024         # elements that stay in the nearest cache from one loop over them to the next
    PLACES = 6           # parameter, gradient, up to four arrays of state
    KEPT = 2             # numbers of state

ctypedef fused real:
    float
    double

cdef Tensor gradient(Tensor t):
    return None if t._node is None else t._node.grad


cdef struct Job:
    # The update of one parameter with all that it takes: it cannot fail any more.
    void* x[PLACES]
    PyObject* held[PLACES]           # owned, the arrays: another thread may replace a gradient while the loop runs
    PyObject* entry                  # owned, like the new number of its step; NULL for a rule that does not count
    PyObject* counted
    PyObject* numbers                # owned, a tuple of the new numbers of its state; NULL for a rule without
    double kept[KEPT]                # those of before
    PyObject* private                # borrowed, an array of the parameter that nobody else refers to as yet; or NULL
    Py_ssize_t references            # to that
    Py_ssize_t size
    Py_ssize_t m, n                  # the shape of a matrix
    double rate                      # its learning rate
    long long step
    int kind                         # NPY_FLOAT or NPY_DOUBLE
    int typenum                      # of the arrays: that, or of complex numbers, of which the loop takes the parts
    bint first                       # something of its state was made just now
    int copied                       # how many arrays it has a copy of


cdef class Walk:
    """One step over a list of parameters: finds the arrays, then runs the rule's loop on them."""

    cdef tuple names                 # the arrays of state, in the order in which the loop takes them
    cdef tuple numbers               # the state that is one number for each parameter
    cdef object state, fill
    cdef list written                # the caller's
    cdef list copies                 # (array, its contiguous copy, whether it is written back), as the jobs come
    cdef Job* jobs
    cdef Py_ssize_t count
    cdef bint counts                 # whether the steps of a parameter are counted

    def __cinit__(self, state, fill, list written not None, tuple names, bint counts, tuple numbers=()):
        self.state, self.fill, self.written, self.names, self.counts = state, fill, written, names, counts
        self.numbers = numbers
        self.copies = []

    def __dealloc__(self):
        cdef Py_ssize_t i
        cdef int k
        for i in range(self.count):
            for k in range(PLACES):
                Py_XDECREF(self.jobs[i].held[k])
            Py_XDECREF(self.jobs[i].entry)
            Py_XDECREF(self.jobs[i].counted)
            Py_XDECREF(self.jobs[i].numbers)
        free(self.jobs)

    cdef Walk over(self, list params):
        # Finds and makes everything; nothing has moved when this raises.
        cdef tuple given = tuple(params)
        cdef Tensor t, g
        cdef Py_ssize_t k
        self.jobs = <Job*>calloc(len(given) + 1, sizeof(Job))
        if self.jobs == NULL:
            raise MemoryError(f"no memory for a step over {len(given)} parameters")
        for t in given:
            g = gradient(t)
            if g is not None:
                self.add(t, g)
        for k in range(self.count):
            if self.jobs[k].private != NULL:
                self.jobs[k].references = ZEN_REFCNT(self.jobs[k].private)
        return self

    cdef int add(self, Tensor t, Tensor gradient) except -1:
        cdef bint private = t.data is None or is_reached_by_one(<PyObject*>t.data)  # before p counts as a reference
        cdef ndarray p = t.values(), a
        cdef Job* job = &self.jobs[self.count]
        cdef int k, count = len(self.names)
        cdef object entry = None, step
        self.count += 1
        job.kind = cnp.NPY_DOUBLE if part_of(t.typenum) == cnp.NPY_DOUBLE else cnp.NPY_FLOAT
        job.typenum, job.size = job.kind, cnp.PyArray_SIZE(p)
        if is_complex(t.typenum):
            job.typenum, job.size = t.typenum, 2 * job.size
        self.check(job, p)
        if count or self.counts:
            entry = self.entry_of(t, job)
        self.place(job, 0, p, True)
        a = gradient.values()
        if not same_shape(a, p):
            raise ValueError(f"a parameter of shape {t.shape} has a gradient of shape {gradient.shape}")
        self.place(job, 1, a, False)
        for k in range(count):
            a = self.array_of(entry, <str>self.names[k], p)
            self.place(job, k + 2, a, True)
        if self.counts:
            step = 1 + <long long>entry["step"]
            job.step = step
            Py_INCREF(entry)
            Py_INCREF(step)
            job.entry, job.counted = <PyObject*>entry, <PyObject*>step
            if self.numbers:
                self.keep(job, entry)
        if private and job.held[0] == <PyObject*>p and not ZEN_IS_VIEW(p):
            job.private = <PyObject*>p
        else:
            self.written.append(p)
        return 0

    cdef int check(self, Job* job, ndarray p) except -1:
        # What a rule asks of a parameter.
        return 0

    cdef int keep(self, Job* job, entry) except -1:
        # Finds the numbers of the state, and makes the new ones.
        return 0

    cdef int move(self) except -1:
        cdef Py_ssize_t k
        try:
            self.run()
        finally:
            for k in range(self.count):     # a node of another thread may have saved a parameter meanwhile
                if self.jobs[k].private != NULL and ZEN_REFCNT(self.jobs[k].private) > self.jobs[k].references:
                    self.written.append(<object>self.jobs[k].private)
        return 0

    cdef int run(self) except -1:
        cdef Py_ssize_t k, j, at = 0
        cdef Job* job
        for k in range(self.count):
            job = &self.jobs[k]
            for j in range(at, at + job.copied):
                array, copy, written = self.copies[j]
                cnp.PyArray_CopyInto(<ndarray>copy, <ndarray>array)
            self.loop(job)
            for j in range(at, at + job.copied):
                array, copy, written = self.copies[j]
                if written:
                    cnp.PyArray_CopyInto(<ndarray>array, <ndarray>copy)
            at += job.copied
            if job.entry != NULL:
                PyDict_SetItem(<object>job.entry, "step", <object>job.counted)
            if job.numbers != NULL:
                for j in range(len(self.numbers)):
                    PyDict_SetItem(<object>job.entry, self.numbers[j], (<tuple>job.numbers)[j])
        return 0

    cdef int loop(self, Job* job) noexcept:
        # The update itself.
        return 0

    cdef object entry_of(self, Tensor t, Job* job):
        # The state of t, complete.
        cdef PyObject* found = PyDict_GetItemWithError(self.state, t)
        if found != NULL:
            for name in self.names + self.numbers if self.numbers else self.names:
                if PyDict_GetItemWithError(<object>found, name) == NULL:
                    break
            else:
                if not self.counts or PyDict_GetItemWithError(<object>found, "step") != NULL:
                    return <object>found
        job.first = True
        return self.fill(t, self.names + self.numbers, self.counts)

    cdef ndarray array_of(self, entry, str name, ndarray p):
        cdef PyObject* found = PyDict_GetItemWithError(entry, name)
        cdef ndarray a
        cdef bint shared
        if found == NULL or not isinstance(<object>found, Tensor):
            raise TypeError(f"the state {name!r} of a parameter of shape {(<object>p).shape} must be a Tensor")
        shared = (<Tensor>found).data is not None and not is_reached_by_one(<PyObject*>(<Tensor>found).data)
        a = (<Tensor>found).values()
        if not same_shape(a, p):
            raise ValueError(
                f"the state {name!r} of a parameter of shape {(<object>p).shape} has shape {(<object>a).shape}"
            )
        if shared:
            self.written.append(a)
        return a

    cdef int place(self, Job* job, int k, ndarray a, bint written) except -1:
        # Where the loop finds the values of a: its own memory, or a contiguous copy.
        cdef ndarray copy
        if written and not cnp.PyArray_ISWRITEABLE(a):
            what = "parameter" if k == 0 else f"state {self.names[k - 2]!r}"
            raise ValueError(f"the memory of a {what} of shape {(<object>a).shape} is read-only; clone() it first")
        if cnp.PyArray_TYPE(a) == job.typenum and ZEN_READABLE(a):
            Py_INCREF(a)
            job.held[k] = <PyObject*>a
            job.x[k] = cnp.PyArray_DATA(a)
            return 0
        copy = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(a), cnp.PyArray_DIMS(a), job.typenum, 0)
        self.copies.append((a, copy, written))
        job.copied += 1
        job.x[k] = cnp.PyArray_DATA(copy)
        return 0


def move(list walks not None):
    """Carry out the steps that have been prepared: this thread runs no Python in between."""
    cdef Walk w
    for w in walks:
        w.move()


# -- Rules. The loops of this module have addresses, not views, which take longer to hand over than it takes to update a
# small parameter. With six views a step of Adam over 100 parameters of 10 elements takes 18 us instead of 15, one
# of SGD 11 instead of 9.

ctypedef void (*numbers_t)(const double* options, double step, double first, double* kept, double* c) noexcept nogil
ctypedef int (*way_t)(const double* options) noexcept nogil
ctypedef void (*float_loop)(float** x, Py_ssize_t n, const double* c, int way) noexcept nogil
ctypedef void (*double_loop)(double** x, Py_ssize_t n, const double* c, int way) noexcept nogil


cdef inline real root(real x) noexcept nogil:
    return sqrtf(x) if real is float else sqrt(x)


cdef inline real larger(real a, real b) noexcept nogil:
    return a if (a >= b) | (a != a) else b  # a NaN wins


cdef inline real smaller(real a, real b) noexcept nogil:
    return a if (a <= b) | (a != a) else b


cdef inline real by_sign(real x, real below, real zero, real above) noexcept nogil:
    return above if x > 0 else (below if x < 0 else (zero if x == 0 else x))


cdef inline real sign(real x) noexcept nogil:
    return 1 if x > 0 else (-1 if x < 0 else 0 * x)  # 0 * x keeps a NaN


cdef struct Loops:
    numbers_t numbers                # computes what is made of numbers alone
    way_t way                        # through the rule's conditions: what the options choose
    float_loop on_floats
    double_loop on_doubles


include "_optim_rules.pxi"


@cython.final
cdef class Rule:
    """Prepares the steps of one rule: what zen/optim/rules.py declares, compiled."""

    cdef Loops loops
    cdef Py_ssize_t options
    cdef bint flag[OPTIONS]          # whether an option is taken for true or false
    cdef bint counts
    cdef tuple needs                 # for each way, the arrays of state in the order in which its loop takes them
    cdef tuple numbers

    def __call__(self, list params not None, state, fill, list written not None, *values):
        """The prepared step; `values` are those of the rule's options, in order."""
        cdef double o[OPTIONS]
        cdef Py_ssize_t k
        cdef RuleWalk w
        cdef int way
        if self.loops.way == NULL:
            raise TypeError("a Rule is made by rule()")
        if len(values) != self.options:
            raise TypeError(f"a rule with {self.options} options was given {len(values)} values")
        for k in range(self.options):
            o[k] = (1 if values[k] else 0) if self.flag[k] else <double>values[k]
        way = self.loops.way(o)
        w = RuleWalk.__new__(RuleWalk, state, fill, written, self.needs[way], self.counts, self.numbers)
        memcpy(w.o, o, sizeof(o))
        w.rule, w.way = self, way
        return w.over(params)


@cython.final
cdef class RuleWalk(Walk):
    """A step by a rule."""

    cdef Rule rule
    cdef int way
    cdef double o[OPTIONS]
    cdef double c[NUMBERS]           # made of the options, for this step and first
    cdef long long step
    cdef bint first, ready

    cdef int keep(self, Job* job, entry) except -1:
        cdef double[KEPT] kept
        cdef double[NUMBERS] c
        cdef Py_ssize_t k
        cdef tuple made
        for k, name in enumerate(self.numbers):
            job.kept[k] = kept[k] = entry[name]
        self.rule.loops.numbers(self.o, <double>job.step, job.first, kept, c)
        made = tuple([kept[k] for k in range(len(self.numbers))])
        Py_INCREF(made)
        job.numbers = <PyObject*>made
        return 0

    cdef int loop(self, Job* job) noexcept:
        if self.numbers or not self.ready or job.step != self.step or job.first != self.first:
            self.step, self.first, self.ready = job.step, job.first, True
            self.rule.loops.numbers(self.o, <double>self.step, self.first, job.kept, self.c)
        if job.size >= WORTH:
            with nogil:
                self.work(job)
        else:
            self.work(job)
        return 0

    cdef void work(self, Job* job) noexcept nogil:
        if job.kind == cnp.NPY_FLOAT:
            self.rule.loops.on_floats(<float**>job.x, job.size, self.c, self.way)
        else:
            self.rule.loops.on_doubles(<double**>job.x, job.size, self.c, self.way)


def rule(declared not None):
    """What prepares steps by the rule that is declared. ImportError where another one was compiled."""
    cdef Rule made = Rule.__new__(Rule)
    compiled, needs = COMPILED.get(declared.name, (None, None))
    if compiled != tuple(declared):
        raise ImportError(f"the compiled rule {declared.name!r} is not what zen/optim/rules.py declares: build anew")
    made.options, made.counts, made.needs = len(declared.options), declared.counts, needs
    made.numbers = declared.numbers
    bind(&made.loops, declared.name)
    for k, option in enumerate(declared.options):
        made.flag[k] = option in declared.flags
    return made


include "_optim_values.pxi"
include "_optim_muon.pxi"
include "_optim_lbfgs.pxi"

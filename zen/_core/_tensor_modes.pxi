# Modes of a thread: recording on or off in a `with` block, NumPy's warnings off. Part of _tensor.pyx.

cdef struct Block:
    # A `with` block of this thread that has not ended.
    Block* outer
    PyObject* mode           # only compared: the object may be gone
    bint off                 # `zen_off` before it
    bint overtaken           # a block around it ended first: it has nothing to restore when its object goes


cdef class GradMode:
    """A context manager: recording is on or off in a `with` block. See zen/modes.py.

    May be entered any number of times over and by any number of threads. As with `call_recording`, an interrupt finds
    either nothing done or a block whose end restores the mode. `at_once`: the mode is switched already when the object
    is made, and the first block of this thread restores the one from before that.

    A block that nobody can end any more ends with the object: some versions of Python leave a block without its
    `__exit__` where an interrupt arrives at the jump back of a loop that stands last in it.
    """

    cdef readonly bint enabled
    cdef bint outside, pending               # the mode before the object was made, and that no block has restored it
    cdef unsigned long maker

    def __cinit__(self, bint enabled, bint at_once=False):
        global zen_off
        self.enabled = enabled
        if at_once:
            self.maker, self.outside, self.pending = PyThread_get_thread_ident(), zen_off, True
            zen_off = not enabled

    def __enter__(self):
        global zen_off, zen_blocks
        cdef bint own = self.pending and self.maker == PyThread_get_thread_ident()
        cdef Block* block = <Block*>malloc(sizeof(Block))
        if block == NULL:
            raise MemoryError(f"{self!r}: no memory for a block")
        block.outer, block.mode = <Block*>zen_blocks, <PyObject*>self
        block.off, block.overtaken = self.outside if own else <bint>zen_off, False
        if own:
            self.pending = False
        zen_blocks = block
        zen_off = not self.enabled

    def __exit__(self, kind, error, traceback):
        if not self.end(True):
            raise_not_entered(self)

    def __dealloc__(self):
        while self.end(False):
            pass

    cdef bint end(self, bint in_any_turn) noexcept:
        # Ends the newest block of this object and thread. Generators may end theirs within another one.
        global zen_off, zen_blocks
        cdef Block* block = <Block*>zen_blocks
        cdef Block* inner = NULL
        while block != NULL and block.mode != <PyObject*>self:
            inner, block = block, block.outer
        if block == NULL:
            return False
        if inner == NULL:
            zen_blocks = block.outer
        else:
            inner.outer = block.outer
        if in_any_turn or (inner == NULL and not block.overtaken):
            zen_off = block.off
        if in_any_turn and inner != NULL:
            inner = <Block*>zen_blocks
            while inner != block.outer:
                inner.overtaken = True
                inner = inner.outer
        free(block)
        return True

    def withdraw(self):
        """Take back what making the object did, where it serves as a decorator instead."""
        global zen_off
        if self.pending and self.maker == PyThread_get_thread_ident():
            self.pending = False
            zen_off = self.outside


cdef int raise_not_entered(GradMode mode) except -1:
    raise RuntimeError(
        f"{mode!r}: its block ends in a thread in which it did not begin, so neither has its mode back; a generator "
        "that other threads continue takes the mode as a decorator"
    )


# What `np.errstate` sets, found by watching it at work. Setting it directly costs a tenth of an errstate block.
cdef object _warnings = None        # the context variable; None where NumPy has another way
cdef object _none = None            # its value under errstate(all="ignore")


def _watch_errstate():
    global _warnings, _none
    context = contextvars.Context()
    context.run(np.errstate(all="ignore").__enter__)
    if len(context) == 1:
        (_warnings, _none), = context.items()


_watch_errstate()


cdef object hush():
    # NumPy's floating-point warnings off in this thread; to be ended with what is returned, by `unhush`.
    if _warnings is not None:
        return PyContextVar_Set(_warnings, _none)
    state = np.errstate(all="ignore")
    state.__enter__()
    return state


cdef int unhush(object before) except -1:
    if _warnings is not None:
        return PyContextVar_Reset(_warnings, before)
    before.__exit__(None, None, None)
    return 0

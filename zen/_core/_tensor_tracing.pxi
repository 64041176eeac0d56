# What notes the operations of a thread, for zen/program/trace.py. Part of _tensor.pyx.

cdef int traces = 0          # calls of `call_tracing` that run, on any thread


cdef bint is_traced() noexcept:
    return zen_tracer != NULL


cpdef object tracer():
    """What notes the operations of this thread, or None."""
    return <object>zen_tracer if zen_tracer != NULL else None


def call_tracing(own, function, /, *args, **kwargs):
    """`function(*args, **kwargs)` while `own` notes the operations of this thread; None: nothing does.

    See zen/program/trace.py for what it is asked. As with `call_recording`, no interrupt comes in between.
    """
    global zen_tracer, traces
    cdef void* before = zen_tracer
    zen_tracer = NULL if own is None else <void*>own
    traces += 1
    try:
        return function(*args, **kwargs)
    finally:
        traces -= 1
        zen_tracer = before


cdef int traced_as(Tensor t, Tensor other) except -1:
    # t has the value of `other`, and nobody else applied a row.
    if zen_tracer != NULL:
        t.traced = tracer().place_of(other).number
    return 0

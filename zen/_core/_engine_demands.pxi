# Calls whose vjps need to know how their cotangents came about, so that a pass records itself. Part of _engine.pyx.

cdef set recording_calls = set()     # numbers of calls


def record_passes(long long call, bint needed):
    """Have passes that come to one call by several of its results record themselves, until it is no longer needed.

    call: its number, `seq` of its node. What such a pass gives is the same as without, and has no graph either. Its
    cotangents have one meanwhile, for a vjp to ask.
    """
    if needed:
        recording_calls.add(call)
    else:
        recording_calls.discard(call)


cdef bint must_record(list roots, list inputs) except -1:
    # Whether a pass comes to one of `recording_calls` by several of its results.
    cdef list pending = [taking_part(x) for x in roots]
    cdef set seen = set(pending)
    cdef dict ways = {}
    cdef long long oldest = 0 if inputs is None else min([taking_part(x).seq for x in inputs], default=0)
    cdef Node n, m
    cdef int k
    while pending:
        n = pending.pop()
        if n.row is None or n.seq < oldest:
            continue
        if n.row.is_output and n.n0 is not None and n.n0.seq in recording_calls:
            if ways.setdefault(n.n0.seq, n._params[0]) != n._params[0]:
                return True
        for k in range(n.count()):
            m = n.input(k)
            if m is not None and m not in seen:
                seen.add(m)
                pending.append(m)
    return False

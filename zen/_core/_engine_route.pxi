# The way of tangents from variables to outputs: which nodes, in which order, and where each finds those of its inputs.
# Part of _engine.pyx.

cdef struct Stop:
    long long seq
    PyObject* node                   # owned
    unsigned long long last          # bit k of 64: no later node reads the tangent of input k
    Py_ssize_t first                 # where the places of its inputs begin in those of the route


@cython.final
cdef class Route:
    """The operations between outputs and variables, in rising order, and the tangents that are in use.

    Each stop has a place for its tangent, and behind them each variable has one.
    """

    cdef Stop* stops
    cdef Py_ssize_t length, capacity, count
    cdef PyObject** tangents         # owned, by place; NULL where there is none
    cdef Py_ssize_t* places          # of the inputs of each stop, then of the outputs; -1 where there is none
    cdef Py_ssize_t outputs          # where the latter begin
    cdef object warnings             # what `unhush` gets, from when NumPy's warnings are off
    cdef bint is_hushed

    cdef int quieten(self) except -1:
        # For what may ask NumPy: the engine's own kernels never warn.
        if not self.is_hushed:
            self.warnings, self.is_hushed = hush(), True
        return 0

    def __dealloc__(self):
        cdef Py_ssize_t k
        for k in range(self.count):
            Py_XDECREF(self.tangents[k])
        for k in range(self.length):
            Py_DECREF(<object>self.stops[k].node)
        free(self.tangents)
        free(self.places)
        free(self.stops)

    cdef int add(self, Node n) except -1:
        cdef Stop* grown
        if self.length == self.capacity:
            grown = <Stop*>realloc(self.stops, (2 * self.capacity + 16) * sizeof(Stop))
            if grown == NULL:
                raise MemoryError("no memory for a pass in forward mode")
            self.stops, self.capacity = grown, 2 * self.capacity + 16
        self.stops[self.length].seq, self.stops[self.length].last = n.seq, 0
        self.stops[self.length].node = <PyObject*>n
        Py_INCREF(n)
        self.length += 1
        return 0


cdef int by_seq(const void* a, const void* b) noexcept nogil:
    return 1 if (<const Stop*>a).seq > (<const Stop*>b).seq else -1


cdef int plan_route(Route route, list ends, list variables) except -1:
    # ends: the nodes of the outputs. Marks as in `mark_needed`: no other thread runs in the loops, and passes that find
    # theirs gone mark anew.
    global _passes
    cdef Node n, m
    cdef long long oldest = -1, seen = _passes + 1
    cdef Py_ssize_t at = 0
    cdef int k
    _passes += 1
    for n in variables:
        oldest = n.seq if oldest < 0 else min(oldest, n.seq)
        n.mark = seen
    for n in ends:
        if n is not None and n.mark != seen and n.seq >= oldest and n.row is not None:
            n.mark = seen
            route.add(n)
    while at < route.length:
        n = <Node>route.stops[at].node
        at += 1
        if n.is_released:
            raise_released(n)
        for k in range(n.count()):
            m = n.input(k)
            if m is not None and m.mark != seen and m.seq >= oldest and m.row is not None:
                m.mark = seen
                route.add(m)
    qsort(route.stops, route.length, sizeof(Stop), by_seq)
    return give_places(route, ends, variables)


cdef int give_places(Route route, list ends, list variables) except -1:
    # As above, with a mark for each place.
    global _passes
    cdef Node n
    cdef long long base = _passes + 1
    cdef Py_ssize_t at, place, count = route.length + len(variables), used = 0
    cdef int k
    cdef bint* read
    for at in range(route.length):
        used += (<Node>route.stops[at].node).count()
    route.tangents = <PyObject**>calloc(count + 1, sizeof(PyObject*))
    route.places = <Py_ssize_t*>malloc((used + len(ends) + 1) * sizeof(Py_ssize_t))
    read = <bint*>calloc(count + 1, sizeof(bint))
    if route.tangents == NULL or route.places == NULL or read == NULL:
        free(read)
        raise MemoryError("no memory for a pass in forward mode")
    route.count, route.outputs = count, used
    _passes += count
    for at in range(route.length):
        (<Node>route.stops[at].node).mark = base + at
    for at in range(len(variables)):
        (<Node>variables[at]).mark = base + route.length + at
    used = 0
    for at in range(route.length):
        n = <Node>route.stops[at].node
        route.stops[at].first = used
        for k in range(n.count()):
            route.places[used] = place_of(n.input(k), base, count)
            used += 1
    for n in ends:
        route.places[used] = place_of(n, base, count)
        if route.places[used] >= 0:
            read[route.places[used]] = True      # the result itself reads it
        used += 1
    for at in range(route.length - 1, -1, -1):
        for k in range((<Node>route.stops[at].node).count()):
            place = route.places[route.stops[at].first + k]
            if place >= 0 and not read[place]:
                read[place] = True
                if k < 64:                       # else it is kept to the end
                    route.stops[at].last |= 1ULL << k
    free(read)
    return 0


cdef inline Py_ssize_t place_of(Node n, long long base, Py_ssize_t count) noexcept:
    return n.mark - base if n is not None and base <= n.mark < base + count else -1

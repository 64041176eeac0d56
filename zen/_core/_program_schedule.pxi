# Regions of memory, and what a program becomes: the schedule. Part of _program.pyx.

cdef enum Kind:
    CELL, CONSTANT_CELL, ARENA, GIVEN, LIVE, CONSTANT, OBJECT, OUTPUT

cdef struct Region:
    # Memory that is given, or taken and released, as one.
    int kind
    int slot                         # of the table of beginnings
    Py_ssize_t offset, nbytes        # where it begins behind that
    Py_ssize_t first, last           # the times at which it is first written and last used
    Py_ssize_t under                 # another region that lives as long, as this one is a view of it; or -1

KINDS = ("cell", "cell", "arena", "input", "live", "constant", "object", "output")


@cython.final
cdef class Growing:
    """A C array that grows: `add` returns a place of zeros, which the next `add` may move."""

    cdef char* data
    cdef Py_ssize_t used, room, item

    def __cinit__(self, Py_ssize_t item):
        self.item = item

    def __dealloc__(self):
        free(self.data)

    cdef void* add(self) except NULL:
        return self.add_many(1)

    cdef void* add_many(self, Py_ssize_t n) except NULL:
        cdef char* moved
        cdef Py_ssize_t room = max(self.room, 16)
        while room < self.used + n:
            room *= 2
        if room > self.room:
            moved = <char*>realloc(self.data, room * self.item)
            if moved == NULL:
                raise MemoryError("no memory for a program's schedule")
            self.data, self.room = moved, room
        moved = self.data + self.used * self.item
        memset(moved, 0, n * self.item)
        self.used += n
        return moved


@cython.final
@cython.no_gc
cdef class Home:
    """Where a value lies: a region, and an array without memory of its own that has the value's shape and strides.

    Its address counts from NOWHERE: the bytes from the region's beginning. It is only asked for its layout.
    """

    cdef ndarray ghost
    cdef Py_ssize_t region
    cdef int typenum
    cdef bint weak

    cdef Py_ssize_t offset(self) noexcept:
        return <char*>cnp.PyArray_DATA(self.ghost) - NOWHERE


@cython.final
cdef class Call:
    """A step that needs Python: a row, applied by the engine to arrays that stand for the operands."""

    cdef Row row
    cdef tuple operands              # Homes, or what stands for itself
    cdef tuple params                # in which values stand for arrays: their Homes, by number
    cdef dict homes
    cdef list results                # Homes
    cdef list numbers                # of the results' values
    cdef list dead                   # slots of objects that nothing reads any more


cdef struct Port:
    # An input, a live object or an output.
    int kind, slot, typenum, nd
    bint weak, whole                 # whole: C-contiguous, with kernels for its dtype
    Py_ssize_t* dims                 # the ghost's
    Py_ssize_t offset, nbytes        # behind the beginning of its slot
    int fresh                        # of an output that is computed in its own memory: the slot; else 0


@cython.final
cdef class Schedule:
    """What `Machine` executes. Nobody changes it once it is made, except for the list of idle frames."""

    cdef Script script
    cdef Growing steps, cells, origins, extra
    cdef list calls
    cdef list given, live, outputs   # Homes
    cdef Growing ports               # theirs, in this order
    cdef list things                 # the live objects
    cdef list constants              # arrays
    cdef Growing regions
    cdef list kept                   # what the steps have addresses in
    cdef dict texts                  # step of the program -> how it is executed
    cdef dict homes                  # of values, by number
    cdef bytes start                 # the constant cells
    cdef Py_ssize_t slots, arena_bytes
    cdef list fresh                  # for each output the slot in which it is computed, 0 for none
    cdef Frame spare                 # a frame that no call uses
    cdef bint heavy                  # whether what comes before the first call is worth releasing the GIL
    cdef list idle                   # frames that no call uses: guarded by the GIL


@cython.final
cdef class Frame:
    """The memory of one call: the arena, and the beginnings of all regions."""

    cdef ndarray memory
    cdef char** base
    cdef list held                   # for each slot the object whose memory it is, if it has to be kept
    cdef bint dirty                  # whether a call put something there

    def __cinit__(self, Schedule s):
        cdef Py_ssize_t size = s.arena_bytes // 8 + 9, k
        cdef size_t address
        self.memory = new_array(1, &size, cnp.NPY_DOUBLE)
        self.base = <char**>malloc(s.slots * sizeof(char*))
        if self.base == NULL:
            raise MemoryError("no memory for a call of a program")
        address = <size_t>cnp.PyArray_DATA(self.memory)
        memset(self.base, 0, s.slots * sizeof(char*))
        self.base[0] = <char*>((address + 63) & ~<size_t>63)
        memcpy(self.base[0], <char*>s.start, len(s.start))
        self.held = [None] * s.slots
        for k in range(len(s.constants)):
            slot = 1 + len(s.given) + len(s.live) + k
            self.held[slot] = s.constants[k]
            self.base[slot] = <char*>cnp.PyArray_DATA(<ndarray>s.constants[k])

    def __dealloc__(self):
        free(self.base)


cdef ndarray ghost_of(int nd, const Py_ssize_t* dims, const Py_ssize_t* strides, int typenum, Py_ssize_t offset):
    # strides: NULL for those of a C-contiguous array.
    return cnp.PyArray_New(
        ndarray, nd, <cnp.npy_intp*>dims, typenum, <cnp.npy_intp*>strides, NOWHERE + offset, 0,
        cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_WRITEABLE, <object>NULL)


# --- the arena: places for what lives at one time

cdef struct Hole:
    Py_ssize_t offset, nbytes


cdef Py_ssize_t padded_bytes(Py_ssize_t nbytes) noexcept nogil:
    # No two arrays touch: NumPy's loops take a slower way, which rounds otherwise, where a result touches an operand.
    return (nbytes + 8 + ALIGNED - 1) // ALIGNED * ALIGNED


cdef Py_ssize_t take_hole(Hole* holes, Py_ssize_t* count, Py_ssize_t nbytes, Py_ssize_t* end) noexcept:
    # The smallest hole that is large enough, else the arena grows, from its last hole on if that ends it.
    cdef Py_ssize_t k, best = -1, offset
    for k in range(count[0]):
        if holes[k].nbytes >= nbytes and (best < 0 or holes[k].nbytes < holes[best].nbytes):
            best = k
    if best < 0:
        offset, k = end[0], count[0] - 1
        if k >= 0 and holes[k].offset + holes[k].nbytes == end[0]:
            offset = holes[k].offset
            count[0] -= 1
        end[0] = offset + nbytes
        return offset
    offset = holes[best].offset
    holes[best].offset += nbytes
    holes[best].nbytes -= nbytes
    if holes[best].nbytes == 0:
        count[0] -= 1
        memmove(holes + best, holes + best + 1, (count[0] - best) * sizeof(Hole))
    return offset


cdef void leave_hole(Hole* holes, Py_ssize_t* count, Py_ssize_t offset, Py_ssize_t nbytes) noexcept:
    # In the order of offsets, joined with its neighbours.
    cdef Py_ssize_t k = 0
    while k < count[0] and holes[k].offset < offset:
        k += 1
    if k > 0 and holes[k - 1].offset + holes[k - 1].nbytes == offset:
        holes[k - 1].nbytes += nbytes
        k -= 1
    else:
        memmove(holes + k + 1, holes + k, (count[0] - k) * sizeof(Hole))
        holes[k].offset, holes[k].nbytes = offset, nbytes
        count[0] += 1
    if k + 1 < count[0] and holes[k].offset + holes[k].nbytes == holes[k + 1].offset:
        holes[k].nbytes += holes[k + 1].nbytes
        count[0] -= 1
        memmove(holes + k + 1, holes + k + 2, (count[0] - k - 1) * sizeof(Hole))


cdef Py_ssize_t place_regions(Region* r, Py_ssize_t n, Py_ssize_t times, Py_ssize_t constants) except -1:
    """Gives every cell and array of the arena its offset, by lifetime, and returns the arena's bytes."""
    cdef Py_ssize_t* born = <Py_ssize_t*>malloc(2 * (times + 1) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* next_one = <Py_ssize_t*>malloc(2 * (n + 1) * sizeof(Py_ssize_t))
    cdef Hole* holes = <Hole*>malloc((n + 2) * sizeof(Hole))
    cdef Py_ssize_t end = 0
    try:
        if born == NULL or next_one == NULL or holes == NULL:
            raise MemoryError("no memory for planning a program")
        end = place_cells(r, n, times, constants, born, next_one)
        return place_arrays(r, n, times, (end + ALIGNED - 1) // ALIGNED * ALIGNED, born, next_one, holes)
    finally:
        free(born)
        free(next_one)
        free(holes)


cdef void list_lives(
    Region* r, Py_ssize_t n, Py_ssize_t times, int kind, Py_ssize_t* born, Py_ssize_t* next_one
) noexcept:
    # Linked lists of the regions of a kind that begin, and that end, at each time.
    cdef Py_ssize_t k
    cdef Py_ssize_t* gone = born + times + 1
    for k in range(2 * (times + 1)):
        born[k] = -1
    for k in range(n - 1, -1, -1):
        if r[k].kind == kind and r[k].nbytes > 0:
            next_one[k], born[r[k].first] = born[r[k].first], k
            next_one[n + k], gone[r[k].last] = gone[r[k].last], k


cdef Py_ssize_t place_cells(
    Region* r, Py_ssize_t n, Py_ssize_t times, Py_ssize_t constants, Py_ssize_t* born, Py_ssize_t* next_one
) noexcept:
    # The cell that was released last is taken first. Returns the end of the cells.
    cdef Py_ssize_t t, k, end = constants, released = -1, taken
    cdef Py_ssize_t* gone = born + times + 1
    list_lives(r, n, times, CELL, born, next_one)
    for t in range(times + 1):
        k = born[t]
        while k >= 0:
            if released >= 0:
                taken, released = released, next_one[released]
                r[k].offset = r[taken].offset
            else:
                r[k].offset = end
                end += 8
            taken, k = k, next_one[k]
        k = gone[t]
        while k >= 0:
            next_one[k], released = released, k
            k = next_one[n + k]
    return end


cdef Py_ssize_t place_arrays(
    Region* r, Py_ssize_t n, Py_ssize_t times, Py_ssize_t begin, Py_ssize_t* born, Py_ssize_t* next_one, Hole* holes
) noexcept:
    cdef Py_ssize_t t, k, end = begin, count = 0
    cdef Py_ssize_t* gone = born + times + 1
    list_lives(r, n, times, ARENA, born, next_one)
    for t in range(times + 1):
        k = born[t]
        while k >= 0:
            r[k].offset = take_hole(holes, &count, padded_bytes(r[k].nbytes), &end)
            k = next_one[k]
        k = gone[t]
        while k >= 0:
            leave_hole(holes, &count, r[k].offset, padded_bytes(r[k].nbytes))
            k = next_one[n + k]
    return end

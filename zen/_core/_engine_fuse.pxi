# A run of elementwise nodes of one large shape, block by block. Part of _engine.pyx.
#
# Node by node, each gradient of a million elements is written to memory and read again by the next node. Here the nodes
# that come up one after the other are collected first; then each block of elements is taken through all of them while
# the gradients in between stay in the cache. Only gradients that leave the group are written to memory.

cdef enum:
    FUSE_FROM = 1 << 16      # elements: below this, gradients stay in the level 2 cache anyway
    FUSE_BLOCK = 2048        # elements of each gradient in flight
    FUSE_NODES = 12
    FUSE_STEPS = 3 * FUSE_NODES + FUSE_NODES

cdef struct Step:
    # One kernel call of the group: formula `k` of a node, or the copy of what a node's slot held before.
    kernel_t kernel
    char* at[SLOTS]
    Py_ssize_t s[SLOTS]
    bint moves[SLOTS]        # the operand advances with the blocks (arrays do, buffers and scalars do not)
    int mode

cdef struct Member:
    # A node of the group with its gradient: an array (first node), or a buffer.
    PyObject* node           # owned
    PyObject* array          # what the slot held when the node came up; owned, may be NULL
    bint started             # the buffer has been written by an earlier step
    Layout layout
    Saved values


cdef bint fusable(Pass p, Node n) noexcept:
    # Whether a group may take this node: nothing is to happen between it and its neighbours.
    cdef int k
    cdef Node m
    if not n.compiled or n.row.pull != NULL or n.is_released or n.hooks is not None or n.retains:
        return False
    if is_suspect(n) or elements(n) < FUSE_FROM or (p.wanted is not None and n in p.wanted):
        return False
    for k in range(n.row.nin):
        m = n.input(k)
        if m is not None and (m.typenum != n.typenum or not same_node_shape(m, n)):
            return False
    return True


cdef bint enter(Member* member, Node n, PyObject* array) noexcept:
    # Fills the member; False where an operand is strided and needs the general path.
    cdef Layout* layout = &member.layout
    cdef int slot
    member.node, member.array, member.started = <PyObject*>n, array, False
    lay_saved(layout, &member.values, n)
    if array != NULL:
        lay(layout, COTANGENT, <object>array, n)
        if not layout.simple[COTANGENT]:
            return False
    for slot in range(ARGUMENT, SLOTS):
        if saved_reads(n) >> slot & 1 and not layout.simple[slot]:
            return False
    return True


cdef int saved_reads(Node n) noexcept:
    cdef int k, reads = 0
    for k in range(n.row.nin):
        if n.input(k) is not None:
            reads |= n.row.reads[k]
    return reads


cdef int backward_group(Pass p, Node first) except -1:
    # Takes `first` and the nodes that follow it, as far as they can be fused. Returns 0 if there is nothing to fuse.
    cdef Member members[FUSE_NODES]
    cdef int count = 1, k, j
    cdef bint done = False
    cdef Node n, m
    if not fusable(p, first) or not enter(&members[0], first, p.array):
        return 0
    try:
        p.array = NULL
        n = first
        Py_INCREF(first)
        while count < FUSE_NODES:
            for k in range(n.row.nin):
                m = n.input(k)
                if p.needs(m):
                    p.slot(m)
            n = next_member(p, &members[count])
            if n is None:
                break
            count += 1
        if count == 1:
            p.array, members[0].array = members[0].array, NULL
            return 0
        run_group(p, members, count)
        done = True
        return 1
    finally:
        for j in range(count):
            if j > 0:                    # the pass itself leaves the first
                (<Node>members[j].node).leave(done and not p.retain)
            Py_XDECREF(members[j].array)
            Py_DECREF(<object>members[j].node)


cdef Node next_member(Pass p, Member* member):
    # Pops the node whose turn it is if the group can take it; None otherwise.
    cdef Node n
    if p.waiting == 0:
        return None
    n = <Node>p.heap[0].node
    if n.claim != p.id or n.row is None or not fusable(p, n):
        return None
    if not enter(member, n, n.slot.array):
        return None
    p.pop()                          # its reference is the member's now, like that of the array
    n.users += 1
    n.slot.array = NULL
    n.claim = 0
    return n


cdef int run_group(Pass p, Member* members, int count) except -1:
    cdef Step steps[FUSE_STEPS]
    cdef Node n, m
    cdef int j, k, target, planned = 0
    cdef Py_ssize_t item = item_of((<Node>members[0].node).typenum)
    cdef Py_ssize_t size = elements(<Node>members[0].node)
    cdef char* buffers = <char*>malloc(count * FUSE_BLOCK * item)
    cdef bint fresh
    if buffers == NULL:
        raise MemoryError("no memory for the backward pass")
    try:
        for j in range(1, count):
            if members[j].array != NULL:     # contributions that arrived before the group began
                plan_copy(&steps[planned], &members[j], buffers + j * FUSE_BLOCK * item, item)
                members[j].started = True
                planned += 1
        for j in range(count):
            n = <Node>members[j].node
            if j > 0:
                members[j].layout.at[COTANGENT] = buffers + j * FUSE_BLOCK * item
                members[j].layout.s[COTANGENT] = item
            for k in range(n.row.nin):
                m = n.input(k)
                if not p.needs(m):
                    continue
                plan_formula(&steps[planned], &members[j], k, j > 0)
                target = find_member(members, count, m)
                if target > 0:
                    steps[planned].at[OUT] = buffers + target * FUSE_BLOCK * item
                    steps[planned].moves[OUT] = False
                    fresh = not members[target].started
                    members[target].started = True
                else:
                    steps[planned].at[OUT] = <char*>cnp.PyArray_DATA(<ndarray>p.open(m, &fresh))
                    steps[planned].moves[OUT] = True
                steps[planned].s[OUT] = item
                steps[planned].mode = SET if fresh else ADD
                planned += 1
        with nogil:
            run_steps(steps, planned, size)
    finally:
        free(buffers)
    return 0


cdef int find_member(Member* members, int count, Node m) noexcept:
    cdef int j
    for j in range(1, count):
        if members[j].node == <PyObject*>m:
            return j
    return -1


cdef void plan_copy(Step* step, Member* member, char* buffer, Py_ssize_t item) noexcept:
    cdef int slot
    for slot in range(SLOTS):
        step.at[slot], step.s[slot], step.moves[slot] = NULL, 0, False
    step.kernel = identity_kernel((<Node>member.node).typenum)
    step.at[ARGUMENT] = member.layout.at[COTANGENT]
    step.s[ARGUMENT] = member.layout.s[COTANGENT]
    step.moves[ARGUMENT] = step.s[ARGUMENT] != 0
    step.at[OUT], step.s[OUT], step.mode = buffer, item, SET


cdef void plan_formula(Step* step, Member* member, int k, bint buffered) noexcept:
    cdef Layout* layout = &member.layout
    cdef Node n = <Node>member.node
    cdef int slot
    for slot in range(SLOTS):
        step.at[slot], step.s[slot] = layout.at[slot], layout.s[slot]
        step.moves[slot] = layout.s[slot] != 0
    step.moves[COTANGENT] = step.moves[COTANGENT] and not buffered
    step.kernel = n.row.vjp_kernels[k][width_of(n.typenum)]
    if n.row.identity[k]:
        step.kernel = identity_kernel(n.typenum)
        step.at[ARGUMENT], step.s[ARGUMENT] = step.at[COTANGENT], step.s[COTANGENT]
        step.moves[ARGUMENT] = step.moves[COTANGENT]


cdef void run_steps(Step* steps, int count, Py_ssize_t size) noexcept nogil:
    cdef char* at[SLOTS]
    cdef Py_ssize_t start = 0, length
    cdef int j, slot
    while start < size:
        length = min(size - start, FUSE_BLOCK)
        for j in range(count):
            for slot in range(SLOTS):
                at[slot] = steps[j].at[slot] + (start * steps[j].s[slot] if steps[j].moves[slot] else 0)
            steps[j].kernel(at, steps[j].s, length, steps[j].mode)
        start += length

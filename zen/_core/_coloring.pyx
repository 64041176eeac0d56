"""Colours for the columns of sparse matrices, and for graphs. Called by zen/transforms as `backend.kernels.coloring`.

Patterns are compressed rows: `members[starts[i]:starts[i + 1]]` are the numbers of the columns in row i, all of intp.
Both kernels give each vertex in turn the smallest colour that is allowed (greedily), and -1 to one without entries.
"""

cimport cython

import numpy as np

ctypedef const Py_ssize_t[::1] Ints


def columns(Ints row_starts not None, Ints row_members not None, Ints column_starts not None,
            Ints column_members not None, Ints order not None):
    """A colour for each column, so that columns of one colour share no row: a partial distance-2 colouring.

    The pattern by rows and by columns. order: every column once. See Gebremedhin, Manne & Pothen, "What color is your
    Jacobian?", SIAM Review 47 (2005), algorithm 3.2.
    """
    cdef Py_ssize_t n = column_starts.shape[0] - 1, m = row_starts.shape[0] - 1
    check(row_starts, row_members, n)
    check(column_starts, column_members, m)
    check_order(order, n)
    made = np.full(n, -1, np.intp)
    cdef Py_ssize_t[::1] colors = made
    # forbidden[c] is the last column that may not have the colour c.
    cdef Py_ssize_t[::1] forbidden = np.full(n + 1, -1, np.intp)
    with nogil:
        color_columns(row_starts, row_members, column_starts, column_members, order, forbidden, colors)
    return made


cdef void color_columns(Ints row_starts, Ints row_members, Ints column_starts, Ints column_members, Ints order,
                        Py_ssize_t[::1] forbidden, Py_ssize_t[::1] colors) noexcept nogil:
    cdef Py_ssize_t place, j, e, i, k, c
    for place in range(order.shape[0]):
        j = order[place]
        if column_starts[j] == column_starts[j + 1]:
            continue
        for e in range(column_starts[j], column_starts[j + 1]):
            i = column_members[e]
            for k in range(row_starts[i], row_starts[i + 1]):
                c = colors[row_members[k]]
                if c >= 0:
                    forbidden[c] = j
        c = 0
        while forbidden[c] == j:
            c += 1
        colors[j] = c


def star(Ints starts not None, Ints members not None, Ints order not None):
    """A colour for each vertex of a graph, so that neighbours differ and no path of four vertices has two colours only.

    The graph as a symmetric pattern; entries on the diagonal give a vertex a colour, and count no further. order:
    every vertex once. Stars of two colours are kept by their centres, as in Gebremedhin, Tarafdar, Manne & Pothen, "New
    acyclic and star coloring algorithms with application to computing Hessians", SIAM J. Sci. Comput. 29 (2007).
    """
    cdef Py_ssize_t n = starts.shape[0] - 1
    check(starts, members, n)
    check_order(order, n)
    made = np.full(n, -1, np.intp)
    cdef Stars s = Stars(starts, members, made)
    with nogil:
        color_stars(s, order)
    return made


@cython.final
cdef class Stars:
    # forbidden[c], twice[c]: the last vertex that may not have the colour c, that has it twice among its neighbours.
    cdef Ints starts, members
    cdef Py_ssize_t[::1] colors, forbidden, twice
    # For each vertex: the colours among its neighbours, the first neighbour of each, -1 where there is another one.
    cdef Py_ssize_t[::1] seen, first, seen_count
    # For each vertex: the neighbours that are the centre of a star of two or more edges, of which it is an end.
    cdef Py_ssize_t[::1] centres, centre_count

    def __init__(self, Ints starts, Ints members, made):
        n, size = starts.shape[0] - 1, members.shape[0]
        self.starts, self.members, self.colors = starts, members, made
        self.forbidden, self.twice = np.full(n + 1, -1, np.intp), np.full(n + 1, -1, np.intp)
        self.seen, self.first, self.seen_count = np.empty(size, np.intp), np.empty(size, np.intp), np.zeros(n, np.intp)
        self.centres, self.centre_count = np.empty(size, np.intp), np.zeros(n, np.intp)


cdef void color_stars(Stars s, Ints order) noexcept nogil:
    cdef Py_ssize_t place, v, c
    for place in range(order.shape[0]):
        v = order[place]
        if s.starts[v] == s.starts[v + 1]:
            continue
        forbid(s, v)
        c = 0
        while s.forbidden[c] == v:
            c += 1
        s.colors[v] = c
        tell_neighbours(s, v, c)


cdef void forbid(Stars s, Py_ssize_t v) noexcept nogil:
    # Mark the colours that v may not have.
    cdef Py_ssize_t e, k, w, x
    for e in range(s.starts[v], s.starts[v] + s.seen_count[v]):
        if s.first[e] < 0:
            s.twice[s.seen[e]] = v
    for e in range(s.starts[v], s.starts[v + 1]):
        w = s.members[e]
        if w == v or s.colors[w] < 0:
            continue
        s.forbidden[s.colors[w]] = v
        if s.twice[s.colors[w]] == v:      # w - v - another of its colour: beyond w no vertex may have that of v
            for k in range(s.starts[w], s.starts[w + 1]):
                x = s.members[k]
                if x != v and x != w and s.colors[x] >= 0:
                    s.forbidden[s.colors[x]] = v
        else:                              # v - w - centre - another of the colour of w
            for k in range(s.starts[w], s.starts[w] + s.centre_count[w]):
                x = s.centres[k]
                if s.colors[x] >= 0:
                    s.forbidden[s.colors[x]] = v


cdef void tell_neighbours(Stars s, Py_ssize_t v, Py_ssize_t c) noexcept nogil:
    # Enter the colour of v with its neighbours; one that has it twice now is the centre of a star.
    cdef Py_ssize_t e, k, x, last
    for e in range(s.starts[v], s.starts[v + 1]):
        x = s.members[e]
        if x == v:
            continue
        last = s.starts[x] + s.seen_count[x]
        k = s.starts[x]
        while k < last and s.seen[k] != c:
            k += 1
        if k == last:
            s.seen[k], s.first[k] = c, v
            s.seen_count[x] += 1
            continue
        if s.first[k] >= 0:
            add_centre(s, s.first[k], x)
            s.first[k] = -1
        add_centre(s, v, x)


cdef void add_centre(Stars s, Py_ssize_t end, Py_ssize_t centre) noexcept nogil:
    s.centres[s.starts[end] + s.centre_count[end]] = centre
    s.centre_count[end] += 1


cdef int check(Ints starts, Ints members, Py_ssize_t count) except -1:
    # The kernels index with nothing else.
    cdef Py_ssize_t i
    if starts.shape[0] < 1 or starts[0] != 0 or starts[starts.shape[0] - 1] != members.shape[0]:
        raise ValueError("coloring: the starts do not fit the members")
    for i in range(starts.shape[0] - 1):
        if starts[i] > starts[i + 1]:
            raise ValueError("coloring: the starts must not fall")
    for i in range(members.shape[0]):
        if not 0 <= members[i] < count:
            raise ValueError(f"coloring: {members[i]} is out of range for {count}")
    return 0


cdef int check_order(Ints order, Py_ssize_t n) except -1:
    cdef Py_ssize_t i
    if order.shape[0] != n:
        raise ValueError(f"coloring: an order of {order.shape[0]} for {n}")
    for i in range(n):
        if not 0 <= order[i] < n:
            raise ValueError(f"coloring: {order[i]} is out of range for {n}")
    return 0

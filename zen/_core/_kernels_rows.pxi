# Rows of a matrix read and added by number. Called by _lines.pyx, which checked the numbers of those that are added.


cdef bint take_rows(const real[:, ::1] table, const long long[::1] at, real[:, ::1] out) noexcept nogil:
    # False where a number is out of range.
    cdef Py_ssize_t k, j
    for k in range(out.shape[0]):
        if not 0 <= at[k] < table.shape[0]:
            return False
        for j in range(out.shape[1]):
            out[k, j] = table[at[k], j]
    return True


cdef void add_rows(real[:, ::1] out, const long long[::1] at, const real[:, ::1] g, long long skipped) noexcept nogil:
    cdef Py_ssize_t k, j
    for k in range(g.shape[0]):
        if at[k] != skipped:
            for j in range(g.shape[1]):
                out[at[k], j] += g[k, j]


cdef int find_long(
    const long long[::1] at, int[::1] slots, long long[::1] long_rows, int limit,
) noexcept nogil:
    # How many rows are named `limit` times or more; they get slots. The others' slots count how often they are named.
    cdef Py_ssize_t k
    cdef int longs = 0
    for k in range(at.shape[0]):
        if slots[at[k]] >= 0:
            slots[at[k]] += 1
            if slots[at[k]] == limit:
                long_rows[longs] = at[k]
                longs += 1
                slots[at[k]] = -longs
    return longs


cdef void add_long_rows(
    float[:, ::1] out, const long long[::1] at, const float[:, ::1] g, long long skipped, const int[::1] slots,
    const long long[::1] long_rows, double[:, ::1] sums,
) noexcept nogil:
    # As add_rows, where the rows that have a slot, a negative number from -1 down, are added up in double.
    cdef Py_ssize_t k, j, slot
    for k in range(g.shape[0]):
        if at[k] != skipped:
            if slots[at[k]] < 0:
                slot = -1 - slots[at[k]]
                for j in range(g.shape[1]):
                    sums[slot, j] += g[k, j]
            else:
                for j in range(g.shape[1]):
                    out[at[k], j] += g[k, j]
    for k in range(sums.shape[0]):
        for j in range(g.shape[1]):
            out[long_rows[k], j] = <float>(out[long_rows[k], j] + sums[k, j])


cdef void fill_rows(Kernels* k) noexcept:
    k.take_rows[0], k.take_rows[1] = <take_rows_t> <void*> take_rows[float], <take_rows_t> <void*> take_rows[double]
    k.add_rows[0], k.add_rows[1] = <add_rows_t> <void*> add_rows[float], <add_rows_t> <void*> add_rows[double]
    k.find_long = <find_long_t> <void*> find_long
    k.add_long_rows = <add_long_rows_t> <void*> add_long_rows

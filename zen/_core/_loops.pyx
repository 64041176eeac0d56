"""Finds the inner loops of NumPy's ufuncs, so that kernels can call them without the ufunc machinery.

A ufunc's `functions` table is public C API (`PyUFuncObject`). A call through it costs a few nanoseconds and runs
NumPy's own SIMD code; a call of the ufunc from Python costs about 500 ns.
"""

cimport numpy as cnp
import numpy as np

cnp.import_array()
cnp.import_ufunc()


def find(str name, str letter):
    """Addresses (function, data) of the loop of ufunc `name` whose types are all `letter` ("f" or "d")."""
    cdef cnp.ufunc u = getattr(np, name)
    cdef int k, j, wanted = ord(letter)
    for k in range(u.ntypes):
        for j in range(u.nargs):
            if u.types[k * u.nargs + j] != <char>cnp_letter(wanted):
                break
        else:
            return <size_t>u.functions[k], <size_t>u.data[k]
    raise ImportError(f"numpy.{name} has no inner loop for dtype {letter!r}; zen supports NumPy 2.0 and later")


cdef int cnp_letter(int letter) noexcept:
    # The types table holds type numbers, not letters.
    return <int>cnp.NPY_FLOAT if letter == b"f"[0] else <int>cnp.NPY_DOUBLE

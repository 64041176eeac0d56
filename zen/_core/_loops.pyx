"""Finds the inner loops of NumPy's ufuncs, so that kernels can call them without the ufunc machinery.

A ufunc's `functions` table is public C API (`PyUFuncObject`). A call through it costs a few nanoseconds and runs
NumPy's own SIMD code; a call of the ufunc from Python costs about 500 ns.
"""

import numpy as np


# Declared here, not taken from NumPy's pxd: a field that a newer pxd no longer declares would silently become an
# attribute lookup in Python. A field that the header does not have stops the C compiler.
cdef extern from "numpy/arrayobject.h":
    pass
cdef extern from "numpy/ufuncobject.h":
    ctypedef void* PyUFuncGenericFunction
    ctypedef struct PyUFuncObject:
        int ntypes
        PyUFuncGenericFunction* functions
        void** data


def find(str name, str letter, str given=None):
    """Addresses (function, data) of the loop of ufunc `name` that takes `letter` ("f", "d", "F" or "D").

    given: the letter of its result, if that is another.
    """
    ufunc = getattr(np, name)
    if isinstance(ufunc, np.ufunc):
        types = f"{letter * ufunc.nin}->{(given or letter) * ufunc.nout}"
        if types in ufunc.types:
            # `types` lists the loops in the order of the C tables.
            found = loop(<PyUFuncObject*>ufunc, ufunc.types.index(types))
            if found is not None:
                return found
    raise ImportError(
        f"numpy.{name} of NumPy {np.__version__} has no inner loop for dtype {letter!r}; "
        "zen is tested with NumPy 2.0 to 2.5"
    )


cdef tuple loop(PyUFuncObject* ufunc, Py_ssize_t k):
    if k >= ufunc.ntypes or ufunc.functions == NULL or ufunc.functions[k] == NULL:
        return None
    return <size_t>ufunc.functions[k], <size_t>ufunc.data[k]

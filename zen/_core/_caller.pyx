"""The call of a compiled function as long as nothing has changed: arguments compared, the program run, results given.

Called by users of `zen.compile`, whose class (zen/program/compiled.py) is made of `Caller`. What a call needs beyond
the last program and its signature is for `_called` there.
"""

cimport cython
from cpython.float cimport PyFloat_CheckExact
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._watch cimport Watch
from zen._core._tensor cimport Tensor, new_tensor, node_of, recording, tracing

cnp.import_array()

cdef enum Kind:
    # What an argument or a result is.
    FLOAT, ARRAY, TENSOR


@cython.final
cdef class Signature:
    """Of a program: what the arguments are, and what becomes of its outputs.

    arguments: for each positional argument float, or (is a Tensor, dtype's number, shape). run: Machine.run. watch,
    rest: what the function depends on beside them, and a function that says whether the rest is what it was. results:
    for each output whether it is a Tensor. form: the structure of the result, of tuples, lists and dicts. recorded:
    whether operations are recorded around the call.
    """

    cdef list kinds, typenums, shapes
    cdef object run, rest
    cdef Watch watch
    cdef list results
    cdef object form
    cdef bint recorded

    def __init__(self, list arguments, run, Watch watch not None, rest, list results, form, bint recorded):
        self.kinds = [FLOAT if a is float else TENSOR if a[0] else ARRAY for a in arguments]
        self.typenums = [0 if a is float else a[1] for a in arguments]
        self.shapes = [() if a is float else a[2] for a in arguments]
        self.run, self.watch, self.rest, self.results = run, watch, rest, results
        self.form, self.recorded = form, recorded

    cdef tuple taken(self, tuple args):
        # What the program gets of these arguments; None where they are others.
        cdef Py_ssize_t k, n = PyTuple_GET_SIZE(args)
        cdef tuple found = args
        cdef list made = None
        cdef object x
        if n != len(self.kinds) or recording() != self.recorded:
            return None
        for k in range(n):
            x = <object>PyTuple_GET_ITEM(args, k)
            if <int>self.kinds[k] == FLOAT:
                if not PyFloat_CheckExact(x):
                    return None
                continue
            if <int>self.kinds[k] == TENSOR:
                if type(x) is not Tensor or node_of(<Tensor>x) is not None:
                    return None
                x = (<Tensor>x).values()
                made = list(args) if made is None else made
                made[k] = x
            if type(x) is not ndarray or not self.fits(<ndarray>x, k):
                return None
        return found if made is None else tuple(made)

    cdef bint fits(self, ndarray a, Py_ssize_t k):
        cdef tuple shape = <tuple>self.shapes[k]
        cdef int j, nd = cnp.PyArray_NDIM(a)
        if cnp.PyArray_TYPE(a) != <int>self.typenums[k] or nd != PyTuple_GET_SIZE(shape):
            return False
        if not cnp.PyArray_ISNOTSWAPPED(a):
            return False
        for j in range(nd):
            if cnp.PyArray_DIMS(a)[j] != <Py_ssize_t>shape[j]:
                return False
        return True

    cdef object given(self, list values):
        cdef Py_ssize_t k
        for k in range(len(values)):
            if self.results[k]:
                values[k] = new_tensor(values[k], None)
        k = 0
        return built(self.form, values, &k)


cdef object built(object form, list values, Py_ssize_t* k):
    # The values from number k on, in this structure.
    if type(form) is tuple:
        return tuple([built(part, values, k) for part in <tuple>form])
    if type(form) is list:
        return [built(part, values, k) for part in <list>form]
    if type(form) is dict:
        return {key: built(part, values, k) for key, part in (<dict>form).items()}
    k[0] += 1
    return values[k[0] - 1]


@cython.auto_pickle(False)
cdef class Caller:
    """A function that is replayed. A subclass has `_called(args, kwargs)`, for every call that is not like the last."""

    cdef Signature last

    def __call__(self, *args, **kwargs):
        cdef Signature last = self.last
        cdef tuple given
        if last is not None and not kwargs and not tracing():
            given = last.taken(args)
            if given is not None and last.watch.holds() and (last.rest is None or last.rest()):
                try:
                    values = last.run(given)
                except Exception:    # the function says what to make of it
                    values = None
                if type(values) is list:
                    return last.given(<list>values)
        return self._called(args, kwargs)

    def remember(self, Signature signature):
        """Have the next call compared with this one first; None for no comparison."""
        self.last = signature

"""What a transform asks of the engine: trees of arguments, the leaves that stand for them, their gradients.

Called by zen/trees.py and zen/transforms.
"""


from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_complex_kernels, has_kernels, is_complex, is_differentiable
from zen._core._guard cimport lend
from zen._core._engine cimport leaf_gradients
from zen._core._memory cimport contiguous, number, same_shape
from zen._core._tensor cimport (
    Node, Tensor, leaf_node, new_scalar, new_tensor, next_seq, node_of, recording, switch, traced_as, tracing,
)
from zen._core._engine import push, run

cnp.import_array()

cdef extern from *:
    """
    #define ZEN_REFCNT(p) Py_REFCNT((PyObject*)(p))
    """
    Py_ssize_t ZEN_REFCNT(PyObject*) noexcept

cdef extern from "Python.h":
    int Py_EnterRecursiveCall(const char*) except *
    void Py_LeaveRecursiveCall()


cdef object rebuilt(object tree, object made, object values):
    # The tree with its leaves replaced: by the next of the iterator `values`, or the last of a list, or where that is
    # None by the variables of a Leaves, or by what a function makes of them.
    if isinstance(tree, (dict, list, tuple)):
        Py_EnterRecursiveCall(" while rebuilding nested containers")
        try:
            return container(tree, made, values)
        finally:
            Py_LeaveRecursiveCall()
    if tree is None:
        return None
    if values is not None:
        return (<list>values).pop() if type(values) is list else next(values)
    return (<Leaves>made).variable_for(tree) if isinstance(made, Leaves) else made(tree)


cdef object container(object tree, object made, object values):
    cdef dict named
    cdef list parts
    if type(tree) is dict:
        named = {}
        for key, part in (<dict>tree).items():
            named[key] = rebuilt(part, made, values)
        return named
    if isinstance(tree, dict):
        from copy import copy        # which `import zen` need not load
        copied = copy(tree)          # keeps what a subclass of dict carries, such as a default factory
        for key, part in tree.items():
            copied[key] = rebuilt(part, made, values)
        return copied
    parts = [rebuilt(part, made, values) for part in tree]
    if hasattr(tree, "_fields"):
        return type(tree)(*parts)
    return tuple(parts) if isinstance(tree, tuple) else parts


def rebuild(tree, values):
    """The tree with its leaves replaced, in order, by `values`."""
    return rebuilt(tree, None, iter(values))


def transform(function, tree):
    """The tree with every leaf replaced by `function` of it."""
    return rebuilt(tree, function, None)


cdef bint collect(object first, object second, list found) except -1:
    # Appends the leaves of `second` in the order of `first`; False where the structures differ.
    if not isinstance(first, (dict, list, tuple)):
        if isinstance(second, (dict, list, tuple)) or (first is None) != (second is None):
            return False
        if second is not None:
            found.append(second)
        return True
    if not isinstance(second, (dict, list, tuple)) or isinstance(first, dict) != isinstance(second, dict):
        return False
    if len(first) != len(second):
        return False
    Py_EnterRecursiveCall(" while comparing nested containers")
    try:
        if isinstance(first, dict):
            for key, part in first.items():
                if key not in second or not collect(part, second[key], found):
                    return False
        else:
            for part, other in zip(first, second):
                if not collect(part, other, found):
                    return False
    finally:
        Py_LeaveRecursiveCall()
    return True


def matched(first, second):
    """The leaves of `second` in the order of those of `first`; None where the trees differ in more than leaves."""
    cdef list found = []
    return found if collect(first, second, found) else None


cdef enum Source:
    # The leaves that something came from: the transform's own variables alone, others that are closed as well, or one
    # that is not closed.
    OWN, CLOSED, OPEN


cdef Source source_of(list outputs, long long oldest, long long newest) except? OPEN:
    # oldest, newest: the numbers of the transform's own variables lie above the one, and up to the other. What was
    # recorded before belongs to others.
    cdef list pending = None
    cdef set seen = None
    cdef Node n, m, onwards
    cdef Source found = OWN
    cdef int k
    for t in outputs:
        n = node_of(<Tensor>t)
        while n is not None:
            if n.row is None:
                if n.is_closed != 1:
                    return OPEN
                if n.seq < oldest or n.seq > newest:
                    found = CLOSED
            elif n.seq < oldest or n.is_released:
                return OPEN
            onwards = None       # one input is gone on with, so that a chain needs no list
            for k in range(n.count()):
                m = n.input(k)
                if m is None:
                    continue
                if m.is_closed == 1:
                    if m.seq < oldest or m.seq > newest:
                        found = CLOSED
                    continue
                if ZEN_REFCNT(<PyObject*>m) > 2:       # else held by n and by `m` alone: it comes up only once
                    if seen is None:
                        seen = set()
                    if m in seen:
                        continue
                    seen.add(m)
                if onwards is None:
                    onwards = m
                    continue
                if pending is None:
                    pending = []
                pending.append(m)
            n = onwards if onwards is not None else pending.pop() if pending else None
    return found


cdef class Leaves:
    """The Tensors that stand for the differentiated arguments of one call of a function.

    name: of the transform, for messages. args: all positional arguments; in those at the positions `where`, or in all
    of them where that is None, every leaf is replaced. A subclass has `variable(value)`, which makes what stands for
    other values than float arrays and constant Tensors.
    """

    cdef readonly str name
    cdef readonly list args, tensors
    cdef readonly int position               # of the argument whose leaves are being replaced
    cdef readonly bint recording             # whether operations were recorded before the call
    cdef readonly long long oldest           # a number in the sequence of nodes: the call's own are younger
    cdef long long newest                    # that of the last variable
    cdef public bint linked, took_tensors
    cdef list nodes

    def __init__(self, str name not None, args, where):
        self.name, self.args, self.tensors, self.nodes = name, list(args), [], []
        self.recording, self.oldest = recording(), next_seq()
        if where is None:
            for self.position in range(len(self.args)):
                self.args[self.position] = rebuilt(self.args[self.position], self, None)
        else:
            for self.position in where:
                self.args[self.position] = rebuilt(self.args[self.position], self, None)
        self.newest = (<Node>self.nodes[len(self.nodes) - 1]).seq if self.nodes else self.oldest

    cdef Tensor variable_for(self, object value):
        cdef ndarray array
        cdef Tensor made
        if type(value) is ndarray:
            array = <ndarray>value
            if is_differentiable(cnp.PyArray_TYPE(array)) and cnp.PyArray_ISNOTSWAPPED(array):
                # A copy: NumPy tells nobody if it is written to while a pullback is kept.
                return self.add(contiguous(array))
        elif isinstance(value, Tensor) and node_of(<Tensor>value) is None:
            array = (<Tensor>value).values()
            if is_differentiable(cnp.PyArray_TYPE(array)):
                self.took_tensors = True
                made = self.add(lend(array, False, NULL))
                traced_as(made, <Tensor>value)
                return made
        return self.variable(value)

    def leaf(self, ndarray array not None):
        """A new leaf around `array`, closed when the function has run."""
        return self.add(array)

    def leaf_of(self, Tensor t not None):
        """A new leaf with the values of t, on its memory."""
        cdef Tensor made = self.add(t.values())
        traced_as(made, t)
        return made

    cdef Tensor add(self, ndarray array):
        cdef Node n = leaf_node(
            cnp.PyArray_NDIM(array), <Py_ssize_t*>cnp.PyArray_DIMS(array), cnp.PyArray_TYPE(array))
        cdef Tensor t = new_tensor(array, n)
        n.is_closed = 2
        self.tensors.append(t)
        self.nodes.append(n)
        return t

    def call(self, function, dict keywords not None):
        """What the function returns for the arguments, recorded."""
        cdef Node n
        cdef bint before = switch(True)
        try:
            return function(*self.args, **keywords)
        finally:
            switch(before)
            for n in self.nodes:
                n.is_closed = 1

    def directions(self, tangents not None):
        """The tangents of the variables, where each is one argument, and Tensors and arrays without a graph will do.

        None where the caller has to look closer.
        """
        cdef list found = []
        cdef Tensor t
        cdef Py_ssize_t k = len(self.args)
        if len(self.tensors) != k or len(tangents) != k:
            return None
        for k in range(len(self.args)):
            value = tangents[k]
            if self.args[k] is not self.tensors[k]:
                return None
            if isinstance(value, Tensor) and node_of(<Tensor>value) is not None:
                return None
            array = (<Tensor>value).values() if isinstance(value, Tensor) else value
            t = self.tensors[k]
            if type(array) is not ndarray or not same_shape(<ndarray>array, <ndarray>t.values()):
                return None
            if not has_kernels(cnp.PyArray_TYPE(<ndarray>array)) and not (
                has_complex_kernels(cnp.PyArray_TYPE(<ndarray>array)) and is_complex(t.typenum)
            ):
                return None
            found.append(value)
        for value in found:
            self.took_tensors = self.took_tensors or isinstance(value, Tensor)
        return found

    def pushed(self, out, list directions not None, rule):
        """(value, tangent) of a function that returned `out`, one Tensor, if nobody differentiates them; else None.

        directions: what `directions` returned. rule: as in `push`.
        """
        cdef list outputs = [out]
        cdef object tangent
        if not isinstance(out, Tensor) or self.connected(outputs):
            return None
        tangent = push(outputs, self.tensors, directions, rule, False)[0]
        if tangent is None:
            return None
        return self.settle(<Tensor>out, False, not self.took_tensors), (
            new_tensor(tangent, None) if self.took_tensors else tangent)

    def differentiated(self, out, tree):
        """(value, gradient) of a function that returned `out`; None where the caller has to look closer.

        tree: the argument that it is differentiated by, in whose structure the gradient is.
        """
        cdef bint as_array = not self.took_tensors
        cdef Tensor t
        cdef list found
        if not isinstance(out, Tensor):
            return None
        t = <Tensor>out
        if t.size != 1 or is_complex(t.typenum):
            return None
        found = self.own_gradients(t, None, False, as_array)
        if found is not None:
            return self.settle(t, False, as_array), self.in_structure(tree, found)
        for x in self.tensors:
            if is_complex((<Tensor>x).typenum):
                return None
        if not self.connected([t]):
            return None
        found = self.handed(self.pull([t], [None], False, True), True, False)
        return self.settle(t, True, False), self.in_structure(tree, found)

    def pulled(self, out, cotangent, tuple primals not None):
        """The vector-Jacobian products of `cotangent`, in the structure of `primals`, if nobody differentiates them.

        cotangent: an array, or a Tensor without a graph, of the shape and dtype of `out`. None where the caller has to
        look closer.
        """
        cdef bint as_array = not self.took_tensors and not isinstance(cotangent, Tensor)
        cdef object array = cotangent
        cdef Tensor t
        cdef list found
        if not isinstance(out, Tensor):
            return None
        t = <Tensor>out
        if isinstance(cotangent, Tensor):
            if node_of(<Tensor>cotangent) is not None:
                return None
            array = (<Tensor>cotangent).values()
        if type(array) is not ndarray or not has_kernels(t.typenum):
            return None
        if cnp.PyArray_TYPE(<ndarray>array) != t.typenum or not same_shape(<ndarray>array, <ndarray>t.values()):
            return None
        found = self.own_gradients(t, array, True, as_array)
        return None if found is None else self.in_structure(primals, found)

    cdef object in_structure(self, object tree, list values):
        values.reverse()
        return rebuilt(tree, None, values)

    cdef list own_gradients(self, Tensor t, object cotangent, bint retain, bint as_array):
        # The gradients by the variables where `t` came from nothing but them; None where it did not.
        cdef Py_ssize_t k
        cdef Node n
        cdef list found
        if self.linked or tracing() or node_of(t) is None or self._source([t]) != OWN:
            return None
        for k in range(len(self.nodes)):
            if node_of(<Tensor>self.tensors[k]) is not <Node>self.nodes[k]:
                return None
        found = leaf_gradients(t, cotangent, self.nodes, retain)
        if found is None:
            return None
        for k in range(len(found)):
            n, g = <Node>self.nodes[k], found[k]
            if isinstance(g, float):
                found[k] = number(<double>g, n.typenum) if as_array else new_scalar(<double>g, n.typenum, None)
                continue
            if g is None:
                g = cnp.PyArray_ZEROS(n.nd, <cnp.npy_intp*>n.dims, n.typenum, 0)
            found[k] = g if as_array else new_tensor(g, None)
        return found

    cdef Source _source(self, list outputs) except? OPEN:
        return source_of(outputs, self.oldest, self.newest)

    def connected(self, list outputs not None):
        """Whether derivatives of `outputs` by these variables may be differentiated by others. Ask after the call."""
        return self.linked or tracing() or (self.recording and self._source(outputs) == OPEN)

    def settle(self, Tensor t not None, bint connected, bint as_array):
        """A result as the caller gets it: with its graph if that leads to others, else as an array or a Tensor."""
        if connected and tracing():
            return t if self.recording else t.detach()
        if connected and self._source([t]) == OPEN:
            return t
        if as_array and not connected:
            if t.data is None and t.typenum != 0:
                return number(t.scalar, t.typenum)
            if has_kernels(t.typenum):
                return contiguous(<ndarray>t.values())
            return cnp.PyArray_NewCopy(<ndarray>t.values(), cnp.NPY_CORDER)
        return t.detach()

    def pull(self, list outputs not None, list seeds not None, bint retain, bint recorded):
        """The gradients by the variables as Tensors, zero where the outputs do not depend on one."""
        cdef list roots = [], given = [], found
        cdef int k
        for k in range(len(outputs)):
            if node_of(<Tensor>outputs[k]) is not None:
                roots.append(outputs[k])
                given.append(seeds[k])
        if roots and self.tensors:
            found = run(roots, given, self.tensors, retain or recorded, recorded)
        else:
            found = [None] * len(self.tensors)
        for k in range(len(found)):
            if found[k] is None:
                found[k] = new_tensor(np.zeros(self.tensors[k].shape, self.tensors[k].dtype), None)
        return found

    def handed(self, list gradients not None, bint recorded, bint as_array):
        """The gradients as the caller gets them."""
        if recorded:
            return [self.settle(g, True, False) for g in gradients]
        return [(<Tensor>g).values() for g in gradients] if as_array else gradients

"""What a transform asks of the engine: trees of arguments, the leaves that stand for them, their gradients.

Called by zen/trees.py and zen/transforms.
"""


from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport has_kernels, is_complex, is_differentiable
from zen._core._guard cimport lend
from zen._core._memory cimport contiguous, same_shape
from zen._core._tensor cimport Node, Tensor, leaf_node, new_tensor, node_of, recording, switch
from zen._core._engine import push, run
from zen._core._tensor import next_seq

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
    # The tree with its leaves replaced: by the next of the iterator `values`, or where that is None by the variables of
    # a Leaves, or by what a function makes of them.
    if isinstance(tree, (dict, list, tuple)):
        Py_EnterRecursiveCall(" while rebuilding nested containers")
        try:
            return container(tree, made, values)
        finally:
            Py_LeaveRecursiveCall()
    if tree is None:
        return None
    if values is not None:
        return next(values)
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


cdef bint reaches_open_leaf(list outputs, long long oldest) except -1:
    # Whether `outputs` came from a leaf that is not closed. What was recorded before `oldest`, the first of the
    # transform's own variables, belongs to others.
    cdef list pending = []
    cdef set seen = set()
    cdef Node n, m, onwards
    cdef int k
    for t in outputs:
        n = node_of(<Tensor>t)
        while n is not None:
            if n.row is None:
                if not n.is_closed:
                    return True
            elif n.seq < oldest or n.is_released:
                return True
            onwards = None       # one input is gone on with, so that a chain needs no list
            for k in range(n.count()):
                m = n.input(k)
                if m is None or m.is_closed:
                    continue
                if ZEN_REFCNT(<PyObject*>m) > 2:       # else held by n and by `m` alone: it comes up only once
                    if m in seen:
                        continue
                    seen.add(m)
                if onwards is None:
                    onwards = m
                else:
                    pending.append(m)
            n = onwards if onwards is not None else pending.pop() if pending else None
    return False


cdef class Leaves:
    """The Tensors that stand for the differentiated arguments of one call of a function.

    name: of the transform, for messages. args: all positional arguments; in those at the positions `where` every leaf
    is replaced. A subclass has `variable(value)`, which makes what stands for other values than float arrays and
    constant Tensors.
    """

    cdef readonly str name
    cdef readonly list args, tensors
    cdef readonly int position               # of the argument whose leaves are being replaced
    cdef readonly bint recording             # whether operations were recorded before the call
    cdef readonly long long oldest           # a number in the sequence of nodes: the call's own are younger
    cdef public bint linked, took_tensors
    cdef list nodes

    def __init__(self, str name not None, args, where):
        self.name, self.args, self.tensors, self.nodes = name, list(args), [], []
        self.recording, self.oldest = recording(), next_seq()
        for self.position in where:
            self.args[self.position] = rebuilt(self.args[self.position], self, None)

    cdef Tensor variable_for(self, object value):
        cdef ndarray array
        if type(value) is ndarray:
            array = <ndarray>value
            if is_differentiable(cnp.PyArray_TYPE(array)) and cnp.PyArray_ISNOTSWAPPED(array):
                # A copy: NumPy tells nobody if it is written to while a pullback is kept.
                return self.add(contiguous(array))
        elif isinstance(value, Tensor) and node_of(<Tensor>value) is None:
            array = (<Tensor>value).values()
            if is_differentiable(cnp.PyArray_TYPE(array)):
                self.took_tensors = True
                return self.add(lend(array, False, NULL))
        return self.variable(value)

    def leaf(self, ndarray array not None):
        """A new leaf around `array`, closed when the function has run."""
        return self.add(array)

    cdef Tensor add(self, ndarray array):
        cdef Node n = leaf_node(
            cnp.PyArray_NDIM(array), <Py_ssize_t*>cnp.PyArray_DIMS(array), cnp.PyArray_TYPE(array))
        cdef Tensor t = new_tensor(array, n)
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
                n.is_closed = True

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
            if type(array) is not ndarray or not has_kernels(cnp.PyArray_TYPE(<ndarray>array)) or not same_shape(
                <ndarray>array, <ndarray>t.values()
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
        """(value, gradient) of a function of one argument that returned `out`, or None if somebody differentiates them.

        tree: the argument, in whose structure the gradient is. None as well where the caller has to look closer.
        """
        cdef list outputs = [out], found
        cdef bint as_array = not self.took_tensors
        cdef Py_ssize_t k
        if not isinstance(out, Tensor) or (<Tensor>out).size != 1 or self.connected(outputs):
            return None
        if is_complex((<Tensor>out).typenum):
            return None
        found = self.pull(outputs, [None], False, False)
        for k in range(len(found)):
            if is_complex((<Tensor>found[k]).typenum):     # users see directions of ascent
                found[k] = new_tensor(np.asarray(np.conjugate((<Tensor>found[k]).values())), None)
        found = self.handed(found, False, as_array)
        return self.settle(<Tensor>out, False, as_array), rebuilt(tree, None, iter(found))

    def connected(self, list outputs not None):
        """Whether derivatives of `outputs` by these variables may be differentiated by others. Ask after the call."""
        return self.linked or (self.recording and reaches_open_leaf(outputs, self.oldest))

    def settle(self, Tensor t not None, bint connected, bint as_array):
        """A result as the caller gets it: with its graph if that leads to others, else as an array or a Tensor."""
        if connected and reaches_open_leaf([t], self.oldest):
            return t
        if as_array and not connected:
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

# The compiled Tensor class: fields, operators and protocols. Part of _tensor.pyx.
# What is not on the hot path goes through a hook installed by a higher floor.

@cython.freelist(512)
@cython.no_gc_clear
@cython.auto_pickle(False)
cdef class Tensor:
    """An array that knows how it was computed. See zen/attached/ for what it can do."""

    def __init__(self, value, trainable=True):
        cdef Tensor made
        if self.views:
            raise RuntimeError("Tensor.__init__: this Tensor has live views, which would lose it; make a new Tensor")
        made = hooks_["connected"](value, trainable) if isinstance(value, (list, tuple)) else None
        if made is not None:
            self.set_base(None)
            self.data, self.typenum, self.node = made.values(), made.typenum, made._node
            return
        array = hooks_["convert"](value)
        if trainable and is_exact(typenum_of(array)):
            array = array.astype(np.float64)
        elif isinstance(value, Tensor):
            array = shared(<Tensor>value, False)
        elif not isinstance(value, (list, tuple, int, float)):
            array = borrowed(array)
        self.node = None
        self.set_base(None)
        initialise(self, array, trainable)

    def __dealloc__(self):
        if self._base is not None:
            self._base.views -= 1
        if self._node is not None and self._node.owner == <PyObject*>self:
            self._node.owner = NULL

    cdef object values(self):
        if self.data is None:
            if self.typenum == 0:
                raise RuntimeError("this Tensor was never initialised: Tensor.__init__ was not called")
            self.data = number(self.scalar, self.typenum)
        return self.data

    cdef void set_base(self, Tensor base) noexcept:
        if self._base is not None:
            self._base.views -= 1
        self._base = base
        if base is not None:
            base.views += 1

    @property
    def base(self):
        """The Tensor whose memory this one is a view of."""
        return self._base

    @base.setter
    def base(self, Tensor base):
        self.set_base(base)

    @property
    def array(self):
        """The values as an ndarray on the Tensor's memory. What NumPy writes into it is noticed by a pass."""
        if zen_tracer != NULL:
            tracer().read(self)
        return shared(self, True)

    @property
    def _array(self):
        """The ndarray that the Tensor itself uses, for zen's own code: to be read, never to be handed on."""
        if zen_tracer != NULL:
            tracer().read(self)
        return self.values()

    def set_array(self, ndarray array not None):
        """Put memory of its own in place of the Tensor's. For zen/attached/inplace.py."""
        self.data = array

    @property
    def node(self):
        return node_of(self)

    @node.setter
    def node(self, Node node):
        cdef Node old = self._node
        if old is not None and old.owner == <PyObject*>self:
            old.owner = NULL
        if old is not None and old.retains and node is not None:
            old.retains, node.retains = False, True     # the gradient of the value that the Tensor has now
        self._node = node
        if node is not None:
            node.owner = <PyObject*>self

    @property
    def shape(self):
        return () if self.data is None else self.data.shape

    @property
    def ndim(self):
        return 0 if self.data is None else cnp.PyArray_NDIM(<ndarray>self.data)

    @property
    def size(self):
        return 1 if self.data is None else cnp.PyArray_SIZE(<ndarray>self.data)

    @property
    def dtype(self):
        return cnp.PyArray_DescrFromType(self.typenum) if self.data is None else self.data.dtype

    @property
    def requires_grad(self):
        """Whether gradients reach the Tensor; may be set on a leaf, as by `requires_grad_`."""
        return node_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, flag):
        if not isinstance(flag, bool):
            raise TypeError(f"requires_grad takes True or False, not {flag!r}")
        self.requires_grad_(flag)

    @property
    def is_leaf(self):
        """Whether the Tensor was not made by a recorded operation."""
        return node_of(self) is None or self._node.row is None

    @property
    def grad(self):
        """The accumulated gradient, a Tensor of the same shape and dtype, or None."""
        return None if self._node is None else self._node.grad

    @grad.setter
    def grad(self, value):
        set_grad(self, value)

    def __add__(self, other):
        return calls.binary(ADD_, self, other)

    def __radd__(self, other):
        return calls.binary(ADD_, other, self)

    def __sub__(self, other):
        return calls.binary(SUBTRACT, self, other)

    def __rsub__(self, other):
        return calls.binary(SUBTRACT, other, self)

    def __mul__(self, other):
        return calls.binary(MULTIPLY, self, other)

    def __rmul__(self, other):
        return calls.binary(MULTIPLY, other, self)

    def __truediv__(self, other):
        return calls.binary(DIVIDE, self, other)

    def __rtruediv__(self, other):
        return calls.binary(DIVIDE, other, self)

    def __floordiv__(self, other):
        return calls.binary(FLOOR_DIVIDE, self, other)

    def __rfloordiv__(self, other):
        return calls.binary(FLOOR_DIVIDE, other, self)

    def __mod__(self, other):
        return calls.binary(REMAINDER, self, other)

    def __rmod__(self, other):
        return calls.binary(REMAINDER, other, self)

    def __divmod__(self, other):
        whole = calls.binary(FLOOR_DIVIDE, self, other)
        return whole if whole is NotImplemented else (whole, calls.binary(REMAINDER, self, other))

    def __rdivmod__(self, other):
        whole = calls.binary(FLOOR_DIVIDE, other, self)
        return whole if whole is NotImplemented else (whole, calls.binary(REMAINDER, other, self))

    def __pow__(self, other, modulo):
        if modulo is not None:
            raise TypeError("pow() of a Tensor takes no modulus; use (a ** b) % m")
        return calls.binary(POWER, self, other)

    def __rpow__(self, other, modulo):
        return calls.binary(POWER, other, self)

    def __matmul__(self, other):
        return calls.binary(MATMUL_, self, other)

    def __rmatmul__(self, other):
        return calls.binary(MATMUL_, other, self)

    def __and__(self, other):
        return calls.binary(AND, self, other)

    def __rand__(self, other):
        return calls.binary(AND, other, self)

    def __or__(self, other):
        return calls.binary(OR, self, other)

    def __ror__(self, other):
        return calls.binary(OR, other, self)

    def __xor__(self, other):
        return calls.binary(XOR, self, other)

    def __rxor__(self, other):
        return calls.binary(XOR, other, self)

    def __lshift__(self, other):
        return calls.binary(LSHIFT, self, other)

    def __rlshift__(self, other):
        return calls.binary(LSHIFT, other, self)

    def __rshift__(self, other):
        return calls.binary(RSHIFT, self, other)

    def __rrshift__(self, other):
        return calls.binary(RSHIFT, other, self)

    def __neg__(self):
        return calls.unary(NEGATIVE, self)

    def __pos__(self):
        return calls.unary(POSITIVE, self)

    def __abs__(self):
        return calls.unary(ABS, self)

    def __invert__(self):
        return calls.unary(INVERT, self)

    def __richcmp__(self, other, int op):
        if op == Py_LT:
            return calls.binary(LESS, self, other)
        if op == Py_LE:
            return calls.binary(LESS_EQUAL, self, other)
        if op == Py_GT:
            return calls.binary(GREATER, self, other)
        if op == Py_GE:
            return calls.binary(GREATER_EQUAL, self, other)
        return calls.binary(EQUAL if op == Py_EQ else NOT_EQUAL, self, other)

    def __hash__(self):
        return <Py_hash_t>(<size_t><PyObject*>self >> 4)

    def __iadd__(self, other):
        return calls.inplace(ADD_, self, other)

    def __isub__(self, other):
        return calls.inplace(SUBTRACT, self, other)

    def __imul__(self, other):
        return calls.inplace(MULTIPLY, self, other)

    def __itruediv__(self, other):
        return calls.inplace(DIVIDE, self, other)

    def __ifloordiv__(self, other):
        return calls.inplace(FLOOR_DIVIDE, self, other)

    def __imod__(self, other):
        return calls.inplace(REMAINDER, self, other)

    def __ipow__(self, other, modulo):
        return calls.inplace(POWER, self, other)

    def __imatmul__(self, other):
        return calls.inplace(MATMUL_, self, other)

    def __iand__(self, other):
        return calls.inplace(AND, self, other)

    def __ior__(self, other):
        return calls.inplace(OR, self, other)

    def __ixor__(self, other):
        return calls.inplace(XOR, self, other)

    def __ilshift__(self, other):
        return calls.inplace(LSHIFT, self, other)

    def __irshift__(self, other):
        return calls.inplace(RSHIFT, self, other)

    def __getitem__(self, key):
        return calls.getitem(GETITEM, self, key)

    def __setitem__(self, key, value):
        calls.setitem(SETITEM, self, key, value)

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of a 0-d Tensor")
        return self.data.shape[0]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d Tensor")
        return iter([self[k] for k in range(self.data.shape[0])])

    def __contains__(self, value):
        if zen_tracer != NULL:
            tracer().read(self)
        return bool((self.values() == (value.array if isinstance(value, Tensor) else value)).any())

    def __bool__(self):
        if self.size != 1:
            raise ValueError(
                f"the truth value of a Tensor of shape {self.shape} is ambiguous; use .any() or .all()"
            )
        if zen_tracer != NULL:
            tracer().read(self)
        return bool(self.values().reshape(()))

    def __float__(self):
        return hooks_["to_float"](self)

    def __int__(self):
        return int(self.one("int"))

    def __index__(self):
        if not is_integer(self.typenum):
            raise TypeError(f"only an integer Tensor can be used as an index, not one of dtype {self.dtype}")
        return int(self.one("index"))

    def item(self):
        """The only element as a Python number; ValueError if there is not exactly one."""
        if zen_tracer != NULL:
            tracer().read(self)
        if self.data is None and self.typenum != 0:
            return self.scalar
        if self.size != 1:
            raise ValueError(f"item: a Tensor of one element is needed, not one of shape {self.shape}; see tolist()")
        return self.values().item()

    def one(self, name):
        """The single element as a Python scalar, or an error that names the conversion."""
        if self.size != 1:
            raise TypeError(f"{name}() needs a Tensor of one element, not one of shape {self.shape}")
        if zen_tracer != NULL:
            tracer().read(self)
        return self.values().reshape(()).item()

    def __repr__(self):
        return hooks_["repr"](self)


cdef int initialise(Tensor t, ndarray array, bint requires_grad) except -1:
    t.data = array
    t.typenum = cnp.PyArray_TYPE(array)
    if requires_grad:
        if not is_differentiable(t.typenum):
            raise TypeError(
                f"only a floating-point Tensor can require a gradient, not one of dtype {(<object>array).dtype}; "
                "convert it first, for example with dtype=zen.float64"
            )
        t.node = leaf_node(cnp.PyArray_NDIM(array), <Py_ssize_t*>cnp.PyArray_DIMS(array), t.typenum)
    return 0


cdef int set_grad(Tensor t, value) except -1:
    cdef Node n = node_of(t)
    if value is None:
        if zen_tracer != NULL:
            tracer().cleared((t,))
        if n is not None:
            n.grad = None
        return 0
    if n is None:
        raise RuntimeError(
            "grad of a Tensor that does not require a gradient cannot be set; call requires_grad_() first"
        )
    if not isinstance(value, Tensor):
        raise TypeError(f"grad takes a Tensor or None, not {type(value).__name__}")
    if value.shape != t.shape or value.dtype != t.dtype:
        raise ValueError(
            f"grad: expected shape {t.shape} and dtype {t.dtype}, got shape {value.shape} and dtype {value.dtype}"
        )
    n.grad = value
    if (<Tensor>value)._node is not None:
        track_below((<Tensor>value)._node)
    return 0


cdef object shared(Tensor t, bint expose):
    # An array on the memory of t: for somebody outside, or (not `expose`) for another Tensor.
    cdef ndarray a = t.values()
    return lend(a, expose, &_seq)


def borrow(ndarray array not None):
    """An ndarray on the memory of one that came from outside, as the memory of a Tensor."""
    return borrowed(array)


def sharers(Tensor t not None):
    """Who else uses the memory of t: 0 nobody, 1 only nodes that saved it, 2 somebody who must see what is written."""
    return <int>sharers_of(t)


cdef Sharers sharers_of(Tensor t) noexcept:
    cdef Tensor root = t if t._base is None else t._base
    cdef PyObject* data
    cdef PyObject* base
    cdef ndarray owner
    cdef Py_ssize_t known = 1
    if root.data is None or t.data is None:
        return NOBODY
    owner = owner_of(<ndarray>root.data)
    if owner is None or root.views > (t is not root):
        return OTHERS
    data, base = <PyObject*>root.data, <PyObject*>owner
    owner = None
    if is_lent(<ndarray>base):
        if not is_sole_borrower(<ndarray>data, <ndarray>base):
            return OTHERS
        base = data
    if t is not root and t.data is not root.data:
        known += 1                          # the base of t's array is the owner
    if base == data:
        return NODES if ZEN_REFCNT(data) > known else NOBODY
    return NODES if ZEN_REFCNT(data) > 1 or ZEN_REFCNT(base) > known else NOBODY


def wrap(ndarray array not None, Node node=None):
    """A Tensor around `array`, without a copy."""
    return born(new_tensor(array, node), array)


def leaf(ndarray array not None, bint requires_grad):
    """A new leaf around `array`, without a copy."""
    cdef Tensor t = Tensor.__new__(Tensor)
    initialise(t, array, requires_grad)
    return born(t, array)


cdef Tensor born(Tensor t, ndarray array):
    # A Tensor that is new, with memory of its own: in a trace it has the mark of that.
    if tracing() and cnp.PyArray_BASE(array) == NULL:
        t.traced = tracer().mark
    return t

"""Tensor: an ndarray and, if it takes part in gradients, a Node. Operators apply the rows that were installed.

Methods other than those of the graph (`backward.py` adds these) are attached by `zen/attached/`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DEFAULT, EXACT, INTEGER
from .guard import borrow, lend
from .node import HookHandle, Node, leaf_node
from .state import Installed, check_dtype, check_trainable, tracer


def _binary(name: str) -> Callable[[Tensor, Any], Tensor]:
    def operator(self: Tensor, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return Installed.apply(Installed.operators[name], (self, other))

    return operator


def _reflected(name: str) -> Callable[[Tensor, Any], Tensor]:
    def operator(self: Tensor, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return Installed.apply(Installed.operators[name], (other, self))

    return operator


def _unary(name: str) -> Callable[[Tensor], Tensor]:
    def operator(self: Tensor) -> Tensor:
        return Installed.apply(Installed.operators[name], (self,))  # type: ignore[no-any-return]

    return operator


def _both(whole: Callable[..., Any], rest: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        first = whole(self, other)
        return first if first is NotImplemented else (first, rest(self, other))

    return operator


def _inplace(name: str) -> Callable[[Tensor, Any], Tensor]:
    def operator(self: Tensor, other: Any) -> Tensor:
        own, row = tracer(), Installed.operators[name]
        return Installed.inplace(self, row, other) if own is None else own.inplace(row, self, other)  # type: ignore[no-any-return]

    return operator


class Tensor:
    """An array that knows how it was computed. See zen/attached/ for what it can do."""

    __slots__ = ("__weakref__", "_base", "_data", "_node", "_views", "synced", "traced", "version")

    _data: np.ndarray
    _node: Node | None
    _base: Tensor | None
    _views: list[weakref.ref[Tensor]]
    synced: int
    """The base's version when this view's node was last derived."""
    traced: int
    """The value of a trace that the Tensor has; 0 for none."""
    version: int
    """Counts the in-place writes to this Tensor and its views."""

    def __init__(self, value: Any, trainable: bool = True) -> None:
        if hasattr(self, "_views") and self.views:
            raise RuntimeError("Tensor.__init__: this Tensor has live views, which would lose it; make a new Tensor")
        made = Installed.connected(value, trainable) if isinstance(value, (list, tuple)) else None
        if made is not None:
            _fill(self, made._data, None)
            self.node = made._node
            return
        array = Installed.convert(value)
        if trainable and array.dtype in EXACT:
            array = array.astype(DEFAULT)
        elif isinstance(value, Tensor):
            array = lend(value._data, False)
        elif not isinstance(value, (list, tuple, int, float)):
            array = borrow(array)
        _fill(self, array, None)
        if trainable:
            check_trainable(array.dtype)
            self.node = leaf_node(array)

    if TYPE_CHECKING:  # what higher floors attach

        def __getattr__(self, name: str) -> Any: ...

    @property
    def array(self) -> np.ndarray:
        """The values as an ndarray on the Tensor's memory. What NumPy writes into it is noticed by a pass."""
        _look(self)
        return lend(self._data, True)

    @property
    def _array(self) -> np.ndarray:
        """The ndarray that the Tensor itself uses, for zen's own code: to be read, never to be handed on."""
        _look(self)
        return self._data

    @property
    def base(self) -> Tensor | None:
        """The Tensor whose memory this one is a view of."""
        return self._base

    @base.setter
    def base(self, base: Tensor | None) -> None:
        if self._base is not None:
            self._base._views = [v for v in self._base._views if v() is not self]
        self._base = base
        if base is not None:
            held = base._views
            held.append(weakref.ref(self))
            if len(held) & (len(held) - 1) == 0:  # from time to time, so that many views cost no more than they number
                base._views = base._live_views()

    @property
    def views(self) -> int:
        """How many live Tensors are views of this one."""
        return len(self._live_views())

    def _live_views(self) -> list[weakref.ref[Tensor]]:
        return [v for v in self._views if v() is not None]

    def set_array(self, array: np.ndarray) -> None:
        """Put memory of its own in place of the Tensor's. For zen/attached/inplace.py."""
        self._data = array

    @property
    def node(self) -> Node | None:
        """The Node to record on; a view whose base was written since is derived again first."""
        if self.base is not None and self.synced != self.base.version:
            Installed.resync(self)
        return self._node

    @node.setter
    def node(self, node: Node | None) -> None:
        old = self._node
        if old is not None and old.retains_grad and node is not None:
            old.retains_grad, node.retains_grad = False, True  # the gradient of the value that the Tensor has now
        self._node = node
        if node is not None:
            node._tensor = weakref.ref(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return self._data.size

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def requires_grad(self) -> bool:
        """Whether gradients reach the Tensor; may be set on a leaf, as by `requires_grad_`."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        if not isinstance(flag, bool):
            raise TypeError(f"requires_grad takes True or False, not {flag!r}")
        self.requires_grad_(flag)

    @property
    def is_leaf(self) -> bool:
        """Whether the Tensor was not made by a recorded operation."""
        node = self.node
        return node is None or node.row is None

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient, a Tensor of the same shape and dtype, or None."""
        return None if self._node is None else self._node.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        node = self.node
        if value is None:
            if (own := tracer()) is not None:
                own.cleared((self,))
            if node is not None:
                node.grad = None
            return
        if node is None:
            raise RuntimeError(
                "grad of a Tensor that does not require a gradient cannot be set; call requires_grad_() first"
            )
        if not isinstance(value, Tensor):
            raise TypeError(f"grad takes a Tensor or None, not {type(value).__name__}")
        if value.shape != self.shape or value.dtype != self.dtype:
            raise ValueError(
                f"grad: expected shape {self.shape} and dtype {self.dtype}, "
                f"got shape {value.shape} and dtype {value.dtype}"
            )
        node.grad = value

    def requires_grad_(self, flag: bool = True) -> Tensor:
        """Make a leaf take part in gradients, or no longer; returns the Tensor itself.

        TypeError for a dtype without gradients, RuntimeError for switching off what was computed.
        """
        node = self.node
        if flag and node is None:
            check_trainable(self.dtype)
            self.base = None  # a leaf of its own, no longer derived from what it was a view of
            self.node = leaf_node(self._data)
        elif not flag and node is not None:
            if node.row is not None:
                raise RuntimeError(
                    f"requires_grad_(False) on the result of {node.name!r}: only a leaf can be changed; "
                    "use detach() for a Tensor without the graph"
                )
            self.node = None
        return self

    def detach(self) -> Tensor:
        """A Tensor on the same memory that takes no part in gradients."""
        return traced_as(wrap(lend(self._data, False)), self)

    def retain_grad(self) -> None:
        """Have `grad` filled by backward passes, although this is not a leaf."""
        node = self._needs_node("retain_grad")
        node.retains_grad = node.row is not None

    def register_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call `hook(gradient)` in each pass, once this Tensor's gradient is complete.

        What it returns, unless None, replaces the gradient; shape must stay. Returns a handle with `remove()`.
        """
        node = self._needs_node("register_hook")
        if not callable(hook):
            raise TypeError(f"register_hook: expected a function of the gradient, not {type(hook).__name__}")
        return HookHandle(node, hook)

    def _needs_node(self, method: str) -> Node:
        node = self.node
        if node is None:
            raise RuntimeError(f"{method}: this Tensor does not require a gradient; call requires_grad_() first")
        return node

    __add__, __radd__, __iadd__ = _binary("add"), _reflected("add"), _inplace("add")
    __sub__, __rsub__, __isub__ = _binary("subtract"), _reflected("subtract"), _inplace("subtract")
    __mul__, __rmul__, __imul__ = _binary("multiply"), _reflected("multiply"), _inplace("multiply")
    __truediv__, __rtruediv__, __itruediv__ = _binary("divide"), _reflected("divide"), _inplace("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _reflected("floor_divide")
    __ifloordiv__ = _inplace("floor_divide")
    __mod__, __rmod__, __imod__ = _binary("remainder"), _reflected("remainder"), _inplace("remainder")
    __divmod__, __rdivmod__ = _both(__floordiv__, __mod__), _both(__rfloordiv__, __rmod__)
    __rpow__, __ipow__ = _reflected("power"), _inplace("power")
    __matmul__, __rmatmul__, __imatmul__ = _binary("matmul"), _reflected("matmul"), _inplace("matmul")
    __and__, __rand__, __iand__ = _binary("and"), _reflected("and"), _inplace("and")
    __or__, __ror__, __ior__ = _binary("or"), _reflected("or"), _inplace("or")
    __xor__, __rxor__, __ixor__ = _binary("xor"), _reflected("xor"), _inplace("xor")
    __lshift__, __rlshift__, __ilshift__ = _binary("lshift"), _reflected("lshift"), _inplace("lshift")
    __rshift__, __rrshift__, __irshift__ = _binary("rshift"), _reflected("rshift"), _inplace("rshift")
    __neg__, __pos__, __abs__, __invert__ = _unary("negative"), _unary("positive"), _unary("abs"), _unary("invert")
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")
    __eq__, __ne__ = _binary("equal"), _binary("not_equal")  # type: ignore[assignment]

    def __pow__(self, other: Any, modulo: Any = None) -> Tensor:
        if modulo is not None:
            raise TypeError("pow() of a Tensor takes no modulus; use (a ** b) % m")
        return _power(self, other)

    def __hash__(self) -> int:
        return id(self) >> 4

    def __getitem__(self, key: Any) -> Tensor:
        own = tracer()
        return Installed.getitem(self, key if own is None else own.key(key))  # type: ignore[no-any-return]

    def __setitem__(self, key: Any, value: Any) -> None:
        own = tracer()
        if own is not None:
            own.setitem(Installed.operators["setitem"], self, key, value)
            return
        Installed.setitem(self, key, value)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d Tensor")
        return iter([self[k] for k in range(self.shape[0])])

    def __contains__(self, value: Any) -> bool:
        _look(self)
        return bool((self._data == (value._data if isinstance(value, Tensor) else value)).any())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(f"the truth value of a Tensor of shape {self.shape} is ambiguous; use .any() or .all()")
        _look(self)
        return bool(self._data.reshape(()))

    def __float__(self) -> float:
        return float(self._one("float")) if Installed.to_float is None else Installed.to_float(self)

    def __int__(self) -> int:
        return int(self._one("int"))

    def __index__(self) -> int:
        if self.dtype not in INTEGER:
            raise TypeError(f"only an integer Tensor can be used as an index, not one of dtype {self.dtype}")
        return int(self._one("index"))

    def item(self) -> Any:
        """The only element as a Python number; ValueError if there is not exactly one."""
        if self.size != 1:
            raise ValueError(f"item: a Tensor of one element is needed, not one of shape {self.shape}; see tolist()")
        _look(self)
        return self._data.item()

    def _one(self, name: str) -> Any:
        if self.size != 1:
            raise TypeError(f"{name}() needs a Tensor of one element, not one of shape {self.shape}")
        _look(self)
        return self._data.reshape(()).item()

    def __repr__(self) -> str:
        return f"Tensor({self._data!r})" if Installed.repr is None else Installed.repr(self)


_power = _binary("power")

OPERANDS = (Tensor, np.ndarray, np.generic, int, float, complex)
"""What the operators accept."""


def _fill(t: Tensor, array: np.ndarray, node: Node | None) -> None:
    t._data = array
    t._node = node
    if getattr(t, "_base", None) is not None:
        t.base = None
    t._base = None
    t._views = []
    t.synced = t.version = t.traced = 0


def _look(t: Tensor) -> None:
    own = tracer()
    if own is not None:
        own.read(t)


def traced_as(t: Tensor, other: Tensor) -> Tensor:
    """t, which has the value of `other` without that a row was applied."""
    own = tracer()
    if own is not None:
        t.traced = own.place_of(other).number
    return t


def twin(t: Tensor) -> Tensor:
    """Another Tensor with the values and the node of t, which stays the node's own."""
    return traced_as(wrap(t._data, t.node), t)


def wrap(array: np.ndarray, node: Node | None = None) -> Tensor:
    """A Tensor around `array`, without a copy."""
    t = Tensor.__new__(Tensor)
    _fill(t, array, node)
    if node is not None and node.tensor is None:
        node._tensor = weakref.ref(t)
    own = tracer()
    if own is not None and array.base is None:
        t.traced = own.mark
    return t


def leaf(array: np.ndarray, requires_grad: bool) -> Tensor:
    """A new leaf around `array`, without a copy."""
    check_dtype(array.dtype)
    t = wrap(array)
    return t.requires_grad_() if requires_grad else t


def attach(name: str, function: Any) -> None:
    """Put a method or property on Tensor."""
    setattr(Tensor, name, function)

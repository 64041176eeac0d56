"""The scalar library of the tutorial "Reverse-mode automatic differentiation from scratch, in Python", on zen's engine.

Every number is a node: `Var` for a leaf, and a class for each function, with `.value` and `.grad`, the list of
(child, local derivative). `get_gradients(y)` gives the derivative of y by every node below it. Each node holds a 0-d
Tensor of the engine, which computes values, local derivatives and gradients.

Bugs of the original that are fixed, by the names of their tests in `tests/compat/test_scalar.py`:

- routes_are_enumerated: get_gradients followed every route from y to a node by itself, and a shared subexpression
  doubles their number with each use: 60 doublings would have taken centuries.
- gradients_of_a_leaf: get_gradients of a Var raised AttributeError instead of finding nothing below it.
- number_as_operand: `a + 1`, `2 * a` and `sum(...)` raised AttributeError.

A function of your own is written as in the tutorial, by its value and its local derivatives:

>>> from zen.compat.scalar import Ops, Var, get_gradients
>>> class Cos(Ops):
...     def __init__(self, var):
...         self.value = np.cos(var.value)
...         self.grad = [(var, -np.sin(var.value))]
>>> a = Var(0.5)
>>> bool(get_gradients(Cos(a) * a)[a] == np.cos(0.5) - 0.5 * np.sin(0.5))
True

The vectorised form that the tutorial announced is zen itself: the same loop with one `zen.tensor` for all weights.
`benchmarks/scalar_layer.py` times both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import backend, f
from ..backend import Tensor

__all__ = ["Exp", "Log", "Ops", "Sin", "Var", "add", "get_gradients", "inv", "mul", "neg", "to_vals", "to_var"]


class Ops:
    """A node, with the operators + - * / and the sign. Numbers that it is combined with become `Var`.

    A subclass either sets `tensor` and `children`, or `value` and then `grad`.
    """

    __slots__ = ("__weakref__", "_given", "children", "tensor")

    children: tuple[Any, ...]
    """The nodes this one was computed from."""
    tensor: Tensor
    """The engine's 0-d Tensor."""

    @property
    def value(self) -> float:
        """The number. It may be assigned to where it was not computed, as in `w.value -= rate * gradients[w]`.

        Assigning to the value of a computed node raises AttributeError. Gradients of what was computed before are those
        at the old value.
        """
        return self.tensor.item()  # type: ignore[no-any-return]

    @value.setter
    def value(self, new: float) -> None:
        if not hasattr(self, "children"):
            self.children = ()
            self.tensor = backend.leaf(np.array(float(new)), True)
        elif self.children:
            raise AttributeError(f"the value of {type(self).__name__} was computed; assign to that of a Var")
        else:
            self.tensor.array[()] = float(new)  # the engine has copies of the values it saved

    @property
    def grad(self) -> list[tuple[Any, float]]:
        """The local derivatives, (child, derivative) for each child; computed when asked for."""
        if hasattr(self, "_given"):
            return list(self._given)
        if not self.children:
            return []
        fresh = [Var(child.value) for child in self.children]
        found = get_gradients(type(self)(*fresh))
        return [(child, found[v]) for child, v in zip(self.children, fresh, strict=True)]

    @grad.setter
    def grad(self, pairs: Iterable[tuple[Any, float]]) -> None:
        # The engine's node: the given value, whose derivatives are the given ones. Each difference is exactly zero.
        self._given = list(pairs)
        node = self.tensor.detach()
        for child, local in self._given:
            node = node + float(local) * (child.tensor - child.value)
        self.children = tuple([child for child, _ in self._given])
        self.tensor = node

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value})"

    def __add__(self, other: Any) -> Ops:
        return add(self, other if isinstance(other, Ops) else Var(other))

    def __radd__(self, other: Any) -> Ops:
        return add(_node(other), self)

    def __mul__(self, other: Any) -> Ops:
        return mul(self, other if isinstance(other, Ops) else Var(other))

    def __rmul__(self, other: Any) -> Ops:
        return mul(_node(other), self)

    def __sub__(self, other: Any) -> Ops:
        return add(self, neg(_node(other)))

    def __rsub__(self, other: Any) -> Ops:
        return add(_node(other), neg(self))

    def __truediv__(self, other: Any) -> Ops:
        return mul(self, inv(_node(other)))

    def __rtruediv__(self, other: Any) -> Ops:
        return mul(_node(other), inv(self))

    def __neg__(self) -> Ops:
        return neg(self)


class Var(Ops):
    """A leaf: a number whose derivative is wanted.

    >>> from zen.compat.scalar import Var, get_gradients
    >>> a, b = Var(4), Var(3)
    >>> d = a * (a + b)
    >>> d.value, get_gradients(d)[a], get_gradients(d)[b]
    (28.0, 11.0, 4.0)
    """

    __slots__ = ()

    def __init__(self, value: float) -> None:
        self.value = value


class add(Ops):  # noqa: N801 - the tutorial's name, like those below
    """a + b."""

    __slots__ = ()

    def __init__(self, a: Ops, b: Ops) -> None:
        self.children = (a, b)
        self.tensor = a.tensor + b.tensor


class mul(Ops):  # noqa: N801
    """a * b."""

    __slots__ = ()

    def __init__(self, a: Ops, b: Ops) -> None:
        self.children = (a, b)
        self.tensor = a.tensor * b.tensor


class neg(Ops):  # noqa: N801
    """-var."""

    __slots__ = ()

    def __init__(self, var: Ops) -> None:
        self.children = (var,)
        self.tensor = -var.tensor


class inv(Ops):  # noqa: N801
    """1 / var."""

    __slots__ = ()

    def __init__(self, var: Ops) -> None:
        self.children = (var,)
        self.tensor = 1 / var.tensor


class Sin(Ops):
    """The sine of var."""

    __slots__ = ()

    def __init__(self, var: Ops) -> None:
        self.children = (var,)
        self.tensor = f.sin(var.tensor)


class Exp(Ops):
    """e to the power of var."""

    __slots__ = ()

    def __init__(self, var: Ops) -> None:
        self.children = (var,)
        self.tensor = f.exp(var.tensor)


class Log(Ops):
    """The natural logarithm of var."""

    __slots__ = ()

    def __init__(self, var: Ops) -> None:
        self.children = (var,)
        self.tensor = f.log(var.tensor)


def get_gradients(parent_node: Ops) -> dict[Any, float]:
    """The derivatives of `parent_node` by every node it was computed from, itself excluded; the keys are the nodes.

    Time and memory grow with the number of nodes. May be called again, for the same node or others. Raises RuntimeError
    for a node that was computed under `zen.no_grad()`.
    """
    nodes = _below(parent_node)
    if not nodes:
        return {}
    wanted: list[Any] = [node.tensor.node for node in nodes]
    if parent_node.tensor.node is None or None in wanted:
        raise RuntimeError("get_gradients: a node was computed under zen.no_grad(); compute it again outside of it")
    found = backend.run([parent_node.tensor], [None], wanted, True)
    return {node: 0.0 if g is None else g for node, g in zip(nodes, found, strict=True)}


def _below(parent: Ops) -> list[Ops]:
    nodes = dict.fromkeys(parent.children)
    found = list(nodes)
    for node in found:  # which grows
        for child in node.children:
            if child not in nodes:
                nodes[child] = None
                found.append(child)
    return found


def _node(x: Any) -> Ops:
    return x if isinstance(x, Ops) else Var(x)


to_var = np.vectorize(Var, otypes=[object])
"""An array of numbers as an array of `Var`, on which np.dot, np.sum and the operators work."""

to_vals = np.vectorize(lambda var: var.value, otypes=[float])
"""The values of an array of nodes, as an array of numbers."""

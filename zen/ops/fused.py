"""Fused operations: kernels that do in a few passes over memory what a composition of rows does in many.

A fused operation is declared by three functions. The composition says what it computes, on Tensors, with other
functions of zen; it is what the kernels are tested against, and what is differentiated where the derivative itself is
wanted as a Tensor (higher orders, forward mode). The kernels compute the value, and the gradients of a plain backward
pass. So no formula for a second derivative is written by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor

FUSED: dict[str, Fused] = {}
"""Every fused operation by name."""

_KERNEL_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


class _Call:
    """One call: which of the inputs are there, the keywords, and the workspace that backward reads."""

    __slots__ = ("given", "keywords", "saved", "wanted")

    def __init__(
        self, given: tuple[int, ...] | None, keywords: dict[str, Any], wanted: tuple[bool, ...], keep: bool
    ) -> None:
        self.given = given  # positions of the inputs that are not None; None if all are
        self.keywords = keywords
        self.wanted = wanted
        self.saved: dict[str, Any] | None = {} if keep else None

    def placed(self, present: tuple[Any, ...]) -> tuple[Any, ...]:
        """All inputs, with None for those that are not there."""
        if self.given is None:
            return present
        placed: list[Any] = [None] * len(self.wanted)
        for k, x in zip(self.given, present, strict=True):
            placed[k] = x
        return tuple(placed)

    def taken(self, placed: tuple[Any, ...]) -> tuple[Any, ...]:
        """The reverse of `placed`."""
        return placed if self.given is None else tuple([placed[k] for k in self.given])


class Fused:
    """One fused operation; call it with Tensors, arrays or None, and static values as keywords.

    composition(*inputs, **keywords): the operation on Tensors, by functions of zen.
    forward(arrays, save, **keywords): the value as an ndarray. `arrays` has None where an input is None. `save` is a
        dict for what backward will need, or None when no gradient is wanted.
    backward(g, arrays, out, saved, wanted, **keywords): for each input its gradient, of the input's shape and dtype, or
        None. `wanted` says which are asked for. It may run twice, so it changes nothing that it is given.
    domain(generator): what tests draw: a list of (inputs, keywords).

    Where the floating inputs are not all float32 or all float64, the composition runs instead of the kernels.
    """

    def __init__(
        self,
        name: str,
        composition: Callable[..., Any],
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        domain: Callable[[np.random.Generator], list[Any]],
    ) -> None:
        self.name, self.composition, self.domain = name, composition, domain
        self._kernel, self._backward = forward, backward
        self._rows: dict[int, Any] = {}

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        dtype, wanted, present = None, [], []
        for x in inputs:
            if x is None:
                wanted.append(False)
                continue
            present.append(x)
            wanted.append(isinstance(x, Tensor) and x.requires_grad)
            own = x.dtype
            if own.kind == "f" and own is not dtype:
                if (dtype is not None and own != dtype) or own not in _KERNEL_TYPES:
                    return self.composition(*inputs, **keywords)
                dtype = own
        given = None
        if len(present) < len(inputs):
            given = tuple([k for k, x in enumerate(inputs) if x is not None])
        keep = True in wanted and backend.grad_enabled()
        call = _Call(given, keywords, tuple(wanted), keep)
        row = self._rows.get(len(present))
        if row is None:
            row = self._rows[len(present)] = backend.Row(
                self.name, len(present), self._forward, lambda: ((self._vjp,), (None,)), joint=True
            )
        return backend.apply(row, tuple(present), (call,))

    def __repr__(self) -> str:
        return f"<fused operation {self.name}>"

    def _forward(self, *values: Any) -> Any:
        *present, call = values
        return self._kernel(call.placed(tuple(present)), call.saved, **call.keywords)

    def _vjp(self, f: Any, g: Any, args: tuple[Any, ...], y: Any, call: _Call) -> tuple[Any, ...]:
        if isinstance(g, Tensor):
            found: tuple[Any, ...] = backend.call_recording(True, self._recorded, g, args, call)
            return found
        pulled = self._backward(g, call.placed(args), y, call.saved, call.wanted, **call.keywords)
        return call.taken(tuple(pulled))

    def _recorded(self, g: Tensor, args: tuple[Any, ...], call: _Call) -> tuple[Any, ...]:
        """The gradients as Tensors with a graph: those of the composition, computed anew."""
        from .register import ROWS

        inputs = list(call.placed(args))
        targets = {}
        for k, wanted in enumerate(call.wanted):
            if wanted:
                x = inputs[k]
                # A node of its own for each input: the same Tensor may have been given twice.
                own = backend.apply(ROWS["positive"], (x,)) if x.requires_grad else backend.leaf(x._array, True)
                inputs[k] = targets[k] = own
        out = self.composition(*inputs, **call.keywords)
        found: list[Any] = [None] * len(inputs)
        if out.requires_grad:
            gradients = backend.run([out], [g], list(targets.values()), True, True) or []
            for k, gradient in zip(targets, gradients, strict=True):
                found[k] = gradient
        return call.taken(tuple(found))


def fused(
    name: str,
    *,
    composition: Callable[..., Any],
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    domain: Callable[[np.random.Generator], list[Any]],
) -> Fused:
    """Declare a fused operation; see `Fused`."""
    if name in FUSED:
        raise ValueError(f"fused operation {name!r} is declared twice")
    FUSED[name] = Fused(name, composition, forward, backward, domain)
    return FUSED[name]

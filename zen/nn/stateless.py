"""`functional_call`: a module with other parameters, for transforms that differentiate or map these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..backend import Tensor
from ..batched import Batched
from .module import Module
from .replacing import replaced

_KINDS = ("_parameters", "_buffers")


def functional_call(
    module: Module, parameters_and_buffers: Mapping[str, Any], args: Any = (), kwargs: Mapping[str, Any] | None = None,
    *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """`module(*args, **kwargs)`, with other Tensors in the place of some of its parameters and buffers.

    parameters_and_buffers: Tensors by their dotted names, as in `dict(module.named_parameters())`; those that are not
    named stay. args: the positional arguments as a tuple, or the only one. tie_weights: a parameter that the module
    holds under several names is replaced under all of them. strict: every name has to be there. The module is as before
    when the call is over; buffers that it replaced meanwhile are lost. Only this thread sees the other Tensors: threads
    may call one module at a time, and those that the module starts itself see its own.

    Raises KeyError for a name that the module does not have, or with `strict` for one that is missing, TypeError for
    what is no Tensor, ValueError for another shape.

    >>> import numpy as np
    >>> model = zen.nn.Linear(2, 1)
    >>> given = {"weight": zen.tensor([[1.0, 2.0]]), "bias": zen.tensor([0.5])}
    >>> zen.nn.functional_call(model, given, zen.tensor([1.0, 1.0])).tolist()
    [3.5]
    """
    if not isinstance(module, Module):
        raise TypeError(f"functional_call: expected a Module, not {type(module).__name__}")
    own = {name: (kind, owner, last) for name, kind, owner, last in _places(module)}
    for name, value in parameters_and_buffers.items():
        if name not in own:
            raise KeyError(f"functional_call: the module has no parameter or buffer {name!r}; it has {', '.join(own)}")
        if not isinstance(value, (Tensor, Batched)):
            raise TypeError(f"functional_call: {name} must be a Tensor, not {type(value).__name__}")
        held = getattr(own[name][1], own[name][2])
        if held is not None and held.shape != value.shape:
            raise ValueError(f"functional_call: {name} has shape {held.shape}, but shape {value.shape} was given")
    missing = [name for name in own if name not in parameters_and_buffers]
    if strict and missing:
        raise KeyError(f"functional_call: strict=True, but {', '.join(missing)} was not given")
    positional = args if isinstance(args, tuple) else (args,)
    with replaced(_values(own, parameters_and_buffers, tie_weights)):
        return module(*positional, **(kwargs or {}))


def _places(module: Module) -> Iterator[tuple[str, str, Any, str]]:
    """(dotted name, kind, owner, attribute) of every parameter and buffer, shared ones under each name."""
    for path, owner in module.named_modules(remove_duplicate=False):
        for kind in _KINDS:
            for last in getattr(owner, kind):
                yield f"{path}.{last}" if path else last, kind, owner, last


def _values(own: dict[str, Any], given: Mapping[str, Any], tied: bool) -> dict[int, tuple[Any, dict[str, Any]]]:
    """All parameters and buffers of each module as the call sees them."""
    by_identity = {id(getattr(own[name][1], own[name][2])): value for name, value in given.items()} if tied else {}
    found: dict[int, tuple[Any, dict[str, Any]]] = {}
    for name, (_, owner, last) in own.items():
        held = getattr(owner, last)
        value = given.get(name, by_identity.get(id(held)) if held is not None else None)
        named = found.setdefault(id(owner), (owner, {}))[1]
        if value is not None or last not in named:
            named[last] = held if value is None else value
    return found

"""Parameters that are computed from others whenever they are read: as torch.nn.utils.parametrize.

`register_parametrization(module, "weight", part)` replaces the parameter by what the module `part` makes of it. What is
trained is then `module.parametrizations.weight.original`, or `original0`, `original1` and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend
from ..attached import inplace
from ..backend import Tensor
from .containers import ModuleDict, ModuleList
from .module import Module
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from ..typing import ArrayLike

__all__ = ["ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations"]
__dir__ = __all__.copy


class ParametrizationList(ModuleList):
    """The originals of one parameter, and the modules that it passes through, one after the other."""

    original: Tensor

    def __init__(self, first: Module, original: Tensor) -> None:
        super().__init__([first])
        found = _inverted(first, original.detach())
        self.count = len(found) if isinstance(found, tuple) else 0
        trained = isinstance(original, Parameter)
        for name, value in self._named_originals(found):
            kept = value if isinstance(value, Tensor) else Tensor(value)
            made = Parameter(kept.detach(), original.requires_grad) if trained else Buffer(kept.detach())
            setattr(self, name, made)

    def _named_originals(self, values: Any) -> list[tuple[str, Any]]:
        if not isinstance(values, tuple):
            return [("original", values)]
        return [(f"original{k}", value) for k, value in enumerate(values)]

    def forward(self) -> Tensor:
        """The parameter."""
        first, *rest = self
        if self.count:
            x: Tensor = first(*[getattr(self, f"original{k}") for k in range(self.count)])
        else:
            x = first(self.original)
        for part in rest:
            x = part(x)
        return x

    def keep(self, original: Tensor) -> None:
        """Let `original` itself be what is trained, where there is a single one of its shape and dtype."""
        if self.count == 0:
            own = self.original
            if own.shape == original.shape and own.dtype == original.dtype:
                backend.call_recording(False, inplace.copy_, original, own)
                self.original = original

    def assign(self, value: ArrayLike) -> None:
        """Write into the originals so that the parameter becomes `value`; NotImplementedError without a right_inverse.

        They stay the same objects, so optimisers keep them. Raises ValueError for a value of another shape.
        """
        given: Any = value.detach() if isinstance(value, Tensor) else Tensor(np.array(value))
        for part in reversed(list(self)):
            if not hasattr(part, "right_inverse"):
                raise NotImplementedError(
                    f"{type(part).__name__} has no right_inverse, which assigning to a parametrized tensor needs"
                )
            given = part.right_inverse(given)
        pairs = [(name, getattr(self, name), new.detach()) for name, new in self._named_originals(given)]
        for name, old, new in pairs:
            if old.shape != new.shape:
                raise ValueError(f"a value of shape {new.shape} for {name} of shape {old.shape}")
        for _, old, new in pairs:
            backend.call_recording(False, inplace.copy_, old, new.astype(old.dtype))


def _inverted(part: Module, value: Tensor) -> Any:
    inverse = getattr(part, "right_inverse", None)
    return value.clone() if inverse is None else inverse(value)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or buffer of `module` be what `parametrization` makes of it; returns the module.

    parametrization: a Module whose forward takes the original and returns the parameter. Its `right_inverse`, if there
    is one, makes the original, or a tuple of several, of the present value; otherwise the value itself is the original.
    A single original is the parameter that was there before, so optimisers keep it. A second parametrization is applied
    to the result of the first. unsafe: leave out the check that shape and dtype stay what they are. Raises KeyError for
    a name that is no parameter, ValueError for a result of another shape or dtype.

    >>> class Positive(zen.nn.Module):
    ...     def forward(self, x):
    ...         return zen.exp(x)
    ...     def right_inverse(self, y):
    ...         return zen.log(y)
    >>> layer = zen.nn.parametrize.register_parametrization(zen.nn.PReLU(init=0.5), "weight", Positive())
    >>> layer(zen.tensor([-2.0])).tolist()
    [-1.0]
    """
    if not isinstance(parametrization, Module):
        raise TypeError(f"register_parametrization: expected a Module, not {type(parametrization).__name__}")
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        present = getattr(module, tensor_name)
        _check(parametrization, tensor_name, parametrization(present), present, unsafe)
        module.parametrizations[tensor_name].append(parametrization)  # type: ignore[attr-defined]
    else:
        _replace(module, tensor_name, parametrization, unsafe)
    return module


def _check(parametrization: Module, name: str, made: Tensor, before: Tensor, unsafe: bool) -> None:
    if not unsafe and (made.shape != before.shape or made.dtype != before.dtype):
        raise ValueError(
            f"register_parametrization: {type(parametrization).__name__} makes {made.dtype}{made.shape} of {name!r}, "
            f"which is {before.dtype}{before.shape}; pass unsafe=True where that is meant"
        )


def _replace(module: Module, name: str, parametrization: Module, unsafe: bool) -> None:
    own = module.__dict__
    if own["_parameters"].keys().isdisjoint([name]) and own["_buffers"].keys().isdisjoint([name]):
        raise KeyError(f"register_parametrization: {type(module).__name__} has no parameter or buffer {name!r}")
    original = own[name]
    if original is None:
        raise KeyError(f"register_parametrization: {name!r} of {type(module).__name__} is None")
    parts = ParametrizationList(parametrization, original)
    _check(parametrization, name, parts(), original, unsafe)
    parts.keep(original)
    base, names = _base(module)
    delattr(module, name)
    if not names:
        module.parametrizations = ModuleDict()
    module.parametrizations[name] = parts  # type: ignore[attr-defined]
    module.__class__ = _parametrized(base, (*names, name))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether any parameter of `module` is parametrized, or that of the name."""
    names = _base(module)[1]
    return bool(names) if tensor_name is None else tensor_name in names


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parameter an ordinary one again; returns the module.

    leave_parametrized: it keeps the value that it has, else it gets the original back, where there is a single one.
    A single original becomes the parameter again, so optimisers keep it.
    Raises ValueError for a name that is not parametrized, and for several originals to be given back.
    """
    base, names = _base(module)
    if tensor_name not in names:
        raise ValueError(f"remove_parametrizations: {type(module).__name__} has no parametrized {tensor_name!r}")
    parts: Any = module.parametrizations[tensor_name]  # type: ignore[attr-defined]
    if not leave_parametrized and parts.count:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} is made of {parts.count} originals; pass leave_parametrized=True"
        )
    first = parts.original0 if parts.count else parts.original
    value = parts() if leave_parametrized else first
    left = tuple([name for name in names if name != tensor_name])
    module.__class__ = _parametrized(base, left) if left else base
    del module.parametrizations[tensor_name]  # type: ignore[attr-defined]
    if not left:
        delattr(module, "parametrizations")
    if not parts.count and value.shape == first.shape and value.dtype == first.dtype:
        made = first
        backend.call_recording(False, inplace.copy_, first, value.detach())
    else:
        trained = isinstance(first, Parameter)
        made = Parameter(value.detach(), first.requires_grad) if trained else Buffer(value.detach())
    setattr(module, tensor_name, made)
    return module


def _base(module: Module) -> tuple[type[Module], tuple[str, ...]]:
    """The class that the module had before, and the names that are parametrized."""
    kind = type(module)
    return getattr(kind, "_parametrized_base", kind), getattr(kind, "_parametrized_names", ())


_CLASSES: dict[tuple[Any, tuple[str, ...]], type[Module]] = {}


def _parametrized(base: type[Module], names: tuple[str, ...]) -> type[Module]:
    """The class of `base` in which these names are computed when they are read."""
    if (base, names) not in _CLASSES:
        _CLASSES[base, names] = _made(base, names)
    return _CLASSES[base, names]


def _made(base: type[Module], names: tuple[str, ...]) -> type[Module]:

    def reading(name: str) -> Any:
        return property(lambda self: self.parametrizations[name]())

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if name in names:
            self.parametrizations[name].assign(value)
        else:
            base.__setattr__(self, name, value)

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return _restored, (base, names), dict(self.__dict__)

    def __setstate__(self: Any, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    members = {name: reading(name) for name in names}
    return type(f"Parametrized{base.__name__}", (base,), {
        **members, "__setattr__": __setattr__, "__reduce_ex__": __reduce_ex__, "__setstate__": __setstate__,
        "__module__": base.__module__, "__doc__": base.__doc__, "_parametrized_base": base,
        "_parametrized_names": names,
    })  # fmt: skip


def _restored(base: type[Module], names: tuple[str, ...]) -> Module:
    """An empty module of the class, to be filled by copy and pickle."""
    return object.__new__(_parametrized(base, names))

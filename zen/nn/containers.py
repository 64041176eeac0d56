"""Containers: modules and parameters in sequences and dicts, registered like attributes of the same names."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from ..backend import Tensor
from .module import Module
from .parameter import Parameter


class _Numbered(Module):
    """Members under the names "0", "1", ...: what Sequential, ModuleList and ParameterList share."""

    _registry = "_modules"

    def _add(self, name: str, member: Any) -> None:
        self.register_module(name, member)

    def _of(self, members: list[Any]) -> Any:
        """A container of the same kind around these members."""
        kind: Any = type(self)
        return kind(members)

    def _values(self) -> list[Any]:
        own = self.__dict__
        return [own[name] for name in own[self._registry]]

    def _position(self, index: Any) -> str:
        names: list[str] = list(self.__dict__[self._registry])
        try:
            return names[operator.index(index)]
        except IndexError:
            raise IndexError(f"index {index} is out of range for a {type(self).__name__} of {len(names)}") from None

    def _replace_all(self, members: Iterable[Any]) -> None:
        members = list(members)
        own = self.__dict__
        for name in list(own[self._registry]):
            delattr(self, name)
        for k, member in enumerate(members):
            self._add(str(k), member)

    def __len__(self) -> int:
        return len(self.__dict__[self._registry])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(self._values()[index])
        return self.__dict__[self._position(index)]

    def __setitem__(self, index: int, member: Any) -> None:
        self._add(self._position(index), member)

    def __delitem__(self, index: int | slice) -> None:
        members = self._values()
        if not isinstance(index, slice):
            self._position(index)
        del members[index]
        self._replace_all(members)

    def __contains__(self, member: object) -> bool:
        return any([member is own for own in self._values()])

    def append(self, member: Any) -> Self:
        """Add one at the end; returns the container."""
        self._add(str(len(self)), member)
        return self

    def extend(self, members: Iterable[Any]) -> Self:
        """Add all at the end; returns the container."""
        if not isinstance(members, (Iterable, Tensor)):
            raise TypeError(f"{type(self).__name__}: expected a sequence, not {type(members).__name__}; write [member]")
        for member in list(members):
            self.append(member)
        return self

    def insert(self, index: int, member: Any) -> Self:
        """Put one before position `index`; returns the container."""
        members = self._values()
        members.insert(index, member)
        self._replace_all(members)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take one out and return it."""
        member = self[index]
        del self[index]
        return member


class Sequential(_Numbered):
    """Modules called one after the other, each with the result of the one before.

    Arguments: the modules, or one dict from names to modules. Indexing, slices (which are Sequentials of the same
    modules), len, append, insert, extend and del work as on a list; `+` joins two, and `*` repeats the same modules.

    >>> model = zen.nn.Sequential(zen.nn.Linear(4, 3), zen.nn.ReLU(), zen.nn.Linear(3, 2))
    >>> model(np.ones((5, 4), np.float32)).shape, len(model[:2])
    ((5, 2), 2)
    """

    @overload
    def __init__(self, *modules: Module) -> None: ...
    @overload
    def __init__(self, modules: Mapping[str, Module], /) -> None: ...
    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named = len(modules) == 1 and isinstance(modules[0], Mapping)
        for name, module in modules[0].items() if named else enumerate(modules):
            self.register_module(str(name), module)

    def forward(self, input: Any) -> Tensor:
        own = self.__dict__
        for name in own["_modules"]:
            input = own[name](input)
        return input  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            own = self.__dict__
            return type(self)({name: own[name] for name in list(own["_modules"])[index]})
        return super().__getitem__(index)

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            return NotImplemented
        if times < 1:
            raise ValueError(f"Sequential * {times}: the number of repetitions must be at least 1")
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__

    def _replace_all(self, members: Iterable[Any]) -> None:
        """Members that stay keep names that are not numbers."""
        own, members = self.__dict__, list(members)
        names = {id(own[name]): name for name in own["_modules"] if not name.isdigit()}
        for name in list(own["_modules"]):
            delattr(self, name)
        for k, member in enumerate(members):
            self._add(names.get(id(member), str(k)), member)


class ModuleList(_Numbered):
    """A list of modules whose parameters are found. It has no forward.

    >>> layers = zen.nn.ModuleList([zen.nn.Linear(2, 2) for _ in range(3)])
    >>> len(list(layers.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def __add__(self, modules: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *modules])

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)


class ParameterList(_Numbered):
    """A list of parameters; Tensors and arrays become Parameters.

    >>> len(zen.nn.ParameterList([np.zeros(3), np.zeros((2, 2))]))
    2
    """

    _registry = "_parameters"

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _add(self, name: str, member: Any) -> None:
        self.register_parameter(name, member if isinstance(member, Parameter) else Parameter(member))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        return ", ".join([f"{p.dtype}{p.shape}" for p in self])


class _Named(Module):
    """Members under names of the caller's: what ModuleDict and ParameterDict share."""

    _registry = "_modules"

    def _add(self, name: str, member: Any) -> None:
        self.register_module(name, member)

    def __len__(self) -> int:
        return len(self.__dict__[self._registry])

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.__dict__[self._registry]))

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__[self._registry]

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self) or 'nothing'}")
        return self.__dict__[name]

    def __setitem__(self, name: str, member: Any) -> None:
        self._add(name, member)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self) or 'nothing'}")
        delattr(self, name)

    def keys(self) -> list[str]:
        """The names."""
        return list(self)

    def values(self) -> list[Any]:
        """The members."""
        return [self.__dict__[name] for name in self]

    def items(self) -> list[tuple[str, Any]]:
        """Names and members."""
        return [(name, self.__dict__[name]) for name in self]

    def pop(self, key: str) -> Any:
        """Take one out and return it."""
        member = self[key]
        del self[key]
        return member

    def get(self, key: str, default: Any = None) -> Any:
        """The member of this name, or `default`."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The member of this name, which is first made of `default` if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take all out."""
        for name in list(self):
            del self[name]

    def update(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add all members of a dict, or of pairs."""
        if not isinstance(members, (Mapping, _Named)):
            members = list(members)
            if not all([isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in members]):
                raise TypeError(f"{type(self).__name__}: expected a dict, or pairs of a name and a member")
        for name, member in members.items() if isinstance(members, (Mapping, _Named)) else members:
            self._add(name, member)


class ModuleDict(_Named):
    """A dict of modules whose parameters are found. It has no forward. Names have no dots, and no method has them.

    >>> heads = zen.nn.ModuleDict({"a": zen.nn.Linear(2, 1), "b": zen.nn.Linear(2, 3)})
    >>> heads["b"](np.zeros(2, np.float32)).shape
    (3,)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update({} if modules is None else modules)


class ParameterDict(_Named):
    """A dict of parameters; Tensors and arrays become Parameters.

    >>> zen.nn.ParameterDict({"scale": np.ones(3)})["scale"].shape
    (3,)
    """

    _registry = "_parameters"

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update({} if parameters is None else parameters)

    def _add(self, name: str, member: Any) -> None:
        self.register_parameter(name, member if isinstance(member, Parameter) else Parameter(member))

    def extra_repr(self) -> str:
        return ", ".join([f"{name}: {p.dtype}{p.shape}" for name, p in self.items() if isinstance(p, Tensor)])

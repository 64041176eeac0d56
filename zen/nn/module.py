"""Module: a function with parameters, made of smaller ones.

Attributes are ordinary attributes, in the instance's `__dict__`: reading one costs what it costs on any object.
Assignment alone is watched. The names of what was assigned are kept, in order, in `_parameters`, `_buffers` and
`_modules` (dicts from name to None), which say what `parameters()`, `state_dict()` and the rest walk over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import backend
from ..backend import Tensor
from ..batched import Batched
from . import arguments, state
from .description import describe
from .hooks import Hook, Hooks, RemovableHandle, call
from .parameter import Buffer, Parameter
from .summary import summary as _summary

_REGISTRIES = ("_parameters", "_buffers", "_modules")
_OWN = __name__.rpartition(".")[0] + "."  # where zen's own modules are defined
_KINDS = {"_parameters": "parameter", "_buffers": "buffer", "_modules": "module"}

if TYPE_CHECKING:
    from typing import ParamSpec, Protocol, TypeVar

    _Arguments = ParamSpec("_Arguments")
    _Result = TypeVar("_Result", covariant=True)

    class _Forward(Protocol[_Arguments, _Result]):
        def forward(self, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result: ...


class Module:
    """Base class of layers and models. Subclasses define `forward`; calling the module runs it.

    Parameters, Buffers and Modules that are assigned to attributes are registered.

    >>> class Scale(zen.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = zen.nn.Parameter(np.ones(3))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    >>> [name for name, _ in Scale().named_parameters()]
    ['factor']
    """

    training: bool
    _parameters: dict[str, None]
    _buffers: dict[str, None]
    _modules: dict[str, None]
    _transient: set[str]
    _hooks: Hooks | None = None
    _remembered = frozenset({*_REGISTRIES, "_transient"})  # see `zen/program/entering.py`

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith(_OWN):
            arguments.rename(cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if (args or kwargs) and cls.__module__.startswith(_OWN):
            arguments.check(cls, args, kwargs)
        return super().__new__(cls)

    def __init__(self) -> None:
        own = self.__dict__
        own["training"] = True
        for registry in _REGISTRIES:
            own[registry] = {}
        own["_transient"] = set()  # names of buffers that the state does not contain

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines its own."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward()")

    if TYPE_CHECKING:

        def __call__(
            self: _Forward[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
        ) -> _Result:
            """What `forward` of the subclass takes and returns."""
    else:

        def __call__(self, *args, **kwargs):
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return call(self, self._hooks, args, kwargs)

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        wanted = _registry_of(value)
        if "_modules" not in own:
            if wanted is not None:
                raise AttributeError(
                    f"{type(self).__name__}.{name}: call super().__init__() before assigning a {_KINDS[wanted]}"
                )
        elif wanted is not None:
            self._register(wanted, name, value)
            return
        else:
            for registry in _REGISTRIES:
                if name in own[registry] and not (value is None or (registry == "_buffers" and _is_tensor(value))):
                    raise TypeError(
                        f"{type(self).__name__}.{name} is a {_KINDS[registry]}: it takes a "
                        f"{'Tensor' if registry == '_buffers' else _KINDS[registry].capitalize()} or None, "
                        f"not {type(value).__name__}; del it first to make it an ordinary attribute"
                    )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        own = self.__dict__
        for registry in _REGISTRIES:
            own.get(registry, {}).pop(name, None)
        own.get("_transient", set()).discard(name)

    def _register(self, registry: str, name: str, value: Any) -> None:
        own = self.__dict__
        for other in _REGISTRIES:
            if other != registry:
                own[other].pop(name, None)
        own[registry][name] = None
        own["_transient"].discard(name)
        if isinstance(value, Buffer) and not value.persistent:
            own["_transient"].add(name)
        own[name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a Parameter, or None in the place of one, under `name`; TypeError for anything else."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter({name!r}): expected a Parameter or None, not {type(param).__name__}")
        self._register("_parameters", self._new_name(name, "_parameters"), param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a Tensor, or None in the place of one, that belongs to the state without being trained.

        persistent=False keeps it out of `state_dict()`.
        """
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer({name!r}): expected a Tensor or None, not {type(tensor).__name__}")
        self._register("_buffers", self._new_name(name, "_buffers"), tensor)
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Register a Module, or None in the place of one, under `name`; TypeError for anything else."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: expected a Module or None as {name!r}, not {arguments.described(module)}"
            )
        self._register("_modules", self._new_name(name, "_modules"), module)

    add_module = register_module

    def _new_name(self, name: str, registry: str) -> str:
        if "_modules" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() before registering {name!r}")
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{name!r} cannot name a {_KINDS[registry]}: it must be a string, not empty, without a dot")
        if hasattr(self, name) and name not in self.__dict__[registry]:
            raise KeyError(f"{type(self).__name__} already has an attribute {name!r}")
        return name

    # Walks

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their dotted names; a shared one once, under its first name."""
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        if remove_duplicate:
            memo.add(id(self))
        yield prefix, self
        for name, child in self._members("_modules"):
            yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it; a shared one once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one with their names, each once."""
        return _once(self._members("_modules"))

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        for _, module in self.named_children():
            yield module

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names; a shared one once. recurse: those of modules below as well."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once, in the order of their assignment."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names; a shared one once. recurse: those of modules below as well."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once, in the order of their assignment."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _members(self, registry: str) -> Iterator[tuple[str, Any]]:
        own = self.__dict__
        for name in list(own[registry]):
            if own[name] is not None:
                yield name, own[name]

    def _named(self, registry: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        def every() -> Iterator[tuple[str, Any]]:
            owners = self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else [(prefix, self)]
            for path, module in owners:
                for name, value in module._members(registry):
                    yield f"{path}.{name}" if path else name, value

        return _once(every()) if once else every()

    def get_submodule(self, target: str) -> Module:
        """The module of this dotted name, "" being this one; AttributeError that says where the path ends."""
        module = self
        for k, part in enumerate(target.split(".") if target else []):
            found = module.__dict__.get(part)
            if not isinstance(found, Module):
                path = ".".join(target.split(".")[:k]) or "the module"
                raise AttributeError(f"get_submodule({target!r}): {path} ({type(module).__name__}) has no {part!r}")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module under this dotted name, in the place of the one there or, unless strict, as a new one.

        AttributeError where the path ends, or with strict where there is no module of that name; KeyError where
        another attribute has it; TypeError for what is no Module.
        """
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict:
            parent.get_submodule(name)
        parent.register_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of this dotted name; AttributeError if there is none."""
        found: Any = self._get(target, "_parameters")  # in a `functional_call` any Tensor
        return found  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of this dotted name; AttributeError if there is none."""
        return self._get(target, "_buffers")

    def _get(self, target: str, registry: str) -> Tensor:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = module.__dict__[registry].keys() & {name} and module.__dict__[name]
        if not isinstance(found, (Tensor, Batched)):
            raise AttributeError(f"{path or 'the module'} ({type(module).__name__}) has no {_KINDS[registry]} {name!r}")
        return found  # type: ignore[return-value]

    # State

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """The parameters and persistent buffers by name, detached: they share the module's memory.

        destination: a dict to add them to, which is returned. prefix: what every name begins with. keep_vars: the
        Parameters themselves, not detached.
        """
        found = {} if destination is None else destination
        found.update({name: t if keep_vars else t.detach() for name, t in state.entries(self, prefix).items()})
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Copy values (Tensors, arrays) into the parameters and buffers of the same names.

        strict: every name must occur on both sides. assign: put the values themselves, with their dtypes and memory, in
        the place of the parameters and buffers; optimisers then still have the old ones. Raises RuntimeError that lists
        all names missing, unexpected, of a wrong shape or of a dtype that does not fit; the module is unchanged then.
        Returns the names left out.
        """
        return state.load(self, state_dict, strict, assign)

    def to(self, *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False) -> Self:
        """Convert all floating parameters and buffers, and their gradients, to a floating dtype; returns the module.

        args: a dtype, a Tensor of that dtype, or a device, or a device and a dtype. The Parameters stay the same
        objects, so optimisers keep them; graphs recorded before lead to them no longer. The device "cpu" changes
        nothing; any other raises ValueError. non_blocking is PyTorch's, and does nothing.
        """
        for wanted in (device, *args, dtype):
            if wanted is not None and not isinstance(wanted, bool):
                state.convert(self, wanted.dtype if isinstance(wanted, Tensor) else wanted)
        return self

    def cpu(self) -> Self:
        """The module itself, which is there already."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Raises ValueError: there is no other device than the processor."""
        return self.to("cuda")

    def float(self) -> Self:
        """`to(float32)`."""
        return self.to(np.float32)

    def double(self) -> Self:
        """`to(float64)`."""
        return self.to(np.float64)

    def half(self) -> Self:
        """`to(float16)`. Kernels compute in float32 and float64 alone: float16 saves memory, not time."""
        return self.to(np.float16)

    # Modes

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it in training mode (dropout drops, batch statistics); returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, not {mode!r}")
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self) -> Self:
        """Put this module and all below it in evaluation mode; returns the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Have all parameters take part in gradients, or freeze them; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Discard the gradients of all parameters, or with set_to_none=False put zeros in their place."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else backend.wrap(np.zeros(parameter.shape, parameter.dtype))

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module, those below first; returns the module."""
        if not callable(fn):
            raise TypeError(f"apply: expected a function of a module, not {type(fn).__name__}")
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # Hooks

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, unless None, replaces the arguments.

        with_kwargs: `hook(module, args, kwargs)`, returning None or (args, kwargs). prepend: before the others.
        """
        return self._hook().add("before", hook, with_kwargs, prepend)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, result)` after each forward; what it returns, unless None, replaces the result.

        with_kwargs: `hook(module, args, kwargs, result)`. prepend: before the others. always_call: also where the call
        raises, with the result so far or None; an error of the hook is a warning then.
        """
        return self._hook().add("after", hook, with_kwargs, prepend, always_call)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` once the gradients of a call's results are complete.

        grad_output: a tuple of the results' gradients. What it returns, unless None, replaces the gradient where the
        module returned one Tensor.
        """
        return self._hook().add("before_backward", hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of a call's arguments are complete.

        Both are tuples, grad_input for the positional arguments, with None for what has no gradient. What it returns,
        unless None, replaces the gradient where one argument has any. Results that are Tensors, or tuples or lists of
        Tensors, are watched.
        """
        return self._hook().add("after_backward", hook, prepend=prepend)

    def _hook(self) -> Hooks:
        hooks: Hooks = self.__dict__.setdefault("_hooks", Hooks())  # in one step: threads may share the module
        return hooks

    # Text

    def extra_repr(self) -> str:
        """What `repr` shows between the parentheses; subclasses define their own."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        return describe(self)

    summary = _summary


def _registry_of(value: Any) -> str | None:
    if isinstance(value, Parameter):
        return "_parameters"
    if isinstance(value, Module):
        return "_modules"
    return "_buffers" if isinstance(value, Buffer) else None


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _once(members: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    seen = set()
    for name, value in members:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value

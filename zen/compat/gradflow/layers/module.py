"""gradflow's `layers.module`: `Module`, a function with parameters, made of smaller ones."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from ..grad_engine import Device, Variable

DEFAULT_MODULE_NAME = "Module"


class Module(ABC):
    """Base class of layers and models. Subclasses define `forward`, and register what they consist of by hand.

    >>> from zen.compat.gradflow.layers import Linear, Module
    >>> class Pair(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.first, self.second = self.add_module(Linear(2, 3)), self.add_module(Linear(3, 1))
    ...     def forward(self, input):
    ...         return self.second(self.first(input))
    >>> [p.data.shape for p in Pair().parameters]
    [(3, 1), (1,), (2, 3), (3,)]
    """

    def __init__(self, training: bool = True) -> None:
        self._parameters: list[Variable] = []
        self._modules: list[Module] = []
        self._training = training
        self._module_name = DEFAULT_MODULE_NAME
        self._device: str = Device.CPU.value

    @abstractmethod
    def forward(self, input: Variable) -> Variable:
        """What the module computes; every subclass defines its own."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def add_parameter(self, parameter: Variable) -> Variable:
        """Register a parameter, and return it."""
        self._parameters.append(parameter)
        return parameter

    def add_module(self, module: Module) -> Module:
        """Register a module that this one contains, and return it."""
        self._modules.append(module)
        return module

    def __call__(self, input: Variable) -> Variable:
        if input.device != self._device:
            raise ValueError(
                f"Input data device {input.device} is different than the current module device {self._device}"
            )
        return self.forward(input)

    @property
    def modules(self) -> list[Module]:
        """The modules directly inside this one."""
        return self._modules

    @property
    def parameters(self) -> list[Variable]:
        """The parameters of this module and all inside it, each once: its own, then those of the modules, last first.

        Raises RecursionError if a module contains itself.
        """
        found: dict[int, Variable] = {}
        complete: set[int] = set()
        open_modules: set[int] = set()
        pending: list[tuple[Module, bool]] = [(self, True)]
        while pending:
            module, entering = pending.pop()
            if not entering:
                open_modules.discard(id(module))
                complete.add(id(module))
            elif id(module) in open_modules:
                raise RecursionError(
                    f"Module already visited, cycle detected: a {type(module).__name__} contains itself"
                )
            elif id(module) not in complete:
                open_modules.add(id(module))
                found.update({id(p): p for p in module._parameters if id(p) not in found})
                pending.append((module, False))
                pending.extend([(child, True) for child in module.modules])
        return list(found.values())

    def module_name(self) -> str:
        """The module's name."""
        return self._module_name

    def __repr__(self) -> str:
        if not self.modules:
            return self.module_name()
        names = [module.module_name() for module in self.modules]
        return os.linesep.join([self.module_name(), "Children modules:", *names])

    def to(self, device: str = "cpu") -> None:
        """Move the parameters to a device; there is only "cpu"."""
        for parameter in self.parameters:
            parameter.to(device)
        self._device = device

"""For the tests of `zen.compat.gradflow`: a module that only holds others."""

from zen.compat.gradflow.layers import Module


class Composite(Module):
    def __init__(self, *modules):
        super().__init__()
        for module in modules:
            self.add_module(module)

    def forward(self, input):
        return input

"""gradflow's `layers.linear`: `Linear`."""

from __future__ import annotations

import numpy as np

from ..grad_engine import Variable
from .module import Module


class Linear(Module):
    """`input @ weights + b`, for inputs of shape (samples, in_size) or (in_size,).

    in_size, out_size: the numbers of features. `weights` has shape (in_size, out_size), `b` (out_size,). Their initial
    values are drawn uniformly from 0 to 1 by NumPy's global generator, as in the original: `numpy.random.seed`.

    >>> from zen.compat.gradflow.layers import Linear
    >>> layer = Linear(in_size=2, out_size=3)
    >>> layer(Variable(np.ones((5, 2)))).data.shape
    (5, 3)
    """

    def __init__(self, in_size: int, out_size: int) -> None:
        super().__init__()
        self.weights = Variable(np.random.uniform(size=(in_size, out_size)), requires_grad=True)
        self.b = Variable(np.random.uniform(size=out_size), requires_grad=True)
        self.add_parameter(self.weights)
        self.add_parameter(self.b)

    def forward(self, input: Variable) -> Variable:
        """The outputs, of shape (samples, out_size) or (out_size,)."""
        return input @ self.weights + self.b

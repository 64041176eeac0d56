"""gradflow's `activations.common`: relu, softmax, sigmoid and tanh. The file's name is the original's."""

from __future__ import annotations

from .... import f as _f
from ..grad_engine import Variable, result


def relu(input: Variable) -> Variable:
    """The larger of each element and 0; its derivative at 0 is 0."""
    return result(_f.relu(input._tensor()), input)


def softmax(input: Variable, axis: int = 0) -> Variable:
    """exp(x) / sum(exp(x)) along `axis`. As in the original that is the first one; for rows of a batch give axis=-1.

    >>> from zen.compat.gradflow.activations import softmax
    >>> softmax(Variable(np.log([[1.0, 3.0], [1.0, 1.0]])), axis=-1).data.data
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    return result(_f.softmax(input._tensor(), axis=axis), input)


def sigmoid(input: Variable) -> Variable:
    """1 / (1 + exp(-x)) of each element."""
    return result(_f.sigmoid(input._tensor()), input)


def tanh(input: Variable) -> Variable:
    """The hyperbolic tangent of each element."""
    return result(_f.tanh(input._tensor()), input)

"""All parameters of a model as one vector, as torch.nn.utils: parameters_to_vector, vector_to_parameters."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .. import backend, f
from ..attached import inplace
from ..backend import Tensor
from ..dtypes import COMPLEX


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other; differentiable in each.

    Raises ValueError for no parameters.

    >>> zen.nn.parameters_to_vector([zen.tensor([[1.0, 2.0]]), zen.tensor(3.0)]).tolist()
    [1.0, 2.0, 3.0]
    """
    found = _checked("parameters_to_vector", parameters)
    if not found:
        raise ValueError("parameters_to_vector: there are no parameters")
    return f.concat([p.reshape((-1,)) for p in found])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, in place, one after the other.

    Raises ValueError for a vector that has not as many elements as the parameters, TypeError for a complex one and real
    parameters; nothing is written then.

    >>> w, b = zen.zeros((1, 2)), zen.zeros(1)
    >>> zen.nn.vector_to_parameters(zen.tensor([1.0, 2.0, 3.0]), [w, b])
    >>> w.tolist(), b.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: the vector must be a Tensor, not {type(vec).__name__}")
    found = _checked("vector_to_parameters", parameters)
    count = sum([p.size for p in found])
    if vec.shape != (count,):
        raise ValueError(f"vector_to_parameters: a vector of shape {vec.shape} for {count} elements of parameters")
    for k, p in enumerate(found):
        if vec.dtype in COMPLEX and p.dtype not in COMPLEX:
            raise TypeError(f"vector_to_parameters: parameter {k} is {p.dtype}, but the vector {vec.dtype}")
    values, at = np.array(vec.detach().numpy()), 0
    for p in found:
        backend.call_recording(False, inplace.copy_, p, values[at : at + p.size].reshape(p.shape))
        at += p.size


def _checked(name: str, parameters: Iterable[Tensor]) -> list[Tensor]:
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for k, p in enumerate(found):
        if not isinstance(p, Tensor):
            raise TypeError(f"{name}: parameter {k} is a {type(p).__name__}, not a Tensor")
    return found

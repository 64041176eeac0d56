"""PyTorch's `inplace=True`: the result of a function takes the place of its input, which is the Tensor returned."""

from __future__ import annotations

from typing import Any

from ..backend import Tensor
from .errors import reworded


def written(name: str, input: Any, result: Any) -> Any:
    """`input`, with the values and the graph of `result`; the errors of a write under the function's name."""
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{name}: inplace=True writes into a Tensor, and the input is of type {type(input).__name__}; leave "
            "inplace out"
        )
    if result is input:
        return input
    try:
        return input.copy_(result)
    except (RuntimeError, TypeError, ValueError) as error:
        raise reworded(error, f"{name}: {str(error).removeprefix('copy_: ')}") from None

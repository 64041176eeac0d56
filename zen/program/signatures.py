"""The arguments of a call: what selects a program, what is given to it, and what stands for them in a trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..dtypes import SUPPORTED
from .trace import Trace

_STATIC = (bool, int, str, bytes, complex, type(None))


def signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, list[Any], list[Any]]:
    """(key, leaves, others) of a call.

    key: structure, shapes, dtypes, constants and the recording mode; equal keys may share a program. leaves: the arrays
    and floats that are given to it. others: objects that are no data, which the key knows by identity.
    """
    leaves: list[Any] = []
    others: list[Any] = []
    key: tuple[Any, ...] = _form(args, leaves, others), _form(kwargs, leaves, others) if kwargs else None
    return (*key, backend.grad_enabled()), leaves, others


def _form(tree: Any, leaves: list[Any], others: list[Any]) -> Any:
    kind = type(tree)
    if isinstance(tree, (np.ndarray, Tensor)):
        if kind not in (np.ndarray, Tensor) and not isinstance(tree, Tensor):
            others.append(tree)
            return kind, id(tree)
        array = tree._array if isinstance(tree, Tensor) else tree
        if array.dtype not in SUPPORTED or not array.dtype.isnative:
            others.append(tree)
            return kind, id(tree)
        leaves.append(array)
        return kind, array.shape, array.dtype.char, isinstance(tree, Tensor) and tree.requires_grad
    if kind is float:
        leaves.append(tree)
        return kind
    if isinstance(tree, (tuple, list)):
        return kind, *[_form(x, leaves, others) for x in tree]
    if isinstance(tree, dict):
        return kind, *[(type(k), k, _form(x, leaves, others)) for k, x in tree.items()]
    if isinstance(tree, np.generic) and tree.dtype in SUPPORTED:
        leaves.append(np.asarray(tree))
        return kind
    if kind in _STATIC:
        return kind, repr(tree) if kind is complex else tree  # which tells signs of zeros apart
    others.append(tree)
    return kind, id(tree)


def substituted(trace: Trace, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, bool]:
    """The arguments with what stands for them in a trace, and whether there is a Tensor among them."""
    found = False

    def stands(x: Any) -> Any:
        nonlocal found
        if isinstance(x, Tensor):
            found = True
            array = x._array
            return trace.root(array.copy(), x.requires_grad) if array.dtype in SUPPORTED else x
        if type(x) is np.ndarray or isinstance(x, np.generic):
            return trace.root(np.array(x)) if x.dtype in SUPPORTED and x.dtype.isnative else x
        return trace.symbol(x) if type(x) is float else x

    return trees.transform(stands, args), trees.transform(stands, kwargs), found


def is_differentiated(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether somebody may differentiate by an argument."""
    return backend.grad_enabled() and any(
        [isinstance(x, Tensor) and x.requires_grad for x in trees.values([args, kwargs])]
    )


def plain_arguments(args: tuple[Any, ...]) -> list[Any] | None:
    """The arguments as `backend.Signature` compares them; None where they are more than arrays, Tensors and floats."""
    found: list[Any] = []
    for x in args:
        if type(x) is float:
            found.append(float)
        elif type(x) is np.ndarray or (type(x) is Tensor and not x.requires_grad):
            found.append((type(x) is Tensor, x.dtype.num, x.shape))
        else:
            return None
    return found

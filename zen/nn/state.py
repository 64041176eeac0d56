"""The state of a module as a flat dict of Tensors, and its restoration: checked as a whole, then copied. Its dtype."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..attached import inplace
from ..backend import Tensor
from ..conversion import convert as array_of
from ..conversion import supported
from ..dtypes import COMPLEX, INEXACT, RANK, complexed
from .base import AnyModule
from .parameter import Parameter


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left out."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def entries(module: AnyModule, prefix: str = "") -> dict[str, Tensor]:
    """The parameters and persistent buffers by their full names, in the order of `state_dict`."""
    found: dict[str, Tensor] = {}
    own = module.__dict__
    for name in (*own["_parameters"], *own["_buffers"]):
        if own[name] is not None and name not in own["_transient"]:
            found[prefix + name] = own[name]
    for name in own["_modules"]:
        if own[name] is not None:
            found.update(entries(own[name], f"{prefix}{name}."))
    return found


def load(module: AnyModule, state: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy `state` into the module, or assign it; nothing is changed unless everything fits."""
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict: expected a dict of names and Tensors, not {type(state).__name__}")
    own = entries(module)
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    problems: list[str] = []
    if strict and missing:
        problems.append("missing: " + ", ".join([f"{key} {own[key].shape}" for key in missing]))
    if strict and unexpected:
        problems.append("unexpected: " + ", ".join([f"{key}" for key in unexpected]))
    values = {}
    for key, target in own.items():
        if key in state:
            try:
                values[key] = _fitting(key, state[key], target, assign)
            except (TypeError, ValueError) as error:
                problems.append(str(error))
    if problems:
        raise RuntimeError(
            f"load_state_dict: the state does not fit {type(module).__name__}, which is unchanged:\n  "
            + "\n  ".join(problems)
        )
    if assign:
        for key, value in values.items():
            _assign(module, key, value)
        return IncompatibleKeys(missing, unexpected)
    for key, value in values.items():
        backend.call_recording(False, inplace.copy_, own[key], value)
    return IncompatibleKeys(missing, unexpected)


def _assign(module: AnyModule, key: str, value: np.ndarray) -> None:
    path, _, name = key.rpartition(".")
    owner = module.get_submodule(path)
    old = owner.__dict__[name]
    trained = isinstance(old, Parameter)
    setattr(owner, name, Parameter(value, old.requires_grad) if trained else backend.leaf(backend.borrow(value), False))


def _fitting(key: str, value: Any, target: Tensor, assign: bool) -> np.ndarray:
    try:
        array = value.array if isinstance(value, Tensor) else array_of(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"not a Tensor: {key}: {error}") from None
    if array.shape != target.shape:
        raise ValueError(f"wrong shape: {key} is {array.shape}, expected {target.shape}")
    if assign and isinstance(target, Parameter) and array.dtype not in INEXACT:
        raise TypeError(f"wrong dtype: {key} is {array.dtype}, and parameters need a floating or complex dtype")
    if RANK[array.dtype] > RANK[target.dtype]:
        raise TypeError(f"wrong dtype: {key} is {array.dtype}, which does not fit into {target.dtype}")
    if not assign and not target._array.flags.writeable:
        raise ValueError(f"read-only memory: {key} of the module cannot be written to")
    return array


def convert(module: AnyModule, dtype: Any) -> None:
    """Give all floating parameters and buffers, and their gradients, another dtype; they stay the same objects.

    Complex ones stay complex, of the precision of that dtype.
    """
    device = dtype.partition(":")[0] if isinstance(dtype, str) else None
    if device == "cpu":
        return
    if device in ("cuda", "mps", "xpu", "meta"):
        raise ValueError(f"to: there is no device {dtype!r}; zen computes on the processor, 'cpu'")
    wanted = supported(dtype)
    if wanted not in INEXACT:
        raise TypeError(f"to: parameters need a floating or complex dtype, not {wanted}")
    for t in [*module.parameters(), *module.buffers()]:
        own = complexed(wanted) if t.dtype in COMPLEX else wanted
        if t.dtype in INEXACT and t.dtype != own:
            required, grad = t.requires_grad, t.grad
            t.requires_grad_(False)
            Tensor.__init__(t, t._array.astype(own), required)
            if grad is not None:
                t.grad = backend.wrap(grad._array.astype(own))

"""What zen calls the arguments that users of PyTorch reach for: the advice in the error for an unknown one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, NoReturn

_ARGUMENTS = {
    "dim": ("axis", "axes"), "dims": ("axis", "axes"), "dim0": ("axes",), "dim1": ("axis1", "axes"), "dim2": ("axis2",),
    "keepdim": ("keepdims",), "unbiased": ("correction",), "p": ("ord",),
}  # fmt: skip
"""What an argument of another library may be called in zen."""


ABSENT = {
    "device": "leave it out: zen computes on the CPU", "pin_memory": "leave it out: zen computes on the CPU",
    "pin_memory_device": "leave it out: zen computes on the CPU",
    "size_average": "write reduction='mean' or 'sum'", "reduce": "write reduction='none' for False",
    "foreach": "leave it out: a step takes one pass over memory", "_weight": "use Embedding.from_pretrained",
    "fused": "leave it out: a step takes one pass over memory", "_freeze": "use Embedding.from_pretrained",
    "capturable": "leave it out: zen computes on the CPU", "min_value": "write min_val", "max_value": "write max_val",
    "differentiable": "leave it out: write p - lr * g yourself, with g from zen.gradients(..., create_graph=True)",
    "worker_init_fn": "leave it out: workers are threads, which share what the program has",
    "multiprocessing_context": "leave it out: workers are threads", "timeout": "leave it out: workers are threads",
    "persistent_workers": "leave it out: workers are threads", "in_order": "leave it out: batches come in order",
    "_stacklevel": "leave it out",
}  # fmt: skip
"""What PyTorch's functions and classes take and zen's do not: what to write."""


def refuse_absent(name: str, given: Iterable[str], own: Container[str] = ()) -> None:
    """Raise TypeError for the first of the arguments `given` that PyTorch has and zen has not."""
    for key in given:
        if key in ABSENT and key not in own:
            raise TypeError(f"{name}: there is no argument {key!r}; {ABSENT[key]}")


def refuse(function: Any, unknown: Mapping[str, Any]) -> NoReturn:
    """Raise TypeError for arguments that `function` does not have, with what to write for the first of them.

    Functions take them as `**unknown: Never`: type checkers refuse any, as they do where nothing takes them.
    """
    code = getattr(function, "__wrapped__", function).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = next(iter(unknown))
    refuse_absent(function.__name__, (given,))
    for name in _ARGUMENTS.get(given, ()):
        if name in own:
            raise TypeError(f"{function.__name__}: there is no argument {given!r}; write {name}=")
    raise TypeError(f"{function.__name__}: there is no argument {given!r}; there are {', '.join(own)}")

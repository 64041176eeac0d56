"""The table of a model: its modules, the shapes they give for an input, and their parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import Tensor
from ..conversion import convert
from ..modes import no_grad
from .base import AnyModule


class Row(NamedTuple):
    """One module of a summary.

    name: its dotted name, "" for the model. kind: its class. depth: how many modules it is in. calls: how often it was
    called. shape: of what it gave last, "" if it was not called. parameters: elements of its own parameters, without
    those of the modules in it and those listed before; frozen: those among them that require no gradient.
    """

    name: str
    kind: str
    depth: int
    calls: int
    shape: str
    parameters: int
    frozen: int


class Summary:
    """What `summary` found; `print` shows it as a table.

    rows: a `Row` for each module. parameters, frozen: elements of all parameters, and of those that require no
    gradient. nbytes: bytes of parameters and buffers.
    """

    def __init__(self, rows: list[Row], nbytes: int) -> None:
        self.rows, self.nbytes = rows, nbytes
        self.parameters = sum([row.parameters for row in rows])
        self.frozen = sum([row.frozen for row in rows])

    def __repr__(self) -> str:
        table = [("module", "output shape", "parameters")]
        for row in self.rows:
            label = f"{'  ' * row.depth}{row.name.rpartition('.')[2]}{': ' if row.name else ''}{row.kind}"
            shape = f"{row.shape} x{row.calls}" if row.calls > 1 else row.shape or "not called"
            count = f"{row.parameters:,}" if row.parameters else ""
            table.append((label, shape, f"{count} (frozen)" if row.frozen and row.frozen == row.parameters else count))
        first, second, third = [max([len(line[k]) for line in table]) for k in range(3)]
        lines = [f"{a:<{first}}  {b:<{second}}  {c:>{third}}".rstrip() for a, b, c in table]
        rule = "-" * (first + second + third + 4)
        frozen = f", {self.frozen:,} of them frozen" if self.frozen else ""
        total = f"{self.parameters:,} parameters{frozen}; {_bytes(self.nbytes)} with buffers"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])


def summary(module: AnyModule, *inputs: Any, **keywords: Any) -> Summary:
    """Run `module(*inputs, **keywords)` once, in eval mode and without gradients, and note what each module gives.

    inputs: Tensors or arrays, as forward takes them. Modes, running statistics, hooks and random numbers are afterwards
    as they were before. What forward raises is raised here.

    >>> model = zen.nn.Sequential(zen.nn.Linear(4, 8), zen.nn.Tanh(), zen.nn.Linear(8, 2))
    >>> print(model.summary(np.zeros((16, 4), np.float32)))
    module       output shape  parameters
    -------------------------------------
    Sequential   (16, 2)
      0: Linear  (16, 8)               40
      1: Tanh    (16, 8)
      2: Linear  (16, 2)               18
    -------------------------------------
    58 parameters; 232 B with buffers
    """
    modules = list(module.named_modules())
    found: dict[int, tuple[int, str]] = {}

    def noting(place: int) -> Callable[[Any, Any, Any], None]:
        def note(_: Any, __: Any, result: Any) -> None:
            found[place] = found.get(place, (0, ""))[0] + 1, _shape(result)

        return note

    with _undisturbed([m for _, m in modules]), no_grad():
        handles = [m.register_forward_hook(noting(k)) for k, (_, m) in enumerate(modules)]
        try:
            module(*[backend.wrap(convert(x)) if isinstance(x, np.ndarray) else x for x in inputs], **keywords)
        finally:
            for handle in handles:
                handle.remove()
    seen: set[int] = set()
    rows = []
    for k, (name, m) in enumerate(modules):
        own = [p for p in m.parameters(recurse=False) if id(p) not in seen]
        seen.update([id(p) for p in own])
        calls, shape = found.get(k, (0, ""))
        depth = name.count(".") + 1 if name else 0
        frozen = sum([p.size for p in own if not p.requires_grad])
        rows.append(Row(name, m._get_name(), depth, calls, shape, sum([p.size for p in own]), frozen))
    return Summary(rows, sum([t.nbytes for t in (*module.parameters(), *module.buffers())]))


@contextmanager
def _undisturbed(modules: list[Any]) -> Iterator[None]:
    """Modules in eval mode, each as it was before at the end."""
    before = [(m.training, m._hooks) for m in modules]
    try:
        for m in modules:
            m.__dict__["training"] = False
        yield
    finally:
        for m, (training, hooks) in zip(modules, before, strict=True):
            m.__dict__["training"] = training
            if hooks is None:
                m.__dict__.pop("_hooks", None)  # a module without hooks is called faster than one with none left


def _shape(result: Any) -> str:
    if isinstance(result, (Tensor, np.ndarray)):
        return str(result.shape)
    if isinstance(result, dict):
        return "{" + ", ".join([f"{key}: {_shape(value)}" for key, value in result.items()]) + "}"
    if isinstance(result, (tuple, list)):
        return "[" + ", ".join([_shape(value) for value in result]) + "]"
    return type(result).__name__


def _bytes(count: int) -> str:
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"

"""Row: one operation as the engine sees it. Built by `zen/ops/register.py` and by `zen.custom_vjp`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

UNUSED, SHAPE, VALUE = 0, 1, 2
"""What a vjp needs of an argument or of the result; the same numbers as in `zen/ops/row.py`."""


class Shaped:
    """Shape and dtype of an argument whose data was not saved: all that a formula may ask of it."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"Shaped({self.shape}, {self.dtype})"


class Row:
    """One operation: its forward, its vjps, and what these need saved.

    `forward(*arrays, *params)` returns an ndarray; an array may be a Python scalar, where the user gave one, and None
    at the positions in `optional`. With `workspace`, so many results that only backward reads, it gets behind the
    params whether these will be read. `several` results, or as many as it returns for -1: it returns a tuple, as with
    workspace. `prepare()` returns `(vjps, needs)` and is called once, at the first recording:

        vjp(f, g, *args, *results, *params)              one for each argument, or None: not differentiable
        vjp(f, g, i, xs, y, *params)                     variadic: one in all
        vjp(f, g, args, results, wanted, *params)        joint: one in all, returns a gradient or None for each argument

    `results` are the outputs and the workspace; the outputs of several = -1 are one tuple. With several results `g` is
    a tuple of cotangents, None for those that nobody used. `needs` holds for each vjp what it needs of (args...,
    results...), or of (xs, y) if variadic; None in a joint row: the values of all.

    `linear`, `together` and `tangents` are for forward mode: the positions of the arguments in which the row is linear,
    whether it is so in all at once, and for each argument None or a function like its vjp that gives the result's
    tangent from the argument's. `composition` is applied in place of the row where the floating arguments are not all
    float32 or all float64. `for_complex` is True where operands may be complex, None where not, else a function that
    returns the row that is applied to them. A row's name is for messages: two rows may have the same. `kernel` names
    what the compiled engine has for the row.

    The node of a call with several results is the input of a node for each floating result, on the row `output`,
    whose parameters are the position of the result and their number.
    """

    __slots__ = (
        "_plans", "_prepare", "_prepared", "composition", "elementwise", "for_complex", "forward", "is_output", "joint",
        "linear", "name", "nin", "optional", "output", "several", "tangents", "together", "variadic", "view",
        "workspace",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        nin: int,
        forward: Callable[..., Any],
        prepare: Callable[[], tuple[tuple[Any, ...], tuple[Any, ...]]],
        *,
        elementwise: bool = False,
        variadic: bool = False,
        joint: bool = False,
        view: bool = False,
        kernel: str | None = None,
        linear: tuple[int, ...] = (),
        together: bool = False,
        tangents: tuple[Callable[..., Any] | None, ...] = (),
        several: int = 0,
        workspace: int = 0,
        optional: tuple[int, ...] = (),
        composition: Callable[..., Any] | None = None,
        for_complex: Any = True,
    ) -> None:
        self.name = name
        self.nin = nin
        self.forward = forward
        self.elementwise = elementwise
        self.variadic = variadic
        self.joint = joint
        self.view = view
        self.linear = linear
        self.together = together
        self.tangents = tangents
        self.several = several
        self.workspace = workspace
        self.optional = optional
        self.composition = composition
        self.for_complex = for_complex
        self.is_output = False
        self.output: Row | None = None
        if several:
            self.output = Row(name, 1, forward, prepare)
            self.output.is_output = True
        self._prepare = prepare
        self._prepared: tuple[tuple[Any, ...], tuple[Any, ...]] | None = None
        self._plans: dict[tuple[bool, ...], tuple[int, ...]] = {}

    def __repr__(self) -> str:
        return f"<zen row {self.name!r}>"

    @property
    def vjps(self) -> tuple[Callable[..., Any] | None, ...]:
        return self._ready()[0]

    @property
    def needs(self) -> tuple[Any, ...]:
        return self._ready()[1]

    def _ready(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        if self._prepared is None:
            self._prepared = self._prepare()
        return self._prepared

    def plan(self, recorded: tuple[bool, ...]) -> tuple[int, ...]:
        """What to save of each argument and of each result when these arguments are differentiated."""
        found = self._plans.get(recorded)
        if found is None:
            found = self._plans[recorded] = self._make_plan(recorded)
        return found

    def _make_plan(self, recorded: tuple[bool, ...]) -> tuple[int, ...]:
        count = len(recorded)
        if self.joint:
            levels: tuple[int, ...] | None = self.needs[0]
            return (VALUE,) * (count + 1) if levels is None else levels
        if self.variadic:
            xs, y = self.needs[0]
            return (xs,) * count + (y,)
        wanted = []
        for i, asked in enumerate(recorded):
            if not asked:
                continue
            if self.vjps[i] is None:
                raise TypeError(
                    f"{self.name}: no derivative with respect to argument {i + 1} of {count}; "
                    "detach() it if it is constant"
                )
            wanted.append(self.needs[i])
        return tuple(max(column) for column in zip(*wanted, strict=True))

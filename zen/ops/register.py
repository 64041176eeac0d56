"""From declarations to what users and engine see: engine rows, public functions, methods, NumPy dispatch.

A family (`elementwise.py`, `reduction.py`, ...) calls `define` for each of its rows and `public` for each of its
functions. The higher floors read the tables; the engine gets the two namespaces in which formulas are evaluated.
Importing costs nothing per formula: every formula, forward or derivative, is compiled when it is first used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import backend
from ..dtypes import COMPLEX
from . import late_names
from .examples import KINDS, at_once
from .late import Table

if TYPE_CHECKING:
    from .row import Row

DECLARATIONS: Table[Row] = Table(late_names.ROWS)
"""Every row by name, as declared."""
ROWS: Table[Any] = Table(late_names.ROWS)
"""Every row by name, as the engine has it."""
ENGINE_ROWS = ROWS
FUNCTIONS: Table[Callable[..., Any]] = Table(late_names.FUNCTIONS)
"""The public functions by name: the content of `zen.f`."""
METHODS: Table[Callable[..., Any]] = Table(late_names.METHODS)
"""What becomes a method of Tensor."""
NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""The public function that answers for a NumPy function or ufunc, of the families that are loaded; see `answering`."""


class _Answers(Table[Callable[..., Any]]):
    def enter(self, name: str, entry: Callable[..., Any]) -> None:
        super().enter(name, entry)
        if not name.startswith("scipy."):
            NUMPY_FUNCTIONS[_named(name)] = entry


ANSWERS = _Answers(late_names.NUMPY)
"""The same by NumPy's or SciPy's name: "percentile", "linalg.svd", "scipy.special.erf"."""

Function = TypeVar("Function", bound=Callable[..., Any])

_NUMBERS = (float, int, bool, complex)
_DIRECT = {
    "a + b": np.add, "a - b": np.subtract, "a * b": np.multiply, "a / b": np.divide, "-x": np.negative,
    "+x": np.positive, "x * x": np.square, "1 / x": np.reciprocal,
}  # fmt: skip


class _Arrays:
    """The rows as functions of arrays: `f` in a formula on the backward pass."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = _row(name).forward
        other = DECLARATIONS[name].complex
        if isinstance(other, str):
            function = _either(function, _row(other).forward)
        setattr(self, name, function)
        return function


def _either(function: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, or, of complex values, `other`."""

    def call(*values: Any) -> Any:
        return (other if any([getattr(v, "dtype", None) in COMPLEX for v in values]) else function)(*values)

    return call


class _Tensors:
    """The rows as functions of Tensors, recording: `f` in a formula when the gradient is differentiated itself."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = _applied(_row(name))
        setattr(self, name, function)
        return function


arrays = _Arrays()
tensors = _Tensors()


def define(declaration: Row) -> Any:
    """Register a row; returns the engine's Row for `backend.apply`."""
    name = declaration.name
    if name in DECLARATIONS:
        raise ValueError(f"row {name!r} is declared twice")
    DECLARATIONS[name] = declaration
    made = ROWS[name] = backend.Row(
        name, len(declaration.args), _forward(declaration), lambda: _prepare(declaration),
        elementwise=declaration.elementwise, variadic=declaration.variadic, view=declaration.view, kernel=name,
        linear=tuple([k for k, arg in enumerate(declaration.args) if arg in declaration.linear]),
        together=declaration.together, tangents=_tangents(declaration), joint=callable(declaration.vjp),
        several=declaration.several,
        workspace=len(declaration.workspace), composition=declaration.composition,
        optional=tuple([k for k, arg in enumerate(declaration.args) if arg in declaration.optional]),
        for_complex=_complex(declaration),
    )  # fmt: skip
    return made


def _complex(declaration: Row) -> Any:
    """For the engine: True, None, or a function that returns the row for complex operands."""
    other = declaration.complex
    return (lambda: ROWS[other]) if isinstance(other, str) else other or None


def public(
    numpy: str | None = None, method: str | None = "", name: str | None = None
) -> Callable[[Function], Function]:
    """Decorator: make a function public under its name.

    numpy: names of the NumPy functions it answers for, separated by spaces; its own name if None. See `dispatch`.
    method: name of the method on Tensor; its own name if empty, no method if None.
    """

    def register(function: Function) -> Function:
        own = name or function.__name__
        if own in KINDS:
            function = at_once(function, KINDS[own])
        FUNCTIONS[own] = placed(function, "zen.f", own)
        for key in (own if numpy is None else numpy).split():
            dispatch(key, function)
        if method is not None:
            METHODS[method or own] = function
        return function

    return register


def placed(function: Any, module: str, name: str) -> Any:
    """The function, which says of itself that it stands there: for pickles, errors and documentation."""
    function.__module__, function.__name__, function.__qualname__ = module, name.rpartition(".")[2], name
    return function


def dispatch(key: str, function: Callable[..., Any]) -> None:
    """Let `function` answer for the function of this name: NumPy's ("sum", "linalg.inv") or a ufunc of SciPy's
    ("scipy.special.erf"), which need not be installed. In a family that loads late this is all there is to do:
    `make stubs` lists the name, and the first call of the function loads the family."""
    if key.startswith("scipy."):
        ANSWERS[key] = function  # found by name: nothing of SciPy is imported for it
        _keys.cache_clear()
        return
    target = _named(key)
    if target is not None:  # some names exist in newer NumPy only
        place, dot, _ = key.rpartition(".")
        ANSWERS[place + dot + target.__name__] = function  # concat is called concatenate


def answering(of: Any) -> Callable[..., Any] | None:
    """The public function that answers for a function of NumPy's or a ufunc of SciPy's. Its family loads if need be."""
    found = NUMPY_FUNCTIONS.get(of)
    if found is None:
        for key in _keys().get(getattr(of, "__name__", ""), ()):
            if _named(key) is of:
                found = NUMPY_FUNCTIONS[of] = ANSWERS[key]
    return found


class Answered:
    """What holds the functions of NumPy's for which a public function answers, of whatever family."""

    def __contains__(self, of: Any) -> bool:
        return answering(of) is not None


@lru_cache(maxsize=1)
def _keys() -> dict[str, list[str]]:
    """The names of late families, and those of SciPy, by their last part."""
    found: dict[str, list[str]] = {}
    for key in ANSWERS.names():
        if key in ANSWERS.late or key.startswith("scipy."):
            found.setdefault(key.rpartition(".")[2], []).append(key)
    return found


def _named(key: str) -> Any:
    """The function of a name, or None if there is none in this NumPy, or if its part of SciPy was never imported."""
    place, _, name = key.rpartition(".")
    if place.startswith("scipy"):
        return getattr(sys.modules.get(place), name, None)
    target: Any = np
    for part in key.split("."):
        target = getattr(target, part, None)
    return target


def _row(name: str) -> Any:
    try:
        return ROWS[name]
    except KeyError:
        raise AttributeError(f"a formula calls {name!r}, but there is no row of that name") from None


def _applied(row: Any) -> Callable[..., Any]:
    if row.elementwise and row.nin <= 2:
        function: Callable[..., Any] = backend.unary(row) if row.nin == 1 else backend.binary(row)
        return function
    return backend.applied(row, len(DECLARATIONS[row.name].params))


def _prepare(declaration: Row) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if callable(declaration.vjp):
        from . import composition  # here and below: nothing that rows need is imported before the first of them

        reads = [2 * (name in declaration.saves) for name in declaration.outputs]
        levels = (*[2] * len(declaration.args), *reads, *[2] * len(declaration.workspace))
        return (partial(composition.pull, declaration),), (levels,)
    vjps, needs = [], []
    names = ("xs", "y") if declaration.variadic else (*declaration.args, *declaration.results)
    for formula in declaration.vjp:
        vjps.append(None if formula is None else declaration.compile(formula))
        found = {} if formula is None else declaration.needs(formula)
        needs.append(tuple([found.get(n, 0) for n in names]))
    return tuple(vjps), tuple(needs)


def _tangents(declaration: Row) -> tuple[Any, ...]:
    if callable(declaration.jvp):
        return (_joint_tangent(declaration),)
    if declaration.grouped:
        return (_grouped(declaration),)
    return tuple([None if formula is None else _deferred(declaration, formula) for formula in declaration.jvp])


def _joint_tangent(declaration: Row) -> Callable[..., Any]:
    jvp, n = declaration.jvp, len(declaration.args)
    assert callable(jvp)

    def tangent(moving: dict[int, Any], saved: tuple[Any, ...], *params: Any) -> Any:
        return jvp(tuple([moving.get(k) for k in range(n)]), saved[:n], saved[n:], *params)

    return tangent


def _grouped(declaration: Row) -> Callable[..., Any]:
    assert not callable(declaration.vjp)
    formula, places = declaration.vjp[0], [declaration.params.index(name) for name in ("axis", "keepdims")]
    assert formula is not None
    vjp = _deferred(declaration, formula)
    from .axes import reduced_shape

    def tangent(f: Any, g: Any, x: Any, y: Any, *params: Any) -> Any:
        axis, keepdims = params[places[0]], params[places[1]]
        ones = np.ones(reduced_shape(x.shape, axis, keepdims), g.dtype)
        return f.sum(vjp(f, ones, x, y, *params) * g, axis, keepdims)

    return tangent


def _deferred(declaration: Row, formula: str) -> Callable[..., Any]:
    """The formula, compiled when it is first used."""
    compiled: Callable[..., Any] | None = None

    def tangent(*values: Any) -> Any:
        nonlocal compiled
        if compiled is None:
            compiled = declaration.compile(formula)
        return compiled(*values)

    return tangent


def _forward(declaration: Row) -> Callable[..., Any]:
    formula = declaration.forward
    if not isinstance(formula, str):
        return formula
    if formula in _DIRECT:
        return _DIRECT[formula]
    if formula == f"{declaration.name}({', '.join(declaration.args)})":
        from .primitives import NUMPY

        if declaration.name in NUMPY:
            primitive: Callable[..., Any] = NUMPY[declaration.name]
            return primitive
    compiled: Callable[..., Any] | None = None

    def forward(*values: Any) -> Any:
        nonlocal compiled
        if compiled is None:
            compiled = _compile_forward(declaration)
        return compiled(*_numbers_typed(values))

    return forward


def _numbers_typed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Python numbers as 0-d arrays of the dtype that all values promote to.

    Within a formula, NumPy would make float64 scalars of them (`expm1(2.5)`), which then widen float32.
    """
    if not any([type(v) in _NUMBERS for v in values]):
        return values
    dtype = np.result_type(*values)
    return tuple([np.asarray(v, dtype) if type(v) in _NUMBERS else v for v in values])


def _compile_forward(declaration: Row) -> Callable[..., Any]:
    """The forward formula as a function of arrays. A name in it is a primitive, or else another row."""
    import ast  # nothing is parsed when zen is imported

    from .primitives import NUMPY

    assert isinstance(declaration.forward, str)
    tree = ast.parse(declaration.forward, mode="eval")
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    names = {n: NUMPY[n] if n in NUMPY else getattr(arrays, n) for n in called}
    source = f"lambda {', '.join(declaration.args)}: {declaration.forward}"
    code = compile(source, f"<row {declaration.name}: {declaration.forward}>", "eval")
    function: Callable[..., Any] = eval(code, {"__builtins__": {}, **names})
    return function

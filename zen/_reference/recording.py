"""One operation, forward: evaluate the row, wrap the result, record a Node if a gradient may be asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .guard import borrow, guarded, guarded_params
from .node import Node
from .rows import SHAPE, UNUSED, Row, Shaped
from .state import FLOATING, Installed, grad_enabled
from .tensor import Tensor, wrap


def apply(row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Tensor:
    """Apply `row`: compute, and record if gradients are on and an input requires one.

    `inputs` are Tensors, arrays or scalars; Python scalars take the dtype of the others (NEP 50). An error of the
    forward is raised again with the row's name and the shapes.
    """
    if not row.variadic and len(inputs) != row.nin:
        raise TypeError(f"{row.name} takes {row.nin} arguments, not {len(inputs)}")
    arrays = [plain(x) for x in inputs]
    return _finish(row, inputs, arrays, params, evaluate(row, arrays, params))


def record(row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...], out: np.ndarray) -> Tensor:
    """Like `apply`, for a result that was computed already (in-place writes)."""
    return _finish(row, inputs, [plain(x) for x in inputs], params, out)


def plain(x: Any) -> Any:
    """What a row's forward gets for an operand."""
    if isinstance(x, Tensor):
        return x._array
    if type(x) in (float, int, bool):
        return x
    if (type(x) is np.ndarray or isinstance(x, np.generic)) and x.dtype.kind in "fiub" and x.dtype.char != "g":
        return x
    return Installed.convert(x)


def evaluate(row: Row, arrays: Sequence[Any], params: tuple[Any, ...]) -> np.ndarray:
    """The row's forward on arrays, with errors that name the row."""
    try:
        with np.errstate(all="ignore"):
            out = row.forward(*arrays, *params)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        text = str(error)
        if text.startswith(f"{row.name}:"):
            raise
        shapes = " and ".join(str(np.shape(x)) for x in arrays)
        if "could not be broadcast" in text:
            raise ValueError(
                f"{row.name}: shapes {shapes} do not broadcast together; "
                "axes are compared from the last one and must be equal or 1"
            ) from error
        kinds = (np.linalg.LinAlgError, TypeError, OverflowError, ValueError, IndexError)
        kind = next(k for k in kinds if isinstance(error, k))
        raise kind(f"{row.name}: {text} (operand shapes: {shapes})") from error
    out = np.asarray(out)
    if not out.dtype.isnative:
        out = out.astype(out.dtype.newbyteorder("="))
    if out.dtype.kind not in "biu" and out.dtype.char not in FLOATING:
        raise TypeError(f"{row.name}: the result would have dtype {out.dtype}; zen holds real numbers and bools only")
    if not row.view and any(out is x for x in arrays):
        out = out.copy()  # a result that shares its operand's memory unknown to the engine could not be written to
    return out


def _finish(row: Row, inputs: tuple[Any, ...], arrays: list[Any], params: tuple[Any, ...], out: np.ndarray) -> Tensor:
    node = _record(row, inputs, arrays, params, out) if grad_enabled() and out.dtype.char in FLOATING else None
    if row.view and not isinstance(inputs[0], Tensor):
        out = borrow(out)  # it may lie in an ndarray of the user's
    t = wrap(out, node)
    if row.view and isinstance(x := inputs[0], Tensor):
        memory = out.base
        if out is x._array or (memory is not None and (memory is x._array or memory is x._array.base)):
            t.base = x if x.base is None else x.base
            t.synced = t.base.version
    return t


def _record(
    row: Row, inputs: tuple[Any, ...], arrays: list[Any], params: tuple[Any, ...], out: np.ndarray
) -> Node | None:
    nodes = tuple([x.node if isinstance(x, Tensor) else None for x in inputs])
    recorded = tuple([n is not None for n in nodes])
    if True not in recorded:
        return None
    plan = row.plan(recorded)
    saved = tuple([keep(x, need, not isinstance(given, Tensor))
                   for x, need, given in zip(arrays, plan, inputs, strict=False)])  # fmt: skip
    y = keep(out, plan[-1], False)
    params = guarded_params(params)
    return Node(row, nodes, params, (saved, y) if row.variadic and not row.joint else (*saved, y), out.shape, out.dtype)


def keep(x: Any, need: int, foreign: bool) -> Any:
    """What a node saves of `x`, which is `foreign` where it was an operand itself.

    0-d values are copied: a write to them later does no harm.
    """
    if need == UNUSED:
        return None
    if need == SHAPE:
        if isinstance(x, (np.ndarray, np.generic)):
            return Shaped(x.shape, x.dtype)
        return Shaped((), np.result_type(x))
    if not isinstance(x, np.ndarray):
        return x
    return x.copy() if x.ndim == 0 else guarded(x, foreign)


def unary(row: Row) -> Callable[[Any], Tensor]:
    """The public function of an elementwise row of one argument."""

    def function(input: Any) -> Tensor:
        return apply(row, (input,))

    return function


def binary(row: Row) -> Callable[[Any, Any], Tensor]:
    """The public function of an elementwise row of two arguments."""

    def function(a: Any, b: Any, /) -> Tensor:
        return apply(row, (a, b))

    return function


def ufunc(functions: dict[Any, Callable[..., Any]], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Tensor's `__array_ufunc__`: here `otherwise`, which the compiled engine calls less often."""
    return otherwise


Installed.apply = staticmethod(apply)

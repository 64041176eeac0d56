"""One operation, forward: evaluate the row, wrap the result, record a Node if a gradient may be asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import COMPLEX, DIFFERENTIABLE, INEXACT, KERNELS, SUPPORTED
from .guard import borrow, guarded, guarded_params
from .node import Node
from .rows import SHAPE, UNUSED, VALUE, Row, Shaped
from .state import Installed, grad_enabled, tracer
from .tensor import Tensor, wrap


def apply(row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Any:
    """Apply `row`: compute, and record if gradients are on and an input requires one. A tuple for several results.

    `inputs` are Tensors, arrays or scalars; Python scalars take the dtype of the others (NEP 50). An error of the
    forward is raised again with the row's name and the shapes.
    """
    if not row.variadic and len(inputs) != row.nin:
        raise TypeError(f"{row.name} takes {row.nin} arguments, not {len(inputs)}")
    own = tracer()
    if own is None:
        return _applied(row, inputs, params)
    given, params = own.numbers(inputs), own.fixed(params, inputs)
    try:
        result = _applied(row, given, params)
    except Exception:
        own.raised(row)
        raise
    own.note(row, inputs, params, result)
    return result


def _applied(row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    kind = Installed.batched
    if kind is not None and any([type(x) is kind for x in (*inputs, *params)]):
        return Installed.apply_batched(row, inputs, params)
    if row.for_complex is not True:
        row = _row_for(row, inputs)
    if row.composition is not None and not _has_kernel(inputs):
        return row.composition(*inputs, *params)
    arrays = [x if x is None and k in row.optional else plain(x) for k, x in enumerate(inputs)]
    if not row.several and not row.workspace:
        return _finish(row, inputs, arrays, params, evaluate(row, arrays, params))
    read = grad_enabled() and any([isinstance(x, Tensor) and x.node is not None for x in inputs])
    results = evaluate(row, arrays, params, read)
    if not row.several:
        return _finish(row, inputs, arrays, params, results[0], results[1:])
    return _finish_several(row, inputs, arrays, params, results)


def record(row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...], out: np.ndarray) -> Tensor:
    """Like `apply`, for a result that was computed already (in-place writes)."""
    return _finish(row, inputs, [plain(x) for x in inputs], params, out)


def _row_for(row: Row, inputs: tuple[Any, ...]) -> Row:
    """The row that is applied to these inputs: of complex numbers another may stand in, or none."""
    if not any([x.dtype in COMPLEX if hasattr(x, "dtype") else isinstance(x, complex) for x in inputs]):
        return row
    if row.for_complex is None:
        raise TypeError(f"{row.name} is not defined here for complex numbers; compute with x.real, x.imag or abs(x)")
    found: Row = row.for_complex()
    return found


def _has_kernel(inputs: tuple[Any, ...]) -> bool:
    """Whether kernels take the inputs: the floating ones are all float32 or all float64."""
    found = {x.dtype for x in inputs if x is not None and x.dtype in INEXACT}
    return len(found) <= 1 and all([d in KERNELS and d.isnative for d in found])


def plain(x: Any) -> Any:
    """What a row's forward gets for an operand."""
    if isinstance(x, Tensor):
        return x._data
    if type(x) in (float, int, bool, complex):
        return x
    if (type(x) is np.ndarray or isinstance(x, np.generic)) and x.dtype in SUPPORTED:
        return x
    return Installed.convert(x)


def evaluate(row: Row, arrays: Sequence[Any], params: tuple[Any, ...], read: bool = False) -> Any:
    """The row's forward on arrays, with errors that name the row. `read`: a backward pass will read the workspace."""
    several = row.several or row.workspace
    try:
        with np.errstate(all="ignore"):
            out = row.forward(*arrays, *params, read) if row.workspace else row.forward(*arrays, *params)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        text = str(error)
        if text.startswith(f"{row.name}:"):
            raise
        shapes = " and ".join(str(np.shape(x)) for x in arrays if x is not None)
        if "could not be broadcast" in text:
            raise ValueError(
                f"{row.name}: shapes {shapes} do not broadcast together; "
                "axes are compared from the last one and must be equal or 1"
            ) from error
        kinds = (np.linalg.LinAlgError, TypeError, OverflowError, ValueError, IndexError)
        kind = next(k for k in kinds if isinstance(error, k))
        raise kind(f"{row.name}: {text} (operand shapes: {shapes})") from error
    if not several:
        return _settled(row, out, arrays)
    count = len(out) - row.workspace
    return (*[_settled(row, y, arrays) for y in out[:count]], *out[count:])


def _settled(row: Row, out: Any, arrays: Sequence[Any]) -> np.ndarray:
    """A result as an array of a dtype that zen holds, on memory of its own unless the row is a view."""
    out = np.asarray(out)
    if not out.dtype.isnative:
        out = out.astype(out.dtype.newbyteorder("="))
    if out.dtype not in SUPPORTED:
        raise TypeError(f"{row.name}: the result would have dtype {out.dtype}, which no Tensor holds")
    if not row.view and any(out is x for x in arrays):
        out = out.copy()  # a result that shares its operand's memory unknown to the engine could not be written to
    made: np.ndarray = out
    return made


def _finish(
    row: Row, inputs: tuple[Any, ...], arrays: list[Any], params: tuple[Any, ...], out: np.ndarray,
    workspace: tuple[Any, ...] = (),
) -> Tensor:  # fmt: skip
    node = None
    if grad_enabled() and out.dtype in DIFFERENTIABLE:
        node = _record(row, inputs, arrays, params, (out,), workspace)
    return _wrapped(row, inputs, out, node)


def _finish_several(
    row: Row, inputs: tuple[Any, ...], arrays: list[Any], params: tuple[Any, ...], results: tuple[Any, ...]
) -> tuple[Tensor, ...]:
    count = len(results) - row.workspace
    outputs, call = results[:count], None
    if grad_enabled() and any([out.dtype in DIFFERENTIABLE for out in outputs]):
        call = _record(row, inputs, arrays, params, outputs, results[count:])
    tensors = []
    for k, out in enumerate(outputs):
        recorded = call is not None and out.dtype in DIFFERENTIABLE
        tensors.append(_wrapped(row, inputs, out, output_node(call, k, count, out) if recorded and call else None))
    return tuple(tensors)


def output_node(call: Node, k: int, count: int, out: np.ndarray | Shaped) -> Node:
    """A node for result k of `call`, which has `count` of them."""
    assert call.row is not None
    return Node(call.row.output, (call,), (k, count), (), out.shape, out.dtype)


def _wrapped(row: Row, inputs: tuple[Any, ...], out: np.ndarray, node: Node | None) -> Tensor:
    """A Tensor around a result, linked to its base if it is a view."""
    if row.view and not isinstance(inputs[0], Tensor):
        out = borrow(out)  # it may lie in an ndarray of the user's
    t = wrap(out, node)
    if row.view and isinstance(x := inputs[0], Tensor):
        memory = out.base
        if out is x._data or (memory is not None and (memory is x._data or memory is x._data.base)):
            t.base = x if x.base is None else x.base
            t.synced = t.base.version
    return t


def _record(
    row: Row, inputs: tuple[Any, ...], arrays: list[Any], params: tuple[Any, ...], outputs: tuple[np.ndarray, ...],
    workspace: tuple[Any, ...],
) -> Node | None:  # fmt: skip
    nodes = tuple([x.node if isinstance(x, Tensor) else None for x in inputs])
    recorded = tuple([n is not None for n in nodes])
    if True not in recorded:
        return None
    plan = row.plan(recorded)
    saved = tuple([keep(x, need, not isinstance(given, Tensor))
                   for x, need, given in zip(arrays, plan, inputs, strict=False)])  # fmt: skip
    levels = plan[len(arrays) :]
    params = guarded_params(params)
    if not row.several:
        results: tuple[Any, ...] = (keep(outputs[0], levels[0], False),)
        shape, dtype = outputs[0].shape, outputs[0].dtype
    else:  # at least the shapes: a pass may have to make zeros
        levels = tuple([max(level, SHAPE) for level in (levels if row.several > 0 else levels[:1] * len(outputs))])
        results = tuple([keep(out, level, False) for out, level in zip(outputs, levels, strict=False)])
        results = results if row.several > 0 else (results,)
        shape, dtype = (), next(out.dtype for out in outputs if out.dtype in DIFFERENTIABLE)
    read = plan[len(plan) - len(workspace) :]
    workspace = tuple([w if level == VALUE else None for w, level in zip(workspace, read, strict=True)])
    held = (saved, *results) if row.variadic and not row.joint else (*saved, *results, *workspace)
    return Node(row, nodes, params, held, shape, dtype)


def keep(x: Any, need: int, foreign: bool) -> Any:
    """What a node saves of `x`, which is `foreign` where it was an operand itself.

    0-d values are copied: a write to them later does no harm.
    """
    if need == UNUSED or x is None:
        return None
    if need == SHAPE:
        if isinstance(x, (np.ndarray, np.generic)):
            return Shaped(x.shape, x.dtype)
        return Shaped((), np.result_type(x))
    if not isinstance(x, np.ndarray):
        return x
    return x.copy() if x.ndim == 0 else guarded(x, foreign)


def write_plain(row: Row, t: Tensor, *values: Any) -> Any:
    """`t op= value`, or `t[key] = value`, for what notes them itself."""
    return Installed.inplace(t, row, *values) if len(values) == 1 else Installed.setitem(t, *values)


def unary(row: Row, write: Callable[[str, Any, Tensor], Tensor] | None = None) -> Callable[..., Tensor]:
    """The public function of an elementwise row of one argument. `write(name, input, result)`: it takes PyTorch's
    `inplace` as well, and that is what puts the result into the input."""
    if write is not None:

        def activation(input: Any, inplace: bool = False) -> Tensor:
            result = apply(row, (input,))
            return write(row.name, input, result) if inplace else result

        return activation

    def function(input: Any) -> Tensor:
        return apply(row, (input,))  # type: ignore[no-any-return]

    return function


def binary(row: Row) -> Callable[[Any, Any], Tensor]:
    """The public function of an elementwise row of two arguments."""

    def function(a: Any, b: Any, /) -> Tensor:
        return apply(row, (a, b))  # type: ignore[no-any-return]

    return function


def applied(row: Row, params: int) -> Callable[..., Any]:
    """The row as a function of its arguments and, behind them, so many parameters."""

    def function(*values: Any) -> Any:
        n = len(values) - params
        return apply(row, values[:n], values[n:])

    return function


def ufunc(functions: dict[Any, Callable[..., Any]], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Tensor's `__array_ufunc__`: here `otherwise`, which the compiled engine calls less often."""
    return otherwise


Installed.apply = staticmethod(apply)

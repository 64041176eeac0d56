"""What the families of special functions share: values from SciPy, imported on first use, and how they become public.

Each `special_*.py` is a family. Its rows are elementwise, in the dtypes that SciPy returns: float32 for float16, and
for small integers. `zen/special.py` shows the functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np

from ..backend import Shaped
from ..dtypes import COMPLEX
from ..dtypes import real as real_dtype
from ..extras import scipy_module
from .operands import constant, operand
from .register import define, dispatch, placed
from .row import Row, row

_NO_UFUNCS = frozenset("logsumexp softmax log_softmax multigammaln polygamma zeta".split())
"""Functions of SciPy that are no ufuncs. All but zeta, which calls ufuncs of two other names, make arrays of their
arguments: a Tensor that requires a gradient raises there."""
ANY, POSITIVE, UNIT = (-3.0, 3.0), (0.2, 3.0), (0.1, 0.9)

Function = TypeVar("Function", bound=Callable[..., Any])


def special(function: Function) -> Function:
    """Decorator: make a function public in `zen.special`, and let it answer for SciPy's ufunc, under its name."""
    name = function.__name__
    if name not in _NO_UFUNCS:
        dispatch(f"scipy.special.{name}", function)
    return placed(function, "zen.special", name)  # type: ignore[no-any-return]


@cache
def scipy_function(name: str) -> Callable[..., Any]:
    """The function of scipy.special of this name; ImportError with the remedy where SciPy is missing."""
    found: Callable[..., Any] = getattr(scipy_module("special", f"zen.special.{name}"), name)
    return found


def values(name: str) -> Callable[..., Any]:
    """SciPy's ufunc of this name as the forward of a row."""
    ufunc: Callable[..., Any] | None = None

    def forward(*args: Any) -> Any:
        nonlocal ufunc
        if ufunc is None:
            ufunc = scipy_function(name)
        if len(args) > 1:  # in mixed dtypes some of them take the first that fits, not the smallest
            dtype = result(*args)
            args = tuple([np.asarray(a, dtype if np.iscomplexobj(a) else real_dtype(dtype)) for a in args])
        return ufunc(*args)

    return forward


def declare(
    name: str, args: str, forward: Any, vjp: list[str | None], domain: list[Any], doc: str, **facets: Any
) -> Any:
    """Define an elementwise row; `forward` may be the name of SciPy's ufunc."""
    made: Row = row(
        name, args, values(forward) if isinstance(forward, str) else forward, vjp, elementwise=True, domain=domain,
        doc=doc, **facets,
    )  # fmt: skip
    return define(made)


def derivative(
    name: str, forward: Any, vjp: list[str | None], domain: Any, doc: str, args: str = "x", **facets: Any
) -> Any:
    """Define a row of which the parameter `n` says how often something is differentiated."""
    return define(row(
        name, args, forward, vjp, params="n",
        shape=lambda *given: Shaped(_joint_shape(given[:-1]), result(*given[:-1])),
        domain=domain, jvp=tuple(vjp), doc=doc, **facets,
    ))  # fmt: skip


def _joint_shape(args: tuple[Any, ...]) -> tuple[int, ...]:
    return np.broadcast_shapes(*[a.shape for a in args])


def result(*args: Any) -> np.dtype[Any]:
    """The dtype of SciPy's result for arguments of these dtypes, or these arguments: in single or double precision."""
    dtype = np.result_type(*[getattr(a, "dtype", a) for a in args])
    small, large = (np.complex64, np.complex128) if dtype in COMPLEX else (np.float32, np.float64)
    return np.dtype(small if np.can_cast(dtype, small) else large)


def doubles(*args: Any) -> tuple[list[Any], np.dtype[Any]]:
    """The arguments broadcast, in float64 or complex128, and the dtype that a result of theirs has."""
    wide = [np.asarray(a, np.complex128 if np.iscomplexobj(a) else np.float64) for a in args]
    return list(np.broadcast_arrays(*wide)), result(*args)


_BLOCK = 8192


def in_blocks(function: Callable[..., Any], *arrays: Any) -> Any:
    """An elementwise function of arrays of one shape, of some thousand elements at a time: what it makes on its way
    stays in the cache."""
    if arrays[0].size <= _BLOCK:
        return function(*arrays)
    lines = [a.reshape(-1) for a in arrays]
    parts = [function(*[a[k : k + _BLOCK] for a in lines]) for k in range(0, lines[0].size, _BLOCK)]
    return np.concatenate(parts).reshape(arrays[0].shape)


def alike(operation: str, *args: Any) -> tuple[Any, ...]:
    """The arguments of a row that is not elementwise: Python numbers in the dtype of the others."""
    given = [a if type(a) in (int, float, bool) else operand(operation, a) for a in args]
    return tuple([a if hasattr(a, "dtype") else np.asarray(a, result(*given)) for a in given])


def fixed(operation: str, argument: str, value: Any, reason: str) -> Any:
    """An argument in which zen has no derivative; TypeError with the reason for a Tensor that requires one."""
    try:
        return constant(operation, argument, value)
    except TypeError:
        raise TypeError(
            f"{operation}: no derivative with respect to {argument}: {reason}; detach() it if it is constant"
        ) from None

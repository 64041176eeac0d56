"""Reverse mode: `gradients` of Tensors, and `grad`, `value_and_grad` and `vjp` of functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Literal, Never, ParamSpec, overload

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import ANYWHERE, WITHIN, Batched, running
from ..conversion import convert
from ..dtypes import COMPLEX, KERNELS
from .conjugation import check_cotangent, conjugated
from .variables import Variables, results
from .wrapper import Recorded, Wrapper

_Rest = ParamSpec("_Rest")
"""What a function takes besides its first argument, which may be of another type where it is differentiated."""


def gradients(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> Any:
    """Gradients of `outputs` with respect to `inputs`; no `.grad` is touched.

    outputs: a Tensor, or a list, tuple or dict of them, whose gradients are added up.
    inputs: a Tensor, or a nested list, tuple or dict of them; the gradients come back in the same structure.
    grad_outputs: the cotangents, in the structure and shapes of `outputs`; may be left out for single elements.
    create_graph: make the gradients differentiable themselves.
    retain_graph: keep the graph of `outputs` for another pass (default: create_graph).
    allow_unused: give None for an input that the outputs do not depend on, instead of raising.

    Raises RuntimeError where an output or input takes part in no graph, for an output of several elements without a
    cotangent, and for unused inputs; ValueError for a cotangent of another shape.

    >>> import zen
    >>> x = zen.tensor(3.0, requires_grad=True)
    >>> g = zen.gradients(x**3, x, create_graph=True)
    >>> g.item(), zen.gradients(g, x).item()
    (27.0, 18.0)
    """
    roots = _tensors("outputs", outputs)
    wanted = _tensors("inputs", inputs)
    for path, t in wanted:
        if not t.requires_grad:
            raise RuntimeError(
                f"gradients: {path} does not require a gradient; call requires_grad_() on it before computing the "
                "outputs"
            )
    for path, t in roots:
        if not t.requires_grad:
            raise RuntimeError(
                f"gradients: {path} does not require a gradient and has no graph; check that it was not computed "
                "under zen.no_grad() or after detach()"
            )
    seeds = seeds_of(outputs, roots, grad_outputs)
    if not wanted or not roots:
        return trees.rebuild(inputs, [None] * len(wanted))
    retain = create_graph if retain_graph is None else retain_graph
    seeds = conjugated(seeds, create_graph)
    found = backend.run([t for _, t in roots], seeds, [t for _, t in wanted], retain, create_graph)
    assert found is not None
    found = conjugated(found, create_graph)
    if not allow_unused:
        for (path, _), gradient in zip(wanted, found, strict=True):
            if gradient is None:
                raise RuntimeError(
                    f"gradients: the outputs do not depend on {path}; pass allow_unused=True to get None for it"
                )
    return trees.rebuild(inputs, found)


@overload
def grad(
    f: Callable[Concatenate[Any, _Rest], Any], argnums: Literal[0] = 0
) -> Callable[Concatenate[Any, _Rest], Any]: ...
@overload
def grad(
    f: Callable[Concatenate[Any, _Rest], Any], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[Any, _Rest], tuple[Any, Any]]: ...
@overload
def grad(
    f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool = False, holomorphic: bool = False
) -> Wrapper: ...
def grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
    """The function that returns the gradient of `f`, which must return a Tensor of one element.

    argnums: which positional arguments to differentiate by; one gradient for an int, a tuple of them for a sequence.
    Each may be a number, an array, a Tensor, or nested lists, tuples, named tuples and dicts of these; the gradient has
    the same structure. Numbers and NumPy arrays give NumPy arrays, Tensors give Tensors. Integers count as float64.
    has_aux: `f` returns `(value, aux)`; the function then returns `(gradient, aux)`.
    holomorphic: `f` has a complex derivative, and that is wanted. Without it `f` returns a real number, and the
    gradient by a complex argument is the direction of steepest ascent: `z - lr * grad` descends, as in PyTorch.

    Nests: `grad(grad(f))` is exact. If an argument, or a Tensor that `f` uses, requires a gradient, all results are
    Tensors with a graph, whatever the arguments are; call under `zen.no_grad()` to do without. The function that comes
    back can be pickled if `f` can.

    >>> import numpy as np, zen
    >>> round(float(zen.grad(zen.grad(np.sin))(1.0)), 6)
    -0.841471
    >>> w = zen.tensor(2.0, requires_grad=True)
    >>> zen.grad(lambda x: w * x**3)(1.5).backward()
    >>> w.gradient.item()
    6.75
    """
    return _Gradient(f, argnums, has_aux, holomorphic)


@overload
def value_and_grad(
    f: Callable[Concatenate[Any, _Rest], Any], argnums: Literal[0] = 0
) -> Callable[Concatenate[Any, _Rest], tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[Any, _Rest], Any], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[Any, _Rest], tuple[tuple[Any, Any], Any]]: ...
@overload
def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool = False, holomorphic: bool = False
) -> Wrapper: ...
def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
    """The function that returns `(value, gradient)` of `f`; with `has_aux`, `((value, aux), gradient)`. See `grad`.

    >>> import numpy as np, zen
    >>> value, g = zen.value_and_grad(lambda p: (p["w"] * p["x"]).sum())({"w": np.array([1.0, 2.0]), "x": 3.0})
    >>> float(value), g["w"].tolist(), g["x"].tolist()
    (9.0, [3.0, 3.0], 3.0)
    """
    return _ValueAndGradient(f, argnums, has_aux, holomorphic)


class _ValueAndGradient(Wrapper):
    """What `value_and_grad` returns."""

    _name = "value_and_grad"

    def __init__(
        self, f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, holomorphic: bool = False
    ) -> None:
        Wrapper.__init__(self, f)
        alone = type(argnums) is int and argnums >= 0
        if not alone:
            positions(argnums, None)
        # One attribute: `Wrapper.__getattr__` makes reading each of them slow.
        self._given = f, argnums, has_aux, holomorphic, alone and not has_aux and not holomorphic

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return _both(self._given, args, kwargs)

    def _parts(self) -> tuple[Any, ...]:
        return self._given[:4]


class _Gradient(_ValueAndGradient):
    """What `grad` returns."""

    _name = "grad"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        given = self._given
        value, found = _both(given, args, kwargs)
        return (found, value[1]) if given[2] else found


def _both(given: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`(value, gradient)` of a call of what `value_and_grad` was given."""
    if ANYWHERE and running.levels:
        return WITHIN["value_and_grad"](given, args, kwargs)
    f, argnums, has_aux, holomorphic, is_plain = given
    where = [argnums] if is_plain and argnums < len(args) else positions(argnums, len(args))
    variables = Variables("grad", args, where)
    value, aux = variables.call(f, kwargs), None
    alone = not kwargs and len(args) == len(where)
    if is_plain and (alone or not variables.beside(args, kwargs, where)):
        made = variables.differentiated(value, args[argnums])
        if made is not None:
            return made
    if has_aux:
        value, aux = split_aux("grad", value)
    if not isinstance(value, Tensor) or value.size != 1:
        refuse_value(value)
    outputs = [value]
    recorded = connected = variables.connected(outputs)
    if holomorphic:
        _check_holomorphic(value, variables.tensors)
    elif value.dtype in COMPLEX:
        raise TypeError(
            f"grad: the function returned a number of dtype {value.dtype}, and a gradient is of a real one; return "
            "its real part or abs(), or pass holomorphic=True for the derivative of a holomorphic function"
        )
    if aux is not None and not connected:  # asked before the pass releases the graph
        connected = variables.connected([x for x in trees.values(aux) if isinstance(x, Tensor)])
    pulled = variables.pull(outputs, [None], False, recorded)
    if not holomorphic:
        pulled = conjugated(pulled, recorded)
    as_array = not (variables.took_tensors or connected or (not alone and variables.beside(args, kwargs, where)))
    values = variables.handed(pulled, recorded, as_array)
    if isinstance(argnums, int):
        found = trees.rebuild(args[where[0]], values)
    else:
        rest = iter(values)
        found = tuple([trees.rebuild(args[k], rest) for k in where])
    result = variables.settle(value, connected, as_array)
    return ((result, variables.settled(aux, connected, as_array)) if has_aux else result), found


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`(f(*primals), pull)`, where `pull(cotangent)` is the tuple of vector-Jacobian products, one for each primal.

    The cotangent has the structure and shapes of the result. `pull` may be called any number of times. Structures and
    types are as in `grad`: if a primal, a Tensor that `f` uses or the cotangent requires a gradient, the products are
    Tensors with a graph, unless `pull` is called under `zen.no_grad()`. That graph contains that of `f`, which is
    released, like any other, by the backward pass that follows, unless that is given `retain_graph=True`.

    >>> import numpy as np, zen
    >>> y, pull = zen.vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> y.tolist(), pull(np.array([1.0, 10.0]))[0].tolist()
    ([1.0, 4.0], [2.0, 40.0])
    """
    if ANYWHERE and running.levels:
        return WITHIN["vjp"](f, primals)  # type: ignore[no-any-return]
    variables = Variables("vjp", primals, None)
    out = variables.call(f, {})
    outputs = results("vjp", out)
    connected = variables.connected(outputs)
    as_array = not variables.took_tensors

    def pull(cotangent: Any) -> tuple[Any, ...]:
        made = None if connected else variables.pulled(out, cotangent, primals)
        if made is not None:
            return made
        if ANYWHERE and any([type(c) is Batched for c in trees.values(cotangent)]):
            return WITHIN["pull"](primals, variables, out, outputs, connected, cotangent)  # type: ignore[no-any-return]
        if isinstance(out, Tensor) and isinstance(cotangent, (Tensor, np.ndarray)):
            seeds = [_seed("vjp", "the result", out, cotangent)]
        elif isinstance(out, Tensor):
            seeds = seeds_of(out, [("the result", out)], cotangent, "vjp")
        else:
            named = [(path, t) for (path, _), t in zip(trees.leaves(out, "the result"), outputs, strict=True)]
            seeds = seeds_of(out, named, cotangent, "vjp")
        given, linked = as_array, connected
        for seed in seeds:
            if isinstance(seed, Tensor):
                given, linked = False, linked or seed.requires_grad
        recorded = linked and backend.grad_enabled()
        pulled = variables.pull(outputs, conjugated(seeds, recorded), True, recorded)
        found = variables.handed(conjugated(pulled, recorded), recorded, given)
        return trees.rebuild(primals, found)  # type: ignore[no-any-return]

    return variables.settled(out, connected, as_array), Recorded("vjp", pull)


def _check_holomorphic(value: Tensor, variables: Sequence[Tensor]) -> None:
    real = [t for t in (value, *variables) if t.dtype not in COMPLEX]
    if real:
        what = "the function returned a number" if real[0] is value else "an argument is"
        raise TypeError(
            f"grad: with holomorphic=True arguments and result are complex, but {what} of dtype {real[0].dtype}; "
            "convert with astype(zen.complex128), or leave holomorphic out for the gradient of a real result"
        )


def refuse_value(out: Any) -> Never:
    if isinstance(out, (tuple, list, dict)):
        raise TypeError(
            f"grad: the function returned {type(out).__name__}, but must return one Tensor; for further results "
            "return (value, aux) and pass has_aux=True"
        )
    (value,) = results("grad", out)
    raise ValueError(
        f"grad: the function returned shape {value.shape}, but a gradient is of one number; reduce it, for example "
        "with .sum(), or use zen.vjp"
    )


def split_aux(name: str, out: Any) -> tuple[Any, Any]:
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(f"{name}: with has_aux the function returns (value, aux), not {type(out).__name__}")
    return out


def positions(argnums: int | Sequence[int], count: int | None) -> list[int]:
    """The positions to differentiate, checked; with `count` arguments, non-negative."""
    if isinstance(argnums, int) and (count is None or 0 <= argnums < count):
        return [argnums]
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    if not all([isinstance(k, int) for k in numbers]):
        raise TypeError(f"argnums is an int or a sequence of ints, not {argnums!r}")
    if count is None:
        return numbers
    for k in numbers:
        if not -count <= k < count:
            raise ValueError(f"argnums {k} is out of range: the function was called with {count} positional arguments")
    numbers = [k % count for k in numbers]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"argnums {argnums!r} names an argument twice")
    return numbers


def _tensors(role: str, tree: Any) -> list[tuple[str, Tensor]]:
    found = list(trees.leaves(tree, role))
    for path, t in found:
        if not isinstance(t, Tensor):
            raise TypeError(f"gradients: {path} is {type(t).__name__}, not a Tensor")
    return found


def seeds_of(outputs: Any, roots: Sequence[tuple[str, Tensor]], given: Any, name: str = "gradients") -> list[Any]:
    """The cotangents, checked against the outputs: Tensors, arrays, or None for a single one."""
    if given is None:
        values: list[Any] = [None] * len(roots)
    elif isinstance(given, (list, tuple, dict)):
        values = _matched(name, outputs if isinstance(outputs, (list, tuple, dict)) else [outputs], given)
    else:
        values = [given]
    if len(values) != len(roots):
        raise ValueError(f"{name}: {len(values)} cotangents for {len(roots)} outputs")
    return [_seed(name, path, t, value) for (path, t), value in zip(roots, values, strict=True)]


def _matched(name: str, outputs: Any, given: Any) -> list[Any]:
    """The leaves of `given` in the order of the outputs; a None stands for all of its part."""
    keys = list(outputs) if isinstance(outputs, dict) else range(len(outputs))
    fits = isinstance(outputs, dict) == isinstance(given, dict) and len(outputs) == len(given)
    values: list[Any] = []
    for key in keys if fits else ():
        part, cotangent = outputs[key], given.get(key) if isinstance(given, dict) else given[key]
        fits = fits and (cotangent is None or trees.same_structure(part, cotangent))
        if cotangent is None:
            values.extend([None for _ in trees.leaves(part)])
        else:
            values.extend([value for _, value in trees.leaves(cotangent)])
    if not fits or (isinstance(given, dict) and given.keys() != outputs.keys()):
        raise ValueError(f"{name}: the cotangents do not have the structure of the outputs")
    return values


def _seed(name: str, path: str, t: Tensor, value: Any) -> Any:
    if value is None:
        if t.size != 1:
            raise RuntimeError(
                f"{name}: {path} has shape {t.shape}, which is not a scalar; reduce it first, for example with .sum(), "
                "or give its cotangent in grad_outputs"
            )
        if t.dtype in COMPLEX:
            raise RuntimeError(
                f"{name}: {path} is of dtype {t.dtype}, and a gradient is of a real number; take its real part or "
                "abs(), or give its cotangent in grad_outputs"
            )
        return None
    shape = value.shape if isinstance(value, (Tensor, np.ndarray)) else np.shape(value)
    if shape != t.shape:
        raise ValueError(f"{name}: the cotangent of {path} has shape {shape}; expected {t.shape}")
    if not (isinstance(value, Tensor) or (type(value) is np.ndarray and value.dtype in KERNELS)):
        value = convert(value)
    check_cotangent(name, path, t, value)
    return value

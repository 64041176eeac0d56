"""Derivatives through eigenvectors and singular vectors where values are equal: what the factor 1 / (a - b) becomes.

A function that does not depend on how the vectors of equal values were chosen (a sum over eigenvalues, V f(w) V^H, a
projector) has a derivative there, and the numerator over a - b vanishes as well. If only values or only vectors are
used, the quotient is 0. If both are, it is a second derivative of the function: how the cotangents of the values change
when the vectors turn. `turned_cotangents` finds it by a pass through the graph of the cotangents, which needs a pass
that records itself. So as long as a decomposition with ties lives, each ordinary pass is led by a recorded one, which
leaves the quotients in `Ties.found`; hooks of Tensors on the way run in both. Used by `spectra.py`, `eigen.py` and
`singular_values.py`.

A function that does depend on the choice has no derivative: LinAlgError.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor, apply
from ..conversion import convert
from ..dtypes import real
from .operands import raw
from .register import ROWS


class Ties:
    """What one recorded decomposition knows of its equal values; a parameter of its row.

    x: the operand on a node that nothing else uses. are: whether there are any. watched: whether passes are led because
    of them. probing: threads whose pass asks how vectors turn. preparing: those whose recorded pass leads an ordinary
    one. found: by thread, the quotients of pairs, for the ordinary pass.
    """

    __slots__ = ("__weakref__", "are", "found", "preparing", "probing", "watched", "x")

    def __init__(self, x: Tensor) -> None:
        self.x, self.are, self.watched = x, False, False
        self.probing: dict[int, str] = {}
        self.preparing: set[int] = set()
        self.found: dict[int, dict[str, Any]] = {}

    def probed(self, cotangents: tuple[Any, ...]) -> str | None:
        """What this thread's pass asks for in place of the vjp. After a recorded vjp, passes use the vectors."""
        if self.are and any([isinstance(g, Tensor) for g in cotangents]):
            _watch(self)
        return self.probing.get(threading.get_ident())

    def turned_cotangents(self, g: Tensor, weights: np.ndarray, part: str) -> Any:
        """How sum(weights * g) changes when the vectors turn, g being the recorded cotangents of the values.

        While this thread probes, the row's vjp returns that in place of its result. part: for a row that divides
        several numerators, by which gaps.
        """
        me = threading.get_ident()
        self.probing[me] = part
        try:
            (found,) = _run([g], [weights], [self.x], True, True) or [None]
        finally:
            del self.probing[me]
        return 0.0 if found is None else found

    def keep(self, part: str, quotients: Any) -> None:
        """Leave the quotients to the ordinary pass that this recorded one leads.

        The first ones: passes that others down the graph start meet this decomposition again.
        """
        me = threading.get_ident()
        if me in self.preparing:
            self.found.setdefault(me, {}).setdefault(part, raw(quotients))

    def left(self, part: str) -> Any:
        return self.found.get(threading.get_ident(), {}).get(part)


def recorded(x: Any) -> bool:
    """Whether an operation on x becomes part of a graph."""
    return isinstance(x, Tensor) and x.requires_grad and backend.grad_enabled()


def decomposed(row: Any, x: Any, values: int, is_tied: Any, vectors: bool, *params: Any) -> Any:
    """The row applied to x, with `Ties` as its last parameter where it is recorded.

    values: which result they are. is_tied: says of these whether some are equal. vectors: whether the user gets them.
    """
    if not recorded(x):
        return apply(row, (x,), (*params, None))
    own = apply(ROWS["positive"], (x,))
    ties = Ties(own)
    results = apply(row, (own,), (*params, ties))
    ties.are = is_tied(results[values].array)
    if ties.are and vectors:
        _watch(ties)
    return results


# --- which pairs are tied


def largest(a: Any) -> np.ndarray:
    """The largest magnitude in each matrix, with both axes kept."""
    found: np.ndarray = np.max(np.abs(raw(a)), axis=(-2, -1), keepdims=True, initial=0)
    return found


def size_of(values: Any, g: Any, *others: Any) -> np.ndarray:
    """What numerators are small beside if they are nothing but rounding: cotangents of vectors, and those of values,
    times these."""
    sizes = [largest(a) for a in others]
    if g is not None:
        scale = largest(raw(values)[..., None])
        sizes.append(largest(raw(g)[..., None]) * np.where(scale == 0, 1, scale))
    found: np.ndarray = sizes[0]
    for size in sizes[1:]:
        found = np.maximum(found, size)
    return found


def _rounding(numerators: np.ndarray) -> float:
    """The part of the largest numerator that is nothing but rounding."""
    found: float = max(numerators.shape[-2:]) * np.finfo(real(numerators.dtype)).eps ** 0.75
    return found


def vanishes(numerators: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Where numerators are nothing but rounding."""
    limit: np.ndarray = np.abs(numerators) <= _rounding(numerators) * size
    return limit


def near(gaps: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Gaps so small that second derivatives by quotients would be less exact than those at a tie."""
    found: np.ndarray = np.abs(gaps) <= np.finfo(gaps.dtype).eps ** (1 / 3) * scale
    return found


def equal(gaps: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Gaps that are nothing but rounding."""
    found: np.ndarray = np.abs(gaps) <= 10 * max(gaps.shape[-2:], default=1) * np.finfo(gaps.dtype).eps * scale
    return found


def quotient(
    f: Any,
    name: str,
    top: Any,
    gaps: Any,
    scale: np.ndarray,
    size: Callable[[], np.ndarray],
    fallback: Callable[[], Any],
    apart: np.ndarray,
) -> Any:
    """top / gaps for pairs of different values; for tied ones that of `fallback()`, or 0 if that is None.

    size: gives what `size_of` does. apart: pairs that have a gap at all, True off the diagonal.
    """
    numerators, differences = raw(top), raw(gaps)
    close = near(differences, scale) & apart
    if not close.any():  # in nearly every call
        used = apart.astype(differences.dtype)
        return top * used / (gaps + (1 - used))
    close, largest_one = np.broadcast_to(close, numerators.shape), size()
    part = np.abs(differences) / np.where(scale == 0, 1, scale)
    close = close & (np.abs(numerators) <= (_rounding(numerators) + 10 * part) * largest_one)
    other, same = None, equal(differences, scale) & apart
    if close.any():
        other, close = _of_ties(fallback, close, same)
    # A tie is where numerators are what the quotients say, whatever the gap is.
    beside = numerators if other is None else numerators - raw(other) * differences
    tied = close & (np.abs(beside) <= (_rounding(numerators) + 10 * part**2) * largest_one)
    wrong = same & ~tied
    if wrong.any():
        place = [int(k) for k in np.argwhere(wrong)[0][-2:]]
        raise np.linalg.LinAlgError(
            f"{name}: values {place[0]} and {place[1]} are equal, or 0, and the result depends on how their vectors "
            "were chosen: it has no derivative there. Use the values alone, or what all vectors of equal values give "
            "together, such as v @ v.mH over them"
        )
    used = (apart & ~tied).astype(differences.dtype)
    made = top * used / (gaps + (1 - used))
    return made if other is None or not tied.any() else made + other * tied.astype(differences.dtype)


def _of_ties(fallback: Callable[[], Any], close: np.ndarray, same: np.ndarray) -> tuple[Any, np.ndarray]:
    """The quotients of ties; where they cannot be had, pairs of different values are none."""
    try:
        return fallback(), close
    except Undetermined:
        if (close & same).any():
            raise
        return None, np.zeros_like(close)


class Undetermined(np.linalg.LinAlgError):
    """The quotient of a tie needs a recorded pass."""


def undetermined(name: str) -> Undetermined:
    return Undetermined(
        f"{name}: values are equal, and both values and vectors are used: the derivative needs a pass that records "
        "itself. An operation on the way has no second derivative; call backward(create_graph=True) to see which one"
    )


# --- passes while decompositions with ties live

_live: weakref.WeakSet[Ties] = weakref.WeakSet()
_lock = threading.RLock()
_run, _push, _plain_backward = backend.run, backend.push, Tensor.backward


def _watch(ties: Ties) -> None:
    """Have passes led until the last such decomposition is gone. Without any, passes cost nothing more."""
    if ties.watched:
        return
    with _lock:
        ties.watched = True
        if backend.run is not _led_run:
            backend.attach("backward", _backward)
            backend.run, backend.push = _led_run, _mended_push
            for variables in _variables():
                variables.pull, variables.pushed = _pull, lambda self, *args: None
        _live.add(ties)
        weakref.finalize(ties, _unwatch).atexit = False


def _unwatch() -> None:
    with _lock:
        if not list(_live) and backend.run is _led_run:
            backend.attach("backward", _plain_backward)
            backend.run, backend.push = _run, _push
            for variables in _variables():
                del variables.pull, variables.pushed


def _variables() -> list[Any]:
    """The class by which transforms start passes, which stands on a higher floor."""
    module = sys.modules.get("zen.transforms.variables")
    return [] if module is None else [module.Variables]


def _pull(self: Any, outputs: list[Tensor], seeds: list[Any], retain: bool, recorded: bool) -> Any:
    live = [(t, s) for t, s in zip(outputs, seeds, strict=True) if t.requires_grad]
    led = [] if recorded or not live else _lead([t for t, _ in live], [s for _, s in live])
    try:
        return backend.Leaves.pull(self, outputs, seeds, retain, recorded)
    finally:
        _forget(led)


def _led_run(roots: Any, seeds: Any, inputs: Any = None, retain_graph: bool = False, create_graph: bool = False) -> Any:
    """`backend.run`, led by a recorded pass."""
    led = [] if create_graph else _lead(roots, seeds)
    try:
        return _run(roots, seeds, inputs, retain_graph, create_graph)
    finally:
        _forget(led)


def _backward(self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
    led: list[Ties] = []
    if not create_graph and self.requires_grad and (gradient is not None or self.size == 1):
        if gradient is None or np.shape(gradient) == self.shape:
            seed = gradient if gradient is None or isinstance(gradient, Tensor) else convert(gradient)
            led = _lead([self], [seed])
    try:
        _plain_backward(self, gradient, retain_graph, create_graph)
    finally:
        _forget(led)


def _lead(roots: Any, seeds: Any) -> list[Ties]:
    """Run a recorded pass, whose vjps leave what they find of ties. What fails in it is left to the ordinary pass."""
    with _lock:
        led = [t for t in _live if t.x.requires_grad]
    me = threading.get_ident()
    if not led or any([me in t.probing for t in led]):
        return []
    for t in led:
        t.preparing.add(me)
    try:
        _run(roots, seeds, [t.x for t in led], True, True)
    except Exception:  # noqa: S110  the ordinary pass meets it again, or does not need it
        pass
    finally:
        for t in led:
            t.preparing.discard(me)
    return led


def _forget(led: list[Ties]) -> None:
    me = threading.get_ident()
    for t in led:
        t.found.pop(me, None)


def _mended_push(outputs: Any, variables: Any, directions: Any, rule: Any, recorded: bool) -> list[Any]:
    """`backend.push`. Tangents that are nan for the vectors' are taken by way of the vjp, which knows of ties."""
    found: list[Any] = _push(outputs, variables, directions, rule, recorded)
    lost = [k for k, t in enumerate(found) if t is not None and np.isnan(raw(t)).any()]
    if lost:
        try:
            again = backend.call_recording(
                True, _transposed, [outputs[k] for k in lost], variables, directions, recorded
            )
        except Exception:  # there is none by that way either: it stays nan
            return found
        for k, t in zip(lost, again, strict=True):
            found[k] = t
    return found


def _transposed(outputs: list[Tensor], variables: list[Tensor], directions: list[Any], recorded: bool) -> list[Any]:
    """The tangents of outputs: the derivative of <vjp(g), directions> in g, which may be any g but one that is special
    to the vectors."""
    rng = np.random.default_rng(0)
    dummies = [backend.leaf(rng.normal(size=t.shape).astype(t.dtype), True) for t in outputs]
    for dummy in dummies:
        dummy.node.closed = True  # type: ignore[union-attr]
    live = [(t, d) for t, d in zip(variables, directions, strict=True) if t.requires_grad]
    pulled = _run(outputs, dummies, [t for t, _ in live], True, True) or []
    pairs = [(p, d) for p, (_, d) in zip(pulled, live, strict=True) if p is not None and p.requires_grad]
    found = _run([p for p, _ in pairs], [d for _, d in pairs], dummies, True, recorded) or []
    zeros = [backend.wrap(np.zeros(t.shape, t.dtype)) if g is None else g for t, g in zip(outputs, found, strict=True)]
    return zeros if recorded else [t._array for t in zeros]

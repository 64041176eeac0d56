"""What happens while SciPy works and after: callbacks, the progress bar and results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..extras import missing
from .layout import Array, Layout


class Bar:
    """tqdm's bar over the iterations, with the least value so far. A context manager; nothing with show=False."""

    def __init__(self, function: str, show: bool, total: Any = None) -> None:
        self.bar: Any = None
        self.last = np.nan
        if show:
            try:
                from tqdm import tqdm
            except ImportError as error:
                raise missing(
                    error, f"the bar of zen.optimize.{function}", "tqdm", "optimize", ", or give progress=False"
                ) from None
            self.bar = tqdm(desc=function, total=total, unit="iteration")

    def step(self, value: float) -> None:
        self.last = value
        if self.bar is not None and self.bar.update():  # True where the bar was drawn anew
            self.bar.set_postfix(best=f"{value:.6g}", refresh=False)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.set_postfix(best=f"{self.last:.6g}", refresh=False)
            self.bar.close()


def callback_for(
    layout: Layout, callback: Callable[..., Any] | None, bar: Bar, best: Callable[[], float], result: Any
) -> Callable[..., Any] | None:
    """The callback for SciPy: the user's, with parameters in their structure, and a step of the bar.

    As in SciPy one whose only parameter is `intermediate_result` gets a result with x and fun, any other x, and from
    trust-constr the state as well. result: SciPy's class.
    """
    if callback is None and bar.bar is None:
        return None
    if callback is not None and set(inspect.signature(callback).parameters) == {"intermediate_result"}:
        theirs = callback

        def with_result(intermediate_result: Any) -> Any:
            bar.step(best())
            if isinstance(intermediate_result, np.ndarray):  # methods that know of no such callback
                shown = result(x=intermediate_result, fun=best())
            else:
                shown = result(intermediate_result)
            shown.x = layout.given(np.array(shown.x))
            return theirs(intermediate_result=shown)

        return with_result

    def with_vector(x: Array, *state: Any) -> Any:
        bar.step(best())
        return None if callback is None else callback(layout.given(np.array(x)), *state)

    return with_vector


class Fit:
    """What `summary` needs of a fit, kept beside its result as long as that lives, and not pickled with it.

    basis: "nll" or "least_squares". low, high: the bounds of the free elements, or None.
    """

    def __init__(
        self, basis: str, f: Callable[..., Any], layout: Layout, args: tuple[Any, ...], kwargs: Any = None,
        low: Array | None = None, high: Array | None = None, loss: Any = "linear", constrained: bool = False,
    ) -> None:  # fmt: skip
        self.basis, self.f, self.layout, self.args, self.kwargs = basis, f, layout, args, kwargs or {}
        self.low, self.high, self.loss, self.constrained = low, high, loss, constrained

    def keep(self, result: Any) -> None:
        """Beside the entries, which are a dict and are printed."""
        object.__setattr__(result, "_zen_fit", self)

    def __copy__(self) -> Fit:
        return self

    def __deepcopy__(self, memo: Any) -> Fit:
        return self

    def __reduce__(self) -> Any:
        return type(None), ()


def structured(result: Any, layout: Layout, by_element: Sequence[str]) -> Any:
    """SciPy's result with `x`, and those of its vectors, in the structure of the parameters."""
    for name in by_element:
        vector = result.get(name)
        if isinstance(vector, np.ndarray) and vector.shape == (layout.size,):
            result[name] = layout.spread(vector)
    if "allvecs" in result:
        result["allvecs"] = [layout.given(np.asarray(x)) for x in result["allvecs"]]
    result["x"] = layout.given(np.asarray(result["x"]))
    return result

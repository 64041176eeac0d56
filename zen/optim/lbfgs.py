"""L-BFGS with a fixed step or a line search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..dtypes import BOOLEAN, NUMBERS
from .line_search import Point, strong_wolfe
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters, Range, State, announce, number

_COUNT = Range("a whole number >= 0", lambda x: x >= 0 and x == int(x))
_CURVATURE = 1e-10  # pairs with a smaller product would make the approximate Hessian indefinite
_PAIRS = ("old_dirs", "old_stps", "ro")
_VECTORS = {"d", "prev_flat_grad", "old_dirs", "old_stps"}
_DIRECTION = {*_PAIRS, *_VECTORS, "t", "H_diag"}


class LBFGS(Optimizer):
    """L-BFGS, as torch.optim.LBFGS. For functions without noise; `step` needs a closure.

    Each step makes up to `max_iter` iterations with up to `max_eval` (default 1.25 * max_iter) evaluations, and ends
    early where no element of the gradient is above `tolerance_grad`, or loss or parameters change by less than
    `tolerance_change`. The last `history_size` pairs of changes approximate the inverse Hessian. `line_search_fn` is
    "strong_wolfe", or None for steps of length lr (in the first iteration min(1, 1 / sum |g|) * lr). All parameters
    form one vector; there is one group. ValueError for more groups and for an option out of its range.

    Source: Nocedal, Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5.

    >>> x = zen.tensor([-1.2, 1.0], requires_grad=True)
    >>> opt = zen.optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> _ = opt.step(closure)
    >>> [round(v, 3) for v in x.tolist()]
    [1.0, 1.0]
    """

    RANGES = {
        "lr": NOT_NEGATIVE,
        "max_iter": _COUNT,
        "max_eval": _COUNT,
        "tolerance_grad": NOT_NEGATIVE,
        "tolerance_change": NOT_NEGATIVE,
        "history_size": _COUNT,
    }
    STATE = (
        "func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss", "al",
    )  # fmt: skip

    def __init__(
        self,
        params: Parameters,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """The one group; ValueError for a second."""
        if self.param_groups:
            raise ValueError("LBFGS: all parameters form one vector, so there can be only one group")
        super().add_param_group(param_group)

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        if options["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn is {options['line_search_fn']!r}; expected None or 'strong_wolfe'")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Run the iterations of one step; returns the loss of before. TypeError without a closure.

        An error, one from the closure too, leaves parameters and state as they were before the step.
        """
        if closure is None:
            raise TypeError(
                "LBFGS: step needs a closure, which clears the gradients, computes the loss, calls backward() and "
                "returns it"
            )
        with self._turn:
            origins: list[np.ndarray] = []
            try:
                return self._iterate(closure, origins)
            except BaseException:
                self._move_back(origins)
                raise

    def _iterate(self, closure: Callable[[], Any], origins: list[np.ndarray]) -> Any:
        """The step; `origins` gets where the parameters are before the first move."""
        group = self.param_groups[0]
        owner = group["params"][0]
        state = {"func_evals": 0, "n_iter": 0, **self.state.get(owner, {})}  # in use only once the step has succeeded
        first = self._evaluate(closure)
        loss, evaluations = number(first), 1
        grad, largest, total, _ = self._gradient()
        state["func_evals"] += 1
        for iteration in range(1, group["max_iter"] + 1):
            if largest <= group["tolerance_grad"] or (iteration > 1 and evaluations >= group["max_eval"]):
                break
            new, d, slope, size = self._direction(state, grad, group["history_size"])
            t = float(group["lr"])
            if new["n_iter"] == 1:
                t *= min(1.0, 1.0 / total)
            before = loss
            state |= {**new, "d": backend.wrap(d), "t": t, "prev_flat_grad": backend.wrap(grad), "prev_loss": loss}
            if not slope <= -group["tolerance_change"]:
                break
            origins.append(np.concatenate([p._array.ravel() for p in group["params"]], dtype=d.dtype))
            last = iteration == group["max_iter"]
            start = Point(0.0, loss, grad, slope, largest)
            end, used = self._move(closure, start, origins[-1], d, size, t, group["max_eval"] - evaluations, last)
            del origins[1:]
            t, loss, grad, _, largest = end
            state["t"] = t
            evaluations += used
            state["func_evals"] += used
            if t * size <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]:
                break
        self.state[owner] = state
        return first

    def _move(
        self, closure: Callable[[], Any], start: Point, origin: np.ndarray, d: np.ndarray, size: float, t: float,
        limit: int, last: bool,
    ) -> tuple[Point, int]:  # fmt: skip
        """Change the parameters from `origin` along d; where they are then, and the number of evaluations."""
        group = self.param_groups[0]

        def evaluate(step: float) -> Point:
            self._set(origin, d, step)
            loss = number(self._evaluate(closure))
            grad, largest, _, slope = self._gradient(d)
            return Point(step, loss, grad, slope, largest)

        if group["line_search_fn"] is None:
            if not last:
                return evaluate(t), 1
            self._set(origin, d, t)
            return start._replace(t=t), 0
        end, used = strong_wolfe(evaluate, t, start, size, change=group["tolerance_change"], limit=limit)
        self._set(origin, d, end.t)
        return end, used

    def _move_back(self, origins: list[np.ndarray]) -> None:
        """Copies instead of `_set`, which would need memory, and would make 0.0 of -0.0."""
        params = self.param_groups[0]["params"] if origins else []
        offset, written = 0, []
        for p in params:
            a = p._array
            if a.flags.writeable:  # otherwise nothing was moved
                written.append(a)
                np.copyto(a, origins[0][offset : offset + a.size].reshape(a.shape), casting="same_kind")
            offset += a.size
        announce(written, "LBFGS.step")

    def _direction(self, state: State, grad: np.ndarray, history: int) -> tuple[State, np.ndarray, float, float]:
        """The state with the newest pair of changes taken in, and minus its inverse Hessian times the gradient.

        Also the product of that with the gradient, and its largest size. `state` itself stays as it is.
        """
        first = state["n_iter"] == 0 or "d" not in state
        changes, steps, ro = ([], [], []) if first else [list(state[key]) for key in ("old_dirs", "old_stps", "ro")]
        scale = 1.0 if first else state["H_diag"]
        if not first:
            before, d = state["prev_flat_grad"]._array, state["d"]._array
            y, s, ys, yy = backend.kernels.optim.lbfgs_pair(grad, before, d, state["t"])
            if ys > _CURVATURE:
                changes, steps, ro = [*changes, backend.wrap(y)], [*steps, backend.wrap(s)], [*ro, 1.0 / ys]
                scale = ys / yy
        if len(changes) > history:
            del changes[0], steps[0], ro[0]
        new = {"n_iter": state["n_iter"] + 1, "old_dirs": changes, "old_stps": steps, "ro": ro, "H_diag": scale}
        return new, *backend.kernels.optim.lbfgs_direction(grad, changes, steps, ro, scale)

    def _flat_dtype(self) -> np.dtype:
        return np.result_type(np.float32, *[p.dtype for p in self.param_groups[0]["params"]])

    def _gradient(self, d: np.ndarray | None = None) -> tuple[np.ndarray, float, float, float]:
        """The gradients as a vector of its own, with the largest and the sum of their sizes, and the slope along d."""
        params = self.param_groups[0]["params"]
        grad = np.empty(sum(p.size for p in params), self._flat_dtype())
        return grad, *backend.kernels.optim.lbfgs_gradient(params, grad, d)

    def _set(self, origin: np.ndarray, d: np.ndarray, t: float) -> None:
        """parameters = origin + t * d."""
        written: list[np.ndarray] = []
        try:
            backend.kernels.optim.lbfgs_move(self.param_groups[0]["params"], origin, d, t, written)
        finally:
            announce(written, "LBFGS.step")

    def _loaded_entry(self, p: Tensor, index: int, entry: Any) -> State:
        state: State = {"func_evals": 0, "n_iter": 0, **super()._loaded_entry(p, index, entry)}
        state.pop("al", None)  # PyTorch's, of use within a step alone
        lists = [state.get(key) for key in _PAIRS]
        for key, value in state.items():
            parts, kind = value if key in _PAIRS else [value], Tensor if key in _VECTORS else (int, float)
            if not isinstance(parts, list) or not all(isinstance(part, kind) for part in parts):
                expected = ("vectors" if key in _PAIRS else "a vector") if key in _VECTORS else "numbers"
                raise ValueError(f"LBFGS: {key} was saved as {value!r:.80}; expected {expected}")
        if "d" in state and not _DIRECTION <= set(state):
            missing = ", ".join(sorted(_DIRECTION - set(state)))
            raise ValueError(f"LBFGS: the state has a direction, but no {missing}")
        lengths = [len(found) for found in lists if found is not None]
        if len(set(lengths)) > 1:
            raise ValueError(f"LBFGS: {', '.join(_PAIRS)} were saved with {lengths} entries; expected as many of each")
        return state

    def _loaded_value(self, p: Tensor, place: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._loaded_value(p, place, x) for x in value]
        if value is None or isinstance(value, (int, float)):
            return value
        array = np.asarray(value._array if isinstance(value, Tensor) else value)
        if array.ndim == 0 or array.dtype not in NUMBERS - BOOLEAN:
            return array.item() if array.ndim == 0 else value
        size = sum(q.size for q in self.param_groups[0]["params"])
        if array.shape != (size,):
            raise ValueError(f"LBFGS: {place} was saved with shape {array.shape}, but must have {(size,)}")
        return backend.wrap(array.astype(self._flat_dtype()))

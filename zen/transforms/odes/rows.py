"""The row of an ODE's solution: y at given times, as a function of y0, the times, and all that the right side reads.

Three derivatives, all by further ODEs:

    adjoint   da/dt = -(df/dy)^T a, backwards (Pontryagin; Chen et al., Neural Ordinary Differential Equations, 2018),
              and the gradients by the arguments as integrals beside it. y comes from the solution that was kept; where
              the derivative is differentiated itself, y runs backwards with a, and starts anew at each time asked for
    forward   dS/dt = df/dy S + df/dp: the Jacobian S by all of them at once
    tangent   the same for one direction: forward mode

What is differentiated itself is a solution again, a row of the same kind: so derivatives of every order exist.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...dtypes import COMPLEX
from ...ops.operands import raw
from ...ops.register import FUNCTIONS
from ..closures import Closure, each
from ..forward import ARRAYS
from .solvers import Options, solve
from .vectors import dtype_of, flat, recorded_flat, size_of, split

Right = Callable[..., Any]

_EXPLORED = 40
"""At how many steps of the solution, at most, the right side is asked which Tensors it uses."""


def solution(
    f: Right, y0: Any, t0: Any, times: Any, args: Sequence[Any], options: Options, known: Any = None,
    within: Closure | None = None,
) -> Tensor:  # fmt: skip
    """y at the `times`, of shape (len(times), len(y0)), of dy/dt = f(t, y, *args) with y = y0 at t0.

    y0: a vector; t0: a number; times: a vector, in any order, all on one side of t0. Tensors or arrays. known: the
    solution as a function of time, if somebody solved the equation already. within: of whose function f is made.
    """
    return Solution(f, y0, t0, times, args, options, within).attached(known)


class Solution:
    """One solution; `solution` says of what. The inputs of its row are y0, t0, the times, and those of the closure."""

    def __init__(
        self, f: Right, y0: Any, t0: Any, times: Any, args: Sequence[Any], options: Options,
        within: Closure | None = None,
    ) -> None:  # fmt: skip
        self.f, self.options = f, options
        self.y0, self.t0, self.times = np.array(raw(y0)), float(raw(t0)), np.array(raw(times), np.float64)
        self.variables = [y0, t0, times]
        self.moves = [isinstance(x, Tensor) and x.requires_grad for x in self.variables]
        self.closure = Closure("odeint", f, args)
        self.explores = within is None
        if within is not None:
            self.closure.adopt(within)
        self.count = len(self.closure.given)
        self.known: Any = None
        self.sensitivities: np.ndarray | None = None

    def attached(self, known: Any = None) -> Tensor:
        if known is None:
            options = self.options
            if options.jac is True:
                options = dataclasses.replace(options, jac=self.jacobian)
            known = solve(self.closure.value, self.y0, self.t0, self.times, options).at
        self.known = known
        values = self.at(self.times)
        if not backend.grad_enabled():
            return backend.wrap(values)
        for t in self.points() if self.explores else ():
            self.closure.explore(np.array(t), self.at(np.array([t]))[0])
        if not (any(self.moves) or self.closure.inputs):
            return backend.wrap(values)
        leads = [x if isinstance(x, Tensor) else backend.wrap(np.asarray(x)) for x in self.variables]
        inputs = (*leads, *self.closure.inputs)
        reads = (*[2] * (3 + self.count), *[0] * len(self.closure.free), 2)
        row = backend.Row(
            "odeint", len(inputs), lambda *_: values, lambda: ((self.pull,), (reads,)), joint=True,
            tangents=(self.push,),
        )  # fmt: skip
        made: Tensor = backend.apply(row, inputs, ())
        return made

    def points(self) -> list[float]:
        """Where f is looked at: at steps of the solution that is known, from its start to its end."""
        steps = getattr(self.known, "ts", None)
        if steps is None:
            return [self.t0]
        return [*steps[:: max(1, len(steps) // _EXPLORED)], steps[-1]]

    def at(self, times: np.ndarray) -> np.ndarray:
        """y at some times, by the solution that is known."""
        return _values(self.known, self.y0, self.t0, times)

    def jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        """df/dy, by columns of a transposed one: an array."""
        return self.pulls(t, y, [raw(x) for x in self.closure.given])[0][:, : y.size]

    def pulls(self, t: float, y: np.ndarray, given: Sequence[Any]) -> tuple[np.ndarray, Tensor]:
        """df/d(y, arguments, free Tensors), a matrix, and f, on arrays."""
        n = y.size
        variables, out = self.closure.run((np.array(t), y), given)
        rows = []
        for k in range(n):
            seed = np.zeros(n, self.y0.dtype)
            seed[k] = 1
            pulled = self.closure.pull(variables, out, seed, False)[1:]
            rows.append(flat(pulled, seed.dtype))
        return np.stack(rows), out

    # Reverse mode

    def pull(self, f: Any, g: Any, args: Any, results: Any, wanted: Any) -> tuple[Any, ...]:
        return each(lambda c: self.pulled(c, args, results[0], wanted), g)

    def pulled(self, g: Any, args: Any, y: Any, wanted: Any) -> tuple[Any, ...]:
        """The gradients by y0, t0, the times, the arguments and the free Tensors."""
        self.closure.check()
        given = args[3 : 3 + self.count]
        tensors = isinstance(g, Tensor)
        recorded = tensors and backend.grad_enabled()
        asked = any([*wanted[:2], *wanted[3:]])
        if recorded:
            t0, times, y0 = args[1], args[2], args[0]
            slopes = [self.slope(times[i], y[i], given) for i in range(self.times.size)]
            by_times = [FUNCTIONS["sum"](g[i] * slope) for i, slope in enumerate(slopes)]
            found = self.through(g, y, y0, t0, times, given) if asked else []
            first = self.slope(t0, y0, given) if found else None
        else:
            given, g = [raw(x) for x in given], np.asarray(raw(g))
            slopes = [self.closure.value(t, row) for t, row in zip(self.times, np.asarray(raw(y)), strict=True)]
            by_times = [(g[i] * slope).sum() for i, slope in enumerate(slopes)]
            with backend.GradMode(False):
                found = self.integrated(g, given) if asked else []
            first = self.closure.value(self.t0, self.y0) if found else None
        by_time = FUNCTIONS["stack"](by_times) if by_times else None
        if tensors and not recorded:
            by_time = backend.wrap(raw(by_time)) if by_time is not None else None
            found = [backend.wrap(found[0]), [backend.wrap(p) for p in found[1]]] if found else found
        if not found:
            return None, None, by_time, *[None] * (self.count + len(self.closure.free))
        a, parts = found
        by_start = -FUNCTIONS["sum"](a * first)
        if not tensors:
            return a, by_start, raw(by_time), *parts
        return a, by_start, by_time, *parts

    def slope(self, t: Any, y: Any, given: Any) -> Any:
        return self.closure.f(t, y, *self.closure.filled(given))

    def integrated(self, g: np.ndarray, given: Sequence[Any]) -> Any:
        """`(gradient by y0, gradients by the arguments and free Tensors)`, on arrays."""
        if self.options.sensitivity == "forward":
            self.refuse_complex()
            return self.contracted(g, self.jacobians(given))
        n, scale = self.y0.size, float(np.abs(g).max(initial=0.0)) or 1.0
        parts = [np.zeros(np.shape(x), dtype_of(x)) for x in (*given, *self.closure.free)]
        dtype = self.y0.dtype
        state = np.zeros(n + size_of(parts, dtype), dtype)

        def backwards(t: float, z: np.ndarray) -> np.ndarray:
            variables, out = self.closure.run((np.array(t), self.at_one(t)), given)
            return flat(self.closure.pull(variables, out, -z[:n], False)[1:], dtype)

        def jacobian(t: float, z: np.ndarray) -> np.ndarray:  # of an equation that is linear in z
            matrix = np.zeros((z.size, z.size), dtype)
            matrix[:, :n] = -self.pulls(t, self.at_one(t), given)[0].T
            return matrix

        order, options = self.order(), self.options.with_jac(jacobian if self.options.jac else None)
        for k, i in enumerate(order):
            state[:n] += g[i] / scale
            end = self.times[order[k + 1]] if k + 1 < len(order) else self.t0
            if end != self.times[i] and state.any():
                state = solve(backwards, state, self.times[i], np.array([end]), options).last
        return state[:n] * scale, split(state[n:] * scale, parts)

    def at_one(self, t: float) -> np.ndarray:
        return np.asarray(self.known(t), self.y0.dtype)

    def order(self) -> list[int]:
        """The times from the last to the first."""
        return [int(i) for i in np.argsort(-np.abs(self.times - self.t0), kind="stable")]

    def through(self, g: Any, y: Any, y0: Any, t0: Any, times: Any, given: Sequence[Any]) -> Any:
        """As `integrated`, recorded: by solutions of the equations of y and a together."""
        if self.options.sensitivity == "forward":
            self.refuse_complex()
            return self.contracted(g, self.recorded_jacobians(y0, t0, times, given))
        n = self.y0.size
        like = [*given, *self.closure.free]
        a: Any = np.zeros(n, self.y0.dtype)
        sums: Any = np.zeros(size_of(like, a.dtype), a.dtype)

        def backwards(t: Any, z: Any, *given: Any) -> Any:
            variables, out = self.closure.run((t, z[:n]), given)
            pulled = self.closure.pull(variables, out, -z[n : 2 * n], backend.grad_enabled())[1:]
            return FUNCTIONS["concat"]([out, recorded_flat(pulled, self.y0.dtype)])

        order = self.order()
        for k, i in enumerate(order):
            a = a + g[i]
            j = order[k + 1] if k + 1 < len(order) else None
            end, begun = (t0, self.y0) if j is None else (times[j], raw(y[j]))
            if float(raw(end)) == self.times[i]:
                continue
            start = FUNCTIONS["concat"]([y[i], a, np.zeros(sums.size, self.y0.dtype)])
            to = FUNCTIONS["stack"]([end])
            z = solution(backwards, start, times[i], to, tuple(given), self.options.with_jac(), None, self.closure)[0]
            self.check_return(raw(z[:n]), begun)
            a, sums = z[n : 2 * n], sums + z[2 * n :]
        return a, split(sums, like)

    def check_return(self, found: np.ndarray, expected: np.ndarray) -> None:
        """The equation solved backwards has to come back to where it came from."""
        scale = max(float(np.abs(self.y0).max(initial=0.0)), float(np.abs(self.at(self.times)).max(initial=0.0)))
        off = float(np.abs(found - expected).max(initial=0.0))
        if not off <= 1e-3 * scale + 1e3 * self.options.atol:
            raise RuntimeError(
                f"odeint: for this derivative of a derivative the equation is solved backwards, and that is {off:.2g} "
                "off where it should come back to the solution, as it is when solutions approach each other fast; pass "
                "sensitivity='forward'"
            )

    # Sensitivities

    def refuse_complex(self) -> None:
        """Of complex y there is no Jacobian by complex columns unless the right side is holomorphic."""
        if self.y0.dtype in COMPLEX:
            raise TypeError(
                "odeint: sensitivity='forward' is for real y0, not complex; take sensitivity='adjoint', or real and "
                "imaginary parts as two arrays"
            )

    def jacobians(self, given: Sequence[Any]) -> np.ndarray:
        """dy/d(y0, arguments, free Tensors) at the times, with t0 held: (times, n, all of them), on arrays."""
        if self.sensitivities is None:
            n = self.y0.size
            total = n + size_of([*given, *self.closure.free], self.y0.dtype)

            def right(t: float, z: np.ndarray) -> np.ndarray:
                matrix, out = self.pulls(t, z[:n], given)
                changes = matrix[:, :n] @ z[n:].reshape(n, total)
                changes[:, n:] += matrix[:, n:]
                return np.concatenate([raw(out), changes.reshape(-1)])

            def jacobian(t: float, z: np.ndarray) -> np.ndarray:
                # Without what S feels of y: y does not feel S, so Newton's iteration needs one step more for that.
                matrix = np.zeros((z.size, z.size), z.dtype)
                matrix[:n, :n] = slopes = self.pulls(t, z[:n], given)[0][:, :n]
                matrix[n:, n:] = np.kron(slopes, np.eye(total))
                return matrix

            start = np.concatenate([self.y0, np.eye(n, total, dtype=self.y0.dtype).reshape(-1)])
            options = self.options.with_jac(jacobian if self.options.jac else None)
            known = solve(right, start, self.t0, self.times, options).at
            made = _values(known, start, self.t0, self.times)
            self.sensitivities = made[:, n:].reshape(self.times.size, n, total)
        return self.sensitivities

    def recorded_jacobians(self, y0: Any, t0: Any, times: Any, given: Sequence[Any]) -> Any:
        start, augmented = self.augmented(given, y0)
        z = solution(augmented, start, t0, times, tuple(given), self.options.with_jac(), None, self.closure)
        n = self.y0.size
        return FUNCTIONS["reshape"](z[:, n:], (self.times.size, n, -1))

    def augmented(self, given: Sequence[Any], y0: Any) -> tuple[Any, Right]:
        """y and its Jacobian in one vector: where it starts, and its derivative."""
        n = self.y0.size
        total = n + size_of([*given, *self.closure.free], self.y0.dtype)
        eye = np.eye(n, total, dtype=self.y0.dtype).reshape(-1)

        def right(t: Any, z: Any, *given: Any) -> Any:
            variables, out = self.closure.run((t, z[:n]), given)
            rows = []
            for k in range(n):
                seed = np.zeros(n, self.y0.dtype)
                seed[k] = 1
                pulled = self.closure.pull(variables, out, seed, backend.grad_enabled())[1:]
                rows.append(recorded_flat(pulled, seed.dtype))
            full = FUNCTIONS["stack"](rows)
            changes = FUNCTIONS["matmul"](full[:, :n], FUNCTIONS["reshape"](z[n:], (n, total)))
            if total > n:
                rest = FUNCTIONS["concat"]([np.zeros((n, n), self.y0.dtype), full[:, n:]], 1)
                changes = changes + rest
            return FUNCTIONS["concat"]([out if backend.grad_enabled() else raw(out), FUNCTIONS["reshape"](changes, -1)])

        return FUNCTIONS["concat"]([y0, eye]), right

    def contracted(self, g: Any, jacobians: Any) -> Any:
        n = self.y0.size
        sums = FUNCTIONS["sum"](FUNCTIONS["expand_dims"](g, 2) * jacobians, (0, 1))
        like = [*self.closure.given, *self.closure.free]
        if not (isinstance(g, Tensor) and backend.grad_enabled()):
            sums = np.asarray(raw(sums))
        return sums[:n], split(sums[n:], like)

    # Forward mode

    def push(self, moving: dict[int, Any], saved: Any, *params: Any) -> Any:
        """The tangent of y, on arrays."""
        self.closure.check()
        n, count = self.y0.size, self.count
        arguments, further = [raw(x) for x in saved[3 : 3 + count]], {k: v for k, v in moving.items() if k > 2}
        with backend.GradMode(False):
            start = np.asarray(moving.get(0, np.zeros(n)), self.y0.dtype)
            if 1 in moving:
                start = start - self.closure.value(self.t0, self.y0) * moving[1]
            made = self.varied(start, arguments, further)
            made[self.times == self.t0] = start
            if 2 in moving:
                made = made + self.slopes() * np.asarray(moving[2])[:, None]
        return made.astype(self.y0.dtype, copy=False)

    def slopes(self) -> np.ndarray:
        """The right side at the times."""
        return np.stack([self.closure.value(t, y) for t, y in zip(self.times, self.at(self.times), strict=True)])

    def varied(self, start: np.ndarray, given: list[Any], moving: dict[int, Any]) -> np.ndarray:
        """Solves the equation of the tangent: its values at the times."""
        n = self.y0.size
        scale = max([float(np.abs(v).max(initial=0.0)) for v in (start, *moving.values())]) or 1.0
        free = self.closure.free

        def right(t: float, v: np.ndarray) -> np.ndarray:
            variables, out = self.closure.run((np.array(t), self.at_one(t)), given)
            inputs, directions = [variables[1]], [v]
            for k, direction in moving.items():
                inputs.append(variables[2 + k - 3] if k < 3 + self.count else free[k - 3 - self.count])
                directions.append(np.asarray(direction) / scale)
            (tangent,) = backend.push([out], inputs, directions, ARRAYS, False)
            return np.zeros(n) if tangent is None else np.asarray(tangent)

        def jacobian(t: float, v: np.ndarray) -> np.ndarray:
            return self.pulls(t, self.at_one(t), given)[0][:, :n]

        options = self.options.with_jac(jacobian if self.options.jac else None)
        return (
            _values(solve(right, start / scale, self.t0, self.times, options).at, start / scale, self.t0, self.times)
            * scale
        )


def _values(known: Any, y0: np.ndarray, t0: float, times: np.ndarray) -> np.ndarray:
    """What `known` says at each of the times: (times, n)."""
    if not times.size:
        return np.zeros((0, y0.size), y0.dtype)
    made = np.ascontiguousarray(known(times).T, y0.dtype)
    made[times == t0] = y0
    return made

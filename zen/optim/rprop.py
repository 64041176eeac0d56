"""Rprop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from . import rules
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters, State

_STEP = backend.kernels.optim.rule(rules.RPROP)


class Rprop(Optimizer):
    """Resilient propagation, as torch.optim.Rprop: a step for each element, of which the gradient gives only the sign.

    `etas`: factors on an element's step where its gradient has changed its sign since the step before, and where it has
    not. `step_sizes`: the smallest and the largest step; all start with `lr`. Where the sign has changed, the element
    stays, and the next gradient counts as the first. `maximize` ascends. For gradients of the whole data, not of
    batches. ValueError for an option out of its range.
    Source: Riedmiller, Braun, "A direct adaptive method for faster backpropagation learning" (1993), without the
    backtracking of weights, as in Igel, Huesken (2000), Rprop-.

    >>> w = zen.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = zen.optim.Rprop([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.75, -1.75]
    """

    RANGES = {"lr": NOT_NEGATIVE, "etas": NOT_NEGATIVE, "step_sizes": NOT_NEGATIVE}
    STATE = ("step", *rules.RPROP.arrays)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "maximize": maximize,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        for key in ("etas", "step_sizes"):
            if not isinstance(options[key], (tuple, list)) or len(options[key]) != 2:
                raise ValueError(f"{self._name}: {key} is {options[key]!r}; expected two numbers")
        super()._check_options(options)
        etaminus, etaplus = options["etas"]
        if not 0 < etaminus < 1 < etaplus:
            raise ValueError(f"{self._name}: etas is {options['etas']}; expected 0 < etas[0] < 1 < etas[1]")

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        def fill(p: Tensor, names: Sequence[str], step: bool = True) -> State:
            return self._complete(p, names, step, {"step_size": float(group["lr"])})

        return _STEP(
            group["params"], self.state, fill, written, *group["etas"], *group["step_sizes"], group["maximize"]
        )

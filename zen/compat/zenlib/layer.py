"""The base class of layers, which optimisers update."""

from __future__ import annotations

from typing import Any


class Layer:
    """What an optimiser updates. A layer with parameters overrides `update`."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __call__")

    def update(self, optim: Any) -> None:
        """Subtract `optim.delta(parameter)` from each parameter's value."""

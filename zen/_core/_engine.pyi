from typing import Any

from ._tensor import Tensor

def run(
    roots: list[Tensor],
    seeds: list[Any],
    inputs: list[Tensor] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> list[Tensor | None] | None: ...

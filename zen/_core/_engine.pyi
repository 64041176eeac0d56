from typing import Any, overload

from ._tensor import Node, Tensor

@overload
def run(
    roots: list[Tensor],
    seeds: list[Any],
    inputs: list[Tensor] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    hooks: bool = True,
) -> list[Tensor | None] | None: ...
@overload
def run(
    roots: list[Tensor],
    seeds: list[Any],
    inputs: list[Node],
    retain_graph: bool = False,
    create_graph: bool = False,
    hooks: bool = True,
) -> list[Any]: ...
def twin(t: Tensor) -> Tensor: ...
def record_passes(call: int, needed: bool) -> None: ...
def verify_saved(n: Node) -> None: ...
def push(
    outputs: list[Tensor], variables: list[Tensor], directions: list[Any], rule: Any, recorded: bool
) -> list[Any]: ...

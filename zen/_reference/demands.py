"""Calls whose vjps need to know how their cotangents came about, so that a pass has to record itself."""

from __future__ import annotations

from .node import Node

recording_calls: set[int] = set()  # their numbers


def record_passes(call: int, needed: bool) -> None:
    """Have passes that come to one call by several of its results record themselves, until it is no longer needed.

    call: its number, `seq` of its node. What such a pass gives is the same as without, and has no graph either. Its
    cotangents have one meanwhile, for a vjp to ask.
    """
    (recording_calls.add if needed else recording_calls.discard)(call)


def must_record(roots: list[Node], inputs: list[Node] | None) -> bool:
    """Whether a pass comes to one of `recording_calls` by several of its results."""
    if not recording_calls:
        return False
    oldest = 0 if inputs is None else min([n.seq for n in inputs], default=0)
    pending, seen = list(roots), set(roots)
    ways: dict[int, int] = {}  # for each call one of its results
    while pending:
        node = pending.pop()
        inputs_, params = node.inputs, node.params
        if node.row is None or node.seq < oldest:
            continue
        if node.row.is_output and inputs_ and inputs_[0] is not None and inputs_[0].seq in recording_calls:
            if ways.setdefault(inputs_[0].seq, params[0]) != params[0]:
                return True
        for below in inputs_:
            if below is not None and below not in seen:
                seen.add(below)
                pending.append(below)
    return False

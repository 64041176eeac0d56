"""Nested lists, tuples, named tuples and dicts of arrays, as the transforms take and return them.

A tree is a leaf or a container of trees. None is a tree without leaves. Containers come back as what they were; the
engine rebuilds them, because every call of a transform does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .backend import matched as matched
from .backend import rebuild as rebuild
from .backend import transform as transform


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, leaf) for every leaf, in the order of the containers; a path reads like `[0]['weight']`."""
    pending = [(path, tree)]
    while pending:
        path, node = pending.pop()
        if _is_container(node):
            pending.extend(reversed([(path + key, part) for key, part in _parts(node)]))
        elif node is not None:
            yield path, node


def values(tree: Any) -> list[Any]:
    """The leaves alone, in the same order."""
    if not _is_container(tree):
        return [] if tree is None else [tree]
    found: list[Any] = []
    pending = list(tree.values() if isinstance(tree, dict) else tree)[::-1]
    while pending:
        part = pending.pop()
        if _is_container(part):
            pending.extend(list(part.values() if isinstance(part, dict) else part)[::-1])
        elif part is not None:
            found.append(part)
    return found


def same_structure(first: Any, second: Any) -> bool:
    """Whether two trees differ in their leaves only."""
    if not _is_container(first) or not _is_container(second):
        return _is_container(first) == _is_container(second) and (first is None) == (second is None)
    if isinstance(first, dict) != isinstance(second, dict) or len(first) != len(second):
        return False
    if isinstance(first, dict) and first.keys() != second.keys():
        return False
    keys = first if isinstance(first, dict) else range(len(first))
    return all([same_structure(first[k], second[k]) for k in keys])


def _is_container(tree: Any) -> bool:
    return isinstance(tree, (list, tuple, dict))


def _parts(tree: Any) -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        return [(f"[{key!r}]", part) for key, part in tree.items()]
    if hasattr(tree, "_fields"):
        return [(f".{name}", part) for name, part in zip(tree._fields, tree, strict=True)]
    return [(f"[{k}]", part) for k, part in enumerate(tree)]

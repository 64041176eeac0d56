"""Comparing what is remembered with what is: `Columns`, which `Reads.changed` asks at every replay, and the sentences.

The items are sorted into columns by kind, each compared by one chain of iterators, without a loop of Python's. Where a
column differs, the items are compared one after the other: then an equal value in the place of another is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from itertools import chain, repeat
from operator import eq, is_
from types import MappingProxyType
from typing import Any

from .remembering import (
    ARRAY,
    CELL,
    CLASS,
    COPY,
    DICT,
    ELEMENTS,
    FUNCTION,
    FUNCTION_PARTS,
    KEYS,
    LAYOUT,
    LENGTH,
    LIVE,
    MEMBER,
    MISSING,
    SLOT,
    TENSOR,
    TENSOR_PARTS,
    Item,
    contents,
    is_a,
    key_name,
    plain,
    same,
    same_members,
    shown,
    slot_of,
)

_DICT = repeat("__dict__")


class Columns:
    """The items by kind. `hold()` says whether all are, object by object, what they were."""

    def __init__(self, items: Iterable[Item]) -> None:
        by: dict[Any, list[Item]] = {}
        for item in items:
            kind: Any = item[0]
            if kind == SLOT:
                kind = "view" if type(item[1]) is not dict else "absent" if item[3] is MISSING else SLOT
            by.setdefault(kind, []).append(item)

        def column(kind: Any, place: int) -> tuple[Any, ...]:
            return tuple([item[place] for item in by.get(kind, ())])

        self._slots = tuple([item[1:] for item in by.get(SLOT, ())])
        self._absent = tuple([item[1:3] for item in by.get("absent", ())])
        self._dicts, self._keys = column(KEYS, 1), list(column(KEYS, 3))
        self._cells, self._contents = column(CELL, 1), column(CELL, 3)
        self._objects, self._classes = column(CLASS, 1), column(CLASS, 3)
        self._owners, self._owned = column(DICT, 1), column(DICT, 3)
        self._functions = column(FUNCTION, 1)
        self._parts = tuple(chain.from_iterable(column(FUNCTION, 3)))
        self._tensors, self._kinds = column(TENSOR, 1), list(column(TENSOR, 3))
        self._arrays, self._layouts, self._bytes = column(ARRAY, 1), list(column(ARRAY, 2)), column(ARRAY, 3)
        self._live, self._live_layouts = column(LIVE, 1), list(column(LIVE, 2))
        self._sources: tuple[Sized, ...] = column(ELEMENTS, 1) + column(LENGTH, 1)
        self._lengths = [len(x) for x in column(ELEMENTS, 3)] + list(column(LENGTH, 3))
        self._iterables: tuple[Iterable[Any], ...] = column(ELEMENTS, 1)
        self._elements = tuple(chain.from_iterable(column(ELEMENTS, 3)))
        self._others = tuple(by.get("view", []) + by.get(MEMBER, []) + by.get(COPY, []))

    def hold(self) -> bool:
        """Whether nothing differs. May raise, which means that something does."""
        for owner, key, value in self._slots:  # faster than a chain of iterators is here
            if owner[key] is not value:
                return False
        for owner, key in self._absent:
            if key in owner:
                return False
        same_objects = True
        if self._cells:
            same_objects = all(map(is_, map(contents, self._cells), self._contents))
        if same_objects and self._functions:
            same_objects = all(map(is_, chain.from_iterable(map(FUNCTION_PARTS, self._functions)), self._parts))
        if same_objects and self._objects:
            same_objects = all(map(is_, map(type, self._objects), self._classes)) and all(
                map(is_, map(object.__getattribute__, self._owners, _DICT), self._owned)
            )
        if same_objects and self._sources:
            same_objects = list(map(len, self._sources)) == self._lengths and all(
                map(is_, chain.from_iterable(self._iterables), self._elements)
            )
        if same_objects and self._dicts:
            same_objects = list(map(tuple, self._dicts)) == self._keys
        if same_objects and self._tensors:
            same_objects = list(map(TENSOR_PARTS, self._tensors)) == self._kinds
        if same_objects and self._live:
            same_objects = list(map(LAYOUT, self._live)) == self._live_layouts
        if same_objects and self._arrays:  # their memory by memcmp
            same_objects = list(map(LAYOUT, self._arrays)) == self._layouts and all(map(eq, self._bytes, self._arrays))
        return same_objects and (not self._others or all(map(holds, self._others)))


def fetched(item: Item) -> Any:
    """What an item's owner has now, in the form of what is expected."""
    kind, owner, key, _ = item
    if kind == SLOT:
        return owner.get(key, MISSING)
    if kind == CELL:
        return contents(owner)
    if kind == MEMBER:
        return slot_of(key, owner)
    if kind == CLASS:
        return type(owner)
    if kind == DICT:
        return object.__getattribute__(owner, "__dict__")
    if kind == FUNCTION:
        return FUNCTION_PARTS(owner)
    if kind == TENSOR:
        return TENSOR_PARTS(owner)
    if kind == KEYS:
        return tuple(owner)
    if kind == LIVE:
        return LAYOUT(owner)
    return len(owner) if kind == LENGTH else owner


def holds(item: Item) -> bool:
    """Whether what is now means the same. May raise."""
    kind, owner, key, expected = item
    found = fetched(item)
    if found is expected:
        return True
    if kind == ELEMENTS:
        if len(found) != len(expected):
            return False
        if is_a(owner, set):
            return same_members(found, expected)
        return all(map(is_, found, expected)) or all(map(same, expected, list(found)))
    if kind in (ARRAY, COPY):
        return bool(LAYOUT(found) == key and plain(found).tobytes() == expected)
    if kind == FUNCTION:
        return all(map(is_, found, expected))
    return found == expected if kind in (TENSOR, KEYS, LIVE) else kind != DICT and same(expected, found)


def difference(item: Item, subject: str) -> str | None:
    """What of an item is not what it was, as a sentence without its place; None where it holds."""
    try:
        if holds(item):
            return None
        return _said(item, fetched(item), subject)
    except Exception as error:  # code of the user's may run where an object was put in the place of another
        return f"{subject} cannot be read any more ({type(error).__name__})"


def _said(item: Item, found: Any, subject: str) -> str:
    kind, _, key, expected = item
    if kind == ELEMENTS:
        return _element(found, expected, subject, key)
    if kind == KEYS:
        gone, new = [k for k in expected if k not in found], [k for k in found if k not in expected]
        return f"{subject} has other attributes: lost {gone}, got {new}"
    if kind == LENGTH:
        return f"{subject} had {expected} elements, has {found}"
    if kind in (ARRAY, COPY, LIVE):
        layout = found if kind == LIVE else LAYOUT(found)
        if layout != key:
            return f"{subject} had shape {key[0]} and dtype {key[2]}, has {layout[0]} and {layout[2]}, or other strides"
        return f"{subject}, an array of shape {key[0]}, has other contents"
    if kind == FUNCTION:
        return f"{subject} were replaced"
    if kind == TENSOR:
        names = ("shape", "dtype", "requires_grad")
        name, old, new = next(x for x in zip(names, expected, found, strict=True) if x[1] != x[2])
        return f"{name} of {subject} was {old}, is {new}"
    return _was(subject, expected, found)


def _element(found: Any, expected: list[Any], subject: str, key: Any) -> str:
    """Which element of a container differs. key: of a dict's values, its keys, and whether these are attributes."""
    now = list(found)
    if is_a(found, set):
        return f"{subject} has other elements"
    if len(now) != len(expected):
        return f"{subject} had {len(expected)} elements, has {len(now)}"
    k, old, new = next((k, a, b) for k, (a, b) in enumerate(zip(expected, now, strict=True)) if not same(a, b))
    if key is not None:
        keys, attributes = key
        return _was(
            f"attribute {keys[k]!r} of {subject}" if attributes else f"{subject}[{key_name(keys[k])}]", old, new
        )
    if is_a(found, (dict, MappingProxyType)):
        return _was(f"key {k} of {subject}", old, new)
    return _was(f"{subject}[{k}]", old, new)


def _was(subject: str, old: Any, new: Any) -> str:
    before, now = shown(old), shown(new)
    if new is MISSING:
        return f"{subject} was {before}, is gone"
    if old is MISSING:
        return f"{subject} was not there, is {now}"
    return f"{subject} was {before}, is " + (now if before != now else "another one")

"""Making one batch of several samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend, f
from ..backend import Tensor
from ..conversion import convert


def default_collate(samples: Sequence[Any]) -> Any:
    """The samples' parts, stacked along a new first axis.

    Tensors, arrays and numbers become a Tensor (of Python floats: float64); strings and bytes become a list; tuples,
    named tuples, lists and dicts are gone through part by part and come back as what they were. Tensors that require a
    gradient stay in their graph.

    Raises ValueError, naming samples and shapes, where samples differ in shape, length or keys; TypeError for anything
    else, such as None or an image object.

    >>> x, info = zen.data.default_collate([(1.5, {"name": "a"}), (2.5, {"name": "b"})])
    >>> x, info
    (Tensor([1.5, 2.5], dtype=float64), {'name': ['a', 'b']})
    """
    if not len(samples):
        raise ValueError("default_collate: there are no samples")
    return _collate(samples, "")


def default_convert(sample: Any) -> Any:
    """One sample without a batch: its arrays become Tensors, everything else stays."""
    if isinstance(sample, np.ndarray):
        return backend.leaf(convert(sample), False)
    if isinstance(sample, Mapping):
        return {key: default_convert(part) for key, part in sample.items()}
    if isinstance(sample, (tuple, list)):
        return _sequence(sample, [default_convert(part) for part in sample])
    return sample


def _collate(parts: Sequence[Any], path: str) -> Any:
    first = parts[0]
    kind = _kind(first)
    if len({type(part) for part in parts}) > 1:
        for k, part in enumerate(parts):
            if _kind(part) != kind:
                raise TypeError(
                    f"default_collate: sample {k} of the batch{path} is a {type(part).__name__}, "
                    f"sample 0 a {type(first).__name__}"
                )
    if kind == "array":
        return _stack(parts, path)
    if kind == "text":
        return list(parts)
    if kind == "dict":
        return _dicts(parts, path)
    if kind == "sequence":
        lengths = [len(part) for part in parts]
        _same(lengths, path, "has length {}")
        return _sequence(first, [_collate([p[i] for p in parts], f"{path}[{i}]") for i in range(lengths[0])])
    raise TypeError(
        f"default_collate: sample 0 of the batch{path} is a {type(first).__name__}; samples are made of Tensors, "
        "arrays, numbers, strings, tuples, lists and dicts. Convert it in the dataset, or give the DataLoader "
        "a collate_fn"
    )


def _kind(part: Any) -> str:
    if isinstance(part, (Tensor, np.ndarray, bool, int, float, np.bool_, np.number)):
        return "array"
    if isinstance(part, (str, bytes)):
        return "text"
    if isinstance(part, Mapping):
        return "dict"
    return "sequence" if isinstance(part, (tuple, list)) else type(part).__name__


def _stack(parts: Sequence[Any], path: str) -> Tensor:
    if any([isinstance(part, Tensor) and part.requires_grad for part in parts]):
        tensors = [part if isinstance(part, Tensor) else backend.leaf(convert(part), False) for part in parts]
        _same([t.shape for t in tensors], path, "has shape {}")
        stacked: Tensor = f.stack(tensors)
        return stacked
    arrays = [part._array if isinstance(part, Tensor) else part for part in parts]
    if isinstance(arrays[0], np.ndarray):
        _same([np.shape(a) for a in arrays], path, "has shape {}")
        return backend.leaf(convert(np.stack(arrays)), False)
    _same([np.shape(a) for a in arrays], path, "has shape {}")
    return backend.leaf(convert(np.asarray(arrays)), False)


def _dicts(parts: Sequence[Any], path: str) -> dict[Any, Any]:
    first = parts[0]
    for k, part in enumerate(parts):
        if part.keys() != first.keys():
            odd = sorted(map(repr, part.keys() ^ first.keys()))
            raise ValueError(f"default_collate: sample {k} of the batch{path} and sample 0 differ in keys {odd}")
    return {key: _collate([part[key] for part in parts], f"{path}[{key!r}]") for key in first}


def _sequence(like: Any, parts: list[Any]) -> Any:
    if hasattr(like, "_fields"):
        return type(like)(*parts)
    return tuple(parts) if isinstance(like, tuple) else parts


def _same(found: list[Any], path: str, text: str) -> None:
    for k, value in enumerate(found):
        if value != found[0]:
            raise ValueError(
                f"default_collate: sample {k} of the batch{path} {text.format(value)}, sample 0 "
                f"{text.format(found[0])}; bring them to one size in the dataset, or give the DataLoader a "
                "collate_fn that pads"
            )

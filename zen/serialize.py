"""Saving and loading models, optimisers and whatever belongs to a run, in the safetensors format.

A file holds arrays under their names, and JSON. Nothing in it is ever executed, unlike pickle. A model is saved under
the plain names of its `state_dict()`, so other libraries that read safetensors get its weights by the same names.
Arrays within an optimiser's state or the metadata are stored as `optimizer/...` and `metadata/...`; the JSON under the
key `zen` of the header refers to them. Saving needs the library safetensors (extra `save`), loaded on first use.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import backend, files, safetensors
from .backend import Tensor
from .conversion import convert, supported
from .dtypes import COMPLEX, complexed
from .extras import missing

__all__ = ["State", "load", "save"]
__dir__ = __all__.copy

_VERSION, _VERSION_COMPLEX = 1, 2
"""Of the layout; complex numbers came with the second, as pairs of parts in a last axis."""
_RESERVED = ("optimizer/", "metadata/")


class State(dict[str, Tensor]):
    """What `load` returns: the model's Tensors by name, and as attributes the rest of the file.

    optimizer: the optimiser's state_dict, or None. metadata: the keywords that were given to `save`; for a file that
    zen did not write, the strings in its header.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], optimizer: Any, metadata: dict[str, Any], shapes: Any = None
    ) -> None:
        super().__init__(tensors)
        self.optimizer, self.metadata = optimizer, metadata
        self._shapes = shapes  # of the optimiser's parameters, group by group

    def check(self, where: str, model: Any, optimizer: Any) -> None:
        """ValueError, beginning with `where`, that lists what does not fit into a model and an optimiser."""
        problems = [] if model is None else _differences(self, model.state_dict())
        if optimizer is not None:
            problems += _optimizer_differences(self.optimizer, self._shapes, optimizer)
        if problems:
            raise ValueError(f"{where} does not fit; nothing was changed:\n  " + "\n  ".join(problems))

    def copy_into(self, where: str, model: Any, optimizer: Any) -> None:
        """Copy what fits; ValueError that names `where` if the optimiser's state is none."""
        try:
            if optimizer is not None:
                optimizer.load_state_dict(self.optimizer)
            if model is not None:
                model.load_state_dict(dict(self))
        except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{where}: a state in it is damaged ({error!r})") from error
        except Exception as error:
            error.add_note(where)
            raise


def save(path: str | os.PathLike[str] | Any, model: Any = None, /, optimizer: Any = None, **metadata: Any) -> None:
    """Write a model, an optimiser and anything else, or some of these, to one file.

    path: where to, or a file that is open for writing bytes. It may stand behind the model: `save(model, path)`.
    model: an object with `state_dict()`, or a dict of Tensors and arrays; nested dicts are flattened, with dots. None
        for no model: `save(path, optimizer=o)`.
    optimizer: an object with `state_dict()`, or None.
    metadata: further values by name: numbers, strings, None, Tensors, arrays, lists, tuples and dicts of them, and
        objects with `state_dict()`, such as schedulers. They come back as they were, in `load(path).metadata`.

    All is written to another file in the same folder, flushed to the disk and then renamed: `path` is at any moment
    the whole old file or the whole new one, also if the disk is full or the process is killed (which leaves a file
    `.zen-*.tmp` beside it). A file that is replaced keeps its permissions and its owner, a link stays a link, and
    pipes and devices are written to; `zen/files.py` says what else holds. Memory for one more copy is needed.

    Raises TypeError, naming it, for what cannot be saved; ValueError for two entries of one name; ImportError where
    safetensors is missing; OSError as the disk does.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     zen.save(path, {"layer": {"weight": zen.ones(2)}}, epoch=3)
    ...     state = zen.load(path)
    >>> state, state.metadata
    ({'layer.weight': Tensor([1., 1.], dtype=float64)}, {'epoch': 3})
    """
    library = _library("save")
    path, model = _in_order("save", path, model)
    if model is None and optimizer is None and not metadata:
        raise TypeError("save: there is nothing to save: save(path, model), or save(path, optimizer=o)")
    if hasattr(model, "param_groups"):
        kind = type(model).__name__
        raise TypeError(f"save: {kind} is an optimiser: save(path, model, optimizer=it), or save(path, optimizer=it)")
    arrays = _flat({} if model is None else model.state_dict() if hasattr(model, "state_dict") else model)
    own: dict[str, Any] = {"version": _VERSION, "optimizer": None}
    try:
        if optimizer is not None:
            own["optimizer"] = _encode(optimizer.state_dict(), "optimizer", arrays)
            own["shapes"] = _shapes(optimizer)
        own["metadata"] = _encode(metadata, "metadata", arrays)
    except RecursionError:
        raise TypeError(
            f"save: one of {', '.join(metadata) or 'the state'} contains itself, or is nested too deeply"
        ) from None
    complex_ones = sorted([name for name, array in arrays.items() if array.dtype in COMPLEX])
    if complex_ones:
        own["version"], own["complex"] = _VERSION_COMPLEX, complex_ones
        for name in complex_ones:
            arrays[name] = np.stack([arrays[name].real, arrays[name].imag], -1)
    files.write(path, library.save(arrays, {"zen": json.dumps(own)}), "save")


def load(path: str | os.PathLike[str] | Any, /, model: Any = None, optimizer: Any = None) -> State:
    """Read a file that `save`, or another library, wrote; and copy it into a model and an optimiser, if given.

    path: where from, or a file that is open for reading bytes. It may stand behind the model: `load(model, path)`.
    model: an object with `state_dict()` and `load_state_dict()`. Names, shapes and dtypes must be those of the file.
    optimizer: likewise; its parameter groups must be those of the file in number and shapes.

    Nothing is changed unless everything fits. Raises ValueError that names the file: with all differences, where it
    does not fit; with the offset and what was expected, where it is damaged or cut off. FileNotFoundError. Returns the
    content as a `State`, whose Tensors are new. TypeError for a model or an optimiser without these methods.
    """
    path, model = _in_order("load", path, model)
    _check_loadable("model", model)
    _check_loadable("optimizer", optimizer)
    where = f"load: {name_of(path)}"
    state = read(path, where)
    state.check(where, model, optimizer)
    state.copy_into(where, model, optimizer)
    return state


def read(path: Any, where: str) -> State:
    """The content of a file; errors begin with `where`."""
    return _decoded(*safetensors.read(path, where), where)


def name_of(path: Any) -> str:
    """What errors call a path or an open file."""
    return os.fspath(path) if files.is_path(path) else str(getattr(path, "name", type(path).__name__))


def _check_loadable(name: str, x: Any) -> None:
    loadable = not isinstance(x, type) and hasattr(x, "state_dict") and hasattr(x, "load_state_dict")
    if x is not None and not loadable:
        kind = f"the class {x.__name__}" if isinstance(x, type) else f"a {type(x).__name__}"
        raise TypeError(
            f"load: the {name} must have state_dict() and load_state_dict(), but it is {kind}; load(path) returns what "
            "the file holds"
        )


def _in_order(function: str, first: Any, second: Any) -> tuple[Any, Any]:
    """(path or file, model), whichever came first."""
    places = [_is_place(function, x) for x in (first, second)]
    if places == [False, True]:
        return second, first
    if places == [True, False]:
        return first, second
    given = f"{type(first).__name__} and {'nothing' if second is None else type(second).__name__}"
    raise TypeError(
        f"{function}: {'both are paths' if all(places) else 'neither is a path'}: got {given}; write "
        f"{function}(path, model) or {function}(model, path)"
    )


def _is_place(function: str, x: Any) -> bool:
    """Whether it is a path or an open file; a model may have a method `read` or `write` of its own."""
    opened = hasattr(x, "write" if function == "save" else "read")
    return files.is_path(x) or (opened and not hasattr(x, "state_dict") and not isinstance(x, Mapping))


# Writing


def _flat(state: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Nested dicts of Tensors and arrays as one dict."""
    if not isinstance(state, Mapping):
        kind = type(state).__name__
        raise TypeError(f"save: expected an object with state_dict(), or a dict of Tensors and arrays, not {kind}")
    found: dict[str, np.ndarray] = {}
    for key, value in state.items():
        if not isinstance(key, str):
            raise TypeError(f"save: names must be strings, not {key!r}{f' (in {prefix[:-1]!r})' if prefix else ''}")
        name = prefix + key
        inner = _flat(value, name + ".") if isinstance(value, Mapping) else {name: _array(value, name)}
        for full, array in inner.items():
            if full in found:
                raise ValueError(f"save: two entries have the name {full!r}")
            if full.startswith(_RESERVED) or full == "__metadata__":
                raise ValueError(f"save: the name {full!r} is reserved by the format; rename that entry")
            found[full] = array
    return found


def _array(value: Any, name: str) -> np.ndarray:
    """The value as an array that safetensors can write: contiguous, in this machine's byte order."""
    try:
        array = value._array if isinstance(value, Tensor) else convert(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"save: {name!r} is a {type(value).__name__}, not a Tensor, array or number ({error}); what else a run "
            "needs can be saved by a keyword of its own"
        ) from None
    return np.asarray(array, dtype=supported(array.dtype), order="C")


def _encode(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """The value as JSON; arrays in it are added to `arrays`. `_decode` is the inverse."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        while path in arrays:  # {"a": {"b": x}, "a/b": y}
            path += "'"
        arrays[path] = _array(value, path)
        return {"__tensor__" if isinstance(value, Tensor) else "__array__": path}
    if isinstance(value, (np.bool_, np.integer, np.float16, np.float32, np.float64)):
        return {"__scalar__": [supported(value.dtype).name, value.item()]}
    if isinstance(value, (complex, np.complexfloating)):
        parts = [float(value.real), float(value.imag)]
        return {"__scalar__": [value.dtype.name, parts]} if isinstance(value, np.generic) else {"__complex__": parts}
    if isinstance(value, Mapping):
        plain = all(isinstance(key, str) and not key.startswith("__") for key in value)
        if plain:
            return {key: _encode(part, f"{path}/{key}", arrays) for key, part in value.items()}
        pairs = [[_encode(k, f"{path}/{k!r}", arrays), _encode(v, f"{path}/{k!r}", arrays)] for k, v in value.items()]
        return {"__items__": pairs}
    if isinstance(value, (list, tuple)):
        parts = [_encode(part, f"{path}/{k}", arrays) for k, part in enumerate(value)]
        return parts if isinstance(value, list) else {"__tuple__": parts}
    if hasattr(value, "state_dict"):
        return _encode(value.state_dict(), path, arrays)
    raise TypeError(
        f"save: {path.replace('/', '.')} is a {type(value).__name__}; only numbers, strings, None, Tensors, "
        "arrays, lists, tuples, dicts and objects with state_dict() can be saved"
    )


def _shapes(optimizer: Any) -> list[list[list[int]]]:
    return [[list(p.shape) for p in group["params"]] for group in optimizer.param_groups]


# Reading


def _decoded(arrays: dict[str, np.ndarray], header: dict[str, str], where: str) -> State:
    """The file's content as `save` was given it."""
    if "zen" not in header:
        return State({name: backend.leaf(convert(a), False) for name, a in arrays.items()}, None, dict(header))
    try:
        own = json.loads(header["zen"])
        version = own["version"]
        if version not in (_VERSION, _VERSION_COMPLEX):
            raise ValueError(f"it has version {version} of the layout; this zen reads version {_VERSION_COMPLEX}")
        for name in own.get("complex", ()):
            parts = np.ascontiguousarray(arrays[name])
            arrays[name] = parts.view(complexed(parts.dtype))[..., 0]
        optimizer, metadata = (_decode(own[key], arrays) for key in ("optimizer", "metadata"))
        shapes = None if optimizer is None else [[list(map(int, s)) for s in group] for group in own["shapes"]]
        if not isinstance(metadata, dict):
            raise TypeError(f"metadata is a {type(metadata).__name__}")
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{where}: the header's entry 'zen' is damaged or of a newer zen ({error!r})") from None
    model = {name: backend.leaf(a, False) for name, a in arrays.items() if not name.startswith(_RESERVED)}
    return State(model, optimizer, metadata, shapes)


def _decode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_decode(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(kind, content)] = value.items()
        if kind == "__tensor__":
            return backend.leaf(arrays[content], False)
        if kind == "__array__":
            return arrays[content]
        if kind == "__scalar__":
            value = content[1]
            return supported(content[0]).type(complex(*value) if isinstance(value, list) else value)
        if kind == "__complex__":
            return complex(*content)
        if kind == "__tuple__":
            return tuple([_decode(part, arrays) for part in content])
        if kind == "__items__":
            return {_decode(key, arrays): _decode(part, arrays) for key, part in content}
    return {key: _decode(part, arrays) for key, part in value.items()}


def _differences(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    """Where a model and a file differ in names, shapes and dtypes; one line each."""
    found = [f"{name}: in the model {_kind(t)}, not in the file" for name, t in own.items() if name not in state]
    found += [f"{name}: in the file {_kind(t)}, not in the model" for name, t in state.items() if name not in own]
    for name, t in state.items():
        if name in own and _kind(t) != _kind(own[name]):
            found.append(f"{name}: in the file {_kind(t)}, in the model {_kind(own[name])}")
    return found


def _optimizer_differences(saved: Any, shapes: Any, optimizer: Any) -> list[str]:
    if saved is None:
        return ["optimizer: the file has no state of one"]
    own = _shapes(optimizer)
    if shapes == own:
        return []
    if len(shapes) != len(own):
        return [f"optimizer: in the file {len(shapes)} parameter groups, here {len(own)}"]
    found = []
    for g, (there, here) in enumerate(zip(shapes, own, strict=True)):
        if len(there) != len(here):
            found.append(f"optimizer: group {g} has {len(there)} parameters in the file, {len(here)} here")
        for k, (a, b) in enumerate(zip(there, here, strict=False)):
            if a != b:
                found.append(f"optimizer: parameter {k} of group {g} has shape {tuple(a)} in the file, {tuple(b)} here")
    return found


def _kind(t: Any) -> str:
    return f"{tuple(t.shape)} {t.dtype}"


def _library(function: str) -> Any:
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise missing(error, function, "safetensors", "save") from None

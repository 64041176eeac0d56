"""What all optimisers share: groups of parameters, state for each parameter, saving and loading, announcing writes.

A subclass gives `RANGES` (the allowed values of its options), `STATE` (the names that may stand in a parameter's
state), `NUMBERS` (those of them that are one number) and `_update`, which prepares the step over one group. The steps
themselves are kernels of the engine (`backend.kernels`). A step changes every parameter and every state, or raises
before it changes one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from .. import backend, writes
from ..backend import Tensor
from ..dtypes import COMPLEX, NUMBERS
from ..ops.arguments import refuse_absent

Parameters = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]
State = dict[str, Any]


class Range(NamedTuple):
    """The values that an option may have."""

    text: str
    holds: Callable[[Any], bool]


NOT_NEGATIVE = Range("a number >= 0", lambda x: x >= 0)
_NOTHING: Mapping[str, float] = {}
PROPORTION = Range("a number in [0, 1]", lambda x: 0 <= x <= 1)
FRACTION = Range("a number in [0, 1)", lambda x: 0 <= x < 1)


def announce(written: list[np.ndarray], name: str) -> None:
    """Tell the engine that `name` has changed these arrays: a graph that saved one is spoilt.

    The number is drawn after the change: what another thread recorded meanwhile comes before it.
    """
    note, seq = writes.note, backend.next_seq()
    for array in written:
        note(array, seq, name)
    if written:
        backend.note_write(seq)


def number(value: Any) -> float:
    """A loss or metric as a float, be it a Tensor of one element or a number. Its gradient is left behind."""
    return float(value.item()) if isinstance(value, Tensor) else float(value)


class _Turn(type(threading.RLock())):  # type: ignore[misc]
    """A lock that is not copied or pickled with what it guards: the copy has its own."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _Turn, ()


class Optimizer:
    """Base of the optimisers, as torch.optim.Optimizer.

    `params` is an iterable of Tensors, of (name, Tensor) pairs, or of dicts with the key "params" and options of
    that group's own. TypeError for anything else; ValueError for an empty list, a Tensor given twice, a Tensor that was
    computed (not a leaf), and an option out of its range.

    `param_groups` is a list of dicts; changes of the options in it, such as `param_groups[0]["lr"] = 0.1`, take effect
    in the next step. `state` maps each parameter to a dict. `defaults` has the options for groups without their own.
    """

    RANGES: ClassVar[dict[str, Range]] = {}
    STATE: ClassVar[tuple[str, ...]] = ()
    NUMBERS: ClassVar[tuple[str, ...]] = ()
    _remembered: ClassVar[tuple[str, ...]] = ()  # by `zen.program`: a step is done as it is, with the options of then
    _carry_out: Callable[[list[Any]], None] = staticmethod(backend.kernels.optim.move)
    """Carries out what `_update` has prepared for each group."""

    def __new__(cls, *args: Any, **options: Any) -> Self:
        if options:
            code = cls.__init__.__code__
            refuse_absent(cls.__name__, options, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        return super().__new__(cls)

    def __init__(self, params: Parameters, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._turn = _Turn()
        self._made: list[tuple[Tensor, list[str]]] = []  # what `_complete` made while a step is prepared
        self.state: dict[Tensor, State] = {}
        self.param_groups: list[dict[str, Any]] = []
        self._check_options(defaults)
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: params must be an iterable of Tensors, of (name, Tensor) or of dicts, "
                f"not {type(params).__name__}; write [p] for a single parameter"
            )
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(f"{self._name}: the list of parameters is empty")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    # -- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters: a dict with "params" and, where they differ from the defaults, options.

        Raises as the constructor does, and then leaves the optimiser as it was.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(f"{self._name}: a group must be a dict with the key 'params', not {param_group!r:.80}")
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(f"{self._name}: params is a set, which has no order; give a list")
        given = [params] if isinstance(params, Tensor) else list(params)
        names = [x[0] if isinstance(x, tuple) and len(x) == 2 else None for x in given]
        tensors = [x if name is None else x[1] for x, name in zip(given, names, strict=True)]
        self._check_parameters(tensors)
        named = all(name is not None for name in names)
        if not named and any(name is not None for name in names):
            raise ValueError(f"{self._name}: some parameters of a group have names and others have none")
        if self.param_groups and named != ("param_names" in self.param_groups[0]):
            raise ValueError(f"{self._name}: some groups have names of parameters and others have none")
        group = {"params": tensors, **({"param_names": names} if named else {})}
        group |= {**self.defaults, **{key: value for key, value in param_group.items() if key != "params"}}
        self._check_options(group)
        self.param_groups.append(group)

    def _check_parameters(self, tensors: list[Any]) -> None:
        if not tensors:
            raise ValueError(f"{self._name}: the list of parameters is empty")
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for position, p in enumerate(tensors):
            if not isinstance(p, Tensor):
                raise TypeError(f"{self._name}: parameter {position} is a {type(p).__name__}, not a Tensor")
            if not p.is_leaf:
                raise ValueError(
                    f"{self._name}: parameter {position}, of shape {p.shape}, is the result of an operation; "
                    "only leaves can be optimised: detach() it and call requires_grad_()"
                )
            if id(p) in known:
                raise ValueError(f"{self._name}: parameter {position}, of shape {p.shape}, is given twice")
            known.add(id(p))

    def _check_options(self, options: Mapping[str, Any]) -> None:
        """Raise unless every option lies in its range. Subclasses add what depends on several options."""
        for key, allowed in self.RANGES.items():
            value = options[key]
            single = not isinstance(value, (tuple, list))
            for k, x in enumerate([value] if single else value):
                place = key if single else f"{key}[{k}]"
                if isinstance(x, str) or not hasattr(x, "__float__"):
                    raise TypeError(f"{self._name}: {place} is {x!r}; expected {allowed.text}")
                if not allowed.holds(float(x)):
                    raise ValueError(f"{self._name}: {place} is {x}; expected {allowed.text}")

    def _check_betas(self, options: Mapping[str, Any]) -> None:
        betas = options["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"{self._name}: betas is {betas!r}; expected two numbers in [0, 1)")

    # -- steps

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or set their values to zero where `set_to_none` is False."""
        for group in self.param_groups:
            if set_to_none:
                tracer = backend.tracer()
                if tracer is not None:
                    tracer.cleared(group["params"])
                backend.kernels.optim.clear_gradients(group["params"])
                continue
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = backend.wrap(np.zeros(p.shape, p.dtype))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        `closure`, if given, is called first, with gradients recorded: it clears the gradients, computes the loss, calls
        backward() and returns the loss, which is returned here. The parameters are changed in place: a backward pass
        through a graph that still needs the values of before raises. An error, such as MemoryError, leaves parameters
        and state as they were. Threads that step the same optimiser take turns.
        """
        tracer = backend.tracer()
        if tracer is not None and closure is None:
            return tracer.call(self.step, self._all_parameters(), f"{self._name}.step")
        loss = None if closure is None else self._evaluate(closure)
        with self._turn:
            written: list[np.ndarray] = []
            walks = self._prepared(written)
            announce(written, f"{self._name}.step")  # for passes of other threads while it is carried out
            try:
                self._carry_out(walks)
            finally:
                announce(written, f"{self._name}.step")
        return loss

    def _evaluate(self, closure: Callable[[], Any]) -> Any:
        return backend.call_recording(True, closure)

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        """The prepared step over the parameters of one group, which `_carry_out` carries out.

        `written` gets each array that is changed and that others may refer to.
        """
        raise NotImplementedError(f"{self._name} has no step")

    def _complete(
        self, p: Tensor, names: Sequence[str], step: bool = True, values: Mapping[str, float] = _NOTHING
    ) -> State:
        """Make what is missing in the state of p: arrays of its dtype, numbers, and the count of its steps.

        `values`: what they start with, where it is not 0.
        """
        entry = self.state.get(p, {})
        missing: State = {"step": 0} if step and "step" not in entry else {}
        for name in names:
            if name not in entry:
                value = values.get(name, 0.0)
                if name in self.NUMBERS:
                    missing[name] = float(value)
                    continue
                filled = value * (1 + 1j) if p.dtype in COMPLEX else value  # the parts have a state each
                shape = self._shape_of(name, p.shape)
                missing[name] = backend.wrap(np.full(shape, filled, p.dtype) if value else np.zeros(shape, p.dtype))
        self._made.append((p, list(missing)))
        entry.update(missing)
        self.state[p] = entry
        return entry

    def _shape_of(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an array in the state of a parameter of this shape."""
        return shape

    def _prepared(self, written: list[np.ndarray]) -> list[Any]:
        """The steps over all groups; where one cannot be prepared, the state is as before."""
        self._made = []  # Ctrl-C may have come before the end of the step before
        try:
            prepared = [self._update(group, written) for group in self.param_groups]
        except BaseException:
            self._unmake()
            raise
        self._made = []
        return prepared

    def _unmake(self) -> None:
        """Take back what `_complete` has made."""
        made, self._made = self._made, []
        for p, names in made:
            entry = self.state.get(p, {})
            for name in names:
                entry.pop(name, None)
            if not entry:
                self.state.pop(p, None)

    # -- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """{"state": {index: state}, "param_groups": [options and "params": indices]}, as in torch.optim.

        Parameters are numbered through all groups. The Tensors are the optimiser's own, not copies.
        """
        index = {id(p): k for k, p in enumerate(self._all_parameters())}
        groups = [{**group, "params": [index[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": {index[id(p)]: dict(entry) for p, entry in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state from what `state_dict()` returned; arrays are copied.

        ValueError that names the place if groups, numbers of parameters, options or shapes do not fit; the optimiser
        is then left as it was.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(f"{self._name}: a state dict has the keys 'state' and 'param_groups'")
        groups = self._loaded_groups(state_dict["param_groups"])
        params = self._all_parameters()
        state: dict[Tensor, State] = {}
        if not isinstance(state_dict["state"], Mapping):
            raise ValueError(f"{self._name}: the state is a {type(state_dict['state']).__name__}, not a dict")
        for index, entry in state_dict["state"].items():
            if not isinstance(index, int) or not 0 <= index < len(params):
                raise ValueError(
                    f"{self._name}: the state is for parameter {index!r}, but there are {len(params)} parameters"
                )
            state[params[index]] = self._loaded_entry(params[index], index, entry)
        self.param_groups, self.state = groups, state

    def _loaded_entry(self, p: Tensor, index: int, entry: Any) -> State:
        if not isinstance(entry, Mapping):
            raise ValueError(f"{self._name}: the state of parameter {index} is a {type(entry).__name__}, not a dict")
        unknown = sorted(map(str, set(entry) - set(self.STATE)))
        if unknown:
            raise ValueError(
                f"{self._name}: the state of parameter {index} has {', '.join(map(repr, unknown))}; expected "
                f"{', '.join(self.STATE)}: it was saved by another kind of optimiser"
            )
        # None, as PyTorch has for a momentum that there is none of yet, is nothing.
        given = {key: value for key, value in entry.items() if value is not None}
        return {key: self._loaded_value(p, f"{key} of parameter {index}", value) for key, value in given.items()}

    def _loaded_groups(self, saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not isinstance(saved, (list, tuple)) or not all(isinstance(g, Mapping) and "params" in g for g in saved):
            raise ValueError(f"{self._name}: 'param_groups' must be a list of dicts with the key 'params'")
        if len(saved) != len(self.param_groups):
            raise ValueError(f"{self._name}: {len(saved)} groups were saved, but there are {len(self.param_groups)}")
        groups = []
        for k, (old, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if not isinstance(new["params"], (list, tuple)) or len(old["params"]) != len(new["params"]):
                there = len(new["params"]) if isinstance(new["params"], (list, tuple)) else "no list of"
                raise ValueError(
                    f"{self._name}: group {k} was saved with {there} parameters, but has {len(old['params'])}"
                )
            missing = sorted(set(self.defaults) - set(new))
            if missing:
                raise ValueError(f"{self._name}: group {k} was saved without {', '.join(missing)}")
            try:
                self._check_options(new)
            except TypeError as error:
                raise ValueError(str(error)) from None
            names = {"param_names": old["param_names"]} if "param_names" in old else {}
            groups.append({**new, "params": old["params"], **names})
        return groups

    def _loaded_value(self, p: Tensor, place: str, value: Any) -> Any:
        name = place.partition(" ")[0]
        counts, single = name == "step", name in ("step", *self.NUMBERS)
        try:
            array = np.asarray(value._array if isinstance(value, Tensor) else value)
        except ValueError:  # of lists of different lengths
            array = np.empty(0, object)
        if array.dtype not in NUMBERS:
            raise ValueError(f"{self._name}: {place} was saved as {value!r:.80}; expected numbers")
        loaded = array.astype(np.float64 if single else p.dtype, order="C")
        shape = () if single else self._shape_of(name, p.shape)
        if loaded.shape != shape:
            raise ValueError(f"{self._name}: {place} was saved with shape {loaded.shape}, but must have {shape}")
        if not counts:
            return float(loaded) if single else backend.wrap(loaded)
        if not (0 <= loaded < 2**53 and loaded == np.floor(loaded)):
            raise ValueError(f"{self._name}: {place} was saved as {value!r:.80}; expected a whole number of steps")
        return int(loaded)

    def _all_parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"group {k}: {len(group['params'])} parameters")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key not in ("params", "param_names")]
        return "\n".join([*lines, ")"])

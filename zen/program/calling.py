"""What a call reads, and what it returns: functions, methods, classes, objects with `__call__`, builtins."""

from __future__ import annotations

import functools
import weakref
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from ..backend import Tensor
from ..batched import Batched
from .following import WRITES, Following
from .remembering import CONTAINERS, MISSING, SCALARS, instance_dict, is_a, is_generator, is_plain, is_trusted, static
from .slots import FRESH, GIVEN, UNKNOWN, Frame, Instance, Mark, Method, Nested, Slot, Super, union

_OPAQUE = frozenset({"exec", "eval", "compile", "locals", "globals", "vars", "__import__", "input", "open"})
_CLOCKS = frozenset({
    "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time",
    "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime", "localtime", "gmtime", "now", "utcnow",
    "today",
})  # fmt: skip
_SYSTEM = frozenset({"getenv", "urandom", "getpid", "token_bytes", "token_hex", "uuid1", "uuid4"})
_ALIASES = frozenset({  # what may return its argument, or a view of it
    "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "atleast_1d", "atleast_2d", "atleast_3d",
    "reshape", "ravel", "transpose", "squeeze", "swapaxes", "moveaxis", "rollaxis", "expand_dims", "view", "diagonal",
    "broadcast_to", "broadcast_arrays", "require", "permute_dims", "flip", "fliplr", "flipud", "rot90", "split",
    "array_split", "hsplit", "vsplit", "dsplit", "real", "imag", "matrix_transpose",
    "from_dlpack", "sliding_window_view", "as_strided",
})  # fmt: skip
_MUTATORS = frozenset({  # functions that write to their first argument
    "heappush", "heappop", "heapify", "heapreplace", "heappushpop", "shuffle", "copyto", "put", "place", "putmask",
    "put_along_axis", "fill_diagonal", "setitem", "delitem", "insort", "insort_left", "insort_right", "at", "iadd",
})  # fmt: skip
_SWITCHES = frozenset({  # methods of a Module that change it
    "train", "eval", "requires_grad_", "load_state_dict", "to", "half", "float", "double", "apply", "add_module",
    "register_parameter", "register_buffer", "register_module", "set_submodule", "register_forward_hook",
    "register_forward_pre_hook", "register_full_backward_hook", "register_full_backward_pre_hook",
})  # fmt: skip
_FRESH = frozenset({"sorted", "deepcopy", "copy", "dict", "list", "set", "frozenset", "bytearray"})
_QUIET = frozenset({  # builtins that neither keep nor return what they get
    "len", "abs", "any", "all", "repr", "print", "round", "hash", "format", "pow", "divmod", "ord", "chr",
})  # fmt: skip
_CALM = frozenset({isinstance, issubclass, id, type, callable, hasattr, getattr, setattr, delattr})  # keep no argument


class Calling(Following):
    """Enters calls: `frame_of` gives the frame of a function that is walked, `bind` tells it of an argument."""

    current: Frame | None = None
    """The frame that is walked now."""

    def frame_of(self, function: FunctionType) -> Frame:
        raise NotImplementedError

    def bind(self, frame: Frame, name: str, slot: Slot) -> None:
        raise NotImplementedError

    def stored(self, what: str) -> None:
        raise NotImplementedError

    def written(self, slot: Slot, what: str) -> None:
        raise NotImplementedError

    def attribute_stored(self, slot: Slot, name: str) -> None:
        raise NotImplementedError

    def opened(self, frame: Frame) -> None:
        raise NotImplementedError

    def open_callable(self, value: Any) -> None:
        if is_a(value, Nested):
            self.opened(value.frame)
        elif is_a(value, FunctionType) and not is_trusted_function(value):
            self.opened(self.frame_of(value))
        elif is_a(value, (MethodType, functools.partial)):
            self.open_callable(value.__func__ if is_a(value, MethodType) else value.func)

    def walk_callable(self, value: Any) -> None:
        """Walk what calling the value would run, with nothing known of the arguments."""
        if is_a(value, (type, FunctionType, MethodType, BuiltinFunctionType)) or is_plain(value):
            self._enter_call(value, None, ())

    def call(self, frame: Frame, called: Slot, args: list[Slot] | None, names: tuple[str, ...]) -> Slot:
        """What a call returns; args: None where they are spread from containers."""
        if not called:
            self.escape(*(args or []))
        found = UNKNOWN
        for value in called:
            found = union(found, self._enter_call(value, args, names, frame))
        return found

    def call_function(self, function: Any, args: list[Slot]) -> Slot:
        return self._enter_call(function, args, (), self.current) if function is not None else UNKNOWN

    def _enter_call(
        self, value: Any, args: list[Slot] | None, names: tuple[str, ...], caller: Frame | None = None
    ) -> Slot:
        if is_a(value, Nested):
            return self._into(value.frame, args, names, caller)
        if is_a(value, MethodType):
            whole = None if args is None else [(value.__self__,), *args]
            if args is None and is_a(value.__func__, FunctionType) and not is_trusted_function(value.__func__):
                inner = self.frame_of(value.__func__)
                if inner.code.co_argcount:
                    self.bind(inner, inner.code.co_varnames[0], (value.__self__,))
                return inner.returns
            if not is_a(value.__self__, (Mark, type)) and self._is_outside(value.__func__):
                self._outside_method(value, args is not None)
            return self._enter_call(value.__func__, whole, names, caller)
        if is_a(value, FunctionType):
            if is_trusted_function(value):
                return self._trusted(value, args, names)
            return self._into(self.frame_of(value), args, names, caller)
        if is_a(value, type):
            return self._construct(value, args, names, caller)
        if args is None and caller is not None and is_a(value, (Method, BuiltinFunctionType, np.ufunc)):
            args = []  # what was spread has escaped
        if is_a(value, Method):
            return self._builtin_method(value, args)
        if is_a(value, Instance):
            return self._of_instance(value, args, names, caller)
        if is_a(value, Mark):
            self.escape(*(args or []))
            return UNKNOWN
        if is_a(value, functools.partial):
            return self._partial(value, args, names, caller)
        if is_a(value, (BuiltinFunctionType, np.ufunc)):
            return self._builtin(value, args, names)
        return self._object(value, args, names, caller)

    def _is_outside(self, function: Any) -> bool:
        return is_a(function, FunctionType) and is_trusted_function(function)

    def _outside_method(self, value: MethodType, called: bool) -> None:
        """A method of zen's or the standard library's: it may read all of its object."""
        owner, name = value.__self__, value.__func__.__name__
        if type(owner) not in SCALARS:
            self.escape((owner,))
        writes = is_a(owner, CONTAINERS) and name in WRITES
        if called and (writes or (name in _SWITCHES and is_a(static(type(owner), "_remembered", None), frozenset))):
            self.written((owner,), "{} is changed by " + name + "()")

    def _of_instance(
        self, made: Instance, args: list[Slot] | None, names: tuple[str, ...], caller: Frame | None
    ) -> Slot:
        """An object that the function made of a class of the user's is called."""
        for name in ("__call__", "forward"):
            found = self.looked_up(made.cls, name)
            if is_a(found, FunctionType) and not is_trusted_function(found):
                return self._enter_call(found, None if args is None else [(made,), *args], names, caller)
        self.escape(*(args or []))
        return UNKNOWN

    def _into(self, inner: Frame, args: list[Slot] | None, names: tuple[str, ...], caller: Frame | None) -> Slot:
        """Bind the arguments of a call to the names of a frame."""
        if caller is not None:
            inner.callers[caller] = None
        code = inner.code
        if args is None:
            return inner.returns
        positional = code.co_varnames[: code.co_argcount]
        own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        count = len(args) - len(names)
        for name, slot in zip(positional, args[:count], strict=False):
            self.bind(inner, name, slot)
        for name, slot in zip(names, args[count:], strict=True):
            if name in own:
                self.bind(inner, name, slot)
            else:
                self.escape(slot)
        self.escape(*args[len(positional) : count])
        return inner.returns

    def _trusted(self, function: FunctionType, args: list[Slot] | None, names: tuple[str, ...]) -> Slot:
        """A function that is not walked: it may call the functions that it wraps, and read its arguments."""
        wrapped = (instance_dict(function) or {}).get("__wrapped__", MISSING)
        for cell in function.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:
                continue
            if callable(held) or (is_a(held, dict) and function.__module__ == "functools"):  # singledispatch
                self.loaded(held, f"what {function.__qualname__} wraps")
        self.loaded(wrapped, f"what {function.__qualname__} wraps")
        if args is not None:
            self._told(function.__name__, function.__module__)
        return self._result(function.__name__, function.__module__, args, names)

    def _result(self, name: str, module: Any, args: list[Slot] | None, names: tuple[str, ...] = ()) -> Slot:
        """What a function of the library's returns: something new, unless it may be a view of its argument."""
        if args is None:
            return UNKNOWN
        quiet = is_a(module, str) and module.partition(".")[0] in ("numpy", "zen", "scipy") or name in _QUIET
        self.escape(*args, shared=not quiet)
        for argument, slot in zip(names, args[len(args) - len(names) :], strict=True):
            if argument == "out":
                self.written((FRESH, *[x for x in slot if is_a(x, np.ndarray)]), "{} is changed by " + name + "()")
        if args and name in _MUTATORS:
            self.written(args[0], "{} is changed by " + name + "()")
        if args and name in _ALIASES:
            return (*[x for x in args[0] if x is GIVEN or is_a(x, np.ndarray)], FRESH)
        return (FRESH,) if quiet or name in _FRESH else UNKNOWN

    def _told(self, name: str, module: Any) -> None:
        if name in _CLOCKS and module in ("time", "datetime"):
            self.unfollowed(f"{module}.{name} reads a clock")
        elif name in _SYSTEM:
            self.unfollowed(f"{module}.{name} asks the operating system")

    def _builtin(self, value: Any, args: list[Slot] | None, names: tuple[str, ...]) -> Slot:
        name, owner = getattr(value, "__name__", ""), getattr(value, "__self__", None)
        module = "numpy" if is_a(value, np.ufunc) else getattr(value, "__module__", None)
        if owner is not None and not is_a(owner, ModuleType):
            return self._builtin_method(Method(owner, name), args)
        if args is None:
            return UNKNOWN  # seen, not called
        self._told(name, module)
        if module in ("builtins", "_io", "io") and name in _OPAQUE and not (name == "vars" and args):
            self.unfollowed(f"{name}() is called")
        if module == "builtins" and name == "print":
            self.stored("print() writes")
        if module == "builtins" and name in ("getattr", "setattr", "delattr", "hasattr") and args and len(args) > 1:
            return self._by_name(name, args)
        if module == "builtins" and name in ("iter", "reversed") and args:
            return self.iterator(args[0])
        if module == "builtins" and name == "next" and args:
            self.written(tuple(x for x in args[0] if not is_a(x, Mark)), "{} is advanced")
            return self.elements(tuple(x for x in args[0] if is_a(x, Mark)))
        if value in _CALM:
            return (FRESH,)
        if not is_trusted(module):
            self.unfollowed(f"{module}.{name} is compiled code")
        return self._result(name, module, args, names)

    def _by_name(self, name: str, args: list[Slot]) -> Slot:
        owner, key = args[0], args[1]
        if len(key) != 1 or type(key[0]) is not str:
            self.escape(owner)
            if name in ("setattr", "delattr") and any(not is_a(x, Mark) for x in owner):
                self.stored(f"{name}() changes {self.named(owner[0])}")
            self.unfollowed(f"{name}() is called with a name that is computed")
            return UNKNOWN
        self.escape(*args[2:])
        if name in ("setattr", "delattr"):
            self.attribute_stored(owner, key[0])
            return (FRESH,)
        found = self.attribute(owner, key[0])
        return union(found, args[2]) if len(args) > 2 else found

    def _builtin_method(self, value: Method, args: list[Slot] | None) -> Slot:
        owner, name = value.owner, value.name
        if is_a(owner, Mark) or args is None:
            return UNKNOWN
        if is_a(owner, type):  # a class method, such as datetime.now
            self._told(name, owner.__module__)
            return self._result(name, owner.__module__, args)
        self.escape(*args)
        if name in ("__setattr__", "__delattr__"):
            self._by_name(name.strip("_"), [(owner,), *args] if args else [(owner,), UNKNOWN])
        if name == "at" and is_a(owner, np.ufunc) and args:
            self.written(args[0], "{} is changed by at()")
        if is_a(owner, (*CONTAINERS, np.ndarray)) or static(type(owner), "__setitem__") is not MISSING:
            if name in WRITES:
                self.written((owner,), "{} is changed by " + name + "()")
        if is_a(owner, (dict,)) and name in ("get", "pop", "setdefault") and args:
            return union(self.element((owner,), args[0]), args[1] if len(args) > 1 else UNKNOWN)
        if is_a(owner, CONTAINERS) and name in ("values", "items", "keys", "pop", "copy", "popleft"):
            self.escape((owner,))
            if name == "values":
                return self.iterator((tuple(owner.values()),))
            return (FRESH,) if name == "copy" else UNKNOWN
        if is_a(owner, np.ndarray):
            return (owner,) if name in _ALIASES else (FRESH,)
        if not is_generator(owner) and not is_a(owner, (Tensor, Batched)) and type(owner) not in SCALARS:
            self.escape((owner,))
        return UNKNOWN

    def _construct(self, cls: type, args: list[Slot] | None, names: tuple[str, ...], caller: Frame | None) -> Slot:
        """A class is called: `__new__` and `__init__` of the user's are walked."""
        if is_trusted(cls.__module__) and not any(not is_trusted(c.__module__) for c in cls.__mro__):
            if args is None:
                return UNKNOWN
            if cls is type and args and len(args) == 1:
                return self.attribute(args[0], "__class__")
            if cls is super and args is not None and caller is not None:
                return self._super(args, caller)
            if args and cls in (list, tuple, reversed, enumerate, zip, map, filter, set, frozenset, dict):
                self.escape(*args)
                return (FRESH,) if cls.__name__ in _FRESH else UNKNOWN
            if cls not in _CALM:
                self.escape(*(args or []), shared=cls not in (int, float, complex, bool, str, range, slice))
            return (FRESH,)
        made = self.instance(cls)
        for name in ("__new__", "__init__", "__post_init__"):
            found = self.looked_up(cls, name)
            found = found.__func__ if is_a(found, staticmethod) else found
            if is_a(found, FunctionType):
                first: Slot = (cls,) if name == "__new__" else (made,)
                whole = None if args is None else [first, *args]
                if args is None and not is_trusted_function(found):
                    self.bind(self.frame_of(found), found.__code__.co_varnames[0], first)
                self._enter_call(found, whole if name != "__post_init__" else [first], names, caller)
        self.escape(*(args or []))
        meta = self.looked_up(type(cls), "__call__")
        if is_a(meta, FunctionType) and not is_trusted_function(meta):
            self._enter_call(meta, [(cls,), *(args or [])], names, caller)
            return UNKNOWN
        return (made,)

    def _super(self, args: list[Slot], caller: Frame) -> Slot:
        if args:
            return self.super_of(args[0], args[1] if len(args) > 1 else UNKNOWN)
        cell = caller.cell("__class__")
        if cell is None or not caller.code.co_argcount:
            return UNKNOWN
        return self.super_of(self.cell(cell, "__class__"), caller.variables.get(caller.code.co_varnames[0], UNKNOWN))

    def super_of(self, classes: Slot, instances: Slot) -> Slot:
        found = UNKNOWN
        for cls in classes:
            for x in instances:
                if is_a(cls, type) and not (is_a(x, Mark) and not is_a(x, Instance)):
                    mark = self.once((id(cls), id(x), "super"), functools.partial(Super, cls, x))
                    found = union(found, (mark,))
        return found

    def _partial(self, value: Any, args: list[Slot] | None, names: tuple[str, ...], caller: Frame | None) -> Slot:
        held = [self.loaded(x, f"an argument of {self.named(value)}") for x in value.args]
        by_name = {k: self.loaded(x, f"argument {k!r} of {self.named(value)}") for k, x in value.keywords.items()}
        self.memory.container(value.keywords, f"the keywords of {self.named(value)}")
        self.loaded(value.func, f"the function of {self.named(value)}")
        if args is None:
            args, names = [], ()
        count = len(args) - len(names)
        late = {**by_name, **dict(zip(names, args[count:], strict=True))}
        return self._enter_call(value.func, [*held, *args[:count], *late.values()], tuple(late), caller)

    def _object(self, value: Any, args: list[Slot] | None, names: tuple[str, ...], caller: Frame | None) -> Slot:
        """An object that is called: what its class says."""
        if _is_compiled(type(value)):  # functions of NumPy's and Cython's are objects
            return self._builtin(value, args, names)
        own = instance_dict(value) or {}
        if "__wrapped__" in own:
            return self._wrapper(value, own, args)
        cls = type(value)
        if is_a(value, weakref.ref):
            return self.loaded(value(), f"what {self.named(value)} refers to") if args is not None else UNKNOWN
        found = self.looked_up(cls, "__call__")
        is_module = is_a(static(cls, "_remembered", None), frozenset) and static(cls, "forward") is not MISSING
        if is_module and self._is_outside(found):
            found = own["forward"] if "forward" in own else self.looked_up(cls, "forward")
            if "forward" in own:
                return self._enter_call(found, args, names, caller)
        if not is_a(found, FunctionType):
            if found is MISSING or args is None:
                return UNKNOWN
            if is_a(value, (MethodDescriptorType, WrapperDescriptorType)) and args:  # list.append(x, 1)
                for x in args[0]:
                    self._builtin_method(Method(x, value.__name__), args[1:])
                return UNKNOWN
            self.escape((value,), *args)
            return UNKNOWN
        if is_trusted_function(found) and not is_module and args is not None:
            self.escape((value,))
        return self._enter_call(MethodType(found, value) if args is None else found,
                                None if args is None else [(value,), *args], names, caller)  # fmt: skip

    def _wrapper(self, value: Any, own: dict[str, Any], args: list[Slot] | None) -> Slot:
        """A transform, or what else says what it wraps: its function runs, on arguments of the transform's making."""
        for name, x in list(own.items()):
            if name == "__wrapped__" or type(x) in SCALARS or is_a(x, (tuple, FunctionType, type)):
                self.loaded(
                    self.memory.slot(own, name, f"{name!r} of {self.named(value)}"), f"{name} of {self.named(value)}"
                )
        self.escape(*(args or []))
        return UNKNOWN


def _is_compiled(cls: type) -> bool:
    """Whether it is a type of functions without byte code."""
    return cls.__name__ in ("cython_function_or_method", "fused_cython_function", "_ArrayFunctionDispatcher")


def is_trusted_function(function: FunctionType) -> bool:
    """By the module that its code stands in: `functools.wraps` gives it the name of another."""
    return is_trusted(function.__globals__.get("__name__"))

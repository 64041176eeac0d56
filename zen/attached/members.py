"""What a Tensor can do besides arithmetic: its properties, conversions to other types, printing and copying.

The package attaches them to the engine's class.
"""

from __future__ import annotations

import math
import sys
from types import ModuleType
from typing import Any

import numpy as np

from .. import backend, writes
from ..backend import Tensor
from ..conversion import convert, refuse_gradient
from ..creation import one_device
from ..dtypes import COMPLEX
from ..ops import register
from ..ops.shape import swapaxes, transpose
from . import Missing, inplace

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
"""Of the Array API standard. Each holds what those before it do."""


class LostTensor:
    """Stands in `dependencies` for an intermediate whose value nobody kept.

    It has shape, dtype and dependencies; asking for its value raises. Keep the Tensor in a variable to have the value.
    """

    requires_grad = trainable = True

    def __init__(self, node: Any) -> None:
        self.node = node
        self.shape: tuple[int, ...] = node.shape
        self.dtype: np.dtype = node.dtype

    @property
    def dependencies(self) -> tuple[Any, ...]:
        return _made_from(self.node)

    @property
    def value(self) -> np.ndarray:
        raise RuntimeError(
            f"the value of this intermediate ({self._op()}, shape {self.shape}) was not kept, because neither a "
            "variable nor a gradient needed it; hold the Tensor in a variable"
        )

    def depends_on(self, target: Any) -> bool:
        """Whether `target` was used to compute this value."""
        return _reaches(self.node, target.node)

    def __repr__(self) -> str:
        return f"LostTensor(shape={self.shape}, dtype={self.dtype}, op={self._op()})"

    def _op(self) -> str:
        return "leaf" if self.node.row is None else self.node.row.name


# Properties


def value(self: Tensor) -> np.ndarray:
    """The values as an ndarray that shares the Tensor's memory, whether or not it requires a gradient.

    Assigning to `value` copies new values of the same shape into the memory, outside of any graph:
    `t.value -= 0.1 * t.gradient`.
    """
    return self.array


def set_value(self: Tensor, new: Any) -> None:
    array = convert(new.detach() if isinstance(new, Tensor) else new)
    if array.shape != self.shape:
        raise ValueError(f"value: expected shape {self.shape}, got {array.shape}; make a new Tensor for another shape")
    backend.call_recording(False, inplace.copy_, self, array)


def gradient(self: Tensor) -> np.ndarray | None:
    """The accumulated gradient as an ndarray, or None. Synonym of `grad`, which is a Tensor; settable, also to None."""
    grad = self.grad
    return None if grad is None else grad.array


def set_gradient(self: Tensor, new: Any) -> None:
    if new is not None:
        array = convert(new.detach() if isinstance(new, Tensor) else new, self.dtype)
        if array.shape != self.shape:
            raise ValueError(f"gradient: expected shape {self.shape}, got {array.shape}")
        new = backend.wrap(array)
    self.grad = new


def trainable(self: Tensor) -> bool:
    """Whether the Tensor requires a gradient. Synonym of `requires_grad`; may be set on a leaf."""
    return bool(self.requires_grad)


def set_trainable(self: Tensor, flag: bool) -> None:
    self.requires_grad_(bool(flag))


def dependencies(self: Tensor) -> tuple[Any, ...]:
    """The Tensors this one was made from, while its graph lives (a pass without `retain_graph` releases it).

    A Tensor that is still alive is returned itself. One that is gone is rebuilt if the graph saved its value, else a
    LostTensor stands for it. Constants are included only where the graph saved them.
    """
    return () if self.node is None else _made_from(self.node)


def transposed(self: Tensor) -> Tensor:
    """The Tensor with its axes in reverse order."""
    made: Tensor = transpose(self)
    return made


def matrix_transposed(self: Tensor) -> Tensor:
    """The Tensor with its last two axes exchanged."""
    if self.ndim < 2:
        raise ValueError(f"mT: a Tensor of at least two dimensions is needed, not one of shape {self.shape}")
    made: Tensor = swapaxes(self, -1, -2)
    return made


def adjoint(self: Tensor) -> Tensor:
    """The Tensor with its last two axes exchanged, conjugated."""
    made: Tensor = register.FUNCTIONS["conj"](matrix_transposed(self))
    return made


def real_part(self: Tensor) -> Tensor:
    """The real part: of a real Tensor itself, of a complex one a view. It can be assigned to, as in NumPy."""
    return self if self.dtype not in COMPLEX else register.FUNCTIONS["real"](self)


def set_real_part(self: Tensor, value: Any) -> None:
    real_part(self)[...] = value


def imaginary_part(self: Tensor) -> Tensor:
    """The imaginary part, a view; zeros of a real Tensor. That of a complex one can be assigned to, as in NumPy."""
    return register.FUNCTIONS["imag"](self)  # type: ignore[no-any-return]


def set_imaginary_part(self: Tensor, value: Any) -> None:
    if self.dtype not in COMPLEX:
        raise TypeError(f"imag: a Tensor of dtype {self.dtype} has no imaginary part to set; make it complex first")
    imaginary_part(self)[...] = value


def itemsize(self: Tensor) -> int:
    """Bytes of one element."""
    return int(self.dtype.itemsize)


def nbytes(self: Tensor) -> int:
    """Bytes of all elements."""
    return int(self.dtype.itemsize * self.size)


def device(self: Tensor) -> str:
    """Where the Tensor is: on the processor, "cpu"."""
    return "cpu"


# Methods


def depends_on(self: Tensor, target: Tensor) -> bool:
    """Whether `target` was used to compute this Tensor (a Tensor depends on itself). Constants leave no trace."""
    if not isinstance(target, Tensor):
        raise TypeError(f"depends_on: expected a Tensor, not {type(target).__name__}")
    return self is target or _reaches(self.node, target.node)


def get_gradients(self: Tensor, grad: Any = None) -> None:
    """Backward pass, seeded with `grad` or, for any shape, with ones. See `backward` for what it raises."""
    self.backward(np.ones(self.shape, self.dtype) if grad is None else grad)


def numpy(self: Tensor) -> np.ndarray:
    """The values as an ndarray that shares the Tensor's memory; RuntimeError if the Tensor requires a gradient."""
    refuse_gradient(self, "numpy()")
    return self.array


def tolist(self: Tensor) -> Any:
    """The values as nested lists of Python numbers."""
    return self._array.tolist()


def clone(self: Tensor) -> Tensor:
    """A copy of the values; differentiable."""
    if self.requires_grad and backend.grad_enabled():
        return backend.apply(register.ENGINE_ROWS["positive"], (self,))  # type: ignore[no-any-return]
    return backend.wrap(self._array.copy())


def to_device(self: Tensor, device: str, /, *, stream: Any = None) -> Tensor:
    """The Tensor itself, for the device "cpu"; ValueError for another device or a stream, of which there are none."""
    one_device("to_device", device)
    if stream is not None:
        raise ValueError(f"to_device: there are no streams on the processor, but stream is {stream!r}")
    return self


# Protocols


def names(self: Tensor) -> list[str]:
    """The names, without those that are there to be missed."""
    import inspect  # slow to import, and exploring alone needs it

    return [name for name in object.__dir__(self) if not isinstance(inspect.getattr_static(self, name, None), Missing)]


def __array_namespace__(self: Tensor, /, *, api_version: str | None = None) -> ModuleType:
    """The functions of the Array API standard: zen. ValueError for a version of the standard that is not known."""
    if api_version is not None and api_version not in VERSIONS:
        raise ValueError(f"__array_namespace__: there is no version {api_version!r}; known are {', '.join(VERSIONS)}")
    return sys.modules[__name__.partition(".")[0]]


def __complex__(self: Tensor) -> complex:
    if self.size != 1:
        raise TypeError(f"complex() needs a Tensor of one element, not one of shape {self.shape}")
    refuse_gradient(self, "complex()")
    return complex(self.item())


def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    refuse_gradient(self, "taking the values")
    array: np.ndarray = self.array
    if dtype is not None and np.dtype(dtype) != array.dtype:
        if copy is False:
            raise ValueError(f"a Tensor of dtype {array.dtype} cannot become an array of dtype {dtype} without a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


def __dlpack__(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    if self.requires_grad:
        raise BufferError("a Tensor that requires a gradient cannot be exported by DLPack; export t.detach()")
    if max_version is None and dl_device is None and copy is None:  # all that older NumPy takes
        return self.array.__dlpack__(stream=stream)
    return self.array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    device: tuple[int, int] = self._array.__dlpack_device__()
    return device


def __format__(self: Tensor, spec: str) -> str:
    if self.ndim == 0:
        return format(self.item(), spec)
    if spec:
        raise TypeError(f"format {spec!r} applies to a single number, not to a Tensor of shape {self.shape}")
    return repr(self)


def __round__(self: Tensor, ndigits: int | None = None) -> Any:
    """`round(t, n)` is `zen.round(t, n)`; `round(t)` of a single number is an int, as of any number."""
    if ndigits is None and self.ndim == 0:
        return round(self.item())
    return register.FUNCTIONS["round"](self, ndigits or 0)


def __floor__(self: Tensor) -> int:
    return int(math.floor(_only(self, "floor")))


def __ceil__(self: Tensor) -> int:
    return int(math.ceil(_only(self, "ceil")))


def __trunc__(self: Tensor) -> int:
    return int(math.trunc(_only(self, "trunc")))


def __copy__(self: Tensor) -> Tensor:
    _needs_leaf(self, "copy")
    return _with_state(restore(self._array.copy(), self.requires_grad, type(self)), _state(self))


def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    _needs_leaf(self, "deepcopy")
    made = memo[id(self)] = restore(self._array.copy(), self.requires_grad, type(self))
    if self.grad is not None:
        made.grad = backend.wrap(self.grad._array.copy())
    from copy import deepcopy  # loaded already: it is what calls

    return _with_state(made, deepcopy(_state(self), memo))


def __reduce__(self: Tensor) -> tuple[Any, ...]:
    _needs_leaf(self, "pickle")
    array = np.ascontiguousarray(self._array).reshape(self.shape)
    if type(self) is Tensor:
        return restore, (array, self.requires_grad)
    return restore, (array, self.requires_grad, type(self)), _state(self)


def restore(array: np.ndarray, requires_grad: bool, kind: type[Tensor] = Tensor) -> Tensor:
    """The leaf that a pickle describes. A subclass is made without its own __init__, whose arguments are not known."""
    if kind is Tensor:
        return backend.leaf(array, requires_grad)
    made = Tensor.__new__(kind)
    Tensor.__init__(made, array, requires_grad)
    return made


def _state(t: Tensor) -> Any:
    """What a subclass has besides the Tensor, in the form of `object.__getstate__`; None if nothing."""
    if type(t) is Tensor:
        return None
    state = t.__getstate__()
    if not isinstance(state, tuple):
        return state
    own, slots = state
    slots = {name: part for name, part in slots.items() if not hasattr(Tensor, name)}
    return (own, slots) if slots else own


def _with_state(t: Tensor, state: Any) -> Tensor:
    if state is None:
        return t
    if hasattr(t, "__setstate__"):
        t.__setstate__(state)
        return t
    own, slots = state if isinstance(state, tuple) else (state, {})
    if own:
        t.__dict__.update(own)
    for name, part in slots.items():
        setattr(t, name, part)
    return t


def represent(t: Tensor) -> str:
    """`Tensor([1., 2.], dtype=float32, requires_grad=True, op=multiply)`, rows aligned."""
    facts = [f"dtype={t.dtype}"]
    if t.size == 0 and t.shape != (0,):
        facts.insert(0, f"shape={t.shape}")
    node = t.node
    if node is not None:
        facts.append("requires_grad=True")
        if node.row is not None:
            facts.append(f"op={node.row.name}")
    start, end = "Tensor(", ", ".join(facts) + ")"
    body = np.array2string(t._array, separator=", ", prefix=start)
    width = np.get_printoptions()["linewidth"]
    last = len(body) - body.rfind("\n") - 1 if "\n" in body else len(start) + len(body)
    gap = " " if last + len(end) + 2 <= width else "\n" + " " * len(start)
    return f"{start}{body},{gap}{end}"


PROPERTIES = {
    "value": property(value, set_value),
    "gradient": property(gradient, set_gradient),
    "trainable": property(trainable, set_trainable),
    "dependencies": property(dependencies),
    "T": property(transposed),
    "mT": property(matrix_transposed),
    "mH": property(adjoint),
    "real": property(real_part, set_real_part),
    "imag": property(imaginary_part, set_imaginary_part),
    "device": property(device),
    "itemsize": property(itemsize),
    "nbytes": property(nbytes),
}

METHODS = {
    function.__name__: function
    for function in (
        depends_on, get_gradients, numpy, tolist, clone, to_device, __array_namespace__, __array__, __complex__,
        __dlpack__, __dlpack_device__, __format__, __round__, __floor__, __ceil__, __trunc__,
        __copy__, __deepcopy__, __reduce__,
    )
}  # fmt: skip
METHODS["__dir__"] = names  # a function of that name here would be the module's own


def _needs_leaf(t: Tensor, action: str) -> None:
    node = t.node
    if node is not None and node.row is not None:
        raise RuntimeError(
            f"{action}: the result of {node.row.name!r} belongs to a graph, which cannot be copied; use clone() inside "
            "the graph, or t.detach().clone(). Where plain values are wanted (to plot, to save, for another library), "
            "pass t.detach()"
        )
    if node is not None and node.variable:
        raise RuntimeError(
            f"{action}: this Tensor stands for an argument of a function that is being differentiated, and a leaf of "
            "its own would lose the gradient; use t.copy(), or t.detach().clone() where plain values are wanted"
        )


def _only(t: Tensor, name: str) -> Any:
    if t.size != 1:
        raise TypeError(f"math.{name}() needs a Tensor of one element, not one of shape {t.shape}; use zen.{name}")
    return t.item()


def _made_from(node: Any) -> tuple[Any, ...]:
    if node.row is not None and node.row.is_output and not node.released:
        (node,) = node.inputs
    if node.row is None or node.released:
        return ()
    saved = node.saved[0] if node.row.variadic and not node.row.joint else node.saved
    found: list[Any] = []
    for k, n in enumerate(node.inputs):
        live = None if n is None else n.tensor
        kept = saved[k] if k < len(saved) else None
        if live is not None:
            found.append(live)
        elif isinstance(kept, np.ndarray) and writes.overwritten(kept, node.seq) is None:
            found.append(backend.wrap(kept, n))
        elif isinstance(kept, (int, float, np.generic)):
            found.append(backend.wrap(np.asarray(kept), n))
        elif n is not None:
            found.append(LostTensor(n))
    return tuple(found)


def _reaches(node: Any, target: Any) -> bool:
    if node is None or target is None:
        return False
    pending, seen = [node], {id(node)}
    while pending:
        n = pending.pop()
        if n is target:
            return True
        for below in n.inputs:
            # An operation is younger than its inputs, so nothing older than the target leads to it.
            if below is not None and below.seq >= target.seq and id(below) not in seen:
                seen.add(id(below))
                pending.append(below)
    return False

"""gradflow's `data_containers`: what `Variable.data` is, a NumPy array with a few operations that give containers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np


class DataContainerBase(ABC):
    """What a container can do. `data` is the array inside."""

    __hash__ = None  # type: ignore[assignment]  # compares elementwise
    data: Any

    @abstractmethod
    def __add__(self, other: Any) -> DataContainerBase: ...

    @abstractmethod
    def __sub__(self, other: Any) -> DataContainerBase: ...

    @abstractmethod
    def __matmul__(self, other: Any) -> DataContainerBase: ...

    @abstractmethod
    def __mul__(self, other: Any) -> DataContainerBase: ...

    @abstractmethod
    def __pow__(self, exp: Any) -> DataContainerBase: ...

    @abstractmethod
    def __neg__(self) -> DataContainerBase: ...

    @abstractmethod
    def __eq__(self, other: object) -> Any: ...

    @abstractmethod
    def __le__(self, other: Any) -> Any: ...

    @abstractmethod
    def __ge__(self, other: Any) -> Any: ...

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]: ...

    @abstractmethod
    def item(self) -> Any: ...

    @abstractmethod
    def max(self) -> DataContainerBase: ...

    @abstractmethod
    def exp(self) -> DataContainerBase: ...

    @abstractmethod
    def T(self) -> DataContainerBase: ...  # noqa: N802 - the original's name


class NumpyDataContainer(DataContainerBase):
    """A container of a NumPy array, which is shared, not copied. Other operands: containers, arrays or numbers.

    >>> from zen.compat.gradflow.data_containers import NumpyDataContainer
    >>> c = NumpyDataContainer(np.array([1.0, 2.0]))
    >>> (c * 2 + c).data, c == 2
    (array([3., 6.]), array([False,  True]))
    """

    __array_priority__ = 1  # `array + container` is the container's affair
    __array_ufunc__ = None

    def __init__(self, data: Any) -> None:
        self.data: np.ndarray = np.asarray(_array(data))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is None:
            return np.asarray(self.data, dtype)
        return np.array(self.data, dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: Any) -> Any:
        return self.data[key]

    def __add__(self, other: Any) -> NumpyDataContainer:
        return NumpyDataContainer(self.data + _array(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> NumpyDataContainer:
        return NumpyDataContainer(self.data - _array(other))

    def __rsub__(self, other: Any) -> NumpyDataContainer:
        return NumpyDataContainer(_array(other) - self.data)

    def __mul__(self, other: Any) -> NumpyDataContainer:
        return NumpyDataContainer(self.data * _array(other))

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> NumpyDataContainer:
        return NumpyDataContainer(self.data @ _array(other))

    def __pow__(self, exp: Any) -> NumpyDataContainer:
        return NumpyDataContainer(self.data ** _array(exp))

    def __neg__(self) -> NumpyDataContainer:
        return NumpyDataContainer(-self.data)

    def __eq__(self, other: object) -> Any:
        return self.data == _array(other)

    def __ne__(self, other: object) -> Any:
        return self.data != _array(other)

    def __lt__(self, other: Any) -> Any:
        return self.data < _array(other)

    def __le__(self, other: Any) -> Any:
        return self.data <= _array(other)

    def __gt__(self, other: Any) -> Any:
        return self.data > _array(other)

    def __ge__(self, other: Any) -> Any:
        return self.data >= _array(other)

    def __repr__(self) -> str:
        return f"NumpyDataContainer({self.data!r})"

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    def item(self) -> Any:
        """The only element, as a Python number; ValueError if there are several."""
        return self.data.item()

    def max(self) -> NumpyDataContainer:
        """The largest element."""
        return NumpyDataContainer(np.max(self.data))

    def exp(self) -> NumpyDataContainer:
        """The exponential of each element."""
        return NumpyDataContainer(np.exp(self.data))

    def T(self) -> NumpyDataContainer:  # noqa: N802 - the original's name
        """The array with its axes reversed."""
        return NumpyDataContainer(np.transpose(self.data))


class GPUDataContainer(NumpyDataContainer):
    """The original's container of a PyCuda array. zen computes on the CPU: making one raises ImportError."""

    def __init__(self, data: Any) -> None:
        raise ImportError('zen has no GPU data backend, with PyCuda or without; use device="cpu"')


def _array(value: Any) -> Any:
    """The operand's own array or number."""
    return value.data if isinstance(value, DataContainerBase) else value

"""Initial values of parameters: each function fills a Tensor in place and returns it.

Names, arguments and distributions are those of PyTorch's nn.init. The numbers come from `zen.random`, or from the
`generator` that is passed; nothing is recorded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend, random
from ..attached import inplace
from ..backend import Tensor
from ..dtypes import COMPLEX, DEFAULT, real
from ..ops.operands import complex_of

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip
__dir__ = __all__.copy

Generator = np.random.Generator

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation of weights that keeps the scale of values through this nonlinearity.

    param: the slope of "leaky_relu" (0.01). Raises ValueError for an unknown name.

    >>> zen.nn.init.calculate_gain("leaky_relu", 0.0) == 2**0.5
    True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"calculate_gain: the slope of leaky_relu must be a number, not {param!r}")
        return math.sqrt(2 / (1 + slope * slope))
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"calculate_gain: unknown nonlinearity {nonlinearity!r}; known: {', '.join(_GAINS)}, leaky_relu"
        )
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Numbers spread evenly over [a, b); of complex ones both parts are."""
    return _fill(tensor, _drawn(random.uniform, _shape(tensor), tensor.dtype, a, b, generator))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normally distributed numbers; the parts of complex ones have half of the variance each."""
    return _fill(tensor, _normal(_shape(tensor), tensor.dtype, mean, std, generator))


def _normal(
    shape: tuple[int, ...], dtype: np.dtype, mean: float, std: float, generator: Generator | None
) -> np.ndarray:
    if dtype in COMPLEX:
        return mean + _drawn(random.normal, shape, dtype, 0.0, std / math.sqrt(2), generator)
    return _drawn(random.normal, shape, dtype, mean, std, generator)


def _drawn(
    distribution: Any, shape: tuple[int, ...], dtype: np.dtype, first: float, second: float, generator: Generator | None
) -> np.ndarray:
    """Numbers of a dtype; of complex ones the parts are drawn each by itself."""
    parts = [
        distribution(shape, first, second, dtype=real(dtype), generator=generator)._array
        for _ in range(2 if dtype in COMPLEX else 1)
    ]
    return complex_of(parts[0], parts[1]) if dtype in COMPLEX else parts[0]


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normally distributed numbers, of which those outside [a, b] are drawn again.

    Raises ValueError if std is not positive or a is not below b.
    """
    shape = _shape(tensor)
    if tensor.dtype in COMPLEX:
        raise TypeError("trunc_normal_: complex numbers have no order; use normal_")
    if not (std > 0 and a < b):
        raise ValueError(f"trunc_normal_: std must be positive and a below b, got std={std}, a={a}, b={b}")
    return _fill(tensor, mean + std * _truncated(shape, (a - mean) / std, (b - mean) / std, generator))


def _truncated(shape: tuple[int, ...], low: float, high: float, generator: Generator | None) -> np.ndarray:
    """Standard normal numbers within [low, high], by rejection."""
    share = 0.5 * (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2)))
    nearest = min(max(0.0, low), high)  # the mode within the interval
    # Where normal numbers would nearly all be rejected, even ones are proposed. Of a long tail, what has a probability
    # below exp(-40) is left away.
    reach = 40 / max(abs(nearest), 5.0)
    left, right = max(low, nearest - reach), min(high, nearest + reach)
    values = np.empty(math.prod(shape))
    missing = np.arange(values.size)
    while missing.size:
        if share > 0.2:
            drawn = random.normal(missing.shape, generator=generator)._array
            taken = (drawn >= low) & (drawn <= high)
        else:
            drawn = random.uniform(missing.shape, left, right, generator=generator)._array
            chance = np.exp(0.5 * (nearest * nearest - drawn * drawn))
            taken = random.uniform(missing.shape, generator=generator)._array < chance
        values[missing[taken]] = drawn[taken]
        missing = missing[~taken]
    return values.reshape(shape)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element is `val`."""
    return _fill(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Every element is 1."""
    return _fill(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element is 0."""
    return _fill(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix; ValueError unless the Tensor has two dimensions."""
    if len(_shape(tensor)) != 2:
        raise ValueError(f"eye_: a Tensor of two dimensions is needed, not one of shape {tensor.shape}")
    return _fill(tensor, np.eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The kernel of a convolution that passes its input on, as far as there are channels.

    tensor: (out_channels, in_channels, size...) with one to three sizes; ValueError otherwise, and if the groups do
    not divide the output channels.
    """
    if len(_shape(tensor)) not in (3, 4, 5):
        raise ValueError(f"dirac_: a Tensor of three to five dimensions is needed, not one of shape {tensor.shape}")
    if tensor.shape[0] % groups:
        raise ValueError(f"dirac_: {groups} groups do not divide {tensor.shape[0]} output channels")
    values = np.zeros(tensor.shape, tensor.dtype)
    per_group = tensor.shape[0] // groups
    middle = tuple([n // 2 for n in tensor.shape[2:]])
    for group in range(groups):
        for k in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + k, k, *middle)] = 1
    return _fill(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Even numbers of standard deviation gain * sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010."""
    bound = math.sqrt(3) * _xavier("xavier_uniform_", tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers of standard deviation gain * sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010."""
    return normal_(tensor, 0.0, _xavier("xavier_normal_", tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Even numbers of standard deviation gain / sqrt(fan). He et al. 2015.

    a: the slope that "leaky_relu" has below zero. mode: "fan_in" keeps the scale of values, "fan_out" of gradients.
    """
    bound = math.sqrt(3) * _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal numbers of standard deviation gain / sqrt(fan). He et al. 2015. Arguments as in kaiming_uniform_."""
    return normal_(tensor, 0.0, _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A matrix with orthonormal rows or columns, whichever are fewer, times gain; a complex one is unitary.
    Saxe et al. 2014.

    Dimensions after the first count as columns. ValueError for fewer than two dimensions.
    """
    if len(_shape(tensor)) < 2:
        raise ValueError(f"orthogonal_: a Tensor of at least two dimensions is needed, not one of shape {tensor.shape}")
    if tensor.size == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.size // tensor.shape[0]
    wide = np.result_type(tensor.dtype, DEFAULT)  # float64 or complex128
    drawn = _normal((max(rows, columns), min(rows, columns)), wide, 0.0, 1.0, generator)
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diagonal(r))  # every orthogonal matrix equally likely
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal numbers, of which this fraction in each column is set to zero. Martens 2010.

    Raises ValueError unless the Tensor has two dimensions.
    """
    if len(_shape(tensor)) != 2:
        raise ValueError(f"sparse_: a Tensor of two dimensions is needed, not one of shape {tensor.shape}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    values = np.array(_normal(_shape(tensor), tensor.dtype, 0.0, std, generator))
    for column in range(columns):
        values[random.permutation(rows, generator=generator)._array[:zeros], column] = 0
    return _fill(tensor, values)


def fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output of a weight (out, in, size...) sees, and how many outputs each input."""
    if len(_shape(tensor)) < 2:
        raise ValueError(f"{name}: the fans of a Tensor of shape {tensor.shape} are unknown; it needs two dimensions")
    size = math.prod(tensor.shape[2:])
    return tensor.shape[1] * size, tensor.shape[0] * size


def _xavier(name: str, tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / max(sum(fans(name, tensor)), 1))


def _kaiming(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ("fan_in", "fan_out")
    if mode not in modes:
        raise ValueError(f'{name}: mode must be "fan_in" or "fan_out", not {mode!r}')
    fan = fans(name, tensor)[modes.index(mode)]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def _shape(tensor: Tensor) -> tuple[int, ...]:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"nn.init fills Tensors, not {type(tensor).__name__}; make one of it first: zen.tensor(values)")
    return tensor.shape


def _fill(tensor: Tensor, values: Any) -> Tensor:
    _shape(tensor)
    if isinstance(values, np.ndarray):
        values = values.astype(tensor.dtype, copy=False)
    filled: Tensor = backend.call_recording(False, inplace.copy_, tensor, values)
    return filled


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        from ..habits import missing

        raise missing(__name__, name, __all__)

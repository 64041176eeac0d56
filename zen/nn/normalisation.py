"""Layers that normalise: BatchNorm and InstanceNorm, LayerNorm, RMSNorm, GroupNorm, LocalResponseNorm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend, f, writes
from ..backend import Tensor
from ..ops.operands import operand
from . import init
from .linear import floating, sizes
from .module import Module
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..typing import ArrayLike


class _Affine(Module):
    """A weight of ones and a bias of zeros, or None in their places."""

    weight: Parameter | None
    bias: Parameter | None

    def _scale(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: np.dtype) -> None:
        self.register_parameter("weight", Parameter(np.ones(shape, dtype)) if weight else None)
        self.register_parameter("bias", Parameter(np.zeros(shape, dtype)) if bias else None)

    def _biasless(self) -> str:
        """What the repr says of a layer with a weight alone."""
        return ", bias=False" if self.weight is not None and self.bias is None else ""

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        bias = getattr(self, "bias", None)
        if bias is not None:
            init.zeros_(bias)


def _dimensions(name: str, x: Any, allowed: tuple[int, ...], layout: str) -> Any:
    x = operand(name, x)
    if len(x.shape) not in allowed:
        raise ValueError(f"{name}: expected {layout}, got shape {x.shape}")
    return x


class _Tracked(_Affine):
    """Layers that normalise each channel, and may keep running statistics."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, *, dtype: DTypeLike | None = None, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        sizes(name, num_features=num_features)
        dtype = floating(name, dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scale((num_features,), affine, affine and bias, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", Buffer(np.zeros(num_features, dtype)) if tracked else None)
        self.register_buffer("running_var", Buffer(np.ones(num_features, dtype)) if tracked else None)
        self.register_buffer("num_batches_tracked", Buffer(np.array(0, np.int64)) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Forget the running statistics; the weight becomes ones and the bias zeros."""
        self.reset_running_stats()
        super().reset_parameters()

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}{self._biasless()}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Tracked):
    """Normalises each channel by the statistics of the batch; in evaluation by the running statistics."""

    _allowed: tuple[int, ...]
    _layout: str

    def forward(self, input: ArrayLike) -> Tensor:
        name = type(self).__name__
        x = _dimensions(name, input, self._allowed, self._layout)
        if x.shape[1] != self.num_features:
            raise ValueError(f"{name}: x of shape {x.shape} has {x.shape[1]} channels, expected {self.num_features}")
        mean, var = self.running_mean, self.running_var
        training = self.training or mean is None
        if not (training and self.training and mean is not None):
            given = (None, None) if training else (mean, var)
            return f.batch_norm(x, *given, self.weight, self.bias, training, 0.0, self.eps)
        y = f.batch_norm(x, mean, var, self.weight, self.bias, True, self._step(), self.eps)
        self._count()
        return y

    def _step(self) -> float:
        """How far the running statistics move: momentum, or for None so that they average over all batches."""
        if self.momentum is not None:
            return self.momentum
        return 1.0 if self.num_batches_tracked is None else 1 / (1 + self.num_batches_tracked.item())

    def _count(self) -> None:
        if backend.tracer() is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked[...] = self.num_batches_tracked + 1
        elif self.num_batches_tracked is not None:
            array = self.num_batches_tracked._array
            seq = backend.next_seq()
            array += 1
            writes.note(array, seq, "batch_norm")
            backend.note_write(seq)


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of (batch, channels) or (batch, channels, length).

    num_features: channels. While training, the statistics are those of the batch, and running_mean and running_var
    move towards them by the fraction momentum (None: they average over all batches); evaluation uses them. affine:
    False leaves weight and bias out, bias: False the bias alone. track_running_stats: False uses the batch's
    statistics always. Raises ValueError for other shapes, and for one value per channel while training. Ioffe and
    Szegedy 2015.

    >>> zen.nn.BatchNorm1d(3)(np.ones((2, 3), np.float32)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    _allowed = (2, 3)
    _layout = "(batch, channels) or (batch, channels, length)"


class BatchNorm2d(_BatchNorm):
    """As BatchNorm1d, for (batch, channels, height, width)."""

    _allowed = (4,)
    _layout = "(batch, channels, height, width)"


class BatchNorm3d(_BatchNorm):
    """As BatchNorm1d, for (batch, channels, depth, height, width)."""

    _allowed = (5,)
    _layout = "(batch, channels, depth, height, width)"


class LayerNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes, which have the shape normalized_shape.

    elementwise_affine: False leaves weight and bias out; bias: False leaves it out. ValueError for an x that ends
    otherwise. Ba et al. 2016.

    >>> zen.nn.LayerNorm(2, eps=0.0)(np.array([[1.0, 3.0]], np.float32)).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...] | list[int], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        affine = elementwise_affine
        self._scale(self.normalized_shape, affine, affine and bias, floating("LayerNorm", dtype))

    def forward(self, input: ArrayLike) -> Tensor:
        return f.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}{self._biasless()}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class RMSNorm(_Affine):
    """x / sqrt(mean(x * x) + eps) * weight over the last axes, which have the shape normalized_shape.

    eps: None takes the machine epsilon of x's dtype. elementwise_affine: False leaves the weight out. Zhang and
    Sennrich 2019.

    >>> zen.nn.RMSNorm(2, eps=0.0)(np.array([1.0, 1.0], np.float32)).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...] | list[int], eps: float | None = None,
        elementwise_affine: bool = True, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        values = np.ones(self.normalized_shape, floating("RMSNorm", dtype))
        self.register_parameter("weight", Parameter(values) if elementwise_affine else None)

    def forward(self, x: ArrayLike) -> Tensor:
        return f.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias, for each sample and group of channels of (batch, channels, ...).

    num_groups divides num_channels; ValueError otherwise. affine: False leaves weight and bias out, bias: False the
    bias alone. Wu and He 2018.

    >>> zen.nn.GroupNorm(2, 4)(np.ones((1, 4, 3), np.float32)).shape
    (1, 4, 3)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *,
        dtype: DTypeLike | None = None, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._scale((num_channels,), affine, affine and bias, floating("GroupNorm", dtype))

    def forward(self, input: ArrayLike) -> Tensor:
        x = operand("GroupNorm", input)
        if len(x.shape) < 2 or x.shape[1] != self.num_channels:
            raise ValueError(f"GroupNorm: expected (batch, {self.num_channels}, ...), got shape {x.shape}")
        return f.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}{self._biasless()}"


class _InstanceNorm(_Tracked):
    _sizes: int

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
        track_running_stats: bool = False, *, dtype: DTypeLike | None = None, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype, bias=bias)

    def forward(self, input: ArrayLike) -> Tensor:
        name, n = type(self).__name__, self._sizes
        x = _dimensions(name, input, (n + 1, n + 2), f"(channels, {n} sizes), or that after a batch")
        if x.shape[-n - 1] != self.num_features:
            raise ValueError(
                f"{name}: x of shape {x.shape} has {x.shape[-n - 1]} channels, expected {self.num_features}"
            )
        alone = len(x.shape) == n + 1
        y = f.instance_norm(
            x[None] if alone else x, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, 0.0 if self.momentum is None else self.momentum, self.eps,
        )  # fmt: skip
        return y[0] if alone else y


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps) for each sample and channel of (batch, channels, length), or (channels, length).

    affine: True adds a weight and a bias; bias: False leaves the bias out. track_running_stats: while training,
    running_mean and running_var move towards the average of the samples' statistics by the fraction momentum (None:
    they stay), and evaluation uses them; without it every sample's own are used always. num_batches_tracked stays 0,
    as in PyTorch. Raises ValueError for other shapes, and for one value per channel unless the running statistics are
    used. Ulyanov et al. 2016.

    >>> zen.nn.InstanceNorm1d(3)(np.ones((2, 3, 4), np.float32)).shape
    (2, 3, 4)
    """

    _sizes = 1


class InstanceNorm2d(_InstanceNorm):
    """As InstanceNorm1d, for (batch, channels, height, width), or that without the batch."""

    _sizes = 2


class InstanceNorm3d(_InstanceNorm):
    """As InstanceNorm1d, for (batch, channels, depth, height, width), or that without the batch."""

    _sizes = 3


class LocalResponseNorm(Module):
    """x over a power of the mean of squares of neighbouring channels; arguments of `zen.f.local_response_norm`.

    >>> zen.nn.LocalResponseNorm(2, alpha=1.0, beta=1.0)(zen.ones((1, 1, 1))).item()
    0.6666666666666666
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: ArrayLike) -> Tensor:
        return f.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _shape(name: str, normalized: Any) -> tuple[int, ...]:
    shape = (normalized,) if isinstance(normalized, (int, np.integer)) else tuple(normalized)
    if not shape:
        raise ValueError(f"{name}: normalized_shape must name at least one axis")
    sizes(name, **{f"normalized_shape[{k}]": n for k, n in enumerate(shape)})
    return tuple([int(n) for n in shape])

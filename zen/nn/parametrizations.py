"""Parametrizations of weights by their norms, as torch.nn.utils.parametrizations: weight_norm, spectral_norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import f, random
from ..backend import Tensor
from .convolution import Transposed
from .module import Module
from .parameter import Buffer
from .parametrize import register_parametrization

__all__ = ["spectral_norm", "weight_norm"]
__dir__ = __all__.copy


class _WeightNorm(Module):
    """g * v over the norm of v along all axes but one."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def _norm(self, v: Any) -> Tensor:
        if self.dim is None:
            return f.vector_norm(v)
        axes = tuple([k for k in range(v.ndim) if k != self.dim % v.ndim])
        return f.vector_norm(v, axis=axes, keepdims=True) if axes else abs(v)

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        y: Tensor = v * (g / self._norm(v))
        return y

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self._norm(weight), weight.clone()


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length and the direction of a weight apart: weight = g * v / |v|. Returns the module.

    dim: the axis along which each slice has a length of its own; None is one length for the whole. The originals are
    `module.parametrizations.weight.original0`, g, and `original1`, v. Raises KeyError for a name that is no parameter,
    ValueError for a dim out of range. Salimans, Kingma 2016.

    >>> layer = zen.nn.parametrizations.weight_norm(zen.nn.Linear(3, 2))
    >>> [(name, p.shape) for name, p in layer.named_parameters()][1:]
    [('parametrizations.weight.original0', (2, 1)), ('parametrizations.weight.original1', (2, 3))]
    """
    weight = getattr(module, name, None)
    if dim is not None and isinstance(weight, Tensor) and not -weight.ndim <= dim < weight.ndim:
        raise ValueError(f"weight_norm: dim {dim} is out of range for {name!r} of shape {weight.shape}")
    return register_parametrization(module, name, _WeightNorm(dim))


class _SpectralNorm(Module):
    """A weight over its largest singular value, which power iterations find while training."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        self.dim, self.eps, self.n_power_iterations = dim % max(weight.ndim, 1), eps, n_power_iterations
        if weight.ndim > 1:
            matrix = self._matrix(weight).numpy()
            self._u = Buffer(self._scaled(random.normal(matrix.shape[:1], dtype=matrix.dtype).numpy()))
            self._v = Buffer(self._scaled(random.normal(matrix.shape[1:], dtype=matrix.dtype).numpy()))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        """The weight with the axis first, the others joined."""
        return f.moveaxis(weight, self.dim, 0).reshape((weight.shape[self.dim], -1))

    def _scaled(self, v: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = v / max(float(np.linalg.norm(v)), self.eps)
        return scaled

    def _iterate(self, matrix: np.ndarray, count: int) -> None:
        u, v = self._u.numpy(), self._v.numpy()
        for _ in range(count):
            u = self._scaled(matrix @ v)
            v = self._scaled(matrix.T @ u)
        self._u, self._v = Buffer(u.astype(matrix.dtype)), Buffer(v.astype(matrix.dtype))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return f.normalize(weight, axis=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach().numpy(), self.n_power_iterations)
        y: Tensor = weight / (self._u.numpy() @ (matrix @ self._v.numpy()))
        return y

    def right_inverse(self, value: Tensor) -> Tensor:
        return value.clone()


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value, as a matrix with the axis `dim` first. Returns the module.

    n_power_iterations: steps that improve the estimate of that value whenever the weight is read while training. eps:
    vectors shorter than that are not made longer. dim: 0 unless told otherwise, 1 for transposed convolutions. Raises
    KeyError for a name that is no parameter, ValueError for arguments out of range. Miyato et al. 2018.

    >>> layer = zen.nn.parametrizations.spectral_norm(zen.nn.Linear(3, 3))
    >>> bool(abs(zen.linalg.norm(layer.weight.detach(), 2) - 1) < 0.1)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise KeyError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be at least 1, not {n_power_iterations}")
    if dim is None:
        dim = 1 if isinstance(module, Transposed) else 0
    if not -weight.ndim <= dim < weight.ndim:
        raise ValueError(f"spectral_norm: dim {dim} is out of range for {name!r} of shape {weight.shape}")
    return register_parametrization(module, name, _SpectralNorm(weight.detach(), n_power_iterations, dim, eps))

"""Transforms of pixel values: to Tensors, normalisation, noise, erasing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...conversion import convert
from ...dtypes import FLOATING
from .base import ImageTransform, RandomTransform, extent, probability


class ToTensor(ImageTransform):
    """An image as a Tensor of shape (C, H, W): float32 from 0 to 1 for uint8, else of the image's own dtype and range.

    An ndarray of shape (H, W) gets one channel. The values are copied.

    >>> zen.data.transforms.ToTensor()(np.array([[0, 255]], dtype=np.uint8))
    Tensor([[[0., 1.]]], dtype=float32)
    """

    def __init__(self, *, channels: str | None = None) -> None:
        super().__init__(channels)

    def __call__(self, image: Any) -> Tensor:
        array, axes = self._read(image)
        if array.ndim == 2:
            array = array[None]
        elif axes == (0, 1):
            array = np.moveaxis(array, 2, 0)
        if array.dtype == np.uint8:
            return backend.leaf(np.divide(array, np.float32(255), dtype=np.float32, order="C"), False)
        return backend.leaf(array.copy(order="C"), False)


class Normalize(ImageTransform):
    """(image - mean) / std for each channel.

    mean, std: a number, or one for each channel. Raises TypeError for an integer image (apply ToTensor first) and
    ValueError where their number is not that of the channels.

    >>> zen.data.transforms.Normalize(0.5, 0.25)(zen.tensor([[[0.0, 1.0]]]))
    Tensor([[[-2.,  2.]]], dtype=float64)
    """

    def __init__(
        self, mean: float | Sequence[float], std: float | Sequence[float], *, channels: str | None = None
    ) -> None:
        super().__init__(channels)
        self.mean, self.std = mean, std
        self._mean, self._std = convert(mean, np.float64).ravel(), convert(std, np.float64).ravel()
        if not (self._std > 0).all() or not np.isfinite([*self._mean, *self._std]).all():
            raise ValueError(f"Normalize: mean is {mean} and std {std}; they must be finite, and std positive")

    def pixels(self, array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
        if array.dtype not in FLOATING:
            raise TypeError(f"Normalize: the image has dtype {array.dtype}; make it float first, as ToTensor does")
        axis = 0 if axes == (1, 2) else 2
        n = array.shape[axis] if array.ndim == 3 else 1
        for name, given in (("mean", self._mean), ("std", self._std)):
            if given.size not in (1, n):
                raise ValueError(
                    f"Normalize: {name} has {given.size} values, an image of shape {array.shape} {n} channels"
                )
        shape = [1] * array.ndim
        if array.ndim == 3:
            shape[axis] = -1
        mean, std = (v.astype(array.dtype).reshape(shape if v.size > 1 else ()) for v in (self._mean, self._std))
        made: np.ndarray = (array - mean) / std
        return made


class GaussianNoise(RandomTransform):
    """Adds normally distributed noise, and with `clip` keeps the result within 0 and 1.

    Raises TypeError for an integer image; apply ToTensor first.
    """

    def __init__(
        self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True, *,
        generator: np.random.Generator | None = None, seed: int | None = None, channels: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(generator, seed, channels)
        if not 0 <= sigma < math.inf:
            raise ValueError(f"GaussianNoise: sigma is {sigma}; it must not be negative")
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def random_pixels(self, array: np.ndarray, axes: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        if array.dtype not in FLOATING:
            raise TypeError(f"GaussianNoise: the image has dtype {array.dtype}; make it float first, as ToTensor does")
        made: np.ndarray = array + generator.normal(self.mean, self.sigma, array.shape).astype(array.dtype)
        return np.clip(made, 0, 1) if self.clip else made


class RandomErasing(RandomTransform):
    """Replaces a random rectangle, with probability p (Zhong et al., "Random Erasing Data Augmentation", 2017).

    scale: (least, greatest) part of the area; ratio: (least, greatest) height over width, drawn evenly in its
    logarithm. value: a number for all pixels, or "random" for normally distributed values (float images only).
    An image into which none of ten rectangles fits stays as it is.
    """

    def __init__(
        self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3),
        value: float | str = 0, *, generator: np.random.Generator | None = None, seed: int | None = None,
        channels: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(generator, seed, channels)
        self.p, self.scale, self.ratio = probability("RandomErasing", p), (scale[0], scale[1]), (ratio[0], ratio[1])
        if not 0 <= self.scale[0] <= self.scale[1] <= 1 or not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(
                f"RandomErasing: scale {scale} must rise within 0 and 1, and ratio {ratio} be positive and rise"
            )
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value must be a number or 'random', not {value!r}")
        self.value = value

    def random_pixels(self, array: np.ndarray, axes: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        if generator.random() >= self.p:
            return array
        height, width = extent(array, axes)
        for _ in range(10):
            area = height * width * generator.uniform(*self.scale)
            ratio = math.exp(generator.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < h <= height and 0 < w <= width:
                top, left = generator.integers(0, [height - h + 1, width - w + 1]).tolist()
                return self._erased(array, axes, (slice(top, top + h), slice(left, left + w)), generator)
        return array

    def _erased(
        self, array: np.ndarray, axes: tuple[int, int], part: tuple[slice, slice], generator: np.random.Generator
    ) -> np.ndarray:
        if self.value == "random" and array.dtype not in FLOATING:
            raise TypeError(
                f"RandomErasing: value='random' needs a float image, not {array.dtype}; apply ToTensor first"
            )
        key = [slice(None)] * array.ndim
        key[axes[0]], key[axes[1]] = part
        made = array.copy()
        region = made[tuple(key)]
        region[...] = generator.normal(size=region.shape) if self.value == "random" else self.value
        return made

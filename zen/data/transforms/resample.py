"""Transforms that compute new pixels between the old ones, bilinearly: resizing, rotation, affine maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import EXACT
from .base import ImageTransform, RandomTransform, extent, pair


class Resize(ImageTransform):
    """Changes height and width by bilinear interpolation.

    size: (height, width), or a number for the shorter side; the other one then keeps the proportions, rounded down.
    antialias: when reducing, average over all pixels that a new one covers; otherwise only the four nearest count.

    Pixels are squares with their centres at half-integers, so the corners of old and new image coincide. A new pixel
    is the mean of old ones with weights max(0, 1 - d / s) in each direction, where d is the distance of the centres
    in old pixels and s the reduction (with antialias, and at least 1). That is `interpolate(mode="bilinear",
    align_corners=False, antialias=...)` of PyTorch. Integer images are rounded to the nearest integer, half to even.

    >>> zen.data.transforms.Resize((1, 4))(np.array([[0.0, 1.0]]))
    array([[0.  , 0.25, 0.75, 1.  ]])
    """

    def __init__(self, size: int | Sequence[int], antialias: bool = True, *, channels: str | None = None) -> None:
        super().__init__(channels)
        pair("Resize", size, "size")
        self.size, self.antialias = size, antialias

    def pixels(self, array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
        old = extent(array, axes)
        if 0 in old:
            raise ValueError(f"Resize: an image of shape {array.shape} has no pixels")
        values = as_float(array)
        for axis, n, wanted in zip(axes, old, self._wanted(old), strict=True):
            if wanted != n:
                weights = bilinear_weights(n, wanted, self.antialias).astype(values.dtype)
                values = np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)
        return as_dtype(values, array.dtype)

    def _wanted(self, old: tuple[int, int]) -> tuple[int, int]:
        if not isinstance(self.size, (int, np.integer)):
            return pair("Resize", self.size, "size")
        short = min(old)
        return max(1, int(self.size * old[0] / short)), max(1, int(self.size * old[1] / short))


class RandomAffine(RandomTransform):
    """Rotates, scales, shears and moves an image about its centre by random amounts, with bilinear interpolation.

    degrees: the angle is drawn from (-degrees, degrees) or from the two given numbers; anticlockwise is positive.
    translate: the largest shift as fractions (of the width, of the height). scale: (least, greatest) factor.
    shear: as degrees, the angle by which columns lean to the right. fill: the value outside of the image.

    The size stays. Integer images are rounded to the nearest integer, half to even.
    """

    def __init__(
        self, degrees: float | Sequence[float], translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None, shear: float | Sequence[float] = 0.0, fill: float = 0, *,
        generator: np.random.Generator | None = None, seed: int | None = None, channels: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(generator, seed, channels)
        owner = type(self).__name__
        self.degrees, self.shear = _range(owner, degrees, "degrees"), _range(owner, shear, "shear")
        self.translate = (0.0, 0.0) if translate is None else _two(owner, translate, "translate")
        self.scale = (1.0, 1.0) if scale is None else _two(owner, scale, "scale")
        self.fill = fill
        if not all(0 <= t <= 1 for t in self.translate) or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(
                f"{owner}: translate is {self.translate} and scale {self.scale}; fractions are from 0 to 1, and "
                "factors positive and rising"
            )

    def random_pixels(self, array: np.ndarray, axes: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        height, width = extent(array, axes)
        angle, lean, factor, across, down = generator.uniform(
            [self.degrees[0], self.shear[0], self.scale[0], -self.translate[0], -self.translate[1]],
            [self.degrees[1], self.shear[1], self.scale[1], self.translate[0], self.translate[1]],
        ).tolist()
        forward = affine_matrix(angle, factor, lean)
        return affine(array, axes, forward, (down * height, across * width), self.fill)


class RandomRotation(RandomAffine):
    """Rotates an image about its centre by a random angle; arguments as of RandomAffine."""

    def __init__(
        self, degrees: float | Sequence[float], fill: float = 0, *, generator: np.random.Generator | None = None,
        seed: int | None = None, channels: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(degrees, fill=fill, generator=generator, seed=seed, channels=channels)


def bilinear_weights(n: int, wanted: int, antialias: bool) -> np.ndarray:
    """The matrix, of shape (wanted, n), that resamples n pixels to `wanted`; each row adds up to 1."""
    ratio = n / wanted
    centres = (np.arange(wanted) + 0.5) * ratio
    distance = np.abs(np.arange(n) + 0.5 - centres[:, None])
    weights = np.maximum(0.0, 1.0 - distance / (max(ratio, 1.0) if antialias else 1.0))
    # At a border the pixels beyond it are missing, which the sum makes up for.
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def affine_matrix(degrees: float, factor: float, lean: float) -> np.ndarray:
    """The map of (row, column) offsets from the centre: shear, then scaling, then rotation anticlockwise."""
    a, s = math.radians(degrees), math.tan(math.radians(lean))
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])  # rows count downwards
    made: np.ndarray = factor * turn @ np.array([[1.0, 0.0], [-s, 1.0]])
    return made


def affine(
    array: np.ndarray, axes: tuple[int, int], forward: np.ndarray, shift: tuple[float, float], fill: float
) -> np.ndarray:
    """The image moved by `forward` about its centre and then by `shift` (down, right), seen through the old frame."""
    height, width = extent(array, axes)
    centre = np.array([[(height - 1) / 2], [(width - 1) / 2]])
    target = np.indices((height, width)).reshape(2, -1)
    source = np.linalg.solve(forward, target - centre - np.reshape(shift, (2, 1))) + centre
    values = np.moveaxis(as_float(array), axes, (0, 1))
    sampled = _sample(values, source, fill).reshape(values.shape)
    return as_dtype(np.moveaxis(sampled, (0, 1), axes), array.dtype)


def _sample(values: np.ndarray, source: np.ndarray, fill: float) -> np.ndarray:
    """The image, of shape (H, W) or (H, W, C), at the places `source`, of shape (2, n); `fill` beyond its border."""
    border = [(1, 1), (1, 1)] + [(0, 0)] * (values.ndim - 2)
    padded = np.pad(values, border, constant_values=fill)
    # One pixel of fill on each side is what the outermost are mixed with; further out all is fill.
    limits = np.array([[padded.shape[0] - 1], [padded.shape[1] - 1]])
    places = np.clip(source + 1, 0, limits)
    low = np.minimum(places.astype(np.intp), limits - 1)
    part = (places - low).astype(values.dtype).reshape(2, -1, *[1] * (values.ndim - 2))
    (row, column), (down, across) = low, part
    top = padded[row, column] * (1 - across) + padded[row, column + 1] * across
    bottom = padded[row + 1, column] * (1 - across) + padded[row + 1, column + 1] * across
    mixed: np.ndarray = top * (1 - down) + bottom * down
    return mixed


def as_float(array: np.ndarray) -> np.ndarray:
    """float64 of what float32 does not hold exactly, else float32."""
    return array.astype(np.result_type(array.dtype, np.float32), copy=False)


def as_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype in EXACT:
        values = np.rint(values)
    return values.astype(dtype, copy=False)


def _range(owner: str, value: Any, name: str) -> tuple[float, float]:
    if isinstance(value, (int, float)):
        if not value >= 0:
            raise ValueError(f"{owner}: {name} is {value}; a single number must not be negative")
        return 0.0 - float(value), float(value)
    return _two(owner, value, name)


def _two(owner: str, value: Any, name: str) -> tuple[float, float]:
    numbers = tuple(value)
    if len(numbers) != 2 or not numbers[0] <= numbers[1] and name != "translate":
        raise ValueError(f"{owner}: {name} must be two numbers, the least first, not {value!r}")
    return float(numbers[0]), float(numbers[1])

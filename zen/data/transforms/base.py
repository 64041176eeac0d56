"""What all transforms share: which axes of an image are which, and where the random ones draw from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...conversion import convert
from ..randomness import Draws


class Transform:
    """A function of an image, with its settings as attributes, which the repr shows."""

    def __call__(self, image: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(image)")

    def __repr__(self) -> str:
        settings = [f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_")]
        return f"{type(self).__name__}({', '.join(settings)})"


class Compose(Transform):
    """One transform after the other.

    >>> zen.data.transforms.Compose([np.fliplr, np.negative])(np.array([[1, 2]]))
    array([[-2, -1]])
    """

    def __init__(self, transforms: Iterable[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


class Lambda(Transform):
    """Any function as a transform."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, image: Any) -> Any:
        return self.function(image)


class ImageTransform(Transform):
    """A transform of an image's pixels. A subclass defines `pixels(array, axes)`.

    channels: "last" or "first" for an ndarray of three dimensions; "last" if None. Tensors have them first.
    """

    def __init__(self, channels: str | None = None) -> None:
        if channels not in (None, "first", "last"):
            raise ValueError(f"{type(self).__name__}: channels must be 'first', 'last' or None, not {channels!r}")
        self._channels = channels

    def __call__(self, image: Any) -> Any:
        array, axes = self._read(image)
        result = self.pixels(array, axes)
        return backend.leaf(result, False) if isinstance(image, Tensor) else result

    def pixels(self, array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
        """The new image, as a new array or a view; `axes` are those of rows and columns."""
        raise NotImplementedError(f"{type(self).__name__} must define pixels(array, axes)")

    def _read(self, image: Any) -> tuple[np.ndarray, tuple[int, int]]:
        name = type(self).__name__
        if not isinstance(image, (np.ndarray, Tensor)):
            raise TypeError(
                f"{name}: an image is an ndarray or a Tensor, not {type(image).__name__}; see numpy.asarray"
            )
        array = convert(image)
        if array.ndim not in (2, 3):
            raise ValueError(f"{name}: an image has shape (H, W), (H, W, C) or (C, H, W), not {array.shape}")
        first = isinstance(image, Tensor) if self._channels is None else self._channels == "first"
        return array, (1, 2) if first and array.ndim == 3 else (0, 1)


class RandomTransform(ImageTransform):
    """A transform that draws random numbers. A subclass defines `random_pixels(array, axes, generator)`.

    generator, seed: where its numbers come from. Without either they come from the DataLoader's seed or, outside of a
    DataLoader, from zen.random. Every sample has a generator of its own, so threads change nothing.
    """

    def __init__(
        self, generator: np.random.Generator | None = None, seed: int | None = None, channels: str | None = None
    ) -> None:
        super().__init__(channels)
        self._draws = Draws(type(self).__name__, generator, seed)

    def pixels(self, array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
        return self.random_pixels(array, axes, self._draws.next())

    def random_pixels(self, array: np.ndarray, axes: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must define random_pixels(array, axes, generator)")


def extent(array: np.ndarray, axes: tuple[int, int]) -> tuple[int, int]:
    """Height and width."""
    return array.shape[axes[0]], array.shape[axes[1]]


def pair(owner: str, value: Any, name: str) -> tuple[int, int]:
    """(height, width) of a number or of two; ValueError for anything else."""
    sizes = (value, value) if isinstance(value, (int, np.integer)) else tuple(value)
    if len(sizes) != 2 or any(not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise ValueError(f"{owner}: {name} must be a positive integer or two of them (height, width), not {value!r}")
    return int(sizes[0]), int(sizes[1])


def probability(owner: str, p: float) -> float:
    """`p`, if it is a probability; ValueError otherwise."""
    if not 0 <= p <= 1:
        raise ValueError(f"{owner}: p is {p}; a probability is from 0 to 1")
    return float(p)

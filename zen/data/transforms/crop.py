"""Transforms that move pixels without changing them: padding, crops, flips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import ImageTransform, RandomTransform, extent, pair, probability


class Pad(ImageTransform):
    """Adds a border.

    padding: a number for all sides, (horizontal, vertical), or (left, top, right, bottom).
    fill: the value of the border with mode "constant"; other modes are those of numpy.pad ("edge", "reflect", ...).

    >>> zen.data.transforms.Pad((1, 0))(np.array([[5, 6]]))
    array([[0, 5, 6, 0]])
    """

    def __init__(
        self, padding: int | Sequence[int], fill: float = 0, mode: str = "constant", *, channels: str | None = None
    ) -> None:
        super().__init__(channels)
        self.padding, self.fill, self.mode = sides("Pad", padding), fill, mode

    def pixels(self, array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
        return pad(array, axes, self.padding, self.fill, self.mode)


class CenterCrop(ImageTransform):
    """The middle of an image; of an odd remainder, the smaller half is cut off above and on the left.

    size: (height, width), or a number for both. Raises ValueError for a smaller image.
    """

    def __init__(self, size: int | Sequence[int], *, channels: str | None = None) -> None:
        super().__init__(channels)
        self.size = pair("CenterCrop", size, "size")

    def pixels(self, array: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
        rows, columns = _room("CenterCrop", array, axes, self.size)
        return crop(array, axes, (rows // 2, columns // 2), self.size)


class RandomCrop(RandomTransform):
    """A part of an image, at a random place.

    size: (height, width), or a number for both; padding, fill, mode: a border added before, as in Pad. Raises
    ValueError for an image that is smaller with its border.
    """

    def __init__(
        self, size: int | Sequence[int], padding: int | Sequence[int] = 0, fill: float = 0, mode: str = "constant", *,
        generator: np.random.Generator | None = None, seed: int | None = None, channels: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(generator, seed, channels)
        self.size = pair("RandomCrop", size, "size")
        self.padding, self.fill, self.mode = sides("RandomCrop", padding), fill, mode

    def random_pixels(self, array: np.ndarray, axes: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        if any(self.padding):
            array = pad(array, axes, self.padding, self.fill, self.mode)
        rows, columns = _room("RandomCrop", array, axes, self.size)
        top, left = generator.integers(0, [rows + 1, columns + 1]).tolist()
        return crop(array, axes, (top, left), self.size)


class _Flip(RandomTransform):
    _axis: int

    def __init__(
        self, p: float = 0.5, *, generator: np.random.Generator | None = None, seed: int | None = None,
        channels: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(generator, seed, channels)
        self.p = probability(type(self).__name__, p)

    def random_pixels(self, array: np.ndarray, axes: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        return np.flip(array, axes[self._axis]) if generator.random() < self.p else array


class RandomHorizontalFlip(_Flip):
    """Exchanges left and right with probability p."""

    _axis = 1


class RandomVerticalFlip(_Flip):
    """Exchanges top and bottom with probability p."""

    _axis = 0


def sides(owner: str, padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of a padding in any of its forms."""
    given = (padding,) if isinstance(padding, (int, np.integer)) else tuple(padding)
    if len(given) not in (1, 2, 4) or any(not isinstance(n, (int, np.integer)) or n < 0 for n in given):
        raise ValueError(f"{owner}: padding must be 1, 2 or 4 integers that are not negative, not {padding!r}")
    whole = given * (4 // len(given))
    return int(whole[0]), int(whole[1]), int(whole[2]), int(whole[3])


def pad(array: np.ndarray, axes: tuple[int, int], padding: Sequence[int], fill: float, mode: str) -> np.ndarray:
    widths = [(0, 0)] * array.ndim
    left, top, right, bottom = padding
    widths[axes[0]], widths[axes[1]] = (top, bottom), (left, right)
    options: dict[str, Any] = {"constant_values": fill} if mode == "constant" else {}
    return np.pad(array, widths, mode, **options)  # type: ignore[call-overload,no-any-return]  # mode is any of NumPy's


def crop(array: np.ndarray, axes: tuple[int, int], corner: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    key = [slice(None)] * array.ndim
    for axis, start, length in zip(axes, corner, size, strict=True):
        key[axis] = slice(start, start + length)
    return array[tuple(key)]


def _room(owner: str, array: np.ndarray, axes: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """By how much the image is larger than `size`."""
    found = extent(array, axes)
    if found[0] < size[0] or found[1] < size[1]:
        raise ValueError(
            f"{owner}: an image of height and width {found} (shape {array.shape}) is smaller than {size}; "
            "pad or resize it"
        )
    return found[0] - size[0], found[1] - size[1]

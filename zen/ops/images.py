"""Channels of images exchanged for places, or for one another: pixel_shuffle, pixel_unshuffle, channel_shuffle."""

from __future__ import annotations

from typing import Any

from ..backend import apply
from .operands import operand, whole
from .register import public
from .shape import PERMUTE_DIMS, reshape


def _factor(name: str, argument: str, value: Any) -> int:
    n = whole(name, argument, value)
    if n < 1:
        raise ValueError(f"{name}: {argument} must be at least 1, not {n}")
    return n


def _image(name: str, x: Any) -> Any:
    x = operand(name, x)
    if x.ndim < 3:
        raise ValueError(f"{name}: expected images (..., channels, height, width), not shape {x.shape}")
    return x


@public("", None)
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Images r times as high and wide from r * r channels for each: (..., c * r * r, h, w) to (..., c, h * r, w * r).

    input (x): Tensor or array. upscale_factor: r. Raises ValueError for channels that r ** 2 does not divide. Shi et
    al. 2016.

    >>> zen.f.pixel_shuffle(zen.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    x, r = _image("pixel_shuffle", input), _factor("pixel_shuffle", "upscale_factor", upscale_factor)
    *lead, c, h, w = x.shape
    if c % (r * r):
        raise ValueError(f"pixel_shuffle: upscale_factor {r} needs channels in multiples of {r * r}, not {x.shape}")
    n, c = len(lead), c // (r * r)
    x = reshape(x, (*lead, c, r, r, h, w))
    x = apply(PERMUTE_DIMS, (x,), ((*range(n), n, n + 3, n + 1, n + 4, n + 2),))
    return reshape(x, (*lead, c, h * r, w * r))


@public("", None)
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The inverse of `pixel_shuffle`: (..., c, h * r, w * r) to (..., c * r * r, h, w).

    Raises ValueError for a height or width that downscale_factor, r, does not divide.

    >>> zen.f.pixel_unshuffle(zen.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2).ravel().tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    x, r = _image("pixel_unshuffle", input), _factor("pixel_unshuffle", "downscale_factor", downscale_factor)
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise ValueError(f"pixel_unshuffle: downscale_factor {r} divides height and width of no image of {x.shape}")
    n = len(lead)
    x = reshape(x, (*lead, c, h // r, r, w // r, r))
    x = apply(PERMUTE_DIMS, (x,), ((*range(n), n, n + 2, n + 4, n + 1, n + 3),))
    return reshape(x, (*lead, c * r * r, h // r, w // r))


@public("", None)
def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of x in the order in which its groups take turns: the first of each, then the second of each.

    input (x): Tensor or array (batch, channels, ...). Raises ValueError if groups does not divide the channels. Zhang
    et al. 2018.

    >>> zen.f.channel_shuffle(zen.tensor([[1.0, 2.0, 3.0, 4.0]]), 2).tolist()
    [[1.0, 3.0, 2.0, 4.0]]
    """
    x, groups = operand("channel_shuffle", input), _factor("channel_shuffle", "groups", groups)
    if x.ndim < 2 or x.shape[1] % groups:
        raise ValueError(
            f"channel_shuffle: {groups} groups of channels do not fit shape {x.shape}, (batch, channels, ...)"
        )
    parts = reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    return reshape(apply(PERMUTE_DIMS, (parts,), ((0, 2, 1, *range(3, parts.ndim)),)), x.shape)

"""Normalisation in plain NumPy: the twin of `zen/_core/_norm.pyx`. Statistics are taken in float64."""

from __future__ import annotations

import numpy as np

Optional = np.ndarray | None


def norm_rows(
    x: np.ndarray, n: int, weight: Optional, bias: Optional, eps: float, centred: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each run of n elements minus its mean (if centred), over its root mean square: (y, mean, 1 / root)."""
    rows = x.reshape(-1, n) if n else x.reshape(0, 0)
    mean = rows.mean(1, dtype=np.float64) if centred else np.zeros(len(rows))
    shifted = rows - mean[:, None]
    rstd = 1 / np.sqrt((shifted * shifted).mean(1) + eps)
    y = shifted * rstd[:, None]
    if weight is not None:
        y = y * weight.reshape(-1)
    if bias is not None:
        y = y + bias.reshape(-1)
    return y.astype(x.dtype).reshape(x.shape), mean, rstd


def norm_rows_backward(
    g: np.ndarray, x: np.ndarray, n: int, weight: Optional, centred: bool, mean: np.ndarray, rstd: np.ndarray,
    wanted: tuple[bool, ...],
) -> tuple[Optional, Optional, Optional]:  # fmt: skip
    """The gradients of norm_rows in x, weight and bias (flat arrays of n), or None where not wanted."""
    shape = (-1, n) if n else (0, 0)
    hat = (x.reshape(shape) - mean[:, None]) * rstd[:, None]
    g = g.reshape(shape)
    dx = None
    if wanted[0]:
        gw = g if weight is None else g * weight.reshape(-1)
        inner = gw - hat * (gw * hat).mean(1, keepdims=True)
        if centred:
            inner = inner - gw.mean(1, keepdims=True, dtype=np.float64)
        dx = (inner * rstd[:, None]).astype(x.dtype).reshape(x.shape)
    dw = (g * hat).sum(0).astype(x.dtype) if wanted[1] else None
    db = g.sum(0, dtype=np.float64).astype(x.dtype) if wanted[2] else None
    return dx, dw, db


def norm_channels(
    x: np.ndarray, batch: int, channels: int, size: int, period: int, pool: int, weight: Optional, bias: Optional,
    eps: float, mean: Optional = None, var: Optional = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """x as (batch, channels, size), each run of `pool` channels minus its mean, over its deviation: (y, mean, var).

    weight and bias repeat with `period`. mean and var, of float64, are used if they are given.
    """
    runs = x.reshape(batch, channels // pool, pool * size)
    if mean is None or var is None:
        mean = runs.mean((0, 2), dtype=np.float64)
        shifted = runs - mean[:, None]
        var = (shifted * shifted).mean((0, 2))
    else:
        shifted = runs - mean[:, None]
    y = (shifted / np.sqrt(var + eps)[:, None]).reshape(batch, channels, size)
    if weight is not None:
        y = y * np.tile(weight, channels // max(period, 1))[:, None]
    if bias is not None:
        y = y + np.tile(bias, channels // max(period, 1))[:, None]
    return y.astype(x.dtype).reshape(x.shape), mean, var


def norm_channels_backward(
    g: np.ndarray, x: np.ndarray, batch: int, channels: int, size: int, period: int, pool: int, weight: Optional,
    eps: float, mean: np.ndarray, var: np.ndarray, given: bool, wanted: bool,
) -> tuple[Optional, np.ndarray, np.ndarray]:  # fmt: skip
    """The gradient in x (None if not wanted), and for each channel the sums of g and of g times the normalised x.

    given: mean and var were given, so that no gradient flows through them.
    """
    rstd = 1 / np.sqrt(var + eps)
    runs = (batch, channels // pool, pool * size)
    shape = (batch, channels, size)
    hat = (x.reshape(runs) - mean[:, None]) * rstd[:, None]
    g = g.reshape(shape)
    sum_g, sum_gh = g.sum((0, 2), dtype=np.float64), (g * hat.reshape(shape)).sum((0, 2))
    if not wanted:
        return None, sum_g, sum_gh
    gw = (g if weight is None else g * np.tile(weight, channels // max(period, 1))[:, None]).reshape(runs)
    inner = gw
    if not given:
        inner = gw - gw.mean((0, 2), keepdims=True, dtype=np.float64) - hat * (gw * hat).mean((0, 2), keepdims=True)
    return (inner * rstd[:, None]).astype(x.dtype).reshape(x.shape), sum_g, sum_gh


def norm_rows_tangent(
    t: np.ndarray, x: np.ndarray, n: int, weight: Optional, dweight: Optional, dbias: Optional, centred: bool,
    mean: np.ndarray, rstd: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The tangent of norm_rows. The derivative of the normalised x is symmetric, so it is the gradient's."""
    out = norm_rows_backward(t, x, n, None, centred, mean, rstd, (True, False, False))[0]
    assert out is not None
    rows = out.reshape((-1, n) if n else (0, 0))
    if weight is not None:
        rows *= weight.reshape(-1)
    if dweight is not None:
        rows += (x.reshape(rows.shape) - mean[:, None]) * rstd[:, None] * dweight.reshape(-1)
    if dbias is not None:
        rows += dbias.reshape(-1)
    return out


def norm_channels_tangent(
    t: np.ndarray, x: np.ndarray, batch: int, channels: int, size: int, period: int, pool: int, weight: Optional,
    dweight: Optional, dbias: Optional, eps: float, mean: np.ndarray, var: np.ndarray, given: bool,
) -> tuple[np.ndarray, Optional, Optional]:  # fmt: skip
    """The tangent of norm_channels, and for each channel the sums of t and of t times the normalised x.

    None in place of the sums where mean and var were given.
    """
    out, *sums = norm_channels_backward(t, x, batch, channels, size, period, pool, None, eps, mean, var, given, True)
    assert out is not None
    planes, repeats = out.reshape(batch, channels, size), channels // max(period, 1)
    if weight is not None:
        planes *= np.tile(weight, repeats)[:, None]
    if dweight is not None:
        hat = norm_channels(x, batch, channels, size, period, pool, dweight, None, eps, mean, var)[0]
        planes += hat.reshape(planes.shape)
    if dbias is not None:
        planes += np.tile(dbias, repeats)[:, None]
    return (out, None, None) if given else (out, sums[0], sums[1])

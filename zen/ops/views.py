"""Rows for writes through views: what a view's memory is of its root's. Applied by `zen/attached/inplace.py` alone.

A view is described by `geometry`: its offset in bytes from the root's first element, its shape, its strides, the root's
strides, and whether it shows the real or imaginary parts of a complex root. The values that a formula meets (gradients)
have the root's shape but seldom its layout in memory, so they are laid out as the root is before the view is taken.

Of parts, the transposes conjugate: cotangents are not conjugated, so that of an imaginary part is -1j times as much in
the root, where the part itself is 1j times as much.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped
from ..dtypes import COMPLEX, complexed, real
from .register import define
from .result_shapes import same
from .row import row

Geometry = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...], bool]


def geometry(view: np.ndarray, root: np.ndarray) -> Geometry:
    """Where `view` lies in the memory of `root`."""
    is_part = view.dtype not in COMPLEX and root.dtype in COMPLEX
    return _address(view) - _address(root), view.shape, view.strides, root.strides, is_part


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _laid_out(shape: tuple[int, ...], layout: tuple[int, ...], dtype: Any) -> tuple[np.ndarray, int]:
    """Zeroed memory for an array of this shape with these strides, as bytes, and the offset of its first element."""
    reach = [(n - 1) * s for n, s in zip(shape, layout, strict=True)] if 0 not in shape else []
    low = sum([r for r in reach if r < 0])
    high = sum([r for r in reach if r > 0])
    return np.zeros(high - low + np.dtype(dtype).itemsize, np.uint8), -low


def _open(
    x: np.ndarray, offset: int, shape: Any, strides: Any, layout: Any, is_part: bool
) -> tuple[np.ndarray, np.ndarray]:
    """A copy of x with the root's layout, and the view of it."""
    memory, start = _laid_out(x.shape, layout, x.dtype)
    whole = np.ndarray(x.shape, x.dtype, memory, start, layout)
    whole[...] = x
    dtype = real(x.dtype) if is_part else x.dtype
    if 0 in shape:
        return whole, np.empty(shape, dtype)
    return whole, np.ndarray(shape, dtype, memory, start + offset, strides)


def _view_of(x: Any, offset: int, shape: Any, strides: Any, layout: Any, is_part: bool) -> Any:
    x = np.asarray(x)
    if is_part and x.dtype not in COMPLEX:  # a cotangent that turned out to be real
        x = x.astype(complexed(x.dtype))
    return _open(x, offset, shape, strides, layout, is_part)[1]


def _write_view(x: Any, v: Any, offset: int, shape: Any, strides: Any, layout: Any, is_part: bool) -> Any:
    whole, view = _open(np.asarray(x), offset, shape, strides, layout, is_part)
    view[...] = np.real(v) if is_part else v
    return whole


def _add_view(v: Any, whole_shape: Any, offset: int, shape: Any, strides: Any, layout: Any, is_part: bool) -> Any:
    """Zeros of the root's shape with v added where the view lies: the transpose of `view_of`."""
    zeros = np.zeros(whole_shape, complexed(v.dtype) if is_part else v.dtype)
    whole, view = _open(zeros, offset, shape, strides, layout, is_part)
    repeated = tuple([k for k, (n, s) in enumerate(zip(shape, strides, strict=True)) if s == 0 and n > 1])
    if repeated:  # a broadcast view: its elements share memory along these axes
        one = tuple([slice(0, 1) if k in repeated else slice(None) for k in range(len(shape))])
        view[one] = v.sum(repeated, keepdims=True)
    else:
        view[...] = v
    return whole


def _examples(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """(root, view) pairs: slices, transposes, reshapes, broadcasts, of roots in several layouts."""
    c, f, s = rng.normal(size=(3, 4)), rng.normal(size=(4, 3)).T, rng.normal(size=(6, 5))[::-2, ::2]
    return [
        (c, c[1]), (c, c[::-1, 1:3].T), (c, c.reshape(2, 6)[:, ::2]), (f, f.T.reshape(12)[3:9]), (s, s[1:, 0]),
        (c, np.broadcast_to(c[:, :1], (3, 2))), (c, c[3:]), (c[0, 0:1].reshape(()), c[0, 0:1].reshape(1, 1)),
    ]  # fmt: skip


def _one(rng: np.random.Generator) -> list[Any]:
    return [((root,), geometry(view, root)) for root, view in _examples(rng)]


def _writable(rng: np.random.Generator) -> list[Any]:
    pairs = [(root, view) for root, view in _examples(rng) if 0 not in view.strides]
    return [((root, rng.normal(size=view.shape)), geometry(view, root)) for root, view in pairs]


def _conjugated(f: Any, g: Any, is_part: bool) -> Any:
    return f.conj(g) if is_part else g


_GEOMETRY = "offset shape strides layout is_part"
VIEW_OF = define(row(
    "view_of", "x", _view_of, ["conjugated(add_view(g, x.shape, offset, shape, strides, layout, is_part), is_part)"],
    params=_GEOMETRY, linear="x", domain=_one, uses={"conjugated": _conjugated},
    shape=lambda x, offset, shape, *rest: Shaped(shape, real(x.dtype) if rest[-1] else x.dtype), complex=True,
    doc="The part of x that a view of its memory shows.",
))  # fmt: skip
ADD_VIEW = define(row(
    "add_view", "v", _add_view, ["view_of(conjugated(g, is_part), offset, shape, strides, layout, is_part)"],
    params="whole_shape " + _GEOMETRY, linear="v", uses={"conjugated": _conjugated},
    domain=lambda rng: [((rng.normal(size=p[1]),), (x.shape, *p)) for (x,), p in _one(rng)],
    shape=lambda v, whole_shape, *rest: Shaped(whole_shape, complexed(v.dtype) if rest[-1] else v.dtype), complex=True,
    doc="Zeros with values added where a view lies.",
))  # fmt: skip
WRITE_VIEW = define(row(
    "write_view", "x v", _write_view,
    [
        "write_view(g, 0, offset, shape, strides, layout, is_part)",
        "view_of(conjugated(g, is_part), offset, shape, strides, layout, is_part)",
    ],
    linear="x v", together=True, params=_GEOMETRY, domain=_writable, shape=same, uses={"conjugated": _conjugated},
    complex=True, doc="x with a view of its memory overwritten by v.",
))  # fmt: skip

"""The same values in other memory layouts, for tests: what an array looks like to a kernel, but not to its user."""

import numpy as np


def fortran(a):
    return a.copy("F")  # asfortranarray makes a 0-d array 1-d


def transposed(a):
    """Made contiguous with its axes reversed, then seen in the right order."""
    return a.T.copy("C").T


def strided(a):
    """Every second element of each axis of a larger array; the rest is nan (or True, or a large int)."""
    bad = np.nan if a.dtype.kind == "f" else (True if a.dtype.kind == "b" else 99)
    out = np.full(tuple(2 * n + 1 for n in a.shape), bad, a.dtype)[(*[slice(1, 2 * n, 2) for n in a.shape], ...)]
    out[...] = a
    return out


def reversed_(a):
    """Negative strides on every axis."""
    back = (slice(None, None, -1),) * a.ndim
    return a[(*back, ...)].copy("C")[(*back, ...)]


def unaligned(a):
    """At an address that is no multiple of the item size."""
    raw = np.zeros(a.nbytes + 1, np.uint8)[1:]
    out = raw.view(a.dtype).reshape(a.shape) if a.size else np.empty(a.shape, a.dtype)
    out[...] = a
    return out


def read_only(a):
    out = a.copy()
    out.flags.writeable = False
    return out


def inner(a):
    """The middle of a larger array."""
    out = np.full(tuple(n + 2 for n in a.shape), 7, a.dtype)[(*[slice(1, -1)] * a.ndim, ...)]
    out[...] = a
    return out


LAYOUTS = [fortran, transposed, strided, reversed_, unaligned, read_only, inner]

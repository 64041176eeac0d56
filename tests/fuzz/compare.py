"""When two results of a program count as different."""

from __future__ import annotations

from typing import Any

import numpy as np

from .program import Program


def differs(program: Program, a: Any, b: Any, tight: bool = False) -> str:
    """What is different about two results, or nothing."""
    a, b = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (a, b))
    if a.shape != b.shape:
        return f"shapes {a.shape} and {b.shape}"
    single = program.dtype == "float32" or a.dtype == np.float32
    limit = (3e-3 if single else 1e-5) if not tight else (2e-4 if single else 1e-9)
    scale = max(float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b))), 0.3)
    same = np.isclose(a, b, rtol=0, atol=limit * scale, equal_nan=True)
    if same.all():
        return ""
    at = tuple(int(k) for k in np.argwhere(~same)[0])
    return f"{np.count_nonzero(~same)} of {same.size} differ, first at {at}: {a[at]!r} and {b[at]!r}"

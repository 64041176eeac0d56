"""Tangents that one call alone cannot tell: those of vectors that are determined only up to a choice.

Where eigenvalues are equal, or the phase of vectors is free, the vectors have no derivative, but what does not depend
on the choice may have one. A rule for tangents then raises `Undetermined`, and `jvp` transposes the backward pass,
which can tell; if that finds that the result does depend on the choice, the tangents are pushed once more, now with
nan.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class Undetermined(np.linalg.LinAlgError):
    """Raised by a rule for tangents, for `jvp` to catch."""


class TooHigh(np.linalg.LinAlgError):
    """Raised for derivatives of an order that is not made at ties."""


class _Settings(threading.local):
    nan = False
    eager = False


_settings = _Settings()


def undetermined(name: str) -> None:
    """Raise, unless the tangents are to be nan."""
    if not _settings.nan:
        raise Undetermined(f"{name}: the tangents of vectors are determined only up to a choice")


def eager() -> bool:
    """Whether the pass of this thread will be differentiated by its cotangents, and that once more."""
    return _settings.eager


def with_setting(name: str, value: bool, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """function(*args, **options): with "nan", what is undetermined is nan; "eager": see `eager`."""
    before = getattr(_settings, name)
    setattr(_settings, name, value)
    try:
        return function(*args, **options)
    finally:
        setattr(_settings, name, before)

"""gradflow's `utils`: whether operations are recorded, and its logger."""

from __future__ import annotations

import logging

from ... import backend
from ...modes import no_grad as no_grad

logger = logging.getLogger("gradflow")


def init_logger() -> None:
    """Let the logger "gradflow" write messages of level INFO and above to standard error. A second call adds nothing.

    The original did this to the root logger, at import.
    """
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
        logger.addHandler(handler)


def grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return backend.grad_enabled()


def set_grad_enabled(enabled: bool = True) -> None:
    """Record operations of this thread, or stop recording them."""
    backend.set_grad_enabled(bool(enabled))

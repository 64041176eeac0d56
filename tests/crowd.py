"""Threads that get in each other's way as often as the interpreter lets them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest


def crowd(work: Callable[[int], Any], threads: int = 4, limit: float = 120) -> list[Any]:
    """What `work(k)` returns in each of the threads, which start together; raises the first error of one."""
    gate, results, errors = threading.Barrier(threads), [None] * threads, []

    def run(k: int) -> None:
        gate.wait()
        try:
            results[k] = work(k)
        except BaseException as error:
            errors.append(error)

    crew = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(threads)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(limit)
            if thread.is_alive():  # it may eat all memory: no other test can go on
                pytest.exit(f"a thread has not ended within {limit} seconds", 3)
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]
    return results

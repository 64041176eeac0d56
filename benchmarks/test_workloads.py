"""The workloads on the engine that ZEN_BACKEND chose, under pytest-benchmark.

For ratios between engines run `python -m benchmarks`: these times come one after the other.
"""

from __future__ import annotations

from typing import Any

import pytest

import zen

from .workloads import WORKLOADS, zen_task


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload(benchmark: Any, name: str) -> None:
    ready = zen_task(WORKLOADS[name])
    ready.step()
    benchmark.group = name
    benchmark.name = f"{name} ({zen.backend.NAME})"
    benchmark(ready.step)
    assert all(g.shape == p.shape for g, p in zip(ready.gradients(), WORKLOADS[name].data().parameters, strict=True))

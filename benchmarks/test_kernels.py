"""Each kernel beside its NumPy form, one pytest-benchmark group for each case of `benchmarks/kernels.py`."""

from __future__ import annotations

from typing import Any

import pytest

from .kernels import Case, cases, check

CASES = cases()
pytestmark = pytest.mark.benchmark(max_time=0.1, warmup=False)


@pytest.mark.parametrize("form", ["zen", "numpy"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kernel}: {case.name}")
def test_kernel(benchmark: Any, case: Case, form: str) -> None:
    check(case)
    benchmark.group = f"{case.kernel}: {case.name}"
    benchmark(getattr(case, form))

"""The tables: where and when they were measured, and their Markdown. The scripts in `benchmarks/` call it.

The goals are those that the project set itself, as ratios to another column; they are printed beside what was
measured and decide nothing.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy

from .rounds import Times

TABLES = Path(__file__).parent / "tables"

GOALS = {
    "PyTorch": {"scalar": 20, "mlp_small": 4, "mlp_large": 0.65, "elem1M": 1.8, "bcast1k": 1.8, "rnn200": 4,
                "rosen10": 10},
    "reference": {"scalar": 10, "mlp_small": 3, "mlp_large": 1.0, "elem1M": 2, "bcast1k": 2.5, "rnn200": 3,
                  "rosen10": 8},
}  # fmt: skip
"""How many times faster than that column, on one thread each."""

MKL_GOALS = {"PyTorch": {"mlp_large": 1.0}}
"""The same through MKL."""


def machine() -> list[str]:
    """Lines that say what the numbers were measured on."""
    try:
        zen = version("zen-autograd")
    except PackageNotFoundError:
        import zen as package

        zen = package.__version__
    return [
        f"- Processor: {processor()}, {os.cpu_count()} cores; {platform.system()} {platform.machine()}",
        f"- Python {platform.python_version()}, NumPy {numpy.__version__}, zen {zen}",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
    ]


def processor() -> str:
    """The model and the widest vector instructions, where the system tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = facts.get("flags", "").split()
    widest = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
    model = facts.get("model name", platform.machine())
    return f"{model} ({widest})" if widest else model


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, padded so that it reads as plain text as well."""
    cells = [list(head), *map(list, rows)]
    widths = [max(3, *(len(row[k]) for row in cells)) for k in range(len(head))]
    padded = [[c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))]
              for row in cells]  # fmt: skip
    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [padded[0], rule, *padded[1:]])


def number(value: float) -> str:
    """Three significant digits, no exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def workload_table(
    times: Times, workloads: Sequence[str], pick: Callable[[str, str], float], first: str,
    goals: dict[str, dict[str, float]],
) -> str:  # fmt: skip
    """Microseconds for every column, then how many times faster `first` is than each other one, goals below."""
    rows = [[title, *(number(pick(title, w)) for w in workloads)] for title in times.rounds]
    for title in times.rounds:
        if title == first:
            continue
        ratios = (pick(title, w) / pick(first, w) for w in workloads)
        rows.append([f"{first}, times faster than {title}", *map(number, ratios)])
        if title in goals:
            rows.append(["- goal", *(number(goals[title][w]) if w in goals[title] else "" for w in workloads)])
    return markdown(["", *workloads], rows)


def write(name: str, title: str, sections: Sequence[str]) -> None:
    """Print a report and store it in `benchmarks/tables/`."""
    text = "\n\n".join([f"# {title}", "\n".join(machine()), *sections]) + "\n"
    TABLES.mkdir(exist_ok=True)
    (TABLES / f"{name}.md").write_text(text)
    print(f"\n{text}\nwritten to benchmarks/tables/{name}.md")

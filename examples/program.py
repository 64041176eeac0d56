"""What the examples share: their options, the clock, pictures, and the comparison of zen's two engines."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from threadpoolctl import threadpool_limits

import zen
from zen import files

matplotlib.use("Agg")  # pictures go to files; no display is needed
import matplotlib.pyplot as plt  # noqa: E402


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that every example has. `parse_args()` on the result gives quick, seed and out."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a short run: to see that everything works")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is random (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default: out)")
    parser.add_argument("--clock", action="store_true", help=argparse.SUPPRESS)  # for `clock`, below
    return parser


@contextmanager
def clock(chosen: argparse.Namespace, what: str = "training") -> Iterator[None]:
    """Print how long the block took; on the reference engine, also how long the compiled one takes for the same.

    The compiled engine is timed by running the program anew with `--clock`, which ends at the end of the block.
    """
    with threadpool_limits(1):  # the products are too small to share; on a busy machine threads would wait in turn
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
    if chosen.clock:
        print(f"clock {seconds}")
        raise SystemExit
    print(f"{what} took {seconds:.2f} s on the {zen.backend.NAME} engine", flush=True)
    if zen.backend.NAME == "reference":
        compiled = _seconds_compiled()
        if compiled is None:
            print("the compiled engine is not built, so there is nothing to compare with")
        else:
            print(f"the compiled engine takes {compiled:.2f} s: the reference is {seconds / compiled:.1f} times slower")


def _seconds_compiled() -> float | None:
    command = [sys.executable, *sys.argv, "--clock"]
    environment = {**os.environ, "ZEN_BACKEND": "compiled"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "zen's compiled engine is missing" in found.stderr:
        return None
    if found.returncode:
        raise RuntimeError(f"the same program on the compiled engine failed:\n{found.stderr}")
    return float(found.stdout.rpartition("clock ")[2])


@contextmanager
def picture(chosen: argparse.Namespace, name: str, rows: int = 1, columns: int = 1, **options: Any) -> Iterator[Any]:
    """Axes to draw on (an array of them, if there are several), saved as `out/<name>.png` afterwards."""
    options = {"figsize": (4.5 * columns + 2, 3.4 * rows + 0.6), "layout": "constrained", **options}
    figure, axes = plt.subplots(rows, columns, **options)
    yield axes
    chosen.out.mkdir(parents=True, exist_ok=True)
    path = chosen.out / f"{name}.png"
    content = io.BytesIO()
    figure.savefig(content, dpi=120)
    files.write(path, content.getvalue(), "picture")
    plt.close(figure)
    print(f"picture: {path}")

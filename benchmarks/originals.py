"""The "Zen Deep Learning Library" against `zen.compat.zenlib`: its own programs, run by both in turn.

    git clone https://github.com/ashwin6-dev/Zen-Deep-Learning-Library somewhere
    python -m benchmarks.originals somewhere [--programs mnist rnn fizzbuzz] [--rounds 3]

The folder holds the original's modules and programs, which are not part of this repository. Each run is a process of
its own with one thread, in a temporary directory, where the programs leave their pictures. Needs tqdm, scikit-learn and
matplotlib, as the programs do. Prints a Markdown table of medians:

- program: from importing the library to the end, without Python's start and the import of NumPy, tqdm, scikit-learn and
  matplotlib, which is the same for both;
- process: all of it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import json
import os
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULES = ("autodiff", "loss", "optim", "nn")
ROOT = Path(__file__).parent.parent


def child(engine: str, program: Path) -> None:
    """Run one program, silently; print its time and its last result as JSON."""
    for name in _foreign_imports(program):
        importlib.import_module(name)
    start = time.perf_counter()
    if engine == "zen":
        sys.path.insert(0, str(ROOT))
        for name in MODULES:
            sys.modules[name] = importlib.import_module(f"zen.compat.zenlib.{name}")
    else:
        sys.path.insert(0, str(program.parent))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        runpy.run_path(str(program), run_name="__main__")
    seconds = time.perf_counter() - start
    accuracies = re.findall(r"^accuracy: *(\S+)", printed.getvalue(), re.M)
    losses = re.findall(r"^LOSS *(\S+)", printed.getvalue(), re.M)
    result = (f"accuracy {float(accuracies[-1]):.3f}, " if accuracies else "") + (
        f"loss {float(losses[-1]):.2g}" if losses else "no loss"
    )
    print(json.dumps({"seconds": seconds, "result": result}))


def _foreign_imports(program: Path) -> list[str]:
    found = ["numpy", "tqdm"]
    for node in ast.walk(ast.parse(program.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("sklearn", "matplotlib"):
            found.append("matplotlib.pyplot" if node.module == "matplotlib" else node.module)
    return found


def run(engine: str, program: Path) -> tuple[float, float, str]:
    """(seconds of the program, seconds of its process, result)."""
    limits = {f"{pool}_NUM_THREADS": "1" for pool in ("OPENBLAS", "MKL", "OMP")}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(Path(__file__).resolve()), str(program.parent), "--child", engine,
             "--programs", program.stem],
            cwd=folder, env={**os.environ, **limits, "MPLBACKEND": "Agg"}, capture_output=True, text=True,
        )  # fmt: skip
        whole = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{program.name} on {engine} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], whole, found["result"]


def main() -> None:
    parser = argparse.ArgumentParser(description="the original library's programs, by it and by zen.compat.zenlib")
    parser.add_argument("folder", type=Path, help="a checkout of the original")
    parser.add_argument("--programs", nargs="+", default=["mnist", "rnn", "fizzbuzz"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=("original", "zen"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.child:
        child(options.child, folder / f"{options.programs[0]}.py")
        return
    print("| program | original, s | zen, s | times faster | process: original, s | zen, s | original | zen |")
    print("| --- | --: | --: | --: | --: | --: | --- | --- |")
    for name in options.programs:
        program = folder / f"{name}.py"
        rounds = [[run(engine, program) for engine in ("original", "zen")] for _ in range(options.rounds)]
        times = [[statistics.median(r[k][j] for r in rounds) for k in range(2)] for j in range(2)]
        (old, new), (old_whole, new_whole) = times
        results = f"{rounds[-1][0][2]} | {rounds[-1][1][2]}"
        print(f"| {name} | {old:.2f} | {new:.2f} | {old / new:.1f} | {old_whole:.2f} | {new_whole:.2f} | {results} |")


if __name__ == "__main__":
    main()

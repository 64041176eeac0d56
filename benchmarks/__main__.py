"""`python -m benchmarks`: the workloads on every engine that is installed, as one table. `make bench` calls it."""

from __future__ import annotations

import argparse

from . import report
from .rounds import (
    AUTOGRAD,
    COMPILED,
    JAX,
    MKL,
    MKL_PRODUCTS,
    NUMPY_PRODUCTS,
    PYTORCH,
    PYTORCH_PRODUCTS,
    REFERENCE,
    Engine,
    Times,
    installed,
    measure,
    pin,
)
from .workloads import WORKLOADS

ENGINES = {
    "compiled": COMPILED,
    "reference": REFERENCE,
    "torch": PYTORCH,
    "autograd": AUTOGRAD,
    "jax": JAX,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="default: all of them", metavar=f"{{{','.join(WORKLOADS)}}}")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, help="default: zen's two and the installed peers")
    parser.add_argument("--mkl", action="store_true", help="mlp_large through MKL, with the bare products beside it")
    parser.add_argument("--threads", type=int, default=1, help="threads of each library's pool (default: 1)")
    parser.add_argument("--rounds", type=int, default=60, help="alternating rounds (default: 60)")
    parser.add_argument("--seconds", type=float, default=0.03, help="length of one round (default: 0.03)")
    parser.add_argument("--save", help="name of the table to write (default: after the options)")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"unknown workloads {sorted(unknown)}; there are {', '.join(WORKLOADS)}")
    return options


def chosen(names: list[str] | None) -> list[Engine]:
    if names:
        return [ENGINES[name] for name in names]
    return [engine for engine in ENGINES.values() if installed(engine)]


def with_mkl() -> list[Engine]:
    peers = [PYTORCH, PYTORCH_PRODUCTS] if installed(PYTORCH) else []
    return [MKL, COMPILED, *peers, NUMPY_PRODUCTS, MKL_PRODUCTS]


def sections(times: Times, workloads: list[str], options: argparse.Namespace) -> list[str]:
    first = next(iter(times.rounds))
    goals = report.MKL_GOALS if options.mkl else report.GOALS
    if options.threads != 1 or not first.startswith("compiled"):
        goals = {}
    medians = report.workload_table(times, workloads, times.median, first, goals)
    fastest = report.workload_table(times, workloads, times.fastest, first, goals)
    versions = "; ".join(f"{title}: {v}" for title, v in times.versions.items())
    of_what = " of processor time" if options.threads == 1 else ""
    how = f"{options.rounds} alternating rounds of {options.seconds * 1e3:.0f} ms"
    return [
        f"One gradient (forward, backward, gradients cleared), microseconds{of_what}. {versions}.",
        f"Medians of {how}:\n\n{medians}",
        f"The fastest round of each, which other processes disturb least:\n\n{fastest}",
    ]


def main() -> None:
    options = arguments()
    workloads = options.workloads or (["mlp_large"] if options.mkl else list(WORKLOADS))
    engines = with_mkl() if options.mkl else chosen(options.engines)
    if options.threads == 1:
        pin()
    times = measure(
        engines, workloads, rounds=options.rounds, seconds=options.seconds, threads=options.threads,
        progress=lambda line: print(line, flush=True),
    )  # fmt: skip
    threads = "1 thread" if options.threads == 1 else f"{options.threads} threads"
    name = "mkl" if options.mkl else "workloads"
    title = "mlp_large and its matrix products" if options.mkl else "Workloads"
    report.write(
        options.save or f"{name}-{threads.replace(' ', '-')}", f"{title}, {threads}",
        sections(times, workloads, options),
    )  # fmt: skip


if __name__ == "__main__":
    main()

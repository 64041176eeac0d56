"""Looks for programs that fail: `make fuzz SEED=0 SECONDS=60`. Prints each one shrunk, as Python to be run by hand.

Both engines, and PyTorch where it is installed, are asked for values and gradients of orders 1 to 3; each engine's
modes are compared with one another and with differences; single precision with double; and programs are abused.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections import Counter
from typing import Any

import numpy as np

from .compare import differs
from .families import generate
from .program import Program, shrink
from .worker import Worker


class Search:
    def __init__(self, log: Any, without: tuple[str, ...] = ()) -> None:
        self.without = without
        self.compiled, self.reference = Worker("compiled", log), Worker("reference", log)
        self.torch = Worker("reference", log) if importlib.util.find_spec("torch") else None
        self.counts: Counter[str] = Counter()

    def failures(self, program: Program, only: str = "") -> dict[str, str]:
        """What is wrong by kind; with `only`, no more is run than that kind needs."""
        wrong: dict[str, str] = {}
        answers = {"compiled": self.compiled.ask("results", program)}
        if not only or only.startswith(("reference", "engines", "torch")):
            answers["reference"] = self.reference.ask("results", program)
        double = program.dtype == "float64"
        if self.torch and double and program.portable and (not only or only.startswith("torch")):
            answers["torch"] = self.torch.ask("torch", program)
        for name, (state, text) in answers.items():
            self.counts[f"{name} {state}"] += not only
            if state in ("error", "died"):
                wrong[f"{name} {state}"] = text
        if all(state == "found" for state, _ in answers.values()):
            mine = answers["compiled"][1]
            if "reference" in answers:
                wrong |= compare("engines", program, mine, answers["reference"][1])
            if "torch" in answers:
                wrong |= compare("torch", program, mine, answers["torch"][1])
        elif "reference" in answers and answers["compiled"][0] != answers["reference"][0]:
            wrong["engines refusal"] = f"{answers['compiled'][0]} and {answers['reference'][0]}"
        if not double and not only.startswith(("engines", "reference")) and answers["compiled"][0] == "found":
            state, other = self.compiled.ask("results", program.in_dtype("float64"), 1)
            if state == "found":
                wrong |= compare("precision", program, answers["compiled"][1], other, 1)
        for name, worker in (("compiled", self.compiled), ("reference", self.reference)):
            if "modes" not in self.without and (not only or only.startswith(f"{name} modes")):
                wrong |= self._modes(name, worker, program)
            if "abuse" not in self.without and (not only or only.startswith(f"{name} abuse")):
                wrong |= self._abuse(name, worker, program)
        return wrong

    def _modes(self, name: str, worker: Worker, program: Program) -> dict[str, str]:
        state, found = worker.ask("modes", program)
        if state == "found":
            return {f"{name} modes {text.split(',')[0].split(':')[0]}": text for text in found}
        return {} if state == "refused" else {f"{name} modes {state}": found}

    def _abuse(self, name: str, worker: Worker, program: Program) -> dict[str, str]:
        state, found = worker.ask("abuse", program)
        if state == "found":
            return {f"{name} abuse {text.split(':')[0]}": text for text in found}
        return {} if state == "refused" else {f"{name} abuse {state}": found}

    def run(self, program: Program, limit: int = 1) -> dict[str, str]:
        """The failures of a program; each kind shrunk and printed, the first times that it is found."""
        wrong = self.failures(program)
        for kind, text in wrong.items():
            self.counts[f"FAILED {kind}"] += 1
            if self.counts[f"FAILED {kind}"] > limit:
                continue
            small = shrink(program, lambda p, kind=kind: kind in self.failures(p, kind))
            text = self.failures(small, kind).get(kind, text)
            trial = f"# mistreated before backward: {text.partition(':')[0]}\n" if " abuse " in kind else ""
            print(f"\n=== seed {program.seed}: {kind}\n{text}\n\n{small.snippet(trial)}", flush=True)
        return wrong


def compare(label: str, program: Program, mine: Any, other: Any, orders: int = 3) -> dict[str, str]:
    wrong = {}
    for name, value in mine.items():
        order = int(name[6]) if name.startswith("order") else 0
        if order > orders:
            continue
        expected = other.get(name)
        if expected is None:
            text = "missing" if np.any(value) else ""
        else:
            text = differs(program, value, expected, label != "precision")
        if not text and label == "engines" and value.dtype != expected.dtype:
            text = f"dtypes {value.dtype} and {expected.dtype}"
        if text:
            wrong[f"{label} {name.split(',')[0] if order else 'values'}"] = f"{name}: {text}"
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--without", nargs="*", default=[], choices=["abuse", "modes"], help="what is left out")
    parser.add_argument("--log", default="/dev/null", help="where the workers' standard error goes")
    options = parser.parse_args()
    failed, seed, end = 0, options.seed, time.monotonic() + options.seconds
    with open(options.log, "a") as log:
        search = Search(log, tuple(options.without))
        while time.monotonic() < end:
            failed += bool(search.run(generate(seed)))
            seed += 1
        for worker in (search.compiled, search.reference, search.torch):
            if worker is not None:
                worker.close()
    print(f"\n{seed - options.seed} programs, {failed} of them failed; the next seed is {seed}")
    for kind, count in sorted(search.counts.items()):
        print(f"  {count:6d} {kind}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

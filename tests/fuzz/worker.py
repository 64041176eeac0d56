"""A process that runs programs on one engine, or on PyTorch: `python -m fuzz.worker`. And the other end of its pipe.

Tasks and answers are pickles. A worker that dies or takes too long is a finding, and is replaced by a new one.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
PATIENCE = 60  # seconds for a program


class Worker:
    """Runs `task(program)` in another process: "results", "modes", "abuse" on an engine, or "torch"."""

    def __init__(self, engine: str, log: Any = subprocess.DEVNULL) -> None:
        self.engine, self.log = engine, log
        self.process: Any = None

    def ask(self, task: str, *arguments: Any) -> tuple[str, Any]:
        """("found", results), ("refused", message), ("error", text) or ("died", how)."""
        if self.process is None:
            self._start()
        try:
            pickle.dump((task, arguments), self.process.stdin)
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                self.close()
                return "died", f"no answer within {PATIENCE} s"
            answer: tuple[str, Any] = pickle.load(self.process.stdout)
            return answer
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            status = self.process.wait()
            self.close()
            return "died", f"status {status}"

    def _start(self) -> None:
        paths = os.pathsep.join([str(TESTS.parent), str(TESTS), str(TESTS / "peers")])
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "fuzz.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, env=os.environ | {"ZEN_BACKEND": self.engine, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process = None


def _answer(task: str, arguments: Any) -> tuple[str, Any]:
    from . import interpret

    try:
        if task == "torch":
            import fuzz_torch

            return "found", fuzz_torch.results(*arguments)
        if task == "abuse":
            from . import abuse

            return "found", abuse.findings(*arguments)
        if task == "modes":
            program, *chosen = arguments
            return "found", interpret.disagreements(program, interpret.results(program), *chosen)
        return "found", interpret.results(*arguments)
    except interpret.Refused as error:
        return "refused", str(error)
    except Exception as error:
        if task == "torch" and any(text in str(error) for text in ("inplace operation", "single memory location")):
            return "refused", str(error)
        return "error", "".join(traceback.format_exception(error, limit=-4))


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a program prints must not get between the answers
    with contextlib.suppress(EOFError):
        while True:
            task, arguments = pickle.load(sys.stdin.buffer)
            pickle.dump(_answer(task, arguments), answers)
            answers.flush()


if __name__ == "__main__":
    main()

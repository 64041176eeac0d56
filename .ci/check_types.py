"""Type-checks the programs of tests/programs_typed as users would, with mypy and with pyright.

The errors must be those that `mistakes.py` announces, with their codes, and no others. `make lint` runs it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

PROGRAMS = Path("tests", "programs_typed")
Found = Counter[tuple[str, int, str]]


def run(tool: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", tool, *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{tool} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def mypy() -> Found:
    paths = sorted(map(str, PROGRAMS.glob("*.py")))
    text = run("mypy", "--config-file=", "--strict", "--no-pretty", *paths)
    return Counter(
        (Path(p).name, int(n), code) for p, n, code in re.findall(r"^(.+?):(\d+): error: .*\[(\S+)\]$", text, re.M)
    )


def pyright() -> Found:
    report = json.loads(run("pyright", "--pythonpath", sys.executable, "--outputjson", str(PROGRAMS)))
    return Counter(
        (Path(e["file"]).name, e["range"]["start"]["line"] + 1, e.get("rule", "?"))
        for e in report["generalDiagnostics"]
        if e["severity"] == "error"
    )


def expected(place: int) -> Found:
    """The errors that the programs announce: mypy's come first, then pyright's."""
    found: Found = Counter()
    for path in sorted(PROGRAMS.glob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if "# wrong: " in line:
                found[path.name, number, line.partition("# wrong: ")[2].split()[place]] += 1
    return found


def main() -> None:
    failed = False
    for place, tool in enumerate((mypy, pyright)):
        found, wanted = tool(), expected(place)
        for what, difference in (("does not see", wanted - found), ("reports", found - wanted)):
            for name, line, code in sorted(difference):
                print(f"{tool.__name__} {what}: {name}:{line} [{code}]")
                failed = True
        print(f"{tool.__name__}: {sum(found.values())} errors, {sum(wanted.values())} expected")
    sys.exit(failed)


main()

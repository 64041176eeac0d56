"""The Pythons of this machine that zen is tested on: a line each, version and executable. `.ci/wheels` calls it.

pyproject.toml says which versions those are. Looked at: the interpreter that runs this, python3.X on the PATH, and what
pyenv has installed, selected or not. What cannot be tested is said on the standard error.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PREFIX = "Programming Language :: Python :: 3."
PROBE = """
import os, sys, sysconfig
import ensurepip, venv
headers = os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
plain = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
print(sys.version_info.minor, int(headers and plain), sys.executable)
"""


def wanted() -> list[str]:
    classifiers = tomllib.loads(Path("pyproject.toml").read_text())["project"]["classifiers"]
    return [c.removeprefix(PREFIX) for c in classifiers if c.startswith(PREFIX)]


def candidates(minors: list[str]) -> Iterator[str]:
    yield sys.executable
    for minor in minors:
        yield from filter(None, [shutil.which(f"python3.{minor}")])
    # pyenv's, where this interpreter is one of pyenv's, and where pyenv puts them by itself, whatever HOME is
    folders = [Path(sys.base_prefix).parent, Path(pwd.getpwuid(os.getuid()).pw_dir, ".pyenv", "versions")]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        folders.append(Path(root, "versions"))
    for folder in folders:
        if folder.name == "versions":
            yield from map(str, sorted(folder.glob("*/bin/python")))


def probe(executable: str) -> tuple[str, str] | None:
    """Version and path of an interpreter that runs, can make environments, and has its C headers."""
    done = subprocess.run([executable, "-c", PROBE], capture_output=True, text=True)
    minor, usable, path = (*done.stdout.strip().split(" ", 2), "", "", "")[:3]
    return (minor, path) if done.returncode == 0 and usable == "1" else None


def main() -> None:
    minors = wanted()
    found: dict[str, str] = {}
    for executable in candidates(minors):
        python = probe(executable)
        if python is not None and python[0] in minors:
            found.setdefault(*python)
    for minor in minors:
        if minor in found:
            print(f"3.{minor}", found[minor])
        else:
            print(f"NOT TESTED: Python 3.{minor} is not on this machine with its C headers", file=sys.stderr)


main()

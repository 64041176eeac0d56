"""What the sdist and the wheels in a directory hold, and how large a wheel is. `.ci/wheels` calls it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

LIMIT = 5_000_000
GENERATED = {
    "zen/_core/_optim_rules.pxi",
    *(f"zen/_core/_kernels_{variant}.pyx" for variant in ("base", "avx2", "avx512")),
}


def check_wheel(path: Path) -> None:
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
    unwanted = [n for n in names if n.endswith((".c", ".pyx", ".pxd", ".pxi")) or not n.startswith(("zen/", "zen_"))]
    if unwanted:
        sys.exit(f"{path.name} holds what it should not: {', '.join(unwanted)}")
    for ending in ("zen/py.typed", "_tensor.pyi", "zen/f.pyi", ".so", "/METADATA", "/licenses/LICENSE"):
        if not any(n.endswith(ending) for n in names):
            sys.exit(f"{path.name} holds nothing that ends with {ending}")
    if path.stat().st_size > LIMIT:
        sys.exit(f"{path.name} has {path.stat().st_size} bytes; the limit is {LIMIT}")
    print(f"{path.name}: {len(names)} files, {path.stat().st_size / 1e6:.2f} MB")


def check_sdist(path: Path) -> None:
    with tarfile.open(path) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    made = {n for n in names if n.endswith((".so", ".pyc")) or (n.startswith("zen/") and n.endswith(".c"))}
    unwanted = sorted(made | (names & GENERATED))
    if unwanted:
        sys.exit(f"{path.name} holds what the build makes: {', '.join(unwanted)}")
    tracked = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    missing = set(filter(None, tracked.split("\0"))) - names
    if missing:
        sys.exit(f"{path.name} lacks what git holds; name it in MANIFEST.in: {', '.join(sorted(missing))}")
    print(f"{path.name}: {len(names)} files")


def main() -> None:
    folder = Path(sys.argv[1])
    [sdist] = folder.glob("*.tar.gz")
    check_sdist(sdist)
    for wheel in sorted(folder.glob("*.whl")):
        check_wheel(wheel)


main()

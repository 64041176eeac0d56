"""Builds the compiled engine. Everything else about the package stands in pyproject.toml.

The one place for compiler directives and flags. ZEN_DEBUG=1 builds with bounds, overflow and None checks;
ZEN_SANITIZE=1 with Cython's of these and gcc's or clang's address and undefined behaviour sanitizers.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

ROOT = Path(__file__).parent
CORE = Path("zen") / "_core"
SANITIZE = os.environ.get("ZEN_SANITIZE", "0") not in ("", "0")
DEBUG = SANITIZE or os.environ.get("ZEN_DEBUG", "0") not in ("", "0")
# The platform that is built for: "universal2" on macOS holds two processors, and gets the plain kernels alone.
X86 = sysconfig.get_platform().endswith(("-x86_64", "-amd64"))
MSVC = sys.platform == "win32" and "GCC" not in sys.version

# No -ffast-math: NaN, infinities and the order of sums keep their meaning. The two -fno flags only tell the compiler
# that nobody reads errno or traps floating-point exceptions, which lets it vectorise sqrt and conditionals;
# contraction stays off so that every instruction set gives the same rounding. -g0: the symbols would treble the wheel.
OPTIMISE = ["-O1", "-g1"] if SANITIZE else ["-O1", "-g"] if DEBUG else ["-O3", "-g0"]
# Debug builds trap on an index outside a C array and on a signed overflow; Cython checks Python's containers and None.
TRAPS = ["-fsanitize=bounds,signed-integer-overflow", "-fsanitize-undefined-trap-on-error"]
CHECKS = TRAPS if DEBUG and not SANITIZE else []  # the sanitizers report what these trap
# Findings in undefined behaviour are reported and the program goes on; the address sanitizer stops it.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"] if SANITIZE else []
# What the linker's tables of symbols add to the wheel, which has to stay below 5 MB.
STRIP = ["-Wl,-s"] if sys.platform == "linux" and not DEBUG else []
COMMON = ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fno-semantic-interposition"]
MSVC_COMMON = ["/Od", "/fp:precise"] if DEBUG else ["/O2", "/fp:precise"]
# In rising order. `zen/_core/_dispatch.pyx` picks one at import; compilers without its macros get the first alone.
VARIANTS = {
    "base": [],
    "avx2": ["-mavx2"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"],
}
# With the sanitizers a set takes minutes, and the source of all is the same.
BUILT = list(VARIANTS)[: 2 if SANITIZE else None] if X86 and not MSVC else ["base"]
KERNELS = [f"_kernels_{v}" for v in BUILT] + [f"_kernels_complex_{v}" for v in BUILT if v != "avx512"]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": False,  # memoryviews are `_views.pxd`'s, which belong to no object
    "nonecheck": DEBUG,
    "cdivision": True,
    "freethreading_compatible": False,
    "show_performance_hints": False,  # of which a build with bounds checks has thousands
}


def variant(module: str) -> str | None:
    """The instruction set that `module` is compiled for, if it is one of the generated kernel modules."""
    return module.rpartition("_")[2] if module.startswith("_kernels_") else None


def extensions() -> list[Extension]:
    """One for each Cython source, those that the build will generate included."""
    modules = {path.stem for path in (ROOT / CORE).glob("*.pyx")} | {*KERNELS}
    macros = [(name, "NPY_2_0_API_VERSION") for name in ("NPY_NO_DEPRECATED_API", "NPY_TARGET_VERSION")]
    if DEBUG:
        macros.append(("ZEN_DEBUG", "1"))
    if len(BUILT) > 1:
        macros.append(("ZEN_VARIANTS", str(len(BUILT))))
    return [
        Extension(f"zen._core.{module}", [str(CORE / f"{module}.pyx")], define_macros=list(macros))
        for module in sorted(modules)
        if variant(module) is None or module in KERNELS
    ]


class BuildExtensions(build_ext):  # type: ignore[misc]
    """Generates and translates the sources only when something is compiled, on all cores."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        import numpy
        from Cython.Build import cythonize

        sys.path.insert(0, str(ROOT / CORE))
        import generate
        import generate_complex
        import generate_rules

        generate.generate(ROOT / "zen")
        generate_complex.generate(ROOT / "zen")
        generate_rules.generate(ROOT / "zen")
        translated = cythonize(
            self.extensions,
            compiler_directives=DIRECTIVES,
            build_dir=str(Path("build") / ("cython-debug" if DEBUG else "cython")),
            nthreads=os.cpu_count() or 1,
            force=bool(self.force) or None,
            quiet=not self.verbose,
        )
        sources = {extension.name: extension.sources for extension in translated}
        for extension in self.extensions:
            extension.sources = sources[extension.name]
            extension.include_dirs.append(numpy.get_include())
        super().run()

    def build_extensions(self) -> None:
        if MSVC:
            common, sets = MSVC_COMMON, {"base": []}
        else:
            common = OPTIMISE + [flag for flag in [*COMMON, *CHECKS] if self.accepts([flag])] + SANITIZERS
            sets = self.instruction_sets()
        for extension in self.extensions:
            name = variant(extension.name.rpartition(".")[2]) or "base"
            extension.extra_compile_args = [*common, *sets[name]]
            extension.extra_link_args = SANITIZERS or STRIP
        super().build_extensions()

    def instruction_sets(self) -> dict[str, list[str]]:
        """The flags of each variant; a set that the compiler does not know is replaced by the one below it."""
        known: dict[str, list[str]] = {}
        best: list[str] = []
        for name in BUILT:
            if self.accepts(VARIANTS[name]):
                best = VARIANTS[name]
            else:
                self.warn(f"the compiler does not accept {' '.join(VARIANTS[name])}: built without")
            known[name] = best
        return known

    def accepts(self, flags: list[str]) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "empty.c")
            source.write_text("int main(void) { return 0; }\n")
            try:
                self.compiler.compile([str(source)], output_dir=folder, extra_postargs=flags)
            except CompileError:
                return False
        return True


def main() -> None:
    options: dict[str, Any] = {"ext_modules": extensions(), "cmdclass": {"build_ext": BuildExtensions}}
    setup(**options)


if __name__ == "__main__":  # the processes that translate in parallel may import this file
    main()

"""Writes docs/coverage.md: what zen makes of every public function of NumPy, the Array API standard and scipy.special.

`make stubs` runs it; commit what it writes. `tests/test_coverage_page.py` compares the page with what it would write,
and fails for a public callable of the installed NumPy that is on no list.

A function that takes arrays is called on Tensors that require a gradient, with the arguments of tests/numpy_calls.py:
what comes back says what it is. The rest, which takes none, stands in the tables below.
"""

from __future__ import annotations

import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import numpy_calls  # noqa: E402

import zen  # noqa: E402
from zen.attached.undifferentiated import KEEPERS, REASONS, WRITERS  # noqa: E402
from zen.ops import register  # noqa: E402

PAGE = ROOT / "docs" / "coverage.md"
LIMIT = 120

DIFFERENTIABLE, CONSTANT, EXACT = "differentiable", "piecewise constant", "whole numbers, truth values or dtypes"
WITHOUT, REFUSED, MISSING = "without gradients", "not differentiable", "missing"
MAKES, TYPES, OTHER = "makes arrays", "types and classes", "not about arrays"
MEANINGS = {
    DIFFERENTIABLE: "has its derivatives, of every order and in both modes.",
    CONSTANT: "has gradients of zero.",
    EXACT: "has a result to which no gradient belongs.",
    REFUSED: "has no derivative, for the reason given; where a gradient is recorded it raises an error that says so.",
    WITHOUT: "runs on Tensors that require no gradient; where one is recorded it raises an error with the remedy.",
    MAKES: "makes arrays of what are no arrays; with NumPy's `like=` a Tensor, where it has that argument.",
    OTHER: "concerns settings, dtypes, files or text.",
    TYPES: "is a class.",
    MISSING: "is not there.",
}

TABLES = {
    MAKES: (
        "arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray bartlett blackman "
        "diag_indices empty eye from_dlpack frombuffer fromfile fromfunction fromiter fromregex fromstring full "
        "genfromtxt hamming hanning identity indices kaiser loadtxt mask_indices ones require tri tril_indices "
        "triu_indices zeros fft.fftfreq fft.rfftfreq"
    ),
    OTHER: (
        "base_repr binary_repr bmat asmatrix broadcast_shapes datetime_data format_float_positional "
        "format_float_scientific frompyfunc get_include get_printoptions getbufsize geterr geterrcall info isdtype "
        "isfortran isscalar issubdtype iterable load mintypecode nested_iters printoptions promote_types "
        "set_printoptions setbufsize seterr seterrcall show_config show_runtime test typename "
        "__array_namespace_info__ info.capabilities info.default_device info.default_dtypes info.devices info.dtypes"
    ),
    TYPES: (
        "__array_namespace_info__ broadcast busdaycalendar chararray dtype errstate finfo flatiter iinfo matrix memmap "
        "ndarray ndenumerate ndindex nditer poly1d recarray record ufunc vectorize linalg.LinAlgError "
        "polynomial.polynomial.Polynomial"
    ),
}
"""Public callables that take no arrays, without the leading `numpy.`."""
KINDS = {name: kind for kind, names in TABLES.items() for name in names.split()}
MODULES = {
    "numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft, "numpy.emath": np.emath,
    "numpy.polynomial.polynomial": np.polynomial.polynomial,
}  # fmt: skip
IN_WEIGHTS = ("bincount", "histogram", "histogram2d", "histogramdd")
"""Functions that count, and are differentiable in their weights."""
NOTES = {
    "numpy.polynomial.polynomial": "Under these names in `zen.polynomial`; NumPy's own functions convert what they are "
    "given to arrays, and raise an error where a gradient is recorded.",
}
OLDER = {"in1d", "row_stack", "trapz"}
"""Older names that NumPy deprecates: plain functions that call the newer ones."""
SHAPE_ALONE = {"zeros_like", "ones_like", "empty_like"}


def public(module: Any) -> list[str]:
    """The names of the callables of a module."""
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sorted({n for n in names if (n[0] != "_" or n[1] == "_") and callable(getattr(module, n, None))})


def kind_of(place: str, name: str) -> str:
    """What a public callable of NumPy is; KeyError for one that nobody knows."""
    function = getattr(MODULES[place], name)
    short = f"{place}.{name}".removeprefix("numpy.")
    if isinstance(function, type) and (issubclass(function, np.generic) or function.__module__ == "numpy.dtypes"):
        return TYPES
    if short in KINDS:
        return KINDS[short]
    if name in REASONS or function in KEEPERS:
        return REFUSED
    if place == "numpy.polynomial.polynomial":
        return DIFFERENTIABLE if hasattr(zen.polynomial, name) else WITHOUT
    if name in SHAPE_ALONE:
        return CONSTANT
    if not (isinstance(function, np.ufunc) or hasattr(function, "_implementation") or name in OLDER):
        raise KeyError(f"numpy.{short} is on no list: add it to TABLES in .ci/coverage_page.py")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return probed(name, function)


def probed(name: str, function: Callable[..., Any]) -> str:
    """What a call of the function on Tensors that require a gradient says."""
    given = numpy_calls.arguments(name, function)
    leaves: list[zen.Tensor] = []

    def leaf(a: np.ndarray) -> Any:
        if a.dtype.kind != "f":
            return a
        leaves.append(zen.tensor(a, requires_grad=True))
        return leaves[-1] * 1.0 if function in WRITERS else leaves[-1]

    if name in IN_WEIGHTS:
        x = zen.tensor(numpy_calls.V, requires_grad=True)
        points = {"bincount": (numpy_calls.N,), "histogramdd": (numpy_calls.V[:, None],)}.get(name, (numpy_calls.V,))
        return called(lambda: function(*points, *points[: name == "histogram2d"], weights=x)[0], [x])
    tensors = numpy_calls.on_tensors(numpy_calls.fresh(given), leaf)
    return called(lambda: (function(*tensors), tensors[0])[function in WRITERS], leaves)


def called(call: Callable[[], Any], leaves: list[zen.Tensor]) -> str:
    try:
        result = call()
    except (TypeError, RuntimeError, ValueError):
        return WITHOUT
    outputs = [t for t in numpy_calls.parts(result) if isinstance(t, zen.Tensor) and t.requires_grad]
    if not outputs:
        return EXACT
    rng = np.random.default_rng(0)
    sum([(t * rng.normal(size=t.shape)).real.sum() for t in outputs]).backward()
    return DIFFERENTIABLE if any(t.grad is not None and np.any(t.gradient) for t in leaves) else CONSTANT


def numpy_kinds() -> Iterator[tuple[str, str, str]]:
    """(module, name, kind) of every public callable of the installed NumPy."""
    for place, module in MODULES.items():
        for name in public(module):
            yield place, name, kind_of(place, name)


def array_api_kinds(known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(name, kind) of every name of the Array API standard: what NumPy's function is, if zen has the name."""
    for line in (ROOT / "tests" / "array_api_2025_12.txt").read_text().splitlines():
        name = line.partition("(")[0].strip()
        if not name or line.startswith(("#", "Tensor")):
            continue
        target: Any = zen
        for part in name.removeprefix("info.").split("."):
            target = getattr(target, part, None)
        if name.startswith("info."):
            info = getattr(zen, "__array_namespace_info__", None)
            target = getattr(info(), name[5:], None) if info else None
        if target is None and name != "newaxis":
            yield name, MISSING
        elif isinstance(target, (type, np.dtype, float)) or target is None:
            yield name, TYPES
        else:
            yield name, known.get(f"numpy.{name}") or known.get(f"numpy.linalg.{name}") or KINDS.get(name, OTHER)


def scipy_kinds() -> Iterator[tuple[str, str]]:
    """(name, kind) of every function of scipy.special, whose names a file keeps: SciPy need not be installed."""
    answers = {key.rpartition(".")[2].lstrip("_") for key in register.ANSWERS.names() if key.startswith("scipy.")}
    own = set(getattr(getattr(zen, "special", None), "__all__", ()))
    for name in (ROOT / "tests" / "scipy_special.txt").read_text().split():
        yield name, DIFFERENTIABLE if name in answers | own else WITHOUT


def listed(kinds: list[tuple[str, str]], reasons: bool = False) -> Iterator[str]:
    """A paragraph for each kind, with its names."""
    for kind in MEANINGS:
        names = [name for name, found in kinds if found == kind]
        if not names:
            continue
        texts = [f"`{n}`" + (f" ({reason(n)})" if reasons and kind == REFUSED else "") for n in names]
        yield f"**{kind}** ({len(names)}):"
        yield _wrapped(", ".join(texts))


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, LIMIT, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def reason(name: str) -> str:
    return REASONS.get(name, "it keeps plain values")


def page() -> str:
    """The content of docs/coverage.md."""
    found = list(numpy_kinds())
    lines = [
        "# Coverage",
        "Written by `make stubs`: do not edit. Names are those of NumPy "
        f"{'.'.join(np.__version__.split('.')[:2])}; `np.f(t)` on a Tensor does what is said here of `f`, and where "
        "`zen.f` has a function of the name, it does the same.",
        "A function that is",
        "\n".join([_wrapped(f"- **{kind}** {text}", "  ") for kind, text in MEANINGS.items() if kind != MISSING]),
    ]
    for place in MODULES:
        lines += [f"## {place}", *([NOTES[place]] if place in NOTES else [])]
        lines += listed([(name, kind) for where, name, kind in found if where == place], True)
    known = {f"{place}.{name}": kind for place, name, kind in found}
    lines += ["## The Array API standard 2025.12", "Under these names in `zen`."]
    lines += [*listed(list(array_api_kinds(known)))]
    lines += [
        "## scipy.special",
        "With SciPy installed, `scipy.special.f(t)` of a Tensor gives a Tensor, but not where f is `log_softmax`, "
        "`logsumexp`, `multigammaln`, `polygamma` or `softmax`, which are no ufuncs: call them as `zen.special.f(t)`.",
        *listed(list(scipy_kinds())),
    ]
    return "\n\n".join([x if "\n" in x else _wrapped(x) for x in lines]) + "\n"


if __name__ == "__main__":
    written_with = re.search(r"NumPy (\d+\.\d+)", PAGE.read_text())[1] if PAGE.exists() else "2.0"  # type: ignore[index]
    if np.lib.NumpyVersion(np.__version__) < f"{written_with}.0":
        print(
            f"docs/coverage.md stays as NumPy {written_with} has it: this is {np.__version__}, and has fewer functions"
        )
    else:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page())

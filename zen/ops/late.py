"""The families of rows. They load when a name of theirs is first used, so that `import zen` stays light.

`late_names.py` says which name stands in which of them; `make stubs` writes it.
"""

from __future__ import annotations

import sys
from typing import Any, TypeVar

FAMILIES = (
    "nesting", "casting", "shape", "pointwise", "logic", "reduction", "factors", "products", "indexing", "views",
    "joining", "running", "rearranging", "selection", "einsum", "linalg", "moments",
    "attention", "convolution", "dropout", "layers", "losses", "nn", "normalisation", "recurrent", "activations",
    "classification", "margins", "normalisation_channels", "pooling", "complex_numbers",
    "real_functions", "nan_functions", "quantiles", "statistics", "histograms",
    "windows", "images", "distances", "searching", "fft", "fft_real",
    "spectra", "eigen", "singular_values", "orthogonal", "least_squares", "tensor_equations",
    "triangular", "matrix_functions",
    "building", "along", "writing", "wide_domains",
    "differences", "interpolation", "signals",
    "editing", "turning", "sets", "polynomials", "polynomial_fits", "power_series_values",
    "resampling", "alignment", "multilabel", "volumes", "unpooling", "sampling_grids", "bags",
    "special_error", "special_gamma", "special_incomplete", "special_student", "special_entropy", "special_bessel",
    "special_boxcox", "special_inverses", "special_polynomials", "special_integrals", "special_probability",
)  # fmt: skip
"""Each behind those that it imports."""

Entry = TypeVar("Entry")
_TABLES: list[Any] = []


class Table(dict[str, Entry]):
    """What the families enter by name. To read a name that is not there yet loads its family.

    What a family enters becomes visible to other threads when all of it is there: until then what it entered may call
    what it has yet to define, or be replaced by it.

    `in`, `get` and iteration see what is loaded; `load_all` loads the rest, and `names` are all names.
    """

    def __init__(self, late: dict[str, str]) -> None:
        self.late = {name: family for family, names in late.items() for name in names.split()}
        self.entering: dict[str, Entry] = {}
        _TABLES.append(self)

    def __setitem__(self, name: str, entry: Entry) -> None:
        if name in self.late:
            self.entering[name] = entry
        else:
            self.enter(name, entry)

    def __missing__(self, name: str) -> Entry:
        load(self.late[name])  # waits for another thread that loads it, and returns at once within the family itself
        found = self.get(name)
        return self.entering[name] if found is None else found

    def enter(self, name: str, entry: Entry) -> None:
        super().__setitem__(name, entry)

    def publish(self) -> None:
        """Enter what families have entered that are there as a whole."""
        for name in [*self.entering]:
            module = sys.modules.get(f"{__package__}.{self.late[name]}")
            entry = self.entering.get(name)
            if entry is not None and module is not None and not getattr(module.__spec__, "_initializing", False):
                self.enter(name, entry)  # first: another thread looks here, then there
                self.entering.pop(name, None)

    def names(self) -> list[str]:
        return sorted({*self, *self.late})


def load(family: str) -> Any:
    """The module of a family, or another one that few calls need."""
    from importlib import import_module  # itself loaded for what is late alone

    module = import_module(f"{__package__}.{family}")
    for table in _TABLES:
        if table.entering:
            table.publish()
    return module


def load_all() -> None:
    """Every family: for whoever wants to see every row or function."""
    for family in FAMILIES:
        load(family)


def loaded() -> list[str]:
    return [family for family in FAMILIES if f"{__package__}.{family}" in sys.modules]

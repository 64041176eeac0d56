"""The families that load when a name of theirs is first used, so that `import zen` stays light.

`late_names.py` says which name stands in which of them; `make stubs` writes it.
"""

from __future__ import annotations

import sys
from typing import Any, TypeVar

FAMILIES = (
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
    "resampling", "alignment", "multilabel", "volumes", "sampling_grids", "bags",
    "special_error", "special_gamma", "special_incomplete", "special_student", "special_entropy", "special_bessel",
    "special_boxcox", "special_inverses",
)  # fmt: skip
"""Each behind those that it imports."""

Entry = TypeVar("Entry")


class Table(dict[str, Entry]):
    """What the families enter by name. To read a name that is not there yet loads its family.

    `in`, `get` and iteration see what is loaded; `load_all` loads the rest, and `names` are all names.
    """

    def __init__(self, late: dict[str, str]) -> None:
        self.late = {name: family for family, names in late.items() for name in names.split()}

    def __missing__(self, name: str) -> Entry:
        load(self.late[name])
        if name not in self:
            raise KeyError(name)
        return self[name]

    def names(self) -> list[str]:
        return sorted({*self, *self.late})


def load(family: str) -> Any:
    """The module of a family, or another one that few calls need."""
    from importlib import import_module  # itself loaded for what is late alone

    return import_module(f"{__package__}.{family}")


def load_all() -> None:
    """Every family: for whoever wants to see every row or function."""
    for family in FAMILIES:
        load(family)


def loaded() -> list[str]:
    return [family for family in FAMILIES if f"{__package__}.{family}" in sys.modules]

"""The operations. Importing this package gives the engine what formulas and operators need.

row.py, elementwise.py and complex_elementwise.py are data for the build as well; register.py keeps the tables; every
other module is a family of rows with its public functions, which loads with its first use (`late.py`). `zen.f` is the
public face.
"""

from typing import TYPE_CHECKING, Any

from ..backend import install
from . import late, register

if TYPE_CHECKING:
    from . import (
        activations,
        along,
        attention,
        building,
        classification,
        convolution,
        data,
        dropout,
        einsum,
        fft,
        fft_real,
        indexing,
        joining,
        layers,
        linalg,
        logic,
        losses,
        margins,
        moments,
        nesting,
        nn,
        normalisation,
        normalisation_channels,
        pointwise,
        pooling,
        products,
        rearranging,
        recurrent,
        reduction,
        running,
        searching,
        selection,
        shape,
        views,
        wide_domains,
        writing,
    )


class _Operators(dict[str, Any]):
    """The rows of the operators; their families load when one is first asked for."""

    _ROWS = {
        "invert": "bitwise_invert", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
        "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
    }  # fmt: skip
    """Those that are not called as their operators are."""

    def __missing__(self, name: str) -> Any:
        found = self[name] = register.ROWS[self._ROWS.get(name, name)]
        return found


install(arrays=register.arrays, tensors=register.tensors, operators=_Operators())

__all__ = [
    "activations",
    "along",
    "attention",
    "building",
    "classification",
    "convolution",
    "data",
    "dropout",
    "einsum",
    "factors",
    "fft",
    "fft_real",
    "indexing",
    "joining",
    "late",
    "layers",
    "linalg",
    "logic",
    "losses",
    "margins",
    "moments",
    "nesting",
    "nn",
    "normalisation",
    "normalisation_channels",
    "pointwise",
    "pooling",
    "products",
    "rearranging",
    "recurrent",
    "reduction",
    "register",
    "running",
    "searching",
    "selection",
    "shape",
    "views",
    "wide_domains",
    "writing",
]

if not TYPE_CHECKING:  # which reads the imports above

    def __getattr__(name: str) -> object:
        try:
            return late.load(name)
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The operations. Importing this package gives the engine what formulas and operators need.

row.py and elementwise.py are data for the build as well; register.py keeps the tables; every other module is a family
of rows with its public functions. Those that `late.py` names load with their first use. `zen.f` is the public face.
"""

from typing import TYPE_CHECKING

from ..backend import install
from . import (
    data,
    indexing,
    late,
    logic,
    nesting,
    pointwise,
    products,
    reduction,
    register,
    shape,
    views,
)

if TYPE_CHECKING:
    from . import (
        activations,
        along,
        attention,
        building,
        classification,
        convolution,
        dropout,
        einsum,
        fft,
        fft_real,
        joining,
        layers,
        linalg,
        losses,
        margins,
        moments,
        nn,
        normalisation,
        normalisation_channels,
        pooling,
        rearranging,
        recurrent,
        running,
        searching,
        selection,
        wide_domains,
        writing,
    )

_OPERATORS = {
    **{
        name: register.ROWS[name]
        for name in (
            "add subtract multiply divide floor_divide remainder power matmul negative positive abs "
            "less less_equal greater greater_equal equal not_equal getitem setitem"
        ).split()
    },
    "invert": register.ROWS["bitwise_invert"],
    "and": register.ROWS["bitwise_and"],
    "or": register.ROWS["bitwise_or"],
    "xor": register.ROWS["bitwise_xor"],
    "lshift": register.ROWS["bitwise_left_shift"],
    "rshift": register.ROWS["bitwise_right_shift"],
}

install(arrays=register.arrays, tensors=register.tensors, operators=_OPERATORS)

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
        if name in late.FAMILIES:
            return late.load(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

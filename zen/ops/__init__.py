"""The operations. Importing this package declares all rows and gives the engine what formulas and operators need.

row.py and elementwise.py are data for the build as well; register.py keeps the tables; every other module is a family
of rows with its public functions. `zen.f` is the public face.
"""

from ..backend import install
from . import (
    activations,
    attention,
    classification,
    convolution,
    data,
    dropout,
    einsum,
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
    pointwise,
    pooling,
    products,
    recurrent,
    reduction,
    register,
    running,
    selection,
    shape,
    views,
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
}

install(arrays=register.arrays, tensors=register.tensors, operators=_OPERATORS)

__all__ = [
    "activations",
    "attention",
    "classification",
    "convolution",
    "data",
    "dropout",
    "einsum",
    "indexing",
    "joining",
    "layers",
    "linalg",
    "logic",
    "losses",
    "margins",
    "moments",
    "nesting",
    "nn",
    "normalisation",
    "pointwise",
    "pooling",
    "products",
    "recurrent",
    "reduction",
    "register",
    "running",
    "selection",
    "shape",
    "views",
]

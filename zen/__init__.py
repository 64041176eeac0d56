"""zen: gradients of ordinary NumPy code, on a compiled core.

The public names, and nothing else. Functions of arrays live in `zen.f`; those that the Array API standard has at top
level, and the commonest of NumPy's, are here as well. What is built on top (`zen.nn`, `zen.optim`, `zen.data`, ...) is
imported when it is first used, so that `import zen` stays light.
"""

from typing import TYPE_CHECKING

# First: further down in the imports of zen the interpreter would take and give back memory for its frames two thousand
# times while NumPy loads, which costs 10 ms.
import numpy as _numpy  # noqa: F401

from . import attached as _attached  # noqa: F401  attaches methods and hooks to Tensor
from . import backend as backend
from . import f as f
from .backend import Tensor as Tensor
from .dtypes import bool_ as bool_
from .dtypes import complex64 as complex64
from .dtypes import complex128 as complex128
from .dtypes import float16 as float16
from .dtypes import float32 as float32
from .dtypes import float64 as float64
from .dtypes import int8 as int8
from .dtypes import int16 as int16
from .dtypes import int32 as int32
from .dtypes import int64 as int64
from .dtypes import uint8 as uint8
from .dtypes import uint16 as uint16
from .dtypes import uint32 as uint32
from .dtypes import uint64 as uint64
from .exports import HOMES as _NAMES
from .exports import placed as _placed
from .exports import shown as _shown

if TYPE_CHECKING:
    from . import compat as compat
    from . import data as data
    from . import fft as fft
    from . import linalg as linalg
    from . import nn as nn
    from . import optim as optim
    from . import optimize as optimize
    from . import polynomial as polynomial
    from . import random as random
    from . import serialize as serialize
    from . import sklearn as sklearn
    from . import special as special
    from . import stats as stats
    from . import testing as testing
    from . import training as training
    from . import visualize as visualize
    from .array_api import Info
    from .array_api import broadcast_shapes as broadcast_shapes
    from .array_api import can_cast as can_cast
    from .array_api import finfo as finfo
    from .array_api import iinfo as iinfo
    from .array_api import isdtype as isdtype
    from .array_api import result_type as result_type
    from .creation import arange as arange
    from .creation import empty as empty
    from .creation import empty_like as empty_like
    from .creation import eye as eye
    from .creation import from_dlpack as from_dlpack
    from .creation import from_numpy as from_numpy
    from .creation import ones as ones
    from .creation import ones_like as ones_like
    from .creation import zeros as zeros
    from .creation import zeros_like as zeros_like
    from .f import abs as abs
    from .f import acos as acos
    from .f import acosh as acosh
    from .f import add as add
    from .f import all as all
    from .f import allclose as allclose
    from .f import angle as angle
    from .f import any as any
    from .f import argmax as argmax
    from .f import argmin as argmin
    from .f import argsort as argsort
    from .f import array_equal as array_equal
    from .f import asin as asin
    from .f import asinh as asinh
    from .f import astype as astype
    from .f import atan as atan
    from .f import atan2 as atan2
    from .f import atanh as atanh
    from .f import atleast_1d as atleast_1d
    from .f import atleast_2d as atleast_2d
    from .f import atleast_3d as atleast_3d
    from .f import bitwise_and as bitwise_and
    from .f import bitwise_invert as bitwise_invert
    from .f import bitwise_left_shift as bitwise_left_shift
    from .f import bitwise_or as bitwise_or
    from .f import bitwise_right_shift as bitwise_right_shift
    from .f import bitwise_xor as bitwise_xor
    from .f import broadcast_arrays as broadcast_arrays
    from .f import broadcast_to as broadcast_to
    from .f import ceil as ceil
    from .f import clip as clip
    from .f import concat as concat
    from .f import conj as conj
    from .f import copysign as copysign
    from .f import cos as cos
    from .f import cosh as cosh
    from .f import count_nonzero as count_nonzero
    from .f import cumprod as cumprod
    from .f import cumsum as cumsum
    from .f import cumulative_prod as cumulative_prod
    from .f import cumulative_sum as cumulative_sum
    from .f import diagonal as diagonal
    from .f import diff as diff
    from .f import divide as divide
    from .f import dot as dot
    from .f import einsum as einsum
    from .f import equal as equal
    from .f import exp as exp
    from .f import exp2 as exp2
    from .f import expand_dims as expand_dims
    from .f import expm1 as expm1
    from .f import flip as flip
    from .f import floor as floor
    from .f import floor_divide as floor_divide
    from .f import greater as greater
    from .f import greater_equal as greater_equal
    from .f import hstack as hstack
    from .f import hypot as hypot
    from .f import imag as imag
    from .f import inner as inner
    from .f import isclose as isclose
    from .f import isfinite as isfinite
    from .f import isin as isin
    from .f import isinf as isinf
    from .f import isnan as isnan
    from .f import less as less
    from .f import less_equal as less_equal
    from .f import log as log
    from .f import log1p as log1p
    from .f import log2 as log2
    from .f import log10 as log10
    from .f import logaddexp as logaddexp
    from .f import logical_and as logical_and
    from .f import logical_not as logical_not
    from .f import logical_or as logical_or
    from .f import logical_xor as logical_xor
    from .f import matmul as matmul
    from .f import matrix_transpose as matrix_transpose
    from .f import max as max
    from .f import maximum as maximum
    from .f import mean as mean
    from .f import meshgrid as meshgrid
    from .f import min as min
    from .f import minimum as minimum
    from .f import moveaxis as moveaxis
    from .f import multiply as multiply
    from .f import negative as negative
    from .f import nextafter as nextafter
    from .f import nonzero as nonzero
    from .f import not_equal as not_equal
    from .f import outer as outer
    from .f import pad as pad
    from .f import permute_dims as permute_dims
    from .f import positive as positive
    from .f import pow as pow
    from .f import power as power
    from .f import prod as prod
    from .f import ravel as ravel
    from .f import real as real
    from .f import reciprocal as reciprocal
    from .f import remainder as remainder
    from .f import repeat as repeat
    from .f import reshape as reshape
    from .f import roll as roll
    from .f import round as round
    from .f import searchsorted as searchsorted
    from .f import sign as sign
    from .f import signbit as signbit
    from .f import sin as sin
    from .f import sinh as sinh
    from .f import sort as sort
    from .f import split as split
    from .f import sqrt as sqrt
    from .f import square as square
    from .f import squeeze as squeeze
    from .f import stack as stack
    from .f import std as std
    from .f import subtract as subtract
    from .f import sum as sum
    from .f import swapaxes as swapaxes
    from .f import take as take
    from .f import take_along_axis as take_along_axis
    from .f import tan as tan
    from .f import tanh as tanh
    from .f import tensordot as tensordot
    from .f import tile as tile
    from .f import trace as trace
    from .f import transpose as transpose
    from .f import tril as tril
    from .f import triu as triu
    from .f import trunc as trunc
    from .f import unique_all as unique_all
    from .f import unique_counts as unique_counts
    from .f import unique_inverse as unique_inverse
    from .f import unique_values as unique_values
    from .f import unstack as unstack
    from .f import var as var
    from .f import vdot as vdot
    from .f import vecdot as vecdot
    from .f import vstack as vstack
    from .f import where as where
    from .modes import enable_grad as enable_grad
    from .modes import is_grad_enabled as is_grad_enabled
    from .modes import no_grad as no_grad
    from .modes import set_grad_enabled as set_grad_enabled
    from .ops.along import vectorize as vectorize
    from .ops.data import array as array
    from .ops.data import asarray as asarray
    from .ops.data import full as full
    from .ops.data import full_like as full_like
    from .ops.data import linspace as linspace
    from .ops.data import tensor as tensor
    from .ops.indexed_joining import c_ as c_
    from .ops.indexed_joining import r_ as r_
    from .program.compiled import compile as compile
    from .serialize import load as load
    from .serialize import save as save
    from .training import fit as fit
    from .transforms import custom_vjp as custom_vjp
    from .transforms import grad as grad
    from .transforms import gradients as gradients
    from .transforms import jvp as jvp
    from .transforms import value_and_grad as value_and_grad
    from .transforms import vjp as vjp
    from .transforms.checkpointing import checkpoint as checkpoint
    from .transforms.checkpointing import stop_gradient as stop_gradient
    from .transforms.custom_forward import custom_jvp as custom_jvp
    from .transforms.hessians import hessian as hessian
    from .transforms.hessians import hessian_diag as hessian_diag
    from .transforms.hessians import hvp as hvp
    from .transforms.hessians import value_and_hessian as value_and_hessian
    from .transforms.implicit.solutions import fixed_point as fixed_point
    from .transforms.implicit.solutions import implicit_argmin as implicit_argmin
    from .transforms.implicit.solutions import implicit_root as implicit_root
    from .transforms.jacobians import jacfwd as jacfwd
    from .transforms.jacobians import jacobian as jacobian
    from .transforms.jacobians import jacrev as jacrev
    from .transforms.jacobians import value_and_jacobian as value_and_jacobian
    from .transforms.linear import linearize as linearize
    from .transforms.mapping import vmap as vmap
    from .transforms.odes.odeint import odeint as odeint
    from .transforms.odes.results import ODEResult as ODEResult
    from .transforms.raveling import ravel_tree as ravel_tree
    from .transforms.sparse.derivatives import sparse_hessian as sparse_hessian
    from .transforms.sparse.derivatives import sparse_jacobian as sparse_jacobian
    from .transforms.sparse.derivatives import value_and_sparse_hessian as value_and_sparse_hessian
    from .transforms.sparse.derivatives import value_and_sparse_jacobian as value_and_sparse_jacobian
    from .transforms.sparse.sparsity import Coloring as Coloring
    from .transforms.sparse.sparsity import Sparsity as Sparsity

bool = bool_  # the name in the Array API standard
newaxis = None
e, pi, inf, nan = 2.718281828459045, 3.141592653589793, float("inf"), float("nan")

__version__ = "0.1.0"
__array_api_version__ = "2025.12"

_MODULES = (
    "compat", "data", "fft", "linalg", "nn", "optim", "optimize", "polynomial", "random", "serialize", "sklearn",
    "special", "stats", "testing", "training", "visualize",
)  # fmt: skip
_OTHERS = ("conversion", "creation", "habits", "modes", "program", "transforms", "trees", "writes")
"""Modules of zen's own that are not shown."""
_HOMES = {
    "array_api": "broadcast_shapes can_cast finfo iinfo isdtype result_type",
    "creation": "arange empty empty_like eye from_dlpack from_numpy ones ones_like zeros zeros_like",
    "f": (
        "abs acos acosh add all allclose angle any argmax argmin argsort array_equal asin asinh astype atan atan2 "
        "atanh atleast_1d atleast_2d atleast_3d bitwise_and bitwise_invert bitwise_left_shift bitwise_or "
        "bitwise_right_shift bitwise_xor broadcast_arrays broadcast_to ceil clip concat conj copysign cos cosh "
        "count_nonzero cumprod cumsum cumulative_prod cumulative_sum diagonal diff divide dot einsum equal exp exp2 "
        "expand_dims expm1 flip floor floor_divide greater greater_equal hstack hypot imag inner isclose isfinite "
        "isin isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or "
        "logical_xor matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply negative "
        "nextafter nonzero not_equal outer pad permute_dims positive pow power prod ravel real reciprocal remainder "
        "repeat reshape roll round searchsorted sign signbit sin sinh sort split sqrt square squeeze stack std "
        "subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose tril triu trunc "
        "unique_all unique_counts unique_inverse unique_values unstack var vdot vecdot vstack where"
    ),
    "modes": "enable_grad is_grad_enabled no_grad set_grad_enabled",
    "ops.along": "vectorize",
    "ops.data": "array asarray full full_like linspace tensor",
    "ops.indexed_joining": "c_ r_",
    "program.compiled": "compile",
    "serialize": "load save",
    "training": "fit",
    "transforms": "custom_vjp grad gradients jvp value_and_grad vjp",
    "transforms.checkpointing": "checkpoint stop_gradient",
    "transforms.custom_forward": "custom_jvp",
    "transforms.hessians": "hessian hessian_diag hvp value_and_hessian",
    "transforms.implicit.solutions": "fixed_point implicit_argmin implicit_root",
    "transforms.jacobians": "jacfwd jacobian jacrev value_and_jacobian",
    "transforms.linear": "linearize",
    "transforms.mapping": "vmap",
    "transforms.odes.results": "ODEResult",
    "transforms.odes.odeint": "odeint",
    "transforms.raveling": "ravel_tree",
    "transforms.sparse.derivatives": (
        "sparse_hessian sparse_jacobian value_and_sparse_hessian value_and_sparse_jacobian"
    ),
    "transforms.sparse.sparsity": "Coloring Sparsity",
}
"""What is imported when it is first used, by the module where it stands."""
_FROM = {_name: _home for _home, _names in _HOMES.items() for _name in _names.split()}


def __array_namespace_info__() -> "Info":  # noqa: N807  the standard's name
    """What the library can do, as the Array API standard asks: capabilities, devices and dtypes."""
    from .array_api import Info

    return Info()


if not TYPE_CHECKING:  # which reads the imports above, and knows of no other names
    # zen.sklearn needs a library of its own, and would take the place of that one's name.
    __all__, __dir__ = _shown(globals(), {"backend", "f", *_MODULES, *_FROM} - {"sklearn"})
    _NAMES["zen"] = __all__
    _SHOWN = {"zen.f", *[f"zen.{_name}" for _name in _MODULES]}

    def __getattr__(name: str) -> object:
        home = _FROM.get(name)
        if home is None and name not in _MODULES and name not in _OTHERS:
            from .habits import FUNCTIONS, elsewhere, missing

            raise missing("zen", name, globals()["__all__"], {**elsewhere(name), **FUNCTIONS})
        from importlib import import_module

        module = import_module(f"{__name__}.{home or name}")
        found = globals()[name] = _placed(getattr(module, name), "zen", _SHOWN) if home else module
        return found

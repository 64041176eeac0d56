"""Calls of every public function of numpy, numpy.linalg, numpy.fft and numpy.emath that takes arrays.

The arguments are found by trying: the first of some plausible ones that NumPy takes, unless CALLS has them.
"""

import warnings

import numpy as np
import pytest

X = np.array([[0.6, 1.25, 2.2], [1.7, 0.25, 0.75], [1.1, 0.3, 1.75]])
Y = np.array([[0.35, 0.45, 0.52], [0.7, 0.15, 0.4], [0.25, 0.65, 0.8]])
V = np.array([0.6, 1.25, 2.2])
N = np.array([2, 0, 1])
CANDIDATES = [(X,), (X, Y), (X, V), (V,), (V, V), (N,), (N, N), ([X, Y],), (X, 1), (X, 1, 0), (V, N), (X, X, Y)]
CALLS = {
    "apply_along_axis": (np.sum, 0, X), "apply_over_axes": (np.sum, X, [0]), "array2string": (X,), "astype": (X, "f8"),
    "bincount": (N,), "block": ([[X, X]],), "broadcast_to": (X, (2, 3, 3)), "can_cast": (X, "f8"),
    "choose": (N, [V, V, V]), "compress": ([True, False], V), "copyto": (X.copy(), X), "cross": (V, V),
    "delete": (X, 0, 0), "digitize": (V, V), "dsplit": (X[None], 3), "einsum": ("ij,kj->ik", X, X),
    "einsum_path": ("ij,jk", X, X), "expand_dims": (X, 0), "extract": (X > 1, X), "fill_diagonal": (X.copy(), 0.0),
    "geomspace": (V, V), "histogram": (V, 3), "histogram2d": (V, V, 3), "histogramdd": (X, 3), "insert": (X, 0, 1.0, 0),
    "intersect1d": (V, [1.25, 2.2, 9.0]), "setdiff1d": (V, V[:2] + 0.1), "setxor1d": (V, V + 0.1),
    "union1d": (V, V + 0.1), "polydiv": (X[0], Y[0, :2]), "interp": (np.array([0.7, 1.5]), V, V), "is_busday": None,
    "busday_count": None, "busday_offset": None, "datetime_as_string": None,
    "isnat": None, "ix_": (N, N), "linspace": (V, V + 1), "logspace": (V, V + 1), "matvec": (X, V), "vecmat": (V, X),
    "matrix_power": (X, 2), "moveaxis": (X, 0, 1), "multi_dot": ([X, X],), "packbits": (N > 0,), "pad": (X, 1),
    "percentile": (V, 30), "nanpercentile": (V, 30), "quantile": (V, 0.3), "nanquantile": (V, 0.3),
    "piecewise": (V, [V > 1], [1.0, 2.0]), "place": (X.copy(), X > 1, V), "put": (X.copy(), N, V),
    "put_along_axis": (X.copy(), X.argsort(1), X, 1), "putmask": (X.copy(), X > 1, V), "polyfit": (V, V, 1),
    "ravel_multi_index": ((N, N), (3, 3)), "reshape": (X, (9,)), "resize": (X, (2, 2)), "rollaxis": (X, 1),
    "rot90": (X,), "save": None, "savez": None, "savez_compressed": None, "savetxt": None, "select": ([X > 1], [X]),
    "solve": (X, V), "split": (X, 3), "array_split": (X, 2), "hsplit": (X, 3), "vsplit": (X, 3), "swapaxes": (X, 0, 1),
    "take_along_axis": (X, X.argsort(1), 1), "take": (X, N), "tensorsolve": (X, V), "tensorinv": (X.reshape(3, 3), 1),
    "unpackbits": (N.astype("u1"),), "unravel_index": (N, (3, 3)), "where": (X > 1, X, X), "shape": (X,),
    "vecdot": (X, X), "diag_indices_from": (X,), "ldexp": (V, N), "cholesky": (X @ X.T + np.eye(3),),
    "irfft": (V,), "lexsort": ((V, V),), "tensordot": (X, X), "may_share_memory": (X, X), "partition": (V, 1),
    "argpartition": (V, 1), "trim_zeros": (V,), "searchsorted": (V, V), "repeat": (X, 2), "tile": (X, 2),
    "average": (X,), "cond": (X,), "roll": (X, 1), "histogram_bin_edges": (V,), "std": (X, 0), "var": (X, 0),
    "mean": (X, 0), "arccosh": (X + 1,), "acosh": (X + 1,), "nextafter": (V, V + 1), "arctanh": (V / 3,),
    "atanh": (V / 3,), "arcsin": (V / 3,), "asin": (V / 3,), "arccos": (V / 3,), "acos": (V / 3,),
    "squeeze": (X[None],), "roots": (np.array([1.0, -3.0, 2.0]),), "frexp": (V,), "clip": (X, 0.5, 1.5),
}  # fmt: skip


def functions():
    modules = (np, "numpy"), (np.linalg, "numpy.linalg"), (np.fft, "numpy.fft"), (np.emath, "numpy.emath")
    for module, prefix in modules:
        for name in sorted(getattr(module, "__all__", dir(module))):
            function = getattr(module, name, None)
            if isinstance(function, np.ufunc) or hasattr(function, "_implementation"):
                yield pytest.param(name, function, id=f"{prefix}.{name}")


def arguments(name, function):
    """Arguments that NumPy takes, or None for functions of dates and files."""
    if name in CALLS:
        return CALLS[name]
    for given in CANDIDATES:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # NumPy's own of what it will drop, such as in1d
                function(*given)
        except (TypeError, ValueError, IndexError, AttributeError, np.exceptions.AxisError):
            continue
        return given
    raise AssertionError(f"{name}: give arguments for it in CALLS")


def on_tensors(given, make):
    if isinstance(given, np.ndarray):
        return make(given)
    if isinstance(given, (list, tuple)):
        return type(given)(on_tensors(part, make) for part in given)
    return given


def parts(result):
    """The leaves of a result, in order."""
    if isinstance(result, (list, tuple)):
        return [leaf for part in result for leaf in parts(part)]
    return [result]


def fresh(given):
    return on_tensors(given, np.copy)

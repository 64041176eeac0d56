"""Every public function of NumPy that takes arrays, on Tensors of every dtype and on 0-d and empty ones:
the values, shapes and dtypes of NumPy, and no result where NumPy has none.

The calls are those of tests/numpy_calls.py.
"""

import inspect

import numpy as np
import pytest
from numpy_calls import arguments, fresh, functions, on_tensors, parts

import zen

DTYPES = [np.dtype(c) for c in "?bBhiLlefFD"]
UNSET = {"empty_like", "shares_memory", "may_share_memory"}
"""Functions whose result is not a matter of values."""
if np.lib.NumpyVersion(np.__version__) < "2.2.0":
    UNSET.add("trim_zeros")  # which was for vectors alone
WIDER = {"correlate", "fftshift", "ifftshift", "tensorinv"}
"""Functions with a result where NumPy's implementation stumbles over single numbers."""
UNORDERED = {"unique_values"}
TOLERANCE = {"e": 5e-3, "f": 2e-5, "F": 2e-5, "d": 1e-11, "D": 1e-11}


def outcome(function, given):
    """The results of a call, or the error."""
    try:
        with np.errstate(all="ignore"):
            return function(*given)
    except Exception as error:
        return error


def agree(name, found, wanted):
    """That both are errors, or results that compare."""
    if isinstance(wanted, Exception):
        assert isinstance(found, Exception) or name in WIDER, (found, wanted)
        return
    assert not isinstance(found, Exception), (found, wanted)
    if name in UNORDERED:
        found, wanted = zen.sort(found), np.sort(wanted)
    compare(parts(found), parts(wanted))


def compare(found, wanted):
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        if isinstance(a, zen.Tensor):
            a = a.numpy()
            assert (a.dtype, a.shape) == (np.asarray(b).dtype, np.shape(b))
        else:
            assert type(a) is type(b) or (type(a) is int and isinstance(b, np.integer))
        kind = np.asarray(b).dtype.char
        if kind in TOLERANCE:
            np.testing.assert_allclose(a, b, rtol=TOLERANCE[kind], atol=TOLERANCE[kind])
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), list(functions()))
def test_values_shapes_and_dtypes_are_numpys(name, function):
    given = arguments(name, function)
    if given is None or name in UNSET:
        return
    for dtype in DTYPES:
        arrays = on_tensors(given, lambda a, dtype=dtype: a.astype(dtype) if a.dtype.kind == "f" else a)
        wanted = outcome(function, fresh(arrays))
        found = outcome(function, on_tensors(fresh(arrays), zen.tensor))
        agree(name, found, wanted)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), list(functions()))
@pytest.mark.parametrize("shape", [(), (0,), (0, 3)], ids=str)
def test_single_numbers_and_nothing_as_in_numpy(name, function, shape):
    given = arguments(name, function)
    if given is None or name in UNSET:
        return
    arrays = on_tensors(given, lambda a: np.full(shape, 0.6) if a.dtype.kind == "f" else a)
    wanted = outcome(function, fresh(arrays))
    found = outcome(function, on_tensors(fresh(arrays), zen.tensor))
    agree(name, found, wanted)


def by_name(function, given):
    """Calls with the last, the last two, ... of these arguments by NumPy's names, where it takes them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if isinstance(function, np.ufunc) or len(names) < len(given):
        return
    for count in range(len(given)):
        keywords = names[count : len(given)]

        def call(arguments, count=count, keywords=keywords):
            return function(*arguments[:count], **dict(zip(keywords, arguments[count:], strict=True)))

        wanted = outcome(call, (fresh(given),))
        if not isinstance(wanted, Exception):
            yield call, wanted


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), list(functions()))
def test_arguments_by_the_names_that_numpy_gives_them(name, function):
    given = arguments(name, function)
    if given is None or name in UNSET:
        return
    leaves = on_tensors(fresh(given), lambda a: zen.tensor(a, requires_grad=a.dtype.kind == "f"))
    differentiated = not isinstance(outcome(function, leaves), Exception)
    for call, wanted in by_name(function, given):
        compare(parts(call(on_tensors(fresh(given), zen.tensor))), parts(wanted))
        found = outcome(call, (leaves,))
        assert not (differentiated and isinstance(found, Exception)), found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), list(functions()))
def test_defaults_by_position_change_nothing(name, function):
    """`np.sum(t, None, None, None, False)`: each further argument by position, with the value that NumPy gives it."""
    given = arguments(name, function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return
    if given is None or isinstance(function, np.ufunc) or name in {"corrcoef", "diff", "fix"} | UNSET:
        return
    rest = []
    for p in parameters[len(given) :]:
        if p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) or p.default is p.empty:
            return
        rest.append(p.default)
        wanted = outcome(function, (*fresh(given), *rest))
        if isinstance(wanted, Exception):
            return
        compare(parts(function(*on_tensors(fresh(given), zen.tensor), *rest)), parts(wanted))
        leaves = on_tensors(given, lambda a: zen.tensor(a, requires_grad=True) * 1.0 if a.dtype.kind == "f" else a)
        if not isinstance(outcome(function, leaves), Exception):
            found = outcome(function, (*leaves, *rest))
            assert not isinstance(found, Exception), found

"""A call of NumPy on Tensors beside the same call on arrays: values, dtypes, shapes, warnings, derivatives."""

import warnings

import numpy as np

import zen
from zen.ops import late
from zen.testing import check_gradients

late.load_all()


def numpy_is(version):
    """Whether NumPy is of this version or a later one: some of its functions were wrong before."""
    return np.lib.NumpyVersion(np.__version__) >= version


def tensors(x):
    """Arrays, in lists and tuples as well, as Tensors that require a gradient where they can."""
    if isinstance(x, np.ndarray):
        return zen.tensor(x, requires_grad=x.dtype.kind in "fc")
    return type(x)(tensors(part) for part in x) if isinstance(x, (list, tuple)) else x


def warned(call, *args):
    """The result, and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(*args)
    return result, {(w.category, str(w.message)) for w in caught}


def same(found, expected, rtol=1e-12):
    """Whether a result on Tensors is that of NumPy: container, dtype, shape, values."""
    if isinstance(expected, (tuple, list)):
        assert isinstance(found, (tuple, list)) and len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            same(f, e, rtol)
        return
    assert isinstance(found, zen.Tensor), type(found)
    expected = np.asarray(expected)
    assert found.dtype == expected.dtype, f"dtype {found.dtype}, NumPy's is {expected.dtype}"
    assert found.shape == expected.shape, f"shape {found.shape}, NumPy's is {expected.shape}"
    if expected.dtype.kind in "fc":
        rtol = max(rtol, {2: 4e-3, 4: 2e-6}.get(expected.dtype.itemsize, 0.0))
        np.testing.assert_allclose(found.array, expected, rtol=rtol, atol=rtol)
    else:
        np.testing.assert_array_equal(found.array, expected)


def same_as_numpy(call, *args, rtol=1e-12, warnings_too=True):
    """Compare `call` on Tensors, which require gradients, with `call` on the arrays themselves."""
    expected, theirs = warned(call, *args)
    found, ours = warned(call, *tensors(list(args)))
    same(found, expected, rtol)
    if warnings_too:
        assert ours == theirs
    with zen.no_grad():
        same(call(*tensors(list(args))) if not theirs else warned(call, *tensors(list(args)))[0], expected, rtol)


def same_error(call, *args, kind=Exception):
    """Both raise, and zen's error is of NumPy's type or a subclass of it."""
    try:
        call(*args)
    except kind as error:
        wanted = type(error)
    else:
        raise AssertionError("NumPy raises nothing here")
    try:
        call(*tensors(list(args)))
    except wanted:
        return
    raise AssertionError(f"NumPy raises {wanted.__name__} here, zen nothing")


def smooth(call, *args, order=2, **options):
    """Compare the derivatives of `call` in its floating arguments with numerical ones, in both modes."""

    def made(*values):
        found = call(*values)
        parts = found if isinstance(found, (tuple, list)) else [found]
        return [p for p in parts if isinstance(p, zen.Tensor) and p.dtype.kind in "fc"]

    check_gradients(made, args, order, **{"rtol": 2e-6, "atol": 2e-6, **options})


def smooth_complex(call, *args, **options):
    """The same for complex arguments: in their real and imaginary parts, of those of the results."""

    def made(*parts):
        found = call(*[a + b * 1j for a, b in zip(parts[::2], parts[1::2], strict=True)])
        found = found if isinstance(found, (tuple, list)) else [found]
        return [p for y in found for p in ((y.real, y.imag) if y.dtype.kind == "c" else (y,))]

    parts = [part for z in args for part in (np.real(z), np.imag(z))]
    smooth(made, *parts, **{"forward": False, **options})

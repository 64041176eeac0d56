"""The dtype of every result is NumPy's, for all pairs of dtypes, and so is the kind of refusal.

Each form is evaluated three times: by NumPy on arrays, by NumPy on Tensors, and by zen's own function on Tensors.
"""

import operator
from functools import partial

import numpy as np
import pytest

import zen
from zen import f
from zen.ops import late
from zen.ops.register import FUNCTIONS, NUMPY_FUNCTIONS

late.load_all()

DTYPES = [np.dtype(c) for c in "?bhiqBHIQefd"]
SCALARS = [True, 3, -1, 300, 70000, 2**40, 2**70, 2.5]
SCALARS += [np.bool_(True), np.int8(1), np.uint8(1), np.int64(2), np.float16(1), np.float32(2), np.float64(2)]
OLD = np.lib.NumpyVersion(np.__version__) < "2.2.0"
UFUNCS = {k.__name__: (k, v) for k, v in NUMPY_FUNCTIONS.items() if isinstance(k, np.ufunc) and k.signature is None}

ONE = """
sum(x)|sum(x, axis=0)|sum(x, dtype=np.float32)|sum(x, dtype=np.int8)|sum(x, dtype=bool)|prod(x)|prod(x, axis=1)
prod(x, dtype=np.uint8)|max(x)|min(x, axis=0)|mean(x)|mean(x, axis=0)|mean(x, dtype=np.float32)|mean(x, dtype=np.int16)
std(x)|var(x, axis=1)|any(x)|all(x, axis=0)|argmax(x)|argmin(x, axis=0)|count_nonzero(x, axis=0)
cumsum(x)|cumsum(x, axis=0)|cumsum(x, axis=0, dtype=np.float32)|cumsum(x, dtype=np.int8)|cumprod(x, axis=0)
cumulative_sum(x, axis=0)|cumulative_sum(x, axis=1, include_initial=True)|cumulative_prod(x, axis=0)
cumulative_prod(x, axis=0, include_initial=True)|cumulative_prod(x, axis=0, dtype=np.float32)
sort(x)|argsort(x)|triu(x)|tril(x, 1)|trace(x)|diagonal(x)|flip(x)|roll(x, 1)|tile(x, 2)|repeat(x, 2)
pad(x, 1)|pad(x, 1, mode='edge')|pad(x, 1, constant_values=2)|round(x)|round(x, 1)|round(x, -1)
clip(x, 0, 1)|clip(x, 0.5, 1.5)|clip(x, 0, None)|clip(x, None, 1.5)|clip(x, True, True)
linalg.norm(x)|linalg.norm(x, 1)|linalg.norm(x, 'fro')|linalg.norm(x[0], np.inf)|linalg.norm(x[0], 3)
linalg.vector_norm(x)|linalg.matrix_norm(x)|linalg.matrix_norm(x, ord=1)|linalg.matrix_norm(x, ord=-np.inf)
linalg.inv(y)|linalg.det(x)|linalg.slogdet(x)|linalg.cholesky(y)|linalg.matrix_power(x, 3)
linalg.matrix_power(x, 0)|linalg.matrix_power(y, -1)|linalg.trace(x)|linalg.diagonal(x)|linalg.matrix_transpose(x)
take(x, [0, 1])|squeeze(x)|copy(x)|reshape(x, (4,))|transpose(x)|ravel(x)|einsum('ij->i', x)|split(x, 2)|unstack(x)
stack([x, x])|zeros_like(x)|ones_like(x)|full_like(x, 1)|full_like(x, 1.5)|astype(x, np.float32)|isclose(x, x)
atleast_1d(x)|atleast_2d(x)|atleast_3d(x, x)|broadcast_to(x, (3, 2, 2))|where(x, 1, 0)|where(x, 1.5, 0)
take_along_axis(x, x.astype(int), axis=1)|moveaxis(x, 0, 1)|swapaxes(x, 0, 1)|expand_dims(x, 0)
"""
TWO = """
matmul(x, y)|matmul(x[0], y[0])|dot(x, y)|dot(x[0], y[0])|dot(x[0, 0], y)|inner(x, y)|outer(x, y)|vdot(x, y)
vecdot(x, y)|tensordot(x, y, 1)|einsum('ij,jk->ik', x, y)|einsum('ij,ij->ij', x, y)|concat([x, y])|stack([x, y])
hstack([x, y])|vstack([x, y])|where(x > 0, x, y)|where(x > 0, y, x)|clip(x, y, y)|clip(x, y, None)|isclose(x, y)
linalg.solve(x + 2 * np.eye(2, dtype=x.dtype), y)|linalg.outer(x[0], y[0])|linalg.vecdot(x, y)|broadcast_arrays(x, y)
"""
OPERATORS = {
    name: getattr(operator, name)
    for name in (
        "add sub mul truediv floordiv mod pow and_ or_ xor lt le eq ne matmul "
        "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor imatmul"
    ).split()
}


def parts(text):
    return [form for line in text.strip().splitlines() for form in line.split("|")]


class OwnFunctions:
    """`xp` for zen: what is not in `zen.f` stands at top level, as creation does."""

    linalg = zen.linalg

    def __getattr__(self, name):
        return getattr(f, name) if name in FUNCTIONS else getattr(zen, name)


def outcome(call):
    """The dtypes of the result, or the kind of error."""
    try:
        with np.errstate(all="ignore"):
            found = call()
    except (TypeError, ValueError, OverflowError) as error:
        kinds = (OverflowError, TypeError, ValueError)
        return next(kind for kind in kinds if isinstance(error, kind))
    found = found if isinstance(found, (tuple, list)) else [found]
    return [(part.dtype, part.shape) for part in found]


def compare(form, arrays, refused=()):
    """`form` is a string over xp and x, y, or a function of arrays."""
    tensors = {name: zen.tensor(a) if isinstance(a, np.ndarray) else a for name, a in arrays.items()}
    arrays = {name: a.copy() if isinstance(a, np.ndarray) else a for name, a in arrays.items()}
    what = [str(getattr(a, "dtype", repr(a))) for a in arrays.values()]
    if callable(form):
        theirs = outcome(lambda: form(*arrays.values()))
        mine = [outcome(lambda: form(*tensors.values()))]
    else:
        text = f"xp.{form}"
        theirs = outcome(lambda: eval(text, {"xp": np, "np": np, **arrays}))
        mine = [outcome(partial(eval, text, {"xp": xp, "np": np, **tensors})) for xp in (np, OwnFunctions())]
    for found in mine:
        assert found == theirs or found in refused, f"{form} of {' and '.join(what)}: {found}, in NumPy {theirs}"


def known(form):
    """Whether this NumPy has the function: some came with 2.1."""
    name = form.partition("(")[0].split(".")
    return hasattr(np.linalg if len(name) == 2 else np, name[-1])


@pytest.mark.parametrize("form", [form for form in parts(ONE) if known(form)])
def test_functions_of_one_array(form):
    for dtype in DTYPES:
        x = np.ones((2, 2), dtype)
        compare(form, {"x": x, "y": x + 2 * np.eye(2, dtype=dtype)})


@pytest.mark.parametrize("form", [form for form in parts(TWO) if known(form)])
def test_functions_of_two_arrays(form):
    for a in DTYPES:
        for b in DTYPES:
            compare(form, {"x": np.ones((2, 2), a), "y": np.ones((2, 2), b)})


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("shape", [(2, 2), ()])
def test_ufuncs(name, shape):
    numpy, own = UFUNCS[name]

    def same(*arrays):
        tensors = [zen.tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]
        theirs = outcome(lambda: numpy(*arrays))
        if OLD and name == "power" and np.ndim(arrays[1]) == 0:
            return  # zen's is NumPy's operator on arrays, which had results of its own there: bool ** 2 in int8
        for function in (numpy, own):
            found = outcome(partial(function, *tensors))
            assert found == theirs, f"{name} of {[getattr(a, 'dtype', a) for a in arrays]}: {found}, in NumPy {theirs}"

    for a in DTYPES:
        x = np.ones(shape, a)
        if numpy.nin == 1:
            same(x)
            continue
        for b in DTYPES:
            same(x, np.ones((2, 2), b))
            same(x, np.ones((), b))
        for scalar in SCALARS:
            same(x, scalar)
            same(scalar, x)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    for a in DTYPES:
        for b in DTYPES:
            compare(OPERATORS[name], {"x": np.ones((2, 2), a), "y": np.ones((2, 2), b)})


@pytest.mark.parametrize("name", [name for name in OPERATORS if "matmul" not in name])
def test_operators_with_scalars_out_of_range_too(name):
    # a bool to a negative power: NumPy does not find a loop, zen's error is about the exponent
    refused = [ValueError] if name == "ipow" else []
    if OLD and name == "ipow":
        refused.append(TypeError)  # it wrote some powers of floats into integers
    for a in DTYPES:
        for scalar in SCALARS:
            compare(OPERATORS[name], {"x": np.ones((2, 2), a), "y": scalar}, refused)
            if name[0] != "i":
                compare(lambda x, y: OPERATORS[name](y, x), {"x": np.ones((2, 2), a), "y": scalar})


@pytest.mark.parametrize("form", ["where(x > 0, x, y)", "where(x > 0, y, x)", "clip(x, y, y)", "full_like(x, y)"])
def test_functions_with_scalars_out_of_range_too(form):
    for a in DTYPES:
        for scalar in SCALARS:
            if a.kind != "b" or not isinstance(scalar, int) or scalar < 2**64:  # NumPy refuses a bool that large
                refused = [OverflowError] if OLD and "full" in form else []  # it wrapped with a warning
                compare(form, {"x": np.ones((2, 2), a), "y": scalar}, refused)


@pytest.mark.parametrize(("low", "high"), [(-1, None), (None, 300), (-1, 300), (-(2**70), 2**70), (0, 300)])
def test_limits_that_no_value_passes_are_none(low, high):
    x = zen.tensor([1, 2], dtype=zen.uint8)
    assert f.clip(x, low, high).dtype == np.uint8
    assert f.clip(x, low, high).tolist() == [1, 2]


def test_a_number_that_does_not_fit_is_refused_when_written():
    """Bools take 0 and 1, and no float is cut to an integer: there NumPy writes what was not asked for."""
    for a in DTYPES:
        for scalar in SCALARS:
            x, t = np.ones((2, 2), a), zen.tensor(np.ones((2, 2), a))

            def write(target, value=scalar):
                target[0] = value
                return target

            found, theirs = outcome(partial(write, t)), outcome(partial(write, x))
            assert found == theirs or found is TypeError, f"{a} takes {scalar!r}: {found}, in NumPy {theirs}"
            if found is TypeError:
                kind = np.result_type(scalar).kind if not isinstance(scalar, int) else "i"
                assert a.kind == "b" or (a.kind in "iu" and kind == "f")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: t + 300, "add: .*300.*int8"), (lambda t: 300 * t, "multiply: .*300.*int8"),
        (lambda t: np.add(t, 300), "add: .*300.*int8"), (lambda t: f.power(t, 300), "power: .*300.*int8"),
        (lambda t: zen.full_like(t, 300), "300.*int8.*wider"), (lambda t: zen.tensor([300], dtype="int8"), "300.*int8"),
        (lambda t: t.__setitem__(0, 300), "setitem: .*300.*int8"), (lambda t: t.__iadd__(300), "add_: .*300.*int8"),
        (lambda t: zen.full((2,), 300, "int8"), "300.*int8"), (lambda t: f.maximum(t, 300), "maximum: .*300.*int8"),
    ],
)  # fmt: skip
def test_a_python_int_out_of_range_is_an_overflow(call, says):
    t = zen.tensor([1, 2], dtype=zen.int8)
    with pytest.raises(OverflowError, match=says):
        call(t)
    assert t.tolist() == [1, 2]


def test_triangles_of_masks_are_masks():
    mask = zen.tensor([[True, True], [True, True]])
    assert np.tril(mask).tolist() == [[True, False], [True, True]]
    assert f.triu(mask).tolist() == [[True, True], [False, True]]


def test_float_power_and_fabs_are_floats():
    assert np.float_power(zen.tensor([2, 4]), -1).tolist() == [0.5, 0.25]
    x = zen.tensor([3.0, -2.0], dtype=zen.float32, requires_grad=True)
    y = np.float_power(x, 2)
    y.sum().backward()
    assert y.dtype == np.float64 and x.grad.dtype == np.float32 and x.gradient.tolist() == [6.0, -4.0]
    x.grad = None
    np.fabs(x).sum().backward()
    assert x.gradient.tolist() == [1.0, -1.0]
    assert np.fabs(zen.tensor([-2, 3])).dtype == np.float64


def test_whole_numbers_stay_as_they_are_when_rounded():
    big = 2**53 + 1
    assert np.round(zen.tensor([big])).tolist() == [big]
    assert np.reciprocal(zen.tensor([1, 2, -1])).tolist() == [1, 0, -1]
    assert zen.tensor([2.5, 3.5]).round().tolist() == [2.0, 4.0]

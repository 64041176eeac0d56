"""Every row, over every kind of input: values against NumPy, derivatives against numerical differentiation.

A new row is tested by being declared: what is drawn comes from its `domain`.
"""

import warnings

import numpy as np
import pytest
from drawing import (
    COMPOSED,
    DIFFERENTIABLE,
    ELEMENTWISE,
    ROWS,
    STRUCTURAL,
    broadcast_shapes,
    cases,
    elementwise_case,
    has_derivative,
    joined,
)  # fmt: skip
from layouts import LAYOUTS

import zen
from zen import backend
from zen.ops import late_names, register
from zen.testing import check_gradients, evaluate

DTYPES = {np.float16: 4e-3, np.float32: 3e-6, np.float64: 1e-13}
SMOOTH = [n for n in ELEMENTWISE if n in DIFFERENTIABLE]
SMOOTH_PAIRS = [n for n in SMOOTH if len(ROWS[n].args) == 2 and None not in ROWS[n].vjp]
ORDERED = {n for n in SMOOTH if len(ROWS[n].args) > 1 and sum([v is not None for v in ROWS[n].vjp]) == 1}
OF_SCIPY = {n for family, names in late_names.ROWS.items() if family.startswith("special") for n in names.split()}
"""Rows that return float32 for float16, as SciPy does."""
OF_OTHER_DTYPES = {"astype", "constant", "batch_norm"}  # a parameter says it, or some results are in float64
DISCRETE = {"floor", "ceil", "rint", "trunc", "sign", "floor_divide"}


def leaf(a):
    return backend.leaf(a, np.asarray(a).dtype.kind == "f")


def numpy_form(case):
    """The row's forward on arrays, as the reference engine would run it; a composition in place of kernels."""
    if case.name in COMPOSED:
        return joined(ROWS[case.name].composition(*case.args, *case.params)).array
    with np.errstate(all="ignore"):
        return np.asarray(joined(register.ROWS[case.name].forward(*case.args, *case.params)))


def gradients_of(case, cotangent):
    """Gradients of the case's floating arguments, as arrays."""
    inputs = [leaf(a) for a in case.smooth_args()]
    result = case.differentiable(*inputs)
    return [np.zeros(t.shape, t.dtype) if g is None else g.array
            for g, t in zip(backend.run([result], [cotangent], inputs), inputs, strict=True)]  # fmt: skip


def cotangent_for(case, seed=1):
    result = numpy_form(case)
    return np.random.default_rng(seed).uniform(0.5, 1.5, result.shape).astype(result.dtype)


def same(found, expected, tolerance):
    assert isinstance(found, np.ndarray)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    scale = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=1.0)) if expected.dtype.kind == "f" else 1.0
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def test_every_row_declares_what_tests_draw_from():
    assert [name for name, row in ROWS.items() if row.domain is None] == []
    assert [name for name in STRUCTURAL if not cases(name)] == []


@pytest.mark.parametrize("name", ROWS)
def test_forward_equals_the_numpy_form(name):
    for case in cases(name):
        same(case(*case.args).array, numpy_form(case), 1e-10 if name in COMPOSED else 1e-13)
        assert not case(*case.args).requires_grad


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if ROWS[n].numpy])
def test_forward_equals_numpy_itself(name):
    for case in [elementwise_case(name, (5, 7)), elementwise_case(name, (1000,), dtype=np.float32)]:
        for numpy_name in ROWS[name].numpy:
            function = getattr(np, numpy_name, None)  # some names came with NumPy 2.1 or later
            if function is not None and numpy_name != "float_power":  # which always answers in float64
                result = case(*case.args).array
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # of the name, such as NumPy 2.5's of fix
                    expected = np.asarray(function(*case.args))
                same(result, expected, 1e-13 if result.dtype == np.float64 else 2e-6)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_of_order_1_and_2_and_forward_mode(name):
    for case in cases(name):
        if case.floating:
            check_gradients(case.differentiable, case.smooth_args(), order=2, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_of_order_3(name):
    case = elementwise_case(name, (2,), seed=3)
    check_gradients(case.differentiable, case.smooth_args(), order=3, rtol=1e-5, atol=1e-5, forward=False)


@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if n not in ELEMENTWISE and n not in COMPOSED])
def test_derivatives_of_order_3_of_structural_rows(name):
    case = next(c for c in cases(name) if c.floating and all(np.size(a) for a in c.args))
    check_gradients(case.differentiable, case.smooth_args(), order=3, rtol=1e-5, atol=1e-5, forward=False)


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_of_broadcast_operands(name):
    for shapes in broadcast_shapes(len(ROWS[name].args)):
        case = elementwise_case(name, shapes)
        same(case(*case.args).array, numpy_form(case), 1e-13)
        check_gradients(case.differentiable, case.smooth_args(), order=1, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", [n for n in SMOOTH if len(ROWS[n].args) > 1])
def test_second_derivatives_of_broadcast_operands(name):
    shapes = broadcast_shapes(len(ROWS[name].args))[0]
    case = elementwise_case(name, shapes)
    check_gradients(case.differentiable, case.smooth_args(), order=2, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_memory_layout_changes_nothing(name, layout):
    plain = [elementwise_case(name, (3, 5)), elementwise_case(name, (2, 20, 3))] if name in ELEMENTWISE else cases(name)
    for case in plain:
        other = case.laid_out(layout)
        same(other(*other.args).array, numpy_form(case), 1e-10 if name in COMPOSED else 1e-13)
        if case.floating and numpy_form(case).dtype.kind == "f":
            cotangent = cotangent_for(case)
            expected = gradients_of(case, cotangent)
            for found in (gradients_of(other, cotangent), gradients_of(other, layout(cotangent))):
                for a, b in zip(found, expected, strict=True):
                    same(a, b, 1e-12)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2, 0)], ids=str)
def test_zero_size(name, shape):
    case = elementwise_case(name, shape)
    inputs = [leaf(a) for a in case.smooth_args()]
    result = case.differentiable(*inputs)
    assert result.shape == shape
    result.backward(np.ones(shape))
    assert [t.grad.shape for t in inputs] == [t.shape for t in inputs]
    if len(case.args) > 1:  # the gradient of a value broadcast to nothing is a sum of nothing
        case = elementwise_case(name, [shape, *[(1,)] * (len(case.args) - 1)])
        inputs = [leaf(a) for a in case.smooth_args()]
        case.differentiable(*inputs).backward(np.ones(shape))
        for t in inputs:
            np.testing.assert_array_equal(t.gradient, np.zeros(t.shape))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
def test_dtype_of_result_and_gradient(name, dtype):
    for exact in cases(name):
        case = exact.cast(dtype)
        try:
            expected = numpy_form(case)
        except TypeError:  # numpy.linalg knows no float16
            assert dtype is np.float16
            continue
        result = case(*case.args)
        same(result.array, expected, 10 * DTYPES[dtype])
        if not case.floating or expected.dtype.kind != "f":
            continue
        assert result.dtype == dtype or name in OF_OTHER_DTYPES or (dtype is np.float16 and name in OF_SCIPY)
        rounded = case.cast(np.float64)  # the same arguments, differentiated in float64
        cotangent = cotangent_for(case)
        for found, wanted in zip(gradients_of(case, cotangent), gradients_of(rounded, cotangent), strict=True):
            assert found.dtype == dtype
            same(found, wanted.astype(dtype), 30 * DTYPES[dtype])


@pytest.mark.parametrize("name", [n for n in SMOOTH if len(ROWS[n].args) > 1 and n not in ORDERED])
def test_mixed_dtypes_follow_numpy(name):
    for first, second in [(np.float32, np.float64), (np.float64, np.float32), (np.float16, np.float32)]:
        case = elementwise_case(name, (3,))
        k = case.floating
        args = list(case.args)
        args[k[0]], args[k[1]] = args[k[0]].astype(first), args[k[1]].astype(second)
        args[k[-1]] = args[k[-1]].astype(second)
        case = case._replace(args=tuple(args))
        expected = numpy_form(case)
        inputs = [leaf(a) for a in case.smooth_args()]
        result = case.differentiable(*inputs)
        assert result.dtype == expected.dtype == np.result_type(first, second)
        same(result.array, expected, 1e-2 if expected.dtype == np.float32 else 1e-6)
        result.backward(np.ones(3, result.dtype))
        assert [t.grad.dtype for t in inputs] == [t.dtype for t in inputs]
        exact = gradients_of(case.cast(np.float64), np.ones(3))
        for t, wanted in zip(inputs, exact, strict=True):
            np.testing.assert_allclose(t.gradient, wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", SMOOTH_PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_python_scalars_and_integers_as_operands(name, dtype):
    x = elementwise_case(name, (2, 3), dtype=dtype)
    for k, scalar in [(0, 2.5), (1, 2.5), (0, 2), (1, 2), (0, True), (1, True)]:
        args = list(x.args)
        args[k] = scalar
        case = x._replace(args=tuple(args))
        expected = numpy_form(case)
        t = zen.Tensor(args[1 - k])
        args[1 - k] = t
        result = case(*args)
        assert result.dtype == dtype  # a Python scalar never widens
        same(result.array, expected, 10 * DTYPES[dtype])
        result.backward(np.ones((2, 3), dtype))
        assert t.grad.dtype == dtype
        whole = [np.full((2, 3), scalar, np.float64) if j == k else x.args[j].astype(np.float64) for j in (0, 1)]
        wanted = gradients_of(x._replace(args=tuple(whole)), np.ones((2, 3)))[1 - k]
        same(t.gradient, wanted.astype(dtype), 30 * DTYPES[dtype])


@pytest.mark.parametrize("name", SMOOTH_PAIRS)
def test_integer_arrays_as_constants(name):
    x = elementwise_case(name, (3,))
    for dtype in (np.int64, np.int32, np.uint8, np.bool_):
        constant = np.array([1, 2, 3]).astype(dtype)
        case = x._replace(args=(x.args[0], constant))
        t = zen.Tensor(x.args[0])
        result = case(t, constant)
        same(result.array, numpy_form(case), 1e-12)
        result.backward(np.ones(3))
        wanted = gradients_of(x._replace(args=(x.args[0], constant.astype(np.float64))), np.ones(3))[0]
        same(t.gradient, wanted, 1e-12)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_integers_alone_follow_numpy(name):
    args = tuple(np.array([1, 2, 3]) + 3 * k for k in range(len(ROWS[name].args)))
    args = tuple(a > 2 if domain == "bool" else a for a, domain in zip(args, ROWS[name].domain, strict=True))
    case = elementwise_case(name, (3,))._replace(args=args)
    same(case(*args).array, numpy_form(case), 1e-12)


@pytest.mark.parametrize("name", sorted(DISCRETE))
def test_piecewise_constant_functions_have_a_gradient_of_zero(name):
    case = elementwise_case(name, (4,))
    for g in gradients_of(case, np.ones(4)):
        np.testing.assert_array_equal(g, np.zeros(4))


@pytest.mark.parametrize("name", [n for n in ROWS if n not in DIFFERENTIABLE])
def test_results_without_a_derivative_take_no_part_in_the_graph(name):
    for case in cases(name):
        result = case(*(leaf(a) if isinstance(a, np.ndarray) else a for a in case.args))
        assert not result.requires_grad


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_and_infinity_follow_numpy(name):
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 5e-324])
    row = ROWS[name]
    grids = np.meshgrid(*[special] * len(row.args))
    args = [g > 0 if d == "bool" else g for g, d in zip(grids, row.domain, strict=True)]
    case = elementwise_case(name, ())._replace(args=tuple(args))
    expected = numpy_form(case)
    same(case(*args).array, expected, 1e-12)
    leaves = [leaf(a) if has_derivative(row, k) or name not in SMOOTH else a for k, a in enumerate(args)]
    same(case(*leaves).array, expected, 1e-12)
    if name in SMOOTH:
        case(*leaves).backward(np.ones(expected.shape))  # neither crashes nor warns


def test_evaluate_returns_arrays():
    assert [a.tolist() for a in evaluate(lambda x: (x, x * 2.0), [np.array([1.0])])] == [[1.0], [2.0]]

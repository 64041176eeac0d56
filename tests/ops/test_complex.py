"""Rows on complex operands: values against NumPy, derivatives against numerical differentiation, what is refused.

What is drawn are the row's own cases, with every floating argument turned in the complex plane.
"""

import numpy as np
import pytest
from drawing import (
    COMPOSED,
    DIFFERENTIABLE,
    ELEMENTWISE,
    ROWS,
    broadcast_shapes,
    cases,
    elementwise_case,
    has_derivative,
    joined,
)  # fmt: skip

import zen
from zen import backend
from zen.ops import register
from zen.testing import check_gradients

VIEWS = {"view_of", "add_view", "write_view"}  # their parameters say where in memory
NO_NUMBERS = {"signbit"} | {name for name in ROWS if name.startswith("bitwise_")}
COMPLEX = [name for name, row in ROWS.items() if row.complex and name not in VIEWS | NO_NUMBERS]
REFUSED = ["gelu", "relu", "softplus", "floor", "remainder", "softmax", "logsumexp", "layer_norm", "atan2"]
OF_ANOTHER_DTYPE = {"astype", "constant"}  # a parameter says it
WRITES = {"setitem"}  # of complex numbers into real memory there is none
STEP = 1e-5


def turned(a, rng):
    """A floating array with every element at an angle to the real axis, away from branch cuts."""
    if a is None or np.asarray(a).dtype.kind != "f":
        return a
    a = np.asarray(a)
    return np.asarray(a * np.exp(1j * rng.uniform(0.2, 0.6, a.shape) * rng.choice([-1, 1], a.shape)))


def complex_case(case, which=None, seed=3):
    """The case with its floating arguments, or those at the positions `which`, turned. Orders are real."""
    rng = np.random.default_rng(seed)
    asked = [k for k in range(len(case.args)) if (which is None or k in which) and has_derivative(ROWS[case.name], k)]
    return case._replace(args=tuple(turned(a, rng) if k in asked else a for k, a in enumerate(case.args)))


def inexact(case):
    """Positions of the arguments that have a derivative here."""
    row = ROWS[case.name]
    return [k for k, a in enumerate(case.args) if has_derivative(row, k) and np.asarray(a).dtype.kind in "fc"]


def small(name):
    """The cases of few elements, for what is differentiated numerically; if there are none, the smallest."""
    found = sorted(cases(name), key=elements)
    return [case for case in found if elements(case) <= 40] or found[:1]


def elements(case):
    return sum(np.size(a) for a in case.args)


def checked(case, order=2):
    where = inexact(case)

    def function(*args):
        full = list(case.args)
        for k, a in zip(where, args, strict=True):
            full[k] = a
        return case(*full)

    if where:
        check_gradients(function, [case.args[k] for k in where], order=order, rtol=1e-5, atol=1e-5, step=STEP)


def numpy_form(case):
    row = ROWS[case.name]
    name = row.complex if isinstance(row.complex, str) else case.name
    if name in COMPOSED:
        return joined(ROWS[name].composition(*case.args, *case.params)).array
    with np.errstate(all="ignore"):
        return np.asarray(joined(register.ROWS[name].forward(*case.args, *case.params)))


@pytest.mark.parametrize("name", COMPLEX)
def test_values_and_dtypes_are_those_of_numpy(name):
    for case in [complex_case(c) for c in cases(name)]:
        found, expected = joined(case(*case.args)).array, numpy_form(case)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
        if name not in OF_ANOTHER_DTYPE:
            halved = {np.dtype("complex128"): np.complex64, np.dtype("float64"): np.float32}
            narrow = [a if a is None else np.asarray(a) for a in case.args]
            single = case._replace(
                args=tuple([a if a is None else a.astype(halved.get(a.dtype, a.dtype)) for a in narrow])
            )
            assert joined(single(*single.args)).dtype == halved.get(found.dtype, found.dtype)


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_of_order_1_and_2_and_forward_mode(name):
    for case in small(name):
        checked(complex_case(case))


@pytest.mark.parametrize(
    "name", [n for n in COMPLEX if len(ROWS[n].args) > 1 and n not in WRITES and n in DIFFERENTIABLE]
)
def test_an_operand_that_stays_real_has_a_real_gradient(name):
    for case in small(name):
        for which in ([0], [1]):
            checked(complex_case(case, which))
            mixed = complex_case(case, which)
            leaves = [
                backend.leaf(a, k in inexact(mixed)) for k, a in enumerate(mixed.args) if isinstance(a, np.ndarray)
            ]
            if len(leaves) == len(mixed.args):
                out = mixed(*leaves)
                out.backward(np.ones(out.shape, out.dtype))
                assert all(t.grad is None or t.grad.dtype == t.dtype for t in leaves)


@pytest.mark.parametrize("name", [n for n in COMPLEX if n in ELEMENTWISE])
def test_derivatives_of_broadcast_operands(name):
    for shapes in broadcast_shapes(len(ROWS[name].args)):
        checked(complex_case(elementwise_case(name, shapes)), order=1)


@pytest.mark.parametrize("name", REFUSED)
def test_a_function_that_is_not_defined_for_complex_numbers_says_so(name):
    case = complex_case(cases(name)[0])
    with pytest.raises(TypeError, match=rf"{name}.*complex numbers; compute with x.real, x.imag or abs\(x\)"):
        case(*case.args)


def test_layers_refuse_complex_numbers_instead_of_dropping_a_part():
    z = zen.tensor([[1 + 1j, 2.0]], requires_grad=True)
    for function in (zen.f.hardtanh, zen.f.softplus, lambda z: zen.f.rms_norm(z, 2), lambda z: zen.f.mse_loss(z, z)):
        with pytest.raises(TypeError, match="complex numbers"):
            function(z)


@pytest.mark.parametrize(
    "function, derivative",
    [
        (np.exp, np.exp), (np.sin, np.cos), (np.cosh, np.sinh), (np.log, lambda z: 1 / z),
        (np.sqrt, lambda z: 0.5 / np.sqrt(z)), (np.arctan, lambda z: 1 / (1 + z * z)),
        (np.arccosh, lambda z: 1 / (np.sqrt(z - 1) * np.sqrt(z + 1))),
        (np.arcsin, lambda z: 1 / np.sqrt(1 - z * z)), (np.square, lambda z: 2 * z),
        (np.reciprocal, lambda z: -1 / z**2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("z", [0.3 + 0.4j, -1.3 + 0.4j, -0.2 - 2.1j, 1.7 - 0.3j])
def test_holomorphic_derivatives_in_every_quadrant(function, derivative, z):
    assert zen.grad(function, holomorphic=True)(z) == pytest.approx(derivative(z), rel=1e-13)


# What is right at 0: |z| is the modulus, whose square has the derivative 2 z everywhere.


def test_the_modulus_at_zero():
    z = zen.tensor([0j, 3 + 4j], requires_grad=True)
    abs(z).sum().backward()
    np.testing.assert_allclose(z.grad.array, [0, 0.6 + 0.8j])
    (slope,) = [zen.grad(lambda z: (z * np.conj(z)).real.sum())(np.array([0j, 1 + 2j]))]
    assert slope.tolist() == [0, 2 + 4j]


def test_a_power_at_zero():
    # 0 ** 2 has derivatives 0 and 2; 0 ** 0 is the constant 1.
    assert zen.grad(lambda z: z**2, holomorphic=True)(0j) == 0
    assert zen.grad(zen.grad(lambda z: z**2, holomorphic=True), holomorphic=True)(0j) == 2
    assert zen.grad(lambda z: z**0, holomorphic=True)(0j) == 0


def test_nan_in_is_nan_out():
    z = np.array([complex(np.nan, 0), 1.0])
    for function in (np.exp, np.log, np.sqrt, np.abs, np.conj, np.square):
        result = function(zen.tensor(z)).array
        assert np.isnan(result[0])
        assert not np.isnan(result[1])

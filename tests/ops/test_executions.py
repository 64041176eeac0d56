"""One formula, four executions: compiled kernel, NumPy, Tensors, tangents. They must agree with one another.

The seven rows are those on which the design was tried. The executions are reached through: a plain backward pass
(kernels, on the compiled engine); float16 or the row's own vjp on arrays (NumPy); `create_graph` (Tensors); `zen.jvp`.
"""

import numpy as np
import pytest
from drawing import ROWS, Case, cases

import zen
from zen import backend
from zen.ops import register

NAMES = ["tanh", "power", "where", "matmul", "sum", "getitem", "concat"]


def all_cases():
    return [(name, k) for name in NAMES for k in range(len(cases(name)))]


def leaves(case: Case):
    return [backend.leaf(a, True) for a in case.smooth_args()]


def backward(case: Case, cotangent, create_graph):
    inputs = leaves(case)
    result = case.differentiable(*inputs)
    return [g.array for g in backend.run([result], [cotangent], inputs, create_graph=create_graph)]


def numpy_formula(case: Case, cotangent):
    """The row's own vjp, called on arrays, with the broadcasting undone."""
    row = register.ROWS[case.name]
    with np.errstate(all="ignore"):
        if row.variadic:
            y = row.forward(*case.args, *case.params)
            found = [row.vjps[0](register.arrays, cotangent, k, case.args, y, *case.params) for k in case.floating]
        else:
            y = row.forward(*case.args, *case.params)
            found = [row.vjps[k](register.arrays, cotangent, *case.args, y, *case.params) for k in case.floating]
    return [backend.unbroadcast(np.asarray(g), np.shape(a)) for g, a in zip(found, case.smooth_args(), strict=True)]


@pytest.mark.parametrize(("name", "k"), all_cases())
def test_four_executions_agree(name, k):
    case = cases(name)[k]
    if not case.floating:
        assert name == "where"
        return
    rng = np.random.default_rng(7)
    y = case(*case.args).array
    cotangent = np.asarray(rng.standard_normal(y.shape))
    tangents = [np.asarray(rng.standard_normal(np.shape(a))) for a in case.smooth_args()]

    compiled = backward(case, cotangent, create_graph=False)
    for other in (numpy_formula(case, cotangent), backward(case, cotangent, create_graph=True)):
        for a, b in zip(compiled, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)

    # <cotangent, J tangent> = <J' cotangent, tangent>
    primals = tuple(backend.wrap(np.asarray(a)) for a in case.smooth_args())
    _, tangent = zen.jvp(case.differentiable, primals, tuple(backend.wrap(t) for t in tangents))
    forward = np.sum(cotangent * tangent.array)
    reverse = sum(np.sum(g * t) for g, t in zip(compiled, tangents, strict=True))
    np.testing.assert_allclose(forward, reverse, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_saved_values_are_those_that_the_formula_names(name):
    """tanh saves its result and not its argument; add saves nothing; matmul saves the other operand."""
    row = ROWS[name]
    names = ("xs", "y") if row.variadic else (*row.args, "y")
    expected = tuple(tuple(0 if f is None else row.needs(f).get(n, 0) for n in names) for f in row.vjp)
    found = tuple((0,) * len(names) if needs is None else tuple(needs) for needs in register.ROWS[name].needs)
    assert found == expected
    if name == "tanh":
        assert expected == ((0, 2),)
    if name == "matmul":
        assert expected[0][1] == 2 and expected[1][0] == 2


def test_a_kernel_and_numpy_agree_where_dtypes_differ():
    """float16 has no kernels: the same call goes through NumPy, with the same result to its precision."""
    a = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4))
    for f in (zen.f.tanh, lambda t: t**2.5, lambda t: t @ t.T, lambda t: zen.sum(t, axis=0), lambda t: t[1:, ::2]):
        exact, half = zen.Tensor(a), zen.Tensor(a.astype(np.float16))
        for t in (exact, half):
            f(t).backward(np.ones(f(t).shape, t.dtype))
        np.testing.assert_allclose(half.gradient, exact.gradient, rtol=2e-2)

"""Rows with a composition: kernels where they can run, workspace that they save, higher orders of the composition.

That each agrees with its composition is tested for every row in `test_rows.py`, in float32 and strided here.
"""

import numpy as np
import pytest
from drawing import COMPOSED, ROWS, cases, joined

import zen
from zen import backend, f
from zen.ops import composition
from zen.ops.row import row


def each():
    for name in COMPOSED:
        for k, case in enumerate(cases(name)):
            yield pytest.param(case, id=f"{name}-{k}")


def prepared(args, dtype, strided=False):
    """Leaves of the given dtype for floating arrays, everything else as it is."""
    made = []
    for x in args:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            x = x.astype(dtype)
            if strided and x.ndim:
                x = np.repeat(x, 2, -1)[..., ::2]
            x = zen.from_numpy(x).requires_grad_()
        made.append(x)
    return made


def gradients(out, inputs):
    leaves = [x for x in inputs if isinstance(x, zen.Tensor)]
    g = zen.tensor(np.random.default_rng(1).normal(size=out.shape), dtype=out.dtype)
    return zen.gradients(out, leaves, g, allow_unused=True)


@pytest.mark.parametrize("strided", [False, True], ids=["dense", "strided"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", list(each()))
def test_agrees_with_its_composition(case, dtype, strided):
    inputs = prepared(case.args, dtype, strided)
    out, expected = case(*inputs), joined(ROWS[case.name].composition(*inputs, *case.params))
    tolerance = {"rtol": 1e-10, "atol": 1e-10} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-4}
    assert out.dtype == expected.dtype
    np.testing.assert_allclose(out.value, expected.value, **tolerance)
    leaves = [x for x in inputs if isinstance(x, zen.Tensor)]
    for x, a, b in zip(leaves, gradients(out, inputs), gradients(expected, inputs), strict=True):
        assert (a is None or not a.array.any()) if b is None else (a.shape == x.shape and a.dtype == x.dtype)
        if b is not None:
            np.testing.assert_allclose(a.value, b.value, **tolerance)


@pytest.mark.parametrize("name", COMPOSED)
def test_the_engine_has_the_kernels(name):
    """A node of the row itself, not of what it is composed of."""
    case = cases(name)[0]
    out = backend.apply(zen.ops.register.ROWS[name], tuple(prepared(case.args, "float32")), case.params)
    assert (out[0] if isinstance(out, tuple) else out).node.row.name == name


# The mechanism itself, on scale * x * x * w + b, with x * w as workspace.


def composed(x, w, b, scale):
    y = scale * x * x * w
    return y if b is None else y + b


def forward(x, w, b, scale, read):
    return scale * x * x * w + (0 if b is None else b), x * w if read else None


def vjp(g, args, results, wanted, scale):
    x, w, b = args
    y, xw = results
    assert y is None and xw is not None
    return 2 * scale * g * xw, scale * g * x * x if wanted[1] else None, g.copy() if wanted[2] else None


def made(declared, several=0):
    reads = [2 * (n in declared.saves) for n in declared.outputs]
    levels = ((*[2] * len(declared.args), *reads, *[2] * len(declared.workspace)),)
    return backend.Row(
        declared.name, len(declared.args), declared.forward,
        lambda: ((lambda *given: composition.pull(declared, *given),), levels), joint=True, several=declared.several,
        workspace=len(declared.workspace), composition=declared.composition,
        optional=tuple(k for k, n in enumerate(declared.args) if n in declared.optional),
    )  # fmt: skip


SQUARES = made(row(
    "squares", "x w b?", forward, vjp, params="scale", workspace="xw", composition=composed, domain=lambda rng: [],
    shape=lambda x, *rest: x,
    doc="scale * x * x * w + b.",
))  # fmt: skip


def squares(x, w, b, scale=1.0):
    return backend.apply(SQUARES, (x, w, b), (scale,))


def leaf(*values, dtype="float64"):
    return zen.tensor(values, dtype=dtype, requires_grad=True)


def test_kernels_run_where_they_can():
    x, w, b = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0)
    y = squares(x, w, b, 2.0)
    assert y.node.row.name == "squares" and y.tolist() == [11.0, 38.0]
    y.sum().backward()
    assert (x.grad.tolist(), w.grad.tolist(), b.grad.tolist()) == ([12.0, 32.0], [2.0, 8.0], [1.0, 1.0])


def test_an_argument_may_be_none():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    squares(x, w, None).sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([6.0, 16.0], [1.0, 4.0])


def test_an_argument_that_is_not_optional_may_not_be_none():
    with pytest.raises((TypeError, ValueError, AttributeError)):
        squares(leaf(1.0), None, None)


def test_constants_get_no_gradient_and_nothing_is_kept_without_one():
    assert squares(zen.ones(2), np.ones(2), None).node is None
    x = leaf(1.0, 2.0)
    squares(x, np.array([3.0, 4.0]), None).sum().backward()
    assert x.grad.tolist() == [6.0, 16.0]


def test_workspace_is_asked_for_only_where_a_pass_may_read_it():
    asked = []

    def noted(x, w, b, scale, read):
        asked.append(read)
        return forward(x, w, b, scale, read)

    noting = made(row(
        "noting", "x w b?", noted, vjp, params="scale", workspace="xw", composition=composed, domain=lambda rng: [],
    shape=lambda x, *rest: x,
        doc="As squares.",
    ))  # fmt: skip
    x = leaf(1.0)
    backend.apply(noting, (x.detach(), np.ones(1), None), (1.0,))
    with zen.no_grad():
        backend.apply(noting, (x, np.ones(1), None), (1.0,))
    backend.apply(noting, (x, np.ones(1), None), (1.0,))
    assert asked == [False, False, True]


def test_one_tensor_in_two_places():
    x = leaf(2.0)
    first = zen.gradients(squares(x, x, None), x, zen.ones(1), create_graph=True)
    second = zen.gradients(first, x, zen.ones(1), create_graph=True)
    third = zen.gradients(second, x, zen.ones(1))
    assert (first.tolist(), second.tolist(), third.tolist()) == ([12.0], [12.0], [6.0])


def test_forward_mode():
    tangent = zen.jvp(lambda x: squares(x, np.array([3.0]), None), (np.array([2.0]),), (np.array([1.0]),))
    assert tangent[1].tolist() == [12.0]


def test_other_dtypes_take_the_composition():
    y = squares(leaf(1.0, dtype="float32"), leaf(3.0), None)
    assert y.dtype == np.float64 and y.node.row.name != "squares"
    assert squares(leaf(1.0, dtype="float16"), leaf(3.0, dtype="float16"), None).dtype == np.float16


def test_a_graph_may_be_used_twice_and_is_released():
    x = leaf(1.0, 2.0)
    y = f.sum(squares(x, np.array([3.0, 4.0]), None))
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12.0, 32.0]
    with pytest.raises(RuntimeError, match="released"):
        y.backward()


def test_an_overwritten_input_is_noticed():
    x = leaf(1.0, 2.0)
    y = squares(x, zen.ones(2), None).sum()
    view = x[:]
    with zen.no_grad():
        x += 1
    assert view.tolist() == [2.0, 3.0]  # it shares the memory, which the write must therefore change
    with pytest.raises(RuntimeError, match="squares.*overwritten"):
        y.backward()


# A vjp that leaves some cotangents to the composition: of (x ** 2, x ** 3), it knows the first.


def first_only(g, args, results, wanted):
    return NotImplemented if g[1] is not None else (2 * args[0] * g[0],)


POWERS = made(row(
    "powers", "x", lambda x: (x * x, x * x * x), first_only, outputs="square cube",
    composition=lambda x: (x * x, x * x * x), domain=lambda rng: [],
    shape=lambda x, *rest: x, doc="x ** 2 and x ** 3.",
))  # fmt: skip


def test_a_vjp_may_leave_a_cotangent_to_the_composition():
    x = leaf(2.0)
    assert zen.gradients(backend.apply(POWERS, (x,))[0].sum(), x).tolist() == [4.0]
    assert zen.gradients(backend.apply(POWERS, (x,))[1].sum(), x).tolist() == [12.0]
    square, cube = backend.apply(POWERS, (x,))
    both = zen.gradients((square + cube).sum(), x, create_graph=True)
    assert both.tolist() == [16.0] and zen.gradients(both.sum(), x).tolist() == [14.0]


def test_the_composition_of_a_batch_norms_statistics():
    """Their gradients exist as well, although zen.f.batch_norm uses the values alone."""
    x = np.random.default_rng(0).normal(size=(4, 2, 3))

    def statistics(x):
        _, mean, var = backend.apply(zen.ops.register.ROWS["batch_norm"], (x, None, None), (1e-5,))
        return mean * np.array([1.0, -2.0]) + var

    zen.testing.check_gradients(statistics, [x], order=2)

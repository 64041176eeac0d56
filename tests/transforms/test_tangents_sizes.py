"""Tangents of arrays that kernels take in several blocks, beside the transposed derivative and numerical slopes."""

import numpy as np
import pytest

import zen
from zen.ops import elementwise, register

RNG = np.random.default_rng(0)
REGULAR = RNG.normal(size=(70, 70)) / 8 + 3 * np.eye(70)
WIDE = RNG.normal(size=(3, 37, 70))


def positive(n):
    a = RNG.normal(size=(n, n)) / np.sqrt(n)
    return a @ a.T + 2 * np.eye(n)


FUNCTIONS = {
    **{f"{name}, axis {axis}": (lambda x, name=name, axis=axis: getattr(zen.f, name)(x, axis), (WIDE,))
       for name in ("max", "min", "std", "logsumexp") for axis in (None, 0, 1, 2, (0, 1), (0, 2))},
    **{f"prod, axis {axis}": (lambda x, axis=axis: zen.f.prod(x, axis), (1 + WIDE / 30,))
       for axis in (None, 0, 1, 2, (0, 1), (0, 2))},
    "max, kept": (lambda x: zen.f.max(x, 1, keepdims=True), (WIDE,)),
    "min of a transpose": (lambda x: zen.f.min(x.T, 0), (WIDE,)),
    "cholesky": (zen.f.cholesky, (positive(100),)),
    "cholesky, stack": (zen.f.cholesky, (np.stack([positive(33), positive(33)]),)),
    "solve": (zen.f.solve, (REGULAR, RNG.normal(size=(70, 5)))),
    "solve, vector": (zen.f.solve, (REGULAR, RNG.normal(size=70))),
    "solve, stack": (zen.f.solve, (np.stack([REGULAR, REGULAR.T]), RNG.normal(size=(2, 70, 3)))),
    "inv": (zen.f.inv, (REGULAR,)),
    "det": (zen.f.det, (REGULAR / 3,)),
    "det, stack": (zen.f.det, (np.stack([REGULAR, REGULAR.T]) / 3,)),
    "slogdet": (lambda x: zen.f.slogdet(x)[1], (REGULAR,)),
    "layer_norm": (lambda x, w, b: zen.f.layer_norm(x, 70, w, b), (WIDE * 3 + 2, WIDE[0, 0], WIDE[0, 1])),
    "layer_norm, x and weight": (lambda x, w: zen.f.layer_norm(x, 70, w), (WIDE + 2, WIDE[0, 0])),
    "layer_norm, bias": (lambda b: zen.f.layer_norm(zen.tensor(WIDE, dtype=b.dtype), 70, None, b), (WIDE[0, 0],)),
    "rms_norm": (lambda x, w: zen.f.rms_norm(x, 70, w), (WIDE + 1, WIDE[0, 0])),
    "batch_norm": (lambda x, w, b: zen.f.batch_norm(x, None, None, w, b, True), (WIDE, WIDE[0, :, 0], WIDE[0, :, 1])),
    "batch_norm, rows": (
        lambda x, w, b: zen.f.batch_norm(x, None, None, w, b, True), (WIDE[0] + 5, WIDE[0, 0], WIDE[0, 1])),
    "batch_norm, fixed": (
        lambda x, w: zen.f.batch_norm(
            x, WIDE[0, :, 2].astype(x.dtype), (WIDE[0, :, 3] ** 2 + 1).astype(x.dtype), w), (WIDE, WIDE[0, :, 0])),
    "group_norm": (
        lambda x, w, b: zen.f.group_norm(x.reshape(3, 10, 259), 5, w, b), (WIDE, WIDE[0, 0, :10], WIDE[0, 1, :10])),
    "var": (lambda x: zen.f.var(x, 1), (WIDE,)),
    "var of a transpose": (lambda x: zen.f.var(x.T, (0, 1), correction=1, keepdims=True), (WIDE,)),
    "prod of seven": (lambda x: zen.f.prod(x, 0), (1 + WIDE[0, :7] / 9,)),
    "log_softmax": (zen.f.log_softmax, (WIDE,)),
    "log_softmax, long rows": (zen.f.log_softmax, (RNG.normal(size=(3, 4001)),)),
    "huber": (lambda x, t, d: zen.backend.apply(register.ROWS["huber"], (x, t, d)), (WIDE, WIDE[::-1], abs(WIDE) + 1)),
    "conv2d": (lambda x, w, b: zen.f.conv2d(x, w, b, padding=1), (
        RNG.normal(size=(3, 4, 20, 21)), RNG.normal(size=(5, 4, 3, 3)), RNG.normal(size=5))),
    "attention": (zen.f.scaled_dot_product_attention, tuple(RNG.normal(size=(3, 2, 3, 37, 8)))),
    "attention with a mask": (zen.f.scaled_dot_product_attention, (
        *RNG.normal(size=(3, 2, 3, 37, 8)), RNG.normal(size=(37, 37)))),
    "repeat": (lambda x: zen.f.repeat(x, 3, 1), (WIDE,)),
    "several uses": (lambda x: zen.f.concat([x, x * x]) @ x.T.reshape(-1)[:70] + x[:2].sum(), (WIDE[0],)),
    "write to a part": (lambda x, v: written(x, v), (WIDE, WIDE[:2, 3:5])),
}  # fmt: skip


def written(x, v):
    y = zen.f.copy(x)
    y[:2, 1:3] = v
    return y


def paired(u, v):
    return sum([float(np.sum(np.asarray(a, np.float64) * b)) for a, b in zip(u, v, strict=True)])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tangent_is_what_transposition_says(name, dtype):
    f, given = FUNCTIONS[name]
    primals = tuple([a.astype(dtype) for a in given])
    tangents = tuple([RNG.normal(size=a.shape).astype(dtype) for a in given])
    y, pull = zen.vjp(f, *primals)
    u = RNG.normal(size=y.shape).astype(dtype)
    value, tangent = zen.jvp(f, primals, tangents)
    np.testing.assert_array_equal(value, y)
    assert tangent.dtype == dtype
    expected, scale = paired(pull(u), tangents), paired(abs(u)[None], abs(tangent)[None])
    assert abs(paired([u], [tangent]) - expected) <= (1e-11 if dtype == np.float64 else 1e-4) * scale


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tangent_is_the_slope(name):
    f, primals = FUNCTIONS[name]
    tangents = tuple([RNG.normal(size=a.shape) for a in primals])
    _, tangent = zen.jvp(f, primals, tangents)
    step = 1e-6
    up, down = [np.asarray(f(*[zen.tensor(x + h * t) for x, t in zip(primals, tangents, strict=True)]).array)
                for h in (step, -step)]  # fmt: skip
    np.testing.assert_allclose(tangent, (up - down) / (2 * step), rtol=1e-5, atol=1e-5 * (1 + abs(tangent).max()))


@pytest.mark.parametrize("name", [r.name for r in elementwise.ROWS])
def test_elementwise_tangents_of_any_layout_are_the_sum_of_the_formulas(name):
    row, rng = register.ROWS[name], np.random.default_rng(1)
    shape = (5, 601)
    args = [
        rng.random(shape) < 0.5 if d == "bool" else rng.uniform(*d, shape) for d in register.DECLARATIONS[name].domain
    ]
    moving = [k for k, formula in enumerate(register.DECLARATIONS[name].vjp) if formula is not None]
    tangents = {k: rng.normal(size=shape) for k in moving}

    def function(*given):
        values = dict(zip(moving, given, strict=True))
        return zen.backend.apply(row, tuple([values.get(k, zen.tensor(a)) for k, a in enumerate(args)]))

    def pushed(lay, **only):
        wanted = only.get("wanted", moving)
        return zen.jvp(
            lambda *given: function(*[given[wanted.index(k)] if k in wanted else zen.tensor(args[k]) for k in moving]),
            tuple([lay(args[k]) for k in wanted]), tuple([lay(tangents[k]) for k in wanted]),
        )[1]  # fmt: skip

    alone = [pushed(np.array, wanted=[k]) for k in moving]
    expected = sum(alone[1:], alone[0])
    for lay in (np.array, np.asfortranarray, lambda a: np.repeat(a, 2, 1)[:, ::2]):
        np.testing.assert_allclose(pushed(lay), expected, rtol=1e-13, atol=1e-13)
    for parts in (slice(0, 1), (slice(None), slice(0, 1))):  # a tangent and primal that are broadcast
        first = moving[0]
        given = [args[k][parts] if k == first else args[k] for k in moving]
        pushes = [tangents[k][parts] if k == first else tangents[k] for k in moving]
        _, found = zen.jvp(function, tuple(given), tuple(pushes))
        whole = [np.broadcast_to(a, args[k].shape).copy() for k, a in zip(moving, given, strict=True)]
        _, same = zen.jvp(function, tuple(whole), tuple([np.broadcast_to(t, shape).copy() for t in pushes]))
        np.testing.assert_allclose(found, same if found.shape == same.shape else same[parts], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shape", [(200,), (3, 100), (2, 3, 33)])
def test_ties_share_the_tangents_of_extremes(shape):
    x, t = np.zeros(shape), RNG.normal(size=shape)
    x[..., ::3] = 1.0
    for axis in (None, 0, len(shape) - 1):
        _, tangent = zen.jvp(lambda x, axis=axis: zen.f.max(x, axis), (x,), (t,))
        largest = x == x.max(axis, keepdims=True)
        np.testing.assert_allclose(tangent, (t * largest).sum(axis) / largest.sum(axis), rtol=1e-12, atol=1e-14)
    x[..., 1] = np.nan
    _, tangent = zen.jvp(lambda x: zen.f.max(x, -1), (x,), (t,))
    np.testing.assert_allclose(tangent, t[..., 1])


def test_products_with_zeros_have_exact_tangents():
    x, t = RNG.normal(size=(2, 50, 20))
    x[0, 3] = x[1, 2] = x[1, 7] = 0.0
    for axis in (0, 1):
        others = np.moveaxis(x, axis, -1)
        expected = sum([
            np.delete(others, k, -1).prod(-1) * np.moveaxis(t, axis, -1)[..., k] for k in range(others.shape[-1])
        ])  # fmt: skip
        _, tangent = zen.jvp(lambda x, axis=axis: zen.f.prod(x, axis), (x,), (t,))
        np.testing.assert_allclose(tangent, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e308])
def test_the_slope_of_atan2_neither_overflows_nor_vanishes(scale):
    a, b = np.array([3.0, -1.0, 0.0]) * (scale / 4), np.array([4.0, 2.0, 1.0]) * (scale / 4)
    _, tangent = zen.jvp(zen.atan2, (a, b), (a, b))
    np.testing.assert_allclose(tangent, 0.0, atol=1e-15)
    _, tangent = zen.jvp(zen.atan2, (a, b), (scale * np.ones(3) / 4, np.zeros(3)))
    np.testing.assert_allclose(tangent, [4 / 25, 2 / 5, 1.0], rtol=1e-14)


def test_the_slope_of_atan2_at_the_origin_and_at_infinity():
    a, b = np.array([0.0, np.inf, -np.inf, np.nan]), np.array([0.0, 1.0, -2.0, 1.0])
    _, tangent = zen.jvp(zen.atan2, (a, b), (np.ones(4), np.ones(4)))
    np.testing.assert_array_equal(tangent[:1], 0.0)
    assert np.isnan(tangent[3])
    _, tangent = zen.jvp(lambda a: zen.atan2(a, zen.tensor(b)), (a,), (np.ones(4),))
    np.testing.assert_array_equal(tangent[:3], 0.0)

"""L-BFGS: its kernels against dense matrices and NumPy, parameters of all kinds, closures that raise."""

import math

import numpy as np
import pytest

import zen
from zen import backend

kernels = backend.kernels.optim


def history(n, count, dtype, seed=0):
    """Pairs of changes with y @ s > 0, their ro, and a gradient."""
    rng = np.random.default_rng(seed)
    steps = [rng.standard_normal(n).astype(dtype) for _ in range(count)]
    changes = [(s * np.linspace(1, 3, n)).astype(dtype) for s in steps]
    ro = [1 / float(np.dot(y.astype("float64"), s)) for y, s in zip(changes, steps, strict=True)]
    return rng.standard_normal(n).astype(dtype), changes, steps, ro


def tensors(arrays):
    return [zen.tensor(a) for a in arrays]


# -- the direction


@pytest.mark.parametrize("n", [1, 5, 16, 530])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_direction_is_that_of_the_dense_inverse_hessian(n, count, dtype):
    """Nocedal, Wright (2006), equation 7.16 applied to matrices."""
    g, changes, steps, ro = history(n, count, dtype)
    inverse = 0.3 * np.eye(n)
    for y, s, r in zip(changes, steps, ro, strict=True):
        v = np.eye(n) - r * np.outer(y.astype("float64"), s)
        inverse = v.T @ inverse @ v + r * np.outer(s.astype("float64"), s)
    expected = -inverse @ g
    d, slope, largest = kernels.lbfgs_direction(g, tensors(changes), tensors(steps), ro, 0.3)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    scale = abs(expected).max()
    assert d.dtype == dtype
    np.testing.assert_allclose(d, expected, rtol=tolerance, atol=tolerance * scale)
    assert slope == pytest.approx(float(d.astype("float64") @ g), rel=1e-6 if dtype == "float32" else 1e-12)
    assert largest == abs(d).max()


def test_the_direction_of_a_long_vector_in_blocks():
    """More elements than a block has, and than the GIL is held for."""
    for n in (1024, 1025, 40_003):
        g, changes, steps, ro = history(n, 3, "float64")
        q, weights = -g, []
        for y, s, r in zip(changes[::-1], steps[::-1], ro[::-1], strict=True):
            weights.append(r * (s @ q))
            q = q - weights[-1] * y
        q = 0.7 * q
        for y, s, r, w in zip(changes, steps, ro, weights[::-1], strict=True):
            q = q + (w - r * (y @ q)) * s
        d, slope, largest = kernels.lbfgs_direction(g, tensors(changes), tensors(steps), ro, 0.7)
        np.testing.assert_allclose(d, q, rtol=1e-10, atol=1e-12)
        assert slope == pytest.approx(g @ q, rel=1e-10) and largest == pytest.approx(abs(q).max(), rel=1e-10)


def test_a_history_of_another_layout_and_dtype_and_what_does_not_fit():
    g, changes, steps, ro = history(6, 2, "float64")
    plain, *_ = kernels.lbfgs_direction(g, tensors(changes), tensors(steps), ro, 1.0)
    strided = [zen.from_numpy(np.repeat(a, 2)[::2]) for a in changes]
    singles = [zen.tensor(a.astype("float32")) for a in steps]
    found, *_ = kernels.lbfgs_direction(np.repeat(g, 2)[::2], strided, singles, ro, 1.0)
    np.testing.assert_allclose(found, plain, rtol=1e-5)
    with pytest.raises(ValueError, match=r"L-BFGS: a step has shape \(3,\), but must have \(6,\)"):
        kernels.lbfgs_direction(g, tensors(changes), tensors([steps[0], steps[1][:3]]), ro, 1.0)
    with pytest.raises(TypeError, match="a change of the gradient must be a Tensor or an array, not NoneType"):
        kernels.lbfgs_direction(g, [None, None], tensors(steps), ro, 1.0)
    with pytest.raises(TypeError, match="float32 and float64, not with int64"):
        kernels.lbfgs_direction(np.arange(6), tensors(changes), tensors(steps), ro, 1.0)
    with pytest.raises(ValueError, match="2 changes, 2 steps and 1 ro"):
        kernels.lbfgs_direction(g, tensors(changes), tensors(steps), ro[:1], 1.0)


@pytest.mark.parametrize("position", [0, 17, 20])
def test_nan_in_the_direction_shows_in_its_size_and_slope(position):
    g = np.ones(21)
    g[position] = math.nan
    d, slope, largest = kernels.lbfgs_direction(g, [], [], [], 1.0)
    assert math.isnan(d[position]) and np.isnan(d).sum() == 1 and math.isnan(slope) and math.isnan(largest)


# -- the other passes


@pytest.mark.parametrize("n", [0, 3, 16, 1500])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pair_of_changes_with_its_products(n, dtype):
    g, previous, d = np.random.default_rng(0).standard_normal((3, n)).astype(dtype)
    y, s, ys, yy = kernels.lbfgs_pair(g, previous, d, 0.3)
    assert y.dtype == s.dtype == dtype
    np.testing.assert_array_equal(y, g - previous)
    np.testing.assert_array_equal(s, g.dtype.type(0.3) * d)
    wide = y.astype("float64")
    assert ys == pytest.approx(wide @ s, rel=1e-12, abs=1e-12) and yy == pytest.approx(wide @ wide, rel=1e-12)


def test_products_of_float32_are_added_up_in_double():
    ones = np.ones(1 << 16, "float32")
    ones[0] = 1e4
    *_, ys, yy = kernels.lbfgs_pair(ones, np.zeros_like(ones), ones, 1.0)
    assert ys == yy == 1e8 + (1 << 16) - 1  # above 2 ** 24 a sum in float32 loses ones


def of_all_kinds():
    """Parameters of mixed dtypes and layouts with gradients, and those as one vector."""
    rng = np.random.default_rng(0)
    memory = rng.standard_normal((8, 6))
    params = [
        zen.tensor(rng.standard_normal((3, 2)).astype("float32"), requires_grad=True),
        zen.from_numpy(memory[::2, 4:0:-1]).requires_grad_(),
        zen.tensor(2.5, dtype="float64", requires_grad=True),
        zen.tensor(np.zeros((0, 3)), requires_grad=True),
        zen.from_numpy(rng.standard_normal((4, 3)).astype("float32").T).requires_grad_(),
        zen.tensor(rng.standard_normal(5).astype("float16"), requires_grad=True),
        zen.tensor(rng.standard_normal(1100), requires_grad=True),
    ]
    for p in params[1:]:
        p.grad = zen.from_numpy(np.array(rng.standard_normal(p.shape), p.dtype, order="F"))
    grads = [np.zeros(6), *[p.grad.numpy() for p in params[1:]]]
    return params, np.concatenate([g.astype("float64").reshape(-1) for g in grads])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradients_of_parameters_of_all_kinds_as_one_vector(dtype):
    params, expected = of_all_kinds()
    out, d = np.full(expected.size, 7.0, dtype), np.linspace(-1, 1, expected.size)
    largest, total, slope = kernels.lbfgs_gradient(params, out, d.astype(dtype))
    np.testing.assert_array_equal(out, expected.astype(dtype))
    assert largest == abs(out).max() and total == pytest.approx(abs(out).sum(dtype="float64"), rel=1e-12)
    assert slope == pytest.approx(expected @ d, rel=1e-5)
    assert kernels.lbfgs_gradient(params, out) == (largest, total, 0.0)


@pytest.mark.parametrize(("bad", "size"), [(math.nan, math.nan), (math.inf, math.inf), (-math.inf, math.inf)])
def test_sizes_of_gradients_that_are_not_finite(bad, size):
    p = zen.tensor(np.zeros(19), requires_grad=True)
    for position in (2, 18):
        g = np.ones(19)
        g[position] = bad
        p.grad = zen.tensor(g)
        largest, total, _ = kernels.lbfgs_gradient([p], np.empty(19))
        np.testing.assert_equal((largest, total), (size, size))


def test_vectors_that_do_not_fit_are_refused():
    p = zen.tensor(np.zeros(3), requires_grad=True)
    with pytest.raises(ValueError, match=r"the gradient has shape \(2,\), but must have \(3,\)"):
        kernels.lbfgs_gradient([p], np.empty(2))
    with pytest.raises(ValueError, match="a contiguous vector"):
        kernels.lbfgs_gradient([p], np.empty(6)[::2])
    with pytest.raises(ValueError, match=r"the direction has shape \(4,\), but must have \(3,\)"):
        kernels.lbfgs_gradient([p], np.empty(3), np.empty(4))
    with pytest.raises(ValueError, match=r"the gradient of before has shape \(1,\), but must have \(2,\)"):
        kernels.lbfgs_pair(np.ones(2), np.ones(1), np.ones(2), 1.0)
    with pytest.raises(ValueError, match=r"the origin has shape \(2,\), but must have \(3,\)"):
        kernels.lbfgs_move([p], np.ones(2), np.ones(3), 1.0, [])
    assert p.tolist() == [0, 0, 0]


def test_parameters_of_all_kinds_are_moved_where_they_lie():
    params, d = of_all_kinds()
    arrays = [p.array for p in params]
    origin = np.concatenate([a.astype("float64").reshape(-1) for a in arrays])
    kernels.lbfgs_move(params, origin, d, 0.25, [])
    expected, offset = origin + 0.25 * d, 0
    for p, a in zip(params, arrays, strict=True):
        values = expected[offset : offset + a.size].reshape(a.shape).astype(a.dtype)
        np.testing.assert_array_equal(p.detach().numpy(), values)
        np.testing.assert_array_equal(a, values)
        offset += a.size


# -- steps


def bowl(params, opt, points=None, raise_at=None, error=RuntimeError):
    """sum((p - 1)^2 + (p - 1)^4) over all parameters, which raises in the given call; `points` gets what it saw."""
    calls = []

    def closure():
        if points is not None:
            points.append([p.detach().numpy().copy() for p in params])
        calls.append(1)
        if len(calls) == raise_at:
            raise error("no loss today")
        opt.zero_grad()
        loss = sum((((p.astype("float64") - 1) ** 2 + (p.astype("float64") - 1) ** 4).sum() for p in params), 0.0)
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_parameters_of_all_kinds_reach_the_minimum(line_search_fn):
    params, _ = of_all_kinds()
    opt = zen.optim.LBFGS(params, lr=0.5, max_iter=100, tolerance_change=1e-14, line_search_fn=line_search_fn)
    opt.step(bowl(params, opt))
    for p in params:
        np.testing.assert_allclose(p.detach().numpy(), 1.0, atol=2e-3 if p.dtype == "float16" else 1e-5)
    assert opt.state[params[0]]["d"].dtype == "float64"


def test_mixed_dtypes_follow_the_path_of_float64():
    def path(dtypes):
        params = [zen.tensor(np.array([3.0, -2.0], d), requires_grad=True) for d in dtypes]
        opt = zen.optim.LBFGS(params, max_iter=6, line_search_fn="strong_wolfe")
        opt.step(bowl(params, opt))
        return [p.detach().numpy() for p in params]

    for found, expected in zip(path(["float32", "float64"]), path(["float64", "float64"]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def held(opt, params):
    """The bytes of parameters and state: nan and -0.0 count."""
    state = {key: [np.asarray(x).tobytes() for x in (value if isinstance(value, list) else [value])]
             for key, value in opt.state.get(params[0], {}).items()}  # fmt: skip
    return [p.detach().numpy().tobytes() for p in params], state


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.parametrize("raise_at", [1, 2, 3, 4])
def test_a_step_whose_closure_raises_changes_no_parameter_and_no_state(line_search_fn, steps_before, raise_at):
    params, _ = of_all_kinds()
    opt = zen.optim.LBFGS(params, lr=0.1, max_iter=5, tolerance_change=1e-14, line_search_fn=line_search_fn)
    for _ in range(steps_before):
        opt.step(bowl(params, opt))
    before, seen = held(opt, params), []
    for error in (RuntimeError, MemoryError, KeyboardInterrupt):
        seen.clear()
        with pytest.raises(error, match="no loss today"):
            opt.step(bowl(params, opt, seen, raise_at, error))
        assert held(opt, params) == before
    if raise_at > 1:  # the closure was called where parameters had moved
        assert any((a != b).any() for a, b in zip(seen[0], seen[-1], strict=True))
    calm_params, _ = of_all_kinds()
    calm = zen.optim.LBFGS(calm_params, lr=0.1, max_iter=5, tolerance_change=1e-14, line_search_fn=line_search_fn)
    for _ in range(steps_before + 1):
        calm.step(bowl(calm_params, calm))
    opt.step(bowl(params, opt))
    assert held(opt, params) == held(calm, calm_params)


def test_a_failed_step_keeps_the_sign_of_a_zero():
    p = zen.tensor([-0.0, 0.0, 2.0], requires_grad=True)
    opt = zen.optim.LBFGS([p])
    with pytest.raises(RuntimeError, match="no loss today"):
        opt.step(bowl([p], opt, raise_at=2))
    assert np.signbit(p.detach().numpy()).tolist() == [True, False, False]


def test_a_failed_step_spoils_the_graphs_of_its_trials():
    p = zen.tensor([4.0, -3.0], requires_grad=True)
    opt, graphs = zen.optim.LBFGS([p], line_search_fn="strong_wolfe"), []
    trial = bowl([p], opt, raise_at=2)

    def closure():
        graphs.append((p**2).sum())
        return trial()

    with pytest.raises(RuntimeError, match="no loss today"):
        opt.step(closure)
    with pytest.raises(RuntimeError, match=r"overwritten in place by 'LBFGS\.step'"):
        graphs[1].backward()


def test_a_step_within_the_closure_does_not_wait_for_itself():
    p = zen.tensor([4.0, -3.0], requires_grad=True)
    opt = zen.optim.LBFGS([p], max_iter=2)
    inner = bowl([p], opt)
    opt.step(lambda: opt.step(inner))
    assert np.isfinite(p.detach().numpy()).all()


def test_a_trial_that_raises_has_spoilt_the_graphs_of_before():
    params = [zen.tensor([4.0, -3.0], requires_grad=True)]
    opt = zen.optim.LBFGS(params, line_search_fn="strong_wolfe")
    late = (params[0] ** 2).sum()
    with pytest.raises(RuntimeError, match="no loss today"):
        opt.step(bowl(params, opt, raise_at=2))
    with pytest.raises(RuntimeError, match=r"overwritten in place by 'LBFGS\.step'"):
        late.backward()


def test_none_is_changed_where_one_cannot_be():
    memory = np.full((1, 2), 3.0)
    memory.flags.writeable = False
    params = [zen.tensor([4.0, -3.0], requires_grad=True), zen.from_numpy(memory).requires_grad_()]
    opt = zen.optim.LBFGS(params)
    with pytest.raises(ValueError, match=r"parameter of shape \(1, 2\) is read-only; clone\(\) it first"):
        opt.step(bowl(params, opt))
    assert params[0].tolist() == [4, -3] and params[1].tolist() == [[3, 3]]


def test_a_gradient_of_nan_changes_nothing():
    p = zen.tensor([1.0, 2.0], requires_grad=True)
    opt = zen.optim.LBFGS([p], line_search_fn="strong_wolfe")

    def closure():
        p.grad = zen.tensor([math.nan, 1.0])
        return 1.0

    assert opt.step(closure) == 1.0
    assert p.tolist() == [1, 2]

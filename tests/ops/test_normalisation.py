"""Normalisation: refusals, dtypes, running statistics, memory layouts. Values: tests/peers and test_rows."""

import re

import numpy as np
import pytest
from layouts import LAYOUTS

import zen
from zen import f, nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f.layer_norm(X, 6), r"layer_norm: x of shape \(4, 6, 5\) does not end in the normalized shape \(6,\)"),
        (lambda: f.layer_norm(X, ()), "does not end in the normalized shape"),
        (lambda: f.layer_norm(X, 5, weight=np.ones(6)), r"layer_norm: weight has shape \(6,\), expected .* \(5,\)"),
        (lambda: f.layer_norm(X, (6, 5), np.ones((6, 5)), np.ones(5)), r"bias has shape \(5,\), expected .* \(6, 5\)"),
        (lambda: f.rms_norm(X, 4), "rms_norm: x of shape"),
        (lambda: f.group_norm(X, 4), r"4 groups do not divide the 6 channels of x \(4, 6, 5\)"),
        (
            lambda: f.group_norm(X, 2, weight=np.ones(2)),
            r"weight has shape \(2,\), but x of shape \(4, 6, 5\) needs \(6,\)",
        ),
        (lambda: f.group_norm(np.ones(3), 1), r"group_norm: x must have a batch and channels.*got shape \(3,\)"),
        (lambda: f.instance_norm(np.ones((2, 3, 1))), "a single value per channel"),
        (
            lambda: f.instance_norm(X, np.ones(6), use_input_stats=False),
            "instance_norm: without use_input_stats, running_mean and running_var are needed",
        ),
        (lambda: f.instance_norm(X, np.ones(5)), r"instance_norm: running_mean has shape \(5,\).* needs \(6,\)"),
        (lambda: f.batch_norm(X, None, None), "without training, running_mean and running_var are needed"),
        (lambda: f.batch_norm(X, np.ones(5), np.ones(6)), r"running_mean has shape \(5,\).* needs \(6,\)"),
        (
            lambda: f.batch_norm(X[:1, :, :1], None, None, training=True),
            r"\(1, 6, 1\) has 1 value per channel, but training",
        ),
        (lambda: nn.BatchNorm1d(6)(np.ones((1, 6))), r"batch_norm: x of shape \(1, 6\) has 1 value per channel"),
        (lambda: nn.BatchNorm1d(3)(X), r"BatchNorm1d: x of shape \(4, 6, 5\) has 6 channels, expected 3"),
        (
            lambda: nn.BatchNorm2d(6)(X),
            r"BatchNorm2d: expected \(batch, channels, height, width\), got shape \(4, 6, 5\)",
        ),
        (lambda: nn.BatchNorm1d(0), "num_features must be a positive int"),
        (lambda: nn.GroupNorm(4, 6), "GroupNorm: 4 groups do not divide 6 channels"),
        (lambda: nn.GroupNorm(2, 4)(X), r"GroupNorm: expected \(batch, 4, ...\), got shape \(4, 6, 5\)"),
        (lambda: nn.InstanceNorm2d(5)(X), "InstanceNorm2d: x of shape .* has 4 channels, expected 5"),
        (lambda: nn.InstanceNorm1d(5)(X[0, 0]), "InstanceNorm1d: expected"),
        (lambda: nn.LayerNorm(()), "must name at least one axis"),
        (lambda: nn.LayerNorm((3, 0)), r"LayerNorm: normalized_shape\[1\] must be a positive int, not 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("n", [2.0, "2", None, (2,), np.ones(1), 0, -2], ids=repr)
def test_sizes_that_are_no_positive_ints(n):
    own = re.escape(repr(n))
    kind = f"must be (a positive )?int, not {own}|is given a Tensor"
    for call, message in (
        (lambda: nn.GroupNorm(n, 6), f"GroupNorm: num_groups {kind}"),
        (lambda: nn.GroupNorm(1, n), f"GroupNorm: num_channels {kind}"),
        (lambda: nn.InstanceNorm1d(n), f"InstanceNorm1d: num_features {kind}"),
        (lambda: f.group_norm(X, n), f"group_norm: {own} groups do not divide the 6 channels"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def test_more_groups_than_channels():
    for n in (7, 2**31, 2**62, 2**64):
        with pytest.raises(ValueError, match=f"GroupNorm: {n} groups do not divide 6 channels"):
            nn.GroupNorm(n, 6)
        with pytest.raises(ValueError, match=f"group_norm: {n} groups do not divide the 6 channels"):
            f.group_norm(X, n)


OPERATIONS = [
    lambda x, w, b: f.layer_norm(x, (6,), w, b), lambda x, w, b: f.rms_norm(x, (6,), w),
    lambda x, w, b: f.group_norm(x, 3, w, b), lambda x, w, b: f.batch_norm(x, None, None, w, b, True),
    lambda x, w, b: f.batch_norm(x, w, b * b + 1, w, b),
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
def test_memory_layout_changes_nothing(operation):
    arrays = [RNG.normal(size=s) for s in ((5, 6), (6,), (6,))]
    g = RNG.normal(size=(5, 6))

    def run(given, cotangent):
        inputs = [zen.from_numpy(a).requires_grad_() for a in given]
        y = operation(*inputs)
        y.backward(cotangent)
        return [y.value, *[t.grad.value for t in inputs if t.grad is not None]]

    expected = run(arrays, g)
    for layout in LAYOUTS:
        for a, b in zip(run([layout(a) for a in arrays], layout(g)), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_other_dtypes(operation):
    exact = operation(X[:, :, 0], np.ones(6), np.zeros(6)).value
    halves = [a.astype(np.float16) for a in (X[:, :, 0], np.ones(6), np.zeros(6))]
    y = operation(*halves)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.value, exact, rtol=2e-2, atol=2e-2)
    whole = operation(np.arange(12).reshape(2, 6), np.ones(6), np.zeros(6))
    assert whole.dtype == np.float64 and np.isfinite(whole.value).all()
    mixed = operation(zen.tensor(X[:, :, 0], dtype="float32", requires_grad=True), np.ones(6), np.zeros(6))
    mixed.sum().backward()
    np.testing.assert_allclose(mixed.value, exact, rtol=1e-5, atol=1e-5)


def test_no_samples():
    assert f.layer_norm(np.zeros((0, 3)), 3).shape == (0, 3)
    assert f.group_norm(np.zeros((0, 4, 2)), 2).shape == (0, 4, 2)
    mean, var, weight = zen.zeros(3), zen.ones(3), zen.ones(3, requires_grad=True)
    y = f.batch_norm(np.zeros((0, 3)), mean, var, weight, training=True)
    y.sum().backward()
    assert y.shape == (0, 3) and weight.gradient.tolist() == [0.0] * 3
    assert mean.tolist() == [0.0] * 3 and var.tolist() == [1.0] * 3


@pytest.mark.parametrize("shape", [(2, 6, 0), (0, 6, 4), (2, 0, 3)])
@pytest.mark.parametrize(
    "norm",
    [
        lambda x, w, b: f.group_norm(x, 2 if x.shape[1] else 1, w, b),
        lambda x, w, b: f.instance_norm(x, None, None, w, b),
        lambda x, w, b: f.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: f.batch_norm(x, np.zeros(x.shape[1]), np.ones(x.shape[1]), w, b),
    ],
    ids=["group", "instance", "batch", "fixed"],
)
def test_weights_that_meet_no_element_get_zeros(norm, shape):
    x = zen.tensor(np.ones(shape), requires_grad=True)
    w, b = (zen.tensor(np.ones(shape[1]), requires_grad=True) for _ in range(2))
    norm(x, w, b).sum().backward()
    assert x.gradient.shape == shape
    assert w.gradient.tolist() == b.gradient.tolist() == [0.0] * shape[1]
    _, tangent = zen.jvp(norm, (x.array, w.array, b.array), (x.array, w.array, b.array))
    assert tangent.shape == shape


def test_no_channels_divide_by_nothing():
    for shape in ((2, 0, 3), (2, 0)):
        x = zen.tensor(np.zeros(shape), requires_grad=True)
        f.group_norm(x, 1, np.ones(0)).sum().backward()
        assert x.gradient.shape == shape
    assert f.instance_norm(np.zeros((2, 0, 3))).shape == (2, 0, 3)


@pytest.mark.parametrize("kind", ["int64", "int32", "bool", "list", ">f8"])
def test_weights_that_are_no_native_floats_are_converted_not_read_as_bytes(kind):
    w, v = np.array([3, 1, 0, 2, 1, 4]), np.arange(5)
    a, b = (w.tolist(), v.tolist()) if kind == "list" else (w.astype(kind), v.astype(kind))
    w, v = (w > 0, v > 0) if kind == "bool" else (w, v)
    w, v = w.astype(float), v.astype(float)
    for found, expected in (
        (f.layer_norm(X, 5, b, b), f.layer_norm(X, 5, v, v)),
        (f.rms_norm(X, 5, b), f.rms_norm(X, 5, v)),
        (f.group_norm(X, 2, a, a), f.group_norm(X, 2, w, w)),
        (f.instance_norm(X, None, None, a, a), f.instance_norm(X, None, None, w, w)),
        (f.batch_norm(X, None, None, a, a, True), f.batch_norm(X, None, None, w, w, True)),
    ):
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-12)
    with pytest.raises(TypeError, match="running_mean must be a Tensor or array of floats"):
        f.batch_norm(X, np.zeros(6, int), np.ones(6), training=True)


def test_running_statistics_move_and_are_announced():
    layer = nn.BatchNorm1d(6)
    mean, x = layer.running_mean, zen.tensor(X, dtype="float32", requires_grad=True)
    evaluated = layer.eval()(x).sum()
    layer.train()(x)
    assert layer.running_mean is mean and layer.num_batches_tracked.item() == 1
    np.testing.assert_allclose(mean.value, 0.1 * X.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.value, 0.9 + 0.1 * X.var((0, 2), ddof=1), rtol=1e-5)
    with pytest.raises(RuntimeError, match="overwritten"):
        evaluated.backward()
    layer.reset_running_stats()
    assert not mean.value.any() and layer.running_var.value.all() and layer.num_batches_tracked.item() == 0


def test_running_statistics_of_instances_move_and_are_announced():
    layer = nn.InstanceNorm1d(6, momentum=0.25, track_running_stats=True)
    mean, x = layer.running_mean, zen.tensor(X, dtype="float32", requires_grad=True)
    evaluated = layer.eval()(x)
    np.testing.assert_allclose(evaluated.value, X / np.sqrt(1 + 1e-5), rtol=1e-5)
    layer.train()(x[0])
    layer(x)
    expected = 0.75 * 0.25 * X[0].mean(1) + 0.25 * X.mean((0, 2))
    assert layer.running_mean is mean and layer.num_batches_tracked.item() == 0
    np.testing.assert_allclose(mean.value, expected, rtol=1e-5)
    expected = 0.75 * (0.75 + 0.25 * X[0].var(1, ddof=1)) + 0.25 * X.var(2, ddof=1).mean(0)
    np.testing.assert_allclose(layer.running_var.value, expected, rtol=1e-5)
    with pytest.raises(RuntimeError, match="overwritten"):
        evaluated.sum().backward()
    layer(x[:0])
    assert np.isfinite(mean.value).all()
    assert layer.eval()(x[:, :, :1]).shape == (4, 6, 1)  # one value per channel will do
    layer.reset_running_stats()
    assert not mean.value.any() and layer.running_var.value.all()


def test_no_momentum_averages_over_the_batches():
    layer = nn.BatchNorm1d(6, momentum=None)
    for k in range(3):
        layer(np.float32(X[..., k]))
    np.testing.assert_allclose(layer.running_mean.value, X[..., :3].mean((0, 2)), rtol=1e-5, atol=1e-7)


def test_without_tracking_the_batch_counts_always():
    layer = nn.BatchNorm1d(6, track_running_stats=False, affine=False).eval()
    np.testing.assert_allclose(layer(X).value.mean((0, 2)), np.zeros(6), atol=1e-12)
    assert list(layer.state_dict()) == [] and layer.running_mean is None
    layer.reset_running_stats()


def test_a_second_derivative_leaves_the_running_statistics_alone():
    layer, x = nn.BatchNorm1d(6, dtype="float64"), zen.tensor(X, requires_grad=True)
    (g,) = zen.gradients([layer(x).square().sum()], [x], create_graph=True)
    before = layer.running_mean.value.copy()
    g.square().sum().backward()
    np.testing.assert_array_equal(layer.running_mean.value, before)
    assert layer.num_batches_tracked.item() == 1


def test_reset_parameters():
    layers = nn.BatchNorm1d(3), nn.InstanceNorm1d(3, affine=True), nn.LayerNorm(3), nn.GroupNorm(1, 3), nn.RMSNorm(3)
    for layer in layers:
        with zen.no_grad():
            for p in layer.parameters():
                p += 5
        layer.reset_parameters()
        assert layer.weight.tolist() == [1.0, 1.0, 1.0] and getattr(layer, "bias", zen.zeros(3)).tolist() == [0.0] * 3


LARGE = np.array([[1, 2, -1, 0.5, 3, -2], [0, 1, 4, -3, 2, 2]])
NORMALISATIONS = {
    "layer_norm": lambda x, eps: f.layer_norm(x, 6, eps=eps),
    "rms_norm": lambda x, eps: f.rms_norm(x, 6, eps=eps),
    "batch_norm": lambda x, eps: f.batch_norm(x, None, None, training=True, eps=eps),
    "batch_norm of sequences": lambda x, eps: f.batch_norm(x.reshape((2, 2, 3)), None, None, training=True, eps=eps),
    "group_norm": lambda x, eps: f.group_norm(x, 2, eps=eps),
    "instance_norm": lambda x, eps: f.instance_norm(x.reshape((2, 2, 3)), eps=eps),
}


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize(("scale", "eps"), [(1e20, 1e-5), (1e-25, 0.0), (1e15, 1e-5)])
def test_values_whose_squares_leave_float32(name, scale, eps):
    """In float32 1e20 squared is inf and 1e-25 squared is 0; the results are those of float64."""
    norm, weights = NORMALISATIONS[name], np.linspace(-1, 2, 12)

    def run(dtype, create_graph):
        x = zen.tensor((LARGE * scale).astype(dtype), requires_grad=True)
        y = norm(x, eps)
        g = zen.gradients([y], [x], [weights.reshape(y.shape).astype(dtype)], create_graph=create_graph)[0]
        return y.array, g.array.astype(np.float64) * scale

    exact = run(np.float64, False)
    assert np.abs(exact[0]).max() > 0.5
    for create_graph in (False,) if eps == 0 else (False, True):  # the composition, too, with large values
        for found, expected in zip(run(np.float32, create_graph), exact, strict=True):
            np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
    if eps:
        x, t = (LARGE * scale).astype(np.float32), np.ones((2, 6), np.float32)
        assert np.isfinite(zen.jvp(lambda v: norm(v, eps), (x,), (t,))[1]).all()


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_values_whose_squares_leave_float16(name):
    x = (LARGE * 1000).astype(np.float16)
    exact = NORMALISATIONS[name](zen.tensor(x.astype(np.float64)), 1e-5).array
    np.testing.assert_allclose(NORMALISATIONS[name](zen.tensor(x), 1e-5).array, exact, atol=2e-3)

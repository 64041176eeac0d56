"""Layers, activations and initial values against PyTorch: values, gradients, state_dict keys, defaults."""

import numpy as np
import pytest
import torch
from twice import agree

import zen
from zen import nn

RNG = np.random.default_rng(0)


def draws(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def both(zen_module, torch_module, *inputs, tolerance=1e-5):
    """Run both modules with the same parameters forwards and backwards, and compare everything."""
    arrays = [x if isinstance(x, np.ndarray) else np.asarray(x) for x in inputs]
    state = {k: v.numpy() for k, v in torch_module.state_dict().items()}
    assert list(zen_module.state_dict()) == list(state)
    assert {k: v.shape for k, v in zen_module.state_dict().items()} == {k: v.shape for k, v in state.items()}
    zen_module.load_state_dict(state)
    mine = [zen.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    theirs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    y, expected = zen_module(*mine), torch_module(*theirs)
    assert y.dtype == expected.detach().numpy().dtype
    close(y, expected, tolerance)
    g = RNG.normal(size=y.shape).astype(y.dtype)
    y.backward(g)
    expected.backward(torch.tensor(g))
    for a, b in zip(mine, theirs, strict=True):
        if b.grad is not None:
            close(a.grad, b.grad, tolerance)
    pairs = zip(zen_module.named_parameters(), torch_module.named_parameters(), strict=True)
    for (name, p), (other, q) in pairs:
        assert name == other
        if q.grad is not None:
            close(p.grad, q.grad, tolerance)
    for name, t in zen_module.state_dict().items():  # running statistics move alike
        close(t, torch_module.state_dict()[name], tolerance)
    return y


def close(mine, theirs, tolerance=1e-5):
    np.testing.assert_allclose(mine.array, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


ACTIVATIONS = [
    ("ReLU", {}), ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.2}), ("PReLU", {}),
    ("PReLU", {"num_parameters": 4, "init": 0.1}), ("ELU", {}), ("ELU", {"alpha": 0.5}), ("SELU", {}), ("CELU", {}),
    ("CELU", {"alpha": 2.0}), ("GELU", {}), ("GELU", {"approximate": "tanh"}), ("SiLU", {}), ("Mish", {}),
    ("Softplus", {}), ("Softplus", {"beta": 2.0}), ("Softplus", {"beta": 2.0, "threshold": 1.0}),
    ("Softplus", {"beta": -0.5, "threshold": -1.0}), ("Softsign", {}), ("Tanh", {}), ("Sigmoid", {}),
    ("LogSigmoid", {}), ("Hardtanh", {}), ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}), ("ReLU6", {}),
    ("Hardsigmoid", {}), ("Hardswish", {}), ("Tanhshrink", {}), ("Softshrink", {}), ("Softshrink", {"lambd": 1.0}),
    ("Hardshrink", {}), ("Threshold", {"threshold": 0.3, "value": -2.0}), ("Softmax", {"dim": 1}),
    ("LogSoftmax", {"dim": 0}), ("Softmin", {"dim": -1}), ("Softmax2d", {}), ("RReLU", {"lower": 0.1, "upper": 0.1}),
    ("LocalResponseNorm", {"size": 3, "alpha": 0.5}), ("LocalResponseNorm", {"size": 2, "k": 0.5, "beta": 0.6}),
    ("GLU", {"dim": 1}), ("Identity", {}),
    ("Flatten", {}), ("Flatten", {"start_dim": 0, "end_dim": 1}),
    ("Unflatten", {"dim": 1, "unflattened_size": (2, -1)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), ACTIVATIONS, ids=lambda v: v if isinstance(v, str) else "-".join(v))
def test_activations(name, arguments):
    y = both(getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments), 3 * draws(3, 4, 5))
    assert y.dtype == np.float32


@pytest.mark.parametrize("name", ["ReLU", "ReLU6", "Hardtanh", "Hardshrink", "Softshrink", "LeakyReLU", "ELU"])
def test_subgradients_at_kinks(name):
    both(getattr(nn, name)(), getattr(torch.nn, name)(), np.array([0.0, -1.0, 1.0, 6.0, 0.5, -0.5], np.float32))


def test_extreme_values_of_activations():
    x = np.array([-1e4, -90.0, -20.0, 20.0, 90.0, 1e4], np.float32)
    for name in ("Sigmoid", "LogSigmoid", "Softplus", "SiLU", "Mish", "GELU", "SELU", "ELU"):
        both(getattr(nn, name)(), getattr(torch.nn, name)(), x)


def test_softplus_is_the_identity_beyond_the_threshold():
    x = np.array([-40.0, -2.0, 0.0, 5.0, 9.99, 10.0, 10.01, 19.99, 20.0, 20.01, 25.0, 1e4, np.inf, -np.inf])
    for beta, threshold in ((1, 20), (2.0, 20.0), (0.5, 5), (-1.0, 10.0), (1.0, np.inf)):
        mine, theirs = zen.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y = zen.f.softplus(mine, beta, threshold)
        expected = torch.nn.functional.softplus(theirs, beta, threshold)
        if threshold == np.inf:  # where PyTorch overflows
            expected = torch.nn.functional.softplus(theirs, beta, 700)
        np.testing.assert_allclose(y.array, expected.detach().numpy(), rtol=1e-13)
        (g,) = zen.gradients([y.sum()], [mine], create_graph=True)
        (expected,) = torch.autograd.grad(expected.sum(), [theirs], create_graph=True)
        np.testing.assert_allclose(g.array, expected.detach().numpy(), rtol=1e-13)
        (g,) = zen.gradients([g.sum()], [mine])
        (expected,) = torch.autograd.grad(expected.sum(), [theirs])
        inner = np.isfinite(x) & (beta * x != threshold)  # at the threshold itself PyTorch's second derivative is 0
        np.testing.assert_allclose(g.array[inner], expected.numpy()[inner], rtol=1e-9)
    assert (zen.f.softplus(x[-5:-1]).array == x[-5:-1]).all()


def test_attributes_of_activations_are_pytorchs():
    for name, arguments in [*ACTIVATIONS, ("ReLU6", {}), ("Threshold", {"threshold": 1, "value": 2})]:
        mine, theirs = getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments)
        own = {k: v for k, v in vars(theirs).items() if not k.startswith("_") and k != "training"}
        assert own == {k: getattr(mine, k) for k in own}, name
        assert repr(mine).split("  #")[0] == repr(theirs) or name in ("Unflatten", "Flatten", "Identity"), name
    assert issubclass(nn.ReLU6, nn.Hardtanh)


def test_prelu_resets_its_parameters():
    mine, theirs = nn.PReLU(3, 0.1), torch.nn.PReLU(3, 0.1)
    with zen.no_grad():
        mine.weight += 1
    mine.reset_parameters()
    close(mine.weight, theirs.weight, 0)


LAYERS = [
    (lambda m: m.Linear(5, 3), [(4, 5)]), (lambda m: m.Linear(5, 3, bias=False), [(2, 4, 5)]),
    (lambda m: m.Linear(5, 3), [(5,)]), (lambda m: m.Bilinear(3, 4, 2), [(6, 3), (6, 4)]),
    (lambda m: m.Sequential(m.Linear(5, 8), m.ReLU(), m.Linear(8, 2, bias=False)), [(3, 5)]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shapes"), LAYERS)
def test_layers(make, shapes):
    both(make(nn), make(torch.nn), *[draws(*s) for s in shapes])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", [{}, {"affine": True, "track_running_stats": True, "momentum": 0.3}], ids=str)
def test_normalisation_of_volumes(options, training):
    for name, shapes in (("BatchNorm3d", [(2, 3, 2, 3, 2)]), ("InstanceNorm3d", [(2, 3, 2, 3, 2), (3, 2, 3, 2)])):
        for shape in shapes:
            mine, theirs = getattr(nn, name)(3, **options), getattr(torch.nn, name)(3, **options)
            both(mine.train(training), theirs.train(training), draws(*shape))


def test_activations_in_evaluation():
    both(nn.RReLU().eval(), torch.nn.RReLU().eval(), draws(3, 4))


def test_bilinear():
    arrays = [RNG.normal(size=s) for s in ((2, 6, 3), (2, 6, 4), (5, 3, 4), (5,))]
    agree(zen.f.bilinear, torch.nn.functional.bilinear, *arrays)
    agree(zen.f.bilinear, torch.nn.functional.bilinear, *arrays[:3])


@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding(padding):
    indices = np.array([[1, 2, 2], [6, 0, 1]])
    both(nn.Embedding(7, 3, padding), torch.nn.Embedding(7, 3, padding), indices)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"max_norm": 0.7}, {"include_last_offset": True}], ids=str)
def test_embedding_bag(mode, options):
    mine, theirs = nn.EmbeddingBag(7, 3, mode=mode, **options), torch.nn.EmbeddingBag(7, 3, mode=mode, **options)
    assert repr(mine).split("  #")[0] == repr(theirs)
    last = [6] if "include_last_offset" in options else []
    both(mine, theirs, np.array([1, 2, 2, 6, 0, 1]), np.array([0, 2, 2, 5, *last]))
    if not last:
        both(mine, theirs, np.array([[1, 2, 2], [6, 0, 1]]))
    if mode == "sum" and not last:
        weights = RNG.normal(size=(2, 3)).astype(np.float32)
        agree(
            lambda t, w: zen.f.embedding_bag([[1, 2, 2], [6, 0, 1]], t, mode="sum", per_sample_weights=w),
            lambda t, w: torch.nn.functional.embedding_bag(
                torch.tensor([[1, 2, 2], [6, 0, 1]]), t, mode="sum", per_sample_weights=w
            ),
            RNG.normal(size=(7, 3)).astype(np.float32), weights, tolerance=1e-5, order=1,
        )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [{"max_norm": 0.7}, {"max_norm": 1.0, "norm_type": 1.0, "padding_idx": 1}, {"scale_grad_by_freq": True}],
    ids=str,
)
def test_embedding_limits_rows_and_their_gradients(options):
    mine, theirs = nn.Embedding(7, 3, **options), torch.nn.Embedding(7, 3, **options)
    assert repr(mine).split("  #")[0] == repr(theirs)
    both(mine, theirs, np.array([[1, 2, 2], [6, 0, 1]]))
    close(mine.weight, theirs.weight)


def test_weights_carry_over_both_ways():
    mine, theirs = (
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)),
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)),
    )
    theirs.load_state_dict({k: torch.from_numpy(np.array(v.numpy())) for k, v in mine.state_dict().items()})
    x = draws(6, 3)
    close(mine(x), theirs(torch.from_numpy(x)))
    theirs(torch.from_numpy(x))
    mine.load_state_dict(theirs.state_dict())
    for name, t in mine.state_dict().items():
        close(t, theirs.state_dict()[name], 0)


MOMENTS = [
    ("uniform_", (-2.0, 3.0)), ("normal_", (1.0, 2.0)), ("trunc_normal_", (0.5, 2.0, -1.0, 3.0)),
    ("xavier_uniform_", (2.0,)),
    ("xavier_normal_", (0.5,)), ("kaiming_uniform_", (0.2,)), ("kaiming_normal_", (0.1, "fan_out", "relu")),
    ("kaiming_uniform_", (5**0.5,)), ("trunc_normal_", (0.0, 1.0, 1.5, 4.0)), ("sparse_", (0.3, 2.0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), MOMENTS)
def test_initial_distributions(name, arguments):
    torch.manual_seed(0)
    zen.random.seed(0)
    shape = (200, 300) if name == "sparse_" else (100, 30, 5, 4)
    mine = getattr(nn.init, name)(zen.zeros(shape, dtype="float32"), *arguments).array
    theirs = getattr(torch.nn.init, name)(torch.zeros(shape), *arguments).numpy()
    assert mine.dtype == np.float32
    spread = theirs.std()
    assert abs(mine.mean() - theirs.mean()) < 0.03 * spread
    np.testing.assert_allclose(mine.std(), spread, rtol=0.02)
    np.testing.assert_allclose(
        np.quantile(mine, [0.1, 0.5, 0.9]), np.quantile(theirs, [0.1, 0.5, 0.9]), atol=0.05 * spread
    )
    if name != "sparse_":
        np.testing.assert_allclose([mine.min(), mine.max()], [theirs.min(), theirs.max()], atol=1.0 * spread)


def test_gains_and_constant_patterns():
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)
    for name, shape, arguments in [
        ("eye_", (3, 5), ()), ("dirac_", (6, 2, 3), (2,)), ("dirac_", (2, 4, 3, 5), ()), ("ones_", (2,), ()),
        ("zeros_", (2,), ()), ("constant_", (2, 2), (0.25,)),
    ]:  # fmt: skip
        mine = getattr(nn.init, name)(zen.ones(shape), *arguments).array
        np.testing.assert_array_equal(mine, getattr(torch.nn.init, name)(torch.ones(shape), *arguments).numpy())


@pytest.mark.parametrize(
    "make", [lambda m: m.Linear(300, 200), lambda m: m.Embedding(300, 200), lambda m: m.Bilinear(40, 50, 30)]
)
def test_default_initial_values(make):
    zen.random.seed(1)
    torch.manual_seed(1)
    theirs = make(torch.nn).state_dict()
    for name, t in make(nn).state_dict().items():
        a, b = t.array, theirs[name].numpy()
        np.testing.assert_allclose(a.std(), b.std(), rtol=0.15)
        np.testing.assert_allclose(np.abs(a).max(), np.abs(b).max(), rtol=0.2)

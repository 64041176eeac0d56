"""Options of functions and layers that are NumPy's numbers give what Python's give: above all, they widen nothing."""

import inspect

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.ops import late
from zen.ops.register import FUNCTIONS

RNG = np.random.default_rng(0)
X = (RNG.random((4, 6)) * 0.8 + 0.1).astype(np.float32)
Y = (RNG.random((4, 6)) * 0.8 + 0.1).astype(np.float32)
SIGNS = np.where(X > 0.5, 1, -1).astype(np.float32)
IMAGES = RNG.normal(size=(2, 4, 6, 6)).astype(np.float32)
CLASSES = np.array([0, 5, 2, 1])

CALLS = {
    # The arguments that stand before the options, made of x, and the options.
    **{name: ((lambda t: (t,)), options) for name, options in {
        "alpha_dropout": {"p": 0.25, "training": True}, "celu": {"alpha": 1.5}, "dropout": {"p": 0.25},
        "elu": {"alpha": 1.5},
        "feature_alpha_dropout": {"p": 0.25, "training": True}, "gumbel_softmax": {"tau": 0.5, "eps": 1e-9},
        "hardshrink": {"lambd": 0.25}, "hardtanh": {"min_val": 0.25, "max_val": 0.5},
        "leaky_relu": {"negative_slope": 0.25},
        "nan_to_num": {"nan": 0.5}, "normalize": {"p": 3.0, "eps": 0.5}, "pdist": {"p": 3.0},
        "real_if_close": {"tol": 50.0},
        "rms_norm": {"normalized_shape": 6, "eps": 0.25}, "rrelu": {"lower": 0.25, "upper": 0.5},
        "softplus": {"beta": 2.0, "threshold": 10.0}, "softshrink": {"lambd": 0.25},
        "layer_norm": {"normalized_shape": 6, "eps": 0.25},
        "std": {"correction": 0.5, "ddof": 0.5}, "var": {"correction": 0.5, "ddof": 0.5},
        "nanstd": {"correction": 0.5, "ddof": 0.5},
        "nanvar": {"correction": 0.5, "ddof": 0.5}, "threshold": {"threshold": 0.5, "value": 0.25},
        "unwrap": {"discont": 0.25, "period": 0.5}, "vector_norm": {"ord": 3.0},
        "group_norm": {"num_groups": 2, "eps": 0.25},
    }.items()},
    **{name: ((lambda t: (t, Y)), options) for name, options in {
        "cdist": {"p": 3.0}, "cosine_similarity": {"eps": 2.0}, "huber_loss": {"delta": 0.25},
        "pairwise_distance": {"p": 3.0, "eps": 0.25},
        "smooth_l1_loss": {"beta": 0.25}, "poisson_nll_loss": {"eps": 0.25, "log_input": False, "full": True},
        "margin_ranking_loss": {"target": SIGNS, "margin": 0.25},
        "triplet_margin_loss": {"negative": Y[::-1], "margin": 0.25, "p": 3.0, "eps": 0.5},
        "triplet_margin_with_distance_loss": {"negative": Y[::-1], "margin": 0.25},
        "gaussian_nll_loss": {"var": Y, "eps": 0.5},
        "cosine_embedding_loss": {"target": SIGNS[:, 0], "margin": 0.25},
        "scaled_dot_product_attention": {"value": Y, "dropout_p": 0.25, "scale": 0.5},
        "lstsq": {"rcond": 0.1},
    }.items()},
    **{name: ((lambda t: (t, CLASSES)), options) for name, options in {
        "cross_entropy": {"label_smoothing": 0.25}, "multi_margin_loss": {"margin": 0.25},
    }.items()},
    "hinge_embedding_loss": (lambda t: (t, SIGNS), {"margin": 1.5}),
    "embedding": (lambda t: (CLASSES[:3] % 4, t), {"max_norm": 0.5, "norm_type": 3.0}),
    "embedding_bag": (lambda t: (CLASSES[:3] % 4, t, [0, 2]), {"max_norm": 0.5, "norm_type": 3.0}),
    "batch_norm": (
        lambda t: (t, np.zeros(6, np.float32), np.ones(6, np.float32)),
        {"training": True, "momentum": 0.25, "eps": 0.25},
    ),
}  # fmt: skip
IMAGED = {
    "instance_norm": {"momentum": 0.25, "eps": 0.25},
    "local_response_norm": {"size": 2, "alpha": 0.5, "beta": 0.5, "k": 2.0},
    "lp_pool2d": {"norm_type": 2.0, "kernel_size": 2}, "dropout2d": {"p": 0.25},
    "fractional_max_pool2d": {"kernel_size": 2, "output_ratio": 0.5},
    "interpolate": {"scale_factor": 1.5, "mode": "bilinear"}, "avg_pool2d": {"kernel_size": 2, "divisor_override": 3},
}  # fmt: skip
CALLS |= {name: (lambda t: (IMAGES * t[0, 0],), options) for name, options in IMAGED.items()}
SAME = {"dropout1d", "dropout3d", "lp_pool1d", "lp_pool3d", "fractional_max_pool3d", "allclose", "isclose"}
"""What shares its code with one above, or gives bools."""
NUMPYS = {"trapezoid", "logspace", "polyfit"}
"""Functions of NumPy's whose results these numbers widen there too."""


def value_and_gradient(name, kind):
    arguments, options = CALLS[name]
    t = zen.tensor(X, requires_grad=True)
    zen.random.seed(3)
    given = {key: kind(x) if isinstance(x, float) else x for key, x in options.items()}
    if "ddof" in given and name in ("std", "var", "nanstd", "nanvar"):
        del given["correction"]
    y = getattr(f, name)(*arguments(t), **given)
    y = y[0] if isinstance(y, tuple) else y
    (y * np.arange(1, y.size + 1, dtype=np.float32).reshape(y.shape)).sum().backward()
    return y.detach().numpy(), t.grad.numpy()


@pytest.mark.parametrize("kind", [np.float64, np.float32, lambda x: np.array(x)], ids=["float64", "float32", "array"])
@pytest.mark.parametrize("name", CALLS)
def test_functions(name, kind):
    wanted = value_and_gradient(name, float)
    assert wanted[0].dtype == np.float32
    for a, b in zip(value_and_gradient(name, kind), wanted, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_every_function_with_such_an_option_is_in_the_table():
    late.load_all()
    missing = []
    for name, function in FUNCTIONS.items():
        try:
            options = inspect.signature(function).parameters.values()
        except ValueError:
            continue
        if any("float" in str(p.annotation) or isinstance(p.default, float) for p in options):
            missing += [name] if name not in CALLS and name not in SAME | NUMPYS else []
    assert not missing


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        (lambda n: nn.LeakyReLU(n(0.25)), 1), (lambda n: nn.ELU(n(1.5)), 1), (lambda n: nn.CELU(n(1.5)), 1),
        (lambda n: nn.Hardtanh(n(0.25), n(0.5)), 1), (lambda n: nn.Softplus(n(2.0), n(10.0)), 1),
        (lambda n: nn.Softshrink(n(0.25)), 1),
        (lambda n: nn.Threshold(n(0.5), n(0.25)), 1), (lambda n: nn.RReLU(n(0.25), n(0.5)).eval(), 1),
        (lambda n: nn.Dropout(n(0.25)), 1),
        (lambda n: nn.LayerNorm(6, eps=n(0.25)), 1), (lambda n: nn.BatchNorm1d(6, eps=n(0.25), momentum=n(0.5)), 1),
        (lambda n: nn.RMSNorm(6, eps=n(0.25)), 1), (lambda n: nn.GroupNorm(2, 6, eps=n(0.25)), 1),
        (lambda n: nn.PReLU(init=n(0.5)), 1),
        (lambda n: nn.CosineSimilarity(eps=n(2.0)), 2), (lambda n: nn.PairwiseDistance(n(3.0), n(0.25)), 2),
        (lambda n: nn.HuberLoss(delta=n(0.25)), 2),
        (lambda n: nn.SmoothL1Loss(beta=n(0.25)), 2), (lambda n: nn.TripletMarginLoss(n(0.25), n(3.0), n(0.5)), 3),
        (lambda n: nn.GaussianNLLLoss(eps=n(0.5)), 3), (lambda n: nn.MarginRankingLoss(n(0.25)), 3),
        (lambda n: nn.AdaptiveLogSoftmaxWithLoss(6, 10, [3], div_value=n(2.0)).log_prob, 1),
    ],
)  # fmt: skip
def test_layers(layer, module):
    found = []
    for kind in (float, np.float64):
        zen.random.seed(2)
        y = layer(kind)(*[zen.tensor(x) for x in (X, Y, np.abs(SIGNS))[:module]])
        found.append(y.detach().numpy())
    np.testing.assert_array_equal(found[1], found[0], strict=True)

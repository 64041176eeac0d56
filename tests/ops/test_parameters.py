"""A Tensor that requires a gradient, given as a parameter, is differentiated or refused by name; never a constant."""

import inspect

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.ops import late
from zen.ops.register import FUNCTIONS

late.load_all()

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
P, Q = RNG.uniform(0.1, 0.9, size=(4, 3)), RNG.uniform(0.1, 0.9, size=(4, 3))
CLASSES, SIGNS, IMAGES = np.array([0, 2, 1, 2]), np.where(Y > 0, 1.0, -1.0), RNG.normal(size=(2, 4, 6, 6))
WEIGHTS = np.array([0.5, 1.2, 2.0])
TRAINING = {"training": True}

# function: (arguments, keywords, real parameters with a value at which they matter and are smooth)
CALLS = {
    **{name: ((IMAGES,), TRAINING, {"p": 0.3}) for name in ("alpha_dropout", "feature_alpha_dropout", "dropout3d")},
    "avg_pool2d": ((IMAGES, 2), {}, {"divisor_override": 3.0}),
    **{f"fractional_max_pool{n}d": ((IMAGES, 2), {}, {"output_ratio": 0.5}) for n in (2, 3)},
    "batch_norm": ((X, np.zeros(3), np.ones(3)), TRAINING, {"eps": 0.1, "momentum": 0.1}),
    "binary_cross_entropy": ((P, Q), {}, {"weight": WEIGHTS}),
    "binary_cross_entropy_with_logits": ((X, Q), {}, {"weight": WEIGHTS, "pos_weight": WEIGHTS}),
    "cdist": ((X, Y), {}, {"p": 3.0}),
    "celu": ((X,), {}, {"alpha": 1.3}),
    "clamp": ((X,), {}, {"min": -0.5, "max": 0.5}),
    "cosine_embedding_loss": ((X, Y, SIGNS[:, 0]), {}, {"margin": 0.1}),
    "cosine_similarity": ((X, Y), {}, {"eps": 10.0}),
    "cross_entropy": ((X, CLASSES), {}, {"weight": WEIGHTS, "label_smoothing": 0.1}),
    "dropout": ((X,), {}, {"p": 0.3}),
    "dropout1d": ((IMAGES[0],), {}, {"p": 0.3}),
    "dropout2d": ((IMAGES,), {}, {"p": 0.3}),
    "elu": ((X,), {}, {"alpha": 1.3}),
    "embedding": ((CLASSES, X), {}, {"max_norm": 0.5, "norm_type": 3.0}),
    "embedding_bag": ((CLASSES[None], X), {}, {"max_norm": 0.5, "norm_type": 3.0}),
    "gaussian_nll_loss": ((X, Y, P), {}, {"eps": 0.05}),
    "group_norm": ((IMAGES, 2), {}, {"eps": 0.1}),
    "gumbel_softmax": ((X,), {}, {"tau": 0.7, "eps": 0.1}),
    "hardshrink": ((X,), {}, {"lambd": 0.5}),
    "hardtanh": ((X,), {}, {"min_val": -0.5, "max_val": 0.5}),
    "hinge_embedding_loss": ((P * 0.1, SIGNS), {}, {"margin": 1.0}),
    "huber_loss": ((3 * X, Y), {}, {"delta": 1.0, "weight": P}),
    "instance_norm": ((IMAGES,), {}, {"eps": 0.1, "momentum": 0.1}),
    "l1_loss": ((X, Y), {}, {"weight": P}),
    "layer_norm": ((X, 3), {}, {"eps": 0.1}),
    "leaky_relu": ((X,), {}, {"negative_slope": 0.1}),
    **{
        f"lp_pool{n}d": ((x,), {"kernel_size": 2}, {"norm_type": 3.0})
        for n, x in ((1, IMAGES[0]), (2, IMAGES), (3, IMAGES))
    },
    "lstsq": ((X, Y), {}, {"rcond": 0.1}),
    "local_response_norm": ((IMAGES, 2), {}, {"alpha": 0.5, "beta": 0.7, "k": 1.2}),
    "logspace": ((0.2, 1.1, 3), {}, {"base": 3.0}),
    "margin_ranking_loss": ((X[:, 0], Y[:, 0], SIGNS[:, 0]), {}, {"margin": 0.1}),
    "mse_loss": ((X, Y), {}, {"weight": P}),
    "multi_margin_loss": ((X, CLASSES), {}, {"p": 2.0, "margin": 1.0, "weight": WEIGHTS}),
    "nan_to_num": ((np.array([1.0, np.nan]),), {}, {"nan": 2.0}),
    **dict.fromkeys(("nanstd", "nanvar"), ((X,), {}, {"correction": 1.0, "ddof": 1.0})),
    "nll_loss": ((X, CLASSES), {}, {"weight": WEIGHTS}),
    "norm": ((X[0],), {}, {"ord": 3.0}),
    "normalize": ((X,), {}, {"p": 3.0, "eps": 10.0}),
    "pad": ((X, 1), {}, {"constant_values": 2.0}),
    "pairwise_distance": ((X, Y), {}, {"p": 3.0, "eps": 0.1}),
    "pdist": ((X,), {}, {"p": 3.0}),
    "poisson_nll_loss": ((P, Q), {"log_input": False}, {"eps": 0.1}),
    "polyfit": ((X[:, 0], Y[:, 0], 1), {}, {"rcond": 1e-9}),
    "real_if_close": ((X + 0j,), {}, {"tol": 100.0}),
    "rms_norm": ((X, 3), {}, {"eps": 0.1}),
    "rrelu": ((X,), TRAINING, {"lower": 0.1, "upper": 0.4}),
    "scaled_dot_product_attention": ((IMAGES,) * 3, {}, {"scale": 0.3, "attn_mask": X[:1, :1], "dropout_p": 0.2}),
    "smooth_l1_loss": ((X, Y), {}, {"beta": 0.8}),
    "softplus": ((X,), {}, {"beta": 1.2, "threshold": 20.0}),
    "softshrink": ((X,), {}, {"lambd": 0.5}),
    "std": ((X,), {}, {"correction": 1.0, "ddof": 1.0}),
    "threshold": ((X,), {}, {"threshold": 0.5, "value": 0.3}),
    "trapezoid": ((X,), {}, {"dx": 0.5}),
    "triplet_margin_loss": ((X, Y, P), {}, {"margin": 1.0, "p": 3.0, "eps": 0.1}),
    "triplet_margin_with_distance_loss": ((X, Y, P), {}, {"margin": 1.0}),
    "unwrap": ((X,), {}, {"discont": 1.5, "period": 3.0}),
    "var": ((X,), {}, {"correction": 1.0, "ddof": 1.0}),
    "vector_norm": ((X[0],), {}, {"ord": 3.0}),
}
# a bool is no function of them that could be differentiated
UNDIFFERENTIABLE = {"allclose", "isclose"}
CASES = [(name, p) for name, (_, _, parameters) in CALLS.items() for p in parameters]


def call(name, parameter, value):
    args, keywords, _ = CALLS[name]
    zen.random.seed(0)
    made = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    if name == "threshold":
        keywords = {"threshold": 0.5, "value": 0.3}
    return zen.sum(zen.f.multiply(getattr(f, name)(*made, **{**keywords, parameter: value}), 1.0))


def test_every_real_parameter_is_in_the_table():
    for name, function in FUNCTIONS.items():
        if name in UNDIFFERENTIABLE:
            continue
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:
            continue
        real = {
            p.name for p in parameters
            if type(p.default) is float or "float" in str(p.annotation) or p.name in ("eps", "pos_weight", "scale")
        }  # fmt: skip
        known = CALLS.get(name, ((), {}, {}))[2]
        assert real <= set(known), f"{name}: {real - set(known)}"


@pytest.mark.parametrize(("name", "parameter"), CASES)
def test_a_parameter_that_requires_a_gradient(name, parameter):
    value = np.asarray(CALLS[name][2][parameter], np.float64)
    t = zen.tensor(value, requires_grad=True)
    try:
        y = call(name, parameter, t)
    except (TypeError, ValueError) as error:
        assert str(error).startswith(name.replace("clamp", "clip")) and parameter in str(error)
        return
    found = zen.gradients(y, t).array  # which raises where the parameter has been made a constant
    expected = np.zeros(value.shape)
    for index in np.ndindex(value.shape):
        step = np.zeros(value.shape)
        step[index] = 1e-6
        above, below = (call(name, parameter, zen.tensor(value + s * step)).item() for s in (1, -1))
        expected[index] = (above - below) / 2e-6
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


# what the functions with whole numbers as parameters are called with, where it is not one matrix
WHOLE_CALLS = {
    **{name: ((X, Y), {}) for name in ("cosine_similarity", "vecdot")}, "concat": (([X, X],), {}),
    **{f"conv{kind}1d": ((RNG.normal(size=(2, 3, 6)), np.ones((3, 3, 2))), {}) for kind in ("", "_transpose")},
    **{f"conv{kind}2d": ((IMAGES, np.ones((4, 4, 2, 2))), {}) for kind in ("", "_transpose")},
    **{f"conv{kind}3d": ((IMAGES[None], np.ones((2, 2, 2, 2, 2))), {}) for kind in ("", "_transpose")},
    "split": ((X, 2), {}),
    **{name: CALLS[name][:2] for name in ("cross_entropy", "embedding", "embedding_bag")},
    **{name: CALLS[name][:2] for name in ("multi_margin_loss", "nll_loss")},
    "matrix_power": ((X[:3],), {}), "group_norm": ((IMAGES,), {}), "repeat": ((X, 2), {}), "stack": (([X, X],), {}),
    "kaiser": ((), {"beta": 2.0}), "vander": ((X[0],), {}),
    "polyfit": ((X[:, 0], Y[:, 0]), {}), "array_split": ((X, 2), {}), "append": ((X, X), {}),
    "insert": ((X, 0, 1.0), {}), "delete": ((X, 0), {}), "partition": ((X, 1), {}), "rollaxis": ((X,), {"axis": 0}),

    "take": ((X, [0, 1]), {}), "histogram2d": ((X[:, 0], Y[:, 0]), {}), "bincount": ((CLASSES,), {}),
    **{name: ((0.5, 1.0), {}) for name in ("geomspace", "linspace", "logspace")},
    "compress": (([True], X), {}), "put_along_axis": ((zen.tensor(X), np.zeros((4, 1), int), 1.0), {}),
    "apply_along_axis": ((np.sum,), {"arr": X}), "cross": ((X, Y), {}), "solve_triangular": ((X[:3], Y[:3]), {}),
    "unfold": ((IMAGES, 2), {}), "fold": ((RNG.normal(size=(2, 16, 9)), (4, 4), 2), {}),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), ((IMAGES,), {})),
    "ctc_loss": ((np.log(np.full((4, 1, 3), 1 / 3)), [[1, 2]], [4], [2]), {}),
    "swapaxes": ((X,), {"axis1": 0, "axis2": 1}), "take_along_axis": ((X, np.zeros((4, 1), int)), {}),
    **{f"avg_pool{n}d": ((IMAGES[..., 0] if n == 1 else IMAGES, 2), {}) for n in (1, 2, 3)},
    "tensordot": ((X, X.T), {}),
    **{f"max_pool{n}d": ((IMAGES[..., 0] if n == 1 else IMAGES, 2), {}) for n in (1, 2, 3)},
    "roll": ((X, 1), {}),
    **{f"max_unpool{n}d": ((np.ones((1, 1, *[2] * n)), np.zeros((1, 1, *[2] * n), int), 2), {}) for n in (1, 2, 3)},
}  # fmt: skip


def whole_parameters():
    for name, function in FUNCTIONS.items():
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:
            continue
        for p in parameters:
            if (
                type(p.default) is int
                and name not in ("nanstd", "nanvar", "pad", "select", "std", "var")
                or str(p.annotation).startswith("int")
            ):
                yield name, p.name


@pytest.mark.parametrize("make", [np.asarray, zen.tensor], ids=["arrays", "Tensors"])
@pytest.mark.parametrize(("name", "parameter"), [*whole_parameters()])
def test_a_whole_number_is_refused_by_name_where_it_requires_a_gradient(name, parameter, make):
    args, keywords = WHOLE_CALLS.get(name, ((X,), {}))
    args = [make(a) if isinstance(a, np.ndarray) else a for a in args]
    with pytest.raises((TypeError, ValueError), match=rf"(?s)^{name}: .*({parameter}|axis)"):
        getattr(f, name)(*args, **{**keywords, parameter: zen.tensor(1.0, requires_grad=True)})


@pytest.mark.parametrize("name", ["vector_norm", "norm", "pairwise_distance", "triplet_margin_loss"])
def test_an_order_may_be_a_tensor_that_requires_no_gradient(name):
    args = {"pairwise_distance": (X, Y), "triplet_margin_loss": (X, Y, P)}.get(name, (X[0],))
    key = "ord" if "norm" in name else "p"
    for p in (1, 2, 3.0):
        found, expected = (getattr(f, name)(*args, **{key: value}).numpy() for value in (zen.tensor(p), p))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda t: zen.arange(0, t, 0.1), lambda t: np.asarray(t),
        lambda t: np.array([t, 1.0]),
        lambda t: nn.CrossEntropyLoss(weight=zen.stack([t, t])),
        lambda t: nn.BCEWithLogitsLoss(pos_weight=t),
        lambda t: nn.LayerNorm(3, eps=t)(zen.ones((2, 3))), lambda t: nn.Dropout(t)(zen.ones(2)),
        lambda t: nn.HuberLoss(delta=t)(zen.ones(2), zen.zeros(2)),
        lambda t: nn.BatchNorm1d(3, momentum=t)(zen.ones((2, 3))),
    ],
)  # fmt: skip
def test_what_would_make_a_constant_of_it_raises(make):
    t = zen.tensor(0.5, requires_grad=True)
    with pytest.raises((TypeError, RuntimeError, ValueError), match="gradient|does not take"):
        make(t)


def test_in_place_methods_differentiate_their_arguments():
    for write, expected in (
        (lambda x, t: x.add_(np.array([1.0, 2.0]), alpha=t), 3.0),
        (lambda x, t: x.sub_(np.array([1.0, 2.0]), alpha=t), -3.0),
        (lambda x, t: x.clip_(t, 9.0), 1.0),
        (lambda x, t: x.fill_(t), 2.0),
        (lambda x, t: x.copy_(t), 2.0),
    ):
        t, x = zen.tensor(0.5, requires_grad=True), zen.tensor([0.0, 1.0])
        assert zen.gradients(zen.sum(write(x, t)), t).item() == expected

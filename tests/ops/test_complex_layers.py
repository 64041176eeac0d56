"""Layers' functions of complex numbers: orders 1 and 2 in both modes, numerically checked; and what is refused."""

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.testing import check_gradients

RNG = np.random.default_rng(7)


def real(*shape):
    return RNG.normal(size=shape)


def draw(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


GRID = np.clip(real(1, 2, 3, 2) * 0.4, -0.9, 0.9)
CASES = {
    "linear": (f.linear, draw(2, 3), draw(4, 3), draw(4)),
    "bilinear": (f.bilinear, draw(2, 3), draw(2, 2), draw(2, 3, 2), draw(2)),
    "conv1d": (lambda x, w, b: f.conv1d(x, w, b, 2, 1, 1, 2), draw(2, 4, 5), draw(2, 2, 3), draw(2)),
    "conv1d of real x": (lambda x, w, b: f.conv1d(x, w, b), real(1, 2, 4), draw(2, 2, 2), real(2)),
    "conv1d by real weights": (lambda x, w, b: f.conv1d(x, w, b), draw(1, 2, 4), real(2, 2, 2), real(2)),
    "conv1d with a complex bias": (lambda x, w, b: f.conv1d(x, w, b), real(1, 2, 4), real(2, 2, 2), draw(2)),
    "conv2d": (lambda x, w: f.conv2d(x, w, stride=(1, 2), padding=1), draw(1, 2, 3, 4), draw(2, 2, 2, 3)),
    "conv3d": (lambda x, w, b: f.conv3d(x, w, b), draw(1, 1, 2, 3, 2), draw(2, 1, 2, 2, 1), draw(2)),
    "conv_transpose1d": (lambda x, w, b: f.conv_transpose1d(x, w, b, 2), draw(1, 2, 3), draw(2, 1, 2), draw(1)),
    "conv_transpose2d": (lambda x, w: f.conv_transpose2d(x, w, None, 2, 1), draw(1, 2, 2, 3), draw(2, 1, 2, 2)),
    "conv_transpose3d": (lambda x, w: f.conv_transpose3d(x, w), draw(1, 1, 2, 2, 2), real(1, 2, 2, 1, 2)),
    "embedding": (lambda w: f.embedding([[0, 2], [2, 1]], w), draw(4, 3)),
    "dropout": (lambda x: f.dropout(x, 0.5, generator=np.random.default_rng(0)), draw(4, 3)),
    "dropout2d": (lambda x: f.dropout2d(x, 0.5, generator=np.random.default_rng(0)), draw(3, 2, 2)),
    "pad": (lambda x: f.pad(x, pad=(2, 1), mode="reflect"), draw(2, 4)),
    "avg_pool1d": (lambda x: f.avg_pool1d(x, 3, 2, 1), draw(2, 2, 5)),
    "avg_pool2d": (lambda x: f.avg_pool2d(x, 2, count_include_pad=False, padding=1), draw(1, 2, 4, 3)),
    "avg_pool3d": (lambda x: f.avg_pool3d(x, 2), draw(1, 1, 2, 4, 2)),
    "adaptive_avg_pool1d": (lambda x: f.adaptive_avg_pool1d(x, 3), draw(1, 2, 5)),
    "adaptive_avg_pool2d": (lambda x: f.adaptive_avg_pool2d(x, (2, 3)), draw(1, 1, 3, 5)),
    "adaptive_avg_pool3d": (lambda x: f.adaptive_avg_pool3d(x, 2), draw(1, 1, 3, 2, 3)),
    "max_unpool1d": (lambda x: f.max_unpool1d(x, [[[1, 2, 2]]], 2), draw(1, 1, 3)),
    "interpolate, linear": (lambda x: f.interpolate(x, scale_factor=1.6, mode="linear"), draw(1, 2, 4)),
    "interpolate, nearest": (lambda x: f.interpolate(x, 5), draw(1, 2, 3)),
    "grid_sample": (lambda x, g: f.grid_sample(x, g, align_corners=False), draw(1, 2, 3, 3), GRID),
    "unfold": (lambda x: f.unfold(x, 2), draw(1, 1, 3, 3)),
    "fold": (lambda x: f.fold(x, (3, 3), 2), draw(1, 4, 4)),
    "pixel_shuffle": (lambda x: f.pixel_shuffle(x, 2), draw(1, 4, 1, 2)),
    "normalize": (lambda x: f.normalize(x, p=3.0), draw(2, 3)),
    "pairwise_distance": (lambda x, y: f.pairwise_distance(x, y), draw(2, 3), draw(2, 3)),
    "triplet_margin_loss": (lambda x, y, z: f.triplet_margin_loss(x, y, z, 5.0), draw(2, 3), draw(2, 3), draw(2, 3)),
    "l1_loss": (lambda x, y: f.l1_loss(x, y), draw(2, 3), draw(2, 3)),
    "l1_loss of real numbers to complex ones": (lambda x, y: f.l1_loss(x, y), real(2, 3), draw(2, 3)),
    "softsign": (f.softsign, draw(3)), "tanhshrink": (f.tanhshrink, 0.3 * draw(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    function, *args = CASES[name]
    check_gradients(function, args, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_single_precision(name):
    function, *args = CASES[name]
    narrow = [a.astype(np.complex64 if a.dtype.kind == "c" else np.float32) for a in args]
    t, u = ([zen.tensor(a, requires_grad=True) for a in given] for given in (narrow, args))
    y, z = function(*t), function(*u)
    assert y.dtype == {"f": np.float32, "c": np.complex64}[z.dtype.kind]
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-3, atol=1e-4)
    (abs(y) ** 2).sum().backward()
    (abs(z) ** 2).sum().backward()
    for a, b, given in zip(t, u, narrow, strict=True):
        assert a.grad.dtype == given.dtype
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-2, atol=1e-3)


def test_a_convolution_of_complex_numbers_is_that_of_numpy():
    x, w = draw(7), draw(3)
    found = f.conv1d(x[None], w[None, None, ::-1])
    np.testing.assert_allclose(found.numpy()[0], np.convolve(x, w, "valid"), rtol=1e-13)


def test_infinities_stay_in_their_part():
    x = np.array([[[complex(np.inf, 1.0), 2.0, 3.0 + 1j]]])
    y = f.avg_pool1d(x, 1).numpy()
    np.testing.assert_array_equal(y.real, x.real)
    np.testing.assert_array_equal(y.imag, x.imag)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_recurrent_nets(name):
    zen.random.seed(1)
    net = getattr(nn, name)(2, 2, dtype=np.complex128)
    x = 0.4 * draw(*((1, 2) if "Cell" in name else (3, 1, 2)))

    def states(x):
        y = net(x)
        return y[0] if isinstance(y, tuple) else y

    assert states(zen.tensor(x)).dtype == np.complex128
    check_gradients(states, [x], atol=1e-6)
    check_gradients(states, [x.real], atol=1e-6)


def test_layers_of_complex_parameters_train():
    """Least squares of a complex linear map: the optimum is found."""
    zen.random.seed(0)
    x, true = draw(40, 3), draw(2, 3)
    layer = nn.Linear(3, 2, dtype=np.complex128)
    assert layer.weight.dtype == layer.bias.dtype == np.complex128 and abs(layer.weight.detach().numpy().imag).max() > 0
    optimiser = zen.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        (abs(layer(x) - x @ true.T) ** 2).mean().backward()
        optimiser.step()
    np.testing.assert_allclose(layer.weight.detach().numpy(), true, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda d: nn.Linear(3, 2, dtype=d), (4, 3)), (lambda d: nn.Conv1d(2, 4, 2, groups=2, dtype=d), (1, 2, 5)),
        (lambda d: nn.Conv2d(2, 3, 2, padding=1, padding_mode="circular", dtype=d), (1, 2, 3, 3)),
        (lambda d: nn.Conv3d(1, 2, 2, padding="same", dtype=d), (1, 1, 3, 3, 3)),
        (lambda d: nn.ConvTranspose2d(2, 1, 2, dtype=d), (1, 2, 3, 3)), (lambda d: nn.RNN(3, 2, dtype=d), (2, 4, 3)),
    ],
)  # fmt: skip
def test_layers_have_complex_parameters(layer, shape, dtype):
    made = layer(dtype)
    y = made(draw(*shape).astype(dtype))
    y = y[0] if isinstance(y, tuple) else y
    assert y.dtype == dtype
    (abs(y) ** 2).sum().backward()
    assert all(p.dtype == p.grad.dtype == dtype for p in made.parameters())
    again = layer(dtype)
    again.load_state_dict(made.state_dict())
    for a, b in zip(again.parameters(), made.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_modules_become_complex_and_keep_to_it():
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    before = model[0].weight.detach().numpy()
    model.to(np.complex128)
    assert model(draw(1, 3)).dtype == np.complex128
    np.testing.assert_array_equal(model[0].weight.detach().numpy(), before)
    model.to(np.float32)  # complex parameters stay complex
    assert model[0].weight.dtype == np.complex64


def test_initial_values_of_complex_parameters():
    zen.random.seed(0)
    t = zen.zeros((200, 300), np.complex128)
    bound = nn.init.uniform_(t, -2.0, 1.0).numpy()
    for part in (bound.real, bound.imag):
        assert -2 <= part.min() < -1.9 and 0.9 < part.max() < 1
    values = nn.init.normal_(t, 3.0, 2.0).numpy()
    np.testing.assert_allclose(values.mean(), 3.0, atol=0.05)
    deviation = np.sqrt((abs(values - 3.0) ** 2).mean())
    np.testing.assert_allclose([deviation, values.real.std(), values.imag.std()], [2, 2**0.5, 2**0.5], rtol=0.02)
    square = nn.init.orthogonal_(zen.zeros((5, 5), np.complex128)).numpy()
    np.testing.assert_allclose(square @ square.conj().T, np.eye(5), atol=1e-12)
    assert abs(square.imag).max() > 0.1
    with pytest.raises(TypeError, match="trunc_normal_: complex numbers have no order; use normal_"):
        nn.init.trunc_normal_(t)


Z = draw(2, 4)
IMAGE = draw(1, 2, 4, 4)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: f.mse_loss(Z, Z), r"mse_loss is not .* complex numbers; write \(abs\(input - target\) \*\* 2\).mean\(\)"),
    (lambda: f.mse_loss(Z.real, Z), "mse_loss is not defined here for complex numbers"),
    (lambda: f.binary_cross_entropy(abs(Z) % 1, Z), "binary_cross_entropy is not defined here for complex"),
    (lambda: f.gaussian_nll_loss(Z.real, Z, abs(Z)), "gaussian_nll_loss is not defined here for complex"),
    (lambda: f.l1_loss(Z, Z, weight=Z), "l1_loss is not defined here for complex"),
    (lambda: f.cosine_similarity(Z, Z), r"cosine_similarity is not .*; write \(x1 \* x2.conj\(\)\).real"),
    (lambda: f.cdist(Z, Z), "cdist is not defined here for complex numbers; write abs"),
    (lambda: f.max_pool2d(IMAGE, 2), r"max_pool2d is not .*; compute with x.real, x.imag or abs\(x\)"),
    (lambda: f.fractional_max_pool2d(IMAGE, 2, 2), "fractional_max_pool2d is not defined here for complex"),
    (lambda: f.lp_pool2d(IMAGE, 2.0, 2), "lp_pool2d is not defined here for complex"),
    (lambda: f.alpha_dropout(Z, 0.5, True), "alpha_dropout is not defined here for complex numbers"),
    (lambda: f.layer_norm(Z, 4), "layer_norm is not defined here for complex"),
    (lambda: f.batch_norm(Z, None, None, training=True), "batch_norm is not defined here for complex"),
    (lambda: f.relu(Z), "relu is not defined here for complex"),
    (lambda: f.softmax(Z, 1), "softmax is not defined here for complex"),
    (lambda: nn.RNN(4, 2, nonlinearity="relu", dtype=np.complex64)(Z[None]), "rnn_relu is not defined here"),
    (lambda: nn.LayerNorm(3, dtype=np.complex64), "LayerNorm: parameters need a floating dtype, not complex64"),
    (lambda: nn.Linear(3, 2, dtype=np.int64), "Linear: parameters need a floating or complex dtype, not int64"),
])  # fmt: skip
def test_what_is_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()

"""Public functions of all examples at once: what they give for each, without a warning that something runs in turn."""

import warnings

import numpy as np
import pytest

import zen
from zen import f, nn

RNG = np.random.default_rng(0)
V, POSITIVE, M = RNG.normal(size=(3, 6)), RNG.uniform(0.1, 1, (3, 6)), RNG.normal(size=(3, 4, 4))
S, TALL = M @ M.transpose(0, 2, 1) + 4 * np.eye(4), RNG.normal(size=(3, 5, 3))
K, T = RNG.integers(0, 5, (3, 6)), RNG.normal(size=(3, 2, 5))
IMAGES, LINES = RNG.normal(size=(3, 2, 3, 8, 8)), RNG.normal(size=(3, 2, 3, 9))
SPACE, ROWS, CLASSES = RNG.normal(size=(3, 2, 3, 4, 4, 4)), RNG.normal(size=(3, 4, 6)), RNG.integers(0, 6, (3, 4))
SIGNS, HEADS = np.sign(V), RNG.normal(size=(3, 2, 4, 5, 8))
NAN = np.where(POSITIVE > 0.8, np.nan, V)


@pytest.fixture(autouse=True)
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def each(g, *args):
    """The leaves of what g gives for each example, stacked."""
    found = [zen.trees.values([g(*[zen.tensor(x[b]) for x in args])]) for b in range(3)]
    return [
        np.stack([np.asarray(x.detach() if isinstance(x, zen.Tensor) else x) for x in group])
        for group in zip(*found, strict=True)
    ]


def check(g, *args):
    made = zen.trees.values([zen.vmap(g)(*args)])
    expected = each(g, *args)
    assert len(made) == len(expected)
    for x, want in zip(made, expected, strict=True):
        assert x.dtype == want.dtype
        np.testing.assert_allclose(np.asarray(x), want, rtol=1e-9, atol=1e-10)


ALONG = {
    "sort": np.sort, "argsort": np.argsort, "all sorted": lambda x: np.sort(x, None), "cumsum": np.cumsum,
    "cumprod": lambda x: np.cumprod(x, 0), "partition": lambda x: np.partition(x, 1, 0),
    "argpartition": lambda x: np.argpartition(x, 1), "delete": lambda x: np.delete(x, 1), "unwrap": np.unwrap,
    "compress": lambda x: np.compress([True, False], x, 0), "repeat": lambda x: np.repeat(x, 3),
    "repeat rows": lambda x: np.repeat(x, [1, 2], axis=0), "roll": lambda x: np.roll(x, 2),
    "roll axes": lambda x: np.roll(x, (1, 2), (0, 1)), "median": np.median, "medians": lambda x: np.median(x, 0),
    "quantiles": lambda x: np.quantile(x, [0.2, 0.5, 0.7], axis=-1, keepdims=True), "argmax": np.argmax,
    "argmin kept": lambda x: np.argmin(x, keepdims=True), "percentile": lambda x: np.percentile(x, 30),
    "nearest": lambda x: np.quantile(x, 0.3, method="nearest"), "take": lambda x: np.take(x, [2, 0], axis=1),
    "ravel": lambda x: x.ravel(), "outer": lambda x: np.outer(x, x), "vdot": lambda x: np.vdot(x, x),
    "append": lambda x: np.append(x, x), "insert": lambda x: np.insert(x, 1, 5.0), "diagflat": np.diagflat,
    "add.reduce": np.add.reduce, "multiply.accumulate": lambda x: np.multiply.accumulate(x, -1),
    "maximum.reduce": lambda x: np.maximum.reduce(x, None), "multiply.outer": lambda x: np.multiply.outer(x, x[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ALONG))
def test_along_axes(name):
    check(ALONG[name], T)
    x = T[:, None]
    np.testing.assert_array_equal(np.asarray(zen.vmap(zen.vmap(ALONG[name]))(x))[:, 0], zen.vmap(ALONG[name])(T))


@pytest.mark.parametrize("name", "nansum nanmean nanmedian nanmax nanmin nanstd nanvar nanprod nancumsum".split())
def test_where_some_are_not_numbers(name):
    check(getattr(np, name), NAN)


STACKS = {
    "eigh": lambda x: np.linalg.eigh(x).eigenvalues, "eigvalsh": np.linalg.eigvalsh, "svd": np.linalg.svdvals,
    "singular vectors": lambda x: abs(np.linalg.svd(x)[0]), "eigvals": lambda x: np.linalg.eigvals(x).real,
    "norm 2": lambda x: np.linalg.norm(x, 2), "nuclear norm": lambda x: np.linalg.norm(x, "nuc"),
    "cond": np.linalg.cond, "rank": np.linalg.matrix_rank, "expm": f.expm, "lu": f.lu, "pinv": np.linalg.pinv,
    "qr": lambda x: np.linalg.qr(x, "complete"), "cholesky": np.linalg.cholesky,
}  # fmt: skip


@pytest.mark.parametrize("name", list(STACKS))
def test_of_matrices(name):
    check(STACKS[name], S)


@pytest.mark.parametrize("name", ["eigvalsh", "svd", "norm 2", "expm", "pinv", "eigh"])
def test_their_gradients(name):
    def g(x):
        return (STACKS[name](x + x.T) ** 2).sum()

    np.testing.assert_allclose(zen.vmap(zen.grad(g))(M), [zen.grad(g)(x) for x in M], rtol=1e-8, atol=1e-8)
    found = zen.grad(lambda x: zen.vmap(g)(x).sum())(M)
    np.testing.assert_allclose(found, [zen.grad(g)(x) for x in M], rtol=1e-8, atol=1e-8)


def test_triangular_systems():
    check(lambda a, b: f.solve_triangular(a, b, lower=True), S, V[:, :4])
    check(lambda a, b: f.solve_triangular(a, b), S, M)
    check(lambda b: f.solve_triangular(S[0], b), V[:, :4])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("g", [np.convolve, np.correlate])
def test_convolutions(g, mode):
    check(lambda a, v: g(a, v, mode), V, T[:, 0])
    check(lambda v: g(np.ones(3), v, mode), V)
    check(lambda a, v: g(a, v, mode), T[:, 0], V)

    def of(a, v):
        return (g(a, v, mode) ** 2).sum()

    found = zen.vmap(zen.grad(of, (0, 1)))(V, T[:, 0])
    for k in range(2):
        np.testing.assert_allclose(
            found[k], [zen.grad(of, k)(a, v) for a, v in zip(V, T[:, 0], strict=True)], atol=1e-10
        )


def test_fields_of_fourier_transforms():
    for g in (np.fft.fft2, np.fft.ifftn, np.fft.rfft2, lambda x: np.fft.fftn(x, axes=(0,))):
        check(g, M)


def test_of_elements():
    check(lambda x: np.select([x > 0, x < -1], [x, x * 2], 0.5), V)
    check(lambda k, x: np.choose(k % 2, [x, 2 * x]), K, V)
    check(np.nan_to_num, NAN)
    check(lambda x: np.interp(x, np.arange(4.0), np.arange(4.0) ** 2), V)
    check(f.hardshrink, V)
    check(lambda x: f.threshold(x, 0.1, 2.0), V)
    check(lambda k: f.one_hot(k, 5), K)
    check(lambda x: np.digitize(x, [0.0, 1.0]), V)
    check(lambda x: np.searchsorted(np.arange(4.0), x), V)
    check(lambda k: np.isin(k, [1, 2]), K)
    check(lambda w: np.bincount(np.array([0, 1, 1, 2, 0, 2]), w), V)
    check(lambda x, w: np.average(x, weights=w), V, POSITIVE)


@pytest.mark.parametrize("g", [
    lambda x, k: x[:, k[0] % 5], lambda x, k: x[:, k % 5], lambda x, k: x[:, k % 5, None], lambda x, k: x[k % 2, k],
    lambda x, k: x[None, k % 2, ..., 1], lambda x, k: x[..., k], lambda x, k: np.take(x, k, axis=1),
    lambda x, k: np.take(x, k), lambda x, k: np.take_along_axis(x, k[None] * np.ones((2, 1), int), 1),
    lambda x, k: np.take_along_axis(x, k, None), lambda x, k: x[[1, 0], :][:, k], lambda x, k: x[1, ..., k[:2]],
])  # fmt: skip
def test_positions_that_differ_by_example(g):
    check(lambda x, k: g(x, k), T, K)
    weights = RNG.normal(size=np.asarray(g(zen.tensor(T[0]), zen.tensor(K[0]))).shape)
    found = zen.vmap(zen.grad(lambda x, k: (g(x, k) * weights).sum()), (0, 0))(T, K)
    expected = [zen.grad(lambda x, k=k: (g(x, zen.tensor(k)) * weights).sum())(x) for x, k in zip(T, K, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_separate_arrays_in_a_key():
    x = RNG.normal(size=(3, 2, 4, 3))
    check(lambda x: x[[1, 0], :, [1, 2]], x)
    check(lambda x: x[0, :, [1, 2]], x)

    def written(x, v):
        y = x * 1
        y[[1, 0], :, [1, 2]] = v
        y[0, :, [1, 0]] = 2.0
        return y

    check(written, x, RNG.normal(size=(3, 2, 4)))
    check(written, x, RNG.normal(size=(3, 4)))
    check(written, x, RNG.normal(size=3))
    check(lambda x: zen.grad(lambda x: (x[[1, 0], :, [1, 2]] ** 3).sum())(x), x)


def test_writes_at_positions_that_differ_by_example():
    def at(x, k):
        y = x * 1
        y[k] = 0.5
        y[k[:2]] = x[:2]
        y[y > 0.7] = 0.0
        return y

    check(at, V, K)

    def rows(x, k):
        y = x * 1
        y[k % 4, 1:3] = x[0, 1:3]
        return y

    check(rows, M, K)
    for g in (np.put_along_axis, lambda y, k, v, axis: np.put(y, k, v)):

        def along(x, g=g):
            y = x * 1
            g(y, np.array([0, 2]), 5.0, 0)
            return y

        check(along, V)


def test_a_loop_that_reads_what_it_has_written():
    def filtered(x):
        y = np.zeros_like(x)
        for j in range(1, 6):
            y[j] = 0.5 * y[j - 1] + x[j]
        return y

    check(filtered, V)
    found = zen.vmap(zen.jacobian(filtered))(V)
    np.testing.assert_allclose(found, [zen.jacobian(filtered)(x) for x in V], atol=1e-12)


def test_a_view_that_lives_sees_a_write():
    def g(x):
        y = x * 1
        part = y[1:]
        y[2] = 7.0
        return part * 1

    with pytest.warns(UserWarning, match="on a view"):
        np.testing.assert_array_equal(np.asarray(zen.vmap(g)(V))[:, 1], 7)


def test_a_result_written_into_an_array_from_outside():
    def g(x):
        return np.add(x, 1, where=np.array([True, False] * 3), out=np.zeros(6))

    with pytest.warns(UserWarning, match="from outside"):
        found = zen.vmap(g)(V)
    np.testing.assert_allclose(found, np.where([True, False] * 3, V + 1, 0))


W2, W1, W3, WT = (RNG.normal(size=(3, *s)) for s in ((4, 3, 3, 3), (4, 3, 3), (4, 3, 2, 2, 2), (3, 4, 3, 3)))
LAYERS = {
    "conv2d": (lambda x, w: f.conv2d(x, w, padding=1), IMAGES, W2), "conv1d": (f.conv1d, LINES, W1),
    "conv3d": (f.conv3d, SPACE, W3), "conv_transpose2d": (f.conv_transpose2d, IMAGES, WT),
    "strides": (lambda x, w: f.conv2d(x, w, stride=2, dilation=2, padding=2), IMAGES, W2),
    "groups": (lambda x, w: f.conv2d(x, w, groups=3), IMAGES, W2[:, :3, :1]),
    "one image": (f.conv2d, IMAGES[:, 0], W2),
    "attention": (lambda q, m: f.scaled_dot_product_attention(q, q, q, m), HEADS, RNG.normal(size=(3, 5, 5))),
    "masked attention": (lambda q, m: f.scaled_dot_product_attention(q, q, q, m > 0), HEADS,
                         RNG.normal(size=(3, 5, 5)) + np.eye(5) * 9),
    "embedding": (lambda w, k: f.embedding(k % 4, w, padding_idx=1), M, K),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LAYERS))
def test_layers_with_parameters_of_their_own(name):
    g, x, w = LAYERS[name]
    check(g, x, w)
    moving = (0,) if name == "embedding" else (0, 1)

    def of(x, w):
        return (g(x, w) ** 2).sum()

    found = zen.vmap(zen.grad(of, moving))(x, w)
    for k, a in zip(moving, found, strict=True):
        want = [zen.grad(of, k)(zen.tensor(x[b]), zen.tensor(w[b])).numpy() for b in range(3)]
        np.testing.assert_allclose(a, want, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("g", [
    lambda x: f.max_pool2d(x, 2), lambda x: f.max_pool2d(x, 2, return_indices=True), lambda x: f.avg_pool2d(x, 2),
    lambda x: f.lp_pool2d(x, 2, 2), lambda x: f.adaptive_max_pool2d(x, 3), lambda x: f.max_pool2d(x[0], 2),
    lambda x: f.max_unpool2d(*f.max_pool2d(x, 2, return_indices=True), 2), lambda x: f.max_pool1d(x[:, 0], 2),
    lambda x: f.batch_norm(x, None, None, training=True), lambda x: f.grid_sample(x, np.tanh(x[:, :2, :4, :2] * 1)),
    lambda x: f.max_pool3d(x[None], 2),
])  # fmt: skip
def test_stacks_of_images(g):
    check(g, IMAGES)

    def of(x):
        made = g(x)
        return ((made[0] if isinstance(made, tuple) else made) ** 2).sum()

    found = zen.vmap(zen.grad(of))(IMAGES)
    np.testing.assert_allclose(found, [zen.grad(of)(x) for x in IMAGES], rtol=1e-8, atol=1e-9)


WEIGHT = np.arange(1.0, 7)
LOSSES = {
    "binary_cross_entropy": (f.binary_cross_entropy, POSITIVE / 2, POSITIVE / 3),
    "gaussian_nll": (lambda x, t, *, reduction: f.gaussian_nll_loss(x, t, x * x + 1, reduction=reduction), V, POSITIVE),
    "hinge_embedding": (f.hinge_embedding_loss, V, SIGNS),
    "cosine_embedding": (
        lambda x, t, *, reduction: f.cosine_embedding_loss(x, x[::-1] * 2 + 1, t, reduction=reduction), ROWS,
        SIGNS[:, :4],
    ),
    "multi_margin": (f.multi_margin_loss, ROWS, CLASSES),
    "one multi_margin": (f.multi_margin_loss, ROWS[:, 0], CLASSES[:, 0]),
    "multilabel_margin": (f.multilabel_margin_loss, ROWS, RNG.integers(-1, 6, (3, 4, 6))),
    "cross_entropy": (
        lambda x, t, *, reduction: f.cross_entropy(x, t, weight=WEIGHT, ignore_index=2, reduction=reduction), ROWS,
        CLASSES,
    ),
    "nll": (lambda x, t, *, reduction: f.nll_loss(x, t, weight=WEIGHT, reduction=reduction), ROWS, CLASSES),
}  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", list(LOSSES))
def test_losses(name, reduction):
    g, x, t = LOSSES[name]

    def of(x, t):
        return g(x, t, reduction=reduction)

    check(of, x, t)
    found = zen.vmap(zen.grad(lambda x, t: of(x, t).sum()))(x, t)
    expected = [zen.grad(lambda x, t=t: of(x, zen.tensor(t)).sum())(x) for x, t in zip(x, t, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


class Attended(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.MultiheadAttention(8, 2, dtype=np.float64)

    def forward(self, x):
        return self.inner(x, x, x)[0]


@pytest.mark.parametrize("make", [
    Attended, lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, dtype=np.float64),
    lambda: nn.LSTM(8, 6, dtype=np.float64), lambda: nn.GRU(8, 6, dtype=np.float64),
    lambda: nn.RNN(8, 6, dtype=np.float64),
])  # fmt: skip
def test_gradients_of_each_example_by_the_parameters(make):
    zen.random.seed(0)
    layer, x = make(), RNG.normal(size=(3, 5, 2, 8))
    parameters = {name: p.detach() for name, p in layer.named_parameters()}

    def of(p, x):
        made = nn.functional_call(layer, p, x)
        return ((made[0] if isinstance(made, tuple) else made) ** 2).sum()

    found = zen.vmap(zen.grad(of), (None, 0))(parameters, x)
    for name, a in found.items():
        want = [zen.grad(of)(parameters, zen.tensor(part))[name].numpy() for part in x]
        np.testing.assert_allclose(a.numpy(), want, rtol=1e-7, atol=1e-9)


def test_a_value_used_after_its_vmap():
    kept = []

    def g(x):
        kept.append(x)
        return x.sum()

    zen.vmap(g)(V)
    with pytest.raises(RuntimeError, match="used after it"):
        zen.vmap(lambda x: np.sort(kept[0]).sum() + x.sum())(V)

"""The pattern found from the recorded rows covers the nonzeros of the dense derivative, and hardly more."""

import warnings

import numpy as np
import pytest
from drawing import DIFFERENTIABLE, ROWS, cases

import zen
from zen import backend
from zen.transforms.sparse import dependence

MOST = 60
"""Elements of the arguments up to which Hessians are compared."""


@pytest.fixture(autouse=True)
def quiet():
    """Rows without a rule for all examples at once say so in the dense derivative."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        yield


def dense(function, args):
    blocks = zen.jacobian(function, tuple(range(len(args))))(*args)
    return np.concatenate([np.asarray(b).reshape(-1, a.size) for b, a in zip(blocks, args, strict=True)], axis=1)


def found(function, args):
    leaves = [backend.leaf(np.array(a), True) for a in args]
    return dependence.pattern([backend.call_recording(True, function, *leaves)], leaves).toarray()


def nonzero(matrix):
    """What rounding alone does not explain."""
    largest = np.abs(matrix, where=np.isfinite(matrix), out=np.zeros(matrix.shape)).max(initial=0)
    return np.abs(matrix) > 1e-10 * max(1, largest)


def gradient(case):
    """The gradient of a sum of the results with weights of their own."""

    def weighted(*args):
        y = case.differentiable(*args)
        return (y * np.cos(np.arange(1.0, y.size + 1)).reshape(y.shape)).sum()

    of = zen.grad(weighted, tuple(range(len(case.floating))))
    return lambda *args: zen.concat([zen.ravel(g) for g in of(*args)])


def drawn(name):
    for case in cases(name):
        args = [np.array(a, float) for a in case.smooth_args()]
        if args and all([a.size for a in args]):
            yield case, args


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_no_entry_of_a_jacobian_is_missing(name):
    for case, args in drawn(name):
        try:
            expected = dense(case.differentiable, args)
        except TypeError:
            continue  # a complex result
        assert not (nonzero(expected) & ~found(case.differentiable, args)).any(), (name, case.params)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_no_entry_of_a_hessian_is_missing(name):
    for case, args in drawn(name):
        if sum([a.size for a in args]) > MOST:
            continue
        try:
            expected = dense(gradient(case), args)
        except (TypeError, np.linalg.LinAlgError, ValueError):
            continue  # a complex result, or one without a second derivative here
        assert not (nonzero(expected) & ~found(gradient(case), args)).any(), (name, case.params)


EXACT = [
    "getitem", "scatter", "setitem", "reshape", "permute_dims", "broadcast_to", "flip", "roll", "repeated", "concat",
    "stack", "split", "take_along", "add_along", "diagonal", "trace", "sum", "mean", "cumsum", "diff", "matmul",
    "einsum", "linear", "windows", "overlapped", "pad", "logsumexp", "var", "astype", "copy", "avg_pool2d", "nest",
    "inv",
]  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_no_entry_is_there_in_vain(name):
    for case, args in drawn(name):
        expected = dense(case.differentiable, args)
        np.testing.assert_array_equal(found(case.differentiable, args), nonzero(expected), str(case.params))


W = np.linspace(0.5, 1.5, 300)
LONGER = {
    "third differences": (lambda x: np.diff(x, 3), True),
    "convolution": (lambda x: np.convolve(x, W[:9], "full"), True),
    "running sums": (lambda x: np.cumsum(x), False),  # more steps than are taken to tell slices apart
    "running sums of columns": (lambda x: np.cumsum(x.reshape(20, 15), 0), True),
    "product from the right": (lambda x: x.reshape(20, 15) @ W[:45].reshape(15, 3), True),
    "product from the left": (lambda x: W[:40].reshape(2, 20) @ x.reshape(20, 15), True),
    "differences of neighbours": (lambda x: np.gradient(x), True),
    "images": (lambda x: zen.f.conv2d(x.reshape(1, 1, 20, 15), W[:27].reshape(3, 1, 3, 3), padding=1), True),
    "transform": (lambda x: np.abs(np.fft.rfft(x.reshape(20, 15), axis=0)), False),  # some are zero here
}


@pytest.mark.parametrize("name", LONGER)
def test_longer_arrays(name):
    f, is_exact = LONGER[name]
    x = np.linspace(-1, 1.3, 300)
    expected = nonzero(np.asarray(zen.jacobian(f)(x)).reshape(-1, 300))
    made = pattern(f, x)
    assert not (expected & ~made).any() and made.sum() <= (1 if is_exact else 1.1) * expected.sum()


# --- patterns do not depend on values


N = 6
EYE = np.eye(N, dtype=bool)


def pattern(f, x):
    return zen.sparse_jacobian(f).pattern(x).matrix.toarray()


def second(f, x):
    return zen.sparse_hessian(f).pattern(x).matrix.toarray()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x[::-1],
        lambda x: np.outer(x, x) @ x,
        lambda x: np.einsum("i,i,j->j", x, x, np.zeros(N)),
        lambda x: np.convolve(x, x),
        lambda x: np.prod(x.reshape(2, 3), axis=1),
        lambda x: np.linalg.norm(x.reshape(3, 2), axis=0),
        lambda x: np.maximum(x, 0) * x[0],
        lambda x: np.where(x > 0.5, x, x[::-1]),
        lambda x: x.reshape(2, 3) @ np.zeros((3, 2)),
    ],
)
def test_a_zero_at_the_point_is_an_entry_like_any_other(f):
    np.testing.assert_array_equal(pattern(f, np.zeros(N)), pattern(f, np.linspace(0.3, 1.3, N)))


def test_second_derivatives_at_zero():
    pairs = second(lambda x: np.sum(x[1:] ** 2 * x[:-1] ** 2), np.zeros(N))
    np.testing.assert_array_equal(pairs, EYE | np.eye(N, k=1, dtype=bool) | np.eye(N, k=-1, dtype=bool))


def test_what_is_linear_has_no_second_derivatives():
    assert not second(lambda x: np.sum(3 * x[1:] - x[:-1]) + np.abs(x).sum() + np.max(x), np.arange(1.0, N + 1)).any()
    np.testing.assert_array_equal(second(lambda x: np.sum(x[:3] * x[3:]), np.ones(N)), np.roll(EYE, 3, axis=1))


def test_what_does_not_move_has_no_entries():
    assert not pattern(lambda x: np.floor(x) + np.sign(x), np.ones(N)).any()
    assert not pattern(lambda x: zen.stop_gradient(x) * 2 + 0 * x[0].item(), np.ones(N)).any()


def test_axes_stay_apart():
    blocks = np.kron(np.eye(2), np.ones((3, 3))).astype(bool)
    for f in (
        lambda x: zen.f.softmax(x, 1),
        lambda x: np.cumprod(x, 1),
        lambda x: x / np.linalg.norm(x, axis=1)[:, None],
    ):
        found = pattern(lambda x, f=f: f(x.reshape(2, 3)), np.ones(N))
        assert not (found & ~blocks).any()
    stack = zen.sparse_jacobian(np.linalg.inv).pattern(np.stack([np.eye(2), 2 * np.eye(2)])).matrix.toarray()
    np.testing.assert_array_equal(stack, np.kron(np.eye(2), np.ones((4, 4))))


def test_a_row_of_the_users_own_is_dense():
    @zen.custom_vjp
    def cast(x):  # a name that the reference engine has for a row of its own
        return np.cumsum(x)

    @cast.defvjp
    def _(g, out, x):
        return zen.flip(zen.cumsum(zen.flip(g)))

    assert pattern(cast, np.ones(N)).all()
    assert pattern(zen.checkpoint(lambda x: x * 2), np.ones(N)).all()
    np.testing.assert_array_equal(zen.sparse_jacobian(cast)(np.ones(N)).toarray(), np.tri(N))


def test_writes_and_loops():
    def f(x):
        y = np.zeros(N) + 0 * x[0]
        for k in range(1, N):
            y[k] = x[k] * x[k - 1]
        y[2:4] += x[:2]
        return y

    x = np.linspace(1, 2, N)
    expected = nonzero(zen.jacobian(f)(x))
    expected[0, 0] = True  # 0 * x[0] counts
    np.testing.assert_array_equal(pattern(f, x), expected)


def random_program(rng):
    """A composition of NumPy functions of a vector of N numbers, of length N each."""
    mask, order, mix = rng.random(N) < 0.5, rng.permutation(N), rng.normal(size=(N, N)) * (rng.random((N, N)) < 0.3)
    unary = [
        np.sin, np.tanh, lambda x: x**2, lambda x: x[::-1], lambda x: np.roll(x, 2), lambda x: x[order],
        lambda x: np.concatenate([x[2:], x[:2] ** 2]), lambda x: x.reshape(2, 3).T.ravel(), lambda x: mix @ x,
        lambda x: np.append(np.diff(x), x[0]), lambda x: np.where(mask, x, 2.0), lambda x: np.cumsum(x) / N,
        lambda x: np.repeat(x.reshape(2, 3).sum(1), 3), lambda x: np.convolve(x, [1.0, -2.0, 1.0], "same"),
        lambda x: zen.f.softmax(x.reshape(3, 2), 1).ravel(), lambda x: np.maximum(x, x[0]),
        lambda x: np.sort(x), lambda x: np.pad(x[1:-1], 1), lambda x: np.linalg.norm(x[:3]) * x,
        lambda x: (x.reshape(2, 3) @ x.reshape(3, 2)).ravel()[[0, 1, 2, 3, 0, 1]], lambda x: x - x.mean(),
    ]  # fmt: skip
    binary = [np.add, np.subtract, np.multiply, lambda a, b: a / (2 + b**2), np.maximum, np.arctan2, np.hypot]
    steps = [
        (rng.integers(2), rng.integers(len(unary)), rng.integers(len(binary)), rng.integers(8), rng.integers(8))
        for _ in range(rng.integers(2, 8))
    ]

    def program(x):
        values = [x]
        for two, u, b, i, j in steps:
            a, c = values[i % len(values)], values[j % len(values)]
            values.append(binary[b](a, c) if two else unary[u](a))
        return values[-1] + 0 * values[len(values) // 2]

    return program


@pytest.mark.parametrize("seed", range(150))
def test_compositions(seed):
    rng = np.random.default_rng(seed)
    program, x = random_program(rng), rng.uniform(0.5, 1.5, N)

    def energy(x):
        return np.sum(np.sin(program(x)))

    j, h = zen.sparse_jacobian(program, check=True)(x), zen.sparse_hessian(energy, check=True)(x)
    np.testing.assert_allclose(j.toarray(), zen.jacobian(program)(x), rtol=1e-10, atol=1e-10)
    expected = zen.hessian(energy)(x)
    if np.isfinite(expected).all():  # hypot has no derivative at 0
        np.testing.assert_allclose(h.toarray(), expected, rtol=1e-8, atol=1e-8)


def test_every_row_that_leaves_axes_alone_is_declared():
    from zen.batching import structured

    assert set(structured.LEADING) <= set(ROWS)

"""Large arrays: where the compiled engine fuses runs of elementwise nodes and releases the GIL.

Random programs are run by zen and by the few lines of `Tape`, which knows each derivative from the textbook and adds
every contribution in float64.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zen
from zen import backend

# name: (NumPy form, derivatives of the arguments at (args..., y))
OPS = {
    "add": (lambda a, b: a + b, lambda a, b, y: (1.0, 1.0)),
    "subtract": (lambda a, b: a - b, lambda a, b, y: (1.0, -1.0)),
    "multiply": (lambda a, b: a * b, lambda a, b, y: (b, a)),
    "maximum": (np.maximum, lambda a, b, y: ((a > b) + 0.5 * (a == b), (b > a) + 0.5 * (a == b))),
    "tanh": (np.tanh, lambda a, y: (1 - y**2,)),
    "sin": (np.sin, lambda a, y: (np.cos(a),)),
    "square": (np.square, lambda a, y: (2 * a,)),
    "negative": (np.negative, lambda a, y: (-1.0,)),
    "atan": (np.arctan, lambda a, y: (1 / (1 + a**2),)),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda a, y: (y * (1 - y),)),
}
SIZES = [32768, 32769, 65535, 65536, 65537, 100_001]


class Tape:
    """A program of the operations above, and its gradients in float64.

    Each step starts from the values that zen computed, so that rounding does not pile up. `scale` follows the gradients
    with every contribution taken positive: rounding errors are judged against it, not against what cancelled out.
    """

    def __init__(self, leaves):
        self.dtype = leaves[0].dtype
        self.values = [a.astype(np.float64) for a in leaves]
        self.steps = []

    def step(self, name, inputs, result):
        with np.errstate(all="ignore"):
            expected = OPS[name][0](*[self.values[k].astype(self.dtype) for k in inputs])
        assert result.dtype == self.dtype
        np.testing.assert_allclose(result, expected, rtol=20 * np.finfo(self.dtype).eps, atol=1e-35)
        self.steps.append((name, inputs, len(self.values)))
        self.values.append(result.astype(np.float64))

    def gradients(self, seed):
        """{position: (gradient, scale)} of every value that the last one depends on."""
        seed = seed.astype(np.float64)
        found = {len(self.values) - 1: (seed, np.abs(seed))}
        for name, inputs, output in reversed(self.steps):
            if output not in found:
                continue
            args, y = [self.values[k] for k in inputs], self.values[output]
            with np.errstate(all="ignore"):
                derivatives = OPS[name][1](*args, y)
                for k, a, d in zip(inputs, args, derivatives, strict=True):
                    parts = (found[output][0] * d, found[output][1] * np.maximum(np.abs(d), 1.0))
                    parts = [summed(np.broadcast_to(p, y.shape), a.shape) for p in parts]
                    found[k] = tuple(p + q for p, q in zip(parts, found.get(k, (0.0, 0.0)), strict=True))
        return found


def summed(a, shape):
    extra = a.ndim - len(shape)
    axes = tuple(k for k in range(a.ndim) if k < extra or shape[k - extra] == 1)
    return a.sum(axis=axes).reshape(shape)


def leaves_of(rng, size, dtype, kinds):
    """Leaves that broadcast together to (size // 4, 4)."""
    rows = size // 4

    def draw(*shape):
        return rng.uniform(-1, 1, shape).astype(dtype)

    made = {
        "full": lambda: draw(rows, 4),
        "fortran": lambda: np.asfortranarray(draw(rows, 4)),
        "strided": lambda: draw(2 * rows, 8)[::2, 1::2],
        "backwards": lambda: draw(rows, 4)[::-1, ::-1],
        "bias": lambda: draw(4),
        "column": lambda: draw(rows, 1),
        "scalar": lambda: draw(),
        "repeated": lambda: np.broadcast_to(draw(4), (rows, 4)),
    }
    return [np.asarray(made[kind](), dtype) for kind in kinds]


def random_program(rng, count, leaves):
    """Steps that favour recent values (chains) but also reach back (diamonds, values used many times)."""
    steps = []
    for position in range(leaves, leaves + count):
        name = str(rng.choice(list(OPS)))
        arity = OPS[name][1].__code__.co_argcount - 1
        inputs = [position - 1 if k == 0 or rng.random() < 0.3 else int(rng.integers(position)) for k in range(arity)]
        rng.shuffle(inputs)
        steps.append((name, [int(k) for k in inputs]))
    return steps


def execute(leaves, steps, watch=lambda position, t: None):
    """The program as Tensors, each step checked against NumPy, and as a Tape. `watch` sees each Tensor when made."""
    tape, tensors = Tape(leaves), [zen.Tensor(a) for a in leaves]
    for name, inputs in steps:
        tensors.append(getattr(zen.f, name)(*[tensors[k] for k in inputs]))
        watch(len(tensors) - 1, tensors[-1])
        tape.step(name, inputs, tensors[-1].array)
    return tape, tensors


def run(leaves, steps, rng, **options):
    """Backward through the program; compares the gradients of the leaves."""
    tape, tensors = execute(leaves, steps)
    seed = rng.uniform(0.5, 1.0, tensors[-1].shape).astype(tensors[-1].dtype)
    expected = tape.gradients(seed)
    tensors[-1].backward(seed, **options)
    compare(tensors[: len(leaves)], expected)
    return tensors, expected, seed


def compare(leaves, expected, times=1):
    for k, t in enumerate(leaves):
        if k in expected:
            assert t.gradient.dtype == t.dtype
            close(t.gradient, *expected[k], times)
        else:
            assert t.grad is None


def close(found, expected, scale, times=1):
    assert found.shape == expected.shape
    sound = scale < 1e30  # beyond, float32 overflows
    allowed = 1000 * times * np.finfo(found.dtype).eps * scale[sound]
    assert (np.abs(found[sound] - times * expected[sound]) <= allowed).all()


kinds = st.lists(
    st.sampled_from(["full", "full", "fortran", "strided", "backwards", "bias", "column", "scalar", "repeated"]),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50)
@given(st.integers(0, 1 << 30), kinds, st.sampled_from(SIZES), st.sampled_from([np.float32, np.float64]))
def test_random_programs(seed, kinds, size, dtype):
    rng = np.random.default_rng(seed)
    leaves = leaves_of(rng, size, dtype, [*kinds, "full"])  # a full-sized leaf last: chains start from it
    run(leaves, random_program(rng, int(rng.integers(2, 30)), len(leaves)), rng)


@settings(max_examples=30)
@given(st.integers(0, 1 << 30), st.sampled_from(SIZES), st.sampled_from([np.float32, np.float64]))
def test_random_programs_of_one_shape(seed, size, dtype):
    rng = np.random.default_rng(seed)
    leaves = [rng.uniform(-1, 1, size).astype(dtype) for _ in range(3)]
    run(leaves, random_program(rng, int(rng.integers(2, 40)), 3), rng)


@settings(max_examples=20)
@given(st.integers(0, 1 << 30))
def test_intermediates_watched_in_the_middle(seed):
    """Retained gradients, hooks and requested inputs see the complete gradient of their value."""
    rng, one, seen = np.random.default_rng(seed), np.ones(70_000), {}
    retained, hooked, asked = (set(rng.integers(2, 21, 3).tolist()) for _ in range(3))

    def watch(position, t):
        if position in retained:
            t.retain_grad()
        if position in hooked:
            t.register_hook(lambda g: seen.update({position: g.array.copy()}))

    tape, tensors = execute([rng.uniform(-1, 1, 70_000) for _ in range(2)], random_program(rng, 20, 2), watch)
    expected = tape.gradients(one)
    connected = sorted(asked & expected.keys())
    found = backend.run([tensors[21]], [one], [tensors[k] for k in connected], retain_graph=True)
    for k, g in zip(connected, found, strict=True):
        close(g.array, *expected[k])
    assert all(t.grad is None for t in tensors)
    seen.clear()
    tensors[21].backward(one)
    compare(tensors[:2], expected)
    for k in retained & expected.keys():
        close(tensors[k].gradient, *expected[k])
    for k in hooked & expected.keys():
        close(seen[k], *expected[k])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_second_pass_adds_the_same_gradients(dtype):
    rng = np.random.default_rng(0)
    leaves = [rng.uniform(-1, 1, 100_001).astype(dtype) for _ in range(3)]
    tensors, expected, seed = run(leaves, random_program(rng, 25, 3), rng, retain_graph=True)
    tensors[-1].backward(seed, retain_graph=True)
    compare(tensors[:3], expected, times=2)
    tensors[-1].backward(seed)
    compare(tensors[:3], expected, times=3)


@pytest.mark.parametrize("size", SIZES)
def test_a_chain_with_a_sum_against_its_derivative_written_out(size):
    x = zen.Tensor(np.random.default_rng(0).standard_normal(size))
    (zen.tanh(2 * x + 1) * zen.exp(-x * x) + x).sum().backward()
    a = x.array
    t, e = np.tanh(2 * a + 1), np.exp(-a * a)
    np.testing.assert_allclose(x.gradient, 2 * (1 - t**2) * e - 2 * a * t * e + 1, rtol=1e-12, atol=1e-12)


def test_second_order_of_a_large_chain():
    x = zen.Tensor(np.random.default_rng(0).uniform(-1, 1, 70_000))
    (g,) = zen.gradients((zen.sin(x) * x).sum(), [x], create_graph=True)
    (h,) = zen.gradients((g * g).sum(), [x])
    a = x.array
    first, second = np.cos(a) * a + np.sin(a), 2 * np.cos(a) - a * np.sin(a)
    np.testing.assert_allclose(g.array, first, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(h.array, 2 * first * second, rtol=1e-12, atol=1e-12)

"""Programs that both engines run; `python programs.py out.npz` writes the results of one engine.

Each is a function without arguments that returns arrays. Inputs are drawn from fixed seeds.
"""

import itertools
import sys

import numpy as np

import zen
from zen import f


def draw(*shape, seed=0, dtype=np.float64, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def grads(loss, *tensors):
    loss.backward()
    return [loss.array, *(t.gradient for t in tensors)]


def mlp(dtype=np.float64, batch=32):
    sizes = [16, 24, 24, 10]
    x, labels = draw(batch, sizes[0], seed=1, dtype=dtype), np.arange(batch) % 10
    shapes = itertools.pairwise(sizes)
    weights = [zen.Tensor(draw(*shape, seed=k, dtype=dtype)) for k, shape in enumerate(shapes)]
    biases = [zen.Tensor(draw(n, seed=9, dtype=dtype)) for n in sizes[1:]]
    h = x
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        h = h @ w + b
        h = zen.tanh(h) if k < 2 else h
    loss = -zen.mean((h - f.logsumexp(h, axis=1, keepdims=True))[np.arange(batch), labels])
    return grads(loss, *weights, *biases)


def mlp_float32():
    return mlp(np.float32)


def recurrent():
    u, w, b = (zen.Tensor(draw(*s, seed=k)) for k, s in enumerate([(4, 6), (6, 6), (6,)]))
    x, h = draw(30, 5, 4), zen.zeros((5, 6))
    for step in x:
        h = zen.tanh(step @ u + h @ w + b)
    return grads(zen.sum(h * h), u, w, b)


def rosenbrock():
    x = zen.Tensor(draw(10))
    return grads(zen.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), x)


def scalar_chain(dtype=np.float64):
    x = zen.Tensor(np.asarray(0.5, dtype))
    y = x
    for _ in range(50):
        y = y * x + x
    return grads(y, x)


def scalar_chain_float32():
    return scalar_chain(np.float32)


def broadcasting():
    a, b, c = zen.Tensor(draw(64, 48)), zen.Tensor(draw(48, seed=1)), zen.Tensor(draw(64, 1, seed=2))
    return grads(zen.sum((a * b + b) / (c * c + 1.0) - c), a, b, c)


def large_chain(dtype=np.float64, size=100_000):
    x, y = zen.Tensor(draw(size, dtype=dtype)), zen.Tensor(draw(size, seed=1, dtype=dtype))
    z = zen.tanh(2 * x + 1) * zen.exp(-x * x) + x
    z = f.sigmoid(z * y) + zen.maximum(z, y) * zen.sin(y) - z / (y * y + 1)
    return grads(zen.mean(z * z), x, y)


def large_chain_float32():
    return large_chain(np.float32)


def large_broadcast():
    a, b, c = zen.Tensor(draw(400, 300)), zen.Tensor(draw(300, seed=1)), zen.Tensor(draw(400, 1, seed=2))
    z = zen.tanh(a * b + c)
    return grads(zen.sum(z * z + b * c + a[::-1]), a, b, c)


def diamonds():
    x = zen.Tensor(draw(5))
    y = x
    for _ in range(60):
        y = y + y
    z = y * 2.0**-60
    return grads(zen.sum(z * z + z * x), x)


def indexing():
    x = zen.Tensor(draw(6, 5))
    mask = x.array[:, 0] > 0
    loss = zen.sum(x[[0, 0, 3]] * x[1:4]) + zen.sum(x[mask] ** 3)
    return grads(loss + x[2, 3] * x[-1, -1] + zen.sum(x[..., None, 1]), x)


def joining():
    x, y = zen.Tensor(draw(3, 4)), zen.Tensor(draw(2, 4, seed=1))
    z = zen.concat([x, y, x * y[:1]])
    return grads(zen.sum(zen.stack([z, z * z]) ** 2) + zen.sum(zen.tile(x, (2, 1)) ** 3), x, y)


def reductions():
    x = zen.Tensor(draw(4, 5, 6, low=0.5))
    terms = [zen.prod(x, axis=1), zen.max(x, axis=(0, 2)), zen.std(x, axis=-1), zen.cumsum(x, axis=1)]
    return grads(sum((zen.sum(t * t) for t in terms), start=f.logsumexp(x)), x)


def linear_algebra():
    a, b = zen.Tensor(draw(4, 4) + 3 * np.eye(4)), zen.Tensor(draw(4, 2, seed=1))
    loss = zen.sum(zen.linalg.solve(a, b) ** 2) + zen.linalg.det(a) + zen.sum(zen.linalg.inv(a))
    return grads(loss + zen.sum(zen.linalg.cholesky(a @ a.T)), a, b)


def in_place():
    x, y = zen.Tensor(draw(5, 4)), zen.Tensor(draw(4, seed=1))
    h = x * 1.0
    h[0] = y
    for k in range(1, 5):
        h[k] = zen.tanh(h[k - 1]) * x[k]
    h *= 2.0
    h[1:][:, 0] += y[:1]
    return grads(zen.sum(h * h), x, y)


def second_order():
    x = zen.Tensor(draw(4, low=0.5))
    y = zen.sum(zen.exp(x) * x[::-1] ** 2) + zen.prod(x)
    (g,) = zen.gradients(y, [x], create_graph=True)
    (h,) = zen.gradients(zen.sum(g * g), [x], create_graph=True)
    (k,) = zen.gradients(zen.sum(zen.sin(h)), [x])
    return [g.array, h.array, k.array]


def gradient_penalty():
    w, x = zen.Tensor(draw(5, 3)), zen.Tensor(draw(8, 5, seed=1))
    (g,) = zen.gradients(zen.sum(zen.tanh(x @ w)), [x], create_graph=True)
    return grads(zen.sum((zen.sqrt(zen.sum(g * g, axis=1)) - 1.0) ** 2), w, x)


def forward_mode():
    x, t = draw(4, 3), draw(4, 3, seed=1)
    y, dy = zen.jvp(lambda a: zen.tanh(a @ a.T) * zen.sum(a), (zen.tensor(x),), (zen.tensor(t),))
    return [y.array, dy.array]


def retained_and_hooked():
    x, seen = zen.Tensor(draw(4)), []
    y = x * x
    y.retain_grad()
    y.register_hook(lambda g: (seen.append(g.array.copy()), g * 2.0)[1])
    loss = zen.sum(y * x)
    loss.backward(retain_graph=True)
    loss.backward()
    return [x.gradient, y.gradient, *seen]


def custom():
    cube = zen.custom_vjp(lambda a: a**3, lambda g, y, a: (3 * a * a * g,))
    x = zen.Tensor(draw(4))
    return grads(zen.sum(cube(x) * x), x)


PROGRAMS = {
    function.__name__: function
    for function in (
        mlp, mlp_float32, recurrent, rosenbrock, scalar_chain, scalar_chain_float32, broadcasting, large_chain,
        large_chain_float32, large_broadcast, diamonds, indexing, joining, reductions, linear_algebra, in_place,
        second_order, gradient_penalty, forward_mode, retained_and_hooked, custom,
    )
}  # fmt: skip


if __name__ == "__main__":
    np.savez(sys.argv[1], **{f"{name} {k}": a for name, run in PROGRAMS.items() for k, a in enumerate(run())})

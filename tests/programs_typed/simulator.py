"""A simulation that writes into its state: indices, slices, masks, writes in place, functions of zen.f and NumPy."""

from __future__ import annotations

from typing import assert_type

import numpy as np

import zen
from zen.typing import Array, ArrayLike


@zen.custom_vjp
def clipped_square(x: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.minimum(np.square(x), 4.0)
    return out


@clipped_square.defvjp
def _(g: zen.Tensor, out: zen.Tensor, x: zen.Tensor) -> zen.Tensor:
    return zen.where(out < 4.0, 2 * x, 0.0) * g


def relaxed(state: Array, rates: Array) -> Array:
    """NumPy's functions alone, for Tensors and arrays."""
    slopes = np.stack([np.exp(state[0]) * rates[0], np.maximum(state[1], 0.0) - rates[1]])
    return state - 0.1 * slopes * np.mean(rates)


def laplacian(u: zen.Tensor) -> zen.Tensor:
    out = zen.zeros_like(u)
    out[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    out[0], out[-1] = u[1] - u[0], u[-2] - u[-1]
    return out


def simulate(rate: zen.Tensor, start: ArrayLike, steps: int) -> zen.Tensor:
    u = zen.tensor(start)
    history = zen.empty((steps, u.size))
    for k in range(steps):
        u = u + rate * laplacian(u)
        u[u < 0] = 0.0
        u += 0.01
        history[k] = u
    return history


def main() -> None:
    rate = zen.tensor(0.1, requires_grad=True)
    start = np.exp(-(np.linspace(-2, 2, 20) ** 2))
    history = simulate(rate, start, 10)
    total = zen.f.logsumexp(history[-1]) + history.max(axis=1).mean()
    total.backward()
    assert rate.grad is not None and np.isfinite(rate.grad.item())

    picked = zen.take_along_axis(history, [[0], [1]] * 5, axis=1)
    parts = zen.split(history, 2, axis=0)
    joined = zen.concat([*parts, picked.broadcast_to((10, 20))], axis=0)
    assert_type(parts, list[zen.Tensor])
    assert_type(joined[..., None, ::2], zen.Tensor)
    assert_type(history.reshape(5, -1).transpose(1, 0), zen.Tensor)
    assert joined.shape == (20, 20) and history.reshape((2, 100)).T.shape == (100, 2)
    sign, logarithm = zen.linalg.slogdet(np.eye(3) + picked[:3, :1] @ picked[:3, :1].T)
    assert_type(zen.einsum("ij,kj->ik", history, history).trace() + sign * logarithm, zen.Tensor)
    assert_type(zen.allclose(history, history.detach()), bool)

    window = history.detach().clone()
    window.clip_(0.0, 1.0).mul_(2.0)
    window[[0, 2], :] = np.zeros(20)
    window[np.arange(10) % 2 == 0, 0] = 1.0
    values, indices = zen.f.max_pool1d(window[None], 2, return_indices=True)
    assert values.shape == indices.shape
    smooth = zen.f.softmax(window, axis=-1)
    assert_type(smooth.std(axis=(0, 1), correction=1, keepdims=True), zen.Tensor)
    assert float(clipped_square(zen.tensor([1.0, 3.0])).sum()) == 5.0
    state = zen.tensor([0.5, 0.25], requires_grad=True)
    zen.sum(relaxed(relaxed(state, state), np.ones(2)) ** 2).backward()
    assert state.gradient is not None and np.shape(relaxed(np.ones(2), np.ones(2))) == (2,)
    # NumPy's functions on Tensors, and its arrays beside them
    mixed = np.ones(20) * history[0] + np.exp(history[1]) - np.float64(1.0)
    assert np.shape(np.sum(mixed)) == () and np.concatenate([history, history]).shape == (20, 20)


if __name__ == "__main__":
    main()

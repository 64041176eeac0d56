"""Clipping of gradients and moving averages of parameters."""

import copy
import math

import numpy as np
import pytest

import zen
from zen import optim


def with_gradients(*grads, dtype="float64"):
    params = [zen.tensor(np.zeros(np.shape(g), dtype), requires_grad=True) for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = zen.tensor(np.asarray(g, dtype))
    return params


@pytest.mark.parametrize("order", [0.5, 1, 2, 3, math.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_clip_by_norm(order, dtype):
    grads = [np.arange(-20.0, 17.0), np.array(3.0), np.zeros((0, 2)), np.full((2, 2), -1.0)]
    params = [*with_gradients(*grads, dtype=dtype), zen.tensor([1.0], requires_grad=True)]
    flat = np.concatenate([g.ravel() for g in grads])
    expected = np.linalg.norm(flat, order)
    total = optim.clip_grad_norm_(params, 5.0, norm_type=order)
    rtol = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-9}[dtype]
    assert total.dtype == dtype and total.shape == ()
    assert total.item() == pytest.approx(expected, rel=rtol)
    for p, g in zip(params, grads, strict=False):
        np.testing.assert_allclose(p.grad.detach().numpy(), g * (5 / (expected + 1e-6)), rtol=rtol, atol=1e-7)
    assert optim.get_total_norm([p.grad for p in params[:4]], order).item() == pytest.approx(5.0, rel=2e-3)
    assert params[4].grad is None


def test_a_small_norm_changes_nothing_and_a_large_float32_sum_does_not_overflow():
    (p,) = with_gradients([3.0, 4.0])
    assert optim.clip_grad_norm_(p, 5.1).item() == 5.0 and p.grad.tolist() == [3.0, 4.0]
    (big,) = with_gradients(np.full(100, 1e30), dtype="float32")
    assert optim.get_total_norm(big.grad).item() == pytest.approx(1e31, rel=1e-6)


def test_gradients_that_cannot_be_written_are_replaced():
    p = zen.tensor(np.zeros((2, 3)), requires_grad=True)
    p.grad = zen.from_numpy(np.broadcast_to(np.array([2.0]), (2, 3)))
    optim.clip_grad_value_([p], 1.0)
    assert p.grad.tolist() == [[1.0] * 3] * 2
    q = zen.tensor([2.0], requires_grad=True)
    (q**3).sum().backward(create_graph=True)
    late = (q.grad * q.grad).sum()
    optim.clip_grad_norm_([q], 1.0)
    assert not q.grad.requires_grad and q.grad.item() == pytest.approx(1.0)
    with pytest.raises(RuntimeError, match="overwritten in place by 'clip_grad_norm_'"):
        late.backward()


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]])
def test_clip_by_value(layout):
    for dtype in ("float16", "float32", "float64"):
        g = np.array([[-3.0, 0.5, math.nan], [math.inf, -math.inf, 1.0]], dtype)
        p = zen.tensor(np.zeros((2, 3), dtype), requires_grad=True)
        p.grad = zen.from_numpy(layout(g))
        optim.clip_grad_value_(iter([p]), 0.75)
        np.testing.assert_array_equal(p.grad.detach().numpy(), np.clip(g, -0.75, 0.75))


def test_norms_that_are_not_finite():
    (p,) = with_gradients([math.inf, 1.0])
    with pytest.raises(RuntimeError, match="the total norm of order 2.0 is inf, so the gradients cannot be clipped"):
        optim.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    assert p.grad.tolist() == [math.inf, 1.0]
    optim.clip_grad_norm_([p], 1.0)
    assert math.isnan(p.grad[0].item()) and p.grad[1].item() == 0.0
    (q,) = with_gradients([math.nan, 1.0])
    assert math.isnan(optim.clip_grad_norm_([q], 1.0, math.inf).item())
    assert np.isnan(q.grad.detach().numpy()).all()


def test_arguments_of_clipping_out_of_range():
    (p,) = with_gradients([1.0])
    for call, message in [
        (lambda: optim.clip_grad_norm_([p], -1.0), "clip_grad_norm_: max_norm is -1.0; expected a number >= 0"),
        (lambda: optim.clip_grad_norm_([p], 1.0, 0), "norm_type is 0.0; expected a number > 0"),
        (lambda: optim.clip_grad_value_([p], math.nan), "clip_value is nan"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="get_total_norm: element 0 is a float, not a Tensor"):
        optim.get_total_norm([1.0])
    assert optim.clip_grad_norm_([], 1.0).item() == 0.0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_average_follows_its_formula(dtype):
    rng = np.random.default_rng(0)
    p = zen.tensor(rng.standard_normal((3, 2)).astype(dtype), requires_grad=True)
    expected = p.detach().numpy().astype("float64")
    ema = optim.ExponentialMovingAverage([p], decay=0.9, warmup=True)
    for n in range(1, 30):
        with zen.no_grad():
            p.copy_(rng.standard_normal((3, 2)).astype(dtype))
        ema.update()
        decay = min(0.9, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * p.detach().numpy()
    rtol = {"float16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(ema.averages[0].detach().numpy(), expected, rtol=rtol, atol=rtol)
    assert ema.averages[0].dtype == dtype and not ema.averages[0].requires_grad


def test_averages_are_swapped_in_and_out_also_after_an_error():
    p = zen.tensor([1.0], requires_grad=True)
    ema = optim.ExponentialMovingAverage([p], decay=0.5)
    with zen.no_grad():
        p.fill_(3.0)
    ema.update()
    late = (p * p).sum()
    with pytest.raises(KeyError), ema:
        assert p.item() == 2.0
        with pytest.raises(RuntimeError, match="already in place"):
            ema.__enter__()
        with pytest.raises(RuntimeError, match=r"update\(\) while the averages"):
            ema.update()
        raise KeyError
    assert p.item() == 3.0
    with pytest.raises(RuntimeError, match="overwritten"):
        late.backward()
    ema.copy_to()
    assert p.item() == 2.0
    other = zen.zeros(1)
    ema.copy_to([other])
    assert other.item() == 2.0
    with pytest.raises(ValueError, match=r"the shapes are \[\(2,\)\], but must be \[\(1,\)\]"):
        ema.copy_to([zen.zeros(2)])


def test_averages_that_cannot_be_put_in_place_change_nothing():
    memory = np.zeros(2)
    params = [zen.tensor([1.0], requires_grad=True), zen.from_numpy(memory).requires_grad_()]
    ema = optim.ExponentialMovingAverage(params)
    with zen.no_grad():
        params[0].fill_(5.0)
    params[1]._array.flags.writeable = False
    for enter in (ema.copy_to, ema.__enter__):
        with pytest.raises(ValueError, match=r"the memory of a parameter of shape \(2,\) is read-only; clone\(\) it"):
            enter()
        assert params[0].tolist() == [5.0]
    ema.update()  # the averages are not in place
    assert ema.num_updates == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zen.backend.kernels.optim, "blend", lambda *args: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            ema.update()
    assert ema.num_updates == 1


class Module:
    def __init__(self):
        self.weight = zen.tensor([1.0, 2.0], requires_grad=True)

    def parameters(self):
        yield self.weight


def test_averages_of_a_module_are_saved_and_loaded():
    module = Module()
    a = optim.ExponentialMovingAverage(module, 0.5)
    with zen.no_grad():
        module.weight.fill_(0.0)
    a.update()
    b = optim.ExponentialMovingAverage(Module().parameters(), 0.25)
    saved = a.state_dict()
    b.load_state_dict(copy.deepcopy(saved))
    assert b.averages[0].tolist() == [0.5, 1.0] and (b.decay, b.num_updates) == (0.5, 1)
    with pytest.raises(ValueError, match="has no averages, warmup"):
        b.load_state_dict({"decay": 0.5, "num_updates": 1})
    with pytest.raises(ValueError, match=r"averages of shapes \[\(3,\)\] were saved, but must be \[\(2,\)\]"):
        b.load_state_dict({**saved, "averages": [np.zeros(3)]})


def test_what_cannot_be_averaged():
    p = zen.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"decay is 1.5; expected a number in \[0, 1\]"):
        optim.ExponentialMovingAverage([p], decay=1.5)
    with pytest.raises(ValueError, match="the list of parameters is empty"):
        optim.ExponentialMovingAverage([])
    with pytest.raises(TypeError, match="parameter 1 is a int, not a Tensor"):
        optim.ExponentialMovingAverage([p, 1])


def test_clipping_by_a_norm_that_is_known():
    params = [zen.tensor(np.ones(n), requires_grad=True) for n in (2, 3)]
    others = [zen.tensor(np.ones(n), requires_grad=True) for n in (2, 3, 1)]
    for p, q in zip(params, others, strict=False):
        p.grad = zen.tensor(np.arange(1.0, 1 + p.size))
        q.grad = zen.tensor(np.arange(1.0, 1 + p.size))
    zen.optim.clip_grad_norm_(params, 2.0)
    zen.optim.clip_grads_with_norm_(others, 2.0, zen.optim.get_total_norm([q.grad for q in others[:2]]))
    for p, q in zip(params, others, strict=False):
        np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy())
    before = others[0].grad.numpy().copy()
    zen.optim.clip_grads_with_norm_(others, 9.0, 3.0)
    np.testing.assert_array_equal(others[0].grad.numpy(), before)
    with pytest.raises(ValueError, match="clip_grads_with_norm_: max_norm is -1; expected a number >= 0"):
        zen.optim.clip_grads_with_norm_(others, -1, 3.0)

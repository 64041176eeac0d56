"""Hooks of modules: their order, what they may replace, what a backward hook sees."""

import numpy as np
import pytest
from crowd import crowd

import zen
from zen import nn


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(np.array(3.0))

    def forward(self, x, *others, shift=0.0):
        return x * self.weight + shift + sum(others)


def test_forward_hooks_run_in_order_and_replace():
    m, seen = Scale(), []
    m.register_forward_pre_hook(lambda module, args: seen.append("first"))
    m.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    m.register_forward_pre_hook(lambda module, args: args[0] * 2)
    m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"shift": 10.0}), with_kwargs=True, prepend=True)
    m.register_forward_hook(lambda module, args, result: seen.append((args[0].item(), result.item())))
    handle = m.register_forward_hook(lambda module, args, kwargs, result: result + kwargs["shift"], with_kwargs=True)
    assert m(zen.tensor(1.0)).item() == 32.0
    assert seen == ["first", (4.0, 22.0)]
    handle.remove()
    handle.remove()
    with m.register_forward_hook(lambda module, args, result: -result):
        assert m(zen.tensor(1.0)).item() == -22.0
    assert m(zen.tensor(1.0)).item() == 22.0


def test_hooks_that_are_always_called():
    m, seen = Scale(), []
    m.register_forward_hook(lambda module, args, result: seen.append("never"))
    m.register_forward_hook(lambda module, args, result: seen.append(result), always_call=True)
    m.register_forward_hook(
        lambda module, args, kwargs, result: seen.append(kwargs), with_kwargs=True, always_call=True
    )
    with pytest.raises(TypeError):
        m(zen.tensor(1.0), wrong=1)
    assert seen == [None, {"wrong": 1}]

    def fail(*_):
        raise ValueError("the hook's own")

    seen.clear()
    with m.register_forward_hook(fail, prepend=True, always_call=True):  # none is called twice
        with pytest.raises(ValueError, match="the hook's own"):
            m(zen.tensor(1.0))
        assert [type(x) for x in seen] == [zen.Tensor, dict]
        message = r"a forward hook raised ValueError\(.*\) after another error"
        with pytest.warns(UserWarning, match=message), pytest.raises(TypeError, match="wrong"):
            m(zen.tensor(1.0), wrong=1)
    with m.register_forward_pre_hook(fail), pytest.raises(ValueError, match="the hook's own"):
        m(zen.tensor(1.0))
    assert seen[-2:] == [None, {}]
    seen.clear()
    assert m(zen.tensor(1.0)).item() == 3.0 and len(seen) == 3


def test_backward_hooks_see_the_gradients_of_one_call():
    m, seen = Scale(), []
    m.register_full_backward_hook(lambda module, into, out: seen.append((into[0].item(), into[1], out[0].item())))
    x = zen.tensor(2.0, requires_grad=True)
    y = m(x, zen.tensor(1.0)) + 100 * x  # the other use of x is no part of the call
    y.backward(5.0, retain_graph=True)
    assert seen == [(15.0, None, 5.0)] and x.grad.item() == 515.0 and m.weight.grad.item() == 10.0
    y.backward(1.0)
    assert seen[1] == (3.0, None, 1.0)
    with zen.no_grad():
        m(x)
    assert len(seen) == 2


def test_backward_hooks_replace_gradients():
    m = Scale()
    m.register_full_backward_pre_hook(lambda module, out: (out[0] * 2,))
    m.register_full_backward_hook(lambda module, into, out: (into[0] + 1,))
    x = zen.tensor(2.0, requires_grad=True)
    m(x).backward()
    assert (x.grad.item(), m.weight.grad.item()) == (7.0, 4.0)


def test_backward_hooks_of_several_inputs_and_outputs():
    class Two(nn.Module):
        def forward(self, a, b):
            return a * b, a + b

    m, seen = Two(), []
    m.register_full_backward_hook(lambda module, into, out: seen.append([g.item() for g in (*into, *out)]))
    a, b = zen.tensor(2.0, requires_grad=True), zen.tensor(3.0, requires_grad=True)
    p, q = m(a, b)
    (p + 10 * q).backward()
    assert seen == [[13.0, 12.0, 1.0, 10.0]]
    m.register_full_backward_hook(lambda module, into, out: into)
    p, q = m(a, b)
    with pytest.raises(
        RuntimeError, match="a backward hook of Two may replace a gradient only where there is one, not 2"
    ):
        (p + q).backward()


def test_backward_hooks_without_gradients_of_inputs():
    m, seen = Scale(), []
    m.register_full_backward_hook(lambda module, into, out: seen.append((into, out[0].item())))
    m(zen.tensor(2.0)).backward()
    assert seen == [((None,), 1.0)]


class Failing(nn.Module):
    """The product of two Tensors; a pass fails at the second of them while `failing` is set."""

    failing = False

    def forward(self, a, b):
        b.register_hook(self.fail)
        return a * b, a + b

    def fail(self, g):
        if self.failing:
            raise ValueError("on the way")


def watched(m, kind="full_backward_hook"):
    seen = []
    getattr(m, f"register_{kind}")(lambda module, *sides: seen.append([[g and g.item() for g in s] for s in sides]))
    return seen, m(zen.tensor(2.0, requires_grad=True), zen.tensor(3.0, requires_grad=True))


def fail(m, y, gradient=1.0):
    m.failing = True
    with pytest.raises(ValueError, match="on the way"):
        y.backward(gradient, retain_graph=True)
    m.failing = False


def test_a_pass_after_one_that_failed_shows_its_own_gradients():
    """d(ab) = b da + a db, and d(a + b) = da + db, at a = 2 and b = 3, times the gradient that is passed."""
    m = Failing()
    seen, (p, q) = watched(m)
    for g in (1.0, 10.0):
        fail(m, p + q, g)
        (p + q).backward(10 * g, retain_graph=True)
        assert seen.pop() == [[40 * g, 30 * g], [10 * g, 10 * g]] and not seen
    early, _ = watched(m, "full_backward_pre_hook")
    fail(m, p + q)
    (p + q).backward(5.0)
    assert seen == [[[20.0, 15.0], [5.0, 5.0]]] and early == [[[1.0, 1.0]], [[5.0, 5.0]]]


def test_a_pass_through_one_output_after_one_through_another():
    m = Failing()
    seen, (p, q) = watched(m)
    for y, into, out in ((p, [30.0, 20.0], [10.0, None]), (q, [10.0, 10.0], [None, 10.0])):
        fail(m, p + q)
        y.backward(10.0, retain_graph=True)
        assert seen.pop() == [into, out] and not seen


def test_a_pass_after_one_that_asked_for_a_part_of_the_gradients():
    class Apart(nn.Module):
        def forward(self, a, b):
            return 2 * a, 3 * b

    for first, second in ((0, 1), (1, 0)):
        seen, outputs = watched(Apart())
        outputs[first].backward(1.0, retain_graph=True)
        outputs[second].backward(1.0, retain_graph=True)
        (outputs[0] + outputs[1]).backward(10.0)
        assert seen == [[[20.0, 30.0], [10.0, 10.0]]]


def test_a_thread_does_not_inherit_the_gradients_of_one_that_has_ended():
    m = Failing()
    seen, (p, q) = watched(m)
    for g in (1.0, 10.0):  # the system gives the identity of a thread that has ended to the next one
        crowd(lambda _: fail(m, p + q), threads=1)
        crowd(lambda _, g=g: p.backward(g, retain_graph=True), threads=1)
        assert seen.pop() == [[3 * g, 2 * g], [g, None]] and not seen


def test_what_hooks_must_be_and_return():
    m = Scale()
    with pytest.raises(TypeError, match="a hook must be callable, not int"):
        m.register_forward_hook(3)
    m.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(
        RuntimeError, match=r"pre-hook of Scale with with_kwargs=True must return None or \(args, kwargs\)"
    ):
        m(zen.tensor(1.0))
    m = Scale()
    m.register_full_backward_hook(lambda module, into, out: 3.0)
    with pytest.raises(RuntimeError, match="a backward hook of Scale must return None or the one new gradient"):
        m(zen.tensor(1.0, requires_grad=True)).backward()

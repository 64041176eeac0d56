"""Recording is as it was after whatever ends a transform, an interrupt at any moment included."""

import gc
import signal

import numpy as np
import pytest

import zen
from zen import backend, nn

# An interrupt within a destructor is reported, not raised.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Stop(Exception):
    pass


def interrupted(work, times=40):
    """Run `work` again and again until a timer raises Stop in it; how often it did, and how often the mode changed."""

    fired = False

    def stop(number, frame):
        nonlocal fired
        fired = True
        raise Stop

    def run(delay):
        signal.setitimer(signal.ITIMER_REAL, delay)
        while not fired:  # what a destructor raises is not raised further, and no second one comes
            work()

    count, wrong, delays = 0, 0, np.random.default_rng(0).uniform(5e-5, 5e-4, times)
    before = signal.signal(signal.SIGALRM, stop)
    work()
    gc.disable()  # what a callback of the collector raises is not raised further
    try:
        for delay in delays:
            mode = zen.is_grad_enabled()
            fired = False
            try:
                run(delay)
            except Stop:
                count += 1
            wrong += zen.is_grad_enabled() != mode
            backend.set_grad_enabled(mode)
    finally:
        gc.enable()
        signal.signal(signal.SIGALRM, before)
    return count, wrong


def energy(x):
    return (np.tanh(x) * x).sum()


X = np.array([0.5, -1.2, 2.0])
NORM = nn.LayerNorm(3)
WORK = {
    "grad": lambda: zen.grad(energy)(X),
    "grad of grad": lambda: zen.grad(lambda x: zen.grad(energy)(x).sum())(X),
    "vjp": lambda: zen.vjp(np.tanh, X)[1](X),
    "jvp": lambda: zen.jvp(lambda x: np.prod(x) * x, (X,), (X,)),
    "fused": lambda: zen.grad(lambda x: zen.grad(lambda x: NORM(x).sum())(x).sum())(np.float32(X)),
}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the platform has no timers")
@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("name", WORK)
def test_an_interrupt_leaves_recording_as_it_was(name, recording):
    before = backend.set_grad_enabled(recording)
    try:
        count, wrong = interrupted(WORK[name])
    finally:
        backend.set_grad_enabled(before)
    assert count and wrong == 0


@pytest.mark.parametrize("recording", [True, False])
def test_a_function_that_raises_leaves_recording_as_it_was(recording):
    def fails(x):
        backend.set_grad_enabled(not recording)
        raise ValueError

    before = backend.set_grad_enabled(recording)
    try:
        for call in (lambda: zen.grad(fails)(1.0), lambda: zen.vjp(fails, 1.0), lambda: zen.jvp(fails, (1.0,), (1.0,))):
            with pytest.raises(ValueError):
                call()
            assert zen.is_grad_enabled() == recording
    finally:
        backend.set_grad_enabled(before)

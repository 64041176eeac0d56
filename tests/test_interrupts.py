"""Ctrl-C at any moment leaves recording as it was and no lock held: between two steps nothing is half switched."""

import dis
import gc
import importlib.util
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import zen
from zen import backend, nn
from zen.data import DataLoader, sample_generator

# An interrupt within a destructor or a callback of the collector is reported, not raised.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

rng = np.random.default_rng(0)
X = rng.standard_normal((4, 3))


def decorated_function():
    return zen.no_grad(zen.is_grad_enabled)()


@zen.no_grad
def numbers():
    yield from range(3)


def nested_blocks():
    with zen.no_grad():
        with zen.enable_grad(), zen.no_grad():
            pass


def one_block():
    with zen.no_grad():
        pass


def block_with_loop():
    k = 0
    with zen.no_grad():
        while k < 50:
            k += 1


def assigned_value():
    LEAF.value = X


def stale_view():
    base = LEAF * 1.0
    view = base[0]
    base[1] = 0.0
    return view.requires_grad


def recorded_pass():
    x = zen.tensor(X, requires_grad=True)
    (x * x).sum().backward(create_graph=True)


def plain_pass():
    x = zen.tensor(X, requires_grad=True)
    np.tanh(x).sum().backward()


def closure():
    return (LEAF * LEAF).sum()


LEAF = zen.tensor(X, requires_grad=True)
MODEL = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
HOOKED = nn.Linear(3, 3)  # a model that nothing calls: an interrupt may leave hooks behind
STATE = {key: value.numpy().copy() for key, value in MODEL.state_dict().items()}
SGD = zen.optim.SGD([LEAF], lr=0.0)
LOADER = DataLoader([np.float32(k) for k in range(6)], batch_size=2, shuffle=True, seed=0)


def removed_hook():
    handles = [HOOKED.register_forward_hook(print) for _ in range(3)]
    for handle in handles:
        handle.remove()


def pass_after_a_write():
    x = LEAF * 1.0
    x[0] = 0.0
    with zen.no_grad():
        LEAF.mul_(1.0)
    (x * x).sum().backward()


ACTIONS = {
    "a decorated function": decorated_function,
    "a decorated generator": lambda: list(numbers()),
    "an assigned value": assigned_value,
    "a stale view": stale_view,
    "grad": lambda: zen.grad(lambda x: (x * x).sum())(X),
    "grad of grad": lambda: zen.grad(lambda t: zen.grad(lambda s: s * s * s)(t))(2.0),
    "value_and_grad": lambda: zen.value_and_grad(lambda x: (x * x).sum())(X),
    "vjp": lambda: zen.vjp(lambda x: x * x, X)[1](X),
    "jvp": lambda: zen.jvp(lambda x: np.cumsum(x * x, axis=0), (X,), (X,)),
    "a recorded pass": recorded_pass,
    "a pass": plain_pass,
    "a pass after a write": pass_after_a_write,
    "a step with a closure": lambda: SGD.step(closure),
    "initialisation": lambda: nn.init.normal_(MODEL[0].weight),
    "a loaded state": lambda: MODEL.load_state_dict(STATE),
    "a shortened embedding": lambda: zen.f.embedding([[0, 2]], zen.tensor(X), max_norm=0.1),
    "a loader": lambda: list(LOADER),
    "a block": one_block,
    "nested blocks": nested_blocks,
    "a block that ends with a loop": block_with_loop,
    "a removed hook": removed_hook,
    "a summary": lambda: MODEL.summary(X.astype(np.float32)),
}


def interrupted(action, times=150):
    """Does `action` over and over, with `times` Ctrl-C at some moment; whether recording is on after each."""
    fired = False

    def interrupt(number, frame):
        nonlocal fired
        fired = True
        raise KeyboardInterrupt

    def run(delay):  # a function: the jump back of a loop that stands in `try` itself is not always guarded by it
        signal.setitimer(signal.ITIMER_REAL, delay)
        while not fired:
            action()

    pick = random.Random(0)
    before = signal.signal(signal.SIGALRM, interrupt)
    action()
    start = time.perf_counter()
    action()
    length = max(time.perf_counter() - start, 2e-5)
    on = []
    gc.disable()  # what a callback of the collector raises is not raised further
    try:
        for _ in range(times):
            fired = False
            try:
                run(pick.uniform(1e-5, 2 * length))
            except KeyboardInterrupt:
                pass
            on.append(zen.is_grad_enabled())
            backend.set_grad_enabled(True)
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return on


@pytest.mark.parametrize("name", ACTIONS)
def test_ctrl_c_leaves_recording_on_and_no_lock_held(name):
    assert all(interrupted(ACTIONS[name]))
    assert sample_generator() is None  # nor does a sample stay the one that is being loaded
    other = threading.Thread(target=ACTIONS[name], daemon=True)
    other.start()
    other.join(60)
    assert not other.is_alive()


def test_ctrl_c_in_an_inner_block_leaves_recording_as_the_outer_block_has_it():
    def inner():
        assert not zen.is_grad_enabled()
        zen.enable_grad(zen.is_grad_enabled)()

    def run():
        return interrupted(inner)

    # `interrupted` sets recording on after each round; in here that would hide what is asked.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "set_grad_enabled", lambda enabled: None)
        assert not any(zen.no_grad(run)())
    assert zen.is_grad_enabled()


# Loops in blocks


def guard(offset, table, instructions):
    """Where an error raised at `offset` is caught first, the cleaning up of comprehensions aside; None for nowhere."""
    while True:
        offset = next((entry.target for entry in table if entry.start <= offset < entry.end), None)
        if offset is None or instructions[offset].opname == "PUSH_EXC_INFO":
            return offset


def cleans_up(handler, instructions):
    """Whether the handler is for every error: of `with`, `finally`, `except BaseException` or a bare `except`."""
    after = [i for offset, i in sorted(instructions.items()) if offset >= handler][:3]
    return after[2].opname != "CHECK_EXC_MATCH" or after[1].argval == "BaseException"


def escaping_loops(code):
    """Lines whose loop jumps back outside of the handler of the block that it stands in."""
    table = dis._parse_exception_table(code)
    instructions = {i.offset: i for i in dis.get_instructions(code)} if table else {}  # without blocks nothing escapes
    for i in instructions.values():
        if i.opname == "JUMP_BACKWARD" and guard(i.offset, table, instructions) is None:
            handler = guard(i.argval, table, instructions)
            if handler is not None and cleans_up(handler, instructions):
                yield f"line {i.positions.lineno} in {code.co_qualname}"
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from escaping_loops(constant)


def test_no_loop_in_a_block_jumps_back_outside_of_its_handler():
    """Python 3.12 and 3.13 compile some loops so, and look for interrupts at that jump: the block would not end."""
    package = pathlib.Path(importlib.util.find_spec("zen").origin).parent
    sources = sorted(package.rglob("*.py"))
    found = {path.name: [*escaping_loops(compile(path.read_text("utf-8"), path.name, "exec"))] for path in sources}
    assert len(sources) > 100
    assert {name: lines for name, lines in found.items() if lines} == {}


FIRST_USE = """
import sys
import numpy as np
import zen

class Interrupt(BaseException):
    pass

def stop(frame, event, arg):
    if frame.f_code.co_filename.endswith("protocols.py"):
        sys.settrace(None)
        raise Interrupt

t = zen.tensor([0.5, 1.0], requires_grad=True)
for function in (np.tanh, np.prod):
    sys.settrace(stop)
    try:
        function(t)
        ended = "returned"
    except BaseException as error:
        ended = type(error).__name__
    sys.settrace(None)
    print(ended, type(function(t)).__name__)
"""


def test_an_interrupt_while_numpy_looks_for_the_protocols_is_raised():
    """NumPy took it for "no such protocol", and computed with the values alone, or complained of an argument."""
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Interrupt Tensor"] * 2

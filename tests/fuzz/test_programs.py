"""Random programs of fixed seeds: the modes of an engine agree, the two engines agree, and mistreatment is survived.

`make fuzz` runs the same without an end and prints what fails, shrunk. PyTorch is asked in `tests/peers`.
"""

import numpy as np
import pytest
from fuzz import abuse, interpret
from fuzz.compare import differs
from fuzz.families import generate
from fuzz.program import Program, Ref, Source, Step, shrink
from fuzz.worker import Worker

import zen
from zen import backend


def results(program, *orders):
    """What the program gives, or None where it overwrites what its own gradient needs, which is refused."""
    try:
        return interpret.results(program, *orders)
    except interpret.Refused:
        return None


@pytest.mark.parametrize("seed", range(150))
def test_all_modes_give_the_same_derivatives(seed):
    program = generate(seed)
    found = results(program)
    wrong = [] if found is None else interpret.disagreements(program, found)
    assert not wrong, "\n".join([*wrong, program.snippet()])


@pytest.fixture(scope="module")
def other():
    worker = Worker("reference" if backend.NAME == "compiled" else "compiled")
    yield worker
    worker.close()


@pytest.mark.parametrize("seed", range(1000, 1150))
def test_both_engines_give_the_same_values_and_derivatives(seed, other):
    program = generate(seed)
    mine, (state, theirs) = results(program), other.ask("results", program)
    assert state == ("refused" if mine is None else "found"), f"{theirs}\n{program.snippet()}"
    for name, value in (mine or {}).items():
        assert value.dtype == theirs[name].dtype, name
        assert not differs(program, value, theirs[name], tight=True), f"{name}\n{program.snippet()}"


@pytest.mark.parametrize("seed", range(2000, 2060))
def test_single_precision_follows_double(seed):
    program = generate(seed, "float32")
    single, double = results(program, 1), results(program.in_dtype("float64"), 1)
    assert (single is None) == (double is None)
    for name, value in (single or {}).items():
        assert value.dtype == np.float32 or not name.startswith("order"), "a gradient has the dtype of its leaf"
        assert not differs(program, value, double[name]), f"{name}\n{program.snippet()}"


@pytest.mark.parametrize("seed", range(3000, 3060))
def test_mistreated_programs_give_the_right_gradient_or_say_why_not(seed):
    program = generate(seed)
    wrong = [] if results(program, 1) is None else abuse.findings(program)
    assert not wrong, "\n".join([*wrong, program.snippet()])


def test_a_seed_always_gives_the_same_program():
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


def test_a_program_runs_as_the_text_that_is_printed():
    program = generate(3)
    names = {}
    exec(program.snippet(), names)
    for source in program.leaves:
        expected = interpret.results(program, 1)[f"order 1, {source.name}"]
        found = names[source.name].gradient
        np.testing.assert_array_equal(np.zeros(source.shape) if found is None else found, expected)


def test_shrinking_keeps_the_step_that_fails():
    program = next(p for p in map(generate, range(1000)) if any(s.op == "logaddexp" for s in p.steps))
    small = shrink(program, lambda p: any(s.op == "logaddexp" for s in p.steps))
    assert 1 <= len(small.steps) <= 3 < len(program.steps)
    assert interpret.results(small)


def test_a_wrong_derivative_is_found_by_every_mode():
    """Of a program whose sine has a derivative that is a little off."""
    sources = Source("x1", "leaf", (3,), "float64", 1), Source("a2", "array", (3,), "float64", 2)
    program = Program(0, "float64", sources, (Step("sin", (Ref("x1"),), {}, "v3", "np.sin({0})"),), (("v3", "a2"),))
    right = interpret.results(program)
    assert not interpret.disagreements(program, right)
    bent = {name: a * 1.001 if name.startswith("order") else a for name, a in right.items()}
    wrong = interpret.disagreements(program, bent)
    assert {text.split(",")[0] for text in wrong} == set(interpret.MODES) - {"free"}


def test_a_gradient_overwritten_unnoticed_is_found(monkeypatch):
    monkeypatch.setitem(abuse.TRIALS, "bent", lambda s: [g + 1.0 for g in abuse.twice(s)])
    assert "wrong gradient" in abuse.findings(generate(3), ["bent"])[0]


def test_a_worker_that_dies_is_told_apart_and_replaced(engine):
    worker = Worker(engine)
    step = Step("exit", (), {}, "v2", "__import__('os')._exit(3)")
    program = Program(0, "float64", (Source("x1", "leaf", (), "float64", 1),), (step,), (("x1", "x1"),))
    assert worker.ask("results", program) == ("died", "status 3")
    assert worker.ask("results", generate(3))[0] == "found"
    worker.close()
    assert zen.is_grad_enabled()

"""Runs of the machine that replays programs: inputs and outputs, live objects, checks, errors, threads, memory."""

import threading

import numpy as np
import pytest
from building import Builder, agrees, draw, replayed_eagerly, same

import zen
from zen.backend import NAME, Machine, Row
from zen.ops.register import ROWS

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_of_any_layout_are_read_and_never_written(dtype):
    b = Builder()
    x = b.input(draw((4, 6), dtype))
    b.input(draw((), dtype))
    y = b.row("multiply", b.row("add", x, x), b.inputs[1])
    program = b.program(y, b.row("sum", y, params=((0,), False)))
    machine = Machine(program)
    wide = draw((8, 12), dtype)
    odd = np.frombuffer(b"\0" + draw((4, 6), dtype).tobytes(), np.uint8)[1:].view(dtype).reshape(4, 6)
    for given in (
        wide[::2, ::2],
        wide[:4, :6].T.copy().T,
        wide[3::-1, 5::-1],
        odd,
        wide[:4, :6].astype(x.dtype.newbyteorder()),
    ):
        given.flags.writeable = False
        before = given.copy()
        number = np.array(2.5, dtype)
        expected = replayed_eagerly(program, [np.ascontiguousarray(given, dtype), number])
        found = machine.run([given, number])
        assert all(same(f, e) for f, e in zip(found, expected, strict=True))
        assert np.array_equal(given, before)


def test_inputs_that_do_not_fit_are_refused():
    b = Builder()
    x, w = b.input(draw((3,))), b.input(1.5)
    machine = Machine(b.program(b.row("multiply", x, w)))
    with pytest.raises(TypeError, match=r"input 0 .* float64\[3\], not one of float64\[4\]"):
        machine.run([draw((4,)), 1.5])
    with pytest.raises(TypeError, match=r"input 0 .* not one of float32\[3\]"):
        machine.run([draw((3,), np.float32), 1.5])
    with pytest.raises(TypeError, match="input 0 .* not list"):
        machine.run([[1.0, 2.0, 3.0], 1.5])
    with pytest.raises(TypeError, match=r"input 1 .* a float, not one of float64"):
        machine.run([draw((3,)), draw(())])
    with pytest.raises(TypeError, match="takes 2 inputs, not 1"):
        machine.run([draw((3,))])


def test_outputs_are_nobody_elses():
    b = Builder()
    x, w = b.input(draw((3, 4))), b.input(0.5)
    kept, bound = b.constant(draw((3, 4))), b.bound(draw((3, 4)))
    y = b.row("multiply", x, kept)
    turned = b.row("permute_dims", y, params=((1, 0),))
    part = b.row("getitem", y, params=((1,),))
    spread = b.row("broadcast_to", part, params=((2, 4),))
    sorted_ = b.row("cumsum", y, params=(0,)) if "cumsum" in ROWS else y
    one = b.row("getitem", x, params=((0, 0),))
    outputs = (x, x, w, kept, bound, y, y, turned, part, spread, sorted_, sorted_, one, one)
    machine = Machine(b.program(*outputs))
    first, second = machine.run(b.samples), machine.run(b.samples)
    expected = [np.array(b.eager[v.number]) for v in outputs]
    arrays = [a for a in (*first, *second) if isinstance(a, np.ndarray)]
    taken = [*b.samples[:1], b.constants[0][1], b.live[0][1]]
    for k, a in enumerate(arrays):
        assert a.flags.writeable
        assert not any(np.may_share_memory(a, other) for other in (*arrays[k + 1 :], *taken))
    for a in first:
        if isinstance(a, np.ndarray):
            a.fill(-7)
    third = machine.run(b.samples)
    for found in (second, third):
        assert all(np.array_equal(f, e) for f, e in zip(found, expected, strict=True))
    assert type(third[2]) is float


def test_one_array_may_be_given_twice_and_outputs_may_be_given_back():
    b = Builder()
    x, y = b.input(draw((50,))), b.input(draw((50,)))
    z = b.row("add", b.row("multiply", x, y), x)
    machine = Machine(b.program(z))
    state = draw((50,))
    for _ in range(4):
        expected = state * state + state
        (state,) = machine.run((state, state))
        assert np.array_equal(state, expected)


def test_live_objects_are_read_at_each_call():
    array, tensor, scalar = draw((3,)), zen.tensor(draw((3,))), zen.tensor(2.0)
    b = Builder()
    y = b.row("multiply", b.row("add", b.bound(array), b.bound(tensor)), b.bound(scalar))
    machine = Machine(b.program(y))
    assert np.array_equal(machine.run([])[0], (array + tensor.array) * 2)
    array[:] = 1
    tensor[0] = 5.0
    scalar += 1.0
    assert np.array_equal(machine.run([])[0], (array + tensor.array) * 3)


def test_a_live_object_of_another_shape_or_dtype_ends_the_run():
    array = draw((3, 1))
    b = Builder()
    machine = Machine(b.program(b.row("add", b.bound(array), 1.0)))
    assert isinstance(machine.run([]), list)
    array.resize((1, 3), refcheck=False)
    assert machine.run([]) == -1


# --- numbers and checks


def test_arithmetic_of_floats_is_pythons():
    b = Builder()
    a, c = b.input(0.1), b.input(3.0)
    results = [b.number(op, a, c) for op in "+-*/"] + [b.number("neg", a), b.number("-", 2, c), b.number("*", a, 1e300)]
    x = b.input(draw((3,), np.float32))
    machine = agrees(b, *results, b.row("multiply", x, results[3]), b.row("add", results[0], results[1]))
    assert machine.run([0.1, 0.0, b.samples[2]]) == 3, "a division by zero"


@pytest.mark.parametrize("dtype", [*DTYPES, np.int64, bool])
def test_a_check_that_fails_ends_the_run_with_its_number(dtype):
    b = Builder()
    x, y = b.input((draw((2, 3)) * 4).astype(dtype)), b.input(0.5)
    turned = b.row("permute_dims", x, params=((1, 0),))
    b.check(turned)
    b.check(y)
    one = b.row("getitem", x, params=((0, 0),))
    b.check(one)
    z = b.row("logical_not", x)
    b.check(z)
    machine = agrees(b, turned, z)
    other = b.samples[0].copy()
    other[1, 2] = 0 if other[1, 2] else 1
    assert machine.run([other, 0.5]) == 1
    assert machine.run([b.samples[0], 0.25]) == 2
    assert isinstance(machine.run([b.samples[0], 0.5]), list)


def test_zeros_of_different_sign_are_different_bits():
    b = Builder()
    x, y = b.input(np.zeros(())), b.input(0.0)
    b.check(x)
    b.check(y)
    machine = Machine(b.program(x))
    assert machine.run([np.array(-0.0), 0.0]) == 0 and machine.run([np.zeros(()), -0.0]) == 1


def test_an_error_midway_leaves_a_machine_that_works():
    def forward(x):
        if x[0] > 1:
            raise ValueError("too large")
        return x + 1

    row = Row("picky", 1, forward, lambda: ((None,), ((0, 0),)))
    b = Builder()
    x = b.input(np.array([0.5, 2.0]))
    machine = agrees(b, b.row("multiply", b.row(row, b.row("add", x, x)), 3.0))
    with pytest.raises(ValueError, match="picky: too large"):
        machine.run([np.array([4.0, 1.0])])
    assert isinstance(machine.run(b.samples), list)


def test_a_row_whose_result_shares_memory_with_an_operand():
    row = Row("same_memory", 1, lambda x: x[::-1], lambda: ((None,), ((0, 0),)))
    b = Builder()
    y = b.row("add", b.input(draw((5,))), 1.0)
    turned = b.row(row, y)
    further = b.row("multiply", b.row("multiply", b.row("exp", turned), 2.0), 3.0)
    agrees(b, further, turned)


# --- calls at one time


def test_a_machine_runs_within_itself():
    def forward(x):
        if x[0] > 0:
            (inner,) = machines[0].run([x - 1])
            return x + inner
        return x

    machines: list[Machine] = []
    row = Row("nested", 1, forward, lambda: ((None,), ((0, 0),)))
    b = Builder()
    x = b.input(np.array([-1.0, 2.0]))
    y = b.row("add", b.row("multiply", x, 1.0), 0.0)
    machines.append(Machine(b.program(b.row("add", b.row(row, y), y))))
    (found,) = machines[0].run([np.array([2.0, 2.0])])

    def expected(x):
        return x + (x + expected(x - 1) if x[0] > 0 else x)

    assert np.array_equal(found, expected(np.array([2.0, 2.0])))


def test_threads_share_a_machine():
    b = Builder()
    x = b.input(draw((30000,)))
    y = b.row("tanh", b.row("multiply", x, 1.5))
    z = b.row("add", b.row("copy", y, params=("C",)), b.row("exp", y))
    program = b.program(z, b.row("sum", z, params=(None, False)))
    machine, wrong = Machine(program), []

    def work(seed):
        given = np.random.default_rng(seed).uniform(0, 1, 30000)
        expected = replayed_eagerly(program, [given])
        for _ in range(20):
            if not all(same(f, e) for f, e in zip(machine.run([given]), expected, strict=True)):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- memory and text


def test_the_arena_is_hardly_larger_than_what_lives_at_one_time():
    b = Builder()
    x = b.input(draw((20, 1000)))
    y = x
    for _ in range(30):
        y = b.row("add", b.row("matmul", b.row("permute_dims", y, params=((1, 0),)), b.input(draw((20, 20)))), 1.0)
        y = b.row("permute_dims", y, params=((1, 0),))
    machine = agrees(b, y)
    assert machine.arena_bytes <= 1.1 * 3 * 160_000


def test_a_long_program_is_planned_and_run():
    b = Builder()
    x = b.input(np.array(0.5))
    y = x
    for _ in range(3000):
        y = b.row("subtract", b.row("multiply", y, x), 0.25)
    machine = agrees(b, y, times=1)
    assert NAME == "reference" or machine.arena_bytes < 1000


def test_the_text_has_a_line_for_each_instruction():
    b = Builder()
    x, w = b.input(draw((3,))), b.input(2.0)
    y = b.row("add", b.row("multiply", x, w), b.constant(draw((3,))))
    b.check(b.number("/", w, 2.0))
    text = Machine(b.program(b.row("cumsum", y, params=(0,)))).text()
    assert all(word in text for word in ("multiply(%0, %1)", "add(", "check(", "/(%1, 2.0)", "float64[3]", "bytes"))

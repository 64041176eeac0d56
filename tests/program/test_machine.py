"""The machine that replays programs gives what the engine gives for the same rows one by one, bit for bit."""

import threading

import numpy as np
import pytest
from building import Builder, agrees, replayed_eagerly, same

import zen
from zen.backend import NAME, Machine, Row
from zen.ops.register import DECLARATIONS, ROWS

RNG = np.random.default_rng(7)
DTYPES = [np.float32, np.float64]
ELEMENTWISE = sorted(
    name for name in "add subtract multiply divide power negative positive abs sign square sqrt reciprocal maximum "
    "minimum clip exp expm1 log log1p sin cos tanh atan2 hypot sigmoid relu softplus erf where floor_divide remainder "
    "logaddexp less less_equal greater greater_equal equal not_equal isnan logical_not".split()
)  # fmt: skip
SHAPES = [
    [(), (), ()],
    [(5,), (5,), (5,)],
    [(3, 4), (3, 4), (3, 4)],
    [(3, 1), (4,), ()],
    [(2, 3, 4), (1, 4), (3, 1)],
    [(0, 3), (0, 3), (1,)],
    [(1, 1), (1,), ()],
    [(9000,), (9000,), (9000,)],
]


def draw(shape, dtype=np.float64, low=0.3, high=0.9):
    return RNG.uniform(low, high, shape).astype(dtype)


def arguments(name, shapes, dtype):
    domain = DECLARATIONS[name].domain
    kinds = domain if isinstance(domain, (list, tuple)) else [(0.3, 0.9)]
    return [
        RNG.random(shape) > 0.5 if kind == "bool" else draw(shape, dtype)
        for kind, shape in zip(kinds, shapes, strict=False)
    ]


# --- rows


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_rows_of_all_shapes_are_those_of_eager(name, dtype):
    for shapes in SHAPES:
        b = Builder()
        operands = [b.input(np.array(x)) for x in arguments(name, shapes, dtype)]
        agrees(b, b.row(name, *operands))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "divide", "maximum", "power", "atan2", "less", "where"]
)
def test_numbers_beside_arrays_take_their_dtype(name, dtype):
    for other in (0.1, 3, True, 2**60, 1e300):
        for shape in ((), (4,), (2, 3)):
            b = Builder()
            x = b.input(draw(shape, dtype))
            weak = b.input(0.7)
            first = (b.input(np.array(RNG.random(shape) > 0.5)),) if name == "where" else ()
            made = [b.row(name, *first, x, other), b.row(name, *first, other, x), b.row(name, *first, weak, x)]
            agrees(b, *made)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_keep_their_signs(dtype):
    b = Builder()
    x = b.input(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, 1.0, -1.0], dtype))
    y = b.input(np.array([-0.0, 0.0, np.nan, 1.0, 2.0, -1e-42, np.inf, 0.0], dtype))
    names = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "less", "equal", "not_equal"]
    results = [b.row(name, x, y) for name in names]
    results += [b.row(name, x) for name in ("negative", "abs", "square", "reciprocal", "sqrt", "sign")]
    for k in range(8):
        one, two = b.row("getitem", x, params=((k,),)), b.row("getitem", y, params=((k,),))
        results += [b.row(name, one, two) for name in names]
        results += [b.row(name, one) for name in ("negative", "abs", "square", "reciprocal", "sqrt", "sign")]
    agrees(b, *results)


@pytest.mark.parametrize("dtype", [*DTYPES, np.int64, np.complex128, bool, np.float16])
def test_sums_depend_on_the_layout_as_they_do_eagerly(dtype):
    for shape in ((7,), (3, 5), (40, 50), (2, 3, 4), (1, 6), (5000,), (0, 3)):
        for axes in (None, (0,), (len(shape) - 1,), tuple(range(len(shape))), ()):
            for keep in (False, True):
                for name in ("sum", "mean"):
                    b = Builder()
                    x = b.input((draw(shape) * 100 - 60).astype(dtype))
                    turned = b.row("permute_dims", x, params=(tuple(range(len(shape)))[::-1],))
                    axis = None if axes is None else tuple(len(shape) - 1 - k for k in axes)
                    with np.errstate(all="ignore"):
                        results = [b.row(name, x, params=(axes, keep)), b.row(name, turned, params=(axis, keep))]
                        results.append(b.row(name, b.row("negative" if dtype is not bool else "copy", turned,
                                                         params=() if dtype is not bool else ("K",)),
                                             params=(axis, keep)))  # fmt: skip
                        agrees(b, *results)


@pytest.mark.parametrize("dtype", [*DTYPES, np.int64, np.complex64])
@pytest.mark.parametrize(
    "key",
    [(1,), (slice(1, None),), (slice(None, None, -2),), (Ellipsis, None, 2), (slice(3, 3),), (2, -1), (), (None,)],
)
def test_parts_and_writes_by_basic_keys(key, dtype):
    b = Builder()
    x = b.input(draw((4, 5)).astype(dtype) * 3)
    part = b.row("getitem", x, params=(key,))
    doubled = b.row("add", part, part)
    spread = b.row("scatter", doubled, params=((4, 5), key))
    written = b.row("setitem", x, doubled, params=(key,))
    twice = b.row("setitem", b.row("add", x, x), part, params=(key,))
    filled = b.row("setitem", x, b.row("getitem", doubled, params=((Ellipsis, slice(0, 1)),)) if len(part.shape) else
                   doubled, params=(key,)) if part.shape[-1:] != (0,) else twice  # fmt: skip
    agrees(b, part, doubled, spread, written, twice, filled)


def test_a_write_in_place_of_a_dying_value_leaves_what_is_read_later():
    b = Builder()
    x = b.input(draw((6,)))
    y = b.row("add", x, x)
    shifted = b.row("getitem", y, params=((slice(None, -1),),))
    kept = b.row("setitem", y, shifted, params=((slice(1, None),),))  # the part that is written overlaps what is read
    again = b.row("setitem", kept, 2.5, params=((0,),))
    last = b.row("multiply", again, kept)
    agrees(b, last, again)


@pytest.mark.parametrize("dtype", [*DTYPES, np.int32, bool])
def test_shapes_and_orders_of_axes(dtype):
    b = Builder()
    x = b.input((draw((3, 4, 2)) * 9).astype(dtype))
    turned = b.row("permute_dims", x, params=((2, 0, 1),))
    flat = b.row("reshape", turned, params=((24,),))
    same_memory = b.row("reshape", turned, params=((2, 1, 3, 4, 1),))
    row = b.row("getitem", flat, params=((slice(0, 4),),))
    many = b.row("broadcast_to", row, params=((3, 2, 4),))
    column = b.row("reshape", many, params=((6, 4),))
    one = b.row("reshape", b.row("getitem", x, params=((0, 0, 0),)), params=((1, 1),))
    back = b.row("reshape", one, params=((),))
    agrees(b, turned, flat, same_memory, row, many, column, one, back)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products(dtype):
    b = Builder()
    x, y, v = b.input(draw((5, 7), dtype)), b.input(draw((7, 4), dtype)), b.input(draw((7,), dtype))
    stack, other = b.input(draw((3, 5, 7), dtype)), b.input(draw((3, 7, 2), dtype))
    turned = b.row("permute_dims", y, params=((1, 0),))
    every_second = b.row("getitem", x, params=((slice(None, None, 2), slice(None, None, 2)),))
    bias = b.input(draw((4,), dtype))
    flipped = b.row("permute_dims", stack, params=((0, 2, 1),))
    results = [
        b.row("matmul", x, y),
        b.row("matmul", turned, b.row("permute_dims", x, params=((1, 0),))),
        b.row("matmul", x, v),
        b.row("matmul", v, y),
        b.row("matmul", turned, v),
        b.row("matmul", v, v),
        b.row("matmul", every_second, b.row("getitem", bias, params=((slice(0, 4),),))),
        b.row("matmul", every_second, turned),
        b.row("matmul", stack, other),
        b.row("matmul", flipped, stack),
        b.row("matmul", stack, v),
        b.row("linear", x, turned),
        b.row("affine", x, turned, bias),
        b.row("affine", stack, turned, bias),
        b.row("affine", v, turned, bias),
        b.row("matmul", b.input(draw((0, 7), dtype)), y),
        b.row("matmul", b.input(draw((5, 0), dtype)), b.input(draw((0, 3), dtype))),
    ]
    agrees(b, *results)


@pytest.mark.parametrize("dtype", DTYPES)
def test_long_chains_go_through_the_cache_by_blocks(dtype):
    b = Builder()
    x, mask = b.input(draw((3, 5001), dtype)), b.input(RNG.random((3, 5001)) > 0.5)
    y = b.row("multiply", x, 2.0)
    y = b.row("tanh", b.row("add", y, 1.0))
    z = b.row("where", mask, y, 0)
    z = b.row("add", b.row("exp", b.row("negative", b.row("square", x))), z)
    total = b.row("sum", z, params=(None, False))
    scaled = b.row("multiply", z, total)
    agrees(b, b.row("mean", scaled, params=(None, True)), total, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(9, 1024), (9, 1000), (700, 20), (3, 4, 600)])
def test_chains_of_rows_beside_a_bias(shape, dtype):
    b = Builder()
    x, bias, column = (
        b.input(draw(shape, dtype)),
        b.input(draw(shape[-1:], dtype)),
        b.input(draw((*shape[:-1], 1), dtype)),
    )
    y = b.row("add", b.row("multiply", x, bias), bias)
    z = b.row("multiply", b.row("exp", b.row("subtract", y, column)), y)
    turned = b.row("permute_dims", z, params=turned_axes(shape))
    more = b.row("add", b.row("multiply", turned, 2.0), b.row("permute_dims", x, params=turned_axes(shape)))
    agrees(b, b.row("sum", z, params=(None, False)), more, b.row("sum", more, params=((0,), False)))


def turned_axes(shape):
    return (tuple(range(len(shape)))[::-1],)


@pytest.mark.parametrize("source", [*DTYPES, bool, np.int32, np.int64, np.uint8, np.complex64])
def test_copies_and_numbers_of_another_dtype(source):
    b = Builder()
    x, one = b.input((draw((4, 5)) * 9).astype(source)), b.input(np.array(3, source))
    turned = b.row("permute_dims", x, params=((1, 0),))
    parts = b.row("getitem", x, params=((slice(None, None, 2), slice(1, None)),))
    results = []
    for value in (x, turned, parts, one):
        results += [b.row("copy", value, params=(order,)) for order in "CFAK"]
        if source is not np.complex64:
            results += [
                b.row("astype", value, params=(np.dtype(to),)) for to in (np.float32, np.float64, bool, np.int64)
            ]
    results += [b.row("sum", y, params=((0,), False)) for y in results if len(y.shape) == 2]
    agrees(b, *results)


def test_a_chain_that_reads_a_shifted_part_of_its_own_results():
    b = Builder()
    x = b.input(draw((20001,)))
    y = b.row("exp", x)
    shifted = b.row("add", b.row("getitem", y, params=((slice(1, None),),)), 1.0)
    back = b.row("multiply", b.row("getitem", y, params=((slice(None, None, -1),),)), x)
    agrees(b, shifted, back, b.row("getitem", y, params=((3,),)))


def test_rows_with_several_results_and_rows_of_lists():
    b = Builder()
    x, y = b.input(draw((4, 4)) + 3 * np.eye(4)), b.input(draw((4, 4)))
    lower, upper = b.row("lu", x)
    sign, logarithm = b.row("slogdet", b.row("multiply", x, 2.0))
    stacked = b.row("stack", x, y, upper, params=(1,))
    solved = b.row("solve", x, y)
    agrees(b, stacked, lower, b.row("multiply", sign, logarithm), b.row("sum", solved, params=((0,), False)), solved)


def test_results_of_python_keep_their_layout():
    """Sums of what comes laid out as in Fortran differ in the last bits from sums of the same laid out as in C."""
    b = Builder()
    x = b.input(draw((61, 47)))
    turned = b.row("copy", b.row("permute_dims", x, params=((1, 0),)), params=("K",))
    laid_out = b.row("copy", b.row("multiply", turned, 1.1), params=("F",))
    more = b.row("copy", b.row("add", b.row("permute_dims", laid_out, params=((1, 0),)), 0.1), params=("K",))
    agrees(b, *[b.row("sum", y, params=((axis,), False)) for y in (turned, laid_out, more) for axis in (0, 1)], more)


def test_layouts_that_are_known_beforehand_need_no_run_to_find_them():
    calls = []

    def forward(x):
        calls.append(x.shape)
        return np.array(x, order="F")

    b = Builder()
    y = b.row(Row("as_in_fortran", 1, forward, lambda: ((None,), ((0, 0),))), b.input(draw((61, 47))))
    total = b.row("sum", y, params=((1,), False))
    machine = Machine(b.program(total, layouts={y.number: b.eager[y.number].strides}))
    calls.clear()
    (found,) = machine.run(b.samples)
    assert same(found, b.eager[total.number]) and len(calls) == 1


# --- inputs, outputs and lifetimes


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

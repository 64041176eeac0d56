"""The machine that replays programs gives what the engine gives for the same rows one by one, bit for bit."""

import numpy as np
import pytest
from building import RNG, Builder, agrees, draw, same

from zen.backend import Machine, Row
from zen.ops.register import DECLARATIONS

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

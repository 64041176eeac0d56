"""Every row applied to all examples at once gives what it gives for each of them; so do its derivatives."""

import warnings

import numpy as np
import pytest
from drawing import ROWS, cases, elementwise_case

import zen
from zen import backend, batching
from zen.batched import Batched, Level, Unbatched
from zen.ops.register import ENGINE_ROWS
from zen.transforms import jacobians
from zen.transforms.levels import within

assert batching
EXAMPLES = 3
SHAPES = [[(3, 4)] * 4, [(4,), (3, 1), (3, 4), (1, 4)], [(), (2,), (2, 1), ()], [(0,)] * 4]


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        yield


def drawn(name):
    if ROWS[name].elementwise:
        return [elementwise_case(name, shapes[: len(ROWS[name].args)]) for shapes in SHAPES]
    return cases(name)


def choices(args):
    """Which operands differ by example: all of them, the first, the second."""
    n = len(args)
    for chosen in ([True] * n, [k == 0 for k in range(n)], [k == 1 for k in range(n)]):
        chosen = tuple(c and x is not None for c, x in zip(chosen, args, strict=True))
        if any(chosen):
            yield chosen


def examples(x):
    """Whole numbers, which may be orders and degrees, stay as they are."""
    x = np.asarray(x)
    whole = x.dtype.kind in "bi" or (np.round(x) == x).all()
    return np.stack([x if whole else x * (1 + 0.1 * k) for k in range(EXAMPLES)])


def as_tuple(made):
    return made if isinstance(made, tuple) else (made,)


@pytest.mark.parametrize("name", list(ROWS))
def test_all_examples_at_once(name):
    level, tried = Level(EXAMPLES, 0), 0
    for case in drawn(name):
        for chosen in set(choices(case.args)):
            given = [examples(x) if c else x for x, c in zip(case.args, chosen, strict=True)]

            def of(b, given=given, chosen=chosen, case=case):
                inputs = tuple(zen.tensor(x[b]) if c else x for x, c in zip(given, chosen, strict=True))
                return as_tuple(backend.apply(ENGINE_ROWS[name], inputs, case.params))

            try:
                expected = [of(b) for b in range(EXAMPLES)]
            except (np.linalg.LinAlgError, ValueError, TypeError):
                continue  # not every operand may be scaled
            inputs = tuple(Batched(zen.tensor(x), level) if c else x for x, c in zip(given, chosen, strict=True))
            try:
                with within((level,)):
                    found = as_tuple(backend.apply(ENGINE_ROWS[name], inputs, case.params))
            except Unbatched:
                continue  # vmap runs the function for each example
            for k, y in enumerate(found):
                want = np.stack([np.asarray(e[k]) for e in expected])
                assert type(y) is Batched and y.shape == want.shape[1:] and y.dtype == want.dtype
                np.testing.assert_allclose(y.examples.numpy(), want, rtol=1e-10, atol=1e-12)
            tried += 1
    assert tried or not [c for case in drawn(name) for c in choices(case.args)]


def leaves_of(case):
    row, leaves = ROWS[case.name], {}
    for k, x in enumerate(case.args):
        moves = callable(row.vjp) or row.vjp[0 if row.variadic else k] is not None
        if moves and x is not None and np.asarray(x).dtype.kind in "fc":
            leaves[k] = backend.leaf(np.array(x), True)
    return leaves


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("name", list(ROWS))
def test_derivatives_in_all_directions_at_once(name, recorded):
    for case in drawn(name)[: 2 if recorded else None]:
        leaves = leaves_of(case)
        if not leaves or sum([np.size(x) for x in case.args if x is not None]) > 150:
            continue
        inputs = tuple(leaves.get(k, x) for k, x in enumerate(case.args))
        outputs = [y for y in as_tuple(backend.apply(ENGINE_ROWS[name], inputs, case.params)) if y.requires_grad]
        if not outputs:
            continue
        for kind in (jacobians._Rows, jacobians._Columns):
            passes = kind(outputs, list(leaves.values()), recorded)
            with backend.GradMode(recorded):
                found = jacobians._blocks(passes, None)
                expected = passes.blocks([one_by_one(passes, k) for k in range(len(passes.starts))])
            for row, want in zip(found, expected, strict=True):
                for block, b in zip(row, want, strict=True):
                    assert block.dtype == b.dtype
                    np.testing.assert_allclose(block.detach(), b.detach(), rtol=1e-8, atol=1e-10)


def one_by_one(passes, k):
    """The engine's own passes, one for each direction."""
    t = passes.starts[k]
    if not t.size:
        return [None] * len(passes.ends)
    basis = np.eye(t.size, dtype=t.dtype).reshape(t.size, *t.shape)
    found = [passes.one(k, backend.wrap(np.array(v))) for v in basis]
    return [None if g[0] is None else zen.stack(list(g)) for g in zip(*found, strict=True)]

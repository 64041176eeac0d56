"""einsum where it becomes a matrix product, against NumPy and against the row that does any sum."""

import tracemalloc

import numpy as np
import pytest

import zen
from zen import backend
from zen.ops.einsum import EINSUM

SIZES = dict(zip("abcdij", (2, 3, 4, 5, 3, 2), strict=True))
PRODUCTS = [
    "ab,bc->ac", "ab,bc->ca", "ba,bc->ac", "ab,cb->ac", "ba,cb->ca", "ab,b->a", "b,ab->a", "b,ba->a", "a,a->",
    "ab,ab->", "ab,ba->", "abc,cd->abd", "abc,cd->dab", "abc,cb->a", "abc,bcd->ad", "abc,cbd->da", "abc,dcb->ad",
    "cab,dc->bda", "ab,bcd->acd", "ab,bcd->cad", "abcd,cd->ab", "abcd,dcij->abij", "ab,bc", "ij,jk", "ba,bc",
]  # fmt: skip
STACKS = [
    "dab,dbc->dac", "dab,dcb->dca", "abd,bcd->dac", "adb,bdc->acd", "diab,dibc->idac", "dab,dbic->dcai",
    "dab,idbc->diac",
]  # fmt: skip
OTHERS = ["ab,ab->ab", "ab,ab->a", "a,b->ab", "aab,bc->c", "ab,bc->c", "ab,abc->ac", "a...,a...->...", "aa,a->a"]


def operands(subscripts, rng, dtype=np.float64):
    parts = subscripts.partition("->")[0].replace("...", "d").split(",")
    return [rng.normal(size=[SIZES.get(x, 4) for x in part]).astype(dtype) for part in parts]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("subscripts", PRODUCTS + STACKS + OTHERS)
def test_values_and_gradients(subscripts, dtype):
    rng = np.random.default_rng(0)
    arrays = operands(subscripts, rng, dtype)
    expected = np.einsum(subscripts, *arrays)
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-12}
    leaves = [zen.tensor(a, requires_grad=True) for a in arrays]
    made = zen.einsum(subscripts, *leaves)
    np.testing.assert_allclose(made.array, expected, **tolerance)
    assert made.dtype == dtype and made.shape == expected.shape
    weights = rng.normal(size=expected.shape).astype(dtype)
    (made * weights).sum().backward()
    if "." not in subscripts and "->" in subscripts:  # the row itself, which takes whole subscripts only
        again = [zen.tensor(a, requires_grad=True) for a in arrays]
        (backend.apply(EINSUM, tuple(again), (subscripts,)) * weights).sum().backward()
        for t, u in zip(leaves, again, strict=True):
            np.testing.assert_allclose(t.gradient, u.gradient, **tolerance)


@pytest.mark.parametrize("subscripts", PRODUCTS[:20] + STACKS)
def test_forward_mode_and_second_order(subscripts):
    rng = np.random.default_rng(1)
    arrays, tangents = tuple(operands(subscripts, rng)), tuple(operands(subscripts, rng))
    _, found = zen.jvp(lambda a, b: zen.einsum(subscripts, a, b), arrays, tangents)
    expected = np.einsum(subscripts, tangents[0], arrays[1]) + np.einsum(subscripts, arrays[0], tangents[1])
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)
    inner = zen.grad(lambda a, b: (zen.einsum(subscripts, a, b) ** 2).sum())
    g = zen.grad(lambda b: (inner(arrays[0], b) * tangents[0]).sum())(arrays[1])
    step = 1e-6 * tangents[1]
    slope = (inner(arrays[0], arrays[1] + step) - inner(arrays[0], arrays[1] - step)) / 2e-6
    np.testing.assert_allclose((g * tangents[1]).sum(), (slope * tangents[0]).sum(), rtol=1e-5, atol=1e-6)


SEVERAL = [
    "ab,b,bc->ac", "ab,bc,cd->da", "abc,cd,ad->b", "aab,bc,c->a", "ab,ab,ab->", "ab,bc,cd,de->ae", "dab,dbc,d->dac",
    "a,b,c->cab", "ab,,bc->ac",
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("subscripts", SEVERAL)
def test_several_operands_are_summed_step_by_step(subscripts, dtype):
    rng, sizes = np.random.default_rng(3), dict(zip("abcde", (17, 18, 16, 19, 3), strict=True))
    parts = subscripts.partition("->")[0].split(",")
    arrays, tangents = [[rng.normal(size=[sizes[x] for x in part]).astype(dtype) for part in parts] for _ in range(2)]
    tolerance = {"rtol": 1e-3, "atol": 1e-3} if dtype == np.float32 else {"rtol": 1e-10, "atol": 1e-10}
    wide = [a.astype(np.float64) for a in arrays]
    value, tangent = zen.jvp(lambda *xs: zen.einsum(subscripts, *xs), tuple(arrays), tuple(tangents))
    np.testing.assert_allclose(value, np.einsum(subscripts, *wide), **tolerance)
    assert value.dtype == tangent.dtype == dtype
    moved = sum(np.einsum(subscripts, *wide[:k], tangents[k], *wide[k + 1 :]) for k in range(len(wide)))
    np.testing.assert_allclose(tangent, moved, **tolerance)
    leaves = [zen.tensor(a, requires_grad=True) for a in arrays]
    made = zen.einsum(subscripts, *leaves)
    cotangent = rng.normal(size=made.shape).astype(dtype)
    made.backward(cotangent)
    for k, leaf in enumerate(leaves):  # linear in each: <cotangent, einsum(.., t, ..)> = <gradient, t>
        expected = np.sum(cotangent * np.einsum(subscripts, *wide[:k], tangents[k], *wide[k + 1 :]))
        np.testing.assert_allclose(np.sum(leaf.gradient * tangents[k].astype(np.float64)), expected, rtol=1e-3)


def test_a_sum_of_two_operands_is_kept_only_where_it_is_not_large():
    """The sum of two has 160,000 elements in the first case, and 2.5 million in the second."""
    for rows, count in ((100, 40), (1000, 50)):
        arrays = [np.ones((rows, count)), np.ones((count, count, count)), np.ones((rows, count))]
        tracemalloc.start()
        y = zen.einsum("ai,kij,aj->ak", *arrays)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20
        assert (y.array == count * count).all()


def test_several_operands_of_length_one_or_of_other_dtypes():
    rng = np.random.default_rng(4)
    a, b, c = rng.normal(size=(20, 1)), rng.normal(size=(30, 20)), rng.normal(size=(20, 25))
    for arrays in ((a, b, c), (a, b.astype(np.float32), c), (a, (b * 9).astype(int), c)):
        np.testing.assert_allclose(
            zen.einsum("ab,bc,cd->ad", *arrays).array, np.einsum("ab,bc,cd->ad", *arrays), rtol=1e-6
        )
        np.testing.assert_allclose(
            zen.einsum("ab,bc,cd->adb", *arrays).array, np.einsum("ab,bc,cd->adb", *arrays), rtol=1e-6
        )


def test_lengths_of_one_and_other_dtypes_are_no_product():
    a, b = np.arange(3.0)[:, None], np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(zen.einsum("ab,bc->ac", a, b).array, np.einsum("ab,bc->ac", a, b))
    for dtype in (np.int64, np.float16, np.bool_):
        x, y = np.ones((2, 3), dtype), np.ones((3, 2), dtype)
        made = zen.einsum("ab,bc->ac", x, y)
        assert made.dtype == dtype
        np.testing.assert_array_equal(made.array, np.einsum("ab,bc->ac", x, y))
    mixed = zen.einsum("ab,bc->ac", np.ones((2, 3), np.float32), np.ones((3, 2)))
    assert mixed.dtype == np.float64


def test_an_array_that_is_overwritten_is_noticed_or_was_copied():
    w, x = zen.tensor(np.ones((2, 3)), requires_grad=True), np.ones((4, 3))
    y = zen.einsum("ab,cb->ac", w, x).sum()
    x[...] = 7.0
    try:
        y.backward()
    except RuntimeError as error:
        assert "overwritten" in str(error)
    else:
        np.testing.assert_array_equal(w.gradient, np.full((2, 3), 4.0))


@pytest.mark.parametrize("subscripts", ["ij,jk-", "ij,jk>", "ij,j-->i", "ij,jk->ik-", "ij,jk->ik>"])
def test_half_an_arrow_is_no_index(subscripts):
    with pytest.raises(ValueError, match="einsum"):
        zen.einsum(subscripts, np.ones((3, 2)), np.ones((2, 3, 3)))

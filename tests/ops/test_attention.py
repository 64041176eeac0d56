"""Scaled dot-product attention: masks, layouts, dropout, and what it refuses."""

import numpy as np
import pytest
from layouts import LAYOUTS

import zen
from zen.backend import apply
from zen.ops.attention import ATTENTION, SELF_ATTENTION
from zen.testing import check_gradients

attend = zen.f.scaled_dot_product_attention
PLAIN = 0.7, False, 1.0


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def by_hand(q, k, v, allowed=None):
    """The definition, query by query."""
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for i in np.ndindex(q.shape[:-1]):
        chosen = np.arange(k.shape[-2]) if allowed is None else np.flatnonzero(allowed[i[-1]])
        if len(chosen):
            e = np.exp(k[i[:-1]][chosen] @ q[i] / np.sqrt(q.shape[-1]))
            out[i] = e @ v[i[:-1]][chosen] / e.sum()
    return out


def test_the_definition():
    q, k, v = draw(2, 3, 4), draw(2, 5, 4), draw(2, 5, 2)
    np.testing.assert_allclose(attend(q, k, v).array, by_hand(q, k, v), rtol=1e-12)
    lower = np.tri(3, 5, dtype=bool)
    np.testing.assert_allclose(attend(q, k, v, is_causal=True).array, by_hand(q, k, v, lower), rtol=1e-12)
    mask = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]], bool)
    np.testing.assert_allclose(attend(q, k, v, mask).array, by_hand(q, k, v, mask), rtol=1e-12)


@pytest.mark.parametrize("length", [1, 15, 16, 70, 300])
def test_rows_of_any_length(length):
    """Shorter and longer than the registers, and a block of rows that is worked on in parts."""
    q, k, v = (draw(1, 2, n, 8).astype("float32") for n in (70, length, length))
    expected = by_hand(*(a.astype("float64") for a in (q, k, v)))
    np.testing.assert_allclose(attend(q, k, v).array, expected, rtol=1e-4, atol=1e-5)
    inputs = [zen.tensor(a, requires_grad=True) for a in (q, k, v)]
    g = draw(1, 2, 70, 8).astype("float32")
    outs = apply(ATTENTION, (*inputs, None, None), PLAIN), ATTENTION.composition(*inputs, None, None, *PLAIN)
    one, other = (zen.gradients(out, inputs, g) for out in outs)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("masked", [False, True])
def test_a_scale_of_zero_keeps_nan(dtype, masked):
    """0 * nan is nan: the products must not be left out because their factor is zero."""
    q, k, v = (draw(1, 2, n, 4).astype(dtype) for n in (3, 5, 5))
    mask = np.zeros((3, 5), dtype) if masked else None
    np.testing.assert_allclose(attend(q, k, v, mask, scale=0.0).array, v.mean(2, keepdims=True).repeat(3, 2), rtol=1e-5)
    q[0, 0, 1, 2], k[0, 1, 2, 0] = np.nan, np.inf
    inputs = [zen.tensor(a, requires_grad=True) for a in (q, k, v, mask) if a is not None]
    out = attend(*inputs, scale=0.0)
    expected = np.zeros(out.shape, bool)
    expected[0, 0, 1] = expected[0, 1] = True
    np.testing.assert_array_equal(np.isnan(out.array), expected)
    clean = [zen.tensor(np.nan_to_num(a, posinf=0), requires_grad=True) for a in (q, k, v, mask) if a is not None]
    found = zen.gradients(out, inputs, np.ones(out.shape, dtype))
    rows = np.isnan(found[0].array).any(-1)  # query 1 of head 0 is nan, and all of head 1 meets the key that is inf
    np.testing.assert_array_equal(rows, [[[False, True, False], [True] * 3]])
    assert np.isnan(found[1].array).all() and np.isnan(found[2].array).all()
    clean = [zen.tensor(np.nan_to_num(a, posinf=0), requires_grad=True) for a in (q, k, v, mask) if a is not None]
    found = zen.gradients(attend(*clean, scale=0.0), clean, np.ones(out.shape, dtype))
    assert not found[0].array.any() and not found[1].array.any() and np.isfinite(found[2].array).all()
    if masked:  # the gradient of the scores is not scaled
        scores = attend(*clean[:3], clean[3], scale=0.0)
        (g,) = zen.gradients(scores, [clean[3]], scores.array)
        assert g.array.any()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_layouts(layout):
    arrays = [draw(2, 2, 3, 4), draw(2, 2, 5, 4), draw(2, 2, 5, 4), draw(2, 1, 3, 5)]
    given, laid = ([zen.from_numpy(f(a)).requires_grad_() for a in arrays] for f in (np.array, layout))
    found, expected = (apply(ATTENTION, (*x, None), PLAIN) for x in (laid, given))
    np.testing.assert_allclose(found.array, expected.array, rtol=1e-12)
    g = draw(2, 2, 3, 4)
    pairs = zip(zen.gradients(found, laid, layout(g)), zen.gradients(expected, given, g), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-12)


def test_heads_are_read_in_place():
    """Columns of one projection, as a layer passes them: the result's heads lie side by side as well."""
    qkv = draw(2, 3, 12)
    q, k, v = (qkv[..., i : i + 4].reshape(2, 3, 2, 2).transpose(0, 2, 1, 3) for i in (0, 4, 8))
    out = attend(q, k, v).array
    assert out.transpose(0, 2, 1, 3).flags.c_contiguous
    packed = apply(SELF_ATTENTION, (qkv, None, None), (2, True, False, 1.0))
    np.testing.assert_allclose(packed.array, out.transpose(0, 2, 1, 3).reshape(2, 3, 4), rtol=1e-12)


def test_other_numbers_of_axes_and_broadcasting():
    for lead in [(), (3,), (2, 1, 2, 2)]:
        q, k, v = draw(*lead, 3, 2), draw(*lead, 4, 2), draw(*lead, 4, 3)
        np.testing.assert_allclose(attend(q, k, v).array, by_hand(q, k, v), rtol=1e-12)
        mask = np.broadcast_to(np.tri(3, 4, dtype=bool), (*lead, 3, 4))
        expected = by_hand(q, k, v, np.tri(3, 4, dtype=bool))
        np.testing.assert_allclose(attend(q, k, v, mask).array, expected, rtol=1e-12)
    q, k, v = draw(2, 3, 3, 2), draw(3, 4, 2), draw(1, 1, 4, 3)
    wide = [np.broadcast_to(x, (2, 3, *x.shape[-2:])) for x in (q, k, v)]
    np.testing.assert_allclose(attend(q, k, v).array, by_hand(*wide), rtol=1e-12)
    check_gradients(attend, [draw(2, 2, 2), draw(3, 2), draw(1, 3, 1)], order=2)


def test_dropout():
    zen.random.seed(0)
    q, k = zen.zeros((1, 1, 50, 2)), zen.zeros((1, 1, 40, 2))
    out = attend(q, k, zen.ones((1, 1, 40, 1)), dropout_p=0.25).array
    assert len(np.unique(out.round(9))) > 3 and abs(out.mean() - 1) < 0.05
    generator = np.random.default_rng(3)
    again = [attend(q, k, k, dropout_p=0.5, generator=np.random.default_rng(3)).array for _ in range(2)]
    np.testing.assert_array_equal(*again)
    keep = generator.random((1, 1, 2, 3), np.float32) >= 0.5
    arrays = [draw(1, 1, 2, 2), draw(1, 1, 3, 2), draw(1, 1, 3, 2)]
    check_gradients(lambda q, k, v: apply(ATTENTION, (q, k, v, None, keep), (0.7, False, 2.0)), arrays, order=2)


def test_large_scores_do_not_overflow_and_nan_stays_visible():
    q = np.full((1, 2), 1e4, np.float32)
    assert attend(q, np.vstack([q, -q]), np.eye(2, dtype="float32")).tolist() == [[1.0, 0.0]]
    k = np.array([[np.nan, 0], [0, 1]], np.float32)
    assert np.isnan(attend(q, k, k).array).all()


def test_without_keys_or_queries():
    assert attend(np.ones((2, 3, 4)), np.ones((2, 0, 4)), np.ones((2, 0, 5))).tolist() == np.zeros((2, 3, 5)).tolist()
    assert attend(np.ones((2, 0, 4)), np.ones((2, 3, 4)), np.ones((2, 3, 5))).shape == (2, 0, 5)


X = np.ones((2, 3, 4))
WRONG = [
    ((X[0, 0], X, X), {}, ValueError, r"query \(4,\).*at least two axes"),
    ((X, X[..., :2], X), {}, ValueError, r"last axes of query \(4\) and key \(2\)"),
    ((X, X, X[:, :2]), {}, ValueError, r"axis -2 of key \(3\) and value \(2\)"),
    ((X, np.ones((3, 3, 4)), np.ones((3, 3, 4))), {}, ValueError, "leading axes do not broadcast; set enable_gqa"),
    ((X.astype(int), X, X), {}, TypeError, "query must be of a floating dtype, not int64; convert"),
    ((X, X.astype("float32"), X), {}, TypeError, "one dtype, not float64, float32 and float64"),
    ((X, X, X, np.ones((3, 3), bool)), {"is_causal": True}, ValueError, "attn_mask or is_causal=True, not both"),
    ((X, X, X, np.ones((3, 3), int)), {}, TypeError, "attn_mask must hold bools.*not int64"),
    ((X, X, X, np.ones((2, 2), bool)), {}, ValueError, r"\(2, 2\) does not broadcast to the weights' shape"),
    ((X, X, X), {"dropout_p": 1.0}, ValueError, "at least 0 and less than 1; got 1.0"),
    ((np.ones((5, 3, 4)), X, X), {"enable_gqa": True}, ValueError, "5 query heads must be a multiple of 2"),
    ((np.ones((2, 4, 3, 4)), X[:1, None], X[:1, None]), {"enable_gqa": True}, ValueError, "only the number"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "options", "error", "text"), WRONG, ids=[w[3][:24] for w in WRONG])
def test_what_is_refused(args, options, error, text):
    with pytest.raises(error, match=text):
        attend(*args, **options)

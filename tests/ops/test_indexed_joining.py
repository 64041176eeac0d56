"""zen.r_ and zen.c_ against NumPy's, with gradients."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

V, W, X = np.array([1.5, 2.5]), np.array([3.5, 4.5]), np.arange(4.0).reshape(2, 2)
KEYS = {
    "vectors": lambda j, v, w, x: j[v, 0.5, w],
    "one": lambda j, v, w, x: j[v],
    "a range": lambda j, v, w, x: j[v, 1:5:2, 0],
    "numbers apart": lambda j, v, w, x: j[0:1:4j, v][:2],
    "rows": lambda j, v, w, x: j["0,2", v, w],
    "columns": lambda j, v, w, x: j["0,2,0", v, w],
    "last": lambda j, v, w, x: j["-1", x, x * 2],
    "deep": lambda j, v, w, x: j["0,3", v, w],
    "deep and in the middle": lambda j, v, w, x: j["1,3,1", v, w],
    "matrices": lambda j, v, w, x: j[x, x],
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_r(key):
    wanted = key(np.r_, V, W, X)
    found = key(zen.r_, *[zen.tensor(a, requires_grad=True) for a in (V, W, X)])
    np.testing.assert_array_equal(found.value, wanted)
    assert found.dtype == wanted.dtype and found.requires_grad
    check_gradients(lambda *given: key(zen.r_, *given), [V, W, X])


def test_c():
    for key in (lambda c, v, w: c[v, w], lambda c, v, w: c[v], lambda c, v, w: c[np.ones((1, 2)), v[None], 7, 8]):
        wanted = key(np.c_, V, W)
        found = key(zen.c_, zen.tensor(V, requires_grad=True), zen.tensor(W))
        np.testing.assert_array_equal(found.value, wanted)
    check_gradients(lambda v, w: zen.c_[v, w, v * w], [V, W])


def test_ends_of_ranges_have_gradients():
    a, s = zen.tensor(1.0, requires_grad=True), zen.tensor(0.5, requires_grad=True)
    y = zen.r_[a:3.0:s]
    assert y.detach().tolist() == [1.0, 1.5, 2.0, 2.5]
    y.sum().backward()
    assert a.gradient == 4.0 and s.gradient == 6.0


def test_dtypes_are_numpys():
    for parts in (([1, 2], 3), (np.float32([1]), 2.5), (np.float32([1]), 2), ([True], 1), (np.int8([1]), np.int16(3))):
        assert zen.r_[parts].dtype == np.r_[parts].dtype


@pytest.mark.parametrize(
    ("key", "words"),
    [(("r", V), "'r' is not"), ((V, "0,2"), "first place"), ("0,2", "nothing to join"), ((), "nothing")],
)
def test_errors_say_what_is_wrong(key, words):
    with pytest.raises(ValueError, match=words):
        zen.r_[key]

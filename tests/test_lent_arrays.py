"""Arrays that a Tensor hands out, written to between forward and backward: the right gradient or an error.

What a graph saved before an array was handed out is covered by a fingerprint of the memory, compared by a pass.
"""

import numpy as np
import pytest

import zen

SMALL, LARGE, HUGE = (4, 6), (100, 120), (600, 300)  # of float64, 96 KB lie in a block of the engine's

rng = np.random.default_rng(0)


def leaf(shape):
    return zen.tensor(np.random.default_rng(1).normal(size=shape), requires_grad=True)


WAYS_OUT = {
    "array": lambda t: t.array,
    "value": lambda t: t.value,
    "numpy": lambda t: t.detach().numpy(),
    "asarray": lambda t: np.asarray(t.detach()),
    "DLPack": lambda t: np.from_dlpack(t.detach()),
    "a part": lambda t: t.array[1:],
    "a view of it": lambda t: t[1:].array,
    "its transpose": lambda t: t.T.value,
}


@pytest.mark.parametrize("shape", [SMALL, LARGE, HUGE], ids=["small", "large", "huge"])
@pytest.mark.parametrize("name", WAYS_OUT)
@pytest.mark.parametrize("when", ["before", "after"])
def test_values_written_from_outside_are_noticed(name, when, shape):
    w = leaf(shape)
    t = zen.exp(zen.tensor(rng.normal(size=shape)))
    expected = t.array.copy()
    if when == "before":
        out = WAYS_OUT[name](t)
        if not out.flags.writeable:  # the oldest NumPy exports read-only memory
            return
        loss = (w * t).sum()
        out[...] = 0.0
        del out
    else:
        loss = (w * t).sum()
        out = WAYS_OUT[name](t)
        if not out.flags.writeable:
            return
        out[...] = 0.0
    try:
        loss.backward()
    except RuntimeError as error:
        assert "overwritten" in str(error)  # noqa: PT017
        return
    np.testing.assert_allclose(w.gradient, expected)


def through_a_detached_one(w, t):
    detached = t.detach()
    return (w * detached).sum(), t.array


def from_a_detached_one(w, t):
    return (w * t).sum(), t.detach().array  # the Tensor itself goes


def of_a_result_that_goes(w, t):
    y = zen.exp(w)
    return y.sum(), y.detach().numpy()


def of_a_view_of_what_no_tensor_holds(w, t):
    t = (t.reshape(1, -1) * 1.0).T.reshape(-1)
    return (w * t).sum(), t.array


@pytest.mark.parametrize(
    "ways_out",
    [through_a_detached_one, from_a_detached_one, of_a_result_that_goes, of_a_view_of_what_no_tensor_holds],
)
def test_an_array_handed_out_after_an_operation_is_compared(ways_out):
    w = leaf(6)
    loss, outside = ways_out(w, zen.ones(6) * 2.0)
    outside[:] = 100.0
    with pytest.raises(RuntimeError, match="that it saved for its gradient was overwritten by NumPy"):
        loss.backward()
    loss, outside = ways_out(w, zen.ones(6) * 2.0)
    outside[:] = 100.0
    del outside
    with pytest.raises(RuntimeError, match="saved for its gradient was overwritten (in place )?by '?NumPy"):
        loss.backward()


def test_a_result_written_from_outside_is_noticed():
    x = leaf(SMALL)
    y = zen.exp(x)
    y.array[0] = 0.0
    with pytest.raises(RuntimeError, match="exp.*overwritten in place by 'NumPy'"):
        y.sum().backward()


def test_arrays_outside_that_are_only_read_do_no_harm():
    x = leaf(LARGE)
    kept = []
    for _ in range(3):
        y = zen.exp(x) * x
        kept.append(y.array)
        kept.append(x.array)
        y.sum().backward()
    np.testing.assert_allclose(x.gradient, 3 * np.exp(x.value) * (1 + x.value))


def test_what_was_written_before_an_operation_is_its_value():
    t, w = zen.tensor(rng.normal(size=LARGE)), leaf(LARGE)
    out = t.array
    out[:] = 2.0
    loss = (w * t).sum()
    del out
    loss.backward()
    np.testing.assert_allclose(w.gradient, np.full(LARGE, 2.0))


def test_a_write_of_the_engines_beside_an_array_outside():
    h = zen.zeros(3000)
    out = h.array
    h[0] = zen.tensor(0.5, requires_grad=True)
    for k in range(1, 4):
        h[k] = np.sin(h[k - 1]) + h[k - 1]
    assert out[3] == h[3].item()
    h.sum().backward()

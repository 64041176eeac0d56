"""Reading by any key: values are NumPy's, and the gradient scatters back with repeated positions added."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from layouts import LAYOUTS

import zen
from zen.testing import check_gradients

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def arrays_and_keys(draw):
    """A shape, and a key of ints, slices, None, Ellipsis, masks and integer arrays, in any mixture that NumPy takes."""
    shape = draw(shapes)
    key, axis, has_ellipsis, advanced = [], 0, False, draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    while axis < len(shape) and draw(st.integers(0, 5)) > 0:
        n = shape[axis]
        kind = draw(st.sampled_from(["int", "slice", "slice", "none", "ellipsis", "array", "mask"]))
        if kind == "none":
            key.append(None)
        elif kind == "ellipsis" and not has_ellipsis:
            has_ellipsis = True
            key.append(Ellipsis)
            axis += draw(st.integers(0, len(shape) - axis))
        elif kind == "mask" and n > 0:
            count = int(np.prod(advanced, dtype=int))
            mask = np.zeros(n, bool)
            mask[draw(st.lists(st.integers(0, n - 1), max_size=max(count, 1)))] = True
            key.append(mask)
            axis += 1
        elif kind == "array" and n > 0:
            dtype = draw(st.sampled_from([np.int64, np.int32]))
            key.append(draw(hnp.arrays(dtype, advanced, elements=st.integers(-n, n - 1))))
            axis += 1
        elif kind == "int" and n > 0:
            key.append(draw(st.integers(-n, n - 1)))
            axis += 1
        else:
            key.append(draw(st.slices(n)))
            axis += 1
    if axis < len(shape) and not has_ellipsis and draw(st.booleans()):
        key.append(Ellipsis)
    return shape, key[0] if len(key) == 1 and draw(st.booleans()) else tuple(key)


def expected_read(a, key):
    """NumPy's answer, or None where it refuses the key (arrays that do not broadcast together)."""
    try:
        return a[key]
    except IndexError:
        return None


def scattered(shape, key, g):
    out = np.zeros(shape)
    np.add.at(out, key, g)
    return out


@given(arrays_and_keys(), st.sampled_from([lambda a: a, *LAYOUTS]), st.sampled_from([np.float32, np.float64]))
def test_a_read_and_its_gradient(shape_and_key, layout, dtype):
    shape, key = shape_and_key
    rng = np.random.default_rng(0)
    a = layout(rng.standard_normal(shape).astype(dtype))
    t = zen.Tensor(a)
    expected = expected_read(a, key)
    if expected is None:
        with pytest.raises(IndexError):
            t[key]
        return
    result = t[key]
    np.testing.assert_array_equal(result.array, expected, strict=True)
    g = rng.integers(-4, 5, expected.shape).astype(dtype)  # whole numbers: sums are exact
    result.backward(g)
    np.testing.assert_array_equal(t.gradient, scattered(shape, key, g).astype(dtype), strict=True)


@given(arrays_and_keys())
def test_a_read_of_an_intermediate_used_elsewhere(shape_and_key):
    """The read adds into a gradient that other uses have already begun, and the other way round."""
    shape, key = shape_and_key
    t = zen.Tensor(np.random.default_rng(0).standard_normal(shape))
    if expected_read(t.array, key) is None:
        return
    x = t * 2.0
    result = (x[key] * 3.0).sum() + (x * 5.0).sum() + x[key].sum()
    result.backward()
    expected = scattered(shape, key, np.ones(t.array[key].shape)) * 8.0 + 10.0
    np.testing.assert_array_equal(t.gradient, expected)


@given(arrays_and_keys())
def test_second_order_and_forward_mode(shape_and_key):
    shape, key = shape_and_key
    a = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    read = expected_read(a, key)
    if read is None or read.size == 0 or a.size > 24:
        return
    check_gradients(lambda x: x[key] * x[key] * x[key], [a], order=2, rtol=1e-5, atol=1e-5)


@given(arrays_and_keys(), st.integers(0, 1 << 30))
def test_a_write_and_its_gradients(shape_and_key, seed):
    """`y[key] = v`: what was written over gets no gradient; v gets what stands there now."""
    shape, key = shape_and_key
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(shape)
    read = expected_read(a, key)
    places = None if read is None else np.asarray(np.arange(a.size).reshape(shape)[key])
    if places is None or np.unique(places).size != places.size:
        return  # which of several writes to one place stays is NumPy's secret
    v_shape = read.shape if seed % 2 else ()
    t, v = zen.Tensor(a), zen.Tensor(rng.standard_normal(v_shape))
    y = t * 1.0
    y[key] = v
    expected = a.copy()
    expected[key] = v.array
    np.testing.assert_array_equal(y.array, expected)
    g = rng.standard_normal(shape)
    y.backward(g)
    kept = g.copy()
    kept[key] = 0
    np.testing.assert_allclose(t.gradient, kept, rtol=1e-15)
    np.testing.assert_allclose(v.gradient, g[key] if v_shape == read.shape else np.sum(g[key]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_integer_arrays_of_any_layout_as_keys(layout):
    key = np.array([[0, 2, 2], [1, 0, 2]])
    t = zen.Tensor(np.arange(12.0).reshape(3, 4))
    result = t[layout(key)]
    np.testing.assert_array_equal(result.array, t.array[key])
    result.backward(np.ones(result.shape))
    np.testing.assert_array_equal(t.gradient, np.array([2.0, 1.0, 3.0])[:, None] * np.ones(4))


def test_a_thousand_reads_of_one_array():
    t = zen.Tensor(np.arange(1000.0))
    x = t * 1.0
    total = x[0] * 0.0
    for k in range(1000):
        total = total + x[k] * float(k)
    total.backward()
    np.testing.assert_array_equal(t.gradient, np.arange(1000.0))

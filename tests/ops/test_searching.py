"""nonzero, searchsorted, isin and the unique elements, against what they mean."""

import numpy as np
import pytest

import zen

NAN = float("nan")


def test_nonzero_gives_the_indices_along_each_axis():
    x = zen.tensor([[0.0, -1.0, NAN], [2.0, 0.0, -0.0]], requires_grad=True)
    rows, columns = zen.nonzero(x)
    assert (rows.tolist(), columns.tolist()) == ([0, 0, 1], [1, 2, 0]) and rows.dtype == zen.int64
    assert not rows.requires_grad
    assert x[zen.nonzero(x)].shape == (3,)
    assert [part.shape for part in zen.nonzero(zen.zeros((2, 0)))] == [(0,), (0,)]
    assert zen.nonzero(zen.tensor([0j, 1j]))[0].tolist() == [1]
    with pytest.raises(ValueError, match=r"nonzero: a 0-d array has no axes .* take zen.f.atleast_1d of it"):
        zen.nonzero(zen.tensor(1.0))


def test_searchsorted_finds_the_place():
    x = zen.tensor([1.0, 2.0, 2.0, 3.0], requires_grad=True)
    for side, expected in (("left", [0, 1, 3, 4]), ("right", [1, 3, 4, 4])):
        places = zen.searchsorted(x, zen.tensor([1.0, 2.0, 3.0, 9.0]), side=side)
        assert places.tolist() == expected and places.dtype == zen.int64 and not places.requires_grad
        assert all([side == "right" or v <= e for v, e in zip(expected, [0, 1, 3, 4], strict=True)])
    assert zen.searchsorted(x, 2.5).shape == () and zen.searchsorted(x, 2.5).item() == 3
    assert zen.searchsorted(x, zen.zeros((2, 0))).shape == (2, 0)
    order = zen.argsort(zen.tensor([3.0, 1.0, 2.0]))
    assert zen.searchsorted(zen.tensor([3.0, 1.0, 2.0]), [2.5], sorter=order).tolist() == [2]


def test_searchsorted_says_what_does_not_fit():
    with pytest.raises(ValueError, match='side must be "left" or "right", not \'middle\''):
        zen.searchsorted(zen.tensor([1.0]), 1.0, side="middle")
    with pytest.raises(ValueError, match=r"x1 must have one dimension, not shape \(1, 1\)"):
        zen.searchsorted(zen.tensor([[1.0]]), 1.0)
    with pytest.raises(ValueError, match=r"sorter of shape \(2,\) does not fit x1 of shape \(1,\)"):
        zen.searchsorted(zen.tensor([1.0]), 1.0, sorter=[0, 1])
    with pytest.raises(ValueError, match="^searchsorted: Sorter index out of range"):
        zen.searchsorted(zen.tensor([1.0, 2.0]), 1.5, sorter=[0, 5])


def test_isin():
    x = zen.tensor([[1, 2], [3, 1]])
    assert zen.isin(x, zen.tensor([1, 5])).tolist() == [[True, False], [False, True]]
    assert zen.isin(x, zen.tensor([1, 5]), invert=True).tolist() == [[False, True], [True, False]]
    assert zen.isin(x, 3).tolist() == [[False, False], [True, False]]
    assert zen.isin(2, x).shape == () and zen.isin(2, x).item() is True
    assert zen.isin(zen.tensor([NAN]), [NAN]).tolist() == [False]
    assert zen.isin(zen.zeros(0), x).shape == (0,)


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex128"])
def test_unique_elements_make_x_again(shape, dtype):
    x = np.random.default_rng(0).integers(0, 3, shape).astype(dtype)
    every = zen.unique_all(zen.tensor(x))
    values = np.array(sorted(set(x.ravel().tolist()), key=lambda z: (complex(z).real, complex(z).imag)), dtype)
    assert every.values.dtype == x.dtype and np.array_equal(every.values, values)
    assert every.inverse_indices.shape == x.shape and np.array_equal(np.asarray(every.values)[every.inverse_indices], x)
    flat = x.ravel().tolist()
    assert every.indices.tolist() == [flat.index(v) for v in values.tolist()]
    assert every.counts.tolist() == [flat.count(v) for v in values.tolist()]
    assert every.indices.dtype == every.counts.dtype == every.inverse_indices.dtype == zen.int64
    assert np.array_equal(zen.unique_values(zen.tensor(x)), values)
    assert zen.unique_counts(zen.tensor(x)).counts.tolist() == every.counts.tolist()
    inverse = zen.unique_inverse(zen.tensor(x)).inverse_indices
    assert inverse.shape == x.shape and np.array_equal(inverse, every.inverse_indices)


def test_each_nan_is_an_element_of_its_own():
    values, indices, inverse, counts = zen.unique_all(zen.tensor([NAN, 1.0, NAN]))
    assert np.array_equal(values, [1.0, NAN, NAN], equal_nan=True) and counts.tolist() == [1, 1, 1]
    assert indices.tolist() == [1, 0, 2] and inverse.tolist() == [1, 0, 2]


def test_the_gradient_of_unique_elements_goes_to_the_first_of_equals():
    x = zen.tensor([[2.0, 1.0], [2.0, 3.0]], requires_grad=True)
    (zen.unique_values(x) * zen.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [[10.0, 1.0], [0.0, 100.0]]
    x.grad = None
    (np.unique_counts(x).values ** 2).sum().backward()
    assert x.grad.tolist() == [[4.0, 2.0], [0.0, 6.0]]


def test_unknown_arguments_are_refused():
    for name in ("unique_all", "unique_counts", "unique_inverse", "unique_values"):
        with pytest.raises(TypeError, match=f"{name}: there is no argument 'dim'"):
            getattr(zen, name)(zen.tensor([1.0]), dim=0)

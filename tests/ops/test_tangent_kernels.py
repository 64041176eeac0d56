"""Kernels of forward mode on operands worked out by hand; compiled, they refuse what they would read out of bounds."""

import numpy as np
import pytest

from zen import backend

COMPILED = backend.NAME == "compiled"  # NumPy has checks of its own


def gru(**changed):
    given = {
        "gates": np.zeros((2, 9)), "before": np.zeros((2, 3)), "kept": np.zeros((2, 3)), "q": None, "inputs": None,
        "states": None, "dh": None, "out": np.zeros((2, 3)), **changed,
    }  # fmt: skip
    backend.kernels.steps.gru_step(*given.values())
    return given["out"]


def lstm(**changed):
    given = {
        "gates": np.zeros((2, 12)), "before": np.zeros((2, 3)), "squashed": np.zeros((2, 3)), "q": None, "drive": None,
        "dc": np.zeros((2, 3)), "out": np.zeros((2, 3)), **changed,
    }  # fmt: skip
    backend.kernels.steps.lstm_step(*given.values())
    return given["out"]


@pytest.mark.parametrize("step", [gru, lstm])
@pytest.mark.parametrize("name", ["gates", "before", "q", "out"])
@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 2)), np.zeros((1, 9)), np.zeros(6), np.zeros((2, 9), np.float32), np.zeros((9, 2)).T]
)
def test_a_step_of_arrays_that_do_not_fit(step, name, wrong):
    np.testing.assert_array_equal(step(), np.zeros((2, 3)))  # nothing moves
    if COMPILED:
        with pytest.raises((TypeError, ValueError)):
            step(**{name: wrong})


def test_a_step_writes_to_no_read_only_array():
    a = np.zeros((2, 3))
    a.flags.writeable = False
    for step, name in ((gru, "out"), (lstm, "out"), (lstm, "dc")):
        with pytest.raises((TypeError, ValueError)):
            step(**{name: a})


@pytest.mark.parametrize("place, wrong", [
    (0, np.zeros((2, 3))), (0, np.zeros((2, 4), np.float32)), (3, np.zeros(3)), (4, np.zeros(5)), (7, np.zeros(1)),
    (8, np.zeros(2, np.float32)),
])  # fmt: skip
def test_normalised_rows_that_do_not_fit(place, wrong):
    given = [np.ones((2, 4)), np.ones((2, 4)), 4, np.ones(4), None, None, True, np.zeros(2), np.ones(2)]
    # t - mean(t) - h mean(t h), with h = 1
    np.testing.assert_array_equal(backend.kernels.norm.norm_rows_tangent(*given), -np.ones((2, 4)))
    given[place] = wrong
    if COMPILED:
        with pytest.raises(ValueError):
            backend.kernels.norm.norm_rows_tangent(*given)


@pytest.mark.parametrize("place, wrong", [
    (0, np.zeros((2, 3))), (2, 3), (5, 0), (6, 3), (7, np.zeros(3)), (11, np.zeros(1)), (12, np.zeros(4, np.float32)),
])  # fmt: skip
def test_normalised_channels_that_do_not_fit(place, wrong):
    x = np.ones((2, 4, 3))
    given = [x, x, 2, 4, 3, 4, 1, None, None, None, 0.1, np.zeros(4), np.ones(4), False]
    found, sums, products = backend.kernels.norm.norm_channels_tangent(*given)
    # r (t - mean(t) - h mean(t h)), with h = r = 1 / sqrt(1.1)
    np.testing.assert_allclose(found, np.full_like(x, -(1.1**-1.5)))
    np.testing.assert_allclose((sums, products), (np.full(4, 6.0), np.full(4, 6 / 1.1**0.5)))
    given[place] = wrong
    if COMPILED:
        with pytest.raises(ValueError):
            backend.kernels.norm.norm_channels_tangent(*given)


def test_products_and_determinants_of_tangents_that_do_not_fit():
    product_tangent = backend.kernels.along.product_tangent
    np.testing.assert_array_equal(product_tangent(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2)), 0), [4.0, 6.0])
    if COMPILED:
        with pytest.raises(ValueError):
            product_tangent(np.ones((2, 3)), np.ones((3, 2)), 0)
        with pytest.raises(ValueError):
            product_tangent(np.ones((2, 3)), np.ones((2, 3)), 2)
        found = backend.kernels.factor.slogdet(np.eye(3))
        for wrong in () if found is None else (np.ones((2, 2)), np.ones((3, 3), np.float32)):
            with pytest.raises(TypeError):
                backend.kernels.factor.slogdet_tangent(*found[2:], wrong)

"""The modes of pad that compute what they add: values from NumPy, gradients against numerical differentiation."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

X = np.array([[0.5, -1.0, 2.0, 0.8], [1.5, 0.25, -0.75, 1.2], [0.1, 0.7, -0.4, 2.2]])
WIDTHS = [1, (2, 1), ((1, 2), (3, 0)), ((0, 0), (2, 5))]
MODES = {
    "linear_ramp": {}, "linear_ramp to ends": {"end_values": ((1.0, 2.0), (3.0, -4.0))}, "maximum": {}, "minimum": {},
    "maximum of the last": {"stat_length": 2}, "mean": {}, "mean of some": {"stat_length": ((1, 2), (3, 1))},
    "median": {}, "median of many": {"stat_length": 9}, "reflect oddly": {"reflect_type": "odd"},
    "symmetric oddly": {"reflect_type": "odd"}, "reflect": {"reflect_type": "even"},
    "constant": {"constant_values": ((1.0, 2.0), (3.0, 4.0))},
}  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_values_are_numpys_and_derivatives_those_of_differences(mode, width):
    def call(x):
        return np.pad(x, width, mode.split()[0], **MODES[mode])

    for t in (zen.tensor(X), zen.tensor(X, requires_grad=True)):
        found = call(t)
        assert type(found) is zen.Tensor and found.requires_grad == t.requires_grad
        np.testing.assert_allclose(found.value, call(X), rtol=1e-14)
    check_gradients(call, [X])


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float32, np.float16, np.bool_])
def test_dtypes_are_numpys(dtype):
    a = (X * 4).astype(dtype)
    for mode, options in MODES.items():
        try:
            wanted = np.pad(a, 2, mode.split()[0], **options)
        except TypeError:
            continue
        found = np.pad(zen.tensor(a), 2, mode.split()[0], **options)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6, atol=5e-3 if dtype == np.float16 else 0)


def test_what_is_added_has_gradients():
    v = np.array([[0.5, 1.5], [2.5, 3.5]])
    check_gradients(lambda x, v: np.pad(x, (1, 2), constant_values=v), [X, v])
    check_gradients(lambda x, v: np.pad(x, ((2, 1), (0, 3)), "linear_ramp", end_values=v[0, 0]), [X, v])
    c = zen.tensor(2.0, requires_grad=True)
    np.pad(np.zeros((2, 2)), 1, constant_values=0.0)
    zen.pad(np.zeros((2, 2)), 1, constant_values=c).sum().backward()
    assert c.gradient == 12.0


def test_single_lines_nothing_and_dicts():
    line, none = np.array([[1.0, 2.0, 3.0]]), np.zeros((0, 2))
    for mode in ("reflect", "symmetric"):
        found = np.pad(zen.tensor(line), 2, mode, reflect_type="odd")
        np.testing.assert_array_equal(found.numpy(), np.pad(line, 2, mode, reflect_type="odd"))
    found = zen.pad(zen.tensor(X), {-1: (1, 2)}, "mean")
    np.testing.assert_allclose(found.numpy(), np.pad(X, ((0, 0), (1, 2)), "mean"))
    assert zen.pad(none, ((0, 0), (1, 1)), "mean").shape == (0, 4) and np.pad(zen.tensor(X), 1, "empty").shape == (5, 6)
    with pytest.raises(ValueError, match=r"pad: mode 'mean' has nothing to take along axis 0 of shape \(0, 2\)"):
        zen.pad(none, 1, "mean")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "ramp"}, "pad: mode 'ramp' is not available; give one of constant, edge.*linear_ramp"),
        ({"mode": "reflect", "reflect_type": "strange"}, "pad: reflect_type must be 'even' or 'odd'"),
        ({"mode": "mean", "stat_length": -1}, "pad: stat_length is made of positive ints"),
        ({"mode": "maximum", "stat_length": 0}, "pad: stat_length of 0 leaves no value"),
        ({"mode": "linear_ramp", "end_values": [1.0, 2.0, 3.0]}, r"pad: values of shape \(3,\) are no pair"),
    ],
)
def test_errors_say_what_is_wrong(options, words):
    with pytest.raises(ValueError, match=words):
        zen.pad(zen.tensor(X, requires_grad=True), 1, **options)

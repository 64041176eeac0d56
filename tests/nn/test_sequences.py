"""Sequences padded to one length: values, gradients, both sides and orders of axes, the way back, and errors."""

import numpy as np
import pytest

import zen
from zen import nn
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
SEQUENCES = [RNG.normal(size=(n, 2)) for n in (3, 1, 4, 0)]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["right", "left"])
def test_padding(batch_first, side):
    y = nn.pad_sequence([zen.tensor(x) for x in SEQUENCES], batch_first, -1.0, side).numpy()
    y = y if batch_first else y.swapaxes(0, 1)
    assert y.shape == (4, 4, 2)
    for row, x in zip(y, SEQUENCES, strict=True):
        at = slice(0, len(x)) if side == "right" else slice(4 - len(x), 4)
        np.testing.assert_array_equal(row[at], x)
        assert (row == -1.0).sum() == row.size - x.size


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_way_back_and_derivatives(batch_first):
    y = nn.pad_sequence(SEQUENCES, batch_first)
    for lengths in ([3, 1, 4, 0], np.array([3, 1, 4, 0]), zen.tensor([3, 1, 4, 0])):
        for a, b in zip(nn.unpad_sequence(y, lengths, batch_first), SEQUENCES, strict=True):
            np.testing.assert_array_equal(a.numpy(), b)
    check_gradients(lambda a, b: nn.pad_sequence([a, b], batch_first) ** 2, SEQUENCES[:2])
    check_gradients(lambda x: tuple([v**2 for v in nn.unpad_sequence(x, [1, 2], True)]), [RNG.normal(size=(2, 3))])


def test_dtypes():
    assert nn.pad_sequence([np.array([1, 2]), np.array([3])]).tolist() == [[1, 3], [2, 0]]
    assert (
        nn.pad_sequence([np.ones(2, np.float32), np.ones(1, np.float32)], padding_value=np.float64(2)).dtype
        == np.float32
    )
    padded = nn.pad_sequence([np.array([True, False]), np.array([True])], padding_value=False)
    assert padded.dtype == bool and padded.tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.pad_sequence([]), r"pad_sequence: expected one sequence or more, .* not \[\]"),
    (lambda: nn.pad_sequence([np.ones((2, 3)), np.ones((2, 4))]), r"the first axis, not \[\(2, 3\), \(2, 4\)"),
    (lambda: nn.pad_sequence([np.float64(1)]), r"not \[\(\)\]"),
    (lambda: nn.pad_sequence([np.ones(2)], padding_side="top"), "padding_side must be 'right' or 'left', not 'top'"),
    (lambda: nn.unpad_sequence(np.ones((3, 2)), [1, 4]), r"lengths \[1, 4\] do not fit a batch of shape \(3, 2\)"),
    (lambda: nn.unpad_sequence(np.ones((3, 2)), [1]), r"lengths \[1\] do not fit"),
    (lambda: nn.unpad_sequence(np.ones((3, 2)), [1, -1]), r"lengths \[1, -1\] do not fit"),
    (lambda: nn.unpad_sequence(np.ones((3, 2)), [1.0, 2.0]), "do not fit"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_modules_are_on_the_processor():
    layer = nn.Linear(2, 2)
    assert layer.cpu() is layer
    with pytest.raises(ValueError, match="to: there is no device 'cuda'; zen computes on the processor"):
        layer.cuda()

"""`Module.summary`: what it counts, what it shows, and that it leaves the model as it was."""

import numpy as np
import pytest

import zen
from zen import nn


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(3, 3)
        self.again = nn.Sequential(self.shared, nn.Dropout(0.5))
        self.unused = nn.Linear(3, 5, bias=False)
        self.unused.requires_grad_(False)
        self.offset = nn.Parameter(np.zeros(7))
        self.register_buffer("count", zen.zeros(2))

    def forward(self, x, scale=1.0):
        return {"a": self.shared(self.again(x)) * scale, "b": [x, "text"]}


def test_rows():
    found = Branches().summary(np.zeros((2, 3), np.float32), scale=2.0)
    assert [tuple(row) for row in found.rows] == [
        ("", "Branches", 0, 1, "{a: (2, 3), b: [(2, 3), str]}", 7, 0),
        ("shared", "Linear", 1, 2, "(2, 3)", 12, 0),
        ("again", "Sequential", 1, 1, "(2, 3)", 0, 0),
        ("again.1", "Dropout", 2, 1, "(2, 3)", 0, 0),
        ("unused", "Linear", 1, 0, "", 15, 15),
    ]
    assert (found.parameters, found.frozen, found.nbytes) == (34, 15, 4 * 27 + 8 * 7 + 8 * 2)
    lines = str(found).split("\n")
    assert lines[3].split() == ["shared:", "Linear", "(2,", "3)", "x2", "12"] and lines[5].startswith("    1: Dropout")
    assert lines[6].split() == ["unused:", "Linear", "not", "called", "15", "(frozen)"]
    assert lines[-1] == "34 parameters, 15 of them frozen; 180 B with buffers"


def test_the_model_is_left_as_it_was():
    model = Branches()
    model.again.eval()
    seen = []
    handle = model.shared.register_forward_hook(lambda *_: seen.append(1))
    zen.random.seed(0)
    before = zen.random.get_state()
    model.summary(zen.zeros((1, 3)))
    assert zen.random.get_state() == before and seen == [1, 1]
    assert model.training and model.shared.training is False and not model.again.training
    assert model._hooks is None and model.again._hooks is None
    model.shared(zen.zeros((1, 3)))
    handle.remove()
    assert len(seen) == 3
    with pytest.raises((ValueError, RuntimeError)):
        model.summary(zen.zeros((1, 4)))
    assert model.training and model._hooks is None


def test_sizes():
    text = str(nn.Linear(1000, 1000, bias=False).summary(np.zeros(1000, np.float32)))
    assert text.endswith("1,000,000 parameters; 4 MB with buffers")

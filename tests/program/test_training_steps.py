"""Whole training steps as programs: gradients, optimisers, clipping, schedules, running statistics, dropout."""

import copy

import numpy as np
import pytest

import zen
from zen import nn, optim

RNG = np.random.default_rng(0)
BATCHES = [(RNG.normal(size=(4, 1, 8, 8)).astype(np.float32), RNG.integers(0, 10, 4)) for _ in range(6)]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4)
        self.dropout, self.last = nn.Dropout(0.3), nn.Linear(36, 10)

    def forward(self, x):
        x = nn.MaxPool2d(2)(zen.f.relu(self.norm(self.convolution(x))))
        return self.last(self.dropout(zen.f.flatten(x, 1)))


def trained(make, compiled):
    """Losses, parameters and buffers, gradients and states of a training; the step itself."""
    zen.random.seed(1)
    model = Network()
    step = make(model)
    step = zen.compile(step) if compiled else step
    losses = [np.asarray(step(zen.asarray(x), zen.asarray(y)).detach()) for x, y in BATCHES]
    values = [t.detach().numpy() for t in model.state_dict().values()]
    return losses, values, [p.grad.numpy() for p in model.parameters()], step


def same_as_eager(make, recorded=1):
    *found, step = trained(make, True)
    *expected, _ = trained(make, False)
    for ours, theirs in zip(found, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    assert step.explain().count("recorded, because") == recorded, step.explain()


OPTIMISERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True), "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5), "Adagrad": lambda p: optim.Adagrad(p, lr=0.05),
    "NAdam": lambda p: optim.NAdam(p, lr=0.01), "Lion": lambda p: optim.Lion(p, lr=0.001),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_step_of_every_kind_of_optimiser(name):
    def make(model):
        optimiser, criterion = OPTIMISERS[name](model.parameters()), nn.CrossEntropyLoss()

        def step(x, y):
            optimiser.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimiser.step()
            return loss

        return step

    same_as_eager(make)


def test_clipping_and_a_schedule():
    def make(model):
        optimiser, criterion = optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss(label_smoothing=0.1)
        schedule = optim.lr_scheduler.StepLR(optimiser, 2, 0.5)

        def step(x, y):
            optimiser.zero_grad()
            criterion(model(x), y).backward()
            norm = optim.clip_grad_norm_(model.parameters(), 0.5)
            optimiser.step()
            schedule.step()
            return norm

        return step

    same_as_eager(make)


def test_gradients_of_several_passes_add_up():
    def make(model):
        optimiser, criterion = optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss()

        def step(x, y):
            optimiser.zero_grad()
            for part in (x, 2 * x):
                loss = criterion(model(part), y) / 2
                loss.backward()
            optimiser.step()
            return loss

        return step

    same_as_eager(make)


def test_parameters_that_are_moved_by_hand():
    def make(model):
        def step(x, y):
            for p in model.parameters():
                p.grad = None
            loss = nn.CrossEntropyLoss()(model(x), y)
            loss.backward()
            with zen.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
            return loss

        return step

    same_as_eager(make)


def test_evaluation_and_training_are_programs_of_their_own():
    zen.random.seed(0)
    model = Network()
    other = copy.deepcopy(model)
    compiled = zen.compile(lambda x: model(x))
    for k, (x, _) in enumerate(BATCHES):
        model.train(k < 3)
        other.train(k < 3)
        zen.random.seed(k)
        with zen.no_grad():
            found = compiled(x)
        zen.random.seed(k)
        with zen.no_grad():
            expected = other(x).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert compiled.explain().count("recorded, because") == 2


def test_a_parameter_that_is_replaced_is_seen():
    layer = nn.Linear(2, 1, bias=False)
    compiled = zen.compile(zen.grad(lambda x: layer(x).sum()))
    with zen.no_grad():
        for factor in (1.0, 1.0, 1.0, 5.0, 5.0):
            if factor == 5.0:
                layer.weight = nn.Parameter(np.full((1, 2), factor, np.float32))
            expected = np.tile(layer.weight.detach().numpy(), (3, 1))
            np.testing.assert_array_equal(compiled(np.ones((3, 2), np.float32)), expected)


def test_gradients_from_before_the_call_leave_the_step_as_it_is():
    w = zen.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        (w * x).sum().backward()

    compiled = zen.compile(step)
    with pytest.warns(UserWarning, match=r"call zero_grad\(\) in the function"):
        for _ in range(4):
            compiled(np.ones(2))
    assert w.grad.tolist() == [4.0, 4.0]

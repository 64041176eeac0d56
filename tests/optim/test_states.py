"""States of optimisers and schedules that do not fit, or are damaged: refused by a ValueError, and nothing changes."""

import math

import numpy as np
import pytest

import zen
from zen import optim
from zen.optim import lr_scheduler

KINDS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, amsgrad=True),
    "AdamW": optim.AdamW,
    "RMSprop": lambda p: optim.RMSprop(p, momentum=0.9, centered=True),
    "Adagrad": optim.Adagrad,
    "Lion": optim.Lion,
    "Muon": optim.Muon,
    "Adafactor": optim.Adafactor,
    "LBFGS": lambda p: optim.LBFGS(p, max_iter=3),
}


def made(kind):
    """An optimiser that has made two steps, its parameter, and a function that makes a further one."""
    p = zen.tensor(np.arange(12, dtype=np.float32).reshape(4, 3), requires_grad=True)
    optimiser = KINDS[kind]([p])

    def closure():
        optimiser.zero_grad()
        loss = (p * p).sum() + (p[0] * p[1]).sum()
        loss.backward()
        return loss

    def step():
        if kind == "LBFGS":
            return optimiser.step(closure)
        closure()
        return optimiser.step()

    step(), step()
    return optimiser, p, step


def snapshot(optimiser):
    return repr(optimiser), repr(optimiser.state_dict()["state"])


WRONG = ["x", [1.0], zen.ones(2), zen.ones((4, 4)), np.ones(3), {}, {"a": 1}, object()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_does_not_fit_is_refused_and_nothing_changes(kind):
    optimiser, p, step = made(kind)
    before = snapshot(optimiser)
    for key in list(optimiser.state[p]):
        for wrong in WRONG:
            state = optimiser.state_dict()
            state["state"][0][key] = wrong
            with pytest.raises(ValueError, match=rf"^{kind}: .*({key}|old_dirs)") as caught:
                optimiser.load_state_dict(state)
            assert len(str(caught.value)) < 300
    assert snapshot(optimiser) == before
    step()


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"LBFGS", "SGD", "Lion", "Muon"}))
@pytest.mark.parametrize("wrong", [-1, 0.5, math.nan, math.inf, 2**70, "3", None.__class__])
def test_the_number_of_steps_is_a_whole_number(kind, wrong):
    optimiser, p, step = made(kind)
    state = optimiser.state_dict()
    state["state"][0]["step"] = wrong
    with pytest.raises(ValueError, match=f"{kind}: step of parameter 0 was saved as .*; expected (a whole|numbers)"):
        optimiser.load_state_dict(state)
    for right in (7, 7.0, np.float32(7), zen.tensor(7.0)):  # PyTorch saves a 0-d tensor
        state["state"][0]["step"] = right
        optimiser.load_state_dict(state)
        assert optimiser.state[p]["step"] == 7
        step()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spoil, text",
    [
        (lambda s: s.update(state=3), "the state is a int, not a dict"),
        (lambda s: s["state"].update({0: 3}), "the state of parameter 0 is a int, not a dict"),
        (lambda s: s["state"].update({9: {}}), "for parameter 9, but there are 1"),
        (lambda s: s["state"][0].update({3: 1}), "has '3'; expected"),
        (lambda s: s.update(param_groups={}), "'param_groups' must be a list of dicts with the key 'params'"),
        (lambda s: s.update(param_groups=[3]), "'param_groups' must be a list of dicts"),
        (lambda s: s["param_groups"][0].pop("params"), "'param_groups' must be a list of dicts"),
        (lambda s: s["param_groups"][0].update(params=3), "was saved with no list of parameters"),
        (lambda s: s["param_groups"][0].update(lr="x"), "lr is 'x'; expected a number"),
        (lambda s: s["param_groups"][0].update(lr=-1), "lr is -1; expected a number"),
        (lambda s: s["param_groups"][0].pop("lr"), "was saved without lr"),
    ],
)
def test_a_state_of_another_form_is_refused_and_nothing_changes(kind, spoil, text):
    optimiser, _, step = made(kind)
    before = snapshot(optimiser)
    state = optimiser.state_dict()
    spoil(state)
    with pytest.raises(ValueError, match=f"{kind}: .*{text}"):
        optimiser.load_state_dict(state)
    assert snapshot(optimiser) == before
    step()


def test_none_in_a_state_is_a_value_that_there_is_none_of_yet():
    optimiser, p, step = made("SGD")
    state = optimiser.state_dict()
    state["state"][0]["momentum_buffer"] = None  # as PyTorch saves it before the first step
    optimiser.load_state_dict(state)
    step()
    np.testing.assert_array_equal(optimiser.state[p]["momentum_buffer"], p.grad)  # a first step


def test_a_direction_of_lbfgs_without_what_it_was_made_of_is_refused():
    optimiser, p, step = made("LBFGS")
    for key in ("prev_flat_grad", "t", "H_diag", "old_dirs"):
        state = optimiser.state_dict()
        del state["state"][0][key]
        with pytest.raises(ValueError, match=f"LBFGS: the state has a direction, but no {key}"):
            optimiser.load_state_dict(state)
    state = optimiser.state_dict()
    state["state"][0] = {}
    optimiser.load_state_dict(state)
    step()
    assert optimiser.state[p]["n_iter"] > 0


# Schedules


SCHEDULES = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 3),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [1, 2]),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1.0),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, 10, cycle_momentum=False),
    "ReduceLROnPlateau": lr_scheduler.ReduceLROnPlateau,
}


def optimiser_of_two_groups():
    tensors = [zen.tensor([1.0], requires_grad=True) for _ in range(2)]
    return optim.SGD([{"params": [t]} for t in tensors], lr=1.0)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_schedules_state_that_does_not_fit_is_refused_and_nothing_changes(kind):
    schedule = SCHEDULES[kind](optimiser_of_two_groups())
    whole = schedule.state_dict()
    for key, value in whole.items():
        spoilt = [None, {}, "spoilt" if not isinstance(value, str) else 3]
        spoilt += [[1.0], ["x", "y"]] if key in ("base_lrs", "_last_lr", "min_lrs") else []
        for wrong in spoilt:
            with pytest.raises(ValueError, match=f"{kind}: {key} was saved as "):
                schedule.load_state_dict({**whole, key: wrong})
    assert schedule.state_dict() == whole
    schedule.load_state_dict(whole)
    schedule.step(*([1.0] if kind == "ReduceLROnPlateau" else []))


def test_functions_without_attributes_are_no_part_of_a_state():
    schedule = lr_scheduler.LambdaLR(optimiser_of_two_groups(), [math.exp, np.float64(1.0).__add__])
    assert schedule.state_dict()["lr_lambdas"] == [None, None]
    schedule.load_state_dict(schedule.state_dict())


def test_numbers_of_numpy_are_numbers_of_epochs():
    schedule = lr_scheduler.StepLR(optimiser_of_two_groups(), np.int64(2))
    for _ in range(2):
        schedule.step()
    assert schedule.get_last_lr() == [0.1, 0.1]
    with pytest.raises(ValueError, match="step_size is .*0.*; expected a whole number > 0"):
        lr_scheduler.StepLR(optimiser_of_two_groups(), np.int64(0))


# Averages


@pytest.mark.parametrize(
    "change, text",
    [
        ({"decay": "x"}, "decay was saved as 'x'"), ({"decay": math.nan}, "decay was saved as nan"),
        ({"num_updates": -1}, "num_updates was saved as -1"), ({"num_updates": 1.5}, "num_updates was saved as 1.5"),
        ({"averages": 3}, "averages were saved as 3"), ({"averages": [np.ones(3)]}, r"shapes \[\(3,\)\] were saved"),
        ({"averages": [np.array(["a", "b"])]}, "expected numbers"),
    ],
)  # fmt: skip
def test_averages_that_do_not_fit_are_refused_and_nothing_changes(change, text):
    p = zen.tensor([1.0, 2.0], requires_grad=True)
    average = optim.ExponentialMovingAverage([p])
    before = repr(average.state_dict())
    with pytest.raises(ValueError, match=f"ExponentialMovingAverage: .*{text}"):
        average.load_state_dict({**average.state_dict(), **change})
    with pytest.raises(ValueError, match="a state dict is a dict, not a list"):
        average.load_state_dict([])
    assert repr(average.state_dict()) == before
    average.update()

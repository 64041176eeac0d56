"""Schedules: combination, saving, errors. Their sequences are compared with PyTorch's in tests/peers/test_optim.py."""

import copy
import math

import pytest

import zen
from zen.optim import lr_scheduler as s


def optimiser(*rates, **options):
    groups = [{"params": [zen.tensor([1.0], requires_grad=True)], "lr": lr} for lr in rates or (1.0,)]
    return zen.optim.SGD(groups, **{"momentum": 0.9, **options})


class Square:
    """A callable object, whose attributes are saved."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, epoch):
        return self.scale / (1 + epoch) ** 2


SCHEDULES = {
    "LambdaLR": lambda o: s.LambdaLR(o, Square(2.0)),
    "StepLR": lambda o: s.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda o: s.MultiStepLR(o, [2, 5, 5], 0.5),
    "ExponentialLR": lambda o: s.ExponentialLR(o, 0.9),
    "ConstantLR": lambda o: s.ConstantLR(o, 0.5, 4),
    "LinearLR": lambda o: s.LinearLR(o, 0.25, 0.75, 6),
    "PolynomialLR": lambda o: s.PolynomialLR(o, 9, 2.0),
    "CosineAnnealingLR": lambda o: s.CosineAnnealingLR(o, 6, 0.1),
    "CosineAnnealingWarmRestarts": lambda o: s.CosineAnnealingWarmRestarts(o, 2, 2),
    "OneCycleLR": lambda o: s.OneCycleLR(o, 2.0, 20, three_phase=True),
    "MultiplicativeLR": lambda o: s.MultiplicativeLR(o, Square(2.0)),
    "CyclicLR": lambda o: s.CyclicLR(o, 0.1, [1.0, 0.5][: len(o.param_groups)], 3, 2, "exp_range", 0.9),
    "CyclicLR by a function": lambda o: s.CyclicLR(o, 0.1, 1.0, 3, scale_fn=Square(2.0), scale_mode="iterations"),
    "ChainedScheduler": lambda o: s.ChainedScheduler([s.LinearLR(o, 0.5, 1.0, 3), s.ExponentialLR(o, 0.9)]),
    "SequentialLR": lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.5, 1.0, 3), s.CosineAnnealingLR(o, 4)], [3]),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_saved_and_loaded_it_continues_alike(name):
    a = optimiser(1.0, 0.5)
    straight = SCHEDULES[name](a)
    for _ in range(4):
        straight.step()
    b = optimiser(0.3, 0.3)
    resumed = SCHEDULES[name](b)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    resumed.load_state_dict(copy.deepcopy(straight.state_dict()))
    assert resumed.get_last_lr() == straight.get_last_lr()
    for _ in range(8):
        straight.step()
        resumed.step()
        assert resumed.get_last_lr() == straight.get_last_lr() == [g["lr"] for g in a.param_groups]


@pytest.mark.parametrize("name", [n for n in SCHEDULES if n not in ("SequentialLR", "ChainedScheduler")])
def test_jumping_to_an_epoch_gives_what_stepping_there_gives(name):
    walked, jumped = SCHEDULES[name](optimiser(1.0, 0.5)), SCHEDULES[name](optimiser(1.0, 0.5))
    for epoch in range(1, 12):
        walked.step()
        jumped.step(epoch)
        assert jumped.get_last_lr() == pytest.approx(walked.get_last_lr(), rel=1e-12, abs=1e-15)


def test_two_schedules_on_one_optimiser_multiply():
    opt = optimiser(1.0)
    schedules = [s.ExponentialLR(opt, 0.5), s.LinearLR(opt, 0.5, 1.0, 2)]
    rates = []
    for _ in range(3):
        for schedule in schedules:
            schedule.step()
        rates.append(opt.param_groups[0]["lr"])
    assert rates == pytest.approx([0.5 * 0.75, 0.25, 0.125])


def test_a_chain_in_a_sequence_starts_from_its_epoch_0():
    opt = optimiser(1.0)
    chain = s.ChainedScheduler([s.LinearLR(opt, 0.5, 1.0, 2), s.ExponentialLR(opt, 0.5)])
    schedule = s.SequentialLR(opt, [chain, s.ConstantLR(opt, 0.25, 9)], [3])
    rates = schedule.get_last_lr()
    for _ in range(3):
        schedule.step()
        rates += schedule.get_last_lr()
    assert rates == pytest.approx([0.5, 0.75 * 0.5, 0.25, 0.25])


def test_a_rate_changed_by_hand_stays_changed():
    opt = optimiser(1.0)
    schedule = s.ExponentialLR(opt, 0.5)
    opt.param_groups[0]["lr"] = 8.0
    schedule.step()
    assert schedule.get_last_lr() == [4.0]


def test_a_schedule_begins_again_where_last_epoch_says():
    opt = optimiser(1.0)
    first = s.CosineAnnealingLR(opt, 10)
    for _ in range(5):
        first.step()
    fresh = optimiser(1.0)
    with pytest.raises(ValueError, match="group 0 has no 'initial_lr', which last_epoch=4 needs"):
        s.CosineAnnealingLR(fresh, 10, last_epoch=4)
    fresh.load_state_dict(opt.state_dict())
    again = s.CosineAnnealingLR(fresh, 10, last_epoch=4)
    assert again.last_epoch == 5 and again.get_last_lr() == first.get_last_lr()


def test_plateau_counts_patience_cooldown_and_floor():
    opt = optimiser(1.0, 0.5)
    schedule = s.ReduceLROnPlateau(opt, factor=0.1, patience=1, cooldown=2, min_lr=[0.05, 0.2])
    rates = []
    for loss in [1.0, zen.tensor(1.0), 1.0, 1.0, 1.0, 1.0, 1.0, math.nan]:
        schedule.step(loss)
        rates.append(schedule.get_last_lr()[0])
    assert rates == [1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
    assert schedule.get_last_lr()[1] == 0.2
    twin = s.ReduceLROnPlateau(optimiser(1.0, 0.5), mode="max")
    twin.load_state_dict(schedule.state_dict())
    assert (twin.best, twin.mode, twin.num_bad_epochs) == (1.0, "min", schedule.num_bad_epochs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: s.StepLR(o, 0), "StepLR: step_size is 0; expected a whole number > 0"),
        (lambda o: s.ConstantLR(o, 0.0), r"ConstantLR: factor is 0.0; expected a number in \(0, 1\]"),
        (lambda o: s.LinearLR(o, 1.5), "LinearLR: start_factor is 1.5"),
        (lambda o: s.LinearLR(o, 0.5, -1), "LinearLR: end_factor is -1"),
        (lambda o: s.LinearLR(o, total_iters=0), "LinearLR: total_iters is 0"),
        (lambda o: s.PolynomialLR(o, 0), "PolynomialLR: total_iters is 0"),
        (lambda o: s.CosineAnnealingLR(o, 0), "CosineAnnealingLR: T_max is 0"),
        (lambda o: s.CosineAnnealingWarmRestarts(o, 2.5), "T_0 is 2.5"),
        (lambda o: s.CosineAnnealingWarmRestarts(o, 2).step(-1), "epoch is -1"),
        (lambda o: s.LambdaLR(o, [math.sqrt, math.sqrt]), "LambdaLR: lr_lambda has 2 values for 1 groups"),
        (lambda o: s.OneCycleLR(o, 1.0), "give total_steps, or epochs and steps_per_epoch"),
        (lambda o: s.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=2), "epochs is 0"),
        (lambda o: s.OneCycleLR(o, 1.0, 10, pct_start=2), "pct_start is 2"),
        (lambda o: s.OneCycleLR(o, 1.0, 10, anneal_strategy="exp"), "anneal_strategy is 'exp'"),
        (lambda o: s.OneCycleLR(o, [1.0, 2.0], 10), "max_lr has 2 values for 1 groups"),
        (lambda o: s.OneCycleLR(zen.optim.Adagrad(o.param_groups[0]["params"]), 1.0, 9), "neither momentum nor betas"),
        (lambda o: s.OneCycleLR(o, 1.0, 10).step(11), "step 11 of a schedule of 10 steps"),
        (lambda o: s.CyclicLR(o, 0.1, 1.0, 0), "CyclicLR: step_size_up is 0; expected a number > 0"),
        (lambda o: s.CyclicLR(o, 0.1, 1.0, 2, -1), "CyclicLR: step_size_down is -1"),
        (lambda o: s.CyclicLR(o, 0.1, 1.0, mode="saw"), "CyclicLR: mode is 'saw'; expected 'triangular'"),
        (lambda o: s.CyclicLR(o, 0.1, 1.0, scale_mode="saw"), "CyclicLR: scale_mode is 'saw'"),
        (lambda o: s.CyclicLR(o, [0.1, 0.2], 1.0), "CyclicLR: base_lr has 2 values for 1 groups"),
        (
            lambda o: s.CyclicLR(zen.optim.Adagrad(o.param_groups[0]["params"]), 0.1, 1.0),
            "CyclicLR: Adagrad has neither",
        ),
        (lambda o: s.ChainedScheduler([]), "ChainedScheduler: give at least one schedule"),
        (lambda o: s.ChainedScheduler([s.StepLR(o, 1), s.StepLR(optimiser(), 1)]), "schedule 1 belongs to another"),
        (lambda o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]), "ChainedScheduler: schedule 0 is a ReduceLROnPlateau"),
        (lambda o: s.ChainedScheduler([s.StepLR(o, 1)]).step(3), "ChainedScheduler: cannot jump to epoch 3"),
        (lambda o: s.ReduceLROnPlateau(o, factor=1.0), "factor is 1.0"),
        (lambda o: s.ReduceLROnPlateau(o, mode="least"), "mode is 'least'"),
        (lambda o: s.ReduceLROnPlateau(o, threshold_mode="x"), "threshold_mode is 'x'"),
        (lambda o: s.ReduceLROnPlateau(o, min_lr=[0, 0]), "min_lr has 2 values for 1 groups"),
        (lambda o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]), "1 schedules need 0 milestones, not 1"),
        (lambda o: s.SequentialLR(o, [s.StepLR(optimiser(), 1)], []), "schedule 0 belongs to another optimiser"),
        (lambda o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []), "schedule 0 is a ReduceLROnPlateau"),
        (lambda o: s.SequentialLR(o, [s.StepLR(o, 1)], []).step(7), r"cannot jump to epoch 7; step\(\) goes to 1"),
    ],
)
def test_arguments_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimiser())


def test_what_does_not_belong_to_a_schedule():
    opt = optimiser()
    for name, make in SCHEDULES.items():
        with pytest.raises((TypeError, AttributeError), match="expected an Optimizer, not float|param_groups"):
            make(0.5)
        schedule = make(opt)
        with pytest.raises(ValueError, match="the state dict does not fit|0 schedules were saved"):
            schedule.load_state_dict({})
        assert schedule.get_last_lr(), name
    schedules = [s.StepLR(opt, 1), s.ReduceLROnPlateau(opt, patience=0)]
    opt.add_param_group({"params": [zen.tensor([1.0], requires_grad=True)]})
    with pytest.raises(ValueError, match="has 2 groups, but had 1 when the schedule was made"):
        schedules[0].step()
    with pytest.raises(ValueError, match="has 2 groups, but had 1 when the schedule was made"):
        schedules[1].step(1.0)
        schedules[1].step(1.0)

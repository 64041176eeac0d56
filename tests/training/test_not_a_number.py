"""nan is never the best: for early stopping, checkpoints, plateaus; and what is monitored is known before training."""

import json
import math
import os

import numpy as np
import pytest

import zen
from zen import nn, training
from zen.optim.lr_scheduler import ReduceLROnPlateau

NAN, INF = math.nan, math.inf


def run(values, callbacks, name="score", path=None):
    """Epochs in which the metric has these values, and the weight is the number of the epoch."""
    model = nn.Linear(1, 1, bias=False)
    epochs = iter(values)

    class Number(training.Callback):
        def on_epoch_start(self, run):
            with zen.no_grad():
                model.weight[...] = run.epoch + 1.0

    x = np.zeros((1, 1), np.float32)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.1)
    history = zen.fit(
        model, [(x, x)], nn.MSELoss(), optimiser, len(values), validation=[(x, x)], progress=False,
        metrics={name: lambda output, target: next(epochs)}, callbacks=[Number(), *callbacks],
    )  # fmt: skip
    return model.weight.item(), history


# The values of the epochs, the mode, and the epoch that is the best (0: none).
BEST = [
    ([NAN, 3.0, 2.0, 4.0], "min", 3), ([NAN, 3.0, 2.0, 4.0], "max", 4), ([NAN, NAN, NAN], "min", 0),
    ([2.0, NAN, 3.0], "min", 1), ([2.0, NAN, 3.0], "max", 3), ([INF, 5.0, NAN], "min", 2), ([-INF, 5.0], "max", 2),
    ([5.0, -INF, 1.0], "min", 2), ([5.0, INF, 1.0], "max", 2), ([INF, NAN], "min", 0), ([-1.0, -2.0], "max", 1),
]  # fmt: skip


@pytest.mark.parametrize("values, mode, best", BEST)
def test_the_best_epoch_is_the_best_number(values, mode, best, tmp_path):
    stopping = training.EarlyStopping(9, "score", mode=mode)
    keeping = training.Checkpoint(tmp_path / "best", best_only=True, monitor="score", mode=mode)
    weight, _ = run(values, [stopping, keeping])
    assert stopping.best_epoch == best
    assert weight == (best or len(values))  # without a best epoch the model stays as it is
    assert os.listdir(tmp_path) == (["best"] if best else [])
    if best:
        assert zen.load(tmp_path / "best")["weight"].item() == best


def test_numbers_that_stay_nan_end_the_run_after_patience_epochs():
    _, history = run([NAN] * 9, [training.EarlyStopping(3, "score")])
    assert len(history) == 3
    _, history = run([1.0, 0.5] + [NAN] * 9, [training.EarlyStopping(3, "score")])
    assert len(history) == 5


def test_changes_below_min_delta_do_not_count_and_it_must_be_a_number():
    stopping = training.EarlyStopping(9, "score", min_delta=0.5)
    run([NAN, 3.0, 2.6, 2.4, 2.0], [stopping])
    assert stopping.best_epoch == 4  # 3 -> 2.4
    for wrong in (NAN, INF):
        with pytest.raises(ValueError, match=f"EarlyStopping: min_delta must be a finite number, not {wrong}"):
            training.EarlyStopping(min_delta=wrong)
    with pytest.raises(ValueError, match="at least 1, not nan"):
        training.EarlyStopping(NAN)


@pytest.mark.parametrize("saved", [None, NAN])
def test_a_state_without_a_best_takes_the_next_number(saved):
    stopping = training.EarlyStopping(9, "score")
    stopping.load_state_dict({"best": saved, "best_epoch": 0, "kept": {}})
    run([7.0], [stopping])
    assert stopping.best_epoch == 1 and stopping.best.value == 7


def test_the_state_of_nothing_yet_survives_a_file(tmp_path):
    stopping = training.EarlyStopping(9, "score")
    zen.save(tmp_path / "a", state=stopping.state_dict())
    stopping.load_state_dict(zen.load(tmp_path / "a").metadata["state"])
    assert stopping.best.value == INF and json.loads(json.dumps(stopping.state_dict()))["best"] == INF


# What is monitored


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda monitor, path: training.EarlyStopping(3, monitor), "EarlyStopping"),
        (lambda monitor, path: training.Checkpoint(path, best_only=True, monitor=monitor), "Checkpoint"),
    ],
)
def test_a_name_that_the_run_does_not_measure_is_an_error_before_the_first_epoch(make, name, tmp_path):
    model = nn.Linear(1, 1)
    before = model.weight.value.copy()
    x = np.ones((1, 1), np.float32)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.1)
    for monitor, text in (
        ("validation_loss", "has no 'validation_loss'; it has 'loss', 'score'; give fit validation="),
        ("scores", "has no 'scores'; it has 'loss', 'score'"),
    ):
        with pytest.raises(KeyError, match=f"{name}: the history {text}"):
            zen.fit(
                model, [(x, x)], nn.MSELoss(), optimiser, 3, metrics={"score": lambda a, b: 1.0}, progress=False,
                callbacks=[make(monitor, tmp_path / "best")],
            )  # fmt: skip
    np.testing.assert_array_equal(model.weight.value, before)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["loss", "validation_loss", "seconds"])
def test_a_metric_does_not_take_the_name_of_another_number(name):
    with pytest.raises(ValueError, match=f"a metric cannot be called '{name}', which the history has for itself"):
        run([1.0], [], name)


# ReduceLROnPlateau


def plateau(**options):
    optimiser = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=1.0)
    return ReduceLROnPlateau(optimiser, factor=0.5, patience=1, **options)


@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("mode, values", [("min", [NAN, 3.0, 2.0, 1.0]), ("max", [NAN, 1.0, 2.0, 3.0])])
def test_a_first_nan_is_not_the_best_for_a_plateau(mode, values, threshold_mode):
    schedule = plateau(mode=mode, threshold_mode=threshold_mode)
    for value in values:
        schedule.step(value)
    assert schedule.best == values[-1] and schedule.get_last_lr() == [1.0]
    for value in (NAN, NAN):
        schedule.step(value)
    assert schedule.best == values[-1] and schedule.get_last_lr() == [0.5]


def test_a_plateau_with_a_saved_nan_takes_the_next_number():
    schedule = plateau()
    schedule.load_state_dict({**schedule.state_dict(), "best": NAN})
    schedule.step(NAN)
    assert schedule.num_bad_epochs == 1
    schedule.step(5.0)
    assert schedule.best == 5 and schedule.num_bad_epochs == 0

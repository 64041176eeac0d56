"""Callbacks over several runs, and runs that had ended; batches and numbers of other kinds."""

import os

import numpy as np
import pytest

import zen
from zen import nn, training

X = np.zeros((1, 1), np.float32)


def run(values, callbacks, epochs=None, resume=None):
    """A run whose metric has these values; its number of epochs, and the weight, which is the number of the epoch."""
    model = nn.Linear(1, 1, bias=False)
    measured = iter(values)

    class Number(training.Callback):
        def on_epoch_start(self, run):
            with zen.no_grad():
                model.weight[...] = run.epoch + 1.0

    optimiser = zen.optim.SGD(model.parameters(), lr=0.1)
    history = zen.fit(
        model, [(X, X)], nn.MSELoss(), optimiser, epochs or len(values), metrics={"score": lambda *_: next(measured)},
        callbacks=[Number(), *callbacks], progress=False, resume=resume,
    )  # fmt: skip
    return len(history), model.weight.item()


def test_a_callback_forgets_an_earlier_run(tmp_path):
    stopping = training.EarlyStopping(2, "score")
    keeping = training.Checkpoint(tmp_path / "best", best_only=True, monitor="score")
    assert run([1.0, 0.1, 5.0, 5.0, 5.0, 5.0], [stopping, keeping]) == (4, 2)
    (tmp_path / "best").unlink()
    assert run([9.0, 8.0, 9.0, 9.0, 9.0, 9.0], [stopping, keeping]) == (4, 2)
    assert stopping.best.value == 8 and os.listdir(tmp_path) == ["best"]


def test_a_run_that_had_ended_early_ends_at_once_when_it_is_resumed(tmp_path):
    path = tmp_path / "run"
    values = [3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert run(values, [training.EarlyStopping(2, "score"), training.Checkpoint(path)]) == (4, 2)
    callbacks = [training.EarlyStopping(2, "score"), training.Checkpoint(path)]
    assert run(values, callbacks, resume=path) == (4, 2)  # restored as at the end of the run
    callbacks = [training.EarlyStopping(3, "score"), training.Checkpoint(path)]
    assert run([2.0] * 7, callbacks, 9, resume=path) == (5, 2)  # more patience: it goes on


def test_the_epoch_in_a_path_may_have_a_format(tmp_path):
    run([1.0, 2.0], [training.Checkpoint(tmp_path / "{epoch:03d}-{other}-{epoch}")])
    assert sorted(os.listdir(tmp_path)) == ["001-{other}-1", "002-{other}-2"]


@pytest.mark.parametrize("target", [2.0, np.float32(2), np.array(2.0, np.float32), zen.tensor(2.0)])
def test_a_target_of_one_number_is_one_sample(target):
    model = nn.Linear(1, 1)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.0)

    def loss(output, y):
        return ((output - y) ** 2).mean()

    batches = [(X, target), (X, np.zeros((3, 1), np.float32))]
    history = zen.fit(model, batches, loss, optimiser, np.int64(1), validation=batches, progress=False)
    output = model(zen.asarray(X)).item()
    expected = ((output - 2) ** 2 + 3 * output**2) / 4
    np.testing.assert_allclose([history.loss[0], history.validation_loss[0]], expected, rtol=1e-5)


def test_a_plateau_waits_for_epochs():
    model = nn.Linear(1, 1)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.1)
    plateau = zen.optim.lr_scheduler.ReduceLROnPlateau(optimiser)
    with pytest.raises(TypeError, match="ReduceLROnPlateau waits for whole epochs; give it as scheduler"):
        zen.fit(model, [(X, X)], nn.MSELoss(), optimiser, 1, step_scheduler=plateau, progress=False)


@pytest.mark.parametrize(
    "options, error, text",
    [
        (
            {"validation": iter([(X, X)])},
            TypeError,
            "fit: validation is an iterator, which gives its batches only once",
        ),
        ({"validation": zen.data.TensorDataset(X, X)}, TypeError, "fit: validation: a Dataset gives samples, not batc"),
        ({"validation": 3}, TypeError, "fit: validation must be iterable, not int"),
        (
            {"metrics": [training.accuracy]},
            TypeError,
            "fit: metrics must be functions of .output, target. by name, not",
        ),
        ({"metrics": {"a": 3}}, TypeError, "fit: metrics must be functions"),
        ({"scheduler": "cosine"}, TypeError, "fit: a scheduler must be one of zen.optim.lr_scheduler, not str"),
    ],
)
def test_arguments_are_checked_before_the_first_batch(options, error, text):
    model = nn.Linear(1, 1)
    optimiser = zen.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    loss = lambda *_: seen.append(1)  # noqa: E731
    with pytest.raises(error, match=text):
        zen.fit(model, [(X, X)], loss, optimiser, 1, progress=False, **options)
    assert seen == []


@pytest.mark.parametrize("name", ["scheduler", "step_scheduler"])
def test_a_schedule_of_another_optimiser_is_refused(name):
    model = nn.Linear(1, 1)
    optimiser, other = (zen.optim.SGD(model.parameters(), lr=0.1) for _ in range(2))
    schedule = zen.optim.lr_scheduler.StepLR(other, 1)
    with pytest.raises(ValueError, match="fit: StepLR changes the rates of another optimiser than the one that is giv"):
        zen.fit(model, [(X, X)], nn.MSELoss(), optimiser, 1, progress=False, **{name: schedule})


def test_a_history_with_nan_and_infinity_is_drawn():
    for losses, scale in (([2.0, np.nan, np.inf], "log"), ([np.nan, 2.0], "log"), ([np.nan], "linear"), ([], "linear")):
        figure = training.History(loss=losses, metrics={"a": losses}).plot()
        assert figure.axes[0].get_yscale() == scale
        figure.canvas.draw()

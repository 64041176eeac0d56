"""fit: it trains, measures, stops, and continues from a checkpoint exactly."""

import math

import numpy as np
import pytest

import zen
from zen import nn, training
from zen.data import DataLoader, TensorDataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5]], np.float32)


def loader(seed=0, batch_size=8):
    return DataLoader(TensorDataset(X, Y), batch_size=batch_size, shuffle=True, seed=seed)


def linear():
    zen.random.seed(3)
    model = nn.Linear(3, 1)
    return model, zen.optim.SGD(model.parameters(), lr=0.1)


def fit(model, optimiser, epochs, **options):
    return zen.fit(
        model, options.pop("loader", None) or loader(), nn.MSELoss(), optimiser, epochs, progress=False, **options
    )


def test_the_loop_written_out_gives_the_same():
    model, optimiser = linear()
    history = fit(model, optimiser, 3)
    other, by_hand = linear()
    losses = []
    batches = loader()
    for _ in range(3):
        total = 0.0
        for x, y in batches:
            loss = ((other(x) - y) ** 2).mean()
            by_hand.zero_grad()
            loss.backward()
            by_hand.step()
            total += loss.item() * len(y)
        losses.append(total / 40)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-6)
    np.testing.assert_allclose(model.weight.value, other.weight.value, rtol=1e-6)
    assert len(history.seconds) == 3 and history.lr == [[0.1]] * 3


def test_validation_runs_in_eval_mode_without_gradients():
    seen = []

    class Watch(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 1)

        def forward(self, x):
            seen.append((self.training, zen.is_grad_enabled()))
            return self.layer(x)

    model = Watch()
    history = fit(model, zen.optim.SGD(model.parameters(), lr=0.1), 2, validation=[(zen.asarray(X), zen.asarray(Y))])
    assert seen == ([(True, True)] * 5 + [(False, False)]) * 2
    assert len(history.validation_loss) == 2
    assert model.training


def test_metrics_are_means_over_samples():
    model, optimiser = linear()
    halves = {"mean": lambda output, target: float(np.mean(target.array))}
    uneven = [(zen.asarray(X[:30]), zen.asarray(Y[:30])), (zen.asarray(X[30:]), zen.asarray(Y[30:]))]
    history = fit(model, optimiser, 1, validation=uneven, metrics=halves)
    assert history.metrics["mean"] == pytest.approx([float(Y.mean())], rel=1e-5)
    history = fit(model, optimiser, 1, loader=uneven, metrics=halves)
    assert history.metrics["mean"] == pytest.approx([float(Y.mean())], rel=1e-5)


def test_accuracy_counts_the_largest():
    assert training.accuracy(zen.tensor([[1.0, 2.0], [2.0, 1.0]]), np.array([1, 1])) == 0.5
    with pytest.raises(ValueError, match=r"outputs of shape \(2, 2\) do not fit targets of shape \(3,\)"):
        training.accuracy(zen.ones((2, 2)), np.zeros(3, int))


def test_clip_norm_bounds_every_step():
    model, optimiser = linear()
    before = model.weight.value.copy()
    fit(model, optimiser, 1, clip_norm=1e-3, loader=[(zen.asarray(X), zen.asarray(Y))])
    assert np.abs(model.weight.value - before).max() <= 1.01e-4


def test_schedulers_step_by_epoch_and_by_batch():
    model, optimiser = linear()
    history = fit(model, optimiser, 3, scheduler=zen.optim.lr_scheduler.ExponentialLR(optimiser, 0.5))
    assert history.lr == [[0.1], [0.05], [0.025]]
    model, optimiser = linear()
    history = fit(model, optimiser, 2, step_scheduler=zen.optim.lr_scheduler.StepLR(optimiser, 5, 0.1))
    np.testing.assert_allclose(history.lr, [[0.1], [0.01]])


def test_plateau_is_steered_by_the_validation_loss():
    model, optimiser = linear()
    scheduler = zen.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=0, threshold=10.0)
    history = fit(model, optimiser, 3, scheduler=scheduler, validation=[(zen.asarray(X), zen.asarray(Y))])
    assert history.lr == [[0.1], [0.05], [0.025]]


def test_early_stopping_restores_the_best():
    model, optimiser = linear()
    optimiser.param_groups[0]["lr"] = 3.0  # diverges
    kept = []

    class Keep(training.Callback):
        def on_epoch_end(self, run):
            kept.append(run.model.weight.value.copy())

    stopping = training.EarlyStopping(patience=2, monitor="loss")
    history = fit(model, optimiser, 50, callbacks=[Keep(), stopping], clip_norm=1.0)
    assert len(history) == stopping.best_epoch + 2 < 50
    np.testing.assert_array_equal(model.weight.value, kept[stopping.best_epoch - 1])


def test_a_loss_that_is_not_finite_is_an_error_that_says_where():
    model, optimiser = linear()
    before = model.weight.value.copy()
    bad = X.copy()
    bad[20] = np.nan
    batches = [(zen.asarray(bad[:20]), zen.asarray(Y[:20])), (zen.asarray(bad[20:]), zen.asarray(Y[20:]))]
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1, batch 2"):
        fit(model, optimiser, 2, loader=batches)
    assert np.isfinite(model.weight.value).all() and not np.array_equal(model.weight.value, before)
    assert model.training


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loader": []}, ValueError, "gave no batch"),
        ({"loader": [zen.asarray(X)]}, TypeError, r"a batch must be a tuple \(input, ..., target\), not a Tensor"),
        ({"loader": iter([(X, Y)])}, TypeError, "gives its batches only once"),
        ({"validation": []}, ValueError, "the validation loader gave no batch"),
        ({"callbacks": [training.EarlyStopping()]}, KeyError, "has no 'validation_loss'; it has 'loss'"),
    ],
)
def test_errors(options, error, message):
    model, optimiser = linear()
    options = dict(options)
    batches = options.pop("loader", loader())
    with pytest.raises(error, match=message):
        zen.fit(model, batches, nn.MSELoss(), optimiser, 1, progress=False, **options)


def test_a_loss_of_several_elements_is_refused():
    model, optimiser = linear()
    with pytest.raises(TypeError, match=r"one element, not a Tensor of shape \(8, 1\)"):
        zen.fit(model, loader(), lambda a, b: a - b, optimiser, 1, progress=False)


def test_bad_options_of_callbacks():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        training.EarlyStopping(patience=0)
    with pytest.raises(ValueError, match='"min" or "max", not "least"'.replace('"least"', "'least'")):
        training.EarlyStopping(mode="least")
    with pytest.raises(ValueError, match="at least 1, not 0"):
        training.Checkpoint("x", every=0)


def test_the_progress_bar_counts_batches(capsys):
    model, optimiser = linear()
    zen.fit(model, loader(), nn.MSELoss(), optimiser, 2)
    assert "10/10" in capsys.readouterr().err


def test_history_plots_and_keeps(tmp_path):
    history = training.History(loss=[2.0, 1.0], validation_loss=[3.0, 2.0], metrics={"accuracy": [0.1, 0.2]})
    figure = history.plot()
    assert [len(place.lines) for place in figure.axes] == [2, 1]
    again = training.History()
    again.load_state_dict(history.state_dict())
    assert again == history and math.isclose(again.last()["accuracy"], 0.2)


def test_arguments_of_another_kind_are_named():
    model, optimiser = linear()
    loss = nn.MSELoss()
    for given, error, text in (
        ((loader(), model, loss, optimiser, 1), TypeError, "must be a Module, not DataLoader; the order is fit"),
        ((model, 3, loss, optimiser, 1), TypeError, "must be iterable, not int"),
        ((model, TensorDataset(X, Y), loss, optimiser, 1), TypeError, "put a zen.data.DataLoader around it"),
        ((model, loader(), "mse", optimiser, 1), TypeError, "a function of .output, target., not 'mse'"),
        ((model, loader(), loss, loss, 1), TypeError, "one of zen.optim, not MSELoss"),
        ((model, loader(), loss, optimiser, 1.5), ValueError, "not 1.5"),
        ((nn.Linear(3, 1), loader(), loss, optimiser, 1), ValueError, "none of this model's parameters"),
    ):
        with pytest.raises(error, match=text):
            zen.fit(*given, progress=False)
    with pytest.raises(TypeError, match="instances of zen.training.Callback, not <class"):
        fit(model, optimiser, 1, callbacks=[training.EarlyStopping])


def test_lbfgs_computes_each_batch_as_often_as_it_needs():
    model, _ = linear()
    optimiser = zen.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    history = fit(model, optimiser, 2, loader=loader(batch_size=40))
    assert history.loss[0] > 1 and history.loss[1] < 1e-6

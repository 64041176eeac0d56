"""A run that is resumed from a checkpoint ends bit for bit where the run at once ends."""

import numpy as np
import pytest

import zen
from zen import nn, training
from zen.data import DataLoader, TensorDataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5)).astype(np.float32)
LABELS = (X.sum(1) > 0).astype(np.int64)


def parts(path, *, patience=50):
    """Everything of a run that draws random numbers and keeps state, made anew."""
    zen.random.seed(7)
    model = nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
    optimiser = zen.optim.Adam(model.parameters(), lr=0.01)
    options = {
        "validation": DataLoader(TensorDataset(X[:16], LABELS[:16]), batch_size=16),
        "scheduler": zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, 6),
        "step_scheduler": zen.optim.lr_scheduler.LinearLR(optimiser, 0.5, total_iters=10),
        "metrics": {"accuracy": training.accuracy},
        "callbacks": [training.EarlyStopping(patience), training.Checkpoint(path)],
        "progress": False,
    }
    loader = DataLoader(TensorDataset(X, LABELS), batch_size=8, shuffle=True, seed=1)
    return model, optimiser, loader, options


def train(path, epochs, resume=None, **more):
    model, optimiser, loader, options = parts(path, **more)
    if resume is not None:
        zen.random.seed(99)  # none of what was set up before may matter
        with zen.no_grad():
            for p in model.parameters():
                p += 1
    history = zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, epochs, resume=resume, **options)
    return model, optimiser, history, zen.random.normal(4).numpy()


def test_resuming_continues_bit_for_bit(tmp_path):
    model, optimiser, history, drawn = train(tmp_path / "whole.safetensors", 6)
    train(tmp_path / "half.safetensors", 3)
    again, other, continued, also_drawn = train(tmp_path / "half.safetensors", 6, tmp_path / "half.safetensors")
    for (name, a), b in zip(model.state_dict().items(), again.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.value, b.value, err_msg=name)
    for mine, theirs in zip(optimiser.state.values(), other.state.values(), strict=True):
        for name in mine:
            np.testing.assert_array_equal(np.asarray(mine[name]), np.asarray(theirs[name]), err_msg=name)
    kept, found = history.state_dict(), continued.state_dict()
    assert kept.pop("seconds") != [] and found.pop("seconds") != []
    assert kept == found
    np.testing.assert_array_equal(drawn, also_drawn)


def test_early_stopping_remembers_its_best_across_runs(tmp_path):
    path = tmp_path / "run.safetensors"
    train(path, 3, patience=1)
    model, _, loader, options = parts(path, patience=1)
    stopping = options["callbacks"][0]
    optimiser = zen.optim.Adam(model.parameters(), lr=0.01)
    options["scheduler"] = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, 6)
    options["step_scheduler"] = zen.optim.lr_scheduler.LinearLR(optimiser, 0.5, total_iters=10)
    zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, 3, resume=path, **options)
    assert stopping.best.value is not None and 1 <= stopping.best_epoch <= 3
    assert stopping.state_dict()["kept"].keys() == model.state_dict().keys()


def test_files_by_epoch_and_only_the_best(tmp_path):
    model, optimiser, loader, options = parts(tmp_path / "unused.safetensors")
    options["callbacks"] = [
        training.Checkpoint(tmp_path / "epoch-{epoch}.safetensors", every=2),
        training.Checkpoint(tmp_path / "best.safetensors", best_only=True),
    ]
    history = zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, 5, **options)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "best.safetensors",
        "epoch-2.safetensors",
        "epoch-4.safetensors",
    ]
    best = int(np.argmin(history.validation_loss)) + 1
    fresh, its_optimiser, loader, options = parts(tmp_path / "unused.safetensors")
    options["callbacks"] = [training.Checkpoint("a"), training.Checkpoint("b", best_only=True)]
    loaded = zen.fit(
        fresh, loader, nn.CrossEntropyLoss(), its_optimiser, 0, resume=tmp_path / "best.safetensors", **options
    )
    assert len(loaded) == best


def test_another_set_of_callbacks_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    train(path, 1)
    model, optimiser, loader, options = parts(path)
    options["callbacks"] = []
    with pytest.raises(ValueError, match="the checkpoint has callbacks 2, this run has 0"):
        zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, 1, resume=path, **options)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    model, optimiser, loader, options = parts(path)
    zen.save(path, model)
    with pytest.raises(ValueError, match="model.safetensors.*not a checkpoint of zen.fit"):
        zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, 1, resume=path, **options)

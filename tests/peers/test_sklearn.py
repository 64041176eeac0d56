"""zen.sklearn's estimators against scikit-learn's own demands, and against its multilayer perceptron."""

import importlib.util
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import zen
from zen.sklearn import Classifier, Regressor

ROOT = Path(zen.__file__).parents[1]
ESTIMATORS = [Classifier(epochs=30, learning_rate=0.01), Regressor(epochs=30, learning_rate=0.01)]
CHECKS = [pair for estimator in ESTIMATORS for pair in estimator_checks_generator(estimator)]
# This one needs an environment variable that must be set before SciPy is imported.
APART = [(e, check) for e, check in CHECKS if check.func.__name__ == "check_array_api_input"]


@pytest.mark.parametrize(
    "estimator, check",
    [
        pytest.param(*pair, id=f"{type(pair[0]).__name__}-{pair[1].func.__name__}")
        for pair in CHECKS
        if pair not in APART
    ],
)
def test_check_estimator(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # some checks look for warnings themselves
        check(estimator)


def test_check_estimator_for_the_array_api():
    assert len(APART) == 2
    code = (
        "from sklearn.utils.estimator_checks import check_array_api_input as check; from zen.sklearn import *;"
        "[check(type(e).__name__, e, 'numpy', expect_only_array_outputs=False) for e in (Classifier(), Regressor())]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ, "SCIPY_ARRAY_API": "1"})


def test_classifier_is_as_good_as_scikit_learns():
    X, y = load_breast_cancer(return_X_y=True)
    ours = make_pipeline(StandardScaler(), Classifier((32,), epochs=30, random_state=0))
    theirs = make_pipeline(StandardScaler(), MLPClassifier((32,), batch_size=32, max_iter=30, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's stops before it has converged
        expected = cross_val_score(theirs, X, y, cv=3).mean()
    assert cross_val_score(ours, X, y, cv=3).mean() > max(0.96, expected - 0.01)


def test_regressor_on_diabetes():
    X, y = load_diabetes(return_X_y=True)
    model = make_pipeline(StandardScaler(), Regressor((16,), epochs=30, weight_decay=0.1, random_state=0))
    assert cross_val_score(model, X, y, cv=3).mean() > 0.42  # linear regression: 0.49


def test_regressor_with_several_targets():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(80, 3)).astype(np.float32)
    y = X @ generator.normal(size=(3, 2)) * [1, 1000] + [0, 500]
    model = Regressor((32,), epochs=60, learning_rate=0.01, random_state=0).fit(X, y)
    assert model.predict(X).shape == (80, 2) and model.predict(X).dtype == np.float32
    assert model.score(X, y) > 0.98


@pytest.fixture
def moons():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 2))
    return X, np.where((X**2).sum(1) > 1.2, "outside", "inside")


def test_results_are_repeatable_and_leave_zens_random_numbers_alone(moons):
    X, y = moons
    before = zen.random.get_state()
    one, two, other = [Classifier((8,), epochs=3, random_state=k).fit(X, y).predict_proba(X) for k in (1, 1, 2)]
    assert zen.random.get_state() == before
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_early_stopping_keeps_the_best_model(moons):
    X, y = moons
    model = Classifier(
        (32,), epochs=300, learning_rate=0.05, early_stopping=True, validation_fraction=0.25, patience=4, random_state=0
    ).fit(X, y)
    losses = model.history_.validation_loss
    assert model.n_iter_ == len(losses) < 300 and len(losses) - 1 - int(np.argmin(losses)) == 4
    assert model.score(X, y) > 0.9


def test_search_and_pickle(moons):
    X, y = moons
    search = GridSearchCV(
        Classifier(epochs=20, learning_rate=0.02, random_state=0), {"hidden_layer_sizes": [(1,), (16, 16)]}, cv=2
    ).fit(X, y)
    assert search.best_params_ == {"hidden_layer_sizes": (16, 16)}
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert np.array_equal(again.predict_proba(X), search.predict_proba(X))
    assert np.array_equal(again.classes_[again.predict_proba(X).argmax(1)], again.predict(X))


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"activation": "step"}, "activation must be one of identity, relu, .*, not 'step'"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be an integer of at least 1, not 0"),
        ({"epochs": 0}, "epochs must be an integer of at least 1, not 0"),
        ({"batch_size": 2.5}, "batch_size must be an integer of at least 1, not 2.5"),
        ({"learning_rate": -1.0}, "learning_rate must be a number of at least 0, not -1.0"),
        ({"early_stopping": True, "validation_fraction": 1.0}, "validation_fraction must be between 0 and 1, not 1.0"),
    ],
)
def test_parameters_out_of_range(moons, parameters, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**parameters).fit(*moons)


def test_too_few_samples_to_validate_with():
    with pytest.raises(ValueError, match="early_stopping needs samples to validate with, but n_samples = 1"):
        Regressor(early_stopping=True).fit([[1.0]], [1.0])


def test_not_fitted():
    with pytest.raises(NotFittedError):
        Regressor().predict([[1.0]])


def test_without_scikit_learn(monkeypatch):
    monkeypatch.delitem(sys.modules, "zen.sklearn")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(ImportError, match="needs scikit-learn: pip install scikit-learn"):
        __import__("zen.sklearn")


def test_regression_data_of_the_compat_tests_are_scikit_learns():
    path = Path(__file__).parents[1] / "compat" / "test_gradflow_programs.py"
    spec = importlib.util.spec_from_file_location("gradflow_programs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    X, y = make_regression(n_samples=100, n_features=1, n_informative=1, noise=10, random_state=0)
    drawn = module.regression_data()
    assert np.array_equal(X, drawn[0]) and np.allclose(y, drawn[1], rtol=1e-14)

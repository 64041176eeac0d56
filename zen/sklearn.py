"""scikit-learn estimators: `Classifier` and `Regressor`, multilayer perceptrons that are trained by `zen.fit`.

They work wherever scikit-learn's own do: in pipelines, cross-validation and searches. Needs scikit-learn (extra
`sklearn`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, Self

import numpy as np

from . import f, nn, random
from .data import DataLoader, TensorDataset
from .extras import missing
from .modes import no_grad
from .optim import AdamW
from .training import EarlyStopping, fit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise missing(error, "zen.sklearn", "scikit-learn", "sklearn") from None

__all__ = ["Classifier", "Regressor"]
__dir__ = __all__.copy

_ACTIVATIONS = {
    "identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU,
}  # fmt: skip
_CHUNK = 4096  # rows that are predicted at a time


class _Perceptron(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: parameters, training, and running the model."""

    def __init__(
        self, hidden_layer_sizes: Sequence[int] = (100,), activation: str = "relu", *, learning_rate: float = 1e-3,
        epochs: int = 100, batch_size: int = 32, weight_decay: float = 1e-4, early_stopping: bool = False,
        validation_fraction: float = 0.1, patience: int = 10, random_state: Any = None, verbose: bool = False,
    ) -> None:  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose

    def _train(self, x: np.ndarray, y: np.ndarray, outputs: int, loss: Any) -> Self:
        """Make the model for these inputs and targets, and fit it."""
        self._check_parameters()
        draw = check_random_state(self.random_state)
        seed = int(draw.randint(np.iinfo(np.int32).max))
        with _seeded(seed):
            self.model_ = self._model(x.shape[1], outputs, x.dtype)
            kept, held = self._split(len(x), draw)
            validation = DataLoader(TensorDataset(x[held], y[held]), _CHUNK) if len(held) else None
            self.history_ = fit(
                self.model_,
                DataLoader(TensorDataset(x[kept], y[kept]), self.batch_size, shuffle=True, seed=seed),
                loss,
                AdamW(self.model_.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay),
                self.epochs,
                validation=validation,
                callbacks=[EarlyStopping(self.patience)] if validation is not None else [],
                progress=bool(self.verbose),
            )
        self.model_.eval()
        self.n_iter_ = len(self.history_)
        return self

    def _model(self, inputs: int, outputs: int, dtype: Any) -> nn.Sequential:
        sizes = [inputs, *np.atleast_1d(self.hidden_layer_sizes).tolist(), outputs]
        layers: list[Any] = []
        for before, after in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(before, after, dtype=dtype), _ACTIVATIONS[self.activation]()]
        return nn.Sequential(*layers[:-1])

    def _split(self, count: int, draw: Any) -> tuple[np.ndarray, np.ndarray]:
        """Indices to train with, and to validate with."""
        if not self.early_stopping:
            return np.arange(count), np.arange(0)
        held = max(1, round(count * self.validation_fraction))
        if held >= count:
            raise ValueError(f"early_stopping needs samples to validate with, but n_samples = {count}")
        order = draw.permutation(count)
        return order[held:], order[:held]

    def _check_parameters(self) -> None:
        if self.activation not in _ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(_ACTIVATIONS)}, not {self.activation!r}")
        for size in np.atleast_1d(self.hidden_layer_sizes).tolist():
            _check(size, "hidden_layer_sizes", Integral, 1)
        for name in ("epochs", "batch_size", "patience"):
            _check(getattr(self, name), name, Integral, 1)
        for name in ("learning_rate", "weight_decay"):
            _check(getattr(self, name), name, Real, 0)
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, not {self.validation_fraction!r}")

    def _run(self, X: Any) -> np.ndarray:
        """The model's outputs for checked inputs."""
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        with no_grad():
            parts = [self.model_(x[k : k + _CHUNK])._array for k in range(0, len(x), _CHUNK)]
        outputs: np.ndarray = np.concatenate(parts)
        return outputs


class Classifier(ClassifierMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron for classes, trained by AdamW on the cross entropy.

    hidden_layer_sizes: the widths of the hidden layers. activation: "relu", "tanh", "logistic", "gelu", "silu" or
    "identity". learning_rate, weight_decay: AdamW's. epochs, batch_size: the most epochs, and samples in a step.
    early_stopping: hold out `validation_fraction` of the samples, stop once their loss has not improved for `patience`
    epochs, and keep the best model. random_state: None, an int or a RandomState, for repeatable results. verbose: show
    a progress bar (extra `fit`).

    Fitted: `model_` (a zen.nn.Sequential), `classes_`, `history_`, `n_iter_` (epochs), `n_features_in_`. Computes in
    float32 for inputs of float32, else in float64. Raises ValueError for parameters outside of their range.

    >>> from zen.sklearn import Classifier
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> model = Classifier((16,), learning_rate=0.05, random_state=0).fit(X, ["no", "yes", "yes", "no"])
    >>> model.predict(X).tolist(), model.predict_proba(X).shape
    (['no', 'yes', 'yes', 'no'], (4, 2))
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on samples X, of shape (samples, features), and their classes y, of shape (samples,)."""
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return self._train(x, codes.astype(np.int64), len(self.classes_), f.cross_entropy)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, of shape (samples, classes), in the order of `classes_`."""
        logits = self._run(X)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each sample."""
        outputs = self._run(X)
        found: np.ndarray = self.classes_[outputs.argmax(axis=1)]
        return found


class Regressor(RegressorMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron for numbers, trained by AdamW on the mean squared error of standardised targets.

    Parameters and fitted attributes are as in `Classifier`, without `classes_`. Targets may have several columns.

    >>> from zen.sklearn import Regressor
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = Regressor((32,), "tanh", learning_rate=0.01, random_state=0).fit(X, 100 * X[:, 0] ** 2)
    >>> bool(model.score(X, 100 * X[:, 0] ** 2) > 0.95)
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on X, of shape (samples, features), and targets y, of shape (samples,) or (samples, targets)."""
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = y.reshape(len(y), -1).astype(x.dtype)
        self._mean, spread = targets.mean(axis=0), targets.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1).astype(x.dtype)
        self._one = y.ndim == 1
        return self._train(x, (targets - self._mean) / self._scale, targets.shape[1], f.mse_loss)

    def predict(self, X: Any) -> np.ndarray:
        """The target of each sample, in the shape of the targets that were given to `fit`."""
        found: np.ndarray = self._run(X) * self._scale + self._mean
        return found[:, 0] if self._one else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """zen's random numbers from `seed`, and afterwards as though nothing had been drawn."""
    before = random.get_state()
    random.seed(seed)
    try:
        yield
    finally:
        random.set_state(before)


def _check(value: Any, name: str, kind: Any, least: int) -> None:
    if not isinstance(value, kind) or isinstance(value, bool) or value < least:
        what = "an integer" if kind is Integral else "a number"
        raise ValueError(f"{name} must be {what} of at least {least}, not {value!r}")

"""Programs that ask for the namespace of their arrays take zen's: array-api-compat, scikit-learn and SciPy.

The latter two run in a process of their own: they ask only where SciPy was imported with SCIPY_ARRAY_API set.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zen

try:
    import array_api_compat
except ImportError:  # scikit-learn brings a copy
    from sklearn.externals import array_api_compat

ROOT = Path(__file__).parents[2]
ESTIMATORS = """
import numpy as np
import sklearn
import zen
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler
from sklearn.utils._array_api import get_namespace

rng = np.random.default_rng(0)
X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
calls = {
    "standard": lambda x, y: StandardScaler().fit_transform(x),
    "minmax": lambda x, y: MinMaxScaler().fit_transform(x),
    "maxabs": lambda x, y: MaxAbsScaler().fit_transform(x),
    "norm": lambda x, y: Normalizer().fit_transform(x),
    "pca": lambda x, y: abs(PCA(2, svd_solver="full").fit_transform(x)),
    "ridge": lambda x, y: Ridge(solver="svd").fit(x, y).predict(x),
    "cosine": lambda x, y: cosine_similarity(x, x),
    "distance": lambda x, y: euclidean_distances(x, x + 1),
    "r2": lambda x, y: r2_score(y, y * 0.9),
    "mse": lambda x, y: mean_squared_error(y, y * 0.9),
    "accuracy": lambda x, y: accuracy_score(y > 0, x[:, 0] > 0),
}
with sklearn.config_context(array_api_dispatch=True):
    assert get_namespace(zen.tensor(X))[0] is zen
    for name, call in calls.items():
        found, expected = call(zen.tensor(X), zen.tensor(y)), call(X, y)
        assert type(found) is (zen.Tensor if isinstance(expected, np.ndarray) else type(expected)), name
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=name)
    x = zen.tensor(X, requires_grad=True)
    scaled = Normalizer().fit_transform(x)
    scaled[:, 0].sum().backward()
    norm = np.linalg.norm(X, axis=1)
    np.testing.assert_allclose(x.grad, (np.eye(3)[0] - (X[:, :1] * X) / norm[:, None] ** 2) / norm[:, None])
print("done")
"""
FUNCTIONS = """
import numpy as np
import zen
from scipy import fft, integrate, optimize, signal, special, stats
from zen.testing import check_gradients

x = np.random.default_rng(0).normal(size=(5, 3))
calls = {
    "skew": stats.skew, "kurtosis": stats.kurtosis, "zscore": stats.zscore, "hmean": lambda x: stats.hmean(x * x),
    "variation": stats.variation, "rfft": fft.rfft, "fftn": fft.fftn, "irfft": fft.irfft,
    "hilbert": lambda x: signal.hilbert(x, axis=0), "logsumexp": lambda x: special.logsumexp(x, axis=0),
    "softmax": lambda x: special.softmax(x, axis=1), "trapezoid": integrate.trapezoid,
    "cumulative": lambda x: integrate.cumulative_trapezoid(x, axis=0), "rosen": lambda x: optimize.rosen(x[:, 0]),
}
for name, call in calls.items():
    found = call(zen.tensor(x, requires_grad=True))
    assert type(found) is zen.Tensor and found.requires_grad, name
    np.testing.assert_allclose(found.detach(), call(x), rtol=1e-9, atol=1e-12, err_msg=name)
    check_gradients(call, [x], order=1, forward=False, rtol=1e-5, atol=1e-5)
print("done")
"""


def test_array_api_compat_finds_zen():
    t = zen.tensor([[1.0, 2.0]])
    assert array_api_compat.array_namespace(t) is zen
    assert array_api_compat.array_namespace(t, zen.tensor([1]), None, 1.0) is zen
    assert array_api_compat.array_namespace(t, api_version="2024.12") is zen
    assert array_api_compat.is_array_api_obj(t) and not array_api_compat.is_numpy_array(t)
    assert array_api_compat.device(t) == "cpu" and array_api_compat.to_device(t, "cpu") is t
    assert array_api_compat.size(t) == 2
    with pytest.raises(TypeError, match="Multiple namespaces"):
        array_api_compat.array_namespace(t, np.ones(2))


@pytest.mark.parametrize("program", [ESTIMATORS, FUNCTIONS], ids=["scikit-learn", "SciPy"])
def test_programs_compute_on_tensors(program):
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["done"], done.stderr

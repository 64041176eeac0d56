"""SciPy on Tensors: it runs where no gradient is required, and is called by its own name where one is."""

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

import zen

X = np.array([0.5, 1.5, 2.5])
UFUNCS = {"erf": "erf", "expit": "sigmoid", "log_expit": "logsigmoid", "log1p": "log1p", "expm1": "expm1"}


@pytest.mark.parametrize("name", [*UFUNCS, "gammaln", "j0", "cbrt"])
def test_ufuncs_run_where_no_gradient_is_required(name):
    function = getattr(scipy.special, name)
    found = function(zen.tensor(X))
    assert type(found) is zen.Tensor
    np.testing.assert_array_equal(found.numpy(), function(X))


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs_that_zen_has_point_to_its_own(name):
    x = zen.tensor(X, requires_grad=True)
    with pytest.raises(TypeError, match=rf"scipy\.special\.{name} would .*call zen\.f\.{UFUNCS[name]}, which has"):
        getattr(scipy.special, name)(x)
    np.testing.assert_allclose(getattr(zen.f, UFUNCS[name])(x).value, getattr(scipy.special, name)(X), rtol=1e-12)


def test_ufuncs_that_zen_lacks_are_called_by_their_name():
    with pytest.raises(TypeError, match=r"scipy\.special\.gammaln has no derivative.*t\.detach\(\)"):
        scipy.special.gammaln(zen.tensor(X, requires_grad=True))


def test_other_functions():
    t, x = zen.tensor(X), zen.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(scipy.stats.norm.logpdf(t), scipy.stats.norm.logpdf(X))
    np.testing.assert_allclose(scipy.linalg.expm(zen.eye(2)), np.eye(2) * np.e)
    for call in (lambda: scipy.stats.norm.logpdf(x), lambda: scipy.special.softmax(x)):
        with pytest.raises(RuntimeError, match=r"for another library\), pass t\.detach\(\)"):
            call()

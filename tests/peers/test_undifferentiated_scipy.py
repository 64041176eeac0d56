"""SciPy on Tensors: it runs where no gradient is required, and is called by its own name where one is."""

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

import zen

X = np.array([0.5, 1.5, 2.5])


@pytest.mark.parametrize("name", ["dawsn", "ellipkm1", "bei", "it2struve0"])
def test_ufuncs_that_zen_lacks_run_where_no_gradient_is_required(name):
    function = getattr(scipy.special, name)
    found = function(zen.tensor(X / 3))
    assert type(found) is zen.Tensor
    np.testing.assert_array_equal(found.numpy(), function(X / 3))
    with pytest.raises(TypeError, match=rf"scipy\.special\.{name} has no derivative.*t\.detach\(\)"):
        function(zen.tensor(X / 3, requires_grad=True))


def test_other_functions():
    t, x = zen.tensor(X), zen.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(scipy.stats.norm.logpdf(t), scipy.stats.norm.logpdf(X))
    np.testing.assert_allclose(scipy.linalg.expm(zen.eye(2)), np.eye(2) * np.e)
    for call in (lambda: scipy.stats.norm.logpdf(x), lambda: scipy.special.softmax(x)):
        with pytest.raises(RuntimeError, match=r"for another library\), pass t\.detach\(\)"):
            call()

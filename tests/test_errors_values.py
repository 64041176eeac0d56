"""Tensors that require a gradient given to plots, tables and estimators: the error says what to pass instead."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.linear_model import LinearRegression

import zen

matplotlib.use("Agg")

CALLS = {
    "plot": lambda t, m: plt.plot(t), "scatter": lambda t, m: plt.scatter(t, t), "hist": lambda t, m: plt.hist(t),
    "imshow": lambda t, m: plt.imshow(m), "bar": lambda t, m: plt.bar([1, 2, 3], t),
    "errorbar": lambda t, m: plt.errorbar([1, 2, 3], t, t), "np.save": lambda t, m: np.save("x.npy", t),
    "np.savetxt": lambda t, m: np.savetxt("x.txt", t), "np.savez": lambda t, m: np.savez("x.npz", t=t),
    "Series": lambda t, m: pd.Series(t), "DataFrame": lambda t, m: pd.DataFrame(m),
    "fit": lambda t, m: LinearRegression().fit(m, t),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:float:UserWarning")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_plain_values_are_asked_for(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    t, m = (zen.tensor(a, requires_grad=True) for a in (np.arange(3.0), np.arange(9.0).reshape(3, 3)))
    with pytest.raises((RuntimeError, TypeError), match=r"pass t\.detach\(\)"):
        call(t, m)
    call(t.detach(), m.detach())
    plt.close("all")

"""NumPy functions and ufuncs of SciPy that a late family answers for: the first call loads it."""

import numpy as np
import pytest

import zen
from zen.attached import protocols
from zen.ops import late, register


@pytest.fixture
def family(monkeypatch):
    """A family that answers for a function, a method of a submodule, and ufuncs of NumPy and SciPy."""
    special = pytest.importorskip("scipy.special")
    names = "interp linalg.pinv spacing scipy.special.erfcinv"
    loaded = []
    late.load_all()

    def load(name):
        loaded.append(name)
        for key in names.split():
            register.dispatch(key, lambda *args, key=key: (key, len(args)))
            register.ANSWERS.enter(key, register.ANSWERS.entering.pop(key))

    for target in (np.interp, np.linalg.pinv, np.spacing, special.erfcinv):
        monkeypatch.setitem(register.NUMPY_FUNCTIONS, target, None)
    for key in names.split():
        monkeypatch.setitem(register.ANSWERS, key, None)
        dict.pop(register.ANSWERS, key)
        monkeypatch.setitem(register.ANSWERS.late, key, "invented")
    monkeypatch.setattr("zen.ops.late.load", load)
    values = dict(protocols._VALUES)
    for target in (np.spacing, special.erfcinv):
        protocols._VALUES.pop(target, None)
    register._keys.cache_clear()
    yield special, loaded
    protocols._VALUES.clear()
    protocols._VALUES.update(values)
    register._keys.cache_clear()


def test_the_first_call_loads_the_family(family):
    special, loaded = family
    t = zen.ones(3)
    assert np.tanh(t).shape == (3,) and np.hstack([t, t]).shape == (6,) and loaded == []
    assert np.interp(t, [0.0], [1.0]) == ("interp", 3) and loaded == ["invented"]
    assert np.linalg.pinv(t) == ("linalg.pinv", 1)


def test_a_ufunc_is_called_directly_from_then_on(family):
    special, loaded = family
    t = zen.ones(3)
    for _ in range(2):
        assert np.spacing(t) == ("spacing", 1) and special.erfcinv(t) == ("scipy.special.erfcinv", 1)
    assert loaded == ["invented"]
    assert {np.spacing, special.erfcinv} <= protocols._VALUES.keys()


def test_a_ufunc_of_a_family_that_others_loaded_is_called_directly_as_well():
    t = zen.ones(3)
    protocols._VALUES.pop(np.multiply, None)
    assert register.answering(np.multiply) is zen.f.multiply  # as after `t * t`
    np.multiply(t, t)
    assert protocols._VALUES[np.multiply] is zen.f.multiply


def test_functions_of_one_name_are_told_apart(family):
    t = zen.tensor([1.0, 2.0])
    assert register.answering(np.linalg.norm) is zen.f.norm and np.polyval([1.0, 2.0], t).tolist() == [3.0, 4.0]

    def interp(): ...

    assert register.answering(interp) is None and register.answering(object()) is None


def test_aliases_are_listed_under_the_name_that_the_function_has():
    late.load_all()
    assert "concatenate" in register.ANSWERS and "concat" not in register.ANSWERS
    assert register.ANSWERS["linalg.inv"] is zen.f.inv and "linalg.linalg.inv" not in register.ANSWERS

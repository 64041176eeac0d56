"""The examples in docstrings are run as tests; they use `zen` and `np` without importing them."""

import doctest
import sys
from types import FunctionType

import numpy as np
import pytest

import zen

_says_so = doctest.DocTestFinder._from_module


def _stands_in(finder, module, function):
    """Examples of a function belong to the module that it was written in, wherever it says that it stands."""
    if isinstance(function, FunctionType):
        home = sys.modules.get(function.__globals__["__name__"])
        if home is not None and vars(home).get(function.__name__) is function:
            return module is home
    return _says_so(finder, module, function)


doctest.DocTestFinder._from_module = _stands_in


@pytest.fixture(scope="session")
def doctest_namespace():
    """In place of pytest's own: examples alone ask for it, where a fixture that adds to it would run for every test."""
    return {"zen": zen, "np": np}

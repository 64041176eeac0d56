"""The examples in docstrings are run as tests; they use `zen` and `np` without importing them."""

import numpy as np
import pytest

import zen


@pytest.fixture(autouse=True)
def names_in_examples(doctest_namespace):
    doctest_namespace.update(zen=zen, np=np)

"""Errors under the name of the function that was called keep their kind, whatever NumPy makes them of."""

import numpy as np
import pytest

from zen.ops.errors import asked, reworded


class Wordy(KeyError):
    def __init__(self, key, place):
        super().__init__(f"{key} at {place}")


@pytest.mark.parametrize(("error", "kind"), [
    (ValueError("a"), ValueError), (np.exceptions.AxisError("a"), np.exceptions.AxisError),
    (np.linalg.LinAlgError("a"), np.linalg.LinAlgError), (Wordy("a", 3), KeyError),
])  # fmt: skip
def test_the_kind_is_kept_or_the_next_more_general_one(error, kind):
    made = reworded(error, "f: a")
    assert type(made) is kind and made.args == ("f: a",)


def test_errors_of_casts_and_of_missing_loops():
    def cast(x):
        x += 1.5

    with pytest.raises(TypeError, match="named: Cannot cast ufunc 'add' output"):
        asked("named", cast, np.arange(3))
    with pytest.raises(TypeError, match="named: ufunc 'add' did not contain a loop"):
        asked("named", np.add, np.array("a"), 1)
    with pytest.raises(TypeError, match="named: ufunc 'invert' not supported"):
        asked("named", np.invert, np.ones(2))
    assert asked("named", np.add, 1, 2) == 3

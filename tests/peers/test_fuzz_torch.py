"""Random programs of fixed seeds give PyTorch's values, and its derivatives of orders 1 to 3."""

import fuzz_torch
import pytest
from fuzz import interpret
from fuzz.compare import differs
from fuzz.families import generate


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides", "ignore:.* degrees of freedom")
@pytest.mark.parametrize("seed", range(250))
def test_a_random_program_agrees_with_pytorch(seed):
    program = generate(seed, "float64")
    if not program.portable:
        return  # PyTorch has no views that run backwards
    try:
        found = interpret.results(program)
        expected = fuzz_torch.results(program)
    except interpret.Refused:
        return  # what is saved differs: sometimes the result in zen, the argument in PyTorch
    except RuntimeError as error:
        assert "inplace operation" in str(error) or "single memory location" in str(error)
        return
    for name, value in found.items():
        if name in expected:
            assert not differs(program, value, expected[name], tight=True), f"{name}\n{program.snippet()}"
        else:
            assert not value.any(), f"{name} is constant in PyTorch"

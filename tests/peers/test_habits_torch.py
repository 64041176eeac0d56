"""What the errors for PyTorch's methods advise, evaluated as it stands: it gives what PyTorch gives."""

import numpy as np
import pytest
import torch

import zen
from zen import habits

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((4, 3)) * 3, RNG.standard_normal((4, 3))
SQUARE, WHOLE, MASK = RNG.standard_normal((3, 3)), RNG.integers(1, 9, (4, 3)), A > 0

# For a method the Tensor it is called on, the arguments of PyTorch, and the names of what the advice writes.
CASES = {
    **{name: (A, (B,), {"other": B}) for name in (
        "mul", "sub", "div", "true_divide", "eq", "ne", "not_equal", "lt", "less", "le", "less_equal", "gt", "greater",
        "ge", "greater_equal", "fmod", "arctan2", "allclose", "equal", "view_as", "reshape_as", "expand_as",
        "type_as")},
    **{name: (WHOLE, (WHOLE.T.copy().reshape(4, 3),), {"other": WHOLE.T.copy().reshape(4, 3)}) for name in (
        "bitwise_and", "bitwise_or", "bitwise_xor")},
    **{name: (A, (), {}) for name in (
        "absolute", "sgn", "fix", "arctan", "arcsinh", "neg", "t", "dim", "numel", "nelement", "contiguous",
        "float", "double", "half", "bool", "is_floating_point", "element_size", "signbit", "hardshrink")},
    "pow": (abs(A), (B,), {"other": B}), "mm": (A, (SQUARE,), {"other": SQUARE}),
    "mv": (A, (B[0],), {"other": B[0]}), "bmm": (A[:, :, None], (B[:, None],), {"other": B[:, None]}),
    "vdot": (A[0], (B[0],), {"other": B[0]}), "det": (SQUARE, (), {}), "inverse": (SQUARE, (), {}),
    "where": (A, (MASK, B), {"condition": MASK, "other": B}), "lerp": (A, (B, 0.3), {"end": B, "weight": 0.3}),
    "masked_fill": (A, (MASK, 2.0), {"mask": MASK, "value": 2.0}), "masked_select": (A, (MASK,), {"mask": MASK}),
    "rsqrt": (abs(A), (), {}), "addmm": (A, (B, SQUARE), {"a": B, "b": SQUARE}),
    "clamp": (A, (-1.0, 1.0), {"min": -1.0, "max": 1.0}), "clamp_min": (A, (0.5,), {"min": 0.5}),
    "clamp_max": (A, (0.5,), {"max": 0.5}), "amax": (A, (1,), {"axis": 1}), "amin": (A, (1,), {"axis": 1}),
    "unsqueeze": (A, (1,), {"axis": 1}), "permute": (A, ((1, 0),), {"axes": (1, 0)}),
    "swapdims": (A, (0, 1), {"axis1": 0, "axis2": 1}), "movedim": (A, (0, 1), {"source": 0, "destination": 1}),
    "repeat_interleave": (A, (2, 1), {"n": 2, "axis": 1}), "expand": (A, (2, 4, 3), {"shape": (2, 4, 3)}),
    "view": (A, (2, 6), {"shape": (2, 6)}), "index_select": (A, (1, [2, 0]), {"indices": [2, 0], "axis": 1}),
    "gather": (A, (1, WHOLE % 3), {"indices": WHOLE % 3, "axis": 1}),
    "take_along_dim": (A, (WHOLE % 3, 1), {"indices": WHOLE % 3, "axis": 1}),
}  # fmt: skip


def torched(x):
    return torch.tensor(x) if isinstance(x, (np.ndarray, list)) else x


@pytest.mark.parametrize("name", CASES)
def test_what_is_advised_is_what_pytorch_does(name):
    start, args, names = CASES[name]
    expected = getattr(torch.tensor(start), name)
    expected = expected(*[torched(x) for x in args]) if callable(expected) else expected
    advice = habits.METHODS[name]
    if advice.startswith(("leave it out", "t itself")):
        advice = "t"
    found = eval(advice, {"zen": zen, "np": np, "t": zen.tensor(start), **names})
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-9, atol=1e-12)
    assert np.asarray(found).dtype == np.asarray(expected).dtype


@pytest.mark.parametrize("x", [A[0], A, A.T, np.array([np.inf, np.nan, 1.0])], ids=["vector", "tall", "wide", "odd"])
def test_what_is_advised_for_diag_is_what_pytorch_does(x):
    whole = habits.METHODS["diag"].replace(" for the diagonal of a matrix", "").replace(" for a matrix of it", "")
    of_matrix, of_vector = whole.split(", ", 1)
    t, own = zen.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found = eval(of_vector if x.ndim == 1 else of_matrix, {"zen": zen, "np": np, "t": t})
    np.testing.assert_array_equal(found.detach().numpy(), own.diag().detach().numpy())
    found.sum().backward()
    own.diag().sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), own.grad.numpy())


def test_the_remainder_that_is_advised_has_the_gradients_of_pytorch():
    t, other = (zen.tensor(x, requires_grad=True) for x in (A, B))
    own, others = (torch.tensor(x, requires_grad=True) for x in (A, B))
    eval(habits.METHODS["fmod"], {"zen": zen, "t": t, "other": other}).sum().backward()
    own.fmod(others).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), own.grad.numpy())
    np.testing.assert_allclose(other.grad.numpy(), others.grad.numpy())

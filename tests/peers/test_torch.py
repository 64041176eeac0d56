"""Every row against PyTorch in float64: forward, first and second derivatives, and what happens at kinks.

Run by `make test-peers`.
"""

import numpy as np
import pytest
import torch
from drawing import ROWS, Case, cases, elementwise_case
from torch.nn import functional
from torch_table import COMPARABLE, TORCH, WITHOUT_COUNTERPART

import zen
from zen import backend

TOLERANCE = 1e-10


def close(found, expected, tolerance=TOLERANCE):
    found, expected = np.asarray(found), expected.detach().numpy(force=True)
    assert found.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1.0, where=np.isfinite(expected)) if expected.dtype.kind == "f" else 1
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def all_cases(name):
    found = cases(name)
    if ROWS[name].elementwise and len(ROWS[name].args) == 2:
        found = [*found, elementwise_case(name, [(3, 1), (1, 4)]), elementwise_case(name, [(), (3,)])]
    comparable, _ = COMPARABLE.get(name, (lambda case: True, ""))
    return [case for case in found if comparable(case)]


def ours(case: Case, seeds):
    """Result, gradients, and the gradients of <seeds, gradients>."""
    inputs = [backend.leaf(np.array(a), True) for a in case.smooth_args()]
    y = case.differentiable(*inputs)
    if not y.requires_grad:
        return y, [None] * len(inputs), [None] * len(inputs)
    first = backend.run([y], [seeds[0]], inputs, retain_graph=True, create_graph=True)
    linked = [(g, s) for g, s in zip(first, seeds[1:], strict=True) if g is not None and g.requires_grad]
    second = [None] * len(inputs)
    if linked:
        second = backend.run([g for g, _ in linked], [s for _, s in linked], inputs)
    return y, first, second


def theirs(case: Case, seeds):
    inputs = [torch.tensor(np.array(a), requires_grad=True) for a in case.smooth_args()]
    full = [None if a is None else torch.tensor(np.array(a)) for a in case.args]
    for k, t in zip(case.floating, inputs, strict=True):
        full[k] = t
    y = TORCH[case.name](*full, *case.params)
    if isinstance(y, tuple):
        y = torch.cat([part.to(torch.float64).reshape(-1) for part in y])
    if not y.requires_grad:
        return y, [None] * len(inputs), [None] * len(inputs)
    first = torch.autograd.grad(y, inputs, torch.tensor(seeds[0], dtype=y.dtype), create_graph=True, allow_unused=True)
    linked = [(g, torch.tensor(s)) for g, s in zip(first, seeds[1:], strict=True) if g is not None and g.requires_grad]
    second = [None] * len(inputs)
    if linked:
        second = torch.autograd.grad([g for g, _ in linked], inputs, [s for _, s in linked], allow_unused=True)
    return y, first, second


def compare(case: Case):
    rng = np.random.default_rng(5)
    shape = case(*case.args).shape
    seeds = [np.asarray(rng.standard_normal(s)) for s in (shape, *(np.shape(a) for a in case.smooth_args()))]
    (y, *found), (expected, *wanted) = ours(case, seeds), theirs(case, seeds)
    close(y.array, expected)
    for our_order, their_order in zip(found, wanted, strict=True):
        for g, w, a in zip(our_order, their_order, case.smooth_args(), strict=True):
            # None and a gradient of zeros mean the same
            w = torch.zeros(np.shape(a), dtype=torch.float64) if w is None else w
            close(np.zeros(np.shape(a)) if g is None else g.array, w)


def test_every_row_has_a_peer_or_a_reason():
    assert sorted(ROWS) == sorted([*TORCH, *WITHOUT_COUNTERPART])
    assert [name for name, function in TORCH.items() if function is None] == []


@pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0")  # PyTorch's, for an array without elements
@pytest.mark.parametrize("name", TORCH)
def test_values_and_derivatives(name):
    for case in all_cases(name):
        compare(case)


# -- kinks, ties and edges

KINKS = {
    "abs": [([-1.0, 0.0, -0.0, 2.0],)],
    "sign": [([-1.0, 0.0, 2.0],)],
    "sqrt": [([0.0, 4.0],)],
    "relu": [([-1.0, 0.0, 2.0],)],
    "maximum": [([1.0, 2.0, 3.0, 0.0], [1.0, 3.0, 2.0, -0.0])],
    "minimum": [([1.0, 2.0, 3.0, 0.0], [1.0, 3.0, 2.0, -0.0])],
    "clip": [([-1.0, 0.0, 0.5, 1.0, 2.0], [0.0] * 5, [1.0] * 5)],
    "leaky_relu": [([-1.0, 0.0, 1.0], [0.1] * 3)],
    "elu": [([-1.0, 0.0, 1.0], [0.7] * 3)],
    "power": [([0.0, 0.0, 0.0, 2.0, -2.0, -2.0], [2.0, 1.0, 0.0, 0.0, 2.0, 3.0])],
    "logaddexp": [([1.0, 800.0, -800.0], [1.0, -800.0, 800.0]), ([0.0, 0.0, np.inf], [np.inf, -np.inf, 0.0])],
    "hypot": [([3.0, 1e200, 0.0], [4.0, 1e200, 2.0])],
    "sigmoid": [([-800.0, -30.0, 0.0, 30.0, 800.0],)],
    "softplus": [([-800.0, -30.0, 0.0, 15.0, 800.0],)],
    "silu": [([-800.0, -30.0, 0.0, 30.0, 700.0],)],
    "gelu": [([-50.0, -6.0, 0.0, 6.0, 50.0],)],
    "gelu_tanh": [([-50.0, -6.0, 0.0, 6.0, 50.0],)],
    "tanh": [([-800.0, 0.0, 800.0],)],
    "erf": [([-8.0, 0.0, 8.0],)],
    "log1p": [([0.0, 1e-300, 1e300],)],
    "expm1": [([0.0, 1e-300, -800.0],)],
    "atan2": [([0.0, 1.0, -1.0, 1.0, 0.0], [1.0, 0.0, 0.0, -1.0, 0.0])],
    "floor_divide": [([5.0, -5.0, 6.0], [2.0, 2.0, -4.0])],
    "remainder": [([5.0, -5.0, 5.0, -5.0, 1.0, -1.0, 0.9], [3.0, 3.0, -3.0, -3.0, 0.1, 0.1, 0.3])],
    "rint": [([0.5, 1.5, 2.5, -0.5],)],
}
REDUCED_KINKS = {
    "max": ([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], ((1,), False)),
    "min": ([[1.0, 3.0, 1.0], [2.0, 2.0, 2.0]], ((1,), False)),
    "norm2": ([[0.0, 0.0], [3.0, 4.0]], ((1,), False)),
    "prod": ([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0]], ((1,), False)),
    "logsumexp": ([[1000.0, 1000.0], [-1000.0, 0.0]], ((1,), False)),
    "std": ([[1.0, 2.0, 3.0], [1.0, 1.0, 5.0]], ((1,), 1, False)),
    "var": ([[2.0, 2.0, 2.0], [1.0, 1.0, 5.0]], ((1,), 1, False)),
}

# (row, arguments): (our gradients, reason). PyTorch gives something else there.
DIFFERENCES = {
    ("hypot", (0.0, 0.0)): ((0.0, 0.0), "PyTorch divides 0 by 0 and gives nan; 0 is a subgradient"),
    ("bce", (0.0, 0.0)): ((1.0, 100.0), "PyTorch gives 0 for p; the slope of -log(1 - p) at 0 is 1"),
    ("logaddexp", (np.inf, np.inf)): ((0.5, 0.5), "PyTorch subtracts infinities and gives nan; equals share"),
    ("logaddexp", (-np.inf, -np.inf)): ((0.5, 0.5), "PyTorch subtracts infinities and gives nan; equals share"),
}


@pytest.mark.parametrize("name", KINKS)
def test_first_derivatives_at_kinks(name):
    for args in KINKS[name]:
        first_order(Case(name, tuple(np.array(a) for a in args)))


@pytest.mark.parametrize("name", REDUCED_KINKS)
def test_first_derivatives_of_reductions_at_kinks(name):
    x, params = REDUCED_KINKS[name]
    first_order(Case(name, (np.array(x),), params))


def first_order(case: Case):
    seed = np.linspace(1.0, 2.0, case(*case.args).size).reshape(case(*case.args).shape)
    seeds = [seed, *(np.zeros(a.shape) for a in case.args)]
    (y, first, _), (expected, wanted, _) = ours(case, seeds), theirs(case, seeds)
    close(y.array, expected)
    for g, w, a in zip(first, wanted, case.args, strict=True):
        w = torch.zeros(a.shape, dtype=torch.float64) if w is None else w
        close(np.zeros(a.shape) if g is None else g.array, w)


@pytest.mark.parametrize(("name", "args"), DIFFERENCES)
def test_where_zen_differs(name, args):
    case = Case(name, tuple(np.array(a) for a in args))
    expected, _ = DIFFERENCES[name, args]
    seeds = [np.array(1.0)] * (1 + len(args))
    found = [g.array for g in ours(case, seeds)[1]]
    np.testing.assert_array_equal(found, expected)
    peer = [g.item() for g in theirs(case, seeds)[1]]
    assert not np.array_equal(found, peer)  # once they agree, the entry goes


AT_NAN = {
    "relu": torch.relu, "relu6": functional.relu6, "hardtanh": functional.hardtanh, "clip": torch.clamp,
    "hardshrink": functional.hardshrink, "leaky_relu": functional.leaky_relu, "hardswish": functional.hardswish,
    "maximum": torch.maximum, "minimum": torch.minimum, "softplus": functional.softplus,
    "threshold": functional.threshold,
}  # fmt: skip
LIMITS = {"clip": (-1.0, 1.0), "threshold": (0.0, 2.0)}


@pytest.mark.parametrize("name", AT_NAN)
def test_gradients_at_nan(name):
    """Where PyTorch passes a gradient on, zen does or gives nan; where PyTorch stops it, so may zen."""
    values = [np.nan, 1.0] if name in ("maximum", "minimum") else [np.nan]
    mine = [zen.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    getattr(zen.f, name)(*mine, *LIMITS.get(name, ())).backward()
    AT_NAN[name](*theirs, *LIMITS.get(name, ())).backward()
    for a, b in zip(mine, theirs, strict=True):
        assert np.isnan(a.gradient) or a.gradient == b.grad.item()


def test_nan_and_infinity_in_the_branch_not_taken():
    """where() gives exactly zero to the branch not taken, as in PyTorch; the operation before it then decides."""
    x = zen.Tensor([0.0, 4.0])
    zen.sum(zen.where(x.array > 0, x * 2.0, x * np.inf)).backward()
    t = torch.tensor([0.0, 4.0], dtype=torch.float64, requires_grad=True)
    torch.sum(torch.where(t > 0, t * 2.0, t * torch.inf)).backward()
    np.testing.assert_array_equal(np.isnan(x.gradient), np.isnan(t.grad.numpy()))

"""Names, order and defaults of arguments against PyTorch's, for everything that bears the same name."""

import importlib
import inspect
import re

import numpy as np
import pytest
import torch
import torch.optim.lr_scheduler
import torch.utils.data
from torch.nn import functional

import zen

# Arguments of PyTorch's that zen leaves out: devices and graphics cards, what is deprecated, and what is private.
ABSENT = {
    "device", "pin_memory", "pin_memory_device", "foreach", "fused", "capturable", "differentiable", "size_average",
    "reduce", "min_value", "max_value", "_stacklevel", "_weight", "_freeze",
    "timeout", "worker_init_fn", "multiprocessing_context", "persistent_workers", "in_order",  # of processes
}  # fmt: skip
# Arguments that differ on purpose: where a default is safer, a name is NumPy's, or one argument takes two kinds.
DIFFERENT = {
    **dict.fromkeys(  # a name, there a function
        ("Transformer", "TransformerEncoderLayer", "TransformerDecoderLayer"), {"activation"}
    ),
    "DataLoader": {"shuffle", "prefetch_factor"}, "BatchSampler": {"drop_last"},
    "LBFGS.step": {"closure"},  # these three as in the other classes
    "SequentialLR.step": {"epoch"}, "ChainedScheduler.step": {"epoch"},
    "softmax": {"dim", "dtype"}, "log_softmax": {"dim", "dtype"}, "softmin": {"dim", "dtype"},
}  # fmt: skip
# Of these PyTorch shows *args alone; or zen's arguments are NumPy's (pad), or name the classes' axis after the target.
HIDDEN = {"Buffer", "Parameter", "GRU", "LSTM", "RNN", "pad", "cross_entropy", "nll_loss"}
NAMES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's names, which stand in the places of PyTorch's


def signature(function):
    """The signature, from the first line of the documentation where Python knows none."""
    try:
        return inspect.signature(function)
    except ValueError:
        text = re.search(r"\((.*?)\) ->", function.__doc__, re.DOTALL)[1]
        return inspect.signature(eval(f"(lambda {text}: None)"))


def arguments(function):
    """Those with names: default, and whether they may be given by position."""
    own = [p for p in signature(function).parameters.values() if p.name != "self"]
    return {
        p.name: (p.default, p.kind is not p.KEYWORD_ONLY)
        for p in own
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }


def compare(name, mine, theirs):
    there = arguments(theirs)
    given = arguments(mine)
    here = {}
    for key, value in given.items():  # where both names are taken, NumPy's comes first and has the default
        here.setdefault(key if key in there else NAMES.get(key, key), value)
    unnamed = there.keys() - given.keys() - ABSENT
    assert not unnamed, f"{name} does not take {unnamed} by name"
    free = DIFFERENT.get(name, set())
    absent = there.keys() - here.keys() - ABSENT - free
    assert not absent, f"{name} has no {absent}"
    for key in there.keys() & here.keys() - free:
        assert here[key][0] == there[key][0], f"the default of {key} of {name}"
    positions = [key for key, (_, positional) in here.items() if positional and key not in free - there.keys()]
    expected = [key for key in there if key in here or key != "_stacklevel"]
    assert positions == expected[: len(positions)], f"a position of {name} means something else"


def shared(mine, theirs, kind):
    """Names that both have, of what PyTorch does not hide behind *args."""
    names = [name for name in dir(mine) if name[0] != "_" and kind(getattr(mine, name)) and hasattr(theirs, name)]
    return [name for name in names if name not in HIDDEN]


PLACES = {
    "nn": torch.nn, "optim": torch.optim, "optim.lr_scheduler": torch.optim.lr_scheduler, "data": torch.utils.data
}  # fmt: skip
CLASSES = [
    pytest.param(getattr(zen_module, name), getattr(theirs, name), id=name)
    for place, theirs in PLACES.items()
    for zen_module in [importlib.import_module(f"zen.{place}")]
    for name in shared(zen_module, theirs, inspect.isclass)
]


@pytest.mark.parametrize(("mine", "theirs"), CLASSES)
def test_classes(mine, theirs):
    compare(mine.__name__, mine.__init__, theirs.__init__)


@pytest.mark.parametrize("name", shared(zen.f, functional, callable))
def test_functions(name):
    theirs = getattr(functional, f"{name}_with_indices", getattr(functional, name))  # the others may return either
    compare(name, getattr(zen.f, name), theirs)


FORWARD = [
    pytest.param(getattr(zen.nn, name), getattr(torch.nn, name), id=name)
    for name in [*shared(zen.nn, torch.nn, inspect.isclass), "RNN", "LSTM", "GRU"]
    if "forward" in dir(getattr(torch.nn, name)) and "*" not in str(inspect.signature(getattr(torch.nn, name).forward))
]


@pytest.mark.parametrize(("mine", "theirs"), FORWARD)
def test_forward_takes_the_same_names(mine, theirs):
    compare(f"{mine.__name__}.forward", mine.forward, theirs.forward)
    assert arguments(mine.forward).keys() == arguments(theirs.forward).keys()


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (lambda nn: nn.ReLU(), {"input": (2, 3)}), (lambda nn: nn.Tanh(), {"input": (2, 3)}),
        (lambda nn: nn.Softmax(dim=1), {"input": (2, 3)}), (lambda nn: nn.GLU(dim=0), {"input": (2, 3)}),
        (lambda nn: nn.AvgPool1d(2), {"input": (1, 2, 4)}), (lambda nn: nn.Flatten(), {"input": (2, 3, 1)}),
        (lambda nn: nn.BatchNorm1d(3), {"input": (2, 3)}), (lambda nn: nn.LayerNorm(3), {"input": (2, 3)}),
        (lambda nn: nn.MSELoss(), {"input": (2, 3), "target": (2, 3)}), (lambda nn: nn.Identity(), {"input": (2, 3)}),
        (lambda nn: nn.Sequential(nn.ReLU(), nn.Tanh()), {"input": (2, 3)}),
        (lambda nn: nn.CosineSimilarity(dim=1), {"x1": (2, 3), "x2": (2, 3)}),
        (lambda nn: nn.GaussianNLLLoss(), {"input": (2, 3), "target": (2, 3), "var": (2, 3)}),
    ],
)  # fmt: skip
def test_layers_are_called_by_name(layer, arguments):
    rng = np.random.default_rng(0)
    values = {name: rng.uniform(0.5, 1.5, shape) for name, shape in arguments.items()}
    found = layer(zen.nn)(**{name: zen.tensor(x) for name, x in values.items()})
    theirs = layer(torch.nn).double()(**{name: torch.tensor(x) for name, x in values.items()})
    np.testing.assert_allclose(found.detach().numpy(), theirs.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "elu", "sigmoid", "softsign", "leaky_relu", "relu6"])
def test_functions_are_called_by_name(name):
    x = np.linspace(-2.0, 2.0, 7)
    found = getattr(zen.f, name)(input=zen.tensor(x))
    np.testing.assert_allclose(found.numpy(), getattr(functional, name)(input=torch.tensor(x)).numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_dim_and_dtype_of_softmax(name):
    x = np.linspace(-2.0, 2.0, 6).reshape(2, 3)
    found = getattr(zen.f, name)(input=zen.tensor(x), dim=0, dtype=zen.float32)
    theirs = getattr(functional, name)(input=torch.tensor(x), dim=0, dtype=torch.float32)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.numpy(), theirs.numpy(), rtol=1e-6)


METHODS = [
    pytest.param(getattr(mine, name), getattr(theirs, name), id=f"{theirs.__name__}-{name}")
    for mine, theirs in [(zen.nn.Module, torch.nn.Module), *[case.values for case in CLASSES]]
    if "container" not in theirs.__module__ and "data" not in theirs.__module__  # whose methods take a member, nameless
    for name in shared(mine, theirs, inspect.isfunction)
    if theirs is torch.nn.Module or not hasattr(torch.nn.Module, name)
]


@pytest.mark.parametrize(("mine", "theirs"), METHODS)
def test_methods(mine, theirs):
    compare(mine.__qualname__, mine, theirs)

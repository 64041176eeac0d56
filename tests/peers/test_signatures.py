"""Names, order and defaults of arguments against PyTorch's, for everything that bears the same name."""

import importlib
import inspect
import re

import pytest
import torch
import torch.optim.lr_scheduler
import torch.utils.data
from torch.nn import functional

import zen

# Arguments of PyTorch's that zen leaves out: devices and graphics cards, what is deprecated, and what is private.
ABSENT = {
    "device", "pin_memory", "pin_memory_device", "foreach", "fused", "capturable", "differentiable", "size_average",
    "reduce", "min_value", "max_value", "inplace", "_stacklevel", "_weight", "_freeze",
    "timeout", "worker_init_fn", "multiprocessing_context", "persistent_workers", "in_order",  # of processes
}  # fmt: skip
# Arguments that differ on purpose: where a default is safer, a name is NumPy's, or one argument takes two kinds.
DIFFERENT = {
    "TransformerEncoderLayer": {"activation"}, "TransformerDecoderLayer": {"activation"},  # a name, there a function
    "DataLoader": {"shuffle", "prefetch_factor"}, "BatchSampler": {"drop_last"},
    "LBFGS.step": {"closure"}, "SequentialLR.step": {"epoch"},  # as in the other classes
    "softmax": {"dim", "dtype"}, "log_softmax": {"dim", "dtype"}, "softmin": {"dim", "dtype"},
}  # fmt: skip
# Of these PyTorch shows *args alone; or zen's arguments are NumPy's (pad), or name the classes' axis after the target.
HIDDEN = {"Buffer", "Parameter", "GRU", "LSTM", "RNN", "pad", "cross_entropy", "nll_loss"}
NAMES = {"x": "input", "axis": "dim", "keepdims": "keepdim", "indices": "input"}


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
    here = {key if key in there else NAMES.get(key, key): value for key, value in arguments(mine).items()}
    free = DIFFERENT.get(name, set())
    absent = there.keys() - here.keys() - ABSENT - free
    assert not absent, f"{name} has no {absent}"
    for key in there.keys() & here.keys() - free:
        assert here[key][0] == there[key][0], f"the default of {key} of {name}"
    positions = [key for key, (_, positional) in here.items() if positional and key not in free - there.keys()]
    expected = [key for key in there if key in here or key not in ("inplace", "_stacklevel")]
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

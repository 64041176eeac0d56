"""Layers made or called wrongly: the error speaks of the layer and of what to write, not of classes inside zen."""

import inspect

import numpy as np
import pytest

import zen
from zen import nn

A = zen.ones((2, 3))
LAYERS = [
    kind for kind in vars(nn).values()
    if inspect.isclass(kind) and issubclass(kind, nn.Module) and kind not in (
        nn.Module, nn.Identity, nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict,
        nn.TransformerEncoder, nn.TransformerDecoder, nn.RNNBase)
]  # fmt: skip


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_tensors_in_the_place_of_options(kind):
    """`nn.MSELoss(a, b)` for `nn.MSELoss()(a, b)`, with every layer."""
    with pytest.raises(TypeError, match=rf"^{kind.__name__}: .*nn\.{kind.__name__}\((\.\.\.)?\)\(\w+(, \w+)*\)$"):
        kind(A, A, A, A)


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_wrong_numbers_of_arguments_name_the_layer(kind):
    taken = [p for p in inspect.signature(kind).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    names = ", ".join([p.name for p in taken]) or "none"
    for count, values in ((30, (1,)), (len(taken) + 1, (zen.tensor(1.0), [1.0], 0.5))):
        for value in values:
            plural = "" if count == 1 else "s"
            with pytest.raises(
                TypeError, match=rf"^{kind.__name__}: {count} argument{plural} by position, but .*{names}"
            ):
                kind(*[value] * count)
    assert kind.forward.__qualname__ == f"{kind.__name__}.forward"


def test_losses_with_their_inputs():
    with pytest.raises(TypeError, match=r"^MSELoss: .*nn\.MSELoss\(\)\(input, target\)$"):
        nn.MSELoss(A, A)
    for given in ((zen.tensor(1.0), zen.tensor(2.0)), ([1.0], [2.0]), (1.0, 2.0)):
        with pytest.raises(TypeError, match=r"^MSELoss: .*nn\.MSELoss\(\)\(input, target\)$"):
            nn.MSELoss(*given)
    with pytest.raises(TypeError, match=r"^MSELoss: 1 argument by position, but it takes none \(by name: reduction\);"):
        nn.MSELoss("sum")
    with pytest.raises(TypeError, match=r"^CrossEntropyLoss: .*nn\.CrossEntropyLoss\(\)\(input, target\)$"):
        nn.CrossEntropyLoss(A, np.array([0, 1]))
    assert nn.CrossEntropyLoss(zen.ones(3)).weight is not None
    assert nn.CosineSimilarity(dim=zen.tensor(1)) is not None  # a single number is none of the data


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Sequential([nn.ReLU()]), r"Sequential: .*'0', not a list: write \*modules"),
        (lambda: nn.Sequential(nn.ReLU), r"Sequential: .*not the class ReLU: write ReLU\(\.\.\.\)"),
        (lambda: nn.Sequential(np.tanh), r"Sequential: .*function 'tanh': wrap it in a Module"),
        (lambda: nn.ModuleList(nn.ReLU()), r"ModuleList: expected a sequence, not ReLU; write \[member\]"),
        (lambda: nn.ModuleDict([nn.ReLU()]), "ModuleDict: expected a dict, or pairs"),
        (lambda: nn.Dropout("x"), "Dropout: p must be float, not 'x'"),
        (lambda: nn.MaxPool2d("a"), "MaxPool2d: kernel_size must be int, or ints for each axis, not 'a'"),
        (lambda: nn.Linear("3", 2), "Linear: in_features must be int, not '3'"),
        (lambda: nn.ReLU().apply(3), "apply: expected a function of a module, not int"),
        (lambda: nn.init.normal_(3), "nn.init fills Tensors, not int"),
        (lambda: nn.init.dirac_(3), "nn.init fills Tensors, not int"),
        (
            lambda: zen.optim.clip_grad_norm_(nn.ReLU(), 1.0),
            r"expected Tensors, .* model\.parameters\(\), not ReLU",
        ),
        (lambda: zen.optim.clip_grad_norm_([], "x"), "max_norm is 'x'; expected a number"),
    ],
)
def test_what_is_wrong_is_named(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_modules_of_the_user_take_what_they_like():
    class Scale(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = nn.Parameter(factor)

        def forward(self, x):
            return x * self.factor

    class Named(Scale):
        pass

    assert Named(np.ones(3))(A).shape == (2, 3) and Named.__init__ is Scale.__init__

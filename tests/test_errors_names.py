"""Names of PyTorch and NumPy that zen does not have: AttributeError with what zen has, and only when they are read."""

import inspect
import math

import numpy as np
import pytest

import zen
from zen import f, habits, nn
from zen.ops import late, register

late.load_all()

METHODS = {
    "view": r"t\.reshape\(shape\)", "unsqueeze": r"t\.expand_dims\(axis\)", "to": r"t\.astype\(dtype\)",
    "permute": r"t\.permute_dims\(axes\)", "contiguous": "leave it out", "float": r"t\.astype\(zen\.float32\)",
    "cuda": "leave it out: zen computes on the CPU", "clamp": r"t\.clip\(min, max\)", "mul": r"t \* other",
    "numel": r"t\.size", "relu_": r"t = t\.relu\(\)", "fill": r"t\.fill_\(value\)", "data": r"t\.detach\(\)",
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_a_missing_method_names_what_to_write(name):
    t = zen.ones((2, 3), requires_grad=True)
    for owner in (t, zen.Tensor, nn.Parameter([1.0])):
        with pytest.raises(AttributeError, match=f"a Tensor has no '{name}'; .*{METHODS[name]}"):
            getattr(owner, name)
        assert not hasattr(owner, name)
    assert name not in dir(t) and "sum" in dir(t)


def test_no_name_that_tensor_has_is_called_missing():
    t = zen.ones((2, 2))
    for name in habits.METHODS:
        assert not hasattr(t, name), name


def test_a_subclass_may_have_the_names():
    class Mine(zen.Tensor):
        def view(self):
            return 5

    t = Mine([1.0])
    t.permute = 3
    assert t.view() == 5 and t.permute == 3 and "view" in dir(t) and "permute" in dir(t)


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        (zen, "cat", r"write zen\.concat$"), (zen, "relu", r"write zen\.f\.relu$"), (zen, "clamp", r"write zen\.clip$"),
        (zen, "unsqueeze", r"write zen\.expand_dims$"), (zen, "randn", r"write zen\.random\.normal$"),
        (zen, "concatenate", r"write zen\.concat$"), (zen, "arctan2", r"write zen\.atan2$"),
        (zen, "median", r"zen\.f\.median$"), (zen, "sinn", "did you mean 'sin'"),
        (f, "relu_", r"zen\.f\.relu\(x\)"), (f, "cat", r"write zen\.concat$"),
        (f, "softmaxx", "did you mean 'softmax'"),
        (nn, "functional", r"write zen\.f$"), (nn, "Relu", "did you mean 'ReLU'"), (nn, "softmax", r"zen\.f\.softmax"),
        (zen.optim, "clip_grad_norm", "clip_grad_norm_"), (zen.linalg, "inverse", r"zen\.linalg\.inv"),
        (zen, "cross", r"zen\.f\.cross"), (zen.random, "randn", r"zen\.random\.normal"),
        (f, "asarray", r"write zen\.asarray$"), (f, "zeros", r"write zen\.zeros$"),
        (nn, "utils", r"zen\.nn\.pad_sequence"),
        (nn, "PackedSequence", "recurrent nets take padded batches"),
        (f, "max_pool2d_with_indices", r"zen\.f\.max_pool2d with return_indices=True"),
        (nn.init, "xavier_uniform", "did you mean 'xavier_uniform_'"), (zen, "nothing_like_it", "has no attribute"),
    ],
)  # fmt: skip
def test_a_missing_function_names_what_to_write(module, name, words):
    with pytest.raises(AttributeError, match=rf"{module.__name__}' has no attribute '{name}'.*{words}|{words}"):
        getattr(module, name)
    assert not hasattr(module, name)


@pytest.mark.parametrize("name", ["around", "invert", "packbits"])
def test_numpys_functions_are_limited_to_what_requires_no_gradient_where_they_are(name):
    with pytest.raises(AttributeError, match=rf"write numpy\.{name}") as caught:
        getattr(zen, name)
    limited = "require no gradient" in str(caught.value)
    t = zen.ones((3, 3), requires_grad=name != "invert", dtype=bool if name == "invert" else None)
    if limited:
        with pytest.raises(TypeError, match=name):
            getattr(np, name)(t)
    else:
        assert isinstance(getattr(np, name)(t), zen.Tensor)


@pytest.mark.parametrize(
    "module", [zen, zen.f, nn, nn.init, zen.linalg, zen.optim, zen.random], ids=lambda m: m.__name__
)
def test_no_private_name_is_offered(module):
    private = set(vars(module)) - set(module.__all__)
    assert len(private) > 5
    for name in [name + "x" for name in private]:
        with pytest.raises(AttributeError) as caught:
            getattr(module, name)
        offered = str(caught.value).partition("did you mean ")[2]
        assert not offered or offered.strip("'?") in module.__all__


def test_every_name_that_is_advised_exists():
    for text in {**habits.FUNCTIONS, **habits.NN}.values():
        if text.startswith("zen.") and text.replace(".", "").replace("_", "").isalnum():
            found = zen
            for part in text.split(".")[1:]:
                found = getattr(found, part)


def with_axes():
    """Every function and method with an argument `axis`, `axes` or `keepdims`, but those that take PyTorch's names."""
    for table, kind in ((register.FUNCTIONS, "zen.f"), (register.METHODS, "Tensor")):
        for name, function in table.items():
            own = inspect.signature(function).parameters
            hands_on = any(p.kind is p.VAR_KEYWORD and p.annotation != "Never" for p in own.values())
            if {"axis", "axes", "keepdims"} & set(own) and not ({"dim", "keepdim"} & set(own) or hands_on):
                yield pytest.param(function, own, id=f"{kind}.{name}")


@pytest.mark.parametrize(("function", "own"), [*with_axes()])
def test_the_arguments_of_another_library_name_those_of_zen(function, own):
    needed = [p for p in own.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    for given, names in (("dim", ("axis", "axes")), ("keepdim", ("keepdims",))):
        found = [name for name in names if name in own]
        words = f"write {found[0]}=$" if found else f"there are {next(iter(own))}, "
        with pytest.raises(TypeError, match=words):
            function(*[np.ones((2, 2))] * len(needed), **{given: 0})


def test_an_argument_that_nobody_has_names_all_there_are():
    with pytest.raises(
        TypeError, match=r"^sum: there is no argument 'exis'; there are x, axis, dtype, keepdims, initial, where$"
    ):
        zen.sum(zen.ones(3), exis=0)
    with pytest.raises(TypeError, match=r"^std: there is no argument 'unbiased'; write correction=$"):
        zen.ones(3).std(unbiased=False)
    with pytest.raises(TypeError, match=r"^norm: there is no argument 'p'; write ord=$"):
        zen.linalg.norm(zen.ones(3), p=1)
    with pytest.raises(TypeError, match=r"^transpose: there is no argument 'dim0'; write axes=$"):
        zen.ones((2, 3)).transpose(dim0=0, dim1=1)


def test_an_argument_under_both_of_its_names_is_refused():
    """PyTorch's and NumPy's names of an argument stand beside zen's own, and neither is preferred in silence."""
    second = {"dim": "axis", "ddof": "correction", "a_min": "min", "a_max": "max"}
    seen = set()
    for function in register.FUNCTIONS.values():
        try:
            own = inspect.signature(function).parameters
        except ValueError:
            continue
        for other, first in second.items():
            if other in own and first in own:
                seen.add(other)
                args = [zen.ones((2, 2))] * (2 if "x2" in own else 1)
                values = {first: 1, other: 0} if first == "correction" else {first: 0, other: 1}
                with pytest.raises(TypeError, match=rf"^\w+: {first} and {other} are two names of one argument"):
                    function(*args, **values)
                function(*args, **{other: values[other]})
    assert seen == set(second)


def test_arguments_in_a_wrong_form():
    a = zen.ones((2, 3))
    for call, words in (
        (lambda: zen.zeros(2, 3), r"zeros: several sizes are given as a tuple: zeros\(\(2, 3\)\)"),
        (lambda: zen.concat(a, a), r"concat: the arrays come as one sequence"),
        (lambda: zen.stack(3), r"stack: a sequence of arrays is needed, not int"),
        (lambda: zen.einsum(a), r"einsum: the subscripts come first"),
        (lambda: zen.exp(None), "None is no value; perhaps a function returned nothing"),
    ):
        with pytest.raises(TypeError, match=words):
            call()


def test_round_and_whole_numbers():
    t = zen.tensor(2.567, requires_grad=True)
    assert round(t, 2).item() == 2.57 and round(t, 2).requires_grad
    assert round(zen.tensor([1.25, 2.449]), 1).tolist() == np.round([1.25, 2.449], 1).tolist()
    for function in (round, math.floor, math.ceil, math.trunc):
        for x in (2.5, -2.5, 3.7):
            found = function(zen.tensor(x, requires_grad=True))
            assert type(found) is int and found == function(x)
    for name in ("floor", "ceil", "trunc"):
        with pytest.raises(TypeError, match=rf"math\.{name}\(\).*\(2,\); use zen\.{name}"):
            getattr(math, name)(zen.ones(2))

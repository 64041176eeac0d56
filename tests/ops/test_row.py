"""Declarations: a row whose facets are missing or do not fit fails where it is defined, naming row and facet."""

import pytest

from zen.ops.row import elementwise, row

GOOD = {
    "name": "halve", "args": "x", "forward": lambda x: x / 2, "vjp": ["g / 2"], "domain": lambda rng: [],
    "shape": lambda x: x, "doc": "Half of x.",
}  # fmt: skip


def declare(**changes):
    return row(**{k: v for k, v in {**GOOD, **changes}.items() if v is not ...})


def composed(**changes):
    return declare(**{"vjp": lambda g, args, results, wanted: (g / 2,), "composition": lambda x: x / 2, **changes})


def test_a_good_row_is_taken():
    assert declare().results == ("y",)
    made = composed(args="x w?", outputs="a b", workspace="c d", saves="b")
    assert (made.args, made.optional, made.results, made.several) == (("x", "w"), ("w",), ("a", "b", "c", "d"), 2)
    spread = declare(outputs="*parts", vjp=["left(g, x.shape)"], uses={"left": lambda f, g, shape: 0})
    assert (spread.outputs, spread.several) == (("parts",), -1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"args": ""}, "args are missing"),
        ({"args": "x 2y", "vjp": ["g", "g"]}, "args holds '2y', which is no name"),
        ({"args": "x x", "vjp": ["g", "g"]}, "share the name 'x'"),
        ({"args": "x g", "vjp": ["g", "g"]}, "share the name 'g', or it is reserved"),
        ({"params": "x"}, "args, outputs, workspace and params share the name 'x'"),
        ({"params": "y"}, "share the name 'y'"),
        ({"params": ("a-b",)}, "params holds 'a-b'"),
        ({"outputs": "a b"}, None),
        ({"outputs": "a a"}, "share the name 'a'"),
        ({"outputs": "a b", "args": "*xs"}, "outputs cannot be several in an elementwise or variadic row"),
        ({"workspace": "c", "args": "*xs"}, "workspace cannot stand in an elementwise or variadic row"),
        ({"workspace": "c", "linear": "x"}, "linear cannot stand beside workspace"),
        ({"forward": "x / 2"}, "forward must be a function, not 'x / 2'"),
        ({"forward": None}, "forward must be a function, not None"),
        ({"vjp": []}, "vjp has 0 derivatives for 1 arguments"),
        ({"vjp": ["g", "g"]}, "vjp has 2 derivatives for 1 arguments"),
        ({"vjp": [2]}, "vjp holds 2; it takes formulas and NOT_DIFFERENTIABLE"),
        ({"vjp": [" "]}, "vjp holds ' '"),
        ({"vjp": lambda g, args, results, wanted: (g,)}, "composition is missing"),
        ({"saves": "y"}, "saves is for a vjp in one function"),
        ({"saves": "z", "vjp": lambda *_: (None,), "composition": abs}, "saves names 'z', which is no output"),
        ({"linear": "z"}, "linear names 'z', which is no argument"),
        ({"jvp": ("g", "g")}, "jvp has 2 formulas for 1 arguments"),
        ({"together": True}, "together is for a row of fixed arguments that is linear in all of them"),
        ({"uses": {"left": 3}}, "uses holds what is no function"),
        ({"axes": "axis"}, "axes names 'axis', which is no parameter"),
        ({"params": "shape", "shapes": "size"}, "shapes names 'size', which is no parameter"),
        ({"params": "at", "keys": "key at"}, "keys names 'key', which is no parameter"),
        ({"shape": ...}, "shape is missing: the shapes and dtypes of the results"),
        ({"shape": (2, 3)}, "shape must be a function of the arguments and parameters, not (2, 3)"),
        ({"domain": None}, "domain is missing: what tests draw"),
        ({"domain": ...}, "domain is missing: what tests draw"),
        ({"domain": [(0, 1)]}, "domain must be a function of a numpy Generator"),
        ({"doc": ""}, "doc is missing"),
        ({"doc": ...}, "doc is missing"),
        ({"lineal": "x"}, "there is no facet 'lineal'"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_a_row_lacks_is_named_with_the_row(changes, text):
    if text is None:
        declare(**changes)
        return
    with pytest.raises(ValueError, match="row 'halve': ") as caught:
        declare(**changes)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"vjp": ["g"]}, "row 'add3': vjp has 1 derivatives for 2 arguments"),
        ({"forward": 3}, "row 'add3': forward must be a function, not 3"),
        ({"domain": [(0, 1)]}, "row 'add3': domain has 1 entries for 2 arguments"),
        ({"doc": ""}, "row 'add3': doc is missing"),
    ],
)
def test_what_an_elementwise_row_lacks(changes, text):
    good = {
        "name": "add3",
        "args": "a b",
        "forward": "a + b + 3",
        "vjp": ["g", "g"],
        "domain": [(0, 1), (0, 1)],
        "doc": "d",
    }
    elementwise(**good)
    with pytest.raises(ValueError) as caught:
        elementwise(**{**good, **changes})
    assert text in str(caught.value)

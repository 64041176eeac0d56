"""Nested containers: the order and the paths of leaves, rebuilding, comparing."""

from collections import OrderedDict, namedtuple

import pytest

from zen import trees

Pair = namedtuple("Pair", "left right")
TREE = {"b": [1, (2, None)], "a": Pair(3, {"deep": 4}), "empty": []}


def test_leaves_come_in_order_with_their_paths():
    found = list(trees.leaves(TREE))
    assert found == [("['b'][0]", 1), ("['b'][1][0]", 2), ("['a'].left", 3), ("['a'].right['deep']", 4)]
    assert list(trees.leaves(5, "argument 0")) == [("argument 0", 5)]
    assert list(trees.leaves(None)) == []


def test_rebuild_keeps_containers_and_their_types():
    made = trees.rebuild(TREE, "wxyz")
    assert made == {"b": ["w", ("x", None)], "a": Pair("y", {"deep": "z"}), "empty": []}
    assert type(made["a"]) is Pair
    assert TREE["b"][0] == 1  # the tree itself is left alone
    assert type(trees.transform(lambda x: -x, OrderedDict(a=1))) is OrderedDict
    assert trees.transform(lambda x: -x, TREE)["a"] == Pair(-3, {"deep": -4})


def test_same_structure():
    assert trees.same_structure(TREE, trees.rebuild(TREE, range(4)))
    for first, second in (([1], [1, 2]), ([1], 1), ({"a": 1}, {"b": 1}), ({"a": 1}, [1]), ([None], [1]), (None, 1)):
        assert not trees.same_structure(first, second)
        assert not trees.same_structure(second, first)


def test_a_tree_deeper_than_the_recursion_limit_has_leaves():
    deep = 1
    for _ in range(5000):
        deep = [deep]
    assert [leaf for _, leaf in trees.leaves(deep)] == [1]


def test_a_container_that_contains_itself_cannot_be_rebuilt():
    for endless in ([], {}):
        if isinstance(endless, list):
            endless.append(endless)
        else:
            endless["self"] = endless
        with pytest.raises(RecursionError):
            trees.transform(lambda x: x, endless)


def test_what_fails_within_a_tree_leaves_it_alone():
    tree = {"a": [1, 2], "b": (3,)}
    with pytest.raises(ZeroDivisionError):
        trees.transform(lambda x: 1 / (x - 3), tree)
    with pytest.raises(StopIteration):
        trees.rebuild(tree, "ab")
    assert tree == {"a": [1, 2], "b": (3,)}

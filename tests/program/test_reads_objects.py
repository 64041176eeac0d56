"""What a function reads of objects and containers: attributes, methods, elements."""

import dataclasses
import enum
import time
import types
from collections import deque, namedtuple

import numpy as np
import pytest
from sources import Trainer, defined

import zen
from zen.program.reads import Reads


class TestObjects:
    def test_an_attribute_of_self(self):
        trainer = Trainer()
        reads = Reads.of(trainer.step, (1.0,))
        trainer.history.append(1)
        assert reads.changed() is None
        trainer.rate = 0.2
        assert "attribute 'rate' of" in reads.changed() and "was 0.1, is 0.2 (line" in reads.changed()

    def test_an_attribute_of_the_class(self, monkeypatch):
        reads = Reads.of(Trainer().step, (1.0,))
        monkeypatch.setattr(Trainer, "slope", 4.0)
        assert "'slope' of class Trainer was 3.0, is 4.0" in reads.changed()

    def test_an_attribute_that_shadows_the_class(self):
        trainer = Trainer()
        reads = Reads.of(trainer.step, (1.0,))
        trainer.slope = 5.0
        assert "'slope'" in reads.changed() and "was not there, is 5.0" in reads.changed()

    def test_an_object_with_call(self):
        trainer = Trainer()
        for f in (trainer, lambda x: trainer(x), lambda x: list(map(trainer, [x]))):
            reads = Reads.of(f, (1.0,))
            trainer.rate += 1
            assert "attribute 'rate'" in reads.changed()

    def test_a_method_that_is_replaced(self, monkeypatch):
        reads = Reads.of(Trainer(), (1.0,))
        monkeypatch.setattr(Trainer, "step", lambda self, x: x)
        assert "'step' of class Trainer" in reads.changed()

    def test_a_property_is_walked_and_not_run(self):
        class Loud:
            rate = 1.0

            @property
            def value(self):
                raise AssertionError("ran")

            @property
            def other(self):
                return self.rate

        loud = Loud()
        reads = Reads.of(lambda x: x * loud.value * loud.other, (1.0,))
        loud.rate = 2.0
        assert "'rate'" in reads.changed()

    def test_getattr_is_walked_and_not_run(self):
        class Loud:
            def __init__(self):
                self.names = {"a": 1.0}

            def __getattr__(self, name):
                return self.__dict__["names"][name]

        loud = Loud()
        reads = Reads.of(lambda x: x * loud.a, (1.0,))
        loud.names["a"] = 2.0
        assert "was 1.0, is 2.0" in reads.changed()

    def test_chains(self):
        root = types.SimpleNamespace(model=types.SimpleNamespace(scale=2.0, unread=1.0))
        reads = Reads.of(lambda x: x * root.model.scale, (1.0,))
        root.model.unread = 2.0
        assert reads.changed() is None
        root.model = types.SimpleNamespace(scale=2.0)
        assert "attribute 'model'" in reads.changed()

    def test_names_that_are_constants_for_getattr(self):
        trainer = Trainer()
        reads = Reads.of(lambda x: x * getattr(trainer, "rate") * getattr(trainer, "none", 1.0), (1.0,))  # noqa: B009
        trainer.none = 2.0
        assert "'none'" in reads.changed()

    def test_an_object_that_is_handed_to_a_function(self):
        trainer = Trainer()

        def inner(t, x):
            return x * t.rate

        for f in (lambda x: inner(trainer, x), lambda x: inner(t=trainer, x=x), lambda x: inner(*[trainer, x])):
            reads = Reads.of(f, (1.0,))
            trainer.rate += 1
            assert "'rate'" in reads.changed()

    def test_objects_in_containers(self):
        for source in (
            "sum(t.step(x) for t in ts)",
            "[t.step(x) for t, _ in zip(ts, ts)]",
            "[t.step(x) for _, t in enumerate(ts)]",
            "ts[0].step(x)",
            "(lambda a: a.step(x))(ts[-1])",
            "pick(ts).step(x)",
            "dict(a=ts[0])['a'].step(x)",
        ):
            trainer = Trainer()
            f, names = defined(f"def pick(ts):\n    return ts[0]\ndef f(x):\n    return {source}", ts=[trainer])
            reads = Reads.of(f, (1.0,))
            assert reads.changed() is None
            trainer.rate += 1
            assert "'rate'" in (reads.changed() or ""), source

    def test_arguments_that_are_no_data(self):
        trainer = Trainer()

        def f(x, t):
            return x * t.rate

        for args, kwargs in (((1.0, trainer), {}), ((1.0,), {"t": trainer})):
            reads = Reads.of(f, args, kwargs)
            trainer.rate += 1
            assert "'rate'" in reads.changed()
        reads = Reads.of(lambda both: both["t"].rate * both["x"], ({"t": trainer, "x": np.ones(2)},))
        trainer.rate += 1
        assert "'rate'" in reads.changed() and reads.arrays == []

    def test_arguments_that_are_data_are_left_to_the_caller(self):
        x = np.ones(3)
        reads = Reads.of(lambda x, more: x * more[0], (x, [x, 2.0]))
        x[0] = 5.0
        assert reads.changed() is None and reads.arrays == []

    def test_slots(self):
        class Slotted:
            __slots__ = ("rate",)

        held = Slotted()
        held.rate = 1.0
        reads = Reads.of(lambda x: x * held.rate, (1.0,))
        assert reads.changed() is None
        held.rate = 2.0
        assert "was 1.0, is 2.0" in reads.changed()
        del held.rate
        assert "is gone" in reads.changed()

    def test_a_class_that_is_instantiated(self):
        f, names = defined(
            "class C:\n    def __init__(self, x):\n        self.y = x * inner\n"
            "    def go(self):\n        return self.y * outer\n"
            "def f(x):\n    return C(x).go()",
            inner=1.0, outer=1.0,
        )  # fmt: skip
        for name in ("inner", "outer"):
            reads = Reads.of(f, (1.0,))
            assert reads.stores == []
            names[name] += 1
            assert f"global {name!r}" in reads.changed()

    def test_super(self):
        class Child(Trainer):
            def step(self, x):
                return super().step(x) + 1

        child = Child()
        reads = Reads.of(child.step, (1.0,))
        child.rate = 2.0
        assert "'rate'" in reads.changed()

    def test_the_class_of_an_object(self):
        class Other(Trainer):
            pass

        trainer = Trainer()
        reads = Reads.of(trainer.step, (1.0,))
        trainer.__class__ = Other
        assert "class of" in reads.changed()

    def test_dataclasses_and_enums(self):
        Mode = enum.Enum("Mode", "FAST SLOW")

        @dataclasses.dataclass
        class Config:
            rate: float = 0.1
            mode: Mode = Mode.FAST

        config = Config()
        reads = Reads.of(lambda x: x * config.rate if config.mode is Mode.FAST else x, (1.0,))
        assert reads.changed() is None
        config.mode = Mode.SLOW
        assert "'mode'" in reads.changed()

    def test_patterns_and_colourings_are_followed(self):
        coloring = zen.Sparsity(np.eye(3)).coloring()
        reads = Reads.of(lambda x: zen.sparse_jacobian(lambda y: y * y, coloring)(x), (np.ones(3),))
        assert reads.opaque == [] and reads.changed() is None

    def test_operators_of_the_users_classes(self):
        class Scale:
            def __init__(self):
                self.by = 2.0

            def __mul__(self, x):
                return self.by * x

        held = Scale()
        reads = Reads.of(lambda x: held * x, (1.0,))
        held.by = 3.0
        assert "'by'" in reads.changed()


class TestContainers:
    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.update(a=1.5),
            lambda d: d["b"].append(3),
            lambda d: d["b"].__setitem__(0, 1.0),
            lambda d: d["c"].add(9),
            lambda d: d["d"][1].pop(),
            lambda d: d["e"].rotate(),
            lambda d: d.pop("c"),
            lambda d: d.update(new=1),
            lambda d: d["f"].y.clear(),
        ],
    )
    def test_a_container_mutated(self, change):
        pair = namedtuple("pair", "x y")
        held = {"a": 1, "b": [1, 2], "c": {1, 2}, "d": (1, [2]), "e": deque([1, 2]), "f": pair(1, [2])}
        reads = Reads.of(lambda x: x * held["a"], (1.0,))
        assert reads.changed() is None
        change(held)
        assert "'held'" in reads.changed()

    def test_which_element(self):
        f, names = defined("def f(x):\n    return x * held[1]['a']", held=[1.0, {"a": 2.0}])
        reads = Reads.of(f, (1.0,))
        names["held"][1]["a"] = 3.0
        assert reads.changed() == "global 'held' of module own[1]['a'] was 2.0, is 3.0 (line 2 of f)"

    def test_a_list_replaced_by_an_equal_one_and_then_mutated(self):
        f, names = defined("def f(x):\n    return x * held[0][0]", held=[[1.0]])
        reads = Reads.of(f, (1.0,))
        names["held"] = [[1.0]]
        assert reads.changed() is None
        names["held"][0][0] = 2.0
        assert reads.changed() is not None

    def test_the_order_of_keys(self):
        held = {"a": 1, "b": 2}
        reads = Reads.of(lambda x: list(held), (1.0,))
        held["a"] = held.pop("a")
        assert reads.changed() is not None

    def test_cycles_end(self):
        held = [1.0]
        held.append({"self": held})
        reads = Reads.of(lambda x: x * held[0], (1.0,))
        assert reads.changed() is None
        held[0] = 2.0
        assert reads.changed() is not None

    def test_huge_and_deep_ones_are_bounded(self):
        huge = list(range(100_000))
        reads = Reads.of(lambda x: x * huge[0], (1.0,))
        assert "100000 elements, more than the 1000 that are compared" in reads.opaque[0]
        huge.append(0)
        assert "had 100000 elements, has 100001" in reads.changed()
        deep = []
        for _ in range(10_000):
            deep = [deep]
        assert "nested deeper than 16" in Reads.of(lambda x: deep, (1.0,)).opaque[0]

    def test_a_container_with_code_of_its_own_is_opaque(self):
        class Odd(dict):
            def __getitem__(self, key):
                return time.time()

        odd = Odd()
        assert "Odd, which has a __getitem__ of its own" in Reads.of(lambda x: x * odd["a"], (1.0,)).opaque[0]

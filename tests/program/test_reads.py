"""What a function reads besides its arguments is found, and each change of it is noticed and told."""

import dataclasses
import enum
import functools
import math
import random
import time
import types
from collections import deque, namedtuple

import numpy as np
import pytest

import zen
from zen.program.reads import Reads

scale = 2.0
offset = 1.0
weights = np.ones(3)
options = {"rate": 0.1, "sizes": [1, 2]}
rng = np.random.default_rng(0)


def helper(x):
    return x * scale


def module(**values):
    """A namespace of a module's own, in which functions are defined."""
    made = types.ModuleType("own")
    made.__dict__.update(values)
    return made


def defined(source, **values):
    """The function `f` of a source text, and its globals."""
    names = module(**values).__dict__
    exec(compile(source, "<own>", "exec"), names)
    return names["f"], names


other_module = module(OFFSET=1.0)
exec("def shifted(x):\n    return x + OFFSET", other_module.__dict__)


class Trainer:
    slope = 3.0

    def __init__(self, model=None):
        self.model, self.rate, self.history = model, 0.1, []

    @property
    def double(self):
        return 2 * self.rate

    def step(self, x):
        return x * self.rate * self.slope

    def __call__(self, x):
        return self.step(x)


class TestVariables:
    def test_nothing_changed(self):
        reads = Reads.of(lambda x: helper(x) + weights + options["rate"], (1.0,))
        assert reads.changed() is None and reads.opaque == [] and reads.stores == []

    def test_a_global_changed(self):
        f, names = defined("def f(x):\n    return x * scale", scale=2.0)
        reads = Reads.of(f, (1.0,))
        names["scale"] = 3.0
        assert reads.changed() == "global 'scale' of module own was 2.0, is 3.0 (line 2 of f)"

    def test_a_global_that_is_deleted_has_changed(self):
        f, names = defined("def f(x):\n    return x * scale", scale=2.0)
        reads = Reads.of(f, (1.0,))
        del names["scale"]
        assert reads.changed() == "global 'scale' of module own was 2.0, is gone (line 2 of f)"

    def test_a_global_that_shadows_a_builtin(self):
        f, names = defined("def f(x):\n    return abs(x)")
        reads = Reads.of(f, (1.0,))
        names["abs"] = math.exp
        assert reads.changed().startswith("global 'abs' of module own was not there")

    @pytest.mark.parametrize(
        ("old", "new"), [(2, 2.0), (1, True), (0.0, -0.0), (2.0, 2), ("a", b"a"), (1j, complex(-0.0, 1)), (None, 0)]
    )
    def test_equal_values_of_other_types_or_signs_are_other_values(self, old, new):
        f, names = defined("def f(x):\n    return x, scale", scale=old)
        reads = Reads.of(f, (1.0,))
        names["scale"] = new
        assert reads.changed() is not None

    @pytest.mark.parametrize(
        "make", [lambda: float("2.5"), lambda: float("nan"), lambda: "ab" * len("xy"), lambda: [1, [2]]]
    )
    def test_an_equal_value_in_the_place_of_another_is_none(self, make):
        f, names = defined("def f(x):\n    return x, scale", scale=make())
        reads = Reads.of(f, (1.0,))
        names["scale"] = make()
        assert reads.changed() is None

    def test_a_closure_rebound(self):
        slope = 2.0

        def f(x):
            return x * slope

        reads = Reads.of(f, (1.0,))
        assert reads.changed() is None
        slope = 3.0
        assert reads.changed().startswith("the closed-over 'slope' was 2.0, is 3.0 (line")

    def test_a_closure_that_is_emptied(self):
        def make():
            slope = 2.0

            def f(x):
                return x * slope

            def empty():
                nonlocal slope
                del slope

            return f, empty

        f, empty = make()
        reads = Reads.of(f, (1.0,))
        empty()
        assert "is gone" in reads.changed()

    def test_a_default_argument(self):
        def f(x, slope=2.0, *, shift=[1.0]):  # noqa: B006
            return x * slope + shift[0]

        reads = Reads.of(f, (1.0,))
        assert reads.changed() is None
        f.__kwdefaults__["shift"][0] = 2.0
        assert "shift" in reads.changed() and "was 1.0, is 2.0" in reads.changed()
        reads = Reads.of(f, (1.0,))
        f.__defaults__ = (3.0,)
        assert "defaults of" in reads.changed()

    def test_a_variable_that_is_read_by_a_nested_function(self):
        f, names = defined("def f(x):\n    g = lambda y: [y * scale for _ in range(2)]\n    return g(x)", scale=2.0)
        reads = Reads.of(f, (1.0,))
        names["scale"] = 3.0
        assert "global 'scale'" in reads.changed()

    def test_a_closure_of_a_nested_function(self):
        slope = 2.0

        def f(x):
            def inner(y):
                return [y * slope for _ in range(2)]

            return inner(x)

        reads = Reads.of(f, (1.0,))
        slope = 3.0
        assert "'slope'" in reads.changed()

    def test_a_class_body_inside(self):
        f, names = defined("def f(x):\n    class Inner:\n        y = scale\n    return Inner.y * x", scale=2.0)
        reads = Reads.of(f, (1.0,))
        names["scale"] = 3.0
        assert "global 'scale'" in reads.changed()


class TestFunctions:
    def test_a_helper_that_reads_its_own_global_in_another_module(self, monkeypatch):
        reads = Reads.of(lambda x: other_module.shifted(x), (1.0,))
        monkeypatch.setattr(other_module, "OFFSET", 5.0)
        assert "'OFFSET' of module" in reads.changed() and "was 1.0, is 5.0" in reads.changed()

    def test_a_monkeypatched_helper(self, monkeypatch):
        reads = Reads.of(lambda x: other_module.shifted(x), (1.0,))
        monkeypatch.setattr(other_module, "shifted", lambda x: x)
        assert "'shifted' of module own was function shifted, is function" in reads.changed()

    def test_code_that_is_replaced(self):
        def f(x):
            return x

        reads = Reads.of(f, (1.0,))
        f.__code__ = (lambda x: x + 1).__code__
        assert "code" in reads.changed()

    def test_a_constant_of_math(self, monkeypatch):
        reads = Reads.of(lambda x: x * math.pi, (1.0,))
        monkeypatch.setattr(math, "pi", 3.0)
        assert "'pi' of module math was 3.14" in reads.changed()

    def test_a_function_of_numpy(self, monkeypatch):
        reads = Reads.of(lambda x: np.tanh(x), (1.0,))
        monkeypatch.setattr(np, "tanh", np.sin)
        assert "'tanh' of module numpy" in reads.changed()

    def test_a_partial(self):
        f, names = defined("def f(x, a, b):\n    return x * a['k'] * b * scale", scale=2.0)
        held = {"k": 1.0}
        bound = functools.partial(f, a=held, b=2.0)
        reads = Reads.of(bound, (1.0,))
        held["k"] = 2.0
        assert "was 1.0, is 2.0" in reads.changed()
        reads = Reads.of(bound, (1.0,))
        names["scale"] = 3.0
        assert "global 'scale'" in reads.changed()

    def test_a_decorated_function(self):
        def decorate(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args) * scale

            return wrapper

        f, names = defined("def f(x):\n    return x * inner", inner=2.0)
        reads = Reads.of(decorate(f), (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    @pytest.mark.parametrize(
        "wrap", [functools.lru_cache, functools.singledispatch, zen.grad, zen.value_and_grad, zen.vmap]
    )
    def test_what_is_wrapped_by_the_library(self, wrap):
        f, names = defined("def f(x):\n    return x * inner", inner=2.0)
        reads = Reads.of(wrap(f), (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    def test_a_transform_made_inside(self):
        f, names = defined("def g(x):\n    return x * inner\ndef f(x):\n    return zen.grad(g)(x)", inner=2.0, zen=zen)
        reads = Reads.of(f, (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    def test_a_generator_function(self):
        f, names = defined("def g(x):\n    yield x * inner\ndef f(x):\n    return sum(y for y in g(x))", inner=2.0)
        reads = Reads.of(f, (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    def test_recursion_ends(self):
        f, names = defined("def f(x, n=3):\n    return x * inner if n == 0 else f(x, n - 1)", inner=2.0)
        reads = Reads.of(f, (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    def test_functions_in_a_container_and_in_arguments_of_others(self):
        for call in ("sum(g(x) for g in steps)", "steps[0](x)", "list(map(steps[0], [x]))", "apply(steps[0], x)"):
            source = "def g(x):\n    return x * inner\nsteps = [g]\ndef apply(h, x):\n    return h(x)\n"
            source += f"def f(x):\n    return {call}"
            f, names = defined(source, inner=2.0)
            reads = Reads.of(f, (1.0,))
            names["inner"] = 3.0
            assert "global 'inner'" in reads.changed(), call

    def test_control_flow(self):
        source = """
def f(x):
    total = 0.0
    while total < 3:
        try:
            with manager() as m:
                total += x * inner if x else outer
        except ValueError as e:
            total += handled
        finally:
            total += last
    match x:
        case [a, b]:
            total += matched
        case _:
            pass
    return total + (yes and no)
"""
        values = {k: 1.0 for k in ("inner", "outer", "handled", "last", "matched", "yes", "no")}
        for name in values:
            f, names = defined(source, manager=zen.no_grad, **values)
            reads = Reads.of(f, (1.0,))
            assert reads.changed() is None
            names[name] = 2.0
            assert f"global {name!r}" in reads.changed()


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


class TestArrays:
    @pytest.mark.parametrize(
        "dtype", ["float64", "float32", "int8", "complex128", "bool", "datetime64[s]", "U3", "float16"]
    )
    @pytest.mark.parametrize("layout", ["C", "F", "strided", "0-d"])
    def test_overwritten_in_place(self, dtype, layout):
        a = np.zeros((4, 6)).astype(dtype)
        a = {"C": a, "F": np.asfortranarray(a), "strided": a[::2, ::-2], "0-d": np.array(a[0, 0])}[layout]
        reads = Reads.of(lambda x: x * a, (1.0,))
        assert len(reads.arrays) == 1 and reads.arrays[0] is a and reads.changed() is None
        a[...] = np.ones((), a.dtype) if dtype != "U3" else "x"
        assert "has other contents" in reads.changed()

    def test_bits_count(self):
        a = np.array([0.0, np.nan])
        reads = Reads.of(lambda x: x * a, (1.0,))
        assert reads.changed() is None
        a[0] = -0.0
        assert reads.changed() is not None

    def test_empty(self):
        a = np.zeros((0, 3))
        assert Reads.of(lambda x: x * a, (1.0,)).changed() is None

    def test_found_in_attributes_containers_defaults_and_closures(self):
        arrays = [np.full(2, float(k)) for k in range(4)]
        held, where = {"a": [arrays[0]]}, types.SimpleNamespace(b=arrays[1])
        closed = arrays[2]

        def f(x, d=arrays[3]):
            return x * held["a"][0] * where.b * closed * d

        assert sorted(float(a[0]) for a in Reads.of(f, (1.0,)).arrays) == [0.0, 1.0, 2.0, 3.0]

    def test_an_equal_array_is_another_one(self):
        f, names = defined("def f(x):\n    return x * a", a=np.ones(3))
        reads = Reads.of(f, (1.0,))
        names["a"] = np.ones(3)
        assert "is another one" in reads.changed()

    def test_numpy_scalars(self):
        f, names = defined("def f(x):\n    return x * a", a=np.float32(2))
        reads = Reads.of(f, (1.0,))
        names["a"] = np.float32(2)
        assert reads.changed() is None
        names["a"] = np.float64(2)
        assert reads.changed() is not None

    def test_objects(self):
        a = np.array([None, {}])
        assert "array of objects" in Reads.of(lambda x: x * a, (1.0,)).opaque[0]


class TestTensorsAndModules:
    def test_a_tensor_is_read_live(self):
        t = zen.tensor([1.0, 2.0], requires_grad=True)
        reads = Reads.of(lambda x: x * t, (1.0,))
        with zen.no_grad():
            t[0] = 5.0
        (t * t).sum().backward()
        assert reads.changed() is None and reads.stores == []

    def test_requires_grad_switched(self):
        t = zen.tensor([1.0, 2.0])
        reads = Reads.of(lambda x: x * t, (1.0,))
        t.requires_grad_(True)
        assert "requires_grad of the closed-over 't' was False, is True" in reads.changed()

    @pytest.fixture
    def model(self):
        return zen.nn.Sequential(zen.nn.Linear(2, 3), zen.nn.BatchNorm1d(3), zen.nn.Dropout(0.5), zen.nn.Linear(3, 1))

    @pytest.mark.parametrize(
        "change",
        [
            lambda m: m.eval(),
            lambda m: m[2].eval(),
            lambda m: setattr(m[0], "weight", zen.nn.Parameter(np.ones((3, 2)))),
            lambda m: setattr(m[1], "running_mean", zen.tensor(np.ones(3))),
            lambda m: m[3].requires_grad_(False),
            lambda m: setattr(m[2], "p", 0.1),
            lambda m: m.append(zen.nn.ReLU()),
            lambda m: m[0].register_forward_hook(lambda *a: None),
            lambda m: m.half(),
        ],
    )
    def test_a_module(self, model, change):
        reads = Reads.of(lambda x: model(x), (np.ones((4, 2)),))
        model(np.ones((4, 2)))
        assert reads.changed() is None and reads.opaque == []
        change(model)
        assert "'model'" in reads.changed()

    def test_a_switch_is_told(self, model):
        reads = Reads.of(lambda x: model(x), (np.ones((4, 2)),))
        model.eval()
        assert reads.changed().startswith("attribute 'training' of the closed-over 'model' was True, is False (line")

    def test_a_second_hook(self, model):
        model.register_forward_hook(lambda *a: None)
        reads = Reads.of(model, (np.ones((4, 2)),))
        assert reads.changed() is None
        model.register_forward_hook(lambda *a: None)
        assert reads.changed() is not None

    def test_forward_of_the_users_own_is_walked(self):
        f, names = defined(
            "class Own(zen.nn.Module):\n    def forward(self, x):\n        return x * inner\n"
            "layer = zen.nn.Sequential(Own())\ndef f(x):\n    return layer(x)",
            zen=zen, inner=2.0,
        )  # fmt: skip
        reads = Reads.of(f, (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    def test_a_training_step(self, model):
        optimiser = zen.optim.Adam(model.parameters(), lr=0.1)

        def step(x):
            optimiser.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimiser.step()
            return loss

        x = np.ones((4, 2))
        step(x)
        reads = Reads.of(step, (x,))
        step(x)
        assert reads.changed() is None and reads.opaque == []
        optimiser.param_groups[0]["lr"] = 0.2
        assert "['lr'] was 0.1, is 0.2" in reads.changed()


class TestGeneratorsAndWhatIsOpaque:
    def test_generators(self):
        own = random.Random(0)
        assert Reads.of(lambda x: x * rng.normal() * own.random(), (1.0,)).generators == [rng, own]
        found = Reads.of(lambda x: x * random.random() * np.random.normal(), (1.0,)).generators
        assert [type(g).__name__ for g in found] == ["Random", "RandomState"]

    def test_a_generator_replaced(self):
        f, names = defined("def f(x):\n    return x * rng.normal()", rng=np.random.default_rng(0))
        reads = Reads.of(f, (1.0,))
        names["rng"].normal()
        assert reads.changed() is None
        names["rng"] = np.random.default_rng(0)
        assert "global 'rng'" in reads.changed()

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("exec('y = 1')", "exec() is called (line 2 of f)"),
            ("eval('x')", "eval() is called"),
            ("locals()", "locals() is called"),
            ("globals()", "globals() is called"),
            ("open('a')", "open() is called"),
            ("time.time()", "time.time reads a clock"),
            ("time.perf_counter()", "time.perf_counter reads a clock"),
            ("datetime.datetime.now()", "datetime.now reads a clock"),
            ("getattr(time, x)", "getattr() is called with a name that is computed"),
            ("next(steps)", "iterator"),
        ],
    )
    def test_opaque(self, body, said):
        import datetime

        f, _ = defined(f"def f(x):\n    return {body}", time=time, datetime=datetime, steps=iter([1]))
        assert any(said in text for text in Reads.of(f, ("a",)).opaque)

    def test_an_import_inside(self):
        f, _ = defined("def f(x):\n    import math\n    return math.pi * x")
        assert Reads.of(f, (1.0,)).opaque == ["math is imported inside the function (line 2 of f)"]


class TestStores:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("global count; count = x", "line 2 of f: global 'count' is assigned"),
            ("t.rate = x", "line 2 of f: attribute 'rate' of global 't' of module own is assigned"),
            ("t.rate += 1", "attribute 'rate'"),
            ("del t.rate", "attribute 'rate'"),
            ("setattr(t, 'rate', x)", "attribute 'rate'"),
            ("t.history.append(x)", "changed by append()"),
            ("held.append(x)", "line 2 of f: global 'held' of module own is changed by append()"),
            ("held[0] = x", "an element of global 'held' of module own is assigned"),
            ("held[0:1] = [x]", "is assigned"),
            ("del held[0]", "is deleted"),
            ("y = held; y += [x]", "changed by +="),
            ("d['a']['b'] = x", "['a'] is assigned"),
            ("d.setdefault('c', x)", "changed by setdefault()"),
            ("a[0] = x", "an element of global 'a' of module own is assigned"),
            ("y = np.asarray(a)[1:]; y += x", "global 'a'"),
            ("a.fill(x)", "changed by fill()"),
            ("inner(held)", "line 4 of inner"),
            ("for y in [held]: y.append(x)", "changed by append()"),
            ("print(x)", "print() writes"),
        ],
    )
    def test_stores(self, body, said):
        source = f"def f(x):\n    {body}\ndef inner(y):\n    y.append(1)\n"
        f, _ = defined(source, held=[1], t=Trainer(), d={"a": {}}, a=np.ones(3), np=np, count=0)
        found = Reads.of(f, (1.0,)).stores
        assert any(said in text for text in found), found

    def test_a_closed_over_variable(self):
        count = 0

        def f(x):
            nonlocal count
            count = count + 1
            return x

        assert Reads.of(f, (1.0,)).stores[0].endswith("the closed-over 'count' is assigned")

    @pytest.mark.parametrize(
        "body",
        [
            "y = []; y.append(x); y[0] = 1; return y",
            "y = np.zeros(3); y[0] = x; y += a; return y",
            "y = {}; y['a'] = held; y.update(b=1); return y",
            "y = [k for k in held]; y.sort(); return y",
            "y = Trainer(); y.rate = x; y.history.append(1); return y",
            "y = x * a; y += 1; y[0] = 2; return y",
            "y = held[0]; y += x; return y",
            "y = x; y[0] = 1; return y",
            "y = np.tanh(a); y *= 2; return y",
            "y = a + 1; y[0] = 2; return y",
            "y = 0\n    def g():\n        nonlocal y\n        y = x\n    g(); return y",
        ],
    )
    def test_what_the_function_makes_is_its_own(self, body):
        f, _ = defined(f"def f(x):\n    {body}\n", held=[1], a=np.ones(3), np=np, Trainer=Trainer)
        assert Reads.of(f, (np.ones(3),)).stores == []


def test_threads_may_ask_one_reads_at_a_time_or_together():
    reads = Reads.of(helper, (1.0,))
    import threading

    found = []
    threads = [threading.Thread(target=lambda: found.append([reads.changed() for _ in range(100)])) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [[None] * 100] * 4


def test_nothing_of_the_users_runs_and_nothing_is_raised():
    class Hostile:
        def __getattribute__(self, name):
            raise RuntimeError("ran")

        def __eq__(self, other):
            raise RuntimeError("ran")

        __hash__ = None

        def __bool__(self):
            raise RuntimeError("ran")

        __len__ = __iter__ = __getitem__ = __call__ = __bool__

    f, names = defined(
        "def f(x):\n    y = h.a; h.b = 1; return h(x) + h[0] * len(h) if h == h else [z for z in h]", h=Hostile()
    )
    reads = Reads.of(f, (1.0,))
    assert reads.changed() is None
    names["h"] = Hostile()
    assert "global 'h' of module own" in reads.changed()

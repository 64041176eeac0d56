"""What a function reads besides its arguments is found, and each change of it is noticed and told."""

import functools
import math
import random
import threading
import time

import numpy as np
import pytest
from sources import defined, module

import zen
from zen.program.reads import Reads

scale = 2.0
offset = 1.0
weights = np.ones(3)
options = {"rate": 0.1, "sizes": [1, 2]}
rng = np.random.default_rng(0)


def helper(x):
    return x * scale


other_module = module(OFFSET=1.0)
exec("def shifted(x):\n    return x + OFFSET", other_module.__dict__)


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
            ("next(steps)", "is not followed: it is of class builtins.list_iterator"),
        ],
    )
    def test_opaque(self, body, said):
        import datetime

        f, _ = defined(f"def f(x):\n    return {body}", time=time, datetime=datetime, steps=iter([1]))
        assert any(said in text for text in Reads.of(f, ("a",)).opaque)

    def test_a_function_that_calls_too_much(self):
        source = "def g0(x):\n    return x\n"
        for k in range(1, 2000):
            source += f"def g{k}(x):\n    return g{k - 1}(x) + {k}\n"
        f, _ = defined(source + "f = g1999")
        assert any("more code than is followed" in text for text in Reads.of(f, (1.0,)).opaque)

    def test_an_import_inside(self):
        f, _ = defined("def f(x):\n    import math\n    return math.pi * x")
        assert Reads.of(f, (1.0,)).opaque == ["math is imported inside the function (line 2 of f)"]


def test_threads_may_ask_one_reads_at_a_time_or_together():
    reads = Reads.of(helper, (1.0,))
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

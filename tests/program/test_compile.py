"""`zen.compile`: results are those of the function, whatever is given to it, and it says what it does."""

import contextvars
import functools
import math
import pickle
import time
import warnings
from collections import namedtuple

import numpy as np
import pytest

import zen
from zen import trees

Point = namedtuple("Point", "x y")
RNG = np.random.default_rng(0)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def arrays_of(tree):
    return [np.asarray(x.detach() if isinstance(x, zen.Tensor) else x) for x in trees.values(tree)]


def agrees(compiled, function, *calls, tolerance=1e-12):
    """Each call gives what the function gives, without a warning."""
    for args in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found, expected = compiled(*args), function(*args)
        assert trees.same_structure(found, expected)
        for a, b in zip(arrays_of(found), arrays_of(expected), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def records(compiled):
    return compiled.explain().count("recorded, because")


TRANSFORMS = {
    "the function": lambda f: f, "grad": zen.grad, "value_and_grad": zen.value_and_grad, "hessian": zen.hessian,
    "vmap": lambda f: lambda x: zen.vmap(f)(np.stack([x, 2 * x, x - 1]) if isinstance(x, np.ndarray) else zen.stack(
        [x, 2 * x, x - 1])),
    "jvp": lambda f: lambda x: zen.jvp(f, (x,), (x * x,)), "vjp": lambda f: lambda x: zen.vjp(f, x)[1](1.0)[0],
    "jacobian of grad": lambda f: zen.jacobian(zen.grad(f)), "hvp": lambda f: lambda x: zen.hvp(f, x, x + 1),
    "linearize": lambda f: lambda x: zen.linearize(f, x)[1](x), "hessian_diag": zen.hessian_diag,
    "checkpoint": lambda f: zen.grad(zen.checkpoint(f)), "grad of grad": lambda f: zen.grad(
        lambda x: (zen.grad(f)(x) ** 2).sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_are_recorded_once_and_replayed(name):
    function = TRANSFORMS[name](rosenbrock)
    compiled = zen.compile(function)
    for x in RNG.normal(size=(4, 5)):
        for a, b in zip(arrays_of(compiled(x)), arrays_of(function(x)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    assert records(compiled) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "float16"])
def test_results_have_the_functions_dtype(dtype):
    def f(x):
        return np.exp(x) * 2 - x / 3

    agrees(zen.compile(f), f, *[(RNG.normal(size=(3, 2)).astype(dtype),) for _ in range(3)], tolerance=1e-3)


def test_nested_arguments_and_results():
    def f(p, *, shift):
        return {"a": p["w"] @ p["point"].x + shift, "b": [p["point"].y * 2, Point(p["w"].sum(), None)]}

    compiled = zen.compile(f)
    for k in range(3):
        p = {"w": RNG.normal(size=(2, 2)), "point": Point(RNG.normal(size=2), RNG.normal(size=()))}
        found, expected = compiled(p, shift=float(k)), f(p, shift=float(k))
        assert type(found["b"][1]) is Point
        for a, b in zip(arrays_of(found), arrays_of(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)
    assert records(compiled) == 1


def test_arrays_give_arrays_and_tensors_give_tensors():
    compiled = zen.compile(lambda x: zen.tanh(x) + 1)
    for _ in range(3):
        assert type(compiled(np.ones(2))) is np.ndarray
        assert isinstance(compiled(zen.ones(2)), zen.Tensor)


def test_floats_are_inputs():
    def f(x, rate):
        return x - rate * np.sin(x) * (1 - rate) / rate

    compiled = zen.compile(f)
    agrees(compiled, f, *[(RNG.normal(size=3), 0.1 * k) for k in range(1, 6)])
    agrees(compiled, f, *[(RNG.normal(size=3).astype(np.float32), 0.1 * k) for k in range(1, 4)], tolerance=1e-6)
    assert records(compiled) == 2


def test_a_float_that_is_looked_at_holds_for_its_value_alone():
    def f(x, a):
        return x * math.exp(a) if a > 0 else x

    agrees(zen.compile(f), f, *[(np.ones(2), a) for a in (0.5, -1.0, 0.5, 0.7, -2.0, -1.0)])


def test_dividing_by_a_float_that_is_zero_raises_as_it_does_in_python():
    compiled = zen.compile(lambda x, a: x * (1 / a))
    for a in (1.0, 2.0, 4.0):
        assert compiled(np.ones(1), a).item() == 1 / a
    with pytest.raises(ZeroDivisionError):
        compiled(np.ones(1), 0.0)
    assert compiled(np.ones(1), 8.0).item() == 0.125


def test_a_condition_on_values_has_a_program_for_each_outcome():
    def f(x):
        return (x**2).sum() if x.sum() > 0 else (x**3).sum()

    compiled = zen.compile(zen.grad(f))
    agrees(compiled, zen.grad(f), *[(x,) for x in RNG.normal(size=(12, 3))])
    assert records(compiled) == 2


def test_a_loop_whose_length_depends_on_values():
    def f(x):
        count = 0
        while (x * x).sum() > 1:
            x, count = x / 2, count + 1
        return x * count

    agrees(zen.compile(f), f, *[(np.full(2, v),) for v in (1.0, 8.0, 3.0, 1.0, 8.0, 3.0, 0.1)])


def test_shapes_and_ints_select_programs():
    def f(x, n):
        return np.reshape(x, (n, -1)).sum(0)

    compiled = zen.compile(f)
    calls = [(RNG.normal(size=size), n) for _ in range(3) for size, n in ((6, 2), (6, 3), (8, 2))]
    agrees(compiled, f, *calls)
    assert records(compiled) == 3


def test_more_programs_than_are_kept():
    compiled = zen.compile(lambda x: x * 2)
    for _ in range(2):
        for n in range(1, 13):
            for _ in range(2):
                assert compiled(np.ones(n)).tolist() == [2.0] * n


def test_tensors_that_the_function_uses_are_read_where_they_lie():
    w = zen.tensor([1.0, 2.0])
    compiled = zen.compile(lambda x: x * w)
    for factor in (1, 3, 5, 7):
        w[...] = zen.tensor([1.0, 2.0]) * factor
        assert compiled(np.ones(2)).tolist() == [factor, 2.0 * factor]
    assert records(compiled) == 1


def test_what_was_made_within_the_function_is_written_to_anew_at_each_call():
    def f(x):
        out = zen.zeros(4)
        for k in range(4):
            out[k] = x[k] ** 2
            out[k] += 1.0
        out *= 2
        return out

    compiled = zen.compile(zen.grad(lambda x: f(x).sum()))
    agrees(compiled, zen.grad(lambda x: f(x).sum()), *[(x,) for x in RNG.normal(size=(4, 4))])


def test_random_numbers_are_drawn_anew_as_the_function_draws_them():
    def f(x):
        return zen.f.dropout(x, 0.5) + zen.random.normal((6,))

    compiled = zen.compile(f)
    zen.random.seed(0)
    found = [compiled(np.ones(6)) for _ in range(5)]
    zen.random.seed(0)
    for a in found:
        np.testing.assert_array_equal(a, f(np.ones(6)).numpy())
    assert records(compiled) == 1


def test_numbers_from_another_generator_leave_the_function_as_it_is():
    rng = np.random.default_rng(0)
    compiled = zen.compile(lambda x: x + rng.normal())
    with pytest.warns(UserWarning, match=r"zen\.compile: .* runs as it is .*random numbers"):
        first = compiled(np.zeros(1)).item()
    rng = np.random.default_rng(0)
    assert [first, compiled(np.zeros(1)).item()] != [0, 0] and first == np.random.default_rng(0).normal()


def test_a_result_by_which_parameters_may_be_differentiated_keeps_its_graph():
    w = zen.tensor(2.0, requires_grad=True)
    compiled = zen.compile(lambda x: (x * w).sum())
    with pytest.warns(UserWarning, match="graph that leads to other leaves"):
        compiled(zen.ones(3)).backward()
    assert w.grad.item() == 3


def test_state_of_python_that_the_function_changes_leaves_it_as_it_is():
    seen = []

    def f(x):
        seen.append(1)
        return x * len(seen)

    compiled = zen.compile(f)
    with pytest.warns(UserWarning, match="changes what is not its own"):
        assert [compiled(np.ones(1)).item() for _ in range(3)] == [1, 2, 3]


def test_a_global_that_changes_is_seen():
    scale = [2.0]
    compiled = zen.compile(lambda x: x * scale[0])
    for value in (2.0, 2.0, 3.0, 3.0, 2.0):
        scale[0] = value
        assert compiled(np.ones(1)).item() == value
    assert "was 2.0, is 3.0" in compiled.explain()


def test_exceptions_are_the_functions_own_and_leave_it_usable():
    def f(x, y):
        if x.sum() < 0:
            raise KeyError("negative")
        return np.linalg.inv(x) @ y

    compiled = zen.compile(f)
    for _ in range(3):
        np.testing.assert_allclose(compiled(2 * np.eye(2), np.ones(2)), [0.5, 0.5])
    with pytest.raises(KeyError, match="negative"):
        compiled(-np.eye(2), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(np.zeros((2, 2)), np.ones(2))
    np.testing.assert_allclose(compiled(4 * np.eye(2), np.ones(2)), [0.25, 0.25])


def test_an_exception_that_the_function_catches():
    def f(x):
        try:
            return np.linalg.inv(x)
        except np.linalg.LinAlgError:
            return x

    compiled = zen.compile(f)
    for a in (2 * np.eye(2), 3 * np.eye(2), np.zeros((2, 2)), 4 * np.eye(2)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_allclose(compiled(a), f(a))


def test_writing_to_an_argument_is_refused():
    def f(x):
        x[0] = 1.0
        return x

    compiled, x = zen.compile(f), np.zeros(2)
    with pytest.raises(RuntimeError, match=r"f writes to an argument \(test_compile.py:\d+\).* write to a copy"):
        compiled(x)
    assert x.tolist() == [0.0, 0.0]


def test_results_that_are_no_data_are_refused():
    compiled = zen.compile(lambda x: iter(x))
    with pytest.raises(TypeError, match="returned list_iterator; a compiled function returns arrays"):
        compiled(np.ones(2))


def test_what_is_not_callable_is_refused():
    with pytest.raises(TypeError, match="compile: expected a function, not int"):
        zen.compile(3)
    with pytest.raises(ValueError, match="check_every is a positive int or None, not 0"):
        zen.compile(rosenbrock, check_every=0)


def test_check_every_finds_what_changes_unseen(tmp_path):
    path = tmp_path / "scale.npy"
    name = str(path)
    np.save(path, 2.0)
    compiled = zen.compile(lambda x: x * np.load(name), check_every=2)
    for _ in range(3):
        assert compiled(np.ones(1)).item() == 2
    np.save(path, 3.0)
    with pytest.raises(RuntimeError, match="did not do again what it did when it was recorded: result 0 .* by up to 1"):
        for _ in range(2):
            compiled(np.ones(1))


def read():
    with open(__file__) as file:
        return float(len(file.read()) > 0)


@pytest.mark.parametrize("f", [lambda x: x * time.time(), lambda x: x * read()])
def test_clocks_and_files_leave_the_function_as_it_is(f):
    with pytest.warns(UserWarning, match=r"depends on what cannot be compared: .* \(line \d+ of (<lambda>|read)\)"):
        zen.compile(f)(np.ones(1))


def test_what_cannot_be_compared_leaves_the_function_as_it_is():
    scale = contextvars.ContextVar("scale", default=2.0)
    compiled = zen.compile(lambda x: x * scale.get())
    with pytest.warns(UserWarning, match="depends on what cannot be compared: .*'scale'"):
        found = [compiled(np.ones(1)).item() for _ in range(3)]
    scale.set(3.0)
    assert [*found, compiled(np.ones(1)).item()] == [2, 2, 2, 3]


def test_decorators_methods_and_partials():
    @zen.compile
    def twice(x):
        """Twice x."""
        return 2 * x

    @zen.compile(check_every=3)
    def thrice(x):
        return 3 * x

    class Model:
        def __init__(self, scale):
            self.scale = scale

        @zen.compile
        def __call__(self, x):
            return self.scale * x

    assert (twice.__name__, twice.__doc__) == ("twice", "Twice x.")
    two, five = Model(2.0), Model(5.0)
    for _ in range(4):
        assert twice(np.ones(1)).item() == 2 and thrice(np.ones(1)).item() == 3
        assert two(np.ones(1)).item() == 2 and five(np.ones(1)).item() == 5
    two.scale = 7.0
    assert two(np.ones(1)).item() == 7
    partial = zen.compile(functools.partial(np.multiply, 3.0))
    assert [partial(np.ones(1)).item() for _ in range(3)] == [3, 3, 3]


def test_compiled_functions_nest():
    inner = zen.compile(rosenbrock)
    outer = zen.compile(zen.grad(lambda x: inner(x) * 2))
    agrees(outer, lambda x: 2 * zen.grad(rosenbrock)(x), *[(x,) for x in RNG.normal(size=(3, 4))])
    agrees(zen.grad(inner), zen.grad(rosenbrock), *[(x,) for x in RNG.normal(size=(3, 4))])


def test_it_is_pickled_as_what_it_was_made_of():
    compiled = pickle.loads(pickle.dumps(zen.compile(rosenbrock, check_every=5)))
    assert compiled(np.ones(3)).item() == 0


def test_it_says_what_it_does(capfd, monkeypatch):
    monkeypatch.setenv("ZEN_EXPLAIN", "1")
    compiled = zen.compile(rosenbrock)
    for _ in range(3):
        compiled(np.ones(3))
    compiled(np.ones(4))
    assert compiled.explain().splitlines() == [
        "rosenbrock: 2 programs",
        "recorded, because it is the first call",
        "recorded, because no program has these shapes, dtypes and constants",
    ]
    assert "zen.compile: rosenbrock: recorded, because it is the first call" in capfd.readouterr().err
    lines = str(compiled.program).splitlines()
    assert lines[0].startswith("%1: float64[4]") and lines[-1].startswith("returns ")
    assert "sum" in str(compiled.program) and "sum" in compiled.plan

"""The traps of replay: what makes a recorded function differ from the function if nobody looks after it.

Memory, what the function reads outside, its arguments, its flow; what it changes is in test_traps_effects.py.
"""

import gc
import math
import warnings
from collections import namedtuple

import numpy as np
import pytest
from replaying import confirmed, replays, same, vectors

import zen

Pair = namedtuple("Pair", "first second")


class TestMemory:
    def test_an_output_is_an_input_of_the_next_call(self):
        step, x = zen.compile(lambda x: x * 1.5 + 1), np.ones(4)
        expected = x
        for _ in range(6):
            x, expected = step(x), expected * 1.5 + 1
        np.testing.assert_array_equal(x, expected)

    def test_outputs_are_kept_while_the_next_call_runs(self):
        f = zen.compile(lambda x: (x * 2, x + 1, x))
        kept = [(x, f(x)) for x in vectors(8)]
        for x, found in kept:
            same(found, (x * 2, x + 1, x))

    @pytest.mark.parametrize("wrapped", [np.array, zen.tensor])
    def test_results_share_no_memory(self, wrapped):
        w = zen.tensor([1.0, 2.0])
        f = zen.compile(lambda x: (x, x[:], x * 1, w, w))
        x = wrapped([3.0, 4.0])
        for _ in range(4):
            for k, y in enumerate(f(x)):
                y[...] = -k
            same((x, w), (np.array([3.0, 4.0]), np.array([1.0, 2.0])))

    def test_the_same_array_twice(self):
        x, y = vectors(2)
        replays(zen.value_and_grad(lambda x, y: (x * x * y).sum(), (0, 1)), [(x, x), (x, y), (y, y), (x, x * 1)])

    def test_views_with_offsets_that_overlap(self):
        a = np.arange(10.0)
        pairs = [(a[:5], a[5:]), (a[::2], a[1::2]), (a[4::-1], a[3:8]), (a[:5], a[2:7])]
        replays(lambda x, y: (x * y + x[::-1], (x - y).sum()), pairs)

    def test_arrays_that_are_not_in_one_piece(self):
        a = np.arange(24.0).reshape(4, 6)
        forms = [a[:3, :3], a[:3, :3].T, np.asfortranarray(a[:3, :3]), a[1:, ::2], np.broadcast_to(a[0, :3], (3, 3))]
        unaligned = np.zeros(8 * 9 + 1, np.uint8)[1:].view(np.float64).reshape(3, 3)
        replays(lambda x: (x @ x.T, x.sum(0), np.exp(x * 0.1).sum(1), x.reshape(-1)), [*forms, unaligned])

    def test_read_only_and_byte_swapped_arrays(self):
        x = np.arange(3.0)
        x.flags.writeable = False
        replays(lambda x: np.exp(x) * 2, [x, x, x.astype(">f8"), x])

    @pytest.mark.parametrize("write", [
        lambda x: x.__iadd__(1), lambda x: x[:2].__iadd__(1), lambda x: x.reshape(2, 2).__setitem__(0, 5.0),
        lambda x: np.add(x, 1, out=x), lambda x: np.copyto(x, 0.0), lambda x: np.asarray(x).__setitem__(0, 5.0),
    ])  # fmt: skip
    def test_a_write_to_an_argument_is_refused_and_does_not_reach_it(self, write):
        f, x = zen.compile(lambda x: (write(x), x * 1)[1]), np.arange(4.0) + 1
        for _ in range(2):
            with pytest.raises(RuntimeError, match=r"writes to an argument.*x = x\.copy\(\)"):
                f(x)
        np.testing.assert_array_equal(x, np.arange(4.0) + 1)

    def test_a_write_outside_to_an_argument_is_refused(self):
        w = zen.tensor([1.0, 2.0])
        f = zen.compile(lambda x: (w.__iadd__(1.0), x * 2)[1])
        for x in (w, zen.ones(2), w, zen.ones(2), zen.ones(2), w):
            if x is w:
                with pytest.raises(RuntimeError, match="writes to an argument"):
                    f(x)
            else:
                same(f(x), np.full(2, 2.0))
            confirmed(f)
        same(w, np.array([4.0, 5.0]))

    def test_writes_to_what_the_function_makes(self):
        def f(x, s):
            y = zen.zeros(x.shape)
            y += x
            y[0] = s
            part = y[1:]
            z = x.copy()
            z[z > 0] = 0.25
            return y, part * 2, z

        replays(f, [(x, float(k)) for k, x in enumerate(vectors())])

    def test_gradients_of_writes(self):
        def f(x, y):
            made = zen.zeros(x.shape)
            made += y
            made[..., 0] = 2.0
            scaled = x + 0.0
            scaled *= made
            scaled[scaled > 0.5] = 0.25
            return (scaled * scaled).sum()

        pairs = list(zip(vectors(), vectors(seed=9), strict=True))
        replays(zen.value_and_grad(f, (0, 1)), pairs)
        replays(zen.hessian(f), pairs)

    def test_numpy_writes_into_what_a_function_makes(self):
        def f(x):
            y = zen.zeros(3)
            z = y + 1
            y.numpy()[0] = 7.0
            return z, y * x

        compiled = zen.compile(f)
        with pytest.warns(UserWarning, match="runs as it is"):
            found = [compiled(x) for x in vectors()]
        for x, pair in zip(vectors(), found, strict=True):
            same(pair, (np.ones(3), np.array([7.0, 0.0, 0.0]) * x))


class TestOutside:
    def test_a_closure_rebound_and_a_list_mutated(self):
        factors, scale, w = [2.0], 3.0, zen.tensor([1.0, 2.0, 3.0])

        def before(k):
            nonlocal scale, w
            if k == 2:
                scale = 5.0
            if k == 3:
                factors[0] = -1.0
            if k == 4:
                w = zen.tensor([0.0, 1.0, 0.0])
            if k == 5:
                factors.append(1.0)

        replays(lambda x: x * factors[0] * scale * w + len(factors), vectors(7), before)

    def test_a_global_changed(self, monkeypatch):
        space = {"np": np, "K": 2.0}
        exec("def f(x):\n    return np.sin(x) * K", space)
        replays(space["f"], vectors(4), lambda k: space.update(K=2.0 + k // 2))

    def test_values_in_place_by_zen_and_by_numpy(self):
        w, a = zen.tensor([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])

        def before(k):
            if k == 2:
                w.copy_(zen.tensor([9.0, 9.0, 9.0]))
            if k == 3:
                w.numpy()[0] = -4.0
            if k == 4:
                a[1] = 7.0

        replays(lambda x: (x * w, x * w.detach(), x + a, w * a), vectors(6), before)

    def test_a_parameter_replaced_and_evaluation(self):
        net = zen.nn.Sequential(zen.nn.Linear(3, 4), zen.nn.BatchNorm1d(4), zen.nn.Dropout(0.5))

        def before(k):
            if k == 2:
                net.eval()
            if k == 3:
                net[0].weight = zen.nn.Parameter(np.ones((4, 3)))
            if k == 4:
                net[0].weight.detach().numpy()[:] = 2.0
            if k == 5:
                net.train()

        batches = [np.random.default_rng(k).normal(size=(5, 3)) for k in range(8)]
        replays(lambda x: net(x).detach(), batches, before, lambda: [b.detach() for b in net.buffers()])

    def test_methods_and_their_objects(self):
        class Model:
            scale = 2.0

            def __init__(self, k):
                self.k, self.w = k, zen.tensor([1.0, 2.0, 3.0])

            def at(self, x):
                return x * self.w * self.k * self.scale

            @zen.compile
            def compiled(self, x):
                return x * self.k

        model = Model(3.0)

        def before(k):
            if k == 2:
                model.k = 5.0
            if k == 3:
                Model.scale = 7.0
            if k == 4:
                model.w += 1

        replays(model.at, vectors(6), before)
        models = [Model(2.0), Model(3.0)]
        for x in vectors():
            for m in models:
                same(m.compiled(x), x * m.k)

    def test_functions_and_objects_that_are_gone(self):
        f = zen.compile(lambda x, g: g(x))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # after many recordings it runs as it is
            for k in range(20):
                same(f(np.ones(2), eval(f"lambda x: x * {k}.0")), np.full(2, float(k)))
                gc.collect()


class TestArguments:
    def test_requires_grad_switched(self):
        f = zen.compile(lambda w, x: (w * w * x).sum())
        w, x = zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])
        for k in range(6):
            w.requires_grad_(k % 2 == 1)
            found = f(w, x)
            assert found.requires_grad == (k % 2 == 1)
            if k % 2:
                w.grad = None
                found.backward()
                same(w.grad, 2 * w.detach() * x)
            with zen.no_grad():
                assert not f(w, x).requires_grad

    def test_transforms_of_a_compiled_function(self):
        def g(x):
            return np.sin(x) * x[0] + x * x

        x = vectors(1)[0]
        transforms = [
            zen.jacobian,
            lambda h: zen.grad(lambda x: h(x).sum()),
            lambda h: lambda x: zen.jvp(h, (x,), (x,)),
            lambda h: lambda x: zen.vmap(h)(np.stack([x, 2 * x])),
            lambda h: zen.hessian(lambda x: (h(x) * h(x)).sum()),
        ]
        for transform in transforms:
            h = zen.compile(g)
            for k in range(4):
                same(transform(h)(x + k), transform(g)(x + k))
                same(h(x), g(x))
            outer, expected = zen.compile(transform(zen.compile(g))), transform(g)
            for k in range(4):
                same(outer(x + k), expected(x + k))

    def test_dtypes_and_shapes_switch(self):
        f, x = lambda x: (x * 2 + x.sum(), x * 1.0, x**2), np.arange(1, 7)
        kinds = [np.float64, np.float32, np.int32, np.complex64, np.float64, np.float16]
        replays(f, [x[:n].astype(kind) for kind in kinds for n in (3, 6)])
        replays(f, [np.zeros(shape) for shape in [(0,), (), (0, 3), (1, 1), (0,), ()]])

    def test_more_shapes_than_programs_are_kept(self):
        f = zen.compile(lambda x: x * 2 + x.sum())
        for n in [*range(1, 40), *range(1, 40)]:
            f._misses = 0
            same(f(np.arange(n)), np.arange(n) * 2 + np.arange(n).sum())
        assert f.explain().startswith("TestArguments") and " 16 programs" in f.explain().splitlines()[0]

    @pytest.mark.parametrize("values", [
        (1.0, 0.0, -0.0, math.nan, math.inf), (-0.0, 0.0, -0.0), (0j, -0j, complex(-0.0, 0.0), 0j),
        (1, True, 1.0, 1 + 0j),
    ])  # fmt: skip
    def test_numbers_are_told_apart(self, values):
        f = zen.compile(lambda x, n: (x * n, n * 1.0, math.copysign(1, n.real) if n == 0 else 2.0, -n))
        for n in values:
            x = np.array([2.0, -1.0])
            with np.errstate(invalid="ignore"):
                assert repr(f(x, n)) == repr((x * n, n * 1.0, math.copysign(1, n.real) if n == 0 else 2.0, -n))
            confirmed(f)

    def test_floats_are_inputs_in_vmap_and_composed_operations(self):
        calls = [(x, float(k)) for k, x in enumerate(vectors())]
        f = replays(lambda x, s: zen.vmap(lambda y: y * s + s)(np.stack([x, 2 * x])), calls)
        assert f.explain().count("recorded, because") == 1
        replays(lambda x, s: (zen.f.logaddexp(x, s), np.hypot(x, s), np.clip(x, -s, s), s**2, x**s), calls[1:])

    def test_division_by_zero_raises_as_it_does(self):
        f = zen.compile(lambda x, s: x * (1.0 / s))
        for s in (1.0, 2.0, 0.0, 4.0, 0.0):
            if s:
                same(f(np.ones(2), s), np.full(2, 1 / s))
            else:
                with pytest.raises(ZeroDivisionError):
                    f(np.ones(2), s)
            confirmed(f)

    def test_containers(self):
        def f(p):
            return Pair(p.first * 2, {"k": [p.second, None, "text", 1.5, True]})

        replays(f, [(Pair(x, float(k)),) for k, x in enumerate(vectors())])
        g = zen.compile(lambda d: {k: v * 2 for k, v in d.items()})
        for d in ({1: 2.0}, {True: 2.0}, {"a": 1.0, "b": 2.0}, {"b": 1.0, "a": 2.0}):
            assert list(g(d).items()) == [(k, v * 2) for k, v in d.items()]
            assert [type(k) for k in g(d)] == [type(k) for k in d]


class TestFlow:
    def test_branches_loops_and_early_returns(self):
        def f(x):
            if float(x.sum()) > 1:
                return x * 2, 1
            count = 0
            while (x * x).sum() > 0.5:
                x, count = x * 0.5, count + 1
            return x, count

        replays(f, vectors(12))

    def test_shapes_that_depend_on_values(self):
        arrays = [
            np.array(v)
            for v in ([1.0, -1.0, 2.0], [1.0, 1.0, 1.0], [-1.0, -1.0, -2.0], [3.0, 1.0, 3.0], [0.0, 2.0, 1.0])
        ]
        replays(lambda x: (x[x > 0], np.nonzero(x), (x > 0).sum(), x[np.argsort(x)], np.argmax(x)), arrays)
        replays(lambda x: (np.unique(x), np.where(x > 0)[0], x[int(np.argmax(x))]), arrays)
        replays(lambda x: np.histogram(x, bins=3), arrays[:1] * 2 + arrays[3:])

    def test_positions_take_part_in_derivatives(self):
        functions = [
            lambda x, y: np.dot(np.argsort(x), y * y),
            lambda x, y: (np.sort(x) ** 3 * y).sum(),
            lambda x, y: (x[np.argsort(y)] ** 3 * y).sum(),
            lambda x, y: (np.stack([np.argsort(y), x * x], -1) ** 2).sum(),
            lambda x, y: (np.where(x > y, x * x, y) * x).sum() + np.median(x * y) + np.max(x * y),
        ]
        for f in functions:
            pairs = list(zip(vectors(), vectors(seed=9), strict=True))
            same(zen.compile(zen.grad(f, (0, 1)))(*pairs[0]), zen.grad(f, (0, 1))(*pairs[0]))
            for transform in (lambda f: zen.value_and_grad(f, (0, 1)), zen.hessian, lambda f: zen.hessian(f, 1)):
                replays(transform(f), pairs)

    def test_recursion_and_nested_functions(self):
        def halved(x):
            return x if float(abs(x).sum()) < 1 else halved(x * 0.5) + 1

        inner = zen.compile(lambda x: x * x + 1)
        replays(halved, vectors())
        replays(lambda x: inner(x) * 2 + inner(x + 1), vectors())
        same(inner(np.ones(2)), np.full(2, 2.0))

    def test_generator_functions_are_consumed_inside(self):
        def parts(x):
            yield x * 2
            yield x * 3

        replays(lambda x: sum(parts(x)), vectors())
        with pytest.raises(TypeError, match="returned generator; a compiled function returns arrays"):
            zen.compile(parts)(np.ones(2))

    def test_no_grad_inside(self):
        def f(x):
            with zen.no_grad():
                y = x * 2
            return (x * y).sum()

        replays(zen.value_and_grad(f), vectors())

    def test_a_print_is_done_when_it_runs(self, capsys):
        f = zen.compile(lambda x: (print("here"), x * 2)[1])
        with pytest.warns(UserWarning, match=r"print\(\) writes"):
            for x in vectors():
                same(f(x), x * 2)
        assert capsys.readouterr().out.split() == ["here"] * 5

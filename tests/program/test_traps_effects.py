"""Traps of replay that concern what a function changes: exceptions, random numbers, training; threads, processes."""

import copy
import os
import threading
import warnings

import numpy as np
import pytest
from replaying import confirmed, plain, replays, same, vectors

import zen
from zen import backend, nn

MIXED = [np.array([v, 1.0]) for v in (1.0, 2.0, 200.0, 3.0, 300.0, 4.0)]


def agree_with_errors(make, calls):
    """make() -> (function, state): compiled and eager do the same to two states, exceptions among the results."""
    (recorded, one), (function, other) = make(), make()
    compiled = zen.compile(recorded)
    for k, x in enumerate(calls):
        results = []
        for call, given, state in ((compiled, x, one), (function, zen.tensor(x), other)):
            zen.random.seed(k)
            try:
                found, error = plain(call(given)), ""
            except ValueError as raised:
                found, error = None, str(raised)
            results.append((found, error, plain(state())))
        same(*results)
        assert backend.tracer() is None
        confirmed(compiled)
    assert compiled._reason == "" and compiled.program is not None


class TestExceptions:
    def too_large(self, x):
        if float(x.sum()) > 100:
            raise ValueError("too large")

    @pytest.mark.parametrize("calls", [MIXED, MIXED[2:]], ids=["later", "first"])
    def test_after_a_write(self, calls):
        def make():
            w = zen.tensor([1.0, 2.0])

            def f(x):
                w.__imul__(2.0)
                self.too_large(x)
                return x * w

            return f, lambda: w

        agree_with_errors(make, calls)

    @pytest.mark.parametrize("calls", [MIXED, MIXED[2:]], ids=["later", "first"])
    def test_after_a_step(self, calls):
        def make():
            p = nn.Parameter(np.array([1.0, 2.0]))
            optimiser = zen.optim.SGD([p], 0.1)

            def f(x):
                optimiser.zero_grad()
                loss = (p * p * x).sum()
                loss.backward()
                optimiser.step()
                self.too_large(x)
                return loss.detach()

            return f, lambda: (p.detach(), p.grad)

        agree_with_errors(make, calls)

    @pytest.mark.parametrize("calls", [MIXED, MIXED[2:]], ids=["later", "first"])
    def test_after_a_draw(self, calls):
        def f(x):
            drawn = zen.random.normal(2)
            self.too_large(x)
            return x * drawn + zen.random.uniform(2)

        agree_with_errors(lambda: (f, lambda: zen.random.normal(1)), calls)

    def test_of_an_operation(self):
        f = zen.compile(lambda x: np.linalg.inv(x))
        for v in (2.0, 3.0, 1.0, 4.0, 1.0, 5.0):
            x = np.array([[1.0, 1.0], [1.0, v]])
            if v == 1:
                with pytest.raises(np.linalg.LinAlgError) as expected:
                    zen.f.inv(x)
                with pytest.raises(np.linalg.LinAlgError) as found:
                    f(x)
                assert str(found.value) == str(expected.value)
            else:
                same(f(x), np.linalg.inv(x))
            confirmed(f)

    def test_an_interrupt_leaves_no_trace(self):
        stop = [True]

        def f(x):
            y = x * 2
            if stop[0]:
                raise KeyboardInterrupt
            return y * 3

        compiled = zen.compile(f)
        for k in range(8):
            stop[0] = k % 3 == 0
            if stop[0]:
                with pytest.raises(KeyboardInterrupt):
                    compiled(np.ones(3))
            else:
                same(compiled(np.ones(3)), np.full(3, 6.0))
            assert backend.tracer() is None


class TestRandom:
    def test_the_stream_goes_on_and_a_seed_starts_it(self):
        def f(x):
            drawn = zen.random.normal(3)
            return x * drawn + zen.random.integers(5) if drawn[0] > 0 else x + zen.random.permutation(3)

        replays(f, vectors(20))
        compiled = zen.compile(lambda x: x * zen.random.uniform(3))
        x, found, expected = np.ones(3), [], []
        for many, call in ((found, compiled), (expected, lambda x: x * zen.random.uniform(3))):
            zen.random.seed(5)
            many += [np.asarray(call(x)) for _ in range(4)]
            zen.random.seed(5)
            many += [np.asarray(call(x)) for _ in range(4)]
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(found[:4], found[4:])

    def test_a_program_that_ends_early_gives_its_draws_back(self):
        def f(x):
            drawn = zen.random.normal(2)
            return x * drawn if float(x.sum()) > 0 else x - drawn

        compiled = zen.compile(f)
        for k in range(10):  # the second call of each program is compared
            x = np.array([1.0, -2.0]) if k % 2 else np.array([1.0, 2.0])
            zen.random.seed(k)
            found, after = compiled(x), zen.random.normal(1)
            zen.random.seed(k)
            same((found, after), (np.asarray(f(zen.tensor(x))), zen.random.normal(1)))

    def test_a_generator_of_ones_own_and_vmap(self):
        def own(generator):
            return lambda x: x * zen.random.normal(3, generator=generator)

        def mapped(generator):
            return lambda x: zen.vmap(lambda y: y * zen.random.uniform(3))(np.stack([x, x]))

        for make in (own, mapped):
            f, compiled = make(np.random.default_rng(3)), zen.compile(make(np.random.default_rng(3)))
            for k, x in enumerate(vectors()):
                zen.random.seed(k)
                expected = np.asarray(f(zen.tensor(x)))
                zen.random.seed(k)
                same(compiled(x), expected)

    @pytest.mark.parametrize("draw", ["random.random()", "np.random.rand()", "rng.random()"])
    def test_a_foreign_generator_is_found(self, draw):
        space = {}
        exec("import random, numpy as np\nrng = np.random.default_rng(0)\ndef f(x):\n    return x * " + draw, space)
        f = zen.compile(space["f"])
        with pytest.warns(UserWarning, match="draws random numbers from a generator that is not zen's"):
            found = [float(f(np.ones(1))[0]) for _ in range(4)]
        assert len(set(found)) == 4


OPTIMISERS = {
    "SGD": lambda p: zen.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "AdamW": lambda p: zen.optim.AdamW(p, 0.05, amsgrad=True),
    "groups": lambda p: zen.optim.Adam([{"params": p[:1], "lr": 0.01}, {"params": p[1:]}], lr=0.1),
    "RMSprop": lambda p: zen.optim.RMSprop(p, 0.01),
}


class TestTraining:
    @pytest.mark.parametrize("kind", OPTIMISERS)
    def test_a_step_with_all_that_belongs_to_it(self, kind):
        def make():
            zen.random.seed(1)
            net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Tanh(), nn.Linear(4, 2))
            optimiser = OPTIMISERS[kind](list(net.parameters()))
            schedule = zen.optim.lr_scheduler.StepLR(optimiser, 2)

            def step(x):
                optimiser.zero_grad()
                for _ in range(2):
                    loss = ((net(x) - 1.0) ** 2).mean()
                    loss.backward()
                zen.optim.clip_grad_norm_(net.parameters(), 0.1)
                zen.optim.clip_grad_value_(net.parameters(), 0.05)
                optimiser.step()
                schedule.step()
                return loss.detach()

            return step, lambda: [t.detach() for t in (*net.parameters(), *net.buffers())]

        agree_with_errors(make, [np.random.default_rng(k).normal(size=(5, 3)) for k in range(6)])

    def test_check_every_does_a_step_once(self):
        def make():
            p = nn.Parameter(np.ones(2))
            optimiser = zen.optim.SGD([p], 0.1)

            def step(x):
                optimiser.zero_grad()
                loss = (p * p * x).sum()
                loss.backward()
                optimiser.step()
                return loss.detach()

            return p, step

        (p, step), (q, eager) = make(), make()
        step = zen.compile(step, check_every=3)
        for x in vectors(9, 2):
            same(step(x), np.asarray(eager(zen.tensor(x))))
            same(p.detach(), q.detach())

    def test_what_a_schedule_says_is_no_constant(self):
        optimiser = zen.optim.SGD([nn.Parameter(np.ones(1))], 1.0)
        schedule = zen.optim.lr_scheduler.StepLR(optimiser, 3, 0.5)
        f = zen.compile(lambda x: (schedule.step(), x * schedule.get_last_lr()[0])[1])
        with pytest.warns(UserWarning, match="StepLR.get_last_lr, which changes from step to step"):
            found = [float(f(np.ones(1))[0]) for _ in range(7)]
        assert found == [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
        rate = zen.compile(lambda x: x * optimiser.param_groups[0]["lr"])
        for lr in (0.25, 0.25, 0.5, 0.5):
            optimiser.param_groups[0]["lr"] = lr
            same(rate(np.ones(1)), np.array([lr]))

    def test_gradients_of_a_leaf_made_inside(self):
        def f(x):
            w = (zen.zeros(3) + 0.5).detach().requires_grad_()
            ((w * x) ** 2).sum().backward()
            return w.grad

        replays(f, vectors())

    def test_custom_derivatives_and_checkpoints(self):
        @zen.custom_vjp
        def doubled(x):
            return np.exp(x)

        doubled.defvjp(lambda g, out, x: g * out * 2)
        scale = zen.tensor([2.0, 3.0, -1.0])
        replays(zen.value_and_grad(lambda x: doubled(x).sum()), vectors())
        replays(zen.grad(lambda x: zen.checkpoint(lambda z: np.sin(z) * z * scale)(x).sum()), vectors())


class TestPlaces:
    def test_threads_share_a_function_from_its_first_call(self):
        def f(x):
            return (np.exp(x) * x).sum() + x if x[0] > 0 else np.sort(x) * 2

        compiled, start, wrong = zen.compile(f), threading.Barrier(3), []

        def work(seed):
            rng = np.random.default_rng(seed)
            start.wait()
            for k in range(40):
                x = rng.normal(size=3 + k % 2)
                try:
                    same(compiled(x), np.asarray(f(zen.tensor(x))))
                except Exception as error:
                    wrong.append(error)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert wrong == [] and compiled._reason == ""

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    def test_a_fork_replays(self):
        f, x = zen.compile(lambda x: np.exp(x) @ np.ones((50, 50))), np.ones(50)
        for _ in range(3):
            f(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads that other tests have started
            child = os.fork()
        if child == 0:
            os._exit(0 if np.allclose(f(x), np.e * 50) and np.allclose(zen.compile(lambda x: x * 2)(x), 2) else 1)
        assert os.waitpid(child, 0)[1] == 0

    def test_copies_of_a_compiled_function_are_functions(self):
        f = zen.compile(np.sin)
        same(copy.copy(f)(np.ones(2)), np.sin(np.ones(2)))

    def test_a_clock_is_found_by_comparing(self):
        count = iter(range(100))
        f = zen.compile(lambda x: x * next(count))
        with pytest.warns(UserWarning, match="runs as it is from now on"):
            found = [float(f(np.ones(1))[0]) for _ in range(4)]
        assert found == [0.0, 1.0, 2.0, 3.0]

"""no_grad, enable_grad and set_grad_enabled: as context managers and decorators, per thread, after exceptions."""

import asyncio
import threading

import pytest

import zen


def records() -> bool:
    x = zen.tensor(1.0, requires_grad=True)
    return (x * 2.0).requires_grad


def test_context_managers_nest_and_restore():
    assert zen.is_grad_enabled() and records()
    with zen.no_grad():
        assert not zen.is_grad_enabled() and not records()
        with zen.enable_grad():
            assert records()
        assert not records()
    assert records()


def test_the_mode_is_restored_after_an_exception():
    with pytest.raises(ZeroDivisionError), zen.no_grad():
        1 / 0  # noqa: B018
    assert records()


def test_one_object_can_be_entered_twice():
    mode = zen.no_grad()
    with mode:
        with zen.enable_grad(), mode:
            assert not records()
        assert not records()
    assert records()


@pytest.mark.parametrize("decorator", [zen.no_grad, zen.no_grad()])
def test_decorators(decorator):
    @decorator
    def f(n):
        """Documented."""
        if n < 0:
            raise ValueError("n")
        return records()

    assert f(1) is False and records()
    with pytest.raises(ValueError):
        f(-1)
    assert records()
    assert f.__name__ == "f" and f.__doc__ == "Documented."
    with zen.no_grad():
        assert zen.enable_grad(records)() is True
        assert zen.enable_grad()(records)() is True
        assert not records()


def test_set_grad_enabled_acts_at_once_and_as_a_context_manager():
    try:
        zen.set_grad_enabled(False)
        assert not records()
    finally:
        zen.set_grad_enabled(True)
    assert records()
    with zen.set_grad_enabled(False):
        assert not records()
        with zen.set_grad_enabled(True):
            assert records()
        assert not records()
    assert records()


def test_set_grad_enabled_as_a_decorator_leaves_the_mode_alone():
    f = zen.set_grad_enabled(False)(records)
    assert records() and f() is False and records()


def test_bad_arguments():
    with pytest.raises(TypeError, match="True or False"):
        zen.set_grad_enabled("no")
    with pytest.raises(TypeError, match="decorates a function"):
        zen.no_grad(3)
    assert records()


def test_a_generator_has_the_mode_in_its_own_code_only():
    seen = []

    @zen.no_grad
    def steps():
        seen.append(records())
        try:
            got = yield 1
            seen.append((got, records()))
            yield 2
        except KeyError:
            seen.append(("caught", records()))
            yield 3
        return 4

    g = steps()
    assert next(g) == 1 and records()
    assert g.send("sent") == 2 and records()
    assert g.throw(KeyError("k")) == 3 and records()
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value == 4
    assert seen == [False, ("sent", False), ("caught", False)]


def test_a_generator_that_is_closed_cleans_up_under_the_mode():
    seen = []

    @zen.no_grad
    def steps():
        try:
            yield
        finally:
            seen.append(records())

    g = steps()
    next(g)
    g.close()
    assert seen == [False] and records()


def test_coroutines_have_the_mode_in_their_own_code_only():
    seen = []

    @zen.no_grad
    async def quiet():
        for _ in range(3):
            seen.append(("quiet", records()))
            await asyncio.sleep(0)
        return 7

    async def loud():
        for _ in range(3):
            seen.append(("loud", records()))
            await asyncio.sleep(0)

    async def main():
        return await asyncio.gather(quiet(), loud())

    assert asyncio.run(main())[0] == 7
    assert len(seen) == 6 and set(seen) == {("quiet", False), ("loud", True)}
    assert records()


def test_asynchronous_generators_have_the_mode_in_their_own_code_only():
    @zen.no_grad
    async def steps():
        for _ in range(2):
            yield records()
            await asyncio.sleep(0)

    async def main():
        return [(inside, records()) async for inside in steps()]

    assert asyncio.run(main()) == [(False, True)] * 2


def test_the_mode_belongs_to_the_thread():
    inside, go = threading.Event(), threading.Event()
    seen = []

    def other():
        seen.append(records())
        with zen.no_grad():
            inside.set()
            go.wait(10)
            seen.append(records())

    with zen.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
        with zen.enable_grad():
            seen.append(records())
        go.set()
        thread.join()
    assert seen == [True, True, False] and records()

"""Threads that share modules, leaves, graphs, hooks, modes and optimisers: no gradient is lost, none is another's.

Values are small whole numbers, so that sums are exact in any order.
"""

import sys
import threading

import numpy as np
import pytest
from crowd import crowd

import zen
from zen import backend, nn

ROUNDS, THREADS = 40, 4


def whole(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).integers(-2, 3, shape).astype(dtype)


def leaf(array):
    return zen.tensor(array, requires_grad=True)


# Leaves


def test_threads_that_share_a_plain_network_end_and_lose_no_gradient():
    weights = [leaf(np.sign(whole(*shape, seed=k))) for k, shape in enumerate(((8, 128), (128, 64), (64, 1)))]
    x = np.sign(whole(256, 8, seed=9))  # large enough for kernels that run without the GIL

    def loss():
        h = x
        for w in weights:
            h = np.maximum(h @ w, 0)
        return h.sum()

    expected = [g.numpy() for g in zen.gradients(loss(), weights)]
    crowd(lambda k: [loss().backward() for _ in range(4)], THREADS)
    for w, g in zip(weights, expected, strict=True):
        np.testing.assert_allclose(w.gradient, 4 * THREADS * g, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (40_000,)])
@pytest.mark.parametrize("held", [False, True])
def test_gradients_of_a_shared_leaf_add_up_whoever_holds_them(dtype, shape, held):
    w, kept = leaf(np.ones(shape, dtype)), []

    def work(k):
        for _ in range(ROUNDS):
            (w * np.ones(shape, dtype)).sum().backward()
            if held:
                kept.append(w.grad)

    crowd(work, THREADS)
    np.testing.assert_array_equal(w.gradient, np.full(shape, ROUNDS * THREADS, dtype))


def test_recorded_passes_add_up_in_a_shared_leaf():
    w = leaf(np.ones(3))
    crowd(lambda k: [(w * w).sum().backward(create_graph=True) for _ in range(ROUNDS)], THREADS)
    np.testing.assert_array_equal(w.gradient, np.full(3, 2.0 * ROUNDS * THREADS))
    (again,) = zen.gradients(w.grad.sum(), [w])
    np.testing.assert_array_equal(again.numpy(), np.full(3, 2.0 * ROUNDS * THREADS))


def test_gradients_are_cleared_whole_while_other_threads_add():
    w, seen = leaf(np.ones(50, np.float32)), []
    optimiser = zen.optim.SGD([w], lr=0.0)

    def work(k):
        for _ in range(ROUNDS):
            if k == 0:
                taken = w.grad
                optimiser.zero_grad()
                seen.append(0.0 if taken is None else np.ptp(taken.numpy()))
            else:
                w.sum().backward()

    crowd(work, THREADS)
    assert max(seen) == 0  # every element has the same number of additions


# Graphs


def shared_graphs():
    """Name, leaf and result of graphs of every kind of node; the result is a sum."""
    big, small = whole(300, 300), whole(4, 6)
    square = zen.custom_vjp(lambda x: x * x, lambda g, out, x: 2 * x * g)
    bodies = {
        "elementwise": (small, lambda x: np.abs(x * 2.0 + x) - x * x),
        "a fused run": (big, lambda x: np.abs(x * 2.0 + x) - x * x),
        "scalars": (np.float32(2.0), lambda x: (x * x + x) * x),
        "products": (small, lambda x: (x @ whole(6, 6)) @ whole(6, 2)),
        "linear": (small, lambda x: zen.f.linear(zen.f.linear(x, whole(5, 6)), whole(3, 5))),
        "views": (small, lambda x: x[1:].T.reshape(-1)[::2] * 3.0),
        "joined": (small, lambda x: np.concatenate([x, x * 2.0, x[:2]])),
        "reductions": (small, lambda x: x.sum(0) * x.mean(1).sum()),
        "rows": (small, lambda x: zen.f.embedding([[0, 2], [3, 3]], x) * 2.0),
        "custom": (small, lambda x: square(x) + x),
    }
    for name, (array, body) in bodies.items():
        yield pytest.param(array, body, id=name)


@pytest.mark.parametrize(("array", "body"), list(shared_graphs()))
def test_passes_over_one_graph_do_not_meet(array, body):
    x = leaf(array)
    y = body(x).sum()
    (expected,) = zen.gradients(y, [x], retain_graph=True)

    def work(k):
        for _ in range(ROUNDS // 2):
            y.backward(retain_graph=True)
            (found,) = zen.gradients(y, [x], retain_graph=True, create_graph=k % 2 == 1)
            np.testing.assert_allclose(found.detach().numpy(), expected.numpy(), rtol=1e-5)

    crowd(work, THREADS)
    np.testing.assert_allclose(x.gradient, ROUNDS // 2 * THREADS * expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("array", "body"), list(shared_graphs()))
def test_a_graph_that_another_thread_releases_gives_the_gradient_or_says_so(array, body, create_graph):
    for _ in range(ROUNDS // 4):
        x = leaf(array)
        y = body(x).sum()
        (expected,) = zen.gradients(y, [x], retain_graph=True)

        def work(k, x=x, y=y, expected=expected):
            try:
                (found,) = zen.gradients(y, [x], retain_graph=k % 2 == 0, create_graph=create_graph)
            except RuntimeError as error:
                assert "released by an earlier backward pass" in str(error)
                return False
            np.testing.assert_allclose(found.detach().numpy(), expected.numpy(), rtol=1e-5)
            return True

        assert any(crowd(work, THREADS))


def test_passes_towards_different_inputs_over_one_graph_reach_these_alone():
    a, b = leaf(whole(6, 6)), leaf(whole(6, 6, seed=1))
    left, right = a * 2.0, b * 3.0
    calls = {"left": 0, "right": 0}

    def count(side):
        def hook(g):
            calls[side] += 1

        return hook

    def slow(g):  # gives the other threads their turn in the middle of a pass
        sum(range(50))

    y = left @ right + left
    for _ in range(10):
        y = np.abs(y) + y
        y.register_hook(slow)
    y = y.sum()
    expected = [g.numpy() for g in zen.gradients(y, [a, b], retain_graph=True)]
    left.register_hook(count("left"))
    right.register_hook(count("right"))

    def work(k):
        for _ in range(ROUNDS):
            (found,) = zen.gradients(y, [(a, b)[k % 2]], retain_graph=True, create_graph=k % 4 > 1)
            np.testing.assert_array_equal(found.detach().numpy(), expected[k % 2])

    crowd(work, THREADS)
    # Counted without a lock, so some may be missing; a pass towards the other input would add as many again.
    assert 0 < calls["left"] <= ROUNDS * THREADS // 2 and 0 < calls["right"] <= ROUNDS * THREADS // 2


@pytest.mark.parametrize("outer_recorded", [False, True])
@pytest.mark.parametrize("inner_recorded", [False, True])
def test_a_hook_may_run_a_pass_over_the_nodes_of_its_own_pass(outer_recorded, inner_recorded):
    x = leaf(whole(4))
    middle = x * 2.0
    y = (middle * middle + x).sum()
    found = []

    def hook(g):
        handle.remove()
        found.extend(zen.gradients(y, [x], retain_graph=True, create_graph=inner_recorded))

    handle = middle.register_hook(hook)
    found += zen.gradients(y, [x], retain_graph=True, create_graph=outer_recorded)
    for g, recorded in zip(found, (inner_recorded, outer_recorded), strict=True):
        np.testing.assert_array_equal(g.detach().numpy(), 8 * whole(4) + 1)
        assert g.requires_grad == recorded
        if recorded:
            np.testing.assert_array_equal(zen.gradients(g.sum(), [x], retain_graph=True)[0].numpy(), np.full(4, 8.0))


def test_operands_that_other_threads_write_to_leave_the_process_alive():
    start = leaf(np.ones(300_000, np.float32))
    shared = [start * 1.0]

    def work(k):
        for _ in range(ROUNDS):
            t = shared[0]
            if k == 0:
                t += 1.0
            elif k == 1:
                shared[0] = start * 1.0
            else:
                (t * 2.0 + t).sum().requires_grad  # noqa: B018

    crowd(work, THREADS)


def test_stale_views_have_their_node_anew_in_every_thread():
    for _ in range(ROUNDS):
        root = leaf(whole(8)) * 1.0
        view = root[2:5]
        root[3] = 7.0
        source = zen.gradients

        def work(k, root=root, view=view, source=source):
            (g,) = source((view * view).sum(), [root], retain_graph=True)
            return g.numpy()

        expected = np.zeros(8, np.float32)
        expected[2:5] = 2 * view.detach().numpy()
        for found in crowd(work, THREADS):
            np.testing.assert_array_equal(found, expected)


# Hooks and modules


def test_no_hook_that_threads_register_is_lost():
    for _ in range(ROUNDS):
        x = leaf(1.0)
        seen = []
        handles = crowd(lambda k, x=x, seen=seen: [x.register_hook(lambda g: seen.append(k)) for _ in range(3)])
        (x * 1.0).backward()
        assert sorted(seen) == sorted([*range(4)] * 3)
        crowd(lambda k, handles=handles: [handle.remove() for handle in handles[k]])
        seen.clear()
        (x * 1.0).backward()
        assert not seen


@pytest.mark.parametrize("prepend", [False, True])
def test_no_hook_of_a_module_that_threads_register_is_lost(prepend):
    for _ in range(ROUNDS):
        module, seen = nn.Identity(), []

        def register(k, module=module, seen=seen):
            return [module.register_forward_hook(lambda *_: seen.append(k), prepend=prepend) for _ in range(3)]

        handles = crowd(register)
        module(1.0)
        assert sorted(seen) == sorted([*range(4)] * 3)
        crowd(lambda k, handles=handles: [handle.remove() for handle in handles[k]])
        seen.clear()
        module(1.0)
        assert not seen


def test_backward_hooks_of_a_module_see_the_gradients_of_one_pass():
    module, seen = nn.Bilinear(2, 3, 2), []
    module.register_full_backward_hook(lambda m, inputs, outputs: seen.append((inputs, outputs)))
    a, b = leaf(whole(5, 2)), leaf(whole(5, 3))
    y = module(a, b)

    def work(k):
        for _ in range(ROUNDS):
            zen.gradients(y, [a, b], grad_outputs=np.full(y.shape, k + 1.0, np.float32), retain_graph=True)

    crowd(work)
    assert len(seen) == 4 * ROUNDS
    for inputs, (g,) in seen:
        scale = g.numpy()[0, 0]
        expected = zen.gradients(y, [a, b], grad_outputs=np.full(y.shape, scale), retain_graph=True)
        for found, right in zip(inputs, expected, strict=True):
            np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-6)
        seen = seen[: 4 * ROUNDS]


def test_a_shared_module_trains_as_the_sum_of_its_threads():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    with zen.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_(whole(*p.shape, seed=k))
    batches = [whole(10, 6, seed=20 + k) for k in range(THREADS)]
    expected = [
        ROUNDS * np.sum(gs, 0)
        for gs in zip(
            *[[g.numpy() for g in zen.gradients(model(x).sum(), list(model.parameters()))] for x in batches],
            strict=True,
        )
    ]
    crowd(lambda k: [model(batches[k]).sum().backward() for _ in range(ROUNDS)], THREADS)
    for p, g in zip(model.parameters(), expected, strict=True):
        np.testing.assert_array_equal(p.gradient, g)


def test_running_statistics_take_in_every_batch():
    layer = nn.BatchNorm1d(3, momentum=0.5)
    crowd(lambda k: [layer(whole(4, 3, seed=k) * 0 + 8) for _ in range(ROUNDS)], THREADS)
    assert layer.num_batches_tracked.item() == ROUNDS * THREADS
    np.testing.assert_allclose(layer.running_mean.numpy(), 8, rtol=1e-6)


# Modes


def test_one_mode_object_serves_several_threads():
    mode, wrong = zen.no_grad(), []
    on, off = threading.Barrier(2), threading.Barrier(2)

    def work(k):
        backend.set_grad_enabled(k == 0)
        for _ in range(ROUNDS):
            on.wait()
            with mode:
                off.wait()
                with mode:
                    wrong.append(zen.is_grad_enabled())
                wrong.append(zen.is_grad_enabled())
            wrong.append(zen.is_grad_enabled() is not (k == 0))

    crowd(work, 2)
    assert not any(wrong)


def test_a_block_that_ends_in_another_thread_says_so():
    def generator():
        with zen.no_grad():
            yield

    steps = generator()
    next(steps)
    zen.set_grad_enabled(True)

    def end(k):
        with pytest.raises(RuntimeError, match=r"no_grad\(\): its block ends in a thread in which it did not begin"):
            next(steps)
        return zen.is_grad_enabled()

    assert crowd(end, 1) == [True]


def test_blocks_of_generators_that_end_in_another_order_restore_their_own_modes():
    @zen.no_grad
    def steps():
        with zen.enable_grad():
            yield zen.is_grad_enabled()
        yield zen.is_grad_enabled()

    it = steps()
    assert next(it) is True and zen.is_grad_enabled()
    with zen.no_grad():
        assert next(it) is False and not zen.is_grad_enabled()
    assert zen.is_grad_enabled()


def test_a_block_whose_object_is_gone_is_over():
    mode = zen.no_grad()
    mode.__enter__()
    assert not zen.is_grad_enabled()
    del mode
    assert zen.is_grad_enabled()


def test_a_block_that_an_outer_one_has_outlived_restores_nothing_when_its_object_goes():
    with zen.no_grad():
        inner = zen.enable_grad()
        inner.__enter__()
        deepest = zen.no_grad()
        deepest.__enter__()
    assert zen.is_grad_enabled()
    del inner, deepest
    assert zen.is_grad_enabled()
    with zen.no_grad():
        assert not zen.is_grad_enabled()
    assert zen.is_grad_enabled()


def test_set_grad_enabled_entered_again_restores_what_was_before_each_block():
    mode = zen.set_grad_enabled(False)
    with mode:
        with mode:
            assert not zen.is_grad_enabled()
        assert not zen.is_grad_enabled()
    assert zen.is_grad_enabled()
    with mode:
        assert not zen.is_grad_enabled()
    assert zen.is_grad_enabled()


# Optimisers


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Lion"])
def test_threads_that_step_one_optimiser_take_turns(name):
    params = [leaf(np.ones(shape, np.float32)) for shape in ((3,), (40_000,))]
    shared = getattr(zen.optim, name)(params, lr=2.0**-10)
    others = [leaf(np.ones(p.shape, np.float32)) for p in params]
    alone = getattr(zen.optim, name)(others, lr=2.0**-10)
    for p in params + others:
        p.grad = zen.ones(p.shape, dtype=np.float32)
    crowd(lambda k: [shared.step() for _ in range(ROUNDS)], THREADS)
    for _ in range(ROUNDS * THREADS):
        alone.step()
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_threads_that_step_lbfgs_take_turns():
    p, q = leaf(np.array([4.0, -3.0])), leaf(np.array([4.0, -3.0]))
    shared, alone = [zen.optim.LBFGS([x], lr=0.1, max_iter=2, tolerance_change=0.0) for x in (p, q)]

    def closure(x, optimiser):
        optimiser.zero_grad()
        loss = ((x - 1) ** 4).sum()
        loss.backward()
        return loss

    crowd(lambda k: [shared.step(lambda: closure(p, shared)) for _ in range(3)], THREADS)
    for _ in range(3 * THREADS):
        alone.step(lambda: closure(q, alone))
    np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
    assert shared.state[p]["n_iter"] == alone.state[q]["n_iter"]


def test_the_switch_interval_is_as_before():
    assert sys.getswitchinterval() > 1e-4

"""A step changes every parameter and every state, or none: memory may run out anywhere while it is prepared."""

import copy

import numpy as np
import pytest
from optimisers import OPTIMISERS, closure_for, make, parameters

import zen

FIRST_ORDER = [name for name in OPTIMISERS if name != "LBFGS"]
SHAPES = ((3, 2), (2, 4), (5, 5))


class Shortage:
    """Lets the k-th array that NumPy is asked for fail, counted over all the ways in which a step asks."""

    def __init__(self, monkeypatch, k):
        self.left = k
        for name in ("zeros", "full", "empty", "concatenate", "sign", "sqrt", "maximum"):
            monkeypatch.setattr(np, name, self.counted(getattr(np, name)))

    def counted(self, function):
        def allocate(*args, **kwargs):
            self.left -= 1
            if self.left == 0:
                raise MemoryError("no memory for an array")
            return function(*args, **kwargs)

        return allocate


def plain(x):
    if isinstance(x, zen.Tensor):
        return x.detach().numpy().copy()
    return [plain(y) for y in x] if isinstance(x, list) else x


def snapshot(optimiser):
    """Parameters and state as arrays and numbers."""
    params = optimiser.param_groups[0]["params"] + sum([g["params"] for g in optimiser.param_groups[1:]], [])
    state = {k: {n: plain(v) for n, v in optimiser.state.get(p, {}).items()} for k, p in enumerate(params)}
    return [plain(p) for p in params], {k: entry for k, entry in state.items() if entry}


def two_groups(name, **changes):
    params = parameters(shapes=SHAPES)
    optimiser = make(name, params[:2], **changes)
    optimiser.add_param_group({"params": params[2]})
    return optimiser, params


def fill_gradients(params):
    for k, p in enumerate(params):
        p.grad = zen.tensor(np.random.default_rng(k).standard_normal(p.shape).astype(p.dtype))


def run_short(optimiser, step):
    """For every k: the step while the k-th array fails; then the step as it should be. How many failed."""
    failed = 0
    while True:
        before = snapshot(optimiser)
        with pytest.MonkeyPatch.context() as patch:
            Shortage(patch, failed + 1)
            try:
                step()
                return failed
            except MemoryError:
                failed += 1
        np.testing.assert_equal(snapshot(optimiser), before)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_memory_that_runs_out_at_any_moment_of_the_first_step_changes_nothing(name):
    optimiser, params = two_groups(name)
    calm, others = two_groups(name)
    for group in (params, others):
        fill_gradients(group)
    failed = run_short(optimiser, optimiser.step)
    assert failed >= (0 if name == "Adagrad" else 3)  # Adagrad's state is made with the optimiser
    calm.step()
    np.testing.assert_equal(snapshot(optimiser), snapshot(calm))  # the failed steps left no trace


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_a_later_step_that_must_complete_one_state_changes_nothing_either(name):
    optimiser, params = two_groups(name)
    fill_gradients(params[:1])
    optimiser.step()
    fill_gradients(params)
    before = snapshot(optimiser)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "zeros", lambda *args, **kwargs: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            optimiser.step()
    np.testing.assert_equal(snapshot(optimiser), before)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_an_error_at_the_last_parameter_changes_no_other(name):
    optimiser, params = two_groups(name)
    fill_gradients(params)
    before = snapshot(optimiser)
    params[2]._array.flags.writeable = False
    with pytest.raises(ValueError, match=r"the memory of a parameter of shape \(5, 5\) is read-only"):
        optimiser.step()
    np.testing.assert_equal(snapshot(optimiser), before)
    params[2]._array.flags.writeable = True
    optimiser.step()
    assert all((plain(p) != old).any() for p, old in zip(params, before[0], strict=True))


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_a_step_of_lbfgs_is_done_or_leaves_no_trace(line_search_fn):
    params, others = parameters(shapes=SHAPES), parameters(shapes=SHAPES)
    options = {"max_iter": 6, "line_search_fn": line_search_fn}
    optimiser, calm = make("LBFGS", params, **options), make("LBFGS", others, **options)
    for _ in range(2):
        assert run_short(optimiser, lambda: optimiser.step(closure_for(optimiser, params))) > 10
        calm.step(closure_for(calm, others))
        np.testing.assert_equal(snapshot(optimiser), snapshot(calm))


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_copied_optimiser_carries_nothing_of_a_step_that_is_over(name):
    optimiser, params = two_groups(name)
    fill_gradients(params)
    optimiser.step()
    fresh, _ = two_groups(name)
    assert set(vars(optimiser)) == set(vars(fresh))
    assert [key for key, value in vars(copy.deepcopy(optimiser)).items() if value and not vars(fresh)[key]] in (
        [], ["state"],
    )  # fmt: skip


def test_a_state_of_adagrad_that_cannot_be_made_adds_no_group(monkeypatch):
    params = parameters(shapes=SHAPES)
    optimiser = make("Adagrad", params[:1])
    before = copy.deepcopy(optimiser.state_dict())
    Shortage(monkeypatch, 2)
    with pytest.raises(MemoryError):
        optimiser.add_param_group({"params": params[1:]})
    monkeypatch.undo()
    assert len(optimiser.param_groups) == 1 and len(optimiser.state) == len(before["state"]) == 1
    optimiser.add_param_group({"params": params[1:]})


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_float16_and_strided_parameters_move_as_contiguous_ones(name):
    wide = [zen.tensor(np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32), requires_grad=True)]
    strided = [zen.from_numpy(np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32).T.copy().T).requires_grad_()]
    half = [zen.tensor(np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float16), requires_grad=True)]
    for params in (wide, strided, half):
        optimiser = make(name, params)
        for _ in range(3):
            fill_gradients(params)
            optimiser.step()
    np.testing.assert_allclose(plain(strided[0]), plain(wide[0]), rtol=1e-6)
    np.testing.assert_allclose(plain(half[0]), plain(wide[0]), rtol=0.02, atol=0.02)

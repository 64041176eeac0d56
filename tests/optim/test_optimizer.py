"""What all optimisers have in common: groups, errors, closures, state dicts, writes that the engine knows of."""

import copy
import pickle

import numpy as np
import pytest
from optimisers import OPTIMISERS, closure_for, make, parameters

import zen

FIRST_ORDER = [name for name in OPTIMISERS if name != "LBFGS"]


def values(params):
    return [p.detach().numpy().copy() for p in params]


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_and_loaded_it_continues_bit_for_bit(name, dtype):
    straight, first = parameters(dtype), parameters(dtype)
    a, b = make(name, straight), make(name, first)
    for _ in range(3):
        a.step(closure_for(a, straight))
        b.step(closure_for(b, first))
    second = parameters(dtype, seed=5)
    with zen.no_grad():
        for p, q in zip(second, first, strict=True):
            p.copy_(q)
    resumed = make(name, second, lr=0.7)
    resumed.load_state_dict(copy.deepcopy(b.state_dict()))
    assert resumed.param_groups[0]["lr"] == b.param_groups[0]["lr"]
    for _ in range(3):
        a.step(closure_for(a, straight))
        resumed.step(closure_for(resumed, second))
    for p, q in zip(straight, second, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_loaded_state_is_a_copy(name):
    params = parameters()
    a, b = make(name, params), make(name, parameters())
    a.step(closure_for(a, params))
    b.load_state_dict(a.state_dict())
    before = copy.deepcopy(a.state_dict())
    b.step(closure_for(b, b.param_groups[0]["params"]))
    for key, old in before["state"][0].items():
        new = a.state_dict()["state"][0][key]
        assert (old.tolist() if isinstance(old, zen.Tensor) else len(old) if isinstance(old, list) else old) == (
            new.tolist() if isinstance(new, zen.Tensor) else len(new) if isinstance(new, list) else new
        )


def test_the_layout_of_the_state_dict():
    w, frozen, b = parameters(shapes=((2, 2), (2,), (3,)))
    opt = zen.optim.Adam([{"params": [w, frozen]}, {"params": b, "lr": 0.5}], lr=0.1)
    w.grad, b.grad = zen.tensor(np.ones((2, 2))), zen.tensor(np.ones(3))
    opt.step()
    saved = opt.state_dict()
    assert set(saved) == {"state", "param_groups"}
    assert sorted(saved["state"]) == [0, 2]  # a parameter without a gradient has no state
    assert list(saved["state"][2]) == ["step", "exp_avg", "exp_avg_sq"]
    assert saved["state"][2]["step"] == 1 and saved["state"][2]["exp_avg"].shape == (3,)
    assert [g["params"] for g in saved["param_groups"]] == [[0, 1], [2]]
    assert [g["lr"] for g in saved["param_groups"]] == [0.1, 0.5]


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_parameter_without_gradient_is_left_alone(name):
    params = parameters()
    opt = make(name, params)
    before = values(params)
    params[1].grad = zen.tensor(np.ones(params[1].shape))
    assert opt.step() is None
    np.testing.assert_array_equal(params[0].detach().numpy(), before[0])
    assert not np.array_equal(params[1].detach().numpy(), before[1])


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_closure_is_called_with_recording_on_and_its_loss_returned(name):
    params = parameters()
    opt = make(name, params, lr=0.01)
    closure = closure_for(opt, params)
    expected = closure().item()
    with zen.no_grad():
        loss = opt.step(closure)
    assert loss.item() == expected
    assert closure().item() < expected


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_step_spoils_the_graph_that_saved_the_old_values(name):
    params = parameters()
    opt = make(name, params)
    late = (params[0] * params[0]).sum()
    opt.step(closure_for(opt, params))
    with pytest.raises(RuntimeError, match=rf"overwritten in place by '{name}\.step'"):
        late.backward()


@pytest.mark.parametrize("holder", ["view", "detached", "product"])
@pytest.mark.parametrize("size", [6, 40000])  # large arrays come from the engine's own memory
def test_a_step_is_announced_to_whoever_else_holds_the_memory(holder, size):
    """A write is not logged where nothing but the parameter refers to the memory; each of these does."""
    p = zen.tensor(np.linspace(1, 2, size), requires_grad=True)
    x = zen.tensor(np.ones(2), requires_grad=True)
    if holder == "view":
        late = (x * p.detach()[1:3]).sum()
    elif holder == "detached":
        late = (x * p.detach()[:1]).sum()
    else:
        late = (p * x[0]).sum()
    opt = zen.optim.SGD([p], lr=0.1)
    p.grad = zen.tensor(np.ones(size))
    opt.step()
    with pytest.raises(RuntimeError, match=r"overwritten in place by 'SGD\.step'"):
        late.backward()


def test_two_parameters_on_one_array_of_the_users():
    """Of memory that somebody outside holds a graph saves a copy: a step does that no harm."""
    memory = np.linspace(1, 2, 6)
    p, other = zen.from_numpy(memory).requires_grad_(), zen.from_numpy(memory)
    x = zen.tensor(np.ones(2), requires_grad=True)
    late = (x * other[1:3]).sum()
    expected = memory[1:3].copy()
    p.grad = zen.tensor(np.ones(6))
    zen.optim.SGD([p], lr=0.1).step()
    late.backward()
    np.testing.assert_array_equal(x.gradient, expected)
    np.testing.assert_allclose(other.array, np.linspace(1, 2, 6) - 0.1)


@pytest.mark.parametrize("name", ["Adam", "Muon"])
def test_a_step_is_announced_to_a_graph_that_saved_a_part_of_the_state(name):
    p = zen.tensor(np.ones((2, 2)), requires_grad=True)
    p.grad = zen.tensor(np.ones((2, 2)))
    opt = getattr(zen.optim, name)([p], lr=0.1)
    opt.step()
    x = zen.tensor(np.ones((2, 2)), requires_grad=True)
    late = (x * opt.state[p]["exp_avg" if name == "Adam" else "momentum_buffer"]).sum()
    opt.step()
    with pytest.raises(RuntimeError, match=rf"overwritten in place by '{name}\.step'"):
        late.backward()


@pytest.mark.parametrize("name", FIRST_ORDER)
@pytest.mark.parametrize("layout", ["transposed", "every second", "reversed", "gradient"])
def test_strided_parameters_and_gradients(name, layout):
    def view(a):
        base = np.zeros((8, 6))
        v = {"transposed": base[:4, :3].T, "every second": base[:6:2, :4], "reversed": base[2::-1, 3::-1]}[layout]
        v[...] = a
        return v

    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal((3, 4)), rng.standard_normal((3, 3, 4))
    plain = zen.tensor(start, requires_grad=True)
    if layout == "gradient":
        strided = zen.tensor(start, requires_grad=True)
    else:
        memory = view(start)
        strided = zen.from_numpy(memory).requires_grad_()
        assert not memory.flags.c_contiguous
    a, b = make(name, [plain]), make(name, [strided])
    for g in grads:
        plain.grad = zen.tensor(g)
        strided.grad = zen.from_numpy(np.asfortranarray(g)) if layout == "gradient" else zen.tensor(g)
        a.step()
        b.step()
    np.testing.assert_array_equal(plain.detach().numpy(), strided.detach().numpy())
    if layout != "gradient":
        np.testing.assert_array_equal(memory, plain.detach().numpy())  # changed where it lies


@pytest.mark.parametrize("name", FIRST_ORDER)
@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (5,), (40000,)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_shapes_and_dtypes(name, shape, dtype):
    """float16 keeps its state in float16 and is computed in float32; zero elements are no special case."""
    shape = (*shape, 1)[:2] if name == "Muon" else shape
    shape = (1, 1) if name == "Muon" and len(shape) < 2 else shape
    exact, p = (zen.tensor(np.full(shape, 2.0, d), requires_grad=True) for d in ("float64", dtype))
    a, b = make(name, [exact]), make(name, [p])
    for k in range(3):
        exact.grad, p.grad = (zen.tensor(np.full(shape, 0.5 + k, t.dtype)) for t in (exact, p))
        a.step()
        b.step()
    assert p.dtype == dtype and p.shape == shape
    assert all(s.dtype == dtype for s in b.state[p].values() if isinstance(s, zen.Tensor))
    tolerance = {"float16": 5e-3, "float32": 1e-5, "float64": 0}[dtype]
    np.testing.assert_allclose(p.detach().numpy().astype("float64"), exact.detach().numpy(), rtol=tolerance)


def test_maximize_ascends():
    for name in (n for n in FIRST_ORDER if n != "Muon"):  # as in PyTorch
        up, down = (zen.tensor([2.0, -1.0], requires_grad=True) for _ in range(2))
        options = {"weight_decay": 0} if name not in ("Adagrad", "Rprop") else {}
        a, b = make(name, [up], maximize=True, **options), make(name, [down], **options)
        for _ in range(3):
            up.grad, down.grad = zen.tensor([1.0, -3.0]), zen.tensor([-1.0, 3.0])
            a.step()
            b.step()
        np.testing.assert_array_equal(up.detach().numpy(), down.detach().numpy())


def test_a_new_learning_rate_takes_effect_and_groups_have_their_own():
    w, v = zen.tensor([1.0], requires_grad=True), zen.tensor([1.0], requires_grad=True)
    opt = zen.optim.SGD([{"params": [w]}, {"params": [v], "lr": 0.5}], lr=0.25)
    w.grad = v.grad = zen.tensor([1.0])
    opt.step()
    assert (w.item(), v.item()) == (0.75, 0.5)
    opt.param_groups[0]["lr"] = 0.0
    opt.add_param_group({"params": [zen.tensor([1.0], requires_grad=True)], "lr": 0.125})
    opt.param_groups[2]["params"][0].grad = zen.tensor([1.0])
    opt.step()
    assert (w.item(), v.item(), opt.param_groups[2]["params"][0].item()) == (0.75, 0.0, 0.875)


def test_options_switched_on_later_get_their_state():
    p = zen.tensor([1.0, 2.0], requires_grad=True)
    p.grad = zen.tensor([1.0, 1.0])
    adam, rms = zen.optim.Adam([p]), zen.optim.RMSprop([p])
    for opt in (adam, rms):
        opt.step()
    adam.param_groups[0]["amsgrad"] = rms.param_groups[0]["centered"] = True
    for opt in (adam, rms):
        opt.step()
    assert adam.state[p]["step"] == rms.state[p]["step"] == 2
    assert "max_exp_avg_sq" in adam.state[p] and "grad_avg" in rms.state[p]


def test_zero_grad():
    p = zen.tensor([1.0], requires_grad=True)
    opt = zen.optim.SGD([p])
    (p * 3).sum().backward()
    kept = p.grad
    opt.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0] and kept.tolist() == [3.0]
    opt.zero_grad()
    assert p.grad is None


def test_named_parameters():
    w, b = parameters()
    opt = zen.optim.SGD([("w", w), ("b", b)])
    assert opt.param_groups[0]["param_names"] == ["w", "b"]
    assert [p is q for p, q in zip(opt.param_groups[0]["params"], [w, b], strict=True)] == [True, True]
    with pytest.raises(ValueError, match="some groups have names"):
        opt.add_param_group({"params": parameters()})
    with pytest.raises(ValueError, match="some parameters of a group have names"):
        zen.optim.SGD([("w", w), b])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (lambda p: p, TypeError, r"params must be an iterable of Tensors.*not Tensor; write \[p\]"),
        (lambda p: 3, TypeError, "params must be an iterable"),
        (lambda p: [], ValueError, "SGD: the list of parameters is empty"),
        (lambda p: [{"params": []}], ValueError, "SGD: the list of parameters is empty"),
        (lambda p: [p, 1.0], TypeError, "SGD: parameter 1 is a float, not a Tensor"),
        (lambda p: [p, p], ValueError, r"SGD: parameter 1, of shape \(2,\), is given twice"),
        (lambda p: [{"params": [p]}, {"params": [p]}], ValueError, "is given twice"),
        (lambda p: [p * 2], ValueError, r"parameter 0, of shape \(2,\), is the result of an operation"),
        (lambda p: [{"params": {p}}], TypeError, "params is a set"),
        (lambda p: [{"parameters": [p]}], TypeError, "a group must be a dict with the key 'params'"),
    ],
)
def test_what_is_not_a_list_of_parameters(params, error, message):
    with pytest.raises(error, match=message):
        zen.optim.SGD(params(zen.tensor([1.0, 2.0], requires_grad=True)))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("SGD", {"lr": -1}, r"SGD: lr is -1; expected a number >= 0"),
        ("SGD", {"lr": float("nan")}, "SGD: lr is nan"),
        ("SGD", {"nesterov": True}, "nesterov needs momentum > 0 and dampening 0, but they are 0 and 0"),
        ("Adam", {"betas": (0.9, 1.0)}, r"Adam: betas\[1\] is 1.0; expected a number in \[0, 1\)"),
        ("Adam", {"betas": (-0.1, 0.9)}, r"Adam: betas\[0\] is -0.1"),
        ("Adam", {"betas": 0.9}, r"Adam: betas is 0.9; expected two numbers"),
        ("AdamW", {"eps": -1e-8}, "AdamW: eps is -1e-08"),
        ("RMSprop", {"alpha": -1}, "RMSprop: alpha is -1"),
        ("Adagrad", {"lr_decay": -1}, "Adagrad: lr_decay is -1"),
        ("Lion", {"weight_decay": -1}, "Lion: weight_decay is -1"),
        ("Adafactor", {"d": 0.5}, "Adafactor: d is 0.5; expected a number >= 1"),
        ("Adafactor", {"beta2_decay": 0.5}, "Adafactor: beta2_decay is 0.5; expected a number <= 0"),
        ("Adafactor", {"eps": 1e-3}, "Adafactor: eps is 0.001; expected two numbers >= 0, of which the first may be N"),
        ("Adafactor", {"eps": (None, -1.0)}, r"Adafactor: eps\[1\] is -1.0; expected a number >= 0"),
        ("Adafactor", {"eps": (1e-3, None)}, r"Adafactor: eps\[1\] is None"),
        ("Muon", {"adjust_lr_fn": "none"}, "Muon: adjust_lr_fn is 'none'; expected None, original or match_rms_adamw"),
        ("Muon", {"ns_steps": 100}, "Muon: ns_steps is 100"),
        ("Muon", {"ns_coefficients": (1, 2)}, "three numbers"),
        ("LBFGS", {"max_iter": 2.5}, "LBFGS: max_iter is 2.5; expected a whole number"),
        ("LBFGS", {"line_search_fn": "wolfe"}, "line_search_fn is 'wolfe'; expected None or 'strong_wolfe'"),
    ],
)
def test_options_out_of_range(name, options, message):
    p = zen.tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(ValueError, match=message):
        getattr(zen.optim, name)([p], **options)
    if name != "LBFGS":
        with pytest.raises(ValueError, match=message):
            getattr(zen.optim, name)([{"params": [p], **options}])


def test_options_of_a_wrong_type_and_other_refusals():
    p = zen.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="Adam: lr is 'fast'; expected a number >= 0"):
        zen.optim.Adam([p], lr="fast")
    with pytest.raises(ValueError, match=r"Muon: parameter 0 has shape \(2,\); only matrices"):
        zen.optim.Muon([p])
    lbfgs = zen.optim.LBFGS([p])
    with pytest.raises(ValueError, match="there can be only one group"):
        lbfgs.add_param_group({"params": parameters()})
    with pytest.raises(TypeError, match="step needs a closure"):
        lbfgs.step()


def test_state_dicts_that_do_not_fit():
    params = parameters()
    adam, sgd = make("Adam", params), make("SGD", parameters())
    adam.step(closure_for(adam, params))
    saved = adam.state_dict()
    sgd.step(closure_for(sgd, sgd.param_groups[0]["params"]))
    cases = [
        ({"state": {}}, "has the keys 'state' and 'param_groups'"),
        ({**saved, "param_groups": []}, "0 groups were saved, but there are 1"),
        (
            {**saved, "param_groups": [{**saved["param_groups"][0], "params": [0]}]},
            "saved with 1 parameters, but has 2",
        ),
        (sgd.state_dict(), "group 0 was saved without amsgrad, betas, decoupled_weight_decay, eps"),
        ({**saved, "state": sgd.state_dict()["state"]}, "parameter 0 has 'momentum_buffer'; expected step, exp_avg"),
        ({**saved, "state": {2: {}}}, "the state is for parameter 2, but there are 2"),
        ({**saved, "state": {0: saved["state"][1]}}, r"exp_avg of parameter 0 was saved with shape \(2, 4\), but must"),
        ({**saved, "param_groups": [{**saved["param_groups"][0], "lr": -1.0}]}, "lr is -1.0"),
    ]
    for state, message in cases:
        with pytest.raises(ValueError, match=message):
            adam.load_state_dict(state)
    assert adam.state[params[0]]["step"] == 1 and adam.param_groups[0]["lr"] == 0.1


def test_a_state_that_was_spoilt_by_hand_is_refused_before_anything_moves():
    params = parameters()
    opt = make("Adam", params)
    opt.step(closure_for(opt, params))
    late, before, count = (params[0] * params[0]).sum(), values(params), opt.state[params[0]]["step"]
    opt.state[params[1]]["exp_avg"] = zen.zeros(3)
    with pytest.raises(ValueError, match=r"state 'exp_avg' of a parameter of shape \(2, 4\) has shape \(3,\)"):
        opt.step()
    np.testing.assert_array_equal(params[0].detach().numpy(), before[0])
    assert opt.state[params[0]]["step"] == count
    params[0].grad = None
    late.backward()
    np.testing.assert_array_equal(params[0].gradient, 2 * before[0])
    opt.state[params[0]]["exp_avg"] = None
    with pytest.raises(TypeError, match="state 'exp_avg' of a parameter .* must be a Tensor"):
        opt.step()


@pytest.mark.parametrize("name", ["SGD", "Muon", "LBFGS"])
def test_read_only_memory_is_refused(name):
    memory = np.ones((1, 3))
    memory.flags.writeable = False
    p = zen.from_numpy(memory).requires_grad_()
    p.grad = zen.tensor(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"parameter of shape \(1, 3\) is read-only; clone\(\) it first"):
        getattr(zen.optim, name)([p]).step((lambda: 1.0) if name == "LBFGS" else None)
    assert memory.tolist() == [[1, 1, 1]]


def test_a_gradient_with_a_graph_is_used_for_its_value():
    p = zen.tensor([2.0], requires_grad=True)
    (p**3).sum().backward(create_graph=True)
    zen.optim.SGD([p], lr=0.125).step()
    assert p.item() == 0.5


def test_copies_and_pickles_go_on_alike():
    params = parameters()
    opt = make("Adam", params)
    opt.step(closure_for(opt, params))
    twin = copy.deepcopy(opt)
    other = pickle.loads(pickle.dumps(opt))
    for o in (opt, twin, other):
        o.step(closure_for(o, o.param_groups[0]["params"]))
    for p, q, r in zip(*(o.param_groups[0]["params"] for o in (opt, twin, other)), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
        np.testing.assert_array_equal(p.detach().numpy(), r.detach().numpy())


def test_repr_shows_groups_and_options():
    assert "group 0: 2 parameters\n    amsgrad: True" in repr(make("Adam", parameters()))

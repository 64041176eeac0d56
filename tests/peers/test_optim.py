"""Optimisers and schedules against PyTorch: trajectories over 50 steps, sequences of learning rates."""

import numpy as np
import pytest
import torch

import zen

STEPS = 50
SHAPES = ((3, 4), (5,), (2, 3, 2))
CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.8, "weight_decay": 0.1, "eps": 1e-4}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "centered": True, "maximize": True}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "centered": True, "momentum": 0.8}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1, "initial_accumulator_value": 0.2, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1, "momentum_decay": 0.05, "eps": 0.1}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1, "eps": 1e-3}),
    ("RAdam", {"lr": 0.05, "betas": (0.7, 0.5), "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1, "eps": 1e-3, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.05, "etas": (0.3, 1.4), "step_sizes": (0.01, 0.08), "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-4, 0.2), "d": 1.5, "weight_decay": 0.1}),
    ("Adafactor", {"lr": 0.1, "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.02, "lambd": 0.01, "alpha": 0.6, "t0": 20, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.02, "t0": 0, "maximize": True}),
]


def pair(dtype, shapes=SHAPES):
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    return (
        [zen.tensor(a, requires_grad=True) for a in starts],
        [torch.tensor(a, requires_grad=True) for a in starts],
        [rng.standard_normal(shape).astype(dtype) for shape in shapes],
    )


def train(ours, theirs, mine, yours, targets, steps=STEPS, waves=3):
    """Steps on sum(cos(waves (p - target)) + (p - target)^2): gradients that change sign on the way."""
    for _ in range(steps):
        for opt, params, f, make in ((ours, mine, zen, zen.tensor), (theirs, yours, torch, torch.tensor)):
            opt.zero_grad()
            loss = 0.0
            for p, t in zip(params, targets, strict=True):
                d = p - make(t)
                loss = loss + (f.cos(waves * d) + d * d).sum()
            loss.backward()
            opt.step()


def compare(mine, yours, dtype, tight=1e-10):
    tolerance = tight if dtype == "float64" else 2e-3
    for p, q in zip(mine, yours, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True)
def numbers_in_double():
    """PyTorch keeps the numbers of a state (mu_product, eta) in the default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_trajectories(name, options, dtype):
    mine, yours, targets = pair(dtype)
    ours, theirs = getattr(zen.optim, name)(mine, **options), getattr(torch.optim, name)(yours, **options)
    waves = 1 if name == "NAdam" else 3  # it doubles what rounding leaves in each step that it takes from a maximum
    train(ours, theirs, mine, yours, targets, waves=waves)
    compare(mine, yours, dtype)
    saved, expected = ours.state_dict(), theirs.state_dict()
    assert set(saved["param_groups"][0]) <= set(expected["param_groups"][0])
    for key, value in saved["param_groups"][0].items():
        assert value == expected["param_groups"][0][key], key
    for index, state in saved["state"].items():
        theirs_too = {k: v for k, v in expected["state"][index].items() if v is not None}
        assert set(state) == set(theirs_too)
        for key, value in theirs_too.items():
            found = state[key].detach().numpy() if isinstance(state[key], zen.Tensor) else state[key]
            tolerance = 1e-9 if dtype == "float64" else 1e-2
            np.testing.assert_allclose(found, value.detach().numpy(), rtol=tolerance, atol=tolerance)


NAMES = ["SGD", "Adam", "RMSprop", "Adagrad", "NAdam", "RAdam", "Adamax", "Adadelta", "Rprop", "ASGD"]


@pytest.mark.parametrize("name", NAMES)
def test_a_state_dict_of_pytorch_can_be_loaded(name):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    mine, yours, targets = pair("float64")
    theirs = getattr(torch.optim, name)(yours, lr=0.05, **options)
    ours = getattr(zen.optim, name)(mine, lr=0.7, **options)
    train(getattr(zen.optim, name)(mine, lr=0.05, **options), theirs, mine, yours, targets, 5)
    ours.load_state_dict(theirs.state_dict())
    train(ours, theirs, mine, yours, targets, 5)
    compare(mine, yours, "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.02},
        {"lr": 0.02, "nesterov": False, "weight_decay": 0.0, "adjust_lr_fn": "match_rms_adamw"},
        {"lr": 0.02, "momentum": 0.5, "ns_coefficients": (2.0, -1.5, 0.5), "ns_steps": 3, "adjust_lr_fn": "original"},
    ],
    ids=str,
)
def test_muon(options, dtype, monkeypatch):
    """PyTorch iterates in bfloat16; here it is made to iterate in the parameter's dtype."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda t: t.clone())
    mine, yours, targets = pair(dtype, ((3, 5), (5, 3), (4, 4)))
    ours, theirs = zen.optim.Muon(mine, **options), torch.optim.Muon(yours, **options)
    train(ours, theirs, mine, yours, targets)
    compare(mine, yours, dtype, tight=1e-8)


def test_lion_against_its_published_pseudocode():
    mine, yours, targets = pair("float64")
    ours = zen.optim.Lion(mine, lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)

    class Lion(torch.optim.Optimizer):
        def step(self):
            with torch.no_grad():
                for p in self.param_groups[0]["params"]:
                    m = self.state[p].setdefault("m", torch.zeros_like(p))
                    update = torch.sign(0.9 * m + (1 - 0.9) * p.grad)
                    p.copy_(p - 0.01 * (update + 0.1 * p))
                    m.copy_(0.99 * m + (1 - 0.99) * p.grad)

    train(ours, Lion(yours, {}), mine, yours, targets)
    compare(mine, yours, "float64")


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"line_search_fn": "strong_wolfe"}, 2),
        ({"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7}, 8),
        ({"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 0.3}, 8),
        ({"lr": 1e-3, "max_iter": 4}, 10),
    ],
    ids=str,
)
def test_lbfgs_on_rosenbrock(options, steps):
    x = zen.tensor(np.array([-1.2, 1.0, 0.7, -0.4]), requires_grad=True)
    y = torch.tensor([-1.2, 1.0, 0.7, -0.4], dtype=torch.float64, requires_grad=True)
    ours, theirs = zen.optim.LBFGS([x], **options), torch.optim.LBFGS([y], **options)

    def closure(opt, p):
        opt.zero_grad()
        loss = rosenbrock(p)
        loss.backward()
        return loss

    for _ in range(steps):
        a = ours.step(lambda: closure(ours, x))
        b = theirs.step(lambda: closure(theirs, y))
        np.testing.assert_allclose(a.item(), b.item(), rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-6, atol=1e-9)
    saved, expected = ours.state_dict()["state"][0], theirs.state_dict()["state"][0]
    assert set(expected) - set(saved) <= {"al"}
    assert (saved["func_evals"], saved["n_iter"]) == (expected["func_evals"], expected["n_iter"])
    assert len(saved["old_dirs"]) == len(expected["old_dirs"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_lbfgs_on_several_parameters(line_search_fn, dtype):
    mine, yours, targets = pair(dtype)
    for opt, params, f, make in (
        (zen.optim.LBFGS, mine, zen, zen.tensor), (torch.optim.LBFGS, yours, torch, torch.tensor),
    ):  # fmt: skip
        optimiser = opt(params, lr=0.5, max_iter=4, history_size=3, line_search_fn=line_search_fn)

        def closure(optimiser=optimiser, params=params, f=f, make=make):
            optimiser.zero_grad()
            loss = sum(
                (((p - make(t)) ** 2 + f.cosh(p - make(t))).sum() for p, t in zip(params, targets, strict=True)), 0.0
            )
            loss.backward()
            return loss

        for _ in range(2):
            optimiser.step(closure)
    compare(mine, yours, dtype)


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, float("inf")])
def test_clipping(order):
    mine, yours, targets = pair("float64")
    for p, q, g in zip(mine, yours, targets, strict=True):
        p.grad, q.grad = zen.tensor(g), torch.tensor(g)
    a = zen.optim.clip_grad_norm_(mine, 1.5, order)
    b = torch.nn.utils.clip_grad_norm_(yours, 1.5, order)
    np.testing.assert_allclose(a.item(), b.item(), rtol=1e-12)
    zen.optim.clip_grad_value_(mine, 0.2)
    torch.nn.utils.clip_grad_value_(yours, 0.2)
    for p, q in zip(mine, yours, strict=True):
        np.testing.assert_allclose(p.grad.detach().numpy(), q.grad.detach().numpy(), rtol=1e-12)


def test_moving_average():
    (p,), (q,), _ = pair("float64", ((3, 2),))
    theirs = torch.optim.swa_utils.AveragedModel(
        torch.nn.ParameterList([q]), multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    )
    theirs.update_parameters(torch.nn.ParameterList([q]))  # the first one copies
    ours = zen.optim.ExponentialMovingAverage([p], 0.9)
    for k in range(20):
        with zen.no_grad(), torch.no_grad():
            p += float(k)
            q += float(k)
        ours.update()
        theirs.update_parameters(torch.nn.ParameterList([q]))
    np.testing.assert_allclose(ours.averages[0].detach().numpy(), theirs.module[0].detach().numpy(), rtol=1e-12)


SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]),
    "step": lambda s, o: s.StepLR(o, 7, 0.5),
    "multistep": lambda s, o: s.MultiStepLR(o, [30, 4, 4, 11], 0.3),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.93),
    "constant": lambda s, o: s.ConstantLR(o, 0.25, 6),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 0.8, 12),
    "polynomial": lambda s, o: s.PolynomialLR(o, 20, 1.5),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 12, 0.01),
    "cosine to zero": lambda s, o: s.CosineAnnealingLR(o, 7),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.01),
    "restarts of one length": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "one cycle": lambda s, o: s.OneCycleLR(o, [0.5, 0.1], 60),
    "one cycle, linear": lambda s, o: s.OneCycleLR(o, 0.5, epochs=6, steps_per_epoch=10, anneal_strategy="linear"),
    "one cycle, three phases": lambda s, o: s.OneCycleLR(o, 0.5, 52, pct_start=0.2, three_phase=True),
    "one cycle, rates alone": lambda s, o: s.OneCycleLR(o, 0.5, 52, cycle_momentum=False, div_factor=10.0),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, [lambda e: 0.95, lambda e: 1 / (1 + e)]),
    "cycles": lambda s, o: s.CyclicLR(o, 0.1, [0.5, 0.9], 5),
    "cycles, halved": lambda s, o: s.CyclicLR(o, [0.1, 0.01], 0.9, 5, 3, "triangular2", base_momentum=0.7),
    "cycles, fading": lambda s, o: s.CyclicLR(o, 0.1, 0.9, 4, None, "exp_range", 0.97, max_momentum=0.99),
    "cycles by a function": lambda s, o: s.CyclicLR(o, 0.1, 0.9, 4, 6, scale_fn=lambda c: 1 / c, cycle_momentum=False),
    "chain": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 7), s.StepLR(o, 9, 0.5), s.ExponentialLR(o, 0.9)]),
    "sequence": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.9)], [5, 25]
    ),
    "sequence of restarts": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.5, 3), s.CosineAnnealingWarmRestarts(o, 4, 2), s.StepLR(o, 2)], [3, 30]
    ),
}


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning", "ignore:The epoch parameter:UserWarning")
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, kind):
    options = {"momentum": 0.9} if kind == "SGD" else {}
    sequences = []
    for library, tensor in ((zen, zen.tensor), (torch, torch.tensor)):
        groups = [{"params": [tensor([1.0], requires_grad=True)], "lr": lr} for lr in (0.4, 0.02)]
        opt = getattr(library.optim, kind)(groups, **options)
        schedule = SCHEDULES[name](library.optim.lr_scheduler, opt)
        rates = []
        for _ in range(STEPS):
            momenta = [g["momentum"] if kind == "SGD" else g["betas"][0] for g in opt.param_groups]
            rates.append([*[g["lr"] for g in opt.param_groups], *momenta, *schedule.get_last_lr()])
            schedule.step()
        sequences.append(rates)
    np.testing.assert_allclose(*sequences, rtol=1e-10, atol=1e-14)


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
def test_restarts_by_fractions_of_an_epoch():
    sequences = []
    for library, tensor in ((zen, zen.tensor), (torch, torch.tensor)):
        opt = library.optim.SGD([tensor([1.0], requires_grad=True)], lr=0.4)
        schedule = library.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 3, 2)
        rates = []
        for batch in range(60):
            schedule.step(batch / 4)
            rates += schedule.get_last_lr()
        sequences.append(rates)
    np.testing.assert_allclose(*sequences, rtol=1e-10)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"mode": "max", "threshold": 0.05, "patience": 0, "cooldown": 3},
        {"threshold_mode": "abs", "threshold": 0.1, "factor": 0.5, "patience": 1, "min_lr": 0.01},
        {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 3},
    ],
    ids=str,
)
def test_plateau(options):
    metrics = np.random.default_rng(0).standard_normal(STEPS).cumsum() * 0.1 + 2
    sequences = []
    for library, tensor in ((zen, zen.tensor), (torch, torch.tensor)):
        opt = library.optim.SGD([tensor([1.0], requires_grad=True)], lr=0.4)
        schedule = library.optim.lr_scheduler.ReduceLROnPlateau(opt, **options)
        rates = []
        for metric in metrics:
            schedule.step(metric)
            rates += schedule.get_last_lr()
        sequences.append(rates)
    np.testing.assert_allclose(*sequences, rtol=1e-12)

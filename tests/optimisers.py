"""What the tests of optimisers share: each optimiser with options that use all of its state, and gradients for it."""

import numpy as np

import zen

OPTIMISERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adam": {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01},
    "AdamW": {"lr": 0.1, "weight_decay": 0.1},
    "RMSprop": {"lr": 0.1, "momentum": 0.9, "centered": True, "weight_decay": 0.01},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5},
    "NAdam": {"lr": 0.1, "weight_decay": 0.01},
    "RAdam": {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.01, "decoupled_weight_decay": True},
    "Adamax": {"lr": 0.1, "weight_decay": 0.01},
    "Adadelta": {"lr": 1.0, "eps": 0.01, "weight_decay": 0.01},
    "Rprop": {"lr": 0.1},
    "ASGD": {"lr": 0.01, "t0": 2, "weight_decay": 0.01},
    "Lion": {"lr": 0.1, "weight_decay": 0.1},
    "Adafactor": {"lr": 0.1, "weight_decay": 0.1},
    "Muon": {"lr": 0.1},
    "LBFGS": {"lr": 0.5, "max_iter": 3, "history_size": 2, "line_search_fn": "strong_wolfe"},
}


def parameters(dtype="float64", shapes=((3, 2), (2, 4)), seed=0):
    rng = np.random.default_rng(seed)
    return [zen.tensor(rng.standard_normal(s).astype(dtype), requires_grad=True) for s in shapes]


def closure_for(optimiser, params, seed=1):
    """A convex function of all parameters, with a minimum that is not at zero."""
    targets = [np.random.default_rng(seed).standard_normal(p.shape).astype(p.dtype) for p in params]

    def closure():
        optimiser.zero_grad()
        loss = sum((((p - t) ** 2).sum() + ((p - t) ** 4).sum() for p, t in zip(params, targets, strict=True)), 0.0)
        loss.backward()
        return loss

    return closure


def make(name, params, **changes):
    return getattr(zen.optim, name)(params, **{**OPTIMISERS[name], **changes})

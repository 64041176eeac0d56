"""The rules as data: what their lines say is what both engines do, on every way through their conditions."""

import itertools
import math

import numpy as np
import pytest

import zen
from zen import backend
from zen.optim.rule import Rule, rule
from zen.optim.rules import RULES, SGD

OPTIONS = {
    "lr": (0.1,), "momentum": (0.0, 0.9), "dampening": (0.0, 0.25), "weight_decay": (0.0, 0.1), "nesterov": (0, 1),
    "maximize": (0, 1), "beta1": (0.9,), "beta2": (0.95,), "eps": (1e-3,), "shrink": (0.0, 0.1), "amsgrad": (0, 1),
    "alpha": (0.9,), "centered": (0, 1), "lr_decay": (0.5,), "momentum_decay": (0.1,), "rho": (0.9,),
    "etaminus": (0.5,), "etaplus": (1.25,), "smallest": (0.01,), "largest": (0.02,), "lambd": (0.1,), "t0": (0, 1),
}  # fmt: skip
NUMBER = 0.75  # what the numbers of the state start with


def complete(state, numbers=()):
    def fill(p, names, counts):
        entry = state.setdefault(p, {"step": 0} if counts else {})
        for name in names:
            entry.setdefault(name, NUMBER if name in numbers else zen.zeros(p.shape, p.dtype))
        return entry

    return fill


def sign(x):
    return math.nan if math.isnan(x) else (x > 0) - (x < 0)


def by_sign(x, below, zero, above):
    return (below, zero, above)[sign(x) + 1]


def by_hand(declared, options, gradients, start):
    """Each element's values after the steps, by running the lines on Python's floats."""
    found = []
    functions = {"sqrt": math.sqrt, "maximum": max, "minimum": min, "sign": sign, "by_sign": by_sign}
    for k, x in enumerate(start):
        known = dict.fromkeys(declared.arrays, 0.0) | dict.fromkeys(declared.numbers, NUMBER) | {"p": float(x)}
        known |= functions
        for step, g in enumerate(gradients):
            exec(declared.update, known | options | {"step": step + 1, "first": step == 0, "g": float(g[k])}, known)
        found.append(known["p"])
    return found


@pytest.mark.parametrize("declared", RULES, ids=lambda r: r.name)
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-13), ("float32", 2e-6)])
def test_the_engine_does_what_the_lines_say_on_every_way(declared, dtype, rtol):
    rng = np.random.default_rng(5)
    start, gradients = rng.normal(size=7).astype(dtype), rng.normal(size=(3, 7)).astype(dtype)
    prepare, ways = backend.kernels.optim.rule(declared), set()
    for values in itertools.product(*[OPTIONS[name] for name in declared.options]):
        p = zen.tensor(start, requires_grad=True)
        state: dict = {}
        for g in gradients:
            p.grad = zen.tensor(g)
            backend.kernels.optim.move([prepare([p], state, complete(state, declared.numbers), [], *values)])
        options = dict(zip(declared.options, values, strict=True))
        expected = by_hand(declared, options, gradients, start)
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=rtol, atol=rtol, err_msg=str(options))
        made = state.get(p, {})
        ways.add(tuple(name for name in made if name not in ("step", *declared.numbers)))
        assert ("step" in made) == declared.counts
        assert {*declared.numbers} <= {*made}
    needs = {declared.needs(declared.way(dict(zip(declared.tests(), truth, strict=True))))
             for truth in itertools.product((False, True), repeat=len(declared.tests()))}  # fmt: skip
    assert ways == needs, "each way has the arrays that its lines name, and no others"


def test_a_rule_with_too_few_values_is_refused():
    with pytest.raises((TypeError, ValueError)):
        backend.kernels.optim.rule(RULES[0])([], {}, None, [], 0.1)


def test_a_rule_that_nobody_declared_is_refused():
    made = type(backend.kernels.optim.rule(SGD))
    with pytest.raises(TypeError):
        made()([], {}, None, [])


@pytest.mark.parametrize("step", [-2, -1])
def test_the_count_of_steps_may_start_anywhere(step):
    """The numbers of a step are computed whatever its number is."""
    p = zen.tensor([1.0], requires_grad=True)
    p.grad = zen.tensor([2.0])
    opt = zen.optim.RMSprop([p], lr=0.5, alpha=0.75, eps=0)
    opt.state[p] = {"step": step, "square_avg": zen.zeros(1)}
    opt.step()
    assert p.item() == pytest.approx(1 - 0.5 * 2 / math.sqrt(0.25 * 4))


def test_a_declaration_that_was_changed_after_the_build_is_refused():
    changed = RULES[0]._replace(update=RULES[0].update.replace("- lr * d", "+ lr * d"))
    if backend.NAME == "reference":
        assert backend.kernels.optim.rule(changed) is not None
    else:
        with pytest.raises(ImportError, match="build anew"):
            backend.kernels.optim.rule(changed)


@pytest.mark.parametrize(("text", "message"), [
    ("p += g", "no line of an update"), ("p[0] = g", "no line of an update"), ("for i in g:\n    p = g", "no line"),
    ("if step > 1:\n    p = g", "no line of an update"), ("if lr:\n    rate = lr * 2\np = p - g", "under a condition"),
    ("rate = step * lr\nif rate > 1:\n    p = g", "no line of an update"), ("if g > 0:\n    p = g", "no line"),
])  # fmt: skip
def test_what_is_no_update_raises_and_names_the_rule(text, message):
    with pytest.raises(ValueError, match=f"rule 'made': .*{message}"):
        rule("made", "lr", "", text).lines()


def test_the_parts_of_a_declaration():
    made = rule("made", "lr c?", "a b step", """
        if c:
            a = a + g
        else:
            b = b - g
        """, "p = p - lr * g")  # fmt: skip
    text = "if c:\n    a = a + g\nelse:\n    b = b - g\np = p - lr * g\n"
    assert made == Rule("made", ("lr", "c"), ("c",), ("a", "b"), (), True, text)
    assert rule("made", "lr", "a m#", "m = lr * m", "p = p - m * a")[3:6] == (("a",), ("m",), True)
    assert made.tests() == ["c"]
    assert [made.needs(made.way({"c": c})) for c in (True, False)] == [("a",), ("b",)]


def test_flags_are_taken_for_true_or_false():
    found = []
    for flag in (True, 1, 7, "yes", np.True_):
        p = zen.tensor([1.0], requires_grad=True)
        p.grad = zen.tensor([1.0])
        backend.kernels.optim.move([backend.kernels.optim.rule(SGD)([p], {}, None, [], 0.5, 0, 0, 0, False, flag)])
        found.append(p.item())
    assert found == [1.5] * 5
    with pytest.raises((TypeError, ValueError)):
        backend.kernels.optim.rule(SGD)([], {}, None, [], "fast", 0, 0, 0, False, False)

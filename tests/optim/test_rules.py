"""Each optimiser's rule in small cases that can be computed by hand."""

import math

import numpy as np
import pytest

import zen
from zen.optim.line_search import Point, cubic_minimum, strong_wolfe


def steps(optimiser, p, grads):
    """The values of a parameter of one element after each step."""
    found = []
    for g in grads:
        p.grad = zen.tensor(np.full(p.shape, g))
        optimiser.step()
        found.append(p.item())
    return found


def one(value=1.0):
    return zen.tensor([value], requires_grad=True)


def test_sgd_starts_its_buffer_with_the_whole_gradient():
    p = one()
    assert steps(zen.optim.SGD([p], lr=0.5, momentum=0.5, dampening=0.5), p, [1.0, 1.0]) == [0.5, 0.0]
    p = one()
    assert steps(zen.optim.SGD([p], lr=0.5, momentum=0.5, nesterov=True), p, [1.0, 1.0]) == [0.25, -0.625]


def test_adam_takes_steps_of_lr_for_a_constant_gradient():
    for g in (1e-3, 1e3):
        p = one()
        found = steps(zen.optim.Adam([p], lr=0.25, eps=0), p, [g] * 3)
        np.testing.assert_allclose(found, [0.75, 0.5, 0.25], rtol=1e-12)


def test_weight_decay_of_adam_goes_through_the_moments_and_of_adamw_does_not():
    p, q = one(4.0), one(4.0)
    (coupled,) = steps(zen.optim.Adam([p], lr=0.5, eps=0, weight_decay=0.1), p, [0.0])
    (decoupled,) = steps(zen.optim.AdamW([q], lr=0.5, weight_decay=0.1), q, [0.0])
    assert coupled == pytest.approx(3.5, rel=1e-12) and decoupled == pytest.approx(3.8, rel=1e-12)


def test_amsgrad_never_forgets_a_large_gradient():
    p, q = one(0.0), one(0.0)
    grads = [100.0] + [1.0] * 40
    kept = steps(zen.optim.Adam([p], lr=1.0, betas=(0.0, 0.5), amsgrad=True), p, grads)
    forgot = steps(zen.optim.Adam([q], lr=1.0, betas=(0.0, 0.5)), q, grads)
    assert kept[-2] - kept[-1] == pytest.approx(1 / math.sqrt(5000), rel=1e-6)
    assert forgot[-2] - forgot[-1] == pytest.approx(1.0, rel=1e-6)


def test_rmsprop_centered_divides_by_the_deviation():
    p = one(0.0)
    (found,) = steps(zen.optim.RMSprop([p], lr=1.0, alpha=0.75, eps=0, centered=True), p, [2.0])
    assert found == pytest.approx(-2 / math.sqrt(0.25 * 4 - 0.5**2))


def test_rmsprop_centered_survives_a_variance_below_zero():
    """After many equal gradients rounding may leave square_avg - grad_avg**2 at -1e-17; its root is not NaN here."""
    p = zen.tensor(np.full(64, 1.0), requires_grad=True)
    opt = zen.optim.RMSprop([p], lr=1e-9, alpha=0.5, centered=True)
    for _ in range(80):
        p.grad = zen.tensor(np.linspace(0.1, 1, 64))
        opt.step()
    assert np.isfinite(p.detach().numpy()).all()


def test_adagrad_by_hand():
    p = one(0.0)
    opt = zen.optim.Adagrad([p], lr=1.0, lr_decay=1.0, initial_accumulator_value=7.0, eps=0)
    assert steps(opt, p, [3.0, 3.0]) == pytest.approx([-3 / 4, -3 / 4 - 0.5 * 3 / 5])


def test_nadam_keeps_the_product_of_its_momenta():
    p = one(0.0)
    opt = zen.optim.NAdam([p], lr=1.0, betas=(0.5, 0.0), momentum_decay=0.0, eps=0)
    assert steps(opt, p, [1.0, 1.0]) == pytest.approx(
        [-(1 + 0.25 * 0.5 / 0.9375), -2 - 0.25 * 0.5 / 0.9375 - 0.1875 / 0.984375 + 1 - 0.75 / 0.9375]
    )
    assert opt.state_dict()["state"][0]["mu_product"] == 0.25**2


def test_radam_rectifies_where_its_average_is_long_enough():
    longest = 2 / 0.25 - 1
    lengths = [longest - 2 * t * 0.75**t / (1 - 0.75**t) for t in range(1, 12)]
    first = next(k for k, n in enumerate(lengths) if n > 5)
    p = one(0.0)
    found = steps(zen.optim.RAdam([p], lr=1.0, betas=(0.0, 0.75), eps=0), p, [3.0] * 11)
    taken = -np.diff([0.0, *found])
    np.testing.assert_allclose(taken[:first], 3.0, rtol=1e-12)
    n = np.array(lengths[first:])
    expected = np.sqrt((n - 4) * (n - 2) * longest / ((longest - 4) * (longest - 2) * n))
    np.testing.assert_allclose(taken[first:], expected, rtol=1e-12)


def test_adamax_divides_by_the_largest_gradient():
    p = one(0.0)
    found = steps(zen.optim.Adamax([p], lr=1.0, betas=(0.0, 0.5), eps=0), p, [8.0, 1.0, -4.0])
    assert found == [-1.0, -1.25, -0.25]


def test_adadelta_takes_steps_in_the_units_of_the_parameter():
    found = []
    for scale in (1.0, 100.0):
        p = one(0.0)
        found.append(steps(zen.optim.Adadelta([p], eps=1e-30), p, [scale, 2 * scale, -scale]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


def test_rprop_grows_and_shrinks_its_step_by_the_sign_alone():
    p = one(0.0)
    opt = zen.optim.Rprop([p], lr=1.0, etas=(0.5, 2.0), step_sizes=(0.25, 3.0))
    assert steps(opt, p, [5.0, 0.1, 9.0]) == [-1.0, -3.0, -6.0]
    assert steps(opt, p, [-1.0, -1.0, 0.0, 9.0, -1e300]) == [-6.0, -4.5, -4.5, -6.0, -6.0]
    assert opt.state[p]["prev"].item() == 0 and opt.state[p]["step_size"].item() == 0.75


def test_asgd_averages_from_step_t0_on():
    p = one(0.0)
    opt = zen.optim.ASGD([p], lr=1.0, lambd=0.0, t0=1)
    assert steps(opt, p, [-1.0, -1.0, -1.0, -1.0]) == [1.0, 2.0, 3.0, 4.0]
    assert opt.state[p]["ax"].item() == (3 + 4) / 2 and opt.state[p]["mu"] == 1 / 3
    q = one(8.0)
    opt = zen.optim.ASGD([q], lr=1.0, lambd=0.5, alpha=1.0)
    assert steps(opt, q, [0.0, 0.0]) == pytest.approx([4.0, 4 * (1 - 0.5 / 1.5)])
    opt.param_groups[0]["lr"] = 0.0  # counts from the step after the next one on
    assert steps(opt, q, [0.0, 0.0]) == pytest.approx([4 * (1 - 0.5 / 1.5) * (1 - 0.5 / 2)] * 2)


@pytest.mark.parametrize(("name", "options", "message"), [
    ("NAdam", {"momentum_decay": -1}, "NAdam: momentum_decay is -1; expected a number >= 0"),
    ("NAdam", {"betas": (0.9,)}, "NAdam: betas is .0.9,.; expected two numbers"),
    ("RAdam", {"betas": (0.9, 1.0)}, r"RAdam: betas\[1\] is 1.0"), ("Adamax", {"eps": -1}, "Adamax: eps is -1"),
    ("Adadelta", {"rho": 1.5}, r"Adadelta: rho is 1.5; expected a number in \[0, 1\]"),
    ("Rprop", {"etas": (1.5, 2.0)}, r"Rprop: etas is \(1.5, 2.0\); expected 0 < etas\[0\] < 1 < etas\[1\]"),
    ("Rprop", {"step_sizes": 1}, "Rprop: step_sizes is 1; expected two numbers"),
    ("ASGD", {"lr": -1}, "ASGD: lr is -1"),
])  # fmt: skip
def test_options_out_of_range_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(zen.optim, name)([one()], **options)


def test_lion_steps_by_the_sign_and_rests_at_zero():
    p = one(1.0)
    assert steps(zen.optim.Lion([p], lr=0.25, betas=(0.5, 0.5)), p, [3.0, -1.0, 0.0]) == [0.75, 0.5, 0.25]
    q = one(1.0)
    assert steps(zen.optim.Lion([q], lr=0.25), q, [0.0]) == [1.0]


def test_nan_reaches_the_parameter():
    for name in ("SGD", "Adam", "RMSprop", "Adagrad", "Lion"):
        p = zen.tensor([1.0, 1.0], requires_grad=True)
        p.grad = zen.tensor([math.nan, 1.0])
        getattr(zen.optim, name)([p]).step()
        assert math.isnan(p[0].item()) and math.isfinite(p[1].item()), name


def orthogonalised(matrix, coefficients=(3.4445, -4.775, 2.0315), steps=5):
    """What Muon takes from a parameter of zeros, by its first step without momentum and adjustment of the rate."""
    p = zen.tensor(np.zeros_like(matrix), requires_grad=True)
    p.grad = zen.tensor(matrix)
    zen.optim.Muon([p], lr=1.0, momentum=0.0, ns_coefficients=coefficients, ns_steps=steps).step()
    return -p.detach().numpy() / math.sqrt(max(1, matrix.shape[0] / matrix.shape[1]))


def test_muon_moves_singular_values_towards_one():
    rng = np.random.default_rng(0)
    for shape in ((6, 4), (4, 6)):
        u = orthogonalised(rng.standard_normal(shape))
        assert u.shape == shape and abs(np.linalg.svd(u, compute_uv=False) - 1).max() < 0.35
    exact = orthogonalised(
        rng.standard_normal((6, 4)), (1.5, -0.5, 0.0), 40
    )  # Newton and Schulz's own, which converges
    np.testing.assert_allclose(exact.T @ exact, np.eye(4), atol=1e-12)
    assert not orthogonalised(np.zeros((2, 3))).any()


def test_muon_adjusts_its_rate_to_the_shape():
    def moved(shape, **options):
        p = zen.tensor(np.zeros(shape), requires_grad=True)
        p.grad = zen.tensor(np.eye(*shape))
        opt = zen.optim.Muon([p], lr=1.0, weight_decay=0.0, ns_coefficients=(1.5, -0.5, 0.0), ns_steps=40, **options)
        opt.step()
        return abs(p.detach().numpy()).max()

    assert moved((8, 2)) == pytest.approx(2.0)
    assert moved((2, 8)) == pytest.approx(1.0)
    assert moved((9, 4), adjust_lr_fn="match_rms_adamw") == pytest.approx(0.6)


def test_lbfgs_solves_a_quadratic_of_n_variables_in_about_n_iterations():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((6, 6))
    a, b = root @ root.T + np.eye(6), rng.standard_normal(6)
    x = zen.tensor(np.zeros(6), requires_grad=True)
    opt = zen.optim.LBFGS([x], max_iter=25, tolerance_grad=1e-8, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = 0.5 * (x @ (zen.tensor(a) @ x)) - zen.tensor(b) @ x
        loss.backward()
        return loss

    opt.step(closure)
    np.testing.assert_allclose(x.detach().numpy(), np.linalg.solve(a, b), atol=1e-7)
    evaluations = opt.state_dict()["state"][0]["func_evals"]
    opt.step(closure)  # at the minimum: one look, nothing done
    assert opt.state_dict()["state"][0]["func_evals"] == evaluations + 1


def test_lbfgs_does_nothing_uphill_of_an_infinite_wall():
    """A trial where the loss is not finite counts as too high; the search comes back from it."""
    x = zen.tensor([0.5], requires_grad=True)
    opt = zen.optim.LBFGS([x], lr=10.0, max_iter=30, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = (x - zen.log(x)).sum()  # defined for x > 0 alone, least at 1
        loss.backward()
        return loss

    opt.step(closure)
    assert x.item() == pytest.approx(1.0, abs=1e-4)


def test_the_line_search_meets_the_wolfe_conditions():
    def objective(t):
        return Point(t, (t - 3) ** 4 - t, np.zeros(1), 4 * (t - 3) ** 3 - 1)

    start = objective(0.0)
    for first in (1e-3, 1.0, 50.0):
        end, used = strong_wolfe(objective, first, start, 1.0, change=1e-9, limit=25, c2=0.1)
        assert end.f <= start.f + 1e-4 * end.t * start.slope and abs(end.slope) <= -0.1 * start.slope
        assert used <= 12
    end, used = strong_wolfe(objective, 50.0, start, 1.0, change=1e-9, limit=1)
    assert used == 2 and end.f <= start.f


def test_the_cubic_minimum_is_exact_and_kept_within_bounds():
    def point(t):
        return Point(t, t**3 - 3 * t, np.zeros(1), 3 * t**2 - 3)  # least at 1

    for a, b in ((0.0, 3.0), (3.0, 0.0)):
        assert cubic_minimum(point(a), point(b), 0.0, 3.0) == pytest.approx(1.0)
        assert cubic_minimum(point(a), point(b), 2.0, 3.0) == 2.0
    same = Point(1.0, 0.0, np.zeros(1), 0.0)
    assert cubic_minimum(same, same, 0.0, 4.0) == 2.0
    nan = Point(2.0, math.nan, np.zeros(1), math.nan)
    assert cubic_minimum(same, nan, 1.0, 2.0) == 1.5

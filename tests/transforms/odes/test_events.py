"""Events and dense output of `odeint`, and their derivatives, against a ball that falls and other closed forms."""

import numpy as np
import pytest

import zen

H, G = 3.0, 9.81


def ground(t, y, g):
    return y[0]


ground.terminal, ground.direction = True, -1


def fall(t, y, g):
    return zen.stack([y[1], -g])


def dropped(h, g, **options):
    return zen.odeint(fall, zen.stack([h, 0.0 * h]), np.linspace(0, 5, 11), g, events=ground, **options)


def landing(h, g):
    return dropped(h, g).t_events[0][0]


def speed(h, g):
    return dropped(h, g).y_events[0][0, 1]


def test_a_terminal_event_ends_the_solution():
    r = zen.odeint(fall, np.array([H, 0.0]), np.linspace(0, 5, 11), G, events=ground)
    assert r.status == 1 and r.success and "termination event" in r.message and r.nfev > 0 and r.sol is None
    assert r.t.tolist() == [0.0, 0.5] and r.y.shape == (2, 2) and r.y_events[0].shape == (1, 2)
    assert type(r.t) is type(r.y) is type(r.t_events[0]) is np.ndarray
    assert r.t_events[0] == pytest.approx([np.sqrt(2 * H / G)])
    assert "status 1" in repr(r)


@pytest.mark.parametrize(
    ("mine", "exact"),
    [(landing, lambda h, g: np.sqrt(2 * h / g)), (speed, lambda h, g: -np.sqrt(2 * h * g))], ids=["time", "state"],
)  # fmt: skip
def test_the_time_of_an_event_and_the_state_there_have_derivatives(mine, exact):
    def mixed(f):
        return lambda h, g: zen.grad(lambda g: zen.grad(f)(h, g))(g)

    def forward(f):
        return lambda h, g: zen.jvp(f, (h, g), (1.0, 0.5))[1]

    def both(f):
        return lambda h, g: zen.jvp(zen.grad(lambda h: f(h, g)), (h,), (1.0,))[1]

    assert float(mine(H, G)) == pytest.approx(exact(H, G), rel=1e-7)
    for transform in (zen.grad, lambda f: zen.grad(f, 1), mixed, forward, both):
        assert float(transform(mine)(H, G)) == pytest.approx(float(transform(exact)(H, G)), rel=1e-6)


def test_a_ball_that_bounces():
    def second(h, g, e):
        first = dropped(h, g)
        start = zen.stack([0.0 * h, -e * first.y_events[0][0, 1]])
        t = first.t_events[0][0]
        again = zen.odeint(fall, start, zen.stack([t, t + 5.0]), g, events=ground)
        return again.t_events[0][-1]

    def exact(h, g, e):
        return np.sqrt(2 * h / g) + 2 * e * np.sqrt(2 * h * g) / g

    assert float(second(H, G, 0.8)) == pytest.approx(exact(H, G, 0.8), rel=1e-7)
    found, expected = [zen.grad(f, (0, 1, 2))(H, G, 0.8) for f in (second, exact)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_several_events_that_do_not_end_it():
    def crossing(t, y):
        return y["x"]

    def late(t, y):
        return t - 2.0

    def never(t, y):
        return y["x"] - 5.0

    w = zen.tensor(2.0, requires_grad=True)
    r = zen.odeint(lambda t, y: {"x": w * y["v"], "v": -w * y["x"]}, {"x": 0.0, "v": 1.0}, [0.5, 4.0],
                   events=[crossing, late, never])  # fmt: skip
    assert r.status == 0 and [len(t) for t in r.t_events] == [3, 1, 0] and r.y_events[2]["x"].shape == (0,)
    np.testing.assert_allclose(r.t_events[0].array, 0.5 + np.pi / 2 * np.arange(3), rtol=1e-7)
    # x = sin(w (t - 0.5)): zeros at 0.5 + k pi / w
    assert zen.gradients(r.t_events[0][2], w, retain_graph=True).item() == pytest.approx(-2 * np.pi / 4, rel=1e-6)
    slope = zen.gradients(r.y_events[1]["x"].sum(), w).item()
    assert slope == pytest.approx(1.5 * np.cos(2.0 * 1.5), rel=1e-6)
    assert r.t_events[1].array == pytest.approx([2.0])


def test_the_solution_as_a_function_of_time():
    def at(k, t, **options):
        return zen.odeint(lambda t, y, k: -k * y, 1.0, [0.0, 2.0], k, dense_output=True, **options).sol(t)

    t = np.array([0.3, 0.1, 2.0])
    np.testing.assert_allclose(at(1.5, t), np.exp(-1.5 * t), rtol=1e-6)
    by_k, by_t = zen.jacobian(at, (0, 1))(1.5, t)
    np.testing.assert_allclose(by_k, -t * np.exp(-1.5 * t), rtol=1e-6)
    np.testing.assert_allclose(by_t, np.diag(-1.5 * np.exp(-1.5 * t)), rtol=1e-6)
    assert zen.grad(zen.grad(at, 1), 0)(1.5, 0.5) == pytest.approx((-1 + 1.5 * 0.5) * np.exp(-0.75), rel=1e-6)
    assert zen.grad(lambda k: at(k, 0.5, sensitivity="forward"))(1.5) == pytest.approx(-0.5 * np.exp(-0.75), rel=1e-6)
    assert zen.jvp(at, (1.5, 0.5), (1.0, 0.0))[1] == pytest.approx(-0.5 * np.exp(-0.75), rel=1e-6)
    r = zen.odeint(lambda t, y: -y, np.ones((2, 2)), [0.0, 1.0], dense_output=True, method="Radau")
    assert r.sol(0.5).shape == (2, 2) and r.sol([0.0, 0.5]).shape == (2, 2, 2) and r.t_events is None
    assert zen.odeint(lambda t, y: -y, 1.0, [1.0], dense_output=True).sol(1.0) == 1.0
    with pytest.raises(ValueError, match=r"the solution is known from 0 to 1, .*asked for shape \(\), 2 to 2"):
        r.sol(2.0)


def test_an_event_without_a_slope_has_a_time_but_no_derivative():
    def jump(t, y, k):
        return zen.where(t < 0.5, -1.0, 1.0) + 0.0 * y

    def moment(k):
        return zen.odeint(lambda t, y, k: -k * y, 1.0, [0.0, 1.0], k, events=jump).t_events[0][0]

    assert moment(1.0) == pytest.approx(0.5)
    with pytest.raises(np.linalg.LinAlgError, match="an event: .*does not cross zero with a slope"):
        zen.grad(moment)(1.0)


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        (3, TypeError, "an event is a function of .*, not int"),
        (lambda t, y: 1.0, TypeError, "an event: the function returned float"),
        (lambda t, y: y, ValueError, r"an event returns one number, not shape \(2,\)"),
    ],
)
def test_bad_events_are_named(event, error, message):
    with pytest.raises(error, match=message):
        zen.odeint(lambda t, y: -y, np.ones(2), [0.0, 1.0], events=[event])

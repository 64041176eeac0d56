"""Sparse Jacobians and Hessians: values against the dense ones, and what a call takes, keeps and refuses."""

import io
import pickle
import threading

import numpy as np
import pytest
import scipy.sparse

import zen

RNG = np.random.default_rng(0)
X = RNG.normal(size=12)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def chain(x):
    return np.sin(x[1:]) * x[:-1]


def of_tree(p, s):
    return {"y": p["w"] * p["b"], "z": [s * p["b"], s**2]}


TREE = {"w": RNG.normal(size=(2, 3)), "b": RNG.normal(size=3)}


# --- values


def test_jacobian_of_a_chain():
    found = zen.sparse_jacobian(chain)(X)
    assert isinstance(found, scipy.sparse.csr_array) and found.nnz == 22 and found.dtype == np.float64
    expected = np.zeros((11, 12))
    k = np.arange(11)
    expected[k, k], expected[k, k + 1] = np.sin(X[1:]), np.cos(X[1:]) * X[:-1]
    np.testing.assert_allclose(found.toarray(), expected)


def test_hessian_of_the_rosenbrock_function():
    found = zen.sparse_hessian(rosenbrock)(X).toarray()
    expected = np.diag(np.append(1200 * X[:-1] ** 2 - 400 * X[1:] + 2, 0)) + np.diag(np.append(0, np.full(11, 200.0)))
    expected += np.diag(-400 * X[:-1], 1) + np.diag(-400 * X[:-1], -1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_its_hessian_of_ten_thousand_variables_takes_three_products():
    coloring = zen.sparse_hessian(rosenbrock).coloring(np.linspace(0, 1, 10_000))
    assert coloring.count == 3 and coloring.scheme == "star" and coloring.sparsity.nnz == 29_998


def test_a_banded_jacobian_of_a_hundred_thousand_stays_small():
    f = zen.sparse_jacobian(lambda x: x[2:] * x[:-2] - x[1:-1])
    x = np.linspace(1, 2, 100_000)
    found = f(x)
    assert f.pattern(x).coloring().count == 3 and found.shape == (99_998, 100_000) and found.nnz == 299_994
    np.testing.assert_allclose(found @ np.ones(100_000), x[2:] + x[:-2] - 1, rtol=1e-12)


def test_an_arrow():
    """Each element with the first one: dense rows and columns need as many colours, a symmetric coloring two."""

    def f(x):
        return np.sum(x**2 * x[0]) + np.sum(x**4)

    assert zen.sparse_hessian(f).coloring(X).count == 2
    np.testing.assert_allclose(zen.sparse_hessian(f)(X).toarray(), zen.hessian(f)(X), rtol=1e-12)
    assert zen.sparse_hessian(f, coloring="column").coloring(X).count == 12


def test_a_hessian_without_a_diagonal():
    """One product tells all: two columns that are not in the same row may have the same colour."""
    h = zen.sparse_hessian(lambda x: np.sum(x[:6] * x[6:]))
    assert h.coloring(X).count == 1 and h.coloring(X).scheme == "column"
    np.testing.assert_array_equal(h(X).toarray(), np.roll(np.eye(12), 6, axis=1))


@pytest.mark.parametrize("scheme", [None, "column", "row"])
@pytest.mark.parametrize("chunk_size", [None, 1, 2])
def test_by_columns_and_by_rows(scheme, chunk_size):
    f = zen.sparse_jacobian(lambda x: np.append(chain(x), x[0] + x[5]), coloring=scheme, chunk_size=chunk_size)
    np.testing.assert_allclose(f(X).toarray(), zen.jacobian(f.__wrapped__)(X))


def test_rows_or_columns_whichever_are_fewer():
    total = zen.sparse_jacobian(lambda x: np.stack([x.sum(), x[:6].prod()]))
    spread = zen.sparse_jacobian(lambda x: x[0] * np.arange(12) + x[1])
    assert (total.coloring(X).scheme, total.coloring(X).count) == ("row", 2)
    assert (spread.coloring(X).scheme, spread.coloring(X).count) == ("column", 2)
    for f in (total, spread):
        np.testing.assert_allclose(f(X).toarray(), zen.jacobian(f.__wrapped__)(X))


def test_many_colors_in_one_pass_each_chunk():
    w = RNG.normal(size=(50, 50))
    for chunk_size in (None, 7):
        found = zen.sparse_jacobian(lambda x: np.tanh(w @ x), chunk_size=chunk_size)(np.linspace(-1, 1, 50))
        y = np.tanh(w @ np.linspace(-1, 1, 50))
        np.testing.assert_allclose(found.toarray(), (1 - y**2)[:, None] * w, rtol=1e-10)
        assert zen.sparse_hessian(lambda x: np.sum(np.tanh(w @ x)), chunk_size=chunk_size)(np.ones(50)).nnz == 2500


# --- structures


def test_containers_are_raveled():
    found = zen.sparse_jacobian(of_tree, (0, 1))(TREE, 2.0)
    flat, unravel = zen.ravel_tree((TREE, 2.0))
    expected = zen.jacobian(lambda v: zen.ravel_tree(of_tree(*unravel(v)))[0])(flat)
    np.testing.assert_allclose(found.toarray(), expected)
    alone = zen.sparse_jacobian(lambda p, s: [s * p["b"], s**2], -1)(TREE, 2.0)
    np.testing.assert_allclose(alone.toarray(), np.append(TREE["b"], 4)[:, None])


def test_hessian_of_containers():
    def f(p, s):
        return np.sum(p["w"] * p["b"]) * s + np.sum(p["b"] ** 3)

    flat, unravel = zen.ravel_tree((TREE, 2.0))
    expected = zen.hessian(lambda v: f(*unravel(v)))(flat)
    np.testing.assert_allclose(zen.sparse_hessian(f, (0, 1))(TREE, 2.0).toarray(), expected, atol=1e-14)


def test_values_and_what_else_is_returned():
    value, j = zen.value_and_sparse_jacobian(chain)(X)
    np.testing.assert_array_equal(value, chain(X))
    assert isinstance(value, np.ndarray) and j.shape == (11, 12)
    (value, aux), h = zen.value_and_sparse_hessian(lambda x: (rosenbrock(x), {"n": x.size, "x": x}), has_aux=True)(X)
    assert float(value) == pytest.approx(rosenbrock(X)) and aux["n"] == 12 and h.nnz == 34
    np.testing.assert_array_equal(aux["x"], X)
    j, aux = zen.sparse_jacobian(lambda x: (x, "aux"), has_aux=True)(X)
    assert aux == "aux" and (j.toarray() == np.eye(12)).all()
    h, aux = zen.sparse_hessian(lambda x: (x.sum(), 1), has_aux=True)(X)
    assert aux == 1 and h.nnz == 0
    assert isinstance(zen.value_and_sparse_jacobian(chain)(zen.tensor(X))[0], zen.Tensor)
    assert float(zen.value_and_sparse_hessian(rosenbrock)(X)[0]) == pytest.approx(rosenbrock(X))


def test_keywords_and_constant_arguments():
    f = zen.sparse_jacobian(lambda a, x, *, n: a * x**n, 1)
    np.testing.assert_allclose(f(2.0, X, n=3).toarray(), np.diag(6 * X**2))


@pytest.mark.parametrize(
    "x", [np.float64(2.0), 2.0, 2, np.ones((0, 3)), [1.0, 2.0], np.ones(3, np.float32), np.ones(3, np.float16), X[::-2]]
)
def test_numbers_and_arrays_of_every_kind(x):
    size = sum([np.size(v) for v in x]) if isinstance(x, list) else np.size(x)

    def square(x):
        return [v**2 for v in x] if isinstance(x, list) else x**2

    found = zen.sparse_jacobian(square)(x)
    assert found.dtype == (np.float32 if getattr(x, "dtype", None) in (np.float16, np.float32) else np.float64)
    np.testing.assert_allclose(found.toarray(), np.diag(2 * np.ravel(x)) if size else np.zeros((0, 0)))
    hessian = zen.sparse_hessian(
        lambda x: sum([np.sum(v) for v in square(x)]) if isinstance(x, list) else square(x).sum()
    )
    np.testing.assert_allclose(hessian(x).toarray(), 2 * np.eye(size))


def test_results_without_a_graph_and_of_no_elements():
    assert zen.sparse_jacobian(lambda x: zen.tensor(np.ones(3)))(X).nnz == 0
    assert zen.sparse_jacobian(lambda x: (zen.tensor(np.ones(3)), x[:2]))(X).shape == (5, 12)
    assert zen.sparse_jacobian(lambda x: x[:0])(X).shape == (0, 12)
    assert zen.sparse_hessian(lambda x: 2 * x.sum())(X).shape == (12, 12)


def test_the_matrix_is_the_callers_own():
    f = zen.sparse_hessian(rosenbrock, coloring=zen.sparse_hessian(rosenbrock).coloring(X))
    first = f(X)
    first.data[:], first.indices[:] = 0, 0
    np.testing.assert_allclose(f(X).toarray(), zen.hessian(rosenbrock)(X), rtol=1e-12)


# --- patterns and colours that are kept


@pytest.mark.parametrize("form", ["sparsity", "scipy", "old scipy", "bool", "lower"])
def test_a_pattern_that_is_given(form):
    h = zen.sparse_hessian(rosenbrock)
    matrix = h.pattern(X).matrix
    pattern = {
        "sparsity": h.pattern(X), "scipy": matrix.tocoo(), "old scipy": scipy.sparse.csc_matrix(matrix),
        "bool": matrix.toarray(), "lower": scipy.sparse.tril(matrix),
    }[form]  # fmt: skip
    given = zen.sparse_hessian(rosenbrock, pattern=pattern)
    for x in (X, X + 1):
        np.testing.assert_allclose(given(x).toarray(), zen.hessian(rosenbrock)(x), rtol=1e-12)


def test_nothing_is_looked_for_where_a_pattern_is_given(monkeypatch):
    from zen.transforms.sparse import dependence

    pattern = zen.sparse_jacobian(chain).pattern(X)
    given = zen.sparse_jacobian(chain, pattern=pattern)
    monkeypatch.setattr(dependence, "pattern", None)
    assert given(X).nnz == 22


def test_each_call_finds_its_own_pattern():
    f = zen.sparse_jacobian(lambda x: x * x[::-1] if x[0].item() > 0 else x * 2)
    assert f(np.ones(4)).nnz == 8 and f(-np.ones(4)).nnz == 4


@pytest.mark.parametrize("f, inside", [(zen.sparse_jacobian, chain), (zen.sparse_hessian, rosenbrock)])
def test_saved_and_loaded(f, inside, tmp_path):
    pattern, coloring = f(inside).pattern(X), f(inside).coloring(X)
    pattern.save(tmp_path / "pattern.npz")
    coloring.save(str(tmp_path / "coloring"))  # the name as it is given
    held = io.BytesIO()
    coloring.save(held)
    held.seek(0)
    assert zen.Sparsity.load(tmp_path / "pattern.npz") == pattern
    for loaded in (zen.Coloring.load(tmp_path / "coloring"), zen.Coloring.load(held)):
        assert loaded.scheme == coloring.scheme and loaded.sparsity == coloring.sparsity
        np.testing.assert_array_equal(loaded.colors, coloring.colors)
        assert (f(inside, coloring=loaded)(X) != f(inside)(X)).nnz == 0


def test_pickles():
    f = zen.sparse_hessian(rosenbrock, coloring=zen.sparse_hessian(rosenbrock).coloring(X))
    for made in (f, zen.sparse_jacobian(chain, pattern=np.ones((11, 12)))):
        again = pickle.loads(pickle.dumps(made))
        assert type(again) is type(made) and (again(X) != made(X)).nnz == 0


def test_threads():
    f, found = zen.sparse_hessian(rosenbrock), [None] * 4

    def work(k):
        found[k] = f(X + k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, h in enumerate(found):
        np.testing.assert_allclose(h.toarray(), zen.hessian(rosenbrock)(X + k), rtol=1e-12)


# --- checks


def branching(x):
    return x * x[::-1] if x[0].item() > 0 else x * 2


def test_a_pattern_that_a_later_point_violates():
    pattern = zen.sparse_jacobian(branching).pattern(-np.ones(4))
    unchecked, checked = (zen.sparse_jacobian(branching, pattern=pattern, check=c) for c in (False, True))
    assert unchecked(np.ones(4)).nnz == 4 and checked(-np.ones(4)).nnz == 4
    with pytest.raises(
        ValueError, match=r"sparse_jacobian: .* row 0 is wrong.*lacks the entries \[\(0, 3\), .*leave it"
    ):
        checked(np.arange(1.0, 5.0))


def test_a_hessian_whose_pattern_lacks_an_entry():
    diagonal = zen.sparse_hessian(rosenbrock, pattern=np.eye(12), check=True)
    with pytest.raises(ValueError, match=r"sparse_hessian: .*lacks the entries \[\(0, 1\), \(1, 0\)"):
        diagonal(X)


def test_a_check_where_there_is_no_derivative():
    assert np.isnan(zen.sparse_hessian(lambda x: np.sum(np.hypot(x, 0 * x)), check=True)(np.zeros(2)).data).any()


def test_a_pattern_of_another_shape():
    f = zen.sparse_jacobian(chain, pattern=np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"of shape \(2, 3\), but the derivative of \(11, 12\)"):
        f(X)


# --- what is refused


def test_a_derivative_that_would_be_lost():
    w = zen.tensor(2.0, requires_grad=True)
    for f in (zen.sparse_jacobian(lambda x: w * x), zen.sparse_hessian(lambda x: (w * x**2).sum())):
        with pytest.raises(RuntimeError, match=r"no graph.*zen.no_grad\(\).*zen.stop_gradient.*zen.(jacobian|hessian)"):
            f(X)
        with zen.no_grad():
            assert (f(X).diagonal() > 0).all()
    with pytest.raises(RuntimeError, match="no graph"):
        zen.sparse_jacobian(chain)(zen.tensor(X, requires_grad=True))
    assert zen.sparse_jacobian(lambda x: zen.stop_gradient(w) * x)(X).nnz == 12
    assert zen.sparse_jacobian(chain)(zen.tensor(X)).nnz == 22
    with pytest.raises(RuntimeError, match="no graph"):
        zen.grad(lambda x: zen.sparse_jacobian(lambda v: v * x)(X).sum())(2.0)


def test_within_vmap():
    """A matrix for each example: nothing is computed for all of them at once."""
    with pytest.warns(UserWarning, match="runs once for each example"):
        found = zen.vmap(lambda x: zen.sparse_jacobian(chain)(x).sum())(X.reshape(2, 6))
    np.testing.assert_allclose(found, [zen.jacobian(chain)(x).sum() for x in X.reshape(2, 6)])


@pytest.mark.parametrize(
    "f",
    [
        zen.sparse_jacobian(chain), zen.sparse_hessian(rosenbrock), zen.value_and_sparse_jacobian(chain),
        zen.sparse_jacobian(chain).pattern, zen.sparse_jacobian(chain).coloring,
    ],
)  # fmt: skip
def test_a_vmap_does_not_stack_sparse_matrices(f):
    with pytest.raises(TypeError, match=r"vmap: the function returns \w+, and sparse derivatives are .* not stacked"):
        zen.vmap(f)(X.reshape(2, 6))


@pytest.mark.parametrize(
    "f, x, error, message",
    [
        (lambda x: x * 1j, X, TypeError, "complex128; take real and imaginary parts"),
        (lambda x: x, X + 0j, TypeError, "complex128; take real and imaginary parts"),
        (lambda x: x > 0, X, TypeError, "dtype bool, which has no derivative"),
        (lambda x: 1.0, X, TypeError, "sparse_jacobian: the function returned float"),
        (lambda x: None, X, TypeError, "sparse_jacobian: the function returned NoneType"),
        (lambda x: x, "text", TypeError, "str, which cannot be differentiated"),
        (lambda x: x, X > 0, TypeError, "dtype bool, which has no gradients"),
    ],
)
def test_what_has_no_jacobian(f, x, error, message):
    with pytest.raises(error, match=message):
        zen.sparse_jacobian(f)(x)


def test_a_hessian_is_of_one_number():
    with pytest.raises(ValueError, match=r"returned shape \(12,\), but a gradient is of one number"):
        zen.sparse_hessian(lambda x: x**2)(X)


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="chunk_size is a positive int or None, not 0"):
        zen.sparse_jacobian(chain, chunk_size=0)
    with pytest.raises(ValueError, match=r"coloring is a zen.Coloring \(.*, 'column', 'row' or None, not 'star'"):
        zen.sparse_jacobian(chain, coloring="star")
    with pytest.raises(ValueError, match=r"zen.Coloring \(of a pattern, colours and a scheme\).*not \[0, 1\]"):
        zen.sparse_jacobian(chain, coloring=[0, 1])
    with pytest.raises(ValueError, match="a star coloring is for symmetric matrices"):
        zen.sparse_jacobian(chain, coloring=zen.sparse_hessian(rosenbrock).coloring(X))
    with pytest.raises(ValueError, match="not of the pattern given"):
        zen.sparse_hessian(rosenbrock, pattern=np.eye(12), coloring=zen.sparse_hessian(rosenbrock).coloring(X))
    with pytest.raises(ValueError, match="argnums 1 is out of range"):
        zen.sparse_jacobian(chain, 1)(X)
    with pytest.raises(ValueError, match=r"has two axes, not shape \(3,\)"):
        zen.sparse_jacobian(chain, pattern=np.ones(3))


def test_scipy_is_missing(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match=r"zen.sparse_hessian needs SciPy: pip install scipy \(the extra 'scipy'"):
        zen.sparse_hessian(rosenbrock)


def test_a_value_keeps_the_graph_that_its_derivative_has_not():
    w = zen.tensor(2.0, requires_grad=True)
    value, h = zen.value_and_sparse_hessian(lambda x: (x**2).sum() + w)(X)
    value.backward()
    assert w.gradient == 1 and h.nnz == 12
    j, aux = zen.sparse_jacobian(lambda x: (x * 2, w * 3), has_aux=True)(X)
    assert aux.requires_grad and j.nnz == 12


def test_no_arguments_and_no_results():
    for check in (False, True):
        assert zen.sparse_jacobian(lambda x: (), check=check)(X).shape == (0, 12)
        assert zen.sparse_jacobian(lambda x: zen.tensor(np.ones(3)), check=check)({}).shape == (3, 0)
    assert zen.sparse_jacobian(lambda x: (x * 1.1) ** 3, check=True)(np.linspace(0, 1, 5, dtype=np.float16)).nnz == 5


def test_results_that_are_the_same_tensor():
    def f(x):
        y = x[:2] ** 2
        return y, y

    for scheme in ("column", "row"):
        np.testing.assert_allclose(
            zen.sparse_jacobian(f, coloring=scheme)(X).toarray()[:, :2], np.tile(np.diag(2 * X[:2]), (2, 1))
        )

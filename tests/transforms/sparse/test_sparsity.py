"""Patterns and colours by themselves: what they are made of, that entries stay apart, and that files hold them."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import scipy.sparse

import zen
from zen import backend


def band(n, width):
    return np.abs(np.arange(n)[:, None] - np.arange(n)) <= width


def drawn(seed, symmetric=False):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    m = n if symmetric else int(rng.integers(1, 30))
    pattern = rng.random((m, n)) < rng.uniform(0, 0.4)
    return pattern | pattern.T if symmetric else pattern


SHAPES = {
    "tridiagonal": band(30, 1), "five diagonals": band(30, 2), "arrow": np.eye(20, dtype=bool),
    "full": np.ones((8, 8), bool), "empty": np.zeros((5, 5), bool), "nothing": np.zeros((0, 0), bool),
    "grid": np.kron(np.eye(6), band(6, 1)) + np.kron(band(6, 1), np.eye(6)) > 0,
}  # fmt: skip
SHAPES["arrow"][0] = SHAPES["arrow"][:, 0] = True
SYMMETRIC = [*SHAPES.values(), *[drawn(seed, True) for seed in range(60)]]


# --- colours


def is_apart(pattern, colors):
    """Whether no row has two entries in columns of one colour."""
    for row in pattern:
        used = colors[np.flatnonzero(row)]
        if len(set(used.tolist())) < used.size or (used < 0).any():
            return False
    return True


@pytest.mark.parametrize("pattern", [*SHAPES.values(), *[drawn(seed) for seed in range(60)]])
def test_columns_and_rows(pattern):
    columns, rows = zen.Sparsity(pattern).coloring("column"), zen.Sparsity(pattern).coloring("row")
    assert is_apart(pattern, columns.colors) and is_apart(pattern.T, rows.colors)
    assert zen.Sparsity(pattern).coloring().count == min(columns.count, rows.count)


def is_star(pattern, colors):
    """By its definition: neighbours differ, and no path of four vertices has two colours."""
    graph = [[int(w) for w in np.flatnonzero(row) if w != v] for v, row in enumerate(pattern)]
    for v, neighbours in enumerate(graph):
        if any([colors[w] == colors[v] for w in neighbours]):
            return False
        for w, x in itertools.permutations(neighbours, 2):  # w - v - x - y
            if colors[w] == colors[x] and any([colors[y] == colors[v] for y in graph[x] if y != v]):
                return False
    return True


@pytest.mark.parametrize("pattern", SYMMETRIC)
def test_stars(pattern):
    assert is_star(pattern, zen.Sparsity(pattern).coloring("star").colors)


@pytest.mark.parametrize("scheme", ["column", "row", "star"])
@pytest.mark.parametrize("pattern", SYMMETRIC)
def test_every_entry_comes_back(scheme, pattern):
    rng = np.random.default_rng(0)
    dense = np.where(pattern, rng.normal(size=pattern.shape), 0)
    dense = dense + dense.T if scheme == "star" else dense
    coloring = zen.Sparsity(pattern).coloring(scheme)
    seeds = coloring.seeds(float)
    products = seeds @ dense if scheme == "row" else seeds @ dense.T
    np.testing.assert_array_equal(coloring.matrix(products).toarray(), dense)


def test_known_numbers_of_colors():
    count = {name: zen.Sparsity(p).coloring("star").count for name, p in SHAPES.items()}
    assert count["tridiagonal"] == 3 and count["arrow"] == 2 and count["full"] == 8 and count["empty"] == 0
    assert zen.Sparsity(SHAPES["five diagonals"]).coloring().count == 5
    assert zen.Sparsity(SHAPES["arrow"]).coloring().count == 20


def test_the_engines_color_alike():
    from zen._reference.kernels import coloring as reference

    kernels = backend.kernels.coloring
    for seed in range(40):
        by_rows, by_columns = (scipy.sparse.csr_array(p) for p in (drawn(seed), drawn(seed).T))
        order = np.random.default_rng(seed).permutation(by_rows.shape[1])
        given = [np.asarray(a, np.intp) for m in (by_rows, by_columns) for a in (m.indptr, m.indices)]
        np.testing.assert_array_equal(kernels.columns(*given, order), reference.columns(*given, order))
        graph = scipy.sparse.csr_array(drawn(seed, True))
        given, order = [np.asarray(a, np.intp) for a in (graph.indptr, graph.indices)], np.arange(graph.shape[0])[::-1]
        np.testing.assert_array_equal(kernels.star(*given, order.copy()), reference.star(*given, order))


def test_a_kernel_checks_what_it_indexes_with(engine):
    if engine == "reference":
        return
    star, ints = backend.kernels.coloring.star, lambda *values: np.array(values, np.intp)
    for starts, members, order in [
        (ints(0, 2), ints(0), ints(0)), (ints(0, 2, 1), ints(0), ints(0, 1)), (ints(0, 1), ints(1), ints(0)),
        (ints(0, 1), ints(0), ints(1)), (ints(0, 1), ints(0), ints(0, 0)), (ints(0, 1), ints(-1), ints(0)),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="coloring: "):
            star(starts, members, order)


def test_a_dense_row_takes_no_time_to_color():
    pattern = scipy.sparse.vstack([scipy.sparse.eye_array(20_000), np.ones((1, 20_000))])
    found = zen.Sparsity(pattern).coloring("column")
    assert found.count == 20_000 and zen.Sparsity(pattern).coloring().count == 2


# --- colours of the user's own


def test_colors_that_are_given():
    coloring = zen.Coloring(band(6, 1), [0, 1, 2, 0, 1, 2], "column")
    assert coloring.count == 3 and coloring.sparsity.nnz == 16
    assert repr(coloring) == "<zen.Coloring scheme='column' count=3 of <zen.Sparsity shape=(6, 6) nnz=16>>"
    f = zen.sparse_jacobian(
        lambda x: x[1:] * x[:-1], coloring=zen.Coloring(np.eye(2, 3) + np.eye(2, 3, 1), [0, 1, 0], "column")
    )
    assert f(np.array([1.0, 2.0, 3.0])).toarray().tolist() == [[2, 1, 0], [0, 3, 2]]


@pytest.mark.parametrize(
    "colors, scheme, message",
    [
        ([0, 1, 0, 1, 0, 1], "column", "column 0 shares an entry's place .* in a column coloring"),
        ([0, 1, 0, 1, 0, 1], "star", "shares an entry's place .* in a star coloring"),
        ([0, 1, 2, 0, 1, -1], "row", "row 5 has entries, but the colour -1"),
        ([0, 1, 2], "column", "a vector of 6 ints, one for each column, not int64 of shape"),
        ([0.0, 1, 2, 0, 1, 2], "row", "a vector of 6 ints, one for each row, not float64"),
        ([0, 1, 2, 0, 1, 7], "column", "colors are from 0 to 5, or -1, but range from 0 to 7"),
        ([0, 1, 2, 0, 1, 2], "diagonal", "scheme is 'column', 'row', 'star', not 'diagonal'"),
    ],
)
def test_colors_that_do_not_fit(colors, scheme, message):
    with pytest.raises(ValueError, match=f"Coloring: .*{message}"):
        zen.Coloring(band(6, 1), colors, scheme)


def test_kinds_and_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"a star coloring is of a symmetric matrix, not of shape \(2, 3\)"):
        zen.Sparsity(np.ones((2, 3))).coloring("star")
    with pytest.raises(ValueError, match="scheme is 'column', 'row', 'star' or None, not 'both'"):
        zen.Sparsity(np.ones((2, 3))).coloring("both")


# --- patterns


def test_what_a_pattern_is_made_of():
    stored = scipy.sparse.coo_array(
        (np.array([0.0, 1.0, 2.0]), (np.array([1, 0, 0]), np.array([0, 2, 2]))), shape=(2, 3)
    )
    expected = [[False, False, True], [True, False, False]]
    for given in (
        stored,
        stored.tocsc(),
        np.array(expected),
        zen.Sparsity(stored),
        np.array([[0, 0, -1.5], [2, 0, 0]]),
    ):
        pattern = zen.Sparsity(given)
        assert pattern.shape == (2, 3) and pattern.nnz == 2 and pattern.matrix.toarray().tolist() == expected
        assert pattern == zen.Sparsity(expected) and pattern != zen.Sparsity(np.ones((2, 3))) and pattern != 1
    assert repr(zen.Sparsity(stored)) == "<zen.Sparsity shape=(2, 3) nnz=2>"
    with pytest.raises(TypeError, match="not of dtype <U4"):
        zen.Sparsity("text")
    with pytest.raises(ValueError, match=r"two axes, not shape \(3,\)"):
        zen.Sparsity([1, 2, 3])


def test_a_pattern_is_constant():
    matrix = scipy.sparse.csr_array(np.eye(3))
    pattern = zen.Sparsity(matrix)
    matrix.indices[:] = 0
    pattern.matrix.indices[:] = 0
    assert (pattern.matrix.toarray() == np.eye(3)).all()
    with pytest.raises(ValueError, match="read-only"):
        pattern.coloring().colors[0] = 5


def test_copies_and_pickles():
    pattern = zen.Sparsity(band(5, 1))
    for made in (copy.copy(pattern), copy.deepcopy(pattern), pickle.loads(pickle.dumps(pattern))):
        assert made == pattern
    coloring = pickle.loads(pickle.dumps(pattern.coloring("star")))
    assert coloring.sparsity == pattern and coloring.count == 3


def test_files_that_hold_no_pattern(tmp_path):
    (tmp_path / "text").write_text("no archive")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.save(tmp_path / "array.npy", np.ones(3))
    zen.Sparsity(np.eye(2)).save(tmp_path / "pattern")
    np.savez(tmp_path / "bad.npz", shape=np.array([2, 2]), starts=np.array([0, 1, 9]), members=np.array([0, 7]))
    for name in ("text", "other.npz", "array.npy", "bad.npz"):
        with pytest.raises(ValueError, match=r"zen.Sparsity.load: .*(no archive that|damaged)"):
            zen.Sparsity.load(tmp_path / name)
    with pytest.raises(ValueError, match=r"zen.Coloring.load: .*no archive that zen.Coloring.save wrote"):
        zen.Coloring.load(tmp_path / "pattern")
    with pytest.raises(FileNotFoundError):
        zen.Sparsity.load(tmp_path / "missing")

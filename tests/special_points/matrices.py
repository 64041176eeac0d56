"""Linear algebra of singular, zero and identity matrices, and of equal eigenvalues and singular values.

Matrices of size 2 have formulas: det = ad - bc, eigenvalues t / 2 +- sqrt(t^2 / 4 - det) with the trace t, singular
values with s1^2 + s2^2 = a^2 + b^2 + c^2 + d^2 and s1 s2 = |det|, so that s1 + s2 = sqrt(|x|^2 + 2 |det|).
`Reverse` stands where forward mode says nan: tangents of the vectors of equal values. What depends on how these are
chosen has no derivative and raises: see tests/ops/test_spectra.py.
"""

from math import inf, nan

import numpy as np
from points import Reverse

from zen import f, linalg


def m(a, b, c, d):
    return f.reshape(f.stack([a, b, c, d]), (2, 2))


def sym(a, b, c):
    return m(a, b, b, c)


def of(matrix, weights):
    return f.sum(matrix * np.array(weights))


PRODUCT = {"": 0, "a": 0, "b": 0, "ab": 1, "aa": 0}

POINTS = [
    # determinants
    ("det of zeros", lambda a, b, c, d: f.det(m(a, b, c, d)), (0.0, 0.0, 0.0, 0.0),
     {"": 0, "a": 0, "ad": 1, "bc": -1, "aa": 0, "ab": 0, "aad": 0}),
    ("det of rank 1", lambda a, b, c, d: f.det(m(a, b, c, d)), (1.0, 2.0, 2.0, 4.0),
     {"": 0, "a": 4, "b": -2, "c": -2, "d": 1, "ad": 1, "bc": -1}),
    ("det of 3 x 3 zeros", lambda a, b, c: f.det(f.diag(f.stack([a, b, c]))), (0.0, 0.0, 0.0),
     {"": 0, "a": 0, "ab": 0, "abc": 1, "aab": 0}),
    ("det of 3 x 3 of rank 1", lambda a, b, c: f.det(f.diag(f.stack([a, b, c]))), (2.0, 0.0, 0.0),
     {"": 0, "a": 0, "b": 0, "bc": 2, "abc": 1}),
    ("det of nan", lambda a: f.det(m(a, 0.0, 0.0, 1.0)), (nan,), {"": nan, "a": nan}),
    ("slogdet of a negative determinant", lambda a, b: f.slogdet(m(a, 0.0, 0.0, b)).logabsdet, (-2.0, 1.0),
     {"": 0.6931471805599453, "a": -0.5, "b": 1, "aa": -0.25, "ab": 0, "aaa": -0.25}),  # log |a| + log |b|
    ("slogdet, the sign", lambda a, b: f.slogdet(m(a, 0.0, 0.0, b)).sign, (-2.0, 1.0), {"": -1, "a": 0, "aa": 0}),
    ("slogdet of a singular matrix", lambda a, b: f.slogdet(m(a, 0.0, 0.0, b)).logabsdet, (0.0, 1.0), {"": -inf}),
    # inverses: 1 / a, -1 / a^2, 2 / a^3
    ("inv of the identity", lambda a: f.inv(m(a, 0.0, 0.0, 1.0))[0, 0], (1.0,), {"": 1, "a": -1, "aa": 2, "aaa": -6}),
    ("inv, off the diagonal", lambda a, b: f.inv(m(1.0, a, b, 1.0))[0, 0], (0.0, 0.0),
     {"": 1, "a": 0, "ab": 1, "aa": 0}),  # 1 / (1 - ab)
    ("solve, a right side of 0", lambda a, b: f.solve(m(a, 0.0, 0.0, 1.0), f.stack([b, 0.0]))[0], (2.0, 0.0),
     {"": 0, "a": 0, "b": 0.5, "ab": -0.25}),
    ("solve_triangular, zeros", lambda a, b: f.solve_triangular(m(1.0, a, nan, 1.0), f.stack([0.0, b]))[0], (0.0, 0.0),
     {"": 0, "a": 0, "b": 0, "ab": -1}),
    ("cho_solve of zeros", lambda a, b: f.cho_solve((m(a, 0.0, 0.0, 1.0), True), f.stack([b, 0.0]))[0], (2.0, 0.0),
     {"": 0, "a": 0, "b": 0.25, "ab": -0.25}),  # b / a^2
    ("matrix_power 0", lambda a: f.sum(f.matrix_power(m(a, 0.0, 0.0, 0.0), 0)), (0.0,), {"": 2, "a": 0, "aa": 0}),
    ("matrix_power 2 of zeros", lambda a, b: f.matrix_power(m(0.0, a, b, 0.0), 2)[0, 0], (0.0, 0.0), PRODUCT),
    ("matrix_power -1", lambda a: f.matrix_power(m(a, 0.0, 0.0, 1.0), -1)[0, 0], (1.0,), {"": 1, "a": -1, "aa": 2}),
    # products with zeros
    ("matmul of zeros", lambda a, b: f.matmul(m(a, 0.0, 0.0, 0.0), m(b, 0.0, 0.0, 0.0))[0, 0], (0.0, 0.0), PRODUCT),
    ("multi_dot of zeros",
     lambda a, b, c: f.multi_dot([m(a, 0.0, 0.0, 0.0), m(b, 0.0, 0.0, 0.0), m(c, 0.0, 0.0, 0.0)])[0, 0],
     (0.0, 0.0, 0.0), {"": 0, "ab": 0, "abc": 1}),
    ("dot of zeros", lambda a, b: f.dot(f.stack([a]), f.stack([b])), (0.0, 0.0), PRODUCT),
    ("inner of zeros", lambda a, b: f.inner(f.stack([a]), f.stack([b])), (0.0, 0.0), PRODUCT),
    ("vdot of zeros", lambda a, b: f.vdot(f.stack([a]), f.stack([b])), (0.0, 0.0), PRODUCT),
    ("vecdot of zeros", lambda a, b: f.vecdot(f.stack([a]), f.stack([b])), (0.0, 0.0), PRODUCT),
    ("outer of zeros", lambda a, b: f.outer(f.stack([a]), f.stack([b]))[0, 0], (0.0, 0.0), PRODUCT),
    ("kron of zeros", lambda a, b: f.kron(f.stack([a]), f.stack([b]))[0], (0.0, 0.0), PRODUCT),
    ("tensordot of zeros", lambda a, b: f.tensordot(f.stack([a]), f.stack([b]), 1), (0.0, 0.0), PRODUCT),
    ("matvec of zeros", lambda a, b: f.matvec(m(a, 0.0, 0.0, 0.0), f.stack([b, 0.0]))[0], (0.0, 0.0), PRODUCT),
    ("vecmat of zeros", lambda a, b: f.vecmat(f.stack([b, 0.0]), m(a, 0.0, 0.0, 0.0))[0], (0.0, 0.0), PRODUCT),
    ("einsum of one operand twice", lambda a: f.einsum("i,i->", f.stack([a]), f.stack([a])), (0.0,),
     {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("einsum of three zeros", lambda a, b, c: f.einsum("i,i,i->", f.stack([a]), f.stack([b]), f.stack([c])),
     (0.0, 0.0, 0.0), {"": 0, "ab": 0, "abc": 1}),
    ("cross of parallel vectors", lambda a, b: f.cross(f.stack([a, 0.0, 0.0]), f.stack([0.0, b, 0.0]))[2],
     (0.0, 0.0), PRODUCT),
    ("linalg.cross", lambda a, b: linalg.cross(f.stack([a, 0.0, 0.0]), f.stack([0.0, b, 0.0]))[2], (0.0, 0.0), PRODUCT),
    ("linalg.trace, linalg.diagonal",
     lambda a: linalg.trace(m(a, nan, nan, 0.0)) + linalg.diagonal(m(a, nan, nan, 0.0))[0],
     (0.0,), {"": 0, "a": 2}),
    ("tensorsolve", lambda a, b: f.tensorsolve(m(a, 0.0, 0.0, 1.0), f.stack([b, 0.0]))[0], (2.0, 0.0),
     {"": 0, "a": 0, "b": 0.5, "ab": -0.25}),
    ("tensorinv", lambda a: f.tensorinv(m(a, 0.0, 0.0, 1.0), 1)[0, 0], (1.0,), {"": 1, "a": -1, "aa": 2}),
    # Cholesky: sqrt(a), b / sqrt(a), sqrt(c - b^2 / a)
    ("cholesky of the identity", lambda a: f.cholesky(sym(a, 0.0, 1.0))[0, 0], (1.0,),
     {"": 1, "a": 0.5, "aa": -0.25, "aaa": 0.375}),
    ("cholesky, last element", lambda b: f.cholesky(sym(1.0, b, 1.0))[1, 1], (0.0,),
     {"": 1, "a": 0, "aa": -1, "aaa": 0}),
    ("cholesky, off the diagonal", lambda a, b: f.cholesky(sym(a, b, 1.0))[1, 0], (1.0, 0.0),
     {"": 0, "a": 0, "b": 1, "ab": -0.5}),
    # equal eigenvalues: their sum is the trace, that of the squares |x|^2, that of the inverses t / det
    ("eigvalsh of the identity, the sum", lambda a, b, c: f.sum(f.eigvalsh(sym(a, b, c))), (1.0, 0.0, 1.0),
     {"": 2, "a": 1, "b": 0, "c": 1, "aa": 0, "ab": 0, "bb": Reverse(0)}),
    ("eigvalsh of the identity, squares", lambda a, b, c: f.sum(f.eigvalsh(sym(a, b, c)) ** 2), (1.0, 0.0, 1.0),
     {"": 2, "a": 2, "b": 0, "aa": 2, "bb": Reverse(4), "ac": 0, "ab": 0}),
    ("eigvalsh of zeros, cubes", lambda a, b, c: f.sum(f.eigvalsh(sym(a, b, c)) ** 3), (0.0, 0.0, 0.0),
     {"": 0, "a": 0, "aa": 0, "bb": Reverse(0), "aaa": 6, "abb": 6}),
    ("eigvalsh, the larger of two", lambda b: f.eigvalsh(sym(1.0, b, -1.0))[1], (0.0,),
     {"": 1, "a": 0, "aa": 1, "aaa": 0}),  # sqrt(1 + b^2)
    ("eigh, x squared", lambda a, b: f.sum(_powered(f.eigh(sym(a, b, 1.0))) * np.array([[1.0, 0.0], [0.0, 0.0]])),
     (1.0, 0.0), {"": 1, "a": 2, "b": Reverse(0), "aa": 2, "bb": Reverse(2)}),  # a^2 + b^2
    ("eigvals of the identity, the sum", lambda a, b: f.real(f.sum(f.eigvals(m(a, b, b, 1.0)))), (1.0, 0.0),
     {"": 2, "a": 1, "b": 0, "aa": 0}),
    ("eigvals, the product", lambda a, b: f.real(f.prod(f.eigvals(m(a, b, b, 1.0)))), (1.0, 0.0),
     {"": 1, "a": 1, "b": 0, "bb": Reverse(-2)}),
    ("eig, x itself", lambda a, b: f.real(_restored(f.eig(m(a, b, 0.5 * b, 1.0))))[0, 1], (1.0, 0.0),
     {"": 0, "a": 0, "b": Reverse(1), "bb": Reverse(0)}),
    # singular values: where det passes 0 the smaller one has a kink, and |x| no curvature at 0
    ("svdvals of the identity, the sum", lambda a, b: f.sum(f.svdvals(m(a, b, -b, 1.0))), (1.0, 0.0),
     {"": 2, "a": 1, "b": 0, "aa": 0, "bb": 2}),
    ("svdvals of the identity, squares", lambda a, b: f.sum(f.svdvals(m(a, b, 0.0, 1.0)) ** 2), (1.0, 0.0),
     {"": 2, "a": 2, "aa": 2, "bb": Reverse(2), "ab": 0}),
    ("svdvals of zeros, squares", lambda a, b: f.sum(f.svdvals(m(a, b, 0.0, 0.0)) ** 2), (0.0, 0.0),
     {"": 0, "a": 0, "aa": 2, "bb": Reverse(2)}),
    ("svd, x itself", lambda a, b: _product(f.svd(m(a, b, 0.0, 1.0)))[0, 1], (1.0, 0.0),
     {"": 0, "a": 0, "b": Reverse(1), "bb": Reverse(0)}),
    ("nuclear norm of the identity", lambda a, b: f.norm(m(a, b, -b, 1.0), "nuc"), (1.0, 0.0),
     {"": 2, "a": 1, "b": 0, "aa": 0, "bb": 2}),
    ("matrix_norm 2, the larger of two", lambda b: f.matrix_norm(m(2.0, b, 0.0, 1.0), ord=2), (0.0,),
     {"": 2, "a": 0, "aa": 2 / 3}),  # s1 = 2 + b^2 / 3
    ("matrix_norm -2", lambda b: f.matrix_norm(m(2.0, b, 0.0, 1.0), ord=-2), (0.0,),
     {"": 1, "a": 0, "aa": -1 / 3}),  # s1 s2 = 2
    ("cond of a diagonal matrix", lambda a: f.cond(m(a, 0.0, 0.0, 1.0)), (2.0,), {"": 2, "a": 1, "aa": 0}),
    ("cond by the 1-norm, a tie", lambda a: f.cond(m(a, 0.0, 0.0, 1.0), 1), (1.0,),
     {"": 1, "a": 0}),  # max(a, 1) max(1 / a, 1), halves
    # pseudo-inverses: of (a, b)^T it is (a, b) / (a^2 + b^2)
    ("pinv of a column", lambda a, b: f.pinv(f.reshape(f.stack([a, b]), (2, 1)))[0, 0], (1.0, 0.0),
     {"": 1, "a": -1, "b": 0, "aa": 2, "bb": -2, "ab": 0}),
    ("pinv of rank 1", lambda a: f.pinv(m(a, 0.0, 0.0, 0.0))[0, 0], (2.0,), {"": 0.5, "a": -0.25, "aa": 0.25}),
    ("pinv of zeros, rank 0 is kept", lambda a: f.pinv(m(a * 0, 0.0, 0.0, 0.0))[0, 0], (1.0,), {"": 0, "a": 0}),
    ("lstsq of a column", lambda a, b: f.lstsq(f.reshape(f.stack([a, b]), (2, 1)), np.array([1.0, 0.0]))[0][0],
     (1.0, 0.0), {"": 1, "a": -1, "aa": 2, "bb": -2}),
    ("qr of the identity", lambda a, b: f.abs(f.qr(m(a, 0.0, b, 1.0)).R[0, 0]), (1.0, 0.0),
     {"": 1, "a": 1, "b": 0, "bb": 1, "aa": 0}),  # sqrt(a^2 + b^2)
    ("lu of the identity", lambda a, b: f.lu(m(1.0, a, b, 1.0))[2][1, 1], (0.0, 0.0),
     {"": 1, "a": 0, "ab": -1, "aa": 0}),  # 1 - ab
    # exp of [[0, a], [b, 0]] has cosh(sqrt(ab)) in the corner: 1 + ab / 2 + (ab)^2 / 24
    ("expm of zeros", lambda a, b: f.expm(m(0.0, a, b, 0.0))[0, 0], (0.0, 0.0),
     {"": 1, "a": 0, "ab": 0.5, "aa": 0, "aab": 0}),
    ("expm of zeros, off the diagonal", lambda a, b: f.expm(m(0.0, a, b, 0.0))[0, 1], (0.0, 0.0),
     {"": 0, "a": 1, "b": 0, "aab": 1 / 3, "ab": 0}),
    ("expm of a nilpotent matrix", lambda a: f.expm(m(0.0, a, 0.0, 0.0))[0, 1], (0.0,), {"": 0, "a": 1, "aa": 0}),
    ("expm of a rotation", lambda a: f.expm(m(0.0, a, -a, 0.0))[0, 0], (0.0,),
     {"": 1, "a": 0, "aa": -1, "aaa": 0}),  # cos
    ("block_diag", lambda a: f.block_diag(f.stack([a]), 0.0)[0, 0], (0.0,), {"": 0, "a": 1, "aa": 0}),
    ("linear of zeros", lambda a, b: f.linear(f.stack([a]), f.reshape(b, (1, 1)))[0], (0.0, 0.0), PRODUCT),
    ("bilinear of zeros", lambda a, b, c: f.bilinear(f.stack([a]), f.stack([b]), f.reshape(c, (1, 1, 1)))[0],
     (0.0, 0.0, 0.0), {"": 0, "ab": 0, "abc": 1}),
    ("conv1d of zeros", lambda a, b: f.conv1d(f.reshape(a, (1, 1, 1)), f.reshape(b, (1, 1, 1))).sum(), (0.0, 0.0),
     PRODUCT),
    ("conv2d of zeros", lambda a, b: f.conv2d(f.reshape(a, (1, 1, 1, 1)), f.reshape(b, (1, 1, 1, 1))).sum(),
     (0.0, 0.0), PRODUCT),
    ("conv3d of zeros", lambda a, b: f.conv3d(f.reshape(a, (1, 1, 1, 1, 1)), f.reshape(b, (1, 1, 1, 1, 1))).sum(),
     (0.0, 0.0), PRODUCT),
    ("conv_transpose1d of zeros", lambda a, b: f.conv_transpose1d(f.reshape(a, (1, 1, 1)),
     f.reshape(b, (1, 1, 1))).sum(), (0.0, 0.0), PRODUCT),
    ("conv_transpose2d of zeros", lambda a, b: f.conv_transpose2d(f.reshape(a, (1, 1, 1, 1)),
     f.reshape(b, (1, 1, 1, 1))).sum(), (0.0, 0.0), PRODUCT),
    ("conv_transpose3d of zeros", lambda a, b: f.conv_transpose3d(f.reshape(a, (1, 1, 1, 1, 1)),
     f.reshape(b, (1, 1, 1, 1, 1))).sum(), (0.0, 0.0), PRODUCT),
    ("scaled_dot_product_attention of equals", lambda q, k, v: f.scaled_dot_product_attention(
        f.reshape(q, (1, 1)), f.reshape(f.stack([k, 0.0]), (2, 1)), f.reshape(f.stack([v, 0.0]), (2, 1)),
     scale=1.0).sum(), (0.0, 0.0, 1.0),
     {"": 0.5, "a": 0, "b": 0, "c": 0.5, "ab": 0.25, "abc": 0.25, "bb": 0}),  # v sigmoid(q k)
]  # fmt: skip


def _powered(decomposed):
    w, v = decomposed
    return f.matmul(v * w**2, f.matrix_transpose(v))


def _restored(decomposed):
    w, v = decomposed
    return f.matmul(v * w, f.inv(v))


def _product(decomposed):
    u, s, vh = decomposed
    return f.matmul(u * s, vh)

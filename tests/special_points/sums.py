"""Sums, products and means at zeros, infinities and equal elements; norms, distances, statistics; softmax.

With m, d the mean and deviations: the derivatives of var are 2 d_i / n and 2 (delta_ij - 1 / n) / n.
"""

from math import exp, inf, log, nan

from points import NO

from zen import f


def v(*numbers):
    return f.stack(numbers)


def rows(*numbers):
    return f.reshape(f.stack(numbers), (2, -1))


L2 = log(2)
S = 1 / (1 + exp(-1))

POINTS = [
    # products: each derivative is the product of the other factors
    ("prod, one zero", lambda a, b, c: f.prod(v(a, b, c)), (0.0, 2.0, 3.0),
     {"": 0, "a": 6, "b": 0, "aa": 0, "ab": 3, "bc": 0, "abc": 1, "aab": 0}),
    ("prod, two zeros", lambda a, b, c: f.prod(v(a, b, c)), (0.0, 0.0, 3.0),
     {"": 0, "a": 0, "c": 0, "ab": 3, "ac": 0, "abc": 1}),
    ("prod, three zeros", lambda a, b, c: f.prod(v(a, b, c)), (0.0, 0.0, -0.0), {"": 0, "a": 0, "ab": 0, "abc": 1}),
    ("prod with inf", lambda a, b: f.prod(v(a, b)), (inf, 2.0), {"": inf, "a": 2, "b": inf, "ab": 1}),
    ("prod of 0 and inf", lambda a, b: f.prod(v(a, b)), (0.0, inf), {"": NO, "a": inf, "b": 0, "ab": 1}),
    ("prod of a number twice", lambda a: f.prod(v(a, a)), (0.0,), {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("nanprod, zero and nan", lambda a, b, c: f.nanprod(v(a, b, c)), (0.0, nan, 3.0),
     {"": 0, "a": 3, "b": 0, "c": 0, "ac": 1}),
    ("cumprod, one zero", lambda a, b, c: f.cumprod(v(a, b, c))[2], (2.0, 0.0, 3.0),
     {"": 0, "a": 0, "b": 6, "ab": 3, "ac": 0, "abc": 1}),
    ("cumprod before the zero", lambda a, b, c: f.cumprod(v(a, b, c))[0], (2.0, 0.0, 3.0),
     {"": 2, "a": 1, "b": 0, "ab": 0}),
    ("cumulative_prod, two zeros", lambda a, b, c: f.cumulative_prod(v(a, b, c))[2], (0.0, 0.0, 3.0),
     {"": 0, "a": 0, "ab": 3, "abc": 1}),
    ("nancumprod", lambda a, b, c: f.nancumprod(v(a, b, c))[2], (0.0, nan, 3.0), {"": 0, "a": 3, "b": 0, "ac": 1}),
    # sums, in which infinities meet
    ("sum of inf and -inf", lambda a, b: f.sum(v(a, b)), (inf, -inf), {"": NO, "a": 1, "b": 1, "ab": 0}),
    ("sum with nan", lambda a, b: f.sum(v(a, b)), (nan, 1.0), {"": nan, "a": 1, "b": 1}),
    ("mean with inf", lambda a, b: f.mean(v(a, b)), (inf, 1.0), {"": inf, "a": 0.5, "b": 0.5, "ab": 0}),
    ("cumsum behind nan", lambda a, b: f.cumsum(v(a, b))[1], (nan, 1.0), {"": nan, "a": 1, "b": 1}),
    ("cumulative_sum before nan", lambda a, b: f.cumulative_sum(v(a, b))[0], (1.0, nan), {"": 1, "a": 1, "b": 0}),
    ("nansum", lambda a, b: f.nansum(v(a, b)), (nan, 1.0), {"": 1, "a": 0, "b": 1}),
    ("nansum of nan alone", lambda a: f.nansum(v(a)), (nan,), {"": 0, "a": 0}),
    ("nancumsum", lambda a, b: f.nancumsum(v(a, b))[1], (nan, 1.0), {"": 1, "a": 0, "b": 1}),
    ("nanmean", lambda a, b, c: f.nanmean(v(a, b, c)), (nan, 1.0, 2.0), {"": 1.5, "a": 0, "b": 0.5, "c": 0.5, "bc": 0}),
    ("average, a weight of 0", lambda a, b, c: f.average(v(a, b), weights=v(c, 1.0)), (3.0, 1.0, 0.0),
     {"": 1, "a": 0, "b": 1, "c": 2, "cc": -4, "ccc": 12, "ac": 1, "bc": -1}),  # (a c + b) / (c + 1)
    ("trapezoid of a step of 0", lambda a, b, c: f.trapezoid(v(a, b), v(c, 1.0)), (2.0, 3.0, 1.0),
     {"": 0, "a": 0, "b": 0, "c": -2.5, "ac": -0.5, "cc": 0}),
    # spread
    ("var of equals", lambda a, b: f.var(v(a, b)), (2.0, 2.0), {"": 0, "a": 0, "aa": 0.5, "ab": -0.5, "aaa": 0}),
    ("var of one", lambda a: f.var(v(a)), (2.0,), {"": 0, "a": 0, "aa": 0, "aaa": 0}),
    ("var of inf", lambda a, b: f.var(v(a, b)), (inf, 1.0), {"": NO, "a": NO}),
    ("std of equals", lambda a, b: f.std(v(a, b)), (2.0, 2.0), {"": 0, "a": 0, "b": 0, "aa": NO, "ab": NO}),
    ("std of two", lambda a, b: f.std(v(a, b)), (3.0, 1.0), {"": 1, "a": 0.5, "b": -0.5, "aa": 0, "ab": 0}),
    ("nanvar of equals", lambda a, b, c: f.nanvar(v(a, b, c)), (2.0, nan, 2.0),
     {"": 0, "a": 0, "b": 0, "aa": 0.5, "ac": -0.5}),
    ("nanstd of equals", lambda a, b, c: f.nanstd(v(a, b, c)), (2.0, nan, 2.0), {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("cov of equals", lambda a, b: f.cov(v(a, b)).sum(), (2.0, 2.0), {"": 0, "a": 0, "aa": 1, "ab": -1, "aaa": 0}),
    ("cov of two variables", lambda a, b: f.cov(rows(a, 0.0, b, 0.0))[0, 1], (0.0, 0.0),
     {"": 0, "a": 0, "ab": 0.5, "aa": 0, "aab": 0}),
    # of two observations: sign(a) sign(b), constant, and undefined at 0
    ("corrcoef of two observations", lambda a, b: f.corrcoef(rows(a, 0.0, b, 0.0))[0, 1], (2.0, -1.0),
     {"": -1, "a": 0, "b": 0, "aa": 0, "ab": 0}),
    ("corrcoef of what does not vary", lambda a, b: f.corrcoef(rows(a, 0.0, b, 0.0))[0, 1], (0.0, 1.0), {"": NO}),
    # norms: at 0 the subgradient 0, and no curvature where they are curved
    ("norm at 0", lambda a, b: f.norm(v(a, b)), (0.0, 0.0), {"": 0, "a": 0, "aa": NO, "ab": NO}),
    ("norm of inf", lambda a, b: f.norm(v(a, b)), (inf, 1.0), {"": inf, "a": NO, "b": 0}),
    ("vector_norm 1 at 0", lambda a, b: f.vector_norm(v(a, b), ord=1), (0.0, -2.0), {"": 2, "a": 0, "b": -1, "aa": 0}),
    ("vector_norm inf, a tie", lambda a, b: f.vector_norm(v(a, b), ord=inf), (2.0, -2.0),
     {"": 2, "a": 0.5, "b": -0.5, "aa": 0, "ab": 0}),
    ("vector_norm -inf, a tie", lambda a, b: f.vector_norm(v(a, b), ord=-inf), (2.0, -2.0),
     {"": 2, "a": 0.5, "b": -0.5}),
    ("vector_norm 0", lambda a, b: f.vector_norm(v(a, b), ord=0), (0.0, 2.0), {"": 1, "a": 0, "b": 0, "aa": 0}),
    ("vector_norm 3 at 0", lambda a, b: f.vector_norm(v(a, b), ord=3), (0.0, 0.0), {"": 0, "a": 0, "aa": NO}),
    ("vector_norm 3 on an axis", lambda a, b: f.vector_norm(v(a, b), ord=3), (0.0, 1.0),
     {"": 1, "a": 0, "b": 1, "aa": 0, "ab": 0, "bb": 0}),  # |a| ** 3 has a kink in its second derivative
    ("vector_norm 1/2 on an axis", lambda a, b: f.vector_norm(v(a, b), ord=0.5), (0.0, 1.0), {"": 1, "b": 1}),
    ("vector_norm -1 with 0", lambda a, b: f.vector_norm(v(a, b), ord=-1), (0.0, 1.0), {"": 0}),
    ("matrix_norm at 0", lambda a, b: f.matrix_norm(rows(a, b, 0.0, 0.0)), (0.0, 0.0), {"": 0, "a": 0, "aa": NO}),
    ("matrix_norm 1, a tie", lambda a, b: f.matrix_norm(rows(a, b, 0.0, 0.0), ord=1), (2.0, -2.0),
     {"": 2, "a": 0.5, "b": -0.5, "aa": 0}),
    ("matrix_norm inf at 0", lambda a, b: f.matrix_norm(rows(a, b, 0.0, 0.0), ord=inf), (0.0, 0.0),
     {"": 0, "a": 0, "aa": 0}),
    ("normalize at 0", lambda a, b: f.normalize(v(a, b), axis=0, eps=0.5)[0], (0.0, 0.0), {"": 0, "a": 2, "b": 0}),
    ("normalize on an axis", lambda a, b: f.normalize(v(a, b), axis=0)[0], (0.0, 2.0),
     {"": 0, "a": 0.5, "b": 0, "ab": -0.25, "aa": 0, "aaa": -0.375}),  # -3 / b ** 3
    ("cdist of a point from itself", lambda a, b: f.cdist(v(v(a, b)), v(v(a, b))).sum(), (1.0, 2.0),
     {"": 0, "a": 0, "b": 0}),
    ("cdist of one place", lambda a, b: f.cdist([[0.0, 0.0]], v(v(a, b))).sum(), (0.0, 0.0), {"": 0, "a": 0, "aa": NO}),
    ("cdist by the 1-norm", lambda a, b: f.cdist([[0.0, 0.0]], v(v(a, b)), p=1.0).sum(), (0.0, 2.0),
     {"": 2, "a": 0, "b": 1}),
    ("cdist by the largest, a tie", lambda a, b: f.cdist([[0.0, 0.0]], v(v(a, b)), p=inf).sum(), (2.0, 2.0),
     {"": 2, "aa": 0}),
    ("pdist of equals", lambda a, b: f.pdist(rows(a, 0.0, b, 0.0)).sum(), (1.0, 1.0),
     {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("pairwise_distance of equals", lambda a, b: f.pairwise_distance(v(a, 0.0), v(b, 0.0), eps=0.0), (1.0, 1.0),
     {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("cosine_similarity at 0", lambda a, b: f.cosine_similarity(v(a, b), [1.0, 0.0], axis=0), (0.0, 0.0),
     {"": 0, "a": 1e8, "b": 0}),
    ("cosine_similarity across", lambda a, b: f.cosine_similarity(v(a, b), [1.0, 0.0], axis=0), (0.0, 2.0),
     {"": 0, "a": 0.5, "b": 0, "ab": -0.25}),
    ("lp_pool1d at 0", lambda a, b: f.lp_pool1d(f.reshape(v(a, b), (1, 1, 2)), 2.0, 2).sum(), (0.0, 0.0),
     {"": 0, "a": 0, "b": 0}),
    ("lp_pool2d at 0", lambda a: f.lp_pool2d(f.reshape(v(a, a, a, a), (1, 1, 2, 2)), 2.0, 2).sum(), (0.0,),
     {"": 0, "a": 0}),
    ("lp_pool3d at 0", lambda a: f.lp_pool3d(f.reshape(v(*[a] * 8), (1, 1, 2, 2, 2)), 2.0, 2).sum(), (0.0,),
     {"": 0, "a": 0}),
    # exponentials
    ("logsumexp of equals", lambda a, b: f.logsumexp(v(a, b)), (0.0, 0.0),
     {"": L2, "a": 0.5, "b": 0.5, "aa": 0.25, "ab": -0.25, "aaa": 0, "aab": 0}),
    ("logsumexp of two inf", lambda a, b: f.logsumexp(v(a, b)), (inf, inf), {"": inf, "a": 0.5, "b": 0.5}),
    ("logsumexp of two -inf", lambda a, b: f.logsumexp(v(a, b)), (-inf, -inf), {"": -inf, "a": 0, "b": 0}),
    ("logsumexp of -inf", lambda a, b: f.logsumexp(v(a, b)), (-inf, 1.0), {"": 1, "a": 0, "b": 1, "ab": 0, "bb": 0}),
    ("softmax of equals", lambda a, b: f.softmax(v(a, b))[0], (0.0, 0.0),
     {"": 0.5, "a": 0.25, "b": -0.25, "aa": 0, "ab": 0, "aaa": -0.125, "aab": 0.125}),
    ("softmax of -inf", lambda a, b: f.softmax(v(a, b))[0], (-inf, 0.0), {"": 0, "a": 0, "b": 0, "bb": 0}),
    ("softmin of equals", lambda a, b: f.softmin(v(a, b))[0], (0.0, 0.0),
     {"": 0.5, "a": -0.25, "b": 0.25, "aaa": 0.125}),
    ("log_softmax of equals", lambda a, b: f.log_softmax(v(a, b))[0], (0.0, 0.0),
     {"": -L2, "a": 0.5, "b": -0.5, "aa": -0.25, "ab": 0.25, "aaa": 0}),
    ("log_softmax of -inf", lambda a, b: f.log_softmax(v(a, b))[1], (-inf, 0.0), {"": 0, "a": 0, "b": 0}),
    # normalisation of what does not vary: x / sqrt(eps); with eps 1: z = d / sqrt(var + 1)
    ("layer_norm of equals", lambda a, b: f.layer_norm(v(a, b), (2,), eps=1.0)[0], (2.0, 2.0),
     {"": 0, "a": 0.5, "b": -0.5, "aa": 0, "ab": 0, "aaa": -0.375, "aab": 0.375}),  # u / sqrt(u^2 + 1), u = (a - b) / 2
    ("rms_norm at 0", lambda a, b: f.rms_norm(v(a, b), (2,), eps=1.0)[0], (0.0, 0.0),
     {"": 0, "a": 1, "b": 0, "aa": 0, "aaa": -1.5, "abb": -0.5}),  # a / sqrt((a^2 + b^2) / 2 + 1)
    ("batch_norm of equals", lambda a, b: f.batch_norm(rows(a, b), None, None, training=True, eps=1.0)[0, 0],
     (2.0, 2.0),
     {"": 0, "a": 0.5, "b": -0.5, "aa": 0, "aaa": -0.375}),
    ("group_norm of equals", lambda a, b: f.group_norm(f.reshape(v(a, b), (1, 2, 1)), 1, eps=1.0)[0, 0, 0], (2.0, 2.0),
     {"": 0, "a": 0.5, "b": -0.5, "aa": 0, "aaa": -0.375}),
    ("instance_norm of equals", lambda a, b: f.instance_norm(f.reshape(v(a, b), (1, 1, 2)), eps=1.0)[0, 0, 0],
     (2.0, 2.0),
     {"": 0, "a": 0.5, "b": -0.5, "aa": 0, "aaa": -0.375}),
    ("local_response_norm at 0", lambda a: f.local_response_norm(f.reshape(a, (1, 1, 1)),
     1, alpha=1.0, beta=0.5).sum(), (0.0,),
     {"": 0, "a": 1, "aa": 0, "aaa": -3}),  # a / sqrt(1 + a^2)
]  # fmt: skip

"""Losses at margins, exact predictions, certain probabilities and far ones.

A hinge max(x, 0) counts 0 at its corner, as `relu` does, and a distance of 0 has the subgradient 0.
"""

from math import inf, log

from points import NO

from zen import f

L2 = log(2)


def row(*numbers):
    return f.reshape(f.stack(numbers), (1, -1))


POINTS = [
    ("mse_loss of an exact prediction", lambda a, b: f.mse_loss(row(a), row(b)), (1.0, 1.0),
     {"": 0, "a": 0, "b": 0, "aa": 2, "ab": -2, "aaa": 0}),
    ("l1_loss of an exact prediction", lambda a, b: f.l1_loss(row(a), row(b)), (1.0, 1.0),
     {"": 0, "a": 0, "b": 0, "aa": 0}),
    ("huber_loss of an exact prediction", lambda a, b: f.huber_loss(row(a), row(b)), (1.0, 1.0),
     {"": 0, "a": 0, "aa": 1, "ab": -1, "aaa": 0}),
    ("huber_loss at delta", lambda a: f.huber_loss(row(a), row(0.0)), (1.0,), {"": 0.5, "a": 1}),
    ("smooth_l1_loss of an exact prediction", lambda a: f.smooth_l1_loss(row(a), row(1.0)), (1.0,),
     {"": 0, "a": 0, "aa": 1}),
    ("smooth_l1_loss of beta 0", lambda a: f.smooth_l1_loss(row(a), row(1.0), beta=0.0), (1.0,), {"": 0, "a": 0}),
    ("binary_cross_entropy at 1 of 1", lambda a: f.binary_cross_entropy(row(a), row(1.0)), (1.0,),
     {"": 0, "a": -1, "aa": 1, "aaa": -2}),
    ("binary_cross_entropy at 0 of 0", lambda a: f.binary_cross_entropy(row(a), row(0.0)), (0.0,),
     {"": 0, "a": 1, "aa": 1, "aaa": 2}),
    ("binary_cross_entropy_with_logits at 0", lambda a, t: f.binary_cross_entropy_with_logits(row(a), row(t)),
     (0.0, 0.5),
     {"": L2, "a": 0, "b": 0, "aa": 0.25, "ab": -1, "aaa": 0}),
    ("binary_cross_entropy_with_logits far right", lambda a, t: f.binary_cross_entropy_with_logits(row(a), row(t)),
     (inf, 1.0), {"": 0, "a": 0}),
    ("kl_div of target 0", lambda x, t: f.kl_div(row(x), row(t), reduction="sum"), (-1.0, 0.0),
     {"": 0, "a": 0, "b": -inf, "ab": -1}),
    ("poisson_nll_loss of rate 0", lambda x: f.poisson_nll_loss(row(x), row(0.0)), (-inf,), {"": NO}),  # 0 * -inf
    ("poisson_nll_loss at 0", lambda x, t: f.poisson_nll_loss(row(x), row(t)), (0.0, 1.0),
     {"": 1, "a": 0, "b": 0, "aa": 1, "ab": -1}),
    ("gaussian_nll_loss of an exact mean", lambda x, v: f.gaussian_nll_loss(row(x), row(0.0), row(v)), (0.0, 1.0),
     {"": 0, "a": 0, "b": 0.5, "aa": 1, "ab": 0, "bb": -0.5}),
    ("gaussian_nll_loss of variance 0", lambda x, v: f.gaussian_nll_loss(row(x), row(0.0), row(v), eps=1.0), (0.0, 0.0),
     {"": 0, "b": 0, "aa": 1}),
    ("soft_margin_loss at 0", lambda x: f.soft_margin_loss(row(x), row(1.0)), (0.0,),
     {"": L2, "a": -0.5, "aa": 0.25, "aaa": 0}),
    ("soft_margin_loss far out", lambda x: f.soft_margin_loss(row(x), row(1.0)), (800.0,), {"": 0, "a": 0, "aa": 0}),
    ("hinge_embedding_loss at its margin", lambda x: f.hinge_embedding_loss(row(x), row(-1.0), margin=1.0), (1.0,),
     {"": 0, "a": 0, "aa": 0}),
    ("margin_ranking_loss of equals", lambda a, b: f.margin_ranking_loss(row(a), row(b), row(1.0)), (1.0, 1.0),
     {"": 0, "a": 0, "b": 0}),
    ("multi_margin_loss at its margin", lambda a, b: f.multi_margin_loss(row(a, b), [0], margin=1.0), (1.0, 0.0),
     {"": 0, "a": 0, "b": 0}),
    ("multi_margin_loss squared", lambda a, b: f.multi_margin_loss(row(a, b), [0], p=2), (0.0, 0.0),
     {"": 0.5, "a": -1, "b": 1, "aa": 1, "ab": -1, "aaa": 0}),
    ("multilabel_margin_loss at its margin", lambda a, b: f.multilabel_margin_loss(row(a, b), [[0, -1]]), (1.0, 0.0),
     {"": 0, "a": 0, "b": 0}),
    ("multilabel_soft_margin_loss at 0", lambda a: f.multilabel_soft_margin_loss(row(a), row(1.0)), (0.0,),
     {"": L2, "a": -0.5, "aa": 0.25, "aaa": 0}),
    ("triplet_margin_loss at its margin",
     lambda a: f.triplet_margin_loss(row(a), row(0.0), row(0.0), margin=0.0, eps=0.0),
     (1.0,), {"": 0, "a": 0}),
    ("triplet_margin_loss of equals", lambda a, p: f.triplet_margin_loss(row(a), row(p), row(3.0), margin=4.0, eps=0.0),
     (1.0, 1.0), {"": 2, "a": 1, "b": 0}),
    ("triplet_margin_with_distance_loss", lambda a, p: f.triplet_margin_with_distance_loss(row(a), row(p), row(3.0),
     margin=4.0,
        distance_function=lambda x, y: f.sum((x - y) ** 2, -1)), (1.0, 1.0), {"": 0, "a": 0}),
    ("cosine_embedding_loss across", lambda a, b: f.cosine_embedding_loss(row(a, b), row(1.0, 0.0), [1.0]), (0.0, 2.0),
     {"": 1, "a": -0.5, "b": 0, "ab": 0.25}),
    ("cosine_embedding_loss at its margin", lambda a, b: f.cosine_embedding_loss(row(a, b), row(1.0, 0.0), [-1.0]),
     (0.0, 2.0), {"": 0, "b": 0}),
    ("cross_entropy of equals", lambda a, b: f.cross_entropy(row(a, b), [0]), (0.0, 0.0),
     {"": L2, "a": -0.5, "b": 0.5, "aa": 0.25, "ab": -0.25, "aaa": 0, "aab": 0}),
    ("cross_entropy of -inf elsewhere", lambda a, b: f.cross_entropy(row(a, b), [0]), (0.0, -inf),
     {"": 0, "a": 0, "b": 0, "aa": 0}),
    ("cross_entropy of -inf at the target", lambda a, b: f.cross_entropy(row(a, b), [1]), (0.0, -inf), {"": inf}),
    ("cross_entropy of probabilities", lambda a, b, p: f.cross_entropy(row(a, b), row(p, 1.0)), (0.0, 0.0, 0.0),
     {"": L2, "a": 0.5, "b": -0.5, "c": L2, "ac": -0.5, "bc": 0.5, "aa": 0.25}),
    ("nll_loss beside nothing", lambda a, b: f.nll_loss(row(a, b), [0]), (0.0, -inf),
     {"": 0, "a": -1, "b": 0, "aa": 0}),
    # one step, one label: -log p of the label; two classes, the blank first
    ("ctc_loss of one step", lambda a, b: f.ctc_loss(f.reshape(f.stack([a, b]), (1, 1, 2)), [[1]], [1], [1]),
     (0.0, -1.0), {"": 1, "a": 0, "b": -1, "bb": 0}),
    ("ctc_loss of a certain label", lambda a, b: f.ctc_loss(f.reshape(f.stack([a, b]), (1, 1, 2)), [[1]], [1], [1]),
     (-inf, 0.0), {"": 0, "a": 0, "b": -1}),
    # two steps, one label: -log(e^(a+b) 2 + e^(2b)) with the same a, b at both
    ("ctc_loss of two steps", lambda a, b: f.ctc_loss(f.reshape(f.stack([a, b, a, b]), (2, 1, 2)), [[1]], [2],
     [1]), (0.0, 0.0),
     {"": -log(3), "a": -2 / 3, "b": -4 / 3, "aa": -2 / 9, "ab": 2 / 9, "bb": -2 / 9}),
]  # fmt: skip

"""Interpolation at its points, signals, windows, histograms at their edges, polynomials with zeros, ranges.

Products of two arguments are bilinear: what is zero in one of them is no reason for a slope of zero in it.
"""

from math import e, inf, log, nan

import numpy as np

from zen import f, polynomial


def v(*numbers):
    return f.stack(numbers)


L2 = log(2)
ONE = {"": 0, "a": 1, "aa": 0}

POINTS = [
    # interp: at a point the line behind it counts; in xp the slope is minus that of the line, shared as the weights are
    ("interp at a point", lambda a, b, c: f.interp(a, [0.0, 1.0, 2.0], v(0.0, b, c)), (1.0, 1.0, 4.0),
     {"": 1, "a": 3, "b": 1, "c": 0, "aa": 0, "ab": -1, "ac": 1}),
    ("interp at the first point", lambda a, b, c: f.interp(a, [0.0, 1.0], v(b, c)), (0.0, 1.0, 4.0),
     {"": 1, "a": 3, "b": 1, "c": 0, "ab": -1, "ac": 1}),
    ("interp at the last point", lambda a, b, c: f.interp(a, [0.0, 1.0], v(b, c)), (1.0, 1.0, 4.0),
     {"": 4, "b": 0, "c": 1}),
    ("interp beyond", lambda a, b, c: f.interp(a, [0.0, 1.0], v(b, c)), (2.0, 1.0, 4.0),
     {"": 4, "a": 0, "b": 0, "c": 1, "ac": 0}),
    ("interp of inf", lambda a: f.interp(a, [0.0, 1.0], [1.0, 4.0]), (-inf,), {"": 1, "a": 0}),
    ("interp of nan", lambda a: f.interp(a, [0.0, 1.0], [1.0, 4.0]), (nan,), {"": nan}),
    ("interp, the point moves", lambda a, b: f.interp(0.5, v(a, b), [1.0, 3.0]), (0.0, 1.0),
     {"": 2, "a": -1, "b": -1, "aa": -2, "ab": 0, "bb": 2}),  # 1 + 2 (1/2 - a) / (b - a)
    # angles
    ("unwrap of half a period", lambda a, b: f.unwrap(v(a, b), period=2.0)[1], (0.0, 1.0),
     {"": 1, "a": 0, "b": 1, "bb": 0}),
    ("unwrap of more", lambda a, b: f.unwrap(v(a, b), period=2.0)[1], (0.0, 1.5), {"": -0.5, "a": 0, "b": 1, "bb": 0}),
    # differences
    ("diff twice", lambda a, b, c: f.diff(v(a, b, c), 2)[0], (0.0, 0.0, inf),
     {"": inf, "a": 1, "b": -2, "c": 1, "ab": 0}),
    ("ediff1d of nan", lambda a, b, c: f.ediff1d(v(a, b, c))[0], (0.0, 1.0, nan), {"": 1, "a": -1, "b": 1, "c": 0}),
    ("gradient with a step", lambda a, b, c: f.gradient(v(a, b), c)[0], (0.0, 2.0, 1.0),
     {"": 2, "a": -1, "b": 1, "c": -2, "cc": 4, "ccc": -12, "ac": 1}),
    ("gradient in the middle", lambda a, b, c: f.gradient(v(a, b, c))[1], (0.0, nan, 4.0),
     {"": 2, "a": -0.5, "b": 0, "c": 0.5}),
    ("gradient of equal coordinates", lambda a, b: f.gradient([0.0, 1.0, 4.0], v(0.0, a, b))[1], (1.0, 2.0), {"": 2}),
    ("trapezoid over nan", lambda a, b: f.trapezoid(v(a, b)), (nan, 1.0), {"": nan, "a": 0.5, "b": 0.5}),
    # convolutions are bilinear
    ("convolve with zeros", lambda a, b: f.convolve(v(a, 1.0), v(b, 2.0))[0], (0.0, 0.0),
     {"": 0, "a": 0, "b": 0, "ab": 1, "aa": 0}),
    ("correlate with zeros", lambda a, b: f.correlate(v(a), v(b))[0], (0.0, 0.0), {"": 0, "a": 0, "ab": 1}),
    # i0(beta / 2 sqrt 3) / i0(beta): i0 = 1 + x^2 / 4 + ..., so 1 + (3/16 - 1/4) beta^2
    ("kaiser of 0", lambda b: f.kaiser(5, b)[1], (0.0,), {"": 1, "a": 0, "aa": -0.125, "aaa": 0}),
    ("kaiser in the middle", lambda b: f.kaiser(5, b)[2], (0.0,), {"": 1, "a": 0, "aa": 0, "aaa": 0}),
    ("kaiser at its end", lambda b: f.kaiser(5, b)[0], (0.0,), {"": 1, "a": 0, "aa": -0.5, "aaa": 0}),  # 1 / i0(beta)
    # ranges
    ("linspace of one place", lambda a, b: f.linspace(a, b, 3)[1], (1.0, 1.0), {"": 1, "a": 0.5, "b": 0.5, "ab": 0}),
    ("logspace at 0", lambda a, b: f.logspace(a, b, 3, base=e)[1], (0.0, 0.0),
     {"": 1, "a": 0.5, "b": 0.5, "aa": 0.25, "ab": 0.25, "aab": 0.125}),
    ("geomspace of one place", lambda a, b: f.geomspace(a, b, 3)[1], (1.0, 1.0),
     {"": 1, "a": 0.5, "b": 0.5, "aa": -0.25, "ab": 0.25}),  # sqrt(ab)
    # histograms: the last bin includes its edge; edges that span the elements move with the outermost, shared by equals
    ("histogram, weights at the edge", lambda a, b: f.histogram([0.0, 1.0], 1, weights=v(a, b))[0][0], (2.0, 3.0),
     {"": 5, "a": 1, "b": 1}),
    ("histogram, edges of elements", lambda a, b: f.histogram(v(a, b), 2)[1][1], (0.0, 1.0),
     {"": 0.5, "a": 0.5, "b": 0.5, "aa": 0}),
    ("histogram of density", lambda a, b: f.histogram(v(a, b), 1, density=True)[0][0], (0.0, 2.0),
     {"": 0.5, "a": 0.25, "b": -0.25, "aa": 0.25, "ab": -0.25}),  # 1 / (b - a)
    ("histogram_bin_edges", lambda a, b: f.histogram_bin_edges(v(a, b), 1)[0], (0.0, 1.0), {"": 0, "a": 1, "b": 0}),
    ("histogram2d", lambda a: f.histogram2d([0.0, 1.0], [0.0, 1.0], 1, weights=v(a, 1.0))[0].sum(), (0.0,),
     {"": 1, "a": 1}),
    ("histogramdd", lambda a: f.histogramdd(np.array([[0.0], [1.0]]), 1, weights=v(a, 1.0))[0].sum(), (0.0,),
     {"": 1, "a": 1}),
    ("bincount, nothing there", lambda a: f.bincount([2], weights=v(a))[2], (0.0,), ONE),
    # polynomials, highest power first: zeros in front are cut off; what is left of a result counts them
    ("polyval at 0", lambda a, b, c: f.polyval(v(a, b), c), (2.0, 3.0, 0.0),
     {"": 3, "a": 0, "b": 1, "c": 2, "ac": 1, "cc": 0}),
    ("polyval, a square at 0", lambda x: f.polyval([1.0, 0.0, 0.0], x), (0.0,), {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("polyadd to zero", lambda a, b: f.polyadd(v(a, 1.0), v(b, 1.0))[0], (1.0, -1.0), {"": 0, "a": 1, "b": 1, "ab": 0}),
    ("polysub to zero", lambda a, b: f.polyval(f.polysub(v(a, 1.0), v(b, 1.0)), 2.0), (1.0, 1.0),
     {"": 0, "a": 2, "b": -2}),
    ("polymul with a zero in front", lambda a, b: f.polyval(f.polymul(v(a, 1.0), v(b, 1.0)), 2.0), (3.0, 2.0),
     {"": 35, "a": 10, "b": 14, "ab": 4}),  # (2a + 1)(2b + 1)
    ("polymul, a zero in front", lambda a, b: f.polymul(v(a, 1.0), v(b, 1.0))[0], (0.0, 2.0),
     {"": 2, "a": 1, "b": 1, "ab": 0}),  # behind ab
    ("polymul, zeros alone", lambda a: f.sum(f.polymul(v(a), [1.0, 1.0])), (0.0,), {"": 0, "a": 2, "aa": 0}),
    ("polydiv, no rest", lambda a: f.polydiv(v(1.0, a, 2.0, 1.0), [1.0, 1.0, 1.0])[1][-1], (2.0,),
     {"": 0, "a": -1, "aa": 0}),  # (2 - a)(x + 1)
    ("polyder of a constant", lambda a, b: f.polyval(f.polyder(v(a, b)), 2.0), (0.0, 3.0), {"": 0, "a": 1, "b": 0}),
    ("polyint of zero", lambda a: f.polyval(f.polyint(v(a)), 2.0), (0.0,), {"": 0, "a": 2, "aa": 0}),
    ("polydiv without a rest", lambda a: f.polydiv([1.0, a], [1.0, 1.0])[0][0], (1.0,), {"": 1, "a": 0}),
    ("polydiv by a constant", lambda a, b: f.polydiv(v(a), v(b))[0][0], (0.0, 2.0),
     {"": 0, "a": 0.5, "b": 0, "ab": -0.25}),
    ("poly of equal roots", lambda a, b: f.poly(v(a, b))[2], (1.0, 1.0), {"": 1, "a": 1, "b": 1, "ab": 1, "aa": 0}),
    # of x^2 + a x + b the sum of the roots is -a; of one root -a / b
    ("roots, a sum", lambda a, b: f.sum(f.roots(f.stack([1.0, a, b]))), (-3.0, 2.0),
     {"": 3, "a": -1, "b": 0, "aa": 0, "ab": 0, "bb": 0}),
    ("roots, a line", lambda a, b: f.roots(v(b, a))[0], (0.0, 2.0), {"": 0, "a": -0.5, "b": 0, "ab": 0.25, "aa": 0}),
    ("roots, a zero in front", lambda a, b, c: f.roots(v(c, b, a))[0], (1.0, 2.0, 0.0),
     {"": -0.5, "a": -0.5, "b": 0.25, "c": -0.125}),
    ("roots, a zero behind", lambda a, b: f.sum(f.roots(f.stack([1.0, a, b]))), (-1.0, 0.0), {"": 1, "a": -1}),
    ("vander of 0", lambda x: f.vander(v(x), 3)[0, 0], (0.0,), {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("vander of 0, a constant", lambda x: f.vander(v(x), 3)[0, 2], (0.0,), {"": 1, "a": 0, "aa": 0}),
    ("polyfit of a point", lambda a, b: f.polyfit([0.0, 1.0], v(a, b), 1)[0], (0.0, 0.0),
     {"": 0, "a": -1, "b": 1, "ab": 0}),
    ("polyfit in x", lambda a: f.polyfit(v(0.0, a), [0.0, 1.0], 1)[0], (1.0,),
     {"": 1, "a": -1, "aa": 2, "aaa": -6}),  # 1 / a
    # the same with the lowest power first
    ("polynomial.polyval at 0", lambda a, b, x: polynomial.polyval(x, v(a, b)), (2.0, 3.0, 0.0),
     {"": 2, "a": 1, "b": 0, "c": 3, "bc": 1}),
    ("polynomial.polypow of 0", lambda a: polynomial.polyval(3.0, polynomial.polypow(v(a, 1.0), 2)), (-3.0,),
     {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("polynomial.polypow 0", lambda a: polynomial.polyval(3.0, polynomial.polypow(v(a, 1.0), 0)), (0.0,), {"": 1}),
    ("polynomial.polymul", lambda a, b: polynomial.polyval(2.0, polynomial.polymul(v(1.0, a), v(1.0, b))), (3.0, 2.0),
     {"": 35, "a": 10, "b": 14, "ab": 4}),
    ("polynomial.polymul, a zero behind", lambda a, b: polynomial.polymul(v(1.0, a), v(1.0, b))[1], (0.0, 2.0),
     {"": 2, "a": 1, "b": 1, "ab": 0}),
    ("polynomial.polypow, a zero behind", lambda a, b: polynomial.polypow(v(1.0, a, b), 2)[2], (1.0, 0.0),
     {"": 1, "a": 2, "b": 2, "aa": 2, "ab": 0}),  # a^2 + 2b
    ("polynomial.polydiv, a zero behind", lambda a: polynomial.polydiv(v(2.0, a), [1.0, 1.0])[0][0], (0.0,),
     {"": 0, "a": 1, "aa": 0}),
    ("polynomial.polydiv, the rest of a zero behind", lambda a: polynomial.polydiv(v(2.0, a), [1.0, 1.0])[1][0], (0.0,),
     {"": 2, "a": -1}),
    ("polynomial.polydiv, no rest", lambda a: polynomial.polydiv(v(1.0, 2.0, a, 1.0), [1.0, 1.0, 1.0])[1][0], (2.0,),
     {"": 0, "a": -1}),
    ("polynomial.polyline, a slope of 0", lambda a, b: polynomial.polyline(a, b)[0], (1.0, 0.0),
     {"": 1, "a": 1, "b": 0}),
    ("polynomial.polyroots, a zero behind", lambda a: polynomial.polyroots(v(1.0, 2.0, a))[0], (0.0,),
     {"": -0.5, "a": -0.125}),  # -r^2 / p'(r)
    ("polynomial.polyadd to zero", lambda a, b: polynomial.polyadd(v(b, a), v(1.0, -1.0))[0], (1.0, 3.0),
     {"": 4, "a": 0, "b": 1}),
    ("polynomial.polysub to zero", lambda a, b: polynomial.polysub(v(b, a), v(1.0, 1.0))[0], (1.0, 3.0),
     {"": 2, "a": 0, "b": 1}),
    ("polynomial.polymulx of zero", lambda a: polynomial.polymulx(v(a))[0], (0.0,), {"": 0, "a": 0}),
    ("polynomial.polydiv", lambda a, b: polynomial.polydiv(v(a), v(b))[0][0], (0.0, 2.0),
     {"": 0, "a": 0.5, "b": 0, "ab": -0.25}),
    ("polynomial.polyder", lambda a, b: polynomial.polyval(2.0, polynomial.polyder(v(b, a))), (0.0, 3.0),
     {"": 0, "a": 1, "b": 0}),
    ("polynomial.polyint of zero", lambda a: polynomial.polyint(v(a))[0], (0.0,), {"": 0, "a": 0}),
    ("polynomial.polyint of zero from 2 on", lambda a: polynomial.polyint(v(a), lbnd=2.0)[0], (0.0,), {"": 0, "a": -2}),
    ("polynomial.polyfromroots of equals", lambda a, b: polynomial.polyfromroots(v(a, b))[0], (1.0, 1.0),
     {"": 1, "a": 1, "ab": 1, "aa": 0}),
    ("polynomial.polyroots of a line", lambda a, b: polynomial.polyroots(v(a, b))[0], (0.0, 2.0),
     {"": 0, "a": -0.5, "b": 0, "ab": 0.25}),
    ("polynomial.polyline", lambda a, b: polynomial.polyval(2.0, polynomial.polyline(a, b)), (1.0, 3.0),
     {"": 7, "a": 1, "b": 2}),
    ("polynomial.polytrim", lambda a: polynomial.polytrim(v(a, 0.0))[0], (1.0,), {"": 1, "a": 1, "aa": 0}),
    ("polynomial.polycompanion", lambda a, b: polynomial.polycompanion(v(a, 0.0, b))[0, 1], (0.0, 2.0),
     {"": 0, "a": -0.5, "b": 0, "ab": 0.25}),
    ("polynomial.polyvalfromroots at a root", lambda x, r: polynomial.polyvalfromroots(x, v(r, 3.0)), (1.0, 1.0),
     {"": 0, "a": -2, "b": 2, "aa": 2, "ab": -1}),
    ("polynomial.polyvander of 0", lambda x: polynomial.polyvander(x, 2)[0, 2], (0.0,),
     {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("polynomial.polyvander2d of 0", lambda x, y: polynomial.polyvander2d(x, y, [1, 1])[0, 3], (0.0, 0.0),
     {"": 0, "a": 0, "ab": 1}),
    ("polynomial.polyvander3d of 0", lambda x, y, z: polynomial.polyvander3d(x, y, z, [1, 1, 1])[0, 7], (0.0, 0.0, 0.0),
     {"": 0, "a": 0, "ab": 0, "abc": 1}),
    ("polynomial.polyval2d at 0", lambda x, y: polynomial.polyval2d(x, y, [[0.0, 0.0], [0.0, 1.0]]), (0.0, 0.0),
     {"": 0, "a": 0, "ab": 1, "aa": 0}),
    ("polynomial.polyval3d at 0", lambda x, y, z: polynomial.polyval3d(x, y, z, np.eye(8)[7].reshape(2, 2, 2)),
     (0.0, 0.0, 0.0), {"": 0, "ab": 0, "abc": 1}),
    ("polynomial.polyvalnd at 0", lambda x, y: polynomial.polyvalnd([x, y], np.array([[0.0, 0.0], [0.0, 1.0]])),
     (0.0, 0.0), {"": 0, "a": 0, "ab": 1}),
    ("polynomial.polygrid2d at 0", lambda x, y: polynomial.polygrid2d(v(x), v(y), [[0.0, 0.0], [0.0, 1.0]])[0, 0],
     (0.0, 0.0), {"": 0, "ab": 1}),
    ("polynomial.polygrid3d at 0",
     lambda x, y, z: polynomial.polygrid3d(v(x), v(y), v(z), np.eye(8)[7].reshape(2, 2, 2))[0, 0, 0],
     (0.0, 0.0, 0.0), {"": 0, "abc": 1}),
    ("polynomial.polyfit", lambda a, b: polynomial.polyfit([0.0, 1.0], v(a, b), 1)[1], (0.0, 0.0),
     {"": 0, "a": -1, "b": 1}),
    # images: places on an element, and on the edge between two
    ("interpolate onto an element", lambda a, b: f.interpolate(f.reshape(v(a, b), (1, 1, 2)), 3, mode="linear",
     align_corners=True)[0, 0, 1], (0.0, 1.0),
     {"": 0.5, "a": 0.5, "b": 0.5}),
    ("grid_sample on an element", lambda x: f.grid_sample(np.array([[[[1.0, 3.0]]]]), f.reshape(v(x, 0.0),
     (1, 1, 1, 2)), align_corners=True).sum(), (-1.0,),
     {"": 1, "a": 1, "aa": 0}),
    ("grid_sample between two", lambda x: f.grid_sample(np.array([[[[1.0, 3.0]]]]), f.reshape(v(x, 0.0),
     (1, 1, 1, 2)), align_corners=True).sum(), (0.0,),
     {"": 2, "a": 1, "aa": 0}),
    ("affine_grid at 0", lambda a: f.affine_grid(f.reshape(v(1.0, 0.0, a, 0.0, 1.0, 0.0), (1, 2, 3)), (1, 1, 1, 1),
     align_corners=False)[0, 0, 0, 0], (0.0,),
     {"": 0, "a": 1, "aa": 0}),
]  # fmt: skip

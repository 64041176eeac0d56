"""Functions that choose among elements, at ties, infinities and nan: extrema, order, quantiles, sets, pooling.

Equal elements share the gradient where they are reduced; where they are put in order, each keeps its own.
"""

from math import inf, nan

from points import NO

from zen import f


def v(*numbers):
    return f.stack(numbers)


def line(*numbers):
    return f.reshape(f.stack(numbers), (1, 1, -1))


def square(*numbers):
    return f.reshape(f.stack(numbers), (1, 1, 2, 2))


def cube(*numbers):
    return f.reshape(f.concat([f.stack(numbers), [-9.0] * 4]), (1, 1, 2, 2, 2))


HALVES = {"a": 0.5, "b": 0.5, "c": 0, "aa": 0, "ab": 0, "bb": 0}
THIRDS = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3, "aa": 0, "ab": 0}
FIRST = {"a": 1, "b": 0, "aa": 0, "ab": 0, "aaa": 0}
SECOND = {"a": 0, "b": 1, "aa": 0, "ab": 0, "bbb": 0}

POINTS = [
    ("max, two equal", lambda a, b, c: f.max(v(a, b, c)), (2.0, 2.0, 1.0), {"": 2, **HALVES}),
    ("max, three equal", lambda a, b, c: f.max(v(a, b, c)), (2.0, 2.0, 2.0), {"": 2, **THIRDS}),
    ("max of 0 and -0", lambda a, b: f.max(v(a, b)), (0.0, -0.0), {"": 0, "a": 0.5, "b": 0.5}),
    ("max of two inf", lambda a, b: f.max(v(a, b)), (inf, inf), {"": inf, "a": 0.5, "b": 0.5}),
    ("max of nan", lambda a, b: f.max(v(a, b)), (nan, 1.0), {"": nan, "b": 0}),
    ("max, initial equal", lambda a, b: f.max(v(a, b), initial=1.0), (1.0, 0.0), {"": 1, "b": 0, "aa": 0}),
    ("max squared, all equal", lambda a, b: f.max(v(a, b)) ** 2, (3.0, 3.0),
     {"": 9, "a": 3, "b": 3, "aa": 0.5, "ab": 0.5, "bb": 0.5, "aaa": 0}),  # 2 * (1/2) * (1/2)
    ("min, two equal", lambda a, b, c: f.min(v(a, b, c)), (1.0, 1.0, 2.0), {"": 1, **HALVES}),
    ("min of -inf", lambda a, b: f.min(v(a, b)), (-inf, 1.0), {"": -inf, "a": 1, "b": 0}),
    ("ptp, two equal", lambda a, b, c: f.ptp(v(a, b, c)), (2.0, 2.0, 1.0),
     {"": 1, "a": 0.5, "b": 0.5, "c": -1, "aa": 0}),
    ("ptp, all equal", lambda a, b: f.ptp(v(a, b)), (2.0, 2.0), {"": 0, "a": 0, "b": 0, "ab": 0}),
    ("nanmax, two equal", lambda a, b, c: f.nanmax(v(a, b, c)), (2.0, 2.0, nan), {"": 2, "a": 0.5, "b": 0.5, "c": 0}),
    ("nanmin, two equal", lambda a, b, c: f.nanmin(v(a, b, c)), (2.0, 2.0, nan), {"": 2, "a": 0.5, "b": 0.5, "c": 0}),
    ("median, the middle equal", lambda a, b, c: f.median(v(a, b, c)), (2.0, 2.0, 1.0),
     {"": 2, "aa": 0, "ab": 0, "c": 0}),
    ("median of two", lambda a, b: f.median(v(a, b)), (2.0, 2.0), {"": 2, "a": 0.5, "b": 0.5, "aa": 0, "ab": 0}),
    ("median of two inf", lambda a, b: f.median(v(a, b)), (inf, inf), {"": inf, "a": 0.5, "b": 0.5}),
    ("median of inf and -inf", lambda a, b: f.median(v(a, b)), (inf, -inf), {"": NO}),
    ("median with nan", lambda a, b, c: f.median(v(a, b, c)), (2.0, nan, 1.0), {"": nan}),
    ("nanmedian with nan", lambda a, b, c: f.nanmedian(v(a, b, c)), (2.0, nan, 1.0),
     {"": 1.5, "a": 0.5, "b": 0, "c": 0.5, "ac": 0}),
    # in q the slope is the distance of the neighbours times n - 1; at an element, that of the next piece
    ("quantile at the first", lambda a, b, c: f.quantile(v(a, b), c), (1.0, 3.0, 0.0),
     {"": 1, "a": 1, "b": 0, "c": 2, "ac": -1, "bc": 1, "cc": 0}),
    ("quantile at the last", lambda a, b, c: f.quantile(v(a, b), c), (1.0, 3.0, 1.0), {"": 3, "a": 0, "b": 1, "cc": 0}),
    ("quantile of equals", lambda a, b, c: f.quantile(v(a, b), c), (2.0, 2.0, 0.25),
     {"": 2, "a": 0.75, "b": 0.25, "c": 0, "ac": -1, "cc": 0}),
    ("percentile in the middle", lambda a, b, c: f.percentile(v(a, b, c), 50.0), (1.0, 2.0, 4.0),
     {"": 2, "a": 0, "b": 1, "c": 0}),
    ("quantile with nan", lambda a, b: f.quantile(v(a, b), 0.5), (nan, 2.0), {"": nan}),
    ("nanquantile of equals", lambda a, b, c: f.nanquantile(v(a, b, c), 0.25), (2.0, 2.0, nan),
     {"": 2, "a": 0.75, "b": 0.25, "c": 0}),
    ("nanpercentile of one", lambda a, b: f.nanpercentile(v(a, b), 50.0), (nan, 2.0), {"": 2, "a": 0, "b": 1}),
    ("quantile, a jump", lambda a, b: f.quantile(v(a, b), 0.5, method="lower"), (1.0, 3.0), {"": 1, "a": 1, "b": 0}),
    # order: equal elements stay in place, nan goes last
    ("sort, a tie", lambda a, b: f.sort(v(a, b))[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("sort, a tie, second", lambda a, b: f.sort(v(a, b))[1], (1.0, 1.0), {"": 1, **SECOND}),
    ("sort of -0 and 0", lambda a, b: f.sort(v(a, b))[0], (0.0, -0.0), {"": 0, **FIRST}),
    ("sort downwards, a tie", lambda a, b: f.sort(v(a, b), descending=True)[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("sort of nan", lambda a, b: f.sort(v(a, b))[0], (nan, 1.0), {"": 1, "a": 0, "b": 1}),
    ("sort, the nan", lambda a, b: f.sort(v(a, b))[1], (nan, 1.0), {"": nan, "a": 1, "b": 0}),
    ("sort of infinities", lambda a, b: f.sort(v(a, b))[0], (inf, -inf), {"": -inf, "a": 0, "b": 1}),
    ("partition, all equal", lambda a, b: f.sum(f.partition(v(a, b), 0)), (1.0, 1.0), {"": 2, "a": 1, "b": 1, "ab": 0}),
    ("sort_complex, a tie", lambda a, b: f.real(f.sort_complex(v(a, b))[0]), (1.0, 1.0), {"": 1, "aa": 0}),
    # sets: the gradient goes to the element that stands first
    ("unique, a tie", lambda a, b: f.unique(v(a, b))[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("unique_values, a tie", lambda a, b: f.unique_values(v(a, b))[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("unique_all, a tie", lambda a, b: f.unique_all(v(a, b)).values[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("unique_counts, a tie", lambda a, b: f.unique_counts(v(a, b)).values[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("unique_inverse, a tie", lambda a, b: f.unique_inverse(v(a, b)).values[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("unique of two nan", lambda a, b: f.unique(v(a, b))[0], (nan, nan), {"": nan, "a": 1, "b": 0}),
    ("union1d, a tie", lambda a, b: f.union1d(v(a), v(b))[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("intersect1d", lambda a, b: f.intersect1d(v(a), v(b))[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("setdiff1d", lambda a, b: f.setdiff1d(v(a, b), v(2.0))[0], (1.0, 1.0), {"": 1, **FIRST}),
    ("setxor1d", lambda a, b: f.setxor1d(v(a), v(b, 2.0))[0], (1.0, 1.0), {"": 2, "a": 0, "b": 0}),
    # pooling: the first of equals
    ("max_pool1d, a tie", lambda a, b: f.max_pool1d(line(a, b), 2).sum(), (1.0, 1.0), {"": 1, **FIRST}),
    ("max_pool1d of nan", lambda a, b: f.max_pool1d(line(a, b), 2).sum(), (1.0, nan), {"": nan, "a": 0, "b": 1}),
    ("max_pool1d of -inf", lambda a, b: f.max_pool1d(line(a, b), 2).sum(), (-inf, -inf), {"": -inf, "a": 1, "b": 0}),
    ("max_pool2d, a tie", lambda a, b: f.max_pool2d(square(a, b, a, b), 2).sum(), (1.0, 1.0), {"": 1, **FIRST}),
    ("max_pool3d, a tie", lambda a, b: f.max_pool3d(cube(a, b, a, b), 2).sum(), (1.0, 1.0), {"": 1, **FIRST}),
    ("adaptive_max_pool1d, a tie", lambda a, b: f.adaptive_max_pool1d(line(a, b), 1).sum(), (1.0, 1.0),
     {"": 1, **FIRST}),
    ("adaptive_max_pool2d, a tie", lambda a, b: f.adaptive_max_pool2d(square(a, b, a, b), 1).sum(), (1.0, 1.0),
     {"": 1, **FIRST}),
    ("adaptive_max_pool3d, a tie", lambda a, b: f.adaptive_max_pool3d(cube(a, b, a, b), 1).sum(), (1.0, 1.0),
     {"": 1, **FIRST}),
    ("embedding_bag, a tie", lambda a, b: f.embedding_bag([[0, 1]], f.reshape(v(a, b), (2, 1)), mode="max").sum(),
     (1.0, 1.0), {"": 1, **FIRST}),
    # choices by masks and numbers, which have no derivative: what is not chosen counts for nothing, whatever it is
    ("select beside nan", lambda a, b: f.select([True], [a], b), (1.0, nan), {"": 1, **FIRST}),
    ("choose beside inf", lambda a, b: f.choose(0, [a, b]), (1.0, inf), {"": 1, **FIRST}),
    ("piecewise at its border", lambda a: f.piecewise(v(a), [[a >= 0]], [lambda x: x * x, lambda x: -x]).sum(), (0.0,),
     {"": 0, "a": 0, "aa": 2, "aaa": 0}),
    ("take of one twice", lambda a, b: f.prod(f.take(v(a, b), [0, 0])), (0.0, nan), {"": 0, "a": 0, "b": 0, "aa": 2}),
    ("extract beside nan", lambda a, b: f.extract([True, False], v(a, b))[0], (1.0, nan), {"": 1, **FIRST}),
    ("compress beside nan", lambda a, b: f.compress([True, False], v(a, b))[0], (1.0, nan), {"": 1, **FIRST}),
    ("trim_zeros of a zero", lambda a, b: f.trim_zeros(v(a, b)).sum(), (0.0, 1.0), {"": 1, "a": 0, "b": 1}),
    ("tril beside nan", lambda a, b: f.tril(f.reshape(v(a, b, a, a), (2, 2))).sum(), (1.0, nan),
     {"": 3, "a": 3, "b": 0}),
    ("triu beside nan", lambda a, b: f.triu(f.reshape(v(a, a, b, a), (2, 2))).sum(), (1.0, nan),
     {"": 3, "a": 3, "b": 0}),
]  # fmt: skip

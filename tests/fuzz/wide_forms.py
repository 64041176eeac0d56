"""What the wider families consist of; see `wider.py`. Of each form the first argument is the prepared one."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .build import Builder
from .program import Ref
from .wider import Argument, definite, distinct, form, matrix, plain, positive, sample, small, within

Shape = tuple[int, ...]


def one_of(b: Builder, x: Argument, forms: list[str], *others: Any) -> None:
    form(b, b.rng.choice(forms), x, *others)


def elements(b: Builder, x: Ref, shape: Shape) -> None:
    """Functions of real numbers, alone and in pairs. Half of them PyTorch has under the same names."""
    if b.rng.random() < 0.5:
        op = b.rng.choice(["deg2rad", "rad2deg", "nan_to_num"])
        form(b, f"np.{op}({{0}})", plain(b, x, shape), op=op)
    elif b.rng.random() < 0.5:
        op = b.rng.choice(["logaddexp2", "copysign", "fmax", "fmin", "float_power", "fmod"])
        a = distinct(b, x, shape, 5.137)
        form(b, f"np.{op}({{0}}, {{1}})", a, positive(b, b.fit(shape), shape), op=op)
    else:
        one_of(b, distinct(b, x, shape, 5.137), [
            "np.cbrt({0})", "np.sinc({0} - 5)", "np.i0({0} - 5)",
            "np.modf({0})[0]", "np.frexp({0})[0]", "np.ldexp({0}, -2)", "np.heaviside({0}, 0.5) * {0}",
            "np.divmod({0}, 1.7317)[1]", "np.fabs({0})", "np.emath.sqrt({0})", "np.emath.log({0})",
            "np.nextafter({0}, 9.0)",
            "np.real_if_close({0})", "np.clip({0}, 0, 5.91371)", "np.around({0}, 1) + {0}", "np.angle({0}) + {0}",
        ])  # fmt: skip


def statistics(b: Builder, x: Ref, shape: Shape) -> None:
    a = distinct(b, x, shape)
    if len(shape) == 2 and shape[1] > 2 and b.rng.random() < 0.4:
        op = b.rng.choice(["cov", "corrcoef"])
        form(b, f"np.{op}({{0}})", a, op=op)
        return
    forms = [
        "np.median({0})", "np.quantile({0}, 0.317)", "np.quantile({0}, [0.21, 0.83], method='hazen')", "np.ptp({0})",
        "np.percentile({0}, 37.0, method='median_unbiased')", "np.average({0}, weights=np.exp(0.1 * {0}))",
        "np.nanmean(np.where({1}, np.nan, {0}))", "np.nansum(np.where({1}, np.nan, {0}))",
        "np.nanprod(np.where({1}, np.nan, 0.3 * {0}))", "np.nanmax(np.where({1}, np.nan, {0}))",
        "np.nanmin(np.where({1}, np.nan, {0}))", "np.nanmedian(np.where({1}, np.nan, {0}))",
        "np.nanvar(np.where({1}, np.nan, {0}))", "np.nanquantile(np.where({1}, np.nan, {0}), 0.417)",
        "np.nancumsum(np.where({1}, np.nan, {0}))", "np.nancumprod(np.where({1}, np.nan, 0.3 * {0}))",
        "np.nanstd(np.where({1}, np.nan, {0} * 0.7 + 1) ** 2 + np.arange({0}.size).reshape({0}.shape))",
        "np.histogram({0}, 3, weights={0} * 0 + 1.5)[1]", "np.unique({0})", "f.unique_values({0})",
        "np.partition({0}, 0, axis=None).sum()", "f.cumulative_prod({0}.ravel() * 0.3)", "np.cumprod({0} * 0.3)",
        "np.logaddexp.reduce({0}.ravel())", "np.multiply.reduce({0}.ravel() * 0.3)",
        "np.maximum.accumulate({0}.ravel())",
        "np.add.outer({0}.ravel()[:3], {0}.ravel()[:2])", "np.histogram_bin_edges({0}, 2)",
    ]  # fmt: skip
    if shape:
        forms += [
            "np.median({0}, axis=0)", "np.quantile({0}, 0.61, axis=-1, keepdims=True)", "np.ptp({0}, axis=0)",
            "np.sort_complex({0}).real", "np.sort({0}, axis=0)", "f.cumulative_sum({0}.ravel(), include_initial=True)",
            "np.average({0}, axis=0)",
        ]  # fmt: skip
    mask = b.source("mask", shape, kind="first", dtype="bool")
    one_of(b, a, [t for t in forms if "{1}" not in t or prod(shape) > 2], _known(mask, shape))


def _known(mask: Ref, shape: Shape) -> Argument:
    trial = np.zeros(shape, bool)
    trial.reshape(-1)[:1] = True
    return Argument((mask, trial))


def signals(b: Builder, x: Ref, shape: Shape) -> None:
    n = prod(shape)
    a = distinct(b, x, shape)
    if n < 3:
        return
    line = Argument((b.emit("ravel", a[0], shape=(n,), bound=4, view=True), a[1].reshape(-1)))
    other = sample(b, (3,))
    grid = b.source("array", (n,), kind="rising", low=0.0, high=1.0, layout="C")
    rising = Argument((grid, np.arange(float(n))))
    kind = b.rng.random()
    if kind < 0.35:
        op = b.rng.choice(["diff", "trapezoid", "cumulative_trapezoid"])
        texts = {
            "diff": "np.diff({0})", "trapezoid": "np.trapezoid({0}, {1})",
            "cumulative_trapezoid": "np.cumsum(0.5 * ({0}[1:] + {0}[:-1]))",
        }  # fmt: skip
        form(b, texts[op], line, rising, op=op)
        return
    one_of(b, line, [
        "np.gradient({0})", "np.gradient({0}, {1})", "np.gradient({0}, 0.7, edge_order=2)",
        "np.ediff1d({0}, to_end=[1.5])",
        "np.diff({0}, n=2)", "np.convolve({0}, {2})", "np.convolve({0}, {2}, 'same')", "np.correlate({0}, {2})",
        "np.correlate({0}, {2}, 'full')", "np.interp({2} + 1.0137, {1}, {0})",
        "np.interp({2} - 0.0137, {1}, {0}, left=0.5)",
        "np.unwrap({0} * 3.0137, period=5.1)", "np.trapezoid({0}, dx=0.3)", "np.trapezoid({0} ** 2, {0} + {1} * 3)",
        "f.kaiser(5, {0}[0])", "np.diff({0}, prepend={2}[:1])", "np.interp({0}, {1}, {1} ** 2)",
    ], rising, other)  # fmt: skip


def polynomials(b: Builder, x: Ref, shape: Shape) -> None:
    p, q = sample(b, (3,)), sample(b, (2,))
    s = small(b, x, shape)
    one_of(b, s, [
        "np.polyval({1}, {0})", "np.polymul({1}, {2})", "np.polyadd({1}, {2})", "np.polyder({1})", "np.polyint({1}, 2)",
        "np.polysub({1}, {2})", "np.polydiv({1}, {2} + np.array([5.0, 0.0], {2}.dtype))[0]", "np.poly({2})",
        "np.polydiv({1}, {2} + np.array([5.0, 0.0], {2}.dtype))[1]", "np.vander({0}.ravel(), 3)",
        "np.real(np.roots({1} + np.array([5.0, 0.0, -7.0], {1}.dtype)))", "np.polyfit(np.arange(3.0), {1}, 1)",
        "np.abs(np.roots({1} + np.array([5.0, 0.0, 7.0], {1}.dtype))).sum()",
        "polynomial.polyval({0}, {1})", "polynomial.polymul({1}, {2})", "polynomial.polypow({2}, 3)",
        "polynomial.polyder({1})", "polynomial.polyint({1}, k=[0.5], lbnd=0.3)", "polynomial.polyfromroots({1})",
        "polynomial.polydiv({1}, {2} + np.array([0.0, 5.0], {2}.dtype))[1]", "polynomial.polyvander({0}, 2)",
        "polynomial.polyval2d({0}, {0} * 0.5, np.outer({1}, {2}))", "polynomial.polyvalfromroots({0}, {1})",
        "polynomial.polyline({1}[0], {1}[1])", "polynomial.polygrid2d({1}, {2}, np.ones((2, 2)))",
    ], p, q)  # fmt: skip


def building(b: Builder, x: Ref, shape: Shape) -> None:
    a, y = plain(b, x, shape), sample(b, (2,))
    forms = [
        "np.linspace({1}[0], {1}[1], 4)", "np.logspace({0} * 0.3, 0.2, 3)", "np.geomspace(np.exp({1}[0]), 2.0, 3)",
        "np.diagflat({0})", "np.block([[{0}, {0}]])", "np.append({0}, {1})", "np.delete({0}, 0)",
        "np.insert({0}, 0, {1}[0])",
        "np.resize({0}, (2, 3))", "np.select([{0} > 9.7, {0} > -9.7], [{0} * 2, {0} ** 2], 0.5)", "np.kron({0}, {1})",
        "np.extract({0} > -9.7, {0})", "np.compress([True], {0}.ravel())", "np.meshgrid({0}, {1})[0]",
        "np.piecewise({0}, [{0} > 9.7], [lambda v: v * 2, lambda v: v ** 2])", "zen.full((2, 2), {1}[0])",
        "np.concatenate([{0}.ravel(), {1}])[::2]", "zen.r_[{0}.ravel(), {1}, 0.5]",
        "np.array([{1}[0], [{1}[1], 2.0][0]], like={1})",
        "np.choose([1, 0], [{1}, {1} * 2])", "np.column_stack([{1}, {1} ** 2])", "np.union1d({1}[:1], [9.5, 9.0])",
        "np.apply_along_axis(lambda v: v * v.sum(), 0, {1})", "zen.vectorize(lambda v: v * 2)({1})", "np.tri(2) * {1}",
        "np.fromfunction(lambda i, j: i * {1}[0] + j, (2, 3))", "np.bincount([0, 2], {1})", "np.outer({1}, {0})",
    ]  # fmt: skip
    if len(shape) > 1:
        forms += ["np.rot90({0})", "np.fliplr({0})", "np.flipud({0})", "np.dstack([{0}, {0}])"]
        forms.append("np.array_split({0}, 2)[0]")
    one_of(b, a, forms, y)


def spectra(b: Builder, x: Ref, shape: Shape) -> None:
    n = b.rng.choice([2, 3])
    m, q, r, v = matrix(b, n), definite(b, n), matrix(b, n + 1, n), sample(b, (n,))
    named = {
        "eigvalsh": ("np.linalg.eigvalsh({0})", q), "svdvals": ("np.linalg.svdvals({0})", r),
        "pinv": ("np.linalg.pinv({0})", r), "expm": ("f.expm({0} * 0.2)", m),
        "nuclear": ("np.linalg.norm({0}, 'nuc')", m),
        "spectral": ("np.linalg.norm({0}, 2)", m), "qr_r": ("np.abs(np.linalg.qr({0}).R)", r),
        "eigvals_sum": ("np.sum(np.linalg.eigvals({0}) ** 3).real", m), "cond": ("np.linalg.cond({0})", m),
    }  # fmt: skip
    if b.rng.random() < 0.5:
        op = b.rng.choice(list(named))
        text, a = named[op]
        form(b, text, a, op=op)
        return
    one_of(b, m, [
        "(lambda e: (e.eigenvectors * np.exp(0.2 * e.eigenvalues)) @ e.eigenvectors.mT)(np.linalg.eigh({1}))",
        "(lambda d: (d.U * np.log(d.S)) @ d.Vh)(np.linalg.svd({2}, full_matrices=False))",
        "np.real((lambda e: (e.eigenvectors * e.eigenvalues**2) @ np.linalg.inv(e.eigenvectors))(np.linalg.eig({0})))",
        "np.linalg.lstsq({2}, {2}[:, 0] + 0.5, rcond=None)[0]", "np.linalg.cond({0}, 1)",
        "np.linalg.multi_dot([{0}, {1}, {3}])",
        "f.solve_triangular({0}, {3})", "f.solve_triangular({0}, {3}, trans=1, lower=True)",
        "np.linalg.tensorsolve({0}, {3})",
        "f.cho_solve((np.linalg.cholesky({1}), True), {3})", "f.lu({0})[2]", "np.linalg.tensorinv({0}, 1)",
        "np.linalg.matrix_power({0}, 3) * 0.1", "f.block_diag({0}, {3})", "np.linalg.slogdet({0}).logabsdet",
        "f.vecmat({3}, {0})",
        "np.linalg.norm({0}, -2)", "f.matvec({0}, {3})", "np.linalg.qr({2}).Q @ np.linalg.qr({2}).R",
        "np.linalg.norm({0}, 1)",
        "np.linalg.cholesky({1})", "np.linalg.inv({1})", *(["np.cross({3}, {0}[0])"] if n == 3 else []),
    ], q, r, v)  # fmt: skip


def transforms(b: Builder, x: Ref, shape: Shape) -> None:
    """Fourier transforms, back and forth, with a filter of complex numbers between."""
    if not shape:
        return
    a = plain(b, x, shape)
    last = ["real", "imag"]
    if b.rng.random() < 0.6:
        op, part = b.rng.choice(["fft", "ifft", "rfft", "fftn", "ihfft", "hfft", "irfft", "rfftn"]), b.rng.choice(last)
        norm = b.rng.choice(["backward", "ortho", "forward"])
        if op in ("hfft", "irfft") and shape[-1] < 2:
            return
        form(b, f"np.{part}(np.fft.{op}({{0}}, norm={norm!r}))", a, norm, part, op=f"fft.{op}")
        return
    forms = [
        "np.fft.irfft(np.fft.rfft({0}) * (1 + 0.5j), {0}.shape[-1])",
        "np.fft.ifft(np.fft.fft({0}) * np.exp(0.3j)).real",
        "np.abs(np.fft.fft({0} + 9.0))", "np.fft.fftshift({0})", "np.fft.ifftshift({0}, axes=-1)",
        "np.fft.fft({0}, 7, axis=0).imag",
        "np.fft.rfft({0}, 2).real", "np.angle(np.fft.rfft({0})[..., :1] + (9 + 1j))", "np.fft.ifftn({0}).real",
    ]  # fmt: skip
    if len(shape) > 1:
        forms += ["np.fft.fft2({0}).imag", "np.fft.irfft2(np.fft.rfft2({0}), {0}.shape[-2:])", "np.fft.ifft2({0}).real"]
    one_of(b, a, forms)


HOLOMORPHIC = (
    "sin cos tanh exp square sinh cosh expm1 log sqrt reciprocal asin acos atan asinh acosh atanh log1p sigmoid"
).split()


def planes(b: Builder, x: Ref, shape: Shape) -> None:
    """A chain of functions of complex numbers near 0.5 + 0.4i, where all of them are smooth; then a real part of it."""
    a, y = small(b, x, shape), small(b, b.fit(shape), shape)
    chain = [b.rng.choice(HOLOMORPHIC) for _ in range(b.rng.choice([1, 1, 2]))]
    inner = "(({0} * 0.3 + 0.5) + 1j * ({1} * 0.3 + 0.6))"
    for name in chain:
        inner = f"f.{name}({inner})"
    last = b.rng.choice(["real", "imag", "abs"])
    if b.rng.random() < 0.7:
        form(b, f"f.{last}({inner})", a, y, chain, last, op="complex_chain")
        return
    text = b.rng.choice([
        "np.real({1} * np.conj(Z) * Z)", "np.imag(Z ** 3)", "np.real(Z ** Z)", "np.angle(Z + 1)",
        "np.abs(np.sign(Z) + 1)",
        "np.abs(np.cumprod(Z))", "np.linalg.norm(Z)", "np.std(Z)", "np.var(Z)", "np.real(np.prod(Z))",
        "np.real(np.vdot(Z, Z * 1j))",
        "np.imag(np.sum(Z) * np.mean(Z))", "np.real(np.outer(Z, Z.conj())).sum()", "np.real(np.log2(Z) / np.log10(Z))",
        "np.real(Z / (1 + Z.real))", "np.imag(np.where({0} > 9.7, 1.0, Z))", "np.real(np.power(2.0, Z))",
        "np.abs(np.tan(Z) - 1j)",
    ])  # fmt: skip
    form(b, text.replace("Z", "(({0} * 0.3 + 0.5) + 1j * ({1} * 0.3 + 0.6))"), a, y)


NOT_ASKED = ("gammaln", "digamma", "j0", "j1", "i0e", "i1", "i1e")
"""PyTorch has no derivative of Bessel functions, or none of the second order, and 9 digits of trigamma."""


def functions(b: Builder, x: Ref, shape: Shape) -> None:
    """Special functions."""
    a, u, p = plain(b, x, shape), within(b, x, shape), positive(b, x, shape)
    named = {
        **dict.fromkeys(("erfc", "erfcx", "ndtr", "log_ndtr", "i1", "expit", "j0", "j1"), a),
        **dict.fromkeys(("erfinv", "ndtri", "logit"), u),
        **dict.fromkeys(("gammaln", "digamma", "i0e", "i1e", "entr"), p),
    }  # fmt: skip
    if b.rng.random() < 0.5:
        op = b.rng.choice(list(named))
        form(b, f"special.{op}({{0}})", named[op], op="" if op in NOT_ASKED else f"special.{op}")
        return
    if b.rng.random() < 0.3:
        op = b.rng.choice(["xlogy", "xlog1py"])
        form(b, f"special.{op}({{0}}, {{1}})", a, p, op=f"special.{op}")
        return
    one_of(b, p, [
        "special.gamma({0})", "special.loggamma({0})", "special.polygamma(1, {0})", "special.beta({0}, {1})",
        "special.betaln({0}, {1})", "special.zeta(2.5, {0})", "special.gammainc({0}, {1})",
        "special.gammaincc({1}, {0})",
        "special.betainc({0}, 1.7, {1})", "special.stdtr({0}, {1})", "special.erfcinv({1})", "special.iv(1.5, {0})",
        "special.jv(2, {0})", "special.yv(0.5, {0} + 1)", "special.kv(1, {0} + 1)", "special.k0({0} + 1)",
        "special.k1e({0} + 1)",
        "special.y0({0} + 1)", "special.boxcox({0}, {1})", "special.boxcox1p({1}, {0})", "special.inv_boxcox({1}, {0})",
        "special.exprel({0})", "special.cosm1({1})", "special.rel_entr({0}, {1})", "special.kl_div({0}, {1})",
        "special.multigammaln({0} + 1, 2)", "special.log_expit({0} - 2)", "special.logsumexp({0}, b={1})",
        "special.softmax({0})",
        "special.ive(0, {0})", "special.kve(0.5, {0})", "special.gammaincinv({0}, {1})",
        "special.inv_boxcox1p({1}, {0})",
    ], u)  # fmt: skip


def densities(b: Builder, x: Ref, shape: Shape) -> None:
    a, u, p = plain(b, x, shape), within(b, x, shape), positive(b, x, shape)
    one_of(b, a, [
        "stats.norm.logpdf({0}, 0.3, {2})", "stats.norm.cdf({0}, {1}, {2})", "stats.norm.ppf({1}, {0}, {2})",
        "stats.laplace.logcdf({0} + 9, 0.3, {2})", "stats.logistic.logpdf({0}, {1}, {2})",
        "stats.expon.logpdf({2}, 0, {2} + 1)",
        "stats.gamma.logpdf({2}, {1} + 1)", "stats.gamma.cdf({2}, {1} + 1)", "stats.beta.logpdf({1}, {2}, 1.5)",
        "stats.beta.cdf({1}, {2}, 1.5)", "stats.t.logpdf({0}, {2} + 1)", "stats.t.cdf({0}, {2} + 1)",
        "stats.halfnorm.logpdf({2}, 0, {1})",
        "stats.poisson.logpmf(2, {2})", "stats.poisson.cdf(2, {2})", "stats.binom.logpmf(2, 5, {1})",
        "stats.nbinom.logpmf(3, {2}, {1})",
        "stats.binom.sf(2, 5, {1})", "stats.gamma.entropy({2})", "stats.beta.entropy({2}, {1} + 1)",
        "stats.uniform.logpdf({1}, 0, {2} + 2)",
        "stats.categorical.logpmf(0, logits={0}.ravel())", "stats.categorical.entropy({1}.ravel())",
        "stats.halfnorm.logsf({2})",
        "stats.dirichlet.logpdf({1}.ravel() / {1}.sum(), {2}.ravel())",
        "stats.multivariate_normal.logpdf({0}.ravel(), cov={2}.ravel())",
    ], u, p)  # fmt: skip


def layers(b: Builder, x: Ref, shape: Shape) -> None:
    y = distinct(b, b.fit((2, 2, 4, 3)), (2, 2, 4, 3))
    w = sample(b, (3,))
    one_of(b, y, [
        "f.cdist({0}[0, 0], {0}[1, 1] + 3)", "f.pdist({0}[0, 0])", "f.normalize({0} + 1, axis=-1)", "f.unfold({0}, 2)",
        "f.lp_pool2d({0} + 5, 2.0, 2)", "f.interpolate({0}, (6, 5), mode='bilinear')",
        "f.interpolate({0}, (3, 5), mode='bicubic')",
        "f.interpolate({0}, scale_factor=2)", "f.fold(f.unfold({0}, 2), (4, 3), 2)",
        "f.pixel_unshuffle({0}[..., :2], 2)",
        "f.channel_shuffle({0}, 2)", "f.local_response_norm({0}, 3)", "f.max_pool3d({0}, 2)", "f.avg_pool3d({0}, 2)",
        "f.adaptive_avg_pool3d({0}, 1)", "f.lp_pool1d({0}[0] + 5, 3.0, 2)",
        "f.bilinear({0}[..., :2], {0}[..., 1:], np.ones((2, 2, 2)) * {1}[:2])", "np.pad({0}, 1, mode='reflect')",
        "np.pad({0}, 1, mode='edge')",
        "np.pad({0}, 1, mode='linear_ramp')", "np.pad({0}, 1, mode='mean')", "np.pad({0}, 1, mode='wrap')",
        "np.pad({0}, 1, 'symmetric')",
        "f.grid_sample({0}, 0.5137 * np.sin(np.ones((2, 3, 2, 2)) * {1}[:2]), align_corners=False)",
        "f.ctc_loss(f.log_softmax({0}[0, 0][:, None]), [[1]], [4], [1])",
        "f.embedding_bag([[0, 1]], {0}[0, 0], mode='mean')",
        "f.multilabel_soft_margin_loss({0}[0, 0], np.ones((4, 3)))", "f.softmin({0}, 1)",
        "f.multilabel_margin_loss({0}[0, 0] * 0.1, [[0, 1, -1]] * 4)",
    ], w)  # fmt: skip


FAMILIES = [
    elements, elements, statistics, signals, polynomials, building, spectra, transforms, planes, planes, functions,
    functions, densities, layers,
]  # fmt: skip

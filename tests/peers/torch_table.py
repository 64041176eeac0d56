"""What PyTorch calls each row: a function of the row's arguments as torch tensors, then its parameters."""

import math

import numpy as np
import torch
from torch.nn import functional

from zen.ops import register


def _over(f):
    """A reduction of `f(x, dim)`, over any axes, in terms of one over the last axis."""

    def reduce(x, axis, *options_and_keepdims):
        *options, keepdims = options_and_keepdims
        axes = tuple(range(x.ndim)) if axis is None else axis
        kept = [k for k in range(x.ndim) if k not in axes]
        flat = x.permute((*kept, *axes)).reshape(*[x.shape[k] for k in kept], math.prod([x.shape[k] for k in axes]))
        y = f(flat, *options)
        return y.reshape([1 if k in axes else n for k, n in enumerate(x.shape)]) if keepdims else y

    return reduce


def _along(f):
    """argmax and its like: axis is an int, or None for the flattened array."""

    def reduce(x, axis, keepdims):
        if axis is None:
            y = f(x.reshape(-1), 0)
            return y.reshape((1,) * x.ndim) if keepdims else y
        return f(x, axis, keepdims)

    return reduce


def positions(shape, key):
    """The flat positions that a NumPy key reads: torch knows no negative steps, and mixes advanced keys differently."""
    return np.array(np.arange(math.prod(shape)).reshape(shape)[key])


def _getitem(x, key):
    return x.reshape(-1)[torch.tensor(positions(x.shape, key))]


def _setitem(x, value, key):
    where = torch.tensor(positions(x.shape, key))
    return x.reshape(-1).index_put((where.reshape(-1),), value.broadcast_to(where.shape).reshape(-1)).reshape(x.shape)


def _scatter(v, shape, key):
    where = torch.tensor(positions(shape, key)).reshape(-1)
    return torch.zeros(math.prod(shape), dtype=v.dtype).index_put((where,), v.reshape(-1), True).reshape(shape)


def _seen(shape, *geometry):
    """The flat positions that a view of an array's memory shows."""
    whole = np.arange(float(math.prod(shape))).reshape(shape)
    return torch.tensor(register.ROWS["view_of"].forward(whole, *geometry).astype(int))


def _view_of(x, *geometry):
    return x.reshape(-1)[_seen(x.shape, *geometry)]


def _add_view(v, shape, *geometry):
    where = _seen(shape, *geometry).reshape(-1)
    return torch.zeros(math.prod(shape), dtype=v.dtype).index_put((where,), v.reshape(-1), True).reshape(shape)


def _write_view(x, v, *geometry):
    return x.reshape(-1).index_put((_seen(x.shape, *geometry).reshape(-1),), v.reshape(-1)).reshape(x.shape)


def _solve(a, b):
    if b.ndim == 1:
        return torch.linalg.solve(a, b.expand(*a.shape[:-1])[..., None])[..., 0]
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return torch.linalg.solve(a.expand(*batch, *a.shape[-2:]), b.expand(*batch, *b.shape[-2:]))


def _lu_factors(x):
    """By the columns of both factors, as torch.linalg.lu has no unpivoted form on the CPU."""
    n, columns, rows, rest = x.shape[-1], [], [], x
    for k in range(n):
        rows.append(rest[..., k, :])
        columns.append(rest[..., :, k] / rest[..., k, k][..., None])
        rest = rest - columns[-1][..., :, None] * rows[-1][..., None, :]
    return torch.stack(columns, -1), torch.stack(rows, -2)


def _cofactor_slope(h, x):
    """The derivative of det(x) inv(x)^T, contracted with h."""
    inverse = torch.linalg.inv(x)
    trace = torch.sum(inverse * h.mT, (-2, -1))[..., None, None]
    return torch.linalg.det(x)[..., None, None] * (trace * inverse.mT - inverse.mT @ h.mT @ inverse.mT)


def _cross_entropy(x, target, axis, reduction, weight=None, ignored=-100, smoothing=0.0):
    return _classified(
        functional.cross_entropy, x, target, axis, reduction, weight, ignore_index=ignored, label_smoothing=smoothing
    )


def _nll_loss(x, target, axis, reduction, weight, ignored):
    return _classified(functional.nll_loss, x, target, axis, reduction, weight, ignore_index=ignored)


def _classified(function, x, target, axis, reduction, weight, **options):
    logits = x.movedim(axis, -1)
    soft = target.dtype.is_floating_point
    flat = target.movedim(axis, -1).reshape(-1, logits.shape[-1]) if soft else target.reshape(-1).long()
    weight = None if weight is None else torch.tensor(weight)
    y = function(logits.reshape(-1, logits.shape[-1]), flat, weight, reduction=reduction, **options)
    return y.reshape(logits.shape[:-1]) if reduction == "none" else y


def _scatter_rows(v, indices, height, skipped):
    kept = (indices if skipped is None else torch.where(indices == skipped, height, indices)).reshape(-1).long()
    return v.new_zeros(height + 1, v.shape[-1]).index_add(0, kept, v.reshape(kept.numel(), v.shape[-1]))[:height]


def _pad(x, width, values):
    return functional.pad(x, [n for pair in reversed(width) for n in pair], value=float(values)) if width else x.clone()


def _conv2d_input(t, w, size, stride, padding, dilation, groups):
    least = [(n - 1) * s - 2 * p + d * (k - 1) + 1
             for n, k, s, p, d in zip(t.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)]  # fmt: skip
    extra = [n - m for n, m in zip(size, least, strict=True)]
    return functional.conv_transpose2d(t, w, None, stride, padding, extra, groups, dilation)


def _conv2d_weight(x, t, kernel, stride, padding, dilation, groups):
    """The batch takes the place of the channels, and the stride that of the dilation."""
    if not len(x):
        return 0 * (x.sum() + t.sum()) + x.new_zeros(t.shape[1], x.shape[1] // groups, *kernel)
    parts = [
        functional.conv2d(a.transpose(0, 1), b.transpose(0, 1), None, dilation, padding, stride)
        for a, b in zip(x.chunk(groups, 1), t.chunk(groups, 1), strict=True)
    ]
    return torch.cat([p[:, :, : kernel[0], : kernel[1]].transpose(0, 1) for p in parts])


def _windows(size, pairs, factors):
    """A matrix with a row for each window."""
    matrix = torch.zeros(len(pairs), size, dtype=torch.float64)
    for k, (first, end) in enumerate(pairs):
        matrix[k, first:end] = factors[k]
    return matrix


def _avg_pool2d(x, down, right, tall, wide):
    return _windows(x.shape[2], down, tall) @ x @ _windows(x.shape[3], right, wide).mT


def _avg_pool2d_input(v, size, down, right, tall, wide):
    return _windows(size[0], down, tall).mT @ v @ _windows(size[1], right, wide)


def _pool_gather(x, index):
    index = torch.tensor(index)
    return x.flatten(2).gather(2, index.flatten(2)).reshape(index.shape)


def _pool_scatter(v, index, size):
    zeros = v.new_zeros(*v.shape[:2], math.prod(size))
    return zeros.scatter_add(2, torch.tensor(index).flatten(2), v.flatten(2)).reshape(*v.shape[:2], *size)


def _slice(x, axis, piece):
    return x.narrow(axis, piece.start, max(piece.stop - piece.start, 0))


def _ones(w, like, shape):
    """The weight, or one: PyTorch fails at second order where there is a bias and no weight."""
    return torch.ones(shape, dtype=like.dtype) if w is None else w


def _batch_norm(x, w, b, eps):
    axes, w = (0, *range(2, x.ndim)), _ones(w, x, x.shape[1])
    return functional.batch_norm(x, None, None, w, b, True, 0.0, eps), x.mean(axes), x.var(axes, correction=0)


def _fixed_norm(x, mean, var, w, b, eps):
    mean, var, w, b = [None if v is None else v.reshape(-1, *[1] * (x.ndim - 2)) for v in (mean, var, w, b)]
    y = (x - mean) / torch.sqrt(var + eps)
    y = y if w is None else y * w
    return y if b is None else y + b


def _from_trace(v, shape, offset):
    zeros = v.new_zeros(shape)
    diagonals = torch.diagonal(zeros, offset, -2, -1)
    return torch.diagonal_scatter(zeros, v[..., None].expand(diagonals.shape), offset, -2, -1)


def _side_by_side(shape, kernel, dilation, stride):
    """The flat positions that windows show."""
    whole = np.arange(math.prod(shape)).reshape(shape)
    return torch.tensor(register.ROWS["windows"].forward(whole, kernel, dilation, stride))


def _overlapped(v, size, kernel, dilation, stride):
    shape = (*v.shape[: v.ndim - 2 * len(size)], *size)
    where = _side_by_side(shape, kernel, dilation, stride).reshape(-1)
    return v.new_zeros(math.prod(shape)).index_put((where,), v.reshape(-1), True).reshape(shape)


def _taps(taps, size):
    """The matrix of weights, with a row for each place."""
    weights = np.ones(taps.positions.shape) if taps.weights is None else taps.weights
    return torch.tensor((weights[..., None] * (taps.positions[..., None] == np.arange(size))).sum(1))


_AS_LAYERS = ["rnn_tanh", "rnn_relu", "lstm", "gru", "scaled_dot_product_attention", "self_attention"]
_CONSTANT = ("heaviside", "nextafter", "spacing")
_ALONE = (
    "gammainc gammaincc betainc betaincc gammaincinv betaincinv stdtr stdtrit student_slope boxcox boxcox1p "
    "inv_boxcox inv_boxcox1p exprel logrel erfcx_moment j0 j1 jv y0 y1 yv iv ive ive_slope k0 k0e k1 k1e kv kve "
    "airy_ai airy_ai_slope airy_bi airy_bi_slope chdtr chdtrc chi ci ellipe ellipe_slope ellipk ellipk_slope erfi "
    "eval_chebyt eval_chebyu eval_gegenbauer eval_genlaguerre eval_hermite eval_hermitenorm eval_jacobi eval_laguerre "
    "eval_legendre exp1 exp10 expi fresnel_c fresnel_s gammainccinv gdtr gdtrc i0e_slope i1e_slope j1_slope k0_slope "
    "k0e_slope k1e_slope kve_slope limited_square owens_t pdtr pdtrc pseudo_huber rgamma shi si spence "
    "y1_slope yv_slope"
).split()
_TRIGAMMA = "digamma gamma gammaln loggamma polygamma_gap beta betaln beta_density gamma_density".split()
_OTHERWISE = [*_TRIGAMMA, *_AS_LAYERS, *_CONSTANT, *_ALONE, "eig", "svd"]
TORCH = {
    **{name: getattr(torch, name) for name in register.ROWS.names() if hasattr(torch, name) and name not in _OTHERWISE},
    "equal": torch.eq, "not_equal": torch.ne,
    "power": torch.pow, "limit_power": torch.pow,
    "power_slope": lambda a, b: b * a ** (b - 1),
    "power_log": lambda a, b: torch.xlogy(a**b, a),
    "ratio": torch.div, "angle_slope": lambda a, b: b / (a * a + b * b),
    "gelu_slope": lambda x: (1 + torch.erf(x * 0.5**0.5)) / 2 + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "product": torch.mul,
    "entropy": lambda x: torch.xlogy(x, x),
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "clip": lambda x, lo, hi: torch.clamp(x, lo, hi),
    "rint": torch.round,
    "bitwise_invert": torch.bitwise_not,
    "bitwise_left_shift": lambda a, b: a.to(torch.int8) << b,
    "bitwise_right_shift": lambda a, b: a.to(torch.int8) >> b,
    "leaky_relu": lambda x, slope: torch.where(x > 0, x, slope * x),
    "elu": lambda x, alpha: torch.where(x > 0, x, alpha * torch.expm1(torch.clamp(x, max=0))),
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "softplus": functional.softplus,
    "bounded_softplus": lambda x, beta, threshold: torch.where(
        beta * x > threshold, x, functional.softplus(beta * x) / beta
    ),
    "logsigmoid": functional.logsigmoid,
    "mish": functional.mish,
    "hardswish": functional.hardswish,
    "hardtanh": lambda x, lo, hi: torch.clamp(x, lo, hi),
    "squared_error": lambda x, t: (x - t) ** 2,
    "huber": lambda x, t, delta: torch.where(
        (x - t).abs() <= delta, 0.5 * (x - t) ** 2, delta * ((x - t).abs() - 0.5 * delta)
    ),
    "bce": lambda p, t: -t * torch.log(p) - (1 - t) * torch.log1p(-p),
    "bce_logits": lambda x, t: (1 - t) * x - functional.logsigmoid(x),
    "sum": _over(lambda x: torch.sum(x, -1)),
    "mean": _over(lambda x: torch.mean(x, -1)),
    "prod": _over(lambda x: torch.prod(x, -1)),
    "max": _over(lambda x: torch.amax(x, -1)),
    "min": _over(lambda x: torch.amin(x, -1)),
    "any": _over(lambda x: torch.any(x != 0, -1)),
    "all": _over(lambda x: torch.all(x != 0, -1)),
    "count_nonzero": _over(lambda x: torch.count_nonzero(x, -1)),
    "argmax": _along(torch.argmax),
    "argmin": _along(torch.argmin),
    "var": _over(lambda x, correction: torch.var(x, -1, correction=correction)),
    "std": _over(lambda x, correction: torch.std(x, -1, correction=correction)),
    "logsumexp": _over(lambda x: torch.logsumexp(x, -1)),
    "norm2": _over(lambda x: torch.linalg.vector_norm(x, 2, -1)),
    "imag": lambda x: 0 * x,  # torch.imag takes complex numbers alone
    "fourier": lambda x, axes, inverse, norm: (torch.fft.ifftn if inverse else torch.fft.fftn)(x, dim=axes, norm=norm),
    "rfft": lambda x, axis, norm: torch.fft.rfft(x, dim=axis, norm=norm),
    "irfft": lambda x, n, axis, norm: torch.fft.irfft(x, n, axis, norm),
    "norm_p": lambda x, order, *where: _over(lambda x: torch.linalg.vector_norm(x, order, -1))(x, *where),
    "cumsum": torch.cumsum,
    "sum_to_come": lambda x, axis: torch.flip(torch.cumsum(torch.flip(x, (axis,)), axis), (axis,)),
    "cumprod": torch.cumprod,
    "diagonal": lambda x, offset: torch.diagonal(x, offset, -2, -1),
    "trace": lambda x, offset: torch.diagonal(x, offset, -2, -1).sum(-1),
    "from_trace": _from_trace,
    "flip": torch.flip,
    "repeated": lambda x, apart, spread, shape: x.reshape(apart).expand(spread).reshape(shape),
    "from_diagonal": lambda v, shape, offset: torch.diagonal_scatter(v.new_zeros(shape), v, offset, -2, -1),
    "take_along": lambda x, places, axis: torch.gather(x, axis, torch.tensor(places.at)),
    "add_along": lambda v, places, n, axis: v.new_zeros(*v.shape[:axis], n, *v.shape[axis + 1 :]).scatter_add(
        axis, torch.tensor(places.at), v
    ),
    "reshape": torch.reshape,
    "permute_dims": torch.permute,
    "broadcast_to": torch.broadcast_to,
    "astype": lambda x, dtype: x.to(getattr(torch, dtype.name)),
    "copy": lambda x, order: torch.clone(x),
    "concat": lambda *values: torch.concat(values[:-2], values[-2]),
    "stack": lambda *values: torch.stack(values[:-1], values[-1]),
    "split": lambda x, axis, pieces: tuple(
        [x.select(axis, p) if isinstance(p, int) else _slice(x, axis, p) for p in pieces]
    ),
    "roll": torch.roll,
    "linspace": lambda a, b, num, endpoint: torch.stack(
        [torch.lerp(a, b, k / max(num - endpoint, 1)) for k in range(max(num, 1))]
    )[:num],
    "pad": _pad,
    "getitem": _getitem,
    "setitem": _setitem,
    "scatter": _scatter,
    "view_of": _view_of,
    "add_view": _add_view,
    "write_view": _write_view,
    "einsum": lambda *xs: torch.einsum(xs[-1], *xs[:-1]),
    "solve": _solve,
    "inv": torch.linalg.inv,
    "det": torch.linalg.det,
    "cofactor": lambda x: torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT,
    "cofactor_slope": _cofactor_slope,
    "slogdet": lambda x: tuple(torch.linalg.slogdet(x)),
    "logabsdet": lambda x: torch.linalg.slogdet(x)[1],
    "lu": lambda x: _lu_factors(x),
    "det_angle": lambda x: torch.angle(torch.linalg.slogdet(x.to(torch.complex128)).sign),
    "pinv": lambda x, rcond: torch.linalg.pinv(x),
    "eigh": lambda x, ties: tuple(torch.linalg.eigh((x + x.mT) / 2)),
    "qr": torch.linalg.qr,
    "cholesky": lambda x: torch.linalg.cholesky((x + x.mT) / 2),
    "softmax": torch.softmax,
    "log_softmax": torch.log_softmax,
    "cross_entropy": _cross_entropy,
    "soft_cross_entropy": _cross_entropy,
    "nll_loss": _nll_loss,
    "linear": functional.linear,
    "affine": functional.linear,
    "embedding": lambda weight, indices, skipped: functional.embedding(indices.long(), weight, skipped),
    "scatter_rows": _scatter_rows,
    "conv2d": lambda x, w, *params: functional.conv2d(x, w, None, *params),
    "conv2d_bias": functional.conv2d,
    "conv2d_input": _conv2d_input,
    "conv2d_weight": _conv2d_weight,
    "avg_pool2d": _avg_pool2d,
    "avg_pool2d_input": _avg_pool2d_input,
    "pool_gather": _pool_gather,
    "pool_scatter": _pool_scatter,
    "windows": lambda x, *params: x.reshape(-1)[_side_by_side(x.shape, *params)],
    "overlapped": _overlapped,
    "cdist": lambda a, b, p: torch.linalg.vector_norm(a[..., :, None, :] - b[..., None, :, :], p, -1),
    "resampled": lambda x, taps, axis: torch.movedim(x.movedim(axis, -1) @ _taps(taps, x.shape[axis]).mT, -1, axis),
    "gathered_back": lambda v, taps, n, axis: torch.movedim(v.movedim(axis, -1) @ _taps(taps, n), -1, axis),
    "layer_norm": lambda x, w, b, dims, eps: functional.layer_norm(
        x, x.shape[-dims:], _ones(w, x, x.shape[-dims:]), b, eps
    ),
    "rms_norm": lambda x, w, dims, eps: functional.rms_norm(x, x.shape[-dims:], w, eps),
    "group_norm": lambda x, w, b, groups, eps: functional.group_norm(x, groups, _ones(w, x, x.shape[1]), b, eps),
    "batch_norm": _batch_norm,
    "fixed_norm": _fixed_norm,
    "error_density": lambda x: 2 / math.sqrt(math.pi) * torch.exp(-x * x),
    "normal_density": lambda x: torch.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "inverse_mills": lambda x: torch.exp(-x * x / 2) / math.sqrt(2 * math.pi) / torch.special.ndtr(x),
    "erfcx": torch.special.erfcx,
    "erfcinv": lambda x: torch.erfinv(1 - x),
    "ndtr": torch.special.ndtr, "log_ndtr": torch.special.log_ndtr, "ndtri": torch.special.ndtri,
    "polygamma": lambda n, x: torch.polygamma(2, x) + 0 * n,
    "zeta": torch.special.zeta,
    "student_density": lambda v, t: torch.exp(torch.distributions.StudentT(v).log_prob(t)),
    "xlog1py": torch.special.xlog1py,
    "entr": torch.special.entr,
    "rel_entr": lambda a, b: a * torch.log(a / b), "kl_div": lambda a, b: a * torch.log(a / b) - a + b,
    "zero_ratio": torch.div, "log_ratio": lambda a, b: torch.log(a / b),
    "cosm1": lambda x: torch.cos(x) - 1,
    "i0e": torch.special.i0e, "i1": torch.special.i1, "i1e": torch.special.i1e,
    "diff": lambda x, axis: torch.diff(x, dim=axis),
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "modf": torch.frac,
    "ldexp": lambda x, exponent: x * 2.0 ** torch.tensor(exponent),  # torch.ldexp's derivative takes 2 ** -1 as an int
}  # fmt: skip
"""Row -> PyTorch."""

WITHOUT_COUNTERPART = {
    **{name: "compared in test_complex_torch.py" for name in register.ROWS.names() if name.startswith("complex_")},
    **dict.fromkeys(_AS_LAYERS, "compared as layers in test_nn_recurrent.py and test_nn_attention.py"),
    **dict.fromkeys(_ALONE, "PyTorch has no derivative of it; tests/ops/test_special_functions.py knows its values"),
    **dict.fromkeys(_TRIGAMMA, "PyTorch's trigamma has 9 digits; compared with SciPy's in test_special.py"),
    "paths": "compared as ctc_loss in test_nn_losses.py",
    "direction": "serves the derivative of abs of complex numbers; compared in test_complex_torch.py",
    **dict.fromkeys(
        ("tied_remainder", "top_beyond_ties", "gaps_beyond_ties"),
        "serve second derivatives at equal values, which tests/ops/test_tied_slopes.py compares",
    ),
    "nest": "an array of nested Tensors, which stay connected; torch.tensor cuts them off",
    "prod_others": "serves the derivative of prod",
    **dict.fromkeys(("nanmax", "nanmin"), "the extremes of what is not nan"),
    **dict.fromkeys(("convolve", "correlate_valid"), "compared with NumPy, whose form of a convolution they are"),
    "roots": "PyTorch has no roots of polynomials",
    "sinc_slope": "serves the derivative of sinc",
    "i0_slope": "serves the derivative of i0",
    **dict.fromkeys(_CONSTANT, "PyTorch has no derivative"),
    "recurrence": "serves the derivative of cumprod",
    "delayed": "serves the derivative of cumprod",
    "constant": "a value given beforehand",
    "eig": "phases of vectors are LAPACK's; compared in test_linalg_decompositions.py",
    **{
        name: "applied to complex numbers alone; compared in test_complex_torch.py"
        for name in register.DECLARATIONS.names()
        if name.startswith("complex_")
    },
    "svd": "signs of vectors are LAPACK's; compared in test_linalg_decompositions.py",
}
"""Rows that PyTorch has no function for, and why. They are checked against NumPy and numerically in tests/ops."""


def _regular(case):
    return bool(np.all(np.abs(np.linalg.det(case.args[-1])) > 1e-3))


def _each_place_once(case):
    places = positions(case.args[0].shape, case.params[0])
    return np.unique(places).size == places.size


_INVERSE = "PyTorch differentiates determinants through an inverse, which singular matrices lack"
COMPARABLE = {
    "det": (_regular, _INVERSE),
    "cofactor": (_regular, _INVERSE),
    "cofactor_slope": (_regular, _INVERSE),
    **dict.fromkeys(
        ("fourier", "rfft", "irfft"),
        (lambda case: case.args[0].size > 0, "PyTorch's library does not take arrays without elements"),
    ),
    "setitem": (_each_place_once, "of values written to one place PyTorch gives all a gradient, zen the last one"),
}
"""Rows of which not all cases are compared: which ones are, and why the others are not."""

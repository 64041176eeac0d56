"""Runs the programs of `tests/fuzz` on PyTorch, in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from fuzz.interpret import directions
from fuzz.program import Program, resolve


def results(program: Program, orders: int = 3) -> dict[str, np.ndarray]:
    """As `fuzz.interpret.results`. Raises RuntimeError where PyTorch finds a saved value overwritten."""
    arrays = {name: torch.tensor(a.copy()) for name, a in program.arrays().items()}
    leaves = [arrays[s.name].clone().requires_grad_() for s in program.leaves]
    values = arrays | {s.name: t for s, t in zip(program.leaves, leaves, strict=True)}
    for step in program.steps:
        args = [resolve(a, values) for a in step.args]
        with torch.set_grad_enabled(not step.under):
            out = OPERATIONS[step.op](*args, **{k: resolve(v, values) for k, v in step.kwargs.items()})
        if step.out is not None:
            values[step.out] = out
    loss: Any = sum(torch.sum(values[o] * arrays[c]) for o, c in program.outputs)
    found = {n: v.detach().numpy().copy() for n, v in values.items() if n[0] == "v"}
    found["loss"] = loss.detach().numpy()
    if not loss.requires_grad:
        return found
    loss.backward(retain_graph=True)
    names = [s.name for s in program.leaves]
    found |= {f"order 1, {n}": _or_zeros(t.grad, t) for n, t in zip(names, leaves, strict=True)}
    found |= {f"retained {n}": _or_zeros(values[n].grad, values[n]) for n in program.retained}
    for order in range(2, orders + 1):
        gradients = torch.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        along = [torch.tensor(d) for d in directions(program, order)]
        loss = sum(torch.sum(g * d) for g, d in zip(gradients, along, strict=True) if g is not None)
        if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
            break
        again = torch.autograd.grad(loss, leaves, allow_unused=True, retain_graph=True)
        found |= {f"order {order}, {n}": _or_zeros(g, t) for n, g, t in zip(names, again, leaves, strict=True)}
    return found


def _or_zeros(gradient: Any, t: Any) -> np.ndarray:
    return np.zeros(tuple(t.shape)) if gradient is None else gradient.detach().numpy(force=True).copy()


def _tensor(x: Any) -> Any:
    return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)


def _same_kind(*xs: Any) -> list[Any]:
    """Tensors of one dtype, as most of PyTorch's functions of several arguments want them."""
    return [x if x.dtype == torch.bool else x.double() for x in map(_tensor, xs)]


def _key(key: Any, x: Any) -> tuple[Any, tuple[int, ...]]:
    """PyTorch has no negative steps: a key without them, and the axes of the result to reverse."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if not any(isinstance(k, slice) and (k.step or 1) < 0 for k in parts):
        return key, ()
    out, back, axis, result = [], [], 0, 0
    for k in parts:
        if k is Ellipsis:
            skipped = x.ndim - sum(p is not None and p is not Ellipsis for p in parts)
            axis, result = axis + skipped, result + skipped
        elif isinstance(k, slice):
            if (k.step or 1) < 0:
                places = range(x.shape[axis])[k]
                k = slice(places[-1], places[0] + 1, -k.step) if len(places) else slice(0, 0)
                back.append(result)
            axis, result = axis + 1, result + 1
        elif k is None:
            result += 1
        else:
            axis += 1
        out.append(k)
    return tuple(out), tuple(back)


def _indices(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_indices(k) for k in key)
    return key.long() if isinstance(key, torch.Tensor) and key.dtype != torch.bool else key


def getitem(x: Any, key: Any) -> Any:
    key, back = _key(_indices(key), x)
    out = x[key]
    out = torch.flip(out, back) if back else out
    return out.clone() if out.ndim == 0 else out


def setitem(x: Any, key: Any, value: Any) -> None:
    key, back = _key(_indices(key), x)
    value = _tensor(value).to(x.dtype)
    if back:
        value = torch.flip(torch.broadcast_to(value, x[key].shape), back)
    x[key] = value


def update(x: Any, key: Any, value: Any, sign: str) -> None:
    old = getitem(x, key)
    new = {"+=": torch.add, "-=": torch.sub, "*=": torch.mul}[sign](old, _tensor(value).to(x.dtype))
    setitem(x, key, new)


def inplace(x: Any, value: Any, sign: str) -> None:
    name = {"+=": "add_", "-=": "sub_", "*=": "mul_"}.get(sign, sign)
    getattr(x, name)(_tensor(value).to(x.dtype))


def _reduced(function: Any) -> Any:
    def run(x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
        axis = tuple(range(x.ndim)) if axis is None else axis
        return function(x, axis, keepdims, **options) if x.ndim else function(x.reshape(1), (0,), False, **options)

    return run


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    for k in sorted([a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))], reverse=True):
        x = torch.prod(x, k, keepdim=keepdims)
    return x


def _losses(name: str) -> Any:
    def run(x: Any, target: Any, **options: Any) -> Any:
        classes = name in ("cross_entropy", "nll_loss")
        return getattr(F, name)(x, target if classes else target.double(), **options)

    return run


def _pad(x: Any, width: Any) -> Any:
    return F.pad(x, [k for pair in reversed(width) for k in pair])


def _recurrent(kind: str) -> Any:
    def run(x: Any, *inputs: Any, reverse: bool, relu: bool = False) -> Any:
        states = inputs[: 2 if kind == "lstm" else 1]
        w_ih, w_hh, b_ih, b_hh = inputs[len(states) :]
        zeros = torch.zeros((x.shape[1], w_hh.shape[1]), dtype=torch.float64)
        first = [zeros[None] if s is None else s.double()[None] for s in states]
        weights = [w.double() for w in (w_ih, w_hh, b_ih, b_hh) if w is not None]
        x = torch.flip(x, (0,)) if reverse else x
        given = tuple(first) if kind == "lstm" else first[0]
        out, *last = getattr(torch._VF, kind)(x.double(), given, weights, b_ih is not None, 1, 0.0, False, False, False)
        out = torch.flip(out, (0,)) if reverse else out
        return torch.cat([out, last[1]]) if kind == "lstm" else out

    return run


def _each(function: Any) -> Any:
    """`function` of arguments of one dtype."""
    return lambda *xs, **o: function(*_same_kind(*xs), **o)


def _convolution(name: str) -> Any:
    def run(x: Any, w: Any, bias: Any, **o: Any) -> Any:
        return getattr(F, name)(x.double(), w.double(), None if bias is None else bias.double(), **o)

    return run


def _norm(axes: Any) -> Any:
    """Composed, since PyTorch's own formulas for third derivatives of normalisations are not right."""

    def run(x: Any, first: Any, *rest: Any, eps: float, training: bool = True) -> Any:
        weight, bias = (None, None, *rest)[-2:] if axes != "rms" else (rest[0], None)
        grouped = x.reshape(x.shape[0], first, -1) if axes == "groups" else x
        over = {"channel": (0, *range(2, x.ndim)), "instance": tuple(range(2, x.ndim))}.get(axes, (-1,))
        centred = grouped if axes == "rms" else grouped - grouped.mean(over, keepdim=True)
        y = (centred / torch.sqrt((centred * centred).mean(over, keepdim=True) + eps)).reshape(x.shape)
        if axes in ("channel", "groups", "instance") and weight is not None:
            weight, bias = [w.reshape(-1, *[1] * (x.ndim - 2)) for w in (weight, bias)]
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    return run


def _attention(q: Any, k: Any, v: Any, attn_mask: Any = None, is_causal: bool = False, scale: Any = None) -> Any:
    """Composed, since PyTorch's own kernel has first derivatives only."""
    q, k, v = _same_kind(q, k, v)
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1) > 0, -torch.inf)
    return torch.softmax(scores if attn_mask is None else scores + attn_mask, -1) @ v


def _transform(name: str) -> Any:
    def run(x: Any, norm: str, part: str) -> Any:
        y = getattr(torch.fft, name)(x, norm=norm)
        return getattr(y, part).clone() if y.is_complex() or part == "real" else torch.zeros_like(y)

    return run


def _complex_chain(a: Any, b: Any, chain: list[str], last: str) -> Any:
    z = torch.complex(*_same_kind(a * 0.3 + 0.5, b * 0.3 + 0.6))
    for name in chain:
        z = getattr(torch, name)(z)
    return {"real": torch.real, "imag": torch.imag, "abs": torch.abs}[last](z).clone()


WIDER: dict[str, Any] = {
    **{n: getattr(torch, n) for n in "deg2rad rad2deg nan_to_num cov corrcoef".split()},
    **{n: _each(getattr(torch, n)) for n in "logaddexp2 copysign fmax fmin float_power fmod".split()},
    **{f"special.{n}": getattr(torch.special, n) for n in (
        "erfc erfcx erfinv ndtr log_ndtr ndtri expit logit entr"
    ).split()},
    **{f"special.{n}": _each(getattr(torch.special, n)) for n in ("xlogy", "xlog1py")},
    **{f"fft.{n}": _transform(n) for n in "fft ifft rfft fftn ihfft hfft irfft rfftn".split()},
    "complex_chain": _complex_chain,
    "diff": lambda x, _: torch.diff(x), "trapezoid": torch.trapezoid,
    "cumulative_trapezoid": lambda x, _: torch.cumulative_trapezoid(x),
    "eigvalsh": torch.linalg.eigvalsh, "svdvals": torch.linalg.svdvals, "pinv": torch.linalg.pinv,
    "expm": lambda x: torch.matrix_exp(x * 0.2), "nuclear": lambda x: torch.linalg.matrix_norm(x, "nuc"),
    "spectral": lambda x: torch.linalg.matrix_norm(x, 2), "qr_r": lambda x: torch.linalg.qr(x).R.abs(),
    "eigvals_sum": lambda x: (torch.linalg.eigvals(x) ** 3).sum().real, "cond": torch.linalg.cond,
}  # fmt: skip
OPERATIONS: dict[str, Any] = {
    **WIDER,
    **{n: getattr(torch, n) for n in (
        "sin cos tanh atan asinh sigmoid square negative sinh cosh exp expm1 exp2 abs relu sign floor ceil trunc "
        "log log1p log2 log10 sqrt reciprocal asin acos atanh tan selu celu ravel moveaxis swapaxes broadcast_to tile "
        "squeeze tril triu diagonal trace det matrix_power erf"
    ).split()},
    **{n: _each(getattr(torch, n)) for n in (
        "add subtract multiply divide maximum minimum hypot atan2 logaddexp matmul inner tensordot".split()
    )},
    **{n: getattr(F, n) for n in (
        "softplus silu mish gelu logsigmoid softsign tanhshrink hardtanh relu6 hardswish softshrink hardshrink "
        "elu glu leaky_relu"
    ).split()},
    "positive": torch.clone, "hardsigmoid": lambda x: torch.clamp(x / 6 + 0.5, 0, 1), "rint": torch.round,
    "power": _each(torch.pow), "where": lambda m, a, b: torch.where(m, *_same_kind(a, b)),
    "sum": _reduced(torch.sum), "mean": _reduced(torch.mean), "max": _reduced(torch.amax), "min": _reduced(torch.amin),
    "prod": _reduced(_prod), "logsumexp": _reduced(torch.logsumexp),
    "var": _reduced(lambda x, axis, keep, correction: torch.var(x, axis, correction=correction, keepdim=keep)),
    "std": _reduced(lambda x, axis, keep, correction: torch.std(x, axis, correction=correction, keepdim=keep)),
    "vector_norm": _reduced(lambda x, axis, keep: torch.linalg.vector_norm(x, 2, axis, keep)),
    "cumsum": lambda x, axis: torch.cumsum(x, axis), "sort": lambda x, axis: torch.sort(x, axis)[0],
    "reshape": lambda x, s: torch.reshape(x, s), "permute_dims": lambda x, order: x.permute(order),
    "flatten": lambda x: torch.ravel(x).clone(), "expand_dims": torch.unsqueeze,
    "flip": lambda x, axis: torch.flip(x, (axis,)),
    "roll": lambda x, n, axis: torch.roll(x, n, axis), "repeat": lambda x, n, axis: torch.repeat_interleave(x, n, axis),
    "pad": _pad, "concat": lambda xs, axis: torch.cat(_same_kind(*xs), axis),
    "stack": lambda xs, axis: torch.stack(_same_kind(*xs), axis),
    "tril": lambda x, k: torch.tril(x, k), "triu": lambda x, k: torch.triu(x, k),
    "getitem": getitem, "setitem": setitem, "update": update, "inplace": inplace,
    "take": lambda x, i, axis: torch.movedim(torch.movedim(x, axis, 0)[i.long()], 0, axis),
    "take_along_axis": lambda x, i, axis: torch.take_along_dim(x, i, axis),
    "fill_": lambda x, v: x.fill_(v), "zero_": lambda x: x.zero_(), "clip_": lambda x, a, b: x.clamp_(a, b),
    "zeros": lambda shape: torch.zeros(shape, dtype=torch.float64),
    "detach": lambda x: x.detach(), "hook": lambda x: x.register_hook(lambda g: g * 1.0) and None,
    "retain": lambda x: x.retain_grad(),
    "einsum": lambda spec, *xs: torch.einsum(spec, *_same_kind(*xs)),
    "outer": _each(lambda a, b: torch.outer(a.ravel(), b.ravel())),
    "vecdot": _each(torch.linalg.vecdot), "dot": _each(torch.matmul), "linear": _each(F.linear),
    "inv": torch.linalg.inv, "cholesky": torch.linalg.cholesky, "slogdet": lambda x: torch.linalg.slogdet(x)[1],
    "add_eye": lambda x, k: x + k * torch.eye(x.shape[-1], dtype=torch.float64), "solve": _each(torch.linalg.solve),
    **{n: _convolution(n) for n in ("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d")},
    "avg_pool1d": F.avg_pool1d, "avg_pool2d": F.avg_pool2d, "max_pool1d": F.max_pool1d, "max_pool2d": F.max_pool2d,
    "adaptive_avg_pool1d": F.adaptive_avg_pool1d, "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "softmax": lambda x, axis: F.softmax(x, axis), "log_softmax": lambda x, axis: F.log_softmax(x, axis),
    "layer_norm": _norm("last"), "rms_norm": _norm("rms"), "batch_norm": _norm("channel"),
    "group_norm": _norm("groups"), "instance_norm": _norm("instance"), "prelu": _each(F.prelu),
    **{n: _losses(n) for n in (
        "cross_entropy nll_loss mse_loss l1_loss huber_loss smooth_l1_loss binary_cross_entropy_with_logits kl_div"
    ).split()},
    "embedding": lambda i, w: F.embedding(i, w.double()), "scaled_dot_product_attention": _attention,
    "LSTM": _recurrent("lstm"), "GRU": _recurrent("gru"), "RNN_TANH": _recurrent("rnn_tanh"),
    "cosine_similarity": lambda a, b, axis: F.cosine_similarity(*_same_kind(a, b), dim=axis),
}  # fmt: skip

"""What zen has for names that users of PyTorch and NumPy reach for: the advice in the error for a missing attribute.

Modules ask `missing` from their `__getattr__`; on Tensor each name of METHODS is a `Missing` (`zen/attached`),
which raises when it is read.
Nothing here is on the way of an attribute that exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from .exports import HOMES

_CPU = "leave it out: zen computes on the CPU"
_DTYPES = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "byte": "uint8", "char": "int8", "bool": "bool",
}  # fmt: skip
_OPERATORS = {
    "mul": "*", "sub": "-", "div": "/", "true_divide": "/", "pow": "**", "mm": "@", "bmm": "@", "mv": "@", "eq": "==",
    "ne": "!=", "not_equal": "!=", "lt": "<", "less": "<", "le": "<=", "less_equal": "<=", "gt": ">", "greater": ">",
    "ge": ">=", "greater_equal": ">=", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
}  # fmt: skip
_RENAMED = {
    "unsqueeze": "expand_dims(axis)", "permute": "permute_dims(axes)", "swapdims": "swapaxes(axis1, axis2)",
    "movedim": "moveaxis(source, destination)", "clamp": "clip(min, max)", "clamp_min": "clip(min)",
    "clamp_max": "clip(None, max)", "gather": "take_along_axis(indices, axis)",
    "take_along_dim": "take_along_axis(indices, axis)", "index_select": "take(indices, axis)",
    "repeat_interleave": "repeat(n, axis)", "amax": "max(axis)", "amin": "min(axis)", "absolute": "abs()",
    "expand": "broadcast_to(shape)", "sgn": "sign()", "fix": "trunc()", "arccos": "acos()", "arccosh": "acosh()",
    "arcsin": "asin()", "arcsinh": "asinh()", "arctan": "atan()", "arctan2": "atan2(other)", "arctanh": "atanh()",
    "neg": "negative()",
}  # fmt: skip
"""Names that zen's functions and methods have otherwise."""
_RENAMED_FUNCTIONS = {
    "cat": "concat", "concatenate": "concat", "row_stack": "vstack", "unbind": "unstack", "chunk": "split",
    "tensor_split": "f.array_split", "as_tensor": "asarray", "mul": "multiply",
    "sub": "subtract", "div": "divide", "true_divide": "divide", "mm": "matmul", "bmm": "matmul",
    "mv": "matmul", "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal", "bitwise_not": "bitwise_invert", "broadcast_tensors": "broadcast_arrays", "mod": "remainder",
    "inference_mode": "no_grad", "rand": "random.uniform", "randn": "random.normal", "randint": "random.integers",
    "randperm": "random.permutation", "manual_seed": "random.seed", "inverse": "linalg.inv", "normal": "random.normal",
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
}  # fmt: skip

METHODS = {
    **{name: f"t.astype(zen.{dtype})" for name, dtype in _DTYPES.items()},
    **{name: f"t {operator} other" for name, operator in _OPERATORS.items()},
    **{name: f"t.{own}" for name, own in _RENAMED.items()},
    **{name: f"zen.linalg.{own}(t)" for name, own in (("det", "det"), ("inverse", "inv"), ("cholesky", "cholesky"),
                                                      ("slogdet", "slogdet"), ("matrix_power", "matrix_power"))},
    **{name: f"zen.f.{name}(t)" for name in ("hardshrink", "prelu", "signbit")},
    **{name: f"zen.{own}(t, other)" for name, own in (("vdot", "vdot"), ("allclose", "allclose"),
                                                      ("equal", "array_equal"))},
    **{name: f"t = t.{name[:-1]}()" for name in (
        "abs_", "ceil_", "cos_", "erf_", "exp_", "floor_", "log_", "relu_", "round_", "sigmoid_", "sin_", "sqrt_",
        "square_", "squeeze_", "tanh_", "transpose_", "detach_")},
    **dict.fromkeys(("cuda", "cpu", "is_cuda", "get_device", "pin_memory"), _CPU),
    **{name: f"t.detach().numpy().{name}" for name in ("flags", "strides", "tobytes", "tofile", "dump", "dumps")},
    "view": "t.reshape(shape)", "view_as": "t.reshape(other.shape)", "reshape_as": "t.reshape(other.shape)",
    "unsqueeze_": "t = t.expand_dims(axis)", "to": "t.astype(dtype); there is no device to choose",
    "type": "t.dtype, or t.astype(dtype)", "type_as": "t.astype(other.dtype)",
    "contiguous": "leave it out: zen takes any memory layout", "t": "t.T", "dim": "t.ndim", "ndimension": "t.ndim",
    "numel": "t.size", "nelement": "t.size", "element_size": "t.itemsize", "neg_": "t = -t",
    "expand_as": "t.broadcast_to(other.shape)", "unbind": "zen.unstack(t, axis)", "chunk": "zen.split(t, n, axis)",
    "masked_fill": "zen.where(mask, value, t)", "masked_fill_": "t[mask] = value", "masked_select": "t[mask]",
    "argwhere": "np.argwhere(t)",
    "scatter_": "t[index] = value", "index_put_": "t[index] = value", "index_copy_": "t[index] = value",
    "index_fill_": "t[index] = value", "rsqrt": "t ** -0.5", "diag": "zen.f.diag(t)",
    "unflatten": "t.reshape(shape)", "where": "zen.where(condition, t, other)",
    "fmod": "zen.f.fmod(t, other)", "lerp": "t + weight * (end - t)", "addmm": "t + a @ b",
    "data": "t.detach(), or t.value as an array", "grad_fn": "t.dependencies",
    "is_floating_point": "t.dtype.kind == 'f'", "new_zeros": "zen.zeros(shape, t.dtype)",
    "new_ones": "zen.ones(shape, t.dtype)", "new_full": "zen.full(shape, value, t.dtype)",
    "new_tensor": "zen.tensor(data, t.dtype)", "normal_": "zen.nn.init.normal_(t)",
    "uniform_": "zen.nn.init.uniform_(t)", "fill": "t.fill_(value)", "flat": "t.ravel()",
    "topk": "t.sort(descending=True) and t.argsort(descending=True)", "softmin": "zen.f.softmin(t)",
}  # fmt: skip
"""What to write in the place of a method or attribute of another library's arrays, for a Tensor t."""

FUNCTIONS = {
    **{name: f"zen.{own.partition('(')[0]}" for name, own in {**_RENAMED, **_RENAMED_FUNCTIONS}.items()},
    **dict.fromkeys(("cuda", "device", "set_default_device"), _CPU),
    **{f"{kind}_like": f"zen.random.{own}(x.shape)" for kind, own in (("rand", "uniform"), ("randn", "normal"))},
    **{f"{kind}Tensor": f"zen.tensor(data, dtype=zen.{dtype})" for kind, dtype in (
        ("Float", "float32"), ("Double", "float64"), ("Half", "float16"), ("Long", "int64"), ("Int", "int32"))},
    **{name: f"np.{name}" for name in ("argwhere", "ndim", "shape", "size")},
    **{name: f"zen.fft.{name}" for name in (
        "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn",
        "irfftn", "fftfreq", "rfftfreq", "fftshift", "ifftshift")},
    "numel": "x.size", "rsqrt": "x ** -0.5", "view": "zen.reshape", "t": "x.T", "clone": "x.clone()",
    "detach": "x.detach()", "masked_fill": "zen.where(mask, value, x)", "masked_select": "x[mask]",
    "is_tensor": "isinstance(x, zen.Tensor)", "from_array": "zen.from_numpy", "autograd": "zen.grad or zen.gradients",
    "Generator": "np.random.default_rng(seed), passed as generator=", "functional": "zen.f",
    "set_default_dtype": "the dtype= of what makes a Tensor", "utils": "zen.data for loaders, zen.optim for clipping",
    "Parameter": "zen.nn.Parameter", "Module": "zen.nn.Module", "Variable": "zen.tensor(data, requires_grad=True)",
    "lr_scheduler": "zen.optim.lr_scheduler", "upsample": "zen.f.interpolate", "upsample_nearest": "zen.f.interpolate",
    "upsample_bilinear": "zen.f.interpolate(x, size, mode='bilinear', align_corners=True)",
    **{f"{kind}max_pool{n}d_with_indices": f"zen.f.{kind}max_pool{n}d with return_indices=True"
       for kind in ("", "adaptive_") for n in (1, 2, 3)},
    **{f"fractional_max_pool{n}d_with_indices": f"zen.f.fractional_max_pool{n}d with return_indices=True"
       for n in (2, 3)},
    "multi_head_attention_forward": "zen.nn.MultiheadAttention, or zen.f.scaled_dot_product_attention",
    "linear_cross_entropy": "zen.f.cross_entropy(zen.f.linear(x, weight, bias), target)",
}  # fmt: skip
"""The same for functions, of modules that work on Tensors."""

NN = {
    "functional": "zen.f",
    "utils": "zen.optim.clip_grad_norm_ and its like, zen.nn.parametrizations, zen.nn.parameters_to_vector, "
             "zen.nn.pad_sequence",
    **dict.fromkeys(("PackedSequence", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence"),
                    "zen.nn.pad_sequence, and leave the padding out of the loss: recurrent nets take padded batches"),
    "DataParallel": "the module itself: zen computes on the CPU",
    "LinearCrossEntropyLoss": "zen.nn.Linear, and zen.nn.CrossEntropyLoss of what it gives",
    "Sigmoid2d": "zen.nn.Sigmoid",
    "NLLLoss2d": "zen.nn.NLLLoss", "Tensor": "zen.Tensor",
    "LazyLinear": "zen.nn.Linear, with the size of its input",
    **{f"Lazy{kind}{n}d": f"zen.nn.{kind}{n}d, with the size of its input"
       for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm") for n in (1, 2, 3)},
    "SyncBatchNorm": "zen.nn.BatchNorm2d: one process computes", "Upsample2d": "zen.nn.Upsample",
    "CrossMapLRN2d": "zen.nn.LocalResponseNorm",
    "RNNCellBase": "zen.nn.RNNCell", "weight_norm": "zen.nn.parametrizations.weight_norm",
    "spectral_norm": "zen.nn.parametrizations.spectral_norm",
}  # fmt: skip


def lacking(name: str) -> AttributeError:
    """The error for an attribute that Tensor does not have, one of METHODS."""
    # With a name of its own the error gets no second suggestion from the interpreter.
    return AttributeError(f"a Tensor has no {name!r}; {_write(METHODS[name])}", name=name)


def missing(module: str, name: str, names: Iterable[str], advice: Mapping[str, str] = {}) -> AttributeError:
    """The error for `module.name`, which is none of `names`: with what to write, or the nearest of the names."""
    text = f"module {module!r} has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(text, name=name)
    if name in advice:
        return AttributeError(f"{text}; {_write(advice[name])}", name=name)
    import difflib  # slow to import, and an error alone needs it

    lower = {own.lower(): own for own in sorted(names, reverse=True)}  # a class rather than the module it is in
    close = [own for own in difflib.get_close_matches(name.lower(), lower, 3, 0.75) if _digits(own) == _digits(name)]
    return AttributeError(f"{text}; did you mean {lower[close[0]]!r}?" if close else text, name=name)


def _digits(name: str) -> list[str]:
    return [c for c in name if c.isdigit()]


def elsewhere(name: str) -> dict[str, str]:
    """Where else something of this name stands: in `zen.f`, in `zen.linalg`, in `zen`, or in NumPy."""
    from importlib import import_module

    import_module("zen.linalg")  # which enters its names, if nothing used it before
    functions, answered = HOMES["zen.f"], HOMES["numpy"]
    if name.endswith("_") and name[:-1] in functions:
        return {name: f"x = zen.f.{name[:-1]}(x): functions return new Tensors"}
    for module in ("zen.f", "zen.linalg", "zen"):
        if name in HOMES.get(module, ()):
            return {name: f"{module}.{name}"}
    for home in (np, np.linalg):
        function = getattr(home, name, None)
        if hasattr(function, "_implementation") or isinstance(function, np.ufunc):
            limit = "" if function in answered else ", for Tensors that require no gradient"
            return {name: f"{home.__name__}.{name}{limit}"}
    return {}


def _write(advice: str) -> str:
    return advice if advice.startswith("leave it out") else f"write {advice}"

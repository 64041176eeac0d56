"""The families that programs are drawn from: elementwise, reductions, shapes, indexing, products, linear algebra."""

from __future__ import annotations

from math import prod

from .build import Builder, broadcast
from .program import Program, Ref

SMOOTH = {  # name: bound of the result for |x| <= 4
    "sin": 1, "cos": 1, "tanh": 1, "atan": 1.6, "asinh": 2.2, "sigmoid": 1, "softplus": 4.1, "silu": 4, "mish": 4,
    "gelu": 4, "erf": 1, "logsigmoid": 4.1, "softsign": 1, "tanhshrink": 3.1, "square": 16, "negative": 4,
    "positive": 4, "sinh": 28, "cosh": 28, "exp": 55, "expm1": 54, "exp2": 16, "celu": 4, "selu": 4.3,
}  # fmt: skip
KINKED = ["abs", "relu", "leaky_relu", "elu", "hardtanh", "relu6", "hardswish", "hardsigmoid", "softshrink",
          "hardshrink", "sign", "floor", "ceil", "rint", "trunc"]  # fmt: skip
POSITIVE = {"log": 3, "log1p": 3, "log2": 5, "log10": 2, "sqrt": 4.1, "reciprocal": 2.1}
NUMPY = set(
    "sin cos tanh square negative positive sinh cosh exp expm1 exp2 abs sign floor ceil rint trunc log log1p log2 "
    "log10 sqrt reciprocal".split()
)
SIGNS = {"add": "+", "subtract": "-", "multiply": "*"}


def spelling(b: Builder, op: str) -> str | None:
    """np.op or f.op (the default)."""
    return f"np.{op}({{0}})" if op in NUMPY and b.rng.random() < 0.5 else None


def unary(b: Builder) -> None:
    x = b.pick()
    v = b.values[x]
    kind = b.rng.random()
    if kind < 0.6:
        op = b.rng.choice(list(SMOOTH))
        b.emit(op, x, shape=v.shape, bound=SMOOTH[op], template=spelling(b, op))
    elif kind < 0.75:
        moved = b.emit("add", x, b.offset(), shape=v.shape, bound=v.bound, template="{0} + {1}")
        op = b.rng.choice(KINKED)
        b.emit(op, moved, shape=v.shape, bound=v.bound + 1, template=spelling(b, op))
    elif kind < 0.9:
        base = b.emit("power", x, 2, shape=v.shape, bound=1, template="{0} ** {1}")
        base = b.emit("add", base, 0.5, shape=v.shape, bound=1, template="{0} + {1}")
        op = b.rng.choice(list(POSITIVE))
        b.emit(op, base, shape=v.shape, bound=POSITIVE[op], template=spelling(b, op))
    else:
        op = b.rng.choice(["asin", "acos", "atanh", "tan"])
        small = b.emit("tanh", x, shape=v.shape, bound=1)
        small = b.emit("multiply", 0.7, small, shape=v.shape, bound=0.7, template="{0} * {1}")
        b.emit(op, small, shape=v.shape, bound=2)


def binary(b: Builder) -> None:
    x = b.pick()
    other, other_shape, bound = b.partner(b.values[x].shape)
    shape = broadcast(b.values[x].shape, other_shape)
    if shape is None or prod(shape) > 40000:
        return
    mine = b.values[x].bound
    pair = (x, other) if b.rng.random() < 0.5 or not isinstance(other, Ref) or other not in b.values else (other, x)
    op = b.rng.choice(
        "add subtract multiply multiply divide maximum minimum hypot atan2 logaddexp power where where".split()
    )
    if op in SIGNS:
        form = f"{{0}} {SIGNS[op]} {{1}}" if b.rng.random() < 0.7 else f"np.{op}({{0}}, {{1}})"
        b.emit(op, *pair, shape=shape, bound=mine * bound if op == "multiply" else mine + bound, template=form)
    elif op in ("divide", "atan2"):
        below = b.emit("multiply", x, x, shape=b.values[x].shape, bound=1, template="{0} * {1}")
        below = b.emit("add", below, 0.6, shape=b.values[x].shape, bound=1, template="{0} + {1}")
        b.emit(op, other, below, shape=shape, bound=4, template="{0} / {1}" if op == "divide" else None)
    elif op in ("maximum", "minimum"):
        moved = b.emit("subtract", x, b.offset(), shape=b.values[x].shape, bound=mine, template="{0} - {1}")
        b.emit(op, moved, other, shape=shape, bound=max(mine, bound) + 1)
    elif op == "hypot":
        moved = b.emit("add", x, 4.7, shape=b.values[x].shape, bound=4, template="{0} + {1}")
        b.emit(op, moved, other, shape=shape, bound=9)
    elif op == "logaddexp":
        b.emit(op, *pair, shape=shape, bound=5, template="np.logaddexp({0}, {1})")
    elif op == "power":
        base = b.emit("sigmoid", x, shape=b.values[x].shape, bound=1)
        base = b.emit("add", base, 0.4, shape=b.values[x].shape, bound=1.4, template="{0} + {1}")
        b.emit(op, base, other, shape=shape, bound=4, template="{0} ** {1}")
    else:
        mask = b.mask(shape if b.rng.random() < 0.7 else shape[1:])
        b.emit("where", mask, *pair, shape=shape, bound=max(mine, bound), template="np.where({0}, {1}, {2})")


def axes(b: Builder, shape: tuple[int, ...]):
    """None, an axis or several; and the shape left."""
    n = len(shape)
    kind = b.rng.random()
    if kind < 0.3 or not n:
        chosen, axis = list(range(n)), None
    elif kind < 0.75:
        axis = b.rng.randrange(-n, n)
        chosen = [axis % n]
    else:
        chosen = b.rng.sample(range(n), b.rng.randint(1, n))
        axis = tuple(k if b.rng.random() < 0.5 else k - n for k in chosen)
    keep = b.rng.random() < 0.3
    left = tuple(1 if k in chosen else s for k, s in enumerate(shape) if keep or k not in chosen)
    return axis, keep, left, prod(shape[k] for k in chosen)


def reduction(b: Builder) -> None:
    x = b.pick()
    v = b.values[x]
    op = b.rng.choice("sum sum mean max min prod var std logsumexp norm cumsum sort".split())
    axis, keep, left, n = axes(b, v.shape)
    if (n == 0 and op not in ("sum", "prod")) or (op == "prod" and n > 20):
        return
    if op in ("max", "min", "std", "norm", "sort"):
        if prod(v.shape) > 3000:
            return
        x = b.emit("add", x, b.spread(v.shape, 4.6 * (op == "norm")), shape=v.shape, bound=4, template="{0} + {1}")
    if op == "prod":
        x = b.emit("tanh", x, shape=v.shape, bound=1)
        x = b.emit("add", x, 0.3, shape=v.shape, bound=1.3, template="{0} + {1}")
    if op in ("cumsum", "sort"):
        if not v.shape:
            return
        axis = b.rng.randrange(-len(v.shape), len(v.shape))
        b.emit(op, x, axis=axis, shape=v.shape, bound=v.bound * (v.shape[axis] if op == "cumsum" else 1) + 1)
        return
    if op == "norm" and isinstance(axis, tuple) and len(axis) > 2:
        axis, keep, left = None, False, ()
    bound = {"sum": v.bound * n, "prod": 1.3 ** min(n, 20), "norm": (v.bound + 3) * n**0.5}.get(op, v.bound + 6)
    if op in ("var", "std"):
        correction = b.rng.choice([0, 1]) if n > 1 else 0
        if op == "std" and n < 2:
            return
        b.emit(op, x, axis=axis, correction=correction, keepdims=keep, shape=left, bound=v.bound**2 + 4)
        return
    if op == "norm":
        op = "vector_norm"
    b.emit(op, x, axis=axis, keepdims=keep, shape=left, bound=bound)


def shapes(b: Builder) -> None:
    x = b.pick()
    v = b.values[x]
    s, n = v.shape, len(v.shape)
    op = b.rng.choice(
        "reshape ravel transpose transpose swapaxes moveaxis expand_dims squeeze broadcast_to flip roll tile repeat "
        "pad concat stack tril diagonal split T flatten".split()
    )
    same = {"bound": v.bound}
    if op == "reshape":
        new = (prod(s),) if b.rng.random() < 0.4 else (*s[1:], 1, *s[:1])
        b.perhaps_a_view(v)
        b.emit(op, x, new, shape=new, view=True, dense=v.dense, **same)
    elif op == "ravel":
        b.perhaps_a_view(v)
        b.emit(op, x, shape=(prod(s),), view=True, dense=v.dense, **same)
    elif op == "flatten" and n:
        b.emit(op, x, shape=(prod(s),), dense=True, **same)
    elif op == "transpose":
        order = tuple(b.rng.sample(range(n), n))
        b.emit("permute_dims", x, order, shape=tuple(s[k] for k in order), view=True, **same)
    elif op == "T" and n == 2:
        b.emit("permute_dims", x, (1, 0), shape=s[::-1], view=True, template="{0}.T", **same)
    elif op in ("swapaxes", "moveaxis") and n > 1:
        i, j = b.rng.sample(range(n), 2)
        order = list(range(n))
        if op == "swapaxes":
            order[i], order[j] = j, i
        else:
            order.insert(j, order.pop(i))
        b.emit(op, x, i, j - n, shape=tuple(s[k] for k in order), view=True, **same)
    elif op == "expand_dims":
        k = b.rng.randint(0, n)
        b.emit(op, x, k, shape=(*s[:k], 1, *s[k:]), view=True, **same)
    elif op == "squeeze" and 1 in s:
        k = s.index(1)
        b.emit(op, x, k, shape=(*s[:k], *s[k + 1 :]), view=True, **same)
    elif op == "broadcast_to" and prod(s) < 3000:
        new = (b.rng.choice([1, 2, 3]), *[b.rng.choice([2, 3]) if k == 1 else k for k in s])
        b.emit(op, x, new, shape=new, view=True, own=False, **same)
    elif op == "flip" and n:
        k = b.rng.randrange(n)
        b.reversed.add(v.group)
        b.emit(op, x, axis=k, shape=s, view=True, dense=False, **same)
    elif op == "roll" and n and 0 not in s:
        b.emit(op, x, b.rng.randint(-3, 3), axis=b.rng.randrange(-n, n), shape=s, **same)
    elif op == "tile" and n and prod(s) < 3000:
        reps = tuple(b.rng.choice([1, 2]) for _ in s)
        b.emit(op, x, reps, shape=tuple(p * q for p, q in zip(s, reps, strict=True)), **same)
    elif op == "repeat" and n and prod(s) < 3000:
        k = b.rng.randrange(n)
        b.emit(op, x, 2, axis=k, shape=(*s[:k], 2 * s[k], *s[k + 1 :]), **same)
    elif op == "pad" and n and prod(s) < 3000:
        width = tuple((b.rng.choice([0, 1, 2]), b.rng.choice([0, 1])) for _ in s)
        b.emit(op, x, width, shape=tuple(p + sum(w) for p, w in zip(s, width, strict=True)), **same)
    elif op in ("concat", "stack") and prod(s) < 3000:
        joined(b, op, x)
    elif op == "tril" and n > 1:
        op = b.rng.choice(["tril", "triu"])
        b.emit(op, x, k=b.rng.randint(-1, 1), shape=s, **same)
    elif op == "diagonal" and n == 2 and 0 not in s:
        b.emit(op, x, shape=(min(s),), view=True, **same)
    elif op == "split" and n and s[0] > 1:
        at = b.rng.randint(1, s[0] - 1)
        b.emit("getitem", x, (slice(at, None, None),), shape=(s[0] - at, *s[1:]), view=True,
               template=f"f.split({{0}}, [{at}])[1]", **same)  # fmt: skip


def joined(b: Builder, op: str, x: Ref) -> None:
    s = b.values[x].shape
    n = len(s)
    if op == "concat" and not n:
        return
    axis = b.rng.randrange(n) if op == "concat" else b.rng.randint(0, n)
    parts: list[Ref] = [x]
    for _ in range(b.rng.randint(1, 2)):
        same = [k for k, v in b.values.items() if v.shape == s]
        make = b.leaf if b.rng.random() < 0.3 else b.array
        parts.append(Ref(b.rng.choice(same)) if b.rng.random() < 0.6 else make(s))
    bound = max(b.known(p).bound for p in parts)
    if op == "concat":
        shape = (*s[:axis], s[axis] * len(parts), *s[axis + 1 :])
    else:
        shape = (*s[:axis], len(parts), *s[axis:])
    b.emit(op, parts, axis=axis, shape=shape, bound=bound)


def product(b: Builder) -> None:
    x = b.pick()
    s, n, big = b.values[x].shape, len(b.values[x].shape), b.values[x].bound
    op = b.rng.choice("matmul matmul matmul batched outer inner einsum tensordot vecdot linear dot".split())
    k = b.rng.choice([1, 2, 3, 4]) if not b.large else b.rng.choice([1, 33, 64])
    k = 2 if n and s[-1] > 1000 else k
    if op == "outer":
        if prod(s) > 200:
            return
        y = b.fit((k,))
        b.emit(op, x, y, shape=(prod(s), k), bound=big * b.values[y].bound if y in b.values else 2 * big)
        return
    if not n:
        return
    inner = s[-1]
    bound = big * 1.5 * inner
    if op == "matmul":
        right = (inner, k) if b.rng.random() < 0.7 else (inner,)
        b.emit(op, x, b.fit(right), shape=(*s[:-1], *right[1:]), bound=bound, template="{0} @ {1}")
    elif op == "batched" and n >= 2:
        lead = b.rng.choice([s[:-2], (2, *s[:-2]), tuple(1 for _ in s[:-2])])
        shape = broadcast(s[:-2], lead)
        right = b.fit((*lead, inner, k))
        b.emit("matmul", x, right, shape=(*shape, s[-2], k), bound=bound, template="np.matmul({0}, {1})")
    elif op == "inner":
        b.emit(op, x, b.fit((k, inner)), shape=(*s[:-1], k), bound=bound)
    elif op == "linear":
        bias = () if b.rng.random() < 0.4 else (b.fit((k,)),)
        b.emit(op, x, b.fit((k, inner)), *bias, shape=(*s[:-1], k), bound=bound + 2)
    elif op == "einsum" and n == 2:
        spec, shape, right = b.rng.choice(
            [("ij,jk->ik", (s[0], k), (s[1], k)), ("ij,jk->ki", (k, s[0]), (s[1], k)), ("ij,ij->j", (s[1],), s),
             ("ij,kj->", (), (k, s[1]))]
        )  # fmt: skip
        b.emit(op, spec, x, b.fit(right), shape=shape, bound=bound * s[0] * k)
    elif op == "tensordot" and n >= 2:
        b.emit(op, x, b.fit((*s[-2:], k)), 2, shape=(*s[:-2], k), bound=bound * s[-2])
    elif op == "vecdot":
        b.emit(op, x, b.fit(s), shape=s[:-1], bound=bound)
    elif op == "dot" and n <= 2:
        b.emit(op, x, b.fit((inner, k)), shape=(*s[:-1], k), bound=bound)


def linalg(b: Builder) -> None:
    n = b.rng.choice([1, 2, 3, 4])
    lead = b.rng.choice([(), (), (2,)])
    a = b.fit((*lead, n, n))
    a = b.emit("tanh", a, shape=(*lead, n, n), bound=1)
    at = b.emit("swapaxes", a, -1, -2, shape=(*lead, n, n), bound=1, view=True)
    spd = b.emit("matmul", a, at, shape=(*lead, n, n), bound=4, template="{0} @ {1}")
    eye = f"{{0}} + {{1}} * np.eye({n}, dtype={b.dtype!r})"
    spd = b.emit("add_eye", spd, 2, shape=(*lead, n, n), bound=4, template=eye)
    op = b.rng.choice("inv solve det slogdet cholesky trace matrix_power solve_vector".split())
    if op in ("inv", "cholesky"):
        b.emit(op, spd, shape=(*lead, n, n), bound=3, template=f"np.linalg.{op}({{0}})")
    elif op == "solve":
        k = b.rng.choice([1, 2])
        y = b.fit((*lead, n, k))
        b.emit("solve", spd, y, shape=(*lead, n, k), bound=4)
    elif op == "solve_vector":
        b.emit("solve", b.emit("add_eye", b.fit((n, n)), 7, template=eye, shape=(n, n), bound=4),
               b.fit((n,)), shape=(n,), bound=4)  # fmt: skip
    elif op == "det":
        y = b.emit(op, spd, shape=lead, bound=4)
        b.emit("log", y, shape=lead, bound=6)
    elif op == "slogdet":
        b.emit(op, spd, shape=lead, bound=6, template="f.slogdet({0})[1]")
    elif op == "trace" and not lead:
        b.emit(op, spd, shape=(), bound=4 * n)
    elif op == "matrix_power":
        small = b.emit("multiply", spd, 0.3, shape=(*lead, n, n), bound=1.5, template="{0} * {1}")
        b.emit(op, small, b.rng.choice([2, 3, -1]), shape=(*lead, n, n), bound=4)


def generate(seed: int, dtype: str | None = None, length: int | None = None) -> Program:
    """The program of a seed."""
    from . import layers, memory, rarer, wider

    b = Builder(seed, dtype)
    families = [unary, unary, binary, binary, binary, reduction, shapes, shapes, memory.indexing, memory.indexing,
                memory.write, memory.write, memory.special, product, layers.layer]  # fmt: skip
    if not b.large:
        families += [linalg] if b.rng.random() < 0.3 else []
        families += [rarer.rare] * 2 if b.rng.random() < 0.3 else []
        families += [wider.wide] * 3 if b.rng.random() < 0.4 else []
    # Most programs are about some of the families, so that their parts meet.
    if b.rng.random() < 0.6:
        families = [b.rng.choice(families) for _ in range(3)]
    for _ in range(b.rng.choice([1, 1, 2, 3])):
        b.leaf(b.shape())
    for _ in range(b.rng.randint(2, 9) if length is None else length):
        b.rng.choice(families)(b)
    return b.finish()

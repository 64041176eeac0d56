"""What forward mode costs beside the function: `OPENBLAS_NUM_THREADS=1 python -m benchmarks.forward [names ...]`.

For every operation and layer, the time of `zen.jvp(f, primals, tangents)` over that of `f`, unrecorded, on Tensors of
float64; and that of 100 columns of a Jacobian by jvp over 100 rows by vjp. All are timed in turn, so that the ratio
does not drift. jvp reads and writes twice the memory of f, which may then be more than a cache holds: `f, two sets` is
the time of f where it takes two sets of operands in turn and keeps both results. Elementwise rows come from their
declarations, but for those of complex numbers alone; rows with a derivative that no case here applies are named below
the table. `--layers` makes another table: of every class of zen.nn, by its inputs and parameters together, with arrays
in, as `forward_layers.py` makes them. ZEN_BACKEND picks the engine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import zen
from zen import f, nn
from zen.ops import late, register, selection

from . import forward_layers, report
from .rounds import pin

N, M = 200, 100
"""Rows and columns: of most cases, and of those whose cost grows with the cube."""
GOAL = 3.0


class Case(NamedTuple):
    name: str
    f: Callable[..., Any]
    primals: tuple[Any, ...]


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    late.load_all()
    for name, declaration in register.DECLARATIONS.items():
        if declaration.elementwise and has_derivative(name) and not name.startswith("complex_"):
            yield elementwise_case(declaration, rng)
    yield from reductions(rng)
    yield from arrangements(rng)
    yield from products(rng)
    yield from matrices(rng)
    yield from layers(rng)
    yield from sequences(rng)
    yield from transposes(rng)
    yield from derivatives(rng)


def elementwise_case(declaration: Any, rng: np.random.Generator) -> Case:
    """One row on N x N, by all of its arguments that have derivatives."""
    row = register.ROWS[declaration.name]
    drawn = [
        rng.random((N, N)) < 0.5 if bounds == "bool" else rng.uniform(*bounds, (N, N)) for bounds in declaration.domain
    ]
    moving = [k for k, formula in enumerate(declaration.vjp) if formula is not None]
    constants = {k: zen.tensor(a) for k, a in enumerate(drawn) if k not in moving}

    def function(*given: Any) -> Any:
        values = iter(given)
        args = [constants[k] if k in constants else next(values) for k in range(len(drawn))]
        return zen.backend.apply(row, tuple(args))

    return Case(declaration.name, function, tuple([drawn[k] for k in moving]))


def square(rng: np.random.Generator) -> Any:
    return rng.normal(size=(N, N))


def reductions(rng: np.random.Generator) -> Iterator[Case]:
    x = square(rng)
    for name in ("sum", "mean", "max", "min", "prod", "var", "std", "logsumexp"):
        for axis in (None, 0, 1):
            yield Case(f"{name}, axis {axis}", lambda x, name=name, axis=axis: getattr(f, name)(x, axis), (x,))
    yield Case("norm", f.norm, (x,))
    yield Case("norm, ord 3", lambda x: f.vector_norm(x, 1, ord=3), (x,))
    yield Case("cumsum", lambda x: f.cumsum(x, 1), (x,))
    yield Case("cumprod", lambda x: f.cumprod(x, 1), (x,))
    yield Case("softmax", f.softmax, (x,))
    yield Case("softmax, axis 0", lambda x: f.softmax(x, 0), (x,))
    yield Case("log_softmax", f.log_softmax, (x,))


def arrangements(rng: np.random.Generator) -> Iterator[Case]:
    x, mask, numbers = square(rng), rng.random((N, N)) < 0.5, rng.integers(0, N, N)
    yield Case("concat", lambda x, y: f.concat([x, y]), (x, x))
    yield Case("stack", lambda x, y: f.stack([x, y]), (x, x))
    yield Case("split", lambda x: f.split(x, 4), (x,))
    yield Case("x[a:b]", lambda x: x[10:90], (x,))
    yield Case("x[numbers]", lambda x: x[numbers], (x,))
    yield Case("x[mask]", lambda x: x[mask], (x,))
    yield Case("x.T.reshape", lambda x: x.T.reshape(-1), (x,))
    yield Case("broadcast_to", lambda x: f.copy(f.broadcast_to(x, (4, N, N))), (x,))
    yield Case("pad", lambda x: f.pad(x, 2), (x,))
    yield Case("roll", lambda x: f.roll(x, 3, 1), (x,))
    yield Case("flip", lambda x: f.copy(f.flip(x, 0)), (x,))
    yield Case("repeat", lambda x: f.repeat(x, 3, 0), (x,))
    yield Case("astype", lambda x: f.astype(x, np.float32), (x,))
    yield Case("sort", lambda x: f.sort(x, 1), (x,))
    yield Case("take_along_axis", lambda x: f.take_along_axis(x, numbers[None], 0), (x,))
    yield Case("diagonal", f.diagonal, (x,))
    yield Case("trace", f.trace, (x,))
    yield Case("nested lists", lambda x, y: zen.tensor([[x, y], [y, x]]), (x, x))
    yield Case("write to a part", written, (x, x[:10]))
    yield Case("tril", f.tril, (x,))
    yield Case("where", lambda x, y: f.where(mask, x, y), (x, x))


def written(x: Any, v: Any) -> Any:
    y = f.copy(x)
    y[:10] = v
    return y


def products(rng: np.random.Generator) -> Iterator[Case]:
    x, v, batch = rng.normal(size=(M, M)), rng.normal(size=M), rng.normal(size=(16, 32, 32))
    yield Case("matmul", f.matmul, (x, x))
    yield Case("matrix @ vector", f.matmul, (x, v))
    yield Case("batched matmul", f.matmul, (batch, batch))
    yield Case("linear", f.linear, (x, x, v))
    yield Case("linear, no bias", f.linear, (x, x))
    yield Case("einsum, matrices", lambda a, b: f.einsum("ij,jk->ik", a, b), (x, x))
    yield Case("einsum, three", lambda a, b, c: f.einsum("ij,j,jk->ik", a, b, c), (x, v, x))
    yield Case("einsum, batch", lambda a, b: f.einsum("bij,bjk->bik", a, b), (batch, batch))
    yield Case("outer", f.outer, (v, v))


def matrices(rng: np.random.Generator) -> Iterator[Case]:
    x, v = rng.normal(size=(M, M)) + M * np.eye(M), rng.normal(size=M)
    positive = x @ x.T
    yield Case("solve", f.solve, (x, rng.normal(size=(M, M))))
    yield Case("solve, vector", f.solve, (x, v))
    yield Case("inv", f.inv, (x,))
    yield Case("det", f.det, (x / M,))
    yield Case("slogdet", f.slogdet, (x,))
    yield Case("cholesky", f.cholesky, (positive,))


def layers(rng: np.random.Generator) -> Iterator[Case]:
    x, w, b = rng.normal(size=(256, 128)), rng.normal(size=128), rng.normal(size=128)
    image, c = rng.normal(size=(8, 8, 24, 24)), rng.normal(size=8)
    kernel, classes = rng.normal(size=(8, 8, 3, 3)), rng.integers(0, 128, 256)
    q = rng.normal(size=(4, 4, 32, 16))
    yield Case("layer_norm", lambda x, w, b: f.layer_norm(x, 128, w, b), (x, w, b))
    yield Case("layer_norm, x alone", lambda x: f.layer_norm(x, 128, w, b), (x,))
    yield Case("rms_norm", lambda x, w: f.rms_norm(x, 128, w), (x, w))
    yield Case("batch_norm", lambda x, w, b: f.batch_norm(x, None, None, w, b, True), (image, c, c))
    yield Case("group_norm", lambda x, w, b: f.group_norm(x, 4, w, b), (image, c, c))
    yield Case("batch_norm, fixed", lambda x: f.batch_norm(x, c, c * c + 1, c, c), (image,))
    yield Case("conv2d", lambda x, w, b: f.conv2d(x, w, b, padding=1), (image, kernel, c))
    yield Case("conv2d, no bias", lambda x, w: f.conv2d(x, w, padding=1), (image, kernel))
    yield Case("conv2d, x alone", lambda x: f.conv2d(x, kernel, c, padding=1), (image,))
    yield Case("conv_transpose2d", lambda x, w: f.conv_transpose2d(x, w), (image, kernel))
    yield Case("max_pool2d", lambda x: f.max_pool2d(x, 2), (image,))
    yield Case("avg_pool2d", lambda x: f.avg_pool2d(x, 2), (image,))
    yield Case("embedding", lambda w: f.embedding(classes, w), (rng.normal(size=(128, 64)),))
    yield Case("cross_entropy", lambda x: f.cross_entropy(x, classes), (x,))
    yield Case("cross_entropy, probabilities", f.cross_entropy, (x, rng.dirichlet(np.ones(128), 256)))
    yield Case("nll_loss", lambda x: f.nll_loss(x, classes), (x,))
    yield Case("attention", f.scaled_dot_product_attention, (q, q, q))
    yield Case("mse_loss", f.mse_loss, (x, x))


def frozen(layer: Any) -> Any:
    layer.requires_grad_(False)
    return layer


def sequences(rng: np.random.Generator) -> Iterator[Case]:
    x = rng.normal(size=(20, 16, 32))
    for name in ("RNN", "LSTM", "GRU"):
        layer = frozen(getattr(nn, name)(32, 64, dtype=np.float64))
        yield Case(name, lambda x, layer=layer: layer(x)[0], (x,))
    layer = frozen(nn.RNN(32, 64, nonlinearity="relu", dtype=np.float64))
    yield Case("RNN, relu", lambda x, layer=layer: layer(x)[0], (x,))
    layer = frozen(nn.MultiheadAttention(32, 4, dtype=np.float64))
    yield Case("MultiheadAttention", lambda x: layer(x, x, x)[0], (x,))
    block = frozen(nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, dtype=np.float64))
    yield Case("TransformerEncoderLayer", block, (x,))


def of_row(name: str, *params: Any) -> Callable[..., Any]:
    """A row that no public function applies by itself."""
    return lambda *args: zen.backend.apply(register.ROWS[name], args, params)


def transposes(rng: np.random.Generator) -> Iterator[Case]:
    """Rows that gradients are made of."""
    x, v, positions = square(rng), rng.normal(size=N), rng.integers(0, N, (N, N))
    image, pooled = rng.normal(size=(8, 8, 24, 24)), rng.normal(size=(8, 8, 12, 12))
    window = np.arange(12)[:, None] * 2 + np.array([0, 2])
    geometry = (3, 3), (1, 1), (1, 1), (1, 1), 1
    yield Case("sum_to_come", of_row("sum_to_come", 1), (x,))
    yield Case("delayed", of_row("delayed", 1, 0.0, False), (x,))
    yield Case("from_diagonal", of_row("from_diagonal", (N, N), 0), (v,))
    yield Case("from_trace", of_row("from_trace", (N, N), 0), (np.array(1.5),))
    yield Case("scatter", of_row("scatter", (N, N), (positions[0],)), (x,))
    yield Case("scatter_rows", lambda x: of_row("scatter_rows", N, None)(x, positions[0]), (x,))
    yield Case("add_along", of_row("add_along", selection.Places(positions), N, 0), (x,))
    yield Case("pool_scatter", of_row("pool_scatter", rng.integers(0, 576, pooled.shape), (24, 24)), (pooled,))
    quarters = (24, 24), window, window, np.full(12, 0.5), np.full(12, 0.5)
    yield Case("avg_pool2d_input", of_row("avg_pool2d_input", *quarters), (pooled,))
    yield Case("conv2d_weight", of_row("conv2d_weight", *geometry), (image, image))


def derivatives(rng: np.random.Generator) -> Iterator[Case]:
    """Rows that other derivatives are made of."""
    x, small = square(rng), rng.normal(size=(32, 32)) + 8 * np.eye(32)
    yield Case("prod_others", of_row("prod_others", 1), (x,))
    yield Case("recurrence", of_row("recurrence", 1, False), (x / 4, x))
    yield Case("cofactor", of_row("cofactor"), (small / 8,))
    yield Case("cofactor_slope", lambda h: of_row("cofactor_slope")(h, small), (small,))
    yield Case("logabsdet", of_row("logabsdet"), (rng.normal(size=(M, M)) + M * np.eye(M),))


def per_call(function: Callable[[], Any], count: int) -> float:
    """Microseconds of processor time."""
    start = time.process_time()
    for _ in range(count):
        function()
    return (time.process_time() - start) / count * 1e6


def alternately(
    functions: list[Callable[[], Any]], rounds: int, pick: Callable[[tuple[float, ...]], float] = median
) -> list[float]:
    """The median for each, or what `pick` makes of its rounds."""
    for function in functions:
        function()
    count = max(2, int(3000 / sum([per_call(function, 2) for function in functions])))
    found = [[per_call(function, count) for function in functions] for _ in range(rounds)]
    return [pick(times) for times in zip(*found, strict=True)]


def in_turn(f: Callable[..., Any], primals: tuple[Any, ...]) -> Callable[[], Any]:
    """The function on two sets of operands, both of whose results stay."""
    others = tuple([x.copy() if isinstance(x, np.ndarray) else x.clone() for x in primals])
    kept: list[Any] = [None, None]

    def function() -> None:
        kept[0] = f(*primals)
        kept[1] = f(*others)

    return function


def applied(case: Case) -> set[str]:
    """The names of the rows that the case records."""
    leaves = [zen.tensor(x, requires_grad=True) for x in case.primals]
    made = case.f(*leaves)
    pending = [t.node for t in (made if isinstance(made, (tuple, list)) else [made]) if t.node is not None]
    found = set()
    while pending:
        node = pending.pop()
        if node.row is not None:
            found.add(node.row.name)
            pending.extend([n for n in node.inputs if n is not None])
    return found


def has_derivative(name: str) -> bool:
    vjp = register.DECLARATIONS[name].vjp
    return callable(vjp) or any(formula is not None for formula in vjp)


def jacobian(rounds: int) -> list[str]:
    """100 columns by jvp, 100 rows by vjp."""
    rng = np.random.default_rng(1)
    w, x, units = rng.normal(size=(M, M)), rng.normal(size=M), np.eye(M)

    def f(x: Any) -> Any:
        return zen.tanh(w @ x) * x + zen.exp(-x * x)

    def columns() -> None:
        for unit in units:
            zen.jvp(f, (x,), (unit,))

    def rows() -> None:
        _, pull = zen.vjp(f, x)
        for unit in units:
            pull(unit)

    by_jvp, by_vjp = alternately([columns, rows], rounds)
    return [report.number(v) for v in (by_jvp, by_vjp, by_jvp / by_vjp)]


class Measured(NamedTuple):
    """Microseconds."""

    name: str
    f: float
    wide: float
    """f where two sets of operands are taken in turn."""
    both: float

    def ratios(self) -> tuple[float, float]:
        return self.both / self.f, self.both / self.wide


def measured(f: Callable[..., Any], name: str, primals: tuple[Any, ...], rounds: int, pick: Any) -> Measured:
    tangents = tuple([np.random.default_rng(2).normal(size=x.shape) for x in primals])
    if primals and isinstance(primals[0], zen.Tensor):
        tangents = tuple([zen.tensor(t) for t in tangents])
    plain, wide, both = alternately(
        [lambda: f(*primals), in_turn(f, primals), lambda: zen.jvp(f, primals, tangents)], rounds, pick
    )
    return Measured(name, plain, wide / 2, both)


def shown(found: list[Measured]) -> tuple[str, str]:
    """The table in falling order, and what it says in all."""
    ordered = sorted(found, key=lambda m: -m.ratios()[0])
    rows = [[m.name, *map(report.number, (m.f, m.wide, m.both, *m.ratios()))] for m in ordered]
    table = report.markdown(["", "f", "f, two sets", "jvp", "times f", "times f, two sets"], rows)
    first, second = np.array([m.ratios() for m in found]).T
    return table, (
        f"{(first <= GOAL).sum()} of {len(found)} are within {GOAL:g} times f, the geometric mean is "
        f"{np.exp(np.log(first).mean()):.2f}; beside two sets {(second <= GOAL).sum()}, and "
        f"{np.exp(np.log(second).mean()):.2f}."
    )


def every_layer(names: list[str], rounds: int) -> list[str]:
    """The table of layers and what stands above it."""
    chosen = [c for c in forward_layers.layers() if not names or any(part in c.name for part in names)]
    found = [measured(c.f, c.name, c.primals, rounds, min) for c in chosen]
    table, total = shown(found)
    about = (
        "Microseconds of processor time by inputs and parameters, arrays of float64 in; the fastest of the rounds, "
        f"which other processes disturb least. {total} A jvp copies its arguments and makes two results: what costs no "
        "more than that, as Identity, cannot be within three times."
    )
    missing = forward_layers.absent({m.name for m in found})
    rest = f"Classes of zen.nn that no case applies: {', '.join(missing) or 'none'}."
    return [table] if names else [about, table, rest]


def every_row(names: list[str], rounds: int) -> list[str]:
    found, known = [], set()
    for case in cases():
        if names and not any(part in case.name for part in names):
            continue
        primals = tuple([zen.tensor(x) for x in case.primals])
        found.append(measured(case.f, case.name, primals, rounds, median))
        known |= applied(case)
    table, total = shown(found)
    missing = sorted({name for name in register.DECLARATIONS.names() if has_derivative(name)} - known)
    about = (
        f"Microseconds of processor time, medians of {rounds} alternating rounds; {N} x {N} of float64 where nothing "
        f"else is said. {total} jvp holds twice the memory of f, an array of 200 x 200 being 320 kB, and where that "
        "leaves a cache each element costs more. So the second column of times is that of f where two sets of operands "
        "are taken in turn and both results stay."
    )
    matrix = report.markdown(["", "jvp", "vjp", "ratio"], [["100 columns, 100 rows", *jacobian(rounds)]])
    rest = f"Rows with a derivative that no case applies: {', '.join(missing)}."
    return [table] if names else [about, table, matrix, rest]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forward", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of cases (default: all)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--layers", action="store_true", help="the classes of zen.nn")
    options = parser.parse_args()
    pin()
    parts = (every_layer if options.layers else every_row)(options.names, options.rounds)
    if options.names or zen.backend.NAME != "compiled":
        print(*parts, sep="\n\n")
    elif options.layers:
        report.write("forward-layers", "Forward mode beside the function: layers", parts)
    else:
        report.write("forward", "Forward mode beside the function", parts)


if __name__ == "__main__":
    main()

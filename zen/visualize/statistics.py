"""What happens inside a model: the distribution of activations and gradients, module by module.

Works on any object with the methods `named_modules`, `named_parameters`, `named_buffers` and on modules with
`register_forward_hook`, as those of zen.nn.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import random, trees
from ..attached import inplace
from ..backend import Tensor
from ..dtypes import FLOATING
from ..extras import missing
from ..modes import enable_grad, no_grad

_BINS = 40


@dataclass(frozen=True)
class Summary:
    """The distribution of some values, in float64.

    size: how many there are. mean, std, least, greatest: of those that are finite; nan where there are none. zeros,
    not_finite: shares of all, from 0 to 1. counts, edges: a histogram of the finite ones, as of numpy.histogram.
    """

    size: int
    mean: float
    std: float
    least: float
    greatest: float
    zeros: float
    not_finite: float
    counts: np.ndarray = field(repr=False)
    edges: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, arrays: Iterable[np.ndarray]) -> Summary:
        """The summary of all elements of the arrays.

        >>> zen.visualize.Summary.of([np.array([0.0, 1.0, 2.0, np.inf])])
        Summary(size=4, mean=1.0, std=0.816496580927726, least=0.0, greatest=2.0, zeros=0.25, not_finite=0.25)
        """
        values = np.concatenate([np.zeros(0), *[np.ravel(a).astype(np.float64) for a in arrays]])
        finite = values[np.isfinite(values)]
        n = max(values.size, 1)
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
        scale = max(abs(low), abs(high)) if finite.size else 1.0
        scale = scale if scale > 0 else 1.0  # sums and squares of values near the largest float overflow
        wide = (low, high) if high - low > 1e-9 * scale else (low - 0.5 * scale, high + 0.5 * scale)
        shares = np.array(wide) / scale if finite.size else (0.0, 1.0)
        counts, edges = np.histogram(finite / scale, _BINS, (float(shares[0]), float(shares[1])))
        mean, std = ((finite / scale).mean() * scale, (finite / scale).std() * scale) if finite.size else (np.nan,) * 2
        return cls(
            size=values.size, mean=float(mean), std=float(std), least=low, greatest=high,
            zeros=float(np.count_nonzero(values == 0) / n), not_finite=float((values.size - finite.size) / n),
            counts=counts, edges=edges * scale,
        )  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One call of a module: its name and type, its output, the gradient of its output, those of its parameters.

    `gradient` is None and `parameters` empty without a loss; a parameter that the loss does not depend on is None.
    """

    name: str
    kind: str
    activation: Summary
    gradient: Summary | None
    parameters: dict[str, Summary | None]


@dataclass(frozen=True)
class Statistics:
    """The records of one pass through a model, in the order of the calls. `print` shows a table, `plot` a picture."""

    records: list[Record]

    def __str__(self) -> str:
        head = ("module", "output", "zero", "gradient of output", "zero", "gradients of parameters")
        rows = [head, *[_row(record) for record in self.records]]
        widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
        return "\n".join(["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows])

    def plot(self) -> Any:
        """Histograms of outputs and of their gradients, and the size of the parameters' gradients, module by module.

        Returns a matplotlib Figure; `.savefig(path)` writes it. Each histogram is scaled to its own height and range;
        the numbers beside it are mean, standard deviation and the share of zeros. ImportError, naming the extra, where
        matplotlib is missing.
        """
        try:
            figures = importlib.import_module("matplotlib.figure")
        except ImportError as error:
            raise missing(error, "plot", "matplotlib", "draw") from None
        with_gradients = any(record.gradient or record.parameters for record in self.records)
        columns = 3 if with_gradients else 1
        figure = figures.Figure(figsize=(1 + 4.2 * columns, 1.2 + 0.5 * len(self.records)), layout="constrained")
        axes = np.ravel(figure.subplots(1, columns, sharey=True))
        _ridges(axes[0], "outputs", [record.activation for record in self.records], "#4c78a8")
        if with_gradients:
            _ridges(axes[1], "gradients of outputs", [record.gradient for record in self.records], "#e9a83b")
            _sizes(axes[2], self.records)
        labels = [f"{record.name} {record.kind}" for record in self.records]
        axes[0].set_yticks(range(len(labels)), labels, fontsize=8, va="bottom")
        axes[0].set_ylim(len(labels) - 0.4, -1)
        return figure


def statistics(model: Any, input: Any, loss: Callable[[Any], Any] | None = None) -> Statistics:
    """Run a model once and record the distribution of what its modules give and of the gradients that reach them.

    model: a Module. input: what it is called with; a tuple stands for several arguments. loss: a function of the
        model's output that gives one number, from which the gradients are taken; without it there are none.

    A module that passes on what a module in it has returned, such as Sequential, is not recorded again. Gradients,
    buffers (such as running means) and hooks of the model, and the state of zen.random, are afterwards what they were.

    >>> model = zen.nn.Sequential(zen.nn.Linear(2, 3), zen.nn.ReLU())
    >>> found = zen.visualize.statistics(model, zen.ones((4, 2), dtype=zen.float32), lambda y: y.sum())
    >>> [(record.name, record.kind, record.activation.size) for record in found.records]
    [('0', 'Linear', 12), ('1', 'ReLU', 12)]
    """
    watch = _Watch(model)
    kept = {name: t.array.copy() for name, t in model.named_buffers()}
    gradients = [(p, p.grad) for _, p in model.named_parameters()]
    for p, _ in gradients:
        p.grad = None
    state = random.get_state()
    try:
        with enable_grad():
            output = model(*input) if isinstance(input, tuple) else model(input)
            if loss is not None:
                loss(output).backward()
        return Statistics(watch.records(loss is not None))
    finally:
        watch.end()
        random.set_state(state)
        _restore(model, gradients, kept)


@no_grad
def _restore(model: Any, gradients: list[tuple[Any, Any]], kept: dict[str, np.ndarray]) -> None:
    for p, gradient in gradients:
        p.grad = gradient
    for name, t in model.named_buffers():
        if name in kept and not np.array_equal(t.array, kept[name], equal_nan=t.dtype in FLOATING):
            inplace.copy_(t, kept[name])


class _Watch:
    """Hooks on every module that keep its outputs."""

    def __init__(self, model: Any) -> None:
        self.calls: list[tuple[str, Any, list[Tensor], list[np.ndarray]]] = []
        self.givers: dict[int, set[int]] = {}  # the modules that returned an output
        self.kept: list[Any] = []  # so that no id is given twice
        names = {id(module): name or type(module).__name__ for name, module in reversed(list(model.named_modules()))}
        self.names = names
        self.handles = [module.register_forward_hook(self._hook) for _, module in model.named_modules()]

    def _hook(self, module: Any, args: Any, output: Any) -> None:
        givers = self.givers.setdefault(id(output), set())
        if any(id(inner) in givers for inner in module.modules() if inner is not module):
            return
        givers.add(id(module))
        self.kept.append(output)
        outputs = [t for _, t in trees.leaves(output) if isinstance(t, Tensor)]
        for t in outputs:
            if t.requires_grad and not t.is_leaf:
                t.retain_grad()
        # What comes later may write to the output in place.
        self.calls.append((self.names[id(module)], module, outputs, [t.array.copy() for t in outputs]))

    def end(self) -> None:
        for handle in self.handles:
            handle.remove()

    def records(self, with_gradients: bool) -> list[Record]:
        made, times = [], dict[str, int]()
        for name, module, outputs, arrays in self.calls:
            times[name] = times.get(name, 0) + 1
            label = name if times[name] == 1 else f"{name} (call {times[name]})"
            gradients = [t.grad.array for t in outputs if t.grad is not None] if with_gradients else []
            own = dict(module.named_parameters(recurse=False)) if with_gradients and times[name] == 1 else {}
            parameters = {key: None if p.grad is None else Summary.of([p.grad.array]) for key, p in own.items()}
            gradient = Summary.of(gradients) if gradients else None
            made.append(Record(label, type(module).__name__, Summary.of(arrays), gradient, parameters))
        return made


def _row(record: Record) -> tuple[str, ...]:
    gradients = [f"{name} {'none' if s is None else _spread(s)}" for name, s in record.parameters.items()]
    gradient = record.gradient
    return (
        f"{record.name} ({record.kind})",
        _spread(record.activation),
        f"{record.activation.zeros:.0%}",
        "-" if gradient is None else _spread(gradient),
        "-" if gradient is None else f"{gradient.zeros:.0%}",
        ", ".join(gradients),
    )


def _spread(summary: Summary) -> str:
    text = f"{summary.mean:.2g} ± {summary.std:.2g}"
    return f"{text}, {summary.not_finite:.0%} not finite" if summary.not_finite else text


def _ridges(axes: Any, title: str, summaries: list[Summary | None], colour: str) -> None:
    """One histogram above the other, each scaled to the same height and width."""
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    for k, summary in enumerate(summaries):
        if summary is None or not summary.counts.any():
            axes.text(0.5, k, "none" if summary is None else "nothing finite", fontsize=7, va="bottom", ha="center")
            continue
        heights = 0.85 * summary.counts / summary.counts.max()
        places = np.linspace(0, 1, len(heights) + 1)
        axes.stairs(k - heights, places, baseline=k, fill=True, color=colour, alpha=0.8)
        axes.text(0, k + 0.02, f"{summary.least:.2g}", fontsize=6, va="top", ha="left")
        axes.text(1, k + 0.02, f"{summary.greatest:.2g}", fontsize=6, va="top", ha="right")
        axes.text(1.03, k, f"{_spread(summary)}\n{summary.zeros:.0%} zero", fontsize=7, va="bottom")
    axes.set_xlim(-0.02, 1.6)


def _sizes(axes: Any, records: list[Record]) -> None:
    """The mean square root of each parameter's gradient, on a logarithmic scale."""
    axes.set_title("gradients of parameters (root mean square)", fontsize=10)
    sizes = [
        (k, name, float(np.hypot(s.mean, s.std)))
        for k, record in enumerate(records)
        for name, s in record.parameters.items()
        if s is not None
    ]
    for name in dict.fromkeys(name for _, name, _ in sizes):
        points = [(size, k - 0.3) for k, found, size in sizes if found == name and size > 0]
        if points:
            axes.plot(*zip(*points, strict=True), "o", label=name)
    if axes.lines:
        axes.set_xscale("log")
        axes.legend(fontsize=7)
    axes.grid(axis="x", alpha=0.3)

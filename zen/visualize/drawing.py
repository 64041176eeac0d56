"""Pictures of the recorded graph. For people: nothing in zen calls it.

`graph` needs nothing but zen; drawing what it returns needs pygraphviz (extra `draw`), which carries Graphviz.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import files
from ..backend import Tensor
from ..extras import missing

LEAF = 'shape=box, style="filled", fillcolor="#dcebd3"'
OPERATION = 'shape=box, style="filled,rounded", fillcolor="#dbe6f4"'
_COLOUR = re.compile('fillcolor="[^"]*"')
_PALE, _DARK = (0xF4, 0xF0, 0xE6), (0xE9, 0xA8, 0x3B)
OUTPUT = 'shape=box, style="filled,rounded", fillcolor="#f7e0c8"'


class Graph(NamedTuple):
    """A graph in the DOT language, and what it looks like. Notebooks show it as a picture."""

    source: str

    def svg(self) -> str:
        """The picture as SVG. ImportError, naming the extra, where pygraphviz is not installed."""
        return _draw(self.source, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a picture (`.svg`, `.png`, `.pdf`) or the source itself (`.dot`, `.gv`), as the ending says."""
        path = Path(path)
        ending = path.suffix.lower().removeprefix(".")
        if ending in ("dot", "gv"):
            content = self.source.encode()
        elif ending in ("svg", "png", "pdf"):
            content = _draw(self.source, ending)
        else:
            raise ValueError(f"save: {path.name!r} must end with .svg, .png, .pdf, .dot or .gv")
        files.write(path, content, "save")

    def _repr_svg_(self) -> str:
        return self.svg()


def graph(
    outputs: Tensor | Iterable[Tensor], names: Mapping[str, Tensor] | None = None, *, values: bool = False,
    gradients: bool = False, max_nodes: int = 1000,
) -> Graph:  # fmt: skip
    """The operations that `outputs` were made by, back to the leaves; an arrow points from input to result.

    outputs: a Tensor, or several. Their graph must be alive: draw before `backward()`, or after one with
        `retain_graph=True`.
    names: what to call leaves and intermediates, as {"W": W, "b": b}. Constants take no part in the graph.
    values: show the values too: all of them up to four, else the least and the greatest. Intermediates whose Tensor
        nobody has kept show none.
    gradients: after a backward pass, show the Euclidean norm of every gradient there is: those of leaves, and of
        intermediates after `retain_grad()`. The darker, the larger, by orders of magnitude; red is not finite; a
        dashed border marks a leaf that got none, or zeros only.
    max_nodes: a larger graph raises ValueError, for Graphviz would take minutes over it.

    >>> import zen
    >>> x = zen.tensor([1.0, 2.0], requires_grad=True)
    >>> print(graph((2 * x).sum(), {"x": x}).source)
    digraph zen {
      rankdir=TB; node [fontname="DejaVu Sans", fontsize=11]; edge [color="#555555"];
      n0 [label="x\\n(2,) float64", shape=box, style="filled", fillcolor="#dcebd3"];
      n1 [label="multiply\\n(2,) float64", shape=box, style="filled,rounded", fillcolor="#dbe6f4"];
      n2 [label="sum\\n() float64", shape=box, style="filled,rounded", fillcolor="#f7e0c8"];
      n0 -> n1;
      n1 -> n2;
    }
    """
    several = isinstance(outputs, Iterable) and not isinstance(outputs, Tensor)
    roots = [_node(t) for t in (outputs if several else [outputs])]
    titles = {id(_node(t)): name for name, t in (names or {}).items()}
    nodes = _reachable(roots, max_nodes)
    numbers = {id(node): k for k, node in enumerate(nodes)}
    last = {id(node) for node in roots}
    lines = ["digraph zen {", '  rankdir=TB; node [fontname="DejaVu Sans", fontsize=11]; edge [color="#555555"];']
    norms = {id(node): _norm(node) for node in nodes} if gradients else {}
    greatest = max([norm for norm in norms.values() if norm is not None and math.isfinite(norm)], default=0.0)
    for k, node in enumerate(nodes):
        style = LEAF if node.row is None else OUTPUT if id(node) in last else OPERATION
        facts = [_values(node)] if values else []
        if gradients and (node.row is None or norms[id(node)] is not None):
            facts.append(_gradient(norms[id(node)]))
            style = _shade(norms[id(node)], greatest, style)
        lines.append(f"  n{k} [label={_label(node, titles.get(id(node)), facts)}, {style}];")
    for k, node in enumerate(nodes):
        lines += [f"  n{numbers[id(source)]} -> n{k};" for source in _sources(node)]
    return Graph("\n".join([*lines, "}"]))


def _node(t: Any) -> Any:
    if not isinstance(t, Tensor):
        raise TypeError(f"graph: expected a Tensor, not {type(t).__name__}")
    if t.node is None:
        raise ValueError(f"graph: a Tensor of shape {t.shape} has no graph, because it does not require a gradient")
    if t.node.released:
        raise ValueError(
            "graph: a backward pass has released this graph; draw it before the pass, or pass retain_graph=True"
        )
    return t.node


def _sources(node: Any) -> Iterator[Any]:
    if node.row is not None and node.row.is_output:  # one of several results: the call stands for none of them
        (node,) = node.inputs
    return (source for source in node.inputs if source is not None)


def _reachable(roots: list[Any], max_nodes: int) -> list[Any]:
    """Every node once, in the order of creation."""
    found: dict[int, Any] = {}
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if id(node) in found:
            continue
        found[id(node)] = node
        if len(found) > max_nodes:
            raise ValueError(
                f"graph: more than {max_nodes} nodes; draw a smaller part, such as one step, or raise max_nodes"
            )
        waiting.extend(_sources(node))
    return sorted(found.values(), key=lambda node: int(node.seq))


def _label(node: Any, title: str | None, facts: Iterable[str]) -> str:
    operation = None if node.row is None else node.row.name
    first = " = ".join(part for part in (title, operation) if part) or "leaf"
    return _quote("\n".join([first, f"{tuple(node.shape)} {node.dtype}", *[fact for fact in facts if fact]]))


def _values(node: Any) -> str:
    t = node.tensor
    if t is None or not t.size:
        return ""
    if t.size <= 4:
        return ", ".join([f"{x:.4g}" for x in t.array.ravel().tolist()])
    return f"{t.array.min():.4g} to {t.array.max():.4g}"


def _norm(node: Any) -> float | None:
    if node.grad is None:
        return None
    values = np.abs(node.grad.array.astype(np.float64).ravel())
    top = values.max(initial=0.0)
    if not 0 < top < math.inf:
        return float(top)
    return float(top * np.sqrt(np.sum((values / top) ** 2)))  # the squares could overflow


def _gradient(norm: float | None) -> str:
    return "no gradient" if norm is None else f"|gradient| {norm:.3g}"


def _shade(norm: float | None, greatest: float, style: str) -> str:
    """The node's style in the colour of its gradient, on a scale of six orders of magnitude below the greatest."""
    if norm is None or norm == 0:
        return style.replace("filled", "filled,dashed")
    if not math.isfinite(norm):
        return _COLOUR.sub('fillcolor="#e4572e"', style)
    share = min(1.0, max(0.0, 1.0 + math.log10(norm / greatest) / 6))
    channels = [round(pale + share * (dark - pale)) for pale, dark in zip(_PALE, _DARK, strict=True)]
    return _COLOUR.sub(f'fillcolor="#{bytes(channels).hex()}"', style)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _draw(source: str, form: str) -> bytes:
    if importlib.util.find_spec("pygraphviz") is None:
        error, remedy = ModuleNotFoundError(), ". Without it, save the graph as .dot and give that to Graphviz"
        raise missing(error, "drawing a graph", "pygraphviz", "draw", remedy)
    # A process of its own: Graphviz writes to stderr what it thinks of the machine's fonts, and reads its settings
    # from the environment.
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _DRAW, form]
        done = subprocess.run(command, input=source.encode(), capture_output=True, env=_environment(folder))
    if done.returncode:
        raise RuntimeError(f"Graphviz could not draw the graph: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


_DRAW = """
import sys, pygraphviz
source = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(pygraphviz.AGraph(string=source).draw(format=sys.argv[1], prog="dot"))
"""


def _environment(folder: str) -> dict[str, str]:
    """What Graphviz needs to find a font: Matplotlib, of the same extra, brings the one that the graph asks for."""
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is None or matplotlib.origin is None:
        return dict(os.environ)
    fonts = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"
    settings = Path(folder, "fonts.conf")
    settings.write_text(f"<fontconfig><dir>{fonts}</dir><cachedir>{folder}</cachedir></fontconfig>")
    return {"FONTCONFIG_FILE": str(settings), **os.environ}

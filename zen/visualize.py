"""Pictures of the recorded graph. For people: nothing in zen calls it.

`graph` needs nothing but zen; drawing what it returns needs pygraphviz (extra `examples`), which carries Graphviz.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .backend import Tensor

LEAF = 'shape=box, style="filled", fillcolor="#dcebd3"'
OPERATION = 'shape=box, style="filled,rounded", fillcolor="#dbe6f4"'
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
            path.write_text(self.source)
        elif ending in ("svg", "png", "pdf"):
            path.write_bytes(_draw(self.source, ending))
        else:
            raise ValueError(f"save: {path.name!r} must end with .svg, .png, .pdf, .dot or .gv")

    def _repr_svg_(self) -> str:
        return self.svg()


def graph(
    outputs: Tensor | Iterable[Tensor], names: Mapping[str, Tensor] | None = None, *, max_nodes: int = 1000
) -> Graph:
    """The operations that `outputs` were made by, back to the leaves; an arrow points from input to result.

    outputs: a Tensor, or several. Their graph must be alive: draw before `backward()`, or after one with
        `retain_graph=True`.
    names: what to call leaves and intermediates, as {"W": W, "b": b}. Constants take no part in the graph.
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
    roots = [_node(t) for t in ([outputs] if isinstance(outputs, Tensor) else outputs)]
    titles = {id(_node(t)): name for name, t in (names or {}).items()}
    nodes = _reachable(roots, max_nodes)
    numbers = {id(node): k for k, node in enumerate(nodes)}
    last = {id(node) for node in roots}
    lines = ["digraph zen {", '  rankdir=TB; node [fontname="DejaVu Sans", fontsize=11]; edge [color="#555555"];']
    for k, node in enumerate(nodes):
        style = LEAF if node.row is None else OUTPUT if id(node) in last else OPERATION
        lines.append(f"  n{k} [label={_label(node, titles.get(id(node)))}, {style}];")
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


def _label(node: Any, title: str | None) -> str:
    operation = None if node.row is None else node.row.name
    first = " = ".join(part for part in (title, operation) if part) or "leaf"
    return _quote(f"{first}\n{tuple(node.shape)} {node.dtype}")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _draw(source: str, form: str) -> bytes:
    if importlib.util.find_spec("pygraphviz") is None:
        raise ImportError(
            "drawing a graph needs pygraphviz: pip install 'zen-autograd[examples]'. "
            "Without it, save the graph as .dot and give that to Graphviz"
        )
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

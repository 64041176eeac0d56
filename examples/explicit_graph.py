"""A line fitted on an explicit graph: nodes and edges first, then values are fed in by name.

y = w x + b starts as y = x + 1 and becomes y = -x + 3. The graph is built once, checked, and run forwards and backwards
for random points on the target line. Leaves a picture of the lines on the way.
"""

from __future__ import annotations

import random

import numpy as np
from program import arguments, clock, picture

from zen.compat.graph import AddNode, Graph, L2Node, MulNode, SGDOptimizer, ValNode, register_grad, register_op


def build() -> tuple[Graph, ValNode]:
    """The graph of 0.5 (w x + b - label)^2, and its loss."""
    graph = Graph()
    x, w, b = ValNode(2.0, name="x", train=False), ValNode(1.0, name="w"), ValNode(1.0, name="b")
    product = register_op(x, w, MulNode("multiply"), "product", graph)
    y = register_op(product, b, AddNode("plus"), "y", graph)
    label = ValNode(1.0, name="label", train=False)
    return graph, register_op(y, label, L2Node("l2"), "loss", graph)


def main() -> None:
    chosen = arguments("A line fitted on an explicit graph.").parse_args()
    random.seed(chosen.seed)
    graph, loss = build()
    optimiser = SGDOptimizer(lr=0.05, graph=graph)
    lines = []
    with clock(chosen):
        for _ in range(60 if chosen.quick else 200):
            x = random.uniform(-5, 5)
            graph.forward({"x": x, "label": -x + 3})
            optimiser.zero_grad()
            register_grad(loss, graph)
            optimiser.step()
            lines.append((float(graph.nodes["w"].val), float(graph.nodes["b"].val)))
    w, b = lines[-1]
    print(f"y = {w:.4f} x + {b:.4f}; sought was y = -x + 3")
    with picture(chosen, "explicit_graph", figsize=(6, 4)) as axes:
        at = np.array([-5.0, 5.0])
        shown = [0, 1, 2, 4, 8, 16, 32, len(lines) - 1]
        for k in shown:
            w, b = lines[k]
            axes.plot(at, w * at + b, color="#1f4e8c", alpha=0.2 + 0.8 * shown.index(k) / len(shown), linewidth=1)
        axes.plot(at, -at + 3, "k--", label="y = -x + 3")
        axes.set(xlabel="x", ylabel="y", title="The line after 1, 2, 3, 5, 9, ... steps")
        axes.legend()


if __name__ == "__main__":
    main()

"""The explicit graph of the article "implementing a computation graph and automatic differentiation in Python".

Values and computations are nodes that know each other by name; a `Graph` holds them, checks them, computes values with
`forward` and gradients with `register_grad`. Values are numbers or arrays. The gradients are those of zen's engine:
computing records each node's operation, and `register_grad` runs one backward pass over what was recorded.

>>> from zen.compat.graph import AddNode, Graph, L2Node, MulNode, SGDOptimizer, ValNode, register_grad, register_op
>>> graph = Graph()
>>> x, w, b = ValNode(2, name="x", train=False), ValNode(1, name="w"), ValNode(1, name="b")
>>> y = register_op(register_op(x, w, MulNode("mul"), "x1", graph), b, AddNode("add"), "y", graph)
>>> loss = register_op(y, ValNode(1, name="label", train=False), L2Node("l2"), "loss", graph)
>>> register_grad(loss, graph)
>>> SGDOptimizer(lr=0.1, graph=graph).step()
>>> print(loss, graph.nodes["w"], graph.nodes["b"], graph.nodes["add"])
2.0 0.6 0.8 ['x1', 'b'] -> ['y']

A computation of your own is a subclass of `CompNode` with `forward(*nodes)`, which computes with what each node's
`forward()` returns. Written with operators and NumPy functions, that is all. With a `backward(delta=..., inputs=...)`
of its own, which returns one gradient for each input, that is its derivative, whatever forward does.

Bugs of the original that are fixed, by the names of their tests in `tests/compat/test_graph_bugs.py`:

- gradients_changed_in_place: the gradients of a product of arrays were one array, multiplied again and again.
- value_used_twice: a value used twice passed its gradient on twice, so that everything above it counted double.
- incomplete_gradient_passed_on: after zero_grad, gradients were passed on before they were complete.
- second_pass_counts_twice: a second register_grad handed on what intermediates had accumulated in the first.
- repeated_input: x * x lost one of its two inputs in forward.
- input_order: forward gave inputs in the order of a set, so that a - b could become b - a.
- graph_of_nodes: Graph(nodes=[...]) raised TypeError.
- quadratic_queue: forward searched its whole queue for each node.
- diamond_is_valid: validation raised KeyError for a node reached in two ways.
- stranded_nodes: nodes without any connection were never warned about.
- step_changes_results: the optimiser changed computed values, too, so that the loss printed was too low.
- step_changes_the_users_array: the optimiser wrote into arrays that the user had passed in.
- broadcast_inputs: inputs of different shapes could not be added in place, and gradients kept the broadcast shape.
- same_name_another_node: register_op took another node of the same name for the one given.
- failed_register_op: register_op left a part behind in the graph when it raised.
- computation_used_twice: one computation could be registered twice, which joined the inputs of both.
- unknown_input: forward ignored names that the graph does not have.
- automatic_name_taken: an automatic name could be that of another node.
"""

from typing import TYPE_CHECKING

from ...exports import shown as _shown
from .network import Graph as Graph
from .nodes import AddNode as AddNode
from .nodes import CompNode as CompNode
from .nodes import L2Node as L2Node
from .nodes import MulNode as MulNode
from .nodes import Node as Node
from .nodes import NodeType as NodeType
from .nodes import ValNode as ValNode
from .passes import Optimizer as Optimizer
from .passes import SGDOptimizer as SGDOptimizer
from .passes import register_grad as register_grad
from .passes import register_op as register_op

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())

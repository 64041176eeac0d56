"""What a row is: the declaration of one operation, and the compilation of its formulas.

Standard library only. The build loads this module without importing zen, because the compiled kernels are
generated from the same declarations (see `zen/_core/generate.py`).

A formula is a Python expression in a string. It is written once and executed four ways: translated to a fused
compiled loop (elementwise rows), on NumPy arrays, on Tensors (when the gradient itself is to be differentiated)
and with the tangent in place of `g` (forward mode). The names in it say what has to be saved:

    g                       the cotangent of the result
    the row's arguments     `x` saves the value of x; `x.shape`, `x.ndim`, `x.dtype`, `x.size` save no data
    y                       the result
    the row's parameters    static values, never differentiated
    i, xs                   in a variadic row: the position of the argument, and all arguments

A called name is another row (`cos(x)`), called with that row's arguments and parameters in order, unless the
declaration passes a function of that name in `uses`; such a function gets the namespace of rows as its first
argument, so that it too runs on arrays and on Tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ast

NOT_DIFFERENTIABLE = None
"""Stands in `vjp` for an argument that has no derivative: asking for one raises, naming row and argument."""

UNUSED, SHAPE, VALUE = 0, 1, 2
"""What a formula needs of a name: nothing, its shape and dtype alone, or its value."""

_SHAPE_ATTRIBUTES = {"shape", "ndim", "dtype", "size"}


class Row(NamedTuple):
    """One operation, declared."""

    name: str
    args: tuple[str, ...]
    forward: str | Callable[..., Any]
    """NumPy form: an expression (elementwise) or a callable of the arguments' arrays and the parameters."""
    vjp: tuple[str | None, ...]
    """A formula for each argument, or NOT_DIFFERENTIABLE; one formula in all for a variadic row."""
    params: tuple[str, ...] = ()
    elementwise: bool = False
    variadic: bool = False
    view: bool = False
    """The result shares the memory of the one argument where NumPy's does."""
    linear: tuple[str, ...] = ()
    """Arguments in which the row is linear while the others are held (in a variadic row: in all of them together):
    forward mode applies the row itself to their tangents."""
    jvp: tuple[str | None, ...] = ()
    """For an argument whose tangent has a formula of its own: the result's tangent, with `g` the argument's. It reads
    only what the vjp saves. Only where neither linearity nor the transpose of the vjp will do."""
    uses: dict[str, Callable[..., Any]] = {}
    """Functions, other than rows, which the formulas call; the first argument is the namespace of rows."""
    domain: Any = None
    """What tests draw from. Elementwise: a (low, high) pair for each argument, or "bool". Otherwise a function
    of a numpy Generator that returns a list of (arguments, parameters) pairs."""
    numpy: tuple[str, ...] = ()
    """NumPy functions that dispatch to this row ("tanh", "linalg.inv")."""
    method: str | None = None
    """Name of the method on Tensor."""
    doc: str = ""
    """The public docstring: first line, then shapes, errors, source of the formula."""

    def needs(self, formula: str) -> dict[str, int]:
        """What `formula` needs of each argument, of `y` and of `xs`: UNUSED, SHAPE or VALUE."""
        return _needs(formula, (*self.args, "y", "xs"))

    def compile(self, formula: str) -> Callable[..., Any]:
        """The formula as a Python function.

        Its arguments are `(f, g, *args, y, *params)`, or `(f, g, i, xs, y, *params)` for a variadic row, where `f`
        is the namespace of rows: on arrays or on Tensors.
        """
        return _compile(self, formula)


def elementwise(
    name: str,
    args: str,
    forward: str,
    vjp: Iterable[str | None],
    domain: Any,
    *,
    numpy: str | None = None,
    method: str | None = "",
    doc: str = "",
) -> Row:
    """Declare an elementwise row: `forward` and `vjp` are formulas over the arguments, broadcast by the engine."""
    vjp, names = tuple(vjp), tuple(args.split())
    if len(vjp) != len(names):
        raise ValueError(f"row {name!r}: {len(names)} arguments but {len(vjp)} derivatives")
    return Row(
        name, names, forward, vjp, elementwise=True, domain=domain, doc=doc,
        numpy=(name,) if numpy is None else tuple(numpy.split()),
        method=name if method == "" else method,
    )  # fmt: skip


def row(name: str, args: str, forward: Callable[..., Any], vjp: Iterable[str | None], **facts: Any) -> Row:
    """Declare a row of any other kind. `args` that start with `*` make it variadic."""
    names = tuple(args.split())
    for key in ("params", "linear", "numpy"):
        if isinstance(facts.get(key), str):
            facts[key] = tuple(facts[key].split())
    variadic = names[0].startswith("*")
    vjp = tuple(vjp)
    if len(vjp) != len(names):
        raise ValueError(f"row {name!r}: {len(names)} arguments but {len(vjp)} derivatives")
    return Row(name, tuple(n.lstrip("*") for n in names), forward, vjp, variadic=variadic, **facts)


def _needs(formula: str, names: tuple[str, ...]) -> dict[str, int]:
    import ast  # here and below: nothing is parsed when zen is imported

    found = dict.fromkeys(names, UNUSED)

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Attribute) and node.attr in _SHAPE_ATTRIBUTES:
            base = node.value
            while isinstance(base, ast.Subscript):  # xs[i].shape
                visit(base.slice)
                base = base.value
            if isinstance(base, ast.Name):
                if base.id in found:
                    found[base.id] = max(found[base.id], SHAPE)
                return
        if isinstance(node, ast.Name) and node.id in found:
            found[node.id] = VALUE
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(formula, mode="eval"))
    return found


def _compile(row: Row, formula: str) -> Callable[..., Any]:
    import ast

    tree = ast.parse(formula, mode="eval")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in row.uses:
            node.args.insert(0, ast.Name("f", ast.Load()))
        elif node.func.id not in _BUILTINS:
            node.func = ast.Attribute(ast.Name("f", ast.Load()), node.func.id, ast.Load())
    names = ["f", "g", *(["i", "xs"] if row.variadic else row.args), "y", *row.params]
    signature = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    tree.body = ast.Lambda(signature, tree.body)
    code = compile(ast.fix_missing_locations(tree), f"<row {row.name}: {formula}>", "eval")
    function: Callable[..., Any] = eval(code, {**_BUILTINS, **row.uses})
    return function


_BUILTINS: dict[str, Any] = {"__builtins__": {}, "len": len, "tuple": tuple, "slice": slice}

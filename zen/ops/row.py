"""What a row is: the declaration of one operation, and the compilation of its formulas.

Standard library only. The build loads this module without importing zen, because the compiled kernels are
generated from the same declarations (see `zen/_core/generate.py` and `generate_complex.py`).

A formula is a Python expression in a string. It is written once and executed four ways: translated to a fused
compiled loop (elementwise rows), on NumPy arrays, on Tensors (when the gradient itself is to be differentiated)
and with the tangent in place of `g` (forward mode). The names in it say what has to be saved:

    g                       the cotangent of the result
    the row's arguments     `x` saves the value of x; `x.shape`, `x.ndim`, `x.dtype`, `x.size` save no data
    y                       the result
    the row's parameters    static values, never differentiated
    i, xs                   in a variadic row: the position of the argument, and all arguments

A row may have several results, and workspace: further results that only the backward pass reads.

    outputs="sign logabsdet"    results by name. `g` is then a tuple of cotangents, None for what nobody used, and
                                formulas read a result by its name instead of `y`
    outputs="*parts"            as many results as the forward returns; `parts` is a tuple
    workspace="mean rstd"       behind the outputs. The forward gets one more argument, whether anybody will read them:
                                if not, they may be None. They have no derivative of their own

The forward of such a row returns all of these as a tuple.

Where derivatives share their work, `vjp` is one function `vjp(g, args, results, wanted, *params)` for all arguments.
`results` are the outputs, those that it `saves`, and the workspace, None for the others; `wanted` says of each argument
whether its gradient is asked for. It returns a gradient or None for each. It may run twice, so it changes nothing that
it is given. Such a row has a `composition`: a function of the arguments and parameters that makes the same of other
rows. That is differentiated where the derivative itself is to be a Tensor (higher orders, forward mode) and where the
vjp returns NotImplemented, so no formula for a second derivative is written by hand; it takes the place of the forward
for dtypes that kernels do not know; and tests compare the two.

Beside it `jvp` may be one function as well, `jvp(tangents, args, results, *params)`, for what the composition's rows
would do more slowly: of the arguments' tangents, None for one that does not move, it makes that of the result, or a
tuple for several results, with None for one that does not move. It gets arrays alone, and returns NotImplemented for
what it leaves to the composition.

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
_RESERVED = {"f", "g", "i"}


Vjp = Callable[..., tuple[Any, ...]]
Jvp = Callable[..., Any]


class Row(NamedTuple):
    """One operation, declared."""

    name: str
    args: tuple[str, ...]
    forward: str | Callable[..., Any]
    """NumPy form: an expression (elementwise) or a callable of the arguments' arrays and the parameters."""
    vjp: tuple[str | None, ...] | Vjp
    """A formula for each argument, or NOT_DIFFERENTIABLE; one formula in all for a variadic row; or one function."""
    params: tuple[str, ...] = ()
    elementwise: bool = False
    variadic: bool = False
    view: bool = False
    """The results share the memory of the one argument where NumPy's do. Of other rows no result shares memory."""
    optional: tuple[str, ...] = ()
    """Arguments that may be None."""
    outputs: tuple[str, ...] = ("y",)
    workspace: tuple[str, ...] = ()
    several: int = 0
    """How many results the row has: 0 for one that is no tuple, -1 for as many as the forward returns."""
    saves: tuple[str, ...] = ()
    """Outputs that a vjp in one function reads."""
    composition: Callable[..., Any] | None = None
    complex: bool | str = False
    """Whether operands may be complex; or the name of the row that is applied to them in place of this one. Where it
    is True, an elementwise row that the build reads has kernels of complex numbers.

    Formulas are for cotangents that are not conjugated: for a real loss L the cotangent g of y says
    dL = real(sum(g * dy)). So those of a function with a complex derivative are the usual ones. A complex cotangent of
    a real argument, and a complex tangent of a real result, are brought to their real part by the engine."""
    linear: tuple[str, ...] = ()
    """Arguments in which the row is linear while the others are held (in a variadic row: in all of them together):
    forward mode applies the row itself to their tangents."""
    together: bool = False
    """It is linear in all arguments at once, of which the first is like the result and the others are broadcast: the
    row is applied to their tangents together, zeros for those that do not move."""
    jvp: tuple[str | None, ...] | Jvp = ()
    """For an argument whose tangent has a formula of its own: the result's tangent, with `g` the argument's; one
    formula in all for a variadic row. It reads only what the vjp saves. Only where linearity will not do, and to
    transpose the vjp would cost a second pass. Where the derivative is symmetric it is the vjp's formula. Or, beside a
    vjp in one function, one for all arguments as well."""
    grouped: bool = False
    """The row reduces `axis` with `keepdims`, and its vjp is the cotangent, repeated, times weights: the tangent is the
    sum over the axes of the weights times the argument's. Stands for a formula in `jvp`."""
    uses: dict[str, Callable[..., Any]] = {}
    """Functions, other than rows, which the formulas call; the first argument is the namespace of rows."""
    axes: tuple[str, ...] = ()
    """Parameters that number axes of the first argument (of `stack`: of the result) from 0: an int, a tuple of them, or
    None for all."""
    shapes: tuple[str, ...] = ()
    """Parameters that are the whole shape of the result, or of what the argument becomes on the way to it."""
    keys: tuple[str, ...] = ()
    """Parameters that index the first argument, or the result of the transpose of that."""
    shape: Any = None
    """A function of arguments that have a shape and a dtype, and of the parameters: those of the results, as `Shaped`.
    An elementwise row has none: its arguments are broadcast; see `result_shapes.py`."""
    domain: Any = None
    """What tests draw from. Elementwise: a (low, high) pair for each argument, or "bool". Otherwise a function
    of a numpy Generator that returns a list of (arguments, parameters) pairs."""
    numpy: tuple[str, ...] = ()
    """NumPy functions that dispatch to this row ("tanh", "linalg.inv")."""
    method: str | None = None
    """Name of the method on Tensor."""
    doc: str = ""
    """The public docstring: first line, then shapes, errors, source of the formula."""

    @property
    def results(self) -> tuple[str, ...]:
        """The names of what the forward returns: outputs, then workspace."""
        return self.outputs + self.workspace

    def needs(self, formula: str) -> dict[str, int]:
        """What `formula` needs of each argument and result, and of `xs`: UNUSED, SHAPE or VALUE."""
        return _needs(formula, (*self.args, *self.results, "xs"))

    def compile(self, formula: str) -> Callable[..., Any]:
        """The formula as a Python function.

        Its arguments are `(f, g, *args, *results, *params)`, or `(f, g, i, xs, y, *params)` for a variadic row, where
        `f` is the namespace of rows: on arrays or on Tensors.
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
    complex: bool | str = False,
    doc: str = "",
) -> Row:
    """Declare an elementwise row: `forward` and `vjp` are formulas over the arguments, broadcast by the engine."""
    return _checked(Row(
        name, tuple(args.split()), forward, tuple(vjp), elementwise=True, complex=complex, domain=domain, doc=doc,
        numpy=(name,) if numpy is None else tuple(numpy.split()),
        method=name if method == "" else method,
    ))  # fmt: skip


def row(
    name: str,
    args: str,
    forward: Callable[..., Any],
    vjp: Iterable[str | None] | Vjp,
    *,
    outputs: str = "",
    **facets: Any,
) -> Row:
    """Declare a row of any other kind. `args`: a `*` before a name makes the row variadic, a `?` behind it optional."""
    for key in ("params", "linear", "numpy", "workspace", "saves", "axes", "shapes", "keys"):
        if isinstance(facets.get(key), str):
            facets[key] = tuple(facets[key].split())
    if outputs:
        facets["outputs"] = tuple(outputs.lstrip("*").split())
        facets["several"] = -1 if outputs.startswith("*") else len(facets["outputs"])
    given = args.split()
    names = tuple([n.lstrip("*").rstrip("?") for n in given])
    optional = tuple([n for n, written in zip(names, given, strict=True) if written.endswith("?")])
    unknown = [key for key in facets if key not in Row._fields]
    if unknown:
        raise ValueError(f"row {name!r}: there is no facet {unknown[0]!r}")
    return _checked(Row(
        name, names, forward, vjp if callable(vjp) else tuple(vjp), variadic=args.startswith("*"), optional=optional,
        **facets,
    ))  # fmt: skip


def _checked(made: Row) -> Row:
    """`made`, every facet of which is there and fits the others; else ValueError, naming row and facet."""
    fault = (
        _names_fault(made)
        or _kinds_fault(made)
        or _derivatives_fault(made)
        or _results_fault(made)
        or _domain_fault(made)
    )
    if fault:
        raise ValueError(f"row {made.name!r}: {fault}")
    return made


def _names_fault(row: Row) -> str:
    names = row.args + row.outputs + row.workspace + row.params
    if row.args and row.outputs and len(set(names)) == len(names) and _RESERVED.isdisjoint(names):
        if all([type(n) is str and n.isidentifier() for n in names]):
            return ""
    for facet in ("args", "outputs", "workspace", "params"):
        own: tuple[Any, ...] = getattr(row, facet)
        if not own and facet in ("args", "outputs"):
            return f"{facet} are missing: name at least one"
        wrong = [n for n in own if not (isinstance(n, str) and n.isidentifier())]
        if wrong:
            return f"{facet} holds {wrong[0]!r}, which is no name"
    twice = [n for k, n in enumerate(names) if n in names[:k] or n in _RESERVED]
    return f"args, outputs, workspace and params share the name {twice[0]!r}, or it is reserved"


def _kinds_fault(row: Row) -> str:
    for facet in ("axes", "shapes", "keys"):
        fault = _foreign(facet, getattr(row, facet), row.params, "parameter")
        if fault:
            return fault
    return ""


def _derivatives_fault(row: Row) -> str:
    count = len(row.args)
    if not (callable(row.forward) or (row.elementwise and isinstance(row.forward, str))):
        return f"forward must be a function, not {row.forward!r}"
    if callable(row.vjp):
        if not callable(row.composition):
            return "composition is missing: a vjp in one function needs one"
    else:
        wrong = [v for v in row.vjp if v is not None and not (type(v) is str and v.strip())]
        if wrong:
            return f"vjp holds {wrong[0]!r}; it takes formulas and NOT_DIFFERENTIABLE"
        if len(row.vjp) != count:
            return f"vjp has {len(row.vjp)} derivatives for {count} arguments"
    if callable(row.jvp):
        if not callable(row.vjp):
            return "jvp in one function stands beside a vjp in one function"
    elif len(row.jvp) not in (0, count):
        return f"jvp has {len(row.jvp)} formulas for {count} arguments"
    if row.grouped and (callable(row.vjp) or count != 1 or not {"axis", "keepdims"} <= {*row.params}):
        return "grouped is for a row of one argument with a formula, and the params axis and keepdims"
    if row.together and (row.variadic or row.linear != row.args):
        return "together is for a row of fixed arguments that is linear in all of them"
    if row.shape is None and not row.elementwise:
        return "shape is missing: the shapes and dtypes of the results"
    if row.shape is not None and not callable(row.shape):
        return f"shape must be a function of the arguments and parameters, not {row.shape!r}"
    if row.uses and not all([callable(function) for function in row.uses.values()]):
        return "uses holds what is no function"
    return _foreign("linear", row.linear, row.args, "argument")


def _results_fault(row: Row) -> str:
    if not (row.several or row.workspace or row.saves):
        return ""
    if row.several and (row.elementwise or row.variadic):
        return "outputs cannot be several in an elementwise or variadic row"
    if row.workspace and (row.elementwise or row.variadic):
        return "workspace cannot stand in an elementwise or variadic row"
    if row.workspace and row.linear:
        return "linear cannot stand beside workspace"
    if row.saves and not callable(row.vjp):
        return "saves is for a vjp in one function: formulas say by themselves what they read"
    return _foreign("saves", row.saves, row.outputs, "output")


def _domain_fault(row: Row) -> str:
    if row.domain is None:
        return "domain is missing: what tests draw"
    if not row.elementwise and not callable(row.domain):
        return "domain must be a function of a numpy Generator"
    if row.elementwise and len(row.domain) != len(row.args):
        return f"domain has {len(row.domain)} entries for {len(row.args)} arguments"
    return "" if row.doc else "doc is missing: the first line of what users read"


def _foreign(facet: str, names: tuple[str, ...], known: tuple[str, ...], kind: str) -> str:
    for n in names:
        if n not in known:
            return f"{facet} names {n!r}, which is no {kind}"
    return ""


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
    names = ["f", "g", *(["i", "xs"] if row.variadic else row.args), *row.results, *row.params]
    signature = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    tree.body = ast.Lambda(signature, tree.body)
    code = compile(ast.fix_missing_locations(tree), f"<row {row.name}: {formula}>", "eval")
    function: Callable[..., Any] = eval(code, {**_BUILTINS, **row.uses})
    return function


_BUILTINS: dict[str, Any] = {"__builtins__": {}, "len": len, "tuple": tuple, "slice": slice}

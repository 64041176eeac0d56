"""What a rule is: the declaration of an optimiser's update, and what its text says.

Standard library only. The build loads this module without importing zen, because the compiled loops are generated from
the same declarations (`zen/_core/generate_rules.py`); the reference engine runs the text itself on NumPy's arrays.

An update is a few lines of Python. The names in it are

    p, g                    the parameter and its gradient
    the rule's arrays       its state, of the parameter's shape; `step` among them asks for a count of the steps. A
                            `#` behind the name makes it one number instead of an array, of which there may be two
    the rule's options      numbers; with a `?` behind the name in the declaration, a flag: 0 or 1
    step                    the number of this step, from 1 on
    first                   1 if some of the state was made just now

and those that its lines assign to. What is assigned to `p` and to the state is kept. A condition is made of options; an
array that no line on the way taken names is not needed, and not made. What is made of numbers alone is computed once,
before all arrays, in double precision, and rounded to the dtype of the arrays where it meets one, as NumPy does it. The
functions are sqrt, maximum, minimum, sign, and by_sign(x, a, b, c): a where x < 0, b where it is 0, c where x > 0.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

FUNCTIONS = ("sqrt", "maximum", "minimum", "sign", "by_sign")


class Line(NamedTuple):
    """`name = value`, on the ways where each test of `conditions` has the truth beside it."""

    name: str
    value: ast.expr
    conditions: tuple[tuple[str, bool], ...] = ()


class Rule(NamedTuple):
    """An optimiser's update, declared."""

    name: str
    options: tuple[str, ...]
    flags: tuple[str, ...]
    """The options that are taken for true or false."""
    arrays: tuple[str, ...]
    numbers: tuple[str, ...]
    """The state that is one number for each parameter."""
    counts: bool
    """Whether the steps of each parameter are counted."""
    update: str

    def lines(self) -> tuple[list[Line], list[Line]]:
        """The lines that compute numbers, and those that compute arrays. ValueError for what is no update."""
        import ast  # here and below: nothing is parsed when zen is imported

        numbers: list[Line] = []
        arrays: list[Line] = []
        fixed, known = {*self.options}, {*self.options, *self.numbers, "step", "first"}

        def sort(body: list[ast.stmt], conditions: tuple[tuple[str, bool], ...]) -> None:
            for statement in body:
                if isinstance(statement, ast.If) and names_in(statement.test) <= fixed:
                    test = ast.unparse(statement.test)
                    sort(statement.body, (*conditions, (test, True)))
                    sort(statement.orelse, (*conditions, (test, False)))
                    continue
                if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
                    raise ValueError(f"rule {self.name!r}: no line of an update: {ast.unparse(statement)}")
                line = Line(statement.targets[0].id, statement.value, conditions)
                used = names_in(line.value)
                if not used <= known:
                    arrays.append(line)
                elif conditions:
                    raise ValueError(f"rule {self.name!r}: the number {line.name!r} is computed under a condition")
                else:
                    numbers.append(line)
                    known.add(line.name)
                    if used <= fixed:
                        fixed.add(line.name)

        sort(ast.parse(self.update).body, ())
        return numbers, arrays

    def tests(self) -> list[str]:
        """What the conditions ask, each once."""
        return list(dict.fromkeys(test for line in self.lines()[1] for test, _ in line.conditions))

    def way(self, truth: dict[str, bool]) -> list[Line]:
        """The lines that compute arrays, for one truth of each test."""
        return [line for line in self.lines()[1] if all(truth[test] == wanted for test, wanted in line.conditions)]

    def needs(self, way: list[Line]) -> tuple[str, ...]:
        """The arrays of the state that these lines name, in the rule's order."""
        named = {line.name for line in way}.union(*[names_in(line.value) for line in way])
        return tuple(name for name in self.arrays if name in named)


def rule(name: str, options: str, state: str, *parts: str) -> Rule:
    """Declare a rule; `parts` are the lines of its update, one after the other."""
    flags = tuple(n[:-1] for n in options.split() if n.endswith("?"))
    numbers = tuple(sys.intern(n[:-1]) for n in state.split() if n.endswith("#"))
    names = [sys.intern(n) for n in state.split()]  # as those of the engine are: keys of dicts are found faster
    arrays = tuple(n for n in names if n != "step" and not n.endswith("#"))
    update = "".join(map(_dedented, parts))
    return Rule(
        name, tuple(options.replace("?", "").split()), flags, arrays, numbers, "step" in names or bool(numbers), update
    )


def _dedented(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    indent = min(len(line) - len(line.lstrip()) for line in lines)
    return "".join(f"{line[indent:]}\n" for line in lines)


def names_in(expression: ast.expr) -> set[str]:
    """The names of variables in an expression."""
    import ast

    return {n.id for n in ast.walk(expression) if isinstance(n, ast.Name) and n.id not in FUNCTIONS}

"""Recording: what one thread does with Tensors while a function runs, as the steps of a program.

The engine tells a `Trace` of every row that is applied (`note`), of every look at values (`read`), of writes in place
and of Tensors that a pass makes of what nodes saved (`revived`). The function itself runs as ever: a trace that cannot
go on (`give_up`) only ceases to listen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from .. import backend
from ..backend import Row, Tensor
from ..batched import Batched
from ..ops.register import ROWS
from .draws import Stream
from .instructions import Check, Effect, Instruction, Number, Program, Value
from .numpy_calls import numpy_row, outlined
from .places import WEAK, Places, Refused, line_of_user, same_bits, values_of
from .symbol import Symbol


class Workspace:
    """An array that is not to be used while a trace listens: it ends the trace."""

    __slots__ = ("_array", "_name", "_trace")

    def __init__(self, trace: Trace, name: str, array: np.ndarray) -> None:
        self._trace, self._name, self._array = trace, name, array

    def _used(self) -> np.ndarray:
        self._trace.give_up(f"{self._name}: its derivative reads what it saved beside its results")
        return self._array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self._used(), dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._used(), name)

    def __getitem__(self, key: Any) -> Any:
        return self._used()[key]

    def __len__(self) -> int:
        return len(self._used())


class Trace(Places):
    """One recording of the function `title`. connected: a result has a graph that leads to other leaves.

    given: the arrays of the call, which the function must not write to.
    """

    def __init__(self, title: str = "the function") -> None:
        super().__init__()
        self.title, self.connected = title, False
        self.given: list[np.ndarray] = []
        self._nodes: dict[int, tuple[tuple[Any, ...], tuple[Value, ...]]] = {}
        self._read: set[int] = set()
        self._raw: dict[int, Tensor] = {}
        self._cleared: dict[int, Any] = {}
        self._ungraded: dict[int, Any] = {}

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the function returns, recorded."""
        return backend.call_tracing(self, function, *args, **kwargs)

    # What the engine tells

    def numbers(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operands with numbers in place of symbols."""
        for x in operands:
            if type(x) is Symbol:
                if any([type(y) is Batched for y in operands]):  # which is made of rows that are noted themselves
                    return operands
                return tuple([x.number if type(x) is Symbol else x for x in operands])
        return operands

    def note(self, row: Row, operands: tuple[Any, ...], params: tuple[Any, ...], result: Any) -> None:
        """A row was applied, unless it consists of others, which were noted themselves."""
        if self.reason:
            return
        results = result if type(result) is tuple else (result,)
        new = False
        for t in results:
            if type(t) is Batched:
                return
            new = new or t.traced not in self._known
        if new:
            self._add(row, operands, params, results)
            return
        for x in operands:
            if type(x) is Symbol:  # the rows of which this one consists got its value
                float(x)

    def _add(self, row: Row, operands: tuple[Any, ...], params: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
        given = tuple([self._operand(x) for x in operands])
        made = tuple([self._new(t) for t in results])
        step = Instruction(row, given, self._parameter(params), made)
        self.steps.append(step)
        node: Any = results[0].node
        for t in results:
            node = t.node if node is None else node
        if node is not None:
            if row.several and node.inputs and node.row.is_output:
                node = node.inputs[0]
            self._nodes[node.seq] = given, made
            if self._arrays and params:
                self._follow(params, node.params)

    def numpy(self, name: str, called: Callable[..., Any], args: list[Any], options: dict[str, Any]) -> Any:
        """A function of NumPy on Tensors without graphs, as an instruction."""
        leaves: list[Any] = []
        form = outlined((args, options), leaves)
        row = numpy_row(name, called, form, [values_of(t) for t in leaves])
        made = backend.call_recording(False, backend.apply, row, tuple(leaves), (form,))
        for t in made if type(made) is tuple else (made,):
            self._raw[id(t)] = t
        return made

    def raw(self, t: Tensor) -> Tensor:
        """The values of t for what no gradient depends on: a Tensor on which NumPy's functions are NumPy's own."""
        made: Tensor = t.detach()
        self._raw[id(made)] = made
        return made

    def is_raw(self, args: Any) -> bool:
        """Whether one of nested arguments is such a Tensor."""
        if isinstance(args, (tuple, list)):
            return any([self.is_raw(x) for x in args])
        return id(args) in self._raw

    def raised(self, row: Row) -> None:
        """A row raised: the function may go on in another way."""
        self.give_up(f"{row.name} raised, and the function may have caught it")

    def unseen(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What a function says of Tensors that looks at none of their values."""
        return backend.call_tracing(None, function, *args, **options)

    def stream(self, generator: Any) -> Any:
        """The generator as one whose draws are recorded."""
        return Stream(generator)

    def read(self, t: Tensor) -> None:
        """Somebody looks at the values of t."""
        if self.reason:
            return
        value = self.place_of(t)
        if value.number in self._read:
            return
        self._read.add(value.number)
        self.steps.append(Check(value, values_of(t).copy(), line_of_user()))

    def looked(self, value: Value, number: float) -> None:
        """Somebody looks at a Python float."""
        if value.number not in self._read:
            self._read.add(value.number)
            self.steps.append(Check(value, np.array(number), line_of_user()))

    def arithmetic(self, operator: str, operands: tuple[Any, ...], number: float) -> Symbol:
        """Arithmetic of Python floats."""
        given = tuple([x.value if type(x) is Symbol else x for x in operands])
        value = self._value((), WEAK, True)
        self.steps.append(Number(operator, given, value))
        return Symbol(number, value, self)

    def revived(self, node: Any, k: int, found: Any) -> None:
        """A pass made a Tensor of what a node saved of operand k, or of a result behind the operands."""
        if self.reason or found is None:
            return
        entry = self._nodes.get(node.seq)
        if entry is None:
            self.give_up(f"a pass through a graph of {node.row.name!r} that was made before the call, or by a write")
            return
        operands, results = entry
        if type(found) is tuple:
            if k < len(operands) or len(found) != len(results):
                self.give_up(f"{node.row.name}: what it saved is not known")
                return
            for t, value in zip(found, results, strict=True):
                if isinstance(t, Tensor):
                    t.traced = value.number
            return
        if not isinstance(found, Tensor) or k >= len(operands) + len(results):
            return
        value = operands[k] if k < len(operands) else results[k - len(operands)]
        if type(value) is Value:
            found.traced = (self._strong(value, found) if value.weak else value).number

    def number(self, node: Any, k: int, x: Any) -> Any:
        """A Python float that a node saved of operand k: a symbol again, where it was one."""
        operands = self._nodes.get(node.seq, ((),))[0]
        value = operands[k] if k < len(operands) else None
        return Symbol(x, value, self) if type(x) is float and type(value) is Value and value.weak else x

    def workspace(self, node: Any, x: Any) -> Any:
        """What a node saved beside its results, which is no value of the program."""
        return x if self.reason or not isinstance(x, np.ndarray) else Workspace(self, node.row.name, x)

    def total(self, node: Any, before: Tensor | None, after: Tensor) -> Tensor:
        """The gradient that a leaf holds once `after` has been added."""
        leaf = node.tensor
        if leaf is None or (before is not None and before.traced not in self._known):
            self.give_up("a gradient is added to one from before the call; call zero_grad() in the function")
        elif before is None and id(leaf) not in self._cleared and id(leaf) not in self._made:
            self._ungraded[id(leaf)] = leaf
        return (after if before is None else before + after).detach()

    def cleared(self, leaves: Any) -> None:
        """The gradients of leaves were dropped."""
        for t in leaves:
            if id(t) not in self._bound and t.traced not in self._known:
                self._bind(t)
            self._cleared[id(t)] = t

    def call(self, function: Callable[[], Any], tensors: list[Tensor], name: str) -> Any:
        """Something that is done as it is, at each call, when all steps have passed: it changes these Tensors."""
        self._publish()
        result = backend.call_tracing(None, function)
        if result is not None:
            self.give_up(f"{name} returned something")
        self.effects.append(Effect("call", function))
        for t in tensors:
            if id(t) not in self._bound:
                self._bind(t)
            self._bound[id(t)].called = name
        return result

    def _publish(self) -> None:
        """Gradients that leaves have got so far become effects."""
        if self.reason:
            return
        for t in self._cleared.values():
            if id(t) not in self._bound:
                self.place_of(t)
        for bound in list(self._bound.values()):
            t = bound.object
            if not isinstance(t, Tensor) or t.node is None or not t.is_leaf:
                continue
            grad = t.grad
            if grad is bound.grad and not (grad is None and id(t) in self._cleared):
                continue
            if grad is not None and grad.traced not in self._known:
                self.give_up("a gradient that was not computed in the call")
                return
            self.effects.append(Effect("grad", t, None if grad is None else self._known[grad.traced]))
            bound.grad = grad
            self._cleared.pop(id(t), None)

    def undo(self) -> bool:
        """Take back what the function has written into Tensors and gradients from before the call.

        False where something else was done, such as an optimiser's step; then nothing is taken back.
        """
        if any([bound.called for bound in self._bound.values()]):
            return False
        for bound in self._bound.values():
            t = bound.object
            if not isinstance(t, Tensor):
                continue
            if bound.written:
                backend.call_recording(False, t.copy_, bound.seen)
            if t.is_leaf and t.node is not None and t.grad is not bound.grad:
                t.grad = bound.grad
        return True

    def inplace(self, row: Row, t: Tensor, other: Any) -> Any:
        """`t op= other`."""
        if self.reason or not isinstance(t, Tensor):
            return self._untraced(row, t, *self.numbers((other,)))
        made = given = None
        if self._may_write(t):
            given = self.place_of(t), self._operand(other)
            made = backend.apply(row, (t, other))
        result = self._untraced(row, t, *self.numbers((other,)))
        if given is not None and made is not None and result is not NotImplemented:
            if made.dtype != t.dtype or made.shape != t.shape:
                self.give_up(f"{row.name}: a write in place that changes a dtype or a shape")
            else:
                self._moved(t, self.place_of(made), given)
        return result

    def setitem(self, row: Row, t: Tensor, key: Any, value: Any) -> None:
        """`t[key] = value`."""
        key = self._fixed(key)
        if self.reason or not self._may_write(t):
            self._untraced(row, t, key, *self.numbers((value,)))
            return
        before, given = self.place_of(t), self._operand(value)
        self._untraced(row, t, key, *self.numbers((value,)))
        key = key if type(key) is tuple else (key,)
        made = self._value(before.shape, before.dtype)
        step = Instruction(ROWS["setitem"], (before, given), (self._parameter(key),), (made,))
        self.steps.append(step)
        if self._arrays and t.node is not None and t.node.params:
            self._follow((key,), t.node.params)
        self._moved(t, made, (before, given))

    def _untraced(self, row: Row, *values: Any) -> Any:
        return backend.call_tracing(None, backend.write_plain, row, *values)

    def _may_write(self, t: Tensor) -> bool:
        """Whether a write to t changes no other Tensor that the trace knows; otherwise it is given up.

        Raises where t is an argument.
        """
        own = values_of(t)
        if any([np.may_share_memory(own, x) for x in (*self.given, *map(values_of, self._roots.values()))]):
            raise self.refused(line_of_user())
        if t.base is not None or backend.sharers(t) == 2:
            self.give_up("a write to memory that several Tensors share")
            return False
        return True

    def refused(self, line: str) -> Refused:
        return Refused(
            f"compile: {self.title} writes to an argument{line}; a compiled function leaves its arguments as they are: "
            "write to a copy, x = x.copy()"
        )

    def refuse_changed(self) -> None:
        """Raise where what stands for the arguments was written to otherwise."""
        for t, array in zip(self._roots.values(), self.given, strict=True):
            if not same_bits(values_of(t), array):
                raise self.refused("")

    def _moved(self, t: Tensor, value: Value, operands: tuple[Any, ...]) -> None:
        """t was written to: it has another value from here on. operands: of its node, the values before the write."""
        bound = self._bound.get(id(t))
        if bound is not None:
            bound.written = True
        t.traced = value.number
        if t.node is not None and t.node.seq not in self._nodes:
            self._nodes[t.node.seq] = operands, (value,)

    # The end

    def program(self, outputs: list[Any], leaves: list[Any]) -> Program | None:
        """The program that makes these Tensors, or None where the trace was given up.

        leaves: of the result, among which the outputs are; nothing of the caller's holds them but these two lists.
        """
        holders = Counter(map(id, chain(outputs, leaves)))
        values = []
        for t in outputs:
            values.append(t.value if type(t) is Symbol else self.place_of(t))
            if isinstance(t, Tensor) and self._leads_out(t):
                self.connected = True
                self.give_up("a result has a graph that leads to other leaves, by which it may be differentiated later")
            t = None
        self._publish()
        self._check_made()
        live: list[tuple[Value, Any]] = []
        for bound in list(self._bound.values()):
            self._settle(bound, live, holders[id(bound.object)])
        if self.reason:
            return None
        values += [effect.value for effect in self.effects if effect.value is not None]
        return Program(
            tuple(self._inputs), tuple(live), tuple(self._constants), tuple(self.steps), tuple(values),
            tuple(self.effects), tuple(self._ungraded.values()), {"layouts": self._layouts},
        )  # fmt: skip

    def _leads_out(self, t: Tensor) -> bool:
        """Whether t has a graph that leads to a leaf that is no argument of the call."""
        if t.node is None:
            return False
        pending, seen = [t.node], {t.node.seq}
        while pending:
            node = pending.pop()
            if node.row is None:
                if not node.closed:
                    return True
                continue
            for other in node.inputs:
                if other is not None and other.seq not in seen:
                    seen.add(other.seq)
                    pending.append(other)
        return False

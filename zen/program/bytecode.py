"""A walk over the byte code of one function, of CPython 3.11 to 3.13, with sets of known objects in place of values.

Local variables and places of the stack are slots (`slots.py`). Every instruction is walked once, both ways of a branch;
a variable holds whatever is ever stored to it. What is done with known objects is told to a `Walker` (`walking.py`).
What has no method here is taken to do anything with what it meets, so that an instruction of a later Python loses
precision, not truth.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from .slots import FRESH, GIVEN, NULL, SLICE, UNKNOWN, WIDEST, Frame, Listener, Slot, is_only, union

_CALLABLE_FIRST = sys.version_info >= (3, 13)  # on the stack: the callable, then NULL; before, NULL came first
_HAS_JUMP = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_ENDS = frozenset({
    "RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT", "INTERPRETER_EXIT",
})  # fmt: skip
_NOTHING = frozenset({
    "NOP", "RESUME", "CACHE", "PRECALL", "EXTENDED_ARG", "COPY_FREE_VARS", "MAKE_CELL", "JUMP_FORWARD", "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT", "SETUP_ANNOTATIONS", "DELETE_FAST", "DELETE_NAME", "TO_BOOL", "GET_YIELD_FROM_ITER",
})  # fmt: skip
_POPS = {
    "POP_TOP": 1, "END_FOR": 1 if _CALLABLE_FIRST else 2, "POP_EXCEPT": 1, "STORE_NAME": 1, "IMPORT_STAR": 1,
}  # fmt: skip
_MAKES = {  # how many operands; what is made belongs to the function
    "UNARY_POSITIVE": 1, "UNARY_NEGATIVE": 1, "UNARY_NOT": 1, "UNARY_INVERT": 1, "COMPARE_OP": 2, "CONTAINS_OP": 2,
    "BUILD_STRING": None, "FORMAT_SIMPLE": 1, "FORMAT_WITH_SPEC": 2, "CONVERT_VALUE": 1,
}  # fmt: skip
_HOLDS = frozenset({"BUILD_TUPLE", "BUILD_LIST", "BUILD_SET", "BUILD_MAP", "BUILD_CONST_KEY_MAP"})
_ADDS = frozenset({"LIST_APPEND", "SET_ADD", "LIST_EXTEND", "SET_UPDATE", "DICT_MERGE", "DICT_UPDATE"})


def _merged(a: list[Slot], b: list[Slot]) -> list[Slot]:
    """Two stacks that meet, which end at the same height."""
    n = max(len(a), len(b))
    a, b = [UNKNOWN] * (n - len(a)) + a, [UNKNOWN] * (n - len(b)) + b
    return [union(x, y) for x, y in zip(a, b, strict=True)]


def _handlers(code: CodeType) -> Iterator[int]:
    """Where the handlers of exceptions start, from `co_exceptiontable` (CPython, Objects/exception_handling_notes)."""
    rest = iter(code.co_exceptiontable)

    def number(byte: int) -> int:
        value = byte & 63
        while byte & 64:
            byte = next(rest)
            value = value << 6 | byte & 63
        return value

    for byte in rest:
        number(byte)
        number(next(rest))
        yield 2 * number(next(rest))
        number(next(rest))


class Walk:
    """One walk over a frame's code."""

    def __init__(self, walker: Listener, frame: Frame) -> None:
        self.walker, self.frame = walker, frame
        self.stack: list[Slot] = []
        self.names: tuple[str, ...] = ()  # of the next call's keywords

    def run(self) -> None:
        frame = self.frame
        if frame.instructions is None:
            frame.instructions = list(dis.get_instructions(frame.code))
        entries: dict[int, list[Slot]] = {start: [] for start in _handlers(frame.code)}
        alive = True
        for i in frame.instructions:
            if i.offset in entries:
                self.stack = _merged(entries[i.offset], self.stack) if alive else list(entries[i.offset])
            elif not alive:
                self.stack = []
            if i.positions is not None and i.positions.lineno is not None:
                self.walker.at(f"line {i.positions.lineno} of {frame.code.co_qualname}")
            self.step(i)
            if i.opcode in _HAS_JUMP:
                there = self.at_target(i)
                entries[i.argval] = _merged(entries[i.argval], there) if i.argval in entries else there
                if i.opname in ("JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP"):
                    self.pop()
            alive = i.opname not in _ENDS

    def at_target(self, i: dis.Instruction) -> list[Slot]:
        if i.opname == "FOR_ITER":  # at the target the iterator is gone, or END_FOR removes it
            return self.stack[:-2] if sys.version_info < (3, 12) else list(self.stack)
        return list(self.stack)

    # The stack

    def pop(self) -> Slot:
        return self.stack.pop() if self.stack else UNKNOWN

    def popped(self, n: int) -> list[Slot]:
        return [self.pop() for _ in range(n)][::-1]

    def push(self, slot: Slot) -> None:
        if len(slot) > WIDEST:
            self.walker.escape(slot)
            slot = UNKNOWN
        self.stack.append(slot)

    def step(self, i: dis.Instruction) -> None:
        name = i.opname
        own = getattr(self, name, None)
        if own is not None:
            own(i)
        elif name in _NOTHING:
            pass
        elif name in _POPS:
            self.walker.escape(*self.popped(_POPS[name])) if name == "STORE_NAME" else self.popped(_POPS[name])
            if name == "STORE_NAME":
                self.frame.variables.setdefault(i.argval, UNKNOWN)
        elif name in _MAKES:
            count = _MAKES[name]
            self.walker.use(*self.popped((i.arg or 0) if count is None else count))
            self.push((FRESH,))
        elif name in _HOLDS:
            size = (i.arg or 0) * (2 if name == "BUILD_MAP" else 1) + (name == "BUILD_CONST_KEY_MAP")
            self.walker.escape(*self.popped(size))
            self.push((FRESH,))
        elif name in _ADDS:
            self.walker.escape(self.pop())
        elif name.startswith("POP_JUMP_"):
            condition = self.pop()
            if "NONE" not in name:
                self.walker.use(condition)
        else:
            self.anything(i)

    def anything(self, i: dis.Instruction) -> None:
        """An instruction of which only the height of the stack is known: whatever it meets may be anywhere after it."""
        effect = dis.stack_effect(i.opcode, i.arg if i.opcode >= dis.HAVE_ARGUMENT else None, jump=False)
        if effect > 0:
            self.walker.escape(*self.stack[-3:])
            self.stack += [UNKNOWN] * effect
        else:
            self.walker.escape(*self.popped(1 - effect))
            self.push(UNKNOWN)

    # Variables

    def variable(self, name: str) -> Slot:
        owner = self.frame.owner(name)
        if owner is None:
            cell = self.frame.cell(name)
            return UNKNOWN if cell is None else self.walker.cell(cell, name)
        return owner.variables.get(name, UNKNOWN)

    def assign(self, name: str, slot: Slot) -> None:
        owner = self.frame.owner(name)
        if owner is None:
            self.walker.escape(slot)
            self.walker.stored(f"the closed-over {name!r} is assigned")
        else:
            self.walker.bind(owner, name, slot)

    def LOAD_FAST(self, i: Any) -> None:
        self.push(self.variable(i.argval))

    LOAD_FAST_CHECK = LOAD_FAST_AND_CLEAR = LOAD_DEREF = LOAD_CLOSURE = LOAD_FAST

    def LOAD_FAST_LOAD_FAST(self, i: Any) -> None:
        for name in i.argval:
            self.push(self.variable(name))

    def STORE_FAST(self, i: Any) -> None:
        self.assign(i.argval, self.pop())

    STORE_DEREF = STORE_FAST

    def STORE_FAST_STORE_FAST(self, i: Any) -> None:
        for name in i.argval:
            self.assign(name, self.pop())

    def STORE_FAST_LOAD_FAST(self, i: Any) -> None:
        stored, loaded = i.argval
        self.assign(stored, self.pop())
        self.push(self.variable(loaded))

    def DELETE_DEREF(self, i: Any) -> None:
        self.assign(i.argval, UNKNOWN)

    def LOAD_CLASSDEREF(self, i: Any) -> None:
        self.push(self.variable(i.argval))

    def LOAD_FROM_DICT_OR_DEREF(self, i: Any) -> None:
        self.pop()
        self.push(self.variable(i.argval))

    def LOAD_LOCALS(self, i: Any) -> None:
        self.push((FRESH,))

    def LOAD_GLOBAL(self, i: Any) -> None:
        slot = self.walker.global_(self.frame.namespace, i.argval)
        null = bool(i.arg & 1)
        for part in [slot, (NULL,)] if _CALLABLE_FIRST else [(NULL,), slot]:
            if part is slot or null:
                self.push(part)

    def LOAD_NAME(self, i: Any) -> None:
        if i.argval not in self.frame.variables:
            self.push(self.walker.global_(self.frame.namespace, i.argval))
        else:  # of a class body, which may read the global before it makes a name of its own
            self.push(self.frame.variables[i.argval])

    def LOAD_FROM_DICT_OR_GLOBALS(self, i: Any) -> None:
        self.pop()
        self.LOAD_NAME(i)

    def STORE_GLOBAL(self, i: Any) -> None:
        self.walker.escape(self.pop())
        self.walker.stored(f"global {i.argval!r} is assigned")

    def DELETE_GLOBAL(self, i: Any) -> None:
        self.walker.stored(f"global {i.argval!r} is deleted")

    def LOAD_CONST(self, i: Any) -> None:
        self.push((i.argval,) if type(i.argval) in (str, int, CodeType, tuple) else (FRESH,))

    def PUSH_NULL(self, i: Any) -> None:
        self.push((NULL,))

    def COPY(self, i: Any) -> None:
        self.push(self.stack[-i.arg] if len(self.stack) >= i.arg else UNKNOWN)

    def SWAP(self, i: Any) -> None:
        self.stack[:0] = [UNKNOWN] * (i.arg - len(self.stack))
        self.stack[-1], self.stack[-i.arg] = self.stack[-i.arg], self.stack[-1]

    # Attributes and elements

    def LOAD_ATTR(self, i: Any) -> None:
        found = self.walker.attribute(self.pop(), i.argval)
        if sys.version_info >= (3, 12) and i.arg & 1:
            self._push_callable(found)
        else:
            self.push(found)

    def _push_callable(self, found: Slot) -> None:
        for part in [found, (NULL,)] if _CALLABLE_FIRST else [(NULL,), found]:
            self.push(part)

    def LOAD_METHOD(self, i: Any) -> None:
        self._push_callable(self.walker.attribute(self.pop(), i.argval))

    def LOAD_SUPER_ATTR(self, i: Any) -> None:
        _, cls, instance = self.popped(3)
        found = self.walker.attribute(self.walker.super_of(cls, instance), i.argval)
        if i.arg & 1:
            self._push_callable(found)
        else:
            self.push(found)

    def STORE_ATTR(self, i: Any) -> None:
        value, owner = self.popped(2)
        self.walker.escape(value)
        self.walker.attribute_stored(owner, i.argval)

    def DELETE_ATTR(self, i: Any) -> None:
        self.walker.attribute_stored(self.pop(), i.argval)

    def BINARY_SUBSCR(self, i: Any) -> None:
        owner, key = self.popped(2)
        self.push(self.walker.element(owner, key))

    def BUILD_SLICE(self, i: Any) -> None:
        self.walker.use(*self.popped(i.arg))
        self.push((SLICE,))

    def BINARY_SLICE(self, i: Any) -> None:
        owner, start, stop = self.popped(3)
        self.walker.use(start, stop)
        self.push(self.walker.element(owner, (SLICE,)))

    def STORE_SUBSCR(self, i: Any) -> None:
        value, owner, key = self.popped(3)
        self.walker.escape(value, key)
        self.walker.written(owner, "an element of {} is assigned")

    def STORE_SLICE(self, i: Any) -> None:
        value, owner, *_ = self.popped(4)
        self.walker.escape(value)
        self.walker.written(owner, "a part of {} is assigned")

    def DELETE_SUBSCR(self, i: Any) -> None:
        owner, _ = self.popped(2)
        self.walker.written(owner, "an element of {} is deleted")

    def MAP_ADD(self, i: Any) -> None:
        self.walker.escape(*self.popped(2))

    def BINARY_OP(self, i: Any) -> None:
        left, right = self.popped(2)
        self.walker.use(left, right)
        if "=" in i.argrepr:
            self.walker.written(left, "{} is changed by " + i.argrepr)
            self.push(union(left, (FRESH,)) if left else UNKNOWN)
        else:
            self.push(self.walker.made_of(left, right))

    def IS_OP(self, i: Any) -> None:
        self.popped(2)
        self.push((FRESH,))

    def GET_ITER(self, i: Any) -> None:
        self.push(self.walker.iterator(self.pop()))

    def FOR_ITER(self, i: Any) -> None:
        self.push(self.walker.elements(self.stack[-1] if self.stack else UNKNOWN))

    def UNPACK_SEQUENCE(self, i: Any) -> None:
        owner = self.pop()
        for k in reversed(range(i.arg)):
            self.push(self.walker.element(owner, (k,)))

    # Calls

    def KW_NAMES(self, i: Any) -> None:
        self.names = self.frame.code.co_consts[i.arg]

    def CALL(self, i: Any) -> None:
        names, self.names = self.names, ()
        args = self.popped(i.arg)
        first, second = self.popped(2)
        if _CALLABLE_FIRST or not is_only(first, NULL):
            called, args = first, args if is_only(second, NULL) else [second, *args]
        else:
            called = second
        self.push(self.walker.call(self.frame, called, args, names))

    def CALL_KW(self, i: Any) -> None:
        names = self.pop()
        self.names = names[0] if names else ()
        self.CALL(i)

    def CALL_FUNCTION_EX(self, i: Any) -> None:
        spread = self.popped(1 + (i.arg & 1))
        first, second = self.popped(2)
        self.walker.escape(*spread)
        self.push(self.walker.call(self.frame, first if is_only(second, NULL) else second, None, ()))

    def CALL_INTRINSIC_1(self, i: Any) -> None:
        self.walker.escape(self.pop())
        self.push(UNKNOWN)

    def BEFORE_WITH(self, i: Any) -> None:
        manager = self.pop()
        self.walker.escape(manager)
        self.push((FRESH,))  # __exit__
        self.push(self.walker.call(self.frame, self.walker.attribute(manager, "__enter__"), [], ()))
        self.walker.attribute(manager, "__exit__")

    def MAKE_FUNCTION(self, i: Any) -> None:
        (code,) = self.pop() or (None,)
        if not _CALLABLE_FIRST:
            self.walker.escape(*self.popped((i.arg & 15).bit_count()))
        self.push((self.walker.nested(self.frame, code),) if isinstance(code, CodeType) else UNKNOWN)

    def SET_FUNCTION_ATTRIBUTE(self, i: Any) -> None:
        made, value = self.pop(), self.pop()
        self.walker.escape(value)
        self.push(made)

    def LOAD_BUILD_CLASS(self, i: Any) -> None:
        self.push((FRESH,))

    def LOAD_ASSERTION_ERROR(self, i: Any) -> None:
        self.push((FRESH,))

    def RETURN_VALUE(self, i: Any) -> None:
        self.walker.returned(self.frame, self.pop())

    def YIELD_VALUE(self, i: Any) -> None:
        self.walker.escape(self.pop())
        self.push((GIVEN,))

    def RETURN_CONST(self, i: Any) -> None:
        self.walker.returned(self.frame, (FRESH,))

    def IMPORT_NAME(self, i: Any) -> None:
        self.popped(2)
        self.push(self.walker.imported(i.argval))

    def IMPORT_FROM(self, i: Any) -> None:
        self.push(self.walker.attribute(self.stack[-1] if self.stack else UNKNOWN, i.argval))

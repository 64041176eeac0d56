"""Functions made at random, as source: what `zen.compile` has to replay in every combination.

`Maker(seed).made()` gives the source of a module with `f(x, y, s)`, of two arrays and a float, and of the state that it
reads and writes: `W`, `B` Tensors, `A` an array, `K` a float, `L` a list. Each line is tried as it is added, with
Tensors, so that functions do not raise.
"""

import textwrap

import numpy as np

import zen

STATE = """
import numpy as np, zen
W, B = zen.tensor(np.linspace(-1.0, 1.0, 3)), zen.tensor(np.full(3, 0.5))
A, K, L = np.linspace(0.5, 2.0, 3), 1.25, [0.75, 2]

def scaled(t, by=0.5):
    return t * by + K
"""
UNARY = (
    "np.sin({a})", "np.exp(-np.abs({a}))", "np.tanh({a})", "np.sqrt(np.abs({a}) + 0.1)", "-{a}", "abs({a})", "+{a}",
    "np.floor({a})", "np.sign({a})", "{a} ** 2", "{a} ** 3.0", "{a} * {c}", "{c} - {a}", "{a} / {c}",
    "{c} * {a} + {c}", "np.log1p({a} * {a})", "np.clip({a}, -0.5, 0.5)", "np.maximum({a}, {c})", "{a} * s", "s - {a}",
    "{a} + K * s", "{a} * 1", "{a} + 0.0", "zen.f.relu({a})", "zen.f.softmax({a}, -1)", "scaled({a})",
    "scaled({a}, s)", "{a} * L[0]", "{a} * L[1]", "{a}.astype(np.float32)", "{a}.astype(np.float64)",
    "({a} > {c}) * {b}", "np.where({a} > {c}, {a}, {b})", "{a} ** K", "np.round({a}, 1)", "{a} % 0.7",
    "np.square({a})", "np.float32(2) * {a}", "{a} * np.float64(0.5)", "{a} * True",
)  # fmt: skip
BINARY = (
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / ({b} * {b} + 1.0)", "np.maximum({a}, {b})", "np.hypot({a}, {b})",
    "{a} @ {b}", "np.arctan2({a}, {b})", "np.minimum({a}, 2 * {b})", "({a} < {b}) * 1.5", "np.outer({a}, {b})",
    "np.concatenate([{a}, {b}])", "np.stack([{a}, {b}], -1)", "np.einsum('...i,...i->...', {a}, {b})",
    "np.dot({a}, {b})", "zen.f.logaddexp({a}, {b})",
)  # fmt: skip
WITH_STATE = (
    "{a} * W", "{a} + A", "A * {a} - W", "{a} @ W", "{a} * B + W", "K * W + {a}", "np.where(A > 1, {a}, W)",
    "{a} * A[0]", "{a} - W[1]", "{a} * B.sum()", "W", "A * s", "{a}[..., :1] * W",
)  # fmt: skip
REDUCING = (
    "{a}.sum()", "{a}.sum(0)", "{a}.mean(-1, keepdims=True)", "{a}.max()", "{a}.max(0)", "np.prod({a}, -1)",
    "np.var({a})", "np.std({a} + 0.1, axis=-1)", "np.cumsum({a}, -1)", "np.sort({a}, -1)",
    "{a}[np.argsort({a}[:, 0])]", "np.linalg.norm({a} + 0.1)", "{a}[np.argmax({a}, 0)]", "np.argmax({a}) * 0.5 + {b}",
    "zen.f.logsumexp({a}, -1)", "np.median({a})", "({a} > 0).sum() * {b}", "np.min({a}, 0)", "np.argsort({a}, -1)",
    "np.any({a} > 1)", "np.diff({a})", "np.trace({a} * np.ones((2, 2)))",
)  # fmt: skip
SHAPING = (
    "{a}.T", "{a}.reshape(-1)", "{a}[::-1]", "{a}[1:]", "{a}[..., None]", "{a}[0]", "{a}[-1]", "{a}[:, 1]",
    "{a}[[0, 0, 1]]", "np.expand_dims({a}, 0)", "np.squeeze({a})", "np.broadcast_to({a}, (2, 3))", "np.roll({a}, 1)",
    "np.flip({a})", "{a}.copy()", "np.repeat({a}, 2)", "np.tile({a}, 2)", "{a}[np.array([0, 1])]", "{a}[{a} > 0]",
    "np.take({a}, [0, 1])", "np.tril({a})", "np.pad({a}, 1)", "{a}[..., ::2]", "np.swapaxes({a}, 0, -1)",
    "{a}.reshape({a}.shape + (1,))", "{a} * len({b})", "np.ravel({a})", "np.atleast_2d({a})", "{a}[{a}.sum() > 0]",
    "np.zeros_like({a})", "{a} * {b}.shape[-1]", "W.detach() * {a}",
)  # fmt: skip
BLOCKS = (
    "if float({a}.sum()) > {c}:\n    {t} = {a} * 2.0\nelse:\n    {t} = {a} - 1.0",
    "if {a}.mean() > {b}.mean():\n    {t} = {b} + 1\nelse:\n    {t} = {a}",
    "if s > {c}:\n    {t} = {a} * s\nelse:\n    {t} = {a}",
    "{t} = {a}\nfor k in range({n}):\n    {t} = {t} * 0.5 + k",
    "{t} = {a}\nwhile float(({t} * {t}).sum()) > 1.5:\n    {t} = {t} * 0.5",
    "{t} = {a} * 1.0\n{t}[0] = {c}",
    "{t} = {a}.copy()\n{t}[1:] += {b}[0]",
    "{t} = {a} + 0.0\n{t} *= {b}",
    "{t} = {a} * 2\n{t}[{t} > 1] = 0.25",
    "{t} = np.zeros_like({a})\n{t}[...] = {b}\n{t} -= {a}",
    "{t} = zen.zeros({a}.shape)\n{t} += {a}\n{t}[..., 0] = s",
    "{t} = zen.ones(3)\n{t}[1:] = {a}[0]",
    "{t} = {a} * 3\nbefore = {t} * 1.0\n{t} += before",
    "def inner(z):\n    return z * {a} + s\n{t} = inner({b})",
    "{t} = [v * 2 for v in {a}][0]",
    "{t} = sum([{a}, {b}, 1.0])",
    "with zen.no_grad():\n    {t} = {a} * {b}",
    "q = float({a}.max())\n{t} = {b} * q",
    "{t} = {a} * int(({a} > 0).sum())",
    "{t} = zen.grad(lambda z: (z * z * {b}).sum())({a})",
)  # fmt: skip
WRITES = ("B *= 0.5", "B[0] = np.mean({a})", "B += 0.125", "B[...] = B * 0.5 + {c}", "B[1:] = s")


class Maker:
    """writes: whether the function may write to `B`. lines: the least number of lines, and the first beyond."""

    def __init__(self, seed, writes=True, lines=(2, 9)):
        self.rng = np.random.default_rng(seed)
        self.writes, self.lines = writes, lines

    def inputs(self, other=False):
        """(x, y, s) as the function takes them. other: x has another length."""
        shape = (self.shape[0] + 1, *self.shape[1:]) if other else self.shape
        x = self.rng.normal(size=shape).astype(self.dtype)
        return x, self.rng.normal(size=3).astype(self.dtype), float(self.rng.choice([-1.5, 0.0, 0.5, 1.0, 2.0]))

    def made(self):
        rng = self.rng
        self.shape = [(3,), (2, 3), (3, 3), (2, 2, 3)][rng.integers(4)]
        self.dtype = [np.float64, np.float64, np.float32][rng.integers(3)]
        x, y, s = self.inputs()
        names, body, scope = ["x", "y"], [], {}
        exec(STATE, scope)
        scope |= {"x": zen.tensor(x), "y": zen.tensor(y), "s": s}
        wanted = int(rng.integers(*self.lines))
        for _ in range(20 * wanted):
            if len(body) == wanted:
                break
            line, target = self._line(names, len(body))
            if self._works(line, target, scope):
                body.append(line)
                names += [target] if target else []
        found = sorted(set(rng.choice(names, size=min(3, len(names))).tolist()) | {names[-1]})
        text = "\n".join([*body, f"return {', '.join(found)},"])
        return f"{STATE}\ndef f(x, y, s):\n{textwrap.indent(text, '    ')}\n"

    def _line(self, names, k):
        rng = self.rng
        fill = {"a": names[-1] if rng.random() < 0.5 else rng.choice(names), "b": rng.choice(names), "t": f"t{k}",
                "c": rng.choice(["0.5", "-0.25", "2", "1.0", "3"]), "n": rng.integers(4)}  # fmt: skip
        if self.writes and rng.random() < 0.06:
            return str(rng.choice(WRITES)).format(**fill), ""
        if rng.random() < 0.25:
            return str(rng.choice(BLOCKS)).format(**fill), f"t{k}"
        kinds = (UNARY, BINARY, WITH_STATE, REDUCING, SHAPING)
        return f"t{k} = " + str(rng.choice(kinds[rng.choice(5, p=[0.3, 0.25, 0.15, 0.15, 0.15])])).format(
            **fill
        ), f"t{k}"

    def _works(self, line, target, scope):
        own = dict(scope)
        try:
            with np.errstate(all="ignore"):
                exec(line, own)
        except Exception:
            return False
        if not target:
            return True
        value = own[target]
        if isinstance(value, zen.Tensor) and (value.size > 200 or not value.size):
            return False
        scope[target] = value
        return isinstance(value, (zen.Tensor, np.ndarray))

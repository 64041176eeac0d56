"""What `import zen` loads: NumPy first, the engine and tables of names. Everything else loads with its first use."""

import json
import subprocess
import sys

import pytest

import zen
from zen.backend import NAME

ENGINE = "_core" if NAME == "compiled" else "_reference"
FRONT = {
    "attached", "backend", "dtypes", "exports", "f", "ops", "ops.examples", "ops.late", "ops.late_names",
    "ops.register",
}  # fmt: skip
ALONE = {"cython_runtime", "_cython_"}
"""Modules that Cython makes."""


def output(program):
    """What a new process prints, from JSON."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def modules(program):
    """The modules that a new process loads behind NumPy's."""
    return output(f"import numpy, sys, json; known = {{*sys.modules}}\n{program}\n"
                  "print(json.dumps([name for name in sys.modules if name not in known]))")  # fmt: skip


def test_importing_zen_loads_the_engine_and_names_alone():
    own = {name for name in modules("import zen") if name.startswith("zen.")}
    assert {name for name in own if name.split(".")[1] != ENGINE} == {f"zen.{name}" for name in FRONT}


def test_importing_zen_loads_no_kernels_of_layers():
    kernels = {"attention", "conv", "norm", "optim", "pool", "recurrent", "places", "along"}
    loaded = {name.rpartition(".")[2].lstrip("_") for name in modules("import zen")}
    assert kernels.isdisjoint(loaded)


def test_importing_zen_loads_little_of_the_standard_library():
    others = {name for name in modules("import zen") if name.partition(".")[0] != "zen"}
    others = {name for name in others if not name.startswith(tuple(ALONE))}
    # What threads wait with, a heap and copies: the reference engine's.
    assert others <= {"__future__", *(["threading", "heapq", "_heapq", "copy"] if NAME == "reference" else [])}


def test_numpy_comes_first():
    names = output("import zen, sys, json; print(json.dumps([*sys.modules]))")
    assert names.index("numpy") < min([k for k, name in enumerate(names) if name.startswith("zen.")])


@pytest.mark.parametrize(
    ("use", "module"),
    [
        ("zen.tensor(1.0)", "zen.ops.data"),
        ("zen.zeros(2)", "zen.creation"),
        ("zen.no_grad", "zen.modes"),
        ("zen.transforms.jvp", "zen.transforms"),
        ("zen.trees", "zen.trees"),
        ("zen.ops.data.array", "zen.ops.data"),
        ("zen.ops.operands", "zen.ops.operands"),
        ("zen.attached.inplace.setitem", "zen.attached.inplace"),
        ("from zen import grad", "zen.transforms"),
        ("from zen import *; value_and_grad", "zen.transforms"),
        ("zen.random.seed(0)", "zen.random"),
        ("zen.linalg.inv", "zen.ops.linalg"),
        ("import zen.linalg; zen.linalg.SlogdetResult", "zen.ops.linalg"),
        ("zen.Tensor([1.0]) + 1", "zen.ops.pointwise"),
        ("-zen.Tensor([1.0])", "zen.ops.pointwise"),
        ("abs(zen.Tensor([1.0]))", "zen.ops.pointwise"),
        ("2.0 ** zen.Tensor([1.0])", "zen.ops.pointwise"),
        ("zen.Tensor([1.0]) < 2", "zen.ops.logic"),
        ("zen.Tensor([1.0]) @ zen.Tensor([1.0])", "zen.ops.products"),
        ("zen.Tensor([1.0])[0]", "zen.ops.indexing"),
        ("zen.Tensor([1.0], trainable=False)[0] = 2.0", "zen.ops.indexing"),
        ("t = zen.Tensor([1.0], trainable=False)\nt[:][0] = 2.0", "zen.attached.inplace"),
        ("t = zen.Tensor([1.0], trainable=False)\nt += 1", "zen.ops.pointwise"),
        ("zen.Tensor([1.0]).sum()", "zen.ops.reduction"),
        ("zen.Tensor([1.0]).T", "zen.attached.members"),
        ("zen.Tensor([1.0]).gradient = None", "zen.attached.members"),
        ("repr(zen.Tensor([1.0]))", "zen.attached.members"),
        ("numpy.asarray(zen.Tensor([1.0], trainable=False))", "zen.attached.members"),
        ("import copy; copy.copy(zen.Tensor([1.0]))", "zen.attached.members"),
        ("numpy.exp(zen.Tensor([1.0]))", "zen.attached.protocols"),
        ("numpy.exp(zen.Tensor([1.0]))", "zen.ops.pointwise"),
        ("numpy.ones(1) + zen.Tensor([1.0])", "zen.ops.pointwise"),
        ("numpy.concatenate([zen.Tensor([1.0])])", "zen.ops.joining"),
        ("zen.Tensor([1.0]).sum().backward()", "zen.ops.reduction"),
        ("hasattr(zen.Tensor([1.0]), 'cuda')", "zen.habits"),
    ],
)
def test_a_first_use_loads_what_it_needs(use, module):
    assert module in modules(f"import zen\n{use}")


@pytest.mark.parametrize(
    "use",
    [
        "t + 1.0", "1.0 + t", "t - u", "t * u", "u / t", "t // u", "t % u", "t ** 2", "t @ u", "-t", "+t", "abs(t)",
        "t < u", "t <= u", "t > 2.0", "t >= 2.0", "t == u", "t != 1.0", "t[0]", "t[1:]", "i & 1", "i | 4", "i ^ i",
        "~i", "i << 1", "i >> 1", "added(t)", "written(t)", "t.sum()", "numpy.sqrt(t)", "numpy.stack([t, u])",
        "numpy.ones(2) * t",
    ],
)  # fmt: skip
def test_the_first_operator_of_a_process_is_right(use):
    """Each by itself in a new process, beside NumPy's."""
    program = """
import json
def added(t):
    t += 1
    return t
def written(t):
    t[0] = 7.0
    return t
values = [numpy.array([1.0, 2.0]), numpy.array([3.0, 5.0]), numpy.array([6, 3])]
t, u, i = [zen.Tensor(x.copy(), trainable=False) for x in values]
found = numpy.asarray({use}).tolist()
t, u, i = values
expected = numpy.asarray({use}).tolist()
print(json.dumps([found, expected]))
"""
    found, expected = output("import numpy, zen" + program.replace("{use}", use))
    assert found == expected


def test_a_method_of_a_subclass_calls_the_one_that_is_not_loaded():
    program = """
import zen, json
class Own(zen.Tensor):
    def softmax(self, axis): return super().softmax(axis)
    def clone(self): return super().clone()
    @property
    def T(self): return super().T
    def __format__(self, spec): return "own " + super().__format__(spec)
t = Own([1.0, 1.0])
print(json.dumps([t.softmax(0).tolist(), t.clone().tolist(), t.T.tolist(), f"{Own(2.0):.1f}"]))
"""
    assert output(program) == [[0.5, 0.5], [1.0, 1.0], [1.0, 1.0], "own 2.0"]


def test_a_property_is_set_before_it_was_read():
    program = """
import zen, json
t = zen.Tensor([1.0, 2.0])
t.value = [3.0, 4.0]
u = zen.Tensor([1.0])
u.trainable = False
try: del zen.Tensor([1.0]).dependencies
except AttributeError as error: deleted = "deleter" in str(error)
print(json.dumps([t.tolist(), u.requires_grad, deleted, isinstance(zen.Tensor.gradient, property)]))
"""
    assert output(program) == [[3.0, 4.0], False, True, True]


def test_an_interrupted_family_loads_again():
    program = """
import zen, json
from zen.ops import register
define, left = register.define, ["tanh"]
def interrupted(row):
    if row.name in left:
        left.clear()
        raise KeyboardInterrupt
    return define(row)
register.define = interrupted
t = zen.Tensor([0.0])
try: t + 1
except KeyboardInterrupt: pass
print(json.dumps([(t + 1).tolist(), t.tanh().tolist(), zen.exp(t).tolist(), left]))
"""
    assert output(program) == [[1.0], [0.0], [1.0], []]


def test_threads_that_use_everything_first_get_what_is_complete():
    """Each thread begins with an operation of another family than its neighbour."""
    program = """
import json, numpy, sys, threading, zen
sys.setswitchinterval(1e-6)
x = [1.0, 4.0]
uses = [
    lambda: (zen.Tensor(x) + 1).sum(), lambda: zen.tensor(x)[0] * 7, lambda: numpy.sqrt(zen.Tensor(x)).sum() + 4,
    lambda: (zen.Tensor(x) @ zen.Tensor(x)) - 10, lambda: zen.concat([zen.ones(3), zen.ones(4)]).sum(),
    lambda: zen.Tensor(x).max() + 3, lambda: zen.f.softmax(zen.Tensor(x), 0).sum() * 7,
    lambda: zen.linalg.det(zen.eye(2)) * 7, lambda: zen.grad(lambda v: (v * v).sum())(zen.Tensor(x)).sum() - 3,
    lambda: numpy.concatenate([zen.Tensor(x), zen.Tensor(x)]).sum() - 3, lambda: (zen.Tensor(x) < 2).sum() + 6,
    lambda: zen.Tensor(x).clone().T.reshape(2, 1).sum() + 2, lambda: zen.f.cumsum(zen.Tensor(x))[1] + 2,
]
found, start = [], threading.Barrier(2 * len(uses))
def work(use):
    start.wait()
    try: found.append(float(use()))
    except BaseException as error: found.append(repr(error))
threads = [threading.Thread(target=work, args=(use,)) for use in uses + uses[::-1]]
for t in threads: t.start()
for t in threads: t.join()
print(json.dumps([len(found), sorted({str(round(v, 9)) if isinstance(v, float) else v for v in found})]))
"""
    for _ in range(3):
        assert output(program) == [26, ["7.0"]]


def test_a_thread_waits_for_the_family_that_another_loads():
    """It finds no name of it before all of it is there."""
    program = """
import json, threading, zen
from zen.ops import register
define, reached, asked, done, found = register.define, threading.Event(), threading.Event(), [], []
def slow(row):
    made = define(row)
    if row.name == "tanh":
        reached.set()
        asked.wait()
        for _ in range(100): threading.Event().wait(0.001)  # the other thread runs meanwhile
    return made
register.define = slow
def load():
    import zen.ops.pointwise
    done.append(True)
def ask():
    reached.wait()
    asked.set()
    for table in (register.FUNCTIONS, register.ROWS, register.METHODS, register.ANSWERS):
        table["add"]
        found.append(hasattr(zen.ops.pointwise, "round"))
threads = [threading.Thread(target=load), threading.Thread(target=ask)]
for t in threads: t.start()
for t in threads: t.join()
print(json.dumps([found, done, "add" in register.FUNCTIONS, zen.f.add is register.FUNCTIONS["add"]]))
"""
    assert output(program) == [[True] * 4, [True], True, True]


def test_every_name_at_top_level_is_listed_with_its_home():
    """The names that `zen/__init__.py` finds by their homes are those that it imports for type checkers."""
    program = """
import zen, json
print(json.dumps([n for n in zen.__all__ if getattr(zen, n) is not getattr(zen, n)]))
"""
    assert output(program) == []
    assert set(zen._FROM) <= set(zen.__all__)

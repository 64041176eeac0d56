"""Families that load with their first use: `import zen` loads none of them, and every name of theirs is there."""

import subprocess
import sys

import pytest

import zen
from zen.ops import late, late_names, register


def output(program):
    """What a new process prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


LOADED = "from zen.ops import late; print(*late.loaded())"


def test_importing_zen_loads_no_late_family():
    assert output(f"import zen, zen.f, zen.linalg; {LOADED}") == []


@pytest.mark.parametrize(
    ("use", "family"),
    [
        ("zen.f.conv2d", "convolution"),
        ("from zen.f import conv2d", "convolution"),
        ("from zen.f import *; conv2d", "convolution"),
        ("zen.ones((1, 1, 2, 2)).conv2d(zen.ones((1, 1, 2, 2)))", "convolution"),
        ("zen.Tensor.softmax", "nn"),
        ("zen.ops.register.tensors.scatter_rows", "layers"),
        ("zen.nn.Dropout()", "dropout"),
        ("zen.ops.pooling", "pooling"),
        ("zen.ops.register.ROWS['lstm']", "recurrent"),
        ("zen.ops.register.DECLARATIONS['lstm']", "recurrent"),
        ("import pickle; pickle.loads(b'czen.f\\nrms_norm\\n.')", "normalisation"),
    ],
)
def test_a_name_loads_its_family(use, family):
    assert family in output(f"import zen\n{use}\n{LOADED}")


def test_every_name_of_every_family_is_there():
    """In a process for all of them, which reads each by itself."""
    program = """
import zen
from zen.ops import late_names, register
for table, families in ((zen.f, late_names.FUNCTIONS), (zen.Tensor, late_names.METHODS)):
    for names in families.values():
        for name in names.split():
            function = getattr(table, name)
            assert function is getattr(table, name)
            assert function.__name__ == {"clamp": "clip", "pow": "power"}.get(name, name), name
for names in late_names.ROWS.values():
    for name in names.split():
        assert register.ROWS[name].name == register.DECLARATIONS[name].name == name
print(*sorted(register.FUNCTIONS))
"""
    assert output(program) == zen.f.__all__


def test_threads_that_use_a_family_first_get_one():
    program = """
import threading, zen
found, start = [], threading.Barrier(8)
def use():
    start.wait()
    found.append((zen.f.layer_norm, zen.Tensor.max_pool1d, zen.ops.register.ROWS["batch_norm"]))
threads = [threading.Thread(target=use) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(found), *{len(set(column)) for column in zip(*found)})
"""
    assert output(program) == ["8", "1"]


def test_a_missing_name_is_the_same_error_before_and_after():
    program = """
import zen
from zen.ops import late
def messages():
    for name in ("conv2", "squared_error", "layernorm"):
        try: getattr(zen.f, name)
        except AttributeError as error: yield str(error)
    try: zen.ones(1).conv9
    except AttributeError as error: yield str(error)
    for module, name in ((zen.ops, "nosuch"), (zen.linalg, "concatenate"), (zen, "EigResult")):
        try: getattr(module, name)
        except AttributeError as error: yield str(error)
before = [*messages()]
late.load_all()
print(before == [*messages()], len(before), "conv2d" in before[0])
print(before[5].endswith("write numpy.concatenate"), before[6].endswith("write zen.linalg.EigResult"))
"""
    assert output(program) == ["True", "7", "True", "True", "True"]


def test_a_name_that_no_family_has_is_a_key_error():
    for table in (register.ROWS, register.FUNCTIONS, register.METHODS, register.DECLARATIONS):
        with pytest.raises(KeyError, match="no_such_name"):
            table["no_such_name"]


def test_a_name_that_its_family_does_not_enter_is_a_key_error():
    table = late.Table({"losses": "stale"})
    with pytest.raises(KeyError, match="stale"):
        table["stale"]
    assert table.names() == ["stale"]


def test_every_late_family_is_listed():
    assert set(late_names.ROWS) | set(late_names.FUNCTIONS) | set(late_names.NUMPY) == set(late.FAMILIES)
    late.load_all()
    assert late.loaded() == list(late.FAMILIES)

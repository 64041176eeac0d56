"""Saving and loading: exact round trips, checks before any change, and files that are never half written."""

import json
import os
import pickle
import sys

import numpy as np
import pytest
import safetensors.numpy

import zen


class Net:
    """The least that a model needs: state_dict and load_state_dict."""

    def __init__(self, **arrays):
        self.values = {name: zen.tensor(a) for name, a in arrays.items()}

    def state_dict(self):
        return dict(self.values)

    def load_state_dict(self, state):
        for name, t in state.items():
            self.values[name].array[...] = t.numpy()


class Optimiser:
    """A state as torch's optimisers have it."""

    def __init__(self, parameters, lr=0.1):
        self.param_groups = [{"params": list(parameters), "lr": lr, "betas": (0.9, 0.999), "foreach": None}]
        self.state = {}
        self.refuses = False

    def fill(self, seed):
        generator = np.random.default_rng(seed)
        for i, p in enumerate(self.param_groups[0]["params"]):
            mean = zen.tensor(generator.normal(size=p.shape).astype(p.dtype))
            self.state[i] = {"step": 3 + i, "exp_avg": mean, "history": [np.arange(2.0), np.float32(0.1)]}

    def state_dict(self):
        groups = [{**group, "params": list(range(len(group["params"])))} for group in self.param_groups]
        return {"state": self.state, "param_groups": groups}

    def load_state_dict(self, state):
        if self.refuses:
            raise ValueError("no")
        self.state = state["state"]
        groups = zip(self.param_groups, state["param_groups"], strict=True)
        self.param_groups = [{**new, "params": old["params"]} for old, new in groups]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def net(fill):
    return Net(**{"w": np.full((2, 3), fill, np.float32), "b.0": np.full(3, fill, np.float64)})


# Round trips


def test_arrays_of_every_dtype_and_layout_come_back_and_are_plain_safetensors(path):
    base = np.arange(24).reshape(4, 6)
    arrays = {name: base.astype(name) for name in "bool i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()}
    arrays |= {
        "transposed": base.T * 0.5, "strided": base[::-2, 1::3], "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 3), np.float32), "swapped": base.astype(">i4"), "wide": np.array([2**64 - 1], np.uint64),
        "odd": np.array([np.nan, -0.0, np.inf, 5e-324]), "broadcast": np.broadcast_to(np.float32(3), (2, 2)),
    }  # fmt: skip
    zen.save(path, arrays)
    for found in (safetensors.numpy.load_file(path), zen.load(path)):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            got = np.asarray(found[name])
            assert got.shape == array.shape and got.dtype == array.dtype.newbyteorder("="), name
            assert got.tobytes() == array.astype(got.dtype, order="C").tobytes(), name
    zen.load(path)["f4"].array[...] = 1  # writable
    assert os.listdir(path.parent) == [path.name]
    os.umask(mask := os.umask(0))
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_nested_dicts_are_flattened_and_parameters_may_require_gradients(path):
    weight = zen.tensor([1.0, 2.0], requires_grad=True)
    zen.save(path, {"a": {"b": {"weight": weight}, "n": 3}, "c": [1.5, 2.5]})
    state = zen.load(path)
    assert {name: t.tolist() for name, t in state.items()} == {"a.b.weight": [1, 2], "a.n": 3, "c": [1.5, 2.5]}
    assert not state["a.b.weight"].requires_grad and state.optimizer is None and state.metadata == {}


def test_model_and_optimiser_come_back(path):
    model, other = net(1), net(2)
    optimiser, fresh = (Optimiser(m.values.values(), lr) for m, lr in ((model, 0.1), (other, 0.5)))
    optimiser.fill(0)
    zen.save(path, model, optimiser)
    state = zen.load(path, other, fresh)
    assert set(state) == {"w", "b.0"}
    for name, t in model.values.items():
        np.testing.assert_array_equal(other.values[name].numpy(), t.numpy())
    assert fresh.param_groups[0]["lr"] == 0.1 and fresh.param_groups[0]["betas"] == (0.9, 0.999)
    assert fresh.param_groups[0]["params"][0] is next(iter(other.values.values()))
    for i, saved in optimiser.state.items():
        got = fresh.state[i]
        assert got["step"] == saved["step"] and type(got["step"]) is int
        assert isinstance(got["exp_avg"], zen.Tensor) and got["exp_avg"].dtype == saved["exp_avg"].dtype
        np.testing.assert_array_equal(got["exp_avg"].numpy(), saved["exp_avg"].numpy())
        np.testing.assert_array_equal(got["history"][0], [0, 1])
        assert type(got["history"][1]) is np.float32 and got["history"][1] == np.float32(0.1)
    plain = safetensors.numpy.load_file(path)
    assert {n for n in plain if not n.startswith("optimizer/")} == {"w", "b.0"}


def test_training_continues_bit_for_bit_from_a_file(path):
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype(np.float32)

    def train(model, optimiser, steps):
        for _ in range(steps):
            optimiser.zero_grad()
            ((model(zen.tensor(x)) - y) ** 2).mean().backward()
            optimiser.step()
        return [p.numpy().tobytes() for p in model.state_dict().values()]

    def made():
        model = zen.nn.Sequential(zen.nn.Linear(3, 5), zen.nn.Tanh(), zen.nn.Linear(5, 3))
        groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.1}]
        return model, zen.optim.Adam(groups, lr=0.01)

    model, optimiser = made()
    train(model, optimiser, 3)
    zen.save(path, model, optimiser)
    expected = train(model, optimiser, 4)
    model, optimiser = made()
    zen.load(path, model, optimiser)
    assert train(model, optimiser, 4) == expected


def test_metadata_comes_back_as_it_was(path):
    metadata = {
        "epoch": 3, "best": 0.1 + 0.2, "none": None, "flag": True, "name": 'a "b"\n\u00e4', "huge": 2**130,
        "nan": float("nan"), "shape": (2, (3, [4])), "by number": {1: "a", None: "b", (1, 2): "c", "1": np.arange(2)},
        "__odd": {"__tensor__": "x"}, "scalar": np.int8(3), "random": np.random.default_rng(0).bit_generator.state,
    }  # fmt: skip
    clash = {"a": {"b": np.zeros(1)}, "a/b": np.ones(1)}
    zen.save(path, {}, clash=clash, scheduler=net(1), **metadata)
    got = zen.load(path).metadata
    scheduler, found = got.pop("scheduler"), got.pop("clash")
    assert list(scheduler) == ["w", "b.0"] and scheduler["w"].tolist() == [[1] * 3] * 2
    assert found["a"]["b"] == 0 and found["a/b"] == 1
    assert type(got["scalar"]) is np.int8 and np.isnan(got.pop("nan")) and metadata.pop("nan")
    np.testing.assert_array_equal(got["by number"].pop("1"), metadata["by number"].pop("1"))
    assert got == metadata


def test_files_of_other_programs(path):
    safetensors.numpy.save_file({"w": np.ones(2, np.float16)}, path, {"format": "pt"})
    state = zen.load(path)
    assert state["w"].dtype == np.float16 and state.metadata == {"format": "pt"} and state.optimizer is None
    header = b'{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ValueError, match=r"NumPy has no dtype for 'w' \(BF16\); save them as float32"):
        zen.load(path)


# What does not fit

RING = []
RING.append(RING)


def test_all_differences_are_listed_and_nothing_is_changed(path):
    zen.save(path, {"w": np.ones((2, 3)), "c": np.ones(1), "b.0": np.ones(3)})
    model = Net(w=np.zeros((2, 3), np.float32), d=np.zeros(4), **{"b.0": np.zeros(2)})
    with pytest.raises(ValueError) as caught:
        zen.load(path, model)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"load: {path} does not fit; nothing was changed:"
    assert sorted(lines[1:]) == [
        "  b.0: in the file (3,) float64, in the model (2,) float64",
        "  c: in the file (1,) float64, not in the model",
        "  d: in the model (4,) float64, not in the file",
        "  w: in the file (2, 3) float64, in the model (2, 3) float32",
    ]
    assert not any(t.numpy().any() for t in model.values.values())


def test_an_optimiser_that_does_not_fit(path):
    model, other = net(1), net(2)
    zen.save(path, model)
    with pytest.raises(ValueError, match="optimizer: the file has no state of one"):
        zen.load(path, other, Optimiser(other.values.values()))
    optimiser = Optimiser(model.values.values())
    zen.save(path, model, optimiser)
    cases = [
        (Optimiser([zen.ones((2, 3))]), "group 0 has 2 parameters in the file, 1 here"),
        (
            Optimiser([zen.ones((2, 3)), zen.ones(4)]),
            r"parameter 1 of group 0 has shape \(3,\) in the file, \(4,\) here",
        ),
        (Optimiser([]), "group 0 has 2 parameters"),
    ]
    cases[-1][0].param_groups *= 2
    cases[-1] = (cases[-1][0], "in the file 1 parameter groups, here 2")
    for wrong, text in cases:
        with pytest.raises(ValueError, match=text):
            zen.load(path, other, wrong)
    refusing = Optimiser(other.values.values())
    refusing.refuses = True
    with pytest.raises(ValueError, match="^no") as caught:
        zen.load(path, other, refusing)
    assert caught.value.__notes__ == [f"load: {path}"]
    assert (other.values["w"].numpy() == 2).all()


def test_complex_numbers_come_back_as_they_were(path):
    values = np.array([[complex(1, -0.0), complex(np.inf, np.nan)]])
    z = zen.tensor(values, requires_grad=True)
    zen.save(path, {"z": z, "single": values.astype(np.complex64), "x": 1.0}, number=1 + 2j, scalar=np.complex64(3j))
    state = zen.load(path)
    assert (
        state["z"].dtype == np.complex128 and state["single"].dtype == np.complex64 and state["x"].dtype == np.float64
    )
    assert state["z"].array.tobytes() == values.tobytes()
    assert state.metadata == {"number": 1 + 2j, "scalar": np.complex64(3j)}
    assert type(state.metadata["scalar"]) is np.complex64 and type(state.metadata["number"]) is complex


@pytest.mark.parametrize(
    "model, metadata, error, text",
    [
        ({"a": {"b": 1.0}, "a.b": 2.0}, {}, ValueError, "two entries have the name 'a.b'"),
        ({"metadata/x": 1.0}, {}, ValueError, "'metadata/x' is reserved"),
        ({1: 1.0}, {}, TypeError, "names must be strings, not 1"),
        ({"a": {2: 1.0}}, {}, TypeError, r"not 2 \(in 'a'\)"),
        ({"a": "text"}, {}, TypeError, "'a' is a str, not a Tensor, array or number"),
        ({"a": np.ones(1, np.clongdouble)}, {}, TypeError, "complex256"),
        ([1.0], {}, TypeError, "expected an object with state_dict.*, not list"),
        ({}, {"f": {"g": [len]}}, TypeError, r"metadata\.f\.g\.0 is a builtin_function_or_method"),
        ({}, {"z": np.datetime64("2020")}, TypeError, r"metadata\.z is a datetime64"),
        ({}, {"ring": RING}, TypeError, "one of ring contains itself, or is nested too deeply"),
        ({"a": np.ma.masked_array([1.0], [True])}, {}, TypeError, "would lose its mask"),
    ],
)
def test_what_cannot_be_saved_is_an_error_and_leaves_the_old_file(path, model, metadata, error, text):
    zen.save(path, {"old": 1.0})
    with pytest.raises(error, match=text):
        zen.save(path, model, **metadata)
    assert list(zen.load(path)) == ["old"] and os.listdir(path.parent) == [path.name]


# Damaged files


def test_damaged_files_name_file_offset_and_expectation(path):
    zen.save(path, {"w": np.arange(8.0)}, epoch=1)
    whole = path.read_bytes()
    header = int.from_bytes(whole[:8], "little")
    size = len(whole)
    wrong = whole.replace(b"version", b"wersion")
    cases = [
        (b"", "offset 0: expected 8 bytes with the length of the header, found 0"),
        (whole[:5], "found 5"),
        (whole[:50], f"offset 8: expected a header of {header} bytes, found 42: cut off"),
        (whole[:-1], f"offset {size - 1}: expected a file of {size} bytes, found {size - 1}"),
        (whole + b"!", f"offset {size}: expected a file of {size} bytes, found {size + 1}"),
        (whole[:8] + b"?" + whole[9:], "offset 8: expected a header in JSON"),
        (b"\x00" * 200, "offset 8: expected a header in JSON"),
        (pickle.dumps([1.0] * 20), "a zip archive or a pickle"),
        (wrong, "entry 'zen' is damaged or of a newer zen"),
        (whole.replace(b'version\\": 1', b'version\\": 9'), "version 9 of the layout; this zen reads version 2"),
    ]
    for content, text in cases:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=text) as caught:
            zen.load(path)
        assert str(path) in str(caught.value)
    with pytest.raises(FileNotFoundError):
        zen.load(path.with_name("none"))


def test_a_pickle_in_the_file_is_not_executed(path):
    payload = b"cos\nsystem\n(S'touch executed'\ntR."
    path.write_bytes(payload)
    with pytest.raises(ValueError):
        zen.load(path)
    zen.save(path, {"w": np.frombuffer(payload, np.uint8)}, note={"__reduce__": ["os.system", ["touch executed"]]})
    assert zen.load(path).metadata == {"note": {"__reduce__": ["os.system", ["touch executed"]]}}
    assert not os.path.exists("executed")


def test_references_to_arrays_that_are_not_there(path):
    own = {"version": 1, "optimizer": None, "metadata": {"a": {"__array__": "metadata/a"}}}
    safetensors.numpy.save_file({}, path, {"zen": json.dumps(own)})
    with pytest.raises(ValueError, match="entry 'zen' is damaged"):
        zen.load(path)


# Arguments


def test_an_optimiser_alone(path):
    model, other = net(1), net(2)
    optimiser, fresh = (Optimiser(m.values.values(), lr) for m, lr in ((model, 0.1), (other, 0.5)))
    optimiser.fill(0)
    zen.save(path, optimizer=optimiser)
    assert zen.load(path, optimizer=fresh) == {} and fresh.param_groups[0]["lr"] == 0.1 and len(fresh.state) == 2
    zen.save(path, note="metadata alone")
    assert zen.load(path).metadata == {"note": "metadata alone"}
    with pytest.raises(TypeError, match=r"nothing to save: save\(path, model\), or save\(path, optimizer=o\)"):
        zen.save(path)
    assert zen.load(path).metadata == {"note": "metadata alone"}


def test_a_missing_library_names_the_extra(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="needs safetensors: pip install safetensors"):
        zen.save(path, {})


def test_path_and_model_in_either_order(path):
    own = Net(w=np.full(2, 3.0))
    sources = {
        "model first": (own, path),
        "path first": (path, own),
        "str": (own, str(path)),
        "dict": ({"w": 3.0}, path),
    }
    for name, arguments in sources.items():
        path.unlink(missing_ok=True)
        zen.save(*arguments, epoch=4, model="named", path="too")
        assert safetensors.numpy.load_file(path)["w"].tolist() in ([3, 3], 3), name
        assert zen.load(path).metadata == {"epoch": 4, "model": "named", "path": "too"}
    zen.save(own, path)
    for load in (
        lambda net: zen.load(net, path),
        lambda net: zen.load(path, net),
        lambda net: zen.load(path, model=net),
    ):
        net = Net(w=np.zeros(2))
        load(net)
        assert net.values["w"].tolist() == [3, 3]


@pytest.mark.parametrize("function", [zen.save, zen.load])
def test_neither_or_both_of_the_first_two_are_paths(path, function):
    net, name = Net(w=np.ones(2)), function.__name__
    for given, text in (
        ((net, net), "neither is a path: got Net and Net"),
        ((net,), "neither is a path: got Net and nothing"),
        ((b"a", net), "neither is a path: got bytes and Net"),
        (("a", path), "both are paths: got str and PosixPath"),
    ):
        with pytest.raises(TypeError, match=rf"^{name}: {text}; write {name}\(path, model\) or {name}\(model, path\)"):
            function(*given)
    assert os.listdir(path.parent) == []


def test_what_cannot_take_a_state_is_refused_before_the_file_is_read(path):
    zen.save(path, {"a": np.ones(2)})
    arrays = {"a": np.zeros(2)}
    words = r"must have state_dict\(\) and load_state_dict\(\), but it is"
    for call, text in (
        (lambda: zen.load(arrays, path), rf"^load: the model {words} a dict; load\(path\) returns"),
        (lambda: zen.load(path, arrays), rf"^load: the model {words} a dict"),
        (lambda: zen.load(path, Net), rf"^load: the model {words} the class Net"),
        (lambda: zen.load(path, optimizer=0.1), rf"^load: the optimizer {words} a float"),
        (lambda: zen.load(path / "none", 3), rf"^load: the model {words} a int"),
    ):
        with pytest.raises(TypeError, match=text):
            call()
    assert arrays["a"].tolist() == [0, 0]


@pytest.mark.parametrize("entry", ["x", 1, None, [], {}, {"dtype": 3}, {"dtype": None, "shape": [1]}])
def test_an_entry_of_the_header_that_describes_no_array(path, entry):
    header = json.dumps({"a": entry}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ValueError) as caught:
        zen.load(path)
    start = f"load: {path}: offset 8: expected an object with dtype, shape and data_offsets of 'a', found {entry!r}"
    assert str(caught.value) == start


def test_a_model_with_methods_read_and_write_is_no_file(path):
    class Memory(zen.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = zen.nn.Linear(2, 2)

        def read(self):
            raise AssertionError

        write = read

    zen.save(path, Memory())
    zen.load(Memory(), path)


def test_an_optimiser_in_the_place_of_the_model_and_folders_that_are_not_there(path, tmp_path):
    optimiser = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=0.1)
    for arguments in ((path, optimiser), (optimiser, path)):
        with pytest.raises(TypeError, match=r"SGD is an optimiser: save\(path, model, optimizer=it\)"):
            zen.save(*arguments)
    with pytest.raises(FileNotFoundError, match="there is no folder.*absent'"):
        zen.save(tmp_path / "absent" / "model", {"w": 1.0})

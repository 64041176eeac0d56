"""What a function reads of arrays, Tensors and modules."""

import types

import numpy as np
import pytest
from sources import defined

import zen
from zen.program.reads import Reads


class TestArrays:
    @pytest.mark.parametrize(
        "dtype", ["float64", "float32", "int8", "complex128", "bool", "datetime64[s]", "U3", "float16"]
    )
    @pytest.mark.parametrize("layout", ["C", "F", "strided", "0-d"])
    def test_overwritten_in_place(self, dtype, layout):
        a = np.zeros((4, 6)).astype(dtype)
        a = {"C": a, "F": np.asfortranarray(a), "strided": a[::2, ::-2], "0-d": np.array(a[0, 0])}[layout]
        reads = Reads.of(lambda x: x * a, (1.0,))
        assert len(reads.arrays) == 1 and reads.arrays[0] is a and reads.changed() is None
        a[...] = np.ones((), a.dtype) if dtype != "U3" else "x"
        assert "has other contents" in reads.changed()

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_arrays_that_a_program_reads_live(self, order):
        a, b = np.zeros((2, 3), order=order), np.zeros(3)
        reads = Reads.of(lambda x: x * a + b, (1.0,))
        live = reads.live([a])
        a[0] = 1.0
        assert live.changed() is None and "'a'" in reads.changed()
        b[0] = 1.0
        assert "'b'" in live.changed()

    def test_bits_count(self):
        a = np.array([0.0, np.nan])
        reads = Reads.of(lambda x: x * a, (1.0,))
        assert reads.changed() is None
        a[0] = -0.0
        assert reads.changed() is not None

    def test_empty(self):
        a = np.zeros((0, 3))
        assert Reads.of(lambda x: x * a, (1.0,)).changed() is None

    def test_found_in_attributes_containers_defaults_and_closures(self):
        arrays = [np.full(2, float(k)) for k in range(4)]
        held, where = {"a": [arrays[0]]}, types.SimpleNamespace(b=arrays[1])
        closed = arrays[2]

        def f(x, d=arrays[3]):
            return x * held["a"][0] * where.b * closed * d

        assert sorted(float(a[0]) for a in Reads.of(f, (1.0,)).arrays) == [0.0, 1.0, 2.0, 3.0]

    def test_an_equal_array_is_another_one(self):
        f, names = defined("def f(x):\n    return x * a", a=np.ones(3))
        reads = Reads.of(f, (1.0,))
        names["a"] = np.ones(3)
        assert "is another one" in reads.changed()

    def test_numpy_scalars(self):
        f, names = defined("def f(x):\n    return x * a", a=np.float32(2))
        reads = Reads.of(f, (1.0,))
        names["a"] = np.float32(2)
        assert reads.changed() is None
        names["a"] = np.float64(2)
        assert reads.changed() is not None

    def test_objects(self):
        a = np.array([None, {}])
        assert "array of objects" in Reads.of(lambda x: x * a, (1.0,)).opaque[0]


class TestTensorsAndModules:
    def test_a_tensor_is_read_live(self):
        t = zen.tensor([1.0, 2.0], requires_grad=True)
        reads = Reads.of(lambda x: x * t, (1.0,))
        with zen.no_grad():
            t[0] = 5.0
        (t * t).sum().backward()
        assert reads.changed() is None and reads.stores == []

    def test_requires_grad_switched(self):
        t = zen.tensor([1.0, 2.0])
        reads = Reads.of(lambda x: x * t, (1.0,))
        t.requires_grad_(True)
        assert "requires_grad of the closed-over 't' was False, is True" in reads.changed()

    @pytest.fixture
    def model(self):
        return zen.nn.Sequential(zen.nn.Linear(2, 3), zen.nn.BatchNorm1d(3), zen.nn.Dropout(0.5), zen.nn.Linear(3, 1))

    @pytest.mark.parametrize(
        "change",
        [
            lambda m: m.eval(),
            lambda m: m[2].eval(),
            lambda m: setattr(m[0], "weight", zen.nn.Parameter(np.ones((3, 2)))),
            lambda m: setattr(m[1], "running_mean", zen.tensor(np.ones(3))),
            lambda m: m[3].requires_grad_(False),
            lambda m: setattr(m[2], "p", 0.1),
            lambda m: m.append(zen.nn.ReLU()),
            lambda m: m[0].register_forward_hook(lambda *a: None),
            lambda m: m.half(),
        ],
    )
    def test_a_module(self, model, change):
        reads = Reads.of(lambda x: model(x), (np.ones((4, 2)),))
        model(np.ones((4, 2)))
        assert reads.changed() is None and reads.opaque == []
        change(model)
        assert "'model'" in reads.changed()

    def test_a_switch_is_told(self, model):
        reads = Reads.of(lambda x: model(x), (np.ones((4, 2)),))
        model.eval()
        assert reads.changed().startswith("attribute 'training' of the closed-over 'model' was True, is False (line")

    def test_a_second_hook(self, model):
        model.register_forward_hook(lambda *a: None)
        reads = Reads.of(model, (np.ones((4, 2)),))
        assert reads.changed() is None
        model.register_forward_hook(lambda *a: None)
        assert reads.changed() is not None

    def test_forward_of_the_users_own_is_walked(self):
        f, names = defined(
            "class Own(zen.nn.Module):\n    def forward(self, x):\n        return x * inner\n"
            "layer = zen.nn.Sequential(Own())\ndef f(x):\n    return layer(x)",
            zen=zen, inner=2.0,
        )  # fmt: skip
        reads = Reads.of(f, (1.0,))
        names["inner"] = 3.0
        assert "global 'inner'" in reads.changed()

    def test_an_object_with_call_in_a_module_of_the_library(self):
        class Activation:
            def __init__(self):
                self.slope = 1.0

            def __call__(self, x):
                return x * self.slope

        own = Activation()
        layer = zen.nn.TransformerEncoderLayer(4, 2, 4, activation=own)
        reads = Reads.of(layer, (np.ones((1, 2, 4)),))
        own.slope = 2.0
        assert "'slope'" in reads.changed()

    def test_a_training_step(self, model):
        optimiser = zen.optim.Adam(model.parameters(), lr=0.1)

        def step(x):
            optimiser.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimiser.step()
            return loss

        x = np.ones((4, 2))
        step(x)
        reads = Reads.of(step, (x,))
        step(x)
        assert reads.changed() is None and reads.opaque == []
        optimiser.param_groups[0]["lr"] = 0.2  # a step is taken as it is, with the options of then
        assert reads.changed() is None

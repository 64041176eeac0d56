"""The Array API standard 2025.12: every name of it, with a signature that takes what the standard's does, and what its
functions about dtypes, devices and the library say. Values of the functions that zen had before are tested elsewhere.
"""

import inspect
import operator
import subprocess
import sys
from inspect import Parameter
from pathlib import Path

import numpy as np
import pytest

import zen

NAMES = [n for n in (Path(__file__).parent / "array_api_2025_12.txt").read_text().splitlines() if n[0] != "#"]
WORDS = {"inf": float("inf")}
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128".split()


def found(name):
    """What zen has under a name of the list, or None."""
    place = zen
    for part in name.split("."):
        if part == "info":
            place = zen.__array_namespace_info__()
        else:
            place = getattr(place, part, None)
    return place


def there(line):
    return found(line.partition("(")[0]) is not None


def signature_of(text):
    names: dict = {}
    exec(f"def function({text}: pass", WORDS, names)
    return inspect.signature(names["function"])


def fault(own, wanted):
    """Why a call that the standard allows would not be taken, or an empty string."""
    parameters = list(own.parameters.values())
    place = 0
    for p in wanted.parameters.values():
        if p.kind is Parameter.KEYWORD_ONLY:
            mine = own.parameters.get(p.name)
            if mine is None or mine.kind in (Parameter.POSITIONAL_ONLY, Parameter.VAR_KEYWORD):
                return f"no keyword {p.name}"
        else:
            mine = parameters[place] if place < len(parameters) else None
            place += 1
            if mine is None or mine.kind in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD):
                return f"no position for {p.name}"
            if p.kind is Parameter.POSITIONAL_OR_KEYWORD and (mine.name, mine.kind) != (p.name, p.kind):
                return f"{p.name} is called {mine.name} or cannot be given by name"
        if p.default is not Parameter.empty and mine.default != p.default and p.name not in ("dtype", "rtol"):
            return f"the default of {p.name} is {mine.default!r}, not {p.default!r}"
    taken = [p.name for p in wanted.parameters.values()]
    for p in parameters[place:]:
        needed = p.default is Parameter.empty and p.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        if needed and p.name not in taken:
            return f"{p.name} is required"
    return ""


def test_every_name_is_there():
    assert len(NAMES) == 239 and zen.newaxis is None
    names = [n.partition("(")[0] for n in NAMES if n != "newaxis" and not n.startswith("Tensor.")]
    assert [n for n in names if not there(n)] == []
    methods = [n.partition("(")[0] for n in NAMES if n.startswith("Tensor.")]
    assert [n for n in methods if not hasattr(zen.tensor([[1.0]]), n.partition(".")[2])] == []


@pytest.mark.parametrize("name", [n for n in NAMES if "(" in n and not n.startswith("Tensor.") and there(n)])
def test_signatures_take_what_the_standard_allows(name):
    name, _, text = name.partition("(")
    assert fault(inspect.signature(found(name)), signature_of(text)) == ""


def test_a_signature_that_does_not_fit_is_found():
    assert fault(signature_of("x)"), signature_of("x, /, *, axis=None)")) == "no keyword axis"
    assert fault(signature_of("x, *, axis=0)"), signature_of("x, /, axis)")) == "no position for axis"
    assert fault(signature_of("x, axes)"), signature_of("x, /, axis)")).startswith("axis is called axes")
    assert fault(signature_of("x, axis=0)"), signature_of("x, /, *, axis=None)")).startswith("the default of axis is 0")
    assert fault(signature_of("x, y)"), signature_of("x, /)")) == "y is required"


def test_reflected_and_in_place_operators_are_there():
    for name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
        assert hasattr(zen.Tensor, f"__r{name}__") and hasattr(zen.Tensor, f"__i{name}__")


def test_the_namespace_of_a_tensor():
    t = zen.tensor([1.0])
    assert t.__array_namespace__() is zen
    assert t.__array_namespace__(api_version=zen.__array_api_version__) is zen
    assert t.__array_namespace__(api_version="2021.12") is zen
    with pytest.raises(ValueError, match=r"no version '2020\.10'; known are 2021\.12, "):
        t.__array_namespace__(api_version="2020.10")


def test_devices():
    t = zen.tensor([1.0], requires_grad=True)
    assert t.device == "cpu" and t.to_device("cpu") is t
    for make in (
        lambda d: zen.zeros(2, device=d), lambda d: zen.ones(2, device=d), lambda d: zen.empty(2, device=d),
        lambda d: zen.zeros_like(t, device=d), lambda d: zen.ones_like(t, device=d),
        lambda d: zen.empty_like(t, device=d), lambda d: zen.full(2, 1.0, device=d),
        lambda d: zen.full_like(t, 1.0, device=d), lambda d: zen.arange(3, device=d),
        lambda d: zen.linspace(0, 1, 3, device=d), lambda d: zen.eye(2, device=d), lambda d: zen.asarray([1], device=d),
        lambda d: zen.from_dlpack(np.ones(2), device=d), lambda d: zen.astype(t, zen.float32, device=d),
        lambda d: zen.__array_namespace_info__().dtypes(device=d) and zen.zeros(1),
    ):  # fmt: skip
        assert make("cpu").device == "cpu" == make(None).device
        with pytest.raises(ValueError, match="there is no device 'cuda'; zen computes on the processor, 'cpu'"):
            make("cuda")
    with pytest.raises(ValueError, match="to_device: there is no device 'gpu'"):
        t.to_device("gpu")
    with pytest.raises(ValueError, match="no streams on the processor, but stream is 1"):
        t.to_device("cpu", stream=1)


def test_what_the_library_can_do():
    info = zen.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert zen.zeros((1,) * 64).ndim == 64
    with pytest.raises(ValueError):
        zen.zeros((1,) * 65)
    assert info.devices() == ("cpu",) and info.default_device() == "cpu"
    defaults = info.default_dtypes(device="cpu")
    assert defaults["real floating"] == zen.zeros(1).dtype and defaults["integral"] == zen.asarray([1]).dtype
    assert defaults["indexing"] == zen.argsort(zen.zeros(1)).dtype
    assert defaults["complex floating"] == zen.asarray([1j]).dtype
    assert sorted(info.dtypes()) == sorted(DTYPES) and info.dtypes()["bool"] == zen.bool
    assert list(info.dtypes(kind="complex floating")) == ["complex64", "complex128"]
    assert list(info.dtypes(kind=("bool", "unsigned integer"))) == ["bool", "uint8", "uint16", "uint32", "uint64"]
    with pytest.raises(ValueError, match="there is no kind 'floating'; give one of bool, signed integer"):
        info.dtypes(kind="floating")


@pytest.mark.parametrize("name", DTYPES)
def test_each_dtype_is_of_its_kinds(name):
    dtype = getattr(zen, name)
    kinds = {
        "bool": ["bool"], "i": ["signed integer", "integral", "numeric"],
        "u": ["unsigned integer", "integral", "numeric"], "f": ["real floating", "numeric"],
        "c": ["complex floating", "numeric"],
    }[name if name == "bool" else name[0]]  # fmt: skip
    every = "bool|signed integer|unsigned integer|integral|real floating|complex floating|numeric".split("|")
    assert [kind for kind in every if zen.isdtype(dtype, kind)] == [kind for kind in every if kind in kinds]
    assert zen.isdtype(dtype, dtype) and zen.isdtype(dtype, ("bool", *kinds)) and not zen.isdtype(dtype, zen.float16)
    with pytest.raises(ValueError, match="isdtype: there is no kind 'floating'"):
        zen.isdtype(dtype, "floating")


def test_limits_of_floats_are_python_numbers():
    for dtype, part in ((zen.float32, np.float32), (zen.complex64, np.float32), (zen.float64, np.float64)):
        for given in (dtype, zen.zeros(1, dtype), np.zeros(1, dtype), dtype.type, dtype.name):
            info = zen.finfo(given)
            assert [type(x) for x in info[:5]] == [int, float, float, float, float] and info.dtype == part
    single = zen.finfo(zen.float32)
    assert (single.bits, single.eps, single.smallest_normal) == (32, 2.0**-23, 2.0**-126)
    assert single.max == (2 - 2.0**-23) * 2.0**127 == -single.min
    assert zen.finfo(zen.float64).eps == sys.float_info.epsilon
    with pytest.raises(TypeError, match="finfo: int8 is no floating dtype; zen.iinfo"):
        zen.finfo(zen.int8)


def test_limits_of_integers_are_python_numbers():
    info = zen.iinfo(zen.tensor([1], dtype=zen.int16))
    assert (info.bits, info.max, info.min, info.dtype) == (16, 2**15 - 1, -(2**15), zen.int16)
    assert zen.iinfo(zen.uint64).max == 2**64 - 1 and type(zen.iinfo("uint8").max) is int
    with pytest.raises(TypeError, match="iinfo: float64 is no integer dtype; zen.finfo"):
        zen.iinfo(zen.float64)


def test_promotion():
    assert zen.result_type(zen.int8, zen.uint8) == zen.int16
    assert zen.result_type(zen.tensor([1], dtype=zen.int8), 1.5) == zen.float64
    assert zen.result_type(zen.tensor(1.0, dtype=zen.float32), 1.5, True) == zen.float32
    assert zen.result_type(zen.float32, 1j) == zen.complex64
    assert zen.can_cast(zen.tensor([1], dtype=zen.int32), zen.int64) and not zen.can_cast(zen.float64, zen.float32)
    for given in ((), (1,), (1, 2.0)):
        with pytest.raises(ValueError, match="result_type: at least one Tensor, array or dtype is needed"):
            zen.result_type(*given)


def test_what_is_no_dtype_is_named():
    for call, name in (
        (lambda: zen.finfo("nothing"), "finfo"), (lambda: zen.iinfo("nothing"), "iinfo"),
        (lambda: zen.isdtype("nothing", "bool"), "isdtype"), (lambda: zen.isdtype(zen.int8, 3), "isdtype"),
        (lambda: zen.can_cast(1, zen.int8), "can_cast"), (lambda: zen.can_cast(zen.int8, "nothing"), "can_cast"),
        (lambda: zen.result_type([1, 2], zen.int8), "result_type"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=f"^{name}: .* is no dtype, and nothing that has one"):
            call()


def test_shapes_that_broadcast():
    assert zen.broadcast_shapes((2, 1), (3,), ()) == (2, 3) and zen.broadcast_shapes() == ()
    assert zen.broadcast_shapes(3, (0, 1)) == (0, 3)
    with pytest.raises(ValueError, match=r"broadcast_shapes: shapes \(2,\) and \(3,\) do not broadcast together"):
        zen.broadcast_shapes((2,), (3,))
    with pytest.raises(TypeError, match="broadcast_shapes: a shape is an int or a tuple of ints, not one of"):
        zen.broadcast_shapes((2, 1.5))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64"])
def test_shifts_are_those_of_python(dtype):
    a, b = np.array([0, 1, 3, 100], dtype), np.array([0, 1, 2, 3], dtype)
    for function, shift in ((zen.bitwise_left_shift, operator.lshift), (zen.bitwise_right_shift, operator.rshift)):
        expected = np.array([shift(int(x), int(y)) for x, y in zip(a, b, strict=True)]).astype(dtype)
        made = function(zen.tensor(a), zen.tensor(b))
        assert made.dtype == a.dtype and np.array_equal(made, expected)
        assert np.array_equal(function(zen.tensor(a), 1), np.array([shift(int(x), 1) for x in a]).astype(dtype))
    assert np.array_equal(zen.bitwise_right_shift(zen.tensor([-5]), 1), [-3])
    with pytest.raises(TypeError):
        zen.bitwise_left_shift(zen.tensor([1.0]), 1)


def test_shift_operators():
    t = zen.tensor([1, -6])
    assert (t << 2).tolist() == [4, -24] and (t >> 1).tolist() == [0, -3]
    assert (2 << zen.tensor([0, 3])).tolist() == [2, 16] and (64 >> zen.tensor([0, 3])).tolist() == [64, 8]
    t <<= 1
    t >>= zen.tensor([0, 1])
    assert t.tolist() == [2, -6] and t.dtype == zen.int64
    with pytest.raises(TypeError):
        zen.tensor([1.0]) << 1


def test_reshape_says_whether_it_copies():
    x = zen.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for copy in (True, False, None):
        made = zen.reshape(x, 4, copy=copy)
        assert np.shares_memory(made.value, x.value) is not (copy is True)
    made = zen.reshape(x.T, -1, copy=True)
    assert made.tolist() == [1.0, 3.0, 2.0, 4.0]
    (made * made).sum().backward()
    assert x.grad.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    with pytest.raises(ValueError, match=r"reshape: shape \(2, 2\) has no view of shape \(4,\)"):
        zen.reshape(x.T, 4, copy=False)
    assert zen.reshape(zen.zeros((0, 3)), (3, 0), copy=False).shape == (3, 0)


def test_sorting_that_need_not_be_stable():
    t = zen.tensor([2.0, 1.0, 2.0])
    for stable in (True, False):
        assert zen.sort(t, stable=stable).tolist() == [1.0, 2.0, 2.0]
        assert zen.sort(t, descending=True, stable=stable).tolist() == [2.0, 2.0, 1.0]
        assert zen.argsort(t, stable=stable).tolist() == [1, 0, 2]


def test_traces_in_another_dtype():
    t = zen.tensor([[100, 0], [0, 100]], dtype=zen.int8)
    assert (
        zen.linalg.trace(t, dtype=zen.int16).dtype == zen.int16 and zen.linalg.trace(t, dtype=zen.int16).item() == 200
    )
    assert zen.linalg.trace(zen.ones((2, 2), zen.float32), dtype=zen.float64).dtype == zen.float64


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_the_sign_of_complex_numbers_is_that_of_the_standard_at_zeros_and_extremes(dtype):
    for z in (complex(-0.0, 0.0), complex(0.0, -0.0), complex(-0.0, -0.0), 0j):
        for made in (zen.sign(zen.tensor(z, dtype)), zen.sign(zen.tensor([z], dtype))):
            found = made.value.reshape(())
            assert found == 0 and not np.signbit(found.real) and not np.signbit(found.imag)
    tiny, huge = np.finfo(dtype).smallest_normal, np.finfo(dtype).max / 4
    for size in (tiny, 1.0, huge):
        made = zen.sign(zen.tensor([size * 3j, -size, size + size * 1j], dtype))
        np.testing.assert_allclose(made.value, [1j, -1, (1 + 1j) / np.sqrt(2)], rtol=1e-6)
    assert np.isnan(zen.sign(zen.tensor(complex("nan"), dtype)).item())


def test_complex_numbers_are_rounded_in_both_parts():
    z = zen.tensor([1.5 - 2.5j, -0.25 + 0.75j], requires_grad=True)
    assert zen.round(z).tolist() == [2 - 2j, 1j] and np.rint(z).tolist() == [2 - 2j, 1j]
    np.testing.assert_array_equal(zen.round(z, 1).detach(), np.round(z.value, 1))
    zen.round(z).real.sum().backward()
    assert z.grad.tolist() == [0, 0]


def test_exchange_by_dlpack():
    t = zen.tensor([1.0, 2.0])
    assert zen.from_dlpack(t) is t and zen.from_dlpack(t, copy=True) is not t
    a = np.ones(2)
    assert np.shares_memory(zen.from_dlpack(a).value, a)
    assert not np.shares_memory(zen.from_dlpack(a, copy=True).value, a)
    assert np.array_equal(np.from_dlpack(t), [1.0, 2.0])


def test_the_functions_of_the_namespace_that_load_late_are_where_they_say():
    for name in ("isdtype", "finfo", "unique_all", "nonzero", "conj"):
        assert name in zen.__all__ and name in dir(zen)
    assert "__array_namespace_info__" not in zen.__all__


def test_importing_zen_loads_nothing_of_it():
    program = (
        "import sys, zen\nloaded = {'zen.array_api', 'zen.fft', 'zen.ops.searching', 'numpy.fft'} & set(sys.modules)\n"
        "import numpy\nprint(*sorted(loaded - {'numpy.fft'} | (loaded if 'numpy.fft' not in BEFORE else set())))"
    )
    before = "import sys, numpy\nBEFORE = set(sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", before + program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

"""Recurrent nets: RNN, LSTM and GRU over whole sequences, and their cells for single steps.

Gates, parameters, shapes and names are PyTorch's, so that weights carry over. A layer and direction is one operation,
see `zen/ops/recurrent.py`.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f
from ..backend import apply
from ..dtypes import INEXACT
from ..ops.operands import operand
from ..ops.recurrent import GRU as _GRU
from ..ops.recurrent import LSTM as _LSTM
from ..ops.recurrent import RNN_RELU, RNN_TANH
from . import init
from .linear import floating, sizes
from .module import Module
from .parameter import Parameter
from .parametrize import is_parametrized

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike


def _check_nonlinearity(name: str, nonlinearity: str) -> None:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{name}: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")


def _plain(nonlinearity: str, inputs: tuple[Any, ...], reverse: bool) -> Any:
    """The states of a net without gates."""
    relu = nonlinearity == "relu"
    return apply(RNN_RELU if relu else RNN_TANH, inputs, (relu, reverse))


def _input(name: str, x: Any, size: int, dimensions: tuple[int, int]) -> Any:
    """x with a number of dimensions and a last axis that fit; integers are refused."""
    x = operand(name, x)
    if x.ndim not in dimensions or x.shape[-1] != size:
        wanted = " or ".join(str(n) for n in dimensions)
        raise ValueError(
            f"{name}: expected an input of {wanted} dimensions whose last axis has input_size = {size} elements, "
            f"got shape {tuple(x.shape)}"
        )
    if x.dtype not in INEXACT:
        raise TypeError(f"{name}: expected an input of a floating dtype, not {x.dtype}; convert it with astype")
    return x


def _state(name: str, label: str, value: Any, shape: tuple[int, ...]) -> Any:
    value = operand(name, value)
    if tuple(value.shape) != shape:
        raise ValueError(f"{name}: {label} has shape {tuple(value.shape)}; this input needs {shape}")
    return value


def _pair(name: str, hx: Any) -> tuple[Any, Any]:
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise TypeError(f"{name}: the state is a pair (h_0, c_0), not {type(hx).__name__}")
    return hx[0], hx[1]


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters by layer and direction, and the walk over layers."""

    _GATES = 1
    _CELL = False

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout is the probability of a zero, so it lies in [0, 1]; got {dropout!r}")
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} is applied between layers, and there is only one", UserWarning, stacklevel=3
            )
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        self.proj_size = proj_size
        dtype, rows, directions = floating(name, dtype, True), self._GATES * hidden_size, 2 if bidirectional else 1
        width = proj_size or hidden_size
        self._names: list[tuple[str, ...]] = []
        for layer in range(num_layers):
            columns = input_size if layer == 0 else directions * width
            shapes: dict[str, tuple[int, ...] | None] = {
                "weight_ih": (rows, columns), "weight_hh": (rows, width), "bias_ih": (rows,) if bias else None,
                "bias_hh": (rows,) if bias else None, **({"weight_hr": (width, hidden_size)} if proj_size else {}),
            }  # fmt: skip
            for suffix in ("", "_reverse")[:directions]:
                for part, shape in shapes.items():
                    if shape is not None:
                        setattr(self, f"{part}_l{layer}{suffix}", Parameter(np.empty(shape, dtype)))
                self._names.append(tuple([f"{part}_l{layer}{suffix}" for part in shapes]))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters evenly from +-1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: there is no memory layout to be restored. PyTorch's programs call it."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[p for p in self._held(names) if p is not None] for names in self._names]

    def _held(self, names: tuple[str, ...]) -> list[Any]:
        """The parameters of these names, None for one that the layer does not have."""
        own = self.__dict__
        if is_parametrized(self):
            return [getattr(self, key) if is_parametrized(self, key) else own.get(key) for key in names]
        return [own.get(key) for key in names]

    def _layer(self, inputs: tuple[Any, ...], reverse: bool) -> Any:
        """One layer and direction: `zen/ops/recurrent.py` says what the inputs and the result are."""
        raise NotImplementedError(f"{type(self).__name__} defines no _layer()")

    def forward(self, input: ArrayLike, hx: Any = None) -> Any:
        name = type(self).__name__
        x = _input(name, input, self.input_size, (2, 3))
        shape, batched = x.shape, x.ndim == 3
        if not batched:
            x = f.expand_dims(x, 1)
        elif self.batch_first:
            x = f.swapaxes(x, 0, 1)
        if x.shape[0] == 0:
            raise ValueError(f"{name}: a sequence needs at least one step, got shape {tuple(shape)}")
        states = self._states(hx, x.shape[1] if batched else None)
        out, last = self._walk(x, states)
        if not batched:
            out, last = f.squeeze(out, 1), [f.squeeze(a, 1) for a in last]
        elif self.batch_first:
            out = f.swapaxes(out, 0, 1)
        return out, (tuple(last) if self._CELL else last[0])

    def _states(self, hx: Any, batch: int | None) -> list[Any]:
        """h_0 (LSTM: and c_0) with a batch, or None for zeros."""
        if hx is None:
            return [None] * (2 if self._CELL else 1)
        name, layers = type(self).__name__, len(self._names)
        leading = (layers,) if batch is None else (layers, batch)
        widths = self.proj_size or self.hidden_size, self.hidden_size
        given = zip(("h_0", "c_0"), _pair(name, hx) if self._CELL else (hx,), widths, strict=False)
        found = [_state(name, label, value, (*leading, width)) for label, value, width in given]
        return found if batch is not None else [f.expand_dims(a, 1) for a in found]

    def _walk(self, x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """The last layer's output, and h_n (LSTM: and c_n)."""
        steps, directions = x.shape[0], 2 if self.bidirectional else 1
        lasts: list[list[Any]] = [[] for _ in states]
        outs: list[Any] = []
        for k, names in enumerate(self._names):
            back = k % directions == 1
            if k % directions == 0 and k and self.dropout:
                x = f.dropout(x, self.dropout, self.training)
            first = [None if a is None else a[k] for a in states]
            y = self._layer((x, *first, *self._held(names)), back)
            out, cell = y if self._CELL else (y, None)
            end = 0 if back else steps - 1
            lasts[0].append(out[end : end + 1])
            if cell is not None:
                lasts[1].append(cell[None])
            outs.append(out)
            if len(outs) == directions:
                x, outs = out if directions == 1 else f.concat(outs, -1), []
        return x, [a[0] if len(a) == 1 else f.concat(a, 0) for a in lasts]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False,
        }  # fmt: skip
        return text + "".join([f", {k}={self.__dict__[k]}" for k, v in defaults.items() if self.__dict__[k] != v])


class RNN(RNNBase):
    """Elman's recurrent net: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu in the place of tanh.

    num_layers: layers stacked on one another. bias: False leaves the biases out. batch_first: input and output are
    (batch, steps, ...) instead of (steps, batch, ...). dropout: on every layer's output but the last one's, while
    training. bidirectional: a second net walks backward; outputs are side by side. dtype: of the parameters, float32 by
    default; all are drawn evenly from +-1 / sqrt(hidden_size).

    input: (steps, batch, input_size), or (steps, input_size) without a batch. hx: the first states, (layers *
    directions, batch, hidden_size); zeros if left out. Returns (output, h_n): the last layer's state at every step,
    (steps, batch, directions * hidden_size), and each layer's and direction's last one. Raises ValueError for shapes
    that do not fit and TypeError for integers. Elman 1990, "Finding Structure in Time".

    >>> output, h_n = zen.nn.RNN(3, 4)(np.ones((5, 2, 3), np.float32))
    >>> output.shape, h_n.shape
    ((5, 2, 4), (1, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        _check_nonlinearity("RNN", nonlinearity)
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype
        )
        self.nonlinearity = nonlinearity

    def _layer(self, inputs: tuple[Any, ...], reverse: bool) -> Any:
        return _plain(self.nonlinearity, inputs, reverse)

    if TYPE_CHECKING:

        def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> tuple[Tensor, Tensor]: ...


class LSTM(RNNBase):
    """Long short-term memory, with gates in the order i, f, g, o.

    i, f, o = sigmoid(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), g likewise with tanh; c_t = f * c_(t-1) + i * g;
    h_t = o * tanh(c_t). Arguments, shapes and errors as in RNN, without a nonlinearity to choose; hx is a pair
    (h_0, c_0), and the result is (output, (h_n, c_n)). proj_size, less than hidden_size: every h is W_hr times that, so
    that outputs and h_n have proj_size in the place of hidden_size; this is made of single operations, and so slower.
    Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000; Sak, Senior and Beaufays 2014 (proj_size).

    >>> output, (h_n, c_n) = zen.nn.LSTM(3, 4, batch_first=True, bidirectional=True)(np.ones((2, 5, 3), np.float32))
    >>> output.shape, h_n.shape, c_n.shape
    ((2, 5, 8), (2, 2, 4), (2, 2, 4))
    """

    _GATES = 4
    _CELL = True

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"LSTM: proj_size is 0, or less than hidden_size = {hidden_size}; got {proj_size}")
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            dtype=dtype,
        )  # fmt: skip

    def _layer(self, inputs: tuple[Any, ...], reverse: bool) -> Any:
        return _projected(*inputs, reverse=reverse) if self.proj_size else apply(_LSTM, inputs, (reverse,))

    if TYPE_CHECKING:

        def forward(
            self, input: ArrayLike, hx: tuple[ArrayLike, ArrayLike] | None = None
        ) -> tuple[Tensor, tuple[Tensor, Tensor]]: ...


def _projected(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, *, reverse: bool
) -> tuple[Any, Any]:
    """The states of one layer and direction of an LSTM with projections, and the last cell."""
    h, c = (np.zeros((x.shape[1], n), x.dtype) if a is None else a for a, n in zip((h, c), w_hr.shape, strict=True))
    inputs, states = f.unstack(f.linear(x, w_ih, b_ih)), list[Any]()
    for part in inputs[::-1] if reverse else inputs:
        i, forget, g, o = f.split(part + f.linear(h, w_hh, b_hh), 4, 1)
        c = f.sigmoid(forget) * c + f.sigmoid(i) * f.tanh(g)
        h = f.linear(f.sigmoid(o) * f.tanh(c), w_hr)
        states.append(h)
    return f.stack(states[::-1] if reverse else states), c


class GRU(RNNBase):
    """Gated recurrent unit, with gates in the order r, z, n.

    r, z = sigmoid(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh); n = tanh(W_in x_t + b_in + r * (W_hn h_(t-1) + b_hn));
    h_t = (1 - z) * n + z * h_(t-1). Arguments, shapes, errors and results as in RNN, without a nonlinearity to choose.
    Cho et al. 2014, in PyTorch's variant: r multiplies the product, not the state.

    >>> output, h_n = zen.nn.GRU(3, 4, num_layers=2)(np.ones((5, 3), np.float32))
    >>> output.shape, h_n.shape
    ((5, 4), (2, 4))
    """

    _GATES = 3

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype
        )

    def _layer(self, inputs: tuple[Any, ...], reverse: bool) -> Any:
        return apply(_GRU, inputs, (reverse,))

    if TYPE_CHECKING:

        def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> tuple[Tensor, Tensor]: ...


class RNNCellBase(Module):
    """What the cells share."""

    _GATES = 1
    _CELL = False
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        name = type(self).__name__
        sizes(name, input_size=input_size, hidden_size=hidden_size)
        dtype, rows = floating(name, dtype, True), self._GATES * hidden_size
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        for key in ("bias_ih", "bias_hh"):
            self.register_parameter(key, Parameter(np.empty(rows, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters evenly from +-1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _layer(self, inputs: tuple[Any, ...]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no _layer()")

    def forward(self, input: ArrayLike, hx: Any = None) -> Any:
        name = type(self).__name__
        x = _input(name, input, self.input_size, (1, 2))
        batched = x.ndim == 2
        shape = (*x.shape[:-1], self.hidden_size)
        states = [None] * (2 if self._CELL else 1)
        if hx is not None:
            given = zip(("h_0", "c_0"), _pair(name, hx), strict=True) if self._CELL else [("h_0", hx)]
            states = [_state(name, label, value, shape) for label, value in given]
        if not batched:
            x, states = f.expand_dims(x, 0), [None if a is None else f.expand_dims(a, 0) for a in states]
        y = self._layer((f.expand_dims(x, 0), *states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh))
        h, *cell = y if self._CELL else (y,)
        found = [a if batched else a[0] for a in (h[0], *cell)]
        return tuple(found) if self._CELL else found[0]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of RNN: the next state h' from input (batch, input_size) and hx (batch, hidden_size), or zeros.

    Both may lack the batch. Arguments and errors as in RNN.

    >>> zen.nn.RNNCell(3, 4)(np.ones((2, 3), np.float32)).shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        _check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, dtype=dtype)
        self.nonlinearity = nonlinearity

    def _layer(self, inputs: tuple[Any, ...]) -> Any:
        return _plain(self.nonlinearity, inputs, False)

    if TYPE_CHECKING:

        def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> Tensor: ...


class LSTMCell(RNNCellBase):
    """One step of LSTM: (h', c') from input (batch, input_size) and hx = (h, c), each (batch, hidden_size), or zeros.

    All may lack the batch. Arguments and errors as in LSTM.

    >>> h, c = zen.nn.LSTMCell(3, 4)(np.ones((2, 3), np.float32))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    _GATES = 4
    _CELL = True

    def _layer(self, inputs: tuple[Any, ...]) -> Any:
        return apply(_LSTM, inputs, (False,))

    if TYPE_CHECKING:

        def forward(self, input: ArrayLike, hx: tuple[ArrayLike, ArrayLike] | None = None) -> tuple[Tensor, Tensor]: ...


class GRUCell(RNNCellBase):
    """One step of GRU: the next state h' from input (batch, input_size) and hx (batch, hidden_size), or zeros.

    Both may lack the batch. Arguments and errors as in GRU.

    >>> zen.nn.GRUCell(3, 4)(np.ones(3, np.float32)).shape
    (4,)
    """

    _GATES = 3

    def _layer(self, inputs: tuple[Any, ...]) -> Any:
        return apply(_GRU, inputs, (False,))

    if TYPE_CHECKING:

        def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> Tensor: ...

"""Second derivatives of functions that return one number: Hessians, their products with vectors, their diagonals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import trees
from ..dtypes import floating
from ..ops.register import placed
from . import reverse
from .forward import jvp
from .jacobians import Argnums, jacfwd
from .levels import tensor
from .linear import linearize
from .mapping import vmap
from .wrapper import Wrapper, check_chunk_size


def hessian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that returns the Hessian of `f`, which returns one number: the Jacobian of its gradient, by columns.

    argnums, has_aux, holomorphic, chunk_size: as in `zen.jacobian`. The result has the structure of the gradient, with
    that of the argument in the place of each leaf: a matrix for one array, a tuple of tuples for a sequence of argnums.

    >>> import numpy as np, zen
    >>> zen.hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacfwd(reverse.grad(f, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic, chunk_size)


def value_and_hessian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that returns the value of `f` and its Hessian; with `has_aux`, `((value, aux), hessian)`.

    >>> import numpy as np, zen
    >>> value, h = zen.value_and_hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    >>> float(value), h.tolist()
    (9.0, [[6.0, 0.0], [0.0, 12.0]])
    """
    return _ValueAndHessian(f, argnums, has_aux, chunk_size)


class _ValueAndHessian(Wrapper):
    """What `value_and_hessian` returns."""

    _name = "value_and_hessian"

    def __init__(self, f: Callable[..., Any], argnums: Argnums, has_aux: bool, chunk_size: int | None) -> None:
        Wrapper.__init__(self, f)
        self._f, self._argnums, self._has_aux, self._chunk_size = f, argnums, has_aux, chunk_size
        self._jacobian = jacfwd(Swapped(f, argnums, has_aux), argnums, True, False, chunk_size)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        found, value = self._jacobian(*args, **kwargs)
        return value, found

    def _parts(self) -> tuple[Any, ...]:
        return self._f, self._argnums, self._has_aux, self._chunk_size


class Swapped(Wrapper):
    """The gradient of a function, with the value beside it."""

    def __init__(self, f: Callable[..., Any], argnums: Argnums, has_aux: bool) -> None:
        Wrapper.__init__(self, f)
        self._f, self._argnums, self._has_aux = f, argnums, has_aux
        self._both = reverse.value_and_grad(f, argnums, has_aux)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        value, gradient = self._both(*args, **kwargs)
        return gradient, value

    def _parts(self) -> tuple[Any, ...]:
        return self._f, self._argnums, self._has_aux


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The product of the Hessian of `f`, which returns one number, with `tangents`: the gradient's derivative along it.

    primals: a tuple of the arguments of `f`, or its only argument. tangents: the same structure and shapes; the product
    has them too. It is one forward pass through one gradient, however many elements there are.

    >>> import numpy as np, zen
    >>> zen.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0])).tolist()
    [6.0, 12.0]
    """
    if not isinstance(primals, tuple):
        return jvp(reverse.grad(f, 0), (primals,), (tangents,))[1]
    return jvp(reverse.grad(f, tuple(range(len(primals)))), primals, tangents)[1]


def hessian_diag(
    f: Callable[..., Any], argnums: int = 0, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that returns the diagonal of the Hessian of `f`, in the structure of the argument.

    The products with a basis are made `chunk_size` at a time (None: as many as `zen.jacobian` would), and only the
    diagonal is kept: the memory is that of one chunk, not of the matrix.

    >>> import numpy as np, zen
    >>> zen.hessian_diag(lambda x: (x**3).sum())(np.array([1.0, 2.0])).tolist()
    [6.0, 12.0]
    """
    return _Diagonal(f, argnums, has_aux, chunk_size)


class _Diagonal(Wrapper):
    """What `hessian_diag` returns."""

    _name = "hessian_diag"

    def __init__(self, f: Callable[..., Any], argnums: int, has_aux: bool, chunk_size: int | None) -> None:
        if not isinstance(argnums, int):
            raise TypeError(f"hessian_diag: argnums is an int, not {argnums!r}; nest the arguments in one")
        check_chunk_size("hessian_diag", chunk_size)
        Wrapper.__init__(self, f)
        self._f, self._argnums, self._has_aux, self._chunk_size = f, argnums, has_aux, chunk_size

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        (k,) = reverse.positions(self._argnums, len(args))
        aux: list[Any] = []

        def gradient(x: Any) -> Any:
            made = reverse.grad(self._f, k, self._has_aux)(*args[:k], x, *args[k + 1 :], **kwargs)
            if not self._has_aux:
                return made
            aux.append(made[1])
            return made[0]

        _, push = linearize(gradient, args[k])
        values = [tensor(x) for x in trees.values(args[k])]
        found = []
        for j, x in enumerate(values):

            def entry(direction: Any, place: Any, j: int = j) -> Any:
                tangents = [direction if i == j else np.zeros(v.shape, direction.dtype) for i, v in enumerate(values)]
                moved = tensor(trees.values(push(trees.rebuild(args[k], tangents)))[j])
                return (moved * direction).sum()

            basis = np.eye(x.size, dtype=floating(x.dtype)).reshape(x.size, *x.shape)
            step = self._chunk_size or max(1, (1 << 26) // max(1, x.size * x.dtype.itemsize))
            made = vmap(entry, chunk_size=step)(basis, np.arange(x.size))
            found.append(made.reshape(x.shape))
        diagonal = trees.rebuild(args[k], found)
        return (diagonal, aux[0]) if self._has_aux else diagonal

    def _parts(self) -> tuple[Any, ...]:
        return self._f, self._argnums, self._has_aux, self._chunk_size


for _function in (hessian, hessian_diag, hvp, value_and_hessian):
    placed(_function, "zen", _function.__name__)

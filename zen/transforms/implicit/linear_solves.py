"""`cg` and `gmres`: linear systems whose matrix is known by its products, solved by SciPy, differentiated by zen.

The derivative of x = A^-1 b is another such system, with the transposed of A, which the vector-Jacobian product of A
gives. It is solved by the same function, so that derivatives of every order are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...batched import Batched, Unbatched
from ...dtypes import COMPLEX
from ...extras import scipy_module
from ...ops.operands import operand, raw
from ...ops.register import FUNCTIONS, placed
from ..custom import custom_vjp
from ..levels import within
from ..reverse import vjp
from ..unknowns import Unknowns, check_number, holds_tensors, plain
from .rows import implicit

_REMEDY = {
    "cg": "raise maxiter or rtol, give a preconditioner M, or take gmres if A is not symmetric and positive definite",
    "gmres": "raise maxiter, restart or rtol, or give a preconditioner M",
}


def cg(
    A: Any, b: Any, x0: Any = None, *, args: tuple[Any, ...] = (), rtol: float | None = None, atol: float = 0.0,
    maxiter: int | None = None, M: Any = None,
) -> Any:  # fmt: skip
    """The x with `A(x) = b`, for a symmetric (Hermitian) positive definite A, by conjugate gradients (SciPy's `cg`).

    A: a function `A(v, *args)` of what has the structure and shapes of b, linear in v, made of differentiable
    operations; or a matrix: a Tensor, an array, what is in `scipy.sparse`, or a LinearOperator. b: a number, array or
    Tensor of any shape, or a nested container of these; real or complex. x has the structure of b.
    rtol, atol: the iteration ends where norm(b - A(x)) <= max(rtol * norm(b), atol). rtol is 1e-10, for float32 1e-5:
    derivatives are no more accurate than that. maxiter: 10 times the unknowns, by default.
    M: a preconditioner, near to the inverse of A: a matrix or function, likewise; it does not change the result.

    Differentiable in b, `args`, A if it is a Tensor, and Tensors that the function A uses, to any order, in every
    mode; x0 and M play no part in that. Each derivative is a solve with the transposed of A. Unlike SciPy's function,
    this returns x alone, and raises RuntimeError where the iteration did not converge. Raises ValueError for an A that
    is not linear or whose result has not the shape of b, TypeError for integers where SciPy would take them.

    >>> import numpy as np, zen
    >>> solve = lambda d: zen.linalg.cg(lambda v: d * v, np.array([1.0, 4.0]))
    >>> zen.jacobian(solve)(np.array([1.0, 2.0])).round(6).tolist()
    [[-1.0, 0.0], [0.0, -1.0]]
    """
    return _solved("cg", A, b, x0, args, M, {"rtol": rtol, "atol": atol, "maxiter": maxiter})


def gmres(
    A: Any, b: Any, x0: Any = None, *, args: tuple[Any, ...] = (), rtol: float | None = None, atol: float = 0.0,
    restart: int | None = None, maxiter: int | None = None, M: Any = None,
) -> Any:  # fmt: skip
    """The x with `A(x) = b`, for any A that has an inverse, by the generalised minimal residual method (SciPy's).

    restart: iterations between restarts, 20 by default; the memory is as many times that of b. maxiter: the number of
    restarts. All else as in `zen.linalg.cg`.

    >>> import numpy as np, zen
    >>> b = zen.tensor([2.0, 3.0], requires_grad=True)
    >>> x = zen.linalg.gmres(lambda v: v + np.flip(v) * np.array([0.0, 1.0]), b)
    >>> x.sum().backward()
    >>> x.array.round(6).tolist(), b.gradient.round(6).tolist()
    ([2.0, 1.0], [0.0, 1.0])
    """
    options = {"rtol": rtol, "atol": atol, "maxiter": maxiter, "restart": restart}
    return _solved("gmres", A, b, x0, args, M, options)


def _solved(
    method: str, A: Any, b: Any, x0: Any, args: tuple[Any, ...], M: Any, options: dict[str, Any]
) -> Any:  # fmt: skip
    with within(()):
        return _solved_alone(method, A, b, x0, args, M, options)


def _solved_alone(
    method: str, A: Any, b: Any, x0: Any, args: tuple[Any, ...], M: Any, options: dict[str, Any]
) -> Any:  # fmt: skip
    for name, value in options.items():
        if value is not None or name == "atol":
            check_number(method, name, value, name in ("maxiter", "restart"), name in ("rtol", "atol"))
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"{method}: args is a tuple of further arguments of A, not {type(args).__name__}")
    if not callable(A) or hasattr(A, "matvec"):  # of a matrix a list is a vector, not a container
        b = operand(method, b)
    unknowns = Unknowns(method, "b", b, or_complex=True)
    took_tensors = unknowns.has_tensors or holds_tensors(args, A)
    if isinstance(A, (list, Tensor, np.ndarray, Batched)):
        if type(A) is Batched:
            raise Unbatched(f"{method} solves for one example after the other")
        A, args = _product, (A if isinstance(A, Tensor) else np.asarray(A),)
        _check_square(method, args[0].shape, unknowns)
    elif hasattr(A, "matvec") or (hasattr(A, "dot") and hasattr(A, "shape")):
        _check_square(method, A.shape, unknowns)
        A = _constant(A)
    elif not callable(A):
        raise TypeError(f"{method}: A is a function, matrix or LinearOperator, not {type(A).__name__}")

    def product(v: Any, *args: Any) -> Any:
        return unknowns.raveled(A(unknowns.unravel(v), *args), True, "A")

    def function_of_vectors(m: Any) -> Any:
        return (
            m if not callable(m) or hasattr(m, "dot") else lambda v: unknowns.raveled(m(unknowns.unravel(v)), True, "M")
        )

    start = None if x0 is None else Unknowns(method, "x0", x0, or_complex=True).start
    if start is not None and start.size != unknowns.start.size:
        raise ValueError(f"{method}: x0 has {start.size} numbers, b has {unknowns.start.size}")
    largest = np.abs(plain(product, args)(np.zeros_like(unknowns.start))).max(initial=0.0)
    if np.isnan(largest):
        raise FloatingPointError(f"{method}: A makes nan of zeros")
    if largest:
        raise ValueError(
            f"{method}: A is not linear: of zeros it makes {largest:.3g}; move what does not depend on v to b"
        )
    flat = iterated(method, method, product, unknowns.flat, tuple(args), start, function_of_vectors(M), options)
    return unknowns.handed(flat, not took_tensors)


def _check_square(method: str, shape: tuple[int, ...], unknowns: Unknowns) -> None:
    n = unknowns.start.size
    if tuple(shape) != (n, n):
        raise ValueError(f"{method}: A has shape {tuple(shape)}; for a b of {n} numbers it must have {(n, n)}")


def _product(v: Any, matrix: Any) -> Any:
    f = FUNCTIONS
    return f["reshape"](f["matmul"](matrix, f["reshape"](v, -1)), v.shape)


def _constant(A: Any) -> Callable[[Any], Any]:
    """A sparse matrix or LinearOperator as an operation on Tensors; its derivative is its adjoint."""

    def forward(v: np.ndarray) -> np.ndarray:
        return np.asarray(A @ v.reshape(-1)).reshape(v.shape)

    def backward(v: np.ndarray) -> np.ndarray:
        adjoint = A.rmatvec if hasattr(A, "rmatvec") else A.conj().T.dot
        return np.asarray(adjoint(v.reshape(-1))).reshape(v.shape)

    product, adjoint = custom_vjp(forward), custom_vjp(backward)
    product.defvjp(lambda g, out, v: adjoint(g))
    adjoint.defvjp(lambda g, out, v: product(g))
    return product


def iterated(
    name: str, method: str, product: Callable[..., Any], b: Any, args: tuple[Any, ...], x0: np.ndarray | None, M: Any,
    options: dict[str, Any], pure: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Tensor:  # fmt: skip
    """The vector x with `product(x, *args) = b`, as a Tensor. pure: the product on arrays, if there is a faster one."""
    array = np.asarray(raw(b))
    x = _scipy(name, method, pure or plain(product, args), array, x0, M, options)

    def residual(x: Any, b: Any, *args: Any) -> Any:
        return product(x, *args) - b

    def transposed(of_x: Callable[[Any], Any], x: Any, g: Any) -> Any:
        return _transposed_solve(
            name, method, of_x, np.zeros(x.shape, x.dtype), g, _transposed_matrix(method, M), options
        )

    return implicit(name, residual, x, (b, *args), transposed, "")


def transposed_by(name: str, method: str) -> Callable[..., Any]:
    """What solves the systems of the derivatives of a root, by products with its Jacobian alone."""

    def transposed(of_x: Callable[[Any], Any], x: Any, g: Any) -> Any:
        options = {"rtol": None, "atol": 0.0, "maxiter": None}
        return _transposed_solve(name, method, of_x, x, g, None, options)

    return transposed


def _transposed_solve(
    name: str, method: str, of_x: Callable[[Any], Any], x: Any, g: Any, M: Any, options: dict[str, Any]
) -> Any:
    """The v with (d of_x / dx)^T v = g. Not conjugated: `vjp` is, so that it is undone."""
    conj: Callable[[Any], Any] = FUNCTIONS["conj"] if g.dtype in COMPLEX else lambda v: v

    def product(v: Any) -> Any:
        return conj(vjp(of_x, x)[1](conj(v))[0])

    with backend.GradMode(False):
        _, pull = vjp(of_x, x)

    def pure(v: np.ndarray) -> np.ndarray:
        with backend.GradMode(False):
            return np.asarray(raw(conj(raw(pull(conj(v))[0]))))

    return iterated(name, method, product, g, (), None, M, options, pure)


def _transposed_matrix(method: str, M: Any) -> Any:
    if M is None or (method == "cg" and (callable(M) or np.asarray(raw(M)).dtype not in COMPLEX)):
        return M  # symmetric
    if hasattr(M, "T"):
        return M.T

    def function(v: Any) -> Any:
        return vjp(M, np.zeros(v.shape, v.dtype))[1](v)[0]

    return function


def _scipy(
    name: str, method: str, product: Callable[[np.ndarray], np.ndarray], b: np.ndarray, x0: np.ndarray | None, M: Any,
    options: dict[str, Any],
) -> np.ndarray:  # fmt: skip
    linalg = scipy_module("sparse.linalg", f"zen.linalg.{name}" if name == method else name)
    n, count = b.size, [0]
    if options["rtol"] is None:
        options = {**options, "rtol": 1e-5 if b.real.dtype.itemsize < 8 else 1e-10}

    def counted(v: np.ndarray) -> np.ndarray:
        count[0] += 1
        return product(np.asarray(v, b.dtype).reshape(-1))

    operator = linalg.LinearOperator((n, n), counted, dtype=b.dtype)
    if M is not None:
        M = raw(M)
        if callable(M) and not hasattr(M, "dot"):
            M = linalg.LinearOperator((n, n), plain(M, ()), dtype=b.dtype)
        elif tuple(M.shape) != (n, n):
            raise ValueError(f"{method}: M has shape {tuple(M.shape)}; expected {(n, n)}")
    with np.errstate(all="ignore"):
        x, _ = getattr(linalg, method)(operator, b, x0, M=M, **options)
        rest = float(np.linalg.norm(b - product(np.asarray(x, b.dtype))))
    allowed = max(options["rtol"] * float(np.linalg.norm(b)), options["atol"])
    if not rest <= 10 * allowed + np.finfo(b.dtype).tiny:  # which a recurrence of residuals may be off by
        wanted = f"norm(b - A(x)) is {rest:.3g} after {count[0]} products, more than {allowed:.3g}"
        raise RuntimeError(f"{name}: {method} did not converge: {wanted}; {_REMEDY[method]}")
    return np.asarray(x, b.dtype)


for _function in (cg, gmres):
    placed(_function, "zen.linalg", _function.__name__)

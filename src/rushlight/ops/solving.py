"""Linear equations, inverses and determinants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..backend import placing
from ..backend.numpy import lapack
from ..errors import LinAlgError
from .creation import eye
from .declare import primitive
from .linear import mt
from .publishing import public, type_error
from .results import named
from .shape import sum_to_any
from .triangular import (
    batch_element,
    by_columns,
    check_batches,
    check_floating,
    check_lapack,
    check_matrix,
    check_product,
    check_square,
    linalg,
    linalg_solve_triangular,
)

# ---- solve --------------------------------------------------------------------------------------------------------------


def _solve_forward(a: Any, b: Any) -> Any:
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    info = np.zeros(a.shape[:-2], np.int32)
    if 0 in b.shape or 0 in a.shape:
        return [np.zeros(lead + b.shape[-2:], b.dtype), info]
    try:
        with np.errstate(all="ignore"):
            return [placing.columns(np.linalg.solve(a, b)), info]
    except np.linalg.LinAlgError:
        inverse, info = lapack.inv_ex(lapack.wide(a))
        with np.errstate(all="ignore"):
            return [placing.columns((inverse @ b).astype(b.dtype)), info]


def _solve_gradients(g: Any, a: Any, out: Any, b_shape: Any, needs: Any) -> Any:
    g_b = _solve(mt(a), g)[0]
    g_a = sum_to_any(-(g_b @ mt(out[0])), a.shape) if needs[0] else None
    return g_a, sum_to_any(g_b, b_shape) if needs[1] else None


_solve = primitive(
    "LinalgSolveExBackward0", _solve_forward, inputs=("a", "b"), tensors=True, non_differentiable=(1,),
    backward=_solve_gradients,
)  # fmt: skip
_SOLVE_EX, _INV_EX = named("linalg_solve_ex", "result info"), named("linalg_inv_ex", "inverse info")


def _is_vector(x: Any, y: Any) -> Any:
    """Whether the right-hand side is a vector (or a batch of them), not a matrix."""
    return y.dim() == 1 or (x.dim() - 1 == y.dim() and y.shape == x.shape[:-1])


def _solved(name: str, x: Any, y: Any, left: bool, check: bool) -> tuple[Any, Any]:
    label = "linalg.solve"
    check_square(x, label, function="linalg_solve")
    if not isinstance(y, Tensor):
        raise type_error("linalg_solve", y, 2, "B")
    check_floating(x, label, low=False)
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"{label}: Expected A and B to have the same dtype, but found A of type {x.dtype.scalar_name} and B of type "
            f"{y.dtype.scalar_name} instead"
        )
    vector = _is_vector(x, y)
    rows = y.unsqueeze(-1) if vector else y
    if vector and not left:
        raise RuntimeError(
            f"{label}: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    check_matrix(rows, label, "B")
    check_product(label, x, rows, left)
    check_batches(x, rows)
    if left:
        found, info = _solve(x, rows)
    else:
        found, info = _solve(x.transpose(-2, -1), rows.transpose(-2, -1))
        found = found.transpose(-2, -1)
    words, at = batch_element(info)
    if check and at:
        raise LinAlgError(f"{name}: {words}The solver failed because the input matrix is singular.")
    if vector and found._array.ndim > 2:  # a batch of vectors counts as a matrix
        found._array = placing.columns(found._array[..., 0])[..., None]
    return found.squeeze(-1) if vector else found, info


@linalg
def linalg_solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution X of `A X = B` (or of `X A = B`), for a matrix or vector B."""
    return _solved("torch.linalg.solve", A, B, left, True)[0]


@linalg
def linalg_solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    """As `linalg.solve`; a singular A is told by `info`."""
    return _SOLVE_EX(_solved("torch.linalg.solve_ex", A, B, left, check_errors))


# ---- inverses -----------------------------------------------------------------------------------------------------------

_inverse = primitive(
    "LinalgInvExBackward0", lambda a: (list(lapack.inv_ex(a))), tensors=True, non_differentiable=(1,),
    a=lambda g, out: -(mt(out[0]) @ g @ mt(out[0])),
)  # fmt: skip


def _inverted(name: str, x: Any, check: bool) -> tuple[Any, Any]:
    check_square(x, "linalg.inv", function=name.replace(".", "_"))
    check_floating(x, "linalg.inv", low=False)
    found, info = _inverse(x)
    words, at = batch_element(info)
    if check and at:
        raise LinAlgError(
            f"{name}: {words}The diagonal element {at} is zero, the inversion could not be completed because the input "
            "matrix is singular."
        )
    return found, info


@linalg
def linalg_inv(A: Any) -> Any:
    """The inverse of square matrices."""
    return _inverted("linalg.inv", A, True)[0]


@linalg
def linalg_inv_ex(A: Any, *, check_errors: bool = False) -> Any:
    """As `linalg.inv`; a singular matrix is told by `info`."""
    return _INV_EX(_inverted("linalg.inv_ex", A, check_errors))


@public(out=True)
def inverse(input: Any) -> Any:
    """The old name of `linalg.inv`."""
    return linalg_inv(input)


@linalg
def linalg_tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of a tensor read as a matrix: its first `ind` dimensions are rows."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    head, tail = A.shape[:ind], A.shape[ind:]
    if math.prod(head) != math.prod(tail):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(tail)} != {math.prod(head)}"
        )
    n = math.prod(tail)
    found, info = _inverse(A.reshape(n, n))
    if batch_element(info)[1]:
        raise LinAlgError("Failed to invert the input tensor, because it is singular.")
    return found.reshape((*tail, *head))


@linalg
def linalg_tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """The solution X of `tensordot(A, X, X.ndim) = B`."""
    if dims is not None:
        A = A.movedim(list(dims), list(range(A.dim() - len(dims), A.dim())))
    rest = A.shape[B.dim() :]
    head = math.prod(A.shape[: B.dim()])
    if math.prod(rest) != head:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {math.prod(rest)} != {head}"
        )
    return linalg_solve(A.reshape(head, head), B.reshape(-1)).reshape(tuple(rest))


# ---- with a factor at hand ----------------------------------------------------------------------------------------------


@public(out=True)
def cholesky_solve(input: Any, input2: Any, upper: bool = False) -> Any:
    """The solution X of `L L^H X = input` for the factor L given."""
    for label, x in (("b", input), ("u", input2)):
        if x._array.ndim < 2:
            raise RuntimeError(f"{label} should have at least 2 dimensions, but has {x._array.ndim} dimensions instead")
    check_square(input2, "cholesky_solve")
    check_product("cholesky_solve", input2, input, True)
    check_batches(input, input2)
    lower = mt(input2) if upper else input2
    half = linalg_solve_triangular(lower, input, upper=False)
    return linalg_solve_triangular(mt(lower), half, upper=True)


@public(out=True)
def cholesky_inverse(input: Any, upper: bool = False) -> Any:
    """The inverse of `L L^H` for the factor L given."""
    check_square(input, "cholesky_inverse")
    zero = np.diagonal(input._array, axis1=-2, axis2=-1) == 0
    words, at = batch_element(
        np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if zero.size else np.zeros(zero.shape[:-1], int)
    )
    if at:
        raise LinAlgError(
            f"cholesky_inverse: {words}The diagonal element {at} is zero, the inversion could not be completed because "
            "the input matrix is singular."
        )
    return cholesky_solve(eye(input.shape[-1], dtype=input.dtype), input, upper)


def _ordered(x: Any, pivots: Any, inverse: bool) -> Any:
    """`P x`, or `P^T x`, for rows exchanged in turn."""
    p = wrap(lapack.lu_permutation(pivots._array, x.shape[-2], x._array.dtype))
    return (p.transpose(-2, -1) if inverse else p) @ x


@linalg
def linalg_lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """The solution X of `A X = B` for A factored by `linalg.lu_factor`; with `adjoint`, of `A^H X = B`."""
    name = "linalg.lu_solve"
    check_floating(LU, name)
    if pivots.dtype is not dtypes.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    check_square(LU, name, "LU")
    check_matrix(B, name, "B")
    check_product(name, LU, B, left)
    if pivots.shape[-1] != LU.shape[-1]:
        raise RuntimeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    if pivots.shape[:-1] != LU.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    if LU.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected LU and B to have the same dtype, but found LU of type {LU.dtype.scalar_name} and B of "
            f"type {B.dtype.scalar_name} instead"
        )
    check_batches(LU, B)
    if not left:  # X A = B is A^H X^H = B^H
        return mt(linalg_lu_solve(LU, pivots, mt(B), adjoint=not adjoint))
    if adjoint:
        half = linalg_solve_triangular(mt(LU), B, upper=False)
        half = linalg_solve_triangular(mt(LU), half, upper=True, unitriangular=True)
        return by_columns(_ordered(half, pivots, False))
    half = linalg_solve_triangular(LU, _ordered(B, pivots, True), upper=False, unitriangular=True)
    return linalg_solve_triangular(LU, half, upper=True)


@public(out=True)
def lu_solve(input: Any, LU_data: Any, LU_pivots: Any) -> Any:
    """The old form of `linalg.lu_solve`."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


# ---- determinants -------------------------------------------------------------------------------------------------------


def _det_forward(a: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.det(lapack.wide(a))).astype(a.dtype)


def _det_backward(g: Any, a: Any, out: Any) -> Any:
    """det(A) A^{-H}, or for singular matrices the same from singular values, where nothing is divided."""
    if not a._array.size:
        return a * 0
    inverse, info = lapack.inv_ex(a._array)
    small = np.abs(out._array) < 1e-5 * np.maximum(np.abs(a._array).sum(-1).max(-1), 1e-30) ** a.shape[-1]
    if not (info.any() or small.any() or not np.isfinite(inverse).all()):
        return (g * out.conj())[..., None, None] * mt(_inverse(a)[0])
    from .spectra import linalg_svd

    u, s, vh = linalg_svd(a)
    n = s.shape[-1]
    others = [s[..., [j for j in range(n) if j != i]].prod(-1) for i in range(n)]
    from .joining import stack

    diagonal = stack(others, -1).to(a.dtype) if n > 1 else (s * 0 + 1).to(a.dtype)
    sign = (linalg_det(u) * linalg_det(vh)).conj()
    return (g * sign)[..., None, None] * ((u * diagonal.unsqueeze(-2)) @ vh)


_det = primitive("LinalgDetBackward0", _det_forward, tensors=True, a=lambda g, a, out: _det_backward(g, a, out))


@linalg
def linalg_det(A: Any) -> Any:
    """The determinant of square matrices."""
    check_square(A, "linalg.det")
    check_floating(A, "linalg.det")
    check_lapack(A, "lu_cpu")
    return _det(A)


@public
def det(input: Any) -> Any:
    """The old name of `linalg.det`."""
    return linalg_det(input)


def _slogdet_forward(a: Any) -> Any:
    with np.errstate(all="ignore"):
        sign, logs = np.linalg.slogdet(lapack.wide(a))
    return [np.asarray(sign).astype(a.dtype), np.asarray(logs).astype(a.real.dtype)]


def _slogdet_backward(g: Any, a: Any, out: Any) -> Any:
    weight = g[1].to(a.dtype)
    if a.is_complex():
        turn = (g[0].conj() * out[0]).imag
        weight = weight - 1j * turn
    return weight[..., None, None] * mt(_inverse(a)[0])


_slogdet = primitive(
    "LinalgSlogdetBackward0", _slogdet_forward, tensors=True, a=lambda g, a, out: _slogdet_backward(g, a, out)
)
_LINALG_SLOGDET, _SLOGDET = named("linalg_slogdet", "sign logabsdet"), named("slogdet", "sign logabsdet")


@linalg
def linalg_slogdet(A: Any) -> Any:
    """The sign of the determinant, and the logarithm of its absolute value."""
    check_square(A, "linalg.slogdet")
    check_floating(A, "linalg.slogdet", low=False)
    return _LINALG_SLOGDET(_slogdet(A))


@public(out=True)
def slogdet(input: Any) -> Any:
    """The old name of `linalg.slogdet`."""
    return _SLOGDET(linalg_slogdet(input))


@public
def logdet(input: Any) -> Any:
    """The logarithm of the determinant: nan where it is negative."""
    check_square(input, "logdet")
    check_floating(input, "logdet", low=False)
    sign, logs = _slogdet(input)
    if input.is_complex():
        return sign.log() + logs
    return logs.masked_fill(sign.detach() == -1, math.nan)

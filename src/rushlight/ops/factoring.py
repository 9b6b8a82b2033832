"""Matrices as products: Cholesky, LU, LDL and QR, with their gradients.

The gradients follow Murray, "Differentiation of the Cholesky decomposition" (2016), and the same kind of argument for
LU and QR: differentiate the product, and split what is left into its triangular parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..backend import placing
from ..backend.numpy import lapack
from ..errors import LinAlgError
from ..settings import warn_once
from .creation import eye
from .declare import primitive
from .joining import cat, stack
from .linear import mt
from .publishing import public, type_error
from .results import named
from .triangular import (
    batch_element,
    by_columns,
    check_floating,
    check_lapack,
    check_matrix,
    check_square,
    linalg,
    linalg_solve_triangular,
)

# ---- Cholesky -----------------------------------------------------------------------------------------------------------


def _half_lower(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    return x.tril() - x.diagonal(0, -2, -1).diag_embed() * 0.5


def _cholesky_backward(g: Any, out: Any) -> Any:
    inner = _half_lower(mt(out) @ g)
    half = linalg_solve_triangular(mt(out), inner, upper=True)
    full = linalg_solve_triangular(out, half, upper=False, left=False)
    return (full + mt(full)) * 0.5


_cholesky = primitive(
    "LinalgCholeskyExBackward0", lambda a: lapack.cholesky_ex(a), tensors=True, non_differentiable=(1,),
    a=lambda g, out: _cholesky_backward(g, out[0]),
)  # fmt: skip
_CHOLESKY_EX = named("linalg_cholesky_ex", "L info")


def _factor_cholesky(name: str, input: Any, upper: bool, check: bool) -> Any:
    check_square(input, "linalg.cholesky" if name.startswith("linalg") else name, function=name.replace(".", "_"))
    check_floating(input, "linalg.cholesky")
    check_lapack(input, "cholesky_cpu")
    lower, info = _cholesky(mt(input) if upper else input)
    words, minor = batch_element(info)
    if check and minor:
        raise LinAlgError(
            f"{name}: {words}The factorization could not be completed because the input is not positive-definite (the "
            f"leading minor of order {minor} is not positive-definite)."
        )
    return mt(lower) if upper else lower, info


@linalg
def linalg_cholesky(input: Any, *, upper: bool = False) -> Any:
    """The triangular factor L of Hermitian positive-definite matrices, `A = L L^H`."""
    return _factor_cholesky("linalg.cholesky", input, upper, True)[0]


@public(out=True)
def cholesky(input: Any, upper: bool = False) -> Any:
    """The old name of `linalg.cholesky`."""
    warn_once(
        "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch release.\n"
        "L = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\n"
        "U = torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\n"
        "This transform will produce equivalent results for all valid (symmetric positive definite) inputs."
    )
    return _factor_cholesky("cholesky", input, upper, True)[0]


@linalg
def linalg_cholesky_ex(input: Any, *, upper: bool = False, check_errors: bool = False) -> Any:
    """As `linalg.cholesky`; failures are told by `info`."""
    return _CHOLESKY_EX(_factor_cholesky("linalg.cholesky_ex", input, upper, check_errors))


# ---- LU -----------------------------------------------------------------------------------------------------------------


def _lu_forward(a: Any) -> Any:
    lu, pivots, info = lapack.lu_factor(a)
    return [lu, pivots, info]


def _unit_lower(lu: Any, k: int) -> Any:
    part = lu[..., :k].tril(-1)
    return part + eye(lu.shape[-2], k, dtype=lu.dtype)


def _lu_backward(g_lower: Any, g_upper: Any, lower: Any, upper: Any) -> Any:
    """The gradient of `P^T A`, from those of L (below the diagonal) and U."""
    m, n = lower.shape[-2], upper.shape[-1]
    k = min(m, n)
    l1, u1 = lower[..., :k, :], upper[..., :k]
    below = (mt(l1) @ g_lower[..., :k, :]).tril(-1)
    above = (g_upper[..., :k] @ mt(u1)).triu()
    if n > k:
        below = below - (g_upper[..., k:] @ mt(upper[..., k:])).tril(-1)
    if m > k:
        above = above - (mt(lower[..., k:, :]) @ g_lower[..., k:, :]).triu()
    inner = linalg_solve_triangular(mt(u1), below + above, upper=False, left=False)
    square = linalg_solve_triangular(mt(l1), inner, upper=True, unitriangular=True)
    if n > k:
        return cat([square, linalg_solve_triangular(mt(l1), g_upper[..., k:], upper=True, unitriangular=True)], -1)
    if m > k:
        return cat([square, linalg_solve_triangular(mt(u1), g_lower[..., k:, :], upper=False, left=False)], -2)
    return square


def _factor_backward(g: Any, lu: Any, pivots: Any) -> Any:
    m, n = lu.shape[-2:]
    k = min(m, n)
    g_rows = _lu_backward(g[..., :k].tril(-1), g[..., :k, :].triu(), _unit_lower(lu, k), lu[..., :k, :].triu())
    return _permutation(pivots, m, lu) @ g_rows


def _permutation(pivots: Any, m: int, like: Any) -> Any:
    a = pivots._array if isinstance(pivots, Tensor) else pivots
    return wrap(lapack.lu_permutation(a, m, like._array.dtype))


_lu = primitive(
    "LinalgLuFactorExBackward0", _lu_forward, tensors=True, non_differentiable=(1, 2),
    a=lambda g, out: _factor_backward(g, out[0], out[1]),
)  # fmt: skip
_LU_FACTOR, _LU_FACTOR_EX = named("linalg_lu_factor", "LU pivots"), named("linalg_lu_factor_ex", "LU pivots info")
_LINALG_LU, _LU_UNPACK = named("linalg_lu", "P L U"), named("lu_unpack", "P L U")


def lu_of(name: str, x: Any, pivot: bool) -> Any:
    """LU, pivots and info of a Tensor, with PyTorch's checks in the name of a function."""
    if not isinstance(x, Tensor):
        raise type_error(name.replace("torch.", "linalg_").replace(".", "_"), x, 1, "A")
    if x._array.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(x.shape)} instead")
    check_lapack(x, "lu_cpu")
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")
    return _lu(x)


@linalg
def linalg_lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """As `linalg.lu_factor`; a zero pivot is told by `info`."""
    found = lu_of("torch.lu_factor", A, pivot)
    if check_errors:
        _check_pivots("torch.linalg.lu_factor_ex", found[2])
    return _LU_FACTOR_EX(found)


def _check_pivots(name: str, info: Any) -> None:
    words, at = batch_element(info)
    if at:
        raise RuntimeError(
            f"{name}: {words}U[{at},{at}] is zero and using it on lu_solve would result in a division by zero. If you "
            "still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )


@linalg
def linalg_lu_factor(A: Any, *, pivot: bool = True) -> Any:
    """L and U of matrices in one, and the row exchanges of partial pivoting."""
    lu, pivots, info = lu_of("torch.lu_factor", A, pivot)
    _check_pivots("torch.linalg.lu_factor", info)
    return _LU_FACTOR((lu, pivots))


@linalg
def linalg_lu(A: Any, *, pivot: bool = True) -> Any:
    """P, L and U of `A = P L U`."""
    lu, pivots, _ = lu_of("linalg.lu", A, pivot)
    m, n = lu.shape[-2:]
    k = min(m, n)
    return _LINALG_LU((_permutation(pivots, m, lu), _unit_lower(lu, k), lu[..., :k, :].triu()))


@public(method=False, out=True)
def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """P, L and U from what `linalg.lu_factor` returned."""
    if LU_pivots.dtype is not dtypes.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    a = LU_pivots._array
    empty = LU_data.new_empty((0,))
    if unpack_pivots and (a.shape[-1] != k or (a.size and (a.min() < 1 or a.max() > m))):
        raise RuntimeError(
            "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
            "Did you properly pass the result of lu_factor?"
        )
    p = _permutation(LU_pivots, m, LU_data) if unpack_pivots else empty
    if not unpack_data:
        return _LU_UNPACK((p, empty, empty))
    return _LU_UNPACK((p, _unit_lower(LU_data, k), LU_data[..., :k, :].triu()))


@public
def lu(A: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    """The old form of `linalg.lu_factor`: LU, pivots, and the infos if asked for."""
    warn_once(
        "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed in a "
        "future PyTorch release.\nLU, pivots = torch.lu(A, compute_pivots)\nshould be replaced with\n"
        "LU, pivots = torch.linalg.lu_factor(A, compute_pivots)\nand\n"
        "LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)\nshould be replaced with\n"
        "LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)"
    )
    found = lu_of("torch.lu_factor", A, pivot)
    return found if get_infos else found[:2]


# ---- LDL ----------------------------------------------------------------------------------------------------------------

_LDL_FACTOR, _LDL_FACTOR_EX = named("linalg_ldl_factor", "LD pivots"), named("linalg_ldl_factor_ex", "LD pivots info")


@linalg
def linalg_ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """As `linalg.ldl_factor`; a zero block of D is told by `info`."""
    name = "torch.linalg.ldl_factor_ex"
    check_square(A, name)
    check_floating(A, name)
    check_lapack(A, "ldl_factor_kernel_cpu")
    if A.requires_grad:
        from ..errors import unsupported

        raise unsupported("the derivative of linalg.ldl_factor", "PyTorch has none either.")
    ld, pivots, info = lapack.ldl_factor(A._array, hermitian)
    words, at = batch_element(info)
    if check_errors and at:
        raise RuntimeError(f"torch.linalg.ldl_factor_ex: {words}D[{at},{at}] is zero")
    return _LDL_FACTOR_EX((wrap(ld), wrap(pivots), wrap(info)))


@linalg
def linalg_ldl_factor(A: Any, *, hermitian: bool = False) -> Any:
    """L and the blocks of D of symmetric (or Hermitian) matrices in one, and the pivots: `A = P L D L^H P^T`."""
    ld, pivots, info = linalg_ldl_factor_ex(A, hermitian=hermitian)
    words, at = batch_element(info)
    if at:
        raise RuntimeError(f"torch.linalg.ldl_factor: {words}Unknown error code: {at}.")
    return _LDL_FACTOR((ld, pivots))


@linalg
def linalg_ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """The solution X of `A X = B` for A factored by `linalg.ldl_factor`."""
    check_square(LD, "torch.linalg.ldl_solve", "LD")
    if B._array.ndim < 2:
        raise RuntimeError(
            f"torch.linalg.ldl_solve: Expected B to have at least 2 dimensions, but it has {B._array.ndim} dimensions instead"
        )
    if LD.shape[-1] != B.shape[-2]:
        raise RuntimeError("torch.linalg.ldl_solve: Incompatible shapes of A and B for the equation AX = B "
                           f"({LD.shape[-2]}x{LD.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})")  # fmt: skip
    return wrap(lapack.ldl_solve(LD._array, pivots._array, B._array, hermitian))


# ---- QR -----------------------------------------------------------------------------------------------------------------


def _qr_forward(a: Any, mode: str) -> Any:
    m, n = a.shape[-2:]
    rows = m if mode == "complete" else min(m, n)
    if not a.size:
        q = np.broadcast_to(np.eye(m, rows, dtype=a.dtype), (*a.shape[:-2], m, rows)).copy()
        return [q if mode != "r" else np.empty(0, a.dtype), np.zeros((*a.shape[:-2], rows, n), a.dtype)]
    if mode == "r":
        return [np.empty(0, a.dtype), placing.columns(np.linalg.qr(a, "r"))]
    return list(map(placing.columns, np.linalg.qr(a, "complete" if mode == "complete" else "reduced")))


def _qr_backward(g_q: Any, g_r: Any, q: Any, r: Any, mode: str) -> Any:
    m, n = q.shape[-2], r.shape[-1]
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to require differentiability"
        )
    if mode == "complete" and m > n:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    k = min(m, n)
    r1, g_r1 = r[..., :k], g_r[..., :k]
    if n > k:  # A2 = Q R2 with the Q of A1
        g_q = g_q + q @ r[..., k:] @ mt(g_r[..., k:])
    t = (g_r1 @ mt(r1) - mt(q) @ g_q).triu()
    both = t + mt(t)
    both = both - both.diagonal(0, -2, -1).diag_embed() * 0.5
    g_a = linalg_solve_triangular(mt(r1), g_q + q @ both, upper=False, left=False)
    return g_a if n == k else cat([g_a, q @ g_r[..., k:]], -1)


_qr = primitive(
    "LinalgQrBackward0", _qr_forward, tensors=True,
    a=lambda g, out, mode: _qr_backward(g[0], g[1], out[0], out[1], mode),
)  # fmt: skip
_LINALG_QR, _QR, _GEQRF = named("linalg_qr", "Q R"), named("qr", "Q R"), named("geqrf", "a tau")


def _factor_qr(A: Any, mode: str) -> Any:
    check_matrix(A, "linalg.qr")
    check_floating(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    check_lapack(A, "geqrf_cpu")
    return _qr(A, mode)


@linalg
def linalg_qr(A: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and the upper triangular R of `A = Q R`."""
    return _LINALG_QR(_factor_qr(A, mode))


@public(out=True)
def qr(input: Any, some: bool = True) -> Any:
    """The old name of `linalg.qr`; without `some`, complete."""
    warn_once(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.\n"
        "The boolean parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\n"
        "should be replaced with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    )
    return _QR(_factor_qr(input, "reduced" if some else "complete"))


@public(out=True)
def geqrf(input: Any) -> Any:
    """The QR decomposition as LAPACK keeps it: Householder vectors below R, and tau."""
    if input._array.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    check_lapack(input, "geqrf_cpu")
    h, tau = lapack.qr_raw(input._array)
    return _GEQRF((wrap(h), wrap(tau)))


def _reflections(h: Any, tau: Any) -> tuple[Any, list[Any]]:
    """The vectors of the reflections as columns, and the matrices `I - tau_i v_i v_i^H`, as Tensors."""
    m, _n = h.shape[-2:]
    k = tau.shape[-1]
    v = h[..., :k].tril(-1) + eye(m, k, dtype=h.dtype)
    one = eye(m, dtype=h.dtype)
    columns = [v[..., i : i + 1] for i in range(k)]
    return v, [one - tau[..., i, None, None] * (u @ mt(u)) for i, u in enumerate(columns)]


def _householder_backward(g: Any, a: Any, tau: Any, needs: Any) -> Any:
    """Through the product itself: the cotangent of each reflection is what stands before and after it, outside."""
    m, n = a.shape[-2:]
    k = tau.shape[-1]
    v, parts = _reflections(a, tau)
    q_end = eye(m, n, dtype=a.dtype)
    after: list[Any] = [q_end]  # products of the reflections from i on
    for h in reversed(parts):
        after.append(h @ after[-1])
    after.reverse()
    g_v, g_tau = [], []
    before = g  # (H_0 ... H_{i-1})^H g
    for i in range(k):
        cot = before @ mt(after[i + 1])  # of H_i
        u, t = v[..., i : i + 1], tau[..., i, None, None]
        g_tau.append(-(mt(u) @ cot @ u)[..., 0, 0])
        g_v.append(-(t.conj() * (cot @ u) + t * (mt(cot) @ u)))
        before = mt(parts[i]) @ before
    if not k:
        return a * 0, tau * 0
    g_a = cat(g_v, -1).tril(-1)
    if n > k:
        g_a = cat([g_a, (a * 0)[..., k:]], -1)
    return g_a, stack(g_tau, -1)


_householder = primitive(
    "LinalgHouseholderProductBackward0", lambda a, tau: lapack.householder_product(a, tau), inputs=("a", "tau"),
    tensors=True, backward=_householder_backward,
)  # fmt: skip


@linalg
def linalg_householder_product(input: Any, tau: Any) -> Any:
    """The first columns of a product of Householder reflections, as `geqrf` returns them."""
    _check_reflections("torch.linalg.householder_product", input, tau)
    return _householder(input, tau)


def _check_reflections(name: str, x: Any, tau: Any) -> None:
    if x._array.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    m, n = x.shape[-2:]
    if m < n:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if n < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if x._array.ndim - tau._array.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.dim()} and "
            f"input.ndim is equal to {x.dim()}"
        )
    if tau.shape[:-1] != x.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )
    if x.dtype is not tau.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {tau.dtype.scalar_name} does not match input dtype {x.dtype.scalar_name}"
        )


@public(out=True)
def orgqr(input: Any, input2: Any) -> Any:
    """The old name of `linalg.householder_product`."""
    return linalg_householder_product(input, input2)


@public(out=True)
def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """`other` multiplied by the square orthogonal matrix that the reflections of `geqrf` make."""
    m = other.shape[-2 if left else -1]
    if input._array.ndim < 2:
        raise RuntimeError("torch.ormqr: input must have at least 2 dimensions.")
    if other._array.ndim < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    if m < tau.shape[-1]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{-2 if left else -1}] must be greater than or equal to tau.shape[-1]"
        )
    if m != input.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2]")
    h = input
    if m > input.shape[-1]:
        h = cat([h, h.new_zeros((*h.shape[:-1], m - h.shape[-1]))], -1)
    q = _householder(h[..., :m], tau)
    q = mt(q) if transpose else q
    return by_columns(q @ other if left else other @ q)

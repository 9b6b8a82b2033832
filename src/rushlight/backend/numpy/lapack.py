"""Factors of matrices and triangular systems, batched over leading axes: what NumPy's LAPACK lacks, or refuses by raising.

Single precision is computed in double and rounded once, as `numpy.linalg` does. A failure is told by `info`, an int32
for each matrix (0: success), never by an exception. Matrices are returned by columns, as PyTorch's LAPACK leaves them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight.backend import placing

__all__ = [
    "cholesky_ex", "householder_product", "inv_ex", "ldl_factor", "ldl_solve", "lu_factor", "lu_permutation", "matrix_exp",
    "pivots_to_order", "qr_raw", "solve_triangular", "wide",
]  # fmt: skip

BLOCK = 32  # columns factored one by one before the rest is updated by a matrix product


def wide(a: Any) -> Any:
    """`a` in double precision."""
    return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64, copy=False)


def _ct(a: Any) -> Any:
    a = a.swapaxes(-2, -1)
    return a.conj() if a.dtype.kind == "c" else a


def _size(a: Any) -> Any:
    """How large numbers are to LAPACK when it compares: complex ones by the sum of their parts."""
    return np.abs(a.real) + np.abs(a.imag) if a.dtype.kind == "c" else np.abs(a)


# ---- triangular systems -------------------------------------------------------------------------------------------------


def solve_triangular(a: Any, b: Any, upper: bool, left: bool = True, unit: bool = False) -> Any:
    """X of `a @ X = b` (or `X @ a = b`), reading one triangle of `a` only; a zero on the diagonal gives inf or nan."""
    kind = b.dtype
    a, b = wide(a), wide(b)
    if not left:
        x = _substitute(a.swapaxes(-2, -1), b.swapaxes(-2, -1), not upper, unit).swapaxes(-2, -1)
        return placing.columns(x.astype(kind))
    return placing.columns(_substitute(a, b, upper, unit).astype(kind))


def _substitute(a: Any, b: Any, upper: bool, unit: bool) -> Any:
    n = a.shape[-1]
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if n > BLOCK:  # halve: the second unknowns do not depend on the first (or the other way round)
        h = n // 2
        low, high = slice(0, h), slice(h, n)
        first, second = (high, low) if upper else (low, high)
        x = _substitute(a[..., first, first], b[..., first, :], upper, unit)
        y = _substitute(a[..., second, second], b[..., second, :] - a[..., second, first] @ x, upper, unit)
        return np.concatenate([y, x] if upper else [x, y], -2)
    x = np.array(np.broadcast_to(b, lead + b.shape[-2:]))
    with np.errstate(all="ignore"):
        for i in reversed(range(n)) if upper else range(n):
            done = slice(i + 1, n) if upper else slice(0, i)
            row = x[..., i : i + 1, :] - a[..., i : i + 1, done] @ x[..., done, :]
            x[..., i : i + 1, :] = row if unit else row / a[..., i : i + 1, i : i + 1]
    return x


# ---- LU -----------------------------------------------------------------------------------------------------------------


def lu_factor(a: Any) -> tuple[Any, Any, Any]:
    """L (below the diagonal) and U in one matrix, the row that was exchanged with each (from 1), and `info`."""
    out = np.array(wide(a), order="C")
    *lead, m, n = out.shape
    k = min(m, n)
    flat = out.reshape(math.prod(lead), m, n)
    count = np.arange(len(flat))
    pivots = np.empty((len(flat), k), np.int32)
    info = np.zeros(len(flat), np.int32)
    with np.errstate(all="ignore"):
        for start in range(0, k, BLOCK):
            end = min(start + BLOCK, k)
            for j in range(start, end):
                size = _size(flat[:, j:, j])
                best = np.argmax(np.where(np.isnan(size), -1.0, size), 1) + j
                pivots[:, j] = best + 1
                rows = flat[count, best].copy()
                flat[count, best] = flat[:, j]
                flat[:, j] = rows
                pivot = flat[:, j, j]
                zero = pivot == 0
                info[zero & (info == 0)] = j + 1
                flat[:, j + 1 :, j] /= np.where(zero, 1, pivot)[:, None]
                flat[:, j + 1 :, j + 1 : end] -= flat[:, j + 1 :, j, None] * flat[:, j, None, j + 1 : end]
            if end < n:
                flat[:, start:end, end:] = _substitute(
                    flat[:, start:end, start:end], flat[:, start:end, end:], False, True
                )
                flat[:, end:, end:] -= flat[:, end:, start:end] @ flat[:, start:end, end:]
    return placing.columns(out.astype(a.dtype, copy=False)), pivots.reshape(*lead, k), info.reshape(lead)


def pivots_to_order(pivots: Any, m: int) -> Any:
    """Where each row of `P^T A` comes from, for rows exchanged in turn."""
    lead = pivots.shape[:-1]
    flat = pivots.reshape(math.prod(lead), pivots.shape[-1])
    order = np.tile(np.arange(m), (len(flat), 1))
    count = np.arange(len(flat))
    for j in range(flat.shape[1]):
        other = flat[:, j].astype(np.int64) - 1
        order[count, other], order[:, j] = order[:, j].copy(), order[count, other].copy()
    return order.reshape(*lead, m)


def lu_permutation(pivots: Any, m: int, dtype: Any) -> Any:
    """The matrix P of `A = P L U`."""
    order = pivots_to_order(pivots, m)
    return np.ascontiguousarray(np.eye(m, dtype=dtype)[order].swapaxes(-2, -1))


def inv_ex(a: Any) -> tuple[Any, Any]:
    """The inverse and `info`; of a singular matrix what the divisions by zero leave."""
    try:
        with np.errstate(all="ignore"):
            return placing.columns(np.linalg.inv(a)), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        lu, pivots, info = lu_factor(wide(a))
        p = lu_permutation(pivots, a.shape[-1], lu.dtype).swapaxes(-2, -1)
        with np.errstate(all="ignore"):
            found = _substitute(lu, _substitute(lu, p, False, True), True, False).astype(a.dtype)
        return placing.columns(found), info


# ---- Cholesky and LDL ---------------------------------------------------------------------------------------------------


def cholesky_ex(a: Any) -> tuple[Any, Any]:
    """The lower factor of Hermitian matrices (their lower triangle is read), and `info`: the order of the bad minor."""
    if not a.shape[-1]:
        return np.array(a), np.zeros(a.shape[:-2], np.int32)
    try:
        return placing.columns(np.linalg.cholesky(a)), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        pass
    out, info = np.tril(wide(a)), np.zeros(a.shape[:-2], np.int32)
    for place in np.ndindex(a.shape[:-2]):
        info[place] = _cholesky_of_one(out[place])
    return placing.columns(out.astype(a.dtype)), info


def _cholesky_of_one(a: Any) -> int:
    """Factor in place, column by column; stops at the first pivot that is not positive."""
    for j in range(len(a)):
        pivot = a[j, j].real - np.vdot(a[j, :j], a[j, :j]).real
        if not pivot > 0:
            return j + 1
        a[j, j] = root = math.sqrt(pivot)
        a[j + 1 :, j] = (a[j + 1 :, j] - a[j + 1 :, :j] @ a[j, :j].conj()) / root
    return 0


def ldl_factor(a: Any, hermitian: bool) -> tuple[Any, Any, Any]:
    """L and the blocks of D in one matrix (lower triangle), pivots and `info`: Bunch and Kaufman's diagonal pivoting.

    A positive pivot tells the row exchanged for a block of one; a pair of equal negative ones, that for a block of two.
    """
    out = np.tril(wide(a))
    pivots, info = np.zeros(a.shape[:-1], np.int32), np.zeros(a.shape[:-2], np.int32)
    for place in np.ndindex(a.shape[:-2]):
        info[place] = _ldl_of_one(out[place], pivots[place], hermitian)
    return placing.columns(out.astype(a.dtype)), pivots, info


_ALPHA = (1 + math.sqrt(17)) / 8  # bounds the growth of elements, whichever block is taken


def _ldl_of_one(a: Any, pivots: Any, hermitian: bool) -> int:
    n, k, info = len(a), 0, 0
    conj = np.conj if hermitian else (lambda v: v)

    while k < n:
        step, other = 1, k
        own = abs(a[k, k].real) if hermitian else _size(a[k, k])
        column = _size(a[k + 1 :, k])
        r = k + 1 + int(np.argmax(column)) if len(column) else k
        largest = column[r - k - 1] if len(column) else 0.0
        if max(own, largest) == 0:
            info = info or k + 1
            pivots[k] = k + 1
            if hermitian:
                a[k, k] = a[k, k].real
            k += 1
            continue
        if own < _ALPHA * largest:
            row = np.concatenate([_size(a[r, k:r]), _size(a[r + 1 :, r])])
            biggest = row.max()
            diagonal = abs(a[r, r].real) if hermitian else _size(a[r, r])
            if own >= _ALPHA * largest * (largest / biggest):
                pass
            elif diagonal >= _ALPHA * biggest:
                other = r
            else:
                other, step = r, 2
        at = k + step - 1
        if other != at:  # exchange rows and columns `at` and `other` of the symmetric rest
            a[other + 1 :, [at, other]] = a[other + 1 :, [other, at]]
            between = a[at + 1 : other, at].copy()
            a[at + 1 : other, at] = conj(a[other, at + 1 : other])
            a[other, at + 1 : other] = conj(between)
            a[other, at] = conj(a[other, at])
            a[at, at], a[other, other] = a[other, other], a[at, at]
            if step == 2:
                a[at, k], a[other, k] = a[other, k], a[at, k]
        rest = slice(k + step, n)
        if step == 1:
            if hermitian:
                a[k, k] = a[k, k].real
            column = a[rest, k].copy()
            a[rest, rest] -= np.tril(np.outer(column, conj(column)) / a[k, k])
            a[rest, k] = column / a[k, k]
            pivots[k] = other + 1
        else:
            if hermitian:
                a[k, k], a[k + 1, k + 1] = a[k, k].real, a[k + 1, k + 1].real
            d = np.array([[a[k, k], conj(a[k + 1, k])], [a[k + 1, k], a[k + 1, k + 1]]])
            columns = a[rest, k : k + 2].copy()
            w = columns @ np.linalg.inv(d)
            a[rest, rest] -= np.tril(w @ conj(columns).T)
            a[rest, k : k + 2] = w
            pivots[k] = pivots[k + 1] = -(other + 1)
        k += step
    return info


def ldl_solve(ld: Any, pivots: Any, b: Any, hermitian: bool) -> Any:
    """X of `A @ X = b` for A factored by `ldl_factor`."""
    kind = b.dtype
    ld, b = wide(ld), wide(b)
    lead = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
    ld = np.broadcast_to(ld, lead + ld.shape[-2:])
    pivots = np.broadcast_to(pivots, lead + pivots.shape[-1:])
    out = np.array(np.broadcast_to(b, lead + b.shape[-2:]))
    with np.errstate(all="ignore"):
        for place in np.ndindex(lead):
            _ldl_solve_one(ld[place], pivots[place], out[place], hermitian)
    return placing.columns(out.astype(kind))


def _ldl_solve_one(a: Any, pivots: Any, x: Any, hermitian: bool) -> None:
    n = len(a)
    conj = np.conj if hermitian else (lambda v: v)
    steps, k = [], 0
    while k < n:
        steps.append((k, 1 if pivots[k] > 0 else 2))
        k += steps[-1][1]
    for k, step in steps:  # L D y = P b
        at, other = k + step - 1, abs(int(pivots[k])) - 1
        if other != at:
            x[[at, other]] = x[[other, at]]
        x[k + step :] -= a[k + step :, k : k + step] @ x[k : k + step]
        if step == 1:
            x[k] /= a[k, k]
        else:
            d = np.array([[a[k, k], conj(a[k + 1, k])], [a[k + 1, k], a[k + 1, k + 1]]])
            x[k : k + 2] = np.linalg.solve(d, x[k : k + 2])
    for k, step in reversed(steps):  # L^H x = y
        x[k : k + step] -= conj(a[k + step :, k : k + step]).T @ x[k + step :]
        at, other = k + step - 1, abs(int(pivots[k])) - 1
        if other != at:
            x[[at, other]] = x[[other, at]]


# ---- QR -----------------------------------------------------------------------------------------------------------------


def qr_raw(a: Any) -> tuple[Any, Any]:
    """Householder vectors below the diagonal and R above it in one matrix, and the factors tau."""
    if a.size == 0:
        return np.array(a), np.zeros((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
    h, tau = np.linalg.qr(a, mode="raw")
    return placing.columns(h.swapaxes(-2, -1)), tau


def householder_product(h: Any, tau: Any, columns: int | None = None) -> Any:
    """The first columns of the product of the reflections `I - tau_i v_i v_i^H`, v_i below the diagonal of `h`."""
    *lead, m, n = h.shape
    columns = n if columns is None else columns
    v = np.tril(wide(h), -1)
    index = np.arange(min(m, n))
    v[..., index, index] = 1
    q = np.array(np.broadcast_to(np.eye(m, columns, dtype=v.dtype), (*lead, m, columns)))
    for i in reversed(range(tau.shape[-1])):
        u = v[..., i, None]
        q -= wide(tau)[..., i, None, None] * (u @ (_ct(u) @ q))
    return placing.columns(q.astype(h.dtype))


# ---- the exponential ----------------------------------------------------------------------------------------------------

_PADE = (64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
         670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1)  # fmt: skip


def matrix_exp(a: Any) -> Any:
    """e to the power of matrices: Higham's [13/13] Padé approximant with scaling and squaring (SIAM J. Matrix Anal. 2005)."""
    kind = a.dtype
    a = wide(a)
    n = a.shape[-1]
    if not a.size:
        return np.array(a, kind)
    with np.errstate(all="ignore"):
        norm = np.abs(a).sum(-2).max(-1)
        finite = np.where(np.isfinite(norm), norm, 1.0)
        squarings = np.maximum(np.ceil(np.log2(np.maximum(finite, 1e-300) / 5.371920351148152)), 0).astype(np.int64)
        x = a / (2.0**squarings)[..., None, None]
        c, one = _PADE, np.eye(n, dtype=a.dtype)
        x2 = x @ x
        x4 = x2 @ x2
        x6 = x4 @ x2
        u = x @ (x6 @ (c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one)
        v = x6 @ (c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one
        try:
            out = np.linalg.solve(v - u, v + u)
        except np.linalg.LinAlgError:
            return np.full(a.shape, np.nan, kind)
        for i in range(int(squarings.max()) if squarings.size else 0):
            out = np.where((squarings > i)[..., None, None], out @ out, out)
    return out.astype(kind)

"""Matrix products, by NumPy's own `matmul`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.backend.numpy.precision import Array, widen

__all__ = [
    "matmul",
    "linear",
    "addmm",
]


def matmul(a: Array, b: Array) -> Array:
    """`a @ b` with NumPy's rules: 1-d operands are vectors, leading dimensions broadcast."""
    with np.errstate(all="ignore"):
        return np.asarray(np.matmul(widen(a), widen(b))).astype(a.dtype, copy=False)


def linear(a: Array, w: Array, bias: Array | None = None) -> Array:
    """`a @ w.T + bias` for `a` (…, in), `w` (out, in) or (in), `bias` (out)."""
    with np.errstate(all="ignore"):
        out = np.asarray(np.matmul(widen(a), widen(w).T))
        if bias is not None:
            out = np.asarray(out + widen(bias))
        return out.astype(a.dtype, copy=False)


def addmm(c: Array, a: Array, b: Array, beta: Any = 1, alpha: Any = 1) -> Array:
    """`beta * c + alpha * (a @ b)`, `c` broadcast; with `beta` 0 nothing of `c`, not even a nan, gets through."""
    with np.errstate(all="ignore"):
        out = np.asarray(np.matmul(widen(a), widen(b)))
        if alpha != 1:
            out = out * alpha
        if beta != 0:
            out = out + (widen(c) if beta == 1 else widen(c) * beta)
        return np.asarray(out).astype(a.dtype, copy=False)

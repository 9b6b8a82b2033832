"""Covariances and correlations, and distances between rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..settings import warn
from .declare import primitive
from .linear import mt
from .publishing import public
from .recorded import broadcast_error
from .shape import sum_to_any

# ---- covariance ---------------------------------------------------------------------------------------------------------


def _check_weights(x: Any, weights: Any, label: str, floating: bool) -> None:
    if weights.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {label} to have one or fewer dimensions but got {label} with {weights.dim()} dimensions"
        )
    if floating != weights.is_floating_point() or weights.is_complex():
        kind = "floating point" if floating else "integral"
        raise RuntimeError(
            f"cov(): expected {label} to have {kind} dtype but got {label} with {weights.dtype.scalar_name} dtype"
        )
    n = x.shape[1]
    if weights.numel() != n:
        raise RuntimeError(
            f"cov(): expected {label} to have the same numel as there are observations in the input but got "
            f"{weights.numel()} != {n}"
        )
    if n and bool((weights < 0).any()):
        raise RuntimeError(f"cov(): {label} cannot be negative")


@public
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariance matrix of variables (rows) over observations (columns), with counts and weights if given."""
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    if input.dtype is dtypes.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.dim() < 2 else input
    weights = None
    if fweights is not None:
        _check_weights(x, fweights, "fweights", False)
        weights = fweights
    if aweights is not None:
        _check_weights(x, aweights, "aweights", True)
        weights = aweights if weights is None else weights * aweights
    n = x.shape[1]
    total: Any = n if weights is None else weights.sum()
    if weights is None:
        middle = x.sum(1, keepdim=True) / total if n else x.sum(1, keepdim=True) * math.nan
        scale: Any = max(total - correction, 0)
    else:
        if n and not bool(total):
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        middle = (x * weights).sum(1, keepdim=True) / total
        if aweights is None:
            scale = (total - correction).clamp(min=0)
        else:
            scale = (total - correction * (weights * aweights).sum() / total).clamp(min=0)
    if float(scale) <= 0:
        warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
            UserWarning,
        )
    off = x - middle
    right = off if weights is None else off * weights.to(off.dtype)
    found = (off @ mt(right)) / scale
    return found.squeeze()


@public
def corrcoef(input: Any) -> Any:
    """The matrix of correlation coefficients of variables (rows)."""
    if input.dim() > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    c = cov(input)
    if c.dim() == 0:
        return c / c
    d = c.diag()
    root = (d.real if d.is_complex() else d).sqrt()
    c = c / root.unsqueeze(1) / root.unsqueeze(0)
    if c.is_complex():
        from .creation import complex_of

        return complex_of(c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
    return c.clamp(-1, 1)


# ---- distances ----------------------------------------------------------------------------------------------------------

_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist",
)  # fmt: skip


def _distances(a: Any, b: Any, p: float, product: bool) -> Any:
    """The distances of all rows of a from all rows of b, one row of a at a time so that nothing large is made."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    n, m = a.shape[-2], b.shape[-2]
    if product:
        x, y = a.astype(np.float64), b.astype(np.float64)  # the difference of squares loses half of the digits
        square = (x * x).sum(-1)[..., None] + (y * y).sum(-1)[..., None, :] - 2 * (x @ y.swapaxes(-2, -1))
        return np.sqrt(np.maximum(square, 0)).astype(a.dtype)
    out = np.empty((*lead, n, m), a.dtype)
    with np.errstate(all="ignore"):
        for i in range(n):
            off = np.abs(a[..., i : i + 1, :] - b)
            if p == 2:
                row = np.sqrt((off * off).sum(-1))
            elif p == 0:
                row = (off != 0).sum(-1)
            elif p == math.inf:
                row = off.max(-1, initial=0)
            else:
                row = off.sum(-1) if p == 1 else (off**p).sum(-1) ** (1 / p)
            out[..., i, :] = row
    return out


def _distance_slopes(g: Any, a: Any, b: Any, out: Any, p: float, needs: Any) -> Any:
    if p == 2:  # g (a - b) / d, as two products
        ratio = (g / out).masked_fill(out == 0, 0)
        g_a = a * ratio.sum(-1, keepdim=True) - ratio @ b if needs[0] else None
        g_b = b * ratio.sum(-2).unsqueeze(-1) - mt(ratio) @ a if needs[1] else None
    else:
        off = a.unsqueeze(-2) - b.unsqueeze(-3)
        size, d, g = off.abs(), out.unsqueeze(-1), g.unsqueeze(-1)
        if p == 0:
            slope = off * 0
        elif p == 1:
            slope = off.sign() * g
        elif p == math.inf:
            slope = off.sign() * (size == d).to(off.dtype) * g
        else:
            slope = (off.sign() * size.pow(p - 1)).masked_fill(off == 0, 0) * (g / d.pow(p - 1)).masked_fill(d == 0, 0)
        g_a = slope.sum(-2) if needs[0] else None
        g_b = -slope.sum(-3) if needs[1] else None
    return (
        None if g_a is None else sum_to_any(g_a, a.shape),
        None if g_b is None else sum_to_any(g_b, b.shape),
    )


_cdist = primitive(
    "CdistBackward0", lambda a, b, p, product: _distances(a, b, p, product), inputs=("a", "b"), tensors=True,
    backward=_distance_slopes,
)  # fmt: skip


@public(method=False)
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = _MODES[0]) -> Any:
    """The p-distances between the rows of two matrices (or batches): (..., rows of x1, rows of x2)."""
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for label, x in (("X1", x1), ("X2", x2)):
        if x.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {label} got: {x.dim()}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    for label, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, {label} got: {x.dtype.scalar_name}")
        if x.dtype.itemsize == 2:
            raise NotImplementedError(f"\"cdist\" not implemented for '{x.dtype.scalar_name}'")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if x1.dtype is not x2.dtype:
        raise RuntimeError(f"expected scalar type {x1.dtype.scalar_name} but found {x2.dtype.scalar_name}")
    error = broadcast_error(np.broadcast_to(0, x1.shape[:-2]), np.broadcast_to(0, x2.shape[:-2]))
    if error is not None:
        raise error
    large = x1.shape[-2] > 25 or x2.shape[-2] > 25
    product = p == 2 and compute_mode != _MODES[2] and (large or compute_mode == _MODES[1])
    return _cdist(x1, x2, float(p), product)

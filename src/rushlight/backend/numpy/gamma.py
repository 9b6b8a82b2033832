"""Functions around gamma: Hurwitz's zeta, polygamma, the incomplete gammas. Computed in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight.backend.numpy.special import digamma, lgamma

__all__ = ["igamma", "igammac", "polygamma", "zeta"]

Array = np.ndarray[Any, Any]

# B(2k) / (2k)!, Euler and Maclaurin's coefficients.
_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330]
_MACLAURIN = [b / math.factorial(2 * k) for k, b in enumerate(_BERNOULLI, 1)]


def _wide(*operands: Any) -> tuple[Any, ...]:
    """The operands in float64, and the dtype of the result."""
    kind = next(a.dtype for a in operands if isinstance(a, np.ndarray))
    wide = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in operands))
    return *wide, kind if kind.kind == "f" else np.dtype(np.float64)


def _zeta(s: Any, q: Any) -> Any:
    """The sum of (q + k) ** -s: the first terms one by one, the rest by Euler and Maclaurin."""
    total = np.zeros_like(q)
    for k in range(12):
        total = total + (q + k) ** -s
    # Below zero the summing goes on until the base is large enough for the rest's formula.
    base = q + 12
    while (low := base < 12).any() and (base[low] > -1e4).all():
        total = np.where(low, total + base**-s, total)
        base = np.where(low, base + 1, base)
    total = total + base ** (1 - s) / (s - 1) + 0.5 * base**-s
    term = s * base ** (-s - 1)
    for k, c in enumerate(_MACLAURIN):
        total = total + c * term
        term = term * (s + 2 * k + 1) * (s + 2 * k + 2) / (base * base)
    return total


def zeta(a: Any, b: Any) -> Array:
    """Hurwitz's zeta(a, b): infinite at a = 1 and the poles b = 0, -1, …; nan for a < 1 and for roots of negatives."""
    s, q, kind = _wide(a, b)
    integral = q == np.floor(q)
    value = _zeta(s, np.where(np.isfinite(q) & ~((q <= 0) & integral), q, 1.0))
    value = np.where(q == np.inf, 0.0, value)
    value = np.where(q <= 0, np.where(integral, np.inf, np.where(s == np.floor(s), value, np.nan)), value)
    value = np.where(s == 1, np.inf, np.where(s < 1, np.nan, value))
    result: Array = np.where(np.isnan(s) | np.isnan(q), np.nan, value).astype(kind)
    return result


def polygamma(n: int, a: Array) -> Array:
    """(-1) ** (n + 1) * n! * zeta(n + 1, a)."""
    if n == 0:
        return digamma(a)
    kind = a.dtype if a.dtype.kind == "f" else np.dtype(np.float64)
    try:
        factor = math.gamma(n + 1)
    except OverflowError:
        factor = math.inf
    result: Array = np.asarray(
        (-1.0 if n % 2 == 0 else 1.0) * factor * zeta(float(n + 1), a.astype(np.float64))
    ).astype(kind)
    return result


def _log_density(s: Any, x: Any) -> Any:
    """log(x ** s * exp(-x) / gamma(s + 1))."""
    return s * np.log(x) - x - lgamma(s + 1)


def _series(s: Any, x: Any) -> Any:
    """The lower function where x is not much greater than s (DLMF 8.11.4)."""
    term = total = np.ones_like(s)
    denominator = s
    for _ in range(5000):
        denominator = denominator + 1
        term = term * x / denominator
        total = total + term
        if not (np.abs(term) > 1e-17 * np.abs(total)).any():
            break
    return total * np.exp(_log_density(s, x))


def _fraction(s: Any, x: Any) -> Any:
    """The upper function where x is greater than s, by Lentz's continued fraction (DLMF 8.9.2)."""
    tiny = 1e-300
    b = x + 1 - s
    c = np.full_like(x, 1 / tiny)
    d = 1 / np.where(b == 0, tiny, b)
    h = d
    for i in range(1, 5000):
        coefficient = -i * (i - s)
        b = b + 2
        d = coefficient * d + b
        d = 1 / np.where(np.abs(d) < tiny, tiny, d)
        c = b + coefficient / c
        c = np.where(np.abs(c) < tiny, tiny, c)
        h = h * d * c
        if not (np.abs(d * c - 1) > 1e-16).any():
            break
    return h * np.exp(s * np.log(x) - x - lgamma(s))


def _both(a: Any, b: Any) -> tuple[Any, Any, Any]:
    s, x, kind = _wide(a, b)
    valid = (s > 0) & (x > 0) & np.isfinite(s) & np.isfinite(x)
    good_s, good_x = np.where(valid, s, 1.0), np.where(valid, x, 1.0)
    below = good_x < good_s + 1
    low = np.array(_series(np.where(below, good_s, 1.0), np.where(below, good_x, 0.5)))
    high = np.array(_fraction(np.where(below, 1.0, good_s), np.where(below, 3.0, good_x)))
    lower, upper = np.where(below, low, 1 - high), np.where(below, 1 - low, high)
    wrong = (s < 0) | (x < 0) | ((s == 0) & (x == 0)) | np.isnan(s) | np.isnan(x) | (np.isinf(s) & np.isinf(x))
    zero = (x == 0) | (np.isinf(s) & ~np.isinf(x))
    one = (s == 0) | (np.isinf(x) & ~np.isinf(s))
    lower = np.where(wrong, np.nan, np.where(one, 1.0, np.where(zero, 0.0, lower)))
    upper = np.where(wrong, np.nan, np.where(one, 0.0, np.where(zero, 1.0, upper)))
    return lower, upper, kind


def igamma(a: Any, b: Any) -> Array:
    """The regularized lower incomplete gamma function P(a, b)."""
    lower, _, kind = _both(a, b)
    result: Array = lower.astype(kind)
    return result


def igammac(a: Any, b: Any) -> Array:
    """The regularized upper incomplete gamma function Q(a, b)."""
    _, upper, kind = _both(a, b)
    result: Array = upper.astype(kind)
    return result

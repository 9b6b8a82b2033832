"""Functions around the normal distribution, and entropy; computed in float64, tails included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["entr", "erfcx", "log_ndtr", "ndtr", "ndtri"]

Array = np.ndarray[Any, Any]
ROOT_TWO = math.sqrt(2)


def erfc(x: Any) -> Any:
    from rushlight.backend import kernels as K  # its erfc may be the native one

    return K.erfc(np.asarray(x))


def _back(value: Any, a: Array) -> Array:
    result: Array = np.asarray(value).astype(a.dtype if a.dtype.kind == "f" else np.float64)
    return result


def entr(a: Array) -> Array:
    """-a * log(a); 0 at 0 and minus infinity below."""
    return np.where(np.isnan(a), a, np.where(a > 0, -a * np.log(a), np.where(a == 0, 0.0, -np.inf))).astype(a.dtype)


def _erfcx(x: Any) -> Any:
    direct = np.exp(x * x) * erfc(x)
    # The continued fraction of erfc (DLMF 7.9.1), from its far end.
    tail = np.where(x > 5, x, 5.0)
    fraction = np.zeros_like(tail)
    for k in range(60, 0, -1):
        fraction = (k / 2) / (tail + fraction)
    far = 1 / ((tail + fraction) * math.sqrt(math.pi))
    return np.where(x > 5, far, direct)


def erfcx(a: Array) -> Array:
    """exp(a ** 2) * erfc(a)."""
    return _back(_erfcx(a.astype(np.float64)), a)


def ndtr(a: Array) -> Array:
    """The normal distribution function."""
    return _back(0.5 * erfc(-a.astype(np.float64) / ROOT_TWO), a)


def _log_ndtr(x: Any) -> Any:
    left = np.where(x < -1, x, -1.0)
    right = np.where(x < -1, 0.0, x)
    far = np.log(_erfcx(-left / ROOT_TWO) / 2) - left * left / 2
    return np.where(x < -1, far, np.log1p(-0.5 * erfc(right / ROOT_TWO)))


def log_ndtr(a: Array) -> Array:
    """The logarithm of the normal distribution function."""
    return _back(_log_ndtr(a.astype(np.float64)), a)


def ndtri(a: Array) -> Array:
    """The inverse of `ndtr`: Abramowitz and Stegun's 26.2.23, then Newton's method on `log_ndtr`."""
    p = a.astype(np.float64)
    inside = (p > 0) & (p < 1)
    small = np.where(inside, np.minimum(p, 1 - p), 0.25)
    t = np.sqrt(-2 * np.log(small))
    x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))))
    goal = np.log(small)
    for _ in range(5):
        value = _log_ndtr(x)
        # d log_ndtr = exp(-x²/2) / √(2π) / ndtr(x)
        slope = np.exp(-x * x / 2 - value) / math.sqrt(2 * math.pi)
        x = x - (value - goal) / slope
    x = np.where(p > 0.5, -x, x)
    return _back(np.where(inside, x, np.where(p == 0, -np.inf, np.where(p == 1, np.inf, np.nan))), a)

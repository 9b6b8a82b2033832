"""Special functions in NumPy and the standard library, in float64: to about 1e-15, poles and tails included."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "lgamma"]

Array = np.ndarray[Any, Any]


def _scalar(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """Run a function of the C library over an array."""
    over = np.frompyfunc(function, 1, 1)

    def apply(a: Array) -> Array:
        result: Array = np.asarray(over(a.astype(np.float64)), dtype=np.float64).astype(_result(a))
        return result

    apply.__name__ = function.__name__
    return apply


def _result(a: Array) -> np.dtype[Any]:
    return a.dtype if a.dtype.kind == "f" else np.dtype(np.float64)


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


erf = _scalar(math.erf)
erfc = _scalar(math.erfc)
lgamma = _scalar(_lgamma)

# -B(2k) / 2k, the asymptotic series of digamma (Abramowitz and Stegun 6.3.18).
_DIGAMMA = [-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12, 3617 / 8160]


def digamma(a: Array) -> Array:
    """The logarithmic derivative of gamma: reflection below 0, recurrence up to 10, then the asymptotic series.

    PyTorch's poles: minus or plus infinity at 0 by its sign, nan at the negative integers and at -inf.
    """
    x = a.astype(np.float64)
    negative = x <= 0
    # tan(pi x) loses its digits for large x, so only the fraction goes in.
    fraction = x - np.rint(x)
    y = np.where(negative, 1 - x, x)
    shift = np.zeros_like(y)
    for _ in range(10):
        small = y < 10
        if not small.any():
            break
        shift = np.where(small, shift - 1 / y, shift)
        y = np.where(small, y + 1, y)
    inverse = 1 / (y * y)
    series = np.zeros_like(y)
    for coefficient in reversed(_DIGAMMA):
        series = (series + coefficient) * inverse
    value = shift + np.log(y) - 0.5 / y + series
    value = np.where(negative, value - np.pi / np.tan(np.pi * fraction), value)
    value = np.where(negative & (fraction == 0), np.nan, value)
    value = np.where(x == 0, np.copysign(np.inf, -x), value)
    value = np.where(x == np.inf, np.inf, np.where(x == -np.inf, np.nan, value))
    result: Array = value.astype(_result(a))
    return result


def erfinv(a: Array) -> Array:
    """The inverse of erf: Giles's polynomial or erfc's asymptote, then Halley's method on erf or erfc.

    M. Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2010.
    """
    y = a.astype(np.float64)
    w = -np.log((1 - y) * (1 + y))
    central = [2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
               -0.00417768164, 0.246640727, 1.50140941]  # fmt: skip
    far = -np.log(1 - np.abs(y))
    tail = np.copysign(np.sqrt(far - 0.5 * np.log(np.pi * far)), y)
    x = np.where(w < 5, np.polyval(central, w - 2.5) * y, tail)
    inside = np.abs(y) < 1
    x = np.where(inside, x, 0)
    magnitude, target = np.abs(x), np.abs(y)
    # 1 - y is exact above 1/2, where erfc keeps the digits that erf has lost.
    upper = target > 0.5
    from rushlight.backend import kernels as K  # its erf may be the native one

    for _ in range(3):
        error = np.where(upper, (1 - target) - K.erfc(magnitude), K.erf(magnitude) - target)
        step = error / (2 / math.sqrt(math.pi) * np.exp(-magnitude * magnitude))
        magnitude = magnitude - step / (1 + magnitude * step)
    x = np.copysign(magnitude, y)
    x = np.where(inside, x, np.where(np.abs(y) == 1, np.copysign(np.inf, y), np.nan))
    result: Array = x.astype(_result(a))
    return result


def i0(a: Array) -> Array:
    """The modified Bessel function of order 0 (nan at the infinities, as in PyTorch)."""
    with np.errstate(all="ignore"):
        result: Array = np.asarray(np.i0(a.astype(np.float64))).reshape(a.shape).astype(_result(a))
    return result

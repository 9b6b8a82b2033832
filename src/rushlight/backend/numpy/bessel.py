"""Bessel and Airy functions from their integrals: the trapezoidal rule converges geometrically on analytic integrands.

L. N. Trefethen and J. A. C. Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56, 2014. Large
arguments use Hankel's asymptotic series (DLMF 10.17 and 10.40). Everything is computed in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0e", "i1", "i1e", "modified_bessel_i0",
    "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1", "spherical_bessel_j0",
]  # fmt: skip

Array = np.ndarray[Any, Any]
EULER = 0.57721566490153286061
LARGE = 25.0  # from here on the asymptotic series has float64's accuracy


def _back(value: Any, a: Array) -> Array:
    result: Array = np.asarray(value).astype(a.dtype if a.dtype.kind == "f" else np.float64)
    return result


def _hankel(order: float, x: Any, terms: int = 24) -> list[Any]:
    """The terms a(k) / x**k of Hankel's series, kept only while they shrink."""
    term = np.ones_like(x)
    found = [term]
    alive = np.ones(x.shape, bool)
    for k in range(1, terms):
        following = term * (4 * order * order - (2 * k - 1) ** 2) / (k * 8 * x)
        alive = alive & (np.abs(following) < np.abs(term))
        term = np.where(alive, following, 0.0)
        found.append(term)
    return found


def _far(order: float, x: Any) -> tuple[Any, Any]:
    """(J, Y) of a large argument."""
    terms = _hankel(order, x)
    p = sum((-1) ** (k // 2) * t for k, t in enumerate(terms) if k % 2 == 0)
    q = sum((-1) ** (k // 2) * t for k, t in enumerate(terms) if k % 2 == 1)
    # cos(x - shift) from cos(x) and sin(x), which are exact where x - shift would round.
    shift = (order / 2 + 0.25) * math.pi
    c = np.cos(x) * math.cos(shift) + np.sin(x) * math.sin(shift)
    s = np.sin(x) * math.cos(shift) - np.cos(x) * math.sin(shift)
    scale = np.sqrt(2 / (math.pi * x))
    return scale * (c * p - s * q), scale * (s * p + c * q)


def _near_j(order: int, x: Any, nodes: int = 64) -> Any:
    """J by Bessel's integral of cos(n t - x sin t) over a period."""
    total = np.zeros_like(x)
    for t in (np.arange(nodes) + 0.5) * (math.pi / nodes):
        total = total + np.cos(order * t - x * math.sin(t))
    return total / nodes


def _near_y(order: int, x: Any) -> Any:
    """Y of 0 < x < LARGE by Neumann's series in J (DLMF 10.8.3), the J by Miller's recurrence."""
    top = 90
    above, here = np.zeros_like(x), np.full_like(x, 1e-290)
    values = [here]
    for n in range(top, 0, -1):
        above, here = here, 2 * n / x * here - above
        big = np.abs(here) > 1e200
        if big.any():
            scale = np.where(big, 1e-200, 1.0)
            above, here = above * scale, here * scale
            values = [v * scale for v in values]
        values.append(here)
    values.reverse()
    norm = values[0] + 2 * sum(values[2::2])
    j = [v / norm for v in values]
    log = np.log(x / 2)
    if order == 0:
        rest = sum((-1) ** k * j[2 * k] / k for k in range(1, top // 2))
        return 2 / math.pi * (log + EULER) * j[0] - 4 / math.pi * rest
    rest = sum((-1) ** k * (1 + 2 * k) / (k * (k + 1)) * j[2 * k + 1] for k in range(1, top // 2 - 1))
    return -2 / (math.pi * x) * j[0] + 2 / math.pi * (log + EULER - 1) * j[1] - 2 / math.pi * rest


def _j(order: int, a: Array) -> Array:
    x = a.astype(np.float64)
    size = np.abs(x)
    near = _near_j(order, np.where(size < LARGE, size, 0.0))
    if order:  # the integral cancels near 0, where x / 2 is exact
        near = np.where(size < 1e-5, size / 2, near)
    far = _far(order, np.where(size < LARGE, LARGE, size))[0]
    value = np.where(size < LARGE, near, far)
    value = np.where(np.isinf(x), 0.0, np.where(np.isnan(x), np.nan, value))
    return _back(np.where(x < 0, -value, value) if order else value, a)


def _y(order: int, a: Array) -> Array:
    x = a.astype(np.float64)
    inside = (x > 0) & (x < LARGE)
    tiny = x < 1e-8  # Miller's recurrence would overflow, and the leading term is all there is
    safe = np.where(inside & ~tiny, x, 1.0)
    small = np.where(inside & tiny, x, 1.0)
    leading = 2 / math.pi * (np.log(small / 2) + EULER) if order == 0 else -2 / (math.pi * small)
    value = np.where(tiny, leading, _near_y(order, safe))
    value = np.where(x >= LARGE, _far(order, np.where(x >= LARGE, x, LARGE))[1], value)
    value = np.where(x == np.inf, 0.0, np.where(x == 0, -np.inf, np.where((x < 0) | np.isnan(x), np.nan, value)))
    return _back(value, a)


def bessel_j0(a: Array) -> Array:
    """The Bessel function of the first kind and order 0."""
    return _j(0, a)


def bessel_j1(a: Array) -> Array:
    """The Bessel function of the first kind and order 1."""
    return _j(1, a)


def bessel_y0(a: Array) -> Array:
    """The Bessel function of the second kind and order 0."""
    return _y(0, a)


def bessel_y1(a: Array) -> Array:
    """The Bessel function of the second kind and order 1."""
    return _y(1, a)


def _scaled_i(order: int, x: Any, nodes: int = 64) -> Any:
    """exp(-x) I(x) of x >= 0: the integral of exp(x cos t) cos(n t) over a period, or the series."""
    near = np.where(x < LARGE, x, 0.0)
    total = np.zeros_like(x)
    for t in (np.arange(nodes) + 0.5) * (math.pi / nodes):
        total = total + np.exp(near * (math.cos(t) - 1)) * math.cos(order * t)
    far = np.where(x < LARGE, LARGE, x)
    series = sum((-1) ** k * t for k, t in enumerate(_hankel(order, far))) / np.sqrt(2 * math.pi * far)
    return np.where(x < LARGE, total / nodes, series)


def _i(order: int, a: Array, scaled: bool) -> Array:
    x = a.astype(np.float64)
    size = np.abs(x)
    value = _scaled_i(order, size)
    if order:  # the integral cancels near 0, where x / 2 is exact
        value = np.where(size < 1e-5, size / 2 * np.exp(-size), value)
    if scaled:
        value = np.where(np.isinf(size), 0.0, value)
    else:
        value = np.where(np.isinf(size), np.inf, value * np.exp(size))
        # exp(size) alone overflows a little earlier than the product.
        value = np.where(
            (size > 709) & np.isfinite(size), _scaled_i(order, size) * np.exp(size / 2) * np.exp(size / 2), value
        )
    value = np.where(np.isnan(x), np.nan, value)
    return _back(np.copysign(value, x) if order else value, a)


def i0e(a: Array) -> Array:
    """exp(-|a|) times the modified Bessel function of the first kind and order 0."""
    return _i(0, a, True)


def i1(a: Array) -> Array:
    """The modified Bessel function of the first kind and order 1."""
    return _i(1, a, False)


def i1e(a: Array) -> Array:
    """exp(-|a|) times the modified Bessel function of the first kind and order 1."""
    return _i(1, a, True)


def modified_bessel_i0(a: Array) -> Array:
    """The modified Bessel function of the first kind and order 0."""
    return _i(0, a, False)


modified_bessel_i1 = i1


def _scaled_k(order: int, x: Any) -> Any:
    """exp(x) K(x): the integral of exp(-x (cosh t - 1)) cosh(n t), with steps that suit the width of its peak."""
    step = 0.16 / np.maximum(1.0, np.sqrt(x))
    total = np.full_like(x, 0.5)
    for k in range(1, 180):
        t = k * step
        total = total + np.exp(-2 * x * np.sinh(t / 2) ** 2) * (np.cosh(t) if order else 1.0)
    return total * step


def _k(order: int, a: Array, scaled: bool) -> Array:
    x = a.astype(np.float64)
    tiny = x < 1e-8
    small = np.where(tiny & (x > 0), x, 1.0)
    leading = (-(np.log(small / 2) + EULER) if order == 0 else 1 / small) * (np.exp(small) if scaled else 1.0)
    usual = _scaled_k(order, np.where((x >= 1e-8) & np.isfinite(x), x, 1.0))
    value = np.where(tiny, leading, usual if scaled else usual * np.exp(-x))
    value = np.where(x == np.inf, 0.0, np.where(x == 0, np.inf, np.where((x < 0) | np.isnan(x), np.nan, value)))
    return _back(value, a)


def modified_bessel_k0(a: Array) -> Array:
    """The modified Bessel function of the second kind and order 0."""
    return _k(0, a, False)


def modified_bessel_k1(a: Array) -> Array:
    """The modified Bessel function of the second kind and order 1."""
    return _k(1, a, False)


def scaled_modified_bessel_k0(a: Array) -> Array:
    """exp(a) times the modified Bessel function of the second kind and order 0."""
    return _k(0, a, True)


def scaled_modified_bessel_k1(a: Array) -> Array:
    """exp(a) times the modified Bessel function of the second kind and order 1."""
    return _k(1, a, True)


def spherical_bessel_j0(a: Array) -> Array:
    """sin(a) / a."""
    x = a.astype(np.float64)
    value = np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))
    return _back(np.where(np.isinf(x), 0.0, value), a)


def airy_ai(a: Array) -> Array:
    """The Airy function: its integral on a line through the saddle point; far below 0 the series (DLMF 9.7.9)."""
    x = a.astype(np.float64)
    far = x < -10
    near = np.where(far | ~np.isfinite(x), 0.0, x)
    height = np.where(near > 0, np.maximum(np.sqrt(np.abs(near)), 0.7), 0.7)
    # Along t + i height the integrand is exp(-height t²) cos(t³/3 + (x - height²) t).
    step = 0.06 / np.maximum(1.0, np.sqrt(height))
    total = np.full_like(near, 0.5)
    for k in range(1, 170):
        t = k * step
        total = total + np.exp(-height * t * t) * np.cos(t * t * t / 3 + (near - height * height) * t)
    value = total * step / math.pi * np.exp(height**3 / 3 - near * height)
    z = np.where(far & np.isfinite(x), -x, 10.0)
    zeta = 2 / 3 * z**1.5
    u, terms = np.ones_like(z), []
    for k in range(1, 18):
        terms.append(u)
        u = u * (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / (216 * k * (2 * k - 1)) / zeta
    even = sum((-1) ** (k // 2) * t for k, t in enumerate(terms) if k % 2 == 0)
    odd = sum((-1) ** (k // 2) * t for k, t in enumerate(terms) if k % 2 == 1)
    phase = zeta - math.pi / 4
    series = (np.cos(phase) * even + np.sin(phase) * odd) / (math.sqrt(math.pi) * z**0.25)
    value = np.where(far, series, value)
    value = np.where(np.isnan(x), np.nan, np.where(np.isinf(x), np.where(x > 0, 0.0, np.nan), value))
    return _back(value, a)

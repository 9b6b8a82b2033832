"""PyTorch's CPU random streams on flat arrays: the reference of every native kernel in `native/kernels/random.cpp`.

`mt` is the state of `mt19937.py`; it moves on by as many words as PyTorch's generator would. `out` is one-dimensional
and contiguous, and is filled from its first element to its last. Where PyTorch rounds a multiply-add once
(its kernels are built with FMA), so do we, with `fma32` and `fma64`: results are the same bits on every machine.
Transcendental functions of doubles go through `math`, the C library's, because NumPy's own differ in the last bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .mt19937 import Array, mt_words, mt_words64
from .rejection import mt_binomial_, mt_gamma_, mt_poisson_

__all__ = [
    "mt_bernoulli_", "mt_binomial_", "mt_cauchy_", "mt_exponential_", "mt_gamma_", "mt_geometric_", "mt_integers_",
    "mt_log_normal_",
    "mt_normal_", "mt_normal_pairs_", "mt_permutation_", "mt_poisson_", "mt_uniform_",
]  # fmt: skip

f32, f64 = np.float32, np.float64
_EPSILON24, _EPSILON53 = f32(2.0**-24), f64(2.0**-53)


# --------------------------------------------------------------------------------------- fused multiply-add
def fma32(a: Any, b: Any, c: Any) -> Array:
    """a * b + c of float32, rounded once.

    The product is exact in float64. The sum is rounded to odd there (Boldo and Melquiond, "Emulation of FMA and
    correctly rounded sums: proved algorithms using rounding to odd", IEEE TC 57(4), 2008), so that the last rounding,
    to float32, is the only one that counts.
    """
    product = np.asarray(a, f64) * np.asarray(b, f64)
    return _sum_to_odd(product, np.asarray(c, f64)).astype(f32)


def fma64(a: Any, b: Any, c: Any) -> Array:
    """a * b + c of float64, rounded once; |a|, |b| below 2**970 (the same paper, its Fig. 4)."""
    product, product_rest = _two_product(np.asarray(a, f64), np.asarray(b, f64))
    low, low_rest = _two_sum(np.asarray(c, f64), product_rest)
    high, high_rest = _two_sum(product, low)
    fused: Array = high + _sum_to_odd(low_rest, high_rest)
    return fused


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Array) -> tuple[Array, Array]:
    scaled = a * 134217729.0  # 2**27 + 1, Veltkamp's splitter
    high = scaled - (scaled - a)
    return high, a - high


def _sum_to_odd(a: Array, b: Array) -> Array:
    total, rest = _two_sum(a, b)
    bits = np.array(total, f64, ndmin=1).view(np.int64)
    toward = np.where((rest > 0) == (total > 0), 1, -1)
    bits += np.where((rest != 0) & ((bits & 1) == 0), toward, 0)
    return bits.view(f64).reshape(np.shape(total))


# --------------------------------------------------------------------------------------- uniform
def _unit32(mt: Array, n: int) -> Array:
    """[0, 1) in steps of 2**-24: the low 24 bits of a word."""
    return (mt_words(mt, n) & np.uint32(0xFFFFFF)).astype(f32) * _EPSILON24


def _unit64(mt: Array, n: int) -> Array:
    """[0, 1) in steps of 2**-53: the low 53 bits of two words."""
    return (mt_words64(mt, n) & np.uint64(2**53 - 1)).astype(f64) * _EPSILON53


def mt_uniform_(mt: Array, out: Array, low: float, high: float) -> None:
    """Uniform over [low, high); `out` is float32 (one word each) or float64 (two)."""
    real = out.dtype.type
    out[:] = (_unit32 if real is f32 else _unit64)(mt, out.size)
    if (low, high) != (0, 1):
        start, end = real(low), real(high)
        out[:] = (fma32 if real is f32 else fma64)(out, end - start, start)
        out[out == end] = start  # rounding may reach the end, which is outside


def mt_bernoulli_(mt: Array, out: Array, p: float) -> None:
    """True with probability p: a float64 uniform below p; `out` is bool."""
    np.less(_unit64(mt, out.size), p, out=out)


# --------------------------------------------------------------------------------------- integers
def mt_integers_(mt: Array, out: Array, span: int, base: int, wide: bool) -> None:
    """`base` + value mod `span` (0: no mod), of 64-bit values if `wide`, else of words; `out` is int64."""
    values = mt_words64(mt, out.size) if wide else mt_words(mt, out.size).astype(np.uint64)
    if span:
        values %= np.uint64(span)
    values += np.uint64(base & 0xFFFFFFFFFFFFFFFF)
    out[:] = values.view(np.int64)


def mt_permutation_(mt: Array, out: Array) -> None:
    """A random order of 0 … n-1, int64: Fisher-Yates from the front (one word a swap, two from 2**32 / 20 on)."""
    n = out.size
    draws = mt_words64(mt, n - 1) if n >= 2**32 // 20 else mt_words(mt, max(n - 1, 0))
    order = list(range(n))
    for i, word in enumerate(draws.tolist()):
        j = i + word % (n - i)
        order[i], order[j] = order[j], order[i]
    out[:] = order


# --------------------------------------------------------------------------------------- normal
def mt_normal_pairs_(mt: Array, spare: Array, out: Array, mean: float, std: float) -> None:
    """Normal values one by one in float64, by Box and Muller's method; `out` is float64.

    Every second value was made with the one before; it waits in `spare` = [value, 1 if there is one] between calls.
    """
    n, values = out.size, []
    if n and spare[1]:
        values.append(float(spare[0]))
        spare[:] = 0
    pairs = (n - len(values) + 1) // 2
    uniforms = _unit64(mt, 2 * pairs).tolist()
    for u1, u2 in zip(uniforms[0::2], uniforms[1::2], strict=True):
        radius, theta = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
        values += (radius * math.cos(theta), radius * math.sin(theta))
    if len(values) > n:
        spare[:] = values.pop(), 1
    out[:] = fma64(np.array(values), f64(std), f64(mean))


def mt_log_normal_(mt: Array, spare: Array, out: Array, mean: float, std: float) -> None:
    """exp of the normal values of `mt_normal_pairs_`."""
    mt_normal_pairs_(mt, spare, out, mean, std)
    out[:] = _each(_exp, out)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def mt_normal_(mt: Array, out: Array, mean: float, std: float) -> None:
    """Normal values in blocks of 16: `out` is float32 or float64 and has 16 elements or more.

    A block of 16 uniforms gives 16 normals, the first 8 with the last 8 in pairs. The ragged end is made by drawing
    the last 16 elements anew, over what stood there.
    """
    unit, block = (_unit32, _block32) if out.dtype == f32 else (_unit64, _block64)
    uniforms = unit(mt, out.size)
    whole = out.size // 16 * 16
    out[:whole] = block(uniforms[:whole].reshape(-1, 2, 8), mean, std)
    if whole != out.size:
        out[-16:] = block(unit(mt, 16).reshape(-1, 2, 8), mean, std)


def _block32(uniforms: Array, mean: float, std: float) -> Array:
    radius = np.sqrt(f32(-2) * _log(f32(1) - uniforms[:, 0]))
    sine, cosine = _sin_cos(f32(2 * math.pi) * uniforms[:, 1])
    return fma32(np.stack([radius * cosine, radius * sine], 1), f32(std), f32(mean)).reshape(-1)


def _block64(uniforms: Array, mean: float, std: float) -> Array:
    u1, theta = 1 - uniforms[:, 0], (2.0 * math.pi) * uniforms[:, 1]
    radius = np.sqrt(-2 * _each(math.log, u1))
    values = np.stack([radius * _each(math.cos, theta), radius * _each(math.sin, theta)], 1)
    return fma64(values, f64(std), f64(mean)).reshape(-1)


def _each(function: object, a: Array) -> Array:
    return np.array(list(map(function, a.ravel().tolist())), f64).reshape(a.shape)  # type: ignore[call-overload]


def _horner(x: Array, *coefficients: float) -> Array:
    value = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        value = fma32(value, x, f32(c))
    return value


def _log(x: Array) -> Array:
    """log of float32 in (0, 1]: the polynomial of the Cephes library (S. Moshier, 1992) for logf, with FMA."""
    bits = np.ascontiguousarray(x).view(np.int32)
    exponent = ((bits >> 23) - 126).astype(f32)
    mantissa = ((bits & 0x007FFFFF) | 0x3F000000).view(f32)
    small = mantissa < f32(math.sqrt(0.5))
    exponent -= small.astype(f32)
    x = (mantissa - f32(1)) + np.where(small, mantissa, f32(0))
    square = x * x
    y = _horner(
        x, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )  # fmt: skip
    y = fma32(y * x, square, exponent * f32(-2.12194440e-4))
    y = y - square * f32(0.5)
    return fma32(exponent, f32(0.693359375), x + y)


def _sin_cos(x: Array) -> tuple[Array, Array]:
    """sin and cos of float32 in [0, 2 pi]: Cephes' sinf and cosf (reduction by pi / 4 in three parts), with FMA."""
    octant = ((x * f32(4 / math.pi)).astype(np.int32) + 1) & ~1
    y = octant.astype(f32)
    for part in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8):
        x = fma32(y, f32(part), x)
    square = x * x
    cosine = _horner(square, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
    cosine = fma32(cosine * square, square, -(square * f32(0.5))) + f32(1)
    sine = _horner(square, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
    sine = fma32(sine * square, x, x)
    swap = (octant & 2) != 0
    sine, cosine = np.where(swap, cosine, sine), np.where(swap, sine, cosine)
    return np.where(octant & 4, -sine, sine), np.where((octant - 2) & 4, cosine, -cosine)


# --------------------------------------------------------------------------------------- other distributions
def mt_exponential_(mt: Array, out: Array, rate: float) -> None:
    """Exponential, float64: the inverse of the distribution function at a uniform."""
    out[:] = (-1.0 / rate) * _each(math.log1p, -_unit64(mt, out.size))


def mt_geometric_(mt: Array, out: Array, p: float) -> None:
    """The number of trials up to the first success, float64."""
    out[:] = np.ceil(_each(_log_or_inf, _unit64(mt, out.size)) / math.log1p(-p))


def _log_or_inf(u: float) -> float:
    return math.log(u) if u else -math.inf


def mt_cauchy_(mt: Array, out: Array, median: float, sigma: float) -> None:
    """Cauchy, float64: the inverse of the distribution function at a uniform."""
    out[:] = fma64(f64(sigma), _each(math.tan, math.pi * (_unit64(mt, out.size) - 0.5)), f64(median))

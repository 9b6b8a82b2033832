"""Poisson, binomial and gamma samples: as many uniforms as it takes until one is accepted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .mt19937 import Array, mt_words, mt_words64

_BATCH = 256


class _Uniforms:
    """float64 uniforms one at a time, drawn ahead from a copy of the state; `close` moves the state on to match."""

    def __init__(self, mt: Array) -> None:
        self.mt, self.ahead, self.used = mt, mt.copy(), 0
        self.batch: Iterator[float] = iter(())

    def __call__(self) -> float:
        self.used += 1
        for u in self.batch:
            return u
        values = (mt_words64(self.ahead, _BATCH) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53
        self.batch = iter(values.tolist())
        return next(self.batch)

    def close(self) -> None:
        mt_words(self.mt, 2 * self.used)


def mt_poisson_(mt: Array, out: Array, rate: Array) -> None:
    """Poisson counts for flat float64 rates: from 10 on by W. Hörmann's transformed rejection (PTRS, Insurance:
    Mathematics and Economics 12, 1993), below by multiplying uniforms (Knuth, TAOCP 2, 3.4.1)."""
    uniform = _Uniforms(mt)
    out[:] = [_poisson(r, uniform) for r in rate.tolist()]
    uniform.close()


def _poisson(rate: float, uniform: _Uniforms) -> float:
    if rate in (0, math.inf):
        return 0 if rate == 0 else math.nan
    if rate < 10:
        count, product, limit = 0, uniform(), math.exp(-rate)
        while product > limit:
            count, product = count + 1, product * uniform()
        return count
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha, squeeze = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u, v = uniform() - 0.5, uniform()
        edge = 0.5 - abs(u)
        k = _floor((2.0 * a / edge + b) * u + rate + 0.43)
        if edge >= 0.07 and v <= squeeze:
            return k
        if k < 0 or (edge < 0.013 and v > edge):
            continue
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (edge * edge) + b) <= (
            k * log_rate - rate - math.lgamma(k + 1)
        ):
            return k


def _floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) else x


def mt_binomial_(mt: Array, out: Array, count: Array, p: Array) -> None:
    """Binomial counts for flat arrays of one floating type, which the arithmetic is done in.

    From count * p = 10 on by transformed rejection (W. Hörmann, "The generation of binomial random variates", JSCS 46,
    1993, algorithm BTRS), below by adding geometric waiting times (L. Devroye, 1986, X.4.3).
    """
    uniform = _Uniforms(mt)
    with np.errstate(all="ignore"):
        out[:] = [_binomial(n, q, uniform) for n, q in zip(count, p, strict=True)]
    uniform.close()


def _binomial(count: Any, p: Any, uniform: _Uniforms) -> Any:
    if count <= 0 or p <= 0:
        return 0
    if p >= 1:
        return count
    if count != count or p != p:
        return math.nan
    if p <= 0.5:
        return (_binomial_rejection if count * p >= 10 else _binomial_waiting)(count, p, uniform)
    q = type(p)(1) - p
    return count - (_binomial_rejection if count * q >= 10 else _binomial_waiting)(count, q, uniform)


def _binomial_waiting(count: Any, p: Any, uniform: _Uniforms) -> int:
    real = type(p)
    log_miss = real(math.log1p(-float(p)))
    trials, successes = real(0), 0
    while True:
        u = uniform()
        trials += real(math.ceil(real(math.log(u)) / log_miss)) if u else real(math.inf)
        if trials > count:
            return successes
        successes += 1


def _binomial_rejection(count: Any, p: Any, uniform: _Uniforms) -> float:
    n, p = float(count), float(p)
    spread = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre, squeeze = n * p + 0.5, 0.92 - 4.2 / b
    odds, alpha, mode = p / (1 - p), (2.83 + 5.1 / b) * spread, _floor((n + 1) * p)
    while True:
        u, v = uniform() - 0.5, uniform()
        edge = 0.5 - abs(u)
        k = _floor((2 * a / edge + b) * u + centre)
        if edge >= 0.07 and v <= squeeze:
            return k
        if k < 0 or k > n:
            continue
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1)))
            + (n + 1) * math.log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * math.log(odds * (n - k + 1) / (k + 1))
            + _stirling_rest(mode) + _stirling_rest(n - mode) - _stirling_rest(k) - _stirling_rest(n - k)
        )  # fmt: skip
        if math.log(v * alpha / (a / (edge * edge) + b)) <= bound:
            return k


_STIRLING = (
    0.08106146679532726, 0.04134069595540929, 0.02767792568499834, 0.02079067210376509, 0.01664469118982119,
    0.01387612882307075, 0.01189670994589177, 0.01041126526197209, 0.009255462182712733, 0.008330563433362871,
)  # fmt: skip


def _stirling_rest(k: float) -> float:
    """log k! minus Stirling's formula at k + 1."""
    if k < len(_STIRLING):
        return _STIRLING[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


def mt_gamma_(mt: Array, spare: Array, out: Array, shape: Array) -> None:
    """Gamma samples of scale 1 for flat shape parameters (Marsaglia and Tsang, ACM TOMS 26(3), 2000).

    As in PyTorch the shape parameter's own arithmetic is in its type (float32 or float64), the rest in float64.
    """
    uniform = _Uniforms(mt)
    with np.errstate(all="ignore"):
        out[:] = [_gamma(a, uniform, spare) for a in shape]
    uniform.close()


_THIRD, _SQUEEZE = np.float32(1) / np.float32(3), float(np.float32(0.0331))


def _gamma(shape: Any, uniform: _Uniforms, spare: Array) -> float:
    scale, one = 1.0, type(shape)(1)
    if shape < 1:
        if shape == 0:
            return 0.0
        scale *= math.pow(1 - uniform(), one / shape)
        shape = shape + one
    d = float(shape - _THIRD)
    c = 1.0 / math.sqrt(9.0 * d) if d > 0 else math.nan
    while True:
        x = _normal(uniform, spare)
        y = 1.0 + c * x
        if y <= 0:
            continue
        v, u, square = y * y * y, 1 - uniform(), x * x
        if u < 1 - _SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def _normal(uniform: _Uniforms, spare: Array) -> float:
    if spare[1]:
        value = float(spare[0])
        spare[:] = 0
        return value
    u1, u2 = uniform(), uniform()
    radius, theta = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
    spare[:] = radius * math.sin(theta), 1
    return radius * math.cos(theta)

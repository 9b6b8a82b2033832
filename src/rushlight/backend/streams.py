"""PyTorch's CPU random streams on arrays of any layout and element type.

A generator is anything with `mt` and `spare` (see `numpy/random.py`) and a `lock`. Arrays are filled in the order of
their memory, whatever the order of their dimensions, as PyTorch does; `spare` is the second half of a pair of normals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import kernels as K

Array = np.ndarray[Any, np.dtype[Any]]
_FLOAT32, _FLOAT64, _INT64, _BOOL = (np.dtype(t) for t in (np.float32, np.float64, np.int64, np.bool_))


def _is_small_float(dtype: Any) -> bool:
    """Whether a dtype is float16 or bfloat16 (which is of kind "V")."""
    return bool(dtype.kind in "fV" and dtype.itemsize == 2)


def fill_uniform(gen: Any, out: Array, low: float = 0.0, high: float = 1.0) -> None:
    """Uniform over [low, high); complex numbers have both parts uniform."""
    if out.dtype.kind == "c":
        out = _parts(out)
    small = out.dtype.itemsize == 2
    _fill(gen, out, _FLOAT32 if small else out.dtype, lambda flat: K.mt_uniform_(gen.mt, flat, low, high))
    if small:
        # What rounds up to the end of the interval is outside: PyTorch puts it at the start.
        out[out == _cast(np.array(high), out.dtype)] = low


def fill_normal(gen: Any, out: Array, mean: float = 0.0, std: float = 1.0) -> None:
    """Normal; complex numbers have a total variance of std squared."""
    if out.dtype.kind == "c":
        # PyTorch adds the mean to both parts.
        out, std = _parts(out), std / math.sqrt(2.0)
    if out.size < 16 or not out.flags.c_contiguous:
        _fill(gen, out, _FLOAT64, lambda flat: K.mt_normal_pairs_(gen.mt, gen.spare, flat, mean, std))
    elif out.dtype.itemsize == 2:
        _fill(gen, out, _FLOAT32, lambda flat: _normal_by_block(gen, flat, mean, std))
    else:
        _fill(gen, out, out.dtype, lambda flat: K.mt_normal_(gen.mt, flat, mean, std))


def _normal_by_block(gen: Any, out: Array, mean: float, std: float) -> None:
    """The 16-bit types draw the uniforms of one block at a time, so that a ragged end wastes none."""
    whole = out.size // 16 * 16
    K.mt_normal_(gen.mt, out[:whole], mean, std)
    if whole != out.size:
        K.mt_normal_(gen.mt, out[-16:], mean, std)


def fill_log_normal(gen: Any, out: Array, mean: float, std: float) -> None:
    """exp of a normal."""
    _fill(gen, out, _FLOAT64, lambda flat: K.mt_log_normal_(gen.mt, gen.spare, flat, mean, std))


def fill_bernoulli(gen: Any, out: Array, p: float) -> None:
    """1 with probability p, else 0."""
    _fill(gen, out, _BOOL, lambda flat: K.mt_bernoulli_(gen.mt, flat, p))


def fill_bernoulli_each(gen: Any, out: Array, p: Array) -> None:
    """1 with the probability at the same place of `p`, which has out's shape."""
    kind = _FLOAT64 if p.dtype == _FLOAT64 else _FLOAT32
    uniform = np.empty_like(out, kind)
    _fill(gen, uniform, kind, lambda flat: K.mt_uniform_(gen.mt, flat, 0.0, 1.0))
    out[...] = uniform < p.astype(kind)


def fill_integers(gen: Any, out: Array, span: int, base: int, wide: bool) -> None:
    """Integers `base` … `base + span - 1`, from 64-bit draws if `wide`; a span of 0 takes the draws as they are."""
    _fill(gen, out, _INT64, lambda flat: K.mt_integers_(gen.mt, flat, span, base, wide))


def fill_exponential(gen: Any, out: Array, rate: float = 1.0) -> None:
    """Exponential with the given rate."""
    _fill(gen, out, _FLOAT64, lambda flat: K.mt_exponential_(gen.mt, flat, rate))


def fill_geometric(gen: Any, out: Array, p: float) -> None:
    """The number of trials up to and with the first success."""
    _fill(gen, out, _FLOAT64, lambda flat: K.mt_geometric_(gen.mt, flat, p))


def fill_cauchy(gen: Any, out: Array, median: float, sigma: float) -> None:
    """Cauchy."""
    _fill(gen, out, _FLOAT64, lambda flat: K.mt_cauchy_(gen.mt, flat, median, sigma))


def permutation(gen: Any, n: int) -> Array:
    """0 … n-1 in a random order, int64."""
    out = np.empty(n, np.int64)
    with gen.lock:
        K.mt_permutation_(gen.mt, out)
    return out


def multinomial(gen: Any, weights: Array, count: int, replacement: bool) -> Array:
    """`count` indices from each row of a matrix of weights (floats, each row with a positive sum), int64.

    Without replacement, or for one sample: a race of exponential clocks (the largest weight / Exp(1) wins). Otherwise a
    search of float64 uniforms in the cumulative distribution, row after row.
    """
    if not replacement or count == 1:
        clocks = np.empty_like(weights)
        fill_exponential(gen, clocks)
        with np.errstate(all="ignore"):
            scores: Array = _to_float(weights / clocks)
        if count == 1:
            best: Array = np.argmax(scores, -1, keepdims=True).astype(np.int64)
            return best
        return _largest(scores, count)
    uniform = np.empty((len(weights), count))
    fill_uniform(gen, uniform)
    out = np.empty(uniform.shape, np.int64)
    for row, samples, indices in zip(_to_float(weights), uniform, out, strict=True):
        cumulative = np.cumsum(row)
        indices[:] = np.minimum(np.searchsorted(cumulative / cumulative[-1], samples, "left"), row.size - 1)
    return out


def _largest(scores: Array, count: int) -> Array:
    """The places of the `count` largest of each row, from the largest down."""
    if 2 * count < scores.shape[-1]:
        chosen: Array = np.sort(np.argpartition(scores, -count, -1)[:, -count:], -1)
    else:
        chosen = np.broadcast_to(np.arange(scores.shape[-1]), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, chosen, -1), -1, kind="stable")[:, :count]
    return np.take_along_axis(chosen, order, -1).astype(np.int64, copy=False)


def _to_float(a: Array) -> Array:
    return a.astype(np.float32) if _is_small_float(a.dtype) else a


def poisson(gen: Any, rate: Array) -> Array:
    """A Poisson count for each rate, in the rates' type."""
    return _sampled(gen, rate.shape, rate.dtype, lambda out: K.mt_poisson_(gen.mt, out, _flat64(rate)))


def binomial(gen: Any, count: Array, p: Array) -> Array:
    """A binomial count for each pair of a count and a probability, of one shape and floating type."""
    return _sampled(gen, count.shape, count.dtype, lambda out: K.mt_binomial_(gen.mt, out, count.ravel(), p.ravel()))


def standard_gamma(gen: Any, shape: Array) -> Array:
    """A gamma sample of scale 1 for each shape parameter, in their type; never below the least normal number."""
    out = _sampled(gen, shape.shape, shape.dtype, lambda out: K.mt_gamma_(gen.mt, gen.spare, out, shape.ravel()))
    np.fmax(out, np.finfo(shape.dtype).tiny, out=out)
    return out


def _flat64(a: Array) -> Array:
    return np.ascontiguousarray(a, np.float64).reshape(-1)


def _sampled(gen: Any, shape: tuple[int, ...], dtype: np.dtype[Any], draw: Callable[[Array], None]) -> Array:
    out = np.empty(shape, dtype)
    _fill(gen, out, _FLOAT64, draw)
    return out


def _fill(gen: Any, out: Array, kind: np.dtype[Any], draw: Callable[[Array], None]) -> None:
    """Let `draw` fill a flat array of type `kind`, and lay it out in `out` in the order of out's memory."""
    ordered = out
    if not out.flags.c_contiguous:
        strides = out.strides
        ordered = out.transpose(sorted(range(out.ndim), key=lambda dim: -abs(strides[dim])))
    if out.dtype == kind and ordered.flags.c_contiguous and out.flags.aligned:
        with gen.lock:
            draw(ordered.reshape(-1))
        return
    flat = np.empty(out.size, kind)
    with gen.lock:
        draw(flat)
    ordered[...] = _cast(flat, out.dtype).reshape(ordered.shape)


def _cast(a: Array, dtype: np.dtype[Any]) -> Array:
    """As C++ casts: float64 to a 16-bit type goes through float32."""
    with np.errstate(all="ignore"):
        return (a.astype(np.float32) if _is_small_float(dtype) else a).astype(dtype)


def _parts(out: Array) -> Array:
    """A complex array's real and imaginary parts, as the last dimension of a real view."""
    real = np.dtype(f"f{out.itemsize // 2}")
    return np.lib.stride_tricks.as_strided(out.real, (*out.shape, 2), (*out.strides, real.itemsize))

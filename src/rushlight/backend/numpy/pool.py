"""Pooling in 1 to 3 dimensions, one pass over the output for each position of the window.

Arrays are (N, C, *spatial). Indices are PyTorch's: int64, flat over the spatial dimensions of one channel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rushlight.backend.numpy.conv import taps
from rushlight.backend.numpy.precision import Array, computing_dtype, narrow, widen

__all__ = [
    "pool_output_shape",
    "max_pool_forward",
    "max_pool_backward",
    "max_unpool",
    "avg_pool_forward",
    "avg_pool_backward",
    "adaptive_avg_pool_forward",
    "adaptive_avg_pool_backward",
    "adaptive_max_pool_forward",
]

Sizes = tuple[int, ...]


def pool_output_shape(
    spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> Sizes:
    """How many windows there are; with `ceil_mode` also a last one that sticks out, if it starts inside."""
    out = []
    for n, k, s, p, d in zip(spatial, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1
        out.append(count)
    return tuple(out)


def _pad_to_fit(
    a: Array, value: object, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, out: Sizes
) -> Array:
    """`a` with `value` around its last dimensions, as far as the last window reaches."""
    lead: list[tuple[int, int]] = [(0, 0)] * (a.ndim - len(kernel))
    width = [
        (p, max(0, (m - 1) * s + d * (k - 1) + 1 - n - p))
        for n, k, s, p, d, m in zip(
            a.shape[a.ndim - len(kernel) :], kernel, stride, padding, dilation, out, strict=True
        )
    ]
    return np.pad(a, lead + width, constant_values=value) if any(map(any, width)) else a  # type: ignore[call-overload]


def max_pool_forward(
    a: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool = False
) -> tuple[Array, Array]:
    """The largest of each window and where it was: the first of equals, the last nan."""
    spatial = a.shape[2:]
    out = pool_output_shape(spatial, kernel, stride, padding, dilation, ceil_mode)
    geometry = (kernel, stride, padding, dilation, out)
    source = _pad_to_fit(a, 0, *geometry)
    position = _pad_to_fit(np.arange(math.prod(spatial)).reshape(spatial), -1, *geometry)
    best = np.empty(a.shape[:2] + out, a.dtype)
    where = np.full(best.shape, -1, np.int64)
    with np.errstate(all="ignore"):
        for _, window in taps(kernel, out, stride, dilation):
            value, index = source[(..., *window)], position[window]
            better = (index >= 0) & ((where < 0) | (value > best) | (value != value))
            np.copyto(best, value, where=better)
            np.copyto(where, index, where=better)
    return best, where


def _flat(indices: Array, size: int) -> Array:
    """Indices within a channel as indices into the whole flattened array."""
    start = np.arange(indices.shape[0] * indices.shape[1]) * size
    return np.ravel(indices.reshape(len(start), -1) + start[:, None])


def max_pool_backward(g: Array, indices: Array, input_shape: Sizes) -> Array:
    """Sends each gradient to the element that won; an element of several windows collects."""
    ga = np.zeros(math.prod(input_shape), computing_dtype(g.dtype))
    with np.errstate(all="ignore"):
        np.add.at(ga, _flat(indices, math.prod(input_shape[2:])), widen(g).reshape(-1))
    return ga.reshape(input_shape).astype(g.dtype, copy=False)


def max_unpool(a: Array, indices: Array, output_shape: Sizes) -> Array:
    """Puts each value back where `max_pool_forward` found it, zeros elsewhere."""
    size = math.prod(output_shape[2:])
    wrong = (indices < 0) | (indices >= size)
    if wrong.any():
        volume = "x".join(map(str, output_shape[2:]))
        raise RuntimeError(f"Found an invalid max index: {indices[wrong][0]} (output volumes are of size {volume})")
    out = np.zeros(math.prod(output_shape), a.dtype)
    if not a.size:
        return out.reshape(output_shape)
    out[_flat(indices, size)] = a.reshape(-1)
    return out.reshape(output_shape)


def _divisors(
    spatial: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    out: Sizes,
    count_include_pad: bool,
    divisor: int | None,
) -> Array:
    """How many elements each window is divided by; what sticks out beyond the padding never counts."""
    if divisor is not None:
        return np.full(out, divisor)
    counts = np.ones((), np.int64)
    for n, k, s, p, m in zip(spatial, kernel, stride, padding, out, strict=True):
        start = np.arange(m) * s - p
        stop = np.minimum(start + k, n + p)
        size = stop - start if count_include_pad else np.minimum(stop, n) - np.maximum(start, 0)
        counts = np.multiply.outer(counts, size)
    return counts


def avg_pool_forward(
    a: Array,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> Array:
    """The sum of each window over its size (or over `divisor`)."""
    ones = (1,) * len(kernel)
    out = pool_output_shape(a.shape[2:], kernel, stride, padding, ones, ceil_mode)
    source = _pad_to_fit(widen(a), 0, kernel, stride, padding, ones, out)
    total = np.zeros(a.shape[:2] + out, source.dtype)
    count = _divisors(a.shape[2:], kernel, stride, padding, out, count_include_pad, divisor)
    with np.errstate(all="ignore"):
        for _, window in taps(kernel, out, stride, ones):
            total += source[(..., *window)]
        if a.dtype.kind in "iu":  # integers round towards zero, as C's division does
            total = np.sign(total) * (np.abs(total) // count)
        else:
            total = total / count.astype(total.real.dtype)
    return narrow(total, a.dtype)


def avg_pool_backward(
    g: Array,
    input_shape: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> Array:
    """The transpose of `avg_pool_forward`."""
    spatial, out, ones = input_shape[2:], g.shape[2:], (1,) * len(kernel)
    count = _divisors(spatial, kernel, stride, padding, out, count_include_pad, divisor)
    sizes = zip(spatial, kernel, stride, padding, out, strict=True)
    reach = tuple(max(n + p, (m - 1) * s - p + k) + p for n, k, s, p, m in sizes)
    total = np.zeros((*input_shape[:2], *reach), computing_dtype(g.dtype))
    with np.errstate(all="ignore"):
        share = widen(g) / count.astype(total.real.dtype)
        for _, window in taps(kernel, out, stride, ones):
            total[(..., *window)] += share
    inner: Any = tuple(slice(p, p + n) for p, n in zip(padding, spatial, strict=True))
    return np.ascontiguousarray(total[(..., *inner)]).astype(g.dtype, copy=False)


def _segments(n: int, out: int) -> list[slice]:
    """The adaptive windows of one dimension: they cover it evenly and may overlap."""
    return [slice(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


def adaptive_avg_pool_forward(a: Array, output_size: Sizes) -> Array:
    """The mean of each adaptive window, one dimension after the other."""
    total = widen(a)
    with np.errstate(all="ignore"):
        for axis, out in enumerate(output_size, 2):
            lines = np.moveaxis(total, axis, -1)
            means = np.empty((*lines.shape[:-1], out), lines.dtype)
            for i, segment in enumerate(_segments(lines.shape[-1], out)):
                lines[..., segment].mean(-1, out=means[..., i])
            total = np.moveaxis(means, -1, axis)
    return np.ascontiguousarray(total).astype(a.dtype, copy=False)


def adaptive_avg_pool_backward(g: Array, input_shape: Sizes) -> Array:
    """The transpose of `adaptive_avg_pool_forward`."""
    total = widen(g)
    with np.errstate(all="ignore"):
        for axis in reversed(range(2, len(input_shape))):
            lines = np.moveaxis(total, axis, -1)
            spread = np.zeros((*lines.shape[:-1], input_shape[axis]), lines.dtype)
            for i, segment in enumerate(_segments(input_shape[axis], lines.shape[-1])):
                spread[..., segment] += lines[..., i, None] / np.asarray(segment.stop - segment.start, lines.real.dtype)
            total = np.moveaxis(spread, -1, axis)
    return np.ascontiguousarray(total).astype(g.dtype, copy=False)


def adaptive_max_pool_forward(a: Array, output_size: Sizes) -> tuple[Array, Array]:
    """The largest of each adaptive window and where it was; its backward is `max_pool_backward`."""
    spatial = a.shape[2:]
    position = np.arange(math.prod(spatial)).reshape(spatial)
    best = np.empty(a.shape[:2] + tuple(output_size), a.dtype)
    where = np.empty(best.shape, np.int64)
    for cell, window in _adaptive_windows(spatial, output_size):
        values = a[(..., *window)].reshape(*a.shape[:2], -1)
        winner = _first_largest_last_nan(values)
        best[(..., *cell)] = np.take_along_axis(values, winner[..., None], -1)[..., 0]
        where[(..., *cell)] = position[window].reshape(-1)[winner]
    return best, where


def _adaptive_windows(spatial: Sizes, output_size: Sizes) -> Iterator[tuple[Any, Any]]:
    segments = [_segments(n, out) for n, out in zip(spatial, output_size, strict=True)]
    for cell in itertools.product(*map(range, output_size)):
        yield cell, tuple(line[i] for line, i in zip(segments, cell, strict=True))


def _first_largest_last_nan(values: Array) -> Array:
    """argmax over the last axis, but of several nans the last one, as PyTorch's running maximum leaves it."""
    with np.errstate(all="ignore"):
        nan = values != values
        last_nan = values.shape[-1] - 1 - np.argmax(nan[..., ::-1], -1)
        return np.asarray(np.where(nan.any(-1), last_nan, np.argmax(np.where(nan, 0, widen(values)), -1)))

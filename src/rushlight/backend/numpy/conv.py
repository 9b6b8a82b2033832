"""Convolution in 1 to 3 dimensions as one matrix product over the patches of the input.

`patches` lays every window of the input out as a column; `fold`, its transpose, adds the columns back. Forward,
grad-weight and grad-input are then the three matrix products of a linear layer. Arrays are (N, C, *spatial), weights
(out, in / groups, *kernel). Complex arrays are not conjugated here: that is the derivative's affair.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rushlight.backend.numpy.precision import Array, computing_dtype, widen

__all__ = [
    "conv_output_shape",
    "conv_forward",
    "conv_grad_input",
    "conv_grad_weight",
]

Sizes = tuple[int, ...]

# Patches of more samples than this are not built at once.
PATCH_ELEMENTS = 1 << 23


def conv_output_shape(spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Sizes:
    """How many windows fit, for each dimension."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(spatial, kernel, stride, padding, dilation, strict=True)
    )


def taps(kernel: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[tuple[Any, Any]]:
    """Each position in the kernel, with the slices of the padded input it meets over all windows."""
    for tap in itertools.product(*map(range, kernel)):
        starts = [t * d for t, d in zip(tap, dilation, strict=True)]
        yield tap, tuple(slice(b, b + s * (n - 1) + 1, s) for b, s, n in zip(starts, stride, out, strict=True))


def padded(a: Array, padding: Sizes) -> Array:
    """`a` with zeros around its spatial dimensions."""
    return np.pad(a, [(0, 0), (0, 0), *((p, p) for p in padding)]) if any(padding) else a


def patches(a: Array, kernel: Sizes, out: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Array:
    """(groups, C / groups * kernel, N * out): column j holds what the j-th window sees."""
    n, c = a.shape[:2]
    source = padded(a, padding).reshape(
        n, groups, c // groups, *(m + 2 * p for m, p in zip(a.shape[2:], padding, strict=True))
    )
    source = np.moveaxis(source, 0, 2)
    columns = np.empty((groups, c // groups, *kernel, n, *out), a.dtype)
    for tap, window in taps(kernel, out, stride, dilation):
        columns[(slice(None), slice(None), *tap)] = source[(..., *window)]
    return columns.reshape(groups, c // groups * math.prod(kernel), n * math.prod(out))


def fold(
    columns: Array, shape: Sizes, kernel: Sizes, out: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Array:
    """Adds the columns of `patches` back where they came from, into an array of `shape`."""
    n, c = shape[:2]
    groups = columns.shape[0]
    wide = tuple(m + 2 * p for m, p in zip(shape[2:], padding, strict=True))
    total = np.zeros((groups, c // groups, n, *wide), columns.dtype)
    columns = columns.reshape(groups, c // groups, *kernel, n, *out)
    for tap, window in taps(kernel, out, stride, dilation):
        total[(..., *window)] += columns[(slice(None), slice(None), *tap)]
    inner: Any = tuple(slice(p, p + m) for m, p in zip(shape[2:], padding, strict=True))
    return np.moveaxis(total[(..., *inner)], 2, 0).reshape(shape)


def by_group(g: Array, groups: int) -> Array:
    """(N, O, *out) as the matrices (groups, O / groups, N * out)."""
    n, o = g.shape[:2]
    return np.moveaxis(g.reshape(n, groups, o // groups, -1), 0, 2).reshape(groups, o // groups, -1)


def batches(n: int, elements: int) -> Iterator[slice]:
    """Cuts `n` samples so that the patches of one cut, `elements` a sample, stay small."""
    step = max(1, PATCH_ELEMENTS // max(1, elements))
    return (slice(start, start + step) for start in range(0, n, step))


def conv_forward(
    a: Array, w: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int = 1
) -> Array:
    """Cross-correlates `a` (N, C, *spatial) with `w` (O, C / groups, *kernel) and adds `bias` (O)."""
    kernel, n, o = w.shape[2:], a.shape[0], w.shape[0]
    out = conv_output_shape(a.shape[2:], kernel, stride, padding, dilation)
    matrix = widen(w).reshape(groups, o // groups, -1)
    result = np.empty((n, o, *out), computing_dtype(a.dtype))
    with np.errstate(all="ignore"):
        for cut in batches(n, a.shape[1] * math.prod(kernel) * math.prod(out)):
            part = matrix @ patches(widen(a[cut]), kernel, out, stride, padding, dilation, groups)
            part = part.reshape(groups, o // groups, -1, math.prod(out))
            result[cut] = np.moveaxis(part, 2, 0).reshape(-1, o, *out)
        if bias is not None:
            result += widen(bias).reshape(-1, *[1] * len(kernel))
    return result.astype(a.dtype, copy=False)


def conv_grad_input(
    g: Array, w: Array, input_shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int = 1
) -> Array:
    """The transpose of `conv_forward` in `a`; transposed convolution is this with the shape it is to return."""
    kernel, out = w.shape[2:], g.shape[2:]
    matrix = widen(w).reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)
    result = np.empty(input_shape, computing_dtype(g.dtype))
    with np.errstate(all="ignore"):
        for cut in batches(g.shape[0], input_shape[1] * math.prod(kernel) * math.prod(out)):
            part = widen(g[cut])
            shape = (part.shape[0], *input_shape[1:])
            result[cut] = fold(matrix @ by_group(part, groups), shape, kernel, out, stride, padding, dilation)
    return result.astype(g.dtype, copy=False)


def conv_grad_weight(
    g: Array, a: Array, weight_shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int = 1
) -> Array:
    """The transpose of `conv_forward` in `w`: g (N, O, *out) against the windows of `a`."""
    kernel, out, o = weight_shape[2:], g.shape[2:], weight_shape[0]
    total = np.zeros((groups, o // groups, math.prod(weight_shape[1:])), computing_dtype(a.dtype))
    with np.errstate(all="ignore"):
        for cut in batches(a.shape[0], a.shape[1] * math.prod(kernel) * math.prod(out)):
            columns = patches(widen(a[cut]), kernel, out, stride, padding, dilation, groups)
            total += by_group(widen(g[cut]), groups) @ columns.swapaxes(1, 2)
    return total.reshape(weight_shape).astype(a.dtype, copy=False)

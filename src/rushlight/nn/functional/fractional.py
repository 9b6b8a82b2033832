"""Fractional max pooling: maxima of pseudo-random regions, of any number of them."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes, ops


def sizes(value: Any, n: int) -> tuple[int, ...]:
    """`value` for each of `n` dimensions."""
    if isinstance(value, (tuple, list)):
        return tuple(int(v) for v in value) if len(value) == n else (int(value[0]),) * n
    return (int(value),) * n


def _starts(samples: Any, old: int, new: int, pool: int) -> Any:
    """First elements (N, C, new) of pseudo-random regions that cover `old` elements (Graham, arXiv 1412.6071)."""
    if new == 1:
        return ops.full((*samples.shape, 1), old - pool, dtype=dtypes.int64)
    alpha = (old - pool) / (new - 1)
    i = ops.arange(new).to(samples.dtype)
    found = ((i + samples.unsqueeze(-1)) * alpha).long() - (samples.unsqueeze(-1) * alpha).long()
    found[..., -1] = old - pool
    return found


def _fractional(n: int, x: Any, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any) -> Any:
    name = f"fractional_max_pool{n}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    kernel = sizes(kernel_size, n)
    space = x.shape[-n:]
    if x.dim() not in (n + 1, n + 2):
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(x.shape)}")
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
        output_size = [int(k * r) for k, r in zip(space, ratios, strict=True)]
    output = sizes(output_size, n)
    for axis, k, o, old in zip(
        ("height", "width") if n == 2 else ("time", "height", "width"), kernel, output, space, strict=True
    ):
        if o + k - 1 > old:
            raise RuntimeError(f"{name}(): pool {axis} {k} too large relative to input {axis} {old}")
    batched = x if x.dim() == n + 2 else x.unsqueeze(0)
    b, c = batched.shape[:2]
    if samples is None:
        samples = ops.rand(b, c, n, dtype=x.dtype)
    # In two dimensions the first sample belongs to the width, in three to the depth.
    order = (1, 0) if n == 2 else (0, 1, 2)
    flat: Any = 0
    for d in range(n):
        start = _starts(samples[:b, :, order[d]], space[d], output[d], kernel[d])
        taps = start.unsqueeze(-1) + ops.arange(kernel[d])  # (B, C, output, kernel)
        shape = [b, c] + [1] * (2 * n)
        shape[2 + d], shape[2 + n + d] = output[d], kernel[d]
        flat = flat * space[d] + taps.reshape(shape)
    flat = flat.reshape(b, c, math.prod(output), math.prod(kernel))
    windows = batched.flatten(2).gather(2, flat.flatten(2)).reshape(flat.shape)
    values, which = windows.max(-1)
    indices = flat.gather(-1, which.unsqueeze(-1)).reshape(b, c, *output)
    values = values.reshape(b, c, *output)
    return (values, indices) if x.dim() == n + 2 else (values.squeeze(0), indices.squeeze(0))


def fractional_max_pool2d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Any = None,
) -> Any:  # fmt: skip
    """`fractional_max_pool2d` and the indices of the maxima."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Any = None,
) -> Any:  # fmt: skip
    """`fractional_max_pool3d` and the indices of the maxima."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool2d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Maxima of overlapping random regions whose number is chosen freely (Graham, https://arxiv.org/abs/1412.6071)."""
    found = _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


def fractional_max_pool3d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Maxima of overlapping random regions whose number is chosen freely, in three dimensions."""
    found = _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]

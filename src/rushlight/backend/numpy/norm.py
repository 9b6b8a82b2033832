"""Normalisation layers and their derivatives.

All of them standardise `a` over some axes, h = (a - mean) * rstd, and then scale and shift. Their derivatives share
one formula: with u the gradient of h, ga = rstd * (u - mean(u) - h * mean(u * h)). Statistics come back in the dtype
the kernel computes in (float32 for half precision).
"""

from __future__ import annotations

import math

import numpy as np

from rushlight.backend.numpy.precision import Array, widen

__all__ = [
    "batch_norm_forward",
    "batch_norm_backward",
    "layer_norm_forward",
    "layer_norm_backward",
    "group_norm_forward",
    "group_norm_backward",
    "rms_norm_forward",
    "rms_norm_backward",
]

Axes = tuple[int, ...]


def _standardise(a: Array, axes: Axes, eps: float) -> tuple[Array, Array, Array, Array]:
    """(h, mean, var, rstd), the statistics with the axes kept."""
    mean = a.mean(axes, keepdims=True)
    centred = a - mean
    var = np.square(centred).mean(axes, keepdims=True)
    rstd = (1 / np.sqrt(var + np.asarray(eps, a.dtype))).astype(a.dtype, copy=False)
    return centred * rstd, mean, var, rstd


def _standardise_backward(u: Array, h: Array, rstd: Array, axes: Axes) -> Array:
    centred: Array = u - u.mean(axes, keepdims=True) - h * (u * h).mean(axes, keepdims=True)
    return centred * rstd


def _affine(h: Array, weight: Array | None, bias: Array | None) -> Array:
    if weight is not None:
        h = h * widen(weight)
    return h if bias is None else h + widen(bias)


def batch_norm_forward(
    a: Array, weight: Array | None, bias: Array | None, eps: float, var_out: Array | None = None
) -> tuple[Array, Array, Array]:
    """(out, mean, invstd) of `a` (N, C, …), standardised for each channel by the batch's own statistics.

    The biased variance, which the running statistics need, is written to `var_out` (C) when it is given.
    """
    axes, shape = (0, *range(2, a.ndim)), (-1, *[1] * (a.ndim - 2))
    with np.errstate(all="ignore"):
        h, mean, var, invstd = _standardise(widen(a), axes, eps)
        out = _affine(
            h, None if weight is None else weight.reshape(shape), None if bias is None else bias.reshape(shape)
        )
    if var_out is not None:
        var_out[...] = var.reshape(-1)
    return out.astype(a.dtype, copy=False), mean.reshape(-1), invstd.reshape(-1)


def batch_norm_backward(
    g: Array, a: Array, weight: Array | None, mean: Array, invstd: Array, training: bool = True
) -> tuple[Array, Array, Array]:
    """(ga, gw, gb). Not `training`: mean and invstd are constants, as running statistics are."""
    axes, shape = (0, *range(2, a.ndim)), (-1, *[1] * (a.ndim - 2))
    with np.errstate(all="ignore"):
        wide, rstd = widen(g), widen(invstd).reshape(shape)
        h = (widen(a) - widen(mean).reshape(shape)) * rstd
        gw, gb = (wide * h).sum(axes), wide.sum(axes)
        u = wide if weight is None else wide * widen(weight).reshape(shape)
        ga = _standardise_backward(u, h, rstd, axes) if training else u * rstd
    stats = a.dtype if weight is None else weight.dtype
    return ga.astype(a.dtype, copy=False), gw.astype(stats, copy=False), gb.astype(stats, copy=False)


def layer_norm_forward(
    a: Array, n_dims: int, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(out, mean, rstd) of `a` standardised over its last `n_dims` dimensions; mean and rstd keep them as 1."""
    with np.errstate(all="ignore"):
        h, mean, _, rstd = _standardise(widen(a), tuple(range(-n_dims, 0)), eps)
        return np.asarray(_affine(h, weight, bias), a.dtype, order="C"), mean, rstd


def layer_norm_backward(
    g: Array, a: Array, n_dims: int, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """(ga, gw, gb), gw and gb of the normalised shape."""
    inner, outer = tuple(range(-n_dims, 0)), tuple(range(a.ndim - n_dims))
    with np.errstate(all="ignore"):
        wide, rstd = widen(g), widen(rstd)
        h = (widen(a) - widen(mean)) * rstd
        gw, gb = np.asarray((wide * h).sum(outer)), np.asarray(wide.sum(outer))
        u = wide if weight is None else wide * widen(weight)
        ga = _standardise_backward(u, h, rstd, inner)
    stats = a.dtype if weight is None else weight.dtype
    return ga.astype(a.dtype, copy=False), gw.astype(stats, copy=False), gb.astype(stats, copy=False)


def group_norm_forward(
    a: Array, groups: int, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(out, mean, rstd) of `a` (N, C, …), each sample standardised over each group of channels; statistics (N, groups).

    Instance norm is this with as many groups as channels.
    """
    n, channel = a.shape[0], (-1, *[1] * (a.ndim - 2))
    with np.errstate(all="ignore"):
        h, mean, _, rstd = _standardise(widen(a).reshape(n, groups, math.prod(a.shape[1:]) // groups), (2,), eps)
        weight, bias = (None if p is None else p.reshape(channel) for p in (weight, bias))
        out = _affine(h.reshape(a.shape), weight, bias)
    return out.astype(a.dtype, copy=False), mean.reshape(n, groups), rstd.reshape(n, groups)


def group_norm_backward(
    g: Array, a: Array, groups: int, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """(ga, gw, gb)."""
    n, axes, channel = a.shape[0], (0, *range(2, a.ndim)), (-1, *[1] * (a.ndim - 2))
    with np.errstate(all="ignore"):
        wide, rstd = widen(g), widen(rstd).reshape(n, groups, 1)
        h = (widen(a).reshape(n, groups, math.prod(a.shape[1:]) // groups) - widen(mean).reshape(n, groups, 1)) * rstd
        gw, gb = (wide * h.reshape(a.shape)).sum(axes), wide.sum(axes)
        u = wide if weight is None else wide * widen(weight).reshape(channel)
        ga = _standardise_backward(u.reshape(h.shape), h, rstd, (2,)).reshape(a.shape)
    stats = a.dtype if weight is None else weight.dtype
    return ga.astype(a.dtype, copy=False), gw.astype(stats, copy=False), gb.astype(stats, copy=False)


def rms_norm_forward(a: Array, n_dims: int, weight: Array | None, eps: float) -> tuple[Array, Array]:
    """(out, rstd) of `a` over the root mean square of its last `n_dims` dimensions."""
    with np.errstate(all="ignore"):
        wide = widen(a)
        mean = np.square(wide).mean(tuple(range(-n_dims, 0)), keepdims=True)
        rstd = (1 / np.sqrt(mean + np.asarray(eps, wide.dtype))).astype(wide.dtype, copy=False)
        return np.asarray(_affine(wide * rstd, weight, None), a.dtype, order="C"), rstd


def rms_norm_backward(g: Array, a: Array, n_dims: int, weight: Array | None, rstd: Array) -> tuple[Array, Array]:
    """(ga, gw)."""
    inner, outer = tuple(range(-n_dims, 0)), tuple(range(a.ndim - n_dims))
    with np.errstate(all="ignore"):
        wide, rstd = widen(g), widen(rstd)
        h = widen(a) * rstd
        gw = np.asarray((wide * h).sum(outer))
        u = wide if weight is None else wide * widen(weight)
        ga = (u - h * (u * h).mean(inner, keepdims=True)) * rstd
    return ga.astype(a.dtype, copy=False), gw.astype(a.dtype if weight is None else weight.dtype, copy=False)

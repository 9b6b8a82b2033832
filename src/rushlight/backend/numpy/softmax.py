"""Softmax, and the classification losses that end in it.

Logits are (N, C) or (N, C, d1, …) and targets, class numbers, (N) or (N, d1, …). A reduction is "none", "sum" or
"mean"; a mean is over the weights of the targets that count, `total`, which the backward needs again.
"""

from __future__ import annotations

import numpy as np

from rushlight.backend import placing
from rushlight.backend.numpy.precision import Array, narrow, widen

__all__ = [
    "softmax",
    "softmax_backward",
    "log_softmax",
    "log_softmax_backward",
    "nll_forward",
    "nll_backward",
    "cross_entropy_forward",
    "cross_entropy_backward",
]


def softmax(a: Array, axis: int) -> Array:
    """exp(a) over its sum along `axis`."""
    if a.ndim == 0:
        return softmax(a.reshape(1), 0).reshape(())
    with np.errstate(all="ignore"):
        wide = widen(a)
        e = np.exp(wide - wide.max(axis, keepdims=True, initial=-np.inf))
        result: Array = placing.in_order(narrow(e / e.sum(axis, keepdims=True), a.dtype))
        return result


def softmax_backward(g: Array, out: Array, axis: int) -> Array:
    """out * (g - sum(g * out))."""
    if g.ndim == 0:
        return softmax_backward(g.reshape(1), out.reshape(1), 0).reshape(())
    with np.errstate(all="ignore"):
        wide, g_wide = widen(out), widen(g)
        return narrow(wide * (g_wide - (g_wide * wide).sum(axis, keepdims=True)), out.dtype)


def log_softmax(a: Array, axis: int) -> Array:
    """a - log(sum(exp(a))) along `axis`."""
    if a.ndim == 0:
        return log_softmax(a.reshape(1), 0).reshape(())
    with np.errstate(all="ignore"):
        wide = widen(a)
        shifted = wide - wide.max(axis, keepdims=True, initial=-np.inf)
        result: Array = placing.in_order(narrow(shifted - np.log(np.exp(shifted).sum(axis, keepdims=True)), a.dtype))
        return result


def log_softmax_backward(g: Array, out: Array, axis: int) -> Array:
    """g - exp(out) * sum(g)."""
    if g.ndim == 0:
        return log_softmax_backward(g.reshape(1), out.reshape(1), 0).reshape(())
    with np.errstate(all="ignore"):
        wide = widen(g)
        return narrow(wide - np.exp(widen(out)) * wide.sum(axis, keepdims=True), out.dtype)


def _checked(target: Array, classes: int, ignore_index: int) -> tuple[Array, Array]:
    """(target with ignored entries as class 0, which entries count)."""
    counts = target != ignore_index
    wrong = counts & ((target < 0) | (target >= classes))
    if wrong.any():
        raise IndexError(f"Target {target[wrong][0]} is out of bounds.")
    return np.where(counts, target, 0).astype(np.int64, copy=False), counts


def _target_weight(weight: Array | None, safe: Array, counts: Array, like: Array) -> Array:
    """The weight of each entry: its class's, 0 for what is ignored."""
    return counts.astype(like.dtype) if weight is None else np.where(counts, widen(weight)[safe], 0)


def _reduce(losses: Array, total: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    return np.asarray(losses.sum()) if reduction == "sum" else np.asarray(losses.sum() / total)


def _spread(g: Array, total: Array, reduction: str) -> Array:
    """The gradient of each entry's loss, from the gradient of the reduced one; it broadcasts against the entries."""
    return np.asarray(widen(g) / total if reduction == "mean" else widen(g))


def nll_forward(
    a: Array, target: Array, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> tuple[Array, Array]:
    """(loss, total) of log-probabilities `a`: minus the one of the target, times the target's weight."""
    safe, counts = _checked(target, a.shape[1], ignore_index)
    with np.errstate(all="ignore"):
        wide = widen(a)
        picked = np.take_along_axis(wide, safe[:, None], 1)[:, 0]
        share = _target_weight(weight, safe, counts, wide)
        losses = np.where(counts, -picked * share, 0).astype(wide.dtype, copy=False)
        total = np.asarray(share.sum())
        return _reduce(losses, total, reduction).astype(a.dtype, copy=False), total


def nll_backward(
    g: Array,
    input_shape: tuple[int, ...],
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    total: Array | None = None,
) -> Array:
    """The gradient of the log-probabilities; `total` as `nll_forward` gave it."""
    safe, counts = _checked(target, input_shape[1], ignore_index)
    wide = widen(g)
    with np.errstate(all="ignore"):
        share = _target_weight(weight, safe, counts, wide)
        scale = np.where(counts, -share * _spread(g, np.asarray(total), reduction), 0)
        ga = np.zeros(input_shape, wide.dtype)
        np.put_along_axis(ga, safe[:, None], scale[:, None].astype(wide.dtype), 1)
    return ga.astype(g.dtype, copy=False)


def cross_entropy_forward(
    a: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    smoothing: float = 0.0,
    reduction: str = "mean",
) -> tuple[Array, Array, Array]:
    """(loss, stats, total) of logits `a` against class numbers.

    `stats` (2, N, …) holds each entry's maximum and the log of its sum of exp(a - maximum): all that the backward
    needs beside `a`. With `smoothing` s, the loss is (1 - s) of the target's and s / C of every class's.
    """
    classes = a.shape[1]
    safe, counts = _checked(target, classes, ignore_index)
    with np.errstate(all="ignore"):
        wide = widen(a)
        stats = np.empty((2, *target.shape), wide.dtype)
        stats[0] = wide.max(1, initial=-np.inf)
        shifted = wide - stats[0][:, None]
        stats[1] = np.log(np.exp(shifted).sum(1))
        share = _target_weight(weight, safe, counts, wide)
        losses = (stats[1] - np.take_along_axis(shifted, safe[:, None], 1)[:, 0]) * share
        if smoothing:
            everything = stats[1][:, None] - shifted
            if weight is not None:
                everything = everything * widen(weight).reshape(-1, *[1] * (a.ndim - 2))
            losses = (1 - smoothing) * losses + smoothing / classes * everything.sum(1)
        losses = np.where(counts, losses, 0).astype(wide.dtype, copy=False)
        total = np.asarray(share.sum())
        return _reduce(losses, total, reduction).astype(a.dtype, copy=False), stats, total


def cross_entropy_backward(
    g: Array,
    a: Array,
    target: Array,
    stats: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    smoothing: float = 0.0,
    reduction: str = "mean",
    total: Array | None = None,
) -> Array:
    """The gradient of the logits; `stats` and `total` as `cross_entropy_forward` gave them."""
    classes = a.shape[1]
    safe, counts = _checked(target, classes, ignore_index)
    with np.errstate(all="ignore"):
        wide = widen(a)
        entry = np.where(counts, _spread(g, np.asarray(total), reduction), 0)
        hit = entry * _target_weight(weight, safe, counts, wide) * (1 - smoothing)
        log_p = wide - stats[0][:, None] - stats[1][:, None]
        if smoothing:
            every = np.ones(classes, wide.dtype) if weight is None else widen(weight)
            each = (entry * (smoothing / classes))[:, None]
            ga = np.exp(log_p) * (hit[:, None] + each * every.sum())
            ga -= each * every.reshape(-1, *[1] * (a.ndim - 2))
        else:
            ga = np.exp(log_p) * hit[:, None]
        place = safe[:, None]
        np.put_along_axis(ga, place, np.take_along_axis(ga, place, 1) - hit[:, None], 1)
        ga = np.where(counts[:, None], ga, 0)
    return ga.astype(a.dtype, copy=False)

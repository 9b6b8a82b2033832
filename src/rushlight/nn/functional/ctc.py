"""Connectionist temporal classification (Graves et al., 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...autograd.tensor import Tensor
from ...dtypes import INT
from ...ops.declare import primitive
from ...ops.publishing import combination_error
from .reduction import check


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """Negative log likelihood of `targets` under all alignments with `log_probs` (T, N, C) or (T, C).

    `targets` is (N, S), or all targets one after the other. "mean" divides each loss by its target's length first.
    """
    check(reduction)
    _check_kinds(log_probs, targets, input_lengths, target_lengths)
    single = log_probs.dim() == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
        targets = targets.unsqueeze(0) if targets.dim() == 1 else targets
    times, lengths = _lengths(input_lengths), _lengths(target_lengths)
    _check_sizes(log_probs, targets, times, lengths, blank)
    labels = _labels(targets, lengths)
    if labels.size and (labels.min() < 0 or labels.max() >= log_probs.shape[2]):
        raise RuntimeError(f"targets have to be classes from 0 to {log_probs.shape[2] - 1}")
    losses = _ctc(log_probs, labels, times, lengths, blank, zero_infinity)
    if zero_infinity:
        losses = ops.where(losses == float("inf"), 0.0, losses)
    if reduction == "mean":
        return (losses / ops.tensor(lengths, dtype=losses.dtype).clamp_min(1)).mean()
    if reduction == "sum":
        return losses.sum()
    return losses.squeeze(0) if single else losses


_WHERE = "(while checking arguments for ctc_loss_allocate_outputs)"


def _check_kinds(log_probs: Any, targets: Any, times: Any, lengths: Any) -> None:
    """Tensors, and lengths that are both tensors or both tuples."""
    both = isinstance(times, Tensor), isinstance(lengths, Tensor)
    sequences = isinstance(times, (list, tuple)), isinstance(lengths, (list, tuple))
    if not (isinstance(log_probs, Tensor) and isinstance(targets, Tensor) and (all(both) or all(sequences))):
        raise combination_error("ctc_loss", log_probs, targets, times, lengths, 0, 0, False)
    for name, value in (("input_lengths", times), ("target_lengths", lengths)):
        if isinstance(value, Tensor) and value.dtype.category != INT:
            raise RuntimeError(f"{name} must be integral")


def _check_sizes(log_probs: Any, targets: Any, times: list[int], lengths: list[int], blank: int) -> None:
    """PyTorch's errors for what does not fit; `log_probs` has its batch dimension."""
    if not log_probs.numel():
        raise RuntimeError("log_probs tensor must not be empty")
    if log_probs.dtype.name not in ("float32", "float64"):
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{log_probs.dtype.scalar_name}'")
    if log_probs.dim() != 3:
        # PyTorch has added a dimension to what is no batch.
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.dim() + 1}-dimensional tensor for argument #1 'log_probs' "
            f"{_WHERE}"
        )
    if targets.dim() not in (1, 2):
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.dim()}-dimensional tensor for argument #2 'targets' {_WHERE}"
        )
    steps, n, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, given in (("input_lengths", times), ("target_lengths", lengths)):
        if len(given) != n:
            raise RuntimeError(f"{name} must be of size batch_size")
    for value in lengths:
        if value < 0:
            raise RuntimeError(f"Expected target_lengths to have value at least 0, but got value {value} {_WHERE}")
    longest = max(lengths, default=0)
    for axis, size, least in [(0, sum(lengths), False)] if targets.dim() == 1 else [(0, n, False), (1, longest, True)]:
        got = targets.shape[axis]
        if got < size or (got != size and not least):
            raise RuntimeError(
                f"Expected tensor to have size {'at least ' if least else ''}{size} at dimension {axis}, but got size {got} "
                f"for argument #2 'targets' {_WHERE}"
            )
    for value in times:
        if value < 0:
            raise RuntimeError(f"Expected input_lengths to have value at least 0, but got value {value} {_WHERE}")
        if value > steps:
            raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {value} {_WHERE}")


def _lengths(given: Any) -> list[int]:
    values = given.tolist() if isinstance(given, Tensor) else list(given)
    return [int(v) for v in values] if isinstance(values, list) else [int(values)]


def _labels(targets: Any, lengths: list[int]) -> Any:
    """The targets as an array (N, longest); what lies beyond a length does not count and is 0."""
    a = targets.detach().numpy().astype(np.int64)
    longest = max(lengths, default=0)
    out = np.zeros((len(lengths), longest), np.int64)
    start = 0
    for i, n in enumerate(lengths):
        out[i, :n] = a[i, :n] if a.ndim == 2 else a[start : start + n]
        start += n
    return out


def _extended(labels: Any, blank: int) -> tuple[Any, Any]:
    """Labels with blanks around them, and where a path may skip the blank before a label."""
    n, s = labels.shape
    path = np.full((n, 2 * s + 1), blank, np.int64)
    path[:, 1::2] = labels
    skip = np.zeros(path.shape, bool)
    skip[:, 2:] = (path[:, 2:] != blank) & (path[:, 2:] != path[:, :-2])
    return path, skip


def _shifted(a: Any, by: int) -> Any:
    out = np.full_like(a, -np.inf)
    if by < a.shape[1]:
        out[:, by:] = a[:, : a.shape[1] - by]
    return out


def _sweep(emitted: Any, skip: Any, start: Any, times: Any) -> Any:
    """Log probabilities of all prefixes: `alpha[t, n, s]` ends at place s of the path at time t."""
    alpha = np.full(emitted.shape, -np.inf, emitted.dtype)
    alpha[0] = np.where(start, emitted[0], -np.inf)
    for t in range(1, len(emitted)):
        before = alpha[t - 1]
        total = np.logaddexp(before, _shifted(before, 1))
        total = np.logaddexp(total, np.where(skip, _shifted(before, 2), -np.inf))
        alpha[t] = np.where((t < times)[:, None], total + emitted[t], -np.inf)
    return alpha


def _forward(a: Any, labels: Any, times: Any, lengths: Any, blank: int, zero_infinity: bool) -> Any:
    path, skip = _extended(labels, blank)
    n, width = path.shape
    time, length = np.array(times), np.array(lengths)
    place = np.arange(width)
    emitted = np.take_along_axis(a, np.broadcast_to(path, (len(a), n, width)), axis=2)
    with np.errstate(all="ignore"):
        if len(a):
            start = (place < 2) & (place <= 2 * length[:, None])
            alpha = _sweep(emitted, skip, start, time)
        else:
            alpha = np.full((1, n, width), -np.inf, a.dtype)
        row = np.arange(n)
        end = alpha[np.maximum(time - 1, 0), row]
        last = end[row, 2 * length]
        before = np.where(length > 0, end[row, np.maximum(2 * length - 1, 0)], -np.inf)
        total = np.logaddexp(last, before)
        # Without any step only the empty target can come out, and does so surely.
        total = np.where(time == 0, np.where(length == 0, 0.0, -np.inf), total).astype(a.dtype)
    return -total, (path, skip, alpha, emitted)


def _backward(g: Any, a: Any, out: Any, times: Any, lengths: Any, zero_infinity: bool, aux: Any) -> Any:
    # PyTorch's gradient takes log_probs to be the output of log_softmax: exp(log_probs) minus the posterior.
    path, _, alpha, emitted = aux
    steps, n, width = emitted.shape
    time, length = np.array(times), np.array(lengths)
    grad = np.zeros_like(a)
    with np.errstate(all="ignore"):
        # A suffix of the path is a prefix of the path read backwards from its own end and time.
        beta = np.full(emitted.shape, -np.inf, a.dtype)
        row = np.arange(n)
        for i in row:
            t, w = time[i], 2 * length[i] + 1
            if t:
                turned = path[i : i + 1, :w][:, ::-1]
                _, turned_skip = _extended(turned[:, 1::2], turned[0, 0]) if w > 1 else (None, np.zeros((1, 1), bool))
                start = np.arange(w) < 2
                found = _sweep(emitted[:t, i : i + 1, :w][::-1, :, ::-1], turned_skip, start[None], np.array([t]))
                beta[:t, i, :w] = found[::-1, 0, ::-1]
        joint = alpha + beta - emitted  # each counts the emission at time t once
        posterior = np.exp(joint + out[None, :, None])
        posterior = np.where(np.isfinite(joint), posterior, 0)
        for s in range(width):
            grad[:, row, path[:, s]] -= posterior[:, :, s]
        grad += np.exp(a)
        grad *= g[None, :, None]
        grad[np.arange(steps)[:, None] >= time[None, :]] = 0
        if zero_infinity:
            grad[:, np.isinf(out)] = 0
    return grad


_ctc = primitive(
    "CtcLossBackward0",
    lambda a, labels, times, lengths, blank, zero_infinity: _forward(a, labels, times, lengths, blank, zero_infinity),
    aux=True,
    a=_backward,
)

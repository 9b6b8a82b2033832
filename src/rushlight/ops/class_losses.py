"""Losses on class scores: negative log-likelihood and cross-entropy, reduced in the same pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import kernels as K
from ..settings import warn
from .activation import log_softmax_of as log_softmax
from .activation import softmax_of as softmax
from .declare import primitive
from .publishing import first_no_tensor


def reduction_of(reduction: str, size_average: Any = None, reduce: Any = None) -> str:
    """`reduction`, or what PyTorch's two old flags meant."""
    if size_average is not None or reduce is not None:
        average, reduces = size_average is not False, reduce is not False
        old = ("mean" if average else "sum") if reduces else "none"
        warn(f"size_average and reduce args will be deprecated, please use reduction='{old}' instead.")
        return old
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


_nll: Any = primitive(
    "NllLossBackward0",
    lambda a, target, weight, ignore, reduction: K.nll_forward(a, target, weight, ignore, reduction),
    inputs=("target", "weight"), aux=True,
    a=lambda g, a_shape, target, weight, ignore, reduction, aux: K.nll_backward(g, a_shape, target, weight, ignore, reduction, aux),
    graph={"a": lambda g, a_shape, target, weight, ignore, reduction, aux: _nll_backward_graph(g, a_shape, target, weight, ignore, reduction)},
)  # fmt: skip


def _nll_backward_graph(g: Any, shape: Any, target: Any, weight: Any, ignore: int, reduction: str) -> Any:
    share = _entry_weights(target, weight, ignore, g)
    scaled = -share * g
    if reduction == "mean":
        scaled = scaled / share.sum()
    index = target.masked_fill(target == ignore, 0).unsqueeze(1)
    return g.new_zeros(shape).scatter(1, index, scaled.expand(target.shape).unsqueeze(1))


def _entry_weights(target: Any, weight: Any, ignore: int, like: Any) -> Any:
    counts = (target != ignore).to(like.dtype)
    if weight is None:
        return counts
    return weight[target.masked_fill(target == ignore, 0)] * counts


_cross_entropy: Any = primitive(
    "NllLossBackward0",
    lambda a, target, weight, ignore, smoothing, reduction: _with_aux(K.cross_entropy_forward(a, target, weight, ignore, smoothing, reduction)),
    inputs=("target", "weight"), aux=True,
    a=lambda g, a, target, weight, ignore, smoothing, reduction, aux: K.cross_entropy_backward(
        g, a, target, aux[0], weight, ignore, smoothing, reduction, aux[1]
    ),
    graph={"a": lambda g, a, target, weight, ignore, smoothing, reduction: _cross_entropy_graph(g, a, target, weight, ignore, smoothing, reduction)},
)  # fmt: skip


def _with_aux(found: Any) -> Any:
    loss, stats, total = found
    return loss, (stats, total)


def _cross_entropy_graph(
    g: Any, a: Any, target: Any, weight: Any, ignore: int, smoothing: float, reduction: str
) -> Any:
    p = softmax(a, 1)
    classes = a.shape[1]
    share = _entry_weights(target, weight, ignore, a)
    counts = (target != ignore).to(a.dtype)
    scale = g / share.sum() if reduction == "mean" else g
    scale = scale.expand(target.shape)
    index = target.masked_fill(target == ignore, 0).unsqueeze(1)
    hit = (scale * share * (1 - smoothing)).unsqueeze(1)
    grad = hit * p + (p * 0).scatter_add(1, index, -hit)
    if smoothing:
        every = (scale * counts * (smoothing / classes)).unsqueeze(1)
        if weight is None:
            grad = grad + every * (classes * p - 1)
        else:
            w = weight.reshape((1, -1) + (1,) * (a.dim() - 2))
            grad = grad + every * (w.sum() * p - w)
    return grad


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Minus the log-probability of the target class: input (N, C, ...), target (N, ...) of class numbers."""
    reduction = reduction_of(reduction, size_average, reduce)
    try:
        _check_classes(input, target, weight)
    except AttributeError:
        raise first_no_tensor("nll_loss_nd", input=input, target=target, weight=weight) from None
    if input._array.dtype.kind not in "fV":
        kernel = "nll_loss_out_frame" if input._array.ndim < 3 else "nll_loss2d_forward_out_frame"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.scalar_name}'")
    if input._array.ndim == 1:
        loss = _nll(input.unsqueeze(0), target.reshape(1), weight, ignore_index, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    return _nll(input, target, weight, ignore_index, reduction)


_INT64, _UINT8 = np.dtype(np.int64), np.dtype(np.uint8)


def _check_classes(x: Any, target: Any, weight: Any) -> None:
    """Refuse class numbers that do not fit the scores (..., or weights that do not fit the classes) in PyTorch's words."""
    a, b = x._array, target._array
    n = a.ndim
    if n == 2 and b.ndim == 1 and a.shape[0] == b.shape[0]:
        pass
    elif n < 3:
        _check_few(a, b)
    else:
        _check_spatial(a, b)
    if b.dtype != _INT64 and b.dtype != _UINT8:
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype.scalar_name}")
    if weight is not None:
        w, classes = weight._array, a.shape[1 if n > 1 else 0]
        if w.shape != (classes,):
            raise RuntimeError(
                "weight tensor should be defined either for all or no classes"
                if n > 2
                else f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
                f"of shape: {list(w.shape)}"
            )
        if w.dtype != a.dtype:
            raise RuntimeError(f"expected scalar type {x.dtype.scalar_name} but found {weight.dtype.scalar_name}")


def _check_few(a: Any, b: Any) -> None:
    """Scores of no spatial dimension."""
    if a.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if a.ndim == 1 and b.ndim == 1 and b.size != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {b.size}")
    if a.ndim == 2:
        _check_batch(a, b)
    if b.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")


def _check_batch(a: Any, b: Any) -> None:
    got = b.shape[0] if b.ndim else 0
    if a.shape[0] != got:
        raise ValueError(f"Expected input batch_size ({a.shape[0]}) to match target batch_size ({got}).")


def _check_spatial(a: Any, b: Any) -> None:
    """Scores (N, C, d1, ...): targets (N, d1, ...)."""
    _check_batch(a, b)
    expected = (a.shape[0], *a.shape[2:])
    if b.shape == expected:
        return
    if a.ndim != 4:
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(b.shape)}")
    if b.ndim != 3:
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {b.ndim}"
        )
    raise RuntimeError(f"size mismatch (got input: {list(a.shape)} , target: {list(b.shape)}")


def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100, reduce: Any = None,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """`nll_loss` of `log_softmax`, in one pass: input (N, C, ...) of scores; targets are class numbers, or probabilities.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html

    >>> import rushlight as torch
    >>> torch.nn.functional.cross_entropy(torch.zeros(1, 4), torch.tensor([2]))
    tensor(1.3863)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    try:
        a, b = input._array, target._array
        if label_smoothing > 1.0:
            raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
        axis = 0 if a.ndim == 1 else 1
        if a.shape == b.shape:
            return _soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing, axis)
        if a.dtype.kind not in "fV":
            log_softmax(input, axis)  # refuses it
        _check_classes(input, target, weight)
    except AttributeError:
        raise first_no_tensor("cross_entropy_loss", input=input, target=target, weight=weight) from None
    label_smoothing = max(label_smoothing, 0.0)
    if axis == 0:
        loss = _cross_entropy(input.unsqueeze(0), target.reshape(1), weight, ignore_index, label_smoothing, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    return _cross_entropy(input, target, weight, ignore_index, label_smoothing, reduction)


def _soft_cross_entropy(
    x: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float, axis: int
) -> Any:
    if target.dtype.category < dtypes.FLOAT:
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got " + target.dtype.scalar_name
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    classes = x.shape[axis] if x.dim() else 1
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {list(weight.shape)}"
        )
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / classes
    scores = log_softmax(x, axis)
    if weight is not None:
        scores = scores * weight.reshape((-1,) + (1,) * (x.dim() - axis - 1))
    losses = -(scores * target).sum(axis)
    if reduction == "none":
        return losses
    total = losses.sum()
    return total if reduction == "sum" else total / max(x.numel() // classes, 1)


FUNCTIONAL = {"nll_loss": nll_loss, "cross_entropy": cross_entropy}

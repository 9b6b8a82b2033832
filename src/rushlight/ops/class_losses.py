"""Losses on class scores: negative log-likelihood and cross-entropy, reduced in the same pass."""

from __future__ import annotations

from typing import Any

from ..backend import kernels as K
from ..settings import warn
from .activation import log_softmax_of as log_softmax
from .activation import softmax_of as softmax
from .declare import primitive


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
    _check_targets(input, target, weight, "nll_loss")
    if input._array.ndim == 1:
        loss = _nll(input.unsqueeze(0), target.reshape(1), weight, ignore_index, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    return _nll(input, target, weight, ignore_index, reduction)


def _check_targets(x: Any, target: Any, weight: Any, name: str) -> None:
    n = x._array.ndim
    if n == 0:
        raise RuntimeError("input tensor should be 1D or 2D")
    if target._array.dtype.kind not in "iu":
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.scalar_name}")
    batch = x._array.shape[0]
    if n == 1 and target._array.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if n == 2 and target._array.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if n >= 2 and (target._array.ndim == 0 or target._array.shape[0] != batch):
        got = target._array.shape[0] if target._array.ndim else 1
        raise ValueError(f"Expected input batch_size ({batch}) to match target batch_size ({got}).")
    if n > 2 and target._array.shape[1:] != x._array.shape[2:]:
        expected = [batch, *x._array.shape[2:]]
        if target._array.ndim != n - 1:
            raise RuntimeError(
                f"only batches of spatial targets supported ({n - 1}D tensors) but got targets of dimension: {target._array.ndim}"
                if n == 4
                else f"Expected target size {expected}, got {list(target._array.shape)}"
            )
        raise RuntimeError(f"Expected target size {expected}, got {list(target._array.shape)}")
    classes = x._array.shape[1] if n > 1 else x._array.shape[0]
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {list(weight._array.shape)}"
            if name == "nll_loss"
            else f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {list(weight._array.shape)}"
        )


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
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    axis = 0 if input._array.ndim == 1 else 1
    if target._array.shape == input._array.shape and target._array.dtype.kind == "f":
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing, axis)
    if target._array.dtype.kind == "f":
        if target._array.ndim == input._array.ndim - 1:
            raise RuntimeError(f"expected scalar type Long but found {target.dtype.scalar_name}")
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    _check_targets(input, target, weight, "cross_entropy")
    if axis == 0:
        loss = _cross_entropy(input.unsqueeze(0), target.reshape(1), weight, ignore_index, label_smoothing, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    return _cross_entropy(input, target, weight, ignore_index, label_smoothing, reduction)


def _soft_cross_entropy(x: Any, target: Any, weight: Any, reduction: str, smoothing: float, axis: int) -> Any:
    classes = x.shape[axis]
    if smoothing:
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

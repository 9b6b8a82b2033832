"""Losses that ask for a margin: ranking, hinge, cosine, triplet, and the multi-class and multi-label ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import ops
from ...autograd.tensor import Tensor
from ...dtypes import FLOAT, check_cast, float32
from ...ops.activation import logsigmoid
from ...ops.publishing import require_tensors, type_error
from . import distance
from .reduction import check, legacy
from .reduction import reduce as _reduce


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`max(0, -target * (input1 - input2) + margin)`: `input1` shall be larger where the target is 1, smaller at -1."""
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    reduction = legacy(size_average, reduce, reduction)
    return _reduce((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`input` where the target is 1, and `max(0, margin - input)` where it is -1."""
    reduction = legacy(size_average, reduce, reduction)
    check(reduction)
    require_tensors("hinge_embedding_loss", input=input, target=target)
    apart = ops.where(target != 1, (margin - input).clamp_min(0), 0)
    return _reduce(apart + ops.where(target != -1, input, 0), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`1 - cos(input1, input2)` where the target is 1, and `max(0, cos - margin)` where it is -1."""
    reduction = legacy(size_average, reduce, reduction)
    check(reduction)
    require_tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    dim = target.dim()
    if dim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.dim() != dim + 1 or input2.dim() != dim + 1:
        raise RuntimeError(
            f"{dim}D target tensor expects {dim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    tiny = 1e-12
    squares = ((input1 * input1).sum(dim) + tiny) * ((input2 * input2).sum(dim) + tiny)
    cosine = (input1 * input2).sum(dim) / squares.sqrt()
    together = ops.where(target == 1, 1 - cosine, 0.0)
    apart = ops.where(target == -1, (cosine - margin).clamp_min(0), 0.0)
    return _reduce(together + apart, reduction)


def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """`log(1 + exp(-target * input))`, for targets of 1 and -1."""
    reduction = legacy(size_average, reduce, reduction)
    check(reduction)
    require_tensors("soft_margin_loss", input=input, target=target)
    if input.dtype.category < FLOAT:
        check_cast(float32, input.dtype)
    return _reduce((input * -target).exp().log1p(), reduction)


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """Binary cross entropy of each class with logits, averaged over the classes in the last dimension."""
    reduction = legacy(size_average, reduce, reduction)
    if not isinstance(input, Tensor):
        raise type_error("log_sigmoid", input)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return _reduce(loss.sum(-1) / input.size(-1), reduction)


def _rows(name: str, input: Any, target: Any, target_dims: int) -> tuple[Any, Any]:
    """`input` as (N, C) and the target with one row each, or RuntimeError."""
    require_tensors(name, input=input, target=target)
    if not ((input.dim() == 2 and input.size(1) != 0) or (input.dim() == 1 and input.size(0) != 0) or input.dim() == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    rows = input.reshape(1, -1) if input.dim() < 2 else input
    if target_dims == 1:
        if target.dim() > 1 or target.numel() != rows.size(0):
            raise RuntimeError(
                f"{name}: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected "
                f"target size [{rows.size(0)}], but got {list(target.shape)}. Input has shape {list(input.shape)}."
            )
        return rows, target.reshape(-1)
    if target.numel() != input.numel() or (target.dim() != input.dim() and input.dim() > 1):
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    return rows, target.reshape(rows.shape)


def _check_labels(kernel: str, input: Any, labels: Any, least: int, outside: str) -> None:
    """RuntimeError for labels of another type, or outside `least` to the number of classes."""
    if input.dtype.category != FLOAT:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.scalar_name}'")
    if labels.dtype.name != "int64":
        raise RuntimeError(f"expected scalar type Long but found {labels.dtype.scalar_name}")
    classes = input.size(-1) if input.dim() else 1
    if labels.numel() and not (least <= int(labels.min()) and int(labels.max()) < classes):
        raise RuntimeError(outside)


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`max(0, margin - input[target] + input[i]) ** p` averaged over the classes `i` other than the target."""
    reduction = legacy(size_average, reduce, reduction)
    check(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    rows, classes = _rows("multi_margin_loss", input, target, 1)
    if weight is not None and weight.numel() != rows.size(1):
        raise RuntimeError(f"inconsistent weight size, expected {rows.size(1)} but got {list(weight.shape)}")
    _check_labels("multi_margin_loss_cpu_kernel", input, classes, 0, "target out of range")
    if weight is not None and weight.dtype is not input.dtype:
        raise RuntimeError(f"expected scalar type {input.dtype.scalar_name} but found {weight.dtype.scalar_name}")
    column = classes.unsqueeze(1)
    excess = (margin - rows.gather(1, column) + rows).clamp_min(0)
    excess = excess if p == 1 else excess * excess
    if weight is not None:
        excess = excess * weight.index_select(0, classes).unsqueeze(1)
    others = ops.ones_like(rows).scatter(1, column, 0.0)
    loss = (excess * others).sum(1) / rows.size(1)
    return _reduce(loss if input.dim() == 2 else loss.squeeze(0), reduction)


def multilabel_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """Every labelled class shall exceed every other by 1; a row of labels ends at the first -1."""
    reduction = legacy(size_average, reduce, reduction)
    rows, labels = _rows("multilabel_margin_loss", input, target, 2)
    _check_labels("multilabel_margin_loss_forward_out_frame", input, labels, -1, "argument #2 'target' is out of range")
    valid = (labels >= 0).long().cumprod(1)
    chosen = labels.clamp_min(0)
    # Classes without a valid label are scattered 0, so counting keeps repeated indices from erasing a label.
    is_label = ops.zeros_like(labels).scatter_add(1, chosen, valid) > 0
    gaps = 1 - rows.gather(1, chosen).unsqueeze(2) + rows.unsqueeze(1)
    counts = valid.unsqueeze(2) * (~is_label).long().unsqueeze(1)
    loss = (gaps.clamp_min(0) * counts.to(rows.dtype)).sum((1, 2)) / rows.size(1)
    return _reduce(loss if input.dim() == 2 else loss.squeeze(0), reduction)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`max(0, d(anchor, positive) - d(anchor, negative) + margin)`, with `d` the p-norm of the difference."""
    reduction = legacy(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    require_tensors("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    _check_dims(anchor, positive, negative)

    def between(x: Any, y: Any) -> Any:
        return distance.pairwise_distance(x, y, p, eps)

    return _triplet(anchor, positive, negative, between, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """The triplet loss with a distance of one's own (the Euclidean one by default)."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _check_dims(anchor, positive, negative)
    between = distance.pairwise_distance if distance_function is None else distance_function
    return _triplet(anchor, positive, negative, between, margin, swap, reduction)


def _check_dims(anchor: Any, positive: Any, negative: Any) -> None:
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )


def _triplet(anchor: Any, positive: Any, negative: Any, between: Any, margin: float, swap: bool, reduction: str) -> Any:
    near, far = between(anchor, positive), between(anchor, negative)
    if swap:
        far = ops.minimum(far, between(positive, negative))
    return _reduce((margin + near - far).clamp_min(0), reduction)

"""Losses between a prediction and a target of the same shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..settings import warn
from .class_losses import reduction_of
from .declare import binary, called, primitive
from .promotion import result_dtype
from .publishing import check_number, require_tensors, type_error


def reduced(losses: Any, reduction: str) -> Any:
    """The losses themselves, their mean or their sum."""
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def loss(name: str, losses: Any, reduction: str) -> Any:
    """`reduced` losses; the last node goes by PyTorch's name of the whole, as it shows in prints."""
    y = reduced(losses, reduction)
    if y._edge is not None:
        node = y._edge[0]
        node.__class__ = called(node.__class__, name)
    return y


def _same_size(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Both expanded to one shape, with PyTorch's warning where they differ."""
    try:
        same = x._array.shape == y._array.shape
    except AttributeError:
        _ = y.size() == x.size()  # says what is missing
        raise
    if not same:
        warn(
            f"Using a target size ({y.shape}) that is different to the input size ({x.shape}). This will likely lead to "
            "incorrect results due to broadcasting. Please ensure they have the same size.",
        )
        from .shape import broadcast_tensors

        return broadcast_tensors(x, y)  # type: ignore[no-any-return]
    return x, y


_squared: Any = binary(
    "mse_loss",
    lambda a, b: (a - b) * (a - b),
    lambda g, a, b: 2 * g * (a - b),
    lambda g, a, b: -2 * g * (a - b),
    publish=False,
)


_squares = K.fuse(lambda a, b: (a - b) * (a - b))


def _factor(a: Any, reduction: str) -> float:
    """The derivative of the reduced squares by half a difference."""
    n = math.prod(a.shape)
    return 2 if reduction == "sum" else 2 / n if n else math.nan


_mean_squared: Any = primitive(
    "MseLossBackward0",
    lambda a, b, reduction: (K.sum if reduction == "sum" else K.mean)(_squares(a, b), None, False),
    a=lambda g, a, b, reduction: (a - b) * (g * _factor(a, reduction)),
    b=lambda g, a, b, reduction: (b - a) * (g * _factor(a, reduction)),
)


def mse_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """Squared differences."""
    reduction = reduction_of(reduction, size_average, reduce)
    x, y = _same_size("mse_loss", input, target)
    if weight is None and reduction != "none" and x._array.dtype is y._array.dtype and x._array.dtype.kind == "f":
        return _mean_squared(x, y, reduction)
    _check_floating("mse_cpu", x, y)
    losses = _squared(x, y)
    return _weighted(losses, weight, reduction)


def _check_floating(kernel: str, x: Any, y: Any) -> None:
    """The kernel's refusal of whole and of complex numbers."""
    if x._array.dtype.kind in "fV" and y._array.dtype.kind in "fV":
        return
    d = result_dtype(x, y)
    if d.category != dtypes.FLOAT:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{d.scalar_name}'")


def _weighted(losses: Any, weight: Any, reduction: str) -> Any:
    if weight is None:
        return reduced(losses, reduction)
    if weight.shape != losses.shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = losses * weight
    if reduction == "mean":
        return weighted.sum() / weight.sum()
    return reduced(weighted, reduction)


def l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """Absolute differences."""
    reduction = reduction_of(reduction, size_average, reduce)
    x, y = _same_size("l1_loss", input, target)
    return _weighted((x - y).abs(), weight, reduction)


def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", beta: float = 1.0
) -> Any:
    """Squared differences over `2 beta` up to `beta`, absolute ones less `beta / 2` beyond."""
    reduction = reduction_of(reduction, size_average, reduce)
    check_number("smooth_l1_loss", "beta", 4, beta)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    x, y = _same_size("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced((x - y).abs(), reduction)
    _check_floating("smooth_l1_cpu", x, y)
    from .comparison import where

    difference = (x - y).abs()
    losses = where(difference < beta, difference * difference * (0.5 / beta), difference - 0.5 * beta)
    return loss("SmoothL1LossBackward0", losses, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Half the squared difference up to `delta`, `delta` times the absolute one less `delta / 2` beyond."""
    reduction = reduction_of(reduction)
    check_number("huber_loss", "delta", 4, delta)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    x, y = _same_size("huber_loss", input, target)
    _check_floating("huber_cpu", x, y)
    from .comparison import where

    difference = (x - y).abs()
    losses = where(difference <= delta, 0.5 * difference * difference, delta * (difference - 0.5 * delta))
    if weight is None:
        return loss("HuberLossBackward0", losses, reduction)
    return _weighted(losses, weight, reduction)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """`-(t log p + (1 - t) log(1 - p))` of probabilities, the logs not below -100."""
    reduction = reduction_of(reduction, size_average, reduce)
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if weight is not None:
        from .shape import broadcast_shapes

        size = weight.size()
        weight = weight.expand(broadcast_shapes(target.size(), size))
    if target.dtype is not input.dtype:
        raise RuntimeError(f"Found dtype {target.dtype.scalar_name} but expected {input.dtype.scalar_name}")
    if input.dtype.category != dtypes.FLOAT:
        raise NotImplementedError(f"\"binary_cross_entropy\" not implemented for '{input.dtype.scalar_name}'")
    for name, a in (("input", input._array), ("target", target._array)):
        if a.size and not (np.min(a) >= 0 and np.max(a) <= 1):  # nan is not between them
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    losses = _bce(input, target)
    if weight is not None:
        losses = _scaled(losses, weight)
    return loss("BinaryCrossEntropyBackward0", losses, reduction)


def _scaled(losses: Any, weight: Any) -> Any:
    """As `losses.mul_(weight)`: in the losses' shape and dtype."""
    scaled = losses * weight
    if scaled._array.shape != losses._array.shape:
        raise RuntimeError(
            f"output with shape {list(losses.shape)} doesn't match the broadcast shape {list(scaled.shape)}"
        )
    return scaled if scaled.dtype is losses.dtype else scaled.to(losses.dtype)


def _bce_forward(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        return ((b - 1) * np.maximum(np.log1p(-a), -100) - b * np.maximum(np.log(a), -100)).astype(a.dtype)


_bce: Any = primitive(
    "BinaryCrossEntropyBackward0", _bce_forward, tensors=True,
    a=lambda g, a, b: g * (a - b) / ((1 - a) * a).clamp(min=1e-12),
    b=lambda g, a: g * ((-a).log1p().clamp(min=-100) - a.log().clamp(min=-100)),
)  # fmt: skip


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """`binary_cross_entropy` of `sigmoid(input)`, computed without its overflow; `pos_weight` weighs the positives."""
    reduction = reduction_of(reduction, size_average, reduce)
    if target.size() != input.size():
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    for position, (label, x) in enumerate((("weight", weight), ("pos_weight", pos_weight)), 3):
        if x is not None and not isinstance(x, Tensor):
            raise type_error("binary_cross_entropy_with_logits", x, position, label)
    if target._array.dtype.kind == "b":
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator "
            "instead."
        )
    dtypes.check_cast(input.dtype, target.dtype)
    from .activation import logsigmoid

    log_p = logsigmoid(input)
    if pos_weight is not None:
        log_p = _scaled(log_p, 1 + (pos_weight - 1) * target)
    losses = _scaled(1 - target, input) - log_p
    if losses.dtype is not target.dtype:  # PyTorch computes in place of the target
        losses = losses.to(target.dtype)
    if weight is not None:
        losses = _scaled(losses, weight)
    return loss("BinaryCrossEntropyWithLogitsBackward0", losses, reduction)


def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """`target * (log target - input)`; `log_target`: the target is given as its log. `batchmean` divides by the batch."""
    if size_average is not None or reduce is not None:
        reduction = reduction_of(reduction, size_average, reduce)
    if reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
        )
    require_tensors("kl_div", input=input, target=target)
    for kinds, what in (((dtypes.BOOL, dtypes.INT), "Integral"), ((dtypes.COMPLEX,), "Complex")):
        if input.dtype.category in kinds or target.dtype.category in kinds:
            raise RuntimeError(f"kl_div: {what} inputs not supported.")
    if log_target:
        losses = target.exp() * (target - input)
    else:
        from .pairwise import xlogy

        losses = xlogy(target, target) - target * input
    if reduction == "batchmean":
        return losses.sum() / max(input.shape[0] if input.dim() else 1, 1)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduced(losses, reduction)


FUNCTIONAL = {
    f.__name__: f
    for f in (
        mse_loss, l1_loss, smooth_l1_loss, huber_loss, binary_cross_entropy, binary_cross_entropy_with_logits, kl_div
    )
}  # fmt: skip

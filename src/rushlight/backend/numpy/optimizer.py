"""Optimizer steps in NumPy: lists of arrays, updated in place, each in the order of PyTorch's default loop."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["accumulate_", "adam_", "copy", "rmsprop_", "sgd_"]

Array = np.ndarray[Any, Any]


def _lerp_(a: Array, b: Array, weight: float) -> None:
    """`a += weight * (b - a)`, from the nearer end, as PyTorch's lerp."""
    if weight < 0.5:
        a += weight * (b - a)
    else:
        a[...] = b - (b - a) * (1 - weight)


def sgd_(
    params: list[Array],
    grads: list[Array],
    buffers: list[Array | None],
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """Take a step of stochastic gradient descent.

    With momentum, a buffer that is None becomes a copy of the gradient (in the list `buffers`, which is written).
    """
    with np.errstate(all="ignore"):
        for i, (a, g) in enumerate(zip(params, grads, strict=True)):
            if maximize:
                g = -g
            if weight_decay != 0:
                g = g + weight_decay * a
            if momentum != 0:
                buffer = buffers[i]
                if buffer is None:
                    buffer = buffers[i] = np.array(g)
                else:
                    buffer *= momentum
                    buffer += (1 - dampening) * g
                g = g + momentum * buffer if nesterov else buffer
            a += -lr * g


def adam_(
    params: list[Array],
    grads: list[Array],
    means: list[Array],
    squares: list[Array],
    max_squares: list[Array],
    steps: list[float],
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled: bool = False,
) -> None:
    """Take a step of Adam, or of AdamW (`decoupled`).

    `steps` has each parameter's count of steps with this one; `max_squares` is empty unless `amsgrad`.
    """
    with np.errstate(all="ignore"):
        for i, (a, g) in enumerate(zip(params, grads, strict=True)):
            mean, square = means[i], squares[i]
            if maximize:
                g = -g
            if weight_decay != 0:
                if decoupled:
                    a *= 1 - lr * weight_decay
                else:
                    g = g + weight_decay * a
            _lerp_(mean, g, 1 - beta1)
            square *= beta2
            square += (1 - beta2) * g * np.conj(g)
            step = float(steps[i])
            step_size = lr / (1 - beta1**step)
            correction = (1 - beta2**step) ** 0.5
            if amsgrad:
                np.maximum(max_squares[i], square, out=max_squares[i])
                square = max_squares[i]
            a += -step_size * mean / (np.sqrt(square) / correction + eps)


def rmsprop_(
    params: list[Array],
    grads: list[Array],
    squares: list[Array],
    means: list[Array],
    buffers: list[Array],
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> None:
    """Take a step of RMSprop. `means` is empty unless `centered`, `buffers` unless there is momentum."""
    with np.errstate(all="ignore"):
        for i, (a, g) in enumerate(zip(params, grads, strict=True)):
            square = squares[i]
            if maximize:
                g = -g
            if weight_decay != 0:
                g = g + weight_decay * a
            square *= alpha
            square += (1 - alpha) * g * g
            if centered:
                _lerp_(means[i], g, 1 - alpha)
                root = np.sqrt(square - means[i] * means[i])
            else:
                root = np.sqrt(square)
            root = root + eps
            if momentum > 0:
                buffers[i] *= momentum
                buffers[i] += g / root
                a += -lr * buffers[i]
            else:
                a += -lr * g / root


def accumulate_(a: Array, b: Array) -> Array:
    """`a += b`, in a's dtype; `a` itself."""
    with np.errstate(all="ignore"):
        if a.dtype == bool:
            np.logical_or(a, b, out=a)
        else:
            np.add(a, b, out=a, casting="unsafe")
    return a


def copy(a: Array) -> Array:
    """A copy with the same layout where `a` is dense."""
    return a.copy(order="K")

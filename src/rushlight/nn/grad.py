"""The gradients of convolutions as functions of their own (`torch.nn.grad`)."""

from __future__ import annotations

from typing import Any

from .. import autograd, ops
from ..autograd.modes import enable_grad
from ..ops import convolution


def _by_input(n: int, input_size: Any, weight: Any, grad_output: Any, *options: Any) -> Any:
    conv = (convolution.conv1d, convolution.conv2d, convolution.conv3d)[n - 1]
    x = ops.zeros(tuple(input_size), dtype=weight.dtype).requires_grad_(True)
    with enable_grad():
        y = conv(x, weight, None, *options)
    return autograd.grad(y, x, grad_output)[0]


def _by_weight(n: int, input: Any, weight_size: Any, grad_output: Any, *options: Any) -> Any:
    conv = (convolution.conv1d, convolution.conv2d, convolution.conv3d)[n - 1]
    w = ops.zeros(tuple(weight_size), dtype=input.dtype).requires_grad_(True)
    with enable_grad():
        y = conv(input, w, None, *options)
    return autograd.grad(y, w, grad_output)[0]


def conv1d_input(
    input_size: Any,
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of `conv1d` by its input."""
    return _by_input(1, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(
    input: Any,
    weight_size: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of `conv1d` by its weight."""
    return _by_weight(1, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(
    input_size: Any,
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of `conv2d` by its input."""
    return _by_input(2, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(
    input: Any,
    weight_size: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of `conv2d` by its weight."""
    return _by_weight(2, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(
    input_size: Any,
    weight: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of `conv3d` by its input."""
    return _by_input(3, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(
    input: Any,
    weight_size: Any,
    grad_output: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of `conv3d` by its weight."""
    return _by_weight(3, input, weight_size, grad_output, stride, padding, dilation, groups)

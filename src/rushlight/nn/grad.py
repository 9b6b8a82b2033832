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


def _functions(n: int) -> tuple[Any, Any]:
    def by_input(
        input_size: Any,
        weight: Any,
        grad_output: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        return _by_input(n, input_size, weight, grad_output, stride, padding, dilation, groups)

    def by_weight(
        input: Any,
        weight_size: Any,
        grad_output: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        return _by_weight(n, input, weight_size, grad_output, stride, padding, dilation, groups)

    for function, what in ((by_input, "input"), (by_weight, "weight")):
        function.__name__ = function.__qualname__ = f"conv{n}d_{what}"
        function.__doc__ = f"The gradient of `conv{n}d` by its {what}."
    return by_input, by_weight


conv1d_input, conv1d_weight = _functions(1)
conv2d_input, conv2d_weight = _functions(2)
conv3d_input, conv3d_weight = _functions(3)

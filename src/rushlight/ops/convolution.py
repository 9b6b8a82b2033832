"""Convolutions of one to three dimensions, and their transposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..backend import placing
from ..settings import warn_once
from .arithmetic import conj
from .declare import primitive
from .publishing import FUNCTIONS, type_error
from .reduction import _sum
from .slicing import basic_index


def _hands_on(a: Any, w: Any, groups: int) -> bool:
    """Whether a convolution's result has its channels last: if its input has (no signal's does), or its weight."""
    if not (placing.channels_last(w) or (a.ndim > 3 and placing.channels_last(a))):
        return False
    if a.ndim < 5 or a.itemsize == 2:
        return True
    # PyTorch keeps the layout of volumes in oneDNN alone, which it does not trouble for small or double ones.
    worth = groups > 1 or a.shape[0] > 1 or a.size > 20480 or min(w.shape[-2:]) > 3
    return bool(a.dtype == np.float32 and worth)


def _forward(a: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    return placing.picture(K.conv_forward(a, w, bias, stride, padding, dilation, groups), _hands_on(a, w, groups))


def _forward_transposed(b: Any, w: Any, shape: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    return placing.picture(K.conv_grad_input(b, w, shape, stride, padding, dilation, groups), _hands_on(b, w, groups))


_conv: Any = primitive(
    "ConvolutionBackward0", _forward,
    a=lambda g, w, a_shape, stride, padding, dilation, groups: _grad_input(g, conj(w), a_shape, stride, padding, dilation, groups),
    w=lambda g, a, w_shape, stride, padding, dilation, groups: _grad_weight(g, conj(a), w_shape, stride, padding, dilation, groups),
    bias=lambda g: channel_sums(g),
)  # fmt: skip
# The gradients are bilinear in their two operands as well, so each one's gradients are the other two again.
_grad_input: Any = primitive(
    "ConvolutionBackwardBackward0",
    lambda b, w, shape, stride, padding, dilation, groups: K.conv_grad_input(b, w, shape, stride, padding, dilation, groups),
    b=lambda g, w, b_shape, stride, padding, dilation, groups: _conv_to(b_shape, g, conj(w), stride, padding, dilation, groups),
    w=lambda g, b, w_shape, stride, padding, dilation, groups: _grad_weight(conj(b), g, w_shape, stride, padding, dilation, groups),
)  # fmt: skip
_grad_weight: Any = primitive(
    "ConvolutionBackwardBackward0",
    lambda b, a, shape, stride, padding, dilation, groups: K.conv_grad_weight(b, a, shape, stride, padding, dilation, groups),
    b=lambda g, a, stride, padding, dilation, groups: _conv(conj(a), g, None, stride, padding, dilation, groups),
    a=lambda g, b, a_shape, stride, padding, dilation, groups: _grad_input(conj(b), g, a_shape, stride, padding, dilation, groups),
)  # fmt: skip
_transposed: Any = primitive(
    "ConvolutionBackward0", _forward_transposed,
    b=lambda g, w, b_shape, stride, padding, dilation, groups: _conv_to(b_shape, g, conj(w), stride, padding, dilation, groups),
    w=lambda g, b, w_shape, stride, padding, dilation, groups: _grad_weight(conj(b), g, w_shape, stride, padding, dilation, groups),
)  # fmt: skip


def _conv_to(shape: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """`_conv`, cut to a shape: output padding may leave room for one more window than there were."""
    y = _conv(x, w, None, stride, padding, dilation, groups)
    own = y._array.shape if isinstance(y, Tensor) else y.shape
    return y if own == tuple(shape) else basic_index(y, tuple(slice(n) for n in shape))


def channel_sums(g: Any) -> Any:
    """Sums over everything but the channels, dimension 1."""
    n = g._array.ndim if isinstance(g, Tensor) else g.ndim
    return _sum(g, (0, *range(2, n)), False)


def per_dim(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A parameter given once or for each spatial dimension."""
    if isinstance(value, (tuple, list)):
        if len(value) == 1:
            return per_dim(value[0], n, name)
        if len(value) != n:
            raise RuntimeError(
                f"expected {name} to be a single integer value or a list of {n} values to match the convolution dimensions, but got {name}={list(value)}"
            )
        found = tuple(int(v) for v in value)
    else:
        found = (int(value),) * n
    if found and max(found) >= 2**31:  # the kernels multiply these with lengths
        raise RuntimeError(
            "value cannot be converted to type int without overflow\n"
            f"{name} is too large: expected less than 2**31, but got {list(found)}"
        )
    return found


def _check(x: Any, w: Any, bias: Any, n: int, groups: int, transposed: bool, name: str) -> None:
    for position, (label, value) in enumerate((("input", x), ("weight", w)), 1):
        if not isinstance(value, Tensor):
            raise type_error(name, value, position, label)
    a, k = x._array, w._array
    if a.dtype != k.dtype:
        raise RuntimeError(f"Input type ({x.dtype.c_name}) and weight type ({w.dtype.c_name}) should be the same")
    if bias is not None and bias._array.dtype != a.dtype:
        raise RuntimeError(f"Input type ({x.dtype.c_name}) and bias type ({bias.dtype.c_name}) should be the same")
    if k.ndim != n + 2:
        raise RuntimeError(
            "weight should have at least three dimensions"
            if k.ndim < 3
            else f"Expected {n + 2}-dimensional weight for {n}-dimensional convolution, but got {k.ndim}-dimensional weight of size {list(k.shape)} instead"
        )
    if a.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: {list(a.shape)}"
        )
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    channels = a.shape[-n - 1]
    if transposed:
        if k.shape[0] != channels:
            raise RuntimeError(
                f"Given transposed=1, weight of size {list(k.shape)}, expected input{_batched(a, n)} to have {k.shape[0]} channels, but got {channels} channels instead"
            )
        outputs = k.shape[1] * groups
    else:
        if k.shape[1] * groups != channels:
            raise RuntimeError(
                f"Given groups={groups}, weight of size {list(k.shape)}, expected input{_batched(a, n)} to have {k.shape[1] * groups} channels, but got {channels} channels instead"
            )
        if k.shape[0] % groups:
            raise RuntimeError(
                f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {list(k.shape)} instead"
            )
        outputs = k.shape[0]
    if bias is not None and bias._array.shape != (outputs,):
        raise RuntimeError(
            f"Given weight of size {list(k.shape)}, expected bias to be 1-dimensional with {outputs} elements, but got bias of size {list(bias._array.shape)} instead"
        )


def _batched(a: Any, n: int) -> str:
    shape = list(a.shape) if a.ndim == n + 2 else [1, *a.shape]
    return f"{shape}"


def convolution(
    x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int, n: int, name: str
) -> Any:
    """The convolution of `n` spatial dimensions, after all checks."""
    _check(x, w, bias, n, groups, False, name)
    strides, dilations = per_dim(stride, n, "stride"), per_dim(dilation, n, "dilation")
    if any(s <= 0 for s in strides):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilations):
        raise RuntimeError("dilation should be greater than zero")
    kernel = w._array.shape[2:]
    if isinstance(padding, str):
        if padding == "same":
            if any(s != 1 for s in strides):
                raise RuntimeError("padding='same' is not supported for strided convolutions")
            total = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
            if any(t % 2 for t in total):  # more on the far side
                warn_once(
                    "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the "
                    "input be created"
                )
                from ..nn.functional import pad

                amounts = [v for t in reversed(total) for v in (0, t % 2)]
                x = pad(x, amounts)
            padding = [t // 2 for t in total]
        elif padding == "valid":
            padding = 0
        else:
            raise RuntimeError(f"Invalid padding string: '{padding}'. Padding string must be one of 'valid' or 'same'.")
    paddings = per_dim(padding, n, "padding")
    if any(p < 0 for p in paddings):
        raise RuntimeError("negative padding is not supported")
    batched = x._array.ndim == n + 2
    if not batched:
        x = x.unsqueeze(0)
    sizes = [m + 2 * p for m, p in zip(x._array.shape[2:], paddings, strict=True)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    if any(m < r for m, r in zip(sizes, reach, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, sizes))}). Kernel size: ({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    y = _conv(x, w, bias, strides, paddings, dilations, groups)
    return y if batched else y.squeeze(0)


def _conv_function(n: int) -> Any:
    name = f"conv{n}d"

    def conv(
        input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Any:
        return convolution(input, weight, bias, stride, padding, dilation, groups, n, name)

    conv.__name__ = conv.__qualname__ = name
    conv.__doc__ = (
        f"Cross-correlation over {n} spatial dimension(s): input (N, C, ...), weight (O, C / groups, ...), bias (O)."
    )
    return conv


conv1d, conv2d, conv3d = _conv_function(1), _conv_function(2), _conv_function(3)


def _transposed_function(n: int) -> Any:
    name = f"conv_transpose{n}d"

    def conv(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        _check(input, weight, bias, n, groups, True, name)
        strides, dilations = per_dim(stride, n, "stride"), per_dim(dilation, n, "dilation")
        paddings, extra = per_dim(padding, n, "padding"), per_dim(output_padding, n, "output_padding")
        for o, s, d in zip(extra, strides, dilations, strict=True):
            if o >= s and o >= d:
                raise RuntimeError(
                    "output padding must be smaller than either stride or dilation, but got output_padding_height: "
                    f"{extra[0]} output_padding_width: {extra[-1]} stride_height: {strides[0]} stride_width: {strides[-1]} dilation_height: {dilations[0]} dilation_width: {dilations[-1]}"
                )
        x = input if input._array.ndim == n + 2 else input.unsqueeze(0)
        kernel = weight._array.shape[2:]
        spatial = tuple(
            (m - 1) * s - 2 * p + d * (k - 1) + o + 1
            for m, s, p, d, k, o in zip(x._array.shape[2:], strides, paddings, dilations, kernel, extra, strict=True)
        )
        if any(m < 1 for m in spatial):
            raise RuntimeError(
                f"Given input size per channel: ({' x '.join(map(str, x._array.shape[2:]))}). Calculated output size per channel: ({' x '.join(map(str, spatial))}). Output size is too small"
            )
        shape = (x._array.shape[0], weight._array.shape[1] * groups, *spatial)
        y = _transposed(x, weight, shape, strides, paddings, dilations, groups)
        if bias is not None:
            y = y + bias.reshape((-1, *(1,) * n))
        return y if x is input else y.squeeze(0)

    conv.__name__ = conv.__qualname__ = name
    conv.__doc__ = f"The transpose of `conv{n}d` as a map of its input: weight (C, O / groups, ...)."
    return conv


conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_transposed_function, (1, 2, 3))


def _general(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    """`torch.convolution`: any of the six, by its parameters."""
    n = weight._array.ndim - 2
    if transposed:
        return (conv_transpose1d, conv_transpose2d, conv_transpose3d)[n - 1](
            input, weight, bias, stride, padding, output_padding, groups, dilation
        )
    return convolution(input, weight, bias, stride, padding, dilation, groups, n, f"conv{n}d")


FUNCTIONAL = {f.__name__: f for f in (conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d)}
FUNCTIONS.update(FUNCTIONAL)
FUNCTIONS["convolution"] = _general

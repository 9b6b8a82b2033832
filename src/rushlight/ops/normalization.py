"""Batch, layer, group, instance and RMS normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..backend import placing
from .declare import primitive
from .publishing import FUNCTIONS, type_error


def _needed(grads: Any, needs: Any) -> Any:
    return tuple(g if need else None for g, need in zip(grads, needs, strict=True))


# ---- batch_norm -------------------------------------------------------------------------------------------------------------


def _channel(v: Any, n: int) -> Any:
    """A vector over the channels, shaped to broadcast against (N, C, ...)."""
    return v.reshape((1, -1) + (1,) * (n - 2))


def _batch_norm_forward(a: Any, weight: Any, bias: Any, eps: float, var_out: Any) -> Any:
    out, mean, invstd = K.batch_norm_forward(a, weight, bias, eps, var_out)
    return placing.picture(out, a.ndim > 3 and placing.channels_last(a)), (mean, invstd)


def _batch_norm_graph(g: Any, a: Any, weight: Any, eps: float, needs: Any) -> Any:
    """The gradients in Tensor operations, with the statistics computed from the input again."""
    n = a.dim()
    axes = [0, *range(2, n)]
    mean = a.mean(axes, keepdim=True)
    centered = a - mean
    invstd = ((centered * centered).mean(axes, keepdim=True) + eps).rsqrt()
    return _from_normalized(g, centered * invstd, invstd, weight, axes, needs, True, n)


def _from_normalized(g: Any, xhat: Any, scale: Any, weight: Any, axes: Any, needs: Any, training: bool, n: int) -> Any:
    w = 1 if weight is None else _channel(weight, n)
    gw = (g * xhat).sum(axes) if needs[1] else None
    gb = g.sum(axes) if needs[2] else None
    gx = None
    if needs[0]:
        gn = g * w
        if training:
            gx = scale * (gn - gn.mean(axes, keepdim=True) - xhat * (gn * xhat).mean(axes, keepdim=True))
        else:
            gx = gn * scale
    return gx, gw, gb


_batch_norm: Any = primitive(
    "NativeBatchNormBackward0", _batch_norm_forward, inputs=("a", "weight", "bias"), aux=True,
    backward=lambda g, a, weight, aux, needs: _needed(K.batch_norm_backward(g, a, weight, aux[0], aux[1], True), needs),
    graph_backward=lambda g, a, weight, eps, needs: _batch_norm_graph(g, a, weight, eps, needs),
)  # fmt: skip


def _eval_forward(a: Any, weight: Any, bias: Any, mean: Any, invstd: Any) -> Any:
    scale = invstd if weight is None else invstd * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    out = K.add(K.mul(a, _channel(scale, a.ndim)), _channel(shift, a.ndim))
    return placing.picture(out, a.ndim > 3 and placing.channels_last(a))


_batch_norm_eval: Any = primitive(
    "NativeBatchNormBackward0", _eval_forward, inputs=("a", "weight", "bias"),
    backward=lambda g, a, weight, mean, invstd, needs: _needed(K.batch_norm_backward(g, a, weight, mean, invstd, False), needs),
    graph_backward=lambda g, a, weight, mean, invstd, needs: _from_normalized(
        g, (a - _channel(mean, a.dim())) * _channel(invstd, a.dim()), _channel(invstd, a.dim()), weight, [0, *range(2, a.dim())], needs, False, a.dim()
    ),
)  # fmt: skip


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel standardised: by the batch's statistics in training (the running ones are updated), else by those.

    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167. Input (N, C, ...).
    """
    if not isinstance(input, Tensor):
        raise type_error("batch_norm", input)
    a = input._array
    if a.ndim < 2:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.size()}")
    channels = a.shape[1]
    for name, v in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if v is not None and v._array.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {v._array.size}")
    if training:
        if a.size // max(channels, 1) == 1 and a.size:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.size()}")
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    elif running_mean is None or running_var is None:
        raise RuntimeError("running_mean must be defined in evaluation mode")
    x = input
    mixed = weight is not None and weight._array.dtype != a.dtype
    if mixed:  # half-precision input with float32 parameters
        x = input.float()
    if not training:
        d = x._array.dtype
        wide = np.float32 if d.itemsize < 4 else d
        with np.errstate(all="ignore"):
            invstd = 1 / np.sqrt(running_var._array.astype(wide) + wide_eps(eps, wide))
        y = _batch_norm_eval(x, weight, bias, running_mean._array.astype(d), invstd.astype(d))
        return y.to(input.dtype) if mixed else y
    if running_mean is None:
        y = _batch_norm(x, weight, bias, eps, None)
        return y.to(input.dtype) if mixed else y
    var = np.empty(channels, np.result_type(x._array.dtype, np.float32) if x._array.dtype.kind == "f" else np.float32)
    y = _batch_norm(x, weight, bias, eps, var)
    if not a.size:
        return y
    mean = _batch_mean(y, x)
    n = a.size // max(channels, 1)
    for target, value in ((running_mean, mean), (running_var, var * (n / max(n - 1, 1)))):
        t = target._array
        t[...] = (1 - momentum) * t + momentum * value.astype(t.dtype, copy=False)
        target._counter[0] += 1
    return y.to(input.dtype) if mixed else y


def wide_eps(eps: float, d: Any) -> Any:
    """`eps` in the computing type."""
    return np.dtype(d).type(eps)


def _batch_mean(y: Any, x: Any) -> Any:
    node = y._edge[0] if y._edge is not None else None
    if node is not None and hasattr(node, "names") and "aux" in node.names:
        return node.saved[node.names.index("aux")][0]
    return K.mean(x._array, (0, *range(2, x._array.ndim)), False)


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of each sample standardised on its own."""
    n, c = input.shape[:2]
    spatial = input.shape[2:]
    if use_input_stats and input.numel() // max(n * c, 1) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.size()}")
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    x = input.contiguous().reshape(1, n * c, *spatial)
    w = None if weight is None else weight.repeat(n)
    b = None if bias is None else bias.repeat(n)
    if running_mean is None:
        return batch_norm(x, None, None, w, b, True, momentum, eps).reshape(input.shape)
    means, variances = running_mean.detach().repeat(n), running_var.detach().repeat(n)
    y = batch_norm(x, means, variances, w, b, True, momentum, eps)
    for target, value in ((running_mean, means), (running_var, variances)):
        target._array[...] = value._array.reshape(n, c).mean(0)
        target._counter[0] += 1
    return y.reshape(input.shape)


# ---- layer_norm, rms_norm, group_norm ------------------------------------------------------------------------------------------


def _layer_forward(a: Any, n_dims: int, weight: Any, bias: Any, eps: float) -> Any:
    out, mean, rstd = K.layer_norm_forward(a, n_dims, weight, bias, eps)
    return out, (mean, rstd)


def _layer_graph(g: Any, a: Any, n_dims: int, weight: Any, eps: float, needs: Any) -> Any:
    inner = list(range(a.dim() - n_dims, a.dim()))
    outer = list(range(a.dim() - n_dims))
    mean = a.mean(inner, keepdim=True)
    centered = a - mean
    rstd = ((centered * centered).mean(inner, keepdim=True) + eps).rsqrt()
    xhat = centered * rstd
    gw = (g * xhat).sum(outer) if needs[1] and outer else g * xhat if needs[1] else None
    gb = g.sum(outer) if needs[2] and outer else g if needs[2] else None
    gx = None
    if needs[0]:
        gn = g if weight is None else g * weight
        gx = rstd * (gn - gn.mean(inner, keepdim=True) - xhat * (gn * xhat).mean(inner, keepdim=True))
    return gx, gw, gb


_layer_norm: Any = primitive(
    "NativeLayerNormBackward0", _layer_forward, inputs=("a", "weight", "bias"), aux=True,
    backward=lambda g, a, n_dims, weight, aux, needs: _needed(K.layer_norm_backward(g, a, n_dims, weight, aux[0], aux[1]), needs),
    graph_backward=lambda g, a, n_dims, weight, eps, needs: _layer_graph(g, a, n_dims, weight, eps, needs),
)  # fmt: skip


def _check_normalized(name: str, x: Any, shape: tuple[int, ...], **parameters: Any) -> None:
    if not shape:
        raise RuntimeError(
            f"Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = {list(shape)}"
        )
    for label, v in parameters.items():
        if v is not None and v._array.shape != shape:
            raise RuntimeError(
                f"Expected {label} to be of same shape as normalized_shape, but got {label} of shape {list(v._array.shape)} and normalized_shape = {list(shape)}"
            )
    if x._array.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but got input of size{list(x._array.shape)}"
        )


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each sample standardised over its last dimensions (`normalized_shape`), then scaled and shifted.

    Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450.
    """
    if not isinstance(input, Tensor):
        raise type_error("layer_norm", input)
    shape = tuple(normalized_shape)
    _check_normalized("layer_norm", input, shape, weight=weight, bias=bias)
    x = input
    mixed = weight is not None and weight._array.dtype != input._array.dtype
    if mixed:
        x = input.to(weight.dtype)
    y = _layer_norm(x, len(shape), weight, bias, eps)
    return y.to(input.dtype) if mixed else y


def _rms_forward(a: Any, n_dims: int, weight: Any, eps: float) -> Any:
    return K.rms_norm_forward(a, n_dims, weight, eps)


def _rms_graph(g: Any, a: Any, n_dims: int, weight: Any, eps: float, needs: Any) -> Any:
    inner, outer = list(range(a.dim() - n_dims, a.dim())), list(range(a.dim() - n_dims))
    rstd = ((a * a).mean(inner, keepdim=True) + eps).rsqrt()
    xhat = a * rstd
    gw = None
    if needs[1]:
        gw = (g * xhat).sum(outer) if outer else g * xhat
    gx = None
    if needs[0]:
        gn = g if weight is None else g * weight
        gx = rstd * (gn - xhat * (gn * xhat).mean(inner, keepdim=True))
    return gx, gw


_rms_norm: Any = primitive(
    "FusedRmsNormBackward0", _rms_forward, inputs=("a", "weight"), aux=True,
    backward=lambda g, a, n_dims, weight, aux, needs: _needed(K.rms_norm_backward(g, a, n_dims, weight, aux), needs),
    graph_backward=lambda g, a, n_dims, weight, eps, needs: _rms_graph(g, a, n_dims, weight, eps, needs),
)  # fmt: skip


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Each sample over the root mean square of its last dimensions (Zhang and Sennrich 2019, arXiv:1910.07467)."""
    shape = tuple(normalized_shape)
    _check_normalized("rms_norm", input, shape, weight=weight)
    if eps is None:
        eps = dtypes.finfo(input.dtype if input.dtype.itemsize >= 4 else dtypes.float32).eps
    return _rms_norm(input, len(shape), weight, eps)


def _group_forward(a: Any, groups: int, weight: Any, bias: Any, eps: float) -> Any:
    out, mean, rstd = K.group_norm_forward(a, groups, weight, bias, eps)
    return placing.picture(out, a.ndim in (4, 5) and placing.channels_last(a)), (mean, rstd)


def _group_graph(g: Any, a: Any, groups: int, weight: Any, eps: float, needs: Any) -> Any:
    n = a.shape[0]
    x = a.reshape(n, groups, -1)
    centered = x - x.mean(2, keepdim=True)
    rstd = ((centered * centered).mean(2, keepdim=True) + eps).rsqrt()
    xhat = (centered * rstd).reshape(a.shape)
    axes = [0, *range(2, a.dim())]
    gw = (g * xhat).sum(axes) if needs[1] else None
    gb = g.sum(axes) if needs[2] else None
    gx = None
    if needs[0]:
        gn = (g if weight is None else g * _channel(weight, a.dim())).reshape(n, groups, -1)
        h = xhat.reshape(n, groups, -1)
        gx = (rstd * (gn - gn.mean(2, keepdim=True) - h * (gn * h).mean(2, keepdim=True))).reshape(a.shape)
    return gx, gw, gb


_group_norm: Any = primitive(
    "NativeGroupNormBackward0", _group_forward, inputs=("a", "weight", "bias"), aux=True,
    backward=lambda g, a, groups, weight, aux, needs: _needed(K.group_norm_backward(g, a, groups, weight, aux[0], aux[1]), needs),
    graph_backward=lambda g, a, groups, weight, eps, needs: _group_graph(g, a, groups, weight, eps, needs),
)  # fmt: skip


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each group of channels of each sample standardised (Wu and He 2018, https://arxiv.org/abs/1803.08494)."""
    a = input._array
    if a.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {a.ndim}")
    c = a.shape[1]
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if c % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(a.shape)} and num_groups={num_groups}"
        )
    for label, v in (("weight", weight), ("bias", bias)):
        if v is not None and v._array.shape != (c,):
            raise RuntimeError(
                f"Expected {label} to be a vector of size equal to the number of channels in input, but got {label} of shape {list(v._array.shape)} and input of shape {list(a.shape)}"
            )
    return _group_norm(input, num_groups, weight, bias, eps)


FUNCTIONAL = {f.__name__: f for f in (batch_norm, instance_norm, layer_norm, rms_norm, group_norm)}


def _legacy_batch_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Any:
    """`torch.batch_norm`: the same function with its arguments in another order."""
    return batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _legacy_layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    """`torch.layer_norm`: one argument more, which means nothing here."""
    return layer_norm(input, normalized_shape, weight, bias, eps)


FUNCTIONS.update(batch_norm=_legacy_batch_norm, layer_norm=_legacy_layer_norm, group_norm=group_norm, rms_norm=rms_norm)

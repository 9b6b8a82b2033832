"""Normalizations as PyTorch's programs find them in the `torch` namespace: with the statistics beside the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import wrap
from ..backend import placing
from . import normalization
from .publishing import FUNCTIONS, public

_F: dict[str, Any] = normalization.FUNCTIONAL


def _statistics(x: Any, dims: tuple[int, ...], eps: float, keepdim: bool) -> tuple[Any, Any]:
    """The mean and the reciprocal deviation of a Tensor's elements along dimensions, without history."""
    a = x._array
    wide = np.asarray(a, np.float64 if a.dtype == np.float64 else np.float32, order="C")
    with np.errstate(all="ignore"):
        mean = wide.mean(dims, keepdims=keepdim)
        rstd = 1 / np.sqrt(wide.var(dims, keepdims=keepdim) + wide.dtype.type(eps))
    return wrap(np.asarray(mean, a.dtype)), wrap(np.asarray(rstd, a.dtype))


@public(method=False)
def native_layer_norm(input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Layer normalization, with the mean and reciprocal deviation of each sample."""
    y = _F["layer_norm"](input, normalized_shape, weight, bias, eps)
    n = len(normalized_shape)
    return (y, *_statistics(input, tuple(range(input.dim() - n, input.dim())), eps, True))


@public(method=False)
def native_group_norm(input: Any, weight: Any, bias: Any, N: int, C: int, HxW: int, group: int, eps: float) -> Any:
    """Group normalization, with the mean and reciprocal deviation of each group."""
    a = input._array
    if not a.flags.c_contiguous and not (a.ndim in (4, 5) and placing.channels_last(a)):
        raise RuntimeError(
            "Expected X.is_contiguous(memory_format) to be true, but got false.  (Could this error message be improved?  "
            "If so, please report an enhancement request to PyTorch.)"
        )
    y = _F["group_norm"](input, group, weight, bias, eps)
    return (y, *_statistics(input.reshape(N, group, -1), (2,), eps, False))


@public(method=False)
def native_batch_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> Any:
    """Batch normalization, with the mean and reciprocal deviation of each channel (in training)."""
    y = _F["batch_norm"](input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return y, input.new_empty((0,)), input.new_empty((0,))
    return (y, *_statistics(input, (0, *range(2, input.dim())), eps, False))


@public(method=False, name="_native_batch_norm_legit")
def _native_batch_norm_legit(input: Any, weight: Any, bias: Any, *rest: Any) -> Any:
    """`native_batch_norm`, with or without running statistics."""
    running = rest[:2] if len(rest) == 5 else (None, None)
    return native_batch_norm(input, weight, bias, *running, *rest[-3:])


@public(method=False, name="_batch_norm_with_update")
def _batch_norm_with_update(
    input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, momentum: float, eps: float
) -> Any:
    """`native_batch_norm` in training, and an empty reserve."""
    found = native_batch_norm(input, weight, bias, running_mean, running_var, True, momentum, eps)
    return (*found, input.new_empty((0,), dtype=dtypes.uint8))


@public(method=False)
def instance_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Any:
    """`torch.nn.functional.instance_norm`, in the order of its C++ original."""
    return _F["instance_norm"](input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@public(method=False)
def norm_except_dim(v: Any, pow: int = 2, dim: int = 0) -> Any:
    """The p-norm over all dimensions but one, which are kept."""
    if dim == -1:
        return FUNCTIONS["norm"](v, pow)
    d = dim % v.dim()
    if d not in (0, v.dim() - 1):
        return norm_except_dim(v.transpose(0, d), pow, 0).transpose(0, d)
    return FUNCTIONS["norm"](v, pow, [i for i in range(v.dim()) if i != d], True)

"""Activation functions: `torch.nn.functional`'s signatures, each a formula that runs in one pass over memory."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap_dim
from ..backend import kernels as K
from ..backend import placing
from ..settings import warn
from .arithmetic import conj
from .comparison import where
from .declare import binary, primitive, unary
from .kinds import FLOATING, one_pass, only
from .pairwise import NO_COMPLEX_CLAMP, held
from .pointwise import abs, erf, exp, expm1, log1p, sigmoid, tanh, zeros
from .publishing import inplace_of, public, type_error

# The functions of torch.nn.functional that live here.
__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_",
    "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign",
    "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip


def _formula(name: str, kernel_name: str, forward: Any, derivative: Any, kinds: str = FLOATING) -> Any:
    """An activation with parameters: forward(a, ...) and derivative(g, a, ...), each fused into one pass."""
    return primitive(
        name, only(kinds, kernel_name, one_pass(forward)), a=one_pass(derivative), graph={"a": _linking(derivative)}
    )


def _plain(name: str, kernel_name: str, forward: Any, derivative: Any, kinds: str = FLOATING) -> Any:
    """An activation without parameters: (out of place, in place)."""
    op = unary(
        name, only(kinds, kernel_name, one_pass(forward)), derivative, inplace=False, out=False, method=False, namespace=False
    )  # fmt: skip
    return op, inplace_of(op, name)


def _linking(derivative: Any) -> Any:
    @functools.wraps(derivative)
    def linking(g: Any, a: Any, *parameters: Any) -> Any:
        return linked(derivative(g, a, *parameters), a)

    return linking


def linked(y: Any, x: Any) -> Any:
    """`y`; on Tensors a part of the graph of `x` even where its derivative by `x` is 0, as PyTorch's is."""
    return y + x.fill(0) if isinstance(y, Tensor) and not y.requires_grad else y


def _apply(name: str, op: Any, x: Any, inplace: bool, *parameters: Any) -> Any:
    if not isinstance(x, Tensor):
        raise type_error(name, x)
    return (inplace_of(op, name) if inplace else op)(x, *parameters)


# ---- piecewise linear -----------------------------------------------------------------------------------------------


def _no_bool_relu(a: Any) -> None:
    if a.__class__ is np.ndarray and a.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")


@placing.places_itself
def _relu_kernel(a: Any) -> Any:
    if a.__class__ is np.ndarray and a.dtype.kind in "bc":
        _no_bool_relu(a)
        raise NotImplementedError(NO_COMPLEX_CLAMP)
    return K.relu(a)


_relu: Any = unary("relu", _relu_kernel, lambda g, out: linked(where(out <= 0, 0, g), out), out=False)


def relu(input: Any, inplace: bool = False) -> Any:
    """`max(input, 0)`."""
    return relu_(input) if inplace else _relu(input)


relu_ = inplace_of(_relu, "relu")

_hardtanh = _formula(
    "HardtanhBackward0", NO_COMPLEX_CLAMP, lambda a, low, high: held(a, low, high),
    lambda g, a, low, high: where((a <= low) | (a >= high), 0, g), "iufV",
)  # fmt: skip


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """`input` held between `min_val` and `max_val`."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if isinstance(input, Tensor) and input._array.dtype.kind in "biu":
        if input._array.dtype.kind == "b":
            raise RuntimeError("Bool inputs not supported for hardtanh")
        min_val, max_val = int(min_val), int(max_val)
    return _apply("hardtanh", _hardtanh, input, inplace, min_val, max_val)


def relu6(input: Any, inplace: bool = False) -> Any:
    """`min(max(input, 0), 6)`."""
    return hardtanh(input, 0.0, 6.0, inplace)


_leaky_relu = _formula(
    "LeakyReluBackward0", "leaky_relu_cpu", lambda a, slope: where(a > 0, a, a * slope),
    lambda g, a, slope: where(a > 0, g, g * slope),
)  # fmt: skip


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """`input` where positive, else `negative_slope * input`."""
    return _apply("leaky_relu", _leaky_relu, input, inplace, negative_slope)


_threshold = _formula(
    "ThresholdBackward0", "threshold_cpu", lambda a, threshold, value: where(a <= threshold, value, a),
    lambda g, a, threshold: where(a <= threshold, 0, g), "iufV",
)  # fmt: skip


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """`input` where it is greater than `threshold`, else `value`."""
    if isinstance(input, Tensor) and input._array.dtype.kind in "iu":
        threshold, value = int(threshold), int(value)
    return _apply("threshold", _threshold, input, inplace, threshold, value)


_prelu: Any = binary(
    "prelu", only(FLOATING, "prelu_cpu", K.fuse(lambda a, b: where(a > 0, a, a * b))),
    lambda g, a, b: linked(where(a > 0, g, g * b), a), lambda g, a: where(a > 0, 0, g * a),
    publish=False, node="PreluKernelBackward0",
)  # fmt: skip


def prelu(input: Any, weight: Any) -> Any:
    """`input` where positive, else `weight * input`; one weight, or one for each channel (dimension 1)."""
    for position, (x, label) in enumerate(((input, "input"), (weight, "weight")), 1):
        if not isinstance(x, Tensor):
            raise type_error("prelu", x, position, label)
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input.dtype.scalar_name} and {weight.dtype.scalar_name}"
        )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    count = weight.numel()
    if count != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if channels != count:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}."
            )
        weight = weight.reshape(1, count, *[1] * (input.ndim - 2))
    elif weight.ndim == 1:
        weight = weight.reshape([1] * input.ndim)
    return _prelu(input, weight)


_rrelu: Any = primitive(
    "RreluWithNoiseBackward0", only(FLOATING, "rrelu_cpu", lambda a, slopes: placing.in_order(K.mul(a, slopes))), inputs=("slopes",),
    a=lambda g, slopes: g * slopes, graph={"a": lambda g, a, slopes: linked(g * slopes, a)},
)  # fmt: skip


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """`leaky_relu` with a random slope for each element in training, and the mean one otherwise."""
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        x = input if inplace or input._array.flags.c_contiguous else input.contiguous()
        return _apply("rrelu", _leaky_relu, x, inplace, (lower + upper) / 2)
    if not isinstance(input, Tensor):
        raise type_error("rrelu", input)
    from .publishing import FUNCTIONS

    below = input.detach()._array <= 0
    slopes = FUNCTIONS["ones_like"](input.detach())
    slopes._array[below] = FUNCTIONS["empty"](int(below.sum()), dtype=dtypes.float64).uniform_(lower, upper)._array
    return _apply("rrelu", _rrelu, input, inplace, slopes)


_hardshrink = _formula(
    "HardshrinkBackward0", "hardshrink_cpu", lambda a, lambd: where((a >= -lambd) & (a <= lambd), 0, a),
    lambda g, a, lambd: where((a >= -lambd) & (a <= lambd), 0, g),
)  # fmt: skip
_softshrink = _formula(
    "SoftshrinkBackward0", "softshrink_check",
    lambda a, lambd: where(a > lambd, a - lambd, where(a < -lambd, a + lambd, a * 0)),
    lambda g, a, lambd: where((a >= -lambd) & (a <= lambd), 0, g),
)  # fmt: skip


@public(out=True)
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """`input` where its magnitude is greater than `lambd`, else 0."""
    return _apply("hardshrink", _hardshrink, input, False, lambd)


@public(method=False, namespace=False, out=True)
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """`input` moved towards 0 by `lambd`, and 0 within."""
    if lambd < 0 and isinstance(input, Tensor):
        raise RuntimeError(
            f"lambda must be in range [0, {float(dtypes.finfo(input.dtype).max):g}] for input dtype "
            f"{input.dtype.scalar_name}, but found {lambd:g}"
        )
    return _apply("softshrink", _softshrink, input, False, lambd)


_hardsigmoid, _hardsigmoid_in_place = _plain(
    "hardsigmoid", "hardsigmoid_cpu", lambda a: held(a + 3, 0, 6) / 6,
    lambda g, a: linked(where((a > -3) & (a < 3), g / 6, 0), a),
)  # fmt: skip
_hardswish, _hardswish_in_place = _plain(
    "hardswish", "hardswish_cpu", lambda a: a * held(a + 3, 0, 6) / 6,
    lambda g, a: where(a <= -3, 0, where(a < 3, g * (a / 3 + 0.5), g)),
)  # fmt: skip


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """`relu6(input + 3) / 6`."""
    return _hardsigmoid_in_place(input) if inplace else _hardsigmoid(input)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """`input * relu6(input + 3) / 6` (https://arxiv.org/abs/1905.02244)."""
    return _hardswish_in_place(input) if inplace else _hardswish(input)


# ---- exponential ----------------------------------------------------------------------------------------------------

_elu = _formula(
    "EluBackward0", "elu_cpu", lambda a, alpha, scale: where(a <= 0, expm1(a) * (alpha * scale), a * scale),
    lambda g, a, alpha, scale: where(a <= 0, g * (exp(a) * (alpha * scale)), g * scale),
)  # fmt: skip
_celu = _formula(
    "CeluBackward0", "elu_cpu", lambda a, alpha: where(a <= 0, expm1(a / alpha) * alpha, a),
    lambda g, a, alpha: where(a <= 0, g * exp(a / alpha), g),
)  # fmt: skip
# Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where positive, else `alpha * (exp(input) - 1)` (https://arxiv.org/abs/1511.07289)."""
    return _apply("elu", _elu, input, inplace, alpha, 1.0)


def selu(input: Any, inplace: bool = False) -> Any:
    """The scaled `elu` that keeps mean 0 and variance 1 (https://arxiv.org/abs/1706.02515)."""
    return _apply("selu", _elu, input, inplace, SELU_ALPHA, SELU_SCALE)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where positive, else `alpha * (exp(input / alpha) - 1)` (https://arxiv.org/abs/1704.07483)."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _apply("celu", _celu, input, inplace, alpha)


def _silu_slope(g: Any, a: Any) -> Any:
    s = sigmoid(a)
    return g * conj(s * (1 + a * (1 - s)))


_silu, _silu_in_place = _plain("silu", "silu_cpu", lambda a: a / (1 + exp(-a)), lambda g, a: _silu_slope(g, a), "fcV")


def silu(input: Any, inplace: bool = False) -> Any:
    """`input * sigmoid(input)` (https://arxiv.org/abs/1702.03118)."""
    return _silu_in_place(input) if inplace else _silu(input)


def _mish_slope(g: Any, a: Any) -> Any:
    t = tanh(log1p(exp(a)))
    return g * (t + a * sigmoid(a) * (1 - t * t))


_mish, _mish_in_place = _plain(
    "mish", "mish_cpu", lambda a: a * tanh(log1p(exp(a))), lambda g, a: _mish_slope(g, a)
)  # fmt: skip


def mish(input: Any, inplace: bool = False) -> Any:
    """`input * tanh(softplus(input))` (https://arxiv.org/abs/1908.08681)."""
    return _mish_in_place(input) if inplace else _mish(input)


ROOT_HALF, ROOT_TWO_OVER_PI, CUBIC = math.sqrt(0.5), math.sqrt(2 / math.pi), 0.044715


def _gelu_slope(g: Any, a: Any) -> Any:
    return g * (0.5 * (1 + erf(a * ROOT_HALF)) + a * exp(-0.5 * a * a) * (1 / math.sqrt(2 * math.pi)))


def _gelu_tanh_slope(g: Any, a: Any) -> Any:
    t = tanh(ROOT_TWO_OVER_PI * (a + CUBIC * a * a * a))
    return g * (0.5 * (1 + t) + 0.5 * a * (1 - t * t) * (ROOT_TWO_OVER_PI * (1 + 3 * CUBIC * a * a)))


_gelu, _ = _plain(
    "gelu", "GeluKernelImpl", lambda a: 0.5 * a * (1 + erf(a * ROOT_HALF)), lambda g, a: _gelu_slope(g, a)
)  # fmt: skip
_gelu_tanh, _ = _plain(
    "gelu", "GeluKernelImpl", lambda a: 0.5 * a * (1 + tanh(ROOT_TWO_OVER_PI * (a + CUBIC * a * a * a))),
    lambda g, a: _gelu_tanh_slope(g, a),
)  # fmt: skip


@public(method=False, namespace=False, out=True)
def gelu(input: Any, approximate: str = "none") -> Any:
    """`input` times the normal distribution function, exact or by `tanh` (https://arxiv.org/abs/1606.08415)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return (_gelu if approximate == "none" else _gelu_tanh)(input)


_softplus = _formula(
    "SoftplusBackward0", "softplus_cpu",
    lambda a, beta, threshold: where(a * beta > threshold, a, log1p(exp(a * beta)) / beta),
    lambda g, a, beta, threshold: where(a * beta > threshold, g, g * sigmoid(a * beta)),
)  # fmt: skip


@public(method=False, namespace=False, out=True)
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """`log(1 + exp(beta * input)) / beta`, and `input` itself where `beta * input > threshold`."""
    return _apply("softplus", _softplus, input, False, beta, threshold)


_logsigmoid, _ = _plain(
    "log_sigmoid", "log_sigmoid_cpu", lambda a: K.minimum(a, 0) - log1p(exp(-abs(a))),
    lambda g, a: g * sigmoid(-a),
)  # fmt: skip


@public(method=False, namespace=False, out=True)
def logsigmoid(input: Any) -> Any:
    """`log(sigmoid(input))`."""
    return _logsigmoid(input if input._array.flags.c_contiguous else input.contiguous())


def softsign(input: Any) -> Any:
    """`input / (1 + abs(input))`."""
    return input / (abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """`input - tanh(input)`."""
    return input - tanh(input)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half along `dim` times the sigmoid of the second (https://arxiv.org/abs/1612.08083)."""
    if not isinstance(input, Tensor):
        raise type_error("glu", input)
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    if input._array.dtype.kind not in FLOATING:
        only(FLOATING, "glu_cpu", zeros)(input._array)
    return input.narrow(dim, 0, size // 2) * sigmoid(input.narrow(dim, size // 2, size // 2))


# ---- softmax --------------------------------------------------------------------------------------------------------

_softmax: Any = primitive(
    "SoftmaxBackward0", only(FLOATING, "softmax_lastdim_kernel_impl", lambda a, dim: K.softmax(a, dim)),
    a=lambda g, out, dim: K.softmax_backward(g, out, dim),
    graph={"a": lambda g, out, dim: out * (g - (g * out).sum(dim, keepdim=True))},
)  # fmt: skip
_log_softmax: Any = primitive(
    "LogSoftmaxBackward0", only(FLOATING, "log_softmax_lastdim_kernel_impl", lambda a, dim: K.log_softmax(a, dim)),
    a=lambda g, out, dim: K.log_softmax_backward(g, out, dim),
    graph={"a": lambda g, out, dim: g - exp(out) * g.sum(dim, keepdim=True)},
)  # fmt: skip


def _softmax_along(name: str, op: Any, x: Any, dim: Any, dtype: Any) -> Any:
    if not isinstance(x, Tensor):
        raise type_error(name, x)
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise TypeError(f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}")
    dim = wrap_dim(dim, x.ndim)
    return op(x if dtype is None else x.to(dtype), dim)


def softmax_of(input: Any, dim: int, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`; `dtype` casts the input first.

    >>> import rushlight as torch
    >>> torch.softmax(torch.zeros(4), 0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return _softmax_along("softmax", _softmax, input, dim, dtype)


def log_softmax_of(input: Any, dim: int, dtype: Any = None) -> Any:
    """The logarithm of `softmax(input, dim)`, without its loss of small numbers."""
    return _softmax_along("log_softmax", _log_softmax, input, dim, dtype)


public(softmax_of, name="softmax", out=True)
public(log_softmax_of, name="log_softmax", out=True)


def _implied_dim(name: str, x: Any) -> int:
    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
    )
    return 0 if x.ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`; `dtype` casts the input first."""
    return softmax_of(input, _implied_dim("softmax", input) if dim is None else dim, dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`softmax(-input)`."""
    return softmax_of(-input, _implied_dim("softmin", input) if dim is None else dim, dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """The logarithm of `softmax(input, dim)`."""
    return log_softmax_of(input, _implied_dim("log_softmax", input) if dim is None else dim, dtype)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A softmax of logits with Gumbel noise; `hard` gives one-hot samples with the soft ones' gradient.

    https://arxiv.org/abs/1611.01144
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    noise = -logits.detach().clone().exponential_().log()
    soft = softmax_of((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    return logits.detach().new_zeros(logits.shape).scatter_(dim, index, 1.0) - soft.detach() + soft


# ---- names ----------------------------------------------------------------------------------------------------------


def _in_place(function: Any) -> Any:
    """The `name_` of an activation with an `inplace` parameter."""

    @functools.wraps(function)
    def in_place(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, **kwargs, inplace=True)

    in_place.__name__ = in_place.__qualname__ = f"{function.__name__}_"
    in_place.__doc__ = f"In-place version of `{function.__name__}`."
    return in_place


elu_, hardtanh_, leaky_relu_ = _in_place(elu), _in_place(hardtanh), _in_place(leaky_relu)
celu_, rrelu_, selu_, threshold_ = _in_place(celu), _in_place(rrelu), _in_place(selu), _in_place(threshold)
public(prelu)
for _function in (celu, celu_, rrelu, rrelu_, selu, selu_, threshold, threshold_):
    public(_function, name=_function.__name__, method=False)

"""Functions of two or three numbers: greater and smaller, limits, angles and lengths, interpolation, closeness."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..backend import kernels as K
from ..backend import placing
from .arithmetic import add, conj, div, mul, pow, sub
from .bitwise import tensors_only
from .comparison import eq, ge, le, lt, where
from .declare import binary, primitive
from .kinds import FLOATING, REAL, one_pass, only, refuse
from .pointwise import as_floating, cos, exp, exp2, isnan, lgamma, log, sigmoid, sin, zeros
from .promotion import NUMBERS, result_dtype, to_array
from .publishing import public, type_error
from .recorded import broadcast_error, reduce_to

# ---- the greater and the smaller ------------------------------------------------------------------------------------


def _chosen(g: Any, a: Any, b: Any, lost: Any) -> Any:
    """The gradient of an operand: half of it in a tie, none where it lost; both get all of it at nan."""
    return where(eq(a, b), g / 2, where(lost, 0, g))


def _extremum(name: str, kernel: Any, first: Any) -> Any:
    return binary(
        name, kernel,
        lambda g, a, b: _chosen(g, a, b, first(b, a)), lambda g, a, b: _chosen(g, a, b, first(a, b)),
        needs="both", accepts=(REAL, f"{name} not implemented for complex tensors.", RuntimeError), inplace=False,
    )  # fmt: skip


maximum = _extremum("maximum", K.maximum, lambda a, b: a > b)
minimum = _extremum("minimum", K.minimum, lambda a, b: a < b)


def _number_wins(name: str, kernel: Any, first: Any) -> Any:
    """A maximum or minimum that ignores nan; ties give the gradient to the first operand."""
    return binary(
        name, kernel,
        lambda g, a, b: where(first(a, b) | isnan(b), g, 0),
        lambda g, a, b: where(first(a, b) | isnan(b), 0, g),
        needs="both", accepts=(REAL, f"{name} not implemented for complex tensors.", RuntimeError), inplace=False,
    )  # fmt: skip


fmax = _number_wins("fmax", K.fmax, ge)
fmin = _number_wins("fmin", K.fmin, le)

# ---- limits ---------------------------------------------------------------------------------------------------------

NO_COMPLEX_CLAMP = "clamp is not supported for complex types"


def held(a: Any, low: Any, high: Any) -> Any:
    """`a` between `low` and `high` (arrays, numbers or None), in the formulas of kernels."""
    if low is None:
        return K.minimum(a, high)
    return K.maximum(a, low) if high is None else K.minimum(K.maximum(a, low), high)


_held = one_pass(held)


def _clamp_kernel(a: Any, low: Any, high: Any) -> Any:
    return held(a, low, high) if low is None or high is None else _held(a, low, high)


_clamp: Any = primitive(
    "ClampBackward1", only(REAL, NO_COMPLEX_CLAMP, _clamp_kernel),
    a=lambda g, a, low, high: where(_within(a, low, high), g, 0),
)  # fmt: skip


def _within(a: Any, low: Any, high: Any) -> Any:
    if low is None:
        return a <= high
    return a >= low if high is None else (a >= low) & (a <= high)


_clamp_tensors: Any = primitive(
    "ClampBackward0", only(REAL, NO_COMPLEX_CLAMP, _clamp_kernel),
    a=lambda g, a, low, high, a_shape: _to_shape(where(_within(a, low, high), g, 0), a_shape),
    low=lambda g, a, low, high, low_shape: _to_shape(
        where((a < low) if high is None else (a < low) & (low < high), g, 0), low_shape
    ),
    high=lambda g, a, low, high, high_shape: _to_shape(
        where((a > high) if low is None else (a > high) | (low >= high), g, 0), high_shape
    ),
)  # fmt: skip


def _to_shape(g: Any, shape: Any) -> Any:
    return reduce_to(g, shape, (g._array if isinstance(g, Tensor) else g).dtype)


_PLAIN = (np.dtype(np.float32), np.dtype(np.float64))


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Hold every element between `min` and `max` (numbers or tensors); where they cross, `max` wins.

    >>> import rushlight as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if not isinstance(input, Tensor):
        raise type_error("clamp", input)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if input._array.dtype in _PLAIN and all(b is None or (b.__class__ in (float, int) and b == b) for b in (min, max)):
        return _clamp(input, min, max)
    bounds = [b for b in (min, max) if b is not None]
    tensors = [isinstance(b, Tensor) for b in bounds]
    if (any(tensors) and not all(tensors)) or not all(isinstance(b, (Tensor, *NUMBERS, np.generic)) for b in bounds):
        kinds = ", ".join(type(v).__name__ for v in (input, min, max))
        raise TypeError(f"clamp() received an invalid combination of arguments - got ({kinds})")
    d = result_dtype(input, *bounds)
    if d.category == dtypes.COMPLEX:
        raise NotImplementedError(NO_COMPLEX_CLAMP)
    if d is dtypes.bool:
        which = "clamp" if len(bounds) == 2 else "clamp_max" if min is None else "clamp_min"
        if not any(tensors) or len(bounds) == 2:
            refuse(f"{which}_cpu" if any(tensors) else f"{which}_scalar_cpu", np.empty(0, bool))
    x = input if input.dtype is d else input.to(d)
    if not any(tensors):
        low, high = (None if b is None else _limit(b, d) for b in (min, max))
        if any(b is not None and b != b for b in (low, high)):
            return mul(x, 0) + math.nan  # nothing of x is left, and no gradient
        return _clamp(x, low, high)
    low, high = (b if b is None or b.dtype is d else b.to(d) for b in (min, max))
    for b in (low, high):
        error = None if b is None else broadcast_error(x._array, b._array)
        if error is not None:
            raise error
    return _clamp_tensors(x, low, high)


def _limit(value: Any, d: dtypes.dtype) -> Any:
    """A number held within what the dtype can represent, as the dtype's own kind of number."""
    if d.category != dtypes.INT:
        return to_array(value, d)
    info = np.iinfo(dtypes.to_numpy(d))
    return builtins.min(builtins.max(int(value), int(info.min)), int(info.max))


public(clamp, inplace=True, out=True, aliases=("clip",))


def clamp_min(input: Any, min: Any) -> Any:
    """The elements, but at least `min` (a number or a tensor)."""
    return _extreme_or_clamp("clamp_min", maximum, input, min) if isinstance(min, Tensor) else clamp(input, min)


def clamp_max(input: Any, max: Any) -> Any:
    """The elements, but at most `max` (a number or a tensor)."""
    return _extreme_or_clamp("clamp_max", minimum, input, max) if isinstance(max, Tensor) else clamp(input, None, max)


def _extreme_or_clamp(name: str, extremum: Any, x: Any, bound: Any) -> Any:
    if not isinstance(x, Tensor):
        raise type_error(name, x)
    if result_dtype(x, bound).category == dtypes.COMPLEX:
        raise NotImplementedError(NO_COMPLEX_CLAMP)
    return clamp(x, bound, None) if extremum is maximum else clamp(x, None, bound)


public(clamp_min, inplace=True, out=True)
public(clamp_max, inplace=True, out=True)

# ---- angles, lengths, signs -----------------------------------------------------------------------------------------

atan2: Any = binary(
    "atan2", K.atan2,
    lambda g, a, b: g * (b / _norm2(a, b)), lambda g, a, b: g * (-a / _norm2(a, b)),
    to_float=True, aliases=("arctan2",), needs="both", accepts=(REAL, "atan2_cpu"),
)  # fmt: skip


def _norm2(a: Any, b: Any) -> Any:
    size = a * a + b * b
    return where(eq(size, 0), 1, size)


hypot: Any = binary(
    "hypot", K.hypot,
    lambda g, a, out: g * (a / out), lambda g, b, out: g * (b / out), needs="both", accepts=(FLOATING, "hypot_cpu"),
)  # fmt: skip


def _copysign_slope(g: Any, a: Any, out: Any) -> Any:
    return where(eq(a, 0), 0, g * (out / where(eq(a, 0), 1, a)))


def _copysign(a: Any, b: Any) -> Any:
    return K.copysign(a if isinstance(a, np.ndarray) else np.asarray(a, b.dtype), b)


copysign: Any = binary(
    "copysign", _copysign, lambda g, a, out: _copysign_slope(g, a, out), zeros, to_float=True, needs="first",
    accepts=(REAL, "copysign_cpu"),
)  # fmt: skip
nextafter: Any = binary(
    "nextafter", K.nextafter,
    lambda g, a, b: where(eq(a, b), 0, g), zeros, needs="both", accepts=(FLOATING, "nextafter_cpu"),
)  # fmt: skip


def _same_type(x: Any, y: Any) -> None:
    tensors_only("heaviside", "values")(x, y)
    if x.is_complex() or y.is_complex():
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if x.dtype is not y.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


def _heaviside(a: Any, b: Any) -> Any:
    return np.where(a == 0, b, np.asarray(a > 0, b.dtype))


def _no_heaviside_slope(g: Any) -> Any:
    raise RuntimeError("derivative for aten::heaviside is not implemented")


heaviside: Any = binary("heaviside", _heaviside, _no_heaviside_slope, _no_heaviside_slope, check=_same_type)


def _ldexp_arrays(a: Any, b: Any) -> Any:
    """Exact scaling by a power of two, which need not be a number of the dtype itself."""
    wide = a.astype(np.float32) if a.dtype.kind == "V" else a
    with np.errstate(all="ignore"):
        return np.asarray(np.ldexp(wide, np.clip(b, -(2**16), 2**16).astype(np.int32))).astype(a.dtype, copy=False)


_ldexp: Any = primitive(
    "LdexpBackward0", only("iufV", "ldexp_cpu_exp", _ldexp_arrays), inputs=("b",),
    a=lambda g, b, a_shape: _to_shape(_ldexp(g, b), a_shape),
)  # fmt: skip


@public(inplace=True, out=True)
def ldexp(input: Any, other: Any) -> Any:
    """`input * 2 ** other`."""
    tensors_only("ldexp")(input, other)
    if input.dtype.category != dtypes.FLOAT or other.dtype.category > dtypes.INT:
        return mul(input, pow(2.0, other))
    error = broadcast_error(input._array, other._array)
    if error is not None:
        raise error
    return _ldexp(input, other)


@public(method=False, out=True)
def polar(abs: Any, angle: Any) -> Any:
    """The complex numbers of the given lengths and angles."""
    from .creation import complex_tensor as join

    for position, (value, label) in enumerate(((abs, "abs"), (angle, "angle")), 1):
        if not isinstance(value, Tensor):
            raise type_error("polar", value, position, label)
    if abs.dtype is angle.dtype and abs.is_floating_point():
        return join(abs * cos(angle), abs * sin(angle))
    return join(abs, angle)


# ---- logarithms -----------------------------------------------------------------------------------------------------


def _logaddexp(a: Any, b: Any) -> Any:
    if a.dtype.kind == "c":
        swap = a.real < b.real
        high, low = np.where(swap, b, a), np.where(swap, a, b)
        return high + np.log1p(np.exp(low - high))
    return K.logaddexp(a, b)


def _share(a: Any, b: Any) -> Any:
    return sigmoid(a - b)


logaddexp: Any = binary(
    "logaddexp", _logaddexp,
    lambda g, a, b: g * conj(_share(a, b)), lambda g, a, b: g * conj(_share(b, a)),
    inplace=False, needs="both", accepts=("fcV", "logaddexp_cpu"),
)  # fmt: skip


def _logaddexp2(a: Any, b: Any) -> Any:
    return np.logaddexp2(a, b) if a.dtype.kind == "f" and a.dtype.itemsize > 2 else np.logaddexp2(
        a.astype(np.float32), b.astype(np.float32)
    ).astype(a.dtype)  # fmt: skip


logaddexp2: Any = binary(
    "logaddexp2", _logaddexp2,
    lambda g, a, b: g / (1 + exp2(b - a)), lambda g, a, b: g / (1 + exp2(a - b)),
    inplace=False, needs="both", accepts=(FLOATING, "logaddexp2_cpu"),
)  # fmt: skip


def _xlogy(a: Any, b: Any) -> Any:
    return K.where(_both(isnan, b), math.nan, K.where(K.eq(a, 0), 0.0, K.mul(a, _log(b)))).astype(_kind(a, b))


def _both(test: Any, b: Any) -> Any:
    return np.isnan(np.asarray(b, np.float32 if not isinstance(b, np.ndarray) else None))


def _log(b: Any) -> Any:
    return K.log(b if isinstance(b, np.ndarray) else np.asarray(float(b)))


def _kind(a: Any, b: Any) -> Any:
    return (a if isinstance(a, np.ndarray) else b).dtype


xlogy: Any = binary(
    "xlogy", _xlogy,
    lambda g, a, b: where(eq(a, 0) & _no_logarithm(b), 0, g * _log_any(b)), lambda g, a, b: g * a / b,
    to_float=True, needs="one", accepts=(REAL, "xlogy_cpu"),
)  # fmt: skip


def _no_logarithm(b: Any) -> Any:
    return b <= 0 if isinstance(b, (bool, int, float)) else le(b, 0)


def _log_any(b: Any) -> Any:
    if isinstance(b, (bool, int, float)):
        return math.log(b) if b > 0 else -math.inf if b == 0 else math.nan
    return log(b)


def _gamma_density(g: Any, a: Any, b: Any) -> Any:
    return g * exp((a - 1) * log(b) - b - lgamma(a))


def _no_igamma_slope(g: Any) -> Any:
    raise NotImplementedError("the derivative for 'igamma: input' is not implemented.")


def _no_igammac_slope(g: Any) -> Any:
    raise NotImplementedError("the derivative for 'igammac: input' is not implemented.")


igamma: Any = binary("igamma", K.igamma, _no_igamma_slope, _gamma_density, needs="both", accepts=(FLOATING, "igamma"))
igammac: Any = binary(
    "igammac", K.igammac, _no_igammac_slope, lambda g, a, b: -_gamma_density(g, a, b),
    needs="both", accepts=(FLOATING, "igammac"),
)  # fmt: skip


# ---- three operands -------------------------------------------------------------------------------------------------


_addcmul: Any = primitive(
    "AddcmulBackward0", one_pass(lambda a, b, c, value: a + b * value * c),
    a=lambda g, a_shape: _to_shape(g, a_shape), b=lambda g, c, value, b_shape: _to_shape(g * (c * value), b_shape),
    c=lambda g, b, value, c_shape: _to_shape(g * (b * value), c_shape),
)  # fmt: skip
_addcdiv: Any = primitive(
    "AddcdivBackward0", one_pass(lambda a, b, c, value: a + b * value / c),
    a=lambda g, a_shape: _to_shape(g, a_shape), b=lambda g, c, value, b_shape: _to_shape(g * (value / c), b_shape),
    c=lambda g, b, c, value, c_shape: _to_shape(-g * (b * value) / (c * c), c_shape),
)  # fmt: skip


def _alike(x: Any, y: Any, z: Any) -> bool:
    """Whether three tensors are of one plain type and broadcast, so that one pass computes their formula."""
    a, b, c = x._array, y._array, z._array
    if not (a.dtype in _PLAIN and a.dtype == b.dtype == c.dtype):
        return False
    return a.shape == b.shape == c.shape or all(broadcast_error(*pair) is None for pair in ((a, b), (a, c), (b, c)))


@public(inplace=True, out=True)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """`input + value * tensor1 * tensor2`."""
    _tensors("addcmul", input, tensor1, tensor2)
    if _alike(input, tensor1, tensor2):
        return _addcmul(input, tensor1, tensor2, value)
    return add(input, mul(_scaled(tensor1, value, input, tensor2), tensor2))


def _scaled(x: Any, value: Any, *others: Any) -> Any:
    if value.__class__ is int and value == 1:
        return x
    if isinstance(value, float) and result_dtype(x, *others).category <= dtypes.INT:
        value = int(value)
    return mul(x, value)


def _tensors(name: str, *operands: Any) -> None:
    for position, (value, label) in enumerate(zip(operands, ("input", "tensor1", "tensor2"), strict=True), 1):
        if not isinstance(value, Tensor):
            raise type_error(name, value, position, label)


@public(inplace=True, out=True)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """`input + value * tensor1 / tensor2`, of floating-point tensors."""
    _tensors("addcdiv", input, tensor1, tensor2)
    if all(x.dtype.category <= dtypes.INT for x in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
            "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value "
            "* tensor1 / tensor2), for all dtypes."
        )
    if _alike(input, tensor1, tensor2):
        return _addcdiv(input, tensor1, tensor2, value)
    return add(input, div(_scaled(tensor1, value, input, tensor2), tensor2))


def _lerp_array(a: Any, b: Any, w: Any) -> Any:
    """From whichever end is nearer, so that both ends are met exactly."""
    return K.where(K.abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w))


_lerp: Any = primitive(
    "LerpBackward1", one_pass(lambda a, b, w: _lerp_array(a, b, w)),
    a=lambda g, w, a_shape: _to_shape(g * (1 - conj(w)), a_shape),
    b=lambda g, w, b_shape: _to_shape(g * conj(w), b_shape),
    w=lambda g, a, b, w_shape: _to_shape(g * conj(b - a), w_shape),
)  # fmt: skip
_lerp_scalar: Any = primitive(
    "LerpBackward0", one_pass(lambda a, b, weight: _lerp_array(a, b, weight)),
    a=lambda g, weight, a_shape: _to_shape(mul(g, 1 - conj(weight)), a_shape),
    b=lambda g, weight, b_shape: _to_shape(mul(g, conj(weight)), b_shape),
)  # fmt: skip


@public(inplace=True, out=True)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """`input + weight * (end - input)`."""
    for position, (value, label) in enumerate(((input, "input"), (end, "end")), 1):
        if not isinstance(value, Tensor):
            raise type_error("lerp", value, position, label)
    for label, value in (("end", end), ("weight", weight)):
        if isinstance(value, Tensor) and value.dtype is not input.dtype:
            raise RuntimeError(f"expected dtype {input.dtype.c_name} for `{label}` but got dtype {value.dtype.c_name}")
    if input._array.dtype.kind not in "fcV":
        refuse("lerp_kernel_tensor" if isinstance(weight, Tensor) else "lerp_kernel_scalar", input._array)
    for other in (end, weight):
        error = broadcast_error(input._array, other._array) if isinstance(other, Tensor) else None
        if error is not None:
            raise error
    if isinstance(weight, Tensor):
        return _lerp(input, end, weight)
    if not isinstance(weight, (*NUMBERS, np.generic)):
        raise TypeError(
            f"lerp() received an invalid combination of arguments - got (Tensor, Tensor, {type(weight).__name__})"
        )
    return _lerp_scalar(input, end, weight)


# ---- closeness and equality -----------------------------------------------------------------------------------------


@public
def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether `|input - other| <= atol + rtol * |other|`, element by element."""
    tensors_only("isclose")(input, other)
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{input.dtype.scalar_name} did not match {other.dtype.scalar_name}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")
    a, b = input._array, other._array
    error = broadcast_error(a, b)
    if error is not None:
        raise error
    with np.errstate(all="ignore"):
        close = a == b
        if equal_nan and a.dtype.kind in "fcV":
            close = close | (np.isnan(a) & np.isnan(b))
        if rtol == 0 and atol == 0:
            return wrap(placing.follow(np.asarray(close), a, b))
        wide = np.promote_types(a.dtype, np.float32) if a.dtype.kind != "V" else np.dtype(np.float32)
        x, y = a.astype(wide), b.astype(wide)
        allowed = atol + np.abs(rtol * y)
        near = np.isfinite(np.abs(x - y)) & (np.abs(x - y) <= allowed)
        return wrap(placing.follow(np.asarray(close | near), a, b))


@public
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


@public
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and elements."""
    tensors_only("equal")(input, other)
    return bool(np.array_equal(input._array, other._array))


@public(method=False, out=True)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each of `elements` is among `test_elements`."""
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError(
            f"isin() received an invalid combination of arguments - got ({type(elements).__name__}, "
            f"{type(test_elements).__name__})"
        )
    for x in (elements, test_elements):
        if isinstance(x, Tensor) and x.is_complex():
            raise RuntimeError(f"Unsupported input type encountered for isin(): {x.dtype.scalar_name}")
    d = result_dtype(elements, test_elements)
    a, b = (np.asarray(to_array(x, d)) for x in (elements, test_elements))
    if a.dtype.kind == "V" or b.dtype.kind == "V":
        a, b = a.astype(np.float32), b.astype(np.float32)
    return wrap(np.asarray(np.isin(a, b, invert=invert)).reshape(a.shape))


__all__ = ["as_floating", "exp", "lt", "sub"]

"""Element-wise kernels in NumPy: one line of mathematics each, in every dtype, with PyTorch's edge cases.

Operands are arrays of one dtype, or an array and a Python scalar; the result is an array, or `out`, filled.
float16 and bfloat16 compute in float32 and are rounded once. A symbol of `fuse` gives a symbol.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rushlight.backend import expression, placing
from rushlight.backend.expression import Symbol, fuse
from rushlight.backend.numpy import bessel, gamma, normal, orthogonal, special
from rushlight.backend.numpy.precision import widen

__all__ = ["fuse"]

Array = np.ndarray[Any, Any]
Kernel = Callable[..., Any]


def _kernel(formula: Kernel, name: str = "", widened: bool = True) -> Kernel:
    """Make the kernel `name` from a formula on arrays."""
    name = name or formula.__name__.rstrip("_")

    def kernel(*args: Any, out: Array | None = None) -> Any:
        narrow, operands = None, args
        scattered = False
        for a in args:
            if a.__class__ is Symbol:
                return expression.power(*args) if name == "pow" else expression.emit(name, *args)
            if a.__class__ is np.ndarray:
                if not a.flags.c_contiguous:
                    scattered = True
                if widened and (a.dtype.kind == "V" or a.dtype.char == "e"):
                    narrow = a.dtype
        if narrow is not None:
            args = tuple(widen(a) if a.__class__ is np.ndarray else a for a in args)
        with np.errstate(all="ignore"):
            result = np.asarray(formula(*args))
            if narrow is not None and result.dtype == np.float32:
                result = result.astype(narrow)
            if out is None:
                return (
                    placing.follow(result, *[a for a in operands if a.__class__ is np.ndarray]) if scattered else result
                )
            np.copyto(out, result, casting="unsafe")
            return out

    kernel.__name__ = kernel.__qualname__ = name
    kernel.__module__ = __name__
    kernel.__doc__ = formula.__doc__ if not isinstance(formula, np.ufunc) else f"NumPy's {formula.__name__}."
    __all__.append(name)
    return kernel


def _same(name: str, ufunc: Kernel, widened: bool = True) -> None:
    globals()[name] = _kernel(ufunc, name, widened)


# NumPy's own loops have PyTorch's answers here.
_UFUNCS: dict[str, Kernel] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sqrt": np.sqrt, "square": np.square, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "atan2": np.arctan2, "floor": np.floor, "ceil": np.ceil,
    "round": np.rint, "trunc": np.trunc, "maximum": np.maximum, "minimum": np.minimum, "fmax": np.fmax,
    "fmin": np.fmin, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_xor": np.logical_xor, "logical_not": np.logical_not, "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor, "bitwise_not": np.invert,
    "bitwise_left_shift": np.left_shift, "bitwise_right_shift": np.right_shift, "isnan": np.isnan,
    "isinf": np.isinf, "isfinite": np.isfinite, "signbit": np.signbit, "conj": np.conjugate,
    "copysign": np.copysign, "hypot": np.hypot, "logaddexp": np.logaddexp,
    "gcd": np.gcd, "lcm": np.lcm, "where": np.where,
}  # fmt: skip
for _name, _ufunc in _UFUNCS.items():
    _same(_name, _ufunc)
_same("neg", np.negative, widened=False)
_same("abs", np.absolute, widened=False)


def _refuse_zero(a: Any, b: Any) -> None:
    if np.result_type(a, b).kind in "biu" and not np.all(b):
        raise RuntimeError("ZeroDivisionError")


@_kernel
def floor_divide(a: Any, b: Any) -> Any:
    """The quotient rounded down; integers divided by zero are an error, as in PyTorch."""
    _refuse_zero(a, b)
    return np.floor_divide(a, b)


@_kernel
def fmod(a: Any, b: Any) -> Any:
    """The remainder with the dividend's sign (C)."""
    _refuse_zero(a, b)
    return np.fmod(a, b)


@_kernel
def remainder(a: Any, b: Any) -> Any:
    """The remainder with the divisor's sign (Python); a zero keeps the dividend's."""
    _refuse_zero(a, b)
    if np.result_type(a, b).kind in "biu":
        return np.remainder(a, b)
    rest = np.fmod(a, b)
    return np.where((rest != 0) & ((rest < 0) != np.less(b, 0)), rest + b, rest)


# PyTorch takes these powers by products and roots, and -inf ** 0.5 shows it.
_POWERS: dict[Any, Kernel] = {
    0.5: np.sqrt,
    2: np.square,
    3: lambda a: a * a * a,
    -0.5: lambda a: 1 / np.sqrt(a),
    -1: lambda a: 1 / a,
    -2: lambda a: 1 / (a * a),
}


@_kernel
def pow(a: Any, b: Any) -> Any:
    """`a ** b`; an integer to a negative power is 0, except of 1 and -1."""
    if isinstance(b, (int, float)) and b in _POWERS and a.dtype.kind in "fc":
        return _POWERS[b](a)
    if np.result_type(a, b).kind in "iu" and np.any(np.less(b, 0)):
        odd = np.remainder(b, 2) == 1
        inverse = np.where(a == 1, 1, np.where(a == -1, np.where(odd, -1, 1), 0))
        return np.where(np.less(b, 0), inverse, np.power(a, np.maximum(b, 0))).astype(np.result_type(a, b))
    return np.power(a, b)


@_kernel
def sign(a: Any) -> Any:
    """-1, 0 or 1; 0 for nan, as in PyTorch. For a complex number the direction, `a / abs(a)`."""
    if a.dtype.kind in "fi":
        return np.subtract(a > 0, a < 0, dtype=a.dtype)
    return np.sign(a)


@_kernel
def exp2(a: Any) -> Any:
    """`2 ** a`."""
    return np.exp2(a) if a.dtype.kind != "c" else np.exp(a * math.log(2.0))


@_kernel
def rsqrt(a: Any) -> Any:
    """`1 / sqrt(a)`."""
    return 1 / np.sqrt(a)


@_kernel
def reciprocal(a: Any) -> Any:
    """`1 / a`."""
    return 1 / a


@_kernel
def sigmoid(a: Any) -> Any:
    """`1 / (1 + exp(-a))`."""
    return 1 / (1 + np.exp(-a))


@_kernel
def frac(a: Any) -> Any:
    """What truncation cuts off."""
    return a - np.trunc(a)


@_kernel
def relu(a: Any) -> Any:
    """`max(a, 0)`; nan stays."""
    return np.maximum(a, 0)


@_kernel
def clamp(a: Any, low: Any = None, high: Any = None) -> Any:
    """`a` held between `low` and `high` (arrays, scalars or None); `high` wins where they cross."""
    if low is not None:
        a = np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


@_kernel
def heaviside(a: Any, b: Any) -> Any:
    """0 below zero, 1 above and `b` at it; nan counts as below."""
    return np.where(a == 0, b, np.greater(a, 0).astype(a.dtype))


@_kernel
def ldexp(a: Any, b: Any) -> Any:
    """`a * 2 ** b`, by a product: it overflows where the power does."""
    return a * np.exp2(b, dtype=np.result_type(a, np.float32))


@_kernel
def real(a: Any) -> Any:
    """The real part."""
    return np.real(a)


@_kernel
def imag(a: Any) -> Any:
    """The imaginary part."""
    return np.imag(a)


@_kernel
def angle(a: Any) -> Any:
    """The argument: 0 or pi for a real number."""
    if a.dtype.kind == "c":
        return np.angle(a)
    return np.where(np.isnan(a), a, np.where(a < 0, np.asarray(np.pi, a.dtype), np.asarray(0, a.dtype)))


@functools.partial(_kernel, widened=False)
def nextafter(a: Any, b: Any) -> Any:
    """The next number after `a` towards `b`."""
    return np.nextafter(a, b)


for _module in (special, gamma, normal, bessel, orthogonal):
    for _name in _module.__all__:
        _same(_name, getattr(_module, _name))

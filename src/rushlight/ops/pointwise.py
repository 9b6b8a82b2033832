"""Functions of one number: powers and roots, exponentials, angles, rounding, and the special functions of `torch`."""

from __future__ import annotations

import builtins
import math
from collections import namedtuple
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..backend import kernels as K
from ..backend import placing
from .arithmetic import conj, div, mul, pow
from .comparison import eq, where
from .declare import primitive, unary
from .kinds import FLOATING, NUMERIC, REAL, is_complex, one_pass, only
from .parts import imag, real
from .publishing import FUNCTIONS, attach, inplace_of, is_array, public, type_error

LN2, LN10 = math.log(2), math.log(10)
TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def zeros(g: Any) -> Any:
    """The derivative of a step function, also where `g` is infinite."""
    return wrap(np.zeros_like(g._array)) if isinstance(g, Tensor) else np.zeros_like(g)


# ---- exponentials, logarithms, roots --------------------------------------------------------------------------------

exp: Any = unary("exp", K.exp, lambda g, out: g * conj(out), to_float=True)
exp2: Any = unary("exp2", K.exp2, lambda g, out: g * conj(out) * LN2, to_float=True)
expm1: Any = unary("expm1", K.expm1, lambda g, out: g * (conj(out) + 1), to_float=True)
log: Any = unary("log", K.log, lambda g, a: g / conj(a), to_float=True)
log2: Any = unary("log2", K.log2, lambda g, a: g / (conj(a) * LN2), to_float=True)
log10: Any = unary("log10", K.log10, lambda g, a: g / (conj(a) * LN10), to_float=True)
log1p: Any = unary("log1p", K.log1p, lambda g, a: g / (conj(a) + 1), to_float=True)
sqrt: Any = unary("sqrt", K.sqrt, lambda g, out: g / (2 * conj(out)), to_float=True)
rsqrt: Any = unary("rsqrt", K.rsqrt, lambda g, out: -0.5 * g * conj(out * out * out), to_float=True)
reciprocal: Any = unary("reciprocal", K.reciprocal, lambda g, out: -g * conj(out * out), to_float=True)


@placing.places_itself
def _square(a: Any) -> Any:
    return K.square(a.astype(np.int64) if a.__class__ is np.ndarray and a.dtype.kind == "b" else a)


square: Any = unary("square", _square, lambda g, a: g * conj(2 * a), node="PowBackward0")
sigmoid: Any = unary("sigmoid", K.sigmoid, lambda g, out: g * conj((1 - out) * out), to_float=True)

# ---- angles and their hyperbolic kin --------------------------------------------------------------------------------

sin: Any = unary("sin", K.sin, lambda g, a: g * conj(cos(a)), to_float=True)
cos: Any = unary("cos", K.cos, lambda g, a: -g * conj(sin(a)), to_float=True)
tan: Any = unary("tan", K.tan, lambda g, out: g * conj(1 + out * out), to_float=True)
asin: Any = unary("asin", K.asin, lambda g, a: g * conj(rsqrt(1 - a * a)), to_float=True, aliases=("arcsin",))
acos: Any = unary("acos", K.acos, lambda g, a: -g * conj(rsqrt(1 - a * a)), to_float=True, aliases=("arccos",))
atan: Any = unary("atan", K.atan, lambda g, a: g / conj(a * a + 1), to_float=True, aliases=("arctan",))
sinh: Any = unary("sinh", K.sinh, lambda g, a: g * conj(cosh(a)), to_float=True)
cosh: Any = unary("cosh", K.cosh, lambda g, a: g * conj(sinh(a)), to_float=True)
tanh: Any = unary("tanh", K.tanh, lambda g, out: g * conj(1 - out * out), to_float=True)
asinh: Any = unary("asinh", K.asinh, lambda g, a: g * conj(rsqrt(a * a + 1)), to_float=True, aliases=("arcsinh",))
acosh: Any = unary("acosh", K.acosh, lambda g, a: g * _acosh_slope(a), to_float=True, aliases=("arccosh",))
atanh: Any = unary("atanh", K.atanh, lambda g, a: g / conj(1 - a * a), to_float=True, aliases=("arctanh",))


def _acosh_slope(a: Any) -> Any:
    # The product lies on the right branch for complex numbers; the other form is PyTorch's for real ones.
    return conj(rsqrt(a - 1) * rsqrt(a + 1)) if is_complex(a) else rsqrt(a * a - 1)


def _no_complex(name: str, kernel: Any) -> Any:
    return only(REAL, f"{name} is not supported for complex tensors.", kernel, RuntimeError)


deg2rad: Any = unary(
    "deg2rad", _no_complex("deg2rad", lambda a: a * (math.pi / 180)), lambda g: g * (math.pi / 180), to_float=True
)
rad2deg: Any = unary(
    "rad2deg", _no_complex("rad2deg", lambda a: a * (180 / math.pi)), lambda g: g * (180 / math.pi), to_float=True
)


def _sinc(a: Any) -> Any:
    x = a * math.pi
    return K.where(K.eq(a, 0), K.add(K.mul(a, 0), 1), K.div(K.sin(x), x))


def _sinc_slope(g: Any, a: Any) -> Any:
    flat = eq(a * a, 0)  # also where the square underflows
    safe = where(flat, 1, a)
    x = safe * math.pi
    return g * conj(where(flat, 0, (x * cos(x) - sin(x)) / (x * safe)))


sinc: Any = unary("sinc", _sinc, lambda g, a: _sinc_slope(g, a), to_float=True)

# ---- size and direction ---------------------------------------------------------------------------------------------


def _abs(a: Any) -> Any:
    return a if a.__class__ is np.ndarray and a.dtype.kind == "u" else K.abs(a)


abs: Any = unary(
    "abs", only("iufcV", "abs_cpu", K.abs), lambda g, a: g * sgn(a), aliases=("absolute",)
)  # fmt: skip
attach("__abs__", abs)


def abs_(input: Any) -> Any:
    """In-place version of `abs`."""
    if input.is_complex():
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    return _abs_in_place(input)


_abs_in_place = inplace_of(abs, "abs")
for _name in ("abs_", "absolute_"):
    public(abs_, name=_name)


@placing.places_itself
def _sign(a: Any) -> Any:
    return a.copy(order="K") if a.__class__ is np.ndarray and a.dtype.kind == "b" else K.sign(a)


NO_COMPLEX_SIGN = "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
sign: Any = unary(
    "sign",
    only(REAL, NO_COMPLEX_SIGN, _sign),
    zeros,
)  # fmt: skip


def _sgn_slope(g: Any, a: Any, out: Any) -> Any:
    if not is_complex(a):
        return zeros(g)
    size = abs(a)
    safe = where(eq(size, 0), 1, size)
    along = real(g * conj(out))
    return where(eq(size, 0), 0, (g - out * along) / safe)


sgn: Any = unary("sgn", _sign, lambda g, a, out: _sgn_slope(g, a, out))


def _angle_slope(g: Any, a: Any) -> Any:
    if not is_complex(a):
        return zeros(g)
    x, y = real(a), imag(a)
    size = x * x + y * y
    safe = where(eq(size, 0), 1, size)
    return where(eq(size, 0), 0, (g / safe) * (a * 1j))


angle: Any = unary("angle", K.angle, lambda g, a: _angle_slope(g, a), to_float=True, inplace=False)

nan_to_num_: Any = primitive(
    "NanToNumBackward0", lambda a, nan, posinf, neginf: _nan_to_num(a, nan, posinf, neginf),
    a=lambda g, a: where(isfinite(a), g, 0),
)  # fmt: skip


def _nan_to_num(a: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    if a.dtype.kind in "biu":
        return a.copy()
    if a.dtype.kind == "c":
        out = np.empty_like(a)
        out.real = _nan_to_num(a.real, nan, posinf, neginf)
        out.imag = _nan_to_num(a.imag, nan, posinf, neginf)
        return out
    info = dtypes.finfo(dtypes.of_array(a.dtype))
    high, low = (float(v) for v in (info.max if posinf is None else posinf, info.min if neginf is None else neginf))
    return _replace(a, 0.0 if nan is None else float(nan), high, low)


_replace = one_pass(
    lambda a, nan, high, low: K.where(K.isnan(a), nan, K.where(a == np.inf, high, K.where(a == -np.inf, low, a)))
)


@public(inplace=True, out=True)
def nan_to_num(input: Any, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """Replace nan (by 0) and infinities (by the largest numbers of the dtype)."""
    _require(input, "nan_to_num")
    return nan_to_num_(input, nan, posinf, neginf)


def _require(x: Any, name: str) -> None:
    if not isinstance(x, Tensor):
        raise type_error(name, x)


@public(method=True)
def positive(input: Any) -> Any:
    """The tensor itself."""
    if input._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


attach("__pos__", positive)

# ---- rounding -------------------------------------------------------------------------------------------------------


def _rounding(name: str, kernel: Any, refusal: str = "") -> Any:
    """A kernel that leaves integers alone and refuses bools and complex numbers."""

    @placing.places_itself
    def rounded(a: Any) -> Any:
        return a.copy(order="K") if a.__class__ is np.ndarray and a.dtype.kind in "iu" else kernel(a)

    no_complex = refusal or f"{name} is not supported for complex inputs"
    return only("iufcV", f"{name}_vml_cpu", only("iufV", no_complex, rounded))


floor: Any = unary("floor", _rounding("floor", K.floor), zeros)
ceil: Any = unary("ceil", _rounding("ceil", K.ceil), zeros)
trunc: Any = unary("trunc", _rounding("trunc", K.trunc), zeros, aliases=("fix",))
frac: Any = unary("frac", only(FLOATING, "frac_cpu", K.frac), lambda g: g * 1)
_round: Any = unary(
    "round", _rounding("round", K.round, "round_vml_cpu"), zeros, method=False, namespace=False, inplace=False
)


def _round_to(a: Any, decimals: int) -> Any:
    """Scaled, rounded and scaled back in the dtype itself, as PyTorch does."""
    scale = 10.0 ** builtins.abs(decimals)
    return K.div(K.round(K.mul(a, scale)), scale) if decimals > 0 else K.mul(K.round(K.div(a, scale)), scale)


_round_decimals: Any = primitive(
    "RoundBackward1", only(FLOATING, "round_cpu", lambda a, decimals: _round_to(a, decimals)), a=lambda g: zeros(g)
)


@public(inplace=True, out=True)
def round(input: Any, *, decimals: int = 0) -> Any:
    """Round halves to even, at `decimals` places after the point (negative: before it).

    >>> import rushlight as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.5]))
    tensor([0., 2., 2.])
    """
    if decimals == 0:
        return _round(input)
    _require(input, "round")
    return _round_decimals(input, decimals)


@public(method=True, out=True)
def frexp(input: Any) -> Any:
    """Mantissa (in ±[1/2, 1)) and int32 exponent: `input = mantissa * 2 ** exponent`."""
    _require(input, "frexp")
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = _frexp(input)
    return Frexp(mantissa, exponent)


Frexp: Any = namedtuple("frexp", ["mantissa", "exponent"])  # type: ignore[name-match]
Frexp.__module__ = "torch.return_types"


def _frexp_arrays(a: Any) -> Any:
    mantissa, exponent = np.frexp(a.astype(np.float32) if a.dtype.kind == "V" else a)
    return [np.asarray(mantissa).astype(a.dtype, copy=False), np.asarray(exponent)]


_frexp: Any = primitive(
    "FrexpBackward0", _frexp_arrays, non_differentiable=(1,), tensors=True,
    a=lambda g, out: g / exp2(out[1].to(g.dtype)),
)  # fmt: skip

# ---- what a number is -----------------------------------------------------------------------------------------------


def _is_infinite(sign: float) -> Any:
    return lambda a: np.asarray(a == sign) if a.dtype.kind in "fV" else np.zeros(a.shape, bool)


isnan: Any = unary("isnan", K.isnan, inplace=False, out=False)
isinf: Any = unary("isinf", K.isinf, inplace=False, out=False)
isfinite: Any = unary("isfinite", K.isfinite, inplace=False, out=False)
isposinf: Any = unary(
    "isposinf",
    only(REAL, "isposinf does not support complex inputs.", _is_infinite(math.inf), RuntimeError),
    inplace=False,
)
isneginf: Any = unary(
    "isneginf",
    only(REAL, "isneginf does not support complex inputs.", _is_infinite(-math.inf), RuntimeError),
    inplace=False,
)
isreal: Any = unary("isreal", lambda a: K.eq(K.imag(a), 0), inplace=False, out=False)


def _signbit(a: Any) -> Any:
    return K.signbit(a) if a.dtype.kind in FLOATING else np.asarray(a < 0)


signbit: Any = unary("signbit", only(REAL, "signbit is not implemented for complex tensors.", _signbit), inplace=False)

# ---- the error function, gamma, Bessel ------------------------------------------------------------------------------

erf: Any = unary(
    "erf", only(REAL, "erf_vml_cpu", K.erf), lambda g, a: g * exp(-a * a) * TWO_OVER_ROOT_PI, to_float=True
)
erfc: Any = unary(
    "erfc", only(REAL, "erfc_vml_cpu", K.erfc), lambda g, a: -g * exp(-a * a) * TWO_OVER_ROOT_PI, to_float=True
)
erfinv: Any = unary(
    "erfinv",
    only(REAL, "erfinv_vml_cpu", K.erfinv),
    lambda g, out: g * exp(out * out) / TWO_OVER_ROOT_PI,
    to_float=True,
)
lgamma: Any = unary("lgamma", only(REAL, "lgamma_vml_cpu", K.lgamma), lambda g, a: g * digamma(a), to_float=True)
digamma: Any = unary("digamma", only(REAL, "digamma", K.digamma), lambda g, a: g * polygamma_any(1, a), to_float=True)
_polygamma: Any = primitive(
    "PolygammaBackward0", only(REAL, "polygamma", lambda a, n: K.polygamma(n, a)),
    a=lambda g, a, n: g * _polygamma(a, n + 1),
)  # fmt: skip


def polygamma_any(n: int, a: Any) -> Any:
    """The n-th derivative of digamma, on arrays or Tensors."""
    return digamma(a) if n == 0 else _polygamma(a, n)


def polygamma(n: Any, input: Any) -> Any:
    """The `n`-th derivative of digamma."""
    if isinstance(n, Tensor):  # the method: x.polygamma(n)
        n, input = input, n
    _require(input, "polygamma")
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return polygamma_any(n, as_floating(input))


def as_floating(x: Any) -> Any:
    """Integers and bools in the default floating type."""
    return x.to(dtypes.get_default_dtype()) if x._array.dtype.kind in "biu" else x


public(polygamma, inplace=True, out=True)


@public(inplace=True, out=True)
def mvlgamma(input: Any, p: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension `p`."""
    _require(input, "mvlgamma")
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    x = as_floating(input)
    shifts = wrap(np.arange(p).astype(x._array.dtype) / 2)
    return lgamma(x.unsqueeze(-1) - shifts).sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


i0: Any = unary("i0", only(REAL, "i0_vml_cpu", K.i0), lambda g, a: g * i1(a), to_float=True)
i1: Any = unary(
    "i1", only(REAL, "i1_cpu", K.i1), lambda g, a, out: g * _i1_slope(a, out),
    to_float=True, namespace=False, method=False, inplace=False,
)  # fmt: skip


def _i1_slope(a: Any, out: Any) -> Any:
    safe = where(eq(a, 0), 1, a)
    return where(eq(a, 0), 0.5, i0(a) - out / safe)


_logit: Any = primitive(
    "LogitBackward0", only(FLOATING, "logit_cpu", lambda a, eps: _logit_array(a, eps)),
    a=one_pass(lambda g, a, eps: _logit_slope(g, a, eps)), graph={"a": lambda g, a, eps: _logit_slope(g, a, eps)},
)  # fmt: skip


def _logit_array(a: Any, eps: Any) -> Any:
    if eps is not None:
        a = K.clamp(a, eps, 1 - eps)
    return K.log(K.div(a, K.sub(1, a)))


def _logit_slope(g: Any, a: Any, eps: Any) -> Any:
    if eps is None:
        inside, outside = (a >= 0) & (a <= 1), math.nan
    else:
        inside, outside = (a >= eps) & (a <= 1 - eps), 0.0
    return where(inside, g / (a * (1 - a)), outside)


@public(inplace=True, out=True)
def logit(input: Any, eps: float | None = None) -> Any:
    """`log(input / (1 - input))`, the inverse of sigmoid; with `eps` the input is first held in [eps, 1 - eps]."""
    _require(input, "logit")
    return _logit(as_floating(input), eps)


__all__ = ["FUNCTIONS", "NUMERIC", "div", "is_array", "mul", "pow"]

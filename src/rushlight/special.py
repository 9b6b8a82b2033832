"""`torch.special`: the special functions, those of the `torch` namespace among them."""

from __future__ import annotations

import math
from typing import Any

from .backend import kernels as K
from .ops import FUNCTIONS as _F
from .ops import pointwise as _pointwise
from .ops.activation import log_softmax_of, softmax_of
from .ops.comparison import eq, le, where
from .ops.declare import binary, unary
from .ops.kinds import REAL, only, refuse
from .ops.pointwise import exp, log, sgn
from .ops.publishing import with_out

_LOCAL: dict[str, Any] = {"to_float": True, "namespace": False, "method": False, "inplace": False}

digamma = psi = _F["digamma"]
erf, erfc, erfinv = _F["erf"], _F["erfc"], _F["erfinv"]
exp2, expm1 = _F["exp2"], _F["expm1"]
expit = _F["sigmoid"]
gammainc, gammaincc = _F["igamma"], _F["igammac"]
gammaln = _F["lgamma"]
i0, i1 = _F["i0"], _pointwise.i1
log1p = _F["log1p"]
logit = _F["logit"]
multigammaln = _F["mvlgamma"]
polygamma = _F["polygamma"]
sinc = _F["sinc"]
xlogy = _F["xlogy"]


def round(input: Any, *, decimals: int = 0, out: Any = None) -> Any:
    """Round halves to even, at `decimals` places; floating-point tensors only."""
    only("fV", "round_vml_cpu", _F["round"])(input._array)
    return _F["round"](input, decimals=decimals, out=out)


def logsumexp(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Any:
    """The logarithm of the sum of `exp(input)` along `dim`."""
    return _F["logsumexp"](input, dim, keepdim, out=out)


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`."""
    return softmax_of(input, dim, dtype)


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The logarithm of `softmax(input, dim)`."""
    return log_softmax_of(input, dim, dtype)


# ---- the normal distribution ----------------------------------------------------------------------------------------

ROOT_TWO_PI = math.sqrt(2 * math.pi)


def _one(name: str, derivative: Any, halves: bool = True) -> Any:
    """A function of one number; without `halves`, not for float16 and bfloat16."""
    kernel = only(REAL, f"{name}_cpu", getattr(K, name))
    return unary(name, kernel if halves else _no_halves(f"{name}_cpu", kernel), derivative, **_LOCAL)


def _no_halves(name: str, kernel: Any) -> Any:
    def checked(*operands: Any) -> Any:
        for a in operands:
            if getattr(a, "itemsize", 8) == 2 and a.dtype.kind in "fV":
                refuse(name, a)
        return kernel(*operands)

    return checked


entr = _one("entr", lambda g, a: g * (-log(a) - 1))
erfcx = _one("erfcx", lambda g, a, out: g * (2 * a * out - 2 / math.sqrt(math.pi)), halves=False)
ndtr = _one("ndtr", lambda g, a: g * exp(-0.5 * a * a) / ROOT_TWO_PI)
ndtri = _one("ndtri", lambda g, out: g * exp(0.5 * out * out) * ROOT_TWO_PI, halves=False)
log_ndtr = _one("log_ndtr", lambda g, a: g / erfcx(-a * math.sqrt(0.5)) * math.sqrt(2 / math.pi), halves=False)

# ---- Bessel functions and their kin ---------------------------------------------------------------------------------


def _i1e_slope(g: Any, a: Any, out: Any) -> Any:
    safe = where(eq(a, 0), 1, a)
    return g * where(eq(a, 0), 0.5, i0e(a) - out * (sgn(a) + 1 / safe))


i0e = _one("i0e", lambda g, a, out: g * (i1e(a) - sgn(a) * out))
i1e: Any = _one("i1e", _i1e_slope)


# PyTorch has no derivatives of these.
for _name in (
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
):  # fmt: skip
    globals()[_name] = _one(_name, None, halves=False)

# ---- two arguments --------------------------------------------------------------------------------------------------


def _two(name: str, kernel: Any, d_a: Any = None, d_b: Any = None) -> Any:
    kernel = kernel if name == "xlog1py" else _no_halves(f"{name}_cpu", kernel)
    plain = binary(name, kernel, d_a, d_b, to_float=True, publish=False, needs="one", accepts=(REAL, f"{name}_cpu"))
    return with_out(plain, name)


def _xlog1py(a: Any, b: Any) -> Any:
    kind = (a if hasattr(a, "dtype") else b).dtype
    b = K.add(b, K.mul(a, 0)) if not hasattr(b, "dtype") else b
    return K.where(K.isnan(b), math.nan, K.where(K.eq(a, 0), 0.0, K.mul(a, K.log1p(b)))).astype(kind)


def _log1p(b: Any) -> Any:
    return (
        log1p(b) if not isinstance(b, (int, float)) else math.log1p(b) if b > -1 else math.nan if b < -1 else -math.inf
    )


xlog1py = _two(
    "xlog1py",
    _xlog1py,
    lambda g, a, b: where(eq(a, 0) & le(b, -1), 0, g * _log1p(b)),
    lambda g, a, b: g * a / (b + 1),
)


def _no_zeta_slope(g: Any) -> Any:
    raise NotImplementedError("the derivative for 'zeta' is not implemented.")


zeta: Any = _two("zeta", K.zeta, _no_zeta_slope, lambda g, a, b: g * (-a * zeta(a + 1, b)))

for _name in (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
):  # fmt: skip
    globals()[_name] = _two(_name, getattr(K, _name))

"""Samples of the element-wise operators of one, two and three numbers."""

from __future__ import annotations

import math

import numpy as np

from samples import POINTS, Sample, operator

# PyTorch's own answers are accidents elsewhere: nan for i1(inf), inf / nan by the length of the vector, huge for poles.
TAME = np.array([0.0, 1.0, -1.0, 0.5, -0.5, 3.0, -3.0, 20.0])
EVERY = ("float32", "float16", "bfloat16", "int64", "uint8", "bool", "complex128")


def one(name, low=-2.0, high=2.0, reference=None, **properties):
    """An operator of one tensor: a matrix, a number, an empty one."""

    def generate(make):
        yield make(3, 4, low=low, high=high)
        yield make(low=low, high=high)
        yield make(0, 3)

    operator(name, elementwise=True, dtypes=EVERY, reference=reference, **properties)(generate)


def two(name, low=-2.0, high=2.0, reference=None, dtypes=EVERY, **properties):
    """An operator of two tensors: the same shape, broadcast, numbers and empty ones."""

    def generate(make):
        yield make(3, 4, low=low, high=high), make(3, 4, low=low, high=high)
        yield make(2, 1, 3, low=low, high=high), make(4, 1, low=low, high=high)
        yield make(low=low, high=high), make(3, low=low, high=high)
        yield make(0, 3), make(1, 3)

    operator(name, elementwise=True, dtypes=dtypes, reference=reference, **properties)(generate)


for _name, _numpy in {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "sin": np.sin, "cos": np.cos, "tan": np.tan, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "square": np.square, "abs": np.abs,
    "neg": np.negative, "sinc": np.sinc, "deg2rad": np.deg2rad, "rad2deg": np.rad2deg,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
}.items():  # fmt: skip
    one(_name, reference=_numpy)
for _name, _numpy in {
    "log": np.log, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt, "rsqrt": lambda a: a**-0.5,
    "reciprocal": lambda a: 1 / a, "log1p": np.log1p,
}.items():  # fmt: skip
    one(_name, 0.1, 3.0, _numpy)
for _name, _numpy in {"asin": np.arcsin, "acos": np.arccos, "atanh": np.arctanh}.items():
    one(_name, -0.9, 0.9, _numpy)
one("acosh", 1.1, 3.0, np.arccosh)
for _name in ("floor", "ceil", "trunc", "frac", "round", "sign", "sgn", "positive", "angle", "nan_to_num"):
    one(_name)
for _name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit", "logical_not"):
    one(_name, differentiable=False)
one("erf", reference=np.vectorize(math.erf, otypes=[float]))
one("erfc", reference=np.vectorize(math.erfc, otypes=[float]))
one("erfinv", -0.9, 0.9)
one("lgamma", 0.2, 4.0, np.vectorize(math.lgamma, otypes=[float]))
one("digamma", 0.2, 4.0, points=np.array([0.0, -0.0, 0.5, -0.5, 3.0, 20.0, np.inf, np.nan]))
one("logit", 0.1, 0.9, points=np.array([0.0, 1.0, 0.5, -1.0, 2.0, np.nan]))
one("i0", points=TAME, reference=np.i0)
one("special.i0e")
one("special.i1", points=TAME)
one("special.i1e", points=TAME)
one("special.entr", 0.1, 2.0)
one("special.erfcx")
one("special.ndtr")
one("special.log_ndtr", points=TAME, tolerance=1e-6)
one("special.ndtri", 0.1, 0.9)
for _name in (
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
):  # fmt: skip
    # PyTorch's own coefficients are good to about 1e-7 here and there, and its 0 and infinity are not always the limit.
    one(f"special.{_name}", 0.1, 30.0, differentiable=False, tolerance=1e-6, points=np.array([0.5, 1.0, 3.0, 20.0]))


@operator("special.round")
def _round_decimals(make):
    yield make(3, 4)
    yield Sample(make(3, 4) * 100, decimals=2)
    yield Sample(make(3, 4) * 100, decimals=-1)


for _name, _numpy in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "atan2": np.arctan2, "hypot": np.hypot,
    "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2, "copysign": np.copysign, "maximum": np.maximum,
    "minimum": np.minimum, "fmax": np.fmax, "fmin": np.fmin,
}.items():  # fmt: skip
    two(_name, reference=_numpy)
two("div", 0.5, 2.0, np.divide)
two("pow", 0.5, 2.0, np.power)
two("float_power", 0.5, 2.0, np.float_power)
two("xlogy", 0.5, 2.0)
two("special.xlog1py", 0.5, 2.0)
NORMAL = POINTS[POINTS != 1e-40]  # PyTorch's float32 overflows in the quotient
two("remainder", 0.6, 2.9, np.remainder, points=NORMAL)
two("fmod", 0.6, 2.9, np.fmod, points=NORMAL)
two("ldexp", -2, 2)
two("true_divide", 0.5, 2.0, np.divide)
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "isclose"):
    two(_name, differentiable=False)
two("floor_divide", 0.5, 2.9, differentiable=False)
two("nextafter", second=False)
two("rsub")


@operator("heaviside", differentiable=False)
def _heaviside(make):
    yield np.array([-1.0, 0.0, 2.0, np.nan]), make(4)
    yield make.integers(3, 4), make.integers(4)


for _name in ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm"):

    def _integers(make):
        yield make.integers(3, 4), make.integers(4)
        yield make.integers(3, low=0, high=9, dtype="uint8"), make.integers(3, dtype="int16")

    operator(_name, differentiable=False, dtypes=EVERY)(_integers)
for _name in ("bitwise_left_shift", "bitwise_right_shift"):

    def _shifts(make):
        yield make.integers(3, 4), make.integers(4, low=0)
        yield make.integers(3, 4), np.array([0, 63, 64, 65])
        yield make.integers(3, 4, dtype="int8"), np.array([0, 7, 8, -1], np.int8)

    operator(_name, differentiable=False, dtypes=EVERY)(_shifts)


@operator("bitwise_not", differentiable=False, dtypes=EVERY)
def _not(make):
    yield make.integers(3, 4)
    yield make.bools(3)


@operator("igamma", second=False, differentiable=False)
def _igamma(make):
    yield make(3, 4, low=0.1, high=9), make(4, low=0.1, high=9)
    yield (
        np.array([0.0, 1.0, 0.0, np.inf, 1.0, np.nan, -1.0, 50.0]),
        np.array([0.0, 0.0, 1.0, 1.0, np.inf, 1.0, 1.0, 51.0]),
    )


@operator("igammac", second=False, differentiable=False)
def _igammac(make):
    yield from _igamma(make)


@operator("special.zeta", differentiable=False)
def _zeta(make):
    yield make(3, 4, low=1.1, high=4), make(4, low=0.1, high=4)
    yield np.array([1.0, 0.5, 2.0, 3.0, 2.0]), np.array([2.0, 1.0, 0.0, -1.5, -1.0])


for _name in (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
):  # fmt: skip

    def _polynomial(make):
        yield make(5, low=0.0, high=1.0), np.arange(5.0)
        yield make(3, 1, low=-0.9, high=0.9), np.array([-1.0, 1.0, 3.0, 8.0])

    operator(f"special.{_name}", differentiable=False)(_polynomial)


@operator("polygamma")
def _polygamma(make):
    for n in range(4):
        yield n, make(3, low=0.3, high=4)


@operator("mvlgamma")
def _mvlgamma(make):
    yield make(3, 4, low=2.1, high=5), 3
    yield make(3, low=1, high=5), 1


@operator("clamp", dtypes=("float32", "int64", "bool"))
def _clamp(make):
    yield make(3, 4), -0.5, 0.7
    yield Sample(make(3, 4), max=0.3)
    yield Sample(make(3, 4), min=0.3)
    yield make(3, 4), make(4), make(3, 1)
    yield Sample(make(3), max=make(3))
    yield np.array([np.nan, np.inf, -np.inf, 0.0, 1.0]), 0.0, 1.0
    yield make(4), 1.0, -1.0
    yield make.integers(5), -2, 2
    yield make.integers(5), 0.5, 2


@operator("clamp_min")
def _clamp_min(make):
    yield make(3, 4), 0.3
    yield make(3, 4), make(4)


@operator("clamp_max")
def _clamp_max(make):
    yield from _clamp_min(make)


@operator("lerp")
def _lerp(make):
    yield make(3, 4), make(3, 4), 0.3
    yield make(3, 4), make(4), 0.9
    yield make(3, 1), make(3, 4), make(4)


@operator("addcmul")
def _addcmul(make):
    yield make(3, 4), make(3, 4), make(4)
    yield Sample(make(3, 4), make(3, 1), make(1, 4), value=-0.5)


@operator("addcdiv")
def _addcdiv(make):
    yield make(3, 4), make(3, 4), make(4, low=0.5)
    yield Sample(make(3, 4), make(3, 1), make(1, 4, low=0.5), value=-0.5)


@operator("where")
def _where(make):
    yield make.bools(3, 4), make(3, 4), make(4)
    yield make.bools(4), make(3, 1), 0.5


@operator("frexp", second=False)
def _frexp(make):
    yield make(3, 4)


@operator("polar", dtypes=("float32", "int64"))
def _polar(make):
    yield make(3, 4, low=0.1), make(3, 4)


@operator("allclose", differentiable=False)
def _allclose(make):
    x = make(3)
    yield x, x + 1e-9
    yield x, x + 1.0
    yield Sample(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), equal_nan=True)


@operator("equal", differentiable=False)
def _equal(make):
    x = make(3)
    yield x, x.copy()
    yield x, x + 1
    yield x, make(4)


@operator("isin", differentiable=False)
def _isin(make):
    yield make.integers(3, 4), make.integers(3)
    yield Sample(make.integers(3, 4), make.integers(3), invert=True)
    yield make.integers(4), 2


def _complex_one(name):
    def generate(make):
        yield make.complex(3)

    operator(f"{name}:complex", function=lambda package: getattr(package, name))(generate)


for _name in (
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "acos", "atan", "square", "reciprocal",
    "abs", "sgn", "conj", "angle", "sigmoid", "log1p", "expm1", "conj_physical", "rsqrt",
):  # fmt: skip
    _complex_one(_name)


@operator("mul:promoted", function=lambda package: lambda x: x * package.abs(x) / (package.abs(x) + 1))
def _promoted(make):
    yield (make.complex(3),)
    yield (make(3),)

"""The four operations, powers and their kin."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend import kernels as K
from .declare import binary, unary
from .kinds import only
from .promotion import NUMBERS, result_dtype
from .publishing import FUNCTIONS, attach, combination_error, inplace_of, public, type_error


def _no_bool_subtraction(x: Any, y: Any) -> None:
    bools = [v.__class__ is bool or (isinstance(v, Tensor) and v._array.dtype.kind == "b") for v in (x, y)]
    if all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


_add: Any = binary("add", K.add, lambda g: g, lambda g: g, publish=False)
_sub: Any = binary(
    "sub", K.sub, lambda g: g, lambda g: -g, publish=False,
    named=lambda a, b: "SubBackward0" if isinstance(a, Tensor) else "RsubBackward1",
)  # fmt: skip
mul: Any = binary("mul", K.mul, lambda g, b: g * conj(b), lambda g, a: g * conj(a), aliases=("multiply",))
true_div: Any = binary(
    "div", K.div, lambda g, b: g / conj(b), lambda g, b, out: -g * conj(out / b), to_float=True, publish=False,
    named=lambda a, b: "DivBackward0" if isinstance(a, Tensor) else "MulBackward0",
)  # fmt: skip


def _is_bool(x: Any) -> bool:
    return x.__class__ is bool or (isinstance(x, Tensor) and x._array.dtype.kind == "b")


def _scaled(plain: Any, name: str) -> Any:
    """`input ± alpha * other`."""

    def op(input: Any, other: Any, *, alpha: Any = 1) -> Any:
        if name == "sub" and (_is_bool(input) or _is_bool(other)):
            _no_bool_subtraction(input, other)
        if alpha.__class__ is int and alpha == 1:
            return plain(input, other)
        d = result_dtype(input, other)
        if isinstance(alpha, bool) and d is not dtypes.bool:
            raise RuntimeError("Boolean alpha only supported for Boolean results.")
        if not isinstance(alpha, int) and d.category <= dtypes.INT:
            raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
        if isinstance(alpha, complex) and d.category <= dtypes.FLOAT:
            raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
        return plain(input, mul(other, alpha) if isinstance(other, Tensor) else other * alpha)

    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"`input {'+' if name == 'add' else '-'} alpha * other`; shapes broadcast, dtypes promote."
    op.saves_input = lambda own, others: False  # type: ignore[attr-defined]
    return op


add, sub = _scaled(_add, "add"), _scaled(_sub, "sub")
public(add, name="add", inplace=True, out=True)
public(sub, name="sub", inplace=True, out=True, aliases=("subtract",))


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`other - alpha * input`."""
    if not isinstance(input, Tensor):
        raise combination_error("rsub", input, other)
    return sub(other, input, alpha=alpha)


public(rsub)


def _no_floor_divide_slope(g: Any) -> Any:
    raise RuntimeError("derivative for aten::floor_divide is not implemented")


floor_divide: Any = binary(
    "floor_divide", K.floor_divide, _no_floor_divide_slope, _no_floor_divide_slope, accepts=("iufV", "div_floor_cpu")
)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """`input / other`: true division, or rounded down (`floor`) or towards zero (`trunc`) in the operands' own type.

    >>> import rushlight as torch
    >>> torch.div(torch.tensor([-7, 7]), 2, rounding_mode="trunc")
    tensor([-3,  3])
    """
    if rounding_mode is None:
        return true_div(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '" + str(rounding_mode) + "'"
        )
    return (_floor_div if rounding_mode == "floor" else _trunc_div)(input, other)


def _trunc_divide(a: Any, b: Any) -> Any:
    """`a / b` rounded towards zero, in the operands' own type."""
    kind = (a if hasattr(a, "dtype") else b).dtype.kind
    if kind in "iu":
        return K.floor_divide(K.sub(a, K.fmod(a, b)), b)  # what is left divides exactly
    return K.trunc(K.div(a, b))


_floor_div: Any = binary("div", K.floor_divide, lambda g: g * 0, lambda g: g * 0, publish=False)
_trunc_div: Any = binary("div", _trunc_divide, lambda g: g * 0, lambda g: g * 0, publish=False)
div.saves_input = lambda own, others: False  # type: ignore[attr-defined]
public(div, inplace=True, out=True, aliases=("divide",))


def true_divide(input: Any, other: Any) -> Any:
    """`input / other`, in floating point."""
    return true_div(input, other)


public(true_divide, inplace=True, out=True)

remainder: Any = binary(
    "remainder", K.remainder, lambda g: g, lambda g, a, b: -g * floor_divide_any(a, b),
    needs="one", accepts=("iufV", "remainder_cpu"),
)  # fmt: skip
fmod: Any = binary(
    "fmod", K.fmod, lambda g: g, lambda g, a, b: -g * trunc_quotient(a, b), needs="first", accepts=("iufV", "fmod_cpu")
)


def floor_divide_any(a: Any, b: Any) -> Any:
    """`floor(a / b)` on arrays or Tensors."""
    return div(a, b, rounding_mode="floor") if isinstance(a, Tensor) or isinstance(b, Tensor) else K.floor_divide(a, b)


def trunc_quotient(a: Any, b: Any) -> Any:
    """`trunc(a / b)` on arrays or Tensors."""
    return div(a, b, rounding_mode="trunc") if isinstance(a, Tensor) or isinstance(b, Tensor) else _trunc_divide(a, b)


NO_BOOL_NEGATION = (
    "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
    "`logical_not()` operator instead."
)
neg: Any = unary("neg", only("iufcV", NO_BOOL_NEGATION, K.neg, RuntimeError), lambda g: -g, aliases=("negative",))
_conj: Any = unary("conj", K.conj, lambda g: conj(g), inplace=False, out=False, method=False, namespace=False)


def conj(input: Any) -> Any:
    """The complex conjugate; a real tensor is returned as it is."""
    if isinstance(input, Tensor):
        return _conj(input) if input._array.dtype.kind == "c" else input
    if isinstance(input, NUMBERS):
        return input.conjugate()
    if input.__class__ is np.ndarray and input.dtype.kind != "c":
        return input
    return K.conj(input)


public(conj, out=True, aliases=("conj_physical",))
_conj_in_place = inplace_of(conj, "conj_physical")
attach("conj_physical_", _conj_in_place)
FUNCTIONS["conj_physical_"] = _conj_in_place
FUNCTIONS["resolve_conj"] = FUNCTIONS["resolve_neg"] = Tensor.resolve_conj


def _power_base(g: Any, a: Any, b: Any) -> Any:
    """d(a**b)/da: 0 where the exponent is 0, whatever the base."""
    if isinstance(b, NUMBERS):
        if b == 0:
            return g * 0
        return g * conj(b * a ** (b - 1))
    return where(eq(b, 0), 0, g * conj(b * pow(a, b - 1)))


def _power_exponent(g: Any, a: Any, b: Any, out: Any) -> Any:
    """d(a**b)/db: 0 where the base is 0 and the exponent is not negative."""
    from .pointwise import log

    if not isinstance(a, NUMBERS):
        return where(eq(a, 0) & ge(real(b), 0), 0, g * conj(out * log(a)))
    if a == 0:
        return where(ge(real(b), 0), 0, g * conj(out * -math.inf))
    if isinstance(a, complex):
        return g * conj(out * cmath.log(a))
    return g * conj(out * (math.log(a) if a > 0 else math.nan))


_pow: Any = binary(
    "pow", K.pow, _power_base, _power_exponent, publish=False, accepts=("iufcV", "pow"),
    named=lambda a, b: f"PowBackward{0 if not isinstance(b, Tensor) else 1 if isinstance(a, Tensor) else 2}",
)  # fmt: skip


def pow(input: Any, exponent: Any) -> Any:
    """`input ** exponent`; shapes broadcast, dtypes promote.

    Integers to negative integer powers are refused, as in PyTorch.
    """
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Tensor) and input.dtype.category <= dtypes.INT:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor) and isinstance(input, NUMBERS):
        raise type_error("pow", input)
    if exponent.__class__ is bool and isinstance(input, Tensor) and input._array.dtype.kind == "b":
        return input.clone() if exponent else input.logical_or(input.logical_not())
    return _pow(input, exponent)


pow.saves_input = _pow.saves_input  # type: ignore[attr-defined]
public(pow, inplace=True, out=True)


def float_power(input: Any, exponent: Any) -> Any:
    """`input ** exponent`, computed and returned in double precision."""
    d = dtypes.complex128 if any(_is_complex(v) for v in (input, exponent)) else dtypes.float64
    base = input.to(d) if isinstance(input, Tensor) else input
    power = exponent.to(d) if isinstance(exponent, Tensor) else exponent
    return pow(base, power)


def _is_complex(x: Any) -> bool:
    return x.is_complex() if isinstance(x, Tensor) else isinstance(x, complex)


public(float_power, out=True)


def float_power_(input: Any, exponent: Any) -> Any:
    """In-place version of `float_power`, for double precision tensors only."""
    d = dtypes.complex128 if any(_is_complex(v) for v in (input, exponent)) else dtypes.float64
    if input.dtype is not d:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {input.dtype.scalar_name} but the operation's result requires "
            f"dtype {d.scalar_name}"
        )
    return input.pow_(exponent)


public(float_power_, name="float_power_", namespace=False)


def _reflected(op: Any) -> Any:
    def reflected(self: Any, other: Any) -> Any:
        if not isinstance(self, Tensor):
            raise TypeError(f"descriptor of Tensor's operator doesn't apply to a '{type(self).__name__}' object")
        return op(other, self)

    return reflected


def _guarded(op: Any) -> Any:
    """An operator method: NotImplemented for operands that are neither tensors nor numbers."""

    def method(self: Any, other: Any) -> Any:
        try:
            return op(self, other)
        except TypeError:
            if isinstance(other, (Tensor, *NUMBERS, np.generic)):
                raise
            return NotImplemented

    return method


for _name, _op in (
    ("add", _add), ("mul", mul), ("truediv", true_div), ("sub", sub), ("floordiv", floor_divide), ("mod", remainder),
    ("pow", pow),
):  # fmt: skip
    attach(f"__{_name}__", _guarded(_op))
    attach(f"__r{_name}__", _guarded(_reflected(_op)))
attach("__div__", Tensor.__truediv__)
attach("__rdiv__", Tensor.__rtruediv__)
attach("__neg__", neg)
attach("__pos__", lambda self: self)
for _name, _op in (
    ("iadd", add), ("isub", sub), ("imul", mul), ("itruediv", true_div), ("ifloordiv", floor_divide),
    ("imod", remainder), ("ipow", pow),
):  # fmt: skip
    attach(f"__{_name}__", _guarded(inplace_of(_op, _name[1:])))
attach("__idiv__", inplace_of(true_div, "idiv"))

from .comparison import eq, ge, where  # noqa: E402
from .parts import real  # noqa: E402

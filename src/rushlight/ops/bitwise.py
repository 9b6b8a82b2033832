"""Operators on the bits of integers, and logic on truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from .declare import binary, unary
from .kinds import only
from .promotion import NUMBERS
from .publishing import attach, inplace_of, type_error


def tensors_only(name: str, second: str = "other") -> Any:
    """A check that both operands are tensors."""

    def check(x: Any, y: Any) -> None:
        for position, (value, label) in enumerate(((x, "input"), (y, second)), 1):
            if not isinstance(value, Tensor):
                raise type_error(name, value, position, label)

    return check


def _shift(kernel: Any) -> Any:
    """Shifts of the whole width or more: PyTorch's answers, which C leaves open."""

    def shift(a: Any, b: Any) -> Any:
        kind = np.result_type(a, b)
        bits = 8 * kind.itemsize
        far = np.less(b, 0) | np.greater_equal(b, bits)
        if kernel is K.bitwise_left_shift:
            return np.where(far, np.asarray(0, kind), kernel(a, np.where(far, 0, b).astype(kind)))
        # All of the sign, as after a shift by one less than the width.
        return kernel(a, np.where(far, bits - 1, b).astype(kind))

    return shift


def _bitwise(name: str, kernel: Any, kernel_name: str, kinds: str) -> Any:
    return binary(name, kernel, accepts=(kinds, kernel_name), needs="one")


bitwise_and = _bitwise("bitwise_and", K.bitwise_and, "bitwise_and_cpu", "biu")
bitwise_or = _bitwise("bitwise_or", K.bitwise_or, "bitwise_or_cpu", "biu")
bitwise_xor = _bitwise("bitwise_xor", K.bitwise_xor, "bitwise_xor_cpu", "biu")
bitwise_left_shift = _bitwise("bitwise_left_shift", _shift(K.bitwise_left_shift), "lshift_cpu", "iu")
bitwise_right_shift = _bitwise("bitwise_right_shift", _shift(K.bitwise_right_shift), "rshift_cpu", "iu")
bitwise_not: Any = unary("bitwise_not", only("biu", "bitwise_not_cpu", K.bitwise_not))
gcd: Any = binary("gcd", K.gcd, accepts=("iu", "gcd_cpu"), needs="both")
lcm: Any = binary("lcm", K.lcm, accepts=("iu", "lcm_cpu"), needs="both")

logical_and: Any = binary("logical_and", K.logical_and, needs="both")
logical_or: Any = binary("logical_or", K.logical_or, needs="both")
logical_xor: Any = binary("logical_xor", K.logical_xor, needs="both")
logical_not: Any = unary("logical_not", K.logical_not)


def _invert(self: Any) -> Any:
    if self._array.dtype.kind not in "biu":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(self)


def _method(op: Any, reflected: bool = False) -> Any:
    """An operator method: NotImplemented for what is neither a tensor nor a number."""

    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS, np.generic)):
            return NotImplemented
        return op(other, self) if reflected else op(self, other)

    return method


attach("__invert__", _invert)
for _name, _op in (
    ("and", bitwise_and), ("or", bitwise_or), ("xor", bitwise_xor),
    ("lshift", bitwise_left_shift), ("rshift", bitwise_right_shift),
):  # fmt: skip
    attach(f"__{_name}__", _method(_op))
    attach(f"__r{_name}__", _method(_op, reflected=True))
    attach(f"__i{_name}__", inplace_of(_op, f"__i{_name}_"))

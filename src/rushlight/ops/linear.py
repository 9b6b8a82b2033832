"""Products of matrices: matmul and what is made of it."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from .declare import attach, primitive, public, type_error
from .shape import sum_to_any


def mt(x: Any) -> Any:
    """The conjugate transpose of the last two dimensions, of an array or a Tensor."""
    if isinstance(x, Tensor):
        y = x.transpose(-2, -1)
        return y.conj() if x._array.dtype.kind == "c" else y
    y = x.swapaxes(-2, -1)
    return y.conj() if x.dtype.kind == "c" else y


_mm = primitive("MmBackward0", lambda a, b: K.matmul(a, b), a=lambda g, b: _mm(g, mt(b)), b=lambda g, a: _mm(mt(a), g))
_bmm = primitive(
    "BmmBackward0", lambda a, b: K.matmul(a, b),
    a=lambda g, b, a_shape: sum_to_any(_bmm(g, mt(b)), a_shape), b=lambda g, a, b_shape: sum_to_any(_bmm(mt(a), g), b_shape),
)  # fmt: skip

"""Real and imaginary parts, and views of complex numbers as pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from .declare import primitive
from .publishing import attach, is_array, public, type_error


def _zeros_join(re: Any, im: Any) -> Any:
    from .creation import complex_of

    return complex_of(re, im)


_real: Any = primitive("RealBackward0", lambda a: a.real, view=True, tensors=True, a=lambda g: _zeros_join(g, g * 0))
_imag: Any = primitive("ImagBackward0", lambda a: a.imag, view=True, tensors=True, a=lambda g: _zeros_join(g * 0, g))


@public
def real(input: Any) -> Any:
    """The real part: a view of a complex tensor, a real tensor itself."""
    if not isinstance(input, Tensor):
        if is_array(input):
            return K.real(input)
        return input.real
    return _real(input) if input._array.dtype.kind == "c" else input


@public
def imag(input: Any) -> Any:
    """The imaginary part of a complex tensor, as a view."""
    if not isinstance(input, Tensor):
        if is_array(input):
            return K.imag(input)
        raise type_error("imag", input)
    if input._array.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return _imag(input)


attach("real", property(real, lambda self, value: real(self).copy_(value)))
attach("imag", property(imag, lambda self, value: imag(self).copy_(value)))


def _pairs(a: Any) -> Any:
    kind = np.float32 if a.dtype == np.complex64 else np.float64
    out = np.lib.stride_tricks.as_strided(a.view(np.ndarray), a.shape, a.strides)
    del out
    base = a.reshape(*a.shape, 1) if a.ndim else a.reshape(1)
    result = base.view(kind) if base.shape[-1] == 1 else base
    return result


view_as_real_: Any = primitive(
    "ViewAsRealBackward0", _pairs, view=True, tensors=True, a=lambda g: view_as_complex_(g.contiguous())
)


def _joined(a: Any) -> Any:
    kind = np.complex64 if a.dtype == np.float32 else np.complex128
    return np.lib.stride_tricks.as_strided(a.reshape(a.shape), a.shape, a.strides).view(kind)[..., 0]


view_as_complex_: Any = primitive(
    "ViewAsComplexBackward0", _joined, view=True, tensors=True, a=lambda g: view_as_real_(g)
)


@public
def view_as_real(input: Any) -> Any:
    """A complex tensor as a real one with a last dimension of 2, sharing memory."""
    if input._array.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return view_as_real_(input)


@public
def view_as_complex(input: Any) -> Any:
    """A real tensor with a last dimension of 2 as a complex one, sharing memory."""
    a = input._array
    if a.dtype.kind != "f":
        raise RuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: {input.dtype.scalar_name}"
        )
    if a.ndim == 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if a.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if a.strides[-1] != a.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any((s // a.itemsize) % 2 for s in a.strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    return view_as_complex_(input)


attach("is_real", lambda self: self._array.dtype.kind != "c")
